/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/screen/screen.h"

#include <stdlib.h>
#include <string.h>

struct cq_screen {
  cq_backend *backend;
  cq_grid drawn, shown;
  int row, column; /* of the cursor */
};

cq_status cq_screen_new(cq_screen **out, cq_backend *backend, cq_error *error) {
  cq_screen *screen = calloc(1, sizeof *screen);
  *out = NULL;
  if (!screen) {
    backend->close(backend);
    return cq_error_nomem(error);
  }
  screen->backend = backend;
  screen->row = -1;
  if (!cq_screen_fit(screen)) {
    cq_screen_free(screen);
    return cq_error_nomem(error);
  }
  *out = screen;
  return CQ_OK;
}

void cq_screen_free(cq_screen *screen) {
  if (!screen) return;
  screen->backend->close(screen->backend);
  cq_grid_fini(&screen->drawn);
  cq_grid_fini(&screen->shown);
  free(screen);
}

cq_grid *cq_screen_grid(cq_screen *screen) {
  return &screen->drawn;
}

bool cq_screen_fit(cq_screen *screen) {
  int rows, columns;
  screen->backend->size(screen->backend, &rows, &columns);
  if (rows == screen->drawn.rows && columns == screen->drawn.columns) return false;
  if (!cq_grid_resize(&screen->drawn, rows, columns) || !cq_grid_resize(&screen->shown, rows, columns)) return false;
  cq_screen_forget(screen);
  return true;
}

void cq_screen_forget(cq_screen *screen) {
  size_t count = (size_t)screen->shown.rows * (size_t)screen->shown.columns;
  for (size_t i = 0; i < count; i++) screen->shown.cells[i].look = 0xFF; /* no cell is drawn so */
}

void cq_screen_cursor(cq_screen *screen, int row, int column) {
  screen->row = row;
  screen->column = column;
}

static bool same(const cq_glyph *a, const cq_glyph *b) {
  return a->look == b->look && strcmp(a->text, b->text) == 0;
}

static void paint_row(cq_screen *screen, int row) {
  int columns = screen->drawn.columns;
  for (int column = 0; column < columns;) {
    const cq_glyph *drawn = cq_grid_at(&screen->drawn, row, column);
    cq_glyph *shown = cq_grid_at(&screen->shown, row, column);
    if (same(drawn, shown)) {
      column++;
      continue;
    }
    int first = column;
    /* A run begins and ends at a whole character, old or new. */
    while (first > 0 &&
           (!cq_grid_at(&screen->drawn, row, first)->text[0] || !cq_grid_at(&screen->shown, row, first)->text[0]))
      first--;
    while (column < columns &&
           (!same(cq_grid_at(&screen->drawn, row, column), cq_grid_at(&screen->shown, row, column)) ||
            !cq_grid_at(&screen->drawn, row, column)->text[0]))
      column++;
    drawn = cq_grid_at(&screen->drawn, row, first);
    memcpy(cq_grid_at(&screen->shown, row, first), drawn, sizeof *drawn * (size_t)(column - first));
    screen->backend->put(screen->backend, row, first, drawn, column - first);
  }
}

void cq_screen_paint(cq_screen *screen) {
  for (int row = 0; row < screen->drawn.rows; row++) paint_row(screen, row);
  screen->backend->show(screen->backend, screen->row, screen->column);
}

cq_key cq_screen_key(cq_screen *screen, int wait_ms) {
  return screen->backend->key(screen->backend, wait_ms);
}
