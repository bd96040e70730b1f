/* SPDX-License-Identifier: Apache-2.0 */
/* An indicator's values out of the merged records, and the definitions that the desk keeps. */
#ifndef CENTRAL_TABLES_COLLECT_H
#define CENTRAL_TABLES_COLLECT_H

#include "central/merge/desk.h"
#include "central/tables/indicators/measure.h"

/* Every definition that was ever published. The caller ends it with cq_indicators_fini, after an error too. */
cq_status cq_indicators_kept(cq_indicators *indicators, cq_desk *desk, cq_error *error);
/* The programme's calendar (or the standard one) and prices; *prices NULL where there are none. The caller frees both.
 */
cq_status cq_collect_programme(cq_desk *desk, cq_calendar **calendar, cq_prices **prices, cq_error *error);

typedef struct cq_collected {
  cq_measure measure;
  cq_arena *arena;
  uint32_t *stratum;
  double *weight, *population;
  cq_levels strata, ids;
  size_t periods_capacity;
  int32_t *entry, *leave; /* of each unit */
  cq_str *place;
  size_t records, unreadable;
  size_t strangers; /* values of persons that are not in the frame */
  size_t unknown;   /* values of seasons that the calendar has not */
  cq_hash cut;      /* of the names of all records behind it, sorted: what was counted */
  size_t cut_count;
} cq_collected;

/*
 * Reads an indicator's values, and those recalled of the same (`all` NULL: not). `by`: disaggregation, or NULL. Errors:
 * desk.indicator.frame (the dataset has no frame), those of rows and the vault. The caller ends it, after an error too.
 */
cq_status cq_collect(cq_collected *collected, cq_desk *desk, const cq_indicator *indicator, const cq_indicators *all,
                     const cq_calendar *calendar, const char *by, cq_error *error);
/* The frame alone: ids, strata, weights and sizes of strata, each complete where only the other was said. */
cq_status cq_collect_frame(cq_collected *collected, cq_desk *desk, const char *dataset, cq_error *error);
void cq_collected_fini(cq_collected *collected);

#endif
