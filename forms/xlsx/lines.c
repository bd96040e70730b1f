/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet as CSV. */
#include "chasqui/csv.h"
#include "chasqui/xlsform.h"
#include "forms/xlsx/workbook.h"

#include <stdio.h>
#include <string.h>

static bool is_workbook(const cq_buf *bytes) {
  static const char zip[] = {'P', 'K', 3, 4}, ole[] = {'\xD0', '\xCF', '\x11', '\xE0'};
  return bytes->size > 4 && (memcmp(bytes->at, zip, 4) == 0 || memcmp(bytes->at, ole, 4) == 0);
}

/* On one line, so that lines go on counting rows. */
static void add_field(cq_buf *out, bool first, cq_str text) {
  cq_buf flat = {0};
  for (size_t i = 0; i < text.size; i++)
    cq_buf_add_char(&flat, text.at[i] == '\n' || text.at[i] == '\r' ? ' ' : text.at[i]);
  cq_csv_add_field(out, first, cq_buf_str(&flat), false);
  out->failed = out->failed || flat.failed;
  cq_buf_fini(&flat);
}

static void add_row(cq_buf *out, const cq_row *row) {
  uint32_t column = 0;
  for (uint32_t i = 0; row && i < row->count; i++) {
    for (; column < row->cells[i].column; column++) cq_csv_add_field(out, column == 0, CQ_STR(""), false);
    add_field(out, column++ == 0, row->cells[i].text);
  }
  for (; column < 2; column++) cq_csv_add_field(out, column == 0, CQ_STR(""), false); /* a blank line would be no row */
  cq_csv_end_row(out);
}

static bool any_sheet(cq_str name) {
  (void)name;
  return true;
}

/* The first sheet that bears one of the names, or the only one. */
static const cq_sheet *choose(const cq_workbook *book, const char *const *names) {
  for (const char *const *name = names; *name; name++) {
    const cq_sheet *of = cq_workbook_sheet(book, *name);
    if (of) return of;
  }
  return book->count == 1 ? &book->sheets[0] : NULL;
}

static void add_rows(cq_buf *out, const cq_sheet *of) {
  uint32_t line = 1;
  for (size_t r = 0; r < of->count && out->size <= CQ_XLSFORM_MAX_FILE; r++, line++) {
    for (; line < of->rows[r].number && !out->failed; line++) add_row(out, NULL);
    add_row(out, &of->rows[r]);
  }
}

cq_status cq_spreadsheet_csv(cq_buf *bytes, char sheet[CQ_ERROR_ARG_SIZE], const char *const *names, cq_error *error) {
  cq_workbook *book = NULL;
  const cq_sheet *of = NULL;
  cq_buf csv = {0};
  sheet[0] = '\0';
  if (!is_workbook(bytes)) return CQ_OK;
  cq_status status = cq_workbook_read(&book, bytes->at, bytes->size, any_sheet, error);
  if (status == CQ_OK && !(of = choose(book, names)))
    status = cq_error_set(error, CQ_INVALID, "xlsx.sheet.none", names[0], NULL);
  if (of) {
    snprintf(sheet, CQ_ERROR_ARG_SIZE, "%.*s", (int)(of->name.size < 100 ? of->name.size : 100), of->name.at);
    add_rows(&csv, of);
    if (csv.failed) {
      status = cq_error_nomem(error);
    } else if (csv.size > CQ_XLSFORM_MAX_FILE) { /* cells far to the right make many commas */
      status = cq_error_set(error, CQ_LIMIT, "xlsform.limit.file", NULL);
    } else {
      cq_buf_fini(bytes);
      *bytes = csv;
      csv = (cq_buf){0};
    }
  }
  cq_buf_fini(&csv);
  cq_workbook_free(book);
  return status;
}
