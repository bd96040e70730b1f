/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is covered, what is due and what is lost: the state of each
 * rights-holder × season cell, and coverage. Pure functions, the same on the
 * laptop and at the desk; no clock is read, "today" is an argument.
 *
 * Source: docs/method.md, section "The state of a cell".
 */
#ifndef CHASQUI_PANEL_H
#define CHASQUI_PANEL_H

#include "chasqui/calendar.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which a grid explains them. */
typedef enum cq_cell_state {
  CQ_CELL_NOT_ELIGIBLE,    /* no_elegible: enrolled less than half of the season's days */
  CQ_CELL_LEFT,            /* salio: the same, because the person left before the season's end */
  CQ_CELL_FUTURE,          /* futura: the season is not over */
  CQ_CELL_COVERED,         /* cubierta: a complete visit within the window */
  CQ_CELL_COVERED_LATE,    /* cubierta_tardia: within the days of grace */
  CQ_CELL_RECOVERED,       /* recuperada: later than that */
  CQ_CELL_PENDING,         /* pendiente: the window is open */
  CQ_CELL_PARTIAL,         /* parcial: the window is open, and a visit ended midway */
  CQ_CELL_OVERDUE,         /* vencida: in the days of grace */
  CQ_CELL_OVERDUE_PARTIAL, /* vencida_parcial */
  CQ_CELL_LOST,            /* perdida: only reconstruction, or a recovery visit, can fill it */
  CQ_CELL_REFUSED,         /* rechazo */
  CQ_CELL_STATES           /* how many */
} cq_cell_state;

/* The state's name in files, JSON and the method ("cubierta_tardia"); NULL for what is no state. */
const char *cq_cell_name(cq_cell_state state);
/* One ASCII letter for grids without colour, each different. */
char cq_cell_letter(cq_cell_state state);
bool cq_cell_eligible(cq_cell_state state); /* counts in the denominator: closed, enrolled */
bool cq_cell_covered(cq_cell_state state);  /* counts in the numerator */
bool cq_cell_due(cq_cell_state state);      /* a visit can still fill it: pending to lost */

typedef enum cq_visit_result {
  CQ_VISIT_COMPLETE, /* completa */
  CQ_VISIT_PARTIAL,  /* parcial */
  CQ_VISIT_ABSENT,   /* ausente: an attempt, which changes no state */
  CQ_VISIT_REFUSED   /* rechazo */
} cq_visit_result;

/* "completa", "parcial", "ausente", "rechazo", and the records' own "complete", "partial", "absent", "refused",
 * "withdrawn" (which is a refusal here: the exit date must be set apart). False for anything else. */
bool cq_visit_result_parse(cq_str text, cq_visit_result *result);

/* A visit: an event taken from a record's envelope, never an entity's last value. */
typedef struct cq_visit {
  cq_season_ref season; /* that was asked about */
  int32_t day;          /* of the visit */
  cq_visit_result result;
  int32_t season_end; /* the season's end under the version the record was taken under; CQ_DAY_NONE: the cell's own */
  bool left;          /* found that the person had died or moved away */
} cq_visit;

/*
 * Sets `result` and `left` from a record's result and the reason beside it, as the forms say them: "ausente",
 * "no_ubicado", "migro" and "fallecio" are absences, whatever the record's result, and the last two mean that the
 * person left. `result` may also be one of these itself. False, and nothing set, where `result` is no result.
 */
bool cq_visit_say(cq_visit *visit, cq_str result, cq_str reason);

#define CQ_DAY_NONE INT32_MIN

typedef struct cq_person {
  int32_t entry, exit; /* days; exit exclusive, CQ_DAY_NONE: still in */
  double weight;       /* of the design; 1 where there is none */
  const cq_visit *visits;
  size_t visit_count;
  const cq_season *seasons; /* at the person's place, shared by all of the place */
  size_t season_count;
} cq_person;

typedef struct cq_cell {
  cq_cell_state state;
  int32_t lag;             /* days from the season's end to the earliest complete visit; CQ_DAY_NONE: none */
  int32_t last_day;        /* of this step: the window's, then grace's; CQ_DAY_NONE where nothing is due */
  uint16_t attempts;       /* visits about this season, of any result */
  bool conflict;           /* two or more complete visits: shown to a person, never averaged */
  bool early, after_today; /* a complete visit dated before the season's end; a visit dated after today */
} cq_cell;

/*
 * The person's exit: their own, or the day of the first visit that found that they had left and after which no visit
 * met them any more, whichever is earlier; CQ_DAY_NONE: still in.
 */
int32_t cq_panel_exit(const cq_person *person);

/* The state of one cell: the first rule of the method that applies. Takes time in the number of the person's visits. */
cq_cell cq_panel_cell(const cq_season *season, const cq_person *person, int32_t today);

/* Coverage of some persons in some seasons, added cell by cell. */
typedef struct cq_coverage {
  size_t covered, eligible;                   /* persons */
  double covered_weighted, eligible_weighted; /* sums of weights */
  size_t states[CQ_CELL_STATES];
} cq_coverage;
void cq_coverage_add(cq_coverage *coverage, const cq_cell *cell, double weight);

/* Full cycle: every eligible cell of the campaign is covered, and there is at least one. `closed` false while a season
 * of the campaign is still open: no one has a full cycle yet, however many cells are covered. */
bool cq_panel_full_cycle(const cq_cell *cells, size_t count, bool *closed);

/* Months with at least one value, of the twelve of a campaign. `months` as in cq_season_months; repeated ones count
 * once, those outside the seasons' months not at all. */
typedef struct cq_month_coverage {
  int32_t month[12 + CQ_CALENDAR_MAX_SEASONS];
  bool covered[12 + CQ_CALENDAR_MAX_SEASONS];
  size_t count, covered_count;
} cq_month_coverage;
void cq_panel_months(const cq_season *seasons, size_t season_count, const int32_t *months, size_t month_count,
                     cq_month_coverage *coverage);

/* The agenda: cells that a visit can still fill, the most urgent first. */
typedef enum cq_due_reason { CQ_DUE_WINDOW, CQ_DUE_LATE, CQ_DUE_RECOVER } cq_due_reason;
typedef struct cq_due {
  size_t person; /* index into `persons` */
  cq_season season;
  cq_cell cell;
  cq_due_reason reason; /* in the window, in the days of grace, or to be recovered */
} cq_due;

/*
 * All due cells of the persons, in the order: reason (window and grace together
 * by their last day, then recovery, the newest season first), person, season.
 * Returns how many there are; writes them only where `size` holds all of them.
 * Who refused a season stays out of the agenda for that season, and who left, out of it altogether.
 */
size_t cq_panel_agenda(const cq_person *persons, size_t person_count, int32_t today, cq_due *due, size_t size);

#endif
