/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/file.h"
#include "forms/tool/xlsform.h"

#include <stdio.h>
#include <string.h>

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

/* Choices of select_one_external go beside the form, under the one name that phones look for. */
static cq_status write_itemsets(const cq_cli *cli, const cq_xlsform *form, const char *out, cq_error *error) {
  cq_buf csv = {0}, path = {0};
  cq_status status = CQ_OK;
  cq_xlsform_itemsets(form, &csv);
  if (csv.size > 0 && out) {
    const char *slash = strrchr(out, '/');
    if (slash) cq_buf_add(&path, out, (size_t)(slash - out) + 1);
    cq_buf_add_text(&path, "itemsets.csv");
    status = csv.failed || path.failed ? cq_error_nomem(error)
                                       : cq_file_replace(path.at, csv.at, csv.size, 0644, false, error);
    if (status == CQ_OK) cq_cli_warn(cli, _("%s goes to phones beside the form."), path.at);
  }
  cq_buf_fini(&csv);
  cq_buf_fini(&path);
  return status;
}

int cq_tool_convert(cq_cli *cli) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_tool_compile(cli, &form, &error) != CQ_OK) return cq_cli_fail(cli, &error);
  cq_tool_say_faults(cli, form, cq_cli_flag(cli, "warnings"));
  int status = CQ_EXIT_REFUSED;
  if (cq_xlsform_ok(form)) {
    const char *out = cq_cli_value(cli, "out");
    cq_status written = write_out(cq_xlsform_xml(form), out, &error);
    if (written == CQ_OK) written = write_itemsets(cli, form, out, &error);
    status = written == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
  }
  cq_xlsform_free(form);
  return status;
}
