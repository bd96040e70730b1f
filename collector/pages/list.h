/* SPDX-License-Identifier: Apache-2.0 */
/* A list to choose from: moved in by arrows, narrowed by typing (letter case and accents don't matter). */
#ifndef CHASQUI_COLLECTOR_LIST_H
#define CHASQUI_COLLECTOR_LIST_H

#include "collector/pages/action.h"

#define CQ_LIST_NONE SIZE_MAX

typedef struct cq_list_item {
  char *text, *detail; /* owned; detail stands at the right edge, may be NULL */
  int64_t tag;         /* the caller's */
  bool marked;
} cq_list_item;

typedef struct cq_list {
  cq_list_item *items;
  size_t count, room;
  cq_buf filter;
  size_t *shown; /* those that pass the filter */
  size_t shown_count, shown_room;
  size_t cursor, top; /* among `shown`; cursor NONE: on none yet */
  bool marks;         /* shows [x] before each */
  bool single;        /* shows (x) before each */
  bool failed;        /* memory was out */
} cq_list;

void cq_list_fini(cq_list *list);
void cq_list_clear(cq_list *list); /* items and filter; how it looks stays */
void cq_list_add(cq_list *list, int64_t tag, cq_str text, const char *detail);
/* After adding: applies the filter; `cursor`: the item to stand on, or NONE. */
void cq_list_ready(cq_list *list, size_t cursor);
/* The item under the cursor; NULL: none. */
cq_list_item *cq_list_here(const cq_list *list);
/* True where the action was one of moving. `rows`: of a page. */
bool cq_list_act(cq_list *list, cq_action action, int rows);
/* Letters narrow the list, Backspace widens it again. True where it was one of these. */
bool cq_list_type(cq_list *list, cq_key key);
/* Rows that drawing all of it would take. */
int cq_list_rows(const cq_list *list);
void cq_list_draw(cq_list *list, cq_grid *grid, int row, int rows, int column, int columns);

#endif
