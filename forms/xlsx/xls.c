/* SPDX-License-Identifier: Apache-2.0 */
/* The older .xls, by FreeXL. */
#include "forms/xlsx/cells.h"

#include "chasqui/xlsform.h"

#include <freexl.h>
#include <string.h>

static cq_status add_cell(cq_cells *cells, const void *book, uint32_t row, uint16_t column, cq_buf *text,
                          cq_error *error) {
  FreeXL_CellValue cell;
  if (freexl_get_cell_value(book, row, column, &cell) != FREEXL_OK) return CQ_OK;
  cq_buf_reset(text);
  switch (cell.type) {
  case FREEXL_CELL_INT: cq_buf_add_int64(text, cell.value.int_value); break;
  case FREEXL_CELL_DOUBLE: cq_cells_add_number(text, cell.value.double_value); break;
  case FREEXL_CELL_TEXT:
  case FREEXL_CELL_SST_TEXT:
  case FREEXL_CELL_DATE:
  case FREEXL_CELL_DATETIME:
  case FREEXL_CELL_TIME:
    if (cell.value.text_value) cq_buf_add_text(text, cell.value.text_value);
    break;
  default: break;
  }
  if (text->failed) return cq_error_nomem(error);
  return cq_cells_add(cells, column, cq_buf_str(text), error);
}

static cq_status read_sheet(cq_cells *cells, const void *book, uint16_t index, cq_error *error) {
  uint32_t rows = 0;
  uint16_t columns = 0;
  if (freexl_select_active_worksheet(book, index) != FREEXL_OK ||
      freexl_worksheet_dimensions(book, &rows, &columns) != FREEXL_OK) {
    return cq_cells_end(cells, error); /* a sheet of charts, or an empty one */
  }
  cq_buf text = {0};
  cq_status status = CQ_OK;
  for (uint32_t row = 0; status == CQ_OK && row < rows; row++) {
    status = cq_cells_row(cells, row + 1, error);
    for (uint16_t column = 0; status == CQ_OK && column < columns; column++) {
      status = add_cell(cells, book, row, column, &text, error);
    }
  }
  cq_buf_fini(&text);
  return status == CQ_OK ? cq_cells_end(cells, error) : status;
}

cq_status cq_xls_read(cq_cells *cells, const char *path, cq_sheet_wanted *wanted, cq_error *error) {
  const void *book = NULL;
  int opened = freexl_open(path, &book);
  uint32_t count = 0;
  cq_status status = CQ_OK;
  uint32_t hidden = FREEXL_UNKNOWN;
  if (opened != FREEXL_OK || freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &count) != FREEXL_OK) {
    status = cq_error_set(error, CQ_INVALID, "xls.damaged", NULL);
  } else if (freexl_get_info(book, FREEXL_BIFF_PASSWORD, &hidden) == FREEXL_OK && hidden == FREEXL_BIFF_OBFUSCATED) {
    status = cq_error_set(error, CQ_INVALID, "xls.password", NULL);
  } else if (count > CQ_XLSFORM_MAX_SHEETS) {
    status = cq_error_set(error, CQ_LIMIT, "xlsform.limit.sheets", NULL);
  }
  for (uint16_t i = 0; status == CQ_OK && i < count; i++) {
    const char *name = NULL;
    if (freexl_get_worksheet_name(book, i, &name) != FREEXL_OK || !name) name = "";
    status = cq_cells_sheet(cells, cq_str_from(name), error);
    if (status == CQ_OK && (count == 1 || wanted(cq_str_from(name)))) status = read_sheet(cells, book, i, error);
  }
  if (book) freexl_close(book);
  return status;
}
