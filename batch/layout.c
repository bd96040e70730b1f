/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/layout.h"
#include "chasqui/keys.h"

#include <string.h>

cq_layout cq_layout_of(const void *bytes, size_t size) {
  const uint8_t *at = bytes ? bytes : (const uint8_t *)"";
  return (cq_layout){.at = at, .end = at + size, .start = at};
}

size_t cq_layout_left(const cq_layout *layout) {
  return (size_t)(layout->end - layout->at);
}

size_t cq_layout_offset(const cq_layout *layout) {
  return (size_t)(layout->at - layout->start);
}

const uint8_t *cq_layout_take(cq_layout *layout, size_t size) {
  if (layout->failed || size > cq_layout_left(layout)) {
    layout->failed = true;
    return NULL;
  }
  const uint8_t *at = layout->at;
  layout->at += size;
  return at;
}

void cq_layout_copy(cq_layout *layout, void *out, size_t size) {
  const uint8_t *at = cq_layout_take(layout, size);
  if (at)
    memcpy(out, at, size);
  else
    memset(out, 0, size);
}

static uint64_t integer(cq_layout *layout, size_t size) {
  const uint8_t *at = cq_layout_take(layout, size);
  uint64_t value = 0;
  for (size_t i = 0; at && i < size; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

/* A batch has hundreds of thousands of these and of varints of one byte. */
uint8_t cq_layout_u8(cq_layout *layout) {
  if (!layout->failed && layout->at < layout->end) return *layout->at++;
  layout->failed = true;
  return 0;
}

uint16_t cq_layout_u16(cq_layout *layout) {
  return (uint16_t)integer(layout, 2);
}

uint32_t cq_layout_u32(cq_layout *layout) {
  return (uint32_t)integer(layout, 4);
}

uint64_t cq_layout_u64(cq_layout *layout) {
  return integer(layout, 8);
}

int64_t cq_layout_i64(cq_layout *layout) {
  return (int64_t)integer(layout, 8);
}

uint64_t cq_layout_varint(cq_layout *layout) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    uint8_t byte = cq_layout_u8(layout);
    if (layout->failed) return 0;
    uint64_t part = byte & 0x7fu;
    /* one bit is left in the tenth byte; a last byte of zero would be a longer form than needed */
    if ((shift == 63 && part > 1) || (shift > 0 && byte == 0)) break;
    value |= part << shift;
    if (!(byte & 0x80u)) return value;
  }
  layout->failed = true;
  return 0;
}

uint64_t cq_zigzag(int64_t value) {
  return value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
}

int64_t cq_unzigzag(uint64_t value) {
  uint64_t half = value >> 1;
  return (int64_t)(value & 1 ? ~half : half);
}

int64_t cq_layout_zigzag(cq_layout *layout) {
  return cq_unzigzag(cq_layout_varint(layout));
}

cq_str cq_layout_text(cq_layout *layout, size_t limit) {
  uint64_t size = cq_layout_varint(layout);
  if (size > limit) layout->failed = true;
  const uint8_t *at = layout->failed ? NULL : cq_layout_take(layout, (size_t)size);
  return at ? (cq_str){(const char *)at, (size_t)size} : (cq_str){"", 0};
}

cq_str cq_layout_rest(cq_layout *layout) {
  size_t size = cq_layout_left(layout);
  const uint8_t *at = cq_layout_take(layout, size);
  return at ? (cq_str){(const char *)at, size} : (cq_str){"", 0};
}

static void put(cq_buf *out, uint64_t value, size_t size) {
  uint8_t bytes[8];
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  cq_buf_add(out, bytes, size);
}

void cq_put_u16(cq_buf *out, uint16_t value) {
  put(out, value, 2);
}

void cq_put_u32(cq_buf *out, uint32_t value) {
  put(out, value, 4);
}

void cq_put_u64(cq_buf *out, uint64_t value) {
  put(out, value, 8);
}

void cq_put_i64(cq_buf *out, int64_t value) {
  put(out, (uint64_t)value, 8);
}

size_t cq_varint_size(uint64_t value) {
  size_t size = 1;
  for (; value > 0x7f; value >>= 7) size++;
  return size;
}

void cq_put_varint(cq_buf *out, uint64_t value) {
  uint8_t bytes[10];
  size_t size = 0;
  for (; value > 0x7f; value >>= 7) bytes[size++] = (uint8_t)(0x80u | (value & 0x7f));
  bytes[size++] = (uint8_t)value;
  cq_buf_add(out, bytes, size);
}

void cq_put_zigzag(cq_buf *out, int64_t value) {
  cq_put_varint(out, cq_zigzag(value));
}

void cq_put_text(cq_buf *out, cq_str text) {
  cq_put_varint(out, text.size);
  cq_buf_add_str(out, text);
}

void cq_wipe_buf(cq_buf *buf) {
  if (buf->at) cq_wipe(buf->at, buf->capacity);
  cq_buf_fini(buf);
}

bool cq_text_plain(cq_str text, size_t limit) {
  if (text.size > limit || !cq_utf8_valid(text)) return false;
  for (size_t i = 0; i < text.size; i++)
    if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f) return false;
  return true;
}

bool cq_file_name_plain(cq_str text, size_t limit) {
  if (text.size == 0 || !cq_text_plain(text, limit) || cq_str_is(text, ".") || cq_str_is(text, "..")) return false;
  for (size_t i = 0; i < text.size; i++)
    if (text.at[i] == '/' || text.at[i] == '\\') return false;
  return true;
}
