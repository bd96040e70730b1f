/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/measure.h"

#include "central/tables/survey/repair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CQ_FIGURE_KINDS] = {"level", "reconstructed", "change", "relative", "contrast"};

const char *cq_figure_name(cq_figure_kind kind) {
  return kind < CQ_FIGURE_KINDS ? names[kind] : NULL;
}

const char *cq_estimate_band(const cq_estimate *e) {
  double cv = e->estimate != 0 ? fabs(e->se / e->estimate) : 0;
  if (e->n < 30 || cv > 0.30) return "reference";
  return cv < 0.15 ? "good" : "caution";
}

void cq_figures_fini(cq_figures *figures) {
  free(figures->items);
  memset(figures, 0, sizeof *figures);
}

static cq_status put(cq_figures *f, const cq_figure *figure, cq_error *error) {
  if (f->count == f->capacity) {
    size_t capacity = f->capacity ? f->capacity * 2 : 32;
    cq_figure *items = realloc(f->items, capacity * sizeof *items);
    if (!items) return cq_error_nomem(error);
    f->items = items;
    f->capacity = capacity;
  }
  f->items[f->count++] = *figure;
  return CQ_OK;
}

/* --- recall --- */

static bool is_value(const cq_measured *m) {
  return m->state == CQ_MEASURED_VALUE;
}

/* A factor from the pairs of one grade (UINT32_MAX: of all). */
static cq_status pair_factor(const cq_measure *m, uint32_t grade, double *registered, double *recalled, double *weight,
                             cq_recall *k) {
  size_t n = 0;
  for (size_t p = 0; p < m->period_count; p++) {
    const cq_period *at = &m->periods[p];
    for (size_t u = 0; at->memory && u < m->drawn.units; u++) {
      const cq_measured *a = &at->of[u], *b = &at->memory[u];
      if (!is_value(a) || !is_value(b) || a->source != CQ_SOURCE_REGISTERED) continue;
      if (grade != UINT32_MAX && b->grade != grade) continue;
      registered[n] = a->y;
      recalled[n] = b->y;
      weight[n++] = m->drawn.weight[u];
    }
  }
  k->pairs = n;
  return n ? cq_recall_factor(registered, recalled, weight, n, k, NULL) : CQ_NOTFOUND;
}

static void fill_memory(cq_measure *m, bool multiply) {
  for (size_t p = 0; p < m->period_count; p++) {
    cq_period *at = &m->periods[p];
    for (size_t u = 0; at->memory && u < m->drawn.units; u++) {
      cq_measured value = at->memory[u];
      if (is_value(&at->of[u]) || value.state == CQ_MEASURED_ABSENT) continue;
      if (at->of[u].state == CQ_MEASURED_CONFLICT) continue; /* that is to be decided, not filled */
      if (value.group == UINT32_MAX) value.group = at->of[u].group;
      if (multiply && is_value(&value)) {
        double k = value.grade < m->grades.count ? m->factor_of[value.grade] : m->factor;
        value.y *= k;
      }
      value.source = CQ_SOURCE_RECALLED;
      at->of[u] = value;
    }
  }
}

cq_status cq_measure_calibrate(cq_measure *m, cq_error *error) {
  size_t most = m->period_count * m->drawn.units + 1;
  double *registered = malloc(3 * most * sizeof *registered);
  m->factor = 1;
  m->factor_of = calloc(m->grades.count + 1, sizeof *m->factor_of);
  if (!registered || !m->factor_of) {
    free(registered);
    return cq_error_nomem(error);
  }
  cq_recall k = {.factor = 1};
  double *recalled = registered + most, *weight = recalled + most;
  if (pair_factor(m, UINT32_MAX, registered, recalled, weight, &k) == CQ_OK) m->factor = k.factor;
  m->pairs = k.pairs;
  for (uint32_t g = 0; g < m->grades.count; g++) {
    cq_status status = pair_factor(m, g, registered, recalled, weight, &k);
    m->factor_of[g] = status == CQ_OK && k.pairs >= CQ_RECALL_LEAST_PAIRS ? k.factor : m->factor;
  }
  free(registered);
  fill_memory(m, m->indicator->kind == CQ_ESTIMATE_MEAN || m->indicator->kind == CQ_ESTIMATE_TOTAL);
  return CQ_OK;
}

/* --- one column of values out of several seasons --- */

/* The worst of states and sources, and the sums; nobody has a value who lacks one of the seasons. */
static void combine(const cq_measure *m, const size_t *periods, size_t count, size_t unit, cq_measured *out) {
  *out = m->periods[periods[0]].of[unit];
  for (size_t i = 1; i < count; i++) {
    const cq_measured *next = &m->periods[periods[i]].of[unit];
    if (out->state == CQ_MEASURED_ABSENT || next->state == CQ_MEASURED_ABSENT)
      out->state = CQ_MEASURED_ABSENT;
    else if (next->state > out->state || out->state == CQ_MEASURED_VALUE)
      out->state = next->state;
    if (next->source > out->source) out->source = next->source;
    out->inside = out->inside && next->inside;
    if (next->group != UINT32_MAX) out->group = next->group;
    out->y += next->y;
    out->x += next->x;
  }
}

static bool is_outside(const cq_measure *m, const size_t *periods, size_t count, size_t unit) {
  for (size_t i = 0; i < count; i++)
    if (m->periods[periods[i]].outside && m->periods[periods[i]].outside[unit]) return true;
  return false;
}

/* Columns of one question put to the sample: those who answered all of them make the design. */
enum { MOST_COLUMNS = 3 };
typedef struct columns {
  const cq_measure *m;
  cq_measured *of[MOST_COLUMNS];
  size_t count;
  bool *outside;
  cq_respond answered;
  /* of the domain at hand */
  uint32_t *rows;
  double *value[2 * MOST_COLUMNS]; /* y of each column, then x of each */
  size_t used;
} columns;

static void columns_fini(columns *c) {
  for (size_t i = 0; i < MOST_COLUMNS; i++) free(c->of[i]);
  for (size_t i = 0; i < 2 * MOST_COLUMNS; i++) free(c->value[i]);
  free(c->outside);
  free(c->rows);
  cq_respond_fini(&c->answered);
}

static cq_status columns_init(columns *c, const cq_measure *m, const size_t *const periods[], const size_t counts[],
                              size_t columns_count, cq_figures *figures, cq_error *error) {
  size_t units = m->drawn.units, lost = 0;
  memset(c, 0, sizeof *c);
  c->m = m;
  c->count = columns_count;
  bool *answered = calloc(units + 1, sizeof *answered);
  c->outside = calloc(units + 1, sizeof *c->outside);
  c->rows = malloc((units + 1) * sizeof *c->rows);
  bool whole = answered && c->outside && c->rows;
  for (size_t i = 0; i < 2 * columns_count; i++) whole = (c->value[i] = malloc((units + 1) * sizeof(double))) && whole;
  for (size_t i = 0; i < columns_count; i++) whole = (c->of[i] = calloc(units + 1, sizeof *c->of[i])) && whole;
  for (size_t u = 0; whole && u < units; u++) {
    bool all = true;
    for (size_t i = 0; i < columns_count; i++) {
      combine(m, periods[i], counts[i], u, &c->of[i][u]);
      all = all && c->of[i][u].state != CQ_MEASURED_ABSENT;
      c->outside[u] = c->outside[u] || is_outside(m, periods[i], counts[i], u);
    }
    answered[u] = all || c->outside[u];
    lost += !answered[u];
  }
  cq_status status = whole ? cq_respond_init(&c->answered, &m->drawn, answered, true, error) : cq_error_nomem(error);
  if (status == CQ_OK) {
    figures->joined = c->answered.joined;
    figures->answered = units - lost;
  }
  free(answered);
  return status;
}

/* Persons of a group and of these sources (CQ_SOURCES: any), those with every value into rows and value; the others are
 * counted. The first column, which is now, decides the group. */
static void choose(columns *c, uint32_t group, const cq_source sources[], cq_figure *figure) {
  c->used = 0;
  figure->missing = figure->not_applicable = figure->conflicts = 0;
  for (size_t r = 0; r < c->answered.design.rows; r++) {
    uint32_t u = c->answered.unit_of[r];
    bool fits = !c->outside[u], value = true, conflict = false, applies = true;
    if (group != UINT32_MAX && c->of[0][u].group != group) fits = false;
    for (size_t i = 0; i < c->count && i < MOST_COLUMNS; i++) {
      const cq_measured *m = &c->of[i][u];
      if (is_value(m) && sources[i] != CQ_SOURCES && m->source != sources[i]) fits = false;
      if (is_value(m) && !m->inside) fits = false;
      value = value && is_value(m);
      conflict = conflict || m->state == CQ_MEASURED_CONFLICT;
      applies = applies && m->state != CQ_MEASURED_NOT_APPLICABLE;
    }
    if (!fits) continue;
    if (!value) {
      if (conflict)
        figure->conflicts++;
      else if (applies)
        figure->missing++;
      else
        figure->not_applicable++;
      continue;
    }
    c->rows[c->used] = (uint32_t)r;
    for (size_t i = 0; i < c->count && i < MOST_COLUMNS; i++) {
      c->value[i][c->used] = c->of[i][u].y;
      c->value[c->count + i][c->used] = c->of[i][u].x;
    }
    c->used++;
  }
}

/* Weighted share of the persons at hand whose value is recalled in any column. */
static double recalled_share(const columns *c) {
  double all = 0, recalled = 0;
  for (size_t i = 0; i < c->used; i++) {
    double w = cq_design_weight(&c->answered.design, c->rows[i]);
    bool any = false;
    for (size_t k = 0; k < c->count; k++)
      any = any || c->of[k][c->answered.unit_of[c->rows[i]]].source != CQ_SOURCE_REGISTERED;
    all += w;
    recalled += any ? w : 0;
  }
  return all > 0 ? recalled / all : 0;
}

static bool any_value(const columns *c, const cq_source sources[]) {
  for (size_t r = 0; r < c->answered.design.rows; r++) {
    bool all = true;
    for (size_t i = 0; i < c->count && i < MOST_COLUMNS; i++) {
      const cq_measured *m = &c->of[i][c->answered.unit_of[r]];
      all = all && is_value(m) && (sources[i] == CQ_SOURCES || m->source == sources[i]);
    }
    if (all) return true;
  }
  return false;
}

/* --- figures of one domain --- */

static void no_error_of_a_census(const cq_measure *m, cq_estimate *e) {
  if (!m->census) return;
  e->se = 0;
  e->low = e->high = e->estimate;
}

static cq_status level_of(columns *c, cq_figure *f, double sign, double *z, cq_error *error) {
  cq_estimate_kind kind = c->m->indicator->kind;
  cq_status status =
      cq_survey_add(&c->answered.design, kind, c->rows, c->value[0],
                    kind == CQ_ESTIMATE_RATIO ? c->value[c->count] : NULL, c->used, sign, z, &f->e, error);
  no_error_of_a_census(c->m, &f->e);
  return status;
}

/* The change: of any kind as the difference of the two estimates of those who have both. */
static cq_status change_of(columns *c, cq_figure *f, double sign, double *z, cq_error *error) {
  cq_estimate_kind kind = c->m->indicator->kind;
  size_t rows = c->answered.design.rows;
  double *own = calloc(rows + 1, sizeof *own);
  cq_estimate now, before;
  bool ratio = kind == CQ_ESTIMATE_RATIO;
  cq_status status = own ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK)
    status = cq_survey_add(&c->answered.design, kind, c->rows, c->value[0], ratio ? c->value[2] : NULL, c->used, 1, own,
                           &now, error);
  if (status == CQ_OK)
    status = cq_survey_add(&c->answered.design, kind, c->rows, c->value[1], ratio ? c->value[3] : NULL, c->used, -1,
                           own, &before, error);
  if (status == CQ_OK) status = cq_survey_difference(&c->answered.design, own, &now, &before, &f->e, error);
  for (size_t i = 0; status == CQ_OK && i < rows; i++) z[i] += sign * own[i];
  free(own);
  if (status == CQ_OK) no_error_of_a_census(c->m, &f->e);
  return status;
}

static cq_status relative_of(columns *c, const cq_figure *change, cq_figures *figures, cq_error *error) {
  cq_figure f = *change;
  f.kind = CQ_FIGURE_RELATIVE;
  cq_status status = cq_survey_estimate(&c->answered.design, CQ_ESTIMATE_RATIO, c->rows, c->value[0], c->value[1],
                                        c->used, &f.e, NULL);
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  if (status != CQ_OK) return CQ_OK; /* nothing before: there is no share of it */
  f.e.estimate -= 1;
  f.e.low -= 1;
  f.e.high -= 1;
  no_error_of_a_census(c->m, &f.e);
  return put(figures, &f, error);
}

typedef struct request {
  cq_figure_kind kind;
  const cq_figure_wish *wish;
  cq_figures *figures;
} request;

/* One group's figures (UINT32_MAX: of all), if anybody has a value. */
static cq_status figures_of(columns *c, const request *r, cq_figure *f, double sign, double *z, bool *any,
                            cq_error *error) {
  const cq_source sources[MOST_COLUMNS] = {r->wish->together ? CQ_SOURCES : f->source,
                                           r->wish->together ? CQ_SOURCES : f->before, CQ_SOURCES};
  choose(c, f->group, sources, f);
  *any = c->used > 0;
  if (!*any) { /* a group of whom nothing is known says so, and why */
    f->kind = r->kind;
    f->e = (cq_estimate){0};
    bool said = r->kind == CQ_FIGURE_LEVEL && f->missing + f->not_applicable + f->conflicts > 0;
    return said ? put(r->figures, f, error) : CQ_OK;
  }
  if (r->wish->together) f->recalled = recalled_share(c);
  f->kind = r->kind;
  cq_status status = r->kind == CQ_FIGURE_CHANGE ? change_of(c, f, sign, z, error) : level_of(c, f, sign, z, error);
  if (status == CQ_OK) status = put(r->figures, f, error);
  bool relative = r->kind == CQ_FIGURE_CHANGE &&
                  (c->m->indicator->kind == CQ_ESTIMATE_MEAN || c->m->indicator->kind == CQ_ESTIMATE_TOTAL);
  return status == CQ_OK && relative ? relative_of(c, f, r->figures, error) : status;
}

/* The second group less the first, by their names; z holds both with their signs. */
static cq_status contrast_of(const columns *c, const request *r, const cq_figure pair[2], const double *z,
                             cq_error *error) {
  cq_figure f = pair[1];
  f.kind = CQ_FIGURE_CONTRAST;
  f.group = UINT32_MAX;
  f.of[0] = pair[0].group;
  f.of[1] = pair[1].group;
  cq_status status = cq_survey_difference(&c->answered.design, z, &pair[1].e, &pair[0].e, &f.e, error);
  f.e.n = pair[0].e.n + pair[1].e.n;
  f.e.weighted_n = pair[0].e.weighted_n + pair[1].e.weighted_n;
  f.missing += pair[0].missing;
  no_error_of_a_census(c->m, &f.e);
  return status == CQ_OK ? put(r->figures, &f, error) : status;
}

typedef struct ordered {
  cq_str name;
  uint32_t group;
} ordered;

static int by_name(const void *a, const void *b) {
  return cq_str_compare(((const ordered *)a)->name, ((const ordered *)b)->name);
}

/* All, then each group in the order of its name, then the contrast of two. */
static cq_status all_groups(columns *c, const request *r, cq_source source, cq_source before, cq_error *error) {
  const cq_levels *groups = &c->m->groups;
  cq_figure all = {.source = source, .before = before, .group = UINT32_MAX}, pair[2] = {{0}};
  ordered *order = calloc(groups->count + 1, sizeof *order);
  double *z = calloc(c->answered.design.rows + 1, sizeof *z), *unused = calloc(c->answered.design.rows + 1, sizeof *z);
  bool any = false;
  size_t found = 0;
  cq_status status = order && z && unused ? figures_of(c, r, &all, 0, unused, &any, error) : cq_error_nomem(error);
  for (uint32_t g = 0; status == CQ_OK && g < groups->count; g++) order[g] = (ordered){groups->names[g], g};
  if (status == CQ_OK && any) qsort(order, groups->count, sizeof *order, by_name);
  for (size_t g = 0; status == CQ_OK && any && g < groups->count; g++) {
    cq_figure f = {.source = source, .before = before, .group = order[g].group};
    bool has = false;
    status = figures_of(c, r, &f, found ? 1 : -1, z, &has, error);
    if (status == CQ_OK && has && found < 2) pair[found] = f;
    found += has;
  }
  if (status == CQ_OK && any && r->wish->contrast)
    status = found == 2 ? contrast_of(c, r, pair, z, error) : cq_error_set(error, CQ_INVALID, "measure.two", NULL);
  free(order);
  free(z);
  free(unused);
  return status;
}

/* Sources apart, unless they are asked for together. */
static cq_status by_source(columns *c, const request *r, cq_error *error) {
  cq_status status = CQ_OK;
  if (r->wish->together) return all_groups(c, r, CQ_SOURCES, CQ_SOURCES, error);
  for (cq_source now = 0; status == CQ_OK && now < CQ_SOURCES; now++)
    for (cq_source before = 0; status == CQ_OK && before < (r->kind == CQ_FIGURE_CHANGE ? CQ_SOURCES : 1); before++) {
      const cq_source sources[MOST_COLUMNS] = {now, before, CQ_SOURCES};
      if (any_value(c, sources)) status = all_groups(c, r, now, before, error);
    }
  return status;
}

cq_status cq_measure_level(cq_figures *figures, const cq_measure *m, const size_t *periods, size_t count,
                           const cq_figure_wish *wish, cq_error *error) {
  columns c;
  request r = {CQ_FIGURE_LEVEL, wish, figures};
  cq_status status = columns_init(&c, m, &periods, &count, 1, figures, error);
  if (status == CQ_OK) status = by_source(&c, &r, error);
  columns_fini(&c);
  return status;
}

cq_status cq_measure_change(cq_figures *figures, const cq_measure *m, const size_t *now, const size_t *before,
                            size_t count, const cq_figure_wish *wish, cq_error *error) {
  columns c;
  request r = {CQ_FIGURE_CHANGE, wish, figures};
  const size_t *const periods[] = {now, before};
  const size_t counts[] = {count, count};
  cq_status status = columns_init(&c, m, periods, counts, 2, figures, error);
  for (size_t u = 0; status == CQ_OK && wish->deflate > 0 && u < m->drawn.units; u++) c.of[1][u].y *= wish->deflate;
  if (status == CQ_OK) status = by_source(&c, &r, error);
  columns_fini(&c);
  return status;
}

cq_status cq_measure_reconstruct(cq_figures *figures, const cq_measure *m, const size_t *now, const size_t *before,
                                 size_t count, const size_t *missing, size_t missing_count, cq_error *error) {
  static const cq_source any[MOST_COLUMNS] = {CQ_SOURCES, CQ_SOURCES, CQ_SOURCES};
  columns c;
  const size_t *const periods[] = {now, before, missing};
  const size_t counts[] = {count, count, missing_count};
  cq_status status = columns_init(&c, m, periods, counts, 3, figures, error);
  for (size_t g = 0; status == CQ_OK && g <= m->groups.count; g++) { /* all, then the groups */
    cq_figure f = {.kind = CQ_FIGURE_RECONSTRUCTED,
                   .source = CQ_SOURCE_RECONSTRUCTED,
                   .group = g ? (uint32_t)(g - 1) : UINT32_MAX};
    choose(&c, f.group, any, &f);
    if (!c.used) continue;
    f.recalled = recalled_share(&c);
    status = cq_survey_reconstruct(&c.answered.design, m->indicator->kind, c.rows, c.value[0], c.value[1], c.value[2],
                                   c.used, &f.e, NULL, error);
    if (status == CQ_OK) status = put(figures, &f, error);
  }
  columns_fini(&c);
  return status;
}
