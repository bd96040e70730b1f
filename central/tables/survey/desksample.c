/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/desksample.h"

#include "central/tables/coverage/deskgrid.h"
#include "central/tables/indicators/collect.h"
#include "central/tables/records/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT_AT = 2, MOST_ASKED = 64 };

/* What a baseline says of one person: the questions asked for. */
typedef struct said {
  cq_str *cells; /* NULL: nothing */
  bool complete, conflict;
} said;

typedef struct baseline {
  cq_arena *arena;
  cq_levels instances, persons; /* of the form's visits; persons: in the order they came */
  uint32_t *person;             /* of each instance */
  size_t instance_capacity;
  said *of;                         /* of each person */
  size_t asked, column[MOST_ASKED]; /* compare…, replaces, reason; SIZE_MAX: not asked */
} baseline;

static void baseline_fini(baseline *b) {
  cq_levels_fini(&b->instances);
  cq_levels_fini(&b->persons);
  free(b->person);
  free(b->of);
  cq_arena_free(b->arena);
}

static cq_status put_visit(baseline *b, sqlite3_stmt *s, cq_error *error) {
  cq_str instance = cq_arena_copy(b->arena, cq_desk_text(s, 0)), person = cq_arena_copy(b->arena, cq_desk_text(s, 1));
  size_t before = b->instances.count;
  if (!instance.at || !person.at || cq_levels_number(&b->instances, instance) == UINT32_MAX)
    return cq_error_nomem(error);
  if (b->instances.count == before) return CQ_OK; /* about several persons of the list: the first of them */
  uint32_t number = cq_levels_number(&b->persons, person);
  if (number == UINT32_MAX) return cq_error_nomem(error);
  if (before >= b->instance_capacity) {
    size_t capacity = before ? 2 * before : 256;
    uint32_t *more = realloc(b->person, capacity * sizeof *more);
    if (!more) return cq_error_nomem(error);
    b->person = more;
    b->instance_capacity = capacity;
  }
  b->person[before] = number;
  return CQ_OK;
}

/* Whom each record of the form is about; a person who was found to be another is that one. */
static cq_status read_persons(baseline *b, cq_desk *desk, const cq_desk_sample_plan *plan, cq_error *error) {
  static const char sql[] =
      "SELECT a.instance, coalesce(m.stays, a.entity) FROM (SELECT v.instance, CASE WHEN substr(s.entity, 1, 5) = "
      "'uuid:' THEN substr(s.entity, 6) ELSE s.entity END AS entity FROM visit_subject s JOIN visit v ON v.id = s.id "
      "WHERE s.dataset = ?1 AND v.form_id = ?2 ORDER BY s.entity) a LEFT JOIN entity_same m ON m.dataset = ?1 AND m.id "
      "= "
      "a.entity";
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, plan->dataset, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, plan->baseline, -1, SQLITE_STATIC);
  }
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = put_visit(b, s, error);
  }
  sqlite3_finalize(s);
  if (status == CQ_OK && !(b->of = calloc(b->persons.count + 1, sizeof *b->of))) status = cq_error_nomem(error);
  return status;
}

static cq_status find_column(const cq_rows *rows, const char *form, const char *name, size_t *at, cq_error *error) {
  const cq_rows_table *t = cq_rows_table_at(rows, 0);
  *at = SIZE_MAX;
  if (!name) return CQ_OK;
  for (size_t c = 0; c < t->count; c++)
    if (t->columns[c].field && cq_str_is(t->columns[c].name, name)) *at = c;
  return *at == SIZE_MAX ? cq_error_set(error, CQ_INVALID, "desk.sample.question", name, form, NULL) : CQ_OK;
}

static cq_status take_row(void *context, size_t table, const cq_str *cells, cq_error *error) {
  baseline *b = context;
  uint32_t instance = table ? UINT32_MAX : cq_levels_find(&b->instances, cells[0]);
  bool complete = cq_str_is(cells[RESULT_AT], "complete");
  if (instance == UINT32_MAX || (!complete && !cq_str_is(cells[RESULT_AT], "partial"))) return CQ_OK;
  said *to = &b->of[b->person[instance]];
  if (to->cells && to->complete) {
    to->conflict = to->conflict || complete;
    return CQ_OK;
  }
  if (!(to->cells = cq_arena_array(b->arena, b->asked + 1, sizeof *to->cells))) return cq_error_nomem(error);
  to->complete = complete;
  for (size_t i = 0; i < b->asked; i++) {
    cq_str text = b->column[i] == SIZE_MAX ? CQ_STR("") : cq_str_trim(cells[b->column[i]]);
    to->cells[i] = text.size ? cq_arena_copy(b->arena, text) : CQ_STR("");
    if (!to->cells[i].at) return cq_error_nomem(error);
  }
  return CQ_OK;
}

static cq_status read_baseline(baseline *b, cq_desk_sample *sample, cq_desk *desk, const cq_desk_sample_plan *plan,
                               cq_error *error) {
  static const cq_rows_options options = {0};
  cq_rows *rows = NULL;
  size_t records = 0;
  if (!(b->arena = cq_arena_new(0))) return cq_error_nomem(error);
  if (!plan->baseline) return CQ_OK;
  cq_status status = cq_rows_open(&rows, desk, cq_str_from(plan->baseline), &options, error);
  b->asked = plan->compared + 2;
  for (size_t i = 0; status == CQ_OK && i < plan->compared; i++)
    status = find_column(rows, plan->baseline, plan->compare[i], &b->column[i], error);
  if (status == CQ_OK) status = find_column(rows, plan->baseline, plan->replaces, &b->column[plan->compared], error);
  if (status == CQ_OK) status = find_column(rows, plan->baseline, plan->reason, &b->column[plan->compared + 1], error);
  if (status == CQ_OK) status = read_persons(b, desk, plan, error);
  if (status == CQ_OK) status = cq_rows_read(rows, take_row, b, &records, &sample->unreadable, error);
  cq_rows_free(rows);
  return status;
}

/* --- who answered --- */

/* The person's visits about the season: whether one of them was answered, and why the last of the others was not. */
static bool answered(const cq_grid *grid, size_t p, const cq_desk_sample_plan *plan, cq_str *reason) {
  const cq_person *person = &grid->people[p].person;
  bool any = false;
  size_t first = (size_t)(person->visits - grid->sorted);
  for (size_t v = first; v < first + person->visit_count; v++) {
    const cq_visit *visit = &grid->visits[v].visit;
    if (!cq_season_same(&visit->season, &plan->season) || visit->day > plan->today) continue;
    if (visit->result == CQ_VISIT_COMPLETE || visit->result == CQ_VISIT_PARTIAL)
      any = true;
    else
      *reason = grid->visits[v].reason;
  }
  return any;
}

static cq_status add_unit(cq_desk_sample *sample, const cq_collected *frame, size_t u, const cq_desk_grid *g, size_t p,
                          size_t season, const cq_desk_sample_plan *plan, const baseline *b, cq_error *error) {
  cq_str cells[CQ_SAMPLE_COMPARE + MOST_ASKED] = {{0}};
  char population[40];
  const cq_grid_person *person = &g->grid.people[p];
  cq_cell_state state = cq_grid_cell(&g->grid, p, season)->state;
  bool has = answered(&g->grid, p, plan, &cells[CQ_SAMPLE_REASON]);
  sample->outside[u] = !has && (state == CQ_CELL_NOT_ELIGIBLE || state == CQ_CELL_LEFT);
  sample->outside_count += sample->outside[u];
  sample->open += !has && (state == CQ_CELL_FUTURE || state == CQ_CELL_PENDING);
  sample->weight[u] = frame->weight[u];
  snprintf(population, sizeof population, "%.17g", frame->population[frame->stratum[u]]);
  cells[CQ_SAMPLE_STRATUM] = frame->strata.names[frame->stratum[u]];
  cells[CQ_SAMPLE_POPULATION] = cq_str_from(population);
  cells[CQ_SAMPLE_ANSWERED] = has || sample->outside[u] ? CQ_STR("1") : CQ_STR("0");
  cells[CQ_SAMPLE_CLASS] = person->group;
  if (!cells[CQ_SAMPLE_REASON].size) cells[CQ_SAMPLE_REASON] = cq_str_from(cq_cell_name(state));
  cells[CQ_SAMPLE_ID] = frame->ids.names[u];
  uint32_t at = b->of ? cq_levels_find(&b->persons, frame->ids.names[u]) : UINT32_MAX;
  for (size_t i = 0; at != UINT32_MAX && b->of[at].cells && !b->of[at].conflict && i < plan->compared; i++)
    cells[CQ_SAMPLE_COMPARE + i] = b->of[at].cells[i];
  return cq_data_add(&sample->data, cells, error);
}

/* Who was not drawn and stands in for somebody who was. */
static cq_status add_replacements(cq_desk_sample *sample, const cq_collected *frame, const cq_desk_sample_plan *plan,
                                  const baseline *b, cq_error *error) {
  cq_status status = CQ_OK;
  for (uint32_t at = 0; status == CQ_OK && b->of && plan->replaces && at < b->persons.count; at++) {
    cq_str cells[CQ_SAMPLE_COMPARE + MOST_ASKED] = {{0}};
    if (!b->of[at].cells || !b->of[at].cells[plan->compared].size ||
        cq_levels_find(&frame->ids, b->persons.names[at]) != UINT32_MAX)
      continue;
    cells[CQ_SAMPLE_ID] = b->persons.names[at];
    cells[CQ_SAMPLE_REPLACES] = b->of[at].cells[plan->compared];
    cells[CQ_SAMPLE_REASON] = b->of[at].cells[plan->compared + 1];
    status = cq_data_add(&sample->data, cells, error);
  }
  return status;
}

static cq_status add_units(cq_desk_sample *sample, const cq_collected *frame, const cq_desk_grid *g, size_t season,
                           const cq_desk_sample_plan *plan, const baseline *b, cq_error *error) {
  size_t units = frame->measure.drawn.units;
  size_t *person = calloc(units + 1, sizeof *person);
  sample->weight = calloc(units + 1, sizeof *sample->weight);
  sample->outside = calloc(units + 1, sizeof *sample->outside);
  cq_status status = person && sample->weight && sample->outside ? CQ_OK : cq_error_nomem(error);
  for (size_t p = 0; status == CQ_OK && p < g->grid.people_count; p++) {
    uint32_t u = cq_levels_find(&frame->ids, g->grid.people[p].entity);
    if (u != UINT32_MAX) person[u] = p; /* the grid has everybody of the frame */
  }
  for (size_t u = 0; status == CQ_OK && u < units; u++)
    status = add_unit(sample, frame, u, g, person[u], season, plan, b, error);
  sample->drawn = units;
  free(person);
  return status == CQ_OK ? add_replacements(sample, frame, plan, b, error) : status;
}

cq_status cq_desk_sample_read(cq_desk_sample *sample, cq_desk *desk, const cq_desk_sample_plan *plan, cq_error *error) {
  cq_collected frame = {0};
  cq_desk_grid g = {0};
  baseline b = {0};
  char name[CQ_SEASON_REF_SIZE];
  size_t season = 0;
  memset(sample, 0, sizeof *sample);
  cq_desk_grid_plan of = {
      .campaign = plan->season.campaign, .today = plan->today, .dataset = plan->dataset, .by = plan->class};
  cq_status status = cq_data_init(&sample->data, CQ_SAMPLE_COMPARE + plan->compared, error);
  if (status == CQ_OK) status = cq_desk_grid_read(&g, desk, &of, error); /* makes the entities too */
  if (status == CQ_OK) status = cq_collect_frame(&frame, desk, plan->dataset, error);
  while (status == CQ_OK && season < g.grid.season_count && !cq_season_same(&g.grid.seasons[season].ref, &plan->season))
    season++;
  if (status == CQ_OK && season == g.grid.season_count)
    status = cq_error_set(error, CQ_NOTFOUND, "tables.season", cq_season_format(&plan->season, name), NULL);
  if (status == CQ_OK) status = read_baseline(&b, sample, desk, plan, error);
  if (status == CQ_OK) status = add_units(sample, &frame, &g, season, plan, &b, error);
  baseline_fini(&b);
  cq_collected_fini(&frame);
  cq_desk_grid_fini(&g);
  return status;
}

void cq_desk_sample_fini(cq_desk_sample *sample) {
  cq_data_fini(&sample->data);
  free(sample->weight);
  free(sample->outside);
  memset(sample, 0, sizeof *sample);
}
