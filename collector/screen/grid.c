/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/screen/grid.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

bool cq_grid_resize(cq_grid *grid, int rows, int columns) {
  if (rows < 1) rows = 1;
  if (columns < 1) columns = 1;
  if (rows > CQ_GRID_MAX) rows = CQ_GRID_MAX;
  if (columns > CQ_GRID_MAX) columns = CQ_GRID_MAX;
  cq_glyph *cells = calloc((size_t)rows * (size_t)columns, sizeof *cells);
  if (!cells) return false;
  free(grid->cells);
  grid->rows = rows;
  grid->columns = columns;
  grid->cells = cells;
  cq_grid_clear(grid);
  return true;
}

void cq_grid_fini(cq_grid *grid) {
  free(grid->cells);
  *grid = (cq_grid){0};
}

void cq_grid_clear(cq_grid *grid) {
  for (int row = 0; row < grid->rows; row++) cq_grid_fill(grid, row, 0, grid->columns, 0, " ");
}

cq_glyph *cq_grid_at(const cq_grid *grid, int row, int column) {
  if (row < 0 || row >= grid->rows || column < 0 || column >= grid->columns) return NULL;
  return &grid->cells[(size_t)row * (size_t)grid->columns + (size_t)column];
}

/* --- columns of text --- */

/* What shows as U+FFFD or as a blank is one column wide. */
static int code_point_columns(uint32_t c) {
  if (c < 0x20 || c == 0x7F) return 1;
  int width = wcwidth((wchar_t)c);
  return width < 0 ? 1 : width;
}

static uint32_t printable(uint32_t c) {
  if (c < 0x20 || c == 0x7F) return ' ';
  return wcwidth((wchar_t)c) < 0 ? 0xFFFD : c;
}

int cq_text_next(cq_str text, size_t *offset) {
  int columns = code_point_columns(cq_utf8_next(text, offset));
  while (*offset < text.size) {
    size_t after = *offset;
    if (code_point_columns(cq_utf8_next(text, &after)) != 0) break;
    *offset = after;
  }
  return columns;
}

size_t cq_text_previous(cq_str text, size_t offset) {
  size_t at = 0, before = 0;
  while (at < offset && at < text.size) {
    before = at;
    cq_text_next(text, &at);
  }
  return before;
}

int cq_text_columns(cq_str text) {
  int columns = 0;
  for (size_t at = 0; at < text.size;) columns += cq_text_next(text, &at);
  return columns;
}

bool cq_text_wrap(cq_str text, int width, size_t *offset, cq_str *line) {
  size_t start = *offset;
  if (start > text.size || (start == text.size && start > 0 && text.at[start - 1] != '\n')) return false;
  if (start == text.size) { /* an empty text, or what follows a last LF: nothing to show */
    *offset = text.size + 1;
    return false;
  }
  if (width < 1) width = 1;
  size_t at = start, blank = 0;
  int columns = 0;
  while (at < text.size && text.at[at] != '\n') {
    size_t after = at;
    int wide = cq_text_next(text, &after);
    if (columns + wide > width) {
      /* A blank that no longer fits ends the line by itself. */
      if (text.at[at] == ' ') blank = at;
      size_t end = blank > start ? blank : at > start ? at : after;
      *line = (cq_str){text.at + start, end - start};
      while (end < text.size && text.at[end] == ' ') end++;
      *offset = end;
      return true;
    }
    if (text.at[at] == ' ') blank = at;
    columns += wide;
    at = after;
  }
  *line = (cq_str){text.at + start, at - start};
  *offset = at < text.size ? at + 1 : at;
  return true;
}

/* --- cells --- */

static void blank_cell(cq_glyph *cell) {
  memset(cell->text, 0, sizeof cell->text);
  cell->text[0] = ' ';
}

/* Half of a wide character that is written over leaves no other half. */
static void part(cq_grid *grid, int row, int column) {
  cq_glyph *cell = cq_grid_at(grid, row, column), *next = cq_grid_at(grid, row, column + 1);
  if (cell && !cell->text[0] && column > 0) {
    blank_cell(cell - 1);
    blank_cell(cell);
  }
  if (cell && next && !next->text[0]) blank_cell(next);
}

static void put(cq_grid *grid, int row, int column, unsigned look, const char *bytes, size_t size, int columns) {
  cq_glyph *cell = cq_grid_at(grid, row, column);
  if (!cell) return;
  part(grid, row, column);
  memset(cell->text, 0, sizeof cell->text);
  memcpy(cell->text, bytes, size);
  cell->look = (uint8_t)look;
  cq_glyph *second = columns == 2 ? cq_grid_at(grid, row, column + 1) : NULL;
  if (second) {
    part(grid, row, column + 1);
    memset(second->text, 0, sizeof second->text);
    second->look = (uint8_t)look;
  }
}

/* One character and what combines with it, as far as a cell holds it. */
static size_t gather(cq_str text, size_t from, size_t to, char out[CQ_GLYPH_BYTES + 1]) {
  size_t size = 0;
  while (from < to) {
    char bytes[4];
    size_t one = cq_utf8_put(printable(cq_utf8_next(text, &from)), bytes);
    if (size + one > CQ_GLYPH_BYTES) break;
    memcpy(out + size, bytes, one);
    size += one;
  }
  return size;
}

int cq_grid_write(cq_grid *grid, int row, int column, int room, unsigned look, cq_str text) {
  if (row < 0 || row >= grid->rows || column < 0) return 0;
  if (room > grid->columns - column) room = grid->columns - column;
  if (room <= 0) return 0;
  bool cut = cq_text_columns(text) > room;
  int used = 0;
  for (size_t at = 0; at < text.size;) {
    char bytes[CQ_GLYPH_BYTES + 1];
    size_t from = at;
    int columns = cq_text_next(text, &at);
    if (columns == 0) continue; /* a mark with nothing to combine with */
    if (used + columns > room - (cut ? 1 : 0)) break;
    put(grid, row, column + used, look, bytes, gather(text, from, at, bytes), columns);
    used += columns;
  }
  if (cut) {
    put(grid, row, column + used, look, "…", strlen("…"), 1);
    used++;
  }
  return used;
}

void cq_grid_fill(cq_grid *grid, int row, int column, int count, unsigned look, const char *sign) {
  for (int i = 0; i < count; i++) put(grid, row, column + i, look, sign, strlen(sign), 1);
}

void cq_grid_look(cq_grid *grid, int row, int column, int count, unsigned look) {
  for (int i = 0; i < count; i++) {
    cq_glyph *cell = cq_grid_at(grid, row, column + i);
    if (cell) cell->look = (uint8_t)(cell->look | look);
  }
}

void cq_grid_text(const cq_grid *grid, cq_buf *out) {
  for (int row = 0; row < grid->rows; row++) {
    size_t end = out->size;
    for (int column = 0; column < grid->columns; column++) {
      const cq_glyph *cell = cq_grid_at(grid, row, column);
      cq_buf_add_text(out, cell->text);
      if (cell->text[0] != '\0' && strcmp(cell->text, " ") != 0) end = out->size;
    }
    if (out->failed) return;
    out->size = end;
    cq_buf_add_char(out, '\n');
  }
}
