/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, settings, and the devices this vault has been. */
#include "vault/store/store.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 64 };

int64_t store_now(const cq_store *store) {
  return store->clock->now_utc_ms(store->clock->context);
}

cq_status cq_store_open(cq_store **out, cq_vault *vault, const cq_clock *clock, cq_error *error) {
  *out = NULL;
  cq_store *store = calloc(1, sizeof *store);
  if (!store) return cq_error_nomem(error);
  store->vault = vault;
  store->clock = clock ? clock : &cq_clock_system;
  cq_status status = store_migrate(store, error);
  if (status != CQ_OK) {
    free(store);
    return status;
  }
  *out = store;
  return CQ_OK;
}

void cq_store_close(cq_store *store) {
  if (!store) return;
  cq_vault_close(store->vault);
  free(store);
}

cq_vault *cq_store_vault(cq_store *store) {
  return store->vault;
}

/* --- settings --- */

static cq_status check_key(const char *key, cq_error *error) {
  size_t size = strlen(key);
  if (size >= 1 && size <= KEY_MAX) return CQ_OK;
  return cq_error_set(error, CQ_INVALID, "store.setting.key", key, NULL);
}

cq_status cq_store_set(cq_store *store, const char *key, cq_str value, cq_error *error) {
  cq_status status = check_key(key, error);
  if (status == CQ_OK) status = store_too_long(value, CQ_STORE_VALUE_MAX, key, error);
  if (status != CQ_OK) return status;
  return store_run(store, error, "INSERT OR REPLACE INTO setting(key, value) VALUES (?1, ?2)", "zb", key, value);
}

cq_status cq_store_set_int(cq_store *store, const char *key, int64_t value, cq_error *error) {
  cq_status status = check_key(key, error);
  if (status != CQ_OK) return status;
  return store_run(store, error, "INSERT OR REPLACE INTO setting(key, value) VALUES (?1, ?2)", "zi", key, value);
}

cq_status cq_store_get(cq_store *store, const char *key, cq_buf *value, cq_error *error) {
  query ask = query_start(store, "SELECT value FROM setting WHERE key = ?1", "z", key);
  bool found = query_row(&ask);
  cq_status status = found ? store_copy(value, query_bytes(&ask, 0), error) : CQ_OK;
  status = query_end(&ask, status, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.setting.missing", key, NULL) : status;
}

cq_status cq_store_get_int(cq_store *store, const char *key, int64_t *value, cq_error *error) {
  query ask = query_start(store, "SELECT value FROM setting WHERE key = ?1 AND typeof(value) = 'integer'", "z", key);
  bool found = query_row(&ask);
  if (found) *value = query_int(&ask, 0);
  cq_status status = query_end(&ask, CQ_OK, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.setting.missing", key, NULL) : status;
}

/* --- the device --- */

cq_status cq_store_device_get(cq_store *store, cq_store_device *device, cq_error *error) {
  query ask = query_start(store,
                          "SELECT programme, practice, id, predecessor, number, begun_utc_ms, last_batch, last_hash, "
                          "vault_id FROM device ORDER BY begun DESC LIMIT 1",
                          "");
  memset(device, 0, sizeof *device);
  bool found = query_row(&ask);
  if (found) {
    uint8_t vault_id[CQ_VAULT_ID_SIZE];
    query_hash(&ask, 0, device->programme);
    device->practice = query_int(&ask, 1) != 0;
    query_hash(&ask, 2, device->id);
    query_hash(&ask, 3, device->predecessor);
    device->number = query_int(&ask, 4);
    device->begun_utc_ms = query_int(&ask, 5);
    device->last_batch = query_int(&ask, 6);
    query_hash(&ask, 7, device->last_hash);
    query_hash(&ask, 8, vault_id);
    device->copied = memcmp(vault_id, cq_vault_id(store->vault), sizeof vault_id) != 0;
  }
  cq_status status = query_end(&ask, CQ_OK, error);
  return status == CQ_OK && !found ? cq_error_set(error, CQ_NOTFOUND, "store.device.missing", NULL) : status;
}

/* A vault is real or practice, and of one programme, for ever. */
static cq_status may_begin(cq_store *store, const cq_store_device *device, cq_error *error) {
  cq_store_device before;
  int64_t same = 0;
  cq_status status = cq_store_device_get(store, &before, error);
  if (status == CQ_NOTFOUND) return CQ_OK;
  if (status != CQ_OK) return status;
  if (before.practice != device->practice) return cq_error_set(error, CQ_REFUSED, "store.device.mode", NULL);
  if (memcmp(before.programme, device->programme, sizeof before.programme) != 0)
    return cq_error_set(error, CQ_REFUSED, "store.device.programme", NULL);
  status = store_number(store, &same, 0, error, "SELECT count(*) FROM device WHERE id = ?1", "h", device->id);
  return status == CQ_OK && same ? cq_error_set(error, CQ_REFUSED, "store.device.exists", NULL) : status;
}

cq_status cq_store_device_begin(cq_store *store, const cq_store_device *device, const cq_store_secret *secrets,
                                size_t count, cq_error *error) {
  const uint8_t *predecessor = hash_is_zero(device->predecessor) ? NULL : device->predecessor;
  cq_status status = store_begin(store, error);
  if (status != CQ_OK) return status;
  status = may_begin(store, device, error);
  if (status == CQ_OK)
    status = store_run(store, error,
                       "INSERT INTO device(id, vault_id, programme, practice, predecessor, number, begun_utc_ms) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                       "hhhihii", device->id, cq_vault_id(store->vault), device->programme, (int64_t)device->practice,
                       predecessor, device->number, store_now(store));
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    if (secrets[i].size > CQ_STORE_SECRET_MAX) {
      status = cq_error_set(error, CQ_LIMIT, "store.secret", secrets[i].name, NULL);
      break;
    }
    status = store_run(store, error, "INSERT INTO secret(device, name, bytes) SELECT max(begun), ?1, ?2 FROM device",
                       "zb", secrets[i].name, (cq_str){(const char *)secrets[i].bytes, secrets[i].size});
  }
  cq_store_event event = {.what = CQ_STR("device"), .device_utc_ms = store_now(store)};
  if (status == CQ_OK) status = trail_append(store, &event, CQ_STR(""), 0, NULL, error);
  return store_end(store, status, error);
}

cq_status cq_store_device_number(cq_store *store, int64_t number, cq_error *error) {
  return store_run(store, error, "UPDATE device SET number = ?1 WHERE begun = (SELECT max(begun) FROM device)", "i",
                   number);
}

cq_status cq_store_secret_get(cq_store *store, const char *name, uint8_t *out, size_t size, cq_error *error) {
  query ask = query_start(
      store, "SELECT bytes FROM secret WHERE name = ?1 AND device = (SELECT max(begun) FROM device)", "z", name);
  cq_str bytes = query_row(&ask) ? query_bytes(&ask, 0) : (cq_str){NULL, 0};
  bool good = bytes.at && bytes.size == size;
  if (good) memcpy(out, bytes.at, size);
  cq_status status = query_end(&ask, CQ_OK, error);
  return status == CQ_OK && !good ? cq_error_set(error, CQ_NOTFOUND, "store.secret", name, NULL) : status;
}

cq_status cq_store_remove_slot(cq_store *store, uint32_t slot, cq_error *error) {
  return cq_vault_remove_slot(store->vault, slot, error);
}
