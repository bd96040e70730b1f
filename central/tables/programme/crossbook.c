/* SPDX-License-Identifier: Apache-2.0 */
/* A table as a workbook: totals are formulas, so that nobody types them. */
#include "central/tables/folio/folio.h"
#include "central/tables/programme/crosstab.h"
#include "chasqui/cli.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 14 };

typedef struct book {
  const cq_crosstab *tab;
  lxw_worksheet *sheet;
  cq_folio made;
  lxw_format *number, *total;
  lxw_row_t row;
  lxw_row_t subtotals[256]; /* rows of the outer categories */
  size_t subtotal_count;
  bool whole; /* every figure is shown, so that margins can be formulas */
} book;

static void put(const book *b, lxw_row_t row, size_t column, cq_str text, lxw_format *format) {
  cq_folio_put(b->sheet, row, column, text, format);
}

static double value_of(const cq_crosstab *tab, const cq_tab_figure *figure) {
  return tab->sums ? (double)figure->amount / 100 : (double)figure->count;
}

static void put_figure(book *b, lxw_row_t row, size_t column, const cq_tab_figure *figure, lxw_format *format) {
  if (figure->mark == CQ_MARK_HIDDEN)
    put(b, row, column, CQ_STR("·"), b->made.right);
  else if (figure->mark == CQ_MARK_NA)
    put(b, row, column, CQ_STR("—"), b->made.right);
  else if (figure->mark == CQ_MARK_FIGURE)
    worksheet_write_number(b->sheet, row, (lxw_col_t)column, value_of(b->tab, figure), format);
}

static void put_formula(book *b, lxw_row_t row, size_t column, const char *formula, const cq_tab_figure *figure) {
  worksheet_write_formula_num(b->sheet, row, (lxw_col_t)column, formula, b->total, value_of(b->tab, figure));
}

/* One row: label, figures, and the margin as the sum of what stands before it. */
static void put_row(book *b, cq_str label, size_t indent, size_t o, size_t i, lxw_format *format) {
  const cq_crosstab *tab = b->tab;
  size_t first = 1 + (tab->outer.count > 0);
  put(b, b->row, indent, label, indent || !tab->outer.count ? NULL : b->made.bold);
  for (size_t c = 0; c < tab->columns.count; c++)
    put_figure(b, b->row, first + c, cq_crosstab_at(tab, o, i, c), format);
  const cq_tab_figure *margin = cq_crosstab_at(tab, o, i, tab->columns.count);
  if (!b->whole || !tab->columns.count || margin->mark == CQ_MARK_NA) {
    put_figure(b, b->row, first + tab->columns.count, margin, tab->columns.count ? b->total : format);
  } else {
    char from[LXW_MAX_CELL_NAME_LENGTH], to[LXW_MAX_CELL_NAME_LENGTH], formula[64];
    lxw_rowcol_to_cell(from, b->row, (lxw_col_t)first);
    lxw_rowcol_to_cell(to, b->row, (lxw_col_t)(first + tab->columns.count - 1));
    snprintf(formula, sizeof formula, "=SUM(%s:%s)", from, to);
    put_formula(b, b->row, first + tab->columns.count, formula, margin);
  }
  b->row++;
}

/* A row of column sums over the rows from `from` to the one before this. */
static void put_sums(book *b, cq_str label, size_t o, lxw_row_t from, lxw_row_t to, lxw_row_t at) {
  const cq_crosstab *tab = b->tab;
  size_t first = 1 + (tab->outer.count > 0);
  put(b, at, 0, label, b->made.bold);
  for (size_t c = 0; c <= tab->columns.count; c++) {
    const cq_tab_figure *figure = cq_crosstab_at(tab, o, tab->inner.count, c);
    char top[LXW_MAX_CELL_NAME_LENGTH], bottom[LXW_MAX_CELL_NAME_LENGTH], formula[64];
    if (!b->whole || to < from) {
      put_figure(b, at, first + c, figure, b->total);
      continue;
    }
    lxw_rowcol_to_cell(top, from, (lxw_col_t)(first + c));
    lxw_rowcol_to_cell(bottom, to, (lxw_col_t)(first + c));
    snprintf(formula, sizeof formula, "=SUM(%s:%s)", top, bottom);
    put_formula(b, at, first + c, formula, figure);
  }
}

/* The grand total is the sum of the outer categories' rows. */
static void put_grand(book *b, cq_str label) {
  const cq_crosstab *tab = b->tab;
  size_t first = 2;
  put(b, b->row, 0, label, b->made.bold);
  for (size_t c = 0; c <= tab->columns.count; c++) {
    const cq_tab_figure *figure = cq_crosstab_at(tab, tab->outer.count, tab->inner.count, c);
    cq_buf formula = {0};
    char cell[LXW_MAX_CELL_NAME_LENGTH];
    for (size_t s = 0; s < b->subtotal_count; s++) {
      lxw_rowcol_to_cell(cell, b->subtotals[s], (lxw_col_t)(first + c));
      cq_buf_addf(&formula, "%s%s", s ? "+" : "=", cell);
    }
    bool sum = b->whole && b->subtotal_count && b->subtotal_count == tab->outer.count && !formula.failed;
    if (sum)
      put_formula(b, b->row, first + c, formula.at, figure);
    else
      put_figure(b, b->row, first + c, figure, b->total);
    cq_buf_fini(&formula);
  }
  b->row++;
}

static void put_body(book *b) {
  const cq_crosstab *tab = b->tab;
  cq_str total = cq_str_from(_("Total"));
  lxw_row_t first = b->row;
  for (size_t i = 0; !tab->outer.count && i < tab->inner.count; i++)
    put_row(b, tab->inner.at[i].label, 0, 0, i, b->number);
  if (!tab->outer.count) {
    put_sums(b, total, 0, first, b->row - 1, b->row);
    b->row++;
    return;
  }
  for (size_t o = 0; o < tab->outer.count; o++) {
    lxw_row_t head = b->row++;
    for (size_t i = 0; i < tab->inner.count; i++) {
      bool elsewhere = !cq_crosstab_nests(tab, o, i) && !cq_crosstab_at(tab, o, i, tab->columns.count)->count;
      if (!elsewhere) put_row(b, tab->inner.at[i].label, 1, o, i, b->number);
    }
    put_sums(b, tab->outer.at[o].label, o, head + 1, b->row - 1, head);
    if (b->subtotal_count < sizeof b->subtotals / sizeof *b->subtotals) b->subtotals[b->subtotal_count++] = head;
  }
  put_grand(b, total);
}

/* A column is as wide as its longest label. */
static double widest(const cq_axis *axis, double least) {
  for (size_t i = 0; i < axis->count; i++) {
    size_t length = cq_utf8_length(axis->at[i].label);
    if ((double)length + 2 > least) least = (double)length + 2;
  }
  return least < 60 ? least : 60;
}

static void put_all(book *b) {
  const cq_crosstab *tab = b->tab;
  size_t first = 1 + (tab->outer.count > 0), count = tab->columns.count;
  cq_buf notes = {0}, text = {0};
  cq_crosstab_axes(tab, &text);
  cq_buf_add_text(&text, ", ");
  cq_crosstab_day(tab, &text);
  if (tab->sums && tab->money.size) cq_buf_addf(&text, " (%.*s)", (int)tab->money.size, tab->money.at);
  lxw_row_t heads = cq_folio_title(&b->made, b->sheet, tab->programme, tab->title, cq_buf_str(&text));
  if (tab->outer.count) put(b, heads, 0, tab->outer.label, b->made.head);
  put(b, heads, first - 1, tab->inner.label, b->made.head);
  for (size_t c = 0; c < count; c++) put(b, heads, first + c, tab->columns.at[c].label, b->made.number_head);
  size_t lines = 1;
  for (size_t c = 0; c < count; c++) {
    size_t rows = cq_folio_rows(tab->columns.at[c].label, WIDTH - 1);
    if (rows > lines) lines = rows;
  }
  cq_folio_height(b->sheet, heads, lines);
  put(b, heads, first + count, cq_str_from(_("Total")), b->made.number_head);
  b->row = heads + 1;
  put_body(b);
  cq_crosstab_notes(tab, &notes);
  cq_folio_lines(&b->made, b->sheet, b->row + 1, cq_buf_str(&notes));
  cq_buf_fini(&notes);
  cq_buf_fini(&text);
  worksheet_set_column(b->sheet, 0, 0, widest(tab->outer.count ? &tab->outer : &tab->inner, 20), NULL);
  if (tab->outer.count) worksheet_set_column(b->sheet, 1, 1, widest(&tab->inner, 20), NULL);
  worksheet_set_column(b->sheet, (lxw_col_t)first, (lxw_col_t)(first + count), WIDTH, NULL);
  cq_folio_heads(b->sheet, heads, first);
}

static bool is_whole(const cq_crosstab *tab) {
  size_t all = (tab->outer.count + 1) * (tab->inner.count + 1) * (tab->columns.count + 1);
  for (size_t i = 0; i < all; i++)
    if (tab->figures[i].mark == CQ_MARK_HIDDEN || tab->figures[i].mark == CQ_MARK_MISSING) return false;
  return true;
}

cq_status cq_crosstab_xlsx(const cq_crosstab *tab, const char *path, cq_error *error) {
  char name[32];
  book b = {.tab = tab, .whole = is_whole(tab)};
  snprintf(name, sizeof name, "%.*s", (int)(tab->name.size < 31 ? tab->name.size : 31), tab->name.at);
  cq_status status = cq_folio_begin(&b.made, path, tab->practice, error);
  if (status == CQ_OK) status = cq_folio_sheet(&b.made, name, &b.sheet, error);
  if (status == CQ_OK &&
      (!(b.number = workbook_add_format(b.made.workbook)) || !(b.total = workbook_add_format(b.made.workbook))))
    status = cq_error_nomem(error);
  if (status == CQ_OK) {
    format_set_bold(b.total);
    format_set_num_format(b.number, tab->sums ? "#,##0.00" : "#,##0");
    format_set_num_format(b.total, tab->sums ? "#,##0.00" : "#,##0");
    put_all(&b);
  }
  return cq_folio_end(&b.made, status, error);
}
