/* SPDX-License-Identifier: Apache-2.0 */
/* The small views: help, going to a question, codes in place of an answer, a yes or no, the lock. */
#include "collector/answer.h"
#include "collector/pages/app.h"
#include "collector/pages/edit.h"
#include "collector/pages/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- help --- */

typedef struct help {
  cq_view view;
  unsigned asked; /* what the keys of are shown */
  int top, rows, total;
} help;

static void help_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  help *it = (help *)view;
  cq_buf keys = {0};
  const char *text;
  int line = 0;
  it->rows = rows;
  for (size_t i = 0; cq_action_row(i, it->asked, &keys, &text); i++) {
    cq_str part;
    bool first = true;
    for (size_t at = 0; cq_text_wrap(cq_str_from(text), grid->columns - 24, &at, &part); line++, first = false) {
      if (line < it->top || line >= it->top + rows) continue;
      if (first) cq_grid_write(grid, row + line - it->top, 2, 18, CQ_LOOK_BOLD, cq_buf_str(&keys));
      cq_grid_write(grid, row + line - it->top, 22, grid->columns - 24, 0, part);
    }
  }
  it->total = line;
  cq_buf_fini(&keys);
}

static unsigned help_where(const cq_view *view) {
  (void)view;
  return CQ_ON_HELP;
}

static void help_act(cq_view *view, cq_action action) {
  help *it = (help *)view;
  int most = it->total > it->rows ? it->total - it->rows : 0;
  switch (action) {
  case CQ_DO_UP: it->top--; break;
  case CQ_DO_DOWN: it->top++; break;
  case CQ_DO_PAGE_UP: it->top -= it->rows; break;
  case CQ_DO_PAGE_DOWN: it->top += it->rows; break;
  default: cq_app_pop(view->app); return;
  }
  if (it->top > most) it->top = most;
  if (it->top < 0) it->top = 0;
}

/* Any key returns: who asks for help may not know which one does. */
static void help_type(cq_view *view, cq_key key) {
  (void)key;
  cq_app_pop(view->app);
}

void cq_view_help(cq_app *app, unsigned where) {
  static const cq_view_kind kind = {help_draw, help_where, help_act, help_type, NULL, NULL};
  help *it = cq_app_push(app, &kind, sizeof *it, _("Keys"));
  if (it) it->asked = where;
}

/* --- a list to choose from --- */

typedef struct choice_view {
  cq_view view;
  cq_list list;
  char *intro;
  int rows;
  cq_entry node;
  int64_t context;
  void (*choose)(struct choice_view *it, const cq_list_item *item);
  void (*yes)(cq_app *app, int64_t context);
  void (*chosen)(cq_app *app, int64_t context, size_t option);
  void (*given)(cq_app *app, cq_str code, int64_t context);
} choice_view;

static void choice_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  choice_view *it = (choice_view *)view;
  int used = cq_app_text(grid, row, rows - 3, 2, grid->columns - 4, CQ_LOOK_BOLD, cq_str_from(it->intro)) + 1;
  it->rows = rows - used;
  cq_list_draw(&it->list, grid, row + used, it->rows, 1, grid->columns - 2);
}

static unsigned choice_where(const cq_view *view) {
  (void)view;
  return CQ_ON_LIST;
}

static void choice_act(cq_view *view, cq_action action) {
  choice_view *it = (choice_view *)view;
  if (cq_list_act(&it->list, action, it->rows)) return;
  if (action == CQ_DO_LEAVE) {
    cq_app_pop(view->app);
    return;
  }
  const cq_list_item *here = cq_list_here(&it->list);
  if (action == CQ_DO_ACCEPT && here) it->choose(it, here);
}

static void choice_type(cq_view *view, cq_key key) {
  cq_list_type(&((choice_view *)view)->list, key);
}

static void choice_end(cq_view *view) {
  choice_view *it = (choice_view *)view;
  cq_list_fini(&it->list);
  free(it->intro);
}

static const cq_view_kind choice_kind = {choice_draw, choice_where, choice_act, choice_type, NULL, choice_end};

static choice_view *open_choice(cq_app *app, const char *title, const char *intro,
                                void (*choose)(choice_view *, const cq_list_item *)) {
  choice_view *it = cq_app_push(app, &choice_kind, sizeof *it, title);
  if (!it) return NULL;
  it->intro = strdup(intro);
  it->choose = choose;
  if (it->intro) return it;
  cq_app_pop(app);
  return NULL;
}

/* --- going to a question; all answers so far --- */

static void choose_question(choice_view *it, const cq_list_item *item) {
  cq_app_go_to(it->view.app, (cq_entry)item->tag);
}

static void add_question(choice_view *it, const cq_outline_row *row, cq_arena *arena) {
  const cq_filling *filling = it->view.app->filling;
  cq_prompt prompt;
  cq_buf text = {0}, detail = {0};
  if (cq_interview_prompt(filling->interview, row->node, arena, &prompt, NULL) != CQ_OK) return;
  bool question = prompt.state.kind == CQ_ENTRY_VALUE;
  if (question && prompt.state.field->is_missing) return; /* the row of what it is about shows it */
  for (unsigned i = 0; i < row->depth && i < 6; i++) cq_buf_add_text(&text, "  ");
  cq_buf_add_str(&text, prompt.label);
  if (prompt.state.kind == CQ_ENTRY_INSTANCE) cq_buf_addf(&text, " %u", (unsigned)prompt.state.position);
  if (question && cq_filling_shown(filling, &prompt, arena, &detail, NULL) != CQ_OK) cq_buf_reset(&detail);
  cq_list_add(&it->list, (int64_t)row->node, cq_buf_str(&text), detail.size > 0 ? detail.at : NULL);
  cq_buf_fini(&text);
  cq_buf_fini_secret(&detail);
}

void cq_view_jump(cq_app *app) {
  cq_error error;
  cq_outline_row *rows;
  size_t count = 0;
  cq_arena *arena = cq_arena_new(0);
  cq_error_clear(&error);
  cq_status status =
      arena ? cq_interview_outline(app->filling->interview, arena, &rows, &count, &error) : cq_error_nomem(&error);
  if (cq_app_well(app, status, &error)) {
    choice_view *it =
        open_choice(app, _("Go to"), _("Which question? Write part of its text, or use the arrows."), choose_question);
    for (size_t i = 0; it && i < count; i++) add_question(it, &rows[i], arena);
    if (it) cq_list_ready(&it->list, 0);
  }
  cq_arena_free(arena);
}

/* --- codes in place of an answer --- */

static void choose_missing(choice_view *it, const cq_list_item *item) {
  cq_app *app = it->view.app;
  cq_set_outcome outcome;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_filling_set_missing(app->filling, it->node, cq_str_from(item->detail), true, &outcome, &error);
  if (cq_app_well(app, status, &error)) cq_app_show_page(app);
}

void cq_view_missing(cq_app *app, cq_entry node) {
  cq_entry_state state;
  if (cq_interview_state(app->filling->interview, node, &state, NULL) != CQ_OK) return;
  choice_view *it = open_choice(app, _("No answer"), _("Why is there no answer?"), choose_missing);
  if (!it) return;
  it->node = node;
  cq_str codes = state.field->missing;
  for (size_t at = 0; at < codes.size;) {
    size_t start = at;
    while (at < codes.size && codes.at[at] != ' ') at++;
    cq_str code = {codes.at + start, at - start};
    while (at < codes.size && codes.at[at] == ' ') at++;
    char text[32];
    if (code.size == 0 || code.size >= sizeof text) continue;
    memcpy(text, code.at, code.size);
    text[code.size] = '\0';
    const char *words = cq_answer_missing_words(code);
    cq_list_add(&it->list, 0, words ? cq_str_from(words) : code, text);
  }
  cq_list_ready(&it->list, 0);
}

/* --- yes or no --- */

static void choose_answer(choice_view *it, const cq_list_item *item) {
  cq_app *app = it->view.app;
  void (*yes)(cq_app *, int64_t) = it->yes;
  int64_t context = it->context;
  bool agreed = item->tag == 1;
  cq_app_pop(app);
  if (agreed) yes(app, context);
}

void cq_view_confirm(cq_app *app, const char *question, void (*yes)(cq_app *, int64_t), int64_t context) {
  choice_view *it = open_choice(app, _("Are you sure?"), question, choose_answer);
  if (!it) return;
  it->yes = yes;
  it->context = context;
  cq_list_add(&it->list, 0, cq_str_from(_("No, return")), NULL);
  cq_list_add(&it->list, 1, cq_str_from(_("Yes")), NULL);
  cq_list_ready(&it->list, 0);
}

/* --- notices --- */

static void confirm_notices(choice_view *it, const cq_list_item *item) {
  (void)item;
  cq_buf_reset(&it->view.app->notices);
  cq_app_pop(it->view.app);
}

void cq_view_notices(cq_app *app) {
  if (app->notices.size == 0) return;
  choice_view *it = open_choice(app, _("Notices"), app->notices.at, confirm_notices);
  if (!it) return;
  cq_list_add(&it->list, 0, cq_str_from(_("Understood, go on")), NULL);
  cq_list_ready(&it->list, 0);
}

/* --- one of several --- */

static void choose_option(choice_view *it, const cq_list_item *item) {
  cq_app *app = it->view.app;
  void (*chosen)(cq_app *, int64_t, size_t) = it->chosen;
  int64_t context = it->context, option = item->tag;
  cq_app_pop(app);
  if (option > 0) chosen(app, context, (size_t)option);
}

void cq_view_options(cq_app *app, const char *question, const char *const *options, size_t count,
                     void (*chosen)(cq_app *, int64_t, size_t), int64_t context) {
  choice_view *it = open_choice(app, _("Are you sure?"), question, choose_option);
  if (!it) return;
  it->chosen = chosen;
  it->context = context;
  for (size_t i = 0; i < count; i++) cq_list_add(&it->list, (int64_t)i, cq_str_from(options[i]), NULL);
  cq_list_ready(&it->list, 0);
}

/* --- a code --- */

typedef struct code_view {
  cq_view view;
  cq_edit edit;
  char *question;
  int64_t context;
  void (*given)(cq_app *app, cq_str code, int64_t context);
} code_view;

static void code_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  code_view *it = (code_view *)view;
  int cursor_row, cursor_column;
  row += cq_app_text(grid, row, rows - 4, 2, grid->columns - 4, CQ_LOOK_BOLD, cq_str_from(it->question));
  row += cq_app_text(grid, row, 2, 2, grid->columns - 4, CQ_LOOK_DIM,
                     cq_str_from(_("a code: letters without accents, digits, point, dash, low dash"))) +
         1;
  cq_edit_draw(&it->edit, grid, row, 1, 4, 40, &cursor_row, &cursor_column);
  cq_screen_cursor(view->app->screen, cursor_row, cursor_column);
}

static void code_act(cq_view *view, cq_action action) {
  code_view *it = (code_view *)view;
  cq_app *app = view->app;
  if (action == CQ_DO_LEAVE) cq_app_pop(app);
  if (action != CQ_DO_ACCEPT) return;
  cq_str code = cq_str_trim(cq_buf_str(&it->edit.text));
  if (!cq_answer_is_code(code)) {
    cq_app_say(app, CQ_LOOK_FAULT, _("Write a code without blanks or accents, of 1 to 40 signs."));
    return;
  }
  char copy[CQ_ANSWER_CODE + 1];
  memcpy(copy, code.at, code.size);
  copy[code.size] = '\0';
  void (*given)(cq_app *, cq_str, int64_t) = it->given;
  int64_t context = it->context;
  cq_app_pop(app);
  given(app, cq_str_from(copy), context);
}

static void code_type(cq_view *view, cq_key key) {
  cq_edit_type(&((code_view *)view)->edit, key);
}

static void code_end(cq_view *view) {
  cq_edit_fini(&((code_view *)view)->edit);
  free(((code_view *)view)->question);
}

static unsigned code_where(const cq_view *view) {
  (void)view;
  return CQ_ON_CODE;
}

void cq_view_code(cq_app *app, const char *title, const char *question, void (*given)(cq_app *, cq_str, int64_t),
                  int64_t context) {
  static const cq_view_kind kind = {code_draw, code_where, code_act, code_type, NULL, code_end};
  code_view *it = cq_app_push(app, &kind, sizeof *it, title);
  if (!it) return;
  it->question = strdup(question);
  it->given = given;
  it->context = context;
  if (!it->question) cq_app_pop(app);
}

/* --- why an interview is not complete --- */

enum { REASON_OTHER = 1 };

static void choose_reason(choice_view *it, const cq_list_item *item) {
  cq_app *app = it->view.app;
  void (*given)(cq_app *, cq_str, int64_t) = it->given;
  int64_t context = it->context;
  char code[CQ_ANSWER_CODE + 1] = "";
  if (item->tag != REASON_OTHER) snprintf(code, sizeof code, "%s", item->detail);
  cq_app_pop(app);
  if (*code)
    given(app, cq_str_from(code), context);
  else
    cq_view_code(app, _("Why"), _("Why is it not complete? The programme says which codes there are, such as ausente."),
                 given, context);
}

void cq_view_reason(cq_app *app, void (*given)(cq_app *, cq_str, int64_t), int64_t context) {
  cq_error error;
  cq_choices reasons = {0};
  cq_error_clear(&error);
  cq_arena *arena = cq_arena_new(0);
  cq_status status = arena ? cq_filling_reasons(app->filling, arena, &reasons, &error) : cq_error_nomem(&error);
  if (cq_app_well(app, status, &error)) {
    choice_view *it = open_choice(app, _("Why"), _("Why is it not complete?"), choose_reason);
    for (size_t i = 0; it && i < reasons.count; i++) {
      const cq_choice *reason = &reasons.items[i];
      char code[CQ_ANSWER_CODE + 1];
      snprintf(code, sizeof code, "%.*s", (int)reason->value.size, reason->value.at);
      cq_list_add(&it->list, 0, reason->label.size > 0 ? reason->label : reason->value, code);
    }
    if (it) {
      it->given = given;
      it->context = context;
      cq_list_add(&it->list, REASON_OTHER, cq_str_from(_("Another code of the programme")), NULL);
      cq_list_ready(&it->list, 0);
    }
  }
  cq_arena_free(arena);
}

/* --- the day --- */

typedef struct day_view {
  cq_view view;
  cq_edit edit;
  cq_date least;
} day_view;

static void day_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  day_view *it = (day_view *)view;
  char intro[256], least[11];
  int cursor_row, cursor_column;
  snprintf(intro, sizeof intro, _("The laptop's clock runs before %s, so it is wrong. What day is it today?"),
           cq_date_format(it->least, least));
  row += cq_app_text(grid, row, rows - 4, 2, grid->columns - 4, CQ_LOOK_BOLD, cq_str_from(intro));
  row += cq_app_text(grid, row, 1, 2, grid->columns - 4, CQ_LOOK_DIM, cq_str_from(_("a date: day/month/year"))) + 1;
  cq_edit_draw(&it->edit, grid, row, 1, 4, 12, &cursor_row, &cursor_column);
  cq_screen_cursor(view->app->screen, cursor_row, cursor_column);
}

static void day_act(cq_view *view, cq_action action) {
  day_view *it = (day_view *)view;
  cq_app *app = view->app;
  cq_buf stored = {0};
  cq_date date;
  cq_error error;
  cq_error_clear(&error);
  if (action == CQ_DO_LEAVE) app->over = true;
  if (action != CQ_DO_ACCEPT) return;
  cq_answer_from_typed(CQ_TYPE_DATE, cq_buf_str(&it->edit.text), &stored);
  if (!cq_date_parse(cq_buf_str(&stored), &date))
    cq_app_say(app, CQ_LOOK_FAULT, _("Write a date that exists, day/month/year."));
  else if (cq_app_well(app, cq_laptop_confirm_date(app->laptop, date, &error), &error))
    cq_app_pop(app);
  cq_buf_fini(&stored);
}

static void day_type(cq_view *view, cq_key key) {
  cq_edit_type(&((day_view *)view)->edit, key);
}

static void day_end(cq_view *view) {
  cq_edit_fini(&((day_view *)view)->edit);
}

static unsigned lock_where(const cq_view *view);

void cq_view_date(cq_app *app) {
  static const cq_view_kind kind = {day_draw, lock_where, day_act, day_type, NULL, day_end};
  bool doubtful;
  cq_date least;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_laptop_clock_doubtful(app->laptop, &doubtful, &least, &error);
  if (!cq_app_well(app, status, &error) || !doubtful) return;
  day_view *it = cq_app_push(app, &kind, sizeof *it, _("Today"));
  if (it) it->least = least;
}

/* --- the lock --- */

typedef struct lock {
  cq_view view;
  cq_cli_secret typed;
  int64_t draft; /* to go on with; 0: none */
  cq_date working_date;
} lock;

static void lock_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  lock *it = (lock *)view;
  int used = cq_app_text(grid, row + 1, rows - 4, 2, grid->columns - 4, 0,
                         cq_str_from(_("The screen is locked and the vault closed. Nothing is lost.")));
  row += used + 2;
  int column = 2 + cq_grid_write(grid, row, 2, grid->columns - 4, CQ_LOOK_BOLD, cq_str_from(_("Passphrase")));
  cq_grid_write(grid, row, column, 2, 0, CQ_STR(": "));
  column += 2;
  size_t signs = cq_utf8_length((cq_str){it->typed.at, it->typed.size});
  for (size_t i = 0; i < signs && column < grid->columns - 2; i++)
    cq_grid_write(grid, row, column++, 1, 0, CQ_STR("*"));
  cq_screen_cursor(view->app->screen, row, column);
}

static unsigned lock_where(const cq_view *view) {
  (void)view;
  return CQ_ON_LOCK;
}

static void open_again(lock *it) {
  cq_app *app = it->view.app;
  cq_error error;
  int64_t draft = it->draft;
  cq_date working_date = it->working_date;
  cq_error_clear(&error);
  cq_status status =
      cq_laptop_open(app->laptop, app->home, (cq_str){it->typed.at, it->typed.size}, &app->setup, &error);
  cq_error_at_file(&error, ""); /* there is one vault here, and its path says nothing at the lock */
  cq_wipe(it->typed.at, it->typed.capacity);
  it->typed.size = 0;
  if (!cq_app_well(app, status, &error)) return;
  app->laptop->working_date = working_date;
  cq_view_start(app);
  /* The lock goes from below the start. */
  cq_view *start = app->views[app->view_count - 1];
  app->views[app->view_count - 1] = app->views[0];
  app->views[0] = start;
  cq_app_pop(app);
  if (draft != 0)
    cq_app_resume(app, draft);
  else
    cq_view_date(app);
  cq_view_notices(app);
}

static void lock_act(cq_view *view, cq_action action) {
  lock *it = (lock *)view;
  if (action == CQ_DO_LEAVE) view->app->over = true;
  if (action == CQ_DO_ACCEPT && it->typed.size > 0) open_again(it);
}

static void lock_type(cq_view *view, cq_key key) {
  lock *it = (lock *)view;
  cq_str typed = {it->typed.at, it->typed.size};
  char bytes[4];
  if (key == CQ_KEY_BACKSPACE && typed.size > 0) {
    it->typed.size--;
    while (it->typed.size > 0 && ((unsigned char)it->typed.at[it->typed.size] & 0xC0) == 0x80) it->typed.size--;
    it->typed.at[it->typed.size] = '\0';
  }
  if (!cq_key_is_text(key)) return;
  size_t size = cq_utf8_put(key, bytes);
  if (it->typed.size + size > CQ_CLI_SECRET_MAX) return;
  memcpy(it->typed.at + it->typed.size, bytes, size);
  it->typed.size += size;
  it->typed.at[it->typed.size] = '\0';
}

static void lock_end(cq_view *view) {
  cq_cli_secret_fini(&((lock *)view)->typed);
}

void cq_view_lock(cq_app *app) {
  static const cq_view_kind kind = {lock_draw, lock_where, lock_act, lock_type, NULL, lock_end};
  cq_cli_secret typed;
  int64_t draft = app->filling ? app->filling->draft : 0;
  cq_date working_date = app->laptop->working_date;
  cq_error error;
  cq_error_clear(&error);
  if (!app->laptop->store) return;
  if (!cq_app_well(app, cq_cli_secret_init(&typed, &error), &error)) return;
  while (app->view_count > 0) {
    cq_view *view = app->views[--app->view_count];
    if (view->kind->end) view->kind->end(view);
    free(view);
  }
  cq_app_leave_interview(app);
  cq_laptop_close(app->laptop);
  lock *it = cq_app_push(app, &kind, sizeof *it, _("Locked"));
  if (it) {
    it->typed = typed;
    it->draft = draft;
    it->working_date = working_date;
  } else {
    cq_cli_secret_fini(&typed);
    app->over = true;
  }
}
