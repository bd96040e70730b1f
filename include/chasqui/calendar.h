/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seasons are data: versioned calendars per zone, and the activity calendar.
 *
 * A campaign of year c is the agricultural year that begins in c (1 August 2012
 * to 31 July 2013 is campaign 2012). It is divided without gaps into seasons;
 * a season's end is exclusive: it is the start of the next one. A district may
 * move a boundary from a campaign on: that is a new version of its zone, and
 * records keep the version that they were taken under.
 *
 * Files (docs/formats/calendar.md): seasons
 *   zone,places,version,from,season,start,closes,grace
 * and activities
 *   zona,distritos_inei,actividad,evento,meses,fuente,confianza
 *
 * Days are day numbers of clock.h. Places are INEI codes of any length (region,
 * province, district, populated place), always with their leading zeros.
 */
#ifndef CHASQUI_CALENDAR_H
#define CHASQUI_CALENDAR_H

#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CQ_CALENDAR_MAX_SEASONS = 12, /* of one campaign */
  CQ_CALENDAR_MAX_ROWS = 20000, /* of either file */
  CQ_SEASON_CODE_SIZE = 8,      /* bytes of a season's code with its terminator */
  CQ_SEASON_REF_SIZE = 16,      /* of "2012-T1" with its terminator */
  CQ_WINDOW_CLOSES = 30,        /* days after a season's end, where the file leaves them blank */
  CQ_WINDOW_GRACE = 60
};

/* Which season: "2012-T1". */
typedef struct cq_season_ref {
  int32_t campaign;
  char code[CQ_SEASON_CODE_SIZE]; /* letters and digits, zero-filled */
} cq_season_ref;

/* "2012-T1" or "C2012-T1"; false where it is neither. */
bool cq_season_parse(cq_str text, cq_season_ref *ref);
char *cq_season_format(const cq_season_ref *ref, char out[CQ_SEASON_REF_SIZE]); /* "2012-T1"; returns `out` */
bool cq_season_same(const cq_season_ref *a, const cq_season_ref *b);

typedef struct cq_season {
  cq_season_ref ref;
  int32_t version;       /* of the zone's calendar */
  int32_t start, end;    /* days; end exclusive. The visit window opens on `end` */
  int32_t closes, grace; /* days after `end`: the window's last day, and the last day of grace */
} cq_season;

/* The calendar months that a season touches, as year × 12 + month − 1; at most `size` are written. Returns how many. */
size_t cq_season_months(const cq_season *season, int32_t months[], size_t size);

typedef struct cq_calendar cq_calendar;

/*
 * Reads and checks a seasons file. Errors, each with its line: calendar.columns
 * (a column is missing), calendar.season (code), calendar.start (MM-DD, never
 * 02-29), calendar.order (seasons of a version not in the order of the year),
 * calendar.number, calendar.window (0 ≤ closes ≤ grace ≤ 365), calendar.version
 * (the same version twice, or seasons of one version that disagree on places,
 * from or windows), calendar.many, calendar.empty, and those of csv.h.
 */
cq_status cq_calendar_load(cq_calendar **calendar, cq_str seasons_csv, cq_error *error);
/* The programme's own: T1 Aug–Oct, T2 Nov–Jan, T3 Feb–Apr, T4 May–Jul, everywhere, 30 and 60 days. */
cq_status cq_calendar_standard(cq_calendar **calendar, cq_error *error);
void cq_calendar_free(cq_calendar *calendar); /* NULL is fine */

/*
 * The seasons of a campaign at a place (empty: the calendar for everywhere),
 * under the newest version that holds for it. The zone whose place is the
 * longest prefix of `place` wins. 0 where the calendar has none.
 */
size_t cq_calendar_campaign(const cq_calendar *calendar, cq_str place, int32_t campaign,
                            cq_season seasons[CQ_CALENDAR_MAX_SEASONS]);
/* One season, under `version` of the place's zone (0: the newest that holds). False where there is none such. */
bool cq_calendar_season(const cq_calendar *calendar, cq_str place, const cq_season_ref *ref, int32_t version,
                        cq_season *season);
/* The season of a record taken at the place under a version of a zone, whatever zone the place belongs to now: versions
 * are numbered within their zone. Where the calendar no longer has it (or `zone` is ""), as cq_calendar_season. */
bool cq_calendar_season_taken(const cq_calendar *calendar, cq_str zone, cq_str place, const cq_season_ref *ref,
                              int32_t version, cq_season *season);
/* The zone whose seasons hold at a place in a campaign, under `version` (0: the newest that holds); "" where there is
 * none. Borrowed from the calendar. */
cq_str cq_calendar_zone(const cq_calendar *calendar, cq_str place, int32_t campaign, int32_t version);
/* The season that holds this day. */
bool cq_calendar_at(const cq_calendar *calendar, cq_str place, int32_t day, cq_season *season);
/* The newest season that was closed on this day (its end ≤ day): the one that a visit on that day asks about. */
bool cq_calendar_closed(const cq_calendar *calendar, cq_str place, int32_t day, cq_season *season);

/* --- the activity calendar --- */

/* One row; strings borrowed from the list until it is freed. */
typedef struct cq_activity {
  cq_str zone, activities, event, source, confidence;
  cq_str places;   /* "210101|210105", or "*" */
  uint16_t months; /* bit 0 January … bit 11 December; 0: no verified source */
} cq_activity;

typedef struct cq_activities cq_activities;

/* Months are "08-12", "11-02" (over the year's end), "07|12" or blank. Errors: calendar.columns, calendar.months,
 * calendar.many, and those of csv.h, each with its line. */
cq_status cq_activities_load(cq_activities **list, cq_str csv, cq_error *error);
void cq_activities_free(cq_activities *list);
size_t cq_activities_count(const cq_activities *list);
const cq_activity *cq_activities_row(const cq_activities *list, size_t index);
/* Months of an event ("" for any) of an activity at a place, all rows that hold for it together. */
uint16_t cq_activities_months(const cq_activities *list, cq_str place, cq_str activity, cq_str event);

#endif
