/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of dates and times. */
#include "forms/xpath/dates.h"
#include "forms/xpath/functions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000, PIECE_SIZE = 32 };

static cq_status now_ms(cq_run *run, const cq_expr *call, int64_t *out) {
  if (!run->host->clock) return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("clock"));
  *out = run->host->clock->now_utc_ms(run->host->clock->context);
  return CQ_OK;
}

static int64_t local_ms(const cq_xpath_host *host, int64_t utc_ms) {
  return utc_ms + (int64_t)cq_local_offset(host, utc_ms) * 60000;
}

static int64_t clock_of(int64_t local) {
  int64_t rest = local % DAY_MS;
  return rest < 0 ? rest + DAY_MS : rest;
}

static cq_status fn_now(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  int64_t utc_ms = 0;
  cq_status status = now_ms(run, call, &utc_ms);
  if (status == CQ_OK) cq_answer_instant(run->host, out, utc_ms, true);
  return status;
}

static cq_status fn_today(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  int64_t utc_ms = 0;
  cq_status status = now_ms(run, call, &utc_ms);
  if (status != CQ_OK) return status;
  int64_t local = local_ms(run->host, utc_ms);
  int32_t day = (int32_t)((local - clock_of(local)) / DAY_MS);
  cq_answer_instant(run->host, out, cq_local_midnight(run->host, day), false);
  return CQ_OK;
}

static void answer_no_date(cq_xpath_value *out) {
  *out = (cq_xpath_value){.type = CQ_XPATH_DATE, .number = NAN};
}

/* A number of days; one that falls on local midnight is a day without a time. */
static void answer_days(const cq_run *run, cq_xpath_value *out, double days) {
  const cq_xpath_host *host = run->host;
  int64_t utc_ms = 0;
  if (!cq_instant_of(days, &utc_ms))
    answer_no_date(out);
  else if (run->context->in_form && days == floor(days))
    cq_answer_instant(host, out, cq_local_midnight(host, (int32_t)days), false);
  else
    cq_answer_instant(host, out, utc_ms, clock_of(local_ms(host, utc_ms)) != 0);
}

/* Empty text stays empty text: an unanswered question gives no date, and no error. */
static cq_status as_date(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  cq_xpath_value value;
  cq_str text;
  cq_status status = cq_eval(run, expr, &value);
  if (status != CQ_OK) return status;
  switch (value.type) {
  case CQ_XPATH_DATE: *out = value; return CQ_OK;
  case CQ_XPATH_NUMBER: answer_days(run, out, value.number); return CQ_OK;
  case CQ_XPATH_BOOLEAN: answer_no_date(out); return CQ_OK;
  default: break;
  }
  status = cq_as_string(run, &value, &text);
  if (status != CQ_OK) return status;
  int64_t utc_ms = 0;
  bool whole = false;
  text = cq_str_trim(text);
  if (!text.size)
    cq_answer_string(out, CQ_STR(""));
  else if (cq_date_text_read(run->host, text, &utc_ms, &whole))
    cq_answer_instant(run->host, out, utc_ms, !whole);
  else
    answer_days(run, out, cq_text_number(run->host, text));
  return CQ_OK;
}

static cq_status fn_date_time(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  return as_date(run, call->args[0], out);
}

/* In a form without the time: date(now()) = today(). */
static cq_status fn_date(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  int64_t utc_ms = 0;
  cq_status status = as_date(run, call->args[0], out);
  if (status != CQ_OK || !run->context->in_form || out->type != CQ_XPATH_DATE || !out->has_time) return status;
  if (!cq_instant_of(out->number, &utc_ms)) return CQ_OK;
  int64_t local = local_ms(run->host, utc_ms);
  int32_t day = (int32_t)((local - clock_of(local)) / DAY_MS);
  cq_answer_instant(run->host, out, cq_local_midnight(run->host, day), false);
  return CQ_OK;
}

static cq_status fn_decimal_date_time(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value date;
  cq_status status = as_date(run, call->args[0], &date);
  if (status == CQ_OK) cq_answer_number(out, date.type == CQ_XPATH_DATE ? date.number : NAN);
  return status;
}

static cq_status fn_decimal_time(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  int64_t day_ms = 0, utc_ms = 0;
  bool whole = false;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status != CQ_OK) return status;
  text = cq_str_trim(text);
  if (cq_date_text_read(run->host, text, &utc_ms, &whole))
    cq_answer_number(out, cq_days_of(clock_of(local_ms(run->host, utc_ms))));
  else
    cq_answer_number(out, cq_time_text_read(run->host, text, &day_ms) ? cq_days_of(day_ms) : NAN);
  return CQ_OK;
}

/* --- format-date() --- */

static const char *const months_en[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const months_es[] = {"ene.", "feb.", "mar.",  "abr.", "may.", "jun.",
                                        "jul.", "ago.", "sept.", "oct.", "nov.", "dic."};
static const char *const days_en[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const days_es[] = {"dom.", "lun.", "mar.", "mié.", "jue.", "vie.", "sáb."};

/* "es", "es-PE" or as forms name it, "Español (es)". */
static bool is_spanish(cq_str language) {
  for (size_t at = 0; at + 2 <= language.size; at++)
    if ((at == 0 || language.at[at - 1] == '(') && memcmp(language.at + at, "es", 2) == 0 &&
        (at + 2 == language.size || language.at[at + 2] == ')' || language.at[at + 2] == '-'))
      return true;
  return false;
}

/* One escape of the format, as the specification lists them; false where it is none. */
static bool put_escape(char out[PIECE_SIZE], char escape, cq_date date, int64_t clock, int weekday, bool spanish) {
  int hour = (int)(clock / 3600000), minute = (int)(clock / 60000 % 60), second = (int)(clock / 1000 % 60);
  switch (escape) {
  case '%': snprintf(out, PIECE_SIZE, "%%"); return true;
  case 'Y': snprintf(out, PIECE_SIZE, "%04d", (int)date.year); return true;
  case 'y': snprintf(out, PIECE_SIZE, "%02d", (int)date.year % 100); return true;
  case 'm': snprintf(out, PIECE_SIZE, "%02d", date.month); return true;
  case 'n': snprintf(out, PIECE_SIZE, "%d", date.month); return true;
  case 'b': snprintf(out, PIECE_SIZE, "%s", (spanish ? months_es : months_en)[date.month - 1]); return true;
  case 'd': snprintf(out, PIECE_SIZE, "%02d", date.day); return true;
  case 'e': snprintf(out, PIECE_SIZE, "%d", date.day); return true;
  case 'H': snprintf(out, PIECE_SIZE, "%02d", hour); return true;
  case 'h': snprintf(out, PIECE_SIZE, "%d", hour); return true;
  case 'M': snprintf(out, PIECE_SIZE, "%02d", minute); return true;
  case 'S': snprintf(out, PIECE_SIZE, "%02d", second); return true;
  case '3': snprintf(out, PIECE_SIZE, "%03d", (int)(clock % 1000)); return true;
  case 'a': snprintf(out, PIECE_SIZE, "%s", (spanish ? days_es : days_en)[weekday]); return true;
  default: return false;
  }
}

static cq_status fn_format_date(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value date;
  cq_str format;
  int64_t utc_ms = 0;
  cq_status status = as_date(run, call->args[0], &date);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &format);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  if (date.type != CQ_XPATH_DATE || !cq_instant_of(date.number, &utc_ms)) return CQ_OK;
  int64_t local = local_ms(run->host, utc_ms), clock = clock_of(local);
  int32_t day = (int32_t)((local - clock) / DAY_MS);
  char *text = cq_take(run, format.size * 8 + 1), *end = text;
  if (!text) return cq_fail_memory(run);
  for (size_t i = 0; i < format.size; i++) {
    char piece[PIECE_SIZE] = {format.at[i]};
    if (piece[0] == '%') {
      if (++i == format.size || !put_escape(piece, format.at[i], cq_date_from_day(day), clock, (day % 7 + 11) % 7,
                                            is_spanish(run->host->language)))
        return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("format"));
    }
    for (const char *c = piece; *c; c++) *end++ = *c;
  }
  cq_answer_string(out, (cq_str){text, (size_t)(end - text)});
  return CQ_OK;
}

static const cq_function rows[] = {
    {"today", 0, 0, CQ_READS_VALUES, CQ_XPATH_CLOCK, fn_today, NULL},
    {"now", 0, 0, CQ_READS_VALUES, CQ_XPATH_CLOCK, fn_now, NULL},
    {"date", 1, 1, CQ_READS_VALUES, 0, fn_date, NULL},
    {"date-time", 1, 1, CQ_READS_VALUES, 0, fn_date_time, NULL},
    {"decimal-date-time", 1, 1, CQ_READS_VALUES, 0, fn_decimal_date_time, NULL},
    {"decimal-time", 1, 1, CQ_READS_VALUES, 0, fn_decimal_time, NULL},
    {"format-date", 2, 2, CQ_READS_VALUES, 0, fn_format_date, NULL},
    {"format-date-time", 2, 2, CQ_READS_VALUES, 0, fn_format_date, NULL},
};

const cq_function_table cq_date_functions = {rows, sizeof rows / sizeof *rows};
