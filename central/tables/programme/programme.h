/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs `table` and `check` share: the programme's definitions, and the day they stand for. */
#ifndef CENTRAL_TABLES_PROGRAMME_H
#define CENTRAL_TABLES_PROGRAMME_H

#include "central/tables/programme/tabulate.h"
#include "chasqui/calendar.h"

/* The definitions of the desk, or of --definitions FILE; every fault is said aloud. `forms`: whether the forms have
 * what is asked of them too, as for a file that is tried. *found false: there are none. */
cq_status cq_programme_definitions(cq_cli *cli, cq_desk *desk, bool forms, cq_definitions *definitions, bool *found,
                                   cq_error *error);
/* The programme's calendar, else the standard one. */
cq_status cq_programme_calendar(cq_desk *desk, cq_calendar **calendar, cq_error *error);
/* From --at, --season or today. `season` gets the name as it is printed, or "". Errors: central.coverage.date,
 * central.coverage.season, tables.season. */
cq_status cq_programme_day(cq_cli *cli, cq_desk *desk, int32_t *day, char season[16], cq_error *error);

/* One table, shown and written as the command line asks. */
cq_status cq_programme_table(cq_cli *cli, cq_desk *desk, const cq_definitions *definitions, const cq_table_def *table,
                             cq_error *error);
/* Names and titles of all tables. */
void cq_programme_list(cq_cli *cli, const cq_definitions *definitions);

#endif
