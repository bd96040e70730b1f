/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/pages/edit.h"

#include <string.h>

enum { EDIT_MAX = 1 << 20 };

void cq_edit_fini(cq_edit *edit) {
  cq_buf_fini_secret(&edit->text);
  edit->at = 0;
}

void cq_edit_set(cq_edit *edit, cq_str text) {
  cq_buf_reset(&edit->text);
  cq_buf_add_str(&edit->text, text);
  edit->at = edit->text.size;
}

/* Bytes from `from` to `to` go away. */
static void cut(cq_edit *edit, size_t from, size_t to) {
  memmove(edit->text.at + from, edit->text.at + to, edit->text.size - to + 1);
  edit->text.size -= to - from;
  edit->at = from;
}

static void insert(cq_edit *edit, cq_key key) {
  char bytes[4];
  size_t size = cq_utf8_put(key, bytes);
  if (edit->text.size + size > EDIT_MAX || !cq_buf_reserve(&edit->text, size)) return;
  cq_buf_add(&edit->text, bytes, size);
  memmove(edit->text.at + edit->at + size, edit->text.at + edit->at, edit->text.size - size - edit->at);
  memcpy(edit->text.at + edit->at, bytes, size);
  edit->at += size;
}

bool cq_edit_type(cq_edit *edit, cq_key key) {
  cq_str text = cq_buf_str(&edit->text);
  size_t after = edit->at;
  switch (key) {
  case CQ_KEY_LEFT: edit->at = cq_text_previous(text, edit->at); return true;
  case CQ_KEY_RIGHT:
    if (edit->at < text.size) cq_text_next(text, &edit->at);
    return true;
  case CQ_KEY_HOME: edit->at = 0; return true;
  case CQ_KEY_END: edit->at = text.size; return true;
  case CQ_KEY_BACKSPACE:
    if (edit->at > 0) cut(edit, cq_text_previous(text, edit->at), edit->at);
    return true;
  case CQ_KEY_DELETE:
    if (edit->at < text.size) {
      cq_text_next(text, &after);
      cut(edit, edit->at, after);
    }
    return true;
  default: break;
  }
  if (!cq_key_is_text(key)) return false;
  insert(edit, key);
  return true;
}

/* The rows are filled sign by sign, not word by word: the cursor's place is then plain to see. */
static int lay_out(const cq_edit *edit, cq_grid *grid, int row, int first, int rows, int column, int columns,
                   int *cursor_row, int *cursor_column) {
  cq_str text = cq_buf_str(&edit->text);
  int line = 0, used = 0;
  for (size_t at = 0; at < text.size;) {
    size_t from = at;
    int wide = cq_text_next(text, &at);
    if (used + wide > columns) {
      line++;
      used = 0;
    }
    if (from == edit->at) {
      *cursor_row = line;
      *cursor_column = used;
    }
    if (grid && line >= first && line < first + rows)
      cq_grid_write(grid, row + line - first, column + used, wide, CQ_LOOK_UNDERLINE,
                    (cq_str){text.at + from, at - from});
    used += wide;
  }
  if (edit->at >= text.size) {
    if (used >= columns) {
      line++;
      used = 0;
    }
    *cursor_row = line;
    *cursor_column = used;
  }
  return line + 1;
}

int cq_edit_rows(const cq_edit *edit, int columns) {
  int r, c;
  return lay_out(edit, NULL, 0, 0, 0, 0, columns, &r, &c);
}

void cq_edit_draw(const cq_edit *edit, cq_grid *grid, int row, int rows, int column, int columns, int *cursor_row,
                  int *cursor_column) {
  int r = 0, c = 0;
  lay_out(edit, NULL, 0, 0, 0, 0, columns, &r, &c);
  int first = r >= rows ? r - rows + 1 : 0;
  for (int i = 0; i < rows; i++) cq_grid_fill(grid, row + i, column, columns, CQ_LOOK_UNDERLINE, " ");
  lay_out(edit, grid, row, first, rows, column, columns, &r, &c);
  *cursor_row = row + r - first;
  *cursor_column = column + c;
}
