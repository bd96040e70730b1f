/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMS_TOOL_XPATH_H
#define FORMS_TOOL_XPATH_H

#include "chasqui/cli.h"

int cq_tool_xpath(cq_cli *cli);

#endif
