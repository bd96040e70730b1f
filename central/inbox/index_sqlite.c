/* SPDX-License-Identifier: Apache-2.0 */
/* The index as a plain SQLite file beside the batches: it holds nothing that they do not say, but for the order. */
#include "central/inbox/index_driver.h"
#include "chasqui/file.h"

#include <pthread.h>
#include <sqlite3.h>
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
    "CREATE INDEX IF NOT EXISTS item_bundle ON item(number) WHERE kind = 2;"
    "CREATE TABLE IF NOT EXISTS news("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  device BLOB NOT NULL," /* zeros: for all */
    "  hash BLOB NOT NULL REFERENCES item(hash),"
    "  UNIQUE(device, hash));"
    "CREATE INDEX IF NOT EXISTS news_device ON news(device, seq);"
    "CREATE INDEX IF NOT EXISTS news_hash ON news(hash);"
    /* The sequence given last, of both. */
    "CREATE TABLE IF NOT EXISTS arrival(one INTEGER PRIMARY KEY CHECK(one = 1), last INTEGER NOT NULL);"
    "INSERT INTO arrival SELECT 1, max((SELECT coalesce(max(seq), 0) FROM item),"
    "  (SELECT coalesce(max(seq), 0) FROM sqlite_sequence)) WHERE NOT EXISTS (SELECT 1 FROM arrival);";

static const char *const own[INDEX_STATEMENTS] = {
    [INDEX_LAST] = "SELECT last FROM arrival",
    [INDEX_ADD] = "INSERT INTO item(seq, hash, kind, outcome, device, number, size, path, received_utc_ms)"
                  " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    [INDEX_CHANGE] = "UPDATE item SET outcome = $3, path = $4, seq = $5 WHERE hash = $1 AND outcome = $2",
};

typedef struct sqlite_index {
  post_index base;
  sqlite3 *db;
  sqlite3_stmt *statements[INDEX_STATEMENTS];
  pthread_mutex_t lock; /* recursive: statements within a transaction */
} sqlite_index;

static sqlite_index *of(post_index *index) {
  return (sqlite_index *)index;
}

static cq_status failed(sqlite_index *index, cq_error *error) {
  int code = sqlite3_errcode(index->db);
  cq_status status = code == SQLITE_NOMEM ? CQ_NOMEM : code == SQLITE_BUSY ? CQ_BUSY : CQ_IO;
  return cq_error_set(error, status, "post.index", sqlite3_db_filename(index->db, "main"), sqlite3_errmsg(index->db),
                      NULL);
}

static void close_index(post_index *base) {
  sqlite_index *index = of(base);
  for (size_t i = 0; i < INDEX_STATEMENTS; i++) sqlite3_finalize(index->statements[i]);
  sqlite3_close(index->db);
  pthread_mutex_destroy(&index->lock);
  free(base->home);
  free(index);
}

/* SQLite numbers its parameters with '?'. */
static int prepare(sqlite_index *index, index_statement which) {
  const char *sql = own[which] ? own[which] : index_sql[which];
  cq_buf text = {0};
  for (const char *at = sql; at && *at; at++) cq_buf_add_char(&text, *at == '$' ? '?' : *at);
  int code =
      text.failed ? SQLITE_NOMEM
      : sql ? sqlite3_prepare_v3(index->db, text.at, -1, SQLITE_PREPARE_PERSISTENT, &index->statements[which], NULL)
            : SQLITE_OK;
  cq_buf_fini(&text);
  return code;
}

static cq_status begin(post_index *base, cq_error *error) {
  sqlite_index *index = of(base);
  pthread_mutex_lock(&index->lock);
  if (sqlite3_exec(index->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) return CQ_OK;
  cq_status status = failed(index, error);
  pthread_mutex_unlock(&index->lock);
  return status;
}

static cq_status commit(post_index *base, cq_error *error) {
  sqlite_index *index = of(base);
  cq_status status = CQ_OK;
  if (sqlite3_exec(index->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
    status = failed(index, error);
    sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
  }
  pthread_mutex_unlock(&index->lock);
  return status;
}

static void rollback(post_index *base) {
  sqlite3_exec(of(base)->db, "ROLLBACK", NULL, NULL, NULL);
  pthread_mutex_unlock(&of(base)->lock);
}

static void bind(sqlite3_stmt *s, int at, const index_cell *cell) {
  switch (cell->type) {
  case INDEX_NUMBER: sqlite3_bind_int64(s, at, cell->number); break;
  case INDEX_BLOB: sqlite3_bind_blob(s, at, cell->bytes.at, (int)cell->bytes.size, SQLITE_STATIC); break;
  case INDEX_TEXT: sqlite3_bind_text(s, at, cell->bytes.at, (int)cell->bytes.size, SQLITE_STATIC); break;
  }
}

static void read_row(sqlite3_stmt *s, index_cell *cells) {
  for (int i = 0; i < sqlite3_column_count(s) && i < INDEX_MOST_CELLS; i++) {
    cells[i] = (index_cell){.type = INDEX_NUMBER};
    if (sqlite3_column_type(s, i) == SQLITE_INTEGER) {
      cells[i].number = sqlite3_column_int64(s, i);
    } else {
      const void *bytes = sqlite3_column_blob(s, i);
      cells[i] = (index_cell){.type = INDEX_BLOB, .bytes = {bytes, (size_t)sqlite3_column_bytes(s, i)}};
    }
  }
}

static cq_status run(post_index *base, index_statement which, const index_cell *params, size_t count, index_row row,
                     void *context, uint64_t *changed, cq_error *error) {
  sqlite_index *index = of(base);
  pthread_mutex_lock(&index->lock);
  sqlite3_stmt *s = index->statements[which];
  for (size_t i = 0; i < count; i++) bind(s, (int)i + 1, &params[i]);
  int code;
  index_cell cells[INDEX_MOST_CELLS];
  while ((code = sqlite3_step(s)) == SQLITE_ROW) {
    read_row(s, cells);
    if (!row || !row(context, cells)) break;
  }
  cq_status status = code == SQLITE_DONE || code == SQLITE_ROW ? CQ_OK : failed(index, error);
  if (changed) *changed = (uint64_t)sqlite3_changes(index->db);
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
  pthread_mutex_unlock(&index->lock);
  return status;
}

static const index_driver driver = {
    .close = close_index, .begin = begin, .commit = commit, .rollback = rollback, .run = run};

cq_status index_sqlite_open(post_index **out, const char *home, cq_error *error) {
  cq_buf path = {0};
  sqlite_index *index = calloc(1, sizeof *index);
  if (!index) return cq_error_nomem(error);
  index->base = (post_index){.driver = &driver, .home = strdup(home)};
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&index->lock, &recursive);
  pthread_mutexattr_destroy(&recursive);
  cq_status status = index->base.home ? cq_file_path(&path, home, "post.db", error) : cq_error_nomem(error);
  int code = SQLITE_OK;
  if (!status) code = sqlite3_open_v2(path.at, &index->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  if (!status && code == SQLITE_OK) {
    sqlite3_busy_timeout(index->db, 10000);
    code = sqlite3_exec(index->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(index->db, schema, NULL, NULL, NULL);
    for (index_statement i = 0; code == SQLITE_OK && i < INDEX_STATEMENTS; i++) code = prepare(index, i);
  }
  if (code != SQLITE_OK)
    status = index->db ? cq_error_set(error, CQ_IO, "post.index", path.at, sqlite3_errmsg(index->db), NULL)
                       : cq_error_nomem(error);
  cq_buf_fini(&path);
  if (status) {
    close_index(&index->base);
    return status;
  }
  *out = &index->base;
  return CQ_OK;
}
