/* SPDX-License-Identifier: Apache-2.0 */
/* The clear header of a batch and its sealed chunks (docs/formats/batch.md). */
#ifndef BATCH_HEADER_H
#define BATCH_HEADER_H

#include "batch/layout.h"
#include "chasqui/batch.h"

enum {
  CQ_HEADER_KEY_ID = 8,
  CQ_HEADER_SLOT = CQ_HEADER_KEY_ID + 32 + 16, /* of one recipient */
  CQ_HEADER_LEAST = 12,                        /* bytes until the file size has been read */
  CQ_CHUNK = 65536,
  CQ_CHUNK_TAG = 16,
  CQ_BATCH_SIGNATURE = 64
};
#define CQ_BATCH_PURPOSE "chasqui batch 1"

/* What stands in front of the sealed part; `content_size` is padded already. Draws the content key. Error:
 * batch.recipients. */
cq_status cq_header_write(cq_buf *out, cq_secret **content_key, const cq_batch_sender *sender,
                          const cq_seal_key *recipients, size_t recipient_count, size_t content_size,
                          const cq_random *random, cq_error *error);

/* The content key, by a recipient's secret. Error: batch.recipient. */
cq_status cq_header_key(cq_secret **content_key, const cq_batch_header *header, const void *bytes,
                        const cq_secret *secret, cq_error *error);

size_t cq_padded_size(size_t size);
size_t cq_sealed_size(size_t content_size);
void cq_chunks_seal(uint8_t *out, const uint8_t *content, size_t size, const cq_hash *header, const cq_secret *key);
/* Writes the content to `out`; its size is sealed size less the tags. False where a chunk does not authenticate. */
bool cq_chunks_open(uint8_t *out, const uint8_t *sealed, size_t size, const cq_hash *header, const cq_secret *key);

#endif
