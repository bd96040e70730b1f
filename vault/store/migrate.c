/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema, and the steps from each earlier version of it. A new vault gets
 * schema.sql as it is; an older one gets each step after its own version, and
 * then the rebuildable tables anew, all in one transaction.
 */
#include "vault/store/store.h"

#include <stdio.h>
#include <string.h>

extern const unsigned char store_schema[]; /* schema.sql, embedded by CMakeLists.txt */

/* Version 2: attachments have names, in drafts too, and it is known which part went with which batch. */
#define NAMED_ATTACHMENTS                                                                                              \
  "SELECT record, attachment || '.bin' AS name, attachment, 'application/octet-stream' AS media_type "
static const char attachments_named[] =
    "CREATE TABLE draft_attachment(draft INTEGER NOT NULL REFERENCES draft ON DELETE CASCADE, name TEXT NOT NULL,"
    " attachment INTEGER NOT NULL REFERENCES attachment, media_type TEXT NOT NULL, PRIMARY KEY (draft, name))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX draft_attachment_attachment ON draft_attachment(attachment);"
    "ALTER TABLE record_attachment RENAME TO record_attachment_1;"
    "DROP INDEX record_attachment_attachment;"
    "CREATE TABLE record_attachment(record INTEGER NOT NULL REFERENCES record, name TEXT NOT NULL,"
    " attachment INTEGER NOT NULL REFERENCES attachment, media_type TEXT NOT NULL, PRIMARY KEY (record, name))"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO record_attachment " NAMED_ATTACHMENTS "FROM record_attachment_1;"
    "DROP TABLE record_attachment_1;"
    "CREATE INDEX record_attachment_attachment ON record_attachment(attachment);"
    "CREATE TABLE attachment_part(attachment INTEGER NOT NULL REFERENCES attachment ON DELETE CASCADE,"
    " offset INTEGER NOT NULL, size INTEGER NOT NULL, batch INTEGER NOT NULL REFERENCES batch,"
    " PRIMARY KEY (attachment, offset)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attachment_part_batch ON attachment_part(batch);"
    "CREATE VIEW attachment_way(attachment, packed, state) AS"
    " SELECT a.id, coalesce(sum(p.size), 0),"
    " CASE WHEN count(p.offset) = 0 OR sum(p.size) < a.size THEN 0 ELSE min(b.state) END"
    " FROM attachment AS a LEFT JOIN attachment_part AS p ON p.attachment = a.id"
    " LEFT JOIN batch AS b ON b.id = p.batch GROUP BY a.id;";

/*
 * Version 3 keeps from which version of the office's list a branch of an entity began. Before, each row names the
 * version it was made from: where that one was made here too, both have the same trunk; else it is the trunk.
 */
static const char trunk_of_branches[] =
    "WITH RECURSIVE chain(list, id, written, version, trunk) AS ("
    " SELECT list, id, written, version, base_version FROM entity AS e WHERE NOT EXISTS ("
    "  SELECT 1 FROM entity AS b WHERE b.list = e.list AND b.id = e.id AND b.version = e.base_version"
    "  AND b.written < e.written)"
    " UNION ALL SELECT e.list, e.id, e.written, e.version, c.trunk FROM chain AS c JOIN entity AS e"
    "  ON e.list = c.list AND e.id = c.id AND e.base_version = c.version AND e.written > c.written)"
    "UPDATE entity SET trunk_version = c.trunk FROM chain AS c"
    " WHERE c.list = entity.list AND c.id = entity.id AND c.written = entity.written;";

/* Version 4: OpenRosa servers of others, what they said of records, and the forms that came from them. */
static const char servers[] =
    "ALTER TABLE form ADD COLUMN origin TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE server(name TEXT PRIMARY KEY, kind INTEGER NOT NULL, url TEXT NOT NULL, user TEXT NOT NULL,"
    " secret BLOB NOT NULL, ca BLOB NOT NULL, forms TEXT NOT NULL, added_utc_ms INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE server_list(server TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL,"
    " PRIMARY KEY (server, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE delivery(record INTEGER NOT NULL REFERENCES record, server TEXT NOT NULL, outcome INTEGER NOT NULL,"
    " http INTEGER NOT NULL, message TEXT NOT NULL, taken TEXT NOT NULL, changed_utc_ms INTEGER NOT NULL,"
    " PRIMARY KEY (record, server)) STRICT, WITHOUT ROWID;";

/* Version 5: a draft may correct a record. */
static const char corrections[] = "ALTER TABLE draft ADD COLUMN parent BLOB;"
                                  "CREATE INDEX record_parent ON record(parent) WHERE parent IS NOT NULL;";

/* Version 6: a signed order to erase is kept once, whatever it names. Before, each name had a copy of it. */
static const char orders[] = "CREATE TABLE erasure(hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;";
static const char orders_once[] =
    "INSERT OR IGNORE INTO erasure(hash, bytes) SELECT hash_of(erasure), erasure FROM tombstone;"
    "UPDATE tombstone SET erasure = hash_of(erasure);";

/* steps[n] leads from version n + 1 to n + 2: the tables, then what their rows become. */
static const struct {
  const char *tables, *rows;
} steps[STORE_VERSION - 1] = {
    {attachments_named, ""},
    {"ALTER TABLE entity ADD COLUMN trunk_version INTEGER NOT NULL DEFAULT 0;", trunk_of_branches},
    {servers, ""},
    {corrections, ""},
    {orders, orders_once},
};

const char *store_rows_of(int64_t version, const char *table) {
  if (version < 6 && strcmp(table, "erasure") == 0) return "";
  static const char *const fourth[] = {"server", "server_list", "delivery"};
  for (size_t i = 0; version < 4 && i < sizeof fourth / sizeof *fourth; i++)
    if (strcmp(table, fourth[i]) == 0) return "";
  if (version > 1) return NULL;
  if (strcmp(table, "record_attachment") == 0) return NAMED_ATTACHMENTS "FROM record_attachment";
  return strcmp(table, "draft_attachment") == 0 || strcmp(table, "attachment_part") == 0 ? "" : NULL;
}

static const char rebuild[] =
    "DELETE FROM entity_newest;"
    "INSERT INTO entity_newest(list, id, label, version, branch)"
    " SELECT list, id, label, version, branch FROM"
    " (SELECT *, row_number() OVER (PARTITION BY list, id ORDER BY version DESC, written DESC) AS place FROM entity)"
    " WHERE place = 1;";

static cq_status run_all(cq_store *store, const char *sql, cq_error *error) {
  sqlite3 *db = cq_vault_db(store->vault);
  int rc = db ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_MISUSE;
  return rc == SQLITE_OK ? CQ_OK : cq_vault_error(store->vault, rc, error);
}

static cq_status set_version(cq_store *store, cq_error *error) {
  char sql[96];
  snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", STORE_APPLICATION, STORE_VERSION);
  return run_all(store, sql, error);
}

/* hash_of(bytes) in the SQL of a step. */
static void hash_of(sqlite3_context *context, int count, sqlite3_value **values) {
  uint8_t hash[CQ_STORE_HASH];
  (void)count;
  const char *bytes = sqlite3_value_blob(values[0]);
  hash_bytes(hash, (cq_str){bytes, (size_t)sqlite3_value_bytes(values[0])});
  sqlite3_result_blob(context, hash, sizeof hash, SQLITE_TRANSIENT);
}

static cq_status run_rows(cq_store *store, int64_t from, cq_error *error) {
  sqlite3 *db = cq_vault_db(store->vault);
  int rc = db ? sqlite3_create_function_v2(db, "hash_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                           NULL, hash_of, NULL, NULL, NULL)
              : SQLITE_MISUSE;
  return rc == SQLITE_OK ? run_all(store, steps[from - 1].rows, error) : cq_vault_error(store->vault, rc, error);
}

static cq_status run_step(cq_store *store, int64_t from, cq_error *error) {
  if (from < 1) return cq_error_set(error, CQ_REFUSED, "store.other", NULL);
  cq_status status = run_all(store, steps[from - 1].tables, error);
  return status == CQ_OK ? run_rows(store, from, error) : status;
}

cq_status store_migrate_rows(cq_store *store, int64_t from, cq_error *error) {
  cq_status status = CQ_OK;
  for (; status == CQ_OK && from > 0 && from < STORE_VERSION; from++) status = run_rows(store, from, error);
  return status == CQ_OK ? run_all(store, rebuild, error) : status;
}

cq_status store_migrate(cq_store *store, cq_error *error) {
  int64_t version = 0, application = 0, tables = 0;
  cq_status status = store_number(store, &version, 0, error, "PRAGMA user_version", "");
  if (status == CQ_OK) status = store_number(store, &application, 0, error, "PRAGMA application_id", "");
  if (status == CQ_OK) status = store_number(store, &tables, 0, error, "SELECT count(*) FROM sqlite_schema", "");
  if (status != CQ_OK) return status;
  if (version < 0 || (tables > 0 && application != STORE_APPLICATION))
    return cq_error_set(error, CQ_REFUSED, "store.other", NULL);
  if (version > STORE_VERSION) return cq_error_set(error, CQ_FUTURE, "store.version", NULL);
  if (version == STORE_VERSION) return CQ_OK;

  if ((status = store_begin(store, error)) != CQ_OK) return status;
  if (tables == 0) status = run_all(store, (const char *)store_schema, error);
  for (int64_t from = version; tables > 0 && status == CQ_OK && from < STORE_VERSION; from++)
    status = run_step(store, from, error);
  if (status == CQ_OK) status = run_all(store, rebuild, error);
  if (status == CQ_OK) status = set_version(store, error);
  return store_end(store, status, error);
}
