/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself on a terminal of its own: a whole interview by keys, and all that may happen to a terminal. */
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <vterm.h>

enum { LIMIT_MS = 30000 };

typedef struct terminal {
  pid_t child;
  int master;
  VTerm *vterm;
  VTermScreen *screen;
  int rows, columns;
} terminal;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_passphrase(const office *it, char path[300]) {
  snprintf(path, 300, "%s/passphrase", it->home);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "%s\n", OFFICE_PASSPHRASE);
  assert_int_equal(fchmod(fileno(file), 0600), 0);
  fclose(file);
}

/* As a shell does: the program in a process group of its own, which can be stopped; a line wakes it again. */
static void be_its_shell(pid_t program) {
  int status;
  char c;
  for (;;) {
    if (waitpid(program, &status, WUNTRACED) != program) _exit(126);
    if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
    if (!WIFSTOPPED(status)) {
      kill(getpid(), SIGKILL);
      continue;
    }
    tcsetpgrp(STDIN_FILENO, getpgrp());
    dprintf(STDOUT_FILENO, "ASLEEP\r\n");
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') continue;
    tcsetpgrp(STDIN_FILENO, program);
    kill(-program, SIGCONT);
  }
}

static void go_under_a_shell(void) {
  signal(SIGTTOU, SIG_IGN);
  pid_t program = fork();
  if (program != 0) {
    setpgid(program, program);
    tcsetpgrp(STDIN_FILENO, program);
    be_its_shell(program);
  }
  setpgid(0, 0);
  tcsetpgrp(STDIN_FILENO, getpid());
  signal(SIGTTOU, SIG_DFL);
}

static void see_through(terminal *it) {
  fcntl(it->master, F_SETFL, O_NONBLOCK);
  it->vterm = vterm_new(it->rows, it->columns);
  vterm_set_utf8(it->vterm, 1);
  it->screen = vterm_obtain_screen(it->vterm);
  vterm_screen_reset(it->screen, 1);
}

static terminal open_terminal(const office *it, bool shell, int rows, int columns) {
  char program[300], passphrase[300];
  terminal made = {.rows = rows, .columns = columns};
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  snprintf(program, sizeof program, "%s/chasqui-collector", getenv("CHASQUI_BIN"));
  write_passphrase(it, passphrase);
  made.child = forkpty(&made.master, NULL, NULL, &size);
  assert_true(made.child >= 0);
  if (made.child == 0) {
    setenv("TERM", "xterm", 1);
    setenv("LANGUAGE", "es", 1);
    unsetenv("CHASQUI_HOME");
    if (shell) go_under_a_shell();
    execl(program, program, "--home", it->home, "--passphrase-file", passphrase, (char *)NULL);
    _exit(127);
  }
  see_through(&made);
  return made;
}

/* Takes what the program wrote; false where it has gone. */
static bool drain(terminal *it, int wait_ms) {
  char bytes[4096];
  struct pollfd in = {.fd = it->master, .events = POLLIN};
  if (poll(&in, 1, wait_ms) <= 0) return true;
  ssize_t got = read(it->master, bytes, sizeof bytes);
  if (got > 0) vterm_input_write(it->vterm, bytes, (size_t)got);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

static void screen_text(terminal *it, cq_buf *out) {
  cq_buf_reset(out);
  for (int row = 0; row < it->rows; row++) {
    for (int column = 0; column < it->columns;) {
      VTermScreenCell cell;
      VTermPos at = {.row = row, .col = column};
      vterm_screen_get_cell(it->screen, at, &cell);
      for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] != 0; i++)
        cq_buf_add_code_point(out, cell.chars[i]);
      if (cell.chars[0] == 0) cq_buf_add_char(out, ' ');
      column += cell.width > 0 ? cell.width : 1;
    }
    cq_buf_add_char(out, '\n');
  }
}

/* Whether the screen comes to show a text (or no longer does) in that time. */
static bool comes(terminal *it, const char *text, bool there, int limit_ms, cq_buf *shown) {
  int64_t end = now_ms() + limit_ms;
  do {
    drain(it, 50);
    screen_text(it, shown);
    if ((strstr(shown->at, text) != NULL) == there) return true;
  } while (now_ms() < end);
  return false;
}

static void wait_for(terminal *it, const char *text, bool there) {
  cq_buf shown = {0};
  if (!comes(it, text, there, LIMIT_MS, &shown))
    fail_msg("%s: %s\n%s", there ? "never shown" : "never gone", text, shown.at);
  cq_buf_fini(&shown);
}

static void expect(terminal *it, const char *text) {
  wait_for(it, text, true);
}

static void type(terminal *it, const char *bytes) {
  size_t size = strlen(bytes), done = 0;
  while (done < size) {
    ssize_t put = write(it->master, bytes + done, size - done);
    if (put > 0) done += (size_t)put;
    drain(it, 0);
  }
}

static int wait_child(terminal *it) {
  int status = 0;
  int64_t end = now_ms() + LIMIT_MS;
  while (waitpid(it->child, &status, WNOHANG) == 0) {
    if (now_ms() > end) fail_msg("the program does not end");
    if (it->master >= 0) drain(it, 20);
  }
  return status;
}

static void close_terminal(terminal *it) {
  if (it->master >= 0) close(it->master);
  vterm_free(it->vterm);
}

#define ENTER "\r"
#define DOWN "\033OB"
#define PAGE_UP "\033[5~"

static office *fresh(const char *path, const char *id, cq_bundle_form *form, cq_buf *xml) {
  *form = way_form(path, id, xml);
  office *it = office_new(CQ_MODE_REAL, form, 1);
  office_join(it);
  return it;
}

/* From the first answer to the last: what is drawn by lot and what the clock says stands outside. */
static void cut_answers(cq_buf *record) {
  char *from = strstr(record->at, "<region>"), *to = strstr(record->at, "</celular>");
  assert_true(from && to);
  *to = '\0';
  memmove(record->at, from, strlen(from) + 1);
}

static void an_interview_by_keys_alone(void **state) {
  (void)state;
  cq_bundle_form form;
  cq_buf xml = {0}, by_keys = {0}, by_file = {0};
  office *it = fresh("forms/programmes/ici/f_formadores.xlsx", "f_formadores", &form, &xml);
  static const struct {
    const char *shown, *typed;
  } steps[] = {
      {"Nueva entrevista", ENTER},
      {"Registro de formadores", ENTER},
      {"Región", "puno" ENTER},
      {"Sector", "artes" ENTER},
      {"Nombres", "Persona" ENTER},
      {"Apellidos", "Inventada Ñ" ENTER},
      {"¿Tiene DNI?", "si" ENTER},
      {"Número de DNI", "99912345" ENTER},
      {"Dígito o letra", ENTER},
      {"Sexo", "mujer" ENTER},
      {"antepasados", DOWN DOWN ENTER},
      {"Lenguas", DOWN " " DOWN DOWN DOWN " " ENTER},
      {"¿Es también TDD?", "no" ENTER},
      {"Institución", "Taller inventado" ENTER},
      {"Certificado por", "mtpe" ENTER},
      {"Fecha de certificación", "30/5/2012" ENTER},
      {"Número de certificado", "A-15" ENTER},
      {"Módulos aprobados", "19" ENTER},
      {"Celular", "999123456" ENTER},
      {"Terminar: completa", ENTER},
      {"Espera al mensajero en la bandeja de salida.", "\033"},
  };
  terminal at = open_terminal(it, false, 24, 80);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    expect(&at, steps[i].shown);
    type(&at, steps[i].typed);
  }
  assert_int_equal(wait_child(&at), 0);
  close_terminal(&at);
  assert_int_equal(way_record(it, &by_keys), CQ_RESULT_COMPLETE);
  office *other = fresh("forms/programmes/ici/f_formadores.xlsx", "f_formadores", &form, &xml);
  way_answers(other, "tests/collector/formadores.json");
  assert_int_equal(way_record(other, &by_file), CQ_RESULT_COMPLETE);
  cut_answers(&by_keys);
  cut_answers(&by_file);
  assert_string_equal(by_keys.at, by_file.at);
  office_free(it);
  office_free(other);
  cq_buf_fini(&xml);
  cq_buf_fini(&by_keys);
  cq_buf_fini(&by_file);
}

/* --- what may happen to a terminal --- */

static void by_signal(terminal *it, int number) {
  assert_int_equal(kill(it->child, number), 0);
}
static void terminate(terminal *it) {
  by_signal(it, SIGTERM);
}
static void hang_up(terminal *it) {
  by_signal(it, SIGHUP);
}
static void interrupt(terminal *it) {
  type(it, "\003");
}
static void vanish(terminal *it) {
  close(it->master);
  it->master = -1;
}
static void kill_nine(terminal *it) {
  by_signal(it, SIGKILL);
}

static void nothing_that_befalls_a_terminal_loses_an_answer(void **state) {
  (void)state;
  static void (*const events[])(terminal *) = {terminate, hang_up, interrupt, vanish, kill_nine};
  cq_bundle_form form;
  cq_buf xml = {0};
  for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
    cq_buf_reset(&xml);
    office *it = fresh("tests/collector/visita", "visita", &form, &xml);
    terminal at = open_terminal(it, false, 24, 80);
    expect(&at, "Nueva entrevista");
    type(&at, ENTER);
    expect(&at, "Visita de prueba");
    type(&at, ENTER);
    expect(&at, "Buenos días");
    type(&at, ENTER);
    expect(&at, "¿Cómo se llama");
    type(&at, "Ana" ENTER);
    expect(&at, "¿Cuántos años");
    events[i](&at);
    wait_child(&at);
    close_terminal(&at);
    at = open_terminal(it, false, 24, 80);
    expect(&at, "Nueva entrevista");
    type(&at, DOWN ENTER);
    expect(&at, "¿Con qué borrador");
    type(&at, ENTER);
    expect(&at, "¿Cuántos años");
    type(&at, PAGE_UP);
    expect(&at, "Ana");
    type(&at, "\033");
    expect(&at, "El borrador queda");
    type(&at, "\033");
    assert_int_equal(wait_child(&at), 0);
    close_terminal(&at);
    office_free(it);
  }
  cq_buf_fini(&xml);
}

/* In the terminal's session: the program in a group of its own, whose parent goes, so that nobody's session owns it.
 * When told, the leader takes the terminal back, as a shell does. */
static void lead_an_orphan(const char *home, const char *passphrase, int told, int alive) {
  char program[300], c;
  snprintf(program, sizeof program, "%s/chasqui-collector", getenv("CHASQUI_BIN"));
  signal(SIGTTOU, SIG_IGN);
  pid_t parent = fork();
  if (parent == 0) {
    if (fork() != 0) _exit(0);
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpid());
    signal(SIGTTOU, SIG_DFL);
    close(told);
    execl(program, program, "--home", home, "--passphrase-file", passphrase, (char *)NULL);
    _exit(127);
  }
  close(alive);
  while (waitpid(parent, NULL, 0) != parent) continue;
  if (read(told, &c, 1) == 1) tcsetpgrp(STDIN_FILENO, getpgrp());
  while (read(told, &c, 1) == 1) continue;
  _exit(0);
}

/* What it may not read any more is there for ever: it must end, and not spin. */
static void an_orphan_that_may_not_read_its_terminal_ends(void **state) {
  (void)state;
  char passphrase[300], c;
  int told[2], alive[2];
  cq_bundle_form form;
  cq_buf xml = {0};
  office *it = fresh("tests/collector/visita", "visita", &form, &xml);
  terminal at = {.rows = 24, .columns = 80};
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  write_passphrase(it, passphrase);
  assert_int_equal(pipe(told), 0);
  assert_int_equal(pipe(alive), 0);
  at.child = forkpty(&at.master, NULL, NULL, &size);
  assert_true(at.child >= 0);
  if (at.child == 0) {
    setenv("TERM", "xterm", 1);
    setenv("LANGUAGE", "es", 1);
    unsetenv("CHASQUI_HOME");
    close(told[1]);
    close(alive[0]);
    lead_an_orphan(it->home, passphrase, told[0], alive[1]);
  }
  close(told[0]);
  close(alive[1]);
  see_through(&at);
  expect(&at, "Nueva entrevista");
  assert_int_equal(write(told[1], "x", 1), 1);
  struct pollfd gone = {.fd = alive[0], .events = POLLIN};
  for (int i = 0; i < 600 && poll(&gone, 1, 100) == 0; i++) {
    drain(&at, 0);
    type(&at, "x"); /* nobody reads it */
  }
  assert_int_equal(read(alive[0], &c, 1), 0);
  close(told[1]);
  close(alive[0]);
  wait_child(&at);
  close_terminal(&at);
  office_free(it);
  cq_buf_fini(&xml);
}

/* curses lets Ctrl-Z pass unheard while it paints, so it is pressed again. */
static void put_to_sleep(terminal *it) {
  cq_buf shown = {0};
  bool asleep = false;
  for (int i = 0; i < 30 && !asleep; i++) {
    type(it, "\032");
    asleep = comes(it, "ASLEEP", true, 1000, &shown);
  }
  assert_true(asleep);
  cq_buf_fini(&shown);
}

static void a_window_may_change_its_size_and_the_program_be_put_to_sleep(void **state) {
  (void)state;
  cq_bundle_form form;
  cq_buf xml = {0};
  office *it = fresh("tests/collector/visita", "visita", &form, &xml);
  terminal at = open_terminal(it, true, 24, 80);
  expect(&at, "Nueva entrevista");
  struct winsize size = {.ws_row = 8, .ws_col = 60};
  at.rows = 8;
  at.columns = 60;
  vterm_set_size(at.vterm, 8, 60);
  assert_int_equal(ioctl(at.master, TIOCSWINSZ, &size), 0);
  expect(&at, "agrande la ventana");
  size = (struct winsize){.ws_row = 40, .ws_col = 120};
  at.rows = 40;
  at.columns = 120;
  vterm_set_size(at.vterm, 40, 120);
  assert_int_equal(ioctl(at.master, TIOCSWINSZ, &size), 0);
  expect(&at, "Nueva entrevista");
  type(&at, ENTER);
  expect(&at, "Visita de prueba");
  type(&at, ENTER ENTER);
  expect(&at, "¿Cómo se llama");
  type(&at, "Ana");
  expect(&at, "    Ana");
  put_to_sleep(&at);
  type(&at, "\n");
  wait_for(&at, "ASLEEP", false);
  expect(&at, "    Ana");
  type(&at, " María" ENTER);
  expect(&at, "¿Cuántos años");
  type(&at, PAGE_UP);
  expect(&at, "Ana María");
  type(&at, "\033");
  expect(&at, "El borrador queda");
  type(&at, "\033");
  assert_int_equal(wait_child(&at), 0);
  close_terminal(&at);
  office_free(it);
  cq_buf_fini(&xml);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_interview_by_keys_alone),
      cmocka_unit_test(nothing_that_befalls_a_terminal_loses_an_answer),
      cmocka_unit_test(an_orphan_that_may_not_read_its_terminal_ends),
      cmocka_unit_test(a_window_may_change_its_size_and_the_program_be_put_to_sleep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
