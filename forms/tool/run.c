/* SPDX-License-Identifier: Apache-2.0 */
/* chasqui-forms run and graph: a form filled from a file, and who reads whom in it. */
#include "forms/tool/run.h"
#include "chasqui/file.h"
#include "chasqui/forms.h"
#include "forms/tool/random.h"
#include "forms/xform/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_tool_run_options[] = {
    {"answers", 'a', N_("FILE"), N_("the answers, as docs/formats/answers.md says; nothing is answered without it")},
    {"lists", 'l', N_("DIR"), N_("where the form's lists are (else beside the form)")},
    {"language", 0, N_("NAME"), N_("the language of labels and messages, as the form names it")},
    {"out", 'o', N_("FILE"), N_("where the record goes (else standard output)")},
    {"draft", 0, NULL, N_("write every node, as a draft keeps it")},
    CQ_CLI_OPTION_JSON,
    {0}};

const cq_cli_option cq_tool_graph_options[] = {
    {"dot", 0, NULL, N_("write a graph for Graphviz")},
    {"lists", 'l', N_("DIR"), N_("where the form's lists are (else beside the form)")},
    {0}};

/* The folder of a path, "." where it names none. */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 1 : (size_t)(slash - path) + (slash == path);
  char *folder = calloc(size + 1, 1);
  if (folder != NULL) memcpy(folder, slash == NULL ? "." : path, size);
  return folder;
}

static cq_status load(cq_cli *cli, cq_form **form, cq_error *error) {
  const char *path = cq_cli_arg(cli, 0), *given = cq_cli_value(cli, "lists");
  cq_buf xml = {0};
  cq_form_lists lists;
  char *folder = folder_of(path);
  cq_status status = folder == NULL ? cq_error_nomem(error) : cq_file_read(path, CQ_FORM_MAX_XML, &xml, error);
  if (status == CQ_OK) {
    cq_form_lists_folder(&lists, given != NULL ? given : folder);
    status = cq_form_load(form, cq_buf_str(&xml), &lists, error);
    if (status != CQ_OK && error->file[0] == '\0') cq_error_at_file(error, path);
  }
  free(folder);
  cq_buf_fini(&xml);
  return status;
}

static size_t language_of(cq_cli *cli, const cq_form *form) {
  const char *name = cq_cli_value(cli, "language");
  for (size_t i = 0; name != NULL && i < cq_form_language_count(form); i++)
    if (cq_str_is(cq_form_language(form, i), name)) return i;
  return CQ_FIELD_NONE;
}

static const char *refusal(cq_set_result result) {
  switch (result) {
  case CQ_SET_CONSTRAINT: return N_("breaks the constraint");
  case CQ_SET_TYPE: return N_("is not of the type that is asked");
  case CQ_SET_NOT_OFFERED: return N_("is not among the choices");
  case CQ_SET_READONLY: return N_("may only be read");
  case CQ_SET_NOT_RELEVANT: return N_("is not asked here");
  case CQ_SET_NO_VALUE: return N_("is not a question");
  case CQ_SET_ACCEPTED: break;
  }
  return "";
}

static cq_status answer(cq_cli *cli, cq_interview *interview, cq_arena *arena, bool *wrong, cq_error *error) {
  const char *path = cq_cli_value(cli, "answers");
  cq_buf json = {0};
  cq_answers_report report;
  if (path == NULL) return CQ_OK;
  cq_status status = cq_file_read(path, CQ_FORM_MAX_XML, &json, error);
  if (status == CQ_OK) status = cq_answers_apply(interview, cq_buf_str(&json), arena, &report, error);
  if (status != CQ_OK && error->file[0] == '\0') cq_error_at_file(error, path);
  for (size_t i = 0; status == CQ_OK && i < report.count; i++) {
    const cq_answers_refusal *r = &report.refusals[i];
    cq_cli_warn(cli, "%.*s: %s%s%.*s", (int)r->ref.size, r->ref.at, cq_cli_text(refusal(r->outcome.result)),
                r->outcome.message.size > 0 ? ": " : "", (int)r->outcome.message.size, r->outcome.message.at);
    *wrong = true;
  }
  cq_buf_fini(&json);
  return status;
}

static cq_status check(cq_cli *cli, cq_interview *interview, cq_arena *arena, bool *wrong, cq_error *error) {
  cq_violations found;
  cq_status status = cq_interview_violations(interview, arena, &found, error);
  for (size_t i = 0; status == CQ_OK && i < found.count; i++) {
    const cq_violation *v = &found.items[i];
    cq_cli_warn(cli, "%.*s: %s%s%.*s", (int)v->ref.size, v->ref.at,
                v->condition == CQ_VIOLATION_REQUIRED ? _("an answer is required") : _("breaks the constraint"),
                v->message.size > 0 ? ": " : "", (int)v->message.size, v->message.at);
    *wrong = true;
  }
  return status;
}

static cq_status write_record(cq_cli *cli, const cq_interview *interview, cq_error *error) {
  cq_buf xml = {0};
  const char *path = cq_cli_value(cli, "out");
  cq_status status =
      cq_interview_write(interview, cq_cli_flag(cli, "draft") ? CQ_WRITE_DRAFT : CQ_WRITE_SUBMISSION, &xml, error);
  cq_buf_add_char(&xml, '\n');
  if (status == CQ_OK && xml.failed) status = cq_error_nomem(error);
  if (status == CQ_OK && path != NULL)
    status = cq_file_replace(path, xml.at, xml.size, 0600, false, error);
  else if (status == CQ_OK && cq_cli_flag(cli, "json")) {
    cq_buf out = {0};
    cq_buf_add_text(&out, "{\"instance\":");
    cq_cli_add_json(&out, cq_str_trim(cq_buf_str(&xml)));
    cq_buf_add_text(&out, "}\n");
    fwrite(out.at, 1, out.size, stdout);
    cq_buf_fini(&out);
  } else if (status == CQ_OK)
    fwrite(xml.at, 1, xml.size, stdout);
  cq_buf_fini(&xml);
  return status;
}

int cq_tool_run(cq_cli *cli) {
  cq_error error;
  cq_error_clear(&error);
  cq_form *form = NULL;
  cq_interview *interview = NULL;
  cq_arena *arena = cq_arena_new(0);
  bool wrong = false;
  cq_status status = arena == NULL ? cq_error_nomem(&error) : load(cli, &form, &error);
  if (status == CQ_OK) {
    const cq_interview_setup setup = {
        .clock = &cq_clock_system, .random = &cq_tool_random, .language = language_of(cli, form)};
    status = cq_interview_begin(&interview, form, &setup, &error);
  }
  if (status == CQ_OK) status = answer(cli, interview, arena, &wrong, &error);
  if (status == CQ_OK) status = cq_interview_finalise(interview, &error);
  if (status == CQ_OK) status = check(cli, interview, arena, &wrong, &error);
  if (status == CQ_OK) status = write_record(cli, interview, &error);
  int exit_status = status != CQ_OK ? cq_cli_fail(cli, &error) : wrong ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
  cq_interview_free(interview);
  cq_form_free(form);
  cq_arena_free(arena);
  return exit_status;
}

int cq_tool_graph(cq_cli *cli) {
  cq_error error;
  cq_error_clear(&error);
  cq_form *form = NULL;
  cq_status status = load(cli, &form, &error);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  cq_buf out = {0};
  cq_graph_write(form, cq_cli_flag(cli, "dot"), &out);
  int exit_status = out.failed ? cq_cli_fail(cli, (cq_error_nomem(&error), &error)) : CQ_EXIT_DONE;
  if (!out.failed) fwrite(out.at == NULL ? "" : out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
  cq_form_free(form);
  return exit_status;
}
