/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/pages/action.h"

#include "chasqui/cli.h"

#include <string.h>

enum { MAX_KEYS = 3 };

static const struct row {
  cq_action action;
  unsigned where;
  cq_key keys[MAX_KEYS]; /* the first is shown on the help line; 0: none */
  const char *name;      /* for the help line; NULL: not shown there */
  const char *text;
} rows[] = {
    {CQ_DO_ACCEPT, CQ_ON_NOTE, {CQ_KEY_ENTER, CQ_KEY_PAGE_DOWN}, N_("go on"), N_("go to the next question")},
    {CQ_DO_ACCEPT,
     CQ_ON_TEXT | CQ_ON_CHOICES | CQ_ON_SEVERAL,
     {CQ_KEY_ENTER, CQ_KEY_PAGE_DOWN},
     N_("go on"),
     N_("take the answer and go to the next question")},
    {CQ_DO_ACCEPT, CQ_ON_CODE, {CQ_KEY_ENTER}, N_("go on"), N_("take what was written")},
    {CQ_DO_ACCEPT, CQ_ON_LIST | CQ_ON_LOCK | CQ_ON_START, {CQ_KEY_ENTER}, N_("choose"), N_("choose what is marked")},
    {CQ_DO_MARK, CQ_ON_SEVERAL, {' '}, N_("mark"), N_("mark a choice, or take the mark away")},
    {CQ_DO_BACK, CQ_ON_QUESTION, {CQ_KEY_PAGE_UP, CQ_KEY_BACK_TAB}, N_("back"), N_("go to the question before")},
    {CQ_DO_COMPLETE, CQ_ON_FILE, {CQ_KEY_TAB}, N_("complete"), N_("complete the path, or show how it may go on")},
    {CQ_DO_UP, CQ_ON_LIST | CQ_ON_QUESTION | CQ_ON_START | CQ_ON_HELP, {CQ_KEY_UP}, NULL, N_("up")},
    {CQ_DO_DOWN, CQ_ON_LIST | CQ_ON_START | CQ_ON_HELP, {CQ_KEY_DOWN, CQ_KEY_TAB}, N_("down"), N_("down")},
    {CQ_DO_DOWN, CQ_ON_QUESTION, {CQ_KEY_DOWN, CQ_KEY_TAB}, NULL, N_("down")},
    {CQ_DO_PAGE_UP, CQ_ON_LIST | CQ_ON_HELP, {CQ_KEY_PAGE_UP}, NULL, N_("a page up")},
    {CQ_DO_PAGE_DOWN, CQ_ON_LIST | CQ_ON_HELP, {CQ_KEY_PAGE_DOWN}, NULL, N_("a page down")},
    {CQ_DO_MISSING,
     CQ_ON_MISSING,
     {CQ_KEY_F1 + 4, CQ_KEY_CONTROL('N')},
     N_("no answer"),
     N_("say why there is no answer: does not know, does not answer, does not apply")},
    {CQ_DO_HELP, CQ_ON_TEXT, {CQ_KEY_F1, CQ_KEY_CONTROL('A')}, N_("help"), N_("show the keys")},
    {CQ_DO_HELP,
     CQ_ON_LIST | CQ_ON_START | CQ_ON_NOTE | CQ_ON_CHOICES,
     {CQ_KEY_F1, CQ_KEY_CONTROL('A'), '?'},
     N_("help"),
     N_("show the keys")},
    {CQ_DO_LEAVE,
     CQ_ON_QUESTION,
     {CQ_KEY_ESCAPE},
     N_("leave"),
     N_("leave the interview; the draft keeps every answer")},
    {CQ_DO_LEAVE, CQ_ON_LIST | CQ_ON_HELP | CQ_ON_CODE, {CQ_KEY_ESCAPE}, N_("return"), N_("return to the page before")},
    {CQ_DO_LEAVE, CQ_ON_START | CQ_ON_LOCK, {CQ_KEY_ESCAPE}, N_("leave"), N_("leave the program")},
    {CQ_DO_LEAVE,
     CQ_ON_WORK,
     {CQ_KEY_ESCAPE, 'q'},
     N_("stop"),
     N_("stop what takes long: packing goes on another time, a file is not taken; no answer is lost")},
    {CQ_DO_JUMP,
     CQ_ON_QUESTION,
     {CQ_KEY_F1 + 1, CQ_KEY_CONTROL('G')},
     N_("go to"),
     N_("go to a question by its name or text; all answers so far")},
    {CQ_DO_REVIEW,
     CQ_ON_QUESTION,
     {CQ_KEY_F1 + 3, CQ_KEY_CONTROL('R')},
     N_("review"),
     N_("to the end of the form: what is missing, and finishing")},
    {CQ_DO_REMOVE, CQ_ON_REPEATED, {CQ_KEY_F1 + 6, CQ_KEY_CONTROL('D')}, N_("remove"), N_("remove this repeated part")},
    {CQ_DO_CORRECT,
     CQ_ON_FINISHED,
     {CQ_KEY_F1 + 5, CQ_KEY_CONTROL('E')},
     N_("correct"),
     N_("correct the finished interview: it stays as it is, and a new one takes its place")},
    {CQ_DO_LANGUAGE,
     CQ_ON_QUESTION,
     {CQ_KEY_F1 + 2, CQ_KEY_CONTROL('L')},
     N_("language"),
     N_("the form's next language")},
    {CQ_DO_CLEAR, CQ_ON_QUESTION, {CQ_KEY_CONTROL('U')}, NULL, N_("take this answer away")},
    {CQ_DO_LOCK,
     CQ_ON_LIST | CQ_ON_QUESTION | CQ_ON_START,
     {CQ_KEY_F1 + 8, CQ_KEY_CONTROL('K')},
     NULL,
     N_("lock the screen: the passphrase opens it again where you were")},
};

enum { ROWS = sizeof rows / sizeof *rows };

cq_action cq_action_of(cq_key key, unsigned where) {
  for (size_t i = 0; i < ROWS; i++) {
    if ((rows[i].where & where) == 0) continue;
    for (int k = 0; k < MAX_KEYS && rows[i].keys[k] != 0; k++) {
      if (rows[i].keys[k] == key) return rows[i].action;
    }
  }
  return CQ_DO_NOTHING;
}

void cq_action_line(cq_grid *grid, int row, unsigned where) {
  int column = 1;
  for (size_t i = 0; i < ROWS; i++) {
    if ((rows[i].where & where) == 0 || !rows[i].name) continue;
    const char *name = _(rows[i].name), *key = cq_key_name(rows[i].keys[0]);
    int width = cq_text_columns(cq_str_from(key)) + 1 + cq_text_columns(cq_str_from(name));
    if (column + width > grid->columns) continue;
    column += cq_grid_write(grid, row, column, grid->columns, CQ_LOOK_BOLD, cq_str_from(key)) + 1;
    column += cq_grid_write(grid, row, column, grid->columns, 0, cq_str_from(name)) + 2;
  }
}

static void add_keys(const struct row *row, cq_buf *keys) {
  for (int k = 0; k < MAX_KEYS && row->keys[k] != 0; k++) {
    if (k > 0) cq_buf_add_text(keys, ", ");
    cq_buf_add_text(keys, cq_key_name(row->keys[k]));
  }
}

bool cq_action_row(size_t n, unsigned where, cq_buf *keys, const char **text) {
  for (size_t i = 0; i < ROWS; i++) {
    if ((rows[i].where & where) == 0 || n-- > 0) continue;
    cq_buf_reset(keys);
    add_keys(&rows[i], keys);
    *text = _(rows[i].text);
    return true;
  }
  return false;
}

void cq_action_manual(cq_buf *out) {
  cq_buf keys = {0};
  cq_buf_addf(out, "# %s\n\n", _("KEYS"));
  for (size_t i = 0; i < ROWS; i++) {
    cq_buf_reset(&keys);
    add_keys(&rows[i], &keys);
    cq_buf_addf(out, "*%s*\n\t%s\n\n", strcmp(keys.at, "?") == 0 ? "\\?" : keys.at, _(rows[i].text));
  }
  cq_buf_fini(&keys);
}
