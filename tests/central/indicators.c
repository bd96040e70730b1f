/* SPDX-License-Identifier: Apache-2.0 */
/* Indicators as data: expressions, faults of a file, figures from merged records against `estimate`. */
#include "central/tables/indicators/indicator.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "tests/central/seasons.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- expressions --- */

static cq_str name_value(void *context, cq_str name) {
  static const char *const values[][2] = {{"n7", "7"},         {"n0", "0"},     {"d", "2.5"},       {"si", "si"},
                                          {"codes", "a bb c"}, {"text", "abc"}, {"threshold", "48"}};
  (void)context;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    if (cq_str_is(name, values[i][0])) return cq_str_from(values[i][1]);
  return CQ_STR("");
}

static void expressions(void **state) {
  (void)state;
  cq_buf text = {0};
  char *rest = NULL;
  size_t cases = 0;
  assert_int_equal(cq_file_read("tests/central/expressions.txt", 1 << 16, &text, NULL), CQ_OK);
  for (char *line = strtok_r(text.at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (line[0] == '#') continue;
    char *bar = strstr(line, " | ");
    assert_non_null(bar);
    *bar = '\0';
    const char *expected = bar + 3;
    cq_arena *arena = cq_arena_new(0);
    cq_expression *e;
    cq_error error;
    cq_error_clear(&error);
    cq_status status = cq_expression_parse(&e, cq_str_from(line), arena, &error);
    if (strncmp(expected, "error ", 6) == 0) {
      if (status == CQ_OK || strcmp(error.code, expected + 6) != 0)
        fail_msg("%s: %s", line, status ? error.code : "no error");
    } else {
      if (status != CQ_OK) fail_msg("%s: %s at “%s”", line, error.code, error.arg[0]);
      cq_value v = cq_expression_value(e, name_value, NULL);
      if (strcmp(expected, "missing") == 0) {
        if (v.kind != CQ_VALUE_MISSING) fail_msg("%s: %g is not missing", line, v.number);
      } else if (v.kind != CQ_VALUE_NUMBER || fabs(v.number - atof(expected)) > 1e-12) {
        fail_msg("%s: %d %g", line, (int)v.kind, v.number);
      }
    }
    cq_arena_free(arena);
    cases++;
  }
  assert_true(cases >= 45);
  cq_buf_fini(&text);
}

/* --- a file of definitions --- */

static const cq_indicator_field fields[] = {{CQ_STR("f"), CQ_STR(""), CQ_STR("ingreso")},
                                            {CQ_STR("f"), CQ_STR(""), CQ_STR("sexo")},
                                            {CQ_STR("f"), CQ_STR("rec"), CQ_STR("r_neto")},
                                            {CQ_STR("g"), CQ_STR(""), CQ_STR("otra")}};

static void all_faults_at_once(void **state) {
  (void)state;
  static const char csv[] = "id;version;from;label::es;kind;form;rows;season;numerator;denominator;filter;source;"
                            "threshold;decimals;recall\r\n"
                            "uno;1;2012-08-01;Uno;mean;f;;;ingreso;;;registro;;;\r\n"
                            "Dos;0;agosto;;maen;h;;camp;ingreos;sexo;1 +;registo;x;9;tres\r\n"
                            "cuatro;1;2012-08-01;Cuatro;ratio;f;rec;;r_neto > threshold;;otra = 1;registro;;;\r\n"
                            "uno;1;2012-08-01;Otra vez;mean;f;;;ingreso;;;registro;;;\r\n"
                            ";;;;;;;;;;;;;;\r\n";
  static const char *const expected[] = {"A3 indicator.id",
                                         "E3 indicator.kind mean",
                                         "L3 indicator.source registro",
                                         "D3 indicator.label",
                                         "B3 indicator.version",
                                         "C3 indicator.from",
                                         "N3 indicator.decimals",
                                         "M3 indicator.number",
                                         "F3 indicator.form",
                                         "H3 indicator.season",
                                         "K3 indicator.expression.end",
                                         "J3 indicator.denominator",
                                         "I4 indicator.threshold.none",
                                         "K4 indicator.name",
                                         "J4 indicator.denominator",
                                         "O3 indicator.recall",
                                         "B5 indicator.twice"};
  cq_indicators all = {0};
  assert_int_equal(cq_indicators_read(&all, CQ_STR(csv), fields, 4, NULL), CQ_OK);
  for (size_t i = 0; i < all.fault_count || i < sizeof expected / sizeof *expected; i++) {
    char words[512] = "";
    const cq_error *f = &all.faults[i];
    if (i < all.fault_count)
      snprintf(words, sizeof words, "%s %s%s%s", f->arg[0], f->code, *f->arg[2] ? " " : "", f->arg[2]);
    if (i >= sizeof expected / sizeof *expected || strcmp(words, expected[i]) != 0)
      fail_msg("fault %zu: “%s” is not “%s”", i, words, i < sizeof expected / sizeof *expected ? expected[i] : "");
  }
  assert_int_equal(all.count, 4); /* the row of semicolons is none */
  cq_indicators_fini(&all);
  /* a head that is wrong: the nearest column; the rows are not read */
  assert_int_equal(
      cq_indicators_read(&all, CQ_STR("id,version,form,label::es,kind,numerador,source,from\nx"), fields, 4, NULL),
      CQ_OK);
  assert_int_equal(all.fault_count, 2);
  assert_string_equal(all.faults[0].arg[2], "numerator");
  assert_string_equal(all.faults[1].code, "indicator.column.lacking");
  assert_int_equal(all.count, 0);
  cq_indicators_fini(&all);
}

/* The kept text of a definition reads back as the same text, whatever the order of columns it came in. */
static void definitions_are_kept_as_they_are(void **state) {
  (void)state;
  static const char one[] = "version,id,from,label::es,label::en,kind,form,numerator,source,disaggregations\n"
                            "2,uno,2012-08-01,\"Uno, dos\",One,mean,f,ingreso,registro,sexo stratum\n",
                    other[] = "id,version,from,kind,label::es,label::en,numerator,form,source,disaggregations,filter\n"
                              "uno,2,2012-08-01,mean,\"Uno, dos\",One,ingreso,f,registro,sexo stratum,\n";
  cq_indicators a = {0}, b = {0}, c = {0};
  assert_int_equal(cq_indicators_read(&a, CQ_STR(one), NULL, 0, NULL), CQ_OK);
  assert_int_equal(cq_indicators_read(&b, CQ_STR(other), NULL, 0, NULL), CQ_OK);
  assert_int_equal(a.count, 1);
  assert_true(cq_str_equal(a.items[0].text, b.items[0].text));
  assert_int_equal(cq_indicators_read(&c, a.items[0].text, NULL, 0, NULL), CQ_OK);
  assert_int_equal(c.fault_count, 0);
  assert_true(cq_str_equal(a.items[0].text, c.items[0].text));
  assert_true(cq_str_is(cq_indicator_label(&c.items[0], CQ_STR("en")), "One"));
  assert_true(cq_str_is(cq_indicator_label(&c.items[0], CQ_STR("qu")), "Uno, dos"));
  assert_int_equal(c.items[0].by_count, 2);
  cq_indicators_fini(&a);
  cq_indicators_fini(&b);
  cq_indicators_fini(&c);
}

static void versions_by_day(void **state) {
  (void)state;
  static const char csv[] = "id,version,from,label::es,kind,form,numerator,source\n"
                            "uno,1,2010-01-01,a,mean,f,1,registro\nuno,3,2013-01-01,a,mean,f,1,registro\n"
                            "uno,2,2012-01-01,a,mean,f,1,registro\n";
  cq_indicators all = {0};
  assert_int_equal(cq_indicators_read(&all, CQ_STR(csv), NULL, 0, NULL), CQ_OK);
  static const struct {
    cq_date day;
    int version, found;
  } cases[] = {
      {{2009, 5, 1}, 0, 1}, {{2010, 1, 1}, 0, 1}, {{2012, 6, 1}, 0, 2}, {{2020, 1, 1}, 0, 3}, {{2020, 1, 1}, 1, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(cq_indicators_find(&all, CQ_STR("uno"), cases[i].version, cq_date_to_day(cases[i].day))->version,
                     cases[i].found);
  assert_null(cq_indicators_find(&all, CQ_STR("uno"), 9, 0));
  assert_null(cq_indicators_find(&all, CQ_STR("dos"), 0, 0));
  cq_indicators_fini(&all);
}

static void prices(void **state) {
  (void)state;
  static cq_prices p;
  cq_error error;
  static const int32_t months[] = {2012 * 12 + 7, 2012 * 12 + 8}, lacking[] = {2012 * 12 + 7, 2012 * 12 + 10};
  double index = 0;
  assert_int_equal(cq_prices_read(&p, CQ_STR("month;index;source\n2012-08;100;x\n2012-09;104;x\n"), &error), CQ_OK);
  assert_true(cq_prices_mean(&p, months, 2, &index));
  close_to(index, 102, 1e-14);
  assert_false(cq_prices_mean(&p, lacking, 2, &index));
  static const char *const wrong[][2] = {{"a,b\n", "prices.columns"},
                                         {"month,index\n2012-13,1\n", "prices.month"},
                                         {"month,index\n2012-1,1\n", "prices.month"},
                                         {"month,index\n2012-01,0\n", "prices.index"},
                                         {"month,index\n2012-01,\n", "prices.index"},
                                         {"month,index\n2012-01,1\n2012-01,2\n", "prices.twice"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(cq_prices_read(&p, cq_str_from(wrong[i][0]), &error), CQ_INVALID);
    assert_string_equal(error.code, wrong[i][1]);
  }
}

/* --- figures from a desk --- */

/* The same data as a file for `estimate`: of the persons who answered all that is asked. */
static void write_file(const world *w, const char *name, bool panel, char path[700]) {
  cq_buf out = {0};
  cq_error error;
  cq_buf_add_text(&out, "stratum,population,zona,sexo");
  for (int year = 2011; year <= 2012; year++)
    for (int t = 1; t <= 4; t++) cq_buf_addf(&out, ",y%d_t%d,g%d_t%d,p%d_t%d", year, t, year, t, year, t);
  cq_buf_add_text(&out, ",y2011,y2012,t2011\n");
  for (size_t u = 0; u < UNITS; u++) {
    if (panel && lost(u)) continue;
    cq_buf_addf(&out, "s%zu,%g,%s,%s", u % STRATA, population[u % STRATA], u % STRATA < 2 ? "norte" : "sur",
                u % 3 ? "h" : "m");
    double sums[2] = {0, 0};
    for (int year = 2011; year <= 2012; year++)
      for (int t = 1; t <= 4; t++) {
        double y = income(u, year, t);
        if (t < 4) sums[year - 2011] += y;
        if (blank(u, year, t))
          cq_buf_addf(&out, ",,,");
        else
          cq_buf_addf(&out, ",%.17g,%.17g,%d", y, y * 0.3 + (double)(u % 4) * 11, y < 900);
      }
    if (u == 7)
      cq_buf_addf(&out, ",%.17g,,%.17g\n", sums[0], income(u, 2011, 4));
    else
      cq_buf_addf(&out, ",%.17g,%.17g,%.17g\n", sums[0], sums[1], income(u, 2011, 4));
  }
  snprintf(path, 700, "%s/%s", w->home, name);
  test_must(cq_file_replace(path, out.at, out.size, 0600, false, &error), &error);
  cq_buf_fini(&out);
}

typedef struct expectation {
  double estimate, se, low, high, n;
} expectation;

/* What `estimate` says, which R's survey package confirms (docs/method.md). `group` NULL: without --by. */
static expectation estimate(const char *file, const char *options, const char *group) {
  char arguments[900];
  int status;
  expectation e = {0};
  snprintf(arguments, sizeof arguments, "estimate %s --stratum stratum --population population %s", file, options);
  cJSON *json = run(NULL, arguments, &status);
  if (status) fail_msg("%s: %s", arguments, said);
  const cJSON *of = json, *one;
  if (group && strcmp(group, "contrast") == 0)
    of = cJSON_GetObjectItem(json, "contrast");
  else if (group)
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(json, "groups")) if (strcmp(text(one, "by"), group) == 0) of = one;
  e = (expectation){number(of, "estimate"), number(of, "se"), number(of, "low"), number(of, "high"), number(of, "n")};
  cJSON_Delete(json);
  return e;
}

static void same(const cJSON *figure, expectation e) {
  close_to(number(figure, "estimate"), e.estimate, 1e-9);
  close_to(number(figure, "se"), e.se, 1e-9);
  close_to(number(figure, "low"), e.low, 1e-9);
  close_to(number(figure, "high"), e.high, 1e-9);
  close_to(number(figure, "n"), e.n, 0);
}

static void figures_of_all_kinds(void **state) {
  (void)state;
  world *w = world_new("figures", true);
  char full[700], panel[700], options[128];
  int status;
  world_rest(w);
  write_file(w, "full.csv", false, full);
  write_file(w, "panel.csv", true, panel);
  static const struct {
    const char *indicator, *option, *season, *column;
    bool panel;
  } cases[] = {{"ingreso --version-of 1", "--mean", "2011-T1", "y2011_t1", false},
               {"ingreso --version-of 1", "--mean", "2012-T2", "y2012_t2", true}, /* two lost, one blank */
               {"total", "--total", "2012-T1", "y2012_t1", true},
               {"pobre", "--proportion", "2012-T1", "p2012_t1", true},
               {"razon", "--ratio", "2012-T1", "g2012_t1/y2012_t1", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char command[256];
    snprintf(command, sizeof command, "table %s --season %s --by zona --json", cases[i].indicator, cases[i].season);
    cJSON *json = run(w, command, &status);
    if (status) fail_msg("%s: %s", command, said);
    char *kept = strdup(said);
    snprintf(options, sizeof options, "%s %s", cases[i].option, cases[i].column);
    const char *file = cases[i].panel ? panel : full;
    expectation all = estimate(file, options, NULL);
    snprintf(options, sizeof options, "%s %s --by zona", cases[i].option, cases[i].column);
    expectation norte = estimate(file, options, "norte");
    same(figure_of(json, "level", "", "registro"), all);
    same(figure_of(json, "level", "norte", "registro"), norte);
    assert_non_null(strstr(kept, cases[i].season[3] == '1' ? "2011-08 2011-09 2011-10" : "2012-"));
    free(kept);
    cJSON_Delete(json);
  }
  /* a filter is a domain */
  cJSON *json = run(w, "table mujeres --season 2011-T3 --json", &status);
  same(figure_of(json, "level", "", "registro"), estimate(full, "--mean y2011_t3 --where sexo=m", NULL));
  cJSON_Delete(json);
  /* what is missing is counted */
  json = run(w, "table ingreso --version-of 1 --season 2012-T2 --json", &status);
  close_to(number(figure_of(json, "level", "", "registro"), "missing"), 1, 0);
  cJSON_Delete(json);
  world_free(w);
}

static void changes(void **state) {
  (void)state;
  world *w = world_new("changes", true);
  char panel[700];
  int status;
  cq_error error;
  test_must(cq_desk_exec(&w->desk,
                         "INSERT INTO list VALUES ('prices.csv', 'month,index,source\n2011-08,99,x\n2011-09,100,x\n"
                         "2011-10,101,x\n2012-08,102,x\n2012-09,103,x\n2012-10,104,x\n')",
                         &error),
            &error);
  world_rest(w);
  write_file(w, "panel.csv", true, panel);
  cJSON *json =
      run(w, "table ingreso --version-of 1 --season 2012-T1 --compare 2011-T1 --by zona --contrast --nominal --json",
          &status);
  assert_int_equal(status, 0);
  const cJSON *relative = figure_of(json, "relative", "", "registro");
  same(figure_of(json, "change", "", "registro"), estimate(panel, "--difference y2012_t1,y2011_t1", NULL));
  same(figure_of(json, "change", "sur", "registro"),
       estimate(panel, "--difference y2012_t1,y2011_t1 --by zona", "sur"));
  const cJSON *figure, *contrast = NULL; /* of the change, not of the level */
  cJSON_ArrayForEach(figure,
                     cJSON_GetObjectItem(json, "figures")) if (strcmp(text(figure, "figure"), "contrast") == 0 &&
                                                               *text(figure, "compared")) contrast = figure;
  assert_non_null(contrast);
  assert_string_equal(text(contrast, "group"), "sur − norte");
  same(contrast, estimate(panel, "--difference y2012_t1,y2011_t1 --by zona --contrast", "contrast"));
  expectation growth = estimate(panel, "--ratio y2012_t1/y2011_t1", NULL);
  growth.estimate -= 1;
  growth.low -= 1;
  growth.high -= 1;
  same(relative, growth);
  assert_string_equal(text(relative, "prices"), "nominal");
  cJSON_Delete(json);
  /* at the prices of the later season: the index went from 100 to 103; a month that it lacks makes the change nominal
   */
  json = run(w, "table ingreso --version-of 1 --season 2012-T1 --compare 2011-T1 --json", &status);
  const cJSON *real = figure_of(json, "relative", "", "registro");
  close_to(number(real, "estimate"), (growth.estimate + 1) / 1.03 - 1, 1e-10);
  close_to(number(real, "se"), growth.se / 1.03, 1e-10);
  assert_string_equal(text(real, "prices"), "2012-T1");
  cJSON_Delete(json);
  json = run(w, "table ingreso --version-of 1 --season 2012-T2 --compare 2011-T2 --json", &status);
  assert_string_equal(text(figure_of(json, "change", "", "registro"), "prices"), "nominal");
  cJSON_Delete(json);
  json = run(w, "table pobre --season 2012-T1 --compare 2011-T1 --json", &status); /* a share is no money */
  assert_string_equal(text(figure_of(json, "change", "", "registro"), "prices"), "");
  cJSON_Delete(json);
  /* another season is refused, with what to ask instead */
  refused(w, "table ingreso --season 2012-T1 --compare 2011-T3 --json");
  assert_non_null(strstr(said, "desk.indicator.compare"));
  assert_non_null(strstr(said, "2011-T1"));
  refused(w, "table ingreso --season 2012-T1 --compare 2012-T3 --json");
  assert_non_null(strstr(said, "2011-T1"));
  refused(w, "table pobre --season 2012 --json");
  refused(w, "table ingreso --season 2012-T1 --by distrito --json");
  assert_non_null(strstr(said, "stratum zona sexo"));
  refused(w, "table ingrseo --season 2012-T1 --json");
  assert_non_null(strstr(said, "desk.indicator.near"));
  world_free(w);
}

static void a_missing_season_is_rebuilt(void **state) {
  (void)state;
  world *w = world_new("rebuilt", true);
  char panel[700];
  int status;
  world_rest(w);
  write_file(w, "panel.csv", true, panel);
  cJSON *json = run(w, "table ingreso --version-of 1 --season 2012 --json", &status);
  assert_int_equal(status, 0);
  same(figure_of(json, "level", "", "registro"), estimate(panel, "--mean y2012", NULL));
  const cJSON *rebuilt = figure_of(json, "reconstructed", "", "reconstruido");
  same(rebuilt, estimate(panel, "--reconstruct y2012,y2011,t2011", NULL));
  assert_string_equal(text(rebuilt, "months"),
                      "2012-08 2012-09 2012-10 2012-11 2012-12 2013-01 2013-02 2013-03 2013-04");
  assert_non_null(strstr(text(rebuilt, "months_compared"), "2012-05 2012-06 2012-07"));
  cJSON_Delete(json);
  /* the mark, the months and the warning stand in the text too, and it fits the terminal */
  run(w, "table ingreso --version-of 1 --season 2012", &status);
  assert_non_null(strstr(said, "RECONSTRUCTED"));
  assert_non_null(strstr(said, "Without T4"));
  for (const char *at = said; *at;) {
    const char *end = strchr(at, '\n');
    size_t size = end ? (size_t)(end - at) : strlen(at);
    if (cq_utf8_length((cq_str){at, size}) > 80) fail_msg("more than 80 columns: %.*s", (int)size, at);
    at += size + (end != NULL);
  }
  world_free(w);
}

/* Ten pairs of grade 1 and four of grade 2: the first has a factor of its own, the second shares the pooled one. */
static void recalled_values_stand_apart(void **state) {
  (void)state;
  world *w = world_new("recalled", false);
  int status;
  double above[3] = {0}, below[3] = {0}; /* pooled, grade 1, grade 2 */
  for (size_t u = 0; u < UNITS; u++) {
    char xml[512];
    int grade = u < 10 || u >= 17 ? 1 : 2;
    double y = income(u, 2011, 1), told = y * (grade == 1 ? 0.9 : 0.7) + 3;
    if (u < 14) add_season(w, u, 2011, 1, soon_after(2011, 1));
    snprintf(xml, sizeof xml,
             "<data id=\"r\" "
             "version=\"1\"><camp>2011</camp><rec><t>T1</t><monto>%.17g</monto><grado>%d</grado></rec><rec><t>T2</t>"
             "<monto>%.17g</monto><grado>%d</grado></rec><meta><instanceID>x</instanceID></meta></data>",
             told, grade, told * 2, grade);
    add_record(w, "r", &w->recall, u, "", (cq_date){2013, 6, 1}, xml);
    if (u >= 14) continue;
    double weight = population[u % STRATA] / (double)PER_STRATUM;
    above[0] += weight * y, below[0] += weight * told;
    above[grade] += weight * y, below[grade] += weight * told;
  }
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2011-T1 --json", &status);
  assert_int_equal(status, 0);
  close_to(number(figure_of(json, "level", "", "registro"), "n"), 14, 0);
  const cJSON *recalled = figure_of(json, "level", "", "recuerdo");
  close_to(number(recalled, "n"), 6, 0);
  double sum = 0, weights = 0;
  for (size_t u = 14; u < UNITS; u++) {
    int grade = u >= 17 ? 1 : 2;
    double told = income(u, 2011, 1) * (grade == 1 ? 0.9 : 0.7) + 3,
           weight = population[u % STRATA] / (double)PER_STRATUM;
    sum += weight * told * (grade == 1 ? above[1] / below[1] : above[0] / below[0]);
    weights += weight;
  }
  close_to(number(recalled, "estimate"), sum / weights, 1e-10);
  cJSON_Delete(json);
  json = run(w, "table ingreso --season 2011-T1 --together --json", &status);
  const cJSON *both = figure_of(json, "level", "", "registro+recuerdo");
  close_to(number(both, "n"), 20, 0);
  close_to(number(both, "recalled"), weights / (40 + 33 + 58 + 21), 1e-12);
  cJSON_Delete(json);
  world_free(w);
}

static void late_visits_count_as_recall_and_two_are_a_conflict(void **state) {
  (void)state;
  world *w = world_new("late", false);
  int status;
  for (size_t u = 0; u < UNITS; u++) add_season(w, u, 2012, 1, u < 8 ? (cq_date){2013, 3, 1} : soon_after(2012, 1));
  add_season(w, 19, 2012, 1, (cq_date){2012, 11, 20});
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2012-T1 --version-of 1 --json", &status);
  assert_int_equal(status, 0);
  close_to(number(figure_of(json, "level", "", "recuerdo"), "n"), 8, 0);
  close_to(number(figure_of(json, "level", "", "registro"), "n"), 11, 0);
  close_to(number(figure_of(json, "level", "", "registro"), "conflicts"), 1, 0);
  cJSON_Delete(json);
  /* every record counts as one: no sample, no standard error */
  json = run(w, "table registros --together --json", &status);
  assert_int_equal(status, 0);
  close_to(number(figure_of(json, "level", "", "registro+recuerdo"), "estimate"), 21, 0);
  close_to(number(figure_of(json, "level", "", "registro+recuerdo"), "se"), 0, 0);
  cJSON_Delete(json);
  world_free(w);
}

static void strata_with_one_answer_are_joined(void **state) {
  (void)state;
  world *w = world_new("joined", false);
  int status;
  for (size_t u = 0; u < UNITS; u++)
    if (u % STRATA != 1 || u == 1) add_season(w, u, 2012, 1, soon_after(2012, 1));
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2012-T1 --json", &status);
  assert_int_equal(status, 0);
  const cJSON *f = figure_of(json, "level", "", "registro");
  close_to(number(f, "n"), 16, 0);
  close_to(number(f, "df"), 16 - 3, 0);
  close_to(number(f, "weighted_n"), 40 + 33 + 58 + 21, 1e-12);
  assert_non_null(strstr(said, "1 stratum was joined"));
  cJSON_Delete(json);
  world_free(w);
}

/* One person's figure has no standard error, and a season of one person no figure. */
static void one_person_is_no_sample(void **state) {
  (void)state;
  world *w = world_new("one", false);
  int status;
  add_season(w, 3, 2011, 4, soon_after(2011, 4));
  for (size_t u = 0; u < 9; u++) add_season(w, u, 2012, 1, soon_after(2012, 1));
  world_rest(w);
  cJSON *json = run(w, "table ingreso --by zona --json", &status);
  assert_int_equal(status, 0);
  assert_non_null(strstr(said, "2011-T4: fewer than two"));
  close_to(number(figure_of(json, "level", "", "registro"), "n"), 9, 0);
  cJSON_Delete(json);
  refused(w, "table ingreso --season 2011-T4 --json");
  json =
      run(w, "table mujeres --season 2012-T1 --by zona --json", &status); /* 0 and 3 and 6: one of them in the north */
  assert_int_equal(status, 0);
  const cJSON *one = figure_of(json, "level", "norte", "registro");
  close_to(number(one, "n"), 1, 0);
  assert_null(cJSON_GetObjectItem(one, "se"));
  assert_null(cJSON_GetObjectItem(one, "low"));
  cJSON_Delete(json);
  world_free(w);
}

/* A group of whom nothing is known stands in the table, and says why. */
static void four_marks(void **state) {
  (void)state;
  world *w = world_new("marks", false);
  int status;
  for (size_t u = 0; u < UNITS; u++) {
    char xml[300];
    snprintf(xml, sizeof xml,
             "<data id=\"f\" "
             "version=\"1\"><ingreso>%s</ingreso><ingreso_missing>%s</ingreso_missing><gasto/><pobre/><nota/><meta>"
             "<instanceID>x</instanceID></meta></data>",
             u % STRATA == 0   ? "0"
             : u % STRATA == 3 ? "5"
                               : "",
             u % STRATA == 1   ? "ns"
             : u % STRATA == 2 ? "na"
                               : "");
    add_record(w, "f", &w->form, u, "2012-T1", soon_after(2012, 1), xml);
  }
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2012-T1 --by stratum --json", &status);
  assert_int_equal(status, 0);
  close_to(number(figure_of(json, "level", "s0", "registro"), "estimate"), 0, 0);
  assert_null(cJSON_GetObjectItem(figure_of(json, "level", "s1", "registro"), "estimate"));
  close_to(number(figure_of(json, "level", "s1", "registro"), "missing"), 5, 0);
  close_to(number(figure_of(json, "level", "s2", "registro"), "not_applicable"), 5, 0);
  cJSON_Delete(json);
  run(w, "table ingreso --season 2012-T1 --by stratum", &status);
  assert_non_null(strstr(said, "\ns0 "));
  assert_non_null(strstr(said, "\ns1\n"));
  assert_non_null(strstr(said, "—"));
  world_free(w);
}

/* Who reads sees the words of a choice that some form has; the code stays beside them for programs. */
static void groups_bear_the_labels_of_their_choices(void **state) {
  (void)state;
  world *w = world_new("groups", true);
  int status;
  world_rest(w);
  cJSON *json = run(w, "table ingreso --version-of 1 --season 2012-T1 --by zona --json", &status);
  assert_int_equal(status, 0);
  assert_string_equal(text(figure_of(json, "level", "norte", "registro"), "group_label"), "Zona norte");
  assert_string_equal(text(figure_of(json, "level", "", "registro"), "group_label"), "");
  cJSON_Delete(json);
  cJSON_Delete(run(w, "table ingreso --version-of 1 --season 2012-T1 --by zona", &status));
  assert_non_null(strstr(said, "\nZona norte "));
  assert_null(strstr(said, "\nnorte "));
  cJSON_Delete(run(w, "table ingreso --version-of 1 --season 2012-T1 --by sexo", &status)); /* no form has it */
  assert_non_null(strstr(said, "\nm "));
  world_free(w);
}

static void few_persons_are_hidden_outside(void **state) {
  (void)state;
  world *w = world_new("hidden", false);
  int status;
  size_t shown = 0;
  for (size_t u = 0; u < UNITS; u++)
    if (u % STRATA != 1 || u < 10)
      add_season(w, u, 2012, 1, soon_after(2012, 1)); /* three answers in s1, five elsewhere */
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2012-T1 --by stratum --public --json", &status);
  assert_int_equal(status, 0);
  const cJSON *figure;
  cJSON_ArrayForEach(figure, cJSON_GetObjectItem(json, "figures")) shown +=
      cJSON_GetObjectItem(figure, "estimate") != NULL;
  assert_int_equal(shown, 3); /* all, and two of the four strata: one goes with the small one */
  assert_null(cJSON_GetObjectItem(figure_of(json, "level", "s1", "registro"), "n"));
  cJSON_Delete(json);
  world_free(w);
}

/* What was published stays; what would be said now stands beside it; a change needs a person and a reason. */
static void frozen_figures(void **state) {
  (void)state;
  world *w = world_new("frozen", true);
  cq_error error;
  int status;
  static const char freeze[] = "table ingreso --version-of 1 --season 2012-T1 --by zona --freeze 2012-Q4 --json";
  char revise[256];
  snprintf(revise, sizeof revise, "%s --who C1 --reason late-record", freeze);
  world_rest(w);
  cJSON *json = run(w, "table ingreso --season 2012-T1 --freeze 2012-Q9 --json", &status);
  assert_int_equal(status, 1);
  cJSON_Delete(json);
  cJSON_Delete(run(w, freeze, &status));
  assert_int_equal(status, 0);
  cJSON_Delete(run(w, freeze, &status)); /* nothing has changed: nothing is added */
  assert_int_equal(status, 0);
  json = run(w, "snapshots --json", &status);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "snapshots")), 1);
  cJSON_Delete(json);
  /* a person who was lost is visited after all */
  test_must(cq_desk_open(&w->desk, w->home, CQ_STR("llama verde camina"), &error), &error);
  add_season(w, 4, 2012, 1, soon_after(2012, 1));
  cq_desk_close(&w->desk);
  refused(w, freeze);
  assert_non_null(strstr(said, "desk.snapshot.changed"));
  json = run(w, "snapshots 2012-Q4 --json", &status);
  assert_int_equal(status, 0);
  const cJSON *figures = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "snapshots"), 0), "figures");
  assert_int_equal(cJSON_GetArraySize(figures), 3);
  const cJSON *all = cJSON_GetArrayItem(figures, 0);
  close_to(number(cJSON_GetObjectItem(all, "frozen"), "n"), 18, 0);
  close_to(number(cJSON_GetObjectItem(all, "now"), "n"), 19, 0);
  cJSON_Delete(json);
  cJSON_Delete(run(w, revise, &status));
  assert_int_equal(status, 0);
  cJSON_Delete(run(w, "rebuild", &status));
  json = run(w, "snapshots --json", &status);
  const cJSON *list = cJSON_GetObjectItem(json, "snapshots");
  assert_int_equal(cJSON_GetArraySize(list), 2);
  assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "replaced")));
  assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 1), "revision")));
  assert_string_equal(text(cJSON_GetArrayItem(list, 1), "reason"), "late-record");
  assert_string_equal(text(cJSON_GetArrayItem(list, 1), "by"), "C1");
  assert_string_not_equal(text(cJSON_GetArrayItem(list, 0), "cut"), text(cJSON_GetArrayItem(list, 1), "cut"));
  cJSON_Delete(json);
  world_free(w);
}

/* --- those who are lost --- */

/* Baselines on the form "r", whose question `camp` holds a number; one is blank. */
static int64_t base_of(size_t u) {
  return 200 + (int64_t)(37 * u % 190);
}

static void add_baseline(world *w, size_t u, const char *replaces, const char *reason) {
  char xml[400], value[24] = "";
  if (u != 6) snprintf(value, sizeof value, "%d", (int)base_of(u));
  snprintf(
      xml, sizeof xml,
      "<data id=\"g\" version=\"1\"><base>%s</base><vez>%s</vez><motivo>%s</motivo><meta><instanceID>x</instanceID>"
      "</meta></data>",
      value, replaces, reason);
  add_record(w, "g", &w->base, u, "", (cq_date){2012, 8, 20}, xml);
}

/* The same sample as a file. */
static void write_sample(const world *w, const bool *answered, char path[700]) {
  cq_buf out = {0};
  cq_error error;
  cq_buf_add_text(&out, "id,estrato,N,answered,zona,motivo,reemplaza,base\n");
  for (size_t h = 0; h < STRATA; h++)
    for (size_t u = h; u < UNITS; u += STRATA) {
      cq_buf_addf(&out, "00000000-0000-4000-8000-%012zu,s%zu,%g,%d,%s,%s,,", u, h, population[h], answered[u],
                  h < 2 ? "norte" : "sur",
                  u == 4    ? "migro"
                  : u == 13 ? "perdida"
                            : "");
      if (u != 6) cq_buf_addf(&out, "%d", (int)base_of(u));
      cq_buf_add_char(&out, '\n');
    }
  cq_buf_add_text(&out, "r1,,,,,fallecio,s1,250\n");
  snprintf(path, 700, "%s/sample.csv", w->home);
  test_must(cq_file_replace(path, out.at, out.size, 0600, false, &error), &error);
  cq_buf_fini(&out);
}

/* From the frame and the merged records come the figures that a file of the same persons gives. */
static void the_desk_reports_those_lost_as_a_file_does(void **state) {
  (void)state;
  static const char *const parts[] = {"all", "classes", "lost", "replacements", "comparison"};
  static const char *const classes[] = {"", "--class zona"};
  world *w = world_new("lost", false);
  bool answered[UNITS];
  char file[700], arguments[2400], weights[2][720];
  int status;
  for (size_t u = 0; u < UNITS; u++) {
    answered[u] = !lost(u);
    if (answered[u]) add_season(w, u, 2012, 1, soon_after(2012, 1));
    add_baseline(w, u, "", "");
  }
  /* somebody was asked for and had moved away after the season; somebody else stands in for a person who died */
  char xml[300];
  snprintf(xml, sizeof xml, "<data id=\"f\" version=\"1\"><ingreso/><meta><instanceID>x</instanceID></meta></data>");
  add_ended(w, "f", &w->form, 4, "2012-T1", soon_after(2012, 1), xml, CQ_RESULT_REFUSED, "ausente");
  add_ended(w, "f", &w->form, 4, "2012-T1", (cq_date){2012, 11, 20}, xml, CQ_RESULT_REFUSED, "migro");
  add_baseline(w, 900, "s1", "fallecio");
  world_rest(w);
  write_sample(w, answered, file);
  for (size_t c = 0; c < 2; c++) {
    for (size_t i = 0; i < 2; i++) snprintf(weights[i], sizeof weights[i], "%s/weights%zu.csv", w->home, i);
    snprintf(
        arguments, sizeof arguments,
        "sample report %s --stratum estrato --population N --answered answered --reason motivo --replaces reemplaza "
        "--compare base --id id --out %s %s",
        file, weights[0], classes[c]);
    cJSON *of_file = run(NULL, arguments, &status);
    if (status) fail_msg("%s: %s", arguments, said);
    snprintf(arguments, sizeof arguments,
             "sample report --season 2012-T1 --today 2013-08-01 --baseline g --replaces vez --reason motivo --compare "
             "base --out %s --json %s",
             weights[1], classes[c]);
    cJSON *of_desk = run(w, arguments, &status);
    if (status) fail_msg("%s: %s", arguments, said);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
      const cJSON *a = cJSON_GetObjectItem(of_file, parts[i]), *b = cJSON_GetObjectItem(of_desk, parts[i]);
      assert_non_null(a);
      if (!cJSON_Compare(a, b, true)) fail_msg("%s: %s is not %s", parts[i], cJSON_Print(b), cJSON_Print(a));
    }
    close_to(number(cJSON_GetObjectItem(of_desk, "lost"), "count"), 2, 0);
    close_to(number(cJSON_GetArrayItem(cJSON_GetObjectItem(of_desk, "comparison"), 0), "missing"), 1, 0);
    close_to(number(of_desk, "outside"), 0, 0);
    cJSON_Delete(of_file);
    cJSON_Delete(of_desk);
    cq_buf bytes[2] = {{0}};
    for (size_t i = 0; i < 2; i++) assert_int_equal(cq_file_read(weights[i], 1 << 16, &bytes[i], NULL), CQ_OK);
    assert_string_equal(bytes[0].at, bytes[1].at);
    for (size_t i = 0; i < 2; i++) cq_buf_fini(&bytes[i]);
  }
  /* who was not enrolled is outside and not lost; what does not go together is said */
  test_must(cq_desk_open(&w->desk, w->home, CQ_STR("llama verde camina"), NULL), NULL);
  test_must(cq_desk_exec(&w->desk, "UPDATE frame SET leave = 15570 WHERE id LIKE '%13'", NULL), NULL); /* 2012-08-18 */
  cq_desk_close(&w->desk);
  cJSON *json = run(w, "sample report --season 2012-T1 --today 2013-08-01 --json", &status);
  assert_int_equal(status, 0);
  close_to(number(json, "outside"), 1, 0);
  close_to(number(cJSON_GetObjectItem(json, "lost"), "count"), 1, 0);
  const cJSON *all = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "all"), 0);
  close_to(number(all, "drawn"), UNITS - 1, 0);
  close_to(number(all, "answered"), UNITS - 2, 0);
  cJSON_Delete(json);
  run(w, "sample report --season 2012-T1 --compare base", &status);
  assert_int_equal(status, 2);
  run(w, "sample report", &status);
  assert_int_equal(status, 2);
  refused(w, "sample report --season 2012-T1 --baseline g --compare nadie --json");
  assert_non_null(strstr(said, "desk.sample.question"));
  cJSON_Delete(run(w, "table ingreso --season 2012-T1 --json --xlsx /nowhere/x.xlsx", &status));
  assert_int_equal(status, 3);
  assert_non_null(strstr(said, "io.create"));
  refused(w, "sample report --season 2012-T9 --json");
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_desk_reports_those_lost_as_a_file_does),
      cmocka_unit_test(expressions),
      cmocka_unit_test(all_faults_at_once),
      cmocka_unit_test(definitions_are_kept_as_they_are),
      cmocka_unit_test(versions_by_day),
      cmocka_unit_test(prices),
      cmocka_unit_test(figures_of_all_kinds),
      cmocka_unit_test(changes),
      cmocka_unit_test(a_missing_season_is_rebuilt),
      cmocka_unit_test(recalled_values_stand_apart),
      cmocka_unit_test(late_visits_count_as_recall_and_two_are_a_conflict),
      cmocka_unit_test(strata_with_one_answer_are_joined),
      cmocka_unit_test(one_person_is_no_sample),
      cmocka_unit_test(four_marks),
      cmocka_unit_test(groups_bear_the_labels_of_their_choices),
      cmocka_unit_test(few_persons_are_hidden_outside),
      cmocka_unit_test(frozen_figures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
