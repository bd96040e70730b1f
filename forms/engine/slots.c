/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of the record and its slots: made from the form, or from a saved record along the form. */
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

static cq_status make(cq_interview *interview, cq_slot *parent, uint32_t field, const cq_node *model,
                      const cq_node *saved, cq_node *before, cq_slot **out, cq_error *error);

static const cq_field_definition *definition(const cq_interview *interview, uint32_t field) {
  return &interview->form->definitions[field];
}

/* --- finding --- */

cq_slot *cq_slots_child(const cq_interview *interview, const cq_slot *slot, uint32_t field) {
  const cq_field_definition *d = definition(interview, field);
  return slot->kids == NULL || d->multiple ? NULL : slot->kids[d->ordinal].slot;
}

cq_row *cq_slots_row(const cq_interview *interview, const cq_slot *slot, uint32_t field) {
  const cq_field_definition *d = definition(interview, field);
  return slot->kids == NULL || !d->multiple ? NULL : slot->kids[d->ordinal].row;
}

cq_slot *cq_slots_up(cq_slot *slot, uint32_t field) {
  while (slot != NULL && slot->field != field) slot = slot->parent;
  return slot;
}

cq_slot *cq_slots_near(const cq_interview *interview, const cq_slot *from, uint32_t field) {
  const cq_slot *at = from;
  while (at != NULL && !cq_fields_is_below(interview->form, field, at->field)) at = at->parent;
  if (at == NULL) return NULL;
  uint32_t chain[CQ_FORM_MAX_DEPTH + 2];
  size_t count = 0;
  for (uint32_t f = field; f != at->field; f = definition(interview, f)->parent) chain[count++] = f;
  while (count > 0 && at != NULL) {
    uint32_t f = chain[--count];
    if (definition(interview, f)->multiple) {
      const cq_row *row = cq_slots_row(interview, at, f);
      at = row == NULL || row->count == 0 ? NULL : row->at[0];
    } else {
      at = cq_slots_child(interview, at, f);
    }
  }
  return (cq_slot *)(uintptr_t)at;
}

cq_str cq_slot_text(const cq_slot *slot) {
  return slot == NULL || !slot->relevant ? (cq_str){NULL, 0} : cq_node_text(slot->node);
}

void cq_slots_each(const cq_interview *interview, cq_slot *slot, void (*call)(cq_interview *, cq_slot *)) {
  call((cq_interview *)(uintptr_t)interview, slot);
  if (slot->kids == NULL) return;
  for (uint32_t i = definition(interview, slot->field)->first; i != CQ_NONE; i = definition(interview, i)->next) {
    const cq_field_definition *d = definition(interview, i);
    cq_kid kid = slot->kids[d->ordinal];
    if (!d->multiple) {
      if (kid.slot != NULL) cq_slots_each(interview, kid.slot, call);
      continue;
    }
    for (uint32_t j = 0; kid.row != NULL && j < kid.row->count; j++) cq_slots_each(interview, kid.row->at[j], call);
  }
}

/* --- making --- */

static bool is_template(const cq_interview *interview, const cq_node *model) {
  return cq_node_attribute(model, interview->form->words.template_, interview->form->words.javarosa) != NULL;
}

static bool row_room(cq_interview *interview, cq_row *row) {
  if (row->count < row->capacity) return true;
  uint32_t capacity = row->capacity == 0 ? 4 : row->capacity * 2;
  cq_slot **at = cq_arena_array(interview->arena, capacity, sizeof *at);
  if (at == NULL) return false;
  if (row->count > 0) memcpy(at, row->at, row->count * sizeof *at);
  row->at = at;
  row->capacity = capacity;
  return true;
}

static cq_slot *new_slot(cq_interview *interview, cq_slot *parent, uint32_t field, cq_node *node) {
  const cq_field_definition *d = definition(interview, field);
  cq_slot *slot = cq_arena_alloc(interview->arena, sizeof *slot);
  if (slot == NULL) return NULL;
  *slot = (cq_slot){.node = node, .parent = parent, .field = field};
  slot->own = d->relevant.constant != CQ_CONSTANT_FALSE;
  slot->relevant = slot->own && (parent == NULL || parent->relevant);
  slot->handle = cq_entries_add(interview, slot, NULL);
  node->user = slot;
  node->irrelevant = !slot->relevant;
  if (d->child_count > 0) {
    slot->kids = cq_arena_array(interview->arena, d->child_count, sizeof *slot->kids);
    if (slot->kids == NULL) return NULL;
    for (uint32_t i = d->first; i != CQ_NONE; i = definition(interview, i)->next) {
      const cq_field_definition *child = definition(interview, i);
      if (!child->multiple) continue;
      cq_row *row = cq_arena_alloc(interview->arena, sizeof *row);
      if (row == NULL) return NULL;
      *row = (cq_row){.parent = slot, .field = i};
      row->handle = cq_entries_add(interview, NULL, row);
      slot->kids[child->ordinal].row = row;
    }
  }
  return slot->handle == CQ_ENTRY_NONE ? NULL : slot;
}

/* What is to be calculated in a new slot waits from now on. */
static void enqueue(cq_interview *interview, cq_slot *slot) {
  const cq_field_definition *d = definition(interview, slot->field);
  if (d->relevant.expression != NULL && d->relevant.constant == CQ_CONSTANT_NO) cq_settle_relevance(interview, slot);
  if (d->calculate != NULL) cq_settle_value(interview, slot);
  for (uint32_t i = d->first; i != CQ_NONE && slot->kids != NULL; i = definition(interview, i)->next)
    if (definition(interview, i)->multiple)
      cq_settle_count(interview, slot->kids[definition(interview, i)->ordinal].row);
}

static cq_status add_attributes(cq_interview *interview, cq_slot *slot, const cq_node *model, const cq_node *saved,
                                cq_error *error) {
  const cq_form *form = interview->form;
  for (const cq_node *a = model->attributes; a != NULL; a = a->next) {
    if (a->kind == CQ_NODE_NAMESPACE) {
      if (a->local != CQ_ATOM_NONE && cq_tree_declare(interview->tree, slot->node, a->local, a->space) == NULL)
        return cq_entries_nomem(interview, error);
      continue;
    }
    if (a->space == form->words.javarosa) continue;
    const cq_node *old = saved == NULL || slot->parent == NULL ? NULL : cq_node_attribute(saved, a->local, a->space);
    cq_node *node = cq_tree_attribute(interview->tree, slot->node, a->local, a->prefix, a->space,
                                      cq_node_text(old == NULL ? a : old));
    if (node == NULL) return cq_entries_nomem(interview, error);
    uint32_t field = cq_fields_child(form, slot->field, a->local, a->prefix == CQ_ATOM_NONE ? 0 : a->space, true);
    if (field == CQ_NONE || slot->kids == NULL) continue;
    cq_slot *child = new_slot(interview, slot, field, node);
    if (child == NULL) return cq_entries_nomem(interview, error);
    child->saved = old != NULL;
    slot->kids[definition(interview, field)->ordinal].slot = child;
    enqueue(interview, child);
  }
  return CQ_OK;
}

static cq_status append_instance(cq_interview *interview, cq_row *row, const cq_node *model, const cq_node *saved,
                                 cq_error *error) {
  if (row->count >= CQ_FORM_MAX_REPEATS) return cq_error_set(error, CQ_LIMIT, "forms.limit.repeats", NULL);
  if (!row_room(interview, row)) return cq_entries_nomem(interview, error);
  cq_slot *slot = NULL;
  cq_status status = make(interview, row->parent, row->field, model, saved, NULL, &slot, error);
  if (status != CQ_OK) return status;
  slot->row = row;
  slot->index = row->count;
  row->at[row->count++] = slot;
  return CQ_OK;
}

static const cq_node *saved_child(const cq_node *saved, const cq_node *model) {
  for (const cq_node *n = saved == NULL ? NULL : saved->first; n != NULL; n = n->next)
    if (n->kind == CQ_NODE_ELEMENT && n->local == model->local &&
        (n->prefix == model->prefix || (n->prefix != CQ_ATOM_NONE && n->space == model->space)))
      return n;
  return NULL;
}

/* The instances of a multiple field: those of the saved record, else those of the form. */
static cq_status make_row(cq_interview *interview, cq_slot *slot, uint32_t field, const cq_node *model,
                          const cq_node *saved, cq_error *error) {
  cq_row *row = slot->kids[definition(interview, field)->ordinal].row;
  if (saved == NULL) return is_template(interview, model) ? CQ_OK : append_instance(interview, row, model, NULL, error);
  if (row->count > 0) return CQ_OK; /* made when the first of them was met */
  for (const cq_node *n = saved_child(saved, model); n != NULL; n = cq_node_next_same(n)) {
    cq_status status = append_instance(interview, row, definition(interview, field)->model, n, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

static cq_status add_children(cq_interview *interview, cq_slot *slot, const cq_node *model, const cq_node *saved,
                              cq_error *error) {
  const cq_form *form = interview->form;
  for (const cq_node *child = model->first; child != NULL; child = child->next) {
    if (child->kind != CQ_NODE_ELEMENT) continue;
    uint32_t field =
        cq_fields_child(form, slot->field, child->local, child->prefix == CQ_ATOM_NONE ? 0 : child->space, false);
    cq_status status;
    if (form->definitions[field].multiple) {
      status = make_row(interview, slot, field, child, saved, error);
    } else {
      cq_kid *kid = &slot->kids[form->definitions[field].ordinal];
      status = make(interview, slot, field, child, saved_child(saved, child), NULL, &kid->slot, error);
    }
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

static cq_status set_default(cq_interview *interview, cq_slot *slot, cq_str text, cq_error *error) {
  const cq_form *form = interview->form;
  cq_str normal = text;
  if (text.size > CQ_FORM_MAX_VALUE) return cq_error_set(error, CQ_LIMIT, "forms.limit.value", NULL);
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  if (!cq_value_normalize(form->fields[slot->field].type, text, true, interview->scratch, &normal))
    normal = text; /* what a record holds is kept as it is */
  cq_status status = normal.size == 0 ? CQ_OK : cq_tree_set_text(interview->tree, slot->node, normal);
  cq_arena_rewind(interview->scratch, mark);
  return status == CQ_OK ? CQ_OK : cq_entries_nomem(interview, error);
}

static cq_status make(cq_interview *interview, cq_slot *parent, uint32_t field, const cq_node *model,
                      const cq_node *saved, cq_node *before, cq_slot **out, cq_error *error) {
  *out = NULL;
  if (++interview->node_count > CQ_FORM_MAX_NODES) return cq_error_set(error, CQ_LIMIT, "forms.limit.nodes", NULL);
  cq_node *above = parent == NULL ? cq_tree_document(interview->tree) : parent->node;
  cq_node *node = cq_tree_element(interview->tree, above, before, model->local, model->prefix, model->space);
  cq_slot *slot = node == NULL ? NULL : new_slot(interview, parent, field, node);
  if (slot == NULL) return cq_entries_nomem(interview, error);
  *out = slot;
  slot->saved = saved != NULL;
  cq_status status = add_attributes(interview, slot, model, saved, error);
  bool leaf = interview->form->fields[field].children == 0;
  if (status == CQ_OK && leaf)
    status = set_default(interview, slot, cq_node_text(saved == NULL ? model : saved), error);
  else if (status == CQ_OK)
    status = add_children(interview, slot, model, saved, error);
  enqueue(interview, slot);
  return status;
}

cq_status cq_slots_build(cq_interview *interview, const cq_node *saved, cq_error *error) {
  return make(interview, NULL, 0, interview->form->primary, saved, NULL, &interview->root, error);
}

/* --- adding and removing instances --- */

/* Where an instance at `index` of a row goes in the tree: before this node, NULL at the end. */
static cq_node *node_after(const cq_interview *interview, const cq_row *row, uint32_t index) {
  if (index < row->count) return row->at[index]->node;
  for (uint32_t i = definition(interview, row->field)->next; i != CQ_NONE; i = definition(interview, i)->next) {
    const cq_field_definition *d = definition(interview, i);
    cq_kid kid = row->parent->kids[d->ordinal];
    if (d->is_attribute) continue;
    if (d->multiple ? kid.row->count > 0 : kid.slot != NULL) return d->multiple ? kid.row->at[0]->node : kid.slot->node;
  }
  return NULL;
}

static void renumber(cq_row *row, uint32_t from) {
  for (uint32_t i = from; i < row->count; i++) row->at[i]->index = i;
}

static void wake(cq_interview *interview, cq_slot *slot) {
  slot->gone = false;
  enqueue(interview, slot);
}

static void tell_readers(cq_interview *interview, cq_slot *slot) {
  cq_settle_readers(interview, slot, true);
}

/* A count that grows again gives back what it took away. */
static cq_slot *take_kept(cq_interview *interview, cq_row *row, uint32_t index) {
  if (row->kept_count == 0 || index != row->count) return NULL;
  cq_slot *slot = row->kept[--row->kept_count];
  cq_tree_attach(interview->tree, row->parent->node, node_after(interview, row, index), slot->node);
  slot->relevant = !(row->parent->relevant && slot->own); /* so that what follows settles it anew */
  return slot;
}

static void refresh_relevance(cq_interview *interview, cq_slot *slot) {
  (void)interview;
  slot->relevant = slot->own && (slot->parent == NULL || slot->parent->relevant);
  slot->node->irrelevant = !slot->relevant;
}

cq_status cq_slots_insert(cq_interview *interview, cq_row *row, uint32_t index, cq_slot **instance, cq_error *error) {
  if (row->count >= CQ_FORM_MAX_REPEATS) return cq_error_set(error, CQ_LIMIT, "forms.limit.repeats", NULL);
  if (!row_room(interview, row)) return cq_entries_nomem(interview, error);
  cq_slot *slot = take_kept(interview, row, index);
  cq_status status = CQ_OK;
  if (slot != NULL) {
    cq_slots_each(interview, slot, wake);
    cq_slots_each(interview, slot, refresh_relevance);
  } else {
    status = make(interview, row->parent, row->field, definition(interview, row->field)->model, NULL,
                  node_after(interview, row, index), &slot, error);
  }
  if (slot == NULL) return status;
  memmove(row->at + index + 1, row->at + index, (row->count - index) * sizeof(cq_slot *));
  row->at[index] = slot;
  row->count++;
  slot->row = row;
  renumber(row, index);
  cq_slots_each(interview, slot, tell_readers);
  cq_settle_places(interview, row, index + 1);
  *instance = slot;
  return status;
}

static void bury(cq_interview *interview, cq_slot *slot) {
  slot->gone = true;
  interview->entries[slot->handle] = (cq_entry_place){0};
  for (uint32_t i = definition(interview, slot->field)->first; i != CQ_NONE && slot->kids != NULL;
       i = definition(interview, i)->next)
    if (definition(interview, i)->multiple)
      interview->entries[slot->kids[definition(interview, i)->ordinal].row->handle] = (cq_entry_place){0};
  interview->node_count--;
}

static void hide(cq_interview *interview, cq_slot *slot) {
  (void)interview;
  slot->gone = true;
}

static bool keep_instance(cq_interview *interview, cq_row *row, cq_slot *instance) {
  if (row->kept_count == row->kept_capacity) {
    uint32_t capacity = row->kept_capacity == 0 ? 4 : row->kept_capacity * 2;
    cq_slot **kept = cq_arena_array(interview->arena, capacity, sizeof *kept);
    if (kept == NULL) return false;
    if (row->kept_count > 0) memcpy(kept, row->kept, row->kept_count * sizeof *kept);
    row->kept = kept;
    row->kept_capacity = capacity;
  }
  row->kept[row->kept_count++] = instance;
  return true;
}

void cq_slots_remove(cq_interview *interview, cq_slot *instance, bool keep) {
  cq_row *row = instance->row;
  uint32_t index = instance->index;
  cq_slots_each(interview, instance, tell_readers);
  memmove(row->at + index, row->at + index + 1, (row->count - index - 1) * sizeof(cq_slot *));
  row->count--;
  renumber(row, index);
  if (keep && keep_instance(interview, row, instance)) {
    cq_slots_each(interview, instance, hide);
    cq_tree_detach(interview->tree, instance->node);
  } else {
    cq_slots_each(interview, instance, bury);
    cq_tree_remove(interview->tree, instance->node);
  }
  cq_settle_places(interview, row, index);
}
