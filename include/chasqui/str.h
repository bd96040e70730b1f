/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte strings with a length, a growing buffer, and UTF-8.
 *
 * Text inside Chasqui is UTF-8, validated where it enters. Bytes, code points
 * and screen columns are three things; this header knows the first two only.
 */
#ifndef CHASQUI_STR_H
#define CHASQUI_STR_H

#include "chasqui/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes; not terminated; `at` may be NULL only where `size` is 0. */
typedef struct cq_str {
  const char *at;
  size_t size;
} cq_str;

/* A cq_str over a string literal. */
#define CQ_STR(literal) ((cq_str){(literal), sizeof(literal) - 1})

cq_str cq_str_from(const char *text); /* NULL gives the empty string */
bool cq_str_equal(cq_str a, cq_str b);
bool cq_str_is(cq_str a, const char *text);
int cq_str_compare(cq_str a, cq_str b); /* byte order, as memcmp then length */
bool cq_str_starts(cq_str a, cq_str prefix);
cq_str cq_str_trim(cq_str a); /* ASCII white space at both ends */

/* Whole string as a base-10 integer with an optional sign; false where it is not one or does not fit. */
bool cq_str_int64(cq_str a, int64_t *value);

/* --- a growing buffer; zero-initialised is empty; always terminated where `at` is not NULL --- */
typedef struct cq_buf {
  char *at;
  size_t size;     /* bytes in use, without the terminator */
  size_t capacity; /* bytes allocated */
  bool failed;     /* an append ran out of memory: later appends do nothing */
} cq_buf;

void cq_buf_fini(cq_buf *buf);        /* frees and zeroes; NULL is fine */
void cq_buf_fini_secret(cq_buf *buf); /* wipes first */
void cq_buf_reset(cq_buf *buf);       /* empties, keeps the memory, clears `failed` */
bool cq_buf_reserve(cq_buf *buf, size_t more);
/* Appends; after a failure the buffer stays as it was and `failed` is set, so that a run of appends is checked once. */
void cq_buf_add(cq_buf *buf, const void *bytes, size_t size);
void cq_buf_add_str(cq_buf *buf, cq_str text);
void cq_buf_add_text(cq_buf *buf, const char *text);
void cq_buf_add_char(cq_buf *buf, char c);
void cq_buf_add_code_point(cq_buf *buf, uint32_t code_point); /* what is no scalar value becomes U+FFFD */
void cq_buf_add_int64(cq_buf *buf, int64_t value);
void cq_buf_addf(cq_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cq_buf_add_hex(cq_buf *buf, const void *bytes, size_t size); /* lower case */
/* Text for an XML document: & < > escaped, and " too where `attribute`; tab, LF, CR in attributes as references. */
void cq_buf_add_xml(cq_buf *buf, cq_str text, bool attribute);
cq_str cq_buf_str(const cq_buf *buf); /* borrowed until the next append */
/* Hands the bytes over; the caller frees them with free(); NULL where the buffer failed. */
char *cq_buf_take(cq_buf *buf, size_t *size);

/* --- UTF-8 --- */
/* Whether all of it is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool cq_utf8_valid(cq_str text);
/* The code point at `*offset`, which moves past it; a malformed byte gives U+FFFD and moves by one. */
uint32_t cq_utf8_next(cq_str text, size_t *offset);
/* Code points in a valid string. */
size_t cq_utf8_length(cq_str text);
/* Bytes of a code point's encoding written to `out` (1 to 4). */
size_t cq_utf8_put(uint32_t code_point, char out[4]);

/* Hexadecimal, either case; false where the size is not exactly 2 × out_size digits. */
bool cq_hex_decode(cq_str hex, void *out, size_t out_size);

#endif
