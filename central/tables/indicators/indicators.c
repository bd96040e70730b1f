/* SPDX-License-Identifier: Apache-2.0 */
/* `table INDICATOR…`, `indicators`, `indicators check`. */
#include "central/tables/indicators/indicators.h"
#include "central/merge/compose.h"
#include "central/merge/programme.h"
#include "central/tables/indicators/figures.h"
#include "central/tables/indicators/snapshot.h"
#include "central/tables/records/rows.h"
#include "central/tables/words.h"
#include "central/verbs.h"
#include "chasqui/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_indicators_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option cq_central_indicators_check_options[] = {
    {"invitation-file", 0, N_("FILE"), N_("read the invitation phrase, for files marked sealed, from a file")},
    CQ_CLI_OPTION_JSON,
    {0}};

int32_t cq_today(void) {
  return cq_date_to_day(cq_date_at(&cq_clock_system, cq_clock_system.now_utc_ms(cq_clock_system.context)));
}

bool cq_indicator_known(cq_desk *desk, const char *id) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  if (cq_desk_prepare(desk, &s, "SELECT 1 FROM indicator WHERE id = ?1", NULL) == CQ_OK) {
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    if (cq_desk_step(desk, s, &row, NULL) != CQ_OK) row = false;
  }
  sqlite3_finalize(s);
  return row;
}

bool cq_figures_wish_of(const cq_cli *cli, cq_figures_wish *wish) {
  int64_t version = 0;
  const char *asked = cq_cli_value(cli, "version-of");
  *wish = (cq_figures_wish){.season = cq_cli_value(cli, "season"),
                            .compare = cq_cli_value(cli, "compare"),
                            .by = cq_cli_value(cli, "by"),
                            .contrast = cq_cli_flag(cli, "contrast"),
                            .together = cq_cli_flag(cli, "together"),
                            .nominal = cq_cli_flag(cli, "nominal"),
                            .day = cq_today()};
  if (asked && (!cq_str_int64(cq_str_from(asked), &version) || version < 1 || version > INT32_MAX)) return false;
  wish->version = (int32_t)version;
  return (!wish->compare || wish->season) && (!wish->contrast || wish->by);
}

static cq_status show(cq_cli *cli, const cq_report *report, cq_error *error) {
  cq_buf out = {0};
  cq_str language = cq_str_from(cq_words_language(cq_cli_value(cli, "language")));
  const char *csv = cq_cli_value(cli, "csv"), *xlsx = cq_cli_value(cli, "xlsx");
  cq_status status = CQ_OK;
  if (csv) {
    cq_report_csv(report, language, &out);
    status = out.failed ? cq_error_nomem(error) : cq_file_replace(csv, out.at, out.size, 0644, false, error);
    cq_buf_reset(&out);
  }
  if (status == CQ_OK && xlsx) status = cq_report_xlsx(report, language, xlsx, error);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    cq_report_json(report, language, &out);
  else if (status == CQ_OK)
    cq_report_text(report, language, &out);
  if (status == CQ_OK && out.failed) status = cq_error_nomem(error);
  if (status == CQ_OK && out.size) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
  return status;
}

typedef struct naming {
  cq_desk *desk;
  const char *language;
  cq_report *report;
  size_t row;
  bool found;
} naming;

/* Labels of a row's group, where this form has a choice of the disaggregation's name. */
static cq_status name_group(void *context, cq_str form, cq_str title, int64_t records, cq_error *error) {
  naming *it = context;
  cq_report_row *row = &it->report->rows[it->row];
  cq_rows *rows = NULL;
  cq_rows_options options = {.language = it->language};
  (void)title;
  (void)records;
  if (it->found) return CQ_OK;
  cq_status status = cq_rows_open(&rows, it->desk, form, &options, error);
  const cq_rows_table *t = status == CQ_OK ? cq_rows_table_at(rows, 0) : NULL;
  for (size_t c = 0; t && status == CQ_OK && c < t->count; c++) {
    const cq_choices *choices = NULL;
    const cq_field *field = t->columns[c].field;
    if (!field || field->control != CQ_CONTROL_SELECT1 || !cq_str_equal(field->name, row->by)) continue;
    it->found = true;
    status = cq_rows_choices(rows, &t->columns[c], &choices, error);
    for (size_t r = it->row; status == CQ_OK && r < it->report->count; r++)
      for (size_t i = 0; i < choices->count; i++)
        if (cq_str_equal(it->report->rows[r].group, choices->items[i].value))
          it->report->rows[r].group_label = cq_arena_copy(it->report->arena, choices->items[i].label);
  }
  cq_rows_free(rows);
  return status;
}

/* One disaggregation is asked for at a time: the indicator's own form is looked at first, then the others. */
static cq_status name_groups(const cq_cli *cli, cq_desk *desk, cq_report *report, cq_error *error) {
  naming it = {.desk = desk, .language = cq_words_language(cq_cli_value(cli, "language")), .report = report};
  while (it.row < report->count && !report->rows[it.row].by.size) it.row++;
  if (it.row == report->count) return CQ_OK;
  cq_status status = name_group(&it, report->rows[it.row].indicator->form, CQ_STR(""), 0, error);
  return status == CQ_OK && !it.found ? cq_rows_forms(desk, name_group, &it, error) : status;
}

/* What stands above the figures in a workbook. */
static cq_status name_report(const cq_cli *cli, cq_desk *desk, cq_report *report, cq_error *error) {
  cq_buf text = {0};
  char day[11];
  cq_status status = cq_desk_title(&text, desk, cq_words_language(cq_cli_value(cli, "language")), error);
  report->programme = cq_arena_copy(report->arena, cq_buf_str(&text));
  cq_buf_reset(&text);
  cq_buf_addf(&text, _("as at %s"), cq_date_format(cq_date_from_day(cq_today()), day));
  report->made = cq_arena_copy(report->arena, cq_buf_str(&text));
  cq_buf_fini(&text);
  return status == CQ_OK && (!report->programme.at || !report->made.at) ? cq_error_nomem(error) : status;
}

int cq_table_indicators(cq_cli *cli, cq_desk *desk, cq_status *status, cq_error *error) {
  cq_figures_wish wish;
  cq_figures_source source = {0};
  cq_report report = {0};
  if (!cq_figures_wish_of(cli, &wish))
    return cq_cli_usage(cli, "%s", _("--compare needs --season, --contrast needs --by, --version-of takes a number"));
  *status = cq_figures_open(&source, desk, error);
  for (int i = 0; *status == CQ_OK && i < cq_cli_args(cli); i++)
    *status = cq_figures_report(&report, &source, cq_str_from(cq_cli_arg(cli, i)), &wish, NULL, NULL, error);
  const char *quarter = cq_cli_value(cli, "freeze");
  for (int i = 0; *status == CQ_OK && quarter && i < cq_cli_args(cli); i++)
    *status = cq_snapshot_freeze(cli, &source, cq_str_from(cq_cli_arg(cli, i)), &wish, quarter, error);
  if (*status == CQ_OK && cq_cli_flag(cli, "public")) *status = cq_report_hide(&report, error);
  if (*status == CQ_OK) *status = name_groups(cli, desk, &report, error);
  if (*status == CQ_OK) *status = name_report(cli, desk, &report, error);
  if (*status == CQ_OK) *status = show(cli, &report, error);
  if (*status == CQ_OK && !report.count) cq_cli_say(cli, "%s", _("There is no value yet."));
  cq_report_fini(&report);
  cq_figures_close(&source);
  return CQ_EXIT_DONE;
}

/* --- the definitions --- */

static void say_definition(const cq_cli *cli, const cq_indicator *i, bool counts, cq_buf *json, bool first) {
  char from[11];
  cq_str label = cq_indicator_label(i, cq_str_from(cq_words_language(cq_cli_value(cli, "language"))));
  cq_date_format(cq_date_from_day(i->from), from);
  cq_cli_say(cli, "%c %-20.*s %3d  %s  %.*s", counts ? '*' : ' ', (int)i->id.size, i->id.at, (int)i->version, from,
             (int)label.size, label.at);
  cq_buf_add_text(json, first ? "\n{\"id\":" : ",\n{\"id\":");
  cq_cli_add_json(json, i->id);
  cq_buf_addf(json, ",\"version\":%d,\"from\":\"%s\",\"counts\":%s,\"label\":", (int)i->version, from,
              counts ? "true" : "false");
  cq_cli_add_json(json, label);
  cq_buf_add_char(json, '}');
}

int cq_central_indicators(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_indicators all;
  cq_buf json = {0};
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_indicators_kept(&all, &desk, &error);
  for (size_t i = 0; status == CQ_OK && i < all.count; i++)
    say_definition(cli, &all.items[i], cq_indicators_find(&all, all.items[i].id, 0, cq_today()) == &all.items[i], &json,
                   i == 0);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"indicators\":[%s]}\n", json.at ? json.at : "");
  if (status == CQ_OK && all.count)
    cq_cli_say(cli, "%s", _("* is the version that counts today."));
  else if (status == CQ_OK)
    cq_cli_say(cli, "%s",
               _("No indicator was published. Name their file in programme.json: docs/formats/indicators.md."));
  cq_buf_fini(&json);
  cq_indicators_fini(&all);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

static void say_fault(const cq_cli *cli, const cq_error *fault, cq_buf *json, bool first) {
  cq_buf what = {0}, next = {0};
  cq_error plain = *fault; /* the cell is in the sentence */
  plain.row = plain.column = 0;
  cq_cli_explain(&plain, &what, &next);
  if (!what.failed && !next.failed)
    cq_cli_say(cli, "%s%s%s", what.at ? what.at : "", *fault->arg[2] ? " " : "",
               *fault->arg[2] && next.at ? next.at : "");
  cq_buf_add_text(json, first ? "\n{\"cell\":" : ",\n{\"cell\":");
  cq_cli_add_json(json, cq_str_from(fault->arg[0]));
  if (*fault->sheet) {
    cq_buf_add_text(json, ",\"sheet\":");
    cq_cli_add_json(json, cq_str_from(fault->sheet));
  }
  cq_buf_add_text(json, ",\"code\":");
  cq_cli_add_json(json, cq_str_from(fault->code));
  cq_buf_add_text(json, ",\"found\":");
  cq_cli_add_json(json, cq_str_from(fault->arg[1]));
  cq_buf_add_text(json, ",\"nearest\":");
  cq_cli_add_json(json, cq_str_from(fault->arg[2]));
  cq_buf_add_char(json, '}');
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

int cq_central_indicators_check(cq_cli *cli) {
  cq_composed composed;
  cq_cli_secret invitation = {0};
  cq_buf json = {0};
  cq_error error;
  cq_error_clear(&error);
  memset(&composed, 0, sizeof composed);
  cq_status status = CQ_OK;
  if (cq_cli_value(cli, "invitation-file"))
    status = cq_cli_passphrase(cli, "invitation-file", _("Invitation phrase"), false, &invitation, &error);
  if (status == CQ_OK)
    status = cq_compose(&composed, cq_cli_arg(cli, 0), (cq_str){invitation.at, invitation.size}, CQ_COST_LEAST, true,
                        &error);
  size_t faults = composed.indicators.fault_count;
  for (size_t i = 0; status == CQ_OK && i < faults; i++) say_fault(cli, &composed.indicators.faults[i], &json, i == 0);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"faults\":[%s]}\n", json.at ? json.at : "");
  if (status == CQ_OK) cq_cli_say(cli, faults ? _("%zu faults.") : _("%zu faults: every definition is right."), faults);
  cq_buf_fini(&json);
  cq_compose_fini(&composed);
  cq_cli_secret_fini(&invitation);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  return faults ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
