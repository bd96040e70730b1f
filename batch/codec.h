/* SPDX-License-Identifier: Apache-2.0 */
/* What packing and opening share: compression contexts, and for each form its outline and dictionaries. */
#ifndef BATCH_CODEC_H
#define BATCH_CODEC_H

#include "batch/outline.h"
#include "chasqui/batch.h"

/* A blank form known by its hash. */
typedef struct cq_codec_form cq_codec_form;
const cq_outline *cq_codec_form_outline(const cq_codec_form *form); /* NULL where it has none */

/* NULL where the form is not known, or memory is out. */
cq_codec_form *cq_codec_form_get(cq_batch_codec *codec, const cq_hash *hash);

/* Which dictionary: none, the prologue and the form (for answers), or the whole form (for audit trails). */
typedef enum { CQ_DICTIONARY_NONE, CQ_DICTIONARY_ANSWERS, CQ_DICTIONARY_FORM } cq_dictionary;

/* A zstd frame without its magic number, appended. */
cq_status cq_codec_compress(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_str plain,
                            cq_buf *out, cq_error *error);
/* `out` is emptied first. False where the frame does not give exactly `size` bytes, or memory is out. */
bool cq_codec_decompress(cq_batch_codec *codec, cq_codec_form *form, cq_dictionary dictionary, cq_str frame,
                         size_t size, cq_buf *out);

cq_arena *cq_codec_scratch(cq_batch_codec *codec);         /* reset by whoever begins a new group */
cq_buf *cq_codec_buffer(cq_batch_codec *codec, int which); /* 0 to 2, emptied; their memory is kept */

#endif
