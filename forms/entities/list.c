/* SPDX-License-Identifier: Apache-2.0 */
/* A list with what this device's records say of its entities. Source: ODK Entities, "Offline entities". */
#include "chasqui/csv.h"
#include "forms/engine/interview.h"

#include <stdlib.h>
#include <string.h>

typedef struct row {
  cq_str *cells; /* fewer than the table has columns: the rest is empty */
  size_t count;
} row;

typedef struct table {
  cq_arena *arena;
  cq_str *columns;
  size_t column_count, column_capacity;
  row *rows;
  size_t row_count, row_capacity;
  cq_error *error;
} table;

/* Room for one more; NULL: memory is out. */
static void *grow(cq_arena *arena, void *at, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return at;
  size_t more = *capacity == 0 ? 16 : *capacity * 2;
  void *fresh = cq_arena_array(arena, more, size);
  if (fresh == NULL) return NULL;
  if (count > 0) memcpy(fresh, at, count * size);
  *capacity = more;
  return fresh;
}

/* The column of that name, made where there is none; SIZE_MAX: memory is out. */
static size_t column_of(table *t, cq_str name) {
  for (size_t i = 0; i < t->column_count; i++)
    if (cq_str_equal(t->columns[i], name)) return i;
  cq_str *columns = grow(t->arena, t->columns, t->column_count, &t->column_capacity, sizeof *columns);
  if (columns == NULL) return SIZE_MAX;
  t->columns = columns;
  columns[t->column_count] = cq_arena_copy(t->arena, name);
  return columns[t->column_count].at == NULL ? SIZE_MAX : t->column_count++;
}

static cq_str cell_of(table *t, const row *r, const char *column) {
  size_t i = column_of(t, cq_str_from(column));
  return i < r->count ? r->cells[i] : (cq_str){NULL, 0};
}

static cq_status put(table *t, row *r, cq_str column, cq_str value) {
  size_t at = column_of(t, column);
  if (at == SIZE_MAX) return cq_error_nomem(t->error);
  if (at >= r->count) {
    cq_str *cells = cq_arena_array(t->arena, at + 1, sizeof *cells);
    if (cells == NULL) return cq_error_nomem(t->error);
    if (r->count > 0) memcpy(cells, r->cells, r->count * sizeof *cells);
    r->cells = cells;
    r->count = at + 1;
  }
  r->cells[at] = cq_arena_copy(t->arena, value);
  return r->cells[at].at == NULL ? cq_error_nomem(t->error) : CQ_OK;
}

static cq_status put_number(table *t, row *r, const char *column, int64_t number) {
  cq_buf text = {0};
  cq_buf_add_int64(&text, number);
  cq_status status = text.failed ? cq_error_nomem(t->error) : put(t, r, cq_str_from(column), cq_buf_str(&text));
  cq_buf_fini(&text);
  return status;
}

static row *add_row(table *t) {
  row *rows = grow(t->arena, t->rows, t->row_count, &t->row_capacity, sizeof *rows);
  if (rows == NULL) return NULL;
  t->rows = rows;
  rows[t->row_count] = (row){0};
  return &rows[t->row_count++];
}

static cq_status read_csv(table *t, cq_str text) {
  cq_csv *csv = cq_csv_new(text, 0);
  const cq_str *fields;
  size_t count;
  cq_status status = csv == NULL ? cq_error_nomem(t->error) : cq_csv_next(csv, &fields, &count, t->error);
  for (size_t i = 0; status == CQ_OK && i < count; i++)
    if (column_of(t, cq_str_trim(fields[i])) == SIZE_MAX) status = cq_error_nomem(t->error);
  size_t columns = t->column_count;
  while (status == CQ_OK) {
    status = cq_csv_next(csv, &fields, &count, t->error);
    if (status != CQ_OK || count == 0) break;
    row *r = add_row(t);
    if (r != NULL) r->cells = cq_arena_array(t->arena, count, sizeof *r->cells);
    if (r == NULL || r->cells == NULL) {
      status = cq_error_nomem(t->error);
      break;
    }
    for (; r->count < count && r->count < columns && status == CQ_OK; r->count++) {
      r->cells[r->count] = cq_arena_copy(t->arena, fields[r->count]);
      if (r->cells[r->count].at == NULL) status = cq_error_nomem(t->error);
    }
  }
  cq_csv_free(csv);
  return status;
}

static row *find(table *t, cq_str id) {
  size_t name = column_of(t, CQ_STR("name"));
  for (size_t i = 0; i < t->row_count; i++)
    if (name < t->rows[i].count && cq_str_equal(t->rows[i].cells[name], id)) return &t->rows[i];
  return NULL;
}

static cq_status put_values(table *t, row *r, const cq_entity *entity) {
  cq_status status = CQ_OK;
  if (entity->label.size > 0) status = put(t, r, CQ_STR("label"), entity->label);
  for (size_t i = 0; status == CQ_OK && i < entity->property_count; i++)
    status = put(t, r, entity->properties[i].name, entity->properties[i].value);
  return status;
}

static cq_status create(table *t, const cq_entity *entity) {
  row *r = add_row(t);
  if (r == NULL) return cq_error_nomem(t->error);
  cq_status status = put(t, r, CQ_STR("name"), entity->id);
  if (status == CQ_OK) status = put(t, r, CQ_STR("label"), entity->label);
  if (status == CQ_OK) status = put_values(t, r, entity);
  return status == CQ_OK ? put_number(t, r, "__version", 1) : status;
}

static cq_status update(table *t, row *r, const cq_entity *entity, const cq_random *random) {
  int64_t version = 0;
  if (!cq_str_int64(cell_of(t, r, "__version"), &version) || version < 1) version = 1;
  cq_status status = CQ_OK;
  if (cell_of(t, r, "__branchId").size == 0) {
    cq_buf id = {0};
    cq_value_uuid(random, &id);
    status = id.failed ? cq_error_nomem(t->error) : put(t, r, CQ_STR("__branchId"), cq_buf_str(&id));
    if (status == CQ_OK) status = put_number(t, r, "__trunkVersion", version);
    cq_buf_fini(&id);
  }
  if (status == CQ_OK) status = put_values(t, r, entity);
  return status == CQ_OK && version < INT64_MAX ? put_number(t, r, "__version", version + 1) : status;
}

static void write_csv(const table *t, cq_buf *out) {
  for (size_t i = 0; i < t->column_count; i++) cq_csv_add_field(out, i == 0, t->columns[i], false);
  cq_csv_end_row(out);
  for (size_t j = 0; j < t->row_count; j++) {
    for (size_t i = 0; i < t->column_count; i++)
      cq_csv_add_field(out, i == 0, i < t->rows[j].count ? t->rows[j].cells[i] : (cq_str){NULL, 0}, false);
    cq_csv_end_row(out);
  }
}

cq_status cq_entities_apply(cq_str csv, cq_str dataset, const cq_entities *entities, const cq_random *random,
                            cq_buf *out, cq_error *error) {
  table t = {.arena = cq_arena_new(CQ_FORM_MAX_MEMORY), .error = error};
  if (t.arena == NULL) return cq_error_nomem(error);
  cq_status status = read_csv(&t, csv);
  if (status == CQ_OK && (column_of(&t, CQ_STR("name")) == SIZE_MAX || column_of(&t, CQ_STR("label")) == SIZE_MAX ||
                          column_of(&t, CQ_STR("__version")) == SIZE_MAX))
    status = cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < entities->count; i++) {
    const cq_entity *entity = &entities->items[i];
    if (!cq_str_equal(entity->list, dataset)) continue;
    row *r = find(&t, entity->id);
    if (r != NULL)
      status = update(&t, r, entity, random);
    else if ((entity->action & CQ_ENTITY_CREATE) != 0)
      status = create(&t, entity);
  }
  if (status == CQ_OK) write_csv(&t, out);
  if (status == CQ_OK && out->failed) status = cq_error_nomem(error);
  cq_arena_free(t.arena);
  return status;
}
