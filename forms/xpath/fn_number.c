/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of numbers. */
#include "forms/xpath/functions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cq_status fn_number(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  double number = NAN;
  cq_status status = CQ_OK;
  if (call->count) {
    status = cq_eval_number(run, call->args[0], &number);
  } else if (run->node) {
    cq_str text;
    status = cq_node_text_value(run, run->node, &text);
    if (status == CQ_OK) number = cq_text_number(run->host, text);
  }
  cq_answer_number(out, number);
  return status;
}

/* --- of one number --- */

static cq_status apply(cq_run *run, const cq_expr *call, cq_xpath_value *out, double (*function)(double)) {
  double number = NAN;
  cq_status status = cq_eval_number(run, call->args[0], &number);
  if (status == CQ_OK) cq_answer_number(out, function(number));
  return status;
}

static double exp_10(double number) {
  return pow(10, number);
}

#define CQ_OF_ONE(name, function)                                                                                      \
  static cq_status name(cq_run *run, const cq_expr *call, cq_xpath_value *out) {                                       \
    return apply(run, call, out, function);                                                                            \
  }

CQ_OF_ONE(fn_int, trunc)
CQ_OF_ONE(fn_floor, floor)
CQ_OF_ONE(fn_ceiling, ceil)
CQ_OF_ONE(fn_abs, fabs)
CQ_OF_ONE(fn_log, log)
CQ_OF_ONE(fn_log10, log10)
CQ_OF_ONE(fn_sin, sin)
CQ_OF_ONE(fn_cos, cos)
CQ_OF_ONE(fn_tan, tan)
CQ_OF_ONE(fn_asin, asin)
CQ_OF_ONE(fn_acos, acos)
CQ_OF_ONE(fn_atan, atan)
CQ_OF_ONE(fn_sqrt, sqrt)
CQ_OF_ONE(fn_exp, exp)
CQ_OF_ONE(fn_exp10, exp_10)

/* --- of two --- */

static cq_status apply_two(cq_run *run, const cq_expr *call, cq_xpath_value *out, double (*function)(double, double)) {
  double a = NAN, b = NAN;
  cq_status status = cq_eval_number(run, call->args[0], &a);
  if (status == CQ_OK) status = cq_eval_number(run, call->args[1], &b);
  if (status == CQ_OK) cq_answer_number(out, function(a, b));
  return status;
}

static cq_status fn_pow(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return apply_two(run, call, out, pow);
}

static cq_status fn_atan2(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return apply_two(run, call, out, atan2);
}

static cq_status fn_pi(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  (void)run, (void)call;
  cq_answer_number(out, 3.14159265358979323846);
  return CQ_OK;
}

/* The decimal that a person reads is rounded, not the binary number behind it: round(1.005, 2) is 1.01. */
static double round_decimals(double number, size_t digits) {
  char text[408];
  size_t size = 1 + cq_xpath_number_text(fabs(number), text + 1);
  text[0] = '0'; /* where a carry goes */
  text[size] = '\0';
  const char *point = memchr(text, '.', size);
  size_t end = point ? (size_t)(point - text) + 1 + digits : size;
  if (end >= size) return number;
  bool half = text[end] == '5' && end + 1 == size, up = text[end] > '5' || (text[end] == '5' && (!half || number > 0));
  text[end] = '\0';
  for (size_t i = end; up && i-- > 0;) {
    if (text[i] == '.') continue;
    up = text[i] == '9';
    text[i] = up ? '0' : (char)(text[i] + 1);
  }
  double rounded = strtod(text, NULL);
  return number < 0 ? -rounded : rounded;
}

/* Half goes up, as in JavaRosa: round(-2.5) is -2. */
static double round_half_up(double number, double digits) {
  if (isnan(number) || isinf(number) || isnan(digits)) return number;
  digits = trunc(digits);
  if (digits > 30) return number;
  if (digits > 0) return round_decimals(number, (size_t)digits);
  if (digits < -308) return 0;
  double scale = pow(10, -digits), scaled = number / scale;
  if (fabs(scaled) >= 4503599627370496.0) return number; /* no fraction left to round */
  return floor(scaled + 0.5) * scale;
}

static cq_status fn_round(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  double number = NAN, digits = 0;
  cq_status status = cq_eval_number(run, call->args[0], &number);
  if (status == CQ_OK && call->count > 1) status = cq_eval_number(run, call->args[1], &digits);
  if (status == CQ_OK) cq_answer_number(out, round_half_up(number, digits));
  return status;
}

/* --- of many --- */

typedef double (*folding)(double so_far, double next);

/* Each node of a node-set is a number, any other value is one. In a form what is no number is passed over. */
static cq_status fold(cq_run *run, const cq_expr *call, folding function, double *result, size_t *count) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < call->count && status == CQ_OK; i++) {
    cq_xpath_value value;
    double number = NAN;
    status = cq_eval(run, call->args[i], &value);
    if (status != CQ_OK) return status;
    size_t values = value.type == CQ_XPATH_NODES ? value.count : 1;
    for (size_t n = 0; n < values && status == CQ_OK; n++) {
      if (value.type == CQ_XPATH_NODES) {
        cq_str text;
        status = cq_node_text_value(run, value.nodes[n], &text);
        if (status == CQ_OK) number = cq_text_number(run->host, text);
      } else {
        status = cq_as_number(run, &value, &number);
      }
      if (isnan(number) && run->context->in_form) continue;
      *result = *count ? function(*result, number) : number;
      ++*count;
    }
  }
  return status;
}

static double add(double a, double b) {
  return a + b;
}

static double larger(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

static double smaller(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
}

static cq_status answer_fold(cq_run *run, const cq_expr *call, cq_xpath_value *out, folding function, double empty) {
  double result = 0;
  size_t count = 0;
  cq_status status = fold(run, call, function, &result, &count);
  cq_answer_number(out, count ? result : empty);
  return status;
}

static cq_status fn_sum(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return answer_fold(run, call, out, add, 0);
}

static cq_status fn_max(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return answer_fold(run, call, out, larger, NAN);
}

static cq_status fn_min(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return answer_fold(run, call, out, smaller, NAN);
}

static const cq_function rows[] = {
    {"number", 0, 1, CQ_READS_FOCUS, 0, fn_number, NULL},
    {"int", 1, 1, CQ_READS_VALUES, 0, fn_int, NULL},
    {"floor", 1, 1, CQ_READS_VALUES, 0, fn_floor, NULL},
    {"ceiling", 1, 1, CQ_READS_VALUES, 0, fn_ceiling, NULL},
    {"round", 1, 2, CQ_READS_VALUES, 0, fn_round, NULL},
    {"abs", 1, 1, CQ_READS_VALUES, 0, fn_abs, NULL},
    {"sum", 1, 1, CQ_READS_VALUES, 0, fn_sum, NULL},
    {"max", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_max, NULL},
    {"min", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_min, NULL},
    {"pow", 2, 2, CQ_READS_VALUES, 0, fn_pow, NULL},
    {"log", 1, 1, CQ_READS_VALUES, 0, fn_log, NULL},
    {"log10", 1, 1, CQ_READS_VALUES, 0, fn_log10, NULL},
    {"sin", 1, 1, CQ_READS_VALUES, 0, fn_sin, NULL},
    {"cos", 1, 1, CQ_READS_VALUES, 0, fn_cos, NULL},
    {"tan", 1, 1, CQ_READS_VALUES, 0, fn_tan, NULL},
    {"asin", 1, 1, CQ_READS_VALUES, 0, fn_asin, NULL},
    {"acos", 1, 1, CQ_READS_VALUES, 0, fn_acos, NULL},
    {"atan", 1, 1, CQ_READS_VALUES, 0, fn_atan, NULL},
    {"atan2", 2, 2, CQ_READS_VALUES, 0, fn_atan2, NULL},
    {"sqrt", 1, 1, CQ_READS_VALUES, 0, fn_sqrt, NULL},
    {"exp", 1, 1, CQ_READS_VALUES, 0, fn_exp, NULL},
    {"exp10", 1, 1, CQ_READS_VALUES, 0, fn_exp10, NULL},
    {"pi", 0, 0, CQ_READS_VALUES, 0, fn_pi, NULL},
};

const cq_function_table cq_number_functions = {rows, sizeof rows / sizeof *rows};
