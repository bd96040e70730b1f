/* SPDX-License-Identifier: Apache-2.0 */
/* A picture from any bytes: what comes out does not depend on how it is read, hardly grows, and once bare stays so. */
#include "chasqui/str.h"
#include "collector/bare.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct source {
  const char *at;
  size_t left, piece;
} source;

static int64_t read_source(void *context, void *out, size_t size) {
  source *it = context;
  if (size > it->piece) size = it->piece;
  if (size > it->left) size = it->left;
  memcpy(out, it->at, size);
  it->at += size;
  it->left -= size;
  return (int64_t)size;
}

static void strip(const char *type, const char *at, size_t size, size_t piece, cq_buf *out) {
  source from = {at, size, piece};
  char part[4096];
  cq_bare *bare = cq_bare_new(type, read_source, &from);
  if (!bare) abort();
  for (int64_t got; (got = cq_bare_read(bare, part, piece < sizeof part ? piece : sizeof part)) != 0;) {
    if (got < 0) abort();
    cq_buf_add(out, part, (size_t)got);
  }
  cq_bare_free(bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const types[] = {"image/jpeg", "image/png"};
  if (size == 0) return 0;
  for (int i = 0; i < 2; i++) {
    cq_buf once = {0}, pieces = {0}, twice = {0};
    strip(types[i], (const char *)bytes, size, 1 << 20, &once);
    strip(types[i], (const char *)bytes, size, 1 + size % 7, &pieces);
    strip(types[i], once.size ? once.at : "", once.size, 1 << 20, &twice);
    if (once.failed || pieces.failed || twice.failed) abort();
    if (once.size > size + 36) abort();
    if (!cq_str_equal(cq_buf_str(&once), cq_buf_str(&pieces))) abort();
    if (!cq_str_equal(cq_buf_str(&once), cq_buf_str(&twice))) abort();
    cq_buf_fini(&once);
    cq_buf_fini(&pieces);
    cq_buf_fini(&twice);
  }
  return 0;
}
