/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every workbook for people shares: a title with programme and date, heads that stay in sight, sheets that fit the
 * page, PRACTICE on each of them, and a file that is there whole or not at all.
 */
#ifndef CENTRAL_TABLES_FOLIO_H
#define CENTRAL_TABLES_FOLIO_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>

#include <xlsxwriter.h>

typedef struct cq_folio {
  const char *path;
  cq_buf part;
  lxw_workbook *workbook;
  bool practice;
  lxw_format *title, *bold, *head, *number_head, *right, *note, *wrap, *label;
} cq_folio;

/* Borrows the path. The caller ends it with cq_folio_end, after an error too. */
cq_status cq_folio_begin(cq_folio *book, const char *path, bool practice, cq_error *error);
/* A sheet in landscape on A4, as wide as the page. */
cq_status cq_folio_sheet(cq_folio *book, const char *name, lxw_worksheet **sheet, cq_error *error);
/* Puts the file into its place where `status` is CQ_OK, else removes what was begun; answers `status` or what failed.
 */
cq_status cq_folio_end(cq_folio *book, cq_status status, cq_error *error);

/* A text of any length; what Excel's cell cannot hold is cut, which is answered by true. */
bool cq_folio_put(lxw_worksheet *sheet, size_t row, size_t column, cq_str text, lxw_format *format);
/* How many lines a text takes in a column of that width, broken between words; rows are made so high, for not every
 * program does it when it opens the file. */
size_t cq_folio_rows(cq_str text, double width);
/* Makes a row that many lines high. */
void cq_folio_height(lxw_worksheet *sheet, size_t row, size_t lines);
/* Programme, title and what it is about, below one another (those that are not ""), and PRACTICE. Answers the row that
 * is free after a blank one. */
lxw_row_t cq_folio_title(const cq_folio *book, lxw_worksheet *sheet, cq_str programme, cq_str title, cq_str about);
/* The sentences of `lines`, one a row. Answers the next row. */
lxw_row_t cq_folio_lines(const cq_folio *book, lxw_worksheet *sheet, lxw_row_t row, cq_str lines);
/* Rows up to `row`, and columns up to `columns`, stay in sight; the row is printed on every page. */
void cq_folio_heads(lxw_worksheet *sheet, lxw_row_t row, size_t columns);

#endif
