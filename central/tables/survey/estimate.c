/* SPDX-License-Identifier: Apache-2.0 */
/* `estimate`: the estimators of docs/method.md on any CSV file of a stratified sample. */
#include "central/tables/survey/data.h"
#include "central/tables/survey/respond.h"
#include "central/tables/survey/survey.h"
#include "central/verbs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_estimate_options[] = {
    {"stratum", 0, N_("COL"), N_("column that says each row's stratum")},
    {"population", 0, N_("COL"), N_("column with the size of the row's stratum in the population")},
    {"mean", 0, N_("COL"), N_("estimate the mean of a column")},
    {"total", 0, N_("COL"), N_("estimate the total of a column")},
    {"proportion", 0, N_("COL"), N_("estimate the share of ones in a column of 0 and 1")},
    {"ratio", 0, N_("Y/X"), N_("estimate the total of Y divided by the total of X")},
    {"difference", 0, N_("NOW,BEFORE"), N_("estimate the mean change of the same season between two campaigns")},
    {"reconstruct", 0, N_("NOW,BEFORE,MISSING"),
     N_("estimate a campaign whose last season is missing, by the ratio of the campaign before")},
    {"contrast", 0, NULL, N_("with --by of two groups in strata of their own: the difference between them")},
    {"answered", 0, N_("COL"),
     N_("column of 1 and 0: those lost get no row, and the weights of the others stand for them")},
    {"class", 0, N_("COL"), N_("with --answered: column of the weighting class (else the stratum)")},
    {"by", 0, N_("COL"), N_("one estimate for each value of a column")},
    {"where", 0, N_("COL=VALUE"), N_("only this domain; may be given several times")},
    CQ_CLI_OPTION_JSON,
    {0}};

enum { MAX_WHERE = 8 };
enum { STRATUM, POPULATION, Y, X, T, BY, ANSWERED, CLASS, WHERE, MOST = WHERE + MAX_WHERE };
/* What is estimated: survey.h's kinds, and two made of them. */
typedef enum { SIMPLE, DIFFERENCE, RECONSTRUCT } made_of;

typedef struct request {
  cq_estimate_kind kind;
  made_of made;
  bool contrast;
  char *names[MOST]; /* of columns; NULL: not asked */
  const char *values[MAX_WHERE];
  size_t where_count;
  size_t column[MOST]; /* within the data */
} request;

typedef struct sample {
  cq_data data;
  cq_levels strata_names, groups;
  uint32_t *stratum;
  cq_stratum *strata;
  uint32_t *rows, *group; /* of the domain */
  double *y, *x, *t;
  size_t *start; /* of each group */
  size_t used, blank_y, blank_by;
  cq_respond respond; /* with --answered: the design of those who did */
  bool adjusted;
} sample;

static void request_fini(request *r) {
  for (size_t i = 0; i < MOST; i++) free(r->names[i]);
}

static void sample_fini(sample *s) {
  cq_data_fini(&s->data);
  cq_levels_fini(&s->strata_names);
  cq_levels_fini(&s->groups);
  free(s->stratum);
  free(s->strata);
  free(s->rows);
  free(s->group);
  free(s->y);
  free(s->x);
  free(s->t);
  free(s->start);
  cq_respond_fini(&s->respond);
}

/* --- the command line --- */

/* Y/X: a column's name may hold a slash itself, so the file decides. */
static cq_status split_ratio(request *r, const char *path, const char *text, cq_error *error) {
  for (const char *slash = strchr(text, '/'); slash; slash = strchr(slash + 1, '/')) {
    char *y = strndup(text, (size_t)(slash - text)), *x = strdup(slash + 1);
    bool has = false, both = false;
    cq_status status = y && x ? cq_data_has(path, y, &has, error) : cq_error_nomem(error);
    if (status == CQ_OK && has) status = cq_data_has(path, x, &both, error);
    if (status == CQ_OK &&
        (both || !strchr(slash + 1, '/'))) { /* the last chance too: the reader names what is not there */
      r->names[Y] = y;
      r->names[X] = x;
      return CQ_OK;
    }
    free(y);
    free(x);
    if (status != CQ_OK) return status;
  }
  return cq_error_set(error, CQ_INVALID, "central.estimate.ratio", NULL);
}

/* "T1" in "a12_t1", "2012-T1" or "T1"; 0 where a name says none. */
static char season_of(const char *name) {
  for (const char *at = name; *at; at++)
    if ((*at == 't' || *at == 'T') && at[1] >= '1' && at[1] <= '9' && !(at[2] >= '0' && at[2] <= '9') &&
        (at == name || at[-1] == '_' || at[-1] == '-'))
      return at[1];
  return 0;
}

/* NOW,BEFORE or NOW,BEFORE,MISSING. Two seasons are never compared where the names tell them apart. */
static cq_status split_columns(request *r, const char *text, cq_error *error) {
  size_t count = 0, most = r->made == DIFFERENCE ? 2 : 3;
  for (const char *at = text;;) {
    const char *comma = strchr(at, ',');
    size_t size = comma ? (size_t)(comma - at) : strlen(at);
    if (!size || count == most) return cq_error_set(error, CQ_INVALID, "central.estimate.columns", NULL);
    if (!(r->names[Y + count++] = strndup(at, size))) return cq_error_nomem(error);
    if (!comma) break;
    at = comma + 1;
  }
  if (count != most) return cq_error_set(error, CQ_INVALID, "central.estimate.columns", NULL);
  char now = season_of(r->names[Y]), before = season_of(r->names[X]);
  if (r->made == DIFFERENCE && now && before && now != before)
    return cq_error_set(error, CQ_REFUSED, "central.estimate.season", r->names[Y], r->names[X], NULL);
  return CQ_OK;
}

static int read_request(cq_cli *cli, request *r, cq_error *error) {
  static const struct {
    const char *option;
    cq_estimate_kind kind;
    made_of made;
  } kinds[] = {{"mean", CQ_ESTIMATE_MEAN, SIMPLE},
               {"total", CQ_ESTIMATE_TOTAL, SIMPLE},
               {"proportion", CQ_ESTIMATE_PROPORTION, SIMPLE},
               {"ratio", CQ_ESTIMATE_RATIO, SIMPLE},
               {"difference", CQ_ESTIMATE_MEAN, DIFFERENCE},
               {"reconstruct", CQ_ESTIMATE_MEAN, RECONSTRUCT}};
  const char *what = NULL;
  if (!cq_cli_value(cli, "stratum") || !cq_cli_value(cli, "population"))
    return cq_cli_usage(cli, "%s", _("estimate needs --stratum COL and --population COL"));
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const char *value = cq_cli_value(cli, kinds[i].option);
    if (!value) continue;
    if (what)
      return cq_cli_usage(cli, "%s",
                          _("give one of --mean, --total, --proportion, --ratio, --difference and --reconstruct"));
    what = value;
    r->kind = kinds[i].kind;
    r->made = kinds[i].made;
  }
  if (!what)
    return cq_cli_usage(cli, "%s",
                        _("give one of --mean, --total, --proportion, --ratio, --difference and --reconstruct"));
  r->contrast = cq_cli_flag(cli, "contrast");
  if (r->contrast && !cq_cli_value(cli, "by")) return cq_cli_usage(cli, "%s", _("--contrast needs --by COL"));
  for (const char *where; (where = cq_cli_value_at(cli, "where", r->where_count));) {
    const char *equals = strchr(where, '=');
    if (!equals || equals == where || r->where_count == MAX_WHERE)
      return cq_cli_usage(cli, "%s", _("--where takes COL=VALUE, at most eight times"));
    r->names[WHERE + r->where_count] = strndup(where, (size_t)(equals - where));
    r->values[r->where_count++] = equals + 1;
  }
  r->names[STRATUM] = strdup(cq_cli_value(cli, "stratum"));
  r->names[POPULATION] = strdup(cq_cli_value(cli, "population"));
  if (cq_cli_value(cli, "by")) r->names[BY] = strdup(cq_cli_value(cli, "by"));
  if (cq_cli_value(cli, "class") && !cq_cli_value(cli, "answered"))
    return cq_cli_usage(cli, "%s", _("--class needs --answered COL"));
  if (cq_cli_value(cli, "answered")) r->names[ANSWERED] = strdup(cq_cli_value(cli, "answered"));
  if (cq_cli_value(cli, "class")) r->names[CLASS] = strdup(cq_cli_value(cli, "class"));
  if (r->kind == CQ_ESTIMATE_RATIO) {
    if (split_ratio(r, cq_cli_arg(cli, 0), what, error) != CQ_OK) return cq_cli_fail(cli, error);
  } else if (r->made != SIMPLE) {
    if (split_columns(r, what, error) != CQ_OK) return cq_cli_fail(cli, error);
  } else {
    r->names[Y] = strdup(what);
  }
  bool whole = r->names[STRATUM] && r->names[POPULATION] && r->names[Y] && (r->names[BY] || !cq_cli_value(cli, "by")) &&
               (r->names[ANSWERED] || !cq_cli_value(cli, "answered")) &&
               (r->names[CLASS] || !cq_cli_value(cli, "class"));
  for (size_t i = 0; i < r->where_count; i++) whole = whole && r->names[WHERE + i];
  if (whole) return CQ_EXIT_DONE;
  cq_error_nomem(error);
  return cq_cli_fail(cli, error);
}

/* --- the design --- */

static cq_status bad_cell(const sample *s, size_t row, const char *code, const char *column, cq_error *error) {
  cq_error_set(error, CQ_INVALID, code, column, NULL);
  return cq_data_at(&s->data, row, CQ_INVALID, error);
}

static cq_status read_strata(sample *s, const request *r, cq_error *error) {
  size_t rows = s->data.rows, capacity = 0;
  s->stratum = malloc((rows + 1) * sizeof *s->stratum);
  if (!s->stratum) return cq_error_nomem(error);
  for (size_t i = 0; i < rows; i++) {
    cq_str name = cq_data_cell(&s->data, i, r->column[STRATUM]);
    double population;
    if (!name.size) return bad_cell(s, i, "central.estimate.blank", r->names[STRATUM], error);
    if (!cq_data_number(cq_data_cell(&s->data, i, r->column[POPULATION]), &population) || population < 1)
      return bad_cell(s, i, "central.estimate.population", r->names[POPULATION], error);
    uint32_t h = cq_levels_number(&s->strata_names, name);
    if (h == UINT32_MAX) return cq_error_nomem(error);
    if (s->strata_names.count > capacity) {
      capacity = capacity ? capacity * 2 : 64;
      cq_stratum *strata = realloc(s->strata, capacity * sizeof *strata);
      if (!strata) return cq_error_nomem(error);
      s->strata = strata;
    }
    if (h + 1 == s->strata_names.count && s->strata_names.names[h].at == name.at)
      s->strata[h] = (cq_stratum){population, 0};
    char text[CQ_ERROR_ARG_SIZE];
    snprintf(text, sizeof text, "%.*s", (int)(name.size < 100 ? name.size : 100), name.at);
    if (s->strata[h].population != population) return bad_cell(s, i, "central.estimate.differs", text, error);
    s->stratum[i] = h;
    s->strata[h].rows++;
  }
  for (size_t h = 0; h < s->strata_names.count; h++) {
    char text[CQ_ERROR_ARG_SIZE];
    cq_str name = s->strata_names.names[h];
    snprintf(text, sizeof text, "%.*s", (int)(name.size < 100 ? name.size : 100), name.at);
    if (s->strata[h].rows == 1) return cq_error_set(error, CQ_INVALID, "central.estimate.single", text, NULL);
    if (s->strata[h].population < (double)s->strata[h].rows)
      return cq_error_set(error, CQ_INVALID, "central.estimate.small", text, NULL);
  }
  return CQ_OK;
}

/* Who answered, and weights that make up for those who did not. */
static cq_status adjust(sample *s, const request *r, cq_levels *classes, cq_error *error) {
  size_t rows = s->data.rows + 1;
  uint32_t *class = calloc(rows, sizeof *class);
  double *weight = calloc(rows, sizeof *weight), *population = calloc(rows, sizeof *population);
  size_t *answers = calloc(rows, sizeof *answers);
  bool *answered = calloc(rows, sizeof *answered);
  cq_status status = class && weight && population && answers && answered ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < s->data.rows; i++) {
    cq_str said = cq_data_cell(&s->data, i, r->column[ANSWERED]);
    uint32_t h = s->stratum[i];
    answered[i] = cq_str_is(said, "1");
    if (!answered[i] && !cq_str_is(said, "0"))
      status = bad_cell(s, i, "central.respond.answered", r->names[ANSWERED], error);
    answers[h] += answered[i];
    weight[i] = s->strata[h].population / (double)s->strata[h].rows;
    population[h] = s->strata[h].population;
    if (r->names[CLASS] &&
        (class[i] = cq_levels_number(classes, cq_data_cell(&s->data, i, r->column[CLASS]))) == UINT32_MAX)
      status = cq_error_nomem(error);
  }
  for (size_t h = 0; status == CQ_OK && h < s->strata_names.count; h++) {
    char text[CQ_ERROR_ARG_SIZE];
    cq_str name = s->strata_names.names[h];
    snprintf(text, sizeof text, "%.*s", (int)(name.size < 100 ? name.size : 100), name.at);
    if (answers[h] < 2) status = cq_error_set(error, CQ_INVALID, "central.respond.single", text, NULL);
  }
  cq_drawn drawn = {.units = s->data.rows,
                    .strata = s->strata_names.count,
                    .stratum = s->stratum,
                    .weight = weight,
                    .population = population,
                    .class = r->names[CLASS] ? class : NULL,
                    .classes = classes->count};
  if (status == CQ_OK) status = cq_respond_init(&s->respond, &drawn, answered, false, error);
  s->adjusted = status == CQ_OK;
  free(class);
  free(weight);
  free(population);
  free(answers);
  free(answered);
  return status;
}

static cq_status read_answers(sample *s, const request *r, cq_error *error) {
  cq_levels classes = {0};
  cq_status status = r->names[ANSWERED] ? adjust(s, r, &classes, error) : CQ_OK;
  cq_levels_fini(&classes);
  return status;
}

/* --- the domain and its values --- */

static bool in_domain(const sample *s, const request *r, size_t row) {
  for (size_t i = 0; i < r->where_count; i++)
    if (!cq_str_is(cq_data_cell(&s->data, row, r->column[WHERE + i]), r->values[i])) return false;
  return true;
}

static cq_status read_values(sample *s, const request *r, cq_error *error) {
  size_t rows = s->data.rows;
  s->rows = malloc((rows + 1) * sizeof *s->rows);
  s->group = calloc(rows + 1, sizeof *s->group);
  s->y = malloc((rows + 1) * sizeof *s->y);
  s->x = malloc((rows + 1) * sizeof *s->x);
  s->t = malloc((rows + 1) * sizeof *s->t);
  if (!s->rows || !s->group || !s->y || !s->x || !s->t) return cq_error_nomem(error);
  for (size_t i = 0; i < rows; i++) {
    if (!in_domain(s, r, i) || (s->adjusted && s->respond.row_of[i] == UINT32_MAX)) continue;
    double value[3] = {0, 0, 0};
    bool blank = false;
    for (size_t v = 0; v < 3 && r->names[Y + v]; v++) {
      cq_str cell = cq_data_cell(&s->data, i, r->column[Y + v]);
      if (cq_data_blank(cell))
        blank = true;
      else if (!cq_data_number(cell, &value[v]))
        return bad_cell(s, i, "central.estimate.number", r->names[Y + v], error);
    }
    if (blank) {
      s->blank_y++;
      continue;
    }
    if (r->kind == CQ_ESTIMATE_PROPORTION && value[0] != 0 && value[0] != 1)
      return bad_cell(s, i, "central.estimate.zero_one", r->names[Y], error);
    if (r->names[BY]) {
      cq_str by = cq_data_cell(&s->data, i, r->column[BY]);
      if (cq_data_blank(by)) {
        s->blank_by++;
        continue;
      }
      if ((s->group[s->used] = cq_levels_number(&s->groups, by)) == UINT32_MAX) return cq_error_nomem(error);
    }
    s->rows[s->used] = s->adjusted ? s->respond.row_of[i] : (uint32_t)i;
    s->y[s->used] = r->made == DIFFERENCE ? value[0] - value[1] : value[0];
    s->t[s->used] = value[2];
    s->x[s->used++] = value[1];
  }
  return s->used ? CQ_OK : cq_error_set(error, CQ_INVALID, "central.estimate.empty", NULL);
}

/* Brings the values of each group together: those of group g stand from start[g] to start[g + 1]. */
static cq_status sort_by_group(sample *s, cq_error *error) {
  size_t groups = s->groups.count;
  uint32_t *rows = malloc((s->used + 1) * sizeof *rows);
  double *y = malloc((s->used + 1) * sizeof *y), *x = malloc((s->used + 1) * sizeof *x);
  double *t = malloc((s->used + 1) * sizeof *t);
  size_t *next = calloc(groups + 1, sizeof *next);
  s->start = calloc(groups + 1, sizeof *s->start);
  if (!rows || !y || !x || !t || !next || !s->start) {
    free(t);
    free(rows);
    free(y);
    free(x);
    free(next);
    return cq_error_nomem(error);
  }
  for (size_t i = 0; i < s->used; i++) s->start[s->group[i] + 1]++;
  for (size_t g = 0; g < groups; g++) s->start[g + 1] += s->start[g];
  memcpy(next, s->start, groups * sizeof *next);
  for (size_t i = 0; i < s->used; i++) {
    size_t to = next[s->group[i]]++;
    rows[to] = s->rows[i];
    y[to] = s->y[i];
    x[to] = s->x[i];
    t[to] = s->t[i];
  }
  free(next);
  free(s->rows);
  free(s->y);
  free(s->x);
  free(s->t);
  s->rows = rows;
  s->y = y;
  s->x = x;
  s->t = t;
  return CQ_OK;
}

/* --- what is said --- */

static void add_number(cq_buf *out, double value) {
  if (isfinite(value))
    cq_buf_addf(out, "%.17g", value);
  else
    cq_buf_add_text(out, "null");
}

static void add_json(cq_buf *out, const cq_estimate *e) {
  const struct {
    const char *name;
    double value;
  } members[] = {{"estimate", e->estimate}, {"se", e->se}, {"df", e->df}, {"low", e->low}, {"high", e->high}};
  for (size_t i = 0; i < 5; i++) {
    cq_buf_addf(out, "\"%s\":", members[i].name);
    add_number(out, members[i].value);
    cq_buf_add_char(out, ',');
  }
  cq_buf_addf(out, "\"n\":%zu,\"weighted_n\":", e->n);
  add_number(out, e->weighted_n);
}

/* How far a figure can be trusted, by its coefficient of variation (docs/method.md, section "Tables"). */
static const char *band(const cq_estimate *e) {
  double cv = e->estimate != 0 ? fabs(e->se / e->estimate) : 0;
  if (e->n < 30 || cv > 0.30) return _("for reference only");
  return cv < 0.15 ? _("good") : _("with caution");
}

/* A row of eight columns, by signs and not by bytes. */
static void say_columns(const cq_cli *cli, const cq_str cells[8]) {
  static const int widths[] = {-24, 14, 12, 14, 14, 6, 12};
  cq_buf line = {0};
  for (size_t i = 0; i < 8; i++) {
    if (i) cq_buf_add_text(&line, i == 7 ? "  " : " ");
    if (i < 7)
      cq_data_column(&line, cells[i], widths[i]);
    else
      cq_buf_add_str(&line, cells[i]);
  }
  if (!line.failed) cq_cli_say(cli, "%s", line.at);
  cq_buf_fini(&line);
}

static void say_head(const cq_cli *cli) {
  const cq_str heads[] = {CQ_STR(""),
                          cq_str_from(_("estimate")),
                          cq_str_from(_("std. error")),
                          cq_str_from(_("95 % from")),
                          cq_str_from(_("to")),
                          CQ_STR("n"),
                          cq_str_from(_("weighted n")),
                          cq_str_from(_("precision"))};
  say_columns(cli, heads);
}

enum { FIGURE_SIZE = 48 };

/* Six digits, and never an exponent: totals of a programme are read by people. */
static const char *figure(double number, char out[FIGURE_SIZE]) {
  bool large = fabs(number) >= 1e6 && fabs(number) < 1e15;
  snprintf(out, FIGURE_SIZE, large ? "%.0f" : "%.6g", number);
  return out;
}

static void say_row(const cq_cli *cli, cq_str name, const cq_estimate *e) {
  char f[5][FIGURE_SIZE], n[24];
  snprintf(n, sizeof n, "%zu", e->n);
  const cq_str cells[] = {name,
                          cq_str_from(figure(e->estimate, f[0])),
                          cq_str_from(figure(e->se, f[1])),
                          cq_str_from(figure(e->low, f[2])),
                          cq_str_from(figure(e->high, f[3])),
                          cq_str_from(n),
                          cq_str_from(figure(e->weighted_n, f[4])),
                          cq_str_from(band(e))};
  say_columns(cli, cells);
}

static void say_missing(const cq_cli *cli, const sample *s) {
  if (s->blank_y)
    cq_cli_warn(cli, _("%zu rows have no value and are left out as missing; they stay in the design."), s->blank_y);
  if (s->blank_by) cq_cli_warn(cli, _("%zu rows belong to no group, for their column is blank."), s->blank_by);
}

/* --- one estimate, or one for each group --- */

typedef struct ordered {
  cq_str name;
  uint32_t group;
} ordered;

static int by_name(const void *a, const void *b) {
  return cq_str_compare(((const ordered *)a)->name, ((const ordered *)b)->name);
}

/* The estimate over `count` values from `from` on. */
static cq_status estimate_part(const sample *s, const request *r, const cq_design *design, size_t from, size_t count,
                               cq_estimate *e, cq_error *error) {
  if (r->made == RECONSTRUCT)
    return cq_survey_reconstruct(design, CQ_ESTIMATE_MEAN, s->rows + from, s->y + from, s->x + from, s->t + from, count,
                                 e, NULL, error);
  return cq_survey_estimate(design, r->kind, s->rows + from, s->y + from,
                            r->kind == CQ_ESTIMATE_RATIO ? s->x + from : NULL, count, e, error);
}

/* Two groups in strata of their own are independent: the variances add. In shared strata they would not be. */
static cq_status contrast(const cq_cli *cli, const sample *s, const cq_design *design, const cq_estimate pair[2],
                          cq_buf *json, cq_error *error) {
  uint8_t *seen = calloc(design->strata_count + 1, 1);
  bool shared = false;
  if (!seen) return cq_error_nomem(error);
  for (size_t g = 0; g < 2; g++)
    for (size_t i = s->start[g]; i < s->start[g + 1]; i++) {
      uint8_t *at = &seen[design->stratum[s->rows[i]]];
      *at = (uint8_t)(*at | (1u << g));
      shared = shared || *at == 3;
    }
  free(seen);
  if (shared) return cq_error_set(error, CQ_REFUSED, "central.estimate.contrast", NULL);
  cq_estimate e = {.estimate = pair[1].estimate - pair[0].estimate,
                   .se = hypot(pair[0].se, pair[1].se),
                   .df = pair[0].df,
                   .n = pair[0].n + pair[1].n,
                   .weighted_n = pair[0].weighted_n + pair[1].weighted_n};
  cq_survey_interval(&e, CQ_ESTIMATE_MEAN);
  cq_buf_add_text(json, ",\"contrast\":{");
  add_json(json, &e);
  cq_buf_add_char(json, '}');
  say_row(cli, cq_str_from(_("difference")), &e);
  return CQ_OK;
}

static cq_status say_groups(const cq_cli *cli, const sample *s, const request *r, const cq_design *design, cq_buf *json,
                            cq_error *error) {
  ordered *order = calloc(s->groups.count + 1, sizeof *order);
  cq_estimate pair[2] = {{0}};
  if (!order) return cq_error_nomem(error);
  for (size_t i = 0; i < s->groups.count; i++) order[i] = (ordered){s->groups.names[i], (uint32_t)i};
  qsort(order, s->groups.count, sizeof *order, by_name);
  cq_status status = CQ_OK;
  cq_buf_add_text(json, "\"groups\":[");
  say_head(cli);
  for (size_t i = 0; i < s->groups.count && status == CQ_OK; i++) {
    cq_estimate e;
    size_t from = s->start[order[i].group];
    status = estimate_part(s, r, design, from, s->start[order[i].group + 1] - from, &e, error);
    if (status != CQ_OK) break;
    cq_buf_add_text(json, i ? ",{\"by\":" : "{\"by\":");
    cq_cli_add_json(json, order[i].name);
    cq_buf_add_char(json, ',');
    add_json(json, &e);
    cq_buf_add_char(json, '}');
    say_row(cli, order[i].name, &e);
    if (order[i].group < 2) pair[order[i].group] = e;
  }
  cq_buf_add_char(json, ']');
  if (status == CQ_OK && r->contrast) {
    bool turned = s->groups.count == 2 && order[0].group == 1; /* the second name minus the first */
    cq_estimate named[2] = {pair[turned ? 1 : 0], pair[turned ? 0 : 1]};
    status = s->groups.count == 2 ? contrast(cli, s, design, named, json, error)
                                  : cq_error_set(error, CQ_INVALID, "central.estimate.two", NULL);
  }
  free(order);
  return status;
}

static cq_status say_all(const cq_cli *cli, const sample *s, const request *r, cq_buf *json, cq_error *error) {
  cq_design design = {
      .rows = s->data.rows, .strata_count = s->strata_names.count, .stratum = s->stratum, .strata = s->strata};
  if (s->adjusted) design = s->respond.design;
  cq_status status;
  cq_buf_add_char(json, '{');
  if (r->names[BY]) {
    status = say_groups(cli, s, r, &design, json, error);
  } else {
    cq_estimate e;
    status = estimate_part(s, r, &design, 0, s->used, &e, error);
    if (status != CQ_OK) return status;
    add_json(json, &e);
    say_head(cli);
    say_row(cli, cq_str_from(r->names[Y]), &e);
  }
  if (r->made == RECONSTRUCT) cq_buf_add_text(json, ",\"source\":\"reconstruido\"");
  cq_buf_addf(json, ",\"missing\":%zu}\n", s->blank_y + s->blank_by);
  if (r->made == RECONSTRUCT)
    cq_cli_say(cli,
               _("RECONSTRUCTED (reconstruido): %s observed; the missing season by the ratio %s to %s of the campaign "
                 "before."),
               r->names[Y], r->names[T], r->names[X]);
  return status != CQ_OK ? status : json->failed ? cq_error_nomem(error) : CQ_OK;
}

int cq_central_estimate(cq_cli *cli) {
  request r = {0};
  sample s = {0};
  cq_buf json = {0};
  cq_error error;
  cq_error_clear(&error);
  int exit_status = read_request(cli, &r, &error);
  if (exit_status != CQ_EXIT_DONE) goto out;
  const char *names[MOST];
  size_t count = 0;
  for (size_t i = 0; i < MOST; i++) {
    if (!r.names[i]) continue;
    r.column[i] = count;
    names[count++] = r.names[i];
  }
  cq_status status = cq_data_read(&s.data, cq_cli_arg(cli, 0), names, NULL, count, &error);
  if (status == CQ_OK) status = read_strata(&s, &r, &error);
  if (status == CQ_OK) status = read_answers(&s, &r, &error);
  if (status == CQ_OK) status = read_values(&s, &r, &error);
  if (status == CQ_OK && r.names[BY]) status = sort_by_group(&s, &error);
  if (status == CQ_OK) status = say_all(cli, &s, &r, &json, &error);
  if (status != CQ_OK) {
    exit_status = cq_cli_fail(cli, &error);
    goto out;
  }
  if (cq_cli_flag(cli, "json")) fwrite(json.at, 1, json.size, stdout);
  say_missing(cli, &s);
out:
  cq_buf_fini(&json);
  sample_fini(&s);
  request_fini(&r);
  return exit_status;
}
