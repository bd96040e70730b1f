/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"
#include "chasqui/file.h"
#include "cli/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What the verb that ran was told. */
static char seen[512];

static int note(cq_cli *cli, const char *verb) {
  const char *out = cq_cli_value(cli, "out"), *second = cq_cli_value_at(cli, "out", 1);
  snprintf(seen, sizeof seen, "%s args=%d first=%s out=%s second=%s json=%d", verb, cq_cli_args(cli),
           cq_cli_arg(cli, 0) ? cq_cli_arg(cli, 0) : "-", out ? out : "-", second ? second : "-",
           cq_cli_flag(cli, "json"));
  return CQ_EXIT_DONE;
}
static int run_none(cq_cli *cli) {
  return note(cli, "none");
}
static int run_convert(cq_cli *cli) {
  return note(cli, "convert");
}
static int run_post_init(cq_cli *cli) {
  return note(cli, "post init");
}
static int run_home(cq_cli *cli) {
  snprintf(seen, sizeof seen, "%s", cq_cli_home(cli));
  return CQ_EXIT_DONE;
}
static char passphrase[64];
static cq_status passphrase_status;
static const char *passphrase_code;
static int run_passphrase(cq_cli *cli) {
  cq_cli_secret secret;
  cq_error error;
  cq_error_clear(&error);
  passphrase_status = cq_cli_passphrase(cli, "passphrase-file", "x", false, &secret, &error);
  passphrase_code = error.code;
  if (passphrase_status != CQ_OK) return cq_cli_fail(cli, &error);
  snprintf(passphrase, sizeof passphrase, "%s", secret.at);
  assert_int_equal(secret.size, strlen(passphrase));
  cq_cli_secret_fini(&secret);
  return CQ_EXIT_DONE;
}

static int run_sure(cq_cli *cli) {
  cq_error error;
  cq_error_clear(&error);
  return cq_cli_confirm(cli, "Sure?", "--yes", &error) == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

static int run_counted(cq_cli *cli) {
  snprintf(seen, sizeof seen, "%d", cq_cli_args(cli));
  return CQ_EXIT_DONE;
}

static const cq_cli_option sure_options[] = {CQ_CLI_OPTION_YES, {0}};
static const cq_cli_option convert_options[] = {
    {"out", 'o', N_("FILE"), "where to write"}, CQ_CLI_OPTION_JSON, {"quiet", 'q', NULL, "say nothing"}, {0}};
static const cq_cli_option home_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, {0}};
static const cq_cli_verb verbs[] = {
    {.name = "", .summary = "the screen", .options = home_options, .run = run_none},
    {.name = "convert",
     .args = "IN [OUT]",
     .summary = "turn a table into a form",
     .options = convert_options,
     .run = run_convert},
    {.name = "post init", .summary = "make a post", .run = run_post_init},
    {.name = "assign", .args = "DEVICE CODE…", .summary = "give", .run = run_counted},
    {.name = "withdraw", .args = "DEVICE [CODE…]", .summary = "take back", .run = run_counted},
    {.name = "table", .args = "[TABLE | INDICATOR… | FORM]", .summary = "show", .run = run_counted},
    {.name = "snapshots", .args = "[QUARTER]", .summary = "show", .run = run_counted},
    {.name = "home", .summary = "say where", .options = home_options, .run = run_home},
    {.name = "sure", .summary = "ask", .options = sure_options, .run = run_sure},
    {.name = "pass", .summary = "ask", .options = home_options, .run = run_passphrase},
    {0}};
static const cq_cli_program program = {.name = "chasqui-test", .summary = "a program", .verbs = verbs};

static int run(const char *line) {
  static char text[512];
  char *argv[16] = {"chasqui-test"};
  int argc = 1;
  seen[0] = '\0';
  snprintf(text, sizeof text, "%s", line);
  for (char *save = NULL, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
    argv[argc++] = word;
  return cq_cli_main(&program, argc, argv);
}

static void reads_the_command_line(void **state) {
  (void)state;
  static const struct {
    const char *line;
    int status;
    const char *seen;
  } cases[] = {
      {"", 0, "none args=0 first=- out=- second=- json=0"},
      {"convert a.xlsx", 0, "convert args=1 first=a.xlsx out=- second=- json=0"},
      {"convert a -o b --json", 0, "convert args=1 first=a out=b second=- json=1"},
      {"-o b convert a", 0, "convert args=1 first=a out=b second=- json=0"},
      {"--out=b convert -ob2 a", 0, "convert args=1 first=a out=b2 second=b2 json=0"},
      {"convert -- -a", 0, "convert args=1 first=-a out=- second=- json=0"},
      {"convert -", 0, "convert args=1 first=- out=- second=- json=0"},
      {"convert a b", 0, "convert args=2 first=a out=- second=- json=0"},
      {"post init x", 2, ""},
      {"assign d", 2, ""},
      {"assign d c", 0, "2"},
      {"assign d c c c c", 0, "5"},
      {"withdraw", 2, ""},
      {"withdraw d", 0, "1"},
      {"withdraw d c c", 0, "3"},
      {"table", 0, "0"},
      {"table a b c d", 0, "4"},
      {"snapshots", 0, "0"},
      {"snapshots q", 0, "1"},
      {"snapshots q q", 2, ""},
      {"post init", 0, "post init args=0 first=- out=- second=- json=0"},
      {"convert", 2, ""},
      {"convert a b c", 2, ""},
      {"convert a --unknown", 2, ""},
      {"convert a --out", 2, ""},
      {"convert a --json=yes", 2, ""},
      {"post", 2, ""},
      {"nothing", 2, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(run(cases[i].line), cases[i].status);
    assert_string_equal(seen, cases[i].seen);
  }
}

static void finds_the_home(void **state) {
  (void)state;
  setenv("CHASQUI_HOME", "/from/chasqui", 1);
  assert_int_equal(run("home --home /said"), 0);
  assert_string_equal(seen, "/said");
  assert_int_equal(run("home"), 0);
  assert_string_equal(seen, "/from/chasqui");
  unsetenv("CHASQUI_HOME");
  setenv("XDG_DATA_HOME", "/xdg", 1);
  assert_int_equal(run("home"), 0);
  assert_string_equal(seen, "/xdg/chasqui");
  unsetenv("XDG_DATA_HOME");
  setenv("HOME", "/home/u", 1);
  assert_int_equal(run("home"), 0);
  assert_string_equal(seen, "/home/u/.local/share/chasqui");
}

static void reads_passphrases_from_closed_files_only(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    unsigned mode;
    const char *code; /* NULL: accepted */
    const char *passphrase;
  } cases[] = {
      {"quinua y oca\n", 0600, NULL, "quinua y oca"}, {"sin fin", 0400, NULL, "sin fin"},
      {"dos\r\nlineas\n", 0600, NULL, "dos"},         {"abierta\n", 0644, "cli.secret.mode", NULL},
      {"grupo\n", 0640, "cli.secret.mode", NULL},     {"", 0600, "cli.secret.empty", NULL},
      {"\n", 0600, "cli.secret.empty", NULL},
  };
  char path[256], *argv[] = {"chasqui-test", "pass", "--passphrase-file", path, NULL};
  snprintf(path, sizeof path, "%s/passphrase.%ld", getenv("CHASQUI_TEST_TMP") ? getenv("CHASQUI_TEST_TMP") : "/tmp",
           (long)getpid());
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(cq_file_replace(path, cases[i].bytes, strlen(cases[i].bytes), 0600, false, NULL), CQ_OK);
    assert_int_equal(chmod(path, cases[i].mode), 0);
    passphrase_code = NULL;
    int status = cq_cli_main(&program, 4, argv);
    if (cases[i].code) {
      assert_int_equal(status, CQ_EXIT_REFUSED);
      assert_string_equal(passphrase_code, cases[i].code);
    } else {
      assert_int_equal(status, CQ_EXIT_DONE);
      assert_string_equal(passphrase, cases[i].passphrase);
    }
  }
  static char long_line[CQ_CLI_SECRET_MAX + 10];
  memset(long_line, 'a', sizeof long_line);
  assert_int_equal(cq_file_replace(path, long_line, sizeof long_line, 0600, false, NULL), CQ_OK);
  assert_int_equal(cq_cli_main(&program, 4, argv), CQ_EXIT_REFUSED);
  assert_string_equal(passphrase_code, "cli.secret.long");
  unlink(path);
  assert_int_equal(cq_cli_main(&program, 4, argv), CQ_EXIT_ENVIRONMENT);
}

static void takes_yes_as_people_write_it(void **state) {
  (void)state;
  static const char *const yes[] = {"s", "S", "si", "sí", "Sí", "SÍ", " si "};
  static const char *const no[] = {"", " ", "n", "no", "y", "sino", "sí, claro", "\xC3", "S\xC3"};
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(cq_cli_is_yes(cq_str_from(yes[i])));
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(cq_cli_is_yes(cq_str_from(no[i])));
}

/* Where standard input is no terminal, what was missing on the command line is said. */
static void needs_a_word_where_nobody_can_be_asked(void **state) {
  (void)state;
  int before = dup(STDIN_FILENO), none = open("/dev/null", O_RDONLY | O_CLOEXEC);
  assert_true(before >= 0 && none >= 0);
  dup2(none, STDIN_FILENO);
  int silent = run("sure"), said = run("sure --yes");
  dup2(before, STDIN_FILENO);
  close(none);
  close(before);
  assert_int_equal(silent, CQ_EXIT_USAGE);
  assert_int_equal(said, CQ_EXIT_DONE);
}

static void explains_with_place_and_next_step(void **state) {
  (void)state;
  cq_error error;
  cq_buf what = {0}, next = {0};
  cq_error_set(&error, CQ_INVALID, "csv.quote.open", NULL);
  cq_error_at_file(&error, "tdd\n.csv");
  cq_error_at_line(&error, 7, 3);
  setenv("LANGUAGE", "en", 1);
  cq_cli_locale();
  cq_cli_explain(&error, &what, &next);
  assert_string_equal(what.at, "A quotation mark is not closed. (tdd\xEF\xBF\xBD.csv, line 7, column 3)");
  assert_string_equal(next.at, "Mend the file in a spreadsheet and save it again.");
  setenv("LANGUAGE", "es", 1);
  cq_cli_locale();
  cq_buf_reset(&what);
  cq_cli_explain(&error, &what, &next);
  assert_string_equal(what.at, "Unas comillas no están cerradas. (tdd\xEF\xBF\xBD.csv, línea 7, columna 3)");
  cq_buf_reset(&what);
  cq_buf_reset(&what);
  cq_error_io(&error, "io.open", "tdd.csv", ENOENT);
  cq_cli_explain(&error, &what, &next);
  assert_string_equal(what.at, "No se puede abrir tdd.csv: no existe.");
  cq_buf_reset(&what);
  cq_error_set(&error, CQ_INVALID, "no.such.code", "x", NULL);
  cq_cli_explain(&error, &what, &next);
  assert_string_equal(what.at, "no.such.code x");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

static void speaks_spanish_without_a_locale(void **state) {
  (void)state;
  static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG", "LANGUAGE"};
  static const struct {
    const char *lang;
    const char *language;
  } cases[] = {{NULL, "es"}, {"C", "es"}, {"POSIX", "es"}, {"xx_XX.UTF-8", "xx"}, {"en_ZZ.UTF-8", "en"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) unsetenv(names[n]);
    if (cases[i].lang) setenv("LANG", cases[i].lang, 1);
    cq_cli_locale();
    assert_string_equal(getenv("LANGUAGE"), cases[i].language);
  }
  unsetenv("LANG");
  unsetenv("LANGUAGE");
  cq_cli_locale();
  assert_string_equal(_("There is not enough memory."), "No hay memoria suficiente.");
}

static void writes_json_strings(void **state) {
  (void)state;
  cq_buf out = {0};
  cq_cli_add_json(&out, CQ_STR("a\"b\\\n\x01\xFFñ"));
  assert_string_equal(out.at, "\"a\\\"b\\\\\\n\\u0001\xEF\xBF\xBDñ\"");
  cq_buf_fini(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_command_line),
      cmocka_unit_test(finds_the_home),
      cmocka_unit_test(reads_passphrases_from_closed_files_only),
      cmocka_unit_test(takes_yes_as_people_write_it),
      cmocka_unit_test(needs_a_word_where_nobody_can_be_asked),
      cmocka_unit_test(explains_with_place_and_next_step),
      cmocka_unit_test(speaks_spanish_without_a_locale),
      cmocka_unit_test(writes_json_strings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
