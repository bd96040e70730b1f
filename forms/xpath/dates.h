/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and times as text and as days: a date without a zone is local midnight.
 * The offset of an instant comes from the host's clock; without one it is UTC.
 */
#ifndef FORMS_XPATH_DATES_H
#define FORMS_XPATH_DATES_H

#include "forms/xpath/xpath.h"

#include <stdint.h>

/* YYYY-MM-DD, or with THH:MM[:SS[.fff]][Z|±HH:MM]; without an offset in local time. `*whole` : it is a day only. */
bool cq_date_text_read(const cq_xpath_host *host, cq_str text, int64_t *utc_ms, bool *whole);
/* HH:MM:SS[.fff][Z|±HH:MM] as milliseconds of the local day (0 to 86,399,999). */
bool cq_time_text_read(const cq_xpath_host *host, cq_str text, int64_t *day_ms);

int cq_local_offset(const cq_xpath_host *host, int64_t utc_ms); /* minutes east */
int64_t cq_local_midnight(const cq_xpath_host *host, int32_t day);
double cq_days_of(int64_t utc_ms);
/* False where the number is no instant (NaN, infinite, out of years 1 to 9999). */
bool cq_instant_of(double days, int64_t *utc_ms);

void cq_answer_instant(const cq_xpath_host *host, cq_xpath_value *out, int64_t utc_ms, bool has_time);
/* YYYY-MM-DD or with THH:MM:SS.mmm±HH:MM; at most 40 bytes. Returns the size. */
size_t cq_date_text(const cq_xpath_value *date, char *out);

#endif
