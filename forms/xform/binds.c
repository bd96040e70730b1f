/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xform/definition.h"

#include <string.h>

static cq_type type_of(cq_str name) {
  static const struct {
    const char *name;
    cq_type type;
  } types[] = {{"int", CQ_TYPE_INT},           {"integer", CQ_TYPE_INT},        {"long", CQ_TYPE_INT},
               {"decimal", CQ_TYPE_DECIMAL},   {"double", CQ_TYPE_DECIMAL},     {"float", CQ_TYPE_DECIMAL},
               {"boolean", CQ_TYPE_BOOLEAN},   {"date", CQ_TYPE_DATE},          {"time", CQ_TYPE_TIME},
               {"dateTime", CQ_TYPE_DATETIME}, {"geopoint", CQ_TYPE_GEOPOINT},  {"geotrace", CQ_TYPE_GEOTRACE},
               {"geoshape", CQ_TYPE_GEOSHAPE}, {"binary", CQ_TYPE_BINARY},      {"barcode", CQ_TYPE_BARCODE},
               {"intent", CQ_TYPE_INTENT},     {"base64Binary", CQ_TYPE_BINARY}};
  const char *colon = name.size == 0 ? NULL : memchr(name.at, ':', name.size);
  if (colon != NULL) name = (cq_str){colon + 1, name.size - (size_t)(colon - name.at) - 1};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (cq_str_is(name, types[i].name)) return types[i].type;
  return CQ_TYPE_STRING;
}

/* Which question an expression belongs to, for the author: "/data/a: " does not fit a column, so it is the file part.
 */
static cq_status located(const cq_form *form, uint32_t field, const char *attribute, cq_status status,
                         cq_error *error) {
  if (status != CQ_OK && error != NULL && error->file[0] == '\0') {
    cq_buf place = {0};
    cq_buf_add_str(&place, form->fields[field].path);
    cq_buf_add_char(&place, ' ');
    cq_buf_add_text(&place, attribute);
    if (!place.failed) cq_error_at_file(error, place.at);
    cq_buf_fini(&place);
  }
  return status;
}

static cq_status expression(cq_form *form, const cq_node *bind, uint32_t field, const char *name, cq_atom atom,
                            const cq_xpath **out, cq_error *error) {
  cq_str text = cq_attribute(bind, atom, CQ_ATOM_NONE);
  if (cq_str_trim(text).size == 0) return CQ_OK;
  return located(form, field, name, cq_expression_compile(form, text, out, error), error);
}

static cq_status conditions(cq_form *form, const cq_node *bind, uint32_t field, cq_error *error) {
  cq_field_definition *d = &form->definitions[field];
  const cq_words *w = &form->words;
  cq_status status = expression(form, bind, field, "calculate", w->calculate, &d->calculate, error);
  if (status == CQ_OK) status = expression(form, bind, field, "relevant", w->relevant, &d->relevant.expression, error);
  if (status == CQ_OK) status = expression(form, bind, field, "readonly", w->readonly, &d->readonly.expression, error);
  if (status == CQ_OK) status = expression(form, bind, field, "required", w->required, &d->required.expression, error);
  if (status == CQ_OK) status = expression(form, bind, field, "constraint", w->constraint, &d->constraint, error);
  cq_expression_fold(form, &d->relevant);
  cq_expression_fold(form, &d->readonly);
  cq_expression_fold(form, &d->required);
  return status;
}

static cq_status messages(cq_form *form, const cq_node *bind, uint32_t field, cq_error *error) {
  cq_field_definition *d = &form->definitions[field];
  const cq_words *w = &form->words;
  cq_str required = cq_attribute(bind, w->required_msg, w->javarosa);
  cq_str constraint = cq_attribute(bind, w->constraint_msg, w->javarosa);
  if (constraint.size == 0) constraint = cq_attribute(bind, w->constraint_msg, w->odk);
  cq_status status = CQ_OK;
  if (required.size > 0) status = cq_text_of_value(form, required, &d->required_message, error);
  if (status == CQ_OK && constraint.size > 0)
    status = cq_text_of_value(form, constraint, &d->constraint_message, error);
  return status;
}

static cq_privacy privacy_of(cq_str name) {
  static const char *const names[] = {"", "direct", "quasi", "sensitive", "free"};
  for (size_t i = 1; i < sizeof names / sizeof *names; i++)
    if (cq_str_is(name, names[i])) return (cq_privacy)i;
  return CQ_PRIVACY_NONE;
}

static cq_status load_bind(cq_form *form, const cq_node *bind, cq_error *error) {
  const cq_words *w = &form->words;
  cq_str nodeset = cq_attribute(bind, w->nodeset, CQ_ATOM_NONE);
  if (nodeset.size == 0) nodeset = cq_attribute(bind, w->ref, CQ_ATOM_NONE);
  uint32_t at = cq_fields_resolve(form, nodeset, CQ_NONE);
  if (at == CQ_NONE) return CQ_OK; /* phones pass over a bind to nowhere too */
  cq_field *field = &form->fields[at];
  cq_field_definition *d = &form->definitions[at];
  d->bind = bind;
  cq_str type = cq_attribute(bind, w->type, CQ_ATOM_NONE);
  if (type.size > 0) field->type = type_of(type);
  cq_status status = conditions(form, bind, at, error);
  if (status == CQ_OK) status = messages(form, bind, at, error);
  cq_str preload = cq_attribute(bind, w->preload, w->javarosa);
  if (preload.size > 0) {
    d->preload = preload;
    d->preload_params = cq_attribute(bind, w->preload_params, w->javarosa);
  }
  cq_str save_to = cq_attribute(bind, w->saveto, w->entities);
  if (save_to.size > 0) field->save_to = save_to;
  cq_str missing = cq_str_trim(cq_attribute(bind, w->missing, w->chasqui));
  if (missing.size > 0) field->missing = missing;
  cq_str privacy = cq_attribute(bind, w->privacy, w->chasqui);
  if (privacy.size > 0) field->privacy = privacy_of(privacy);
  field->is_calculated = d->calculate != NULL;
  field->has_required = d->required.expression != NULL && d->required.constant != CQ_CONSTANT_FALSE;
  return status;
}

/* A field with missing codes keeps the one that stands in its sibling "<name>_missing". */
static void pair_missing(cq_form *form) {
  for (uint32_t i = 0; i < form->field_count; i++) {
    cq_field *field = &form->fields[i];
    if (field->missing.size == 0 || form->definitions[i].parent == CQ_NONE) continue;
    cq_buf name = {0};
    cq_buf_add_str(&name, cq_names_text(form->names, form->definitions[i].local));
    cq_buf_add_text(&name, "_missing");
    cq_atom local = name.failed ? CQ_ATOM_FAILED : cq_names_find(form->names, cq_buf_str(&name));
    cq_buf_fini(&name);
    uint32_t sibling =
        local == CQ_ATOM_FAILED ? CQ_NONE : cq_fields_child(form, form->definitions[i].parent, local, 0, false);
    if (sibling == CQ_NONE) {
      field->missing = (cq_str){NULL, 0};
      continue;
    }
    field->missing_at = sibling;
    form->fields[sibling].is_missing = true;
    form->fields[sibling].missing_of = i;
  }
}

cq_status cq_binds_load(cq_form *form, const cq_node *model, cq_error *error) {
  for (const cq_node *n = model->first; n != NULL; n = n->next)
    if (cq_is_xforms(form, n, form->words.bind)) {
      cq_status status = load_bind(form, n, error);
      if (status != CQ_OK) return status;
    }
  pair_missing(form);
  return CQ_OK;
}

uint32_t cq_fields_of_bind(const cq_form *form, cq_str id) {
  for (uint32_t i = 0; id.size > 0 && i < form->field_count; i++)
    if (form->definitions[i].bind != NULL &&
        cq_str_equal(cq_attribute(form->definitions[i].bind, form->words.id, CQ_ATOM_NONE), id))
      return i;
  return CQ_NONE;
}
