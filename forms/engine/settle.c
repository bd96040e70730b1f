/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a change, what depends on it is settled in the order of the ranks that
 * the graph gave: each node once, when all it reads is settled. Then repeat
 * counts and choice filters, which may read in a circle; then the actions of
 * values that changed, as JavaRosa does. What is not relevant is not
 * calculated: it goes stale, and is settled when it becomes relevant.
 */
#include "forms/engine/interview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_ROUNDS = 1000,   /* of counts, filters and actions after one answer */
  MOST_ACTIONS = 100000 /* run after one answer */
};

static const cq_field_definition *definition(const cq_interview *interview, uint32_t field) {
  return &interview->form->definitions[field];
}

/* --- the queue: a binary heap by rank --- */

static void push(cq_interview *interview, cq_waiting item) {
  if (interview->heap_count == interview->heap_capacity) {
    size_t capacity = interview->heap_capacity == 0 ? 256 : interview->heap_capacity * 2;
    cq_waiting *heap = realloc(interview->heap, capacity * sizeof *heap);
    if (heap == NULL) {
      interview->nomem = true;
      return;
    }
    interview->heap = heap;
    interview->heap_capacity = capacity;
  }
  size_t at = interview->heap_count++;
  while (at > 0 && interview->heap[(at - 1) / 2].rank > item.rank) {
    interview->heap[at] = interview->heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  interview->heap[at] = item;
}

static cq_waiting pop(cq_interview *interview) {
  cq_waiting *heap = interview->heap, first = heap[0], last = heap[--interview->heap_count];
  size_t at = 0, count = interview->heap_count;
  for (size_t child = 1; child < count; child = at * 2 + 1) {
    if (child + 1 < count && heap[child + 1].rank < heap[child].rank) child++;
    if (heap[child].rank >= last.rank) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return first;
}

/* --- who waits --- */

void cq_settle_relevance(cq_interview *interview, cq_slot *slot) {
  if (slot->waits_relevance || slot->gone) return;
  slot->waits_relevance = true;
  push(interview, (cq_waiting){definition(interview, slot->field)->rank_relevant, false, slot});
}

void cq_settle_value(cq_interview *interview, cq_slot *slot) {
  if (slot->waits_value || slot->gone) return;
  slot->waits_value = true;
  push(interview, (cq_waiting){definition(interview, slot->field)->rank_value, true, slot});
}

void cq_settle_count(cq_interview *interview, cq_row *row) {
  uint32_t control = definition(interview, row->field)->control;
  if (row->waits_count || control == CQ_NONE ||
      (interview->form->controls[control].count == NULL && !interview->form->controls[control].no_add_remove))
    return;
  cq_row_list *list = &interview->counts;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
    cq_row **at = realloc(list->at, capacity * sizeof *at);
    if (at == NULL) {
      interview->nomem = true;
      return;
    }
    list->at = at;
    list->capacity = capacity;
  }
  row->waits_count = true;
  list->at[list->count++] = row;
}

static void wait_for_choices(cq_interview *interview, cq_slot *slot) {
  if (slot->waits_choices || slot->gone || interview->loading || cq_node_text(slot->node).size == 0) return;
  if (cq_slot_list_add(interview, &interview->choices, slot)) slot->waits_choices = true;
}

static void wait(cq_interview *interview, cq_slot *slot, uint8_t what) {
  switch ((cq_purpose)what) {
  case CQ_FOR_RELEVANT: cq_settle_relevance(interview, slot); break;
  case CQ_FOR_CALCULATE: cq_settle_value(interview, slot); break;
  case CQ_FOR_CHOICES: wait_for_choices(interview, slot); break;
  case CQ_FOR_COUNT: break; /* rows, see reach() */
  }
}

/* Every slot of the reader's field below `at`; chain: the fields from there down, last first. */
static void reach(cq_interview *interview, cq_slot *at, const uint32_t *chain, size_t count, uint8_t what) {
  while (count > 0) {
    if (at->kids == NULL) return;
    const cq_field_definition *d = definition(interview, chain[--count]);
    cq_kid kid = at->kids[d->ordinal];
    if (d->multiple) {
      if (count == 0 && what == CQ_FOR_COUNT)
        cq_settle_count(interview, kid.row);
      else
        for (uint32_t i = 0; i < kid.row->count; i++) reach(interview, kid.row->at[i], chain, count, what);
      return;
    }
    if (kid.slot == NULL) return;
    at = kid.slot;
  }
  wait(interview, at, what);
}

static void tell(cq_interview *interview, cq_slot *slot, const cq_dependent *reader) {
  cq_slot *pivot = cq_slots_up(slot, reader->pivot);
  if (pivot == NULL || pivot->gone) return;
  uint32_t chain[CQ_FORM_MAX_DEPTH + 2];
  size_t count = 0;
  for (uint32_t f = reader->field; f != reader->pivot && f != CQ_NONE; f = definition(interview, f)->parent)
    chain[count++] = f;
  reach(interview, pivot, chain, count, reader->what);
}

void cq_settle_readers(cq_interview *interview, cq_slot *slot, bool nodes) {
  const cq_field_definition *d = definition(interview, slot->field);
  for (uint32_t i = 0; i < d->dependent_count; i++) {
    const cq_dependent *reader = &d->dependents[i];
    if (reader->position || (reader->structure && !nodes) || (reader->inside && nodes)) continue;
    tell(interview, slot, reader);
  }
}

void cq_settle_places(cq_interview *interview, cq_row *row, uint32_t from) {
  const cq_field_definition *d = definition(interview, row->field);
  for (uint32_t i = 0; i < d->dependent_count; i++)
    for (uint32_t j = from; d->dependents[i].position && j < row->count; j++)
      tell(interview, row->at[j], &d->dependents[i]);
}

/* --- values --- */

cq_status cq_settle_text(cq_interview *interview, cq_slot *slot, cq_str text, cq_error *error) {
  if (cq_str_equal(cq_node_text(slot->node), text)) return CQ_OK;
  if (text.size > CQ_FORM_MAX_VALUE) return cq_error_set(error, CQ_LIMIT, "forms.limit.value", NULL);
  if (cq_tree_set_text(interview->tree, slot->node, text) != CQ_OK) return cq_entries_nomem(interview, error);
  if (slot->relevant) cq_settle_readers(interview, slot, false);
  if (!interview->loading && definition(interview, slot->field)->first_action != CQ_NONE &&
      !cq_slot_list_add(interview, &interview->changed, slot))
    return cq_entries_nomem(interview, error);
  return CQ_OK;
}

static bool keeps_its_value(const cq_interview *interview, const cq_slot *slot) {
  if (slot->field == interview->form->instance_id)
    return interview->keep_instance_id && cq_node_text(slot->node).size > 0;
  return interview->keep_calculated && interview->loading && slot->saved;
}

static cq_status settle_value(cq_interview *interview, cq_slot *slot, cq_error *error) {
  const cq_field_definition *d = definition(interview, slot->field);
  if (!slot->relevant) {
    slot->stale_value = true;
    return CQ_OK;
  }
  slot->stale_value = false;
  if (d->calculate == NULL || interview->form->fields[slot->field].children > 0 || keeps_its_value(interview, slot))
    return CQ_OK;
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_str text = {NULL, 0};
  cq_status status = cq_evaluate_text(interview, d->calculate, slot, interview->scratch, &text, error);
  if (status == CQ_OK) status = cq_settle_text(interview, slot, text, error);
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

/* --- relevance --- */

static void flip(cq_interview *interview, cq_slot *slot) {
  const cq_field_definition *d = definition(interview, slot->field);
  slot->relevant = !slot->relevant;
  slot->node->irrelevant = !slot->relevant;
  cq_settle_readers(interview, slot, true);
  if (!slot->relevant) return;
  if (slot->stale_relevance) cq_settle_relevance(interview, slot);
  if (slot->stale_value) cq_settle_value(interview, slot);
  if (slot->stale_choices) {
    slot->stale_choices = false;
    wait_for_choices(interview, slot);
  }
  for (uint32_t i = d->first; i != CQ_NONE && slot->kids != NULL; i = definition(interview, i)->next)
    if (definition(interview, i)->multiple)
      cq_settle_count(interview, slot->kids[definition(interview, i)->ordinal].row);
}

static void inherit(cq_interview *interview, cq_slot *slot) {
  if (slot->relevant == (slot->own && (slot->parent == NULL || slot->parent->relevant)))
    return; /* nothing below can have changed either */
  flip(interview, slot);
  if (slot->kids == NULL) return;
  for (uint32_t i = definition(interview, slot->field)->first; i != CQ_NONE; i = definition(interview, i)->next) {
    const cq_field_definition *d = definition(interview, i);
    cq_kid kid = slot->kids[d->ordinal];
    if (!d->multiple) {
      if (kid.slot != NULL) inherit(interview, kid.slot);
      continue;
    }
    for (uint32_t j = 0; j < kid.row->count; j++) inherit(interview, kid.row->at[j]);
  }
}

static cq_status settle_relevance(cq_interview *interview, cq_slot *slot, cq_error *error) {
  if (slot->parent != NULL && !slot->parent->relevant) {
    slot->stale_relevance = true;
    return CQ_OK;
  }
  slot->stale_relevance = false;
  bool own = true;
  cq_status status =
      cq_evaluate_condition(interview, &definition(interview, slot->field)->relevant, slot, true, &own, error);
  if (status != CQ_OK) return status;
  slot->own = own;
  inherit(interview, slot);
  return CQ_OK;
}

/* --- repeat counts --- */

static cq_status count_of(cq_interview *interview, const cq_row *row, const cq_control_definition *control,
                          uint32_t *count, cq_error *error) {
  *count = row->count > 0 ? row->count : 1; /* jr:noAddRemove without a count: what the form brings, at least one */
  if (control->count == NULL) return CQ_OK;
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_xpath_value value;
  /* Written for an instance, and there may be none: one is made up. */
  const cq_field_definition *d = definition(interview, row->field);
  cq_node instance = {.parent = row->parent->node,
                      .text = "",
                      .local = d->local,
                      .prefix = d->prefix,
                      .space = d->space,
                      .kind = CQ_NODE_ELEMENT};
  instance.previous = &instance;
  cq_status status = cq_evaluate(interview, control->count, &instance, &value, error);
  if (status == CQ_OK) {
    const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
    double number = cq_xpath_to_number(&value, &context);
    if (number > CQ_FORM_MAX_REPEATS)
      status = cq_error_set(error, CQ_LIMIT, "forms.limit.repeats", NULL);
    else
      *count = number >= 1 ? (uint32_t)number : 0;
  }
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

static cq_status settle_count(cq_interview *interview, cq_row *row, cq_error *error) {
  const cq_control_definition *control = &interview->form->controls[definition(interview, row->field)->control];
  uint32_t count;
  if (row->parent->gone || !row->parent->relevant) return CQ_OK; /* asked again when it becomes relevant */
  cq_status status = count_of(interview, row, control, &count, error);
  while (status == CQ_OK && row->count > count) cq_slots_remove(interview, row->at[row->count - 1], true);
  while (status == CQ_OK && row->count < count) {
    cq_slot *instance;
    status = cq_slots_insert(interview, row, row->count, &instance, error);
    if (status == CQ_OK) status = cq_actions_run_at(interview, CQ_EVENT_NEW_REPEAT, instance, error);
  }
  return status;
}

/* --- until nothing waits --- */

static cq_status drain(cq_interview *interview, cq_error *error) {
  while (interview->heap_count > 0) {
    cq_waiting item = pop(interview);
    if (item.value)
      item.slot->waits_value = false;
    else
      item.slot->waits_relevance = false;
    if (item.slot->gone) continue;
    cq_status status =
        item.value ? settle_value(interview, item.slot, error) : settle_relevance(interview, item.slot, error);
    if (status != CQ_OK) return status;
  }
  return interview->nomem ? cq_entries_nomem(interview, error) : CQ_OK;
}

static cq_status settle_counts(cq_interview *interview, cq_error *error) {
  cq_status status = CQ_OK;
  while (interview->counts.count > 0 && status == CQ_OK) {
    cq_row *row = interview->counts.at[--interview->counts.count];
    row->waits_count = false;
    status = settle_count(interview, row, error);
  }
  return status;
}

static cq_status settle_choices(cq_interview *interview, cq_error *error) {
  cq_status status = CQ_OK;
  while (interview->choices.count > 0 && status == CQ_OK) {
    cq_slot *slot = interview->choices.at[--interview->choices.count];
    slot->waits_choices = false;
    if (slot->gone) continue;
    if (!slot->relevant)
      slot->stale_choices = true;
    else
      status = cq_choices_prune(interview, slot, error);
  }
  return status;
}

static cq_status run_actions(cq_interview *interview, size_t *runs, cq_error *error) {
  cq_slot_list changed = interview->changed;
  interview->changed = (cq_slot_list){0};
  cq_status status = CQ_OK;
  for (size_t i = 0; i < changed.count && status == CQ_OK; i++) {
    if (changed.at[i]->gone) continue;
    if (++*runs > MOST_ACTIONS)
      status = cq_error_set(error, CQ_LIMIT, "forms.limit.actions", NULL);
    else
      status = cq_actions_run_at(interview, CQ_EVENT_VALUE_CHANGED, changed.at[i], error);
  }
  free(changed.at);
  return status;
}

/* What a fault leaves in the queue must not run with the next answer. */
static void forget(cq_interview *interview) {
  for (size_t i = 0; i < interview->heap_count; i++) {
    cq_slot *slot = interview->heap[i].slot;
    slot->waits_value = slot->waits_relevance = false;
    if (interview->heap[i].value)
      slot->stale_value = true;
    else
      slot->stale_relevance = true;
  }
  interview->heap_count = 0;
  for (size_t i = 0; i < interview->counts.count; i++) interview->counts.at[i]->waits_count = false;
  for (size_t i = 0; i < interview->choices.count; i++) interview->choices.at[i]->waits_choices = false;
  interview->counts.count = interview->choices.count = interview->changed.count = 0;
  interview->nomem = false;
}

cq_status cq_settle(cq_interview *interview, cq_error *error) {
  size_t rounds = 0, runs = 0;
  cq_status status = drain(interview, error);
  while (status == CQ_OK && (interview->counts.count > 0 || interview->choices.count > 0 || interview->heap_count > 0 ||
                             interview->changed.count > 0)) {
    if (++rounds > MOST_ROUNDS) status = cq_error_set(error, CQ_LIMIT, "forms.limit.rounds", NULL);
    if (status == CQ_OK) status = drain(interview, error);
    if (status == CQ_OK && interview->counts.count > 0)
      status = settle_counts(interview, error);
    else if (status == CQ_OK && interview->choices.count > 0)
      status = settle_choices(interview, error);
    else if (status == CQ_OK && interview->changed.count > 0)
      status = run_actions(interview, &runs, error);
  }
  if (status != CQ_OK) forget(interview);
  return status;
}
