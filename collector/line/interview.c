/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/answer.h"
#include "collector/line/line.h"

#include "collector/names.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_CHOICES = 30 };

/* What a line asked for. */
typedef enum {
  WISH_STAY, /* ask again */
  WISH_NEXT,
  WISH_BACK,
  WISH_MOVED, /* somewhere else already */
  WISH_LEAVE,
  WISH_DONE /* finalised or discarded */
} wish;

typedef struct talk {
  cq_line *line;
  cq_filling *filling;
  cq_status status; /* of the machine; not of answers */
} talk;

/* --- words --- */

typedef enum { SAY_BACK, SAY_GO, SAY_LANGUAGE, SAY_REVIEW, SAY_CLEAR, SAY_REMOVE, SAY_LEAVE, SAY_HELP } saying;

static const struct {
  saying saying;
  const char *word;
  const char *text;
} sayings[] = {
    {SAY_BACK, "<", N_("back to the question before")},
    {SAY_GO, N_(":go"), N_(":go TEXT goes to the question with that name or text")},
    {SAY_LANGUAGE, N_(":language"), N_("the next language of the form")},
    {SAY_REVIEW, N_(":review"), N_("to the end: what is missing, and finishing")},
    {SAY_CLEAR, N_(":clear"), N_("takes this answer away")},
    {SAY_REMOVE, N_(":remove"), N_("removes the repeated part where you are")},
    {SAY_LEAVE, N_(":leave"), N_("leaves; the draft stays")},
    {SAY_HELP, "?", N_("this help")},
};

/* The saying that a line begins with, and what follows it. English words are understood in every language. */
static bool find_saying(cq_str typed, saying *found, cq_str *rest) {
  typed = cq_str_trim(typed);
  for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
    const char *words[] = {sayings[i].word, _(sayings[i].word)};
    for (int w = 0; w < 2; w++) {
      cq_str word = cq_str_from(words[w]);
      if (!cq_str_starts(typed, word)) continue;
      if (typed.size > word.size && typed.at[word.size] != ' ') continue;
      *found = sayings[i].saying;
      *rest = cq_str_trim((cq_str){typed.at + word.size, typed.size - word.size});
      return true;
    }
  }
  return false;
}

static wish fail(talk *it, cq_status status) {
  it->status = status;
  return WISH_LEAVE;
}

static void complain(talk *it, const char *text) {
  fprintf(it->line->out, "! %s\n", text);
}

static wish help(talk *it) {
  for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
    fprintf(it->line->out, "  %-12s %s\n", _(sayings[i].word), _(sayings[i].text));
  fprintf(it->line->out, "  %s\n", _("Enter keeps the answer that stands, and goes on."));
  return WISH_STAY;
}

/* --- moving --- */

static wish go_to(talk *it, cq_str text) {
  cq_interview *interview = it->filling->interview;
  cq_outline_row *rows;
  size_t count;
  cq_entry node;
  if (cq_interview_entry(interview, text, &node, NULL) != CQ_OK || cq_interview_jump(interview, node, NULL) != CQ_OK) {
    cq_status status = cq_interview_search(interview, text, it->line->arena, &rows, &count, it->line->error);
    if (status != CQ_OK) return fail(it, status);
    size_t i = 0;
    while (i < count && cq_interview_jump(interview, rows[i].node, NULL) != CQ_OK) i++;
    if (i == count) {
      complain(it, _("No question has that name or text."));
      return WISH_STAY;
    }
  }
  cq_status status = cq_filling_moved(it->filling, it->line->error);
  return status == CQ_OK ? WISH_MOVED : fail(it, status);
}

static wish next_language(talk *it) {
  size_t count = cq_form_language_count(it->filling->form);
  if (count < 2) {
    complain(it, _("This form has one language only."));
    return WISH_STAY;
  }
  size_t next = (cq_interview_language(it->filling->interview) + 1) % count;
  cq_status status = cq_filling_language(it->filling, next, it->line->error);
  return status == CQ_OK ? WISH_MOVED : fail(it, status);
}

static wish review(talk *it) {
  cq_status status = cq_interview_jump(it->filling->interview, CQ_ENTRY_NONE, it->line->error);
  if (status == CQ_OK) status = cq_filling_moved(it->filling, it->line->error);
  return status == CQ_OK ? WISH_MOVED : fail(it, status);
}

/* The nearest repeat instance around a node is removed. */
static wish remove_instance(talk *it, cq_entry node) {
  cq_entry_state state;
  cq_interview *interview = it->filling->interview;
  while (node != CQ_ENTRY_NONE && cq_interview_state(interview, node, &state, NULL) == CQ_OK &&
         state.kind != CQ_ENTRY_INSTANCE)
    node = state.parent;
  cq_error why;
  cq_error_clear(&why);
  if (node == CQ_ENTRY_NONE) {
    complain(it, _("There is no repeated part here."));
    return WISH_STAY;
  }
  cq_status status = cq_filling_remove(it->filling, node, &why);
  if (status == CQ_OK) return WISH_MOVED;
  if (status != CQ_REFUSED) {
    *it->line->error = why;
    return fail(it, status);
  }
  cq_line_error(it->line, &why);
  return WISH_STAY;
}

static wish obey(talk *it, saying said, cq_str rest, cq_entry node) {
  cq_set_outcome outcome;
  switch (said) {
  case SAY_BACK: return WISH_BACK;
  case SAY_GO: return go_to(it, rest);
  case SAY_LANGUAGE: return next_language(it);
  case SAY_REVIEW: return review(it);
  case SAY_REMOVE: return remove_instance(it, node);
  case SAY_LEAVE: return WISH_LEAVE;
  case SAY_HELP: return help(it);
  case SAY_CLEAR: break;
  }
  if (node == CQ_ENTRY_NONE) return WISH_STAY;
  cq_status status = cq_filling_set(it->filling, node, CQ_STR(""), false, &outcome, it->line->error);
  return status == CQ_OK ? WISH_STAY : fail(it, status);
}

/* --- showing --- */

static void show_text(talk *it, const char *before, cq_str text) {
  if (text.size == 0) return;
  fputs(before, it->line->out);
  cq_line_print(it->line, text);
  fputc('\n', it->line->out);
}

static void show_choices(talk *it, const cq_choices *choices, cq_str filter) {
  size_t shown = 0, fitting = 0;
  for (size_t i = 0; i < choices->count; i++) {
    const cq_choice *choice = &choices->items[i];
    if (!cq_fold_contains(choice->label, filter) && !cq_fold_contains(choice->value, filter)) continue;
    if (++fitting > SHOWN_CHOICES) continue;
    shown++;
    fprintf(it->line->out, "  %zu) ", i + 1);
    cq_line_print(it->line, choice->label.size > 0 ? choice->label : choice->value);
    fprintf(it->line->out, "%s\n", choice->chosen ? " *" : "");
  }
  if (fitting > shown)
    fprintf(it->line->out,
            cq_cli_plural("  … and %zu more: write part of its text\n", "  … and %zu more: write part of the text\n",
                          fitting - shown),
            fitting - shown);
}

static void show_answer(talk *it, const cq_prompt *prompt) {
  cq_buf shown = {0};
  if (cq_filling_shown(it->filling, prompt, it->line->arena, &shown, NULL) == CQ_OK)
    show_text(it, "  = ", cq_buf_str(&shown));
  cq_buf_fini_secret(&shown);
}

static void show_question(talk *it, const cq_prompt *prompt, const cq_choices *choices) {
  FILE *out = it->line->out;
  fputc('\n', out);
  cq_line_print(it->line, prompt->label);
  fprintf(out, "%s\n", prompt->state.required ? " *" : "");
  show_text(it, "  ", prompt->hint);
  const char *kind = cq_answer_kind_words(prompt);
  if (*kind) fprintf(out, "  (%s)\n", kind);
  if (prompt->state.field->missing.size > 0) {
    fprintf(out, "  %s ", _("In place of an answer, after a colon:"));
    cq_line_print(it->line, prompt->state.field->missing);
    fputc('\n', out);
  }
  show_choices(it, choices, CQ_STR(""));
  show_answer(it, prompt);
}

/* --- choosing --- */

/* The choice that a word means: its number as shown, its value, or the only label that contains it. */
static const cq_choice *meant(const cq_choices *choices, cq_str word, size_t *fitting) {
  int64_t number;
  const cq_choice *found = NULL;
  *fitting = 0;
  if (cq_str_int64(word, &number) && number >= 1 && (uint64_t)number <= choices->count)
    return &choices->items[number - 1];
  for (size_t i = 0; i < choices->count; i++) {
    if (cq_str_equal(choices->items[i].value, word) || cq_fold_equal(choices->items[i].label, word))
      return &choices->items[i];
  }
  for (size_t i = 0; i < choices->count; i++) {
    if (!cq_fold_contains(choices->items[i].label, word)) continue;
    found = &choices->items[i];
    ++*fitting;
  }
  return *fitting == 1 ? found : NULL;
}

/* What was typed at a select, as its value. False: not understood; what fits was shown. */
static bool choose(talk *it, const cq_prompt *prompt, const cq_choices *choices, cq_str typed, cq_buf *value) {
  bool several = prompt->state.field->control != CQ_CONTROL_SELECT1;
  size_t fitting;
  const cq_choice *one = meant(choices, typed, &fitting);
  cq_buf_reset(value);
  if (one) {
    cq_buf_add_str(value, one->value);
    return true;
  }
  for (size_t at = 0; several && at < typed.size;) {
    size_t start = at, ignored;
    while (at < typed.size && typed.at[at] != ' ' && typed.at[at] != ',') at++;
    cq_str word = {typed.at + start, at - start};
    while (at < typed.size && (typed.at[at] == ' ' || typed.at[at] == ',')) at++;
    if (word.size == 0) continue;
    one = meant(choices, word, &ignored);
    if (!one) {
      value->size = 0;
      break;
    }
    if (cq_answer_holds(cq_buf_str(value), one->value)) continue;
    if (value->size > 0) cq_buf_add_char(value, ' ');
    cq_buf_add_str(value, one->value);
  }
  if (value->size > 0) return true;
  if (fitting > 1)
    show_choices(it, choices, typed);
  else
    complain(it, _("This is not one of the choices."));
  return false;
}

/* --- one question --- */

static bool tell_violations(talk *it, cq_entry node) {
  cq_violations violations;
  cq_status status = cq_interview_check(it->filling->interview, node, it->line->arena, &violations, it->line->error);
  if (status != CQ_OK) {
    it->status = status;
    return true;
  }
  for (size_t i = 0; i < violations.count; i++) {
    const cq_violation *one = &violations.items[i];
    if (one->message.size > 0)
      show_text(it, "! ", one->message);
    else
      complain(it, one->condition == CQ_VIOLATION_REQUIRED ? _("An answer is needed.")
                                                           : _("This answer is not allowed here."));
  }
  return violations.count > 0;
}

/* ":ns" where the field knows that missing code. */
static bool is_missing_code(const cq_prompt *prompt, cq_str typed, cq_str *code) {
  if (typed.size < 2 || typed.at[0] != ':') return false;
  *code = (cq_str){typed.at + 1, typed.size - 1};
  return cq_answer_holds(prompt->state.field->missing, *code);
}

static wish take_file(talk *it, const cq_prompt *prompt, cq_str typed) {
  cq_set_outcome outcome = {0};
  cq_error why;
  cq_error_clear(&why);
  cq_status status = cq_filling_attach(it->filling, prompt->state.node, typed, NULL, false, &outcome, &why);
  if (status != CQ_OK && !cq_filling_is_file_fault(&why)) {
    *it->line->error = why;
    return fail(it, status);
  }
  if (status != CQ_OK) {
    cq_line_error(it->line, &why);
    return WISH_STAY;
  }
  cq_buf words = {0};
  if (outcome.result == CQ_SET_ACCEPTED) {
    cq_attach_words(&it->filling->files[it->filling->file_count - 1], &words);
    show_text(it, "  = ", cq_buf_str(&words));
  } else {
    complain(it, cq_outcome_words(&outcome, prompt->state.field->type, &words));
  }
  cq_buf_fini(&words);
  return outcome.result == CQ_SET_ACCEPTED ? WISH_NEXT : WISH_STAY;
}

static wish take_answer(talk *it, const cq_prompt *prompt, const cq_choices *choices) {
  cq_str typed = cq_buf_str(&it->line->typed), code;
  cq_set_outcome outcome = {0};
  cq_buf value = {0};
  cq_entry node = prompt->state.node;
  const cq_field *field = prompt->state.field;
  cq_status status = CQ_OK;
  bool selects =
      field->control == CQ_CONTROL_SELECT || field->control == CQ_CONTROL_SELECT1 || field->control == CQ_CONTROL_RANK;
  if (field->control == CQ_CONTROL_UPLOAD && !is_missing_code(prompt, cq_str_trim(typed), &code))
    return take_file(it, prompt, typed);
  if (is_missing_code(prompt, cq_str_trim(typed), &code)) {
    status = cq_filling_set_missing(it->filling, node, code, false, &outcome, it->line->error);
  } else if (selects) {
    if (!choose(it, prompt, choices, cq_str_trim(typed), &value)) {
      cq_buf_fini(&value);
      return WISH_STAY;
    }
    cq_buf ordered = {0};
    bool select = field->control == CQ_CONTROL_SELECT;
    if (select) cq_answer_in_order(choices, cq_buf_str(&value), &ordered);
    status =
        cq_filling_set(it->filling, node, cq_buf_str(select ? &ordered : &value), false, &outcome, it->line->error);
    cq_buf_fini_secret(&ordered);
  } else {
    cq_answer_from_typed(field->type, typed, &value);
    status = cq_filling_set(it->filling, node, cq_buf_str(&value), false, &outcome, it->line->error);
  }
  cq_buf_fini_secret(&value);
  if (status != CQ_OK) return fail(it, status);
  if (outcome.result == CQ_SET_ACCEPTED) return WISH_NEXT;
  cq_buf words = {0};
  complain(it, cq_outcome_words(&outcome, field->type, &words));
  cq_buf_fini(&words);
  return WISH_STAY;
}

/* Reads lines until one moves on. */
static wish ask(talk *it, cq_entry node) {
  cq_prompt prompt;
  cq_choices choices = {0};
  saying said;
  cq_str rest;
  cq_error *error = it->line->error;
  cq_status status = cq_interview_prompt(it->filling->interview, node, it->line->arena, &prompt, error);
  if (status == CQ_OK) status = cq_interview_choices(it->filling->interview, node, it->line->arena, &choices, error);
  if (status == CQ_OK) cq_names_choices(it->line->laptop, it->line->arena, &choices);
  if (status != CQ_OK) return fail(it, status);
  show_question(it, &prompt, &choices);
  bool note = prompt.state.readonly;
  if (!cq_line_read(it->line, note ? _("(Enter) > ") : "> ")) return WISH_LEAVE;
  cq_str typed = cq_str_trim(cq_buf_str(&it->line->typed));
  if (find_saying(typed, &said, &rest)) return obey(it, said, rest, node);
  if (note) return WISH_NEXT;
  wish wanted = WISH_NEXT;
  if (typed.size > 0) {
    wanted = take_answer(it, &prompt, &choices);
  } else if (prompt.state.field->control == CQ_CONTROL_TRIGGER && prompt.value.size == 0) {
    cq_set_outcome outcome;
    status = cq_filling_set(it->filling, node, CQ_STR("OK"), false, &outcome, error);
    if (status != CQ_OK) return fail(it, status);
  }
  if (wanted == WISH_NEXT && tell_violations(it, node)) wanted = it->status == CQ_OK ? WISH_STAY : WISH_LEAVE;
  return wanted;
}

/* --- pages --- */

static void show_trail(talk *it, const cq_page *page) {
  if (page->trail_count == 0) return;
  fputs("\n--", it->line->out);
  for (size_t i = 0; i < page->trail_count; i++) {
    cq_prompt prompt;
    if (cq_interview_prompt(it->filling->interview, page->trail[i], it->line->arena, &prompt, NULL) != CQ_OK) continue;
    fputs(i > 0 ? " › " : " ", it->line->out);
    cq_line_print(it->line, prompt.label);
    if (prompt.state.kind == CQ_ENTRY_INSTANCE) fprintf(it->line->out, " %u", (unsigned)prompt.state.position);
  }
  fputs(" --\n", it->line->out);
}

/* The question of the page after (`step` 1) or before (-1) the n-th, which must be relevant now; CQ_ENTRY_NONE: none.
 */
static cq_entry beside(talk *it, const cq_page *page, size_t at, int step) {
  cq_entry_state state;
  while (step > 0 ? ++at < page->count : at-- > 0) { /* SIZE_MAX + 1 is 0: from the beginning */
    if (cq_interview_state(it->filling->interview, page->nodes[at], &state, NULL) == CQ_OK &&
        state.kind == CQ_ENTRY_VALUE)
      return page->nodes[at];
  }
  return CQ_ENTRY_NONE;
}

/* The questions of a page, one after the other, forward and back. An answer may bring others or take them away, so the
 * page is read anew after each. */
static wish ask_page(talk *it, cq_page *page) {
  cq_entry node = beside(it, page, SIZE_MAX, 1);
  while (node != CQ_ENTRY_NONE) {
    wish wanted;
    do wanted = ask(it, node);
    while (wanted == WISH_STAY);
    if (wanted != WISH_NEXT && wanted != WISH_BACK) return wanted;
    cq_status status = cq_interview_page(it->filling->interview, it->line->arena, page, it->line->error);
    if (status != CQ_OK) return fail(it, status);
    size_t at = 0;
    while (at + 1 < page->count && page->nodes[at] != node) at++;
    node = page->count > 0 ? beside(it, page, at, wanted == WISH_NEXT ? 1 : -1) : CQ_ENTRY_NONE;
    if (node == CQ_ENTRY_NONE) return wanted;
  }
  return WISH_NEXT;
}

static wish ask_repeat(talk *it, const cq_page *page) {
  cq_prompt prompt;
  saying said;
  cq_str rest;
  cq_entry made;
  cq_status status = cq_interview_prompt(it->filling->interview, page->node, it->line->arena, &prompt, it->line->error);
  if (status != CQ_OK) return fail(it, status);
  if (!prompt.can_add) return WISH_NEXT;
  fputc('\n', it->line->out);
  cq_line_print(it->line, prompt.label);
  fprintf(it->line->out, _(": there are %u. Add another one?"), (unsigned)prompt.state.count);
  fprintf(it->line->out, " [%s/%s]\n", _("y"), _("n"));
  if (!cq_line_read(it->line, "> ")) return WISH_LEAVE;
  cq_str typed = cq_str_trim(cq_buf_str(&it->line->typed));
  if (find_saying(typed, &said, &rest)) return obey(it, said, rest, page->node);
  if (!cq_cli_is_yes(typed)) return WISH_NEXT;
  status = cq_filling_add(it->filling, page->node, &made, it->line->error);
  return status == CQ_OK ? WISH_MOVED : fail(it, status);
}

/* --- the end --- */

/* The code that was typed: as it is, or by its number or words in the list. */
static cq_str reason_typed(const cq_choices *known, cq_str typed) {
  size_t fitting;
  const cq_choice *one = meant(known, typed, &fitting);
  return one && fitting == 0 ? one->value : typed; /* part of a text may be a code of its own */
}

/* Why it is not complete; an empty line: no reason, or that of the record which is corrected. False where the input has
 * ended. */
static bool ask_reason(talk *it, cq_result result, cq_buf *reason) {
  const cq_record *parent = it->filling->parent;
  cq_str before = parent && parent->envelope.result == result ? parent->envelope.reason : CQ_STR("");
  cq_choices known = {0};
  it->status = cq_filling_reasons(it->filling, it->line->arena, &known, it->line->error);
  if (it->status != CQ_OK) return false;
  for (;;) {
    if (before.size > 0) {
      fprintf(it->line->out, _("The reason given before: %.*s"), (int)before.size, before.at);
      fputc('\n', it->line->out);
    }
    show_choices(it, &known, CQ_STR(""));
    if (!cq_line_read(it->line, before.size > 0 ? _("Why: one of these, or another code (Enter: as before) > ")
                                                : _("Why: one of these, or another code (Enter: no reason) > ")))
      return false;
    cq_str typed = reason_typed(&known, cq_str_trim(cq_buf_str(&it->line->typed)));
    cq_buf_reset(reason);
    cq_buf_add_str(reason, typed.size > 0 ? typed : before);
    if (typed.size == 0 || cq_answer_is_code(typed)) return true;
    complain(it, _("Write a code without blanks or accents, of 1 to 40 signs."));
  }
}

static wish finish(talk *it, cq_result result) {
  cq_hash name;
  char hex[65];
  cq_buf reason = {0};
  if (result != CQ_RESULT_COMPLETE && !ask_reason(it, result, &reason)) {
    cq_buf_fini(&reason);
    return WISH_LEAVE;
  }
  cq_status status = cq_filling_finalise(it->filling, result, cq_buf_str(&reason), &name, it->line->error);
  cq_buf_fini(&reason);
  if (status == CQ_REFUSED) { /* a correction that corrects nothing */
    cq_line_error(it->line, it->line->error);
    return WISH_STAY;
  }
  if (status != CQ_OK) return fail(it, status);
  cq_hash_hex(&name, hex);
  fprintf(it->line->out, _("Finished (%s): record %.16s…"),
          cq_result_words((int)cq_filling_result(it->filling, result, NULL)), hex);
  fputc('\n', it->line->out);
  return WISH_DONE;
}

static void show_faults(talk *it, const cq_violations *violations) {
  for (size_t i = 0; i < violations->count; i++) {
    const cq_violation *one = &violations->items[i];
    cq_buf name = {0};
    fprintf(it->line->out, "  %zu) ", i + 1);
    cq_entry node = cq_answer_question_of(it->filling->interview, one->node);
    cq_answer_name(it->filling->interview, node, it->line->arena, &name);
    cq_line_print(it->line, cq_buf_str(&name));
    cq_buf_fini(&name);
    fputs(": ", it->line->out);
    if (one->message.size > 0)
      cq_line_print(it->line, one->message);
    else
      fputs(one->condition == CQ_VIOLATION_REQUIRED ? _("An answer is needed.") : _("This answer is not allowed here."),
            it->line->out);
    fputc('\n', it->line->out);
  }
}

/* The sign of a wish, as translated or in English. */
static bool typed_sign(cq_str typed, const char *sign) {
  return cq_str_is(typed, sign) || cq_str_is(typed, _(sign));
}

static wish throw_away(talk *it) {
  cq_status status = cq_store_draft_discard(it->line->laptop->store, it->filling->draft, it->line->error);
  if (status != CQ_OK) return fail(it, status);
  fprintf(it->line->out, "%s\n", _("The correction is gone. The interview stays as it was."));
  return WISH_DONE;
}

static wish end_page(talk *it) {
  cq_violations violations;
  saying said;
  cq_str rest;
  int64_t number;
  FILE *out = it->line->out;
  cq_status status = cq_interview_violations(it->filling->interview, it->line->arena, &violations, it->line->error);
  if (status != CQ_OK) return fail(it, status);
  fprintf(out, "\n%s\n", _("End of the form"));
  if (violations.count > 0) {
    fprintf(
        out,
        cq_cli_plural("%zu answer is missing or not right:", "%zu answers are missing or not right:", violations.count),
        violations.count);
    fputc('\n', out);
    show_faults(it, &violations);
    fprintf(out, "  %s\n", _("A number goes to that question."));
  } else {
    fprintf(out, "  %s) %s\n", _("c"), _("finish: complete"));
  }
  fprintf(out, "  %s) %s\n  %s) %s\n  %s) %s\n", _("p"), _("finish: partial"), _("r"), _("finish: refused"), _("d"),
          _("leave it as a draft"));
  if (it->filling->parent) fprintf(out, "  %s) %s\n", _("t"), _("throw the correction away"));
  if (!cq_line_read(it->line, "> ")) return WISH_LEAVE;
  cq_str typed = cq_str_trim(cq_buf_str(&it->line->typed));
  if (find_saying(typed, &said, &rest)) return obey(it, said, rest, CQ_ENTRY_NONE);
  if (cq_str_int64(typed, &number) && number >= 1 && (uint64_t)number <= violations.count) {
    cq_entry node = cq_answer_question_of(it->filling->interview, violations.items[number - 1].node);
    status = cq_interview_jump(it->filling->interview, node, it->line->error);
    return status == CQ_OK ? WISH_MOVED : fail(it, status);
  }
  if (typed_sign(typed, "p")) return finish(it, CQ_RESULT_PARTIAL);
  if (typed_sign(typed, "r")) return finish(it, CQ_RESULT_REFUSED);
  if (typed_sign(typed, "d")) return WISH_LEAVE;
  if (typed_sign(typed, "t") && it->filling->parent) return throw_away(it);
  if (typed_sign(typed, "c") && violations.count == 0) return finish(it, CQ_RESULT_COMPLETE);
  complain(it, _("Write one of the signs shown."));
  return WISH_STAY;
}

static wish talk_page(talk *it, cq_page *page) {
  switch (page->kind) {
  case CQ_PAGE_REPEAT: return ask_repeat(it, page);
  case CQ_PAGE_END: return end_page(it);
  default: show_trail(it, page); return ask_page(it, page);
  }
}

static cq_status move(talk *it, wish wanted, const cq_page *page) {
  cq_error *error = it->line->error;
  cq_status status = CQ_OK;
  if (wanted == WISH_NEXT && page->kind != CQ_PAGE_END) status = cq_interview_forward(it->filling->interview, error);
  if (wanted == WISH_BACK) status = cq_interview_back(it->filling->interview, error);
  return status == CQ_OK ? cq_filling_moved(it->filling, error) : status;
}

cq_status cq_line_interview(cq_line *line, cq_filling *filling) {
  talk it = {.line = line, .filling = filling};
  fputc('\n', line->out);
  if (filling->parent) fprintf(line->out, "%s · ", _("Correction"));
  cq_line_print(line, cq_buf_str(&filling->title));
  fprintf(line->out, "   (%s)\n", _("? for help"));
  if (cq_laptop_practice(line->laptop)) fprintf(line->out, "*** %s ***\n", _("PRACTICE: nothing here counts"));
  wish wanted = WISH_STAY;
  while (it.status == CQ_OK && wanted != WISH_LEAVE && wanted != WISH_DONE) {
    cq_page page;
    cq_arena_reset(line->arena);
    it.status = cq_interview_page(filling->interview, line->arena, &page, line->error);
    if (it.status != CQ_OK) break;
    wanted = talk_page(&it, &page);
    if (wanted == WISH_NEXT || wanted == WISH_BACK) it.status = move(&it, wanted, &page);
  }
  if (it.status == CQ_OK && wanted == WISH_LEAVE)
    fprintf(line->out, "%s\n", _("The draft is kept, with every answer."));
  return it.status;
}
