/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/sheet.h"

#include "chasqui/csv.h"

#include <stdlib.h>
#include <string.h>

enum { LIST, ID, NAME, PLACE, PHONE, DIRECTIONS, COLUMNS };
static const char *const columns[COLUMNS] = {"list", "id", "name", "place", "phone", "directions"};

/* --- the list --- */

cq_status cq_sheet_list_write(cq_buf *csv, const cq_sheet_person *persons, size_t count, cq_error *error) {
  if (count > CQ_SHEET_MAX_PERSONS) return cq_error_set(error, CQ_LIMIT, "sheet.large", NULL);
  for (size_t c = 0; c < COLUMNS; c++) cq_csv_add_field(csv, c == 0, cq_str_from(columns[c]), false);
  cq_csv_end_row(csv);
  for (size_t i = 0; i < count; i++) {
    const cq_sheet_person *p = &persons[i];
    const cq_str fields[COLUMNS] = {p->list, p->id, p->name, p->place, p->phone, p->directions};
    for (size_t c = 0; c < COLUMNS; c++) cq_csv_add_field(csv, c == 0, fields[c], false);
    cq_csv_end_row(csv);
  }
  if (csv->failed) return cq_error_nomem(error);
  return csv->size > CQ_SHEET_MAX_BYTES ? cq_error_set(error, CQ_LIMIT, "sheet.large", NULL) : CQ_OK;
}

typedef struct reader {
  cq_arena *arena;
  size_t at[COLUMNS]; /* SIZE_MAX: the list has no such column */
  cq_sheet_person *rows;
  size_t count, room;
} reader;

static cq_status read_head(reader *r, cq_csv *csv, cq_error *error) {
  const cq_str *fields;
  size_t count = 0;
  cq_status status = cq_csv_next(csv, &fields, &count, error);
  for (size_t c = 0; c < COLUMNS; c++) {
    r->at[c] = SIZE_MAX;
    for (size_t i = 0; status == CQ_OK && i < count; i++)
      if (cq_str_is(cq_str_trim(fields[i]), columns[c])) r->at[c] = i;
  }
  if (status == CQ_OK && r->at[ID] == SIZE_MAX) return cq_error_set(error, CQ_INVALID, "sheet.columns", NULL);
  return status;
}

static cq_status add_row(reader *r, const cq_str *fields, size_t count, cq_error *error) {
  cq_str kept[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) {
    cq_str text = r->at[c] < count ? cq_str_trim(fields[r->at[c]]) : CQ_STR("");
    kept[c] = text.size ? cq_arena_copy(r->arena, text) : CQ_STR("");
    if (!kept[c].at) return cq_error_nomem(error);
  }
  if (kept[ID].size == 0) return CQ_OK;
  if (r->count == CQ_SHEET_MAX_PERSONS) return cq_error_set(error, CQ_LIMIT, "sheet.large", NULL);
  if (r->count == r->room) {
    size_t room = r->room ? r->room * 2 : 256;
    cq_sheet_person *more = cq_arena_array(r->arena, room, sizeof *more);
    if (!more) return cq_error_nomem(error);
    if (r->count) memcpy(more, r->rows, r->count * sizeof *more);
    r->rows = more;
    r->room = room;
  }
  r->rows[r->count++] = (cq_sheet_person){kept[LIST], kept[ID], kept[NAME], kept[PLACE], kept[PHONE], kept[DIRECTIONS]};
  return CQ_OK;
}

static int by_id(const void *a, const void *b) {
  return cq_str_compare(((const cq_sheet_person *)a)->id, ((const cq_sheet_person *)b)->id);
}

cq_status cq_sheet_list_read(cq_sheet_person **persons, size_t *count, cq_str bytes, cq_arena *arena, cq_error *error) {
  reader r = {.arena = arena};
  *persons = NULL;
  *count = 0;
  if (bytes.size > CQ_SHEET_MAX_BYTES) return cq_error_set(error, CQ_LIMIT, "sheet.large", NULL);
  cq_csv *csv = cq_csv_new(bytes, 0);
  cq_status status = csv ? read_head(&r, csv, error) : cq_error_nomem(error);
  while (status == CQ_OK) {
    const cq_str *fields;
    size_t fields_count = 0;
    status = cq_csv_next(csv, &fields, &fields_count, error);
    if (status != CQ_OK || fields_count == 0) break;
    status = add_row(&r, fields, fields_count, error);
  }
  cq_csv_free(csv);
  if (status != CQ_OK) return status;
  if (r.count) qsort(r.rows, r.count, sizeof *r.rows, by_id);
  *persons = r.rows;
  *count = r.count;
  return CQ_OK;
}

const cq_sheet_person *cq_sheet_find(const cq_sheet_person *persons, size_t count, cq_str id) {
  cq_sheet_person key = {.id = id};
  return count ? bsearch(&key, persons, count, sizeof *persons, by_id) : NULL;
}

/* --- the file --- */

cq_status cq_sheet_seal(cq_buf *out, cq_hash *hash, cq_str csv, const cq_batch_sender *sender,
                        const cq_seal_key *laptop, const cq_random *random, cq_error *error) {
  cq_batch_codec *codec = cq_batch_codec_new(NULL);
  cq_batch_writer *writer = codec ? cq_batch_writer_new(codec) : NULL;
  cq_status status = writer ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_batch_add_list(writer, CQ_STR(CQ_SHEET_LIST), csv, error);
  if (status == CQ_OK) status = cq_batch_end(writer, sender, laptop, 1, random, out, hash, NULL, error);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  return status;
}

static bool is_for(const cq_batch_header *header, const cq_seal_key *laptop) {
  cq_hash own = cq_hash_of(laptop->at, sizeof laptop->at);
  for (size_t i = 0; i < header->recipient_count; i++)
    if (memcmp(header->recipient[i], own.at, sizeof header->recipient[i]) == 0) return true;
  return false;
}

bool cq_sheet_is(const cq_batch_header *header) {
  cq_certificate signer;
  return header->chain.count > 0 &&
         cq_certificate_read(&signer, header->chain.link[header->chain.count - 1], CQ_CERTIFICATE_SIZE, NULL) ==
             CQ_OK &&
         signer.role == CQ_ROLE_DESK;
}

cq_status cq_sheet_verify(cq_batch_header *header, cq_str bytes, const cq_seal_key *laptop, const cq_trust *trust,
                          cq_error *error) {
  cq_hash hash;
  cq_standing standing;
  const char *why;
  cq_status status = cq_batch_verify(header, &hash, &standing, &why, bytes.at, bytes.size, trust, error);
  if (status != CQ_OK) return status;
  if (standing != CQ_STANDING_CERTIFIED || !cq_sheet_is(header))
    return cq_error_set(error, CQ_REFUSED, "sheet.signer", NULL);
  return is_for(header, laptop) ? CQ_OK : cq_error_set(error, CQ_NOTFOUND, "sheet.other", NULL);
}

cq_status cq_sheet_open(cq_buf *csv, cq_str bytes, const cq_secret *laptop, cq_error *error) {
  cq_batch_codec *codec = cq_batch_codec_new(NULL);
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  bool found = false;
  cq_status status = codec ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_batch_open(&content, codec, bytes.at, bytes.size, laptop, error);
  while (status == CQ_OK && !found && cq_batch_next(content, &entry)) {
    if (entry.kind != CQ_ENTRY_LIST || !cq_str_is(entry.list_name, CQ_SHEET_LIST)) continue;
    found = true;
    cq_buf_add_str(csv, entry.bytes);
    if (csv->failed) status = cq_error_nomem(error);
  }
  cq_batch_content_free(content);
  cq_batch_codec_free(codec);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_INVALID, "sheet.list", NULL) : status;
}
