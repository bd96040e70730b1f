/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as they were published: frozen as signed decisions, compared with what would be said now. */
#ifndef CENTRAL_TABLES_SNAPSHOT_H
#define CENTRAL_TABLES_SNAPSHOT_H

#include "central/tables/indicators/figures.h"

/*
 * Freezes the figures of one indicator for a quarter ("2013-Q1"). Where they were frozen before with other figures,
 * that is a revision: the differences are said, and without --who and --reason it is refused (desk.snapshot.changed).
 */
cq_status cq_snapshot_freeze(cq_cli *cli, const cq_figures_source *source, cq_str id, const cq_figures_wish *wish,
                             const char *quarter, cq_error *error);

#endif
