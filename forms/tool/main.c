/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"
#include "forms/tool/xpath.h"

static const cq_cli_verb verbs[] = {
    {.name = "xpath",
     .summary = N_("evaluate expressions, as JSON Lines"),
     .text = N_("Reads one JSON object from each line of standard input, with the keys id, expr, context_xml, "
                "context_path, root_path, ns, language, tz, now_ms and want, and writes one with id, type and value, "
                "or with id and error."),
     .run = cq_tool_xpath},
    {0}};

static const cq_cli_program program = {
    .name = "chasqui-forms",
    .summary = N_("make, check and run forms"),
    .text = N_("Turns XLSForms into standard XForms, finds their faults, and runs them without a screen."),
    .verbs = verbs,
};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
