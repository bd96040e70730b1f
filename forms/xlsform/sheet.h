/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet with its header row understood. */
#ifndef CHASQUI_FORMS_XLSFORM_SHEET_H
#define CHASQUI_FORMS_XLSFORM_SHEET_H

#include "forms/xlsform/form.h"

typedef struct cq_header {
  int64_t column;             /* from 1; 0: no header stands there */
  cq_str text;                /* as the author wrote it */
  const cq_column_word *word; /* NULL: not one of ours */
  cq_str plain;               /* its first part in snake case */
  cq_str attribute;           /* of bind, control, instance, media; else "" */
  cq_str language;
} cq_header;

typedef struct cq_headed_sheet {
  const char *name;
  const cq_sheet *sheet;
  cq_header *headers; /* by column, from 0 */
  uint32_t header_count;
  bool collapse, straighten; /* what is done to each text */
} cq_headed_sheet;

typedef const cq_column_word *cq_column_lookup(cq_str name);

/* False where the book has no such sheet, or the sheet has no row. Faults: xlsform.header.*. */
bool cq_headed_sheet_open(cq_form_draft *form, cq_headed_sheet *sheet, const char *name, cq_column_lookup *lookup);
bool cq_headed_sheet_has(const cq_headed_sheet *sheet, cq_column_id id);
/* The header of a cell; NULL where its column has none. */
const cq_header *cq_header_at(const cq_headed_sheet *sheet, uint32_t column);
/* The cell's text with smart quotes made straight and runs of spaces made one, as the sheet asks. */
cq_str cq_cell_text(cq_form_draft *form, const cq_headed_sheet *sheet, cq_str text);

void cq_phrase_add(cq_form_draft *form, cq_phrases *phrases, cq_str language, cq_str text, int64_t column);
/* Decides whether the text is translated; a text without a language then belongs to the default one. */
void cq_phrases_finish(cq_form_draft *form, cq_phrases *phrases);
/* In that language, else in the default one, else any. */
cq_str cq_phrases_text(const cq_form_draft *form, const cq_phrases *phrases, const char *language);

/* The book's sheet of that name, in whatever case; the only sheet of a book is the survey. */
const cq_sheet *cq_book_sheet(const cq_form_draft *form, const char *name);
/* A sheet whose name is nearly `name`, for what could be meant; "" none. */
cq_str cq_book_similar(const cq_form_draft *form, const char *name);

#endif
