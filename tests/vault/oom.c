/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory runs out at each allocation of an interview in turn, ours and SQLite's, once or from then on. The step is
 * refused as such, nothing leaks, and what was accepted before is there.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 15 }; /* to the first batch packed */

static struct {
  bool armed, forever;
  size_t calls, at, failed;
} memory;

static bool out(void) {
  if (!memory.armed || disk_at_work) return false;
  size_t call = memory.calls++;
  bool now = call == memory.at || (memory.forever && call > memory.at);
  memory.failed += now;
  return now;
}

/* The linker sends our own calls here (tests/vault/CMakeLists.txt). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
char *__real_strdup(const char *text);
void *__real_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size) {
  return out() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
  return out() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *at, size_t size) {
  return out() ? NULL : __real_realloc(at, size);
}
char *__wrap_strdup(const char *text) {
  return out() ? NULL : __real_strdup(text);
}
void *__wrap_sodium_malloc(size_t size) {
  return out() ? NULL : __real_sodium_malloc(size);
}

static sqlite3_mem_methods plain;
static void *sqlite_malloc(int size) {
  return out() ? NULL : plain.xMalloc(size);
}
static void *sqlite_realloc(void *at, int size) {
  return out() ? NULL : plain.xRealloc(at, size);
}

static int interview_short_of_memory(bool *refused) {
  cq_store *store = NULL;
  cq_error error;
  int step = 0;
  cq_error_clear(&error);
  *refused = true;
  memory.armed = true;
  if (interview_open(&store, NULL, &error) != CQ_OK) {
    memory.armed = false;
    if (error.status != CQ_NOMEM) fail_msg("allocation %zu, open: %s %s", memory.at, error.code, error.arg[0]);
    return 0;
  }
  *refused = false;
  while (step < STEPS && !*refused) {
    *refused = interview_step(store, step, &error) != CQ_OK;
    if (!*refused) step++;
  }
  memory.armed = false;
  if (*refused && error.status != CQ_NOMEM)
    fail_msg("allocation %zu, step %d: %s %s", memory.at, step, error.code, error.arg[1]);
  cq_store_close(store);
  return step;
}

static void campaign(bool forever, size_t stride, const char *name) {
  int runs = 0, refusals = 0, accepted = 0, survived = 0;
  cq_buf now = {0};
  for (size_t at = 0;; at += stride) {
    cq_store *store = NULL;
    bool refused = false;
    interview_prepare();
    memory.calls = memory.failed = 0;
    memory.at = at;
    memory.forever = forever;
    int step = interview_short_of_memory(&refused);
    if (memory.failed == 0) break;
    runs++;
    refusals += refused;
    accepted += interview_answers(step);
    assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
    interview_dump(store, &now);
    if (strcmp(now.at, interview_after(step)) != 0 && strcmp(now.at, interview_after(step + 1)) != 0)
      fail_msg("allocation %zu after %d steps: there is\n%s", at, step, now.at);
    survived += interview_answers(step);
    interview_check_whole(store);
    cq_store_close(store);
  }
  cq_buf_fini(&now);
  print_message("%s: %d runs without memory, %d refused a step; %d of %d accepted answers survived\n", name, runs,
                refusals, survived, accepted);
  assert_true(runs > 100 && refusals > 100);
}

static void test_each_allocation(void **state) {
  (void)state;
  interview_after(0);
  /* some of them in each build; every one by hand, in about three minutes */
  bool every = getenv("CHASQUI_TEST_EVERY") != NULL;
  campaign(false, every ? 1 : 5, "one allocation fails");
  campaign(true, every ? 1 : 7, "all allocations fail from then on");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation)};
  sqlite3_mem_methods failing;
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK) return 1;
  failing = plain;
  failing.xMalloc = sqlite_malloc;
  failing.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK) return 1;
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  return failed;
}
