/* SPDX-License-Identifier: Apache-2.0 */
/* The vault as a file: opened, closed, shared, changed, copied, recovered. */
#include "tests/vault/support.h"

#include "chasqui/file.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cq_status open_with(cq_vault **vault, const char *path, cq_str passphrase, cq_error *error) {
  cq_vault_options options = test_options(NULL);
  return cq_vault_open(vault, path, passphrase, &options, error);
}

static void check_refused(const char *path, cq_str passphrase, cq_status status, const char *code) {
  cq_vault *vault = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(open_with(&vault, path, passphrase, &error), status);
  assert_null(vault);
  assert_string_equal(error.code, code);
}

static void fill(cq_vault *vault, int rows) {
  char sql[200];
  run_sql(vault, "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
  snprintf(sql, sizeof sql,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) "
           "INSERT INTO t SELECT i, 'MANIFIESTO-'||i||hex(randomblob(90)) FROM n",
           rows);
  run_sql(vault, sql);
}

static void test_create_reopen(void **state) {
  (void)state;
  const char *path = test_path("a.vault");
  cq_vault *vault = make_vault(path, NULL);
  fill(vault, 2000);
  cq_vault_close(vault);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  vault = open_vault(path, NULL);
  assert_int_equal(cq_vault_log_found(vault), CQ_VAULT_LOG_CLEAN);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t WHERE b LIKE 'MANIFIESTO-%'"), 2000);
  run_sql(vault, "SAVEPOINT s; DELETE FROM t WHERE a%2; ROLLBACK TO s; RELEASE s; DELETE FROM t WHERE a%3=0; VACUUM");
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 1334);
  cq_vault_scrubbed found;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_vault_scrub(vault, &found, &error), CQ_OK);
  assert_true(found.pages > 10);
  cq_vault_close(vault);
  char other[640];
  snprintf(other, sizeof other, "%s-log", path);
  assert_false(file_exists(other));
  remove_vault(path);
}

static void test_refusals(void **state) {
  (void)state;
  const char *path = test_path("b.vault");
  check_refused(path, PASSPHRASE, CQ_NOTFOUND, "vault.missing");
  cq_vault *vault = make_vault(path, NULL), *second = NULL;
  cq_vault_options options = test_options(NULL);
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_vault_create(&second, path, PASSPHRASE, LABEL, NULL, 0, &options, &error), CQ_REFUSED);
  assert_string_equal(error.code, "io.exists");
  check_refused(path, PASSPHRASE, CQ_BUSY, "vault.busy");
  cq_vault_close(vault);
  check_refused(path, OTHER_PASSPHRASE, CQ_REFUSED, "vault.passphrase.wrong");
  check_refused(path, CQ_STR(""), CQ_REFUSED, "vault.passphrase.wrong");
  write_file(path, "not a vault", 11);
  check_refused(path, PASSPHRASE, CQ_INVALID, "vault.notvault");
  cq_buf zeros = {0};
  for (int i = 0; i < 8192; i++) cq_buf_add_char(&zeros, 0);
  memcpy(zeros.at, "chasqui vault\0\0\0\2\0\0\0", 20);
  write_file(path, zeros.at, zeros.size);
  check_refused(path, PASSPHRASE, CQ_FUTURE, "vault.version");
  zeros.at[16] = 1;
  write_file(path, zeros.at, zeros.size);
  check_refused(path, PASSPHRASE, CQ_DAMAGED, "vault.damaged.header");
  cq_buf_fini(&zeros);
  remove_vault(path);
}

static void test_passphrases(void **state) {
  (void)state;
  static const struct {
    const char *passphrase, *label, *code;
  } rows[] = {
      {"corta", "ana", "vault.passphrase.short"},
      {"ñandúñandú", "ana", NULL},
      {"999111222333", "ana", "vault.passphrase.simple"},
      {"aaaaaaaaaaaa", "ana", "vault.passphrase.simple"},
      {"abababababab", "ana", "vault.passphrase.simple"},
      {"abcdefghijkl", "ana", "vault.passphrase.simple"},
      {"Contraseña 123", "ana", "vault.passphrase.common"},
      {"qwertyuiop12", "ana", "vault.passphrase.common"},
      {"encuestadora1", "encuestadora", "vault.passphrase.label"},
      {"encuestadora de la altura fria", "encuestadora", NULL},
      {"tres llamas bajo la lluvia", "ana", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    cq_error error;
    cq_error_clear(&error);
    cq_status status = cq_vault_passphrase_check(cq_str_from(rows[i].passphrase), rows[i].label, &error);
    if (rows[i].code) {
      assert_int_equal(status, CQ_REFUSED);
      assert_string_equal(error.code, rows[i].code);
    } else if (status != CQ_OK) {
      fail_msg("%s: %s", rows[i].passphrase, error.code);
    }
  }
}

static void test_slots(void **state) {
  (void)state;
  const char *path = test_path("c.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  cq_error error;
  uint32_t second = 0;
  cq_error_clear(&error);
  fill(vault, 500);
  assert_int_equal(cq_vault_slots(vault, slots), 2);
  assert_true(slots[0].opened_this);
  assert_int_equal(slots[1].type, CQ_VAULT_RECOVERY);
  assert_int_equal(cq_vault_add_technician(vault, PASSPHRASE, "otra", &second, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.passphrase.taken");
  assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, LABEL, &second, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.label.taken");
  assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, "otra", &second, &error), CQ_OK);
  uint32_t first = slots[0].id;
  assert_int_equal(cq_vault_change_passphrase(vault, first, OTHER_PASSPHRASE, CQ_STR("nueva voz del ayllu"), &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "vault.passphrase.wrong");
  assert_int_equal(cq_vault_change_passphrase(vault, first, PASSPHRASE, CQ_STR("nueva voz del ayllu"), &error), CQ_OK);
  cq_vault_close(vault);
  check_refused(path, PASSPHRASE, CQ_REFUSED, "vault.passphrase.wrong");
  assert_int_equal(open_with(&vault, path, OTHER_PASSPHRASE, &error), CQ_OK);
  assert_int_equal(cq_vault_slots(vault, slots), 3);
  assert_string_equal(slots[2].label, "otra");
  assert_int_equal(cq_vault_change_passphrase(vault, first, CQ_STR("nueva voz del ayllu"), PASSPHRASE, &error), CQ_OK);
  cq_vault_close(vault);
  cq_vault_close(open_vault(path, NULL));
  remove_vault(path);
}

/* A removed technician's passphrase, and a data key read while still allowed, open no later copy. */
static void test_remove_slot(void **state) {
  (void)state;
  const char *path = test_path("d.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_error error;
  uint32_t second = 0;
  cq_buf before = {0}, after = {0};
  uint8_t id[CQ_VAULT_ID_SIZE];
  cq_error_clear(&error);
  fill(vault, 500);
  assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, "otra", &second, &error), CQ_OK);
  memcpy(id, cq_vault_id(vault), sizeof id);
  assert_int_equal(ask_number(vault, "PRAGMA wal_checkpoint(TRUNCATE)"), 0);
  read_file(&before, path);

  sqlite3_stmt *open_statement = NULL;
  sqlite3_prepare_v2(cq_vault_db(vault), "SELECT 1", -1, &open_statement, NULL);
  assert_int_equal(cq_vault_remove_slot(vault, second, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.statements");
  sqlite3_finalize(open_statement);
  assert_int_equal(cq_vault_remove_slot(vault, 77, &error), CQ_NOTFOUND);
  assert_int_equal(cq_vault_remove_slot(vault, second, &error), CQ_OK);
  assert_memory_equal(id, cq_vault_id(vault), sizeof id);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 500);
  assert_int_equal(cq_vault_remove_slot(vault, 1, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.slot.last");
  cq_vault_close(vault);
  check_refused(path, OTHER_PASSPHRASE, CQ_REFUSED, "vault.passphrase.wrong");

  /* the old header over the new pages: the old data key does not open them */
  read_file(&after, path);
  memcpy(after.at, before.at, 8192);
  write_file(path, after.at, after.size);
  check_refused(path, OTHER_PASSPHRASE, CQ_DAMAGED, "vault.damaged.page");
  cq_buf_fini(&before);
  cq_buf_fini(&after);
  remove_vault(path);
}

static void test_recovery(void **state) {
  (void)state;
  const char *path = test_path("e.vault");
  cq_vault_options options = test_options(NULL);
  cq_vault *vault = make_vault(path, NULL);
  cq_buf request = {0}, answer = {0};
  char one[CQ_VAULT_FINGERPRINT], two[CQ_VAULT_FINGERPRINT];
  uint8_t stranger[2][32];
  cq_error error;
  cq_str forgotten = CQ_STR("una frase del todo nueva");
  cq_error_clear(&error);
  fill(vault, 300);
  assert_int_equal(cq_vault_recovery_request(&request, path, forgotten, &options, &error), CQ_OK);
  assert_int_equal(cq_vault_recovery_fingerprint(one, cq_buf_str(&request), &error), CQ_OK);
  assert_int_equal(strlen(one), 35);
  crypto_box_keypair(stranger[0], stranger[1]);
  assert_int_equal(cq_vault_recovery_answer(&answer, cq_buf_str(&request), stranger[0], stranger[1], &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "vault.request.key");
  assert_int_equal(cq_vault_recovery_answer(&answer, cq_buf_str(&request), recovery_public[0], stranger[1], &error),
                   CQ_REFUSED);
  assert_int_equal(cq_vault_recovery_answer(&answer, cq_buf_str(&request), recovery_public[0], recovery_secret, &error),
                   CQ_OK);
  assert_int_equal(cq_vault_recovery_fingerprint(two, cq_buf_str(&answer), &error), CQ_OK);
  assert_string_equal(one, two);
  for (size_t cut = 0; cut < answer.size; cut++)
    assert_int_equal(cq_vault_recovery_complete(path, (cq_str){answer.at, cut}, forgotten, LABEL, &options, &error),
                     CQ_INVALID);
  assert_int_equal(cq_vault_recovery_complete(path, cq_buf_str(&answer), forgotten, LABEL, &options, &error), CQ_BUSY);
  cq_vault_close(vault);
  assert_int_equal(cq_vault_recovery_complete(path, cq_buf_str(&answer), OTHER_PASSPHRASE, LABEL, &options, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "vault.passphrase.wrong");
  assert_int_equal(cq_vault_recovery_complete(path, cq_buf_str(&answer), forgotten, LABEL, &options, &error), CQ_OK);
  check_refused(path, PASSPHRASE, CQ_REFUSED, "vault.passphrase.wrong");
  assert_int_equal(open_with(&vault, path, forgotten, &error), CQ_OK);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 300);
  cq_vault_close(vault);

  const char *other = test_path("f.vault");
  cq_vault_close(make_vault(other, NULL));
  assert_int_equal(cq_vault_recovery_complete(other, cq_buf_str(&answer), forgotten, LABEL, &options, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "vault.answer.vault");
  cq_buf_fini(&request);
  cq_buf_fini(&answer);
  remove_vault(path);
  remove_vault(other);
}

typedef struct looked {
  int64_t done, pages, stop_at; /* stop_at 0: never */
  int calls;
} looked;

static cq_status look(void *context, int64_t done, int64_t pages, cq_error *error) {
  looked *it = context;
  assert_true(done > it->done && done <= pages && (it->pages == 0 || it->pages == pages));
  it->done = done;
  it->pages = pages;
  it->calls++;
  return it->stop_at > 0 && done >= it->stop_at ? cq_error_set(error, CQ_CANCELLED, "test.enough", NULL) : CQ_OK;
}

/* Long work tells how far it is to its very end, and stops when told: nothing is left of it, and the vault goes on. */
static void test_watched(void **state) {
  (void)state;
  const char *path = test_path("w.vault"), *copy = test_path("v.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_vault_scrubbed found;
  cq_error error;
  cq_error_clear(&error);
  run_sql(vault, "CREATE TABLE big(x BLOB); INSERT INTO big VALUES (zeroblob(3000000))");
  looked all = {0};
  cq_vault_watch(vault, look, &all);
  assert_int_equal(cq_vault_scrub(vault, &found, &error), CQ_OK);
  assert_int_equal(all.done, found.pages);
  assert_int_equal(all.pages, found.pages);
  assert_true(all.calls > 2);
  all = (looked){0};
  assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_OK);
  assert_int_equal(all.done, 2 * found.pages);
  assert_int_equal(all.pages, all.done);
  remove_vault(copy);
  for (int64_t stop_at = 256; stop_at < 2 * found.pages; stop_at += 256) {
    looked some = {.stop_at = stop_at};
    cq_vault_watch(vault, look, &some);
    assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_CANCELLED);
    assert_string_equal(error.code, "test.enough");
    assert_int_equal(some.done, stop_at);
    assert_int_equal(access(copy, F_OK), -1);
  }
  looked once = {.stop_at = 1};
  cq_vault_watch(vault, look, &once);
  assert_int_equal(cq_vault_scrub(vault, &found, &error), CQ_CANCELLED);
  cq_vault_watch(vault, NULL, NULL);
  assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_OK);
  assert_int_equal(ask_number(vault, "SELECT length(x) FROM big"), 3000000);
  cq_vault_close(vault);
  remove_vault(path);
  remove_vault(copy);
}

static void test_backup(void **state) {
  (void)state;
  const char *path = test_path("g.vault"), *copy = test_path("h.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_vault *second = NULL;
  cq_error error;
  cq_error_clear(&error);
  fill(vault, 3000);
  assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_OK);
  assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_REFUSED);
  assert_string_equal(error.code, "io.exists");
  run_sql(vault, "DELETE FROM t");
  second = open_vault(copy, NULL);
  assert_memory_not_equal(cq_vault_id(vault), cq_vault_id(second), CQ_VAULT_ID_SIZE);
  assert_int_equal(ask_number(second, "SELECT count(*) FROM t"), 3000);
  cq_vault_close(second);
  cq_vault_close(vault);
  remove_vault(path);
  remove_vault(copy);
}

static void test_idle_lock(void **state) {
  (void)state;
  const char *path = test_path("i.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_error error;
  cq_error_clear(&error);
  fill(vault, 100);
  sqlite3 *db = cq_vault_db(vault);
  cq_vault_lock(vault);
  assert_null(cq_vault_db(vault));
  int rc = sqlite3_exec(db, "INSERT INTO t(b) VALUES('x')", NULL, NULL, NULL);
  assert_int_not_equal(rc, SQLITE_OK);
  assert_int_equal(cq_vault_error(vault, rc, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.locked");
  cq_vault_close(vault);
  vault = open_vault(path, NULL);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 100);
  cq_vault_close(vault);
  remove_vault(path);
}

static void test_space(void **state) {
  (void)state;
  const char *path = test_path("j.vault");
  cq_vault *vault = make_vault(path, NULL);
  cq_vault_space space;
  fill(vault, 3000);
  run_sql(vault, "DELETE FROM t; PRAGMA wal_checkpoint(TRUNCATE)");
  assert_int_equal(cq_vault_space_used(vault, &space, NULL), CQ_OK);
  assert_true(space.free_bytes > 400000);
  assert_true(space.file_bytes > space.free_bytes);
  assert_int_equal(space.log_bytes, 0);
  assert_true(space.disk_free_bytes > 0);
  cq_vault_close(vault);
  remove_vault(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_create_reopen), cmocka_unit_test(test_refusals),    cmocka_unit_test(test_passphrases),
      cmocka_unit_test(test_slots),         cmocka_unit_test(test_remove_slot), cmocka_unit_test(test_recovery),
      cmocka_unit_test(test_backup),        cmocka_unit_test(test_watched),     cmocka_unit_test(test_idle_lock),
      cmocka_unit_test(test_space),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
