/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/xlsform.h"
#include "chasqui/csv.h"
#include "forms/xlsform/form.h"
#include "forms/xlsform/sheet.h"
#include "forms/xlsform/survey.h"
#include "forms/xpath/tree.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_LIMIT = 1 << 30 };

struct cq_xlsform {
  cq_form_draft draft;
  cq_xlsform_options options;
  cq_workbook *book;
  cq_buf xml;
  const cq_element **items; /* heap; in the order of the sheet */
  size_t item_count;
  cq_str *languages;
  size_t language_count;
};

static bool wanted(cq_str name) {
  static const char *const sheets[] = {"survey", "choices", "settings", "external_choices", "entities", "osm"};
  for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++) {
    cq_str sheet = cq_str_from(sheets[i]);
    if (name.size != sheet.size) continue;
    bool same = true;
    for (size_t c = 0; c < name.size; c++) same = same && (name.at[c] | 0x20) == (sheet.at[c] | 0x20);
    if (same) return true;
  }
  return false;
}

void cq_xlsform_free(cq_xlsform *form) {
  if (!form) return;
  free(form->draft.faults.at);
  cq_arena_free(form->draft.arena);
  cq_arena_free(form->draft.scratch);
  cq_names_free(form->draft.names);
  cq_workbook_free(form->book);
  cq_buf_fini(&form->xml);
  free(form->items);
  free(form);
}

static cq_str kept(cq_form_draft *draft, const char *text) {
  return text ? cq_draft_copy(draft, cq_str_from(text)) : (cq_str){NULL, 0};
}

static bool begin(cq_xlsform *form, const cq_xlsform_options *options, const char *fallback_id) {
  cq_form_draft *draft = &form->draft;
  draft->arena = cq_arena_new(ARENA_LIMIT);
  draft->scratch = cq_arena_new(ARENA_LIMIT);
  draft->names = cq_names_new();
  if (!draft->arena || !draft->scratch || !draft->names) return false;
  draft->book = form->book;
  draft->options = &form->options;
  draft->list_slots = cq_draft_alloc(draft, CQ_SLOTS * sizeof *draft->list_slots);
  draft->name_slots = cq_draft_alloc(draft, CQ_SLOTS * sizeof *draft->name_slots);
  if (options) {
    form->options = *options;
    form->options.root = kept(draft, options->root).at;
    form->options.form_id = kept(draft, options->form_id).at;
    form->options.language = kept(draft, options->language).at;
  }
  draft->fallback_id = kept(draft, fallback_id ? fallback_id : form->options.root ? form->options.root : "data").at;
  return !draft->no_memory;
}

/* What an outline shows: the rows of the survey, and the languages of its labels. */
static bool gather(cq_xlsform *form) {
  cq_form_draft *draft = &form->draft;
  size_t count = 0;
  for (const cq_element *e = draft->root; e; e = cq_element_next(draft->root, e)) count++;
  form->items = calloc(count + 1, sizeof(cq_element *));
  form->languages = cq_draft_alloc(draft, 64 * sizeof *form->languages);
  if (!form->items || !form->languages) return false;
  for (const cq_element *e = draft->root; e; e = cq_element_next(draft->root, e)) {
    bool shown = e->row > 0 && (e->kind == CQ_ELEMENT_GROUP || e->kind == CQ_ELEMENT_REPEAT ||
                                e->kind == CQ_ELEMENT_QUESTION || e->kind == CQ_ELEMENT_EXTERNAL);
    if (shown && e->parent->kind != CQ_ELEMENT_ENTITY) form->items[form->item_count++] = e;
    for (size_t i = 0; e->label.translated && i < e->label.count; i++) {
      size_t j = 0;
      while (j < form->language_count && !cq_str_equal(form->languages[j], e->label.at[i].language)) j++;
      if (j == form->language_count && j < 64) form->languages[form->language_count++] = e->label.at[i].language;
    }
  }
  return true;
}

static void note_privacy(cq_form_draft *draft) {
  for (const cq_element *e = draft->root; e; e = cq_element_next(draft->root, e)) {
    if (e->privacy.size) draft->privacy_used = true;
  }
}

/* The meta block stands last, where it holds anything. */
static void attach_meta(cq_form_draft *draft) {
  if (!draft->meta->first) return;
  if (draft->root->last)
    draft->root->last->next = draft->meta;
  else
    draft->root->first = draft->meta;
  draft->root->last = draft->meta;
}

static cq_status compile(cq_xlsform *form, cq_error *error) {
  cq_form_draft *draft = &form->draft;
  cq_read_settings(draft);
  cq_read_choices(draft);
  cq_read_survey(draft);
  if (!draft->root || !draft->meta) return cq_error_nomem(error);
  attach_meta(draft);
  cq_paths_set(draft);
  note_privacy(draft);
  cq_check_search(draft);
  cq_find_instances(draft);
  bool had_meta = draft->meta->first != NULL;
  cq_read_entities(draft);
  if (!had_meta) attach_meta(draft);
  cq_paths_set(draft);
  cq_check_references(draft);
  cq_lint(draft);
  cq_faults_sort(draft);
  if (!gather(form) || draft->no_memory) return cq_error_nomem(error);
  if (draft->faults.errors > 0) return CQ_OK;
  cq_write_form(draft, &form->xml);
  if (form->xml.size > CQ_XLSFORM_MAX_XML) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.xml", NULL);
  return form->xml.failed || draft->no_memory ? cq_error_nomem(error) : CQ_OK;
}

static cq_status finish(cq_xlsform **form, cq_xlsform *made, const cq_xlsform_options *options, const char *fallback_id,
                        cq_error *error) {
  cq_status status = begin(made, options, fallback_id) ? compile(made, error) : cq_error_nomem(error);
  if (status == CQ_OK) {
    *form = made;
  } else {
    cq_xlsform_free(made);
  }
  return status;
}

cq_status cq_xlsform_compile(cq_xlsform **form, const char *path, const cq_xlsform_options *options, cq_error *error) {
  *form = NULL;
  cq_xlsform *made = calloc(1, sizeof *made);
  if (!made) return cq_error_nomem(error);
  cq_status status = cq_workbook_open(&made->book, path, wanted, error);
  if (status != CQ_OK) {
    cq_xlsform_free(made);
    return status;
  }
  char *id = strdup(path);
  if (!id) {
    cq_xlsform_free(made);
    return cq_error_nomem(error);
  }
  size_t size = strlen(id);
  while (size > 1 && id[size - 1] == '/') id[--size] = 0;
  char *slash = strrchr(id, '/');
  char *base = slash ? slash + 1 : id, *dot = strrchr(base, '.');
  if (dot && dot != base) *dot = 0;
  status = finish(form, made, options, base, error);
  free(id);
  return status;
}

cq_status cq_xlsform_compile_list(cq_xlsform **form, const char *const *paths, size_t count,
                                  const cq_xlsform_options *options, cq_error *error) {
  *form = NULL;
  cq_xlsform *made = calloc(1, sizeof *made);
  if (!made) return cq_error_nomem(error);
  cq_status status = cq_workbook_open_list(&made->book, paths, count, wanted, error);
  if (status == CQ_OK) return finish(form, made, options, NULL, error);
  cq_xlsform_free(made);
  return status;
}

cq_status cq_xlsform_compile_bytes(cq_xlsform **form, const void *bytes, size_t size, const cq_xlsform_options *options,
                                   cq_error *error) {
  *form = NULL;
  cq_xlsform *made = calloc(1, sizeof *made);
  if (!made) return cq_error_nomem(error);
  cq_status status = cq_workbook_read(&made->book, bytes, size, wanted, error);
  if (status == CQ_OK) return finish(form, made, options, NULL, error);
  cq_xlsform_free(made);
  return status;
}

bool cq_xlsform_ok(const cq_xlsform *form) {
  return form->draft.faults.errors == 0;
}

cq_str cq_xlsform_xml(const cq_xlsform *form) {
  return cq_buf_str(&form->xml);
}

static bool needs_itemsets(const cq_xlsform *form) {
  for (size_t i = 0; i < form->item_count; i++) {
    const cq_element *e = form->items[i];
    if (e->type && e->type->kind == CQ_KIND_SELECT_EXTERNAL) return true;
  }
  return false;
}

void cq_xlsform_itemsets(const cq_xlsform *form, cq_buf *out) {
  const cq_sheet *sheet = needs_itemsets(form) ? cq_book_sheet(&form->draft, "external_choices") : NULL;
  for (size_t r = 0; sheet && r < sheet->count; r++) {
    const cq_row *head = &sheet->rows[0], *row = &sheet->rows[r];
    uint32_t at = 0;
    for (uint32_t c = 0; c < head->count; c++) {
      while (at < row->count && row->cells[at].column < head->cells[c].column) at++;
      bool there = at < row->count && row->cells[at].column == head->cells[c].column;
      cq_csv_add_field(out, c == 0, there ? row->cells[at].text : (cq_str){"", 0}, false);
    }
    cq_csv_end_row(out);
  }
}

size_t cq_xlsform_fault_count(const cq_xlsform *form) {
  return form->draft.faults.count;
}

const cq_xlsform_fault *cq_xlsform_fault_at(const cq_xlsform *form, size_t index) {
  return index < form->draft.faults.count ? &form->draft.faults.at[index] : NULL;
}

size_t cq_xlsform_error_count(const cq_xlsform *form) {
  return form->draft.faults.errors;
}

cq_str cq_xlsform_title(const cq_xlsform *form) {
  return form->draft.settings.title;
}

cq_str cq_xlsform_id(const cq_xlsform *form) {
  return form->draft.settings.id;
}

cq_str cq_xlsform_version(const cq_xlsform *form) {
  return form->draft.settings.version;
}

size_t cq_xlsform_language_count(const cq_xlsform *form) {
  return form->language_count;
}

cq_str cq_xlsform_language_at(const cq_xlsform *form, size_t index) {
  return index < form->language_count ? form->languages[index] : (cq_str){"", 0};
}

size_t cq_xlsform_item_count(const cq_xlsform *form) {
  return form->item_count;
}

static cq_str attribute(const cq_element *e, const char *name) {
  const cq_attr *at = cq_attr_of(&e->bind, name);
  return at ? at->value : (cq_str){"", 0};
}

bool cq_xlsform_item_at(const cq_xlsform *form, size_t index, const char *language, cq_xlsform_item *item) {
  if (index >= form->item_count) return false;
  const cq_element *e = form->items[index];
  const char *type = e->kind == CQ_ELEMENT_REPEAT ? "begin repeat" : e->type ? e->type->canon : "begin group";
  *item = (cq_xlsform_item){.depth = e->depth - 1,
                            .row = e->row,
                            .type = cq_str_from(type),
                            .name = e->name,
                            .label = cq_phrases_text(&form->draft, &e->label, language),
                            .list = e->list_name,
                            .relevant = attribute(e, "relevant"),
                            .constraint = attribute(e, "constraint"),
                            .required = attribute(e, "required"),
                            .calculation = attribute(e, "calculate"),
                            .choice_filter = e->choice_filter,
                            .readonly = attribute(e, "readonly"),
                            .save_to = attribute(e, "entities:saveto"),
                            .choices = e->list ? e->list->count : 0};
  return true;
}
