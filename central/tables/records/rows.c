/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/records/rows.h"

#include "central/tables/words.h"
#include "chasqui/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VERSIONS = 64, MAX_TABLES = 512, MAX_COLUMNS = 16384 };

/* Columns of the envelope, before the form's own. */
enum { KEY, SEASON, RESULT, REASON, WORKING_DATE, TECHNICIAN, DEVICE, BEGUN, FINISHED, VERSION, RECORD, ENVELOPE };
static const char *const envelope_names[ENVELOPE] = {"KEY",          "season",     "result", "reason",
                                                     "working_date", "technician", "device", "begun",
                                                     "finished",     "version",    "record"};
enum { ROW_KEY, PARENT_KEY, POSITION, REPEAT };
static const char *const repeat_names[REPEAT] = {"KEY", "PARENT_KEY", "position"};

typedef struct place {
  size_t table, column; /* SIZE_MAX: in none */
} place;

typedef struct version {
  cq_form *form;
  cq_hash hash;
  cq_str name;
  place *places; /* of each field */
} version;

typedef struct open_row {
  cq_str *cells;
  bool open;
} open_row;

struct cq_rows {
  cq_desk *desk;
  cq_rows_options options;
  cq_str form_id;
  cq_arena *arena, *scratch; /* of the columns; of one record */
  version versions[MAX_VERSIONS];
  size_t version_count;
  cq_rows_table tables[MAX_TABLES];
  size_t capacity[MAX_TABLES];
  open_row rows[MAX_TABLES];
  size_t table_count, left_out;
  /* while a record is read */
  const version *reading;
  cq_rows_each each;
  void *context;
};

/* --- lists, for the labels of choices --- */

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  cq_desk *desk = context;
  sqlite3_stmt *s = NULL;
  bool row = false;
  size_t from = uri.size;
  while (from && uri.at[from - 1] != '/') from--;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = ?1", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, uri.at + from, (int)(uri.size - from), SQLITE_STATIC);
    status = cq_desk_step(desk, s, &row, error);
  }
  if (status == CQ_OK && row) cq_buf_add_str(out, cq_desk_text(s, 0));
  sqlite3_finalize(s);
  if (status == CQ_OK && out->failed) return cq_error_nomem(error);
  return status == CQ_OK && !row ? CQ_NOTFOUND : status;
}

static cq_status load_versions(cq_rows *r, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_form_lists lists = {open_list, r->desk};
  cq_status status = cq_desk_prepare(
      r->desk, &s, "SELECT hash, version, xml FROM form WHERE id = ?1 ORDER BY status, bundle DESC, hash LIMIT 64",
      error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, r->form_id.at, (int)r->form_id.size, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(r->desk, s, &row, error)) != CQ_OK || !row) break;
    version *v = &r->versions[r->version_count];
    status = cq_desk_column(s, 0, v->hash.at, sizeof v->hash.at, error);
    if (status == CQ_OK) status = cq_form_load(&v->form, cq_desk_text(s, 2), &lists, error);
    if (status != CQ_OK) break;
    r->version_count++;
    v->name = cq_arena_copy(r->arena, cq_desk_text(s, 1));
    v->places = cq_arena_array(r->arena, cq_form_field_count(v->form) + 1, sizeof *v->places);
    if (!v->places) status = cq_error_nomem(error);
  }
  sqlite3_finalize(s);
  if (status != CQ_OK || r->version_count) return status;
  char id[128];
  snprintf(id, sizeof id, "%.*s", (int)(r->form_id.size < 120 ? r->form_id.size : 120), r->form_id.at);
  return cq_error_set(error, CQ_NOTFOUND, "desk.form.none", id, NULL);
}

/* --- tables and columns --- */

static cq_status add_column(cq_rows *r, size_t table, cq_str name, const cq_form *form, const cq_field *field,
                            bool is_label, cq_error *error) {
  cq_rows_table *t = &r->tables[table];
  if (t->count == MAX_COLUMNS) return cq_error_set(error, CQ_LIMIT, "desk.form.columns", NULL);
  if (t->count == r->capacity[table]) {
    size_t capacity = r->capacity[table] ? r->capacity[table] * 2 : 32;
    cq_rows_column *columns = realloc(t->columns, capacity * sizeof *columns);
    if (!columns) return cq_error_nomem(error);
    t->columns = columns;
    r->capacity[table] = capacity;
  }
  t->columns[t->count++] = (cq_rows_column){.name = name, .form = form, .field = field, .is_label = is_label};
  return CQ_OK;
}

static cq_status add_table(cq_rows *r, cq_str name, cq_str path, const char *const names[], size_t count,
                           cq_error *error) {
  if (r->table_count == MAX_TABLES) return cq_error_set(error, CQ_LIMIT, "desk.form.repeats", NULL);
  r->capacity[r->table_count] = 0;
  r->tables[r->table_count++] = (cq_rows_table){.name = name, .path = path};
  cq_status status = CQ_OK;
  for (size_t i = 0; i < count && status == CQ_OK; i++)
    status = add_column(r, r->table_count - 1, cq_str_from(names[i]), NULL, NULL, false, error);
  return status;
}

/* "/data/g_tdd/nombres" as "g_tdd-nombres", relative to `base` (a repeat's path, or the root's). */
static cq_str path_name(cq_rows *r, cq_str path, cq_str base) {
  size_t from = base.size + 1 < path.size ? base.size + 1 : 0;
  cq_str name = cq_arena_copy(r->arena, (cq_str){path.at + from, path.size - from});
  for (size_t i = 0; name.at && i < name.size; i++)
    if (name.at[i] == '/') ((char *)name.at)[i] = '-';
  return name;
}

static cq_status table_of(cq_rows *r, const cq_form *form, const cq_field *field, size_t *table, cq_error *error) {
  *table = 0;
  if (field->repeat == CQ_FIELD_NONE) return CQ_OK;
  const cq_field *repeat = cq_form_field(form, field->repeat);
  for (size_t i = 1; i < r->table_count; i++) {
    if (!cq_str_equal(r->tables[i].path, repeat->path)) continue;
    *table = i;
    return CQ_OK;
  }
  cq_buf name = {0};
  cq_buf_add_str(&name, r->form_id);
  cq_buf_add_char(&name, '-');
  cq_buf_add_str(&name, repeat->name);
  for (size_t i = 1; i < r->table_count; i++) /* two repeats of one name */
    if (cq_str_equal(r->tables[i].name, cq_buf_str(&name))) cq_buf_addf(&name, "-%zu", r->table_count);
  cq_str copy = name.failed ? CQ_STR("") : cq_arena_copy(r->arena, cq_buf_str(&name));
  cq_buf_fini(&name);
  *table = r->table_count;
  return copy.size ? add_table(r, copy, repeat->path, repeat_names, REPEAT, error) : cq_error_nomem(error);
}

static bool is_select(const cq_field *field) {
  return field->control == CQ_CONTROL_SELECT || field->control == CQ_CONTROL_SELECT1 ||
         field->control == CQ_CONTROL_RANK;
}

static size_t find_column(const cq_rows_table *t, cq_str path) {
  for (size_t i = 0; i < t->count; i++)
    if (t->columns[i].field && !t->columns[i].is_label && cq_str_equal(t->columns[i].field->path, path)) return i;
  return SIZE_MAX;
}

static cq_status place_field(cq_rows *r, const version *v, const cq_field *field, cq_error *error) {
  place *to = &v->places[field->index];
  *to = (place){SIZE_MAX, SIZE_MAX};
  if (field->is_repeat) { /* its rows; the place tells which table they go to */
    cq_field inside = *field;
    inside.repeat = field->index;
    return table_of(r, v->form, &inside, &to->table, error);
  }
  if (field->children || field->is_meta || field->parent == CQ_FIELD_NONE) return CQ_OK;
  if (field->privacy == CQ_PRIVACY_DIRECT && !r->options.identified) {
    r->left_out += v == r->versions;
    return CQ_OK;
  }
  size_t table;
  cq_status status = table_of(r, v->form, field, &table, error);
  if (status != CQ_OK) return status;
  size_t column = find_column(&r->tables[table], field->path);
  if (column == SIZE_MAX) {
    column = r->tables[table].count;
    status = add_column(r, table, field->name, v->form, field, false, error);
    if (status == CQ_OK && r->options.labels && is_select(field))
      status = add_column(r, table, field->name, v->form, field, true, error);
  }
  *to = (place){table, column};
  return status;
}

/* A field's name where only one column of its table has it, else its path; labels end in "_label". */
static cq_status name_columns(cq_rows *r, size_t table, cq_error *error) {
  cq_rows_table *t = &r->tables[table];
  cq_str base = t->path.size ? t->path : cq_form_field(r->versions[0].form, 0)->path;
  for (size_t i = 0; i < t->count; i++) {
    cq_rows_column *c = &t->columns[i];
    bool twice = false;
    if (!c->field) continue;
    for (size_t j = 0; j < t->count && !twice; j++)
      twice = i != j && t->columns[j].is_label == c->is_label &&
              cq_str_equal(t->columns[j].field ? t->columns[j].field->name : t->columns[j].name, c->field->name);
    cq_str name = twice ? path_name(r, c->field->path, base) : c->field->name;
    if (c->is_label && name.at) {
      cq_buf text = {0};
      cq_buf_add_str(&text, name);
      cq_buf_add_text(&text, "_label");
      name = text.failed ? CQ_STR("") : cq_arena_copy(r->arena, cq_buf_str(&text));
      cq_buf_fini(&text);
    }
    if (!name.size) return cq_error_nomem(error);
    c->name = name;
  }
  return CQ_OK;
}

cq_status cq_rows_open(cq_rows **out, cq_desk *desk, cq_str form_id, const cq_rows_options *options, cq_error *error) {
  cq_rows *r = calloc(1, sizeof *r);
  *out = NULL;
  if (!r) return cq_error_nomem(error);
  r->desk = desk;
  r->options = *options;
  r->arena = cq_arena_new(0);
  r->scratch = cq_arena_new(0);
  cq_status status = r->arena && r->scratch ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) {
    r->form_id = cq_arena_copy(r->arena, form_id);
    status = load_versions(r, error);
  }
  if (status == CQ_OK) status = add_table(r, r->form_id, CQ_STR(""), envelope_names, ENVELOPE, error);
  for (size_t v = 0; status == CQ_OK && v < r->version_count; v++)
    for (size_t f = 0; status == CQ_OK && f < cq_form_field_count(r->versions[v].form); f++)
      status = place_field(r, &r->versions[v], cq_form_field(r->versions[v].form, f), error);
  for (size_t t = 0; status == CQ_OK && t < r->table_count; t++) {
    status = name_columns(r, t, error);
    if (status == CQ_OK && !(r->rows[t].cells = calloc(r->tables[t].count, sizeof(cq_str))))
      status = cq_error_nomem(error);
  }
  if (status == CQ_OK)
    *out = r;
  else
    cq_rows_free(r);
  return status;
}

void cq_rows_free(cq_rows *r) {
  if (!r) return;
  for (size_t t = 0; t < r->table_count; t++) {
    free(r->tables[t].columns);
    free(r->rows[t].cells);
  }
  for (size_t v = 0; v <= r->version_count && v < MAX_VERSIONS; v++) cq_form_free(r->versions[v].form);
  cq_arena_free(r->arena);
  cq_arena_free(r->scratch);
  free(r);
}

size_t cq_rows_tables(const cq_rows *r) {
  return r->table_count;
}

const cq_rows_table *cq_rows_table_at(const cq_rows *r, size_t index) {
  return &r->tables[index];
}

size_t cq_rows_left_out(const cq_rows *r) {
  return r->left_out;
}

/* --- reading --- */

static cq_status end_row(cq_rows *r, size_t table, cq_error *error) {
  open_row *row = &r->rows[table];
  if (!row->open) return CQ_OK;
  row->open = false;
  cq_status status = r->each(r->context, table, row->cells, error);
  memset(row->cells, 0, r->tables[table].count * sizeof *row->cells);
  return status;
}

static cq_str copied(cq_rows *r, cq_str text) {
  return text.size ? cq_arena_copy(r->scratch, text) : CQ_STR("");
}

/* "uuid:…/miembro[2]/cultivo[1]": the key of a repeat's row, and of the one that it stands in. */
static cq_status row_keys(cq_rows *r, const cq_saved_value *value, cq_str *key, cq_str *parent, cq_error *error) {
  const cq_field *chain[128];
  size_t depth = 0;
  cq_buf text = {0};
  for (const cq_field *f = value->field; f && depth < 128;) {
    if (f->is_repeat) chain[depth++] = f;
    f = f->parent == CQ_FIELD_NONE ? NULL : cq_form_field(r->reading->form, f->parent);
  }
  cq_buf_add_str(&text, r->rows[0].cells[KEY]);
  *parent = copied(r, cq_buf_str(&text));
  for (size_t i = 0; i < depth && i < value->depth; i++) {
    if (i + 1 == depth) *parent = copied(r, cq_buf_str(&text));
    cq_buf_add_char(&text, '/');
    cq_buf_add_str(&text, chain[depth - 1 - i]->name);
    cq_buf_addf(&text, "[%u]", (unsigned)value->positions[i]);
  }
  *key = copied(r, cq_buf_str(&text));
  bool failed = text.failed || !key->at || !parent->at;
  cq_buf_fini(&text);
  return failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status begin_row(cq_rows *r, size_t table, const cq_saved_value *value, cq_error *error) {
  char position[16];
  cq_status status = end_row(r, table, error);
  if (status != CQ_OK) return status;
  cq_str *cells = r->rows[table].cells;
  r->rows[table].open = true;
  snprintf(position, sizeof position, "%u", value->depth ? (unsigned)value->positions[value->depth - 1] : 0);
  cells[POSITION] = copied(r, cq_str_from(position));
  return row_keys(r, value, &cells[ROW_KEY], &cells[PARENT_KEY], error);
}

/* The labels of the codes chosen, with ", " between; a code without a label stands for itself. */
static cq_status labels_of(cq_rows *r, cq_rows_column *column, cq_str codes, cq_str *labels, cq_error *error);

static cq_status take_value(void *context, const cq_saved_value *value, cq_error *error) {
  cq_rows *r = context;
  const place *to = &r->reading->places[value->field->index];
  if (to->table == SIZE_MAX) return CQ_OK;
  if (value->field->is_repeat) return begin_row(r, to->table, value, error);
  if (!value->text.size) return CQ_OK;
  cq_str *cells = r->rows[to->table].cells;
  cells[to->column] = copied(r, value->text);
  if (!cells[to->column].at) return cq_error_nomem(error);
  const cq_rows_table *t = &r->tables[to->table];
  if (to->column + 1 == t->count || !t->columns[to->column + 1].is_label) return CQ_OK;
  return labels_of(r, &t->columns[to->column], value->text, &cells[to->column + 1], error);
}

static size_t language_of(const cq_rows *r, const cq_form *form) {
  const char *asked = r->options.language;
  if (!asked) return cq_form_default_language(form);
  for (size_t i = 0; i < cq_form_language_count(form); i++) {
    cq_str name = cq_form_language(form, i);
    char code[32];
    snprintf(code, sizeof code, "(%s)", asked);
    if (cq_str_is(name, asked)) return i;
    if (name.size > strlen(code) && memcmp(name.at + name.size - strlen(code), code, strlen(code)) == 0) return i;
  }
  return cq_form_default_language(form);
}

cq_status cq_rows_choices(cq_rows *r, cq_rows_column *column, const cq_choices **choices, cq_error *error) {
  if (!column->choices) {
    cq_choices *all = cq_arena_alloc(r->arena, sizeof *all);
    if (!all) return cq_error_nomem(error);
    cq_status status =
        cq_form_choices(column->form, column->field->index, language_of(r, column->form), r->arena, all, error);
    if (status != CQ_OK) return status;
    column->choices = all;
  }
  *choices = column->choices;
  return CQ_OK;
}

/* --- for people --- */

cq_status cq_rows_label(const cq_rows *r, const cq_rows_column *column, cq_buf *label, cq_error *error) {
  if (!column->field) {
    cq_buf_add_str(label, cq_words_column(column->name));
    return label->failed ? cq_error_nomem(error) : CQ_OK;
  }
  cq_buf text = {0};
  cq_status status = cq_form_label(column->form, column->field->index, language_of(r, column->form), &text, error);
  cq_str said = cq_str_trim(status == CQ_OK && text.size ? cq_buf_str(&text) : column->name);
  bool blank = false;
  for (size_t i = 0; i < said.size; i++) { /* breaks and runs of blanks are one blank */
    bool space = (unsigned char)said.at[i] <= ' ';
    if (!space || !blank) cq_buf_add_char(label, space ? ' ' : said.at[i]);
    blank = space;
  }
  if (status == CQ_OK && (text.failed || label->failed)) status = cq_error_nomem(error);
  cq_buf_fini(&text);
  return status;
}

cq_str cq_rows_word(const cq_rows_column *column, cq_str cell) {
  return !column->field && cq_str_is(column->name, envelope_names[RESULT]) ? cq_words_result(cell) : cell;
}

bool cq_rows_may_be_number(const cq_rows_column *column) {
  return column->field && !column->is_label && column->field->is_calculated && column->field->type == CQ_TYPE_STRING &&
         !is_select(column->field);
}

bool cq_rows_for_programs(const cq_rows_column *column) {
  static const char *const names[] = {"KEY",   "PARENT_KEY", "begun", "finished", "version",
                                      "start", "end",        "today", "deviceid", "username"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (cq_str_is(column->name, names[i])) return true;
  return false;
}

cq_str cq_rows_title(const cq_rows *r) {
  return cq_form_title(r->versions[0].form);
}

static cq_status labels_of(cq_rows *r, cq_rows_column *column, cq_str codes, cq_str *labels, cq_error *error) {
  const cq_choices *choices = NULL;
  cq_buf text = {0};
  cq_status status = cq_rows_choices(r, column, &choices, error);
  for (size_t from = 0; status == CQ_OK && from < codes.size;) {
    size_t to = from;
    while (to < codes.size && codes.at[to] != ' ') to++;
    cq_str code = {codes.at + from, to - from}, label = code;
    for (size_t i = 0; i < choices->count; i++)
      if (cq_str_equal(choices->items[i].value, code) && choices->items[i].label.size) label = choices->items[i].label;
    if (from) cq_buf_add_text(&text, ", ");
    cq_buf_add_str(&text, label);
    from = to + 1;
  }
  if (status == CQ_OK) {
    *labels = copied(r, cq_buf_str(&text));
    if (text.failed || !labels->at) status = cq_error_nomem(error);
  }
  cq_buf_fini(&text);
  return status;
}

static const version *version_of(const cq_rows *r, cq_str hash) {
  for (size_t v = 0; v < r->version_count; v++)
    if (hash.size == 32 && memcmp(r->versions[v].hash.at, hash.at, 32) == 0) return &r->versions[v];
  return NULL;
}

enum {
  S_NAME,
  S_BYTES,
  S_HASH,
  S_INSTANCE,
  S_SEASON,
  S_RESULT,
  S_REASON,
  S_DAY,
  S_TECHNICIAN,
  S_DEVICE,
  S_BEGUN,
  S_FINISHED
};
static const char select_sql[] =
    "SELECT r.name, r.bytes, v.form_hash, v.instance, v.season, v.result, v.reason, v.day, v.technician, v.device, "
    "v.begun_utc_ms, v.finished_utc_ms FROM visit v JOIN record r ON r.id = v.id "
    "WHERE v.form_id = ?1 AND (?2 OR (v.voided = 0 AND v.edited = 0)) ORDER BY v.day, v.finished_utc_ms, r.name";

static void put_envelope(cq_rows *r, sqlite3_stmt *s, cq_error *error) {
  cq_str *cells = r->rows[0].cells;
  char text[80], date[11];
  cq_hash name = {{0}};
  cq_device_id device = {{0}};
  const char *result = cq_result_name((cq_result)sqlite3_column_int(s, S_RESULT));
  if (cq_desk_column(s, S_NAME, name.at, sizeof name.at, error) != CQ_OK ||
      cq_desk_column(s, S_DEVICE, device.at, sizeof device.at, error) != CQ_OK)
    return;
  cells[KEY] = copied(r, cq_desk_text(s, S_INSTANCE));
  cells[SEASON] = copied(r, cq_desk_text(s, S_SEASON));
  cells[RESULT] = cq_str_from(result);
  cells[REASON] = copied(r, cq_desk_text(s, S_REASON));
  cells[WORKING_DATE] = copied(r, cq_str_from(cq_date_format(cq_date_from_day(sqlite3_column_int(s, S_DAY)), date)));
  cells[TECHNICIAN] = copied(r, cq_desk_text(s, S_TECHNICIAN));
  cq_device_id_hex(&device, text);
  cells[DEVICE] = copied(r, (cq_str){text, 8});
  cells[BEGUN] = copied(r, cq_str_from(cq_time_format_utc(sqlite3_column_int64(s, S_BEGUN), text)));
  cells[FINISHED] = copied(r, cq_str_from(cq_time_format_utc(sqlite3_column_int64(s, S_FINISHED), text)));
  cells[VERSION] = r->reading->name;
  cells[RECORD] = copied(r, (cq_str){cq_hash_hex(&name, text), 16});
}

static cq_status read_record(cq_rows *r, sqlite3_stmt *s, size_t *unreadable, cq_error *error) {
  cq_record record;
  cq_error wrong;
  cq_arena_reset(r->scratch);
  r->reading = version_of(r, cq_desk_text(s, S_HASH));
  cq_str bytes;
  cq_status status = cq_desk_record(r->desk, s, S_BYTES, &bytes, error);
  if (status == CQ_OK) status = cq_record_parse(&record, bytes, r->scratch, error);
  if (status != CQ_OK) return status;
  if (!r->reading) {
    ++*unreadable;
    return CQ_OK;
  }
  for (size_t t = 0; t < r->table_count; t++) {
    r->rows[t].open = false;
    memset(r->rows[t].cells, 0, r->tables[t].count * sizeof *r->rows[t].cells);
  }
  r->rows[0].open = true;
  put_envelope(r, s, error);
  cq_error_clear(&wrong);
  status = cq_form_read(r->reading->form, record.instance_xml, take_value, r, NULL, &wrong);
  if (status != CQ_OK) {
    if (status != CQ_INVALID) {
      if (error) *error = wrong;
      return status;
    }
    ++*unreadable;
    return CQ_OK;
  }
  for (size_t t = 0; t < r->table_count && status == CQ_OK; t++) status = end_row(r, t, error);
  return status;
}

cq_status cq_rows_read(cq_rows *r, cq_rows_each each, void *context, size_t *records, size_t *unreadable,
                       cq_error *error) {
  sqlite3_stmt *s = NULL;
  r->each = each;
  r->context = context;
  *records = *unreadable = 0;
  cq_status status = cq_desk_prepare(r->desk, &s, select_sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, r->form_id.at, (int)r->form_id.size, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, r->options.all);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(r->desk, s, &row, error)) != CQ_OK || !row) break;
    status = read_record(r, s, unreadable, error);
    ++*records;
    if (status == CQ_OK && *records % 256 == 0) status = cq_cli_cancelled(error);
  }
  sqlite3_finalize(s);
  return status;
}

/* --- files --- */

typedef struct filing {
  cq_rows *rows;
  const cq_record *record;
  cq_rows_file *files; /* of this record, as it lists them */
} filing;

/* "uuid:…", or of a repeat's row "uuid:…/parcela[2]". */
static cq_status file_value(void *context, const cq_saved_value *value, cq_error *error) {
  filing *it = context;
  cq_str parent;
  if (value->field->control != CQ_CONTROL_UPLOAD || value->text.size == 0) return CQ_OK;
  for (size_t i = 0; i < it->record->attachment_count; i++) {
    cq_rows_file *file = &it->files[i];
    if (file->field || !cq_str_equal(file->name, value->text)) continue;
    file->field = value->field;
    return row_keys(it->rows, value, &file->key, &parent, error);
  }
  return CQ_OK;
}

static cq_status files_of_record(cq_rows *r, sqlite3_stmt *s, cq_rows_file_each each, void *context, size_t *left_out,
                                 cq_error *error) {
  cq_record record = {0};
  cq_error wrong;
  cq_arena_reset(r->scratch);
  cq_error_clear(&wrong);
  r->reading = version_of(r, cq_desk_text(s, S_HASH));
  cq_str bytes;
  cq_status status = cq_desk_record(r->desk, s, S_BYTES, &bytes, error);
  if (status == CQ_OK) status = cq_record_parse(&record, bytes, r->scratch, error);
  if (status != CQ_OK || record.attachment_count == 0) return status;
  cq_rows_file *files = cq_arena_array(r->scratch, record.attachment_count, sizeof *files);
  if (!files) return cq_error_nomem(error);
  r->rows[0].cells[KEY] = copied(r, cq_desk_text(s, S_INSTANCE));
  for (size_t i = 0; i < record.attachment_count; i++)
    files[i] = (cq_rows_file){.key = r->rows[0].cells[KEY],
                              .name = record.attachments[i].name,
                              .hash = record.attachments[i].hash,
                              .size = record.attachments[i].size};
  filing it = {.rows = r, .record = &record, .files = files};
  if (r->reading) status = cq_form_read(r->reading->form, record.instance_xml, file_value, &it, NULL, &wrong);
  if (status != CQ_OK && status != CQ_INVALID) {
    if (error) *error = wrong;
    return status;
  }
  status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < record.attachment_count; i++) {
    bool hidden = !files[i].field || files[i].field->privacy == CQ_PRIVACY_DIRECT;
    if (hidden && !r->options.identified)
      ++*left_out;
    else
      status = each(context, &files[i], error);
  }
  r->rows[0].cells[KEY] = CQ_STR("");
  return status;
}

cq_status cq_rows_files(cq_rows *r, cq_rows_file_each each, void *context, size_t *left_out, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t records = 0;
  *left_out = 0;
  cq_status status = cq_desk_prepare(r->desk, &s, select_sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, r->form_id.at, (int)r->form_id.size, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, r->options.all);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(r->desk, s, &row, error)) != CQ_OK || !row) break;
    status = files_of_record(r, s, each, context, left_out, error);
    if (status == CQ_OK && ++records % 256 == 0) status = cq_cli_cancelled(error);
  }
  sqlite3_finalize(s);
  return status;
}

cq_status cq_rows_forms(cq_desk *desk, cq_forms_each each, void *context, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status =
      cq_desk_prepare(desk, &s,
                      "SELECT f.id, max(f.title), (SELECT count(*) FROM visit v WHERE v.form_id = f.id AND "
                      "v.voided = 0 AND v.edited = 0) FROM form f GROUP BY f.id ORDER BY f.id",
                      error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = each(context, cq_desk_text(s, 0), cq_desk_text(s, 1), sqlite3_column_int64(s, 2), error);
  }
  sqlite3_finalize(s);
  return status;
}
