/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between the types, and comparison. */
#include "forms/xpath/dates.h"
#include "forms/xpath/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* --- numbers as text --- */

static size_t put_integer(char *out, uint64_t value) {
  char digits[24];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
  return count;
}

/* A number of few decimals: `scaled` / 10^decimals is it exactly, since both are exact doubles. */
static bool put_short(char *out, double number, size_t *size) {
  for (size_t decimals = 0; decimals <= 6; decimals++) {
    double scaled = nearbyint(number * powers_of_ten[decimals]);
    if (scaled >= 9007199254740992.0) return false;
    if (scaled / powers_of_ten[decimals] != number) continue;
    uint64_t digits = (uint64_t)scaled, unit = (uint64_t)powers_of_ten[decimals];
    *size = put_integer(out, digits / unit);
    if (!decimals) return true;
    out[(*size)++] = '.';
    uint64_t rest = digits % unit;
    for (size_t i = decimals; i > 0; i--) {
      out[*size + i - 1] = (char)('0' + rest % 10);
      rest /= 10;
    }
    *size += decimals;
    return true;
  }
  return false;
}

/* From the digits and exponent of %e, without an exponent. */
static size_t put_long(char *out, double number) {
  char digits[40];
  int precision = 14;
  for (; precision < 17; precision++) {
    snprintf(digits, sizeof digits, "%.*e", precision, number);
    if (strtod(digits, NULL) == number) break;
  }
  char *e = strchr(digits, 'e');
  int exponent = atoi(e + 1);
  size_t count = (size_t)(e - digits);
  memmove(digits + 1, digits + 2, count - 2); /* without the point */
  count--;
  while (count > 1 && digits[count - 1] == '0') count--;
  size_t size = 0;
  if (exponent < 0) {
    size += (size_t)sprintf(out, "0.");
    for (int i = -1; i > exponent; i--) out[size++] = '0';
    memcpy(out + size, digits, count);
    return size + count;
  }
  for (size_t i = 0; i < count || i <= (size_t)exponent; i++) {
    if (i == (size_t)exponent + 1) out[size++] = '.';
    out[size++] = i < count ? digits[i] : '0';
  }
  return size;
}

size_t cq_xpath_number_text(double number, char *out) {
  size_t size = 0, sign = 0;
  if (isnan(number)) return (size_t)sprintf(out, "NaN");
  if (number < 0) {
    out[sign++] = '-';
    number = -number;
  }
  if (isinf(number)) return sign + (size_t)sprintf(out + sign, "Infinity");
  if (number < 9007199254740992.0 && put_short(out + sign, number == 0 ? 0.0 : number, &size)) return sign + size;
  return sign + put_long(out + sign, number);
}

/* --- text as numbers --- */

/* Number ::= '-'? (digits ('.' digits?)? | '.' digits), white space around it allowed. */
static bool read_number(cq_str text, double *number) {
  size_t at = 0, digits = 0, decimals = 0;
  bool negative = text.size && text.at[0] == '-', point = false;
  uint64_t mantissa = 0;
  for (at = negative ? 1 : 0; at < text.size; at++) {
    char c = text.at[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      if (digits < 19) mantissa = mantissa * 10 + (uint64_t)(c - '0');
      if (mantissa) digits++;
      decimals += point;
    } else {
      return false;
    }
  }
  size_t places = text.size - negative - point;
  if (!places) return false;
  if (digits <= 15 && decimals <= 22) {
    *number = (double)mantissa / powers_of_ten[decimals];
    if (negative) *number = -*number;
    return true;
  }
  char copy[512];
  if (text.size >= sizeof copy) return false;
  memcpy(copy, text.at, text.size);
  copy[text.size] = '\0';
  *number = strtod(copy, NULL);
  return true;
}

double cq_text_number(const cq_xpath_host *host, cq_str text) {
  double number = NAN;
  text = cq_str_trim(text);
  if (read_number(text, &number)) return number;
  int64_t utc_ms = 0;
  bool whole = false;
  if (text.size >= 10 && cq_date_text_read(host, text, &utc_ms, &whole)) return cq_days_of(utc_ms);
  return NAN;
}

/* --- values --- */

void cq_answer_number(cq_xpath_value *out, double number) {
  *out = (cq_xpath_value){.type = CQ_XPATH_NUMBER, .number = number};
}

void cq_answer_boolean(cq_xpath_value *out, bool boolean) {
  *out = (cq_xpath_value){.type = CQ_XPATH_BOOLEAN, .boolean = boolean};
}

void cq_answer_string(cq_xpath_value *out, cq_str string) {
  *out = (cq_xpath_value){.type = CQ_XPATH_STRING, .string = string};
}

void cq_answer_nodes(cq_xpath_value *out, const cq_nodes *nodes, bool sorted) {
  *out = (cq_xpath_value){.type = CQ_XPATH_NODES, .nodes = nodes->at, .count = nodes->count, .sorted = sorted};
}

cq_status cq_answer_copy(cq_run *run, cq_xpath_value *out, const char *text, size_t size) {
  cq_str copy = cq_arena_copy(run->scratch, (cq_str){text, size});
  if (!copy.at) return cq_fail_memory(run);
  cq_answer_string(out, copy);
  return CQ_OK;
}

cq_status cq_node_text_value(cq_run *run, const cq_node *node, cq_str *out) {
  *out = cq_node_value(node, run->scratch);
  return out->at ? cq_spend(run, out->size >> 5) : cq_fail_memory(run);
}

/* The shortest text; in a form that of a whole number where that is near enough, as JavaRosa stores it. */
static size_t put_number(const cq_run *run, double number, char *out) {
  if (run->context->in_form && fabs(number) < 2147483648.0 && fabs(number - trunc(number)) < 1e-12)
    number = trunc(number) + 0.0; /* and no minus before a zero */
  return cq_xpath_number_text(number, out);
}

cq_status cq_as_string(cq_run *run, const cq_xpath_value *value, cq_str *out) {
  char text[512];
  switch (value->type) {
  case CQ_XPATH_STRING: *out = value->string; return CQ_OK;
  case CQ_XPATH_BOOLEAN: *out = value->boolean ? CQ_STR("true") : CQ_STR("false"); return CQ_OK;
  case CQ_XPATH_NODES: *out = CQ_STR(""); return value->count ? cq_node_text_value(run, value->nodes[0], out) : CQ_OK;
  case CQ_XPATH_NUMBER: *out = cq_arena_copy(run->scratch, (cq_str){text, put_number(run, value->number, text)}); break;
  case CQ_XPATH_DATE: *out = cq_arena_copy(run->scratch, (cq_str){text, cq_date_text(value, text)}); break;
  }
  return out->at ? CQ_OK : cq_fail_memory(run);
}

cq_status cq_as_number(cq_run *run, const cq_xpath_value *value, double *out) {
  *out = NAN;
  switch (value->type) {
  case CQ_XPATH_NUMBER:
  case CQ_XPATH_DATE: *out = value->number; return CQ_OK;
  case CQ_XPATH_BOOLEAN: *out = value->boolean; return CQ_OK;
  case CQ_XPATH_STRING: *out = cq_text_number(run->host, value->string); return CQ_OK;
  case CQ_XPATH_NODES: break;
  }
  cq_str text;
  if (!value->count) return CQ_OK;
  cq_status status = cq_node_text_value(run, value->nodes[0], &text);
  if (status == CQ_OK) *out = cq_text_number(run->host, text);
  return status;
}

bool cq_as_boolean(const cq_xpath_value *value) {
  switch (value->type) {
  case CQ_XPATH_NUMBER:
  case CQ_XPATH_DATE: return value->number != 0 && !isnan(value->number);
  case CQ_XPATH_BOOLEAN: return value->boolean;
  case CQ_XPATH_STRING: return value->string.size != 0;
  case CQ_XPATH_NODES: return value->count != 0;
  }
  return false;
}

/* --- comparison --- */

static bool compare_numbers(cq_between op, double a, double b) {
  switch (op) {
  case CQ_BETWEEN_EQ: return a == b;
  case CQ_BETWEEN_NE: return a != b;
  case CQ_BETWEEN_LT: return a < b;
  case CQ_BETWEEN_LE: return a <= b;
  case CQ_BETWEEN_GT: return a > b;
  case CQ_BETWEEN_GE: return a >= b;
  default: return false;
  }
}

static bool is_equality(cq_between op) {
  return op == CQ_BETWEEN_EQ || op == CQ_BETWEEN_NE;
}

static cq_status compare_atoms(cq_run *run, cq_between op, const cq_xpath_value *a, const cq_xpath_value *b,
                               bool *out) {
  if (is_equality(op) && (a->type == CQ_XPATH_BOOLEAN || b->type == CQ_XPATH_BOOLEAN)) {
    *out = (cq_as_boolean(a) == cq_as_boolean(b)) == (op == CQ_BETWEEN_EQ);
    return CQ_OK;
  }
  if (is_equality(op) && a->type == CQ_XPATH_STRING && b->type == CQ_XPATH_STRING) {
    *out = cq_str_equal(a->string, b->string) == (op == CQ_BETWEEN_EQ);
    return CQ_OK;
  }
  double left = NAN, right = NAN;
  cq_status status = cq_as_number(run, a, &left);
  if (status == CQ_OK) status = cq_as_number(run, b, &right);
  *out = compare_numbers(op, left, right);
  return status;
}

/* The values of a node-set one after another; an empty set counts as one empty string: what is not relevant reads so.
 */
static cq_status node_string(cq_run *run, const cq_xpath_value *set, size_t i, cq_xpath_value *out) {
  cq_str text = CQ_STR("");
  cq_status status = i < set->count ? cq_node_text_value(run, set->nodes[i], &text) : CQ_OK;
  cq_answer_string(out, text);
  return status;
}

cq_status cq_compare(cq_run *run, cq_between op, const cq_xpath_value *a, const cq_xpath_value *b, bool *out) {
  bool left = a->type == CQ_XPATH_NODES, right = b->type == CQ_XPATH_NODES;
  *out = false;
  if (!left && !right) return compare_atoms(run, op, a, b, out);
  if (is_equality(op) && (a->type == CQ_XPATH_BOOLEAN || b->type == CQ_XPATH_BOOLEAN))
    return compare_atoms(run, op, a, b, out);
  cq_status status = CQ_OK;
  size_t lefts = left ? a->count : 1, rights = right ? b->count : 1;
  if (run->context->in_form) {
    if (!lefts) lefts = 1;
    if (!rights) rights = 1;
  }
  for (size_t i = 0; i < lefts && status == CQ_OK && !*out; i++) {
    cq_xpath_value x = *a, y = *b;
    if (left) status = node_string(run, a, i, &x);
    for (size_t j = 0; j < rights && status == CQ_OK && !*out; j++) {
      if (right) status = node_string(run, b, j, &y);
      if (status == CQ_OK) status = compare_atoms(run, op, &x, &y, out);
      if (status == CQ_OK) status = cq_spend(run, 1);
    }
  }
  return status;
}

/* --- for the caller of an evaluation --- */

static cq_run run_for(const cq_xpath_context *context) {
  static const cq_xpath_host no_host = {0};
  return (cq_run){.context = context,
                  .host = context->host ? context->host : &no_host,
                  .scratch = context->scratch,
                  .steps = CQ_XPATH_MAX_STEPS};
}

double cq_xpath_to_number(const cq_xpath_value *value, const cq_xpath_context *context) {
  cq_run run = run_for(context);
  double number = NAN;
  return cq_as_number(&run, value, &number) == CQ_OK ? number : NAN;
}

bool cq_xpath_to_boolean(const cq_xpath_value *value) {
  return cq_as_boolean(value);
}

cq_status cq_xpath_to_string(const cq_xpath_value *value, const cq_xpath_context *context, cq_str *out) {
  cq_run run = run_for(context);
  return cq_as_string(&run, value, out);
}
