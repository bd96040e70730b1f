/* SPDX-License-Identifier: Apache-2.0 */
/* One evaluation from within: what functions use to get at their arguments and to answer. */
#ifndef FORMS_XPATH_EVALUATE_H
#define FORMS_XPATH_EVALUATE_H

#include "forms/xpath/ast.h"

typedef struct cq_run {
  const cq_xpath *expression;
  const cq_xpath_context *context;
  const cq_xpath_host *host; /* never NULL */
  cq_arena *scratch;
  cq_node *root, *current; /* root NULL: the document of `node` */
  cq_node *node;           /* the focus */
  size_t position, size;
  size_t steps;     /* left */
  bool own_repeats; /* as context->in_form; indexed-repeat() looks at all instances */
  cq_error *error;
} cq_run;

/* Node-sets grow in scratch. */
typedef struct cq_nodes {
  cq_node **at;
  size_t count, capacity;
} cq_nodes;

cq_status cq_nodes_add(cq_run *run, cq_nodes *nodes, cq_node *node);
cq_status cq_nodes_order(cq_run *run, cq_nodes *nodes); /* document order, without doubles */
cq_status cq_spend(cq_run *run, size_t steps);          /* CQ_LIMIT where the work allowed is used up */

cq_status cq_eval(cq_run *run, const cq_expr *expr, cq_xpath_value *out);
cq_status cq_eval_number(cq_run *run, const cq_expr *expr, double *out);
cq_status cq_eval_string(cq_run *run, const cq_expr *expr, cq_str *out);
cq_status cq_eval_boolean(cq_run *run, const cq_expr *expr, bool *out);
cq_status cq_eval_nodes(cq_run *run, const cq_expr *expr, cq_xpath_value *out); /* an error where it is no node-set */

cq_status cq_eval_path(cq_run *run, const cq_expr *path, cq_xpath_value *out);     /* path.c */
cq_status cq_eval_filter(cq_run *run, const cq_expr *filter, cq_xpath_value *out); /* path.c */
cq_status cq_compare(cq_run *run, cq_between op, const cq_xpath_value *a, const cq_xpath_value *b, bool *out);

/* Conversions of a value at hand (value.c, dates.c). */
cq_status cq_as_number(cq_run *run, const cq_xpath_value *value, double *out);
cq_status cq_as_string(cq_run *run, const cq_xpath_value *value, cq_str *out);
bool cq_as_boolean(const cq_xpath_value *value);
double cq_text_number(const cq_xpath_host *host, cq_str text);
cq_status cq_node_text_value(cq_run *run, const cq_node *node, cq_str *out);

void cq_answer_number(cq_xpath_value *out, double number);
void cq_answer_boolean(cq_xpath_value *out, bool boolean);
void cq_answer_string(cq_xpath_value *out, cq_str string);
void cq_answer_nodes(cq_xpath_value *out, const cq_nodes *nodes, bool sorted);
cq_status cq_answer_copy(cq_run *run, cq_xpath_value *out, const char *text, size_t size);

cq_status cq_fail(cq_run *run, const cq_expr *at, cq_status status, const char *code, cq_str what);
cq_status cq_fail_memory(cq_run *run);
void *cq_take(cq_run *run, size_t size); /* scratch memory */

#endif
