/* SPDX-License-Identifier: Apache-2.0 */
/* From the XML of an XForm to a definition. */
#include "chasqui/file.h"
#include "forms/xform/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  size_t at;
  const char *text;
} words[] = {
#define WORD(member, text)                                                                                             \
  { offsetof(cq_words, member), text }
    WORD(xforms, CQ_SPACE_XFORMS),
    WORD(xhtml, CQ_SPACE_XHTML),
    WORD(javarosa, CQ_SPACE_JAVAROSA),
    WORD(openrosa, CQ_SPACE_OPENROSA),
    WORD(odk, CQ_SPACE_ODK),
    WORD(entities, CQ_SPACE_ENTITIES),
    WORD(chasqui, CQ_FORM_NAMESPACE),
    WORD(head, "head"),
    WORD(body, "body"),
    WORD(title, "title"),
    WORD(model, "model"),
    WORD(instance, "instance"),
    WORD(itext, "itext"),
    WORD(translation, "translation"),
    WORD(text, "text"),
    WORD(value, "value"),
    WORD(output, "output"),
    WORD(bind, "bind"),
    WORD(submission, "submission"),
    WORD(label, "label"),
    WORD(hint, "hint"),
    WORD(item, "item"),
    WORD(itemset, "itemset"),
    WORD(copy, "copy"),
    WORD(input, "input"),
    WORD(select, "select"),
    WORD(select1, "select1"),
    WORD(rank, "rank"),
    WORD(range, "range"),
    WORD(upload, "upload"),
    WORD(trigger, "trigger"),
    WORD(secret, "secret"),
    WORD(group, "group"),
    WORD(repeat, "repeat"),
    WORD(setvalue, "setvalue"),
    WORD(setgeopoint, "setgeopoint"),
    WORD(id, "id"),
    WORD(lang, "lang"),
    WORD(def, "default"),
    WORD(form, "form"),
    WORD(nodeset, "nodeset"),
    WORD(ref, "ref"),
    WORD(type, "type"),
    WORD(calculate, "calculate"),
    WORD(relevant, "relevant"),
    WORD(readonly, "readonly"),
    WORD(required, "required"),
    WORD(constraint, "constraint"),
    WORD(src, "src"),
    WORD(event, "event"),
    WORD(constraint_msg, "constraintMsg"),
    WORD(required_msg, "requiredMsg"),
    WORD(preload, "preload"),
    WORD(preload_params, "preloadParams"),
    WORD(count, "count"),
    WORD(no_add_remove, "noAddRemove"),
    WORD(template_, "template"),
    WORD(saveto, "saveto"),
    WORD(version, "version"),
    WORD(appearance, "appearance"),
    WORD(mediatype, "mediatype"),
    WORD(method, "method"),
    WORD(meta, "meta"),
    WORD(instance_id, "instanceID"),
    WORD(instance_name, "instanceName"),
    WORD(deprecated_id, "deprecatedID"),
    WORD(entity, "entity"),
    WORD(root, "root"),
    WORD(missing, "missing"),
    WORD(privacy, "privacy"),
    WORD(start, "start"),
    WORD(end, "end"),
    WORD(step, "step"),
    WORD(xmlns, "xmlns"),
    WORD(entities_version, "entities-version"),
#undef WORD
};

cq_str cq_attribute(const cq_node *node, cq_atom local, cq_atom space) {
  const cq_node *attribute = cq_node_attribute(node, local, space);
  return attribute == NULL ? (cq_str){NULL, 0} : cq_node_text(attribute);
}

bool cq_is_xforms(const cq_form *form, const cq_node *node, cq_atom local) {
  /* Old forms leave the namespace out. */
  return node->kind == CQ_NODE_ELEMENT && node->local == local &&
         (node->space == form->words.xforms || node->space == CQ_ATOM_NONE);
}

static const cq_node *child_of(const cq_node *node, cq_atom local, cq_atom space) {
  for (const cq_node *n = node == NULL ? NULL : node->first; n != NULL; n = n->next)
    if (n->kind == CQ_NODE_ELEMENT && n->local == local && n->space == space) return n;
  return NULL;
}

static const cq_node *part_of(const cq_form *form, const cq_node *node, cq_atom local) {
  for (const cq_node *n = node == NULL ? NULL : node->first; n != NULL; n = n->next)
    if (cq_is_xforms(form, n, local)) return n;
  return NULL;
}

static cq_status prepare(cq_form *form, cq_error *error) {
  form->names = cq_names_new();
  form->arena = cq_arena_new(CQ_FORM_MAX_MEMORY);
  if (form->names == NULL || form->arena == NULL) return cq_error_nomem(error);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    cq_atom atom = cq_names_intern(form->names, cq_str_from(words[i].text));
    if (atom == CQ_ATOM_FAILED) return cq_error_nomem(error);
    memcpy((char *)&form->words + words[i].at, &atom, sizeof atom);
  }
  return CQ_OK;
}

/* Prefixes that expressions may use: those declared on the elements around the model. */
static cq_status gather_spaces(cq_form *form, const cq_node *model, cq_error *error) {
  enum { MOST = 64 };
  cq_xpath_space *spaces = cq_arena_array(form->arena, MOST, sizeof *spaces);
  if (spaces == NULL) return cq_error_nomem(error);
  const cq_node *around[3] = {form->primary, model, cq_tree_top(form->document)};
  size_t count = 0;
  for (size_t i = 0; i < 3; i++)
    for (const cq_node *a = around[i]->attributes; a != NULL && count < MOST; a = a->next) {
      if (a->kind != CQ_NODE_NAMESPACE || a->local == CQ_ATOM_NONE) continue;
      cq_str prefix = cq_names_text(form->names, a->local);
      bool known = false;
      for (size_t j = 0; j < count; j++) known = known || cq_str_equal(spaces[j].prefix, prefix);
      if (!known) spaces[count++] = (cq_xpath_space){.prefix = prefix, .uri = cq_node_text(a)};
    }
  form->spaces = spaces;
  form->space_count = count;
  return CQ_OK;
}

static cq_status find_primary(cq_form *form, const cq_node *model, cq_error *error) {
  const cq_node *instance = part_of(form, model, form->words.instance);
  const cq_node *root = instance == NULL ? NULL : instance->first;
  while (root != NULL && root->kind != CQ_NODE_ELEMENT) root = root->next;
  if (root == NULL) return cq_error_set(error, CQ_INVALID, "forms.xml.instance", NULL);
  form->primary = root;
  form->primary_id = cq_attribute(instance, form->words.id, CQ_ATOM_NONE);
  form->id = cq_attribute(root, form->words.id, CQ_ATOM_NONE);
  form->version = cq_attribute(root, form->words.version, CQ_ATOM_NONE);
  if (form->version.size == 0) form->version = cq_attribute(root, form->words.version, form->words.openrosa);
  if (form->id.size == 0) /* an old form's id is its namespace */
    for (const cq_node *a = root->attributes; a != NULL; a = a->next)
      if (a->kind == CQ_NODE_NAMESPACE && a->local == CQ_ATOM_NONE) form->id = cq_node_text(a);
  return CQ_OK;
}

static cq_status check_submission(const cq_form *form, const cq_node *model, cq_error *error) {
  const cq_node *submission = part_of(form, model, form->words.submission);
  if (submission == NULL) return CQ_OK;
  cq_str method = cq_attribute(submission, form->words.method, CQ_ATOM_NONE);
  if (method.size == 0 || cq_str_is(method, "post") || cq_str_is(method, "form-data-post")) return CQ_OK;
  return cq_error_set(error, CQ_INVALID, "forms.submission.method", NULL);
}

static cq_status load_model(cq_form *form, const cq_node *model, const cq_form_lists *lists, cq_error *error) {
  cq_status status = find_primary(form, model, error);
  if (status == CQ_OK) status = gather_spaces(form, model, error);
  if (status == CQ_OK) status = check_submission(form, model, error);
  if (status == CQ_OK) status = cq_fields_load(form, error);
  if (status == CQ_OK) status = cq_lists_load(form, model, lists, error);
  const cq_node *itext = part_of(form, model, form->words.itext);
  if (status == CQ_OK && itext != NULL) status = cq_itext_load(form, itext, error);
  if (status == CQ_OK) status = cq_binds_load(form, model, error);
  for (const cq_node *n = model->first; n != NULL && status == CQ_OK; n = n->next)
    if (cq_actions_is(form, n)) status = cq_actions_load(form, n, CQ_NONE, error);
  cq_str year = cq_attribute(model, form->words.entities_version, form->words.entities);
  for (size_t i = 0; i < year.size && year.at[i] >= '0' && year.at[i] <= '9' && form->entities_version < 10000; i++)
    form->entities_version = form->entities_version * 10 + (unsigned)(year.at[i] - '0');
  return status;
}

static cq_status load(cq_form *form, cq_str xml, const cq_form_lists *lists, cq_error *error) {
  cq_status status = prepare(form, error);
  if (status == CQ_OK)
    status = cq_tree_parse(&form->document, form->names, xml, CQ_TREE_DATA, CQ_FORM_MAX_MEMORY, error);
  if (status != CQ_OK) return status;
  const cq_words *w = &form->words;
  const cq_node *html = cq_tree_top(form->document);
  const cq_node *head = child_of(html, w->head, w->xhtml), *body = child_of(html, w->body, w->xhtml);
  const cq_node *title = child_of(head, w->title, w->xhtml), *model = part_of(form, head, w->model);
  if (model == NULL) return cq_error_set(error, CQ_INVALID, "forms.xml.model", NULL);
  if (body == NULL) return cq_error_set(error, CQ_INVALID, "forms.xml.body", NULL);
  form->title = title == NULL ? (cq_str){NULL, 0} : cq_str_trim(cq_node_text(title));
  cq_tree_freeze(form->document);
  status = load_model(form, model, lists, error);
  if (status == CQ_OK) status = cq_body_load(form, body, error);
  if (status == CQ_OK) status = cq_graph_load(form, error);
  return status;
}

cq_status cq_form_load(cq_form **out, cq_str xml, const cq_form_lists *lists, cq_error *error) {
  *out = NULL;
  if (xml.size > CQ_FORM_MAX_XML) return cq_error_set(error, CQ_LIMIT, "forms.limit.xml", NULL);
  cq_form *form = calloc(1, sizeof *form);
  if (form == NULL) return cq_error_nomem(error);
  cq_status status = load(form, xml, lists, error);
  if (status == CQ_NOMEM && form->arena != NULL && cq_arena_full(form->arena))
    status = cq_error_set(error, CQ_LIMIT, "forms.limit.memory", NULL);
  if (status != CQ_OK) {
    cq_form_free(form);
    return status;
  }
  *out = form;
  return CQ_OK;
}

void cq_form_free(cq_form *form) {
  if (form == NULL) return;
  for (size_t i = 0; i < form->secondary_count; i++) cq_tree_free(form->secondaries[i].tree);
  free(form->fields);
  free(form->definitions);
  free(form->controls);
  free(form->actions);
  free(form->itexts);
  free(form->by_path);
  free(form->shared);
  cq_tree_free(form->document);
  cq_arena_free(form->arena);
  cq_names_free(form->names);
  free(form);
}

/* --- what a form is --- */

cq_str cq_form_id(const cq_form *form) {
  return form->id;
}
cq_str cq_form_version(const cq_form *form) {
  return form->version;
}
cq_str cq_form_title(const cq_form *form) {
  return form->title;
}
size_t cq_form_language_count(const cq_form *form) {
  return form->language_count;
}
cq_str cq_form_language(const cq_form *form, size_t i) {
  return form->languages[i];
}
size_t cq_form_default_language(const cq_form *form) {
  return form->default_language;
}
size_t cq_form_field_count(const cq_form *form) {
  return form->field_count;
}

const cq_field *cq_form_field(const cq_form *form, size_t index) {
  return index < form->field_count ? &form->fields[index] : NULL;
}

size_t cq_form_memory(const cq_form *form) {
  size_t total = cq_arena_used(form->arena) + cq_tree_memory(form->document);
  for (size_t i = 0; i < form->secondary_count; i++)
    if (form->secondaries[i].tree != NULL) total += cq_tree_memory(form->secondaries[i].tree);
  total += form->field_capacity * (sizeof *form->fields + sizeof *form->definitions);
  return total + form->control_capacity * sizeof *form->controls;
}

cq_str cq_form_attribute(const cq_form *form, size_t field, const char *name) {
  cq_atom local = cq_names_find(form->names, cq_str_from(name));
  if (field >= form->field_count || local == CQ_ATOM_FAILED) return (cq_str){NULL, 0};
  const cq_field_definition *d = &form->definitions[field];
  const cq_node *places[2] = {d->control == CQ_NONE ? NULL : form->controls[d->control].element, d->bind};
  for (size_t i = 0; i < 2; i++)
    for (const cq_node *a = places[i] == NULL ? NULL : places[i]->attributes; a != NULL; a = a->next)
      if (a->kind == CQ_NODE_ATTRIBUTE && a->local == local) return cq_node_text(a);
  return (cq_str){NULL, 0};
}

/* --- lists from a folder --- */

static cq_status open_in_folder(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  size_t start = uri.size;
  while (start > 0 && uri.at[start - 1] != '/') start--;
  cq_str name = {uri.at + start, uri.size - start};
  if (name.size == 0 || name.size > 255 || cq_str_is(name, ".") || cq_str_is(name, "..") ||
      memchr(name.at, '\0', name.size) != NULL)
    return CQ_NOTFOUND;
  char text[256];
  memcpy(text, name.at, name.size);
  text[name.size] = '\0';
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, context, text, error);
  if (status == CQ_OK) {
    FILE *file = fopen(path.at, "rb"); /* only whether it is there: reading is cq_file_read's */
    if (file == NULL)
      status = CQ_NOTFOUND;
    else
      fclose(file);
  }
  if (status == CQ_OK) status = cq_file_read(path.at, CQ_FORM_MAX_XML, out, error);
  cq_buf_fini(&path);
  return status;
}

void cq_form_lists_folder(cq_form_lists *lists, const char *folder) {
  lists->open = open_in_folder;
  lists->context = (void *)(uintptr_t)folder;
}
