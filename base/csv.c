/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/csv.h"

#include <stdlib.h>
#include <string.h>

struct cq_csv {
  cq_str text;
  size_t at;
  char separator;
  int64_t line; /* of the next character */
  int64_t row_line;
  int64_t row;
  cq_buf unquoted; /* of the row's quoted fields that hold doubled quotes */
  cq_str *fields;
  size_t count, capacity;
};

static char guess_separator(cq_str text) {
  size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

cq_csv *cq_csv_new(cq_str text, char separator) {
  cq_csv *csv = calloc(1, sizeof *csv);
  if (!csv) return NULL;
  if (cq_str_starts(text, CQ_STR("\xEF\xBB\xBF"))) text = (cq_str){text.at + 3, text.size - 3};
  csv->text = text;
  csv->separator = separator ? separator : guess_separator(text);
  csv->line = 1;
  return csv;
}

void cq_csv_free(cq_csv *csv) {
  if (!csv) return;
  cq_buf_fini(&csv->unquoted);
  free(csv->fields);
  free(csv);
}

static cq_status fail(cq_csv *csv, cq_error *error, cq_status status, const char *code) {
  cq_error_set(error, status, code, NULL);
  cq_error_at_line(error, csv->line, 0);
  return status;
}

static cq_status add(cq_csv *csv, cq_str field, cq_error *error) {
  if (field.size > CQ_CSV_MAX_FIELD) return fail(csv, error, CQ_LIMIT, "csv.field.long");
  if (!cq_utf8_valid(field)) return fail(csv, error, CQ_INVALID, "csv.utf8");
  if (csv->count == CQ_CSV_MAX_COLUMNS) return fail(csv, error, CQ_LIMIT, "csv.columns.many");
  if (csv->count == csv->capacity) {
    size_t capacity = csv->capacity ? csv->capacity * 2 : 16;
    cq_str *fields = realloc(csv->fields, capacity * sizeof *fields);
    if (!fields) return cq_error_nomem(error);
    csv->fields = fields;
    csv->capacity = capacity;
  }
  csv->fields[csv->count++] = field;
  return CQ_OK;
}

/* Reads a quoted field, whose opening quote is passed, up to after its closing quote. */
static cq_status quoted(cq_csv *csv, cq_str *field, cq_error *error) {
  cq_str t = csv->text;
  size_t from = csv->at, doubled = 0;
  for (;; csv->at++) {
    if (csv->at >= t.size) return fail(csv, error, CQ_INVALID, "csv.quote.open");
    char c = t.at[csv->at];
    if (c == '\n' || (c == '\r' && !(csv->at + 1 < t.size && t.at[csv->at + 1] == '\n'))) csv->line++;
    if (c != '"') continue;
    if (csv->at + 1 < t.size && t.at[csv->at + 1] == '"') {
      doubled++;
      csv->at++;
      continue;
    }
    break;
  }
  *field = (cq_str){t.at + from, csv->at - from};
  csv->at++;
  if (doubled) {
    /* reserved once per row (see cq_csv_next), so that fields already borrowed stay where they are */
    size_t start = csv->unquoted.size;
    for (size_t i = 0; i < field->size; i++) {
      cq_buf_add_char(&csv->unquoted, field->at[i]);
      if (field->at[i] == '"') i++;
    }
    if (csv->unquoted.failed) return cq_error_nomem(error);
    *field = (cq_str){csv->unquoted.at + start, csv->unquoted.size - start};
  }
  return CQ_OK;
}

/* Bytes up to the row's end, an upper bound for what its fields need when unquoted. As in cq_csv_next, a quote opens a
 * field only at its start. */
static size_t row_bytes(const cq_csv *csv) {
  bool in = false, start = true;
  size_t i = csv->at;
  for (; i < csv->text.size; i++) {
    char c = csv->text.at[i];
    if (in) {
      if (c == '"' && i + 1 < csv->text.size && csv->text.at[i + 1] == '"')
        i++;
      else if (c == '"')
        in = false;
      continue;
    }
    if (c == '\n' || c == '\r') break;
    in = start && c == '"';
    start = c == csv->separator;
  }
  return i - csv->at;
}

cq_status cq_csv_next(cq_csv *csv, const cq_str **fields, size_t *count, cq_error *error) {
  cq_str t = csv->text;
  *count = 0;
  *fields = NULL;
  csv->count = 0;
  cq_buf_reset(&csv->unquoted);
  while (csv->at < t.size && (t.at[csv->at] == '\n' || t.at[csv->at] == '\r')) {
    if (t.at[csv->at] == '\n' || !(csv->at + 1 < t.size && t.at[csv->at + 1] == '\n')) {
      csv->line++;
      csv->row++;
    }
    csv->at++;
  }
  if (csv->at >= t.size) return CQ_OK;
  csv->row_line = csv->line;
  csv->row++;
  if (!cq_buf_reserve(&csv->unquoted, row_bytes(csv))) return cq_error_nomem(error);
  for (;;) {
    cq_str field;
    if (csv->at < t.size && t.at[csv->at] == '"') {
      csv->at++;
      cq_status status = quoted(csv, &field, error);
      if (status != CQ_OK) return status;
    } else {
      size_t from = csv->at;
      while (csv->at < t.size && t.at[csv->at] != csv->separator && t.at[csv->at] != '\n' && t.at[csv->at] != '\r')
        csv->at++;
      field = (cq_str){t.at + from, csv->at - from};
    }
    cq_status status = add(csv, field, error);
    if (status != CQ_OK) return status;
    if (csv->at >= t.size) break;
    char c = t.at[csv->at];
    if (c == csv->separator) {
      csv->at++;
      continue;
    }
    if (c == '\r' || c == '\n') {
      csv->at++;
      if (c == '\r' && csv->at < t.size && t.at[csv->at] == '\n') csv->at++;
      csv->line++;
      break;
    }
    return fail(csv, error, CQ_INVALID, "csv.quote.stray");
  }
  *fields = csv->fields;
  *count = csv->count;
  return CQ_OK;
}

int64_t cq_csv_line(const cq_csv *csv) {
  return csv->row_line;
}

int64_t cq_csv_row(const cq_csv *csv) {
  return csv->row;
}

static bool plain_number(cq_str field) {
  size_t digits = 0, points = 0;
  for (size_t i = field.at[0] == '-' || field.at[0] == '+'; i < field.size; i++) {
    if (field.at[i] >= '0' && field.at[i] <= '9')
      digits++;
    else if (field.at[i] == '.')
      points++;
    else
      return false;
  }
  return digits > 0 && points <= 1;
}

void cq_csv_add_field(cq_buf *out, bool first, cq_str field, bool guard) {
  if (!first) cq_buf_add_char(out, ',');
  bool formula = guard && field.size > 0 && memchr("=+-@\t\r", field.at[0], 6) && !plain_number(field);
  bool quote = formula;
  for (size_t i = 0; i < field.size && !quote; i++) quote = memchr(",;\"\r\n\t", field.at[i], 6) != NULL;
  if (!quote) {
    cq_buf_add_str(out, field);
    return;
  }
  cq_buf_add_char(out, '"');
  if (formula) cq_buf_add_char(out, '\'');
  for (size_t i = 0; i < field.size; i++) {
    if (field.at[i] == '"') cq_buf_add_char(out, '"');
    cq_buf_add_char(out, field.at[i]);
  }
  cq_buf_add_char(out, '"');
}

void cq_csv_end_row(cq_buf *out) {
  cq_buf_add_text(out, "\r\n");
}
