/* SPDX-License-Identifier: Apache-2.0 */
/* `table NAME` of the programme's own tables. */
#include "central/tables/programme/programme.h"

#include "central/merge/programme.h"
#include "central/tables/words.h"
#include "chasqui/clock.h"
#include "chasqui/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cq_status cq_programme_definitions(cq_cli *cli, cq_desk *desk, bool forms, cq_definitions *d, bool *found,
                                   cq_error *error) {
  cq_faults *faults = calloc(1, sizeof *faults);
  memset(d, 0, sizeof *d);
  if (!faults) return cq_error_nomem(error);
  cq_status status = cq_desk_definitions(d, desk, cq_cli_value(cli, "definitions"),
                                         cq_words_language(cq_cli_value(cli, "language")), faults, found, error);
  if (status == CQ_OK && *found && (forms || cq_cli_value(cli, "definitions")))
    status = cq_definitions_check(d, desk, faults, error);
  for (size_t i = 0; i < faults->count && i < CQ_TABLES_MAX_FAULTS; i++)
    cq_cli_warn(cli, "%s: %s%s%s", faults->at[i].where, cq_cli_text(faults->at[i].what), *faults->at[i].of ? " " : "",
                faults->at[i].of);
  free(faults);
  return status;
}

cq_status cq_programme_calendar(cq_desk *desk, cq_calendar **calendar, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = ''", error);
  if (status == CQ_OK) status = cq_desk_step(desk, s, &row, error);
  if (status == CQ_OK)
    status = row && cq_desk_text(s, 0).size ? cq_calendar_load(calendar, cq_desk_text(s, 0), error)
                                            : cq_calendar_standard(calendar, error);
  sqlite3_finalize(s);
  return status;
}

static cq_status day_of_season(cq_desk *desk, const char *text, int32_t *day, char name[16], cq_error *error) {
  cq_season_ref ref;
  cq_season season;
  cq_calendar *calendar = NULL;
  if (!cq_season_parse(cq_str_from(text), &ref))
    return cq_error_set(error, CQ_INVALID, "central.coverage.season", NULL);
  cq_status status = cq_programme_calendar(desk, &calendar, error);
  if (status == CQ_OK && !cq_calendar_season(calendar, CQ_STR(""), &ref, 0, &season))
    status = cq_error_set(error, CQ_NOTFOUND, "tables.season", text, NULL);
  if (status == CQ_OK) {
    *day = season.end - 1;
    cq_season_format(&ref, name);
  }
  cq_calendar_free(calendar);
  return status;
}

cq_status cq_programme_day(cq_cli *cli, cq_desk *desk, int32_t *day, char season[16], cq_error *error) {
  const char *at = cq_cli_value(cli, "at"), *name = cq_cli_value(cli, "season");
  cq_date date;
  season[0] = '\0';
  if (name) return day_of_season(desk, name, day, season, error);
  if (at && !cq_date_parse(cq_str_from(at), &date))
    return cq_error_set(error, CQ_INVALID, "central.coverage.date", "--at", NULL);
  if (!at) date = cq_date_at(&cq_clock_system, cq_clock_system.now_utc_ms(cq_clock_system.context));
  *day = cq_date_to_day(date);
  return CQ_OK;
}

static cq_status show(cq_cli *cli, const cq_crosstab *tab, cq_error *error) {
  cq_buf out = {0};
  const char *csv = cq_cli_value(cli, "csv"), *xlsx = cq_cli_value(cli, "xlsx");
  cq_status status = CQ_OK;
  if (csv) {
    status = cq_crosstab_csv(tab, &out, error);
    if (status == CQ_OK) status = cq_file_replace(csv, out.at, out.size, 0600, false, error);
    cq_buf_reset(&out);
  }
  if (status == CQ_OK && xlsx) status = cq_crosstab_xlsx(tab, xlsx, error);
  if (status == CQ_OK)
    status = cq_cli_flag(cli, "json") ? cq_crosstab_json(tab, &out, error)
                                      : cq_crosstab_text(tab, CQ_CROSSTAB_WIDTH, &out, error);
  if (status == CQ_OK && out.size) fwrite(out.at, 1, out.size, stdout);
  if (status == CQ_OK && cq_cli_flag(cli, "internal") && tab->persons)
    cq_cli_warn(cli, "%s", _("Small cells are shown: this table is not for outside."));
  cq_buf_fini(&out);
  return status;
}

cq_status cq_programme_table(cq_cli *cli, cq_desk *desk, const cq_definitions *definitions, const cq_table_def *table,
                             cq_error *error) {
  char season[16];
  cq_crosstab tab = {0};
  cq_buf programme = {0};
  cq_tabulation how = {.by = cq_cli_value(cli, "by"), .language = cq_words_language(cq_cli_value(cli, "language"))};
  how.audience = cq_cli_flag(cli, "internal") ? CQ_AUDIENCE_INTERNAL
                 : cq_cli_flag(cli, "public") ? CQ_AUDIENCE_PUBLIC
                                              : CQ_AUDIENCE_USUAL;
  cq_status status = cq_programme_day(cli, desk, &how.at, season, error);
  how.season = season[0] ? season : NULL;
  if (status == CQ_OK) status = cq_tabulate(&tab, desk, definitions, table, &how, error);
  if (status == CQ_OK) status = cq_desk_title(&programme, desk, how.language, error);
  tab.programme = cq_buf_str(&programme);
  if (status == CQ_OK) status = show(cli, &tab, error);
  cq_crosstab_fini(&tab);
  cq_buf_fini(&programme);
  return status;
}

void cq_programme_list(cq_cli *cli, const cq_definitions *d) {
  for (size_t i = 0; i < d->table_count; i++)
    cq_cli_say(cli, "  %-24.*s %.*s", (int)d->tables[i].name.size, d->tables[i].name.at, (int)d->tables[i].title.size,
               d->tables[i].title.at);
}
