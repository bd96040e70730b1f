/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/cli.h"
#include "collector/screen/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

typedef struct terminal {
  cq_backend backend; /* first */
  SCREEN *screen;
  bool color;
  int nothing; /* how often in a row there was to be something to read, and was not */
} terminal;

enum { NOTHING_MOST = 200 };

enum { PAIR_WARN = 1, PAIR_FAULT, PAIR_GOOD };

static void size(cq_backend *backend, int *rows, int *columns) {
  (void)backend;
  getmaxyx(stdscr, *rows, *columns);
}

static attr_t attributes(const terminal *it, unsigned look) {
  attr_t attr = A_NORMAL;
  if (look & CQ_LOOK_BOLD) attr |= A_BOLD;
  if (look & CQ_LOOK_REVERSE) attr |= A_REVERSE;
  if (look & CQ_LOOK_UNDERLINE) attr |= A_UNDERLINE;
  if (look & CQ_LOOK_DIM) attr |= A_DIM;
  if (!it->color) return attr;
  if (look & CQ_LOOK_WARN) attr |= (attr_t)COLOR_PAIR(PAIR_WARN);
  if (look & CQ_LOOK_FAULT) attr |= (attr_t)COLOR_PAIR(PAIR_FAULT);
  if (look & CQ_LOOK_GOOD) attr |= (attr_t)COLOR_PAIR(PAIR_GOOD);
  return attr;
}

static void put(cq_backend *backend, int row, int column, const cq_glyph *cells, int count) {
  const terminal *it = (const terminal *)backend;
  move(row, column);
  for (int i = 0; i < count; i++) {
    attrset((int)attributes(it, cells[i].look));
    /* The last cell of the last row would scroll: curses writes it and answers ERR, which is no matter. */
    (void)addstr(cells[i].text);
  }
  attrset((int)A_NORMAL);
}

static void show(cq_backend *backend, int row, int column) {
  (void)backend;
  curs_set(row >= 0 ? 1 : 0);
  if (row >= 0) move(row, column);
  refresh();
}

static cq_key translate(wint_t code, bool is_key) {
  static const struct {
    int curses;
    cq_key key;
  } keys[] = {
      {KEY_ENTER, CQ_KEY_ENTER},   {KEY_BTAB, CQ_KEY_BACK_TAB}, {KEY_BACKSPACE, CQ_KEY_BACKSPACE},
      {KEY_DC, CQ_KEY_DELETE},     {KEY_UP, CQ_KEY_UP},         {KEY_DOWN, CQ_KEY_DOWN},
      {KEY_LEFT, CQ_KEY_LEFT},     {KEY_RIGHT, CQ_KEY_RIGHT},   {KEY_HOME, CQ_KEY_HOME},
      {KEY_END, CQ_KEY_END},       {KEY_PPAGE, CQ_KEY_PAGE_UP}, {KEY_NPAGE, CQ_KEY_PAGE_DOWN},
      {KEY_RESIZE, CQ_KEY_RESIZE},
  };
  if (!is_key) {
    switch (code) {
    case '\r':
    case '\n': return CQ_KEY_ENTER;
    case '\t': return CQ_KEY_TAB;
    case 0x1B: return CQ_KEY_ESCAPE;
    case 0x08:
    case 0x7F: return CQ_KEY_BACKSPACE;
    default: return (cq_key)code;
    }
  }
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (keys[i].curses == (int)code) return keys[i].key;
  }
  if ((int)code >= KEY_F(1) && (int)code <= KEY_F(12)) return CQ_KEY_F1 + (cq_key)((int)code - KEY_F(1));
  return CQ_KEY_NONE;
}

static bool take(cq_key *key) {
  wint_t code;
  int kind = get_wch(&code);
  if (kind == ERR) return false;
  *key = translate(code, kind == KEY_CODE_YES);
  return true;
}

/* curses alone can't tell a vanished terminal from a silent one, so the descriptor is asked first. */
static cq_key key(cq_backend *backend, int wait_ms) {
  terminal *it = (terminal *)backend;
  cq_key pressed;
  struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
  if (cq_cli_signal() != 0) return CQ_KEY_SIGNAL;
  if (take(&pressed)) return pressed;
  int ready = poll(&in, 1, wait_ms);
  if (cq_cli_signal() != 0) return CQ_KEY_SIGNAL;
  if (ready > 0 && (in.revents & POLLIN) == 0) return CQ_KEY_GONE;
  bool taken = take(&pressed);
  /* A terminal that this process may no longer read (it belongs to nobody's session) says so by failing, for ever:
   * without an end to it this would spin. A part of a key that is still on its way comes long before. */
  it->nothing = ready > 0 && !taken ? it->nothing + 1 : 0;
  if (taken) return pressed;
  return ready > 0 && ((in.revents & POLLHUP) != 0 || it->nothing > NOTHING_MOST) ? CQ_KEY_GONE : CQ_KEY_NONE;
}

static void close_terminal(cq_backend *backend) {
  terminal *it = (terminal *)backend;
  endwin();
  delscreen(it->screen);
  free(it);
}

cq_status cq_curses_open(cq_backend **backend, bool color, cq_error *error) {
  const char *name = getenv("TERM");
  *backend = NULL;
  terminal *it = calloc(1, sizeof *it);
  if (!it) return cq_error_nomem(error);
  bool there = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  if (there) it->screen = newterm(NULL, stdout, stdin);
  if (!it->screen) {
    free(it);
    if (!there) return cq_error_set(error, CQ_IO, "collector.terminal.none", NULL);
    return cq_error_set(error, CQ_IO, "collector.terminal", name ? name : "", NULL);
  }
  it->backend = (cq_backend){size, put, show, key, close_terminal};
  set_term(it->screen);
  set_escdelay(50); /* ms: Esc alone answers at once, and slow lines can still send arrow keys */
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, TRUE);
  timeout(0);
  it->color = color && has_colors() && start_color() == OK && use_default_colors() == OK;
  if (it->color) {
    init_pair(PAIR_WARN, COLOR_YELLOW, -1);
    init_pair(PAIR_FAULT, COLOR_RED, -1);
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
  }
  *backend = &it->backend;
  return CQ_OK;
}
