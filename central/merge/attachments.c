/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/attachments.h"

#include "central/merge/erasure.h"

#include <string.h>

static void bind_hash(sqlite3_stmt *statement, int at, const cq_hash *hash) {
  sqlite3_bind_blob(statement, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

/* A statement whose arguments are one hash or two. */
static cq_status run(cq_desk *desk, const char *sql, const cq_hash *one, const cq_hash *two, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status != CQ_OK) return status;
  if (one) bind_hash(s, 1, one);
  if (two) bind_hash(s, 2, two);
  status = cq_desk_step(desk, s, NULL, error);
  sqlite3_finalize(s);
  return status;
}

static cq_status exists(cq_desk *desk, const char *sql, const cq_hash *hash, bool *found, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status != CQ_OK) return status;
  bind_hash(s, 1, hash);
  status = cq_desk_step(desk, s, found, error);
  sqlite3_finalize(s);
  return status;
}

/* --- joining --- */

/* Whether the parts leave no gap. They may overlap: a laptop that was restored cuts anew. */
static cq_status covered(cq_desk *desk, const cq_hash *hash, bool *all, cq_error *error) {
  sqlite3_stmt *s = NULL;
  int64_t at = 0, total = -1;
  cq_status status = cq_desk_prepare(
      desk, &s, "SELECT offset, length(bytes), total FROM part WHERE attachment = ?1 ORDER BY offset", error);
  if (status == CQ_OK) bind_hash(s, 1, hash);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    int64_t offset = sqlite3_column_int64(s, 0), end = offset + sqlite3_column_int64(s, 1);
    if (offset > at) break;
    if (end > at) at = end;
    total = sqlite3_column_int64(s, 2);
  }
  sqlite3_finalize(s);
  *all = at == total;
  return status;
}

cq_status cq_attachment_read(cq_desk *desk, const cq_hash *hash, cq_attachment_writer *write, void *context,
                             cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_hasher hasher;
  bool all = false;
  int64_t at = 0;
  cq_hasher_init(&hasher);
  cq_status status = covered(desk, hash, &all, error);
  if (status == CQ_OK && !all) status = cq_error_set(error, CQ_NOTFOUND, "desk.attachment.awaited", NULL);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &s, "SELECT offset, bytes FROM part WHERE attachment = ?1 ORDER BY offset", error);
  if (status == CQ_OK) bind_hash(s, 1, hash);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    int64_t known = at - sqlite3_column_int64(s, 0);
    cq_str bytes = cq_desk_text(s, 1);
    if (known < 0 || (uint64_t)known >= bytes.size) continue;
    bytes = (cq_str){bytes.at + known, bytes.size - (size_t)known};
    cq_hasher_add(&hasher, bytes.at, bytes.size);
    at += (int64_t)bytes.size;
    if (write) status = write(context, bytes.at, bytes.size, error);
  }
  sqlite3_finalize(s);
  if (status != CQ_OK) return status;
  cq_hash found = cq_hasher_end(&hasher);
  return cq_hash_equal(&found, hash) ? CQ_OK : cq_error_set(error, CQ_DAMAGED, "desk.attachment.damaged", NULL);
}

/* Notes it as whole where it is. */
static cq_status settle(cq_desk *desk, const cq_hash *hash, bool *whole, cq_error *error) {
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_attachment_read(desk, hash, NULL, NULL, &wrong);
  bool awaited = wrong.code && strcmp(wrong.code, "desk.attachment.awaited") == 0;
  bool damaged = wrong.code && strcmp(wrong.code, "desk.attachment.damaged") == 0;
  *whole = status == CQ_OK;
  if (status == CQ_OK) return run(desk, "INSERT OR IGNORE INTO attachment_whole VALUES (?1)", hash, NULL, error);
  if (awaited) return CQ_OK;
  if (damaged) return run(desk, "DELETE FROM part WHERE attachment = ?1", hash, NULL, error);
  if (error) *error = wrong;
  return status;
}

/* --- taking --- */

static cq_status put_part(cq_desk *desk, const cq_batch_entry *part, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status =
      cq_desk_prepare(desk, &s,
                      "INSERT INTO part VALUES (?1, ?2, ?3, ?4) ON CONFLICT (attachment, offset) DO UPDATE SET "
                      "total = excluded.total, bytes = excluded.bytes WHERE length(excluded.bytes) > length(bytes)",
                      error);
  if (status != CQ_OK) return status;
  bind_hash(s, 1, &part->name);
  sqlite3_bind_int64(s, 2, (int64_t)part->part_offset);
  sqlite3_bind_int64(s, 3, (int64_t)part->part_total);
  sqlite3_bind_blob64(s, 4, part->bytes.at, part->bytes.size, SQLITE_STATIC);
  status = cq_desk_step(desk, s, NULL, error);
  sqlite3_finalize(s);
  return status;
}

cq_status cq_attachment_take(cq_desk *desk, const cq_batch_entry *part, const cq_hash *batch, bool *whole,
                             cq_error *error) {
  bool known = false, erased = false;
  *whole = false;
  cq_status status = exists(desk,
                            "SELECT 1 FROM attachment_erased WHERE hash = ?1 AND NOT EXISTS "
                            "(SELECT 1 FROM visit_attachment WHERE hash = ?1)",
                            &part->name, &erased, error);
  if (status == CQ_OK && erased) return cq_erasure_again(desk, batch, error);
  if (status == CQ_OK)
    status = run(desk, "INSERT OR IGNORE INTO part_batch VALUES (?1, ?2)", &part->name, batch, error);
  if (status == CQ_OK)
    status = exists(desk, "SELECT 1 FROM attachment_whole WHERE hash = ?1", &part->name, &known, error);
  if (status != CQ_OK || known) return status;
  status = put_part(desk, part, error);
  return status == CQ_OK ? settle(desk, &part->name, whole, error) : status;
}

cq_status cq_attachments_rebuild(cq_desk *desk, cq_error *error) {
  cq_hash hash = {{0}};
  cq_status status = CQ_OK;
  /* one after the other by hash: what is settled may delete parts */
  for (bool row = true; status == CQ_OK && row;) {
    bool whole;
    sqlite3_stmt *s = NULL;
    status = cq_desk_prepare(desk, &s, "SELECT min(attachment) FROM part WHERE attachment > ?1", error);
    if (status == CQ_OK) bind_hash(s, 1, &hash);
    if (status == CQ_OK) status = cq_desk_step(desk, s, &row, error);
    row = status == CQ_OK && row && sqlite3_column_type(s, 0) != SQLITE_NULL;
    if (row) status = cq_desk_column(s, 0, hash.at, sizeof hash.at, error);
    sqlite3_finalize(s);
    if (status == CQ_OK && row) status = settle(desk, &hash, &whole, error);
  }
  return status;
}

/* --- forgetting --- */

#define NAMED "attachment NOT IN (SELECT hash FROM visit_attachment)"

static cq_status sweep(cq_desk *desk, cq_error *error) {
  return cq_desk_exec(desk,
                      "DELETE FROM part WHERE attachment IN (SELECT hash FROM attachment_erased) AND " NAMED ";"
                      "DELETE FROM part_batch WHERE attachment IN (SELECT hash FROM attachment_erased) AND " NAMED ";"
                      "DELETE FROM attachment_whole WHERE hash IN (SELECT hash FROM attachment_erased) AND "
                      "hash NOT IN (SELECT hash FROM visit_attachment)",
                      error);
}

cq_status cq_attachments_forget(cq_desk *desk, const cq_hash *record, cq_error *error) {
#define OF_RECORD "WHERE id = (SELECT id FROM record WHERE name = ?1)"
  cq_status status = run(desk, "INSERT OR IGNORE INTO attachment_erased SELECT hash FROM visit_attachment " OF_RECORD,
                         record, NULL, error);
  if (status == CQ_OK) status = run(desk, "DELETE FROM visit_attachment " OF_RECORD, record, NULL, error);
#undef OF_RECORD
  return status == CQ_OK ? sweep(desk, error) : status;
}

cq_status cq_attachments_forget_all(cq_desk *desk, const cq_record *record, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < record->attachment_count; i++)
    status =
        run(desk, "INSERT OR IGNORE INTO attachment_erased VALUES (?1)", &record->attachments[i].hash, NULL, error);
  return status == CQ_OK && record->attachment_count > 0 ? sweep(desk, error) : status;
}
