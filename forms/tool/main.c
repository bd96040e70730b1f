/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"
#include "forms/tool/replay.h"
#include "forms/tool/run.h"
#include "forms/tool/xlsform.h"
#include "forms/tool/xpath.h"

static const cq_cli_verb verbs[] = {
    {.name = "convert",
     .args = N_("IN [CSV…]"),
     .summary = N_("turn an XLSForm into an XForm"),
     .text = N_(
         "Reads an .xlsx, an .xls, a folder of .csv files or several .csv, and writes the XForm that this program and "
         "ODK Collect load."),
     .options = cq_tool_convert_options,
     .run = cq_tool_convert},
    {.name = "check",
     .args = N_("IN [CSV…]"),
     .summary = N_("list every fault of an XLSForm"),
     .text = N_("Each fault is shown with its cell. Warnings are for what works and hurts later. Ends with 1 where the "
                "form cannot be made."),
     .options = cq_tool_check_options,
     .run = cq_tool_check},
    {.name = "outline",
     .args = N_("IN [CSV…]"),
     .summary = N_("describe a form as a person would"),
     .options = cq_tool_outline_options,
     .run = cq_tool_outline},
    {.name = "xpath",
     .summary = N_("evaluate expressions, as JSON Lines"),
     .text = N_("Reads one JSON object from each line of standard input, with the keys id, expr, context_xml, "
                "context_path, root_path, ns, language, tz, now_ms and want, and writes one with id, type and value, "
                "or with id and error."),
     .run = cq_tool_xpath},
    {.name = "replay",
     .summary = N_("run scripted interviews, as JSON Lines"),
     .text =
         N_("Reads one JSON object from each line of standard input, with the keys id, tz, now_ms, files and steps, "
            "and writes one with id and results."),
     .run = cq_tool_replay},
    {.name = "run",
     .args = N_("FORM"),
     .summary = N_("fill a form from a file of answers"),
     .text =
         N_("Loads an XForm, answers it from a JSON file, and writes the record. Answers that are refused, and what "
            "stands in the way of a complete record, are said on standard error."),
     .options = cq_tool_run_options,
     .run = cq_tool_run},
    {.name = "graph",
     .args = N_("FORM"),
     .summary = N_("show which questions depend on which"),
     .options = cq_tool_graph_options,
     .run = cq_tool_graph},
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
