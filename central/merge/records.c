/* SPDX-License-Identifier: Apache-2.0 */
/* `void` and `erase`: decisions about records, kept as signed orders. */
#include "central/merge/derive.h"
#include "central/merge/entities.h"
#include "central/merge/erasure.h"
#include "central/verbs.h"
#include "chasqui/order.h"

#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_records_options[] = {
    {"reason", 0, N_("TEXT"), N_("why, in a line without personal data")},
    {"by", 0, N_("CODE"), N_("code of the person who decides")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};
const cq_cli_option cq_central_erase_options[] = {
    {"person", 0, N_("CODE"), N_("all records of this person, and the name in the office's list")},
    {"reason", 0, N_("TEXT"), N_("why, in a line without personal data")},
    {"by", 0, N_("CODE"), N_("code of the person who decides")},
    CQ_CLI_OPTION_YES,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

typedef struct chosen {
  bool erase;
  cq_hash names[CQ_ORDER_MAX_TARGETS], batches[CQ_ORDER_MAX_TARGETS];
  size_t count, batch_count;
  cq_buf dataset, id; /* of a person */
} chosen;

static cq_status take_batch(void *context, const cq_hash *batch, cq_error *error) {
  chosen *c = context;
  for (size_t i = 0; i < c->batch_count; i++)
    if (cq_hash_equal(&c->batches[i], batch)) return CQ_OK;
  if (c->batch_count == CQ_ORDER_MAX_TARGETS) return cq_error_set(error, CQ_LIMIT, "desk.record.many", NULL);
  c->batches[c->batch_count++] = *batch;
  return CQ_OK;
}

static cq_status add_record(cq_desk *desk, chosen *c, const cq_hash *name, cq_error *error) {
  for (size_t i = 0; i < c->count; i++)
    if (cq_hash_equal(&c->names[i], name)) return CQ_OK;
  if (c->count == CQ_ORDER_MAX_TARGETS) return cq_error_set(error, CQ_LIMIT, "desk.record.many", NULL);
  c->names[c->count++] = *name;
  return c->erase ? cq_erasure_batches(desk, name, take_batch, c, error) : CQ_OK;
}

/* All that a statement names whose arguments are texts or one hash. */
static cq_status add_all(cq_desk *desk, chosen *c, sqlite3_stmt *s, cq_error *error) {
  cq_status status = CQ_OK;
  for (bool row = true; status == CQ_OK;) {
    cq_hash name;
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, name.at, sizeof name.at, error);
    if (status == CQ_OK) status = add_record(desk, c, &name, error);
  }
  return status;
}

/* What was corrected in it or into it: each is a record of its own, and holds the same answers. */
static cq_status add_versions(cq_desk *desk, chosen *c, const cq_hash *name, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(
      desk, &s,
      "WITH RECURSIVE line(name) AS (VALUES(?1) UNION SELECT p.parent FROM line JOIN record r ON r.name = line.name "
      "JOIN visit_parent p ON p.id = r.id UNION SELECT r.name FROM line JOIN visit_parent p ON p.parent = line.name "
      "JOIN record r ON r.id = p.id) SELECT name FROM line",
      error);
  if (status == CQ_OK) sqlite3_bind_blob(s, 1, name->at, sizeof name->at, SQLITE_STATIC);
  if (status == CQ_OK) status = add_all(desk, c, s, error);
  sqlite3_finalize(s);
  return status;
}

/* A record by the start of its name, eight hexadecimal digits or more. */
static cq_status choose(cq_desk *desk, const char *text, chosen *c, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t found = 0;
  cq_hash name;
  cq_status status = strlen(text) < 8 ? cq_error_set(error, CQ_NOTFOUND, "desk.record.none", text, NULL) : CQ_OK;
  if (status == CQ_OK)
    status = cq_desk_prepare(
        desk, &s, "SELECT name FROM record WHERE substr(lower(hex(name)), 1, length(?1)) = lower(?1)", error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK && found < 2;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, name.at, sizeof name.at, error);
    found++;
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && found != 1)
    status = cq_error_set(error, CQ_NOTFOUND, found ? "desk.record.several" : "desk.record.none", text, NULL);
  if (status != CQ_OK) return status;
  return c->erase ? add_versions(desk, c, &name, error) : add_record(desk, c, &name, error);
}

/* --- a person --- */

/* By the code that people know, or the entity's id from the start; from records, frame and the office's names. */
static const char who_sql[] =
    "WITH all_of(dataset, id) AS (SELECT dataset, replace(entity, 'uuid:', '') FROM visit_subject UNION SELECT "
    "dataset, "
    "id FROM contact UNION SELECT dataset, id FROM frame) SELECT dataset, id FROM all_of a WHERE (length(?1) >= 8 AND "
    "substr(id, 1, length(?1)) = ?1) OR EXISTS (SELECT 1 FROM entity_property p WHERE p.dataset = a.dataset AND p.id = "
    "a.id AND p.name = 'codigo' AND p.value = ?1) OR EXISTS (SELECT 1 FROM frame_property f WHERE f.dataset = "
    "a.dataset "
    "AND f.id = a.id AND f.name = 'codigo' AND f.value = ?1) LIMIT 2";

/* And whoever was decided to be the same person. */
#define PERSONS                                                                                                        \
  "WITH first(dataset, id) AS (VALUES (?1, ?2)), head(dataset, id) AS (SELECT dataset, coalesce((SELECT stays FROM "   \
  "entity_same e WHERE e.dataset = first.dataset AND e.id = first.id), id) FROM first), persons(dataset, id) AS "      \
  "(SELECT * FROM first UNION SELECT * FROM head UNION SELECT e.dataset, e.id FROM entity_same e JOIN head ON "        \
  "head.dataset = e.dataset AND head.id = e.stays) "

static cq_status find_person(cq_desk *desk, const char *code, cq_buf *dataset, cq_buf *id, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t found = 0, unreadable;
  cq_status status = cq_entities_update(desk, &unreadable, error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &s, who_sql, error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, code, -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    if (found++) continue;
    cq_buf_add_str(dataset, cq_desk_text(s, 0));
    cq_buf_add_str(id, cq_desk_text(s, 1));
    if (dataset->failed || id->failed) status = cq_error_nomem(error);
  }
  sqlite3_finalize(s);
  if (status != CQ_OK || found == 1) return status;
  return cq_error_set(error, CQ_NOTFOUND, found ? "desk.person.several" : "desk.person.none", code, NULL);
}

static cq_status choose_person(cq_desk *desk, const char *code, chosen *c, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t first = c->count;
  cq_status status = find_person(desk, code, &c->dataset, &c->id, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &s,
                             PERSONS "SELECT r.name FROM persons p JOIN visit_subject s ON s.dataset = p.dataset AND "
                                     "s.entity IN (p.id, 'uuid:' || p.id) JOIN record r ON r.id = s.id",
                             error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, c->dataset.at, (int)c->dataset.size, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, c->id.at, (int)c->id.size, SQLITE_STATIC);
    status = add_all(desk, c, s, error);
  }
  sqlite3_finalize(s);
  for (size_t i = first, end = c->count; status == CQ_OK && i < end; i++)
    status = add_versions(desk, c, &c->names[i], error);
  return status;
}

/* Names of somebody about whom there is no record go too; before the records, as they tell who is the same. */
static cq_status forget_person(cq_desk *desk, const chosen *c, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(
      desk, &s, "DELETE FROM contact WHERE (dataset, id) IN (" PERSONS "SELECT dataset, id FROM persons)", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, c->dataset.at, (int)c->dataset.size, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, c->id.at, (int)c->id.size, SQLITE_STATIC);
    status = cq_desk_step(desk, s, NULL, error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status order_records(cq_cli *cli, cq_desk *desk, const chosen *c, cq_error *error) {
  cq_buf bytes = {0};
  cq_hash name;
  size_t again;
  cq_order order = {.kind = c->erase ? CQ_ORDER_ERASE : CQ_ORDER_VOID,
                    .by = cq_str_from(cq_cli_value(cli, "by")),
                    .reason = cq_str_from(cq_cli_value(cli, "reason")),
                    .targets = c->names,
                    .target_count = c->count,
                    .batches = c->batches,
                    .batch_count = c->batch_count};
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK && c->id.size) status = forget_person(desk, c, error);
  if (status == CQ_OK && c->count) status = cq_derive_sign(desk, &order, &bytes, &name, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK && c->erase && c->count) status = cq_erasure_send(desk, &name, &bytes, error);
  if (status == CQ_OK && c->erase) status = cq_erasure_settle(desk, &again, error);
  cq_buf_fini(&bytes);
  return status;
}

/* What is still to be done, in its order. */
static cq_status say_erased(cq_cli *cli, cq_desk *desk, const chosen *c, cq_error *error) {
  int64_t sheets = 0;
  cq_status status = cq_desk_number(desk, "SELECT count(*) FROM sheet", 0, &sheets, error);
  if (status != CQ_OK) return status;
  cq_cli_say(cli,
             cq_cli_plural("%zu record erased. The order goes out with the courier, and with: %s",
                           "%zu records erased. The order goes out with the courier, and with: %s", c->count),
             c->count, "chasqui-central publish");
  if (sheets)
    cq_cli_say(cli, _("Sheets with names were sent to laptops. Make them anew: %s"), "chasqui-central contacts send");
  cq_cli_say(cli, _("Who has obeyed: %s"), "chasqui-central erase status");
  return CQ_OK;
}

static int decide(cq_cli *cli, bool erase) {
  cq_desk desk;
  cq_error error;
  const char *person = erase ? cq_cli_value(cli, "person") : NULL;
  cq_error_clear(&error);
  if (!person && !cq_cli_args(cli)) return cq_cli_usage(cli, "%s", _("say which records, or --person CODE"));
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  chosen *c = calloc(1, sizeof *c);
  cq_status status = c ? CQ_OK : cq_error_nomem(&error);
  if (c) c->erase = erase;
  for (int i = 0; status == CQ_OK && i < cq_cli_args(cli); i++) status = choose(&desk, cq_cli_arg(cli, i), c, &error);
  if (status == CQ_OK && person) status = choose_person(&desk, person, c, &error);
  if (status == CQ_OK && erase) {
    cq_cli_say(cli,
               cq_cli_plural("%zu record, with all its versions.", "%zu records, with all their versions.", c->count),
               c->count);
    status = cq_desk_confirm(cli, _("Erase for ever, here, at the posts and on laptops?"), &error);
  }
  if (status == CQ_OK) status = order_records(cli, &desk, c, &error);
  if (status == CQ_OK && erase)
    status = say_erased(cli, &desk, c, &error);
  else if (status == CQ_OK)
    cq_cli_say(cli,
               cq_cli_plural("%zu record voided: it can still be read, and counts no more.",
                             "%zu records voided: they can still be read, and count no more.", c->count),
               c->count);
  if (c) cq_buf_fini(&c->dataset);
  if (c) cq_buf_fini(&c->id);
  free(c);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

int cq_central_void(cq_cli *cli) {
  return decide(cli, false);
}

int cq_central_erase(cq_cli *cli) {
  return decide(cli, true);
}
