/* SPDX-License-Identifier: Apache-2.0 */
/* Truth, choice and the texts of a form. */
#include "forms/xpath/functions.h"

#include <math.h>
#include <string.h>

static cq_status fn_true(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  (void)run, (void)call;
  cq_answer_boolean(out, true);
  return CQ_OK;
}

static cq_status fn_false(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  (void)run, (void)call;
  cq_answer_boolean(out, false);
  return CQ_OK;
}

static cq_status fn_boolean(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  bool holds = false;
  cq_status status = cq_eval_boolean(run, call->args[0], &holds);
  cq_answer_boolean(out, holds);
  return status;
}

static cq_status fn_not(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_status status = fn_boolean(run, call, out);
  out->boolean = !out->boolean;
  return status;
}

static cq_status fn_boolean_from_string(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) cq_answer_boolean(out, cq_str_is(text, "1") || cq_str_is(text, "true"));
  return status;
}

static cq_status fn_if(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  bool holds = false;
  cq_status status = cq_eval_boolean(run, call->args[0], &holds);
  return status == CQ_OK ? cq_eval(run, call->args[holds ? 1 : 2], out) : status;
}

static cq_status fn_coalesce(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < call->count && status == CQ_OK; i++) {
    cq_str text;
    status = cq_eval(run, call->args[i], out);
    if (status != CQ_OK || (out->type == CQ_XPATH_NUMBER && isnan(out->number))) continue;
    status = cq_as_string(run, out, &text);
    if (status == CQ_OK && text.size) break;
  }
  return status;
}

/* Its first value; the others are there to be waited for. */
static cq_status fn_depend(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return cq_eval(run, call->args[0], out);
}

/* Keeps what the node already holds. */
static cq_status fn_once(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text = {0};
  cq_status status = run->node ? cq_node_text_value(run, run->node, &text) : CQ_OK;
  if (status == CQ_OK && !text.size) return cq_eval(run, call->args[0], out);
  cq_answer_string(out, text);
  return status;
}

/* --- lists of choices: names separated by white space --- */

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool next_word(cq_str text, size_t *at, cq_str *word) {
  while (*at < text.size && is_space(text.at[*at])) ++*at;
  size_t from = *at;
  while (*at < text.size && !is_space(text.at[*at])) ++*at;
  *word = (cq_str){text.at + from, *at - from};
  return word->size != 0;
}

static cq_status fn_selected(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str list, wanted, word;
  cq_status status = cq_eval_string(run, call->args[0], &list);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &wanted);
  if (status == CQ_OK) status = cq_spend(run, list.size >> 3);
  if (status != CQ_OK) return status;
  wanted = cq_str_trim(wanted);
  bool found = !wanted.size && !cq_str_trim(list).size;
  for (size_t at = 0; !found && next_word(list, &at, &word);) found = cq_str_equal(word, wanted);
  cq_answer_boolean(out, found);
  return CQ_OK;
}

static cq_status fn_selected_at(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str list, word;
  double place = NAN;
  cq_status status = cq_eval_string(run, call->args[0], &list);
  if (status == CQ_OK) status = cq_eval_number(run, call->args[1], &place);
  if (status == CQ_OK) status = cq_spend(run, list.size >> 3);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  if (!(place > -1 && place <= (double)list.size)) return CQ_OK;
  size_t left = (size_t)trunc(place);
  for (size_t at = 0; next_word(list, &at, &word); left--)
    if (!left) {
      cq_answer_string(out, word);
      break;
    }
  return CQ_OK;
}

static cq_status fn_count_selected(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str list, word;
  size_t count = 0;
  cq_status status = cq_eval_string(run, call->args[0], &list);
  if (status == CQ_OK) status = cq_spend(run, list.size >> 3);
  if (status != CQ_OK) return status;
  for (size_t at = 0; next_word(list, &at, &word);) count++;
  cq_answer_number(out, (double)count);
  return CQ_OK;
}

/* --- checklists --- */

/* Each node of a node-set stands for an argument of its own. */
static size_t entries_of(const cq_xpath_value *value) {
  return value->type == CQ_XPATH_NODES ? value->count : 1;
}

static cq_status entry_value(cq_run *run, const cq_xpath_value *value, size_t i, cq_xpath_value *out) {
  *out = *value;
  if (value->type != CQ_XPATH_NODES) return CQ_OK;
  cq_str text;
  cq_status status = cq_node_text_value(run, value->nodes[i], &text);
  cq_answer_string(out, text);
  return status;
}

static cq_status entry_holds(cq_run *run, const cq_xpath_value *value, size_t i, bool *holds) {
  cq_xpath_value entry;
  cq_status status = entry_value(run, value, i, &entry);
  if (status != CQ_OK) return status;
  *holds = cq_as_boolean(&entry); /* of a node: that it holds text */
  return CQ_OK;
}

static cq_status within_limits(cq_run *run, const cq_expr *call, double sum, cq_xpath_value *out) {
  double least = NAN, most = NAN;
  cq_status status = cq_eval_number(run, call->args[0], &least);
  if (status == CQ_OK) status = cq_eval_number(run, call->args[1], &most);
  if (status == CQ_OK) cq_answer_boolean(out, (least < 0 || sum >= least) && (most < 0 || sum <= most));
  return status;
}

static cq_status fn_checklist(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  double sum = 0;
  cq_status status = CQ_OK;
  for (size_t a = 2; a < call->count && status == CQ_OK; a++) {
    cq_xpath_value value;
    status = cq_eval(run, call->args[a], &value);
    for (size_t i = 0; status == CQ_OK && i < entries_of(&value); i++) {
      bool holds = false;
      status = entry_holds(run, &value, i, &holds);
      sum += holds;
    }
  }
  return status == CQ_OK ? within_limits(run, call, sum, out) : status;
}

static cq_status fn_weighted_checklist(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  double sum = 0;
  if (call->count % 2) return cq_fail(run, call, CQ_INVALID, "xpath.function.arguments", call->string);
  cq_status status = CQ_OK;
  for (size_t a = 2; a + 1 < call->count && status == CQ_OK; a += 2) {
    cq_xpath_value value, weights;
    status = cq_eval(run, call->args[a], &value);
    if (status == CQ_OK) status = cq_eval(run, call->args[a + 1], &weights);
    for (size_t i = 0; status == CQ_OK && i < entries_of(&value) && i < entries_of(&weights); i++) {
      bool holds = false;
      double weight = NAN;
      cq_xpath_value entry;
      status = entry_holds(run, &value, i, &holds);
      if (status == CQ_OK) status = entry_value(run, &weights, i, &entry);
      if (status == CQ_OK) status = cq_as_number(run, &entry, &weight);
      if (holds) sum += weight;
    }
  }
  return status == CQ_OK ? within_limits(run, call, sum, out) : status;
}

/* --- texts of the form --- */

static cq_status fn_itext(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str id;
  cq_status status = cq_eval_string(run, call->args[0], &id);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  status = run->host->itext ? run->host->itext(run->host->context, id, run->scratch, out) : CQ_NOTFOUND;
  if (status == CQ_LIMIT) return cq_fail(run, call, CQ_LIMIT, "xpath.limit", call->string);
  if (status == CQ_NOMEM) return cq_fail_memory(run);
  return status == CQ_OK ? CQ_OK : cq_fail(run, call, CQ_NOTFOUND, "xpath.argument", CQ_STR("itext"));
}

static cq_status fn_choice_name(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str value, path, name = {0};
  cq_status status = cq_eval_string(run, call->args[0], &value);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &path);
  if (status != CQ_OK) return status;
  cq_node *at = run->context->node;
  if (run->host->choice_name &&
      !run->host->choice_name(run->host->context, value, cq_str_trim(path), at, run->scratch, &name))
    return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("path"));
  cq_answer_string(out, name);
  return CQ_OK;
}

/* What JavaRosa has beyond the specification: version() of the form, property('deviceid'). */
static cq_status fn_of_host(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str name = cq_str_from(call->function->name);
  cq_xpath_value argument = {.type = CQ_XPATH_STRING};
  cq_status status = call->count ? cq_eval_string(run, call->args[0], &argument.string) : CQ_OK;
  cq_answer_string(out, CQ_STR(""));
  if (status != CQ_OK || !run->host->call) return status;
  if (!run->host->call(run->host->context, name, &argument, call->count, run->scratch, out))
    return cq_fail(run, call, CQ_INVALID, "xpath.argument", name);
  return CQ_OK;
}

static const cq_function rows[] = {
    {"true", 0, 0, CQ_READS_VALUES, 0, fn_true, NULL},
    {"false", 0, 0, CQ_READS_VALUES, 0, fn_false, NULL},
    {"boolean", 1, 1, CQ_READS_VALUES, 0, fn_boolean, NULL},
    {"boolean-from-string", 1, 1, CQ_READS_VALUES, 0, fn_boolean_from_string, NULL},
    {"not", 1, 1, CQ_READS_VALUES, 0, fn_not, NULL},
    {"if", 3, 3, CQ_READS_VALUES, 0, fn_if, NULL},
    {"coalesce", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_coalesce, NULL},
    {"depend", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_depend, NULL},
    {"once", 1, 1, CQ_READS_SELF, CQ_XPATH_ONCE, fn_once, NULL},
    {"selected", 2, 2, CQ_READS_VALUES, 0, fn_selected, NULL},
    {"is-selected", 2, 2, CQ_READS_VALUES, 0, fn_selected, NULL}, /* its old name */
    {"selected-at", 2, 2, CQ_READS_VALUES, 0, fn_selected_at, NULL},
    {"count-selected", 1, 1, CQ_READS_VALUES, 0, fn_count_selected, NULL},
    {"checklist", 2, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_checklist, NULL},
    {"weighted-checklist", 2, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_weighted_checklist, NULL},
    {"version", 0, 0, CQ_READS_VALUES, CQ_XPATH_CALLS_HOST, fn_of_host, NULL},
    {"property", 1, 1, CQ_READS_VALUES, CQ_XPATH_CALLS_HOST, fn_of_host, NULL},
    {"jr:itext", 1, 1, CQ_READS_VALUES, CQ_XPATH_LANGUAGE, fn_itext, NULL},
    {"jr:choice-name", 2, 2, CQ_READS_VALUES, CQ_XPATH_LANGUAGE, fn_choice_name, NULL},
};

const cq_function_table cq_select_functions = {rows, sizeof rows / sizeof *rows};
