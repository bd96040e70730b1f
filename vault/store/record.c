/* SPDX-License-Identifier: Apache-2.0 */
/* Finished interviews: put away, read again, and checked before the transaction ends. */
#include "vault/store/store.h"

#include <stdio.h>
#include <string.h>

/* Whether this name may come in: not erased; *known where it is here already. */
static cq_status may_enter(cq_store *store, const uint8_t *name, bool *known, cq_error *error) {
  int64_t found = 0;
  cq_status status = store_number(store, &found, 0, error, "SELECT 1 FROM tombstone WHERE name = ?1", "h", name);
  if (status == CQ_OK && found) return cq_error_set(error, CQ_REFUSED, "store.record.erased", NULL);
  if (status == CQ_OK)
    status = store_number(store, &found, 0, error, "SELECT 1 FROM record WHERE name = ?1", "h", name);
  *known = found != 0;
  return status;
}

static cq_status insert_record(cq_store *store, int64_t draft, const cq_store_record *record, cq_str bytes,
                               int64_t *number, cq_error *error) {
  const uint8_t *parent = hash_is_zero(record->parent) ? NULL : record->parent;
  cq_status status = store_run(
      store, error,
      "INSERT INTO record(name, draft, form, parent, form_id, instance_id, season, label, technician, "
      "result, finalised_utc_ms, state, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)",
      "hihhsssssiii", record->name, draft, record->form, parent, record->form_id, record->instance_id, record->season,
      record->label, record->technician, (int64_t)record->result, record->finalised_utc_ms, (int64_t)bytes.size);
  if (status != CQ_OK) return status;
  *number = sqlite3_last_insert_rowid(cq_vault_db(store->vault));
  status = store_run(store, error, "INSERT INTO record_bytes(record, bytes) VALUES (?1, ?2)", "ib", *number, bytes);
  for (size_t i = 0; status == CQ_OK && i < record->subject_count; i++)
    status = store_run(store, error, "INSERT OR IGNORE INTO record_subject(subject, record) VALUES (?1, ?2)", "si",
                       record->subjects[i], *number);
  for (size_t i = 0; status == CQ_OK && i < record->attachment_count; i++)
    status = attachment_name(
        store, "INSERT INTO record_attachment(record, name, attachment, media_type) VALUES (?1, ?2, ?3, ?4)", *number,
        &record->attachments[i], error);
  return status;
}

/* As Fossil does: what will be committed is read once more, and its name computed anew. */
static cq_status verify(cq_store *store, int64_t number, const uint8_t name[CQ_STORE_HASH], cq_error *error) {
  query ask = query_start(store, "SELECT bytes FROM record_bytes WHERE record = ?1", "i", number);
  bool same = query_row(&ask) && hash_is(name, query_bytes(&ask, 0));
  cq_status status = query_end(&ask, CQ_OK, error);
  return status == CQ_OK && !same ? cq_error_set(error, CQ_DAMAGED, "store.record.damaged", NULL) : status;
}

/* The draft goes; its entries in the trail are the record's from here on. */
static cq_status close_draft(cq_store *store, int64_t draft, const cq_store_record *record, cq_error *error) {
  int64_t found = 0;
  cq_status status = CQ_OK;
  if (draft) {
    status = store_number(store, &found, 0, error, "SELECT 1 FROM draft WHERE id = ?1", "i", draft);
    if (status == CQ_OK && !found) status = cq_error_set(error, CQ_NOTFOUND, "store.draft.missing", NULL);
    if (status == CQ_OK) status = store_run(store, error, "DELETE FROM draft WHERE id = ?1", "i", draft);
  }
  char name[2 * CQ_STORE_HASH + 1];
  for (size_t i = 0; i < CQ_STORE_HASH; i++) snprintf(name + 2 * i, 3, "%02x", record->name[i]);
  cq_store_event event = {.draft = draft,
                          .what = CQ_STR("finalise"),
                          .device_utc_ms = record->finalised_utc_ms,
                          .kind = record->result,
                          .who = record->technician,
                          .after = cq_str_from(name)};
  return status == CQ_OK ? trail_append(store, &event, CQ_STR(""), 0, NULL, error) : status;
}

cq_status cq_store_finalise(cq_store *store, int64_t draft, const cq_store_record *record, cq_str bytes,
                            cq_error *error) {
  int64_t number = 0;
  bool known = false;
  cq_status status = store_too_long(bytes, CQ_STORE_VALUE_MAX, "record", error);
  if (status != CQ_OK) return status;
  if (record->subject_count > CQ_STORE_SUBJECTS_MAX)
    return cq_error_set(error, CQ_LIMIT, "store.long", "subjects", "64", NULL);
  if (!hash_is(record->name, bytes)) return cq_error_set(error, CQ_INVALID, "store.record.name", NULL);
  if ((status = store_begin(store, error)) != CQ_OK) return status;
  status = may_enter(store, record->name, &known, error);
  if (status == CQ_OK && !known) {
    status = insert_record(store, draft, record, bytes, &number, error);
    for (size_t i = 0; status == CQ_OK && i < record->entity_count; i++)
      status = entity_put(store, &record->entities[i], error);
    if (status == CQ_OK) status = verify(store, number, record->name, error);
    if (status == CQ_OK) status = close_draft(store, draft, record, error);
    /* files of answers that the record does not hold */
    if (status == CQ_OK) status = attachments_sweep(store, error);
  }
  return store_end(store, status, error);
}

#define RECORDS                                                                                                        \
  "SELECT name, form, parent, form_id, instance_id, season, label, technician, result, finalised_utc_ms, state, "      \
  "size, number, (SELECT count(*) FROM record_attachment AS n WHERE n.record = number), "                              \
  "coalesce((SELECT min(w.state) FROM record_attachment AS n JOIN attachment_way AS w ON w.attachment = n.attachment " \
  "WHERE n.record = number), 3), "                                                                                     \
  "EXISTS (SELECT 1 FROM record AS c WHERE c.parent = record.name) FROM record "

static cq_status subjects_of(cq_store *store, int64_t number, cq_str out[CQ_STORE_SUBJECTS_MAX], size_t *count,
                             cq_buf *text, cq_error *error) {
  size_t ends[CQ_STORE_SUBJECTS_MAX], from = 0;
  query ask = query_start(store, "SELECT subject FROM record_subject WHERE record = ?1 ORDER BY subject", "i", number);
  *count = 0;
  cq_buf_reset(text);
  while (*count < CQ_STORE_SUBJECTS_MAX && query_row(&ask)) {
    cq_buf_add_str(text, query_text(&ask, 0));
    ends[(*count)++] = text->size;
  }
  cq_status status = query_end(&ask, text->failed ? cq_error_nomem(error) : CQ_OK, error);
  for (size_t i = 0; i < *count; from = ends[i++]) out[i] = (cq_str){text->at ? text->at + from : "", ends[i] - from};
  return status;
}

static cq_status each_record(query *ask, cq_store_record_seen *seen, void *context, cq_error *error) {
  cq_str subjects[CQ_STORE_SUBJECTS_MAX];
  cq_buf text = {0};
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(ask)) {
    cq_store_record record = {.form_id = query_text(ask, 3),
                              .instance_id = query_text(ask, 4),
                              .season = query_text(ask, 5),
                              .label = query_text(ask, 6),
                              .technician = query_text(ask, 7),
                              .result = (int)query_int(ask, 8),
                              .finalised_utc_ms = query_int(ask, 9),
                              .state = (cq_store_record_state)query_int(ask, 10),
                              .size = query_int(ask, 11),
                              .attachment_count = (size_t)query_int(ask, 13),
                              .attachments_state = (cq_store_record_state)query_int(ask, 14),
                              .corrected = query_int(ask, 15) != 0,
                              .subjects = subjects};
    query_hash(ask, 0, record.name);
    query_hash(ask, 1, record.form);
    query_hash(ask, 2, record.parent);
    status = subjects_of(ask->store, query_int(ask, 12), subjects, &record.subject_count, &text, error);
    if (status == CQ_OK) status = seen(context, &record);
  }
  status = query_end(ask, status, error);
  cq_buf_fini(&text);
  return status;
}

cq_status cq_store_records(cq_store *store, int state, cq_store_record_seen *seen, void *context, cq_error *error) {
  query ask =
      query_start(store, RECORDS "WHERE ?1 < 0 OR state = ?1 ORDER BY finalised_utc_ms, number", "i", (int64_t)state);
  return each_record(&ask, seen, context, error);
}

cq_status cq_store_records_of(cq_store *store, cq_str subject, cq_store_record_seen *seen, void *context,
                              cq_error *error) {
  query ask = query_start(store,
                          RECORDS "WHERE number IN (SELECT record FROM record_subject WHERE subject = ?1) "
                                  "ORDER BY finalised_utc_ms, number",
                          "s", subject);
  return each_record(&ask, seen, context, error);
}

cq_status cq_store_record_bytes(cq_store *store, const uint8_t name[CQ_STORE_HASH], cq_buf *bytes, cq_error *error) {
  query ask = query_start(
      store, "SELECT state, bytes FROM record LEFT JOIN record_bytes ON record = number WHERE name = ?1", "h", name);
  bool found = query_row(&ask);
  cq_status status = CQ_OK;
  if (found && query_int(&ask, 0) == CQ_STORE_ERASED)
    status = cq_error_set(error, CQ_REFUSED, "store.record.erased", NULL);
  else if (found && sqlite3_column_type(ask.statement, 1) == SQLITE_NULL)
    status = cq_error_set(error, CQ_NOTFOUND, "store.record.purged", NULL);
  else if (found && !hash_is(name, query_bytes(&ask, 1)))
    status = cq_error_set(error, CQ_DAMAGED, "store.record.damaged", NULL);
  else if (found)
    status = store_copy(bytes, query_bytes(&ask, 1), error);
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.record.missing", NULL) : status;
}

/* --- erasure by order --- */

bool cq_store_erased(cq_store *store, const uint8_t name[CQ_STORE_HASH]) {
  int64_t found = 0;
  (void)store_number(store, &found, 0, NULL, "SELECT 1 FROM tombstone WHERE name = ?1", "h", name);
  return found != 0;
}

static cq_status erase_record(cq_store *store, const uint8_t *name, cq_error *error) {
  int64_t number = 0, draft = 0;
  cq_status status = store_number(store, &number, 0, error, "SELECT number FROM record WHERE name = ?1", "h", name);
  if (status == CQ_OK)
    status = store_number(store, &draft, 0, error, "SELECT draft FROM record WHERE name = ?1", "h", name);
  if (status != CQ_OK || number == 0) return status;
  static const char emptied[] = "UPDATE record SET state = 4, size = 0, parent = NULL, instance_id = '', season = '', "
                                "label = '', technician = '' WHERE number = ?1";
#define OF_SUBJECTS "WHERE id IN (SELECT replace(subject, 'uuid:', '') FROM record_subject WHERE record = ?1)"
  static const char *const deletes[] = {"DELETE FROM entity " OF_SUBJECTS,
                                        "DELETE FROM entity_newest " OF_SUBJECTS,
                                        "DELETE FROM record_bytes WHERE record = ?1",
                                        "DELETE FROM record_subject WHERE record = ?1",
                                        "DELETE FROM record_attachment WHERE record = ?1",
                                        "UPDATE delivery SET message = '', taken = '' WHERE record = ?1",
                                        emptied};
  for (size_t i = 0; status == CQ_OK && i < sizeof deletes / sizeof deletes[0]; i++)
    status = store_run(store, error, deletes[i], "i", number);
  if (status == CQ_OK) status = trail_empty(store, draft, error);
  /* what is being corrected of it holds the same answers */
  for (draft = -1; status == CQ_OK && draft != 0;) {
    status = store_number(store, &draft, 0, error, "SELECT id FROM draft WHERE parent = ?1", "h", name);
    if (status == CQ_OK && draft != 0) status = draft_drop(store, draft, error);
  }
  return status == CQ_OK ? attachments_sweep(store, error) : status;
}

cq_status cq_store_erase(cq_store *store, const uint8_t name[CQ_STORE_HASH], cq_str order, cq_error *error) {
  uint8_t hash[CQ_STORE_HASH];
  cq_status status = store_too_long(order, CQ_STORE_VALUE_MAX, "order", error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  bool before = cq_store_erased(store, name);
  hash_bytes(hash, order);
  if (!before)
    status = store_run(store, error, "INSERT OR IGNORE INTO erasure(hash, bytes) VALUES (?1, ?2)", "hb", hash, order);
  if (status == CQ_OK && !before)
    status = store_run(store, error, "INSERT INTO tombstone(name, erasure, erased_utc_ms) VALUES (?1, ?2, ?3)", "hhi",
                       name, hash, store_now(store));
  if (status == CQ_OK && !before) status = erase_record(store, name, error);
  cq_store_event event = {.what = CQ_STR("erase"), .device_utc_ms = store_now(store)};
  if (status == CQ_OK && !before) status = trail_append(store, &event, CQ_STR(""), 0, NULL, error);
  status = store_end(store, status, error);
  /* what was erased must not stay in the log either */
  if (status == CQ_OK && !before)
    (void)sqlite3_wal_checkpoint_v2(cq_vault_db(store->vault), "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return status;
}
