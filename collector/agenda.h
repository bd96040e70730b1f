/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits to be made: who of the programme's people has no complete visit about
 * a season that is closed, while its window or its days of grace are open.
 * From the list of people, and from the records of this laptop, by the rules of
 * panel.h.
 */
#ifndef CHASQUI_COLLECTOR_AGENDA_H
#define CHASQUI_COLLECTOR_AGENDA_H

#include "chasqui/panel.h"
#include "collector/laptop.h"

/* The list whose rows are people, and its columns: place (the first of them that is there), date of entry, last visit.
 */
#define CQ_AGENDA_LIST "tdd.csv"

typedef struct cq_agenda_visit {
  cq_str person; /* as the list calls it, in its column name */
  cq_str label, place;
  char season[CQ_SEASON_REF_SIZE];
  int32_t last_day; /* of the window, or of grace */
  bool late;        /* in the days of grace */
} cq_agenda_visit;

/* The most urgent first; in `arena`. None where the programme has no such list. */
cq_status cq_agenda(cq_laptop *laptop, cq_arena *arena, cq_agenda_visit **visits, size_t *count, cq_error *error);

#endif
