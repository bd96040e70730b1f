/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/panel.h"

#include <string.h>

static const struct {
  const char *name;
  char letter;
  bool eligible, covered, due;
} states[CQ_CELL_STATES] = {
    [CQ_CELL_NOT_ELIGIBLE] = {"no_elegible", '.', false, false, false},
    [CQ_CELL_LEFT] = {"salio", '-', false, false, false},
    [CQ_CELL_FUTURE] = {"futura", ' ', false, false, false},
    [CQ_CELL_COVERED] = {"cubierta", 'C', true, true, false},
    [CQ_CELL_COVERED_LATE] = {"cubierta_tardia", 'T', true, true, false},
    [CQ_CELL_RECOVERED] = {"recuperada", 'R', true, true, false},
    [CQ_CELL_PENDING] = {"pendiente", 'p', true, false, true},
    [CQ_CELL_PARTIAL] = {"parcial", 'a', true, false, true},
    [CQ_CELL_OVERDUE] = {"vencida", 'v', true, false, true},
    [CQ_CELL_OVERDUE_PARTIAL] = {"vencida_parcial", 'w', true, false, true},
    [CQ_CELL_LOST] = {"perdida", 'X', true, false, true},
    [CQ_CELL_REFUSED] = {"rechazo", 'N', true, false, false},
};

static bool known(cq_cell_state state) {
  return (unsigned)state < CQ_CELL_STATES;
}

const char *cq_cell_name(cq_cell_state state) {
  return known(state) ? states[state].name : NULL;
}

char cq_cell_letter(cq_cell_state state) {
  return known(state) ? states[state].letter : '?';
}

bool cq_cell_eligible(cq_cell_state state) {
  return known(state) && states[state].eligible;
}

bool cq_cell_covered(cq_cell_state state) {
  return known(state) && states[state].covered;
}

bool cq_cell_due(cq_cell_state state) {
  return known(state) && states[state].due;
}

bool cq_visit_result_parse(cq_str text, cq_visit_result *result) {
  static const struct {
    const char *name;
    cq_visit_result result;
  } names[] = {{"completa", CQ_VISIT_COMPLETE}, {"complete", CQ_VISIT_COMPLETE}, {"parcial", CQ_VISIT_PARTIAL},
               {"partial", CQ_VISIT_PARTIAL},   {"ausente", CQ_VISIT_ABSENT},    {"absent", CQ_VISIT_ABSENT},
               {"rechazo", CQ_VISIT_REFUSED},   {"refused", CQ_VISIT_REFUSED},   {"withdrawn", CQ_VISIT_REFUSED}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!cq_str_is(text, names[i].name)) continue;
    *result = names[i].result;
    return true;
  }
  return false;
}

bool cq_visit_say(cq_visit *visit, cq_str result, cq_str reason) {
  static const struct {
    const char *name;
    bool left;
  } absences[] = {{"ausente", false}, {"absent", false}, {"no_ubicado", false}, {"migro", true}, {"fallecio", true}};
  for (size_t i = 0; i < sizeof absences / sizeof *absences; i++) {
    if (!cq_str_is(result, absences[i].name) && !cq_str_is(reason, absences[i].name)) continue;
    visit->result = CQ_VISIT_ABSENT;
    visit->left = absences[i].left;
    return true;
  }
  if (!cq_visit_result_parse(result, &visit->result)) return false;
  visit->left = false;
  return true;
}

int32_t cq_panel_exit(const cq_person *person) {
  int32_t met = CQ_DAY_NONE, leave = person->exit; /* CQ_DAY_NONE is before every day */
  for (size_t i = 0; i < person->visit_count; i++) {
    const cq_visit *visit = &person->visits[i];
    bool meets = visit->result == CQ_VISIT_COMPLETE || visit->result == CQ_VISIT_PARTIAL;
    if (meets && visit->day > met) met = visit->day;
  }
  for (size_t i = 0; i < person->visit_count; i++) {
    const cq_visit *visit = &person->visits[i];
    if (visit->left && visit->day >= met && (leave == CQ_DAY_NONE || visit->day < leave)) leave = visit->day;
  }
  return leave;
}

/* Days of the season in which the person was enrolled. */
static int32_t enrolled(const cq_season *season, const cq_person *person, int32_t leave) {
  int32_t from = person->entry > season->start ? person->entry : season->start;
  int32_t to = leave != CQ_DAY_NONE && leave < season->end ? leave : season->end;
  return to > from ? to - from : 0;
}

/* Rules 4 to 7: nothing complete, no refusal. */
static cq_cell_state open_state(const cq_season *season, bool partial, int32_t today, int32_t *last_day) {
  if (today < season->end) return CQ_CELL_FUTURE;
  if (today - season->end <= season->closes) {
    *last_day = season->end + season->closes;
    return partial ? CQ_CELL_PARTIAL : CQ_CELL_PENDING;
  }
  if (today - season->end <= season->grace) {
    *last_day = season->end + season->grace;
    return partial ? CQ_CELL_OVERDUE_PARTIAL : CQ_CELL_OVERDUE;
  }
  return CQ_CELL_LOST;
}

cq_cell cq_panel_cell(const cq_season *season, const cq_person *person, int32_t today) {
  cq_cell cell = {.lag = CQ_DAY_NONE, .last_day = CQ_DAY_NONE};
  size_t complete = 0;
  int32_t leave = cq_panel_exit(person);
  bool partial = false, refused = false;
  for (size_t i = 0; i < person->visit_count; i++) {
    const cq_visit *visit = &person->visits[i];
    if (!cq_season_same(&visit->season, &season->ref)) continue;
    if (cell.attempts < UINT16_MAX) cell.attempts++;
    if (visit->day > today) cell.after_today = true;
    partial |= visit->result == CQ_VISIT_PARTIAL;
    refused |= visit->result == CQ_VISIT_REFUSED;
    if (visit->result != CQ_VISIT_COMPLETE) continue;
    complete++;
    int32_t lag = visit->day - (visit->season_end == CQ_DAY_NONE ? season->end : visit->season_end);
    if (lag < 0) cell.early = true;
    if (cell.lag == CQ_DAY_NONE || lag < cell.lag) cell.lag = lag;
  }
  cell.conflict = complete > 1;

  /* the first rule of the method that applies */
  if (2 * enrolled(season, person, leave) < season->end - season->start)
    cell.state = leave != CQ_DAY_NONE && leave < season->end ? CQ_CELL_LEFT : CQ_CELL_NOT_ELIGIBLE;
  else if (complete)
    cell.state = cell.lag <= season->closes  ? CQ_CELL_COVERED
                 : cell.lag <= season->grace ? CQ_CELL_COVERED_LATE
                                             : CQ_CELL_RECOVERED;
  else if (refused)
    cell.state = CQ_CELL_REFUSED;
  else
    cell.state = open_state(season, partial, today, &cell.last_day);
  return cell;
}
