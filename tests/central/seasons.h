/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk with the seasons of two campaigns: twenty persons in four strata, a form "f" with an income, definitions of
 * indicators, and records whose values are worked out from person, year and season. What programs say of it is read as
 * JSON.
 */
#ifndef TESTS_CENTRAL_SEASONS_H
#define TESTS_CENTRAL_SEASONS_H

#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

enum { UNITS = 20, STRATA = 4, PER_STRATUM = UNITS / STRATA };
extern const double population[STRATA];
extern const char form_xml[]; /* of the form "f" */

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash form, recall, base;
  uint64_t sequence;
  char home[512], phrase[600];
} world;

/* `all_seasons`: with the records of everybody, but for who was lost in 2012. */
world *world_new(const char *name, bool all_seasons);
/* The desk is closed while programs use it. */
void world_rest(world *w);
void world_free(world *w);

double income(size_t u, int year, int t);
bool lost(size_t u);                   /* no visit in 2012 */
bool blank(size_t u, int year, int t); /* asked and not known */
cq_date soon_after(int year, int t);
void add_season(world *w, size_t u, int year, int t, cq_date day);
void add_record(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
                const char *xml);
void add_ended(world *w, const char *form, const cq_hash *hash, size_t u, const char *season, cq_date day,
               const char *xml, cq_result result, const char *reason);

extern char said[1 << 18]; /* what the last program said */
/* chasqui-central at that desk; without a desk `w` is NULL, and it is asked for JSON. The caller frees with
 * cJSON_Delete. */
cJSON *run(const world *w, const char *arguments, int *status);
/* Refused, and its words are in `said`. */
void refused(const world *w, const char *arguments);
double number(const cJSON *object, const char *name);
const char *text(const cJSON *object, const char *name); /* "" where there is none */
const cJSON *figure_of(const cJSON *json, const char *kind, const char *group, const char *source);
void close_to(double value, double expected, double relative);

#endif
