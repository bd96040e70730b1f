/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as JSON and as text. */
#include "central/tables/grid.h"
#include "chasqui/cli.h"

#include <stdio.h>
#include <string.h>

cq_status cq_grid_json(const cq_grid *grid, cq_buf *out, cq_error *error) {
  char id[CQ_SEASON_REF_SIZE];
  cq_buf_add_text(out, "{\"cells\":[");
  for (size_t p = 0; p < grid->people_count; p++) {
    for (size_t s = 0; s < grid->season_count; s++) {
      cq_buf_add_text(out, p || s ? ",\n{\"person\":" : "\n{\"person\":");
      cq_cli_add_json(out, grid->people[p].id);
      cq_buf_addf(out, ",\"season\":\"%s\",\"state\":\"%s\"}", cq_season_format(&grid->seasons[s].ref, id),
                  cq_cell_name(cq_grid_cell(grid, p, s)->state));
    }
  }
  cq_buf_add_text(out, "],\n\"coverage\":[");
  for (size_t s = 0; s < grid->season_count; s++) {
    const cq_coverage *c = &grid->all.seasons[s];
    cq_buf_addf(out,
                "%s\n{\"season\":\"%s\",\"covered\":%zu,\"eligible\":%zu,\"covered_weighted\":%.17g,"
                "\"eligible_weighted\":%.17g}",
                s ? "," : "", cq_season_format(&grid->seasons[s].ref, id), c->covered, c->eligible, c->covered_weighted,
                c->eligible_weighted);
  }
  cq_buf_add_text(out, "],\n\"months\":[");
  for (size_t m = 0; m < grid->month_count; m++) {
    const cq_coverage *c = &grid->all.months[m];
    cq_buf_addf(out, "%s\n{\"month\":\"%04d-%02d\",\"covered\":%zu,\"eligible\":%zu}", m ? "," : "",
                grid->months[m] / 12, grid->months[m] % 12 + 1, c->covered, c->eligible);
  }
  cq_buf_addf(out, "],\n\"people\":%zu,\"full_cycle\":%zu}\n", grid->all.people, grid->all.full_cycle);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

/* "4/5  80.0 %", or a dash where nobody is eligible: nought of nought is no nought per cent. */
static void add_share(cq_buf *out, const cq_coverage *c, int width) {
  char text[64];
  if (!c->eligible) {
    cq_buf_addf(out, "  %*s", width + 2, "—"); /* the dash is three bytes and one column */
    return;
  }
  double share = c->eligible_weighted > 0 ? c->covered_weighted / c->eligible_weighted : 0;
  snprintf(text, sizeof text, "%zu/%zu %5.1f %%", c->covered, c->eligible, 100 * share);
  cq_buf_addf(out, "  %*s", width, text);
}

static void add_group(const cq_grid *grid, cq_buf *out, const char *name, size_t size, const cq_grid_group *group) {
  cq_str text = {name, size};
  size_t columns = cq_utf8_length(text);
  cq_buf_add_str(out, text);
  for (; columns < 20; columns++) cq_buf_add_char(out, ' ');
  for (size_t s = 0; s < grid->season_count; s++) add_share(out, &group->seasons[s], 20);
  if (grid->closed)
    cq_buf_addf(out, "  %12zu", group->full_cycle);
  else
    cq_buf_addf(out, "  %14s", "—");
  cq_buf_add_char(out, '\n');
}

static void add_months(const cq_grid *grid, cq_buf *out) {
  size_t any = 0;
  cq_buf_add_text(out, "\n");
  for (size_t m = 0; m < grid->month_count; m++) {
    const cq_coverage *c = &grid->all.months[m];
    any += c->covered > 0;
    cq_buf_addf(out, "  %04d-%02d", grid->months[m] / 12, grid->months[m] % 12 + 1);
    add_share(out, c, 20);
    cq_buf_add_char(out, '\n');
  }
  cq_buf_addf(out, _("months with at least one record: %zu of %zu\n"), any, grid->month_count);
}

static void add_persons(const cq_grid *grid, cq_buf *out) {
  cq_buf_add_char(out, '\n');
  for (size_t p = 0; p < grid->people_count; p++) {
    cq_buf_add_str(out, grid->people[p].id);
    for (size_t s = 0; s < grid->season_count; s++)
      cq_buf_addf(out, " · %s", cq_cell_name(cq_grid_cell(grid, p, s)->state));
    cq_buf_add_char(out, '\n');
  }
}

cq_status cq_grid_text(const cq_grid *grid, bool persons, cq_buf *out, cq_error *error) {
  char id[CQ_SEASON_REF_SIZE], day[11];
  const char *all = _("all");
  cq_buf_addf(out, _("Campaign %d, on %s\n"), grid->campaign, cq_date_format(cq_date_from_day(grid->today), day));
  cq_buf_addf(out, "%-20s", "");
  for (size_t s = 0; s < grid->season_count; s++)
    cq_buf_addf(out, "  %20s", cq_season_format(&grid->seasons[s].ref, id));
  cq_buf_addf(out, "  %12s\n", _("full cycle"));
  for (size_t g = 0; g < grid->group_count; g++)
    add_group(grid, out, grid->groups[g].name.at, grid->groups[g].name.size, &grid->groups[g]);
  add_group(grid, out, all, strlen(all), &grid->all);
  add_months(grid, out);
  if (persons) add_persons(grid, out);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}
