/* SPDX-License-Identifier: Apache-2.0 */
/* Lists sealed under the invitation phrase: there on the first day, and still there after each new bundle. */
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

static void open_laptop(const office *it, cq_laptop *laptop) {
  cq_inbox_report report;
  assert_int_equal(cq_laptop_open(laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, NULL), CQ_OK);
  assert_int_equal(cq_laptop_receive(laptop, &report, NULL), CQ_OK);
}

static void holds(const office *it, const char *text) {
  cq_laptop laptop;
  cq_buf list = {0};
  open_laptop(it, &laptop);
  cq_status status = cq_store_list_bytes(laptop.store, "contactos.csv", &list, NULL);
  if (!text)
    assert_int_equal(status, CQ_NOTFOUND);
  else if (!cq_str_is(cq_buf_str(&list), text))
    fail_msg("%s for %s", list.at ? list.at : "no list", text);
  cq_buf_fini(&list);
  cq_laptop_close(&laptop);
}

static void bring_bundle(office *it, uint64_t number, cq_str phrase) {
  cq_buf bytes = {0};
  it->phrase = phrase;
  office_bundle(it, number, NULL, 0, &bytes);
  office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
  cq_buf_fini(&bytes);
}

static void sealed_lists_follow_the_bundles(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  it->phrase = CQ_STR("quinua blanca 7");
  office_join(it);
  holds(it, "name\nlist 1\n");
  bring_bundle(it, 2, CQ_STR("quinua blanca 7"));
  holds(it, "name\nlist 2\n");
  /* another phrase, which this laptop was not told: what it has stays */
  bring_bundle(it, 3, CQ_STR("quinua negra 8"));
  holds(it, "name\nlist 2\n");
  bring_bundle(it, 4, CQ_STR("quinua blanca 7"));
  holds(it, "name\nlist 4\n");
  /* no longer part of the programme */
  bring_bundle(it, 5, CQ_STR(""));
  holds(it, NULL);
  office_free(it);
}

static void without_the_phrase_there_is_no_list(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  office_join(it);
  bring_bundle(it, 2, CQ_STR("quinua blanca 7"));
  holds(it, NULL);
  office_free(it);
}

static void a_wrong_phrase_is_told_when_joining(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  cq_error error;
  it->phrase = CQ_STR("quinua blanca 7");
  office_bundle(it, 1, NULL, 0, &bytes);
  assert_int_equal(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, NULL), CQ_OK);
  assert_int_equal(cq_laptop_join(bundle, cq_buf_str(&bytes), it->home, "T-01", CQ_STR(OFFICE_PASSPHRASE),
                                  CQ_STR("quinua blanca 8"), &it->setup, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "keys.phrase.wrong");
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  office_join(it); /* nothing was left behind */
  office_free(it);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sealed_lists_follow_the_bundles),
                                     cmocka_unit_test(without_the_phrase_there_is_no_list),
                                     cmocka_unit_test(a_wrong_phrase_is_told_when_joining)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
