/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHASQUI_FORMS_TOOL_XLSFORM_H
#define CHASQUI_FORMS_TOOL_XLSFORM_H

#include "chasqui/cli.h"
#include "chasqui/xlsform.h"

/* Compiles the first argument under --root, --id, --language and --pretty. */
cq_status cq_tool_compile(cq_cli *cli, cq_xlsform **form, cq_error *error);
/* The sentences of a fault, appended. */
void cq_tool_explain(const cq_xlsform_fault *fault, cq_buf *out);
/* Each fault on a line of standard error. */
void cq_tool_say_faults(const cq_cli *cli, const cq_xlsform *form, bool warnings);
void cq_tool_faults_json(const cq_xlsform *form, cq_buf *out);

int cq_tool_convert(cq_cli *cli);
int cq_tool_check(cq_cli *cli);
int cq_tool_outline(cq_cli *cli);

extern const cq_cli_option cq_tool_convert_options[], cq_tool_check_options[], cq_tool_outline_options[];

#endif
