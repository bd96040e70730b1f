/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of edits at random, repeats added and removed among them. After
 * each handful the interview must be what a fresh one, restored from its draft
 * and calculated as a whole, comes to: its record, what is asked, required,
 * read-only and wrong, what the lists offer, and its entities. What an action
 * wrote is compared with what all that follows from the answer came to.
 */
#include "chasqui/forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:entities=\"http://www.opendatakit.org/xforms/entities\">"
    "<h:head><h:title>edits</h:title><model entities:entities-version=\"2024.1.0\">"
    "<instance><d id=\"edits\"><show>1</show><n>0</n><total/><cnt/><far/><any/>"
    "<r jr:template=\"\"><q/><on>1</on><g><x/><y>5</y><h><z/></h></g><pick/><who/>"
    "<s jr:template=\"\"><v/><w/><up/></s><tot/><share/><prev/><next/><place/></r>"
    "<k jr:template=\"\"><z/><own/></k><ksum/><last/><chosen/><log/><told/>"
    "<meta><instanceID/><entity dataset=\"gente\" id=\"\" create=\"\"><label/></entity></meta></d></instance>"
    "<instance id=\"list\"><root>"
    "<item><name>a</name><label>A</label><for>1</for></item><item><name>b</name><label>B</label><for>2</for></item>"
    "<item><name>c</name><label>C</label><for>1</for></item><item><name>e</name><label>E</label><for>3</for></item>"
    "</root></instance>"
    "<bind nodeset=\"/d/n\" type=\"int\"/><bind nodeset=\"/d/r\" relevant=\"/d/show = 1\"/>"
    "<bind nodeset=\"/d/total\" calculate=\"sum(/d/r/tot)\"/>"
    "<bind nodeset=\"/d/cnt\" calculate=\"count(/d/r) + count(/d/r/s)\"/>"
    "<bind nodeset=\"/d/far\" calculate=\"/d/r[last()]/q\"/>"
    "<bind nodeset=\"/d/any\" calculate=\"count(/d/r[q &gt; 3]/s[v &gt; 2])\"/>"
    "<bind nodeset=\"/d/r/q\" type=\"int\"/><bind nodeset=\"/d/r/g\" relevant=\" ../on = 1\"/>"
    "<bind nodeset=\"/d/r/g/x\" calculate=\" ../../q * 2\"/>"
    "<bind nodeset=\"/d/r/g/h\" relevant=\" ../x &gt; 4\"/>"
    "<bind nodeset=\"/d/r/g/h/z\" calculate=\" ../../x + ../../y + /d/cnt\"/>"
    "<bind nodeset=\"/d/r/s\" relevant=\" ../q != 4\"/>"
    "<bind nodeset=\"/d/r/s/v\" type=\"int\"/>"
    "<bind nodeset=\"/d/r/s/w\" calculate=\"coalesce( ../v , 0) + coalesce( ../../q , 0) + position(..)\"/>"
    "<bind nodeset=\"/d/r/s/up\" calculate=\"concat(position(../..), '.', position(..), '/', count(../../s))\"/>"
    "<bind nodeset=\"/d/r/tot\" calculate=\"sum( ../s/w ) + coalesce( ../g/h/z , 0)\"/>"
    "<bind nodeset=\"/d/r/share\" calculate=\"round( ../tot div (/d/total + 1), 3)\"/>"
    "<bind nodeset=\"/d/r/prev\" calculate=\"/d/r[position() = position(current()/..) - 1]/q\"/>"
    "<bind nodeset=\"/d/r/next\" calculate=\"indexed-repeat(/d/r/q, /d/r, position(..) + 1)\"/>"
    "<bind nodeset=\"/d/r/place\" calculate=\"concat(position(..), '-', /d/r/q)\"/>"
    "<bind nodeset=\"/d/k/z\" calculate=\"position(..) * /d/n\"/>"
    "<bind nodeset=\"/d/ksum\" calculate=\"sum(/d/k/z) + sum(/d/k/own)\"/>"
    "<bind nodeset=\"/d/k/own\" type=\"int\"/>"
    "<bind nodeset=\"/d/last\" calculate=\"join(',', /d/r/s/up)\"/>"
    "<bind nodeset=\"/d/chosen\" calculate=\"concat(jr:choice-name(/d/r[1]/pick, '/d/r/pick'), count(/d/r/pick[. != "
    "'']))\"/>"
    "<bind nodeset=\"/d/meta/instanceID\" jr:preload=\"uid\"/>"
    "<bind nodeset=\"/d/far\" entities:saveto=\"lejos\"/><bind nodeset=\"/d/n\" entities:saveto=\"cuantos\"/>"
    "<bind nodeset=\"/d/r/g/y\" required=\"/d/n &gt; 2\" readonly=\"/d/cnt &gt; 9\"/>"
    "<bind nodeset=\"/d/r/pick\" required=\"position(..) = 1\" constraint=\"../q != 3 or . = 'e'\"/>"
    "<bind nodeset=\"/d/r/s/v\" constraint=\". &lt; 5 and . != ../../q\" required=\"../w &gt; 4\"/>"
    "<bind nodeset=\"/d/k\" readonly=\"/d/n = 4\"/>"
    "<bind nodeset=\"/d/meta/entity/@id\" readonly=\"true()\"/>"
    "<setvalue ref=\"/d/meta/entity/@id\" event=\"odk-instance-first-load\" value=\"uuid()\"/>"
    "<bind nodeset=\"/d/meta/entity/@create\" calculate=\"if(/d/cnt &gt; 3, 1, 0)\"/>"
    "<bind nodeset=\"/d/meta/entity/label\" calculate=\"concat('c', /d/cnt, /d/last)\"/>"
    "</model></h:head><h:body><input ref=\"/d/show\"/><input ref=\"/d/n\">"
    "<setvalue ref=\"/d/log\" event=\"xforms-value-changed\" value=\"concat(/d/ksum, '|', count(/d/k), '|', /d/n)\"/>"
    "</input><input ref=\"/d/log\"><setvalue ref=\"/d/told\" event=\"xforms-value-changed\" value=\"concat('&lt;', "
    "/d/log, '&gt;')\"/></input>"
    "<repeat nodeset=\"/d/r\"><input ref=\"/d/r/q\"/><input ref=\"/d/r/on\"/><input ref=\"/d/r/g/y\"/>"
    "<select1 ref=\"/d/r/pick\"><itemset nodeset=\"instance('list')/root/item[for = current()/../q]\">"
    "<value ref=\"name\"/><label ref=\"label\"/></itemset></select1>"
    "<select ref=\"/d/r/who\"><itemset nodeset=\"../s[v &gt; 1]\"><value ref=\"v\"/><label "
    "ref=\"up\"/></itemset></select>"
    "<repeat nodeset=\"/d/r/s\"><input ref=\"/d/r/s/v\"/></repeat></repeat>"
    "<repeat nodeset=\"/d/k\" jr:count=\"/d/n\"><input ref=\"/d/k/own\"/></repeat></h:body></h:html>";

typedef struct fixture {
  cq_clock_fixed at;
  cq_clock clock;
  cq_random random;
  cq_interview_setup setup;
  cq_form *form;
  cq_interview *interview;
  cq_arena *arena;
  cq_error error;
  uint64_t state;
} fixture;

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 3, size);
}

static unsigned chance(fixture *f, unsigned below) {
  f->state = f->state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(f->state >> 33) % below;
}

static void need(fixture *f, cq_status status) {
  if (status != CQ_OK) fail_msg("%s %s %s", f->error.code, f->error.arg[0], f->error.file);
}

static uint32_t count(fixture *f, const char *ref) {
  cq_entry entry;
  cq_entry_state state;
  if (cq_interview_entry(f->interview, cq_str_from(ref), &entry, &f->error) != CQ_OK) return 0;
  need(f, cq_interview_state(f->interview, entry, &state, &f->error));
  return state.count;
}

static void set(fixture *f, const char *ref, const char *text) {
  cq_entry entry;
  cq_set_outcome outcome;
  need(f, cq_interview_entry(f->interview, cq_str_from(ref), &entry, &f->error));
  need(f, cq_interview_set(f->interview, entry, cq_str_from(text), CQ_SET_ANYWAY, f->arena, &outcome, &f->error));
}

static void choose(fixture *f, const char *ref) {
  cq_entry entry;
  cq_choices choices;
  char value[64] = "";
  need(f, cq_interview_entry(f->interview, cq_str_from(ref), &entry, &f->error));
  need(f, cq_interview_choices(f->interview, entry, f->arena, &choices, &f->error));
  if (choices.count > 0) {
    const cq_choice *choice = &choices.items[chance(f, (unsigned)choices.count)];
    snprintf(value, sizeof value, "%.*s", (int)choice->value.size, choice->value.size == 0 ? "" : choice->value.at);
  }
  set(f, ref, value);
}

static void edit_repeat(fixture *f, const char *repeat, uint32_t most) {
  cq_entry entry, made;
  char ref[96];
  uint32_t n = count(f, repeat);
  if (n > 0 && chance(f, n >= most ? 1 : 3) == 0) {
    snprintf(ref, sizeof ref, "%.*s[%u]", (int)strlen(repeat) - 2, repeat, chance(f, n) + 1);
    need(f, cq_interview_entry(f->interview, cq_str_from(ref), &entry, &f->error));
    need(f, cq_interview_remove(f->interview, entry, &f->error));
    return;
  }
  snprintf(ref, sizeof ref, "%s", repeat);
  if (n > 0 && chance(f, 2) == 0) /* in between */
    snprintf(ref, sizeof ref, "%.*s[%u]", (int)strlen(repeat) - 2, repeat, chance(f, n) + 1);
  need(f, cq_interview_entry(f->interview, cq_str_from(ref), &entry, &f->error));
  need(f, cq_interview_add(f->interview, entry, &made, &f->error));
}

/* --- what a person sees of it --- */

static void add_value(fixture *f, cq_interview *interview, const char *ref, cq_buf *out) {
  cq_entry entry;
  need(f, cq_interview_entry(interview, cq_str_from(ref), &entry, &f->error));
  cq_buf_add_str(out, cq_interview_value(interview, entry));
}

static void add_choices(fixture *f, cq_interview *interview, cq_entry entry, cq_buf *out) {
  cq_choices choices;
  need(f, cq_interview_choices(interview, entry, f->arena, &choices, &f->error));
  for (size_t i = 0; i < choices.count; i++) {
    cq_buf_addf(out, " %s", choices.items[i].chosen ? "*" : "");
    cq_buf_add_str(out, choices.items[i].value);
    cq_buf_add_char(out, '=');
    cq_buf_add_str(out, choices.items[i].label);
  }
}

static void add_seen(fixture *f, cq_interview *interview, cq_buf *out) {
  cq_outline_row *rows;
  size_t rows_count;
  cq_buf ref = {0};
  need(f, cq_interview_outline(interview, f->arena, &rows, &rows_count, &f->error));
  for (size_t i = 0; i < rows_count; i++) {
    cq_entry_state state;
    need(f, cq_interview_state(interview, rows[i].node, &state, &f->error));
    need(f, cq_interview_ref(interview, rows[i].node, &ref, &f->error));
    cq_buf_add_str(out, cq_buf_str(&ref));
    cq_buf_addf(out, "%s%s%s%s %u %u", state.relevant ? "" : " shut", state.readonly ? " fixed" : "",
                state.required ? " must" : "", state.answered ? " answered" : "", state.position, state.count);
    if (state.field->control == CQ_CONTROL_SELECT1 || state.field->control == CQ_CONTROL_SELECT)
      add_choices(f, interview, rows[i].node, out);
    cq_buf_add_char(out, '\n');
  }
  cq_buf_fini(&ref);
}

static void add_wrong(fixture *f, cq_interview *interview, cq_buf *out) {
  cq_violations wrong;
  cq_entities entities;
  need(f, cq_interview_violations(interview, f->arena, &wrong, &f->error));
  for (size_t i = 0; i < wrong.count; i++) {
    cq_buf_add_str(out, wrong.items[i].ref);
    cq_buf_add_text(out, wrong.items[i].condition == CQ_VIOLATION_REQUIRED ? " required\n" : " constraint\n");
  }
  need(f, cq_interview_entities(interview, f->arena, &entities, &f->error));
  for (size_t i = 0; i < entities.count; i++) {
    const cq_entity *e = &entities.items[i];
    cq_buf_addf(out, "entity %d ", (int)e->action);
    cq_buf_add_str(out, e->id);
    cq_buf_add_str(out, e->label);
    for (size_t j = 0; j < e->property_count; j++) {
      cq_buf_addf(out, " %.*s=", (int)e->properties[j].name.size, e->properties[j].name.at);
      cq_buf_add_str(out, e->properties[j].value);
    }
  }
}

/* How often each was there to be compared: a test that never saw one would prove nothing. */
static size_t seen_fixed, seen_must, seen_required, seen_constraint, seen_entity, seen_choice, seen_action;

static void count_in(const char *text) {
  seen_fixed += strstr(text, " fixed") != NULL;
  seen_must += strstr(text, " must") != NULL;
  seen_required += strstr(text, " required") != NULL;
  seen_constraint += strstr(text, " constraint") != NULL;
  seen_entity += strstr(text, "entity 1") != NULL;
  seen_choice += strstr(text, " *") != NULL;
}

static void compare_seen(fixture *f, cq_interview *fresh, int edits) {
  cq_buf ours = {0}, theirs = {0};
  add_seen(f, f->interview, &ours);
  add_wrong(f, f->interview, &ours);
  add_seen(f, fresh, &theirs);
  add_wrong(f, fresh, &theirs);
  assert_false(ours.failed || theirs.failed);
  if (strcmp(ours.at, theirs.at) != 0) fail_msg("after %d edits:\n%s\nas a whole:\n%s", edits, ours.at, theirs.at);
  count_in(ours.at);
  cq_buf_fini(&ours);
  cq_buf_fini(&theirs);
}

/* The actions of n, and the action of what they wrote, came after all that follows from it. */
static void set_n(fixture *f, const char *text) {
  cq_buf want = {0}, log = {0}, told = {0};
  cq_buf_add_text(&want, "");
  add_value(f, f->interview, "/d/n", &log);
  bool changes = strcmp(log.at == NULL ? "" : log.at, text) != 0;
  cq_buf_reset(&log);
  set(f, "/d/n", text);
  if (changes) {
    add_value(f, f->interview, "/d/ksum", &want);
    cq_buf_addf(&want, "|%u|%s", count(f, "/d/k[]"), text);
    add_value(f, f->interview, "/d/log", &log);
    assert_string_equal(log.at, want.at);
    cq_buf_addf(&told, "<%s>", want.at);
    cq_buf_reset(&log);
    add_value(f, f->interview, "/d/told", &log);
    assert_string_equal(log.at, told.at);
    seen_action++;
  }
  cq_buf_fini(&want);
  cq_buf_fini(&log);
  cq_buf_fini(&told);
}

static void edit(fixture *f) {
  char ref[96], value[16];
  uint32_t n = count(f, "/d/r[]"), i = n > 0 ? chance(f, n) + 1 : 0, m = 0;
  snprintf(value, sizeof value, "%u", chance(f, 6));
  if (n > 0) {
    snprintf(ref, sizeof ref, "/d/r[%u]/s[]", i);
    m = count(f, ref);
  }
  switch (chance(f, 12)) {
  case 0: set(f, "/d/show", chance(f, 4) == 0 ? "0" : "1"); return;
  case 1: set_n(f, value); return;
  case 2:
  case 3: edit_repeat(f, "/d/r[]", 6); return;
  default: break;
  }
  if (n == 0) return;
  switch (chance(f, 7)) {
  case 0: edit_repeat(f, ref, 4); return;
  case 1:
    snprintf(ref, sizeof ref, "/d/r[%u]/on", i);
    set(f, ref, chance(f, 2) == 0 ? "0" : "1");
    return;
  case 2:
    snprintf(ref, sizeof ref, "/d/r[%u]/g/y", i);
    set(f, ref, value);
    return;
  case 3:
    snprintf(ref, sizeof ref, "/d/r[%u]/pick", i);
    choose(f, ref);
    return;
  case 4:
    snprintf(ref, sizeof ref, "/d/r[%u]/who", i);
    choose(f, ref);
    return;
  case 5:
    if (m > 0) {
      snprintf(ref, sizeof ref, "/d/r[%u]/s[%u]/v", i, chance(f, m) + 1);
      set(f, ref, value);
      return;
    }
    break;
  default: break;
  }
  snprintf(ref, sizeof ref, "/d/r[%u]/q", i);
  set(f, ref, value[0] == '5' ? "" : value);
}

static void compare(fixture *f, int edits) {
  cq_buf draft = {0}, sent = {0}, draft_again = {0}, sent_again = {0};
  cq_interview *fresh;
  need(f, cq_interview_write(f->interview, CQ_WRITE_DRAFT, &draft, &f->error));
  need(f, cq_interview_write(f->interview, CQ_WRITE_SUBMISSION, &sent, &f->error));
  need(f,
       cq_interview_restore(&fresh, f->form, &f->setup, cq_buf_str(&draft), CQ_RESTORE_DRAFT, CQ_STR(""), &f->error));
  need(f, cq_interview_write(fresh, CQ_WRITE_DRAFT, &draft_again, &f->error));
  need(f, cq_interview_write(fresh, CQ_WRITE_SUBMISSION, &sent_again, &f->error));
  size_t same = 0;
  while (sent.at[same] != '\0' && sent.at[same] == sent_again.at[same]) same++;
  if (sent.at[same] != sent_again.at[same]) {
    same = same > 60 ? same - 60 : 0;
    fail_msg("after %d edits: …%.200s…\nas a whole: …%.200s…", edits, sent.at + same, sent_again.at + same);
  }
  compare_seen(f, fresh, edits);
  cq_interview_free(fresh);
  cq_buf_fini(&draft);
  cq_buf_fini(&sent);
  cq_buf_fini(&draft_again);
  cq_buf_fini(&sent_again);
}

static void run(uint64_t seed, int edits) {
  fixture f = {.state = seed, .at = {1345500000000, -300}, .random = {fill, NULL}, .arena = cq_arena_new(0)};
  f.clock = cq_clock_fix(&f.at);
  f.setup = (cq_interview_setup){.clock = &f.clock, .random = &f.random, .language = CQ_FIELD_NONE};
  cq_error_clear(&f.error);
  need(&f, cq_form_load(&f.form, cq_str_from(form_xml), NULL, &f.error));
  need(&f, cq_interview_begin(&f.interview, f.form, &f.setup, &f.error));
  for (int i = 1; i <= edits; i++) {
    cq_arena_reset(f.arena);
    edit(&f);
    if (i % 3 == 0) compare(&f, i);
  }
  cq_interview_free(f.interview);
  cq_form_free(f.form);
  cq_arena_free(f.arena);
}

static void what_follows_is_what_a_whole_calculation_gives(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 8; seed++) run(seed, 600);
  assert_true(seen_fixed > 50 && seen_must > 50 && seen_required > 50 && seen_constraint > 50);
  assert_true(seen_entity > 50 && seen_choice > 50 && seen_action > 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_follows_is_what_a_whole_calculation_gives)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
