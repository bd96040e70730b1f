/* SPDX-License-Identifier: Apache-2.0 */
/* Records as rows: columns from the definitions, repeats apart, labels, what identifies people left out. */
#include "central/merge/derive.h"
#include "central/merge/entities.h"
#include "central/tables/records/files.h"
#include "chasqui/record.h"
#include "forms/xlsx/workbook.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <readstat.h>

/* Version 2 drops "viejo" and has "nuevo"; "edad" stands in the group and in the repeat. */
static const char head[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:cq=\"urn:chasqui:xforms\" "
    "xmlns:entities=\"http://www.opendatakit.org/xforms/entities\"><h:head><h:title>t</h:title>"
    "<model entities:entities-version=\"2024.1.0\"><instance><data id=\"f\" "
    "version=\"%s\"><nombre/><%s/><p><sexo/><edad/><edad_missing/><fecha/><suma/>"
    "<cod/></p><miembro jr:template=\"\"><edad/><cultivo jr:template=\"\"><kg/></cultivo><fin/></miembro>"
    "<meta><instanceID/><entity dataset=\"tdd\" id=\"\" create=\"1\"><label/></entity></meta></data></instance>"
    "<bind nodeset=\"/data/nombre\" type=\"string\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/p/sexo\" type=\"string\" entities:saveto=\"sexo\"/>"
    "<bind nodeset=\"/data/p/edad\" type=\"int\" cq:missing=\"ns nr\"/><bind nodeset=\"/data/p/fecha\" type=\"date\"/>"
    "<bind nodeset=\"/data/p/suma\" type=\"string\" calculate=\"/data/p/edad * 2.5\"/>"
    "<bind nodeset=\"/data/p/cod\" type=\"string\" calculate=\"'05'\"/>"
    "<bind nodeset=\"/data/miembro/edad\" type=\"int\"/><bind nodeset=\"/data/miembro/cultivo/kg\" type=\"decimal\"/>"
    "</model></h:head><h:body><input ref=\"/data/nombre\"><label>Nombre</label></input>"
    "<select1 ref=\"/data/p/sexo\"><label>Sexo de la persona</label><item><label>Mujer</label><value>m</value></item>"
    "<item><label>Hombre</label><value>h</value></item></select1><input "
    "ref=\"/data/p/edad\"><label>Edad</label></input>"
    "<select1 ref=\"/data/p/edad_missing\"><label>Sin respuesta</label><item><label>No "
    "sabe</label><value>ns</value></item>"
    "<item><label>No responde, señora</label><value>nr</value></item></select1>"
    "<group ref=\"/data/miembro\"><repeat nodeset=\"/data/miembro\"><input "
    "ref=\"/data/miembro/edad\"><label>Edad</label>"
    "</input><group ref=\"/data/miembro/cultivo\"><repeat nodeset=\"/data/miembro/cultivo\"><input "
    "ref=\"/data/miembro/cultivo/kg\"><label>kg</label></input></repeat></group></repeat></group></h:body></h:html>";

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash forms[2];
  uint64_t sequence;
} world;

static void build(world *w, size_t form, const char *id, const char *xml, const cq_hash *parent, cq_result result,
                  const char *subject, cq_buf *bytes, cq_hash *name) {
  const cq_subject about = {CQ_STR("tdd"), cq_str_from(subject ? subject : "")};
  cq_error error;
  cq_record record = {.instance_xml = cq_str_from(xml),
                      .envelope = {.programme = w->f->programme,
                                   .mode = w->f->mode,
                                   .form_id = CQ_STR("f"),
                                   .form_version = CQ_STR("1"),
                                   .form_hash = w->forms[form],
                                   .instance_id = cq_str_from(id),
                                   .parents = parent,
                                   .parent_count = parent ? 1 : 0,
                                   .subjects = &about,
                                   .subject_count = subject ? 1 : 0,
                                   .result = result,
                                   .season = CQ_STR("2012-T1"),
                                   .technician = CQ_STR("T1"),
                                   .device = w->f->device.id,
                                   .begun_utc_ms = fixture_now,
                                   .finished_utc_ms = fixture_now + 1000 * (int64_t)w->sequence,
                                   .working_date = {2012, 11, 5},
                                   .sequence = ++w->sequence}};
  cq_error_clear(&error);
  test_must(cq_record_build(bytes, name, &record, &w->f->random, &error), &error);
}

static void put(world *w, const cq_buf *bytes, const cq_hash *name) {
  cq_error error;
  cq_derive *derive = NULL;
  sqlite3_stmt *s = NULL;
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  cq_error_clear(&error);
  test_must(cq_record_parse(&record, cq_buf_str(bytes), arena, &error), &error);
  test_must(cq_desk_prepare(&w->desk, &s, "INSERT INTO record (name, batch, bytes) VALUES (?1, x'00', ?2)", &error),
            &error);
  sqlite3_bind_blob(s, 1, name->at, 32, SQLITE_STATIC);
  sqlite3_bind_blob(s, 2, bytes->at, (int)bytes->size, SQLITE_STATIC);
  test_must(cq_desk_step(&w->desk, s, NULL, &error), &error);
  sqlite3_finalize(s);
  test_must(cq_derive_new(&derive, &w->desk, &error), &error);
  test_must(cq_derive_record(derive, sqlite3_last_insert_rowid(w->desk.db), name, &record, &error), &error);
  cq_derive_free(derive);
  cq_arena_free(arena);
}

static void add_ended(world *w, size_t form, const char *id, const char *xml, const cq_hash *parent, cq_result result,
                      const char *subject, cq_hash *name) {
  cq_buf bytes = {0};
  build(w, form, id, xml, parent, result, subject, &bytes, name);
  put(w, &bytes, name);
  cq_buf_fini(&bytes);
}

static void add_record(world *w, size_t form, const char *id, const char *xml, const cq_hash *parent, cq_hash *name) {
  add_ended(w, form, id, xml, parent, CQ_RESULT_COMPLETE, NULL, name);
}

static world *world_new(const char *name) {
  world *w = calloc(1, sizeof *w);
  char xml[4096];
  cq_hash first, other;
  cq_error error;
  assert_non_null(w);
  w->f = fixture_new(3, CQ_MODE_REAL);
  test_desk_new(&w->desk, w->f, name);
  snprintf(xml, sizeof xml, head, "1", "viejo");
  w->forms[0] = test_desk_form(&w->desk, "f", cq_str_from(xml));
  test_must(cq_desk_exec(&w->desk, "UPDATE form SET status = 2", &error), &error);
  snprintf(xml, sizeof xml, head, "2", "nuevo");
  w->forms[1] = test_desk_form(&w->desk, "f", cq_str_from(xml));
  add_record(w, 0, "uuid:1",
             "<data id=\"f\" version=\"1\"><nombre>Persona</nombre><viejo>=1+1</viejo><p><sexo>m</sexo><edad>38</edad>"
             "<edad_missing/><fecha>2012-11-05</fecha><suma>95.50</suma><cod>05</cod></p><miembro><edad>40</"
             "edad><cultivo><kg>1.5</kg></cultivo>"
             "<cultivo><kg>2</kg></cultivo><fin>x</fin></miembro><miembro><edad>8</edad><fin>y</fin></miembro>"
             "<meta><instanceID>uuid:1</instanceID><entity dataset=\"tdd\" id=\"aaaaaaaa-0000-4000-8000-000000000001\" "
             "create=\"1\"><label>E1</label></entity>"
             "</meta></data>",
             NULL, &first);
  add_record(w, 1, "uuid:2",
             "<data id=\"f\" version=\"2\"><nombre>Otra</nombre><nuevo>ñ, \"b\"</nuevo><p><sexo>h</sexo><edad/>"
             "<edad_missing>ns</edad_missing><fecha/><suma/><cod>14</cod></p><meta><instanceID>uuid:2</instanceID></"
             "meta></data>",
             NULL, &other);
  /* the second is edited: the edit counts, the old one does not */
  add_record(
      w, 1, "uuid:3",
      "<data id=\"f\" version=\"2\"><nombre>Otra</nombre><nuevo>c</nuevo><p><sexo>h</sexo><edad/><edad_missing>nr"
      "</edad_missing><fecha/><suma/><cod>14</cod></p><meta><instanceID>uuid:3</instanceID></meta></data>",
      &other, &first);
  return w;
}

static void world_free(world *w) {
  cq_desk_close(&w->desk);
  fixture_free(w->f);
  free(w);
}

typedef struct seen {
  const cq_rows *rows;
  char text[4][2048];
} seen;

static cq_status note(void *context, size_t table, const cq_str *cells, cq_error *error) {
  seen *s = context;
  const cq_rows_table *t = cq_rows_table_at(s->rows, table);
  (void)error;
  char *to = s->text[table];
  for (size_t c = 0; c < t->count; c++) {
    if (table == 0 && !t->columns[c].field && c != 0) continue; /* of the envelope the key alone */
    size_t used = strlen(to);
    snprintf(to + used, sizeof s->text[0] - used, "%s%.*s", c ? "|" : "", (int)cells[c].size,
             cells[c].size ? cells[c].at : "");
  }
  strcat(to, "\n");
  return CQ_OK;
}

static void rows_of_all_versions(void **state) {
  (void)state;
  world *w = world_new("rows");
  cq_rows *rows = NULL;
  cq_error error;
  cq_rows_options options = {.labels = true};
  size_t records, unreadable;
  seen *s = calloc(1, sizeof *s);
  cq_error_clear(&error);
  test_must(cq_rows_open(&rows, &w->desk, CQ_STR("f"), &options, &error), &error);
  s->rows = rows;
  assert_int_equal(cq_rows_tables(rows), 3);
  assert_int_equal(cq_rows_left_out(rows), 1);
  const cq_rows_table *t = cq_rows_table_at(rows, 0);
  static const char *const names[] = {"nuevo", "sexo", "sexo_label", "edad", "edad_missing", "edad_missing_label",
                                      "fecha", "suma", "cod",        "viejo"};
  size_t at = 0;
  for (size_t c = 0; c < t->count; c++) {
    if (!t->columns[c].field) continue;
    assert_true(at < 10);
    if (!cq_str_is(t->columns[c].name, names[at]))
      fail_msg("%.*s", (int)t->columns[c].name.size, t->columns[c].name.at);
    at++;
  }
  assert_int_equal(at, 10);
  test_must(cq_rows_read(rows, note, s, &records, &unreadable, &error), &error);
  assert_int_equal(records, 2);
  assert_int_equal(unreadable, 0);
  assert_string_equal(s->text[0], "uuid:1||m|Mujer|38|||2012-11-05|95.50|05|=1+1\n"
                                  "uuid:3|c|h|Hombre||nr|No responde, señora|||14|\n");
  assert_string_equal(s->text[1], "uuid:1/miembro[1]|uuid:1|1|40|x\nuuid:1/miembro[2]|uuid:1|2|8|y\n");
  assert_string_equal(s->text[2], "uuid:1/miembro[1]/cultivo[1]|uuid:1/miembro[1]|1|1.5\n"
                                  "uuid:1/miembro[1]/cultivo[2]|uuid:1/miembro[1]|2|2\n");
  cq_rows_free(rows);
  free(s);
  world_free(w);
}

/* --- the Stata file, read back --- */

typedef struct stata {
  int rows, variables, sex_labels, missing_labels;
  bool sum_is_number, code_is_text;
  double sex[4], age[4];
  char tag[4];
  int sex_at, age_at;
} stata;

static int on_metadata(readstat_metadata_t *metadata, void *context) {
  ((stata *)context)->rows = readstat_get_row_count(metadata);
  assert_string_equal(readstat_get_file_label(metadata), "t");
  return READSTAT_HANDLER_OK;
}

static int on_variable(int index, readstat_variable_t *variable, const char *labels, void *context) {
  stata *s = context;
  (void)labels;
  s->variables++;
  if (strcmp(readstat_variable_get_name(variable), "sexo") == 0) {
    s->sex_at = index;
    assert_string_equal(readstat_variable_get_label(variable), "Sexo de la persona");
  }
  if (strcmp(readstat_variable_get_name(variable), "edad") == 0) s->age_at = index;
  bool is_text = readstat_variable_get_type(variable) == READSTAT_TYPE_STRING;
  if (strcmp(readstat_variable_get_name(variable), "suma") == 0) s->sum_is_number = !is_text;
  if (strcmp(readstat_variable_get_name(variable), "cod") == 0) s->code_is_text = is_text;
  return READSTAT_HANDLER_OK;
}

static int on_value(int row, readstat_variable_t *variable, readstat_value_t value, void *context) {
  stata *s = context;
  int index = readstat_variable_get_index(variable);
  if (row >= 4) return READSTAT_HANDLER_OK;
  if (index == s->sex_at) s->sex[row] = readstat_double_value(value);
  if (index != s->age_at) return READSTAT_HANDLER_OK;
  if (readstat_value_is_tagged_missing(value))
    s->tag[row] = readstat_value_tag(value);
  else
    s->age[row] = readstat_double_value(value);
  return READSTAT_HANDLER_OK;
}

static int on_label(const char *set, readstat_value_t value, const char *label, void *context) {
  stata *s = context;
  if (readstat_value_is_tagged_missing(value)) { /* of "edad", in Stata */
    assert_string_equal(label, readstat_value_tag(value) == 's' ? "No sabe" : "No responde, señora");
    assert_string_equal(set, "edad");
    s->missing_labels++;
    return READSTAT_HANDLER_OK;
  }
  if (strcmp(label, "Mujer") != 0 && strcmp(label, "Hombre") != 0) return READSTAT_HANDLER_OK;
  assert_true(readstat_double_value(value) == (strcmp(label, "Mujer") == 0 ? 1 : 2));
  s->sex_labels++;
  return READSTAT_HANDLER_OK;
}

static bool any_sheet(cq_str name) {
  (void)name;
  return true;
}

/* The questions stand in the first row, the names of the columns in the second. */
static bool sheet_has(const cq_sheet *sheet, const char *column, const char *text) {
  for (size_t h = 0; sheet->count > 1 && h < sheet->rows[1].count; h++) {
    if (!cq_str_is(sheet->rows[1].cells[h].text, column)) continue;
    for (size_t r = 0; r < sheet->count; r++)
      for (size_t c = 0; r != 1 && c < sheet->rows[r].count; c++)
        if (sheet->rows[r].cells[c].column == sheet->rows[1].cells[h].column &&
            cq_str_is(sheet->rows[r].cells[c].text, text))
          return true;
  }
  return false;
}

/* Read back by the reader of forms: days are days, which it writes as such only where the cell is a date. */
static void workbook_holds(const world *w) {
  cq_workbook *book = NULL;
  cq_error error;
  char path[700];
  snprintf(path, sizeof path, "%s/f.xlsx", w->desk.home);
  test_must(cq_workbook_open(&book, path, any_sheet, &error), &error);
  const cq_sheet *sheet = cq_workbook_sheet(book, "f");
  assert_non_null(sheet);
  assert_int_equal(book->count, 4); /* the form, two lists, notes */
  assert_true(sheet_has(sheet, "working_date", "2012-11-05"));
  assert_true(sheet_has(sheet, "fecha", "2012-11-05"));
  assert_true(sheet_has(sheet, "edad", "38"));
  assert_true(sheet_has(sheet, "suma", "95.5")); /* a number, not the text 95.50 */
  assert_true(sheet_has(sheet, "cod", "05"));
  assert_false(sheet_has(sheet, "nombre", "Otra"));
  cq_workbook_free(book);
}

static void stata_reads_it(void **state) {
  (void)state;
  world *w = world_new("stata");
  cq_rows *rows = NULL;
  cq_error error;
  cq_rows_options options = {.labels = false};
  size_t cut = 0;
  char path[600];
  stata s = {.sex_at = -1, .age_at = -1};
  cq_error_clear(&error);
  test_must(cq_rows_open(&rows, &w->desk, CQ_STR("f"), &options, &error), &error);
  test_must(cq_stat_write(rows, &w->desk, w->desk.home, CQ_FILE_DTA, &cut, &error), &error);
  test_must(cq_stat_write(rows, &w->desk, w->desk.home, CQ_FILE_SAV, &cut, &error), &error);
  test_must(cq_workbook_write(rows, &w->desk, w->desk.home, "es", &cut, &error), &error);
  workbook_holds(w);
  assert_int_equal(cut, 0);
  cq_rows_free(rows);
  for (int sav = 0; sav < 2; sav++) {
    s = (stata){.sex_at = -1, .age_at = -1};
    snprintf(path, sizeof path, "%s/f.%s", w->desk.home, sav ? "sav" : "dta");
    readstat_parser_t *parser = readstat_parser_init();
    readstat_set_metadata_handler(parser, on_metadata);
    readstat_set_variable_handler(parser, on_variable);
    readstat_set_value_handler(parser, on_value);
    readstat_set_value_label_handler(parser, on_label);
    assert_int_equal(sav ? readstat_parse_sav(parser, path, &s) : readstat_parse_dta(parser, path, &s), READSTAT_OK);
    readstat_parser_free(parser);
    assert_int_equal(s.rows, 2);
    assert_int_equal(s.sex_labels, 2);
    assert_true(s.sex[0] == 1 && s.sex[1] == 2);
    assert_true(s.age[0] == 38);
    assert_true(s.sum_is_number && s.code_is_text);
    assert_int_equal(s.missing_labels, sav ? 0 : 2);
    if (!sav) assert_int_equal(s.tag[1], 'r');
  }
  world_free(w);
}

static void entities_follow_records(void **state) {
  (void)state;
  world *w = world_new("entities");
  cq_error error;
  size_t unreadable;
  int64_t count;
  cq_error_clear(&error);
  test_must(cq_entities_update(&w->desk, &unreadable, &error), &error);
  test_must(cq_desk_number(&w->desk, "SELECT count(*) FROM entity WHERE dataset = 'tdd' AND id LIKE 'aaaaaaaa%'", 0,
                           &count, &error),
            &error);
  assert_int_equal(count, 1);
  test_must(
      cq_desk_number(&w->desk,
                     "SELECT count(*) FROM entity_property WHERE id LIKE 'aaaaaaaa%' AND name = 'sexo' AND value = 'm'",
                     0, &count, &error),
      &error);
  assert_int_equal(count, 1);
  world_free(w);
}

/* Consent withdrawn in a record that arrives before the person's first one. */
static void who_left_left_whatever_comes_first(void **state) {
  (void)state;
  static const char id[] = "bbbbbbbb-0000-4000-8000-000000000002";
  world *w = world_new("left");
  cq_error error;
  cq_hash name;
  size_t unreadable;
  int64_t left;
  char xml[600];
  cq_error_clear(&error);
  add_ended(w, 1, "uuid:8", "<data id=\"f\" version=\"2\"><meta><instanceID>uuid:8</instanceID></meta></data>", NULL,
            CQ_RESULT_WITHDRAWN, id, &name);
  test_must(cq_entities_update(&w->desk, &unreadable, &error), &error);
  snprintf(xml, sizeof xml,
           "<data id=\"f\" version=\"1\"><p><sexo>m</sexo></p><meta><instanceID>uuid:9</instanceID><entity "
           "dataset=\"tdd\" id=\"%s\" create=\"1\"><label>E2</label></entity></meta></data>",
           id);
  add_record(w, 0, "uuid:9", xml, NULL, &name);
  test_must(cq_entities_update(&w->desk, &unreadable, &error), &error);
  test_must(cq_desk_number(&w->desk, "SELECT count(*) FROM entity WHERE id LIKE 'bbbb%' AND last_day IS NOT NULL", 0,
                           &left, &error),
            &error);
  assert_int_equal(left, 1);
  world_free(w);
}

/* --- corrections --- */

/* Of each instance whether it counts, in the order of their names: "C0 D2!" where ! is a conflict. */
static const char *counting(world *w, char out[200]) {
  cq_error error;
  sqlite3_stmt *s = NULL;
  bool row = true;
  size_t used = 0;
  cq_error_clear(&error);
  test_must(cq_desk_prepare(&w->desk, &s,
                            "SELECT instance, edited, fork IS NOT NULL, voided FROM visit WHERE length(instance) = 1 "
                            "ORDER BY instance",
                            &error),
            &error);
  for (out[0] = '\0';;) {
    test_must(cq_desk_step(&w->desk, s, &row, &error), &error);
    if (!row) break;
    used += (size_t)snprintf(out + used, 200 - used, "%s%d%s%s ", (const char *)sqlite3_column_text(s, 0),
                             sqlite3_column_int(s, 1), sqlite3_column_int(s, 2) ? "!" : "",
                             sqlite3_column_int(s, 3) ? "-" : "");
  }
  sqlite3_finalize(s);
  return out;
}

static void order(world *w, cq_order_kind kind, const cq_hash *target) {
  cq_error error;
  cq_order made = {.kind = kind, .by = CQ_STR("x"), .targets = target, .target_count = 1};
  cq_error_clear(&error);
  test_must(cq_derive_sign(&w->desk, &made, NULL, NULL, &error), &error);
}

static void anew(world *w) {
  cq_error error;
  size_t records;
  cq_error_clear(&error);
  test_must(cq_derive_rebuild(&w->desk, &records, &error), &error);
}

/* A is corrected by B and by C, B by D. */
enum { A, B, C, D, VERSIONS };

static void build_versions(world *w, cq_buf bytes[VERSIONS], cq_hash names[VERSIONS]) {
  static const int parent[VERSIONS] = {-1, A, A, B};
  static const char *const sex[VERSIONS] = {"m", "h", "h", "x"};
  for (int i = 0; i < VERSIONS; i++) {
    char id[2] = {(char)('A' + i), '\0'}, xml[400];
    snprintf(xml, sizeof xml,
             "<data id=\"f\" version=\"1\"><p><sexo>%s</sexo></p><meta><instanceID>%s</instanceID><entity "
             "dataset=\"tdd\" id=\"cccccccc-0000-4000-8000-000000000003\" create=\"1\"><label>%s</label></entity>"
             "</meta></data>",
             sex[i], id, id);
    bytes[i] = (cq_buf){0};
    build(w, 0, id, xml, parent[i] < 0 ? NULL : &names[parent[i]], CQ_RESULT_COMPLETE, NULL, &bytes[i], &names[i]);
  }
}

/* In whatever order they come one of them counts, and the conflict is told until it is decided. */
static void one_version_counts_whatever_comes_first(void **state) {
  (void)state;
  static const int ways[][VERSIONS] = {{A, B, C, D}, {D, C, B, A}, {B, A, D, C}, {C, D, A, B}};
  static const char *const after[][VERSIONS] = {{"A0 ", "A1 B0 ", "A1 B2! C0! ", "A1 B1 C2! D0! "},
                                                {"D0 ", "C0 D0 ", "B1 C2! D0! ", "A1 B1 C2! D0! "},
                                                {"B0 ", "A1 B0 ", "A1 B1 D0 ", "A1 B1 C2! D0! "},
                                                {"C0 ", "C0 D0 ", "A1 C0 D0 ", "A1 B1 C2! D0! "}};
  char text[200];
  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
    char home[16];
    snprintf(home, sizeof home, "versions%zu", way);
    world *w = world_new(home);
    cq_buf bytes[VERSIONS];
    cq_hash names[VERSIONS];
    build_versions(w, bytes, names);
    for (int i = 0; i < VERSIONS; i++) {
      put(w, &bytes[ways[way][i]], &names[ways[way][i]]);
      if (strcmp(counting(w, text), after[way][i]) != 0) fail_msg("way %zu, %d: %s", way, i, text);
    }
    anew(w);
    assert_string_equal(counting(w, text), "A1 B1 C2! D0! ");
    if (way == 0) { /* voided, what it corrected counts again */
      order(w, CQ_ORDER_VOID, &names[D]);
      assert_string_equal(counting(w, text), "A1 B2! C0! D0- ");
      order(w, CQ_ORDER_VOID, &names[C]);
      assert_string_equal(counting(w, text), "A1 B0 C0- D0- ");
      order(w, CQ_ORDER_VOID, &names[B]);
      assert_string_equal(counting(w, text), "A0 B0- C0- D0- ");
    } else if (way == 1) { /* the correction of one that is voided counts, and what that corrected does not */
      order(w, CQ_ORDER_VOID, &names[B]);
      assert_string_equal(counting(w, text), "A1 B1- C2! D0! ");
      order(w, CQ_ORDER_VOID, &names[C]);
      assert_string_equal(counting(w, text), "A1 B1- C0- D0 ");
    } else if (way == 2) {
      order(w, CQ_ORDER_ERASE, &names[C]);
      assert_string_equal(counting(w, text), "A1 B1 D0 ");
      order(w, CQ_ORDER_ERASE, &names[D]);
      assert_string_equal(counting(w, text), "A1 B0 ");
    }
    cq_hash before = cq_hash_of(text, strlen(counting(w, text)));
    anew(w);
    cq_hash again = cq_hash_of(text, strlen(counting(w, text)));
    assert_true(cq_hash_equal(&before, &again));
    for (int i = 0; i < VERSIONS; i++) cq_buf_fini(&bytes[i]);
    world_free(w);
  }
}

static void sex_of(world *w, const char *sex) {
  cq_error error;
  size_t unreadable;
  int64_t count;
  char sql[200];
  cq_error_clear(&error);
  test_must(cq_entities_update(&w->desk, &unreadable, &error), &error);
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM entity_property WHERE id LIKE 'cccc%%' AND name = 'sexo' AND value = '%s'", sex);
  test_must(cq_desk_number(&w->desk, sql, 0, &count, &error), &error);
  if (count != 1) fail_msg("not %s", sex);
}

/* What an interview said before it was corrected is gone from persons; what a later one said stays. */
static void persons_follow_the_version_that_counts(void **state) {
  (void)state;
  world *w = world_new("persons");
  cq_buf bytes[VERSIONS], later = {0};
  cq_hash names[VERSIONS], name;
  build_versions(w, bytes, names);
  put(w, &bytes[A], &names[A]);
  sex_of(w, "m");
  put(w, &bytes[B], &names[B]);
  sex_of(w, "h");
  order(w, CQ_ORDER_VOID, &names[B]);
  sex_of(w, "m");
  /* finished after A, and before its correction */
  w->sequence -= 3;
  build(w, 0, "Z",
        "<data id=\"f\" version=\"1\"><p><sexo>z</sexo></p><meta><instanceID>Z</instanceID><entity dataset=\"tdd\" "
        "id=\"cccccccc-0000-4000-8000-000000000003\" create=\"1\"><label>Z</label></entity></meta></data>",
        NULL, CQ_RESULT_COMPLETE, NULL, &later, &name);
  put(w, &later, &name);
  sex_of(w, "z");
  put(w, &bytes[D], &names[D]); /* corrects the voided one */
  sex_of(w, "z");
  cq_buf_fini(&later);
  for (int i = 0; i < VERSIONS; i++) cq_buf_fini(&bytes[i]);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_of_all_versions),
      cmocka_unit_test(stata_reads_it),
      cmocka_unit_test(entities_follow_records),
      cmocka_unit_test(who_left_left_whatever_comes_first),
      cmocka_unit_test(one_version_counts_whatever_comes_first),
      cmocka_unit_test(persons_follow_the_version_that_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
