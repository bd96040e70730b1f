/* SPDX-License-Identifier: Apache-2.0 */
/* People with their names and places, from what the desk holds: first the frame, over it what the office knows, over it
 * what their own records say. */
#include "central/merge/contacts.h"

#include "central/merge/entities.h"
#include "central/tables/records/rows.h"
#include "chasqui/csv.h"

#include <stdlib.h>
#include <string.h>

/* Names of the questions in the form that registers persons. */
enum { KEY, GIVEN, SURNAME1, SURNAME2, PHONE, FIELDS };
static const char *const field_names[FIELDS] = {"KEY", "nombres", "ape_pat", "ape_mat", "celular"};

/* --- a table of persons by id: open addressing --- */

static size_t slot_of(const cq_contacts *all, cq_str id) {
  uint64_t hash = 1469598103934665603u;
  for (size_t i = 0; i < id.size; i++) hash = (hash ^ (uint8_t)id.at[i]) * 1099511628211u;
  size_t slot = (size_t)hash & (all->slot_count - 1);
  while (all->slots[slot] != 0 && !cq_str_equal(all->items[all->slots[slot] - 1].person.id, id))
    slot = (slot + 1) & (all->slot_count - 1);
  return slot;
}

static bool grow(cq_contacts *all) {
  size_t room = all->room ? all->room * 2 : 1024;
  cq_contact *items = realloc(all->items, room * sizeof *items);
  if (items) all->items = items;
  size_t *slots = calloc(room * 2, sizeof *slots);
  if (!items || !slots) {
    free(slots);
    return false;
  }
  free(all->slots);
  all->slots = slots;
  all->slot_count = room * 2;
  all->room = room;
  for (size_t i = 0; i < all->count; i++) all->slots[slot_of(all, all->items[i].person.id)] = i + 1;
  return true;
}

/* The person of that id, made where there is none; NULL: memory is out. */
static cq_contact *person_of(cq_contacts *all, cq_str id) {
  if (all->count == all->room && !grow(all)) return NULL;
  size_t slot = slot_of(all, id);
  if (all->slots[slot] == 0) {
    cq_str kept = cq_arena_copy(all->arena, id), none = CQ_STR("");
    if (!kept.at) return NULL;
    all->items[all->count] = (cq_contact){
        .person = {CQ_STR(CQ_CONTACTS_DATASET), kept, none, none, none, none}, .code = none, .community = none};
    all->slots[slot] = ++all->count;
  }
  return &all->items[all->slots[slot] - 1];
}

/* What is not said leaves what was known. */
static bool say(cq_contacts *all, cq_str *to, cq_str text) {
  text = cq_str_trim(text);
  if (text.size == 0) return true;
  *to = cq_arena_copy(all->arena, text);
  return to->at != NULL;
}

/* --- frame, office, entities: rows of id and what follows --- */

typedef bool take_row(cq_contacts *all, cq_contact *person, sqlite3_stmt *row);

static cq_status each(cq_contacts *all, cq_desk *desk, const char *sql, take_row *take, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    cq_contact *person = person_of(all, cq_desk_text(s, 0));
    if (!person || !take(all, person, s)) status = cq_error_nomem(error);
  }
  sqlite3_finalize(s);
  return status;
}

static bool take_place(cq_contacts *all, cq_contact *person, sqlite3_stmt *row) {
  return say(all, &person->community, cq_desk_text(row, 1));
}

static bool take_code(cq_contacts *all, cq_contact *person, sqlite3_stmt *row) {
  return say(all, &person->code, cq_desk_text(row, 1));
}

static bool take_office(cq_contacts *all, cq_contact *person, sqlite3_stmt *row) {
  return say(all, &person->community, cq_desk_text(row, 1)) && say(all, &person->person.name, cq_desk_text(row, 2)) &&
         say(all, &person->person.place, cq_desk_text(row, 3)) &&
         say(all, &person->person.phone, cq_desk_text(row, 4)) &&
         say(all, &person->person.directions, cq_desk_text(row, 5));
}

static bool take_left(cq_contacts *all, cq_contact *person, sqlite3_stmt *row) {
  (void)all;
  (void)row;
  person->left = true;
  return true;
}

static cq_status read_known(cq_contacts *all, cq_desk *desk, cq_error *error) {
#define OF_PERSONS " WHERE dataset = '" CQ_CONTACTS_DATASET "'"
  static const struct {
    const char *sql;
    take_row *take;
  } steps[] = {{"SELECT id, place FROM frame" OF_PERSONS, take_place},
               {"SELECT id, value FROM frame_property" OF_PERSONS " AND name = 'codigo'", take_code},
               {"SELECT id, community, name, place, phone, directions FROM contact" OF_PERSONS, take_office},
               {"SELECT id, value FROM entity_property" OF_PERSONS " AND name = 'codigo'", take_code},
               {"SELECT id, value FROM entity_property" OF_PERSONS " AND name = 'ccpp'", take_place},
               {"SELECT id FROM entity" OF_PERSONS " AND last_day IS NOT NULL", take_left}};
#undef OF_PERSONS
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < sizeof steps / sizeof *steps; i++)
    status = each(all, desk, steps[i].sql, steps[i].take, error);
  return status;
}

/* --- records --- */

typedef struct reader {
  cq_contacts *all;
  cq_desk *desk;
  sqlite3_stmt *entity; /* of an instance */
  size_t column[FIELDS];
  cq_buf name;
} reader;

static cq_str cell(const reader *r, const cq_str *cells, size_t which) {
  return r->column[which] == SIZE_MAX ? CQ_STR("") : cq_str_trim(cells[r->column[which]]);
}

static cq_status take_record(void *context, size_t table, const cq_str *cells, cq_error *error) {
  reader *r = context;
  bool row = false;
  if (table != 0) return CQ_OK;
  cq_str key = cell(r, cells, KEY), phone = cell(r, cells, PHONE);
  sqlite3_bind_text(r->entity, 1, key.at, (int)key.size, SQLITE_STATIC);
  cq_status status = cq_desk_step(r->desk, r->entity, &row, error);
  if (status == CQ_OK && row) {
    cq_str id = cq_desk_text(r->entity, 0);
    if (cq_str_starts(id, CQ_STR("uuid:"))) id = (cq_str){id.at + 5, id.size - 5};
    cq_contact *person = person_of(r->all, id);
    cq_buf_reset(&r->name);
    for (size_t i = GIVEN; i <= SURNAME2; i++) {
      cq_str part = cell(r, cells, i);
      if (part.size == 0) continue;
      if (r->name.size > 0) cq_buf_add_char(&r->name, ' ');
      cq_buf_add_str(&r->name, part);
    }
    if (!person || r->name.failed || !say(r->all, &person->person.name, cq_buf_str(&r->name)) ||
        !say(r->all, &person->person.phone, phone))
      status = cq_error_nomem(error);
  }
  sqlite3_reset(r->entity);
  return status;
}

static cq_status read_records(cq_contacts *all, cq_desk *desk, const char *form, cq_error *error) {
  cq_rows *rows = NULL;
  cq_rows_options options = {.identified = true};
  size_t records, unreadable;
  reader r = {.all = all, .desk = desk};
  cq_error none;
  cq_error_clear(&none);
  cq_status status = cq_rows_open(&rows, desk, cq_str_from(form), &options, &none);
  /* a programme without such a form has the office's names alone */
  if (status != CQ_OK && none.code && strcmp(none.code, "desk.form.none") == 0) return CQ_OK;
  if (status != CQ_OK && error) *error = none;
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &r.entity,
                             "SELECT s.entity FROM visit v JOIN visit_subject s ON s.id = v.id "
                             "WHERE v.instance = ?1 AND s.dataset = '" CQ_CONTACTS_DATASET "'",
                             error);
  if (status == CQ_OK) {
    const cq_rows_table *t = cq_rows_table_at(rows, 0);
    for (size_t i = 0; i < FIELDS; i++) {
      r.column[i] = SIZE_MAX;
      for (size_t c = t->count; c-- > 0;)
        if (cq_str_is(t->columns[c].field ? t->columns[c].field->name : t->columns[c].name, field_names[i]))
          r.column[i] = c;
    }
    status = cq_rows_read(rows, take_record, &r, &records, &unreadable, error);
  }
  sqlite3_finalize(r.entity);
  cq_rows_free(rows);
  cq_buf_fini_secret(&r.name);
  return status;
}

/* --- names of communities, from the programme's list --- */

typedef struct community {
  cq_str code, name;
} community;

static int by_code(const void *a, const void *b) {
  return cq_str_compare(((const community *)a)->code, ((const community *)b)->code);
}

static cq_status read_communities(cq_arena *arena, cq_str bytes, community **out, size_t *count, cq_error *error) {
  const cq_str *fields;
  size_t field_count = 0, code = SIZE_MAX, name = SIZE_MAX, room = 0;
  cq_csv *csv = cq_csv_new(bytes, 0);
  cq_status status = csv ? cq_csv_next(csv, &fields, &field_count, error) : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < field_count; i++) {
    if (cq_str_is(fields[i], "inei_ccpp") || cq_str_is(fields[i], "name")) code = i;
    if (cq_str_is(fields[i], "ccpp") || cq_str_is(fields[i], "label")) name = i;
  }
  while (status == CQ_OK && field_count > 0) {
    status = cq_csv_next(csv, &fields, &field_count, error);
    if (status != CQ_OK || code >= field_count || name >= field_count) continue;
    if (*count == room) {
      room = room ? room * 2 : 256;
      community *more = cq_arena_array(arena, room, sizeof *more);
      if (!more) {
        status = cq_error_nomem(error);
        break;
      }
      if (*count) memcpy(more, *out, *count * sizeof *more);
      *out = more;
    }
    (*out)[*count] = (community){cq_arena_copy(arena, fields[code]), cq_arena_copy(arena, fields[name])};
    if (!(*out)[*count].code.at || !(*out)[(*count)++].name.at) status = cq_error_nomem(error);
  }
  cq_csv_free(csv);
  return status;
}

/* Whoever has no place of their own is found in the community. */
static cq_status name_places(cq_contacts *all, cq_desk *desk, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  community *known = NULL;
  size_t count = 0;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = 'ccpp.csv'", error);
  if (status == CQ_OK) status = cq_desk_step(desk, s, &row, error);
  if (status == CQ_OK && row) status = read_communities(all->arena, cq_desk_text(s, 0), &known, &count, error);
  sqlite3_finalize(s);
  if (count) qsort(known, count, sizeof *known, by_code);
  for (size_t i = 0; status == CQ_OK && i < all->count; i++) {
    cq_contact *contact = &all->items[i];
    community key = {.code = contact->community};
    const community *found =
        count && contact->person.place.size == 0 ? bsearch(&key, known, count, sizeof *known, by_code) : NULL;
    if (found) contact->person.place = found->name;
  }
  return status;
}

/* --- all --- */

static int by_id(const void *a, const void *b) {
  return cq_str_compare(((const cq_contact *)a)->person.id, ((const cq_contact *)b)->person.id);
}

cq_status cq_contacts_read(cq_contacts *all, cq_desk *desk, const char *form, cq_error *error) {
  size_t unreadable;
  *all = (cq_contacts){.arena = cq_arena_new(0)};
  if (!all->arena) return cq_error_nomem(error);
  cq_status status = cq_entities_update(desk, &unreadable, error);
  if (status == CQ_OK) status = read_known(all, desk, error);
  if (status == CQ_OK) status = read_records(all, desk, form, error);
  if (status == CQ_OK) status = name_places(all, desk, error);
  if (all->count) qsort(all->items, all->count, sizeof *all->items, by_id);
  return status;
}

void cq_contacts_fini(cq_contacts *all) {
  cq_arena_free(all->arena);
  free(all->items);
  free(all->slots);
  *all = (cq_contacts){0};
}

bool cq_contact_is(const cq_contact *contact, cq_str code) {
  return cq_str_equal(contact->code, code) || cq_str_equal(contact->person.id, code) ||
         (code.size > 0 && cq_str_starts(contact->community, code));
}
