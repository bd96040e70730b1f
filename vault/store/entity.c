/* SPDX-License-Identifier: Apache-2.0 */
/* Entities: every version of every branch, and the newest of each for choice lists. */
#include "vault/store/store.h"

cq_status entity_put(cq_store *store, const cq_store_entity *entity, cq_error *error) {
  cq_status status = store_too_long(entity->bytes, CQ_STORE_TEXT_MAX, "entity", error);
  if (status == CQ_OK) status = store_too_long(entity->label, CQ_STORE_TEXT_MAX, "label", error);
  if (status != CQ_OK) return status;
  query ask =
      query_start(store, "SELECT bytes, label FROM entity WHERE list = ?1 AND id = ?2 AND version = ?3 AND branch = ?4",
                  "ssis", entity->list, entity->id, entity->version, entity->branch);
  bool known = query_row(&ask);
  bool same =
      known && cq_str_equal(query_bytes(&ask, 0), entity->bytes) && cq_str_equal(query_text(&ask, 1), entity->label);
  status = query_end(&ask, CQ_OK, error);
  if (status != CQ_OK || same) return status;
  if (known) return cq_error_set(error, CQ_REFUSED, "store.entity.fork", NULL);
  status = store_run(store, error,
                     "INSERT INTO entity(list, id, version, branch, base_version, label, bytes, written_utc_ms, "
                     "trunk_version, written) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                     "1 + (SELECT coalesce(max(written), 0) FROM entity WHERE list = ?1 AND id = ?2))",
                     "ssisisbii", entity->list, entity->id, entity->version, entity->branch, entity->base_version,
                     entity->label, entity->bytes, store_now(store), entity->trunk_version);
  if (status != CQ_OK) return status;
  return store_run(store, error,
                   "INSERT INTO entity_newest(list, id, label, version, branch) VALUES (?1, ?2, ?3, ?4, ?5) "
                   "ON CONFLICT(list, id) DO UPDATE SET label = excluded.label, version = excluded.version, "
                   "branch = excluded.branch WHERE excluded.version >= version",
                   "sssis", entity->list, entity->id, entity->label, entity->version, entity->branch);
}

cq_status cq_store_entities_put(cq_store *store, const cq_store_entity *entities, size_t count, cq_error *error) {
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; status == CQ_OK && i < count; i++) status = entity_put(store, &entities[i], error);
  return store_end(store, status, error);
}

#define COLUMNS                                                                                                        \
  "SELECT e.list, e.id, e.label, e.version, e.branch, e.base_version, e.bytes, e.written_utc_ms, "                     \
  "e.trunk_version "

static cq_status each(query *ask, cq_store_entity_seen *seen, void *context, bool *any, cq_error *error) {
  cq_status status = CQ_OK;
  while (status == CQ_OK && query_row(ask)) {
    cq_store_entity entity = {.list = query_text(ask, 0),
                              .id = query_text(ask, 1),
                              .label = query_text(ask, 2),
                              .version = query_int(ask, 3),
                              .branch = query_text(ask, 4),
                              .base_version = query_int(ask, 5),
                              .bytes = query_bytes(ask, 6),
                              .written_utc_ms = query_int(ask, 7),
                              .trunk_version = query_int(ask, 8)};
    *any = true;
    status = seen(context, &entity);
  }
  return query_end(ask, status, error);
}

cq_status cq_store_entities(cq_store *store, cq_str list, cq_store_entity_seen *seen, void *context, cq_error *error) {
  bool any = false;
  query ask = query_start(store,
                          COLUMNS "FROM entity_newest AS n JOIN entity AS e USING (list, id, version, branch) "
                                  "WHERE n.list = ?1 ORDER BY n.label, n.id",
                          "s", list);
  return each(&ask, seen, context, &any, error);
}

cq_status cq_store_entity_versions(cq_store *store, cq_str list, cq_str id, cq_store_entity_seen *seen, void *context,
                                   cq_error *error) {
  bool any = false;
  query ask =
      query_start(store, COLUMNS "FROM entity AS e WHERE list = ?1 AND id = ?2 ORDER BY written", "ss", list, id);
  cq_status status = each(&ask, seen, context, &any, error);
  return status == CQ_OK && !any ? cq_error_set(error, CQ_NOTFOUND, "store.entity.missing", NULL) : status;
}
