/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as a workbook: a sheet of coverage, one of months, one of persons. */
#include "central/tables/grid.h"
#include "chasqui/cli.h"

#include <errno.h>
#include <string.h>

#include <xlsxwriter.h>

static void put(lxw_worksheet *sheet, size_t row, size_t column, cq_str text, lxw_format *format) {
  char cell[512];
  size_t size = text.size < sizeof cell - 1 ? text.size : sizeof cell - 1;
  if (size) memcpy(cell, text.at, size);
  cell[size] = '\0';
  worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, cell, format);
}

/* Covered, due and weighted share of one group: three columns a season. Nobody due leaves the share blank, not 0. */
static void put_group(const cq_grid *grid, lxw_worksheet *sheet, size_t row, cq_str name, const cq_grid_group *group,
                      lxw_format *percent) {
  put(sheet, row, 0, name, NULL);
  for (size_t s = 0; s < grid->season_count; s++) {
    const cq_coverage *c = &group->seasons[s];
    lxw_col_t at = (lxw_col_t)(1 + 3 * s);
    worksheet_write_number(sheet, (lxw_row_t)row, at, (double)c->covered, NULL);
    worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)(at + 1), (double)c->eligible, NULL);
    if (c->eligible_weighted > 0)
      worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)(at + 2), c->covered_weighted / c->eligible_weighted,
                             percent);
  }
  if (grid->closed)
    worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)(1 + 3 * grid->season_count), (double)group->full_cycle,
                           NULL);
}

static void put_coverage(const cq_grid *grid, lxw_worksheet *sheet, lxw_format *bold, lxw_format *percent) {
  char id[CQ_SEASON_REF_SIZE], head[64];
  for (size_t s = 0; s < grid->season_count; s++) {
    const char *const heads[] = {_("covered"), _("due"), _("share")};
    cq_season_format(&grid->seasons[s].ref, id);
    for (size_t i = 0; i < 3; i++) {
      snprintf(head, sizeof head, "%s %s", id, heads[i]);
      put(sheet, 0, 1 + 3 * s + i, cq_str_from(head), bold);
    }
  }
  put(sheet, 0, 1 + 3 * grid->season_count, cq_str_from(_("full cycle")), bold);
  for (size_t g = 0; g < grid->group_count; g++)
    put_group(grid, sheet, g + 1, grid->groups[g].name, &grid->groups[g], percent);
  put_group(grid, sheet, grid->group_count + 1, cq_str_from(_("all")), &grid->all, percent);
  if (grid->practice)
    put(sheet, grid->group_count + 3, 0, cq_str_from(_("*** PRACTICE: nothing here is real data ***")), bold);
}

static void put_months(const cq_grid *grid, lxw_worksheet *sheet, lxw_format *bold, lxw_format *percent) {
  const char *const heads[] = {_("month"), _("covered"), _("due"), _("share")};
  for (size_t i = 0; i < 4; i++) put(sheet, 0, i, cq_str_from(heads[i]), bold);
  for (size_t m = 0; m < grid->month_count; m++) {
    const cq_coverage *c = &grid->all.months[m];
    char month[16];
    lxw_row_t row = (lxw_row_t)(m + 1);
    snprintf(month, sizeof month, "%04d-%02d", (int)(grid->months[m] / 12), (int)(grid->months[m] % 12 + 1));
    put(sheet, row, 0, cq_str_from(month), NULL);
    worksheet_write_number(sheet, row, 1, (double)c->covered, NULL);
    worksheet_write_number(sheet, row, 2, (double)c->eligible, NULL);
    if (c->eligible_weighted > 0)
      worksheet_write_number(sheet, row, 3, c->covered_weighted / c->eligible_weighted, percent);
  }
}

static void put_people(const cq_grid *grid, lxw_worksheet *sheet, lxw_format *bold) {
  char id[CQ_SEASON_REF_SIZE];
  put(sheet, 0, 0, cq_str_from(_("person")), bold);
  put(sheet, 0, 1, cq_str_from(_("group")), bold);
  put(sheet, 0, 2, cq_str_from(_("weight")), bold);
  for (size_t s = 0; s < grid->season_count; s++)
    put(sheet, 0, 3 + s, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), bold);
  for (size_t p = 0; p < grid->people_count && p + 1 < LXW_ROW_MAX; p++) {
    put(sheet, p + 1, 0, grid->people[p].id, NULL);
    put(sheet, p + 1, 1, grid->people[p].group, NULL);
    worksheet_write_number(sheet, (lxw_row_t)(p + 1), 2, grid->people[p].person.weight, NULL);
    for (size_t s = 0; s < grid->season_count; s++)
      put(sheet, p + 1, 3 + s, cq_str_from(cq_cell_name(cq_grid_cell(grid, p, s)->state)), NULL);
  }
  worksheet_freeze_panes(sheet, 1, 1);
}

cq_status cq_grid_xlsx(const cq_grid *grid, const char *path, cq_error *error) {
  lxw_workbook *book = workbook_new(path);
  if (!book) return cq_error_nomem(error);
  lxw_format *bold = workbook_add_format(book), *percent = workbook_add_format(book);
  if (bold) format_set_bold(bold);
  if (percent) format_set_num_format(percent, "0.0%");
  lxw_worksheet *coverage = workbook_add_worksheet(book, _("Coverage")),
                *months = workbook_add_worksheet(book, _("Months")),
                *people = workbook_add_worksheet(book, _("Persons"));
  if (bold && percent && coverage && months && people) {
    put_coverage(grid, coverage, bold, percent);
    put_months(grid, months, bold, percent);
    put_people(grid, people, bold);
  }
  lxw_error code = workbook_close(book);
  if (code == LXW_NO_ERROR) return CQ_OK;
  return cq_error_set(error, CQ_IO, "io.write", path, lxw_strerror(code), NULL);
}
