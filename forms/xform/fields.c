/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: the primary instance, each name once in its place. Several nodes of
 * one name (instances of a repeat as defaults, or plain doubles) are one field.
 */
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

/* Found in any order, numbered in document order afterwards. */
typedef struct draft {
  cq_atom local, prefix, space;
  bool is_attribute, multiple, has_template;
  uint32_t parent, first, last, next;
  const cq_node *model;
  const cq_node *seen_in; /* the element that last held one */
} draft;

typedef struct drafts {
  cq_form *form;
  draft *at;
  uint32_t count, capacity;
  uint32_t *table; /* by parent, name: index + 1 */
  size_t table_capacity;
  bool nomem, many, deep;
} drafts;

/* A name without a prefix is known by its local part in whatever default namespace. */
static cq_atom space_key(cq_atom prefix, cq_atom space) {
  return prefix == CQ_ATOM_NONE ? CQ_ATOM_NONE : space;
}

static size_t hash_child(uint32_t parent, cq_atom local, cq_atom key, bool is_attribute) {
  uint64_t hash = ((uint64_t)parent << 32 | local) * 0x9E3779B97F4A7C15ULL;
  hash ^= ((uint64_t)key << 1 | (is_attribute ? 1U : 0U)) * 0xC2B2AE3D27D4EB4FULL;
  return (size_t)(hash ^ (hash >> 31));
}

static uint32_t *draft_place(const drafts *all, uint32_t parent, cq_atom local, cq_atom key, bool is_attribute) {
  size_t mask = all->table_capacity - 1;
  size_t i = hash_child(parent, local, key, is_attribute) & mask;
  while (all->table[i] != 0) {
    const draft *d = &all->at[all->table[i] - 1];
    if (d->parent == parent && d->local == local && space_key(d->prefix, d->space) == key &&
        d->is_attribute == is_attribute)
      break;
    i = (i + 1) & mask;
  }
  return &all->table[i];
}

static bool drafts_grow(drafts *all) {
  if (all->count < all->capacity) return true;
  uint32_t capacity = all->capacity == 0 ? 128 : all->capacity * 2;
  draft *at = realloc(all->at, capacity * sizeof *at);
  if (at == NULL) return false;
  memset(at + all->capacity, 0, (capacity - all->capacity) * sizeof *at);
  all->at = at;
  all->capacity = capacity;
  free(all->table);
  all->table_capacity = (size_t)capacity * 4;
  all->table = calloc(all->table_capacity, sizeof *all->table);
  if (all->table == NULL) return false;
  for (uint32_t i = 0; i < all->count; i++) {
    const draft *d = &at[i];
    *draft_place(all, d->parent, d->local, space_key(d->prefix, d->space), d->is_attribute) = i + 1;
  }
  return true;
}

/* The draft of that name below `parent`, made where there is none; CQ_NONE: refused, see `all`. */
static uint32_t draft_of(drafts *all, uint32_t parent, const cq_node *node, bool is_attribute, bool *fresh) {
  *fresh = false;
  if (!drafts_grow(all)) {
    all->nomem = true;
    return CQ_NONE;
  }
  uint32_t *place = draft_place(all, parent, node->local, space_key(node->prefix, node->space), is_attribute);
  if (*place != 0) return *place - 1;
  if (all->count >= CQ_FORM_MAX_FIELDS) {
    all->many = true;
    return CQ_NONE;
  }
  uint32_t index = all->count++;
  *place = index + 1;
  draft *d = &all->at[index];
  *d = (draft){.local = node->local,
               .prefix = node->prefix,
               .space = node->space,
               .is_attribute = is_attribute,
               .parent = parent,
               .first = CQ_NONE,
               .last = CQ_NONE,
               .next = CQ_NONE,
               .model = node};
  if (parent != CQ_NONE) {
    draft *p = &all->at[parent];
    if (p->last == CQ_NONE)
      p->first = index;
    else
      all->at[p->last].next = index;
    p->last = index;
  }
  *fresh = true;
  return index;
}

static bool is_field_attribute(const cq_form *form, const cq_node *attribute) {
  return attribute->kind == CQ_NODE_ATTRIBUTE && attribute->space != form->words.javarosa &&
         attribute->local != form->words.xmlns;
}

static void gather(drafts *all, uint32_t index, const cq_node *element, unsigned depth) {
  const cq_form *form = all->form;
  bool fresh;
  if (depth > CQ_FORM_MAX_DEPTH) {
    all->deep = true;
    return;
  }
  if (depth > 0)
    for (const cq_node *a = element->attributes; a != NULL; a = a->next)
      if (is_field_attribute(form, a)) (void)draft_of(all, index, a, true, &fresh);
  for (const cq_node *child = element->first; child != NULL; child = child->next) {
    if (child->kind != CQ_NODE_ELEMENT) continue;
    uint32_t found = draft_of(all, index, child, false, &fresh);
    if (found == CQ_NONE) return;
    bool is_template = cq_node_attribute(child, form->words.template_, form->words.javarosa) != NULL;
    draft *d = &all->at[found];
    if (is_template && !d->has_template) {
      d->has_template = true;
      d->multiple = true;
      d->model = child;
    } else if (d->seen_in == element) { /* twice in one parent: a second instance of the parent says nothing */
      d->multiple = true;
    }
    d->seen_in = element;
    gather(all, found, child, depth + 1);
    if (all->nomem || all->many || all->deep) return;
  }
}

/* --- from drafts to fields in document order --- */

static cq_status name_path(cq_form *form, uint32_t index, cq_error *error) {
  cq_field_definition *d = &form->definitions[index];
  cq_field *field = &form->fields[index];
  cq_str local = cq_names_text(form->names, d->local);
  cq_str prefix = cq_names_text(form->names, d->prefix);
  cq_buf name = {0};
  if (d->is_attribute) cq_buf_add_char(&name, '@');
  if (prefix.size > 0) {
    cq_buf_add_str(&name, prefix);
    cq_buf_add_char(&name, ':');
  }
  cq_buf_add_str(&name, local);
  cq_buf path = {0};
  if (d->parent != CQ_NONE) cq_buf_add_str(&path, form->fields[d->parent].path);
  cq_buf_add_char(&path, '/');
  cq_buf_add_str(&path, cq_buf_str(&name));
  field->name = cq_arena_copy(form->arena, cq_buf_str(&name));
  field->path = cq_arena_copy(form->arena, cq_buf_str(&path));
  bool failed = name.failed || path.failed || field->name.at == NULL || field->path.at == NULL;
  cq_buf_fini(&name);
  cq_buf_fini(&path);
  return failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status emit(cq_form *form, const drafts *all, uint32_t from, uint32_t parent, uint32_t ordinal,
                      cq_error *error) {
  const draft *source = &all->at[from];
  uint32_t index = form->field_count++;
  cq_field_definition *d = &form->definitions[index];
  *d = (cq_field_definition){.local = source->local,
                             .prefix = source->prefix,
                             .space = source->space,
                             .is_attribute = source->is_attribute,
                             .multiple = source->multiple,
                             .has_template = source->has_template,
                             .parent = parent,
                             .first = CQ_NONE,
                             .next = CQ_NONE,
                             .ordinal = ordinal,
                             .depth = parent == CQ_NONE ? 0 : form->definitions[parent].depth + 1,
                             .model = source->model,
                             .control = CQ_NONE,
                             .first_action = CQ_NONE};
  cq_field *field = &form->fields[index];
  *field = (cq_field){.index = index,
                      .parent = parent == CQ_NONE ? CQ_FIELD_NONE : parent,
                      .repeat = CQ_FIELD_NONE,
                      .is_attribute = source->is_attribute,
                      .missing_of = CQ_FIELD_NONE,
                      .missing_at = CQ_FIELD_NONE};
  cq_status status = name_path(form, index, error);
  uint32_t count = 0, last = CQ_NONE;
  for (uint32_t child = source->first; child != CQ_NONE && status == CQ_OK; child = all->at[child].next) {
    uint32_t at = form->field_count;
    if (last == CQ_NONE)
      d->first = at;
    else
      form->definitions[last].next = at;
    last = at;
    if (!all->at[child].is_attribute) field->children++;
    status = emit(form, all, child, index, count++, error);
  }
  d->child_count = count;
  d->descendants = form->field_count - index - 1;
  return status;
}

static void index_fields(cq_form *form) {
  size_t mask = form->by_path_capacity - 1;
  for (uint32_t i = 0; i < form->field_count; i++) {
    const cq_field_definition *d = &form->definitions[i];
    size_t at = hash_child(d->parent, d->local, space_key(d->prefix, d->space), d->is_attribute) & mask;
    while (form->by_path[at] != CQ_NONE) at = (at + 1) & mask;
    form->by_path[at] = i;
  }
}

static cq_status tables(cq_form *form, uint32_t count, cq_error *error) {
  form->field_capacity = count;
  form->fields = calloc((size_t)count + 1, sizeof *form->fields);
  form->definitions = calloc((size_t)count + 1, sizeof *form->definitions);
  form->by_path_capacity = 64;
  while (form->by_path_capacity < (size_t)count * 2) form->by_path_capacity *= 2;
  size_t bytes = form->by_path_capacity * sizeof(uint32_t);
  form->by_path = malloc(bytes);
  if (form->fields == NULL || form->definitions == NULL || form->by_path == NULL) return cq_error_nomem(error);
  memset(form->by_path, 0xFF, bytes);
  return CQ_OK;
}

static void find_meta(cq_form *form) {
  const cq_words *w = &form->words;
  form->meta = form->instance_id = form->instance_name = form->deprecated_id = CQ_NONE;
  for (uint32_t i = form->definitions[0].first; i != CQ_NONE; i = form->definitions[i].next)
    if (form->definitions[i].local == w->meta && !form->definitions[i].is_attribute) form->meta = i;
  if (form->meta == CQ_NONE) return;
  for (uint32_t i = form->meta; i <= form->meta + form->definitions[form->meta].descendants; i++) {
    form->fields[i].is_meta = true;
    if (form->definitions[i].parent != form->meta) continue;
    if (form->definitions[i].local == w->instance_id)
      form->instance_id = i;
    else if (form->definitions[i].local == w->instance_name)
      form->instance_name = i;
    else if (form->definitions[i].local == w->deprecated_id)
      form->deprecated_id = i;
  }
}

cq_status cq_fields_load(cq_form *form, cq_error *error) {
  drafts all = {.form = form};
  bool fresh;
  uint32_t root = draft_of(&all, CQ_NONE, form->primary, false, &fresh);
  if (root != CQ_NONE) gather(&all, root, form->primary, 0);
  cq_status status = CQ_OK;
  if (all.nomem)
    status = cq_error_nomem(error);
  else if (all.many)
    status = cq_error_set(error, CQ_LIMIT, "forms.limit.fields", NULL);
  else if (all.deep)
    status = cq_error_set(error, CQ_LIMIT, "forms.limit.depth", NULL);
  else
    status = tables(form, all.count, error);
  if (status == CQ_OK) status = emit(form, &all, root, CQ_NONE, 0, error);
  if (status == CQ_OK) {
    index_fields(form);
    find_meta(form);
  }
  free(all.at);
  free(all.table);
  return status;
}

/* --- finding --- */

uint32_t cq_fields_child(const cq_form *form, uint32_t field, cq_atom local, cq_atom space, bool attribute) {
  size_t mask = form->by_path_capacity - 1;
  size_t at = hash_child(field, local, space, attribute) & mask;
  for (; form->by_path[at] != CQ_NONE; at = (at + 1) & mask) {
    const cq_field_definition *d = &form->definitions[form->by_path[at]];
    if (d->parent == field && d->local == local && d->is_attribute == attribute &&
        space_key(d->prefix, d->space) == space)
      return form->by_path[at];
  }
  return CQ_NONE;
}

bool cq_fields_is_below(const cq_form *form, uint32_t field, uint32_t ancestor) {
  return field >= ancestor && field <= ancestor + form->definitions[ancestor].descendants;
}

/* "orx:meta" or "meta" or "@id" below `field`. */
static uint32_t step_down(const cq_form *form, uint32_t field, cq_str step) {
  bool attribute = step.size > 0 && step.at[0] == '@';
  if (attribute) step = (cq_str){step.at + 1, step.size - 1};
  cq_atom space = CQ_ATOM_NONE;
  const char *colon = memchr(step.at, ':', step.size);
  if (colon != NULL) {
    cq_str prefix = {step.at, (size_t)(colon - step.at)};
    cq_str uri = {NULL, 0};
    for (size_t i = 0; i < form->space_count; i++)
      if (cq_str_equal(form->spaces[i].prefix, prefix)) uri = form->spaces[i].uri;
    space = cq_names_find(form->names, uri);
    step = (cq_str){colon + 1, step.size - prefix.size - 1};
  }
  cq_atom local = cq_names_find(form->names, step);
  if (local == CQ_ATOM_FAILED || space == CQ_ATOM_FAILED) return CQ_NONE;
  return cq_fields_child(form, field, local, space, attribute);
}

uint32_t cq_fields_resolve(const cq_form *form, cq_str path, uint32_t from) {
  path = cq_str_trim(path);
  if (path.size == 0) return CQ_NONE;
  uint32_t at = from;
  bool top = false;
  if (path.at[0] == '/') {
    at = CQ_NONE;
    top = true;
    path = (cq_str){path.at + 1, path.size - 1};
  }
  while (path.size > 0) {
    const char *slash = memchr(path.at, '/', path.size);
    cq_str step = cq_str_trim((cq_str){path.at, slash == NULL ? path.size : (size_t)(slash - path.at)});
    size_t used = slash == NULL ? path.size : (size_t)(slash - path.at) + 1;
    path = (cq_str){path.at + used, path.size - used};
    if (step.size == 0 || memchr(step.at, '[', step.size) != NULL) return CQ_NONE;
    if (cq_str_is(step, ".")) continue;
    if (cq_str_is(step, "..")) {
      if (at == CQ_NONE) return CQ_NONE;
      at = form->definitions[at].parent;
      continue;
    }
    if (at == CQ_NONE && !top && from != CQ_NONE) top = true; /* climbed above the root element */
    at = step_down(form, at, step);
    if (at == CQ_NONE) return CQ_NONE;
  }
  return at;
}

uint32_t cq_fields_of_model(const cq_form *form, const cq_node *node) {
  if (node == form->primary) return 0;
  if (node == NULL || node->parent == NULL || node->parent->kind != CQ_NODE_ELEMENT) return CQ_NONE;
  uint32_t parent = cq_fields_of_model(form, node->parent);
  if (parent == CQ_NONE) return CQ_NONE;
  return cq_fields_child(form, parent, node->local, space_key(node->prefix, node->space),
                         node->kind == CQ_NODE_ATTRIBUTE);
}

const cq_field *cq_form_find(const cq_form *form, cq_str name) {
  if (name.size > 0 && name.at[0] == '/') {
    cq_buf plain = {0}; /* positions are passed over */
    for (size_t i = 0; i < name.size; i++) {
      if (name.at[i] == '[')
        while (i + 1 < name.size && name.at[i] != ']') i++;
      else
        cq_buf_add_char(&plain, name.at[i]);
    }
    uint32_t found = plain.failed ? CQ_NONE : cq_fields_resolve(form, cq_buf_str(&plain), CQ_NONE);
    cq_buf_fini(&plain);
    return found == CQ_NONE ? NULL : &form->fields[found];
  }
  cq_atom local = cq_names_find(form->names, name);
  if (local == CQ_ATOM_FAILED) return NULL;
  const cq_field *only = NULL;
  for (uint32_t i = 0; i < form->field_count; i++)
    if (form->definitions[i].local == local && !form->definitions[i].is_attribute) {
      if (only != NULL) return NULL;
      only = &form->fields[i];
    }
  return only;
}
