/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/file.h"
#include "forms/tool/xlsform.h"

#include <stdio.h>

const cq_cli_option cq_tool_convert_options[] = {
    {"out", 'o', N_("FILE"), N_("write the XForm here, not on standard output")},
    {"root", 0, N_("NAME"), N_("name of the record's root element, where settings gives none")},
    {"id", 0, N_("NAME"), N_("form_id, where settings gives none")},
    {"language", 0, N_("LANGUAGE"), N_("refuse where a label lacks this language")},
    {"pretty", 0, NULL, N_("indent the XML")},
    {"warnings", 'w', NULL, N_("show warnings too")},
    {0}};

static cq_status write_out(cq_str xml, const char *path, cq_error *error) {
  if (path) return cq_file_replace(path, xml.at, xml.size, 0644, false, error);
  bool written = fwrite(xml.at, 1, xml.size, stdout) == xml.size && fflush(stdout) == 0;
  return written ? CQ_OK : cq_error_set(error, CQ_IO, "io.write", "-", "", NULL);
}

int cq_tool_convert(cq_cli *cli) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_tool_compile(cli, &form, &error) != CQ_OK) return cq_cli_fail(cli, &error);
  cq_tool_say_faults(cli, form, cq_cli_flag(cli, "warnings"));
  int status = CQ_EXIT_REFUSED;
  if (cq_xlsform_ok(form)) {
    cq_status written = write_out(cq_xlsform_xml(form), cq_cli_value(cli, "out"), &error);
    status = written == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
  }
  cq_xlsform_free(form);
  return status;
}
