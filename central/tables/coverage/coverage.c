/* SPDX-License-Identifier: Apache-2.0 */
/* `coverage`: the grid of persons and seasons, from the merged records or from two CSV files. */
#include "central/merge/entities.h"
#include "central/merge/programme.h"
#include "central/tables/coverage/deskgrid.h"
#include "central/tables/words.h"
#include "central/verbs.h"
#include "chasqui/file.h"
#include "chasqui/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_coverage_options[] = {
    {"people", 0, N_("FILE"), N_("CSV of persons: id, entry, exit; and weight, place if there are any")},
    {"visits", 0, N_("FILE"), N_("CSV of visits: person, season, date, result; and months if there are any")},
    {"today", 0, N_("DATE"), N_("the day on which it is looked at (else today)")},
    {"campaign", 0, N_("YEAR"), N_("the year in which the campaign begins")},
    {"calendar", 0, N_("FILE"), N_("seasons (else August, November, February and May)")},
    {"by", 0, N_("COL"), N_("coverage for each value of a column of the persons' file, or of a property")},
    {"dataset", 0, N_("NAME"), N_("which list of the desk's entities the persons are (else tdd)")},
    {"persons", 0, NULL, N_("show every person too")},
    {"csv", 0, N_("FILE"), N_("write the cells as CSV")},
    {"xlsx", 0, N_("FILE"), N_("write grid and coverage as a workbook")},
    {"html", 0, N_("FILE"), N_("write a page with a picture, complete in itself")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

enum { ID, ENTRY, EXIT, WEIGHT, PLACE, BY, PEOPLE_COLUMNS };
enum { PERSON, SEASON, DATE, RESULT, MONTHS, VISIT_COLUMNS };
enum { CALENDAR_MAX_BYTES = 4 << 20, FROM_THE_BEGINNING = -1000000 /* a day long before any programme */ };

static bool day_of(cq_str text, int32_t *day) {
  cq_date date;
  if (!cq_date_parse(text, &date)) return false;
  *day = cq_date_to_day(date);
  return true;
}

static cq_status bad(const cq_data *data, size_t row, const char *code, const char *column, cq_error *error) {
  cq_error_set(error, CQ_INVALID, code, column, NULL);
  return cq_data_at(data, row, CQ_INVALID, error);
}

static cq_status add_people(cq_grid *grid, const cq_data *data, cq_levels *ids, cq_error *error) {
  for (size_t i = 0; i < data->rows; i++) {
    cq_grid_person p = {.id = cq_data_cell(data, i, ID),
                        .place = cq_data_cell(data, i, PLACE),
                        .group = cq_data_cell(data, i, BY),
                        .person = {.exit = CQ_DAY_NONE, .weight = 1}};
    cq_str leave = cq_data_cell(data, i, EXIT), weight = cq_data_cell(data, i, WEIGHT);
    if (!p.id.size) return bad(data, i, "central.coverage.blank", "id", error);
    if (!day_of(cq_data_cell(data, i, ENTRY), &p.person.entry))
      return bad(data, i, "central.coverage.date", "entry", error);
    if (leave.size && !day_of(leave, &p.person.exit)) return bad(data, i, "central.coverage.date", "exit", error);
    if (leave.size && p.person.exit < p.person.entry) return bad(data, i, "central.coverage.exit", NULL, error);
    if (weight.size && (!cq_data_number(weight, &p.person.weight) || p.person.weight < 0))
      return bad(data, i, "central.coverage.weight", NULL, error);
    size_t before = ids->count;
    if (cq_levels_number(ids, p.id) == UINT32_MAX) return cq_error_nomem(error);
    if (ids->count == before) return bad(data, i, "central.coverage.twice", NULL, error);
    cq_status status = cq_grid_add_person(grid, &p, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

/* "2012-08 2012-09": months apart by one blank; or nothing. */
static bool months_valid(cq_str text) {
  for (size_t i = 0; i < text.size; i += 8) {
    char iso[11] = "";
    int32_t day;
    if (text.size - i < 7 || (text.size - i > 7 && text.at[i + 7] != ' ')) return false;
    memcpy(iso, text.at + i, 7);
    memcpy(iso + 7, "-01", 4);
    if (!day_of(cq_str_from(iso), &day)) return false;
  }
  return true;
}

static cq_status add_visits(cq_grid *grid, const cq_data *data, const cq_levels *ids, size_t *strangers,
                            cq_error *error) {
  for (size_t i = 0; i < data->rows; i++) {
    cq_grid_visit v = {.visit = {.season_end = CQ_DAY_NONE}, .months = cq_data_cell(data, i, MONTHS)};
    if (!cq_season_parse(cq_data_cell(data, i, SEASON), &v.visit.season))
      return bad(data, i, "central.coverage.season", NULL, error);
    if (!day_of(cq_data_cell(data, i, DATE), &v.visit.day)) return bad(data, i, "central.coverage.date", "date", error);
    if (!cq_visit_say(&v.visit, cq_data_cell(data, i, RESULT), CQ_STR("")))
      return bad(data, i, "central.coverage.result", NULL, error);
    if (!months_valid(v.months)) return bad(data, i, "central.coverage.months", NULL, error);
    uint32_t person = cq_levels_find(ids, cq_data_cell(data, i, PERSON));
    if (person == UINT32_MAX) {
      ++*strangers;
      continue;
    }
    v.person = person;
    cq_status status = cq_grid_add_visit(grid, &v, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

/* The file of --calendar, else the programme's, else the standard one. */
static cq_status read_calendar(const char *path, cq_str programme, cq_calendar **calendar, cq_error *error) {
  if (!path)
    return programme.size ? cq_calendar_load(calendar, programme, error) : cq_calendar_standard(calendar, error);
  cq_buf text = {0};
  cq_status status = cq_file_read(path, CALENDAR_MAX_BYTES, &text, error);
  if (status == CQ_OK) status = cq_calendar_load(calendar, cq_buf_str(&text), error);
  if (status != CQ_OK) cq_error_at_file(error, path);
  cq_buf_fini(&text);
  return status;
}

static void say_notices(const cq_cli *cli, const cq_grid *grid, size_t strangers) {
  if (strangers)
    cq_cli_warn(cli,
                cq_cli_plural("%zu visit belongs to nobody in the list of persons; it is left out.",
                              "%zu visits belong to nobody in the list of persons; they are left out.", strangers),
                strangers);
  if (grid->conflicts)
    cq_cli_warn(cli,
                cq_cli_plural("%zu cell has more than one complete visit; look at them, they are not averaged.",
                              "%zu cells have more than one complete visit; look at them, they are not averaged.",
                              grid->conflicts),
                grid->conflicts);
  if (grid->early)
    cq_cli_warn(cli,
                cq_cli_plural("%zu cell rests on a complete visit before the season's end.",
                              "%zu cells rest on a complete visit before the season's end.", grid->early),
                grid->early);
  if (grid->after_today)
    cq_cli_warn(cli,
                cq_cli_plural("%zu cell has visits dated after today.", "%zu cells have visits dated after today.",
                              grid->after_today),
                grid->after_today);
}

static cq_status write_file(const char *path, cq_status (*write)(const cq_grid *, cq_buf *, cq_error *),
                            const cq_grid *grid, cq_error *error) {
  cq_buf out = {0};
  if (!path) return CQ_OK;
  cq_status status = write(grid, &out, error);
  if (status == CQ_OK) status = cq_file_replace(path, out.at, out.size, 0644, false, error);
  cq_buf_fini(&out);
  return status;
}

/* What was asked for: files, and on the screen JSON or text. */
static cq_status show(cq_cli *cli, const cq_grid *grid, size_t strangers, cq_error *error) {
  cq_buf out = {0};
  cq_status status = write_file(cq_cli_value(cli, "csv"), cq_grid_csv, grid, error);
  if (status == CQ_OK) status = write_file(cq_cli_value(cli, "html"), cq_grid_html, grid, error);
  if (status == CQ_OK && cq_cli_value(cli, "xlsx")) status = cq_grid_xlsx(grid, cq_cli_value(cli, "xlsx"), error);
  if (status == CQ_OK)
    status = cq_cli_flag(cli, "json") ? cq_grid_json(grid, &out, error)
                                      : cq_grid_text(grid, cq_cli_flag(cli, "persons"), &out, error);
  if (status == CQ_OK) {
    fwrite(out.at, 1, out.size, stdout);
    say_notices(cli, grid, strangers);
  }
  cq_buf_fini(&out);
  return status;
}

/* --- from two files --- */

static cq_status run_files(cq_cli *cli, int32_t campaign, int32_t today, cq_error *error) {
  const char *by = cq_cli_value(cli, "by");
  const char *const people_names[] = {"id", "entry", "exit", "weight", "place", by ? by : ""};
  static const bool visit_optional[] = {false, false, false, false, true};
  static const char *const visit_names[] = {"person", "season", "date", "result", "months"};
  const bool people_optional[] = {false, false, false, true, true, !by};
  cq_calendar *calendar = NULL;
  cq_data people = {0}, visits = {0};
  cq_levels ids = {0};
  cq_grid grid = {0};
  size_t strangers = 0;
  cq_status status = read_calendar(cq_cli_value(cli, "calendar"), CQ_STR(""), &calendar, error);
  if (status == CQ_OK) status = cq_grid_init(&grid, calendar, campaign, today, error);
  if (status == CQ_OK)
    status = cq_data_read(&people, cq_cli_value(cli, "people"), people_names, people_optional, PEOPLE_COLUMNS, error);
  if (status == CQ_OK)
    status = cq_data_read(&visits, cq_cli_value(cli, "visits"), visit_names, visit_optional, VISIT_COLUMNS, error);
  if (status == CQ_OK) status = add_people(&grid, &people, &ids, error);
  if (status == CQ_OK) status = add_visits(&grid, &visits, &ids, &strangers, error);
  if (status == CQ_OK) status = cq_grid_close(&grid, error);
  if (status == CQ_OK) status = show(cli, &grid, strangers, error);
  cq_grid_fini(&grid);
  cq_levels_fini(&ids);
  cq_data_fini(&people);
  cq_data_fini(&visits);
  cq_calendar_free(calendar);
  return status;
}

/* --- from the merged records --- */

#define PROPERTY(name)                                                                                                 \
  "(SELECT value FROM entity_property p WHERE p.dataset = ?1 AND p.id = i.id AND p.name = " name ")"
enum { D_ID, D_FIRST, D_LAST, D_CODE, D_PLACE, D_WEIGHT, D_ENTRY, D_EXIT, D_GROUP };
/* The frame first, then what records say of an entity, by the spreadsheets' names of properties. */
static const char desk_people_sql[] =
    "WITH ids AS (SELECT id FROM frame WHERE dataset = ?1 UNION SELECT id FROM entity WHERE dataset = ?1) "
    "SELECT i.id, CASE WHEN f.id IS NULL THEN e.first_day ELSE f.entry END, "
    "min(coalesce(f.leave, e.last_day), coalesce(e.last_day, f.leave)), coalesce(" PROPERTY(
        "'codigo'") ", (SELECT value FROM frame_property p WHERE p.dataset = ?1 AND p.id = i.id AND p.name = "
                    "'codigo')), "
                    "coalesce(nullif(f.place, ''), " PROPERTY("'ccpp'") ", " PROPERTY(
                        "'distrito'") "), "
                                      "coalesce(f.weight, " PROPERTY("'peso'") "), " PROPERTY("'alta'") ", " PROPERTY(
                                          "'baja'") ", "
                                                    "coalesce(CASE ?2 WHEN 'stratum' THEN f.stratum END, (SELECT value "
                                                    "FROM frame_property p WHERE p.dataset = ?1 AND "
                                                    "p.id = i.id AND p.name = ?2), " PROPERTY(
                                                        "?2") ") "
                                                              "FROM ids i LEFT JOIN frame f ON f.dataset = ?1 AND f.id "
                                                              "= i.id LEFT JOIN entity e ON e.dataset = ?1 AND e.id = "
                                                              "i.id "
                                                              "WHERE NOT EXISTS (SELECT 1 FROM entity_same m WHERE "
                                                              "m.dataset = ?1 AND m.id = i.id) ORDER BY i.id";
/* A visit to somebody who was found to be somebody else counts for whoever stays. */
static const char desk_visits_sql[] =
    "WITH asked AS (SELECT CASE WHEN substr(s.entity, 1, 5) = 'uuid:' THEN substr(s.entity, 6) ELSE s.entity END AS "
    "entity, "
    "s.id FROM visit_subject s WHERE s.dataset = ?1) "
    "SELECT coalesce(m.stays, a.entity), v.season, v.day, v.result, v.reason, v.months, v.calendar_version, v.zone "
    "FROM asked "
    "a "
    "JOIN visit v ON v.id = a.id LEFT JOIN entity_same m ON m.dataset = ?1 AND m.id = a.entity "
    "WHERE v.season <> '' AND v.voided = 0 AND v.edited = 0";

static cq_str keep(cq_grid *grid, cq_str text) {
  return text.size ? cq_arena_copy(grid->arena, text) : CQ_STR("");
}

static cq_status add_desk_people(cq_desk *desk, const cq_desk_grid_plan *plan, cq_grid *grid, cq_levels *ids,
                                 cq_error *error) {
  const char *dataset = plan->dataset, *by = plan->by;
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, desk_people_sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, dataset, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, by ? by : " ", -1, SQLITE_STATIC);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    cq_str id = keep(grid, cq_desk_text(s, D_ID)), code = keep(grid, cq_desk_text(s, D_CODE));
    cq_grid_person p = {.id = code.size ? code : id,
                        .entity = id,
                        .place = keep(grid, cq_desk_text(s, D_PLACE)),
                        .group = keep(grid, cq_desk_text(s, D_GROUP)),
                        .person = {.entry = FROM_THE_BEGINNING, .exit = CQ_DAY_NONE, .weight = 1}};
    if (sqlite3_column_type(s, D_FIRST) != SQLITE_NULL) p.person.entry = sqlite3_column_int(s, D_FIRST);
    if (sqlite3_column_type(s, D_LAST) != SQLITE_NULL) p.person.exit = sqlite3_column_int(s, D_LAST);
    day_of(cq_desk_text(s, D_ENTRY), &p.person.entry);
    day_of(cq_desk_text(s, D_EXIT), &p.person.exit);
    double weight;
    if (cq_data_number(cq_desk_text(s, D_WEIGHT), &weight) && weight > 0) p.person.weight = weight;
    if (!cq_str_starts(p.place, cq_str_from(plan->place))) continue;
    if (!id.at || cq_levels_number(ids, id) == UINT32_MAX)
      status = cq_error_nomem(error);
    else
      status = cq_grid_add_person(grid, &p, error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status add_desk_visits(cq_desk *desk, const char *dataset, cq_grid *grid, const cq_levels *ids,
                                 size_t *strangers, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, desk_visits_sql, error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, dataset, -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    cq_grid_visit v = {.visit = {.season_end = CQ_DAY_NONE}};
    cq_season season;
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    uint32_t person = cq_levels_find(ids, cq_desk_text(s, 0));
    if (person == UINT32_MAX || !cq_season_parse(cq_desk_text(s, 1), &v.visit.season)) {
      ++*strangers;
      continue;
    }
    v.person = person;
    v.visit.day = sqlite3_column_int(s, 2);
    const char *result = cq_result_name((cq_result)sqlite3_column_int(s, 3));
    if (!cq_visit_say(&v.visit, cq_str_from(result), cq_desk_text(s, 4))) continue; /* no result of a visit */
    v.months = keep(grid, cq_desk_text(s, 5));
    v.reason = keep(grid, cq_desk_text(s, 4));
    /* the lag is that of the calendar under which the record was taken */
    if (cq_calendar_season_taken(grid->calendar, cq_desk_text(s, 7), grid->people[person].place, &v.visit.season,
                                 sqlite3_column_int(s, 6), &season))
      v.visit.season_end = season.end;
    status = cq_grid_add_visit(grid, &v, error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status desk_calendar(const char *path, cq_desk *desk, cq_calendar **calendar, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = ''", error);
  if (status == CQ_OK) status = cq_desk_step(desk, s, &row, error);
  if (status == CQ_OK) status = read_calendar(path, row ? cq_desk_text(s, 0) : CQ_STR(""), calendar, error);
  sqlite3_finalize(s);
  return status;
}

cq_status cq_desk_grid_read(cq_desk_grid *g, cq_desk *desk, const cq_desk_grid_plan *plan, cq_error *error) {
  cq_levels ids = {0};
  *g = (cq_desk_grid){0};
  cq_status status = cq_entities_update(desk, &g->unreadable, error);
  if (status == CQ_OK) status = desk_calendar(plan->calendar, desk, &g->calendar, error);
  if (status == CQ_OK) status = cq_grid_init(&g->grid, g->calendar, plan->campaign, plan->today, error);
  if (status == CQ_OK) status = add_desk_people(desk, plan, &g->grid, &ids, error);
  if (status == CQ_OK) status = add_desk_visits(desk, plan->dataset, &g->grid, &ids, &g->strangers, error);
  g->grid.practice = desk->mode == CQ_MODE_PRACTICE;
  cq_buf title = {0};
  if (status == CQ_OK) status = cq_desk_title(&title, desk, cq_words_language(NULL), error);
  if (status == CQ_OK) {
    g->grid.programme = keep(&g->grid, cq_buf_str(&title));
    g->grid.by = plan->by ? keep(&g->grid, cq_words_column(cq_str_from(plan->by))) : CQ_STR("");
  }
  cq_buf_fini(&title);
  if (status == CQ_OK) status = cq_grid_close(&g->grid, error);
  cq_levels_fini(&ids);
  return status;
}

void cq_desk_grid_fini(cq_desk_grid *g) {
  cq_grid_fini(&g->grid);
  cq_calendar_free(g->calendar);
  *g = (cq_desk_grid){0};
}

static cq_status run_desk(cq_cli *cli, cq_desk *desk, int32_t campaign, int32_t today, cq_error *error) {
  const char *dataset = cq_cli_value(cli, "dataset");
  cq_desk_grid g;
  cq_desk_grid_plan plan = {.campaign = campaign,
                            .today = today,
                            .dataset = dataset ? dataset : "tdd",
                            .by = cq_cli_value(cli, "by"),
                            .calendar = cq_cli_value(cli, "calendar")};
  cq_status status = cq_desk_grid_read(&g, desk, &plan, error);
  if (status == CQ_OK) status = show(cli, &g.grid, g.strangers, error);
  if (status == CQ_OK && g.unreadable)
    cq_cli_warn(cli,
                cq_cli_plural("%zu record is of a form that is not known here.",
                              "%zu records are of a form that is not known here.", g.unreadable),
                g.unreadable);
  cq_desk_grid_fini(&g);
  return status;
}

int cq_central_coverage(cq_cli *cli) {
  int64_t campaign;
  int32_t today;
  const char *day = cq_cli_value(cli, "today"), *year = cq_cli_value(cli, "campaign");
  bool people = cq_cli_value(cli, "people"), visits = cq_cli_value(cli, "visits");
  if (people != visits) return cq_cli_usage(cli, "%s", _("coverage needs --people FILE and --visits FILE, or neither"));
  if (!year || !cq_str_int64(cq_str_from(year), &campaign) || campaign < 1 || campaign > 9998)
    return cq_cli_usage(cli, "%s", _("--campaign takes the year in which the campaign begins"));
  if (day && !day_of(cq_str_from(day), &today)) return cq_cli_usage(cli, "%s", _("--today takes a date, YYYY-MM-DD"));
  if (!day) today = cq_date_to_day(cq_date_at(&cq_clock_system, cq_clock_system.now_utc_ms(cq_clock_system.context)));
  cq_error error;
  cq_error_clear(&error);
  if (people) {
    if (run_files(cli, (int32_t)campaign, today, &error) != CQ_OK) return cq_cli_fail(cli, &error);
    return CQ_EXIT_DONE;
  }
  cq_desk desk;
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  return cq_desk_end(cli, &desk, run_desk(cli, &desk, (int32_t)campaign, today, &error), &error, CQ_EXIT_DONE);
}
