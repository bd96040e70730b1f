/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Estimates from a stratified sample drawn without replacement, with standard
 * errors by Taylor linearisation. Pure functions; docs/method.md has the
 * formulas and their sources.
 *
 * A row is a unit of the sample. Every estimate keeps all units of the design:
 * a domain (women, a region, those who answered) is a set of rows, and the rows
 * outside it stay in the variance as zeros.
 */
#ifndef CENTRAL_TABLES_SURVEY_H
#define CENTRAL_TABLES_SURVEY_H

#include "chasqui/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct cq_stratum {
  double population; /* units in the stratum, N_h */
  size_t rows;       /* of the sample, n_h ≥ 2 */
} cq_stratum;

typedef struct cq_design {
  size_t rows, strata_count;
  const uint32_t *stratum;  /* of each row */
  const cq_stratum *strata; /* borrowed, as all members */
  const double *weight;     /* of each row; NULL: population ÷ rows of its stratum */
} cq_design;

double cq_design_weight(const cq_design *design, uint32_t row);

typedef enum { CQ_ESTIMATE_MEAN, CQ_ESTIMATE_TOTAL, CQ_ESTIMATE_PROPORTION, CQ_ESTIMATE_RATIO } cq_estimate_kind;

typedef struct cq_estimate {
  double estimate, se;
  double df;        /* rows − strata of the whole design */
  double low, high; /* 95 %: Student's t; on the logit for proportions */
  size_t n;         /* rows that it rests on */
  double weighted_n;
} cq_estimate;

/* The variance of Σ w z over the rows of a domain, z[i] belonging to rows[i]. */
double cq_survey_variance(const cq_design *design, const uint32_t *rows, const double *z, size_t count);

/* The interval of an estimate from its standard error; logit for a proportion. */
void cq_survey_interval(cq_estimate *estimate, cq_estimate_kind kind);

/*
 * An estimate over the domain `rows`, whose values are y[i] (and x[i] for a
 * ratio, else NULL). Errors: central.estimate.empty (no rows), central.estimate.zero
 * (a ratio whose denominator is 0), memory.
 */
cq_status cq_survey_estimate(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                             const double *x, size_t count, cq_estimate *estimate, cq_error *error);

/*
 * The same, and `sign` times the linearised variable of the estimate is added to z, which has a place for each row of
 * the design: so differences of estimates that share units or strata get their variance (Σ of both z, row by row).
 */
cq_status cq_survey_add(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                        const double *x, size_t count, double sign, double *z, cq_estimate *estimate, cq_error *error);
/* a less b, from the z that cq_survey_add made of both; n and weighted n are a's. CQ_NOMEM only. */
cq_status cq_survey_difference(const cq_design *design, const double *z, const cq_estimate *a, const cq_estimate *b,
                               cq_estimate *difference, cq_error *error);

/*
 * A campaign whose last season is missing, by the ratio of the campaign before: y is what is known of this campaign, x
 * the same seasons of the campaign before, t its season that is missing now. Estimate: mean (or total) of y × (1 + R),
 * R = Σwt / Σwx, with the delta method's standard error on the three. `ratio` gets R (nullable). Errors as above.
 */
cq_status cq_survey_reconstruct(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                                const double *x, const double *t, size_t count, cq_estimate *estimate,
                                cq_estimate *ratio, cq_error *error);

#endif
