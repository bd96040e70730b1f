/* SPDX-License-Identifier: Apache-2.0 */
/* Corrections of finished interviews: what the new record says, what the laptop's lists become, and that nothing is
 * lost of either record whatever happens on the way. */
#include "collector/correct.h"
#include "chasqui/file.h"
#include "collector/agenda.h"
#include "collector/collector.h"
#include "collector/roster.h"
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FORMS "forms/programmes/ici/"
#define PERSON "4281da78-401d-4bb0-8c75-c2bae4cab76e"
#define OTHER "e1ade04c-faa1-4668-8646-9dd4449d346e" /* of another district */
#define DAY INT64_C(86400000)

enum { FORM_COUNT = 1, LISTS = 4 };
static const char *const list_names[LISTS] = {"tdd.csv", "organizacion.csv", "ccpp.csv", "temporadas.csv"};

typedef struct field {
  office *office;
  cq_bundle_form form;
  cq_bundle_file lists[LISTS];
  cq_buf xml, csv[LISTS];
  /* the record made last */
  cq_arena *arena;
  cq_buf bytes, text;
  cq_record record;
  cq_hash name;
} field;

static void field_begin(field *it, const char *path, const char *id, cq_mode mode) {
  *it = (field){.arena = cq_arena_new(0)};
  it->form = way_form(path, id, &it->xml);
  it->office = office_new(mode, &it->form, FORM_COUNT);
  for (size_t i = 0; i < LISTS; i++) {
    char file[64];
    snprintf(file, sizeof file, FORMS "%s", list_names[i]);
    assert_int_equal(cq_file_read(file, 1 << 20, &it->csv[i], NULL), CQ_OK);
    it->lists[i] = (cq_bundle_file){.name = cq_str_from(list_names[i]), .bytes = cq_buf_str(&it->csv[i])};
  }
  it->office->files = it->lists;
  it->office->file_count = LISTS;
  office_join(it->office);
}

static void seasons_begin(field *it) {
  field_begin(it, FORMS "b_seguimiento_tdd.xlsx", "b_seguimiento_tdd", CQ_MODE_REAL);
}

static void field_end(field *it) {
  office_free(it->office);
  for (size_t i = 0; i < LISTS; i++) cq_buf_fini(&it->csv[i]);
  cq_buf_fini(&it->xml);
  cq_buf_fini(&it->bytes);
  cq_buf_fini(&it->text);
  cq_arena_free(it->arena);
}

static void read_record(field *it, cq_laptop *laptop) {
  cq_buf_reset(&it->bytes);
  assert_int_equal(cq_store_record_bytes(laptop->store, it->name.at, &it->bytes, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&it->record, cq_buf_str(&it->bytes), it->arena, NULL), CQ_OK);
}

/* Answers and finishes what was begun, as complete. */
static cq_status finish(field *it, cq_laptop *laptop, cq_filling *filling, const char *json, cq_error *error) {
  cq_answers_report report;
  cq_violations faults;
  assert_int_equal(cq_answers_apply(filling->interview, cq_str_from(json), it->arena, &report, NULL), CQ_OK);
  for (size_t i = 0; i < report.count; i++)
    fail_msg("refused: %.*s", (int)report.refusals[i].ref.size, report.refusals[i].ref.at);
  assert_int_equal(cq_interview_violations(filling->interview, it->arena, &faults, NULL), CQ_OK);
  for (size_t i = 0; i < faults.count; i++)
    fail_msg("fault: %.*s", (int)faults.items[i].ref.size, faults.items[i].ref.at);
  cq_status status = cq_filling_finalise(filling, CQ_RESULT_COMPLETE, CQ_STR(""), &it->name, error);
  cq_filling_end(filling);
  if (status == CQ_OK) read_record(it, laptop);
  return status;
}

static cq_hash fill(field *it, const char *json) {
  cq_laptop laptop;
  cq_filling filling;
  cq_hash form = cq_hash_of(it->form.xml.at, it->form.xml.size);
  it->office->at.utc_ms += 600000;
  way_open(it->office, &laptop);
  assert_int_equal(cq_filling_begin(&filling, &laptop, &form, false, NULL), CQ_OK);
  assert_int_equal(finish(it, &laptop, &filling, json, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  return it->name;
}

/* The same three days later, of a record. */
static cq_status correct(field *it, const cq_hash *parent, const char *json, cq_error *error) {
  cq_laptop laptop;
  cq_filling filling;
  it->office->at.utc_ms += 3 * DAY;
  way_open(it->office, &laptop);
  cq_status status = cq_filling_correct(&filling, &laptop, parent->at, false, error);
  if (status == CQ_OK) status = finish(it, &laptop, &filling, json, error);
  cq_laptop_close(&laptop);
  return status;
}

static void corrects(field *it, const cq_hash *parent, const char *json) {
  cq_error error;
  cq_error_clear(&error);
  if (correct(it, parent, json, &error) != CQ_OK) fail_msg("%s", error.code);
}

static const char *words(field *it, cq_str of) {
  cq_buf_reset(&it->text);
  cq_buf_add_str(&it->text, of);
  return it->text.at ? it->text.at : "";
}

static void holds(field *it, const char *part) {
  if (!strstr(words(it, it->record.instance_xml), part)) fail_msg("no %s in %s", part, it->text.at);
}

static void trail_holds(field *it, const char *part) {
  if (!strstr(words(it, it->record.audit), part)) fail_msg("no %s in %s", part, it->text.at);
}

/* A column of a person's row in the laptop's list. */
static const char *listed(field *it, const char *person, const char *column) {
  cq_laptop laptop;
  cq_buf list = {0};
  size_t at = 0;
  way_open(it->office, &laptop);
  assert_int_equal(cq_roster_list(laptop.store, "tdd.csv", &list, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  char *line = strtok(list.at, "\r\n");
  const char *found = strstr(line, column);
  for (const char *c = found; c && c > line; c--) at += c[-1] == ',';
  while (line && strncmp(line, person, strlen(person)) != 0) line = strtok(NULL, "\r\n");
  assert_non_null(line);
  cq_buf_reset(&it->text);
  for (; found && *line && (at > 0 || *line != ','); line++) {
    if (at == 0) cq_buf_add_char(&it->text, *line);
    at -= *line == ',';
  }
  cq_buf_fini(&list);
  return it->text.at ? it->text.at : "";
}

static bool is_due(field *it, const char *code) {
  cq_laptop laptop;
  cq_agenda_visit *visits;
  size_t count;
  bool found = false;
  way_open(it->office, &laptop);
  assert_int_equal(cq_agenda(&laptop, it->arena, &visits, &count, NULL), CQ_OK);
  for (size_t i = 0; i < count; i++) found |= cq_str_is(visits[i].label, code);
  cq_laptop_close(&laptop);
  return found;
}

static cq_status see_records(void *context, const cq_store_record *record) {
  bool corrects = record->parent[0] || record->parent[1];
  cq_buf_addf(context, "%s%s ", corrects ? "correction" : "record", record->corrected ? " corrected" : "");
  return CQ_OK;
}

static const char *records(field *it) {
  cq_laptop laptop;
  way_open(it->office, &laptop);
  cq_buf_reset(&it->text);
  assert_int_equal(cq_store_records(laptop.store, -1, see_records, &it->text, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  return it->text.at ? it->text.at : "";
}

#define VISIT "\"distrito\":\"210708\",\"tdd\":\"" PERSON "\",\"es_el\":\"OK\","
#define WHOLE                                                                                                          \
  "\"resultado\":\"completa\",\"intentos\":1,\"consiente\":\"si\",\"activ\":[\"quinua\"],"                             \
  "\"fuente\":[{\"f1\":0,\"f2\":100,\"f3\":200,\"f_cant\":{\"missing\":\"ns\"},\"f_costo\":0,\"f_merc\":"              \
  "\"acopiador\"}],\"labores\":[\"siembra\"],\"fies_30\":\"no\",\"horas\":48,\"evento\":\"no\",\"celular\":"           \
  "{\"missing\":\"na\"}"

static void a_correction_says_what_it_changed_and_keeps_the_rest(void **state) {
  (void)state;
  field it;
  char name[65], line[200];
  cq_buf before = {0}, again = {0};
  cq_arena *arena = cq_arena_new(0);
  cq_record parent;
  cq_laptop laptop;
  seasons_begin(&it);
  cq_hash first = fill(&it, "{" VISIT WHOLE "}");
  cq_buf_add_str(&before, cq_buf_str(&it.bytes));
  assert_int_equal(cq_record_parse(&parent, cq_buf_str(&before), arena, NULL), CQ_OK);
  const cq_envelope *was = &parent.envelope, *is = &it.record.envelope;
  corrects(&it, &first, "{\"horas\":40}");
  assert_int_equal(is->parent_count, 1);
  assert_memory_equal(is->parents[0].at, first.at, 32);
  assert_false(cq_str_equal(is->instance_id, was->instance_id));
  const char *orx = strstr(words(&it, it.record.instance_xml), "deprecatedID>");
  assert_non_null(orx);
  assert_int_equal(strncmp(orx + 13, was->instance_id.at, was->instance_id.size), 0);
  /* the visit is the visit: its day, season, person, consent */
  assert_int_equal(cq_date_to_day(is->working_date), cq_date_to_day(was->working_date));
  assert_true(is->finished_utc_ms > was->finished_utc_ms + 2 * DAY);
  assert_true(cq_str_equal(is->season, was->season) && was->season.size > 0);
  assert_true(cq_str_equal(is->zone, was->zone));
  assert_int_equal(is->calendar_version, was->calendar_version);
  assert_int_equal(is->month_count, was->month_count);
  assert_memory_equal(is->months, was->months, was->month_count * sizeof *was->months);
  assert_int_equal(is->subject_count, 1);
  assert_true(cq_str_equal(is->subjects[0].id, was->subjects[0].id));
  assert_int_equal(is->consent.state, was->consent.state);
  assert_true(cq_hash_equal(&is->form_hash, &was->form_hash));
  assert_true(is->sequence > was->sequence);
  /* what the list said then, and not what the visit itself has made of it since */
  holds(&it, "<horas>40</horas>");
  holds(&it, "<p_ult>2012-08-1");
  holds(&it, "baseVersion=\"1\"");
  snprintf(line, sizeof line, "begin,,%lld,%s,,T-01\r\nchange,/data/g_todo/horas,", (long long)it.office->at.utc_ms,
           cq_hash_hex(&first, name));
  trail_holds(&it, line);
  trail_holds(&it, ",48,40,T-01\r\n");
  assert_null(strstr(it.text.at, "fies_30"));
  /* the record is as it was */
  way_open(it.office, &laptop);
  assert_int_equal(cq_store_record_bytes(laptop.store, first.at, &again, NULL), CQ_OK);
  assert_true(cq_str_equal(cq_buf_str(&again), cq_buf_str(&before)));
  cq_laptop_close(&laptop);
  assert_string_equal(records(&it), "record corrected correction ");
  /* the correction can be corrected */
  cq_hash second = it.name;
  corrects(&it, &second, "{\"horas\":41}");
  assert_memory_equal(is->parents[0].at, second.at, 32);
  assert_string_equal(records(&it), "record corrected correction corrected correction ");
  cq_arena_free(arena);
  cq_buf_fini(&before);
  cq_buf_fini(&again);
  field_end(&it);
}

static void the_list_follows_what_was_corrected(void **state) {
  (void)state;
  field it;
  char season[16];
  seasons_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  assert_string_equal(listed(&it, PERSON, "ultima_temporada"), "2011-T4");
  assert_true(is_due(&it, "T210708-dc98839b7d"));
  cq_hash first = fill(&it, "{" VISIT WHOLE "}");
  snprintf(season, sizeof season, "%s", listed(&it, PERSON, "ultima_temporada"));
  assert_string_equal(season, "2012-T1");
  assert_string_equal(listed(&it, PERSON, "ing_mes_ult"), "100");
  assert_false(is_due(&it, "T210708-dc98839b7d"));
  /* an answer: what is saved of it */
  corrects(&it, &first, "{\"/data/g_todo/fuente[1]/g_f/f3\":500}");
  assert_string_equal(listed(&it, PERSON, "ing_mes_ult"), "200");
  assert_string_equal(listed(&it, PERSON, "ultima_temporada"), "2012-T1");
  assert_string_equal(listed(&it, PERSON, "__version"), "3");
  /* somebody who was not found after all: the list is as before the visit, which is due again */
  cq_hash second = it.name;
  corrects(&it, &second, "{\"resultado\":\"no_ubicado\"}");
  assert_int_equal(it.record.envelope.result, CQ_RESULT_PARTIAL);
  assert_string_equal(listed(&it, PERSON, "ultima_temporada"), "2011-T4");
  assert_string_equal(listed(&it, PERSON, "ing_mes_ult"), "");
  assert_true(is_due(&it, "T210708-dc98839b7d"));
  field_end(&it);
}

/* The visit was to somebody else; and what a later visit said stands. */
static void the_other_person_gets_it_and_newer_visits_stand(void **state) {
  (void)state;
  field it;
  seasons_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000);
  cq_hash first = fill(&it, "{" VISIT WHOLE "}");
  corrects(&it, &first, "{\"distrito\":\"210806\",\"tdd\":\"" OTHER "\",\"es_el\":\"OK\"," WHOLE "}");
  assert_true(cq_str_is(it.record.envelope.subjects[0].id, "uuid:" OTHER));
  assert_string_equal(listed(&it, PERSON, "ultima_temporada"), "2011-T4");
  assert_string_equal(listed(&it, OTHER, "ultima_temporada"), "2012-T1");
  cq_hash second = it.name;
  it.office->at.utc_ms += 100 * DAY;
  fill(&it, "{\"distrito\":\"210806\",\"tdd\":\"" OTHER "\",\"es_el\":\"OK\"," WHOLE "}");
  assert_string_equal(listed(&it, OTHER, "ultima_temporada"), "2012-T2");
  corrects(&it, &second, "{\"/data/g_todo/fuente[1]/g_f/f3\":800}");
  assert_string_equal(listed(&it, OTHER, "ultima_temporada"), "2012-T2");
  assert_true(cq_str_is(it.record.envelope.season, "2012-T1"));
  field_end(&it);
}

static void what_cannot_be_corrected_is_told(void **state) {
  (void)state;
  field it;
  cq_error error;
  cq_laptop laptop;
  seasons_begin(&it);
  cq_error_clear(&error);
  cq_hash first = fill(&it, "{" VISIT WHOLE "}");
  assert_int_equal(correct(&it, &first, "{\"horas\":48}", &error), CQ_REFUSED);
  assert_string_equal(error.code, "collector.edit.same");
  assert_string_equal(records(&it), "record ");
  way_open(it.office, &laptop);
  assert_int_equal(sqlite3_exec(cq_vault_db(cq_store_vault(laptop.store)),
                                "PRAGMA foreign_keys=OFF; UPDATE form SET hash = zeroblob(32)", NULL, NULL, NULL),
                   SQLITE_OK);
  cq_laptop_close(&laptop);
  assert_int_equal(correct(&it, &first, "{\"horas\":40}", &error), CQ_REFUSED);
  assert_string_equal(error.code, "collector.edit.form");
  assert_string_equal(error.arg[0], "b_seguimiento_tdd");
  way_open(it.office, &laptop);
  assert_int_equal(
      sqlite3_exec(cq_vault_db(cq_store_vault(laptop.store)), "DELETE FROM record_bytes", NULL, NULL, NULL), SQLITE_OK);
  cq_laptop_close(&laptop);
  assert_int_equal(correct(&it, &first, "{\"horas\":40}", &error), CQ_REFUSED);
  assert_string_equal(error.code, "collector.edit.purged");
  field_end(&it);
}

/* --- on the screen --- */

#define TO_FINISHED "<Down><Down><Enter>"
#define CORRECTING TO_FINISHED "<F6>"

static void visit_begin(field *it, cq_mode mode) {
  field_begin(it, "tests/collector/visita", "visita", mode);
  way_answers(it->office, "tests/collector/visita.json");
  it->office->at.utc_ms += DAY;
}

static cq_status keep_names(void *context, const cq_store_record *record) {
  field *it = context;
  memcpy(it->name.at, record->name, 32);
  return CQ_OK;
}

static void newest(field *it) {
  cq_laptop laptop;
  way_open(it->office, &laptop);
  assert_int_equal(cq_store_records(laptop.store, -1, keep_names, it, NULL), CQ_OK);
  read_record(it, &laptop);
  cq_laptop_close(&laptop);
}

/* To a question by its text, another answer, to the end. */
#define CHANGE "<Esc><F2>llama<Enter><Ctrl-U>Berta Inventada<Enter><F4><Enter>"

typedef struct killer {
  cq_backend *recorder; /* first */
  long keys_left;
} killer;

static void kill_self(void *context, cq_key key) {
  (void)key;
  killer *it = context;
  if (it->keys_left-- == 0) raise(SIGKILL);
}

static void run_and_kill(field *it, const char *keys, long n) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    killer context = {.keys_left = n};
    way_keys(it->office, keys, 24, 80, kill_self, &context);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static cq_status count_drafts(void *context, const cq_store_draft *draft) {
  (void)draft;
  ++*(int *)context;
  return CQ_OK;
}

static int drafts(field *it) {
  cq_laptop laptop;
  int count = 0;
  way_open(it->office, &laptop);
  assert_int_equal(cq_store_drafts(laptop.store, count_drafts, &count, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  return count;
}

/* Killed before each key: the record is whole, and the correction is either not begun, a draft, or finished. */
static void being_killed_loses_neither_record(void **state) {
  (void)state;
  static const char keys[] = CORRECTING CHANGE;
  long cuts = 0;
  for (long n = 3; *way_after_keys(keys, n); n += 4, cuts++) {
    field it;
    visit_begin(&it, n % 8 == 3 ? CQ_MODE_REAL : CQ_MODE_PRACTICE);
    newest(&it);
    cq_hash first = it.name;
    cq_buf before = {0};
    cq_buf_add_str(&before, cq_buf_str(&it.bytes));
    run_and_kill(&it, keys, n);
    assert_string_equal(records(&it), "record ");
    /* the same once more goes on with what was begun */
    way_keys(it.office, keys, 24, 80, NULL, NULL);
    newest(&it);
    assert_int_equal(it.record.envelope.parent_count, 1);
    assert_memory_equal(it.record.envelope.parents[0].at, first.at, 32);
    holds(&it, "<nombre>Berta Inventada</nombre>");
    trail_holds(&it, "\r\nchange,/data/nombre,");
    trail_holds(&it, ",Ana Ñahui,Berta Inventada,T-01\r\n");
    assert_int_equal(drafts(&it), 0);
    it.name = first;
    cq_laptop laptop;
    way_open(it.office, &laptop);
    read_record(&it, &laptop);
    assert_true(cq_str_equal(cq_buf_str(&it.bytes), cq_buf_str(&before)));
    cq_laptop_close(&laptop);
    cq_buf_fini(&before);
    field_end(&it);
  }
  assert_true(cuts > 4);
}

/* Left as a draft, gone on with, thrown away; a second correction only where it is asked for. */
static void a_second_correction_is_a_choice(void **state) {
  (void)state;
  field it;
  visit_begin(&it, CQ_MODE_REAL);
  way_keys(it.office, CORRECTING "<Esc><Esc>", 24, 80, NULL, NULL);
  assert_int_equal(drafts(&it), 1);
  way_keys(it.office, CORRECTING "<Esc><F4><Up><Up><Up><Up><Down><Down><Down><Down><Enter><Down><Enter>", 24, 80, NULL,
           NULL);
  assert_int_equal(drafts(&it), 0);
  assert_string_equal(records(&it), "record ");
  way_keys(it.office, CORRECTING CHANGE, 24, 80, NULL, NULL);
  newest(&it);
  cq_hash second = it.name;
  assert_string_equal(records(&it), "record corrected correction ");
  /* of the old one, which stands below: no; its newest correction; itself all the same */
  it.office->at.utc_ms += DAY;
  way_keys(it.office, TO_FINISHED "<Down><F6><Enter>", 24, 80, NULL, NULL);
  assert_int_equal(drafts(&it), 0);
  way_keys(it.office, TO_FINISHED "<Down><F6><Down><Enter><Esc><F2>edad<Enter><Ctrl-U>50<Enter><F4><Enter>", 24, 80,
           NULL, NULL);
  newest(&it);
  assert_memory_equal(it.record.envelope.parents[0].at, second.at, 32);
  holds(&it, "<m_edad>50</m_edad>");
  holds(&it, "Berta Inventada");
  it.office->at.utc_ms += DAY;
  /* by lines: the first of the list, all the same */
  way_lines(it.office, "3\n1\n2\n:go nombre\nCarla Inventada\n:review\nc\n0\n");
  newest(&it);
  assert_memory_not_equal(it.record.envelope.parents[0].at, second.at, 32);
  holds(&it, "<nombre>Carla Inventada</nombre>");
  assert_string_equal(records(&it), "record corrected correction corrected correction correction ");
  field_end(&it);
}

/* --- files --- */

static cq_status count_files(void *context, const cq_store_attachment *file) {
  cq_buf_addf(context, "%.*s ", (int)file->media_type.size, file->media_type.at);
  return CQ_OK;
}

static void files_stay_with_both(void **state) {
  (void)state;
  field it;
  cq_laptop laptop;
  cq_filling filling;
  cq_set_outcome outcome;
  cq_entry node;
  cq_hash form, first;
  field_begin(&it, "tests/collector/fotos", "fotos", CQ_MODE_REAL);
  form = cq_hash_of(it.form.xml.at, it.form.xml.size);
  way_open(it.office, &laptop);
  assert_int_equal(cq_filling_begin(&filling, &laptop, &form, false, NULL), CQ_OK);
  assert_int_equal(cq_interview_entry(filling.interview, CQ_STR("casa"), &node, NULL), CQ_OK);
  assert_int_equal(
      cq_filling_attach(&filling, node, CQ_STR("tests/collector/files/casa.png"), NULL, false, &outcome, NULL), CQ_OK);
  assert_int_equal(cq_filling_finalise(&filling, CQ_RESULT_PARTIAL, CQ_STR(""), &first, NULL), CQ_OK);
  cq_filling_end(&filling);
  /* another answer: the photo is the correction's too; it is replaced: the record keeps its own */
  for (int replaced = 0; replaced < 2; replaced++) {
    assert_int_equal(cq_filling_correct(&filling, &laptop, first.at, true, NULL), CQ_OK);
    assert_int_equal(filling.file_count, 1);
    int64_t draft = filling.draft;
    cq_filling_end(&filling);
    assert_int_equal(cq_filling_resume(&filling, &laptop, draft, NULL), CQ_OK);
    assert_int_equal(filling.file_count, 1);
    assert_int_equal(cq_interview_entry(filling.interview, cq_str_from(replaced ? "casa" : "nombre"), &node, NULL),
                     CQ_OK);
    if (replaced)
      assert_int_equal(cq_filling_attach(&filling, node, CQ_STR("tests/collector/files/casa-patio.png"), NULL, false,
                                         &outcome, NULL),
                       CQ_OK);
    else
      assert_int_equal(cq_filling_set(&filling, node, CQ_STR("otra"), false, &outcome, NULL), CQ_OK);
    assert_int_equal(outcome.result, CQ_SET_ACCEPTED);
    assert_int_equal(cq_filling_finalise(&filling, CQ_RESULT_PARTIAL, CQ_STR(""), &it.name, NULL), CQ_OK);
    cq_filling_end(&filling);
    read_record(&it, &laptop);
    assert_int_equal(it.record.attachment_count, 1);
    cq_buf_reset(&it.text);
    assert_int_equal(cq_store_record_attachments(laptop.store, first.at, count_files, &it.text, NULL), CQ_OK);
    assert_int_equal(cq_store_record_attachments(laptop.store, it.name.at, count_files, &it.text, NULL), CQ_OK);
    assert_string_equal(it.text.at, "image/png image/png ");
  }
  cq_laptop_close(&laptop);
  field_end(&it);
}

int main(void) {
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_correction_says_what_it_changed_and_keeps_the_rest),
      cmocka_unit_test(the_list_follows_what_was_corrected),
      cmocka_unit_test(the_other_person_gets_it_and_newer_visits_stand),
      cmocka_unit_test(what_cannot_be_corrected_is_told),
      cmocka_unit_test(being_killed_loses_neither_record),
      cmocka_unit_test(a_second_correction_is_a_choice),
      cmocka_unit_test(files_stay_with_both),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
