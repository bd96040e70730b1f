/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of indicators and prices in workbooks. */
#include "central/merge/compose.h"
#include "central/tables/folio/folio.h"
#include "central/tables/survey/data.h"
#include "chasqui/file.h"
#include "tests/central/seasons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A CSV with semicolons as a workbook: days and numbers as such, in the sheet of that name beside another. */
static void write_workbook(const char *folder, const char *name, const char *sheet_name, const char *text) {
  cq_folio book;
  lxw_worksheet *sheet, *other;
  char path[700], cell[600];
  size_t row = 0, column = 0, size = 0;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  test_must(cq_folio_begin(&book, path, false, NULL), NULL);
  test_must(cq_folio_sheet(&book, "otra", &other, NULL), NULL);
  test_must(cq_folio_sheet(&book, sheet_name, &sheet, NULL), NULL);
  lxw_format *day = workbook_add_format(book.workbook);
  format_set_num_format(day, "yyyy-mm-dd");
  for (const char *at = text; *at; at++) {
    if (*at != ';' && *at != '\n') {
      cell[size++] = *at;
      continue;
    }
    double value;
    cq_date date;
    cell[size] = '\0';
    if (cq_date_parse(cq_str_from(cell), &date)) {
      lxw_datetime of = {.year = date.year, .month = date.month, .day = date.day};
      worksheet_write_datetime(sheet, (lxw_row_t)row, (lxw_col_t)column, &of, day);
    } else if (cq_data_number(cq_str_from(cell), &value)) {
      worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)column, value, NULL);
    } else if (size) {
      worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, cell, NULL);
    }
    size = 0;
    column = *at == ';' ? column + 1 : 0;
    row += *at == '\n';
  }
  test_must(cq_folio_end(&book, CQ_OK, NULL), NULL);
}

static void put_text_file(const char *folder, const char *name, const char *text) {
  char path[700];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(cq_file_replace(path, text, strlen(text), 0600, false, NULL), CQ_OK);
}

/* Definitions kept in a workbook are read as the CSV would be, with the same faults in the same cells. */
static void a_workbook_of_definitions(void **state) {
  (void)state;
  static const char right[] = "id;version;from;label::es;kind;form;numerator;threshold;source\n"
                              ";;;;;;;;\n"
                              "alto;1;2012-08-01;Ingreso alto;proportion;f;ingreso > threshold;48;registro\n",
                    wrong[] = "id;version;from;label::es;kind;form;numerator;threshold;source\n"
                              ";;;;;;;;\n"
                              "alto;0;2012-08-01;Ingreso alto;maen;f;ingreso > threshold;48;registro\n"
                              "Dos;1;agosto;Dos;mean;f;nadie;;registo\n",
                    prices[] = "month;index;source\n2012-08-01;107.6;a\n2012-09-01;108;b\n",
                    json[] =
                        "{\"code\":\"d\",\"title\":\"D\",\"forms\":[\"f.xml\"],\"lists\":[],\"indicators\":\"i.%s\","
                        "\"prices\":\"p.%s\"}";
  static const char *const kinds[] = {"csv", "xlsx"};
  char folder[500], text[400], arguments[900];
  cq_composed made[2];
  cJSON *faults[2];
  int status;
  snprintf(folder, sizeof folder, "%s/definitions-%d", getenv("CHASQUI_TEST_TMP"), (int)getpid());
  assert_int_equal(cq_file_make_folder(folder, NULL), CQ_OK);
  put_text_file(folder, "f.xml", form_xml);
  put_text_file(folder, "p.csv", prices);
  write_workbook(folder, "p.xlsx", "precios", prices);
  for (int k = 0; k < 2; k++) {
    cq_error error;
    cq_error_clear(&error);
    snprintf(text, sizeof text, json, kinds[k], kinds[k]);
    put_text_file(folder, "programme.json", text);
    put_text_file(folder, "i.csv", wrong);
    write_workbook(folder, "i.xlsx", "indicadores", wrong);
    snprintf(arguments, sizeof arguments, "indicators check %s", folder);
    faults[k] = run(NULL, arguments, &status);
    assert_int_equal(status, 1);
    put_text_file(folder, "i.csv", right);
    write_workbook(folder, "i.xlsx", "indicadores", right);
    test_must(cq_compose(&made[k], folder, CQ_STR(""), CQ_COST_LEAST, false, &error), &error);
  }
  const cJSON *a = cJSON_GetObjectItem(faults[0], "faults"), *b = cJSON_GetObjectItem(faults[1], "faults");
  assert_int_equal(cJSON_GetArraySize(a), 6);
  assert_int_equal(cJSON_GetArraySize(b), 6);
  for (int i = 0; i < 6; i++) {
    cJSON *of = cJSON_GetArrayItem(b, i);
    assert_string_equal(cJSON_GetObjectItem(of, "sheet")->valuestring, "indicadores");
    cJSON_DeleteItemFromObject(of, "sheet");
    if (!cJSON_Compare(cJSON_GetArrayItem(a, i), of, true)) fail_msg("%s", said);
  }
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(b, 0), "cell")->valuestring, "E3");
  assert_int_equal(made[1].indicators.count, 1);
  assert_true(cq_str_equal(made[0].indicators.items[0].text, made[1].indicators.items[0].text));
  cq_prices *read = calloc(2, sizeof *read);
  for (int k = 0; k < 2; k++) {
    assert_int_equal(made[k].file_count, 2);
    assert_true(cq_str_is(made[k].files[1].name, "prices.csv"));
    assert_int_equal(cq_prices_read(&read[k], made[k].files[1].bytes, NULL), CQ_OK);
    cq_compose_fini(&made[k]);
    cJSON_Delete(faults[k]);
  }
  assert_int_equal(read[1].count, 2);
  assert_memory_equal(&read[0], &read[1], sizeof read[0]);
  free(read);
  /* which sheet is not known */
  write_workbook(folder, "i.xlsx", "hoja", right);
  cJSON *json_said = run(NULL, arguments, &status);
  assert_int_equal(status, 1);
  assert_non_null(strstr(said, "xlsx.sheet.none"));
  cJSON_Delete(json_said);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_workbook_of_definitions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
