/* SPDX-License-Identifier: Apache-2.0 */
/* The programme's own forms compile without one complaint, and its lists hold codes, not people. */
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/xlsform.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "forms/programmes/ici"

static size_t check_form(const char *path) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_xlsform_compile(&form, path, NULL, &error), CQ_OK);
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    const cq_xlsform_fault *f = cq_xlsform_fault_at(form, i);
    print_error("%s: %s %s %s\n", path, f->cell, f->code, f->found);
  }
  size_t faults = cq_xlsform_fault_count(form);
  assert_true(cq_xlsform_item_count(form) > 5);
  cq_xlsform_free(form);
  return faults;
}

static void forms(void **state) {
  (void)state;
  DIR *folder = opendir(FOLDER);
  assert_non_null(folder);
  size_t count = 0, faults = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    size_t size = strlen(entry->d_name);
    if (size < 6 || strcmp(entry->d_name + size - 5, ".xlsx") != 0) continue;
    cq_buf path = {0};
    assert_int_equal(cq_file_path(&path, FOLDER, entry->d_name, NULL), CQ_OK);
    faults += check_form(path.at);
    cq_buf_fini(&path);
    count++;
  }
  closedir(folder);
  assert_true(count > 0);
  assert_int_equal(faults, 0);
}

/* Every label of the drawn sample is a code that ends in ten hexadecimal digits, which is 40 bits. */
static void sample(void **state) {
  (void)state;
  cq_buf text = {0};
  assert_int_equal(cq_file_read(FOLDER "/tdd.csv", 1 << 20, &text, NULL), CQ_OK);
  cq_csv *csv = cq_csv_new(cq_buf_str(&text), ',');
  assert_non_null(csv);
  const cq_str *fields;
  size_t count, rows = 0;
  while (cq_csv_next(csv, &fields, &count, NULL) == CQ_OK && count > 0) {
    assert_true(count > 2);
    if (rows++ == 0) {
      assert_true(cq_str_is(fields[1], "label"));
      for (size_t i = 0; i < count; i++) assert_false(cq_str_starts(fields[i], CQ_STR("dni")));
      continue;
    }
    unsigned char bits[5];
    assert_true(cq_str_equal(fields[1], fields[2]));
    assert_true(fields[1].size == 18 && cq_hex_decode((cq_str){fields[1].at + 8, 10}, bits, sizeof bits));
  }
  assert_true(rows > 10);
  cq_csv_free(csv);
  cq_buf_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(sample)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
