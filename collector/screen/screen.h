/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is drawn and what is shown. Pages draw into `cq_screen_grid`; painting
 * sends the back end only the cells that changed. Back ends: the terminal
 * (curses.c) and one that records for tests (recorder.c).
 */
#ifndef CHASQUI_COLLECTOR_SCREEN_H
#define CHASQUI_COLLECTOR_SCREEN_H

#include "chasqui/status.h"
#include "collector/screen/grid.h"
#include "collector/screen/key.h"

typedef struct cq_backend cq_backend;
struct cq_backend {
  void (*size)(cq_backend *backend, int *rows, int *columns);
  /* A run of changed cells in one row. */
  void (*put)(cq_backend *backend, int row, int column, const cq_glyph *cells, int count);
  /* All puts of one painting are done; the cursor stands there, or is hidden where `row` is -1. */
  void (*show)(cq_backend *backend, int row, int column);
  /* The next key; waits at most `wait_ms` (-1: for ever; 0: not at all). */
  cq_key (*key)(cq_backend *backend, int wait_ms);
  void (*close)(cq_backend *backend); /* frees it */
};

/* The terminal; `color` as cq_cli_color says. Errors: collector.terminal, collector.terminal.none. */
cq_status cq_curses_open(cq_backend **backend, bool color, cq_error *error);

/* A screen of a fixed size that takes keys from a script, "Ana<Enter><F2>"; "<<" is "<". At its end: CQ_KEY_GONE. A key
 * with "!", "<!Esc>", is pressed while something goes on: it is given where the wait is 0, and no other is. */
cq_backend *cq_recorder_open(int rows, int columns);            /* NULL: no memory */
void cq_recorder_keys(cq_backend *backend, const char *script); /* appends; borrowed until read */
void cq_recorder_resize(cq_backend *backend, int rows, int columns);
/* Called before each key is given out, when all is painted; and how many cells the last painting sent. */
void cq_recorder_watch(cq_backend *backend, void (*watch)(void *context, cq_key key), void *context);
const cq_grid *cq_recorder_grid(const cq_backend *backend);
long cq_recorder_cells_put(const cq_backend *backend); /* since the last call of show */
void cq_recorder_cursor(const cq_backend *backend, int *row, int *column);

typedef struct cq_screen cq_screen;
/* Takes the back end over, also where it fails. */
cq_status cq_screen_new(cq_screen **screen, cq_backend *backend, cq_error *error);
void cq_screen_free(cq_screen *screen);
cq_grid *cq_screen_grid(cq_screen *screen); /* what to draw into */
/* Follows the terminal's size and empties the grid; false where nothing changed. */
bool cq_screen_fit(cq_screen *screen);
void cq_screen_forget(cq_screen *screen);                      /* the next painting sends every cell */
void cq_screen_cursor(cq_screen *screen, int row, int column); /* -1: hidden */
void cq_screen_paint(cq_screen *screen);
cq_key cq_screen_key(cq_screen *screen, int wait_ms);

#endif
