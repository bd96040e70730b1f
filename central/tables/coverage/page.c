/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grid as CSV and as a page. The page is complete in itself: no script, no
 * font, no address. Its pictures say everything in print and without colour:
 * each cell bears its figure or letter, and shades differ in lightness.
 */
#include "central/tables/coverage/grid.h"
#include "central/tables/words.h"
#include "chasqui/cli.h"

#include <stdio.h>
#include <string.h>

enum { PEOPLE_SHOWN = 5000, CELL_WIDTH = 78, CELL_HEIGHT = 34, HEAD_HEIGHT = 46, NAME_WIDTH = 150 };

cq_status cq_grid_csv(const cq_grid *grid, cq_buf *out, cq_error *error) {
  static const char *const heads[] = {"person", "group", "season", "state", "lag", "attempts", "weight"};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cq_csv_add_field(out, i == 0, cq_str_from(heads[i]), true);
  cq_csv_end_row(out);
  for (size_t p = 0; p < grid->people_count; p++) {
    for (size_t s = 0; s < grid->season_count; s++) {
      const cq_cell *cell = cq_grid_cell(grid, p, s);
      char id[CQ_SEASON_REF_SIZE], lag[16] = "", attempts[16], weight[32];
      if (cell->lag != CQ_DAY_NONE) snprintf(lag, sizeof lag, "%d", (int)cell->lag);
      snprintf(attempts, sizeof attempts, "%u", (unsigned)cell->attempts);
      snprintf(weight, sizeof weight, "%.15g", grid->people[p].person.weight);
      cq_csv_add_field(out, true, grid->people[p].id, true);
      cq_csv_add_field(out, false, grid->people[p].group, true);
      cq_csv_add_field(out, false, cq_str_from(cq_season_format(&grid->seasons[s].ref, id)), true);
      cq_csv_add_field(out, false, cq_str_from(cq_cell_name(cell->state)), true);
      cq_csv_add_field(out, false, cq_str_from(lag), true);
      cq_csv_add_field(out, false, cq_str_from(attempts), true);
      cq_csv_add_field(out, false, cq_str_from(weight), true);
      cq_csv_end_row(out);
    }
  }
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

/* --- a heat map --- */

typedef struct heat_map {
  const char *title;
  size_t columns;
  const cq_coverage *(*cell)(const cq_grid_group *group, size_t column);
  void (*head)(const cq_grid *grid, size_t column, char first[32], char second[32]);
} heat_map;

static void add_text(cq_buf *out, double x, double y, const char *attributes, cq_str text) {
  cq_buf_addf(out, "<text x=\"%.0f\" y=\"%.0f\" %s>", x, y, attributes);
  cq_buf_add_xml(out, text, false);
  cq_buf_add_text(out, "</text>\n");
}

/* Full coverage is dark; none of those who were due is white within a heavy frame; nobody due is a dash and dots. */
static void add_heat_cell(cq_buf *out, const cq_coverage *c, double x, double y) {
  char text[32];
  double middle = x + CELL_WIDTH / 2.0;
  if (!c->eligible) {
    cq_buf_addf(out,
                "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"#fff\" stroke=\"#888\" "
                "stroke-dasharray=\"2 3\"/>\n",
                x + 2, y + 2, CELL_WIDTH - 4, CELL_HEIGHT - 4);
    add_text(out, middle, y + 21, "text-anchor=\"middle\" fill=\"#555\"", CQ_STR("—"));
    return;
  }
  double share = c->eligible_weighted > 0 ? c->covered_weighted / c->eligible_weighted : 0;
  int light = (int)(255 - 200 * share);
  cq_buf_addf(out,
              "<rect x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"rgb(%d,%d,%d)\" stroke=\"#222\" "
              "stroke-width=\"%s\"/>\n",
              x + 2, y + 2, CELL_WIDTH - 4, CELL_HEIGHT - 4, light, light, light < 235 ? light + 20 : 255,
              share > 0 ? "0.5" : "2.5");
  const char *ink = share > 0.5 ? "text-anchor=\"middle\" fill=\"#fff\"" : "text-anchor=\"middle\" fill=\"#000\"";
  snprintf(text, sizeof text, "%.0f %%", 100 * share);
  add_text(out, middle, y + 16, ink, cq_str_from(text));
  snprintf(text, sizeof text, "%zu/%zu", c->covered, c->eligible);
  cq_buf_addf(out, "<text x=\"%.0f\" y=\"%.0f\" font-size=\"10\" %s>%s</text>\n", middle, y + 28, ink, text);
}

static void add_heat_row(const heat_map *map, cq_buf *out, cq_str name, const cq_grid_group *group, double y) {
  add_text(out, 4, y + 21, "fill=\"#000\"", name);
  for (size_t c = 0; c < map->columns; c++)
    add_heat_cell(out, map->cell(group, c), NAME_WIDTH + (double)c * CELL_WIDTH, y);
}

static void add_heat_map(const cq_grid *grid, const heat_map *map, cq_buf *out) {
  size_t rows = grid->group_count + 1;
  size_t width = NAME_WIDTH + map->columns * CELL_WIDTH + 4, height = HEAD_HEIGHT + rows * CELL_HEIGHT + 4;
  cq_buf_addf(out,
              "<h2>%s</h2>\n<div class=\"w\"><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %zu\" "
              "width=\"%zu\" role=\"img\" "
              "font-family=\"sans-serif\" font-size=\"13\">\n<title>%s</title>\n",
              map->title, width, height, width, map->title);
  for (size_t c = 0; c < map->columns; c++) {
    char first[32] = "", second[32] = "";
    double x = NAME_WIDTH + ((double)c + 0.5) * CELL_WIDTH;
    map->head(grid, c, first, second);
    add_text(out, x, 18, "text-anchor=\"middle\" font-weight=\"bold\"", cq_str_from(first));
    cq_buf_addf(out, "<text x=\"%.0f\" y=\"35\" font-size=\"10\" text-anchor=\"middle\" fill=\"#333\">%s</text>\n", x,
                second);
  }
  for (size_t g = 0; g < grid->group_count; g++)
    add_heat_row(map, out, grid->groups[g].name, &grid->groups[g], HEAD_HEIGHT + (double)g * CELL_HEIGHT);
  add_heat_row(map, out, cq_str_from(_("all")), &grid->all, HEAD_HEIGHT + (double)grid->group_count * CELL_HEIGHT);
  cq_buf_add_text(out, "</svg></div>\n");
}

static const cq_coverage *season_cell(const cq_grid_group *group, size_t column) {
  return &group->seasons[column];
}

static const cq_coverage *month_cell(const cq_grid_group *group, size_t column) {
  return &group->months[column];
}

static void season_head(const cq_grid *grid, size_t column, char first[32], char second[32]) {
  char from[11], to[11];
  snprintf(first, 32, "%s", grid->seasons[column].ref.code);
  cq_date_format(cq_date_from_day(grid->seasons[column].start), from);
  cq_date_format(cq_date_from_day(grid->seasons[column].end - 1), to);
  snprintf(second, 32, "%.7s–%.2s", from, to + 5);
}

static void month_head(const cq_grid *grid, size_t column, char first[32], char second[32]) {
  snprintf(first, 32, "%02d", (int)(grid->months[column] % 12 + 1));
  snprintf(second, 32, "%04d", (int)(grid->months[column] / 12));
}

/* --- the tables --- */

static void add_states(const cq_grid *grid, cq_buf *out) {
  char id[CQ_SEASON_REF_SIZE];
  cq_buf_addf(out, "<h2>%s</h2>\n<table><thead><tr><th>%s</th><th>%s</th>", _("States of the cells"), _("mark"),
              _("state"));
  for (size_t s = 0; s < grid->season_count; s++)
    cq_buf_addf(out, "<th>%s</th>", cq_season_format(&grid->seasons[s].ref, id));
  cq_buf_add_text(out, "</tr></thead><tbody>\n");
  for (int state = 0; state < CQ_CELL_STATES; state++) {
    char letter = cq_cell_letter((cq_cell_state)state);
    cq_buf_addf(out, "<tr><td class=\"s s%d\">%c</td><td>%s</td>", state, letter, cq_words_state((cq_cell_state)state));
    for (size_t s = 0; s < grid->season_count; s++)
      cq_buf_addf(out, "<td class=\"n\">%zu</td>", grid->all.seasons[s].states[state]);
    cq_buf_add_text(out, "</tr>\n");
  }
  cq_buf_add_text(out, "</tbody></table>\n");
}

static void add_people(const cq_grid *grid, cq_buf *out) {
  char id[CQ_SEASON_REF_SIZE];
  cq_buf_addf(out, "<h2>%s</h2>\n<table><thead><tr><th>%s</th>", _("Persons"), _("person"));
  for (size_t s = 0; s < grid->season_count; s++)
    cq_buf_addf(out, "<th>%s</th>", cq_season_format(&grid->seasons[s].ref, id));
  cq_buf_add_text(out, "</tr></thead><tbody>\n");
  for (size_t p = 0; p < grid->people_count && p < PEOPLE_SHOWN; p++) {
    cq_buf_add_text(out, "<tr><td>");
    cq_buf_add_xml(out, grid->people[p].id, false);
    cq_buf_add_text(out, "</td>");
    for (size_t s = 0; s < grid->season_count; s++) {
      cq_cell_state state = cq_grid_cell(grid, p, s)->state;
      cq_buf_addf(out, "<td class=\"s s%d\" title=\"%s\">%c</td>", (int)state, cq_words_state(state),
                  cq_cell_letter(state));
    }
    cq_buf_add_text(out, "</tr>\n");
  }
  cq_buf_add_text(out, "</tbody></table>\n");
  if (grid->people_count > PEOPLE_SHOWN)
    cq_buf_addf(out, _("<p>%zu more persons are in the CSV.</p>\n"), grid->people_count - (size_t)PEOPLE_SHOWN);
}

const char cq_grid_html_style[] =
    "body{font-family:sans-serif;margin:2em;color:#000;background:#fff}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:2px 8px;font-size:90%}td.n{text-align:right}"
    "td.s{text-align:center;font-family:monospace;font-weight:bold;min-width:3em}"
    /* dark: covered; grey: still open; hatched: lost or refused; white: not due */
    "td.s3{background:#234;color:#fff}td.s4{background:#456;color:#fff}td.s5{background:#678;color:#fff}"
    "td.s6,td.s7{background:#eee}td.s8,td.s9{background:#ccc}"
    "td.s10{background:repeating-linear-gradient(45deg,#fff,#fff 4px,#aaa 4px,#aaa 6px)}"
    "td.s11{background:repeating-linear-gradient(-45deg,#fff,#fff 4px,#aaa 4px,#aaa 6px)}"
    ".practice{border:4px solid #000;padding:.5em;font-weight:bold;text-align:center}"
    ".w{overflow-x:auto}svg{max-width:100%;min-width:28em;height:auto}"
    "@media "
    "print{body{margin:0}*{print-color-adjust:exact}svg{min-width:0}tr{break-inside:avoid}h2{break-after:avoid}}";

static void add_summary(const cq_grid *grid, cq_buf *out) {
  size_t any = 0;
  char day[11];
  for (size_t m = 0; m < grid->month_count; m++) any += grid->all.months[m].covered > 0;
  cq_buf_addf(out, "<h1>");
  cq_buf_addf(out, _("Campaign %d, on %s\n"), (int)grid->campaign, cq_date_format(cq_date_from_day(grid->today), day));
  cq_buf_add_text(out, "</h1>\n<p>");
  cq_buf_addf(out, _("months with at least one record: %zu of %zu\n"), any, grid->month_count);
  cq_buf_add_text(out, "</p>\n<p>");
  if (grid->closed)
    cq_buf_addf(out, _("persons with the full cycle: %zu of %zu\n"), grid->all.full_cycle, grid->all.people);
  else
    cq_buf_add_text(out, _("The campaign is not over: nobody has a full cycle yet."));
  cq_buf_add_text(out, "</p>\n");
}

void cq_grid_html_body(const cq_grid *grid, cq_buf *out) {
  const heat_map seasons = {_("Coverage by season"), grid->season_count, season_cell, season_head};
  const heat_map months = {_("Coverage by month"), grid->month_count, month_cell, month_head};
  add_summary(grid, out);
  add_heat_map(grid, &seasons, out);
  add_heat_map(grid, &months, out);
  cq_buf_addf(out, "<p>%s</p>\n",
              _("Shares are weighted; below them persons covered and persons due. Dark is covered; a heavy "
                "frame is none of those due; a dash is nobody due yet."));
  add_states(grid, out);
  add_people(grid, out);
}

cq_status cq_grid_html(const cq_grid *grid, cq_buf *out, cq_error *error) {
  cq_buf_addf(out,
              "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>Chasqui "
              "%d</title>\n<style>%s</style></head><body>\n",
              cq_words_language(NULL), (int)grid->campaign, cq_grid_html_style);
  if (grid->practice)
    cq_buf_addf(out, "<p class=\"practice\">%s</p>\n", _("*** PRACTICE: nothing here is real data ***"));
  cq_buf_add_text(out, "<p><b>");
  cq_buf_add_xml(out, grid->programme, false);
  cq_buf_add_text(out, "</b></p>\n");
  cq_grid_html_body(grid, out);
  cq_buf_add_text(out, "</body></html>\n");
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}
