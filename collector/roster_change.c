/* SPDX-License-Identifier: Apache-2.0 */
/* What a finished record changes in the lists: properties as CSV, a row of names and a row of values. */
#include "collector/roster.h"

#include "chasqui/csv.h"
#include "chasqui/keys.h"

#include <stdio.h>
#include <string.h>

int64_t cq_roster_version(cq_str text) {
  int64_t version = 0;
  return cq_str_int64(text, &version) && version > 0 ? version : 0;
}

cq_status cq_roster_device(cq_store *store, uint8_t device[CQ_STORE_DEVICE_ID], cq_error *error) {
  cq_store_device now;
  cq_status status = cq_store_device_get(store, &now, error);
  memset(device, 0, CQ_STORE_DEVICE_ID);
  if (status == CQ_OK) memcpy(device, now.id, CQ_STORE_DEVICE_ID);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

cq_roster_branch cq_roster_branch_of(const uint8_t device[CQ_STORE_DEVICE_ID], cq_str list, cq_str id, int64_t trunk,
                                     cq_str kept) {
  cq_roster_branch branch = {{0}};
  if (kept.size > 0 && kept.size < sizeof branch.text) {
    memcpy(branch.text, kept.at, kept.size);
    return branch;
  }
  cq_hash parts[3] = {cq_hash_of(device, CQ_STORE_DEVICE_ID), cq_hash_of(list.at, list.size),
                      cq_hash_of(id.at, id.size)};
  uint8_t all[sizeof parts + 8];
  memcpy(all, parts, sizeof parts);
  for (int i = 0; i < 8; i++) all[sizeof parts + (size_t)i] = (uint8_t)((uint64_t)trunk >> (8 * i));
  cq_hash made = cq_hash_of(all, sizeof all);
  uint8_t *at = made.at;
  at[6] = (uint8_t)((at[6] & 0x0f) | 0x40);
  at[8] = (uint8_t)((at[8] & 0x3f) | 0x80);
  snprintf(branch.text, sizeof branch.text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
           at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9], at[10], at[11], at[12], at[13], at[14],
           at[15]);
  return branch;
}

/* --- what is known before the change --- */

typedef struct changes {
  cq_store *store;
  cq_arena *arena;
  uint8_t device[CQ_STORE_DEVICE_ID];
  cq_store_entity *rows;
  size_t count;
} changes;

/* The laptop's own row of an entity. */
typedef struct own {
  cq_arena *arena;
  bool any;
  int64_t version, trunk;
  cq_str branch, properties;
} own;

static cq_status see_last(void *context, const cq_store_entity *row) {
  own *last = context;
  last->any = true;
  last->version = row->version;
  last->trunk = row->trunk_version;
  last->branch = cq_arena_copy(last->arena, row->branch);
  last->properties = cq_arena_copy(last->arena, row->bytes);
  return last->branch.at && last->properties.at ? CQ_OK : CQ_NOMEM;
}

/* Of this record where it changed the same entity already, else of the store. */
static cq_status find_own(const changes *it, const cq_entity *entity, own *found, cq_error *error) {
  *found = (own){.arena = it->arena};
  for (size_t i = it->count; i > 0; i--) {
    const cq_store_entity *row = &it->rows[i - 1];
    if (cq_str_equal(row->id, entity->id) && cq_str_equal(row->list, entity->list)) return see_last(found, row);
  }
  cq_status status = cq_store_entity_versions(it->store, entity->list, entity->id, see_last, found, error);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

static size_t column_of(const cq_str *head, size_t count, const char *name) {
  size_t at = 0;
  while (at < count && !cq_str_is(head[at], name)) at++;
  return at < count ? at : SIZE_MAX;
}

static cq_status find_row(cq_csv *csv, cq_str id, bool *there, int64_t *version, cq_error *error) {
  const cq_str *fields;
  size_t count = 0;
  cq_status status = cq_csv_next(csv, &fields, &count, error);
  if (status != CQ_OK) return status;
  size_t name = column_of(fields, count, CQ_ROSTER_ID), at = column_of(fields, count, CQ_ROSTER_VERSION);
  while (!*there && status == CQ_OK && count > 0) {
    status = cq_csv_next(csv, &fields, &count, error);
    if (status != CQ_OK || name >= count || !cq_str_equal(fields[name], id)) continue;
    *there = true;
    if (at < count) *version = cq_roster_version(fields[at]);
  }
  return status;
}

static cq_status find_listed(const changes *it, const cq_entity *entity, bool *there, int64_t *version,
                             cq_error *error) {
  cq_buf name = {0}, bytes = {0};
  *there = false;
  *version = 0;
  cq_buf_add_str(&name, entity->list);
  cq_buf_add_text(&name, ".csv");
  cq_status status = name.failed ? cq_error_nomem(error) : cq_store_list_bytes(it->store, name.at, &bytes, error);
  if (status == CQ_OK) {
    cq_csv *csv = cq_csv_new(cq_buf_str(&bytes), 0);
    status = csv ? find_row(csv, entity->id, there, version, error) : cq_error_nomem(error);
    cq_csv_free(csv);
  }
  cq_buf_fini(&name);
  cq_buf_fini_secret(&bytes);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

/* --- its properties after the change: those it names, and the others as they were --- */

typedef struct gathered {
  cq_buf names, values;
} gathered;

static bool names_it(const cq_entity *entity, cq_str name) {
  for (size_t p = 0; p < entity->property_count; p++) {
    if (cq_str_equal(entity->properties[p].name, name)) return true;
  }
  return false;
}

static void add_property(gathered *all, cq_str name, cq_str value) {
  cq_csv_add_field(&all->values, all->names.size == 0, value, false);
  cq_csv_add_field(&all->names, all->names.size == 0, name, false);
}

static cq_status add_earlier(const cq_entity *entity, cq_str earlier, gathered *all, cq_error *error) {
  const cq_str *name, *value;
  size_t count = 0, value_count = 0;
  cq_csv *names = cq_csv_new(earlier, ','), *values = cq_csv_new(earlier, ',');
  cq_status status = names && values ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_csv_next(names, &name, &count, error);
  for (int row = 0; status == CQ_OK && row < 2; row++) status = cq_csv_next(values, &value, &value_count, error);
  for (size_t i = 0; status == CQ_OK && i < count && i < value_count; i++)
    if (!names_it(entity, name[i])) add_property(all, name[i], value[i]);
  cq_csv_free(names);
  cq_csv_free(values);
  return status;
}

static cq_status properties_of(const changes *it, const cq_entity *entity, cq_str earlier, cq_str *out,
                               cq_error *error) {
  gathered all = {0};
  cq_status status = CQ_OK;
  for (size_t p = 0; p < entity->property_count; p++)
    add_property(&all, entity->properties[p].name, entity->properties[p].value);
  if (earlier.size > 0) status = add_earlier(entity, earlier, &all, error);
  cq_csv_end_row(&all.names);
  cq_buf_add_str(&all.names, cq_buf_str(&all.values));
  cq_csv_end_row(&all.names);
  if (status == CQ_OK && !all.names.failed && !all.values.failed)
    *out = cq_arena_copy(it->arena, cq_buf_str(&all.names));
  if (status == CQ_OK && !out->at) status = cq_error_nomem(error);
  cq_buf_fini_secret(&all.names);
  cq_buf_fini_secret(&all.values);
  return status;
}

/* --- the change --- */

static cq_status change_one(changes *it, const cq_entity *entity, cq_error *error) {
  own before;
  bool listed;
  int64_t listed_version;
  cq_status status = find_own(it, entity, &before, error);
  if (status == CQ_OK) status = find_listed(it, entity, &listed, &listed_version, error);
  if (status != CQ_OK) return status;
  if (!before.any && !listed && !(entity->action & CQ_ENTITY_CREATE)) return CQ_OK;

  bool ours = before.any && before.version >= listed_version;
  bool ahead = ours && before.version > listed_version; /* the branch goes on */
  int64_t version = ours ? before.version : listed_version, trunk = ahead ? before.trunk : listed_version;
  cq_roster_branch branch =
      cq_roster_branch_of(it->device, entity->list, entity->id, trunk, ahead ? before.branch : CQ_STR(""));
  cq_store_entity row = {.list = entity->list,
                         .id = entity->id,
                         .label = entity->label,
                         .version = version + 1,
                         .branch = cq_arena_copy(it->arena, cq_str_from(branch.text)),
                         .base_version = version,
                         .trunk_version = trunk};
  if (!row.branch.at) return cq_error_nomem(error);
  status = properties_of(it, entity, ours ? before.properties : CQ_STR(""), &row.bytes, error);
  if (status == CQ_OK) it->rows[it->count++] = row;
  return status;
}

cq_status cq_roster_changes(cq_store *store, const cq_entities *entities, cq_arena *arena, cq_store_entity **rows,
                            size_t *count, cq_error *error) {
  changes it = {.store = store, .arena = arena, .rows = cq_arena_array(arena, entities->count + 1, sizeof *it.rows)};
  cq_status status = it.rows ? cq_roster_device(store, it.device, error) : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < entities->count; i++) status = change_one(&it, &entities->items[i], error);
  if (status == CQ_NOMEM) cq_error_nomem(error);
  *rows = it.rows;
  *count = it.count;
  return status;
}
