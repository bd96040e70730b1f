/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translations, and texts that people read: a label may be an element with
 * outputs in it, the id of a translation, or an expression that gives either.
 */
#include "forms/xform/definition.h"

#include <stdlib.h>
#include <string.h>

static cq_itext_entry *place(const cq_form *form, cq_atom id) {
  size_t mask = form->itext_capacity - 1;
  size_t i = (id * 0x9E3779B1U) & mask;
  while (form->itexts[i].texts != NULL && form->itexts[i].id != id) i = (i + 1) & mask;
  return &form->itexts[i];
}

static bool grow(cq_form *form) {
  if (form->itext_capacity != 0 && form->itext_count * 2 < form->itext_capacity) return true;
  cq_itext_entry *old = form->itexts;
  size_t old_capacity = form->itext_capacity;
  size_t capacity = old_capacity == 0 ? 256 : old_capacity * 2;
  cq_itext_entry *table = calloc(capacity, sizeof *table);
  if (table == NULL) return false;
  form->itexts = table;
  form->itext_capacity = capacity;
  for (size_t i = 0; i < old_capacity; i++)
    if (old[i].texts != NULL) *place(form, old[i].id) = old[i];
  free(old);
  return true;
}

const cq_node *cq_itext_find(const cq_form *form, cq_atom id, size_t language) {
  if (form->itext_capacity == 0 || language >= form->language_count) return NULL;
  const cq_itext_entry *entry = place(form, id);
  return entry->texts == NULL ? NULL : entry->texts[language];
}

cq_status cq_text_outputs(cq_form *form, const cq_node *element, cq_error *error) {
  for (const cq_node *n = cq_node_after(element, element); n != NULL; n = cq_node_after(n, element)) {
    if (!cq_is_xforms(form, n, form->words.output) || n->user != NULL) continue;
    cq_str value = cq_attribute(n, form->words.value, CQ_ATOM_NONE);
    if (value.size == 0) value = cq_attribute(n, form->words.ref, CQ_ATOM_NONE);
    if (value.size == 0) continue;
    const cq_xpath *expression;
    cq_status status = cq_expression_compile(form, value, &expression, error);
    if (status != CQ_OK) return status;
    ((cq_node *)n)->user = (void *)(uintptr_t)expression;
  }
  return CQ_OK;
}

static cq_status load_text(cq_form *form, const cq_node *text, size_t language, cq_error *error) {
  cq_str id = cq_attribute(text, form->words.id, CQ_ATOM_NONE);
  if (id.size == 0) return cq_error_set(error, CQ_INVALID, "forms.itext.id", NULL);
  cq_atom atom = cq_names_intern(form->names, id);
  if (atom == CQ_ATOM_FAILED || !grow(form)) return cq_error_nomem(error);
  cq_itext_entry *entry = place(form, atom);
  if (entry->texts == NULL) {
    if ((form->itext_count + 1) * form->language_count > CQ_FORM_MAX_TEXTS)
      return cq_error_set(error, CQ_LIMIT, "forms.limit.texts", NULL);
    entry->texts = cq_arena_array(form->arena, form->language_count, sizeof *entry->texts);
    if (entry->texts == NULL) return cq_error_nomem(error);
    entry->id = atom;
    form->itext_count++;
  }
  if (entry->texts[language] != NULL) return CQ_OK; /* the first one counts */
  entry->texts[language] = text;
  return cq_text_outputs(form, text, error);
}

static cq_status load_language(cq_form *form, const cq_node *translation, size_t language, cq_error *error) {
  form->languages[language] = cq_attribute(translation, form->words.lang, CQ_ATOM_NONE);
  if (form->languages[language].size == 0) return cq_error_set(error, CQ_INVALID, "forms.itext.language", NULL);
  for (size_t i = 0; i < language; i++)
    if (cq_str_equal(form->languages[i], form->languages[language]))
      return cq_error_set(error, CQ_INVALID, "forms.itext.language", NULL);
  const cq_node *is_default = cq_node_attribute(translation, form->words.def, CQ_ATOM_NONE);
  if (is_default != NULL && !cq_str_is(cq_node_text(is_default), "false()")) form->default_language = language;
  for (const cq_node *text = translation->first; text != NULL; text = text->next)
    if (cq_is_xforms(form, text, form->words.text)) {
      cq_status status = load_text(form, text, language, error);
      if (status != CQ_OK) return status;
    }
  return CQ_OK;
}

cq_status cq_itext_load(cq_form *form, const cq_node *itext, cq_error *error) {
  size_t count = 0;
  for (const cq_node *n = itext->first; n != NULL; n = n->next) count += cq_is_xforms(form, n, form->words.translation);
  if (form->language_count != 0 || count == 0) return cq_error_set(error, CQ_INVALID, "forms.itext.none", NULL);
  if (count > CQ_FORM_MAX_LANGUAGES) return cq_error_set(error, CQ_LIMIT, "forms.limit.languages", NULL);
  form->languages = cq_arena_array(form->arena, count, sizeof *form->languages);
  if (form->languages == NULL) return cq_error_nomem(error);
  form->language_count = count;
  size_t language = 0;
  for (const cq_node *n = itext->first; n != NULL; n = n->next)
    if (cq_is_xforms(form, n, form->words.translation)) {
      cq_status status = load_language(form, n, language++, error);
      if (status != CQ_OK) return status;
    }
  return CQ_OK;
}

/* --- texts --- */

bool cq_text_is_empty(const cq_text *text) {
  return text->element == NULL && text->itext == CQ_ATOM_NONE && text->itext_id == NULL && text->expression == NULL &&
         text->literal.size == 0;
}

/* "jr:itext('id')" or "jr:itext(expression)": false where it is neither. */
static bool itext_call(cq_str value, cq_str *argument) {
  static const char call[] = "jr:itext(";
  value = cq_str_trim(value);
  if (!cq_str_starts(value, CQ_STR(call)) || value.at[value.size - 1] != ')') return false;
  *argument = cq_str_trim((cq_str){value.at + sizeof call - 1, value.size - sizeof call});
  return true;
}

static bool literal(cq_str text, cq_str *inside) {
  if (text.size < 2 || (text.at[0] != '\'' && text.at[0] != '"') || text.at[text.size - 1] != text.at[0] ||
      memchr(text.at + 1, text.at[0], text.size - 2) != NULL)
    return false;
  *inside = (cq_str){text.at + 1, text.size - 2};
  return true;
}

static cq_status text_of_call(cq_form *form, cq_str argument, cq_text *text, cq_error *error) {
  cq_str id;
  if (!literal(argument, &id)) return cq_expression_compile(form, argument, &text->itext_id, error);
  text->itext = cq_names_intern(form->names, id);
  return text->itext == CQ_ATOM_FAILED ? cq_error_nomem(error) : CQ_OK;
}

cq_status cq_text_of_value(cq_form *form, cq_str value, cq_text *text, cq_error *error) {
  *text = (cq_text){0};
  cq_str argument;
  if (itext_call(value, &argument)) return text_of_call(form, argument, text, error);
  text->literal = value;
  return CQ_OK;
}

cq_status cq_text_of_element(cq_form *form, const cq_node *element, cq_text *text, cq_error *error) {
  *text = (cq_text){0};
  cq_str ref = cq_attribute(element, form->words.ref, CQ_ATOM_NONE), argument;
  if (itext_call(ref, &argument)) return text_of_call(form, argument, text, error);
  if (cq_str_trim(ref).size > 0) return cq_expression_compile(form, ref, &text->expression, error);
  if (cq_node_is_leaf(element)) {
    text->literal = cq_node_text(element);
    return CQ_OK;
  }
  text->element = element;
  return cq_text_outputs(form, element, error);
}
