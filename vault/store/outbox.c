/* SPDX-License-Identifier: Apache-2.0 */
/* Batches made, receipts for them, and what may go once the desk holds it. */
#include "vault/store/store.h"

#include <stdio.h>
#include <string.h>

cq_status cq_store_batch_next(cq_store *store, int64_t *number, uint8_t previous[CQ_STORE_HASH], cq_error *error) {
  cq_store_device device;
  cq_status status = cq_store_device_get(store, &device, error);
  if (status != CQ_OK) return status;
  *number = device.last_batch + 1;
  memcpy(previous, device.last_hash, CQ_STORE_HASH);
  return CQ_OK;
}

static cq_status insert_batch(cq_store *store, const cq_store_batch *batch, cq_str bytes,
                              const uint8_t (*entries)[CQ_STORE_HASH], size_t count, cq_error *error) {
  cq_status status = store_run(store, error,
                               "INSERT INTO batch(hash, device, number, file, made_utc_ms, state) "
                               "VALUES (?1, (SELECT max(begun) FROM device), ?2, ?3, ?4, 1)",
                               "hisi", batch->hash, batch->number, batch->file, batch->made_utc_ms);
  if (status != CQ_OK) return status;
  int64_t id = sqlite3_last_insert_rowid(cq_vault_db(store->vault));
  status = store_run(store, error, "INSERT INTO batch_bytes(batch, bytes) VALUES (?1, ?2)", "ib", id, bytes);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    status =
        store_run(store, error, "INSERT OR IGNORE INTO batch_entry(batch, name) VALUES (?1, ?2)", "ih", id, entries[i]);
    if (status == CQ_OK)
      status = store_run(store, error, "UPDATE record SET state = 1 WHERE name = ?1 AND state = 0", "h", entries[i]);
  }
  for (size_t i = 0; status == CQ_OK && i < batch->part_count; i++) {
    const cq_store_part *part = &batch->parts[i];
    status = store_run(store, error,
                       "INSERT INTO attachment_part(attachment, offset, size, batch) "
                       "SELECT id, ?2, ?3, ?4 FROM attachment WHERE hash = ?1",
                       "hiii", part->attachment, part->offset, part->size, id);
    if (status == CQ_OK && sqlite3_changes(cq_vault_db(store->vault)) == 0)
      status = cq_error_set(error, CQ_NOTFOUND, "store.attachment.missing", NULL);
  }
  if (status == CQ_OK)
    status = store_run(store, error,
                       "UPDATE device SET last_batch = ?1, last_hash = ?2 "
                       "WHERE begun = (SELECT max(begun) FROM device)",
                       "ih", batch->number, batch->hash);
  return status;
}

cq_status cq_store_batch_commit(cq_store *store, const cq_store_batch *batch, cq_str bytes,
                                const uint8_t (*entries)[CQ_STORE_HASH], size_t count, cq_error *error) {
  int64_t next = 0;
  uint8_t previous[CQ_STORE_HASH];
  cq_status status = store_too_long(bytes, CQ_STORE_VALUE_MAX, "batch", error);
  if (status != CQ_OK) return status;
  if (!hash_is(batch->hash, bytes)) return cq_error_set(error, CQ_INVALID, "store.batch.hash", NULL);
  if ((status = store_begin(store, error)) != CQ_OK) return status;
  status = cq_store_batch_next(store, &next, previous, error);
  if (status == CQ_OK && batch->number != next) {
    char expected[24];
    snprintf(expected, sizeof expected, "%lld", (long long)next);
    status = cq_error_set(error, CQ_REFUSED, "store.batch.number", expected, NULL);
  }
  if (status == CQ_OK) status = insert_batch(store, batch, bytes, entries, count, error);
  return store_end(store, status, error);
}

cq_status cq_store_batches(cq_store *store, int state, cq_store_batch_seen *seen, void *context, cq_error *error) {
  query ask = query_start(store,
                          "SELECT d.id, b.number, b.hash, b.file, b.made_utc_ms, b.state, "
                          "(SELECT count(*) FROM batch_entry WHERE batch = b.id) + "
                          "(SELECT count(*) FROM attachment_part WHERE batch = b.id), "
                          "coalesce((SELECT length(bytes) FROM batch_bytes WHERE batch = b.id), 0) "
                          "FROM batch AS b JOIN device AS d ON d.begun = b.device "
                          "WHERE ?1 = 0 OR b.state = ?1 ORDER BY b.device, b.number",
                          "i", (int64_t)state);
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_batch batch = {.number = query_int(&ask, 1),
                            .file = query_text(&ask, 3),
                            .made_utc_ms = query_int(&ask, 4),
                            .state = (cq_store_batch_state)query_int(&ask, 5),
                            .entries = query_int(&ask, 6),
                            .size = query_int(&ask, 7)};
    query_hash(&ask, 0, batch.device);
    query_hash(&ask, 2, batch.hash);
    status = seen(context, &batch);
  }
  return query_end(&ask, status, error);
}

cq_status cq_store_batch_bytes(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *bytes, cq_error *error) {
  query ask =
      query_start(store, "SELECT bytes FROM batch LEFT JOIN batch_bytes ON batch = id WHERE hash = ?1", "h", hash);
  bool found = query_row(&ask);
  cq_status status = CQ_OK;
  if (found && sqlite3_column_type(ask.statement, 0) == SQLITE_NULL)
    status = cq_error_set(error, CQ_NOTFOUND, "store.batch.purged", NULL);
  else if (found && !hash_is(hash, query_bytes(&ask, 0)))
    status = cq_error_set(error, CQ_DAMAGED, "store.batch.damaged", NULL);
  else if (found)
    status = store_copy(bytes, query_bytes(&ask, 0), error);
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.batch.missing", NULL) : status;
}

cq_status cq_store_receipt(cq_store *store, const uint8_t batch[CQ_STORE_HASH], cq_store_batch_state state,
                           cq_str receipt, cq_error *error) {
  int64_t id = 0;
  if (state != CQ_STORE_BATCH_KEPT && state != CQ_STORE_BATCH_OPENED)
    return cq_error_set(error, CQ_INVALID, "store.receipt.state", NULL);
  cq_status status = store_too_long(receipt, CQ_STORE_VALUE_MAX, "receipt", error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  status = store_number(store, &id, 0, error, "SELECT id FROM batch WHERE hash = ?1", "h", batch);
  if (status == CQ_OK && id == 0) status = cq_error_set(error, CQ_NOTFOUND, "store.batch.missing", NULL);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "INSERT OR IGNORE INTO receipt(batch, state, bytes, received_utc_ms) VALUES (?1, ?2, ?3, ?4)",
                       "iibi", id, (int64_t)state, receipt, store_now(store));
  if (status == CQ_OK)
    status = store_run(store, error, "UPDATE batch SET state = max(state, ?1) WHERE id = ?2", "ii", (int64_t)state, id);
  /* a record's states are the batch's, and one more than its number */
  if (status == CQ_OK)
    status = store_run(store, error,
                       "UPDATE record SET state = ?1 WHERE state < ?1 AND state <> 4 "
                       "AND name IN (SELECT name FROM batch_entry WHERE batch = ?2)",
                       "ii", (int64_t)state, id);
  return store_end(store, status, error);
}

/* Words stand among the receipts, under states of their own: class × 256 + word. */
enum { WORD_OF_DESK = 1, WORD_OF_POST = 2, WORD_CLASS = 256 };
#define WORD_COUNTS "((r.state >> 8 = 1 AND b.state < 3) OR (r.state >> 8 = 2 AND b.state < 2))"

cq_status cq_store_word(cq_store *store, const uint8_t batch[CQ_STORE_HASH], uint8_t word, bool final,
                        int64_t said_utc_ms, cq_str receipt, cq_error *error) {
  int64_t id = 0, later = 0, class = final ? WORD_OF_DESK : WORD_OF_POST;
  cq_status status = store_too_long(receipt, CQ_STORE_VALUE_MAX, "receipt", error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  status = store_number(store, &id, 0, error, "SELECT id FROM batch WHERE hash = ?1", "h", batch);
  if (status == CQ_OK && id == 0) status = cq_error_set(error, CQ_NOTFOUND, "store.batch.missing", NULL);
  if (status == CQ_OK)
    status = store_number(store, &later, 0, error,
                          "SELECT 1 FROM receipt WHERE batch = ?1 AND state >> 8 = ?2 AND received_utc_ms >= ?3", "iii",
                          id, class, said_utc_ms);
  if (status == CQ_OK && !later)
    status = store_run(store, error, "DELETE FROM receipt WHERE batch = ?1 AND state >> 8 = ?2", "ii", id, class);
  if (status == CQ_OK && !later && word != 0)
    status =
        store_run(store, error, "INSERT INTO receipt(batch, state, bytes, received_utc_ms) VALUES (?1, ?2, ?3, ?4)",
                  "iibi", id, class * WORD_CLASS + word, receipt, said_utc_ms);
  return store_end(store, status, error);
}

cq_status cq_store_words(cq_store *store, cq_store_word_seen *seen, void *context, cq_error *error) {
  static const uint8_t none[CQ_STORE_HASH] = {0};
  query ask = query_start(store,
                          "SELECT b.number, e.name, r.state & 255 FROM receipt AS r JOIN batch AS b ON b.id = r.batch "
                          "LEFT JOIN batch_entry AS e ON e.batch = b.id WHERE r.state >= 256 AND " WORD_COUNTS
                          " ORDER BY b.id, e.name, r.state DESC",
                          "");
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    uint8_t name[CQ_STORE_HASH];
    memcpy(name, none, sizeof name);
    if (query_bytes(&ask, 1).size == sizeof name) query_hash(&ask, 1, name);
    status = seen(context, query_int(&ask, 0), name, (uint8_t)query_int(&ask, 2));
  }
  return query_end(&ask, status, error);
}

cq_status cq_store_batched(cq_store *store, const uint8_t name[CQ_STORE_HASH], bool *batched, cq_error *error) {
  int64_t found = 0;
  cq_status status = store_number(store, &found, 0, error,
                                  "SELECT 1 FROM batch_entry AS e JOIN batch AS b ON b.id = e.batch WHERE e.name = ?1 "
                                  "AND b.device = (SELECT max(begun) FROM device)",
                                  "h", name);
  *batched = found != 0;
  return status;
}

cq_status cq_store_batch_erase(cq_store *store, const uint8_t hash[CQ_STORE_HASH], bool *gone, cq_error *error) {
  int64_t id = 0, left = 0;
  *gone = false;
  cq_status status = store_number(store, &id, 0, error, "SELECT id FROM batch WHERE hash = ?1", "h", hash);
  if (status == CQ_OK && id == 0) status = cq_error_set(error, CQ_NOTFOUND, "store.batch.missing", NULL);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "DELETE FROM batch_bytes WHERE batch = ?1 AND batch <> (SELECT coalesce(max(id), 0) FROM batch "
                       "WHERE device = (SELECT max(begun) FROM device))",
                       "i", id);
  if (status == CQ_OK)
    status = store_number(store, &left, 0, error, "SELECT 1 FROM batch_bytes WHERE batch = ?1", "i", id);
  *gone = status == CQ_OK && left == 0;
  return status;
}

static cq_status purge_records(cq_store *store, int64_t before_utc_ms, bool only_count, cq_store_purged *purged,
                               cq_error *error) {
/* A record goes whole or not at all: not before its attachments have arrived too. */
#define AT_THE_DESK                                                                                                    \
  "state = 3 AND finalised_utc_ms < ?1 AND NOT EXISTS (SELECT 1 FROM record_attachment AS n JOIN attachment_way AS w " \
  "ON w.attachment = n.attachment WHERE n.record = number AND w.state < 3)"
#define GOING "record IN (SELECT number FROM record WHERE " AT_THE_DESK ")"
  cq_status status = store_number(store, &purged->records, 0, error, "SELECT count(*) FROM record_bytes WHERE " GOING,
                                  "i", before_utc_ms);
  if (status == CQ_OK)
    status = store_number(store, &purged->bytes, 0, error,
                          "SELECT coalesce(sum(length(bytes)), 0) FROM record_bytes WHERE " GOING, "i", before_utc_ms);
  if (status != CQ_OK || only_count) return status;
  status = store_run(store, error,
                     "UPDATE trail SET kind = NULL, who = NULL, reference = NULL, before = NULL, after = NULL, "
                     "bookmark = NULL, salt = NULL WHERE salt IS NOT NULL AND draft IN (SELECT draft FROM record "
                     "WHERE draft <> 0 AND " AT_THE_DESK ") AND draft <> 0",
                     "i", before_utc_ms);
  if (status == CQ_OK)
    status = store_run(store, error, "DELETE FROM record_attachment WHERE " GOING, "i", before_utc_ms);
  if (status == CQ_OK) status = store_run(store, error, "DELETE FROM record_bytes WHERE " GOING, "i", before_utc_ms);
  if (status == CQ_OK)
    status = store_run(store, error, "UPDATE record SET size = 0 WHERE " AT_THE_DESK, "i", before_utc_ms);
#undef GOING
#undef AT_THE_DESK
  return status == CQ_OK ? attachments_sweep(store, error) : status;
}

static cq_status purge_batches(cq_store *store, int64_t before_utc_ms, bool only_count, cq_store_purged *purged,
                               cq_error *error) {
#define GOING                                                                                                          \
  "batch IN (SELECT id FROM batch WHERE state = 3 AND made_utc_ms < ?1) "                                              \
  "AND batch NOT IN (SELECT max(id) FROM batch GROUP BY device)"
  int64_t bytes = 0;
  cq_status status = store_number(store, &purged->batches, 0, error, "SELECT count(*) FROM batch_bytes WHERE " GOING,
                                  "i", before_utc_ms);
  if (status == CQ_OK)
    status = store_number(store, &bytes, 0, error,
                          "SELECT coalesce(sum(length(bytes)), 0) FROM batch_bytes WHERE " GOING, "i", before_utc_ms);
  purged->bytes += bytes;
  if (status == CQ_OK && !only_count)
    status = store_run(store, error, "DELETE FROM batch_bytes WHERE " GOING, "i", before_utc_ms);
#undef GOING
  return status;
}

static cq_status purge(cq_store *store, int64_t before_utc_ms, bool only_count, cq_store_purged *purged,
                       cq_error *error) {
  memset(purged, 0, sizeof *purged);
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  status = purge_records(store, before_utc_ms, only_count, purged, error);
  if (status == CQ_OK) status = purge_batches(store, before_utc_ms, only_count, purged, error);
  return store_end(store, status, error);
}

cq_status cq_store_purge(cq_store *store, int64_t before_utc_ms, cq_store_purged *purged, cq_error *error) {
  return purge(store, before_utc_ms, false, purged, error);
}

cq_status cq_store_purgeable(cq_store *store, int64_t before_utc_ms, cq_store_purged *purged, cq_error *error) {
  return purge(store, before_utc_ms, true, purged, error);
}
