/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/records/files.h"

#include "central/tables/survey/data.h"

#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readstat.h>

enum { DTA_NAME = 32, SAV_NAME = 64, DTA_TEXT = 2045, SAV_TEXT = 32767, LABEL = 80 };
/* Days from 1960-01-01 (Stata) and 1582-10-14 (SPSS) to 1970-01-01. */
enum { DTA_EPOCH = 3653, SAV_EPOCH = 141428 };

typedef enum { TEXT, NUMBER, DATE, CHOICE } column_kind;

typedef struct column {
  column_kind kind;
  size_t width; /* longest text, bytes */
  bool own_codes;
  bool plain, any;   /* a number as long as all values are plain ones; there was a value */
  size_t missing_at; /* column of its missing code, or SIZE_MAX */
  const cq_choices *choices;
  readstat_variable_t *variable;
} column;

typedef struct table {
  column *columns;
  size_t rows;
  readstat_writer_t *writer;
  int file;
  bool failed; /* to write */
  cq_buf path, part;
} table;

typedef struct writing {
  cq_rows *rows;
  cq_stat_kind kind;
  table *tables;
  size_t count;
  size_t *cut;
  bool practice;
} writing;

cq_status cq_table_file(cq_buf *path, const cq_desk *desk, const cq_rows_table *t, const char *folder,
                        const char *extension, cq_error *error) {
  cq_buf name = {0};
  cq_buf_add_text(&name, desk->mode == CQ_MODE_PRACTICE ? "practice-" : "");
  for (size_t i = 0; i < t->name.size; i++) { /* a form's id comes from outside: no path may hide in it */
    char c = t->name.at[i];
    bool bad = c == '/' || c == '\\' || c == ':' || (unsigned char)c < 0x20 || (i == 0 && c == '.');
    cq_buf_add_char(&name, bad ? '_' : c);
  }
  cq_buf_add_text(&name, extension);
  cq_status status = name.failed ? cq_error_nomem(error) : cq_file_path(path, folder, name.at, error);
  cq_buf_fini(&name);
  return status;
}

/* --- columns --- */

static bool is_integer(cq_str text) {
  int64_t value;
  /* "05" is a code, not the number 5 */
  return cq_str_int64(text, &value) && !(text.size > 1 && text.at[0] == '0') && text.at[0] != '+';
}

static size_t missing_column(const cq_rows_table *t, const cq_rows_column *c) {
  if (!c->field || c->field->missing_at == CQ_FIELD_NONE) return SIZE_MAX;
  const cq_field *missing = cq_form_field(c->form, c->field->missing_at);
  for (size_t i = 0; i < t->count; i++)
    if (t->columns[i].field && !t->columns[i].is_label && cq_str_equal(t->columns[i].field->path, missing->path))
      return i;
  return SIZE_MAX;
}

static cq_status plan_column(writing *w, const cq_rows_table *t, size_t at, column *to, cq_error *error) {
  cq_rows_column *c = &t->columns[at];
  *to = (column){.kind = TEXT, .width = 1, .missing_at = missing_column(t, c)};
  if (!c->field && cq_str_is(c->name, "working_date")) to->kind = DATE;
  if (!c->field || c->is_label) return CQ_OK;
  if (cq_rows_may_be_number(c)) {
    to->kind = NUMBER;
    to->plain = true;
    return CQ_OK;
  }
  if (c->field->type == CQ_TYPE_INT || c->field->type == CQ_TYPE_DECIMAL) to->kind = NUMBER;
  if (c->field->type == CQ_TYPE_DATE) to->kind = DATE;
  if (c->field->control != CQ_CONTROL_SELECT1) return CQ_OK;
  cq_status status = cq_rows_choices(w->rows, c, &to->choices, error);
  if (status != CQ_OK || !to->choices->count) return status;
  to->kind = CHOICE;
  to->own_codes = true;
  for (size_t i = 0; i < to->choices->count; i++)
    if (!is_integer(to->choices->items[i].value)) to->own_codes = false;
  return CQ_OK;
}

/* The number that stands for a choice; false for a value that is not in the list. */
static bool number_of(const column *c, cq_str code, double *value) {
  int64_t own;
  for (size_t i = 0; i < c->choices->count; i++) {
    if (!cq_str_equal(c->choices->items[i].value, code)) continue;
    *value = c->own_codes && cq_str_int64(code, &own) ? (double)own : (double)(i + 1);
    return true;
  }
  return false;
}

/* Lengths and counts must be known before a file begins. A value that its kind cannot hold makes the column text. */
static cq_status measure(void *context, size_t index, const cq_str *cells, cq_error *error) {
  writing *w = context;
  table *t = &w->tables[index];
  (void)error;
  t->rows++;
  for (size_t i = 0; i < cq_rows_table_at(w->rows, index)->count; i++) {
    column *c = &t->columns[i];
    double value = 0;
    cq_date date;
    if (cells[i].size > c->width) c->width = cells[i].size;
    if (!cells[i].size) continue;
    c->any = true;
    if ((c->kind == NUMBER && !(c->plain ? cq_data_plain_number : cq_data_number)(cells[i], &value)) ||
        (c->kind == DATE && !cq_date_parse(cells[i], &date)) || (c->kind == CHOICE && !number_of(c, cells[i], &value)))
      c->kind = TEXT;
  }
  return CQ_OK;
}

/* --- names and labels --- */

/* Copies at most `most` bytes, whole code points. */
static size_t cut_text(char *out, cq_str text, size_t most) {
  size_t size = text.size;
  if (size > most)
    for (size = most; size && ((unsigned char)text.at[size] & 0xC0) == 0x80;) size--;
  if (size) memcpy(out, text.at, size);
  out[size] = '\0';
  return size;
}

/* Letters, digits and underscore, beginning with a letter; five bytes of `most` stay free. */
static size_t plain_name(char out[SAV_NAME + 1], cq_str name, size_t most) {
  size_t size = 0;
  if (!name.size || !((name.at[0] | 32) >= 'a' && (name.at[0] | 32) <= 'z')) out[size++] = 'v';
  for (size_t i = 0; i < name.size && size < most - 5; i++) {
    char c = name.at[i];
    bool plain = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == '_';
    out[size++] = plain ? c : '_';
  }
  out[size] = '\0';
  return size;
}

/* Cutting or replacing may have made two names alike: the column's place tells them apart. */
static void variable_name(char out[SAV_NAME + 1], const cq_rows_table *t, size_t at, size_t most) {
  char other[SAV_NAME + 1];
  size_t size = plain_name(out, t->columns[at].name, most);
  for (size_t i = 0; i < at; i++) {
    plain_name(other, t->columns[i].name, most);
    if (strcmp(other, out) != 0) continue;
    snprintf(out + size, SAV_NAME + 1 - size, "_%zu", at % 10000);
    return;
  }
}

static void label_variable(const cq_rows *rows, const cq_rows_column *c, readstat_variable_t *variable) {
  cq_buf text = {0};
  char label[LABEL + 1];
  if (cq_rows_label(rows, c, &text, NULL) == CQ_OK && text.size) {
    cut_text(label, cq_buf_str(&text), LABEL);
    readstat_variable_set_label(variable, label);
  }
  cq_buf_fini(&text);
}

static char missing_tag(cq_str code) {
  return cq_str_is(code, "ns") ? 's' : cq_str_is(code, "nr") ? 'r' : cq_str_is(code, "na") ? 'n' : 0;
}

/* What .s, .r and .n of a column mean, as the form says beside its missing code. */
static void label_missing(const table *t, const column *c, readstat_label_set_t *set) {
  const cq_choices *codes = c->missing_at == SIZE_MAX ? NULL : t->columns[c->missing_at].choices;
  char label[256];
  for (size_t i = 0; codes && i < codes->count; i++) {
    char tag = missing_tag(codes->items[i].value);
    cq_str text = codes->items[i].label.size ? codes->items[i].label : codes->items[i].value;
    cut_text(label, text, 120);
    if (tag) readstat_label_tagged_value(set, tag, label);
  }
}

static void label_values(const writing *w, table *t, column *c, const char *name) {
  char label[256];
  bool tagged = w->kind == CQ_FILE_DTA && c->missing_at != SIZE_MAX && t->columns[c->missing_at].choices;
  if (c->kind != CHOICE && !tagged) return;
  readstat_label_set_t *set = readstat_add_label_set(t->writer, READSTAT_TYPE_DOUBLE, name);
  if (set && tagged) label_missing(t, c, set);
  for (size_t i = 0; set && c->kind == CHOICE && i < c->choices->count; i++) {
    double value;
    cq_str text = c->choices->items[i].label.size ? c->choices->items[i].label : c->choices->items[i].value;
    cut_text(label, text, 120);
    if (number_of(c, c->choices->items[i].value, &value)) readstat_label_double_value(set, value, label);
  }
  if (set) readstat_variable_set_label_set(c->variable, set);
}

static bool add_variable(writing *w, table *t, const cq_rows_table *of, size_t at) {
  char name[SAV_NAME + 1];
  column *c = &t->columns[at];
  size_t most = w->kind == CQ_FILE_DTA ? DTA_TEXT : SAV_TEXT;
  variable_name(name, of, at, w->kind == CQ_FILE_DTA ? DTA_NAME : SAV_NAME);
  size_t width = c->width < most ? c->width : most;
  c->variable = readstat_add_variable(t->writer, name, c->kind == TEXT ? READSTAT_TYPE_STRING : READSTAT_TYPE_DOUBLE,
                                      c->kind == TEXT ? width : 0);
  if (!c->variable) return false;
  label_variable(w->rows, &of->columns[at], c->variable);
  if (c->kind == DATE) readstat_variable_set_format(c->variable, w->kind == CQ_FILE_DTA ? "%td" : "EDATE10");
  const cq_field *field = of->columns[at].field;
  if (w->kind == CQ_FILE_SAV && (c->kind == CHOICE || (c->kind == NUMBER && field && field->type == CQ_TYPE_INT)))
    readstat_variable_set_format(c->variable, "F8.0");
  else if (w->kind == CQ_FILE_SAV && c->kind == NUMBER)
    readstat_variable_set_format(c->variable, "F12.2");
  if (c->kind != TEXT) label_values(w, t, c, name);
  return true;
}

/* --- writing --- */

static ssize_t write_bytes(const void *bytes, size_t size, void *context) {
  table *t = context;
  const char *at = bytes;
  for (size_t left = size; left;) {
    ssize_t done = write(t->file, at, left);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      t->failed = true;
      return -1;
    }
    at += done;
    left -= (size_t)done;
  }
  return (ssize_t)size;
}

static cq_status wrong(const table *t, readstat_error_t code, cq_error *error) {
  if (code == READSTAT_OK) return CQ_OK;
  if (code == READSTAT_ERROR_MALLOC) return cq_error_nomem(error);
  return cq_error_set(error, CQ_IO, "io.write", t->path.at, readstat_error_message(code), NULL);
}

static cq_status begin_table(writing *w, size_t index, cq_error *error) {
  table *t = &w->tables[index];
  const cq_rows_table *of = cq_rows_table_at(w->rows, index);
  char title[LABEL + 1], label[LABEL + 1];
  cq_buf_add_str(&t->part, cq_buf_str(&t->path));
  cq_buf_add_text(&t->part, ".part");
  if (t->part.failed || !(t->writer = readstat_writer_init())) return cq_error_nomem(error);
  if ((t->file = open(t->part.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
    return cq_error_io(error, "io.create", t->part.at, errno);
  readstat_set_data_writer(t->writer, write_bytes);
  cut_text(title, cq_rows_title(w->rows), LABEL - 16);
  snprintf(label, sizeof label, "%s%s", w->practice ? _("PRACTICE: ") : "", title);
  readstat_writer_set_file_label(t->writer, label);
  for (size_t i = 0; i < of->count; i++) {
    column *c = &t->columns[i];
    if (c->plain && !c->any) c->kind = TEXT; /* nothing says that it is a number */
  }
  for (size_t i = 0; i < of->count; i++)
    if (!add_variable(w, t, of, i)) return cq_error_nomem(error);
  return wrong(t,
               w->kind == CQ_FILE_DTA ? readstat_begin_writing_dta(t->writer, t, (long)t->rows)
                                      : readstat_begin_writing_sav(t->writer, t, (long)t->rows),
               error);
}

static readstat_error_t put_missing(const writing *w, table *t, const column *c, const cq_str *cells) {
  char tag = 0;
  if (w->kind == CQ_FILE_DTA && c->missing_at != SIZE_MAX) {
    tag = missing_tag(cells[c->missing_at]);
  }
  return tag ? readstat_insert_tagged_missing_value(t->writer, c->variable, tag)
             : readstat_insert_missing_value(t->writer, c->variable);
}

static readstat_error_t put_cell(writing *w, table *t, const column *c, const cq_str *cells, size_t at) {
  char text[SAV_TEXT + 1];
  cq_date date;
  double value = 0;
  if (c->kind == TEXT) {
    size_t most = w->kind == CQ_FILE_DTA ? DTA_TEXT : SAV_TEXT;
    *w->cut += cells[at].size > most;
    cut_text(text, cells[at], most);
    return readstat_insert_string_value(t->writer, c->variable, text);
  }
  if (!cells[at].size) return put_missing(w, t, c, cells);
  if (c->kind == NUMBER) cq_data_number(cells[at], &value);
  if (c->kind == CHOICE) number_of(c, cells[at], &value);
  if (c->kind == DATE && cq_date_parse(cells[at], &date))
    value = w->kind == CQ_FILE_DTA ? cq_date_to_day(date) + (double)DTA_EPOCH
                                   : (cq_date_to_day(date) + (double)SAV_EPOCH) * 86400;
  return readstat_insert_double_value(t->writer, c->variable, value);
}

static cq_status put_row(void *context, size_t index, const cq_str *cells, cq_error *error) {
  writing *w = context;
  table *t = &w->tables[index];
  readstat_error_t code = readstat_begin_row(t->writer);
  for (size_t i = 0; code == READSTAT_OK && i < cq_rows_table_at(w->rows, index)->count; i++)
    code = put_cell(w, t, &t->columns[i], cells, i);
  if (code == READSTAT_OK) code = readstat_end_row(t->writer);
  return wrong(t, code, error);
}

static cq_status end_table(table *t, cq_error *error) {
  cq_status status = wrong(t, readstat_end_writing(t->writer), error);
  if (status == CQ_OK && fsync(t->file) != 0) status = cq_error_io(error, "io.fsync", t->part.at, errno);
  if (status == CQ_OK && rename(t->part.at, t->path.at) != 0)
    status = cq_error_io(error, "io.rename", t->path.at, errno);
  return status;
}

static void tables_fini(writing *w) {
  for (size_t i = 0; i < w->count; i++) {
    table *t = &w->tables[i];
    if (t->writer) readstat_writer_free(t->writer);
    if (t->file >= 0) close(t->file);
    if (t->part.size) unlink(t->part.at); /* not there any more where all went well */
    free(t->columns);
    cq_buf_fini(&t->path);
    cq_buf_fini(&t->part);
  }
  free(w->tables);
}

static cq_status plan(writing *w, const cq_desk *desk, const char *folder, cq_error *error) {
  const char *extension = w->kind == CQ_FILE_DTA ? ".dta" : ".sav";
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < w->count; i++) {
    const cq_rows_table *of = cq_rows_table_at(w->rows, i);
    table *t = &w->tables[i];
    if (!(t->columns = calloc(of->count + 1, sizeof *t->columns))) return cq_error_nomem(error);
    status = cq_table_file(&t->path, desk, of, folder, extension, error);
    for (size_t c = 0; status == CQ_OK && c < of->count; c++) status = plan_column(w, of, c, &t->columns[c], error);
  }
  return status;
}

cq_status cq_stat_write(cq_rows *rows, const cq_desk *desk, const char *folder, cq_stat_kind kind, size_t *cut,
                        cq_error *error) {
  size_t records, unreadable;
  writing w = {.rows = rows,
               .kind = kind,
               .count = cq_rows_tables(rows),
               .cut = cut,
               .practice = desk->mode == CQ_MODE_PRACTICE};
  if (!(w.tables = calloc(w.count, sizeof *w.tables))) return cq_error_nomem(error);
  for (size_t i = 0; i < w.count; i++) w.tables[i].file = -1;
  cq_status status = plan(&w, desk, folder, error);
  if (status == CQ_OK) status = cq_rows_read(rows, measure, &w, &records, &unreadable, error);
  for (size_t i = 0; status == CQ_OK && i < w.count; i++) status = begin_table(&w, i, error);
  if (status == CQ_OK) status = cq_rows_read(rows, put_row, &w, &records, &unreadable, error);
  for (size_t i = 0; status == CQ_OK && i < w.count; i++) status = end_table(&w.tables[i], error);
  tables_fini(&w);
  return status;
}
