/* SPDX-License-Identifier: Apache-2.0 */
/* `table INDICATOR…`: which seasons are asked about, compared or rebuilt, and the report of it. */
#ifndef CENTRAL_TABLES_FIGURES_H
#define CENTRAL_TABLES_FIGURES_H

#include "central/tables/indicators/collect.h"
#include "central/tables/indicators/report.h"

typedef struct cq_figures_wish {
  const char *season, *compare; /* "2012-T1" or "2012"; NULL: all seasons; no comparison */
  const char *by;               /* NULL: none */
  bool contrast, together, nominal;
  int32_t version; /* 0: the one that counts on `day` */
  int32_t day;
} cq_figures_wish;

typedef struct cq_figures_source {
  cq_desk *desk;
  cq_indicators indicators;
  cq_calendar *calendar;
  cq_prices *prices; /* NULL: none */
} cq_figures_source;

cq_status cq_figures_open(cq_figures_source *source, cq_desk *desk, cq_error *error);
void cq_figures_close(cq_figures_source *source);

/*
 * Adds an indicator's figures to the report. *cut, *cut_count: what was counted (nullable). Errors: desk.indicator.none
 * (argument: the nearest id), desk.indicator.by (the disaggregations it has), desk.indicator.season (not a season, or
 * no values in it), desk.indicator.once, desk.indicator.compare (another season: what may be asked instead),
 * desk.indicator.sum (a share of a whole campaign), those of cq_collect and of cq_measure_….
 */
cq_status cq_figures_report(cq_report *report, const cq_figures_source *source, cq_str id, const cq_figures_wish *wish,
                            cq_hash *cut, size_t *cut_count, cq_error *error);

#endif
