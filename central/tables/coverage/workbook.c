/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as a workbook: a sheet of coverage, one of months, one of persons. */
#include "central/tables/coverage/grid.h"
#include "central/tables/folio/folio.h"
#include "central/tables/words.h"
#include "chasqui/cli.h"

#include <stdio.h>

typedef struct formats {
  cq_folio book;
  lxw_format *percent, *weight;
} formats;

/* Covered, due and weighted share of one group: three columns a season. Where nobody is due, what is covered is neither
 * a number nor missing: a dash. */
static void put_cell(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t at, const cq_coverage *c, const formats *f) {
  worksheet_write_number(sheet, row, (lxw_col_t)(at + 1), (double)c->eligible, NULL);
  if (!c->eligible) {
    cq_folio_put(sheet, row, at, CQ_STR("—"), f->book.right);
    cq_folio_put(sheet, row, at + 2u, CQ_STR("—"), f->book.right);
    return;
  }
  worksheet_write_number(sheet, row, at, (double)c->covered, NULL);
  if (c->eligible_weighted > 0)
    worksheet_write_number(sheet, row, (lxw_col_t)(at + 2), c->covered_weighted / c->eligible_weighted, f->percent);
}

static void put_group(const cq_grid *grid, lxw_worksheet *sheet, size_t row, cq_str name, const cq_grid_group *group,
                      const formats *f) {
  lxw_col_t last = (lxw_col_t)(1 + 3 * grid->season_count);
  cq_folio_put(sheet, row, 0, name, NULL);
  for (size_t s = 0; s < grid->season_count; s++)
    put_cell(sheet, (lxw_row_t)row, (lxw_col_t)(1 + 3 * s), &group->seasons[s], f);
  if (grid->closed)
    worksheet_write_number(sheet, (lxw_row_t)row, last, (double)group->full_cycle, NULL);
  else
    cq_folio_put(sheet, row, last, CQ_STR("—"), f->book.right);
}

/* The title; answers the row of the heads. */
static lxw_row_t put_title(const cq_grid *grid, lxw_worksheet *sheet, const char *title, const formats *f) {
  char day[11];
  cq_buf about = {0};
  cq_date_format(cq_date_from_day(grid->today), day);
  cq_buf_addf(&about, _("Campaign %d, on %s"), (int)grid->campaign, day);
  lxw_row_t row = cq_folio_title(&f->book, sheet, grid->programme, cq_str_from(title), cq_buf_str(&about));
  cq_buf_fini(&about);
  return row;
}

static void lay_out(lxw_worksheet *sheet, lxw_row_t heads, lxw_col_t columns, double first, double others) {
  worksheet_set_column(sheet, 0, 0, first, NULL);
  worksheet_set_column(sheet, 1, columns, others, NULL);
  cq_folio_heads(sheet, heads, 1);
}

static void put_coverage(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  char id[CQ_SEASON_REF_SIZE], head[64];
  cq_buf notes = {0};
  lxw_row_t heads = put_title(grid, sheet, _("Coverage by season"), f), row = heads + 1;
  cq_folio_put(sheet, heads, 0, grid->by.size ? grid->by : cq_str_from(_("group")), f->book.head);
  for (size_t s = 0; s < grid->season_count; s++) {
    const char *const names[] = {_("covered"), _("due"), _("share")};
    cq_season_format(&grid->seasons[s].ref, id);
    for (size_t i = 0; i < 3; i++) {
      snprintf(head, sizeof head, "%s %s", id, names[i]);
      cq_folio_put(sheet, heads, 1 + 3 * s + i, cq_str_from(head), f->book.number_head);
    }
  }
  cq_folio_height(sheet, heads, 2);
  cq_folio_put(sheet, heads, 1 + 3 * grid->season_count, cq_str_from(_("full cycle")), f->book.number_head);
  for (size_t g = 0; g < grid->group_count; g++)
    put_group(grid, sheet, row++, grid->groups[g].name, &grid->groups[g], f);
  put_group(grid, sheet, row++, cq_str_from(_("all")), &grid->all, f);
  cq_buf_addf(&notes, "%s\n%s\n", _("Shares are weighted. — nobody was due, which is not 0 %; 0 is a true nought."),
              _("Full cycle: persons with every season of the campaign covered; — it is not over yet."));
  cq_folio_lines(&f->book, sheet, row + 1, cq_buf_str(&notes));
  cq_buf_fini(&notes);
  lay_out(sheet, heads, (lxw_col_t)(1 + 3 * grid->season_count), 22, 11);
}

static void put_months(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  const char *const names[] = {_("month"), _("covered"), _("due"), _("share")};
  lxw_row_t heads = put_title(grid, sheet, _("Coverage by month"), f);
  for (size_t i = 0; i < 4; i++)
    cq_folio_put(sheet, heads, i, cq_str_from(names[i]), i ? f->book.number_head : f->book.head);
  for (size_t m = 0; m < grid->month_count; m++) {
    char month[16];
    snprintf(month, sizeof month, "%04d-%02d", (int)(grid->months[m] / 12), (int)(grid->months[m] % 12 + 1));
    cq_folio_put(sheet, heads + 1 + m, 0, cq_str_from(month), NULL);
    put_cell(sheet, (lxw_row_t)(heads + 1 + m), 1, &grid->all.months[m], f);
  }
  lay_out(sheet, heads, 3, 12, 11);
}

static void put_people(const cq_grid *grid, lxw_worksheet *sheet, const formats *f) {
  char id[CQ_SEASON_REF_SIZE];
  lxw_row_t heads = put_title(grid, sheet, _("Persons"), f);
  cq_folio_put(sheet, heads, 0, cq_str_from(_("person")), f->book.head);
  cq_folio_put(sheet, heads, 1, grid->by.size ? grid->by : cq_str_from(_("group")), f->book.head);
  cq_folio_put(sheet, heads, 2 + grid->season_count, cq_str_from(_("weight")), f->book.number_head);
  for (size_t s = 0; s < grid->season_count; s++)
    cq_folio_put(sheet, heads, 2 + s, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), f->book.head);
  for (size_t p = 0; p < grid->people_count && heads + 1 + p < LXW_ROW_MAX; p++) {
    size_t row = heads + 1 + p;
    cq_folio_put(sheet, row, 0, grid->people[p].id, NULL);
    cq_folio_put(sheet, row, 1, grid->people[p].group, NULL);
    worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)(2 + grid->season_count), grid->people[p].person.weight,
                           f->weight);
    for (size_t s = 0; s < grid->season_count; s++)
      cq_folio_put(sheet, row, 2 + s, cq_str_from(cq_words_state(cq_grid_cell(grid, p, s)->state)), NULL);
  }
  if (grid->people_count)
    worksheet_autofilter(sheet, heads, 0, (lxw_row_t)(heads + grid->people_count), (lxw_col_t)(2 + grid->season_count));
  lay_out(sheet, heads, (lxw_col_t)(2 + grid->season_count), 38, 16);
}

cq_status cq_grid_xlsx(const cq_grid *grid, const char *path, cq_error *error) {
  formats f = {0};
  lxw_worksheet *coverage = NULL, *months = NULL, *people = NULL;
  cq_status status = cq_folio_begin(&f.book, path, grid->practice, error);
  if (status == CQ_OK) status = cq_folio_sheet(&f.book, _("Coverage"), &coverage, error);
  if (status == CQ_OK) status = cq_folio_sheet(&f.book, _("Months"), &months, error);
  if (status == CQ_OK) status = cq_folio_sheet(&f.book, _("Persons"), &people, error);
  if (status == CQ_OK &&
      (!(f.percent = workbook_add_format(f.book.workbook)) || !(f.weight = workbook_add_format(f.book.workbook))))
    status = cq_error_nomem(error);
  if (status == CQ_OK) {
    format_set_num_format(f.percent, "0.0%");
    format_set_num_format(f.weight, "#,##0.0000");
    put_coverage(grid, coverage, &f);
    put_months(grid, months, &f);
    put_people(grid, people, &f);
  }
  return cq_folio_end(&f.book, status, error);
}
