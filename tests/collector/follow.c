/* SPDX-License-Identifier: Apache-2.0 */
/* The programme's baseline, and a season of the same person minutes later: preloaded from it, and what the envelopes
 * of both say of person, season, months and consent. */
#include "collector/follow.h"
#include "chasqui/file.h"
#include "collector/agenda.h"
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FORMS "forms/programmes/ici/"
#define ANSWERS "packaging/demo-interviews/"
#define PERSON "4281da78-401d-4bb0-8c75-c2bae4cab76e"

enum { BASELINE, SEASON, FORM_COUNT, LISTS = 4 };
static const char *const list_names[LISTS] = {"tdd.csv", "organizacion.csv", "ccpp.csv", "temporadas.csv"};

typedef struct field {
  office *office;
  cq_bundle_form forms[FORM_COUNT];
  cq_bundle_file lists[LISTS];
  cq_buf xml[FORM_COUNT], csv[LISTS];
  /* the record filled last */
  cq_arena *arena;
  cq_buf bytes;
  cq_record record;
} field;

static void field_begin(field *it) {
  *it = (field){.arena = cq_arena_new(0)};
  it->forms[BASELINE] = way_form(FORMS "a_linea_base_tdd.xlsx", "a_linea_base_tdd", &it->xml[BASELINE]);
  it->forms[SEASON] = way_form(FORMS "b_seguimiento_tdd.xlsx", "b_seguimiento_tdd", &it->xml[SEASON]);
  for (size_t i = 0; i < LISTS; i++) {
    char path[64];
    snprintf(path, sizeof path, FORMS "%s", list_names[i]);
    assert_int_equal(cq_file_read(path, 1 << 20, &it->csv[i], NULL), CQ_OK);
    it->lists[i] = (cq_bundle_file){.name = cq_str_from(list_names[i]), .bytes = cq_buf_str(&it->csv[i])};
  }
  it->office = office_new(CQ_MODE_REAL, it->forms, FORM_COUNT);
  it->office->files = it->lists;
  it->office->file_count = LISTS;
  office_join(it->office);
}

static void field_end(field *it) {
  office_free(it->office);
  for (size_t i = 0; i < FORM_COUNT; i++) cq_buf_fini(&it->xml[i]);
  for (size_t i = 0; i < LISTS; i++) cq_buf_fini(&it->csv[i]);
  cq_buf_fini(&it->bytes);
  cq_arena_free(it->arena);
}

/* Fills a form in, ten minutes after what was before. */
static void fill(field *it, size_t form, cq_str json, cq_result result) {
  cq_laptop laptop;
  cq_filling filling;
  cq_answers_report report;
  cq_violations faults;
  cq_hash name, hash = cq_hash_of(it->forms[form].xml.at, it->forms[form].xml.size);
  it->office->at.utc_ms += 600000;
  way_open(it->office, &laptop);
  cq_arena_reset(it->arena);
  assert_int_equal(cq_filling_begin(&filling, &laptop, &hash, false, NULL), CQ_OK);
  assert_int_equal(cq_answers_apply(filling.interview, json, it->arena, &report, NULL), CQ_OK);
  for (size_t i = 0; i < report.count; i++)
    fail_msg("refused: %.*s", (int)report.refusals[i].ref.size, report.refusals[i].ref.at);
  assert_int_equal(cq_interview_violations(filling.interview, it->arena, &faults, NULL), CQ_OK);
  for (size_t i = 0; i < faults.count; i++)
    fail_msg("fault: %.*s", (int)faults.items[i].ref.size, faults.items[i].ref.at);
  assert_int_equal(cq_filling_finalise(&filling, result, CQ_STR(""), &name, NULL), CQ_OK);
  cq_filling_end(&filling);
  cq_buf_reset(&it->bytes);
  assert_int_equal(cq_store_record_bytes(laptop.store, name.at, &it->bytes, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&it->record, cq_buf_str(&it->bytes), it->arena, NULL), CQ_OK);
  cq_laptop_close(&laptop);
}

static void fill_file(field *it, size_t form, const char *path) {
  cq_buf json = {0};
  assert_int_equal(cq_file_read(path, 1 << 20, &json, NULL), CQ_OK);
  fill(it, form, cq_buf_str(&json), CQ_RESULT_COMPLETE);
  cq_buf_fini(&json);
}

static void holds(const field *it, const char *part) {
  cq_buf xml = {0};
  cq_buf_add_str(&xml, it->record.instance_xml);
  if (!strstr(xml.at, part)) fail_msg("no %s in %s", part, xml.at);
  cq_buf_fini(&xml);
}

static void is_about_the_person(const field *it) {
  const cq_envelope *envelope = &it->record.envelope;
  assert_int_equal(envelope->subject_count, 1);
  assert_true(cq_str_is(envelope->subjects[0].dataset, "tdd"));
  assert_true(cq_str_is(envelope->subjects[0].id, "uuid:" PERSON));
}

static void has_months(const field *it, size_t count, int32_t first) {
  assert_int_equal(it->record.envelope.month_count, count);
  for (size_t i = 0; i < count; i++) assert_int_equal(it->record.envelope.months[i], first + (int32_t)i);
}

static void a_season_is_preloaded_from_the_baseline_of_minutes_ago(void **state) {
  (void)state;
  field it;
  field_begin(&it);
  const cq_envelope *envelope = &it.record.envelope;
  fill_file(&it, BASELINE, ANSWERS "1-mateo-base.json");
  is_about_the_person(&it);
  /* visited in August 2012: the twelve months that were closed then */
  assert_true(cq_str_is(envelope->season, ""));
  has_months(&it, 12, 2011 * 12 + 7);
  assert_int_equal(envelope->consent.state, CQ_CONSENT_GIVEN);
  assert_true(cq_str_is(envelope->consent.how, "oral"));
  assert_true(cq_str_is(envelope->consent.language, "es"));
  assert_false(cq_hash_is_zero(&envelope->consent.text_hash));
  /* activities and income are the baseline's, not the list's "papa maiz tejido" and 337.50 */
  fill_file(&it, SEASON, ANSWERS "2-mateo-season.json");
  is_about_the_person(&it);
  holds(&it, "<p_act>quinua fibra</p_act><p_base>169.17</p_base>");
  holds(&it, "<activ>quinua fibra</activ>");
  holds(&it, "baseVersion=\"2\"");
  assert_true(cq_str_is(envelope->season, "2011-T4"));
  assert_int_equal(envelope->calendar_version, 1);
  assert_true(cq_str_is(envelope->zone, "*")); /* of the standard calendar */
  has_months(&it, 3, 2012 * 12 + 4);
  assert_int_equal(envelope->consent.state, CQ_CONSENT_GIVEN);
  /* the season before, made good on the same day: what the first visit did not say anew is still the baseline's */
  fill(&it, SEASON,
       CQ_STR("{\"distrito\":\"210708\",\"tdd\":\"" PERSON "\",\"es_el\":\"OK\",\"temporada\":\"2011-T3\","
              "\"resultado\":\"rechazo\",\"intentos\":2}"),
       CQ_RESULT_COMPLETE);
  is_about_the_person(&it);
  holds(&it, "<p_act>quinua fibra</p_act><p_base>169.17</p_base><p_ult>2012-08-20<");
  holds(&it, "baseVersion=\"3\"");
  assert_true(cq_str_is(envelope->season, "2011-T3"));
  assert_int_equal(envelope->result, CQ_RESULT_REFUSED);
  field_end(&it);
}

static void who_refuses_or_is_not_found_is_named_all_the_same(void **state) {
  (void)state;
  field it;
  field_begin(&it);
  fill(&it, BASELINE,
       CQ_STR("{\"region\":\"21\",\"provincia\":\"2107\",\"distrito\":\"210708\",\"ccpp\":\"2107080028\","
              "\"muestra_como\":\"sorteado\",\"tdd\":\"" PERSON "\",\"lengua_ent\":\"cas\",\"consiente\":\"no\"}"),
       CQ_RESULT_COMPLETE);
  is_about_the_person(&it);
  assert_int_equal(it.record.envelope.result, CQ_RESULT_REFUSED);
  assert_int_equal(it.record.envelope.consent.state, CQ_CONSENT_REFUSED);
  fill(&it, SEASON,
       CQ_STR("{\"distrito\":\"210708\",\"tdd\":\"" PERSON "\",\"es_el\":\"OK\",\"fecha\":\"2012-08-20\","
              "\"resultado\":\"no_ubicado\",\"intentos\":3}"),
       CQ_RESULT_COMPLETE);
  is_about_the_person(&it);
  assert_int_equal(it.record.envelope.result, CQ_RESULT_PARTIAL);
  assert_true(cq_str_is(it.record.envelope.reason, "no_ubicado"));
  fill(&it, SEASON,
       CQ_STR("{\"distrito\":\"210708\",\"tdd\":\"" PERSON "\",\"es_el\":\"OK\",\"fecha\":\"2012-08-20\","
              "\"resultado\":\"completa\",\"intentos\":3,\"consiente\":\"no\",\"retira\":\"si\"}"),
       CQ_RESULT_COMPLETE);
  is_about_the_person(&it);
  assert_int_equal(it.record.envelope.result, CQ_RESULT_WITHDRAWN);
  assert_int_equal(it.record.envelope.consent.state, CQ_CONSENT_WITHDRAWN);
  field_end(&it);
}

static bool is_due(field *it, const char *code) {
  cq_laptop laptop;
  cq_agenda_visit *visits;
  size_t count;
  bool found = false;
  way_open(it->office, &laptop);
  assert_int_equal(cq_agenda(&laptop, it->arena, &visits, &count, NULL), CQ_OK);
  for (size_t i = 0; i < count; i++) {
    if (!cq_str_is(visits[i].label, code)) continue;
    assert_string_equal(visits[i].season, "2012-T1");
    found = true;
  }
  cq_laptop_close(&laptop);
  return found;
}

/* An absence is an attempt, and the visit stays due; who died or moved away is not asked for again. */
static void an_absence_stays_due_and_who_left_does_not(void **state) {
  (void)state;
  static const char *const results[] = {"no_ubicado\"", "fallecio\",\"f_baja\":\"2012-09-03\""};
  field it;
  field_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  assert_true(is_due(&it, "T210708-dc98839b7d"));
  for (size_t i = 0; i < 2; i++) {
    char json[256];
    snprintf(json, sizeof json,
             "{\"distrito\":\"210708\",\"tdd\":\"" PERSON "\",\"es_el\":\"OK\",\"resultado\":\"%s,\"intentos\":1}",
             results[i]);
    fill(&it, SEASON, cq_str_from(json), CQ_RESULT_COMPLETE);
    assert_true(cq_str_is(it.record.envelope.season, "2012-T1"));
    assert_true(cq_str_is(it.record.envelope.reason, i ? "fallecio" : "no_ubicado"));
    if (i) holds(&it, "<baja>2012-09-03</baja>");
    assert_int_equal(is_due(&it, "T210708-dc98839b7d"), i == 0);
  }
  field_end(&it);
}

typedef struct seen_draft {
  int64_t id;
  char label[128];
} seen_draft;

static cq_status keep_draft(void *context, const cq_store_draft *draft) {
  seen_draft *seen = context;
  seen->id = draft->id;
  snprintf(seen->label, sizeof seen->label, "%.*s", (int)draft->label.size, draft->label.at);
  return CQ_OK;
}

static void is_at_the_person(field *it, const char *label) {
  cq_laptop laptop;
  cq_filling filling;
  cq_page page;
  cq_prompt prompt;
  cq_buf shown = {0};
  cq_entry district;
  seen_draft draft = {0};
  char called[128];
  way_open(it->office, &laptop);
  assert_int_equal(cq_store_drafts(laptop.store, keep_draft, &draft, NULL), CQ_OK);
  /* the list of drafts tells whose it is */
  snprintf(called, sizeof called, "%s 2012-T1 · ", label);
  assert_memory_equal(draft.label, called, strlen(called));
  assert_int_equal(cq_filling_resume(&filling, &laptop, draft.id, NULL), CQ_OK);
  assert_true(cq_str_is(cq_form_id(filling.form), "b_seguimiento_tdd"));
  assert_int_equal(cq_interview_page(filling.interview, it->arena, &page, NULL), CQ_OK);
  assert_int_equal(cq_interview_prompt(filling.interview, page.nodes[0], it->arena, &prompt, NULL), CQ_OK);
  assert_true(cq_str_is(prompt.state.field->name, "tdd"));
  assert_int_equal(cq_filling_shown(&filling, &prompt, it->arena, &shown, NULL), CQ_OK);
  assert_true(cq_str_is(cq_buf_str(&shown), label));
  assert_int_equal(cq_interview_entry(filling.interview, CQ_STR("distrito"), &district, NULL), CQ_OK);
  assert_int_equal(cq_interview_value(filling.interview, district).size, 6);
  assert_int_equal(cq_filling_discard(&filling, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  cq_buf_fini(&shown);
}

static cq_status see_name(void *context, const cq_store_record *record) {
  memcpy(((cq_hash *)context)->at, record->name, sizeof(cq_hash));
  return CQ_OK;
}

static void ended_as(field *it, cq_result result, const char *reason) {
  cq_laptop laptop;
  cq_hash name;
  it->office->at.utc_ms += 600000;
  way_open(it->office, &laptop);
  assert_int_equal(cq_store_records(laptop.store, -1, see_name, &name, NULL), CQ_OK);
  cq_buf_reset(&it->bytes);
  assert_int_equal(cq_store_record_bytes(laptop.store, name.at, &it->bytes, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&it->record, cq_buf_str(&it->bytes), it->arena, NULL), CQ_OK);
  assert_int_equal(it->record.envelope.result, result);
  assert_true(cq_str_is(it->record.envelope.reason, reason));
  cq_laptop_close(&laptop);
}

/* On the screen and by lines: the interview stands at the person, chosen from the agenda. */
static void a_due_visit_begins_with_its_person(void **state) {
  (void)state;
  field it;
  char label[64];
  cq_laptop laptop;
  cq_agenda_visit *visits;
  size_t count;
  field_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  way_open(it.office, &laptop);
  assert_int_equal(cq_agenda(&laptop, it.arena, &visits, &count, NULL), CQ_OK);
  assert_true(count > 2);
  snprintf(label, sizeof label, "%.*s", (int)visits[1].label.size, visits[1].label.at);
  cq_laptop_close(&laptop);
  way_keys(it.office, "<Enter><Down><Enter><Esc>", 24, 80, NULL, NULL);
  is_at_the_person(&it, label);
  way_lines(it.office, "5\n2\n:leave\n0\n");
  is_at_the_person(&it, label);
  /* and a reason by lines: a code, no sentence */
  way_lines(it.office, "5\n2\n:review\np\nno hubo nadie\nausente\n0\n");
  ended_as(&it, CQ_RESULT_PARTIAL, "ausente");
  field_end(&it);
}

/* The codes are those of the form's question of how the visit went; others may be written. */
static void why_it_is_not_complete_is_chosen_from_the_forms_own_list(void **state) {
  (void)state;
  field it;
  field_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  way_keys(it.office, "<Enter><Down><Enter><F4>partial<Enter><Down><Enter>moved<Enter>", 24, 80, NULL, NULL);
  ended_as(&it, CQ_RESULT_PARTIAL, "migro");
  way_lines(it.office, "5\n2\n:review\np\n2\n0\n");
  ended_as(&it, CQ_RESULT_PARTIAL, "ausente");
  way_lines(it.office, "5\n2\n:review\nr\nno\n0\n"); /* part of "No ubicado", and a code of its own */
  ended_as(&it, CQ_RESULT_REFUSED, "no");
  field_end(&it);
}

/* --- choosing a visit once more --- */

static cq_status count_draft(void *context, const cq_store_draft *draft) {
  (void)draft;
  ++*(size_t *)context;
  return CQ_OK;
}

static size_t draft_count(field *it) {
  cq_laptop laptop;
  size_t count = 0;
  way_open(it->office, &laptop);
  assert_int_equal(cq_store_drafts(laptop.store, count_draft, &count, NULL), CQ_OK);
  cq_laptop_close(&laptop);
  return count;
}

typedef struct onlooker {
  cq_backend *recorder; /* first */
  cq_buf last;          /* screen shown */
} onlooker;

static void look(void *context, cq_key key) {
  onlooker *it = context;
  (void)key;
  cq_buf_reset(&it->last);
  cq_grid_text(cq_recorder_grid(it->recorder), &it->last);
}

/* Whether the screen shows that text after these keys. */
static bool shows(field *it, const char *keys, const char *text) {
  onlooker by = {0};
  way_keys(it->office, keys, 24, 80, look, &by);
  bool found = by.last.size > 0 && strstr(by.last.at, text);
  cq_buf_fini(&by.last);
  return found;
}

#define BEGUN "A draft of this visit was begun before"

/* Not so of another person, nor of the same one a season later; nor does a correction take a visit's place. */
static void a_visit_chosen_again_goes_on_with_its_draft(void **state) {
  (void)state;
  field it;
  field_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  assert_false(shows(&it, "<Enter><Down><Enter><Enter><Enter>", BEGUN));
  assert_int_equal(draft_count(&it), 1);
  assert_true(shows(&it, "<Enter><Down><Enter>", BEGUN));
  /* where it was left */
  assert_true(shows(&it, "<Enter><Down><Enter>", "Same person"));
  way_lines(it.office, "5\n2\n:leave\n0\n");
  assert_int_equal(draft_count(&it), 1);
  assert_false(shows(&it, "<Enter><Enter>", BEGUN));
  assert_int_equal(draft_count(&it), 2);
  /* one that is finished as partial, and being corrected: the visit is still due, and begins anew */
  way_lines(it.office, "5\n2\n:review\np\nausente\n0\n");
  way_lines(it.office, "3\n1\n:leave\n0\n");
  assert_int_equal(draft_count(&it), 2);
  way_lines(it.office, "5\n2\n:leave\n0\n");
  assert_int_equal(draft_count(&it), 3);
  it.office->at.utc_ms = INT64_C(1361361600000); /* 2013-02-20 */
  way_lines(it.office, "5\n1\n:leave\n0\n");
  assert_int_equal(draft_count(&it), 4);
  field_end(&it);
}

/* What is preloaded and worked out stands in words, also where the form keeps a code: the season in its window, in its
 * days of grace, and recovered. */
static void what_is_preloaded_is_said_in_words(void **state) {
  (void)state;
  static const char person[] = "<Enter><Down><Enter><Enter>";
  char season[128], earlier[128];
  field it;
  snprintf(season, sizeof season, "%s<Enter> <Enter><Enter><Enter>", person);
  snprintf(earlier, sizeof earlier, "%s<Enter> <Enter><Enter><Up><Enter>", person);
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  field_begin(&it);
  it.office->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20 */
  assert_true(shows(&it, person, "sector Artesanía"));
  field_end(&it);
  static const struct {
    int64_t day_ms;
    bool earlier;
    const char *words;
  } cases[] = {{INT64_C(1353412800000), false, "2012-T1 (dentro del plazo, 19 días"},
               {INT64_C(1356004800000), false, "2012-T1 (fuera del plazo, en los días de gracia, 49 días"},
               {INT64_C(1353412800000), true, "2011-T4 (recuperación, 111 días"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    field_begin(&it);
    it.office->at.utc_ms = cases[i].day_ms;
    if (!shows(&it, cases[i].earlier ? earlier : season, cases[i].words)) fail_msg("not shown: %s", cases[i].words);
    field_end(&it);
  }
  setenv("LANGUAGE", "en", 1);
  cq_cli_locale();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_visit_chosen_again_goes_on_with_its_draft),
                                     cmocka_unit_test(what_is_preloaded_is_said_in_words),
                                     cmocka_unit_test(why_it_is_not_complete_is_chosen_from_the_forms_own_list),
                                     cmocka_unit_test(an_absence_stays_due_and_who_left_does_not),
                                     cmocka_unit_test(a_season_is_preloaded_from_the_baseline_of_minutes_ago),
                                     cmocka_unit_test(who_refuses_or_is_not_found_is_named_all_the_same),
                                     cmocka_unit_test(a_due_visit_begins_with_its_person)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
