/* SPDX-License-Identifier: Apache-2.0 */
/* `calibrate`, `sample size`, `sample draw`, `tabulate`: the method's steps on any CSV file. */
#include "central/tables/survey/data.h"
#include "central/tables/survey/repair.h"
#include "central/verbs.h"
#include "chasqui/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_calibrate_options[] = {
    {"registered", 0, N_("COL"), N_("column of what was registered in the season")},
    {"recalled", 0, N_("COL"), N_("column of what was recalled of the same season later")},
    {"weight", 0, N_("COL"), N_("column of weights (else 1)")},
    {"grade", 0, N_("COL"), N_("column of the precision grade: each with ten pairs or more gets its own factor")},
    CQ_CLI_OPTION_JSON,
    {0}};
const cq_cli_option cq_central_size_options[] = {
    {"population", 0, N_("NUMBER"), N_("units in the frame")},
    {"margin", 0, N_("NUMBER"), N_("half the interval's width (else 0.05)")},
    {"share", 0, N_("NUMBER"), N_("the share expected (else 0.5)")},
    {"cluster", 0, N_("NUMBER"), N_("units taken in each cluster (else 1)")},
    {"within", 0, N_("NUMBER"), N_("correlation within clusters (else 0)")},
    {"attrition", 0, N_("NUMBER"), N_("share that will be lost (else 0)")},
    CQ_CLI_OPTION_JSON,
    {0}};
const cq_cli_option cq_central_draw_options[] = {
    {"id", 0, N_("COL"), N_("column that names each unit of the frame")},
    {"stratum", 0, N_("COL"), N_("column of the stratum")},
    {"n", 'n', N_("NUMBER"), N_("units to draw")},
    {"seed", 0, N_("NUMBER"), N_("seed: the same frame and seed draw the same sample")},
    {"out", 'o', N_("FILE"), N_("where the sample goes, as CSV")},
    {0}};
const cq_cli_option cq_central_tabulate_options[] = {
    {"rows", 0, N_("COL"), N_("column whose values are the rows")},
    {"columns", 0, N_("COL"), N_("column whose values are the columns")},
    {"public", 0, NULL, N_("hide small cells and their complements, for outside")},
    {"least", 0, N_("NUMBER"), N_("the smallest count that may be shown (else 5)")},
    CQ_CLI_OPTION_JSON,
    {0}};

/* A number of an option, within bounds; false where it is none. */
static bool number_of(const cq_cli *cli, const char *option, double fallback, double least, double most,
                      double *value) {
  const char *text = cq_cli_value(cli, option);
  *value = fallback;
  return !text || (cq_data_number(cq_str_from(text), value) && *value >= least && *value <= most);
}

/* --- calibrate --- */

enum { REGISTERED, RECALLED, WEIGHT, GRADE, CALIBRATE_COLUMNS };

typedef struct pairs {
  double *registered, *recalled, *weight;
  uint32_t *grade;
  cq_levels grades;
  size_t count, blank;
} pairs;

static void pairs_fini(pairs *p) {
  free(p->registered);
  free(p->recalled);
  free(p->weight);
  free(p->grade);
  cq_levels_fini(&p->grades);
}

static cq_status read_pairs(pairs *p, const cq_data *data, cq_error *error) {
  size_t size = data->rows + 1;
  p->registered = malloc(size * sizeof(double));
  p->recalled = malloc(size * sizeof(double));
  p->weight = malloc(size * sizeof(double));
  p->grade = malloc(size * sizeof(uint32_t));
  if (!p->registered || !p->recalled || !p->weight || !p->grade) return cq_error_nomem(error);
  for (size_t i = 0; i < data->rows; i++) {
    cq_str weight = cq_data_cell(data, i, WEIGHT);
    if (cq_data_blank(cq_data_cell(data, i, REGISTERED)) || cq_data_blank(cq_data_cell(data, i, RECALLED))) {
      p->blank++;
      continue;
    }
    p->weight[p->count] = 1;
    if (!cq_data_number(cq_data_cell(data, i, REGISTERED), &p->registered[p->count]) ||
        !cq_data_number(cq_data_cell(data, i, RECALLED), &p->recalled[p->count]) ||
        (weight.size && !cq_data_number(weight, &p->weight[p->count])))
      return cq_data_at(data, i, cq_error_set(error, CQ_INVALID, "central.calibrate.number", NULL), error);
    if ((p->grade[p->count] = cq_levels_number(&p->grades, cq_data_cell(data, i, GRADE))) == UINT32_MAX)
      return cq_error_nomem(error);
    p->count++;
  }
  return CQ_OK;
}

static void say_factor(const cq_cli *cli, const char *name, const cq_recall *k, cq_buf *json, bool first) {
  cq_cli_say(cli, _("  %-16s k = %.6f   bias of recall %+.2f %%   pairs %zu"), name, k->factor, 100 * k->bias,
             k->pairs);
  cq_buf_addf(json, "%s{\"grade\":", first ? "" : ",");
  cq_cli_add_json(json, cq_str_from(name));
  cq_buf_addf(json, ",\"factor\":%.17g,\"bias\":%.17g,\"pairs\":%zu}", k->factor, k->bias, k->pairs);
}

/* Each grade with enough pairs by itself; all pairs together for the rest. */
static cq_status say_grades(const cq_cli *cli, const pairs *p, cq_buf *json, cq_error *error) {
  cq_recall k;
  double *part = malloc((3 * p->count + 3) * sizeof *part);
  if (!part) return cq_error_nomem(error);
  cq_status status = cq_recall_factor(p->registered, p->recalled, p->weight, p->count, &k, error);
  if (status == CQ_OK) say_factor(cli, "", &k, json, true);
  for (uint32_t g = 0; status == CQ_OK && g < p->grades.count && p->grades.count > 1; g++) {
    size_t n = 0;
    char name[64];
    double *a = part, *b = part + p->count, *w = b + p->count;
    for (size_t i = 0; i < p->count; i++) {
      if (p->grade[i] != g) continue;
      a[n] = p->registered[i];
      b[n] = p->recalled[i];
      w[n++] = p->weight[i];
    }
    snprintf(name, sizeof name, "%.*s", (int)(p->grades.names[g].size < 60 ? p->grades.names[g].size : 60),
             p->grades.names[g].at);
    if (n < CQ_RECALL_LEAST_PAIRS) {
      cq_cli_say(cli, _("  %-16s fewer than ten pairs (%zu): the pooled factor"), name, n);
      continue;
    }
    if ((status = cq_recall_factor(a, b, w, n, &k, error)) == CQ_OK) say_factor(cli, name, &k, json, false);
  }
  free(part);
  return status;
}

int cq_central_calibrate(cq_cli *cli) {
  const char *weight = cq_cli_value(cli, "weight"), *grade = cq_cli_value(cli, "grade");
  const char *const names[] = {cq_cli_value(cli, "registered"), cq_cli_value(cli, "recalled"), weight ? weight : "",
                               grade ? grade : ""};
  const bool optional[] = {false, false, !weight, !grade};
  if (!names[0] || !names[1]) return cq_cli_usage(cli, "%s", _("calibrate needs --registered COL and --recalled COL"));
  cq_data data = {0};
  pairs p = {0};
  cq_buf json = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_data_read(&data, cq_cli_arg(cli, 0), names, optional, CALIBRATE_COLUMNS, &error);
  if (status == CQ_OK) status = read_pairs(&p, &data, &error);
  if (status == CQ_OK && !p.count) status = cq_error_set(&error, CQ_INVALID, "central.estimate.empty", NULL);
  if (status == CQ_OK) status = say_grades(cli, &p, &json, &error);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"factors\":[%s],\"missing\":%zu}\n", json.at, p.blank);
  if (status == CQ_OK && p.blank)
    cq_cli_warn(cli,
                cq_cli_plural("%zu row lacks one of the two values and is left out.",
                              "%zu rows lack one of the two values and are left out.", p.blank),
                p.blank);
  pairs_fini(&p);
  cq_data_fini(&data);
  cq_buf_fini(&json);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

/* --- sample size --- */

int cq_central_size(cq_cli *cli) {
  cq_size_wish wish;
  if (!cq_cli_value(cli, "population")) return cq_cli_usage(cli, "%s", _("sample size needs --population NUMBER"));
  if (!number_of(cli, "population", 0, 1, 1e12, &wish.population) ||
      !number_of(cli, "margin", 0.05, 1e-6, 0.5, &wish.margin) ||
      !number_of(cli, "share", 0.5, 1e-9, 1 - 1e-9, &wish.share) ||
      !number_of(cli, "cluster", 1, 1, 1e6, &wish.cluster) || !number_of(cli, "within", 0, 0, 1, &wish.within) ||
      !number_of(cli, "attrition", 0, 0, 0.95, &wish.attrition))
    return cq_cli_usage(cli, "%s", _("a number is missing or out of bounds"));
  cq_size size = cq_sample_size(&wish);
  if (cq_cli_flag(cli, "json"))
    printf("{\"infinite\":%.17g,\"finite\":%.17g,\"needed\":%lld,\"drawn\":%lld}\n", size.infinite, size.finite,
           (long long)size.needed, (long long)size.drawn);
  cq_cli_say(cli, _("n0 = %.2f; with the finite population %.2f: %lld interviews. Draw %lld."), size.infinite,
             size.finite, (long long)size.needed, (long long)size.drawn);
  return CQ_EXIT_DONE;
}

/* --- sample draw --- */

typedef struct drawing {
  cq_data data;
  cq_levels strata, ids;
  uint32_t *stratum;
  double *population;
  int64_t *rows;
  uint32_t *members, *order; /* units of one stratum; their random order */
} drawing;

static void drawing_fini(drawing *d) {
  cq_data_fini(&d->data);
  cq_levels_fini(&d->strata);
  cq_levels_fini(&d->ids);
  free(d->stratum);
  free(d->population);
  free(d->rows);
  free(d->members);
  free(d->order);
}

static cq_status read_frame(drawing *d, const char *path, const char *const names[2], cq_error *error) {
  cq_status status = cq_data_read(&d->data, path, names, NULL, 2, error);
  if (status != CQ_OK) return status;
  size_t size = d->data.rows + 1;
  d->stratum = malloc(size * sizeof *d->stratum);
  d->population = calloc(size, sizeof *d->population);
  d->rows = calloc(size, sizeof *d->rows);
  d->members = malloc(size * sizeof *d->members);
  d->order = malloc(size * sizeof *d->order);
  if (!d->stratum || !d->population || !d->rows || !d->members || !d->order) return cq_error_nomem(error);
  for (size_t i = 0; i < d->data.rows; i++) {
    cq_str id = cq_data_cell(&d->data, i, 0), stratum = cq_data_cell(&d->data, i, 1);
    size_t before = d->ids.count;
    if (!id.size || !stratum.size)
      return cq_data_at(&d->data, i,
                        cq_error_set(error, CQ_INVALID, "central.estimate.blank", names[id.size ? 1 : 0], NULL), error);
    if (cq_levels_number(&d->ids, id) == UINT32_MAX) return cq_error_nomem(error);
    if (d->ids.count == before)
      return cq_data_at(&d->data, i, cq_error_set(error, CQ_INVALID, "central.coverage.twice", NULL), error);
    if ((d->stratum[i] = cq_levels_number(&d->strata, stratum)) == UINT32_MAX) return cq_error_nomem(error);
    d->population[d->stratum[i]]++;
  }
  return CQ_OK;
}

/* Drawn units first, then all others of the stratum in the order in which they replace those that are lost. */
static void draw_stratum(drawing *d, uint32_t h, uint64_t seed, cq_buf *out) {
  size_t count = 0;
  char text[64];
  for (size_t i = 0; i < d->data.rows; i++)
    if (d->stratum[i] == h) d->members[count++] = (uint32_t)i;
  cq_sample_shuffle(d->order, count, seed + h);
  for (size_t i = 0; i < count; i++) {
    bool drawn = (int64_t)i < d->rows[h];
    cq_csv_add_field(out, true, cq_data_cell(&d->data, d->members[d->order[i]], 0), true);
    cq_csv_add_field(out, false, d->strata.names[h], true);
    snprintf(text, sizeof text, "%.0f", d->population[h]);
    cq_csv_add_field(out, false, cq_str_from(text), true);
    snprintf(text, sizeof text, "%lld", (long long)d->rows[h]);
    cq_csv_add_field(out, false, cq_str_from(text), true);
    snprintf(text, sizeof text, "%zu", i + 1);
    cq_csv_add_field(out, false, cq_str_from(text), true);
    cq_csv_add_field(out, false, cq_str_from(drawn ? "sample" : "replacement"), true);
    snprintf(text, sizeof text, "%.15g", drawn ? d->population[h] / (double)d->rows[h] : 0);
    cq_csv_add_field(out, false, cq_str_from(drawn ? text : ""), true);
    cq_csv_end_row(out);
  }
}

int cq_central_draw(cq_cli *cli) {
  const char *const names[2] = {cq_cli_value(cli, "id"), cq_cli_value(cli, "stratum")};
  const char *out_path = cq_cli_value(cli, "out"), *seed_text = cq_cli_value(cli, "seed"),
             *n_text = cq_cli_value(cli, "n");
  int64_t n, seed;
  if (!names[0] || !names[1] || !out_path || !n_text || !seed_text)
    return cq_cli_usage(cli, "%s", _("sample draw needs --id, --stratum, -n, --seed and --out"));
  if (!cq_str_int64(cq_str_from(n_text), &n) || !cq_str_int64(cq_str_from(seed_text), &seed) || n < 2 || seed < 0)
    return cq_cli_usage(cli, "%s", _("a number is missing or out of bounds"));
  drawing d = {0};
  cq_buf out = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = read_frame(&d, cq_cli_arg(cli, 0), names, &error);
  if (status == CQ_OK) status = cq_sample_allocate(d.population, d.strata.count, n, d.rows, &error);
  if (status == CQ_OK) {
    cq_buf_add_text(&out, "id,stratum,N,n,order,role,weight\r\n");
    for (uint32_t h = 0; h < d.strata.count; h++) draw_stratum(&d, h, (uint64_t)seed, &out);
    status = out.failed ? cq_error_nomem(&error) : cq_file_replace(out_path, out.at, out.size, 0600, true, &error);
  }
  for (size_t h = 0; status == CQ_OK && h < d.strata.count; h++) {
    cq_buf_reset(&out);
    cq_data_column(&out, d.strata.names[h], -24);
    if (!out.failed) cq_cli_say(cli, "  %s %6lld / %.0f", out.at, (long long)d.rows[h], d.population[h]);
  }
  if (status == CQ_OK)
    cq_cli_say(cli, _("Drawn with seed %lld. The sample is frozen in %s; keep the frame with it."), (long long)seed,
               out_path);
  drawing_fini(&d);
  cq_buf_fini(&out);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

/* --- tabulate --- */

static int by_name(const void *a, const void *b) {
  return cq_str_compare(*(const cq_str *)a, *(const cq_str *)b);
}

/* Sorted names, numbered anew. */
static cq_status sorted(cq_levels *to, const cq_data *data, size_t column, cq_error *error) {
  cq_levels found = {0};
  cq_status status = CQ_OK;
  for (size_t i = 0; i < data->rows && status == CQ_OK; i++)
    if (cq_levels_number(&found, cq_data_cell(data, i, column)) == UINT32_MAX) status = cq_error_nomem(error);
  if (status == CQ_OK && found.count) qsort(found.names, found.count, sizeof *found.names, by_name);
  for (size_t i = 0; status == CQ_OK && i < found.count; i++)
    if (cq_levels_number(to, found.names[i]) == UINT32_MAX) status = cq_error_nomem(error);
  free(found.names);
  free(found.slots);
  return status;
}

typedef struct crosstab {
  cq_levels rows, columns;
  int64_t *counts;
  cq_hidden *hidden, *row_total, *column_total;
  cq_hidden total;
} crosstab;

static void crosstab_fini(crosstab *t) {
  cq_levels_fini(&t->rows);
  cq_levels_fini(&t->columns);
  free(t->counts);
  free(t->hidden);
  free(t->row_total);
  free(t->column_total);
}

enum { MAX_CROSSTAB_CELLS = 200000 };

/* Four marks: a figure, 0 for a true nought, a dot for what is hidden, and nothing where there is nothing to say. */
static void add_count(cq_buf *out, int64_t count, cq_hidden hidden) {
  if (hidden != CQ_SHOWN)
    cq_buf_addf(out, "%12s·", "");
  else
    cq_buf_addf(out, " %12lld", (long long)count);
}

static void say_crosstab(const cq_cli *cli, const crosstab *t) {
  cq_buf line = {0};
  size_t columns = t->columns.count;
  int64_t all = 0;
  cq_buf_addf(&line, "%-24s", "");
  for (size_t c = 0; c <= columns; c++) {
    cq_buf_add_char(&line, ' ');
    cq_data_column(&line, c < columns ? t->columns.names[c] : cq_str_from(_("all")), 12);
  }
  if (!line.failed) cq_cli_say(cli, "%s", line.at);
  for (size_t r = 0; r <= t->rows.count; r++) {
    bool last = r == t->rows.count;
    int64_t sum = 0;
    cq_str name = last ? cq_str_from(_("all")) : t->rows.names[r];
    cq_buf_reset(&line);
    cq_data_column(&line, name, -24);
    for (size_t c = 0; c < columns; c++) {
      int64_t count = 0;
      for (size_t i = last ? 0 : r; i < (last ? r : r + 1); i++) count += t->counts[i * columns + c];
      add_count(&line, count, last ? t->column_total[c] : t->hidden[r * columns + c]);
      sum += count;
    }
    if (!last) all += sum;
    add_count(&line, last ? all : sum, last ? t->total : t->row_total[r]);
    if (!line.failed) cq_cli_say(cli, "%s", line.at);
  }
  cq_buf_fini(&line);
}

static void add_json_cell(cq_buf *out, bool first, const cq_str *row, const cq_str *column, int64_t count,
                          cq_hidden hidden) {
  cq_buf_add_text(out, first ? "\n{" : ",\n{");
  if (row) {
    cq_buf_add_text(out, "\"row\":");
    cq_cli_add_json(out, *row);
    cq_buf_add_char(out, ',');
  }
  if (column) {
    cq_buf_add_text(out, "\"column\":");
    cq_cli_add_json(out, *column);
    cq_buf_add_char(out, ',');
  }
  if (hidden == CQ_SHOWN)
    cq_buf_addf(out, "\"count\":%lld}", (long long)count);
  else
    cq_buf_add_text(out, "\"count\":null,\"suppressed\":true}");
}

static void say_crosstab_json(const crosstab *t) {
  cq_buf out = {0};
  size_t columns = t->columns.count;
  int64_t all = 0;
  cq_buf_add_text(&out, "{\"cells\":[");
  for (size_t r = 0; r < t->rows.count; r++)
    for (size_t c = 0; c < columns; c++) {
      size_t at = r * columns + c;
      add_json_cell(&out, at == 0, &t->rows.names[r], &t->columns.names[c], t->counts[at], t->hidden[at]);
      all += t->counts[at];
    }
  cq_buf_add_text(&out, "],\"totals\":[");
  for (size_t r = 0; r < t->rows.count; r++) {
    int64_t sum = 0;
    for (size_t c = 0; c < columns; c++) sum += t->counts[r * columns + c];
    add_json_cell(&out, r == 0, &t->rows.names[r], NULL, sum, t->row_total[r]);
  }
  for (size_t c = 0; c < columns; c++) {
    int64_t sum = 0;
    for (size_t r = 0; r < t->rows.count; r++) sum += t->counts[r * columns + c];
    add_json_cell(&out, false, NULL, &t->columns.names[c], sum, t->column_total[c]);
  }
  add_json_cell(&out, !t->rows.count, NULL, NULL, all, t->total);
  cq_buf_add_text(&out, "]}\n");
  if (!out.failed) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
}

static cq_status count_cells(crosstab *t, const cq_data *data, cq_error *error) {
  cq_status status = sorted(&t->rows, data, 0, error);
  if (status == CQ_OK) status = sorted(&t->columns, data, 1, error);
  if (status != CQ_OK) return status;
  if (t->rows.count > MAX_CROSSTAB_CELLS || t->columns.count > MAX_CROSSTAB_CELLS ||
      t->rows.count * t->columns.count > MAX_CROSSTAB_CELLS)
    return cq_error_set(error, CQ_LIMIT, "central.data.rows", NULL);
  size_t cells = t->rows.count * t->columns.count + 1;
  t->counts = calloc(cells, sizeof *t->counts);
  t->hidden = calloc(cells, sizeof *t->hidden);
  t->row_total = calloc(t->rows.count + 1, sizeof *t->row_total);
  t->column_total = calloc(t->columns.count + 1, sizeof *t->column_total);
  if (!t->counts || !t->hidden || !t->row_total || !t->column_total) return cq_error_nomem(error);
  for (size_t i = 0; i < data->rows; i++) {
    size_t r = cq_levels_find(&t->rows, cq_data_cell(data, i, 0)),
           c = cq_levels_find(&t->columns, cq_data_cell(data, i, 1));
    t->counts[r * t->columns.count + c]++;
  }
  return CQ_OK;
}

int cq_central_tabulate(cq_cli *cli) {
  const char *const names[2] = {cq_cli_value(cli, "rows"), cq_cli_value(cli, "columns")};
  double least;
  if (!names[0] || !names[1]) return cq_cli_usage(cli, "%s", _("tabulate needs --rows COL and --columns COL"));
  if (!number_of(cli, "least", CQ_SMALL_CELL, 1, 1e6, &least))
    return cq_cli_usage(cli, "%s", _("a number is missing or out of bounds"));
  cq_data data = {0};
  crosstab t = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_data_read(&data, cq_cli_arg(cli, 0), names, NULL, 2, &error);
  if (status == CQ_OK) status = count_cells(&t, &data, &error);
  if (status == CQ_OK &&
      cq_cli_flag(cli, "public")) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): crosstab_fini frees */
    status = cq_suppress(t.counts, t.rows.count, t.columns.count, (int64_t)least, t.hidden, t.row_total, t.column_total,
                         &t.total, &error);
  if (status == CQ_OK) {
    if (cq_cli_flag(cli, "json"))
      say_crosstab_json(&t);
    else
      say_crosstab(cli, &t);
    if (cq_cli_flag(cli, "public"))
      cq_cli_say(cli, _("· hidden: fewer than %.0f, or needed to work one such out"), least);
  }
  crosstab_fini(&t);
  cq_data_fini(&data);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}
