/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong, where it stands, and what was perhaps meant. */
#include "forms/xlsform/form.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 160, NEAR_BYTES = 64 };

static const char *keep(cq_form_draft *form, cq_str text) {
  if (text.size > SHOWN) {
    text.size = SHOWN - 3;
    while (text.size > 0 && ((unsigned char)text.at[text.size] & 0xC0) == 0x80) text.size--;
    return cq_draft_format(form, "%.*s...", (int)text.size, text.at).at;
  }
  return text.size ? cq_draft_copy(form, text).at : "";
}

/* "survey!C14"; without a row or column what is left of it. */
static const char *cell(cq_form_draft *form, cq_place place) {
  char letters[8] = {0};
  size_t count = 0;
  for (int64_t c = place.column; c > 0 && count < 7; c = (c - 1) / 26) {
    memmove(letters + 1, letters, count++);
    letters[0] = (char)('A' + (c - 1) % 26);
  }
  if (!place.sheet || !*place.sheet) return "";
  if (place.row > 0) return cq_draft_format(form, "%s!%s%lld", place.sheet, letters, (long long)place.row).at;
  return place.sheet;
}

static void add(cq_form_draft *form, cq_xlsform_severity severity, const char *code, cq_place place, cq_str found,
                const char *expected, cq_str nearest, cq_str other) {
  cq_fault_list *list = &form->faults;
  size_t *count = severity == CQ_XLSFORM_ERROR ? &list->errors : &list->warnings;
  if ((*count)++ >= CQ_XLSFORM_MAX_FAULTS) return;
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 32;
    cq_xlsform_fault *at = realloc(list->at, room * sizeof *at);
    if (!at) {
      form->no_memory = true;
      return;
    }
    list->at = at;
    list->room = room;
  }
  list->at[list->count++] = (cq_xlsform_fault){.severity = severity,
                                               .code = code,
                                               .sheet = place.sheet ? place.sheet : "",
                                               .row = place.row,
                                               .column = place.column,
                                               .cell = cell(form, place),
                                               .header = keep(form, place.header),
                                               .found = keep(form, found),
                                               .expected = expected ? expected : "",
                                               .nearest = keep(form, nearest),
                                               .other = keep(form, other)};
}

void cq_fault(cq_form_draft *form, cq_xlsform_severity severity, const char *code, cq_place place, cq_str found,
              const char *expected, cq_str nearest) {
  add(form, severity, code, place, found, expected, nearest, (cq_str){"", 0});
}

void cq_fault_between(cq_form_draft *form, cq_xlsform_severity severity, const char *code, cq_place place, cq_str found,
                      const char *expected, cq_str other) {
  add(form, severity, code, place, found, expected, (cq_str){"", 0}, other);
}

void cq_fault_error(cq_form_draft *form, const char *code, cq_place place, cq_str found) {
  cq_fault(form, CQ_XLSFORM_ERROR, code, place, found, NULL, (cq_str){"", 0});
}

void cq_fault_warning(cq_form_draft *form, const char *code, cq_place place, cq_str found) {
  cq_fault(form, CQ_XLSFORM_WARNING, code, place, found, NULL, (cq_str){"", 0});
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Edits (insert, delete, replace, without regard to case) that turn a into b. */
static size_t distance(cq_str a, cq_str b) {
  size_t line[NEAR_BYTES + 1];
  for (size_t j = 0; j <= b.size; j++) line[j] = j;
  for (size_t i = 0; i < a.size; i++) {
    size_t corner = line[0];
    line[0] = i + 1;
    for (size_t j = 0; j < b.size; j++) {
      char x = a.at[i], y = b.at[j];
      if (x >= 'A' && x <= 'Z') x = (char)(x + 32);
      if (y >= 'A' && y <= 'Z') y = (char)(y + 32);
      size_t replaced = corner + (x != y);
      corner = line[j + 1];
      line[j + 1] = smaller(replaced, smaller(line[j], corner) + 1);
    }
  }
  return line[b.size];
}

cq_str cq_nearest(cq_str found, const cq_str *names, size_t count) {
  cq_str best = {"", 0};
  if (found.size == 0 || found.size > NEAR_BYTES) return best;
  size_t least = found.size / 3 + 2; /* at most a third and one more */
  for (size_t i = 0; i < count; i++) {
    if (names[i].size == 0 || names[i].size > NEAR_BYTES) continue;
    size_t apart = names[i].size > found.size ? names[i].size - found.size : found.size - names[i].size;
    if (apart >= least) continue;
    size_t edits = distance(found, names[i]);
    if (edits < least && edits < names[i].size) least = edits, best = names[i];
  }
  return best;
}

static int sheet_order(const char *sheet) {
  static const char *const order[] = {"", "settings", "survey", "choices", "external_choices", "entities", "osm"};
  for (int i = 0; i < 7; i++) {
    if (strcmp(sheet, order[i]) == 0) return i;
  }
  return 7;
}

static int by_place(const void *a, const void *b) {
  const cq_xlsform_fault *x = a, *y = b;
  int sheets = sheet_order(x->sheet) - sheet_order(y->sheet);
  if (sheets) return sheets;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  if (x->column != y->column) return x->column < y->column ? -1 : 1;
  if (x->severity != y->severity) return (int)x->severity - (int)y->severity;
  int codes = strcmp(x->code, y->code);
  return codes ? codes : strcmp(x->found, y->found);
}

void cq_faults_sort(cq_form_draft *form) {
  cq_fault_list *list = &form->faults;
  if (list->count < 2) return;
  qsort(list->at, list->count, sizeof *list->at, by_place);
  size_t kept = 1;
  for (size_t i = 1; i < list->count; i++) { /* a cell that several passes read is complained of once */
    if (by_place(&list->at[kept - 1], &list->at[i]) != 0) {
      list->at[kept++] = list->at[i];
    } else if (list->at[i].severity == CQ_XLSFORM_ERROR) {
      list->errors--;
    } else {
      list->warnings--;
    }
  }
  list->count = kept;
}
