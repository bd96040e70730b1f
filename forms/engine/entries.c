/* SPDX-License-Identifier: Apache-2.0 */
/* Handles, refs and states of an interview's nodes. */
#include "forms/engine/interview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cq_status cq_entries_nomem(const cq_interview *interview, cq_error *error) {
  bool full = cq_arena_full(interview->arena) || cq_arena_full(interview->scratch) || cq_tree_full(interview->tree);
  return full ? cq_error_set(error, CQ_LIMIT, "forms.limit.memory", NULL) : cq_error_nomem(error);
}

cq_entry cq_entries_add(cq_interview *interview, cq_slot *slot, cq_row *row) {
  if (interview->entry_count == interview->entry_capacity) {
    size_t capacity = interview->entry_capacity == 0 ? 256 : interview->entry_capacity * 2;
    cq_entry_place *entries = realloc(interview->entries, capacity * sizeof *entries);
    if (entries == NULL) return CQ_ENTRY_NONE;
    interview->entries = entries;
    interview->entry_capacity = capacity;
  }
  if (interview->entry_count == 0)
    interview->entries[interview->entry_count++] = (cq_entry_place){0}; /* CQ_ENTRY_NONE */
  if (interview->entry_count > UINT32_MAX - 1) return CQ_ENTRY_NONE;
  interview->entries[interview->entry_count] = (cq_entry_place){slot, row};
  return (cq_entry)interview->entry_count++;
}

cq_slot *cq_entries_slot(const cq_interview *interview, cq_entry entry) {
  if (entry == CQ_ENTRY_NONE || entry >= interview->entry_count) return NULL;
  cq_slot *slot = interview->entries[entry].slot;
  return slot == NULL || slot->gone ? NULL : slot;
}

cq_row *cq_entries_row(const cq_interview *interview, cq_entry entry) {
  if (entry == CQ_ENTRY_NONE || entry >= interview->entry_count) return NULL;
  cq_row *row = interview->entries[entry].row;
  return row == NULL || row->parent->gone ? NULL : row;
}

bool cq_slot_list_add(cq_interview *interview, cq_slot_list *list, cq_slot *slot) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
    cq_slot **at = realloc(list->at, capacity * sizeof *at);
    if (at == NULL) {
      interview->nomem = true;
      return false;
    }
    list->at = at;
    list->capacity = capacity;
  }
  list->at[list->count++] = slot;
  return true;
}

/* --- refs --- */

static cq_status not_found(cq_str ref, cq_error *error) {
  char shown[CQ_ERROR_ARG_SIZE];
  snprintf(shown, sizeof shown, "%.*s", (int)(ref.size < 150 ? ref.size : 150), ref.size == 0 ? "" : ref.at);
  return cq_error_set(error, CQ_NOTFOUND, "forms.entry.none", shown, NULL);
}

/* One step "name", "name[3]", "name[]", "@name". */
typedef struct step {
  cq_str name;
  int64_t position; /* 0: none said; -1: the repeat itself */
} step;

static bool read_step(cq_str *path, step *out) {
  const char *slash = memchr(path->at, '/', path->size);
  cq_str text = {path->at, slash == NULL ? path->size : (size_t)(slash - path->at)};
  size_t used = text.size + (slash != NULL);
  *path = (cq_str){path->at + used, path->size - used};
  out->position = 0;
  const char *bracket = text.size == 0 ? NULL : memchr(text.at, '[', text.size);
  if (bracket == NULL) {
    out->name = cq_str_trim(text);
    return out->name.size > 0;
  }
  out->name = cq_str_trim((cq_str){text.at, (size_t)(bracket - text.at)});
  if (text.at[text.size - 1] != ']') return false;
  cq_str inside = cq_str_trim((cq_str){bracket + 1, text.size - (size_t)(bracket - text.at) - 2});
  if (inside.size == 0)
    out->position = -1;
  else if (!cq_str_int64(inside, &out->position) || out->position < 1)
    return false;
  return out->name.size > 0;
}

/* Down one step from `at` (NULL: the top); false: nothing there. */
static bool descend(const cq_interview *interview, cq_slot **at, cq_row **row, const step *s) {
  const cq_form *form = interview->form;
  *row = NULL;
  uint32_t field;
  if (*at == NULL) {
    field = cq_fields_resolve(form, s->name, CQ_NONE);
    *at = field == 0 && s->position <= 1 ? interview->root : NULL;
    return *at != NULL;
  }
  field = cq_fields_resolve(form, s->name, (*at)->field);
  if (field == CQ_NONE || form->definitions[field].parent != (*at)->field) return false;
  if (!form->definitions[field].multiple) {
    *at = s->position > 1 || s->position < 0 ? NULL : cq_slots_child(interview, *at, field);
    return *at != NULL;
  }
  cq_row *found = cq_slots_row(interview, *at, field);
  if (s->position < 0) {
    *row = found;
    return true;
  }
  uint64_t index = s->position == 0 ? 0 : (uint64_t)s->position - 1;
  *at = index < found->count ? found->at[index] : NULL;
  return *at != NULL;
}

cq_status cq_interview_entry(const cq_interview *interview, cq_str ref, cq_entry *node, cq_error *error) {
  *node = CQ_ENTRY_NONE;
  cq_str path = cq_str_trim(ref);
  if (path.size > 0 && path.at[0] != '/') {
    const cq_field *field = cq_form_find(interview->form, path);
    cq_slot *slot = field == NULL ? NULL : cq_slots_near(interview, interview->root, (uint32_t)field->index);
    if (slot == NULL) return not_found(ref, error);
    *node = slot->handle;
    return CQ_OK;
  }
  cq_slot *at = NULL;
  cq_row *row = NULL;
  if (path.size > 0) path = (cq_str){path.at + 1, path.size - 1};
  if (path.size == 0) return not_found(ref, error);
  while (path.size > 0) {
    step s;
    if (row != NULL || !read_step(&path, &s) || !descend(interview, &at, &row, &s)) return not_found(ref, error);
  }
  *node = row != NULL ? row->handle : at->handle;
  return CQ_OK;
}

static void add_ref(const cq_interview *interview, const cq_slot *slot, cq_buf *ref) {
  if (slot->parent != NULL) add_ref(interview, slot->parent, ref);
  cq_buf_add_char(ref, '/');
  cq_buf_add_str(ref, interview->form->fields[slot->field].name);
  if (slot->row != NULL) cq_buf_addf(ref, "[%u]", slot->index + 1);
}

static cq_status gone(cq_error *error) {
  return cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
}

cq_status cq_interview_ref(const cq_interview *interview, cq_entry node, cq_buf *ref, cq_error *error) {
  cq_buf_reset(ref);
  const cq_slot *slot = cq_entries_slot(interview, node);
  const cq_row *row = cq_entries_row(interview, node);
  if (slot != NULL) {
    add_ref(interview, slot, ref);
  } else if (row == NULL) {
    return gone(error);
  } else {
    add_ref(interview, row->parent, ref);
    cq_buf_add_char(ref, '/');
    cq_buf_add_str(ref, interview->form->fields[row->field].name);
    cq_buf_add_text(ref, "[]");
  }
  return ref->failed ? cq_error_nomem(error) : CQ_OK;
}

/* --- states --- */

static bool has_answer(const cq_interview *interview, const cq_slot *slot) {
  if (cq_slot_text(slot).size > 0) return true;
  size_t missing = interview->form->fields[slot->field].missing_at;
  if (missing == CQ_FIELD_NONE || !slot->relevant) return false;
  const cq_slot *code = cq_slots_near(interview, slot, (uint32_t)missing);
  return code != NULL && cq_node_text(code->node).size > 0;
}

static cq_status state_of_row(const cq_interview *interview, const cq_row *row, cq_entry_state *state) {
  state->field = &interview->form->fields[row->field];
  state->parent = row->parent->handle;
  state->kind = CQ_ENTRY_REPEAT;
  state->count = row->count;
  state->relevant = row->parent->relevant;
  return CQ_OK;
}

cq_status cq_entries_state(cq_interview *interview, cq_entry node, cq_entry_state *state, cq_error *error) {
  *state = (cq_entry_state){.node = node};
  const cq_slot *slot = cq_entries_slot(interview, node);
  const cq_row *row = cq_entries_row(interview, node);
  if (row != NULL) return state_of_row(interview, row, state);
  if (slot == NULL) return gone(error);
  state->field = &interview->form->fields[slot->field];
  state->parent = slot->row != NULL ? slot->row->handle : slot->parent != NULL ? slot->parent->handle : CQ_ENTRY_NONE;
  state->kind = slot->row != NULL ? CQ_ENTRY_INSTANCE : state->field->children > 0 ? CQ_ENTRY_GROUP : CQ_ENTRY_VALUE;
  state->relevant = slot->relevant;
  state->readonly = cq_slot_readonly(interview, slot);
  state->required = cq_slot_required(interview, slot);
  state->answered = has_answer(interview, slot);
  state->position = slot->row != NULL ? slot->index + 1 : 0;
  return CQ_OK;
}

cq_status cq_interview_state(const cq_interview *interview, cq_entry node, cq_entry_state *state, cq_error *error) {
  cq_interview *asked = (cq_interview *)(uintptr_t)interview; /* evaluating uses scratch memory only */
  asked->spent = 0;
  return cq_entries_state(asked, node, state, error);
}

cq_str cq_interview_value(const cq_interview *interview, cq_entry node) {
  const cq_slot *slot = cq_entries_slot(interview, node);
  return slot == NULL ? (cq_str){NULL, 0} : cq_slot_text(slot);
}
