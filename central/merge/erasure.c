/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/erasure.h"

#include "central/merge/attachments.h"
#include "central/merge/derive.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"

#include <stdlib.h>
#include <unistd.h>

static void bind_hash(sqlite3_stmt *statement, int at, const cq_hash *hash) {
  sqlite3_bind_blob(statement, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

/* A statement whose arguments are one hash or two. */
static cq_status run(cq_desk *desk, const char *sql, const cq_hash *one, const cq_hash *two, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status != CQ_OK) return status;
  bind_hash(s, 1, one);
  if (two) bind_hash(s, 2, two);
  status = cq_desk_step(desk, s, NULL, error);
  sqlite3_finalize(s);
  return status;
}

/* --- what belongs to a record --- */

/* An instance's id is random: its hash tells nothing, and knows late snapshots of its draft. */
static cq_hash hash_of(cq_str instance) {
  return cq_hash_of(instance.at, instance.size);
}

static cq_status instance_of(cq_str bytes, cq_hash *instance, cq_error *error) {
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  cq_status status = arena ? cq_record_parse(&record, bytes, arena, NULL) : cq_error_nomem(error);
  /* what cannot be read is no draft of anything */
  *instance = status == CQ_OK ? hash_of(record.envelope.instance_id) : (cq_hash){0};
  cq_arena_free(arena);
  return status == CQ_NOMEM ? status : CQ_OK;
}

static cq_status is_erased(cq_desk *desk, const cq_hash *instance, bool *erased, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT 1 FROM instance_erased WHERE hash = ?1", error);
  if (status == CQ_OK) {
    bind_hash(s, 1, instance);
    status = cq_desk_step(desk, s, erased, error);
  }
  sqlite3_finalize(s);
  return status;
}

cq_status cq_erasure_drafts(cq_desk *desk, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT name, batch, bytes FROM draft", error);
  for (bool row = true, erased = false; status == CQ_OK;) {
    cq_hash of, name, batch;
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = instance_of(cq_desk_text(s, 2), &of, error);
    if (status == CQ_OK) status = is_erased(desk, &of, &erased, error);
    if (status != CQ_OK || !erased) continue;
    status = cq_desk_column(s, 0, name.at, sizeof name.at, error);
    if (status == CQ_OK) status = cq_desk_column(s, 1, batch.at, sizeof batch.at, error);
    if (status == CQ_OK) status = cq_erasure_again(desk, &batch, error);
    if (status == CQ_OK) status = run(desk, "DELETE FROM draft WHERE name = ?1", &name, NULL, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* Of a record that is here. */
static cq_status find_instance(cq_desk *desk, const cq_hash *record, cq_hash *instance, bool *found, cq_error *error) {
  sqlite3_stmt *s = NULL;
  *found = false;
  cq_status status =
      cq_desk_prepare(desk, &s, "SELECT v.instance FROM record r JOIN visit v ON v.id = r.id WHERE r.name = ?1", error);
  if (status == CQ_OK) {
    bind_hash(s, 1, record);
    status = cq_desk_step(desk, s, found, error);
  }
  if (status == CQ_OK && *found) *instance = hash_of(cq_desk_text(s, 0));
  sqlite3_finalize(s);
  return status;
}

static cq_status note_instance(cq_desk *desk, const cq_hash *record, bool *found, cq_error *error) {
  cq_hash instance;
  bool here = false;
  cq_status status = find_instance(desk, record, &instance, &here, error);
  *found |= here;
  return status == CQ_OK && here
             ? run(desk, "INSERT OR IGNORE INTO instance_erased VALUES (?1)", &instance, NULL, error)
             : status;
}

/* Corrections hold an answer. */
static cq_status forget_corrections(cq_desk *desk, const cq_hash *record, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_arena *arena = cq_arena_new(0);
  cq_status status = arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &s, "SELECT bytes FROM decision WHERE kind = 9", error);
  for (bool row = true; status == CQ_OK;) {
    cq_order order;
    cq_hash name;
    cq_arena_reset(arena);
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_order_read(&order, &name, cq_desk_text(s, 0), arena, &desk->trust, error);
    for (size_t i = 0; status == CQ_OK && i < order.target_count; i++)
      if (cq_hash_equal(&order.targets[i], record))
        status = run(desk, "DELETE FROM decision WHERE name = ?1", &name, NULL, error);
  }
  sqlite3_finalize(s);
  cq_arena_free(arena);
  return status;
}

/* An envelope may write "uuid:" before an entity's id, a list of persons never. */
static const char forget_names_sql[] =
    "DELETE FROM contact WHERE (dataset, id) IN (SELECT s.dataset, replace(s.entity, 'uuid:', '') FROM record r JOIN "
    "visit_subject s ON s.id = r.id WHERE r.name = ?1) AND NOT EXISTS (SELECT 1 FROM visit_subject o WHERE o.dataset = "
    "contact.dataset AND o.entity IN (contact.id, 'uuid:' || contact.id) AND o.id <> (SELECT id FROM record WHERE name "
    "= ?1))";

cq_status cq_erasure_record(cq_desk *desk, const cq_hash *name, bool *found, cq_error *error) {
  cq_status status = cq_attachments_forget(desk, name, error);
  if (status == CQ_OK) status = note_instance(desk, name, found, error);
  if (status == CQ_OK) status = forget_corrections(desk, name, error);
  return status == CQ_OK ? run(desk, forget_names_sql, name, NULL, error) : status;
}

/* --- what comes once more --- */

cq_status cq_erasure_again(cq_desk *desk, const cq_hash *batch, cq_error *error) {
  return run(desk, "INSERT OR IGNORE INTO erased_again VALUES (?1)", batch, NULL, error);
}

cq_status cq_erasure_came(cq_desk *desk, const cq_hash *batch, const cq_hash *name, const cq_record *record,
                          cq_error *error) {
  cq_hash instance = hash_of(record->envelope.instance_id);
  cq_status status = cq_attachments_forget_all(desk, record, error);
  if (status == CQ_OK) status = run(desk, "INSERT OR IGNORE INTO instance_erased VALUES (?1)", &instance, NULL, error);
  if (status == CQ_OK) status = cq_erasure_drafts(desk, error);
  if (status == CQ_OK) status = forget_corrections(desk, name, error);
  return status == CQ_OK ? cq_erasure_again(desk, batch, error) : status;
}

cq_status cq_erasure_draft(cq_desk *desk, const cq_hash *batch, cq_str bytes, bool *erased, cq_error *error) {
  cq_hash instance;
  int64_t any = 0;
  *erased = false;
  cq_status status = cq_desk_number(desk, "SELECT 1 FROM instance_erased LIMIT 1", 0, &any, error);
  if (status != CQ_OK || !any) return status;
  status = instance_of(bytes, &instance, error);
  if (status == CQ_OK) status = is_erased(desk, &instance, erased, error);
  return status == CQ_OK && *erased ? cq_erasure_again(desk, batch, error) : status;
}

/* --- words of devices --- */

cq_status cq_erasure_word_take(cq_desk *desk, const cq_device_id *device, cq_str bytes, cq_error *error) {
  cq_erasure_word word;
  sqlite3_stmt *s = NULL;
  if (!cq_erasure_word_read(&word, bytes)) return CQ_OK;
  cq_status status = cq_desk_prepare(desk, &s, "INSERT OR IGNORE INTO erasure_word VALUES (?1, ?2, ?3, ?4, ?5)", error);
  if (status == CQ_OK) {
    bind_hash(s, 1, &word.order);
    sqlite3_bind_blob(s, 2, device->at, sizeof device->at, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, word.made_utc_ms);
    sqlite3_bind_int64(s, 4, cq_desk_now());
    sqlite3_bind_int64(s, 5, word.held);
    status = cq_desk_step(desk, s, NULL, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* --- orders and files --- */

/* Those that brought the record, parts of files that it alone has, or snapshots of its draft. */
static const char *const batches_sql[] = {
    "SELECT batch FROM record WHERE name = ?1 AND length(batch) = 32 UNION SELECT batch FROM record_again WHERE name = "
    "?1",
    "SELECT DISTINCT p.batch FROM record r JOIN visit_attachment a ON a.id = r.id JOIN part_batch p ON "
    "p.attachment = a.hash WHERE r.name = ?1 AND NOT EXISTS (SELECT 1 FROM visit_attachment o WHERE o.hash = a.hash "
    "AND o.id <> a.id)"};

static cq_status draft_batches(cq_desk *desk, const cq_hash *name, cq_erasure_batch *take, void *context,
                               cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_hash instance, of, batch;
  bool row = false;
  cq_status status = find_instance(desk, name, &instance, &row, error);
  if (status != CQ_OK || !row) return status;
  status = cq_desk_prepare(desk, &s, "SELECT batch, bytes FROM draft", error);
  while (status == CQ_OK) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = instance_of(cq_desk_text(s, 1), &of, error);
    if (status != CQ_OK || !cq_hash_equal(&of, &instance)) continue;
    status = cq_desk_column(s, 0, batch.at, sizeof batch.at, error);
    if (status == CQ_OK) status = take(context, &batch, error);
  }
  sqlite3_finalize(s);
  return status;
}

cq_status cq_erasure_batches(cq_desk *desk, const cq_hash *name, cq_erasure_batch *take, void *context,
                             cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < sizeof batches_sql / sizeof *batches_sql; i++) {
    sqlite3_stmt *s = NULL;
    cq_hash batch;
    status = cq_desk_prepare(desk, &s, batches_sql[i], error);
    if (status == CQ_OK) bind_hash(s, 1, name);
    for (bool row = true; status == CQ_OK;) {
      if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
      status = cq_desk_column(s, 0, batch.at, sizeof batch.at, error);
      if (status == CQ_OK) status = take(context, &batch, error);
    }
    sqlite3_finalize(s);
  }
  return status == CQ_OK ? draft_batches(desk, name, take, context, error) : status;
}

cq_status cq_erasure_send(cq_desk *desk, const cq_hash *name, const cq_buf *order, cq_error *error) {
  cq_buf folder = {0};
  char file[96];
  cq_parcel_file_name(file, CQ_PARCEL_ORDER, NULL, 0, name);
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, file, order->at, order->size, NULL, NULL, error);
  cq_buf_fini(&folder);
  return status;
}

/* Batches that brought what was erased, and that no order names yet. */
static cq_status read_again(cq_desk *desk, cq_hash *batches, size_t *count, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(
      desk, &s, "SELECT batch FROM erased_again WHERE batch NOT IN (SELECT hash FROM batch_erased)", error);
  for (bool row = true; status == CQ_OK && *count < CQ_ORDER_MAX_TARGETS;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, batches[(*count)++].at, sizeof(cq_hash), error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status order_again(cq_desk *desk, size_t *orders, cq_error *error) {
  cq_buf bytes = {0};
  cq_hash name, *batches = malloc(CQ_ORDER_MAX_TARGETS * sizeof *batches);
  size_t count = 0;
  if (!batches) return cq_error_nomem(error);
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = read_again(desk, batches, &count, error);
  cq_order order = {.kind = CQ_ORDER_ERASE, .batches = batches, .batch_count = count};
  if (status == CQ_OK && count > 0) status = cq_derive_sign(desk, &order, &bytes, &name, error);
  if (status == CQ_OK)
    status =
        cq_desk_exec(desk, "DELETE FROM erased_again WHERE batch IN (SELECT hash FROM batch_erased); COMMIT", error);
  if (status == CQ_OK && count > 0) {
    status = cq_erasure_send(desk, &name, &bytes, error);
    ++*orders;
  }
  cq_buf_fini(&bytes);
  free(batches);
  return status;
}

/* This desk's key opens them. All else that they brought is in the vault. */
static cq_status remove_files(cq_desk *desk, cq_error *error) {
  cq_buf folder = {0}, path = {0};
  sqlite3_stmt *s = NULL;
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(
        desk, &s, "SELECT b.file FROM batch_erased e JOIN batch b ON b.hash = e.hash WHERE b.state = 3", error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_file_path(&path, folder.at, (const char *)sqlite3_column_text(s, 0), error);
    if (status == CQ_OK && access(path.at, F_OK) == 0) status = cq_file_remove(path.at, error);
  }
  sqlite3_finalize(s);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  return status;
}

cq_status cq_erasure_settle(cq_desk *desk, size_t *orders, cq_error *error) {
  int64_t again = 0;
  *orders = 0;
  cq_status status = cq_desk_number(desk, "SELECT 1 FROM erased_again LIMIT 1", 0, &again, error);
  if (status == CQ_OK && again) status = order_again(desk, orders, error);
  if (status == CQ_OK) status = remove_files(desk, error);
  return status == CQ_OK ? cq_desk_exec(desk, "PRAGMA wal_checkpoint(TRUNCATE)", error) : status;
}
