/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions at a node of the interview, and what they may ask it. */
#include "forms/engine/interview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cq_node *instance(void *context, cq_str id) {
  const cq_interview *interview = context;
  if (interview->form->primary_id.size > 0 && cq_str_equal(id, interview->form->primary_id))
    return cq_tree_document(interview->tree);
  cq_node *list = cq_lists_find(interview->form, id);
  return list != NULL ? list : interview->no_list; /* a list that the form does not have is empty, as in Web Forms */
}

static cq_status itext(void *context, cq_str id, cq_arena *scratch, cq_xpath_value *out) {
  cq_interview *interview = context;
  cq_atom atom = cq_names_find(interview->form->names, id);
  if (atom == CQ_ATOM_FAILED) return CQ_NOTFOUND;
  const cq_text text = {.itext = atom};
  *out = (cq_xpath_value){.type = CQ_XPATH_STRING};
  return cq_text_resolve(interview, &text, "", interview->root->node, scratch, &out->string, NULL);
}

static bool choice_name(void *context, cq_str value, cq_str path, cq_node *at, cq_arena *scratch, cq_str *out) {
  cq_interview *interview = context;
  const cq_slot *from = interview->root;
  for (const cq_node *n = at; n != NULL; n = n->parent)
    if (n->user != NULL && cq_tree_of(n) == interview->tree) {
      from = n->user;
      break;
    }
  uint32_t field = cq_fields_resolve(interview->form, path, from->field);
  if (field == CQ_NONE) return false;
  *out = (cq_str){NULL, 0};
  cq_slot *slot = cq_slots_near(interview, from, field);
  if (slot != NULL && value.size > 0) (void)cq_choices_label(interview, slot, value, scratch, out);
  return true;
}

static size_t position(void *context, const cq_node *node) {
  const cq_interview *interview = context;
  const cq_slot *slot = node->user;
  if (slot == NULL || node->kind != CQ_NODE_ELEMENT || slot->node != node || slot->row == NULL) return 0;
  (void)interview;
  return (size_t)slot->index + 1;
}

static bool call(void *context, cq_str name, const cq_xpath_value *arguments, size_t count, cq_arena *scratch,
                 cq_xpath_value *out) {
  const cq_interview *interview = context;
  (void)scratch;
  bool known = cq_str_is(name, "version") || (count == 1 && cq_str_is(name, "property"));
  if (known) out->string = count == 0 ? interview->form->version : cq_preload_property(interview, arguments[0].string);
  return known;
}

static int64_t shifted_now(void *context) {
  const cq_interview *interview = context;
  const cq_clock *device = interview->device_clock;
  int64_t now = device->now_utc_ms(device->context);
  if (interview->working_date.year == 0) return now;
  int64_t days = cq_date_to_day(interview->working_date) - cq_date_to_day(cq_date_at(device, now));
  return now + days * 86400000;
}

static int64_t monotonic(void *context) {
  const cq_interview *interview = context;
  return interview->device_clock->monotonic_ms(interview->device_clock->context);
}

static int offset_minutes(void *context, int64_t utc_ms) {
  const cq_interview *interview = context;
  return interview->device_clock->offset_minutes(interview->device_clock->context, utc_ms);
}

void cq_evaluate_prepare(cq_interview *interview) {
  interview->clock = (cq_clock){shifted_now, monotonic, offset_minutes, interview};
  interview->host = (cq_xpath_host){.instance = instance,
                                    .itext = itext,
                                    .choice_name = choice_name,
                                    .position = position,
                                    .call = call,
                                    .clock = &interview->clock,
                                    .random = &interview->random,
                                    .context = interview};
  if (interview->form->language_count > 0) interview->host.language = interview->form->languages[interview->language];
}

/* A fault of the form in the middle of an interview must not stop it: the answer is empty, the condition as if unsaid.
 */
bool cq_evaluate_goes_on(const cq_interview *interview, cq_status status) {
  return !interview->loading && status != CQ_OK && status != CQ_NOMEM && status != CQ_LIMIT;
}

/* Which question an error belongs to. */
static cq_status located(const cq_interview *interview, const cq_node *node, cq_status status, cq_error *error) {
  const cq_slot *slot = node == NULL ? NULL : node->user;
  if (error != NULL && error->file[0] == '\0' && slot != NULL && slot->node == node) {
    cq_buf path = {0};
    cq_buf_add_str(&path, interview->form->fields[slot->field].path);
    if (!path.failed && path.size > 0) cq_error_at_file(error, path.at);
    cq_buf_fini(&path);
  }
  return status;
}

cq_status cq_evaluate_spent(const cq_interview *interview, cq_error *error) {
  return interview->spent < CQ_FORM_MAX_STEPS ? CQ_OK : cq_error_set(error, CQ_LIMIT, "forms.limit.steps", NULL);
}

cq_status cq_evaluate(cq_interview *interview, const cq_xpath *expression, const cq_node *node, cq_xpath_value *value,
                      cq_error *error) {
  if (cq_evaluate_spent(interview, error) != CQ_OK) return located(interview, node, CQ_LIMIT, error);
  const cq_xpath_context context = {.host = &interview->host,
                                    .root = cq_tree_document(interview->tree),
                                    .node = (cq_node *)(uintptr_t)node,
                                    .current = (cq_node *)(uintptr_t)node,
                                    .scratch = interview->scratch,
                                    .steps = CQ_FORM_MAX_STEPS - interview->spent,
                                    .spent = &interview->spent,
                                    .in_form = true};
  cq_status status = cq_xpath_evaluate(expression, &context, value, error);
  if (status == CQ_NOMEM) status = cq_entries_nomem(interview, error);
  return status == CQ_OK ? CQ_OK : located(interview, node, status, error);
}

/* JavaRosa reads a node by its type: "0" in a boolean or a number is false, where XPath alone sees a text. */
static bool typed_boolean(const cq_interview *interview, const cq_xpath_value *value) {
  if (value->type != CQ_XPATH_NODES || value->count == 0) return cq_xpath_to_boolean(value);
  const cq_node *node = value->nodes[0];
  const cq_slot *slot = node->kind == CQ_NODE_ELEMENT ? node->user : NULL;
  if (slot == NULL || cq_tree_of(node) != interview->tree) return cq_xpath_to_boolean(value);
  cq_str text = cq_slot_text(slot);
  cq_type type = interview->form->fields[slot->field].type;
  if (type == CQ_TYPE_BOOLEAN) return cq_str_is(text, "1") || cq_str_is(text, "true");
  if (type == CQ_TYPE_INT || type == CQ_TYPE_DECIMAL) {
    const cq_xpath_value number = {.type = CQ_XPATH_STRING, .string = text};
    const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
    double d = cq_xpath_to_number(&number, &context);
    return d < 0 || d > 0;
  }
  return text.size > 0;
}

cq_status cq_evaluate_condition(cq_interview *interview, const cq_condition_definition *condition, const cq_slot *slot,
                                bool none, bool *out, cq_error *error) {
  *out = none;
  if (condition->expression == NULL) return CQ_OK;
  if (condition->constant != CQ_CONSTANT_NO) {
    *out = condition->constant == CQ_CONSTANT_TRUE;
    return CQ_OK;
  }
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_xpath_value value = {0};
  cq_status status = cq_evaluate(interview, condition->expression, slot->node, &value, error);
  if (status == CQ_OK)
    *out = typed_boolean(interview, &value);
  else if (cq_evaluate_goes_on(interview, status))
    status = CQ_OK;
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

static cq_status text_of(const cq_interview *interview, const cq_xpath_value *value, cq_str *text) {
  const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
  if (value->type == CQ_XPATH_BOOLEAN) { /* as JavaRosa stores it */
    *text = value->boolean ? CQ_STR("1") : CQ_STR("0");
    return CQ_OK;
  }
  if (value->type == CQ_XPATH_NUMBER && isnan(value->number)) {
    *text = (cq_str){NULL, 0};
    return CQ_OK;
  }
  return cq_xpath_to_string(value, &context, text);
}

cq_status cq_evaluate_text(cq_interview *interview, const cq_xpath *expression, const cq_slot *slot, cq_arena *arena,
                           cq_str *text, cq_error *error) {
  *text = (cq_str){NULL, 0};
  cq_xpath_value value = {0};
  cq_status status = cq_evaluate(interview, expression, slot->node, &value, error);
  if (status == CQ_INVALID && !interview->loading) return CQ_OK; /* as above: the answer is empty */
  if (status != CQ_OK) return status;
  cq_str plain;
  status = text_of(interview, &value, &plain);
  if (status != CQ_OK) return cq_entries_nomem(interview, error);
  cq_type type = interview->form->fields[slot->field].type;
  if (type == CQ_TYPE_DATE && value.type == CQ_XPATH_DATE && plain.size > 10) plain.size = 10;
  if (!cq_value_normalize(type, plain, true, arena, text)) *text = (cq_str){NULL, 0};
  return CQ_OK;
}

bool cq_slot_readonly(cq_interview *interview, const cq_slot *slot) {
  for (; slot != NULL; slot = slot->parent) {
    bool readonly = false;
    const cq_condition_definition *condition = &interview->form->definitions[slot->field].readonly;
    if (cq_evaluate_condition(interview, condition, slot, false, &readonly, NULL) == CQ_OK && readonly) return true;
  }
  return false;
}

bool cq_slot_required(cq_interview *interview, const cq_slot *slot) {
  bool required = false;
  const cq_condition_definition *condition = &interview->form->definitions[slot->field].required;
  return cq_evaluate_condition(interview, condition, slot, false, &required, NULL) == CQ_OK && required;
}
