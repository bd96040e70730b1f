/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/panel.h"
#include "chasqui/calendar.h"
#include "chasqui/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int32_t day(const char *iso) {
  cq_date date;
  if (!cq_date_parse(cq_str_from(iso), &date)) fail_msg("no date: %s", iso);
  return cq_date_to_day(date);
}

static cq_calendar *standard(void) {
  cq_calendar *calendar;
  assert_int_equal(cq_calendar_standard(&calendar, NULL), CQ_OK);
  return calendar;
}

static cq_season season(const cq_calendar *calendar, const char *place, const char *id, int32_t version) {
  cq_season_ref ref;
  cq_season found;
  assert_true(cq_season_parse(cq_str_from(id), &ref));
  if (!cq_calendar_season(calendar, cq_str_from(place), &ref, version, &found)) fail_msg("no season %s", id);
  return found;
}

static size_t parse_visits(char *text, const cq_season *of, cq_visit visits[8]) {
  size_t count = 0;
  char *rest = NULL;
  if (strcmp(text, "-") == 0) return 0;
  for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
    part[10] = '\0';
    visits[count] = (cq_visit){.season = of->ref, .day = day(part), .season_end = CQ_DAY_NONE};
    assert_true(cq_visit_say(&visits[count], cq_str_from(part + 11), CQ_STR("")));
    count++;
  }
  return count;
}

static void cells(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_buf text = {0};
  size_t seen = 0, number = 0;
  char *rest = NULL;
  assert_int_equal(cq_file_read("tests/panel/cells.txt", 1 << 16, &text, NULL), CQ_OK);
  /* strtok_r passes over blank lines, so `number` counts lines that hold something */
  for (char *line = strtok_r(text.at, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char id[16], today[16], entry[16], leave[16], visits_text[200], expected[32];
    number++;
    if (line[0] == '#') continue;
    assert_int_equal(sscanf(line, "%15s %15s %15s %15s %199s %31s", id, today, entry, leave, visits_text, expected), 6);
    cq_season s = season(calendar, "", id, 0);
    cq_visit visits[8];
    cq_person person = {.entry = day(entry), .exit = leave[0] == '-' ? CQ_DAY_NONE : day(leave), .visits = visits};
    person.visit_count = parse_visits(visits_text, &s, visits);
    cq_cell cell = cq_panel_cell(&s, &person, day(today));
    if (strcmp(cq_cell_name(cell.state), expected) != 0)
      fail_msg("case %zu: %s is not %s", number, cq_cell_name(cell.state), expected);
    seen++;
  }
  assert_true(seen >= 30);
  cq_buf_fini(&text);
  cq_calendar_free(calendar);
}

static void cell_marks(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season t1 = season(calendar, "", "2012-T1", 0);
  cq_visit visits[] = {{t1.ref, day("2012-10-28"), CQ_VISIT_COMPLETE, CQ_DAY_NONE, false},
                       {t1.ref, day("2013-01-02"), CQ_VISIT_COMPLETE, CQ_DAY_NONE, false},
                       {t1.ref, day("2012-11-03"), CQ_VISIT_ABSENT, CQ_DAY_NONE, false}};
  cq_person person = {.entry = day("2012-01-01"), .exit = CQ_DAY_NONE, .visits = visits, .visit_count = 3};
  cq_cell cell = cq_panel_cell(&t1, &person, day("2012-12-01"));
  assert_true(cell.conflict && cell.early && cell.after_today);
  assert_int_equal(cell.attempts, 3);
  assert_int_equal(cell.lag, -4);
  /* a boundary moved after the record was taken: the lag is that of its own version */
  person.visit_count = 1;
  visits[0].season_end = day("2012-10-01");
  cell = cq_panel_cell(&t1, &person, day("2012-12-01"));
  assert_int_equal(cell.lag, 27);
  assert_false(cell.early);
  cq_calendar_free(calendar);
}

/* Who died or moved leaves from that visit on, for every season; whoever is met again had not left. */
static void who_left(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season t1 = season(calendar, "", "2012-T1", 0), t2 = season(calendar, "", "2012-T2", 0);
  cq_visit visits[] = {{t1.ref, day("2012-11-20"), CQ_VISIT_ABSENT, CQ_DAY_NONE, true},
                       {t1.ref, day("2013-03-01"), CQ_VISIT_COMPLETE, CQ_DAY_NONE, false}};
  cq_season seasons[] = {t1, t2};
  cq_person person = {
      .entry = 0, .exit = CQ_DAY_NONE, .visits = visits, .visit_count = 1, .seasons = seasons, .season_count = 2};
  assert_int_equal(cq_panel_exit(&person), day("2012-11-20"));
  assert_int_equal(cq_panel_cell(&t1, &person, day("2012-11-21")).state, CQ_CELL_PENDING);
  assert_int_equal(cq_panel_cell(&t2, &person, day("2013-02-10")).state, CQ_CELL_LEFT);
  assert_int_equal(cq_panel_agenda(&person, 1, day("2012-11-19"), NULL, 0), 1);
  assert_int_equal(cq_panel_agenda(&person, 1, day("2012-11-21"), NULL, 0), 0);
  person.exit = day("2012-08-10"); /* as somebody says who knows since when: an exit of their own, and earlier */
  assert_int_equal(cq_panel_exit(&person), day("2012-08-10"));
  assert_int_equal(cq_panel_cell(&t1, &person, day("2012-11-21")).state, CQ_CELL_LEFT);
  person.exit = CQ_DAY_NONE;
  person.visit_count = 2;
  assert_int_equal(cq_panel_exit(&person), CQ_DAY_NONE);
  assert_int_equal(cq_panel_cell(&t1, &person, day("2013-03-02")).state, CQ_CELL_RECOVERED);
  assert_int_equal(cq_panel_cell(&t2, &person, day("2013-03-02")).state, CQ_CELL_PENDING);
  cq_visit said;
  assert_true(cq_visit_say(&said, CQ_STR("partial"), CQ_STR("fallecio")));
  assert_true(said.left && said.result == CQ_VISIT_ABSENT);
  assert_true(cq_visit_say(&said, CQ_STR("partial"), CQ_STR("interrumpida")));
  assert_true(!said.left && said.result == CQ_VISIT_PARTIAL);
  assert_false(cq_visit_say(&said, CQ_STR("draft"), CQ_STR("")));
  cq_calendar_free(calendar);
}

/* Recovering T2 after T3 leaves T3 where it was, and each visit counts under the calendar it was made under. */
static void seasons_are_events(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season t2 = season(calendar, "", "2012-T2", 0), t3 = season(calendar, "", "2012-T3", 0);
  cq_visit visits[] = {{t3.ref, day("2013-05-10"), CQ_VISIT_COMPLETE, CQ_DAY_NONE, false},
                       {t2.ref, day("2013-06-01"), CQ_VISIT_COMPLETE, CQ_DAY_NONE, false}};
  cq_person person = {.entry = 0, .exit = CQ_DAY_NONE, .visits = visits, .visit_count = 1};
  int32_t today = day("2013-06-10");
  assert_int_equal(cq_panel_cell(&t2, &person, today).state, CQ_CELL_LOST);
  cq_cell before = cq_panel_cell(&t3, &person, today);
  person.visit_count = 2;
  cq_cell after = cq_panel_cell(&t3, &person, today);
  assert_int_equal(cq_panel_cell(&t2, &person, today).state, CQ_CELL_RECOVERED);
  assert_int_equal(before.state, CQ_CELL_COVERED);
  assert_int_equal(after.state, CQ_CELL_COVERED);
  assert_int_equal(after.lag, before.lag);
  assert_int_equal(after.attempts, 1);
  cq_calendar_free(calendar);
}

/* A district gets a zone of its own, whose versions begin at 1 again: a record of the general zone keeps its season. */
static void a_moved_boundary_leaves_old_records(void **state) {
  (void)state;
  cq_calendar *calendar;
  cq_season_ref ref;
  cq_season now, taken;
  assert_int_equal(cq_calendar_load(&calendar,
                                    CQ_STR("zone,places,version,from,season,start,closes,grace\n"
                                           "general,*,1,2009,T1,08-01,,\ngeneral,*,1,2009,T2,11-01,,\n"
                                           "pucara,210708,1,2012,T1,08-01,,\npucara,210708,1,2012,T2,10-01,,\n"),
                                    NULL),
                   CQ_OK);
  assert_true(cq_season_parse(CQ_STR("2012-T1"), &ref));
  cq_str place = CQ_STR("2107080028");
  assert_true(cq_calendar_season(calendar, place, &ref, 0, &now));
  assert_int_equal(now.end, day("2012-10-01"));
  assert_true(cq_str_is(cq_calendar_zone(calendar, place, 2012, 0), "pucara"));
  assert_true(cq_str_is(cq_calendar_zone(calendar, place, 2011, 0), "general"));
  assert_true(cq_calendar_season_taken(calendar, CQ_STR("general"), place, &ref, 1, &taken));
  assert_int_equal(taken.end, day("2012-11-01"));
  assert_true(cq_calendar_season_taken(calendar, CQ_STR("pucara"), place, &ref, 1, &taken));
  assert_int_equal(taken.end, day("2012-10-01"));
  /* a zone that is not there any more, and records from before zones were named */
  assert_true(cq_calendar_season_taken(calendar, CQ_STR("otra"), place, &ref, 1, &taken));
  assert_int_equal(taken.end, day("2012-10-01"));
  assert_true(cq_calendar_season_taken(calendar, CQ_STR(""), CQ_STR("05"), &ref, 1, &taken));
  assert_int_equal(taken.end, day("2012-11-01"));
  cq_calendar_free(calendar);
}

static void names(void **state) {
  (void)state;
  bool letters[256] = {false};
  for (int s = 0; s < CQ_CELL_STATES; s++) {
    assert_non_null(cq_cell_name((cq_cell_state)s));
    unsigned char letter = (unsigned char)cq_cell_letter((cq_cell_state)s);
    assert_false(letters[letter]);
    letters[letter] = true;
    if (cq_cell_covered((cq_cell_state)s)) assert_true(cq_cell_eligible((cq_cell_state)s));
    if (cq_cell_due((cq_cell_state)s)) assert_false(cq_cell_covered((cq_cell_state)s));
  }
  assert_null(cq_cell_name(CQ_CELL_STATES));
  cq_visit_result result;
  assert_false(cq_visit_result_parse(CQ_STR("Completa"), &result));
}

static void season_names(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *as; /* NULL: not one */
  } cases[] = {{"2012-T1", "2012-T1"},
               {"C2012-T4", "2012-T4"},
               {"2012-lluvia", "2012-lluvia"},
               {"2012-T", "2012-T"},
               {"2012-", NULL},
               {"212-T1", NULL},
               {"2012-T1 ", NULL},
               {"0000-T1", NULL},
               {"2012-abcdefgh", NULL},
               {"", NULL},
               {"2012T1", NULL},
               {"2012-T\xC3\xB1", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_season_ref ref;
    char out[CQ_SEASON_REF_SIZE];
    bool ok = cq_season_parse(cq_str_from(cases[i].text), &ref);
    assert_int_equal(ok, cases[i].as != NULL);
    if (ok) assert_string_equal(cq_season_format(&ref, out), cases[i].as);
  }
}

static void standard_year(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
  static const char *const starts[] = {"2012-08-01", "2012-11-01", "2013-02-01", "2013-05-01", "2013-08-01"};
  assert_int_equal(cq_calendar_campaign(calendar, CQ_STR(""), 2012, seasons), 4);
  for (size_t i = 0; i < 4; i++) {
    assert_int_equal(seasons[i].start, day(starts[i]));
    assert_int_equal(seasons[i].end, day(starts[i + 1]));
  }
  int32_t months[12];
  assert_int_equal(cq_season_months(&seasons[1], months, 12), 3);
  assert_int_equal(months[2], 2013 * 12 + 0);
  cq_season s;
  char id[CQ_SEASON_REF_SIZE];
  assert_true(cq_calendar_closed(calendar, CQ_STR(""), day("2013-05-20"), &s));
  assert_string_equal(cq_season_format(&s.ref, id), "2012-T3");
  assert_true(cq_calendar_closed(calendar, CQ_STR(""), day("2013-08-01"), &s));
  assert_string_equal(cq_season_format(&s.ref, id), "2012-T4");
  assert_true(cq_calendar_at(calendar, CQ_STR(""), day("2013-07-31"), &s));
  assert_string_equal(cq_season_format(&s.ref, id), "2012-T4");
  assert_int_equal(cq_calendar_campaign(calendar, CQ_STR(""), 0, seasons), 0);
  cq_calendar_free(calendar);
}

/* A district moves the start of its campaign to September from 2013 on: campaign 2012 is left without a gap. */
static void moved_boundary(void **state) {
  (void)state;
  cq_calendar *calendar;
  assert_int_equal(
      cq_calendar_load(&calendar,
                       CQ_STR("zone,places,version,from,season,start,closes,grace\n"
                              "*,*,1,1,T1,08-01,,\n*,*,1,1,T2,02-01,,\n"
                              "puna,2107|210806,1,2000,T1,08-01,20,40\npuna,2107|210806,1,2000,T2,02-01,20,40\n"
                              "puna,2107|210806,2,2013,T1,09-01,20,40\npuna,2107|210806,2,2013,T2,03-01,20,40\n"),
                       NULL),
      CQ_OK);
  assert_int_equal(season(calendar, "210806", "2012-T2", 0).end, day("2013-09-01"));
  assert_int_equal(season(calendar, "2107080001", "2013-T1", 0).start, day("2013-09-01"));
  assert_int_equal(season(calendar, "210101", "2012-T2", 0).end, day("2013-08-01"));
  /* an old record keeps its version */
  cq_season old = season(calendar, "210708", "2013-T1", 1);
  assert_int_equal(old.end, day("2014-02-01"));
  assert_int_equal(old.closes, 20);
  assert_int_equal(season(calendar, "210708", "2013-T1", 0).version, 2);
  cq_season_ref ref = old.ref;
  cq_season none;
  assert_false(cq_calendar_season(calendar, CQ_STR("210708"), &ref, 3, &none));
  cq_calendar_free(calendar);
}

/* A district gets a zone of its own from 2013 on, numbered from 1 like every zone: what was taken there before, under
 * version 1 of the general one, keeps its season. */
static void zone_of_its_own(void **state) {
  (void)state;
  cq_calendar *calendar;
  assert_int_equal(cq_calendar_load(&calendar,
                                    CQ_STR("zone,places,version,from,season,start,closes,grace\n"
                                           "*,*,1,1,T1,08-01,,\n*,*,1,1,T2,02-01,,\n"
                                           "puna,2107,1,2013,T1,09-01,,\npuna,2107,1,2013,T2,03-01,,\n"),
                                    NULL),
                   CQ_OK);
  assert_int_equal(season(calendar, "210708", "2012-T1", 1).end, day("2013-02-01"));
  assert_int_equal(season(calendar, "210708", "2013-T1", 1).end, day("2014-03-01"));
  cq_calendar_free(calendar);
}

static void refused_calendars(void **state) {
  (void)state;
#define HEAD "zone,places,version,from,season,start,closes,grace\n"
  static const struct {
    const char *text, *code;
    int64_t line;
  } cases[] = {{"", "calendar.columns", 0},
               {"zone,places,version,from,season,closes,grace\n", "calendar.columns", 1},
               {HEAD, "calendar.empty", 0},
               {HEAD "a,*,1,1,T1,8-1,,\n", "calendar.start", 2},
               {HEAD "a,*,1,1,T1,02-29,,\n", "calendar.start", 2},
               {HEAD "a,*,1,1,T 1,08-01,,\n", "calendar.season", 2},
               {HEAD "a,*,1,1,,08-01,,\n", "calendar.season", 2},
               {HEAD "a,*,x,1,T1,08-01,,\n", "calendar.number", 2},
               {HEAD "a,*,1,99999,T1,08-01,,\n", "calendar.number", 2},
               {HEAD "a,*,1,1,T1,08-01,61,60\n", "calendar.window", 2},
               {HEAD "a,*,1,1,T1,08-01,,\na,*,1,1,T1,11-01,,\n", "calendar.version", 3},
               {HEAD "a,*,1,1,T1,08-01,,\na,21,1,1,T2,11-01,,\n", "calendar.version", 3},
               {HEAD "a,*,1,1,T1,08-01,,\na,*,1,1,T2,11-01,,\na,*,1,1,T3,09-01,,\n", "calendar.order", 4},
               {HEAD "a,*,1,1,\"T1,08-01,,\n", "csv.quote.open", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_calendar *calendar;
    cq_error error;
    cq_error_clear(&error);
    assert_int_not_equal(cq_calendar_load(&calendar, cq_str_from(cases[i].text), &error), CQ_OK);
    assert_null(calendar);
    assert_string_equal(error.code, cases[i].code);
    if (cases[i].line) assert_int_equal(error.line, cases[i].line);
  }
}

static void activity_months(void **state) {
  (void)state;
  cq_activities *list;
  assert_int_equal(cq_activities_load(&list,
                                      CQ_STR("zona,distritos_inei,actividad,evento,meses,fuente,confianza\n"
                                             "alti,210101|2107,quinua,cosecha (abril a junio),04-06,x,alta\n"
                                             "alti,2107,quinua,venta,11-01,x,alta\n"
                                             "todo,*,tejido,feria,07|12,x,alta\n"
                                             "alti,*,haba|trucha,sin fuente,,,sin dato\n"),
                                      NULL),
                   CQ_OK);
  assert_int_equal(cq_activities_count(list), 4);
  cq_str quinua = CQ_STR("quinua");
  assert_int_equal(cq_activities_months(list, CQ_STR("210708"), quinua, CQ_STR("")), 0x38 | 0xC01);
  assert_int_equal(cq_activities_months(list, CQ_STR("210708"), quinua, CQ_STR("venta")), 0xC01);
  assert_int_equal(cq_activities_months(list, CQ_STR("210101"), quinua, CQ_STR("cosecha")), 0x38);
  assert_int_equal(cq_activities_months(list, CQ_STR("140203"), quinua, CQ_STR("")), 0);
  assert_int_equal(cq_activities_months(list, CQ_STR("140203"), CQ_STR("tejido"), CQ_STR("")), 0x840);
  assert_int_equal(cq_activities_months(list, CQ_STR("140203"), CQ_STR("trucha"), CQ_STR("")), 0);
  cq_activities_free(list);
  static const char *const bad[] = {"4-6", "04-13", "00", "04-", "04-06-", "|", "abril"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[120];
    cq_error error;
    snprintf(text, sizeof text, "zona,distritos_inei,actividad,evento,meses\na,*,b,c,%s\n", bad[i]);
    assert_int_equal(cq_activities_load(&list, cq_str_from(text), &error), CQ_INVALID);
    assert_string_equal(error.code, "calendar.months");
    assert_int_equal(error.line, 2);
  }
}

/* Nine months, August to April: the report that this tool answers. */
static void nine_of_twelve(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
  size_t count = cq_calendar_campaign(calendar, CQ_STR(""), 2012, seasons);
  int32_t months[12];
  for (int32_t i = 0; i < 9; i++) months[i] = 2012 * 12 + 7 + i;
  months[9] = months[3];      /* twice */
  months[10] = 2011 * 12 + 5; /* of another campaign */
  cq_month_coverage coverage;
  cq_panel_months(seasons, count, months, 11, &coverage);
  assert_int_equal(coverage.count, 12);
  assert_int_equal(coverage.covered_count, 9);
  assert_true(coverage.covered[8]);
  assert_false(coverage.covered[9]);
  cq_panel_months(&seasons[3], 1, months, 11, &coverage);
  assert_int_equal(coverage.count, 3);
  assert_int_equal(coverage.covered_count, 0);
  cq_calendar_free(calendar);
}

static void coverage_and_agenda(void **state) {
  (void)state;
  cq_calendar *calendar = standard();
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
  size_t count = cq_calendar_campaign(calendar, CQ_STR(""), 2012, seasons);
  int32_t today = day("2013-06-10");
  cq_visit all[4];
  for (size_t i = 0; i < 4; i++)
    all[i] = (cq_visit){seasons[i].ref, seasons[i].end + 5, CQ_VISIT_COMPLETE, CQ_DAY_NONE, false};
  cq_visit refusal = {seasons[0].ref, seasons[0].end + 3, CQ_VISIT_REFUSED, CQ_DAY_NONE, false};
  cq_person persons[] = {
      {day("2012-01-01"), CQ_DAY_NONE, 10, all, 3, seasons, count},
      {day("2012-01-01"), CQ_DAY_NONE, 30, NULL, 0, seasons, count},
      {day("2012-01-01"), CQ_DAY_NONE, 5, &refusal, 1, seasons, count},
      {day("2013-02-01"), CQ_DAY_NONE, 1, &all[2], 1, seasons, count},
  };
  cq_coverage t1 = {0}, t4 = {0};
  for (size_t i = 0; i < 4; i++) {
    cq_cell cell = cq_panel_cell(&seasons[0], &persons[i], today);
    cq_coverage_add(&t1, &cell, persons[i].weight);
    cell = cq_panel_cell(&seasons[3], &persons[i], today);
    cq_coverage_add(&t4, &cell, persons[i].weight);
  }
  assert_int_equal(t1.covered, 1);
  assert_int_equal(t1.eligible, 3);
  assert_true(t1.covered_weighted == 10 && t1.eligible_weighted == 45);
  assert_int_equal(t4.eligible, 0);
  assert_int_equal(t4.states[CQ_CELL_FUTURE], 4);

  cq_due due[16];
  size_t found = cq_panel_agenda(persons, 4, today, due, 16);
  assert_int_equal(found, 5);
  assert_int_equal(cq_panel_agenda(persons, 4, today, NULL, 0), 5);
  static const struct {
    size_t person;
    const char *code;
    cq_due_reason reason;
  } expected[] = {{1, "T3", CQ_DUE_LATE},
                  {2, "T3", CQ_DUE_LATE},
                  {1, "T2", CQ_DUE_RECOVER},
                  {2, "T2", CQ_DUE_RECOVER},
                  {1, "T1", CQ_DUE_RECOVER}};
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(due[i].person, expected[i].person);
    assert_string_equal(due[i].season.ref.code, expected[i].code);
    assert_int_equal(due[i].reason, expected[i].reason);
  }
  assert_int_equal(due[0].cell.last_day, day("2013-06-30"));

  bool closed;
  cq_cell grid[4];
  for (size_t i = 0; i < 4; i++) grid[i] = cq_panel_cell(&seasons[i], &persons[0], today);
  assert_false(cq_panel_full_cycle(grid, 4, &closed));
  assert_false(closed);
  persons[0].visit_count = 4;
  today = day("2013-08-10");
  for (size_t i = 0; i < 4; i++) grid[i] = cq_panel_cell(&seasons[i], &persons[0], today);
  assert_true(cq_panel_full_cycle(grid, 4, &closed));
  assert_true(closed);
  cq_calendar_free(calendar);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells),
      cmocka_unit_test(cell_marks),
      cmocka_unit_test(who_left),
      cmocka_unit_test(a_moved_boundary_leaves_old_records),
      cmocka_unit_test(seasons_are_events),
      cmocka_unit_test(who_left),
      cmocka_unit_test(seasons_are_events),
      cmocka_unit_test(names),
      cmocka_unit_test(season_names),
      cmocka_unit_test(standard_year),
      cmocka_unit_test(moved_boundary),
      cmocka_unit_test(zone_of_its_own),
      cmocka_unit_test(refused_calendars),
      cmocka_unit_test(activity_months),
      cmocka_unit_test(nine_of_twelve),
      cmocka_unit_test(coverage_and_agenda),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
