/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the grid of persons and seasons takes: states, coverage by stratum, season and month. 2,612 persons in five
 * campaigns of four seasons, then a million in one. Reading files is not in it. By hand:
 * build/release/tests/coverage_bench
 */
#include "central/tables/coverage/grid.h"
#include "chasqui/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STRATA = 8, SEASONS = 4, FIRST = 2012 };

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(cq_status status) {
  if (status != CQ_OK) abort();
}

/* Nine of ten seasons have their visit, in every person's own mixture. */
static size_t fill(cq_grid *grid, const cq_calendar *calendar, int32_t campaign, size_t people) {
  static const char *const strata[STRATA] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  int32_t begun = cq_date_to_day((cq_date){campaign, 8, 1});
  must(cq_grid_init(grid, calendar, campaign, begun + 500, NULL));
  for (size_t i = 0; i < people; i++) {
    cq_grid_person p = {.id = CQ_STR("p"),
                        .group = cq_str_from(strata[i % STRATA]),
                        .place = CQ_STR("2107080028"),
                        .person = {.entry = begun - 400, .exit = CQ_DAY_NONE, .weight = 1 + (double)(i % 7)}};
    must(cq_grid_add_person(grid, &p, NULL));
  }
  for (size_t i = 0; i < people; i++) {
    for (int s = 0; s < SEASONS; s++) {
      cq_grid_visit v = {.person = i, .visit = {.season_end = CQ_DAY_NONE, .day = begun + 92 * (s + 1) + 10}};
      char season[16];
      if ((i * SEASONS + (size_t)s) % 10 == 0) continue;
      snprintf(season, sizeof season, "%d-T%d", (int)campaign, s + 1);
      if (!cq_season_parse(cq_str_from(season), &v.visit.season)) abort();
      if (!cq_visit_say(&v.visit, CQ_STR("completa"), CQ_STR(""))) abort();
      must(cq_grid_add_visit(grid, &v, NULL));
    }
  }
  must(cq_grid_close(grid, NULL));
  return grid->people_count * grid->season_count;
}

static void measure(const cq_calendar *calendar, size_t people, int32_t campaigns) {
  double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  size_t cells = 0, covered = 0;
  for (int32_t c = 0; c < campaigns; c++) {
    cq_grid grid = {0};
    cells += fill(&grid, calendar, FIRST + c, people);
    for (size_t s = 0; s < grid.season_count; s++) covered += grid.all.seasons[s].covered;
    cq_grid_fini(&grid);
  }
  wall = seconds(CLOCK_MONOTONIC) - wall;
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%zu persons x %d seasons: %zu cells, %zu covered, %.1f ms (%.1f ms of processors)\n", people,
         (int)campaigns * SEASONS, cells, covered, 1000 * wall, 1000 * cpu);
}

int main(void) {
  cq_calendar *calendar = NULL;
  must(cq_calendar_standard(&calendar, NULL));
  for (int i = 0; i < 3; i++) measure(calendar, 2612, 5);
  measure(calendar, 1000000, 1);
  cq_calendar_free(calendar);
  return 0;
}
