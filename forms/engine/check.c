/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the way of a complete record. */
#include "forms/engine/interview.h"

#include <string.h>

bool cq_slot_breaks_constraint(cq_interview *interview, const cq_slot *slot) {
  const cq_condition_definition condition = {.expression = interview->form->definitions[slot->field].constraint};
  bool holds = true;
  if (condition.expression == NULL || cq_slot_text(slot).size == 0) return false;
  return cq_evaluate_condition(interview, &condition, slot, true, &holds, NULL) == CQ_OK && !holds;
}

typedef struct checking {
  cq_interview *interview;
  cq_arena *arena;
  cq_violations *out;
  size_t capacity;
  cq_error *error;
  cq_status status;
} checking;

static void report(checking *c, cq_slot *slot, cq_condition condition) {
  if (c->out->count == c->capacity) {
    size_t capacity = c->capacity == 0 ? 8 : c->capacity * 2;
    cq_violation *items = cq_arena_array(c->arena, capacity, sizeof *items);
    if (items == NULL) {
      c->status = cq_error_nomem(c->error);
      return;
    }
    if (c->out->count > 0) memcpy(items, c->out->items, c->out->count * sizeof *items);
    c->out->items = items;
    c->capacity = capacity;
  }
  const cq_field_definition *d = &c->interview->form->definitions[slot->field];
  cq_violation *v = &c->out->items[c->out->count++];
  *v = (cq_violation){.node = slot->handle, .condition = condition};
  cq_buf ref = {0};
  c->status = cq_interview_ref(c->interview, slot->handle, &ref, c->error);
  if (c->status == CQ_OK) {
    v->ref = cq_arena_copy(c->arena, cq_buf_str(&ref));
    c->status = cq_text_resolve(c->interview,
                                condition == CQ_VIOLATION_REQUIRED ? &d->required_message : &d->constraint_message, "",
                                slot->node, c->arena, &v->message, c->error);
  }
  cq_buf_fini(&ref);
}

static void check_slot(checking *c, cq_slot *slot) {
  const cq_field *field = &c->interview->form->fields[slot->field];
  if (!slot->relevant || field->children > 0 || c->status != CQ_OK) return;
  cq_slot *missing =
      field->missing_at == CQ_FIELD_NONE ? NULL : cq_slots_near(c->interview, slot, (uint32_t)field->missing_at);
  bool answered = cq_slot_text(slot).size > 0 || (missing != NULL && cq_node_text(missing->node).size > 0);
  if (!answered && field->has_required && cq_slot_required(c->interview, slot))
    report(c, slot, CQ_VIOLATION_REQUIRED);
  else if (cq_slot_breaks_constraint(c->interview, slot))
    report(c, slot, CQ_VIOLATION_CONSTRAINT);
}

static void check_below(checking *c, cq_slot *slot) {
  const cq_form *form = c->interview->form;
  check_slot(c, slot);
  if (!slot->relevant || slot->kids == NULL || c->status != CQ_OK) return;
  for (uint32_t i = form->definitions[slot->field].first; i != CQ_NONE; i = form->definitions[i].next) {
    cq_kid kid = slot->kids[form->definitions[i].ordinal];
    for (uint32_t j = 0; form->definitions[i].multiple && j < kid.row->count; j++) check_below(c, kid.row->at[j]);
    if (!form->definitions[i].multiple && kid.slot != NULL) check_below(c, kid.slot);
  }
}

cq_status cq_interview_violations(cq_interview *interview, cq_arena *arena, cq_violations *violations,
                                  cq_error *error) {
  *violations = (cq_violations){0};
  interview->spent = 0;
  checking c = {.interview = interview, .arena = arena, .out = violations, .error = error};
  check_below(&c, interview->root);
  return c.status == CQ_OK ? cq_evaluate_spent(interview, error) : c.status;
}

cq_status cq_interview_check(cq_interview *interview, cq_entry node, cq_arena *arena, cq_violations *violations,
                             cq_error *error) {
  *violations = (cq_violations){0};
  cq_slot *slot = cq_entries_slot(interview, node);
  if (slot == NULL)
    return cq_entries_row(interview, node) != NULL ? CQ_OK : cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  interview->spent = 0;
  checking c = {.interview = interview, .arena = arena, .out = violations, .error = error};
  check_slot(&c, slot);
  return c.status == CQ_OK ? cq_evaluate_spent(interview, error) : c.status;
}
