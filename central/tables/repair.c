/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/repair.h"

#include <math.h>

cq_status cq_recall_factor(const double *registered, const double *recalled, const double *weight, size_t count,
                           cq_recall *recall, cq_error *error) {
  long double above = 0, below = 0;
  for (size_t i = 0; i < count; i++) {
    long double w = weight ? weight[i] : 1;
    above += w * registered[i];
    below += w * recalled[i];
  }
  if (above == 0 || below == 0) return cq_error_set(error, CQ_INVALID, "central.calibrate.zero", NULL);
  *recall = (cq_recall){.factor = (double)(above / below), .bias = (double)(below / above - 1), .pairs = count};
  return CQ_OK;
}

cq_size cq_sample_size(const cq_size_wish *wish) {
  const double z = 1.959963984540054; /* of 95 % */
  double p = wish->share, effect = 1 + (wish->cluster - 1) * wish->within;
  cq_size size = {.infinite = z * z * p * (1 - p) / (wish->margin * wish->margin)};
  size.finite = size.infinite / (1 + (size.infinite - 1) / wish->population) * effect;
  size.needed = (int64_t)ceil(size.finite);
  size.drawn = (int64_t)ceil((double)size.needed / (1 - wish->attrition));
  return size;
}

cq_status cq_sample_allocate(const double *population, size_t strata, int64_t n, int64_t *rows, cq_error *error) {
  double all = 0;
  int64_t given = 0;
  for (size_t h = 0; h < strata; h++) {
    if (population[h] < 2) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
    all += population[h];
  }
  if (n < 2 * (int64_t)strata || (double)n > all) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
  for (size_t h = 0; h < strata; h++) {
    double share = (double)n * population[h] / all;
    rows[h] = (int64_t)floor(share);
    if (rows[h] < 2) rows[h] = 2;
    if ((double)rows[h] > population[h]) rows[h] = (int64_t)population[h];
    given += rows[h];
  }
  /* one at a time to, or from, the stratum that is farthest from its share */
  while (given != n) {
    size_t best = strata;
    double farthest = -1e300;
    for (size_t h = 0; h < strata; h++) {
      double gap = (double)n * population[h] / all - (double)rows[h];
      bool free = given < n ? (double)rows[h] < population[h] : rows[h] > 2;
      if (given > n) gap = -gap;
      if (!free || gap <= farthest) continue;
      farthest = gap;
      best = h;
    }
    if (best == strata) return cq_error_set(error, CQ_INVALID, "central.sample.small", NULL);
    rows[best] += given < n ? 1 : -1;
    given += given < n ? 1 : -1;
  }
  return CQ_OK;
}

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t limit) {
  uint64_t least = (0 - limit) % limit; /* 2^64 mod limit: numbers below it would favour some answers */
  for (;;) {
    uint64_t value = splitmix(state);
    if (value >= least) return value % limit;
  }
}

void cq_sample_shuffle(uint32_t *order, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  for (size_t i = count; i > 1; i--) {
    size_t j = (size_t)below(&seed, i);
    uint32_t kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}

/* Hides the smallest shown cell of a line that has exactly one hidden; cells stand `step` apart from `first`. */
static bool complement(const int64_t *counts, cq_hidden *hidden, size_t first, size_t step, size_t length) {
  size_t gone = 0, best = SIZE_MAX;
  for (size_t i = 0; i < length; i++) {
    size_t at = first + i * step;
    if (hidden[at] != CQ_SHOWN)
      gone++;
    else if (counts[at] > 0 && (best == SIZE_MAX || counts[at] < counts[best]))
      best = at;
  }
  if (gone != 1 || best == SIZE_MAX) return false;
  hidden[best] = CQ_HIDDEN_COMPLEMENT;
  return true;
}

void cq_suppress_more(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden) {
  for (size_t i = 0; i < rows * columns; i++)
    if (counts[i] > 0 && counts[i] < least) hidden[i] = CQ_HIDDEN_SMALL;
  for (bool again = true; again;) {
    again = false;
    for (size_t r = 0; r < rows; r++) again = complement(counts, hidden, r * columns, 1, columns) || again;
    for (size_t c = 0; c < columns; c++) again = complement(counts, hidden, c, columns, rows) || again;
  }
}

void cq_suppress(const int64_t *counts, size_t rows, size_t columns, int64_t least, cq_hidden *hidden,
                 bool *row_total) {
  for (size_t i = 0; i < rows * columns; i++) hidden[i] = CQ_SHOWN;
  cq_suppress_more(counts, rows, columns, least, hidden);
  for (size_t r = 0; row_total && r < rows; r++) {
    int64_t total = 0;
    for (size_t c = 0; c < columns; c++) total += counts[r * columns + c];
    row_total[r] = total > 0 && total < least;
  }
}
