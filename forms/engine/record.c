/* SPDX-License-Identifier: Apache-2.0 */
/* Saved records and the form's texts without an interview: for tables, exports and codebooks. */
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

/* --- saved records --- */

cq_status cq_saved_open(cq_saved *saved, const cq_form *form, cq_str record_xml, cq_error *error) {
  *saved = (cq_saved){0};
  if (record_xml.size > CQ_FORM_MAX_XML) return cq_error_set(error, CQ_LIMIT, "forms.limit.xml", NULL);
  saved->names = cq_names_over(form->names);
  if (saved->names == NULL) return cq_error_nomem(error);
  cq_status status = cq_tree_parse(&saved->tree, saved->names, record_xml, CQ_TREE_DATA, CQ_FORM_MAX_MEMORY, error);
  if (status != CQ_OK) return status;
  const cq_node *top = cq_tree_top(saved->tree);
  cq_str id = top == NULL ? (cq_str){NULL, 0} : cq_attribute(top, form->words.id, CQ_ATOM_NONE);
  if (top == NULL || top->local != form->definitions[0].local || (id.size > 0 && !cq_str_equal(id, form->id)))
    return cq_error_set(error, CQ_INVALID, "forms.record.other", NULL);
  saved->top = top;
  return CQ_OK;
}

void cq_saved_close(cq_saved *saved) {
  cq_tree_free(saved->tree);
  cq_names_free(saved->names);
  *saved = (cq_saved){0};
}

typedef struct reading {
  const cq_form *form;
  cq_saved_each each;
  void *context;
  size_t unknown;
  uint32_t positions[CQ_FORM_MAX_DEPTH];
  cq_error *error;
} reading;

static cq_status tell(reading *r, uint32_t field, cq_str text, size_t depth) {
  const cq_saved_value value = {
      .field = &r->form->fields[field], .text = text, .positions = r->positions, .depth = depth};
  return r->each(r->context, &value, r->error);
}

static uint32_t position_of(const cq_node *node) {
  uint32_t position = 1;
  for (const cq_node *n = cq_node_prior(node); n != NULL; n = cq_node_prior(n))
    position += n->kind == CQ_NODE_ELEMENT && n->local == node->local && n->prefix == node->prefix;
  return position;
}

static uint32_t field_of(const cq_form *form, uint32_t parent, const cq_node *node) {
  bool attribute = node->kind == CQ_NODE_ATTRIBUTE;
  uint32_t found = cq_fields_child(form, parent, node->local, CQ_ATOM_NONE, attribute);
  return found != CQ_NONE || node->space == CQ_ATOM_NONE
             ? found
             : cq_fields_child(form, parent, node->local, node->space, attribute);
}

static cq_status read_element(reading *r, const cq_node *element, uint32_t field, size_t depth);

static cq_status read_attributes(reading *r, const cq_node *element, uint32_t field, size_t depth) {
  for (const cq_node *a = element->attributes; a != NULL; a = a->next) {
    if (a->kind != CQ_NODE_ATTRIBUTE || field == 0) continue;
    uint32_t found = field_of(r->form, field, a);
    cq_status status = found == CQ_NONE ? CQ_OK : tell(r, found, cq_node_text(a), depth);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

static cq_status read_children(reading *r, const cq_node *element, uint32_t field, size_t depth) {
  cq_atom last = CQ_ATOM_NONE;
  uint32_t position = 0;
  for (const cq_node *n = element->first; n != NULL; n = n->next) {
    if (n->kind != CQ_NODE_ELEMENT) continue;
    uint32_t child = field_of(r->form, field, n);
    if (child == CQ_NONE) {
      r->unknown++;
      continue;
    }
    size_t below = depth;
    if (r->form->definitions[child].multiple && depth < CQ_FORM_MAX_DEPTH) {
      position = n->local == last && position > 0 ? position + 1 : position_of(n); /* instances are neighbours */
      r->positions[below++] = position;
    } else {
      position = 0;
    }
    last = n->local;
    cq_status status = read_element(r, n, child, below);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

static cq_status read_element(reading *r, const cq_node *element, uint32_t field, size_t depth) {
  bool leaf = r->form->fields[field].children == 0;
  cq_status status = CQ_OK;
  if (leaf || r->form->definitions[field].multiple)
    status = tell(r, field, leaf ? cq_node_text(element) : (cq_str){NULL, 0}, depth);
  if (status == CQ_OK) status = read_attributes(r, element, field, depth);
  return status == CQ_OK && !leaf ? read_children(r, element, field, depth) : status;
}

cq_status cq_form_read(const cq_form *form, cq_str record_xml, cq_saved_each each, void *context, size_t *unknown,
                       cq_error *error) {
  cq_saved saved;
  reading r = {.form = form, .each = each, .context = context, .error = error};
  cq_status status = cq_saved_open(&saved, form, record_xml, error);
  if (status == CQ_OK) status = read_element(&r, saved.top, 0, 0);
  if (unknown != NULL) *unknown = r.unknown;
  cq_saved_close(&saved);
  return status;
}

/* --- the form's own texts --- */

/* "${name}" for an output that is a path, "…" for any other. */
static void add_output(const cq_form *form, const cq_node *output, cq_buf *text) {
  const cq_xpath_path *path = output->user == NULL ? NULL : cq_xpath_is_path(output->user);
  if (path == NULL || path->step_count == 0 || path->steps[path->step_count - 1].any) {
    cq_buf_add_text(text, "…");
    return;
  }
  cq_buf_add_text(text, "${");
  cq_buf_add_str(text, cq_names_text(form->names, path->steps[path->step_count - 1].local));
  cq_buf_add_char(text, '}');
}

static void add_static(const cq_form *form, const cq_node *element, cq_buf *text) {
  if (cq_node_is_leaf(element)) cq_buf_add_str(text, cq_node_text(element));
  for (const cq_node *n = element->first; n != NULL; n = n->next) {
    if (n->kind == CQ_NODE_TEXT)
      cq_buf_add_str(text, cq_node_text(n));
    else if (cq_is_xforms(form, n, form->words.output))
      add_output(form, n, text);
    else if (n->kind == CQ_NODE_ELEMENT)
      add_static(form, n, text);
  }
}

static void add_itext(const cq_form *form, cq_atom id, size_t language, cq_buf *text) {
  const cq_node *found = cq_itext_find(form, id, language);
  for (const cq_node *n = found == NULL ? NULL : found->first; n != NULL; n = n->next) {
    cq_str kind = cq_attribute(n, form->words.form, CQ_ATOM_NONE);
    if (!cq_is_xforms(form, n, form->words.value) || (kind.size > 0 && !cq_str_is(kind, "long"))) continue;
    add_static(form, n, text);
    return;
  }
}

/* A text that says the same in every interview; what depends on one stays empty. */
static void add_text(const cq_form *form, const cq_text *source, size_t language, cq_buf *text) {
  if (source->literal.size > 0)
    cq_buf_add_str(text, source->literal);
  else if (source->itext != CQ_ATOM_NONE)
    add_itext(form, source->itext, language, text);
  else if (source->element != NULL)
    add_static(form, source->element, text);
}

cq_status cq_form_label(const cq_form *form, size_t field, size_t language, cq_buf *text, cq_error *error) {
  cq_buf_reset(text);
  if (field >= form->field_count) return cq_error_set(error, CQ_NOTFOUND, "forms.field.none", NULL);
  uint32_t index = form->definitions[field].control;
  if (index == CQ_NONE) return CQ_OK;
  const cq_control_definition *control = &form->controls[index];
  if (cq_text_is_empty(&control->label) && control->kind == CQ_CONTROL_REPEAT && control->parent != CQ_NONE)
    control = &form->controls[control->parent];
  add_text(form, &control->label, language, text);
  return text->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status add_choice(const cq_form *form, cq_str value, const cq_text *label, const cq_node *row,
                            size_t language, cq_arena *arena, cq_choice *choice, cq_error *error) {
  cq_buf text = {0};
  const cq_xpath *expression = label->itext_id != NULL ? label->itext_id : label->expression;
  const cq_xpath_path *path = expression == NULL ? NULL : cq_xpath_is_path(expression);
  if (path != NULL && row != NULL && path->step_count == 1) {
    const cq_node *cell = cq_node_child(row, path->steps[0].local);
    cq_str said = cell == NULL ? (cq_str){NULL, 0} : cq_node_text(cell);
    cq_atom id = label->itext_id == NULL ? CQ_ATOM_FAILED : cq_names_find(form->names, said);
    if (label->itext_id == NULL)
      cq_buf_add_str(&text, said);
    else if (id != CQ_ATOM_FAILED)
      add_itext(form, id, language, &text);
  } else {
    add_text(form, label, language, &text);
  }
  choice->value = value;
  choice->label = text.failed ? (cq_str){NULL, 0} : cq_arena_copy(arena, cq_str_trim(cq_buf_str(&text)));
  cq_buf_fini(&text);
  return choice->label.at == NULL ? cq_error_nomem(error) : CQ_OK;
}

/* The element whose children named like the last step are the rows, filters passed over; NULL: not a list of the form.
 */
static cq_node *rows_of(const cq_form *form, const cq_itemset *set, cq_atom *row) {
  size_t count;
  const cq_xpath_path *paths = cq_xpath_paths(set->nodeset, &count);
  if (count == 0 || paths[0].from != CQ_XPATH_FROM_INSTANCE || paths[0].step_count == 0) return NULL;
  cq_node *node = cq_lists_find(form, cq_names_text(form->names, paths[0].instance));
  for (size_t i = 0; i < paths[0].step_count; i++)
    if (paths[0].steps[i].axis != CQ_AXIS_CHILD || paths[0].steps[i].any) return NULL;
  for (size_t i = 0; i + 1 < paths[0].step_count && node != NULL; i++)
    node = cq_node_child(node, paths[0].steps[i].local);
  *row = paths[0].steps[paths[0].step_count - 1].local;
  return node;
}

cq_status cq_form_choices(const cq_form *form, size_t field, size_t language, cq_arena *arena, cq_choices *choices,
                          cq_error *error) {
  *choices = (cq_choices){0};
  if (field >= form->field_count) return cq_error_set(error, CQ_NOTFOUND, "forms.field.none", NULL);
  uint32_t index = form->definitions[field].control;
  if (index == CQ_NONE) return CQ_OK;
  const cq_control_definition *control = &form->controls[index];
  const cq_itemset *set = control->itemset;
  const cq_xpath_path *value = set == NULL ? NULL : cq_xpath_is_path(set->value);
  cq_atom row_name = CQ_ATOM_NONE;
  cq_node *list = value == NULL || value->step_count != 1 ? NULL : rows_of(form, set, &row_name);
  size_t count = 0;
  cq_node *row = list == NULL ? NULL : cq_tree_children(list, row_name, &count);
  if (control->item_count + count == 0) return CQ_OK;
  choices->items = cq_arena_array(arena, control->item_count + count, sizeof *choices->items);
  if (choices->items == NULL) return cq_error_nomem(error);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < control->item_count && status == CQ_OK; i++)
    status = add_choice(form, control->items[i].value, &control->items[i].label, NULL, language, arena,
                        &choices->items[choices->count++], error);
  for (; row != NULL && status == CQ_OK; row = cq_node_next_same(row)) {
    const cq_node *cell = cq_node_child(row, value->steps[0].local);
    status = add_choice(form, cell == NULL ? (cq_str){NULL, 0} : cq_node_text(cell), &set->label, row, language, arena,
                        &choices->items[choices->count++], error);
  }
  return status;
}
