/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a question, and the search among questions. */
#include "forms/engine/interview.h"

#include <string.h>

static const cq_control_definition *control_of(const cq_form *form, uint32_t field) {
  uint32_t control = form->definitions[field].control;
  return control == CQ_NONE ? NULL : &form->controls[control];
}

/* A repeat is mostly labelled by the group around it. */
static const cq_text *label_of(const cq_form *form, uint32_t field) {
  const cq_control_definition *control = control_of(form, field);
  if (control == NULL) return NULL;
  if (!cq_text_is_empty(&control->label) || control->parent == CQ_NONE) return &control->label;
  const cq_control_definition *parent = &form->controls[control->parent];
  return control->kind == CQ_CONTROL_REPEAT && parent->kind == CQ_CONTROL_GROUP &&
                 (parent->field == field || parent->field == CQ_NONE)
             ? &parent->label
             : &control->label;
}

typedef struct reading {
  cq_interview *interview;
  const cq_node *at;
  cq_arena *arena;
  cq_error *error;
  cq_status status;
} reading;

static void read_text(reading *r, const cq_text *text, const char *kind, cq_str *out) {
  *out = CQ_STR("");
  if (r->status == CQ_OK && text != NULL)
    r->status = cq_text_resolve(r->interview, text, kind, r->at, r->arena, out, r->error);
}

static void read_label(reading *r, uint32_t field, cq_prompt *prompt) {
  const cq_form *form = r->interview->form;
  const cq_text *label = label_of(form, field);
  const cq_control_definition *control = control_of(form, field);
  read_text(r, label, "", &prompt->label);
  read_text(r, label, "image", &prompt->image);
  read_text(r, label, "big-image", &prompt->big_image);
  read_text(r, label, "audio", &prompt->audio);
  read_text(r, label, "video", &prompt->video);
  read_text(r, control == NULL ? NULL : &control->hint, "", &prompt->hint);
  read_text(r, control == NULL ? NULL : &control->hint, "guidance", &prompt->guidance);
  bool media = prompt->image.size + prompt->audio.size + prompt->video.size > 0;
  if (prompt->label.size == 0 && !media && form->fields[field].children == 0) prompt->label = form->fields[field].name;
}

static void read_repeat(const cq_interview *interview, const cq_row *row, cq_prompt *prompt) {
  const cq_control_definition *control = control_of(interview->form, row->field);
  bool free_ = interview->form->fields[row->field].is_repeat && control != NULL && control->count == NULL &&
               !control->no_add_remove;
  prompt->can_add = free_ && row->count < CQ_FORM_MAX_REPEATS;
  prompt->can_remove = free_ && row->count > 0;
}

static void read_value(reading *r, cq_slot *slot, cq_prompt *prompt) {
  const cq_form *form = r->interview->form;
  const cq_field_definition *d = &form->definitions[slot->field];
  const cq_field *field = &form->fields[slot->field];
  read_text(r, &d->required_message, "", &prompt->required_message);
  read_text(r, &d->constraint_message, "", &prompt->constraint_message);
  prompt->value = cq_arena_copy(r->arena, cq_slot_text(slot));
  cq_slot *missing =
      field->missing_at == CQ_FIELD_NONE ? NULL : cq_slots_near(r->interview, slot, (uint32_t)field->missing_at);
  prompt->missing = cq_arena_copy(r->arena, cq_slot_text(missing));
  if (prompt->value.at == NULL || prompt->missing.at == NULL) r->status = cq_error_nomem(r->error);
  const cq_control_definition *control = control_of(form, slot->field);
  if (control != NULL && control->kind == CQ_CONTROL_RANGE) {
    prompt->range_start = cq_attribute(control->element, form->words.start, CQ_ATOM_NONE);
    prompt->range_end = cq_attribute(control->element, form->words.end, CQ_ATOM_NONE);
    prompt->range_step = cq_attribute(control->element, form->words.step, CQ_ATOM_NONE);
  }
}

static cq_status read_prompt(cq_interview *interview, cq_entry node, cq_arena *arena, cq_prompt *prompt,
                             cq_error *error) {
  *prompt = (cq_prompt){.value = CQ_STR(""), .missing = CQ_STR("")};
  cq_status status = cq_entries_state(interview, node, &prompt->state, error);
  if (status != CQ_OK) return status;
  cq_slot *slot = cq_entries_slot(interview, node);
  const cq_row *row = slot != NULL ? slot->row : cq_entries_row(interview, node);
  if (row != NULL) read_repeat(interview, row, prompt);
  const cq_slot *at = slot != NULL ? slot : row != NULL ? row->parent : interview->root;
  reading r = {.interview = interview, .at = at->node, .arena = arena, .error = error};
  read_label(&r, (uint32_t)prompt->state.field->index, prompt);
  if (slot != NULL && prompt->state.field->children == 0) read_value(&r, slot, prompt);
  return r.status;
}

cq_status cq_interview_prompt(cq_interview *interview, cq_entry node, cq_arena *arena, cq_prompt *prompt,
                              cq_error *error) {
  interview->spent = 0;
  return read_prompt(interview, node, arena, prompt, error);
}

cq_status cq_interview_choices(cq_interview *interview, cq_entry node, cq_arena *arena, cq_choices *choices,
                               cq_error *error) {
  *choices = (cq_choices){0};
  interview->spent = 0;
  cq_slot *slot = cq_entries_slot(interview, node);
  if (slot == NULL)
    return cq_entries_row(interview, node) != NULL ? CQ_OK : cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  return cq_choices_of(interview, slot, true, arena, choices, error);
}

static cq_status shown_choices(cq_interview *interview, cq_slot *slot, cq_arena *arena, cq_str *shown,
                               cq_error *error) {
  cq_control kind = interview->form->fields[slot->field].control;
  cq_str text = cq_slot_text(slot), value = text;
  cq_buf out = {0};
  for (size_t at = 0; kind == CQ_CONTROL_SELECT1 ? at == 0 : cq_choices_next(text, &at, &value);) {
    cq_str label = value;
    (void)cq_choices_label(interview, slot, value, arena, &label);
    if (out.size > 0) cq_buf_add_text(&out, ", ");
    cq_buf_add_str(&out, label.size > 0 ? label : value);
    if (kind == CQ_CONTROL_SELECT1) break;
  }
  *shown = cq_arena_copy(arena, cq_buf_str(&out));
  bool failed = out.failed || shown->at == NULL;
  cq_buf_fini(&out);
  return failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status read_shown(cq_interview *interview, cq_entry node, cq_arena *arena, cq_str *shown, cq_error *error) {
  *shown = CQ_STR("");
  cq_slot *slot = cq_entries_slot(interview, node);
  if (slot == NULL || cq_slot_text(slot).size == 0) return CQ_OK;
  cq_control kind = interview->form->fields[slot->field].control;
  if (kind == CQ_CONTROL_SELECT || kind == CQ_CONTROL_SELECT1 || kind == CQ_CONTROL_RANK)
    return shown_choices(interview, slot, arena, shown, error);
  *shown = cq_arena_copy(arena, cq_slot_text(slot));
  return shown->at == NULL ? cq_error_nomem(error) : CQ_OK;
}

cq_status cq_interview_shown(cq_interview *interview, cq_entry node, cq_arena *arena, cq_str *shown, cq_error *error) {
  interview->spent = 0;
  return read_shown(interview, node, arena, shown, error);
}

/* --- search --- */

/* Lower case without accents, for the Latin letters of Spanish and the Andean languages. */
static uint32_t fold(uint32_t c) {
  static const char latin[] = "aaaaaaaceeeeiiiidnooooo/ouuuuyts"  /* C0 to DF */
                              "aaaaaaaceeeeiiiidnooooo/ouuuuyty"; /* E0 to FF */
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xFF) return (uint32_t)latin[c - 0xC0];
  return c;
}

static void fold_text(cq_str text, cq_buf *out) {
  cq_buf_reset(out);
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    if (c >= 0x300 && c <= 0x36F) continue; /* an accent of its own */
    cq_buf_add_code_point(out, fold(c));
  }
}

static bool contains(cq_str text, const cq_buf *wanted, cq_buf *folded) {
  fold_text(text, folded);
  if (folded->failed) return false;
  for (size_t i = 0; i + wanted->size <= folded->size; i++)
    if (memcmp(folded->at + i, wanted->at, wanted->size) == 0) return true;
  return false;
}

static bool matches(cq_interview *interview, cq_entry entry, const cq_buf *wanted, cq_buf *folded) {
  bool found = false;
  cq_arena *arena = cq_arena_new(1 << 24);
  cq_prompt prompt;
  cq_str shown;
  if (arena == NULL) return false;
  if (read_prompt(interview, entry, arena, &prompt, NULL) == CQ_OK)
    found = contains(prompt.label, wanted, folded) || contains(prompt.state.field->name, wanted, folded) ||
            (read_shown(interview, entry, arena, &shown, NULL) == CQ_OK && contains(shown, wanted, folded));
  cq_arena_free(arena);
  return found;
}

cq_status cq_interview_search(cq_interview *interview, cq_str text, cq_arena *arena, cq_outline_row **rows,
                              size_t *count, cq_error *error) {
  cq_status status = cq_interview_outline(interview, arena, rows, count, error);
  if (status != CQ_OK) return status;
  cq_buf wanted = {0}, folded = {0};
  fold_text(cq_str_trim(text), &wanted);
  size_t used = 0;
  interview->spent = 0;
  for (size_t i = 0; i < *count && wanted.size > 0; i++)
    if (matches(interview, (*rows)[i].node, &wanted, &folded)) (*rows)[used++] = (*rows)[i];
  *count = used;
  status = cq_evaluate_spent(interview, error);
  if (wanted.failed || folded.failed) status = cq_error_nomem(error);
  cq_buf_fini(&wanted);
  cq_buf_fini(&folded);
  return status;
}
