/* SPDX-License-Identifier: Apache-2.0 */
/* Controls: what stands in the body, and what each asks. */
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

static cq_status load_children(cq_form *form, const cq_node *element, uint32_t parent, uint32_t at, cq_error *error);

static cq_control control_of(const cq_form *form, const cq_node *n) {
  const cq_words *w = &form->words;
  const struct {
    cq_atom local;
    cq_control control;
  } kinds[] = {{w->input, CQ_CONTROL_INPUT},     {w->select, CQ_CONTROL_SELECT}, {w->select1, CQ_CONTROL_SELECT1},
               {w->rank, CQ_CONTROL_RANK},       {w->range, CQ_CONTROL_RANGE},   {w->upload, CQ_CONTROL_UPLOAD},
               {w->trigger, CQ_CONTROL_TRIGGER}, {w->secret, CQ_CONTROL_SECRET}, {w->group, CQ_CONTROL_GROUP},
               {w->repeat, CQ_CONTROL_REPEAT}};
  if (n->kind != CQ_NODE_ELEMENT ||
      (n->space != w->xforms && n->space != CQ_ATOM_NONE && !(n->space == w->odk && n->local == w->rank)))
    return CQ_CONTROL_NONE;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (n->local == kinds[i].local) return kinds[i].control;
  return CQ_CONTROL_NONE;
}

static bool has_word(cq_str text, const char *word) {
  size_t size = strlen(word);
  for (size_t i = 0; i + size <= text.size; i++)
    if ((i == 0 || text.at[i - 1] == ' ') && memcmp(text.at + i, word, size) == 0 &&
        (i + size == text.size || text.at[i + size] == ' '))
      return true;
  return false;
}

static uint32_t append(cq_form *form) {
  if (form->control_count == form->control_capacity) {
    uint32_t capacity = form->control_capacity == 0 ? 64 : form->control_capacity * 2;
    cq_control_definition *controls = realloc(form->controls, capacity * sizeof *controls);
    if (controls == NULL) return CQ_NONE;
    form->controls = controls;
    form->control_capacity = capacity;
  }
  uint32_t index = form->control_count++;
  form->controls[index] =
      (cq_control_definition){.field = CQ_NONE, .parent = CQ_NONE, .first = CQ_NONE, .next = CQ_NONE};
  return index;
}

/* --- choices --- */

static cq_status load_items(cq_form *form, cq_control_definition *control, const cq_node *element, cq_error *error) {
  size_t count = 0;
  for (const cq_node *n = element->first; n != NULL; n = n->next) count += cq_is_xforms(form, n, form->words.item);
  if (count == 0) return CQ_OK;
  control->items = cq_arena_array(form->arena, count, sizeof *control->items);
  if (control->items == NULL) return cq_error_nomem(error);
  for (const cq_node *n = element->first; n != NULL; n = n->next) {
    if (!cq_is_xforms(form, n, form->words.item)) continue;
    cq_item_definition *item = &control->items[control->item_count++];
    for (const cq_node *part = n->first; part != NULL; part = part->next) {
      if (cq_is_xforms(form, part, form->words.value))
        item->value = cq_str_trim(cq_node_text(part));
      else if (cq_is_xforms(form, part, form->words.label)) {
        cq_status status = cq_text_of_element(form, part, &item->label, error);
        if (status != CQ_OK) return status;
      }
    }
  }
  return CQ_OK;
}

/* Splits "randomize(nodeset, seed)" at its top-level comma. */
static bool randomized(cq_str text, cq_str *nodeset, cq_str *seed) {
  text = cq_str_trim(text);
  if (!cq_str_starts(text, CQ_STR("randomize(")) || text.at[text.size - 1] != ')') return false;
  cq_str inside = {text.at + 10, text.size - 11};
  *nodeset = inside;
  *seed = (cq_str){NULL, 0};
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < inside.size; i++) {
    char c = inside.at[i];
    if (quote != 0)
      quote = c == quote ? (char)0 : quote;
    else if (c == '\'' || c == '"')
      quote = c;
    else if (c == '(' || c == '[')
      depth++;
    else if (c == ')' || c == ']')
      depth--;
    else if (c == ',' && depth == 0) {
      *nodeset = (cq_str){inside.at, i};
      *seed = (cq_str){inside.at + i + 1, inside.size - i - 1};
      break;
    }
  }
  return depth >= 0;
}

static bool reads_answers(const cq_xpath *expression) {
  size_t count;
  const cq_xpath_path *paths = cq_xpath_paths(expression, &count);
  for (size_t i = 0; i < count; i++)
    if (paths[i].from != CQ_XPATH_FROM_INSTANCE) return true;
  return false;
}

/* The rows of a list are alike: a label that the first one lacks is a mistake in the form. */
static cq_status check_label(const cq_form *form, const cq_itemset *set, cq_str label, cq_error *error) {
  size_t count;
  const cq_xpath_path *paths = cq_xpath_paths(set->nodeset, &count);
  if (count == 0 || paths[0].from != CQ_XPATH_FROM_INSTANCE || paths[0].instance == CQ_ATOM_NONE) return CQ_OK;
  cq_node *node = cq_lists_find(form, cq_names_text(form->names, paths[0].instance));
  for (size_t i = 0; i < paths[0].step_count && node != NULL; i++) {
    const cq_xpath_step *step = &paths[0].steps[i];
    if (step->axis != CQ_AXIS_CHILD || step->any) return CQ_OK;
    node = cq_node_child(node, step->local);
  }
  cq_atom local = cq_names_find(form->names, label);
  if (node == NULL || (local != CQ_ATOM_FAILED && cq_node_child(node, local) != NULL)) return CQ_OK;
  for (size_t i = 0; i < label.size; i++) /* a plain name only */
    if (strchr("/@().[]'\" ", label.at[i]) != NULL) return CQ_OK;
  return cq_error_set(error, CQ_INVALID, "forms.itemset.label", NULL);
}

static cq_status load_itemset(cq_form *form, cq_control_definition *control, const cq_node *element, cq_error *error) {
  const cq_words *w = &form->words;
  cq_itemset *set = cq_arena_alloc(form->arena, sizeof *set);
  if (set == NULL) return cq_error_nomem(error);
  cq_str nodeset = cq_attribute(element, w->nodeset, CQ_ATOM_NONE), seed = {NULL, 0};
  if (cq_str_trim(nodeset).size == 0) return cq_error_set(error, CQ_INVALID, "forms.itemset.nodeset", NULL);
  cq_str inside;
  set->randomize = randomized(nodeset, &inside, &seed) && cq_str_trim(seed).size == 0;
  cq_status status = cq_expression_compile(form, set->randomize ? inside : nodeset, &set->nodeset, error);
  for (const cq_node *n = element->first; n != NULL && status == CQ_OK; n = n->next) {
    if (cq_is_xforms(form, n, w->value) || cq_is_xforms(form, n, w->copy)) {
      cq_str ref = cq_attribute(n, w->ref, CQ_ATOM_NONE);
      if (cq_str_trim(ref).size > 0) status = cq_expression_compile(form, ref, &set->value, error);
    } else if (cq_is_xforms(form, n, w->label)) {
      status = cq_text_of_element(form, n, &set->label, error);
      if (status == CQ_OK && set->label.expression != NULL)
        status = check_label(form, set, cq_str_trim(cq_xpath_text(set->label.expression)), error);
    }
  }
  if (status == CQ_OK && set->value == NULL) status = cq_error_set(error, CQ_INVALID, "forms.itemset.value", NULL);
  if (status == CQ_OK) set->dynamic = reads_answers(set->nodeset);
  control->itemset = set;
  return status;
}

/* --- one control --- */

static bool is_number(cq_str text) {
  size_t i = text.size > 0 && text.at[0] == '-' ? 1 : 0, digits = 0;
  for (; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++) digits++;
  if (i < text.size && text.at[i] == '.')
    for (i++; i < text.size && text.at[i] >= '0' && text.at[i] <= '9'; i++) digits++;
  return digits > 0 && i == text.size;
}

static cq_status check_range(const cq_form *form, const cq_node *element, cq_error *error) {
  const cq_atom parts[] = {form->words.start, form->words.end, form->words.step};
  for (size_t i = 0; i < 3; i++)
    if (!is_number(cq_str_trim(cq_attribute(element, parts[i], CQ_ATOM_NONE))))
      return cq_error_set(error, CQ_INVALID, "forms.range.number", NULL);
  return CQ_OK;
}

static cq_status check_upload(const cq_form *form, const cq_node *element, cq_error *error) {
  cq_str type = cq_attribute(element, form->words.mediatype, CQ_ATOM_NONE);
  const char *slash = type.size == 0 ? NULL : memchr(type.at, '/', type.size);
  if (type.size > 0 && (slash == NULL || slash == type.at || slash == type.at + type.size - 1))
    return cq_error_set(error, CQ_INVALID, "forms.upload.type", NULL);
  return CQ_OK;
}

/* A nodeset or ref, from the field that the control stands in; CQ_NONE where it has none or names nothing. */
static uint32_t field_of(const cq_form *form, const cq_node *element, uint32_t at, bool *named) {
  const cq_words *w = &form->words;
  cq_str ref = cq_attribute(element, w->ref, CQ_ATOM_NONE);
  if (ref.size == 0) ref = cq_attribute(element, w->nodeset, CQ_ATOM_NONE);
  cq_str bind = cq_attribute(element, w->bind, CQ_ATOM_NONE);
  *named = cq_str_trim(ref).size > 0 || bind.size > 0;
  if (cq_str_trim(ref).size > 0) return cq_fields_resolve(form, ref, at == CQ_NONE ? 0 : at);
  return cq_fields_of_bind(form, bind);
}

static void describe_field(cq_form *form, uint32_t index) {
  const cq_control_definition *control = &form->controls[index];
  cq_field *field = &form->fields[control->field];
  cq_field_definition *d = &form->definitions[control->field];
  if (control->kind == CQ_CONTROL_REPEAT) {
    field->is_repeat = true;
    d->multiple = true;
  } else if (field->is_repeat) {
    return; /* the group around a repeat names it too, and gives it its label only */
  }
  if (d->control == CQ_NONE || control->kind == CQ_CONTROL_REPEAT) {
    d->control = index;
    field->control = control->kind;
    field->appearance = control->appearance;
    field->media_type = cq_attribute(control->element, form->words.mediatype, CQ_ATOM_NONE);
  }
}

static cq_status load_texts(cq_form *form, cq_control_definition *control, cq_error *error) {
  cq_status status = CQ_OK;
  for (const cq_node *n = control->element->first; n != NULL && status == CQ_OK; n = n->next) {
    if (cq_is_xforms(form, n, form->words.label))
      status = cq_text_of_element(form, n, &control->label, error);
    else if (cq_is_xforms(form, n, form->words.hint))
      status = cq_text_of_element(form, n, &control->hint, error);
    else if (cq_is_xforms(form, n, form->words.itemset))
      status = load_itemset(form, control, n, error);
  }
  return status == CQ_OK ? load_items(form, control, control->element, error) : status;
}

static cq_status load_repeat(cq_form *form, cq_control_definition *control, cq_error *error) {
  const cq_words *w = &form->words;
  cq_str fixed = cq_attribute(control->element, w->no_add_remove, w->javarosa);
  control->no_add_remove = fixed.size > 0 && !cq_str_starts(cq_str_trim(fixed), CQ_STR("false"));
  cq_str count = cq_str_trim(cq_attribute(control->element, w->count, w->javarosa));
  if (count.size == 0) return CQ_OK;
  return cq_expression_compile(form, count, &control->count, error);
}

static cq_status load_control(cq_form *form, const cq_node *element, cq_control kind, uint32_t parent, uint32_t at,
                              uint32_t *index, cq_error *error) {
  *index = append(form);
  if (*index == CQ_NONE) return cq_error_nomem(error);
  cq_control_definition control = form->controls[*index];
  control.kind = kind;
  control.element = element;
  control.parent = parent;
  control.appearance = cq_str_trim(cq_attribute(element, form->words.appearance, CQ_ATOM_NONE));
  control.field_list = kind == CQ_CONTROL_GROUP && has_word(control.appearance, "field-list");
  bool named;
  control.field = field_of(form, element, at, &named);
  if (control.field == CQ_NONE && (kind != CQ_CONTROL_GROUP || named)) {
    char shown[CQ_ERROR_ARG_SIZE];
    cq_str ref = cq_attribute(element, form->words.ref, CQ_ATOM_NONE);
    if (ref.size == 0) ref = cq_attribute(element, form->words.nodeset, CQ_ATOM_NONE);
    size_t size = ref.size < sizeof shown ? ref.size : sizeof shown - 1;
    if (size > 0) memcpy(shown, ref.at, size);
    shown[size] = '\0';
    return cq_error_set(error, CQ_INVALID, "forms.body.ref", shown, NULL);
  }
  cq_status status = load_texts(form, &control, error);
  if (status == CQ_OK && kind == CQ_CONTROL_RANGE) status = check_range(form, element, error);
  if (status == CQ_OK && kind == CQ_CONTROL_UPLOAD) status = check_upload(form, element, error);
  if (status == CQ_OK && kind == CQ_CONTROL_REPEAT) status = load_repeat(form, &control, error);
  form->controls[*index] = control;
  if (control.field != CQ_NONE) describe_field(form, *index);
  return status == CQ_OK ? load_children(form, element, *index, control.field == CQ_NONE ? at : control.field, error)
                         : status;
}

static cq_status load_children(cq_form *form, const cq_node *element, uint32_t parent, uint32_t at, cq_error *error) {
  uint32_t last = CQ_NONE;
  for (const cq_node *n = element->first; n != NULL; n = n->next) {
    cq_status status = CQ_OK;
    if (cq_actions_is(form, n)) {
      status = cq_actions_load(form, n, at, error);
    } else {
      cq_control kind = control_of(form, n);
      if (kind == CQ_CONTROL_NONE) continue;
      uint32_t index;
      status = load_control(form, n, kind, parent, at, &index, error);
      if (status == CQ_OK) {
        if (last != CQ_NONE)
          form->controls[last].next = index;
        else if (parent != CQ_NONE)
          form->controls[parent].first = index;
        else
          form->first_control = index;
        last = index;
      }
    }
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

/* Which repeat each field stands in. */
static void mark_repeats(cq_form *form) {
  for (uint32_t i = 1; i < form->field_count; i++) {
    uint32_t parent = form->definitions[i].parent;
    form->fields[i].repeat = form->fields[parent].is_repeat ? parent : form->fields[parent].repeat;
  }
}

cq_status cq_body_load(cq_form *form, const cq_node *body, cq_error *error) {
  form->first_control = CQ_NONE;
  cq_status status = load_children(form, body, CQ_NONE, CQ_NONE, error);
  mark_repeats(form);
  return status;
}
