/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the technician sees, as text: tests/collector/golden. Each file is
 * a session; "== keys" is what was pressed, the screen after it follows. Where a
 * screen is meant to change: CHASQUI_GOLDEN=write, then look at the difference.
 */
#include "chasqui/file.h"
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const visita[] = {"<F1>",
                                     "<Esc>",
                                     "<Enter>",
                                     "<Enter>",
                                     "<Enter>",
                                     "Ana Ñahui 漢字<Enter>",
                                     "200<Enter>",
                                     "<F3>",
                                     "<F3>",
                                     "<F5>",
                                     "<Enter>",
                                     "30/2/2012<Enter>",
                                     "<Ctrl-U>7/3/2012<Enter>",
                                     "2,5<Enter>",
                                     "<Enter>",
                                     "an",
                                     "<Backspace><Backspace>azan<Enter>",
                                     "3<Enter>",
                                     "<Down> <Down><Down> ",
                                     "<Enter>",
                                     "<F2>",
                                     "edad",
                                     "<Esc>",
                                     "<F4>",
                                     "<Enter>",
                                     "gas<Enter>",
                                     "Beto<Enter><Enter>",
                                     "<Up><Enter>",
                                     "<F7>",
                                     "<Down><Enter>",
                                     "<F4>",
                                     "<Up>",
                                     "<Enter>",
                                     "<Down><Enter>",
                                     NULL};

static const char *const leaving[] = {
    "<Enter><Enter><Enter>Ana<Enter>", "<Esc>",  "<Down><Enter>", "<Enter>", "<F5>", "<Enter>", "<F9>", "quinua<Enter>",
    OFFICE_PASSPHRASE "<Enter>",       "<PgUp>", "<F1>",          NULL};

/* Files: a folder, a wrong kind, a path completed, replaced, cleared; the state of a partial one with its reason. */
static const char *const fotos[] = {"<Enter><Enter>La casa<Enter>",
                                    "tests/collector/fi<Tab>",
                                    "<Enter>",
                                    "<Tab>",
                                    "acta.csv<Enter>",
                                    "<Backspace><Backspace><Backspace><Backspace><Backspace><Backspace><Backspace>"
                                    "<Backspace>ca<Tab>",
                                    ".<Tab><Enter>",
                                    "<PgUp>",
                                    "<Ctrl-U>",
                                    "tests/collector/files/casa-<Tab><Enter>",
                                    "no-hay<Tab>",
                                    "<Ctrl-U><Enter><Enter>",
                                    "tests/collector/files/acta.csv<Enter>",
                                    "<F2>",
                                    "xyz",
                                    NULL};

/* Left early: what is missing is called by its question, and the reason is one of a list, or another code. */
static const char *const porque[] = {
    "<Enter><Enter><Enter>Ana<Enter><F4>",
    "<Enter>",
    "<F4>par",
    "<Enter>",
    "<Down><Enter>",
    "<Esc>",
    "<Down><Down><Down><Down><Enter><Down><Enter><Down><Down><Down><Down><Down><Enter>",
    "casa cerrada<Enter>",
    "<Backspace><Backspace><Backspace><Backspace><Backspace><Backspace>"
    "<Backspace><Backspace><Backspace><Backspace><Backspace><Backspace>feria<Enter>",
    "<Down><Down><Enter>",
    NULL};

/* Two repeated parts without a name: the review says in which one each answer is missing. */
static const char *const partes[] = {"<Enter><Enter><Enter>Ana<Enter>34<Enter><F2>miemb<Enter><Up><Enter>", "<F4>",
                                     "<Esc><Esc>", "<Down><Enter>", NULL};

/* What the opening had to say stands before all else until it is confirmed. */
static const char *const avisos[] = {"<Enter>", NULL};
static const char notices[] = "La laptop se apagó la última vez. Toda respuesta aceptada está aquí.\n"
                              "1 archivo de la bandeja de entrada se dejó aparte:\n  No se puede leer.\n";
/* A partial one, corrected; then the list, and the same once more. */
static const char *const corregir[] = {"<Enter><Enter><Enter>Ana<Enter><F4>par<Enter><Down><Down><Enter>",
                                       "<Down><Down><Enter>",
                                       "<F6>",
                                       "<Down><Enter>",
                                       "<Ctrl-U>Berta<Enter><F4>",
                                       "<Up>",
                                       "<Down>par<Enter>",
                                       "<Down><Down><Enter>",
                                       "<Enter>",
                                       "<Enter>",
                                       "<Down><Enter>",
                                       "<F6>",
                                       "<Esc><F1>",
                                       NULL};

static const struct session {
  const char *name, *language;
  int rows, columns;
  bool practice, files;
  const char *const *steps;
  const char *notices;
} sessions[] = {
    {"visita.es.80x24", "es", 24, 80, false, false, visita, NULL},
    {"visita.en.80x24", "en", 24, 80, false, false, visita, NULL},
    {"visita.es.120x40", "es", 40, 120, false, false, visita, NULL},
    {"leaving.es.80x24", "es", 24, 80, true, false, leaving, NULL},
    {"leaving.en.120x40", "en", 40, 120, true, false, leaving, NULL},
    {"fotos.es.80x24", "es", 24, 80, false, true, fotos, NULL},
    {"porque.es.80x24", "es", 24, 80, false, false, porque, NULL},
    {"porque.en.120x40", "en", 40, 120, false, false, porque, NULL},
    {"avisos.es.80x24", "es", 24, 80, true, false, avisos, notices},
    {"partes.es.80x24", "es", 24, 80, false, false, partes, NULL},
    {"corregir.es.80x24", "es", 24, 80, false, false, corregir, NULL},
    {"corregir.en.120x40", "en", 40, 120, false, false, corregir, NULL},
    {"fotos.en.120x40", "en", 40, 120, false, true, fotos, NULL},
};

typedef struct watcher {
  cq_backend *recorder; /* first */
  const char *const *steps;
  size_t step;
  long keys_left; /* of the step */
  cq_buf out;
} watcher;

static void dump(watcher *it, const char *title) {
  int row, column;
  cq_buf_addf(&it->out, "== %s\n", title);
  cq_grid_text(cq_recorder_grid(it->recorder), &it->out);
  cq_recorder_cursor(it->recorder, &row, &column);
  if (row >= 0) cq_buf_addf(&it->out, "-- cursor %d,%d\n", row, column);
}

static void watch(void *context, cq_key key) {
  (void)key;
  watcher *it = context;
  if (it->out.size == 0) dump(it, "");
  while (it->keys_left == 0 && it->steps[it->step]) {
    if (it->step > 0 || it->keys_left < 0) dump(it, it->steps[it->step - 1]);
    it->keys_left = way_key_count(it->steps[it->step++]);
  }
  if (it->keys_left == 0 && !it->steps[it->step]) {
    dump(it, it->steps[it->step - 1]);
    it->keys_left = -1; /* told */
  }
  if (it->keys_left > 0) it->keys_left--;
}

static void run_session(const struct session *of) {
  cq_bundle_form forms[2];
  cq_buf xml[2] = {{0}}, keys = {0}, golden = {0};
  char path[256];
  watcher context = {.steps = of->steps};
  setenv("LANGUAGE", of->language, 1);
  cq_cli_locale();
  forms[0] = of->files ? way_form("tests/collector/fotos", "fotos", &xml[0])
                       : way_form("tests/collector/visita", "visita", &xml[0]);
  forms[1] = way_form("forms/programmes/ici/f_formadores.xlsx", "f_formadores", &xml[1]);
  office *it = office_new(of->practice ? CQ_MODE_PRACTICE : CQ_MODE_REAL, forms, 2);
  office_join(it);
  it->notices = of->notices;
  for (size_t i = 0; of->steps[i]; i++) cq_buf_add_text(&keys, of->steps[i]);
  way_keys(it, keys.at, of->rows, of->columns, watch, &context);
  snprintf(path, sizeof path, "tests/collector/golden/%s.txt", of->name);
  const char *mode = getenv("CHASQUI_GOLDEN");
  if (mode && strcmp(mode, "write") == 0)
    assert_int_equal(cq_file_replace(path, context.out.at, context.out.size, 0644, false, NULL), CQ_OK);
  assert_int_equal(cq_file_read(path, 1 << 20, &golden, NULL), CQ_OK);
  assert_string_equal(context.out.at, golden.at);
  office_free(it);
  cq_buf_fini(&xml[0]);
  cq_buf_fini(&xml[1]);
  cq_buf_fini(&keys);
  cq_buf_fini(&golden);
  cq_buf_fini(&context.out);
}

static void screens_are_as_they_were(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) run_session(&sessions[i]);
}

/* Every page at every size, down to what is too small: nothing is written outside, nothing hangs. */
static void any_size_can_be_drawn(void **state) {
  (void)state;
  static const int sizes[][2] = {{1, 1}, {5, 20}, {12, 40}, {13, 41}, {24, 39}, {100, 300}};
  cq_buf keys = {0}, xml = {0};
  for (size_t i = 0; visita[i]; i++) cq_buf_add_text(&keys, visita[i]);
  cq_bundle_form form = way_form("tests/collector/visita", "visita", &xml);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    office *it = office_new(CQ_MODE_PRACTICE, &form, 1);
    cq_buf record = {0};
    office_join(it);
    way_keys(it, keys.at, sizes[i][0], sizes[i][1], NULL, NULL);
    assert_int_equal(way_record(it, &record), CQ_RESULT_COMPLETE);
    cq_buf_fini(&record);
    office_free(it);
  }
  cq_buf_fini(&keys);
  cq_buf_fini(&xml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(screens_are_as_they_were),
      cmocka_unit_test(any_size_can_be_drawn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
