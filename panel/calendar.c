/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/calendar.h"

#include "chasqui/csv.h"
#include "panel/columns.h"

#include <stdlib.h>
#include <string.h>

/* One version of one zone's year. */
typedef struct year_plan {
  char *zone, *places;
  int32_t version, from; /* first campaign under it */
  int32_t closes, grace;
  size_t season_count;
  struct {
    char code[CQ_SEASON_CODE_SIZE];
    int8_t month, day;
  } seasons[CQ_CALENDAR_MAX_SEASONS];
} year_plan;

struct cq_calendar {
  year_plan *plans;
  size_t count, capacity;
};

enum { ZONE, PLACES, VERSION, FROM, SEASON, START, CLOSES, GRACE, COLUMNS };
static const char *const column_names[COLUMNS] = {"zone",   "places", "version", "from",
                                                  "season", "start",  "closes",  "grace"};

/* The seasons fall in the order of the agricultural year where each start lies after the one before, counted from the
 * campaign's first day. */
static int year_day(const year_plan *plan, size_t i) {
  int first = plan->seasons[0].month * 32 + plan->seasons[0].day;
  int at = plan->seasons[i].month * 32 + plan->seasons[i].day;
  return at < first ? at + 13 * 32 : at;
}

static bool number(cq_str text, int32_t blank, int32_t least, int32_t most, int32_t *value) {
  int64_t wide = blank;
  text = cq_str_trim(text);
  if (text.size && !cq_str_int64(text, &wide)) return false;
  *value = (int32_t)wide;
  return wide >= least && wide <= most;
}

static bool start_of(cq_str text, int8_t *month, int8_t *day) {
  char iso[11] = "2013-";
  cq_date date;
  if (text.size != 5) return false;
  memcpy(iso + 5, text.at, 5);
  if (!cq_date_parse(cq_str_from(iso), &date)) return false; /* 2013 has no 29 February */
  *month = date.month;
  *day = date.day;
  return true;
}

static char *copy(cq_str text) {
  char *out = malloc(text.size + 1);
  if (!out) return NULL;
  if (text.size) memcpy(out, text.at, text.size);
  out[text.size] = '\0';
  return out;
}

static year_plan *plan_of(cq_calendar *calendar, cq_str zone, int32_t version) {
  for (size_t i = calendar->count; i-- > 0;) {
    year_plan *plan = &calendar->plans[i];
    if (plan->version == version && cq_str_is(zone, plan->zone)) return plan;
  }
  return NULL;
}

static year_plan *plan_new(cq_calendar *calendar) {
  if (calendar->count == calendar->capacity) {
    size_t capacity = calendar->capacity ? calendar->capacity * 2 : 8;
    year_plan *plans = realloc(calendar->plans, capacity * sizeof *plans);
    if (!plans) return NULL;
    calendar->plans = plans;
    calendar->capacity = capacity;
  }
  year_plan *plan = &calendar->plans[calendar->count++];
  memset(plan, 0, sizeof *plan);
  return plan;
}

static cq_status add_row(cq_calendar *calendar, const cq_str f[COLUMNS], cq_error *error) {
  int32_t version, from, closes, grace;
  if (!number(f[VERSION], 1, 1, 1000000, &version))
    return cq_error_set(error, CQ_INVALID, "calendar.number", "version", NULL);
  if (!number(f[FROM], 1, 1, 9998, &from)) return cq_error_set(error, CQ_INVALID, "calendar.number", "from", NULL);
  if (!number(f[CLOSES], CQ_WINDOW_CLOSES, 0, 365, &closes) || !number(f[GRACE], CQ_WINDOW_GRACE, 0, 365, &grace) ||
      grace < closes)
    return cq_error_set(error, CQ_INVALID, "calendar.window", NULL);
  cq_season_ref ref;
  char id[5 + CQ_SEASON_CODE_SIZE] = "2000-";
  if (f[SEASON].size == 0 || f[SEASON].size >= CQ_SEASON_CODE_SIZE)
    return cq_error_set(error, CQ_INVALID, "calendar.season", NULL);
  memcpy(id + 5, f[SEASON].at, f[SEASON].size);
  if (!cq_season_parse(cq_str_from(id), &ref)) return cq_error_set(error, CQ_INVALID, "calendar.season", NULL);
  int8_t month, day;
  if (!start_of(f[START], &month, &day)) return cq_error_set(error, CQ_INVALID, "calendar.start", NULL);

  year_plan *plan = plan_of(calendar, f[ZONE], version);
  if (!plan) {
    if (!(plan = plan_new(calendar))) return cq_error_nomem(error);
    plan->zone = copy(f[ZONE]);
    plan->places = copy(f[PLACES]);
    if (!plan->zone || !plan->places) return cq_error_nomem(error);
    plan->version = version, plan->from = from, plan->closes = closes, plan->grace = grace;
  } else if (!cq_str_is(f[PLACES], plan->places) || plan->from != from || plan->closes != closes ||
             plan->grace != grace) {
    return cq_error_set(error, CQ_INVALID, "calendar.version", plan->zone, NULL);
  }
  size_t n = plan->season_count;
  if (n == CQ_CALENDAR_MAX_SEASONS) return cq_error_set(error, CQ_LIMIT, "calendar.many", NULL);
  for (size_t i = 0; i < n; i++)
    if (memcmp(plan->seasons[i].code, ref.code, sizeof ref.code) == 0)
      return cq_error_set(error, CQ_INVALID, "calendar.version", plan->zone, NULL);
  memcpy(plan->seasons[n].code, ref.code, sizeof ref.code);
  plan->seasons[n].month = month;
  plan->seasons[n].day = day;
  plan->season_count++;
  if (n && year_day(plan, n) <= year_day(plan, n - 1))
    return cq_error_set(error, CQ_INVALID, "calendar.order", plan->zone, NULL);
  return CQ_OK;
}

cq_status cq_calendar_load(cq_calendar **out, cq_str text, cq_error *error) {
  cq_status status = CQ_NOMEM;
  cq_calendar *calendar = calloc(1, sizeof *calendar);
  cq_csv *csv = cq_csv_new(text, 0);
  size_t at[COLUMNS], rows = 0;
  *out = NULL;
  if (!calendar || !csv) {
    cq_error_nomem(error);
    goto out;
  }
  if ((status = cq_columns_find(csv, column_names, COLUMNS, COLUMNS, at, "calendar.columns", error)) != CQ_OK) goto out;
  for (;;) {
    const cq_str *fields;
    size_t count;
    if ((status = cq_csv_next(csv, &fields, &count, error)) != CQ_OK) goto out;
    if (!count) break;
    cq_str f[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) f[i] = at[i] < count ? cq_str_trim(fields[at[i]]) : CQ_STR("");
    status = ++rows > CQ_CALENDAR_MAX_ROWS ? cq_error_set(error, CQ_LIMIT, "calendar.many", NULL)
                                           : add_row(calendar, f, error);
    if (status != CQ_OK) {
      cq_error_at_line(error, cq_csv_line(csv), 0);
      goto out;
    }
  }
  if (!calendar->count) {
    status = cq_error_set(error, CQ_INVALID, "calendar.empty", NULL);
    goto out;
  }
  *out = calendar;
  calendar = NULL;
out:
  cq_csv_free(csv);
  cq_calendar_free(calendar);
  return status;
}

cq_status cq_calendar_standard(cq_calendar **calendar, cq_error *error) {
  return cq_calendar_load(calendar,
                          CQ_STR("zone,places,version,from,season,start,closes,grace\n"
                                 "*,*,1,1,T1,08-01,30,60\n*,*,1,1,T2,11-01,30,60\n"
                                 "*,*,1,1,T3,02-01,30,60\n*,*,1,1,T4,05-01,30,60\n"),
                          error);
}

void cq_calendar_free(cq_calendar *calendar) {
  if (!calendar) return;
  for (size_t i = 0; i < calendar->count; i++) {
    free(calendar->plans[i].zone);
    free(calendar->plans[i].places);
  }
  free(calendar->plans);
  free(calendar);
}

/* The plan of the zone that fits the place best, in the newest version whose `from` is not after the campaign, or in
 * exactly `version`: a record cannot have been taken under one that did not hold yet. */
static const year_plan *plan_for(const cq_calendar *calendar, cq_str place, int32_t campaign, int32_t version) {
  const year_plan *best = NULL;
  int best_fit = -1;
  for (size_t i = 0; i < calendar->count; i++) {
    const year_plan *plan = &calendar->plans[i];
    if (plan->from > campaign || (version && plan->version != version)) continue;
    int fit = cq_places_fit(cq_str_from(plan->places), place);
    if (fit < 0 || fit < best_fit || (fit == best_fit && plan->version <= best->version)) continue;
    best = plan;
    best_fit = fit;
  }
  return best;
}

static int32_t start_day(const year_plan *plan, size_t i, int32_t campaign) {
  bool next = year_day(plan, i) >= 13 * 32;
  cq_date date = {campaign + (next ? 1 : 0), plan->seasons[i].month, plan->seasons[i].day};
  return cq_date_to_day(date);
}

static cq_season season_of(const cq_calendar *calendar, const year_plan *plan, size_t i, cq_str place,
                           int32_t campaign) {
  cq_season season = {.version = plan->version, .closes = plan->closes, .grace = plan->grace};
  season.ref.campaign = campaign;
  memcpy(season.ref.code, plan->seasons[i].code, sizeof season.ref.code);
  season.start = start_day(plan, i, campaign);
  if (i + 1 < plan->season_count) {
    season.end = start_day(plan, i + 1, campaign);
  } else { /* up to where the next campaign begins, under whichever version holds for it */
    const year_plan *next = plan_for(calendar, place, campaign + 1, 0);
    if (!next) next = plan;
    season.end = start_day(next, 0, campaign + 1);
  }
  return season;
}

size_t cq_calendar_campaign(const cq_calendar *calendar, cq_str place, int32_t campaign,
                            cq_season seasons[CQ_CALENDAR_MAX_SEASONS]) {
  const year_plan *plan = campaign < 1 || campaign > 9998 ? NULL : plan_for(calendar, place, campaign, 0);
  if (!plan) return 0;
  for (size_t i = 0; i < plan->season_count; i++) seasons[i] = season_of(calendar, plan, i, place, campaign);
  return plan->season_count;
}

static bool season_in(const cq_calendar *calendar, const year_plan *plan, cq_str place, const cq_season_ref *ref,
                      cq_season *season) {
  for (size_t i = 0; i < plan->season_count; i++) {
    if (memcmp(plan->seasons[i].code, ref->code, sizeof ref->code) != 0) continue;
    *season = season_of(calendar, plan, i, place, ref->campaign);
    return true;
  }
  return false;
}

bool cq_calendar_season(const cq_calendar *calendar, cq_str place, const cq_season_ref *ref, int32_t version,
                        cq_season *season) {
  if (ref->campaign < 1 || ref->campaign > 9998) return false;
  const year_plan *plan = plan_for(calendar, place, ref->campaign, version);
  return plan && season_in(calendar, plan, place, ref, season);
}

bool cq_calendar_season_taken(const cq_calendar *calendar, cq_str zone, cq_str place, const cq_season_ref *ref,
                              int32_t version, cq_season *season) {
  if (ref->campaign < 1 || ref->campaign > 9998) return false;
  for (size_t i = 0; zone.size && i < calendar->count; i++) {
    const year_plan *plan = &calendar->plans[i];
    if (plan->version == version && plan->from <= ref->campaign && cq_str_is(zone, plan->zone) &&
        season_in(calendar, plan, place, ref, season))
      return true;
  }
  return cq_calendar_season(calendar, place, ref, version, season);
}

cq_str cq_calendar_zone(const cq_calendar *calendar, cq_str place, int32_t campaign, int32_t version) {
  const year_plan *plan = campaign < 1 || campaign > 9998 ? NULL : plan_for(calendar, place, campaign, version);
  return plan ? cq_str_from(plan->zone) : CQ_STR("");
}

/* The last season of the campaigns around `day` that `fits`. */
static bool latest(const cq_calendar *calendar, cq_str place, int32_t day, bool closed, cq_season *season) {
  int32_t year = cq_date_from_day(day).year;
  for (int32_t campaign = year; campaign >= year - 2; campaign--) {
    cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
    for (size_t i = cq_calendar_campaign(calendar, place, campaign, seasons); i-- > 0;) {
      if (closed ? seasons[i].end > day : !(seasons[i].start <= day && day < seasons[i].end)) continue;
      *season = seasons[i];
      return true;
    }
  }
  return false;
}

bool cq_calendar_at(const cq_calendar *calendar, cq_str place, int32_t day, cq_season *season) {
  return latest(calendar, place, day, false, season);
}

bool cq_calendar_closed(const cq_calendar *calendar, cq_str place, int32_t day, cq_season *season) {
  return latest(calendar, place, day, true, season);
}
