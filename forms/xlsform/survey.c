/* SPDX-License-Identifier: Apache-2.0 */
/* The survey sheet: rows become the tree of groups, repeats and questions. */
#include "forms/xlsform/survey.h"
#include "forms/xlsform/expressions.h"
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"

#include <string.h>

typedef struct name_slot {
  struct name_slot *next;
  const cq_element *parent;
  cq_str name;
} name_slot;

typedef struct frame {
  cq_element *element;
  cq_block control;
  cq_str type_text;
  bool table, table_known;
  cq_str table_list;
} frame;

typedef struct survey {
  cq_form_draft *form;
  cq_headed_sheet sheet;
  frame stack[CQ_XLSFORM_MAX_DEPTH + 1];
  int depth;
  name_slot **slots;
  int64_t row;
  bool too_deep;
} survey;

static const cq_header *column(const survey *s, cq_column_id id, const char *attribute) {
  for (uint32_t i = 0; i < s->sheet.header_count; i++) {
    const cq_header *h = &s->sheet.headers[i];
    if (h->word && h->word->id == id && (!attribute || cq_str_is(h->attribute, attribute))) return h;
  }
  return NULL;
}

static cq_place place_of(const survey *s, cq_column_id id, const char *attribute) {
  const cq_header *h = column(s, id, attribute);
  return (cq_place){"survey", s->row, h ? h->column : 0, h ? h->text : (cq_str){"", 0}};
}

static void fault(const survey *s, const char *code, cq_column_id id, cq_str found) {
  cq_fault_error(s->form, code, place_of(s, id, NULL), found);
}

cq_place cq_survey_place(const cq_form_draft *form, int64_t row, int64_t column_number) {
  cq_place place = {"survey", row, column_number, {"", 0}};
  const cq_sheet *sheet = cq_book_sheet(form, "survey");
  if (!sheet || sheet->count == 0) return place;
  for (uint32_t i = 0; i < sheet->rows[0].count; i++) {
    if ((int64_t)sheet->rows[0].cells[i].column + 1 == column_number) place.header = sheet->rows[0].cells[i].text;
  }
  return place;
}

bool cq_in_repeat(const cq_element *element) {
  for (const cq_element *at = element->parent; at; at = at->parent) {
    if (at->kind == CQ_ELEMENT_REPEAT) return true;
  }
  return false;
}

void cq_add_action(cq_form_draft *form, cq_element *question, const char *name, const char *event, cq_str value,
                   cq_str quality) {
  cq_action *action = cq_draft_alloc(form, sizeof *action);
  if (!action) return;
  *action = (cq_action){.name = name, .event = event, .value = value, .quality = quality};
  cq_action **end = &question->actions;
  while (*end) end = &(*end)->next;
  *end = action;
}

/* --- cells --- */

static void take_bind(cq_form_draft *form, const cq_header *h, cq_str value, cq_element *e) {
  if (cq_str_is(h->attribute, "jr:constraintMsg")) {
    cq_phrase_add(form, &e->constraint_message, h->language, value, h->column);
  } else if (cq_str_is(h->attribute, "jr:requiredMsg")) {
    cq_phrase_add(form, &e->required_message, h->language, value, h->column);
  } else if (cq_str_is(h->attribute, "jr:noAppErrorString")) {
    cq_phrase_add(form, &e->no_app_message, h->language, value, h->column);
  } else if (cq_str_is(h->attribute, "entities:saveto")) {
    e->save_to = value;
    e->save_to_column = h->column;
  } else if (cq_name_valid(h->attribute)) {
    cq_draft_attr(form, &e->bind, h->attribute, value, h->column);
  }
}

static void take_media(cq_form_draft *form, const cq_header *h, cq_str value, cq_element *e) {
  e->any_media = true;
  for (int i = 0; i < CQ_MEDIA_COUNT; i++) {
    if (!cq_str_is(h->attribute, cq_media_names[i])) continue;
    cq_phrase_add(form, &e->media[i], h->language, value, h->column);
    return;
  }
  if (h->attribute.size == 0) return; /* "media" alone says nothing */
  cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.media.unknown", (cq_place){"survey", e->row, h->column, h->text},
           h->attribute, "image, big-image, audio, video", (cq_str){"", 0});
}

static void take_cell(survey *s, const cq_header *h, cq_str value, cq_element *e, cq_str *disabled) {
  cq_form_draft *form = s->form;
  switch (h->word->id) {
  case CQ_COLUMN_TYPE: e->type_text = value, e->type_column = h->column; break;
  case CQ_COLUMN_NAME: e->name = value, e->name_column = h->column; break;
  case CQ_COLUMN_LABEL: cq_phrase_add(form, &e->label, h->language, value, h->column); break;
  case CQ_COLUMN_HINT: cq_phrase_add(form, &e->hint, h->language, value, h->column); break;
  case CQ_COLUMN_GUIDANCE: cq_phrase_add(form, &e->guidance, h->language, value, h->column); break;
  case CQ_COLUMN_MEDIA: take_media(form, h, value, e); break;
  case CQ_COLUMN_BIND: take_bind(form, h, value, e); break;
  case CQ_COLUMN_CONTROL:
    if (cq_name_valid(h->attribute)) cq_draft_attr(form, &e->control, h->attribute, value, h->column);
    break;
  case CQ_COLUMN_INSTANCE:
    if (cq_name_valid(h->attribute)) cq_draft_attr(form, &e->instance, h->attribute, value, h->column);
    break;
  case CQ_COLUMN_DEFAULT: e->default_value = value, e->default_column = h->column; break;
  case CQ_COLUMN_TRIGGER: e->trigger_text = value, e->trigger_column = h->column; break;
  case CQ_COLUMN_CHOICE_FILTER: e->choice_filter = value, e->filter_column = h->column; break;
  case CQ_COLUMN_PARAMETERS: e->parameters_text = value, e->parameters_column = h->column; break;
  case CQ_COLUMN_INTENT: cq_draft_attr(form, &e->control, CQ_STR("intent"), value, h->column); break;
  case CQ_COLUMN_DISABLED: *disabled = value; break;
  case CQ_COLUMN_MISSING: e->missing = value, e->missing_column = h->column; break;
  case CQ_COLUMN_PRIVACY: e->privacy = value, e->privacy_column = h->column; break;
  default: break;
  }
}

/* A header row of labels, above questions that show none, needs no text of its own. */
static void blank_label(cq_form_draft *form, cq_element *e) {
  const cq_attr *appearance = cq_attr_of(&e->control, "appearance");
  if (appearance && cq_str_is(appearance->value, "label") && !e->label.count) {
    cq_phrase_add(form, &e->label, (cq_str){"", 0}, CQ_STR(" "), 0);
  }
}

static void finish_texts(cq_form_draft *form, cq_element *e) {
  cq_phrases *all[] = {&e->label,         &e->hint, &e->guidance, &e->constraint_message, &e->required_message,
                       &e->no_app_message};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) cq_phrases_finish(form, all[i]);
  for (int i = 0; i < CQ_MEDIA_COUNT; i++) cq_phrases_finish(form, &e->media[i]);
}

static cq_element *read_cells(survey *s, const cq_row *row, bool *skip) {
  cq_element *e = cq_draft_alloc(s->form, sizeof *e);
  if (!e) return NULL;
  e->row = s->row = row->number;
  e->kind = CQ_ELEMENT_QUESTION;
  cq_str disabled = {"", 0};
  for (uint32_t i = 0; i < row->count; i++) {
    const cq_header *h = cq_header_at(&s->sheet, row->cells[i].column);
    if (h && h->word) take_cell(s, h, cq_cell_text(s->form, &s->sheet, row->cells[i].text), e, &disabled);
  }
  finish_texts(s->form, e);
  blank_label(s->form, e);
  *skip = disabled.size && cq_yes_no(disabled) == 1;
  if (*skip) cq_fault_warning(s->form, "xlsform.row.disabled", place_of(s, CQ_COLUMN_DISABLED, NULL), e->name);
  return e;
}

/* --- names --- */

static bool same_letters(cq_str a, cq_str b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; i++) {
    char x = a.at[i], y = b.at[i];
    if (x >= 'A' && x <= 'Z') x = (char)(x + 32);
    if (y >= 'A' && y <= 'Z') y = (char)(y + 32);
    if (x != y) return false;
  }
  return true;
}

/* Whether the name was met under that parent (NULL: among all repeats), as it is or apart from case; notes it. */
static void met(survey *s, const cq_element *parent, cq_str name, bool *exact, bool *alike) {
  uint32_t hash = 2166136261u ^ (parent ? (uint32_t)(parent->row * 31 + parent->depth) : 7u);
  for (size_t i = 0; i < name.size; i++) {
    char c = name.at[i];
    hash = (hash ^ (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619u;
  }
  name_slot **slot = &s->slots[hash % CQ_SLOTS];
  *exact = *alike = false;
  for (const name_slot *at = *slot; at; at = at->next) {
    if (at->parent != parent) continue;
    *exact = *exact || cq_str_equal(at->name, name);
    *alike = *alike || same_letters(at->name, name);
  }
  name_slot *added = *exact ? NULL : cq_draft_alloc(s->form, sizeof *added);
  if (!added) return;
  *added = (name_slot){*slot, parent, name};
  *slot = added;
}

/* A name stands once among its siblings; apart from case, other tools may still confuse two. */
static void check_sibling(survey *s, const cq_element *parent, cq_str name) {
  bool exact, alike;
  met(s, parent, name, &exact, &alike);
  if (exact)
    fault(s, "xlsform.name.twice", CQ_COLUMN_NAME, name);
  else if (alike)
    cq_fault_warning(s->form, "xlsform.name.case", place_of(s, CQ_COLUMN_NAME, NULL), name);
}

static void check_name(survey *s, cq_element *e) {
  if (e->name.size == 0) {
    if (e->type && e->type->kind == CQ_KIND_NOTE) {
      e->name = cq_draft_format(s->form, "generated_note_name_%lld", (long long)s->row);
      return;
    }
    fault(s, "xlsform.name.missing", CQ_COLUMN_NAME, e->type_text);
  } else if (!cq_name_valid(e->name)) {
    fault(s, "xlsform.name.characters", CQ_COLUMN_NAME, e->name);
  } else if (cq_str_is(e->name, "meta")) {
    fault(s, "xlsform.name.reserved", CQ_COLUMN_NAME, e->name);
  } else {
    check_sibling(s, s->stack[s->depth].element, e->name);
    return;
  }
  e->name = cq_draft_format(s->form, "row_%lld", (long long)s->row);
}

static void check_repeat_name(survey *s, const cq_element *e) {
  if (cq_str_equal(e->name, s->form->settings.name)) fault(s, "xlsform.repeat.root", CQ_COLUMN_NAME, e->name);
  bool exact, alike;
  met(s, NULL, e->name, &exact, &alike);
  if (exact) fault(s, "xlsform.repeat.twice", CQ_COLUMN_NAME, e->name);
}

/* --- the tree --- */

static void attach(survey *s, cq_element *e) {
  cq_element *parent = s->stack[s->depth].element;
  e->parent = parent;
  e->depth = parent->depth + 1;
  if (parent->last)
    parent->last->next = e;
  else
    parent->first = e;
  parent->last = e;
}

static cq_element *add_made(survey *s, const char *type, cq_str name) {
  cq_element *e = cq_element_add(s->form, s->stack[s->depth].element, CQ_ELEMENT_QUESTION, name, s->row);
  if (!e) return NULL;
  e->type = cq_type_of(cq_str_from(type));
  e->type_text = cq_str_from(type);
  return e;
}

/* "begin group", "begin_repeat", "begin_loop over list" → its control; the list goes to *list. */
static cq_block begins(cq_str type, cq_str *list) {
  static const char *const words[] = {"looped group", "lgroup", "group", "repeat", "loop"};
  *list = (cq_str){"", 0};
  if (type.size < 7 || memcmp(type.at, "begin", 5) != 0 || (type.at[5] != ' ' && type.at[5] != '_'))
    return CQ_BLOCK_NONE;
  cq_str rest = {type.at + 6, type.size - 6};
  for (size_t i = 0; i < 5; i++) {
    if (!cq_str_starts(rest, cq_str_from(words[i]))) continue;
    cq_str after = {rest.at + strlen(words[i]), rest.size - strlen(words[i])};
    if (after.size > 0) {
      if (after.at[0] != ' ') continue;
      after = cq_str_trim(after);
      if (cq_str_starts(after, CQ_STR("over "))) after = cq_str_trim((cq_str){after.at + 5, after.size - 5});
      if (memchr(after.at, ' ', after.size)) continue;
      *list = after;
    }
    return cq_block_of(cq_str_from(words[i]));
  }
  return CQ_BLOCK_NONE;
}

static cq_block ends(cq_str type) {
  if (type.size < 5 || memcmp(type.at, "end", 3) != 0 || (type.at[3] != ' ' && type.at[3] != '_')) return CQ_BLOCK_NONE;
  return cq_block_of((cq_str){type.at + 4, type.size - 4});
}

/* repeat_count that is no bare reference gets a calculation of its own, before the repeat. */
static void add_count(survey *s, cq_element *e) {
  cq_attr *count = cq_attr_of(&e->control, "jr:count");
  cq_reference whole;
  if (!count || cq_reference_whole(count->value, &whole)) return;
  cq_str name = cq_draft_format(s->form, "%.*s_count", (int)e->name.size, e->name.at);
  check_sibling(s, s->stack[s->depth].element, name);
  cq_element *made = add_made(s, "calculate", name);
  if (!made) return;
  cq_draft_attr(s->form, &made->bind, CQ_STR("readonly"), CQ_STR("true()"), 0);
  cq_draft_attr(s->form, &made->bind, CQ_STR("calculate"), count->value, count->column);
  count->value = cq_draft_format(s->form, "${%.*s}", (int)name.size, name.at);
}

/* appearance table-list: a field-list whose selects share a header row. */
static void begin_table(survey *s, cq_element *e, frame *f) {
  cq_attr *appearance = cq_attr_of(&e->control, "appearance");
  if (!appearance) return;
  cq_buf words = {0};
  cq_buf_add_text(&words, "field-list");
  bool table = false;
  for (size_t at = 0; at < appearance->value.size;) {
    size_t end = at;
    while (end < appearance->value.size && appearance->value.at[end] != ' ') end++;
    cq_str word = {appearance->value.at + at, end - at};
    if (cq_str_is(word, "table-list")) {
      table = true;
    } else if (word.size) {
      cq_buf_add_char(&words, ' ');
      cq_buf_add_str(&words, word);
    }
    at = end + 1;
  }
  if (table) {
    appearance->value = cq_draft_copy(s->form, cq_buf_str(&words));
    f->table = true;
  }
  cq_buf_fini(&words);
}

/* The table's label and hint stand in a note, so that phones show them above the header row. */
static void add_table_label(survey *s, cq_element *group) {
  if (!group->label.count && !group->hint.count) return;
  cq_element *note =
      add_made(s, "note", cq_draft_format(s->form, "generated_table_list_label_%lld", (long long)s->row));
  if (!note) return;
  note->label = group->label;
  note->hint = group->hint;
  group->label = group->hint = (cq_phrases){0};
}

static void check_begin(survey *s, const cq_element *e, cq_block control, cq_str list) {
  const cq_attr *required = cq_attr_of(&e->bind, "required");
  if (required && cq_yes_no(required->value) != 0) {
    cq_fault_warning(s->form, "xlsform.group.required", place_of(s, CQ_COLUMN_BIND, "required"), required->value);
  }
  if (e->save_to.size) {
    cq_fault_error(s->form, "xlsform.saveto.group", place_of(s, CQ_COLUMN_BIND, "entities:saveto"), e->save_to);
  }
  if (control != CQ_BLOCK_LOOP) return;
  if (list.size == 0)
    fault(s, "xlsform.loop.nolist", CQ_COLUMN_TYPE, e->type_text);
  else if (!e->list)
    fault(s, "xlsform.list.unknown", CQ_COLUMN_TYPE, list);
}

static void begin(survey *s, cq_element *e, cq_block control, cq_str list) {
  check_name(s, e);
  e->kind = control == CQ_BLOCK_REPEAT ? CQ_ELEMENT_REPEAT : CQ_ELEMENT_GROUP;
  e->type = NULL;
  e->list = list.size ? cq_list_named(s->form, list) : NULL;
  if (e->list && control == CQ_BLOCK_LOOP) e->list->used = true;
  check_begin(s, e, control, list);
  if (s->depth == CQ_XLSFORM_MAX_DEPTH) {
    if (!s->too_deep) fault(s, "xlsform.limit.depth", CQ_COLUMN_TYPE, e->type_text);
    s->too_deep = true;
    return;
  }
  if (control == CQ_BLOCK_REPEAT) check_repeat_name(s, e);
  add_count(s, e);
  attach(s, e);
  frame *f = &s->stack[++s->depth];
  *f = (frame){.element = e, .control = control, .type_text = e->type_text};
  begin_table(s, e, f);
  if (f->table) add_table_label(s, e);
}

static void end(survey *s, const cq_element *e, cq_block control) {
  if (e->save_to.size) {
    cq_fault_error(s->form, "xlsform.saveto.group", place_of(s, CQ_COLUMN_BIND, "entities:saveto"), e->save_to);
  }
  frame *f = &s->stack[s->depth];
  if (s->depth > 0 && f->control == control) {
    if (control == CQ_BLOCK_LOOP) cq_unroll_loop(s->form, f->element);
    s->depth--;
    return;
  }
  cq_str open = s->depth > 0 ? f->type_text : (cq_str){"", 0};
  cq_fault_between(s->form, CQ_XLSFORM_ERROR, "xlsform.end.unmatched", place_of(s, CQ_COLUMN_TYPE, NULL), e->type_text,
                   NULL, open);
  /* an end that fits a group further out closes what stands open within it, so that the rest is read as meant */
  for (int depth = s->depth; depth > 0; depth--) {
    if (s->stack[depth].control != control) continue;
    s->depth = depth - 1;
    return;
  }
}

/* --- questions --- */

const char *cq_file_extension(cq_str name) {
  static const char *const known[] = {"csv", "xml", "geojson"};
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(known[i]);
    if (name.size > size + 1 && name.at[name.size - size - 1] == '.' &&
        memcmp(name.at + name.size - size, known[i], size) == 0) {
      return known[i];
    }
  }
  return NULL;
}

/* "select_one list or_other" → its word, list and whether others may be told. */
static const cq_select_word *select_of(cq_str type, cq_str *list, bool *other) {
  static const char *const others[] = {" or specify other", " or_other", " or other"};
  const cq_select_word *best = NULL;
  for (size_t i = 0; cq_select_word_at(i); i++) {
    const cq_select_word *word = cq_select_word_at(i);
    size_t size = strlen(word->name);
    if (type.size <= size + 1 || type.at[size] != ' ' || memcmp(type.at, word->name, size) != 0) continue;
    cq_str rest = {type.at + size + 1, type.size - size - 1};
    bool told = false;
    for (int j = 0; j < 3 && !told; j++) {
      size_t tail = strlen(others[j]);
      told = rest.size > tail && memcmp(rest.at + rest.size - tail, others[j], tail) == 0 &&
             !memchr(rest.at, ' ', rest.size - tail);
      if (told) rest.size -= tail;
    }
    if (rest.size == 0 || memchr(rest.at, ' ', rest.size)) continue;
    best = word;
    *list = rest;
    *other = told;
  }
  return best;
}

static cq_str nearest_list(const cq_form_draft *form, cq_str name) {
  cq_str names[512];
  size_t count = 0;
  for (const cq_list *list = form->lists; list && count < 512; list = list->next) names[count++] = list->name;
  return cq_nearest(name, names, count);
}

static void list_unknown(survey *s, cq_str name) {
  cq_form_draft *form = s->form;
  if (form->lists) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.list.unknown", place_of(s, CQ_COLUMN_TYPE, NULL), name, NULL,
             nearest_list(form, name));
  } else {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.sheet.choices", place_of(s, CQ_COLUMN_TYPE, NULL), name,
             "choices: list_name, name, label", cq_book_similar(form, "choices"));
  }
}

static void check_external_list(survey *s, const cq_element *e) {
  cq_form_draft *form = s->form;
  for (const cq_list *list = form->external_lists; list; list = list->next) {
    if (cq_str_equal(list->name, e->list_name)) return;
  }
  if (form->external_lists) {
    fault(s, "xlsform.list.external", CQ_COLUMN_TYPE, e->list_name);
  } else {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.sheet.external", place_of(s, CQ_COLUMN_TYPE, NULL), e->list_name,
             "external_choices: list_name, name", cq_book_similar(form, "external_choices"));
  }
}

static void check_multiple_names(survey *s, const cq_element *e) {
  for (const cq_list_item *choice = e->list->first; choice; choice = choice->next) {
    if (!memchr(choice->name.at, ' ', choice->name.size)) continue;
    cq_fault_error(s->form, "xlsform.choice.space", (cq_place){"choices", choice->row, 0, {"", 0}}, choice->name);
  }
}

/* The choice "other" at the end of the list, once, and a text question after the select. */
static void add_other(survey *s, cq_element *e) {
  cq_form_draft *form = s->form;
  if (e->choice_filter.size) {
    fault(s, "xlsform.other.filter", CQ_COLUMN_CHOICE_FILTER, e->choice_filter);
    return;
  }
  if (!e->list) {
    fault(s, "xlsform.other.nolist", CQ_COLUMN_TYPE, e->list_name);
    return;
  }
  bool there = false;
  cq_list_item *choice = cq_draft_alloc(form, sizeof *choice);
  if (!choice) return;
  choice->name = CQ_STR("other");
  for (const cq_list_item *at = e->list->first; at; at = at->next) {
    there = there || cq_str_is(at->name, "other");
    for (size_t i = 0; i < at->label.count && at->label.translated; i++) {
      bool known = false;
      for (size_t j = 0; j < choice->label.count; j++) {
        known = known || cq_str_equal(choice->label.at[j].language, at->label.at[i].language);
      }
      if (!known) cq_phrase_add(form, &choice->label, at->label.at[i].language, CQ_STR("Other"), 0);
    }
  }
  if (choice->label.count == 0) cq_phrase_add(form, &choice->label, (cq_str){"", 0}, CQ_STR("Other"), 0);
  if (!there) {
    if (e->list->last)
      e->list->last->next = choice;
    else
      e->list->first = choice;
    e->list->last = choice;
    e->list->count++;
  }
  cq_element *text = add_made(s, "text", cq_draft_format(form, "%.*s_other", (int)e->name.size, e->name.at));
  if (!text) return;
  cq_phrase_add(form, &text->label, (cq_str){"", 0}, CQ_STR("Specify other."), 0);
  cq_draft_attr(form, &text->bind, CQ_STR("relevant"),
                cq_draft_format(form, "selected(../%.*s, 'other')", (int)e->name.size, e->name.at), 0);
}

/* The first select of a table gives it a header row of labels. */
static void join_table(survey *s, cq_element *e) {
  frame *f = &s->stack[s->depth];
  if (!f->table) return;
  if (!f->table_known) {
    f->table_known = true;
    f->table_list = e->list_name;
    if (e->choice_filter.size) fault(s, "xlsform.table.filter", CQ_COLUMN_CHOICE_FILTER, e->choice_filter);
    cq_element *header = add_made(
        s, e->type->name, cq_draft_format(s->form, "reserved_name_for_field_list_labels_%lld", (long long)s->row));
    if (!header) return;
    header->list_name = e->list_name;
    header->list = e->list;
    cq_draft_attr(s->form, &header->control, CQ_STR("appearance"), CQ_STR("label"), 0);
    cq_phrase_add(s->form, &header->label, (cq_str){"", 0}, CQ_STR(" "), 0);
  }
  if (!cq_str_equal(f->table_list, e->list_name)) {
    cq_fault_between(s->form, CQ_XLSFORM_ERROR, "xlsform.table.list", place_of(s, CQ_COLUMN_TYPE, NULL), e->list_name,
                     NULL, f->table_list);
  }
  cq_draft_attr(s->form, &e->control, CQ_STR("appearance"), CQ_STR("list-nolabel"), 0);
}

static void read_select(survey *s, cq_element *e, const cq_select_word *word, bool other) {
  e->from_file = word->from_file;
  e->list = cq_list_named(s->form, e->list_name);
  if (e->list) e->list->used = true;
  const char *extension = cq_file_extension(e->list_name);
  if (e->type->kind == CQ_KIND_SELECT_EXTERNAL) {
    check_external_list(s, e);
    if (!e->choice_filter.size)
      cq_fault_warning(s->form, "xlsform.external.nofilter", place_of(s, CQ_COLUMN_TYPE, NULL), e->name);
  } else if (word->from_file && !extension) {
    cq_fault(s->form, CQ_XLSFORM_ERROR, "xlsform.file.extension", place_of(s, CQ_COLUMN_TYPE, NULL), e->list_name,
             ".csv, .xml, .geojson", (cq_str){"", 0});
  } else if (!e->list && !extension && !cq_reference_any(e->list_name)) {
    list_unknown(s, e->list_name);
  }
  if (e->list && strcmp(e->type->tag, "select") == 0 && !extension) check_multiple_names(s, e);
  cq_apply_parameters(s->form, e);
  join_table(s, e);
  attach(s, e);
  if (other) add_other(s, e);
}

static void check_default(survey *s, cq_element *e) {
  if (!e->default_value.size) return;
  if (!cq_default_is_dynamic(e->default_value, e->type)) return;
  cq_error error;
  if (!cq_expression_read(s->form, e->default_value, &error) && error.code &&
      strncmp(error.code, "xpath.function", 14) != 0 && !cq_reference_any(e->default_value)) {
    cq_fault_warning(s->form, "xlsform.default.text", place_of(s, CQ_COLUMN_DEFAULT, NULL), e->default_value);
    return; /* "1405-" looks like an expression and is none: it stands as it is */
  }
  e->dynamic_default = true;
  cq_add_action(s->form, e, "setvalue", "odk-instance-first-load", e->default_value, (cq_str){"", 0});
  bool repeated = false;
  for (int i = 1; i <= s->depth; i++) repeated = repeated || s->stack[i].control == CQ_BLOCK_REPEAT;
  if (repeated) cq_add_action(s->form, e, "setvalue", "odk-new-repeat", e->default_value, (cq_str){"", 0});
}

static void read_audit(survey *s, cq_element *e) {
  if (e->name.size && !cq_str_is(e->name, "audit")) fault(s, "xlsform.audit.name", CQ_COLUMN_NAME, e->name);
  e->name = CQ_STR("audit");
  cq_apply_parameters(s->form, e);
  e->parent = s->form->meta;
  e->depth = s->form->meta->depth + 1;
  e->next = s->form->meta->first;
  if (s->form->meta->last) {
    s->form->meta->last->next = e;
    e->next = NULL;
  } else {
    s->form->meta->first = e;
  }
  s->form->meta->last = e;
}

static void check_question(survey *s, cq_element *e) {
  const cq_attr *calculation = cq_attr_of(&e->bind, "calculate");
  if (e->type->kind == CQ_KIND_CALCULATE && !calculation && !e->dynamic_default) {
    cq_fault_error(s->form, "xlsform.calculation.missing", place_of(s, CQ_COLUMN_BIND, "calculate"), e->name);
  }
  if (e->type->kind == CQ_KIND_EXTERNAL) {
    e->kind = CQ_ELEMENT_EXTERNAL;
    bool repeated = false;
    for (int i = 1; i <= s->depth; i++) repeated = repeated || s->stack[i].control == CQ_BLOCK_REPEAT;
    if (repeated) fault(s, "xlsform.external.repeat", CQ_COLUMN_TYPE, e->name);
  }
  if (e->type->kind == CQ_KIND_BACKGROUND_GEOPOINT) {
    if (!e->trigger_text.size) fault(s, "xlsform.geopoint.notrigger", CQ_COLUMN_TRIGGER, e->name);
    if (calculation)
      cq_fault_error(s->form, "xlsform.geopoint.calculation", place_of(s, CQ_COLUMN_BIND, "calculate"),
                     calculation->value);
  }
  if (strcmp(e->type->canon, "subscriberid") == 0 || strcmp(e->type->canon, "simserial") == 0) {
    cq_fault_warning(s->form, "xlsform.type.deprecated", place_of(s, CQ_COLUMN_TYPE, NULL), e->type_text);
  }
}

static cq_str nearest_type(cq_str text) {
  cq_str names[160];
  size_t count = 0;
  for (size_t i = 0; cq_type_at(i); i++) names[count++] = cq_str_from(cq_type_at(i)->name);
  for (size_t i = 0; cq_select_word_at(i); i++) names[count++] = cq_str_from(cq_select_word_at(i)->name);
  static const char *const more[] = {"begin_group", "end_group", "begin_repeat", "end_repeat",
                                     "begin group", "end group", "begin repeat", "end repeat"};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) names[count++] = cq_str_from(more[i]);
  const char *gap = memchr(text.at, ' ', text.size);
  cq_str nearest = cq_nearest(text, names, count);
  if (!nearest.size && gap) nearest = cq_nearest((cq_str){text.at, (size_t)(gap - text.at)}, names, count);
  return nearest;
}

static void read_question(survey *s, cq_element *e) {
  bool other = false;
  const cq_select_word *word = select_of(e->type_text, &e->list_name, &other);
  bool osm = !word && cq_str_starts(e->type_text, CQ_STR("osm "));
  e->type = cq_type_of(word ? cq_str_from(word->canon) : osm ? CQ_STR("osm") : e->type_text);
  if (e->type && e->type->kind == CQ_KIND_AUDIT) {
    read_audit(s, e);
    return;
  }
  check_name(s, e);
  if (!e->type || (!word && (e->type->kind == CQ_KIND_SELECT || e->type->kind == CQ_KIND_RANK ||
                             e->type->kind == CQ_KIND_SELECT_EXTERNAL))) {
    cq_fault(s->form, CQ_XLSFORM_ERROR, "xlsform.type.unknown", place_of(s, CQ_COLUMN_TYPE, NULL), e->type_text, NULL,
             nearest_type(e->type_text));
    e->type = cq_type_of(CQ_STR("hidden"));
    attach(s, e);
    return;
  }
  check_default(s, e);
  check_question(s, e);
  if (word) {
    read_select(s, e, word, other);
  } else {
    if (osm) e->list_name = cq_str_trim((cq_str){e->type_text.at + 4, e->type_text.size - 4});
    cq_apply_parameters(s->form, e);
    attach(s, e);
  }
  if (e->missing.size) cq_add_missing(s->form, e);
}

static void read_row(survey *s, const cq_row *row) {
  bool skip = false;
  cq_element *e = read_cells(s, row, &skip);
  if (!e || skip) return;
  if (e->type_text.size == 0) {
    if (e->name.size || e->label.count)
      fault(s, "xlsform.type.missing", CQ_COLUMN_TYPE, e->name);
    else
      cq_fault_warning(s->form, "xlsform.row.skipped", (cq_place){"survey", s->row, 0, {"", 0}}, (cq_str){"", 0});
    return;
  }
  cq_str list;
  cq_block control = ends(e->type_text);
  if (control != CQ_BLOCK_NONE) {
    end(s, e, control);
    return;
  }
  control = begins(e->type_text, &list);
  if (control != CQ_BLOCK_NONE)
    begin(s, e, control, list);
  else
    read_question(s, e);
}

static void add_meta_question(cq_form_draft *form, const char *name, const char *attribute, cq_str value,
                              int64_t column_number) {
  cq_element *e = cq_element_add(form, form->meta, CQ_ELEMENT_QUESTION, cq_str_from(name), 0);
  if (!e) return;
  e->type = cq_type_of(CQ_STR("calculate"));
  cq_draft_attr(form, &e->bind, cq_str_from(attribute), value, column_number);
}

static void finish_meta(cq_form_draft *form) {
  const cq_settings *set = &form->settings;
  if (!set->omit_instance_id) {
    cq_str preload = set->instance_id.size ? set->instance_id : CQ_STR("uid");
    add_meta_question(form, "instanceID", "jr:preload", preload, 0);
    if (form->meta->last) cq_draft_attr(form, &form->meta->last->bind, CQ_STR("readonly"), CQ_STR("true()"), 0);
  }
  if (set->instance_name.size)
    add_meta_question(form, "instanceName", "calculate", set->instance_name, set->instance_name_column);
}

static bool open_sheet(survey *s) {
  cq_form_draft *form = s->form;
  if (!cq_book_sheet(form, "survey")) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.sheet.survey", (cq_place){0}, (cq_str){"", 0}, "survey",
             cq_book_similar(form, "survey"));
    return false;
  }
  if (!cq_headed_sheet_open(form, &s->sheet, "survey", cq_survey_column_of) ||
      !cq_headed_sheet_has(&s->sheet, CQ_COLUMN_TYPE)) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.header.missing", (cq_place){"survey", 1, 0, {"", 0}}, CQ_STR("type"),
             "type, name, label", (cq_str){"", 0});
    return false;
  }
  s->sheet.collapse = form->settings.clean_text;
  return true;
}

void cq_read_survey(cq_form_draft *form) {
  survey *s = cq_draft_alloc(form, sizeof *s);
  if (!s) return;
  s->form = form;
  s->slots = cq_draft_alloc(form, CQ_SLOTS * sizeof *s->slots);
  form->root = cq_element_add(form, NULL, CQ_ELEMENT_SURVEY, form->settings.name, 0);
  if (!form->root || !s->slots) return;
  form->meta = cq_draft_alloc(form, sizeof *form->meta);
  if (!form->meta) return;
  form->meta->kind = CQ_ELEMENT_META;
  form->meta->name = CQ_STR("meta");
  form->meta->parent = form->root;
  form->meta->depth = 1;
  s->stack[0] = (frame){.element = form->root};
  if (open_sheet(s)) {
    for (size_t i = 1; i < s->sheet.sheet->count; i++) read_row(s, &s->sheet.sheet->rows[i]);
    for (; s->depth > 0; s->depth--) {
      s->row = s->stack[s->depth].element->row;
      fault(s, "xlsform.begin.unmatched", CQ_COLUMN_TYPE, s->stack[s->depth].type_text);
    }
  }
  finish_meta(form);
  if (form->missing_used) cq_add_missing_list(form);
}
