/* SPDX-License-Identifier: Apache-2.0 */
/* `contacts`: which laptop is told whose name and place, and the sealed sheets that tell it. */
#include "central/merge/contacts.h"
#include "central/tables/survey/data.h"
#include "central/verbs.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_FORM                                                                                                    \
  { "form", 0, N_("FORM"), N_("the form that registers persons (else a_linea_base_tdd)") }

const cq_cli_option cq_central_contacts_options[] = {
    OPTION_FORM, CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option cq_central_contacts_change_options[] = {
    OPTION_FORM, CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, {0}};

/* The desk's own chain of sheets. */
#define SETTING_LAST "sheet.last" /* number (8), hash (32) */

/* --- laptops --- */

typedef struct laptop {
  cq_device_id id;
  cq_seal_key seal;
  bool certified, revoked;
  char note[64];
  int64_t number, made_utc_ms, persons; /* of its newest sheet; number 0: none */
  uint8_t content[32];
  char file[96];
} laptop;

typedef struct laptops {
  laptop *items;
  size_t count;
} laptops;

static const char laptops_sql[] =
    "SELECT d.id, d.seal, d.chain IS NOT NULL, d.revoked_utc_ms IS NOT NULL, d.note, coalesce(s.number, 0), "
    "s.made_utc_ms, s.persons, s.content, s.file FROM device d LEFT JOIN sheet s ON s.device = d.id "
    "ORDER BY d.first_seen_utc_ms, d.id";

static void copy_text(char *out, size_t room, cq_str text) {
  size_t size = text.size < room ? text.size : room - 1;
  if (size) memcpy(out, text.at, size);
  out[size] = '\0';
}

static cq_status read_laptops(cq_desk *desk, laptops *all, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, laptops_sql, error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    laptop *more = realloc(all->items, (all->count + 1) * sizeof *more);
    if (!more) {
      status = cq_error_nomem(error);
      break;
    }
    all->items = more;
    laptop *it = &more[all->count++];
    *it = (laptop){.certified = sqlite3_column_int(s, 2), .revoked = sqlite3_column_int(s, 3)};
    status = cq_desk_column(s, 0, it->id.at, sizeof it->id.at, error);
    if (status == CQ_OK && it->certified) status = cq_desk_column(s, 1, it->seal.at, sizeof it->seal.at, error);
    copy_text(it->note, sizeof it->note, cq_desk_text(s, 4));
    it->number = sqlite3_column_int64(s, 5);
    if (status != CQ_OK || it->number == 0) continue;
    it->made_utc_ms = sqlite3_column_int64(s, 6);
    it->persons = sqlite3_column_int64(s, 7);
    status = cq_desk_column(s, 8, it->content, sizeof it->content, error);
    copy_text(it->file, sizeof it->file, cq_desk_text(s, 9));
  }
  sqlite3_finalize(s);
  return status;
}

/* By the start of its id, or by the note of whoever set it up. */
static cq_status find_laptop(const laptops *all, const char *text, laptop **found, cq_error *error) {
  size_t count = 0, size = strlen(text);
  for (size_t i = 0; i < all->count; i++) {
    char hex[33];
    cq_device_id_hex(&all->items[i].id, hex);
    bool by_id = size >= 4 && size <= 32 && strncmp(hex, text, size) == 0;
    if (!by_id && strcmp(all->items[i].note, text) != 0) continue;
    *found = &all->items[i];
    count++;
  }
  if (count != 1)
    return cq_error_set(error, CQ_NOTFOUND, count ? "desk.device.several" : "desk.device.none", text, NULL);
  return CQ_OK;
}

/* --- what is assigned --- */

typedef struct codes {
  cq_arena *arena;
  cq_str *items;
  size_t count;
} codes;

static cq_status read_codes(cq_desk *desk, const laptop *of, codes *all, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t room = 0;
  all->count = 0;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT code FROM assigned WHERE device = ?1 ORDER BY code", error);
  if (status == CQ_OK) sqlite3_bind_blob(s, 1, of->id.at, sizeof of->id.at, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    if (all->count == room) {
      room = room ? room * 2 : 16;
      cq_str *more = cq_arena_array(all->arena, room, sizeof *more);
      if (!more) {
        status = cq_error_nomem(error);
        break;
      }
      if (all->count) memcpy(more, all->items, all->count * sizeof *more);
      all->items = more;
    }
    all->items[all->count] = cq_arena_copy(all->arena, cq_desk_text(s, 0));
    if (!all->items[all->count++].at) status = cq_error_nomem(error);
  }
  sqlite3_finalize(s);
  return status;
}

static bool is_assigned(const cq_contact *contact, const codes *of) {
  for (size_t i = 0; !contact->left && i < of->count; i++)
    if (cq_contact_is(contact, of->items[i])) return true;
  return false;
}

static cq_status change(cq_desk *desk, const char *sql, const laptop *of, const char *code, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  if (status == CQ_OK) {
    sqlite3_bind_blob(s, 1, of->id.at, sizeof of->id.at, SQLITE_STATIC);
    if (code) sqlite3_bind_text(s, 2, code, -1, SQLITE_STATIC);
    status = cq_desk_step(desk, s, NULL, error);
  }
  if (status == CQ_OK && code && !sqlite3_changes(desk->db) && strncmp(sql, "DELETE", 6) == 0)
    status = cq_error_set(error, CQ_NOTFOUND, "desk.contacts.assigned", code, NULL);
  sqlite3_finalize(s);
  return status;
}

/* A code that is nobody's is most likely a slip of the pen. */
static cq_status check_code(const cq_contacts *people, const char *code, cq_error *error) {
  for (size_t i = 0; i < people->count; i++)
    if (cq_contact_is(&people->items[i], cq_str_from(code))) return CQ_OK;
  return cq_error_set(error, CQ_NOTFOUND, "desk.contacts.code", code, NULL);
}

/* --- a sheet --- */

static cq_status last_of_chain(cq_desk *desk, uint64_t *number, cq_hash *hash, cq_error *error) {
  cq_buf last = {0};
  cq_status status = cq_desk_get(desk, SETTING_LAST, false, &last, error);
  *number = 0;
  *hash = (cq_hash){0};
  if (status == CQ_OK && last.size == sizeof *number + sizeof hash->at) {
    memcpy(number, last.at, sizeof *number);
    memcpy(hash->at, last.at + sizeof *number, sizeof hash->at);
  }
  cq_buf_fini(&last);
  return status;
}

static cq_status keep_sheet(cq_desk *desk, const laptop *to, uint64_t number, const cq_hash *hash, size_t persons,
                            const cq_hash *content, const char *file, cq_error *error) {
  uint8_t last[40];
  sqlite3_stmt *s = NULL;
  memcpy(last, &number, sizeof number);
  memcpy(last + sizeof number, hash->at, sizeof hash->at);
  cq_status status = cq_desk_set(desk, SETTING_LAST, last, sizeof last, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &s, "INSERT OR REPLACE INTO sheet VALUES (?1, ?2, ?3, ?4, ?5, ?6)", error);
  if (status == CQ_OK) {
    sqlite3_bind_blob(s, 1, to->id.at, sizeof to->id.at, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, (int64_t)number);
    sqlite3_bind_int64(s, 3, cq_desk_now());
    sqlite3_bind_int64(s, 4, (int64_t)persons);
    sqlite3_bind_blob(s, 5, content->at, sizeof content->at, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, file, -1, SQLITE_STATIC);
    status = cq_desk_step(desk, s, NULL, error);
  }
  sqlite3_finalize(s);
  return status;
}

/* The sealed file stands in the outbox before the vault forgets the one before. */
static cq_status put_out(cq_desk *desk, const laptop *to, const char *name, const cq_buf *bytes, cq_error *error) {
  cq_buf folder = {0}, old = {0};
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, name, bytes->at, bytes->size, NULL, NULL, error);
  if (status == CQ_OK && to->number && strcmp(to->file, name) != 0) {
    status = cq_file_path(&old, folder.at, to->file, error);
    if (status == CQ_OK) status = cq_file_remove(old.at, error);
    if (status == CQ_NOTFOUND) status = CQ_OK;
  }
  cq_buf_fini(&folder);
  cq_buf_fini(&old);
  return status;
}

static cq_status make_sheet(cq_desk *desk, const laptop *to, const cq_buf *csv, size_t persons, const cq_hash *content,
                            cq_error *error) {
  cq_buf bytes = {0};
  cq_hash hash;
  char name[96];
  const cq_clock *clock = &cq_clock_system;
  cq_batch_sender sender = {
      .mode = desk->mode, .programme = desk->programme, .sign = desk->sign_secret, .chain = &desk->chain};
  sender.created_utc_ms = cq_desk_now();
  sender.working_date = cq_date_at(clock, sender.created_utc_ms);
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = last_of_chain(desk, &sender.number, &sender.previous, error);
  sender.number++;
  if (status == CQ_OK)
    status = cq_sheet_seal(&bytes, &hash, cq_buf_str(csv), &sender, &to->seal, &cq_random_system, error);
  if (status == CQ_OK) {
    cq_device_id self = cq_device_id_of(&desk->sign);
    cq_batch_file_name(name, &self, sender.number, &hash);
    status = keep_sheet(desk, to, sender.number, &hash, persons, content, name, error);
  }
  /* A number that was given out is never used again, whatever becomes of the file. */
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK) status = put_out(desk, to, name, &bytes, error);
  cq_buf_fini(&bytes);
  return status;
}

/* The list of one laptop; empty for one that is revoked. */
static cq_status list_of(const cq_contacts *people, const laptop *to, const codes *of, cq_buf *csv, size_t *persons,
                         cq_error *error) {
  cq_sheet_person *named = calloc(people->count + 1, sizeof *named);
  *persons = 0;
  if (!named) return cq_error_nomem(error);
  for (size_t i = 0; !to->revoked && i < people->count; i++)
    if (is_assigned(&people->items[i], of)) named[(*persons)++] = people->items[i].person;
  cq_buf_reset(csv);
  cq_status status = cq_sheet_list_write(csv, named, *persons, error);
  free(named);
  return status;
}

static bool file_is_there(cq_desk *desk, const laptop *of) {
  cq_buf folder = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  bool there = false;
  if (cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, NULL) == CQ_OK &&
      cq_parcel_list(&parcels, &count, folder.at, NULL) == CQ_OK)
    for (size_t i = 0; i < count && !there; i++) there = strcmp(parcels[i].name, of->file) == 0;
  free(parcels);
  cq_buf_fini(&folder);
  return there;
}

static cq_status send_one(cq_cli *cli, cq_desk *desk, const cq_contacts *people, const laptop *to, codes *of,
                          size_t *made, cq_error *error) {
  cq_buf csv = {0};
  size_t persons = 0;
  char hex[33];
  cq_status status = read_codes(desk, to, of, error);
  if (status == CQ_OK) status = list_of(people, to, of, &csv, &persons, error);
  /* nothing was ever sent, and nothing is to be */
  bool idle = status == CQ_OK && to->number == 0 && persons == 0;
  cq_hash content = cq_hash_of(csv.at, csv.size);
  bool same = to->number && memcmp(content.at, to->content, sizeof to->content) == 0 && file_is_there(desk, to);
  if (status == CQ_OK && !idle && !same) {
    status = make_sheet(desk, to, &csv, persons, &content, error);
    if (status == CQ_OK) ++*made;
    cq_device_id_hex(&to->id, hex);
    if (status == CQ_OK)
      cq_cli_say(cli, cq_cli_plural("%.8s  %s: a sheet of %zu person", "%.8s  %s: a sheet of %zu persons", persons),
                 hex, to->note, persons);
  }
  cq_buf_fini_secret(&csv);
  return status;
}

/* --- verbs --- */

typedef struct work {
  cq_desk desk;
  cq_contacts people;
  laptops laptops;
  codes codes;
} work;

/* CQ_EXIT_DONE, or the status to leave with. */
static int begin(cq_cli *cli, work *w, cq_status *status, cq_error *error) {
  const char *form = cq_cli_value(cli, "form");
  cq_error_clear(error);
  *w = (work){0};
  int left = cq_desk_begin(cli, &w->desk);
  if (left != CQ_EXIT_DONE) return left;
  w->codes.arena = cq_arena_new(0);
  *status = w->codes.arena ? cq_contacts_read(&w->people, &w->desk, form ? form : "a_linea_base_tdd", error)
                           : cq_error_nomem(error);
  if (*status == CQ_OK) *status = read_laptops(&w->desk, &w->laptops, error);
  return CQ_EXIT_DONE;
}

static int end(cq_cli *cli, work *w, cq_status status, const cq_error *error) {
  cq_contacts_fini(&w->people);
  cq_arena_free(w->codes.arena);
  free(w->laptops.items);
  return cq_desk_end(cli, &w->desk, status, error, CQ_EXIT_DONE);
}

static void show_laptop(cq_cli *cli, const work *w, const laptop *it, cq_buf *json) {
  size_t persons = 0, nameless = 0;
  char hex[33], when[25];
  cq_buf words = {0};
  for (size_t i = 0; i < w->people.count; i++) {
    const cq_contact *contact = &w->people.items[i];
    if (!is_assigned(contact, &w->codes)) continue;
    persons++;
    nameless += contact->person.name.size == 0;
  }
  cq_device_id_hex(&it->id, hex);
  cq_buf_addf(json, "%s{\"device\":\"%s\",\"note\":", json->size ? "," : "", hex);
  cq_cli_add_json(json, cq_str_from(it->note));
  cq_buf_add_text(json, ",\"assigned\":[");
  for (size_t i = 0; i < w->codes.count; i++) {
    cq_buf_addf(&words, "%s%.*s", i ? " " : "", (int)w->codes.items[i].size, w->codes.items[i].at);
    if (i) cq_buf_add_text(json, ",");
    cq_cli_add_json(json, w->codes.items[i]);
  }
  cq_buf_addf(json, "],\"persons\":%zu,\"nameless\":%zu,\"sheet\":%lld,\"sheet_persons\":%lld}", persons, nameless,
              (long long)it->number, (long long)it->persons);
  cq_cli_say(cli, "%.8s  %s  %s", hex, it->note, words.size ? words.at : _("nothing assigned"));
  cq_cli_say(cli, _("          persons %zu, of them without a name %zu"), persons, nameless);
  if (it->number)
    cq_cli_say(cli, _("          sheet %lld of %s, persons %lld"), (long long)it->number,
               cq_time_format_utc(it->made_utc_ms, when), (long long)it->persons);
  cq_buf_fini(&words);
}

int cq_central_contacts(cq_cli *cli) {
  work w;
  cq_error error;
  cq_status status;
  cq_buf json = {0};
  int left = begin(cli, &w, &status, &error);
  if (left != CQ_EXIT_DONE) return left;
  for (size_t i = 0; status == CQ_OK && i < w.laptops.count; i++) {
    if (!w.laptops.items[i].certified) continue;
    status = read_codes(&w.desk, &w.laptops.items[i], &w.codes, &error);
    if (status == CQ_OK) show_laptop(cli, &w, &w.laptops.items[i], &json);
  }
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"laptops\":[%s]}\n", json.at ? json.at : "");
  if (status == CQ_OK && json.size == 0) cq_cli_say(cli, "%s", _("No laptop is certified yet."));
  cq_buf_fini(&json);
  return end(cli, &w, status, &error);
}

int cq_central_contacts_assign(cq_cli *cli) {
  work w;
  cq_error error;
  cq_status status;
  laptop *to = NULL;
  int left = begin(cli, &w, &status, &error);
  if (left != CQ_EXIT_DONE) return left;
  if (status == CQ_OK) status = find_laptop(&w.laptops, cq_cli_arg(cli, 0), &to, &error);
  if (status == CQ_OK && (!to->certified || to->revoked))
    status = cq_error_set(&error, CQ_REFUSED, "desk.contacts.device", cq_cli_arg(cli, 0), NULL);
  for (int i = 1; status == CQ_OK && i < cq_cli_args(cli); i++)
    status = check_code(&w.people, cq_cli_arg(cli, i), &error);
  for (int i = 1; status == CQ_OK && i < cq_cli_args(cli); i++)
    status = change(&w.desk, "INSERT OR IGNORE INTO assigned VALUES (?1, ?2)", to, cq_cli_arg(cli, i), &error);
  if (status == CQ_OK) status = read_codes(&w.desk, to, &w.codes, &error);
  if (status == CQ_OK) {
    cq_buf json = {0};
    show_laptop(cli, &w, to, &json);
    cq_buf_fini(&json);
    cq_cli_say(cli, _("Next: %s"), "chasqui-central contacts send");
  }
  return end(cli, &w, status, &error);
}

int cq_central_contacts_withdraw(cq_cli *cli) {
  work w;
  cq_error error;
  cq_status status;
  laptop *from = NULL;
  int left = begin(cli, &w, &status, &error);
  if (left != CQ_EXIT_DONE) return left;
  if (status == CQ_OK) status = find_laptop(&w.laptops, cq_cli_arg(cli, 0), &from, &error);
  if (status == CQ_OK && cq_cli_args(cli) == 1)
    status = change(&w.desk, "DELETE FROM assigned WHERE device = ?1", from, NULL, &error);
  for (int i = 1; status == CQ_OK && i < cq_cli_args(cli); i++)
    status = change(&w.desk, "DELETE FROM assigned WHERE device = ?1 AND code = ?2", from, cq_cli_arg(cli, i), &error);
  if (status == CQ_OK)
    cq_cli_say(cli, _("Withdrawn. The laptop lets go of the names when the next sheet reaches it: %s"),
               "chasqui-central contacts send");
  return end(cli, &w, status, &error);
}

int cq_central_contacts_send(cq_cli *cli) {
  work w;
  cq_error error;
  cq_status status;
  size_t made = 0;
  int left = begin(cli, &w, &status, &error);
  if (left != CQ_EXIT_DONE) return left;
  for (size_t i = 0; status == CQ_OK && i < w.laptops.count; i++)
    if (w.laptops.items[i].certified)
      status = send_one(cli, &w.desk, &w.people, &w.laptops.items[i], &w.codes, &made, &error);
  if (status == CQ_OK && made == 0)
    cq_cli_say(cli, "%s", _("Every laptop has been told what it should know."));
  else if (status == CQ_OK)
    cq_cli_say(cli, _("Sealed sheets stand in the outbox: %zu. Next: %s"), made, "chasqui-sync push");
  return end(cli, &w, status, &error);
}

/* --- what the office knows --- */

int cq_central_contacts_import(cq_cli *cli) {
  static const char *const names[] = {"id", "community", "name", "place", "phone", "directions"};
  static const bool optional[] = {false, true, true, true, true, true};
  enum { COLUMNS = sizeof names / sizeof *names };
  cq_desk desk;
  cq_error error;
  cq_data data = {0};
  sqlite3_stmt *s = NULL;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_data_read(&data, cq_cli_arg(cli, 0), names, optional, COLUMNS, &error);
  bool read = status == CQ_OK;
  if (status == CQ_OK)
    status = cq_desk_prepare(
        &desk, &s, "INSERT OR REPLACE INTO contact VALUES ('" CQ_CONTACTS_DATASET "', ?1, ?2, ?3, ?4, ?5, ?6)", &error);
  if (status == CQ_OK) status = cq_desk_exec(&desk, "BEGIN IMMEDIATE", &error);
  for (size_t i = 0; status == CQ_OK && i < data.rows; i++) {
    if (cq_data_cell(&data, i, 0).size == 0) {
      status = cq_data_at(&data, i, cq_error_set(&error, CQ_INVALID, "central.coverage.blank", "id", NULL), &error);
      break;
    }
    for (size_t c = 0; c < COLUMNS; c++) {
      cq_str cell = cq_data_cell(&data, i, c);
      sqlite3_bind_text(s, (int)c + 1, cell.size ? cell.at : "", (int)cell.size, SQLITE_STATIC);
    }
    status = cq_desk_step(&desk, s, NULL, &error);
  }
  sqlite3_finalize(s);
  if (status == CQ_OK) status = cq_desk_exec(&desk, "COMMIT", &error);
  if (status == CQ_OK)
    cq_cli_say(
        cli,
        cq_cli_plural("The name and place of %zu person are in the desk's vault. The file itself should be destroyed.",
                      "Names and places of %zu persons are in the desk's vault. The file itself should be destroyed.",
                      data.rows),
        data.rows);
  if (read) cq_data_fini(&data);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
