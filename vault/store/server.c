/* SPDX-License-Identifier: Apache-2.0 */
/* OpenRosa servers of others: where they are, what came from them, what they said of records. */
#include "vault/store/store.h"

enum { NAME_MAX_BYTES = 64, TEXT_MAX_BYTES = 4096 };

cq_status cq_store_server_put(cq_store *store, const cq_store_server *server, cq_error *error) {
  cq_status status = store_too_long(server->name, NAME_MAX_BYTES, "name", error);
  if (status == CQ_OK) status = store_too_long(server->url, TEXT_MAX_BYTES, "url", error);
  if (status == CQ_OK) status = store_too_long(server->user, TEXT_MAX_BYTES, "user", error);
  if (status == CQ_OK) status = store_too_long(server->secret, TEXT_MAX_BYTES, "secret", error);
  if (status == CQ_OK) status = store_too_long(server->ca, CQ_STORE_TEXT_MAX, "ca", error);
  if (status == CQ_OK) status = store_too_long(server->forms, CQ_STORE_TEXT_MAX, "forms", error);
  if (status != CQ_OK) return status;
  return store_run(store, error,
                   "INSERT OR REPLACE INTO server(name, kind, url, user, secret, ca, forms, added_utc_ms) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   "sissbbsi", server->name, (int64_t)server->kind, server->url, server->user, server->secret,
                   server->ca, server->forms, store_now(store));
}

static cq_status must_know(cq_store *store, cq_str name, cq_error *error) {
  int64_t found = 0;
  cq_status status = store_number(store, &found, 0, error, "SELECT 1 FROM server WHERE name = ?1", "s", name);
  if (status != CQ_OK || found) return status;
  cq_buf text = {0};
  cq_buf_add_str(&text, name);
  status = cq_error_set(error, CQ_NOTFOUND, "store.server.missing", text.at ? text.at : "", NULL);
  cq_buf_fini(&text);
  return status;
}

cq_status cq_store_server_remove(cq_store *store, cq_str name, cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  status = must_know(store, name, error);
  if (status == CQ_OK) status = store_run(store, error, "DELETE FROM server WHERE name = ?1", "s", name);
  if (status == CQ_OK) status = store_run(store, error, "DELETE FROM server_list WHERE server = ?1", "s", name);
  if (status == CQ_OK)
    status = store_run(store, error, "UPDATE form SET status = ?1 WHERE origin = ?2", "is",
                       (int64_t)CQ_STORE_FORM_WITHDRAWN, name);
  return store_end(store, status, error);
}

cq_status cq_store_servers(cq_store *store, cq_store_server_seen *seen, void *context, cq_error *error) {
  query ask = query_start(store, "SELECT name, kind, url, user, secret, ca, forms FROM server ORDER BY name", "");
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_server server = {.name = query_text(&ask, 0),
                              .kind = (int)query_int(&ask, 1),
                              .url = query_text(&ask, 2),
                              .user = query_text(&ask, 3),
                              .secret = query_bytes(&ask, 4),
                              .ca = query_bytes(&ask, 5),
                              .forms = query_text(&ask, 6)};
    status = seen(context, &server);
  }
  return query_end(&ask, status, error);
}

/* --- forms --- */

cq_status cq_store_server_accept(cq_store *store, cq_str server, const cq_store_form *form, const cq_store_list *lists,
                                 size_t list_count, cq_error *error) {
  cq_status status = store_too_long(form->bytes, CQ_STORE_VALUE_MAX, "form", error);
  if (status != CQ_OK) return status;
  if (!hash_is(form->hash, form->bytes)) return cq_error_set(error, CQ_INVALID, "store.form.hash", NULL);
  if ((status = store_begin(store, error)) != CQ_OK) return status;
  status = must_know(store, server, error);
  if (status == CQ_OK)
    status = store_run(store, error, "UPDATE form SET status = ?1 WHERE origin = ?2 AND id = ?3", "iss",
                       (int64_t)CQ_STORE_FORM_WITHDRAWN, server, form->id);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "INSERT INTO form(hash, id, version, title, status, bytes, origin) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(hash) DO UPDATE "
                       "SET title = excluded.title, status = excluded.status, origin = excluded.origin "
                       "WHERE origin <> ''",
                       "hsssibs", form->hash, form->id, form->version, form->title, (int64_t)CQ_STORE_FORM_CURRENT,
                       form->bytes, server);
  for (size_t i = 0; status == CQ_OK && i < list_count; i++) {
    status = store_too_long(lists[i].bytes, CQ_STORE_VALUE_MAX, "list", error);
    if (status == CQ_OK)
      status = store_run(store, error, "INSERT OR REPLACE INTO server_list(server, name, bytes) VALUES (?1, ?2, ?3)",
                         "ssb", server, lists[i].name, lists[i].bytes);
  }
  return store_end(store, status, error);
}

cq_status cq_store_form_origin(cq_store *store, const uint8_t hash[CQ_STORE_HASH], cq_buf *server, cq_error *error) {
  query ask = query_start(store, "SELECT origin FROM form WHERE hash = ?1", "h", hash);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(server, query_text(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.form.missing", NULL) : status;
}

cq_status cq_store_server_list(cq_store *store, cq_str server, const char *name, cq_buf *bytes, cq_error *error) {
  query ask = query_start(store, "SELECT bytes FROM server_list WHERE server = ?1 AND name = ?2", "sz", server, name);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(bytes, query_bytes(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.list.missing", name, NULL) : status;
}

/* --- deliveries --- */

cq_status cq_store_delivery_put(cq_store *store, const cq_store_delivery *delivery, cq_error *error) {
  int64_t record = 0;
  cq_status status = store_too_long(delivery->message, TEXT_MAX_BYTES, "message", error);
  if (status == CQ_OK) status = store_too_long(delivery->taken, CQ_STORE_TEXT_MAX, "taken", error);
  if (status == CQ_OK) status = store_too_long(delivery->server, NAME_MAX_BYTES, "name", error);
  if (status == CQ_OK)
    status = store_number(store, &record, 0, error, "SELECT number FROM record WHERE name = ?1", "h", delivery->record);
  if (status == CQ_OK && !record) status = cq_error_set(error, CQ_NOTFOUND, "store.record.missing", NULL);
  if (status != CQ_OK) return status;
  return store_run(store, error,
                   "INSERT INTO delivery(record, server, outcome, http, message, taken, changed_utc_ms) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(record, server) DO UPDATE "
                   "SET outcome = excluded.outcome, http = excluded.http, message = excluded.message, "
                   "taken = excluded.taken, changed_utc_ms = excluded.changed_utc_ms "
                   "WHERE outcome NOT BETWEEN 1 AND 15",
                   "isiissi", record, delivery->server, (int64_t)delivery->outcome, (int64_t)delivery->http,
                   delivery->message, delivery->taken, store_now(store));
}

cq_status cq_store_deliveries(cq_store *store, cq_str server, cq_store_delivery_seen *seen, void *context,
                              cq_error *error) {
  query ask = query_start(store,
                          "SELECT r.name, d.server, d.outcome, d.http, d.message, d.taken, d.changed_utc_ms "
                          "FROM delivery AS d JOIN record AS r ON r.number = d.record "
                          "WHERE ?1 = '' OR d.server = ?1 ORDER BY r.finalised_utc_ms, r.number, d.server",
                          "s", server);
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(&ask)) {
    cq_store_delivery delivery = {.server = query_text(&ask, 1),
                                  .outcome = (int)query_int(&ask, 2),
                                  .http = (int)query_int(&ask, 3),
                                  .message = query_text(&ask, 4),
                                  .taken = query_text(&ask, 5),
                                  .changed_utc_ms = query_int(&ask, 6)};
    query_hash(&ask, 0, delivery.record);
    status = seen(context, &delivery);
  }
  return query_end(&ask, status, error);
}
