/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen at work: a stack of views over one laptop. Each kind of view is
 * one vtable. A view never prints nor waits: it is drawn, gets actions and
 * keys, and asks the app for another view.
 */
#ifndef CHASQUI_COLLECTOR_APP_H
#define CHASQUI_COLLECTOR_APP_H

#include "chasqui/calendar.h"
#include "collector/collector.h"
#include "collector/pages/action.h"
#include "collector/screen/screen.h"

typedef struct cq_app cq_app;
typedef struct cq_view cq_view;

typedef struct cq_view_kind {
  void (*draw)(cq_view *view, cq_grid *grid, int row, int rows); /* into these rows, all columns */
  unsigned (*where)(const cq_view *view);                        /* bits of CQ_ON_… */
  void (*act)(cq_view *view, cq_action action);
  void (*type)(cq_view *view, cq_key key); /* keys that are no action; NULL: none are taken */
  void (*shown)(cq_view *view);            /* it is on top again: reads anew what may have changed; NULL: nothing */
  void (*end)(cq_view *view);              /* frees all but the view itself; NULL: nothing */
} cq_view_kind;

/* The first member of each view. */
struct cq_view {
  const cq_view_kind *kind;
  cq_app *app;
  char title[128];
};

enum { CQ_APP_VIEWS = 12, CQ_APP_IDLE_MS = 10 * 60 * 1000 };

struct cq_app {
  cq_screen *screen;
  cq_laptop *laptop;
  cq_laptop_setup setup; /* to open it again after a lock */
  char *home;
  cq_buf notices;      /* not confirmed yet */
  cq_filling *filling; /* the interview at work; NULL: none */
  cq_filling filling_memory;
  cq_view *views[CQ_APP_VIEWS];
  size_t view_count;
  cq_buf message; /* one line at the foot, until the next key */
  unsigned message_look;
  bool over;
  cq_status status; /* why it ended */
  cq_error *error;
  int idle_ms;     /* until the lock; 0: never */
  bool resumed;    /* the page shown next begins at its first question without an answer */
  char person[80]; /* whom the visit that was chosen is about, as the list calls the person */
  char season[CQ_SEASON_REF_SIZE];
  cq_entry wanted; /* the question of the next page to begin at; NONE: the first */
};

/* Runs until the person leaves, the terminal vanishes or a signal comes. `notices` are lines to be confirmed first, or
 * nothing. The back end is taken over. */
cq_status cq_app_run(cq_laptop *laptop, cq_backend *backend, const cq_laptop_setup *setup, cq_str notices,
                     cq_error *error);
cq_status cq_app_run_terminal(cq_laptop *laptop, bool color, cq_str notices, cq_error *error);

/* --- for views --- */
/* Zeroed memory of `size` for a view, on top of the others; NULL: no room or memory (said at the foot). */
void *cq_app_push(cq_app *app, const cq_view_kind *kind, size_t size, const char *title);
void cq_app_pop(cq_app *app);
void cq_app_pop_to_start(cq_app *app);
void cq_app_say(cq_app *app, unsigned look, const char *text);
/* Says why at the foot; what cannot go on (memory, a vault that no longer writes) ends the app. True where all is well.
 */
bool cq_app_well(cq_app *app, cq_status status, const cq_error *error);
/* Called during long work: paints how far it is, and looks at the keys. False: the person wants the rest left for
 * later, or the program must end (`over`). */
bool cq_app_goes_on(cq_app *app, const char *title, const char *text, uint64_t done, uint64_t total);
/* Text in rows from `row`, wrapped; how many it took. */
int cq_app_text(cq_grid *grid, int row, int rows, int column, int columns, unsigned look, cq_str text);

/* --- views --- */
void cq_view_start(cq_app *app);
void cq_view_question(cq_app *app);
void cq_view_review(cq_app *app);
void cq_view_help(cq_app *app, unsigned where);
void cq_view_jump(cq_app *app);
void cq_view_missing(cq_app *app, cq_entry node);
/* A yes or no; `yes` is called with the context, when this view has gone. */
void cq_view_confirm(cq_app *app, const char *question, void (*yes)(cq_app *app, int64_t context), int64_t context);
/* One of several, the first of which returns (option 0 is not told); `chosen` is called when this view has gone. */
void cq_view_options(cq_app *app, const char *question, const char *const *options, size_t count,
                     void (*chosen)(cq_app *app, int64_t context, size_t option), int64_t context);
/* A code in one line: letters, digits, point, dash, low dash. `given` is called when this view has gone. */
void cq_view_code(cq_app *app, const char *title, const char *question,
                  void (*given)(cq_app *app, cq_str code, int64_t context), int64_t context);
/* Why the interview at work is not complete: a code chosen from those that there are, or another one. */
void cq_view_reason(cq_app *app, void (*given)(cq_app *app, cq_str code, int64_t context), int64_t context);
/* Asks what day it is, where the clock can't be right; else nothing. */
void cq_view_date(cq_app *app);
/* Shows the notices until they are confirmed, where there are any. */
void cq_view_notices(cq_app *app);
/* Closes vault and interview; the passphrase brings both back. */
void cq_view_lock(cq_app *app);

/* Goes on with a draft, on top of the start. */
void cq_app_resume(cq_app *app, int64_t draft);
/* Puts what stands on the page where the interview is now on top. */
void cq_app_show_page(cq_app *app);
/* Goes to the page of a question, and there to the question. */
void cq_app_go_to(cq_app *app, cq_entry node);
void cq_app_leave_interview(cq_app *app);

#endif
