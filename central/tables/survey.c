/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey.h"

#include "central/tables/student.h"

#include <math.h>
#include <stdlib.h>

double cq_design_weight(const cq_design *design, uint32_t row) {
  if (design->weight) return design->weight[row];
  const cq_stratum *stratum = &design->strata[design->stratum[row]];
  return stratum->population / (double)stratum->rows;
}

typedef struct spread {
  long double sum, squares; /* of w z; of its distance from the stratum's mean */
  size_t rows;              /* within the domain */
} spread;

/* V = Σ_h (1 − n_h/N_h) n_h s²_h(w z), which is Σ_h N_h² (1 − n_h/N_h) s²_h(z)/n_h where the weight is N_h/n_h. */
static double variance(const cq_design *design, const uint32_t *rows, const double *z, size_t count, spread *of) {
  for (size_t i = 0; i < count; i++) {
    spread *s = &of[design->stratum[rows[i]]];
    s->sum += (long double)cq_design_weight(design, rows[i]) * z[i];
    s->rows++;
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t h = design->stratum[rows[i]];
    long double mean = of[h].sum / (long double)design->strata[h].rows;
    long double off = (long double)cq_design_weight(design, rows[i]) * z[i] - mean;
    of[h].squares += off * off;
  }
  long double total = 0;
  for (size_t h = 0; h < design->strata_count; h++) {
    const cq_stratum *stratum = &design->strata[h];
    if (stratum->rows < 2) continue;
    long double n = (long double)stratum->rows, mean = of[h].sum / n;
    long double squares = of[h].squares + (n - (long double)of[h].rows) * mean * mean; /* the zeros outside */
    total += (1 - n / stratum->population) * n * squares / (n - 1);
  }
  return (double)total;
}

double cq_survey_variance(const cq_design *design, const uint32_t *rows, const double *z, size_t count) {
  spread *of = calloc(design->strata_count ? design->strata_count : 1, sizeof *of);
  if (!of) return NAN;
  double v = variance(design, rows, z, count, of);
  free(of);
  return v;
}

void cq_survey_interval(cq_estimate *e, cq_estimate_kind kind) {
  double t = cq_student_quantile(0.975, e->df);
  double p = e->estimate;
  if (kind != CQ_ESTIMATE_PROPORTION) {
    e->low = p - t * e->se;
    e->high = p + t * e->se;
  } else if (p <= 0 || p >= 1) { /* the logit has no value: nothing varies in the sample */
    e->low = e->high = p;
  } else {
    double logit = log(p / (1 - p)), reach = t * e->se / (p * (1 - p));
    e->low = 1 / (1 + exp(-(logit - reach)));
    e->high = 1 / (1 + exp(-(logit + reach)));
  }
}

cq_status cq_survey_estimate(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                             const double *x, size_t count, cq_estimate *e, cq_error *error) {
  if (!count) return cq_error_set(error, CQ_INVALID, "central.estimate.empty", NULL);
  long double weights = 0, sum_y = 0, sum_x = 0;
  for (size_t i = 0; i < count; i++) {
    long double w = cq_design_weight(design, rows[i]);
    weights += w;
    sum_y += w * y[i];
    if (x) sum_x += w * x[i];
  }
  long double below = kind == CQ_ESTIMATE_TOTAL ? 1 : kind == CQ_ESTIMATE_RATIO ? sum_x : weights;
  if (below == 0) return cq_error_set(error, CQ_INVALID, "central.estimate.zero", NULL);
  long double theta = sum_y / below;
  double *z = malloc(count * sizeof *z);
  if (!z) return cq_error_nomem(error);
  for (size_t i = 0; i < count; i++) {
    long double of = kind == CQ_ESTIMATE_TOTAL ? 0 : kind == CQ_ESTIMATE_RATIO && x ? theta * x[i] : theta;
    z[i] = (double)((y[i] - of) / below);
  }
  *e = (cq_estimate){.estimate = (double)theta,
                     .df = (double)(design->rows - design->strata_count),
                     .n = count,
                     .weighted_n = (double)weights};
  e->se = sqrt(cq_survey_variance(design, rows, z, count));
  free(z);
  if (isnan(e->se)) return cq_error_nomem(error);
  cq_survey_interval(e, kind);
  return CQ_OK;
}

cq_status cq_survey_reconstruct(const cq_design *design, const uint32_t *rows, const double *y, const double *x,
                                const double *t, size_t count, cq_estimate *e, cq_estimate *ratio, cq_error *error) {
  cq_estimate mean_y, mean_x, mean_t, r;
  cq_status status = cq_survey_estimate(design, CQ_ESTIMATE_RATIO, rows, t, x, count, &r, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, CQ_ESTIMATE_MEAN, rows, y, NULL, count, &mean_y, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, CQ_ESTIMATE_MEAN, rows, x, NULL, count, &mean_x, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, CQ_ESTIMATE_MEAN, rows, t, NULL, count, &mean_t, error);
  double *z = status == CQ_OK ? malloc(count * sizeof *z) : NULL;
  if (status != CQ_OK) return status;
  if (!z) return cq_error_nomem(error);
  double my = mean_y.estimate, mx = mean_x.estimate, mt = mean_t.estimate, growth = 1 + r.estimate;
  for (size_t i = 0; i < count; i++)
    z[i] = (growth * (y[i] - my) + my / mx * (t[i] - mt) - my * mt / (mx * mx) * (x[i] - mx)) / mean_y.weighted_n;
  *e = mean_y;
  e->estimate = my * growth;
  e->se = sqrt(cq_survey_variance(design, rows, z, count));
  free(z);
  if (isnan(e->se)) return cq_error_nomem(error);
  cq_survey_interval(e, CQ_ESTIMATE_MEAN);
  if (ratio) *ratio = r;
  return CQ_OK;
}
