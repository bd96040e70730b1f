/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stranger, or a failing disk, changes bytes at rest: flips in every page, frame and header, pages and frames moved,
 * files cut. Nothing changed is ever taken for content: it is an error, or the log's end with word of it.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include "vault/file/header.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cq_buf whole, whole_log;

/* An interview on the disk, left as after a crash: `steps` done, the log not checkpointed. */
static void leave_open(int steps) {
  cq_store *store = NULL;
  size_t size = 0;
  interview_after(0);
  interview_prepare();
  assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
  sqlite3_wal_autocheckpoint(cq_vault_db(cq_store_vault(store)), 0);
  for (int i = 0; i < steps; i++) assert_int_equal(interview_step(store, i, NULL), CQ_OK);
  cq_buf_reset(&whole);
  cq_buf_reset(&whole_log);
  uint8_t *bytes = disk_bytes(INTERVIEW_VAULT, &size);
  cq_buf_add(&whole, bytes, size);
  bytes = disk_bytes(INTERVIEW_VAULT "-log", &size);
  cq_buf_add(&whole_log, bytes, size);
  cq_store_close(store);
  if (steps == 0) cq_buf_reset(&whole_log);
}

static void put_back(void) {
  disk_clear();
  disk_load(INTERVIEW_VAULT, whole.at, whole.size);
  if (whole_log.size) disk_load(INTERVIEW_VAULT "-log", whole_log.at, whole_log.size);
}

static int found_after(cq_store *store) {
  cq_buf now = {0};
  int step = INTERVIEW_STEPS;
  interview_dump(store, &now);
  while (step >= 0 && strcmp(now.at, interview_after(step)) != 0) step--;
  cq_buf_fini(&now);
  return step;
}

/* Every 32nd byte of the log, so each frame in its content, header, nonce and tag. */
static void test_flips_in_the_log(void **state) {
  (void)state;
  enum { STEPS = 14 };
  int faults = 0, damaged = 0, torn = 0, lost_unsaid = 0;
  leave_open(STEPS);
  size_t size = whole_log.size;
  assert_true(size > 30 * 4096);
  for (size_t at = 0; at < size; at += at % 4096 >= 4032 ? 8 : 504) {
    cq_store *store = NULL;
    cq_vault_log log = CQ_VAULT_LOG_CLEAN;
    cq_error error;
    size_t there = 0;
    cq_error_clear(&error);
    put_back();
    disk_bytes(INTERVIEW_VAULT "-log", &there)[at] ^= (uint8_t)(1u << (at % 8));
    faults++;
    if (interview_open(&store, &log, &error) != CQ_OK) fail_msg("flip at %zu: %s", at, error.code);
    int step = found_after(store);
    if (step < 0) fail_msg("flip at %zu: what is there was never so", at);
    if (step < STEPS && log == CQ_VAULT_LOG_CLEAN) lost_unsaid++;
    if (step < STEPS - 2 && log != CQ_VAULT_LOG_DAMAGED) fail_msg("flip at %zu: only %d steps and not said", at, step);
    damaged += log == CQ_VAULT_LOG_DAMAGED;
    torn += log == CQ_VAULT_LOG_TORN;
    interview_check_whole(store);
    cq_store_close(store);
  }
  print_message("flips in the log: %d faults; %d said damaged, %d said torn, %d losses unsaid\n", faults, damaged, torn,
                lost_unsaid);
  assert_true(faults > 500 && damaged > 0 && torn > 0);
  assert_int_equal(lost_unsaid, 0);
  assert_int_equal(damaged + torn, faults);
}

/* Each page of the database in content, nonce and tag: an error wherever it is read, and scrub names it. */
static void test_flips_in_pages(void **state) {
  (void)state;
  static const size_t places[] = {0, 100, 2000, 4031, 4040, 4056, 4079, 4080, 4095};
  int faults = 0, detected = 0;
  leave_open(INTERVIEW_STEPS);
  { /* everything into the pages */
    cq_store *store = NULL;
    size_t size = 0;
    put_back();
    assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
    cq_store_close(store);
    uint8_t *bytes = disk_bytes(INTERVIEW_VAULT, &size);
    cq_buf_reset(&whole);
    cq_buf_reset(&whole_log);
    cq_buf_add(&whole, bytes, size);
  }
  int64_t pages = ((int64_t)whole.size - 8192) / 4096;
  assert_true(pages > 40);
  for (int64_t page = 1; page <= pages; page++)
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
      cq_store *store = NULL;
      cq_error error;
      size_t size = 0;
      cq_error_clear(&error);
      put_back();
      disk_bytes(INTERVIEW_VAULT, &size)[8192 + (size_t)(page - 1) * 4096 + places[i]] ^= 0x10;
      faults++;
      if (interview_open(&store, NULL, &error) != CQ_OK) {
        assert_string_equal(error.code, "vault.damaged.page");
        detected++;
        continue;
      }
      cq_vault_scrubbed found;
      assert_int_equal(cq_vault_scrub(cq_store_vault(store), &found, &error), CQ_DAMAGED);
      assert_int_equal(found.first_damaged, page);
      assert_int_equal(found.pages_damaged, 1);
      detected++;
      cq_store_close(store);
    }
  print_message("flips in pages: %d faults, %d detected\n", faults, detected);
  assert_int_equal(faults, detected);
}

/* A page, a frame or a log of elsewhere authenticates nowhere else. */
static void test_swaps(void **state) {
  (void)state;
  cq_error error;
  cq_store *store = NULL;
  size_t size = 0;
  cq_vault_scrubbed found;
  int faults = 0;
  leave_open(0);
  size_t pages = (whole.size - 8192) / 4096;
  for (size_t a = 1; a < pages; a++) {
    uint8_t *bytes, keep[4096];
    put_back();
    bytes = disk_bytes(INTERVIEW_VAULT, &size) + 8192;
    memcpy(keep, bytes + (a - 1) * 4096, 4096);
    memcpy(bytes + (a - 1) * 4096, bytes + a * 4096, 4096);
    memcpy(bytes + a * 4096, keep, 4096);
    cq_error_clear(&error);
    faults++;
    if (interview_open(&store, NULL, &error) != CQ_OK) {
      assert_string_equal(error.code, "vault.damaged.page");
      continue;
    }
    assert_int_equal(cq_vault_scrub(cq_store_vault(store), &found, &error), CQ_DAMAGED);
    assert_int_equal(found.pages_damaged, 2);
    cq_store_close(store);
  }
  leave_open(10);
  size_t frames = whole_log.size / 4096 - 1;
  for (size_t a = 1; a < frames; a++) {
    uint8_t *bytes, keep[4096];
    cq_vault_log log = CQ_VAULT_LOG_CLEAN;
    put_back();
    bytes = disk_bytes(INTERVIEW_VAULT "-log", &size);
    memcpy(keep, bytes + a * 4096, 4096);
    memcpy(bytes + a * 4096, bytes + (a + 1) * 4096, 4096);
    memcpy(bytes + (a + 1) * 4096, keep, 4096);
    faults++;
    assert_int_equal(interview_open(&store, &log, &error), CQ_OK);
    assert_int_not_equal(log, CQ_VAULT_LOG_CLEAN);
    assert_true(found_after(store) >= 0);
    cq_store_close(store);
  }
  print_message("swaps: %d faults, all detected\n", faults);
  assert_true(faults > 20);
}

/* The other copy, or the newer one, always opens; a half-written one never does. */
static void test_header_torn_at_each_byte(void **state) {
  (void)state;
  vault_keys *keys = keys_new();
  vault_header before = {.slots = 1, .next_id = 2, .effort = {1, 8}, .generation = 7}, after, seen;
  uint8_t old[HEADER_COPY], new[HEADER_COPY], prefix[HEADER_PREFIX];
  cq_error error;
  int faults = 0, best = 0;
  bool equal = false;
  randombytes_buf(keys->data, 32);
  randombytes_buf(before.id, sizeof before.id);
  keys_derive(keys, before.id);
  before.slot[0] = (header_slot){.type = CQ_VAULT_TECHNICIAN, .id = 1, .label = "antes"};
  after = before;
  after.generation = 8;
  strcpy(after.slot[0].label, "ahora");
  memset(after.slot[0].sealed, 9, SLOT_SEALED);
  header_write(old, &before, keys, &vault_random_system);
  header_write(new, &after, keys, &vault_random_system);
  for (int target = 0; target < 2; target++)
    for (size_t torn = 0; torn <= HEADER_COPY; torn++)
      for (int turn = 0; turn < 2; turn++) {
        /* first write: the other copy is still the old one; second write: the other one is already new */
        uint8_t *written = prefix + target * HEADER_COPY, *other = prefix + !target * HEADER_COPY;
        memcpy(other, turn == 0 ? old : new, HEADER_COPY);
        memcpy(written, old, HEADER_COPY);
        memcpy(written, new, torn);
        faults++;
        assert_int_equal(header_choose(&seen, prefix, &best, &equal, &error), CQ_OK);
        assert_true(header_unlock(&seen, prefix + best * HEADER_COPY, keys));
        if (turn == 1 || torn == HEADER_COPY)
          assert_string_equal(seen.slot[0].label, "ahora");
        else
          assert_true(strcmp(seen.slot[0].label, "antes") == 0 || torn + 32 > HEADER_COPY);
      }
  print_message("header torn: %d faults, a whole copy found after each\n", faults);
  keys_free(keys);
}

/* Through the whole vault: a flip in either copy is healed from the other; in both it is said. */
static void test_header_flips(void **state) {
  (void)state;
  int faults = 0;
  leave_open(0);
  for (size_t at = 0; at < 4096; at += 61) {
    cq_store *store = NULL;
    cq_error error;
    size_t size = 0;
    cq_error_clear(&error);
    put_back();
    uint8_t *bytes = disk_bytes(INTERVIEW_VAULT, &size);
    bytes[(at % 2) * 4096 + at] ^= 4;
    faults++;
    assert_int_equal(interview_open(&store, NULL, &error), CQ_OK);
    interview_check_whole(store);
    cq_store_close(store);
    put_back();
    bytes = disk_bytes(INTERVIEW_VAULT, &size);
    bytes[at] ^= 4;
    bytes[4096 + at] ^= 4;
    faults++;
    assert_int_not_equal(interview_open(&store, NULL, &error), CQ_OK);
    assert_true(strcmp(error.code, "vault.damaged.header") == 0 || strcmp(error.code, "vault.notvault") == 0 ||
                strcmp(error.code, "vault.version") == 0);
  }
  /* checksums made good by a stranger: the keyed one still tells */
  for (size_t at = 24; at < 3336; at += 97) {
    cq_store *store = NULL;
    cq_error error;
    size_t size = 0;
    put_back();
    uint8_t *bytes = disk_bytes(INTERVIEW_VAULT, &size);
    bytes[at] ^= 1;
    crypto_generichash(bytes + 4064, 32, bytes, 4064, NULL, 0);
    memcpy(bytes + 4096, bytes, 4096);
    faults++;
    cq_error_clear(&error);
    cq_status status = interview_open(&store, NULL, &error);
    if (status == CQ_OK) fail_msg("a header changed at %zu was believed", at);
  }
  print_message("header flips: %d faults, all healed or said\n", faults);
}

/* Shorter files: an error or an earlier state with word of it, and never a crash. */
static void test_cut_files(void **state) {
  (void)state;
  int faults = 0;
  leave_open(14);
  for (size_t keep = 0; keep < whole_log.size; keep += 1361) {
    cq_store *store = NULL;
    cq_vault_log log = CQ_VAULT_LOG_CLEAN;
    cq_error error;
    disk_clear();
    disk_load(INTERVIEW_VAULT, whole.at, whole.size);
    disk_load(INTERVIEW_VAULT "-log", whole_log.at, keep);
    faults++;
    assert_int_equal(interview_open(&store, &log, &error), CQ_OK);
    assert_true(found_after(store) >= 0);
    if (keep % 4096 != 0) assert_int_not_equal(log, CQ_VAULT_LOG_CLEAN);
    cq_store_close(store);
  }
  leave_open(0);
  for (size_t keep = 0; keep < whole.size; keep += 911) {
    cq_store *store = NULL;
    cq_error error;
    cq_error_clear(&error);
    disk_clear();
    disk_load(INTERVIEW_VAULT, whole.at, keep);
    faults++;
    if (interview_open(&store, NULL, &error) == CQ_OK) {
      cq_vault_scrubbed found;
      assert_int_not_equal(cq_vault_scrub(cq_store_vault(store), &found, &error), CQ_OK);
      cq_store_close(store);
    } else {
      assert_non_null(error.code);
    }
  }
  /* at a page: such a file has no torn end that would tell, and none of it is damaged */
  for (size_t keep = 8192; keep < whole.size; keep += 4096) {
    cq_store *store = NULL;
    cq_error error;
    cq_error_clear(&error);
    disk_clear();
    disk_load(INTERVIEW_VAULT, whole.at, keep);
    faults++;
    if (keep == 8192) assert_int_not_equal(interview_open(&store, NULL, &error), CQ_OK);
    if (interview_open(&store, NULL, &error) != CQ_OK) continue;
    cq_vault_scrubbed found;
    assert_int_not_equal(cq_vault_scrub(cq_store_vault(store), &found, &error), CQ_OK);
    cq_store_close(store);
  }
  print_message("cut files: %d faults, all said\n", faults);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flips_in_the_log),
      cmocka_unit_test(test_flips_in_pages),
      cmocka_unit_test(test_swaps),
      cmocka_unit_test(test_header_torn_at_each_byte),
      cmocka_unit_test(test_header_flips),
      cmocka_unit_test(test_cut_files),
  };
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  cq_buf_fini(&whole);
  cq_buf_fini(&whole_log);
  return failed;
}
