/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A screen as rows of cells, apart from any terminal. A cell holds one
 * character with the marks that combine with it; a wide character takes its
 * cell and the next. Columns are counted here and nowhere else (wcwidth).
 */
#ifndef CHASQUI_COLLECTOR_GRID_H
#define CHASQUI_COLLECTOR_GRID_H

#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { CQ_GLYPH_BYTES = 23, CQ_GRID_MAX = 1000 /* rows, and columns */ };

/* How a cell looks; bits. What a colour says is always said by words or signs too. */
enum {
  CQ_LOOK_BOLD = 1,
  CQ_LOOK_REVERSE = 2,
  CQ_LOOK_UNDERLINE = 4,
  CQ_LOOK_DIM = 8,
  CQ_LOOK_WARN = 16,  /* yellow */
  CQ_LOOK_FAULT = 32, /* red */
  CQ_LOOK_GOOD = 64   /* green */
};

typedef struct cq_glyph {
  char text[CQ_GLYPH_BYTES + 1]; /* "" in the second half of a wide character */
  uint8_t look;
} cq_glyph;

typedef struct cq_grid {
  int rows, columns;
  cq_glyph *cells; /* row by row */
} cq_grid;

/* Emptied to the new size. False: no memory; the grid is then as it was. */
bool cq_grid_resize(cq_grid *grid, int rows, int columns);
void cq_grid_fini(cq_grid *grid);
void cq_grid_clear(cq_grid *grid);
cq_glyph *cq_grid_at(const cq_grid *grid, int row, int column);

/*
 * Writes text from a cell on, at most `room` columns (what doesn't fit is cut, with "…" as its last sign). Line ends
 * and control characters become blanks. Answers the columns used. Outside the grid nothing is written.
 */
int cq_grid_write(cq_grid *grid, int row, int column, int room, unsigned look, cq_str text);
/* `count` times the sign, which is one column wide. */
void cq_grid_fill(cq_grid *grid, int row, int column, int count, unsigned look, const char *sign);
/* Adds looks to what stands there. */
void cq_grid_look(cq_grid *grid, int row, int column, int count, unsigned look);

int cq_text_columns(cq_str text);
/* Columns of the character at `*offset`, which moves past it and past what combines with it. */
int cq_text_next(cq_str text, size_t *offset);
/* The offset of the character before `offset` (0 at the start). */
size_t cq_text_previous(cq_str text, size_t offset);

/*
 * The next line of at most `width` columns, broken at blanks where there are any and at each LF. False: no more.
 * `*offset` begins at 0.
 */
bool cq_text_wrap(cq_str text, int width, size_t *offset, cq_str *line);

/* The rows of a grid as text, without blanks at their ends, each with LF. */
void cq_grid_text(const cq_grid *grid, cq_buf *out);

#endif
