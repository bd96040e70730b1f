/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock, randomness and calendar dates. The first two are passed in, so that
 * every test can fix them; no library reads the system's clock by itself.
 *
 * Calendar dates carry no zone: a day number counts days of the proleptic
 * Gregorian calendar from 1970-01-01 and is never shifted by an offset.
 */
#ifndef CHASQUI_CLOCK_H
#define CHASQUI_CLOCK_H

#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cq_clock {
  int64_t (*now_utc_ms)(void *context);
  int64_t (*monotonic_ms)(void *context);
  /* Minutes east of UTC at that instant (Lima: -300). */
  int (*offset_minutes)(void *context, int64_t utc_ms);
  void *context;
} cq_clock;

typedef struct cq_random {
  void (*fill)(void *context, void *out, size_t size);
  void *context;
} cq_random;

/* The system's clock in the process's time zone (TZ). Thread-safe; context NULL. */
extern const cq_clock cq_clock_system;

/* A clock that stands still at `utc_ms`, `offset_minutes` east of UTC; monotonic_ms answers utc_ms too. */
typedef struct cq_clock_fixed {
  int64_t utc_ms;
  int offset_minutes;
} cq_clock_fixed;
cq_clock cq_clock_fix(cq_clock_fixed *at); /* borrows `at`; the test moves it by writing to it */

typedef struct cq_date {
  int32_t year;      /* 1 to 9999 */
  int8_t month, day; /* from 1 */
} cq_date;

bool cq_date_valid(cq_date date);
int32_t cq_date_to_day(cq_date date); /* days since 1970-01-01 */
cq_date cq_date_from_day(int32_t day);
/* Exactly YYYY-MM-DD, and a date that exists. */
bool cq_date_parse(cq_str text, cq_date *date);
/* Writes YYYY-MM-DD and a terminator; returns `out`. */
char *cq_date_format(cq_date date, char out[11]);
/* The civil day at that instant under the clock's offset. */
cq_date cq_date_at(const cq_clock *clock, int64_t utc_ms);
/* RFC 3339 in UTC with milliseconds, "2012-08-20T14:03:05.120Z", and a terminator; returns `out`. */
char *cq_time_format_utc(int64_t utc_ms, char out[25]);

#endif
