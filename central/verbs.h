/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of chasqui-central that stand at the desk: each a file, each a row of the table in main.c. */
#ifndef CENTRAL_VERBS_H
#define CENTRAL_VERBS_H

#include "chasqui/cli.h"

extern const cq_cli_option cq_central_estimate_options[], cq_central_coverage_options[];

int cq_central_estimate(cq_cli *cli);
int cq_central_coverage(cq_cli *cli);

#endif
