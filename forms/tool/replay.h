/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMS_TOOL_REPLAY_H
#define FORMS_TOOL_REPLAY_H

#include "chasqui/cli.h"

int cq_tool_replay(cq_cli *cli);

#endif
