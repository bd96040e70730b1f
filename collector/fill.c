/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include "chasqui/file.h"
#include "collector/answer.h"
#include "collector/line/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The programme's form of that id; where it has none, one taken from a server of others. */
static cq_status find_form(cq_laptop *laptop, const char *id, cq_hash *hash, cq_error *error) {
  cq_offered *forms = NULL;
  size_t count = 0;
  bool found = false;
  const cq_bundle_form *form = cq_bundle_form_current(laptop->bundle, cq_str_from(id));
  if (form) {
    *hash = form->hash;
    return CQ_OK;
  }
  cq_status status = cq_filling_offered(laptop, &forms, &count, error);
  for (size_t i = 0; status == CQ_OK && i < count && !found; i++) {
    found = strcmp(forms[i].id, id) == 0;
    if (found) *hash = forms[i].hash;
  }
  free(forms);
  return status != CQ_OK || found ? status : cq_error_set(error, CQ_NOTFOUND, "collector.form.none", id, NULL);
}

static bool parse_result(const char *word, cq_result *result) {
  static const cq_result results[] = {CQ_RESULT_COMPLETE, CQ_RESULT_PARTIAL, CQ_RESULT_REFUSED, CQ_RESULT_WITHDRAWN};
  *result = CQ_RESULT_COMPLETE;
  if (!word) return true;
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
    if (strcmp(word, cq_result_name(results[i])) != 0) continue;
    *result = results[i];
    return true;
  }
  return false;
}

static void warn_at(const cq_cli *cli, cq_str ref, const char *message) {
  cq_cli_warn(cli, "%.*s: %s", (int)ref.size, ref.at ? ref.at : "", message);
}

/* Everything in the answers that was not taken, and for a complete record everything still missing; how many. */
static cq_status tell_faults(cq_cli *cli, cq_filling *filling, const cq_answers_report *report, cq_result result,
                             cq_arena *arena, size_t *faults, cq_error *error) {
  cq_buf memory = {0};
  cq_violations violations;
  for (size_t i = 0; i < report->count; i++)
    warn_at(cli, report->refusals[i].ref, cq_outcome_words(&report->refusals[i].outcome, CQ_TYPE_STRING, &memory));
  *faults = report->count;
  cq_status status = CQ_OK;
  if (result == CQ_RESULT_COMPLETE) {
    status = cq_interview_violations(filling->interview, arena, &violations, error);
    for (size_t i = 0; status == CQ_OK && i < violations.count; i++) {
      const cq_violation *it = &violations.items[i];
      cq_buf_reset(&memory);
      cq_buf_add_str(&memory, it->message);
      const char *plain =
          it->condition == CQ_VIOLATION_REQUIRED ? _("An answer is needed.") : _("This answer is not allowed here.");
      warn_at(cli, it->ref, memory.size > 0 ? memory.at : plain);
    }
    if (status == CQ_OK) *faults += violations.count;
  }
  cq_buf_fini(&memory);
  return status;
}

/* The folder of the file of answers: paths in it are relative to it. */
static cq_status folder_of(const char *path, cq_buf *folder, cq_error *error) {
  const char *slash = strrchr(path, '/');
  cq_buf_add_str(folder, slash ? (cq_str){path, (size_t)(slash - path) + 1} : CQ_STR("."));
  return folder->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status attach_one(cq_cli *cli, cq_filling *filling, cq_entry node, const char *folder, size_t *faults,
                            cq_error *error) {
  cq_buf typed = {0}, ref = {0}, what = {0}, next = {0}, memory = {0};
  cq_set_outcome outcome = {0};
  cq_str value = cq_interview_value(filling->interview, node);
  if (value.size == 0 || cq_filling_file(filling, value)) return CQ_OK; /* of a correction: the record's own */
  cq_buf_add_str(&typed, value);
  cq_status status = typed.failed ? cq_error_nomem(error) : cq_interview_ref(filling->interview, node, &ref, error);
  if (status == CQ_OK) status = cq_filling_attach(filling, node, cq_buf_str(&typed), folder, false, &outcome, error);
  if (status != CQ_OK && cq_filling_is_file_fault(error)) {
    cq_cli_explain(error, &what, &next);
    warn_at(cli, cq_buf_str(&ref), what.at ? what.at : "");
    cq_error_clear(error);
    status = CQ_OK;
    ++*faults;
  } else if (status == CQ_OK && outcome.result != CQ_SET_ACCEPTED) {
    warn_at(cli, cq_buf_str(&ref), cq_outcome_words(&outcome, CQ_TYPE_BINARY, &memory));
    ++*faults;
  }
  cq_buf_fini_secret(&typed);
  cq_buf_fini(&ref);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
  cq_buf_fini(&memory);
  return status;
}

/* In a file of answers a question that takes a file is answered by its path. */
static cq_status attach_files(cq_cli *cli, cq_filling *filling, const char *path, cq_arena *arena, size_t *faults,
                              cq_error *error) {
  cq_outline_row *rows;
  cq_entry_state state;
  size_t count = 0;
  cq_buf folder = {0};
  cq_status status = folder_of(path, &folder, error);
  if (status == CQ_OK) status = cq_interview_outline(filling->interview, arena, &rows, &count, error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    if (cq_interview_state(filling->interview, rows[i].node, &state, NULL) != CQ_OK) continue;
    if (state.kind == CQ_ENTRY_VALUE && state.field->control == CQ_CONTROL_UPLOAD)
      status = attach_one(cli, filling, rows[i].node, folder.at, faults, error);
  }
  cq_buf_fini(&folder);
  return status;
}

static cq_status check_reason(const cq_filling *filling, const char *reason, cq_arena *arena, cq_error *error) {
  cq_choices known;
  cq_buf codes = {0};
  if (!reason || cq_answer_is_code(cq_str_from(reason))) return CQ_OK;
  cq_status status = cq_filling_reasons(filling, arena, &known, error);
  for (size_t i = 0; status == CQ_OK && i < known.count; i++) {
    cq_buf_add_text(&codes, i > 0 ? ", " : "");
    cq_buf_add_str(&codes, known.items[i].value);
  }
  if (status == CQ_OK) status = cq_error_set(error, CQ_INVALID, "collector.reason", reason, codes.at, NULL);
  cq_buf_fini(&codes);
  return status;
}

static cq_status fill(cq_cli *cli, cq_filling *filling, cq_result result, cq_str reason, cq_hash *name,
                      cq_error *error) {
  cq_buf answers = {0};
  cq_answers_report report;
  size_t faults = 0, file_faults = 0;
  const char *path = cq_cli_value(cli, "answers");
  cq_arena *arena = cq_arena_new(0);
  cq_status status = arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = check_reason(filling, cq_cli_value(cli, "reason"), arena, error);
  if (status == CQ_OK) status = cq_file_read(path, CQ_FORM_MAX_XML, &answers, error);
  if (status == CQ_OK) {
    status = cq_answers_apply(filling->interview, cq_buf_str(&answers), arena, &report, error);
    if (status != CQ_OK) cq_error_at_file(error, path);
  }
  if (status == CQ_OK) status = attach_files(cli, filling, path, arena, &file_faults, error);
  if (status == CQ_OK) status = tell_faults(cli, filling, &report, result, arena, &faults, error);
  faults += file_faults;
  if (status == CQ_OK && faults > 0) {
    char number[24];
    snprintf(number, sizeof number, "%zu", faults);
    status = cq_error_set(error, CQ_INVALID, "collector.fill.faults", number, NULL);
  }
  if (cq_cli_value(cli, "reason")) reason = cq_str_from(cq_cli_value(cli, "reason"));
  if (status == CQ_OK) status = cq_filling_finalise(filling, result, reason, name, error);
  cq_buf_fini_secret(&answers);
  cq_arena_free(arena);
  return status;
}

static void tell(cq_cli *cli, const cq_hash *name, cq_result result) {
  char hex[65];
  cq_hash_hex(name, hex);
  if (cq_cli_flag(cli, "json"))
    printf("{\"record\":\"%s\",\"result\":\"%s\"}\n", hex, cq_result_name(result));
  else
    cq_cli_say(cli, _("Finished (%s): record %.16s…"), cq_result_words((int)result), hex);
}

/* A script has nobody to ask: where the clock is doubtful it must say the date. */
static cq_status settle_date(const cq_cli *cli, cq_laptop *laptop, cq_error *error) {
  bool doubtful;
  cq_date least, date;
  char text[11];
  const char *said = cq_cli_value(cli, "working-date");
  cq_status status = cq_laptop_clock_doubtful(laptop, &doubtful, &least, error);
  if (status != CQ_OK) return status;
  if (said) {
    if (cq_date_parse(cq_str_from(said), &date)) return cq_laptop_confirm_date(laptop, date, error);
    return cq_error_set(error, CQ_INVALID, "collector.date.form", said, NULL);
  }
  return doubtful ? cq_error_set(error, CQ_REFUSED, "collector.clock", cq_date_format(least, text), NULL) : CQ_OK;
}

static cq_status pack(cq_cli *cli, cq_laptop *laptop, cq_error *error) {
  cq_pack_report packed;
  return cq_cli_flag(cli, "no-pack") ? CQ_OK : cq_collector_pack_out(cli, laptop, &packed, error);
}

int cq_collector_fill(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_filling filling = {0};
  cq_result result;
  cq_hash form, name;
  cq_error_clear(&error);
  if (!cq_cli_value(cli, "answers")) return cq_cli_usage(cli, _("The option --%s is needed."), "answers");
  if (!parse_result(cq_cli_value(cli, "result"), &result))
    return cq_cli_usage(cli, _("--result is complete, partial, refused or withdrawn."));
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = settle_date(cli, &laptop, &error);
  if (status == CQ_OK) status = find_form(&laptop, cq_cli_arg(cli, 0), &form, &error);
  if (status == CQ_OK) status = cq_filling_begin(&filling, &laptop, &form, false, &error);
  if (status == CQ_OK) status = fill(cli, &filling, result, CQ_STR(""), &name, &error);
  if (status == CQ_OK) status = pack(cli, &laptop, &error);
  if (status == CQ_OK) tell(cli, &name, cq_filling_result(&filling, result, NULL));
  int exit_status = status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
  if (filling.laptop) cq_filling_end(&filling);
  cq_laptop_close(&laptop);
  return exit_status;
}

/* --- edit --- */

/* A second correction of one record is made only where that is asked for. */
static cq_status may_correct(const cq_cli *cli, const cq_kept *kept, size_t record, cq_error *error) {
  char name[9];
  size_t newest = cq_kept_newest(kept, record);
  if (cq_cli_flag(cli, "fork")) return CQ_OK;
  if (newest != record)
    return cq_error_set(error, CQ_REFUSED, "collector.edit.corrected", cq_kept_short_name(&kept->records[newest], name),
                        NULL);
  if (!cq_cli_flag(cli, "line") && cq_kept_correction(kept, record) != 0)
    return cq_error_set(error, CQ_REFUSED, "collector.edit.draft", NULL);
  return CQ_OK;
}

static cq_status edit(cq_cli *cli, cq_laptop *laptop, const cq_kept *kept, size_t record, cq_error *error) {
  cq_filling filling = {0};
  cq_result result;
  cq_hash name;
  cq_str reason = CQ_STR("");
  cq_status status = cq_filling_correct(&filling, laptop, kept->records[record].name, false, error);
  if (status != CQ_OK) return status;
  if (cq_cli_value(cli, "result"))
    parse_result(cq_cli_value(cli, "result"), &result);
  else
    result = cq_filling_asked(&filling, &reason);
  status = fill(cli, &filling, result, reason, &name, error);
  if (status == CQ_OK) status = pack(cli, laptop, error);
  if (status == CQ_OK) tell(cli, &name, cq_filling_result(&filling, result, NULL));
  cq_filling_end(&filling);
  return status;
}

int cq_collector_edit(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_kept kept = {0};
  cq_result result;
  size_t record = 0;
  bool line = cq_cli_flag(cli, "line");
  cq_error_clear(&error);
  if (line == (cq_cli_value(cli, "answers") != NULL))
    return cq_cli_usage(cli, _("Say either --answers FILE or --line."));
  if (!parse_result(cq_cli_value(cli, "result"), &result))
    return cq_cli_usage(cli, _("--result is complete, partial, refused or withdrawn."));
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = settle_date(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_kept_read(&kept, laptop.store, &error);
  if (status == CQ_OK) status = cq_kept_find(&kept, cq_cli_arg(cli, 0), &record, &error);
  if (status == CQ_OK) status = may_correct(cli, &kept, record, &error);
  if (status == CQ_OK && line)
    status = cq_line_correct(&laptop, &kept, record, stdin, stdout, &error);
  else if (status == CQ_OK)
    status = edit(cli, &laptop, &kept, record, &error);
  cq_kept_free(&kept);
  return cq_collector_end(cli, &laptop, status, &error);
}
