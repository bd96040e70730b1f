/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/central/seasons.h"

#include "central/merge/derive.h"
#include "central/tables/indicators/indicator.h"
#include "chasqui/file.h"
#include "chasqui/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * (fabs(expected) + 1e-12))) fail_msg("%.15g is not %.15g", value, expected);
}

const double population[STRATA] = {40, 33, 58, 21};

const char form_xml[] =
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

double income(size_t u, int year, int t) {
  double of = 310 + 57.5 * (double)u + 90 * ((double)((u * 7 + 3) % 5)) + 60 * t * (u % 3 ? 1.4 : 0.9);
  return year == 2012 ? of * (1.05 + 0.01 * (double)(u % 7)) + (u < 10 ? 45 : 5) : of;
}

bool lost(size_t u) {
  return u == 4 || u == 13;
}

bool blank(size_t u, int year, int t) {
  return u == 7 && year == 2012 && t == 2;
}

void add_ended(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
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

void add_record(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
                const char *xml) {
  add_ended(w, form, hash, u, season, day, xml, CQ_RESULT_COMPLETE, "");
}

void add_season(world *w, size_t u, int year, int t, cq_date day) {
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

cq_date soon_after(int year, int t) {
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

world *world_new(const char *name, bool all_seasons) {
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

void world_rest(world *w) {
  cq_desk_close(&w->desk);
}
void world_free(world *w) {
  fixture_free(w->f);
  free(w);
}

char said[1 << 18];
cJSON *run(const world *w, const char *arguments, int *status) {
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

void refused(const world *w, const char *arguments) {
  int status;
  cJSON_Delete(run(w, arguments, &status));
  assert_int_equal(status, 1);
}

double number(const cJSON *object, const char *name) {
  const cJSON *member = cJSON_GetObjectItem(object, name);
  if (!member || !cJSON_IsNumber(member)) fail_msg("no number “%s” in %s", name, said);
  return member->valuedouble;
}

const char *text(const cJSON *object, const char *name) {
  const cJSON *member = cJSON_GetObjectItem(object, name);
  return member && cJSON_IsString(member) ? member->valuestring : "";
}

const cJSON *figure_of(const cJSON *json, const char *kind, const char *group, const char *source) {
  const cJSON *figure, *list = cJSON_GetObjectItem(json, "figures");
  cJSON_ArrayForEach(figure, list) if (strcmp(text(figure, "figure"), kind) == 0 &&
                                       strcmp(text(figure, "group"), group) == 0 &&
                                       strcmp(text(figure, "source"), source) == 0) return figure;
  fail_msg("no figure %s %s %s in %s", kind, group, source, said);
  return NULL;
}
