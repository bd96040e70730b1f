/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/student.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { MAX_STEPS = 200000 };

/* The continued fraction of DLMF 8.17.22, by the modified method of Lentz. Converges quickly for x < (a+1)/(a+b+2). */
static long double fraction(long double a, long double b, long double x) {
  const long double tiny = LDBL_MIN / LDBL_EPSILON;
  long double c = 1, d = 1 - (a + b) * x / (a + 1);
  d = 1 / (fabsl(d) < tiny ? tiny : d);
  long double h = d;
  for (int step = 1; step < MAX_STEPS; step++) {
    long double m = step;
    long double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d, c = 1 + even / c;
    d = 1 / (fabsl(d) < tiny ? tiny : d);
    if (fabsl(c) < tiny) c = tiny;
    h *= d * c;
    long double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d, c = 1 + odd / c;
    d = 1 / (fabsl(d) < tiny ? tiny : d);
    if (fabsl(c) < tiny) c = tiny;
    h *= d * c;
    if (fabsl(d * c - 1) < 4 * LDBL_EPSILON) break;
  }
  return h;
}

/* I_x(a, b) with y = 1 − x given apart, so that neither loses digits. */
static long double beta_part(long double a, long double b, long double x, long double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  long double front = expl(lgammal(a + b) - lgammal(a) - lgammal(b) + a * logl(x) + b * logl(y));
  if (x < (a + 1) / (a + b + 2)) return front * fraction(a, b, x) / a;
  return 1 - front * fraction(b, a, y) / b;
}

/* P(T > t) for t ≥ 0. */
static long double upper(long double t, long double df) {
  long double square = t * t;
  return beta_part(df / 2, 0.5L, df / (df + square), square / (df + square)) / 2;
}

double cq_student_cdf(double t, double df) {
  return (double)(t < 0 ? upper(-t, df) : 1 - upper(t, df));
}

double cq_student_quantile(double p, double df) {
  bool below = p < 0.5;
  long double tail = below ? (long double)p : 1 - (long double)p, low = 0, high = 1;
  if (tail >= 0.5L) return 0;
  while (upper(high, df) > tail && high < 1e300L) low = high, high *= 2;
  for (int step = 0; step < 200 && high - low > 4 * LDBL_EPSILON * high; step++) {
    long double middle = low + (high - low) / 2;
    if (upper(middle, df) > tail)
      low = middle;
    else
      high = middle;
  }
  return (double)(below ? -high : high);
}
