/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/codec.h"
#include "batch/layout.h"
#include "batch/prologue.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { FORMS = 64, LEAST_FORM = 64, MAGIC = 4, WINDOW_LOG_MOST = 27, BUFFERS = 3, SCRATCH_MOST = 512 << 20 };

/* Answers are worth the time; trails, once their times are taken out, gain nothing more after 9. */
static const int levels[] = {[CQ_DICTIONARY_NONE] = 12, [CQ_DICTIONARY_ANSWERS] = 19, [CQ_DICTIONARY_FORM] = 9};

struct cq_codec_form {
  cq_hash hash;
  cq_outline *outline;
  cq_buf answers; /* prologue, then the form: the dictionary of answers */
  ZSTD_CDict *compress[CQ_DICTIONARY_FORM + 1];
  ZSTD_DDict *decompress[CQ_DICTIONARY_FORM + 1];
};

struct cq_batch_codec {
  cq_batch_forms source;
  ZSTD_CCtx *compressor;
  ZSTD_DCtx *decompressor;
  cq_codec_form forms[FORMS];
  size_t form_count;
  cq_arena *scratch;
  cq_buf buffers[BUFFERS], frame;
};

cq_batch_codec *cq_batch_codec_new(const cq_batch_forms *forms) {
  cq_batch_codec *codec = calloc(1, sizeof *codec);
  if (!codec) return NULL;
  if (forms) codec->source = *forms;
  codec->compressor = ZSTD_createCCtx();
  codec->decompressor = ZSTD_createDCtx();
  codec->scratch = cq_arena_new(SCRATCH_MOST);
  if (codec->compressor && codec->decompressor && codec->scratch) return codec;
  cq_batch_codec_free(codec);
  return NULL;
}

static void form_fini(cq_codec_form *form) {
  cq_outline_free(form->outline);
  cq_buf_fini(&form->answers);
  for (int i = 0; i <= CQ_DICTIONARY_FORM; i++) {
    ZSTD_freeCDict(form->compress[i]);
    ZSTD_freeDDict(form->decompress[i]);
  }
  *form = (cq_codec_form){0};
}

void cq_batch_codec_free(cq_batch_codec *codec) {
  if (!codec) return;
  for (size_t i = 0; i < codec->form_count; i++) form_fini(&codec->forms[i]);
  ZSTD_freeCCtx(codec->compressor);
  ZSTD_freeDCtx(codec->decompressor);
  cq_arena_free(codec->scratch);
  for (int i = 0; i < BUFFERS; i++) cq_wipe_buf(&codec->buffers[i]);
  cq_buf_fini(&codec->frame);
  free(codec);
}

const cq_outline *cq_codec_form_outline(const cq_codec_form *form) {
  return form->outline;
}

cq_arena *cq_codec_scratch(cq_batch_codec *codec) {
  return codec->scratch;
}

cq_buf *cq_codec_buffer(cq_batch_codec *codec, int which) {
  cq_buf_reset(&codec->buffers[which]);
  return &codec->buffers[which];
}

static cq_str form_bytes(const cq_codec_form *form) {
  return (cq_str){form->answers.at + sizeof answers_prologue, form->answers.size - sizeof answers_prologue};
}

static cq_str dictionary_bytes(const cq_codec_form *form, cq_dictionary dictionary) {
  return dictionary == CQ_DICTIONARY_ANSWERS ? cq_buf_str(&form->answers) : form_bytes(form);
}

cq_codec_form *cq_codec_form_get(cq_batch_codec *codec, const cq_hash *hash) {
  for (size_t i = 0; i < codec->form_count; i++)
    if (cq_hash_equal(&codec->forms[i].hash, hash)) return &codec->forms[i];
  cq_str xml = {0};
  if (!codec->source.find || codec->source.find(codec->source.context, hash, &xml) != CQ_OK) return NULL;
  /* a form that is not what its hash says would make bytes that nobody can open */
  cq_hash found = cq_hash_of(xml.at, xml.size);
  if (!cq_hash_equal(&found, hash) || xml.size < LEAST_FORM) return NULL;
  if (codec->form_count == FORMS) {
    form_fini(&codec->forms[0]);
    codec->forms[0] = codec->forms[--codec->form_count];
  }
  cq_codec_form *form = &codec->forms[codec->form_count];
  *form = (cq_codec_form){.hash = *hash};
  cq_buf_add(&form->answers, answers_prologue, sizeof answers_prologue);
  cq_buf_add_str(&form->answers, xml);
  form->outline = cq_outline_new(form_bytes(form));
  if (form->answers.failed) {
    form_fini(form);
    return NULL;
  }
  codec->form_count++;
  return form;
}

cq_status cq_codec_compress(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_str plain,
                            cq_buf *out, cq_error *error) {
  ZSTD_CCtx *compressor = codec->compressor;
  ZSTD_CCtx_reset(compressor, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, levels[dictionary]);
  ZSTD_CCtx_setParameter(compressor, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(compressor, ZSTD_c_dictIDFlag, 0);
  if (form && dictionary != CQ_DICTIONARY_NONE) {
    if (!form->compress[dictionary]) {
      cq_str bytes = dictionary_bytes(form, dictionary);
      form->compress[dictionary] = ZSTD_createCDict(bytes.at, bytes.size, levels[dictionary]);
    }
    if (!form->compress[dictionary]) return cq_error_nomem(error);
    ZSTD_CCtx_refCDict(compressor, form->compress[dictionary]);
  }
  size_t bound = ZSTD_compressBound(plain.size);
  cq_buf *frame = &codec->frame;
  cq_buf_reset(frame);
  if (!cq_buf_reserve(frame, bound)) return cq_error_nomem(error);
  size_t size = ZSTD_compress2(compressor, frame->at, bound, plain.size ? plain.at : "", plain.size);
  if (ZSTD_isError(size) || size < MAGIC) return cq_error_nomem(error);
  cq_buf_add(out, frame->at + MAGIC, size - MAGIC);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

bool cq_codec_decompress(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_str frame,
                         size_t size, cq_buf *out) {
  static const uint8_t magic[MAGIC] = {0x28, 0xb5, 0x2f, 0xfd};
  ZSTD_DCtx *decompressor = codec->decompressor;
  ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(decompressor, ZSTD_d_windowLogMax, WINDOW_LOG_MOST);
  if (form && dictionary != CQ_DICTIONARY_NONE) {
    if (!form->decompress[dictionary]) {
      cq_str bytes = dictionary_bytes(form, dictionary);
      form->decompress[dictionary] = ZSTD_createDDict(bytes.at, bytes.size);
    }
    if (!form->decompress[dictionary]) return false;
    ZSTD_DCtx_refDDict(decompressor, form->decompress[dictionary]);
  }
  cq_buf *whole = &codec->frame;
  cq_buf_reset(whole);
  cq_buf_reset(out);
  cq_buf_add(whole, magic, sizeof magic);
  cq_buf_add_str(whole, frame);
  if (whole->failed || !cq_buf_reserve(out, size)) return false;
  size_t made = ZSTD_decompressDCtx(decompressor, out->at, size, whole->at, whole->size);
  if (ZSTD_isError(made) || made != size) return false;
  out->size = size;
  out->at[size] = '\0';
  return true;
}
