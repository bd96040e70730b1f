/* SPDX-License-Identifier: Apache-2.0 */
/* Indicators as data: expressions, faults of a file, figures from merged records against `estimate`. */
#include "central/merge/compose.h"
#include "central/merge/derive.h"
#include "central/tables/folio/folio.h"
#include "central/tables/indicators/indicator.h"
#include "central/tables/survey/data.h"
#include "central/tables/survey/respond.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/record.h"
#include "forms/xlsx/workbook.h"
#include "tests/central/desk.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

static void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * (fabs(expected) + 1e-12))) fail_msg("%.15g is not %.15g", value, expected);
}

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
    char said[512] = "";
    const cq_error *f = &all.faults[i];
    if (i < all.fault_count)
      snprintf(said, sizeof said, "%s %s%s%s", f->arg[0], f->code, *f->arg[2] ? " " : "", f->arg[2]);
    if (i >= sizeof expected / sizeof *expected || strcmp(said, expected[i]) != 0)
      fail_msg("fault %zu: “%s” is not “%s”", i, said, i < sizeof expected / sizeof *expected ? expected[i] : "");
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

enum { UNITS = 20, STRATA = 4, PER_STRATUM = UNITS / STRATA };
static const double population[STRATA] = {40, 33, 58, 21};

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>t"
    "</h:title><model><instance><data id=\"f\" version=\"1\"><ingreso/><ingreso_missing/><gasto/><pobre/><nota/>"
    "<meta><instanceID/></meta></data></instance><bind nodeset=\"/data/ingreso\" type=\"decimal\"/>"
    "<bind nodeset=\"/data/gasto\" type=\"decimal\"/><bind nodeset=\"/data/pobre\" type=\"string\"/>"
    "<bind nodeset=\"/data/nota\" type=\"string\"/></model></h:head><h:body><input "
    "ref=\"/data/ingreso\"><label>i</label>"
    "</input></h:body></h:html>";
static const char recall_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>r"
    "</h:title><model><instance><data id=\"r\" version=\"1\"><camp/><rec jr:template=\"\" "
    "xmlns:jr=\"http://openrosa.org/javarosa\"><t/><monto/><grado/></rec><meta><instanceID/></meta></data></instance>"
    "<bind nodeset=\"/data/rec/monto\" type=\"decimal\"/></model></h:head><h:body><group ref=\"/data/rec\"><repeat "
    "nodeset=\"/data/rec\"><input ref=\"/data/rec/monto\"><label>m</label></input></repeat></group></h:body></h:html>";
static const char base_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>g"
    "</h:title><model><instance><data id=\"g\" "
    "version=\"1\"><base/><vez/><motivo/><zona/><meta><instanceID/></meta></data>"
    "</instance><bind nodeset=\"/data/base\" type=\"int\"/></model></h:head><h:body><input ref=\"/data/base\"><label>b"
    "</label></input><select1 ref=\"/data/zona\"><label>z</label><item><label>Zona "
    "norte</label><value>norte</value></item>"
    "<item><label>Zona sur</label><value>sur</value></item></select1></h:body></h:html>";
static const char definitions[] =
    "id,version,from,label::es,kind,dataset,form,rows,season,numerator,denominator,filter,disaggregations,source,"
    "precision,recall,money\n"
    "ingreso,1,2012-01-01,Ingreso,mean,tdd,f,,,ingreso,,,stratum zona sexo,registro,,,yes\n"
    "ingreso,2,2012-01-01,Ingreso,mean,tdd,f,,,ingreso,,,stratum zona sexo,registro,,recordado,yes\n"
    "total,1,2012-01-01,Total,total,tdd,f,,,ingreso,,,zona,registro,,,yes\n"
    "pobre,1,2012-01-01,Pobre,proportion,tdd,f,,,pobre = 'si',,,zona,registro,,,\n"
    "razon,1,2012-01-01,Razon,ratio,tdd,f,,,gasto,ingreso,,zona,registro,,,\n"
    "mujeres,1,2012-01-01,Ingreso de mujeres,mean,tdd,f,,,ingreso,,sexo = 'm',zona,registro,,,\n"
    "recordado,1,2012-01-01,Recordado,mean,tdd,r,rec,camp t,monto,,,zona,recuerdo,grado,,yes\n"
    "registros,1,2012-01-01,Cuantos,total,,f,,,1,,,,registro,,,\n";

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash form, recall, base;
  uint64_t sequence;
  char home[512], phrase[600];
} world;

static double income(size_t u, int year, int t) {
  double of = 310 + 57.5 * (double)u + 90 * ((double)((u * 7 + 3) % 5)) + 60 * t * (u % 3 ? 1.4 : 0.9);
  return year == 2012 ? of * (1.05 + 0.01 * (double)(u % 7)) + (u < 10 ? 45 : 5) : of;
}

static bool lost(size_t u) {
  return u == 4 || u == 13;
} /* no visit in 2012 */
static bool blank(size_t u, int year, int t) {
  return u == 7 && year == 2012 && t == 2;
}

static void add_ended(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
                      const char *xml, cq_result result, const char *reason) {
  cq_buf bytes = {0};
  cq_error error;
  cq_hash name;
  cq_derive *derive = NULL;
  sqlite3_stmt *s = NULL;
  char id[64], instance[64];
  snprintf(id, sizeof id, "00000000-0000-4000-8000-%012zu", u);
  snprintf(instance, sizeof instance, "uuid:00000000-0000-4000-9000-%012d", (int)w->sequence);
  cq_subject subject = {.dataset = CQ_STR("tdd"), .id = cq_str_from(id)};
  cq_record record = {.instance_xml = cq_str_from(xml),
                      .envelope = {.programme = w->f->programme,
                                   .mode = w->f->mode,
                                   .form_id = cq_str_from(form),
                                   .form_version = CQ_STR("1"),
                                   .form_hash = *hash,
                                   .instance_id = cq_str_from(instance),
                                   .subjects = &subject,
                                   .subject_count = 1,
                                   .result = result,
                                   .reason = cq_str_from(reason),
                                   .season = cq_str_from(season),
                                   .calendar_version = 1,
                                   .technician = CQ_STR("T1"),
                                   .device = w->f->device.id,
                                   .begun_utc_ms = fixture_now,
                                   .finished_utc_ms = fixture_now + 1000 * (int64_t)w->sequence,
                                   .working_date = day,
                                   .sequence = ++w->sequence}};
  cq_error_clear(&error);
  test_must(cq_record_build(&bytes, &name, &record, &w->f->random, &error), &error);
  test_must(cq_desk_prepare(&w->desk, &s, "INSERT INTO record (name, batch, bytes) VALUES (?1, x'00', ?2)", &error),
            &error);
  sqlite3_bind_blob(s, 1, name.at, 32, SQLITE_STATIC);
  sqlite3_bind_blob(s, 2, bytes.at, (int)bytes.size, SQLITE_STATIC);
  test_must(cq_desk_step(&w->desk, s, NULL, &error), &error);
  sqlite3_finalize(s);
  test_must(cq_derive_new(&derive, &w->desk, &error), &error);
  test_must(cq_derive_record(derive, sqlite3_last_insert_rowid(w->desk.db), &name, &record, &error), &error);
  cq_derive_free(derive);
  cq_buf_fini(&bytes);
}

static void add_record(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
                       const char *xml) {
  add_ended(w, form, hash, u, season, day, xml, CQ_RESULT_COMPLETE, "");
}

static void add_season(world *w, size_t u, int year, int t, cq_date day) {
  char xml[512], season[16], amount[40] = "";
  double y = income(u, year, t);
  if (!blank(u, year, t)) snprintf(amount, sizeof amount, "%.17g", y);
  snprintf(season, sizeof season, "%d-T%d", year, t);
  snprintf(
      xml, sizeof xml,
      "<data id=\"f\" "
      "version=\"1\"><ingreso>%s</ingreso><ingreso_missing>%s</ingreso_missing><gasto>%.17g</gasto><pobre>%s</pobre>"
      "<nota/><meta><instanceID>x</instanceID></meta></data>",
      amount, *amount ? "" : "ns", y * 0.3 + (double)(u % 4) * 11, y < 900 ? "si" : "no");
  add_record(w, "f", &w->form, u, season, day, xml);
}

static cq_date soon_after(int year, int t) {
  static const cq_date ends[] = {{0, 11, 10}, {1, 2, 10}, {1, 5, 10}, {1, 8, 10}};
  return (cq_date){year + ends[t - 1].year, ends[t - 1].month, ends[t - 1].day};
}

static void put_definitions(world *w) {
  cq_indicators all = {0};
  cq_error error;
  sqlite3_stmt *s = NULL;
  test_must(cq_indicators_read(&all, CQ_STR(definitions), NULL, 0, &error), &error);
  assert_int_equal(all.fault_count, 0);
  test_must(cq_desk_prepare(&w->desk, &s, "INSERT INTO indicator VALUES (?1, ?2, 1, ?3)", &error), &error);
  for (size_t i = 0; i < all.count; i++) {
    sqlite3_bind_text(s, 1, all.items[i].id.at, (int)all.items[i].id.size, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, all.items[i].version);
    sqlite3_bind_text(s, 3, all.items[i].text.at, (int)all.items[i].text.size, SQLITE_STATIC);
    test_must(cq_desk_step(&w->desk, s, NULL, &error), &error);
  }
  sqlite3_finalize(s);
  cq_indicators_fini(&all);
}

static void put_frame(world *w) {
  cq_error error;
  char sql[512];
  for (size_t u = 0; u < UNITS; u++) {
    size_t h = u % STRATA;
    snprintf(
        sql, sizeof sql,
        "INSERT INTO frame VALUES ('tdd', '00000000-0000-4000-8000-%012zu', 's%zu', %g, NULL, NULL, NULL, '210708');"
        "INSERT INTO frame_property VALUES ('tdd', '00000000-0000-4000-8000-%012zu', 'zona', '%s');"
        "INSERT INTO frame_property VALUES ('tdd', '00000000-0000-4000-8000-%012zu', 'sexo', '%s')",
        u, h, population[h], u, h < 2 ? "norte" : "sur", u, u % 3 ? "h" : "m");
    test_must(cq_desk_exec(&w->desk, sql, &error), &error);
  }
}

static world *world_new(const char *name, bool all_seasons) {
  world *w = calloc(1, sizeof *w);
  cq_error error;
  assert_non_null(w);
  w->f = fixture_new(3, CQ_MODE_REAL);
  test_desk_new(&w->desk, w->f, name);
  snprintf(w->home, sizeof w->home, "%s/merge-%s-%d", getenv("CHASQUI_TEST_TMP"), name, (int)getpid());
  snprintf(w->phrase, sizeof w->phrase, "%s/phrase", w->home);
  test_must(cq_file_replace(w->phrase, "llama verde camina\n", 19, 0600, false, &error), &error);
  w->form = test_desk_form(&w->desk, "f", CQ_STR(form_xml));
  w->recall = test_desk_form(&w->desk, "r", CQ_STR(recall_xml));
  w->base = test_desk_form(&w->desk, "g", CQ_STR(base_xml));
  put_definitions(w);
  put_frame(w);
  for (size_t u = 0; u < UNITS && all_seasons; u++)
    for (int t = 1; t <= 4; t++) {
      add_season(w, u, 2011, t, soon_after(2011, t));
      if (t < 4 && !lost(u)) add_season(w, u, 2012, t, soon_after(2012, t));
    }
  return w;
}

/* The desk is closed while programs use it. */
static void world_rest(world *w) {
  cq_desk_close(&w->desk);
}
static void world_free(world *w) {
  fixture_free(w->f);
  free(w);
}

static char said[1 << 18];
static cJSON *run(const world *w, const char *arguments, int *status) {
  char command[4000];
  if (w)
    snprintf(command, sizeof command, "LANGUAGE=en %s/chasqui-central %s --home %s --passphrase-file %s 2>/dev/null",
             getenv("CHASQUI_BIN"), arguments, w->home, w->phrase);
  else
    snprintf(command, sizeof command, "%s/chasqui-central %s --json 2>/dev/null", getenv("CHASQUI_BIN"), arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t size = fread(said, 1, sizeof said - 1, pipe);
  said[size] = '\0';
  *status = WEXITSTATUS(pclose(pipe));
  return cJSON_Parse(said);
}

/* Refused, and its words are in `said`. */
static void refused(const world *w, const char *arguments) {
  int status;
  cJSON_Delete(run(w, arguments, &status));
  assert_int_equal(status, 1);
}

static double number(const cJSON *object, const char *name) {
  const cJSON *member = cJSON_GetObjectItem(object, name);
  if (!member || !cJSON_IsNumber(member)) fail_msg("no number “%s” in %s", name, said);
  return member->valuedouble;
}

static const char *text(const cJSON *object, const char *name) {
  const cJSON *member = cJSON_GetObjectItem(object, name);
  return member && cJSON_IsString(member) ? member->valuestring : "";
}

static const cJSON *figure_of(const cJSON *json, const char *kind, const char *group, const char *source) {
  const cJSON *figure, *list = cJSON_GetObjectItem(json, "figures");
  cJSON_ArrayForEach(figure, list) if (strcmp(text(figure, "figure"), kind) == 0 &&
                                       strcmp(text(figure, "group"), group) == 0 &&
                                       strcmp(text(figure, "source"), source) == 0) return figure;
  fail_msg("no figure %s %s %s in %s", kind, group, source, said);
  return NULL;
}

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
  assert_non_null(strstr(said, "1 strata were joined"));
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

/* --- definitions in a workbook --- */

/* A CSV with semicolons as a workbook: days and numbers as such, in the sheet of that name beside another. */
static void write_workbook(const char *folder, const char *name, const char *sheet_name, const char *text) {
  cq_folio book;
  lxw_worksheet *sheet, *other;
  char path[700], cell[600];
  size_t row = 0, column = 0, size = 0;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  test_must(cq_folio_begin(&book, path, false, NULL), NULL);
  test_must(cq_folio_sheet(&book, "otra", &other, NULL), NULL);
  test_must(cq_folio_sheet(&book, sheet_name, &sheet, NULL), NULL);
  lxw_format *day = workbook_add_format(book.workbook);
  format_set_num_format(day, "yyyy-mm-dd");
  for (const char *at = text; *at; at++) {
    if (*at != ';' && *at != '\n') {
      cell[size++] = *at;
      continue;
    }
    double value;
    cq_date date;
    cell[size] = '\0';
    if (cq_date_parse(cq_str_from(cell), &date)) {
      lxw_datetime of = {.year = date.year, .month = date.month, .day = date.day};
      worksheet_write_datetime(sheet, (lxw_row_t)row, (lxw_col_t)column, &of, day);
    } else if (cq_data_number(cq_str_from(cell), &value)) {
      worksheet_write_number(sheet, (lxw_row_t)row, (lxw_col_t)column, value, NULL);
    } else if (size) {
      worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, cell, NULL);
    }
    size = 0;
    column = *at == ';' ? column + 1 : 0;
    row += *at == '\n';
  }
  test_must(cq_folio_end(&book, CQ_OK, NULL), NULL);
}

static void put_text_file(const char *folder, const char *name, const char *text) {
  char path[700];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(cq_file_replace(path, text, strlen(text), 0600, false, NULL), CQ_OK);
}

/* Definitions kept in a workbook are read as the CSV would be, with the same faults in the same cells. */
static void a_workbook_of_definitions(void **state) {
  (void)state;
  static const char right[] = "id;version;from;label::es;kind;form;numerator;threshold;source\n"
                              ";;;;;;;;\n"
                              "alto;1;2012-08-01;Ingreso alto;proportion;f;ingreso > threshold;48;registro\n",
                    wrong[] = "id;version;from;label::es;kind;form;numerator;threshold;source\n"
                              ";;;;;;;;\n"
                              "alto;0;2012-08-01;Ingreso alto;maen;f;ingreso > threshold;48;registro\n"
                              "Dos;1;agosto;Dos;mean;f;nadie;;registo\n",
                    prices[] = "month;index;source\n2012-08-01;107.6;a\n2012-09-01;108;b\n",
                    json[] =
                        "{\"code\":\"d\",\"title\":\"D\",\"forms\":[\"f.xml\"],\"lists\":[],\"indicators\":\"i.%s\","
                        "\"prices\":\"p.%s\"}";
  static const char *const kinds[] = {"csv", "xlsx"};
  char folder[500], text[400], arguments[900];
  cq_composed made[2];
  cJSON *faults[2];
  int status;
  snprintf(folder, sizeof folder, "%s/definitions-%d", getenv("CHASQUI_TEST_TMP"), (int)getpid());
  assert_int_equal(cq_file_make_folder(folder, NULL), CQ_OK);
  put_text_file(folder, "f.xml", form_xml);
  put_text_file(folder, "p.csv", prices);
  write_workbook(folder, "p.xlsx", "precios", prices);
  for (int k = 0; k < 2; k++) {
    cq_error error;
    cq_error_clear(&error);
    snprintf(text, sizeof text, json, kinds[k], kinds[k]);
    put_text_file(folder, "programme.json", text);
    put_text_file(folder, "i.csv", wrong);
    write_workbook(folder, "i.xlsx", "indicadores", wrong);
    snprintf(arguments, sizeof arguments, "indicators check %s", folder);
    faults[k] = run(NULL, arguments, &status);
    assert_int_equal(status, 1);
    put_text_file(folder, "i.csv", right);
    write_workbook(folder, "i.xlsx", "indicadores", right);
    test_must(cq_compose(&made[k], folder, CQ_STR(""), CQ_COST_LEAST, false, &error), &error);
  }
  const cJSON *a = cJSON_GetObjectItem(faults[0], "faults"), *b = cJSON_GetObjectItem(faults[1], "faults");
  assert_int_equal(cJSON_GetArraySize(a), 6);
  assert_int_equal(cJSON_GetArraySize(b), 6);
  for (int i = 0; i < 6; i++) {
    cJSON *of = cJSON_GetArrayItem(b, i);
    assert_string_equal(cJSON_GetObjectItem(of, "sheet")->valuestring, "indicadores");
    cJSON_DeleteItemFromObject(of, "sheet");
    if (!cJSON_Compare(cJSON_GetArrayItem(a, i), of, true)) fail_msg("%s", said);
  }
  assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(b, 0), "cell")->valuestring, "E3");
  assert_int_equal(made[1].indicators.count, 1);
  assert_true(cq_str_equal(made[0].indicators.items[0].text, made[1].indicators.items[0].text));
  cq_prices *read = calloc(2, sizeof *read);
  for (int k = 0; k < 2; k++) {
    assert_int_equal(made[k].file_count, 2);
    assert_true(cq_str_is(made[k].files[1].name, "prices.csv"));
    assert_int_equal(cq_prices_read(&read[k], made[k].files[1].bytes, NULL), CQ_OK);
    cq_compose_fini(&made[k]);
    cJSON_Delete(faults[k]);
  }
  assert_int_equal(read[1].count, 2);
  assert_memory_equal(&read[0], &read[1], sizeof read[0]);
  free(read);
  /* which sheet is not known */
  write_workbook(folder, "i.xlsx", "hoja", right);
  cJSON *json_said = run(NULL, arguments, &status);
  assert_int_equal(status, 1);
  assert_non_null(strstr(said, "xlsx.sheet.none"));
  cJSON_Delete(json_said);
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

/* --- in whose language --- */

static void run_in(const world *w, const char *language, const char *arguments) {
  char command[1600];
  snprintf(command, sizeof command, "LANGUAGE=%s %s/chasqui-central %s --home %s --passphrase-file %s 2>/dev/null",
           language, getenv("CHASQUI_BIN"), arguments, w->home, w->phrase);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t size = fread(said, 1, sizeof said - 1, pipe);
  said[size] = '\0';
  if (WEXITSTATUS(pclose(pipe)) != 0) fail_msg("%s", command);
}

static bool any_sheet(cq_str name) {
  (void)name;
  return true;
}

static bool holds(const cq_workbook *book, const char *text) {
  for (size_t s = 0; s < book->count; s++)
    for (size_t r = 0; r < book->sheets[s].count; r++)
      for (size_t c = 0; c < book->sheets[s].rows[r].count; c++)
        if (cq_str_is(book->sheets[s].rows[r].cells[c].text, text)) return true;
  return false;
}

/* Every text of one list stands in the workbook, and none of the other. */
static void workbook_speaks(const world *w, const char *name, const char *const *its, const char *const *others) {
  cq_workbook *book = NULL;
  cq_error error;
  char path[700];
  snprintf(path, sizeof path, "%s/%s", w->home, name);
  test_must(cq_workbook_open(&book, path, any_sheet, &error), &error);
  for (; *its; its++)
    if (!holds(book, *its)) fail_msg("%s has no cell “%s”", name, *its);
  for (; *others; others++)
    if (holds(book, *others)) fail_msg("%s has a cell “%s”", name, *others);
  cq_workbook_free(book);
}

/* What a person reads is in the language of the run; what a program reads is the same in every language. */
static void people_read_their_language_and_programs_one(void **state) {
  (void)state;
  static const char *const languages[] = {"es", "en"};
  static const char *const figures[2][8] = {
      {"estimación", "temporada", "fuente", "registro", "media", "precisión", NULL},
      {"estimate", "season", "source", "as registered", "mean", "precision", NULL}};
  static const char *const records[2][8] = {{"resultado", "técnico", "completa", NULL},
                                            {"complete", "KEY", "working_date", NULL}},
                           *const not_said[2][3] = {{"complete", NULL}, {"completa", "resultado", NULL}};
  static const char *const cells[2][8] = {{"cubierta", "perdida", "persona", NULL},
                                          {"covered in time", "lost", "person", NULL}};
  static const char *const terminal[2][3] = {{"  resultado ", "  completa ", "  técnico "},
                                             {"  result ", "  complete ", "  technician "}};
  static const char *const machines[] = {"table f --json", "table ingreso --json",
                                         "coverage --campaign 2012 --today "
                                         "2013-08-20 --json",
                                         "export f --json --csv %s/%s", NULL};
  static const char *const files[] = {"f.csv", "coverage.csv", NULL};
  world *w = world_new("language", true);
  char arguments[1500], path[700];
  char *first[8] = {NULL};
  world_rest(w);
  for (int l = 0; l < 2; l++) {
    size_t kept = 0;
    for (size_t i = 0; machines[i]; i++) {
      snprintf(arguments, sizeof arguments, machines[i], w->home, ".");
      run_in(w, languages[l], arguments);
      if (l && i != 1) assert_string_equal(said, first[kept]); /* indicators bear their label, in its language */
      if (!l) first[kept] = strdup(said);
      kept++;
    }
    snprintf(arguments, sizeof arguments,
             "coverage --campaign 2012 --today 2013-08-20 --csv %s/coverage.csv --xlsx %s/c.xlsx", w->home, w->home);
    run_in(w, languages[l], arguments);
    for (size_t i = 0; files[i]; i++) {
      cq_buf bytes = {0};
      snprintf(path, sizeof path, "%s/%s", w->home, files[i]);
      assert_int_equal(cq_file_read(path, 1 << 20, &bytes, NULL), CQ_OK);
      assert_true(bytes.size > 100);
      if (l) assert_string_equal(bytes.at, first[kept]);
      if (!l) first[kept] = strdup(bytes.at);
      kept++;
      cq_buf_fini(&bytes);
    }
    snprintf(arguments, sizeof arguments, "table ingreso --version-of 1 --xlsx %s/i.xlsx", w->home);
    run_in(w, languages[l], arguments);
    snprintf(arguments, sizeof arguments, "export f --xlsx %s", w->home);
    run_in(w, languages[l], arguments);
    run_in(w, languages[l], "table f");
    for (size_t i = 0; i < 3; i++) {
      if (!strstr(said, terminal[l][i])) fail_msg("no “%s” in %.300s", terminal[l][i], said);
      if (strstr(said, terminal[!l][i])) fail_msg("“%s” in %.300s", terminal[!l][i], said);
    }
    workbook_speaks(w, "i.xlsx", figures[l], figures[!l]);
    workbook_speaks(w, "c.xlsx", cells[l], cells[!l]);
    workbook_speaks(w, "f.xlsx", records[l], not_said[l]); /* the names of its columns stay what they are */
  }
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) free(first[i]);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_desk_reports_those_lost_as_a_file_does),
      cmocka_unit_test(people_read_their_language_and_programs_one),
      cmocka_unit_test(expressions),
      cmocka_unit_test(all_faults_at_once),
      cmocka_unit_test(definitions_are_kept_as_they_are),
      cmocka_unit_test(versions_by_day),
      cmocka_unit_test(prices),
      cmocka_unit_test(a_workbook_of_definitions),
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
