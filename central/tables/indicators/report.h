/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of indicators as they are printed: one row a figure, with everything
 * that must never be parted from it (source, months it rests on, persons,
 * standard error, version of the definition). As text, CSV, JSON, a workbook.
 */
#ifndef CENTRAL_TABLES_REPORT_H
#define CENTRAL_TABLES_REPORT_H

#include "central/tables/indicators/measure.h"
#include "chasqui/cli.h"

enum { CQ_REPORT_MONTHS = 8 * (CQ_PERIOD_MONTHS * 4) + 1 };

typedef struct cq_report_row {
  const cq_indicator *indicator;
  cq_figure figure;
  cq_str group, by;   /* "": all; name of the disaggregation */
  cq_str group_label; /* of the choice that the group is; "" where no form has it */
  char season[CQ_SEASON_REF_SIZE], before[CQ_SEASON_REF_SIZE]; /* "2012-T1", "2012", "" */
  cq_str months, months_before;                                /* that the figure rests on: "2012-08 2012-09 2012-10" */
  cq_str prices; /* of a change of money: "2012-T1", or "nominal"; else "" */
  size_t block;  /* rows of one block share season, comparison and source */
  bool hidden;   /* too few persons to be shown outside */
} cq_report_row;

typedef struct cq_report_note {
  size_t block; /* after which it is said */
  cq_str text;
} cq_report_note;

typedef struct cq_report {
  cq_arena *arena; /* strings */
  cq_report_row *rows;
  size_t count, capacity, blocks;
  cq_report_note *notes;
  size_t note_count, note_capacity;
  bool practice;
  cq_str programme, made; /* its title, and on which day the figures were made; for the workbook */
} cq_report;

void cq_report_fini(cq_report *report);
/* CQ_NOMEM only. */
cq_status cq_report_add(cq_report *report, const cq_report_row *row, cq_error *error);
cq_status cq_report_note_add(cq_report *report, cq_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Hides figures of fewer than five persons, and of each block's groups as many more as it takes that none can be worked
 * out from the total. */
cq_status cq_report_hide(cq_report *report, cq_error *error);

/* Text that fits 80 columns. */
void cq_report_text(const cq_report *report, cq_str language, cq_buf *out);
void cq_report_csv(const cq_report *report, cq_str language, cq_buf *out);
void cq_report_json(const cq_report *report, cq_str language, cq_buf *out);
cq_status cq_report_xlsx(const cq_report *report, cq_str language, const char *path, cq_error *error);

/* What names a figure within its table, for comparing it with a later one: "change|2012-T1|2011-T1|registro|…|group".
 */
void cq_report_key(const cq_report_row *row, cq_buf *out);

#endif
