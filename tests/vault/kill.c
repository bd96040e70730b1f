/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 in a loop, on the real disk: a child answers and says each accepted answer down a pipe; the parent kills it
 * at a random moment, opens the vault, and finds every answer that was said, in order, and where to go on.
 */
#include "tests/vault/support.h"

#include "chasqui/store.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 25 };

static cq_store *store_at(const char *path) {
  cq_store *store = NULL;
  assert_int_equal(cq_store_open(&store, open_vault(path, NULL), NULL, NULL), CQ_OK);
  sqlite3_wal_autocheckpoint(cq_vault_db(cq_store_vault(store)), 40);
  return store;
}

static void child(const char *path, int64_t draft, int first, int said) {
  cq_store *store = store_at(path);
  for (int i = first;; i++) {
    char value[32];
    snprintf(value, sizeof value, "%d", i);
    cq_store_answer answer = {.reference = CQ_STR("/q"), .after = cq_str_from(value), .bookmark = cq_str_from(value)};
    if (cq_store_draft_answer(store, draft, &answer, NULL, NULL) != CQ_OK) _exit(2);
    if (write(said, &i, sizeof i) != sizeof i) _exit(3);
  }
}

static cq_status count_in_order(void *context, const cq_store_answer *answer) {
  int *count = context;
  char expected[32];
  snprintf(expected, sizeof expected, "%d", *count);
  assert_true(cq_str_is(answer->after, expected));
  ++*count;
  return CQ_OK;
}

static cq_status check_bookmark(void *context, const cq_store_draft *draft) {
  int64_t at = 0;
  assert_true(cq_str_int64(draft->bookmark, &at));
  assert_int_equal(at, *(int *)context - 1);
  return CQ_OK;
}

static void test_kill_in_a_loop(void **state) {
  (void)state;
  const char *path = test_path("killed.vault");
  cq_store *store = NULL;
  cq_store_form form = {
      .id = CQ_STR("f"), .version = CQ_STR("1"), .title = CQ_STR("F"), .status = 1, .bytes = CQ_STR("x")};
  int64_t draft = 0;
  int accepted = 0, kills = 0, torn = 0;
  uint64_t seed = (uint64_t)getpid();
  crypto_generichash(form.hash, 32, (const uint8_t *)"x", 1, NULL, 0);
  assert_int_equal(cq_store_open(&store, make_vault(path, NULL), NULL, NULL), CQ_OK);
  assert_int_equal(cq_store_bundle_adopt(store, 1, CQ_STR("b"), &form, 1, NULL, 0, NULL), CQ_OK);
  assert_int_equal(cq_store_draft_begin(store, &draft, form.hash, CQ_STR("t"), CQ_STR(""), CQ_STR(""), NULL), CQ_OK);
  cq_store_close(store);

  for (int round = 0; round < ROUNDS; round++) {
    int pipes[2], last = -1, count = 0;
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      close(pipes[0]);
      child(path, draft, accepted, pipes[1]);
    }
    close(pipes[1]);
    uint64_t wanted = 1 + next_number(&seed) % 60;
    for (uint64_t n = 0; n < wanted && read(pipes[0], &last, sizeof last) == sizeof last; n++) continue;
    for (volatile uint64_t spin = next_number(&seed) % 300000; spin > 0; spin--) continue;
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read(pipes[0], &last, sizeof last) == sizeof last) continue; /* said before it died */
    close(pipes[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    kills++;

    store = store_at(path);
    torn += cq_vault_log_found(cq_store_vault(store)) != CQ_VAULT_LOG_CLEAN;
    cq_buf base = {0};
    assert_int_equal(cq_store_draft_load(store, draft, &base, count_in_order, &count, NULL), CQ_OK);
    cq_buf_fini(&base);
    if (last + 1 > count) fail_msg("round %d: %d answers were accepted, %d are there", round, last + 1, count);
    assert_true(count <= last + 2);
    assert_int_equal(cq_store_draft_get(store, draft, check_bookmark, &count, NULL), CQ_OK);
    int64_t entries = 0;
    assert_int_equal(cq_store_audit_verify(store, &entries, NULL), CQ_OK);
    cq_store_close(store);
    accepted = count;
  }
  print_message("kill -9: %d kills, %d left an unfinished log; %d of %d accepted answers survived\n", kills, torn,
                accepted, accepted);
  assert_int_equal(kills, ROUNDS);
  assert_true(accepted >= ROUNDS);
  remove_vault(path);
}

/* A removal of a technician, interrupted: the old vault or the new one stands, whole. */
static void test_kill_in_rotation(void **state) {
  (void)state;
  const char *path = test_path("rotated.vault");
  int before = 0, after = 0;
  uint64_t seed = (uint64_t)getpid();
  for (int round = 0; round < ROUNDS; round++) {
    uint32_t slot = 0;
    int pipes[2];
    char go = 0;
    remove_vault(path);
    cq_vault *vault = make_vault(path, NULL), *second = NULL;
    run_sql(vault, "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) "
                   "INSERT INTO t SELECT hex(randomblob(100)) FROM n");
    assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, "otra", &slot, NULL), CQ_OK);
    cq_vault_close(vault);
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
      vault = open_vault(path, NULL);
      if (write(pipes[1], "x", 1) != 1) _exit(2);
      _exit(cq_vault_remove_slot(vault, slot, NULL) == CQ_OK ? 0 : 1);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &go, 1), 1);
    close(pipes[0]);
    for (volatile uint64_t spin = next_number(&seed) % 30000000; spin > 0; spin--) continue;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    vault = open_vault(path, NULL);
    assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 3000);
    cq_vault_scrubbed found;
    assert_int_equal(cq_vault_scrub(vault, &found, NULL), CQ_OK);
    cq_vault_close(vault);
    cq_vault_options options = test_options(NULL);
    if (cq_vault_open(&second, path, OTHER_PASSPHRASE, &options, NULL) == CQ_OK)
      before++;
    else
      after++;
    cq_vault_close(second);
  }
  print_message("rotation: %d kills; the old vault stood %d times, the new one %d times\n", before + after, before,
                after);
  assert_int_equal(before + after, ROUNDS);
  remove_vault(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill_in_a_loop), cmocka_unit_test(test_kill_in_rotation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
