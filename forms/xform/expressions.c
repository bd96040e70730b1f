/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

/* Forms repeat themselves (true(), the same filter on fifty questions): the same text is compiled once. */
struct cq_shared {
  cq_str text;
  const cq_xpath *expression;
};

static uint64_t hash_text(cq_str text) {
  uint64_t hash = 14695981039346656037ULL;
  for (size_t i = 0; i < text.size; i++) hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211ULL;
  return hash ^ (hash >> 29);
}

static struct cq_shared *find(const cq_form *form, cq_str text) {
  size_t mask = form->shared_capacity - 1;
  size_t i = (size_t)hash_text(text) & mask;
  while (form->shared[i].expression != NULL && !cq_str_equal(form->shared[i].text, text)) i = (i + 1) & mask;
  return &form->shared[i];
}

static bool grow(cq_form *form) {
  if (form->shared_capacity != 0 && form->shared_count * 2 < form->shared_capacity) return true;
  size_t old_capacity = form->shared_capacity;
  struct cq_shared *old = form->shared;
  size_t capacity = old_capacity == 0 ? 256 : old_capacity * 2;
  struct cq_shared *table = calloc(capacity, sizeof *table);
  if (table == NULL) return false;
  form->shared = table;
  form->shared_capacity = capacity;
  for (size_t i = 0; i < old_capacity; i++)
    if (old[i].expression != NULL) *find(form, old[i].text) = old[i];
  free(old);
  return true;
}

cq_status cq_expression_compile(cq_form *form, cq_str text, const cq_xpath **expression, cq_error *error) {
  *expression = NULL;
  if (text.size > CQ_FORM_MAX_EXPRESSION) return cq_error_set(error, CQ_LIMIT, "forms.limit.expression", NULL);
  if (!grow(form)) return cq_error_nomem(error);
  struct cq_shared *entry = find(form, text);
  if (entry->expression != NULL) {
    *expression = entry->expression;
    return CQ_OK;
  }
  const cq_xpath_settings settings = {
      .names = form->names, .spaces = form->spaces, .space_count = form->space_count, .arena = form->arena};
  cq_status status = cq_xpath_compile(expression, &settings, text, error);
  if (status == CQ_OK) status = cq_xpath_check(*expression, error); /* a function nobody has */
  if (status != CQ_OK) {
    *expression = NULL;
    return status;
  }
  entry->text = cq_xpath_text(*expression);
  if (!cq_str_equal(entry->text, text)) /* the compiler may trim; the key must not */
    entry->text = cq_arena_copy(form->arena, text);
  if (entry->text.at == NULL) return cq_error_nomem(error);
  entry->expression = *expression;
  form->shared_count++;
  return CQ_OK;
}

void cq_expression_fold(cq_form *form, cq_condition_definition *condition) {
  (void)form;
  condition->constant = CQ_CONSTANT_NO;
  if (condition->expression == NULL || !cq_xpath_is_constant(condition->expression)) return;
  cq_arena *scratch = cq_arena_new(1 << 20);
  if (scratch == NULL) return;
  const cq_xpath_host host = {0};
  const cq_xpath_context context = {.host = &host, .scratch = scratch, .steps = 100000, .in_form = true};
  cq_xpath_value value;
  if (cq_xpath_evaluate(condition->expression, &context, &value, NULL) == CQ_OK)
    condition->constant = cq_xpath_to_boolean(&value) ? CQ_CONSTANT_TRUE : CQ_CONSTANT_FALSE;
  cq_arena_free(scratch);
}
