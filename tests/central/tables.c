/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/student.h"
#include "chasqui/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#define SAMPLE "tests/central/sample.csv"

static void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected))) fail_msg("%.15g is not %.15g", value, expected);
}

/* Closed forms for 1, 2 and 4 degrees of freedom, and printed tables for others. */
static void student(void **state) {
  (void)state;
  const double pi = acos(-1);
  static const double levels[] = {0.6, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995};
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    double p = levels[i], a = 4 * p * (1 - p);
    close_to(cq_student_quantile(p, 1), tan(pi * (p - 0.5)), 1e-12);
    close_to(cq_student_quantile(p, 2), 2 * (p - 0.5) * sqrt(2 / a), 1e-12);
    close_to(cq_student_quantile(p, 4), 2 * sqrt(cos(acos(sqrt(a)) / 3) / sqrt(a) - 1), 1e-11);
    close_to(cq_student_quantile(1 - p, 7), -cq_student_quantile(p, 7), 1e-12);
    for (double df = 1; df < 1e6; df *= 3) close_to(cq_student_cdf(cq_student_quantile(p, df), df), p, 1e-12);
  }
  static const struct {
    double df, t;
  } table[] = {{9, 2.262157162740992},  {18, 2.10092204024096},   {24, 2.063898561628021},
               {30, 2.042272456301238}, {120, 1.979930405052777}, {1e7, 1.959964222}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    close_to(cq_student_quantile(0.975, table[i].df), table[i].t, 1e-9);
  assert_true(cq_student_quantile(0.5, 3) == 0);
  close_to(cq_student_cdf(0, 5), 0.5, 1e-15);
}

/* Runs chasqui-central with these arguments and reads its JSON; NULL where it wrote none. */
static cJSON *run(const char *arguments, int *status) {
  char command[1024];
  static char out[1 << 20];
  snprintf(command, sizeof command, "%s/chasqui-central %s --json 2>/dev/null", getenv("CHASQUI_BIN"), arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t size = fread(out, 1, sizeof out - 1, pipe);
  out[size] = '\0';
  *status = WEXITSTATUS(pclose(pipe));
  return cJSON_Parse(out);
}

static double number(const cJSON *object, const char *name) {
  const cJSON *member = cJSON_GetObjectItem(object, name);
  assert_non_null(member);
  assert_true(cJSON_IsNumber(member));
  return member->valuedouble;
}

static void check_case(const char *options, const char *expected) {
  static const char *const names[] = {"n", "df", "weighted_n", "estimate", "se", "low", "high"};
  char arguments[512], code[64];
  int status;
  snprintf(arguments, sizeof arguments, "estimate " SAMPLE " %s %s %s",
           strstr(options, "--stratum") ? "" : "--stratum stratum",
           strstr(options, "--population") ? "" : "--population population", options);
  cJSON *json = run(arguments, &status);
  assert_non_null(json);
  if (sscanf(expected, " error %63s", code) == 1) {
    assert_int_equal(status, 1);
    const cJSON *said = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "error"), "code");
    assert_non_null(said);
    if (strcmp(said->valuestring, code) != 0) fail_msg("%s: %s", options, said->valuestring);
  } else {
    assert_int_equal(status, 0);
    char *at = (char *)expected;
    for (size_t i = 0; i < 7; i++) close_to(number(json, names[i]), strtod(at, &at), 1e-10);
  }
  cJSON_Delete(json);
}

static void estimates(void **state) {
  (void)state;
  cq_buf text = {0};
  size_t cases = 0;
  char *rest = NULL;
  assert_int_equal(cq_file_read("tests/central/estimates.txt", 1 << 16, &text, NULL), CQ_OK);
  for (char *line = strtok_r(text.at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    if (line[0] == '#') continue;
    char *bar = strstr(line, " | ");
    assert_non_null(bar);
    *bar = '\0';
    check_case(line, bar + 3);
    cases++;
  }
  assert_true(cases >= 20);
  cq_buf_fini(&text);
}

/* Groups are domains of the whole design, and what belongs to none is said. */
static void groups(void **state) {
  (void)state;
  int status;
  cJSON *json = run("estimate " SAMPLE " --stratum stratum --population population --mean y --by sector", &status);
  assert_int_equal(status, 0);
  const cJSON *list = cJSON_GetObjectItem(json, "groups");
  assert_int_equal(cJSON_GetArraySize(list), 3);
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "by")->valuestring, "ao");
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 2), "by")->valuestring, "trc");
  close_to(number(cJSON_GetArrayItem(list, 0), "df"), 9, 0);
  assert_int_equal((int)number(json, "missing"), 2);
  cJSON_Delete(json);
}

static void single_stratum_is_named(void **state) {
  (void)state;
  int status;
  cJSON *json = run("estimate " SAMPLE " --stratum id --population population --mean y", &status);
  const cJSON *what = cJSON_GetObjectItem(json, "error");
  char *text = cJSON_PrintUnformatted(what);
  assert_non_null(strstr(text, "a1"));
  free(text);
  cJSON_Delete(json);
}

#define COVERAGE "coverage --people tests/central/people.csv --visits tests/central/visits.csv --campaign 2012 "

static void coverage(void **state) {
  (void)state;
  static const struct {
    const char *season;
    int covered, eligible;
    double covered_weighted, eligible_weighted;
  } expected[] = {
      {"2012-T1", 2, 3, 30, 60}, {"2012-T2", 1, 3, 10, 60}, {"2012-T3", 0, 3, 0, 60}, {"2012-T4", 0, 0, 0, 0}};
  int status;
  cJSON *json = run(COVERAGE "--today 2013-06-10", &status);
  assert_int_equal(status, 0);
  const cJSON *list = cJSON_GetObjectItem(json, "coverage");
  assert_int_equal(cJSON_GetArraySize(list), 4);
  for (int i = 0; i < 4; i++) {
    const cJSON *season = cJSON_GetArrayItem(list, i);
    assert_string_equal(cJSON_GetObjectItem(season, "season")->valuestring, expected[i].season);
    assert_int_equal((int)number(season, "covered"), expected[i].covered);
    assert_int_equal((int)number(season, "eligible"), expected[i].eligible);
    close_to(number(season, "covered_weighted"), expected[i].covered_weighted, 0);
    close_to(number(season, "eligible_weighted"), expected[i].eligible_weighted, 0);
  }
  const cJSON *cells = cJSON_GetObjectItem(json, "cells");
  assert_int_equal(cJSON_GetArraySize(cells), 16);
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(cells, 4), "state")->valuestring, "cubierta_tardia");
  /* p1's visit of T2 rests on two of its three months */
  const cJSON *months = cJSON_GetObjectItem(json, "months");
  assert_int_equal((int)number(cJSON_GetArrayItem(months, 0), "covered"), 2);
  assert_int_equal((int)number(cJSON_GetArrayItem(months, 4), "covered"), 1);
  assert_int_equal((int)number(cJSON_GetArrayItem(months, 5), "covered"), 0);
  cJSON_Delete(json);
}

/* The page needs nothing from elsewhere, and holds a picture of every group. */
static void coverage_page(void **state) {
  (void)state;
  int status;
  char arguments[1024], path[512];
  cq_buf page = {0};
  snprintf(path, sizeof path, "%s/coverage.html", getenv("CHASQUI_TEST_TMP"));
  snprintf(arguments, sizeof arguments, COVERAGE "--today 2013-06-10 --by region --html %s --xlsx %s.xlsx", path, path);
  cJSON_Delete(run(arguments, &status));
  assert_int_equal(status, 0);
  assert_int_equal(cq_file_read(path, 1 << 20, &page, NULL), CQ_OK);
  static const char *const foreign[] = {"src=", "href=", "url(", "@import", "<script"};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) assert_null(strstr(page.at, foreign[i]));
  assert_non_null(strstr(page.at, "<svg"));
  assert_non_null(strstr(page.at, ">2/3</text>")); /* T1, all */
  assert_non_null(strstr(page.at, ">—</text>"));   /* T4: nobody due */
  cq_buf_fini(&page);
  snprintf(path, sizeof path, "%s/coverage.html.xlsx", getenv("CHASQUI_TEST_TMP"));
  assert_int_equal(cq_file_read(path, 1 << 20, &page, NULL), CQ_OK);
  assert_memory_equal(page.at, "PK", 2);
  cq_buf_fini(&page);
}

static void refused_coverage(void **state) {
  (void)state;
  static const struct {
    const char *people, *visits, *code;
  } cases[] = {
      {"id,entry,exit\np,2012-07-32,\n", NULL, "central.coverage.date"},
      {"id,entry,exit\np,2012-07-01,2012-06-30\n", NULL, "central.coverage.exit"},
      {"id,entry,exit\np,2012-07-01,\np,2012-07-01,\n", NULL, "central.coverage.twice"},
      {"id,entry,exit\n,2012-07-01,\n", NULL, "central.coverage.blank"},
      {"id,entry,exit,weight\np,2012-07-01,,-1\n", NULL, "central.coverage.weight"},
      {"id,entry\np,2012-07-01\n", NULL, "central.data.column"},
      {NULL, "person,season,date,result\np,T1,2012-11-02,completa\n", "central.coverage.season"},
      {NULL, "person,season,date,result\np,2012-T1,2.11.2012,completa\n", "central.coverage.date"},
      {NULL, "person,season,date,result\np,2012-T1,2012-11-02,hecha\n", "central.coverage.result"},
      {NULL, "person,season,date,result,months\np,2012-T1,2012-11-02,completa,2012-13\n", "central.coverage.months"}};
  char people[512], visits[512], arguments[2048];
  snprintf(people, sizeof people, "%s/coverage_people.csv", getenv("CHASQUI_TEST_TMP"));
  snprintf(visits, sizeof visits, "%s/coverage_visits.csv", getenv("CHASQUI_TEST_TMP"));
  snprintf(arguments, sizeof arguments, "coverage --people %s --visits %s --campaign 2012 --today 2013-06-10", people,
           visits);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *p = cases[i].people ? cases[i].people : "id,entry,exit\np,2012-07-01,\n";
    const char *v = cases[i].visits ? cases[i].visits : "person,season,date,result\n";
    assert_int_equal(cq_file_replace(people, p, strlen(p), 0600, false, NULL), CQ_OK);
    assert_int_equal(cq_file_replace(visits, v, strlen(v), 0600, false, NULL), CQ_OK);
    int status;
    cJSON *json = run(arguments, &status);
    assert_int_equal(status, 1);
    const cJSON *code = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "error"), "code");
    assert_non_null(code);
    assert_string_equal(code->valuestring, cases[i].code);
    cJSON_Delete(json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(student),          cmocka_unit_test(estimates),
      cmocka_unit_test(groups),           cmocka_unit_test(single_stratum_is_named),
      cmocka_unit_test(coverage),         cmocka_unit_test(coverage_page),
      cmocka_unit_test(refused_coverage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
