/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cq_str cq_str_from(const char *text) {
  return (cq_str){text, text ? strlen(text) : 0};
}

bool cq_str_equal(cq_str a, cq_str b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool cq_str_is(cq_str a, const char *text) {
  return cq_str_equal(a, cq_str_from(text));
}

int cq_str_compare(cq_str a, cq_str b) {
  size_t least = a.size < b.size ? a.size : b.size;
  int order = least ? memcmp(a.at, b.at, least) : 0;
  if (order != 0) return order;
  return a.size < b.size ? -1 : a.size > b.size;
}

bool cq_str_starts(cq_str a, cq_str prefix) {
  return a.size >= prefix.size && (prefix.size == 0 || memcmp(a.at, prefix.at, prefix.size) == 0);
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

cq_str cq_str_trim(cq_str a) {
  while (a.size > 0 && is_space(a.at[0])) a.at++, a.size--;
  while (a.size > 0 && is_space(a.at[a.size - 1])) a.size--;
  return a;
}

bool cq_str_int64(cq_str a, int64_t *value) {
  size_t i = 0;
  bool negative = false;
  if (i < a.size && (a.at[i] == '-' || a.at[i] == '+')) negative = a.at[i++] == '-';
  if (i == a.size) return false;
  int64_t n = 0;
  for (; i < a.size; i++) {
    if (a.at[i] < '0' || a.at[i] > '9') return false;
    int digit = a.at[i] - '0';
    /* counted downwards, since the smallest integer has no positive twin */
    if (n < (INT64_MIN + digit) / 10) return false;
    n = n * 10 - digit;
  }
  if (!negative && n == INT64_MIN) return false;
  *value = negative ? n : -n;
  return true;
}

void cq_buf_fini(cq_buf *buf) {
  if (!buf) return;
  free(buf->at);
  *buf = (cq_buf){0};
}

void cq_buf_fini_secret(cq_buf *buf) {
  if (!buf) return;
  /* read anew at each call, so that no compiler knows it is a memset of memory that nobody reads again */
  static void *(*const volatile wipe)(void *, int, size_t) = memset;
  if (buf->at) wipe(buf->at, 0, buf->capacity);
  cq_buf_fini(buf);
}

void cq_buf_reset(cq_buf *buf) {
  buf->size = 0;
  buf->failed = false;
  if (buf->at) buf->at[0] = '\0';
}

bool cq_buf_reserve(cq_buf *buf, size_t more) {
  if (buf->failed) return false;
  if (more > SIZE_MAX / 2 - buf->size - 1) {
    buf->failed = true;
    return false;
  }
  size_t need = buf->size + more + 1;
  if (need <= buf->capacity) return true;
  size_t capacity = buf->capacity ? buf->capacity : 64;
  while (capacity < need) capacity *= 2;
  char *at = realloc(buf->at, capacity);
  if (!at) {
    buf->failed = true;
    return false;
  }
  buf->at = at;
  buf->capacity = capacity;
  return true;
}

void cq_buf_add(cq_buf *buf, const void *bytes, size_t size) {
  if (!cq_buf_reserve(buf, size)) return;
  if (size) memcpy(buf->at + buf->size, bytes, size);
  buf->size += size;
  buf->at[buf->size] = '\0';
}

void cq_buf_add_str(cq_buf *buf, cq_str text) {
  cq_buf_add(buf, text.at, text.size);
}

void cq_buf_add_text(cq_buf *buf, const char *text) {
  cq_buf_add(buf, text, strlen(text));
}

void cq_buf_add_char(cq_buf *buf, char c) {
  cq_buf_add(buf, &c, 1);
}

void cq_buf_add_code_point(cq_buf *buf, uint32_t code_point) {
  char out[4];
  cq_buf_add(buf, out, cq_utf8_put(code_point, out));
}

void cq_buf_add_int64(cq_buf *buf, int64_t value) {
  cq_buf_addf(buf, "%" PRId64, value);
}

void cq_buf_addf(cq_buf *buf, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  if (size < 0) {
    buf->failed = true;
  } else if (cq_buf_reserve(buf, (size_t)size)) {
    vsnprintf(buf->at + buf->size, (size_t)size + 1, format, again);
    buf->size += (size_t)size;
  }
  va_end(again);
  va_end(args);
}

void cq_buf_add_hex(cq_buf *buf, const void *bytes, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *at = bytes;
  if (size > SIZE_MAX / 4 || !cq_buf_reserve(buf, size * 2)) {
    buf->failed = true;
    return;
  }
  for (size_t i = 0; i < size; i++) {
    buf->at[buf->size++] = digits[at[i] >> 4];
    buf->at[buf->size++] = digits[at[i] & 15];
  }
  buf->at[buf->size] = '\0';
}

void cq_buf_add_xml(cq_buf *buf, cq_str text, bool attribute) {
  size_t from = 0;
  for (size_t i = 0; i < text.size; i++) {
    const char *reference = NULL;
    switch (text.at[i]) {
    case '&': reference = "&amp;"; break;
    case '<': reference = "&lt;"; break;
    case '>': reference = "&gt;"; break;
    case '"': reference = attribute ? "&quot;" : NULL; break;
    case '\t': reference = attribute ? "&#9;" : NULL; break;
    case '\n': reference = attribute ? "&#10;" : NULL; break;
    case '\r': reference = "&#13;"; break;
    default: break;
    }
    if (!reference) continue;
    cq_buf_add(buf, text.at + from, i - from);
    cq_buf_add_text(buf, reference);
    from = i + 1;
  }
  if (from < text.size) cq_buf_add(buf, text.at + from, text.size - from);
}

cq_str cq_buf_str(const cq_buf *buf) {
  return (cq_str){buf->at, buf->size};
}

char *cq_buf_take(cq_buf *buf, size_t *size) {
  if (!cq_buf_reserve(buf, 0)) {
    cq_buf_fini(buf);
    return NULL;
  }
  char *at = buf->at;
  at[buf->size] = '\0';
  if (size) *size = buf->size;
  *buf = (cq_buf){0};
  return at;
}

/* Length of the well-formed sequence at `at`, 0 where it is malformed (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *at, size_t left, uint32_t *code_point) {
  unsigned char a = at[0];
  if (a < 0x80) {
    *code_point = a;
    return 1;
  }
  if (a < 0xC2 || a > 0xF4) return 0;
  size_t size = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4;
  if (left < size) return 0;
  unsigned char low = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
  unsigned char high = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
  if (at[1] < low || at[1] > high) return 0;
  uint32_t c = (uint32_t)(a & (0xFF >> (size + 1))) << 6 | (at[1] & 0x3F);
  for (size_t i = 2; i < size; i++) {
    if ((at[i] & 0xC0) != 0x80) return 0;
    c = c << 6 | (at[i] & 0x3F);
  }
  *code_point = c;
  return size;
}

bool cq_utf8_valid(cq_str text) {
  const unsigned char *at = (const unsigned char *)text.at;
  uint32_t code_point;
  for (size_t i = 0; i < text.size;) {
    uint64_t eight; /* most text is ASCII, and eight bytes of it are seen at once */
    for (; text.size - i >= sizeof eight; i += sizeof eight) {
      memcpy(&eight, at + i, sizeof eight);
      if (eight & UINT64_C(0x8080808080808080)) break;
    }
    if (i == text.size) break;
    size_t size = at[i] < 0x80 ? 1 : sequence(at + i, text.size - i, &code_point);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

uint32_t cq_utf8_next(cq_str text, size_t *offset) {
  uint32_t code_point = 0xFFFD;
  size_t size = sequence((const unsigned char *)text.at + *offset, text.size - *offset, &code_point);
  *offset += size ? size : 1;
  return size ? code_point : 0xFFFD;
}

size_t cq_utf8_length(cq_str text) {
  size_t length = 0;
  for (size_t i = 0; i < text.size; i++) length += ((unsigned char)text.at[i] & 0xC0) != 0x80;
  return length;
}

size_t cq_utf8_put(uint32_t c, char out[4]) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = size; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
  out[0] = (char)(lead[size] | c);
  return size;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool cq_hex_decode(cq_str hex, void *out, size_t out_size) {
  if (hex.size % 2 != 0 || hex.size / 2 != out_size) return false;
  unsigned char *to = out;
  for (size_t i = 0; i < out_size; i++) {
    int high = hex_digit(hex.at[2 * i]), low = hex_digit(hex.at[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = (unsigned char)(high << 4 | low);
  }
  return true;
}
