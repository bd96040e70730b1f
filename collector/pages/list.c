/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/pages/list.h"

#include "chasqui/cli.h"
#include "collector/answer.h"

#include <stdlib.h>
#include <string.h>

void cq_list_clear(cq_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->items[i].text);
    free(list->items[i].detail);
  }
  list->count = list->shown_count = list->top = 0;
  list->cursor = CQ_LIST_NONE;
  list->failed = false;
  cq_buf_reset(&list->filter);
}

void cq_list_fini(cq_list *list) {
  cq_list_clear(list);
  cq_buf_fini(&list->filter);
  free(list->items);
  free(list->shown);
  *list = (cq_list){0};
}

void cq_list_add(cq_list *list, int64_t tag, cq_str text, const char *detail) {
  if (list->count == list->room) {
    size_t room = list->room ? list->room * 2 : 16;
    cq_list_item *more = realloc(list->items, room * sizeof *more);
    if (!more) {
      list->failed = true;
      return;
    }
    list->items = more;
    list->room = room;
  }
  cq_list_item item = {.tag = tag, .text = strndup(text.size > 0 ? text.at : "", text.size)};
  if (detail) item.detail = strdup(detail);
  if (!item.text || (detail && !item.detail)) {
    free(item.text);
    free(item.detail);
    list->failed = true;
    return;
  }
  list->items[list->count++] = item;
}

static void narrow(cq_list *list) {
  list->shown_count = 0;
  if (list->shown_room < list->count) {
    size_t *more = realloc(list->shown, list->count * sizeof *more);
    if (!more) {
      list->failed = true;
      return;
    }
    list->shown = more;
    list->shown_room = list->count;
  }
  for (size_t i = 0; i < list->count; i++) {
    if (list->filter.size == 0 || cq_fold_contains(cq_str_from(list->items[i].text), cq_buf_str(&list->filter)))
      list->shown[list->shown_count++] = i;
  }
}

void cq_list_ready(cq_list *list, size_t cursor) {
  narrow(list);
  list->cursor = CQ_LIST_NONE;
  for (size_t i = 0; i < list->shown_count; i++) {
    if (list->shown[i] == cursor) list->cursor = i;
  }
}

cq_list_item *cq_list_here(const cq_list *list) {
  return list->cursor < list->shown_count ? &list->items[list->shown[list->cursor]] : NULL;
}

bool cq_list_act(cq_list *list, cq_action action, int rows) {
  size_t last = list->shown_count > 0 ? list->shown_count - 1 : 0, page = rows > 1 ? (size_t)rows - 1 : 1;
  bool none = list->cursor == CQ_LIST_NONE;
  switch (action) {
  case CQ_DO_UP:
    if (none || list->cursor == 0)
      list->cursor = none ? last : 0;
    else
      list->cursor--;
    break;
  case CQ_DO_DOWN: list->cursor = none ? 0 : list->cursor < last ? list->cursor + 1 : last; break;
  case CQ_DO_PAGE_UP: list->cursor = none || list->cursor < page ? 0 : list->cursor - page; break;
  case CQ_DO_PAGE_DOWN: list->cursor = none ? 0 : list->cursor + page < last ? list->cursor + page : last; break;
  default: return false;
  }
  if (list->shown_count == 0) list->cursor = CQ_LIST_NONE;
  return true;
}

bool cq_list_type(cq_list *list, cq_key key) {
  if (key == CQ_KEY_BACKSPACE && list->filter.size > 0) {
    size_t before = cq_text_previous(cq_buf_str(&list->filter), list->filter.size);
    list->filter.size = before;
    list->filter.at[before] = '\0';
  } else if (cq_key_is_text(key) && list->filter.size < 200) {
    cq_buf_add_code_point(&list->filter, key);
  } else {
    return false;
  }
  narrow(list);
  list->top = 0;
  list->cursor = list->shown_count > 0 && list->filter.size > 0 ? 0 : CQ_LIST_NONE;
  return true;
}

int cq_list_rows(const cq_list *list) {
  size_t rows = list->shown_count > 0 ? list->shown_count : 1; /* "none" takes a row too */
  if (list->filter.size > 0) rows++;
  return rows > 10000 ? 10000 : (int)rows;
}

/* The cursor's item stays in the window. */
static void scroll(cq_list *list, size_t rows) {
  if (list->cursor != CQ_LIST_NONE) {
    if (list->cursor < list->top) list->top = list->cursor;
    if (list->cursor >= list->top + rows) list->top = list->cursor - rows + 1;
  }
  if (list->top + rows > list->shown_count) list->top = list->shown_count > rows ? list->shown_count - rows : 0;
}

static void draw_item(const cq_list *list, size_t i, cq_grid *grid, int row, int column, int columns) {
  const cq_list_item *item = &list->items[list->shown[i]];
  bool here = i == list->cursor;
  unsigned look = here ? CQ_LOOK_REVERSE : 0;
  if (here) cq_grid_fill(grid, row, column, columns, look, " ");
  int at = column;
  at += cq_grid_write(grid, row, at, 2, look, cq_str_from(here ? "›" : " ")) + 1;
  if (list->marks) at += cq_grid_write(grid, row, at, 4, look, cq_str_from(item->marked ? "[x] " : "[ ] "));
  if (list->single) at += cq_grid_write(grid, row, at, 4, look, cq_str_from(item->marked ? "(•) " : "( ) "));
  int end = column + columns;
  if (item->detail && *item->detail) {
    int width = cq_text_columns(cq_str_from(item->detail)), most = columns / 2;
    if (width > most) width = most;
    cq_grid_write(grid, row, end - width - 1, width, look, cq_str_from(item->detail));
    end -= width + 3;
  }
  cq_grid_write(grid, row, at, end - at, look, cq_str_from(item->text));
}

void cq_list_draw(cq_list *list, cq_grid *grid, int row, int rows, int column, int columns) {
  if (list->filter.size > 0 && rows > 1) {
    int used = cq_grid_write(grid, row, column, columns, CQ_LOOK_DIM, cq_str_from(_("Containing: ")));
    cq_grid_write(grid, row, column + used, columns - used, CQ_LOOK_BOLD, cq_buf_str(&list->filter));
    row++;
    rows--;
  }
  if (rows < 1) return;
  if (list->shown_count == 0) {
    const char *text = list->filter.size > 0 ? _("Nothing contains that. Backspace takes it back, sign by sign.")
                                             : _("There are none.");
    cq_grid_write(grid, row, column + 2, columns - 2, CQ_LOOK_DIM, cq_str_from(text));
    return;
  }
  scroll(list, (size_t)rows);
  for (int i = 0; i < rows && list->top + (size_t)i < list->shown_count; i++)
    draw_item(list, list->top + (size_t)i, grid, row + i, column, columns);
  /* What is beyond the window is said by signs at its edges. */
  if (list->top > 0) cq_grid_write(grid, row, column + columns - 1, 1, CQ_LOOK_DIM, cq_str_from("↑"));
  if (list->top + (size_t)rows < list->shown_count)
    cq_grid_write(grid, row + rows - 1, column + columns - 1, 1, CQ_LOOK_DIM, cq_str_from("↓"));
}
