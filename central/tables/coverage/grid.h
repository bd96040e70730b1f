/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grid of persons × seasons of one campaign, and its coverage: filled from
 * two CSV files or from merged records, shown as text, JSON, CSV, XLSX or a page.
 */
#ifndef CENTRAL_TABLES_GRID_H
#define CENTRAL_TABLES_GRID_H

#include "central/tables/survey/data.h"
#include "chasqui/panel.h"

typedef struct cq_grid_person {
  cq_str id, group, place;
  cq_str entity;    /* id is the code where there is one; "" of a file */
  cq_person person; /* its visits and seasons are set by cq_grid_close */
} cq_grid_person;

typedef struct cq_grid_visit {
  size_t person;
  cq_visit visit;
  cq_str months; /* "2012-08 2012-09": the months it rests on; blank: all of its season */
  cq_str reason; /* beside its result */
} cq_grid_visit;

/* One group of persons: a stratum, or all. */
typedef struct cq_grid_group {
  cq_str name;
  size_t people, full_cycle;
  double weight, full_cycle_weighted;
  cq_coverage seasons[CQ_CALENDAR_MAX_SEASONS];
  cq_coverage months[24]; /* `states` unused */
} cq_grid_group;

typedef struct cq_grid {
  const cq_calendar *calendar;
  cq_arena *arena;      /* names */
  bool practice;        /* said wherever the grid is shown */
  cq_str programme, by; /* its title; what the groups are, in words; may be "" */
  int32_t campaign, today;
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS]; /* as at a place without a zone of its own: the columns */
  size_t season_count;
  int32_t months[24]; /* of the columns */
  size_t month_count;
  cq_grid_person *people;
  size_t people_count, people_capacity;
  cq_grid_visit *visits;
  size_t visit_count, visit_capacity;
  /* after cq_grid_close */
  cq_visit *sorted;
  cq_season (*zones)[CQ_CALENDAR_MAX_SEASONS];
  size_t zone_count;
  cq_cell *cells; /* people × seasons */
  cq_grid_group all, *groups;
  size_t group_count;
  bool closed;                                 /* every season of the campaign is over */
  size_t conflicts, early, after_today, other; /* cells with two complete visits; …; visits about other seasons */
} cq_grid;

/* Borrows the calendar. Errors: central.coverage.campaign (the calendar has none such), memory. */
cq_status cq_grid_init(cq_grid *grid, const cq_calendar *calendar, int32_t campaign, int32_t today, cq_error *error);
void cq_grid_fini(cq_grid *grid);

/* Strings are borrowed until the grid ends. CQ_NOMEM only. */
cq_status cq_grid_add_person(cq_grid *grid, const cq_grid_person *person, cq_error *error);
cq_status cq_grid_add_visit(cq_grid *grid, const cq_grid_visit *visit, cq_error *error);

/* Computes cells, coverage and groups (in the order of their names; none where nobody has one). */
cq_status cq_grid_close(cq_grid *grid, cq_error *error);

const cq_cell *cq_grid_cell(const cq_grid *grid, size_t person, size_t season);

/* --- what is shown of it --- */
cq_status cq_grid_json(const cq_grid *grid, cq_buf *out, cq_error *error);
/* One row a cell: person, group, season, state, lag, attempts, weight. */
cq_status cq_grid_csv(const cq_grid *grid, cq_buf *out, cq_error *error);
/* A page complete in itself, with pictures in SVG that need no colour. */
cq_status cq_grid_html(const cq_grid *grid, cq_buf *out, cq_error *error);
/* The same without head and title, for a page around it, which needs the style. */
void cq_grid_html_body(const cq_grid *grid, cq_buf *out);
extern const char cq_grid_html_style[];
cq_status cq_grid_xlsx(const cq_grid *grid, const char *path, cq_error *error);
cq_status cq_grid_text(const cq_grid *grid, bool persons, cq_buf *out, cq_error *error);

#endif
