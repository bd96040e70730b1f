/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/take.h"

#include "central/merge/attachments.h"
#include "central/merge/derive.h"
#include "central/merge/erasure.h"

#include <stdlib.h>
#include <string.h>

enum { OPENED, KNOWN, SEEN, BATCH, RECORD, ERASED, AGAIN, DRAFT, REQUEST, STATEMENTS };

static const char seen_sql[] = "INSERT INTO device (id, sign, seal, note, predecessor, first_seen_utc_ms) "
                               "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
                               "seal = coalesce(seal, excluded.seal), "
                               "note = CASE WHEN note = '' THEN excluded.note ELSE note END, "
                               "predecessor = coalesce(predecessor, excluded.predecessor)";

static const char *const sql[STATEMENTS] = {
    [SEEN] = seen_sql,
    [OPENED] = "SELECT 1 FROM batch WHERE file = ?1 AND state = 3",
    [KNOWN] = "SELECT 1 FROM batch WHERE hash = ?1 AND state = 3",
    [BATCH] = "INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0) ON CONFLICT (hash) DO UPDATE SET "
              "file = excluded.file, state = excluded.state, why = excluded.why, records = excluded.records",
    [RECORD] = "INSERT OR IGNORE INTO record (name, batch, bytes) VALUES (?1, ?2, ?3)",
    [ERASED] = "SELECT 1 FROM record WHERE name = ?1 AND bytes IS NULL",
    [AGAIN] = "INSERT OR IGNORE INTO record_again VALUES (?1, ?2)",
    [DRAFT] = "INSERT OR IGNORE INTO draft VALUES (?1, ?2, ?3, ?4)",
    [REQUEST] = "INSERT OR IGNORE INTO request VALUES (?1, ?2, ?3, ?4)",
};

struct cq_taker {
  cq_desk *desk;
  cq_derive *derive;
  cq_beliefs *beliefs; /* these two: when first needed */
  cq_opener *opener;
  sqlite3_stmt *statement[STATEMENTS];
};

static void bind_hash(sqlite3_stmt *statement, int at, const cq_hash *hash) {
  sqlite3_bind_blob(statement, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

static void bind_device(sqlite3_stmt *statement, int at, const cq_device_id *device) {
  sqlite3_bind_blob(statement, at, device->at, sizeof device->at, SQLITE_STATIC);
}

cq_status cq_taker_new(cq_taker **out, cq_desk *desk, cq_error *error) {
  cq_taker *t = calloc(1, sizeof *t);
  *out = NULL;
  if (!t) return cq_error_nomem(error);
  t->desk = desk;
  cq_status status = cq_derive_new(&t->derive, desk, error);
  for (size_t i = 0; status == CQ_OK && i < STATEMENTS; i++)
    status = cq_desk_prepare(desk, &t->statement[i], sql[i], error);
  if (status == CQ_OK)
    *out = t;
  else
    cq_taker_free(t);
  return status;
}

void cq_taker_free(cq_taker *t) {
  if (!t) return;
  cq_opener_free(t->opener);
  cq_beliefs_free(t->beliefs);
  cq_derive_free(t->derive);
  for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(t->statement[i]);
  free(t);
}

cq_status cq_taker_beliefs(cq_taker *t, const cq_beliefs **beliefs, cq_error *error) {
  cq_status status = t->beliefs ? CQ_OK : cq_beliefs_new(&t->beliefs, t->desk, error);
  *beliefs = t->beliefs;
  return status;
}

/* Whether a statement that selects one row finds it. */
static cq_status exists(cq_taker *t, size_t which, bool *found, cq_error *error) {
  cq_status status = cq_desk_step(t->desk, t->statement[which], found, error);
  sqlite3_reset(t->statement[which]);
  return status;
}

cq_status cq_taker_opened(cq_taker *t, const char *file, bool *opened, cq_error *error) {
  sqlite3_bind_text(t->statement[OPENED], 1, file, -1, SQLITE_STATIC);
  return exists(t, OPENED, opened, error);
}

/* --- devices --- */

static cq_status put_device(cq_desk *desk, sqlite3_stmt *s, const cq_sign_key *sign, const cq_request *request,
                            cq_error *error) {
  cq_secret *note = NULL;
  cq_device_id id = cq_device_id_of(sign);
  sqlite3_clear_bindings(s);
  bind_device(s, 1, &id);
  sqlite3_bind_blob(s, 2, sign->at, 32, SQLITE_STATIC);
  sqlite3_bind_text(s, 4, "", 0, SQLITE_STATIC);
  sqlite3_bind_int64(s, 6, cq_desk_now());
  if (request) {
    sqlite3_bind_blob(s, 3, request->seal.at, 32, SQLITE_STATIC);
    if (request->has_predecessor) bind_device(s, 5, &request->predecessor);
    /* a note that does not open is no reason to keep the device out */
    if (request->note_size &&
        cq_unseal(&note, CQ_REQUEST_PURPOSE, request->note, request->note_size, desk->seal_secret, NULL) == CQ_OK) {
      cq_str text = {(const char *)cq_secret_view(note), cq_secret_size(note)};
      if (cq_utf8_valid(text)) sqlite3_bind_text(s, 4, text.at, (int)text.size, SQLITE_STATIC);
    }
  }
  cq_status status = cq_desk_step(desk, s, NULL, error);
  cq_secret_free(note);
  return status;
}

cq_status cq_device_seen(cq_desk *desk, const cq_sign_key *sign, const cq_request *request, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, seen_sql, error);
  if (status == CQ_OK) status = put_device(desk, s, sign, request, error);
  sqlite3_finalize(s);
  return status;
}

/* --- entries --- */

static cq_status take_record(cq_taker *t, const cq_hash *batch, const cq_opened_entry *e, cq_taken *taken,
                             cq_error *error) {
  sqlite3_stmt *s = t->statement[RECORD];
  bind_hash(s, 1, &e->entry.name);
  bind_hash(s, 2, batch);
  sqlite3_bind_blob64(s, 3, e->kept.at, e->kept.size, SQLITE_STATIC);
  cq_status status = cq_desk_step(t->desk, s, NULL, error);
  if (status != CQ_OK) return status;
  if (!sqlite3_changes(t->desk->db)) { /* an erased one takes its files along, whenever they come */
    bool erased = false;
    bind_hash(t->statement[ERASED], 1, &e->entry.name);
    status = exists(t, ERASED, &erased, error);
    if (status != CQ_OK) return status;
    if (erased) return cq_erasure_came(t->desk, batch, &e->entry.name, e->record, error);
    bind_hash(t->statement[AGAIN], 1, &e->entry.name);
    bind_hash(t->statement[AGAIN], 2, batch);
    return cq_desk_step(t->desk, t->statement[AGAIN], NULL, error);
  }
  taken->records_new++;
  return cq_derive_record(t->derive, sqlite3_last_insert_rowid(t->desk->db), &e->entry.name, e->record, error);
}

static cq_status take_entry(cq_taker *t, const cq_opened *o, const cq_opened_entry *e, cq_taken *taken,
                            cq_error *error) {
  const cq_batch_entry *entry = &e->entry;
  sqlite3_stmt *s;
  bool fresh, erased;
  cq_status status;
  switch (entry->kind) {
  case CQ_ENTRY_RECORD: return take_record(t, &o->hash, e, taken, error);
  case CQ_ENTRY_DECISION: return cq_derive_decision(t->derive, entry->bytes, &fresh, error);
  case CQ_ENTRY_DRAFT:
    status = cq_erasure_draft(t->desk, &o->hash, entry->bytes, &erased, error);
    if (status != CQ_OK || erased) return status;
    s = t->statement[DRAFT];
    bind_device(s, 2, &o->header.device);
    bind_hash(s, 3, &o->hash);
    break;
  case CQ_ENTRY_PART: {
    bool whole = false;
    status = cq_attachment_take(t->desk, entry, &o->hash, &whole, error);
    taken->attachments += whole;
    return status;
  }
  case CQ_ENTRY_REQUEST:
    s = t->statement[REQUEST];
    bind_device(s, 2, &o->header.device);
    sqlite3_bind_int64(s, 3, cq_desk_now());
    break;
  case CQ_ENTRY_RECEIPT: return cq_erasure_word_take(t->desk, &o->header.device, entry->bytes, error);
  case CQ_ENTRY_LIST:
  case CQ_ENTRY_BUNDLE:
  default: return CQ_OK;
  }
  bind_hash(s, 1, &entry->name);
  sqlite3_bind_blob64(s, 4, entry->bytes.at, entry->bytes.size, SQLITE_STATIC);
  return cq_desk_step(t->desk, s, NULL, error);
}

/* --- a batch --- */

static cq_status put_batch(cq_taker *t, const cq_opened *o, const char *file, const cq_taken *taken, cq_error *error) {
  sqlite3_stmt *s = t->statement[BATCH];
  bind_hash(s, 1, &o->hash);
  bind_device(s, 2, &o->header.device);
  sqlite3_bind_int64(s, 3, (int64_t)o->header.number);
  bind_hash(s, 4, &o->header.previous);
  sqlite3_bind_text(s, 5, file, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 6, o->header.created_utc_ms);
  sqlite3_bind_int64(s, 7, cq_desk_now());
  sqlite3_bind_int(s, 8, (int)taken->state);
  sqlite3_bind_text(s, 9, taken->why, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 10, (int64_t)taken->records);
  return cq_desk_step(t->desk, s, NULL, error);
}

cq_status cq_taker_merge(cq_taker *t, const char *file, const cq_opened *o, cq_taken *taken, cq_error *error) {
  *taken = o->taken;
  if (!o->right) return CQ_OK;
  bind_hash(t->statement[KNOWN], 1, &o->hash);
  bool known = false;
  cq_status status = exists(t, KNOWN, &known, error);
  if (status != CQ_OK) return status;
  if (known) {
    *taken =
        (cq_taken){.state = CQ_RECEIPT_OPENED, .already = true, .device = o->header.device, .number = o->header.number};
    return CQ_OK;
  }
  status = put_device(t->desk, t->statement[SEEN], &o->header.sign, o->header.has_request ? &o->header.request : NULL,
                      error);
  for (size_t i = 0; status == CQ_OK && taken->state == CQ_RECEIPT_OPENED && i < o->count; i++)
    status = take_entry(t, o, &o->entries[i], taken, error);
  return status == CQ_OK ? put_batch(t, o, file, taken, error) : status;
}

cq_status cq_taker_take(cq_taker *t, const char *file, cq_str bytes, cq_taken *taken, cq_error *error) {
  const cq_beliefs *beliefs;
  cq_opened opened = {0};
  cq_status status = cq_taker_beliefs(t, &beliefs, error);
  if (status == CQ_OK && !t->opener && !(t->opener = cq_opener_new(beliefs))) status = cq_error_nomem(error);
  if (status == CQ_OK) status = cq_opener_open(&opened, t->opener, bytes, error);
  if (status == CQ_OK) status = cq_taker_merge(t, file, &opened, taken, error);
  cq_opened_fini(&opened);
  return status;
}
