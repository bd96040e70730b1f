/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of .xlsx (tests/forms/xlsx/cells.txt), .xls and .csv, and what is refused. */
#include "chasqui/file.h"
#include "chasqui/xlsform.h"
#include "forms/xlsx/styles.h"
#include "forms/xlsx/workbook.h"
#include "tests/forms/xlsx/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/forms/xlsx"

static bool all(cq_str name) {
  (void)name;
  return true;
}

/* "A1 text", a line for each cell of the first sheet that was read. */
static void describe(const cq_workbook *book, cq_buf *out) {
  for (size_t s = 0; s < book->count; s++) {
    for (size_t r = 0; r < book->sheets[s].count; r++) {
      const cq_row *row = &book->sheets[s].rows[r];
      for (uint32_t c = 0; c < row->count; c++) {
        char letters[8] = {0};
        size_t count = 0;
        for (int64_t n = (int64_t)row->cells[c].column + 1; n > 0; n = (n - 1) / 26) {
          memmove(letters + 1, letters, count++);
          letters[0] = (char)('A' + (n - 1) % 26);
        }
        cq_buf_addf(out, "%s%u ", letters, row->number);
        for (size_t i = 0; i < row->cells[c].text.size; i++) {
          char ch = row->cells[c].text.at[i];
          if (ch == '\n')
            cq_buf_add_text(out, "\\n");
          else
            cq_buf_add_char(out, ch);
        }
        cq_buf_add_char(out, '\n');
      }
    }
  }
}

typedef struct test_case {
  cq_buf name, sheet, strings, wanted, code;
} test_case;

static void end_case(test_case *c) {
  cq_buf *all_of[] = {&c->name, &c->sheet, &c->strings, &c->wanted, &c->code};
  for (size_t i = 0; i < 5; i++) cq_buf_fini(all_of[i]);
}

static size_t run_case(test_case *c) {
  cq_buf sheet = {0}, strings = {0}, packed = {0}, got = {0};
  cq_buf_addf(&sheet, "<worksheet><sheetData>%s</sheetData></worksheet>", c->sheet.at ? c->sheet.at : "");
  cq_buf_addf(&strings, "<sst>%s</sst>", c->strings.at ? c->strings.at : "");
  const pack_part parts[] = {{"_rels/.rels", cq_str_from(pack_rels)},
                             {"xl/workbook.xml", cq_str_from(pack_book)},
                             {"xl/_rels/workbook.xml.rels", cq_str_from(pack_book_rels)},
                             {"xl/styles.xml", cq_str_from(pack_styles)},
                             {"xl/sharedStrings.xml", cq_buf_str(&strings)},
                             {"xl/worksheets/sheet1.xml", cq_buf_str(&sheet)}};
  assert_true(pack(parts, sizeof parts / sizeof *parts, &packed));
  cq_workbook *book = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_workbook_read(&book, packed.at, packed.size, all, &error);
  if (status == CQ_OK) describe(book, &got);
  const char *code = status == CQ_OK ? "" : error.code;
  bool same = strcmp(code, c->code.at ? c->code.at : "") == 0 && cq_str_equal(cq_buf_str(&got), cq_buf_str(&c->wanted));
  if (!same) {
    print_error("%s: wanted %s\n%sgot %s\n%s", c->name.at, c->code.at ? c->code.at : "",
                c->wanted.at ? c->wanted.at : "", code, got.at ? got.at : "");
  }
  cq_workbook_free(book);
  cq_buf_fini(&sheet);
  cq_buf_fini(&strings);
  cq_buf_fini(&packed);
  cq_buf_fini(&got);
  return same ? 0 : 1;
}

static void cells(void **state) {
  (void)state;
  cq_buf text = {0};
  assert_int_equal(cq_file_read(FOLDER "/cells.txt", 1 << 20, &text, NULL), CQ_OK);
  test_case c = {{0}, {0}, {0}, {0}, {0}};
  size_t failed = 0, count = 0;
  for (char *line = strtok(text.at, "\n"); line; line = strtok(NULL, "\n")) {
    const char *rest = strlen(line) > 2 ? line + 2 : "";
    if (strncmp(line, "== ", 3) == 0) {
      if (c.name.size) failed += run_case(&c), count++;
      end_case(&c);
      cq_buf_add_text(&c.name, line + 3);
    } else if (line[0] == '+') {
      cq_buf_add_text(&c.sheet, rest);
    } else if (line[0] == 's') {
      cq_buf_add_text(&c.strings, rest);
    } else if (line[0] == '=') {
      cq_buf_addf(&c.wanted, "%s\n", rest);
    } else if (line[0] == '!') {
      cq_buf_add_text(&c.code, rest);
    }
  }
  failed += run_case(&c), count++;
  end_case(&c);
  cq_buf_fini(&text);
  assert_true(count >= 9);
  assert_int_equal(failed, 0);
}

static void old_workbook(void **state) {
  (void)state;
  cq_workbook *book = NULL;
  cq_buf got = {0}, bytes = {0};
  assert_int_equal(cq_workbook_open(&book, FOLDER "/seeds/book/ficha.xls", all, NULL), CQ_OK);
  describe(book, &got);
  const char *wanted =
      "A1 type\nB1 name\nC1 label\nD1 required\nE1 default\nA2 integer\nB2 edad\nC2 ¿Qué edad tiene?\nD2 1\n"
      "E2 42\nA3 date\nB3 fecha\nC3 Fecha “hoy”\nE3 2012-08-20\nA1 form_id\nA2 ficha\n";
  assert_string_equal(got.at, wanted);
  cq_workbook_free(book);
  /* the same from memory */
  assert_int_equal(cq_file_read(FOLDER "/seeds/book/ficha.xls", 1 << 20, &bytes, NULL), CQ_OK);
  assert_int_equal(cq_workbook_read(&book, bytes.at, bytes.size, all, NULL), CQ_OK);
  cq_buf_reset(&got);
  describe(book, &got);
  assert_string_equal(got.at, wanted);
  cq_workbook_free(book);
  cq_buf_fini(&got);
  cq_buf_fini(&bytes);
}

static void refused(const void *bytes, size_t size, const char *code) {
  cq_workbook *book = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_not_equal(cq_workbook_read(&book, bytes, size, all, &error), CQ_OK);
  assert_null(book);
  assert_string_equal(error.code, code);
}

static void damaged(void **state) {
  (void)state;
  refused("PK\x03\x04 no zip", 11, "xlsx.damaged");
  refused("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 no workbook at all", 26, "xls.damaged");
  refused("\x00\x01\x02", 3, "xlsx.notworkbook");
  refused("a,\"b\n", 5, "csv.quote.open");
  cq_buf packed = {0};
  const pack_part part = {"hola.txt", CQ_STR("hola")};
  assert_true(pack(&part, 1, &packed));
  refused(packed.at, packed.size, "xlsx.notworkbook");
  cq_buf_fini(&packed);
}

/* hostile.xls lies about a length, and the library that reads it goes astray: we only hear that it is damaged. */
static void hostile(void **state) {
  (void)state;
  cq_workbook *book = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_workbook_open(&book, FOLDER "/hostile.xls", all, &error);
  assert_true(status == CQ_OK || strcmp(error.code, "xls.damaged") == 0);
  cq_workbook_free(book);
}

/* A part that unpacks to far more than it weighs is given up long before it is whole. */
static void bomb(void **state) {
  (void)state;
  cq_buf sheet = {0}, packed = {0};
  cq_buf_add_text(&sheet, "<worksheet><sheetData>");
  for (int i = 0; i < 300000; i++)
    cq_buf_add_text(&sheet, "<row><c t=\"str\"><v>aaaaaaaaaaaaaaaaaaaaaaaa</v></c></row>");
  cq_buf_add_text(&sheet, "</sheetData></worksheet>");
  const pack_part parts[] = {{"xl/workbook.xml", cq_str_from(pack_book)},
                             {"xl/_rels/workbook.xml.rels", cq_str_from(pack_book_rels)},
                             {"xl/worksheets/sheet1.xml", cq_buf_str(&sheet)}};
  assert_true(pack(parts, 3, &packed));
  assert_true(sheet.size / packed.size > CQ_XLSFORM_MAX_RATIO);
  refused(packed.at, packed.size, "xlsform.limit.part");
  cq_buf_fini(&sheet);
  cq_buf_fini(&packed);
}

static void formats(void **state) {
  (void)state;
  static const char *const dates[] = {"dd/mm/yyyy", "yyyy-mm-dd", "hh:mm:ss", "[h]:mm", "[$-280A]d \"de\" mmmm",
                                      "mmm-yy"};
  static const char *const numbers[] = {"General", "0.00", "#,##0", "\"día\" 0", "[Red]0",
                                        "0%",      "@",    "\\d0",  "_-* #,##0"};
  for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) assert_true(cq_format_is_date(dates[i]));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) assert_false(cq_format_is_date(numbers[i]));
}

static void folder(void **state) {
  (void)state;
  cq_workbook *book = NULL;
  cq_buf got = {0};
  assert_int_equal(cq_workbook_open(&book, FOLDER "/ficha", all, NULL), CQ_OK);
  assert_int_equal(book->count, 2);
  assert_true(cq_str_is(book->sheets[0].name, "choices") && cq_str_is(book->sheets[1].name, "survey"));
  describe(book, &got);
  assert_non_null(strstr(got.at, "C2 Sí, \"claro\"\n"));
  assert_int_equal(book->sheets[1].count, 2);
  assert_int_equal(book->sheets[1].rows[1].number, 4); /* blank lines count, as a spreadsheet shows them */
  cq_workbook_free(book);
  cq_buf_fini(&got);
}

static void list(void **state) {
  (void)state;
  const char *const paths[] = {FOLDER "/ficha/survey.csv", FOLDER "/ficha/choices.csv"};
  const char *const mixed[] = {FOLDER "/ficha/survey.csv", FOLDER "/seeds/book/minima.xlsx"};
  cq_workbook *book = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_workbook_open_list(&book, paths, 2, all, NULL), CQ_OK);
  assert_true(book->count == 2 && cq_str_is(book->sheets[0].name, "survey") && book->sheets[1].count == 3);
  cq_workbook_free(book);
  assert_int_equal(cq_workbook_open_list(&book, mixed, 2, all, &error), CQ_INVALID);
  assert_string_equal(error.code, "xlsx.notlisted");
  assert_non_null(strstr(error.file, "minima.xlsx"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells),   cmocka_unit_test(old_workbook), cmocka_unit_test(damaged), cmocka_unit_test(bomb),
      cmocka_unit_test(hostile), cmocka_unit_test(formats),      cmocka_unit_test(folder),  cmocka_unit_test(list)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
