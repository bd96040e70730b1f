/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing the byte layouts of docs/formats: little-endian integers,
 * varints in their shortest form, texts. A reader never passes its end; after a
 * fault all it gives is zero, and `failed` is set, so that a run of reads is
 * checked once.
 */
#ifndef BATCH_LAYOUT_H
#define BATCH_LAYOUT_H

#include "chasqui/str.h"

typedef struct cq_layout {
  const uint8_t *at, *end, *start;
  bool failed;
} cq_layout;

cq_layout cq_layout_of(const void *bytes, size_t size);
size_t cq_layout_left(const cq_layout *layout);
size_t cq_layout_offset(const cq_layout *layout);

const uint8_t *cq_layout_take(cq_layout *layout, size_t size); /* NULL where there are not so many left */
void cq_layout_copy(cq_layout *layout, void *out, size_t size);
uint8_t cq_layout_u8(cq_layout *layout);
uint16_t cq_layout_u16(cq_layout *layout);
uint32_t cq_layout_u32(cq_layout *layout);
uint64_t cq_layout_u64(cq_layout *layout);
int64_t cq_layout_i64(cq_layout *layout);
uint64_t cq_layout_varint(cq_layout *layout);
int64_t cq_layout_zigzag(cq_layout *layout);
cq_str cq_layout_text(cq_layout *layout, size_t limit); /* varint length and bytes, not checked as UTF-8 */
cq_str cq_layout_rest(cq_layout *layout);

void cq_put_u16(cq_buf *out, uint16_t value);
void cq_put_u32(cq_buf *out, uint32_t value);
void cq_put_u64(cq_buf *out, uint64_t value);
void cq_put_i64(cq_buf *out, int64_t value);
void cq_put_varint(cq_buf *out, uint64_t value);
void cq_put_zigzag(cq_buf *out, int64_t value);
void cq_put_text(cq_buf *out, cq_str text);
size_t cq_varint_size(uint64_t value);
uint64_t cq_zigzag(int64_t value);
int64_t cq_unzigzag(uint64_t value);

/* As cq_buf_fini_secret, at the speed of libsodium's wiping: contents of batches are large. */
void cq_wipe_buf(cq_buf *buf);

/* Texts of envelopes, orders and names of files: UTF-8 without control characters. */
bool cq_text_plain(cq_str text, size_t limit);
/* … and without slashes, not "." or "..", not empty. */
bool cq_file_name_plain(cq_str text, size_t limit);

#endif
