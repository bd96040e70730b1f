/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/derive.h"

#include "central/merge/attachments.h"
#include "central/merge/erasure.h"
#include "central/verbs.h"

#include <stdlib.h>
#include <string.h>

enum {
  VISIT,
  SUBJECT,
  PARENT,
  FILE_NAME,
  HAS_CHILD,
  FAMILY,
  NONE_EDITED,
  EDITED,
  FORKED,
  DECISION,
  VOID_NAME,
  VOID,
  ERASE_NAME,
  ERASE_BYTES,
  ERASE_PARENTS,
  ERASE_SUBJECTS,
  ERASE_VISIT,
  ERASE_BATCH,
  IS_ERASED,
  PERSONS,
  SAME,
  NOT_SAME,
  STATEMENTS
};

/* What is to be read anew of entities, since other records count now. */
static const char entities_anew[] =
    "DELETE FROM entity; DELETE FROM entity_property; DELETE FROM entity_left; UPDATE entity_done SET last = 0";

/* A record, what it corrects, what corrects it, and so on: versions of one interview, also those not here. */
#define FAMILY_OF                                                                                                      \
  "WITH RECURSIVE family(name) AS (SELECT ?1 UNION SELECT p.parent FROM family f JOIN record r ON r.name = f.name "    \
  "JOIN visit_parent p ON p.id = r.id UNION SELECT r.name FROM family f JOIN visit_parent p ON p.parent = f.name "     \
  "JOIN record r ON r.id = p.id)"

static const char *const sql[STATEMENTS] = {
    [VISIT] = "INSERT INTO visit (id, form_id, form_hash, instance, device, technician, sequence, "
              "begun_utc_ms, finished_utc_ms, day, result, reason, season, zone, calendar_version, months, consent, "
              "voided) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
              "EXISTS (SELECT 1 FROM voided WHERE name = ?18))",
    [SUBJECT] = "INSERT OR IGNORE INTO visit_subject VALUES (?1, ?2, ?3)",
    [PARENT] = "INSERT OR IGNORE INTO visit_parent VALUES (?1, ?2)",
    [FILE_NAME] = "INSERT OR REPLACE INTO visit_attachment VALUES (?1, ?2, ?3, ?4)",
    [HAS_CHILD] = "SELECT 1 FROM visit_parent WHERE parent = ?1",
    [FAMILY] = FAMILY_OF " SELECT name FROM family",
    /* each of them counts, but for those with a correction that is not voided, or a correction of that… */
    [NONE_EDITED] = FAMILY_OF " UPDATE visit SET edited = 0, fork = NULL WHERE id IN (SELECT r.id FROM family f JOIN "
                              "record r ON r.name = f.name)",
    [EDITED] = FAMILY_OF
    ", up(name) AS (SELECT p.parent FROM family f JOIN record r ON r.name = f.name JOIN visit v ON v.id = r.id JOIN "
    "visit_parent p ON p.id = v.id WHERE v.voided = 0 UNION SELECT p.parent FROM up JOIN record r ON r.name = up.name "
    "JOIN visit_parent p ON p.id = r.id) UPDATE visit SET edited = 1 WHERE id IN (SELECT r.id FROM up JOIN record r ON "
    "r.name = up.name)",
    /* …and of several that are left, the newest, until somebody has voided the others */
    [FORKED] = FAMILY_OF
    ", leaf(id, name, at) AS MATERIALIZED (SELECT v.id, r.name, v.finished_utc_ms FROM family f JOIN record r ON "
    "r.name = f.name JOIN visit v ON v.id = r.id WHERE v.voided = 0 AND v.edited = 0) UPDATE visit SET fork = (SELECT "
    "min(name) FROM family), edited = CASE WHEN id = (SELECT id FROM leaf ORDER BY at DESC, name DESC LIMIT 1) THEN 0 "
    "ELSE 2 END WHERE id IN (SELECT id FROM leaf) AND (SELECT count(*) FROM leaf) > 1",
    [DECISION] = "INSERT OR IGNORE INTO decision VALUES (?1, ?2, ?3, ?4)",
    [VOID_NAME] = "INSERT OR IGNORE INTO voided VALUES (?1)",
    [VOID] = "UPDATE visit SET voided = 1 WHERE id = (SELECT id FROM record WHERE name = ?1)",
    /* an erased record leaves its name, so that it is not merged again when it comes once more */
    [ERASE_NAME] = "INSERT OR IGNORE INTO record (name, batch, bytes) VALUES (?1, x'', NULL)",
    [ERASE_BYTES] = "UPDATE record SET bytes = NULL WHERE name = ?1",
    [ERASE_BATCH] = "INSERT OR IGNORE INTO batch_erased VALUES (?1)",
    [IS_ERASED] = "SELECT 1 FROM record WHERE name = ?1 AND bytes IS NULL",
    [PERSONS] = "SELECT bytes FROM decision WHERE kind IN (6, 8) ORDER BY made_utc_ms, name",
    [SAME] = "INSERT OR REPLACE INTO entity_same VALUES (?1, ?3, ?2)",
    [NOT_SAME] =
        "DELETE FROM entity_same WHERE dataset = ?1 AND ((stays = ?2 AND id = ?3) OR (stays = ?3 AND id = ?2))",
    [ERASE_PARENTS] = "DELETE FROM visit_parent WHERE id = (SELECT id FROM record WHERE name = ?1)",
    [ERASE_SUBJECTS] = "DELETE FROM visit_subject WHERE id = (SELECT id FROM record WHERE name = ?1)",
    [ERASE_VISIT] = "DELETE FROM visit WHERE id = (SELECT id FROM record WHERE name = ?1)",
};

struct cq_derive {
  cq_desk *desk;
  cq_arena *arena; /* of one record */
  sqlite3_stmt *statement[STATEMENTS];
};

cq_status cq_derive_new(cq_derive **out, cq_desk *desk, cq_error *error) {
  cq_derive *derive = calloc(1, sizeof *derive);
  *out = NULL;
  if (!derive) return cq_error_nomem(error);
  derive->desk = desk;
  cq_status status = (derive->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < STATEMENTS; i++)
    status = cq_desk_prepare(desk, &derive->statement[i], sql[i], error);
  if (status == CQ_OK)
    *out = derive;
  else
    cq_derive_free(derive);
  return status;
}

void cq_derive_free(cq_derive *derive) {
  if (!derive) return;
  for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(derive->statement[i]);
  cq_arena_free(derive->arena);
  free(derive);
}

static void bind_text(sqlite3_stmt *statement, int at, cq_str text) {
  sqlite3_bind_text(statement, at, text.size ? text.at : "", (int)text.size, SQLITE_STATIC);
}

static void bind_hash(sqlite3_stmt *statement, int at, const cq_hash *hash) {
  sqlite3_bind_blob(statement, at, hash->at, sizeof hash->at, SQLITE_STATIC);
}

/* A statement whose only argument is a name. */
static cq_status with_name(cq_derive *d, size_t which, const cq_hash *name, cq_error *error) {
  bind_hash(d->statement[which], 1, name);
  return cq_desk_step(d->desk, d->statement[which], NULL, error);
}

/* The statements from `first` to `last`, one after another. */
static cq_status with_all(cq_derive *d, size_t first, size_t last, const cq_hash *name, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t which = first; status == CQ_OK && which <= last; which++) status = with_name(d, which, name, error);
  return status;
}

/* " 2012-08"; by hand, as it is done for every record. Years have four digits (record.md). */
static size_t put_month(char out[8], int32_t month) {
  int32_t year = month / 12, of_year = month % 12 + 1;
  const char text[8] = {' ',
                        (char)('0' + year / 1000 % 10),
                        (char)('0' + year / 100 % 10),
                        (char)('0' + year / 10 % 10),
                        (char)('0' + year % 10),
                        '-',
                        (char)('0' + of_year / 10),
                        (char)('0' + of_year % 10)};
  memcpy(out, text, sizeof text);
  return sizeof text;
}

static cq_status put_visit(cq_derive *d, int64_t id, const cq_hash *name, const cq_envelope *e, cq_error *error) {
  sqlite3_stmt *s = d->statement[VISIT];
  char months[CQ_RECORD_MAX_MONTHS * 8];
  size_t at = 0;
  for (size_t i = 0; i < e->month_count && i < CQ_RECORD_MAX_MONTHS; i++) at += put_month(months + at, e->months[i]);
  sqlite3_bind_int64(s, 1, id);
  bind_text(s, 2, e->form_id);
  bind_hash(s, 3, &e->form_hash);
  bind_text(s, 4, e->instance_id);
  sqlite3_bind_blob(s, 5, e->device.at, sizeof e->device.at, SQLITE_STATIC);
  bind_text(s, 6, e->technician);
  sqlite3_bind_int64(s, 7, (int64_t)e->sequence);
  sqlite3_bind_int64(s, 8, e->begun_utc_ms);
  sqlite3_bind_int64(s, 9, e->finished_utc_ms);
  sqlite3_bind_int(s, 10, cq_date_to_day(e->working_date));
  sqlite3_bind_int(s, 11, (int)e->result);
  bind_text(s, 12, e->reason);
  bind_text(s, 13, e->season);
  bind_text(s, 14, e->zone);
  sqlite3_bind_int64(s, 15, e->calendar_version);
  bind_text(s, 16, at ? (cq_str){months + 1, at - 1} : CQ_STR(""));
  sqlite3_bind_int(s, 17, (int)e->consent.state);
  bind_hash(s, 18, name);
  return cq_desk_step(d->desk, s, NULL, error);
}

static cq_status put_links(cq_derive *d, int64_t id, const cq_envelope *e, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < e->subject_count; i++) {
    bind_text(d->statement[SUBJECT], 1, e->subjects[i].dataset);
    bind_text(d->statement[SUBJECT], 2, e->subjects[i].id);
    sqlite3_bind_int64(d->statement[SUBJECT], 3, id);
    status = cq_desk_step(d->desk, d->statement[SUBJECT], NULL, error);
  }
  for (size_t i = 0; status == CQ_OK && i < e->parent_count; i++) {
    bind_hash(d->statement[PARENT], 1, &e->parents[i]);
    sqlite3_bind_int64(d->statement[PARENT], 2, id);
    status = cq_desk_step(d->desk, d->statement[PARENT], NULL, error);
  }
  return status;
}

static cq_status put_files(cq_derive *d, int64_t id, const cq_record *record, cq_error *error) {
  sqlite3_stmt *s = d->statement[FILE_NAME];
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < record->attachment_count; i++) {
    sqlite3_bind_int64(s, 1, id);
    bind_text(s, 2, record->attachments[i].name);
    bind_hash(s, 3, &record->attachments[i].hash);
    sqlite3_bind_int64(s, 4, (int64_t)record->attachments[i].size);
    status = cq_desk_step(d->desk, s, NULL, error);
  }
  return status;
}

cq_status cq_derive_ours(const cq_desk *desk, const cq_record *record, cq_error *error) {
  if (!cq_programme_id_equal(&record->envelope.programme, &desk->programme))
    return cq_error_set(error, CQ_REFUSED, "desk.record.programme", NULL);
  if (record->envelope.mode != desk->mode) return cq_error_set(error, CQ_REFUSED, "desk.record.mode", NULL);
  return CQ_OK;
}

/* Which of an interview's versions counts. */
static cq_status settle_family(cq_derive *d, const cq_hash *name, cq_error *error) {
  cq_status status = with_all(d, NONE_EDITED, FORKED, name, error);
  return status == CQ_OK ? cq_desk_exec(d->desk, entities_anew, error) : status;
}

cq_status cq_derive_record(cq_derive *d, int64_t id, const cq_hash *name, const cq_record *record, cq_error *error) {
  bool child = false;
  cq_status status = put_visit(d, id, name, &record->envelope, error);
  if (status == CQ_OK) status = put_links(d, id, &record->envelope, error);
  if (status == CQ_OK) status = put_files(d, id, record, error);
  bind_hash(d->statement[HAS_CHILD], 1, name);
  if (status == CQ_OK) status = cq_desk_step(d->desk, d->statement[HAS_CHILD], &child, error);
  sqlite3_reset(d->statement[HAS_CHILD]);
  return status == CQ_OK && (child || record->envelope.parent_count > 0) ? settle_family(d, name, error) : status;
}

/* What is erased is gone from between its kin: which of them counts is asked anew. */
static cq_status erase_visit(cq_derive *d, const cq_hash *name, cq_error *error) {
  cq_buf kin = {0};
  cq_hash one;
  sqlite3_stmt *s = d->statement[FAMILY];
  bind_hash(s, 1, name);
  cq_status status = CQ_OK;
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(d->desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, one.at, sizeof one.at, error);
    cq_buf_add(&kin, one.at, sizeof one.at);
  }
  sqlite3_reset(s);
  if (status == CQ_OK && kin.failed) status = cq_error_nomem(error);
  if (status == CQ_OK) status = with_all(d, ERASE_NAME, ERASE_VISIT, name, error);
  for (size_t at = 0; status == CQ_OK && at < kin.size; at += sizeof one.at) {
    memcpy(one.at, kin.at + at, sizeof one.at);
    status = settle_family(d, &one, error);
  }
  cq_buf_fini(&kin);
  return status;
}

/* --- decisions --- */

/* All decisions about persons anew, in the order they were made: the last word on a pair counts, whenever it arrived.
 */
static cq_status decide_persons(cq_derive *d, cq_error *error) {
  sqlite3_stmt *all = d->statement[PERSONS];
  cq_arena *arena = cq_arena_new(0);
  cq_status status = arena ? cq_desk_exec(d->desk, "DELETE FROM entity_same", error) : cq_error_nomem(error);
  for (bool row = true; status == CQ_OK;) {
    cq_order order;
    cq_hash name;
    if ((status = cq_desk_step(d->desk, all, &row, error)) != CQ_OK || !row) break;
    status = cq_order_read(&order, &name, cq_desk_text(all, 0), arena, &d->desk->trust, error);
    sqlite3_stmt *s = d->statement[order.kind == CQ_ORDER_MERGE_PERSONS ? SAME : NOT_SAME];
    for (size_t i = 2; status == CQ_OK && i < order.text_count; i++) {
      bind_text(s, 1, order.texts[0]);
      bind_text(s, 2, order.texts[1]);
      bind_text(s, 3, order.texts[i]);
      status = cq_desk_step(d->desk, s, NULL, error);
    }
  }
  sqlite3_reset(all);
  cq_arena_free(arena);
  return status;
}

static cq_status erase(cq_derive *d, const cq_order *order, cq_error *error) {
  bool found = false;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < order->batch_count; i++)
    status = with_name(d, ERASE_BATCH, &order->batches[i], error);
  for (size_t i = 0; status == CQ_OK && i < order->target_count; i++) {
    status = cq_erasure_record(d->desk, &order->targets[i], &found, error);
    if (status == CQ_OK) status = erase_visit(d, &order->targets[i], error);
  }
  return status == CQ_OK && found ? cq_erasure_drafts(d->desk, error) : status;
}

static cq_status obey(cq_derive *d, const cq_order *order, cq_error *error) {
  cq_status status = CQ_OK;
  if (order->kind == CQ_ORDER_MERGE_PERSONS || order->kind == CQ_ORDER_NOT_SAME) return decide_persons(d, error);
  if (order->kind == CQ_ORDER_VOID || order->kind == CQ_ORDER_ERASE) /* what entities owe to these records goes too */
    status = cq_desk_exec(d->desk, entities_anew, error);
  if (order->kind == CQ_ORDER_VOID)
    for (size_t i = 0; status == CQ_OK && i < order->target_count; i++) {
      status = with_all(d, VOID_NAME, VOID, &order->targets[i], error);
      if (status == CQ_OK) status = settle_family(d, &order->targets[i], error);
    }
  return status == CQ_OK && order->kind == CQ_ORDER_ERASE ? erase(d, order, error) : status;
}

/* A correction holds an answer: of an erased record it is not kept. */
static cq_status corrects_erased(cq_derive *d, const cq_order *order, bool *gone, cq_error *error) {
  cq_status status = CQ_OK;
  *gone = false;
  for (size_t i = 0; status == CQ_OK && !*gone && i < order->target_count; i++) {
    bind_hash(d->statement[IS_ERASED], 1, &order->targets[i]);
    status = cq_desk_step(d->desk, d->statement[IS_ERASED], gone, error);
    sqlite3_reset(d->statement[IS_ERASED]);
  }
  return status;
}

cq_status cq_derive_decision(cq_derive *d, cq_str bytes, bool *fresh, cq_error *error) {
  cq_order order;
  cq_hash name;
  cq_arena_reset(d->arena);
  cq_status status = cq_order_read(&order, &name, bytes, d->arena, &d->desk->trust, error);
  if (status != CQ_OK) return status;
  bool gone = false;
  if (order.kind == CQ_ORDER_CORRECT && (status = corrects_erased(d, &order, &gone, error)) != CQ_OK) return status;
  if (gone) {
    *fresh = false;
    return CQ_OK;
  }
  sqlite3_stmt *s = d->statement[DECISION];
  bind_hash(s, 1, &name);
  sqlite3_bind_int(s, 2, (int)order.kind);
  sqlite3_bind_int64(s, 3, order.made_utc_ms);
  sqlite3_bind_blob64(s, 4, bytes.at, bytes.size, SQLITE_STATIC);
  if ((status = cq_desk_step(d->desk, s, NULL, error)) != CQ_OK) return status;
  *fresh = sqlite3_changes(d->desk->db) > 0;
  return obey(d, &order, error);
}

cq_status cq_derive_sign(cq_desk *desk, const cq_order *order, cq_buf *bytes, cq_hash *name, cq_error *error) {
  cq_order ours = *order;
  cq_buf signed_bytes = {0};
  cq_hash signed_name;
  cq_derive *derive = NULL;
  bool fresh;
  ours.mode = desk->mode;
  ours.programme = desk->programme;
  ours.made_utc_ms = cq_desk_now();
  cq_status status =
      cq_order_write(&signed_bytes, &signed_name, &ours, &desk->chain, desk->sign_secret, &cq_random_system, error);
  if (status == CQ_OK) status = cq_derive_new(&derive, desk, error);
  if (status == CQ_OK) status = cq_derive_decision(derive, cq_buf_str(&signed_bytes), &fresh, error);
  cq_derive_free(derive);
  if (status == CQ_OK && name) *name = signed_name;
  if (status == CQ_OK && bytes) cq_buf_add_str(bytes, cq_buf_str(&signed_bytes));
  if (status == CQ_OK && bytes && bytes->failed) status = cq_error_nomem(error);
  cq_buf_fini(&signed_bytes);
  return status;
}

/* --- anew --- */

static cq_status all_records(cq_derive *d, size_t *records, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status =
      cq_desk_prepare(d->desk, &s, "SELECT id, name, bytes FROM record WHERE bytes IS NOT NULL ORDER BY id", error);
  for (bool row = true; status == CQ_OK;) {
    cq_hash name;
    cq_record record;
    cq_str bytes;
    cq_arena_reset(d->arena);
    if ((status = cq_desk_step(d->desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 1, name.at, sizeof name.at, error);
    if (status == CQ_OK) status = cq_desk_record(d->desk, s, 2, &bytes, error);
    if (status == CQ_OK) status = cq_record_parse(&record, bytes, d->arena, error);
    if (status == CQ_OK) status = cq_derive_ours(d->desk, &record, error);
    if (status == CQ_OK) status = cq_derive_record(d, sqlite3_column_int64(s, 0), &name, &record, error);
    if (status == CQ_OK) ++*records;
    if (status == CQ_OK && *records % 1024 == 0) status = cq_cli_cancelled(error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status all_decisions(cq_derive *d, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(d->desk, &s, "SELECT bytes FROM decision ORDER BY made_utc_ms, name", error);
  for (bool row = true, fresh; status == CQ_OK;) {
    if ((status = cq_desk_step(d->desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_derive_decision(d, cq_desk_text(s, 0), &fresh, error);
  }
  sqlite3_finalize(s);
  return status;
}

cq_status cq_derive_rebuild(cq_desk *desk, size_t *records, cq_error *error) {
  cq_derive *derive = NULL;
  *records = 0;
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = cq_desk_exec(desk, cq_desk_derived, error);
  if (status == CQ_OK) status = cq_derive_new(&derive, desk, error);
  if (status == CQ_OK) status = all_records(derive, records, error);
  if (status == CQ_OK) status = cq_attachments_rebuild(desk, error);
  if (status == CQ_OK) status = all_decisions(derive, error);
  cq_derive_free(derive);
  if (status == CQ_OK) status = cq_derive_mark(desk, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  return status;
}

/* What the tables of this program look like. */
static cq_hash shape_of(void) {
  cq_hasher hasher;
  cq_hasher_init(&hasher);
  cq_hasher_add(&hasher, cq_desk_schema, strlen(cq_desk_schema));
  cq_hasher_add(&hasher, cq_desk_derived, strlen(cq_desk_derived));
  return cq_hasher_end(&hasher);
}

cq_status cq_derive_mark(cq_desk *desk, cq_error *error) {
  cq_hash shape = shape_of();
  return cq_desk_set(desk, "derived", shape.at, sizeof shape.at, error);
}

cq_status cq_derive_current(cq_desk *desk, cq_error *error) {
  cq_hash shape = shape_of();
  cq_buf value = {0};
  size_t records;
  cq_status status = cq_desk_get(desk, "derived", false, &value, error);
  bool same = value.size == sizeof shape.at && memcmp(value.at, shape.at, sizeof shape.at) == 0;
  cq_buf_fini(&value);
  if (status != CQ_OK || same) return status;
  status = cq_desk_exec(desk, cq_desk_schema, error); /* what is there stays as it is */
  return status == CQ_OK ? cq_derive_rebuild(desk, &records, error) : status;
}

const cq_cli_option cq_central_rebuild_options[] = {CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, {0}};

int cq_central_rebuild(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  size_t records = 0;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_derive_rebuild(&desk, &records, &error);
  if (status == CQ_OK)
    cq_cli_say(cli, cq_cli_plural("Tables made anew from %zu record.", "Tables made anew from %zu records.", records),
               records);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
