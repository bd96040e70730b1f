/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An indicator's values, by person and season, and the figures made of them:
 * levels, changes of the same season, a missing season rebuilt. Pure functions;
 * where values come from is collect.h's. docs/method.md has the formulas.
 */
#ifndef CENTRAL_TABLES_MEASURE_H
#define CENTRAL_TABLES_MEASURE_H

#include "central/tables/indicators/indicator.h"
#include "central/tables/survey/data.h"
#include "central/tables/survey/respond.h"
#include "chasqui/calendar.h"

typedef enum {
  CQ_MEASURED_ABSENT, /* no visit */
  CQ_MEASURED_VALUE,
  CQ_MEASURED_NOT_APPLICABLE, /* not asked, for it does not apply */
  CQ_MEASURED_MISSING,        /* visited, and not known */
  CQ_MEASURED_CONFLICT        /* two complete visits: somebody has to decide which counts */
} cq_measured_state;

/* What is known of one person in one season. */
typedef struct cq_measured {
  uint8_t state, source; /* cq_measured_state, cq_source */
  bool inside;           /* the filter holds */
  bool complete;         /* of a complete visit: two of them are a conflict */
  uint32_t group;        /* UINT32_MAX: none is known */
  uint32_t grade;        /* of what is recalled; a level of `grades` */
  double y, x;
} cq_measured;

enum { CQ_PERIOD_MONTHS = 14 };

typedef struct cq_period {
  cq_season_ref ref; /* campaign 0: belongs to no season */
  int32_t start;     /* day; periods stand in its order */
  int32_t months[CQ_PERIOD_MONTHS];
  size_t month_count;
  cq_measured *of;     /* units: what was registered (or what the definition itself says) */
  cq_measured *memory; /* units: the same as it was recalled; NULL: no such indicator */
  bool *outside;       /* units that were not enrolled: they belong to no one's figures, and are not lost */
} cq_period;

typedef struct cq_measure {
  const cq_indicator *indicator;
  cq_drawn drawn;
  bool census; /* no sample stands behind it: every record counts as one, without a standard error */
  cq_levels groups, grades;
  cq_period *periods;
  size_t period_count;
  /* recall, after cq_measure_calibrate */
  double factor;     /* pooled; 1 where there is no pair */
  double *factor_of; /* of each grade */
  size_t pairs;
} cq_measure;

typedef enum {
  CQ_FIGURE_LEVEL,
  CQ_FIGURE_RECONSTRUCTED,
  CQ_FIGURE_CHANGE,   /* now less before, of those who have both */
  CQ_FIGURE_RELATIVE, /* the ratio of the two, less 1 */
  CQ_FIGURE_CONTRAST, /* the change of the second group less that of the first (of levels, without a season before) */
  CQ_FIGURE_KINDS
} cq_figure_kind;
const char *cq_figure_name(cq_figure_kind kind); /* "level", … */

typedef struct cq_figure {
  cq_figure_kind kind;
  cq_source source, before;                  /* `before` only of a change */
  uint32_t group;                            /* UINT32_MAX: all */
  uint32_t of[2];                            /* of a contrast: the group that is taken off, and the other */
  cq_estimate e;                             /* n 0: nobody of the group has a value */
  size_t missing, not_applicable, conflicts; /* of the persons visited that could have had a value */
  double recalled;                           /* weighted share of what is recalled, where sources were put together */
} cq_figure;

typedef struct cq_figures {
  cq_figure *items;
  size_t count, capacity;
  size_t joined;   /* strata put together, for fewer than two answered */
  size_t answered; /* persons of the sample */
} cq_figures;
void cq_figures_fini(cq_figures *figures);

typedef struct cq_figure_wish {
  bool together;  /* registered and recalled as one, with the shares said */
  bool contrast;  /* between two groups */
  double deflate; /* values before are multiplied by it; 0: 1 */
} cq_figure_wish;

/*
 * Finds how far recall is off, from all persons and seasons that have both values, and puts the recalled value times
 * its factor wherever nothing was registered, marked as recalled: factors by grade where ten pairs or more have it,
 * else the pooled one. Shares and ratios are not multiplied. CQ_NOMEM only.
 */
cq_status cq_measure_calibrate(cq_measure *measure, cq_error *error);

/* One season, or several added up for each person who has all of them. Errors: those of cq_respond_init and
 * cq_survey_estimate, measure.two (a contrast needs two groups). */
cq_status cq_measure_level(cq_figures *figures, const cq_measure *measure, const size_t *periods, size_t count,
                           const cq_figure_wish *wish, cq_error *error);
/* The same seasons of two campaigns, in the same order. */
cq_status cq_measure_change(cq_figures *figures, const cq_measure *measure, const size_t *now, const size_t *before,
                            size_t count, const cq_figure_wish *wish, cq_error *error);
/* A campaign whose season is missing, by the ratio of the campaign before, of those who have `now`, `before` and
 * `missing`. Means and totals only. */
cq_status cq_measure_reconstruct(cq_figures *figures, const cq_measure *measure, const size_t *now,
                                 const size_t *before, size_t count, const size_t *missing, size_t missing_count,
                                 cq_error *error);

/* "good", "caution", "reference": by the coefficient of variation and the number of rows. */
const char *cq_estimate_band(const cq_estimate *estimate);

#endif
