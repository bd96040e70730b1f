/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that read an XLSForm share: opening it, and its faults in words. */
#include "forms/tool/xlsform.h"

#include <stdlib.h>

cq_status cq_tool_compile(cq_cli *cli, cq_xlsform **form, cq_error *error) {
  cq_xlsform_options options = {.root = cq_cli_value(cli, "root"),
                                .form_id = cq_cli_value(cli, "id"),
                                .language = cq_cli_value(cli, "language"),
                                .pretty = cq_cli_flag(cli, "pretty")};
  size_t count = (size_t)cq_cli_args(cli);
  if (count == 1) return cq_xlsform_compile(form, cq_cli_arg(cli, 0), &options, error);
  const char **paths = calloc(count, sizeof *paths);
  if (!paths) return cq_error_nomem(error);
  for (size_t i = 0; i < count; i++) paths[i] = cq_cli_arg(cli, (int)i);
  cq_status status = cq_xlsform_compile_list(form, paths, count, &options, error);
  free(paths);
  return status;
}

static void as_error(const cq_xlsform_fault *fault, cq_error *error) {
  cq_error_clear(error);
  cq_error_set(error, CQ_INVALID, fault->code, fault->found, fault->expected, fault->other, fault->header, NULL);
}

void cq_tool_explain(const cq_xlsform_fault *fault, cq_buf *out) {
  cq_error error;
  cq_buf next = {0};
  as_error(fault, &error);
  cq_cli_explain(&error, out, &next);
  if (*fault->nearest) {
    cq_buf_add_char(out, ' ');
    cq_buf_addf(out, _("Perhaps “%s” was meant."), fault->nearest);
  }
  if (next.size) {
    cq_buf_add_char(out, ' ');
    cq_buf_add_str(out, cq_buf_str(&next));
  }
  cq_buf_fini(&next);
}

void cq_tool_say_faults(const cq_cli *cli, const cq_xlsform *form, bool warnings) {
  cq_buf line = {0};
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    const cq_xlsform_fault *fault = cq_xlsform_fault_at(form, i);
    if (fault->severity == CQ_XLSFORM_WARNING && !warnings) continue;
    cq_buf_reset(&line);
    if (*fault->cell) {
      cq_buf_add_text(&line, fault->cell);
      if (*fault->header) cq_buf_addf(&line, " (%s)", fault->header);
      cq_buf_add_text(&line, ": ");
    }
    cq_tool_explain(fault, &line);
    if (line.failed) break;
    cq_cli_warn(cli, fault->severity == CQ_XLSFORM_ERROR ? _("error: %s") : _("warning: %s"), line.at);
  }
  cq_buf_fini(&line);
}

static void add_member(cq_buf *out, const char *name, const char *value) {
  cq_buf_addf(out, ",\"%s\":", name);
  cq_cli_add_json(out, cq_str_from(value));
}

void cq_tool_faults_json(const cq_xlsform *form, cq_buf *out) {
  size_t count = cq_xlsform_fault_count(form), warnings = 0;
  for (size_t i = 0; i < count; i++) warnings += cq_xlsform_fault_at(form, i)->severity == CQ_XLSFORM_WARNING;
  cq_buf_addf(out, "{\"ok\":%s,\"errors\":%zu,\"warnings\":%zu,\"faults\":[", cq_xlsform_ok(form) ? "true" : "false",
              cq_xlsform_error_count(form), warnings);
  for (size_t i = 0; i < count; i++) {
    const cq_xlsform_fault *fault = cq_xlsform_fault_at(form, i);
    cq_buf text = {0};
    cq_tool_explain(fault, &text);
    cq_buf_addf(out, "%s{\"severity\":\"%s\"", i ? "," : "", fault->severity == CQ_XLSFORM_ERROR ? "error" : "warning");
    add_member(out, "code", fault->code);
    add_member(out, "sheet", fault->sheet);
    cq_buf_addf(out, ",\"row\":%lld,\"column\":%lld", (long long)fault->row, (long long)fault->column);
    add_member(out, "cell", fault->cell);
    add_member(out, "header", fault->header);
    add_member(out, "found", fault->found);
    add_member(out, "expected", fault->expected);
    add_member(out, "nearest", fault->nearest);
    add_member(out, "other", fault->other);
    add_member(out, "message", text.at);
    cq_buf_add_char(out, '}');
    cq_buf_fini(&text);
  }
  cq_buf_add_text(out, "]}\n");
}
