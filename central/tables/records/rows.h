/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merged records as rows: one table for a form and one for each of its repeats,
 * with the columns of the form's definitions. Values are as stored; nothing is
 * computed. What tables, exports and indicators are made from.
 *
 * A form's versions share their tables: columns stand in the order of the
 * newest version, and those that only an older one has come after them.
 */
#ifndef CENTRAL_TABLES_ROWS_H
#define CENTRAL_TABLES_ROWS_H

#include "central/merge/desk.h"
#include "chasqui/forms.h"

typedef struct cq_rows_options {
  bool labels;          /* after each select a column with its labels */
  const char *language; /* of labels, as the form names it or its code in brackets; one it lacks, NULL: its default */
  bool identified;      /* with the columns that are marked as direct identifiers */
  bool all;             /* voided and edited records too */
} cq_rows_options;

typedef struct cq_rows_column {
  cq_str name;               /* as a head: the field's name, or its path where two fields share a name */
  const cq_form *form;       /* the newest that has it; NULL for a column of the envelope */
  const cq_field *field;     /* of that form */
  bool is_label;             /* of the column before it */
  const cq_choices *choices; /* of a select, once they were needed */
} cq_rows_column;

typedef struct cq_rows_table {
  cq_str name; /* the form's id; of a repeat "form-repeat" */
  cq_str path; /* of the repeat; "" for the form */
  size_t count;
  cq_rows_column *columns;
} cq_rows_table;

typedef struct cq_rows cq_rows;

/* Errors: desk.form.none (no such form was published), those of forms and the vault. */
cq_status cq_rows_open(cq_rows **rows, cq_desk *desk, cq_str form_id, const cq_rows_options *options, cq_error *error);
void cq_rows_free(cq_rows *rows);

size_t cq_rows_tables(const cq_rows *rows);
const cq_rows_table *cq_rows_table_at(const cq_rows *rows, size_t index); /* 0: the form itself */
size_t cq_rows_left_out(const cq_rows *rows);                             /* columns that are direct identifiers */

/* Cells are borrowed during the call. */
typedef cq_status (*cq_rows_each)(void *context, size_t table, const cq_str *cells, cq_error *error);
/*
 * All records of the form in the order of their working date; within a record the rows of a table in their order.
 * *unreadable counts records whose XML is not of a form that is known (they stay in the vault).
 */
cq_status cq_rows_read(cq_rows *rows, cq_rows_each each, void *context, size_t *records, size_t *unreadable,
                       cq_error *error);

/* A file that a record names, and the question whose answer it is. */
typedef struct cq_rows_file {
  cq_str key;            /* KEY of the row that has it, as in the tables */
  const cq_field *field; /* NULL: no answer names it */
  cq_str name;           /* as in the answer */
  cq_hash hash;
  uint64_t size; /* bytes */
} cq_rows_file;
typedef cq_status (*cq_rows_file_each)(void *context, const cq_rows_file *file, cq_error *error);
/* Those of the records that cq_rows_read reads, in the same order; borrowed during the call. Without `identified` in
 * the options those of direct identifiers, and those that no answer names, are left out and counted. */
cq_status cq_rows_files(cq_rows *rows, cq_rows_file_each each, void *context, size_t *left_out, cq_error *error);

/* What a person reads above a column: the question as it is asked, in the options' language and on one line, or the
 * words for a column of the envelope; the name where there is neither. Appended. */
cq_status cq_rows_label(const cq_rows *rows, const cq_rows_column *column, cq_buf *label, cq_error *error);
/* A cell in words: results; everything else stands for itself. */
cq_str cq_rows_word(const cq_rows_column *column, cq_str cell);
/* A calculation, whose type no form says: where all its results are plain numbers it is one (cq_data_plain_number). */
bool cq_rows_may_be_number(const cq_rows_column *column);
/* Keys, times and numbers of versions, which only programs need. */
bool cq_rows_for_programs(const cq_rows_column *column);
/* The form's title. */
cq_str cq_rows_title(const cq_rows *rows);

/* All choices of a select's column with their labels, in the options' language; kept until the rows are freed. */
cq_status cq_rows_choices(cq_rows *rows, cq_rows_column *column, const cq_choices **choices, cq_error *error);

/* --- which forms there are --- */
typedef cq_status (*cq_forms_each)(void *context, cq_str id, cq_str title, int64_t records, cq_error *error);
cq_status cq_rows_forms(cq_desk *desk, cq_forms_each each, void *context, cq_error *error);

#endif
