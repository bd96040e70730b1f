/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as JSON and as text. */
#include "central/tables/coverage/grid.h"
#include "central/tables/words.h"
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

/* A name, four seasons and the full cycle are 80 columns. More seasons stand in blocks below one another. */
enum { NAME_WIDTH = 17, SEASON_WIDTH = 11, CYCLE_WIDTH = 14, SEASONS_IN_LINE = 4 };
/* The longest state, "vencida parcial", is 15. */
enum { PERSON_WIDTH = 16, STATE_WIDTH = 15 };

/* Without the blanks of a column that holds nothing. */
static void end_line(cq_buf *out) {
  while (out->size && out->at[out->size - 1] == ' ') out->size--;
  cq_buf_add_char(out, '\n');
}

/* "4/5", or a dash where nobody is eligible: nought of nought is no nought per cent. */
static void add_counts(cq_buf *out, const cq_coverage *c, int width) {
  char text[64];
  snprintf(text, sizeof text, "%zu/%zu", c->covered, c->eligible);
  cq_data_column(out, c->eligible ? cq_str_from(text) : CQ_STR("—"), width);
}

static void add_share(cq_buf *out, const cq_coverage *c, int width) {
  char text[64] = "";
  double share = c->eligible_weighted > 0 ? c->covered_weighted / c->eligible_weighted : 0;
  if (c->eligible) snprintf(text, sizeof text, "%.1f %%", 100 * share);
  cq_data_column(out, cq_str_from(text), width);
}

/* The seasons from..to of one group: persons covered of those due, and below it the weighted share. */
static void add_group(const cq_grid *grid, cq_buf *out, cq_str name, const cq_grid_group *group, size_t from,
                      size_t to) {
  char cycle[32];
  cq_data_column(out, name, -NAME_WIDTH);
  for (size_t s = from; s < to; s++) {
    cq_buf_add_char(out, ' ');
    add_counts(out, &group->seasons[s], SEASON_WIDTH);
  }
  snprintf(cycle, sizeof cycle, "%zu", group->full_cycle);
  if (to == grid->season_count) {
    cq_buf_add_char(out, ' ');
    cq_data_column(out, grid->closed ? cq_str_from(cycle) : CQ_STR("—"), CYCLE_WIDTH);
  }
  end_line(out);
  cq_data_column(out, CQ_STR(""), NAME_WIDTH);
  for (size_t s = from; s < to; s++) {
    cq_buf_add_char(out, ' ');
    add_share(out, &group->seasons[s], SEASON_WIDTH);
  }
  end_line(out);
}

static void add_seasons(const cq_grid *grid, cq_buf *out, size_t from, size_t to) {
  char id[CQ_SEASON_REF_SIZE];
  cq_data_column(out, CQ_STR(""), NAME_WIDTH);
  for (size_t s = from; s < to; s++) {
    cq_buf_add_char(out, ' ');
    cq_data_column(out, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), SEASON_WIDTH);
  }
  if (to == grid->season_count) {
    cq_buf_add_char(out, ' ');
    cq_data_column(out, cq_str_from(_("full cycle")), CYCLE_WIDTH);
  }
  end_line(out);
  for (size_t g = 0; g < grid->group_count; g++) add_group(grid, out, grid->groups[g].name, &grid->groups[g], from, to);
  add_group(grid, out, cq_str_from(_("all")), &grid->all, from, to);
}

static void add_months(const cq_grid *grid, cq_buf *out) {
  size_t any = 0;
  cq_buf_add_text(out, "\n");
  for (size_t m = 0; m < grid->month_count; m++) {
    const cq_coverage *c = &grid->all.months[m];
    any += c->covered > 0;
    cq_buf_addf(out, "  %04d-%02d", grid->months[m] / 12, grid->months[m] % 12 + 1);
    add_counts(out, c, 2 * SEASON_WIDTH);
    add_share(out, c, SEASON_WIDTH);
    end_line(out);
  }
  cq_buf_addf(out, _("months with at least one record: %zu of %zu\n"), any, grid->month_count);
}

static void add_persons(const cq_grid *grid, cq_buf *out) {
  char id[CQ_SEASON_REF_SIZE];
  cq_buf_add_char(out, '\n');
  cq_data_column(out, cq_str_from(_("person")), -PERSON_WIDTH);
  for (size_t s = 0; s < grid->season_count; s++) {
    cq_buf_add_char(out, ' ');
    cq_data_column(out, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), -STATE_WIDTH);
  }
  end_line(out);
  for (size_t p = 0; p < grid->people_count; p++) {
    if (cq_utf8_length(grid->people[p].id) <= PERSON_WIDTH)
      cq_data_column(out, grid->people[p].id, -PERSON_WIDTH);
    else
      cq_buf_add_str(out, grid->people[p].id); /* never cut: it is what one looks for */
    for (size_t s = 0; s < grid->season_count; s++) {
      cq_buf_add_char(out, ' ');
      cq_str state = cq_str_from(cq_words_state(cq_grid_cell(grid, p, s)->state));
      if (s + 1 < grid->season_count)
        cq_data_column(out, state, -STATE_WIDTH);
      else
        cq_buf_add_str(out, state);
    }
    end_line(out);
  }
}

cq_status cq_grid_text(const cq_grid *grid, bool persons, cq_buf *out, cq_error *error) {
  char day[11];
  cq_buf_addf(out, _("Campaign %d, on %s\n"), grid->campaign, cq_date_format(cq_date_from_day(grid->today), day));
  for (size_t from = 0; from < grid->season_count; from += SEASONS_IN_LINE) {
    size_t left = grid->season_count - from;
    add_seasons(grid, out, from, from + (left < SEASONS_IN_LINE ? left : SEASONS_IN_LINE));
  }
  add_months(grid, out);
  if (persons) add_persons(grid, out);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}
