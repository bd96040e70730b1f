/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV, as RFC 4180 says and as spreadsheets write it: comma, semicolon or tab
 * (guessed from the first line), LF, CRLF or CR, quotes doubled, a UTF-8 BOM
 * passed over. Used by lists (forms), merge tables and exports (central).
 */
#ifndef CHASQUI_CSV_H
#define CHASQUI_CSV_H

#include "chasqui/status.h"
#include "chasqui/str.h"

typedef struct cq_csv cq_csv;

enum {
  CQ_CSV_MAX_COLUMNS = 4096,
  CQ_CSV_MAX_FIELD = 1 << 20 /* bytes of one field */
};

/* Borrows `text` until cq_csv_free. `separator` 0: guess. */
cq_csv *cq_csv_new(cq_str text, char separator);
void cq_csv_free(cq_csv *csv);

/*
 * The next row: fields borrowed until the next call. At the end CQ_OK with
 * *count 0. Blank lines are passed over. Errors: csv.quote.open,
 * csv.quote.stray, csv.columns.many, csv.field.long, csv.utf8, each with its line.
 */
cq_status cq_csv_next(cq_csv *csv, const cq_str **fields, size_t *count, cq_error *error);
int64_t cq_csv_line(const cq_csv *csv); /* of the row last returned, from 1 */
/* Its row as a spreadsheet counts them, from 1: blank lines too, and a field of several lines stands in one row. */
int64_t cq_csv_row(const cq_csv *csv);

/*
 * Appends one field, quoted where it must be, with a comma before it unless it
 * is the row's first. `guard`: a field that a spreadsheet would run as a
 * formula (= + - @ tab CR at its start) gets an apostrophe before it, unless it
 * is a plain number.
 */
void cq_csv_add_field(cq_buf *out, bool first, cq_str field, bool guard);
void cq_csv_end_row(cq_buf *out); /* CRLF */

#endif
