/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a form: what is missing or not right, each one key away, and finishing. */
#include "collector/answer.h"
#include "collector/pages/app.h"
#include "collector/pages/list.h"

#include <stdio.h>
#include <string.h>

enum { END_COMPLETE = -1, END_PARTIAL = -2, END_REFUSED = -3, END_DRAFT = -4, END_DISCARD = -5 };

typedef struct review {
  cq_view view; /* first */
  cq_list list;
  size_t faults;
  int rows;
} review;

static void review_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  review *it = (review *)view;
  char intro[256];
  if (it->faults == 0)
    snprintf(intro, sizeof intro, "%s", _("Every question is answered as it should be."));
  else
    snprintf(intro, sizeof intro,
             cq_cli_plural("%zu answer is missing or not right. Enter goes to it.",
                           "%zu answers are missing or not right. Enter goes to the one marked.", it->faults),
             it->faults);
  int used = cq_app_text(grid, row, 3, 2, grid->columns - 4, CQ_LOOK_BOLD, cq_str_from(intro)) + 1;
  it->rows = rows - used;
  cq_list_draw(&it->list, grid, row + used, it->rows, 1, grid->columns - 2);
}

static unsigned review_where(const cq_view *view) {
  (void)view;
  return CQ_ON_LIST;
}

/* --- finishing --- */

static void tell_finished(cq_app *app, cq_result result, const cq_pack_report *packed) {
  cq_buf text = {0};
  cq_buf_addf(&text, _("Finished (%s)."), cq_result_words((int)result));
  if (packed->batches > 0) cq_buf_addf(&text, " %s", _("It waits in the outbox for the courier."));
  if (packed->left > 0) cq_buf_add_char(&text, ' ');
  if (packed->left > 0) cq_pack_left_words(packed->left, &text);
  cq_app_say(app, CQ_LOOK_GOOD, text.at ? text.at : "");
  cq_buf_fini(&text);
}

static bool show_packing(void *app, uint64_t done, uint64_t total) {
  return cq_app_goes_on(
      app, _("Packing"),
      _("The interview is finished and safe in the vault. Its files are being packed for the courier."), done, total);
}

static void finish_for(cq_app *app, cq_str reason, int64_t result) {
  cq_error error;
  cq_hash name;
  cq_pack_report packed;
  cq_pack_watch watch = {show_packing, app, true};
  cq_error_clear(&error);
  cq_status status = cq_filling_finalise(app->filling, (cq_result)result, reason, &name, &error);
  if (!cq_app_well(app, status, &error)) return;
  result = (int64_t)cq_filling_result(app->filling, (cq_result)result, NULL);
  cq_app_leave_interview(app);
  status = cq_laptop_pack(app->laptop, &watch, &packed, &error);
  cq_app_pop_to_start(app);
  if (cq_app_well(app, status, &error)) tell_finished(app, (cq_result)result, &packed);
}

/* Why the record that is corrected was not complete, where it ended the same way. */
static cq_str reason_before(const cq_app *app, cq_result result) {
  const cq_record *parent = app->filling->parent;
  return parent && parent->envelope.result == result ? parent->envelope.reason : CQ_STR("");
}

static void finish_or_ask(cq_app *app, int64_t result, size_t option) {
  if (option == 1)
    cq_view_reason(app, finish_for, result);
  else
    finish_for(app, reason_before(app, (cq_result)result), result);
}

static void ask_incomplete(cq_app *app, const char *question, cq_result result) {
  cq_str before = reason_before(app, result);
  cq_buf same = {0};
  cq_buf_addf(&same, _("Yes, for the reason given before: %.*s"), (int)before.size, before.size > 0 ? before.at : "");
  const char *const options[] = {_("No, return"), _("Yes, and say why"),
                                 before.size > 0 && same.at ? same.at : _("Yes, without saying why")};
  cq_view_options(app, question, options, 3, finish_or_ask, result);
  cq_buf_fini(&same);
}

static void discard(cq_app *app, int64_t context) {
  cq_error error;
  (void)context;
  cq_error_clear(&error);
  if (!cq_app_well(app, cq_filling_discard(app->filling, &error), &error)) return;
  app->filling = NULL;
  cq_app_pop_to_start(app);
  cq_app_say(app, CQ_LOOK_GOOD, _("The correction is gone. The interview stays as it was."));
}

static void choose(cq_app *app, int64_t tag) {
  switch (tag) {
  case END_COMPLETE: finish_for(app, CQ_STR(""), CQ_RESULT_COMPLETE); return;
  case END_PARTIAL:
    ask_incomplete(app, _("Finish as partial? What was answered is kept and sent."), CQ_RESULT_PARTIAL);
    return;
  case END_REFUSED:
    ask_incomplete(app, _("Finish as refused? What was answered is kept and sent."), CQ_RESULT_REFUSED);
    return;
  case END_DRAFT:
    cq_app_leave_interview(app);
    cq_app_pop_to_start(app);
    cq_app_say(app, CQ_LOOK_GOOD, _("The draft is kept, with every answer."));
    return;
  case END_DISCARD:
    cq_view_confirm(app, _("Throw this correction away? The interview stays as it was."), discard, 0);
    return;
  default: break;
  }
  cq_app_go_to(app, (cq_entry)tag);
}

/* --- the view --- */

static void review_act(cq_view *view, cq_action action) {
  review *it = (review *)view;
  cq_app *app = view->app;
  if (cq_list_act(&it->list, action, it->rows)) return;
  const cq_list_item *here = cq_list_here(&it->list);
  if (action == CQ_DO_ACCEPT && here) choose(app, here->tag);
  if (action != CQ_DO_LEAVE) return;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_interview_back(app->filling->interview, &error);
  if (status == CQ_OK) status = cq_filling_moved(app->filling, &error);
  if (cq_app_well(app, status, &error)) cq_app_pop(app);
}

static void review_type(cq_view *view, cq_key key) {
  cq_list_type(&((review *)view)->list, key);
}

static void review_end(cq_view *view) {
  cq_list_fini(&((review *)view)->list);
}

static void add_fault(review *it, cq_interview *interview, const cq_violation *fault, cq_arena *arena) {
  cq_buf name = {0}, detail = {0};
  cq_entry node = cq_answer_question_of(interview, fault->node);
  cq_answer_name(interview, node, arena, &name);
  if (fault->message.size > 0)
    cq_buf_add_str(&detail, fault->message);
  else
    cq_buf_add_text(&detail, fault->condition == CQ_VIOLATION_REQUIRED ? _("An answer is needed.")
                                                                       : _("This answer is not allowed here."));
  cq_list_add(&it->list, (int64_t)node, cq_buf_str(&name), detail.at);
  cq_buf_fini(&name);
  cq_buf_fini(&detail);
}

static void review_shown(cq_view *view) {
  review *it = (review *)view;
  cq_app *app = view->app;
  cq_violations faults = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_arena *arena = cq_arena_new(0);
  cq_status status =
      arena ? cq_interview_violations(app->filling->interview, arena, &faults, &error) : cq_error_nomem(&error);
  if (cq_app_well(app, status, &error)) {
    cq_list_clear(&it->list);
    it->faults = faults.count;
    for (size_t i = 0; i < faults.count; i++) add_fault(it, app->filling->interview, &faults.items[i], arena);
    if (faults.count == 0) cq_list_add(&it->list, END_COMPLETE, cq_str_from(_("Finish: complete")), NULL);
    cq_list_add(&it->list, END_DRAFT, cq_str_from(_("Leave it as a draft")), NULL);
    cq_list_add(&it->list, END_PARTIAL, cq_str_from(_("Finish: partial")), NULL);
    cq_list_add(&it->list, END_REFUSED, cq_str_from(_("Finish: refused")), NULL);
    if (app->filling->parent) cq_list_add(&it->list, END_DISCARD, cq_str_from(_("Throw the correction away")), NULL);
    cq_list_ready(&it->list, 0);
  }
  cq_arena_free(arena);
}

void cq_view_review(cq_app *app) {
  static const cq_view_kind kind = {review_draw, review_where, review_act, review_type, review_shown, review_end};
  review *it = cq_app_push(app, &kind, sizeof *it, _("Review"));
  if (it) review_shown(&it->view);
}
