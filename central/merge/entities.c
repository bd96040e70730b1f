/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/entities.h"

#include "chasqui/forms.h"
#include "chasqui/record.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FORMS = 512 };
enum { SELECT_RECORDS, SELECT_FORM, PUT_ENTITY, PUT_PROPERTY, PUT_LEFT, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    /* A correction speaks from when the interview that it corrects was finished: what is newer stands. */
    [SELECT_RECORDS] =
        "SELECT r.id, r.name, r.bytes, v.form_hash, v.day, CASE WHEN EXISTS (SELECT 1 FROM visit_parent WHERE id = "
        "v.id) THEN (WITH RECURSIVE up(id) AS (SELECT v.id UNION SELECT a.id FROM up JOIN visit_parent p ON p.id = "
        "up.id JOIN record a ON a.name = p.parent) SELECT min(u.finished_utc_ms) FROM up JOIN visit u ON u.id = up.id) "
        "ELSE v.finished_utc_ms END, v.result FROM visit v JOIN record r ON r.id = v.id WHERE v.id > (SELECT last FROM "
        "entity_done) AND v.voided = 0 AND v.edited = 0 ORDER BY r.id",
    [SELECT_FORM] = "SELECT xml FROM form WHERE hash = ?1",
    [PUT_ENTITY] = "INSERT INTO entity (dataset, id, first_day) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
                   "first_day = min(first_day, excluded.first_day)",
    [PUT_PROPERTY] = "INSERT INTO entity_property VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
                     "value = excluded.value, at_utc_ms = excluded.at_utc_ms, record = excluded.record "
                     "WHERE (excluded.at_utc_ms, excluded.record) > (at_utc_ms, record)",
    [PUT_LEFT] = "INSERT INTO entity_left VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET day = min(day, excluded.day)",
};

typedef struct known_form {
  cq_hash hash;
  cq_form *form; /* NULL: not known here */
} known_form;

typedef struct reader {
  cq_desk *desk;
  cq_arena *arena; /* of one record */
  known_form forms[MAX_FORMS];
  size_t form_count;
  sqlite3_stmt *statement[STATEMENTS];
} reader;

static cq_status form_of(reader *r, const cq_hash *hash, cq_form **form, cq_error *error) {
  bool row = false;
  for (size_t i = 0; i < r->form_count; i++) {
    if (!cq_hash_equal(&r->forms[i].hash, hash)) continue;
    *form = r->forms[i].form;
    return CQ_OK;
  }
  *form = NULL;
  if (r->form_count == MAX_FORMS) return cq_error_set(error, CQ_LIMIT, "desk.publish.many", NULL);
  sqlite3_stmt *s = r->statement[SELECT_FORM];
  sqlite3_bind_blob(s, 1, hash->at, sizeof hash->at, SQLITE_STATIC);
  cq_status status = cq_desk_step(r->desk, s, &row, error);
  if (status == CQ_OK && row) status = cq_form_load(form, cq_desk_text(s, 0), NULL, error);
  sqlite3_reset(s);
  if (status == CQ_OK) r->forms[r->form_count++] = (known_form){*hash, *form};
  return status;
}

static void bind_text(sqlite3_stmt *s, int at, cq_str text) {
  sqlite3_bind_text(s, at, text.size ? text.at : "", (int)text.size, SQLITE_STATIC);
}

static cq_status put_property(reader *r, const cq_entity *e, cq_str name, cq_str value, sqlite3_stmt *from,
                              cq_error *error) {
  sqlite3_stmt *s = r->statement[PUT_PROPERTY];
  cq_str record = cq_desk_text(from, 1);
  bind_text(s, 1, e->list);
  bind_text(s, 2, e->id);
  bind_text(s, 3, name);
  bind_text(s, 4, value);
  sqlite3_bind_int64(s, 5, sqlite3_column_int64(from, 5));
  sqlite3_bind_blob(s, 6, record.at, (int)record.size, SQLITE_STATIC);
  return cq_desk_step(r->desk, s, NULL, error);
}

/* PUT_ENTITY and PUT_LEFT have the same arguments. */
static cq_status put_day(reader *r, size_t which, cq_str dataset, cq_str id, int day, cq_error *error) {
  bind_text(r->statement[which], 1, dataset);
  bind_text(r->statement[which], 2, id);
  sqlite3_bind_int(r->statement[which], 3, day);
  return cq_desk_step(r->desk, r->statement[which], NULL, error);
}

static cq_status take_entity(reader *r, const cq_entity *e, sqlite3_stmt *from, cq_error *error) {
  cq_status status = put_day(r, PUT_ENTITY, e->list, e->id, sqlite3_column_int(from, 4), error);
  if (status == CQ_OK && e->label.size) status = put_property(r, e, CQ_STR(""), e->label, from, error);
  for (size_t i = 0; status == CQ_OK && i < e->property_count; i++)
    status = put_property(r, e, e->properties[i].name, e->properties[i].value, from, error);
  return status;
}

/* "uuid:" may stand before an id in an envelope, never in an entity. */
static cq_str plain_id(cq_str id) {
  return cq_str_starts(id, CQ_STR("uuid:")) ? (cq_str){id.at + 5, id.size - 5} : id;
}

static cq_status take_record(reader *r, sqlite3_stmt *from, size_t *unreadable, cq_error *error) {
  cq_record record;
  cq_hash hash;
  cq_form *form = NULL;
  cq_entities entities = {0};
  cq_error wrong;
  cq_arena_reset(r->arena);
  cq_str bytes;
  cq_status status = cq_desk_record(r->desk, from, 2, &bytes, error);
  if (status == CQ_OK) status = cq_record_parse(&record, bytes, r->arena, error);
  if (status == CQ_OK) status = cq_desk_column(from, 3, hash.at, sizeof hash.at, error);
  if (status == CQ_OK) status = form_of(r, &hash, &form, error);
  if (status != CQ_OK) return status;
  cq_error_clear(&wrong);
  status = form ? cq_form_entities(form, record.instance_xml, r->arena, &entities, &wrong) : CQ_INVALID;
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  if (status != CQ_OK) { /* the record is kept; what it says of entities breaks their rules */
    ++*unreadable;
    return CQ_OK;
  }
  for (size_t i = 0; status == CQ_OK && i < entities.count; i++)
    status = take_entity(r, &entities.items[i], from, error);
  const cq_envelope *e = &record.envelope;
  for (size_t i = 0; status == CQ_OK && e->result == CQ_RESULT_WITHDRAWN && i < e->subject_count; i++)
    status =
        put_day(r, PUT_LEFT, e->subjects[i].dataset, plain_id(e->subjects[i].id), sqlite3_column_int(from, 4), error);
  return status;
}

static cq_status take_all(reader *r, size_t *unreadable, cq_error *error) {
  sqlite3_stmt *s = r->statement[SELECT_RECORDS];
  cq_status status = CQ_OK;
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(r->desk, s, &row, error)) != CQ_OK || !row) break;
    status = take_record(r, s, unreadable, error);
  }
  sqlite3_reset(s);
  return status;
}

cq_status cq_entities_update(cq_desk *desk, size_t *unreadable, cq_error *error) {
  reader *r = calloc(1, sizeof *r);
  *unreadable = 0;
  if (!r) return cq_error_nomem(error);
  r->desk = desk;
  cq_status status = (r->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < STATEMENTS; i++)
    status = cq_desk_prepare(desk, &r->statement[i], sql[i], error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = take_all(r, unreadable, error);
  if (status == CQ_OK)
    status = cq_desk_exec(
        desk,
        "UPDATE entity SET last_day = l.day FROM entity_left l WHERE l.dataset = entity.dataset AND "
        "l.id = entity.id; UPDATE entity_done SET last = (SELECT coalesce(max(id), 0) FROM record); COMMIT",
        error);
  if (status != CQ_OK && !sqlite3_get_autocommit(desk->db)) (void)cq_desk_exec(desk, "ROLLBACK", NULL);
  for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(r->statement[i]);
  for (size_t i = 0; i < r->form_count; i++) cq_form_free(r->forms[i].form);
  cq_arena_free(r->arena);
  free(r);
  return status;
}
