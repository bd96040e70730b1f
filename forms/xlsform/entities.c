/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entities (ODK Entities 2024.1 and 2025.1): the sheet's declarations, the
 * column save_to, and the container (form, group or repeat) whose meta block
 * holds each. An entity lives where its properties are: in the deepest repeat
 * that its references name, else in the form.
 */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ENTITIES = 200 };

typedef struct mention {
  struct mention *next;
  cq_element *container;
  int64_t row;               /* of the survey */
  cq_str property, question; /* one of them */
} mention;

typedef struct entity {
  int64_t row;
  cq_str list, id, create, update, label;
  int64_t list_column, id_column, create_column, update_column, label_column;
  mention *first, *last;
  cq_element *home, *wanted, *scope;
  bool placed;
} entity;

typedef struct entities {
  cq_form_draft *form;
  cq_headed_sheet sheet;
  entity all[MAX_ENTITIES];
  size_t count;
} entities;

static const cq_column_word entity_word = {"", CQ_COLUMN_UNKNOWN, NULL, ""};

static const cq_column_word *lookup(cq_str name) {
  return cq_entities_column_of(name) ? &entity_word : NULL;
}

static cq_place place_at(const entities *s, int64_t row, int64_t column) {
  const cq_header *h = column > 0 ? cq_header_at(&s->sheet, (uint32_t)column - 1) : NULL;
  return (cq_place){"entities", row, column, h ? h->text : (cq_str){"", 0}};
}

static int64_t column_of(const entities *s, const char *name) {
  for (uint32_t i = 0; i < s->sheet.header_count; i++) {
    const cq_header *h = &s->sheet.headers[i];
    if (h->column && h->word && strcmp(cq_entities_column_of(h->plain), name) == 0) return h->column;
  }
  return 0;
}

static void check_list(entities *s, const entity *e) {
  cq_place place = place_at(s, e->row, e->list_column);
  if (e->list.size == 0) {
    cq_fault_error(s->form, "xlsform.entity.noname", place, e->list);
  } else if (cq_str_starts(e->list, CQ_STR("__")) || memchr(e->list.at, '.', e->list.size) || !cq_name_valid(e->list)) {
    cq_fault_error(s->form, "xlsform.entity.name", place, e->list);
  }
  for (size_t i = 0; i + 1 < s->count; i++) {
    if (cq_str_equal(s->all[i].list, e->list)) cq_fault_error(s->form, "xlsform.entity.twice", place, e->list);
  }
}

static void check_mode(entities *s, const entity *e) {
  if (!e->id.size && e->update.size) {
    cq_fault_error(s->form, "xlsform.entity.noid", place_at(s, e->row, column_of(s, "entity_id")), e->list);
  } else if (e->id.size && e->create.size && !e->update.size) {
    cq_fault_error(s->form, "xlsform.entity.noupdate", place_at(s, e->row, column_of(s, "update_if")), e->list);
  } else if (!e->id.size && !e->label.size) {
    cq_fault_error(s->form, "xlsform.entity.nolabel", place_at(s, e->row, column_of(s, "label")), e->list);
  }
}

static void read_row(entities *s, const cq_row *row) {
  if (s->count == MAX_ENTITIES) {
    cq_fault_error(s->form, "xlsform.limit.entities", place_at(s, row->number, 0), (cq_str){"", 0});
    return;
  }
  entity *e = &s->all[s->count++];
  e->row = row->number;
  for (uint32_t i = 0; i < row->count; i++) {
    const cq_header *h = cq_header_at(&s->sheet, row->cells[i].column);
    if (!h || !h->word) continue;
    cq_str text = cq_cell_text(s->form, &s->sheet, row->cells[i].text);
    const char *column = cq_entities_column_of(h->plain);
    if (strcmp(column, "list_name") == 0) e->list = text, e->list_column = h->column;
    if (strcmp(column, "entity_id") == 0) e->id = text, e->id_column = h->column;
    if (strcmp(column, "create_if") == 0) e->create = text, e->create_column = h->column;
    if (strcmp(column, "update_if") == 0) e->update = text, e->update_column = h->column;
    if (strcmp(column, "label") == 0) e->label = text, e->label_column = h->column;
  }
  check_list(s, e);
  check_mode(s, e);
}

static bool read_sheet(entities *s) {
  cq_form_draft *form = s->form;
  if (!cq_headed_sheet_open(form, &s->sheet, "entities", lookup)) {
    cq_str similar = cq_book_similar(form, "entities");
    if (similar.size)
      cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.sheet.similar", (cq_place){0}, similar, "entities", similar);
    return false;
  }
  for (uint32_t i = 0; i < s->sheet.header_count; i++) {
    const cq_header *h = &s->sheet.headers[i];
    bool filled = false;
    for (size_t r = 1; h->column && !h->word && r < s->sheet.sheet->count; r++) {
      const cq_row *row = &s->sheet.sheet->rows[r];
      for (uint32_t c = 0; c < row->count; c++) filled = filled || row->cells[c].column == i;
    }
    if (filled) {
      cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.entity.column", place_at(s, 1, h->column), h->text,
               "list_name, entity_id, create_if, update_if, label", (cq_str){"", 0});
    }
  }
  for (size_t i = 1; i < s->sheet.sheet->count; i++) read_row(s, &s->sheet.sheet->rows[i]);
  return s->count > 0;
}

/* --- who mentions whom --- */

static void note(entities *s, entity *e, cq_element *container, int64_t row, cq_str property, cq_str question) {
  mention *m = cq_draft_alloc(s->form, sizeof *m);
  if (!m) return;
  *m = (mention){NULL, container, row, property, question};
  if (e->last)
    e->last->next = m;
  else
    e->first = m;
  e->last = m;
}

static entity *entity_named(entities *s, cq_str name) {
  for (size_t i = 0; i < s->count; i++) {
    if (cq_str_equal(s->all[i].list, name)) return &s->all[i];
  }
  return NULL;
}

/* "list#property" or "property" → its entity; NULL after a fault. */
static entity *saved_to(entities *s, const cq_element *q, cq_place place, cq_str *property) {
  cq_form_draft *form = s->form;
  const char *mark = memchr(q->save_to.at, '#', q->save_to.size);
  *property = q->save_to;
  if (!mark) {
    if (s->count == 1) return &s->all[0];
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.saveto.prefix", place, q->save_to, "list#property", (cq_str){"", 0});
    return NULL;
  }
  cq_str list = {q->save_to.at, (size_t)(mark - q->save_to.at)};
  *property = (cq_str){mark + 1, q->save_to.size - list.size - 1};
  if (memchr(property->at, '#', property->size)) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.saveto.marks", place, q->save_to, "list#property", (cq_str){"", 0});
    return NULL;
  }
  entity *e = entity_named(s, list);
  cq_str names[MAX_ENTITIES];
  for (size_t i = 0; i < s->count; i++) names[i] = s->all[i].list;
  if (!e) cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.saveto.list", place, list, NULL, cq_nearest(list, names, s->count));
  return e;
}

static bool word_is(cq_str text, const char *word) {
  size_t size = strlen(word);
  if (text.size != size) return false;
  for (size_t i = 0; i < size; i++) {
    if ((text.at[i] | 0x20) != word[i]) return false;
  }
  return true;
}

static void take_saveto(entities *s, cq_element *q) {
  cq_form_draft *form = s->form;
  cq_place place = cq_survey_place(form, q->row, q->save_to_column);
  cq_str property;
  if (s->count == 0) {
    cq_fault_error(form, "xlsform.saveto.noentity", place, q->save_to);
    return;
  }
  entity *e = saved_to(s, q, place, &property);
  if (!e) return;
  if (word_is(property, "name") || word_is(property, "label")) {
    cq_fault_error(form, "xlsform.saveto.reserved", place, property);
  } else if (cq_str_starts(property, CQ_STR("__")) || !cq_name_valid(property)) {
    cq_fault_error(form, "xlsform.name.characters", place, property);
  }
  for (const mention *m = e->first; m; m = m->next) {
    if (cq_str_equal(m->property, property)) cq_fault_error(form, "xlsform.saveto.twice", place, property);
  }
  cq_draft_attr(form, &q->bind, CQ_STR("entities:saveto"), property, q->save_to_column);
  note(s, e, q->parent, q->row, property, (cq_str){"", 0});
}

static void take_references(entities *s, entity *e) {
  cq_str texts[] = {e->id, e->create, e->update, e->label};
  for (size_t i = 0; i < 4; i++) {
    cq_reference r;
    for (size_t at = 0; cq_reference_next(texts[i], at, &r); at = r.end) {
      cq_element *q = cq_element_named(s->form, r.name);
      if (!q || !q->parent || r.last_saved) continue;
      bool met = false;
      for (const mention *m = e->first; m; m = m->next) met = met || cq_str_equal(m->question, r.name);
      if (!met)
        note(s, e, q->parent->kind == CQ_ELEMENT_META ? s->form->root : q->parent, q->row, (cq_str){"", 0}, r.name);
    }
  }
}

/* --- where each lives --- */

/* The nearest repeat at or above, else the form. */
static cq_element *scope_of(cq_element *container) {
  while (container->kind != CQ_ELEMENT_REPEAT && container->parent) container = container->parent;
  return container;
}

static int repeats_above(const cq_element *at) {
  int count = 0;
  for (; at; at = at->parent) count += at->kind == CQ_ELEMENT_REPEAT;
  return count;
}

static bool at_or_above(const cq_element *upper, const cq_element *at) {
  while (at && at != upper) at = at->parent;
  return at != NULL;
}

static cq_element *shared(cq_element *a, cq_element *b) {
  while (!at_or_above(a, b)) a = a->parent;
  return a;
}

static void conflict(entities *s, const entity *e, const mention *m) {
  if (m->property.size) {
    cq_place place = cq_survey_place(s->form, m->row, 0);
    cq_fault_between(s->form, CQ_XLSFORM_ERROR, "xlsform.saveto.scope", place, m->property, NULL, e->list);
  } else {
    cq_fault_between(s->form, CQ_XLSFORM_ERROR, "xlsform.entity.scope", place_at(s, e->row, e->label_column),
                     m->question, NULL, e->list);
  }
}

/* Decides the scope and the container an entity would like; faults where its mentions stand in repeats apart. */
static void wish(entities *s, entity *e) {
  e->scope = e->wanted = s->form->root;
  cq_element *deepest = NULL, *saved = NULL;
  for (const mention *m = e->first; m; m = m->next) {
    cq_element *scope = scope_of(m->container);
    if (repeats_above(scope) > repeats_above(e->scope)) e->scope = scope;
  }
  for (const mention *m = e->first; m; m = m->next) {
    if (!at_or_above(scope_of(m->container), e->scope)) conflict(s, e, m);
    if (scope_of(m->container) != e->scope && m->property.size) {
      if (at_or_above(scope_of(m->container), e->scope)) conflict(s, e, m);
      continue;
    }
    if (scope_of(m->container) != e->scope) continue;
    if (!deepest || m->container->depth > deepest->depth) deepest = m->container;
    if (m->property.size) saved = saved ? shared(saved, m->container) : m->container;
  }
  if (saved)
    e->wanted = at_or_above(e->scope, saved) ? saved : e->scope;
  else if (deepest)
    e->wanted = deepest;
}

/* Containers between where a property is saved and the entity's home belong to that entity: save_to looks upwards. */
static entity *reserved_by(entities *s, const cq_element *container) {
  for (size_t i = 0; i < s->count; i++) {
    entity *e = &s->all[i];
    if (!e->placed) continue;
    if (e->home == container) return e;
    for (const mention *m = e->first; m; m = m->next) {
      if (m->property.size && at_or_above(container, m->container) && at_or_above(e->home, container)) return e;
    }
  }
  return NULL;
}

static void place_entity(entities *s, entity *e) {
  const entity *other = NULL;
  for (cq_element *at = e->wanted; at; at = at->parent) {
    other = reserved_by(s, at);
    if (!other) {
      e->home = at;
      e->placed = true;
      return;
    }
    for (const mention *m = e->first; m; m = m->next) {
      if (m->property.size && reserved_by(s, m->container)) at = e->scope; /* its own questions are another's */
    }
    if (at == e->scope) break;
  }
  cq_fault_between(s->form, CQ_XLSFORM_ERROR, "xlsform.entity.place", place_at(s, e->row, e->list_column), e->list,
                   NULL, other ? other->list : (cq_str){"", 0});
}

/* --- what is written --- */

static cq_element *attribute(cq_form_draft *form, cq_element *node, const char *name, cq_str fixed, cq_str calculate,
                             int64_t column, bool bound) {
  cq_element *e = cq_element_add(form, node, CQ_ELEMENT_ATTRIBUTE, cq_str_from(name), 0);
  if (!e) return NULL;
  e->fixed = fixed;
  if (calculate.size) cq_draft_attr(form, &e->bind, CQ_STR("calculate"), calculate, column);
  if (bound) {
    cq_draft_attr(form, &e->bind, CQ_STR("type"), CQ_STR("string"), 0);
    cq_draft_attr(form, &e->bind, CQ_STR("readonly"), CQ_STR("true()"), 0);
  }
  return e;
}

/* Where their faults are told. */
static void set_rows(cq_element *node, int64_t row) {
  for (cq_element *child = node->first; child; child = child->next) child->row = row;
}

static void write_entity(entities *s, entity *e, cq_element *meta) {
  cq_form_draft *form = s->form;
  cq_str none = {"", 0}, one = CQ_STR("1");
  cq_element *node = cq_element_add(form, meta, CQ_ELEMENT_ENTITY, CQ_STR("entity"), 0);
  if (!node) return;
  node->entity_list = e->list;
  attribute(form, node, "dataset", e->list, none, 0, false);
  if (!e->id.size || e->create.size) attribute(form, node, "create", one, e->create, e->create_column, e->create.size);
  if (e->id.size) {
    static const char *const names[][2] = {
        {"baseVersion", "__version"}, {"trunkVersion", "__trunkVersion"}, {"branchId", "__branchId"}};
    attribute(form, node, "update", one, e->update, e->update_column, e->update.size);
    for (int i = 0; i < 3; i++) {
      cq_str path = cq_draft_format(form, "instance('%.*s')/root/item[name=%.*s]/%s", (int)e->list.size, e->list.at,
                                    (int)e->id.size, e->id.at, names[i][1]);
      attribute(form, node, names[i][0], none, path, e->id_column, true);
    }
  }
  cq_element *id = attribute(form, node, "id", none, e->id, e->id_column, true);
  if (id && !e->id.size) {
    cq_add_action(form, id, "setvalue", "odk-instance-first-load", CQ_STR("uuid()"), none);
    if (repeats_above(e->home)) cq_add_action(form, id, "setvalue", "odk-new-repeat", CQ_STR("uuid()"), none);
  }
  cq_element *label = e->label.size ? cq_element_add(form, node, CQ_ELEMENT_QUESTION, CQ_STR("label"), 0) : NULL;
  if (label) {
    label->type = cq_type_of(CQ_STR("calculate"));
    cq_draft_attr(form, &label->bind, CQ_STR("calculate"), e->label, e->label_column);
    cq_draft_attr(form, &label->bind, CQ_STR("readonly"), CQ_STR("true()"), 0);
  }
  set_rows(node, e->row);
}

static cq_element *meta_of(cq_form_draft *form, cq_element *home) {
  if (home == form->root) return form->meta;
  return cq_element_add(form, home, CQ_ELEMENT_META, CQ_STR("meta"), 0);
}

static bool list_is_instance(const cq_form_draft *form, cq_str name) {
  for (const cq_instance *i = form->instances; i; i = i->next) {
    if (cq_str_equal(i->id, name)) return true;
  }
  return cq_list_named(form, name) != NULL;
}

void cq_read_entities(cq_form_draft *form) {
  entities *s = calloc(1, sizeof *s);
  if (!s) {
    form->no_memory = true;
    return;
  }
  s->form = form;
  read_sheet(s);
  for (cq_element *q = form->root; q; q = cq_element_next(form->root, q)) {
    if (q->kind == CQ_ELEMENT_QUESTION && q->save_to.size) take_saveto(s, q);
  }
  bool repeated = false;
  for (size_t i = 0; i < s->count; i++) {
    entity *e = &s->all[i];
    take_references(s, e);
    wish(s, e);
    if (e->id.size && e->list.size && !list_is_instance(form, e->list)) {
      cq_fault_error(form, "xlsform.entity.instance", place_at(s, e->row, e->list_column), e->list);
    }
    repeated = repeated || e->scope != form->root;
  }
  if (s->count == 1 && !repeated) s->all[0].wanted = form->root; /* as 2024.1 has it */
  for (size_t i = 0; i < s->count; i++) place_entity(s, &s->all[i]);
  for (size_t i = 0; i < s->count; i++) {
    cq_element *meta = s->all[i].placed ? meta_of(form, s->all[i].home) : NULL;
    if (meta) write_entity(s, &s->all[i], meta);
  }
  form->entity_count = s->count;
  if (s->count) form->entity_version = s->count > 1 || repeated ? "2025.1.0" : "2024.1.0";
  free(s);
}
