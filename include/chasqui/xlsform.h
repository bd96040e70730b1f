/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a spreadsheet to a form: an XLSForm (.xlsx, .xls, a folder of .csv) is
 * compiled to standard XForm XML, the only thing that the engine and phones
 * load. All faults are found at once, each with the cell it stands in.
 *
 * The same sheets give the same bytes. What is understood stands in
 * docs/xlsform.md. Sources: the XLSForm reference (xlsform.org), the ODK XForms
 * specification, and what pyxform 4.5 answers.
 *
 * Limits: CQ_XLSFORM_MAX_… below; beyond one, CQ_LIMIT "xlsform.limit.…".
 */
#ifndef CHASQUI_XLSFORM_H
#define CHASQUI_XLSFORM_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CQ_XLSFORM_MAX_FILE = 64 << 20,  /* bytes of a workbook or a .csv */
  CQ_XLSFORM_MAX_PART = 256 << 20, /* bytes of one part of a workbook, unpacked */
  CQ_XLSFORM_MAX_RATIO = 200,      /* unpacked : packed, of a part above 1 MiB */
  CQ_XLSFORM_MAX_SHEETS = 200,     /* of a workbook */
  CQ_XLSFORM_MAX_ROWS = 1 << 20,   /* of a sheet */
  CQ_XLSFORM_MAX_COLUMNS = 16384,  /* of a sheet */
  CQ_XLSFORM_MAX_CELLS = 4 << 20,  /* that hold something, of all sheets read */
  CQ_XLSFORM_MAX_CELL = 1 << 20,   /* bytes of a cell's text */
  CQ_XLSFORM_MAX_DEPTH = 64,       /* groups within groups */
  CQ_XLSFORM_MAX_XML = 256 << 20,  /* bytes of XML written */
  CQ_XLSFORM_MAX_FAULTS = 1000     /* of each severity; more are counted, not kept */
};

typedef struct cq_xlsform cq_xlsform; /* what became of one workbook; immutable */

typedef struct cq_xlsform_options {
  const char *root;     /* name of the instance's root where settings has no `name`; NULL: "data" */
  const char *form_id;  /* where settings has no `form_id`; NULL: the file's base name, or the root */
  const char *language; /* where given, a label that this language lacks is an error; NULL: not asked */
  bool pretty;          /* indented XML */
} cq_xlsform_options;

typedef enum { CQ_XLSFORM_ERROR, CQ_XLSFORM_WARNING } cq_xlsform_severity;

/* Strings are never NULL ("" where there is none), and borrowed from the cq_xlsform. They come from the author's
 * sheets, so they may be shown to the author and do not belong in a log. */
typedef struct cq_xlsform_fault {
  cq_xlsform_severity severity;
  const char *code;     /* stable: "xlsform.type.unknown" */
  const char *sheet;    /* "survey" */
  int64_t row, column;  /* from 1; 0: the whole sheet, the whole row */
  const char *cell;     /* "survey!C14", "survey!14", "survey" or "" */
  const char *header;   /* the column's header as the author wrote it */
  const char *found;    /* cut at 160 bytes */
  const char *expected; /* a value, or a list with commas */
  const char *nearest;  /* the nearest known name */
  const char *other;    /* the other name that a fault between two concerns */
} cq_xlsform_fault;

/*
 * Compiles the workbook at `path`. CQ_OK also where the sheets have faults:
 * then cq_xlsform_ok answers false and there is no XML. Other statuses mean
 * that there were no sheets to read (io.…, xlsx.…, xls.…, csv.…, memory) and
 * leave *form NULL. `options` may be NULL. The caller frees *form with
 * cq_xlsform_free.
 */
cq_status cq_xlsform_compile(cq_xlsform **form, const char *path, const cq_xlsform_options *options, cq_error *error);

/* The same of several .csv files, each a sheet by its name: survey.csv, choices.csv, … */
cq_status cq_xlsform_compile_list(cq_xlsform **form, const char *const *paths, size_t count,
                                  const cq_xlsform_options *options, cq_error *error);

/* The same of a workbook's bytes, .xlsx or .xls (told apart by their first bytes). */
cq_status cq_xlsform_compile_bytes(cq_xlsform **form, const void *bytes, size_t size, const cq_xlsform_options *options,
                                   cq_error *error);
void cq_xlsform_free(cq_xlsform *form); /* NULL is fine */

bool cq_xlsform_ok(const cq_xlsform *form); /* no fault is an error */
/* The XForm, UTF-8; empty where it is not ok. Borrowed. */
cq_str cq_xlsform_xml(const cq_xlsform *form);

/*
 * The choices of select_one_external as phones want them beside the form, a
 * .csv by the name of itemsets.csv. Appended; nothing where no question needs it.
 */
void cq_xlsform_itemsets(const cq_xlsform *form, cq_buf *out);

/* Faults in the order of sheets, rows and columns. */
size_t cq_xlsform_fault_count(const cq_xlsform *form);
const cq_xlsform_fault *cq_xlsform_fault_at(const cq_xlsform *form, size_t index); /* NULL beyond the end */
size_t cq_xlsform_error_count(const cq_xlsform *form);                             /* kept or not */

/* --- what the form is, for an outline; borrowed --- */
cq_str cq_xlsform_title(const cq_xlsform *form);
cq_str cq_xlsform_id(const cq_xlsform *form);
cq_str cq_xlsform_version(const cq_xlsform *form);
size_t cq_xlsform_language_count(const cq_xlsform *form); /* 0: the sheets name none */
cq_str cq_xlsform_language_at(const cq_xlsform *form, size_t index);

typedef struct cq_xlsform_item {
  int depth;   /* 0: at the form's top */
  int64_t row; /* of sheet survey */
  cq_str type; /* in its canonical spelling; "begin group", "begin repeat" open what is deeper after them */
  cq_str name, label, list;
  cq_str relevant, constraint, required, calculation, choice_filter, readonly, save_to; /* as the author wrote them */
  size_t choices;                                                                       /* of the list */
} cq_xlsform_item;

size_t cq_xlsform_item_count(const cq_xlsform *form);
/* `language` NULL: the default one. False beyond the end. */
bool cq_xlsform_item_at(const cq_xlsform *form, size_t index, const char *language, cq_xlsform_item *item);

/* --- lists that an author keeps in a workbook --- */
/*
 * Where `bytes` are a workbook (.xlsx, .xls) they become the CSV that its sheet would be, row by row, so that a line is
 * a row: of the sheets that bear one of `names` (ended by NULL) the first, or the only one there is. `sheet` gets its
 * name; "" where the bytes are no workbook, which stay as they are. Errors: xlsx.sheet.none (the first of the names),
 * those of the workbook.
 */
cq_status cq_spreadsheet_csv(cq_buf *bytes, char sheet[CQ_ERROR_ARG_SIZE], const char *const *names, cq_error *error);

#endif
