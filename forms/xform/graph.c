/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who reads whom, between fields, found once. From it come the dependents of
 * each field and two ranks: when its relevance, and when its value may be
 * settled, so that everything it reads is settled before. What cannot be ranked
 * is a cycle.
 *
 * Required, read-only and constraint conditions are evaluated when somebody
 * asks, since no expression can read them; they are checked for reading
 * themselves only. Choice filters and repeat counts are settled after the rest,
 * so they may read in a circle.
 */
#include "forms/xform/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct spot {
  uint32_t field; /* CQ_NONE: the document */
  uint32_t pivot;
} spot;

typedef struct spots {
  spot *at;
  size_t count, capacity;
} spots;

enum { MOST_SPOTS = 20000000 }; /* gone through to find the dependencies */

typedef struct edge {
  uint32_t read;
  cq_dependent reader;
} edge;

typedef struct graph {
  cq_form *form;
  spots now, then;
  edge *edges;
  size_t edge_count, edge_capacity;
  uint32_t *seen; /* by field (the document last): its place in `then`, good where at[place].field says so too */
  size_t visited;
  cq_status status; /* CQ_NOMEM, CQ_LIMIT */
} graph;

/* Each field once, with the wider of its pivots: the one that stands further up. */
static void add_spot(graph *g, spot item) {
  spots *list = &g->then;
  size_t slot = item.field == CQ_NONE ? g->form->field_count : item.field, place = g->seen[slot];
  if (++g->visited > MOST_SPOTS) g->status = CQ_LIMIT;
  if (g->status != CQ_OK) return;
  if (place < list->count && list->at[place].field == item.field) {
    uint32_t pivot = list->at[place].pivot;
    if (pivot != CQ_NONE && (item.pivot == CQ_NONE || item.pivot < pivot)) list->at[place].pivot = item.pivot;
    return;
  }
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
    spot *at = realloc(list->at, capacity * sizeof *at);
    if (at == NULL) {
      g->status = CQ_NOMEM;
      return;
    }
    list->at = at;
    list->capacity = capacity;
  }
  g->seen[slot] = (uint32_t)list->count;
  list->at[list->count++] = item;
}

static bool matches(const cq_field_definition *d, const cq_xpath_step *step) {
  if (step->any) return true;
  if (d->local != step->local) return false;
  return step->space == CQ_ATOM_NONE ? d->prefix == CQ_ATOM_NONE : d->space == step->space;
}

static void add_child(graph *g, spot from, const cq_xpath_step *step, bool attribute) {
  const cq_form *form = g->form;
  if (!step->any) {
    uint32_t found = cq_fields_child(form, from.field, step->local, step->space, attribute);
    if (found != CQ_NONE) add_spot(g, (spot){found, from.pivot});
    return;
  }
  for (uint32_t i = from.field == CQ_NONE ? 0 : form->definitions[from.field].first; i != CQ_NONE;
       i = from.field == CQ_NONE ? CQ_NONE : form->definitions[i].next)
    if (form->definitions[i].is_attribute == attribute) add_spot(g, (spot){i, from.pivot});
}

static void add_below(graph *g, spot from, const cq_xpath_step *step) {
  uint32_t first = from.field == CQ_NONE ? 0 : from.field + 1;
  uint32_t last =
      from.field == CQ_NONE ? g->form->field_count - 1 : from.field + g->form->definitions[from.field].descendants;
  for (uint32_t i = first; i <= last && i < g->form->field_count; i++)
    if (!g->form->definitions[i].is_attribute && matches(&g->form->definitions[i], step))
      add_spot(g, (spot){i, from.pivot});
}

static spot parent_of(const graph *g, spot from) {
  if (from.field == CQ_NONE) return from;
  uint32_t parent = g->form->definitions[from.field].parent;
  return (spot){parent, from.pivot == from.field ? parent : from.pivot};
}

static void add_sideways(graph *g, spot from, const cq_xpath_step *step) {
  spot parent = parent_of(g, from);
  if (from.field != CQ_NONE && parent.field != CQ_NONE) add_child(g, parent, step, false);
}

static void take_step(graph *g, spot from, const cq_xpath_step *step) {
  const cq_form *form = g->form;
  switch ((cq_xpath_axis)step->axis) {
  case CQ_AXIS_CHILD: add_child(g, from, step, false); break;
  case CQ_AXIS_ATTRIBUTE: add_child(g, from, step, true); break;
  case CQ_AXIS_SELF:
    if (from.field == CQ_NONE || matches(&form->definitions[from.field], step)) add_spot(g, from);
    break;
  case CQ_AXIS_PARENT: add_spot(g, parent_of(g, from)); break;
  case CQ_AXIS_ANCESTOR_OR_SELF:
  case CQ_AXIS_ANCESTOR:
    if (step->axis == CQ_AXIS_ANCESTOR) from = parent_of(g, from);
    for (; from.field != CQ_NONE; from = parent_of(g, from))
      if (matches(&form->definitions[from.field], step)) add_spot(g, from);
    break;
  case CQ_AXIS_DESCENDANT_OR_SELF:
    if (from.field == CQ_NONE ? step->any : matches(&form->definitions[from.field], step)) add_spot(g, from);
    add_below(g, from, step);
    break;
  case CQ_AXIS_DESCENDANT: add_below(g, from, step); break;
  case CQ_AXIS_FOLLOWING_SIBLING:
  case CQ_AXIS_PRECEDING_SIBLING: add_sideways(g, from, step); break;
  case CQ_AXIS_FOLLOWING:
  case CQ_AXIS_PRECEDING: add_below(g, (spot){CQ_NONE, CQ_NONE}, step); break;
  case CQ_AXIS_NAMESPACE: break;
  }
}

static void swap(graph *g) {
  spots now = g->now;
  g->now = g->then;
  g->then = now;
}

/* Where a path leads, into g->now. An absolute path shares the instances of what stands around the reader, as long as
 * it goes down the same fields without a predicate (cq_xpath_context.own_repeats). */
static void follow(graph *g, const cq_xpath_path *path, uint32_t reader) {
  g->then.count = 0;
  bool absolute = path->from == CQ_XPATH_FROM_ROOT || path->from == CQ_XPATH_FROM_INSTANCE;
  add_spot(g, absolute ? (spot){CQ_NONE, CQ_NONE} : (spot){reader, reader});
  swap(g);
  bool shared = absolute && !path->all;
  for (size_t i = 0; i < path->step_count && g->status == CQ_OK; i++) {
    const cq_xpath_step *step = &path->steps[i];
    g->then.count = 0;
    for (size_t j = 0; j < g->now.count && g->status == CQ_OK; j++) take_step(g, g->now.at[j], step);
    swap(g);
    shared = shared && step->axis == CQ_AXIS_CHILD && !step->any && !step->filtered && i + 1 < path->step_count &&
             g->now.count == 1 && cq_fields_is_below(g->form, reader, g->now.at[0].field);
    if (shared) g->now.at[0].pivot = g->now.at[0].field;
  }
}

static void add_edge(graph *g, uint32_t read, cq_dependent reader) {
  if (g->edge_count == CQ_FORM_MAX_DEPENDENCIES) g->status = CQ_LIMIT;
  if (g->status != CQ_OK) return;
  if (g->edge_count == g->edge_capacity) {
    size_t capacity = g->edge_capacity == 0 ? 256 : g->edge_capacity * 2;
    edge *edges = realloc(g->edges, capacity * sizeof *edges);
    if (edges == NULL) {
      g->status = CQ_NOMEM;
      return;
    }
    g->edges = edges;
    g->edge_capacity = capacity;
  }
  g->edges[g->edge_count++] = (edge){read, reader};
}

/* position(..), position(../..): the place of what the reader stands in. */
static bool is_place(const cq_xpath_path *path) {
  if (!path->structure || path->step_count == 0 ||
      (path->from != CQ_XPATH_FROM_CONTEXT && path->from != CQ_XPATH_FROM_CURRENT))
    return false;
  for (size_t i = 0; i < path->step_count; i++)
    if (path->steps[i].axis != CQ_AXIS_PARENT && path->steps[i].axis != CQ_AXIS_SELF) return false;
  return true;
}

static void read_path(graph *g, const cq_xpath_path *path, uint32_t field, cq_purpose what) {
  const cq_form *form = g->form;
  if (path->self) return;
  if (path->from == CQ_XPATH_FROM_INSTANCE &&
      (form->primary_id.size == 0 || !cq_str_equal(cq_names_text(form->names, path->instance), form->primary_id)))
    return;
  follow(g, path, field);
  for (size_t i = 0; i < g->now.count && g->status == CQ_OK; i++) {
    spot found = g->now.at[i];
    if (found.field == CQ_NONE) continue;
    if (what == CQ_FOR_CHOICES && found.field == field) continue;
    const cq_field_definition *d = &form->definitions[found.field];
    bool group = d->child_count > 0, around = group && cq_fields_is_below(form, field, found.field);
    cq_dependent reader = {.field = field,
                           .pivot = found.pivot == CQ_NONE ? 0 : found.pivot,
                           .what = (uint8_t)what,
                           .structure = path->structure || around,
                           .position = is_place(path),
                           .inside = what == CQ_FOR_RELEVANT && found.field != field &&
                                     cq_fields_is_below(form, found.field, field)};
    add_edge(g, found.field, reader);
    for (uint32_t j = 1; group && !reader.structure && j <= d->descendants; j++) add_edge(g, found.field + j, reader);
  }
}

static void read_expression(graph *g, const cq_xpath *expression, uint32_t field, cq_purpose what) {
  if (expression == NULL) return;
  size_t count;
  const cq_xpath_path *paths = cq_xpath_paths(expression, &count);
  for (size_t i = 0; i < count && g->status == CQ_OK; i++) read_path(g, &paths[i], field, what);
}

/* A condition that asks for its own field's value, and is no constraint. */
static bool reads_itself(graph *g, const cq_xpath *expression, uint32_t field) {
  if (expression == NULL) return false;
  size_t count;
  const cq_xpath_path *paths = cq_xpath_paths(expression, &count);
  for (size_t i = 0; i < count; i++) {
    if (paths[i].self || paths[i].structure || paths[i].from == CQ_XPATH_FROM_INSTANCE) continue;
    follow(g, &paths[i], field);
    for (size_t j = 0; j < g->now.count; j++)
      if (g->now.at[j].field == field) return true;
  }
  return false;
}

/* --- ranks --- */

enum { RELEVANCE = 0, VALUE = 1 };

typedef struct ranking {
  const cq_form *form;
  uint32_t *waits, *rank, *queue, *before;
  uint32_t count, done;
} ranking;

typedef void visit(ranking *r, uint32_t from, uint32_t to);

static void each_successor(ranking *r, uint32_t node, visit *call) {
  const cq_form *form = r->form;
  uint32_t field = node / 2;
  const cq_field_definition *d = &form->definitions[field];
  if (node % 2 == RELEVANCE) {
    call(r, node, node + VALUE);
    for (uint32_t i = d->first; i != CQ_NONE; i = form->definitions[i].next) call(r, node, i * 2 + RELEVANCE);
  }
  for (uint32_t i = 0; i < d->dependent_count; i++) {
    const cq_dependent *reader = &d->dependents[i];
    if (reader->position || reader->inside || reader->what == CQ_FOR_CHOICES || reader->what == CQ_FOR_COUNT ||
        (reader->structure ? RELEVANCE : VALUE) != node % 2)
      continue;
    call(r, node, reader->field * 2 + (reader->what == CQ_FOR_RELEVANT ? RELEVANCE : VALUE));
  }
}

static void count_one(ranking *r, uint32_t from, uint32_t to) {
  (void)from;
  r->waits[to]++;
}

static void settle_one(ranking *r, uint32_t from, uint32_t to) {
  if (r->rank[to] < r->rank[from] + 1) r->rank[to] = r->rank[from] + 1;
  if (--r->waits[to] == 0) r->queue[r->count++] = to;
}

static void remember_before(ranking *r, uint32_t from, uint32_t to) {
  if (r->waits[to] > 0) r->before[to] = from;
}

static cq_status cycle_error(const cq_form *form, const uint32_t *nodes, size_t count, cq_error *error) {
  cq_buf path = {0};
  uint32_t last = CQ_NONE;
  for (size_t i = count; i-- > 0;) { /* found backwards */
    uint32_t field = nodes[i] / 2;
    if (field == last) continue;
    if (path.size > 0) cq_buf_add_text(&path, " → ");
    cq_buf_add_str(&path, form->fields[field].path);
    last = field;
  }
  cq_status status = path.failed ? cq_error_nomem(error)
                                 : cq_error_set(error, CQ_INVALID, "forms.cycle", path.size > 0 ? path.at : "", NULL);
  cq_buf_fini(&path);
  return status;
}

static cq_status find_cycle(ranking *r, cq_error *error) {
  uint32_t nodes = r->form->field_count * 2, start = CQ_NONE;
  for (uint32_t i = 0; i < nodes; i++)
    if (r->waits[i] > 0) {
      each_successor(r, i, remember_before);
      start = i;
    }
  /* Every node that still waits has one before it that waits too: going back long enough ends on a cycle. */
  for (uint32_t i = 0; i < nodes; i++) start = r->before[start];
  size_t count = 0;
  uint32_t at = start;
  do {
    r->queue[count++] = at;
    at = r->before[at];
  } while (at != start && count < nodes);
  r->queue[count++] = start;
  return cycle_error(r->form, r->queue, count, error);
}

static cq_status rank(cq_form *form, cq_error *error) {
  uint32_t nodes = form->field_count * 2;
  ranking r = {.form = form};
  uint32_t *memory = calloc((size_t)nodes * 4 + 1, sizeof *memory);
  if (memory == NULL) return cq_error_nomem(error);
  r.waits = memory;
  r.rank = memory + nodes;
  r.before = memory + (size_t)nodes * 2;
  r.queue = memory + (size_t)nodes * 3;
  for (uint32_t i = 0; i < nodes; i++) each_successor(&r, i, count_one);
  for (uint32_t i = 0; i < nodes; i++)
    if (r.waits[i] == 0) r.queue[r.count++] = i;
  while (r.done < r.count) each_successor(&r, r.queue[r.done++], settle_one);
  cq_status status = r.count < nodes ? find_cycle(&r, error) : CQ_OK;
  for (uint32_t i = 0; i < form->field_count; i++) {
    form->definitions[i].rank_relevant = r.rank[i * 2 + RELEVANCE];
    form->definitions[i].rank_value = r.rank[i * 2 + VALUE];
  }
  free(memory);
  return status;
}

/* --- dependents of each field --- */

static int compare_edges(const void *left, const void *right) {
  const edge *a = left, *b = right;
  if (a->read != b->read) return a->read < b->read ? -1 : 1;
  if (a->reader.field != b->reader.field) return a->reader.field < b->reader.field ? -1 : 1;
  if (a->reader.what != b->reader.what) return a->reader.what < b->reader.what ? -1 : 1;
  if (a->reader.structure != b->reader.structure) return a->reader.structure ? 1 : -1;
  if (a->reader.position != b->reader.position) return a->reader.position ? 1 : -1;
  return a->reader.pivot < b->reader.pivot ? -1 : a->reader.pivot > b->reader.pivot;
}

/* Sorted, doubles dropped; of readers that differ in the pivot alone the widest stays. */
static cq_status settle_dependents(graph *g, cq_error *error) {
  cq_form *form = g->form;
  if (g->edge_count == 0) return CQ_OK;
  qsort(g->edges, g->edge_count, sizeof *g->edges, compare_edges);
  cq_dependent *all = cq_arena_array(form->arena, g->edge_count, sizeof *all);
  if (all == NULL) return cq_error_nomem(error);
  size_t used = 0;
  for (size_t i = 0; i < g->edge_count; i++) {
    const edge *e = &g->edges[i];
    cq_field_definition *d = &form->definitions[e->read];
    if (i > 0 && g->edges[i - 1].read == e->read && g->edges[i - 1].reader.field == e->reader.field &&
        g->edges[i - 1].reader.what == e->reader.what && g->edges[i - 1].reader.structure == e->reader.structure &&
        g->edges[i - 1].reader.position == e->reader.position)
      continue;
    if (d->dependent_count == 0) d->dependents = &all[used];
    all[used++] = e->reader;
    d->dependent_count++;
  }
  return CQ_OK;
}

static cq_status gather_uses(cq_form *form, cq_error *error) {
  form->clock_readers = cq_arena_array(form->arena, form->field_count, sizeof(uint32_t));
  form->language_readers = cq_arena_array(form->arena, form->field_count, sizeof(uint32_t));
  if (form->clock_readers == NULL || form->language_readers == NULL) return cq_error_nomem(error);
  for (uint32_t i = 0; i < form->field_count; i++) {
    const cq_field_definition *d = &form->definitions[i];
    unsigned uses = d->calculate == NULL ? 0 : cq_xpath_uses(d->calculate);
    if (d->relevant.expression != NULL) uses |= cq_xpath_uses(d->relevant.expression);
    if ((uses & CQ_XPATH_CLOCK) != 0) form->clock_readers[form->clock_count++] = i;
    if ((uses & CQ_XPATH_LANGUAGE) != 0) form->language_readers[form->language_reader_count++] = i;
  }
  return CQ_OK;
}

static cq_status check_themselves(graph *g, cq_error *error) {
  cq_form *form = g->form;
  for (uint32_t i = 0; i < form->field_count; i++) {
    const cq_field_definition *d = &form->definitions[i];
    if (reads_itself(g, d->readonly.expression, i) || reads_itself(g, d->required.expression, i)) {
      uint32_t nodes[2] = {i * 2, i * 2};
      return cycle_error(form, nodes, 2, error);
    }
  }
  return CQ_OK;
}

static void read_control(graph *g, const cq_control_definition *control) {
  if (control->field == CQ_NONE) return;
  if (control->kind == CQ_CONTROL_REPEAT) read_expression(g, control->count, control->field, CQ_FOR_COUNT);
  if (control->itemset != NULL && control->itemset->dynamic) {
    read_expression(g, control->itemset->nodeset, control->field, CQ_FOR_CHOICES);
  }
}

cq_status cq_graph_load(cq_form *form, cq_error *error) {
  graph g = {.form = form};
  g.seen = calloc((size_t)form->field_count + 1, sizeof *g.seen);
  if (g.seen == NULL) return cq_error_nomem(error);
  for (uint32_t i = 0; i < form->field_count && g.status == CQ_OK; i++) {
    const cq_field_definition *d = &form->definitions[i];
    if (d->relevant.constant == CQ_CONSTANT_NO) read_expression(&g, d->relevant.expression, i, CQ_FOR_RELEVANT);
    read_expression(&g, d->calculate, i, CQ_FOR_CALCULATE);
  }
  for (uint32_t i = 0; i < form->control_count && g.status == CQ_OK; i++) read_control(&g, &form->controls[i]);
  cq_status status = g.status == CQ_OK ? check_themselves(&g, error) : g.status;
  if (g.status == CQ_NOMEM) status = cq_error_nomem(error);
  if (g.status == CQ_LIMIT) status = cq_error_set(error, CQ_LIMIT, "forms.limit.dependencies", NULL);
  if (status == CQ_OK) status = settle_dependents(&g, error);
  if (status == CQ_OK) status = rank(form, error);
  if (status == CQ_OK) status = gather_uses(form, error);
  free(g.seen);
  free(g.now.at);
  free(g.then.at);
  free(g.edges);
  return status;
}

/* --- for people --- */

void cq_graph_write(const cq_form *form, bool dot, cq_buf *out) {
  static const char *const whats[] = {"relevant", "calculate", "choices", "count"};
  if (dot) cq_buf_add_text(out, "digraph form {\n  rankdir=LR;\n  node [shape=box];\n");
  for (uint32_t i = 0; i < form->field_count; i++)
    for (uint32_t j = 0; j < form->definitions[i].dependent_count; j++) {
      const cq_dependent *reader = &form->definitions[i].dependents[j];
      cq_str read = form->fields[i].path, path = form->fields[reader->field].path;
      const char *how = reader->position ? " (place)" : reader->structure ? " (nodes)" : "";
      if (dot)
        cq_buf_addf(out, "  \"%.*s\" -> \"%.*s\" [label=\"%s%s\"];\n", (int)read.size, read.at, (int)path.size, path.at,
                    whats[reader->what], how);
      else
        cq_buf_addf(out, "%.*s %s <- %.*s%s\n", (int)path.size, path.at, whats[reader->what], (int)read.size, read.at,
                    how);
    }
  if (dot) cq_buf_add_text(out, "}\n");
}
