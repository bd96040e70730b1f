/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: one question, a field-list group, a repeat after its last instance,
 * the end. They are found by walking the body along the record each time, so
 * nothing has to be kept in step with what becomes relevant.
 */
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

typedef struct stop {
  cq_page_kind kind;
  cq_entry entry; /* as in cq_cursor */
  cq_entry group; /* of a field list: its group, CQ_ENTRY_NONE where it has no node */
  bool relevant;
  uint32_t control;
  cq_slot *at; /* that the control stands in */
} stop;

typedef struct walk {
  cq_interview *interview;
  stop *stops;
  size_t count, capacity;
  bool nomem;
} walk;

static void walk_list(walk *w, uint32_t first, cq_slot *at, bool relevant);

static const cq_field_definition *definition(const cq_interview *interview, uint32_t field) {
  return &interview->form->definitions[field];
}

static void add_stop(walk *w, stop item) {
  if (w->count == w->capacity) {
    size_t capacity = w->capacity == 0 ? 256 : w->capacity * 2;
    stop *stops = realloc(w->stops, capacity * sizeof *stops);
    if (stops == NULL) {
      w->nomem = true;
      return;
    }
    w->stops = stops;
    w->capacity = capacity;
  }
  w->stops[w->count++] = item;
}

/* The single node of `field` below `at`; NULL where a repeat is in between or it is not there. */
static cq_slot *slot_below(const cq_interview *interview, cq_slot *at, uint32_t field) {
  return at == NULL || at->field == field ? at : cq_slots_near(interview, at, field);
}

static cq_row *row_below(const cq_interview *interview, cq_slot *at, uint32_t field) {
  cq_slot *parent = slot_below(interview, at, definition(interview, field)->parent);
  return parent == NULL ? NULL : cq_slots_row(interview, parent, field);
}

/* Calls for each question and group of a field list, in order. */
typedef void each_item(void *context, cq_slot *slot, const cq_control_definition *control);

static void each_in_list(cq_interview *interview, uint32_t first, cq_slot *at, each_item *call, void *context) {
  const cq_form *form = interview->form;
  for (uint32_t i = first; i != CQ_NONE; i = form->controls[i].next) {
    const cq_control_definition *control = &form->controls[i];
    if (control->kind == CQ_CONTROL_REPEAT) {
      cq_row *row = row_below(interview, at, control->field);
      for (uint32_t j = 0; row != NULL && j < row->count; j++) {
        if (!row->at[j]->relevant) continue;
        call(context, row->at[j], control);
        each_in_list(interview, control->first, row->at[j], call, context);
      }
      continue;
    }
    bool wraps =
        control->kind == CQ_CONTROL_GROUP && (control->field == CQ_NONE || form->fields[control->field].is_repeat);
    cq_slot *slot = wraps ? at : slot_below(interview, at, control->field);
    if (slot == NULL || !slot->relevant) continue;
    if (!wraps) call(context, slot, control);
    if (control->kind == CQ_CONTROL_GROUP) each_in_list(interview, control->first, slot, call, context);
  }
}

typedef struct listing {
  cq_entry *entries;
  size_t count, questions;
  cq_entry first_question;
} listing;

static void list_one(void *context, cq_slot *slot, const cq_control_definition *control) {
  listing *l = context;
  bool question = control->kind != CQ_CONTROL_GROUP && control->kind != CQ_CONTROL_REPEAT;
  if (l->entries != NULL) l->entries[l->count] = slot->handle;
  l->count++;
  if (question && l->questions++ == 0) l->first_question = slot->handle;
}

static void stop_at_list(walk *w, uint32_t control, cq_slot *at, bool relevant, cq_entry group) {
  const cq_control_definition *c = &w->interview->form->controls[control];
  listing l = {0};
  if (relevant) each_in_list(w->interview, c->first, at, list_one, &l);
  add_stop(w, (stop){.kind = CQ_PAGE_FIELD_LIST,
                     .entry = l.first_question,
                     .group = group,
                     .relevant = l.questions > 0,
                     .control = control,
                     .at = at});
}

static void walk_repeat(walk *w, uint32_t index, cq_slot *at, bool relevant) {
  const cq_control_definition *control = &w->interview->form->controls[index];
  cq_row *row = row_below(w->interview, at, control->field);
  if (row == NULL) return;
  for (uint32_t i = 0; i < row->count; i++) {
    cq_slot *instance = row->at[i];
    if (control->field_list)
      stop_at_list(w, index, instance, relevant && instance->relevant, instance->handle);
    else
      walk_list(w, control->first, instance, relevant && instance->relevant);
  }
  bool asks = control->count == NULL && !control->no_add_remove;
  bool ever = definition(w->interview, control->field)->relevant.constant != CQ_CONSTANT_FALSE;
  bool shown = row->count == 0 || row->at[row->count - 1]->relevant;
  if (asks && ever)
    add_stop(w, (stop){.kind = CQ_PAGE_REPEAT,
                       .entry = row->handle,
                       .relevant = relevant && row->parent->relevant && shown,
                       .control = index,
                       .at = at});
}

static void walk_list(walk *w, uint32_t first, cq_slot *at, bool relevant) {
  const cq_form *form = w->interview->form;
  for (uint32_t i = first; i != CQ_NONE && !w->nomem; i = form->controls[i].next) {
    const cq_control_definition *control = &form->controls[i];
    if (control->kind == CQ_CONTROL_REPEAT) {
      walk_repeat(w, i, at, relevant);
      continue;
    }
    bool wraps =
        control->kind == CQ_CONTROL_GROUP && (control->field == CQ_NONE || form->fields[control->field].is_repeat);
    cq_slot *slot = wraps ? at : slot_below(w->interview, at, control->field);
    if (slot == NULL) continue;
    bool here = relevant && slot->relevant;
    if (control->kind != CQ_CONTROL_GROUP)
      add_stop(w, (stop){.kind = CQ_PAGE_QUESTION, .entry = slot->handle, .relevant = here, .control = i, .at = slot});
    else if (control->field_list)
      stop_at_list(w, i, slot, here, wraps ? CQ_ENTRY_NONE : slot->handle);
    else
      walk_list(w, control->first, slot, here);
  }
}

static cq_status walk_all(walk *w, cq_interview *interview, cq_error *error) {
  *w = (walk){.interview = interview};
  walk_list(w, interview->form->first_control, interview->root, interview->root->relevant);
  add_stop(w, (stop){.kind = CQ_PAGE_END, .relevant = true, .control = CQ_NONE});
  if (!w->nomem) return CQ_OK;
  free(w->stops);
  return cq_error_nomem(error);
}

/* --- the cursor --- */

/* Whether an entry is one of a field list's. */
static bool list_holds(cq_interview *interview, const stop *s, cq_entry entry) {
  const cq_slot *slot = cq_entries_slot(interview, entry);
  if (s->group != CQ_ENTRY_NONE) {
    const cq_slot *group = cq_entries_slot(interview, s->group);
    for (; slot != NULL; slot = slot->parent)
      if (slot == group) return true;
    return false;
  }
  listing l = {0};
  each_in_list(interview, interview->form->controls[s->control].first, s->at, list_one, &l);
  l.entries = calloc(l.count + 1, sizeof *l.entries);
  if (l.entries == NULL) return false;
  size_t count = l.count;
  l.count = l.questions = 0;
  each_in_list(interview, interview->form->controls[s->control].first, s->at, list_one, &l);
  bool found = false;
  for (size_t i = 0; i < count; i++) found = found || l.entries[i] == entry;
  free(l.entries);
  return found;
}

static size_t find(walk *w, cq_cursor cursor) {
  for (size_t i = 0; i < w->count; i++) {
    const stop *s = &w->stops[i];
    if (s->kind == cursor.kind && s->entry == cursor.entry) return i;
  }
  for (size_t i = 0; i < w->count; i++)
    if (w->stops[i].kind == CQ_PAGE_FIELD_LIST && cursor.kind == CQ_PAGE_FIELD_LIST &&
        list_holds(w->interview, &w->stops[i], cursor.entry))
      return i;
  return w->count - 1;
}

static size_t next_relevant(const walk *w, size_t at) {
  while (at + 1 < w->count && !w->stops[at].relevant) at++;
  return at;
}

static void stand(cq_interview *interview, const stop *s) {
  interview->cursor = (cq_cursor){.kind = s->kind, .entry = s->entry};
}

cq_status cq_interview_jump_start(cq_interview *interview, cq_error *error) {
  walk w;
  cq_status status = walk_all(&w, interview, error);
  if (status != CQ_OK) return status;
  stand(interview, &w.stops[next_relevant(&w, 0)]);
  free(w.stops);
  return CQ_OK;
}

cq_status cq_interview_forward(cq_interview *interview, cq_error *error) {
  walk w;
  cq_status status = walk_all(&w, interview, error);
  if (status != CQ_OK) return status;
  size_t at = find(&w, interview->cursor);
  stand(interview, &w.stops[at + 1 < w.count ? next_relevant(&w, at + 1) : at]);
  free(w.stops);
  return CQ_OK;
}

cq_status cq_interview_back(cq_interview *interview, cq_error *error) {
  walk w;
  cq_status status = walk_all(&w, interview, error);
  if (status != CQ_OK) return status;
  size_t at = find(&w, interview->cursor), before = at;
  while (before > 0 && !w.stops[--before].relevant)
    ;
  if (before < at && w.stops[before].relevant) stand(interview, &w.stops[before]);
  free(w.stops);
  return CQ_OK;
}

/* The page that shows an entry: its own, the field list around it, or the first one inside a group. */
static bool shows(walk *w, const stop *s, cq_entry entry) {
  if (!s->relevant || s->kind == CQ_PAGE_END) return false;
  if (s->entry == entry || (s->group != CQ_ENTRY_NONE && s->group == entry)) return true;
  if (s->kind == CQ_PAGE_FIELD_LIST) return list_holds(w->interview, s, entry);
  return false;
}

static bool stands_in(const walk *w, const stop *s, const cq_slot *group) {
  const cq_slot *slot = cq_entries_slot(w->interview, s->entry);
  for (; slot != NULL; slot = slot->parent)
    if (slot == group) return s->relevant;
  return false;
}

cq_status cq_interview_jump(cq_interview *interview, cq_entry node, cq_error *error) {
  walk w;
  cq_status status = walk_all(&w, interview, error);
  if (status != CQ_OK) return status;
  size_t at = node == CQ_ENTRY_NONE ? w.count - 1 : 0;
  while (node != CQ_ENTRY_NONE && at < w.count && !shows(&w, &w.stops[at], node)) at++;
  const cq_slot *group = cq_entries_slot(interview, node);
  if (at == w.count && group != NULL)
    for (at = 0; at < w.count && !stands_in(&w, &w.stops[at], group);) at++;
  if (at < w.count)
    stand(interview, &w.stops[at]);
  else
    status = cq_error_set(error, CQ_REFUSED, "forms.page.none", NULL);
  free(w.stops);
  return status;
}

cq_status cq_interview_bookmark(const cq_interview *interview, cq_buf *bookmark, cq_error *error) {
  cq_buf_reset(bookmark);
  if (interview->cursor.kind != CQ_PAGE_END)
    return cq_interview_ref(interview, interview->cursor.entry, bookmark, error);
  cq_buf_add_text(bookmark, "end");
  return bookmark->failed ? cq_error_nomem(error) : CQ_OK;
}

/* Who stands in an instance that goes, stands at its repeat afterwards. */
void cq_cursor_leave(cq_interview *interview, const cq_slot *instance) {
  const cq_slot *slot = cq_entries_slot(interview, interview->cursor.entry);
  const cq_row *row = cq_entries_row(interview, interview->cursor.entry);
  if (row != NULL) slot = row->parent;
  for (; slot != NULL; slot = slot->parent)
    if (slot == instance) interview->cursor = (cq_cursor){.kind = CQ_PAGE_REPEAT, .entry = instance->row->handle};
}

/* --- the page --- */

static bool has_label(const cq_form *form, const cq_slot *slot) {
  uint32_t control = form->definitions[slot->field].control;
  return control != CQ_NONE && !cq_text_is_empty(&form->controls[control].label);
}

/* Groups and instances around, outermost first. An instance counts even where only the group around it has a label. */
static cq_status trail(cq_interview *interview, const cq_slot *slot, cq_arena *arena, cq_page *page, cq_error *error) {
  size_t count = 0;
  for (const cq_slot *s = slot; s != NULL; s = s->parent) count++;
  cq_entry *entries = cq_arena_array(arena, count + 1, sizeof *entries);
  if (entries == NULL) return cq_error_nomem(error);
  size_t used = 0;
  for (const cq_slot *s = slot; s != NULL && s->parent != NULL; s = s->parent)
    if (s->row != NULL || has_label(interview->form, s)) entries[used++] = s->handle;
  for (size_t i = 0; i < used / 2; i++) {
    cq_entry swap = entries[i];
    entries[i] = entries[used - 1 - i];
    entries[used - 1 - i] = swap;
  }
  page->trail = entries;
  page->trail_count = used;
  return CQ_OK;
}

static cq_status fill_list(cq_interview *interview, const stop *s, cq_arena *arena, cq_page *page, cq_error *error) {
  listing l = {0};
  each_in_list(interview, interview->form->controls[s->control].first, s->at, list_one, &l);
  l.entries = cq_arena_array(arena, l.count + 1, sizeof *l.entries);
  if (l.entries == NULL) return cq_error_nomem(error);
  l.count = 0;
  each_in_list(interview, interview->form->controls[s->control].first, s->at, list_one, &l);
  page->node = s->group;
  page->nodes = l.entries;
  page->count = l.count;
  return CQ_OK;
}

static cq_status fill(cq_interview *interview, const stop *s, cq_arena *arena, cq_page *page, cq_error *error) {
  const cq_slot *around = NULL;
  cq_status status = CQ_OK;
  page->kind = s->kind;
  page->node = s->entry;
  if (s->kind == CQ_PAGE_QUESTION) {
    cq_entry *entry = cq_arena_array(arena, 1, sizeof *entry);
    if (entry == NULL) return cq_error_nomem(error);
    *entry = s->entry;
    page->nodes = entry;
    page->count = 1;
    around = s->at->parent;
  } else if (s->kind == CQ_PAGE_FIELD_LIST) {
    status = fill_list(interview, s, arena, page, error);
    around = s->at;
  } else if (s->kind == CQ_PAGE_REPEAT) {
    around = cq_entries_row(interview, s->entry)->parent;
  }
  return status == CQ_OK ? trail(interview, around, arena, page, error) : status;
}

cq_status cq_interview_page(cq_interview *interview, cq_arena *arena, cq_page *page, cq_error *error) {
  *page = (cq_page){.kind = CQ_PAGE_END};
  walk w;
  cq_status status = walk_all(&w, interview, error);
  if (status != CQ_OK) return status;
  size_t at = next_relevant(&w, find(&w, interview->cursor));
  stand(interview, &w.stops[at]);
  page->first = true;
  for (size_t i = 0; i < at; i++) page->first = page->first && !w.stops[i].relevant;
  status = fill(interview, &w.stops[at], arena, page, error);
  free(w.stops);
  return status;
}

/* --- contents --- */

typedef struct contents {
  cq_interview *interview;
  cq_arena *arena;
  cq_outline_row *rows;
  size_t count, capacity;
  bool nomem;
} contents;

static void add_row(contents *c, cq_entry entry, unsigned depth) {
  if (c->count == c->capacity) {
    size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
    cq_outline_row *rows = cq_arena_array(c->arena, capacity, sizeof *rows);
    if (rows == NULL) {
      c->nomem = true;
      return;
    }
    if (c->count > 0) memcpy(rows, c->rows, c->count * sizeof *rows);
    c->rows = rows;
    c->capacity = capacity;
  }
  c->rows[c->count++] = (cq_outline_row){entry, depth};
}

static void outline(contents *c, uint32_t first, cq_slot *at, unsigned depth) {
  const cq_form *form = c->interview->form;
  for (uint32_t i = first; i != CQ_NONE && !c->nomem; i = form->controls[i].next) {
    const cq_control_definition *control = &form->controls[i];
    if (control->kind == CQ_CONTROL_REPEAT) {
      cq_row *row = row_below(c->interview, at, control->field);
      if (row == NULL || !row->parent->relevant) continue;
      add_row(c, row->handle, depth);
      for (uint32_t j = 0; j < row->count; j++) {
        if (!row->at[j]->relevant) continue;
        add_row(c, row->at[j]->handle, depth + 1);
        outline(c, control->first, row->at[j], depth + 2);
      }
      continue;
    }
    bool wraps =
        control->kind == CQ_CONTROL_GROUP && (control->field == CQ_NONE || form->fields[control->field].is_repeat);
    cq_slot *slot = wraps ? at : slot_below(c->interview, at, control->field);
    if (slot == NULL || !slot->relevant) continue;
    if (!wraps) add_row(c, slot->handle, depth);
    if (control->kind == CQ_CONTROL_GROUP) outline(c, control->first, slot, wraps ? depth : depth + 1);
  }
}

cq_status cq_interview_outline(cq_interview *interview, cq_arena *arena, cq_outline_row **rows, size_t *count,
                               cq_error *error) {
  contents c = {.interview = interview, .arena = arena};
  outline(&c, interview->form->first_control, interview->root, 0);
  *rows = c.rows;
  *count = c.count;
  return c.nomem ? cq_error_nomem(error) : CQ_OK;
}
