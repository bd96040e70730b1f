/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/trails.h"

#include <string.h>

/* Stands in a trail's text for a number that was taken out; a trail that holds it is written as it is. */
enum { TAKEN = 1, LEAST_DIGITS = 8, MOST_DIGITS = 18 };

static bool separates(char c) {
  return c == ',' || c == '\n' || c == '\r';
}

/* Digits of a time at `at`: a whole field, as one would write the number. 0: it is none. */
static size_t time_digits(cq_str text, size_t at) {
  if ((at > 0 && !separates(text.at[at - 1])) || text.at[at] == '0') return 0;
  size_t end = at;
  while (end < text.size && text.at[end] >= '0' && text.at[end] <= '9') end++;
  size_t digits = end - at;
  bool whole = end == text.size || separates(text.at[end]);
  return whole && digits >= LEAST_DIGITS && digits <= MOST_DIGITS ? digits : 0;
}

static int64_t number_of(const char *digits, size_t count) {
  int64_t number = 0;
  for (size_t i = 0; i < count; i++) number = number * 10 + (digits[i] - '0');
  return number;
}

static void write_trail(cq_str trail, cq_buf *text, cq_buf *times) {
  int64_t last = 0;
  size_t kept = 0; /* what has been written already */
  for (size_t at = 0; at < trail.size;) {
    size_t digits = time_digits(trail, at);
    if (digits == 0) {
      at++;
      continue;
    }
    int64_t time = number_of(trail.at + at, digits);
    cq_put_zigzag(times, time - last);
    last = time;
    cq_buf_add(text, trail.at + kept, at - kept);
    cq_buf_add_char(text, TAKEN);
    kept = at += digits;
  }
  cq_buf_add(text, trail.at + kept, trail.size - kept);
}

void cq_trails_write(const cq_record_parts *records, size_t count, cq_buf *out) {
  cq_buf texts = {0}, text = {0}, times = {0};
  for (size_t i = 0; i < count; i++) {
    cq_str trail = records[i].audit;
    bool plain = trail.size == 0 || !memchr(trail.at, TAKEN, trail.size);
    cq_buf_reset(&text);
    if (plain) write_trail(trail, &text, &times);
    cq_buf_add_char(&texts, plain ? 1 : 0);
    cq_put_text(&texts, plain ? cq_buf_str(&text) : trail);
    if (text.failed || times.failed) texts.failed = true;
  }
  if (texts.failed) out->failed = true;
  cq_buf_add(out, texts.at, texts.size);
  cq_buf_add(out, times.at, times.size);
  cq_wipe_buf(&texts);
  cq_wipe_buf(&text);
  cq_wipe_buf(&times);
}

static void put_time(cq_buf *out, int64_t time, cq_layout *times) {
  char digits[MOST_DIGITS];
  size_t at = sizeof digits;
  if (time < 0 || time >= (int64_t)1000000000000000000) {
    times->failed = true;
    return;
  }
  do digits[--at] = (char)('0' + time % 10);
  while ((time /= 10) > 0);
  cq_buf_add(out, digits + at, sizeof digits - at);
}

static void read_trail(cq_str text, cq_layout *times, cq_buf *out) {
  int64_t last = 0;
  while (text.size > 0 && !times->failed) {
    const char *taken = memchr(text.at, TAKEN, text.size);
    size_t before = taken ? (size_t)(taken - text.at) : text.size;
    cq_buf_add(out, text.at, before);
    if (!taken) return;
    last = (int64_t)((uint64_t)last + (uint64_t)cq_layout_zigzag(times));
    put_time(out, last, times);
    text = (cq_str){taken + 1, text.size - before - 1};
  }
}

bool cq_trails_read(cq_str bytes, size_t count, size_t limit, cq_buf *out, size_t *sizes) {
  cq_layout texts = cq_layout_of(bytes.at, bytes.size), times = texts;
  for (size_t i = 0; i < count; i++) { /* to where the times begin */
    cq_layout_u8(&times);
    cq_layout_text(&times, SIZE_MAX);
  }
  size_t start = out->size;
  for (size_t i = 0; i < count && !times.failed; i++) {
    size_t before = out->size;
    uint8_t plain = cq_layout_u8(&texts);
    cq_str text = cq_layout_text(&texts, SIZE_MAX);
    if (plain > 1) return false;
    if (plain)
      read_trail(text, &times, out);
    else
      cq_buf_add_str(out, text);
    sizes[i] = out->size - before;
    if (out->size - start > limit) return false;
  }
  return !times.failed && !texts.failed && cq_layout_left(&times) == 0 && !out->failed;
}
