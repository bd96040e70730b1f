/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

bool cq_actions_is(const cq_form *form, const cq_node *element) {
  return element->kind == CQ_NODE_ELEMENT &&
         (element->local == form->words.setvalue || element->local == form->words.setgeopoint);
}

static unsigned event_of(cq_str name) {
  static const struct {
    const char *name;
    unsigned event;
  } events[] = {{"odk-instance-first-load", CQ_EVENT_FIRST_LOAD},
                {"odk-instance-load", CQ_EVENT_LOAD},
                {"odk-new-repeat", CQ_EVENT_NEW_REPEAT},
                {"jr-insert", CQ_EVENT_NEW_REPEAT},
                {"xforms-value-changed", CQ_EVENT_VALUE_CHANGED},
                {"xforms-revalidate", CQ_EVENT_REVALIDATE},
                {"xforms-ready", CQ_EVENT_FIRST_LOAD}};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++)
    if (cq_str_is(name, events[i].name)) return events[i].event;
  return 0;
}

static cq_status events_of(cq_str names, unsigned *events, cq_error *error) {
  *events = 0;
  size_t i = 0;
  while (i < names.size) {
    while (i < names.size && (unsigned char)names.at[i] <= ' ') i++;
    size_t start = i;
    while (i < names.size && (unsigned char)names.at[i] > ' ') i++;
    cq_str name = {names.at + start, i - start};
    if (name.size == 0) break;
    unsigned event = event_of(name);
    if (event == 0) {
      char shown[64];
      size_t size = name.size < sizeof shown ? name.size : sizeof shown - 1;
      memcpy(shown, name.at, size);
      shown[size] = '\0';
      return cq_error_set(error, CQ_INVALID, "forms.action.event", shown, NULL);
    }
    *events |= event;
  }
  return *events == 0 ? cq_error_set(error, CQ_INVALID, "forms.action.event", "", NULL) : CQ_OK;
}

static cq_action *append(cq_form *form) {
  if (form->action_count == form->action_capacity) {
    uint32_t capacity = form->action_capacity == 0 ? 16 : form->action_capacity * 2;
    cq_action *actions = realloc(form->actions, capacity * sizeof *actions);
    if (actions == NULL) return NULL;
    form->actions = actions;
    form->action_capacity = capacity;
  }
  cq_action *action = &form->actions[form->action_count++];
  *action = (cq_action){.target = CQ_NONE, .source = CQ_NONE, .next_of_source = CQ_NONE};
  return action;
}

/* Actions of a source run in the order of the form. */
static void link_to_source(cq_form *form, uint32_t index, uint32_t source) {
  form->actions[index].source = source;
  if (source == CQ_NONE) return;
  uint32_t *at = &form->definitions[source].first_action;
  while (*at != CQ_NONE) at = &form->actions[*at].next_of_source;
  *at = index;
}

cq_status cq_actions_load(cq_form *form, const cq_node *element, uint32_t source, cq_error *error) {
  const cq_words *w = &form->words;
  bool geopoint = element->local == w->setgeopoint;
  if (geopoint && element->space != w->odk)
    return cq_error_set(error, CQ_INVALID, "forms.action.namespace", "setgeopoint", NULL);
  cq_action *action = append(form);
  if (action == NULL) return cq_error_nomem(error);
  action->geopoint = geopoint;
  const cq_node *event = cq_node_attribute(element, w->event, CQ_ATOM_NONE);
  for (const cq_node *a = element->attributes; a != NULL && event == NULL; a = a->next)
    if (a->kind == CQ_NODE_ATTRIBUTE && a->local == w->event) event = a; /* ev:event */
  cq_status status = events_of(event == NULL ? (cq_str){NULL, 0} : cq_node_text(event), &action->events, error);
  cq_str ref = cq_attribute(element, w->ref, CQ_ATOM_NONE);
  if (ref.size == 0) ref = cq_attribute(element, w->nodeset, CQ_ATOM_NONE);
  action->target = ref.size > 0 ? cq_fields_resolve(form, ref, source)
                                : cq_fields_of_bind(form, cq_attribute(element, w->bind, CQ_ATOM_NONE));
  if (status == CQ_OK && action->target == CQ_NONE) {
    if (cq_str_trim(ref).size == 0)
      status = cq_error_set(error, CQ_INVALID, "forms.action.target", NULL);
    else
      status = cq_expression_compile(form, ref, &action->ref, error);
  }
  const cq_node *value = cq_node_attribute(element, w->value, CQ_ATOM_NONE);
  if (value == NULL)
    action->literal = cq_node_text(element);
  else if (status == CQ_OK && cq_str_trim(cq_node_text(value)).size > 0)
    status = cq_expression_compile(form, cq_node_text(value), &action->value, error);
  link_to_source(form, form->action_count - 1, source);
  return status;
}
