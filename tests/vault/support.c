/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vault/support.h"

#include "chasqui/file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t recovery_public[1][CQ_VAULT_KEY_SIZE];
uint8_t recovery_secret[CQ_VAULT_KEY_SIZE];

cq_vault_options test_options(const char *below) {
  return (cq_vault_options){.effort = CQ_VAULT_EFFORT_LEAST, .below = below};
}

static const char *folder(void) {
  static char made[512];
  if (made[0]) return made;
  const char *top = getenv("CHASQUI_TEST_TMP");
  snprintf(made, sizeof made, "%s/vault-%ld", top ? top : "/tmp", (long)getpid());
  assert_int_equal(cq_file_make_folder(made, NULL), CQ_OK);
  return made;
}

static void remove_folder(void) {
  rmdir(folder());
}

const char *test_path(const char *name) {
  static char paths[8][600];
  static size_t next;
  static bool registered;
  if (!registered) atexit(remove_folder);
  registered = true;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder(), name);
  remove_vault(path);
  return path;
}

void remove_vault(const char *path) {
  static const char *const endings[] = {"", "-log", "-wal", "-journal", "-shm", ".new"};
  char name[640];
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
}

cq_vault *make_vault(const char *path, const char *below) {
  cq_vault_options options = test_options(below);
  cq_vault *vault = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (sodium_init() < 0) fail();
  if (sodium_is_zero(recovery_secret, sizeof recovery_secret)) crypto_box_keypair(recovery_public[0], recovery_secret);
  cq_status status = cq_vault_create(&vault, path, PASSPHRASE, LABEL, recovery_public, 1, &options, &error);
  if (status != CQ_OK) fail_msg("create: %s %s %s", error.code, error.arg[0], error.arg[1]);
  return vault;
}

cq_vault *open_vault(const char *path, const char *below) {
  cq_vault_options options = test_options(below);
  cq_vault *vault = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_vault_open(&vault, path, PASSPHRASE, &options, &error);
  if (status != CQ_OK) fail_msg("open: %s %s %s", error.code, error.arg[0], error.arg[1]);
  return vault;
}

void run_sql(cq_vault *vault, const char *sql) {
  char *message = NULL;
  int rc = sqlite3_exec(cq_vault_db(vault), sql, NULL, NULL, &message);
  if (rc != SQLITE_OK) fail_msg("%s: %d %s", sql, rc, message ? message : "");
}

int64_t ask_number(cq_vault *vault, const char *sql) {
  sqlite3_stmt *ask = NULL;
  assert_int_equal(sqlite3_prepare_v2(cq_vault_db(vault), sql, -1, &ask, NULL), SQLITE_OK);
  int rc = sqlite3_step(ask);
  if (rc != SQLITE_ROW) fail_msg("%s: %d", sql, rc);
  int64_t value = sqlite3_column_int64(ask, 0);
  sqlite3_finalize(ask);
  return value;
}

void read_file(cq_buf *out, const char *path) {
  cq_error error;
  cq_error_clear(&error);
  if (cq_file_read(path, 1 << 28, out, &error) != CQ_OK) fail_msg("%s: %s", path, error.code);
}

void write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

bool file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

void copy_vault(const char *from, const char *to) {
  cq_buf bytes = {0};
  char from_log[640], to_log[640];
  read_file(&bytes, from);
  write_file(to, bytes.at, bytes.size);
  snprintf(from_log, sizeof from_log, "%s-log", from);
  snprintf(to_log, sizeof to_log, "%s-log", to);
  if (file_exists(from_log)) {
    read_file(&bytes, from_log);
    write_file(to_log, bytes.at, bytes.size);
  }
  cq_buf_fini(&bytes);
}

uint64_t next_number(uint64_t *seed) {
  uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
