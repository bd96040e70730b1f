/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks on merged records and on the programme's tables, and on a table that
 * somebody brings: each would have caught an error that a report printed.
 */
#ifndef CENTRAL_TABLES_CHECK_H
#define CENTRAL_TABLES_CHECK_H

#include "central/tables/programme/tabulate.h"
#include "chasqui/calendar.h"

enum { CQ_FINDINGS_MAX = 1000, CQ_FINDINGS_PER_CHECK = 20 };

typedef struct cq_finding {
  cq_str check; /* its name in tables.json, or the table's */
  cq_str title;
  cq_str what;  /* a sentence */
  cq_str where; /* records, a table, a cell; "" none */
  cq_str next;  /* what to do */
} cq_finding;

typedef struct cq_findings {
  cq_arena *arena;
  cq_finding at[CQ_FINDINGS_MAX];
  size_t count;       /* kept */
  size_t checks, all; /* checks made; findings, with those that were not kept */
} cq_findings;

cq_status cq_findings_init(cq_findings *findings, cq_error *error);
void cq_findings_fini(cq_findings *findings);
/* `what`, `where` and `next` are copied. At most CQ_FINDINGS_PER_CHECK of one check are kept. */
cq_status cq_finding_add(cq_findings *findings, cq_str check, cq_str title, const cq_buf *what, cq_str where,
                         const char *next, cq_error *error);

typedef struct cq_check_how {
  int32_t at;           /* the day of tables and campaigns */
  int32_t starts, ends; /* of the programme; CQ_CHECK_NO_DAY: not said */
  const char *only;     /* one check or table by name; NULL: all */
  const cq_calendar *calendar;
} cq_check_how;
#define CQ_CHECK_NO_DAY INT32_MIN

/* All checks of tables.json, and of every table that its margins hold what its cells show. Errors: tables.check.none
 * (no such name), those of cq_tabulate and facts. */
cq_status cq_check_all(cq_findings *findings, cq_desk *desk, const cq_definitions *definitions, const cq_check_how *how,
                       cq_error *error);

/*
 * A table that was typed: its first row holds heads, its first column labels. Totals (heads and labels that begin with
 * "total") are added anew; shares above 100 %, several marks for nothing, and columns that repeat the total are told.
 * `parts`: the heads that add to the total, with commas between; NULL: all columns of figures. `name` is said as the
 * place. Errors: tables.check.csv (nothing to read), central.data.column (a part that is no head), those of csv.h.
 */
cq_status cq_check_typed(cq_findings *findings, cq_str csv, cq_str name, const char *parts, cq_error *error);

#endif
