/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk fails: at each write, sync, truncation and read of a scripted interview, once or from then on; or it is
 * full. A step that answered CQ_OK is there after reopening on a sound disk; a failed sync stops all writing.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include <stdio.h>
#include <string.h>

typedef struct tally {
  int runs, faults, accepted, survived, stopped;
} tally;

/* As far as the disk lets it, stopping at the first step refused; returns steps accepted. */
static int interview_on(bool *refused, tally *sum) {
  cq_store *store = NULL;
  cq_error error;
  int step = 0;
  cq_error_clear(&error);
  *refused = true;
  if (interview_open(&store, NULL, &error) != CQ_OK) {
    assert_non_null(error.code);
    return 0;
  }
  *refused = false;
  while (step < INTERVIEW_STEPS && !*refused) {
    cq_error_clear(&error);
    *refused = interview_step(store, step, &error) != CQ_OK;
    if (!*refused) step++;
  }
  if (*refused) {
    assert_non_null(error.code);
    /* once more: after a write error it may work; after a failed sync it never does */
    bool stopped = strcmp(error.code, "vault.stopped") == 0;
    cq_status again = interview_step(store, step, &error);
    if (stopped) assert_string_equal(error.code, "vault.stopped");
    if (again == CQ_OK) step++;
    sum->stopped += stopped;
  }
  cq_store_close(store);
  return step;
}

/* With a fault at each call of that kind in turn, until a run has none. */
static void campaign(disk_fault fault, bool forever, const char *name) {
  tally sum = {0};
  cq_buf now = {0};
  for (size_t at = 0;; at++) {
    cq_store *store = NULL;
    cq_error error;
    bool refused = false;
    cq_error_clear(&error);
    interview_prepare();
    disk_fail(fault, at, forever);
    int step = interview_on(&refused, &sum);
    size_t faults = disk_faults();
    disk_fail(FAULT_NONE, 0, false);
    if (faults == 0) break;
    sum.runs++;
    sum.faults += (int)faults;
    if (interview_open(&store, NULL, &error) != CQ_OK) fail_msg("%s at %zu: reopen: %s", name, at, error.code);
    interview_dump(store, &now);
    bool there = strcmp(now.at, interview_after(step)) == 0 ||
                 (step < INTERVIEW_STEPS && strcmp(now.at, interview_after(step + 1)) == 0);
    if (!there) fail_msg("%s at %zu after %d steps: there is\n%s", name, at, step, now.at);
    sum.accepted += interview_answers(step);
    sum.survived += interview_answers(step);
    interview_check_whole(store);
    cq_store_close(store);
  }
  cq_buf_fini(&now);
  print_message("%s: %d runs, %d faults injected; %d of %d accepted answers survived; %d runs stopped writing\n", name,
                sum.runs, sum.faults, sum.survived, sum.accepted, sum.stopped);
  assert_true(sum.runs > 0 && sum.faults >= sum.runs);
  if (fault == FAULT_SYNC) assert_true(sum.stopped > 0);
}

static void test_each(void **state) {
  (void)state;
  interview_after(0);
  static const struct {
    disk_fault fault;
    bool forever;
    const char *name;
  } rows[] = {
      {FAULT_WRITE, false, "a write fails once"}, {FAULT_WRITE, true, "writes fail from then on"},
      {FAULT_SYNC, false, "a sync fails once"},   {FAULT_READ, false, "a read fails once"},
      {FAULT_FULL, false, "disk full once"},      {FAULT_FULL, true, "disk full from then on"},
      {FAULT_TRUNCATE, true, "truncation fails"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) campaign(rows[i].fault, rows[i].forever, rows[i].name);
}

/* A full disk is said as such, and after space is freed the same handle goes on. */
static void test_full_then_freed(void **state) {
  (void)state;
  cq_store *store = NULL;
  cq_error error;
  cq_buf now = {0};
  cq_error_clear(&error);
  interview_prepare();
  assert_int_equal(interview_open(&store, NULL, &error), CQ_OK);
  for (int step = 0; step < INTERVIEW_STEPS; step++) {
    disk_fail(FAULT_FULL, 0, true);
    assert_int_equal(interview_step(store, step, &error), CQ_IO);
    assert_string_equal(error.code, "vault.full");
    disk_fail(FAULT_NONE, 0, false);
    assert_int_equal(interview_step(store, step, &error), CQ_OK);
  }
  interview_dump(store, &now);
  assert_string_equal(now.at, interview_after(INTERVIEW_STEPS));
  cq_store_close(store);
  cq_buf_fini(&now);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_full_then_freed)};
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  return failed;
}
