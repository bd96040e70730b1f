/* SPDX-License-Identifier: Apache-2.0 */
/* The programme's tables from merged records, on a date. */
#ifndef CENTRAL_TABLES_TABULATE_H
#define CENTRAL_TABLES_TABULATE_H

#include "central/tables/programme/crosstab.h"
#include "central/tables/programme/facts.h"

typedef enum cq_audience {
  CQ_AUDIENCE_USUAL,   /* small cells of persons are hidden where a column is sensitive */
  CQ_AUDIENCE_PUBLIC,  /* small cells of persons are hidden */
  CQ_AUDIENCE_INTERNAL /* all is shown */
} cq_audience;

typedef struct cq_tabulation {
  int32_t at;         /* what happened later does not count */
  const char *season; /* whose last day that is; NULL: none */
  const char *by;     /* "region,sexo" in place of the definition's rows and columns; NULL: these */
  const char *language;
  cq_audience audience;
} cq_tabulation;

/*
 * Makes a table; the caller ends it with cq_crosstab_fini, after an error too. Errors: tables.by (argument: what can be
 * tabulated by), tables.field, tables.direct (a field that identifies people), those of facts and crosstab.
 */
cq_status cq_tabulate(cq_crosstab *tab, cq_desk *desk, const cq_definitions *definitions, const cq_table_def *table,
                      const cq_tabulation *how, cq_error *error);
void cq_crosstab_fini(cq_crosstab *tab);

/*
 * tables.json as published last, or the file at `path`. *found false where the programme brings none. Errors: those of
 * cq_definitions_read. The caller frees the definitions, after an error too.
 */
cq_status cq_desk_definitions(cq_definitions *definitions, cq_desk *desk, const char *path, const char *language,
                              cq_faults *faults, bool *found, cq_error *error);
/* What definitions ask of forms that are not there, or do not have it. */
cq_status cq_definitions_check(const cq_definitions *definitions, cq_desk *desk, cq_faults *faults, cq_error *error);

#endif
