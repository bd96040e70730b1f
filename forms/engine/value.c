/* SPDX-License-Identifier: Apache-2.0 */
/* What each type can hold, and how it is stored. Source: ODK XForms specification, "Data Types"; XML Schema part 2. */
#include "forms/engine/interview.h"

#include <string.h>

static bool digits(cq_str text, size_t *at, size_t least, size_t most, int *value) {
  size_t start = *at;
  *value = 0;
  while (*at < text.size && *at - start < most && text.at[*at] >= '0' && text.at[*at] <= '9')
    *value = *value * 10 + (text.at[(*at)++] - '0');
  return *at - start >= least;
}

static bool sign(cq_str text, size_t *at, char c) {
  if (*at >= text.size || text.at[*at] != c) return false;
  (*at)++;
  return true;
}

/* HH:MM:SS[.fff][Z|±HH[:]MM] from `at` to the end. */
static bool is_time(cq_str text, size_t at) {
  int hour, minute, second, zone_hour, zone_minute = 0;
  if (!digits(text, &at, 2, 2, &hour) || !sign(text, &at, ':') || !digits(text, &at, 2, 2, &minute) ||
      !sign(text, &at, ':') || !digits(text, &at, 2, 2, &second) || hour > 23 || minute > 59 || second > 59)
    return false;
  if (sign(text, &at, '.')) {
    int fraction;
    if (!digits(text, &at, 1, 9, &fraction)) return false;
  }
  if (at == text.size) return true;
  if (sign(text, &at, 'Z')) return at == text.size;
  if (!sign(text, &at, '+') && !sign(text, &at, '-')) return false;
  if (!digits(text, &at, 2, 2, &zone_hour)) return false;
  if (at < text.size && (sign(text, &at, ':') || true) && !digits(text, &at, 2, 2, &zone_minute)) return false;
  return at == text.size && zone_hour <= 14 && zone_minute <= 59;
}

static bool is_day(cq_str text) {
  cq_date date;
  return text.size == 10 && cq_date_parse(text, &date);
}

static bool is_datetime(cq_str text) {
  return text.size > 11 && is_day((cq_str){text.at, 10}) && text.at[10] == 'T' && is_time(text, 11);
}

/* A dateTime without a zone is its day; one with a zone may be another day elsewhere, and is refused. */
static bool normalize_date(cq_str text, cq_str *out) {
  *out = text;
  if (is_day(text)) return true;
  if (!is_datetime(text)) return false;
  for (size_t i = 11; i < text.size; i++)
    if (text.at[i] == 'Z' || text.at[i] == '+' || text.at[i] == '-') return false;
  out->size = 10;
  return true;
}

/* Decimal digits with a sign and a point; no exponent, no NaN. */
static bool is_decimal(cq_str text, size_t *point) {
  size_t i = text.size > 0 && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0, count = 0;
  *point = text.size;
  for (; i < text.size; i++) {
    if (text.at[i] == '.' && *point == text.size)
      *point = i;
    else if (text.at[i] >= '0' && text.at[i] <= '9')
      count++;
    else
      return false;
  }
  return count > 0;
}

static bool normalize_int(cq_str text, bool whole, cq_arena *arena, cq_str *out) {
  size_t point;
  if (!is_decimal(text, &point) || (point < text.size && !whole)) return false;
  cq_str integer = {text.at, point};
  int64_t value = 0;
  bool bare = point == 0 || (point == 1 && (text.at[0] == '-' || text.at[0] == '+'));
  if (!bare && !cq_str_int64(integer, &value)) return false;
  if (value < INT32_MIN || value > INT32_MAX) return false;
  cq_buf plain = {0}; /* without zeros and plus signs before it */
  cq_buf_add_int64(&plain, value);
  *out = cq_str_equal(cq_buf_str(&plain), integer) ? integer : cq_arena_copy(arena, cq_buf_str(&plain));
  cq_buf_fini(&plain);
  return out->at != NULL;
}

static bool next_word(cq_str text, size_t *at, cq_str *word) {
  while (*at < text.size && text.at[*at] == ' ') (*at)++;
  size_t start = *at;
  while (*at < text.size && text.at[*at] != ' ') (*at)++;
  *word = (cq_str){text.at + start, *at - start};
  return word->size > 0;
}

static double decimal_value(cq_str text) {
  double value = 0, scale = 1;
  bool fraction = false;
  for (size_t i = 0; i < text.size; i++) {
    if (text.at[i] == '.')
      fraction = true;
    else if (text.at[i] >= '0' && text.at[i] <= '9') {
      value = value * 10 + (text.at[i] - '0');
      scale = fraction ? scale * 10 : scale;
    }
  }
  return (text.size > 0 && text.at[0] == '-' ? -value : value) / scale;
}

/* "latitude longitude [altitude [accuracy]]", degrees. */
static bool is_point(cq_str text) {
  size_t at = 0, count = 0, point;
  cq_str word;
  while (next_word(text, &at, &word)) {
    if (!is_decimal(word, &point)) return false;
    double value = decimal_value(word);
    if ((count == 0 && (value < -90 || value > 90)) || (count == 1 && (value < -180 || value > 180))) return false;
    count++;
  }
  return count >= 2 && count <= 4;
}

static bool is_line(cq_str text) {
  size_t at = 0;
  while (at < text.size) {
    size_t start = at;
    while (at < text.size && text.at[at] != ';') at++;
    cq_str point = cq_str_trim((cq_str){text.at + start, at - start});
    at++;
    if (point.size == 0 && at >= text.size) break;
    if (!is_point(point)) return false;
  }
  return true;
}

static bool normalize_boolean(cq_str text, cq_str *out) {
  if (cq_str_is(text, "true") || cq_str_is(text, "1"))
    *out = CQ_STR("1");
  else if (cq_str_is(text, "false") || cq_str_is(text, "0"))
    *out = CQ_STR("0");
  else
    return false;
  return true;
}

bool cq_value_normalize(cq_type type, cq_str text, bool whole, cq_arena *arena, cq_str *out) {
  *out = text;
  cq_str plain = cq_str_trim(text);
  size_t point;
  if (type == CQ_TYPE_STRING || type == CQ_TYPE_BARCODE || type == CQ_TYPE_BINARY || type == CQ_TYPE_INTENT)
    return true;
  *out = plain;
  if (plain.size == 0) return true;
  switch (type) {
  case CQ_TYPE_INT: return normalize_int(plain, whole, arena, out);
  case CQ_TYPE_DECIMAL: return is_decimal(plain, &point);
  case CQ_TYPE_BOOLEAN: return normalize_boolean(plain, out);
  case CQ_TYPE_DATE: return normalize_date(plain, out);
  case CQ_TYPE_TIME: return is_time(plain, 0);
  case CQ_TYPE_DATETIME: return is_datetime(plain);
  case CQ_TYPE_GEOPOINT: return is_point(plain);
  case CQ_TYPE_GEOTRACE:
  case CQ_TYPE_GEOSHAPE: return is_line(plain);
  case CQ_TYPE_STRING:
  case CQ_TYPE_BINARY:
  case CQ_TYPE_BARCODE:
  case CQ_TYPE_INTENT: break;
  }
  return true;
}

void cq_value_timestamp(const cq_clock *clock, cq_buf *out) {
  int64_t now = clock->now_utc_ms(clock->context);
  int offset = clock->offset_minutes(clock->context, now);
  char text[25];
  (void)cq_time_format_utc(now + (int64_t)offset * 60000, text);
  int minutes = offset < 0 ? -offset : offset;
  cq_buf_add(out, text, 23); /* without the Z */
  cq_buf_addf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void cq_value_uuid(const cq_random *random, cq_buf *out) {
  unsigned char bytes[16];
  random->fill(random->context, bytes, sizeof bytes);
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
  for (size_t i = 0; i < sizeof bytes; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) cq_buf_add_char(out, '-');
    cq_buf_add_hex(out, &bytes[i], 1);
  }
}
