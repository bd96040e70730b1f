/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pure parts of the method around the estimates: how far recall is off, how
 * large a sample must be, how it is drawn, and what may be printed. Formulas
 * and sources: docs/method.md.
 */
#ifndef CENTRAL_TABLES_REPAIR_H
#define CENTRAL_TABLES_REPAIR_H

#include "chasqui/clock.h"
#include "chasqui/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- recall --- */
typedef struct cq_recall {
  double factor; /* k = Σw registered / Σw recalled: a recalled value is multiplied by it */
  double bias;   /* 1/k − 1: what recall adds to the truth */
  size_t pairs;
} cq_recall;
enum { CQ_RECALL_LEAST_PAIRS = 10 }; /* of a precision grade, to have a factor of its own */
/* Error: central.calibrate.zero. */
cq_status cq_recall_factor(const double *registered, const double *recalled, const double *weight, size_t count,
                           cq_recall *recall, cq_error *error);

/* --- size --- */
typedef struct cq_size_wish {
  double population;      /* N */
  double margin;          /* e, half the interval's width: 0.05 */
  double share;           /* p expected; 0.5 is the safe one */
  double cluster, within; /* units taken in each cluster and the correlation within; 1 and 0: no clusters */
  double attrition;       /* share that will be lost: 0.2 */
} cq_size_wish;
typedef struct cq_size {
  double infinite, finite; /* n₀; with the finite population correction and the design effect */
  int64_t needed, drawn;   /* rounded up; with attrition made up for */
} cq_size;
cq_size cq_sample_size(const cq_size_wish *wish);

/*
 * Shares `n` among strata in proportion to their sizes: at least two each, at most all, by the largest remainders (ties
 * to the earlier stratum). Error: central.sample.small (fewer than two for each stratum, or more than there are).
 */
cq_status cq_sample_allocate(const double *population, size_t strata, int64_t n, int64_t *rows, cq_error *error);

/*
 * A random order of 0 … count − 1 that anybody can repeat from the seed: Fisher–Yates on the numbers of splitmix64
 * (Steele, Lea and Flood 2014), without bias by rejection.
 */
void cq_sample_shuffle(uint32_t *order, size_t count, uint64_t seed);

/* --- what may be printed --- */
typedef enum { CQ_SHOWN, CQ_HIDDEN_SMALL, CQ_HIDDEN_COMPLEMENT } cq_hidden;
enum { CQ_SMALL_CELL = 5 };
/*
 * Which cells of a table of counts, rows × columns, and which of its totals must be hidden: those of 1 to least − 1,
 * and then as many more as it takes that a reader who adds and subtracts cannot tell the value of any of these, the
 * cheapest each time. A total that is not printed is given as NULL, and tells nothing. A true zero is always shown.
 * Takes time in small cells × (cells + lines²). CQ_NOMEM only.
 */
cq_status cq_suppress(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden,
                      cq_hidden *row_total, cq_hidden *column_total, cq_hidden *total, cq_error *error);

/* The same on top of what `hidden` says already, for tables that share cells: the last row and column are the totals,
 * as they are printed. */
cq_status cq_suppress_more(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden,
                           cq_error *error);

#endif
