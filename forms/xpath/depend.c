/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression reads, found without evaluating it. */
#include "forms/xpath/ast.h"
#include "forms/xpath/functions.h"

#include <string.h>

enum { MAX_STEPS_LISTED = 1 << 18 }; /* of all paths together: a hostile expression could name each prefix anew */

/* Where a node-set starts and the steps that lead to it. */
typedef struct place {
  cq_xpath_from from;
  cq_atom instance;
  const cq_xpath_step *steps;
  size_t count;
} place;

typedef struct listed {
  struct listed *next;
  cq_xpath_path path;
} listed;

typedef struct reader {
  cq_xpath *expression;
  cq_arena *arena;
  cq_error *error;
  listed *first, **end;
  size_t steps; /* listed so far */
  cq_atom *instances;
  size_t instance_capacity;
} reader;

typedef struct places {
  place *at;
  size_t count, capacity;
} places;

static cq_status walk(reader *r, const cq_expr *expr, const place *base, bool structure);

static cq_status list_path(reader *r, const place *at, const cq_expr *expr, bool structure, bool self) {
  listed *item = cq_arena_alloc(r->arena, sizeof *item);
  if (!item) return cq_error_nomem(r->error);
  item->path = (cq_xpath_path){.from = at->from,
                               .instance = at->instance,
                               .steps = at->steps,
                               .step_count = at->count,
                               .structure = structure,
                               .self = self,
                               .column = expr->column};
  if (at->from == CQ_XPATH_FROM_CONTEXT && !at->count) r->expression->uses |= CQ_XPATH_SELF;
  *r->end = item;
  r->end = &item->next;
  r->expression->path_count++;
  return CQ_OK;
}

static cq_status list_instance(reader *r, cq_str id, cq_atom *atom) {
  cq_xpath *expression = r->expression;
  *atom = cq_names_intern(expression->names, id);
  if (*atom == CQ_ATOM_FAILED) return cq_error_nomem(r->error);
  for (size_t i = 0; r->instances && i < expression->instance_count; i++)
    if (r->instances[i] == *atom) return CQ_OK;
  size_t count = expression->instance_count;
  if (count == r->instance_capacity) {
    size_t capacity = count ? count * 2 : 4;
    cq_atom *more = cq_arena_array(r->arena, capacity, sizeof *more);
    if (!more) return cq_error_nomem(r->error);
    if (r->instances) memcpy(more, r->instances, count * sizeof *more);
    r->instances = more;
    r->instance_capacity = capacity;
  }
  if (r->instances) r->instances[expression->instance_count++] = *atom;
  return CQ_OK;
}

static cq_status add_place(reader *r, places *list, place at) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 1;
    place *more = cq_arena_array(r->arena, capacity, sizeof *more);
    if (!more) return cq_error_nomem(r->error);
    if (list->count) memcpy(more, list->at, list->count * sizeof *more);
    list->at = more;
    list->capacity = capacity;
  }
  list->at[list->count++] = at;
  return CQ_OK;
}

static cq_status extend(reader *r, const place *from, const cq_step *steps, size_t count, place *out) {
  *out = *from;
  if (!count) return CQ_OK;
  r->steps += from->count + count;
  if (r->steps > MAX_STEPS_LISTED)
    return cq_xpath_fault(r->error, CQ_LIMIT, "xpath.deep", r->expression->text, 1, (cq_str){0});
  cq_xpath_step *all = cq_arena_array(r->arena, from->count + count, sizeof *all);
  if (!all) return cq_error_nomem(r->error);
  if (from->count) memcpy(all, from->steps, from->count * sizeof *all);
  for (size_t i = 0; i < count; i++)
    all[from->count + i] = (cq_xpath_step){.axis = steps[i].axis,
                                           .any = steps[i].test != CQ_TEST_NAME,
                                           .filtered = steps[i].predicate_count != 0,
                                           .local = steps[i].local,
                                           .prefix = steps[i].prefix,
                                           .space = steps[i].space};
  out->steps = all;
  out->count = from->count + count;
  return CQ_OK;
}

/* The places whose nodes the value of `expr` may be; none where that cannot be said. */
static cq_status places_of(reader *r, const cq_expr *expr, const place *base, places *out) {
  cq_status status = CQ_OK;
  places starts = {0};
  switch (expr->op) {
  case CQ_OP_PATH:
    if (expr->start == CQ_XPATH_FROM_CONTEXT)
      status = add_place(r, &starts, *base);
    else if (expr->start == CQ_XPATH_FROM_ROOT)
      status = add_place(r, &starts, (place){.from = CQ_XPATH_FROM_ROOT});
    else
      status = places_of(r, expr->args[0], base, &starts);
    for (size_t i = 0; i < starts.count && status == CQ_OK; i++) {
      place whole;
      status = extend(r, &starts.at[i], expr->steps, expr->step_count, &whole);
      if (status == CQ_OK) status = add_place(r, out, whole);
    }
    return status;
  case CQ_OP_FILTER: return places_of(r, expr->args[0], base, out);
  case CQ_OP_UNION:
    for (size_t i = 0; i < expr->count && status == CQ_OK; i++) status = places_of(r, expr->args[i], base, out);
    return status;
  case CQ_OP_CALL:
    if (expr->function->reads == CQ_READS_CURRENT) return add_place(r, out, (place){.from = CQ_XPATH_FROM_CURRENT});
    if (expr->function->reads == CQ_READS_FIRST) return places_of(r, expr->args[0], base, out);
    if (expr->function->reads == CQ_READS_LIST && expr->count == 1) {
      place list = {.from = CQ_XPATH_FROM_INSTANCE};
      if (expr->literal_id) status = list_instance(r, expr->args[0]->string, &list.instance);
      return status == CQ_OK ? add_place(r, out, list) : status;
    }
    if (strcmp(expr->function->name, "if") == 0)
      for (size_t i = 1; i < expr->count && status == CQ_OK; i++) status = places_of(r, expr->args[i], base, out);
    return status;
  default: return CQ_OK;
  }
}

static cq_status walk_predicates(reader *r, const cq_predicate *predicates, size_t count, const places *at) {
  cq_status status = CQ_OK;
  for (size_t p = 0; p < at->count; p++)
    for (size_t i = 0; i < count && status == CQ_OK; i++) status = walk(r, predicates[i].expr, &at->at[p], false);
  return status;
}

/* What stands before the steps of a path: its own nodes are no dependency, what its predicates read is. */
static cq_status walk_base(reader *r, const cq_expr *expr, const place *base);

static cq_status walk_steps(reader *r, const cq_expr *path, const place *base) {
  cq_status status = CQ_OK;
  places starts = {0};
  if (path->start == CQ_XPATH_FROM_INSTANCE) {
    status = walk_base(r, path->args[0], base);
    if (status == CQ_OK) status = places_of(r, path->args[0], base, &starts);
  } else {
    const place root = {.from = CQ_XPATH_FROM_ROOT};
    status = add_place(r, &starts, path->start == CQ_XPATH_FROM_ROOT ? root : *base);
  }
  for (size_t i = 0; i < path->step_count && status == CQ_OK; i++) {
    if (!path->steps[i].predicate_count) continue;
    places filtered = {0};
    for (size_t s = 0; s < starts.count && status == CQ_OK; s++) {
      place here;
      status = extend(r, &starts.at[s], path->steps, i + 1, &here);
      if (status == CQ_OK) status = add_place(r, &filtered, here);
    }
    if (status == CQ_OK)
      status = walk_predicates(r, path->steps[i].predicates, path->steps[i].predicate_count, &filtered);
  }
  return status;
}

static cq_status walk_filter(reader *r, const cq_expr *filter, const place *base) {
  places at = {0};
  cq_status status = places_of(r, filter->args[0], base, &at);
  return status == CQ_OK ? walk_predicates(r, filter->predicates, filter->predicate_count, &at) : status;
}

static cq_status walk_arguments(reader *r, const cq_expr *expr, size_t from, const place *base, bool structure) {
  cq_status status = CQ_OK;
  for (size_t i = from; i < expr->count && status == CQ_OK; i++) status = walk(r, expr->args[i], base, structure);
  return status;
}

static cq_status walk_base(reader *r, const cq_expr *expr, const place *base) {
  cq_status status = CQ_OK;
  switch (expr->op) {
  case CQ_OP_PATH: return walk_steps(r, expr, base);
  case CQ_OP_FILTER:
    status = walk_base(r, expr->args[0], base);
    return status == CQ_OK ? walk_filter(r, expr, base) : status;
  case CQ_OP_UNION:
    for (size_t i = 0; i < expr->count && status == CQ_OK; i++) status = walk_base(r, expr->args[i], base);
    return status;
  case CQ_OP_CALL:
    if (expr->function->reads == CQ_READS_CURRENT) return CQ_OK;
    if (expr->function->reads != CQ_READS_LIST || expr->count != 1) return walk(r, expr, base, false);
    if (!expr->literal_id) r->expression->uses |= CQ_XPATH_LISTS;
    return walk_arguments(r, expr, 0, base, false);
  default: return walk(r, expr, base, false);
  }
}

/* pulldata('list', column, key column, key) reads the rows of that list. */
static cq_status walk_list_call(reader *r, const cq_expr *expr, const place *base) {
  place list = {.from = CQ_XPATH_FROM_INSTANCE};
  cq_status status = CQ_OK;
  if (expr->literal_id)
    status = list_instance(r, expr->args[0]->string, &list.instance);
  else
    r->expression->uses |= CQ_XPATH_LISTS;
  if (status == CQ_OK && expr->count > 1) {
    const cq_step steps[] = {{.axis = CQ_AXIS_CHILD, .test = CQ_TEST_NAME, .local = CQ_ATOM_ROOT},
                             {.axis = CQ_AXIS_CHILD, .test = CQ_TEST_NAME, .local = CQ_ATOM_ITEM}};
    status = extend(r, &list, steps, 2, &list);
  }
  if (status == CQ_OK) status = list_path(r, &list, expr, false, false);
  return status == CQ_OK ? walk_arguments(r, expr, 0, base, false) : status;
}

static cq_status walk_call(reader *r, const cq_expr *expr, const place *base, bool structure) {
  cq_status status = CQ_OK;
  const cq_function *function = expr->function;
  listed **before = r->end;
  if (!(function->reads == CQ_READS_FIRST && expr->count > 1)) /* a seed makes randomize() repeatable */
    r->expression->uses |= function->uses;
  switch (function->reads) {
  case CQ_READS_FOCUS:
    if (expr->count < function->most) status = list_path(r, base, expr, false, false);
    break;
  case CQ_READS_PLACE:
    if (expr->count) r->expression->uses |= CQ_XPATH_POSITION;
    structure = true;
    break;
  case CQ_READS_NODES: structure = true; break;
  case CQ_READS_LIST: return walk_list_call(r, expr, base);
  case CQ_READS_CURRENT: return list_path(r, &(place){.from = CQ_XPATH_FROM_CURRENT}, expr, structure, false);
  case CQ_READS_SELF: status = list_path(r, base, expr, false, true); break;
  default: structure = false;
  }
  if (status == CQ_OK) status = walk_arguments(r, expr, 0, base, structure);
  if (strcmp(function->name, "indexed-repeat") == 0)
    for (listed *item = *before; item; item = item->next) item->path.all = true;
  return status;
}

static cq_status walk(reader *r, const cq_expr *expr, const place *base, bool structure) {
  cq_status status = CQ_OK;
  places at = {0};
  switch (expr->op) {
  case CQ_OP_NUMBER:
  case CQ_OP_STRING: return CQ_OK;
  case CQ_OP_PATH:
    status = places_of(r, expr, base, &at);
    for (size_t i = 0; i < at.count && status == CQ_OK; i++) status = list_path(r, &at.at[i], expr, structure, false);
    return status == CQ_OK ? walk_steps(r, expr, base) : status;
  case CQ_OP_FILTER:
    status = walk(r, expr->args[0], base, structure);
    return status == CQ_OK ? walk_filter(r, expr, base) : status;
  case CQ_OP_CALL: return walk_call(r, expr, base, structure);
  case CQ_OP_CALL_HOST: r->expression->uses |= CQ_XPATH_CALLS_HOST; return walk_arguments(r, expr, 0, base, false);
  default: return walk_arguments(r, expr, 0, base, structure && expr->op == CQ_OP_UNION);
  }
}

cq_status cq_depend(cq_xpath *expression, cq_arena *arena, cq_error *error) {
  reader r = {.expression = expression, .arena = arena, .error = error};
  r.end = &r.first;
  cq_status status = walk(&r, expression->top, &(place){.from = CQ_XPATH_FROM_CONTEXT}, false);
  if (status != CQ_OK) return status;
  expression->instances = r.instances;
  if (!expression->path_count) return CQ_OK;
  cq_xpath_path *paths = cq_arena_array(arena, expression->path_count, sizeof *paths);
  if (!paths) return cq_error_nomem(error);
  size_t count = 0;
  for (listed *item = r.first; item; item = item->next) paths[count++] = item->path;
  expression->paths = paths;
  return CQ_OK;
}

/* --- what a predicate may lean on --- */

static bool any_argument(const cq_expr *expr, bool (*ask)(const cq_expr *expr)) {
  for (size_t i = 0; i < expr->count; i++)
    if (ask(expr->args[i])) return true;
  return false;
}

bool cq_depends_on_focus(const cq_expr *expr) {
  switch (expr->op) {
  case CQ_OP_PATH:
    if (expr->start == CQ_XPATH_FROM_CONTEXT) return true;
    break;
  case CQ_OP_CALL_WRONG:
  case CQ_OP_CALL_HOST: return true;
  case CQ_OP_CALL: {
    const cq_function *function = expr->function;
    if (function->uses & (CQ_XPATH_RANDOM | CQ_XPATH_LANGUAGE) || function->reads == CQ_READS_SELF) return true;
    if (function->reads == CQ_READS_FOCUS && expr->count < function->most) return true;
    if (function->reads == CQ_READS_PLACE && !expr->count) return true;
    break;
  }
  default: break;
  }
  return any_argument(expr, cq_depends_on_focus);
}

bool cq_depends_on_place(const cq_expr *expr) {
  if (expr->op == CQ_OP_CALL_HOST || expr->op == CQ_OP_CALL_WRONG) return true;
  if (expr->op == CQ_OP_CALL && expr->function->reads == CQ_READS_PLACE && !expr->count) return true;
  return any_argument(expr, cq_depends_on_place);
}
