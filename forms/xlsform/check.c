/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that need the whole tree: references, triggers, labels, instances. */
#include "forms/xlsform/expressions.h"
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"
#include "forms/xlsform/write.h"

#include <string.h>

/* --- references of every cell that may hold one --- */

static cq_place place_of(const cq_form_draft *form, const cq_element *e, int64_t column) {
  bool of_entity = e->kind == CQ_ELEMENT_ATTRIBUTE || (e->parent && e->parent->kind == CQ_ELEMENT_ENTITY);
  bool of_settings = !of_entity && e->row == 0;
  if (!of_entity && !of_settings) return cq_survey_place(form, e->row, column);
  return (cq_place){of_entity ? "entities" : "settings", of_entity ? e->row : form->settings.row, column, {"", 0}};
}

static void check_phrases(cq_form_draft *form, const cq_element *e, const cq_phrases *phrases) {
  for (size_t i = 0; i < phrases->count; i++) {
    if (!memchr(phrases->at[i].text.at, '$', phrases->at[i].text.size)) continue;
    cq_references_check(form, phrases->at[i].text, place_of(form, e, phrases->at[i].column));
  }
}

static void check_attrs(cq_form_draft *form, const cq_element *e, const cq_attrs *attrs) {
  for (const cq_attr *at = attrs->first; at; at = at->next) {
    if (memchr(at->value.at, '$', at->value.size)) cq_references_check(form, at->value, place_of(form, e, at->column));
    if (!cq_prefix_known(form, at->name)) {
      cq_fault_warning(form, "xlsform.prefix.unknown", place_of(form, e, at->column), at->name);
    }
  }
}

static void check_texts(cq_form_draft *form, const cq_element *e) {
  const cq_phrases *texts[] = {&e->label,         &e->hint, &e->guidance, &e->constraint_message, &e->required_message,
                               &e->no_app_message};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_phrases(form, e, texts[i]);
  for (int i = 0; i < CQ_MEDIA_COUNT; i++) check_phrases(form, e, &e->media[i]);
  check_attrs(form, e, &e->bind);
  check_attrs(form, e, &e->control);
  check_attrs(form, e, &e->instance);
  const struct {
    cq_str text;
    int64_t column;
  } cells[] = {{e->default_value, e->default_column},
               {e->choice_filter, e->filter_column},
               {e->list_name, e->type_column},
               {e->seed, e->parameters_column}};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
    if (memchr(cells[i].text.at ? cells[i].text.at : "", '$', cells[i].text.size)) {
      cq_references_check(form, cells[i].text, place_of(form, e, cells[i].column));
    }
  }
  if (e->kind != CQ_ELEMENT_SURVEY && !cq_prefix_known(form, e->name)) {
    cq_fault_error(form, "xlsform.prefix.name", place_of(form, e, e->name_column), e->name);
  }
}

/* Attributes that hold expressions; other words of binds and controls are for the phone. */
static void check_expressions(cq_form_draft *form, const cq_element *e) {
  static const char *const logical[] = {"calculate", "constraint", "readonly", "required", "relevant"};
  for (size_t i = 0; i < sizeof logical / sizeof *logical; i++) {
    const cq_attr *at = cq_attr_of(&e->bind, logical[i]);
    bool made = at && at->column == 0; /* by the compiler, from what is checked in its own cell */
    if (at && !made && cq_yes_no(at->value) < 0) cq_expression_check(form, at->value, place_of(form, e, at->column));
  }
  cq_expression_check(form, e->choice_filter, place_of(form, e, e->filter_column));
  if (e->dynamic_default) cq_expression_check(form, e->default_value, place_of(form, e, e->default_column));
}

static void check_choices(cq_form_draft *form) {
  const cq_sheet *sheet = cq_book_sheet(form, "choices");
  for (const cq_list *list = form->lists; list; list = list->next) {
    for (const cq_list_item *choice = list->first; choice; choice = choice->next) {
      for (size_t i = 0; i < choice->label.count; i++) {
        const cq_phrase *p = &choice->label.at[i];
        if (!memchr(p->text.at, '$', p->text.size)) continue;
        cq_place place = {"choices", choice->row, p->column, {"", 0}};
        for (uint32_t c = 0; sheet && sheet->count && c < sheet->rows[0].count; c++) {
          if ((int64_t)sheet->rows[0].cells[c].column + 1 == p->column) place.header = sheet->rows[0].cells[c].text;
        }
        cq_references_check(form, p->text, place);
      }
    }
  }
}

/* --- controls --- */

static bool has_media(const cq_element *e) {
  return e->any_media;
}

static void check_label(cq_form_draft *form, const cq_element *q) {
  if (q->kind != CQ_ELEMENT_QUESTION || !cq_question_visible(q)) return;
  bool said = q->label.count || q->hint.count || has_media(q) || q->type->hint;
  cq_place place = cq_survey_place(form, q->row, q->name_column);
  if (!said) cq_fault_error(form, "xlsform.label.missing", place, q->name);
  if (q->media[CQ_MEDIA_BIG_IMAGE].count && !q->media[CQ_MEDIA_IMAGE].count) {
    cq_fault_error(form, "xlsform.media.bigimage", place, q->name);
  }
}

/* --- triggers --- */

static void trigger_one(cq_form_draft *form, cq_element *target, cq_reference r, cq_place place) {
  cq_element *source = cq_element_named(form, r.name);
  if (!source || source->next_of_name) return; /* said by the check of references */
  if (source->kind != CQ_ELEMENT_QUESTION) {
    cq_fault_error(form, "xlsform.trigger.question", place, r.name);
    return;
  }
  bool shown = source->type->kind != CQ_KIND_CALCULATE && (!source->type->tag || cq_question_visible(source));
  if (!shown) {
    cq_fault_error(form, "xlsform.trigger.hidden", place, r.name);
    return;
  }
  cq_trigger *t = cq_draft_alloc(form, sizeof *t);
  if (!t) return;
  *t = (cq_trigger){NULL, target, target->type && target->type->kind == CQ_KIND_BACKGROUND_GEOPOINT};
  cq_trigger **end = &source->triggers;
  while (*end) end = &(*end)->next;
  *end = t;
}

/* Only commas and spaces; at least one comma where `needed`. */
static bool commas(cq_str gap, bool needed) {
  bool any = false;
  for (size_t i = 0; i < gap.size; i++) {
    if (gap.at[i] == ',')
      any = true;
    else if (gap.at[i] != ' ')
      return false;
  }
  return any || !needed;
}

/* "${a}" or "${a}, ${b}" and nothing else. */
static void check_trigger(cq_form_draft *form, cq_element *e) {
  if (!e->trigger_text.size || e->kind != CQ_ELEMENT_QUESTION) return;
  cq_place place = cq_survey_place(form, e->row, e->trigger_column);
  cq_references_check(form, e->trigger_text, place);
  cq_reference r;
  size_t at = 0;
  bool first = true, fine = true;
  for (; cq_reference_next(e->trigger_text, at, &r); at = r.end, first = false) {
    fine = fine && commas((cq_str){e->trigger_text.at + at, r.start - at}, !first);
    trigger_one(form, e, r, place);
  }
  if (first || !fine || !commas((cq_str){e->trigger_text.at + at, e->trigger_text.size - at}, false)) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.trigger.form", place, e->trigger_text, "${a}, ${b}", (cq_str){"", 0});
  }
}

/* --- search() --- */

static bool uses_search(const cq_element *q) {
  const cq_attr *appearance = cq_attr_of(&q->control, "appearance");
  const char *search = appearance ? strstr(appearance->value.at, "search(") : NULL;
  return search && strchr(search, ')');
}

void cq_check_search(cq_form_draft *form) {
  for (cq_element *q = form->root; q; q = cq_element_next(form->root, q)) {
    if (q->kind != CQ_ELEMENT_QUESTION || !q->list_name.size || !uses_search(q)) continue;
    if (q->type->kind != CQ_KIND_SELECT && q->type->kind != CQ_KIND_RANK) continue;
    if (cq_file_extension(q->list_name)) {
      cq_fault_error(form, "xlsform.search.file", cq_survey_place(form, q->row, q->type_column), q->name);
    } else if (q->list) {
      q->list->by_search = true;
    }
  }
  for (const cq_element *q = form->root; q; q = cq_element_next(form->root, q)) {
    if (q->kind != CQ_ELEMENT_QUESTION || !q->list || !q->list->by_search || uses_search(q)) continue;
    cq_fault_between(form, CQ_XLSFORM_ERROR, "xlsform.search.shared", cq_survey_place(form, q->row, q->type_column),
                     q->name, NULL, q->list->name);
  }
}

/* --- geometry to choose from --- */

static bool instance_named(const cq_form_draft *form, cq_str name, bool pulled) {
  for (const cq_instance *i = form->instances; i; i = i->next) {
    if (cq_str_equal(i->id, name)) return pulled || strcmp(i->kind, "pulldata") != 0;
  }
  return false;
}

static void check_geometry(cq_form_draft *form, const cq_element *q) {
  if (q->kind != CQ_ELEMENT_QUESTION || !q->list_in_itemset || q->list || q->type->kind == CQ_KIND_RANGE) return;
  cq_reference r;
  if (cq_reference_whole(q->list_name, &r)) {
    const cq_element *target = cq_element_named(form, r.name);
    if (target && target->kind == CQ_ELEMENT_REPEAT) return;
  } else if (instance_named(form, q->list_name, false)) {
    return;
  }
  cq_fault_error(form, "xlsform.geometry.unknown", cq_survey_place(form, q->row, q->parameters_column), q->list_name);
}

static void check_made_names(cq_form_draft *form, const cq_element *e) {
  for (const cq_element *same = e->next_of_name; same; same = same->next_of_name) {
    if (same->parent != e->parent || same->row == e->row) continue;
    bool made = e->choice_filter.size && cq_str_is(e->list_name, "cq_missing");
    made = made || cq_str_is(same->list_name, "cq_missing");
    if (made) cq_fault_error(form, "xlsform.name.twice", cq_survey_place(form, e->row, e->name_column), e->name);
  }
}

void cq_check_references(cq_form_draft *form) {
  check_choices(form);
  for (cq_element *e = form->root; e; e = cq_element_next(form->root, e)) {
    check_texts(form, e);
    check_expressions(form, e);
    check_label(form, e);
    check_trigger(form, e);
    check_geometry(form, e);
    check_made_names(form, e);
  }
}

/* --- secondary instances --- */

static void add_instance(cq_form_draft *form, const cq_element *e, int64_t column, const char *kind, cq_str id,
                         cq_str source) {
  for (const cq_instance *i = form->instances; i; i = i->next) {
    if (!cq_str_equal(i->id, id)) continue;
    bool twice = strcmp(kind, "external") == 0 && strcmp(i->kind, "external") == 0;
    if (twice || !cq_str_equal(i->source, source)) {
      cq_fault_between(form, CQ_XLSFORM_ERROR, "xlsform.instance.twice", cq_survey_place(form, e->row, column), id,
                       NULL, i->source);
    }
    return;
  }
  cq_instance *added = cq_draft_alloc(form, sizeof *added);
  if (!added) return;
  *added = (cq_instance){NULL, id, source, kind};
  if (form->last_instance)
    form->last_instance->next = added;
  else
    form->instances = added;
  form->last_instance = added;
}

/* pulldata('file', …): the file becomes an instance. */
static void find_pulldata(cq_form_draft *form, const cq_element *e, cq_str text, int64_t column) {
  for (const char *at = text.size ? strstr(text.at, "pulldata") : NULL; at; at = strstr(at + 8, "pulldata")) {
    const char *open = at + 8;
    while (*open == ' ' || *open == '\n' || *open == '\t') open++;
    if (*open != '(') continue;
    const char *comma = strchr(open, ',');
    if (!comma || (size_t)(comma - text.at) > text.size) continue;
    cq_buf name = {0};
    for (const char *c = open + 1; c < comma; c++) {
      if (*c != '\'' && *c != '"') cq_buf_add_char(&name, *c);
    }
    cq_str id = cq_draft_copy(form, cq_str_trim(cq_buf_str(&name)));
    cq_buf_fini(&name);
    add_instance(form, e, column, "pulldata", id, cq_draft_format(form, "jr://file-csv/%.*s.csv", (int)id.size, id.at));
  }
}

static bool has_last_saved(cq_str text) {
  cq_reference r;
  for (size_t at = 0; cq_reference_next(text, at, &r); at = r.end) {
    if (r.last_saved) return true;
  }
  return false;
}

static void find_in_expression(cq_form_draft *form, const cq_element *e, cq_str text, int64_t column) {
  if (text.size == 0) return;
  find_pulldata(form, e, text, column);
  if (memchr(text.at, '$', text.size) && has_last_saved(text)) form->last_saved = true;
}

static void find_in_element(cq_form_draft *form, const cq_element *e) {
  static const char *const logical[] = {"calculate", "constraint", "readonly", "required", "relevant"};
  for (size_t i = 0; i < sizeof logical / sizeof *logical; i++) {
    const cq_attr *at = cq_attr_of(&e->bind, logical[i]);
    if (at) find_in_expression(form, e, at->value, at->column);
  }
  find_in_expression(form, e, e->choice_filter, e->filter_column);
  find_in_expression(form, e, e->default_value, e->default_column);
  if (e->kind == CQ_ELEMENT_EXTERNAL) {
    bool csv = strcmp(e->type->name, "csv-external") == 0;
    cq_str source = cq_draft_format(form, "jr://%s/%.*s.%s", csv ? "file-csv" : "file", (int)e->name.size, e->name.at,
                                    csv ? "csv" : "xml");
    add_instance(form, e, e->name_column, "external", e->name, source);
    return;
  }
  const char *extension = e->kind == CQ_ELEMENT_QUESTION ? cq_file_extension(e->list_name) : NULL;
  if (!extension || (e->type->kind != CQ_KIND_SELECT && e->type->kind != CQ_KIND_RANK)) return;
  cq_str id = {e->list_name.at, e->list_name.size - strlen(extension) - 1};
  bool csv = strcmp(extension, "csv") == 0;
  cq_str source =
      cq_draft_format(form, "jr://%s/%.*s", csv ? "file-csv" : "file", (int)e->list_name.size, e->list_name.at);
  add_instance(form, e, e->type_column, "file", cq_draft_copy(form, id), source);
}

void cq_find_instances(cq_form_draft *form) {
  for (const cq_element *e = form->root; e; e = cq_element_next(form->root, e)) find_in_element(form, e);
  if (form->last_saved && form->root) {
    add_instance(form, form->root, 0, "instance", CQ_STR("__last-saved"), CQ_STR("jr://instance/last-saved"));
  }
  for (const cq_list *list = form->lists; list; list = list->next) {
    if (list->by_search || !instance_named(form, list->name, true)) continue;
    cq_fault_error(form, "xlsform.instance.list", (cq_place){"choices", list->row, 0, {"", 0}}, list->name);
  }
}
