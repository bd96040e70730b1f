/* SPDX-License-Identifier: Apache-2.0 */
/* A programme may say how long laptops keep what the desk has opened. */
#include "collector/collector.h"
#include "tests/batch/fixture.h"
#include "tests/collector/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cq_bundle_form blank = {.id = CQ_STR("visita"),
                               .version = CQ_STR("1"),
                               .status = CQ_FORM_CURRENT,
                               .xml = CQ_STR("<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"/>")};

enum { DAY_MS = 86400000 };

static void finish(cq_laptop *laptop, const char *text, cq_store_batch_state state) {
  cq_hash name = cq_hash_of(text, strlen(text));
  cq_store_record record = {.form_id = CQ_STR("visita"),
                            .instance_id = CQ_STR("uuid:1"),
                            .season = CQ_STR(""),
                            .label = CQ_STR("x"),
                            .technician = CQ_STR("T-01"),
                            .finalised_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context)};
  cq_store_batch batch = {.file = cq_str_from(text), .made_utc_ms = record.finalised_utc_ms};
  memcpy(record.name, name.at, sizeof record.name);
  memcpy(batch.hash, name.at, sizeof batch.hash);
  assert_int_equal(cq_store_finalise(laptop->store, 0, &record, cq_str_from(text), NULL), CQ_OK);
  uint8_t previous[CQ_STORE_HASH];
  assert_int_equal(cq_store_batch_next(laptop->store, &batch.number, previous, NULL), CQ_OK);
  assert_int_equal(cq_store_batch_commit(laptop->store, &batch, cq_str_from(text),
                                         (const uint8_t(*)[CQ_STORE_HASH]) & record.name, 1, NULL),
                   CQ_OK);
  assert_int_equal(cq_store_receipt(laptop->store, batch.hash, state, CQ_STR("r"), NULL), CQ_OK);
}

static int64_t let_go(cq_laptop *laptop) {
  cq_store_purged purged;
  assert_int_equal(cq_laptop_let_go(laptop, &purged, NULL), CQ_OK);
  return purged.records;
}

static void only_what_is_opened_and_old_goes(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_laptop laptop;
  office_join(it);
  assert_int_equal(cq_laptop_open(&laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, NULL), CQ_OK);
  finish(&laptop, "opened", CQ_STORE_BATCH_OPENED);
  finish(&laptop, "only kept", CQ_STORE_BATCH_KEPT);
  it->at.utc_ms += 100 * (int64_t)DAY_MS;
  assert_int_equal(let_go(&laptop), 0); /* the programme says nothing of it */
  laptop.programme->keep_days = 101;
  assert_int_equal(let_go(&laptop), 0);
  laptop.programme->keep_days = 99;
  it->at.utc_ms -= 120 * (int64_t)DAY_MS; /* a clock that runs before the last record */
  assert_int_equal(let_go(&laptop), 0);
  it->at.utc_ms += 120 * (int64_t)DAY_MS;
  assert_int_equal(let_go(&laptop), 1);
  assert_int_equal(let_go(&laptop), 0);
  cq_kept kept;
  assert_int_equal(cq_kept_read(&kept, laptop.store, NULL), CQ_OK);
  assert_true(kept.record_count == 2 && kept.records[1].state == CQ_STORE_KEPT);
  cq_kept_free(&kept);
  cq_laptop_close(&laptop);
  office_free(it);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_is_opened_and_old_goes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
