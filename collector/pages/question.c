/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page where the interview stands: one question, several on one page
 * (field-list), or whether to add another repeated part. One question at a time
 * has the focus; the others of its page show their answers.
 */
#include "collector/answer.h"
#include "collector/names.h"
#include "collector/pages/app.h"
#include "collector/pages/edit.h"
#include "collector/pages/list.h"

#include <stdlib.h>
#include <string.h>

enum { REPEAT_ADD = 1, REPEAT_GO_ON, LEAST_LIST_ROWS = 5 };

typedef struct question {
  cq_view view; /* first */
  cq_arena *arena;
  cq_page page;
  size_t focus; /* among page.nodes */
  cq_prompt prompt;
  cq_choices choices;
  cq_list list;
  cq_edit edit;
  cq_buf order; /* of a rank: names in the order of marking */
  bool typed;   /* something was typed or marked since it was shown */
  int scroll;   /* rows of text above the window, asked for by arrows */
  int rows;     /* of the window, as last drawn */
} question;

/* --- what kind of question has the focus --- */

static bool is_rank(const question *it) {
  return it->prompt.state.field->control == CQ_CONTROL_RANK;
}

static bool is_several(const question *it) {
  return it->prompt.state.field->control == CQ_CONTROL_SELECT || is_rank(it);
}

static bool is_list(const question *it) {
  return it->page.kind == CQ_PAGE_REPEAT || is_several(it) || it->prompt.state.field->control == CQ_CONTROL_SELECT1;
}

static bool is_note(const question *it) {
  return it->page.kind != CQ_PAGE_REPEAT &&
         (it->prompt.state.readonly || it->prompt.state.field->control == CQ_CONTROL_TRIGGER);
}

/* Answered by the path of a file. */
static bool is_file(const question *it) {
  return it->page.kind != CQ_PAGE_REPEAT && !it->prompt.state.readonly &&
         it->prompt.state.field->control == CQ_CONTROL_UPLOAD;
}

static bool is_repeated(const question *it) {
  cq_entry_state state;
  for (cq_entry node = it->prompt.state.node; node != CQ_ENTRY_NONE; node = state.parent) {
    if (cq_interview_state(it->view.app->filling->interview, node, &state, NULL) != CQ_OK) return false;
    if (state.kind == CQ_ENTRY_INSTANCE) return true;
  }
  return false;
}

/* --- loading --- */

static bool is_question(const question *it, size_t i) {
  cq_entry_state state;
  return cq_interview_state(it->view.app->filling->interview, it->page.nodes[i], &state, NULL) == CQ_OK &&
         state.kind == CQ_ENTRY_VALUE && state.relevant;
}

/* Villages of one district share names: then the code stands beside. Not asked of lists too long to read through. */
static bool is_repeated_label(const cq_choices *choices, size_t i) {
  enum { READABLE = 3000 };
  for (size_t k = 0; k < choices->count && choices->count <= READABLE; k++) {
    if (k != i && cq_str_equal(choices->items[k].label, choices->items[i].label)) return true;
  }
  return false;
}

static void load_list(question *it) {
  size_t cursor = CQ_LIST_NONE;
  cq_list_clear(&it->list);
  it->list.marks = is_several(it);
  it->list.single = !is_several(it);
  for (size_t i = 0; i < it->choices.count; i++) {
    const cq_choice *choice = &it->choices.items[i];
    cq_buf code = {0};
    if (is_repeated_label(&it->choices, i)) cq_buf_add_str(&code, choice->value);
    cq_list_add(&it->list, (int64_t)i, choice->label.size > 0 ? choice->label : choice->value, code.at);
    cq_buf_fini(&code);
    if (it->list.failed) break;
    it->list.items[it->list.count - 1].marked = choice->chosen;
    if (choice->chosen && cursor == CQ_LIST_NONE) cursor = i;
  }
  cq_buf_reset(&it->order);
  cq_buf_add_str(&it->order, it->prompt.value);
  cq_list_ready(&it->list, cursor);
}

static void load_repeat(question *it) {
  cq_list_clear(&it->list);
  it->list.marks = it->list.single = false;
  if (it->prompt.can_add) cq_list_add(&it->list, REPEAT_ADD, cq_str_from(_("Yes, add another one")), NULL);
  cq_list_add(&it->list, REPEAT_GO_ON, cq_str_from(_("No, go on")), NULL);
  cq_list_ready(&it->list, it->prompt.state.count == 0 ? 0 : it->list.count - 1);
}

/* The focused question's prompt, and its list or text as they stand. */
static bool load_focus(question *it) {
  cq_app *app = it->view.app;
  cq_interview *interview = app->filling->interview;
  cq_error error;
  cq_error_clear(&error);
  cq_entry node = it->page.kind == CQ_PAGE_REPEAT ? it->page.node : it->page.nodes[it->focus];
  cq_status status = cq_interview_prompt(interview, node, it->arena, &it->prompt, &error);
  it->choices = (cq_choices){0};
  if (status == CQ_OK) status = cq_interview_choices(interview, node, it->arena, &it->choices, &error);
  if (status == CQ_OK) cq_names_choices(app->laptop, it->arena, &it->choices);
  if (!cq_app_well(app, status, &error)) return false;
  it->typed = false;
  it->scroll = 0;
  if (it->page.kind == CQ_PAGE_REPEAT) {
    load_repeat(it);
  } else if (is_list(it)) {
    load_list(it);
  } else {
    cq_buf text = {0};
    /* of a file only a new path is typed: what stands is told above it */
    if (!is_file(it)) cq_answer_to_typed(it->prompt.state.field->type, it->prompt.value, &text);
    cq_edit_set(&it->edit, cq_buf_str(&text));
    cq_buf_fini_secret(&text);
  }
  return true;
}

/* The first question of the page that waits for an answer; `otherwise` where none does. */
static size_t first_unanswered(const question *it, size_t otherwise) {
  cq_entry_state state;
  for (size_t i = 0; i < it->page.count; i++) {
    if (is_question(it, i) &&
        cq_interview_state(it->view.app->filling->interview, it->page.nodes[i], &state, NULL) == CQ_OK &&
        !state.answered && !state.readonly)
      return i;
  }
  return otherwise;
}

/* The page anew; the focus on its first question, or the last. */
static void load_page(question *it, bool last) {
  cq_app *app = it->view.app;
  cq_error error;
  cq_error_clear(&error);
  cq_arena_reset(it->arena);
  it->page = (cq_page){0};
  if (!cq_app_well(app, cq_interview_page(app->filling->interview, it->arena, &it->page, &error), &error)) return;
  if (it->page.kind == CQ_PAGE_END) return;
  it->focus = last && it->page.count > 0 ? it->page.count - 1 : 0;
  while (!last && it->focus + 1 < it->page.count && !is_question(it, it->focus)) it->focus++;
  while (last && it->focus > 0 && !is_question(it, it->focus)) it->focus--;
  if (app->resumed) it->focus = first_unanswered(it, it->focus);
  for (size_t i = 0; i < it->page.count; i++) {
    if (it->page.nodes[i] == app->wanted) it->focus = i;
  }
  load_focus(it);
}

/* --- drawing --- */

/* Rows that may be more than the window: measured first, then drawn from `scroll` on. */
typedef struct pen {
  cq_grid *grid; /* NULL: measuring */
  int row, rows, columns;
  int scroll, line;
  int from, to; /* lines of the focused question */
} pen;

static void pen_text(pen *to, unsigned look, int indent, cq_str text) {
  cq_str line;
  for (size_t at = 0; cq_text_wrap(text, to->columns - indent - 2, &at, &line); to->line++) {
    int shown = to->line - to->scroll;
    if (to->grid && shown >= 0 && shown < to->rows)
      cq_grid_write(to->grid, to->row + shown, indent, to->columns - indent, look, line);
  }
}

static void pen_two(pen *to, unsigned look, int indent, const char *before, cq_str text) {
  cq_buf both = {0};
  cq_buf_add_text(&both, before);
  cq_buf_add_str(&both, text);
  pen_text(to, look, indent, cq_buf_str(&both));
  cq_buf_fini_secret(&both);
}

static void pen_label(pen *to, unsigned look, const cq_prompt *prompt) {
  cq_buf label = {0};
  cq_buf_add_str(&label, prompt->label);
  if (prompt->state.required && !prompt->state.readonly) cq_buf_add_text(&label, " *");
  pen_text(to, look, 2, cq_buf_str(&label));
  cq_buf_fini(&label);
}

static void draw_trail(question *it, pen *to) {
  cq_buf trail = {0};
  for (size_t i = 0; i < it->page.trail_count; i++) {
    cq_prompt prompt;
    if (cq_interview_prompt(it->view.app->filling->interview, it->page.trail[i], it->arena, &prompt, NULL) != CQ_OK)
      continue;
    if (trail.size > 0) cq_buf_add_text(&trail, " › ");
    cq_buf_add_str(&trail, prompt.label);
    if (prompt.state.kind == CQ_ENTRY_INSTANCE) cq_buf_addf(&trail, " %u", (unsigned)prompt.state.position);
  }
  if (trail.size > 0) {
    pen_text(to, CQ_LOOK_DIM, 2, cq_buf_str(&trail));
    to->line++;
  }
  cq_buf_fini(&trail);
}

static void draw_other(question *it, pen *to, cq_entry node) {
  cq_prompt prompt;
  cq_interview *interview = it->view.app->filling->interview;
  if (cq_interview_prompt(interview, node, it->arena, &prompt, NULL) != CQ_OK) return;
  if (prompt.state.kind != CQ_ENTRY_VALUE) {
    pen_text(to, CQ_LOOK_BOLD | CQ_LOOK_UNDERLINE, 2, prompt.label);
    return;
  }
  pen_label(to, 0, &prompt);
  if (prompt.state.field->control == CQ_CONTROL_NONE || (prompt.state.readonly && prompt.value.size == 0)) return;
  cq_buf shown = {0};
  if (cq_filling_shown(it->view.app->filling, &prompt, it->arena, &shown, NULL) == CQ_OK && shown.size > 0)
    pen_two(to, 0, 4, "= ", cq_buf_str(&shown));
  else
    pen_text(to, CQ_LOOK_DIM, 4, cq_str_from("…"));
  cq_buf_fini_secret(&shown);
}

/* The list or the text under the focused question. */
static void draw_editor(question *it, pen *to) {
  int indent = 4, room = to->columns - indent - 2;
  int used = to->line - to->from, most = to->rows - used;
  if (is_list(it)) {
    int rows = cq_list_rows(&it->list);
    if (most < LEAST_LIST_ROWS) most = LEAST_LIST_ROWS;
    if (rows > most) rows = most;
    if (to->grid) cq_list_draw(&it->list, to->grid, to->row + to->line - to->scroll, rows, indent - 2, room + 2);
    to->line += rows;
    return;
  }
  if (is_note(it)) {
    cq_buf shown = {0};
    if (it->prompt.value.size > 0 && it->prompt.state.readonly &&
        cq_filling_shown(it->view.app->filling, &it->prompt, it->arena, &shown, NULL) == CQ_OK)
      pen_two(to, 0, indent, "= ", cq_buf_str(&shown));
    cq_buf_fini_secret(&shown);
    return;
  }
  int rows = cq_edit_rows(&it->edit, room), row, column;
  if (rows > to->rows - 1) rows = to->rows - 1;
  if (to->grid) {
    cq_edit_draw(&it->edit, to->grid, to->row + to->line - to->scroll, rows, indent, room, &row, &column);
    cq_screen_cursor(it->view.app->screen, row, column);
  }
  to->line += rows;
}

static void draw_focus(question *it, pen *to) {
  const char *kind = cq_answer_kind_words(&it->prompt);
  to->from = to->line;
  pen_label(to, CQ_LOOK_BOLD, &it->prompt);
  pen_text(to, 0, 2, it->prompt.hint);
  if (*kind) pen_two(to, CQ_LOOK_DIM, 2, "", cq_str_from(kind));
  cq_buf shown = {0};
  bool missing = it->prompt.missing.size > 0, file = is_file(it) && it->prompt.value.size > 0;
  if ((missing || file) && cq_filling_shown(it->view.app->filling, &it->prompt, it->arena, &shown, NULL) == CQ_OK)
    pen_two(to, missing ? CQ_LOOK_WARN : 0, 4, "= ", cq_buf_str(&shown));
  cq_buf_fini(&shown);
  if (!is_note(it)) to->line++;
  draw_editor(it, to);
  to->to = to->line;
}

static void draw_repeat(question *it, pen *to) {
  cq_buf text = {0};
  to->from = to->line;
  cq_buf_add_str(&text, it->prompt.label);
  cq_buf_addf(&text, _(": there are %u. Add another one?"), (unsigned)it->prompt.state.count);
  pen_text(to, CQ_LOOK_BOLD, 2, cq_buf_str(&text));
  cq_buf_fini(&text);
  to->line++;
  draw_editor(it, to);
  to->to = to->line;
}

static void draw_all(question *it, pen *to) {
  draw_trail(it, to);
  if (it->page.kind == CQ_PAGE_REPEAT) {
    draw_repeat(it, to);
    return;
  }
  for (size_t i = 0; i < it->page.count; i++) {
    if (i > 0) to->line++;
    if (i == it->focus)
      draw_focus(it, to);
    else
      draw_other(it, to, it->page.nodes[i]);
  }
}

static void question_draw(cq_view *view, cq_grid *grid, int row, int rows) {
  question *it = (question *)view;
  if (it->page.kind == CQ_PAGE_END || (it->page.count == 0 && it->page.kind != CQ_PAGE_REPEAT)) return;
  cq_arena_mark before = cq_arena_save(it->arena);
  pen measure = {.rows = rows, .columns = grid->columns};
  draw_all(it, &measure);
  int most = measure.line > rows ? measure.line - rows : 0;
  int scroll = measure.to > rows ? measure.to - rows : 0;
  /* Rather the question's beginning than its end, where both do not fit. */
  if (scroll > measure.from) scroll = measure.from;
  if (it->scroll > most - scroll) it->scroll = most - scroll;
  if (it->scroll < 0) it->scroll = 0;
  it->rows = rows;
  pen to = {.grid = grid, .row = row, .rows = rows, .columns = grid->columns, .scroll = scroll + it->scroll};
  draw_all(it, &to);
  if (scroll + it->scroll > 0) cq_grid_write(grid, row, grid->columns - 1, 1, CQ_LOOK_DIM, cq_str_from("↑"));
  if (scroll + it->scroll < most)
    cq_grid_write(grid, row + rows - 1, grid->columns - 1, 1, CQ_LOOK_DIM, cq_str_from("↓"));
  cq_arena_rewind(it->arena, before);
}

static unsigned question_where(const cq_view *view) {
  const question *it = (const question *)view;
  if (it->page.kind == CQ_PAGE_END || !it->prompt.state.field) return CQ_ON_LIST;
  unsigned where = CQ_ON_QUESTION;
  if (is_note(it))
    where |= CQ_ON_NOTE;
  else if (is_list(it))
    where |= CQ_ON_CHOICES | (it->page.kind != CQ_PAGE_REPEAT && is_several(it) ? (unsigned)CQ_ON_SEVERAL : 0u);
  else
    where |= CQ_ON_TEXT | (is_file(it) ? (unsigned)CQ_ON_FILE : 0u);
  if (it->page.kind != CQ_PAGE_REPEAT && it->prompt.state.field->missing.size > 0 && !it->prompt.state.readonly)
    where |= CQ_ON_MISSING;
  if (is_repeated(it)) where |= CQ_ON_REPEATED;
  return where;
}

/* --- answering --- */

/* The value as the form stores it. False: nothing was chosen, and what stands stays. */
static bool value_of(question *it, cq_buf *value) {
  const cq_field *field = it->prompt.state.field;
  cq_buf_reset(value);
  if (!is_list(it)) {
    cq_answer_from_typed(field->type, cq_buf_str(&it->edit.text), value);
    return true;
  }
  if (is_several(it)) {
    if (is_rank(it))
      cq_buf_add_str(value, cq_buf_str(&it->order));
    else
      cq_answer_in_order(&it->choices, cq_buf_str(&it->order), value);
    return true;
  }
  const cq_list_item *here = cq_list_here(&it->list);
  if (!here) return false;
  cq_buf_add_str(value, it->choices.items[here->tag].value);
  return true;
}

static bool show_reading(void *app, uint64_t done, uint64_t total) {
  return cq_app_goes_on(app, _("Attaching"), _("The file is being read into the vault."), done, total);
}

/* Nothing typed: the file that stands, stays. */
static bool take_file(question *it, bool forward, bool *moved) {
  cq_app *app = it->view.app;
  cq_buf words = {0};
  cq_set_outcome outcome = {0};
  cq_error error;
  cq_error_clear(&error);
  *moved = false;
  if (cq_str_trim(cq_buf_str(&it->edit.text)).size == 0) return true;
  app->filling->watch = (cq_attach_watch){show_reading, app};
  cq_status status = cq_filling_attach(app->filling, it->prompt.state.node, cq_buf_str(&it->edit.text), NULL, forward,
                                       &outcome, &error);
  bool taken = cq_app_well(app, status, &error) && outcome.result == CQ_SET_ACCEPTED;
  if (status == CQ_OK && !taken)
    cq_app_say(app, CQ_LOOK_FAULT, cq_outcome_words(&outcome, it->prompt.state.field->type, &words));
  if (taken) {
    cq_buf_add_text(&words, _("The file is in the vault: "));
    cq_attach_words(&app->filling->files[app->filling->file_count - 1], &words);
    cq_app_say(app, CQ_LOOK_GOOD, words.at ? words.at : "");
  }
  *moved = taken && forward;
  cq_buf_fini(&words);
  return taken;
}

static void complete_path(question *it) {
  cq_buf offered = {0};
  cq_str typed = cq_buf_str(&it->edit.text);
  if (it->edit.at == typed.size && cq_attach_complete(&it->edit.text, &offered)) {
    it->typed = true;
    if (offered.size > 0) cq_app_say(it->view.app, 0, offered.at);
  } else if (it->edit.at == typed.size) {
    cq_app_say(it->view.app, 0, _("No path begins so."));
  }
  it->edit.at = it->edit.text.size;
  cq_buf_fini(&offered);
}

/* True where the answer stands in the interview, durable. `forward`: also to the next page, in the same step. */
static bool take_answer(question *it, bool forward, bool *moved) {
  cq_app *app = it->view.app;
  cq_buf value = {0}, words = {0};
  cq_set_outcome outcome = {0};
  cq_error error;
  cq_error_clear(&error);
  *moved = false;
  if (is_file(it)) return take_file(it, forward, moved);
  bool taken = true;
  if (value_of(it, &value) && !(value.size == 0 && it->prompt.missing.size > 0 && !it->typed)) {
    /* An empty answer must be checked before the page is left. */
    bool go = forward && value.size > 0;
    cq_status status = cq_filling_set(app->filling, it->prompt.state.node, cq_buf_str(&value), go, &outcome, &error);
    taken = cq_app_well(app, status, &error) && outcome.result == CQ_SET_ACCEPTED;
    if (status == CQ_OK && !taken)
      cq_app_say(app, CQ_LOOK_FAULT, cq_outcome_words(&outcome, it->prompt.state.field->type, &words));
    *moved = taken && go;
  }
  cq_buf_fini_secret(&value);
  cq_buf_fini(&words);
  return taken;
}

/* Says the first thing that keeps from leaving this question; true where there is none. */
static bool is_whole(question *it) {
  cq_app *app = it->view.app;
  cq_violations faults;
  cq_buf text = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_interview_check(app->filling->interview, it->prompt.state.node, it->arena, &faults, &error);
  if (!cq_app_well(app, status, &error)) return false;
  if (faults.count == 0) return true;
  cq_buf_add_str(&text, faults.items[0].message);
  if (text.size == 0)
    cq_buf_add_text(&text, faults.items[0].condition == CQ_VIOLATION_REQUIRED ? _("An answer is needed.")
                                                                              : _("This answer is not allowed here."));
  cq_app_say(app, CQ_LOOK_FAULT, text.at ? text.at : "");
  cq_buf_fini(&text);
  return false;
}

static void arrive(question *it, bool last) {
  load_page(it, last);
  if (it->page.kind == CQ_PAGE_END && !it->view.app->over) cq_view_review(it->view.app);
}

static void go_forward(question *it) {
  cq_app *app = it->view.app;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_interview_forward(app->filling->interview, &error);
  if (status == CQ_OK) status = cq_filling_moved(app->filling, &error);
  if (cq_app_well(app, status, &error)) arrive(it, false);
}

/* The next question of this page after `focus`; page.count: none. An answer may have brought or taken some. */
static size_t next_on_page(const question *it) {
  size_t i = it->focus + 1;
  while (i < it->page.count && !is_question(it, i)) i++;
  return i;
}

static void reload_page(question *it) {
  cq_entry node = it->prompt.state.node;
  cq_error error;
  cq_error_clear(&error);
  cq_arena_reset(it->arena);
  if (!cq_app_well(it->view.app, cq_interview_page(it->view.app->filling->interview, it->arena, &it->page, &error),
                   &error))
    return;
  it->focus = 0;
  for (size_t i = 0; i < it->page.count; i++) {
    if (it->page.nodes[i] == node) it->focus = i;
  }
  if (it->page.kind != CQ_PAGE_END) load_focus(it);
}

static void accept_repeat(question *it) {
  cq_app *app = it->view.app;
  const cq_list_item *here = cq_list_here(&it->list);
  cq_entry made;
  cq_error error;
  cq_error_clear(&error);
  if (!here || here->tag == REPEAT_GO_ON) {
    go_forward(it);
    return;
  }
  if (cq_app_well(app, cq_filling_add(app->filling, it->page.node, &made, &error), &error)) arrive(it, false);
}

static void accept(question *it) {
  cq_app *app = it->view.app;
  bool moved = false;
  if (it->page.kind == CQ_PAGE_REPEAT) {
    accept_repeat(it);
    return;
  }
  bool last = next_on_page(it) >= it->page.count;
  if (it->prompt.state.field->control == CQ_CONTROL_TRIGGER && it->prompt.value.size == 0) {
    cq_set_outcome outcome;
    cq_error error;
    cq_error_clear(&error);
    cq_status status = cq_filling_set(app->filling, it->prompt.state.node, CQ_STR("OK"), false, &outcome, &error);
    if (!cq_app_well(app, status, &error)) return;
  } else if (!is_note(it)) {
    /* Of several on a page, answers may bring others: the page is read anew before it is left. */
    if (!take_answer(it, last && it->page.count == 1, &moved)) return;
  }
  if (moved) {
    arrive(it, false);
    return;
  }
  if (!is_whole(it)) return;
  if (it->page.count > 1) {
    reload_page(it);
    size_t next = next_on_page(it);
    if (next < it->page.count) {
      it->focus = next;
      load_focus(it);
      return;
    }
  }
  go_forward(it);
}

/* What was typed and fits is kept when one goes elsewhere; what doesn't fit is let go. */
static void keep_typed(question *it) {
  bool moved;
  /* Where the cursor stands in a list of which one is chosen is no answer yet. */
  if (!it->typed || is_note(it) || it->page.kind == CQ_PAGE_REPEAT || (is_list(it) && !is_several(it))) return;
  take_answer(it, false, &moved);
  cq_buf_reset(&it->view.app->message);
}

static void back(question *it) {
  cq_app *app = it->view.app;
  cq_error error;
  cq_error_clear(&error);
  keep_typed(it);
  size_t i = it->focus;
  while (it->page.kind != CQ_PAGE_REPEAT && i > 0) {
    if (!is_question(it, --i)) continue;
    reload_page(it);
    if (i < it->page.count) it->focus = i;
    load_focus(it);
    return;
  }
  if (it->page.first) {
    cq_app_say(app, 0, _("This is the first question."));
    return;
  }
  cq_status status = cq_interview_back(app->filling->interview, &error);
  if (status == CQ_OK) status = cq_filling_moved(app->filling, &error);
  if (cq_app_well(app, status, &error)) arrive(it, true);
}

static void mark(question *it) {
  cq_list_item *here = cq_list_here(&it->list);
  cq_buf order = {0};
  if (!here || it->page.kind == CQ_PAGE_REPEAT) return;
  here->marked = !here->marked;
  cq_answer_toggle(cq_buf_str(&it->order), it->choices.items[here->tag].value, &order);
  cq_buf_fini(&it->order);
  it->order = order;
  it->typed = true;
}

static void clear(question *it) {
  cq_app *app = it->view.app;
  cq_set_outcome outcome;
  cq_error error;
  cq_error_clear(&error);
  if (it->page.kind == CQ_PAGE_REPEAT || it->prompt.state.readonly) return;
  if (is_file(it) && it->edit.text.size > 0) { /* first the path, then the file that stands */
    cq_edit_set(&it->edit, CQ_STR(""));
    return;
  }
  cq_status status = cq_filling_set(app->filling, it->prompt.state.node, CQ_STR(""), false, &outcome, &error);
  if (cq_app_well(app, status, &error)) reload_page(it);
}

static void next_language(question *it) {
  cq_app *app = it->view.app;
  size_t count = cq_form_language_count(app->filling->form);
  cq_error error;
  cq_error_clear(&error);
  if (count < 2) {
    cq_app_say(app, 0, _("This form has one language only."));
    return;
  }
  keep_typed(it);
  size_t next = (cq_interview_language(app->filling->interview) + 1) % count;
  if (!cq_app_well(app, cq_filling_language(app->filling, next, &error), &error)) return;
  reload_page(it);
  cq_buf text = {0};
  cq_buf_add_str(&text, cq_form_language(app->filling->form, next));
  cq_app_say(app, 0, text.at ? text.at : "");
  cq_buf_fini(&text);
}

/* --- removing a repeated part --- */

static void remove_part(cq_app *app, int64_t node) {
  cq_error error;
  cq_error_clear(&error);
  if (cq_app_well(app, cq_filling_remove(app->filling, (cq_entry)node, &error), &error)) cq_app_show_page(app);
}

static void ask_remove(question *it) {
  cq_entry_state state;
  cq_entry node = it->prompt.state.node;
  while (node != CQ_ENTRY_NONE) {
    if (cq_interview_state(it->view.app->filling->interview, node, &state, NULL) != CQ_OK) return;
    if (state.kind == CQ_ENTRY_INSTANCE) break;
    node = state.parent;
  }
  if (node == CQ_ENTRY_NONE) return;
  cq_view_confirm(it->view.app, _("Remove this repeated part with its answers?"), remove_part, (int64_t)node);
}

/* --- the view --- */

/* What was above has gone: the same question again, as it stands now. */
static void question_shown(cq_view *view) {
  question *it = (question *)view;
  if (!view->app->filling) return;
  if (it->page.kind == CQ_PAGE_END || it->page.count == 0)
    load_page(it, true);
  else
    reload_page(it);
}

static void arrow(question *it, cq_action action) {
  if (is_list(it)) {
    cq_list_act(&it->list, action, it->rows);
    return;
  }
  if (it->page.count <= 1 || is_note(it)) {
    it->scroll += action == CQ_DO_UP ? -1 : 1;
    return;
  }
  if (action == CQ_DO_DOWN && next_on_page(it) < it->page.count)
    accept(it);
  else if (action == CQ_DO_UP && it->focus > 0)
    back(it);
}

static void question_act(cq_view *view, cq_action action) {
  question *it = (question *)view;
  cq_app *app = view->app;
  switch (action) {
  case CQ_DO_ACCEPT: accept(it); break;
  case CQ_DO_BACK: back(it); break;
  case CQ_DO_UP:
  case CQ_DO_DOWN: arrow(it, action); break;
  case CQ_DO_MARK: mark(it); break;
  case CQ_DO_CLEAR: clear(it); break;
  case CQ_DO_COMPLETE: complete_path(it); break;
  case CQ_DO_MISSING: cq_view_missing(app, it->prompt.state.node); break;
  case CQ_DO_JUMP:
    keep_typed(it);
    cq_view_jump(app);
    break;
  case CQ_DO_LANGUAGE: next_language(it); break;
  case CQ_DO_REMOVE: ask_remove(it); break;
  case CQ_DO_REVIEW: {
    cq_error error;
    cq_error_clear(&error);
    keep_typed(it);
    cq_status status = cq_interview_jump(app->filling->interview, CQ_ENTRY_NONE, &error);
    if (status == CQ_OK) status = cq_filling_moved(app->filling, &error);
    if (cq_app_well(app, status, &error)) arrive(it, false);
    break;
  }
  case CQ_DO_LEAVE:
    keep_typed(it);
    cq_app_leave_interview(app);
    cq_app_pop_to_start(app);
    cq_app_say(app, CQ_LOOK_GOOD, _("The draft is kept, with every answer."));
    break;
  default: break;
  }
}

static void question_type(cq_view *view, cq_key key) {
  question *it = (question *)view;
  bool taken = is_note(it) ? false : is_list(it) ? cq_list_type(&it->list, key) : cq_edit_type(&it->edit, key);
  if (taken) it->typed = true;
}

static void question_end(cq_view *view) {
  question *it = (question *)view;
  cq_list_fini(&it->list);
  cq_edit_fini(&it->edit);
  cq_buf_fini_secret(&it->order);
  cq_arena_free(it->arena);
}

void cq_view_question(cq_app *app) {
  static const cq_view_kind kind = {question_draw, question_where, question_act,
                                    question_type, question_shown, question_end};
  char title[128];
  cq_buf whole = {0};
  if (app->filling->parent) cq_buf_addf(&whole, "%s · ", _("Correction"));
  cq_buf_add_str(&whole, cq_buf_str(&app->filling->title));
  size_t size = whole.size < sizeof title - 1 ? whole.size : sizeof title - 1;
  while (size > 0 && size < whole.size && ((unsigned char)whole.at[size] & 0xC0) == 0x80) size--;
  if (size > 0) memcpy(title, whole.at, size);
  title[size] = '\0';
  cq_buf_fini(&whole);
  question *it = cq_app_push(app, &kind, sizeof *it, title);
  if (!it) return;
  it->arena = cq_arena_new(0);
  if (it->arena)
    load_page(it, false);
  else
    app->over = true;
}
