/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/bare.h"

#include "chasqui/keys.h"

#include <stdlib.h>
#include <string.h>

/* A JPEG segment is at most 65,535 bytes with its length, and is looked at as a whole where it is EXIF. */
enum { ROOM = 128 << 10, QUEUE = 48 };

typedef enum {
  COPYING, /* `left` bytes, then `then` */
  SKIPPING,
  MARKER, /* JPEG: before the first scan */
  SCAN,   /* JPEG: coded data, with markers between */
  CHUNK,  /* PNG */
  RAW,
  ENDED
} state;

struct cq_bare {
  cq_store_reader *read;
  void *context;
  state state, then;
  uint64_t left;
  bool oriented;         /* the first EXIF has been seen */
  uint8_t queued[QUEUE]; /* goes out before all else */
  size_t queued_at, queued_end;
  size_t at, end; /* of what was read */
  bool drained, failed;
  uint8_t bytes[ROOM];
};

/* --- reading --- */

/* How many bytes stand ready, at least `wanted` unless the file ends before. */
static size_t fill(cq_bare *it, size_t wanted) {
  if (it->end - it->at < wanted && it->at > 0) {
    memmove(it->bytes, it->bytes + it->at, it->end - it->at);
    it->end -= it->at;
    it->at = 0;
  }
  while (it->end - it->at < wanted && !it->drained) {
    int64_t got = it->read(it->context, it->bytes + it->end, ROOM - it->end);
    it->failed = got < 0;
    it->drained = got <= 0;
    if (got > 0) it->end += (size_t)got;
  }
  return it->end - it->at;
}

static void pass(cq_bare *it, state how, uint64_t count, state then) {
  it->state = how;
  it->left = count;
  it->then = then;
}

/* --- JPEG --- */

static uint32_t number(const uint8_t *at, size_t size, bool little) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; i++) value |= (uint32_t)at[i] << 8 * (little ? i : size - 1 - i);
  return value;
}

/* Of an EXIF segment's TIFF the first directory's orientation; 1, as it stands, where there is none. */
static uint8_t orientation_of(const uint8_t *tiff, size_t size) {
  if (size < 8 || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0)) return 1;
  bool little = tiff[0] == 'I';
  size_t at = number(tiff + 4, 4, little);
  if (at > size - 2 || size < 2) return 1;
  size_t count = number(tiff + at, 2, little);
  for (at += 2; count > 0 && at <= size && size - at >= 12; at += 12, count--) {
    if (number(tiff + at, 2, little) != 0x0112) continue;
    uint32_t value = number(tiff + at + 8, 2, little);
    return number(tiff + at + 2, 2, little) == 3 && value >= 1 && value <= 8 ? (uint8_t)value : 1;
  }
  return 1;
}

/* The smallest EXIF: one directory with one entry. */
static void queue_orientation(cq_bare *it, uint8_t orientation) {
  static const uint8_t exif[] = {0xFF, 0xE1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M',          0, '*', 0, 0, 0, 8,
                                 0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   0 /* [29] */, 0, 0,   0, 0, 0, 0};
  memcpy(it->queued, exif, sizeof exif);
  it->queued[29] = orientation;
  it->queued_at = 0;
  it->queued_end = sizeof exif;
}

static bool begins(const uint8_t *at, size_t size, const char *with, size_t length) {
  return size >= length && memcmp(at, with, length) == 0;
}

/* What draws the picture: frames, tables, scans (but no application's, no comment). */
static bool draws(uint8_t marker, const uint8_t *payload, size_t size) {
  switch (marker) {
  case 0xE0: return begins(payload, size, "JFIF", 5);
  case 0xE2: return begins(payload, size, "ICC_PROFILE", 12);
  case 0xEE: return begins(payload, size, "Adobe", 5);
  default: return (marker >= 0xC0 && marker <= 0xCF) || (marker >= 0xDA && marker <= 0xDF);
  }
}

static bool is_segment(uint8_t marker) {
  return (marker >= 0xC0 && marker <= 0xCF) || (marker >= 0xDA && marker <= 0xFE);
}

/* At a marker. False: this is none. */
static bool take_marker(cq_bare *it, state after) {
  size_t size = fill(it, 4);
  const uint8_t *at = it->bytes + it->at;
  if (size < 2 || at[0] != 0xFF) return false;
  if (at[1] == 0xD9) {
    pass(it, COPYING, 2, ENDED);
    return true;
  }
  if (size < 4 || !is_segment(at[1])) return false;
  size_t length = number(at + 2, 2, false);
  if (length < 2) return false;
  size = fill(it, 2 + length); /* moves what `at` points to */
  at = it->bytes + it->at;
  size_t payload = (size < 2 + length ? size : 2 + length) - 4;
  if (at[1] == 0xE1 && !it->oriented && begins(at + 4, payload, "Exif\0", 6)) {
    uint8_t orientation = orientation_of(at + 10, payload - 6);
    it->oriented = true;
    if (orientation != 1) queue_orientation(it, orientation);
  }
  pass(it, draws(at[1], at + 4, payload) ? COPYING : SKIPPING, 2 + length, at[1] == 0xDA ? SCAN : after);
  return true;
}

static void step_marker(cq_bare *it) {
  size_t size = fill(it, 2);
  const uint8_t *at = it->bytes + it->at;
  if (size >= 2 && at[0] == 0xFF && at[1] == 0xFF) /* a fill byte */
    pass(it, SKIPPING, 1, MARKER);
  else if (!take_marker(it, MARKER))
    pass(it, RAW, 0, RAW);
}

/* Coded data go on as they are; so does what only looks like a marker. */
static void step_scan(cq_bare *it) {
  size_t size = fill(it, 2), run = 0;
  const uint8_t *at = it->bytes + it->at;
  while (run < size && at[run] != 0xFF) run++;
  if (run > 0)
    pass(it, COPYING, run, SCAN);
  else if (size > 1 && at[1] == 0xFF) /* a fill byte; left there, it could make a marker of what follows a segment */
    pass(it, SKIPPING, 1, SCAN);
  else if (!take_marker(it, SCAN))
    pass(it, COPYING, size > 1 ? 2 : 1, SCAN);
}

/* --- PNG --- */

static void step_chunk(cq_bare *it) {
  static const char kept[] = "tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST sPLT cICP acTL fcTL fdAT ";
  char type[5] = "";
  size_t size = fill(it, 8);
  const uint8_t *at = it->bytes + it->at;
  uint32_t length = size >= 8 ? number(at, 4, false) : 0;
  bool letters = size >= 8 && length <= 0x7FFFFFFF;
  for (int i = 0; letters && i < 4; i++) {
    type[i] = (char)at[4 + i];
    letters = (type[i] >= 'A' && type[i] <= 'Z') || (type[i] >= 'a' && type[i] <= 'z');
  }
  if (!letters) {
    pass(it, RAW, 0, RAW);
    return;
  }
  bool critical = type[0] >= 'A' && type[0] <= 'Z';
  pass(it, critical || strstr(kept, type) ? COPYING : SKIPPING, (uint64_t)length + 12,
       strcmp(type, "IEND") == 0 ? ENDED : CHUNK);
}

/* --- going out --- */

static size_t give(void *out, size_t size, const uint8_t *from, size_t ready, size_t *at) {
  size_t part = size < ready ? size : ready;
  memcpy(out, from, part);
  *at += part;
  return part;
}

/* One step; bytes given out. */
static size_t step(cq_bare *it, void *out, size_t size) {
  switch (it->state) {
  case MARKER: step_marker(it); return 0;
  case SCAN: step_scan(it); return 0;
  case CHUNK: step_chunk(it); return 0;
  case ENDED: return 0;
  case RAW: {
    size_t ready = fill(it, 1);
    return give(out, size, it->bytes + it->at, ready, &it->at);
  }
  case COPYING:
  case SKIPPING: break;
  }
  size_t ready = fill(it, 1), part = ready < it->left ? ready : (size_t)it->left, given = 0;
  if (it->state == COPYING)
    part = given = give(out, size, it->bytes + it->at, part, &it->at);
  else
    it->at += part;
  it->left -= part;
  if (it->left == 0) it->state = it->then;
  return given;
}

int64_t cq_bare_read(void *bare, void *out, size_t size) {
  cq_bare *it = bare;
  if (size == 0) return 0;
  size_t given = 0;
  while (given == 0 && it->state != ENDED && !it->failed) {
    if (it->queued_at < it->queued_end)
      given = give(out, size, it->queued + it->queued_at, it->queued_end - it->queued_at, &it->queued_at);
    else if (it->drained && it->at == it->end)
      break;
    else
      given = step(it, out, size);
  }
  return it->failed ? -1 : (int64_t)given;
}

/* --- */

cq_bare *cq_bare_new(const char *media_type, cq_store_reader *read, void *context) {
  static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  cq_bare *it = calloc(1, sizeof *it);
  if (!it) return NULL;
  it->read = read;
  it->context = context;
  it->state = RAW;
  bool is_jpeg = strcmp(media_type, "image/jpeg") == 0, is_png = strcmp(media_type, "image/png") == 0;
  if (!is_jpeg && !is_png) return it;
  size_t size = fill(it, sizeof png);
  if (is_jpeg && size >= 2 && it->bytes[0] == 0xFF && it->bytes[1] == 0xD8) pass(it, COPYING, 2, MARKER);
  if (is_png && size >= sizeof png && memcmp(it->bytes, png, sizeof png) == 0) pass(it, COPYING, sizeof png, CHUNK);
  return it;
}

void cq_bare_free(cq_bare *it) {
  if (it) cq_wipe(it->bytes, sizeof it->bytes);
  free(it);
}
