/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The expressions of indicator definitions (docs/formats/indicators.md,
 * section Expressions): names of questions, numbers, texts in quotes, and or
 * not, comparison, + - * /, selected() and missing(). A value that is missing
 * makes missing whatever depends on it; it never becomes 0 or "no".
 */
#ifndef CENTRAL_TABLES_EXPRESSION_H
#define CENTRAL_TABLES_EXPRESSION_H

#include "chasqui/arena.h"
#include "chasqui/status.h"

#include <stdbool.h>

enum { CQ_EXPRESSION_MAX_BYTES = 2000, CQ_EXPRESSION_MAX_NODES = 400, CQ_EXPRESSION_MAX_DEPTH = 50 };

typedef struct cq_expression cq_expression;

typedef struct cq_value {
  enum { CQ_VALUE_MISSING, CQ_VALUE_NUMBER, CQ_VALUE_TEXT } kind;
  double number; /* 1 and 0 for true and false */
  cq_str text;
} cq_value;

/* Lives in the arena, borrows nothing. Error: indicator.expression (argument: what stands where it goes wrong),
 * indicator.expression.end, indicator.expression.long. */
cq_status cq_expression_parse(cq_expression **expression, cq_str text, cq_arena *arena, cq_error *error);

size_t cq_expression_names(const cq_expression *expression);
cq_str cq_expression_name(const cq_expression *expression, size_t index);

/* The text of a name's value; "" where it is missing. */
typedef cq_str (*cq_expression_lookup)(void *context, cq_str name);
cq_value cq_expression_value(const cq_expression *expression, cq_expression_lookup lookup, void *context);

#endif
