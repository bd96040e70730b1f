/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts. An answer is one entry of the trail: what is durable for the audit is
 * durable for the draft, and is written once, whatever the size of the form.
 */
#include "vault/store/store.h"

#include <stdio.h>

static cq_status must_exist(cq_store *store, int64_t draft, cq_error *error) {
  int64_t found = 0;
  cq_status status = store_number(store, &found, 0, error, "SELECT 1 FROM draft WHERE id = ?1", "i", draft);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.draft.missing", NULL) : status;
}

/* Within a transaction. `parent` NULL: it corrects none. */
static cq_status begin(cq_store *store, int64_t *draft, const uint8_t *form, const uint8_t *parent, cq_str technician,
                       cq_str label, cq_str base, cq_error *error) {
  int64_t known = 0;
  cq_status status = store_number(store, &known, 0, error, "SELECT 1 FROM form WHERE hash = ?1", "h", form);
  if (status == CQ_OK && !known) status = cq_error_set(error, CQ_NOTFOUND, "store.form.missing", NULL);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "INSERT INTO draft(form, technician, label, begun_utc_ms, parent) VALUES (?1, ?2, ?3, ?4, ?5)",
                       "hssih", form, technician, label, store_now(store), parent);
  if (status == CQ_OK) {
    *draft = sqlite3_last_insert_rowid(cq_vault_db(store->vault));
    status = store_run(store, error, "INSERT INTO draft_base(draft, base) VALUES (?1, ?2)", "ib", *draft, base);
  }
  char name[2 * CQ_STORE_HASH + 1] = "";
  for (size_t i = 0; parent && i < CQ_STORE_HASH; i++) snprintf(name + 2 * i, 3, "%02x", parent[i]);
  cq_store_event event = {.draft = *draft,
                          .what = CQ_STR("begin"),
                          .who = technician,
                          .device_utc_ms = store_now(store),
                          .before = cq_str_from(name)};
  return status == CQ_OK ? trail_append(store, &event, CQ_STR(""), 0, NULL, error) : status;
}

static cq_status too_long(cq_str technician, cq_str label, cq_str base, cq_error *error) {
  cq_status status = store_too_long(base, CQ_STORE_VALUE_MAX, "base", error);
  if (status == CQ_OK) status = store_too_long(label, CQ_STORE_TEXT_MAX, "label", error);
  return status == CQ_OK ? store_too_long(technician, CQ_STORE_TEXT_MAX, "technician", error) : status;
}

cq_status cq_store_draft_begin(cq_store *store, int64_t *draft, const uint8_t form[CQ_STORE_HASH], cq_str technician,
                               cq_str label, cq_str base, cq_error *error) {
  cq_status status = too_long(technician, label, base, error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  status = begin(store, draft, form, NULL, technician, label, base, error);
  return store_end(store, status, error);
}

cq_status cq_store_draft_correct(cq_store *store, int64_t *draft, const uint8_t parent[CQ_STORE_HASH],
                                 cq_str technician, cq_str label, cq_str base, cq_error *error) {
  int64_t number = 0;
  uint8_t form[CQ_STORE_HASH] = {0};
  cq_status status = too_long(technician, label, base, error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  query ask = query_start(store, "SELECT number, form FROM record WHERE name = ?1 AND size > 0", "h", parent);
  if (query_row(&ask)) {
    number = query_int(&ask, 0);
    query_hash(&ask, 1, form);
  }
  status = query_end(&ask, status, error);
  if (status == CQ_OK && number == 0) status = cq_error_set(error, CQ_NOTFOUND, "store.record.missing", NULL);
  if (status == CQ_OK) status = begin(store, draft, form, parent, technician, label, base, error);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "INSERT INTO draft_attachment(draft, name, attachment, media_type) "
                       "SELECT ?1, name, attachment, media_type FROM record_attachment WHERE record = ?2",
                       "ii", *draft, number);
  return store_end(store, status, error);
}

cq_status cq_store_draft_answer(cq_store *store, int64_t draft, const cq_store_answer *answer, int64_t *sequence,
                                cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  cq_store_event event = {.draft = draft,
                          .what = CQ_STR("answer"),
                          .device_utc_ms = answer->device_utc_ms,
                          .kind = answer->kind,
                          .who = answer->technician,
                          .reference = answer->reference,
                          .before = answer->before,
                          .after = answer->after};
  status = must_exist(store, draft, error);
  if (status == CQ_OK) status = trail_append(store, &event, answer->bookmark, 0, sequence, error);
  if (status == CQ_OK && answer->attached)
    status = attachment_name(
        store, "INSERT INTO draft_attachment(draft, name, attachment, media_type) VALUES (?1, ?2, ?3, ?4)", draft,
        answer->attached, error);
  if (status == CQ_OK && answer->detached.size > 0) {
    status = store_run(store, error, "DELETE FROM draft_attachment WHERE draft = ?1 AND name = ?2", "is", draft,
                       answer->detached);
    if (status == CQ_OK) status = attachments_sweep(store, error);
  }
  return store_end(store, status, error);
}

#define ANSWERS                                                                                                        \
  "SELECT sequence, kind, reference, before, after, bookmark, who, device_utc_ms FROM trail AS a "                     \
  "WHERE draft = ?1 AND draft <> 0 AND what = 'answer' "                                                               \
  "AND NOT EXISTS (SELECT 1 FROM trail AS u WHERE u.undoes = a.sequence) ORDER BY sequence "

static cq_store_answer answer_of(const query *ask) {
  return (cq_store_answer){.sequence = query_int(ask, 0),
                           .kind = (int)query_int(ask, 1),
                           .reference = query_text(ask, 2),
                           .before = query_text(ask, 3),
                           .after = query_text(ask, 4),
                           .bookmark = query_text(ask, 5),
                           .technician = query_text(ask, 6),
                           .device_utc_ms = query_int(ask, 7)};
}

cq_status cq_store_draft_load(cq_store *store, int64_t draft, cq_buf *base, cq_store_answer_seen *seen, void *context,
                              cq_error *error) {
  query ask = query_start(store, "SELECT base FROM draft_base WHERE draft = ?1", "i", draft);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(base, query_bytes(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  if (status != CQ_OK) return status;
  if (!found) return cq_error_set(error, CQ_NOTFOUND, "store.draft.missing", NULL);
  ask = query_start(store, ANSWERS, "i", draft);
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_answer answer = answer_of(&ask);
    status = seen(context, &answer);
  }
  return query_end(&ask, status, error);
}

cq_status cq_store_draft_undo(cq_store *store, int64_t draft, cq_store_answer_seen *seen, void *context,
                              cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  query ask = query_start(store, ANSWERS "DESC LIMIT 1", "i", draft);
  if (query_row(&ask)) {
    cq_store_answer answer = answer_of(&ask);
    cq_store_event event = {.draft = draft,
                            .what = CQ_STR("undo"),
                            .device_utc_ms = store_now(store),
                            .kind = answer.kind,
                            .who = answer.technician,
                            .reference = answer.reference,
                            .before = answer.after,
                            .after = answer.before};
    status = trail_append(store, &event, CQ_STR(""), answer.sequence, NULL, error);
    if (status == CQ_OK && seen) status = seen(context, &answer);
  } else {
    status = query_end(&ask, status, error);
    if (status == CQ_OK) status = must_exist(store, draft, error);
    if (status == CQ_OK) status = cq_error_set(error, CQ_NOTFOUND, "store.draft.nothing", NULL);
  }
  status = query_end(&ask, status, error);
  return store_end(store, status, error);
}

#define DRAFTS                                                                                                         \
  "SELECT d.id, d.form, f.id, f.version, d.technician, d.label, d.begun_utc_ms, "                                      \
  "(SELECT max(device_utc_ms) FROM trail WHERE draft = d.id AND draft <> 0), "                                         \
  "(SELECT count(*) FROM trail WHERE draft = d.id AND draft <> 0 AND what = 'answer') - "                              \
  "(SELECT count(*) FROM trail WHERE draft = d.id AND draft <> 0 AND what = 'undo'), "                                 \
  "coalesce((SELECT bookmark FROM trail AS a WHERE draft = d.id AND draft <> 0 AND what = 'answer' "                   \
  "AND NOT EXISTS (SELECT 1 FROM trail AS u WHERE u.undoes = a.sequence) ORDER BY sequence DESC LIMIT 1), ''), "       \
  "d.parent "                                                                                                          \
  "FROM draft AS d JOIN form AS f ON f.hash = d.form "

static cq_status each_draft(query *ask, cq_store_draft_seen *seen, void *context, bool *any, cq_error *error) {
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(ask)) {
    cq_store_draft draft = {.id = query_int(ask, 0),
                            .form_id = query_text(ask, 2),
                            .form_version = query_text(ask, 3),
                            .technician = query_text(ask, 4),
                            .label = query_text(ask, 5),
                            .begun_utc_ms = query_int(ask, 6),
                            .changed_utc_ms = query_int(ask, 7),
                            .answers = query_int(ask, 8),
                            .bookmark = query_text(ask, 9)};
    query_hash(ask, 1, draft.form);
    query_hash(ask, 10, draft.parent);
    *any = true;
    status = seen(context, &draft);
  }
  return query_end(ask, status, error);
}

cq_status cq_store_drafts(cq_store *store, cq_store_draft_seen *seen, void *context, cq_error *error) {
  bool any = false;
  query ask = query_start(store, DRAFTS "ORDER BY d.id", "");
  return each_draft(&ask, seen, context, &any, error);
}

cq_status cq_store_draft_get(cq_store *store, int64_t draft, cq_store_draft_seen *seen, void *context,
                             cq_error *error) {
  bool any = false;
  query ask = query_start(store, DRAFTS "WHERE d.id = ?1", "i", draft);
  cq_status status = each_draft(&ask, seen, context, &any, error);
  return status == CQ_OK && !any ? cq_error_set(error, CQ_NOTFOUND, "store.draft.missing", NULL) : status;
}

cq_status cq_store_draft_label(cq_store *store, int64_t draft, cq_str label, cq_error *error) {
  cq_status status = store_too_long(label, CQ_STORE_TEXT_MAX, "label", error);
  if (status == CQ_OK) status = must_exist(store, draft, error);
  if (status != CQ_OK) return status;
  return store_run(store, error, "UPDATE draft SET label = ?1 WHERE id = ?2", "si", label, draft);
}

cq_status draft_drop(cq_store *store, int64_t draft, cq_error *error) {
  cq_store_event event = {.draft = draft, .what = CQ_STR("discard"), .device_utc_ms = store_now(store)};
  cq_status status = trail_empty(store, draft, error);
  if (status == CQ_OK) status = trail_append(store, &event, CQ_STR(""), 0, NULL, error);
  return status == CQ_OK ? store_run(store, error, "DELETE FROM draft WHERE id = ?1", "i", draft) : status;
}

cq_status cq_store_draft_discard(cq_store *store, int64_t draft, cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  status = must_exist(store, draft, error);
  if (status == CQ_OK) status = draft_drop(store, draft, error);
  if (status == CQ_OK) status = attachments_sweep(store, error);
  return store_end(store, status, error);
}
