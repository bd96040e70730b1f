/* SPDX-License-Identifier: Apache-2.0 */
/* An interview through forms.h alone. */
#include "chasqui/forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                                           \
  "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "                          \
  "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:c=\"urn:chasqui:xforms\"><h:head><h:title>t</h:title><model>"
#define BODY "</model></h:head><h:body>"
#define END "</h:body></h:html>"

static const char household[] = HEAD
    "<itext><translation lang=\"es\" default=\"true()\"><text id=\"n\"><value>Nombre de <output value=\"../edad\"/> "
    "<output value=\"/h/total\"/></value></text></translation><translation lang=\"en\"><text id=\"n\">"
    "<value>Name</value></text></translation></itext>"
    "<instance><h id=\"hogar\" version=\"3\"><total/><p jr:template=\"\"><edad/><nombre/></p><ing/><ing_missing/>"
    "<meta><instanceID/></meta></h></instance>"
    "<bind nodeset=\"/h/total\" type=\"int\" calculate=\"sum(/h/p/edad)\"/>"
    "<bind nodeset=\"/h/p/edad\" type=\"int\" constraint=\". &lt; 120\" jr:constraintMsg=\"Demasiado\"/>"
    "<bind nodeset=\"/h/p/nombre\" relevant=\"../edad &gt; 17\" required=\"true()\"/>"
    "<bind nodeset=\"/h/ing\" type=\"int\" required=\"true()\" c:missing=\"ns nr\"/>"
    "<bind nodeset=\"/h/meta/instanceID\" jr:preload=\"uid\"/>" BODY
    "<group ref=\"/h/p\"><label>Persona</label><repeat nodeset=\"/h/p\"><input ref=\"/h/p/edad\"><label>Edad</label>"
    "</input><input ref=\"/h/p/nombre\"><label ref=\"jr:itext('n')\"/></input></repeat></group>"
    "<input ref=\"/h/ing\"><label>Ingreso</label></input>" END;

static void fill(void *context, void *out, size_t size) {
  unsigned char *seed = context;
  for (size_t i = 0; i < size; i++) ((unsigned char *)out)[i] = (*seed)++;
}

typedef struct fixture {
  cq_clock_fixed at;
  cq_clock clock;
  unsigned char seed;
  cq_random random;
  cq_interview_setup setup;
  cq_form *form;
  cq_interview *interview;
  cq_arena *arena;
  cq_error error;
} fixture;

static fixture *open_form(const char *xml) {
  static fixture f;
  memset(&f, 0, sizeof f);
  f.at = (cq_clock_fixed){1345500000000, -300};
  f.clock = cq_clock_fix(&f.at);
  f.random = (cq_random){fill, &f.seed};
  f.setup = (cq_interview_setup){.clock = &f.clock, .random = &f.random, .language = CQ_FIELD_NONE};
  f.arena = cq_arena_new(0);
  cq_error_clear(&f.error);
  if (cq_form_load(&f.form, cq_str_from(xml), NULL, &f.error) != CQ_OK ||
      cq_interview_begin(&f.interview, f.form, &f.setup, &f.error) != CQ_OK)
    fail_msg("%s %s", f.error.code, f.error.arg[0]);
  return &f;
}

static void close_form(fixture *f) {
  cq_interview_free(f->interview);
  cq_form_free(f->form);
  cq_arena_free(f->arena);
}

static cq_entry entry(fixture *f, const char *ref) {
  cq_entry found;
  if (cq_interview_entry(f->interview, cq_str_from(ref), &found, &f->error) != CQ_OK) fail_msg("no %s", ref);
  return found;
}

static cq_set_result set(fixture *f, const char *ref, const char *text) {
  cq_set_outcome outcome;
  assert_int_equal(
      cq_interview_set(f->interview, entry(f, ref), cq_str_from(text), CQ_SET_CHECKED, f->arena, &outcome, &f->error),
      CQ_OK);
  return outcome.result;
}

static cq_entry add(fixture *f, const char *ref) {
  cq_entry made;
  assert_int_equal(cq_interview_add(f->interview, entry(f, ref), &made, &f->error), CQ_OK);
  return made;
}

static void assert_str(cq_str got, const char *want) {
  if (!cq_str_is(got, want)) fail_msg("want “%s”, got “%.*s”", want, (int)got.size, got.at == NULL ? "" : got.at);
}

static void assert_value(fixture *f, const char *ref, const char *want) {
  assert_str(cq_interview_value(f->interview, entry(f, ref)), want);
}

static void answers_and_what_follows(void **state) {
  (void)state;
  fixture *f = open_form(household);
  add(f, "/h/p[]");
  add(f, "/h/p[]");
  assert_int_equal(set(f, "/h/p[1]/edad", "30"), CQ_SET_ACCEPTED);
  assert_int_equal(set(f, "/h/p[2]/edad", "8"), CQ_SET_ACCEPTED);
  assert_value(f, "/h/total", "38");
  assert_int_equal(set(f, "/h/p[2]/edad", "200"), CQ_SET_CONSTRAINT);
  assert_int_equal(set(f, "/h/p[2]/edad", "ocho"), CQ_SET_TYPE);
  assert_int_equal(set(f, "/h/p[2]/nombre", "X"), CQ_SET_NOT_RELEVANT);
  assert_value(f, "/h/total", "38");
  assert_int_equal(cq_interview_remove(f->interview, entry(f, "/h/p[1]"), &f->error), CQ_OK);
  assert_value(f, "/h/total", "8");
  close_form(f);
}

static void pages_in_order(void **state) {
  (void)state;
  fixture *f = open_form(household);
  cq_page page;
  assert_int_equal(cq_interview_page(f->interview, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.kind, CQ_PAGE_REPEAT);
  assert_true(page.first);
  cq_entry one = add(f, "/h/p[]");
  assert_int_equal(cq_interview_jump(f->interview, one, &f->error), CQ_OK);
  assert_int_equal(cq_interview_page(f->interview, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.kind, CQ_PAGE_QUESTION);
  assert_int_equal(page.node, entry(f, "/h/p[1]/edad"));
  assert_int_equal(page.trail_count, 1);
  set(f, "/h/p[1]/edad", "40");
  assert_int_equal(cq_interview_forward(f->interview, &f->error), CQ_OK);
  assert_int_equal(cq_interview_page(f->interview, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.node, entry(f, "/h/p[1]/nombre"));
  cq_buf mark = {0};
  assert_int_equal(cq_interview_bookmark(f->interview, &mark, &f->error), CQ_OK);
  assert_str(cq_buf_str(&mark), "/h/p[1]/nombre");
  cq_buf_fini(&mark);
  for (int i = 0; i < 3; i++) assert_int_equal(cq_interview_forward(f->interview, &f->error), CQ_OK);
  assert_int_equal(cq_interview_page(f->interview, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.kind, CQ_PAGE_END);
  assert_int_equal(cq_interview_back(f->interview, &f->error), CQ_OK);
  assert_int_equal(cq_interview_page(f->interview, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.node, entry(f, "/h/ing"));
  close_form(f);
}

static void labels_in_the_language(void **state) {
  (void)state;
  fixture *f = open_form(household);
  add(f, "/h/p[]");
  set(f, "/h/p[1]/edad", "40");
  cq_prompt prompt;
  assert_int_equal(cq_interview_prompt(f->interview, entry(f, "/h/p[1]/nombre"), f->arena, &prompt, &f->error), CQ_OK);
  assert_str(prompt.label, "Nombre de 40 40");
  assert_true(prompt.state.required);
  assert_int_equal(cq_interview_set_language(f->interview, 1, &f->error), CQ_OK);
  assert_int_equal(cq_interview_prompt(f->interview, entry(f, "/h/p[1]/nombre"), f->arena, &prompt, &f->error), CQ_OK);
  assert_str(prompt.label, "Name");
  close_form(f);
}

static void a_missing_code_stands_for_an_answer(void **state) {
  (void)state;
  fixture *f = open_form(household);
  cq_violations found;
  cq_set_outcome outcome;
  assert_int_equal(cq_interview_violations(f->interview, f->arena, &found, &f->error), CQ_OK);
  assert_int_equal(found.count, 1);
  assert_str(found.items[0].ref, "/h/ing");
  assert_int_equal(cq_interview_set_missing(f->interview, entry(f, "ing"), CQ_STR("zz"), f->arena, &outcome, &f->error),
                   CQ_OK);
  assert_int_equal(outcome.result, CQ_SET_NOT_OFFERED);
  assert_int_equal(cq_interview_set_missing(f->interview, entry(f, "ing"), CQ_STR("ns"), f->arena, &outcome, &f->error),
                   CQ_OK);
  assert_int_equal(outcome.result, CQ_SET_ACCEPTED);
  assert_int_equal(cq_interview_violations(f->interview, f->arena, &found, &f->error), CQ_OK);
  assert_int_equal(found.count, 0);
  assert_int_equal(set(f, "ing", "100"), CQ_SET_ACCEPTED);
  assert_value(f, "ing_missing", "");
  close_form(f);
}

static void a_draft_comes_back_as_it_was(void **state) {
  (void)state;
  fixture *f = open_form(household);
  add(f, "/h/p[]");
  set(f, "/h/p[1]/edad", "40");
  set(f, "/h/p[1]/nombre", "Ana <&> \"Ñ\"");
  set(f, "/h/p[1]/edad", "7"); /* the name is kept, and not relevant */
  cq_buf draft = {0}, again = {0}, sent = {0};
  assert_int_equal(cq_interview_write(f->interview, CQ_WRITE_DRAFT, &draft, &f->error), CQ_OK);
  assert_int_equal(cq_interview_write(f->interview, CQ_WRITE_SUBMISSION, &sent, &f->error), CQ_OK);
  assert_null(strstr(sent.at, "Ana"));
  cq_interview *restored;
  assert_int_equal(cq_interview_restore(&restored, f->form, &f->setup, cq_buf_str(&draft), CQ_RESTORE_DRAFT,
                                        CQ_STR("/h/ing"), &f->error),
                   CQ_OK);
  assert_int_equal(cq_interview_write(restored, CQ_WRITE_DRAFT, &again, &f->error), CQ_OK);
  assert_string_equal(draft.at, again.at);
  cq_page page;
  assert_int_equal(cq_interview_page(restored, f->arena, &page, &f->error), CQ_OK);
  assert_int_equal(page.kind, CQ_PAGE_QUESTION);
  cq_interview_free(restored);
  assert_int_equal(
      cq_interview_restore(&restored, f->form, &f->setup, cq_buf_str(&draft), CQ_RESTORE_EDIT, CQ_STR(""), &f->error),
      CQ_OK);
  cq_str id = cq_interview_instance_id(f->interview);
  assert_true(cq_str_equal(cq_interview_deprecated_id(restored), id));
  assert_false(cq_str_equal(cq_interview_instance_id(restored), id));
  cq_interview_free(restored);
  cq_buf_fini(&draft);
  cq_buf_fini(&again);
  cq_buf_fini(&sent);
  close_form(f);
}

static void restored_as(fixture *f, cq_restore mode) {
  cq_buf xml = {0};
  assert_int_equal(
      cq_interview_write(f->interview, mode == CQ_RESTORE_EDIT ? CQ_WRITE_SUBMISSION : CQ_WRITE_DRAFT, &xml, &f->error),
      CQ_OK);
  cq_interview_free(f->interview);
  assert_int_equal(
      cq_interview_restore(&f->interview, f->form, &f->setup, cq_buf_str(&xml), mode, CQ_STR(""), &f->error), CQ_OK);
  cq_buf_fini(&xml);
}

/* What comes from outside the record, as a list or the day does, has changed meanwhile: an edit is not touched by it.
 */
static void an_edit_begins_as_the_record_stood(void **state) {
  (void)state;
  fixture *f =
      open_form(HEAD "<instance><d id=\"d\"><a/><dia/><b/><meta><instanceID/></meta></d></instance>"
                     "<bind nodeset=\"/d/dia\" calculate=\"concat(/d/a, ' ', today())\"/>"
                     "<bind nodeset=\"/d/b\" calculate=\"today()\" relevant=\"/d/a = '3'\"/>"
                     "<bind nodeset=\"/d/meta/instanceID\" jr:preload=\"uid\"/>" BODY "<input ref=\"/d/a\"/>" END);
  set(f, "/d/a", "1");
  assert_value(f, "/d/dia", "1 2012-08-20");
  f->at.utc_ms += INT64_C(86400000);
  restored_as(f, CQ_RESTORE_DRAFT);
  assert_value(f, "/d/dia", "1 2012-08-21");
  f->at.utc_ms += INT64_C(86400000);
  restored_as(f, CQ_RESTORE_EDIT);
  assert_value(f, "/d/dia", "1 2012-08-21");
  f->at.utc_ms += INT64_C(86400000);
  restored_as(f, CQ_RESTORE_DRAFT); /* of the edit */
  assert_value(f, "/d/dia", "1 2012-08-21");
  set(f, "/d/a", "3"); /* what reads the answer, and what was not in the record */
  assert_value(f, "/d/dia", "3 2012-08-23");
  assert_value(f, "/d/b", "2012-08-23");
  close_form(f);
}

static void a_file_of_answers(void **state) {
  (void)state;
  fixture *f = open_form(household);
  cq_answers_report report;
  cq_str json = CQ_STR("{\"p\": [{\"edad\": 30, \"nombre\": \"A\"}, {\"edad\": 500}], \"ing\": {\"missing\": \"nr\"}}");
  assert_int_equal(cq_answers_apply(f->interview, json, f->arena, &report, &f->error), CQ_OK);
  assert_int_equal(report.set, 3);
  assert_int_equal(report.count, 1);
  assert_str(report.refusals[0].ref, "/h/p[2]/edad");
  assert_int_equal(report.refusals[0].outcome.result, CQ_SET_CONSTRAINT);
  assert_str(report.refusals[0].outcome.message, "Demasiado");
  assert_value(f, "/h/total", "30"); /* who has no age is passed over, as on phones */
  assert_value(f, "ing_missing", "nr");
  assert_int_equal(cq_answers_apply(f->interview, CQ_STR("{\"nada\": 1}"), f->arena, &report, &f->error), CQ_INVALID);
  assert_string_equal(f->error.code, "forms.answers.unknown");
  close_form(f);
}

static cq_status count_value(void *context, const cq_saved_value *value, cq_error *error) {
  (void)error;
  cq_buf *out = context;
  cq_buf_add_str(out, value->field->name);
  for (size_t i = 0; i < value->depth; i++) cq_buf_addf(out, ".%u", value->positions[i]);
  cq_buf_addf(out, "=%.*s ", (int)value->text.size, value->text.size == 0 ? "" : value->text.at);
  return CQ_OK;
}

static void a_record_is_read_without_an_interview(void **state) {
  (void)state;
  fixture *f = open_form(household);
  cq_buf out = {0};
  size_t unknown;
  cq_str xml = CQ_STR("<h id=\"hogar\"><total>3</total><p><edad>1</edad></p><p><edad>2</edad></p><otro/></h>");
  assert_int_equal(cq_form_read(f->form, xml, count_value, &out, &unknown, &f->error), CQ_OK);
  assert_string_equal(out.at, "total=3 p.1= edad.1=1 p.2= edad.2=2 ");
  assert_int_equal(unknown, 1);
  assert_int_equal(cq_form_read(f->form, CQ_STR("<x/>"), count_value, &out, &unknown, &f->error), CQ_INVALID);
  cq_buf_fini(&out);
  close_form(f);
}

/* Real forms do this: the group goes away for good with the answer that closes it, and nothing goes round. */
static void a_group_may_be_closed_by_its_own_answer(void **state) {
  (void)state;
  fixture *f = open_form(HEAD "<instance><d id=\"d\"><g><a>x</a><c/></g></d></instance>"
                              "<bind nodeset=\"/d/g\" relevant=\" /d/g/a != 'n'\"/>"
                              "<bind nodeset=\"/d/g/c\" calculate=\" ../a \"/>" BODY "<group ref=\"/d/g\">"
                              "<input ref=\"/d/g/a\"/></group>" END);
  assert_value(f, "/d/g/c", "x");
  assert_int_equal(set(f, "/d/g/a", "y"), CQ_SET_ACCEPTED);
  assert_value(f, "/d/g/c", "y");
  assert_int_equal(set(f, "/d/g/a", "n"), CQ_SET_ACCEPTED);
  assert_value(f, "/d/g/c", "");
  cq_buf draft = {0};
  assert_int_equal(cq_interview_write(f->interview, CQ_WRITE_DRAFT, &draft, &f->error), CQ_OK);
  assert_non_null(strstr(draft.at, "<a>n</a>"));
  cq_buf_fini(&draft);
  close_form(f);
}

static void questions_are_found_by_label_and_answer(void **state) {
  (void)state;
  fixture *f = open_form(household);
  cq_outline_row *rows;
  size_t count;
  add(f, "/h/p[]");
  set(f, "/h/p[1]/edad", "40");
  set(f, "/h/p[1]/nombre", "Ñusta");
  assert_int_equal(cq_interview_outline(f->interview, f->arena, &rows, &count, &f->error), CQ_OK);
  assert_int_equal(count, 5); /* the repeat, its instance, two questions, the income */
  assert_int_equal(rows[0].node, entry(f, "/h/p[]"));
  assert_int_equal(rows[2].depth, 2);
  assert_int_equal(cq_interview_search(f->interview, CQ_STR("NUSTA"), f->arena, &rows, &count, &f->error), CQ_OK);
  assert_int_equal(count, 1);
  assert_int_equal(rows[0].node, entry(f, "/h/p[1]/nombre"));
  assert_int_equal(cq_interview_search(f->interview, CQ_STR("ingreso"), f->arena, &rows, &count, &f->error), CQ_OK);
  assert_int_equal(count, 1);
  close_form(f);
}

static void a_form_tells_its_fields(void **state) {
  (void)state;
  fixture *f =
      open_form(HEAD "<itext><translation lang=\"es\"><text id=\"q\"><value>¿Cuánto gana <output "
                     "value=\"/d/n\"/>?</value></text><text id=\"l0\"><value>Sí</value></text></translation></itext>"
                     "<instance><d id=\"d\"><n/><a/></d></instance><instance id=\"l\"><root><item><name>s</name>"
                     "<itextId>l0</itextId></item></root></instance><bind nodeset=\"/d/a\" c:privacy=\"direct\"/>" BODY
                     "<select1 ref=\"/d/a\" appearance=\"minimal\"><label ref=\"jr:itext('q')\"/><itemset "
                     "nodeset=\"instance('l')/root/item[name = /d/n]\"><value ref=\"name\"/><label "
                     "ref=\"jr:itext(itextId)\"/></itemset></select1>" END);
  const cq_field *field = cq_form_find(f->form, CQ_STR("a"));
  assert_non_null(field);
  assert_int_equal(field->control, CQ_CONTROL_SELECT1);
  assert_int_equal(field->privacy, CQ_PRIVACY_DIRECT);
  assert_str(field->path, "/d/a");
  assert_str(cq_form_attribute(f->form, field->index, "appearance"), "minimal");
  cq_buf label = {0};
  assert_int_equal(cq_form_label(f->form, field->index, 0, &label, &f->error), CQ_OK);
  assert_str(cq_buf_str(&label), "¿Cuánto gana ${n}?");
  cq_buf_fini(&label);
  cq_choices choices;
  assert_int_equal(cq_form_choices(f->form, field->index, 0, f->arena, &choices, &f->error), CQ_OK);
  assert_int_equal(choices.count, 1); /* unfiltered */
  assert_str(choices.items[0].label, "Sí");
  assert_int_equal(set(f, "n", "s"), CQ_SET_ACCEPTED);
  assert_int_equal(set(f, "a", "s"), CQ_SET_ACCEPTED);
  cq_str shown;
  assert_int_equal(cq_interview_shown(f->interview, entry(f, "a"), f->arena, &shown, &f->error), CQ_OK);
  assert_str(shown, "Sí");
  close_form(f);
}

static void cycles_are_refused_with_their_path(void **state) {
  (void)state;
  cq_form *form;
  cq_error error;
  cq_error_clear(&error);
  const char *xml =
      HEAD "<instance><d id=\"d\"><a/><b/><c/></d></instance><bind nodeset=\"/d/a\" calculate=\"/d/b\"/>"
           "<bind nodeset=\"/d/b\" calculate=\"/d/c\"/><bind nodeset=\"/d/c\" calculate=\"../a\"/>" BODY END;
  assert_int_equal(cq_form_load(&form, cq_str_from(xml), NULL, &error), CQ_INVALID);
  assert_string_equal(error.code, "forms.cycle");
  assert_non_null(strstr(error.arg[0], "/d/a"));
  assert_non_null(strstr(error.arg[0], " → "));
  assert_null(form);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_and_what_follows),
      cmocka_unit_test(pages_in_order),
      cmocka_unit_test(labels_in_the_language),
      cmocka_unit_test(a_missing_code_stands_for_an_answer),
      cmocka_unit_test(a_draft_comes_back_as_it_was),
      cmocka_unit_test(an_edit_begins_as_the_record_stood),
      cmocka_unit_test(a_file_of_answers),
      cmocka_unit_test(a_record_is_read_without_an_interview),
      cmocka_unit_test(a_group_may_be_closed_by_its_own_answer),
      cmocka_unit_test(questions_are_found_by_label_and_answer),
      cmocka_unit_test(a_form_tells_its_fields),
      cmocka_unit_test(cycles_are_refused_with_their_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
