/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/index.h"
#include "central/inbox/files.h"
#include "central/inbox/index_driver.h"
#include "chasqui/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* kind and outcome as cq_parcel_kind and cq_outcome number them: 1 batch, 2 bundle, 5 order; 1 kept, 3 and 4 held */
#define COLUMNS "seq, hash, kind, outcome, device, number, size, path"
#define NEWS_COLUMNS "item.hash, kind, outcome, news.device, number, size, path FROM news JOIN item USING(hash)"

const char *const index_sql[INDEX_STATEMENTS] = {
    [INDEX_SET_LAST] = "UPDATE arrival SET last = $1",
    [INDEX_FIND] = "SELECT " COLUMNS " FROM item WHERE hash = $1",
    [INDEX_NEWEST_BUNDLE] = "SELECT " COLUMNS " FROM item WHERE kind = 2 AND outcome = 1 ORDER BY number DESC LIMIT 1",
    [INDEX_ADD_NEWS] = "INSERT INTO news(seq, device, hash) VALUES($1, $2, $3) ON CONFLICT DO NOTHING",
    [INDEX_DROP_BUNDLES] = "DELETE FROM news WHERE hash IN (SELECT hash FROM item WHERE kind = 2 AND hash <> $1)",
    [INDEX_HELD_SUMS] = "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT),"
                        " CAST(coalesce(sum(CASE WHEN device = $1 THEN size END), 0) AS BIGINT)"
                        " FROM item WHERE outcome IN (3, 4)",
    [INDEX_BATCHES_AFTER] = "SELECT " COLUMNS " FROM item WHERE seq > $1 AND kind = 1 AND outcome IN (1, 3, 4)"
                            " AND NOT EXISTS (SELECT 1 FROM news WHERE news.hash = item.hash) ORDER BY seq LIMIT $2",
    [INDEX_HELD_BATCHES] = "SELECT " COLUMNS " FROM item WHERE outcome IN (3, 4) ORDER BY seq",
    [INDEX_ORDERS] = "SELECT " COLUMNS " FROM item WHERE kind = 5 AND outcome = 1 ORDER BY seq",
    [INDEX_NEWS_AFTER] = "SELECT news.seq, " NEWS_COLUMNS
                         " WHERE news.device = $1 AND news.seq > $2 AND outcome = 1 ORDER BY news.seq LIMIT $3",
    [INDEX_IS_NEWS] = "SELECT seq FROM news WHERE hash = $1 LIMIT 1",
    [INDEX_NEWEST_SHEET] =
        "SELECT coalesce(max(number), 0) FROM news JOIN item USING(hash) WHERE news.device = $1 AND kind = 1",
    [INDEX_OLDER_SHEETS] = "SELECT item.seq, " NEWS_COLUMNS
                           " WHERE news.device = $1 AND kind = 1 AND outcome = 1 AND number < $2 ORDER BY item.seq",
    [INDEX_BATCHES_OF] = "SELECT " COLUMNS " FROM item WHERE device = $1 AND kind = 1 AND outcome = 1 ORDER BY seq",
};

cq_status index_open(post_index **index, const char *home, const char *store, cq_error *error) {
  return store ? index_postgres_open(index, store, error) : index_sqlite_open(index, home, error);
}

void index_close(post_index *index) {
  if (index) index->driver->close(index);
}

/* --- parameters and rows --- */
static index_cell number(uint64_t n) {
  return (index_cell){.type = INDEX_NUMBER, .number = n > INT64_MAX ? INT64_MAX : (int64_t)n};
}

static index_cell hash_cell(const cq_hash *hash) {
  return (index_cell){.type = INDEX_BLOB, .bytes = {(const char *)hash->at, sizeof hash->at}};
}

static index_cell device_cell(const cq_device_id *device) {
  return (index_cell){.type = INDEX_BLOB, .bytes = {(const char *)device->at, sizeof device->at}};
}

static index_cell text(const char *s) {
  return (index_cell){.type = INDEX_TEXT, .bytes = cq_str_from(s)};
}

static void copy(cq_str from, void *to, size_t size) {
  if (from.size == size) memcpy(to, from.at, size);
}

static void read_item(const index_cell *cells, index_item *item) {
  memset(item, 0, sizeof *item);
  item->sequence = (uint64_t)cells[0].number;
  copy(cells[1].bytes, item->hash.at, sizeof item->hash.at);
  item->kind = (cq_parcel_kind)cells[2].number;
  item->outcome = (cq_outcome)cells[3].number;
  copy(cells[4].bytes, item->device.at, sizeof item->device.at);
  item->number = (uint64_t)cells[5].number;
  item->size = (uint64_t)cells[6].number;
  snprintf(item->path, sizeof item->path, "%.*s", (int)cells[7].bytes.size, cells[7].bytes.at ? cells[7].bytes.at : "");
}

typedef struct one_item {
  index_item *item;
  bool found;
} one_item;

static bool take_item(void *context, const index_cell *cells) {
  one_item *one = context;
  read_item(cells, one->item);
  one->found = true;
  return false;
}

static cq_status run_one(post_index *index, index_statement which, const index_cell *params, size_t count,
                         index_item *item, cq_error *error) {
  one_item one = {.item = item};
  cq_status status = index->driver->run(index, which, params, count, take_item, &one, NULL, error);
  return status || one.found ? status : CQ_NOTFOUND;
}

typedef struct each_item {
  index_each each;
  void *context;
} each_item;

static bool pass_item(void *context, const index_cell *cells) {
  const each_item *pass = context;
  index_item item;
  read_item(cells, &item);
  return pass->each(pass->context, &item);
}

static cq_status run_each(post_index *index, index_statement which, const index_cell *params, size_t count,
                          index_each each, void *context, cq_error *error) {
  each_item pass = {.each = each, .context = context};
  return index->driver->run(index, which, params, count, pass_item, &pass, NULL, error);
}

/* --- where an item of that outcome stands --- */
static void choose_path(index_item *item) {
  char name[96], device[33];
  cq_device_id_hex(&item->device, device);
  switch (item->kind) {
  case CQ_PARCEL_BATCH:
    cq_batch_file_name(name, &item->device, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "%s/%s/%s", cq_outcome_is_held(item->outcome) ? "held" : "batches", device,
             name);
    break;
  case CQ_PARCEL_BUNDLE:
    cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "bundles/%s", name);
    break;
  default:
    cq_parcel_file_name(name, item->kind, &item->device, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "items/%s", name);
  }
}

cq_status index_put(post_index *index, index_item *item, cq_str bytes, cq_error *error) {
  choose_path(item);
  return index->home ? files_put(index->home, item->path, bytes, error) : CQ_OK;
}

cq_status index_settle(post_index *index, const index_item *item, cq_buf *last, cq_error *error) {
  return index->home ? files_settle(index->home, item->path, last, error) : CQ_OK;
}

void index_discard(post_index *index, const index_item *item) {
  if (index->home) files_remove(index->home, item->path, NULL);
}

int64_t index_free_bytes(const post_index *index) {
  return index->home ? cq_file_free_bytes(index->home) : -1;
}

static bool take_bytes(void *context, const index_cell *cells) {
  cq_buf_add_str(context, cells[0].bytes);
  return false;
}

cq_status index_read(post_index *index, const index_item *item, uint64_t offset, size_t size, cq_buf *bytes,
                     cq_error *error) {
  if (index->home) return files_read(index->home, item->path, offset, size, bytes, error);
  const index_cell params[] = {hash_cell(&item->hash), number(offset + 1), number(size)};
  size_t before = bytes->size;
  cq_status status = index->driver->run(index, INDEX_READ, params, 3, take_bytes, bytes, NULL, error);
  if (!status && bytes->failed) status = cq_error_nomem(error);
  if (status || bytes->size > before || offset >= item->size) return status;
  cq_error_io(error, "io.open", item->path, ENOENT);
  return CQ_NOTFOUND;
}

/* --- transactions --- */
static bool take_number(void *context, const index_cell *cells) {
  *(int64_t *)context = cells[0].number;
  return false;
}

cq_status index_begin(post_index *index, cq_error *error) {
  cq_status status = index->driver->begin(index, error);
  if (status) return status;
  status = index->driver->run(index, INDEX_LAST, NULL, 0, take_number, &index->last, NULL, error);
  if (status) index->driver->rollback(index);
  return status;
}

cq_status index_commit(post_index *index, cq_error *error) {
  const index_cell last = {.type = INDEX_NUMBER, .number = index->last};
  cq_status status = index->driver->run(index, INDEX_SET_LAST, &last, 1, NULL, NULL, NULL, error);
  if (!status) return index->driver->commit(index, error);
  index->driver->rollback(index);
  return status;
}

void index_rollback(post_index *index) {
  index->driver->rollback(index);
}

/* Ends what index_begin began, as `status` says. */
static cq_status end(post_index *index, cq_status status, cq_error *error) {
  if (!status) return index_commit(index, error);
  index_rollback(index);
  return status;
}

static index_cell next(post_index *index) {
  return (index_cell){.type = INDEX_NUMBER, .number = ++index->last};
}

cq_status index_add(post_index *index, const index_item *item, cq_str bytes, int64_t now_utc_ms, bool *fresh,
                    cq_error *error) {
  const index_cell params[] = {next(index),
                               hash_cell(&item->hash),
                               number(item->kind),
                               number(item->outcome),
                               device_cell(&item->device),
                               number(item->number),
                               number(item->size),
                               text(item->path),
                               {.type = INDEX_NUMBER, .number = now_utc_ms},
                               {.type = INDEX_BLOB, .bytes = bytes}};
  uint64_t changed = 0;
  /* The last is for an engine that has the bytes. */
  size_t count = sizeof params / sizeof *params - (index->home ? 1 : 0);
  cq_status status = index->driver->run(index, INDEX_ADD, params, count, NULL, NULL, &changed, error);
  *fresh = changed > 0;
  return status;
}

cq_status index_add_news(post_index *index, const index_item *item, const cq_device_id *device, cq_error *error) {
  const index_cell hash = hash_cell(&item->hash), params[] = {next(index), device_cell(device), hash};
  cq_status status = CQ_OK;
  if (item->kind == CQ_PARCEL_BUNDLE) {
    status = index->driver->run(index, INDEX_DROP_BUNDLES, &hash, 1, NULL, NULL, NULL, error);
  }
  return status ? status : index->driver->run(index, INDEX_ADD_NEWS, params, 3, NULL, NULL, NULL, error);
}

/* Within a transaction; where another was first, and it is no more as `item` says, nothing changes. */
static cq_status change(post_index *index, const index_item *item, const index_item *after, cq_error *error) {
  const index_cell params[] = {hash_cell(&item->hash), number(item->outcome), number(after->outcome), text(after->path),
                               next(index)};
  return index->driver->run(index, INDEX_CHANGE, params, 5, NULL, NULL, NULL, error);
}

static cq_status change_alone(post_index *index, const index_item *item, const index_item *after, cq_error *error) {
  cq_status status = index_begin(index, error);
  return status ? status : end(index, change(index, item, after, error), error);
}

cq_status index_release(post_index *index, const index_item *held, cq_error *error) {
  index_item kept = *held;
  kept.outcome = CQ_OUTCOME_KEPT;
  choose_path(&kept);
  cq_status status = index->home ? files_link(index->home, held->path, kept.path, error) : CQ_OK;
  if (!status) status = change_alone(index, held, &kept, error);
  return status || !index->home ? status : files_remove(index->home, held->path, error);
}

cq_status index_replace(post_index *index, const index_item *item, cq_error *error) {
  index_item gone = *item;
  gone.outcome = CQ_OUTCOME_STALE;
  gone.path[0] = '\0';
  cq_status status = change_alone(index, item, &gone, error);
  return status || !index->home ? status : files_remove(index->home, item->path, error);
}

static cq_status erase(post_index *index, const cq_hash *hash, int64_t now_utc_ms, index_item *item, cq_error *error) {
  bool fresh;
  cq_status status = index_find(index, hash, item, error);
  if (status == CQ_NOTFOUND) {
    *item = (index_item){.kind = CQ_PARCEL_BATCH, .hash = *hash, .outcome = CQ_OUTCOME_ERASED};
    return index_add(index, item, (cq_str){0}, now_utc_ms, &fresh, error);
  }
  if (status || item->outcome == CQ_OUTCOME_ERASED) return status;
  index_item gone = *item;
  gone.outcome = CQ_OUTCOME_ERASED;
  gone.path[0] = '\0';
  return change(index, item, &gone, error);
}

/* The two files that a batch may be, also where an earlier run ended between the index and the files. */
static cq_status remove_files(post_index *index, index_item *item, cq_error *error) {
  static const cq_outcome outcomes[] = {CQ_OUTCOME_KEPT, CQ_OUTCOME_HELD_UNKNOWN};
  cq_status status = CQ_OK;
  for (size_t i = 0; i < 2 && !status; i++) {
    item->outcome = outcomes[i];
    choose_path(item);
    status = files_remove(index->home, item->path, error);
  }
  return status;
}

cq_status index_erase(post_index *index, const cq_hash *hash, int64_t now_utc_ms, cq_error *error) {
  index_item item;
  cq_status status = index_begin(index, error);
  if (!status) status = end(index, erase(index, hash, now_utc_ms, &item, error), error);
  return status || !index->home ? status : remove_files(index, &item, error);
}

/* --- questions --- */
cq_status index_find(post_index *index, const cq_hash *hash, index_item *item, cq_error *error) {
  const index_cell param = hash_cell(hash);
  return run_one(index, INDEX_FIND, &param, 1, item, error);
}

cq_status index_newest_bundle(post_index *index, index_item *item, cq_error *error) {
  return run_one(index, INDEX_NEWEST_BUNDLE, NULL, 0, item, error);
}

static bool take_sums(void *context, const index_cell *cells) {
  index_held *sums = context;
  sums->batches = (uint64_t)cells[0].number;
  sums->bytes = (uint64_t)cells[1].number;
  sums->device_bytes = (uint64_t)cells[2].number;
  return false;
}

cq_status index_held_sums(post_index *index, const cq_device_id *device, index_held *sums, cq_error *error) {
  const index_cell param = device_cell(device);
  *sums = (index_held){0};
  return index->driver->run(index, INDEX_HELD_SUMS, &param, 1, take_sums, sums, NULL, error);
}

cq_status index_batches_after(post_index *index, uint64_t sequence, size_t most, index_each each, void *context,
                              cq_error *error) {
  const index_cell params[] = {number(sequence), number(most)};
  return run_each(index, INDEX_BATCHES_AFTER, params, 2, each, context, error);
}

cq_status index_held_batches(post_index *index, index_each each, void *context, cq_error *error) {
  return run_each(index, INDEX_HELD_BATCHES, NULL, 0, each, context, error);
}

cq_status index_orders(post_index *index, index_each each, void *context, cq_error *error) {
  return run_each(index, INDEX_ORDERS, NULL, 0, each, context, error);
}

cq_status index_news_after(post_index *index, const cq_device_id *device, uint64_t sequence, size_t most,
                           index_each each, void *context, cq_error *error) {
  const index_cell params[] = {device_cell(device), number(sequence), number(most)};
  return run_each(index, INDEX_NEWS_AFTER, params, 3, each, context, error);
}

cq_status index_newest_sheet(post_index *index, const cq_device_id *device, uint64_t *newest, cq_error *error) {
  const index_cell param = device_cell(device);
  int64_t found = 0;
  cq_status status = index->driver->run(index, INDEX_NEWEST_SHEET, &param, 1, take_number, &found, NULL, error);
  *newest = (uint64_t)found;
  return status;
}

cq_status index_older_sheets(post_index *index, const cq_device_id *device, uint64_t below, index_each each,
                             void *context, cq_error *error) {
  const index_cell params[] = {device_cell(device), number(below)};
  return run_each(index, INDEX_OLDER_SHEETS, params, 2, each, context, error);
}

cq_status index_batches_of(post_index *index, const cq_device_id *device, index_each each, void *context,
                           cq_error *error) {
  const index_cell param = device_cell(device);
  return run_each(index, INDEX_BATCHES_OF, &param, 1, each, context, error);
}

cq_status index_is_news(post_index *index, const cq_hash *hash, bool *is, cq_error *error) {
  const index_cell param = hash_cell(hash);
  int64_t sequence = 0;
  cq_status status = index->driver->run(index, INDEX_IS_NEWS, &param, 1, take_number, &sequence, NULL, error);
  *is = sequence > 0;
  return status;
}
