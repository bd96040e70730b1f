/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that is full at each point of joining and of a day's work: what was said to be there is there, and joining
 * either made a vault that opens or left nothing; so does saving what is readable of a damaged vault.
 */
#include "chasqui/file.h"
#include "tests/batch/fixture.h"
#include "tests/collector/office.h"
#include "tests/vault/crowded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static cq_bundle_form blank = {.id = CQ_STR("visita"),
                               .version = CQ_STR("1"),
                               .status = CQ_FORM_CURRENT,
                               .xml = CQ_STR("<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"/>")};

/* Joins with that much room; what came of it. The laptop's folder is left. */
static cq_status join_with(office *it, int64_t room, cq_error *error) {
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  it->setup.vault.below = "crowded";
  office_bundle(it, 1, NULL, 0, &bytes);
  assert_int_equal(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, NULL), CQ_OK);
  crowded_room = room;
  cq_error_clear(error);
  cq_status status = cq_laptop_join(bundle, cq_buf_str(&bytes), it->home, "T-01", CQ_STR(OFFICE_PASSPHRASE), CQ_STR(""),
                                    &it->setup, error);
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  return status;
}

static void joining_with_any_room_makes_a_vault_or_leaves_nothing(void **state) {
  (void)state;
  const int64_t plenty = 1 << 24, step = 8192;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_error error;
  if (join_with(it, plenty, &error) != CQ_OK) fail_msg("%s %s", error.code, error.argc ? error.arg[0] : "");
  int64_t enough = 0;
  size_t refused = 0;
  office_free(it);
  for (int64_t room = 0; enough < 3; room += step) {
    cq_laptop laptop;
    cq_buf path = {0}, batch = {0};
    it = office_new(CQ_MODE_REAL, &blank, 1);
    cq_status status = join_with(it, room, &error);
    crowded_room = plenty;
    if (status != CQ_OK) {
      assert_int_equal(status, CQ_IO);
      assert_string_equal(error.code, "vault.full");
      assert_int_equal(cq_laptop_vault(&path, it->home, NULL), CQ_NOTFOUND);
      assert_false(office_batch(it, 0, &batch));
      assert_int_equal(join_with(it, plenty, &error), CQ_OK);
      refused++;
    } else {
      enough++;
    }
    assert_int_equal(cq_laptop_open(&laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, &error), CQ_OK);
    assert_true(office_batch(it, 0, &batch));
    cq_laptop_close(&laptop);
    cq_buf_fini(&path);
    cq_buf_fini(&batch);
    office_free(it);
  }
  assert_true(refused > 5);
}

/* The file alone, as somebody carries it away. */
static int64_t records_of(const char *path, const cq_vault_options *options) {
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  int64_t count = 0;
  assert_int_equal(cq_vault_open(&vault, path, CQ_STR(OFFICE_PASSPHRASE), options, NULL), CQ_OK);
  assert_int_equal(cq_store_open(&store, vault, NULL, NULL), CQ_OK);
  assert_int_equal(cq_store_get_int(store, "count", &count, NULL), CQ_OK);
  cq_store_close(store);
  return count;
}

static void saving_what_is_readable_makes_a_whole_file_or_leaves_nothing(void **state) {
  (void)state;
  const int64_t plenty = 1 << 24, step = 8192;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_laptop laptop;
  cq_error error;
  char into[300], log[310];
  size_t refused = 0;
  assert_int_equal(join_with(it, plenty, &error), CQ_OK);
  assert_int_equal(cq_laptop_open(&laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, &error), CQ_OK);
  assert_int_equal(cq_store_set_int(laptop.store, "count", 77, &error), CQ_OK);
  char *from = strdup(laptop.vault_path);
  cq_laptop_close(&laptop);
  snprintf(into, sizeof into, "%s/saved", it->home);
  snprintf(log, sizeof log, "%s-log", into);
  bool enough = false;
  for (int64_t room = 0; !enough; room += step) {
    cq_store_salvaged found;
    crowded_room = room;
    cq_error_clear(&error);
    cq_status status = cq_laptop_salvage(from, into, CQ_STR(OFFICE_PASSPHRASE), &it->setup.vault, &found, &error);
    crowded_room = plenty;
    enough = status == CQ_OK;
    assert_int_not_equal(access(log, F_OK), 0);
    if (enough) {
      assert_int_equal(records_of(into, &it->setup.vault), 77);
    } else {
      assert_string_equal(error.code, "vault.full");
      assert_int_not_equal(access(into, F_OK), 0);
      refused++;
    }
  }
  assert_true(refused > 5);
  unlink(into);
  free(from);
  office_free(it);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(joining_with_any_room_makes_a_vault_or_leaves_nothing),
                                     cmocka_unit_test(saving_what_is_readable_makes_a_whole_file_or_leaves_nothing)};
  return cmocka_run_group_tests(tests, crowded_register, NULL);
}
