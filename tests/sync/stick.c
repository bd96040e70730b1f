/* SPDX-License-Identifier: Apache-2.0 */
/* The road by stick: laptop, office, post and home again. */
#include "chasqui/file.h"
#include "tests/sync/road.h"
#include "tests/sync/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void stick_folder(const road *r, char out[300]) {
  snprintf(out, 300, "%s/stick", r->w.root);
}

static void two_laptops_one_stick(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  char stick[300], office[300];
  road_open(&r, "stick", 31);
  stick_folder(&r, stick);
  snprintf(office, sizeof office, "%s/office", r.w.root);
  cq_hash first = world_batch(&r.w, 0, 300, NULL);
  world_batch(&r.w, 0, 100000, NULL);
  world_batch(&r.w, 1, 300, NULL);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "export", stick), 0);
  expect(&out, "{\"exported\":3,\"already\":0}"); /* two batches and the bundle */
  assert_int_equal(sync_at(r.w.laptop[1].home, &out, "export", stick), 0);
  assert_int_equal(world_count(stick, ".chq"), 3);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "export", stick), 0);
  expect(&out, "{\"exported\":0,");
  /* The office computer knows nothing yet: it takes the programme from the stick too. */
  assert_int_equal(sync_at(office, &out, "import", stick), 0);
  expect(&out, "\"imported\":3,");
  remote_add(office, r.url);
  assert_int_equal(sync_at(office, &out, "push", NULL), 0);
  expect(&out, "\"sent\":3,\"already\":0,\"held\":0,\"refused\":0,\"failed\":0");
  /* The desk's answer goes home by the same way, without the laptop ever having a line. */
  world_opened(&r.w, 0, 1, &first, NULL);
  world_pass(&r.w);
  remote_add(r.w.desk_home, r.url);
  assert_int_equal(sync_at(r.w.desk_home, &out, "push", NULL), 0);
  assert_int_equal(sync_at(office, &out, "push", NULL), 0);
  expect(&out, "\"news\":1");
  assert_int_equal(sync_at(office, &out, "export", stick), 0);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "import", stick), 0);
  assert_true(inbox_count(r.w.laptop[0].home, ".chr") >= 2);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "status", NULL), 0);
  expect(&out, "\"waiting\":0,");
  expect(&out, "\"delivered\":3");
  cq_buf_fini(&out);
  road_close(&r);
}

static void desk_takes_a_stick(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  char stick[300];
  road_open(&r, "stick-desk", 32);
  stick_folder(&r, stick);
  world_batch(&r.w, 0, 300, NULL);
  world_pass(&r.w);
  sync_at(r.w.laptop[0].home, &out, "export", stick);
  assert_int_equal(sync_at(r.w.desk_home, &out, "import", stick), 0);
  expect(&out, "\"imported\":1,");
  assert_int_equal(inbox_count(r.w.desk_home, ".chq"), 1);
  assert_int_equal(sync_at(r.w.desk_home, &out, "import", stick), 0);
  expect(&out, "\"imported\":0,\"already\":1");
  cq_buf_fini(&out);
  road_close(&r);
}

/* Torn, changed and foreign files on a stick are refused one by one; the others are taken. */
static void bad_files_are_left(void **state) {
  (void)state;
  road r;
  world practice;
  cq_buf out = {0}, bytes = {0}, path = {0};
  char stick[300], name[96];
  cq_error error;
  cq_error_clear(&error);
  road_open(&r, "stick-bad", 33);
  world_open(&practice, "stick-practice", CQ_MODE_PRACTICE, 34);
  stick_folder(&r, stick);
  world_batch(&r.w, 0, 300, NULL);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "export", stick), 0);
  cq_hash torn = world_batch(&r.w, 0, 5000, &bytes);
  cq_batch_file_name(name, &r.w.laptop[0].id, 2, &torn);
  cq_file_path(&path, stick, name, &error);
  assert_int_equal(cq_file_replace(path.at, bytes.at, bytes.size / 2, 0644, false, &error), CQ_OK);
  cq_hash foreign = world_batch(&practice, 0, 300, &bytes);
  cq_batch_file_name(name, &practice.laptop[0].id, 1, &foreign);
  cq_file_path(&path, stick, name, &error);
  assert_int_equal(cq_file_replace(path.at, bytes.at, bytes.size, 0644, false, &error), CQ_OK);
  assert_int_equal(sync_at(r.w.laptop[1].home, &out, "import", stick), 1);
  expect(&out, "{\"imported\":1,\"already\":1,\"refused\":2}");
  assert_int_equal(sync_at(r.w.laptop[1].home, &out, "import", "/nonexistent"), 1);
  cq_buf_fini(&out);
  cq_buf_fini(&bytes);
  cq_buf_fini(&path);
  world_close(&practice);
  road_close(&r);
}

/* The laptop finds a line while the office brings the same batches. */
static void two_couriers_at_once(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  char stick[300], office[300], folder[400], device[33];
  road_open(&r, "stick-two", 35);
  stick_folder(&r, stick);
  snprintf(office, sizeof office, "%s/office", r.w.root);
  world_batch(&r.w, 0, 300, NULL);
  world_batch(&r.w, 0, 400000, NULL);
  assert_int_equal(sync_at(r.w.laptop[0].home, &out, "export", stick), 0);
  assert_int_equal(sync_at(office, &out, "import", stick), 0);
  remote_add(office, r.url);
  remote_add(r.w.laptop[0].home, r.url);
  pid_t first = start_program("chasqui-sync", (const char *[]){"push", "--limit-rate", "400k", "--home", office, NULL});
  pid_t second = start_program("chasqui-sync", (const char *[]){"push", "--home", r.w.laptop[0].home, NULL});
  assert_int_equal(wait_program(first), 0);
  assert_int_equal(wait_program(second), 0);
  snprintf(folder, sizeof folder, "%s/batches/%s", r.w.post_home, cq_device_id_hex(&r.w.laptop[0].id, device));
  assert_int_equal(world_count(folder, ".chq"), 2);
  assert_true(inbox_count(office, ".chr") >= 1);
  assert_true(inbox_count(r.w.laptop[0].home, ".chr") >= 1);
  cq_buf_fini(&out);
  road_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_laptops_one_stick),
      cmocka_unit_test(desk_takes_a_stick),
      cmocka_unit_test(bad_files_are_left),
      cmocka_unit_test(two_couriers_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
