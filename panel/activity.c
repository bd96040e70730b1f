/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/arena.h"
#include "chasqui/calendar.h"
#include "panel/columns.h"

#include <stdint.h>
#include <stdlib.h>

cq_status cq_columns_find(cq_csv *csv, const char *const names[], size_t count, size_t needed, size_t at[],
                          const char *code, cq_error *error) {
  const cq_str *fields;
  size_t width;
  cq_status status = cq_csv_next(csv, &fields, &width, error);
  if (status != CQ_OK) return status;
  for (size_t i = 0; i < count; i++) {
    at[i] = SIZE_MAX;
    for (size_t j = 0; j < width; j++)
      if (cq_str_is(cq_str_trim(fields[j]), names[i])) at[i] = j;
    if (i < needed && at[i] == SIZE_MAX) {
      cq_error_set(error, CQ_INVALID, code, names[i], NULL);
      cq_error_at_line(error, cq_csv_line(csv), 0);
      return CQ_INVALID;
    }
  }
  return CQ_OK;
}

/* Cuts the next part off `*list` at a '|'. */
static bool next_part(cq_str *list, cq_str *part) {
  if (!list->at) return false;
  size_t i = 0;
  while (i < list->size && list->at[i] != '|') i++;
  *part = cq_str_trim((cq_str){list->at, i});
  *list = i < list->size ? (cq_str){list->at + i + 1, list->size - i - 1} : (cq_str){NULL, 0};
  return true;
}

int cq_places_fit(cq_str places, cq_str place) {
  int best = -1;
  for (cq_str part; next_part(&places, &part);) {
    int fit = cq_str_is(part, "*") ? 0 : part.size && cq_str_starts(place, part) ? (int)part.size : -1;
    if (fit > best) best = fit;
  }
  return best;
}

struct cq_activities {
  cq_arena *arena;
  cq_activity *rows;
  size_t count;
};

enum { ZONE, PLACES, ACTIVITY, EVENT, MONTHS, SOURCE, CONFIDENCE, COLUMNS };
static const char *const column_names[COLUMNS] = {"zona",  "distritos_inei", "actividad", "evento",
                                                  "meses", "fuente",         "confianza"};

static int month(cq_str text) {
  if (text.size != 2 || text.at[0] < '0' || text.at[0] > '1' || text.at[1] < '0' || text.at[1] > '9') return 0;
  int value = (text.at[0] - '0') * 10 + text.at[1] - '0';
  return value <= 12 ? value : 0;
}

static bool months_of(cq_str text, uint16_t *months) {
  *months = 0;
  if (!text.size) return true;
  for (cq_str part; next_part(&text, &part);) {
    int first = month((cq_str){part.at, part.size < 2 ? part.size : 2}), last = first;
    if (part.size == 5 && part.at[2] == '-')
      last = month((cq_str){part.at + 3, 2});
    else if (part.size != 2)
      return false;
    if (!first || !last) return false;
    for (int m = first;; m = m % 12 + 1) {
      *months = (uint16_t)(*months | 1u << (m - 1));
      if (m == last) break;
    }
  }
  return true;
}

static cq_status add_row(cq_activities *list, size_t capacity, const cq_str f[COLUMNS], cq_error *error) {
  if (list->count == capacity) return cq_error_set(error, CQ_LIMIT, "calendar.many", NULL);
  cq_activity *row = &list->rows[list->count];
  cq_str *const to[COLUMNS] = {&row->zone, &row->places, &row->activities, &row->event,
                               NULL,       &row->source, &row->confidence};
  if (!months_of(f[MONTHS], &row->months)) return cq_error_set(error, CQ_INVALID, "calendar.months", NULL);
  for (size_t i = 0; i < COLUMNS; i++) {
    if (!to[i]) continue;
    *to[i] = cq_arena_copy(list->arena, f[i]);
    if (!to[i]->at) return cq_error_nomem(error);
  }
  list->count++;
  return CQ_OK;
}

static size_t lines(cq_str text) {
  size_t count = 1;
  for (size_t i = 0; i < text.size; i++) count += text.at[i] == '\n' || text.at[i] == '\r';
  return count;
}

cq_status cq_activities_load(cq_activities **out, cq_str text, cq_error *error) {
  cq_status status = CQ_NOMEM;
  size_t at[COLUMNS], capacity = lines(text) < CQ_CALENDAR_MAX_ROWS ? lines(text) : CQ_CALENDAR_MAX_ROWS;
  cq_activities *list = calloc(1, sizeof *list);
  cq_csv *csv = cq_csv_new(text, 0);
  *out = NULL;
  if (list) {
    list->arena = cq_arena_new(0);
    list->rows = calloc(capacity, sizeof *list->rows);
  }
  if (!csv || !list || !list->arena || !list->rows) {
    cq_error_nomem(error);
    goto out;
  }
  if ((status = cq_columns_find(csv, column_names, COLUMNS, MONTHS + 1, at, "calendar.columns", error)) != CQ_OK)
    goto out;
  for (;;) {
    const cq_str *fields;
    size_t count;
    if ((status = cq_csv_next(csv, &fields, &count, error)) != CQ_OK) goto out;
    if (!count) break;
    cq_str f[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) f[i] = at[i] < count ? cq_str_trim(fields[at[i]]) : CQ_STR("");
    if ((status = add_row(list, capacity, f, error)) != CQ_OK) {
      cq_error_at_line(error, cq_csv_line(csv), 0);
      goto out;
    }
  }
  *out = list;
  list = NULL;
out:
  cq_csv_free(csv);
  cq_activities_free(list);
  return status;
}

void cq_activities_free(cq_activities *list) {
  if (!list) return;
  cq_arena_free(list->arena);
  free(list->rows);
  free(list);
}

size_t cq_activities_count(const cq_activities *list) {
  return list->count;
}

const cq_activity *cq_activities_row(const cq_activities *list, size_t index) {
  return &list->rows[index];
}

static bool lists(cq_str names, cq_str name) {
  for (cq_str part; next_part(&names, &part);)
    if (cq_str_equal(part, name)) return true;
  return false;
}

uint16_t cq_activities_months(const cq_activities *list, cq_str place, cq_str activity, cq_str event) {
  uint16_t months = 0;
  for (size_t i = 0; i < list->count; i++) {
    const cq_activity *row = &list->rows[i];
    if (cq_places_fit(row->places, place) < 0 || !lists(row->activities, activity)) continue;
    /* an event may carry its explanation: "siembra (octubre central)" is "siembra" */
    if (event.size && !cq_str_starts(row->event, event)) continue;
    months = (uint16_t)(months | row->months);
  }
  return months;
}
