/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells of a workbook as text, whatever it came in: .xlsx, .xls, a folder
 * of .csv. Numbers stand as a person would write them, dates as ISO 8601,
 * booleans as TRUE and FALSE. Limits: CQ_XLSFORM_MAX_… (chasqui/xlsform.h).
 */
#ifndef CHASQUI_FORMS_XLSX_WORKBOOK_H
#define CHASQUI_FORMS_XLSX_WORKBOOK_H

#include "chasqui/arena.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

typedef struct cq_cell {
  uint32_t column; /* from 0 */
  uint32_t order;  /* in which the row gave it */
  cq_str text;     /* never empty; white space at both ends is gone */
} cq_cell;

typedef struct cq_row {
  uint32_t number; /* from 1, as the spreadsheet shows it */
  uint32_t count;
  const cq_cell *cells; /* by column */
} cq_row;

typedef struct cq_sheet {
  cq_str name;
  bool read; /* false: only its name is known */
  size_t count;
  cq_row *rows; /* by number; rows without a cell are left out */
} cq_sheet;

typedef struct cq_workbook {
  cq_arena *arena; /* holds all of it */
  size_t count;
  cq_sheet *sheets;
} cq_workbook;

/* Which sheets to read; the only sheet of a workbook is read whatever it is called. */
typedef bool cq_sheet_wanted(cq_str name);

/* The caller frees *book with cq_workbook_free. Errors: io.*, csv.*, and those in cli/messages/xlsform.c that begin
 * with "xlsx.", "xls." and "xlsform.limit.". */
cq_status cq_workbook_open(cq_workbook **book, const char *path, cq_sheet_wanted *wanted, cq_error *error);
/* Several .csv, each a sheet by its file's name. */
cq_status cq_workbook_open_list(cq_workbook **book, const char *const *paths, size_t count, cq_sheet_wanted *wanted,
                                cq_error *error);
cq_status cq_workbook_read(cq_workbook **book, const void *bytes, size_t size, cq_sheet_wanted *wanted,
                           cq_error *error);
void cq_workbook_free(cq_workbook *book); /* NULL is fine */

const cq_sheet *cq_workbook_sheet(const cq_workbook *book, const char *name); /* NULL: none of that name */

#endif
