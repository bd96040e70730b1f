/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/follow.h"

#include "chasqui/csv.h"
#include "collector/agenda.h"
#include "collector/collector.h"
#include "collector/roster.h"

#include <stdlib.h>
#include <string.h>

/* As forms of the programme call them. */
#define FIELD_PERSON "tdd"
#define FIELD_SEASON "temporada"

static bool follows(const cq_form *form) {
  const cq_field *person = cq_form_find(form, CQ_STR(FIELD_PERSON));
  return person && person->control == CQ_CONTROL_SELECT1 && person->repeat == CQ_FIELD_NONE &&
         cq_form_find(form, CQ_STR(FIELD_SEASON)) != NULL;
}

cq_status cq_follow_forms(cq_laptop *laptop, cq_offered **forms, size_t *count, cq_error *error) {
  size_t offered = 0;
  cq_buf xml = {0};
  *count = 0;
  cq_status status = cq_filling_offered(laptop, forms, &offered, error);
  for (size_t i = 0; status == CQ_OK && i < offered; i++) {
    cq_form *form = NULL;
    status = cq_store_form_bytes(laptop->store, (*forms)[i].hash.at, &xml, error);
    /* one that does not load is told when it is begun */
    if (status == CQ_OK && cq_form_load(&form, cq_buf_str(&xml), NULL, NULL) == CQ_OK && follows(form))
      (*forms)[(*count)++] = (*forms)[i];
    cq_form_free(form);
  }
  cq_buf_fini(&xml);
  if (status != CQ_OK) {
    free(*forms);
    *forms = NULL;
  }
  return status;
}

/* --- beginning --- */

typedef struct person_row {
  cq_arena *arena;
  cq_str *names, *values; /* of the list's columns; values NULL: the person is not in it */
  size_t count;
} person_row;

static cq_str *copy_fields(cq_arena *arena, const cq_str *fields, size_t count) {
  cq_str *copies = cq_arena_array(arena, count + 1, sizeof *copies);
  for (size_t i = 0; copies && i < count; i++) {
    copies[i] = cq_arena_copy(arena, fields[i]);
    if (!copies[i].at) return NULL;
  }
  return copies;
}

static cq_status find_row(person_row *row, cq_str list, cq_str person, cq_error *error) {
  const cq_str *fields;
  size_t count = 0, key = SIZE_MAX;
  cq_csv *csv = cq_csv_new(list, 0);
  cq_status status = csv ? cq_csv_next(csv, &fields, &count, error) : cq_error_nomem(error);
  if (status == CQ_OK) {
    row->count = count;
    row->names = copy_fields(row->arena, fields, count);
    if (!row->names) status = cq_error_nomem(error);
    for (size_t i = 0; i < count; i++)
      if (cq_str_is(fields[i], "name")) key = i;
  }
  while (status == CQ_OK && !row->values) {
    status = cq_csv_next(csv, &fields, &count, error);
    if (status != CQ_OK || count == 0) break;
    if (count != row->count || key >= count || !cq_str_equal(fields[key], person)) continue;
    row->values = copy_fields(row->arena, fields, count);
    if (!row->values) status = cq_error_nomem(error);
  }
  cq_csv_free(csv);
  return status;
}

static cq_status answer(cq_filling *it, const cq_field *field, cq_str value, cq_error *error) {
  cq_entry node;
  cq_entry_state state;
  cq_set_outcome outcome;
  if (value.size == 0 || cq_interview_entry(it->interview, field->path, &node, NULL) != CQ_OK) return CQ_OK;
  if (cq_interview_state(it->interview, node, &state, NULL) != CQ_OK || !state.relevant || state.readonly) return CQ_OK;
  return cq_filling_set(it, node, value, false, &outcome, error);
}

static cq_status answer_from(cq_filling *it, const person_row *row, const cq_field *person, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t f = 0; status == CQ_OK && f < person->index; f++) {
    const cq_field *field = cq_form_field(it->form, f);
    if (field->control != CQ_CONTROL_SELECT1 || field->repeat != CQ_FIELD_NONE) continue;
    for (size_t i = 0; status == CQ_OK && i < row->count; i++)
      if (cq_str_equal(row->names[i], field->name)) status = answer(it, field, row->values[i], error);
  }
  return status;
}

static cq_status begin(cq_filling *it, cq_laptop *laptop, const cq_hash *form, cq_str person, cq_error *error) {
  cq_buf list = {0};
  cq_entry node;
  person_row row = {.arena = cq_arena_new(0)};
  cq_status status = row.arena ? cq_filling_begin(it, laptop, form, true, error) : cq_error_nomem(error);
  if (status != CQ_OK) {
    cq_arena_free(row.arena);
    return status;
  }
  const cq_field *field = cq_form_find(it->form, CQ_STR(FIELD_PERSON));
  status = cq_roster_list(laptop->store, CQ_AGENDA_LIST, &list, error);
  if (status == CQ_OK) status = find_row(&row, cq_buf_str(&list), person, error);
  if (status == CQ_OK && field && row.values) status = answer_from(it, &row, field, error);
  if (status == CQ_OK && field) status = answer(it, field, person, error);
  if (status == CQ_OK && field && cq_interview_entry(it->interview, field->path, &node, NULL) == CQ_OK &&
      cq_interview_jump(it->interview, node, NULL) == CQ_OK)
    status = cq_filling_moved(it, error);
  cq_buf_fini_secret(&list);
  cq_arena_free(row.arena);
  if (status != CQ_OK) cq_filling_end(it);
  return status;
}

/* --- going on --- */

static bool is_answered(const cq_filling *it, const char *name, cq_str value) {
  const cq_field *field = cq_form_find(it->form, cq_str_from(name));
  cq_entry node;
  return field && cq_interview_entry(it->interview, field->path, &node, NULL) == CQ_OK &&
         cq_str_equal(cq_interview_value(it->interview, node), value);
}

/* The newest one; it has to be opened to know whom it is about. */
static cq_status resume(cq_filling *it, cq_laptop *laptop, const char *form, cq_str person, cq_str season,
                        bool *resumed, cq_error *error) {
  cq_kept kept;
  cq_error why;
  cq_status status = cq_kept_read(&kept, laptop->store, error);
  if (status != CQ_OK) return status;
  for (size_t i = kept.draft_count; status == CQ_OK && !*resumed && i > 0; i--) {
    const cq_kept_draft *draft = &kept.drafts[i - 1];
    if (draft->corrects || strcmp(draft->form, form) != 0) continue;
    cq_error_clear(&why);
    status = cq_filling_resume(it, laptop, draft->id, &why);
    if (status == CQ_NOMEM || status == CQ_IO) {
      if (error) *error = why;
      break;
    }
    /* one that does not open is told when it is chosen among the drafts */
    *resumed = status == CQ_OK && is_answered(it, FIELD_PERSON, person) && is_answered(it, FIELD_SEASON, season);
    if (status == CQ_OK && !*resumed) cq_filling_end(it);
    status = CQ_OK;
  }
  cq_kept_free(&kept);
  return status;
}

cq_status cq_follow_begin(cq_filling *it, cq_laptop *laptop, const cq_offered *form, cq_str person, cq_str season,
                          bool *resumed, cq_error *error) {
  *resumed = false;
  cq_status status = resume(it, laptop, form->id, person, season, resumed, error);
  return status == CQ_OK && !*resumed ? begin(it, laptop, &form->hash, person, error) : status;
}
