/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of edits at random, repeats added and removed among them. After
 * each handful the interview must be what a fresh one, restored from its draft
 * and calculated as a whole, comes to.
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
    "xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>edits</h:title><model>"
    "<instance><d id=\"edits\"><show>1</show><n>0</n><total/><cnt/><far/><any/>"
    "<r jr:template=\"\"><q/><on>1</on><g><x/><y>5</y><h><z/></h></g><pick/><who/>"
    "<s jr:template=\"\"><v/><w/><up/></s><tot/><share/><prev/><next/><place/></r>"
    "<k jr:template=\"\"><z/><own/></k><ksum/><last/><chosen/><meta><instanceID/></meta></d></instance>"
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
    "</model></h:head><h:body><input ref=\"/d/show\"/><input ref=\"/d/n\"/>"
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
  case 1: set(f, "/d/n", value); return;
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
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_follows_is_what_a_whole_calculation_gives)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
