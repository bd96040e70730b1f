/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/index.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS item("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT," /* order of arrival; a released batch arrives anew */
    "  hash BLOB NOT NULL UNIQUE,"
    "  kind INTEGER NOT NULL," /* cq_parcel_kind */
    "  outcome INTEGER NOT NULL,"
    "  device BLOB NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  path TEXT NOT NULL," /* within the home; empty once erased */
    "  received_utc_ms INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS item_held ON item(device) WHERE outcome IN (3, 4);"
    "CREATE TABLE IF NOT EXISTS news("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  device BLOB NOT NULL," /* zeros: for all */
    "  hash BLOB NOT NULL REFERENCES item(hash),"
    "  UNIQUE(device, hash));"
    "CREATE INDEX IF NOT EXISTS news_device ON news(device, seq);"
    "CREATE INDEX IF NOT EXISTS news_hash ON news(hash);"
    "CREATE TABLE IF NOT EXISTS setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

typedef enum {
  FIND,
  ADD,
  ADD_NEWS,
  DROP_BUNDLES,
  CHANGE,
  HELD_SUMS,
  BATCHES_AFTER,
  HELD_BATCHES,
  NEWS_AFTER,
  IS_NEWS,
  NEWEST_OF,
  OLDER_OF,
  BY_DEVICE,
  SETTING,
  SET,
  STATEMENTS
} statement;

#define COLUMNS "hash, kind, outcome, device, number, size, path"
static const char *const sql[STATEMENTS] = {
    [FIND] = "SELECT seq, " COLUMNS " FROM item WHERE hash = ?1",
    [ADD] = "INSERT OR IGNORE INTO item(" COLUMNS ", received_utc_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ADD_NEWS] = "INSERT OR IGNORE INTO news(device, hash) VALUES(?1, ?2)",
    [DROP_BUNDLES] = "DELETE FROM news WHERE hash IN (SELECT hash FROM item WHERE kind = 2 AND hash <> ?1)",
    [CHANGE] = "UPDATE item SET outcome = ?2, path = ?3, seq = (SELECT max(seq) + 1 FROM item)"
               " WHERE hash = ?1",
    [HELD_SUMS] = "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(CASE WHEN device = ?1 THEN size END), 0)"
                  " FROM item WHERE outcome IN (3, 4)",
    [BATCHES_AFTER] = "SELECT seq, " COLUMNS " FROM item WHERE seq > ?1 AND kind = 1 AND outcome IN (1, 3, 4)"
                      " AND hash NOT IN (SELECT hash FROM news) ORDER BY seq",
    [HELD_BATCHES] = "SELECT seq, " COLUMNS " FROM item WHERE outcome IN (3, 4) ORDER BY seq",
    [NEWS_AFTER] = "SELECT news.seq, item.hash, kind, outcome, news.device, number, size, path FROM news"
                   " JOIN item USING(hash) WHERE news.device = ?1 AND news.seq > ?2 AND outcome = 1 ORDER BY news.seq",
    [IS_NEWS] = "SELECT 1 FROM news WHERE hash = ?1",
    [NEWEST_OF] = "SELECT coalesce(max(number), 0) FROM news JOIN item USING(hash) WHERE news.device = ?1 AND kind = 1",
    [OLDER_OF] = "SELECT item.seq, item.hash, kind, outcome, item.device, number, size, path FROM news JOIN item "
                 "USING(hash) WHERE news.device = ?1 AND kind = 1 AND outcome = 1 AND number < ?2 ORDER BY item.seq",
    [BY_DEVICE] = "SELECT seq, " COLUMNS " FROM item WHERE device = ?1 AND kind = 1 AND outcome = 1 ORDER BY seq",
    [SETTING] = "SELECT value FROM setting WHERE key = ?1",
    [SET] = "INSERT OR REPLACE INTO setting(key, value) VALUES(?1, ?2)",
};

struct post_index {
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
  pthread_mutex_t lock; /* recursive: index_add within index_begin … index_commit */
};

static cq_status index_error(post_index *index, cq_error *error) {
  int code = sqlite3_errcode(index->db);
  cq_status status = code == SQLITE_NOMEM ? CQ_NOMEM : code == SQLITE_BUSY ? CQ_BUSY : CQ_IO;
  return cq_error_set(error, status, "post.index", sqlite3_db_filename(index->db, "main"), sqlite3_errmsg(index->db),
                      NULL);
}

cq_status index_open(post_index **out, const char *path, cq_error *error) {
  post_index *index = calloc(1, sizeof *index);
  if (!index) return cq_error_nomem(error);
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&index->lock, &recursive);
  pthread_mutexattr_destroy(&recursive);
  int code = sqlite3_open_v2(path, &index->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(index->db, 10000);
    code = sqlite3_exec(index->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL, NULL);
  }
  if (code == SQLITE_OK) code = sqlite3_exec(index->db, schema, NULL, NULL, NULL);
  for (size_t i = 0; code == SQLITE_OK && i < STATEMENTS; i++) {
    code = sqlite3_prepare_v3(index->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &index->statements[i], NULL);
  }
  if (code != SQLITE_OK) {
    cq_status status = index->db ? cq_error_set(error, CQ_IO, "post.index", path, sqlite3_errmsg(index->db), NULL)
                                 : cq_error_nomem(error);
    index_close(index);
    return status;
  }
  *out = index;
  return CQ_OK;
}

void index_close(post_index *index) {
  if (!index) return;
  for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(index->statements[i]);
  sqlite3_close(index->db);
  pthread_mutex_destroy(&index->lock);
  free(index);
}

/* A statement ready to be bound, with the index locked until `done`. */
static sqlite3_stmt *use(post_index *index, statement which) {
  pthread_mutex_lock(&index->lock);
  return index->statements[which];
}

static cq_status done(post_index *index, sqlite3_stmt *s, cq_status status) {
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
  pthread_mutex_unlock(&index->lock);
  return status;
}

static void bind_hash(sqlite3_stmt *s, int at, const cq_hash *hash) {
  sqlite3_bind_blob(s, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

static void bind_device(sqlite3_stmt *s, int at, const cq_device_id *device) {
  sqlite3_bind_blob(s, at, device->at, sizeof device->at, SQLITE_STATIC);
}

static void read_blob(sqlite3_stmt *s, int at, void *out, size_t size) {
  const void *blob = sqlite3_column_blob(s, at);
  if (blob && (size_t)sqlite3_column_bytes(s, at) == size) memcpy(out, blob, size);
}

static void read_item(sqlite3_stmt *s, index_item *item) {
  memset(item, 0, sizeof *item);
  item->sequence = (uint64_t)sqlite3_column_int64(s, 0);
  read_blob(s, 1, item->hash.at, sizeof item->hash.at);
  item->kind = (cq_parcel_kind)sqlite3_column_int(s, 2);
  item->outcome = (cq_outcome)sqlite3_column_int(s, 3);
  read_blob(s, 4, item->device.at, sizeof item->device.at);
  item->number = (uint64_t)sqlite3_column_int64(s, 5);
  item->size = (uint64_t)sqlite3_column_int64(s, 6);
  const char *path = (const char *)sqlite3_column_text(s, 7);
  snprintf(item->path, sizeof item->path, "%s", path ? path : "");
}

/* Runs a statement that answers no row. */
static cq_status run(post_index *index, sqlite3_stmt *s, cq_error *error) {
  int code = sqlite3_step(s);
  return done(index, s, code == SQLITE_DONE ? CQ_OK : index_error(index, error));
}

static cq_status run_each(post_index *index, sqlite3_stmt *s, index_each each, void *context, cq_error *error) {
  int code;
  index_item item;
  while ((code = sqlite3_step(s)) == SQLITE_ROW) {
    read_item(s, &item);
    if (!each(context, &item)) break;
  }
  return done(index, s, code == SQLITE_DONE || code == SQLITE_ROW ? CQ_OK : index_error(index, error));
}

cq_status index_setting(post_index *index, const char *key, cq_buf *value, cq_error *error) {
  sqlite3_stmt *s = use(index, SETTING);
  sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
  int code = sqlite3_step(s);
  cq_buf_reset(value);
  if (code == SQLITE_ROW) cq_buf_add_text(value, (const char *)sqlite3_column_text(s, 0));
  cq_status status = code == SQLITE_ROW ? CQ_OK : code == SQLITE_DONE ? CQ_NOTFOUND : index_error(index, error);
  return done(index, s, status);
}

cq_status index_set(post_index *index, const char *key, const char *value, cq_error *error) {
  sqlite3_stmt *s = use(index, SET);
  sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
  sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC);
  return run(index, s, error);
}

cq_status index_find(post_index *index, const cq_hash *hash, index_item *item, cq_error *error) {
  sqlite3_stmt *s = use(index, FIND);
  bind_hash(s, 1, hash);
  int code = sqlite3_step(s);
  if (code == SQLITE_ROW) read_item(s, item);
  cq_status status = code == SQLITE_ROW ? CQ_OK : code == SQLITE_DONE ? CQ_NOTFOUND : index_error(index, error);
  return done(index, s, status);
}

cq_status index_begin(post_index *index, cq_error *error) {
  pthread_mutex_lock(&index->lock);
  if (sqlite3_exec(index->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) return CQ_OK;
  cq_status status = index_error(index, error);
  pthread_mutex_unlock(&index->lock);
  return status;
}

cq_status index_commit(post_index *index, cq_error *error) {
  cq_status status = CQ_OK;
  if (sqlite3_exec(index->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
    status = index_error(index, error);
    sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
  }
  pthread_mutex_unlock(&index->lock);
  return status;
}

void index_rollback(post_index *index) {
  sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
  pthread_mutex_unlock(&index->lock);
}

cq_status index_add(post_index *index, const index_item *item, int64_t now_utc_ms, bool *fresh, cq_error *error) {
  sqlite3_stmt *s = use(index, ADD);
  bind_hash(s, 1, &item->hash);
  sqlite3_bind_int(s, 2, (int)item->kind);
  sqlite3_bind_int(s, 3, (int)item->outcome);
  bind_device(s, 4, &item->device);
  sqlite3_bind_int64(s, 5, (sqlite3_int64)item->number);
  sqlite3_bind_int64(s, 6, (sqlite3_int64)item->size);
  sqlite3_bind_text(s, 7, item->path, -1, SQLITE_STATIC);
  sqlite3_bind_int64(s, 8, now_utc_ms);
  int code = sqlite3_step(s);
  *fresh = sqlite3_changes(index->db) > 0;
  return done(index, s, code == SQLITE_DONE ? CQ_OK : index_error(index, error));
}

cq_status index_add_news(post_index *index, const index_item *item, const cq_device_id *device, cq_error *error) {
  cq_status status = CQ_OK;
  if (item->kind == CQ_PARCEL_BUNDLE) {
    sqlite3_stmt *drop = use(index, DROP_BUNDLES);
    bind_hash(drop, 1, &item->hash);
    status = run(index, drop, error);
  }
  if (status) return status;
  sqlite3_stmt *s = use(index, ADD_NEWS);
  bind_device(s, 1, device);
  bind_hash(s, 2, &item->hash);
  return run(index, s, error);
}

cq_status index_change(post_index *index, const cq_hash *hash, cq_outcome outcome, const char *path, cq_error *error) {
  sqlite3_stmt *s = use(index, CHANGE);
  bind_hash(s, 1, hash);
  sqlite3_bind_int(s, 2, (int)outcome);
  sqlite3_bind_text(s, 3, path, -1, SQLITE_STATIC);
  return run(index, s, error);
}

cq_status index_held_sums(post_index *index, const cq_device_id *device, index_held *sums, cq_error *error) {
  sqlite3_stmt *s = use(index, HELD_SUMS);
  bind_device(s, 1, device);
  int code = sqlite3_step(s);
  if (code == SQLITE_ROW) {
    sums->batches = (uint64_t)sqlite3_column_int64(s, 0);
    sums->bytes = (uint64_t)sqlite3_column_int64(s, 1);
    sums->device_bytes = (uint64_t)sqlite3_column_int64(s, 2);
  }
  return done(index, s, code == SQLITE_ROW ? CQ_OK : index_error(index, error));
}

cq_status index_batches_after(post_index *index, uint64_t sequence, index_each each, void *context, cq_error *error) {
  sqlite3_stmt *s = use(index, BATCHES_AFTER);
  sqlite3_bind_int64(s, 1, (sqlite3_int64)sequence);
  return run_each(index, s, each, context, error);
}

cq_status index_held_batches(post_index *index, index_each each, void *context, cq_error *error) {
  return run_each(index, use(index, HELD_BATCHES), each, context, error);
}

cq_status index_news_after(post_index *index, const cq_device_id *device, uint64_t sequence, index_each each,
                           void *context, cq_error *error) {
  sqlite3_stmt *s = use(index, NEWS_AFTER);
  bind_device(s, 1, device);
  sqlite3_bind_int64(s, 2, (sqlite3_int64)sequence);
  return run_each(index, s, each, context, error);
}

cq_status index_newest_sheet(post_index *index, const cq_device_id *device, uint64_t *number, cq_error *error) {
  sqlite3_stmt *s = use(index, NEWEST_OF);
  bind_device(s, 1, device);
  int code = sqlite3_step(s);
  *number = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
  return done(index, s, code == SQLITE_ROW ? CQ_OK : index_error(index, error));
}

cq_status index_older_sheets(post_index *index, const cq_device_id *device, uint64_t number, index_each each,
                             void *context, cq_error *error) {
  sqlite3_stmt *s = use(index, OLDER_OF);
  bind_device(s, 1, device);
  sqlite3_bind_int64(s, 2, (sqlite3_int64)number);
  return run_each(index, s, each, context, error);
}

cq_status index_batches_of(post_index *index, const cq_device_id *device, index_each each, void *context,
                           cq_error *error) {
  sqlite3_stmt *s = use(index, BY_DEVICE);
  bind_device(s, 1, device);
  return run_each(index, s, each, context, error);
}

cq_status index_is_news(post_index *index, const cq_hash *hash, bool *is, cq_error *error) {
  sqlite3_stmt *s = use(index, IS_NEWS);
  bind_hash(s, 1, hash);
  int code = sqlite3_step(s);
  *is = code == SQLITE_ROW;
  return done(index, s, code == SQLITE_ROW || code == SQLITE_DONE ? CQ_OK : index_error(index, error));
}
