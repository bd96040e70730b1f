/* SPDX-License-Identifier: Apache-2.0 */
/* Filling an interview from a file of answers: docs/formats/answers.md. */
#include "forms/engine/interview.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 32 };

typedef struct filling {
  cq_interview *interview;
  cq_arena *arena;
  cq_answers_report *report;
  size_t capacity;
  cq_error *error;
} filling;

static cq_status fill_object(filling *f, const cJSON *object, cq_slot *at, unsigned depth);

static cq_status fault(filling *f, const char *code, cq_str ref) {
  char shown[CQ_ERROR_ARG_SIZE];
  snprintf(shown, sizeof shown, "%.*s", (int)(ref.size < 150 ? ref.size : 150), ref.size == 0 ? "" : ref.at);
  return cq_error_set(f->error, CQ_INVALID, code, shown, NULL);
}

static bool add_plain(cq_buf *out, const cJSON *value) {
  char text[400];
  if (cJSON_IsString(value))
    cq_buf_add_text(out, value->valuestring);
  else if (cJSON_IsNumber(value) && isfinite(value->valuedouble))
    cq_buf_add(out, text, cq_xpath_number_text(value->valuedouble, text));
  else if (cJSON_IsBool(value))
    cq_buf_add_text(out, cJSON_IsTrue(value) ? "1" : "0");
  else
    return cJSON_IsNull(value);
  return true;
}

/* A list of plain values is a multiple choice. */
static bool add_value(cq_buf *out, const cJSON *value) {
  if (!cJSON_IsArray(value)) return add_plain(out, value);
  const cJSON *item;
  cJSON_ArrayForEach(item, value) {
    if (out->size > 0) cq_buf_add_char(out, ' ');
    if (!add_plain(out, item)) return false;
  }
  return true;
}

static cq_status refuse(filling *f, cq_entry entry, const cq_set_outcome *outcome) {
  cq_answers_report *report = f->report;
  if (report->count == f->capacity) {
    size_t capacity = f->capacity == 0 ? 8 : f->capacity * 2;
    cq_answers_refusal *refusals = cq_arena_array(f->arena, capacity, sizeof *refusals);
    if (refusals == NULL) return cq_error_nomem(f->error);
    if (report->count > 0) memcpy(refusals, report->refusals, report->count * sizeof *refusals);
    report->refusals = refusals;
    f->capacity = capacity;
  }
  cq_buf ref = {0};
  cq_status status = cq_interview_ref(f->interview, entry, &ref, f->error);
  cq_answers_refusal *refusal = &report->refusals[report->count];
  *refusal = (cq_answers_refusal){.ref = cq_arena_copy(f->arena, cq_buf_str(&ref)), .outcome = *outcome};
  cq_buf_fini(&ref);
  report->count += status == CQ_OK;
  return status;
}

static cq_status settle(filling *f, cq_entry entry, cq_status status, const cq_set_outcome *outcome) {
  if (status != CQ_OK) return status;
  if (outcome->result != CQ_SET_ACCEPTED) return refuse(f, entry, outcome);
  f->report->set++;
  return CQ_OK;
}

static cq_status fill_value(filling *f, const cJSON *value, cq_slot *slot) {
  cq_set_outcome outcome;
  const cJSON *missing = cJSON_IsObject(value) ? cJSON_GetObjectItemCaseSensitive(value, "missing") : NULL;
  if (missing && cJSON_IsString(missing)) {
    cq_status status = cq_interview_set_missing(f->interview, slot->handle, cq_str_from(missing->valuestring), f->arena,
                                                &outcome, f->error);
    return settle(f, slot->handle, status, &outcome);
  }
  cq_buf text = {0};
  cq_status status;
  cq_entry entry = slot->handle;
  if (!add_value(&text, value))
    status = fault(f, "forms.answers.kind", f->interview->form->fields[slot->field].path);
  else if (text.failed)
    status = cq_error_nomem(f->error);
  else
    status =
        settle(f, entry,
               cq_interview_set(f->interview, entry, cq_buf_str(&text), CQ_SET_CHECKED, f->arena, &outcome, f->error),
               &outcome);
  cq_buf_fini(&text);
  return status;
}

/* As many instances as the file has; those that a count fixes stay as many as they are. */
static cq_status fill_row(filling *f, const cJSON *list, cq_row *row, unsigned depth) {
  bool leaf = f->interview->form->fields[row->field].children == 0;
  const cJSON *item;
  uint32_t index = 0;
  cJSON_ArrayForEach(item, list) {
    cq_status status = CQ_OK;
    cq_entry made;
    if (index >= row->count) status = cq_interview_add(f->interview, row->handle, &made, f->error);
    if (status != CQ_OK) return status;
    if (leaf)
      status = fill_value(f, item, row->at[index]);
    else if (cJSON_IsObject(item))
      status = fill_object(f, item, row->at[index], depth + 1);
    else
      status = fault(f, "forms.answers.kind", f->interview->form->fields[row->field].path);
    if (status != CQ_OK) return status;
    index++;
  }
  return CQ_OK;
}

/* The field that a key names: a path, a child of where we are, or the only field of that name (below first). */
static uint32_t field_of(const cq_form *form, const cq_slot *at, cq_str key) {
  uint32_t found = cq_fields_resolve(form, key, at->field);
  if (found != CQ_NONE && cq_fields_is_below(form, found, at->field)) return found;
  uint32_t only = CQ_NONE;
  const cq_field_definition *d = &form->definitions[at->field];
  for (uint32_t i = at->field + 1; i <= at->field + d->descendants; i++)
    if (cq_str_equal(form->fields[i].name, key)) {
      if (only != CQ_NONE) return CQ_NONE;
      only = i;
    }
  if (only != CQ_NONE) return only;
  const cq_field *field = cq_form_find(form, key);
  return field == NULL ? CQ_NONE : (uint32_t)field->index;
}

static cq_status fill_ref(filling *f, const cJSON *value, cq_str ref) {
  cq_entry entry;
  if (cq_interview_entry(f->interview, ref, &entry, NULL) != CQ_OK) return fault(f, "forms.answers.unknown", ref);
  cq_slot *slot = cq_entries_slot(f->interview, entry);
  return slot == NULL ? fault(f, "forms.answers.kind", ref) : fill_value(f, value, slot);
}

static cq_status fill_key(filling *f, const cJSON *value, cq_slot *at, unsigned depth) {
  const cq_form *form = f->interview->form;
  cq_str key = cq_str_from(value->string);
  if (key.size > 0 && memchr(key.at, '[', key.size) != NULL) return fill_ref(f, value, key);
  uint32_t field = field_of(form, at, key);
  if (field == CQ_NONE) return fault(f, "forms.answers.unknown", key);
  uint32_t parent = form->definitions[field].parent;
  if (form->definitions[field].multiple && cJSON_IsArray(value)) {
    cq_slot *above = parent == at->field ? at : cq_slots_near(f->interview, at, parent);
    cq_row *row = above == NULL ? NULL : cq_slots_row(f->interview, above, field);
    return row == NULL ? fault(f, "forms.answers.unknown", key) : fill_row(f, value, row, depth);
  }
  cq_slot *slot = cq_slots_near(f->interview, at, field);
  if (slot == NULL) return fault(f, "forms.answers.unknown", key);
  if (form->fields[field].children > 0)
    return cJSON_IsObject(value) ? fill_object(f, value, slot, depth + 1) : fault(f, "forms.answers.kind", key);
  return fill_value(f, value, slot);
}

static cq_status fill_object(filling *f, const cJSON *object, cq_slot *at, unsigned depth) {
  if (depth > MOST_DEPTH) return cq_error_set(f->error, CQ_LIMIT, "forms.limit.depth", NULL);
  const cJSON *value;
  cJSON_ArrayForEach(value, object) {
    cq_status status = fill_key(f, value, at, depth);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

cq_status cq_answers_apply(cq_interview *interview, cq_str json, cq_arena *arena, cq_answers_report *report,
                           cq_error *error) {
  *report = (cq_answers_report){0};
  if (json.size > CQ_FORM_MAX_XML) return cq_error_set(error, CQ_LIMIT, "forms.limit.xml", NULL);
  const char *end = NULL;
  cJSON *root = cJSON_ParseWithLengthOpts(json.at, json.size, &end, false);
  if (!cJSON_IsObject(root)) {
    cq_status status = cq_error_set(error, CQ_INVALID, "forms.answers.json", NULL);
    if (root == NULL && end != NULL) cq_error_at_offset(error, end - json.at);
    cJSON_Delete(root);
    return status;
  }
  filling f = {.interview = interview, .arena = arena, .report = report, .error = error};
  cq_status status = fill_object(&f, root, interview->root, 0);
  cJSON_Delete(root);
  return status;
}
