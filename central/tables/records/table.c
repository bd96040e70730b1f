/* SPDX-License-Identifier: Apache-2.0 */
/* `table`: the programme's own tables (programme.c), indicators (indicators.c), and the merged records of a form as
 * they are. `person`: what is known of one. */
#include "central/merge/entities.h"
#include "central/tables/indicators/indicators.h"
#include "central/tables/programme/programme.h"
#include "central/tables/records/rows.h"
#include "central/tables/words.h"
#include "central/verbs.h"
#include "chasqui/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const cq_cli_option cq_central_table_options[] = {
    {"list", 0, NULL, N_("the tables and forms there are")},
    {"at", 0, N_("DATE"), N_("of a table: the day it stands for (else today)")},
    {"season", 0, N_("SEASON"),
     N_("of a table: its last day; of indicators: 2012-T1, or 2012 for a whole campaign (else every season by "
        "itself)")},
    {"by", 0, N_("NAME"),
     N_("of a table: its rows, or rows and columns, region,sexo; of indicators: a figure for each "
        "value of a disaggregation")},
    {"compare", 0, N_("SEASON"), N_("of indicators: the change since the same season of another campaign")},
    {"contrast", 0, NULL, N_("with --by of two groups: the difference between them")},
    {"together", 0, NULL, N_("registered and recalled values as one figure, with the share recalled")},
    {"nominal", 0, NULL, N_("changes of money in soles of their time, though there is a price index")},
    {"version-of", 0, N_("NUMBER"), N_("this version of the definition (else the one that counts today)")},
    {"public", 0, NULL, N_("hide figures of fewer than five persons and what would betray them, for outside")},
    {"freeze", 0, N_("QUARTER"), N_("keep the figures as published in a quarter (2013-Q1), signed")},
    {"who", 0, N_("CODE"), N_("with --freeze: code of the person who revises what was frozen")},
    {"reason", 0, N_("TEXT"), N_("with --freeze: why it is revised, in a line without personal data")},
    {"internal", 0, NULL, N_("of a table of persons: show small cells of sensitive fields too")},
    {"csv", 0, N_("FILE"), N_("write the figures as CSV")},
    {"xlsx", 0, N_("FILE"), N_("write the figures as a workbook")},
    {"definitions", 0, N_("FILE"), N_("try a tables.json that is not published yet")},
    {"repeat", 0, N_("NAME"), N_("of a form: the rows of this repeat")},
    {"labels", 0, NULL, N_("of a form: labels beside the codes of choices")},
    {"language", 0, N_("CODE"), N_("language of the labels")},
    {"identified", 0, NULL, N_("of a form: with the columns that identify people")},
    {"all", 0, NULL, N_("of a form: voided records and those replaced by an edit too")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};
const cq_cli_option cq_central_person_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

enum { WIDEST = 28, ROW_NUMBER = 4 };

/* Rows kept until all are there, so that columns can be as wide as they need. */
typedef struct kept {
  cq_arena *arena;
  size_t table, columns, count, capacity;
  cq_str **rows;
} kept;

static cq_status keep_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  kept *k = context;
  if (table != k->table) return CQ_OK;
  if (k->count == k->capacity) {
    size_t capacity = k->capacity ? k->capacity * 2 : 64;
    cq_str **rows = realloc(k->rows, capacity * sizeof *rows);
    if (!rows) return cq_error_nomem(error);
    k->rows = rows;
    k->capacity = capacity;
  }
  cq_str *row = cq_arena_array(k->arena, k->columns, sizeof *row);
  if (!row) return cq_error_nomem(error);
  for (size_t i = 0; i < k->columns; i++) {
    row[i] = cells[i].size ? cq_arena_copy(k->arena, cells[i]) : CQ_STR("");
    if (!row[i].at) return cq_error_nomem(error);
  }
  k->rows[k->count++] = row;
  return CQ_OK;
}

/* A cell on one line, cut at `width` code points. */
static size_t add_cell(cq_buf *out, cq_str text, size_t width) {
  size_t columns = 0, offset = 0;
  while (offset < text.size) {
    uint32_t c = cq_utf8_next(text, &offset);
    if (columns + 1 == width && offset < text.size) c = 0x2026; /* … */
    cq_buf_add_code_point(out, c < 0x20 || c == 0x7F ? ' ' : c);
    if (++columns == width) break;
  }
  return columns;
}

static bool is_empty(const kept *k, size_t column) {
  for (size_t i = 0; i < k->count; i++)
    if (k->rows[i][column].size) return false;
  return true;
}

/* What stands above a column on the terminal, where a question's words are too long: its name. */
static cq_str head_of(const cq_rows_column *column) {
  return column->field ? column->name : cq_words_column(column->name);
}

static size_t width_of(const kept *k, const cq_rows_table *t, size_t column) {
  size_t width = cq_utf8_length(head_of(&t->columns[column]));
  for (size_t r = 0; r < k->count && width < WIDEST; r++) {
    size_t length = cq_utf8_length(cq_rows_word(&t->columns[column], k->rows[r][column]));
    if (length > width) width = length;
  }
  return width < WIDEST ? width : WIDEST;
}

/* Columns of the terminal; 0 where it is none: then a row is one line. */
static size_t room(void) {
  struct winsize size;
  return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void say_block(cq_cli *cli, const kept *k, const cq_rows_table *t, const size_t *shown, size_t from, size_t to) {
  cq_buf line = {0};
  for (size_t i = 0; i <= k->count; i++) {
    cq_buf_reset(&line);
    if (i)
      cq_buf_addf(&line, "%*zu", ROW_NUMBER, i);
    else
      cq_buf_addf(&line, "%*s", ROW_NUMBER, "#");
    for (size_t s = from; s < to; s++) {
      size_t c = shown[s], width = width_of(k, t, c);
      cq_buf_add_text(&line, "  ");
      size_t used =
          add_cell(&line, i ? cq_rows_word(&t->columns[c], k->rows[i - 1][c]) : head_of(&t->columns[c]), width);
      for (; used < width; used++) cq_buf_add_char(&line, ' ');
    }
    while (line.size && line.at[line.size - 1] == ' ') line.at[--line.size] = '\0';
    if (!line.failed && line.at) cq_cli_say(cli, "%s", line.at);
  }
  cq_buf_fini(&line);
}

/*
 * A table for reading: columns that hold nothing anywhere are passed over, and what does not fit beside one another on
 * the terminal stands below, by row number.
 */
static cq_status say_rows(cq_cli *cli, const kept *k, const cq_rows_table *t, cq_error *error) {
  size_t *shown = cq_arena_array(k->arena, k->columns, sizeof *shown), count = 0, wide = room();
  if (!shown) return cq_error_nomem(error);
  for (size_t c = 0; c < k->columns; c++)
    if (!is_empty(k, c) && !cq_rows_for_programs(&t->columns[c])) shown[count++] = c;
  for (size_t from = 0, to; k->count && from < count; from = to) {
    size_t used = ROW_NUMBER;
    for (to = from; to < count; to++) {
      used += 2 + width_of(k, t, shown[to]);
      if (wide && used > wide && to > from) break;
    }
    if (from) cq_cli_say(cli, "%s", "");
    say_block(cli, k, t, shown, from, to);
  }
  return CQ_OK;
}

static void say_json(const kept *k, const cq_rows_table *t) {
  cq_buf out = {0};
  cq_buf_add_text(&out, "{\"rows\":[");
  for (size_t i = 0; i < k->count; i++) {
    cq_buf_add_text(&out, i ? ",\n{" : "\n{");
    bool first = true;
    for (size_t c = 0; c < k->columns; c++) {
      if (!k->rows[i][c].size) continue;
      if (!first) cq_buf_add_char(&out, ',');
      first = false;
      cq_cli_add_json(&out, t->columns[c].name);
      cq_buf_add_char(&out, ':');
      cq_cli_add_json(&out, k->rows[i][c]);
    }
    cq_buf_add_char(&out, '}');
  }
  cq_buf_add_text(&out, "]}\n");
  if (!out.failed) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
}

static cq_status find_table(const cq_rows *rows, const char *repeat, size_t *table, cq_error *error) {
  *table = 0;
  if (!repeat) return CQ_OK;
  for (size_t i = 1; i < cq_rows_tables(rows); i++) {
    const cq_rows_table *t = cq_rows_table_at(rows, i);
    size_t from = t->path.size;
    while (from && t->path.at[from - 1] != '/') from--;
    if (!cq_str_is((cq_str){t->path.at + from, t->path.size - from}, repeat) && !cq_str_is(t->name, repeat)) continue;
    *table = i;
    return CQ_OK;
  }
  return cq_error_set(error, CQ_NOTFOUND, "desk.form.repeat", repeat, NULL);
}

static cq_status show_table(cq_cli *cli, cq_desk *desk, const char *form, cq_error *error) {
  cq_rows *rows = NULL;
  kept k = {0};
  size_t records, unreadable;
  cq_rows_options options = {.labels = cq_cli_flag(cli, "labels"),
                             .language = cq_words_language(cq_cli_value(cli, "language")),
                             .identified = cq_cli_flag(cli, "identified"),
                             .all = cq_cli_flag(cli, "all")};
  cq_status status = cq_rows_open(&rows, desk, cq_str_from(form), &options, error);
  if (status == CQ_OK) status = find_table(rows, cq_cli_value(cli, "repeat"), &k.table, error);
  if (status == CQ_OK && !(k.arena = cq_arena_new(0))) status = cq_error_nomem(error);
  if (status == CQ_OK) {
    k.columns = cq_rows_table_at(rows, k.table)->count;
    status = cq_rows_read(rows, keep_row, &k, &records, &unreadable, error);
  }
  if (status == CQ_OK) {
    const cq_rows_table *t = cq_rows_table_at(rows, k.table);
    if (cq_cli_flag(cli, "json"))
      say_json(&k, t);
    else
      status = say_rows(cli, &k, t, error);
    cq_cli_say(cli, _("Rows: %zu. Records: %zu."), k.count, records);
    if (cq_rows_left_out(rows))
      cq_cli_say(cli,
                 cq_cli_plural("%zu column identifies people and is left out (--identified shows it).",
                               "%zu columns identify people and are left out (--identified shows them).",
                               cq_rows_left_out(rows)),
                 cq_rows_left_out(rows));
    if (unreadable)
      cq_cli_warn(cli,
                  cq_cli_plural("%zu record is of a form that is not known here.",
                                "%zu records are of a form that is not known here.", unreadable),
                  unreadable);
  }
  cq_rows_free(rows);
  cq_arena_free(k.arena);
  free(k.rows);
  return status;
}

static cq_status say_form(void *context, cq_str id, cq_str title, int64_t records, cq_error *error) {
  (void)error;
  cq_cli_say(context, "  %-32.*s %8lld  %.*s", (int)id.size, id.at, (long long)records, (int)title.size, title.at);
  return CQ_OK;
}

static cq_status list_all(cq_cli *cli, cq_desk *desk, const cq_definitions *d, cq_error *error) {
  if (cq_cli_flag(cli, "json")) {
    cq_buf out = {0};
    cq_buf_add_text(&out, "{\"tables\":[");
    for (size_t i = 0; i < d->table_count; i++) {
      cq_buf_add_text(&out, i ? ",\n{\"name\":" : "\n{\"name\":");
      cq_cli_add_json(&out, d->tables[i].name);
      cq_buf_add_text(&out, ",\"title\":");
      cq_cli_add_json(&out, d->tables[i].title);
      cq_buf_add_char(&out, '}');
    }
    cq_buf_add_text(&out, "]}\n");
    if (!out.failed) fwrite(out.at, 1, out.size, stdout);
    cq_buf_fini(&out);
  }
  if (d->table_count) cq_cli_say(cli, "%s", _("Tables of the programme:"));
  cq_programme_list(cli, d);
  cq_cli_say(cli, "%s", _("Forms, and how many records each has:"));
  return cq_rows_forms(desk, say_form, cli, error);
}

/* What belongs to tables alone says so with a form, and the reverse; NULL: nothing. */
static const char *misplaced(const cq_cli *cli, bool table) {
  static const char *const not_of_tables[] = {"repeat",   "labels",  "identified", "all",    "compare", "contrast",
                                              "together", "nominal", "version-of", "freeze", NULL};
  static const char *const not_of_forms[] = {"at", "by", "csv", "xlsx", "public", "internal", NULL};
  for (const char *const *at = table ? not_of_tables : not_of_forms; *at; at++)
    if (cq_cli_value(cli, *at) || cq_cli_flag(cli, *at)) return *at;
  return NULL;
}

/* A table of tables.json goes before an indicator, and that before a form. *left: the exit status where all went well.
 */
static cq_status run_table(cq_cli *cli, cq_desk *desk, int *left, cq_error *error) {
  cq_definitions d;
  bool found = false;
  const char *name = cq_cli_arg(cli, 0), *wrong;
  cq_status status = cq_programme_definitions(cli, desk, false, &d, &found, error);
  const cq_table_def *table = status == CQ_OK && name ? cq_definitions_table(&d, cq_str_from(name)) : NULL;
  bool one = table && cq_cli_args(cli) == 1;
  if (status != CQ_OK)
    ;
  else if (!name || cq_cli_flag(cli, "list"))
    status = list_all(cli, desk, &d, error);
  else if (!one && (cq_cli_value(cli, "season") || cq_cli_args(cli) > 1 || cq_indicator_known(desk, name)))
    *left = cq_table_indicators(cli, desk, &status, error);
  else if ((wrong = misplaced(cli, one)))
    status = cq_error_set(error, CQ_INVALID, one ? "tables.option.form" : "tables.option.table", wrong, name, NULL);
  else
    status = one ? cq_programme_table(cli, desk, &d, table, error) : show_table(cli, desk, name, error);
  cq_definitions_fini(&d);
  return status;
}

int cq_central_table(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  int done = CQ_EXIT_DONE;
  cq_error_clear(&error);
  if (cq_cli_flag(cli, "public") && cq_cli_flag(cli, "internal"))
    return cq_cli_usage(cli, "%s", _("--public and --internal say the opposite of each other"));
  if (cq_cli_value(cli, "at") && cq_cli_value(cli, "season"))
    return cq_cli_usage(cli, "%s", _("say either --at or --season"));
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = run_table(cli, &desk, &done, &error);
  return cq_desk_end(cli, &desk, status, &error, done);
}

/* --- one person --- */

/* By the entity's id, from the start, or by its property "codigo", which is what people know. */
static const char person_sql[] =
    "WITH asked AS (SELECT dataset, CASE WHEN substr(entity, 1, 5) = 'uuid:' THEN substr(entity, 6) ELSE entity END AS "
    "entity, id FROM visit_subject) "
    "SELECT s.dataset, s.entity, v.form_id, v.day, v.season, v.result, v.reason, v.technician, v.device, v.edited, "
    "v.voided, r.name, v.months, (SELECT count(*) FROM visit_attachment a WHERE a.id = v.id), (SELECT count(*) FROM "
    "visit_attachment a WHERE a.id = v.id AND a.hash NOT IN (SELECT hash FROM attachment_whole)), v.id, v.fork IS NOT "
    "NULL "
    "FROM asked s "
    "JOIN visit v ON v.id = s.id JOIN record r ON r.id = v.id "
    "WHERE substr(s.entity, 1, length(?1)) = ?1 OR EXISTS (SELECT 1 FROM entity_property p WHERE p.dataset = s.dataset "
    "AND p.id = s.entity AND p.name = 'codigo' AND p.value = ?1) OR EXISTS (SELECT 1 FROM frame_property f WHERE "
    "f.dataset = s.dataset AND f.id = s.entity AND f.name = 'codigo' AND f.value = ?1) "
    "ORDER BY s.dataset, s.entity, v.day, v.finished_utc_ms";

/* "2012-08…2012-10"; "" none. `months` are in order, 7 characters each. */
static void month_span(cq_str months, char out[24]) {
  out[0] = '\0';
  if (months.size >= 7) snprintf(out, 24, "%.7s…%.7s", months.at, months.at + months.size - 7);
}

/* ,"attachments":[…] with what each is called in the record. */
static cq_status add_files(cq_desk *desk, int64_t visit, cq_buf *json, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool first = true;
  cq_status status = cq_desk_prepare(desk, &s,
                                     "SELECT name, size, hash IN (SELECT hash FROM attachment_whole) FROM "
                                     "visit_attachment WHERE id = ?1 ORDER BY name",
                                     error);
  if (status == CQ_OK) sqlite3_bind_int64(s, 1, visit);
  cq_buf_add_text(json, ",\"attachments\":[");
  for (bool row = true; status == CQ_OK; first = false) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    cq_buf_addf(json, "%s{\"name\":", first ? "" : ",");
    cq_cli_add_json(json, cq_desk_text(s, 0));
    cq_buf_addf(json, ",\"bytes\":%lld,\"awaited\":%s}", (long long)sqlite3_column_int64(s, 1),
                sqlite3_column_int(s, 2) ? "false" : "true");
  }
  sqlite3_finalize(s);
  cq_buf_add_char(json, ']');
  return status;
}

static void say_files(cq_cli *cli, sqlite3_stmt *s) {
  int files = sqlite3_column_int(s, 13), awaited = sqlite3_column_int(s, 14);
  char text[80];
  if (files == 0) return;
  snprintf(text, sizeof text, cq_cli_plural("%d attached file", "%d attached files", (uint64_t)files), files);
  if (awaited)
    cq_cli_say(cli, _("            %s, of which %d awaited"), text, awaited);
  else
    cq_cli_say(cli, "            %s", text);
}

static cq_status say_visit(cq_cli *cli, cq_desk *desk, sqlite3_stmt *s, cq_buf *json, bool first, cq_error *error) {
  char date[11], hex[65], device[33], months[24];
  cq_hash name;
  cq_device_id id;
  cq_status status = cq_desk_column(s, 11, name.at, sizeof name.at, error);
  if (status == CQ_OK) status = cq_desk_column(s, 8, id.at, sizeof id.at, error);
  if (status != CQ_OK) return status;
  const char *result = cq_result_name((cq_result)sqlite3_column_int(s, 5));
  cq_date_format(cq_date_from_day(sqlite3_column_int(s, 3)), date);
  cq_hash_hex(&name, hex);
  cq_device_id_hex(&id, device);
  month_span(cq_desk_text(s, 12), months);
  int edited = sqlite3_column_int(s, 9), voided = sqlite3_column_int(s, 10), fork = sqlite3_column_int(s, 16);
  cq_buf said = {0};
  cq_data_column(&said, cq_words_result(cq_str_from(result)), -10);
  /* the ellipsis is three bytes and one column */
  cq_cli_say(cli, "%s  %-24s %-8s %-*s %s %-8s %.8s  %.12s%s%s%s", date, (const char *)sqlite3_column_text(s, 2),
             (const char *)sqlite3_column_text(s, 4), *months ? 17 : 15, months, said.at ? said.at : result,
             (const char *)sqlite3_column_text(s, 7), device, hex, edited || fork ? "  " : "",
             fork     ? edited ? _("conflict: another correction counts") : _("conflict: counts meanwhile")
                 : edited ? _("edited")
                      : "",
             voided ? _("  voided") : "");
  cq_buf_fini(&said);
  cq_buf_addf(json,
              "%s\n{\"date\":\"%s\",\"record\":\"%s\",\"result\":\"%s\",\"device\":\"%s\",\"edited\":%d,\"conflict\":%"
              "s,\"voided\":%s",
              first ? "" : ",", date, hex, result, device, edited, fork ? "true" : "false", voided ? "true" : "false");
  static const struct {
    const char *name;
    int column;
  } texts[] = {{"dataset", 0}, {"entity", 1},     {"form", 2},   {"season", 4},
               {"reason", 6},  {"technician", 7}, {"months", 12}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    cq_buf_addf(json, ",\"%s\":", texts[i].name);
    cq_cli_add_json(json, cq_desk_text(s, texts[i].column));
  }
  say_files(cli, s);
  status = add_files(desk, sqlite3_column_int64(s, 15), json, error);
  cq_buf_add_char(json, '}');
  return status;
}

int cq_central_person(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_buf json = {0};
  sqlite3_stmt *s = NULL;
  size_t count = 0, unreadable = 0;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_entities_update(&desk, &unreadable, &error);
  if (status == CQ_OK) status = cq_desk_prepare(&desk, &s, person_sql, &error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, cq_cli_arg(cli, 0), -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(&desk, s, &row, &error)) != CQ_OK || !row) break;
    status = say_visit(cli, &desk, s, &json, count++ == 0, &error);
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && !count) status = cq_error_set(&error, CQ_NOTFOUND, "desk.person.none", NULL);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"visits\":[%s]}\n", json.at ? json.at : "");
  cq_buf_fini(&json);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
