/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again on a bad line, and how much of it may be used. */
#ifndef SYNC_PACE_H
#define SYNC_PACE_H

#include "chasqui/clock.h"
#include "sync/home.h"

enum { PACE_TRIES = 6, PACE_LONGEST_SECONDS = 60 };

/* Whether trying the same again may help: a line that broke, a post that is busy; not a wrong address or name. */
bool pace_may_help(const cq_error *error);

/* Seconds to wait before try number `tries` (from 1): 1, 2, 4, … up to PACE_LONGEST_SECONDS, each at random between
 * half and all of it, so that a village does not call at the same moment after a power cut. */
double pace_seconds(int tries, const cq_random *random);

/* Waits; CQ_CANCELLED where a signal came. */
cq_status pace_wait(double seconds, cq_error *error);

/* "32k", "1.5M", "400": bytes with powers of 1024; false where it is none. */
bool pace_bytes(const char *text, int64_t *bytes);

/* What this courier has carried today (UTC), both ways. */
uint64_t pace_today(const courier *c, const cq_clock *clock);
bool pace_add_today(courier *c, const cq_clock *clock, uint64_t bytes);

#endif
