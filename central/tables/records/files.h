/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a form as files of other programs: Stata (.dta), SPSS (.sav), a
 * workbook (.xlsx). Labels of questions become labels of variables; choices
 * become numbers with value labels: their own codes where all of them are whole
 * numbers, else their place in the list. A missing code (ns, nr, na) becomes
 * Stata's .s, .r, .n, with their labels, where the variable is a number. Calculations are numbers where all results
 * are.
 */
#ifndef CENTRAL_TABLES_FILES_H
#define CENTRAL_TABLES_FILES_H

#include "central/tables/records/rows.h"

typedef enum { CQ_FILE_DTA, CQ_FILE_SAV } cq_stat_kind;

/* What a file of a table is called: "form-repeat.dta", with "practice-" before it where the desk is practice. Emptied
 * first. */
cq_status cq_table_file(cq_buf *path, const cq_desk *desk, const cq_rows_table *table, const char *folder,
                        const char *extension, cq_error *error);

/* One file for each table. Text longer than a format can hold (Stata 2,045 bytes, SPSS 32,767) is cut: *cut counts. */
cq_status cq_stat_write(cq_rows *rows, const cq_desk *desk, const char *folder, cq_stat_kind kind, size_t *cut,
                        cq_error *error);

/* One workbook with a sheet for each table, and one of notes. Numbers are numbers; codes with leading zeros stay text.
 * `language`: of the programme's title. */
cq_status cq_workbook_write(cq_rows *rows, cq_desk *desk, const char *folder, const char *language, size_t *cut,
                            cq_error *error);

/* What a media export has done. */
typedef struct cq_media_written {
  size_t written, there, awaited, left_out; /* files: new ones, those that were there already, … */
  bool begun;                               /* the manifest has its head */
} cq_media_written;
/*
 * The files that the form's records name, each under its name in the answer (where two records call different files the
 * same, its hash before it), and a row for each in `manifest`: file, form, KEY, question, name, bytes, hash, state.
 */
cq_status cq_media_write(cq_rows *rows, cq_desk *desk, cq_str form, const char *folder, cq_buf *manifest,
                         cq_media_written *done, cq_error *error);

#endif
