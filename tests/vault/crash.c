/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes during each write, truncation, sync and deletion of a scripted interview, under three models of what
 * a disk then holds. Afterwards the vault opens, every accepted answer, record and batch is there, at most the step
 * in hand besides, every page authenticates, and the work goes on.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t done_at[INTERVIEW_STEPS + 1]; /* operations when step i was done */

static size_t record_interview(void) {
  cq_store *store = NULL;
  interview_after(0);
  interview_prepare();
  disk_record();
  assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
  done_at[0] = disk_operations();
  for (int i = 0; i < INTERVIEW_STEPS; i++) {
    assert_int_equal(interview_step(store, i, NULL), CQ_OK);
    done_at[i + 1] = disk_operations();
  }
  cq_store_close(store);
  return disk_operations();
}

static int steps_before(size_t cut) {
  int step = 0;
  while (step < INTERVIEW_STEPS && done_at[step + 1] <= cut) step++;
  return step;
}

/* What was accepted is there; the rest of the interview can be gone through. Returns answers survived. */
static int check_after(size_t cut, const char *model, uint64_t seed, int *torn) {
  cq_store *store = NULL;
  cq_error error;
  cq_buf now = {0};
  cq_vault_log log = CQ_VAULT_LOG_CLEAN;
  int step = steps_before(cut);
  cq_error_clear(&error);
  if (interview_open(&store, &log, &error) != CQ_OK)
    fail_msg("cut %zu %s seed %llu: open: %s", cut, model, (unsigned long long)seed, error.code);
  if (log == CQ_VAULT_LOG_DAMAGED)
    fail_msg("cut %zu %s seed %llu: a power cut was taken for damage", cut, model, (unsigned long long)seed);
  *torn += log == CQ_VAULT_LOG_TORN;
  interview_dump(store, &now);
  bool before = strcmp(now.at, interview_after(step)) == 0;
  bool after = step < INTERVIEW_STEPS && strcmp(now.at, interview_after(step + 1)) == 0;
  if (!before && !after)
    fail_msg("cut %zu %s seed %llu after step %d: there is\n%s\nnot\n%s", cut, model, (unsigned long long)seed, step,
             now.at, interview_after(step));
  interview_check_whole(store);
  if (cut % 5 == 0) { /* the work goes on */
    for (int i = before ? step : step + 1; i < INTERVIEW_STEPS; i++)
      if (interview_step(store, i, &error) != CQ_OK) fail_msg("cut %zu: going on at %d: %s", cut, i, error.code);
    interview_dump(store, &now);
    assert_string_equal(now.at, interview_after(INTERVIEW_STEPS));
  }
  cq_store_close(store);
  cq_buf_fini(&now);
  return interview_answers(step);
}

static void campaign(disk_model model, const char *name) {
  size_t total = record_interview();
  int survived = 0, accepted = 0, faults = 0, torn = 0;
  for (size_t cut = 0; cut < total; cut++) {
    uint64_t seed = 1000003 + cut;
    disk_cut(cut, model, seed);
    accepted += interview_answers(steps_before(cut));
    survived += check_after(cut, name, seed, &torn);
    faults++;
  }
  print_message("%s: %d power cuts at %zu operations, %d left an unfinished log; %d of %d accepted answers survived\n",
                name, faults, total, torn, survived, accepted);
  assert_true(faults > 300);
  assert_true(torn > 0);
  assert_int_equal(survived, accepted);
}

static void test_power_safe(void **state) {
  (void)state;
  campaign(DISK_POWER_SAFE, "power-safe");
}
static void test_sectors_512(void **state) {
  (void)state;
  campaign(DISK_SECTORS_512, "whole sectors of 512");
}
static void test_sectors_4096(void **state) {
  (void)state;
  campaign(DISK_SECTORS_4096, "whole sectors of 4096");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_power_safe),
      cmocka_unit_test(test_sectors_512),
      cmocka_unit_test(test_sectors_4096),
  };
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  return failed;
}
