/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/pages/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROWS = 12, LEAST_COLUMNS = 40 };

/* --- views --- */

static cq_view *top(const cq_app *app) {
  return app->view_count > 0 ? app->views[app->view_count - 1] : NULL;
}

void *cq_app_push(cq_app *app, const cq_view_kind *kind, size_t size, const char *title) {
  cq_view *view = app->view_count < CQ_APP_VIEWS ? calloc(1, size) : NULL;
  if (!view) {
    cq_app_say(app, CQ_LOOK_FAULT, _("There is not enough memory."));
    return NULL;
  }
  view->kind = kind;
  view->app = app;
  snprintf(view->title, sizeof view->title, "%s", title);
  app->views[app->view_count++] = view;
  return view;
}

static void drop(cq_app *app) {
  cq_view *view = app->views[--app->view_count];
  if (view->kind->end) view->kind->end(view);
  free(view);
}

void cq_app_pop(cq_app *app) {
  drop(app);
  cq_view *view = top(app);
  if (view && view->kind->shown) view->kind->shown(view);
}

void cq_app_pop_to_start(cq_app *app) {
  while (app->view_count > 1) drop(app);
  cq_view *view = top(app);
  if (view && view->kind->shown) view->kind->shown(view);
}

void cq_app_say(cq_app *app, unsigned look, const char *text) {
  cq_buf_reset(&app->message);
  cq_buf_add_text(&app->message, text);
  app->message_look = look;
}

bool cq_app_well(cq_app *app, cq_status status, const cq_error *error) {
  if (status == CQ_OK) return true;
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  if (next.size > 0) cq_buf_addf(&what, " %s", next.at);
  cq_app_say(app, CQ_LOOK_FAULT, what.at ? what.at : "");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
  /* After a failed write nothing more is accepted: what was accepted is safe, and going on would pretend. */
  if (status == CQ_NOMEM || status == CQ_IO) {
    app->over = true;
    app->status = status;
    if (app->error) *app->error = *error;
  }
  return false;
}

/* --- drawing --- */

int cq_app_text(cq_grid *grid, int row, int rows, int column, int columns, unsigned look, cq_str text) {
  cq_str line;
  int used = 0;
  for (size_t at = 0; used < rows && cq_text_wrap(text, columns, &at, &line); used++)
    cq_grid_write(grid, row + used, column, columns, look, line);
  return used;
}

static void draw_head(cq_app *app, cq_grid *grid, const char *title_of) {
  cq_grid_fill(grid, 0, 0, grid->columns, CQ_LOOK_REVERSE, " ");
  const char *practice = _("PRACTICE");
  int width = cq_text_columns(cq_str_from(practice)) + 2, room = grid->columns - 2;
  if (app->laptop->store && cq_laptop_practice(app->laptop)) {
    room -= width;
    cq_grid_write(grid, 0, grid->columns - width, width, CQ_LOOK_REVERSE | CQ_LOOK_BOLD, cq_str_from(practice));
  }
  cq_buf title = {0};
  cq_buf_add_text(&title, "Chasqui");
  if (app->laptop->store) {
    cq_buf_add_text(&title, " · ");
    cq_buf_add_str(&title, cq_laptop_title(app->laptop));
  }
  cq_buf_addf(&title, " · %s", title_of);
  cq_grid_write(grid, 0, 1, room, CQ_LOOK_REVERSE, cq_buf_str(&title));
  cq_buf_fini(&title);
}

/* The message may be long: it grows upward from the foot. */
static int draw_message(cq_app *app, cq_grid *grid) {
  cq_str line, text = cq_buf_str(&app->message);
  int rows = 0;
  for (size_t at = 0; cq_text_wrap(text, grid->columns - 4, &at, &line);) rows++;
  if (rows > 5) rows = 5;
  if (rows > 0)
    cq_grid_write(grid, grid->rows - 1 - rows, 1, 1, app->message_look | CQ_LOOK_BOLD,
                  (app->message_look & CQ_LOOK_FAULT) != 0 ? CQ_STR("!") : cq_str_from("·"));
  cq_app_text(grid, grid->rows - 1 - rows, rows, 3, grid->columns - 4, app->message_look, text);
  return rows;
}

/* An empty page; false: it is too small for more than saying so. */
static bool clear(cq_app *app, cq_grid *grid) {
  cq_grid_clear(grid);
  cq_screen_cursor(app->screen, -1, 0);
  if (grid->rows >= LEAST_ROWS && grid->columns >= LEAST_COLUMNS) return true;
  cq_app_text(grid, 0, grid->rows, 0, grid->columns, 0, cq_str_from(_("Please make the window larger.")));
  return false;
}

static void draw(cq_app *app) {
  cq_grid *grid = cq_screen_grid(app->screen);
  cq_view *view = top(app);
  if (clear(app, grid)) {
    draw_head(app, grid, view->title);
    int foot = draw_message(app, grid);
    view->kind->draw(view, grid, 2, grid->rows - 2 - 1 - (foot > 0 ? foot : 1));
    cq_action_line(grid, grid->rows - 1, view->kind->where(view));
  }
  cq_screen_paint(app->screen);
}

/* --- long work --- */

static void draw_work(cq_app *app, const char *title, const char *text, uint64_t done, uint64_t total) {
  cq_grid *grid = cq_screen_grid(app->screen);
  if (clear(app, grid)) {
    char numbers[64];
    int row = 2, width = grid->columns - 4;
    draw_head(app, grid, title);
    row += cq_app_text(grid, row, grid->rows - 7, 2, width, CQ_LOOK_BOLD, cq_str_from(text)) + 1;
    int full = total > 0 ? (int)((double)done / (double)total * width) : 0;
    cq_grid_fill(grid, row, 2, full, 0, "█");
    cq_grid_fill(grid, row, 2 + full, width - full, CQ_LOOK_DIM, "░");
    snprintf(numbers, sizeof numbers, _("%.1f of %.1f MB"), (double)done / 1e6, (double)total / 1e6);
    cq_grid_write(grid, row + 1, 2, width, 0, cq_str_from(numbers));
    cq_action_line(grid, grid->rows - 1, CQ_ON_WORK);
  }
  cq_screen_paint(app->screen);
}

bool cq_app_goes_on(cq_app *app, const char *title, const char *text, uint64_t done, uint64_t total) {
  for (;;) {
    draw_work(app, title, text, done, total);
    cq_key key = cq_screen_key(app->screen, 0);
    switch (key) {
    case CQ_KEY_NONE: return true;
    case CQ_KEY_RESIZE: cq_screen_fit(app->screen); continue;
    case CQ_KEY_GONE: app->over = true; return false;
    case CQ_KEY_SIGNAL:
      app->over = true;
      app->status = cq_cli_cancelled(app->error);
      return false;
    default:
      if (cq_action_of(key, CQ_ON_WORK) == CQ_DO_LEAVE) return false;
    }
  }
}

/* --- interviews --- */

void cq_app_leave_interview(cq_app *app) {
  if (!app->filling) return;
  cq_filling_end(app->filling);
  app->filling = NULL;
}

void cq_app_show_page(cq_app *app) {
  cq_page page;
  cq_error error;
  cq_arena *arena = cq_arena_new(0);
  cq_error_clear(&error);
  cq_status status = arena ? cq_interview_page(app->filling->interview, arena, &page, &error) : cq_error_nomem(&error);
  bool end = status == CQ_OK && page.kind == CQ_PAGE_END;
  cq_arena_free(arena);
  if (!cq_app_well(app, status, &error)) return;
  while (app->view_count > 1) drop(app);
  cq_view_question(app);
  if (end) cq_view_review(app);
}

void cq_app_go_to(cq_app *app, cq_entry node) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_interview_jump(app->filling->interview, node, &error);
  if (status == CQ_OK) status = cq_filling_moved(app->filling, &error);
  if (!cq_app_well(app, status, &error)) return;
  app->wanted = node;
  cq_app_show_page(app);
  app->wanted = CQ_ENTRY_NONE;
}

void cq_app_resume(cq_app *app, int64_t draft) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_filling_resume(&app->filling_memory, app->laptop, draft, &error);
  if (!cq_app_well(app, status, &error)) return;
  app->filling = &app->filling_memory;
  app->resumed = true;
  cq_app_show_page(app);
  app->resumed = false;
}

/* --- running --- */

static void press(cq_app *app, cq_key key) {
  cq_view *view = top(app);
  cq_action action = cq_action_of(key, view->kind->where(view));
  cq_buf_reset(&app->message);
  if (action == CQ_DO_HELP)
    cq_view_help(app, view->kind->where(view));
  else if (action == CQ_DO_LOCK)
    cq_view_lock(app);
  else if (action != CQ_DO_NOTHING)
    view->kind->act(view, action);
  else if (view->kind->type)
    view->kind->type(view, key);
}

static void run(cq_app *app) {
  int64_t idle = 0;
  while (!app->over && app->view_count > 0) {
    draw(app);
    int wait = app->idle_ms > 0 && app->laptop->store ? 1000 : -1;
    cq_key key = cq_screen_key(app->screen, wait);
    switch (key) {
    case CQ_KEY_NONE:
      idle += wait;
      if (wait > 0 && idle >= app->idle_ms) cq_view_lock(app);
      continue;
    case CQ_KEY_GONE: app->over = true; break;
    case CQ_KEY_SIGNAL:
      app->over = true;
      app->status = cq_cli_cancelled(app->error);
      break;
    case CQ_KEY_RESIZE: cq_screen_fit(app->screen); break;
    default: press(app, key); break;
    }
    idle = 0;
  }
}

cq_status cq_app_run(cq_laptop *laptop, cq_backend *backend, const cq_laptop_setup *setup, cq_str notices,
                     cq_error *error) {
  cq_app app = {.laptop = laptop, .error = error, .idle_ms = CQ_APP_IDLE_MS};
  if (setup) app.setup = *setup;
  cq_status status = cq_screen_new(&app.screen, backend, error);
  if (status != CQ_OK) return status;
  app.home = strdup(laptop->home);
  cq_buf_add_str(&app.notices, cq_str_trim(notices));
  if (app.home && !app.notices.failed) {
    cq_view_start(&app);
    cq_view_date(&app);
    cq_view_notices(&app);
    run(&app);
  } else {
    app.status = cq_error_nomem(error);
  }
  while (app.view_count > 0) drop(&app);
  cq_app_leave_interview(&app);
  cq_screen_free(app.screen);
  cq_buf_fini(&app.message);
  cq_buf_fini(&app.notices);
  free(app.home);
  return app.status;
}

cq_status cq_app_run_terminal(cq_laptop *laptop, bool color, cq_str notices, cq_error *error) {
  cq_backend *backend;
  cq_status status = cq_curses_open(&backend, color, error);
  return status == CQ_OK ? cq_app_run(laptop, backend, NULL, notices, error) : status;
}
