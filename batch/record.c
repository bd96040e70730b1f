/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/record.h"
#include "batch/layout.h"
#include "batch/record_fields.h"

#include <string.h>

enum { VERSION = 1, MAX_ATTACHMENT = 1 << 30, MAX_ZONE_MINUTES = 1080 };
static const char magic[4] = {'C', 'H', 'Q', 'I'};

const char *cq_result_name(cq_result result) {
  static const char *const names[] = {NULL, "complete", "partial", "refused", "withdrawn", "draft"};
  return result >= CQ_RESULT_COMPLETE && result <= CQ_RESULT_DRAFT ? names[result] : NULL;
}

cq_hash cq_record_name(cq_str bytes) {
  return cq_hash_of(bytes.at, bytes.size);
}

/* --- building --- */

typedef struct builder {
  cq_buf *out;
  const char *fault, *field; /* the first */
} builder;

static void refuse(builder *b, const char *fault, const char *field) {
  if (b->fault) return;
  b->fault = fault;
  b->field = field;
}

static void add(builder *b, uint8_t tag, const void *bytes, size_t size) {
  cq_buf_add_char(b->out, (char)tag);
  cq_put_varint(b->out, size);
  cq_buf_add(b->out, bytes, size);
}

static void add_text(builder *b, uint8_t tag, cq_str text, const char *field, bool must) {
  if (text.size > CQ_RECORD_MAX_TEXT)
    refuse(b, "record.field.long", field);
  else if (!cq_text_plain(text, CQ_RECORD_MAX_TEXT))
    refuse(b, "record.field.text", field);
  else if (text.size > 0)
    add(b, tag, text.at, text.size);
  else if (must)
    refuse(b, "record.field.value", field);
}

static void add_number(builder *b, uint8_t tag, uint64_t value) {
  cq_buf_add_char(b->out, (char)tag);
  cq_buf_add_char(b->out, (char)cq_varint_size(value));
  cq_put_varint(b->out, value);
}

static void add_parents_and_subjects(builder *b, const cq_envelope *e) {
  if (e->parent_count > CQ_RECORD_MAX_PARENTS) refuse(b, "record.field.many", "parents");
  if (e->subject_count > CQ_RECORD_MAX_SUBJECTS) refuse(b, "record.field.many", "subjects");
  if (b->fault) return;
  for (size_t i = 0; i < e->parent_count; i++) add(b, CQ_FIELD_PARENT, e->parents[i].at, sizeof e->parents[i].at);
  for (size_t i = 0; i < e->subject_count; i++) {
    cq_str set = e->subjects[i].dataset, id = e->subjects[i].id;
    if (!cq_text_plain(set, CQ_RECORD_MAX_TEXT) || !cq_text_plain(id, CQ_RECORD_MAX_TEXT) || id.size == 0) {
      refuse(b, "record.field.text", "subjects");
      return;
    }
    cq_buf_add_char(b->out, CQ_FIELD_SUBJECT);
    cq_put_varint(b->out, cq_varint_size(set.size) + set.size + id.size);
    cq_put_text(b->out, set);
    cq_buf_add_str(b->out, id);
  }
}

static void add_season(builder *b, const cq_envelope *e) {
  add_text(b, CQ_FIELD_ZONE, e->zone, "zone", false);
  add_text(b, CQ_FIELD_SEASON, e->season, "season", false);
  if (e->calendar_version > 0) add_number(b, CQ_FIELD_CALENDAR, e->calendar_version);
  if (e->month_count > CQ_RECORD_MAX_MONTHS) refuse(b, "record.field.many", "months");
  if (e->month_count == 0 || b->fault) return;
  size_t size = 0;
  int32_t last = 0;
  for (size_t i = 0; i < e->month_count; last = e->months[i++]) {
    if (e->months[i] < 12 || e->months[i] > 9999 * 12 + 11 || (i > 0 && e->months[i] <= last)) {
      refuse(b, "record.field.value", "months");
      return;
    }
    size += cq_varint_size((uint64_t)(e->months[i] - last));
  }
  cq_buf_add_char(b->out, CQ_FIELD_MONTHS);
  cq_put_varint(b->out, size);
  last = 0;
  for (size_t i = 0; i < e->month_count; last = e->months[i++]) cq_put_varint(b->out, (uint64_t)(e->months[i] - last));
}

static void add_clocks(builder *b, const cq_envelope *e) {
  if (!cq_date_valid(e->working_date)) refuse(b, "record.field.value", "working_date");
  if (e->zone_minutes < -MAX_ZONE_MINUTES || e->zone_minutes > MAX_ZONE_MINUTES)
    refuse(b, "record.field.value", "zone_minutes");
  if (e->sequence == 0) refuse(b, "record.field.value", "sequence");
  if (b->fault) return;
  add_number(b, CQ_FIELD_BEGUN, cq_zigzag(e->begun_utc_ms));
  /* modulo 2⁶⁴: a clock may stand anywhere, and the reader adds again */
  add_number(b, CQ_FIELD_DURATION, cq_zigzag((int64_t)((uint64_t)e->finished_utc_ms - (uint64_t)e->begun_utc_ms)));
  add_number(b, CQ_FIELD_WORKING_DATE, cq_zigzag(cq_date_to_day(e->working_date)));
  if (e->zone_minutes != 0) add_number(b, CQ_FIELD_ZONE_MINUTES, cq_zigzag(e->zone_minutes));
  add_number(b, CQ_FIELD_SEQUENCE, e->sequence);
  if (e->offset_known) add_number(b, CQ_FIELD_OFFSET, cq_zigzag(e->offset_ms));
}

static void add_consent(builder *b, const cq_consent *c) {
  if ((unsigned)c->state > CQ_CONSENT_WITHDRAWN)
    refuse(b, "record.field.value", "consent");
  else if (c->state != CQ_CONSENT_NONE)
    add(b, CQ_FIELD_CONSENT, (uint8_t[]){(uint8_t)c->state}, 1);
  add_text(b, CQ_FIELD_CONSENT_HOW, c->how, "consent", false);
  add_text(b, CQ_FIELD_CONSENT_LANGUAGE, c->language, "consent", false);
  if (!cq_hash_is_zero(&c->text_hash)) add(b, CQ_FIELD_CONSENT_TEXT, c->text_hash.at, sizeof c->text_hash.at);
  add_text(b, CQ_FIELD_CONSENT_FOLIO, c->folio, "consent", false);
}

static void add_envelope(builder *b, const cq_envelope *e) {
  if (!cq_mode_name(e->mode)) refuse(b, "record.field.value", "mode");
  if (!cq_result_name(e->result)) refuse(b, "record.field.value", "result");
  add(b, CQ_FIELD_PROGRAMME, e->programme.at, sizeof e->programme.at);
  add(b, CQ_FIELD_MODE, (uint8_t[]){(uint8_t)e->mode}, 1);
  add_text(b, CQ_FIELD_FORM_ID, e->form_id, "form_id", true);
  add_text(b, CQ_FIELD_FORM_VERSION, e->form_version, "form_version", false);
  add(b, CQ_FIELD_FORM_HASH, e->form_hash.at, sizeof e->form_hash.at);
  add_text(b, CQ_FIELD_INSTANCE_ID, e->instance_id, "instance_id", true);
  add_parents_and_subjects(b, e);
  add_season(b, e);
  add(b, CQ_FIELD_RESULT, (uint8_t[]){(uint8_t)e->result}, 1);
  add_text(b, CQ_FIELD_REASON, e->reason, "reason", false);
  add_text(b, CQ_FIELD_TECHNICIAN, e->technician, "technician", false);
  add(b, CQ_FIELD_DEVICE, e->device.at, sizeof e->device.at);
  add_clocks(b, e);
  add_consent(b, &e->consent);
}

static void add_body(builder *b, const cq_record *r) {
  if (r->instance_xml.size > CQ_RECORD_MAX_INSTANCE)
    refuse(b, "record.large", "instance_xml");
  else if (r->instance_xml.size == 0)
    refuse(b, "record.field.value", "instance_xml");
  else if (!cq_utf8_valid(r->instance_xml))
    refuse(b, "record.field.text", "instance_xml");
  if (r->audit.size > CQ_RECORD_MAX_AUDIT)
    refuse(b, "record.large", "audit");
  else if (!cq_utf8_valid(r->audit))
    refuse(b, "record.field.text", "audit");
  if (r->attachment_count > CQ_RECORD_MAX_ATTACHMENTS) refuse(b, "record.field.many", "attachments");
  if (b->fault) return;
  add(b, CQ_FIELD_INSTANCE, r->instance_xml.at, r->instance_xml.size);
  if (r->audit.size > 0) add(b, CQ_FIELD_AUDIT, r->audit.at, r->audit.size);
  for (size_t i = 0; i < r->attachment_count; i++) {
    const cq_attachment *a = &r->attachments[i];
    if (!cq_file_name_plain(a->name, CQ_RECORD_MAX_TEXT) || a->size > MAX_ATTACHMENT ||
        (i > 0 && cq_str_compare(r->attachments[i - 1].name, a->name) >= 0)) {
      refuse(b, "record.field.value", "attachments");
      return;
    }
    cq_buf_add_char(b->out, CQ_FIELD_ATTACHMENT);
    cq_put_varint(b->out, sizeof a->hash.at + cq_varint_size(a->size) + a->name.size);
    cq_buf_add(b->out, a->hash.at, sizeof a->hash.at);
    cq_put_varint(b->out, a->size);
    cq_buf_add_str(b->out, a->name);
  }
}

/* --- reading --- */

typedef struct reader {
  cq_layout layout;
  uint8_t tag; /* of the field that stands next; 0 at the end */
  bool wrong;
} reader;

/* Canonical lengths are the shortest, so that cq_layout_varint has seen to it. */
static void look(reader *r) {
  r->tag = cq_layout_left(&r->layout) ? *r->layout.at : 0;
}

static cq_layout field(reader *r) {
  cq_layout_u8(&r->layout);
  uint64_t size = cq_layout_varint(&r->layout);
  const uint8_t *at = size <= cq_layout_left(&r->layout) ? cq_layout_take(&r->layout, (size_t)size) : NULL;
  if (!at) r->layout.failed = true;
  look(r);
  return cq_layout_of(at, at ? (size_t)size : 0);
}

static void must_fixed(reader *r, uint8_t tag, void *out, size_t size) {
  memset(out, 0, size);
  if (r->tag != tag) {
    r->wrong = true;
    return;
  }
  cq_layout value = field(r);
  cq_layout_copy(&value, out, size);
  if (value.failed || cq_layout_left(&value) > 0) r->wrong = true;
}

static cq_str text(reader *r, uint8_t tag, bool must) {
  if (r->tag != tag) {
    if (must) r->wrong = true;
    return (cq_str){"", 0};
  }
  cq_layout value = field(r);
  cq_str found = cq_layout_rest(&value);
  if (found.size == 0 || !cq_text_plain(found, CQ_RECORD_MAX_TEXT)) r->wrong = true;
  return found;
}

static uint64_t number(reader *r, uint8_t tag, bool must) {
  if (r->tag != tag) {
    if (must) r->wrong = true;
    return 0;
  }
  cq_layout value = field(r);
  uint64_t found = cq_layout_varint(&value);
  /* zero is left out where the field need not be there */
  if (value.failed || cq_layout_left(&value) > 0 || (!must && found == 0)) r->wrong = true;
  return found;
}

/* How many fields of this tag stand here in a row. */
static size_t run(const reader *r, uint8_t tag) {
  reader ahead = *r;
  size_t count = 0;
  while (ahead.tag == tag && !ahead.layout.failed) {
    field(&ahead);
    count++;
  }
  return count;
}

static cq_status read_parents_and_subjects(reader *r, cq_envelope *e, cq_arena *arena, cq_error *error) {
  e->parent_count = run(r, CQ_FIELD_PARENT);
  if (e->parent_count > CQ_RECORD_MAX_PARENTS) r->wrong = true;
  cq_hash *parents = NULL;
  if (!r->wrong && e->parent_count > 0) {
    parents = cq_arena_array(arena, e->parent_count, sizeof *parents);
    if (!parents) return cq_error_nomem(error);
    for (size_t i = 0; i < e->parent_count; i++) must_fixed(r, CQ_FIELD_PARENT, parents[i].at, sizeof parents[i].at);
  }
  e->parents = parents;
  e->subject_count = run(r, CQ_FIELD_SUBJECT);
  if (e->subject_count > CQ_RECORD_MAX_SUBJECTS) r->wrong = true;
  cq_subject *subjects = NULL;
  if (!r->wrong && e->subject_count > 0) {
    subjects = cq_arena_array(arena, e->subject_count, sizeof *subjects);
    if (!subjects) return cq_error_nomem(error);
    for (size_t i = 0; i < e->subject_count; i++) {
      cq_layout value = field(r);
      subjects[i].dataset = cq_layout_text(&value, CQ_RECORD_MAX_TEXT);
      subjects[i].id = cq_layout_rest(&value);
      if (value.failed || subjects[i].id.size == 0 || !cq_text_plain(subjects[i].dataset, CQ_RECORD_MAX_TEXT) ||
          !cq_text_plain(subjects[i].id, CQ_RECORD_MAX_TEXT))
        r->wrong = true;
    }
  }
  e->subjects = subjects;
  return CQ_OK;
}

static cq_status read_months(reader *r, cq_envelope *e, cq_arena *arena, cq_error *error) {
  e->months = NULL;
  e->month_count = 0;
  if (r->tag != CQ_FIELD_MONTHS) return CQ_OK;
  cq_layout value = field(r);
  int32_t *months = cq_arena_array(arena, CQ_RECORD_MAX_MONTHS, sizeof *months);
  if (!months) return cq_error_nomem(error);
  uint64_t month = 0;
  do {
    uint64_t step = cq_layout_varint(&value);
    month += step;
    if (value.failed || step == 0 || step > 120000 || month < 12 || month > 9999 * 12 + 11 ||
        e->month_count == CQ_RECORD_MAX_MONTHS) {
      r->wrong = true;
      break;
    }
    months[e->month_count++] = (int32_t)month;
  } while (cq_layout_left(&value) > 0);
  e->months = months;
  return CQ_OK;
}

static void read_clocks(reader *r, cq_envelope *e) {
  e->begun_utc_ms = cq_unzigzag(number(r, CQ_FIELD_BEGUN, true));
  int64_t duration = cq_unzigzag(number(r, CQ_FIELD_DURATION, true));
  e->finished_utc_ms = (int64_t)((uint64_t)e->begun_utc_ms + (uint64_t)duration);
  int64_t day = cq_unzigzag(number(r, CQ_FIELD_WORKING_DATE, true));
  e->working_date = (cq_date){0};
  if (day >= CQ_DAY_LEAST && day <= CQ_DAY_MOST)
    e->working_date = cq_date_from_day((int32_t)day);
  else
    r->wrong = true;
  int64_t minutes = cq_unzigzag(number(r, CQ_FIELD_ZONE_MINUTES, false));
  if (minutes < -MAX_ZONE_MINUTES || minutes > MAX_ZONE_MINUTES)
    r->wrong = true;
  else
    e->zone_minutes = (int32_t)minutes;
  e->sequence = number(r, CQ_FIELD_SEQUENCE, true);
  if (e->sequence == 0) r->wrong = true;
  e->offset_known = r->tag == CQ_FIELD_OFFSET;
  e->offset_ms = e->offset_known ? cq_unzigzag(number(r, CQ_FIELD_OFFSET, true)) : 0;
}

static void read_consent(reader *r, cq_consent *c) {
  uint8_t state = CQ_CONSENT_NONE;
  if (r->tag == CQ_FIELD_CONSENT) {
    must_fixed(r, CQ_FIELD_CONSENT, &state, 1);
    if (state < CQ_CONSENT_GIVEN || state > CQ_CONSENT_WITHDRAWN) r->wrong = true;
  }
  c->state = (cq_consent_state)state;
  c->how = text(r, CQ_FIELD_CONSENT_HOW, false);
  c->language = text(r, CQ_FIELD_CONSENT_LANGUAGE, false);
  if (r->tag == CQ_FIELD_CONSENT_TEXT) {
    must_fixed(r, CQ_FIELD_CONSENT_TEXT, c->text_hash.at, sizeof c->text_hash.at);
    if (cq_hash_is_zero(&c->text_hash)) r->wrong = true;
  } else {
    memset(&c->text_hash, 0, sizeof c->text_hash);
  }
  c->folio = text(r, CQ_FIELD_CONSENT_FOLIO, false);
}

static cq_status read_envelope(reader *r, cq_envelope *e, cq_arena *arena, cq_error *error) {
  uint8_t mode = 0, result = 0;
  must_fixed(r, CQ_FIELD_PROGRAMME, e->programme.at, sizeof e->programme.at);
  must_fixed(r, CQ_FIELD_MODE, &mode, 1);
  e->mode = (cq_mode)mode;
  e->form_id = text(r, CQ_FIELD_FORM_ID, true);
  e->form_version = text(r, CQ_FIELD_FORM_VERSION, false);
  must_fixed(r, CQ_FIELD_FORM_HASH, e->form_hash.at, sizeof e->form_hash.at);
  e->instance_id = text(r, CQ_FIELD_INSTANCE_ID, true);
  cq_status status = read_parents_and_subjects(r, e, arena, error);
  if (status != CQ_OK) return status;
  e->zone = text(r, CQ_FIELD_ZONE, false);
  e->season = text(r, CQ_FIELD_SEASON, false);
  uint64_t calendar = number(r, CQ_FIELD_CALENDAR, false);
  if (calendar > UINT32_MAX) r->wrong = true;
  e->calendar_version = (uint32_t)calendar;
  status = read_months(r, e, arena, error);
  if (status != CQ_OK) return status;
  must_fixed(r, CQ_FIELD_RESULT, &result, 1);
  e->result = (cq_result)result;
  if (!cq_mode_name(e->mode) || !cq_result_name(e->result)) r->wrong = true;
  e->reason = text(r, CQ_FIELD_REASON, false);
  e->technician = text(r, CQ_FIELD_TECHNICIAN, false);
  must_fixed(r, CQ_FIELD_DEVICE, e->device.at, sizeof e->device.at);
  read_clocks(r, e);
  read_consent(r, &e->consent);
  return CQ_OK;
}

static cq_str large_text(reader *r, uint8_t tag, size_t limit) {
  if (r->tag != tag) return (cq_str){"", 0};
  cq_layout value = field(r);
  cq_str found = cq_layout_rest(&value);
  if (found.size == 0 || found.size > limit || !cq_utf8_valid(found)) r->wrong = true;
  return found;
}

static cq_status read_attachments(reader *r, cq_record *record, cq_arena *arena, cq_error *error) {
  record->attachment_count = run(r, CQ_FIELD_ATTACHMENT);
  record->attachments = NULL;
  if (record->attachment_count > CQ_RECORD_MAX_ATTACHMENTS) r->wrong = true;
  if (r->wrong || record->attachment_count == 0) return CQ_OK;
  cq_attachment *attachments = cq_arena_array(arena, record->attachment_count, sizeof *attachments);
  if (!attachments) return cq_error_nomem(error);
  for (size_t i = 0; i < record->attachment_count; i++) {
    cq_layout value = field(r);
    cq_layout_copy(&value, attachments[i].hash.at, sizeof attachments[i].hash.at);
    attachments[i].size = cq_layout_varint(&value);
    attachments[i].name = cq_layout_rest(&value);
    if (value.failed || attachments[i].size > MAX_ATTACHMENT ||
        !cq_file_name_plain(attachments[i].name, CQ_RECORD_MAX_TEXT) ||
        (i > 0 && cq_str_compare(attachments[i - 1].name, attachments[i].name) >= 0))
      r->wrong = true;
  }
  record->attachments = attachments;
  return CQ_OK;
}

static cq_status damaged(const reader *r, cq_error *error) {
  cq_error_set(error, CQ_DAMAGED, "record.damaged", NULL);
  cq_error_at_offset(error, (int64_t)cq_layout_offset(&r->layout));
  return CQ_DAMAGED;
}

cq_status cq_record_parse(cq_record *record, cq_str bytes, cq_arena *arena, cq_error *error) {
  *record = (cq_record){0};
  if (bytes.size > CQ_RECORD_MAX_SIZE) return cq_error_set(error, CQ_LIMIT, "record.large", "record", NULL);
  reader r = {.layout = cq_layout_of(bytes.at, bytes.size)};
  const uint8_t *start = cq_layout_take(&r.layout, sizeof magic);
  uint8_t version = cq_layout_u8(&r.layout);
  if (r.layout.failed || memcmp(start, magic, sizeof magic) != 0 || version == 0) return damaged(&r, error);
  if (version > VERSION) return cq_error_set(error, CQ_FUTURE, "record.future", NULL);
  cq_layout_copy(&r.layout, record->salt, sizeof record->salt);
  look(&r);
  cq_status status = read_envelope(&r, &record->envelope, arena, error);
  if (status != CQ_OK) return status;
  record->instance_xml = large_text(&r, CQ_FIELD_INSTANCE, CQ_RECORD_MAX_INSTANCE);
  if (record->instance_xml.size == 0) r.wrong = true;
  record->audit = large_text(&r, CQ_FIELD_AUDIT, CQ_RECORD_MAX_AUDIT);
  status = read_attachments(&r, record, arena, error);
  if (status != CQ_OK) return status;
  if (r.wrong || r.layout.failed || cq_layout_left(&r.layout) > 0) return damaged(&r, error);
  return CQ_OK;
}

cq_status cq_record_build(cq_buf *out, cq_hash *name, const cq_record *record, const cq_random *random,
                          cq_error *error) {
  size_t start = out->size;
  uint8_t salt[sizeof record->salt];
  random->fill(random->context, salt, sizeof salt);
  builder b = {.out = out};
  cq_buf_reserve(out, record->instance_xml.size + record->audit.size + 512);
  cq_buf_add(out, magic, sizeof magic);
  cq_buf_add_char(out, VERSION);
  cq_buf_add(out, salt, sizeof salt);
  add_envelope(&b, &record->envelope);
  add_body(&b, record);
  if (out->failed) return cq_error_nomem(error);
  size_t size = out->size - start;
  if (!b.fault && size > CQ_RECORD_MAX_SIZE) refuse(&b, "record.large", "record");
  if (b.fault) {
    out->size = start;
    out->at[start] = '\0';
    bool large = strcmp(b.fault, "record.large") == 0;
    return cq_error_set(error, large ? CQ_LIMIT : CQ_INVALID, b.fault, b.field, NULL);
  }
  *name = cq_hash_of(out->at + start, size);
  return CQ_OK;
}
