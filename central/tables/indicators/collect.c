/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/collect.h"

#include "central/merge/entities.h"
#include "central/tables/records/rows.h"
#include "chasqui/panel.h"
#include "chasqui/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PERIODS = 200, PROPERTY_MAX = 512 };

/* --- what the desk keeps --- */

cq_status cq_indicators_kept(cq_indicators *all, cq_desk *desk, cq_error *error) {
  sqlite3_stmt *s = NULL;
  memset(all, 0, sizeof *all);
  cq_status status = cq_desk_prepare(desk, &s, "SELECT definition FROM indicator ORDER BY id, version", error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_indicators_read(all, cq_desk_text(s, 0), NULL, 0, error);
  }
  sqlite3_finalize(s);
  return status;
}

static cq_status list_named(cq_desk *desk, const char *name, cq_buf *out, bool *there, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = ?1", error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
  *there = false;
  if (status == CQ_OK) status = cq_desk_step(desk, s, there, error);
  if (status == CQ_OK && *there) cq_buf_add_str(out, cq_desk_text(s, 0));
  sqlite3_finalize(s);
  return status == CQ_OK && out->failed ? cq_error_nomem(error) : status;
}

cq_status cq_collect_programme(cq_desk *desk, cq_calendar **calendar, cq_prices **prices, cq_error *error) {
  cq_buf text = {0};
  bool there;
  *calendar = NULL;
  *prices = NULL;
  cq_status status = list_named(desk, "", &text, &there, error);
  if (status == CQ_OK)
    status = text.size ? cq_calendar_load(calendar, cq_buf_str(&text), error) : cq_calendar_standard(calendar, error);
  cq_buf_reset(&text);
  if (status == CQ_OK) status = list_named(desk, CQ_PRICES_FILE, &text, &there, error);
  if (status == CQ_OK && there) {
    if (!(*prices = calloc(1, sizeof **prices)))
      status = cq_error_nomem(error);
    else
      status = cq_prices_read(*prices, cq_buf_str(&text), error);
  }
  cq_buf_fini(&text);
  return status;
}

/* --- who it stands for --- */

static const char frame_sql[] =
    "SELECT f.id, f.stratum, f.population, f.weight, f.entry, "
    "min(coalesce(f.leave, e.last_day), coalesce(e.last_day, f.leave)), f.place FROM frame f LEFT JOIN entity e ON "
    "e.dataset = f.dataset AND e.id = f.id WHERE f.dataset = ?1 AND NOT EXISTS (SELECT 1 FROM entity_same m WHERE "
    "m.dataset = f.dataset AND m.id = f.id) ORDER BY f.stratum, f.id";

static bool make_room(cq_collected *c, size_t units) {
  c->stratum = calloc(units + 1, sizeof *c->stratum);
  c->weight = calloc(units + 1, sizeof *c->weight);
  c->population = calloc(units + 1, sizeof *c->population);
  c->entry = calloc(units + 1, sizeof *c->entry);
  c->leave = calloc(units + 1, sizeof *c->leave);
  c->place = calloc(units + 1, sizeof *c->place);
  return c->stratum && c->weight && c->population && c->entry && c->leave && c->place;
}

static cq_str kept(cq_collected *c, cq_str text) {
  return text.size ? cq_arena_copy(c->arena, text) : CQ_STR("");
}

static cq_status frame_row(cq_collected *c, sqlite3_stmt *s, size_t u, cq_error *error) {
  cq_str stratum = kept(c, cq_desk_text(s, 1)), id = kept(c, cq_desk_text(s, 0));
  if (!id.at || !stratum.at || (c->stratum[u] = cq_levels_number(&c->strata, stratum)) == UINT32_MAX ||
      cq_levels_number(&c->ids, id) == UINT32_MAX)
    return cq_error_nomem(error);
  bool population = sqlite3_column_type(s, 2) != SQLITE_NULL, weight = sqlite3_column_type(s, 3) != SQLITE_NULL;
  if (population) c->population[c->stratum[u]] = sqlite3_column_double(s, 2);
  c->weight[u] = weight ? sqlite3_column_double(s, 3) : population ? 0 : 1; /* 0: from the stratum's size, below */
  c->entry[u] = sqlite3_column_type(s, 4) == SQLITE_NULL ? -1000000 : sqlite3_column_int(s, 4);
  c->leave[u] = sqlite3_column_type(s, 5) == SQLITE_NULL ? CQ_DAY_NONE : sqlite3_column_int(s, 5);
  c->place[u] = kept(c, cq_desk_text(s, 6));
  return CQ_OK;
}

/* Where only one of weight and stratum's size is said the other follows: w = N/n, N = Σ w. */
static cq_status complete_weights(cq_collected *c, cq_error *error) {
  size_t strata = c->strata.count;
  double *rows = calloc(2 * strata + 1, sizeof *rows);
  if (!rows) return cq_error_nomem(error);
  double *sum = rows + strata;
  for (size_t u = 0; u < c->measure.drawn.units; u++) {
    rows[c->stratum[u]]++;
    sum[c->stratum[u]] += c->weight[u];
  }
  for (size_t u = 0; u < c->measure.drawn.units; u++)
    if (c->weight[u] <= 0) c->weight[u] = c->population[c->stratum[u]] / rows[c->stratum[u]];
  for (size_t h = 0; h < strata; h++) {
    if (c->population[h] <= 0) c->population[h] = sum[h];
    if (c->population[h] < rows[h]) c->population[h] = rows[h]; /* weights that were rounded */
  }
  free(rows);
  return CQ_OK;
}

static cq_status read_frame(cq_collected *c, cq_desk *desk, cq_str dataset, cq_error *error) {
  sqlite3_stmt *s = NULL;
  int64_t most = 0;
  char name[128];
  snprintf(name, sizeof name, "%.*s", (int)(dataset.size < 100 ? dataset.size : 100), dataset.at);
  cq_status status = cq_desk_number(desk, "SELECT count(*) FROM frame", 0, &most, error);
  if (status == CQ_OK && !make_room(c, (size_t)most)) status = cq_error_nomem(error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &s, frame_sql, error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, dataset.at, (int)dataset.size, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = frame_row(c, s, c->measure.drawn.units, error);
    c->measure.drawn.units++;
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && !c->measure.drawn.units)
    status = cq_error_set(error, CQ_NOTFOUND, "desk.indicator.frame", name, NULL);
  return status == CQ_OK ? complete_weights(c, error) : status;
}

/* --- values --- */

typedef struct source {
  cq_rows *rows;
  const cq_indicator *indicator;
  const cq_rows_table *main, *part; /* part: of the repeat, NULL: the form itself */
  size_t part_index;
} source;

typedef struct reader {
  cq_collected *c;
  cq_desk *desk;
  const cq_calendar *calendar;
  const char *by;
  source from;
  bool memory, counting;
  cq_levels instances; /* of the form's visits: whom each is about, and under which calendar */
  struct visited {
    uint32_t unit;
    int version;
  } * visited;
  size_t visited_capacity;
  sqlite3_stmt *frame_property, *entity_property;
  /* the record at hand; rows of a repeat wait until it is complete */
  cq_arena *arena;
  cq_str key, *main;
  cq_str **parts;
  size_t part_count, part_capacity, units;
  /* the value at hand */
  const cq_str *part;
  uint32_t unit;
  char property[8][PROPERTY_MAX], number[40]; /* several, for an expression may name several */
  size_t property_at;
} reader;

static size_t column_of(const cq_rows_table *t, cq_str name) {
  for (size_t c = 0; t && c < t->count; c++)
    if (cq_str_equal(t->columns[c].name, name) ||
        (t->columns[c].field && !t->columns[c].is_label && cq_str_equal(t->columns[c].field->name, name)))
      return c;
  return SIZE_MAX;
}

static cq_str property_of(reader *r, sqlite3_stmt *s, cq_str name) {
  bool row = false;
  cq_str id = r->c->ids.names[r->unit], dataset = r->from.indicator->dataset, text = CQ_STR("");
  sqlite3_bind_text(s, 1, dataset.at, (int)dataset.size, SQLITE_STATIC);
  sqlite3_bind_text(s, 2, id.at, (int)id.size, SQLITE_STATIC);
  sqlite3_bind_text(s, 3, name.at, (int)name.size, SQLITE_STATIC);
  if (cq_desk_step(r->desk, s, &row, NULL) == CQ_OK && row) text = cq_desk_text(s, 0);
  char *property = r->property[r->property_at++ % 8];
  if (text.size >= PROPERTY_MAX) text.size = 0;
  if (text.size) memcpy(property, text.at, text.size);
  sqlite3_reset(s);
  return (cq_str){property, text.size};
}

/* A field of the repeat's row, of the form, then a property of the person: of the frame, which is frozen, before what
 * records say. */
static cq_str look_up(void *context, cq_str name) {
  reader *r = context;
  const cq_indicator *i = r->from.indicator;
  if (cq_str_is(name, "threshold") && i->has_threshold) {
    snprintf(r->number, sizeof r->number, "%.17g", i->threshold);
    return cq_str_from(r->number);
  }
  size_t at = r->part ? column_of(r->from.part, name) : SIZE_MAX;
  if (at != SIZE_MAX) return r->part[at];
  if ((at = column_of(r->from.main, name)) != SIZE_MAX) return r->main[at];
  if (!i->dataset.size) return CQ_STR("");
  if (cq_str_is(name, "stratum")) return r->c->strata.names[r->c->stratum[r->unit]];
  cq_str text = property_of(r, r->frame_property, name);
  return text.size ? text : property_of(r, r->entity_property, name);
}

/* Of a name that is blank: whether it was not asked, or says that it does not apply. A calculation without a result
 * lacks a part, which is missing. */
static bool does_not_apply(reader *r, cq_str name) {
  cq_buf sibling = {0};
  bool within = r->part && column_of(r->from.part, name) != SIZE_MAX;
  const cq_rows_table *t = within ? r->from.part : r->from.main;
  const cq_str *row = within ? r->part : r->main;
  size_t at = column_of(t, name);
  if (at == SIZE_MAX || !t->columns[at].field || t->columns[at].field->is_calculated) return false;
  cq_buf_add_str(&sibling, name);
  cq_buf_add_text(&sibling, "_missing");
  size_t code = column_of(t, cq_buf_str(&sibling));
  cq_buf_fini(&sibling);
  cq_str said = code == SIZE_MAX ? CQ_STR("") : row[code];
  return !said.size || cq_str_is(said, "na");
}

static cq_measured_state blank_state(reader *r, const cq_expression *e) {
  cq_measured_state state = CQ_MEASURED_MISSING;
  for (size_t n = 0; e && n < cq_expression_names(e); n++) {
    cq_str name = cq_expression_name(e, n);
    if (cq_str_trim(look_up(r, name)).size) continue;
    if (!does_not_apply(r, name)) return CQ_MEASURED_MISSING;
    state = CQ_MEASURED_NOT_APPLICABLE;
  }
  return state;
}

static cq_status level(reader *r, cq_levels *levels, cq_str name, uint32_t *number, cq_error *error) {
  cq_str text = cq_str_trim(look_up(r, name));
  *number = UINT32_MAX;
  if (!text.size) return CQ_OK;
  if ((*number = cq_levels_find(levels, text)) != UINT32_MAX) return CQ_OK;
  cq_str copy = kept(r->c, text);
  return copy.at && (*number = cq_levels_number(levels, copy)) != UINT32_MAX ? CQ_OK : cq_error_nomem(error);
}

static cq_status value_of(reader *r, cq_measured *m, cq_error *error) {
  const cq_indicator *i = r->from.indicator;
  cq_value y = cq_expression_value(i->numerator, look_up, r), x = {.kind = CQ_VALUE_NUMBER}, inside = x;
  if (i->denominator) x = cq_expression_value(i->denominator, look_up, r);
  inside.number = 1;
  if (i->filter) inside = cq_expression_value(i->filter, look_up, r);
  m->y = y.number;
  m->x = x.number;
  m->inside = inside.kind == CQ_VALUE_MISSING || inside.number != 0;
  m->state = CQ_MEASURED_VALUE;
  if (y.kind == CQ_VALUE_MISSING)
    m->state = (uint8_t)blank_state(r, i->numerator);
  else if (x.kind == CQ_VALUE_MISSING)
    m->state = (uint8_t)blank_state(r, i->denominator);
  else if (inside.kind == CQ_VALUE_MISSING || (i->kind == CQ_ESTIMATE_PROPORTION && y.number != 0 && y.number != 1))
    m->state = CQ_MEASURED_MISSING;
  m->source = (uint8_t)i->source;
  m->group = m->grade = UINT32_MAX;
  cq_status status = r->by ? level(r, &r->c->measure.groups, cq_str_from(r->by), &m->group, error) : CQ_OK;
  if (status == CQ_OK && i->precision.size) status = level(r, &r->c->measure.grades, i->precision, &m->grade, error);
  return status;
}

static cq_status period_of(reader *r, const cq_season_ref *ref, size_t *found, cq_error *error) {
  cq_measure *m = &r->c->measure;
  cq_season season = {0};
  for (*found = 0; *found < m->period_count; ++*found)
    if (cq_season_same(&m->periods[*found].ref, ref)) return CQ_OK;
  bool none = ref->campaign == 0;
  if (m->period_count == MAX_PERIODS || (!none && !cq_calendar_season(r->calendar, CQ_STR(""), ref, 0, &season))) {
    *found = SIZE_MAX;
    return CQ_OK;
  }
  cq_period *p = &m->periods[m->period_count++];
  *p = (cq_period){.ref = *ref, .start = season.start};
  if (!none) p->month_count = cq_season_months(&season, p->months, CQ_PERIOD_MONTHS);
  p->of = calloc(m->drawn.units + 1, sizeof *p->of);
  p->outside = calloc(m->drawn.units + 1, sizeof *p->outside);
  return p->of && p->outside ? CQ_OK : cq_error_nomem(error);
}

/* The season of the value at hand; campaign 0: none. False where it names none that is one. */
static bool season_of(reader *r, cq_season_ref *ref) {
  const cq_indicator *i = r->from.indicator;
  memset(ref, 0, sizeof *ref);
  if (i->once) return true;
  if (!i->season.size) return cq_season_parse(r->main[1], ref);
  int64_t campaign;
  char text[CQ_SEASON_REF_SIZE + 8];
  cq_str code = cq_str_trim(look_up(r, i->season));
  char kept_code[CQ_SEASON_CODE_SIZE];
  if (!code.size || code.size >= sizeof kept_code) return false;
  memcpy(kept_code, code.at, code.size); /* the next look-up may use the same memory */
  kept_code[code.size] = '\0';
  if (!cq_str_int64(cq_str_trim(look_up(r, i->campaign)), &campaign) || campaign < 1 || campaign > 9998) return false;
  snprintf(text, sizeof text, "%d-%s", (int)campaign, kept_code);
  return cq_season_parse(cq_str_from(text), ref);
}

/* Two complete visits about one season are never averaged, and neither counts until somebody decides. */
static void keep_value(cq_measured *at, const cq_measured *m) {
  if (at->state != CQ_MEASURED_ABSENT && at->complete && m->complete) {
    at->state = CQ_MEASURED_CONFLICT;
    return;
  }
  if (at->state == CQ_MEASURED_ABSENT || !at->complete) *at = *m;
}

/* What the visit's envelope says that rows do not: the person, and the version of the calendar. */
static bool visit_of(reader *r, int *version) {
  uint32_t at = cq_levels_find(&r->instances, r->main[0]);
  *version = 0;
  if (at == UINT32_MAX) return false;
  r->unit = r->visited[at].unit;
  *version = r->visited[at].version;
  return r->unit != UINT32_MAX;
}

static cq_status put_visited(reader *r, sqlite3_stmt *s, cq_error *error) {
  cq_str instance = kept(r->c, cq_desk_text(s, 0));
  size_t before = r->instances.count;
  if (!instance.at || cq_levels_number(&r->instances, instance) == UINT32_MAX) return cq_error_nomem(error);
  if (r->instances.count == before) return CQ_OK; /* about several persons of the list: the first of them */
  if (before == r->visited_capacity) {
    size_t capacity = before ? before * 2 : 256;
    struct visited *more = realloc(r->visited, capacity * sizeof *more);
    if (!more) return cq_error_nomem(error);
    r->visited = more;
    r->visited_capacity = capacity;
  }
  r->visited[before] = (struct visited){cq_levels_find(&r->c->ids, cq_desk_text(s, 1)), sqlite3_column_int(s, 2)};
  return CQ_OK;
}

/* All visits of a form at once: one look-up for each record would scan them all each time. */
static cq_status read_visits(reader *r, const cq_indicator *indicator, cq_error *error) {
  static const char sql[] =
      "SELECT a.instance, coalesce(m.stays, a.entity), a.calendar_version FROM (SELECT v.instance, v.calendar_version, "
      "CASE WHEN substr(s.entity, 1, 5) = 'uuid:' THEN substr(s.entity, 6) ELSE s.entity END AS entity FROM "
      "visit_subject s JOIN visit v ON v.id = s.id WHERE s.dataset = ?1 AND v.form_id = ?2) a LEFT JOIN entity_same m "
      "ON "
      "m.dataset = ?1 AND m.id = a.entity";
  sqlite3_stmt *s = NULL;
  cq_levels_fini(&r->instances);
  r->visited_capacity = 0;
  free(r->visited);
  r->visited = NULL;
  if (!indicator->dataset.size) return CQ_OK;
  cq_status status = cq_desk_prepare(r->desk, &s, sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, indicator->dataset.at, (int)indicator->dataset.size, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, indicator->form.at, (int)indicator->form.size, SQLITE_STATIC);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(r->desk, s, &row, error)) != CQ_OK || !row) break;
    status = put_visited(r, s, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* Registered long after its season was over is told from memory. */
static void mark_late(const reader *r, const cq_season_ref *ref, int version, cq_measured *m) {
  cq_season season;
  cq_date day;
  if (m->source != CQ_SOURCE_REGISTERED || r->from.indicator->season.size || r->from.indicator->once) return;
  cq_str place = r->from.indicator->dataset.size ? r->c->place[r->unit] : CQ_STR("");
  if (!cq_date_parse(r->main[4], &day) || !cq_calendar_season(r->calendar, place, ref, version, &season)) return;
  if (cq_date_to_day(day) - season.end > season.grace) m->source = CQ_SOURCE_RECALLED;
}

static cq_status take_value(reader *r, cq_error *error) {
  cq_collected *c = r->c;
  cq_season_ref ref;
  cq_measured m = {0};
  int version = 0;
  size_t period = 0;
  cq_status status = CQ_OK;
  if (r->from.indicator->dataset.size) {
    if (!visit_of(r, &version)) {
      c->strangers++;
      return CQ_OK;
    }
  } else {
    r->unit = (uint32_t)r->units++;
  }
  if (!season_of(r, &ref)) {
    c->unknown++;
    return CQ_OK;
  }
  if ((status = period_of(r, &ref, &period, error)) != CQ_OK) return status;
  if (period == SIZE_MAX) {
    c->unknown++;
    return CQ_OK;
  }
  if ((status = value_of(r, &m, error)) != CQ_OK) return status;
  m.complete = cq_str_is(r->main[2], "complete");
  if (!r->memory) mark_late(r, &ref, version, &m);
  cq_period *p = &c->measure.periods[period];
  if (r->memory && !p->memory && !(p->memory = calloc(c->measure.drawn.units + 1, sizeof *p->memory)))
    return cq_error_nomem(error);
  keep_value(r->memory ? &p->memory[r->unit] : &p->of[r->unit], &m);
  return CQ_OK;
}

/* Who was found to have died or moved away is outside of later seasons. */
static void note_left(reader *r) {
  int version;
  cq_date day;
  if (!visit_of(r, &version) || !cq_date_parse(r->main[4], &day)) return;
  int32_t *leave = &r->c->leave[r->unit];
  if (*leave == CQ_DAY_NONE || cq_date_to_day(day) < *leave) *leave = cq_date_to_day(day);
}

static cq_status end_record(reader *r, cq_error *error) {
  cq_status status = CQ_OK;
  if (!r->main) return CQ_OK;
  cq_visit visit = {.season_end = CQ_DAY_NONE};
  bool answered = cq_visit_say(&visit, r->main[2], r->main[3]) &&
                  (visit.result == CQ_VISIT_COMPLETE || visit.result == CQ_VISIT_PARTIAL);
  if (visit.left && !r->counting && r->from.indicator->dataset.size) note_left(r);
  size_t values = r->from.part ? r->part_count : 1;
  if (answered && r->counting) r->units += values;
  for (size_t v = 0; answered && !r->counting && status == CQ_OK && v < values; v++) {
    r->part = r->from.part ? r->parts[v] : NULL;
    status = take_value(r, error);
  }
  r->main = NULL;
  r->part_count = 0;
  cq_arena_reset(r->arena);
  return status;
}

static cq_str *row_copy(reader *r, const cq_rows_table *t, const cq_str *cells) {
  cq_str *row = cq_arena_array(r->arena, t->count + 1, sizeof *row);
  for (size_t c = 0; row && c < t->count; c++) {
    row[c] = cells[c].size ? cq_arena_copy(r->arena, cells[c]) : CQ_STR("");
    if (!row[c].at) return NULL;
  }
  return row;
}

/* Rows come repeat by repeat, the form's own row among them: a record is complete when the next one begins. */
static cq_status take_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  reader *r = context;
  bool part = r->from.part && table == r->from.part_index;
  if (table && !part) return CQ_OK;
  cq_str key = cells[table ? 1 : 0];
  const char *slash = memchr(key.at, '/', key.size);
  if (slash) key.size = (size_t)(slash - key.at);
  if (r->key.at && !cq_str_equal(key, r->key)) {
    cq_status status = end_record(r, error);
    if (status != CQ_OK) return status;
    r->key = CQ_STR("");
    r->key.at = NULL;
  }
  if (!r->key.at) r->key = cq_arena_copy(r->arena, key);
  cq_str *row = row_copy(r, part ? r->from.part : r->from.main, cells);
  if (!r->key.at || !row) return cq_error_nomem(error);
  if (!part) {
    r->main = row;
    return CQ_OK;
  }
  if (r->part_count == r->part_capacity) {
    size_t capacity = r->part_capacity ? r->part_capacity * 2 : 32;
    cq_str **parts = realloc(r->parts, capacity * sizeof *parts);
    if (!parts) return cq_error_nomem(error);
    r->parts = parts;
    r->part_capacity = capacity;
  }
  r->parts[r->part_count++] = row;
  return CQ_OK;
}

static cq_status find_part(source *from, cq_error *error) {
  char name[64];
  from->main = cq_rows_table_at(from->rows, 0);
  from->part = NULL;
  if (!from->indicator->rows.size) return CQ_OK;
  for (size_t t = 1; t < cq_rows_tables(from->rows); t++) {
    const cq_rows_table *table = cq_rows_table_at(from->rows, t);
    size_t at = table->path.size;
    while (at && table->path.at[at - 1] != '/') at--;
    if (!cq_str_equal((cq_str){table->path.at + at, table->path.size - at}, from->indicator->rows)) continue;
    from->part = table;
    from->part_index = t;
    return CQ_OK;
  }
  snprintf(name, sizeof name, "%.*s", (int)(from->indicator->rows.size < 60 ? from->indicator->rows.size : 60),
           from->indicator->rows.at);
  return cq_error_set(error, CQ_NOTFOUND, "desk.form.repeat", name, NULL);
}

/* All values of one definition: with `counting` only how many there are. */
static cq_status read_values(reader *r, const cq_indicator *indicator, bool counting, cq_error *error) {
  static const cq_rows_options options = {0};
  size_t records = 0, unreadable = 0;
  r->from = (source){.indicator = indicator};
  r->counting = counting;
  r->units = 0;
  cq_status status = cq_rows_open(&r->from.rows, r->desk, indicator->form, &options, error);
  if (status == CQ_OK) status = find_part(&r->from, error);
  if (status == CQ_OK && !counting) status = read_visits(r, indicator, error);
  if (status == CQ_OK) status = cq_rows_read(r->from.rows, take_row, r, &records, &unreadable, error);
  if (status == CQ_OK) status = end_record(r, error);
  r->main = NULL;
  r->key.at = NULL;
  r->part_count = 0;
  if (!counting) {
    r->c->records += records;
    r->c->unreadable += unreadable;
  }
  cq_rows_free(r->from.rows);
  r->from.rows = NULL;
  return status;
}

/* --- the data cut --- */

static cq_status add_cut(cq_collected *c, cq_desk *desk, const cq_indicator *i, const cq_indicator *memory,
                         cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_hasher hasher;
  cq_hasher_init(&hasher);
  cq_status status = cq_desk_prepare(desk, &s,
                                     "SELECT r.name FROM visit v JOIN record r ON r.id = v.id WHERE v.form_id IN (?1, "
                                     "?2) AND v.voided = 0 AND v.edited = 0 ORDER BY r.name",
                                     error);
  if (status == CQ_OK) {
    cq_str other = memory ? memory->form : i->form;
    sqlite3_bind_text(s, 1, i->form.at, (int)i->form.size, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, other.at, (int)other.size, SQLITE_STATIC);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    cq_str name = cq_desk_text(s, 0);
    cq_hasher_add(&hasher, name.at, name.size);
    c->cut_count++;
  }
  sqlite3_finalize(s);
  c->cut = cq_hasher_end(&hasher);
  return status;
}

/* --- all of it --- */

static int by_start(const void *a, const void *b) {
  const cq_period *x = a, *y = b;
  return (x->start > y->start) - (x->start < y->start);
}

/* Who was not enrolled for half a season is outside of it. Without a sample, who has no value in it is. */
static void mark_outside(cq_collected *c, const cq_calendar *calendar) {
  /* what is recalled was lived before anybody was enrolled: who did not tell it is lost */
  bool registered = c->measure.indicator->source == CQ_SOURCE_REGISTERED;
  for (size_t p = 0; p < c->measure.period_count; p++) {
    cq_period *at = &c->measure.periods[p];
    for (size_t u = 0; u < c->measure.drawn.units; u++) {
      if (at->of[u].state != CQ_MEASURED_ABSENT || (at->memory && at->memory[u].state != CQ_MEASURED_ABSENT)) continue;
      cq_season season;
      cq_person person = {.entry = c->entry[u], .exit = c->leave[u], .weight = 1};
      if (c->measure.census) {
        at->outside[u] = true;
      } else if (registered && !at->memory && at->ref.campaign &&
                 cq_calendar_season(calendar, c->place[u], &at->ref, 0, &season)) {
        cq_cell cell = cq_panel_cell(&season, &person, season.end + 1000);
        at->outside[u] = cell.state == CQ_CELL_NOT_ELIGIBLE || cell.state == CQ_CELL_LEFT;
      }
    }
  }
}

static cq_status census(reader *r, const cq_indicator *indicator, cq_error *error) {
  cq_collected *c = r->c;
  cq_status status = read_values(r, indicator, true, error);
  if (status != CQ_OK) return status;
  size_t units = r->units;
  if (!make_room(c, units) || cq_levels_number(&c->strata, CQ_STR("")) == UINT32_MAX) return cq_error_nomem(error);
  for (size_t u = 0; u < units; u++) c->weight[u] = 1;
  c->population[0] = (double)units;
  c->measure.drawn.units = units;
  c->measure.census = true;
  return CQ_OK;
}

static cq_status prepare(reader *r, cq_error *error) {
  cq_status status =
      cq_desk_prepare(r->desk, &r->frame_property,
                      "SELECT value FROM frame_property WHERE dataset = ?1 AND id = ?2 AND name = ?3", error);
  if (status == CQ_OK)
    status = cq_desk_prepare(r->desk, &r->entity_property,
                             "SELECT value FROM entity_property WHERE dataset = ?1 AND id = ?2 AND name = ?3", error);
  return status;
}

cq_status cq_collect(cq_collected *c, cq_desk *desk, const cq_indicator *indicator, const cq_indicators *all,
                     const cq_calendar *calendar, const char *by, cq_error *error) {
  size_t unreadable = 0;
  memset(c, 0, sizeof *c);
  c->arena = cq_arena_new(0);
  c->measure.indicator = indicator;
  c->measure.periods = calloc(MAX_PERIODS, sizeof *c->measure.periods);
  reader r = {.c = c, .desk = desk, .calendar = calendar, .by = by, .arena = cq_arena_new(0)};
  const cq_indicator *memory =
      all && indicator->recall.size ? cq_indicators_find(all, indicator->recall, 0, indicator->from) : NULL;
  cq_status status = c->arena && r.arena && c->measure.periods ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_entities_update(desk, &unreadable, error);
  if (status == CQ_OK) status = prepare(&r, error);
  if (status == CQ_OK)
    status = indicator->dataset.size ? read_frame(c, desk, indicator->dataset, error) : census(&r, indicator, error);
  if (status == CQ_OK) status = read_values(&r, indicator, false, error);
  r.memory = true;
  if (status == CQ_OK && memory && memory->dataset.size) status = read_values(&r, memory, false, error);
  if (status == CQ_OK) status = add_cut(c, desk, indicator, memory, error);
  cq_measure *m = &c->measure;
  m->drawn.strata = c->strata.count;
  m->drawn.stratum = c->stratum;
  m->drawn.weight = c->weight;
  m->drawn.population = c->population;
  if (status == CQ_OK) mark_outside(c, calendar);
  if (status == CQ_OK && m->period_count) qsort(m->periods, m->period_count, sizeof *m->periods, by_start);
  if (status == CQ_OK) status = cq_measure_calibrate(m, error);
  cq_levels_fini(&r.instances);
  free(r.visited);
  sqlite3_finalize(r.frame_property);
  sqlite3_finalize(r.entity_property);
  cq_arena_free(r.arena);
  free(r.parts);
  return status;
}

cq_status cq_collect_frame(cq_collected *c, cq_desk *desk, const char *dataset, cq_error *error) {
  memset(c, 0, sizeof *c);
  if (!(c->arena = cq_arena_new(0))) return cq_error_nomem(error);
  return read_frame(c, desk, cq_str_from(dataset), error);
}

void cq_collected_fini(cq_collected *c) {
  for (size_t p = 0; c->measure.periods && p < c->measure.period_count; p++) {
    free(c->measure.periods[p].of);
    free(c->measure.periods[p].memory);
    free(c->measure.periods[p].outside);
  }
  free(c->measure.periods);
  free(c->measure.factor_of);
  cq_levels_fini(&c->measure.groups);
  cq_levels_fini(&c->measure.grades);
  cq_levels_fini(&c->strata);
  cq_levels_fini(&c->ids);
  free(c->stratum);
  free(c->weight);
  free(c->population);
  free(c->entry);
  free(c->leave);
  free(c->place);
  cq_arena_free(c->arena);
  memset(c, 0, sizeof *c);
}
