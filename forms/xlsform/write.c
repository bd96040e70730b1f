/* SPDX-License-Identifier: Apache-2.0 */
/* The XForm: head, model, instances, binds. */
#include "forms/xlsform/write.h"
#include "chasqui/forms.h"
#include "forms/xlsform/references.h"
#include "forms/xlsform/survey.h"

#include <string.h>

static const struct {
  const char *prefix, *uri;
} spaces[] = {{"h", "http://www.w3.org/1999/xhtml"},       {"ev", "http://www.w3.org/2001/xml-events"},
              {"xsd", "http://www.w3.org/2001/XMLSchema"}, {"jr", "http://openrosa.org/javarosa"},
              {"orx", "http://openrosa.org/xforms"},       {"odk", "http://www.opendatakit.org/xforms"}};

cq_str cq_writer_resolve(cq_writer *w, cq_str text, const cq_element *context, unsigned how) {
  if (text.size == 0 || !memchr(text.at, '$', text.size)) return text;
  cq_buf_reset(&w->value);
  cq_resolve(w->form, text, context, how, &w->value);
  return cq_buf_str(&w->value);
}

static void write_output(cq_writer *w, cq_str expression, const cq_element *context) {
  bool mixed = w->xml.mixed;
  w->xml.mixed = true;
  cq_xml_start_text(&w->xml, "output");
  cq_xml_attr(&w->xml, "value", cq_writer_resolve(w, expression, context, 0));
  cq_xml_end_text(&w->xml, "output");
  (void)mixed;
}

/* A run of text without instance('…'): its references become outputs. */
static void write_run(cq_writer *w, cq_str text, const cq_element *context) {
  size_t at = 0;
  cq_reference r;
  while (cq_reference_next(text, at, &r)) {
    cq_xml_text(&w->xml, (cq_str){text.at + at, r.start - at});
    write_output(w, (cq_str){text.at + r.start, r.end - r.start}, context);
    at = r.end;
  }
  cq_xml_text(&w->xml, (cq_str){text.at + at, text.size - at});
}

void cq_write_phrase(cq_writer *w, cq_str text, const cq_element *context) {
  size_t at = 0, start, end;
  while (cq_instance_expression(text, at, &start, &end)) {
    write_run(w, (cq_str){text.at + at, start - at}, context);
    write_output(w, (cq_str){text.at + start, end - start}, context);
    at = end;
  }
  write_run(w, (cq_str){text.at + at, text.size - at}, context);
}

bool cq_namespace_next(const cq_form_draft *form, size_t *at, cq_str *prefix, cq_str *uri) {
  cq_str all = form->settings.namespaces;
  while (*at < all.size) {
    size_t from = *at;
    while (*at < all.size && !strchr(" \t\n", all.at[*at])) ++*at;
    cq_str word = {all.at + from, *at - from};
    ++*at;
    const char *equals = memchr(word.at, '=', word.size);
    if (!equals || equals == word.at) continue;
    *prefix = (cq_str){word.at, (size_t)(equals - word.at)};
    *uri = (cq_str){equals + 1, word.size - prefix->size - 1};
    while (uri->size && strchr("\"'", uri->at[0])) uri->at++, uri->size--;
    while (uri->size && strchr("\"'", uri->at[uri->size - 1])) uri->size--;
    bool ours = cq_str_is(*prefix, "xmlns") || cq_str_is(*prefix, "xml");
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) ours = ours || cq_str_is(*prefix, spaces[i].prefix);
    if (!ours && uri->size && cq_name_valid(*prefix) && !memchr(prefix->at, ':', prefix->size)) return true;
  }
  return false;
}

bool cq_prefix_known(const cq_form_draft *form, cq_str name) {
  const char *colon = memchr(name.at, ':', name.size);
  if (!colon) return true;
  cq_str prefix = {name.at, (size_t)(colon - name.at)}, given, uri;
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    if (cq_str_is(prefix, spaces[i].prefix)) return true;
  }
  if (cq_str_is(prefix, "entities") || cq_str_is(prefix, "cq")) return true;
  for (size_t at = 0; cq_namespace_next(form, &at, &given, &uri);) {
    if (cq_str_equal(prefix, given)) return true;
  }
  return false;
}

static void write_namespaces(cq_writer *w) {
  const cq_form_draft *form = w->form;
  cq_xml_attr(&w->xml, "xmlns", CQ_STR("http://www.w3.org/2002/xforms"));
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    cq_str name = cq_draft_format(w->form, "xmlns:%s", spaces[i].prefix);
    cq_xml_attr_named(&w->xml, name, cq_str_from(spaces[i].uri));
  }
  cq_str prefix, uri;
  bool entities = false, ours = false;
  for (size_t at = 0; cq_namespace_next(form, &at, &prefix, &uri);) {
    entities = entities || cq_str_is(prefix, "entities");
    ours = ours || cq_str_is(prefix, "cq");
    cq_xml_attr_named(&w->xml, cq_draft_format(w->form, "xmlns:%.*s", (int)prefix.size, prefix.at), uri);
  }
  if (form->entity_version && !entities) {
    cq_xml_attr(&w->xml, "xmlns:entities", CQ_STR("http://www.opendatakit.org/xforms/entities"));
  }
  if ((form->missing_used || form->privacy_used) && !ours) {
    cq_xml_attr(&w->xml, "xmlns:cq", CQ_STR("urn:chasqui:xforms"));
  }
}

/* --- the primary instance --- */

/* PLAIN: a repeat's first instance; TEMPLATE: what a new one begins as; BOTH: at the top. */
typedef enum { PLAIN, TEMPLATE, BOTH } instance_part;

static void write_node(cq_writer *w, const cq_element *e, instance_part part);

static void write_children(cq_writer *w, const cq_element *e, instance_part part) {
  for (const cq_element *child = e->first; child; child = child->next) {
    if (child->kind == CQ_ELEMENT_EXTERNAL || child->kind == CQ_ELEMENT_ATTRIBUTE) continue;
    if (child->kind != CQ_ELEMENT_REPEAT) {
      if (w->form->settings.flat && child->kind == CQ_ELEMENT_GROUP)
        write_children(w, child, part);
      else
        write_node(w, child, part == TEMPLATE ? BOTH : part);
      continue;
    }
    if (part != PLAIN) write_node(w, child, TEMPLATE);
    if (part != TEMPLATE) write_node(w, child, PLAIN);
  }
}

static void write_instance_attrs(cq_writer *w, const cq_element *e) {
  for (const cq_attr *at = e->instance.first; at; at = at->next) {
    if (!cq_prefix_known(w->form, at->name)) continue;
    cq_xml_attr_named(&w->xml, at->name, cq_writer_resolve(w, at->value, e, 0));
  }
  for (const cq_element *child = e->first; child; child = child->next) {
    if (child->kind == CQ_ELEMENT_ATTRIBUTE) cq_xml_attr_named(&w->xml, child->name, child->fixed);
  }
}

static void write_node(cq_writer *w, const cq_element *e, instance_part part) {
  bool mixed = w->xml.mixed;
  cq_xml_start(&w->xml, e->name);
  if (part == TEMPLATE)
    cq_xml_attr(&w->xml, "jr:template", (cq_str){"", 0});
  else
    write_instance_attrs(w, e);
  if (e->default_value.size && !e->dynamic_default) cq_xml_text(&w->xml, e->default_value);
  write_children(w, e, part);
  cq_xml_end(&w->xml, e->name);
  w->xml.mixed = mixed;
}

void cq_write_instance(cq_writer *w) {
  const cq_form_draft *form = w->form;
  const cq_settings *set = &form->settings;
  cq_xml_start_text(&w->xml, "instance");
  cq_xml_start(&w->xml, form->root->name);
  if (set->instance_xmlns.size) cq_xml_attr(&w->xml, "xmlns", set->instance_xmlns);
  for (const cq_attr *at = set->attributes.first; at; at = at->next) {
    if (cq_str_is(at->name, "id") || cq_str_is(at->name, "version") || !cq_prefix_known(form, at->name)) continue;
    cq_xml_attr_named(&w->xml, at->name, at->value);
  }
  cq_xml_attr(&w->xml, "id", set->id);
  if (set->version.size) cq_xml_attr(&w->xml, "version", set->version);
  if (set->prefix.size) cq_xml_attr(&w->xml, "odk:prefix", set->prefix);
  if (set->delimiter.size) cq_xml_attr(&w->xml, "odk:delimiter", set->delimiter);
  write_children(w, form->root, BOTH);
  cq_xml_end(&w->xml, form->root->name);
  cq_xml_end_text(&w->xml, "instance");
}

/* --- secondary instances --- */

static void write_item(cq_writer *w, const cq_list *list, const cq_list_item *choice, size_t index) {
  cq_xml_start_text(&w->xml, "item");
  if (list->itext) {
    cq_arena_mark mark = cq_arena_save(w->form->arena);
    cq_str id = cq_draft_format(w->form, "%.*s-%zu", (int)list->name.size, list->name.at, index);
    cq_xml_leaf(&w->xml, CQ_STR("itextId"), id);
    cq_arena_rewind(w->form->arena, mark);
  }
  cq_xml_leaf(&w->xml, CQ_STR("name"), choice->name);
  if (!list->itext && choice->label.count) cq_xml_leaf(&w->xml, CQ_STR("label"), choice->label.at[0].text);
  for (const cq_attr *at = choice->extra.first; at; at = at->next) cq_xml_leaf(&w->xml, at->name, at->value);
  cq_xml_end_text(&w->xml, "item");
}

void cq_write_secondary(cq_writer *w) {
  for (const cq_instance *i = w->form->instances; i; i = i->next) {
    cq_xml_start_text(&w->xml, "instance");
    cq_xml_attr(&w->xml, "id", i->id);
    cq_xml_attr(&w->xml, "src", i->source);
    cq_xml_end_text(&w->xml, "instance");
  }
  for (const cq_list *list = w->form->lists; list; list = list->next) {
    if (list->by_search) continue;
    cq_xml_start_text(&w->xml, "instance");
    cq_xml_attr(&w->xml, "id", list->name);
    cq_xml_start_text(&w->xml, "root");
    size_t index = 0;
    for (const cq_list_item *choice = list->first; choice; choice = choice->next) write_item(w, list, choice, index++);
    cq_xml_end_text(&w->xml, "root");
    cq_xml_end_text(&w->xml, "instance");
  }
}

/* --- binds and actions --- */

void cq_write_action(cq_writer *w, const cq_element *e, const cq_action *action) {
  cq_xml_start_text(&w->xml, action->name);
  cq_xml_attr(&w->xml, "ref", e->path);
  cq_xml_attr(&w->xml, "event", cq_str_from(action->event));
  if (action->value.size) cq_xml_attr(&w->xml, "value", cq_writer_resolve(w, action->value, e, 0));
  if (action->quality.size) cq_xml_attr(&w->xml, "odk:quality", action->quality);
  cq_xml_end_text(&w->xml, action->name);
}

static cq_str converted(const cq_attr *at) {
  static const char *const logical[] = {"readonly", "required", "relevant", "constraint", "calculate"};
  for (size_t i = 0; i < sizeof logical / sizeof *logical; i++) {
    int yes = cq_str_is(at->name, logical[i]) ? cq_yes_no(at->value) : -1;
    if (yes >= 0) return yes ? CQ_STR("true()") : CQ_STR("false()");
  }
  return at->value;
}

static void write_message(cq_writer *w, const cq_element *e, const char *name, const cq_phrases *message) {
  if (!message->count) return;
  bool itext = strcmp(name, "jr:noAppErrorString") == 0 ? message->translated : cq_message_itext(message);
  if (!itext) {
    cq_xml_attr(&w->xml, name, message->at[0].text);
    return;
  }
  cq_arena_mark mark = cq_arena_save(w->form->arena);
  cq_xml_attr(&w->xml, name, cq_draft_format(w->form, "jr:itext('%.*s:%s')", (int)e->path.size, e->path.at, name));
  cq_arena_rewind(w->form->arena, mark);
}

static void write_type_attrs(cq_writer *w, const cq_element *e) {
  const cq_word_type *type = e->type;
  const struct {
    const char *name, *value;
  } given[] = {{"type", type->bind},
               {"jr:preload", type->preload},
               {"jr:preloadParams", type->preload_params},
               {"readonly", type->readonly ? "true()" : NULL},
               {"constraint", type->constraint}};
  for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
    if (given[i].value && !cq_attr_of(&e->bind, given[i].name)) {
      cq_xml_attr(&w->xml, given[i].name, cq_str_from(given[i].value));
    }
  }
}

static void write_bind(cq_writer *w, const cq_element *e) {
  bool question = e->kind == CQ_ELEMENT_QUESTION;
  bool messages = e->constraint_message.count || e->required_message.count || e->no_app_message.count;
  if (!e->bind.first && !messages && !e->privacy.size && !(question && e->type->bind)) return;
  if (w->form->settings.flat && e->kind == CQ_ELEMENT_GROUP) return;
  cq_xml_start_text(&w->xml, "bind");
  cq_xml_attr(&w->xml, "nodeset", e->path);
  if (question) write_type_attrs(w, e);
  for (const cq_attr *at = e->bind.first; at; at = at->next) {
    if (e->trigger_text.size && cq_str_is(at->name, "calculate")) continue; /* a setvalue does it */
    if (cq_str_is(at->name, "nodeset") || !cq_prefix_known(w->form, at->name)) continue;
    cq_xml_attr_named(&w->xml, at->name, cq_writer_resolve(w, converted(at), e, 0));
  }
  write_message(w, e, "jr:constraintMsg", &e->constraint_message);
  write_message(w, e, "jr:requiredMsg", &e->required_message);
  write_message(w, e, "jr:noAppErrorString", &e->no_app_message);
  if (e->privacy.size) cq_xml_attr(&w->xml, "cq:privacy", e->privacy);
  cq_xml_end_text(&w->xml, "bind");
}

void cq_write_binds(cq_writer *w) {
  const cq_form_draft *form = w->form;
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) {
    if (e->kind == CQ_ELEMENT_EXTERNAL || e->kind == CQ_ELEMENT_ENTITY || e->kind == CQ_ELEMENT_META ||
        e->kind == CQ_ELEMENT_SURVEY) {
      continue;
    }
    write_bind(w, e);
    for (const cq_action *action = e->actions; action; action = action->next) {
      if (strcmp(action->event, "odk-new-repeat") != 0) cq_write_action(w, e, action);
    }
  }
}

static void write_submission(cq_writer *w) {
  const cq_settings *set = &w->form->settings;
  if (!set->submission_url.size && !set->public_key.size && !set->auto_send.size && !set->auto_delete.size &&
      !set->client_editable) {
    return;
  }
  cq_xml_start_text(&w->xml, "submission");
  if (set->submission_url.size) {
    cq_xml_attr(&w->xml, "action", set->submission_url);
    cq_xml_attr(&w->xml, "method", CQ_STR("post"));
  }
  if (set->public_key.size) cq_xml_attr(&w->xml, "base64RsaPublicKey", set->public_key);
  if (set->auto_send.size) cq_xml_attr(&w->xml, "orx:auto-send", set->auto_send);
  if (set->auto_delete.size) cq_xml_attr(&w->xml, "orx:auto-delete", set->auto_delete);
  if (set->client_editable) cq_xml_attr(&w->xml, "odk:client-editable", CQ_STR("true"));
  cq_xml_end_text(&w->xml, "submission");
}

void cq_write_form(cq_form_draft *form, cq_buf *out) {
  cq_writer w = {.form = form, .xml = {.out = out, .pretty = form->options->pretty}};
  cq_buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
  if (!w.xml.pretty) cq_buf_add_char(out, '\n');
  cq_xml_start_text(&w.xml, "h:html");
  write_namespaces(&w);
  cq_xml_start_text(&w.xml, "h:head");
  cq_xml_leaf(&w.xml, CQ_STR("h:title"), form->settings.title);
  cq_xml_start_text(&w.xml, "model");
  cq_xml_attr(&w.xml, "odk:xforms-version", CQ_STR("1.0.0"));
  if (form->entity_version) cq_xml_attr(&w.xml, "entities:entities-version", cq_str_from(form->entity_version));
  write_submission(&w);
  cq_write_itext(&w);
  cq_write_instance(&w);
  cq_write_secondary(&w);
  cq_write_binds(&w);
  cq_xml_end_text(&w.xml, "model");
  cq_xml_end_text(&w.xml, "h:head");
  cq_write_body(&w);
  cq_xml_end_text(&w.xml, "h:html");
  cq_buf_add_char(out, '\n');
  if (w.value.failed) form->no_memory = true;
  cq_buf_fini(&w.value);
}
