/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/roster.h"

#include "chasqui/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the laptop's own rows --- */

typedef struct own_row {
  cq_str id, label, branch;
  int64_t version, trunk;
  const cq_str *names, *values; /* of properties */
  size_t count;
  bool used; /* overlaid on a row of the bundle */
} own_row;

typedef struct merge {
  cq_arena *arena;
  uint8_t device[CQ_STORE_DEVICE_ID];
  cq_str list;
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
                   .branch = cq_arena_copy(it->arena, entity->branch),
                   .version = entity->version,
                   .trunk = entity->trunk_version};
  if (!row->id.at || !row->label.at || !row->branch.at || !read_properties(it, entity->bytes, row)) return CQ_NOMEM;
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
    right = add_column(it, CQ_STR(CQ_ROSTER_ID)) && add_column(it, CQ_STR(CQ_ROSTER_LABEL)) &&
            add_column(it, CQ_STR(CQ_ROSTER_VERSION)) && add_column(it, CQ_STR(CQ_ROSTER_TRUNK)) &&
            add_column(it, CQ_STR(CQ_ROSTER_BRANCH));
  for (size_t i = 0; right && i < it->own_count; i++) {
    for (size_t p = 0; right && p < it->own[i].count; p++) right = add_column(it, it->own[i].names[p]);
  }
  return right;
}

/* --- writing --- */

/* What the list says of one thing: its row of the bundle, under what this laptop has of it where that is not older. */
typedef struct shown {
  const cq_str *fields; /* of the bundle's row */
  size_t count;
  const own_row *own; /* NULL: none, or older */
  cq_str id;
  int64_t version, trunk;
  cq_roster_branch branch;
} shown;

static cq_str number_text(int64_t number, char text[24]) {
  snprintf(text, 24, "%lld", (long long)number);
  return cq_str_from(text);
}

static cq_str shown_value(const shown *row, cq_str column, cq_str listed, char number[24]) {
  const own_row *own = row->own;
  if (cq_str_is(column, CQ_ROSTER_TRUNK)) return row->trunk > 0 ? number_text(row->trunk, number) : CQ_STR("");
  if (cq_str_is(column, CQ_ROSTER_BRANCH)) return cq_str_from(row->branch.text);
  if (!own) return listed;
  if (cq_str_is(column, CQ_ROSTER_ID)) return own->id;
  if (cq_str_is(column, CQ_ROSTER_LABEL)) return own->label.size > 0 ? own->label : listed;
  if (cq_str_is(column, CQ_ROSTER_VERSION)) return number_text(own->version, number);
  for (size_t p = 0; p < own->count; p++) {
    if (cq_str_equal(own->names[p], column)) return own->values[p];
  }
  return listed;
}

static void write_row(merge *it, shown *row, int64_t listed_version) {
  char number[24];
  cq_str kept = CQ_STR("");
  bool ahead = row->own && row->own->version > listed_version;
  row->trunk = ahead ? row->own->trunk : listed_version;
  if (ahead) kept = row->own->branch;
  row->branch = cq_roster_branch_of(it->device, it->list, row->id, row->trunk, kept);
  for (size_t c = 0; c < it->column_count; c++) {
    cq_str listed = c < row->count ? row->fields[c] : CQ_STR("");
    cq_csv_add_field(it->out, c == 0, shown_value(row, it->columns[c], listed, number), false);
  }
  cq_csv_end_row(it->out);
}

static void write_head(merge *it) {
  for (size_t c = 0; c < it->column_count; c++) cq_csv_add_field(it->out, c == 0, it->columns[c], false);
  cq_csv_end_row(it->out);
}

static void write_listed(merge *it, const cq_str *fields, size_t count) {
  size_t id = column_of(it, CQ_STR(CQ_ROSTER_ID)), at = column_of(it, CQ_STR(CQ_ROSTER_VERSION));
  int64_t version = at < count ? cq_roster_version(fields[at]) : 0;
  own_row *own = id < count ? own_of(it, fields[id]) : NULL;
  if (own) own->used = true;
  shown row = {.fields = fields, .count = count, .own = own && own->version >= version ? own : NULL};
  if (id < count) row.id = fields[id];
  write_row(it, &row, version);
}

static void write_own(merge *it, const own_row *own) {
  shown row = {.own = own, .id = own->id};
  write_row(it, &row, 0);
}

static cq_status merge_rows(merge *it, cq_str csv_bytes, cq_error *error) {
  const cq_str *fields = NULL;
  size_t count = 0;
  cq_csv *csv = cq_csv_new(csv_bytes, 0);
  cq_status status = csv ? cq_csv_next(csv, &fields, &count, error) : cq_error_nomem(error);
  if (status == CQ_OK && !gather_columns(it, fields, count)) status = cq_error_nomem(error);
  if (status == CQ_OK) write_head(it);
  while (status == CQ_OK && count > 0) { /* NOLINT(clang-analyzer-unix.Malloc): it.columns is the caller's to free */
    status = cq_csv_next(csv, &fields, &count, error);
    if (status == CQ_OK && count > 0) write_listed(it, fields, count);
  }
  for (size_t i = 0; status == CQ_OK && i < it->own_count; i++) {
    if (!it->own[i].used) write_own(it, &it->own[i]);
  }
  cq_csv_free(csv);
  return status == CQ_OK && it->out->failed ? cq_error_nomem(error) : status;
}

/* A list of entities has versions; a list of choices is given as it is. */
static bool has_versions(cq_str bytes) {
  const cq_str *fields;
  size_t count = 0;
  bool found = false;
  cq_csv *csv = cq_csv_new(bytes, 0);
  if (csv && cq_csv_next(csv, &fields, &count, NULL) == CQ_OK)
    for (size_t i = 0; i < count; i++) found |= cq_str_is(fields[i], CQ_ROSTER_VERSION);
  cq_csv_free(csv);
  return found;
}

cq_status cq_roster_list(cq_store *store, const char *file, cq_buf *out, cq_error *error) {
  cq_buf bundled = {0};
  merge it = {.arena = cq_arena_new(0), .out = out};
  size_t size = strlen(file);
  bool csv = size > 4 && strcmp(file + size - 4, ".csv") == 0;
  cq_status status = it.arena ? CQ_OK : cq_error_nomem(error);
  cq_buf_reset(out);
  if (csv) it.list = (cq_str){file, size - 4};
  if (status == CQ_OK) status = cq_roster_device(store, it.device, error);
  if (status == CQ_OK && csv) status = cq_store_entities(store, it.list, see_own, &it, error);
  if (status == CQ_OK) status = cq_store_list_bytes(store, file, &bundled, error);
  if (status == CQ_NOTFOUND && it.own_count > 0) status = CQ_OK;
  if (status == CQ_OK && (it.own_count > 0 || (csv && has_versions(cq_buf_str(&bundled))))) {
    if (it.own_count > 0) qsort(it.own, it.own_count, sizeof *it.own, by_id);
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
