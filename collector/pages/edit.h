/* SPDX-License-Identifier: Apache-2.0 */
/* A text being typed, shown over as many rows as it needs. */
#ifndef CHASQUI_COLLECTOR_EDIT_H
#define CHASQUI_COLLECTOR_EDIT_H

#include "collector/screen/grid.h"
#include "collector/screen/key.h"

typedef struct cq_edit {
  cq_buf text;
  size_t at; /* of the cursor, in bytes, at the start of a character */
} cq_edit;

void cq_edit_fini(cq_edit *edit);             /* wipes */
void cq_edit_set(cq_edit *edit, cq_str text); /* the cursor goes to its end */
/* True where the key was one of editing: text, arrows left and right, Home, End, Backspace, Del. */
bool cq_edit_type(cq_edit *edit, cq_key key);
int cq_edit_rows(const cq_edit *edit, int columns);
/* Underlined, over `rows`; where the cursor stands is answered. */
void cq_edit_draw(const cq_edit *edit, cq_grid *grid, int row, int rows, int column, int columns, int *cursor_row,
                  int *cursor_column);

#endif
