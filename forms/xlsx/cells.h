/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers rows and cells into a workbook, under the caps; shared by the readers of this folder. */
#ifndef CHASQUI_FORMS_XLSX_CELLS_H
#define CHASQUI_FORMS_XLSX_CELLS_H

#include "forms/xlsx/workbook.h"

typedef struct cq_cells {
  cq_workbook *book;
  cq_sheet *sheet; /* being filled */
  size_t row_room; /* rows allocated */
  cq_row *rows;    /* of the sheet, heap until it ends */
  cq_cell *line;   /* of the row, heap */
  size_t line_count, line_room;
  uint64_t total; /* cells of all sheets */
  uint32_t row;   /* being filled, from 1; 0: none */
} cq_cells;

cq_status cq_cells_init(cq_cells *cells, cq_error *error);
void cq_cells_fini(cq_cells *cells); /* and the workbook, unless it was taken */
cq_workbook *cq_cells_take(cq_cells *cells);

cq_status cq_cells_sheet(cq_cells *cells, cq_str name, cq_error *error); /* begins the next sheet */
cq_status cq_cells_row(cq_cells *cells, uint32_t number, cq_error *error);
/* A later cell of the same column replaces the earlier one. Text that is no UTF-8, or holds what XML cannot, is mended.
 */
cq_status cq_cells_add(cq_cells *cells, uint32_t column, cq_str text, cq_error *error);
cq_status cq_cells_end(cq_cells *cells, cq_error *error); /* ends the sheet */

/* The text of a number: shortest digits that give it back, no exponent where it is whole. */
void cq_cells_add_number(cq_buf *out, double value);
/* The text of a spreadsheet's day number: a date, a time, or both. */
void cq_cells_add_date(cq_buf *out, double value, bool from_1904);

cq_status cq_xlsx_read(cq_cells *cells, const void *bytes, size_t size, cq_sheet_wanted *wanted, cq_error *error);
cq_status cq_xls_read(cq_cells *cells, const char *path, cq_sheet_wanted *wanted, cq_error *error);
/* What the process that reads .xls said, on no trust; CQ_INVALID "xls.damaged". */
cq_status cq_xls_take(cq_cells *cells, cq_str said, cq_error *error);
cq_status cq_csv_folder_read(cq_cells *cells, const char *folder, cq_sheet_wanted *wanted, cq_error *error);
/* A .csv that is one sheet, or several one after another with their names in the first column. */
cq_status cq_csv_file_read(cq_cells *cells, cq_str text, cq_str name, cq_sheet_wanted *wanted, cq_error *error);

#endif
