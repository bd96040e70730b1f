/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMS_TOOL_RUN_H
#define FORMS_TOOL_RUN_H

#include "chasqui/cli.h"

extern const cq_cli_option cq_tool_run_options[];
int cq_tool_run(cq_cli *cli);

extern const cq_cli_option cq_tool_graph_options[];
int cq_tool_graph(cq_cli *cli);

#endif
