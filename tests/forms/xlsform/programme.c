/* SPDX-License-Identifier: Apache-2.0 */
/* The programme's own forms compile without one complaint, and its lists hold codes, not people. */
#include "chasqui/clock.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/xlsform.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

/* --- temporadas.csv says what seasons.csv does --- */

static const char *const months[] = {"ene", "feb", "mar", "abr", "may", "jun",
                                     "jul", "ago", "sep", "oct", "nov", "dic"};

typedef struct season {
  char code[8];
  int month, day;
  int32_t closes, grace; /* days after its end */
} season;

static int number_of(cq_str text) {
  int64_t number = 0;
  assert_true(cq_str_int64(text, &number));
  return (int)number;
}

static size_t read_calendar(season *seasons, int *from) {
  cq_buf text = {0};
  size_t count, rows = 0;
  const cq_str *f;
  assert_int_equal(cq_file_read(FOLDER "/seasons.csv", 1 << 20, &text, NULL), CQ_OK);
  cq_csv *csv = cq_csv_new(cq_buf_str(&text), ',');
  assert_int_equal(cq_csv_next(csv, &f, &count, NULL), CQ_OK); /* the head */
  while (cq_csv_next(csv, &f, &count, NULL) == CQ_OK && count > 0) {
    season *s = &seasons[rows++];
    assert_true(rows <= 12 && count == 8 && cq_str_is(f[0], "general"));
    *from = number_of(f[3]);
    snprintf(s->code, sizeof s->code, "%.*s", (int)f[4].size, f[4].at);
    assert_int_equal(sscanf(f[5].at, "%2d-%2d", &s->month, &s->day), 2);
    s->closes = number_of(f[6]);
    s->grace = number_of(f[7]);
  }
  cq_csv_free(csv);
  cq_buf_fini(&text);
  return rows;
}

/* The day that a season of a campaign begins on; those before the first one's month fall in the year after. */
static int32_t begins(const season *seasons, size_t count, int campaign, size_t i) {
  const season *s = &seasons[i % count];
  int year = campaign + (int)(i / count) + (s->month < seasons[0].month);
  return cq_date_to_day((cq_date){(int16_t)year, (int8_t)s->month, (int8_t)s->day});
}

static long as_number(int32_t day) {
  cq_date date = cq_date_from_day(day);
  return date.year * 10000L + date.month * 100L + date.day;
}

static void write_season(const season *seasons, size_t count, int campaign, size_t i, int order, cq_buf *out) {
  int32_t first = begins(seasons, count, campaign, i), end = begins(seasons, count, campaign, i + 1);
  cq_date from = cq_date_from_day(first), last = cq_date_from_day(end - 1);
  char a[11], b[11];
  cq_buf_addf(out, "%d-%s,%s %d a %s %d (%d-%s),%d,%s,%s,%ld,%ld,%ld", campaign, seasons[i].code,
              months[from.month - 1], from.year, months[last.month - 1], last.year, campaign, seasons[i].code, order,
              cq_date_format(from, a), cq_date_format(cq_date_from_day(end), b), as_number(end),
              as_number(end + seasons[i].closes), as_number(end + seasons[i].grace));
  for (int m = 0; m < 3; m++) {
    int month = from.month - 1 + m;
    cq_buf_addf(out, ",%04d-%02d", from.year + month / 12, month % 12 + 1);
  }
  cq_buf_add_char(out, '\n');
}

static void seasons_to_choose_from(void **state) {
  (void)state;
  season seasons[12];
  int first = 0, order = 0;
  size_t count = read_calendar(seasons, &first);
  cq_buf want = {0}, list = {0};
  cq_buf_add_text(&want, "name,label,orden,inicio,fin,fin_n,cierra_n,gracia_n,m1,m2,m3\n");
  for (int campaign = first; campaign <= 2030; campaign++)
    for (size_t i = 0; i < count; i++) write_season(seasons, count, campaign, i, ++order, &want);
  assert_int_equal(cq_file_read(FOLDER "/temporadas.csv", 1 << 20, &list, NULL), CQ_OK);
  assert_string_equal(list.at, want.at);
  cq_buf_fini(&want);
  cq_buf_fini(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(sample),
                                     cmocka_unit_test(seasons_to_choose_from)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
