/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsx/cells.h"

#include "chasqui/clock.h"
#include "chasqui/xlsform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_LIMIT = 1 << 30 };

cq_status cq_cells_init(cq_cells *cells, cq_error *error) {
  *cells = (cq_cells){0};
  cq_arena *arena = cq_arena_new(ARENA_LIMIT);
  cells->book = arena ? cq_arena_alloc(arena, sizeof *cells->book) : NULL;
  if (!cells->book) {
    cq_arena_free(arena);
    return cq_error_nomem(error);
  }
  cells->book->arena = arena;
  cells->book->sheets = cq_arena_array(arena, CQ_XLSFORM_MAX_SHEETS, sizeof *cells->book->sheets);
  if (cells->book->sheets) return CQ_OK;
  cq_cells_fini(cells);
  return cq_error_nomem(error);
}

void cq_cells_fini(cq_cells *cells) {
  cq_workbook_free(cells->book);
  free(cells->rows);
  free(cells->line);
  *cells = (cq_cells){0};
}

cq_workbook *cq_cells_take(cq_cells *cells) {
  cq_workbook *book = cells->book;
  cells->book = NULL;
  return book;
}

cq_status cq_cells_sheet(cq_cells *cells, cq_str name, cq_error *error) {
  if (cells->book->count == CQ_XLSFORM_MAX_SHEETS) {
    return cq_error_set(error, CQ_LIMIT, "xlsform.limit.sheets", NULL);
  }
  cells->sheet = &cells->book->sheets[cells->book->count];
  cells->sheet->name = cq_arena_copy(cells->book->arena, name);
  if (!cells->sheet->name.at) return cq_error_nomem(error);
  cells->book->count++;
  cells->row = 0;
  return CQ_OK;
}

static int by_column(const void *a, const void *b) {
  const cq_cell *x = a, *y = b;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  return (x->order > y->order) - (x->order < y->order);
}

/* Puts the row that was gathered into the sheet. */
static cq_status flush(cq_cells *cells, cq_error *error) {
  if (cells->line_count == 0) return CQ_OK;
  if (cells->sheet->count == cells->row_room) {
    size_t room = cells->row_room ? 2 * cells->row_room : 256;
    cq_row *rows = realloc(cells->rows, room * sizeof *rows);
    if (!rows) return cq_error_nomem(error);
    cells->rows = rows;
    cells->row_room = room;
  }
  bool sorted = true;
  for (size_t i = 1; i < cells->line_count; i++) sorted = sorted && cells->line[i - 1].column < cells->line[i].column;
  if (!sorted) {
    qsort(cells->line, cells->line_count, sizeof *cells->line, by_column);
    size_t kept = 0;
    for (size_t i = 0; i < cells->line_count; i++) { /* of two in one column the later stays */
      bool again = i + 1 < cells->line_count && cells->line[i + 1].column == cells->line[i].column;
      if (!again) cells->line[kept++] = cells->line[i];
    }
    cells->line_count = kept;
  }
  cq_cell *kept = cq_arena_array(cells->book->arena, cells->line_count, sizeof *kept);
  if (!kept) return cq_error_nomem(error);
  memcpy(kept, cells->line, cells->line_count * sizeof *kept);
  cells->rows[cells->sheet->count++] =
      (cq_row){.number = cells->row, .count = (uint32_t)cells->line_count, .cells = kept};
  cells->line_count = 0;
  return CQ_OK;
}

cq_status cq_cells_row(cq_cells *cells, uint32_t number, cq_error *error) {
  cq_status status = flush(cells, error);
  if (status != CQ_OK) return status;
  if (number > CQ_XLSFORM_MAX_ROWS) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.rows", NULL);
  cells->row = number;
  return CQ_OK;
}

static bool xml_char(uint32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         c >= 0x10000;
}

static bool space(uint32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0xFEFF || c == 0x2007 || c == 0x202F;
}

/* The cell's text in the arena: non-breaking spaces become spaces, byte order marks and control characters go. */
static cq_str clean(cq_arena *arena, cq_str text) {
  bool plain = true;
  for (size_t i = 0; plain && i < text.size; i++) {
    unsigned char c = (unsigned char)text.at[i];
    plain = c < 0x80 && (c >= 0x20 || c == '\n' || c == '\t');
  }
  if (plain) {
    text = cq_str_trim(text);
    return text.size ? cq_arena_copy(arena, text) : (cq_str){"", 0};
  }
  char *out = cq_arena_alloc(arena, 3 * text.size + 1); /* a byte that is no UTF-8 becomes U+FFFD */
  if (!out) return (cq_str){NULL, 0};
  size_t size = 0, first = 0, last = 0;
  bool any = false;
  for (size_t i = 0; i < text.size;) {
    uint32_t c = cq_utf8_next(text, &i);
    if (c == 0xFEFF || c == 0x200B || !xml_char(c)) continue;
    if (c == '\r') {
      if (i < text.size && text.at[i] == '\n') continue;
      c = '\n';
    }
    bool blank = space(c);
    if (blank && c > 0x7F) c = ' ';
    if (!blank && !any) first = size;
    size += cq_utf8_put(c, out + size);
    if (!blank) any = true, last = size;
  }
  if (!any) return (cq_str){"", 0};
  out[last] = 0;
  return (cq_str){out + first, last - first};
}

cq_status cq_cells_add(cq_cells *cells, uint32_t column, cq_str text, cq_error *error) {
  if (text.size == 0) return CQ_OK;
  if (text.size > CQ_XLSFORM_MAX_CELL) {
    cq_status status = cq_error_set(error, CQ_LIMIT, "xlsform.limit.cell", NULL);
    cq_error_at_cell(error, cells->sheet->name.at, cells->row, (int64_t)column + 1);
    return status;
  }
  if (column >= CQ_XLSFORM_MAX_COLUMNS) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.columns", NULL);
  text = clean(cells->book->arena, text);
  if (!text.at) return cq_error_nomem(error);
  if (text.size == 0) return CQ_OK;
  if (++cells->total > CQ_XLSFORM_MAX_CELLS) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.cells", NULL);
  if (cells->line_count == cells->line_room) {
    size_t room = cells->line_room ? 2 * cells->line_room : 64;
    cq_cell *line = realloc(cells->line, room * sizeof *line);
    if (!line) return cq_error_nomem(error);
    cells->line = line;
    cells->line_room = room;
  }
  cells->line[cells->line_count] = (cq_cell){.column = column, .order = (uint32_t)cells->line_count, .text = text};
  cells->line_count++;
  return CQ_OK;
}

static int by_number(const void *a, const void *b) {
  uint32_t x = ((const cq_row *)a)->number, y = ((const cq_row *)b)->number;
  return (x > y) - (x < y);
}

cq_status cq_cells_end(cq_cells *cells, cq_error *error) {
  cq_status status = flush(cells, error);
  if (status != CQ_OK) return status;
  cq_sheet *sheet = cells->sheet;
  sheet->read = true;
  if (sheet->count == 0) return CQ_OK;
  sheet->rows = cq_arena_array(cells->book->arena, sheet->count, sizeof *sheet->rows);
  if (!sheet->rows) return cq_error_nomem(error);
  memcpy(sheet->rows, cells->rows, sheet->count * sizeof *sheet->rows);
  for (size_t i = 1; i < sheet->count; i++) {
    if (sheet->rows[i - 1].number <= sheet->rows[i].number) continue;
    qsort(sheet->rows, sheet->count, sizeof *sheet->rows, by_number);
    break;
  }
  return CQ_OK;
}

void cq_cells_add_number(cq_buf *out, double value) {
  if (value == floor(value) && fabs(value) < 1e18) {
    cq_buf_addf(out, "%.0f", value == 0 ? 0.0 : value);
    return;
  }
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  cq_buf_add_text(out, text);
}

void cq_cells_add_date(cq_buf *out, double value, bool from_1904) {
  if (!(value >= 0 && value < 2958466)) {
    cq_cells_add_number(out, value);
    return;
  }
  int32_t whole = (int32_t)value;
  int32_t seconds = (int32_t)floor((value - whole) * 86400 + 0.5);
  if (seconds == 86400) whole++, seconds = 0;
  if (value >= 1 || from_1904 || seconds == 0) {
    /* spreadsheets count a 29 February 1900 that never was: days before March 1900 stand one lower */
    int32_t epoch = from_1904 ? -24107 : whole < 60 ? -25568 : -25569;
    char text[11];
    cq_buf_add_text(out, cq_date_format(cq_date_from_day(whole + epoch), text));
    if (seconds == 0) return;
    cq_buf_add_char(out, 'T');
  }
  cq_buf_addf(out, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}
