/* SPDX-License-Identifier: Apache-2.0 */
/* In whose language tables, workbooks and files of the desk are. */
#include "chasqui/file.h"
#include "forms/xlsx/workbook.h"
#include "tests/central/seasons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void run_in(const world *w, const char *language, const char *arguments) {
  char command[1600];
  snprintf(command, sizeof command, "LANGUAGE=%s %s/chasqui-central %s --home %s --passphrase-file %s 2>/dev/null",
           language, getenv("CHASQUI_BIN"), arguments, w->home, w->phrase);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t size = fread(said, 1, sizeof said - 1, pipe);
  said[size] = '\0';
  if (WEXITSTATUS(pclose(pipe)) != 0) fail_msg("%s", command);
}

static bool any_sheet(cq_str name) {
  (void)name;
  return true;
}

static bool holds(const cq_workbook *book, const char *text) {
  for (size_t s = 0; s < book->count; s++)
    for (size_t r = 0; r < book->sheets[s].count; r++)
      for (size_t c = 0; c < book->sheets[s].rows[r].count; c++)
        if (cq_str_is(book->sheets[s].rows[r].cells[c].text, text)) return true;
  return false;
}

/* Every text of one list stands in the workbook, and none of the other. */
static void workbook_speaks(const world *w, const char *name, const char *const *its, const char *const *others) {
  cq_workbook *book = NULL;
  cq_error error;
  char path[700];
  snprintf(path, sizeof path, "%s/%s", w->home, name);
  test_must(cq_workbook_open(&book, path, any_sheet, &error), &error);
  for (; *its; its++)
    if (!holds(book, *its)) fail_msg("%s has no cell “%s”", name, *its);
  for (; *others; others++)
    if (holds(book, *others)) fail_msg("%s has a cell “%s”", name, *others);
  cq_workbook_free(book);
}

/* What a person reads is in the language of the run; what a program reads is the same in every language. */
static void people_read_their_language_and_programs_one(void **state) {
  (void)state;
  static const char *const languages[] = {"es", "en"};
  static const char *const figures[2][8] = {
      {"estimación", "temporada", "fuente", "registro", "media", "precisión", NULL},
      {"estimate", "season", "source", "as registered", "mean", "precision", NULL}};
  static const char *const records[2][8] = {{"resultado", "técnico", "completa", NULL},
                                            {"complete", "KEY", "working_date", NULL}},
                           *const not_said[2][3] = {{"complete", NULL}, {"completa", "resultado", NULL}};
  static const char *const cells[2][8] = {{"cubierta", "perdida", "persona", NULL},
                                          {"covered in time", "lost", "person", NULL}};
  static const char *const terminal[2][3] = {{"  resultado ", "  completa ", "  técnico "},
                                             {"  result ", "  complete ", "  technician "}};
  static const char *const machines[] = {"table f --json", "table ingreso --json",
                                         "coverage --campaign 2012 --today "
                                         "2013-08-20 --json",
                                         "export f --json --csv %s/%s", NULL};
  static const char *const files[] = {"f.csv", "coverage.csv", NULL};
  world *w = world_new("language", true);
  char arguments[1500], path[700];
  char *first[8] = {NULL};
  world_rest(w);
  for (int l = 0; l < 2; l++) {
    size_t kept = 0;
    for (size_t i = 0; machines[i]; i++) {
      snprintf(arguments, sizeof arguments, machines[i], w->home, ".");
      run_in(w, languages[l], arguments);
      if (l && i != 1) assert_string_equal(said, first[kept]); /* indicators bear their label, in its language */
      if (!l) first[kept] = strdup(said);
      kept++;
    }
    snprintf(arguments, sizeof arguments,
             "coverage --campaign 2012 --today 2013-08-20 --csv %s/coverage.csv --xlsx %s/c.xlsx", w->home, w->home);
    run_in(w, languages[l], arguments);
    for (size_t i = 0; files[i]; i++) {
      cq_buf bytes = {0};
      snprintf(path, sizeof path, "%s/%s", w->home, files[i]);
      assert_int_equal(cq_file_read(path, 1 << 20, &bytes, NULL), CQ_OK);
      assert_true(bytes.size > 100);
      if (l) assert_string_equal(bytes.at, first[kept]);
      if (!l) first[kept] = strdup(bytes.at);
      kept++;
      cq_buf_fini(&bytes);
    }
    snprintf(arguments, sizeof arguments, "table ingreso --version-of 1 --xlsx %s/i.xlsx", w->home);
    run_in(w, languages[l], arguments);
    snprintf(arguments, sizeof arguments, "export f --xlsx %s", w->home);
    run_in(w, languages[l], arguments);
    run_in(w, languages[l], "table f");
    for (size_t i = 0; i < 3; i++) {
      if (!strstr(said, terminal[l][i])) fail_msg("no “%s” in %.300s", terminal[l][i], said);
      if (strstr(said, terminal[!l][i])) fail_msg("“%s” in %.300s", terminal[!l][i], said);
    }
    workbook_speaks(w, "i.xlsx", figures[l], figures[!l]);
    workbook_speaks(w, "c.xlsx", cells[l], cells[!l]);
    workbook_speaks(w, "f.xlsx", records[l], not_said[l]); /* the names of its columns stay what they are */
  }
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) free(first[i]);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(people_read_their_language_and_programs_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
