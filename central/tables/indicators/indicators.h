/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs about indicators share. */
#ifndef CENTRAL_TABLES_INDICATORS_H
#define CENTRAL_TABLES_INDICATORS_H

#include "central/tables/indicators/figures.h"

int32_t cq_today(void);
bool cq_indicator_known(cq_desk *desk, const char *id);
/* From the options; false where they do not go together. */
bool cq_figures_wish_of(const cq_cli *cli, cq_figures_wish *wish);
/* `table INDICATOR…`. Answers CQ_EXIT_USAGE, or CQ_EXIT_DONE with *status. */
int cq_table_indicators(cq_cli *cli, cq_desk *desk, cq_status *status, cq_error *error);

#endif
