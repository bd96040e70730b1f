/* SPDX-License-Identifier: Apache-2.0 */
/* What a select, select1 or rank offers now. */
#include "forms/engine/interview.h"

#include <string.h>

static const cq_control_definition *control_of(const cq_interview *interview, const cq_slot *slot) {
  uint32_t control = interview->form->definitions[slot->field].control;
  return control == CQ_NONE ? NULL : &interview->form->controls[control];
}

bool cq_choices_next(cq_str list, size_t *at, cq_str *value) {
  while (*at < list.size && (unsigned char)list.at[*at] <= ' ') (*at)++;
  size_t start = *at;
  while (*at < list.size && (unsigned char)list.at[*at] > ' ') (*at)++;
  *value = (cq_str){list.at + start, *at - start};
  return value->size > 0;
}

static bool holds(cq_control kind, cq_str list, cq_str value) {
  if (kind == CQ_CONTROL_SELECT1) return cq_str_equal(list, value);
  size_t at = 0;
  cq_str one;
  while (cq_choices_next(list, &at, &one))
    if (cq_str_equal(one, value)) return true;
  return false;
}

/* The rows of the list, in scratch: the caller rewinds. */
static cq_status rows_of(cq_interview *interview, const cq_itemset *set, const cq_slot *slot, cq_node ***rows,
                         size_t *count, cq_error *error) {
  cq_xpath_value value;
  *count = 0;
  cq_status status = cq_evaluate(interview, set->nodeset, slot->node, &value, error);
  if (status != CQ_OK) return status == CQ_NOMEM || status == CQ_LIMIT ? status : CQ_OK;
  if (value.type != CQ_XPATH_NODES) return CQ_OK;
  *rows = value.nodes;
  *count = value.count;
  return CQ_OK;
}

/* The value or the label of a row is nearly always the name of a column. */
static const cq_node *column(const cq_xpath *expression, const cq_node *row) {
  const cq_xpath_path *path = cq_xpath_is_path(expression);
  if (path == NULL || path->from != CQ_XPATH_FROM_CONTEXT || path->step_count != 1 ||
      path->steps[0].axis != CQ_AXIS_CHILD || path->steps[0].any || path->steps[0].filtered ||
      path->steps[0].space != CQ_ATOM_NONE)
    return NULL;
  const cq_node *node = cq_node_child(row, path->steps[0].local);
  return node != NULL && cq_node_is_leaf(node) ? node : NULL;
}

static cq_status value_of(cq_interview *interview, const cq_itemset *set, cq_node *row, cq_str *text, cq_error *error) {
  const cq_node *node = column(set->value, row);
  if (node != NULL) {
    *text = node->irrelevant ? (cq_str){NULL, 0} : cq_node_text(node);
    return CQ_OK;
  }
  cq_xpath_value value;
  *text = (cq_str){NULL, 0};
  cq_status status = cq_evaluate(interview, set->value, row, &value, error);
  if (status != CQ_OK) return status == CQ_NOMEM || status == CQ_LIMIT ? status : CQ_OK;
  const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
  return cq_xpath_to_string(&value, &context, text) == CQ_OK ? CQ_OK : cq_error_nomem(error);
}

static cq_status describe(cq_interview *interview, const cq_text *label, const cq_node *at, cq_arena *arena,
                          cq_choice *choice, cq_error *error) {
  const cq_node *node = label->expression == NULL ? NULL : column(label->expression, at);
  if (node != NULL) {
    choice->label = cq_arena_copy(arena, cq_node_text(node));
    return choice->label.at == NULL ? cq_error_nomem(error) : CQ_OK;
  }
  cq_status status = cq_text_resolve(interview, label, "", at, arena, &choice->label, error);
  bool media = label->itext != CQ_ATOM_NONE || label->itext_id != NULL;
  if (status == CQ_OK && media) status = cq_text_resolve(interview, label, "image", at, arena, &choice->image, error);
  if (status == CQ_OK && media) status = cq_text_resolve(interview, label, "audio", at, arena, &choice->audio, error);
  if (status == CQ_OK && media) status = cq_text_resolve(interview, label, "video", at, arena, &choice->video, error);
  return status;
}

/* randomize() without a seed: the Park-Miller generator that ODK prescribes, and a Fisher-Yates shuffle. The order
 * stays the same while the interview lasts, so that a list does not change under the eyes of who reads it. */
static void shuffle(const cq_interview *interview, const cq_slot *slot, cq_node **rows, size_t count) {
  int64_t seed = (interview->shuffle + (int64_t)slot->handle * 7919) % 2147483647;
  if (seed <= 0) seed += 2147483646;
  for (size_t i = count; i > 1; i--) {
    seed = seed * 16807 % 2147483647;
    size_t j = (size_t)((double)(seed - 1) / 2147483646.0 * (double)i);
    cq_node *swap = rows[i - 1];
    rows[i - 1] = rows[j];
    rows[j] = swap;
  }
}

/* --- --- */

static cq_status from_items(cq_interview *interview, const cq_control_definition *control, const cq_slot *slot,
                            bool labels, cq_arena *arena, cq_choices *choices, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < control->item_count && status == CQ_OK; i++) {
    cq_choice *choice = &choices->items[choices->count++];
    choice->value = control->items[i].value;
    choice->chosen = holds(control->kind, cq_node_text(slot->node), choice->value);
    if (labels) status = describe(interview, &control->items[i].label, slot->node, arena, choice, error);
  }
  return status;
}

static cq_status from_rows(cq_interview *interview, const cq_control_definition *control, const cq_slot *slot,
                           cq_node **rows, size_t count, bool labels, cq_arena *arena, cq_choices *choices,
                           cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < count && status == CQ_OK; i++) {
    cq_choice *choice = &choices->items[choices->count++];
    cq_str value;
    cq_arena_mark mark = cq_arena_save(interview->scratch);
    status = value_of(interview, control->itemset, rows[i], &value, error);
    choice->value = cq_arena_copy(arena, value);
    cq_arena_rewind(interview->scratch, mark);
    if (status == CQ_OK && choice->value.at == NULL) status = cq_error_nomem(error);
    choice->chosen = holds(control->kind, cq_node_text(slot->node), choice->value);
    if (status == CQ_OK && labels)
      status = describe(interview, &control->itemset->label, rows[i], arena, choice, error);
  }
  return status;
}

cq_status cq_choices_of(cq_interview *interview, cq_slot *slot, bool labels, cq_arena *arena, cq_choices *choices,
                        cq_error *error) {
  *choices = (cq_choices){0};
  const cq_control_definition *control = control_of(interview, slot);
  if (control == NULL) return CQ_OK;
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_node **rows = NULL;
  size_t count = 0;
  cq_status status = CQ_OK;
  if (control->itemset != NULL) status = rows_of(interview, control->itemset, slot, &rows, &count, error);
  if (status == CQ_OK && count > 1 && control->itemset->randomize) shuffle(interview, slot, rows, count);
  if (status == CQ_OK && control->item_count + count > 0) {
    choices->items = cq_arena_array(arena, control->item_count + count, sizeof *choices->items);
    status = choices->items == NULL ? cq_error_nomem(error)
                                    : from_items(interview, control, slot, labels, arena, choices, error);
  }
  if (status == CQ_OK && count > 0)
    status = from_rows(interview, control, slot, rows, count, labels, arena, choices, error);
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

/* --- one choice by its value --- */

static bool find(cq_interview *interview, cq_slot *slot, cq_str wanted, cq_arena *arena, cq_choice *out) {
  const cq_control_definition *control = control_of(interview, slot);
  if (control == NULL) return false;
  for (size_t i = 0; i < control->item_count; i++)
    if (cq_str_equal(control->items[i].value, wanted))
      return out == NULL || describe(interview, &control->items[i].label, slot->node, arena, out, NULL) == CQ_OK;
  cq_node **rows = NULL;
  size_t count = 0;
  bool found = false;
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  if (control->itemset != NULL) (void)rows_of(interview, control->itemset, slot, &rows, &count, NULL);
  for (size_t i = 0; i < count && !found; i++) {
    cq_str value;
    cq_arena_mark inner = cq_arena_save(interview->scratch);
    found = value_of(interview, control->itemset, rows[i], &value, NULL) == CQ_OK && cq_str_equal(value, wanted);
    cq_arena_rewind(interview->scratch, inner);
    if (found && out != NULL && arena != interview->scratch)
      found = describe(interview, &control->itemset->label, rows[i], arena, out, NULL) == CQ_OK;
    else if (found && out != NULL) { /* scratch is about to be rewound: the label must outlive it */
      cq_node *row = rows[i];
      cq_arena_rewind(interview->scratch, mark);
      return describe(interview, &control->itemset->label, row, arena, out, NULL) == CQ_OK;
    }
  }
  cq_arena_rewind(interview->scratch, mark);
  return found;
}

bool cq_choices_label(cq_interview *interview, cq_slot *slot, cq_str value, cq_arena *arena, cq_str *label) {
  cq_choice choice = {0};
  if (!find(interview, slot, value, arena, &choice)) return false;
  *label = choice.label;
  return true;
}

bool cq_choices_has(cq_interview *interview, cq_slot *slot, cq_str value) {
  return find(interview, slot, value, NULL, NULL);
}

cq_status cq_choices_prune(cq_interview *interview, cq_slot *slot, cq_error *error) {
  const cq_control_definition *control = control_of(interview, slot);
  cq_str text = cq_node_text(slot->node), value;
  if (control == NULL || text.size == 0) return CQ_OK;
  cq_buf kept = {0};
  if (control->kind == CQ_CONTROL_SELECT1) {
    if (cq_choices_has(interview, slot, text)) cq_buf_add_str(&kept, text);
  } else {
    for (size_t at = 0; cq_choices_next(text, &at, &value);) {
      if (!cq_choices_has(interview, slot, value)) continue;
      if (kept.size > 0) cq_buf_add_char(&kept, ' ');
      cq_buf_add_str(&kept, value);
    }
  }
  cq_status status = kept.failed ? cq_error_nomem(error) : cq_settle_text(interview, slot, cq_buf_str(&kept), error);
  cq_buf_fini(&kept);
  return status;
}
