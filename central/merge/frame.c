/* SPDX-License-Identifier: Apache-2.0 */
/* `frame import`: who is to be visited. */
#include "central/merge/desk.h"
#include "central/tables/survey/data.h"
#include "central/verbs.h"
#include "chasqui/clock.h"
#include "chasqui/file.h"

#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_frame_import_options[] = {
    {"dataset", 0, N_("NAME"), N_("which list of the desk's entities the persons are (else tdd)")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

enum { ID, STRATUM, POPULATION, WEIGHT, ENTRY, EXIT, PLACE, ROLE, KNOWN };
static const char *const known[KNOWN] = {"id", "stratum", "N", "weight", "entry", "exit", "place", "role"};
enum { MAX_EXTRA = 64, FRAME_MAX_BYTES = 256 << 20 };

typedef struct importing {
  cq_desk *desk;
  const char *dataset;
  size_t at[KNOWN], extra[MAX_EXTRA], extra_count;
  cq_arena *arena;
  cq_str extra_name[MAX_EXTRA];
  sqlite3_stmt *unit, *property;
  size_t units;
} importing;

static cq_status read_header(importing *it, cq_csv *csv, cq_error *error) {
  const cq_str *fields;
  size_t count;
  cq_status status = cq_csv_next(csv, &fields, &count, error);
  for (size_t k = 0; k < KNOWN; k++) it->at[k] = SIZE_MAX;
  for (size_t c = 0; status == CQ_OK && c < count; c++) {
    size_t k = 0;
    cq_str name = cq_str_trim(fields[c]);
    while (k < KNOWN && !cq_str_is(name, known[k])) k++;
    if (k < KNOWN)
      it->at[k] = c;
    else if (it->extra_count < MAX_EXTRA) {
      it->extra[it->extra_count] = c;
      it->extra_name[it->extra_count] = cq_arena_copy(it->arena, name);
      if (!it->extra_name[it->extra_count++].at) return cq_error_nomem(error);
    }
  }
  if (status == CQ_OK && it->at[ID] == SIZE_MAX)
    return cq_error_set(error, CQ_INVALID, "central.data.column", "id", NULL);
  return status;
}

static void bind_text(sqlite3_stmt *s, int at, cq_str text) {
  sqlite3_bind_text(s, at, text.size ? text.at : "", (int)text.size, SQLITE_STATIC);
}

/* A number, a date, or nothing; anything else is wrong. */
static cq_status bind_number(sqlite3_stmt *s, int at, cq_str text, const char *column, cq_error *error) {
  double value;
  if (!text.size)
    sqlite3_bind_null(s, at);
  else if (!cq_data_number(text, &value) || value < 0)
    return cq_error_set(error, CQ_INVALID, "central.estimate.number", column, NULL);
  else
    sqlite3_bind_double(s, at, value);
  return CQ_OK;
}

static cq_status bind_day(sqlite3_stmt *s, int at, cq_str text, const char *column, cq_error *error) {
  cq_date date;
  if (!text.size)
    sqlite3_bind_null(s, at);
  else if (!cq_date_parse(text, &date))
    return cq_error_set(error, CQ_INVALID, "central.coverage.date", column, NULL);
  else
    sqlite3_bind_int(s, at, cq_date_to_day(date));
  return CQ_OK;
}

static cq_status put_unit(importing *it, const cq_str *fields, size_t count, cq_error *error) {
  cq_str f[KNOWN];
  for (size_t k = 0; k < KNOWN; k++) f[k] = it->at[k] < count ? cq_str_trim(fields[it->at[k]]) : CQ_STR("");
  if (f[ROLE].size && !cq_str_is(f[ROLE], "sample")) return CQ_OK; /* a replacement is imported when it replaces */
  if (!f[ID].size) return cq_error_set(error, CQ_INVALID, "central.coverage.blank", "id", NULL);
  sqlite3_bind_text(it->unit, 1, it->dataset, -1, SQLITE_STATIC);
  bind_text(it->unit, 2, f[ID]);
  bind_text(it->unit, 3, f[STRATUM]);
  bind_text(it->unit, 8, f[PLACE]);
  cq_status status = bind_number(it->unit, 4, f[POPULATION], "N", error);
  if (status == CQ_OK) status = bind_number(it->unit, 5, f[WEIGHT], "weight", error);
  if (status == CQ_OK) status = bind_day(it->unit, 6, f[ENTRY], "entry", error);
  if (status == CQ_OK) status = bind_day(it->unit, 7, f[EXIT], "exit", error);
  if (status == CQ_OK) status = cq_desk_step(it->desk, it->unit, NULL, error);
  if (status == CQ_OK && !sqlite3_changes(it->desk->db))
    return cq_error_set(error, CQ_INVALID, "central.coverage.twice", NULL);
  it->units++;
  for (size_t i = 0; status == CQ_OK && i < it->extra_count; i++) {
    if (it->extra[i] >= count || !fields[it->extra[i]].size) continue;
    sqlite3_bind_text(it->property, 1, it->dataset, -1, SQLITE_STATIC);
    bind_text(it->property, 2, f[ID]);
    bind_text(it->property, 3, it->extra_name[i]);
    bind_text(it->property, 4, cq_str_trim(fields[it->extra[i]]));
    status = cq_desk_step(it->desk, it->property, NULL, error);
  }
  return status;
}

static cq_status read_units(importing *it, cq_csv *csv, cq_error *error) {
  cq_status status = read_header(it, csv, error);
  for (;;) {
    const cq_str *fields;
    size_t count = 0;
    if (status == CQ_OK) status = cq_csv_next(csv, &fields, &count, error);
    if (status == CQ_OK && !count) return CQ_OK;
    if (status == CQ_OK) status = put_unit(it, fields, count, error);
    if (status == CQ_OK) continue;
    cq_error_at_line(error, cq_csv_line(csv), 0);
    return status;
  }
}

static cq_status check_frozen(importing *it, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  cq_status status = cq_desk_prepare(it->desk, &s, "SELECT 1 FROM frame WHERE dataset = ?1 LIMIT 1", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, it->dataset, -1, SQLITE_STATIC);
    status = cq_desk_step(it->desk, s, &row, error);
  }
  sqlite3_finalize(s);
  return status == CQ_OK && row ? cq_error_set(error, CQ_REFUSED, "desk.frame.frozen", it->dataset, NULL) : status;
}

static cq_status import(importing *it, const char *path, cq_error *error) {
  cq_buf text = {0};
  cq_csv *csv = NULL;
  cq_status status = cq_file_read(path, FRAME_MAX_BYTES, &text, error);
  if (status == CQ_OK && (!(it->arena = cq_arena_new(0)) || !(csv = cq_csv_new(cq_buf_str(&text), 0))))
    status = cq_error_nomem(error);
  if (status == CQ_OK) status = check_frozen(it, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(it->desk, &it->unit, "INSERT OR IGNORE INTO frame VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                             error);
  if (status == CQ_OK)
    status = cq_desk_prepare(it->desk, &it->property, "INSERT OR REPLACE INTO frame_property VALUES (?1, ?2, ?3, ?4)",
                             error);
  if (status == CQ_OK) status = cq_desk_exec(it->desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK && (status = read_units(it, csv, error)) != CQ_OK) cq_error_at_file(error, path);
  if (status == CQ_OK) status = cq_desk_exec(it->desk, "COMMIT", error);
  sqlite3_finalize(it->unit);
  sqlite3_finalize(it->property);
  cq_csv_free(csv);
  cq_arena_free(it->arena);
  cq_buf_fini(&text);
  return status;
}

int cq_central_frame_import(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  importing it = {.desk = &desk, .dataset = cq_cli_value(cli, "dataset") ? cq_cli_value(cli, "dataset") : "tdd"};
  cq_status status = import(&it, cq_cli_arg(cli, 0), &error);
  if (status == CQ_OK)
    cq_cli_say(cli,
               cq_cli_plural("%zu person is to be visited; the frame is frozen.",
                             "%zu persons are to be visited; the frame is frozen.", it.units),
               it.units);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
