/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/take.h"

#include "central/merge/derive.h"
#include "chasqui/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIND_FORM, OPENED, KNOWN, DEVICE, BATCH, RECORD, DRAFT, PART, REQUEST, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [FIND_FORM] = "SELECT xml FROM form WHERE hash = ?1",
    [OPENED] = "SELECT 1 FROM batch WHERE file = ?1 AND state = 3",
    [KNOWN] = "SELECT 1 FROM batch WHERE hash = ?1 AND state = 3",
    [DEVICE] = "SELECT chain IS NOT NULL, revoked_utc_ms IS NOT NULL, last_trusted, held, released "
               "FROM device WHERE id = ?1",
    [BATCH] = "INSERT INTO batch VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0) ON CONFLICT (hash) DO UPDATE SET "
              "file = excluded.file, state = excluded.state, why = excluded.why, records = excluded.records",
    [RECORD] = "INSERT OR IGNORE INTO record (name, batch, bytes) VALUES (?1, ?2, ?3)",
    [DRAFT] = "INSERT OR IGNORE INTO draft VALUES (?1, ?2, ?3, ?4)",
    [PART] = "INSERT OR IGNORE INTO part VALUES (?1, ?2, ?3, ?4)",
    [REQUEST] = "INSERT OR IGNORE INTO request VALUES (?1, ?2, ?3, ?4)",
};

typedef struct known_form {
  cq_hash hash;
  cq_str xml;
} known_form;

struct cq_taker {
  cq_desk *desk;
  cq_derive *derive;
  cq_batch_codec *codec;
  cq_batch_forms forms;
  cq_arena *arena; /* of forms */
  known_form *known;
  size_t known_count;
  sqlite3_stmt *statement[STATEMENTS];
};

static void bind_hash(sqlite3_stmt *statement, int at, const cq_hash *hash) {
  sqlite3_bind_blob(statement, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

static void bind_device(sqlite3_stmt *statement, int at, const cq_device_id *device) {
  sqlite3_bind_blob(statement, at, device->at, sizeof device->at, SQLITE_STATIC);
}

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  cq_taker *t = context;
  bool row = false;
  for (size_t i = 0; i < t->known_count; i++) {
    if (!cq_hash_equal(&t->known[i].hash, hash)) continue;
    *xml = t->known[i].xml;
    return CQ_OK;
  }
  sqlite3_stmt *s = t->statement[FIND_FORM];
  bind_hash(s, 1, hash);
  cq_status status = cq_desk_step(t->desk, s, &row, NULL);
  if (status == CQ_OK && !row) status = CQ_NOTFOUND;
  if (status == CQ_OK) {
    known_form *more = realloc(t->known, (t->known_count + 1) * sizeof *more);
    if (more) t->known = more;
    *xml = cq_arena_copy(t->arena, cq_desk_text(s, 0));
    if (!more || !xml->at)
      status = CQ_NOMEM;
    else
      t->known[t->known_count++] = (known_form){*hash, *xml};
  }
  sqlite3_reset(s);
  return status;
}

cq_status cq_taker_new(cq_taker **out, cq_desk *desk, cq_error *error) {
  cq_taker *t = calloc(1, sizeof *t);
  *out = NULL;
  if (!t) return cq_error_nomem(error);
  t->desk = desk;
  t->forms = (cq_batch_forms){find_form, t};
  t->arena = cq_arena_new(0);
  t->codec = cq_batch_codec_new(&t->forms);
  cq_status status = t->arena && t->codec ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_derive_new(&t->derive, desk, error);
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
  cq_batch_codec_free(t->codec);
  cq_derive_free(t->derive);
  for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(t->statement[i]);
  cq_arena_free(t->arena);
  free(t->known);
  free(t);
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

cq_status cq_device_seen(cq_desk *desk, const cq_sign_key *sign, const cq_request *request, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_secret *note = NULL;
  cq_device_id id = cq_device_id_of(sign);
  cq_status status = cq_desk_prepare(desk, &s,
                                     "INSERT INTO device (id, sign, seal, note, predecessor, first_seen_utc_ms) "
                                     "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
                                     "seal = coalesce(seal, excluded.seal), "
                                     "note = CASE WHEN note = '' THEN excluded.note ELSE note END, "
                                     "predecessor = coalesce(predecessor, excluded.predecessor)",
                                     error);
  if (status != CQ_OK) return status;
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
  status = cq_desk_step(desk, s, NULL, error);
  sqlite3_finalize(s);
  cq_secret_free(note);
  return status;
}

/* Why a batch is kept apart; NULL where it may be merged. The signature is right already. */
static cq_status held_why(cq_taker *t, const cq_batch_header *header, cq_standing standing, const char **why,
                          cq_error *error) {
  sqlite3_stmt *s = t->statement[DEVICE];
  bool row = false;
  bind_device(s, 1, &header->device);
  cq_status status = cq_desk_step(t->desk, s, &row, error);
  if (status != CQ_OK || !row) return status;
  bool certified = standing != CQ_STANDING_UNKNOWN || sqlite3_column_int(s, 0);
  bool revoked = sqlite3_column_int(s, 1) && (int64_t)header->number > sqlite3_column_int64(s, 2);
  bool held = sqlite3_column_int(s, 3);
  bool released = (int64_t)header->number <= sqlite3_column_int64(s, 4);
  sqlite3_reset(s);
  /* A day is the most that two right clocks in two zones can differ. */
  bool ahead = cq_date_to_day(header->working_date) > cq_desk_now() / 86400000 + 1;
  *why = released     ? NULL
         : revoked    ? "desk.held.revoked"
         : !certified ? "desk.held.unknown"
         : held       ? "desk.held.hold"
         : ahead      ? "desk.held.ahead"
                      : NULL;
  return CQ_OK;
}

/* --- entries --- */

static cq_status take_record(cq_taker *t, const cq_hash *batch, const cq_batch_entry *entry, cq_taken *taken,
                             cq_error *error) {
  sqlite3_stmt *s = t->statement[RECORD];
  taken->records++;
  bind_hash(s, 1, &entry->name);
  bind_hash(s, 2, batch);
  sqlite3_bind_blob64(s, 3, entry->bytes.at, entry->bytes.size, SQLITE_STATIC);
  cq_status status = cq_desk_step(t->desk, s, NULL, error);
  if (status != CQ_OK || !sqlite3_changes(t->desk->db)) return status;
  taken->records_new++;
  return cq_derive_record(t->derive, sqlite3_last_insert_rowid(t->desk->db), &entry->name, entry->bytes, error);
}

static cq_status take_entry(cq_taker *t, const cq_batch_header *header, const cq_hash *batch,
                            const cq_batch_entry *entry, cq_taken *taken, cq_error *error) {
  sqlite3_stmt *s;
  bool fresh;
  switch (entry->kind) {
  case CQ_ENTRY_RECORD: return take_record(t, batch, entry, taken, error);
  case CQ_ENTRY_DECISION: taken->decisions++; return cq_derive_decision(t->derive, entry->bytes, &fresh, error);
  case CQ_ENTRY_DRAFT:
    taken->drafts++;
    s = t->statement[DRAFT];
    bind_device(s, 2, &header->device);
    bind_hash(s, 3, batch);
    break;
  case CQ_ENTRY_PART:
    s = t->statement[PART];
    sqlite3_bind_int64(s, 2, (int64_t)entry->part_offset);
    sqlite3_bind_int64(s, 3, (int64_t)entry->part_total);
    break;
  case CQ_ENTRY_REQUEST:
    s = t->statement[REQUEST];
    bind_device(s, 2, &header->device);
    sqlite3_bind_int64(s, 3, cq_desk_now());
    break;
  case CQ_ENTRY_LIST:
  case CQ_ENTRY_BUNDLE:
  case CQ_ENTRY_RECEIPT:
  default: taken->others++; return CQ_OK; /* things a desk has nothing to do with */
  }
  bind_hash(s, 1, &entry->name);
  sqlite3_bind_blob64(s, 4, entry->bytes.at, entry->bytes.size, SQLITE_STATIC);
  return cq_desk_step(t->desk, s, NULL, error);
}

/* Whether a failure lies in what was sent, and not in this machine or this vault. */
static bool is_theirs(cq_status status, const cq_error *error) {
  if (status == CQ_NOMEM || status == CQ_IO || status == CQ_BUSY || status == CQ_CANCELLED) return false;
  return !error->code || (strncmp(error->code, "vault.", 6) != 0 && strcmp(error->code, "desk.damaged") != 0);
}

static cq_status open_batch(cq_taker *t, const cq_batch_header *header, const cq_hash *hash, cq_str bytes,
                            cq_taken *taken, cq_error *error) {
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  cq_status status = cq_batch_open(&content, t->codec, bytes.at, bytes.size, t->desk->seal_secret, error);
  while (status == CQ_OK && cq_batch_next(content, &entry)) status = take_entry(t, header, hash, &entry, taken, error);
  cq_batch_content_free(content);
  return status;
}

/* --- a batch --- */

static cq_status put_batch(cq_taker *t, const cq_batch_header *header, const cq_hash *hash, const char *file,
                           const cq_taken *taken, cq_error *error) {
  sqlite3_stmt *s = t->statement[BATCH];
  bind_hash(s, 1, hash);
  bind_device(s, 2, &header->device);
  sqlite3_bind_int64(s, 3, (int64_t)header->number);
  bind_hash(s, 4, &header->previous);
  sqlite3_bind_text(s, 5, file, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 6, header->created_utc_ms);
  sqlite3_bind_int64(s, 7, cq_desk_now());
  sqlite3_bind_int(s, 8, (int)taken->state);
  sqlite3_bind_text(s, 9, taken->why, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 10, (int64_t)taken->records);
  return cq_desk_step(t->desk, s, NULL, error);
}

static void say_why(cq_taken *taken, cq_receipt_state state, const char *why) {
  taken->state = state;
  snprintf(taken->why, sizeof taken->why, "%s", why ? why : "");
}

static cq_status open_or_undo(cq_taker *t, const cq_batch_header *header, const cq_hash *hash, cq_str bytes,
                              cq_taken *taken, cq_error *error) {
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_desk_exec(t->desk, "SAVEPOINT batch", error);
  if (status != CQ_OK) return status;
  status = open_batch(t, header, hash, bytes, taken, &wrong);
  if (status == CQ_OK) {
    taken->state = CQ_RECEIPT_OPENED;
    return cq_desk_exec(t->desk, "RELEASE batch", error);
  }
  if (!is_theirs(status, &wrong)) {
    if (error) *error = wrong;
    return status;
  }
  /* nothing of a batch that is wrong anywhere is kept */
  taken->records = taken->records_new = taken->drafts = taken->decisions = taken->others = 0;
  say_why(taken, CQ_RECEIPT_REFUSED, wrong.code);
  return cq_desk_exec(t->desk, "ROLLBACK TO batch; RELEASE batch", error);
}

cq_status cq_taker_take(cq_taker *t, const char *file, cq_str bytes, cq_taken *taken, cq_error *error) {
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  cq_error wrong;
  const char *why = NULL;
  cq_error_clear(&wrong);
  memset(taken, 0, sizeof *taken);
  cq_status status = cq_batch_verify(&header, &hash, &standing, &why, bytes.at, bytes.size, &t->desk->trust, &wrong);
  if (status != CQ_OK && !is_theirs(status, &wrong)) {
    if (error) *error = wrong;
    return status;
  }
  if (status != CQ_OK) { /* whatever it says of itself is not to be believed */
    say_why(taken, CQ_RECEIPT_REFUSED, wrong.code);
    return CQ_OK;
  }
  taken->device = header.device;
  taken->number = header.number;
  bind_hash(t->statement[KNOWN], 1, &hash);
  if ((status = exists(t, KNOWN, &taken->already, error)) != CQ_OK) return status;
  if (taken->already) {
    taken->state = CQ_RECEIPT_OPENED;
    return CQ_OK;
  }
  why = NULL;
  status = cq_device_seen(t->desk, &header.sign, header.has_request ? &header.request : NULL, error);
  if (status == CQ_OK) status = held_why(t, &header, standing, &why, error);
  if (status == CQ_OK && why)
    say_why(taken, CQ_RECEIPT_HELD, why);
  else if (status == CQ_OK)
    status = open_or_undo(t, &header, &hash, bytes, taken, error);
  if (status == CQ_OK) status = put_batch(t, &header, &hash, file, taken, error);
  return status;
}
