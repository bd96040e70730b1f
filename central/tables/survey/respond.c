/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/respond.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cq_status named(cq_error *error, const char *code, size_t place) {
  char text[24];
  snprintf(text, sizeof text, "%zu", place + 1);
  return cq_error_set(error, CQ_INVALID, code, text, NULL);
}

/* Which design stratum each stratum goes into; answered[h] counts who answered in it. */
static cq_status join_strata(cq_respond *r, const cq_drawn *d, const size_t *answered, bool join, size_t *count,
                             cq_error *error) {
  size_t in_last = 0;
  *count = 0;
  for (size_t h = 0; h < d->strata; h++) {
    if (!join && answered[h] < 2) return named(error, "central.estimate.single", h);
    bool opens = h == 0 || in_last >= 2;
    if (opens) {
      ++*count;
      in_last = 0;
    }
    r->into[h] = (uint32_t)(*count - 1);
    in_last += answered[h];
    if (!opens) r->joined++;
  }
  if (in_last >= 2) return CQ_OK;
  if (*count == 1 && in_last == 1 && d->population[0] <= 1) return CQ_OK; /* one of one: nothing was drawn */
  if (*count < 2) return cq_error_set(error, CQ_INVALID, "central.respond.none", NULL);
  --*count; /* the last ones go into the group before them */
  r->joined++;
  for (size_t h = 0; h < d->strata; h++)
    if (r->into[h] == *count) r->into[h]--;
  return CQ_OK;
}

/* The factor of each class. */
static cq_status factors(const cq_respond *r, const cq_drawn *d, const bool *answered, double *factor, size_t classes,
                         cq_error *error) {
  double *kept = calloc(classes + 1, sizeof *kept);
  if (!kept) return cq_error_nomem(error);
  cq_status status = CQ_OK;
  for (size_t u = 0; u < d->units; u++) {
    size_t g = d->class ? d->class[u] : r->into[d->stratum[u]];
    factor[g] += d->weight[u];
    if (answered[u]) kept[g] += d->weight[u];
  }
  for (size_t g = 0; g < classes && status == CQ_OK; g++) {
    if (factor[g] > 0 && kept[g] <= 0)
      status = named(error, "central.respond.class", g);
    else
      factor[g] = kept[g] > 0 ? factor[g] / kept[g] : 1;
  }
  free(kept);
  return status;
}

static cq_status fill(cq_respond *r, const cq_drawn *d, const bool *answered, const double *factor) {
  size_t rows = 0;
  for (size_t h = 0; h < d->strata; h++) r->strata[r->into[h]].population += d->population[h];
  for (size_t u = 0; u < d->units; u++) {
    r->row_of[u] = UINT32_MAX;
    if (!answered[u]) continue;
    uint32_t h = r->into[d->stratum[u]];
    r->unit_of[rows] = (uint32_t)u;
    r->stratum[rows] = h;
    r->weight[rows] = d->weight[u] * factor[d->class ? d->class[u] : h];
    r->strata[h].rows++;
    r->row_of[u] = (uint32_t)rows++;
  }
  r->design.rows = rows;
  return CQ_OK;
}

cq_status cq_respond_init(cq_respond *r, const cq_drawn *d, const bool *answered, bool join, cq_error *error) {
  size_t units = d->units + 1, most = (d->class && d->classes > d->strata ? d->classes : d->strata) + 1, count = 0;
  memset(r, 0, sizeof *r);
  size_t *per = calloc(most, sizeof *per);
  double *factor = calloc(most, sizeof *factor);
  r->row_of = malloc(units * sizeof *r->row_of);
  r->unit_of = malloc(units * sizeof *r->unit_of);
  r->stratum = malloc(units * sizeof *r->stratum);
  r->weight = malloc(units * sizeof *r->weight);
  r->into = calloc(most, sizeof *r->into);
  r->strata = calloc(most, sizeof *r->strata);
  bool whole = per && factor && r->row_of && r->unit_of && r->stratum && r->weight && r->into && r->strata;
  cq_status status = whole ? CQ_OK : cq_error_nomem(error);
  for (size_t u = 0; status == CQ_OK && u < d->units; u++) per[d->stratum[u]] += answered[u];
  if (status == CQ_OK) status = join_strata(r, d, per, join, &count, error);
  if (status == CQ_OK) status = factors(r, d, answered, factor, d->class ? d->classes : count, error);
  if (status == CQ_OK) status = fill(r, d, answered, factor);
  r->design.strata_count = count;
  r->design.stratum = r->stratum;
  r->design.strata = r->strata;
  r->design.weight = r->weight;
  free(per);
  free(factor);
  return status;
}

void cq_respond_fini(cq_respond *r) {
  free(r->row_of);
  free(r->unit_of);
  free(r->into);
  free(r->stratum);
  free(r->strata);
  free(r->weight);
  memset(r, 0, sizeof *r);
}

cq_status cq_respond_compare(const cq_design *design, const uint8_t *group, const double *y, cq_estimate mean[2],
                             cq_estimate *difference, cq_error *error) {
  uint32_t *rows = malloc((design->rows + 1) * sizeof *rows);
  double *values = malloc((design->rows + 1) * sizeof *values), *z = calloc(design->rows + 1, sizeof *z);
  cq_status status = rows && values && z ? CQ_OK : cq_error_nomem(error);
  for (uint8_t g = 0; g < 2 && status == CQ_OK; g++) {
    size_t count = 0;
    for (size_t i = 0; i < design->rows; i++) {
      if (group[i] != g) continue;
      rows[count] = (uint32_t)i;
      values[count++] = y[i];
    }
    status = cq_survey_add(design, CQ_ESTIMATE_MEAN, rows, values, NULL, count, g ? 1 : -1, z, &mean[g], error);
  }
  if (status == CQ_OK) status = cq_survey_difference(design, z, &mean[1], &mean[0], difference, error);
  free(rows);
  free(values);
  free(z);
  return status;
}
