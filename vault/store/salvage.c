/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a damaged store, as far as they can be read. A page that does not authenticate is an error wherever SQLite
 * meets it, so a row is either whole or passed over, never half of one.
 */
#include "vault/store/store.h"

#include <string.h>

typedef struct salvage {
  cq_store *into;
  sqlite3 *from;
  int64_t version; /* of the old store */
  cq_store_salvaged *found;
} salvage;

static bool readable(int rc) {
  return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* Columns from `skip` on of the row `from` stands at, as a row of the same names in the new store. */
static cq_status copy_row(salvage *work, sqlite3_stmt *from, int skip, sqlite3_stmt *insert, cq_error *error) {
  int rc = SQLITE_OK;
  for (int i = skip; rc == SQLITE_OK && i < sqlite3_column_count(from); i++)
    rc = sqlite3_bind_value(insert, i - skip + 1, sqlite3_column_value(from, i));
  if (rc == SQLITE_OK) rc = sqlite3_step(insert);
  if (rc == SQLITE_DONE) work->found->rows += sqlite3_changes(cq_vault_db(work->into->vault));
  sqlite3_reset(insert);
  /* a row that the new tables refuse is passed over like one that cannot be read */
  if (rc == SQLITE_DONE) return CQ_OK;
  if ((rc & 0xff) == SQLITE_CONSTRAINT || rc == SQLITE_MISMATCH) {
    work->found->gaps++;
    return CQ_OK;
  }
  return cq_vault_error(work->into->vault, rc, error);
}

/* Steps from row `at` on; `*next` is where an unreadable place was met. SQLITE_DONE at the end. */
static int copy_from(salvage *work, sqlite3_stmt *ask, int64_t at, int64_t *next, sqlite3_stmt *insert,
                     cq_status *status, cq_error *error) {
  int rc = sqlite3_reset(ask);
  sqlite3_bind_int64(ask, 1, at);
  *next = at;
  while (*status == CQ_OK && (rc = sqlite3_step(ask)) == SQLITE_ROW) {
    *next = sqlite3_column_int64(ask, 0);
    if (*next == INT64_MAX)
      rc = SQLITE_DONE;
    else
      ++*next;
    *status = copy_row(work, ask, 1, insert, error);
  }
  return rc;
}

static int try_at(sqlite3_stmt *ask, int64_t at) {
  sqlite3_reset(ask);
  sqlite3_bind_int64(ask, 1, at);
  return sqlite3_step(ask);
}

/* The first number after an unreadable place from which rows can be read again: doubling, then halving back. */
static int64_t after_gap(sqlite3_stmt *ask, int64_t at) {
  int64_t low = at, step = 1;
  while (step < INT64_MAX / 4 && at < INT64_MAX - step && !readable(try_at(ask, at + step))) {
    low = at + step;
    step *= 2;
  }
  if (at >= INT64_MAX - step || step >= INT64_MAX / 4) return INT64_MAX;
  int64_t high = at + step;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (readable(try_at(ask, middle)))
      high = middle;
    else
      low = middle;
  }
  return high;
}

static cq_status copy_by_number(salvage *work, sqlite3_stmt *ask, sqlite3_stmt *insert, cq_error *error) {
  cq_status status = CQ_OK;
  int64_t at = 0, next = 0;
  while (status == CQ_OK && at != INT64_MAX) {
    int rc = copy_from(work, ask, at, &next, insert, &status, error);
    if (rc == SQLITE_DONE || status != CQ_OK) break;
    work->found->gaps++;
    at = after_gap(ask, next);
  }
  return status;
}

/* A table without numbers: from its beginning to the first gap, and from its end back to the last. */
static cq_status copy_both_ways(salvage *work, const char *const sql[2], sqlite3_stmt *insert, cq_error *error) {
  cq_status status = CQ_OK;
  int rc = SQLITE_OK;
  for (int way = 0; way < 2 && status == CQ_OK && rc != SQLITE_DONE; way++) {
    sqlite3_stmt *ask = NULL;
    rc = sqlite3_prepare_v2(work->from, sql[way], -1, &ask, NULL);
    while (rc == SQLITE_OK && status == CQ_OK && (rc = sqlite3_step(ask)) == SQLITE_ROW) {
      status = copy_row(work, ask, 0, insert, error);
      rc = SQLITE_OK;
    }
    sqlite3_finalize(ask);
    if (way == 0 && rc != SQLITE_DONE) work->found->gaps++;
  }
  return status;
}

/* "INSERT INTO t(columns of `ask` from `skip` on) VALUES (?…) ON CONFLICT DO NOTHING". */
static sqlite3_stmt *prepare_insert(salvage *work, const char *table, sqlite3_stmt *ask, int skip) {
  sqlite3_stmt *insert = NULL;
  cq_buf sql = {0};
  cq_buf_addf(&sql, "INSERT INTO \"%s\"(", table);
  for (int i = skip; i < sqlite3_column_count(ask); i++)
    cq_buf_addf(&sql, "%s\"%s\"", i > skip ? "," : "", sqlite3_column_name(ask, i));
  cq_buf_add_text(&sql, ") VALUES (");
  for (int i = skip; i < sqlite3_column_count(ask); i++) cq_buf_add_text(&sql, i > skip ? ",?" : "?");
  cq_buf_add_text(&sql, ") ON CONFLICT DO NOTHING"); /* a row read twice */
  if (!sql.failed) sqlite3_prepare_v2(cq_vault_db(work->into->vault), sql.at, -1, &insert, NULL);
  cq_buf_fini(&sql);
  return insert;
}

static cq_status copy_table(salvage *work, const char *table, const char *key, cq_error *error) {
  cq_status status = CQ_OK;
  sqlite3_stmt *ask = NULL, *insert = NULL;
  const char *older = store_rows_of(work->version, table);
  if (older && !*older) return CQ_OK;
  char *numbered = sqlite3_mprintf("SELECT rowid, * FROM \"%w\" WHERE rowid >= ?1 ORDER BY rowid", table);
  char *rows = older ? sqlite3_mprintf("(%s)", older) : sqlite3_mprintf("\"%w\"", table);
  char *forward = rows ? sqlite3_mprintf("SELECT * FROM %s", rows) : NULL;
  char *backward = rows ? sqlite3_mprintf("SELECT * FROM %s ORDER BY %s DESC", rows, key) : NULL;
  if (!numbered || !forward || !backward) {
    status = cq_error_nomem(error);
    goto out;
  }
  bool by_number = !older && sqlite3_prepare_v2(work->from, numbered, -1, &ask, NULL) == SQLITE_OK;
  if (!by_number && sqlite3_prepare_v2(work->from, forward, -1, &ask, NULL) != SQLITE_OK) {
    work->found->gaps++; /* the old store has no such table */
    goto out;
  }
  insert = prepare_insert(work, table, ask, by_number);
  if (!insert)
    status = cq_vault_error(work->into->vault, sqlite3_errcode(cq_vault_db(work->into->vault)), error);
  else if (by_number)
    status = copy_by_number(work, ask, insert, error);
  else
    status = copy_both_ways(work, (const char *const[]){forward, backward}, insert, error);
out:
  sqlite3_finalize(ask);
  sqlite3_finalize(insert);
  sqlite3_free(numbered);
  sqlite3_free(rows);
  sqlite3_free(forward);
  sqlite3_free(backward);
  return status;
}

static cq_status copy_all(salvage *work, cq_error *error) {
  query tables = query_start(work->into,
                             "SELECT name, (SELECT group_concat(name, ' DESC, ') FROM (SELECT name FROM "
                             "pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) FROM sqlite_schema AS t "
                             "WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid",
                             "");
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&tables))
    status = copy_table(work, (const char *)sqlite3_column_text(tables.statement, 0),
                        (const char *)sqlite3_column_text(tables.statement, 1), error);
  return query_end(&tables, status, error);
}

/* What cannot be read of it is taken for the newest. */
static int64_t version_of(sqlite3 *db) {
  sqlite3_stmt *ask = NULL;
  int64_t version = STORE_VERSION;
  if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &ask, NULL) == SQLITE_OK && sqlite3_step(ask) == SQLITE_ROW)
    version = sqlite3_column_int64(ask, 0);
  sqlite3_finalize(ask);
  return version;
}

cq_status cq_store_salvage(cq_store *into, cq_vault *damaged, cq_store_salvaged *found, cq_error *error) {
  salvage work = {.into = into, .from = cq_vault_db(damaged), .found = found};
  int64_t rows = 0;
  if (work.from) work.version = version_of(work.from);
  memset(found, 0, sizeof *found);
  if (!work.from) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  cq_status status = store_number(into, &rows, 0, error,
                                  "SELECT (SELECT count(*) FROM trail) + (SELECT count(*) FROM setting) + "
                                  "(SELECT count(*) FROM device) + (SELECT count(*) FROM entity)",
                                  "");
  if (status != CQ_OK) return status;
  if (rows) return cq_error_set(error, CQ_REFUSED, "store.salvage.notempty", NULL);
  /* what was lost may be what other rows name */
  status = store_run(into, error, "PRAGMA foreign_keys = OFF", "");
  if (status == CQ_OK) status = store_begin(into, error);
  if (status != CQ_OK) return status;
  status = copy_all(&work, error);
  if (status == CQ_OK) status = store_migrate_rows(into, work.version, error);
  status = store_end(into, status, error);
  cq_status back = store_run(into, status == CQ_OK ? error : NULL, "PRAGMA foreign_keys = ON", "");
  return status == CQ_OK ? back : status;
}
