/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/names.h"

#include <string.h>

/* In the vault: the list, and which sheet it came with. */
#define SETTING_LIST "sheet"
#define SETTING_NUMBER "sheet.number"
#define SETTING_MADE "sheet.made"

void cq_names_fini(cq_laptop *laptop) {
  cq_arena_free(laptop->names.arena);
  laptop->names = (cq_names){0};
}

static cq_status read_list(cq_laptop *laptop, cq_str csv, cq_error *error) {
  cq_names *names = &laptop->names;
  if (!(names->arena = cq_arena_new(0))) return cq_error_nomem(error);
  return csv.size ? cq_sheet_list_read(&names->persons, &names->count, csv, names->arena, error) : CQ_OK;
}

cq_status cq_names_load(cq_laptop *laptop, cq_error *error) {
  cq_buf csv = {0};
  int64_t number = 0, made = 0;
  cq_names_fini(laptop);
  cq_status status = cq_store_get_int(laptop->store, SETTING_NUMBER, &number, error);
  bool sheet = status == CQ_OK;
  if (sheet) {
    status = cq_store_get_int(laptop->store, SETTING_MADE, &made, error);
    if (status == CQ_OK) status = cq_store_get(laptop->store, SETTING_LIST, &csv, error);
  } else if (status == CQ_NOTFOUND) {
    status = cq_store_list_bytes(laptop->store, CQ_SHEET_LIST, &csv, error);
    if (status == CQ_NOTFOUND) status = CQ_OK;
  }
  cq_error why;
  cq_error_clear(&why);
  if (status == CQ_OK && (status = read_list(laptop, cq_buf_str(&csv), &why)) != CQ_OK) {
    /* A sheet was read before it was kept. A list of the office's own making may be anything: it gives no names. */
    if (!sheet && status != CQ_NOMEM)
      status = CQ_OK;
    else if (error)
      *error = why;
  }
  laptop->names.number = (uint64_t)number;
  laptop->names.made_utc_ms = made;
  cq_buf_fini_secret(&csv);
  return status;
}

cq_status cq_names_take(cq_laptop *laptop, cq_str bytes, bool *fresh, cq_error *error) {
  cq_batch_header header;
  cq_buf csv = {0};
  cq_sheet_person *persons;
  size_t count;
  *fresh = false;
  cq_status status = cq_sheet_verify(&header, bytes, &laptop->seal_key, cq_bundle_trust(laptop->bundle), error);
  if (status != CQ_OK || header.number <= laptop->names.number) return status;
  cq_arena *trial = cq_arena_new(0);
  if (!trial) return cq_error_nomem(error);
  status = cq_sheet_open(&csv, bytes, laptop->seal, error);
  /* What cannot be read must not take the place of what can. */
  if (status == CQ_OK) status = cq_sheet_list_read(&persons, &count, cq_buf_str(&csv), trial, error);
  cq_arena_free(trial);
  /* The number last: where the power goes before, the same sheet is taken once more. */
  if (status == CQ_OK) status = cq_store_set(laptop->store, SETTING_LIST, cq_buf_str(&csv), error);
  if (status == CQ_OK) status = cq_store_set_int(laptop->store, SETTING_MADE, header.created_utc_ms, error);
  if (status == CQ_OK) status = cq_store_set_int(laptop->store, SETTING_NUMBER, (int64_t)header.number, error);
  cq_buf_fini_secret(&csv);
  if (status == CQ_OK) status = cq_names_load(laptop, error);
  *fresh = status == CQ_OK;
  return status;
}

const cq_sheet_person *cq_names_of(const cq_laptop *laptop, cq_str id) {
  cq_str mark = CQ_STR("uuid:");
  if (cq_str_starts(id, mark)) id = (cq_str){id.at + mark.size, id.size - mark.size};
  return cq_sheet_find(laptop->names.persons, laptop->names.count, id);
}

void cq_names_words(const cq_sheet_person *person, cq_buf *out) {
  cq_buf_add_str(out, person->name);
  if (person->name.size && person->place.size) cq_buf_add_text(out, ", ");
  cq_buf_add_str(out, person->place);
}

cq_str cq_names_beside(const cq_laptop *laptop, cq_arena *arena, cq_str id, cq_str label) {
  const cq_sheet_person *person = cq_names_of(laptop, id);
  cq_buf words = {0};
  if (!person || (person->name.size == 0 && person->place.size == 0)) return label;
  cq_buf_add_str(&words, label);
  cq_buf_add_text(&words, " · ");
  cq_names_words(person, &words);
  cq_str both = {0};
  if (!words.failed) both = cq_arena_copy(arena, cq_buf_str(&words));
  cq_buf_fini_secret(&words);
  return both.at ? both : label;
}

void cq_names_choices(const cq_laptop *laptop, cq_arena *arena, cq_choices *choices) {
  for (size_t i = 0; laptop->names.count > 0 && i < choices->count; i++) {
    cq_choice *choice = &choices->items[i];
    choice->label =
        cq_names_beside(laptop, arena, choice->value, choice->label.size > 0 ? choice->label : choice->value);
  }
}
