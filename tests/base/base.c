/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/arena.h"
#include "chasqui/clock.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/log.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void error_is_cut_at_a_code_point(void **state) {
  (void)state;
  char text[400];
  memset(text, 'a', sizeof text);
  memcpy(text + CQ_ERROR_ARG_SIZE - 2, "ñ", 2);
  text[399] = '\0';
  cq_error error;
  assert_int_equal(cq_error_set(&error, CQ_INVALID, "x.y", text, "b", NULL), CQ_INVALID);
  assert_int_equal(error.argc, 2);
  assert_int_equal(strlen(error.arg[0]), CQ_ERROR_ARG_SIZE - 2);
  assert_string_equal(error.arg[1], "b");
  assert_int_equal(error.offset, -1);
  assert_int_equal(cq_error_set(NULL, CQ_LIMIT, "x", NULL), CQ_LIMIT);
}

static void integers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
    int64_t value;
  } cases[] = {{"0", true, 0},
               {"-9223372036854775808", true, INT64_MIN},
               {"9223372036854775807", true, INT64_MAX},
               {"+7", true, 7},
               {"9223372036854775808", false, 0},
               {"-9223372036854775809", false, 0},
               {"", false, 0},
               {"-", false, 0},
               {"1 ", false, 0},
               {"0x1", false, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t value = 0;
    assert_int_equal(cq_str_int64(cq_str_from(cases[i].text), &value), cases[i].ok);
    if (cases[i].ok) assert_true(value == cases[i].value);
  }
}

static void utf8(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool valid;
  } cases[] = {{"", true},
               {"ñandú", true},
               {"\xF4\x8F\xBF\xBF", true},
               {"\xF4\x90\x80\x80", false},
               {"\xC0\x80", false},
               {"\xED\xA0\x80", false},
               {"\xE0\x80\x80", false},
               {"\xC3", false},
               {"\x80", false},
               {"\xF0\x8F\xBF\xBF", false},
               {"a\xFF", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(cq_utf8_valid(cq_str_from(cases[i].text)), cases[i].valid);
  for (size_t at = 0; at < 40; at++) { /* wherever it stands between ASCII */
    char text[48];
    memset(text, 'a', sizeof text);
    memcpy(text + at, "\xE2\x82\xAC", 3);
    assert_true(cq_utf8_valid((cq_str){text, sizeof text}));
    assert_false(cq_utf8_valid((cq_str){text, at + 2}));
    text[at] = 'a';
    assert_false(cq_utf8_valid((cq_str){text, sizeof text}));
    assert_true(cq_utf8_valid((cq_str){text, at}));
  }
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    char out[4];
    size_t size = cq_utf8_put(c, out), at = 0;
    if (cq_utf8_next((cq_str){out, size}, &at) != c || at != size) fail_msg("U+%04X does not return", (unsigned)c);
  }
  assert_int_equal(cq_utf8_length(CQ_STR("ñandú")), 5);
}

static void buffer(void **state) {
  (void)state;
  cq_buf buf = {0};
  cq_buf_add_xml(&buf, CQ_STR("a<b & \"c\"\n"), true);
  assert_string_equal(buf.at, "a&lt;b &amp; &quot;c&quot;&#10;");
  cq_buf_reset(&buf);
  cq_buf_add_hex(&buf, "\x00\xfe", 2);
  cq_buf_addf(&buf, "-%d", 42);
  assert_string_equal(buf.at, "00fe-42");
  unsigned char bytes[2];
  assert_true(cq_hex_decode(CQ_STR("00Fe"), bytes, 2));
  assert_int_equal(bytes[1], 0xFE);
  assert_false(cq_hex_decode(CQ_STR("00F"), bytes, 2));
  assert_false(cq_hex_decode(CQ_STR("00Fg"), bytes, 2));
  assert_false(cq_buf_reserve(&buf, SIZE_MAX - 4));
  cq_buf_add_text(&buf, "ignored after a failure");
  assert_string_equal(buf.at, "00fe-42");
  assert_null(cq_buf_take(&buf, NULL));
}

static void arena(void **state) {
  (void)state;
  cq_arena *a = cq_arena_new(100000);
  assert_non_null(a);
  cq_arena_mark start = cq_arena_save(a);
  for (int round = 0; round < 3; round++) {
    for (size_t i = 1; i < 200; i++) {
      unsigned char *p = cq_arena_alloc(a, i);
      assert_non_null(p);
      for (size_t k = 0; k < i; k++) assert_int_equal(p[k], 0);
      memset(p, 0xEE, i);
    }
    cq_arena_rewind(a, start);
    assert_int_equal(cq_arena_used(a), 0);
  }
  assert_null(cq_arena_alloc(a, 100001));
  assert_null(cq_arena_array(a, SIZE_MAX / 2, 4));
  assert_non_null(cq_arena_alloc(a, 60000));
  assert_null(cq_arena_alloc(a, 60000));
  assert_string_equal(cq_arena_copy(a, CQ_STR("hola")).at, "hola");
  cq_arena_free(a);
}

static void dates(void **state) {
  (void)state;
  int32_t day = cq_date_to_day((cq_date){1, 1, 1});
  for (cq_date d = {1, 1, 1}; d.year < 9999; d = cq_date_from_day(++day)) {
    if (!cq_date_valid(d) || cq_date_to_day(d) != day) fail_msg("day %d does not return", day);
  }
  assert_int_equal(cq_date_to_day((cq_date){1970, 1, 1}), 0);
  assert_int_equal(cq_date_to_day((cq_date){2012, 8, 20}), 15572);
  cq_date d;
  assert_true(cq_date_parse(CQ_STR("2012-02-29"), &d));
  assert_false(cq_date_parse(CQ_STR("2013-02-29"), &d));
  assert_false(cq_date_parse(CQ_STR("2012-2-29"), &d));
  assert_false(cq_date_parse(CQ_STR("2012-02-29Z"), &d));
  char text[25];
  assert_string_equal(cq_time_format_utc(1345471385120, text), "2012-08-20T14:03:05.120Z");
  assert_string_equal(cq_time_format_utc(-1, text), "1969-12-31T23:59:59.999Z");
  /* 03:00 UTC on the 21st is still the 20th in Lima */
  cq_clock_fixed at = {1345518000000, -300};
  cq_clock clock = cq_clock_fix(&at);
  assert_string_equal(cq_date_format(cq_date_at(&clock, at.utc_ms), text), "2012-08-20");
}

/* Blank lines count as a spreadsheet counts them; a field of several lines stands in one row. */
static void csv_rows(void **state) {
  (void)state;
  static const struct { int64_t line, row; } want[] = {{1, 1}, {4, 4}, {6, 5}, {9, 8}};
  const cq_str *fields;
  size_t count;
  cq_csv *csv = cq_csv_new(CQ_STR("a,b\r\n\n\r\n\"c\nd\",e\nf,g\n\n\nh,i"), ',');
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    assert_int_equal(cq_csv_next(csv, &fields, &count, NULL), CQ_OK);
    assert_int_equal(count, 2);
    assert_int_equal(cq_csv_line(csv), want[i].line);
    assert_int_equal(cq_csv_row(csv), want[i].row);
  }
  cq_csv_free(csv);
}

static void csv(void **state) {
  (void)state;
  static const struct {
    const char *text, *want; /* fields joined by |, rows by / */
  } cases[] = {
      {"a,b\n1,2\n", "a|b/1|2"},
      {"\xEF\xBB\xBF"
       "a;b\r\n\"x;\"\"y\";2",
       "a|b/x;\"y|2"},
      {"a\tb\r\rc\t", "a|b/c|"},
      {"\"line\nbreak\",ñ\n\n\nlast", "line\nbreak|ñ/last"},
      {"\"a\"\"b\",\"c\"\"d\"", "a\"b|c\"d"},
      {"n\"m,\"s\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\"y\","
       "\"t\"\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
       "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"",
       "n\"m|s\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"y|"
       "t\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
       "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"}, /* a quote
                                                                                                           within a
                                                                                                           field opens
                                                                                                           nothing */
      {"", ""},
      {"\"open", "!csv.quote.open"},
      {"\"a\"b", "!csv.quote.stray"},
      {"a\xFF", "!csv.utf8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_csv *reader = cq_csv_new(cq_str_from(cases[i].text), 0);
    cq_buf got = {0};
    cq_buf_add_text(&got, "");
    for (int row = 0;; row++) {
      const cq_str *fields;
      size_t count;
      cq_error error;
      cq_error_clear(&error);
      if (cq_csv_next(reader, &fields, &count, &error) != CQ_OK) {
        cq_buf_reset(&got);
        cq_buf_addf(&got, "!%s", error.code);
        assert_true(error.line >= 1);
        break;
      }
      if (count == 0) break;
      if (row) cq_buf_add_char(&got, '/');
      for (size_t k = 0; k < count; k++) {
        if (k) cq_buf_add_char(&got, '|');
        cq_buf_add_str(&got, fields[k]);
      }
    }
    assert_string_equal(got.at, cases[i].want);
    cq_buf_fini(&got);
    cq_csv_free(reader);
  }
  cq_buf out = {0};
  static const char *const fields[] = {"050101", "a,b", "=1+1", "-3.5", "-a", "di \"no\""};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    cq_csv_add_field(&out, i == 0, cq_str_from(fields[i]), true);
  cq_csv_end_row(&out);
  assert_string_equal(out.at, "050101,\"a,b\",\"'=1+1\",-3.5,\"'-a\",\"di \"\"no\"\"\"\r\n");
  cq_buf_fini(&out);
}

static void files(void **state) {
  (void)state;
  char folder[] = "/tmp/chasqui-base-XXXXXX";
  assert_non_null(mkdtemp(folder));
  cq_buf path = {0}, read = {0};
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_file_path(&path, folder, "a/b/c", NULL), CQ_OK);
  assert_int_equal(cq_file_make_folder(path.at, &error), CQ_OK);
  assert_int_equal(cq_file_make_folder(path.at, &error), CQ_OK);
  cq_buf_add_text(&path, "/file");
  assert_int_equal(cq_file_read(path.at, 10, &read, &error), CQ_NOTFOUND);
  assert_string_equal(error.code, "io.open");
  assert_int_equal(cq_file_replace(path.at, "uno", 3, 0600, false, &error), CQ_OK);
  assert_int_equal(cq_file_replace(path.at, "dos", 3, 0600, true, &error), CQ_REFUSED);
  assert_int_equal(cq_file_read(path.at, 10, &read, &error), CQ_OK);
  assert_string_equal(read.at, "uno");
  assert_int_equal(cq_file_replace(path.at, "tres", 4, 0600, false, &error), CQ_OK);
  assert_int_equal(cq_file_read(path.at, 3, &read, &error), CQ_LIMIT);
  assert_int_equal(cq_file_read(path.at, 4, &read, &error), CQ_OK);
  assert_string_equal(read.at, "tres");
  assert_int_equal(cq_file_make_folder(path.at, &error), CQ_IO);
  assert_int_equal(cq_file_read(folder, 10, &read, &error), CQ_INVALID);
  assert_int_equal(cq_file_remove(path.at, &error), CQ_OK);
  assert_int_equal(cq_file_remove(path.at, &error), CQ_OK);
  assert_true(cq_file_free_bytes(folder) > 0);
  cq_buf_reset(&path);
  cq_buf_addf(&path, "rm -rf '%s'", folder);
  assert_int_equal(system(path.at), 0);
  cq_buf_fini(&path);
  cq_buf_fini(&read);
}

static void log_hides_nothing_in_a_line_break(void **state) {
  (void)state;
  FILE *file = tmpfile();
  assert_non_null(file);
  cq_clock_fixed at = {0, 0};
  cq_clock clock = cq_clock_fix(&at);
  cq_log *log = cq_log_new(fileno(file), CQ_LOG_INFO, &clock);
  cq_log_event(log, CQ_LOG_INFO, "batch.kept", "a\nb", "c", NULL);
  cq_log_event(log, CQ_LOG_DEBUG, "not.this", NULL);
  cq_log_event(NULL, CQ_LOG_ERROR, "nobody", NULL);
  cq_log_free(log);
  char line[200] = "";
  rewind(file);
  assert_non_null(fgets(line, sizeof line, file));
  assert_string_equal(line, "1970-01-01T00:00:00.000Z info batch.kept a\\x0Ab c\n");
  assert_null(fgets(line, sizeof line, file));
  fclose(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(error_is_cut_at_a_code_point),
      cmocka_unit_test(integers),
      cmocka_unit_test(utf8),
      cmocka_unit_test(buffer),
      cmocka_unit_test(arena),
      cmocka_unit_test(dates),
      cmocka_unit_test(csv),
      cmocka_unit_test(csv_rows),
      cmocka_unit_test(files),
      cmocka_unit_test(log_hides_nothing_in_a_line_break),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
