/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/programme/crosstab.h"

#include <stdlib.h>
#include <string.h>

const char *cq_mark_name(cq_mark mark) {
  static const char *const names[] = {"figure", "missing", "na", "hidden"};
  return names[mark];
}

cq_tab_figure *cq_crosstab_at(const cq_crosstab *tab, size_t outer, size_t inner, size_t column) {
  return &tab->figures[(outer * (tab->inner.count + 1) + inner) * (tab->columns.count + 1) + column];
}

cq_status cq_crosstab_begin(cq_crosstab *tab, cq_error *error) {
  size_t o = tab->outer.count + 1, i = tab->inner.count + 1, c = tab->columns.count + 1;
  if (o > CQ_CROSSTAB_MAX_CATEGORIES || i > CQ_CROSSTAB_MAX_CATEGORIES || c > CQ_CROSSTAB_MAX_CATEGORIES ||
      o * i > CQ_CROSSTAB_MAX_FIGURES / c)
    return cq_error_set(error, CQ_LIMIT, "tables.wide", NULL);
  tab->figures = cq_arena_array(tab->arena, o * i * c, sizeof *tab->figures);
  return tab->figures ? CQ_OK : cq_error_nomem(error);
}

cq_status cq_crosstab_add(cq_crosstab *tab, size_t outer, size_t inner, size_t column, const int64_t *amount,
                          cq_error *error) {
  /* with no categories the only place of an axis is its margin: it is added to once */
  const size_t o[2] = {outer, tab->outer.count}, i[2] = {inner, tab->inner.count}, c[2] = {column, tab->columns.count};
  for (size_t bits = 0; bits < 8; bits++) {
    bool twice = ((bits & 1) && o[0] == o[1]) || ((bits & 2) && i[0] == i[1]) || ((bits & 4) && c[0] == c[1]);
    if (twice) continue;
    cq_tab_figure *figure = cq_crosstab_at(tab, o[bits & 1], i[bits >> 1 & 1], c[bits >> 2]);
    figure->count++;
    figure->unknown += tab->sums && !amount;
    int64_t more = amount ? *amount : 0;
    if (more > 0 ? figure->amount > INT64_MAX - more : figure->amount < INT64_MIN - more)
      return cq_error_set(error, CQ_LIMIT, "tables.large", NULL);
    figure->amount += more;
  }
  return CQ_OK;
}

static bool begins(const cq_axis *outer, cq_str code) {
  for (size_t o = 0; o < outer->count; o++)
    if (outer->at[o].kind == CQ_CATEGORY_VALUE && outer->at[o].code.size && cq_str_starts(code, outer->at[o].code))
      return true;
  return false;
}

bool cq_crosstab_nests(const cq_crosstab *tab, size_t outer, size_t inner) {
  const cq_category *o = &tab->outer.at[outer], *i = &tab->inner.at[inner];
  bool places = tab->outer.count > 0;
  for (size_t k = 0; places && k < tab->inner.count; k++)
    places = tab->inner.at[k].kind != CQ_CATEGORY_VALUE || begins(&tab->outer, tab->inner.at[k].code);
  if (!places) return true;
  bool both = o->kind == CQ_CATEGORY_VALUE && i->kind == CQ_CATEGORY_VALUE;
  return both && cq_str_starts(i->code, o->code);
}

/* --- what may be shown --- */

typedef struct block {
  int64_t *counts;
  cq_hidden *hidden;
  cq_tab_figure **figures;
  size_t rows, columns;
} block;

/* The rows of one outer category with its margin, or (outer SIZE_MAX) the outer categories with theirs. */
static void gather(const cq_crosstab *tab, size_t outer, block *b) {
  size_t all = outer == SIZE_MAX ? tab->outer.count : tab->inner.count;
  b->rows = all + 1;
  b->columns = tab->columns.count + 1;
  for (size_t r = 0; r <= all; r++)
    for (size_t c = 0; c < b->columns; c++) {
      cq_tab_figure *figure =
          outer == SIZE_MAX ? cq_crosstab_at(tab, r, tab->inner.count, c) : cq_crosstab_at(tab, outer, r, c);
      size_t at = r * b->columns + c;
      b->figures[at] = figure;
      b->counts[at] = figure->count;
      b->hidden[at] = figure->mark == CQ_MARK_HIDDEN ? CQ_HIDDEN_COMPLEMENT : CQ_SHOWN;
    }
}

static cq_status hide_block(const cq_crosstab *tab, size_t outer, block *b, bool *more, cq_error *error) {
  gather(tab, outer, b);
  cq_status status = cq_suppress_more(b->counts, b->rows, b->columns, tab->least, b->hidden, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < b->rows * b->columns; i++) {
    if (b->hidden[i] == CQ_SHOWN || b->figures[i]->mark == CQ_MARK_HIDDEN) continue;
    b->figures[i]->mark = CQ_MARK_HIDDEN;
    *more = true;
  }
  return CQ_OK;
}

/* Margins are cells like others here: who knows a total and all but one of its parts knows that one too. */
static cq_status hide(cq_crosstab *tab, cq_error *error) {
  size_t longest = tab->outer.count > tab->inner.count ? tab->outer.count : tab->inner.count;
  size_t cells = (longest + 1) * (tab->columns.count + 1);
  block b = {.counts = malloc(cells * sizeof *b.counts),
             .hidden = malloc(cells * sizeof *b.hidden),
             .figures = malloc(cells * sizeof(cq_tab_figure *))};
  cq_status status = b.counts && b.hidden && b.figures ? CQ_OK : cq_error_nomem(error);
  for (bool again = status == CQ_OK; again;) {
    again = false;
    for (size_t o = 0; status == CQ_OK && o < tab->outer.count; o++) status = hide_block(tab, o, &b, &again, error);
    if (status == CQ_OK) status = hide_block(tab, tab->outer.count ? SIZE_MAX : 0, &b, &again, error);
    again = again && status == CQ_OK;
  }
  free(b.counts);
  free(b.hidden);
  free(b.figures);
  return status;
}

cq_status cq_crosstab_close(cq_crosstab *tab, cq_error *error) {
  size_t all = (tab->outer.count + 1) * (tab->inner.count + 1) * (tab->columns.count + 1);
  for (size_t i = 0; i < all; i++)
    if (tab->figures[i].unknown) tab->figures[i].mark = CQ_MARK_MISSING;
  return tab->hides ? hide(tab, error) : CQ_OK;
}

bool cq_amount_parse(cq_str text, int64_t *amount) {
  bool minus = text.size && text.at[0] == '-';
  size_t i = minus, digits = 0;
  int64_t value = 0;
  for (; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++, digits++) {
    if (digits >= 15) return false;
    value = value * 10 + (text.at[i] - '0');
  }
  int64_t cents = 0, place = 10;
  if (i < text.size && text.at[i] == '.')
    for (i++; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++, digits++) {
      if (place == 0 && text.at[i] >= '5') cents++;
      if (place >= 0) cents += (text.at[i] - '0') * place;
      place = place == 10 ? 1 : place == 1 ? 0 : -1;
    }
  if (!digits || i < text.size) return false;
  *amount = (minus ? -1 : 1) * (value * 100 + cents);
  return true;
}
