/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/survey/data.h"
#include "central/tables/survey/repair.h"
#include "central/tables/survey/student.h"
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
  char arguments[512], code[256];
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

#define ATTRITION "tests/central/attrition.csv --stratum stratum --population N --answered answered"

/* Worked out apart from this program, from the formulas of docs/method.md. */
static void those_who_are_lost(void **state) {
  (void)state;
  int status;
  cJSON *json = run("sample report " ATTRITION " --reason motivo --replaces reemplaza --compare base", &status);
  assert_int_equal(status, 0);
  const cJSON *all = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "all"), 0);
  close_to(number(all, "rate"), 19.0 / 24, 1e-14);
  close_to(number(all, "weighted_rate"), 0.7828915071183113, 1e-12);
  const cJSON *b = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "classes"), 1);
  close_to(number(b, "factor"), 4.0 / 3, 1e-12);
  const cJSON *lost = cJSON_GetObjectItem(json, "lost"), *replaced = cJSON_GetObjectItem(json, "replacements");
  close_to(number(lost, "count"), 5, 0);
  close_to(number(replaced, "count"), 2, 0);
  const cJSON *reason = cJSON_GetArrayItem(cJSON_GetObjectItem(lost, "reasons"), 0);
  assert_string_equal(cJSON_GetObjectItem(reason, "reason")->valuestring, "migro");
  close_to(number(reason, "count"), 3, 0);
  const cJSON *base = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "comparison"), 0);
  static const struct {
    const char *name;
    double estimate, se, n;
  } expected[] = {{"stayed", 561.8402197081488, 14.715398106978771, 18},
                  {"left", 456.000565291125, 29.743278327502395, 5},
                  {"difference", 105.83965441702378, 38.736680587775844, 18}};
  for (size_t i = 0; i < 3; i++) {
    const cJSON *e = cJSON_GetObjectItem(base, expected[i].name);
    close_to(number(e, "estimate"), expected[i].estimate, 1e-10);
    close_to(number(e, "se"), expected[i].se, 1e-10);
    close_to(number(e, "n"), expected[i].n, 0);
  }
  cJSON_Delete(json);
  static const struct {
    const char *options;
    double estimate, se, df;
  } adjusted[] = {{"--where reemplaza= --mean y", 840.2511306198454, 15.703706170682379, 16},
                  {"--where reemplaza= --mean y --class clase", 844.9771346385933, 15.046139410852653, 16}};
  /* the replacements' rows were not drawn: a file without them */
  cq_buf text = {0}, drawn = {0};
  char path[600], arguments[900];
  snprintf(path, sizeof path, "%s/attrition.csv", getenv("CHASQUI_TEST_TMP"));
  assert_int_equal(cq_file_read("tests/central/attrition.csv", 1 << 16, &text, NULL), CQ_OK);
  cq_buf_add(&drawn, text.at, (size_t)(strstr(text.at, "\nr1,") + 1 - text.at));
  assert_int_equal(cq_file_replace(path, drawn.at, drawn.size, 0600, false, NULL), CQ_OK);
  for (size_t i = 0; i < 2; i++) {
    snprintf(arguments, sizeof arguments, "estimate %s --stratum stratum --population N --answered answered %s", path,
             adjusted[i].options);
    json = run(arguments, &status);
    assert_int_equal(status, 0);
    close_to(number(json, "estimate"), adjusted[i].estimate, 1e-10);
    close_to(number(json, "se"), adjusted[i].se, 1e-10);
    close_to(number(json, "df"), adjusted[i].df, 0);
    close_to(number(json, "n"), 18, 0);
    cJSON_Delete(json);
  }
  cq_buf_fini(&text);
  cq_buf_fini(&drawn);
  /* fewer than two who answered in a stratum, and answers that are neither */
  json = run("sample report tests/central/attrition.csv --stratum id --population N --answered answered", &status);
  assert_int_equal(status, 1);
  cJSON_Delete(json);
  json = run("sample report tests/central/attrition.csv --stratum stratum --population N --answered clase", &status);
  assert_int_equal(status, 1);
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "error"), "code")->valuestring,
                      "central.respond.answered");
  cJSON_Delete(json);
}

/* What is the same for everybody has no spread, and no difference: not one of 1e-17 either. */
static void a_constant_has_no_spread(void **state) {
  static const char *const values[] = {"0.1", "7", "1234.56", "0.3333", "-2e-5", "1e300"};
  (void)state;
  for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
    cq_buf text = {0};
    char path[600], arguments[900];
    int status;
    double value = atof(values[v]);
    snprintf(path, sizeof path, "%s/constant.csv", getenv("CHASQUI_TEST_TMP"));
    cq_buf_add_text(&text, "stratum,N,answered,y\n");
    for (int i = 0; i < 30; i++)
      cq_buf_addf(&text, "%c,%d,%d,%s\n", 'a' + i % 3, 41 + 12 * (i % 3), i % 4 > 0, values[v]);
    assert_int_equal(cq_file_replace(path, text.at, text.size, 0600, false, NULL), CQ_OK);
    cq_buf_fini(&text);
    snprintf(arguments, sizeof arguments,
             "sample report %s --stratum stratum --population N --answered answered --compare y", path);
    cJSON *json = run(arguments, &status);
    assert_int_equal(status, 0);
    const cJSON *y = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "comparison"), 0);
    static const char *const parts[] = {"stayed", "left", "difference"};
    for (size_t i = 0; i < 3; i++) {
      const cJSON *e = cJSON_GetObjectItem(y, parts[i]);
      double mean = i == 2 ? 0 : value;
      assert_true(number(e, "estimate") == mean && number(e, "se") == 0);
      assert_true(number(e, "low") == mean && number(e, "high") == mean);
    }
    cJSON_Delete(json);
    static const char *const kinds[] = {"--mean y", "--total y", "--mean y --answered answered"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
      snprintf(arguments, sizeof arguments, "estimate %s --stratum stratum --population N %s", path, kinds[k]);
      json = run(arguments, &status);
      assert_int_equal(status, 0);
      if (k != 1) assert_true(number(json, "estimate") == value);
      if (number(json, "se") != 0) fail_msg("%s %s: s.e. %g", values[v], kinds[k], number(json, "se"));
      cJSON_Delete(json);
    }
  }
}

static void contrast_of_two_groups(void **state) {
  (void)state;
  int status;
  cJSON *json =
      run("estimate " SAMPLE " --stratum stratum --population population --mean y --by zone --contrast", &status);
  assert_int_equal(status, 0);
  const cJSON *difference = cJSON_GetObjectItem(json, "contrast");
  close_to(number(difference, "estimate"), 95.43103448300002, 1e-10);
  close_to(number(difference, "se"), 50.76357818567966, 1e-10);
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

/* Five units with both values: docs/method.md's example of recall. */
static void recall(void **state) {
  (void)state;
  static const double registered[] = {400, 520, 310, 800, 260}, recalled[] = {360, 450, 330, 690, 240},
                      weight[] = {2, 1, 1.5, 1, 2}, nothing[] = {0, 0};
  cq_recall k;
  cq_error error;
  assert_int_equal(cq_recall_factor(registered, recalled, weight, 5, &k, NULL), CQ_OK);
  close_to(k.factor, 3105.0 / 2835, 1e-14);
  close_to(k.bias, 2835.0 / 3105 - 1, 1e-13);
  assert_int_equal(cq_recall_factor(registered, nothing, NULL, 2, &k, &error), CQ_INVALID);
  assert_string_equal(error.code, "central.calibrate.zero");
}

static void size_of_a_sample(void **state) {
  (void)state;
  cq_size_wish wish = {.population = 2612, .margin = 0.05, .share = 0.5, .cluster = 1, .attrition = 0.2};
  cq_size size = cq_sample_size(&wish);
  close_to(size.infinite, 384.1458821, 1e-9);
  assert_int_equal(size.needed, 336);
  assert_int_equal(size.drawn, 420);
  wish.cluster = 11;
  wish.within = 0.1; /* the design effect doubles it */
  close_to(cq_sample_size(&wish).finite, 2 * size.finite, 1e-12);
}

static void allocation(void **state) {
  (void)state;
  static const struct {
    double population[4];
    size_t strata;
    int64_t n, rows[4];
  } cases[] = {{{282, 260, 318, 341}, 4, 40, {9, 9, 11, 11}},
               {{1000, 3, 1}, 3, 20, {0}}, /* one unit cannot give two */
               {{1000, 5, 5}, 3, 20, {16, 2, 2}},
               {{10, 10}, 2, 20, {10, 10}},
               {{10, 10}, 2, 3, {0}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t rows[4] = {0}, all = 0;
    cq_status status = cq_sample_allocate(cases[i].population, cases[i].strata, cases[i].n, rows, NULL);
    if (!cases[i].rows[0]) {
      assert_int_equal(status, CQ_INVALID);
      continue;
    }
    assert_int_equal(status, CQ_OK);
    for (size_t h = 0; h < cases[i].strata; h++) {
      all += rows[h];
      if (rows[h] != cases[i].rows[h]) fail_msg("case %zu, stratum %zu: %lld", i, h, (long long)rows[h]);
    }
    assert_int_equal(all, cases[i].n);
  }
}

/* The order is a permutation, the same for the same seed, and not the same for another. */
static void drawing(void **state) {
  (void)state;
  uint32_t a[100], b[100], first[100] = {0};
  cq_sample_shuffle(a, 100, 7);
  cq_sample_shuffle(b, 100, 7);
  assert_memory_equal(a, b, sizeof a);
  cq_sample_shuffle(b, 100, 8);
  assert_memory_not_equal(a, b, sizeof a);
  bool seen[100] = {false};
  for (size_t i = 0; i < 100; i++) seen[a[i]] = true;
  for (size_t i = 0; i < 100; i++) assert_true(seen[i]);
  for (uint64_t seed = 0; seed < 20000; seed++) { /* each of five comes first as often as it should */
    cq_sample_shuffle(a, 5, seed);
    first[a[0]]++;
  }
  for (size_t i = 0; i < 5; i++) assert_true(first[i] > 3800 && first[i] < 4200);
}

/* The trainers of the programme's report, region × sector by sex: printed so, every one could be found out. */
static void small_cells(void **state) {
  (void)state;
  static const int64_t fine[16][2] = {{7, 4}, {4, 2}, {1, 3}, {1, 2}, {3, 5}, {3, 1}, {0, 0}, {4, 7},
                                      {4, 4}, {6, 4}, {0, 0}, {0, 2}, {3, 7}, {6, 3}, {0, 0}, {6, 1}};
  static const int64_t coarse[4][2] = {{13, 11}, {10, 13}, {10, 10}, {15, 11}};
  static const int64_t gap[3][3] = {{20, 3, 9}, {30, 40, 50}, {8, 12, 7}};
  cq_hidden hidden[32], totals[16], columns[3], total;
  size_t small_totals = 0;
  assert_int_equal(cq_suppress(&fine[0][0], 16, 2, CQ_SMALL_CELL, hidden, totals, NULL, NULL, NULL), CQ_OK);
  for (size_t r = 0; r < 16; r++) {
    small_totals += totals[r] == CQ_HIDDEN_SMALL;
    for (size_t c = 0; c < 2; c++)
      if (fine[r][c])
        assert_int_not_equal(hidden[2 * r + c], CQ_SHOWN);
      else if (fine[r][0] + fine[r][1] == 0)
        assert_int_equal(hidden[2 * r + c], CQ_SHOWN);
  }
  assert_int_equal(small_totals, 4);
  assert_int_equal(cq_suppress(&coarse[0][0], 4, 2, CQ_SMALL_CELL, hidden, totals, NULL, NULL, NULL), CQ_OK);
  for (size_t i = 0; i < 8; i++) assert_int_equal(hidden[i], CQ_SHOWN);
  /* one small cell: no row and no column may have exactly one hidden */
  assert_int_equal(cq_suppress(&gap[0][0], 3, 3, CQ_SMALL_CELL, hidden, totals, columns, &total, NULL), CQ_OK);
  assert_int_equal(hidden[1], CQ_HIDDEN_SMALL);
  for (size_t i = 0; i < 3; i++) {
    size_t row = 0, column = 0;
    for (size_t j = 0; j < 3; j++) {
      row += hidden[3 * i + j] != CQ_SHOWN;
      column += hidden[3 * j + i] != CQ_SHOWN;
    }
    assert_int_not_equal(row, 1);
    assert_int_not_equal(column, 1);
  }
  assert_int_equal(hidden[4], CQ_SHOWN);
}

/* Every table with the same printed cells and totals: how many values a hidden small cell may have. A search over the
 * inner cells, with what is printed as constraints; `most` bounds what a reader must try. */
enum { SIDE = 3, MOST = 14 };

typedef struct puzzle {
  const int64_t *counts;
  const cq_hidden *hidden, *row_total, *column_total;
  cq_hidden total;
  int64_t trial[SIDE * SIDE];
  bool seen[SIDE * SIDE][256], seen_row[SIDE][256], seen_column[SIDE][256], seen_total[256];
} puzzle;

static void note_solution(puzzle *p) {
  int64_t rows[SIDE] = {0}, columns[SIDE] = {0}, all = 0;
  for (size_t i = 0; i < SIDE * SIDE; i++) {
    p->seen[i][p->trial[i]] = true;
    rows[i / SIDE] += p->trial[i];
    columns[i % SIDE] += p->trial[i];
    all += p->trial[i];
  }
  for (size_t i = 0; i < SIDE; i++) p->seen_row[i][rows[i]] = p->seen_column[i][columns[i]] = true;
  p->seen_total[all] = true;
}

static int64_t sum_of(const int64_t *cells, size_t first, size_t step) {
  return cells[first] + cells[first + step] + cells[first + 2 * step];
}

static void solve(puzzle *p, size_t at) {
  if (at > 0 && at % SIDE == 0 && p->row_total[at / SIDE - 1] == CQ_SHOWN &&
      sum_of(p->trial, at - SIDE, 1) != sum_of(p->counts, at - SIDE, 1))
    return;
  if (at == SIDE * SIDE) {
    int64_t mine = 0, real = 0;
    for (size_t c = 0; c < SIDE; c++) {
      int64_t a = sum_of(p->trial, c, SIDE), b = sum_of(p->counts, c, SIDE);
      if (p->column_total[c] == CQ_SHOWN && a != b) return;
      mine += a;
      real += b;
    }
    if (p->total == CQ_SHOWN && mine != real) return;
    note_solution(p);
    return;
  }
  if (p->hidden[at] == CQ_SHOWN) {
    p->trial[at] = p->counts[at];
    solve(p, at + 1);
    return;
  }
  for (p->trial[at] = 0; p->trial[at] <= MOST; p->trial[at]++) solve(p, at + 1);
}

static size_t values_seen(const bool seen[256]) {
  size_t count = 0;
  for (size_t v = 0; v < 256; v++) count += seen[v];
  return count;
}

/* No small cell and no small total can be worked out from what is printed, whatever else is in the table. */
static void nothing_hidden_can_be_worked_out(void **state) {
  (void)state;
  uint64_t random = 1;
  size_t small = 0, shown = 0;
  for (size_t round = 0; round < 3000; round++) {
    int64_t counts[SIDE * SIDE];
    cq_hidden hidden[SIDE * SIDE], rows[SIDE], columns[SIDE], total;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      uint64_t pick = random >> 33;
      counts[i] = pick % 4 == 0 ? 0 : (int64_t)(pick / 4 % 12); /* noughts, small ones and others */
    }
    assert_int_equal(cq_suppress(counts, SIDE, SIDE, CQ_SMALL_CELL, hidden, rows, columns, &total, NULL), CQ_OK);
    size_t gone = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
      gone += hidden[i] != CQ_SHOWN;
      if (counts[i] > 0 && counts[i] < CQ_SMALL_CELL) assert_int_equal(hidden[i], CQ_HIDDEN_SMALL);
      if (counts[i] == 0) assert_int_equal(hidden[i], CQ_SHOWN);
      shown += hidden[i] == CQ_SHOWN && counts[i] > 0;
    }
    if (gone > 4) continue; /* too many to try all */
    puzzle *p = calloc(1, sizeof *p);
    assert_non_null(p);
    *p = (puzzle){.counts = counts, .hidden = hidden, .row_total = rows, .column_total = columns, .total = total};
    solve(p, 0);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
      if (hidden[i] != CQ_HIDDEN_SMALL) continue;
      if (values_seen(p->seen[i]) < 2) fail_msg("round %zu: cell %zu can be worked out", round, i);
      small++;
    }
    for (size_t i = 0; i < SIDE; i++) {
      if (rows[i] == CQ_HIDDEN_SMALL && values_seen(p->seen_row[i]) < 2) fail_msg("round %zu: a row's total", round);
      if (columns[i] == CQ_HIDDEN_SMALL && values_seen(p->seen_column[i]) < 2) fail_msg("round %zu: a column's", round);
    }
    free(p);
  }
  assert_true(small > 200);
  assert_true(shown > 100); /* and it does not hide everything */
}

/* Two pairs of two hidden cells joined by one: no line has a single hidden cell, and yet the one that joins them
 * follows from the totals. */
static void a_bridge_is_found(void **state) {
  (void)state;
  cq_hidden hidden[16], rows[4], columns[4], total;
  static const int64_t bridge[4][4] = {{3, 4, 50, 60}, {2, 3, 4, 60}, {50, 60, 3, 4}, {50, 60, 2, 3}};
  assert_int_equal(cq_suppress(&bridge[0][0], 4, 4, CQ_SMALL_CELL, hidden, rows, columns, &total, NULL), CQ_OK);
  assert_int_equal(hidden[6], CQ_HIDDEN_SMALL); /* 4 in the second row joins the two squares */
  size_t complements = 0;
  for (size_t i = 0; i < 16; i++) complements += hidden[i] == CQ_HIDDEN_COMPLEMENT;
  for (size_t i = 0; i < 4; i++)
    complements += (size_t)((rows[i] == CQ_HIDDEN_COMPLEMENT) + (columns[i] == CQ_HIDDEN_COMPLEMENT));
  assert_true(complements > 0);
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
/* What the program writes on the screen, line by line; the widest of them, in signs. */
static size_t widest(const char *arguments, const char *words) {
  char command[1200], line[512];
  size_t most = 0;
  bool said = !words;
  snprintf(command, sizeof command, "LC_ALL=C.UTF-8 LANGUAGE=es %s/chasqui-central %s 2>/dev/null",
           getenv("CHASQUI_BIN"), arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  while (fgets(line, sizeof line, pipe)) {
    line[strcspn(line, "\n")] = '\0';
    size_t length = cq_utf8_length(cq_str_from(line));
    if (length > most) most = length;
    if (words && strstr(line, words)) said = true;
  }
  assert_int_equal(pclose(pipe), 0);
  assert_true(said);
  return most;
}

static void columns_fit_and_stand_in_line(void **state) {
  (void)state;
  char line[512], *heads, *figures;
  size_t wide = widest(COVERAGE "--today 2013-09-10 --by region --persons", "ciclo completo");
  assert_true(wide > 60 && wide <= 80);
  /* heads with accents end where their figures end */
  snprintf(line, sizeof line,
           "LC_ALL=C.UTF-8 LANGUAGE=es %s/chasqui-central estimate " SAMPLE
           " --stratum stratum --population population --mean y 2>/dev/null",
           getenv("CHASQUI_BIN"));
  FILE *pipe = popen(line, "r");
  char head[512], row[512];
  assert_non_null(pipe);
  assert_non_null(fgets(head, sizeof head, pipe));
  assert_non_null(fgets(row, sizeof row, pipe));
  assert_int_equal(pclose(pipe), 0);
  heads = strstr(head, "estimación");
  figures = strstr(row, "242.609");
  assert_non_null(heads);
  assert_non_null(figures);
  size_t ends = cq_utf8_length((cq_str){head, (size_t)(heads - head)}) + cq_utf8_length(CQ_STR("estimación"));
  assert_int_equal(ends, cq_utf8_length((cq_str){row, (size_t)(figures - row)}) + strlen("242.609"));
}

/* Signs are counted, not bytes; what is too long is cut and says so. */
static void a_column_is_as_wide_as_it_is_said(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int width;
    const char *column;
  } cases[] = {{"año", 5, "  año"},     {"año", -5, "año  "},     {"", 3, "   "}, {"señal", 5, "señal"},
               {"señales", 5, "seña…"}, {"señales", -5, "seña…"}, {"ñ", 1, "ñ"},  {"ññ", 1, "…"}};
  cq_buf out = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_buf_reset(&out);
    cq_data_column(&out, cq_str_from(cases[i].text), cases[i].width);
    assert_string_equal(out.at, cases[i].column);
  }
  cq_buf_fini(&out);
}

static void coverage_page(void **state) {
  (void)state;
  int status;
  char arguments[2048], path[512];
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
      cmocka_unit_test(student),
      cmocka_unit_test(estimates),
      cmocka_unit_test(groups),
      cmocka_unit_test(recall),
      cmocka_unit_test(size_of_a_sample),
      cmocka_unit_test(allocation),
      cmocka_unit_test(drawing),
      cmocka_unit_test(small_cells),
      cmocka_unit_test(nothing_hidden_can_be_worked_out),
      cmocka_unit_test(a_bridge_is_found),
      cmocka_unit_test(those_who_are_lost),
      cmocka_unit_test(a_constant_has_no_spread),
      cmocka_unit_test(contrast_of_two_groups),
      cmocka_unit_test(single_stratum_is_named),
      cmocka_unit_test(coverage),
      cmocka_unit_test(columns_fit_and_stand_in_line),
      cmocka_unit_test(a_column_is_as_wide_as_it_is_said),
      cmocka_unit_test(coverage_page),
      cmocka_unit_test(refused_coverage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
