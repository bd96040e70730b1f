/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/clock.h"

#include <stdio.h>
#include <time.h>

/* Days from civil and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (the formulas). */
int32_t cq_date_to_day(cq_date date) {
  int32_t y = date.month <= 2 ? date.year - 1 : date.year;
  int32_t era = (y >= 0 ? y : y - 399) / 400;
  int32_t year_of_era = y - era * 400;
  int32_t month = (date.month + 9) % 12;
  int32_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

cq_date cq_date_from_day(int32_t day) {
  int64_t z = (int64_t)day + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  cq_date date;
  date.day = (int8_t)(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = (int8_t)(month < 10 ? month + 3 : month - 9);
  date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2));
  return date;
}

bool cq_date_valid(cq_date date) {
  static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1) return false;
  bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
  return date.day <= days[date.month - 1] + (date.month == 2 && leap);
}

bool cq_date_parse(cq_str text, cq_date *date) {
  if (text.size != 10) return false;
  int number[8] = {0};
  size_t n = 0;
  for (size_t i = 0; i < 10; i++) {
    if (i == 4 || i == 7) {
      if (text.at[i] != '-') return false;
    } else {
      if (text.at[i] < '0' || text.at[i] > '9') return false;
      number[n++] = text.at[i] - '0';
    }
  }
  cq_date parsed = {number[0] * 1000 + number[1] * 100 + number[2] * 10 + number[3],
                    (int8_t)(number[4] * 10 + number[5]), (int8_t)(number[6] * 10 + number[7])};
  if (!cq_date_valid(parsed)) return false;
  *date = parsed;
  return true;
}

char *cq_date_format(cq_date date, char out[11]) {
  snprintf(out, 11, "%04u-%02u-%02u", (unsigned)date.year % 10000u, (unsigned)date.month % 100u,
           (unsigned)date.day % 100u);
  return out;
}

static int64_t floor_divide(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b != 0 && a < 0 ? q - 1 : q;
}

cq_date cq_date_at(const cq_clock *clock, int64_t utc_ms) {
  int64_t local = utc_ms + (int64_t)clock->offset_minutes(clock->context, utc_ms) * 60000;
  return cq_date_from_day((int32_t)floor_divide(local, 86400000));
}

char *cq_time_format_utc(int64_t utc_ms, char out[25]) {
  int64_t day = floor_divide(utc_ms, 86400000);
  int64_t ms = utc_ms - day * 86400000;
  char date[11];
  cq_date_format(cq_date_from_day((int32_t)day), date);
  snprintf(out, 25, "%sT%02u:%02u:%02u.%03uZ", date, (unsigned)(ms / 3600000) % 100u, (unsigned)(ms / 60000 % 60),
           (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
  return out;
}

static int64_t read_ms(clockid_t which) {
  struct timespec now;
  if (clock_gettime(which, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_utc_ms(void *context) {
  (void)context;
  return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *context) {
  (void)context;
  return read_ms(CLOCK_MONOTONIC);
}

static int system_offset_minutes(void *context, int64_t utc_ms) {
  (void)context;
  time_t seconds = (time_t)floor_divide(utc_ms, 1000);
  struct tm local;
  if (!localtime_r(&seconds, &local)) return 0;
  cq_date date = {local.tm_year + 1900, (int8_t)(local.tm_mon + 1), (int8_t)local.tm_mday};
  int64_t as_utc = (int64_t)cq_date_to_day(date) * 86400 + local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec;
  return (int)floor_divide(as_utc - (int64_t)seconds, 60);
}

const cq_clock cq_clock_system = {system_utc_ms, system_monotonic_ms, system_offset_minutes, NULL};

static int64_t fixed_utc_ms(void *context) {
  return ((const cq_clock_fixed *)context)->utc_ms;
}

static int fixed_offset_minutes(void *context, int64_t utc_ms) {
  (void)utc_ms;
  return ((const cq_clock_fixed *)context)->offset_minutes;
}

cq_clock cq_clock_fix(cq_clock_fixed *at) {
  return (cq_clock){fixed_utc_ms, fixed_utc_ms, fixed_offset_minutes, at};
}
