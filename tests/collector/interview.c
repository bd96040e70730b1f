/* SPDX-License-Identifier: Apache-2.0 */
/* A file of answers, plain lines and keys on the screen end in the same record; and being killed loses nothing. */
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* `begin` opens the start's new interview of the first form; the rest is the interview. */
#define BEGIN "<Enter><Enter>"

static const struct form_case {
  const char *path, *id, *answers, *lines, *keys;
} cases[] = {
    {"tests/collector/visita", "visita", "tests/collector/visita.json",
     "1\n1\n\nAna Ñahui\n34\n7/3/2012\n2,5\n\nAZANG\n3\n3 agua\ngas\nBeto\n9\ns\nCarla\n\nn\nc\n0\n",
     BEGIN "<Enter>Ana Ñahui<Enter>34<Enter>7/3/2012<Enter>2,5<Enter><Enter>azang<Enter>3<Enter>"
           "<Down> <Down><Down> <Enter>gas<Enter>Beto<Enter>9<Enter><Up><Enter>Carla<Enter><Enter><Enter><Enter>"},
    {"forms/programmes/ici/f_formadores.xlsx", "f_formadores", "tests/collector/formadores.json",
     "1\n1\npuno\n1\nPersona\nInventada Ñ\nsi\n99912345\n\nmujer\n2\nquechua, castellano\nno\nTaller inventado\nMTPE\n"
     "30/5/2012\nA-15\n19\n999123456\nc\n0\n",
     BEGIN "puno<Enter>artes<Enter>Persona<Enter>Inventada Ñ<Enter>si<Enter>99912345<Enter><Enter>mujer<Enter>"
           "<Down><Down><Enter><Down> <Down><Down><Down> <Enter>no<Enter>Taller inventado<Enter>mtpe<Enter>"
           "30/5/2012<Enter>A-15<Enter>19<Enter>999123456<Enter><Enter>"},
};

static office *office_of(const struct form_case *it, cq_bundle_form *form, cq_buf *xml) {
  *form = way_form(it->path, it->id, xml);
  office *made = office_new(CQ_MODE_REAL, form, 1);
  office_join(made);
  return made;
}

/* The same seed in each: what is drawn by lot is the same too. */
static void fill_by(const struct form_case *of, int way, cq_buf *record) {
  cq_bundle_form form;
  cq_buf xml = {0};
  office *it = office_of(of, &form, &xml);
  if (way == 0) way_answers(it, of->answers);
  if (way == 1) way_lines(it, of->lines);
  if (way == 2) way_keys(it, of->keys, 24, 80, NULL, NULL);
  assert_int_equal(way_record(it, record), CQ_RESULT_COMPLETE);
  office_free(it);
  cq_buf_fini(&xml);
}

static void every_way_ends_in_the_same_record(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_buf record[3] = {{0}};
    for (int way = 0; way < 3; way++) fill_by(&cases[i], way, &record[way]);
    assert_string_equal(record[0].at, record[1].at);
    assert_string_equal(record[0].at, record[2].at);
    for (int way = 0; way < 3; way++) cq_buf_fini(&record[way]);
  }
}

/* --- kill -9 --- */

typedef struct killer {
  cq_backend *recorder; /* first */
  long keys_left;
} killer;

static void kill_self(void *context, cq_key key) {
  (void)key;
  killer *it = context;
  if (it->keys_left-- == 0) raise(SIGKILL);
}

/* In a process of its own: keys until it is killed before the n-th. True where it was. */
static bool run_and_kill(office *it, const char *keys, long n) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    killer context = {.keys_left = n};
    way_keys(it, keys, 24, 80, kill_self, &context);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Keys since the last Enter were not accepted yet: they are pressed again. */
static long accepted_before(const char *script, long n) {
  long accepted = 0, count = 0;
  for (const char *at = script; count < n && *at; at = way_after_keys(at, 1)) {
    count++;
    if (strncmp(at, "<Enter>", 7) == 0) accepted = count;
  }
  return accepted;
}

static void being_killed_at_any_key_loses_no_answer(void **state) {
  (void)state;
  const struct form_case *of = &cases[0];
  cq_bundle_form form;
  cq_buf xml = {0}, expected = {0}, got = {0};
  form = way_form(of->path, of->id, &xml);
  fill_by(of, 2, &expected);
  long cuts = 0;
  /* From the first question on, at each fifth key. */
  for (long n = 3; *way_after_keys(of->keys, n); n += 5, cuts++) {
    char rest[1024];
    office *it = office_new(CQ_MODE_REAL, &form, 1);
    office_join(it);
    assert_true(run_and_kill(it, of->keys, n));
    /* Start › Drafts › the only one, which stands where it was. */
    snprintf(rest, sizeof rest, "<Down><Enter><Enter>%s", way_after_keys(of->keys, accepted_before(of->keys, n)));
    way_keys(it, rest, 24, 80, NULL, NULL);
    if (way_record(it, &got) != CQ_RESULT_COMPLETE) fail_msg("killed before key %ld: no record after %s", n, rest);
    assert_string_equal(got.at, expected.at);
    office_free(it);
  }
  assert_true(cuts > 12);
  cq_buf_fini(&xml);
  cq_buf_fini(&expected);
  cq_buf_fini(&got);
}

static void a_clock_that_runs_before_what_is_known_is_not_believed(void **state) {
  (void)state;
  const struct form_case *of = &cases[1];
  for (int screen = 0; screen < 2; screen++) {
    cq_bundle_form form;
    cq_buf xml = {0}, script = {0}, record = {0};
    office *it = office_of(of, &form, &xml);
    it->at.utc_ms -= INT64_C(86400000) * 40;
    /* A date that does not exist, one before the bundle, and then the right one. */
    if (screen) {
      cq_buf_addf(&script, "31/2/2012<Enter><Home><Del><Del>01<Enter><End>");
      for (int i = 0; i < 12; i++) cq_buf_add_text(&script, "<Backspace>");
      cq_buf_addf(&script, "1/9/2012<Enter>%s", of->keys);
      way_keys(it, script.at, 24, 80, NULL, NULL);
    } else {
      cq_buf_addf(&script, "31/2/2012\n19/7/2012\n1/9/2012\n%s", of->lines);
      way_lines(it, script.at);
    }
    assert_int_equal(way_record(it, &record), CQ_RESULT_COMPLETE);
    assert_non_null(strstr(record.at, "<today>2012-09-01</today>"));
    assert_non_null(strstr(record.at, "<end>2012-07-11T"));
    office_free(it);
    cq_buf_fini(&xml);
    cq_buf_fini(&script);
    cq_buf_fini(&record);
  }
}

int main(void) {
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_way_ends_in_the_same_record),
      cmocka_unit_test(a_clock_that_runs_before_what_is_known_is_not_believed),
      cmocka_unit_test(being_killed_at_any_key_loses_no_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
