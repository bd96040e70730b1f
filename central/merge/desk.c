/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/desk.h"

#include "central/merge/derive.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "chasqui/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A merge writes the same inner pages again and again: the cache holds them, and the log is brought home less often. */
enum { SCHEMA_VERSION = 1, CACHE_KIB = 65536, LOG_PAGES = 16384 };

int64_t cq_desk_now(void) {
  return cq_clock_system.now_utc_ms(cq_clock_system.context);
}

/* --- SQL --- */

cq_status cq_desk_exec(cq_desk *desk, const char *sql, cq_error *error) {
  int code = sqlite3_exec(desk->db, sql, NULL, NULL, NULL);
  return code == SQLITE_OK ? CQ_OK : cq_vault_error(desk->vault, code, error);
}

cq_status cq_desk_prepare(cq_desk *desk, sqlite3_stmt **statement, const char *sql, cq_error *error) {
  int code = sqlite3_prepare_v3(desk->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
  return code == SQLITE_OK ? CQ_OK : cq_vault_error(desk->vault, code, error);
}

cq_status cq_desk_step(cq_desk *desk, sqlite3_stmt *statement, bool *row, cq_error *error) {
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW && row) {
    *row = true;
    return CQ_OK;
  }
  if (row) *row = false;
  sqlite3_reset(statement);
  return code == SQLITE_DONE || code == SQLITE_ROW ? CQ_OK : cq_vault_error(desk->vault, code, error);
}

cq_status cq_desk_number(cq_desk *desk, const char *sql, int64_t fallback, int64_t *value, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  bool row = false;
  *value = fallback;
  cq_status status = cq_desk_prepare(desk, &statement, sql, error);
  if (status == CQ_OK) status = cq_desk_step(desk, statement, &row, error);
  if (status == CQ_OK && row && sqlite3_column_type(statement, 0) != SQLITE_NULL)
    *value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return status;
}

cq_status cq_desk_set(cq_desk *desk, const char *name, const void *value, size_t size, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  cq_status status = cq_desk_prepare(desk, &statement, "INSERT OR REPLACE INTO setting VALUES (?1, ?2)", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, size ? value : "", size, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, NULL, error);
  }
  sqlite3_finalize(statement);
  return status;
}

static cq_status damaged(const char *what, cq_error *error) {
  return cq_error_set(error, CQ_DAMAGED, "desk.damaged", what, NULL);
}

cq_status cq_desk_get(cq_desk *desk, const char *name, bool needed, cq_buf *value, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  bool row = false;
  cq_buf_reset(value);
  cq_status status = cq_desk_prepare(desk, &statement, "SELECT value FROM setting WHERE name = ?1", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    status = cq_desk_step(desk, statement, &row, error);
  }
  if (status == CQ_OK && row)
    cq_buf_add_str(value, cq_desk_text(statement, 0));
  else if (status == CQ_OK && needed)
    status = damaged(name, error);
  if (value->failed) status = cq_error_nomem(error);
  sqlite3_finalize(statement);
  return status;
}

cq_str cq_desk_text(sqlite3_stmt *statement, int column) {
  const void *at = sqlite3_column_blob(statement, column);
  int size = sqlite3_column_bytes(statement, column);
  return at && size > 0 ? (cq_str){at, (size_t)size} : CQ_STR("");
}

cq_status cq_desk_column(sqlite3_stmt *statement, int column, void *out, size_t size, cq_error *error) {
  cq_str bytes = cq_desk_text(statement, column);
  if (bytes.size != size) return damaged(sqlite3_column_name(statement, column), error);
  memcpy(out, bytes.at, size);
  return CQ_OK;
}

cq_status cq_desk_record(cq_desk *desk, sqlite3_stmt *statement, int column, cq_str *bytes, cq_error *error) {
  if (!desk->press && !(desk->press = cq_record_press_new())) return cq_error_nomem(error);
  return cq_record_press_out(desk->press, bytes, cq_desk_text(statement, column), error);
}

/* --- opening --- */

/* A public value of fixed size. */
static cq_status get_fixed(cq_desk *desk, const char *name, void *out, size_t size, cq_error *error) {
  cq_buf value = {0};
  cq_status status = cq_desk_get(desk, name, true, &value, error);
  if (status == CQ_OK && value.size != size) status = damaged(name, error);
  if (status == CQ_OK) memcpy(out, value.at, size);
  cq_buf_fini(&value);
  return status;
}

static cq_status get_secret(cq_desk *desk, const char *name, cq_secret **secret, cq_error *error) {
  cq_buf value = {0};
  cq_status status = cq_desk_get(desk, name, true, &value, error);
  if (status == CQ_OK && !(*secret = cq_secret_copy(value.at, value.size))) status = cq_error_nomem(error);
  cq_buf_fini_secret(&value);
  return status;
}

static cq_status read_keys(cq_desk *desk, cq_error *error) {
  cq_buf value = {0};
  uint8_t mode = 0;
  cq_status status = get_fixed(desk, "mode", &mode, 1, error);
  desk->mode = (cq_mode)mode;
  if (status == CQ_OK && !cq_mode_name(desk->mode)) status = damaged("mode", error);
  if (status == CQ_OK) status = get_secret(desk, "programme.secret", &desk->programme_secret, error);
  if (status == CQ_OK) status = get_secret(desk, "desk.sign.secret", &desk->sign_secret, error);
  if (status == CQ_OK) status = get_secret(desk, "desk.seal.secret", &desk->seal_secret, error);
  if (status == CQ_OK) status = cq_sign_public(&desk->programme_key, desk->programme_secret, error);
  if (status == CQ_OK) status = cq_sign_public(&desk->sign, desk->sign_secret, error);
  if (status == CQ_OK) status = cq_seal_public(&desk->seal, desk->seal_secret, error);
  if (status == CQ_OK) status = get_fixed(desk, "recovery.batch.key", desk->batch_recovery.at, 32, error);
  if (status == CQ_OK) status = get_fixed(desk, "recovery.vault.key", desk->vault_recovery.at, 32, error);
  if (status == CQ_OK) status = cq_desk_get(desk, "desk.chain", true, &value, error);
  if (status == CQ_OK) status = cq_chain_read(&desk->chain, value.at, value.size, error);
  desk->programme = cq_programme_id_of(&desk->programme_key);
  cq_buf_fini(&value);
  return status;
}

cq_status cq_desk_read_trust(cq_desk *desk, cq_error *error) {
  sqlite3_stmt *statement = NULL;
  int64_t count;
  cq_status status =
      cq_desk_number(desk, "SELECT count(*) FROM device WHERE revoked_utc_ms IS NOT NULL", 0, &count, error);
  if (status != CQ_OK) return status;
  free(desk->revocations);
  if (!(desk->revocations = calloc((size_t)count + 1, sizeof *desk->revocations))) return cq_error_nomem(error);
  desk->trust = (cq_trust){.mode = desk->mode,
                           .programme = desk->programme,
                           .keys = &desk->programme_key,
                           .key_count = 1,
                           .revocations = desk->revocations};
  status = cq_desk_prepare(
      desk, &statement, "SELECT id, last_trusted, revoked_utc_ms FROM device WHERE revoked_utc_ms IS NOT NULL", error);
  for (bool row = status == CQ_OK; row && status == CQ_OK;) {
    if ((status = cq_desk_step(desk, statement, &row, error)) != CQ_OK || !row) break;
    if (desk->trust.revocation_count == (size_t)count) break;
    cq_revocation *r = &desk->revocations[desk->trust.revocation_count++];
    status = cq_desk_column(statement, 0, r->key.at, sizeof r->key.at, error);
    r->last_trusted = (uint64_t)sqlite3_column_int64(statement, 1);
    r->revoked_utc_ms = sqlite3_column_int64(statement, 2);
  }
  sqlite3_finalize(statement);
  return status;
}

static cq_status check_schema(cq_desk *desk, cq_error *error) {
  int64_t version, application;
  cq_status status = cq_desk_number(desk, "PRAGMA application_id", 0, &application, error);
  if (status == CQ_OK) status = cq_desk_number(desk, "PRAGMA user_version", 0, &version, error);
  if (status != CQ_OK) return status;
  if (application != 0) return cq_error_set(error, CQ_REFUSED, "desk.other", NULL); /* a laptop's store has its own */
  if (version > SCHEMA_VERSION) return cq_error_set(error, CQ_FUTURE, "desk.future", NULL);
  if (version < SCHEMA_VERSION) return damaged("schema", error);
  char pragma[96];
  snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d", CACHE_KIB, LOG_PAGES);
  return cq_desk_exec(desk, pragma, error);
}

static cq_status find_desk(cq_buf *path, const char *home, cq_error *error) {
  cq_status status = cq_file_path(path, home, CQ_DESK_VAULT, error);
  return status == CQ_OK && access(path->at, F_OK) != 0 ? cq_error_set(error, CQ_NOTFOUND, "desk.missing", home, NULL)
                                                        : status;
}

cq_status cq_desk_open(cq_desk *desk, const char *home, cq_str passphrase, cq_error *error) {
  cq_buf path = {0};
  memset(desk, 0, sizeof *desk);
  if (!(desk->home = strdup(home))) return cq_error_nomem(error);
  cq_status status = find_desk(&path, home, error);
  if (status == CQ_OK) status = cq_vault_open(&desk->vault, path.at, passphrase, NULL, error);
  if (status == CQ_OK) {
    desk->db = cq_vault_db(desk->vault);
    status = check_schema(desk, error);
  }
  if (status == CQ_OK) status = read_keys(desk, error);
  if (status == CQ_OK) status = cq_desk_read_trust(desk, error);
  cq_buf_fini(&path);
  return status;
}

void cq_desk_close(cq_desk *desk) {
  cq_secret_free(desk->programme_secret);
  cq_secret_free(desk->sign_secret);
  cq_secret_free(desk->seal_secret);
  cq_vault_close(desk->vault);
  cq_record_press_free(desk->press);
  free(desk->revocations);
  free(desk->home);
  memset(desk, 0, sizeof *desk);
}

/* --- for verbs --- */

/* The courier's leave to read sealed batches at the post, good for some weeks from now on. */
static cq_status renew_pass(cq_desk *desk, cq_error *error) {
  cq_buf file = {0}, path = {0};
  int64_t until = cq_desk_now() + (int64_t)CQ_PASS_DAYS * 86400000;
  cq_status status = cq_pass_write(&file, &desk->chain, desk->mode, &desk->programme, until, desk->sign_secret,
                                   &cq_random_system, error);
  if (status == CQ_OK) status = cq_file_path(&path, desk->home, CQ_PASS_FILE, error);
  if (status == CQ_OK) status = cq_file_replace(path.at, file.at, file.size, 0600, false, error);
  cq_buf_fini_secret(&file);
  cq_buf_fini(&path);
  return status;
}

cq_status cq_desk_confirm(cq_cli *cli, const char *question, cq_error *error) {
  cq_status status = cq_cli_confirm(cli, question, "--yes", error);
  return status == CQ_CANCELLED ? cq_error_set(error, CQ_REFUSED, "desk.device.unconfirmed", NULL) : status;
}

int cq_desk_begin(cq_cli *cli, cq_desk *desk) {
  cq_cli_secret passphrase = {0};
  cq_buf path = {0};
  cq_error error;
  cq_error_clear(&error);
  memset(desk, 0, sizeof *desk);
  const char *home = cq_cli_home(cli);
  cq_status status = home ? cq_vault_harden(&error) : cq_error_set(&error, CQ_NOTFOUND, "cli.home", NULL);
  if (status == CQ_OK) status = find_desk(&path, home, &error); /* before a passphrase is asked for in vain */
  cq_buf_fini(&path);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase of the desk"), false, &passphrase, &error);
  if (status == CQ_OK) status = cq_desk_open(desk, home, (cq_str){passphrase.at, passphrase.size}, &error);
  cq_cli_secret_fini(&passphrase);
  if (status == CQ_OK) status = cq_derive_current(desk, &error);
  if (status == CQ_OK) status = renew_pass(desk, &error);
  if (status != CQ_OK) {
    cq_desk_close(desk);
    return cq_cli_fail(cli, &error);
  }
  if (desk->mode == CQ_MODE_PRACTICE) cq_cli_say(cli, "%s", _("*** PRACTICE: nothing here is real data ***"));
  return CQ_EXIT_DONE;
}

int cq_desk_end(cq_cli *cli, cq_desk *desk, cq_status status, const cq_error *error, int done) {
  cq_desk_close(desk);
  return status == CQ_OK ? done : cq_cli_fail(cli, error);
}
