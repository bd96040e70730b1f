/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/sheet.h"

#include <string.h>
#include <strings.h>

static bool same_word(cq_str a, const char *b) {
  return a.size == strlen(b) && strncasecmp(a.at, b, a.size) == 0;
}

const cq_sheet *cq_book_sheet(const cq_form_draft *form, const char *name) {
  const cq_sheet *found = cq_workbook_sheet(form->book, name);
  for (size_t i = 0; !found && i < form->book->count; i++) {
    if (same_word(form->book->sheets[i].name, name)) found = &form->book->sheets[i];
  }
  if (!found && form->book->count == 1 && strcmp(name, "survey") == 0) found = &form->book->sheets[0];
  return found;
}

cq_str cq_book_similar(const cq_form_draft *form, const char *name) {
  cq_str names[CQ_XLSFORM_MAX_SHEETS];
  size_t count = 0;
  for (size_t i = 0; i < form->book->count; i++) {
    cq_str sheet = form->book->sheets[i].name;
    if (sheet.size && sheet.at[0] != '_')
      names[count++] = sheet; /* authors set an underscore before a sheet to hide it */
  }
  return cq_nearest(cq_str_from(name), names, count);
}

/* "  Required   Message " → "required_message" */
static cq_str snake(cq_form_draft *form, cq_str text) {
  char *out = cq_draft_alloc(form, text.size + 1);
  if (!out) return (cq_str){"", 0};
  size_t size = 0;
  bool gap = false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      gap = size > 0;
      continue;
    }
    if (gap) out[size++] = '_';
    gap = false;
    out[size++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  return (cq_str){out, size};
}

enum { MAX_PARTS = 4 };

/* Cuts a header at "::", or at ":" in sheets that never write "::" ("jr:count" stays one part). */
static size_t cut(cq_str text, bool doubled, cq_str parts[MAX_PARTS]) {
  size_t count = 0, from = 0, step = doubled ? 2 : 1;
  for (size_t i = 0; i <= text.size && count < MAX_PARTS; i++) {
    bool at_end = i == text.size;
    bool at_mark = !at_end && text.at[i] == ':' && (!doubled || (i + 1 < text.size && text.at[i + 1] == ':'));
    if (at_mark && !doubled && cq_str_is((cq_str){text.at + from, i - from}, "jr")) continue;
    if (!at_end && !at_mark) continue;
    parts[count++] = cq_str_trim((cq_str){text.at + from, i - from});
    from = i + step;
    if (at_mark) i += step - 1;
  }
  return count;
}

static cq_header understand(cq_form_draft *form, cq_str text, bool doubled, cq_column_lookup *lookup) {
  cq_header header = {.text = text, .attribute = {"", 0}, .language = {"", 0}};
  header.plain = snake(form, text);
  header.word = lookup(header.plain);
  if (header.word && header.word->id != CQ_COLUMN_MEDIA) {
    if (header.word->attribute) header.attribute = cq_str_from(header.word->attribute);
    return header;
  }
  cq_str parts[MAX_PARTS];
  size_t count = cut(text, doubled || strstr(text.at, "::"), parts);
  if (count == 0) return header;
  header.plain = snake(form, parts[0]);
  header.word = lookup(header.plain);
  if (!header.word) {
    header.plain = text;
    return header;
  }
  size_t next = 1;
  if (header.word->attribute) {
    header.attribute = cq_str_from(header.word->attribute);
  } else if (header.word->id == CQ_COLUMN_MEDIA || header.word->id == CQ_COLUMN_BIND ||
             header.word->id == CQ_COLUMN_CONTROL || header.word->id == CQ_COLUMN_INSTANCE) {
    if (next < count) header.attribute = parts[next++];
  }
  if (next < count) header.language = parts[next];
  return header;
}

static bool same_column(const cq_header *a, const cq_header *b) {
  if (!a->word || !b->word) return !a->word && !b->word && cq_str_equal(a->plain, b->plain);
  if (a->word->id == CQ_COLUMN_UNKNOWN) return cq_str_equal(a->plain, b->plain); /* settings, entities */
  return a->word->id == b->word->id && a->word->id != CQ_COLUMN_IGNORED && cq_str_equal(a->attribute, b->attribute) &&
         cq_str_equal(a->language, b->language);
}

static void check_twice(cq_form_draft *form, const cq_headed_sheet *sheet, uint32_t column) {
  const cq_header *header = &sheet->headers[column];
  for (uint32_t i = 0; i < column; i++) {
    if (sheet->headers[i].column == 0 || !same_column(&sheet->headers[i], header)) continue;
    cq_place place = {sheet->name, sheet->sheet->rows[0].number, header->column, header->text};
    cq_fault_between(form, CQ_XLSFORM_ERROR, "xlsform.header.twice", place, header->text, NULL, sheet->headers[i].text);
    return;
  }
}

bool cq_headed_sheet_open(cq_form_draft *form, cq_headed_sheet *sheet, const char *name, cq_column_lookup *lookup) {
  *sheet = (cq_headed_sheet){.name = name, .sheet = cq_book_sheet(form, name), .straighten = true};
  if (!sheet->sheet || sheet->sheet->count == 0) return false;
  const cq_row *row = &sheet->sheet->rows[0];
  sheet->header_count = row->cells[row->count - 1].column + 1;
  sheet->headers = cq_draft_alloc(form, sheet->header_count * sizeof *sheet->headers);
  if (!sheet->headers) return false;
  bool doubled = false;
  for (uint32_t i = 0; i < row->count; i++) doubled = doubled || strstr(row->cells[i].text.at, "::");
  for (uint32_t i = 0; i < row->count; i++) {
    cq_header *header = &sheet->headers[row->cells[i].column];
    *header = understand(form, row->cells[i].text, doubled, lookup);
    header->column = (int64_t)row->cells[i].column + 1;
    check_twice(form, sheet, row->cells[i].column);
  }
  return true;
}

bool cq_headed_sheet_has(const cq_headed_sheet *sheet, cq_column_id id) {
  for (uint32_t i = 0; i < sheet->header_count; i++) {
    if (sheet->headers[i].word && sheet->headers[i].word->id == id) return true;
  }
  return false;
}

const cq_header *cq_header_at(const cq_headed_sheet *sheet, uint32_t column) {
  return column < sheet->header_count && sheet->headers[column].column ? &sheet->headers[column] : NULL;
}

cq_str cq_cell_text(cq_form_draft *form, const cq_headed_sheet *sheet, cq_str text) {
  bool change = false;
  for (size_t i = 0; !change && i < text.size; i++) {
    change = (sheet->collapse && text.at[i] == ' ' && i + 1 < text.size && text.at[i + 1] == ' ') ||
             (sheet->straighten && text.at[i] == '\xE2');
  }
  if (!change) return text;
  char *out = cq_draft_alloc(form, text.size + 1);
  if (!out) return text;
  size_t size = 0;
  for (size_t i = 0; i < text.size; i++) {
    if (sheet->collapse && text.at[i] == ' ' && size > 0 && out[size - 1] == ' ') continue;
    if (sheet->straighten && text.size - i >= 3 && memcmp(text.at + i, "\xE2\x80", 2) == 0 &&
        (text.at[i + 2] == '\x98' || text.at[i + 2] == '\x99' || text.at[i + 2] == '\x9C' ||
         text.at[i + 2] == '\x9D')) {
      out[size++] = text.at[i + 2] <= '\x99' ? '\'' : '"';
      i += 2;
    } else {
      out[size++] = text.at[i];
    }
  }
  return (cq_str){out, size};
}

void cq_phrase_add(cq_form_draft *form, cq_phrases *phrases, cq_str language, cq_str text, int64_t column) {
  cq_phrase *grown = cq_draft_alloc(form, (phrases->count + 1) * sizeof *grown);
  if (!grown) return;
  if (phrases->count) memcpy(grown, phrases->at, phrases->count * sizeof *grown);
  grown[phrases->count++] = (cq_phrase){.language = language, .text = text, .column = column};
  phrases->at = grown;
  if (language.size) phrases->translated = true;
}

void cq_phrases_finish(cq_form_draft *form, cq_phrases *phrases) {
  if (!phrases->translated) return;
  cq_str main = form->settings.default_language;
  size_t kept = 0;
  bool has_main = false;
  for (size_t i = 0; i < phrases->count; i++) has_main = has_main || cq_str_equal(phrases->at[i].language, main);
  for (size_t i = 0; i < phrases->count; i++) {
    if (phrases->at[i].language.size == 0 && has_main) continue;
    phrases->at[kept] = phrases->at[i];
    if (phrases->at[kept].language.size == 0) phrases->at[kept].language = main;
    kept++;
  }
  phrases->count = kept;
}

cq_str cq_phrases_text(const cq_form_draft *form, const cq_phrases *phrases, const char *language) {
  if (phrases->count == 0) return (cq_str){"", 0};
  cq_str wanted = language ? cq_str_from(language) : form->settings.default_language;
  for (size_t i = 0; i < phrases->count; i++) {
    if (cq_str_equal(phrases->at[i].language, wanted)) return phrases->at[i].text;
  }
  for (size_t i = 0; i < phrases->count; i++) {
    if (cq_str_equal(phrases->at[i].language, form->settings.default_language)) return phrases->at[i].text;
  }
  return phrases->at[0].text;
}
