/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings: what compiles and hurts later. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"

#include <string.h>

enum { STATA_NAME = 32 };

static cq_place at_name(const cq_form_draft *form, const cq_element *e) {
  return cq_survey_place(form, e->row, e->name_column);
}

static bool is_question(const cq_element *e) {
  return e->kind == CQ_ELEMENT_QUESTION && e->row > 0 && e->parent && e->parent->kind != CQ_ELEMENT_ENTITY &&
         !cq_str_is(e->list_name, "cq_missing");
}

static void lint_question(cq_form_draft *form, const cq_element *e) {
  const cq_attr *constraint = cq_attr_of(&e->bind, "constraint");
  if (constraint && !e->constraint_message.count) {
    cq_fault_warning(form, "xlsform.constraint.nomessage", cq_survey_place(form, e->row, constraint->column), e->name);
  }
  if (e->name.size > STATA_NAME) {
    cq_fault_warning(form, "xlsform.name.long", at_name(form, e), e->name);
  }
}

/* --- translations --- */

static void gather(cq_str *languages, size_t *count, const cq_phrases *phrases) {
  for (size_t i = 0; phrases->translated && i < phrases->count; i++) {
    size_t j = 0;
    while (j < *count && !cq_str_equal(languages[j], phrases->at[i].language)) j++;
    if (j == *count && j < 64) languages[(*count)++] = phrases->at[i].language;
  }
}

static bool says(const cq_form_draft *form, const cq_phrases *phrases, cq_str language) {
  for (size_t i = 0; i < phrases->count; i++) {
    cq_str own = phrases->at[i].language.size ? phrases->at[i].language : form->settings.default_language;
    if (cq_str_equal(own, language)) return true;
  }
  return false;
}

typedef struct gap {
  cq_place place;
  cq_str name;
  size_t count;
} gap;

static void miss(gap *g, cq_place place, cq_str name) {
  if (g->count++ == 0) *g = (gap){place, name, 1};
}

/* One warning a language: the first label that lacks it, and how many do. */
static void lint_language(cq_form_draft *form, cq_str language) {
  bool asked = form->options->language && cq_str_is(language, form->options->language);
  gap g = {.count = 0};
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) {
    if (e->row == 0 || !e->label.count || says(form, &e->label, language)) continue;
    miss(&g, cq_survey_place(form, e->row, e->label.at[0].column), e->name);
  }
  for (const cq_list *list = form->lists; list; list = list->next) {
    for (const cq_list_item *choice = list->first; choice; choice = choice->next) {
      if (!choice->row || !choice->label.count || says(form, &choice->label, language)) continue;
      miss(&g, (cq_place){"choices", choice->row, choice->label.at[0].column, {"", 0}}, choice->name);
    }
  }
  if (g.count == 0) return;
  cq_str many = cq_draft_format(form, "%zu", g.count);
  cq_fault_between(form, asked ? CQ_XLSFORM_ERROR : CQ_XLSFORM_WARNING, "xlsform.translation.missing", g.place, many,
                   language.at, g.name);
}

static void lint_languages(cq_form_draft *form) {
  size_t count = 0;
  cq_str languages[64];
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) gather(languages, &count, &e->label);
  for (const cq_list *list = form->lists; list; list = list->next) {
    for (const cq_list_item *choice = list->first; choice; choice = choice->next)
      gather(languages, &count, &choice->label);
  }
  cq_str asked = cq_str_from(form->options->language);
  bool known = asked.size == 0;
  for (size_t i = 0; i < count; i++) known = known || cq_str_equal(languages[i], asked);
  if (!known) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.language.unknown", (cq_place){0}, asked, NULL,
             cq_nearest(asked, languages, count));
  }
  bool main = count == 0 || cq_str_is(form->settings.default_language, "default");
  for (size_t i = 0; i < count; i++) {
    main = main || cq_str_equal(languages[i], form->settings.default_language);
    lint_language(form, cq_draft_copy(form, languages[i]));
  }
  if (!main) {
    cq_fault(form, CQ_XLSFORM_WARNING, "xlsform.language.default",
             (cq_place){"settings", form->settings.row, 0, CQ_STR("default_language")}, form->settings.default_language,
             NULL, cq_nearest(form->settings.default_language, languages, count));
  }
}

/* --- lists --- */

/* Lists may also be named in an expression: instance('list'). */
static void mark_named(cq_form_draft *form, cq_str text) {
  static const char word[] = "instance(";
  if (text.size == 0) return;
  for (const char *at = strstr(text.at, word); at; at = strstr(at, word)) {
    at += sizeof word - 1;
    const char *close = *at == '\'' || *at == '"' ? strchr(at + 1, *at) : NULL;
    cq_list *list = close ? cq_list_named(form, (cq_str){at + 1, (size_t)(close - at) - 1}) : NULL;
    if (list) list->used = true;
  }
}

static void mark_lists(cq_form_draft *form, const cq_element *e) {
  for (const cq_attr *at = e->bind.first; at; at = at->next) mark_named(form, at->value);
  mark_named(form, e->default_value);
  mark_named(form, e->choice_filter);
  for (size_t i = 0; i < e->label.count; i++) mark_named(form, e->label.at[i].text);
  for (size_t i = 0; i < e->hint.count; i++) mark_named(form, e->hint.at[i].text);
}

static void lint_lists(cq_form_draft *form) {
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) mark_lists(form, e);
  for (const cq_list *list = form->lists; list; list = list->next) {
    if (list->used) continue;
    cq_fault_warning(form, "xlsform.list.unused", (cq_place){"choices", list->row, 0, {"", 0}}, list->name);
  }
}

/* --- persons --- */

/* Names of questions that tell who somebody is. */
static bool names_person(cq_str name) {
  static const char *const words[] = {"nombre",    "nombres",   "apellido", "apellidos", "ape",     "dni",
                                      "documento", "celular",   "telefono", "phone",     "surname", "firstname",
                                      "lastname",  "direccion", "email",    "correo",    "firma"};
  for (size_t at = 0; at < name.size;) {
    size_t end = at;
    while (end < name.size && name.at[end] != '_' && name.at[end] != '-' && name.at[end] != '.') end++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
      if (cq_str_is((cq_str){name.at + at, end - at}, words[i])) return true;
    }
    at = end + 1;
  }
  return false;
}

static bool direct(const cq_form_draft *form, const cq_element *e) {
  if (e->privacy.size) return cq_str_is(e->privacy, "direct");
  return !form->privacy_used && names_person(e->name);
}

static void lint_entity_label(cq_form_draft *form, const cq_element *label) {
  const cq_attr *calculate = cq_attr_of(&label->bind, "calculate");
  cq_reference r;
  for (size_t at = 0; calculate && cq_reference_next(calculate->value, at, &r); at = r.end) {
    const cq_element *e = cq_element_named(form, r.name);
    if (e && direct(form, e)) {
      cq_fault_warning(form, "xlsform.privacy.label",
                       (cq_place){"entities", label->row, calculate->column, CQ_STR("label")}, r.name);
    }
  }
}

static void lint_privacy(cq_form_draft *form, const cq_element *e) {
  static const char *const words[] = {"direct", "quasi", "sensitive", "free"};
  bool known = e->privacy.size == 0;
  for (size_t i = 0; i < 4; i++) known = known || cq_str_is(e->privacy, words[i]);
  if (!known) {
    cq_str names[] = {CQ_STR("direct"), CQ_STR("quasi"), CQ_STR("sensitive"), CQ_STR("free")};
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.privacy.word", cq_survey_place(form, e->row, e->privacy_column),
             e->privacy, "direct, quasi, sensitive, free", cq_nearest(e->privacy, names, 4));
  }
  if (e->save_to.size && direct(form, e)) {
    cq_fault_warning(form, "xlsform.privacy.property", cq_survey_place(form, e->row, e->save_to_column), e->name);
  }
}

/* In a form that names people each question says how much it tells of them. */
static void lint_persons(cq_form_draft *form) {
  bool persons = form->privacy_used;
  for (const cq_element *e = form->root; e && !persons; e = cq_element_next(form->root, e)) {
    persons = is_question(e) && e->type->tag && names_person(e->name);
  }
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) {
    if (e->parent && e->parent->kind == CQ_ELEMENT_ENTITY && cq_str_is(e->name, "label")) lint_entity_label(form, e);
    if (!is_question(e)) continue;
    lint_privacy(form, e);
    bool asked = e->type->tag && e->type->kind != CQ_KIND_NOTE && cq_question_visible(e);
    if (persons && asked && !e->privacy.size) cq_fault_warning(form, "xlsform.privacy.none", at_name(form, e), e->name);
  }
}

/* A calculation of what tells who somebody is tells it too, until its author says what is left of it. */
static void lint_calculation(cq_form_draft *form, const cq_element *e) {
  const cq_attr *calculate = cq_attr_of(&e->bind, "calculate");
  cq_reference r;
  for (size_t at = 0; calculate && cq_reference_next(calculate->value, at, &r); at = r.end) {
    const cq_element *read = cq_element_named(form, r.name);
    if (!read || !cq_str_is(read->privacy, "direct")) continue;
    cq_fault_between(form, CQ_XLSFORM_WARNING, "xlsform.privacy.calculated", at_name(form, e), e->name, NULL, r.name);
    return;
  }
}

void cq_lint(cq_form_draft *form) {
  size_t questions = 0;
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) {
    if (!is_question(e)) continue;
    lint_question(form, e);
    if (!e->privacy.size) lint_calculation(form, e);
    questions += e->type->tag != NULL;
  }
  if (questions == 0)
    cq_fault_warning(form, "xlsform.survey.nothing", (cq_place){"survey", 0, 0, {"", 0}}, (cq_str){0});
  lint_languages(form);
  lint_lists(form);
  lint_persons(form);
}
