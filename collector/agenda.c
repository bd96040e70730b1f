/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/agenda.h"

#include "chasqui/csv.h"
#include "chasqui/record.h"
#include "collector/names.h"
#include "collector/roster.h"

#include <stdlib.h>
#include <string.h>

enum { SEASONS = 2 /* the newest closed ones: windows and grace of older ones are over */, MAX_PEOPLE = 100000 };

/* --- people, from the list --- */

typedef struct person_row {
  cq_str id, label, place, last_season, last_date, state, entry, leave;
} person_row;

typedef struct columns {
  size_t id, label, ccpp, district, region, last_season, last_date, state, entry, leave;
} columns;

static size_t column_of(const cq_str *head, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (cq_str_is(head[i], name)) return i;
  }
  return SIZE_MAX;
}

static cq_str field(const cq_str *fields, size_t count, size_t column) {
  return column < count ? cq_str_trim(fields[column]) : CQ_STR("");
}

static bool keep(cq_arena *arena, cq_str *to, cq_str text) {
  *to = cq_arena_copy(arena, text);
  return to->at != NULL;
}

static bool read_person(cq_arena *arena, const columns *at, const cq_str *fields, size_t count, person_row *row) {
  cq_str place = field(fields, count, at->ccpp);
  if (place.size == 0) place = field(fields, count, at->district);
  if (place.size == 0) place = field(fields, count, at->region);
  return keep(arena, &row->id, field(fields, count, at->id)) &&
         keep(arena, &row->label, field(fields, count, at->label)) && keep(arena, &row->place, place) &&
         keep(arena, &row->last_season, field(fields, count, at->last_season)) &&
         keep(arena, &row->last_date, field(fields, count, at->last_date)) &&
         keep(arena, &row->state, field(fields, count, at->state)) &&
         keep(arena, &row->entry, field(fields, count, at->entry)) &&
         keep(arena, &row->leave, field(fields, count, at->leave));
}

static cq_status read_people(cq_str bytes, cq_arena *arena, person_row **rows, size_t *count, cq_error *error) {
  const cq_str *fields;
  size_t field_count = 0, room = 0;
  *rows = NULL;
  *count = 0;
  cq_csv *csv = cq_csv_new(bytes, 0);
  cq_status status = csv ? cq_csv_next(csv, &fields, &field_count, error) : cq_error_nomem(error);
  columns at = {0};
  if (status == CQ_OK)
    at = (columns){column_of(fields, field_count, "name"),          column_of(fields, field_count, "label"),
                   column_of(fields, field_count, "ccpp"),          column_of(fields, field_count, "distrito"),
                   column_of(fields, field_count, "region"),        column_of(fields, field_count, "ultima_temporada"),
                   column_of(fields, field_count, "ultima_visita"), column_of(fields, field_count, "estado"),
                   column_of(fields, field_count, "alta"),          column_of(fields, field_count, "baja")};
  while (status == CQ_OK && field_count > 0 && *count < MAX_PEOPLE) {
    status = cq_csv_next(csv, &fields, &field_count, error);
    if (status != CQ_OK || field_count == 0) break;
    if (*count == room) {
      room = room ? room * 2 : 256;
      person_row *more = realloc(*rows, room * sizeof *more);
      if (!more) {
        status = cq_error_nomem(error);
        break;
      }
      *rows = more;
    }
    if (!read_person(arena, &at, fields, field_count, &(*rows)[(*count)++])) status = cq_error_nomem(error);
  }
  cq_csv_free(csv);
  return status;
}

/* --- visits, from this laptop's records --- */

typedef struct made_visit {
  cq_str subject;
  cq_visit visit;
} made_visit;

typedef struct visits {
  cq_laptop *laptop;
  cq_arena *arena;
  made_visit *at;
  size_t count, room;
} visits;

static cq_status add_visit(visits *it, cq_str subject, const cq_visit *visit) {
  if (it->count == it->room) {
    size_t room = it->room ? it->room * 2 : 256;
    made_visit *more = realloc(it->at, room * sizeof *more);
    if (!more) return CQ_NOMEM;
    it->at = more;
    it->room = room;
  }
  it->at[it->count] = (made_visit){cq_arena_copy(it->arena, subject), *visit};
  return it->at[it->count++].subject.at ? CQ_OK : CQ_NOMEM;
}

/* What a visit found, and on which working date, stands in the record; one that was purged leaves its listing. */
static bool read_visit(visits *it, const cq_store_record *listed, cq_visit *visit) {
  cq_buf bytes = {0};
  cq_record record;
  cq_arena_mark mark = cq_arena_save(it->arena);
  const char *result = cq_result_name((cq_result)listed->result);
  bool said = false;
  if (cq_store_record_bytes(it->laptop->store, listed->name, &bytes, NULL) == CQ_OK &&
      cq_record_parse(&record, cq_buf_str(&bytes), it->arena, NULL) == CQ_OK) {
    visit->day = cq_date_to_day(record.envelope.working_date);
    said = cq_visit_say(visit, cq_str_from(result), record.envelope.reason);
  } else {
    visit->day = cq_date_to_day(cq_date_at(it->laptop->clock, listed->finalised_utc_ms));
    said = cq_visit_say(visit, cq_str_from(result), CQ_STR(""));
  }
  if (listed->result == CQ_RESULT_WITHDRAWN) visit->left = true;
  cq_arena_rewind(it->arena, mark);
  cq_buf_fini_secret(&bytes);
  return said;
}

static cq_status see_record(void *context, const cq_store_record *record) {
  visits *it = context;
  cq_visit visit = {.season_end = CQ_DAY_NONE};
  cq_status status = CQ_OK;
  if (record->corrected) return CQ_OK; /* its correction tells of the visit */
  if (!cq_season_parse(record->season, &visit.season) || !read_visit(it, record, &visit)) return CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < record->subject_count; i++) {
    cq_str subject = record->subjects[i], mark = CQ_STR("uuid:");
    if (cq_str_starts(subject, mark)) subject = (cq_str){subject.at + mark.size, subject.size - mark.size};
    status = add_visit(it, subject, &visit);
  }
  return status;
}

/* The list tells of the last visit that the desk knew of. */
static cq_status add_listed(visits *it, const person_row *row) {
  cq_visit visit = {.result = CQ_VISIT_COMPLETE, .season_end = CQ_DAY_NONE};
  cq_date date;
  if (!cq_season_parse(row->last_season, &visit.season) || !cq_date_parse(row->last_date, &date)) return CQ_OK;
  if (row->state.size > 0 && !cq_visit_say(&visit, row->state, CQ_STR(""))) return CQ_OK;
  visit.day = cq_date_to_day(date);
  return add_visit(it, row->id, &visit);
}

static int by_subject(const void *a, const void *b) {
  return cq_str_compare(((const made_visit *)a)->subject, ((const made_visit *)b)->subject);
}

/* --- the agenda --- */

typedef struct plan {
  cq_arena *arena;
  cq_calendar *calendar;
  person_row *rows;
  cq_person *people;
  size_t count;
  visits visits;
  int32_t today;
} plan;

/* Visits stand sorted by subject: a person's are a run of them, found by halving. */
static size_t first_visit(const visits *it, cq_str subject) {
  size_t low = 0, high = it->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (cq_str_compare(it->at[middle].subject, subject) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static cq_status plan_person(plan *it, size_t i, cq_error *error) {
  const person_row *row = &it->rows[i];
  cq_person *person = &it->people[i];
  cq_date entry, leave;
  size_t from = first_visit(&it->visits, row->id), count = 0;
  while (from + count < it->visits.count && cq_str_equal(it->visits.at[from + count].subject, row->id)) count++;
  cq_season *seasons = cq_arena_array(it->arena, SEASONS, sizeof *seasons);
  cq_visit *made = cq_arena_array(it->arena, count + 1, sizeof *made);
  if (!seasons || !made) return cq_error_nomem(error);
  for (size_t v = 0; v < count; v++) made[v] = it->visits.at[from + v].visit;
  *person = (cq_person){.entry = cq_date_parse(row->entry, &entry) ? cq_date_to_day(entry) : 0,
                        .exit = cq_date_parse(row->leave, &leave) ? cq_date_to_day(leave) : CQ_DAY_NONE,
                        .weight = 1,
                        .visits = made,
                        .visit_count = count,
                        .seasons = seasons};
  int32_t day = it->today;
  while (person->season_count < SEASONS &&
         cq_calendar_closed(it->calendar, row->place, day, &seasons[person->season_count]))
    day = seasons[person->season_count++].start;
  return CQ_OK;
}

static cq_status gather(plan *it, cq_laptop *laptop, cq_error *error) {
  cq_buf list = {0};
  cq_str csv = cq_bundle_content_of(laptop->bundle)->calendar;
  cq_status status = cq_roster_list(laptop->store, CQ_AGENDA_LIST, &list, error);
  if (status == CQ_OK) status = read_people(cq_buf_str(&list), it->arena, &it->rows, &it->count, error);
  if (status == CQ_OK)
    status = csv.size > 0 ? cq_calendar_load(&it->calendar, csv, error) : cq_calendar_standard(&it->calendar, error);
  it->visits = (visits){.laptop = laptop, .arena = it->arena};
  if (status == CQ_OK) status = cq_store_records(laptop->store, -1, see_record, &it->visits, error);
  for (size_t i = 0; status == CQ_OK && i < it->count; i++) status = add_listed(&it->visits, &it->rows[i]);
  if (status == CQ_NOMEM) cq_error_nomem(error);
  if (status == CQ_OK && it->visits.count > 0)
    qsort(it->visits.at, it->visits.count, sizeof *it->visits.at, by_subject);
  if (status == CQ_OK) {
    it->people = cq_arena_array(it->arena, it->count + 1, sizeof *it->people);
    if (!it->people) status = cq_error_nomem(error);
  }
  for (size_t i = 0; status == CQ_OK && i < it->count; i++) status = plan_person(it, i, error);
  cq_buf_fini_secret(&list);
  return status;
}

static cq_status choose(plan *it, cq_agenda_visit **out, size_t *count, cq_error *error) {
  size_t due_count = cq_panel_agenda(it->people, it->count, it->today, NULL, 0);
  cq_due *due = calloc(due_count + 1, sizeof *due);
  *out = cq_arena_array(it->arena, due_count + 1, sizeof **out);
  if (!due || !*out) {
    free(due);
    return cq_error_nomem(error);
  }
  cq_panel_agenda(it->people, it->count, it->today, due, due_count);
  for (size_t i = 0; i < due_count; i++) {
    if (due[i].reason == CQ_DUE_RECOVER) continue; /* a matter for the desk to ask for */
    const person_row *row = &it->rows[due[i].person];
    cq_agenda_visit *visit = &(*out)[(*count)++];
    *visit = (cq_agenda_visit){.person = row->id,
                               .label = cq_names_beside(it->visits.laptop, it->arena, row->id, row->label),
                               .place = row->place,
                               .last_day = due[i].cell.last_day,
                               .late = due[i].reason == CQ_DUE_LATE};
    cq_season_format(&due[i].season.ref, visit->season);
  }
  free(due);
  return CQ_OK;
}

cq_status cq_agenda(cq_laptop *laptop, cq_arena *arena, cq_agenda_visit **out, size_t *count, cq_error *error) {
  plan it = {.arena = arena, .today = cq_date_to_day(cq_laptop_today(laptop))};
  *out = NULL;
  *count = 0;
  cq_status status = gather(&it, laptop, error);
  if (status == CQ_OK) status = choose(&it, out, count, error);
  cq_calendar_free(it.calendar);
  free(it.rows);
  free(it.visits.at);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}
