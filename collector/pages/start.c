/* SPDX-License-Identifier: Apache-2.0 */
/* Start, and the lists that it leads to: forms, drafts, what is finished, outbox. */
#include "chasqui/handover.h"
#include "collector/agenda.h"
#include "collector/follow.h"
#include "collector/pages/app.h"
#include "collector/pages/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GO_VISITS, GO_NEW, GO_DRAFTS, GO_FINISHED, GO_OUTBOX, GO_LEAVE };

typedef struct menu {
  cq_view view; /* first */
  cq_list list;
  cq_kept kept;
  cq_offered *forms;
  cq_arena *arena; /* of the agenda */
  cq_agenda_visit *visits;
  size_t visit_count;
  const char *intro; /* a line above the list; NULL: none */
  cq_buf room;       /* what is said above that where the disk is nearly full */
  int rows;          /* of the list, as last drawn */
  void (*fill)(struct menu *menu);
  void (*choose)(struct menu *menu, cq_list_item *item);
  unsigned where;
} menu;

static void correct(menu *it, const cq_list_item *item);

/* --- what all lists share --- */

static void menu_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  menu *it = (menu *)view;
  if (it->room.size > 0) {
    int used = cq_app_text(grid, row, 3, 2, grid->columns - 4, 0, cq_buf_str(&it->room)) + 1;
    row += used;
    rows -= used;
  }
  if (it->intro) {
    int used = cq_app_text(grid, row, 3, 2, grid->columns - 4, 0, cq_str_from(it->intro)) + 1;
    row += used;
    rows -= used;
  }
  it->rows = rows;
  cq_list_draw(&it->list, grid, row, rows, 1, grid->columns - 2);
}

static unsigned menu_where(const cq_view *view) {
  return ((const menu *)view)->where;
}

static void menu_act(cq_view *view, cq_action action) {
  menu *it = (menu *)view;
  cq_list_item *here = cq_list_here(&it->list);
  if (cq_list_act(&it->list, action, it->rows)) return;
  if (action == CQ_DO_ACCEPT && here && it->choose) it->choose(it, here);
  if (action == CQ_DO_CORRECT && here) correct(it, here);
  if (action != CQ_DO_LEAVE) return;
  if (it->where == CQ_ON_START)
    view->app->over = true;
  else
    cq_app_pop(view->app);
}

static void menu_type(cq_view *view, cq_key key) {
  cq_list_type(&((menu *)view)->list, key);
}

static void menu_shown(cq_view *view) {
  menu *it = (menu *)view;
  cq_error error;
  cq_error_clear(&error);
  size_t cursor = cq_list_here(&it->list) ? it->list.shown[it->list.cursor] : 0;
  cq_kept_free(&it->kept);
  if (!cq_app_well(view->app, cq_kept_read(&it->kept, view->app->laptop->store, &error), &error)) return;
  cq_list_clear(&it->list);
  it->fill(it);
  cq_list_ready(&it->list, cursor < it->list.count ? cursor : 0);
}

static void menu_end(cq_view *view) {
  menu *it = (menu *)view;
  cq_list_fini(&it->list);
  cq_kept_free(&it->kept);
  cq_arena_free(it->arena);
  cq_buf_fini(&it->room);
  free(it->forms);
}

static const cq_view_kind menu_kind = {menu_draw, menu_where, menu_act, menu_type, menu_shown, menu_end};

static void open_menu(cq_app *app, const char *title, const char *intro, unsigned where, void (*fill)(menu *),
                      void (*choose)(menu *, cq_list_item *)) {
  menu *it = cq_app_push(app, &menu_kind, sizeof *it, title);
  if (!it) return;
  it->fill = fill;
  it->choose = choose;
  it->intro = intro;
  it->where = where;
  menu_shown(&it->view);
}

/* --- new interview --- */

static void fill_forms(menu *it) {
  cq_error error;
  size_t count = 0;
  cq_error_clear(&error);
  free(it->forms);
  it->forms = NULL;
  if (!cq_app_well(it->view.app, cq_filling_offered(it->view.app->laptop, &it->forms, &count, &error), &error)) return;
  for (size_t i = 0; i < count; i++) {
    char detail[128];
    snprintf(detail, sizeof detail, _("from %s, not signed by the programme"), it->forms[i].server);
    cq_list_add(&it->list, (int64_t)i, cq_str_from(it->forms[i].title),
                *it->forms[i].server ? detail : it->forms[i].id);
  }
}

static void choose_form(menu *it, cq_list_item *item) {
  cq_app *app = it->view.app;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_filling_begin(&app->filling_memory, app->laptop, &it->forms[item->tag].hash, true, &error);
  if (!cq_app_well(app, status, &error)) return;
  app->filling = &app->filling_memory;
  cq_app_show_page(app);
}

/* --- drafts --- */

static void fill_drafts(menu *it) {
  char when[24];
  cq_buf text = {0};
  for (size_t i = it->kept.draft_count; i > 0; i--) { /* the newest first */
    const cq_kept_draft *draft = &it->kept.drafts[i - 1];
    cq_time_words(it->view.app->laptop->clock, draft->changed_utc_ms, when);
    cq_buf_reset(&text);
    cq_buf_add_text(&text, draft->label);
    if (draft->corrects) cq_buf_addf(&text, " · %s", _("correction"));
    cq_list_add(&it->list, draft->id, cq_buf_str(&text), when);
  }
  cq_buf_fini(&text);
}

static void choose_draft(menu *it, cq_list_item *item) {
  cq_app_resume(it->view.app, item->tag);
}

/* --- finished --- */

static void fill_finished(menu *it) {
  char when[24];
  cq_buf text = {0}, detail = {0};
  for (size_t i = it->kept.record_count; i > 0; i--) {
    const cq_kept_record *record = &it->kept.records[i - 1];
    cq_time_words(it->view.app->laptop->clock, record->finalised_utc_ms, when);
    cq_buf_reset(&text);
    cq_buf_reset(&detail);
    cq_buf_addf(&text, "%s  %s", when, record->label);
    if (record->corrects) cq_buf_addf(&text, " · %s", _("correction"));
    if (!record->corrected) cq_buf_addf(&detail, "%s · ", cq_result_words(record->result));
    cq_kept_record_words(record, &detail);
    cq_list_add(&it->list, (int64_t)i, cq_buf_str(&text), detail.at);
  }
  cq_buf_fini(&text);
  cq_buf_fini(&detail);
}

/* Its name and what corrects it, and what a server of others said of it; in the outbox its number is negative. */
static void choose_record(menu *it, cq_list_item *item) {
  size_t n = item->tag < 0 ? (size_t)-item->tag : (size_t)item->tag;
  char name[9];
  cq_buf text = {0};
  const cq_clock *clock = it->view.app->laptop->clock;
  if (n == 0 || n > it->kept.record_count) return;
  cq_buf_addf(&text, _("Record %s."), cq_kept_short_name(&it->kept.records[n - 1], name));
  cq_kept_correction_words(&it->kept, n - 1, clock, &text);
  cq_kept_delivery_words(&it->kept.records[n - 1], clock, &text);
  if (text.size > 0) cq_app_say(it->view.app, 0, text.at);
  cq_buf_fini(&text);
}

/* --- correcting --- */

enum { CORRECT_NEWEST = 1, CORRECT_THIS };

static void begin_correction(cq_app *app, const cq_kept *kept, size_t record) {
  cq_error error;
  cq_error_clear(&error);
  int64_t draft = cq_kept_correction(kept, record);
  cq_status status =
      draft ? cq_filling_resume(&app->filling_memory, app->laptop, draft, &error)
            : cq_filling_correct(&app->filling_memory, app->laptop, kept->records[record].name, true, &error);
  if (!cq_app_well(app, status, &error)) return;
  app->filling = &app->filling_memory;
  cq_app_show_page(app);
  cq_view_jump(app);
  cq_app_say(app, 0,
             draft ? _("A correction of this interview was begun before: you go on with it.")
                   : _("A correction: choose what to change, then F4 to finish. The interview stays as it is."));
}

/* The context is the record's place; the list below has read its kept anew. */
static void choose_correction(cq_app *app, int64_t record, size_t option) {
  const menu *it = (const menu *)app->views[app->view_count - 1];
  size_t at = (size_t)record;
  if (at < it->kept.record_count)
    begin_correction(app, &it->kept, option == CORRECT_NEWEST ? cq_kept_newest(&it->kept, at) : at);
}

static void correct(menu *it, const cq_list_item *item) {
  size_t at = (size_t)item->tag - 1, newest = cq_kept_newest(&it->kept, at);
  const char *const options[] = {_("No, return"), _("Correct the newest correction"),
                                 _("Correct this one all the same: two corrections, and the office decides")};
  cq_buf question = {0};
  if (newest == at || cq_kept_correction(&it->kept, at) != 0) {
    begin_correction(it->view.app, &it->kept, at);
    return;
  }
  cq_kept_correction_words(&it->kept, at, it->view.app->laptop->clock, &question);
  cq_buf_addf(&question, " %s", _("Which one do you want to correct?"));
  cq_view_options(it->view.app, question.at ? question.at : "", options, sizeof options / sizeof *options,
                  choose_correction, (int64_t)at);
  cq_buf_fini(&question);
}

static void choose_outbox(menu *it, cq_list_item *item) {
  if (item->tag < 0) choose_record(it, item);
}

/* --- outbox --- */

static void fill_outbox(menu *it) {
  char text[160], when[24];
  for (size_t i = it->kept.record_count; i > 0; i--) { /* what servers of others do not have */
    const cq_kept_record *record = &it->kept.records[i - 1];
    if (!*record->server || cq_delivery_is_done(record->outcome)) continue;
    snprintf(text, sizeof text, "%.64s · %s", record->server, cq_delivery_words(record->outcome));
    cq_list_add(&it->list, -(int64_t)i, cq_str_from(record->label), text);
  }
  for (size_t i = it->kept.batch_count; i > 0; i--) {
    const cq_kept_batch *batch = &it->kept.batches[i - 1];
    cq_time_words(it->view.app->laptop->clock, batch->made_utc_ms, when);
    int used = snprintf(text, sizeof text, _("Batch %lld · %s · "), (long long)batch->number, when);
    if (used > 0 && (size_t)used < sizeof text)
      snprintf(text + used, sizeof text - (size_t)used,
               cq_cli_plural("%lld entry", "%lld entries", (uint64_t)batch->entries), (long long)batch->entries);
    cq_list_add(&it->list, batch->number, cq_str_from(text), cq_kept_batch_words(batch));
  }
}

/* --- visits to be made --- */

/* A list that can't be read is told, and the rest of the start stays. */
static void read_agenda(menu *it) {
  cq_error error;
  cq_error_clear(&error);
  cq_arena_free(it->arena);
  it->arena = cq_arena_new(0);
  it->visit_count = 0;
  cq_status status = it->arena ? cq_agenda(it->view.app->laptop, it->arena, &it->visits, &it->visit_count, &error)
                               : cq_error_nomem(&error);
  if (!cq_app_well(it->view.app, status, &error)) it->visit_count = 0;
}

static void fill_visits(menu *it) {
  char detail[96], day[11];
  read_agenda(it);
  for (size_t i = 0; i < it->visit_count; i++) {
    const cq_agenda_visit *visit = &it->visits[i];
    snprintf(detail, sizeof detail, visit->late ? _("%s · late, until %s") : _("%s · until %s"), visit->season,
             cq_date_format(cq_date_from_day(visit->last_day), day));
    cq_list_add(&it->list, (int64_t)i, visit->label, detail);
  }
}

/* --- start --- */

static size_t waiting(const cq_kept *kept) {
  size_t count = 0;
  for (size_t i = 0; i < kept->batch_count; i++) count += kept->batches[i].state == CQ_STORE_BATCH_PENDING;
  return count;
}

static void fill_start(menu *it) {
  char detail[96];
  size_t wait = waiting(&it->kept);
  read_agenda(it);
  cq_room_words(it->view.app->laptop, &it->room);
  if (it->visit_count > 0) {
    snprintf(detail, sizeof detail, "%zu", it->visit_count);
    cq_list_add(&it->list, GO_VISITS, cq_str_from(_("Visits to be made")), detail);
  }
  cq_list_add(&it->list, GO_NEW, cq_str_from(_("New interview")), NULL);
  snprintf(detail, sizeof detail, "%zu", it->kept.draft_count);
  cq_list_add(&it->list, GO_DRAFTS, cq_str_from(_("Drafts")), detail);
  snprintf(detail, sizeof detail, "%zu", it->kept.record_count);
  cq_list_add(&it->list, GO_FINISHED, cq_str_from(_("Finished")), detail);
  if (wait > 0)
    snprintf(detail, sizeof detail, cq_cli_plural("%zu waits for a receipt", "%zu wait for a receipt", wait), wait);
  else
    snprintf(detail, sizeof detail, "%s", _("all arrived"));
  cq_list_add(&it->list, GO_OUTBOX, cq_str_from(_("Outbox")), detail);
  cq_list_add(&it->list, GO_LEAVE, cq_str_from(_("Leave")), NULL);
}

/* --- from a visit to its interview --- */

static void begin_visit(cq_app *app, const cq_offered *form) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_follow_begin(&app->filling_memory, app->laptop, form, cq_str_from(app->person),
                                     cq_str_from(app->season), &app->resumed, &error);
  if (cq_app_well(app, status, &error)) {
    app->filling = &app->filling_memory;
    cq_app_show_page(app);
    if (app->resumed) cq_app_say(app, 0, _("A draft of this visit was begun before: you go on with it."));
  }
  app->resumed = false;
}

static void fill_follow_forms(menu *it) {
  cq_error error;
  size_t count = 0;
  cq_error_clear(&error);
  free(it->forms);
  it->forms = NULL;
  if (!cq_app_well(it->view.app, cq_follow_forms(it->view.app->laptop, &it->forms, &count, &error), &error)) return;
  for (size_t i = 0; i < count; i++)
    cq_list_add(&it->list, (int64_t)i, cq_str_from(it->forms[i].title), it->forms[i].id);
}

static void choose_follow_form(menu *it, cq_list_item *item) {
  begin_visit(it->view.app, &it->forms[item->tag]);
}

/* The one form of seasons is begun at once. */
static void choose_visit(menu *it, cq_list_item *item) {
  cq_app *app = it->view.app;
  cq_offered *forms = NULL;
  size_t count = 0;
  cq_error error;
  cq_error_clear(&error);
  cq_str person = it->visits[item->tag].person;
  if (!cq_app_well(app, cq_follow_forms(app->laptop, &forms, &count, &error), &error)) return;
  if (person.size >= sizeof app->person) count = 0;
  memcpy(app->person, person.at, count > 0 ? person.size : 0);
  app->person[count > 0 ? person.size : 0] = '\0';
  memcpy(app->season, it->visits[item->tag].season, sizeof app->season);
  if (count == 1)
    begin_visit(app, &forms[0]);
  else if (count > 1)
    open_menu(app, _("Forms"), _("Which form?"), CQ_ON_LIST, fill_follow_forms, choose_follow_form);
  else
    open_menu(app, _("Forms"), _("Which form?"), CQ_ON_LIST, fill_forms, choose_form);
  free(forms);
}

static void choose_start(menu *it, cq_list_item *item) {
  cq_app *app = it->view.app;
  switch (item->tag) {
  case GO_VISITS:
    open_menu(app, _("Visits to be made"), _("The most urgent first. Enter begins an interview."), CQ_ON_LIST,
              fill_visits, choose_visit);
    break;
  case GO_NEW: open_menu(app, _("Forms"), _("Which form?"), CQ_ON_LIST, fill_forms, choose_form); break;
  case GO_DRAFTS:
    open_menu(app, _("Drafts"), _("Which draft do you go on with?"), CQ_ON_LIST, fill_drafts, choose_draft);
    break;
  case GO_FINISHED:
    open_menu(app, _("Finished"), NULL, CQ_ON_LIST | CQ_ON_FINISHED, fill_finished, choose_record);
    break;
  case GO_OUTBOX:
    open_menu(app, _("Outbox"), _("The courier (chasqui-sync push, or a USB stick) carries these to the post."),
              CQ_ON_LIST, fill_outbox, choose_outbox);
    break;
  default: app->over = true; break;
  }
}

void cq_view_start(cq_app *app) {
  open_menu(app, _("Start"), cq_laptop_practice(app->laptop) ? _("PRACTICE: nothing here counts") : NULL, CQ_ON_START,
            fill_start, choose_start);
}
