/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/layout.h"
#include "chasqui/record.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* A record is written once and read often, at a desk with little else to do: level 1 costs a fifth of what opening
 * does. */
enum { LEVEL = 1, MAGIC = 4 };
static const char frame_magic[MAGIC] = {'\x28', '\xb5', '\x2f', '\xfd'};

struct cq_record_press {
  ZSTD_CCtx *compressor;
  ZSTD_DCtx *decompressor;
  cq_buf plain;
};

cq_record_press *cq_record_press_new(void) {
  cq_record_press *press = calloc(1, sizeof *press);
  if (!press) return NULL;
  press->compressor = ZSTD_createCCtx();
  press->decompressor = ZSTD_createDCtx();
  if (press->compressor && press->decompressor) return press;
  cq_record_press_free(press);
  return NULL;
}

void cq_record_press_free(cq_record_press *press) {
  if (!press) return;
  ZSTD_freeCCtx(press->compressor);
  ZSTD_freeDCtx(press->decompressor);
  cq_wipe_buf(&press->plain);
  free(press);
}

cq_status cq_record_press_in(cq_record_press *press, cq_buf *out, cq_str bytes, cq_error *error) {
  size_t bound = ZSTD_compressBound(bytes.size), start = out->size;
  if (bytes.size > CQ_RECORD_MAX_SIZE) return cq_error_set(error, CQ_LIMIT, "record.large", "record", NULL);
  if (!cq_buf_reserve(out, bound)) return cq_error_nomem(error);
  size_t size =
      ZSTD_compressCCtx(press->compressor, out->at + start, bound, bytes.size ? bytes.at : "", bytes.size, LEVEL);
  if (ZSTD_isError(size)) return cq_error_nomem(error);
  if (size < bytes.size) {
    out->size = start + size;
    out->at[out->size] = '\0';
  } else {
    cq_buf_add_str(out, bytes);
  }
  return CQ_OK;
}

cq_status cq_record_press_out(cq_record_press *press, cq_str *bytes, cq_str kept, cq_error *error) {
  *bytes = kept;
  if (kept.size < MAGIC || memcmp(kept.at, frame_magic, MAGIC) != 0) return CQ_OK;
  unsigned long long size = ZSTD_getFrameContentSize(kept.at, kept.size);
  if (size > CQ_RECORD_MAX_SIZE) return cq_error_set(error, CQ_DAMAGED, "record.damaged", NULL);
  cq_buf_reset(&press->plain);
  if (!cq_buf_reserve(&press->plain, (size_t)size + 1)) return cq_error_nomem(error);
  size_t made = ZSTD_decompressDCtx(press->decompressor, press->plain.at, (size_t)size, kept.at, kept.size);
  if (ZSTD_isError(made) || made != size) return cq_error_set(error, CQ_DAMAGED, "record.damaged", NULL);
  *bytes = (cq_str){press->plain.at, made};
  return CQ_OK;
}
