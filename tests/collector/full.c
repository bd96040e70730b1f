/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that is full at each point of joining and of a day's work: what was said to be there is there, and joining
 * either made a vault that opens or left nothing. "crowded" is the system's VFS with room for so many bytes in all.
 */
#include "chasqui/file.h"
#include "tests/batch/fixture.h"
#include "tests/collector/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

/* The methods of the system's file, and ours over them; a kind of file has its own. */
typedef struct pair {
  sqlite3_io_methods ours; /* first: a file's methods are the pair's */
  const sqlite3_io_methods *system;
} pair;

static struct {
  sqlite3_vfs vfs;
  sqlite3_vfs *system;
  pair pairs[4];
  int64_t room;
} crowded;

static const sqlite3_io_methods *system_of(sqlite3_file *file) {
  return ((const pair *)file->pMethods)->system;
}

static int64_t size_of(sqlite3_file *file) {
  sqlite3_int64 size = 0;
  system_of(file)->xFileSize(file, &size);
  return size;
}

static int crowded_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset) {
  int64_t more = offset + amount - size_of(file);
  if (more > crowded.room) return SQLITE_FULL;
  if (more > 0) crowded.room -= more;
  return system_of(file)->xWrite(file, bytes, amount, offset);
}

static int crowded_truncate(sqlite3_file *file, sqlite3_int64 size) {
  crowded.room += size_of(file) - size;
  return system_of(file)->xTruncate(file, size);
}

static int crowded_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
  (void)vfs;
  int rc = crowded.system->xOpen(crowded.system, name, file, flags, out_flags);
  if (rc != SQLITE_OK || !file->pMethods) return rc;
  size_t i = 0;
  while (crowded.pairs[i].system && crowded.pairs[i].system != file->pMethods) i++;
  assert_true(i + 1 < sizeof crowded.pairs / sizeof *crowded.pairs);
  crowded.pairs[i] = (pair){.ours = *file->pMethods, .system = file->pMethods};
  crowded.pairs[i].ours.xWrite = crowded_write;
  crowded.pairs[i].ours.xTruncate = crowded_truncate;
  file->pMethods = &crowded.pairs[i].ours;
  return rc;
}

static int crowded_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  (void)vfs;
  struct stat about;
  if (stat(name, &about) == 0) crowded.room += about.st_size;
  return crowded.system->xDelete(crowded.system, name, sync_folder);
}

static int crowd(void **state) {
  (void)state;
  crowded.system = sqlite3_vfs_find(NULL);
  crowded.vfs = *crowded.system;
  crowded.vfs.zName = "crowded";
  crowded.vfs.pNext = NULL;
  crowded.vfs.xOpen = crowded_open;
  crowded.vfs.xDelete = crowded_delete;
  return sqlite3_vfs_register(&crowded.vfs, 0);
}

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
  crowded.room = room;
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
    crowded.room = plenty;
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(joining_with_any_room_makes_a_vault_or_leaves_nothing)};
  return cmocka_run_group_tests(tests, crowd, NULL);
}
