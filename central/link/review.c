/* SPDX-License-Identifier: Apache-2.0 */
/* `review`: what a person should look at and decide. Nothing is merged here; decisions are signed orders. */
#include "central/link/review.h"
#include "central/merge/derive.h"
#include "central/tables/records/rows.h"
#include "central/tables/survey/data.h"
#include "central/verbs.h"
#include "chasqui/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_review_options[] = {
    {"data", 0, N_("FILE"),
     N_("CSV of persons: id, given, surname1, surname2, sex, birth, place, dni, as far as there are")},
    {"form", 0, N_("FORM"), N_("the form that registers persons (else a_linea_base_tdd)")},
    {"dataset", 0, N_("NAME"), N_("which list of the desk's entities the persons are (else tdd)")},
    {"least", 0, N_("NUMBER"), N_("the least probability to be proposed (else 0.5)")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};
const cq_cli_option cq_central_review_decide_options[] = {
    {"dataset", 0, N_("NAME"), N_("which list of the desk's entities the persons are (else tdd)")},
    {"reason", 0, N_("TEXT"), N_("why, in a line without personal data")},
    {"by", 0, N_("CODE"), N_("code of the person who decides")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

enum { ID, GIVEN, SURNAME1, SURNAME2, SEX, BIRTH, PLACE, DNI, FIELDS };
/* Names of columns in a CSV file, and of questions in the programme's forms. */
static const char *const csv_names[FIELDS] = {"id", "given", "surname1", "surname2", "sex", "birth", "place", "dni"};
static const char *const form_names[FIELDS] = {"KEY",  "nombres", "ape_pat",  "ape_mat",
                                               "sexo", "fnac",    "distrito", "dni"};

typedef struct people {
  cq_arena *arena;
  cq_link_person *of;
  size_t count, capacity;
  cq_levels decided; /* "id id" of pairs that somebody has decided, in either order */
} people;

static cq_status add_person(people *p, const cq_str cells[FIELDS], cq_error *error) {
  cq_str kept[FIELDS];
  if (p->count == p->capacity) {
    size_t capacity = p->capacity ? p->capacity * 2 : 256;
    cq_link_person *of = realloc(p->of, capacity * sizeof *of);
    if (!of) return cq_error_nomem(error);
    p->of = of;
    p->capacity = capacity;
  }
  for (size_t i = 0; i < FIELDS; i++) {
    kept[i] = cells[i].size ? cq_arena_copy(p->arena, cells[i]) : CQ_STR("");
    if (!kept[i].at) return cq_error_nomem(error);
  }
  p->of[p->count++] = (cq_link_person){kept[ID],  kept[GIVEN], kept[SURNAME1], kept[SURNAME2],
                                       kept[SEX], kept[BIRTH], kept[PLACE],    kept[DNI]};
  return CQ_OK;
}

/* --- from a file --- */

static cq_status read_file(people *p, const char *path, cq_error *error) {
  static const bool optional[FIELDS] = {false, true, true, true, true, true, true, true};
  cq_data data;
  cq_status status = cq_data_read(&data, path, csv_names, optional, FIELDS, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; status == CQ_OK && i < data.rows; i++) status = add_person(p, data.cells + i * FIELDS, error);
  cq_data_fini(&data);
  return status;
}

/* --- from the desk --- */

typedef struct reader {
  people *people;
  cq_desk *desk;
  sqlite3_stmt *entity; /* of an instance */
  size_t column[FIELDS];
  cq_error *error;
} reader;

static cq_status take_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  reader *r = context;
  cq_str person[FIELDS];
  bool row = false;
  if (table != 0) return CQ_OK;
  for (size_t i = 0; i < FIELDS; i++) person[i] = r->column[i] == SIZE_MAX ? CQ_STR("") : cells[r->column[i]];
  sqlite3_bind_text(r->entity, 1, person[ID].at, (int)person[ID].size, SQLITE_STATIC);
  cq_status status = cq_desk_step(r->desk, r->entity, &row, error);
  if (status == CQ_OK && row) {
    cq_str id = cq_desk_text(r->entity, 0);
    person[ID] = cq_str_starts(id, CQ_STR("uuid:")) ? (cq_str){id.at + 5, id.size - 5} : id;
    status = add_person(r->people, person, error);
  }
  sqlite3_reset(r->entity);
  return status;
}

static cq_status read_desk(people *p, cq_desk *desk, const char *form, const char *dataset, cq_error *error) {
  cq_rows *rows = NULL;
  cq_rows_options options = {.identified = true};
  size_t records, unreadable;
  reader r = {.people = p, .desk = desk};
  cq_status status = cq_rows_open(&rows, desk, cq_str_from(form), &options, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &r.entity,
                             "SELECT s.entity FROM visit v JOIN visit_subject s ON s.id = v.id "
                             "WHERE v.instance = ?1 AND s.dataset = ?2",
                             error);
  if (status == CQ_OK) {
    const cq_rows_table *t = cq_rows_table_at(rows, 0);
    sqlite3_bind_text(r.entity, 2, dataset, -1, SQLITE_STATIC);
    for (size_t i = 0; i < FIELDS; i++) {
      r.column[i] = SIZE_MAX;
      for (size_t c = t->count; c-- > 0;)
        if (cq_str_is(t->columns[c].field ? t->columns[c].field->name : t->columns[c].name, form_names[i]))
          r.column[i] = c;
    }
    status = cq_rows_read(rows, take_row, &r, &records, &unreadable, error);
  }
  sqlite3_finalize(r.entity);
  cq_rows_free(rows);
  return status;
}

/* --- decisions --- */

static cq_status note_decided(people *p, cq_str a, cq_str b, cq_error *error) {
  cq_buf text = {0};
  bool turned = cq_str_compare(a, b) > 0;
  cq_buf_add_str(&text, turned ? b : a);
  cq_buf_add_char(&text, ' ');
  cq_buf_add_str(&text, turned ? a : b);
  cq_str copy = text.failed ? CQ_STR("") : cq_arena_copy(p->arena, cq_buf_str(&text));
  cq_buf_fini(&text);
  return copy.size && cq_levels_number(&p->decided, copy) != UINT32_MAX ? CQ_OK : cq_error_nomem(error);
}

static cq_status read_decided(people *p, cq_desk *desk, const char *dataset, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM decision WHERE kind IN (6, 8)", error);
  for (bool row = true; status == CQ_OK;) {
    cq_order order;
    cq_hash name;
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_order_read(&order, &name, cq_desk_text(s, 0), p->arena, &desk->trust, error);
    if (status != CQ_OK || order.text_count < 3 || !cq_str_is(order.texts[0], dataset)) continue;
    for (size_t i = 2; status == CQ_OK && i < order.text_count; i++)
      status = note_decided(p, order.texts[1], order.texts[i], error);
  }
  sqlite3_finalize(s);
  return status;
}

static bool is_decided(const people *p, cq_str a, cq_str b) {
  char text[600];
  bool turned = cq_str_compare(a, b) > 0;
  cq_str x = turned ? b : a, y = turned ? a : b;
  int size = snprintf(text, sizeof text, "%.*s %.*s", (int)x.size, x.at, (int)y.size, y.at);
  return size > 0 && (size_t)size < sizeof text &&
         cq_levels_find(&p->decided, (cq_str){text, (size_t)size}) != UINT32_MAX;
}

/* --- proposals --- */

typedef struct proposals {
  cq_cli *cli;
  cq_buf json;
  size_t shown;
} proposals;

static cq_status say_pair(void *context, const cq_link_person *a, const cq_link_person *b, double probability,
                          double weight, cq_error *error) {
  proposals *s = context;
  const cq_link_person *both[2] = {a, b};
  (void)error;
  cq_cli_say(s->cli, _("%5.1f %%  %.*s and %.*s"), 100 * probability, (int)a->id.size, a->id.at, (int)b->id.size,
             b->id.at);
  for (size_t i = 0; i < 2; i++) { /* side by side, for whoever decides */
    const cq_link_person *q = both[i];
    cq_cli_say(s->cli, "          %.*s %.*s, %.*s · %.*s · %.*s · %.*s", (int)q->surname1.size, q->surname1.at,
               (int)q->surname2.size, q->surname2.at, (int)q->given.size, q->given.at, (int)q->sex.size, q->sex.at,
               (int)q->birth.size, q->birth.at, (int)q->place.size, q->place.at);
  }
  cq_buf_add_text(&s->json, s->shown++ ? ",\n{\"a\":" : "\n{\"a\":");
  cq_cli_add_json(&s->json, a->id);
  cq_buf_add_text(&s->json, ",\"b\":");
  cq_cli_add_json(&s->json, b->id);
  cq_buf_addf(&s->json, ",\"probability\":%.6f,\"weight\":%.4f}", probability, weight);
  return CQ_OK;
}

/* Pairs that nobody has decided. */
static cq_status propose(const people *p, double least, cq_review_each each, void *context, size_t *passed,
                         cq_error *error) {
  cq_link_pair *pairs = NULL;
  size_t found = 0;
  cq_status status = cq_link_pairs(p->of, p->count, least, &pairs, &found, passed, error);
  for (size_t i = 0; status == CQ_OK && i < found && p->of; i++) {
    const cq_link_person *a = &p->of[pairs[i].a], *b = &p->of[pairs[i].b];
    if (!is_decided(p, a->id, b->id)) status = each(context, a, b, pairs[i].probability, pairs[i].weight, error);
  }
  free(pairs);
  return status;
}

static void people_fini(people *p) {
  cq_levels_fini(&p->decided);
  cq_arena_free(p->arena);
  free(p->of);
}

static cq_status read_all(people *p, cq_desk *desk, const char *form, const char *dataset, cq_error *error) {
  cq_status status = read_desk(p, desk, form ? form : "a_linea_base_tdd", dataset ? dataset : "tdd", error);
  return status == CQ_OK ? read_decided(p, desk, dataset ? dataset : "tdd", error) : status;
}

cq_status cq_review_propose(cq_desk *desk, double least, cq_review_each each, void *context, size_t *persons,
                            cq_error *error) {
  people p = {.arena = cq_arena_new(0)};
  size_t passed = 0;
  cq_status status = p.arena ? read_all(&p, desk, NULL, NULL, error) : cq_error_nomem(error);
  if (status == CQ_OK) status = propose(&p, least, each, context, &passed, error);
  *persons = p.count;
  people_fini(&p);
  return status;
}

/* --- corrections in conflict --- */

/* The newest of each comes last, and counts meanwhile. */
static const char forks_sql[] =
    "SELECT r.name, v.form_id, v.day, v.technician, v.device, v.edited, v.fork FROM visit v JOIN record r ON r.id = "
    "v.id WHERE v.fork IS NOT NULL ORDER BY v.fork, v.edited DESC, v.finished_utc_ms, r.name";

static cq_status say_fork(proposals *said, sqlite3_stmt *s, cq_error *error) {
  char date[11], hex[65], of[65], device[33];
  cq_hash name, fork;
  cq_device_id id;
  cq_status status = cq_desk_column(s, 0, name.at, sizeof name.at, error);
  if (status == CQ_OK) status = cq_desk_column(s, 4, id.at, sizeof id.at, error);
  if (status == CQ_OK) status = cq_desk_column(s, 6, fork.at, sizeof fork.at, error);
  if (status != CQ_OK) return status;
  bool counts = sqlite3_column_int(s, 5) == 0;
  cq_date_format(cq_date_from_day(sqlite3_column_int(s, 2)), date);
  cq_hash_hex(&name, hex);
  cq_hash_hex(&fork, of);
  cq_device_id_hex(&id, device);
  cq_cli_say(said->cli, "%s  %-24s %-8s %.8s  %.12s  %s", date, (const char *)sqlite3_column_text(s, 1),
             (const char *)sqlite3_column_text(s, 3), device, hex,
             counts ? _("counts meanwhile") : _("is set aside meanwhile"));
  cq_buf_addf(&said->json, "%s\n{\"conflict\":\"%.16s\",\"record\":\"%s\",\"counts\":%s,\"date\":\"%s\",\"form\":",
              said->shown++ ? "," : "", of, hex, counts ? "true" : "false", date);
  cq_cli_add_json(&said->json, cq_desk_text(s, 1));
  cq_buf_add_text(&said->json, ",\"technician\":");
  cq_cli_add_json(&said->json, cq_desk_text(s, 3));
  cq_buf_add_char(&said->json, '}');
  return CQ_OK;
}

static cq_status say_forks(cq_desk *desk, proposals *said, cq_error *error) {
  sqlite3_stmt *s = NULL;
  int64_t forks = 0;
  cq_status status =
      cq_desk_number(desk, "SELECT count(DISTINCT fork) FROM visit WHERE fork IS NOT NULL", 0, &forks, error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &s, forks_sql, error);
  if (status == CQ_OK && forks)
    cq_cli_say(said->cli,
               cq_cli_plural("%lld interview was corrected twice, in conflict. Keep one correction; for the others: %s",
                             "%lld interviews were corrected twice, in conflict. Keep one correction of each; for the "
                             "others: %s",
                             (uint64_t)forks),
               (long long)forks, "chasqui-central void");
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = say_fork(said, s, error);
  }
  sqlite3_finalize(s);
  return status;
}

int cq_central_review(cq_cli *cli) {
  const char *form = cq_cli_value(cli, "form"), *dataset = cq_cli_value(cli, "dataset"),
             *file = cq_cli_value(cli, "data");
  double least = 0.5;
  if (cq_cli_value(cli, "least") &&
      (!cq_data_number(cq_str_from(cq_cli_value(cli, "least")), &least) || least <= 0 || least >= 1))
    return cq_cli_usage(cli, "%s", _("--least takes a number between 0 and 1"));
  people p = {.arena = cq_arena_new(0)};
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  memset(&desk, 0, sizeof desk);
  int left = file ? CQ_EXIT_DONE : cq_desk_begin(cli, &desk);
  cq_status status = p.arena ? CQ_OK : cq_error_nomem(&error);
  proposals said = {.cli = cli}, forks = {.cli = cli};
  size_t passed = 0;
  if (left == CQ_EXIT_DONE && !file && status == CQ_OK) status = say_forks(&desk, &forks, &error);
  if (left == CQ_EXIT_DONE && status == CQ_OK)
    status = file ? read_file(&p, file, &error) : read_all(&p, &desk, form, dataset, &error);
  if (left == CQ_EXIT_DONE && status == CQ_OK) {
    status = propose(&p, least, say_pair, &said, &passed, &error);
    if (status == CQ_OK && cq_cli_flag(cli, "json"))
      printf("{\"pairs\":[%s],\"persons\":%zu,\"conflicts\":[%s]}\n", said.json.at ? said.json.at : "", p.count,
             forks.json.at ? forks.json.at : "");
    if (status == CQ_OK)
      cq_cli_say(cli, _("%zu pairs of %zu persons may be one person each. Nothing was changed."), said.shown, p.count);
    if (status == CQ_OK && passed) cq_cli_warn(cli, _("%zu persons share keys too common to compare."), passed);
  }
  cq_buf_fini(&said.json);
  cq_buf_fini(&forks.json);
  people_fini(&p);
  return left != CQ_EXIT_DONE ? left : cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

/* --- deciding --- */

const char *cq_review_said(bool same) {
  return same ? _("Kept as a signed decision: one person. Visits to both count for the first; the records stay as they "
                  "are.")
              : _("Kept as a signed decision: two persons. They are not proposed again.");
}

cq_status cq_review_decide(cq_desk *desk, bool same, const cq_review_decision *decision, cq_error *error) {
  cq_str texts[3] = {decision->dataset.size ? decision->dataset : CQ_STR("tdd"), decision->a, decision->b};
  cq_order order = {.kind = same ? CQ_ORDER_MERGE_PERSONS : CQ_ORDER_NOT_SAME,
                    .by = decision->by,
                    .reason = decision->reason,
                    .texts = texts,
                    .text_count = 3};
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = cq_derive_sign(desk, &order, NULL, NULL, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status != CQ_OK && !sqlite3_get_autocommit(desk->db)) cq_desk_exec(desk, "ROLLBACK", NULL);
  return status;
}

static int decide(cq_cli *cli, bool same) {
  cq_review_decision decision = {.dataset = cq_str_from(cq_cli_value(cli, "dataset")),
                                 .a = cq_str_from(cq_cli_arg(cli, 0)),
                                 .b = cq_str_from(cq_cli_arg(cli, 1)),
                                 .by = cq_str_from(cq_cli_value(cli, "by")),
                                 .reason = cq_str_from(cq_cli_value(cli, "reason"))};
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_review_decide(&desk, same, &decision, &error);
  if (status == CQ_OK) cq_cli_say(cli, "%s", cq_review_said(same));
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

int cq_central_review_same(cq_cli *cli) {
  return decide(cli, true);
}

int cq_central_review_different(cq_cli *cli) {
  return decide(cli, false);
}
