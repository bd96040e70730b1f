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
  cq_str label, branch, properties;
} own;

static cq_status see_last(void *context, const cq_store_entity *row) {
  own *last = context;
  last->any = true;
  last->version = row->version;
  last->trunk = row->trunk_version;
  last->label = cq_arena_copy(last->arena, row->label);
  last->branch = cq_arena_copy(last->arena, row->branch);
  last->properties = cq_arena_copy(last->arena, row->bytes);
  return last->label.at && last->branch.at && last->properties.at ? CQ_OK : CQ_NOMEM;
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

/* A row of names and one of values. */
typedef struct pairs {
  const cq_str *names, *values;
  size_t count;
} pairs;

static const cq_str *copy_fields(cq_arena *arena, const cq_str *fields, size_t count) {
  cq_str *copies = cq_arena_array(arena, count + 1, sizeof *copies);
  for (size_t i = 0; copies && i < count; i++) {
    copies[i] = cq_arena_copy(arena, fields[i]);
    if (!copies[i].at) return NULL;
  }
  return copies;
}

/* The office's row of an entity. */
typedef struct listing {
  bool there;
  int64_t version;
  pairs row;
} listing;

static cq_status find_row(cq_csv *csv, cq_str id, cq_arena *arena, listing *found, cq_error *error) {
  const cq_str *fields;
  size_t count = 0;
  cq_status status = cq_csv_next(csv, &fields, &count, error);
  if (status != CQ_OK) return status;
  size_t name = column_of(fields, count, CQ_ROSTER_ID), at = column_of(fields, count, CQ_ROSTER_VERSION);
  size_t columns = count;
  found->row.names = copy_fields(arena, fields, count);
  while (!found->there && status == CQ_OK && count > 0) {
    status = cq_csv_next(csv, &fields, &count, error);
    if (status != CQ_OK || name >= count || !cq_str_equal(fields[name], id)) continue;
    found->there = true;
    found->row.values = copy_fields(arena, fields, count);
    found->row.count = count < columns ? count : columns;
    if (at < count) found->version = cq_roster_version(fields[at]);
  }
  bool copied = found->row.names && (!found->there || found->row.values);
  return status == CQ_OK && !copied ? cq_error_nomem(error) : status;
}

static cq_status find_listed(const changes *it, const cq_entity *entity, listing *found, cq_error *error) {
  cq_buf name = {0}, bytes = {0};
  *found = (listing){0};
  cq_buf_add_str(&name, entity->list);
  cq_buf_add_text(&name, ".csv");
  cq_status status = name.failed ? cq_error_nomem(error) : cq_store_list_bytes(it->store, name.at, &bytes, error);
  if (status == CQ_OK) {
    cq_csv *csv = cq_csv_new(cq_buf_str(&bytes), 0);
    status = csv ? find_row(csv, entity->id, it->arena, found, error) : cq_error_nomem(error);
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

/* The next version over what stands; its properties are the caller's. */
static cq_status next_row(const changes *it, const cq_entity *entity, const own *before, const listing *listed,
                          cq_store_entity *row, cq_error *error) {
  bool ours = before->any && before->version >= listed->version;
  bool ahead = ours && before->version > listed->version; /* the branch goes on */
  int64_t version = ours ? before->version : listed->version, trunk = ahead ? before->trunk : listed->version;
  cq_roster_branch branch =
      cq_roster_branch_of(it->device, entity->list, entity->id, trunk, ahead ? before->branch : CQ_STR(""));
  *row = (cq_store_entity){.list = entity->list,
                           .id = entity->id,
                           .label = entity->label,
                           .version = version + 1,
                           .branch = cq_arena_copy(it->arena, cq_str_from(branch.text)),
                           .base_version = version,
                           .trunk_version = trunk};
  return row->branch.at ? CQ_OK : cq_error_nomem(error);
}

static cq_status change_one(changes *it, const cq_entity *entity, cq_error *error) {
  own before;
  listing listed;
  cq_store_entity row;
  cq_status status = find_own(it, entity, &before, error);
  if (status == CQ_OK) status = find_listed(it, entity, &listed, error);
  if (status != CQ_OK) return status;
  if (!before.any && !listed.there && !(entity->action & CQ_ENTITY_CREATE)) return CQ_OK;
  bool ours = before.any && before.version >= listed.version;
  status = next_row(it, entity, &before, &listed, &row, error);
  if (status == CQ_OK) status = properties_of(it, entity, ours ? before.properties : CQ_STR(""), &row.bytes, error);
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

/* --- the change that a correction makes --- */

static cq_status read_pairs(cq_arena *arena, cq_str csv_bytes, pairs *out, cq_error *error) {
  const cq_str *fields;
  size_t count = 0, values = 0;
  *out = (pairs){0};
  cq_csv *csv = cq_csv_new(csv_bytes, ',');
  cq_status status = csv ? cq_csv_next(csv, &fields, &count, error) : cq_error_nomem(error);
  if (status == CQ_OK) out->names = copy_fields(arena, fields, count);
  if (status == CQ_OK && count > 0) status = cq_csv_next(csv, &fields, &values, error);
  if (status == CQ_OK) out->values = copy_fields(arena, fields, values);
  if (status == CQ_OK && (!out->names || !out->values)) status = cq_error_nomem(error);
  if (status == CQ_OK) out->count = count < values ? count : values;
  cq_csv_free(csv);
  return status;
}

static const cq_str *value_in(const pairs *row, cq_str name) {
  for (size_t i = 0; i < row->count; i++)
    if (cq_str_equal(row->names[i], name)) return &row->values[i];
  return NULL;
}

static const cq_str *property_of(const cq_entity *entity, cq_str name) {
  for (size_t i = 0; entity && i < entity->property_count; i++)
    if (cq_str_equal(entity->properties[i].name, name)) return &entity->properties[i].value;
  return NULL;
}

static const cq_entity *entity_of(const cq_entities *entities, const cq_entity *like) {
  for (size_t i = 0; i < entities->count; i++) {
    const cq_entity *it = &entities->items[i];
    if (cq_str_equal(it->id, like->id) && cq_str_equal(it->list, like->list)) return it;
  }
  return NULL;
}

/* The version that a visit began from. */
typedef struct base {
  own row; /* first */
  int64_t version;
} base;

static cq_status see_base(void *context, const cq_store_entity *row) {
  base *it = context;
  return row->version == it->version ? see_last(&it->row, row) : CQ_OK;
}

typedef struct correction {
  const cq_entity *was, *is; /* is NULL: the correction no longer speaks of it */
  own now;
  listing listed;
  base base;
  pairs own, began; /* properties of the laptop's row and of the base */
  gathered all;
  bool changed;
} correction;

static cq_status read_correction(const changes *it, correction *c, cq_error *error) {
  c->base = (base){.row = {.arena = it->arena}, .version = c->was->base_version};
  cq_status status = find_own(it, c->was, &c->now, error);
  if (status == CQ_OK) status = find_listed(it, c->was, &c->listed, error);
  if (status == CQ_OK && c->now.any && c->now.version >= c->listed.version)
    status = read_pairs(it->arena, c->now.properties, &c->own, error);
  if (status == CQ_OK && c->base.version > 0)
    status = cq_store_entity_versions(it->store, c->was->list, c->was->id, see_base, &c->base, error);
  if (status == CQ_NOTFOUND) status = CQ_OK;
  if (status == CQ_OK && c->base.row.any) status = read_pairs(it->arena, c->base.row.properties, &c->began, error);
  return status;
}

/* What the roster is to say of a property from now on; NULL: what the office's list says. */
static const cq_str *corrected_value(const correction *c, cq_str name, const cq_str *mine) {
  const cq_str *was = property_of(c->was, name), *is = property_of(c->is, name);
  const cq_str *now = mine ? mine : value_in(&c->listed.row, name);
  if (!was) return is ? is : mine;
  if (is && cq_str_equal(*is, *was)) return mine;
  if (!now || !cq_str_equal(*now, *was)) return mine; /* another visit has spoken since */
  return is ? is : mine ? value_in(&c->began, name) : NULL;
}

static void put_value(correction *c, cq_str name) {
  const cq_str *mine = value_in(&c->own, name), *value = corrected_value(c, name, mine);
  if (value) add_property(&c->all, name, *value);
  c->changed |= (value != NULL) != (mine != NULL) || (value && !cq_str_equal(*value, *mine));
}

static cq_str corrected_label(const correction *c) {
  cq_str now = c->own.names ? c->now.label : CQ_STR("");
  if (c->is && cq_str_equal(c->is->label, c->was->label)) return now;
  if (now.size > 0 && !cq_str_equal(now, c->was->label)) return now;
  return c->is ? c->is->label : c->base.row.any ? c->base.row.label : now;
}

static cq_status correct_one(changes *it, const cq_entity *was, const cq_entity *is, cq_error *error) {
  correction c = {.was = was, .is = is};
  cq_store_entity row;
  cq_status status = read_correction(it, &c, error);
  if (status != CQ_OK || (!c.now.any && !c.listed.there)) return status;
  for (size_t i = 0; i < c.own.count; i++) put_value(&c, c.own.names[i]);
  for (size_t i = 0; is && i < is->property_count; i++)
    if (!value_in(&c.own, is->properties[i].name)) put_value(&c, is->properties[i].name);
  status = next_row(it, was, &c.now, &c.listed, &row, error);
  row.label = corrected_label(&c);
  c.changed |= !cq_str_equal(row.label, c.own.names ? c.now.label : CQ_STR(""));
  cq_csv_end_row(&c.all.names);
  cq_buf_add_str(&c.all.names, cq_buf_str(&c.all.values));
  cq_csv_end_row(&c.all.names);
  row.bytes = cq_arena_copy(it->arena, cq_buf_str(&c.all.names));
  if (status == CQ_OK && (c.all.names.failed || c.all.values.failed || !row.bytes.at)) status = cq_error_nomem(error);
  if (status == CQ_OK && c.changed) it->rows[it->count++] = row;
  cq_buf_fini_secret(&c.all.names);
  cq_buf_fini_secret(&c.all.values);
  return status;
}

cq_status cq_roster_corrections(cq_store *store, const cq_entities *before, const cq_entities *after, cq_arena *arena,
                                cq_store_entity **rows, size_t *count, cq_error *error) {
  changes it = {
      .store = store, .arena = arena, .rows = cq_arena_array(arena, before->count + after->count + 1, sizeof *it.rows)};
  cq_status status = it.rows ? cq_roster_device(store, it.device, error) : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < before->count; i++)
    status = correct_one(&it, &before->items[i], entity_of(after, &before->items[i]), error);
  for (size_t i = 0; status == CQ_OK && i < after->count; i++)
    if (!entity_of(before, &after->items[i])) status = change_one(&it, &after->items[i], error);
  if (status == CQ_NOMEM) cq_error_nomem(error);
  *rows = it.rows;
  *count = it.count;
  return status;
}
