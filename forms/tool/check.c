/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/tool/xlsform.h"

#include <stdio.h>

const cq_cli_option cq_tool_check_options[] = {
    CQ_CLI_OPTION_JSON,
    {"root", 0, N_("NAME"), N_("name of the record's root element, where settings gives none")},
    {"language", 0, N_("LANGUAGE"), N_("refuse where a label lacks this language")},
    {0}};

static void say_sum(const cq_cli *cli, const cq_xlsform *form) {
  unsigned long long errors = cq_xlsform_error_count(form), warnings = 0;
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    warnings += cq_xlsform_fault_at(form, i)->severity == CQ_XLSFORM_WARNING;
  }
  if (errors + warnings == 0) {
    cq_cli_say(cli, "%s", _("The form is in order."));
    return;
  }
  cq_buf line = {0};
  cq_buf_addf(&line, cq_cli_plural("%llu error", "%llu errors", errors), errors);
  cq_buf_add_text(&line, ", ");
  cq_buf_addf(&line, cq_cli_plural("%llu warning", "%llu warnings", warnings), warnings);
  if (!line.failed) cq_cli_say(cli, "%s", line.at);
  cq_buf_fini(&line);
}

int cq_tool_check(cq_cli *cli) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_tool_compile(cli, &form, &error) != CQ_OK) return cq_cli_fail(cli, &error);
  if (cq_cli_flag(cli, "json")) {
    cq_buf out = {0};
    cq_tool_faults_json(form, &out);
    fwrite(out.at, 1, out.size, stdout);
    cq_buf_fini(&out);
  } else {
    cq_tool_say_faults(cli, form, true);
    say_sum(cli, form);
  }
  int status = cq_xlsform_ok(form) ? CQ_EXIT_DONE : CQ_EXIT_REFUSED;
  cq_xlsform_free(form);
  return status;
}
