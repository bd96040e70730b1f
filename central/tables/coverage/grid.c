/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/coverage/grid.h"

#include <stdlib.h>
#include <string.h>

cq_status cq_grid_init(cq_grid *grid, const cq_calendar *calendar, int32_t campaign, int32_t today, cq_error *error) {
  memset(grid, 0, sizeof *grid);
  grid->calendar = calendar;
  grid->campaign = campaign;
  grid->today = today;
  grid->season_count = cq_calendar_campaign(calendar, CQ_STR(""), campaign, grid->seasons);
  if (!grid->season_count) return cq_error_set(error, CQ_NOTFOUND, "central.coverage.campaign", NULL);
  for (size_t s = 0; s < grid->season_count; s++) {
    int32_t months[24];
    size_t n = cq_season_months(&grid->seasons[s], months, 24);
    for (size_t i = 0; i < n && i < 24 && grid->month_count < 24; i++)
      if (!grid->month_count || grid->months[grid->month_count - 1] < months[i])
        grid->months[grid->month_count++] = months[i];
  }
  if (!(grid->arena = cq_arena_new(0))) return cq_error_nomem(error);
  return CQ_OK;
}

void cq_grid_fini(cq_grid *grid) {
  cq_arena_free(grid->arena);
  free(grid->people);
  free(grid->visits);
  free(grid->sorted);
  free(grid->zones);
  free(grid->cells);
  free(grid->groups);
  memset(grid, 0, sizeof *grid);
}

/* Room for one more element of an array. */
static void *grown(void *array, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return array;
  size_t more = *capacity ? *capacity * 2 : 256;
  void *bigger = realloc(array, more * size);
  if (bigger) *capacity = more;
  return bigger;
}

cq_status cq_grid_add_person(cq_grid *grid, const cq_grid_person *person, cq_error *error) {
  void *people = grown(grid->people, grid->people_count, &grid->people_capacity, sizeof *grid->people);
  if (!people) return cq_error_nomem(error);
  grid->people = people;
  grid->people[grid->people_count++] = *person;
  return CQ_OK;
}

cq_status cq_grid_add_visit(cq_grid *grid, const cq_grid_visit *visit, cq_error *error) {
  void *visits = grown(grid->visits, grid->visit_count, &grid->visit_capacity, sizeof *grid->visits);
  if (!visits) return cq_error_nomem(error);
  grid->visits = visits;
  grid->visits[grid->visit_count++] = *visit;
  return CQ_OK;
}

/* Each person's visits side by side, and so the visits themselves, whose months are needed again. */
static cq_status sort_visits(cq_grid *grid, size_t *first, cq_error *error) {
  cq_grid_visit *visits = malloc((grid->visit_count + 1) * sizeof *visits);
  grid->sorted = malloc((grid->visit_count + 1) * sizeof *grid->sorted);
  if (!visits || !grid->sorted) {
    free(visits);
    return cq_error_nomem(error);
  }
  for (size_t i = 0; i < grid->visit_count; i++) first[grid->visits[i].person + 1]++;
  for (size_t p = 0; p < grid->people_count; p++) first[p + 1] += first[p];
  for (size_t i = grid->visit_count; i-- > 0;) { /* from behind: `first` ends one place early, and order is kept */
    size_t to = --first[grid->visits[i].person + 1];
    visits[to] = grid->visits[i];
    grid->sorted[to] = grid->visits[i].visit;
  }
  /* first[p + 1] is now where p begins; where p ends is where p + 1 begins */
  for (size_t p = 0; p < grid->people_count; p++) {
    cq_person *person = &grid->people[p].person;
    size_t end = p + 1 < grid->people_count ? first[p + 2] : grid->visit_count;
    person->visits = grid->sorted + first[p + 1];
    person->visit_count = end - first[p + 1];
  }
  free(grid->visits);
  grid->visits = visits;
  grid->visit_capacity = grid->visit_count + 1;
  return CQ_OK;
}

static cq_status find_zones(cq_grid *grid, cq_error *error) {
  cq_levels places = {0};
  uint32_t *zone = malloc((grid->people_count + 1) * sizeof *zone);
  cq_status status = CQ_OK;
  for (size_t p = 0; zone && p < grid->people_count; p++)
    if ((zone[p] = cq_levels_number(&places, grid->people[p].place)) == UINT32_MAX) status = CQ_NOMEM;
  grid->zones = calloc(places.count + 1, sizeof *grid->zones);
  if (!zone || !grid->zones || status != CQ_OK) {
    status = cq_error_nomem(error);
  } else {
    for (size_t z = 0; z < places.count; z++) {
      cq_season own[CQ_CALENDAR_MAX_SEASONS];
      size_t n = cq_calendar_campaign(grid->calendar, places.names[z], grid->campaign, own);
      for (size_t s = 0; s < grid->season_count; s++) { /* a column is a code; a zone may date it otherwise */
        grid->zones[z][s] = (cq_season){.ref = grid->seasons[s].ref};
        for (size_t i = 0; i < n; i++)
          if (cq_season_same(&own[i].ref, &grid->seasons[s].ref)) grid->zones[z][s] = own[i];
      }
    }
    for (size_t p = 0; p < grid->people_count; p++) {
      grid->people[p].person.seasons = grid->zones[zone[p]];
      grid->people[p].person.season_count = grid->season_count;
    }
  }
  free(zone);
  cq_levels_fini(&places);
  return status;
}

/* The columns' months, as bits, that a person's complete visits rest on. */
static uint32_t months_of(const cq_grid *grid, const cq_person *person) {
  uint32_t bits = 0;
  size_t first = (size_t)(person->visits - grid->sorted);
  for (size_t v = first; v < first + person->visit_count; v++) {
    const cq_grid_visit *visit = &grid->visits[v];
    if (visit->visit.result != CQ_VISIT_COMPLETE) continue;
    if (!visit->months.size) {
      for (size_t s = 0; s < person->season_count; s++) {
        if (!cq_season_same(&person->seasons[s].ref, &visit->visit.season)) continue;
        int32_t own[24];
        size_t n = cq_season_months(&person->seasons[s], own, 24);
        for (size_t i = 0; i < n && i < 24; i++)
          for (size_t m = 0; m < grid->month_count; m++)
            if (grid->months[m] == own[i]) bits |= 1u << m;
      }
    }
    for (size_t i = 0; i + 7 <= visit->months.size; i += 8) { /* "2012-08 2012-09" */
      char iso[11];
      cq_date date;
      memcpy(iso, visit->months.at + i, 7);
      memcpy(iso + 7, "-01", 4);
      if (!cq_date_parse(cq_str_from(iso), &date)) break;
      for (size_t m = 0; m < grid->month_count; m++)
        if (grid->months[m] == date.year * 12 + date.month - 1) bits |= 1u << m;
    }
  }
  return bits;
}

static size_t season_of_month(const cq_grid *grid, const cq_person *person, size_t month) {
  cq_date first = {grid->months[month] / 12, (int8_t)(grid->months[month] % 12 + 1), 1};
  int32_t day = cq_date_to_day(first);
  for (size_t s = 0; s < person->season_count; s++)
    if (person->seasons[s].start <= day && day < person->seasons[s].end) return s;
  return SIZE_MAX;
}

static void add_to_group(const cq_grid *grid, cq_grid_group *group, const cq_person *person, const cq_cell *cells,
                         uint32_t months, bool full_cycle) {
  group->people++;
  group->weight += person->weight;
  if (full_cycle) {
    group->full_cycle++;
    group->full_cycle_weighted += person->weight;
  }
  for (size_t s = 0; s < grid->season_count; s++) cq_coverage_add(&group->seasons[s], &cells[s], person->weight);
  for (size_t m = 0; m < grid->month_count; m++) {
    size_t s = season_of_month(grid, person, m);
    if (s == SIZE_MAX || !cq_cell_eligible(cells[s].state)) continue;
    group->months[m].eligible++;
    group->months[m].eligible_weighted += person->weight;
    if (!(months & 1u << m)) continue;
    group->months[m].covered++;
    group->months[m].covered_weighted += person->weight;
  }
}

static int by_name(const void *a, const void *b) {
  return cq_str_compare(((const cq_grid_group *)a)->name, ((const cq_grid_group *)b)->name);
}

static cq_status make_groups(cq_grid *grid, cq_levels *names, cq_error *error) {
  for (size_t p = 0; p < grid->people_count; p++)
    if (grid->people[p].group.size && cq_levels_number(names, grid->people[p].group) == UINT32_MAX)
      return cq_error_nomem(error);
  grid->group_count = names->count;
  if (!(grid->groups = calloc(names->count + 1, sizeof *grid->groups))) return cq_error_nomem(error);
  for (size_t g = 0; g < names->count; g++) grid->groups[g].name = names->names[g];
  return CQ_OK;
}

static void fill(cq_grid *grid, const cq_levels *names) {
  grid->closed = true;
  for (size_t s = 0; s < grid->season_count; s++)
    if (grid->today < grid->seasons[s].end) grid->closed = false;
  for (size_t p = 0; p < grid->people_count; p++) {
    const cq_person *person = &grid->people[p].person;
    cq_cell *cells = grid->cells + p * grid->season_count;
    size_t asked = 0;
    for (size_t s = 0; s < grid->season_count; s++) {
      if (person->seasons[s].end > person->seasons[s].start)
        cells[s] = cq_panel_cell(&person->seasons[s], person, grid->today);
      else /* the person's zone has no such season */
        cells[s] = (cq_cell){.state = CQ_CELL_NOT_ELIGIBLE, .lag = CQ_DAY_NONE, .last_day = CQ_DAY_NONE};
      asked += cells[s].attempts;
      grid->conflicts += cells[s].conflict;
      grid->early += cells[s].early;
      grid->after_today += cells[s].after_today;
    }
    grid->other += person->visit_count > asked ? person->visit_count - asked : 0;
    bool closed;
    bool whole = cq_panel_full_cycle(cells, grid->season_count, &closed);
    uint32_t months = months_of(grid, person);
    add_to_group(grid, &grid->all, person, cells, months, whole);
    if (grid->people[p].group.size)
      add_to_group(grid, &grid->groups[cq_levels_find(names, grid->people[p].group)], person, cells, months, whole);
  }
}

cq_status cq_grid_close(cq_grid *grid, cq_error *error) {
  cq_levels names = {0};
  size_t *first = calloc(grid->people_count + 2, sizeof *first);
  grid->cells = calloc(grid->people_count * grid->season_count + 1, sizeof *grid->cells);
  cq_status status = first && grid->cells ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = sort_visits(grid, first, error);
  if (status == CQ_OK) status = find_zones(grid, error);
  if (status == CQ_OK) status = make_groups(grid, &names, error);
  if (status == CQ_OK) {
    fill(grid, &names);
    qsort(grid->groups, grid->group_count, sizeof *grid->groups, by_name);
  }
  free(first);
  cq_levels_fini(&names);
  return status;
}

const cq_cell *cq_grid_cell(const cq_grid *grid, size_t person, size_t season) {
  return &grid->cells[person * grid->season_count + season];
}
