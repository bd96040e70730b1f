/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a form as a workbook. */
#include "central/tables/records/files.h"
#include "central/tables/survey/data.h"
#include "chasqui/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

enum { SHEET_NAME = 31, MAX_CELL = 32767, LEAST_WIDTH = 6, MOST_WIDTH = 40, EXCEL_FIRST_YEAR = 1901 };

typedef struct book {
  cq_rows *rows;
  lxw_workbook *workbook;
  lxw_worksheet **sheets;
  lxw_row_t *next;
  uint8_t **widths; /* of each table's columns, in signs */
  lxw_format *day;
  size_t *cut;
} book;

static void widen(book *b, size_t table, size_t column, cq_str text) {
  size_t length = cq_utf8_length(text);
  if (length > MOST_WIDTH) length = MOST_WIDTH;
  if (length > b->widths[table][column]) b->widths[table][column] = (uint8_t)length;
}

/* A day of the calendar as a spreadsheet counts them. What is no whole day, or before its reckoning, stays text. */
static bool put_day(book *b, lxw_worksheet *sheet, lxw_row_t row, size_t column, cq_str text) {
  cq_date date;
  if (!b->day || !cq_date_parse(text, &date) || date.year < EXCEL_FIRST_YEAR) return false;
  lxw_datetime day = {0};
  day.year = date.year;
  day.month = (uint8_t)date.month;
  day.day = (uint8_t)date.day;
  return worksheet_write_datetime(sheet, row, (lxw_col_t)column, &day, b->day) == LXW_NO_ERROR;
}

static void put_text(book *b, lxw_worksheet *sheet, lxw_row_t row, size_t column, cq_str text, lxw_format *format) {
  char *cell = malloc(text.size + 1);
  if (!cell) return;
  size_t size = text.size;
  if (size > MAX_CELL / 4) { /* code points are what the limit counts; four bytes is the longest of them */
    ++*b->cut;
    for (size = MAX_CELL / 4; size && ((unsigned char)text.at[size] & 0xC0) == 0x80;) size--;
  }
  if (size) memcpy(cell, text.at, size);
  cell[size] = '\0';
  worksheet_write_string(sheet, row, (lxw_col_t)column, cell, format);
  free(cell);
}

static cq_status put_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  book *b = context;
  const cq_rows_table *t = cq_rows_table_at(b->rows, table);
  lxw_row_t row = b->next[table];
  if (row >= LXW_ROW_MAX) return cq_error_set(error, CQ_LIMIT, "desk.form.rows", NULL);
  b->next[table]++;
  for (size_t c = 0; c < t->count && c < LXW_COL_MAX; c++) {
    const cq_field *field = t->columns[c].is_label ? NULL : t->columns[c].field;
    bool number = field && (field->type == CQ_TYPE_INT || field->type == CQ_TYPE_DECIMAL);
    bool day = field ? field->type == CQ_TYPE_DATE : cq_str_is(t->columns[c].name, "working_date");
    double value;
    if (!cells[c].size) continue;
    widen(b, table, c, cells[c]);
    if (day && put_day(b, b->sheets[table], row, c, cells[c])) continue;
    if (number && cq_data_number(cells[c], &value))
      worksheet_write_number(b->sheets[table], row, (lxw_col_t)c, value, NULL);
    else
      put_text(b, b->sheets[table], row, c, cells[c], NULL);
  }
  return CQ_OK;
}

/* At most 31 signs, none of []:*?/\, no name twice. */
static void sheet_name(char out[SHEET_NAME * 4 + 1], const cq_rows_table *t, size_t index) {
  size_t size = 0;
  for (size_t i = 0; i < t->name.size && size < SHEET_NAME - 5; i++) {
    char c = t->name.at[i];
    out[size++] = (unsigned char)c >= 0x80 || strchr("[]:*?/\\'", c) ? '_' : c;
  }
  out[size] = '\0';
  if (index && t->name.size > SHEET_NAME - 5) snprintf(out + size, 8, "_%u", (unsigned)(index % 1000));
}

static cq_status fill(book *b, const cq_desk *desk, cq_error *error) {
  size_t records, unreadable;
  lxw_format *bold = workbook_add_format(b->workbook);
  if (bold) format_set_bold(bold);
  if ((b->day = workbook_add_format(b->workbook))) format_set_num_format(b->day, "yyyy-mm-dd");
  for (size_t t = 0; t < cq_rows_tables(b->rows); t++) {
    const cq_rows_table *table = cq_rows_table_at(b->rows, t);
    char name[SHEET_NAME * 4 + 1];
    sheet_name(name, table, t);
    if (!(b->sheets[t] = workbook_add_worksheet(b->workbook, name)))
      return cq_error_set(error, CQ_INVALID, "desk.form.sheet", name, NULL);
    if (desk->mode == CQ_MODE_PRACTICE) worksheet_set_header(b->sheets[t], "&CPRACTICE");
    if (!(b->widths[t] = calloc(table->count + 1, 1))) return cq_error_nomem(error);
    for (size_t c = 0; c < table->count && c < LXW_COL_MAX; c++) {
      widen(b, t, c, table->columns[c].name);
      put_text(b, b->sheets[t], 0, c, table->columns[c].name, bold);
    }
    worksheet_freeze_panes(b->sheets[t], 1, 1);
    b->next[t] = 1;
  }
  return cq_rows_read(b->rows, put_row, b, &records, &unreadable, error);
}

/* Columns as wide as what stands in them, and heads to filter by. */
static void lay_out(const book *b) {
  for (size_t t = 0; t < cq_rows_tables(b->rows); t++) {
    size_t count = cq_rows_table_at(b->rows, t)->count;
    if (!b->sheets[t] || !b->widths[t] || !count) continue;
    for (size_t c = 0; c < count && c < LXW_COL_MAX; c++) {
      uint8_t width = b->widths[t][c] < LEAST_WIDTH ? LEAST_WIDTH : b->widths[t][c];
      worksheet_set_column(b->sheets[t], (lxw_col_t)c, (lxw_col_t)c, width + 1.5, NULL);
    }
    lxw_col_t last = (lxw_col_t)((count < LXW_COL_MAX ? count : LXW_COL_MAX) - 1);
    worksheet_autofilter(b->sheets[t], 0, 0, b->next[t] - 1, last);
  }
}

cq_status cq_workbook_write(cq_rows *rows, const cq_desk *desk, const char *folder, size_t *cut, cq_error *error) {
  cq_buf path = {0}, part = {0};
  book b = {.rows = rows, .cut = cut};
  b.sheets = calloc(cq_rows_tables(rows), sizeof *b.sheets);
  b.next = calloc(cq_rows_tables(rows), sizeof *b.next);
  b.widths = calloc(cq_rows_tables(rows), sizeof *b.widths);
  cq_status status = cq_table_file(&path, desk, cq_rows_table_at(rows, 0), folder, ".xlsx", error);
  cq_buf_add_str(&part, cq_buf_str(&path));
  cq_buf_add_text(&part, ".part");
  if (status == CQ_OK && (!b.sheets || !b.next || !b.widths || part.failed || !(b.workbook = workbook_new(part.at))))
    status = cq_error_nomem(error);
  if (status == CQ_OK) status = fill(&b, desk, error);
  if (status == CQ_OK) lay_out(&b);
  lxw_error code = b.workbook ? workbook_close(b.workbook) : LXW_NO_ERROR;
  if (status == CQ_OK && code != LXW_NO_ERROR)
    status = cq_error_set(error, CQ_IO, "io.write", path.at, lxw_strerror(code), NULL);
  if (status == CQ_OK && rename(part.at, path.at) != 0)
    status = cq_error_set(error, CQ_IO, "io.rename", path.at, "", NULL);
  if (status != CQ_OK && part.size) unlink(part.at);
  for (size_t t = 0; b.widths && t < cq_rows_tables(rows); t++) free(b.widths[t]);
  free(b.widths);
  free(b.sheets);
  free(b.next);
  cq_buf_fini(&path);
  cq_buf_fini(&part);
  return status;
}
