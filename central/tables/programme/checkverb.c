/* SPDX-License-Identifier: Apache-2.0 */
/* `check`: what a reader of the report would have found, found before it is printed. */
#include "central/merge/programme.h"
#include "central/tables/programme/check.h"
#include "central/tables/programme/programme.h"
#include "central/verbs.h"
#include "chasqui/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_check_options[] = {
    {"at", 0, N_("DATE"), N_("the day on which tables are looked at (else today)")},
    {"season", 0, N_("SEASON"), N_("the last day of this season, 2012-T1")},
    {"table", 0, N_("FILE"), N_("check a typed table, a CSV file, and nothing else; no desk is needed")},
    {"parts", 0, N_("COLS"), N_("with --table: the columns that add to the total, with commas between")},
    {"definitions", 0, N_("FILE"), N_("try a tables.json that is not published yet")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

enum { TYPED_MAX_BYTES = 16 << 20, WIDTH = 80 };

/* First and last day of the programme, from the newest bundle. */
static cq_status programme_days(cq_desk *desk, cq_check_how *how, cq_error *error) {
  cq_programme *programme;
  how->starts = how->ends = CQ_CHECK_NO_DAY;
  cq_status status = cq_desk_programme(&programme, desk, error);
  if (programme && programme->starts.year) how->starts = cq_date_to_day(programme->starts);
  if (programme && programme->ends.year) how->ends = cq_date_to_day(programme->ends);
  cq_programme_free(programme);
  return status;
}

static void say_json(const cq_findings *f) {
  cq_buf out = {0};
  cq_buf_addf(&out, "{\"checks\":%zu,\"found\":%zu,\"findings\":[", f->checks, f->all);
  for (size_t i = 0; i < f->count; i++) {
    const cq_finding *one = &f->at[i];
    const struct {
      const char *name;
      cq_str text;
    } texts[] = {
        {"check", one->check}, {"title", one->title}, {"what", one->what}, {"where", one->where}, {"next", one->next}};
    cq_buf_add_text(&out, i ? ",\n{" : "\n{");
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
      cq_buf_addf(&out, "%s\"%s\":", t ? "," : "", texts[t].name);
      cq_cli_add_json(&out, texts[t].text);
    }
    cq_buf_add_char(&out, '}');
  }
  cq_buf_add_text(&out, "]}\n");
  if (!out.failed) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
}

/* Lines of at most WIDTH columns, the first `indent` blanks in and the others two. */
static void say_wrapped(const cq_cli *cli, cq_str text, size_t indent) {
  cq_buf line = {0};
  size_t column = 0;
  for (size_t from = 0; from < text.size;) {
    size_t to = from;
    while (to < text.size && text.at[to] != ' ') to++;
    cq_str word = {text.at + from, to - from};
    size_t length = cq_utf8_length(word);
    if (column && column + 1 + length > WIDTH) {
      cq_cli_say(cli, "%s", line.at);
      cq_buf_reset(&line);
      column = 0;
    }
    cq_buf_add_text(&line, column ? " " : indent ? "  " : "");
    cq_buf_add_str(&line, word);
    column += length + (column ? 1 : indent);
    indent = 2;
    from = to + 1;
  }
  if (column && !line.failed) cq_cli_say(cli, "%s", line.at);
  cq_buf_fini(&line);
}

static void say_findings(const cq_cli *cli, const cq_findings *f) {
  cq_str last = CQ_STR("");
  for (size_t i = 0; i < f->count; i++) {
    const cq_finding *one = &f->at[i];
    bool next_same =
        i + 1 < f->count && cq_str_equal(f->at[i + 1].check, one->check) && cq_str_equal(f->at[i + 1].next, one->next);
    cq_buf text = {0};
    if (!i || !cq_str_equal(one->check, last)) {
      cq_buf_add_str(&text, one->check);
      if (one->title.size) cq_buf_addf(&text, " · %.*s", (int)one->title.size, one->title.at);
      if (!text.failed) say_wrapped(cli, cq_buf_str(&text), 0);
      cq_buf_reset(&text);
    }
    last = one->check;
    cq_buf_add_str(&text, one->what);
    if (one->where.size) cq_buf_addf(&text, " [%.*s]", (int)one->where.size, one->where.at);
    if (!text.failed) say_wrapped(cli, cq_buf_str(&text), 2);
    cq_buf_reset(&text);
    cq_buf_addf(&text, "→ %.*s", (int)one->next.size, one->next.at);
    if (!text.failed && !next_same) say_wrapped(cli, cq_buf_str(&text), 2);
    cq_buf_fini(&text);
  }
}

static void say(const cq_cli *cli, const cq_findings *f) {
  if (cq_cli_flag(cli, "json")) {
    say_json(f);
    return;
  }
  say_findings(cli, f);
  if (f->all > f->count) cq_cli_say(cli, _("… and %zu more; the first of each check are shown."), f->all - f->count);
  if (f->all)
    cq_cli_say(cli, _("Checks: %zu. Found: %zu."), f->checks, f->all);
  else
    cq_cli_say(cli, _("Checks: %zu. Nothing was found."), f->checks);
}

static cq_status check_file(const char *path, const char *parts, cq_findings *f, cq_error *error) {
  cq_buf text = {0};
  const char *name = strrchr(path, '/');
  cq_status status = cq_file_read(path, TYPED_MAX_BYTES, &text, error);
  if (status == CQ_OK) status = cq_check_typed(f, cq_buf_str(&text), cq_str_from(name ? name + 1 : path), parts, error);
  if (status != CQ_OK) cq_error_at_file(error, path);
  cq_buf_fini(&text);
  return status;
}

static cq_status run(cq_cli *cli, cq_desk *desk, cq_findings *f, cq_error *error) {
  cq_definitions d;
  cq_calendar *calendar = NULL;
  cq_check_how how = {.only = cq_cli_arg(cli, 0)};
  bool found = false;
  char season[16];
  cq_status status = cq_programme_definitions(cli, desk, false, &d, &found, error);
  if (status == CQ_OK && !found) status = cq_error_set(error, CQ_NOTFOUND, "tables.none", NULL);
  if (status == CQ_OK) status = cq_programme_day(cli, desk, &how.at, season, error);
  if (status == CQ_OK) status = programme_days(desk, &how, error);
  if (status == CQ_OK) status = cq_programme_calendar(desk, &calendar, error);
  how.calendar = calendar;
  if (status == CQ_OK) status = cq_check_all(f, desk, &d, &how, error);
  cq_calendar_free(calendar);
  cq_definitions_fini(&d);
  return status;
}

int cq_central_check(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  const char *path = cq_cli_value(cli, "table"), *parts = cq_cli_value(cli, "parts");
  if (parts && !path) return cq_cli_usage(cli, "%s", _("--parts belongs to --table"));
  if (cq_cli_value(cli, "at") && cq_cli_value(cli, "season"))
    return cq_cli_usage(cli, "%s", _("say either --at or --season"));
  cq_findings *f = calloc(1, sizeof *f);
  cq_error_clear(&error);
  cq_status status = f ? cq_findings_init(f, &error) : cq_error_nomem(&error);
  int left = CQ_EXIT_DONE;
  if (status == CQ_OK && path) {
    status = check_file(path, parts, f, &error);
    if (status != CQ_OK) left = cq_cli_fail(cli, &error);
  } else if (status == CQ_OK) {
    left = cq_desk_begin(cli, &desk);
    if (left == CQ_EXIT_DONE) {
      status = run(cli, &desk, f, &error);
      left = cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
    }
  } else {
    left = cq_cli_fail(cli, &error);
  }
  if (left == CQ_EXIT_DONE && f) {
    say(cli, f);
    if (f->all) left = CQ_EXIT_REFUSED;
  }
  if (f) cq_findings_fini(f);
  free(f);
  return left;
}
