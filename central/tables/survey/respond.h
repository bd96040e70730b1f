/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of a sample answered: weights that make up for those who did not, and the
 * design of those who did (docs/method.md, section "Those who are lost"). Pure.
 */
#ifndef CENTRAL_TABLES_RESPOND_H
#define CENTRAL_TABLES_RESPOND_H

#include "central/tables/survey/survey.h"

#include <stdbool.h>

typedef struct cq_drawn {
  size_t units, strata;
  const uint32_t *stratum;  /* of each unit */
  const double *weight;     /* of the design, of each unit */
  const double *population; /* of each stratum */
  const uint32_t *class;    /* weighting class of each unit; NULL: its stratum */
  size_t classes;
} cq_drawn;

typedef struct cq_respond {
  cq_design design; /* its rows are those who answered */
  uint32_t *row_of; /* of each unit; UINT32_MAX: did not answer */
  uint32_t *unit_of;
  uint32_t *into; /* the design's stratum that holds each stratum of the sample */
  size_t joined;  /* strata that were put together with another */
  uint32_t *stratum;
  cq_stratum *strata;
  double *weight;
} cq_respond;

/*
 * Within a class g every weight of those who answered is multiplied by Σ_g w ÷ Σ_{g, answered} w; n_h becomes the
 * number that answered in stratum h. `join`: a stratum where fewer than two answered is put together with the next one
 * in order (the last with the one before it), and so are the classes where strata are the classes; else that is an
 * error. Errors: central.estimate.single (argument: the stratum's place from 1), central.respond.none (fewer than two
 * answered), central.respond.class (argument: the place of a class in which nobody answered). The caller ends it, after
 * an error too.
 */
cq_status cq_respond_init(cq_respond *respond, const cq_drawn *drawn, const bool *answered, bool join, cq_error *error);
void cq_respond_fini(cq_respond *respond);

/*
 * The difference of the means of two groups of a sample, those where `group` is 1 less those where it is 0 (2: in
 * neither), with the standard error of the difference: the two share strata, so their variances do not add.
 */
cq_status cq_respond_compare(const cq_design *design, const uint8_t *group, const double *y, cq_estimate mean[2],
                             cq_estimate *difference, cq_error *error);

#endif
