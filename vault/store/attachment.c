/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments in chunks, each chunk kept once: a photo attached twice, or by two records, takes its room once. */
#include "vault/store/store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 << 10 };

static cq_status put_chunk(cq_store *store, int64_t attachment, int64_t position, cq_str bytes, cq_error *error) {
  uint8_t hash[CQ_STORE_HASH];
  hash_bytes(hash, bytes);
  cq_status status =
      store_run(store, error, "INSERT OR IGNORE INTO chunk(hash, bytes) VALUES (?1, ?2)", "hb", hash, bytes);
  if (status != CQ_OK) return status;
  return store_run(store, error,
                   "INSERT INTO attachment_chunk(attachment, position, chunk) "
                   "SELECT ?1, ?2, id FROM chunk WHERE hash = ?3",
                   "iih", attachment, position, hash);
}

/* One chunk from the caller, full unless it is the last. */
static int64_t read_chunk(cq_store_reader *read, void *context, uint8_t *chunk) {
  size_t size = 0;
  while (size < CHUNK) {
    int64_t got = read(context, chunk + size, CHUNK - size);
    if (got < 0 || (size_t)got > CHUNK - size) return -1;
    if (got == 0) break;
    size += (size_t)got;
  }
  return (int64_t)size;
}

static cq_status put_all(cq_store *store, cq_store_reader *read, void *context, int64_t attachment, uint8_t *chunk,
                         uint8_t hash[CQ_STORE_HASH], int64_t *size, cq_error *error) {
  crypto_generichash_state state;
  cq_status status = CQ_OK;
  int64_t got = CHUNK;
  crypto_generichash_init(&state, NULL, 0, CQ_STORE_HASH);
  *size = 0;
  for (int64_t position = 0; status == CQ_OK && got == CHUNK; position++) {
    got = read_chunk(read, context, chunk);
    if (got < 0) return cq_error_set(error, CQ_IO, "store.attachment.read", NULL);
    if (got == 0) break;
    crypto_generichash_update(&state, chunk, (size_t)got);
    *size += got;
    status = put_chunk(store, attachment, position, (cq_str){(const char *)chunk, (size_t)got}, error);
  }
  crypto_generichash_final(&state, hash, CQ_STORE_HASH);
  return status;
}

/* Until the whole is read its name is not known: it goes in under a random one, which nothing else has. */
cq_status cq_store_attachment_put(cq_store *store, cq_store_reader *read, void *context, uint8_t hash[CQ_STORE_HASH],
                                  int64_t *size, cq_error *error) {
  uint8_t temporary[CQ_STORE_HASH];
  int64_t known = 0, total = 0;
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  uint8_t *chunk = malloc(CHUNK);
  if (!chunk) status = cq_error_nomem(error);
  randombytes_buf(temporary, sizeof temporary);
  if (status == CQ_OK)
    status = store_run(store, error, "INSERT INTO attachment(hash, size) VALUES (?1, 0)", "h", temporary);
  int64_t id = status == CQ_OK ? sqlite3_last_insert_rowid(cq_vault_db(store->vault)) : 0;
  if (status == CQ_OK) status = put_all(store, read, context, id, chunk, hash, &total, error);
  if (status == CQ_OK)
    status = store_number(store, &known, 0, error, "SELECT id FROM attachment WHERE hash = ?1", "h", hash);
  if (status == CQ_OK)
    status = known ? store_run(store, error, "DELETE FROM attachment WHERE id = ?1", "i", id)
                   : store_run(store, error, "UPDATE attachment SET hash = ?1, size = ?2 WHERE id = ?3", "hii", hash,
                               total, id);
  if (chunk) sodium_memzero(chunk, CHUNK);
  free(chunk);
  if (size) *size = total;
  return store_end(store, status, error);
}

cq_status cq_store_attachment_get(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_store_writer *write,
                                  void *context, cq_error *error) {
  int64_t id = 0;
  uint8_t own[CQ_STORE_HASH];
  crypto_generichash_state state;
  cq_status status = store_number(store, &id, 0, error, "SELECT id FROM attachment WHERE hash = ?1", "h", hash);
  if (status != CQ_OK) return status;
  if (id == 0) return cq_error_set(error, CQ_NOTFOUND, "store.attachment.missing", NULL);
  crypto_generichash_init(&state, NULL, 0, CQ_STORE_HASH);
  query ask = query_start(store,
                          "SELECT bytes FROM attachment_chunk JOIN chunk ON chunk.id = chunk WHERE attachment = ?1 "
                          "ORDER BY position",
                          "i", id);
  while (status == CQ_OK && query_row(&ask)) {
    cq_str bytes = query_bytes(&ask, 0);
    crypto_generichash_update(&state, (const uint8_t *)bytes.at, bytes.size);
    status = write(context, bytes.at, bytes.size);
  }
  status = query_end(&ask, status, error);
  crypto_generichash_final(&state, own, sizeof own);
  if (status == CQ_OK && memcmp(own, hash, sizeof own) != 0)
    status = cq_error_set(error, CQ_DAMAGED, "store.attachment.damaged", NULL);
  return status;
}

/* --- names --- */

cq_status attachment_name(cq_store *store, const char *sql, int64_t owner, const cq_store_attachment *attachment,
                          cq_error *error) {
  int64_t id = 0;
  if (attachment->name.size == 0) return cq_error_set(error, CQ_INVALID, "store.attachment.missing", NULL);
  cq_status status = store_too_long(attachment->name, CQ_STORE_NAME_MAX, "attachment", error);
  if (status == CQ_OK) status = store_too_long(attachment->media_type, CQ_STORE_NAME_MAX, "media type", error);
  if (status == CQ_OK)
    status = store_number(store, &id, 0, error, "SELECT id FROM attachment WHERE hash = ?1", "h", attachment->hash);
  if (status == CQ_OK && !id) status = cq_error_set(error, CQ_NOTFOUND, "store.attachment.missing", NULL);
  return status == CQ_OK ? store_run(store, error, sql, "isis", owner, attachment->name, id, attachment->media_type)
                         : status;
}

static cq_status each_attachment(query *ask, cq_store_attachment_seen *seen, void *context, cq_error *error) {
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(ask)) {
    cq_store_attachment attachment = {.name = query_text(ask, 0),
                                      .media_type = query_text(ask, 1),
                                      .size = query_int(ask, 3),
                                      .packed = query_int(ask, 4),
                                      .state = (cq_store_record_state)query_int(ask, 5)};
    query_hash(ask, 2, attachment.hash);
    status = seen(context, &attachment);
  }
  return query_end(ask, status, error);
}

#define COLUMNS                                                                                                        \
  "a.hash, a.size, w.packed, w.state FROM attachment AS a JOIN attachment_way AS w ON w.attachment = a.id "

cq_status cq_store_draft_attachments(cq_store *store, int64_t draft, cq_store_attachment_seen *seen, void *context,
                                     cq_error *error) {
  query ask = query_start(store,
                          "SELECT n.name, n.media_type, " COLUMNS
                          "JOIN draft_attachment AS n ON n.attachment = a.id WHERE n.draft = ?1 ORDER BY n.name",
                          "i", draft);
  return each_attachment(&ask, seen, context, error);
}

cq_status cq_store_record_attachments(cq_store *store, const uint8_t record[CQ_STORE_HASH],
                                      cq_store_attachment_seen *seen, void *context, cq_error *error) {
  query ask = query_start(store,
                          "SELECT n.name, n.media_type, " COLUMNS "JOIN record_attachment AS n ON n.attachment = a.id "
                          "WHERE n.record = (SELECT number FROM record WHERE name = ?1) ORDER BY n.name",
                          "h", record);
  return each_attachment(&ask, seen, context, error);
}

cq_status cq_store_attachments_waiting(cq_store *store, cq_store_attachment_seen *seen, void *context,
                                       cq_error *error) {
  query ask = query_start(
      store,
      "SELECT '', (SELECT min(media_type) FROM record_attachment WHERE attachment = a.id), " COLUMNS
      "WHERE w.state = 0 AND EXISTS (SELECT 1 FROM record_attachment AS n JOIN record AS r ON r.number = n.record "
      "WHERE n.attachment = a.id AND NOT EXISTS "
      "(SELECT 1 FROM form AS f WHERE f.hash = r.form AND f.origin <> '')) "
      "ORDER BY a.size, a.id",
      "");
  return each_attachment(&ask, seen, context, error);
}

/* --- a part --- */

cq_status cq_store_attachment_read(cq_store *store, const uint8_t hash[CQ_STORE_HASH], int64_t offset, size_t most,
                                   cq_buf *out, cq_error *error) {
  int64_t id = 0;
  cq_buf_reset(out);
  cq_status status = store_number(store, &id, 0, error, "SELECT id FROM attachment WHERE hash = ?1", "h", hash);
  if (status != CQ_OK) return status;
  if (id == 0 || offset < 0) return cq_error_set(error, CQ_NOTFOUND, "store.attachment.missing", NULL);
  query ask = query_start(store,
                          "SELECT bytes, hash, position FROM attachment_chunk JOIN chunk ON chunk.id = chunk "
                          "WHERE attachment = ?1 AND position >= ?2 ORDER BY position",
                          "ii", id, offset / CHUNK);
  while (status == CQ_OK && out->size < most && query_row(&ask)) {
    uint8_t own[CQ_STORE_HASH];
    cq_str bytes = query_bytes(&ask, 0);
    query_hash(&ask, 1, own);
    if (!hash_is(own, bytes)) status = cq_error_set(error, CQ_DAMAGED, "store.attachment.damaged", NULL);
    int64_t start = query_int(&ask, 2) * CHUNK;
    size_t skip = offset > start ? (size_t)(offset - start) : 0;
    if (status != CQ_OK || skip >= bytes.size) continue;
    size_t size = bytes.size - skip < most - out->size ? bytes.size - skip : most - out->size;
    cq_buf_add(out, bytes.at + skip, size);
    if (out->failed) status = cq_error_nomem(error);
  }
  return query_end(&ask, status, error);
}

/* --- letting go --- */

cq_status attachments_sweep(cq_store *store, cq_error *error) {
  cq_status status = store_run(store, error,
                               "DELETE FROM attachment WHERE NOT EXISTS "
                               "(SELECT 1 FROM draft_attachment WHERE attachment = attachment.id) AND NOT EXISTS "
                               "(SELECT 1 FROM record_attachment WHERE attachment = attachment.id)",
                               "");
  if (status != CQ_OK || sqlite3_changes(cq_vault_db(store->vault)) == 0) return status;
  return store_run(store, error,
                   "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk AS c WHERE NOT EXISTS "
                   "(SELECT 1 FROM attachment_chunk WHERE chunk = c.id))",
                   "");
}
