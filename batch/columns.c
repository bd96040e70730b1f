/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/columns.h"
#include "batch/record_fields.h"
#include "chasqui/record.h"

#include <string.h>

/* How a column is written. */
enum { NOWHERE = 0, CONTEXT = 1, ONCE = 2, COUNTED = 3 };

typedef enum { AS_TEXT, AS_SIGNED, AS_NUMBER, AS_RAW, AS_FILE } style;
static const struct {
  uint8_t tag;
  style as;
  uint8_t size; /* of AS_RAW */
} fields[] = {{CQ_FIELD_PROGRAMME, AS_RAW, 16},
              {CQ_FIELD_MODE, AS_TEXT, 0},
              {CQ_FIELD_FORM_ID, AS_TEXT, 0},
              {CQ_FIELD_FORM_VERSION, AS_TEXT, 0},
              {CQ_FIELD_FORM_HASH, AS_RAW, 32},
              {CQ_FIELD_INSTANCE_ID, AS_TEXT, 0},
              {CQ_FIELD_PARENT, AS_RAW, 32},
              {CQ_FIELD_SUBJECT, AS_TEXT, 0},
              {CQ_FIELD_ZONE, AS_TEXT, 0},
              {CQ_FIELD_SEASON, AS_TEXT, 0},
              {CQ_FIELD_CALENDAR, AS_NUMBER, 0},
              {CQ_FIELD_MONTHS, AS_TEXT, 0},
              {CQ_FIELD_RESULT, AS_TEXT, 0},
              {CQ_FIELD_REASON, AS_TEXT, 0},
              {CQ_FIELD_TECHNICIAN, AS_TEXT, 0},
              {CQ_FIELD_DEVICE, AS_RAW, 16},
              {CQ_FIELD_BEGUN, AS_SIGNED, 0},
              {CQ_FIELD_DURATION, AS_SIGNED, 0},
              {CQ_FIELD_WORKING_DATE, AS_SIGNED, 0},
              {CQ_FIELD_ZONE_MINUTES, AS_SIGNED, 0},
              {CQ_FIELD_SEQUENCE, AS_NUMBER, 0},
              {CQ_FIELD_OFFSET, AS_SIGNED, 0},
              {CQ_FIELD_CONSENT, AS_TEXT, 0},
              {CQ_FIELD_CONSENT_HOW, AS_TEXT, 0},
              {CQ_FIELD_CONSENT_LANGUAGE, AS_TEXT, 0},
              {CQ_FIELD_CONSENT_TEXT, AS_RAW, 32},
              {CQ_FIELD_CONSENT_FOLIO, AS_TEXT, 0},
              {CQ_FIELD_ATTACHMENT, AS_FILE, 32}};
enum { FIELDS = sizeof fields / sizeof *fields };

/* Text columns hold values of the envelope, attachments' names and lists of months. */
enum { MAX_VALUE = 1024 };

static cq_str next_field(cq_layout *layout, uint8_t *tag) {
  *tag = cq_layout_u8(layout);
  return cq_layout_text(layout, SIZE_MAX);
}

bool cq_record_parts_of(cq_record_parts *parts, cq_str record, cq_hash *form) {
  *parts = (cq_record_parts){.bytes = record};
  memset(form, 0, sizeof *form);
  if (record.size < CQ_RECORD_HEAD) return false;
  cq_layout layout = cq_layout_of(record.at + CQ_RECORD_HEAD, record.size - CQ_RECORD_HEAD);
  while (!layout.failed && cq_layout_left(&layout) > 0) {
    uint8_t tag;
    cq_str value = next_field(&layout, &tag);
    if (tag == CQ_FIELD_INSTANCE) parts->instance = value;
    if (tag == CQ_FIELD_AUDIT) parts->audit = value;
    if (tag == CQ_FIELD_FORM_HASH && value.size == sizeof form->at) memcpy(form->at, value.at, sizeof form->at);
  }
  return !layout.failed;
}

static cq_str context_value(const cq_columns_context *context, uint8_t tag, char *mode) {
  *mode = (char)context->mode;
  switch (tag) {
  case CQ_FIELD_PROGRAMME: return (cq_str){(const char *)context->programme.at, sizeof context->programme.at};
  case CQ_FIELD_MODE: return (cq_str){mode, 1};
  case CQ_FIELD_FORM_HASH: return (cq_str){(const char *)context->form.at, sizeof context->form.at};
  case CQ_FIELD_DEVICE: return (cq_str){(const char *)context->device.at, sizeof context->device.at};
  default: return (cq_str){"", 0};
  }
}

/* --- writing --- */

/* Where each record stands while its fields are taken one tag after another. */
typedef struct cursor {
  cq_layout layout;
} cursor;

/* How often the tag stands at the cursor, without moving it. */
static size_t occurrences(const cursor *at, uint8_t tag) {
  cq_layout ahead = at->layout;
  size_t count = 0;
  while (cq_layout_left(&ahead) > 0 && *ahead.at == tag) {
    uint8_t found;
    next_field(&ahead, &found);
    count++;
  }
  return count;
}

static int64_t number_in(cq_str value, style as) {
  cq_layout layout = cq_layout_of(value.at, value.size);
  uint64_t number = cq_layout_varint(&layout);
  return as == AS_SIGNED ? cq_unzigzag(number) : (int64_t)number;
}

static void put_value(cq_str value, size_t f, int64_t *last, cq_buf *out, cq_buf *raw) {
  switch (fields[f].as) {
  case AS_SIGNED:
  case AS_NUMBER: {
    int64_t number = number_in(value, fields[f].as);
    cq_put_zigzag(out, (int64_t)((uint64_t)number - (uint64_t)*last));
    *last = number;
    break;
  }
  case AS_RAW: cq_buf_add_str(raw, value); break;
  case AS_FILE:
    cq_buf_add(raw, value.at, fields[f].size);
    cq_put_text(out, (cq_str){value.at + fields[f].size, value.size - fields[f].size});
    break;
  case AS_TEXT: cq_put_text(out, value); break;
  }
}

static uint8_t column_mode(const cursor *cursors, const size_t *counts, size_t count, size_t f,
                           const cq_columns_context *context) {
  size_t some = 0, once = 0, same = 0;
  char mode;
  cq_str usual = context_value(context, fields[f].tag, &mode);
  for (size_t i = 0; i < count; i++) {
    some += counts[i] > 0;
    once += counts[i] == 1;
    if (counts[i] != 1 || usual.size == 0) continue;
    cq_layout ahead = cursors[i].layout;
    uint8_t tag;
    same += cq_str_equal(next_field(&ahead, &tag), usual);
  }
  return some == 0 ? NOWHERE : same == count ? CONTEXT : once == count ? ONCE : COUNTED;
}

bool cq_columns_write(const cq_record_parts *records, size_t count, const cq_columns_context *context,
                      cq_arena *scratch, cq_buf *out, cq_buf *raw) {
  cursor *cursors = cq_arena_array(scratch, count, sizeof *cursors);
  size_t *counts = cq_arena_array(scratch, count, sizeof *counts);
  if (!cursors || !counts) return false;
  for (size_t i = 0; i < count; i++) {
    cq_str bytes = records[i].bytes;
    cursors[i].layout = cq_layout_of(bytes.at + CQ_RECORD_HEAD, bytes.size - CQ_RECORD_HEAD);
    cq_buf_add(raw, bytes.at + 5, 32);
  }
  for (size_t f = 0; f < FIELDS; f++) {
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) {
      uint8_t tag = 0;
      if (fields[f].as == AS_FILE) /* the instance and the trail travel otherwise */
        while (cq_layout_left(&cursors[i].layout) > 0 && *cursors[i].layout.at < CQ_FIELD_ATTACHMENT)
          next_field(&cursors[i].layout, &tag);
      counts[i] = occurrences(&cursors[i], fields[f].tag);
    }
    uint8_t mode = column_mode(cursors, counts, count, f, context);
    cq_buf_add_char(out, (char)mode);
    for (size_t i = 0; mode == COUNTED && i < count; i++) cq_put_varint(out, counts[i]);
    for (size_t i = 0; i < count; i++)
      for (size_t k = 0; k < counts[i]; k++) {
        uint8_t tag;
        cq_str value = next_field(&cursors[i].layout, &tag);
        if (mode != CONTEXT) put_value(value, f, &last, out, raw);
      }
  }
  return !out->failed && !raw->failed;
}

/* --- reading --- */

typedef struct value {
  cq_str text, hash; /* hash: of AS_FILE */
  uint64_t number;   /* AS_SIGNED and AS_NUMBER: as the field's varint */
} value;

struct cq_columns {
  struct {
    uint8_t mode;
    size_t *counts; /* of COUNTED */
    value *values;
    size_t next;
  } column[FIELDS];
  size_t record;
  cq_columns_context context;
};

static bool take_value(value *v, size_t f, int64_t *last, cq_layout *text, cq_layout *raw) {
  switch (fields[f].as) {
  case AS_SIGNED:
  case AS_NUMBER: {
    int64_t number = (int64_t)((uint64_t)*last + (uint64_t)cq_layout_zigzag(text));
    *last = number;
    v->number = fields[f].as == AS_SIGNED ? cq_zigzag(number) : (uint64_t)number;
    break;
  }
  case AS_RAW: v->text = (cq_str){(const char *)cq_layout_take(raw, fields[f].size), fields[f].size}; break;
  case AS_FILE:
    v->hash = (cq_str){(const char *)cq_layout_take(raw, fields[f].size), fields[f].size};
    v->text = cq_layout_text(text, MAX_VALUE);
    break;
  case AS_TEXT: v->text = cq_layout_text(text, MAX_VALUE); break;
  }
  return !text->failed && !raw->failed;
}

/* A draft must never pass for a record. */
static bool result_right(const value *v, size_t f, const cq_columns_context *context) {
  if (fields[f].tag != CQ_FIELD_RESULT) return true;
  return v->text.size == 1 && (v->text.at[0] == CQ_RESULT_DRAFT) == context->draft;
}

static bool read_column(cq_columns *columns, size_t f, cq_layout *text, cq_layout *raw, size_t count,
                        cq_arena *scratch) {
  uint8_t mode = columns->column[f].mode = cq_layout_u8(text);
  size_t total = mode == ONCE ? count : 0;
  char usual;
  if (text->failed || mode > COUNTED) return false;
  /* a batch carries records of its own programme and mode only */
  if (fields[f].tag <= CQ_FIELD_MODE && mode != CONTEXT) return false;
  if (mode == CONTEXT) return context_value(&columns->context, fields[f].tag, &usual).size > 0;
  if (mode == COUNTED) {
    size_t *counts = columns->column[f].counts = cq_arena_array(scratch, count, sizeof *counts);
    if (!counts) return false;
    for (size_t i = 0; i < count; i++) {
      uint64_t many = cq_layout_varint(text);
      if (many > 256) return false; /* the most that record.md allows of any field */
      counts[i] = (size_t)many;
      total += counts[i];
    }
  }
  if (total == 0) return true;
  if (total > cq_layout_left(text) + cq_layout_left(raw)) return false;
  value *values = columns->column[f].values = cq_arena_array(scratch, total, sizeof *values);
  int64_t last = 0;
  for (size_t i = 0; values && i < total; i++)
    if (!take_value(&values[i], f, &last, text, raw) || !result_right(&values[i], f, &columns->context)) return false;
  return values != NULL;
}

cq_columns *cq_columns_read(cq_layout *text, cq_layout *raw, size_t count, const cq_columns_context *context,
                            cq_arena *scratch) {
  cq_columns *columns = cq_arena_alloc(scratch, sizeof *columns);
  if (!columns) return NULL;
  columns->context = *context;
  for (size_t f = 0; f < FIELDS; f++)
    if (!read_column(columns, f, text, raw, count, scratch)) return NULL;
  return columns;
}

static void add_value(const value *v, size_t f, cq_buf *out) {
  cq_buf_add_char(out, (char)fields[f].tag);
  if (fields[f].as == AS_SIGNED || fields[f].as == AS_NUMBER) {
    cq_buf_add_char(out, (char)cq_varint_size(v->number));
    cq_put_varint(out, v->number);
    return;
  }
  cq_put_varint(out, v->hash.size + v->text.size);
  cq_buf_add_str(out, v->hash);
  cq_buf_add_str(out, v->text);
}

static void add_large(uint8_t tag, cq_str text, cq_buf *out) {
  if (text.size == 0) return;
  cq_buf_add_char(out, (char)tag);
  cq_put_text(out, text);
}

void cq_columns_next(cq_columns *columns, const uint8_t salt[32], cq_str instance, cq_str audit, cq_buf *out) {
  cq_buf_add(out, "CHQI\1", 5);
  cq_buf_add(out, salt, 32);
  for (size_t f = 0; f < FIELDS; f++) {
    if (fields[f].tag == CQ_FIELD_ATTACHMENT) {
      add_large(CQ_FIELD_INSTANCE, instance, out);
      add_large(CQ_FIELD_AUDIT, audit, out);
    }
    uint8_t mode = columns->column[f].mode;
    char usual;
    if (mode == CONTEXT) {
      value v = {.text = context_value(&columns->context, fields[f].tag, &usual)};
      add_value(&v, f, out);
    }
    size_t times = mode == ONCE ? 1 : mode == COUNTED ? columns->column[f].counts[columns->record] : 0;
    for (size_t i = 0; i < times; i++) add_value(&columns->column[f].values[columns->column[f].next++], f, out);
  }
  columns->record++;
}
