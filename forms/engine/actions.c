/* SPDX-License-Identifier: Apache-2.0 */
/* setvalue and odk:setgeopoint, and jr:preload. */
#include "forms/engine/interview.h"

#include <string.h>

/* The node an action writes, from where it was started. */
static cq_status target_of(cq_interview *interview, const cq_action *action, cq_slot *from, cq_slot **target,
                           cq_error *error) {
  if (action->target != CQ_NONE) {
    *target = cq_slots_near(interview, from, action->target);
    return CQ_OK;
  }
  *target = NULL;
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_xpath_value value;
  cq_status status = cq_evaluate(interview, action->ref, from->node, &value, error);
  if (status == CQ_OK && value.type == CQ_XPATH_NODES && value.count > 0) *target = value.nodes[0]->user;
  if (*target != NULL && (*target)->node != value.nodes[0]) *target = NULL;
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

static cq_status literal_for(cq_interview *interview, const cq_action *action, const cq_slot *target, cq_str *text) {
  if (!cq_value_normalize(interview->form->fields[target->field].type, action->literal, true, interview->scratch, text))
    *text = (cq_str){NULL, 0};
  return CQ_OK;
}

static cq_status run(cq_interview *interview, const cq_action *action, cq_slot *from, cq_error *error) {
  cq_slot *target;
  cq_status status = target_of(interview, action, from, &target, error);
  if (status != CQ_OK || target == NULL || interview->form->fields[target->field].children > 0) return status;
  cq_str text = {NULL, 0};
  cq_buf place = {0};
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  if (action->geopoint) {
    if (interview->geopoint != NULL && interview->geopoint(interview->geopoint_context, &place) == CQ_OK)
      text = cq_buf_str(&place);
  } else if (action->value != NULL) {
    status = cq_evaluate_text(interview, action->value, target, interview->scratch, &text, error);
  } else {
    status = literal_for(interview, action, target, &text);
  }
  if (status == CQ_OK) status = cq_settle_text(interview, target, text, error);
  cq_buf_fini(&place);
  cq_arena_rewind(interview->scratch, mark);
  return status;
}

cq_status cq_actions_run_at(cq_interview *interview, unsigned event, cq_slot *at, cq_error *error) {
  const cq_form *form = interview->form;
  cq_status status = CQ_OK;
  for (uint32_t i = form->definitions[at->field].first_action; i != CQ_NONE && status == CQ_OK;
       i = form->actions[i].next_of_source)
    if ((form->actions[i].events & event) != 0) status = run(interview, &form->actions[i], at, error);
  return status;
}

typedef struct running {
  cq_interview *interview;
  const cq_action *action;
  cq_error *error;
  cq_status status;
} running;

/* Every node of the action's source below `at`. */
static void run_below(running *r, cq_slot *at) {
  cq_interview *interview = r->interview;
  const cq_form *form = interview->form;
  if (r->status != CQ_OK) return;
  if (at->field == r->action->source) {
    r->status = run(interview, r->action, at, r->error);
    return;
  }
  for (uint32_t i = form->definitions[at->field].first; i != CQ_NONE && at->kids != NULL;
       i = form->definitions[i].next) {
    if (!cq_fields_is_below(form, r->action->source, i)) continue;
    cq_kid kid = at->kids[form->definitions[i].ordinal];
    if (!form->definitions[i].multiple) {
      if (kid.slot != NULL) run_below(r, kid.slot);
      continue;
    }
    for (uint32_t j = 0; j < kid.row->count; j++) run_below(r, kid.row->at[j]);
  }
}

cq_status cq_actions_run(cq_interview *interview, unsigned event, cq_error *error) {
  const cq_form *form = interview->form;
  for (uint32_t i = 0; i < form->action_count; i++) {
    const cq_action *action = &form->actions[i];
    if ((action->events & event) == 0) continue;
    running r = {.interview = interview, .action = action, .error = error};
    if (action->source == CQ_NONE)
      r.status = run(interview, action, interview->root, error);
    else
      run_below(&r, interview->root);
    if (r.status == CQ_OK) r.status = cq_settle(interview, error); /* the next one may read it */
    if (r.status != CQ_OK) return r.status;
  }
  return CQ_OK;
}

/* --- jr:preload --- */

static void add_day(const cq_interview *interview, cq_buf *out) {
  char day[11];
  int64_t now = interview->clock.now_utc_ms(interview->clock.context);
  cq_buf_add_text(out, cq_date_format(cq_date_at(&interview->clock, now), day));
}

cq_str cq_preload_property(const cq_interview *interview, cq_str name) {
  if (cq_str_is(name, "deviceid")) return interview->device_id;
  if (cq_str_is(name, "username")) return interview->user_name;
  if (cq_str_is(name, "phonenumber")) return interview->phone_number;
  if (cq_str_is(name, "email")) return interview->email;
  return CQ_STR("");
}

static bool preloaded(const cq_interview *interview, const cq_field_definition *d, bool end, cq_buf *out) {
  bool at_end = cq_str_is(d->preload, "timestamp") && cq_str_is(d->preload_params, "end");
  if (at_end != end) return false;
  if (cq_str_is(d->preload, "uid")) {
    cq_buf_add_text(out, "uuid:");
    cq_value_uuid(&interview->random, out);
  } else if (cq_str_is(d->preload, "date")) {
    add_day(interview, out);
  } else if (cq_str_is(d->preload, "timestamp")) {
    cq_value_timestamp(interview->device_clock, out); /* what the device says, whatever date was confirmed */
  } else if (cq_str_is(d->preload, "property")) {
    cq_buf_add_str(out, cq_preload_property(interview, d->preload_params));
  } else {
    return false;
  }
  return true;
}

void cq_preload_name(cq_interview *interview) {
  const cq_form *form = interview->form;
  cq_slot *slot = form->instance_id == CQ_NONE ? NULL : cq_slots_near(interview, interview->root, form->instance_id);
  cq_buf text = {0};
  if (slot != NULL && cq_str_is(form->definitions[form->instance_id].preload, "uid") &&
      preloaded(interview, &form->definitions[form->instance_id], false, &text) && !text.failed)
    (void)cq_settle_text(interview, slot, cq_buf_str(&text), NULL);
  cq_buf_fini(&text);
}

void cq_preload(cq_interview *interview, bool end) {
  const cq_form *form = interview->form;
  for (uint32_t i = 0; i < form->field_count; i++) {
    const cq_field_definition *d = &form->definitions[i];
    if (d->preload.size == 0 || form->fields[i].children > 0) continue;
    cq_slot *slot = cq_slots_near(interview, interview->root, i);
    if (slot == NULL || (!end && cq_node_text(slot->node).size > 0)) continue;
    cq_buf text = {0};
    if (preloaded(interview, d, end, &text) && !text.failed)
      (void)cq_settle_text(interview, slot, cq_buf_str(&text), NULL);
    cq_buf_fini(&text);
  }
}
