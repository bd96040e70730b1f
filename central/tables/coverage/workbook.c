/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as a workbook: a sheet of coverage, one of months, one of persons. */
#include "central/tables/coverage/grid.h"
#include "chasqui/cli.h"

#include <errno.h>
#include <string.h>

#include <xlsxwriter.h>

typedef struct formats {
  lxw_format *bold, *head, *percent, *right;
} formats;

static void put(lxw_worksheet *sheet, size_t row, size_t column, cq_str text, lxw_format *format) {
  char cell[512];
  size_t size = text.size < sizeof cell - 1 ? text.size : sizeof cell - 1;
  if (size) memcpy(cell, text.at, size);
  cell[size] = '\0';
  worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, cell, format);
}

/* Covered, due and weighted share of one group: three columns a season. Where nobody is due, what is covered is neither
 * a number nor missing: a dash. */
static void put_cell(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t at, const cq_coverage *c, const formats *f) {
  worksheet_write_number(sheet, row, (lxw_col_t)(at + 1), (double)c->eligible, NULL);
  if (!c->eligible) {
    put(sheet, row, at, CQ_STR("—"), f->right);
    put(sheet, row, at + 2u, CQ_STR("—"), f->right);
    return;
  }
  worksheet_write_number(sheet, row, at, (double)c->covered, NULL);
  if (c->eligible_weighted > 0)
    worksheet_write_number(sheet, row, (lxw_col_t)(at + 2), c->covered_weighted / c->eligible_weighted, f->percent);
}

static void put_group(const cq_grid *grid, lxw_worksheet *sheet, size_t row, cq_str name, const cq_grid_group *group,
                      const formats *f) {
  lxw_col_t last = (lxw_col_t)(1 + 3 * grid->season_count);
  put(sheet, row, 0, name, NULL);
  for (size_t s = 0; s < grid->season_count; s++)
    put_cell(sheet, (lxw_row_t)row, (lxw_col_t)(1 + 3 * s), &group->seasons[s], f);
  if (grid->closed)
    worksheet_write_number(sheet, (lxw_row_t)row, last, (double)group->full_cycle, NULL);
  else
    put(sheet, row, last, CQ_STR("—"), f->right);
}

/* Heads stay in sight, and on paper a sheet is as wide as the page. */
static void lay_out(lxw_worksheet *sheet, lxw_col_t columns, double first, double others) {
  worksheet_set_column(sheet, 0, 0, first, NULL);
  worksheet_set_column(sheet, 1, columns, others, NULL);
  worksheet_freeze_panes(sheet, 1, 1);
  worksheet_set_landscape(sheet);
  worksheet_set_paper(sheet, 9); /* A4 */
  worksheet_fit_to_pages(sheet, 1, 0);
  worksheet_repeat_rows(sheet, 0, 0);
}

static void put_coverage(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  char id[CQ_SEASON_REF_SIZE], head[64];
  for (size_t s = 0; s < grid->season_count; s++) {
    const char *const heads[] = {_("covered"), _("due"), _("share")};
    cq_season_format(&grid->seasons[s].ref, id);
    for (size_t i = 0; i < 3; i++) {
      snprintf(head, sizeof head, "%s %s", id, heads[i]);
      put(sheet, 0, 1 + 3 * s + i, cq_str_from(head), f->head);
    }
  }
  put(sheet, 0, 1 + 3 * grid->season_count, cq_str_from(_("full cycle")), f->head);
  for (size_t g = 0; g < grid->group_count; g++)
    put_group(grid, sheet, g + 1, grid->groups[g].name, &grid->groups[g], f);
  put_group(grid, sheet, grid->group_count + 1, cq_str_from(_("all")), &grid->all, f);
  if (grid->practice)
    put(sheet, grid->group_count + 3, 0, cq_str_from(_("*** PRACTICE: nothing here is real data ***")), f->bold);
  lay_out(sheet, (lxw_col_t)(1 + 3 * grid->season_count), 22, 11);
}

static void put_months(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  const char *const heads[] = {_("month"), _("covered"), _("due"), _("share")};
  for (size_t i = 0; i < 4; i++) put(sheet, 0, i, cq_str_from(heads[i]), f->head);
  for (size_t m = 0; m < grid->month_count; m++) {
    char month[16];
    snprintf(month, sizeof month, "%04d-%02d", (int)(grid->months[m] / 12), (int)(grid->months[m] % 12 + 1));
    put(sheet, m + 1, 0, cq_str_from(month), NULL);
    put_cell(sheet, (lxw_row_t)(m + 1), 1, &grid->all.months[m], f);
  }
  lay_out(sheet, 3, 12, 11);
}

static void put_people(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  char id[CQ_SEASON_REF_SIZE];
  put(sheet, 0, 0, cq_str_from(_("person")), f->bold);
  put(sheet, 0, 1, cq_str_from(_("group")), f->bold);
  put(sheet, 0, 2, cq_str_from(_("weight")), f->bold);
  for (size_t s = 0; s < grid->season_count; s++)
    put(sheet, 0, 3 + s, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), f->bold);
  for (size_t p = 0; p < grid->people_count && p + 1 < LXW_ROW_MAX; p++) {
    put(sheet, p + 1, 0, grid->people[p].id, NULL);
    put(sheet, p + 1, 1, grid->people[p].group, NULL);
    worksheet_write_number(sheet, (lxw_row_t)(p + 1), 2, grid->people[p].person.weight, NULL);
    for (size_t s = 0; s < grid->season_count; s++)
      put(sheet, p + 1, 3 + s, cq_str_from(cq_cell_name(cq_grid_cell(grid, p, s)->state)), NULL);
  }
  lay_out(sheet, (lxw_col_t)(2 + grid->season_count), 38, 16);
}

cq_status cq_grid_xlsx(const cq_grid *grid, const char *path, cq_error *error) {
  lxw_workbook *book = workbook_new(path);
  if (!book) return cq_error_nomem(error);
  formats f = {workbook_add_format(book), workbook_add_format(book), workbook_add_format(book),
               workbook_add_format(book)};
  bool formatted = f.bold && f.head && f.percent && f.right;
  if (formatted) {
    format_set_bold(f.bold);
    format_set_bold(f.head);
    format_set_text_wrap(f.head);
    format_set_align(f.head, LXW_ALIGN_RIGHT);
    format_set_num_format(f.percent, "0.0%");
    format_set_align(f.right, LXW_ALIGN_RIGHT);
  }
  lxw_worksheet *coverage = workbook_add_worksheet(book, _("Coverage")),
                *months = workbook_add_worksheet(book, _("Months")),
                *people = workbook_add_worksheet(book, _("Persons"));
  if (formatted && coverage && months && people) {
    put_coverage(grid, coverage, &f);
    put_months(grid, months, &f);
    put_people(grid, people, &f);
  }
  lxw_error code = workbook_close(book);
  if (code == LXW_NO_ERROR) return CQ_OK;
  return cq_error_set(error, CQ_IO, "io.write", path, lxw_strerror(code), NULL);
}
