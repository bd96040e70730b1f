/* SPDX-License-Identifier: Apache-2.0 */
/* `sample report`: who of a sample answered and who was lost, why, and how unlike the two are; from the desk, or from a
 * file. */
#include "central/tables/indicators/indicators.h"
#include "central/tables/survey/desksample.h"
#include "central/tables/survey/respond.h"
#include "central/tables/words.h"
#include "central/verbs.h"
#include "chasqui/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_sample_report_options[] = {
    {"season", 0, N_("SEASON"), N_("of the desk: about which season they were asked, 2012-T1")},
    {"today", 0, N_("DATE"), N_("of the desk: the day on which it is looked at (else today)")},
    {"dataset", 0, N_("NAME"), N_("which list of the desk's entities the persons are (else tdd)")},
    {"baseline", 0, N_("FORM"), N_("of the desk: the form whose questions --compare, --replaces and --reason name")},
    {"stratum", 0, N_("COL"), N_("of a file: column that says each row's stratum")},
    {"population", 0, N_("COL"), N_("of a file: column with the size of the row's stratum in the population")},
    {"answered", 0, N_("COL"), N_("of a file: column of 1 for those who answered and 0 for those who were lost")},
    {"class", 0, N_("COL"), N_("column, or property of the persons, that is the weighting class (else the stratum)")},
    {"reason", 0, N_("COL"), N_("column that says why somebody was lost or replaced (of the desk: replaced)")},
    {"replaces", 0, N_("COL"), N_("column that names whom a replacement replaces; blank for those who were drawn")},
    {"compare", 0, N_("COL"), N_("compare the mean of a column of the baseline; may be given several times")},
    {"id", 0, N_("COL"), N_("of a file, with --out: column that names each person")},
    {"out", 'o', N_("FILE"), N_("write the adjusted weights as CSV")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

enum {
  STRATUM = CQ_SAMPLE_STRATUM,
  POPULATION = CQ_SAMPLE_POPULATION,
  ANSWERED = CQ_SAMPLE_ANSWERED,
  CLASS = CQ_SAMPLE_CLASS,
  REASON = CQ_SAMPLE_REASON,
  REPLACES = CQ_SAMPLE_REPLACES,
  ID = CQ_SAMPLE_ID,
  COMPARE = CQ_SAMPLE_COMPARE,
  MAX_COMPARE = 16,
  MOST = COMPARE + MAX_COMPARE
};

typedef struct loss {
  cq_data data;
  cq_desk_sample sample; /* of the desk; its data are moved to `data` */
  const char *names[MOST];
  size_t compared;
  cq_levels strata, classes, reasons;
  uint32_t *row, *stratum, *class; /* of each unit drawn; row: in the data */
  double *weight, *population;
  size_t *strata_rows, *strata_answered;
  bool *answered; /* or outside of the season, which is no loss */
  size_t units, answers, replaced;
  cq_respond respond;
} loss;

static void loss_fini(loss *l) {
  cq_data_fini(&l->data);
  cq_desk_sample_fini(&l->sample);
  cq_levels_fini(&l->strata);
  cq_levels_fini(&l->classes);
  cq_levels_fini(&l->reasons);
  free(l->row);
  free(l->stratum);
  free(l->class);
  free(l->weight);
  free(l->population);
  free(l->strata_rows);
  free(l->strata_answered);
  free(l->answered);
  cq_respond_fini(&l->respond);
}

static bool from_desk(const loss *l) {
  return l->sample.weight != NULL;
}

static bool is_outside(const loss *l, size_t unit) {
  return from_desk(l) && l->sample.outside[unit];
}

static cq_str cell(const loss *l, size_t row, size_t column) {
  return cq_data_cell(&l->data, row, column);
}

static cq_status bad(const loss *l, size_t row, const char *code, const char *argument, cq_error *error) {
  cq_error_set(error, CQ_INVALID, code, argument, NULL);
  return cq_data_at(&l->data, row, CQ_INVALID, error);
}

static void short_name(char out[CQ_ERROR_ARG_SIZE], cq_str name) {
  snprintf(out, CQ_ERROR_ARG_SIZE, "%.*s", (int)(name.size < 100 ? name.size : 100), name.size ? name.at : "");
}

/* --- reading --- */

static cq_status read_unit(loss *l, size_t i, cq_error *error) {
  cq_str stratum = cell(l, i, STRATUM), answered = cell(l, i, ANSWERED);
  double population;
  char name[CQ_ERROR_ARG_SIZE];
  size_t u = l->units;
  if (!stratum.size) return bad(l, i, "central.estimate.blank", l->names[STRATUM], error);
  if (!cq_data_number(cell(l, i, POPULATION), &population) || population < 1)
    return bad(l, i, "central.estimate.population", l->names[POPULATION], error);
  if (!cq_str_is(answered, "1") && !cq_str_is(answered, "0"))
    return bad(l, i, "central.respond.answered", l->names[ANSWERED], error);
  uint32_t h = cq_levels_number(&l->strata, stratum);
  uint32_t g = l->names[CLASS] ? cq_levels_number(&l->classes, cell(l, i, CLASS)) : h;
  if (h == UINT32_MAX || g == UINT32_MAX) return cq_error_nomem(error);
  short_name(name, stratum);
  if (l->strata_rows[h] && l->population[h] != population) return bad(l, i, "central.estimate.differs", name, error);
  l->population[h] = population;
  l->row[u] = (uint32_t)i;
  l->stratum[u] = h;
  l->class[u] = g;
  l->answered[u] = cq_str_is(answered, "1");
  l->strata_rows[h]++;
  l->strata_answered[h] += l->answered[u];
  l->answers += l->answered[u];
  l->units++;
  return CQ_OK;
}

static cq_status read_sample(loss *l, cq_error *error) {
  size_t rows = l->data.rows + 1;
  char name[CQ_ERROR_ARG_SIZE];
  l->row = calloc(rows, sizeof *l->row);
  l->stratum = calloc(rows, sizeof *l->stratum);
  l->class = calloc(rows, sizeof *l->class);
  l->weight = calloc(rows, sizeof *l->weight);
  l->population = calloc(rows, sizeof *l->population);
  l->strata_rows = calloc(rows, sizeof *l->strata_rows);
  l->strata_answered = calloc(rows, sizeof *l->strata_answered);
  l->answered = calloc(rows, sizeof *l->answered);
  if (!l->row || !l->stratum || !l->class || !l->weight || !l->population || !l->strata_rows || !l->strata_answered ||
      !l->answered)
    return cq_error_nomem(error);
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < l->data.rows; i++) {
    if (cell(l, i, REPLACES).size)
      l->replaced++; /* was not drawn: no answer of the sample, and no loss */
    else
      status = read_unit(l, i, error);
  }
  for (size_t h = 0; status == CQ_OK && h < l->strata.count; h++) {
    short_name(name, l->strata.names[h]);
    if (l->population[h] < (double)l->strata_rows[h])
      status = cq_error_set(error, CQ_INVALID, "central.estimate.small", name, NULL);
    if (status == CQ_OK && l->strata_answered[h] < 2 && !from_desk(l)) /* those of the desk are joined, as in `table` */
      status = cq_error_set(error, CQ_INVALID, "central.respond.single", name, NULL);
  }
  for (size_t u = 0; status == CQ_OK && u < l->units; u++)
    l->weight[u] =
        from_desk(l) ? l->sample.weight[u] : l->population[l->stratum[u]] / (double)l->strata_rows[l->stratum[u]];
  return status;
}

static cq_status adjust(loss *l, cq_error *error) {
  cq_drawn drawn = {.units = l->units,
                    .strata = l->strata.count,
                    .stratum = l->stratum,
                    .weight = l->weight,
                    .population = l->population,
                    .class = l->names[CLASS] ? l->class : NULL,
                    .classes = l->classes.count};
  return cq_respond_init(&l->respond, &drawn, l->answered, from_desk(l), error);
}

/* --- what is said --- */

typedef struct share {
  size_t all, answered;
  double weight, weight_answered;
  double outside; /* weight of those outside of the season: in neither, and in both for the factor, as in the design */
} share;

static share share_of(const loss *l, uint32_t class) {
  share s = {0};
  for (size_t u = 0; u < l->units; u++) {
    if (class != UINT32_MAX && l->class[u] != class) continue;
    if (is_outside(l, u)) {
      s.outside += l->weight[u];
      continue;
    }
    s.all++;
    s.weight += l->weight[u];
    if (!l->answered[u]) continue;
    s.answered++;
    s.weight_answered += l->weight[u];
  }
  return s;
}

static void say_share(const cq_cli *cli, cq_str name, cq_str code, const share *s, cq_buf *json, bool first) {
  double rate = (double)s->answered / (double)s->all, weighted = s->weight_answered / s->weight;
  double factor = (s->weight + s->outside) / (s->weight_answered + s->outside);
  cq_buf label = {0};
  cq_data_column(&label, name.size ? name : CQ_STR("—"), -24);
  cq_cli_say(cli, "  %s %5zu %5zu %8.1f %% %8.1f %% %10.4f", label.at ? label.at : "", s->all, s->answered, 100 * rate,
             100 * weighted, factor);
  cq_buf_fini(&label);
  cq_buf_add_text(json, first ? "\n{\"class\":" : ",\n{\"class\":");
  cq_cli_add_json(json, code);
  cq_buf_addf(json, ",\"drawn\":%zu,\"answered\":%zu,\"rate\":%.17g,\"weighted_rate\":%.17g,\"factor\":%.17g}", s->all,
              s->answered, rate, weighted, factor);
}

static void say_answers(const cq_cli *cli, const loss *l, cq_buf *json) {
  const cq_levels *names = l->names[CLASS] ? &l->classes : &l->strata;
  share all = share_of(l, UINT32_MAX);
  size_t said = 0;
  cq_cli_say(cli, "  %-24s %5s %5s %10s %10s %10s", "", _("drawn"), _("n"), _("answered"), _("weighted"), _("factor"));
  cq_buf_add_text(json, "\"all\":[");
  if (all.all) say_share(cli, cq_str_from(_("all")), CQ_STR("all"), &all, json, true);
  cq_buf_add_text(json, "],\"classes\":[");
  for (uint32_t g = 0; g < names->count; g++) {
    share s = share_of(l, g);
    if (s.all) say_share(cli, names->names[g], names->names[g], &s, json, said++ == 0);
  }
  cq_buf_add_char(json, ']');
}

/* Those lost, or those who replace, by reason. */
static cq_status say_reasons(const cq_cli *cli, loss *l, bool replacements, cq_buf *json, cq_error *error) {
  size_t *counts = calloc(l->data.rows + 1, sizeof *counts), all = 0, said = 0;
  if (!counts) return cq_error_nomem(error);
  for (size_t i = 0; i < l->data.rows; i++) {
    bool replacement = cell(l, i, REPLACES).size > 0;
    if (replacement != replacements || (!replacement && cq_str_is(cell(l, i, ANSWERED), "1"))) continue;
    uint32_t reason = cq_levels_number(&l->reasons, cell(l, i, REASON));
    if (reason == UINT32_MAX) {
      free(counts);
      return cq_error_nomem(error);
    }
    counts[reason]++;
    all++;
  }
  cq_buf_addf(json, ",\"%s\":{\"count\":%zu,\"reasons\":[", replacements ? "replacements" : "lost", all);
  cq_cli_say(cli,
             replacements ? _("Replacements (not counted above, and without a baseline of their own): %zu")
                          : _("Lost: %zu"),
             all);
  for (size_t r = 0; r < l->reasons.count; r++) {
    if (!counts[r]) continue;
    cq_str name = l->reasons.names[r];
    if (l->names[REASON]) {
      cq_buf label = {0};
      cq_data_column(&label, name.size ? cq_words_state_named(name) : CQ_STR("—"), -24);
      cq_cli_say(cli, "  %s %5zu", label.at ? label.at : "", counts[r]);
      cq_buf_fini(&label);
    }
    cq_buf_add_text(json, said++ ? ",{\"reason\":" : "{\"reason\":");
    cq_cli_add_json(json, name);
    cq_buf_addf(json, ",\"count\":%zu}", counts[r]);
  }
  cq_buf_add_text(json, "]}");
  free(counts);
  return CQ_OK;
}

static void add_estimate(cq_buf *json, const char *name, const cq_estimate *e) {
  cq_buf_addf(json, ",\"%s\":{\"estimate\":%.17g,\"se\":%.17g,\"low\":%.17g,\"high\":%.17g,\"n\":%zu}", name,
              e->estimate, e->se, e->low, e->high, e->n);
}

/* The whole sample as drawn: stayers and leavers are domains of it. */
static cq_status compare(const cq_cli *cli, const loss *l, size_t column, cq_buf *json, bool first, cq_error *error) {
  uint8_t *group = malloc(l->units + 1);
  double *y = calloc(l->units + 1, sizeof *y);
  cq_stratum *strata = calloc(l->strata.count + 1, sizeof *strata);
  cq_status status = group && y && strata ? CQ_OK : cq_error_nomem(error);
  size_t blank = 0;
  for (size_t h = 0; status == CQ_OK && h < l->strata.count; h++)
    strata[h] = (cq_stratum){l->population[h], l->strata_rows[h]};
  for (size_t u = 0; status == CQ_OK && u < l->units; u++) {
    cq_str text = cell(l, l->row[u], column);
    group[u] = is_outside(l, u) ? 2 : l->answered[u] ? 1 : 0;
    if (group[u] == 2) continue;
    if (cq_data_blank(text)) {
      group[u] = 2;
      blank++;
    } else if (!cq_data_number(text, &y[u])) {
      status = bad(l, l->row[u], "central.estimate.number", l->names[column], error);
    }
  }
  cq_design design = {.rows = l->units, .strata_count = l->strata.count, .stratum = l->stratum, .strata = strata};
  cq_estimate mean[2], difference;
  if (status == CQ_OK) status = cq_respond_compare(&design, group, y, mean, &difference, error);
  if (status == CQ_OK) {
    cq_cli_say(cli, _("%s: stayed %.6g (s.e. %.4g, n %zu), left %.6g (s.e. %.4g, n %zu)"), l->names[column],
               mean[1].estimate, mean[1].se, mean[1].n, mean[0].estimate, mean[0].se, mean[0].n);
    cq_cli_say(cli, _("  difference %.6g, s.e. %.4g, 95 %% from %.6g to %.6g%s"), difference.estimate, difference.se,
               difference.low, difference.high,
               difference.low > 0 || difference.high < 0 ? _("  *** those lost were not like those who stayed") : "");
    if (blank) cq_cli_say(cli, _("  %zu without a value"), blank);
    cq_buf_add_text(json, first ? "\n{\"column\":" : ",\n{\"column\":");
    cq_cli_add_json(json, cq_str_from(l->names[column]));
    add_estimate(json, "stayed", &mean[1]);
    add_estimate(json, "left", &mean[0]);
    add_estimate(json, "difference", &difference);
    cq_buf_addf(json, ",\"missing\":%zu}", blank);
  }
  free(group);
  free(y);
  free(strata);
  return status;
}

static cq_status write_weights(const loss *l, const char *path, cq_error *error) {
  cq_buf out = {0};
  char text[40];
  cq_buf_add_text(&out, "id,stratum,answered,weight,adjusted\r\n");
  for (size_t u = 0; u < l->units; u++) {
    uint32_t row = l->respond.row_of[u];
    cq_csv_add_field(&out, true, cell(l, l->row[u], ID), true);
    cq_csv_add_field(&out, false, l->strata.names[l->stratum[u]], true);
    cq_csv_add_field(&out, false, is_outside(l, u) ? CQ_STR("") : l->answered[u] ? CQ_STR("1") : CQ_STR("0"), false);
    snprintf(text, sizeof text, "%.15g", l->weight[u]);
    cq_csv_add_field(&out, false, cq_str_from(text), false);
    snprintf(text, sizeof text, "%.15g", row == UINT32_MAX ? 0 : l->respond.weight[row]);
    cq_csv_add_field(&out, false, row == UINT32_MAX ? CQ_STR("") : cq_str_from(text), false);
    cq_csv_end_row(&out);
  }
  cq_status status = out.failed ? cq_error_nomem(error) : cq_file_replace(path, out.at, out.size, 0600, false, error);
  cq_buf_fini(&out);
  return status;
}

/* What a file does not say. */
static void say_desk(const cq_cli *cli, const loss *l, cq_buf *json) {
  const cq_desk_sample *s = &l->sample;
  if (s->outside_count)
    cq_cli_say(cli, _("Not enrolled for half of the season, so outside of it and not lost: %zu"), s->outside_count);
  if (s->open) cq_cli_say(cli, _("Of those lost, a visit in time can still find: %zu"), s->open);
  if (l->respond.joined)
    cq_cli_say(cli,
               cq_cli_plural("%zu stratum was joined with the next one: fewer than two persons answered there.",
                             "%zu strata were joined with the next one: fewer than two persons answered there.",
                             l->respond.joined),
               l->respond.joined);
  if (s->unreadable)
    cq_cli_warn(cli,
                cq_cli_plural("%zu record is of a form that is not known here.",
                              "%zu records are of a form that is not known here.", s->unreadable),
                s->unreadable);
  cq_buf_addf(json, ",\"outside\":%zu,\"open\":%zu,\"joined\":%zu", s->outside_count, s->open, l->respond.joined);
}

static cq_status say_all(cq_cli *cli, loss *l, cq_error *error) {
  cq_buf json = {0};
  cq_buf_add_char(&json, '{');
  say_answers(cli, l, &json);
  cq_status status = say_reasons(cli, l, false, &json, error);
  if (status == CQ_OK && l->names[REPLACES]) status = say_reasons(cli, l, true, &json, error);
  if (status == CQ_OK && from_desk(l)) say_desk(cli, l, &json);
  cq_buf_add_text(&json, ",\"comparison\":[");
  bool both = l->answers < l->units;
  for (size_t c = 0; status == CQ_OK && both && c < l->compared; c++)
    status = compare(cli, l, COMPARE + c, &json, c == 0, error);
  cq_buf_add_text(&json, "]}\n");
  if (status == CQ_OK && cq_cli_value(cli, "out")) status = write_weights(l, cq_cli_value(cli, "out"), error);
  if (status == CQ_OK && json.failed) status = cq_error_nomem(error);
  if (status == CQ_OK && cq_cli_flag(cli, "json")) fwrite(json.at, 1, json.size, stdout);
  cq_buf_fini(&json);
  return status;
}

static cq_status report(cq_cli *cli, loss *l, cq_error *error) {
  cq_status status = read_sample(l, error);
  if (status == CQ_OK) status = adjust(l, error);
  return status == CQ_OK ? say_all(cli, l, error) : status;
}

/* --- from a file --- */

static int report_file(cq_cli *cli, loss *l) {
  const char *read[MOST];
  bool optional[MOST];
  cq_error error;
  cq_error_clear(&error);
  if (!l->names[STRATUM] || !l->names[POPULATION] || !l->names[ANSWERED] || (cq_cli_value(cli, "out") && !l->names[ID]))
    return cq_cli_usage(cli, "%s",
                        _("sample report of a file needs --stratum, --population and --answered, and with --out --id"));
  for (size_t i = 0; i < COMPARE + l->compared; i++) {
    read[i] = l->names[i] ? l->names[i] : "\001"; /* the name of no column */
    optional[i] = !l->names[i];
  }
  cq_status status = cq_data_read(&l->data, cq_cli_arg(cli, 0), read, optional, COMPARE + l->compared, &error);
  if (status == CQ_OK) status = report(cli, l, &error);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

/* --- from the desk --- */

static cq_status read_desk(cq_cli *cli, loss *l, cq_desk *desk, const cq_desk_sample_plan *plan, cq_error *error) {
  char day[11], season[CQ_SEASON_REF_SIZE];
  cq_status status = cq_desk_sample_read(&l->sample, desk, plan, error);
  if (status != CQ_OK) return status;
  l->data = l->sample.data;
  l->sample.data = (cq_data){0};
  l->names[REASON] = "reason"; /* the desk always knows one */
  cq_cli_say(cli, _("Sample of %s, season %s, as at %s"), plan->dataset, cq_season_format(&plan->season, season),
             cq_date_format(cq_date_from_day(plan->today), day));
  return report(cli, l, error);
}

static int report_desk(cq_cli *cli, loss *l) {
  cq_desk desk;
  cq_error error;
  cq_date date;
  const char *day = cq_cli_value(cli, "today"), *dataset = cq_cli_value(cli, "dataset"),
             *season = cq_cli_value(cli, "season");
  cq_desk_sample_plan plan = {.dataset = dataset ? dataset : "tdd",
                              .class = l->names[CLASS],
                              .baseline = cq_cli_value(cli, "baseline"),
                              .replaces = l->names[REPLACES],
                              .reason = l->names[REASON],
                              .compare = l->names + COMPARE,
                              .compared = l->compared};
  cq_error_clear(&error);
  if (!season || !cq_season_parse(cq_str_from(season), &plan.season))
    return cq_cli_usage(cli, "%s", _("sample report of the desk needs --season, such as 2012-T1; of a file, its name"));
  if (!plan.baseline && (plan.compared || plan.replaces || plan.reason))
    return cq_cli_usage(cli, "%s", _("--compare, --replaces and --reason need --baseline with a form"));
  if (day && !cq_date_parse(cq_str_from(day), &date))
    return cq_cli_usage(cli, "%s", _("--today takes a date, YYYY-MM-DD"));
  plan.today = day ? cq_date_to_day(date) : cq_today();
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  return cq_desk_end(cli, &desk, read_desk(cli, l, &desk, &plan, &error), &error, CQ_EXIT_DONE);
}

int cq_central_sample_report(cq_cli *cli) {
  static const char *const options[COMPARE] = {"stratum", "population", "answered", "class",
                                               "reason",  "replaces",   "id"};
  static const char *const of_desk[] = {"season", "today", "dataset", "baseline"};
  bool file = cq_cli_args(cli) > 0;
  loss l = {0};
  for (size_t i = 0; i < COMPARE; i++) {
    l.names[i] = cq_cli_value(cli, options[i]);
    if (l.names[i] && !file && (i == STRATUM || i == POPULATION || i == ANSWERED || i == ID))
      return cq_cli_usage(cli, _("--%s is of a file"), options[i]);
  }
  for (size_t i = 0; file && i < sizeof of_desk / sizeof *of_desk; i++)
    if (cq_cli_value(cli, of_desk[i])) return cq_cli_usage(cli, _("--%s is of the desk, without a file"), of_desk[i]);
  for (const char *name; (name = cq_cli_value_at(cli, "compare", l.compared));) {
    if (l.compared == MAX_COMPARE) return cq_cli_usage(cli, "%s", _("--compare at most sixteen times"));
    l.names[COMPARE + l.compared++] = name;
  }
  int left = file ? report_file(cli, &l) : report_desk(cli, &l);
  loss_fini(&l);
  return left;
}
