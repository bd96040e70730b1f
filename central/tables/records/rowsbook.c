/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a form as a workbook: questions as they are asked stand above the names of the columns, and the last
 * sheet says what the others are. */
#include "central/merge/programme.h"
#include "central/tables/folio/folio.h"
#include "central/tables/records/files.h"
#include "central/tables/survey/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 8, SHEET_NAME = 31, LEAST_WIDTH = 8, MOST_WIDTH = 40, EXCEL_FIRST_YEAR = 1901, NOTES_WIDTH = 110 };
enum { LABELS, NAMES, FIRST }; /* rows of a sheet */

typedef struct book {
  cq_rows *rows;
  cq_folio made;
  lxw_worksheet **sheets;
  lxw_row_t *next;
  size_t *high;     /* lines of the labels */
  bool **words;     /* of each table's columns: calculations with a result that is no plain number */
  uint8_t **widths; /* of each table's columns, in signs */
  lxw_format *day;
  size_t *cut, records, unreadable;
} book;

static void widen(book *b, size_t table, size_t column, cq_str text) {
  size_t length = cq_utf8_length(text);
  if (length > MOST_WIDTH) length = MOST_WIDTH;
  if (length > b->widths[table][column]) b->widths[table][column] = (uint8_t)length;
}

/* A day of the calendar as a spreadsheet counts them. What is no whole day, or before its reckoning, stays text. */
static bool put_day(book *b, lxw_worksheet *sheet, lxw_row_t row, size_t column, cq_str text) {
  cq_date date;
  if (!cq_date_parse(text, &date) || date.year < EXCEL_FIRST_YEAR) return false;
  lxw_datetime day = {0};
  day.year = date.year;
  day.month = (uint8_t)date.month;
  day.day = (uint8_t)date.day;
  return worksheet_write_datetime(sheet, row, (lxw_col_t)column, &day, b->day) == LXW_NO_ERROR;
}

static cq_status measure(void *context, size_t table, const cq_str *cells, cq_error *error) {
  book *b = context;
  double value;
  (void)error;
  for (size_t c = 0; c < cq_rows_table_at(b->rows, table)->count; c++)
    if (cells[c].size && !cq_data_plain_number(cells[c], &value)) b->words[table][c] = true;
  return CQ_OK;
}

static cq_status put_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  book *b = context;
  const cq_rows_table *t = cq_rows_table_at(b->rows, table);
  lxw_row_t row = b->next[table];
  if (row >= LXW_ROW_MAX) return cq_error_set(error, CQ_LIMIT, "desk.form.rows", NULL);
  b->next[table]++;
  for (size_t c = 0; c < t->count && c < LXW_COL_MAX; c++) {
    const cq_field *field = t->columns[c].is_label ? NULL : t->columns[c].field;
    bool number = field && (field->type == CQ_TYPE_INT || field->type == CQ_TYPE_DECIMAL ||
                            (cq_rows_may_be_number(&t->columns[c]) && !b->words[table][c]));
    bool day = field ? field->type == CQ_TYPE_DATE : cq_str_is(t->columns[c].name, "working_date");
    double value;
    if (!cells[c].size) continue;
    cq_str text = cq_rows_word(&t->columns[c], cells[c]);
    widen(b, table, c, text);
    if (day && put_day(b, b->sheets[table], row, c, text)) continue;
    if (number && cq_data_number(text, &value))
      worksheet_write_number(b->sheets[table], row, (lxw_col_t)c, value, NULL);
    else
      *b->cut += cq_folio_put(b->sheets[table], row, c, text, NULL);
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

static cq_status put_heads(book *b, size_t t, cq_error *error) {
  const cq_rows_table *table = cq_rows_table_at(b->rows, t);
  cq_status status = CQ_OK;
  for (size_t c = 0; status == CQ_OK && c < table->count && c < LXW_COL_MAX; c++) {
    cq_buf label = {0};
    status = cq_rows_label(b->rows, &table->columns[c], &label, error);
    widen(b, t, c, table->columns[c].name);
    size_t wide = table->columns[c].name.size < LEAST_WIDTH ? LEAST_WIDTH : table->columns[c].name.size;
    size_t lines = cq_folio_rows(cq_buf_str(&label), (double)wide); /* values may make it wider, and the row too high */
    if (lines > b->high[t]) b->high[t] = lines < MOST_LINES ? lines : MOST_LINES;
    if (status == CQ_OK) cq_folio_put(b->sheets[t], LABELS, c, cq_buf_str(&label), b->made.label);
    cq_folio_put(b->sheets[t], NAMES, c, table->columns[c].name, b->made.head);
    cq_buf_fini(&label);
  }
  return status;
}

static cq_status fill(book *b, cq_error *error) {
  cq_status status = CQ_OK;
  if (!(b->day = workbook_add_format(b->made.workbook))) return cq_error_nomem(error);
  format_set_num_format(b->day, "yyyy-mm-dd");
  format_set_align(b->day, LXW_ALIGN_LEFT);
  for (size_t t = 0; status == CQ_OK && t < cq_rows_tables(b->rows); t++) {
    const cq_rows_table *table = cq_rows_table_at(b->rows, t);
    char name[SHEET_NAME * 4 + 1];
    sheet_name(name, table, t);
    status = cq_folio_sheet(&b->made, name, &b->sheets[t], error);
    b->widths[t] = calloc(table->count + 1, sizeof **b->widths);
    b->words[t] = calloc(table->count + 1, sizeof **b->words);
    if (status == CQ_OK && (!b->widths[t] || !b->words[t])) status = cq_error_nomem(error);
    if (status == CQ_OK) status = put_heads(b, t, error);
    b->next[t] = FIRST;
  }
  if (status == CQ_OK) status = cq_rows_read(b->rows, measure, b, &b->records, &b->unreadable, error);
  return status == CQ_OK ? cq_rows_read(b->rows, put_row, b, &b->records, &b->unreadable, error) : status;
}

/* Columns as wide as what stands in them, and heads to filter by. */
static void lay_out(const book *b) {
  for (size_t t = 0; t < cq_rows_tables(b->rows); t++) {
    const cq_rows_table *table = cq_rows_table_at(b->rows, t);
    size_t count = table->count < LXW_COL_MAX ? table->count : LXW_COL_MAX;
    if (!count) continue;
    for (size_t c = 0; c < count; c++) {
      uint8_t width = b->widths[t][c] < LEAST_WIDTH ? LEAST_WIDTH : b->widths[t][c];
      worksheet_set_column(b->sheets[t], (lxw_col_t)c, (lxw_col_t)c, width + 1.5, NULL);
    }
    cq_folio_height(b->sheets[t], LABELS, b->high[t]);
    worksheet_autofilter(b->sheets[t], NAMES, 0, b->next[t] - 1, (lxw_col_t)(count - 1));
    worksheet_freeze_panes(b->sheets[t], FIRST, 1);
    worksheet_repeat_rows(b->sheets[t], LABELS, NAMES);
    worksheet_fit_to_pages(b->sheets[t], 0, 0); /* hundreds of columns on one page cannot be read */
  }
}

static cq_status put_notes(book *b, cq_str programme, cq_error *error) {
  char date[11];
  cq_buf about = {0}, lines = {0};
  lxw_worksheet *sheet;
  cq_status status = cq_folio_sheet(&b->made, _("(notes)"), &sheet, error);
  if (status != CQ_OK) return status;
  cq_date_format(cq_date_at(&cq_clock_system, cq_desk_now()), date);
  cq_buf_addf(&about, _("as at %s"), date);
  cq_buf_addf(&lines, _("records: %zu\n"), b->records);
  if (b->unreadable) cq_buf_addf(&lines, _("records of a form that is not known here: %zu\n"), b->unreadable);
  if (cq_rows_left_out(b->rows))
    cq_buf_addf(&lines, _("columns that identify people, left out here: %zu\n"), cq_rows_left_out(b->rows));
  if (cq_rows_tables(b->rows) > 1)
    cq_buf_addf(
        &lines, "%s\n",
        _("The rows of a list stand in a sheet of their own: its PARENT_KEY is the KEY of the row they belong to."));
  cq_buf_addf(&lines, "%s\n", _("0 is a true nought. A blank was not asked, or has no answer."));
  cq_buf_addf(
      &lines, "%s\n",
      _("Where a column NAME_missing says ns, NAME is not known; nr, it was not answered; na, it does not apply."));
  lxw_row_t row = cq_folio_title(&b->made, sheet, programme, cq_rows_title(b->rows), cq_buf_str(&about));
  cq_folio_lines(&b->made, sheet, row, cq_buf_str(&lines));
  worksheet_set_column(sheet, 0, 0, NOTES_WIDTH, NULL);
  if (about.failed || lines.failed) status = cq_error_nomem(error);
  cq_buf_fini(&about);
  cq_buf_fini(&lines);
  return status;
}

cq_status cq_workbook_write(cq_rows *rows, cq_desk *desk, const char *folder, const char *language, size_t *cut,
                            cq_error *error) {
  cq_buf path = {0}, programme = {0};
  book b = {.rows = rows, .cut = cut};
  size_t tables = cq_rows_tables(rows);
  b.sheets = calloc(tables, sizeof *b.sheets);
  b.next = calloc(tables, sizeof *b.next);
  b.high = calloc(tables, sizeof *b.high);
  b.widths = calloc(tables, sizeof *b.widths);
  b.words = calloc(tables, sizeof *b.words);
  cq_status status = cq_table_file(&path, desk, cq_rows_table_at(rows, 0), folder, ".xlsx", error);
  if (status == CQ_OK) status = cq_desk_title(&programme, desk, language, error);
  if (status == CQ_OK && (!b.sheets || !b.next || !b.high || !b.widths || !b.words)) status = cq_error_nomem(error);
  if (status == CQ_OK) {
    status = cq_folio_begin(&b.made, path.at, desk->mode == CQ_MODE_PRACTICE, error);
    if (status == CQ_OK) status = fill(&b, error);
    if (status == CQ_OK) status = put_notes(&b, cq_buf_str(&programme), error);
    if (status == CQ_OK) lay_out(&b);
    status = cq_folio_end(&b.made, status, error);
  }
  for (size_t t = 0; t < tables; t++) {
    if (b.widths) free(b.widths[t]);
    if (b.words) free(b.words[t]);
  }
  free(b.widths);
  free(b.words);
  free(b.sheets);
  free(b.next);
  free(b.high);
  cq_buf_fini(&path);
  cq_buf_fini(&programme);
  return status;
}
