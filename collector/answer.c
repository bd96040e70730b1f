/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/answer.h"

#include "chasqui/cli.h"

#include <stdio.h>
#include <string.h>

/* --- folding --- */

/* U+00C0 to U+00FF without their marks; '\0': as it is. */
static const char latin1[64] = "aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0\0aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0y";

static uint32_t fold_one(uint32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xFF) {
    if (latin1[c - 0xC0] != '\0') return (uint32_t)(unsigned char)latin1[c - 0xC0];
    return c < 0xE0 && c != 0xD7 && c != 0xDF ? c + 32 : c;
  }
  return c;
}

void cq_fold(cq_str text, cq_buf *out) {
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    if (c >= 0x300 && c <= 0x36F) continue; /* marks written apart */
    cq_buf_add_code_point(out, fold_one(c));
  }
}

bool cq_fold_contains(cq_str text, cq_str part) {
  cq_buf a = {0}, b = {0};
  cq_fold(text, &a);
  cq_fold(cq_str_trim(part), &b);
  bool found = b.size == 0 || (a.size > 0 && strstr(a.at, b.at) != NULL);
  cq_buf_fini(&a);
  cq_buf_fini(&b);
  return found;
}

bool cq_fold_equal(cq_str a, cq_str b) {
  cq_buf x = {0}, y = {0};
  cq_fold(cq_str_trim(a), &x);
  cq_fold(cq_str_trim(b), &y);
  bool equal = cq_str_equal(cq_buf_str(&x), cq_buf_str(&y));
  cq_buf_fini(&x);
  cq_buf_fini(&y);
  return equal;
}

/* --- values --- */

/* Numbers separated by '/', '-', '.' or blanks; how many, or 0 where there is anything else. */
static int split_numbers(cq_str text, int numbers[3]) {
  int count = 0;
  for (size_t at = 0; at < text.size;) {
    int value = 0;
    size_t digits = 0;
    while (at < text.size && text.at[at] >= '0' && text.at[at] <= '9' && digits < 5) {
      value = value * 10 + (text.at[at++] - '0');
      digits++;
    }
    if (digits == 0 || count == 3) return 0;
    numbers[count++] = value;
    if (at < text.size && strchr("/-. ", text.at[at]) != NULL) at++;
  }
  return count;
}

static bool date_from_typed(cq_str typed, cq_buf *out) {
  int n[3];
  char text[11];
  if (split_numbers(typed, n) != 3) return false;
  bool year_first = n[0] > 31;
  int year = year_first ? n[0] : n[2], day = year_first ? n[2] : n[0];
  if (n[1] > 12 || day > 31 || year > 9999) return false;
  cq_date date = {year, (int8_t)n[1], (int8_t)day};
  if (!cq_date_valid(date)) return false;
  cq_buf_add_text(out, cq_date_format(date, text));
  return true;
}

static bool time_from_typed(cq_str typed, cq_buf *out) {
  int hour, minute, end = 0;
  char text[16];
  if (typed.size >= sizeof text) return false;
  memcpy(text, typed.at, typed.size);
  text[typed.size] = '\0';
  if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || (size_t)end != typed.size) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  cq_buf_addf(out, "%02d:%02d:00.000", hour, minute);
  return true;
}

/* One comma among digits is the decimal sign of Spanish keyboards. */
static void decimal_from_typed(cq_str typed, cq_buf *out) {
  size_t commas = 0, points = 0;
  for (size_t i = 0; i < typed.size; i++) {
    commas += typed.at[i] == ',';
    points += typed.at[i] == '.';
  }
  for (size_t i = 0; i < typed.size; i++)
    cq_buf_add_char(out, typed.at[i] == ',' && commas == 1 && points == 0 ? '.' : typed.at[i]);
}

void cq_answer_from_typed(cq_type type, cq_str typed, cq_buf *out) {
  cq_buf_reset(out);
  bool done = false;
  if (type != CQ_TYPE_STRING) typed = cq_str_trim(typed);
  if (typed.size == 0) return;
  if (type == CQ_TYPE_DATE) done = date_from_typed(typed, out);
  if (type == CQ_TYPE_TIME) done = time_from_typed(typed, out);
  if (type == CQ_TYPE_DECIMAL) {
    decimal_from_typed(typed, out);
    done = true;
  }
  if (!done) {
    cq_buf_reset(out);
    cq_buf_add_str(out, typed);
  }
}

void cq_answer_to_typed(cq_type type, cq_str stored, cq_buf *out) {
  cq_date date;
  if (type == CQ_TYPE_DATE && cq_date_parse(stored, &date))
    cq_buf_addf(out, "%02d/%02d/%04d", date.day, date.month, (int)date.year);
  else if (type == CQ_TYPE_TIME && stored.size >= 5)
    cq_buf_add(out, stored.at, 5);
  else
    cq_buf_add_str(out, stored);
}

const char *cq_answer_missing_words(cq_str code) {
  if (cq_str_is(code, "ns")) return _("does not know");
  if (cq_str_is(code, "nr")) return _("does not answer");
  if (cq_str_is(code, "na")) return _("does not apply");
  return NULL;
}

cq_status cq_answer_shown(cq_interview *interview, const cq_prompt *prompt, cq_arena *arena, cq_buf *out,
                          cq_error *error) {
  cq_str shown;
  if (prompt->missing.size > 0) {
    const char *words = cq_answer_missing_words(prompt->missing);
    cq_buf_add_str(out, words ? cq_str_from(words) : prompt->missing);
    return CQ_OK;
  }
  cq_status status = cq_interview_shown(interview, prompt->state.node, arena, &shown, error);
  if (status != CQ_OK) return status;
  cq_answer_to_typed(cq_str_equal(shown, prompt->value) ? prompt->state.field->type : CQ_TYPE_STRING, shown, out);
  return CQ_OK;
}

/* --- several choices --- */

/* The next name of a value; false at its end. */
static bool next_name(cq_str value, size_t *at, cq_str *name) {
  while (*at < value.size && value.at[*at] == ' ') (*at)++;
  size_t start = *at;
  while (*at < value.size && value.at[*at] != ' ') (*at)++;
  *name = (cq_str){value.at + start, *at - start};
  return name->size > 0;
}

bool cq_answer_holds(cq_str value, cq_str name) {
  cq_str one;
  for (size_t at = 0; next_name(value, &at, &one);) {
    if (cq_str_equal(one, name)) return true;
  }
  return false;
}

void cq_answer_toggle(cq_str value, cq_str name, cq_buf *out) {
  cq_str one;
  bool held = cq_answer_holds(value, name);
  cq_buf_reset(out);
  for (size_t at = 0; next_name(value, &at, &one);) {
    if (held && cq_str_equal(one, name)) continue;
    if (out->size > 0) cq_buf_add_char(out, ' ');
    cq_buf_add_str(out, one);
  }
  if (held) return;
  if (out->size > 0) cq_buf_add_char(out, ' ');
  cq_buf_add_str(out, name);
}

void cq_answer_in_order(const cq_choices *choices, cq_str value, cq_buf *out) {
  cq_buf_reset(out);
  for (size_t i = 0; i < choices->count; i++) {
    if (!cq_answer_holds(value, choices->items[i].value)) continue;
    if (out->size > 0) cq_buf_add_char(out, ' ');
    cq_buf_add_str(out, choices->items[i].value);
  }
}

cq_entry cq_answer_question_of(const cq_interview *interview, cq_entry node) {
  cq_entry_state state;
  cq_entry question = node;
  cq_buf ref = {0};
  if (cq_interview_state(interview, node, &state, NULL) != CQ_OK || !state.field->is_missing ||
      state.field->missing_of == CQ_FIELD_NONE)
    return node;
  /* siblings: the same path but for the last name */
  if (cq_interview_ref(interview, node, &ref, NULL) == CQ_OK && ref.size > state.field->name.size) {
    ref.size -= state.field->name.size;
    cq_buf_add_str(&ref, cq_form_field(cq_interview_form(interview), state.field->missing_of)->name);
    if (ref.failed || cq_interview_entry(interview, cq_buf_str(&ref), &question, NULL) != CQ_OK) question = node;
  }
  cq_buf_fini(&ref);
  return question;
}

void cq_answer_name(cq_interview *interview, cq_entry node, cq_arena *arena, cq_buf *out) {
  enum { DEEPEST = 16 };
  cq_entry parts[DEEPEST];
  int count = 0;
  cq_prompt prompt;
  cq_entry_state state;
  for (cq_entry at = node; at != CQ_ENTRY_NONE && count < DEEPEST; at = state.parent) {
    if (cq_interview_state(interview, at, &state, NULL) != CQ_OK) break;
    if (at == node || state.kind == CQ_ENTRY_INSTANCE) parts[count++] = at;
  }
  while (count-- > 0) {
    if (cq_interview_prompt(interview, parts[count], arena, &prompt, NULL) != CQ_OK) continue;
    cq_buf_add_str(out, prompt.label);
    if (prompt.state.kind == CQ_ENTRY_INSTANCE) cq_buf_addf(out, " %u", (unsigned)prompt.state.position);
    if (count > 0) cq_buf_add_text(out, " › ");
  }
}

bool cq_answer_is_code(cq_str text) {
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '-' && c != '_') return false;
  }
  return text.size > 0 && text.size <= CQ_ANSWER_CODE;
}

/* --- words --- */

static const char *file_words(cq_str wanted) {
  if (cq_str_starts(wanted, CQ_STR("image/"))) return _("the path of a file with the image");
  if (cq_str_starts(wanted, CQ_STR("audio/"))) return _("the path of a file with the recording");
  if (cq_str_starts(wanted, CQ_STR("video/"))) return _("the path of a file with the video");
  return _("the path of a file");
}

const char *cq_answer_kind_words(const cq_prompt *prompt) {
  const cq_field *field = prompt->state.field;
  if (prompt->state.readonly || field->control == CQ_CONTROL_TRIGGER) return "";
  switch (field->control) {
  case CQ_CONTROL_SELECT: return _("choose one or more");
  case CQ_CONTROL_SELECT1: return _("choose one");
  case CQ_CONTROL_RANK: return _("put in order");
  case CQ_CONTROL_UPLOAD: return file_words(field->media_type);
  default: break;
  }
  switch (field->type) {
  case CQ_TYPE_INT: return _("a whole number");
  case CQ_TYPE_DECIMAL: return _("a number");
  case CQ_TYPE_DATE: return _("a date: day/month/year");
  case CQ_TYPE_TIME: return _("a time: hours:minutes");
  case CQ_TYPE_DATETIME: return _("a date and time");
  case CQ_TYPE_GEOPOINT: return _("latitude and longitude");
  default: return "";
  }
}
