/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema, and the steps from each earlier version of it. A new vault gets
 * schema.sql as it is; an older one gets each step after its own version, and
 * then the rebuildable tables anew, all in one transaction.
 */
#include "vault/store/store.h"

#include <stdio.h>

extern const unsigned char store_schema[]; /* schema.sql, embedded by CMakeLists.txt */

/* steps[n] leads from version n + 1 to n + 2. */
static const char *const steps[STORE_VERSION] = {NULL};

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

cq_status store_migrate(cq_store *store, cq_error *error) {
  int64_t version = 0, application = 0, tables = 0;
  cq_status status = store_number(store, &version, 0, error, "PRAGMA user_version", "");
  if (status == CQ_OK) status = store_number(store, &application, 0, error, "PRAGMA application_id", "");
  if (status == CQ_OK) status = store_number(store, &tables, 0, error, "SELECT count(*) FROM sqlite_schema", "");
  if (status != CQ_OK) return status;
  if (tables > 0 && application != STORE_APPLICATION) return cq_error_set(error, CQ_REFUSED, "store.other", NULL);
  if (version > STORE_VERSION) return cq_error_set(error, CQ_FUTURE, "store.version", NULL);
  if (version == STORE_VERSION) return CQ_OK;

  if ((status = store_begin(store, error)) != CQ_OK) return status;
  if (tables == 0) status = run_all(store, (const char *)store_schema, error);
  for (int64_t from = version; tables > 0 && status == CQ_OK && from < STORE_VERSION; from++)
    if (from > 0) status = run_all(store, steps[from - 1], error);
  if (status == CQ_OK) status = run_all(store, rebuild, error);
  if (status == CQ_OK) status = set_version(store, error);
  return store_end(store, status, error);
}
