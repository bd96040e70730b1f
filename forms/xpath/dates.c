/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/dates.h"
#include "forms/xpath/evaluate.h"

#include "chasqui/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000, MINUTE_MS = 60000, LAST_DAY = 2932896, FIRST_DAY = -719162 }; /* years 1 to 9999 */

int cq_local_offset(const cq_xpath_host *host, int64_t utc_ms) {
  return host->clock ? host->clock->offset_minutes(host->clock->context, utc_ms) : 0;
}

static int64_t local_to_utc(const cq_xpath_host *host, int64_t local_ms) {
  int64_t guess = local_ms - (int64_t)cq_local_offset(host, local_ms) * MINUTE_MS;
  return local_ms - (int64_t)cq_local_offset(host, guess) * MINUTE_MS; /* the offset before or after a change of it */
}

int64_t cq_local_midnight(const cq_xpath_host *host, int32_t day) {
  return local_to_utc(host, (int64_t)day * DAY_MS);
}

double cq_days_of(int64_t utc_ms) {
  return (double)utc_ms / DAY_MS;
}

bool cq_instant_of(double days, int64_t *utc_ms) {
  if (!(days >= FIRST_DAY && days <= LAST_DAY)) return false;
  *utc_ms = (int64_t)llround(days * DAY_MS);
  return true;
}

/* --- reading --- */

static bool read_digits(cq_str text, size_t *at, size_t count, int *out) {
  *out = 0;
  if (*at + count > text.size) return false;
  for (size_t end = *at + count; *at < end; ++*at) {
    char c = text.at[*at];
    if (c < '0' || c > '9') return false;
    *out = *out * 10 + (c - '0');
  }
  return true;
}

static bool read_char(cq_str text, size_t *at, char c) {
  if (*at >= text.size || text.at[*at] != c) return false;
  ++*at;
  return true;
}

/* HH:MM[:SS[.fff]] as milliseconds of the day. */
static bool read_clock(cq_str text, size_t *at, int64_t *ms) {
  int hour = 0, minute = 0, second = 0, fraction = 0;
  if (!read_digits(text, at, 2, &hour) || !read_char(text, at, ':') || !read_digits(text, at, 2, &minute)) return false;
  if (read_char(text, at, ':')) {
    if (!read_digits(text, at, 2, &second)) return false;
    if (read_char(text, at, '.')) {
      int scale = 100;
      size_t from = *at;
      for (; *at < text.size && text.at[*at] >= '0' && text.at[*at] <= '9'; ++*at, scale /= 10)
        fraction += (text.at[*at] - '0') * scale;
      if (*at == from) return false;
    }
  }
  *ms = ((hour * 60 + minute) * 60 + second) * (int64_t)1000 + fraction;
  return hour < 24 && minute < 60 && second < 60;
}

/* Z or ±HH:MM or ±HH; *has false where the text has ended. */
static bool read_offset(cq_str text, size_t *at, bool *has, int *minutes) {
  *minutes = 0;
  *has = *at < text.size;
  if (!*has) return true;
  if (read_char(text, at, 'Z')) return *at == text.size;
  int sign = text.at[*at] == '-' ? -1 : 1, hour = 0, minute = 0;
  if (text.at[*at] != '-' && text.at[*at] != '+') return false;
  ++*at;
  if (!read_digits(text, at, 2, &hour)) return false;
  if (*at < text.size && (!read_char(text, at, ':') || !read_digits(text, at, 2, &minute))) return false;
  *minutes = sign * (hour * 60 + minute);
  return *at == text.size && hour < 24 && minute < 60;
}

bool cq_date_text_read(const cq_xpath_host *host, cq_str text, int64_t *utc_ms, bool *whole) {
  cq_date date;
  if (text.size < 10 || !cq_date_parse((cq_str){text.at, 10}, &date)) return false;
  int64_t local = (int64_t)cq_date_to_day(date) * DAY_MS, clock = 0;
  *whole = text.size == 10;
  if (*whole) {
    *utc_ms = local_to_utc(host, local);
    return true;
  }
  size_t at = 10;
  bool has_offset = false;
  int minutes = 0;
  if (!read_char(text, &at, 'T') || !read_clock(text, &at, &clock)) return false;
  if (!read_offset(text, &at, &has_offset, &minutes)) return false;
  local += clock;
  *utc_ms = has_offset ? local - (int64_t)minutes * MINUTE_MS : local_to_utc(host, local);
  return true;
}

static int64_t floor_mod(int64_t a, int64_t b) {
  int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}

bool cq_time_text_read(const cq_xpath_host *host, cq_str text, int64_t *day_ms) {
  size_t at = 0;
  bool has_offset = false;
  int minutes = 0;
  if (!read_clock(text, &at, day_ms) || !read_offset(text, &at, &has_offset, &minutes)) return false;
  if (has_offset) {
    int64_t now = host->clock ? host->clock->now_utc_ms(host->clock->context) : 0;
    *day_ms = floor_mod(*day_ms + (int64_t)(cq_local_offset(host, now) - minutes) * MINUTE_MS, DAY_MS);
  }
  return true;
}

/* --- answering --- */

void cq_answer_instant(const cq_xpath_host *host, cq_xpath_value *out, int64_t utc_ms, bool has_time) {
  *out = (cq_xpath_value){.type = CQ_XPATH_DATE,
                          .number = cq_days_of(utc_ms),
                          .has_time = has_time,
                          .offset_minutes = (int16_t)cq_local_offset(host, utc_ms)};
}

size_t cq_date_text(const cq_xpath_value *date, char *out) {
  int64_t utc_ms = 0;
  if (!cq_instant_of(date->number, &utc_ms)) return (size_t)sprintf(out, "Invalid Date");
  int64_t local = utc_ms + (int64_t)date->offset_minutes * MINUTE_MS, clock = floor_mod(local, DAY_MS);
  char day[11];
  cq_date_format(cq_date_from_day((int32_t)((local - clock) / DAY_MS)), day);
  if (!date->has_time) return (size_t)sprintf(out, "%s", day);
  int offset = date->offset_minutes, size = offset < 0 ? -offset : offset;
  return (size_t)sprintf(out, "%sT%02d:%02d:%02d.%03d%c%02d:%02d", day, (int)(clock / 3600000),
                         (int)(clock / MINUTE_MS % 60), (int)(clock / 1000 % 60), (int)(clock % 1000),
                         offset < 0 ? '-' : '+', size / 60, size % 60);
}
