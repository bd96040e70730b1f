/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/outbox.h"
#include "chasqui/file.h"
#include "tests/batch/fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[512];

static int enter(void **state) {
  (void)state;
  const char *tmp = getenv("CHASQUI_TEST_TMP");
  snprintf(folder, sizeof folder, "%s/outbox-XXXXXX", tmp ? tmp : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  cq_parcel *parcels;
  size_t count;
  cq_buf path = {0};
  if (cq_parcel_list(&parcels, &count, folder, NULL) != CQ_OK) return -1;
  for (size_t i = 0; i < count; i++)
    if (cq_file_path(&path, folder, parcels[i].name, NULL) == CQ_OK) unlink(path.at);
  static const char *const others[] = {"notes.txt", "x.chq", "outbox"};
  for (size_t i = 0; i < 3; i++)
    if (cq_file_path(&path, folder, others[i], NULL) == CQ_OK && unlink(path.at) != 0) rmdir(path.at);
  cq_buf_fini(&path);
  free(parcels);
  return rmdir(folder);
}

static void names(void **state) {
  (void)state;
  cq_device_id device = {{0xab, 1}};
  cq_hash hash = {{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}};
  static const struct {
    cq_parcel_kind kind;
    uint64_t number;
    const char *name;
  } cases[] = {
      {CQ_PARCEL_BATCH, 7, "ab010000000000000000000000000000-00000007-deadbeef.chq"},
      {CQ_PARCEL_BATCH, 18446744073709551615u, "ab010000000000000000000000000000-18446744073709551615-deadbeef.chq"},
      {CQ_PARCEL_BUNDLE, 12, "programme-00000012-deadbeef.chp"},
      {CQ_PARCEL_RECEIPT, 0, "ab010000000000000000000000000000-deadbeef.chr"},
      {CQ_PARCEL_CHAIN, 0, "ab010000000000000000000000000000-deadbeef.chc"},
      {CQ_PARCEL_ORDER, 0, "deadbeef01020304.cho"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[96];
    cq_parcel parcel;
    cq_parcel_file_name(name, cases[i].kind, &device, cases[i].number, &hash);
    assert_string_equal(name, cases[i].name);
    assert_true(cq_parcel_name_parse(&parcel, cq_str_from(name)));
    assert_int_equal(parcel.kind, cases[i].kind);
    assert_true(parcel.number == cases[i].number);
    assert_memory_equal(parcel.hash_start, hash.at, 4);
    if (cases[i].kind == CQ_PARCEL_BATCH || cases[i].kind == CQ_PARCEL_RECEIPT)
      assert_true(cq_device_id_equal(&parcel.device, &device));
  }
  static const char *const foreign[] = {"",
                                        ".chq",
                                        "x.chq",
                                        "notes.txt",
                                        "deadbeef01020304.chx",
                                        "ab010000000000000000000000000000-0000007-deadbeef.chq",
                                        "ab010000000000000000000000000000-18446744073709551616-deadbeef.chq",
                                        "ab010000000000000000000000000000-00000007-deadbeef.chq.tmp",
                                        "ab010000000000000000000000000000-00000007-deadbee.chq",
                                        "programma-00000012-deadbeef.chp",
                                        "deadbeef0102030.cho",
                                        "secret.key"};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    cq_parcel parcel;
    assert_false(cq_parcel_name_parse(&parcel, cq_str_from(foreign[i])));
  }
  cq_parcel parcel;
  assert_true(cq_parcel_name_parse(&parcel, CQ_STR(CQ_BUNDLE_FILE)));
  assert_int_equal(parcel.kind, CQ_PARCEL_BUNDLE);
}

static void kinds(void **state) {
  (void)state;
  assert_int_equal(cq_parcel_kind_of("CHQB\1", 5), CQ_PARCEL_BATCH);
  assert_int_equal(cq_parcel_kind_of("CHQP\1", 5), CQ_PARCEL_BUNDLE);
  assert_int_equal(cq_parcel_kind_of("CHQR\1", 5), CQ_PARCEL_RECEIPT);
  assert_int_equal(cq_parcel_kind_of("CHQC\1", 5), CQ_PARCEL_CHAIN);
  assert_int_equal(cq_parcel_kind_of("CHQO\1", 5), CQ_PARCEL_ORDER);
  assert_int_equal(cq_parcel_kind_of("chasqui key 1", 13), CQ_PARCEL_KEY);
  assert_int_equal(cq_parcel_kind_of("CHQ", 3), CQ_PARCEL_NONE);
  assert_int_equal(cq_parcel_kind_of("PK\3\4", 4), CQ_PARCEL_NONE);
  assert_null(cq_parcel_extension(CQ_PARCEL_NONE));
  assert_string_equal(cq_parcel_extension(CQ_PARCEL_BATCH), ".chq");
}

static void put(const char *name, const char *text) {
  cq_buf path = {0};
  assert_int_equal(cq_file_path(&path, folder, name, NULL), CQ_OK);
  assert_int_equal(cq_file_replace(path.at, text, strlen(text), 0644, false, NULL), CQ_OK);
  cq_buf_fini(&path);
}

static void written_listed_checked_and_written_again(void **state) {
  (void)state;
  cq_device_id device = {{2}}, earlier = {{1}};
  cq_hash hash = cq_hash_of("batch", 5), other = cq_hash_of("other", 5);
  char name[96], second[96], third[96];
  bool written = false, right = false;
  cq_buf path = {0};
  struct stat info;
  cq_batch_file_name(name, &device, 10, &hash);
  cq_batch_file_name(second, &device, 9, &other);
  cq_batch_file_name(third, &earlier, 11, &other);
  assert_int_equal(cq_parcel_write(folder, name, "batch", 5, &written, &path, NULL), CQ_OK);
  assert_true(written);
  assert_int_equal(stat(path.at, &info), 0);
  assert_int_equal(cq_parcel_write(folder, name, "batch", 5, &written, NULL, NULL), CQ_OK);
  assert_false(written); /* the same again is one file */
  assert_int_equal(cq_parcel_check(folder, name, 5, &hash, &right, NULL), CQ_OK);
  assert_true(right);
  put(name, "bat");
  assert_int_equal(cq_parcel_check(folder, name, 5, &hash, &right, NULL), CQ_OK);
  assert_false(right);
  put(name, "batcx");
  assert_int_equal(cq_parcel_check(folder, name, 5, &hash, &right, NULL), CQ_OK);
  assert_false(right);
  assert_int_equal(cq_parcel_write(folder, name, "batch", 5, &written, NULL, NULL), CQ_OK);
  assert_true(written); /* a torn one is mended */
  assert_int_equal(cq_parcel_check(folder, name, 5, NULL, &right, NULL), CQ_OK);
  assert_true(right);
  assert_int_equal(cq_parcel_check(folder, name, 6, NULL, &right, NULL), CQ_OK);
  assert_false(right);
  assert_int_equal(cq_parcel_check(folder, second, 5, &other, &right, NULL), CQ_OK);
  assert_false(right);
  assert_int_equal(cq_parcel_write(folder, second, "other", 5, NULL, NULL, NULL), CQ_OK);
  assert_int_equal(cq_parcel_write(folder, third, "other", 5, NULL, NULL, NULL), CQ_OK);
  put(CQ_BUNDLE_FILE, "bundle");
  put("notes.txt", "x");
  put("x.chq", "x");
  cq_parcel *parcels = NULL;
  size_t count = 0;
  assert_int_equal(cq_parcel_list(&parcels, &count, folder, NULL), CQ_OK);
  assert_int_equal(count, 4);
  assert_string_equal(parcels[0].name, third); /* by device, then number */
  assert_string_equal(parcels[1].name, second);
  assert_string_equal(parcels[2].name, name);
  assert_string_equal(parcels[3].name, CQ_BUNDLE_FILE);
  assert_true(parcels[2].size == 5 && parcels[2].number == 10);
  free(parcels);
  assert_int_equal(cq_parcel_list(&parcels, &count, "/nowhere/at/all", NULL), CQ_OK);
  assert_int_equal(count, 0);
  assert_int_equal(cq_home_folder(&path, folder, CQ_FOLDER_OUTBOX, NULL), CQ_OK);
  assert_int_equal(stat(path.at, &info), 0);
  assert_true(S_ISDIR(info.st_mode));
  cq_buf_fini(&path);
}

static void the_clock_as_the_courier_measured_it(void **state) {
  (void)state;
  static const struct {
    const char *json;
    bool found;
    int64_t offset_ms;
  } cases[] = {{"", false, 0},
               {"{", false, 0},
               {"{\"remotes\":{}}", false, 0},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1345471385120,\"offset_ms\":-5000}}}", true, -5000},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1345471385120,\"offset_ms\":\"-5000\"}}}", false, 0},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1345471385120}}}", false, 0},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1345471385120,\"offset_ms\":-1},"
                "\"b\":{\"contact_utc_ms\":1345471385121,\"offset_ms\":-2}}}",
                true, -2},
               /* older than thirty days; in the future; not a number at all */
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1342800000000,\"offset_ms\":7}}}", false, 0},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1345471385120,\"offset_ms\":700000}}}", false, 0},
               {"{\"remotes\":{\"a\":{\"contact_utc_ms\":1e300,\"offset_ms\":-1e300}}}", false, 0}};
  cq_buf sync = {0};
  char name[600];
  assert_int_equal(cq_home_folder(&sync, folder, CQ_FOLDER_SYNC, NULL), CQ_OK);
  snprintf(name, sizeof name, "%s/status.json", sync.at);
  int64_t offset = 0;
  assert_false(cq_home_clock_offset(folder, fixture_now + 600000, &offset));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(cq_file_replace(name, cases[i].json, strlen(cases[i].json), 0600, false, NULL), CQ_OK);
    bool found = cq_home_clock_offset(folder, fixture_now + 600000, &offset);
    if (found != cases[i].found || (found && offset != cases[i].offset_ms)) fail_msg("%s", cases[i].json);
  }
  unlink(name);
  rmdir(sync.at);
  cq_buf_fini(&sync);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names), cmocka_unit_test(kinds),
      cmocka_unit_test_setup_teardown(written_listed_checked_and_written_again, enter, leave),
      cmocka_unit_test_setup_teardown(the_clock_as_the_courier_measured_it, enter, leave)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
