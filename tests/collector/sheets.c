/* SPDX-License-Identifier: Apache-2.0 */
/* Contact sheets on a laptop: whose are believed, which are passed over, and when names go. */
#include "chasqui/sheet.h"
#include "collector/names.h"
#include "tests/batch/fixture.h"
#include "tests/collector/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cq_bundle_form blank = {.id = CQ_STR("visita"),
                               .version = CQ_STR("1"),
                               .status = CQ_FORM_CURRENT,
                               .xml = CQ_STR("<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"/>")};

static const cq_sheet_person rosa = {CQ_STR("tdd"),     CQ_STR("e1"),   CQ_STR("Rosa \"Inventada\""),
                                     CQ_STR("Anexo 1"), CQ_STR("9000"), CQ_STR("junto al río,\nal fondo")};

static void open_laptop(const office *it, cq_laptop *laptop, cq_inbox_report *report) {
  assert_int_equal(cq_laptop_open(laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, NULL), CQ_OK);
  assert_int_equal(cq_laptop_receive(laptop, report, NULL), CQ_OK);
}

/* Seals a sheet by `who` for `to` and lays it into the inbox. */
static void bring(office *it, const signer *who, const cq_chain *chain, cq_mode mode, uint64_t number,
                  const cq_seal_key *to, size_t persons) {
  cq_buf csv = {0}, bytes = {0};
  cq_hash hash;
  cq_batch_sender sender = fixture_sender(it->keys, who, number, NULL);
  cq_hash before = {{0x11}};
  sender.chain = chain;
  sender.mode = mode;
  if (number > 1) sender.previous = before;
  assert_int_equal(cq_sheet_list_write(&csv, &rosa, persons, NULL), CQ_OK);
  assert_int_equal(cq_sheet_seal(&bytes, &hash, cq_buf_str(&csv), &sender, to, &it->random, NULL), CQ_OK);
  office_bring(it, CQ_PARCEL_BATCH, bytes.at, bytes.size);
  cq_buf_fini(&csv);
  cq_buf_fini(&bytes);
}

static void by_desk(office *it, uint64_t number, const cq_seal_key *to, size_t persons) {
  bring(it, &it->keys->desk, &it->keys->desk.chain, it->keys->mode, number, to, persons);
}

static cq_seal_key key_of(office *it) {
  cq_laptop laptop;
  cq_inbox_report report;
  open_laptop(it, &laptop, &report);
  cq_seal_key key = laptop.seal_key;
  cq_laptop_close(&laptop);
  return key;
}

static void names_come_and_go(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_laptop laptop;
  cq_inbox_report report;
  office_join(it);
  cq_seal_key own = key_of(it);
  by_desk(it, 4, &own, 1);
  open_laptop(it, &laptop, &report);
  assert_true(report.sheets == 1 && report.refused == 0 && laptop.names.number == 4);
  const cq_sheet_person *person = cq_names_of(&laptop, CQ_STR("uuid:e1"));
  assert_non_null(person);
  assert_true(cq_str_equal(person->name, rosa.name) && cq_str_equal(person->directions, rosa.directions));
  assert_null(cq_names_of(&laptop, CQ_STR("e2")));
  cq_arena *arena = cq_arena_new(0);
  cq_choice items[2] = {{.value = CQ_STR("e1"), .label = CQ_STR("T-1")},
                        {.value = CQ_STR("e2"), .label = CQ_STR("T-2")}};
  cq_choices choices = {2, items};
  cq_names_choices(&laptop, arena, &choices);
  assert_true(cq_str_is(items[0].label, "T-1 · Rosa \"Inventada\", Anexo 1") && cq_str_is(items[1].label, "T-2"));
  cq_arena_free(arena);
  cq_laptop_close(&laptop);
  /* an older one changes nothing, whatever the order of arrival */
  by_desk(it, 3, &own, 0);
  open_laptop(it, &laptop, &report);
  assert_true(report.sheets == 0 && report.refused == 0 && laptop.names.count == 1);
  cq_laptop_close(&laptop);
  /* withdrawn: the names go, and the older sheets that still lie there do not bring them back */
  by_desk(it, 9, &own, 0);
  open_laptop(it, &laptop, &report);
  assert_true(report.sheets == 1 && laptop.names.count == 0 && laptop.names.number == 9);
  cq_laptop_close(&laptop);
  open_laptop(it, &laptop, &report);
  assert_true(report.sheets == 0 && laptop.names.count == 0);
  cq_laptop_close(&laptop);
  office_free(it);
}

/* Why the only file of the inbox was refused; NULL: it was not. */
static const char *refused(office *it) {
  static char code[64];
  cq_laptop laptop;
  cq_inbox_report report;
  open_laptop(it, &laptop, &report);
  assert_true(report.sheets == 0 && laptop.names.count == 0 && laptop.names.number == 0);
  code[0] = '\0';
  if (report.refused == 1) snprintf(code, sizeof code, "%s", report.why[0].code);
  cq_laptop_close(&laptop);
  return code;
}

static void only_the_desk_of_the_programme_is_believed(void **state) {
  (void)state;
  static const char *const wanted[] = {"sheet.signer", "batch.mode", "", "batch.signature"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    office *it = office_new(CQ_MODE_REAL, &blank, 1);
    office_join(it);
    cq_seal_key own = key_of(it);
    fixture *keys = it->keys;
    if (i == 0) bring(it, &keys->device, &keys->device.chain, keys->mode, 2, &own, 1);
    if (i == 1) {
      fixture *practice = fixture_new(7, CQ_MODE_PRACTICE);
      bring(it, &practice->desk, &practice->desk.chain, CQ_MODE_PRACTICE, 2, &own, 1);
      fixture_free(practice);
    }
    if (i == 2) by_desk(it, 2, &keys->trainee.seal_key, 1); /* kept apart, and no fault */
    if (i == 3) {
      cq_buf csv = {0}, bytes = {0};
      cq_hash hash, before = {{1}};
      cq_batch_sender sender = fixture_sender(keys, &keys->desk, 2, &before);
      sender.chain = &keys->desk.chain;
      assert_int_equal(cq_sheet_list_write(&csv, &rosa, 1, NULL), CQ_OK);
      assert_int_equal(cq_sheet_seal(&bytes, &hash, cq_buf_str(&csv), &sender, &own, &it->random, NULL), CQ_OK);
      bytes.at[bytes.size - 70] ^= 1; /* in what is sealed: the signature says so before it is opened */
      office_bring(it, CQ_PARCEL_BATCH, bytes.at, bytes.size);
      cq_buf_fini(&csv);
      cq_buf_fini(&bytes);
    }
    assert_string_equal(refused(it), wanted[i]);
    office_free(it);
  }
}

static void a_list_is_read_as_it_was_written(void **state) {
  (void)state;
  cq_buf csv = {0};
  cq_arena *arena = cq_arena_new(0);
  cq_sheet_person *persons;
  size_t count;
  cq_error error;
  cq_error_clear(&error);
  cq_sheet_person two[] = {rosa, {CQ_STR("tdd"), CQ_STR("a0"), CQ_STR(""), CQ_STR(""), CQ_STR(""), CQ_STR("")}};
  assert_int_equal(cq_sheet_list_write(&csv, two, 2, NULL), CQ_OK);
  assert_int_equal(cq_sheet_list_read(&persons, &count, cq_buf_str(&csv), arena, NULL), CQ_OK);
  assert_true(count == 2 && cq_str_is(persons[0].id, "a0") && cq_str_equal(persons[1].directions, rosa.directions));
  /* further columns and rows without an id are passed over */
  assert_int_equal(cq_sheet_list_read(&persons, &count, CQ_STR("x,name,id\n1,Ana,b\n2,Eva,\n"), arena, NULL), CQ_OK);
  assert_true(count == 1 && cq_str_is(persons[0].name, "Ana"));
  assert_int_equal(cq_sheet_list_read(&persons, &count, CQ_STR("name\nAna\n"), arena, &error), CQ_INVALID);
  assert_string_equal(error.code, "sheet.columns");
  cq_arena_free(arena);
  cq_buf_fini(&csv);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_come_and_go),
                                     cmocka_unit_test(only_the_desk_of_the_programme_is_believed),
                                     cmocka_unit_test(a_list_is_read_as_it_was_written)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
