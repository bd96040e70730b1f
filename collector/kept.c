/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include "chasqui/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_DIGITS = 8 /* of a record's name, at least, on the command line */ };

static void copy_text(char *out, size_t room, cq_str text) {
  size_t size = text.size < room ? text.size : room - 1;
  while (size < text.size && size > 0 && ((unsigned char)text.at[size] & 0xC0) == 0x80) size--;
  if (size > 0) memcpy(out, text.at, size);
  out[size] = '\0';
}

/* One more row of an array, zeroed; grows by doubling at each power of two. */
static void *more(void *rows, size_t count, size_t size, void **row) {
  if ((count & (count - 1)) == 0) {
    void *grown = realloc(rows, (count ? count * 2 : 1) * size);
    if (!grown) {
      *row = NULL;
      return rows;
    }
    rows = grown;
  }
  *row = (char *)rows + count * size;
  memset(*row, 0, size);
  return rows;
}

static bool is_zero(const uint8_t hash[CQ_STORE_HASH]) {
  for (size_t i = 0; i < CQ_STORE_HASH; i++)
    if (hash[i] != 0) return false;
  return true;
}

static cq_status see_draft(void *context, const cq_store_draft *draft) {
  cq_kept *kept = context;
  void *row;
  kept->drafts = more(kept->drafts, kept->draft_count, sizeof *kept->drafts, &row);
  if (!row) return CQ_NOMEM;
  cq_kept_draft *it = row;
  kept->draft_count++;
  it->id = draft->id;
  it->changed_utc_ms = draft->changed_utc_ms;
  memcpy(it->parent, draft->parent, sizeof it->parent);
  it->corrects = !is_zero(it->parent);
  copy_text(it->label, sizeof it->label, draft->label);
  copy_text(it->form, sizeof it->form, draft->form_id);
  return CQ_OK;
}

static cq_status see_record(void *context, const cq_store_record *record) {
  cq_kept *kept = context;
  void *row;
  kept->records = more(kept->records, kept->record_count, sizeof *kept->records, &row);
  if (!row) return CQ_NOMEM;
  cq_kept_record *it = row;
  kept->record_count++;
  memcpy(it->name, record->name, sizeof it->name);
  it->finalised_utc_ms = record->finalised_utc_ms;
  it->result = record->result;
  it->state = record->state;
  memcpy(it->parent, record->parent, sizeof it->parent);
  it->corrects = !is_zero(it->parent);
  it->corrected = record->corrected;
  copy_text(it->instance_id, sizeof it->instance_id, record->instance_id);
  it->files_behind = record->attachment_count > 0 && record->attachments_state < record->state;
  copy_text(it->label, sizeof it->label, record->label);
  copy_text(it->form, sizeof it->form, record->form_id);
  cq_buf origin = {0};
  if (cq_store_form_origin(kept->store, record->form, &origin, NULL) == CQ_OK && origin.size > 0) {
    it->of_server = true;
    copy_text(it->server, sizeof it->server, cq_buf_str(&origin));
  }
  cq_buf_fini(&origin);
  return CQ_OK;
}

bool cq_server_has_form(cq_str forms, cq_str id) {
  for (size_t at = 0; at < forms.size;) {
    size_t end = at;
    while (end < forms.size && forms.at[end] != '\n') end++;
    if (cq_str_equal((cq_str){forms.at + at, end - at}, id)) return true;
    at = end + 1;
  }
  return false;
}

static cq_status see_server(void *context, const cq_store_server *server) {
  cq_kept *kept = context;
  for (size_t i = 0; i < kept->record_count; i++) {
    cq_kept_record *it = &kept->records[i];
    if (!*it->server && it->state != CQ_STORE_ERASED && it->result != CQ_RESULT_WITHDRAWN &&
        cq_server_has_form(server->forms, cq_str_from(it->form)))
      copy_text(it->server, sizeof it->server, server->name);
  }
  return CQ_OK;
}

/* Both lists are by time of finalising, so what is looked for is never far. */
static cq_status see_delivery(void *context, const cq_store_delivery *delivery) {
  cq_kept *kept = context;
  for (size_t i = 0; i < kept->record_count; i++) {
    cq_kept_record *it = &kept->records[(kept->last + i) % kept->record_count];
    if (memcmp(it->name, delivery->record, sizeof it->name) != 0) continue;
    kept->last = (kept->last + i) % kept->record_count;
    it->outcome = (unsigned)delivery->outcome;
    it->said_utc_ms = delivery->changed_utc_ms;
    copy_text(it->words, sizeof it->words, delivery->message);
    copy_text(it->server, sizeof it->server, delivery->server);
    break;
  }
  return CQ_OK;
}

static cq_status see_batch(void *context, const cq_store_batch *batch) {
  cq_kept *kept = context;
  void *row;
  kept->batches = more(kept->batches, kept->batch_count, sizeof *kept->batches, &row);
  if (!row) return CQ_NOMEM;
  cq_kept_batch *it = row;
  kept->batch_count++;
  it->number = batch->number;
  it->made_utc_ms = batch->made_utc_ms;
  it->entries = batch->entries;
  it->size = batch->size;
  it->state = batch->state;
  copy_text(it->file, sizeof it->file, batch->file);
  return CQ_OK;
}

static cq_status see_word(void *context, int64_t batch_number, const uint8_t entry[CQ_STORE_HASH], uint8_t word) {
  cq_kept *kept = context;
  for (size_t i = 0; i < kept->batch_count; i++)
    if (kept->batches[i].number == batch_number && kept->batches[i].state != CQ_STORE_BATCH_OPENED)
      kept->batches[i].word = word;
  for (size_t i = 0; i < kept->record_count; i++)
    if (memcmp(kept->records[i].name, entry, CQ_STORE_HASH) == 0 && kept->records[i].state < CQ_STORE_OPENED)
      kept->records[i].word = word;
  return CQ_OK;
}

cq_status cq_kept_read(cq_kept *kept, cq_store *store, cq_error *error) {
  *kept = (cq_kept){.store = store};
  cq_status status = cq_store_drafts(store, see_draft, kept, error);
  if (status == CQ_OK) status = cq_store_records(store, -1, see_record, kept, error);
  if (status == CQ_OK) status = cq_store_servers(store, see_server, kept, error);
  if (status == CQ_OK) status = cq_store_deliveries(store, CQ_STR(""), see_delivery, kept, error);
  if (status == CQ_OK) status = cq_store_batches(store, 0, see_batch, kept, error);
  if (status == CQ_OK) status = cq_store_words(store, see_word, kept, error);
  if (status == CQ_NOMEM) cq_error_nomem(error);
  if (status != CQ_OK) cq_kept_free(kept);
  return status;
}

void cq_kept_free(cq_kept *kept) {
  free(kept->drafts);
  free(kept->records);
  free(kept->batches);
  *kept = (cq_kept){0};
}

/* --- corrections --- */

bool cq_record_is_called(const uint8_t name[CQ_STORE_HASH], const char *asked) {
  char hex[2 * CQ_STORE_HASH + 1];
  for (size_t i = 0; i < CQ_STORE_HASH; i++) snprintf(hex + 2 * i, 3, "%02x", name[i]);
  return strlen(asked) >= NAME_DIGITS && strncmp(hex, asked, strlen(asked)) == 0;
}

const char *cq_kept_short_name(const cq_kept_record *record, char out[9]) {
  for (size_t i = 0; i < 4; i++) snprintf(out + 2 * i, 3, "%02x", record->name[i]);
  return out;
}

cq_status cq_kept_find(const cq_kept *kept, const char *asked, size_t *record, cq_error *error) {
  size_t found = 0;
  for (size_t i = 0; i < kept->record_count; i++) {
    const cq_kept_record *it = &kept->records[i];
    if (strcmp(it->instance_id, asked) != 0 && !cq_record_is_called(it->name, asked)) continue;
    *record = i;
    found++;
  }
  if (found == 1) return CQ_OK;
  return cq_error_set(error, CQ_NOTFOUND, found ? "collector.record.several" : "collector.record.none", asked, NULL);
}

/* Records that correct this one; the newest of them in *newest. */
static size_t corrections_of(const cq_kept *kept, size_t record, size_t *newest) {
  size_t count = 0;
  for (size_t i = 0; kept->records[record].corrected && i < kept->record_count; i++) {
    if (memcmp(kept->records[i].parent, kept->records[record].name, CQ_STORE_HASH) != 0) continue;
    *newest = i; /* they stand by time of finalising */
    count++;
  }
  return count;
}

size_t cq_kept_newest(const cq_kept *kept, size_t record) {
  while (corrections_of(kept, record, &record) > 0) continue;
  return record;
}

size_t cq_kept_parent(const cq_kept *kept, size_t record) {
  const cq_kept_record *it = &kept->records[record];
  for (size_t i = 0; it->corrects && i < kept->record_count; i++)
    if (memcmp(kept->records[i].name, it->parent, CQ_STORE_HASH) == 0) return i;
  return SIZE_MAX;
}

int64_t cq_kept_correction(const cq_kept *kept, size_t record) {
  for (size_t i = 0; i < kept->draft_count; i++)
    if (memcmp(kept->drafts[i].parent, kept->records[record].name, CQ_STORE_HASH) == 0) return kept->drafts[i].id;
  return 0;
}

void cq_kept_correction_words(const cq_kept *kept, size_t record, const cq_clock *clock, cq_buf *out) {
  char when[24], name[9];
  const cq_kept_record *it = &kept->records[record];
  size_t newest = record, parent = cq_kept_parent(kept, record), count = corrections_of(kept, record, &newest);
  if (count > 0) {
    cq_time_words(clock, kept->records[newest].finalised_utc_ms, when);
    if (out->size > 0) cq_buf_add_char(out, ' ');
    cq_buf_addf(out, _("Corrected by %s of %s."), cq_kept_short_name(&kept->records[newest], name), when);
  }
  if (count > 1)
    cq_buf_addf(out, " %s", _("It was corrected more than once: the office decides which correction counts."));
  if (!it->corrects) return;
  if (out->size > 0) cq_buf_add_char(out, ' ');
  for (size_t i = 0; i < 4; i++) snprintf(name + 2 * i, 3, "%02x", it->parent[i]);
  if (parent != SIZE_MAX) cq_time_words(clock, kept->records[parent].finalised_utc_ms, when);
  if (parent != SIZE_MAX)
    cq_buf_addf(out, _("It corrects %s of %s."), name, when);
  else
    cq_buf_addf(out, _("It corrects %s."), name);
}

/* --- words --- */

const char *cq_result_words(int result) {
  switch (result) {
  case CQ_RESULT_COMPLETE: return _("complete");
  case CQ_RESULT_PARTIAL: return _("partial");
  case CQ_RESULT_REFUSED: return _("refused");
  case CQ_RESULT_WITHDRAWN: return _("withdrawn");
  default: return _("draft");
  }
}

const char *cq_record_state_words(cq_store_record_state state) {
  switch (state) {
  case CQ_STORE_NOT_BATCHED: return _("not yet packed");
  case CQ_STORE_BATCHED: return _("waits to be sent");
  case CQ_STORE_KEPT: return _("arrived at the post");
  case CQ_STORE_OPENED: return _("arrived at the desk");
  default: return _("erased by order");
  }
}

const char *cq_delivery_words(unsigned outcome) {
  if (outcome == 0 || outcome == CQ_DELIVERY_UNTRIED) return _("waits for send");
  if (cq_delivery_is_done(outcome)) return _("accepted");
  switch (outcome) {
  case CQ_DELIVERY_UNCLEAR: return _("no clear answer");
  case CQ_DELIVERY_BUSY:
  case CQ_DELIVERY_FAULT: return _("the server failed");
  case CQ_DELIVERY_QUOTA: return _("no room there");
  case CQ_DELIVERY_CLOSED: return _("form closed");
  case CQ_DELIVERY_UNASSIGNED: return _("form not assigned");
  case CQ_DELIVERY_FORM: return _("form unknown there");
  case CQ_DELIVERY_DELETED: return _("deleted there");
  case CQ_DELIVERY_ORIGINAL: return _("original missing there");
  case CQ_DELIVERY_CONFLICT: return _("conflict");
  case CQ_DELIVERY_LARGE: return _("too large");
  default: return _("refused");
  }
}

void cq_kept_record_words(const cq_kept_record *it, cq_buf *out) {
  if (it->corrected) cq_buf_addf(out, "%s · ", _("corrected"));
  if (!it->of_server) cq_buf_add_text(out, it->word ? cq_word_words(it->word) : cq_record_state_words(it->state));
  if (!it->of_server && !it->word && it->files_behind) cq_buf_addf(out, ", %s", _("its files not yet"));
  if (!*it->server) return;
  cq_buf_addf(out, "%s%s: %s", it->of_server ? "" : " · ", it->server, cq_delivery_words(it->outcome));
}

void cq_kept_delivery_words(const cq_kept_record *it, const cq_clock *clock, cq_buf *out) {
  cq_error error;
  cq_buf what = {0}, next = {0};
  char when[24];
  const char *words = *it->words ? it->words : "-";
  if (it->outcome == 0) return;
  cq_error_clear(&error);
  cq_error_set(&error, CQ_REFUSED, cq_delivery_code(it->outcome), it->server, words, NULL);
  cq_cli_explain(&error, &what, &next);
  cq_time_words(clock, it->said_utc_ms, when);
  if (out->size > 0) cq_buf_add_char(out, ' ');
  cq_buf_addf(out, "%s · %s", when, what.at ? what.at : "");
  if (next.size > 0) cq_buf_addf(out, " %s", next.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

const char *cq_batch_state_words(cq_store_batch_state state) {
  switch (state) {
  case CQ_STORE_BATCH_KEPT: return _("arrived at the post");
  case CQ_STORE_BATCH_OPENED: return _("arrived at the desk");
  default: return _("waits for a receipt");
  }
}

void cq_time_words(const cq_clock *clock, int64_t utc_ms, char out[24]) {
  char date[11];
  int64_t local = utc_ms + (int64_t)clock->offset_minutes(clock->context, utc_ms) * 60000;
  int64_t minute = (local % 86400000 + 86400000) % 86400000 / 60000;
  cq_date_format(cq_date_at(clock, utc_ms), date);
  snprintf(out, 24, "%s %02d:%02d", date, (int)(minute / 60), (int)(minute % 60));
}

const char *cq_room_words(const cq_laptop *laptop, cq_buf *memory) {
  cq_vault_space space;
  cq_buf_reset(memory);
  if (cq_vault_space_used(cq_store_vault(laptop->store), &space, NULL) != CQ_OK || !space.nearly_full) return "";
  cq_buf_addf(memory, _("Little room is left on this disk: %lld MiB. Free some before the next interview."),
              (long long)(space.disk_free_bytes >> 20));
  return memory->at ? memory->at : "";
}

static const char *type_words(cq_type type) {
  switch (type) {
  case CQ_TYPE_INT: return _("Write a whole number.");
  case CQ_TYPE_DECIMAL: return _("Write a number, with a point before the decimals.");
  case CQ_TYPE_DATE: return _("Write a date that exists, day/month/year.");
  case CQ_TYPE_TIME: return _("Write a time, hours:minutes.");
  case CQ_TYPE_DATETIME: return _("Write a date and a time.");
  case CQ_TYPE_GEOPOINT: return _("Write latitude and longitude, with a blank between.");
  default: return _("This cannot be the answer here.");
  }
}

const char *cq_outcome_words(const cq_set_outcome *outcome, cq_type type, cq_buf *memory) {
  switch (outcome->result) {
  case CQ_SET_ACCEPTED: return "";
  case CQ_SET_CONSTRAINT:
    if (outcome->message.size == 0) return _("This answer is not allowed here.");
    cq_buf_reset(memory);
    cq_buf_add_str(memory, outcome->message);
    return memory->at ? memory->at : "";
  case CQ_SET_TYPE: return type_words(type);
  case CQ_SET_NOT_OFFERED: return _("This is not one of the choices.");
  case CQ_SET_READONLY: return _("This answer cannot be changed.");
  default: return _("This question does not apply now.");
  }
}
