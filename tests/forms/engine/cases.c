/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interviews as data: tests/forms/engine/cases.txt. A case begins with "== name"; up to a line "--" stands the form,
 * its model and body apart by "||"; then one step a line:
 *
 *   set REF TEXT     accepted        type|constraint|choice|readonly|closed REF TEXT    refused so
 *   add REF          remove REF      lang NAME      date YYYY-MM-DD      edit    finish
 *   REF = TEXT       the value       REF open|shut|must|fixed|free        relevance, required, readonly
 *   choices REF a b  label REF TEXT  hint REF TEXT  count REF N
 *   at REF|end       the page        next  back     go REF
 *   wrong REF required|constraint TEXT ("-" none)   valid
 *   xml TEXT         a part of the submission       noxml TEXT
 *   load CODE        the form is refused so
 */
#include "chasqui/file.h"
#include "chasqui/forms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct run {
  const char *name;
  int line;
  cq_clock_fixed at;
  cq_clock clock;
  unsigned char seed;
  cq_random random;
  cq_form *form;
  cq_interview *interview;
  cq_arena *arena;
  cq_error error;
} run;

static void fill(void *context, void *out, size_t size) {
  unsigned char *seed = context;
  for (size_t i = 0; i < size; i++) ((unsigned char *)out)[i] = (*seed)++;
}

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  (void)context, (void)error;
  if (!cq_str_is(uri, "jr://file-csv/gente.csv")) return CQ_NOTFOUND;
  cq_buf_add_text(out, "name,label,distrito\np1,Persona Uno,d1\np2,Persona Dos,d2\np3,Persona Tres,d1\n");
  return CQ_OK;
}

static cq_interview_setup setup_of(run *r) {
  return (cq_interview_setup){.clock = &r->clock,
                              .random = &r->random,
                              .language = CQ_FIELD_NONE,
                              .device_id = CQ_STR("laptop:1"),
                              .user_name = CQ_STR("tec01")};
}

static void need(run *r, cq_status status) {
  if (status != CQ_OK)
    fail_msg("%s, line %d: %s %s %s", r->name, r->line, r->error.code, r->error.arg[0], r->error.file);
}

static void same(run *r, cq_str got, const char *want) {
  if (!cq_str_is(got, want))
    fail_msg("%s, line %d: want “%s”, got “%.*s”", r->name, r->line, want, (int)got.size, got.at ? got.at : "");
}

static cq_entry entry(run *r, const char *ref) {
  cq_entry found;
  need(r, cq_interview_entry(r->interview, cq_str_from(ref), &found, &r->error));
  return found;
}

/* The first word is cut off `*text`. */
static char *word(char **text) {
  char *start = *text;
  while (*start == ' ') start++;
  char *end = start + strcspn(start, " ");
  *text = *end ? end + 1 : end;
  *end = '\0';
  return start;
}

static void set(run *r, char *rest, cq_set_result want) {
  const char *ref = word(&rest);
  cq_set_outcome outcome;
  need(r,
       cq_interview_set(r->interview, entry(r, ref), cq_str_from(rest), CQ_SET_CHECKED, r->arena, &outcome, &r->error));
  if (outcome.result != want) fail_msg("%s, line %d: answered %d, not %d", r->name, r->line, outcome.result, want);
}

static void choices(run *r, char *rest) {
  const char *ref = word(&rest);
  cq_choices found;
  cq_buf said = {0};
  need(r, cq_interview_choices(r->interview, entry(r, ref), r->arena, &found, &r->error));
  for (size_t i = 0; i < found.count; i++) {
    if (i) cq_buf_add_char(&said, ' ');
    cq_buf_add_str(&said, found.items[i].value);
  }
  same(r, cq_buf_str(&said), rest);
  cq_buf_fini(&said);
}

static void prompt(run *r, char *rest, bool hint) {
  const char *ref = word(&rest);
  cq_prompt found;
  need(r, cq_interview_prompt(r->interview, entry(r, ref), r->arena, &found, &r->error));
  same(r, hint ? found.hint : found.label, rest);
}

static void state(run *r, const char *ref, const char *what) {
  cq_entry_state s;
  need(r, cq_interview_state(r->interview, entry(r, ref), &s, &r->error));
  bool holds = strcmp(what, "open") == 0    ? s.relevant
               : strcmp(what, "shut") == 0  ? !s.relevant
               : strcmp(what, "must") == 0  ? s.required
               : strcmp(what, "fixed") == 0 ? s.readonly
               : strcmp(what, "free") == 0  ? !s.readonly && !s.required
                                            : false;
  if (!holds) fail_msg("%s, line %d: %s is not %s", r->name, r->line, ref, what);
}

static void page(run *r, const char *where) {
  cq_page found;
  cq_buf ref = {0};
  need(r, cq_interview_page(r->interview, r->arena, &found, &r->error));
  if (found.kind == CQ_PAGE_END)
    cq_buf_add_text(&ref, "end");
  else
    need(r, cq_interview_ref(r->interview, found.count ? found.nodes[0] : found.node, &ref, &r->error));
  same(r, cq_buf_str(&ref), where);
  cq_buf_fini(&ref);
}

static void wrong(run *r, char *rest) {
  cq_violations found;
  need(r, cq_interview_violations(r->interview, r->arena, &found, &r->error));
  if (!rest) {
    if (found.count) fail_msg("%s, line %d: %zu violations", r->name, r->line, found.count);
    return;
  }
  const char *ref = word(&rest), *condition = word(&rest);
  for (size_t i = 0; i < found.count; i++)
    if (cq_str_is(found.items[i].ref, ref)) {
      assert_int_equal(found.items[i].condition, condition[0] == 'r' ? CQ_VIOLATION_REQUIRED : CQ_VIOLATION_CONSTRAINT);
      same(r, found.items[i].message, strcmp(rest, "-") == 0 ? "" : rest);
      return;
    }
  fail_msg("%s, line %d: %s violates nothing", r->name, r->line, ref);
}

static void written(run *r, const char *part, bool there) {
  cq_buf xml = {0};
  need(r, cq_interview_write(r->interview, CQ_WRITE_SUBMISSION, &xml, &r->error));
  if ((strstr(xml.at, part) != NULL) != there) fail_msg("%s, line %d: %s\n%s", r->name, r->line, part, xml.at);
  cq_buf_fini(&xml);
}

static void edit(run *r) {
  cq_buf xml = {0};
  const cq_interview_setup setup = setup_of(r);
  need(r, cq_interview_write(r->interview, CQ_WRITE_SUBMISSION, &xml, &r->error));
  cq_interview_free(r->interview);
  r->interview = NULL;
  need(r,
       cq_interview_restore(&r->interview, r->form, &setup, cq_buf_str(&xml), CQ_RESTORE_EDIT, CQ_STR(""), &r->error));
  cq_buf_fini(&xml);
}

static void repeat(run *r, const char *ref, bool add) {
  cq_entry made;
  if (add)
    need(r, cq_interview_add(r->interview, entry(r, ref), &made, &r->error));
  else
    need(r, cq_interview_remove(r->interview, entry(r, ref), &r->error));
}

static void language(run *r, const char *name) {
  for (size_t i = 0; i < cq_form_language_count(r->form); i++)
    if (cq_str_is(cq_form_language(r->form, i), name)) {
      need(r, cq_interview_set_language(r->interview, i, &r->error));
      return;
    }
  fail_msg("no language %s", name);
}

static void date(run *r, const char *text) {
  cq_date day;
  assert_true(cq_date_parse(cq_str_from(text), &day));
  need(r, cq_interview_set_working_date(r->interview, day, &r->error));
}

static void count(run *r, char *rest) {
  const char *ref = word(&rest);
  cq_entry_state s;
  need(r, cq_interview_state(r->interview, entry(r, ref), &s, &r->error));
  assert_int_equal(s.count, atoi(rest));
}

static bool refusing(run *r, const char *op, char *rest) {
  static const struct {
    const char *op;
    cq_set_result result;
  } ops[] = {{"set", CQ_SET_ACCEPTED},       {"type", CQ_SET_TYPE},         {"constraint", CQ_SET_CONSTRAINT},
             {"choice", CQ_SET_NOT_OFFERED}, {"readonly", CQ_SET_READONLY}, {"closed", CQ_SET_NOT_RELEVANT}};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (strcmp(op, ops[i].op) == 0) {
      set(r, rest, ops[i].result);
      return true;
    }
  return false;
}

static void about_node(run *r, const char *ref, char *rest) {
  const char *what = word(&rest);
  if (strcmp(what, "=") == 0)
    same(r, cq_interview_value(r->interview, entry(r, ref)), rest);
  else
    state(r, ref, what);
}

static void step(run *r, char *line) {
  char *rest = line;
  const char *op = word(&rest);
  if (op[0] == '/')
    about_node(r, op, rest);
  else if (refusing(r, op, rest))
    return;
  else if (strcmp(op, "add") == 0 || strcmp(op, "remove") == 0)
    repeat(r, rest, op[0] == 'a');
  else if (strcmp(op, "lang") == 0)
    language(r, rest);
  else if (strcmp(op, "date") == 0)
    date(r, rest);
  else if (strcmp(op, "edit") == 0)
    edit(r);
  else if (strcmp(op, "finish") == 0)
    need(r, cq_interview_finalise(r->interview, &r->error));
  else if (strcmp(op, "choices") == 0)
    choices(r, rest);
  else if (strcmp(op, "label") == 0 || strcmp(op, "hint") == 0)
    prompt(r, rest, op[0] == 'h');
  else if (strcmp(op, "count") == 0)
    count(r, rest);
  else if (strcmp(op, "at") == 0)
    page(r, rest);
  else if (strcmp(op, "next") == 0)
    need(r, cq_interview_forward(r->interview, &r->error));
  else if (strcmp(op, "back") == 0)
    need(r, cq_interview_back(r->interview, &r->error));
  else if (strcmp(op, "go") == 0)
    need(r, cq_interview_jump(r->interview, entry(r, rest), &r->error));
  else if (strcmp(op, "wrong") == 0)
    wrong(r, rest);
  else if (strcmp(op, "valid") == 0)
    wrong(r, NULL);
  else if (strcmp(op, "xml") == 0)
    written(r, rest, true);
  else if (strcmp(op, "noxml") == 0)
    written(r, rest, false);
  else
    fail_msg("%s, line %d: no step “%s”", r->name, r->line, op);
}

static void open_form(run *r, const char *text, const char *refused) {
  static const char head[] =
      "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
      "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:odk=\"http://www.opendatakit.org/xforms\" "
      "xmlns:orx=\"http://openrosa.org/xforms\" xmlns:c=\"urn:chasqui:xforms\"><h:head><h:title>t</h:title><model>";
  cq_buf xml = {0};
  const char *bar = strstr(text, "||");
  cq_buf_add_text(&xml, head);
  cq_buf_add(&xml, text, bar ? (size_t)(bar - text) : strlen(text));
  cq_buf_add_text(&xml, "</model></h:head><h:body>");
  cq_buf_add_text(&xml, bar ? bar + 2 : "");
  cq_buf_add_text(&xml, "</h:body></h:html>");
  const cq_form_lists lists = {open_list, NULL};
  const cq_interview_setup setup = setup_of(r);
  cq_status status = cq_form_load(&r->form, cq_buf_str(&xml), &lists, &r->error);
  if (status == CQ_OK) status = cq_interview_begin(&r->interview, r->form, &setup, &r->error);
  if (refused) {
    assert_int_not_equal(status, CQ_OK);
    if (strcmp(r->error.code, refused) != 0)
      fail_msg("%s: refused as %s %s, not %s", r->name, r->error.code, r->error.arg[0], refused);
  } else {
    need(r, status);
  }
  cq_buf_fini(&xml);
}

static void close_form(run *r) {
  cq_interview_free(r->interview);
  cq_form_free(r->form);
  r->interview = NULL;
  r->form = NULL;
}

static char *next_line(char **at) {
  char *line = *at, *end = strchr(line, '\n');
  if (!end) return NULL;
  *end = '\0';
  *at = end + 1;
  return line;
}

static void every_case(void **unused) {
  (void)unused;
  cq_buf file = {0}, form = {0};
  run r = {.at = {1345500000000, -300}, .arena = cq_arena_new(0)};
  cq_error_clear(&r.error);
  r.clock = cq_clock_fix(&r.at);
  r.random = (cq_random){fill, &r.seed};
  assert_int_equal(cq_file_read("tests/forms/engine/cases.txt", 1 << 20, &file, &r.error), CQ_OK);
  char *at = file.at;
  bool in_form = false;
  int cases = 0;
  for (char *line; (line = next_line(&at)) != NULL;) {
    r.line++;
    if (strncmp(line, "== ", 3) == 0) {
      close_form(&r);
      cq_arena_reset(r.arena);
      r.name = line + 3;
      cq_buf_reset(&form);
      in_form = true;
      cases++;
    } else if (in_form && (strcmp(line, "--") == 0 || strncmp(line, "load ", 5) == 0)) {
      in_form = false;
      open_form(&r, form.at, line[0] == 'l' ? line + 5 : NULL);
    } else if (in_form) {
      cq_buf_add_text(&form, line);
    } else if (line[0] != '\0' && line[0] != '#') {
      step(&r, line);
    }
  }
  close_form(&r);
  assert_true(cases > 20);
  cq_buf_fini(&file);
  cq_buf_fini(&form);
  cq_arena_free(r.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_case)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
