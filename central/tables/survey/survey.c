/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/survey.h"

#include "central/tables/survey/student.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

double cq_design_weight(const cq_design *design, uint32_t row) {
  if (design->weight) return design->weight[row];
  const cq_stratum *stratum = &design->strata[design->stratum[row]];
  return stratum->population / (double)stratum->rows;
}

typedef struct spread {
  long double sum, off, squares; /* of w z; of its distance from sum / rows; from the mean, squared */
  size_t rows;                   /* within the domain */
} spread;

/*
 * A quotient of sums is off by its rounding. What is left around it, added up, says by how much: so the mean of equal
 * values is that value, and what is the same for all has no spread.
 */
static long double stratum_mean(const spread *of, size_t rows) {
  long double n = (long double)rows, mean = of->sum / n;
  return mean + (of->off - (n - (long double)of->rows) * mean) / n;
}

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
    of[h].off += (long double)cq_design_weight(design, rows[i]) * z[i] - mean;
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t h = design->stratum[rows[i]];
    long double mean = stratum_mean(&of[h], design->strata[h].rows);
    long double off = (long double)cq_design_weight(design, rows[i]) * z[i] - mean;
    of[h].squares += off * off;
  }
  long double total = 0;
  for (size_t h = 0; h < design->strata_count; h++) {
    const cq_stratum *stratum = &design->strata[h];
    if (stratum->rows < 2) continue;
    long double n = (long double)stratum->rows, mean = stratum_mean(&of[h], stratum->rows);
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

/* What the estimate would have each row be. */
static long double fitted(cq_estimate_kind kind, long double theta, const double *x, size_t i) {
  if (kind == CQ_ESTIMATE_TOTAL) return 0;
  return kind == CQ_ESTIMATE_RATIO && x ? theta * x[i] : theta;
}

/* The estimate and, into z, the linearised variable of each row of the domain. */
static cq_status linearise(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                           const double *x, size_t count, double *z, cq_estimate *e, cq_error *error) {
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
  long double theta = sum_y / below, off = 0;
  if (kind != CQ_ESTIMATE_TOTAL) { /* as stratum_mean */
    for (size_t i = 0; i < count; i++)
      off += (long double)cq_design_weight(design, rows[i]) * (y[i] - fitted(kind, theta, x, i));
    theta += off / below;
  }
  for (size_t i = 0; i < count; i++) z[i] = (double)((y[i] - fitted(kind, theta, x, i)) / below);
  *e = (cq_estimate){.estimate = (double)theta,
                     .df = (double)(design->rows - design->strata_count),
                     .n = count,
                     .weighted_n = (double)weights};
  e->se = sqrt(cq_survey_variance(design, rows, z, count));
  if (isnan(e->se)) return cq_error_nomem(error);
  cq_survey_interval(e, kind);
  return CQ_OK;
}

cq_status cq_survey_estimate(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                             const double *x, size_t count, cq_estimate *e, cq_error *error) {
  double *z = malloc((count + 1) * sizeof *z);
  cq_status status = z ? linearise(design, kind, rows, y, x, count, z, e, error) : cq_error_nomem(error);
  free(z);
  return status;
}

cq_status cq_survey_add(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                        const double *x, size_t count, double sign, double *z, cq_estimate *e, cq_error *error) {
  double *of = malloc((count + 1) * sizeof *of);
  cq_status status = of ? linearise(design, kind, rows, y, x, count, of, e, error) : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) z[rows[i]] += sign * of[i];
  free(of);
  return status;
}

cq_status cq_survey_difference(const cq_design *design, const double *z, const cq_estimate *a, const cq_estimate *b,
                               cq_estimate *difference, cq_error *error) {
  uint32_t *rows = malloc((design->rows + 1) * sizeof *rows);
  if (!rows) return cq_error_nomem(error);
  for (size_t i = 0; i < design->rows; i++) rows[i] = (uint32_t)i;
  *difference = *a;
  difference->estimate = a->estimate - b->estimate;
  difference->se = sqrt(cq_survey_variance(design, rows, z, design->rows));
  free(rows);
  if (isnan(difference->se)) return cq_error_nomem(error);
  cq_survey_interval(difference, CQ_ESTIMATE_MEAN);
  return CQ_OK;
}

cq_status cq_survey_reconstruct(const cq_design *design, cq_estimate_kind kind, const uint32_t *rows, const double *y,
                                const double *x, const double *t, size_t count, cq_estimate *e, cq_estimate *ratio,
                                cq_error *error) {
  cq_estimate of_y, of_x, of_t, r;
  cq_status status = cq_survey_estimate(design, CQ_ESTIMATE_RATIO, rows, t, x, count, &r, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, kind, rows, y, NULL, count, &of_y, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, kind, rows, x, NULL, count, &of_x, error);
  if (status == CQ_OK) status = cq_survey_estimate(design, kind, rows, t, NULL, count, &of_t, error);
  double *z = status == CQ_OK ? malloc(count * sizeof *z) : NULL;
  if (status != CQ_OK) return status;
  if (!z) return cq_error_nomem(error);
  double my = of_y.estimate, mx = of_x.estimate, mt = of_t.estimate, growth = 1 + r.estimate;
  bool mean = kind != CQ_ESTIMATE_TOTAL;
  double below = mean ? of_y.weighted_n : 1, cy = mean ? my : 0, cx = mean ? mx : 0, ct = mean ? mt : 0;
  for (size_t i = 0; i < count; i++)
    z[i] = (growth * (y[i] - cy) + my / mx * (t[i] - ct) - my * mt / (mx * mx) * (x[i] - cx)) / below;
  *e = of_y;
  e->estimate = my * growth;
  e->se = sqrt(cq_survey_variance(design, rows, z, count));
  free(z);
  if (isnan(e->se)) return cq_error_nomem(error);
  cq_survey_interval(e, CQ_ESTIMATE_MEAN);
  if (ratio) *ratio = r;
  return CQ_OK;
}
