/* SPDX-License-Identifier: Apache-2.0 */
/* Forms and records that mean ill: each ends in the error that docs/forms.md names, and takes no memory with it. */
#include "chasqui/file.h"
#include "chasqui/forms.h"
#include "forms/xform/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct parts {
  cq_buf itext, instance, model, body;
} parts;

static void times(cq_buf *out, const char *text, size_t count) {
  for (size_t i = 0; i < count; i++) cq_buf_add_text(out, text);
}

/* --- forms --- */

static void deep_groups(parts *p) {
  times(&p->body, "<group>", 300);
  times(&p->body, "</group>", 300);
}

static void deep_record(parts *p) {
  times(&p->instance, "<a>", CQ_FORM_MAX_DEPTH + 2);
  times(&p->instance, "</a>", CQ_FORM_MAX_DEPTH + 2);
}

static void many_fields(parts *p) {
  for (size_t i = 0; i <= CQ_FORM_MAX_FIELDS; i++) cq_buf_addf(&p->instance, "<a%zu/>", i);
}

static void many_attributes(parts *p) {
  cq_buf_add_text(&p->instance, "<q");
  for (size_t i = 0; i <= CQ_FORM_MAX_FIELDS; i++) cq_buf_addf(&p->instance, " a%zu=''", i);
  cq_buf_add_text(&p->instance, "/>");
}

static void large_count(parts *p) {
  cq_buf_add_text(&p->instance, "<r><x/></r>");
  cq_buf_add_text(&p->body, "<repeat nodeset='/d/r' jr:count='1000000000'><input ref='/d/r/x'/></repeat>");
}

static void counts_within_counts(parts *p) {
  cq_buf_add_text(&p->instance, "<r><s><x/></s></r>");
  cq_buf_add_text(&p->body, "<repeat nodeset='/d/r' jr:count='10000'><repeat nodeset='/d/r/s' jr:count='10000'>"
                            "<input ref='/d/r/s/x'/></repeat></repeat>");
}

static void many_items(parts *p) {
  cq_buf_add_text(&p->model, "<instance id='l'><root>");
  times(&p->model, "<i/>", CQ_FORM_MAX_ITEMS + 1);
  cq_buf_add_text(&p->model, "</root></instance>");
}

static void many_lists(parts *p) {
  for (int i = 0; i <= CQ_FORM_MAX_LISTS; i++) cq_buf_addf(&p->model, "<instance id='l%d'><root/></instance>", i);
}

static void many_languages(parts *p) {
  for (int i = 0; i <= CQ_FORM_MAX_LANGUAGES; i++) cq_buf_addf(&p->itext, "<translation lang='l%d'/>", i);
}

static void many_texts(parts *p) {
  cq_buf_add_text(&p->itext, "<translation lang='l'>");
  for (int i = 0; i <= CQ_FORM_MAX_TEXTS / CQ_FORM_MAX_LANGUAGES; i++)
    cq_buf_addf(&p->itext, "<text id='%d'><value/></text>", i);
  cq_buf_add_text(&p->itext, "</translation>");
  for (int i = 1; i < CQ_FORM_MAX_LANGUAGES; i++) cq_buf_addf(&p->itext, "<translation lang='l%d'/>", i);
}

static void long_expression(parts *p) {
  cq_buf_add_text(&p->instance, "<q/>");
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='1");
  times(&p->model, "+1", CQ_FORM_MAX_EXPRESSION / 2);
  cq_buf_add_text(&p->model, "'/>");
}

static void deep_expression(parts *p) {
  cq_buf_add_text(&p->instance, "<q/>");
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='");
  times(&p->model, "not(", 300);
  times(&p->model, ")", 300);
  cq_buf_add_text(&p->model, "'/>");
}

/* Each prefix of the path is filtered, and every filter reads. */
static void growing_paths(parts *p) {
  cq_buf_add_text(&p->instance, "<q/>");
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='count(/d");
  times(&p->model, "/a[b]", 2000);
  cq_buf_add_text(&p->model, ")'/>");
}

static void everything_reads_everything(parts *p) {
  cq_buf_add_text(&p->instance, "<g>");
  for (int i = 0; i < 1100; i++) cq_buf_addf(&p->instance, "<a%d/>", i);
  cq_buf_add_text(&p->instance, "</g>");
  for (int i = 0; i < 1100; i++) {
    cq_buf_addf(&p->instance, "<b%d/>", i);
    cq_buf_addf(&p->model, "<bind nodeset='/d/b%d' calculate='sum(/d/g/*)'/>", i);
  }
}

/* Paths whose ways multiply at each step, though they lead to few nodes. */
static void ways_that_multiply(parts *p) {
  times(&p->instance, "<a>", 100);
  times(&p->instance, "</a>", 100);
  cq_buf_add_text(&p->instance, "<q/>");
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='count(/d");
  times(&p->model, "//a", 60);
  cq_buf_add_text(&p->model, ")'/>");
}

static void growing_texts(parts *p) {
  cq_buf_add_text(&p->instance, "<a0>0123456789abcdef</a0>");
  for (int i = 1; i < 40; i++) {
    cq_buf_addf(&p->instance, "<a%d/>", i);
    cq_buf_addf(&p->model, "<bind nodeset='/d/a%d' calculate='concat(/d/a%d, /d/a%d)'/>", i, i - 1, i - 1);
  }
}

static void large_value(parts *p) {
  cq_buf_add_text(&p->instance, "<q>");
  times(&p->instance, "0123456789abcdef", CQ_FORM_MAX_VALUE / 16 + 1);
  cq_buf_add_text(&p->instance, "</q>");
}

static void add_large_text(parts *p) {
  cq_buf_add_text(&p->instance, "<t>");
  times(&p->instance, "aaaaaaaaaaaaaaa ", 60000);
  cq_buf_add_text(&p->instance, "</t><q/>");
}

static void long_work(parts *p) {
  add_large_text(p);
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='translate(/d/t, /d/t, /d/t)'/>");
}

/* None of them is much: all of what an answer sets off counts together, and all of what opening a form does. */
static void work_that_adds_up(parts *p) {
  add_large_text(p);
  for (int i = 0; i < 1200; i++)
    cq_buf_addf(&p->model, "<setvalue ref='/d/q' event='odk-instance-first-load' value='%d + %s'/>", i,
                "string-length(/d/t)");
}

static void copies_of_a_large_text(parts *p) {
  add_large_text(p);
  for (int i = 0; i < 600; i++) {
    cq_buf_addf(&p->instance, "<c%d/>", i);
    cq_buf_addf(&p->model, "<bind nodeset='/d/c%d' calculate='/d/t'/>", i);
  }
}

static void regex_that_goes_back(parts *p) {
  cq_buf_add_text(&p->instance, "<t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac</t><q/>");
  cq_buf_add_text(&p->model, "<bind nodeset='/d/q' calculate='regex(/d/t, \"(a|a)*\")'/>");
}

static void regexes_that_add_up(parts *p) {
  cq_buf_add_text(&p->instance, "<t>aaaaaaaaaaaaaac</t>");
  for (int i = 0; i < 800; i++) {
    cq_buf_addf(&p->instance, "<q%d/>", i);
    cq_buf_addf(&p->model, "<bind nodeset='/d/q%d' calculate='regex(/d/t, \"(a|a)*b{0,%d}\")'/>", i, i + 1);
  }
}

static void actions_that_go_round(parts *p) {
  cq_buf_add_text(&p->instance, "<a>0</a><b>0</b>");
  cq_buf_add_text(&p->body, "<input ref='/d/a'><setvalue ref='/d/b' event='xforms-value-changed' value='/d/a + 1'/>"
                            "</input><input ref='/d/b'><setvalue ref='/d/a' event='xforms-value-changed' "
                            "value='/d/b + 1'/></input>");
}

static void texts_within_texts(parts *p) {
  cq_buf_add_text(&p->itext, "<translation lang='es'>");
  for (int i = 0; i < 12; i++) {
    cq_buf_addf(&p->itext, "<text id='t%d'><value>", i);
    for (int j = 0; j < 20; j++) cq_buf_addf(&p->itext, "<output value=\"jr:itext('t%d')\"/>", i + 1);
    cq_buf_add_text(&p->itext, "</value></text>");
  }
  cq_buf_add_text(&p->itext, "<text id='t12'><value>x</value></text></translation>");
  cq_buf_add_text(&p->instance, "<a/>");
  cq_buf_add_text(&p->body, "<input ref='/d/a'><label ref=\"jr:itext('t0')\"/></input>");
}

static void a_text_that_shows_itself(parts *p) {
  cq_buf_add_text(&p->itext, "<translation lang='es'><text id='t'><value><output value=\"jr:itext('t')\"/></value>"
                             "</text></translation>");
  cq_buf_add_text(&p->instance, "<a/>");
  cq_buf_add_text(&p->body, "<input ref='/d/a'><label ref=\"jr:itext('t')\"/></input>");
}

static void a_label_of_large_answers(parts *p) {
  add_large_text(p);
  cq_buf_add_text(&p->instance, "<a/>");
  cq_buf_add_text(&p->body, "<input ref='/d/a'><label>");
  times(&p->body, "<output value='/d/t'/>", 3000);
  cq_buf_add_text(&p->body, "</label></input>");
}

static void a_list_that_asks_too_much(parts *p) {
  add_large_text(p);
  cq_buf_add_text(&p->instance, "<a/>");
  cq_buf_add_text(&p->model, "<instance id='l'><root>");
  for (int i = 0; i < 5000; i++) cq_buf_addf(&p->model, "<item><name>%d</name></item>", i);
  cq_buf_add_text(&p->model, "</root></instance>");
  cq_buf_add_text(&p->body, "<select1 ref='/d/a'><itemset nodeset=\"instance('l')/root/item[contains(/d/t, "
                            "instance('l')/root/item[contains(/d/t, 'b')]/name)]\">"
                            "<value ref='name'/><label ref='name'/></itemset></select1>");
}

/* --- what becomes of them --- */

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 3, size);
}

static void write_form(parts *p, cq_buf *out) {
  cq_buf_add_text(out, "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml' "
                       "xmlns:jr='http://openrosa.org/javarosa'><h:head><h:title>t</h:title><model>");
  if (p->itext.size > 0) cq_buf_addf(out, "<itext>%s</itext>", p->itext.at);
  cq_buf_add_text(out, "<instance><d id='d'>");
  cq_buf_add_str(out, cq_buf_str(&p->instance));
  cq_buf_add_text(out, "</d></instance>");
  cq_buf_add_str(out, cq_buf_str(&p->model));
  cq_buf_add_text(out, "</model></h:head><h:body>");
  cq_buf_add_str(out, cq_buf_str(&p->body));
  cq_buf_add_text(out, "</h:body></h:html>");
  cq_buf_fini(&p->itext);
  cq_buf_fini(&p->instance);
  cq_buf_fini(&p->model);
  cq_buf_fini(&p->body);
}

typedef enum { OPEN, SET, LABEL, CHOICES } stage;

static cq_status go(cq_str xml, stage where, const cq_interview_setup *setup, cq_error *error) {
  cq_form *form = NULL;
  cq_interview *interview = NULL;
  cq_entry entry;
  cq_set_outcome outcome;
  cq_prompt prompt;
  cq_choices choices;
  cq_arena *arena = cq_arena_new(0);
  cq_status status = cq_form_load(&form, xml, NULL, error);
  if (status == CQ_OK) status = cq_interview_begin(&interview, form, setup, error);
  if (status == CQ_OK && where != OPEN) {
    assert_int_equal(cq_interview_entry(interview, CQ_STR("/d/a"), &entry, error), CQ_OK);
    if (where == SET)
      status = cq_interview_set(interview, entry, CQ_STR("1"), CQ_SET_CHECKED, arena, &outcome, error);
    else if (where == LABEL)
      status = cq_interview_prompt(interview, entry, arena, &prompt, error);
    else
      status = cq_interview_choices(interview, entry, arena, &choices, error);
  }
  cq_interview_free(interview);
  cq_form_free(form);
  cq_arena_free(arena);
  return status;
}

static void each_ends_in_its_error(void **state) {
  (void)state;
  static const struct {
    void (*make)(parts *p);
    const char *name, *code; /* NULL: nothing is wrong with it, and it takes no time */
    stage where;
  } cases[] = {
      {deep_groups, "deep groups", "forms.xml.deep", OPEN},
      {deep_record, "deep record", "forms.limit.depth", OPEN},
      {many_fields, "many fields", "forms.limit.fields", OPEN},
      {many_attributes, "many attributes", "forms.limit.fields", OPEN},
      {large_count, "large count", "forms.limit.repeats", OPEN},
      {counts_within_counts, "counts within counts", "forms.limit.nodes", OPEN},
      {many_items, "many items", "forms.limit.items", OPEN},
      {many_lists, "many lists", "forms.limit.lists", OPEN},
      {many_languages, "many languages", "forms.limit.languages", OPEN},
      {many_texts, "many texts", "forms.limit.texts", OPEN},
      {long_expression, "long expression", "forms.limit.expression", OPEN},
      {deep_expression, "deep expression", "xpath.deep", OPEN},
      {growing_paths, "growing paths", "xpath.deep", OPEN},
      {everything_reads_everything, "everything reads everything", "forms.limit.dependencies", OPEN},
      {ways_that_multiply, "ways that multiply", NULL, OPEN},
      {growing_texts, "growing texts", "forms.limit.value", OPEN},
      {large_value, "large value", "forms.limit.value", OPEN},
      {long_work, "long work", "xpath.limit", OPEN},
      {work_that_adds_up, "work that adds up", "xpath.limit", OPEN},
      {copies_of_a_large_text, "copies of a large text", "forms.limit.memory", OPEN},
      {regex_that_goes_back, "regex that goes back", "xpath.limit", OPEN},
      {regexes_that_add_up, "regexes that add up", "xpath.limit", OPEN},
      {actions_that_go_round, "actions that go round", "forms.limit.rounds", SET},
      {texts_within_texts, "texts within texts", "xpath.limit", LABEL},
      {a_text_that_shows_itself, "a text that shows itself", "xpath.limit", LABEL},
      {a_label_of_large_answers, "a label of large answers", "forms.limit.text", LABEL},
      {a_list_that_asks_too_much, "a list that asks too much", "xpath.limit", CHOICES},
  };
  cq_clock_fixed at = {1345500000000, -300};
  const cq_clock clock = cq_clock_fix(&at);
  const cq_random random = {fill, NULL};
  const cq_interview_setup setup = {.clock = &clock, .random = &random, .language = CQ_FIELD_NONE};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    parts p = {0};
    cq_buf xml = {0};
    cq_error error;
    cq_error_clear(&error);
    cases[i].make(&p);
    write_form(&p, &xml);
    cq_status status = go(cq_buf_str(&xml), cases[i].where, &setup, &error);
    const char *code = status == CQ_OK ? "nothing" : error.code, *want = cases[i].code ? cases[i].code : "nothing";
    if (strcmp(code, want) != 0) fail_msg("%s: %s, not %s", cases[i].name, code, want);
    cq_buf_fini(&xml);
  }
}

static void entities_of_xml_are_refused(void **state) {
  (void)state;
  cq_form *form;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_form_load(&form,
                                CQ_STR("<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><h:html "
                                       "xmlns:h='http://www.w3.org/1999/xhtml'>&b;</h:html>"),
                                NULL, &error),
                   CQ_INVALID);
  assert_string_equal(error.code, "forms.xml.entity");
}

static void a_file_too_large_is_not_read(void **state) {
  (void)state;
  cq_form *form;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_form_load(&form, (cq_str){"", CQ_FORM_MAX_XML + (size_t)1}, NULL, &error), CQ_LIMIT);
  assert_string_equal(error.code, "forms.limit.xml");
}

/* "64 KiB", "512 MiB", "1,000,000". */
static void put_limit(unsigned long value, char out[32]) {
  if (value % (1UL << 20) == 0)
    snprintf(out, 32, "%lu MiB", value >> 20);
  else if (value % 1024 == 0)
    snprintf(out, 32, "%lu KiB", value >> 10);
  else if (value >= 1000000)
    snprintf(out, 32, "%lu,%03lu,%03lu", value / 1000000, value / 1000 % 1000, value % 1000);
  else if (value >= 1000)
    snprintf(out, 32, "%lu,%03lu", value / 1000, value % 1000);
  else
    snprintf(out, 32, "%lu", value);
}

static void the_manual_says_the_same(void **state) {
  (void)state;
#define LIMIT(name)                                                                                                    \
  { #name, name }
  static const struct {
    const char *name;
    unsigned long value;
  } limits[] = {LIMIT(CQ_FORM_MAX_XML),        LIMIT(CQ_FORM_MAX_DEPTH),   LIMIT(CQ_FORM_MAX_FIELDS),
                LIMIT(CQ_FORM_MAX_LISTS),      LIMIT(CQ_FORM_MAX_ITEMS),   LIMIT(CQ_FORM_MAX_DEPENDENCIES),
                LIMIT(CQ_FORM_MAX_LANGUAGES),  LIMIT(CQ_FORM_MAX_TEXTS),   LIMIT(CQ_FORM_MAX_NODES),
                LIMIT(CQ_FORM_MAX_EXPRESSION), LIMIT(CQ_FORM_MAX_REPEATS), LIMIT(CQ_FORM_MAX_MEMORY),
                LIMIT(CQ_FORM_MAX_STEPS),      LIMIT(CQ_FORM_MAX_VALUE)};
#undef LIMIT
  cq_buf manual = {0}, header = {0};
  assert_int_equal(cq_file_read("docs/forms.md", 1 << 20, &manual, NULL), CQ_OK);
  assert_int_equal(cq_file_read("include/chasqui/forms.h", 1 << 20, &header, NULL), CQ_OK);
  size_t defined = 0;
  for (const char *at = header.at; (at = strstr(at, "  CQ_FORM_MAX_")) != NULL; at++) defined++;
  assert_int_equal(defined, sizeof limits / sizeof *limits);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    char row[80], value[32];
    put_limit(limits[i].value, value);
    snprintf(row, sizeof row, "| `%s` | %s", limits[i].name, value);
    if (strstr(manual.at, row) == NULL) fail_msg("docs/forms.md does not say: %s", row);
  }
  cq_buf_fini(&manual);
  cq_buf_fini(&header);
}

static cq_status pass_over(void *context, const cq_saved_value *value, cq_error *error) {
  (void)context, (void)value, (void)error;
  return CQ_OK;
}

/* Records come from outside, one after another: what they name must not stay with the form. */
static void names_of_records_do_not_stay(void **state) {
  (void)state;
  cq_clock_fixed at = {1345500000000, -300};
  const cq_clock clock = cq_clock_fix(&at);
  const cq_random random = {fill, NULL};
  const cq_interview_setup setup = {.clock = &clock, .random = &random, .language = CQ_FIELD_NONE};
  parts p = {0};
  cq_buf xml = {0}, record = {0};
  cq_form *form;
  cq_interview *interview;
  cq_entities entities;
  size_t unknown = 0;
  cq_arena *arena = cq_arena_new(0);
  cq_buf_add_text(&p.instance, "<a/>");
  write_form(&p, &xml);
  assert_int_equal(cq_form_load(&form, cq_buf_str(&xml), NULL, NULL), CQ_OK);
  cq_buf_add_text(&record, "<d id='d'><a>1</a>");
  for (int i = 0; i < 2000; i++) cq_buf_addf(&record, "<p%d:n%d xmlns:p%d='u%d' m%d=''/>", i, i, i, i, i);
  cq_buf_add_text(&record, "</d>");
  size_t names = cq_names_count(form->names);
  assert_int_equal(cq_form_read(form, cq_buf_str(&record), pass_over, NULL, &unknown, NULL), CQ_OK);
  assert_int_equal(unknown, 2000);
  assert_int_equal(cq_form_entities(form, cq_buf_str(&record), arena, &entities, NULL), CQ_OK);
  assert_int_equal(
      cq_interview_restore(&interview, form, &setup, cq_buf_str(&record), CQ_RESTORE_DRAFT, CQ_STR(""), NULL), CQ_OK);
  assert_int_equal(cq_names_count(form->names), names);
  cq_interview_free(interview);
  cq_form_free(form);
  cq_arena_free(arena);
  cq_buf_fini(&xml);
  cq_buf_fini(&record);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_ends_in_its_error),       cmocka_unit_test(entities_of_xml_are_refused),
      cmocka_unit_test(a_file_too_large_is_not_read), cmocka_unit_test(the_manual_says_the_same),
      cmocka_unit_test(names_of_records_do_not_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
