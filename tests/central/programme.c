/* SPDX-License-Identifier: Apache-2.0 */
/* The programme's own tables and checks, on invented records: every error that the programme's report printed is made
 * again, and seen. */
#include "central/merge/derive.h"
#include "central/tables/programme/check.h"
#include "chasqui/record.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:cq=\"urn:chasqui:xforms\"><h:head><h:title>t</h:title><model>"
    "<instance><data id=\"f\" version=\"1\"><nombre/><quien/><region/><distrito/><sexo/><sexo_missing/><autoid/><org/>"
    "<que/><fecha/><monto/><monto_missing/><m/><h/><total/><numero/><act "
    "jr:template=\"\"><nom/><um/><pct/><gasto/></act>"
    "<meta><instanceID/></meta></data></instance>"
    "<bind nodeset=\"/data/nombre\" type=\"string\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/sexo\" type=\"string\" cq:missing=\"nr na\"/>"
    "<bind nodeset=\"/data/autoid\" type=\"string\" cq:privacy=\"sensitive\"/>"
    "<bind nodeset=\"/data/fecha\" type=\"date\"/><bind nodeset=\"/data/monto\" type=\"decimal\" cq:missing=\"ns\"/>"
    "</model></h:head><h:body><input ref=\"/data/nombre\"><label>Nombre</label></input>"
    "<select1 ref=\"/data/region\"><label>Región</label><item><label>Cusco</label><value>08</value></item>"
    "<item><label>Puno</label><value>21</value></item></select1>"
    "<select1 ref=\"/data/sexo\"><label>Sexo</label><item><label>Mujer</label><value>m</value></item>"
    "<item><label>Hombre</label><value>h</value></item></select1>"
    "<select1 ref=\"/data/autoid\"><label>Autoidentificación</label><item><label>Quechua</label><value>1</value></item>"
    "<item><label>Mestizo</label><value>6</value></item></select1>"
    "<input ref=\"/data/monto\"><label>Monto</label></input><group ref=\"/data/act\"><repeat nodeset=\"/data/act\">"
    "<input ref=\"/data/act/um\"><label>Unidad</label></input></repeat></group></h:body></h:html>";

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash form;
  uint64_t sequence;
} world;

static world *world_new(const char *name) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->f = fixture_new(3, CQ_MODE_REAL);
  test_desk_new(&w->desk, w->f, name);
  w->form = test_desk_form(&w->desk, "f", cq_str_from(form_xml));
  return w;
}

static void world_free(world *w) {
  cq_desk_close(&w->desk);
  fixture_free(w->f);
  free(w);
}

typedef struct about {
  const char *day, *season, *person;
  cq_result result;
  int32_t months[3];
} about;

/* A record of these fields: "<sexo>m</sexo>…". */
static void add(world *w, const about *a, const char *fields) {
  cq_buf bytes = {0}, xml = {0};
  cq_hash name;
  cq_error error;
  cq_derive *derive = NULL;
  sqlite3_stmt *s = NULL;
  char instance[32];
  cq_subject subject = {.dataset = CQ_STR("tdd"), .id = cq_str_from(a->person)};
  snprintf(instance, sizeof instance, "uuid:%llu", (unsigned long long)w->sequence);
  cq_buf_addf(&xml, "<data id=\"f\" version=\"1\">%s<meta><instanceID>%s</instanceID></meta></data>", fields, instance);
  cq_record record = {.instance_xml = cq_buf_str(&xml),
                      .envelope = {.programme = w->f->programme,
                                   .mode = w->f->mode,
                                   .form_id = CQ_STR("f"),
                                   .form_version = CQ_STR("1"),
                                   .form_hash = w->form,
                                   .instance_id = cq_str_from(instance),
                                   .subjects = &subject,
                                   .subject_count = a->person ? 1 : 0,
                                   .result = a->result ? a->result : CQ_RESULT_COMPLETE,
                                   .season = cq_str_from(a->season),
                                   .calendar_version = a->season ? 1 : 0,
                                   .months = a->months,
                                   .month_count = a->months[0] ? 3 : 0,
                                   .technician = CQ_STR("T1"),
                                   .device = w->f->device.id,
                                   .begun_utc_ms = fixture_now,
                                   .finished_utc_ms = fixture_now + 1000 * (int64_t)w->sequence,
                                   .sequence = w->sequence + 1}};
  w->sequence++;
  cq_error_clear(&error);
  assert_true(cq_date_parse(cq_str_from(a->day ? a->day : "2013-01-10"), &record.envelope.working_date));
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
  cq_buf_fini(&xml);
}

static int32_t day(const char *iso) {
  cq_date date;
  assert_true(cq_date_parse(cq_str_from(iso), &date));
  return cq_date_to_day(date);
}

static void define(cq_definitions *d, const char *json) {
  cq_faults *faults = calloc(1, sizeof *faults);
  cq_error error;
  cq_error_clear(&error);
  assert_non_null(faults);
  cq_status status = cq_definitions_read(d, cq_str_from(json), CQ_STR("es"), faults, &error);
  for (size_t i = 0; i < faults->count; i++)
    print_error("%s: %s %s\n", faults->at[i].where, faults->at[i].what, faults->at[i].of);
  test_must(status, &error);
  free(faults);
}

/* The table's CSV as it stands on a day, without the columns of its name and day. */
static void table_is(world *w, const cq_definitions *d, const char *name, cq_tabulation how, const char *expected) {
  cq_crosstab tab;
  cq_buf csv = {0}, got = {0};
  cq_error error;
  cq_error_clear(&error);
  const cq_table_def *def = cq_definitions_table(d, cq_str_from(name));
  assert_non_null(def);
  test_must(cq_tabulate(&tab, &w->desk, d, def, &how, &error), &error);
  test_must(cq_crosstab_csv(&tab, &csv, &error), &error);
  bool head = true;
  for (char *rest = csv.at, *line; (line = strtok_r(rest, "\r\n", &rest));) {
    const char *at = strchr(strchr(line, ',') + 1, ',') + 1;
    if (!head) cq_buf_addf(&got, "%s\n", at);
    head = false;
  }
  assert_string_equal(got.at ? got.at : "", expected);
  cq_crosstab_fini(&tab);
  cq_buf_fini(&csv);
  cq_buf_fini(&got);
}

/* --- tables --- */

static const char people[] =
    "{\"links\":[{\"name\":\"socio\",\"events\":[{\"form\":\"f\",\"of\":\"quien\",\"to\":\"org\",\"day\":\"fecha\","
    "\"where\":[\"que!=registro\",\"que!=fondo\",\"que!=fin\"],\"ends\":\"que=baja\"}]},"
    "{\"name\":\"fondo\",\"events\":[{\"form\":\"f\",\"of\":\"org\",\"day\":\"fecha\",\"where\":\"que~fondo\"},"
    "{\"form\":\"f\",\"of\":\"org\",\"day\":\"fecha\",\"where\":\"que=fin\",\"ends\":\"que=fin\"}]}],"
    "\"tables\":[{\"name\":\"gente\",\"title\":\"Gente\",\"form\":\"f\",\"unit\":\"@tdd\",\"dataset\":\"tdd\","
    "\"persons\":true,\"day\":\"fecha\",\"where\":\"que=registro\",\"rows\":{\"link\":[\"socio\",\"fondo\"],"
    "\"label\":\"Financiamiento\",\"yes\":\"Con\",\"no\":\"Sin\"},\"columns\":\"sexo\",\"by\":[\"region\",\"autoid\","
    "\"distrito\",{\"link\":\"socio\",\"counts\":true,\"label\":\"Asociaciones\"}]},"
    "{\"name\":\"montos\",\"title\":\"Montos\",\"form\":\"f\",\"unit\":\"numero\",\"where\":\"que=fondo\","
    "\"sum\":\"monto\",\"money\":\"S/\",\"rows\":\"region\"}]}";

static void person(world *w, const char *id, const char *sex, const char *fecha) {
  char fields[256];
  about a = {.day = "2013-06-01", .person = id};
  snprintf(fields, sizeof fields, "<quien>%s</quien><region>21</region>%s<que>registro</que><fecha>%s</fecha>", id, sex,
           fecha);
  add(w, &a, fields);
}

static void event(world *w, const char *who, const char *org, const char *what, const char *fecha) {
  char fields[256];
  about a = {.day = "2013-06-01"};
  snprintf(fields, sizeof fields, "<quien>%s</quien><org>%s</org><que>%s</que><fecha>%s</fecha>", who, org, what,
           fecha);
  add(w, &a, fields);
}

/* In two associations one counts once; whose funding changed counts by the date; who left an association too. */
static void links_hold_by_their_dates(void **state) {
  (void)state;
  world *w = world_new("links");
  cq_definitions d;
  define(&d, people);
  person(w, "a", "<sexo>m</sexo>", "2012-08-01");
  person(w, "b", "<sexo>h</sexo>", "2012-08-01");
  person(w, "c", "<sexo_missing>nr</sexo_missing>", "2012-12-01");
  person(w, "a", "<sexo>m</sexo>", "2012-09-01"); /* recorded twice: counted once */
  event(w, "a", "o1", "alta", "2012-08-01");
  event(w, "a", "o2", "alta", "2012-08-01");
  event(w, "b", "o1", "alta", "2012-08-01");
  event(w, "b", "o1", "baja", "2013-02-01");
  event(w, "", "o1", "fondo", "2012-10-15");
  event(w, "", "o2", "fondo", "2012-11-15");
  table_is(w, &d, "gente", (cq_tabulation){.at = day("2012-10-14")},
           "1,Con,m,Mujer,0,figure\n1,Con,h,Hombre,0,figure\n1,Con,all,Total,0,figure\n"
           "0,Sin,m,Mujer,1,figure\n0,Sin,h,Hombre,1,figure\n0,Sin,all,Total,2,figure\n"
           "all,Total,m,Mujer,1,figure\nall,Total,h,Hombre,1,figure\nall,Total,all,Total,2,figure\n");
  table_is(w, &d, "gente", (cq_tabulation){.at = day("2012-12-31")},
           "1,Con,m,Mujer,1,figure\n1,Con,h,Hombre,1,figure\n1,Con,,not known,0,figure\n1,Con,all,Total,2,figure\n"
           "0,Sin,m,Mujer,0,figure\n0,Sin,h,Hombre,0,figure\n0,Sin,,not known,1,figure\n0,Sin,all,Total,1,figure\n"
           "all,Total,m,Mujer,1,figure\nall,Total,h,Hombre,1,figure\nall,Total,,not known,1,figure\n"
           "all,Total,all,Total,3,figure\n");
  table_is(w, &d, "gente", (cq_tabulation){.at = day("2013-02-01"), .by = "socio"},
           "0,0,2,figure\n1,1,0,figure\n2,2 or more,1,figure\nall,Total,3,figure\n");
  event(w, "", "o1", "fin", "2013-03-01");
  event(w, "", "o2", "fin", "2013-03-01");
  table_is(w, &d, "gente", (cq_tabulation){.at = day("2013-03-01"), .by = "socio.fondo"},
           "1,Con,0,figure\n0,Sin,3,figure\nall,Total,3,figure\n");
  /* persons decided to be one */
  cq_error error;
  test_must(cq_desk_exec(&w->desk, "INSERT INTO entity_same VALUES ('tdd', 'c', 'b')", &error), &error);
  table_is(w, &d, "gente", (cq_tabulation){.at = day("2013-03-01"), .by = "region"},
           "08,Cusco,0,figure\n21,Puno,2,figure\nall,Total,2,figure\n");
  cq_definitions_fini(&d);
  world_free(w);
}

/* A sensitive column is hidden of itself, with its complements and margins that would tell; the desk may see it whole.
 */
static void small_cells_of_persons_are_hidden(void **state) {
  (void)state;
  world *w = world_new("hidden");
  cq_definitions d;
  define(&d, people);
  for (int i = 0; i < 20; i++) {
    char fields[256], id[8];
    about a = {.day = "2013-06-01", .person = id};
    snprintf(id, sizeof id, "p%d", i);
    snprintf(fields, sizeof fields,
             "<region>%s</region><autoid>%s</autoid><que>registro</que><fecha>2012-08-01</fecha>", i % 2 ? "21" : "08",
             i < 3 ? "6" : "1");
    add(w, &a, fields);
  }
  cq_tabulation how = {.at = day("2013-01-01"), .by = "region,autoid"};
  table_is(w, &d, "gente", how,
           "08,Cusco,1,Quechua,,hidden\n08,Cusco,6,Mestizo,,hidden\n08,Cusco,all,Total,10,figure\n"
           "21,Puno,1,Quechua,,hidden\n21,Puno,6,Mestizo,,hidden\n21,Puno,all,Total,10,figure\n"
           "all,Total,1,Quechua,,hidden\nall,Total,6,Mestizo,,hidden\nall,Total,all,Total,20,figure\n");
  how.audience = CQ_AUDIENCE_INTERNAL;
  table_is(w, &d, "gente", how,
           "08,Cusco,1,Quechua,8,figure\n08,Cusco,6,Mestizo,2,figure\n08,Cusco,all,Total,10,figure\n"
           "21,Puno,1,Quechua,9,figure\n21,Puno,6,Mestizo,1,figure\n21,Puno,all,Total,10,figure\n"
           "all,Total,1,Quechua,17,figure\nall,Total,6,Mestizo,3,figure\nall,Total,all,Total,20,figure\n");
  cq_definitions_fini(&d);
  world_free(w);
}

/* A sum with a part that is not known is not known; 0 is a nought, and what does not apply adds nothing. */
static void an_unknown_part_leaves_the_total_blank(void **state) {
  (void)state;
  world *w = world_new("sums");
  cq_definitions d;
  about a = {.day = "2013-01-01"}, midway = {.day = "2013-01-01", .result = CQ_RESULT_PARTIAL};
  define(&d, people);
  add(w, &a, "<que>fondo</que><numero>1</numero><region>08</region><monto>1500.50</monto>");
  add(w, &a, "<que>fondo</que><numero>2</numero><region>08</region><monto>0.25</monto>");
  add(w, &a, "<que>fondo</que><numero>3</numero><region>21</region><monto_missing>ns</monto_missing>");
  add(w, &midway, "<que>fondo</que><numero>4</numero><region>21</region><monto>7</monto>");
  table_is(w, &d, "montos", (cq_tabulation){.at = day("2013-06-30")},
           "08,Cusco,2,1500.75,figure\n21,Puno,1,,missing\nall,Total,3,,missing\n");
  cq_definitions_fini(&d);
  world_free(w);
}

static void places_nest_and_text_fits(void **state) {
  (void)state;
  cq_category outer[] = {{CQ_STR("08"), CQ_STR("Cusco"), 0}, {CQ_STR("21"), CQ_STR("Puno"), 0}};
  cq_category inner[] = {{CQ_STR("0804"), CQ_STR("Calca"), 0}, {CQ_STR("2101"), CQ_STR("Puno"), 0}};
  cq_category columns[9];
  cq_crosstab tab = {.arena = cq_arena_new(0), .title = CQ_STR("Título"), .at = 0, .units = 1};
  cq_buf text = {0};
  for (size_t i = 0; i < 9; i++)
    columns[i] = (cq_category){CQ_STR("x"), CQ_STR("Turismo rural comunitario"), CQ_CATEGORY_VALUE};
  tab.outer = (cq_axis){.label = CQ_STR("Región"), .at = outer, .count = 2};
  tab.inner = (cq_axis){.label = CQ_STR("Provincia"), .at = inner, .count = 2};
  tab.columns = (cq_axis){.label = CQ_STR("Sector"), .at = columns, .count = 9};
  assert_int_equal(cq_crosstab_begin(&tab, NULL), CQ_OK);
  assert_int_equal(cq_crosstab_add(&tab, 1, 1, 4, NULL, NULL), CQ_OK);
  assert_int_equal(cq_crosstab_close(&tab, NULL), CQ_OK);
  assert_true(cq_crosstab_nests(&tab, 1, 1));
  assert_false(cq_crosstab_nests(&tab, 1, 0));
  assert_int_equal(cq_crosstab_at(&tab, 2, 2, 9)->count, 1);
  assert_int_equal(cq_crosstab_at(&tab, 1, 2, 4)->count, 1);
  assert_int_equal(cq_crosstab_text(&tab, 80, &text, NULL), CQ_OK);
  size_t lines = 0;
  for (char *rest = text.at, *line; (line = strtok_r(rest, "\n", &rest)); lines++)
    assert_true(cq_utf8_length(cq_str_from(line)) <= 80);
  assert_true(lines > 10);
  cq_buf_fini(&text);
  cq_arena_free(tab.arena);
}

static void amounts(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool ok;
    int64_t value;
  } cases[] = {{"1500.5", true, 150050},
               {"0.005", true, 1},
               {"0.0049", true, 0},
               {"-3.25", true, -325},
               {"7.", true, 700},
               {".5", true, 50},
               {"", false, 0},
               {"1e3", false, 0},
               {"1,5", false, 0},
               {"-", false, 0},
               {"9999999999999999", false, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t value = 0;
    bool ok = cq_amount_parse(cq_str_from(cases[i].text), &value);
    if (ok != cases[i].ok || value != cases[i].value) fail_msg("%s: %lld", cases[i].text, (long long)value);
  }
}

/* --- definitions --- */

static void faults_are_told_all_at_once(void **state) {
  (void)state;
  world *w = world_new("faults");
  cq_faults *faults = calloc(1, sizeof *faults);
  cq_definitions d;
  cq_error error;
  static const char bad[] =
      "{\"tablas\":[],\"links\":[{\"name\":\"l\",\"events\":[{\"of\":\"x\"}]}],"
      "\"tables\":[{\"name\":\"Uno\",\"form\":\"f\",\"where\":\"sexo\"},"
      "{\"name\":\"dos\",\"title\":\"D\",\"form\":\"f\",\"rows\":{\"link\":[\"nadie\"],\"label\":\"L\",\"yes\":\"s\","
      "\"no\":\"n\"}},{\"name\":\"dos\",\"title\":\"D\",\"form\":\"f\",\"rows\":[\"a\",\"b\",\"c\"]}],"
      "\"checks\":[{\"name\":\"c\",\"title\":\"C\",\"check\":\"magia\",\"form\":\"f\",\"field\":\"x\",\"most\":\"9\"}]"
      "}";
  assert_non_null(faults);
  cq_error_clear(&error);
  assert_int_equal(cq_definitions_read(&d, cq_str_from(bad), CQ_STR(""), faults, &error), CQ_INVALID);
  assert_string_equal(error.code, "tables.faults");
  assert_true(faults->count >= 9);
  cq_definitions_fini(&d);
  assert_int_equal(cq_definitions_read(&d, CQ_STR("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), CQ_STR(""), faults, &error),
                   CQ_LIMIT);
  assert_string_equal(error.code, "tables.large");
  cq_definitions_fini(&d);
  /* what the form does not have, or must not show */
  assert_int_equal(
      cq_definitions_read(&d,
                          CQ_STR("{\"tables\":[{\"name\":\"a\",\"title\":\"A\",\"form\":\"f\",\"rows\":\"edad\","
                                 "\"columns\":\"nombre\"},{\"name\":\"b\",\"title\":\"B\",\"form\":\"g\","
                                 "\"rows\":\"x\"},{\"name\":\"c\",\"title\":\"C\",\"form\":\"f\",\"repeat\":"
                                 "\"nada\",\"rows\":\"x\"}]}"),
                          CQ_STR(""), faults, &error),
      CQ_OK);
  assert_int_equal(cq_definitions_check(&d, &w->desk, faults, &error), CQ_INVALID);
  assert_int_equal(faults->count, 4);
  assert_string_equal(faults->at[0].of, "edad");
  assert_string_equal(faults->at[1].of, "nombre");
  assert_string_equal(faults->at[2].of, "g");
  assert_string_equal(faults->at[3].of, "nada");
  cq_definitions_fini(&d);
  static const char *const broken[] = {"", "[]", "{\"tables\":[}", "{} x", "\xff"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    assert_int_equal(cq_definitions_read(&d, cq_str_from(broken[i]), CQ_STR(""), faults, &error), CQ_INVALID);
    assert_string_equal(error.code, "tables.json");
    cq_definitions_fini(&d);
  }
  cq_buf deep = {0};
  for (int i = 0; i < 100; i++) cq_buf_add_text(&deep, "[");
  assert_int_equal(cq_definitions_read(&d, cq_buf_str(&deep), CQ_STR(""), faults, &error), CQ_LIMIT);
  cq_definitions_fini(&d);
  cq_buf_fini(&deep);
  free(faults);
  world_free(w);
}

/* --- checks: one for each error of the report --- */

typedef struct expectation {
  const char *what; /* part of the sentence; NULL: nothing is found */
  size_t count;
} expectation;

static void checks_as(world *w, const char *check, expectation expected) {
  cq_definitions d;
  cq_findings *found = calloc(1, sizeof *found);
  cq_calendar *calendar = NULL;
  cq_error error;
  char json[1024];
  cq_error_clear(&error);
  assert_non_null(found);
  if (check[0] == '{')
    snprintf(json, sizeof json, "%s", check);
  else
    snprintf(json, sizeof json, "{\"checks\":[{\"name\":\"c\",\"title\":\"C\",%s}]}", check);
  define(&d, json);
  test_must(cq_findings_init(found, &error), &error);
  test_must(cq_calendar_standard(&calendar, &error), &error);
  cq_check_how how = {
      .at = day("2013-08-10"), .starts = day("2009-12-01"), .ends = day("2013-06-30"), .calendar = calendar};
  test_must(cq_check_all(found, &w->desk, &d, &how, &error), &error);
  if (found->all != expected.count) {
    for (size_t i = 0; i < found->count; i++) print_error("%.*s\n", (int)found->at[i].what.size, found->at[i].what.at);
    fail_msg("%s: %zu found", check, found->all);
  }
  for (size_t i = 0; i < found->count; i++) {
    if (!strstr(found->at[i].what.at, expected.what)) fail_msg("%s", found->at[i].what.at);
    assert_true(found->at[i].where.size && found->at[i].next.size);
  }
  cq_calendar_free(calendar);
  cq_findings_fini(found);
  cq_definitions_fini(&d);
  free(found);
}

static const about plain = {.day = "2012-09-01"};

/* 700 women and 600 men are 1300, and the total says 1301: somebody has no sex. */
static void the_cells_add_to_less_than_the_total(void **state) {
  (void)state;
  world *w = world_new("cells");
  static const char table[] =
      "{\"tables\":[{\"name\":\"t\",\"title\":\"T\",\"form\":\"f\",\"rows\":\"region\",\"columns\":\"sexo\"}]}";
  for (int i = 0; i < 7; i++)
    add(w, &plain, i % 2 ? "<region>08</region><sexo>m</sexo>" : "<region>21</region><sexo>h</sexo>");
  checks_as(w, table, (expectation){NULL, 0});
  add(w, &plain, "<region>21</region>");
  checks_as(w, table,
            (expectation){"Of 8 there are 1 without “Sexo”: without their own row or column the others add to 7", 1});
  world_free(w);
}

/* 4,999,622 was printed under parts that add to 4,999,623. */
static void a_stored_total_is_added_anew(void **state) {
  (void)state;
  world *w = world_new("stored");
  static const char own[] = "\"check\":\"sum\",\"form\":\"f\",\"field\":\"total\",\"fields\":[\"m\",\"h\"]";
  static const char rows[] =
      "\"check\":\"sum\",\"form\":\"f\",\"repeat\":\"act\",\"field\":\"total\",\"fields\":\"gasto\"";
  add(w, &plain, "<m>700</m><h>601</h><total>1301</total><act><gasto>1000</gasto></act><act><gasto>301</gasto></act>");
  add(w, &plain, "<m>700</m><total>9</total>"); /* a part is blank: nothing can be said */
  checks_as(w, own, (expectation){NULL, 0});
  checks_as(w, rows, (expectation){NULL, 0});
  add(w, &plain,
      "<m>700</m><h>600</h><total>1301</total><act><gasto>1000.5</gasto></act><act><gasto>301</gasto></act>");
  checks_as(w, own, (expectation){"it says 1301, and they add to 1300", 1});
  checks_as(w, rows, (expectation){"it says 1301, and they add to 1301.50", 1});
  world_free(w);
}

/* The paragraph on workshops stands twice; 3 brands are 2; one number of a certificate for two. */
static void one_thing_is_not_recorded_twice(void **state) {
  (void)state;
  world *w = world_new("twice");
  static const char check[] = "\"check\":\"unique\",\"form\":\"f\",\"fields\":[\"numero\",\"region\"]";
  add(w, &plain, "<numero>7</numero><region>08</region>");
  add(w, &plain, "<numero>7</numero><region>21</region>");
  add(w, &plain, "<region>21</region>");
  add(w, &plain, "<region>21</region>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<numero>7</numero><region>21</region>");
  checks_as(w, check, (expectation){"2 rows have the same value", 1});
  world_free(w);
}

static void a_share_is_not_above_the_whole(void **state) {
  (void)state;
  world *w = world_new("share");
  static const char share[] = "\"check\":\"at_most\",\"form\":\"f\",\"repeat\":\"act\",\"field\":\"pct\",\"most\":100";
  static const char part[] = "\"check\":\"at_most\",\"form\":\"f\",\"field\":\"m\",\"of\":\"total\"";
  add(w, &plain, "<m>5</m><total>5</total><act><pct>100</pct></act>");
  checks_as(w, share, (expectation){NULL, 0});
  checks_as(w, part, (expectation){NULL, 0});
  add(w, &plain, "<m>6</m><total>5</total><act><pct>101.5</pct></act><act><pct>99</pct></act>");
  checks_as(w, share, (expectation){"It says 101.50, and cannot be more than 100", 1});
  checks_as(w, part, (expectation){"It says 6, and cannot be more than 5", 1});
  world_free(w);
}

/* Quintals and kilos in one sum; a plan of 2,000,000 without its currency. */
static void units_are_not_mixed(void **state) {
  (void)state;
  world *w = world_new("units");
  static const char check[] = "\"check\":\"units\",\"form\":\"f\",\"repeat\":\"act\",\"field\":\"um\",\"per\":\"nom\"";
  add(w, &plain, "<act><nom>quinua</nom><um>kg</um></act><act><nom>papa</nom><um>saco</um></act>");
  add(w, &plain, "<act><nom>quinua</nom><um>Kg </um></act><act><nom>quinua</nom></act>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<act><nom>quinua</nom><um>quintal</um></act>");
  checks_as(w, check, (expectation){"“quinua” stands in 2 units, which cannot be added: Kg, quintal", 1});
  world_free(w);
}

/* Ollantaytambo, which is in Urubamba, stood in a list of provinces without it; Incahuasi stood under Puno. */
static void a_district_lies_in_its_region(void **state) {
  (void)state;
  world *w = world_new("places");
  static const char check[] = "\"check\":\"prefix\",\"form\":\"f\",\"field\":\"distrito\",\"fields\":\"region\"";
  add(w, &plain, "<region>21</region><distrito>210806</distrito>");
  add(w, &plain, "<region>21</region>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<region>21</region><distrito>140203</distrito>");
  checks_as(w, check, (expectation){"140203 does not lie in 21", 1});
  world_free(w);
}

/* 45 initiatives are linked to a market, and of 55 only one is not: the same thing counted twice. */
static void one_indicator_has_one_number(void **state) {
  (void)state;
  world *w = world_new("agree");
  static const char check[] =
      "{\"tables\":[{\"name\":\"a\",\"title\":\"Vinculadas\",\"form\":\"f\",\"where\":\"que=si\",\"rows\":\"region\"},"
      "{\"name\":\"b\",\"title\":\"No sin vincular\",\"form\":\"f\",\"where\":\"que!=no\",\"rows\":\"region\"}],"
      "\"checks\":[{\"name\":\"c\",\"title\":\"C\",\"check\":\"agree\",\"fields\":[\"a\",\"b\"]}]}";
  add(w, &plain, "<region>21</region><que>si</que>");
  add(w, &plain, "<region>21</region><que>no</que>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<region>21</region>");
  checks_as(w, check, (expectation){"“Vinculadas” has 1, “No sin vincular” has 2", 1});
  world_free(w);
}

static void dates_lie_within_the_programme(void **state) {
  (void)state;
  world *w = world_new("days");
  static const char check[] = "\"check\":\"days\",\"form\":\"f\",\"field\":\"fecha\"";
  add(w, &plain, "<fecha>2009-12-01</fecha>");
  add(w, &plain, "<fecha>2013-06-30</fecha>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<fecha>2013-07-01</fecha>");
  checks_as(w, check, (expectation){"2013-07-01 is after the programme ended, on 2013-06-30", 1});
  world_free(w);
}

/* 2,612 of 2,612 are indigenous, on the coast too. */
static void a_column_that_never_varies_is_told(void **state) {
  (void)state;
  world *w = world_new("filled");
  static const char check[] = "\"check\":\"filled\",\"form\":\"f\",\"field\":\"autoid\"";
  for (int i = 0; i < 9; i++) add(w, &plain, "<autoid>1</autoid>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &plain, "<autoid>1</autoid>");
  checks_as(w, check, (expectation){"All 10 answers are “1”", 1});
  add(w, &plain, "<autoid>6</autoid>");
  checks_as(w, check, (expectation){NULL, 0});
  world_free(w);
}

/* The baseline came in the second year. */
static void a_late_baseline_is_told(void **state) {
  (void)state;
  world *w = world_new("late");
  static const char check[] =
      "{\"links\":[{\"name\":\"socio\",\"events\":[{\"form\":\"f\",\"of\":\"quien\",\"to\":\"org\",\"where\":\"que="
      "base\"}]},"
      "{\"name\":\"fondo\",\"events\":[{\"form\":\"f\",\"of\":\"org\",\"day\":\"fecha\",\"where\":\"que=fondo\"}]}],"
      "\"checks\":[{\"name\":\"c\",\"title\":\"C\",\"check\":\"baseline\",\"form\":\"f\",\"of\":\"quien\","
      "\"where\":\"que=base\",\"link\":[\"socio\",\"fondo\"]}]}";
  add(w, &(about){.day = "2010-03-01"}, "<quien>a</quien><org>o1</org><que>base</que>");
  add(w, &(about){.day = "2010-06-01"}, "<org>o1</org><que>fondo</que><fecha>2010-06-01</fecha>");
  checks_as(w, check, (expectation){NULL, 0});
  add(w, &(about){.day = "2011-06-01"}, "<quien>b</quien><org>o1</org><que>base</que>");
  checks_as(w, check, (expectation){"A baseline of 2011-06-01 is 365 days late", 1});
  world_free(w);
}

/* August to April are nine of twelve months. */
static void nine_months_are_no_year(void **state) {
  (void)state;
  world *w = world_new("nine");
  static const char check[] = "\"check\":\"months\"";
  static const char *const seasons[] = {"2012-T1", "2012-T2", "2012-T3", "2012-T4"};
  static const char *const days[] = {"2012-11-10", "2013-02-10", "2013-05-10", "2013-08-09"};
  checks_as(w, check, (expectation){NULL, 0});
  for (int i = 0; i < 4; i++) {
    about a = {.day = days[i], .season = seasons[i], .person = "a"};
    for (int m = 0; m < 3; m++) a.months[m] = 2012 * 12 + 7 + 3 * i + m;
    add(w, &a, "");
    if (i == 2)
      checks_as(w, check,
                (expectation){"Campaign 2012 rests on 9 of the 12 months that are over; nothing is known of 2013-05, "
                              "2013-06, 2013-07",
                              1});
  }
  checks_as(w, check, (expectation){NULL, 0});
  world_free(w);
}

/* --- a table that was typed --- */

static size_t typed(const char *csv, const char *parts, char sentences[2048]) {
  cq_findings *found = calloc(1, sizeof *found);
  cq_error error;
  cq_error_clear(&error);
  sentences[0] = '\0';
  assert_non_null(found);
  test_must(cq_findings_init(found, &error), &error);
  test_must(cq_check_typed(found, cq_str_from(csv), CQ_STR("t.csv"), parts, &error), &error);
  size_t all = found->all, used = 0;
  for (size_t i = 0; i < found->count; i++)
    used += (size_t)snprintf(sentences + used, 2048 - used, "%.*s [%.*s]\n", (int)found->at[i].what.size,
                             found->at[i].what.at, (int)found->at[i].where.size, found->at[i].where.at);
  cq_findings_fini(found);
  free(found);
  return all;
}

/* The report's own tables, as they were printed. */
static void the_reports_tables_are_added_anew(void **state) {
  (void)state;
  char said[2048];
  assert_int_equal(
      typed(",H,M,Indígenas,TOTAL\nSin financiamiento,700,600,1301,1301\nCon financiamiento,547,764,1311,1311\n"
            "TOTALES,1247,1364,2612,2612\n",
            "H,M", said),
      3);
  assert_non_null(
      strstr(said, "it says 1,301, and they add to 1,300. [t.csv, row “Sin financiamiento”, column “TOTAL”]"));
  assert_non_null(strstr(said, "it says 2,612, and they add to 2,611."));
  assert_non_null(strstr(
      said, "what the total says: it tells nothing, and may have been filled by default. [t.csv, column “Indígenas”]"));
  assert_int_equal(typed("Agencia,Previsto,Comprometido,% ejecutado\nFAO,\"779,634\",\"777,396\",99.61 %\n"
                         "OIT,\"625,364\",\"518,765\",100 %\nOMT,\"623,810\",\"623,810\",100 "
                         "%\nONUDI,\"670,890\",\"670,890\",95.37 %\n"
                         "PNUD,\"1,691,082\",\"1,799,660\",98.35 %\nUNESCO,\"609,280\",\"609,102\",99.97 %\n"
                         "TOTAL,\"5,000,060\",\"4,999,622\",98.72 %\n",
                         NULL, said),
                   1);
  assert_non_null(
      strstr(said, "it says 4,999,622, and they add to 4,999,623. [t.csv, row “TOTAL”, column “Comprometido”]"));
  assert_int_equal(typed("Región,H,M,Total\nCusco,10,13,23\nPuno,15,11,26\nTotal,25,24,49\n", NULL, said), 0);
  assert_int_equal(typed("Sector,H,M\nGastronomía,-,0\nTRC,,2\n", NULL, said), 1);
  assert_non_null(strstr(said, "0 (1), a dash (1), a blank (1)"));
  assert_int_equal(typed("x,Avance %\na,99\nb,104.5\n", NULL, said), 1);
  assert_non_null(strstr(said, "A share is above 100 %: 104.5. [t.csv, row “b”, column “Avance %”]"));
  /* one definition of a number: blanks as thousands, currency, decimals */
  assert_int_equal(typed("x,a,total\nu,\"S/ 1 234.50\",\"1,234.50\"\nv,1,1\ntotal,1235.5,1235.50\n", NULL, said), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(links_hold_by_their_dates),
                                     cmocka_unit_test(small_cells_of_persons_are_hidden),
                                     cmocka_unit_test(an_unknown_part_leaves_the_total_blank),
                                     cmocka_unit_test(places_nest_and_text_fits),
                                     cmocka_unit_test(amounts),
                                     cmocka_unit_test(faults_are_told_all_at_once),
                                     cmocka_unit_test(the_cells_add_to_less_than_the_total),
                                     cmocka_unit_test(a_stored_total_is_added_anew),
                                     cmocka_unit_test(one_thing_is_not_recorded_twice),
                                     cmocka_unit_test(a_share_is_not_above_the_whole),
                                     cmocka_unit_test(units_are_not_mixed),
                                     cmocka_unit_test(a_district_lies_in_its_region),
                                     cmocka_unit_test(one_indicator_has_one_number),
                                     cmocka_unit_test(dates_lie_within_the_programme),
                                     cmocka_unit_test(a_column_that_never_varies_is_told),
                                     cmocka_unit_test(a_late_baseline_is_told),
                                     cmocka_unit_test(nine_months_are_no_year),
                                     cmocka_unit_test(the_reports_tables_are_added_anew)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
