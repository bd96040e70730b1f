/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/roster.h"

#include "chasqui/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of every entity list, as ODK names them. */
#define COLUMN_ID "name"
#define COLUMN_LABEL "label"
#define COLUMN_VERSION "__version"

/* --- keeping: properties as CSV, a row of names and a row of values --- */

static cq_status put_entity(cq_store *store, const cq_entity *entity, cq_str properties, cq_error *error) {
  enum { TRIES = 64 }; /* records made from the same row of the bundle: each is a later version */
  cq_store_entity row = {.list = entity->list,
                         .id = entity->id,
                         .label = entity->label,
                         .base_version = entity->base_version,
                         .bytes = properties};
  cq_error why;
  cq_status status = CQ_OK;
  cq_error_clear(&why);
  for (int i = 1; i <= TRIES; i++) {
    row.version = entity->base_version + i;
    status = cq_store_entities_put(store, &row, 1, &why);
    if (status == CQ_OK || !why.code || strcmp(why.code, "store.entity.fork") != 0) break;
  }
  if (status != CQ_OK && error) *error = why;
  return status;
}

/* What an entity's properties are after a change: those it names, and the others as they were. */
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

static cq_status see_last(void *context, const cq_store_entity *version) {
  cq_buf_reset(context);
  cq_buf_add_str(context, version->bytes);
  return CQ_OK;
}

static cq_status add_earlier(cq_store *store, const cq_entity *entity, gathered *all, cq_error *error) {
  cq_buf last = {0};
  cq_csv *names = NULL, *values = NULL;
  const cq_str *name, *value;
  size_t count = 0, value_count = 0;
  cq_status status = cq_store_entity_versions(store, entity->list, entity->id, see_last, &last, error);
  if (status != CQ_OK) return status == CQ_NOTFOUND ? CQ_OK : status;
  names = cq_csv_new(cq_buf_str(&last), ',');
  values = cq_csv_new(cq_buf_str(&last), ',');
  if (last.failed || !names || !values) status = cq_error_nomem(error);
  if (status == CQ_OK) status = cq_csv_next(names, &name, &count, error);
  for (int row = 0; status == CQ_OK && row < 2; row++) status = cq_csv_next(values, &value, &value_count, error);
  for (size_t i = 0; status == CQ_OK && i < count && i < value_count; i++)
    if (!names_it(entity, name[i])) add_property(all, name[i], value[i]);
  cq_csv_free(names);
  cq_csv_free(values);
  cq_buf_fini_secret(&last);
  return status;
}

static cq_status keep_entity(cq_store *store, const cq_entity *entity, cq_error *error) {
  gathered all = {0};
  for (size_t p = 0; p < entity->property_count; p++)
    add_property(&all, entity->properties[p].name, entity->properties[p].value);
  cq_status status = add_earlier(store, entity, &all, error);
  cq_csv_end_row(&all.names);
  cq_buf_add_str(&all.names, cq_buf_str(&all.values));
  cq_csv_end_row(&all.names);
  if (status == CQ_OK && (all.names.failed || all.values.failed)) status = cq_error_nomem(error);
  if (status == CQ_OK) status = put_entity(store, entity, cq_buf_str(&all.names), error);
  cq_buf_fini_secret(&all.names);
  cq_buf_fini_secret(&all.values);
  return status;
}

cq_status cq_roster_keep(cq_store *store, const cq_entities *entities, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < entities->count; i++)
    status = keep_entity(store, &entities->items[i], error);
  return status;
}

/* --- the laptop's own rows --- */

typedef struct own_row {
  cq_str id, label;
  int64_t version;
  const cq_str *names, *values; /* of properties */
  size_t count;
  bool used; /* overlaid on a row of the bundle */
} own_row;

typedef struct merge {
  cq_arena *arena;
  own_row *own;
  size_t own_count, own_room;
  cq_str *columns;
  size_t column_count;
  cq_buf *out;
} merge;

static bool copy_fields(cq_arena *arena, const cq_str *fields, size_t count, const cq_str **out) {
  cq_str *copied = cq_arena_array(arena, count + 1, sizeof *copied);
  if (!copied) return false;
  for (size_t i = 0; i < count; i++) {
    copied[i] = cq_arena_copy(arena, fields[i]);
    if (!copied[i].at) return false;
  }
  *out = copied;
  return true;
}

static bool read_properties(merge *it, cq_str bytes, own_row *row) {
  const cq_str *fields;
  size_t count = 0, values = 0;
  cq_csv *csv = cq_csv_new(bytes, ',');
  bool right =
      csv && cq_csv_next(csv, &fields, &count, NULL) == CQ_OK && copy_fields(it->arena, fields, count, &row->names);
  if (right && count > 0)
    right = cq_csv_next(csv, &fields, &values, NULL) == CQ_OK && values == count &&
            copy_fields(it->arena, fields, values, &row->values);
  row->count = right ? count : 0;
  cq_csv_free(csv);
  return right;
}

static cq_status see_own(void *context, const cq_store_entity *entity) {
  merge *it = context;
  if (it->own_count == it->own_room) {
    size_t room = it->own_room ? it->own_room * 2 : 64;
    own_row *more = realloc(it->own, room * sizeof *more);
    if (!more) return CQ_NOMEM;
    it->own = more;
    it->own_room = room;
  }
  own_row *row = &it->own[it->own_count];
  *row = (own_row){.id = cq_arena_copy(it->arena, entity->id),
                   .label = cq_arena_copy(it->arena, entity->label),
                   .version = entity->version};
  if (!row->id.at || !row->label.at || !read_properties(it, entity->bytes, row)) return CQ_NOMEM;
  it->own_count++;
  return CQ_OK;
}

static int by_id(const void *a, const void *b) {
  return cq_str_compare(((const own_row *)a)->id, ((const own_row *)b)->id);
}

static own_row *own_of(const merge *it, cq_str id) {
  own_row key = {.id = id};
  return it->own_count > 0 ? bsearch(&key, it->own, it->own_count, sizeof *it->own, by_id) : NULL;
}

/* --- columns: the bundle's, then those that only this laptop has --- */

static size_t column_of(const merge *it, cq_str name) {
  for (size_t i = 0; i < it->column_count; i++) {
    if (cq_str_equal(it->columns[i], name)) return i;
  }
  return SIZE_MAX;
}

static bool add_column(merge *it, cq_str name) {
  if (column_of(it, name) != SIZE_MAX) return true;
  cq_str *more = realloc(it->columns, (it->column_count + 1) * sizeof *more);
  if (!more) return false;
  it->columns = more;
  more[it->column_count] = cq_arena_copy(it->arena, name);
  return more[it->column_count++].at != NULL;
}

static bool gather_columns(merge *it, const cq_str *head, size_t count) {
  bool right = true;
  for (size_t i = 0; right && i < count; i++) right = add_column(it, head[i]);
  if (right)
    right = add_column(it, CQ_STR(COLUMN_ID)) && add_column(it, CQ_STR(COLUMN_LABEL)) &&
            add_column(it, CQ_STR(COLUMN_VERSION));
  for (size_t i = 0; right && i < it->own_count; i++) {
    for (size_t p = 0; right && p < it->own[i].count; p++) right = add_column(it, it->own[i].names[p]);
  }
  return right;
}

/* --- writing --- */

static cq_str own_value(const own_row *row, cq_str column, cq_str otherwise, char version[24]) {
  if (cq_str_is(column, COLUMN_ID)) return row->id;
  if (cq_str_is(column, COLUMN_LABEL)) return row->label.size > 0 ? row->label : otherwise;
  if (cq_str_is(column, COLUMN_VERSION)) {
    snprintf(version, 24, "%lld", (long long)row->version);
    return cq_str_from(version);
  }
  for (size_t p = 0; p < row->count; p++) {
    if (cq_str_equal(row->names[p], column)) return row->values[p];
  }
  return otherwise;
}

static void write_row(merge *it, const cq_str *fields, size_t count, const own_row *own) {
  char version[24];
  for (size_t c = 0; c < it->column_count; c++) {
    cq_str field = c < count ? fields[c] : CQ_STR("");
    cq_csv_add_field(it->out, c == 0, own ? own_value(own, it->columns[c], field, version) : field, false);
  }
  cq_csv_end_row(it->out);
}

/* A row of the bundle, under what this laptop knows of the same thing where that is not older. */
static void overlay(merge *it, const cq_str *fields, size_t count) {
  int64_t version = 0;
  size_t id = column_of(it, CQ_STR(COLUMN_ID)), at = column_of(it, CQ_STR(COLUMN_VERSION));
  own_row *own = id < count ? own_of(it, fields[id]) : NULL;
  if (own) own->used = true;
  if (at < count) (void)cq_str_int64(fields[at], &version);
  write_row(it, fields, count, own && own->version >= version ? own : NULL);
}

static cq_status merge_rows(merge *it, cq_str csv_bytes, cq_error *error) {
  const cq_str *fields = NULL;
  size_t count = 0;
  cq_csv *csv = cq_csv_new(csv_bytes, 0);
  cq_status status = csv ? cq_csv_next(csv, &fields, &count, error) : cq_error_nomem(error);
  if (status == CQ_OK && !gather_columns(it, fields, count)) status = cq_error_nomem(error);
  if (status == CQ_OK) write_row(it, it->columns, it->column_count, NULL);
  while (status == CQ_OK && count > 0) { /* NOLINT(clang-analyzer-unix.Malloc): it.columns is the caller's to free */
    status = cq_csv_next(csv, &fields, &count, error);
    if (status == CQ_OK && count > 0) overlay(it, fields, count);
  }
  for (size_t i = 0; status == CQ_OK && i < it->own_count; i++) {
    if (!it->own[i].used) write_row(it, NULL, 0, &it->own[i]);
  }
  cq_csv_free(csv);
  return status == CQ_OK && it->out->failed ? cq_error_nomem(error) : status;
}

cq_status cq_roster_list(cq_store *store, const char *file, cq_buf *out, cq_error *error) {
  cq_buf bundled = {0};
  merge it = {.arena = cq_arena_new(0), .out = out};
  size_t size = strlen(file);
  bool csv = size > 4 && strcmp(file + size - 4, ".csv") == 0;
  cq_status status = it.arena ? CQ_OK : cq_error_nomem(error);
  cq_buf_reset(out);
  if (status == CQ_OK && csv) status = cq_store_entities(store, (cq_str){file, size - 4}, see_own, &it, error);
  if (status == CQ_OK) status = cq_store_list_bytes(store, file, &bundled, error);
  if (status == CQ_NOTFOUND && it.own_count > 0) status = CQ_OK;
  if (status == CQ_OK && it.own_count > 0) {
    qsort(it.own, it.own_count, sizeof *it.own, by_id);
    status = merge_rows(&it, cq_buf_str(&bundled), error);
  } else if (status == CQ_OK) {
    cq_buf_add_str(out, cq_buf_str(&bundled));
    if (out->failed) status = cq_error_nomem(error);
  }
  cq_buf_fini_secret(&bundled);
  free(it.own);
  free(it.columns);
  cq_arena_free(it.arena);
  return status;
}
