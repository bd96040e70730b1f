/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/open.h"

#include "central/merge/derive.h"
#include "chasqui/order.h"
#include "chasqui/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the desk believes --- */

typedef struct known_form {
  cq_hash hash;
  cq_str xml;
} known_form;

/* By id, ascending. */
typedef struct known_device {
  cq_device_id id;
  bool certified, revoked, held;
  int64_t last_trusted, released;
} known_device;

struct cq_beliefs {
  const cq_desk *desk;
  cq_arena *arena;
  known_form *forms;
  size_t form_count;
  known_device *devices;
  size_t device_count;
};

/* Steps of a statement until its end; `take` keeps a row. */
static cq_status each_row(cq_desk *desk, const char *sql,
                          cq_status (*take)(cq_beliefs *beliefs, sqlite3_stmt *row, cq_error *error),
                          cq_beliefs *beliefs, cq_error *error) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  cq_status status = cq_desk_prepare(desk, &s, sql, error);
  while (status == CQ_OK && (status = cq_desk_step(desk, s, &row, error)) == CQ_OK && row)
    status = take(beliefs, s, error);
  sqlite3_finalize(s);
  return status;
}

static cq_status take_form(cq_beliefs *beliefs, sqlite3_stmt *row, cq_error *error) {
  known_form *form = &beliefs->forms[beliefs->form_count];
  cq_status status = cq_desk_column(row, 0, form->hash.at, sizeof form->hash.at, error);
  if (status != CQ_OK) return status;
  form->xml = cq_arena_copy(beliefs->arena, cq_desk_text(row, 1));
  beliefs->form_count++;
  return form->xml.at ? CQ_OK : cq_error_nomem(error);
}

static cq_status take_device(cq_beliefs *beliefs, sqlite3_stmt *row, cq_error *error) {
  known_device *device = &beliefs->devices[beliefs->device_count++];
  *device = (known_device){.certified = sqlite3_column_int(row, 1),
                           .revoked = sqlite3_column_int(row, 2),
                           .last_trusted = sqlite3_column_int64(row, 3),
                           .held = sqlite3_column_int(row, 4),
                           .released = sqlite3_column_int64(row, 5)};
  return cq_desk_column(row, 0, device->id.at, sizeof device->id.at, error);
}

cq_status cq_beliefs_new(cq_beliefs **out, cq_desk *desk, cq_error *error) {
  cq_beliefs *beliefs = calloc(1, sizeof *beliefs);
  int64_t forms = 0, devices = 0;
  *out = NULL;
  if (!beliefs) return cq_error_nomem(error);
  beliefs->desk = desk;
  cq_status status = (beliefs->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_desk_number(desk, "SELECT count(*) FROM form", 0, &forms, error);
  if (status == CQ_OK) status = cq_desk_number(desk, "SELECT count(*) FROM device", 0, &devices, error);
  if (status == CQ_OK) {
    beliefs->forms = calloc((size_t)forms + 1, sizeof *beliefs->forms);
    beliefs->devices = calloc((size_t)devices + 1, sizeof *beliefs->devices);
    if (!beliefs->forms || !beliefs->devices) status = cq_error_nomem(error);
  }
  if (status == CQ_OK) status = each_row(desk, "SELECT hash, xml FROM form", take_form, beliefs, error);
  if (status == CQ_OK)
    status =
        each_row(desk,
                 "SELECT id, chain IS NOT NULL, revoked_utc_ms IS NOT NULL, last_trusted, held, released FROM device "
                 "ORDER BY id",
                 take_device, beliefs, error);
  if (status == CQ_OK)
    *out = beliefs;
  else
    cq_beliefs_free(beliefs);
  return status;
}

void cq_beliefs_free(cq_beliefs *beliefs) {
  if (!beliefs) return;
  cq_arena_free(beliefs->arena);
  free(beliefs->forms);
  free(beliefs->devices);
  free(beliefs);
}

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  const cq_beliefs *beliefs = context;
  for (size_t i = 0; i < beliefs->form_count; i++) {
    if (!cq_hash_equal(&beliefs->forms[i].hash, hash)) continue;
    *xml = beliefs->forms[i].xml;
    return CQ_OK;
  }
  return CQ_NOTFOUND;
}

static int by_id(const void *id, const void *device) {
  return memcmp(id, ((const known_device *)device)->id.at, sizeof(cq_device_id));
}

/* Why a batch is kept apart; NULL where it may be merged. The signature is right already. */
static const char *held_why(const cq_beliefs *beliefs, const cq_batch_header *header, cq_standing standing) {
  static const known_device never_seen;
  const known_device *device =
      bsearch(header->device.at, beliefs->devices, beliefs->device_count, sizeof *device, by_id);
  int64_t number = (int64_t)header->number;
  if (!device) device = &never_seen;
  if (number <= device->released) return NULL;
  if (device->revoked && number > device->last_trusted) return "desk.held.revoked";
  if (standing == CQ_STANDING_UNKNOWN && !device->certified) return "desk.held.unknown";
  if (device->held) return "desk.held.hold";
  /* A day is the most that two right clocks in two zones can differ. */
  return cq_date_to_day(header->working_date) > cq_desk_now() / 86400000 + 1 ? "desk.held.ahead" : NULL;
}

/* --- opening --- */

struct cq_opener {
  const cq_beliefs *beliefs;
  cq_batch_forms forms;
  cq_batch_codec *codec;
  cq_record_press *press;
};

cq_opener *cq_opener_new(const cq_beliefs *beliefs) {
  cq_opener *opener = calloc(1, sizeof *opener);
  if (!opener) return NULL;
  opener->beliefs = beliefs;
  opener->forms = (cq_batch_forms){find_form, (void *)beliefs};
  opener->codec = cq_batch_codec_new(&opener->forms);
  opener->press = cq_record_press_new();
  if (opener->codec && opener->press) return opener;
  cq_opener_free(opener);
  return NULL;
}

void cq_opener_free(cq_opener *opener) {
  if (!opener) return;
  cq_batch_codec_free(opener->codec);
  cq_record_press_free(opener->press);
  free(opener);
}

void cq_opened_fini(cq_opened *opened) {
  cq_batch_content_free(opened->content);
  cq_arena_free(opened->arena);
  cq_buf_fini_secret(&opened->pressed);
  *opened = (cq_opened){0};
}

bool cq_opener_theirs(cq_status status, const cq_error *error) {
  if (status == CQ_NOMEM || status == CQ_IO || status == CQ_BUSY || status == CQ_CANCELLED) return false;
  return !error->code || (strncmp(error->code, "vault.", 6) != 0 && strcmp(error->code, "desk.damaged") != 0);
}

static void say_why(cq_taken *taken, cq_receipt_state state, const char *why) {
  taken->state = state;
  snprintf(taken->why, sizeof taken->why, "%s", why ? why : "");
}

static cq_status read_record(cq_opened *o, cq_opener *opener, cq_opened_entry *e, cq_error *error) {
  const cq_desk *desk = opener->beliefs->desk;
  cq_record *record = cq_arena_alloc(o->arena, sizeof *record);
  size_t start = o->pressed.size;
  if (!record) return cq_error_nomem(error);
  cq_status status = cq_record_parse(record, e->entry.bytes, o->arena, error);
  if (status == CQ_OK) status = cq_derive_ours(desk, record, error);
  if (status == CQ_OK) status = cq_record_press_in(opener->press, &o->pressed, e->entry.bytes, error);
  e->record = record;
  e->kept.size = o->pressed.size - start; /* where it stands is known when all are there */
  return status;
}

static cq_status read_entry(cq_opened *o, cq_opener *opener, cq_opened_entry *e, cq_error *error) {
  cq_order order;
  cq_hash name;
  switch (e->entry.kind) {
  case CQ_ENTRY_RECORD: o->taken.records++; return read_record(o, opener, e, error);
  case CQ_ENTRY_DECISION:
    o->taken.decisions++;
    return cq_order_read(&order, &name, e->entry.bytes, o->arena, &opener->beliefs->desk->trust, error);
  case CQ_ENTRY_DRAFT:
    o->taken.drafts++;
    o->kept += e->entry.bytes.size;
    return CQ_OK;
  case CQ_ENTRY_PART:
  case CQ_ENTRY_REQUEST: o->kept += e->entry.bytes.size; return CQ_OK;
  case CQ_ENTRY_LIST:
  case CQ_ENTRY_BUNDLE:
  case CQ_ENTRY_RECEIPT:
  default: o->taken.others++; return CQ_OK; /* things a desk has nothing to do with */
  }
}

static cq_status read_entries(cq_opened *o, cq_opener *opener, cq_str bytes, cq_error *error) {
  cq_status status =
      cq_batch_open(&o->content, opener->codec, bytes.at, bytes.size, opener->beliefs->desk->seal_secret, error);
  if (status != CQ_OK) return status;
  size_t most = cq_batch_content_sizes(o->content)->entries;
  o->arena = cq_arena_new(0);
  if (!o->arena || !(o->entries = cq_arena_array(o->arena, most + 1, sizeof *o->entries))) return cq_error_nomem(error);
  while (status == CQ_OK && o->count < most && cq_batch_next(o->content, &o->entries[o->count].entry))
    status = read_entry(o, opener, &o->entries[o->count++], error);
  o->kept += o->pressed.size;
  for (size_t i = 0, at = 0; i < o->count; at += o->entries[i++].kept.size) o->entries[i].kept.at = o->pressed.at + at;
  return status;
}

cq_status cq_opener_open(cq_opened *o, cq_opener *opener, cq_str bytes, cq_error *error) {
  cq_standing standing;
  cq_error wrong;
  const char *why = NULL;
  cq_error_clear(&wrong);
  *o = (cq_opened){0};
  cq_status status = cq_batch_verify(&o->header, &o->hash, &standing, &why, bytes.at, bytes.size,
                                     &opener->beliefs->desk->trust, &wrong);
  if (status == CQ_OK) { /* what else it says of itself is not to be believed */
    o->taken.device = o->header.device;
    o->taken.number = o->header.number;
    if (standing == CQ_STANDING_CERTIFIED && cq_sheet_is(&o->header)) {
      o->taken.sheet = true;
      o->taken.state = CQ_RECEIPT_OPENED;
      return CQ_OK;
    }
    o->right = true;
    if ((why = held_why(opener->beliefs, &o->header, standing))) {
      say_why(&o->taken, CQ_RECEIPT_HELD, why);
      return CQ_OK;
    }
    status = read_entries(o, opener, bytes, &wrong);
  }
  if (status == CQ_OK) {
    o->taken.state = CQ_RECEIPT_OPENED;
    return CQ_OK;
  }
  if (!cq_opener_theirs(status, &wrong)) {
    if (error) *error = wrong;
    return status;
  }
  /* nothing of a batch that is wrong anywhere is kept */
  cq_taken taken = {.device = o->taken.device, .number = o->taken.number};
  o->taken = taken;
  say_why(&o->taken, CQ_RECEIPT_REFUSED, wrong.code);
  return CQ_OK;
}
