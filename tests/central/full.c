/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full at each point of making a desk: it is there whole, in its one file, or not at all. */
#include "central/merge/desk.h"
#include "central/merge/init.h"
#include "chasqui/file.h"
#include "tests/vault/crowded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSPHRASE CQ_STR("llama verde camina")

static void a_desk_is_whole_or_not_there(void **state) {
  (void)state;
  static const char json[] = "{\"code\":\"demo\",\"title\":\"Demo\",\"forms\":[]}";
  const int64_t plenty = 1 << 26, step = 8192;
  char home[512], path[600], log[600], making[600], programme[600], fingerprint[CQ_FINGERPRINT_SIZE];
  cq_error error;
  cq_desk desk;
  int refused = 0;
  snprintf(home, sizeof home, "%s/full-desk-%d", getenv("CHASQUI_TEST_TMP"), (int)getpid());
  snprintf(path, sizeof path, "%s/" CQ_DESK_VAULT, home);
  snprintf(log, sizeof log, "%s/" CQ_DESK_VAULT "-log", home);
  snprintf(making, sizeof making, "%s/" CQ_DESK_VAULT ".making", home);
  snprintf(programme, sizeof programme, "%s/programme.json", home);
  assert_int_equal(cq_file_make_folder(home, NULL), CQ_OK);
  assert_int_equal(cq_file_replace(programme, json, sizeof json - 1, 0600, false, NULL), CQ_OK);
  cq_vault_options options = {.effort = CQ_VAULT_EFFORT_LEAST, .below = "crowded"};
  cq_desk_plan plan = {.home = home,
                       .programme = home,
                       .mode = CQ_MODE_PRACTICE,
                       .passphrase = PASSPHRASE,
                       .offline_passphrase = PASSPHRASE,
                       .cost = CQ_COST_LEAST,
                       .vault = &options};
  cq_status status = CQ_IO;
  for (int64_t room = 0; status != CQ_OK; room += step) {
    crowded_room = room;
    cq_error_clear(&error);
    status = cq_desk_init(&plan, fingerprint, &error);
    crowded_room = plenty;
    assert_int_not_equal(access(log, F_OK), 0);
    assert_int_not_equal(access(making, F_OK), 0);
    if (status == CQ_OK) break;
    if (error.code == NULL || status != CQ_IO) fail_msg("%d %s", status, error.code);
    assert_int_not_equal(access(path, F_OK), 0);
    refused++;
  }
  assert_true(refused > 5);
  assert_int_equal(cq_desk_open(&desk, home, PASSPHRASE, &error), CQ_OK);
  cq_desk_close(&desk);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_desk_is_whole_or_not_there)};
  return cmocka_run_group_tests(tests, crowded_register, NULL);
}
