/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/data.h"

#include "chasqui/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cq_status header(cq_csv *csv, const char *const names[], const bool optional[], size_t count, size_t at[],
                        cq_error *error) {
  const cq_str *fields;
  size_t width;
  cq_status status = cq_csv_next(csv, &fields, &width, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < count; i++) {
    at[i] = SIZE_MAX;
    for (size_t j = width; j-- > 0;)
      if (cq_str_is(cq_str_trim(fields[j]), names[i])) at[i] = j;
    if (at[i] == SIZE_MAX && !(optional && optional[i])) {
      cq_error_set(error, CQ_INVALID, "central.data.column", names[i], NULL);
      return CQ_INVALID;
    }
  }
  return CQ_OK;
}

static bool grow(cq_data *data) {
  if (data->rows < data->capacity) return true;
  size_t capacity = data->capacity ? data->capacity * 2 : 256;
  size_t width = data->columns ? data->columns : 1;
  cq_str *cells = realloc(data->cells, capacity * width * sizeof *cells);
  if (!cells) return false;
  data->cells = cells;
  int64_t *lines = realloc(data->lines, capacity * sizeof *lines);
  if (!lines) return false;
  data->lines = lines;
  data->capacity = capacity;
  return true;
}

/* Fields point into the file's text unless they were unquoted, which are copied. */
static bool keep(cq_data *data, cq_str field, cq_str *cell) {
  field = cq_str_trim(field);
  bool within = field.at >= data->text.at && field.at < data->text.at + data->text.size;
  *cell = within || !field.size ? field : cq_arena_copy(data->arena, field);
  return !field.size || cell->at;
}

static cq_status read_rows(cq_data *data, cq_csv *csv, const size_t at[], cq_error *error) {
  for (;;) {
    const cq_str *fields;
    size_t count;
    cq_status status = cq_csv_next(csv, &fields, &count, error);
    if (status != CQ_OK || !count) return status;
    if (data->rows == CQ_DATA_MAX_ROWS) return cq_error_set(error, CQ_LIMIT, "central.data.rows", NULL);
    if (!grow(data)) return cq_error_nomem(error);
    cq_str *row = data->cells + data->rows * data->columns;
    for (size_t i = 0; i < data->columns; i++)
      if (!keep(data, at[i] < count ? fields[at[i]] : CQ_STR(""), &row[i])) return cq_error_nomem(error);
    data->lines[data->rows++] = cq_csv_line(csv);
  }
}

cq_status cq_data_read(cq_data *data, const char *path, const char *const names[], const bool optional[], size_t count,
                       cq_error *error) {
  memset(data, 0, sizeof *data);
  data->columns = count;
  data->arena = cq_arena_new(0);
  data->file = strdup(path);
  size_t *at = calloc(count + 1, sizeof *at);
  cq_csv *csv = NULL;
  cq_status status = CQ_NOMEM;
  if (!data->arena || !data->file || !at) {
    cq_error_nomem(error);
    goto out;
  }
  if ((status = cq_file_read(path, CQ_DATA_MAX_BYTES, &data->text, error)) != CQ_OK) goto out;
  if (!(csv = cq_csv_new(cq_buf_str(&data->text), 0))) {
    status = cq_error_nomem(error);
    goto out;
  }
  status = header(csv, names, optional, count, at, error);
  if (status == CQ_OK) status = read_rows(data, csv, at, error);
  if (status != CQ_OK) cq_error_at_file(error, path);
out:
  free(at);
  cq_csv_free(csv);
  if (status != CQ_OK) cq_data_fini(data);
  return status;
}

cq_status cq_data_init(cq_data *data, size_t columns, cq_error *error) {
  memset(data, 0, sizeof *data);
  data->columns = columns;
  data->arena = cq_arena_new(0);
  data->file = strdup("");
  return data->arena && data->file ? CQ_OK : cq_error_nomem(error);
}

cq_status cq_data_add(cq_data *data, const cq_str *cells, cq_error *error) {
  if (!grow(data)) return cq_error_nomem(error);
  cq_str *row = data->cells + data->rows * data->columns;
  for (size_t i = 0; i < data->columns; i++) {
    row[i] = cells[i].size ? cq_arena_copy(data->arena, cells[i]) : CQ_STR("");
    if (!row[i].at) return cq_error_nomem(error);
  }
  data->lines[data->rows++] = 0;
  return CQ_OK;
}

void cq_data_fini(cq_data *data) {
  cq_arena_free(data->arena);
  cq_buf_fini(&data->text);
  free(data->file);
  free(data->cells);
  free(data->lines);
  memset(data, 0, sizeof *data);
}

cq_str cq_data_cell(const cq_data *data, size_t row, size_t column) {
  return data->cells[row * data->columns + column];
}

cq_status cq_data_at(const cq_data *data, size_t row, cq_status status, cq_error *error) {
  cq_error_at_file(error, data->file);
  cq_error_at_line(error, data->lines[row], 0);
  return status;
}

cq_status cq_data_has(const char *path, const char *name, bool *has, cq_error *error) {
  cq_data head;
  cq_error missing;
  cq_error_clear(&missing);
  cq_status status = cq_data_read(&head, path, &name, NULL, 1, &missing);
  *has = status == CQ_OK;
  if (status == CQ_OK)
    cq_data_fini(&head);
  else if (missing.code && strcmp(missing.code, "central.data.column") == 0)
    status = CQ_OK;
  else if (error)
    *error = missing;
  return status;
}

bool cq_data_number(cq_str text, double *value) {
  char number[64];
  if (!text.size || text.size >= sizeof number) return false;
  for (size_t i = 0; i < text.size; i++)
    if (!strchr("0123456789+-.eE", text.at[i]) || !text.at[i]) return false;
  memcpy(number, text.at, text.size);
  number[text.size] = '\0';
  char *end;
  *value = strtod(number, &end);
  return end == number + text.size && isfinite(*value);
}

bool cq_data_plain_number(cq_str text, double *value) {
  enum { DIGITS = 15 };
  size_t at = text.size && text.at[0] == '-', digits = 0;
  for (size_t i = at; i < text.size; i++) digits += text.at[i] >= '0' && text.at[i] <= '9';
  bool code = text.size > at + 1 && text.at[at] == '0' && text.at[at + 1] != '.' && text.at[at + 1] != 'e' &&
              text.at[at + 1] != 'E';
  bool begins = text.size > at && text.at[at] >= '0' && text.at[at] <= '9';
  return begins && !code && cq_data_number(text, value) && (digits <= DIGITS || memchr(text.at, '.', text.size));
}

bool cq_data_blank(cq_str text) {
  return !text.size || cq_str_is(text, "NA");
}

void cq_levels_fini(cq_levels *levels) {
  free(levels->names);
  free(levels->slots);
  memset(levels, 0, sizeof *levels);
}

/* FNV-1a; the strings come from the consultant's own files. */
static size_t slot_of(const cq_levels *levels, cq_str name) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < name.size; i++) hash = (hash ^ (unsigned char)name.at[i]) * 1099511628211u;
  size_t slot = (size_t)(hash ^ hash >> 29) & (levels->slot_count - 1);
  while (levels->slots[slot] && !cq_str_equal(levels->names[levels->slots[slot] - 1], name))
    slot = (slot + 1) & (levels->slot_count - 1);
  return slot;
}

static bool widen(cq_levels *levels) {
  size_t count = levels->slot_count ? levels->slot_count * 2 : 64;
  uint32_t *slots = calloc(count, sizeof *slots);
  cq_str *names = realloc(levels->names, count / 2 * sizeof *names);
  if (names) levels->names = names;
  if (!slots || !names) {
    free(slots);
    return false;
  }
  free(levels->slots);
  levels->slots = slots;
  levels->slot_count = count;
  levels->capacity = count / 2;
  for (size_t i = 0; i < levels->count; i++) levels->slots[slot_of(levels, levels->names[i])] = (uint32_t)i + 1;
  return true;
}

uint32_t cq_levels_number(cq_levels *levels, cq_str name) {
  if (levels->count == levels->capacity && !widen(levels)) return UINT32_MAX;
  size_t slot = slot_of(levels, name);
  if (!levels->slots[slot]) {
    levels->names[levels->count] = name;
    levels->slots[slot] = (uint32_t)++levels->count;
  }
  return levels->slots[slot] - 1;
}

uint32_t cq_levels_find(const cq_levels *levels, cq_str name) {
  if (!levels->slot_count) return UINT32_MAX;
  return levels->slots[slot_of(levels, name)] - 1;
}

void cq_data_column(cq_buf *out, cq_str text, int width) {
  size_t wanted = (size_t)(width < 0 ? -width : width), used = cq_utf8_length(text), kept = text.size;
  if (used > wanted) {
    kept = 0;
    for (used = 0; used + 1 < wanted; used++) cq_utf8_next(text, &kept);
  }
  bool cut = kept < text.size;
  for (size_t i = used + cut; width > 0 && i < wanted; i++) cq_buf_add_char(out, ' ');
  cq_buf_add(out, text.at, kept);
  if (cut) cq_buf_add_text(out, "…");
  for (size_t i = used + cut; width < 0 && i < wanted; i++) cq_buf_add_char(out, ' ');
}
