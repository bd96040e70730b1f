/* SPDX-License-Identifier: Apache-2.0 */
/* Both calendar files, from any bytes: read or refused with a place, and what was read answers every question. */
#include "chasqui/calendar.h"
#include "chasqui/panel.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask(const cq_calendar *calendar) {
  static const char *const places[] = {"", "21", "210708", "2107080001", "14"};
  for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
    for (int32_t campaign = 2009; campaign < 2016; campaign++) {
      cq_season seasons[CQ_CALENDAR_MAX_SEASONS], found;
      size_t count = cq_calendar_campaign(calendar, cq_str_from(places[p]), campaign, seasons);
      for (size_t s = 0; s < count; s++) {
        int32_t months[24];
        cq_season_months(&seasons[s], months, 24);
        if (!cq_calendar_season(calendar, cq_str_from(places[p]), &seasons[s].ref, seasons[s].version, &found)) abort();
        if (s && seasons[s].start != seasons[s - 1].end) abort(); /* no gap, no overlap */
      }
      cq_calendar_closed(calendar, cq_str_from(places[p]), 15000 + 365 * (campaign - 2009), &found);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  cq_calendar *calendar = NULL;
  cq_activities *activities = NULL;
  cq_error error;
  cq_str text = {(const char *)bytes, size};
  cq_error_clear(&error);
  if (cq_calendar_load(&calendar, text, &error) == CQ_OK)
    ask(calendar);
  else if (!error.code)
    abort();
  if (cq_activities_load(&activities, text, &error) == CQ_OK)
    cq_activities_months(activities, CQ_STR("210708"), CQ_STR("quinua"), CQ_STR(""));
  cq_calendar_free(calendar);
  cq_activities_free(activities);
  return 0;
}
