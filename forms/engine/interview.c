/* SPDX-License-Identifier: Apache-2.0 */
/* Beginning and restoring an interview, and what changes it. */
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

static bool copy_text(cq_interview *interview, cq_str text, cq_str *out) {
  *out = cq_arena_copy(interview->arena, text);
  return out->at != NULL;
}

static cq_status prepare(cq_interview *interview, const cq_form *form, const cq_interview_setup *setup,
                         cq_error *error) {
  interview->form = form;
  interview->tree = cq_tree_new(form->names, CQ_FORM_MAX_MEMORY);
  interview->arena = cq_arena_new(CQ_FORM_MAX_MEMORY);
  interview->scratch = cq_arena_new(CQ_FORM_MAX_MEMORY);
  if (interview->tree != NULL)
    interview->no_list = cq_tree_element(interview->tree, NULL, NULL, form->words.instance, CQ_ATOM_NONE, CQ_ATOM_NONE);
  if (interview->no_list == NULL || interview->arena == NULL || interview->scratch == NULL ||
      !copy_text(interview, setup->device_id, &interview->device_id) ||
      !copy_text(interview, setup->user_name, &interview->user_name) ||
      !copy_text(interview, setup->phone_number, &interview->phone_number) ||
      !copy_text(interview, setup->email, &interview->email))
    return cq_error_nomem(error);
  interview->device_clock = setup->clock;
  interview->random = *setup->random;
  interview->working_date = setup->working_date;
  interview->geopoint = setup->geopoint;
  interview->geopoint_context = setup->geopoint_context;
  interview->language = setup->language < form->language_count ? setup->language : form->default_language;
  interview->loading = true;
  interview->random.fill(interview->random.context, &interview->shuffle, sizeof interview->shuffle);
  interview->shuffle &= INT32_MAX;
  cq_evaluate_prepare(interview);
  return CQ_OK;
}

/* A record must have a name: the form's node for it, or one that is written beside. */
static cq_status name_record(cq_interview *interview, cq_error *error) {
  const cq_form *form = interview->form;
  cq_slot *slot = form->instance_id == CQ_NONE ? NULL : cq_slots_near(interview, interview->root, form->instance_id);
  if (slot != NULL ? cq_node_text(slot->node).size > 0 : interview->instance_id.size > 0) return CQ_OK;
  cq_buf id = {0};
  cq_buf_add_text(&id, "uuid:");
  cq_value_uuid(&interview->random, &id);
  cq_status status;
  if (slot != NULL)
    status = id.failed ? cq_error_nomem(error) : cq_settle_text(interview, slot, cq_buf_str(&id), error);
  else
    status = copy_text(interview, cq_buf_str(&id), &interview->instance_id) ? CQ_OK : cq_error_nomem(error);
  cq_buf_fini(&id);
  return status;
}

static cq_status create(cq_interview **out, const cq_form *form, const cq_interview_setup *setup, cq_error *error) {
  cq_interview *interview = calloc(1, sizeof *interview);
  *out = interview;
  return interview == NULL ? cq_error_nomem(error) : prepare(interview, form, setup, error);
}

static cq_status finish(cq_interview **out, cq_status status, cq_error *error) {
  if (status == CQ_OK) status = name_record(*out, error);
  if (status == CQ_OK) status = cq_settle(*out, error);
  if (status == CQ_OK) {
    (*out)->loading = false;
    status = cq_interview_jump_start(*out, error);
  }
  if (status != CQ_OK) {
    cq_interview_free(*out);
    *out = NULL;
  }
  return status;
}

cq_status cq_interview_begin(cq_interview **out, const cq_form *form, const cq_interview_setup *setup,
                             cq_error *error) {
  cq_status status = create(out, form, setup, error);
  if (status == CQ_OK) status = cq_slots_build(*out, NULL, error);
  if (status == CQ_OK) {
    cq_preload(*out, false);
    status = cq_settle(*out, error);
  }
  if (status == CQ_OK) status = cq_actions_run(*out, CQ_EVENT_FIRST_LOAD, error);
  if (status == CQ_OK) status = cq_actions_run(*out, CQ_EVENT_LOAD, error);
  return finish(out, status, error);
}

/* --- restoring --- */

static const cq_node *child_named(const cq_node *node, cq_atom local) {
  for (const cq_node *n = node == NULL ? NULL : node->first; n != NULL; n = n->next)
    if (n->kind == CQ_NODE_ELEMENT && n->local == local) return n;
  return NULL;
}

/* The edited record keeps the name of the one it replaces, and gets one of its own. */
static cq_status rename_record(cq_interview *interview, const cq_node *top, cq_restore mode, cq_error *error) {
  const cq_form *form = interview->form;
  const cq_node *meta = child_named(top, form->words.meta);
  const cq_node *old = child_named(meta, form->words.instance_id);
  const cq_node *deprecated = child_named(meta, form->words.deprecated_id);
  cq_str id = old == NULL ? (cq_str){NULL, 0} : cq_str_trim(cq_node_text(old));
  cq_str before = deprecated == NULL ? (cq_str){NULL, 0} : cq_str_trim(cq_node_text(deprecated));
  if (mode == CQ_RESTORE_EDIT) before = id;
  interview->keep_calculated = before.size > 0;
  if (form->deprecated_id == CQ_NONE && !copy_text(interview, before, &interview->deprecated_id))
    return cq_error_nomem(error);
  cq_slot *kept =
      form->deprecated_id == CQ_NONE ? NULL : cq_slots_near(interview, interview->root, form->deprecated_id);
  if (kept != NULL && mode == CQ_RESTORE_EDIT && cq_tree_set_text(interview->tree, kept->node, before) != CQ_OK)
    return cq_error_nomem(error);
  cq_slot *slot = form->instance_id == CQ_NONE ? NULL : cq_slots_near(interview, interview->root, form->instance_id);
  if (mode == CQ_RESTORE_DRAFT) {
    interview->keep_instance_id = true;
    return slot != NULL || copy_text(interview, id, &interview->instance_id) ? CQ_OK : cq_error_nomem(error);
  }
  if (slot != NULL && cq_tree_set_text(interview->tree, slot->node, (cq_str){"", 0}) != CQ_OK)
    return cq_error_nomem(error);
  return CQ_OK;
}

static void go_to_bookmark(cq_interview *interview, cq_str bookmark) {
  cq_entry entry;
  if (cq_str_is(bookmark, "end"))
    (void)cq_interview_jump(interview, CQ_ENTRY_NONE, NULL);
  else if (bookmark.size > 0 && cq_interview_entry(interview, bookmark, &entry, NULL) == CQ_OK)
    (void)cq_interview_jump(interview, entry, NULL);
}

cq_status cq_interview_restore(cq_interview **out, const cq_form *form, const cq_interview_setup *setup,
                               cq_str record_xml, cq_restore mode, cq_str bookmark, cq_error *error) {
  *out = NULL;
  cq_saved saved;
  cq_status status = cq_saved_open(&saved, form, record_xml, error);
  if (status == CQ_OK) status = create(out, form, setup, error);
  if (status == CQ_OK) status = cq_slots_build(*out, saved.top, error);
  if (status == CQ_OK) status = rename_record(*out, saved.top, mode, error);
  cq_saved_close(&saved);
  if (status == CQ_OK && mode == CQ_RESTORE_EDIT) cq_preload_name(*out);
  if (status == CQ_OK) status = cq_settle(*out, error);
  if (status == CQ_OK) status = cq_actions_run(*out, CQ_EVENT_LOAD, error);
  if (*out == NULL) return status;
  status = finish(out, status, error);
  if (status == CQ_OK) go_to_bookmark(*out, bookmark);
  return status;
}

void cq_interview_free(cq_interview *interview) {
  if (interview == NULL) return;
  free(interview->entries);
  free(interview->heap);
  free(interview->counts.at);
  free(interview->choices.at);
  free(interview->changed.at);
  cq_tree_free(interview->tree);
  cq_arena_free(interview->arena);
  cq_arena_free(interview->scratch);
  free(interview);
}

const cq_form *cq_interview_form(const cq_interview *interview) {
  return interview->form;
}

size_t cq_interview_language(const cq_interview *interview) {
  return interview->language;
}

size_t cq_interview_memory(const cq_interview *interview) {
  return cq_arena_used(interview->arena) + cq_tree_memory(interview->tree) +
         interview->entry_capacity * sizeof *interview->entries + interview->heap_capacity * sizeof *interview->heap;
}

/* --- what is outside the record --- */

static void each_below(cq_interview *interview, cq_slot *at, uint32_t field) {
  const cq_form *form = interview->form;
  if (at->field == field) {
    const cq_field_definition *d = &form->definitions[field];
    if (d->relevant.expression != NULL) cq_settle_relevance(interview, at);
    if (d->calculate != NULL) cq_settle_value(interview, at);
    return;
  }
  for (uint32_t i = form->definitions[at->field].first; i != CQ_NONE && at->kids != NULL;
       i = form->definitions[i].next) {
    if (!cq_fields_is_below(form, field, i)) continue;
    cq_kid kid = at->kids[form->definitions[i].ordinal];
    for (uint32_t j = 0; form->definitions[i].multiple && j < kid.row->count; j++)
      each_below(interview, kid.row->at[j], field);
    if (!form->definitions[i].multiple && kid.slot != NULL) each_below(interview, kid.slot, field);
  }
}

cq_status cq_interview_set_language(cq_interview *interview, size_t language, cq_error *error) {
  const cq_form *form = interview->form;
  if (language >= form->language_count) return cq_error_set(error, CQ_NOTFOUND, "forms.language.none", NULL);
  interview->spent = 0;
  interview->language = language;
  interview->host.language = form->languages[language];
  for (uint32_t i = 0; i < form->language_reader_count; i++)
    each_below(interview, interview->root, form->language_readers[i]);
  return cq_settle(interview, error);
}

cq_status cq_interview_set_working_date(cq_interview *interview, cq_date date, cq_error *error) {
  interview->spent = 0;
  interview->working_date = date;
  for (uint32_t i = 0; i < interview->form->clock_count; i++)
    each_below(interview, interview->root, interview->form->clock_readers[i]);
  return cq_settle(interview, error);
}

/* --- answers --- */

static bool offered(cq_interview *interview, cq_slot *slot, cq_str text) {
  cq_control kind = interview->form->fields[slot->field].control;
  if (text.size == 0 || (kind != CQ_CONTROL_SELECT && kind != CQ_CONTROL_SELECT1 && kind != CQ_CONTROL_RANK))
    return true;
  if (kind == CQ_CONTROL_SELECT1) return cq_choices_has(interview, slot, text);
  cq_str value;
  for (size_t at = 0; cq_choices_next(text, &at, &value);)
    if (!cq_choices_has(interview, slot, value)) return false;
  return true;
}

static double number_of(const cq_interview *interview, cq_str text) {
  const cq_xpath_value value = {.type = CQ_XPATH_STRING, .string = cq_str_trim(text)};
  const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
  return cq_xpath_to_number(&value, &context);
}

static bool in_range(const cq_interview *interview, const cq_slot *slot, cq_str text) {
  const cq_form *form = interview->form;
  uint32_t index = form->definitions[slot->field].control;
  if (text.size == 0 || index == CQ_NONE || form->controls[index].kind != CQ_CONTROL_RANGE) return true;
  const cq_node *element = form->controls[index].element;
  double start = number_of(interview, cq_attribute(element, form->words.start, CQ_ATOM_NONE));
  double end = number_of(interview, cq_attribute(element, form->words.end, CQ_ATOM_NONE));
  double value = number_of(interview, text);
  return start <= end ? value >= start && value <= end : value >= end && value <= start;
}

static cq_set_result refuses(cq_interview *interview, cq_slot *slot, cq_str text, cq_set_mode mode) {
  if (interview->form->fields[slot->field].children > 0) return CQ_SET_NO_VALUE;
  if (mode == CQ_SET_ANYWAY) return CQ_SET_ACCEPTED;
  if (!slot->relevant) return CQ_SET_NOT_RELEVANT;
  if (cq_slot_readonly(interview, slot)) return CQ_SET_READONLY;
  return offered(interview, slot, text) && in_range(interview, slot, text) ? CQ_SET_ACCEPTED : CQ_SET_NOT_OFFERED;
}

static cq_status clear_missing(cq_interview *interview, cq_slot *slot, cq_error *error) {
  size_t at = interview->form->fields[slot->field].missing_at;
  cq_slot *code = at == CQ_FIELD_NONE ? NULL : cq_slots_near(interview, slot, (uint32_t)at);
  return code == NULL ? CQ_OK : cq_settle_text(interview, code, (cq_str){"", 0}, error);
}

static cq_status message_of(cq_interview *interview, const cq_slot *slot, cq_arena *arena, cq_str *message,
                            cq_error *error) {
  return cq_text_resolve(interview, &interview->form->definitions[slot->field].constraint_message, "", slot->node,
                         arena, message, error);
}

/* Back to what stood before; what the new value has set off is settled anew. */
static cq_status take_back(cq_interview *interview, cq_slot *slot, cq_str old, cq_error *error) {
  interview->spent = 0;
  interview->changed.count = 0;
  cq_status status = cq_settle_text(interview, slot, old, error);
  interview->changed.count = 0;
  cq_status settled = cq_settle(interview, NULL);
  return status != CQ_OK ? status : settled;
}

static cq_status store(cq_interview *interview, cq_slot *slot, cq_str text, cq_set_mode mode, cq_arena *arena,
                       cq_set_outcome *outcome, cq_error *error) {
  cq_str old = cq_arena_copy(arena, cq_node_text(slot->node));
  if (old.at == NULL) return cq_error_nomem(error);
  outcome->changed = !cq_str_equal(old, text);
  cq_status status = cq_settle_text(interview, slot, text, error);
  /* The constraint is asked before actions run, and before anything else follows from a value that may not stay. */
  if (status == CQ_OK && cq_slot_breaks_constraint(interview, slot)) {
    outcome->result = CQ_SET_CONSTRAINT;
    status = message_of(interview, slot, arena, &outcome->message, error);
    if (status == CQ_OK && mode == CQ_SET_CHECKED) {
      outcome->changed = false;
      return take_back(interview, slot, old, error);
    }
  }
  if (status == CQ_OK && text.size > 0) status = clear_missing(interview, slot, error);
  if (status == CQ_OK) status = cq_settle(interview, error);
  if (status != CQ_OK) (void)take_back(interview, slot, old, NULL);
  return status;
}

cq_status cq_interview_set(cq_interview *interview, cq_entry node, cq_str text, cq_set_mode mode, cq_arena *arena,
                           cq_set_outcome *outcome, cq_error *error) {
  *outcome = (cq_set_outcome){.result = CQ_SET_ACCEPTED, .message = CQ_STR("")};
  interview->spent = 0;
  cq_slot *slot = cq_entries_slot(interview, node);
  if (slot == NULL) {
    outcome->result = CQ_SET_NO_VALUE;
    return cq_entries_row(interview, node) != NULL ? CQ_OK : cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  }
  if (text.size > CQ_FORM_MAX_VALUE) return cq_error_set(error, CQ_LIMIT, "forms.limit.value", NULL);
  if (!cq_utf8_valid(text)) return cq_error_set(error, CQ_INVALID, "forms.value.utf8", NULL);
  cq_str normal;
  bool anyway = mode == CQ_SET_ANYWAY;
  if (!cq_value_normalize(interview->form->fields[slot->field].type, text, anyway, arena, &normal)) {
    outcome->result = CQ_SET_TYPE;
    if (!anyway) return CQ_OK;
    normal = CQ_STR("");
  }
  cq_set_result refused = refuses(interview, slot, normal, mode);
  if (refused != CQ_SET_ACCEPTED) {
    outcome->result = refused;
    return CQ_OK;
  }
  return store(interview, slot, normal, mode, arena, outcome, error);
}

cq_status cq_interview_set_missing(cq_interview *interview, cq_entry node, cq_str code, cq_arena *arena,
                                   cq_set_outcome *outcome, cq_error *error) {
  *outcome = (cq_set_outcome){.result = CQ_SET_NOT_OFFERED, .message = CQ_STR("")};
  interview->spent = 0;
  cq_slot *slot = cq_entries_slot(interview, node);
  if (slot == NULL) return cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  const cq_field *field = &interview->form->fields[slot->field];
  bool known = code.size == 0;
  cq_str one;
  for (size_t at = 0; !known && cq_choices_next(field->missing, &at, &one);) known = cq_str_equal(one, code);
  cq_slot *kept =
      field->missing_at == CQ_FIELD_NONE ? NULL : cq_slots_near(interview, slot, (uint32_t)field->missing_at);
  if (!known || kept == NULL) return CQ_OK;
  outcome->result = refuses(interview, slot, (cq_str){"", 0}, CQ_SET_CHECKED);
  if (outcome->result != CQ_SET_ACCEPTED) return CQ_OK;
  cq_str old = cq_arena_copy(arena, cq_node_text(kept->node));
  outcome->changed = !cq_str_equal(old, code);
  cq_status status = CQ_OK;
  if (code.size > 0) status = cq_settle_text(interview, slot, (cq_str){"", 0}, error);
  if (status == CQ_OK) status = cq_settle_text(interview, kept, code, error);
  return status == CQ_OK ? cq_settle(interview, error) : status;
}

/* --- repeats --- */

static bool by_person(const cq_interview *interview, uint32_t field) {
  uint32_t control = interview->form->definitions[field].control;
  return interview->form->fields[field].is_repeat && control != CQ_NONE &&
         interview->form->controls[control].count == NULL && !interview->form->controls[control].no_add_remove;
}

cq_status cq_interview_add(cq_interview *interview, cq_entry repeat, cq_entry *instance, cq_error *error) {
  *instance = CQ_ENTRY_NONE;
  interview->spent = 0;
  cq_row *row = cq_entries_row(interview, repeat);
  cq_slot *slot = cq_entries_slot(interview, repeat), *made = NULL;
  uint32_t index = 0;
  if (row == NULL && slot != NULL) row = slot->row;
  if (row == NULL) return cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  if (!by_person(interview, row->field)) return cq_error_set(error, CQ_REFUSED, "forms.repeat.fixed", NULL);
  index = slot != NULL ? slot->index + 1 : row->count;
  cq_status status = cq_slots_insert(interview, row, index, &made, error);
  if (status == CQ_OK) status = cq_settle(interview, error);
  if (status == CQ_OK) status = cq_actions_run_at(interview, CQ_EVENT_NEW_REPEAT, made, error);
  if (status == CQ_OK) status = cq_settle(interview, error);
  if (made != NULL && !made->gone) *instance = made->handle;
  return status;
}

cq_status cq_interview_remove(cq_interview *interview, cq_entry instance, cq_error *error) {
  cq_slot *slot = cq_entries_slot(interview, instance);
  if (slot == NULL || slot->row == NULL) return cq_error_set(error, CQ_NOTFOUND, "forms.entry.gone", NULL);
  if (!by_person(interview, slot->field)) return cq_error_set(error, CQ_REFUSED, "forms.repeat.fixed", NULL);
  interview->spent = 0;
  cq_cursor_leave(interview, slot);
  cq_slots_remove(interview, slot, false);
  return cq_settle(interview, error);
}

/* --- the end --- */

cq_status cq_interview_finalise(cq_interview *interview, cq_error *error) {
  interview->spent = 0;
  cq_preload(interview, true);
  cq_status status = cq_settle(interview, error);
  if (status == CQ_OK) status = cq_actions_run(interview, CQ_EVENT_REVALIDATE, error);
  return status;
}

static cq_str meta_value(const cq_interview *interview, uint32_t field, cq_str beside) {
  if (field == CQ_NONE) return beside;
  const cq_slot *slot = cq_slots_near(interview, interview->root, field);
  return slot == NULL ? beside : cq_slot_text(slot);
}

cq_str cq_interview_instance_id(const cq_interview *interview) {
  return meta_value(interview, interview->form->instance_id, interview->instance_id);
}

cq_str cq_interview_instance_name(const cq_interview *interview) {
  return meta_value(interview, interview->form->instance_name, (cq_str){NULL, 0});
}

cq_str cq_interview_deprecated_id(const cq_interview *interview) {
  return meta_value(interview, interview->form->deprecated_id, interview->deprecated_id);
}

cq_status cq_interview_entities(const cq_interview *interview, cq_arena *arena, cq_entities *entities,
                                cq_error *error) {
  cq_buf xml = {0};
  cq_status status = cq_interview_write(interview, CQ_WRITE_SUBMISSION, &xml, error);
  if (status == CQ_OK) status = cq_entities_read(interview->form, cq_buf_str(&xml), true, arena, entities, error);
  cq_buf_fini(&xml);
  return status;
}
