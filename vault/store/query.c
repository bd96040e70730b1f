/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/store/store.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int bind_bytes(sqlite3_stmt *statement, int at, cq_str value, bool text) {
  /* a NULL pointer would bind NULL: the empty string is one */
  const char *bytes = value.at ? value.at : "";
  return text ? sqlite3_bind_text64(statement, at, bytes, value.size, SQLITE_STATIC, SQLITE_UTF8)
              : sqlite3_bind_blob64(statement, at, bytes, value.size, SQLITE_STATIC);
}

static int bind_next(sqlite3_stmt *statement, int at, char type, va_list *values) {
  switch (type) {
  case 'i': return sqlite3_bind_int64(statement, at, va_arg(*values, int64_t));
  case 's': return bind_bytes(statement, at, va_arg(*values, cq_str), true);
  case 'b': return bind_bytes(statement, at, va_arg(*values, cq_str), false);
  case 'z': return bind_bytes(statement, at, cq_str_from(va_arg(*values, const char *)), true);
  case 'h': {
    const uint8_t *hash = va_arg(*values, const uint8_t *);
    return hash ? sqlite3_bind_blob(statement, at, hash, CQ_STORE_HASH, SQLITE_STATIC)
                : sqlite3_bind_null(statement, at);
  }
  default: return SQLITE_MISUSE;
  }
}

static query start(cq_store *store, const char *sql, const char *types, va_list *values) {
  query ask = {.store = store, .rc = SQLITE_MISUSE};
  sqlite3 *db = cq_vault_db(store->vault);
  if (!db) return ask;
  ask.rc = sqlite3_prepare_v2(db, sql, -1, &ask.statement, NULL);
  for (int at = 1; ask.rc == SQLITE_OK && types[at - 1]; at++)
    ask.rc = bind_next(ask.statement, at, types[at - 1], values);
  return ask;
}

query query_start(cq_store *store, const char *sql, const char *types, ...) {
  va_list values;
  va_start(values, types);
  query ask = start(store, sql, types, &values);
  va_end(values);
  return ask;
}

bool query_row(query *ask) {
  if (ask->rc != SQLITE_OK && ask->rc != SQLITE_ROW) return false;
  ask->rc = sqlite3_step(ask->statement);
  return ask->rc == SQLITE_ROW;
}

cq_status query_end(query *ask, cq_status status, cq_error *error) {
  bool good = ask->rc == SQLITE_OK || ask->rc == SQLITE_ROW || ask->rc == SQLITE_DONE;
  if (status == CQ_OK && !good) status = cq_vault_error(ask->store->vault, ask->rc, error);
  sqlite3_finalize(ask->statement);
  ask->statement = NULL;
  return status;
}

int64_t query_int(const query *ask, int column) {
  return sqlite3_column_int64(ask->statement, column);
}

cq_str query_text(const query *ask, int column) {
  const char *at = (const char *)sqlite3_column_text(ask->statement, column);
  return (cq_str){at, at ? (size_t)sqlite3_column_bytes(ask->statement, column) : 0};
}

cq_str query_bytes(const query *ask, int column) {
  const char *at = sqlite3_column_blob(ask->statement, column);
  return (cq_str){at, at ? (size_t)sqlite3_column_bytes(ask->statement, column) : 0};
}

void query_hash(const query *ask, int column, uint8_t out[CQ_STORE_HASH]) {
  cq_str bytes = query_bytes(ask, column);
  if (bytes.size == CQ_STORE_HASH)
    memcpy(out, bytes.at, CQ_STORE_HASH);
  else
    memset(out, 0, CQ_STORE_HASH);
}

cq_status store_run(cq_store *store, cq_error *error, const char *sql, const char *types, ...) {
  va_list values;
  va_start(values, types);
  query ask = start(store, sql, types, &values);
  va_end(values);
  while (query_row(&ask)) continue;
  return query_end(&ask, CQ_OK, error);
}

cq_status store_number(cq_store *store, int64_t *value, int64_t otherwise, cq_error *error, const char *sql,
                       const char *types, ...) {
  va_list values;
  va_start(values, types);
  query ask = start(store, sql, types, &values);
  va_end(values);
  *value = query_row(&ask) ? query_int(&ask, 0) : otherwise;
  return query_end(&ask, CQ_OK, error);
}

cq_status store_begin(cq_store *store, cq_error *error) {
  return store_run(store, error, "BEGIN IMMEDIATE", "");
}

cq_status store_end(cq_store *store, cq_status status, cq_error *error) {
  if (status == CQ_OK) status = store_run(store, error, "COMMIT", "");
  sqlite3 *db = cq_vault_db(store->vault);
  if (status != CQ_OK && db && !sqlite3_get_autocommit(db)) (void)store_run(store, NULL, "ROLLBACK", "");
  return status;
}

cq_status store_copy(cq_buf *out, cq_str bytes, cq_error *error) {
  cq_buf_reset(out);
  cq_buf_add_str(out, bytes);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

cq_status store_too_long(cq_str value, size_t most, const char *what, cq_error *error) {
  char limit[24];
  if (value.size <= most) return CQ_OK;
  snprintf(limit, sizeof limit, "%zu", most);
  return cq_error_set(error, CQ_LIMIT, "store.long", what, limit, NULL);
}

void hash_bytes(uint8_t out[CQ_STORE_HASH], cq_str bytes) {
  crypto_generichash(out, CQ_STORE_HASH, (const uint8_t *)bytes.at, bytes.size, NULL, 0);
}

bool hash_is(const uint8_t hash[CQ_STORE_HASH], cq_str bytes) {
  uint8_t own[CQ_STORE_HASH];
  hash_bytes(own, bytes);
  return memcmp(own, hash, sizeof own) == 0;
}

bool hash_is_zero(const uint8_t hash[CQ_STORE_HASH]) {
  return sodium_is_zero(hash, CQ_STORE_HASH) == 1;
}
