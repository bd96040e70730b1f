/* SPDX-License-Identifier: Apache-2.0 */
/* The body: groups, repeats and controls. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"
#include "forms/xlsform/write.h"

#include <string.h>

bool cq_question_visible(const cq_element *q) {
  if (!q->type->tag || q->type->kind == CQ_KIND_CALCULATE) return false;
  bool said = q->label.count || q->hint.count;
  return said || (!cq_attr_of(&q->bind, "calculate") && !q->trigger_text.size);
}

static void write_label(cq_writer *w, const cq_element *e) {
  bool mixed = w->xml.mixed;
  cq_xml_start_text(&w->xml, "label");
  if (cq_label_itext(e)) {
    cq_arena_mark mark = cq_arena_save(w->form->arena);
    cq_xml_attr(&w->xml, "ref", cq_draft_format(w->form, "jr:itext('%.*s:label')", (int)e->path.size, e->path.at));
    cq_arena_rewind(w->form->arena, mark);
  } else if (e->label.count) {
    cq_write_phrase(w, e->label.at[0].text, e);
  }
  cq_xml_end_text(&w->xml, "label");
  w->xml.mixed = mixed;
}

static void write_hint(cq_writer *w, const cq_element *e) {
  cq_str hint = e->hint.count ? e->hint.at[0].text : cq_str_from(e->type->hint);
  if (!hint.size && !e->guidance.count) return;
  bool mixed = w->xml.mixed;
  cq_xml_start_text(&w->xml, "hint");
  if (cq_hint_itext(e)) {
    cq_arena_mark mark = cq_arena_save(w->form->arena);
    cq_xml_attr(&w->xml, "ref", cq_draft_format(w->form, "jr:itext('%.*s:hint')", (int)e->path.size, e->path.at));
    cq_arena_rewind(w->form->arena, mark);
  } else {
    cq_write_phrase(w, hint, e);
  }
  cq_xml_end_text(&w->xml, "hint");
  w->xml.mixed = mixed;
}

static void write_control_attrs(cq_writer *w, const cq_element *e) {
  for (const cq_attr *at = e->control.first; at; at = at->next) {
    if (cq_str_is(at->name, "ref") || cq_str_is(at->name, "nodeset") || cq_str_is(at->name, "tag")) continue;
    if (cq_prefix_known(w->form, at->name)) cq_xml_attr_named(&w->xml, at->name, cq_writer_resolve(w, at->value, e, 0));
  }
}

/* --- choices --- */

/* Every `from` in the text becomes `to`. */
static cq_str replaced(cq_form_draft *form, cq_str text, cq_str from, const char *to) {
  cq_buf out = {0};
  for (size_t at = 0; at < text.size;) {
    if (from.size && cq_str_starts((cq_str){text.at + at, text.size - at}, from)) {
      cq_buf_add_text(&out, to);
      at += from.size;
    } else {
      cq_buf_add_char(&out, text.at[at++]);
    }
  }
  cq_str kept = cq_draft_copy(form, cq_buf_str(&out));
  cq_buf_fini(&out);
  return kept;
}

typedef struct itemset {
  cq_str nodeset, value, label;
} itemset;

/* select_one ${name}: the choices are earlier answers, one for each instance of their repeat. */
static void earlier_answers(cq_writer *w, const cq_element *q, itemset *set) {
  cq_form_draft *form = w->form;
  cq_str path = cq_str_trim(cq_draft_copy(form, cq_writer_resolve(w, q->list_name, q, CQ_REFERENCE_PARENT)));
  size_t slash = path.size;
  cq_reference r;
  const cq_element *target = cq_reference_next(q->list_name, 0, &r) ? cq_element_named(form, r.name) : NULL;
  if (target && target->kind == CQ_ELEMENT_REPEAT) { /* reference-geometry: its instances, by their node `geometry` */
    set->value = set->label = CQ_STR("geometry");
    set->nodeset = path;
  } else {
    while (slash > 0 && path.at[slash - 1] != '/') slash--;
    set->value = set->label = (cq_str){path.at + slash, path.size - slash};
    set->nodeset = (cq_str){path.at, slash ? slash - 1 : 0};
  }
  cq_str filter = {"", 0};
  if (q->choice_filter.size) {
    unsigned how = CQ_REFERENCE_CURRENT | CQ_REFERENCE_PARENT;
    filter = cq_draft_copy(form, cq_writer_resolve(w, q->choice_filter, q, how));
    cq_str current = cq_draft_format(form, "current()/%.*s", (int)set->nodeset.size, set->nodeset.at);
    filter = replaced(form, replaced(form, filter, current, "."), set->nodeset, ".");
  } else {
    filter = cq_draft_format(form, "./%.*s != ''", (int)set->value.size, set->value.at);
  }
  set->nodeset =
      cq_draft_format(form, "%.*s[%.*s]", (int)set->nodeset.size, set->nodeset.at, (int)filter.size, filter.at);
}

static itemset itemset_of(cq_writer *w, const cq_element *q) {
  cq_form_draft *form = w->form;
  const char *extension = cq_file_extension(q->list_name);
  bool geojson = extension && strcmp(extension, "geojson") == 0;
  itemset set = {.value = geojson ? CQ_STR("id") : CQ_STR("name"),
                 .label = geojson ? CQ_STR("title") : CQ_STR("label")};
  if (q->file_value.size) set.value = q->file_value;
  if (q->file_label.size) set.label = q->file_label;
  if (cq_reference_any(q->list_name)) {
    earlier_answers(w, q, &set);
    return set;
  }
  cq_str id = q->list_name;
  if (extension)
    id.size -= strlen(extension) + 1;
  else if (q->list && q->list->itext)
    set.label = CQ_STR("jr:itext(itextId)");
  set.nodeset = cq_draft_format(form, "instance('%.*s')/root/item", (int)id.size, id.at);
  if (q->choice_filter.size) {
    cq_str filter = cq_writer_resolve(w, q->choice_filter, q, CQ_REFERENCE_CURRENT);
    set.nodeset =
        cq_draft_format(form, "%.*s[%.*s]", (int)set.nodeset.size, set.nodeset.at, (int)filter.size, filter.at);
  }
  return set;
}

static void write_itemset(cq_writer *w, const cq_element *q) {
  cq_form_draft *form = w->form;
  itemset set = itemset_of(w, q);
  if (q->randomize) {
    cq_str seed = q->seed.size ? cq_str_trim(cq_writer_resolve(w, q->seed, q, 0)) : (cq_str){"", 0};
    set.nodeset = cq_draft_format(form, "randomize(%.*s%s%.*s)", (int)set.nodeset.size, set.nodeset.at,
                                  seed.size ? ", " : "", (int)seed.size, seed.at);
  }
  cq_xml_start_text(&w->xml, "itemset");
  cq_xml_attr(&w->xml, "nodeset", set.nodeset);
  cq_xml_start_text(&w->xml, "value");
  cq_xml_attr(&w->xml, "ref", set.value);
  cq_xml_end_text(&w->xml, "value");
  cq_xml_start_text(&w->xml, "label");
  cq_xml_attr(&w->xml, "ref", set.label);
  cq_xml_end_text(&w->xml, "label");
  cq_xml_end_text(&w->xml, "itemset");
}

/* search(): the phone replaces the items that stand in the body. */
static void write_items(cq_writer *w, const cq_element *q) {
  const cq_list *list = q->list;
  size_t index = 0;
  for (const cq_list_item *choice = list->first; choice; choice = choice->next, index++) {
    bool mixed = w->xml.mixed;
    cq_xml_start_text(&w->xml, "item");
    cq_xml_start_text(&w->xml, "label");
    if (list->itext) {
      cq_xml_attr(&w->xml, "ref",
                  cq_draft_format(w->form, "jr:itext('%.*s-%zu')", (int)list->name.size, list->name.at, index));
    } else if (choice->label.count) {
      cq_write_phrase(w, choice->label.at[0].text, NULL);
    }
    cq_xml_end_text(&w->xml, "label");
    w->xml.mixed = mixed;
    cq_xml_leaf(&w->xml, CQ_STR("value"), choice->name);
    cq_xml_end_text(&w->xml, "item");
  }
}

static void write_query(cq_writer *w, const cq_element *q) {
  cq_str query = cq_draft_format(w->form, "instance('%.*s')/root/item", (int)q->list_name.size, q->list_name.at);
  if (q->choice_filter.size) {
    cq_str filter = cq_writer_resolve(w, q->choice_filter, q, CQ_REFERENCE_CURRENT);
    query = cq_draft_format(w->form, "%.*s[%.*s]", (int)query.size, query.at, (int)filter.size, filter.at);
  }
  cq_xml_attr(&w->xml, "query", query);
}

static void write_tags(cq_writer *w, const cq_element *q) {
  for (const cq_list *list = w->form->osm_lists; list; list = list->next) {
    if (!cq_str_equal(list->name, q->list_name)) continue;
    for (const cq_list_item *tag = list->first; tag; tag = tag->next) {
      bool mixed = w->xml.mixed;
      cq_xml_start_text(&w->xml, "tag");
      cq_xml_attr(&w->xml, "key", tag->name);
      cq_xml_start_text(&w->xml, "label");
      if (tag->label.count) cq_write_phrase(w, cq_phrases_text(w->form, &tag->label, NULL), NULL);
      cq_xml_end_text(&w->xml, "label");
      w->xml.mixed = mixed;
      cq_xml_end_text(&w->xml, "tag");
    }
  }
}

/* --- controls --- */

static void write_triggers(cq_writer *w, const cq_element *q) {
  for (const cq_trigger *t = q->triggers; t; t = t->next) {
    const char *name = t->geopoint ? "odk:setgeopoint" : "setvalue";
    cq_xml_start_text(&w->xml, name);
    cq_xml_attr(&w->xml, "ref", t->target->path);
    cq_xml_attr(&w->xml, "event", CQ_STR("xforms-value-changed"));
    const cq_attr *calculation = cq_attr_of(&t->target->bind, "calculate");
    if (calculation && !t->geopoint) cq_xml_attr(&w->xml, "value", cq_writer_resolve(w, calculation->value, q, 0));
    cq_xml_end_text(&w->xml, name);
  }
}

static void write_question(cq_writer *w, const cq_element *q) {
  if (!cq_question_visible(q)) return;
  const cq_word_type *type = q->type;
  cq_xml_start_text(&w->xml, type->tag);
  if (type->mediatype && !cq_attr_of(&q->control, "mediatype"))
    cq_xml_attr(&w->xml, "mediatype", cq_str_from(type->mediatype));
  write_control_attrs(w, q);
  cq_xml_attr(&w->xml, "ref", q->path);
  if (type->kind == CQ_KIND_SELECT_EXTERNAL && q->choice_filter.size) write_query(w, q);
  write_label(w, q);
  write_hint(w, q);
  if (type->kind == CQ_KIND_SELECT || type->kind == CQ_KIND_RANK || q->list_in_itemset) {
    if (q->list && q->list->by_search)
      write_items(w, q);
    else
      write_itemset(w, q);
  }
  if (type->kind == CQ_KIND_OSM) write_tags(w, q);
  write_triggers(w, q);
  cq_xml_end_text(&w->xml, type->tag);
}

static void write_controls(cq_writer *w, const cq_element *parent);

static void write_group(cq_writer *w, const cq_element *g) {
  cq_xml_start_text(&w->xml, "group");
  write_control_attrs(w, g);
  if (!w->form->settings.flat) cq_xml_attr(&w->xml, "ref", g->path);
  if (g->label.count) write_label(w, g);
  write_controls(w, g);
  cq_xml_end_text(&w->xml, "group");
}

/* Dynamic defaults of a repeat's own questions are set again in each new instance. */
static void write_new_repeat(cq_writer *w, const cq_element *repeat) {
  for (const cq_element *e = repeat->first; e;) {
    for (const cq_action *action = e->actions; action; action = action->next) {
      if (strcmp(action->event, "odk-new-repeat") == 0) cq_write_action(w, e, action);
    }
    if (e->first && e->kind != CQ_ELEMENT_REPEAT) {
      e = e->first;
      continue;
    }
    while (e != repeat && !e->next) e = e->parent;
    e = e == repeat ? NULL : e->next;
  }
}

static void write_repeat(cq_writer *w, const cq_element *r) {
  cq_xml_start_text(&w->xml, "group");
  cq_xml_attr(&w->xml, "ref", r->path);
  write_label(w, r);
  cq_xml_start_text(&w->xml, "repeat");
  cq_xml_attr(&w->xml, "nodeset", r->path);
  write_control_attrs(w, r);
  write_controls(w, r);
  write_new_repeat(w, r);
  cq_xml_end_text(&w->xml, "repeat");
  cq_xml_end_text(&w->xml, "group");
}

static void write_controls(cq_writer *w, const cq_element *parent) {
  for (const cq_element *e = parent->first; e; e = e->next) {
    if (e->kind == CQ_ELEMENT_GROUP)
      write_group(w, e);
    else if (e->kind == CQ_ELEMENT_REPEAT)
      write_repeat(w, e);
    else if (e->kind == CQ_ELEMENT_QUESTION)
      write_question(w, e);
  }
}

void cq_write_body(cq_writer *w) {
  cq_xml_start_text(&w->xml, "h:body");
  if (w->form->settings.style.size) cq_xml_attr(&w->xml, "class", w->form->settings.style);
  write_controls(w, w->form->root);
  cq_xml_end_text(&w->xml, "h:body");
}
