/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler adds of itself: loops unrolled, and our column `missing`. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"

#include <string.h>

/* --- loops --- */

/* "%(name)s" and "%(label)s" in a text become the choice's; `language`: of a translated text. */
static cq_str substitute(cq_form_draft *form, cq_str text, const cq_list_item *choice, cq_str language) {
  if (text.size == 0 || !memchr(text.at, '%', text.size)) return text;
  cq_str label = choice->label.count ? choice->label.at[0].text : (cq_str){"", 0};
  for (size_t i = 0; i < choice->label.count; i++) {
    if (cq_str_equal(choice->label.at[i].language, language)) label = choice->label.at[i].text;
  }
  cq_buf out = {0};
  for (size_t at = 0; at < text.size;) {
    cq_str rest = {text.at + at, text.size - at};
    if (cq_str_starts(rest, CQ_STR("%(name)s"))) {
      cq_buf_add_str(&out, choice->name);
      at += 8;
    } else if (cq_str_starts(rest, CQ_STR("%(label)s"))) {
      cq_buf_add_str(&out, label);
      at += 9;
    } else {
      cq_buf_add_char(&out, text.at[at++]);
    }
  }
  cq_str kept = cq_draft_copy(form, cq_buf_str(&out));
  cq_buf_fini(&out);
  return kept;
}

static void substitute_phrases(cq_form_draft *form, cq_phrases *phrases, const cq_list_item *choice) {
  cq_phrase *at = cq_draft_alloc(form, (phrases->count + 1) * sizeof *at);
  if (!at) return;
  for (size_t i = 0; i < phrases->count; i++) {
    at[i] = phrases->at[i];
    at[i].text = substitute(form, at[i].text, choice, at[i].language);
  }
  phrases->at = at;
}

static void copy_attrs(cq_form_draft *form, cq_attrs *attrs, const cq_list_item *choice) {
  const cq_attr *from = attrs->first;
  *attrs = (cq_attrs){0};
  for (; from; from = from->next) {
    cq_draft_attr(form, attrs, from->name,
                  choice ? substitute(form, from->value, choice, (cq_str){"", 0}) : from->value, from->column);
  }
}

/* A copy of the element and all within; only the loop's own children take the choice's words. */
static void clone_into(cq_form_draft *form, cq_element *parent, const cq_element *from, const cq_list_item *choice) {
  cq_element *e = cq_draft_alloc(form, sizeof *e);
  if (!e) return;
  *e = *from;
  e->parent = parent;
  e->depth = parent->depth + 1;
  e->first = e->last = e->next = NULL;
  copy_attrs(form, &e->bind, choice);
  copy_attrs(form, &e->control, choice);
  if (choice) {
    cq_phrases *texts[] = {&e->label, &e->hint, &e->guidance, &e->constraint_message, &e->required_message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) substitute_phrases(form, texts[i], choice);
    e->name = substitute(form, e->name, choice, (cq_str){"", 0});
    e->default_value = substitute(form, e->default_value, choice, (cq_str){"", 0});
  }
  if (parent->last)
    parent->last->next = e;
  else
    parent->first = e;
  parent->last = e;
  for (const cq_element *child = from->first; child; child = child->next) clone_into(form, e, child, NULL);
}

void cq_unroll_loop(cq_form_draft *form, cq_element *loop) {
  const cq_element *body = loop->first;
  if (!loop->list) return;
  loop->first = loop->last = NULL;
  for (const cq_list_item *choice = loop->list->first; choice; choice = choice->next) {
    if (!cq_name_valid(choice->name)) {
      cq_fault_error(form, "xlsform.name.characters", (cq_place){"choices", choice->row, 0, {"", 0}}, choice->name);
      continue;
    }
    cq_element *group = cq_element_add(form, loop, CQ_ELEMENT_GROUP, choice->name, loop->row);
    if (!group) return;
    group->label = choice->label;
    for (const cq_element *child = body; child; child = child->next) clone_into(form, group, child, choice);
  }
  loop->list = NULL;
}

/* --- missing --- */

/* The codes every form knows; a choice list named `missing` gives others, or other words. */
static const struct {
  const char *code, *spanish, *english;
} known[] = {{"ns", "No sabe", "Does not know"},
             {"nr", "No responde", "Does not answer"},
             {"na", "No aplica", "Does not apply"}};

static bool next_word(cq_str text, size_t *at, cq_str *word) {
  while (*at < text.size && (text.at[*at] == ' ' || text.at[*at] == ',')) ++*at;
  size_t from = *at;
  while (*at < text.size && text.at[*at] != ' ' && text.at[*at] != ',') ++*at;
  *word = (cq_str){text.at + from, *at - from};
  return word->size > 0;
}

static bool code_known(const cq_form_draft *form, cq_str code) {
  const cq_list *list = cq_list_named(form, CQ_STR("missing"));
  for (const cq_list_item *choice = list ? list->first : NULL; choice; choice = choice->next) {
    if (cq_str_equal(choice->name, code)) return true;
  }
  for (size_t i = 0; !list && i < sizeof known / sizeof *known; i++) {
    if (cq_str_is(code, known[i].code)) return true;
  }
  return false;
}

static bool english(cq_str language) {
  return cq_str_starts(language, CQ_STR("English")) || cq_str_is(language, "en") || strstr(language.at, "(en)");
}

/* "Sin respuesta: <label>" in each language of the question. */
static void label_missing(cq_form_draft *form, const cq_element *q, cq_element *e) {
  for (size_t i = 0; i < q->label.count; i++) {
    const cq_phrase *p = &q->label.at[i];
    cq_str text = cq_draft_format(form, english(p->language) ? "No answer: %.*s" : "Sin respuesta: %.*s",
                                  (int)p->text.size, p->text.at);
    cq_phrase_add(form, &e->label, p->language, text, 0);
  }
  if (e->label.count == 0) cq_phrase_add(form, &e->label, (cq_str){"", 0}, CQ_STR("Sin respuesta"), 0);
}

void cq_add_missing(cq_form_draft *form, cq_element *q) {
  cq_place place = cq_survey_place(form, q->row, q->missing_column);
  if (!cq_question_visible(q) || q->kind != CQ_ELEMENT_QUESTION || q->type->kind == CQ_KIND_NOTE) {
    cq_fault_error(form, "xlsform.missing.question", place, q->name);
    return;
  }
  cq_buf codes = {0};
  cq_str word;
  for (size_t at = 0; next_word(q->missing, &at, &word);) {
    if (!code_known(form, word))
      cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.missing.code", place, word, "ns nr na", (cq_str){"", 0});
    if (memchr(word.at, '\'', word.size)) continue; /* an unknown code, said already */
    if (codes.size) cq_buf_add_char(&codes, ' ');
    cq_buf_add_str(&codes, word);
  }
  cq_str name = cq_draft_format(form, "%.*s_missing", (int)q->name.size, q->name.at);
  cq_element *e = cq_element_add(form, q->parent, CQ_ELEMENT_QUESTION, name, q->row);
  if (e) {
    e->type = cq_type_of(CQ_STR("select one"));
    e->type_text = CQ_STR("select_one cq_missing");
    e->list_name = CQ_STR("cq_missing");
    e->name_column = q->name_column;
    e->choice_filter = cq_draft_format(form, "selected('%.*s', name)", (int)codes.size, codes.at ? codes.at : "");
    cq_draft_attr(form, &e->control, CQ_STR("appearance"), CQ_STR("minimal"), 0);
    label_missing(form, q, e);
    const cq_attr *relevant = cq_attr_of(&q->bind, "relevant");
    cq_str blank = cq_draft_format(form, "${%.*s} = ''", (int)q->name.size, q->name.at);
    if (relevant)
      blank = cq_draft_format(form, "(%.*s) and %.*s", (int)relevant->value.size, relevant->value.at, (int)blank.size,
                              blank.at);
    cq_draft_attr(form, &e->bind, CQ_STR("relevant"), blank, relevant ? relevant->column : 0);
    /* one of the two must be given; asking it of the question itself would close a circle */
    cq_attr *required = cq_attr_of(&q->bind, "required");
    if (required) {
      cq_draft_attr(form, &e->bind, CQ_STR("required"), required->value, required->column);
      required->value = CQ_STR("false()");
    }
    /* the codes; the sibling that keeps one is found by its name */
    cq_draft_attr(form, &q->bind, CQ_STR("cq:missing"),
                  cq_draft_format(form, "%.*s", (int)codes.size, codes.at ? codes.at : ""), 0);
    form->missing_used = true;
  }
  cq_buf_fini(&codes);
}

void cq_add_missing_list(cq_form_draft *form) {
  cq_list *list = cq_list_named(form, CQ_STR("missing"));
  if (list) list->used = true;
  cq_list *made = cq_draft_alloc(form, sizeof *made);
  if (!made) return;
  if (list) *made = *list;
  made->name = CQ_STR("cq_missing");
  made->used = true;
  made->next = NULL;
  cq_str languages[64];
  size_t count = 0;
  for (cq_element *at = form->root; at; at = cq_element_next(form->root, at)) {
    if (cq_str_is(at->list_name, "cq_missing")) at->list = made;
    for (size_t i = 0; at->label.translated && i < at->label.count; i++) {
      size_t j = 0;
      while (j < count && !cq_str_equal(languages[j], at->label.at[i].language)) j++;
      if (j == count && count < 64) languages[count++] = at->label.at[i].language;
    }
  }
  for (size_t i = 0; !list && i < sizeof known / sizeof *known; i++) {
    cq_list_item *choice = cq_draft_alloc(form, sizeof *choice);
    if (!choice) return;
    choice->name = cq_str_from(known[i].code);
    for (size_t j = 0; j < count; j++) {
      cq_phrase_add(form, &choice->label, languages[j],
                    cq_str_from(english(languages[j]) ? known[i].english : known[i].spanish), 0);
    }
    if (count == 0) cq_phrase_add(form, &choice->label, (cq_str){"", 0}, cq_str_from(known[i].spanish), 0);
    if (made->last)
      made->last->next = choice;
    else
      made->first = choice;
    made->last = choice;
    made->count++;
  }
  if (!list) made->itext = count > 0;
  cq_list **slot = &form->list_slots[cq_name_hash(made->name) % CQ_SLOTS];
  made->next_in_slot = *slot;
  *slot = made;
  if (form->last_list)
    form->last_list->next = made;
  else
    form->lists = made;
  form->last_list = made;
}
