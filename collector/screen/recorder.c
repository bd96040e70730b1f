/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/screen/screen.h"

#include <stdlib.h>
#include <string.h>

typedef struct recorder {
  cq_backend backend; /* first */
  cq_grid grid;
  int row, column;
  long put, put_shown;
  bool resized;
  cq_buf script;
  size_t at;
  void (*watch)(void *context, cq_key key);
  void *context;
} recorder;

static void size(cq_backend *backend, int *rows, int *columns) {
  const recorder *it = (const recorder *)backend;
  *rows = it->grid.rows;
  *columns = it->grid.columns;
}

static void put(cq_backend *backend, int row, int column, const cq_glyph *cells, int count) {
  recorder *it = (recorder *)backend;
  memcpy(cq_grid_at(&it->grid, row, column), cells, sizeof *cells * (size_t)count);
  it->put += count;
}

static void show(cq_backend *backend, int row, int column) {
  recorder *it = (recorder *)backend;
  it->row = row;
  it->column = column;
  it->put_shown = it->put;
  it->put = 0;
}

static cq_key next_key(recorder *it) {
  if (it->resized) {
    it->resized = false;
    return CQ_KEY_RESIZE;
  }
  cq_str script = cq_buf_str(&it->script);
  if (it->at >= script.size) return CQ_KEY_GONE;
  if (script.at[it->at] != '<') return cq_utf8_next(script, &it->at);
  if (it->at + 1 < script.size && script.at[it->at + 1] == '<') {
    it->at += 2;
    return '<';
  }
  char name[16];
  const char *end = memchr(script.at + it->at, '>', script.size - it->at);
  size_t length = end ? (size_t)(end - script.at) - it->at - 1 : 0;
  cq_key key;
  if (!end || length >= sizeof name) return CQ_KEY_GONE;
  memcpy(name, script.at + it->at + 1, length);
  name[length] = '\0';
  it->at += length + 2;
  return cq_key_of(name[0] == '!' ? name + 1 : name, &key) ? key : CQ_KEY_GONE;
}

static cq_key key(cq_backend *backend, int wait_ms) {
  recorder *it = (recorder *)backend;
  cq_str script = cq_buf_str(&it->script), left = {script.at + it->at, script.size - it->at};
  if (wait_ms == 0 && !it->resized && !cq_str_starts(left, CQ_STR("<!"))) return CQ_KEY_NONE;
  cq_key pressed = next_key(it);
  if (it->watch) it->watch(it->context, pressed);
  return pressed;
}

static void close_recorder(cq_backend *backend) {
  recorder *it = (recorder *)backend;
  cq_grid_fini(&it->grid);
  cq_buf_fini(&it->script);
  free(it);
}

cq_backend *cq_recorder_open(int rows, int columns) {
  recorder *it = calloc(1, sizeof *it);
  if (!it) return NULL;
  it->backend = (cq_backend){size, put, show, key, close_recorder};
  if (!cq_grid_resize(&it->grid, rows, columns)) {
    free(it);
    return NULL;
  }
  return &it->backend;
}

void cq_recorder_keys(cq_backend *backend, const char *script) {
  cq_buf_add_text(&((recorder *)backend)->script, script);
}

void cq_recorder_resize(cq_backend *backend, int rows, int columns) {
  recorder *it = (recorder *)backend;
  it->resized = cq_grid_resize(&it->grid, rows, columns);
}

void cq_recorder_watch(cq_backend *backend, void (*watch)(void *context, cq_key key), void *context) {
  recorder *it = (recorder *)backend;
  it->watch = watch;
  it->context = context;
}

const cq_grid *cq_recorder_grid(const cq_backend *backend) {
  return &((const recorder *)backend)->grid;
}

long cq_recorder_cells_put(const cq_backend *backend) {
  return ((const recorder *)backend)->put_shown;
}

void cq_recorder_cursor(const cq_backend *backend, int *row, int *column) {
  *row = ((const recorder *)backend)->row;
  *column = ((const recorder *)backend)->column;
}
