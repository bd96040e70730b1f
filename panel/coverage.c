/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/panel.h"

#include <stdlib.h>

void cq_coverage_add(cq_coverage *coverage, const cq_cell *cell, double weight) {
  coverage->states[cell->state]++;
  if (!cq_cell_eligible(cell->state)) return;
  coverage->eligible++;
  coverage->eligible_weighted += weight;
  if (!cq_cell_covered(cell->state)) return;
  coverage->covered++;
  coverage->covered_weighted += weight;
}

bool cq_panel_full_cycle(const cq_cell *cells, size_t count, bool *closed) {
  bool whole = false;
  *closed = true;
  for (size_t i = 0; i < count; i++) {
    if (cells[i].state == CQ_CELL_FUTURE) *closed = false;
    if (!cq_cell_eligible(cells[i].state)) continue;
    if (!cq_cell_covered(cells[i].state)) return false;
    whole = true;
  }
  return whole && *closed;
}

void cq_panel_months(const cq_season *seasons, size_t season_count, const int32_t *months, size_t month_count,
                     cq_month_coverage *coverage) {
  const size_t most = sizeof coverage->month / sizeof *coverage->month;
  *coverage = (cq_month_coverage){.count = 0};
  for (size_t s = 0; s < season_count; s++) {
    int32_t touched[24];
    size_t n = cq_season_months(&seasons[s], touched, 24);
    for (size_t i = 0; i < n && i < 24 && coverage->count < most; i++) {
      /* a boundary within a month gives that month to two seasons: it counts once */
      if (coverage->count && coverage->month[coverage->count - 1] >= touched[i]) continue;
      coverage->month[coverage->count++] = touched[i];
    }
  }
  for (size_t i = 0; i < coverage->count; i++) {
    for (size_t j = 0; j < month_count && !coverage->covered[i]; j++)
      coverage->covered[i] = months[j] == coverage->month[i];
    coverage->covered_count += coverage->covered[i];
  }
}

static int compare_day(int32_t a, int32_t b) {
  return (a > b) - (a < b);
}

static int compare_due(const void *left, const void *right) {
  const cq_due *a = left, *b = right;
  bool lost_a = a->reason == CQ_DUE_RECOVER, lost_b = b->reason == CQ_DUE_RECOVER;
  if (lost_a != lost_b) return lost_a ? 1 : -1;
  int order = lost_a ? compare_day(b->season.end, a->season.end) : compare_day(a->cell.last_day, b->cell.last_day);
  if (order) return order;
  if (a->person != b->person) return a->person < b->person ? -1 : 1;
  return compare_day(a->season.start, b->season.start);
}

static cq_due_reason reason_of(cq_cell_state state) {
  if (state == CQ_CELL_LOST) return CQ_DUE_RECOVER;
  return state == CQ_CELL_OVERDUE || state == CQ_CELL_OVERDUE_PARTIAL ? CQ_DUE_LATE : CQ_DUE_WINDOW;
}

static size_t gather(const cq_person *persons, size_t count, int32_t today, cq_due *due) {
  size_t found = 0;
  for (size_t p = 0; p < count; p++) {
    int32_t leave = cq_panel_exit(&persons[p]);
    if (leave != CQ_DAY_NONE && leave <= today) continue; /* there is nobody to visit */
    for (size_t s = 0; s < persons[p].season_count; s++) {
      const cq_season *season = &persons[p].seasons[s];
      cq_cell cell = cq_panel_cell(season, &persons[p], today);
      if (!cq_cell_due(cell.state)) continue;
      if (due) due[found] = (cq_due){p, *season, cell, reason_of(cell.state)};
      found++;
    }
  }
  return found;
}

size_t cq_panel_agenda(const cq_person *persons, size_t person_count, int32_t today, cq_due *due, size_t size) {
  size_t found = gather(persons, person_count, today, NULL);
  if (!found || found > size) return found;
  gather(persons, person_count, today, due);
  qsort(due, found, sizeof *due, compare_due);
  return found;
}
