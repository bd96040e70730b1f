/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle in force, with its forms and lists. */
#include "vault/store/store.h"

#include <stdio.h>

static cq_status put_form(cq_store *store, const cq_store_form *form, cq_error *error) {
  if (!hash_is(form->hash, form->bytes)) return cq_error_set(error, CQ_INVALID, "store.form.hash", NULL);
  return store_run(store, error,
                   "INSERT INTO form(hash, id, version, title, status, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                   "ON CONFLICT(hash) DO UPDATE SET title = excluded.title, status = excluded.status, origin = ''",
                   "hsssib", form->hash, form->id, form->version, form->title, (int64_t)form->status, form->bytes);
}

static cq_status put_all(cq_store *store, int64_t number, cq_str bytes, const cq_store_form *forms, size_t form_count,
                         const cq_store_list *lists, size_t list_count, cq_error *error) {
  cq_status status = store_run(store, error, "INSERT OR REPLACE INTO bundle(one, number, bytes) VALUES (1, ?1, ?2)",
                               "ib", number, bytes);
  if (status == CQ_OK)
    status =
        store_run(store, error, "UPDATE form SET status = ?1 WHERE origin = ''", "i", (int64_t)CQ_STORE_FORM_WITHDRAWN);
  for (size_t i = 0; status == CQ_OK && i < form_count; i++) status = put_form(store, &forms[i], error);
  if (status == CQ_OK) status = store_run(store, error, "DELETE FROM list", "");
  for (size_t i = 0; status == CQ_OK && i < list_count; i++)
    status = store_run(store, error, "INSERT OR REPLACE INTO list(name, bytes) VALUES (?1, ?2)", "sb", lists[i].name,
                       lists[i].bytes);
  return status;
}

cq_status cq_store_bundle_adopt(cq_store *store, int64_t number, cq_str bytes, const cq_store_form *forms,
                                size_t form_count, const cq_store_list *lists, size_t list_count, cq_error *error) {
  int64_t current = 0;
  char have[24], given[24];
  bool same = false;
  cq_status status = store_too_long(bytes, CQ_STORE_VALUE_MAX, "bundle", error);
  if (status != CQ_OK || (status = store_begin(store, error)) != CQ_OK) return status;
  query ask = query_start(store, "SELECT number, bytes FROM bundle", "");
  if (query_row(&ask)) {
    current = query_int(&ask, 0);
    same = cq_str_equal(query_bytes(&ask, 1), bytes);
  }
  status = query_end(&ask, CQ_OK, error);
  snprintf(have, sizeof have, "%lld", (long long)current);
  snprintf(given, sizeof given, "%lld", (long long)number);
  if (status == CQ_OK && number < current)
    status = cq_error_set(error, CQ_REFUSED, "store.bundle.older", given, have, NULL);
  else if (status == CQ_OK && number == current && current != 0 && !same)
    status = cq_error_set(error, CQ_REFUSED, "store.bundle.other", given, NULL);
  else if (status == CQ_OK && (number > current || !same))
    status = put_all(store, number, bytes, forms, form_count, lists, list_count, error);
  return store_end(store, status, error);
}

cq_status cq_store_bundle_current(cq_store *store, int64_t *number, cq_buf *bytes, cq_error *error) {
  query ask = query_start(store, "SELECT number, bytes FROM bundle", "");
  bool found = query_row(&ask);
  cq_status status = CQ_OK;
  if (found) *number = query_int(&ask, 0);
  if (found && bytes) status = store_copy(bytes, query_bytes(&ask, 1), error);
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.bundle.missing", NULL) : status;
}

cq_status cq_store_forms(cq_store *store, cq_store_form_seen *seen, void *context, cq_error *error) {
  query ask =
      query_start(store, "SELECT hash, id, version, title, status, origin FROM form ORDER BY id, version, hash", "");
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_form form = {.id = query_text(&ask, 1),
                          .version = query_text(&ask, 2),
                          .title = query_text(&ask, 3),
                          .status = (cq_store_form_status)query_int(&ask, 4),
                          .origin = query_text(&ask, 5)};
    query_hash(&ask, 0, form.hash);
    status = seen(context, &form);
  }
  return query_end(&ask, status, error);
}

cq_status cq_store_form_bytes(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *bytes, cq_error *error) {
  query ask = query_start(store, "SELECT bytes FROM form WHERE hash = ?1", "h", hash);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(bytes, query_bytes(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.form.missing", NULL) : status;
}

cq_status cq_store_list_bytes(cq_store *store, const char *name, cq_buf *bytes, cq_error *error) {
  query ask = query_start(store, "SELECT bytes FROM list WHERE name = ?1", "z", name);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(bytes, query_bytes(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.list.missing", name, NULL) : status;
}
