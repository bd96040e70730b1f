/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantiles of Student's t and of the normal distribution, which no library of
 * the distribution's list has. The distribution function is the regularised
 * incomplete beta function by its continued fraction (NIST DLMF 8.17.5 and
 * 8.17.22, evaluated as Thompson and Barnett 1986), and the quantile its root.
 */
#ifndef CENTRAL_TABLES_STUDENT_H
#define CENTRAL_TABLES_STUDENT_H

/* P(T ≤ t), df > 0. */
double cq_student_cdf(double t, double df);
/* t such that P(T ≤ t) = p, 0 < p < 1; relative error below 1e-12 for df from 1 to 1e7. */
double cq_student_quantile(double p, double df);

#endif
