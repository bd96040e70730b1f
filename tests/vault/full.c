/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that is full at each point of a backup and of taking a user away: what was there before stands and is open,
 * and the copy is whole or is not there. Settling says what closing cannot.
 */
#include "tests/vault/crowded.h"
#include "tests/vault/support.h"

#include <stdio.h>
#include <string.h>

enum { STEP = 4096 + 100 };
static const int64_t plenty = 1 << 26;

static void fill(cq_vault *vault) {
  run_sql(vault, "CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300) "
                 "INSERT INTO t SELECT i, printf('%.300c', 'x') FROM n");
}

static void check_whole(cq_vault *vault) {
  cq_vault_scrubbed found;
  assert_int_equal(ask_number(vault, "SELECT count(*) + max(a) FROM t"), 600);
  assert_int_equal(cq_vault_scrub(vault, &found, NULL), CQ_OK);
}

static void a_backup_is_whole_or_not_there(void **state) {
  (void)state;
  const char *path = test_path("f1.vault"), *copy = test_path("f2.vault");
  cq_error error;
  char left[640];
  int refused = 0;
  crowded_room = plenty;
  cq_vault *vault = make_vault(path, "crowded");
  fill(vault);
  snprintf(left, sizeof left, "%s.new", copy);
  cq_status status = CQ_IO;
  for (int64_t room = 0; status != CQ_OK; room += STEP) {
    crowded_room = room;
    cq_error_clear(&error);
    status = cq_vault_backup(vault, copy, &error);
    crowded_room = plenty;
    assert_false(file_exists(left));
    assert_int_equal(file_exists(copy), status == CQ_OK);
    if (status != CQ_OK) assert_string_equal(error.code, "vault.full");
    refused += status != CQ_OK;
    check_whole(vault);
  }
  assert_true(refused > 5);
  cq_vault_close(vault);
  vault = open_vault(copy, "crowded");
  check_whole(vault);
  cq_vault_close(vault);
  remove_vault(path);
  remove_vault(copy);
}

static void a_user_is_taken_away_or_stays(void **state) {
  (void)state;
  const char *path = test_path("f3.vault");
  cq_error error;
  uint32_t slot = 0;
  int refused = 0;
  crowded_room = plenty;
  cq_vault *vault = make_vault(path, "crowded");
  cq_vault_options options = test_options("crowded");
  fill(vault);
  assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, "otra", &slot, NULL), CQ_OK);
  cq_status status = CQ_IO;
  for (int64_t room = 0; status != CQ_OK; room += STEP) {
    cq_vault *other = NULL;
    run_sql(vault, "UPDATE t SET b = b || '.' WHERE a = 1"); /* in the log, and not in the file yet */
    crowded_room = room;
    cq_error_clear(&error);
    status = cq_vault_remove_slot(vault, slot, &error);
    crowded_room = plenty;
    if (status != CQ_OK) assert_string_equal(error.code, "vault.full");
    refused += status != CQ_OK;
    check_whole(vault); /* open, whichever it is */
    cq_vault_close(vault);
    assert_int_equal(cq_vault_open(&other, path, OTHER_PASSPHRASE, &options, NULL),
                     status == CQ_OK ? CQ_REFUSED : CQ_OK);
    cq_vault_close(other);
    vault = open_vault(path, "crowded");
    check_whole(vault);
  }
  assert_true(refused > 5);
  cq_vault_close(vault);
  remove_vault(path);
}

/* Closing leaves the log where there is no room for it, and nothing is lost while both stay together. */
static void settling_says_what_closing_cannot(void **state) {
  (void)state;
  const char *path = test_path("f4.vault");
  cq_error error;
  char log[640];
  snprintf(log, sizeof log, "%s-log", path);
  cq_error_clear(&error);
  crowded_room = plenty;
  cq_vault *vault = make_vault(path, "crowded");
  run_sql(vault, "PRAGMA wal_autocheckpoint=0");
  fill(vault);
  crowded_room = 0;
  assert_int_equal(cq_vault_settle(vault, &error), CQ_IO);
  assert_string_equal(error.code, "vault.full");
  cq_vault_close(vault);
  assert_true(file_exists(log));
  crowded_room = plenty;
  vault = open_vault(path, "crowded");
  check_whole(vault);
  assert_int_equal(cq_vault_settle(vault, &error), CQ_OK);
  cq_vault_close(vault);
  assert_false(file_exists(log));
  remove_vault(path);
}

/* A log that was left of another vault would be taken for damage of this one. */
static void a_log_of_another_is_in_the_way(void **state) {
  (void)state;
  const char *path = test_path("f5.vault"), *copy = test_path("f6.vault");
  cq_vault_options options = test_options(NULL);
  cq_vault *vault = NULL;
  cq_error error;
  char log[640];
  snprintf(log, sizeof log, "%s-log", copy);
  write_file(log, "x", 1);
  cq_error_clear(&error);
  assert_int_equal(cq_vault_create(&vault, copy, PASSPHRASE, LABEL, recovery_public, 1, &options, &error), CQ_REFUSED);
  assert_string_equal(error.code, "io.exists");
  vault = make_vault(path, NULL);
  cq_error_clear(&error);
  assert_int_equal(cq_vault_backup(vault, copy, &error), CQ_REFUSED);
  assert_string_equal(error.code, "io.exists");
  assert_false(file_exists(copy));
  assert_int_equal(cq_vault_backup(vault, path, &error), CQ_REFUSED);
  cq_vault_close(vault);
  remove_vault(path);
  remove_vault(copy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_backup_is_whole_or_not_there),
      cmocka_unit_test(a_user_is_taken_away_or_stays),
      cmocka_unit_test(settling_says_what_closing_cannot),
      cmocka_unit_test(a_log_of_another_is_in_the_way),
  };
  return cmocka_run_group_tests(tests, crowded_register, NULL);
}
