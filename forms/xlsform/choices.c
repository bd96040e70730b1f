/* SPDX-License-Identifier: Apache-2.0 */
/* Choice lists: sheets choices, external_choices and osm. */
#include "forms/xlsform/references.h"
#include "forms/xlsform/sheet.h"

#include <string.h>

static cq_place at(const cq_headed_sheet *sheet, const cq_row *row, const cq_header *header) {
  return (cq_place){sheet->name, row->number, header ? header->column : 0, header ? header->text : (cq_str){"", 0}};
}

static const cq_header *header_of(const cq_headed_sheet *sheet, cq_column_id id) {
  for (uint32_t i = 0; i < sheet->header_count; i++) {
    if (sheet->headers[i].word && sheet->headers[i].word->id == id) return &sheet->headers[i];
  }
  return NULL;
}

static cq_list *list_add(cq_form_draft *form, cq_list **first, cq_list **last, cq_str name, int64_t row) {
  cq_list *list = cq_draft_alloc(form, sizeof *list);
  if (!list) return NULL;
  list->name = name;
  list->row = row;
  if (*last)
    (*last)->next = list;
  else
    *first = list;
  *last = list;
  return list;
}

/* The list of that name, made where it is new. `hashed`: the lists of sheet choices. */
static cq_list *list_for(cq_form_draft *form, cq_list **first, cq_list **last, cq_str name, int64_t row, bool hashed) {
  if (!hashed) {
    for (cq_list *list = *first; list; list = list->next) {
      if (cq_str_equal(list->name, name)) return list;
    }
    return list_add(form, first, last, name, row);
  }
  cq_list *list = cq_list_named(form, name);
  if (list) return list;
  list = list_add(form, first, last, name, row);
  if (!list) return NULL;
  cq_list **slot = &form->list_slots[cq_name_hash(name) % CQ_SLOTS];
  list->next_in_slot = *slot;
  *slot = list;
  return list;
}

static void take_cell(cq_form_draft *form, const cq_headed_sheet *sheet, const cq_header *header, cq_str text,
                      cq_list_item *choice, cq_str *list_name, const bool *usable) {
  cq_str value = cq_cell_text(form, sheet, text);
  switch (header->word ? header->word->id : CQ_COLUMN_UNKNOWN) {
  case CQ_COLUMN_LIST: *list_name = value; break;
  case CQ_COLUMN_NAME: choice->name = value; break;
  case CQ_COLUMN_LABEL: cq_phrase_add(form, &choice->label, header->language, value, header->column); break;
  case CQ_COLUMN_MEDIA:
    for (int i = 0; i < CQ_MEDIA_COUNT; i++) {
      if (cq_str_is(header->attribute, cq_media_names[i])) {
        cq_phrase_add(form, &choice->media[i], header->language, value, header->column);
      }
    }
    break;
  default:
    if (usable[header->column - 1]) cq_draft_attr(form, &choice->extra, header->text, value, header->column);
    break;
  }
}

/* Other columns become elements of the items, so they must be names; notes to oneself may stand there too. */
static bool *usable_columns(cq_form_draft *form, const cq_headed_sheet *sheet) {
  bool *usable = cq_draft_alloc(form, sheet->header_count * sizeof *usable + 1);
  for (uint32_t i = 0; usable && i < sheet->header_count; i++) {
    const cq_header *header = &sheet->headers[i];
    if (!header->column || header->word) continue;
    usable[i] = cq_name_valid(header->text) && !memchr(header->text.at, ':', header->text.size);
    if (!usable[i])
      cq_fault_warning(form, "xlsform.choice.header", at(sheet, &sheet->sheet->rows[0], header), header->text);
  }
  return usable;
}

static void finish_choice(cq_form_draft *form, cq_list *list, cq_list_item *choice) {
  cq_phrases_finish(form, &choice->label);
  if (choice->label.translated) list->itext = true;
  for (int i = 0; i < CQ_MEDIA_COUNT; i++) {
    cq_phrases_finish(form, &choice->media[i]);
    if (choice->media[i].count) list->itext = true;
  }
  for (size_t i = 0; i < choice->label.count; i++) {
    if (cq_reference_any(choice->label.at[i].text)) list->itext = true;
  }
  if (list->last)
    list->last->next = choice;
  else
    list->first = choice;
  list->last = choice;
  list->count++;
}

static void read_row(cq_form_draft *form, const cq_headed_sheet *sheet, const cq_row *row, cq_list **first,
                     cq_list **last, const bool *usable, bool strict) {
  cq_list_item *choice = cq_draft_alloc(form, sizeof *choice);
  if (!choice) return;
  cq_str list_name = {"", 0};
  choice->row = row->number;
  for (uint32_t i = 0; i < row->count; i++) {
    const cq_header *header = cq_header_at(sheet, row->cells[i].column);
    if (header) take_cell(form, sheet, header, row->cells[i].text, choice, &list_name, usable);
  }
  if (list_name.size == 0) return; /* a note of the author's, or a gap */
  cq_list *list = list_for(form, first, last, list_name, row->number, strict);
  if (!list) return;
  const cq_header *names = header_of(sheet, CQ_COLUMN_NAME);
  if (strict && choice->name.size == 0) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.choice.noname", at(sheet, row, names), list_name, NULL, (cq_str){"", 0});
    return;
  }
  if (strict && choice->label.count == 0) {
    cq_fault_warning(form, "xlsform.choice.nolabel", at(sheet, row, header_of(sheet, CQ_COLUMN_LABEL)), choice->name);
  }
  finish_choice(form, list, choice);
}

enum { CHOICE_SLOTS = 8192 };

/* The same name twice in a list: each later one is a fault. */
static void check_twice(cq_form_draft *form, const cq_headed_sheet *sheet) {
  const cq_header *names = header_of(sheet, CQ_COLUMN_NAME);
  typedef struct slot {
    struct slot *next;
    const cq_list_item *choice;
  } slot;
  for (const cq_list *list = form->lists; list; list = list->next) {
    size_t slots = list->count < CHOICE_SLOTS ? list->count | 1 : CHOICE_SLOTS;
    cq_arena_mark here = cq_arena_save(form->arena);
    slot **table = cq_draft_alloc(form, slots * sizeof *table);
    size_t faults = form->faults.count;
    for (const cq_list_item *choice = list->first; table && choice; choice = choice->next) {
      slot **place = &table[cq_name_hash(choice->name) % slots];
      const slot *same = *place;
      while (same && !cq_str_equal(same->choice->name, choice->name)) same = same->next;
      if (same) {
        cq_place where = {sheet->name, choice->row, names ? names->column : 0, names ? names->text : (cq_str){"", 0}};
        cq_fault_between(form, CQ_XLSFORM_ERROR, "xlsform.choice.twice", where, choice->name, NULL, list->name);
        continue;
      }
      slot *added = cq_draft_alloc(form, sizeof *added);
      if (!added) break;
      *added = (slot){*place, choice};
      *place = added;
    }
    if (form->faults.count == faults) cq_arena_rewind(form->arena, here); /* faults keep their words in the arena */
  }
}

static void read_lists(cq_form_draft *form, const char *name, cq_list **first, cq_list **last, bool strict) {
  cq_headed_sheet sheet;
  if (!cq_headed_sheet_open(form, &sheet, name, cq_choice_column_of)) return;
  sheet.straighten = form->settings.clean_text || !strict;
  const bool *usable = usable_columns(form, &sheet);
  if (!usable) return;
  if (strict && sheet.sheet->count > 1 && !cq_headed_sheet_has(&sheet, CQ_COLUMN_NAME)) {
    cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.header.missing",
             (cq_place){name, sheet.sheet->rows[0].number, 0, {"", 0}}, CQ_STR("name"), "list_name, name, label",
             (cq_str){"", 0});
    return;
  }
  for (size_t i = 1; i < sheet.sheet->count; i++) {
    read_row(form, &sheet, &sheet.sheet->rows[i], first, last, usable, strict);
  }
  if (strict && !form->settings.allow_duplicates) check_twice(form, &sheet);
}

void cq_read_choices(cq_form_draft *form) {
  cq_list *last = NULL;
  read_lists(form, "choices", &form->lists, &form->last_list, true);
  read_lists(form, "external_choices", &form->external_lists, &last, false);
  last = NULL;
  read_lists(form, "osm", &form->osm_lists, &last, false);
}
