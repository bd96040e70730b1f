/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/evaluate.h"
#include "forms/xpath/dates.h"
#include "forms/xpath/functions.h"

#include <math.h>
#include <string.h>

/* --- failing, memory, work --- */

cq_status cq_fail(cq_run *run, const cq_expr *at, cq_status status, const char *code, cq_str what) {
  return cq_xpath_fault(run->error, status, code, run->expression->text, at ? at->column : 1, what);
}

cq_status cq_fail_memory(cq_run *run) {
  return cq_error_nomem(run->error);
}

void *cq_take(cq_run *run, size_t size) {
  return cq_arena_alloc(run->scratch, size);
}

cq_status cq_spend(cq_run *run, size_t steps) {
  if (run->steps < steps) {
    run->steps = 0; /* and so for what comes after */
    return cq_fail(run, NULL, CQ_LIMIT, "xpath.limit", (cq_str){0});
  }
  run->steps -= steps;
  return CQ_OK;
}

/* --- operators --- */

/* Two calendar dates are whole days apart, whatever the clocks did between them. */
static bool is_calendar_date(cq_run *run, const cq_xpath_value *value, int32_t *day) {
  cq_str text = {0};
  cq_date date;
  if (value->type == CQ_XPATH_DATE && !value->has_time) {
    char out[40];
    text = (cq_str){out, cq_date_text(value, out)};
    if (!cq_date_parse(text, &date)) return false;
  } else if (value->type == CQ_XPATH_STRING || (value->type == CQ_XPATH_NODES && value->count)) {
    text = value->type == CQ_XPATH_STRING ? value->string : cq_node_text(value->nodes[0]);
    if (text.size != 10 || !cq_date_parse(text, &date)) return false;
  } else {
    return false;
  }
  (void)run;
  *day = cq_date_to_day(date);
  return true;
}

static double apply(cq_between op, double left, double right) {
  switch (op) {
  case CQ_BETWEEN_ADD: return left + right;
  case CQ_BETWEEN_SUBTRACT: return left - right;
  case CQ_BETWEEN_MULTIPLY: return left * right;
  case CQ_BETWEEN_DIVIDE: return left / right;
  default: return fmod(left, right);
  }
}

static cq_status eval_arithmetic(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  cq_xpath_value left, right = {0};
  cq_status status = cq_eval(run, expr->args[0], &left);
  for (size_t i = 1; i < expr->count && status == CQ_OK; i++) {
    double a = NAN, b = NAN;
    int32_t from = 0, to = 0;
    status = cq_eval(run, expr->args[i], &right);
    if (status == CQ_OK) status = cq_as_number(run, &left, &a);
    if (status == CQ_OK) status = cq_as_number(run, &right, &b);
    cq_between op = (cq_between)expr->ops[i - 1];
    if (op == CQ_BETWEEN_SUBTRACT && right.type != CQ_XPATH_NUMBER && is_calendar_date(run, &left, &to) &&
        is_calendar_date(run, &right, &from))
      cq_answer_number(&left, to - from);
    else
      cq_answer_number(&left, apply(op, a, b));
  }
  if (status == CQ_OK) *out = left;
  return status;
}

static cq_status eval_comparison(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  cq_xpath_value left, right = {0};
  cq_status status = cq_eval(run, expr->args[0], &left);
  for (size_t i = 1; i < expr->count && status == CQ_OK; i++) {
    bool holds = false;
    status = cq_eval(run, expr->args[i], &right);
    if (status == CQ_OK) status = cq_compare(run, (cq_between)expr->ops[i - 1], &left, &right, &holds);
    cq_answer_boolean(&left, holds);
  }
  if (status == CQ_OK) *out = left;
  return status;
}

static cq_status eval_logic(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  bool wanted = expr->op == CQ_OP_OR, holds = !wanted;
  cq_status status = CQ_OK;
  for (size_t i = 0; i < expr->count && holds != wanted && status == CQ_OK; i++)
    status = cq_eval_boolean(run, expr->args[i], &holds);
  cq_answer_boolean(out, holds);
  return status;
}

static cq_status eval_union(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  cq_nodes all = {0};
  cq_status status = CQ_OK;
  for (size_t i = 0; i < expr->count && status == CQ_OK; i++) {
    cq_xpath_value part;
    status = cq_eval_nodes(run, expr->args[i], &part);
    for (size_t n = 0; status == CQ_OK && n < part.count; n++) status = cq_nodes_add(run, &all, part.nodes[n]);
  }
  if (status == CQ_OK) status = cq_nodes_order(run, &all);
  cq_answer_nodes(out, &all, true);
  return status;
}

static cq_status eval_host_call(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  if (!run->host->call) return cq_fail(run, expr, CQ_INVALID, "xpath.function.unknown", expr->string);
  cq_xpath_value *arguments = cq_arena_array(run->scratch, expr->count + 1, sizeof *arguments);
  if (!arguments) return cq_fail_memory(run);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < expr->count && status == CQ_OK; i++) status = cq_eval(run, expr->args[i], &arguments[i]);
  if (status == CQ_OK && !run->host->call(run->host->context, expr->string, arguments, expr->count, run->scratch, out))
    status = cq_fail(run, expr, CQ_INVALID, "xpath.function.unknown", expr->string);
  return status;
}

cq_status cq_eval(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  double number = NAN;
  cq_status status = cq_spend(run, 1);
  if (status != CQ_OK) return status;
  switch (expr->op) {
  case CQ_OP_NUMBER: cq_answer_number(out, expr->number); return CQ_OK;
  case CQ_OP_STRING: cq_answer_string(out, expr->string); return CQ_OK;
  case CQ_OP_OR:
  case CQ_OP_AND: return eval_logic(run, expr, out);
  case CQ_OP_EQUALITY:
  case CQ_OP_RELATION: return eval_comparison(run, expr, out);
  case CQ_OP_ADDITIVE:
  case CQ_OP_MULTIPLICATIVE: return eval_arithmetic(run, expr, out);
  case CQ_OP_UNION: return eval_union(run, expr, out);
  case CQ_OP_NEGATE:
    status = cq_eval_number(run, expr->args[0], &number);
    cq_answer_number(out, -number);
    return status;
  case CQ_OP_CALL: return expr->function->call(run, expr, out);
  case CQ_OP_CALL_WRONG: return cq_fail(run, expr, CQ_INVALID, "xpath.function.arguments", expr->string);
  case CQ_OP_CALL_HOST: return eval_host_call(run, expr, out);
  case CQ_OP_PATH: return cq_eval_path(run, expr, out);
  default: return cq_eval_filter(run, expr, out);
  }
}

cq_status cq_eval_number(cq_run *run, const cq_expr *expr, double *out) {
  cq_xpath_value value;
  cq_status status = cq_eval(run, expr, &value);
  return status == CQ_OK ? cq_as_number(run, &value, out) : status;
}

cq_status cq_eval_string(cq_run *run, const cq_expr *expr, cq_str *out) {
  cq_xpath_value value;
  cq_status status = cq_eval(run, expr, &value);
  return status == CQ_OK ? cq_as_string(run, &value, out) : status;
}

cq_status cq_eval_boolean(cq_run *run, const cq_expr *expr, bool *out) {
  cq_xpath_value value;
  cq_status status = cq_eval(run, expr, &value);
  if (status == CQ_OK) *out = cq_as_boolean(&value);
  return status;
}

cq_status cq_eval_nodes(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  out->type = CQ_XPATH_NODES;
  cq_status status = cq_eval(run, expr, out);
  if (status == CQ_OK && out->type != CQ_XPATH_NODES)
    return cq_fail(run, expr, CQ_INVALID, "xpath.argument", CQ_STR("nodeset"));
  return status;
}

cq_status cq_xpath_evaluate(const cq_xpath *expression, const cq_xpath_context *context, cq_xpath_value *out,
                            cq_error *error) {
  static const cq_xpath_host no_host = {0};
  cq_run run = {.expression = expression,
                .context = context,
                .host = context->host ? context->host : &no_host,
                .scratch = context->scratch,
                .root = context->root,
                .current = context->current ? context->current : context->node,
                .node = context->node,
                .position = context->position ? context->position : 1,
                .size = context->size ? context->size : 1,
                .steps = context->steps ? context->steps : CQ_XPATH_MAX_STEPS,
                .own_repeats = context->in_form,
                .error = error};
  size_t allowed = run.steps;
  cq_status status = cq_eval(&run, expression->top, out);
  if (context->spent) *context->spent += allowed - run.steps;
  return status;
}
