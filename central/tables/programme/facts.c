/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/programme/facts.h"

#include "central/tables/survey/data.h"
#include "chasqui/clock.h"
#include "chasqui/csv.h"

#include <stdlib.h>
#include <string.h>

enum { KEY = 0, MAX_FACTS = 20000000, MAX_LIST_ROWS = 2000000 };

static bool among_columns(const cq_facts *f, size_t table, cq_str name, size_t *cell) {
  const cq_rows_table *t = cq_rows_table_at(f->rows, table);
  for (size_t c = 0; c < t->count; c++) {
    if (!cq_str_equal(t->columns[c].name, name) || t->columns[c].is_label) continue;
    *cell = c;
    return true;
  }
  return false;
}

cq_status cq_facts_open(cq_facts *f, cq_desk *desk, cq_str form, cq_str repeat, const char *language, cq_error *error) {
  cq_rows_options options = {.language = language, .identified = true};
  memset(f, 0, sizeof *f);
  f->desk = desk;
  f->arena = cq_arena_new(0);
  cq_status status = f->arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) {
    f->form = cq_arena_copy(f->arena, form);
    status = cq_rows_open(&f->rows, desk, form, &options, error);
  }
  for (size_t t = 1; status == CQ_OK && repeat.size && !f->table && t < cq_rows_tables(f->rows); t++) {
    cq_str path = cq_rows_table_at(f->rows, t)->path;
    size_t from = path.size;
    while (from && path.at[from - 1] != '/') from--;
    if (cq_str_equal((cq_str){path.at + from, path.size - from}, repeat)) f->table = t;
  }
  if (status == CQ_OK && repeat.size && !f->table) {
    char name[96];
    size_t size = repeat.size < sizeof name ? repeat.size : sizeof name - 1;
    memcpy(name, repeat.at, size);
    name[size] = '\0';
    status = cq_error_set(error, CQ_NOTFOUND, "desk.form.repeat", name, NULL);
  }
  return status;
}

void cq_facts_close(cq_facts *f) {
  cq_rows_free(f->rows);
  cq_arena_free(f->arena);
  free(f->at);
  memset(f, 0, sizeof *f);
}

size_t cq_facts_field(cq_facts *f, cq_str name) {
  for (size_t i = 0; i < f->field_count; i++)
    if (cq_str_equal(f->fields[i].name, name)) return i;
  if (f->field_count == CQ_FACTS_MAX_FIELDS || !name.size) return SIZE_MAX;
  cq_fact_field *field = &f->fields[f->field_count];
  *field = (cq_fact_field){.name = cq_arena_copy(f->arena, name), .missing = SIZE_MAX};
  if (!field->name.at) return SIZE_MAX;
  if (name.at[0] == '@') {
    cq_str dataset = {field->name.at + 1, name.size - 1};
    if (f->dataset.size && !cq_str_equal(f->dataset, dataset)) return SIZE_MAX;
    f->dataset = dataset;
    return f->field_count++;
  }
  field->in_repeat = f->table && among_columns(f, f->table, name, &field->cell);
  size_t table = field->in_repeat ? f->table : 0;
  if (!field->in_repeat && !among_columns(f, 0, name, &field->cell)) return SIZE_MAX;
  field->column = &cq_rows_table_at(f->rows, table)->columns[field->cell];
  const cq_field *of = field->column->field;
  if (of && of->missing_at != CQ_FIELD_NONE) {
    const cq_field *code = cq_form_field(field->column->form, of->missing_at);
    const cq_rows_table *t = cq_rows_table_at(f->rows, table);
    for (size_t c = 0; c < t->count; c++)
      if (t->columns[c].field && cq_str_equal(t->columns[c].field->path, code->path)) field->missing = c;
  }
  return f->field_count++;
}

/* --- reading --- */

/* A row as it was told, until the whole form was read: rows of a repeat come before and after their record's own. */
typedef struct told {
  cq_str parent;
  cq_str *cells;
} told;

typedef struct reading {
  cq_facts *f;
  cq_levels keys; /* of main rows */
  told *mains, *parts;
  size_t main_count, main_capacity, part_count, part_capacity;
} reading;

static cq_status keep_told(reading *r, bool main, const cq_str *cells, cq_error *error) {
  cq_facts *f = r->f;
  told **at = main ? &r->mains : &r->parts;
  size_t *count = main ? &r->main_count : &r->part_count, *capacity = main ? &r->main_capacity : &r->part_capacity;
  if (*count == MAX_FACTS) return cq_error_set(error, CQ_LIMIT, "tables.large", NULL);
  if (*count == *capacity) {
    size_t wider = *capacity ? *capacity * 2 : 256;
    told *more = realloc(*at, wider * sizeof *more);
    if (!more) return cq_error_nomem(error);
    *at = more;
    *capacity = wider;
  }
  /* for the main row also its result, its date and its name, which stand after the fields */
  size_t extra = main ? 3 : 0, width = 2 * f->field_count + extra + 1;
  told *row = &(*at)[(*count)++];
  row->cells = cq_arena_array(f->arena, width, sizeof *row->cells);
  row->parent = cq_arena_copy(f->arena, cells[main ? KEY : KEY + 1]);
  if (!row->cells || !row->parent.at) return cq_error_nomem(error);
  for (size_t i = 0; i < f->field_count; i++) {
    const cq_fact_field *field = &f->fields[i];
    if (!field->column || field->in_repeat == main) continue;
    const cq_str said = cells[field->cell], code = field->missing == SIZE_MAX ? CQ_STR("") : cells[field->missing];
    row->cells[2 * i] = said.size ? cq_arena_copy(f->arena, said) : CQ_STR("");
    row->cells[2 * i + 1] = code.size ? cq_arena_copy(f->arena, code) : CQ_STR("");
  }
  return CQ_OK;
}

static cq_status take_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  reading *r = context;
  static const char *const wanted[3] = {"result", "working_date", "record"};
  if (table && table != r->f->table) return CQ_OK;
  cq_status status = keep_told(r, table == 0, cells, error);
  if (status != CQ_OK || table) return status;
  told *row = &r->mains[r->main_count - 1];
  const cq_rows_table *t = cq_rows_table_at(r->f->rows, 0);
  for (size_t w = 0; w < 3; w++)
    for (size_t c = 0; c < t->count && !t->columns[c].field; c++)
      if (cq_str_is(t->columns[c].name, wanted[w]))
        row->cells[2 * r->f->field_count + w] = cq_arena_copy(r->f->arena, cells[c]);
  return cq_levels_number(&r->keys, row->parent) == UINT32_MAX ? cq_error_nomem(error) : CQ_OK;
}

static cq_status add_fact(cq_facts *f, const told *main, const cq_str *cells, cq_error *error) {
  cq_date date;
  if (f->count == f->capacity) {
    size_t capacity = f->capacity ? f->capacity * 2 : 256;
    cq_fact *more = realloc(f->at, capacity * sizeof *more);
    if (!more) return cq_error_nomem(error);
    f->at = more;
    f->capacity = capacity;
  }
  cq_fact *fact = &f->at[f->count++];
  *fact = (cq_fact){.cells = cells, .record = main->cells[2 * f->field_count + 2]};
  if (cq_date_parse(main->cells[2 * f->field_count + 1], &date)) fact->day = cq_date_to_day(date);
  return CQ_OK;
}

static bool counts(const cq_facts *f, const told *main, bool partial) {
  cq_str result = main->cells[2 * f->field_count];
  return cq_str_is(result, "complete") || (partial && cq_str_is(result, "partial"));
}

/* Cells of the repeat's row, with those of the record around it. */
static void complete_cells(const cq_facts *f, const told *main, told *part) {
  for (size_t i = 0; i < f->field_count; i++) {
    if (!f->fields[i].column || f->fields[i].in_repeat) continue;
    part->cells[2 * i] = main->cells[2 * i];
    part->cells[2 * i + 1] = main->cells[2 * i + 1];
  }
}

static cq_status make_facts(reading *r, bool partial, cq_error *error) {
  cq_facts *f = r->f;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < r->main_count; i++) {
    bool in = counts(f, &r->mains[i], partial);
    f->records += in;
    f->partial += !in && cq_str_is(r->mains[i].cells[2 * f->field_count], "partial");
    if (in && !f->table) status = add_fact(f, &r->mains[i], r->mains[i].cells, error);
  }
  for (size_t i = 0; status == CQ_OK && f->table && i < r->part_count; i++) {
    uint32_t main = cq_levels_find(&r->keys, r->parts[i].parent);
    if (main == UINT32_MAX || !counts(f, &r->mains[main], partial)) continue;
    complete_cells(f, &r->mains[main], &r->parts[i]);
    status = add_fact(f, &r->mains[main], r->parts[i].cells, error);
  }
  return status;
}

/* The entity of the data set that each record is about: the first, by id. */
static cq_status read_subjects(cq_facts *f, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_levels names = {0};
  cq_str *subjects = NULL;
  size_t capacity = 0;
  cq_status status = cq_desk_prepare(
      f->desk, &s,
      "SELECT lower(substr(hex(r.name), 1, 16)), CASE WHEN substr(s.entity, 1, 5) = 'uuid:' THEN substr(s.entity, 6) "
      "ELSE s.entity END FROM visit_subject s JOIN visit v ON v.id = s.id JOIN record r ON r.id = v.id WHERE "
      "s.dataset = ?1 AND v.form_id = ?2 ORDER BY s.entity",
      error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, f->dataset.at, (int)f->dataset.size, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, f->form.at, (int)f->form.size, SQLITE_STATIC);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(f->desk, s, &row, error)) != CQ_OK || !row) break;
    size_t before = names.count;
    uint32_t at = cq_levels_number(&names, cq_arena_copy(f->arena, cq_desk_text(s, 0)));
    if (names.count > capacity) {
      capacity = capacity ? capacity * 2 : 256;
      cq_str *more = realloc(subjects, capacity * sizeof *more);
      if (!more) {
        status = cq_error_nomem(error);
        break;
      }
      subjects = more;
    }
    if (at == UINT32_MAX)
      status = cq_error_nomem(error);
    else if (names.count > before)
      subjects[at] = cq_arena_copy(f->arena, cq_desk_text(s, 1));
  }
  for (size_t i = 0; status == CQ_OK && subjects && i < f->count; i++) {
    uint32_t at = cq_levels_find(&names, f->at[i].record);
    if (at != UINT32_MAX) f->at[i].subject = subjects[at];
  }
  sqlite3_finalize(s);
  cq_levels_fini(&names);
  free(subjects);
  return status;
}

cq_status cq_facts_read(cq_facts *f, bool partial, cq_error *error) {
  reading r = {.f = f};
  size_t records;
  cq_status status = cq_rows_read(f->rows, take_row, &r, &records, &f->unreadable, error);
  if (status == CQ_OK) status = make_facts(&r, partial, error);
  if (status == CQ_OK && f->dataset.size) status = read_subjects(f, error);
  for (size_t i = 0; status == CQ_OK && i < f->field_count; i++) {
    if (f->fields[i].column) continue;
    for (size_t k = 0; k < f->count; k++) ((cq_str *)f->at[k].cells)[2 * i] = f->at[k].subject;
  }
  cq_levels_fini(&r.keys);
  free(r.mains);
  free(r.parts);
  return status;
}

cq_str cq_fact_value(const cq_fact *fact, size_t field) {
  return fact->cells[2 * field];
}

cq_value_kind cq_fact_kind(const cq_fact *fact, size_t field) {
  if (fact->cells[2 * field].size) return CQ_VALUE_SAID;
  cq_str code = fact->cells[2 * field + 1];
  return !code.size ? CQ_VALUE_BLANK : cq_str_is(code, "na") ? CQ_VALUE_NA : CQ_VALUE_UNKNOWN;
}

cq_str cq_fact_first(const cq_fact *fact, const size_t *fields, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (cq_fact_value(fact, fields[i]).size) return cq_fact_value(fact, fields[i]);
  return CQ_STR("");
}

/* --- conditions --- */

bool cq_conditions_bind(cq_conditions *c, const cq_filters *filters, cq_facts *facts, cq_str *missing) {
  c->count = filters->count;
  for (size_t i = 0; i < filters->count; i++) {
    c->at[i] = filters->at[i];
    c->field[i] = cq_facts_field(facts, filters->at[i].field);
    *missing = filters->at[i].field;
    if (c->field[i] == SIZE_MAX) return false;
  }
  return true;
}

static bool has_word(cq_str words, cq_str word) {
  for (size_t from = 0; from < words.size;) {
    size_t to = from;
    while (to < words.size && words.at[to] != ' ') to++;
    if (cq_str_equal((cq_str){words.at + from, to - from}, word)) return true;
    from = to + 1;
  }
  return false;
}

bool cq_conditions_hold(const cq_conditions *c, const cq_fact *fact) {
  for (size_t i = 0; i < c->count; i++) {
    cq_str value = cq_fact_value(fact, c->field[i]);
    bool holds = c->at[i].among ? has_word(value, c->at[i].value) : cq_str_equal(value, c->at[i].value);
    if (holds == c->at[i].unlike) return false;
  }
  return true;
}

/* --- who is one with whom --- */

cq_status cq_same_read(cq_same *same, cq_desk *desk, cq_str dataset, cq_error *error) {
  sqlite3_stmt *s = NULL;
  memset(same, 0, sizeof *same);
  cq_status status = (same->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &s, "SELECT id, stays FROM entity_same WHERE dataset = ?1 ORDER BY id", error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, dataset.size ? dataset.at : "", (int)dataset.size, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    if (same->count == same->capacity) {
      size_t capacity = same->capacity ? same->capacity * 2 : 64;
      void *more = realloc(same->at, capacity * sizeof *same->at);
      if (!more) {
        status = cq_error_nomem(error);
        break;
      }
      same->at = more;
      same->capacity = capacity;
    }
    same->at[same->count].id = cq_arena_copy(same->arena, cq_desk_text(s, 0));
    same->at[same->count++].stays = cq_arena_copy(same->arena, cq_desk_text(s, 1));
  }
  sqlite3_finalize(s);
  return status;
}

void cq_same_fini(cq_same *same) {
  cq_arena_free(same->arena);
  free(same->at);
  memset(same, 0, sizeof *same);
}

cq_str cq_same_of(const cq_same *same, cq_str id) {
  size_t low = 0, high = same ? same->count : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = cq_str_compare(same->at[middle].id, id);
    if (order == 0) return same->at[middle].stays;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return id;
}

/* --- links --- */

static cq_status add_tie(cq_ties *ties, cq_str of, cq_str to, int32_t day, bool ends, cq_error *error) {
  if (ties->count == ties->capacity) {
    size_t capacity = ties->capacity ? ties->capacity * 2 : 256;
    cq_tie *more = realloc(ties->at, capacity * sizeof *more);
    if (!more) return cq_error_nomem(error);
    ties->at = more;
    ties->capacity = capacity;
  }
  cq_tie *tie = &ties->at[ties->count];
  *tie = (cq_tie){.of = cq_arena_copy(ties->arena, of), .day = day, .order = ties->count, .ends = ends};
  tie->to = to.size ? cq_arena_copy(ties->arena, to) : CQ_STR("");
  ties->count++;
  return tie->of.at && tie->to.at ? CQ_OK : cq_error_nomem(error);
}

static cq_status no_field(cq_str form, cq_str field, cq_error *error) {
  char id[96], name[96];
  size_t a = form.size < 95 ? form.size : 95, b = field.size < 95 ? field.size : 95;
  if (a) memcpy(id, form.at, a);
  if (b) memcpy(name, field.at, b);
  id[a] = name[b] = '\0';
  return cq_error_set(error, CQ_NOTFOUND, "tables.field", name, id, NULL);
}

static cq_status bind_fields(cq_facts *f, const cq_fields *fields, size_t *at, cq_error *error) {
  for (size_t i = 0; i < fields->count; i++)
    if ((at[i] = cq_facts_field(f, fields->at[i])) == SIZE_MAX) return no_field(f->form, fields->at[i], error);
  return CQ_OK;
}

static cq_status read_form_event(cq_ties *ties, cq_desk *desk, const cq_link_event *e, const cq_same *same,
                                 cq_error *error) {
  cq_facts f;
  cq_conditions where = {.count = 0}, ends = {.count = 0};
  size_t of[CQ_TABLES_MAX_FIELDS], to[CQ_TABLES_MAX_FIELDS], day = SIZE_MAX;
  cq_str missing = CQ_STR("");
  cq_status status = cq_facts_open(&f, desk, e->form, CQ_STR(""), NULL, error);
  if (status == CQ_OK) status = bind_fields(&f, &e->of, of, error);
  if (status == CQ_OK) status = bind_fields(&f, &e->to, to, error);
  if (status == CQ_OK && e->day.size && (day = cq_facts_field(&f, e->day)) == SIZE_MAX)
    status = no_field(e->form, e->day, error);
  if (status == CQ_OK &&
      (!cq_conditions_bind(&where, &e->where, &f, &missing) || !cq_conditions_bind(&ends, &e->ends, &f, &missing)))
    status = no_field(e->form, missing, error);
  if (status == CQ_OK) status = cq_facts_read(&f, false, error);
  for (size_t i = 0; status == CQ_OK && i < f.count; i++) {
    const cq_fact *fact = &f.at[i];
    cq_date date;
    cq_str who = cq_fact_first(fact, of, e->of.count), what = cq_fact_first(fact, to, e->to.count);
    if (!who.size || (e->to.count && !what.size) || !cq_conditions_hold(&where, fact)) continue;
    bool dated = day != SIZE_MAX && cq_date_parse(cq_fact_value(fact, day), &date);
    status = add_tie(ties, cq_same_of(same, who), what, dated ? cq_date_to_day(date) : fact->day,
                     ends.count && cq_conditions_hold(&ends, fact), error);
  }
  cq_facts_close(&f);
  return status;
}

/* --- a list of the programme, whose rows hold from the beginning --- */

static size_t column_of(const cq_str *head, size_t count, cq_str name) {
  for (size_t i = 0; i < count; i++)
    if (cq_str_equal(cq_str_trim(head[i]), name)) return i;
  return SIZE_MAX;
}

static cq_str cell_of(const cq_str *fields, size_t count, size_t at) {
  return at < count ? cq_str_trim(fields[at]) : CQ_STR("");
}

typedef struct list_columns {
  size_t of, to, where[CQ_TABLES_MAX_FIELDS];
} list_columns;

static cq_status read_list_rows(cq_ties *ties, cq_csv *csv, const cq_link_event *e, cq_error *error) {
  const cq_str *fields;
  size_t count;
  list_columns at = {.of = SIZE_MAX, .to = SIZE_MAX};
  cq_status status = cq_csv_next(csv, &fields, &count, error);
  if (status != CQ_OK) return status;
  at.of = column_of(fields, count, e->of.at[0]);
  if (e->to.count) at.to = column_of(fields, count, e->to.at[0]);
  for (size_t i = 0; i < e->where.count; i++)
    if ((at.where[i] = column_of(fields, count, e->where.at[i].field)) == SIZE_MAX)
      return no_field(e->list, e->where.at[i].field, error);
  if (at.of == SIZE_MAX) return no_field(e->list, e->of.at[0], error);
  for (size_t rows = 0; rows < MAX_LIST_ROWS; rows++) {
    if ((status = cq_csv_next(csv, &fields, &count, error)) != CQ_OK || !count) return status;
    bool holds = true;
    for (size_t i = 0; holds && i < e->where.count; i++)
      holds = cq_str_equal(cell_of(fields, count, at.where[i]), e->where.at[i].value) != e->where.at[i].unlike;
    cq_str who = cell_of(fields, count, at.of);
    if (holds && who.size) status = add_tie(ties, who, cell_of(fields, count, at.to), INT32_MIN, false, error);
    if (status != CQ_OK) return status;
  }
  return cq_error_set(error, CQ_LIMIT, "tables.large", NULL);
}

static cq_status read_list_event(cq_ties *ties, cq_desk *desk, const cq_link_event *e, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = ?1", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, e->list.at, (int)e->list.size, SQLITE_STATIC);
    status = cq_desk_step(desk, s, &row, error);
  }
  if (status == CQ_OK && !row) status = cq_error_set(error, CQ_NOTFOUND, "tables.list", e->list.at, NULL);
  if (status == CQ_OK) {
    cq_csv *csv = cq_csv_new(cq_desk_text(s, 0), 0);
    status = csv ? read_list_rows(ties, csv, e, error) : cq_error_nomem(error);
    cq_csv_free(csv);
  }
  sqlite3_finalize(s);
  return status;
}

static int by_tie(const void *left, const void *right) {
  const cq_tie *a = left, *b = right;
  int order = cq_str_compare(a->of, b->of);
  if (!order) order = cq_str_compare(a->to, b->to);
  if (!order) order = (a->day > b->day) - (a->day < b->day);
  return order ? order : (a->order > b->order) - (a->order < b->order);
}

cq_status cq_ties_read(cq_ties *ties, cq_desk *desk, const cq_link_def *link, const cq_same *same, cq_error *error) {
  memset(ties, 0, sizeof *ties);
  ties->name = link->name;
  cq_status status = (ties->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < link->count; i++)
    status = link->events[i].form.size ? read_form_event(ties, desk, &link->events[i], same, error)
                                       : read_list_event(ties, desk, &link->events[i], error);
  if (status == CQ_OK && ties->count) qsort(ties->at, ties->count, sizeof *ties->at, by_tie);
  return status;
}

void cq_ties_fini(cq_ties *ties) {
  cq_arena_free(ties->arena);
  free(ties->at);
  memset(ties, 0, sizeof *ties);
}

static size_t first_tie(const cq_ties *ties, cq_str of) {
  size_t low = 0, high = ties->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (cq_str_compare(ties->at[middle].of, of) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Of one pair, the last event that had happened by the day says whether the link holds. */
size_t cq_ties_count(const cq_ties *const *links, size_t count, cq_str of, int32_t day) {
  size_t found = 0;
  const cq_ties *ties = links[0];
  for (size_t i = first_tie(ties, of); i < ties->count && cq_str_equal(ties->at[i].of, of);) {
    bool holds = false;
    cq_str to = ties->at[i].to;
    for (; i < ties->count && cq_str_equal(ties->at[i].of, of) && cq_str_equal(ties->at[i].to, to); i++)
      if (ties->at[i].day <= day) holds = !ties->at[i].ends;
    if (holds) found += count == 1 ? 1 : cq_ties_count(links + 1, count - 1, to, day) > 0;
  }
  return found;
}

int32_t cq_ties_begin(const cq_ties *const *links, size_t count, cq_str of) {
  /* it can only begin on a day of one of the events on the way */
  int32_t first = INT32_MAX;
  const cq_ties *ties = links[0];
  for (size_t i = first_tie(ties, of); i < ties->count && cq_str_equal(ties->at[i].of, of); i++) {
    const cq_tie *tie = &ties->at[i];
    if (tie->ends) continue;
    if (tie->day < first && cq_ties_count(links, count, of, tie->day)) first = tie->day;
    for (size_t k = count > 1 ? first_tie(links[1], tie->to) : 0;
         count > 1 && k < links[1]->count && cq_str_equal(links[1]->at[k].of, tie->to); k++) {
      int32_t day = links[1]->at[k].day;
      if (!links[1]->at[k].ends && day < first && cq_ties_count(links, count, of, day)) first = day;
    }
  }
  return first;
}
