/* SPDX-License-Identifier: Apache-2.0 */
/* Translations: every text in every language of the form, "-" where one is not given. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/write.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 2 + CQ_MEDIA_COUNT };

typedef struct part {
  const char *form; /* attribute form; NULL: the text itself */
  const cq_phrases *phrases;
} part;

/* One <text>: its id and what it holds. */
typedef struct entry {
  cq_str id;
  const cq_element *context; /* NULL: a choice, seen from nowhere */
  part parts[MAX_PARTS];
  int count;
} entry;

typedef struct visit {
  cq_writer *w;
  cq_str language; /* being written; "" while languages are gathered */
} visit;

bool cq_label_itext(const cq_element *e) {
  for (int i = 0; i < CQ_MEDIA_COUNT; i++) {
    if (e->media[i].count) return true;
  }
  return e->label.translated;
}

bool cq_hint_itext(const cq_element *e) {
  return e->hint.translated || e->guidance.count > 0;
}

bool cq_message_itext(const cq_phrases *message) {
  if (message->translated) return true;
  return message->count > 0 && cq_reference_any(message->at[0].text);
}

static cq_str language_of(const cq_form_draft *form, const cq_phrase *phrase) {
  return phrase->language.size ? phrase->language : form->settings.default_language;
}

static void gather(cq_form_draft *form, const entry *e) {
  for (int p = 0; p < e->count; p++) {
    for (size_t i = 0; i < e->parts[p].phrases->count; i++) {
      cq_str language = language_of(form, &e->parts[p].phrases->at[i]);
      size_t at = 0;
      while (at < form->language_count && !cq_str_equal(form->languages[at], language)) at++;
      if (at == form->language_count && at < sizeof form->languages / sizeof *form->languages) {
        form->languages[form->language_count++] = language;
      }
    }
  }
}

static void write_part(cq_writer *w, const entry *e, const part *p, cq_str language) {
  cq_str text = CQ_STR("-");
  for (size_t i = 0; i < p->phrases->count; i++) {
    if (cq_str_equal(language_of(w->form, &p->phrases->at[i]), language)) text = p->phrases->at[i].text;
  }
  bool media = p->form && strcmp(p->form, "guidance") != 0;
  if (media && cq_str_is(text, "-")) return;
  bool mixed = w->xml.mixed;
  cq_xml_start_text(&w->xml, "value");
  if (p->form) cq_xml_attr(&w->xml, "form", cq_str_from(p->form));
  if (media) {
    const char *folder = strstr(p->form, "image") ? "images" : p->form;
    cq_str scheme = cq_draft_format(w->form, "jr://%s/", folder);
    cq_xml_text(&w->xml, scheme);
  }
  cq_write_phrase(w, text, e->context);
  cq_xml_end_text(&w->xml, "value");
  w->xml.mixed = mixed;
}

static void visit_entry(visit *v, const entry *e) {
  if (e->count == 0) return;
  if (v->language.size == 0) {
    gather(v->w->form, e);
    return;
  }
  cq_xml *xml = &v->w->xml;
  cq_xml_start_text(xml, "text");
  cq_xml_attr(xml, "id", e->id);
  for (int p = 0; p < e->count; p++) write_part(v->w, e, &e->parts[p], v->language);
  cq_xml_end_text(xml, "text");
}

static void add_part(entry *e, const char *form, const cq_phrases *phrases) {
  if (phrases->count && e->count < MAX_PARTS) e->parts[e->count++] = (part){form, phrases};
}

static void visit_choices(visit *v) {
  cq_form_draft *form = v->w->form;
  for (const cq_list *list = form->lists; list; list = list->next) {
    if (!list->itext) continue;
    size_t index = 0;
    for (const cq_list_item *choice = list->first; choice; choice = choice->next, index++) {
      cq_arena_mark mark = cq_arena_save(form->arena);
      entry e = {.id = cq_draft_format(form, "%.*s-%zu", (int)list->name.size, list->name.at, index)};
      add_part(&e, NULL, &choice->label);
      for (int i = 0; i < CQ_MEDIA_COUNT; i++) add_part(&e, cq_media_names[i], &choice->media[i]);
      visit_entry(v, &e);
      cq_arena_rewind(form->arena, mark);
    }
  }
}

static void visit_text(visit *v, const cq_element *e, const char *what, const cq_phrases *first,
                       const char *second_form, const cq_phrases *second) {
  cq_form_draft *form = v->w->form;
  cq_arena_mark mark = cq_arena_save(form->arena);
  entry made = {.id = cq_draft_format(form, "%.*s:%s", (int)e->path.size, e->path.at, what), .context = e};
  add_part(&made, NULL, first);
  if (second) add_part(&made, second_form, second);
  if (strcmp(what, "label") == 0) {
    for (int i = 0; i < CQ_MEDIA_COUNT; i++) add_part(&made, cq_media_names[i], &e->media[i]);
  }
  visit_entry(v, &made);
  cq_arena_rewind(form->arena, mark);
}

static void visit_element(visit *v, const cq_element *e) {
  if (cq_message_itext(&e->constraint_message))
    visit_text(v, e, "jr:constraintMsg", &e->constraint_message, NULL, NULL);
  if (cq_message_itext(&e->required_message)) visit_text(v, e, "jr:requiredMsg", &e->required_message, NULL, NULL);
  if (e->no_app_message.translated) visit_text(v, e, "jr:noAppErrorString", &e->no_app_message, NULL, NULL);
  if (cq_label_itext(e)) visit_text(v, e, "label", &e->label, NULL, NULL);
  if (cq_hint_itext(e)) visit_text(v, e, "hint", &e->hint, "guidance", &e->guidance);
}

static void visit_all(visit *v) {
  cq_form_draft *form = v->w->form;
  visit_choices(v);
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) visit_element(v, e);
}

void cq_write_itext(cq_writer *w) {
  cq_form_draft *form = w->form;
  visit v = {.w = w, .language = {"", 0}};
  form->language_count = 0;
  visit_all(&v);
  if (form->language_count == 0) return;
  cq_xml_start_text(&w->xml, "itext");
  for (size_t i = 0; i < form->language_count; i++) {
    v.language = form->languages[i];
    cq_xml_start_text(&w->xml, "translation");
    cq_xml_attr(&w->xml, "lang", v.language);
    if (cq_str_equal(v.language, form->settings.default_language)) cq_xml_attr(&w->xml, "default", CQ_STR("true()"));
    visit_all(&v);
    cq_xml_end_text(&w->xml, "translation");
  }
  cq_xml_end_text(&w->xml, "itext");
}
