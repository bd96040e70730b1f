/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/header.h"
#include "batch/record_fields.h"
#include "batch/seal.h"

#include <sodium.h>
#include <string.h>

enum { FIXED = 92 };
static const char magic[4] = {'C', 'H', 'Q', 'B'};
static const char key_purpose[] = "chasqui batch key 1";

/* --- writing --- */

static void put_request(cq_buf *out, const cq_request *request) {
  cq_buf_add(out, request->seal.at, sizeof request->seal.at);
  cq_buf_add_char(out, request->has_predecessor ? 1 : 0);
  if (request->has_predecessor) {
    cq_buf_add(out, request->predecessor.at, sizeof request->predecessor.at);
    cq_put_u64(out, request->predecessor_number);
  }
  cq_buf_add_char(out, (char)request->note_size);
  cq_buf_add(out, request->note, request->note_size);
}

static size_t request_size(const cq_request *request) {
  return 32 + 1 + (request->has_predecessor ? 24u : 0u) + 1 + request->note_size;
}

static size_t header_size(const cq_batch_sender *sender, size_t recipient_count) {
  size_t own = sender->chain ? sender->chain->count * CQ_CERTIFICATE_SIZE : 32 + request_size(sender->request);
  return FIXED + own + 32 + recipient_count * CQ_HEADER_SLOT;
}

static void put_fixed(cq_buf *out, const cq_batch_sender *sender, size_t recipient_count, size_t content_size) {
  size_t size = header_size(sender, recipient_count);
  cq_buf_add(out, magic, sizeof magic);
  cq_buf_add(out, (uint8_t[]){CQ_BATCH_VERSION, (uint8_t)sender->mode}, 2);
  cq_put_u16(out, (uint16_t)size);
  cq_put_u32(out, (uint32_t)(size + cq_sealed_size(content_size) + CQ_BATCH_SIGNATURE));
  cq_buf_add(out, sender->programme.at, sizeof sender->programme.at);
  cq_put_u64(out, sender->number);
  cq_buf_add(out, sender->previous.at, sizeof sender->previous.at);
  cq_put_i64(out, sender->created_utc_ms);
  cq_put_u32(out, (uint32_t)cq_date_to_day(sender->working_date));
  cq_put_i64(out, sender->offset_known ? sender->offset_ms : INT64_MIN);
  uint8_t links = sender->chain ? (uint8_t)sender->chain->count : 0;
  cq_buf_add(out, (uint8_t[]){links ? 0 : 1, links, (uint8_t)recipient_count, 0}, 4);
}

static void key_id(uint8_t out[CQ_HEADER_KEY_ID], const cq_seal_key *key) {
  cq_hash hash = cq_hash_of(key->at, sizeof key->at);
  memcpy(out, hash.at, CQ_HEADER_KEY_ID);
}

static cq_status put_recipients(cq_buf *out, const cq_secret *content_key, const cq_seal_key *recipients,
                                size_t recipient_count, const cq_random *random, cq_error *error) {
  cq_seal_key ephemeral;
  cq_secret *ephemeral_secret = NULL;
  cq_status status = cq_seal_pair(&ephemeral, &ephemeral_secret, random, error);
  if (status == CQ_OK) cq_buf_add(out, ephemeral.at, sizeof ephemeral.at);
  for (size_t i = 0; status == CQ_OK && i < recipient_count; i++) {
    uint8_t slot[CQ_HEADER_SLOT];
    key_id(slot, &recipients[i]);
    status = cq_seal_with(slot + CQ_HEADER_KEY_ID, key_purpose, cq_secret_view(content_key), 32, &recipients[i],
                          &ephemeral, ephemeral_secret, error);
    if (status == CQ_OK) cq_buf_add(out, slot, sizeof slot);
  }
  cq_secret_free(ephemeral_secret);
  return status;
}

cq_status cq_header_write(cq_buf *out, cq_secret **content_key, const cq_batch_sender *sender,
                          const cq_seal_key *recipients, size_t recipient_count, size_t content_size,
                          const cq_random *random, cq_error *error) {
  cq_sign_key own;
  cq_status status = cq_sign_public(&own, sender->sign, error);
  if (status != CQ_OK) return status;
  *content_key = cq_secret_new(32);
  if (!*content_key) return cq_error_nomem(error);
  random->fill(random->context, cq_secret_bytes(*content_key), 32);
  put_fixed(out, sender, recipient_count, content_size);
  if (sender->chain) {
    for (size_t i = 0; i < sender->chain->count; i++) cq_buf_add(out, sender->chain->link[i], CQ_CERTIFICATE_SIZE);
  } else {
    cq_buf_add(out, own.at, sizeof own.at);
    put_request(out, sender->request);
  }
  status = put_recipients(out, *content_key, recipients, recipient_count, random, error);
  return status == CQ_OK && out->failed ? cq_error_nomem(error) : status;
}

/* --- reading --- */

static cq_status damaged(const cq_layout *layout, cq_error *error) {
  cq_error_set(error, CQ_DAMAGED, "batch.damaged", NULL);
  cq_error_at_offset(error, (int64_t)cq_layout_offset(layout));
  return CQ_DAMAGED;
}

static bool take_request(cq_batch_header *header, cq_layout *layout) {
  cq_request *request = &header->request;
  *request = (cq_request){.sign = header->sign};
  cq_layout_copy(layout, request->seal.at, sizeof request->seal.at);
  uint8_t has = cq_layout_u8(layout);
  request->has_predecessor = has == 1;
  if (has == 1) {
    cq_layout_copy(layout, request->predecessor.at, sizeof request->predecessor.at);
    request->predecessor_number = cq_layout_u64(layout);
  }
  request->note_size = cq_layout_u8(layout);
  if (has > 1 || request->note_size > CQ_REQUEST_NOTE_LIMIT) return false;
  cq_layout_copy(layout, request->note, request->note_size);
  return !layout->failed;
}

/* Who signs: by the chain's last link, or by the key that stands there with a request. */
static bool take_signer(cq_batch_header *header, cq_layout *layout) {
  if (header->has_request) {
    cq_layout_copy(layout, header->sign.at, sizeof header->sign.at);
    return take_request(header, layout);
  }
  for (size_t i = 0; i < header->chain.count; i++) cq_layout_copy(layout, header->chain.link[i], CQ_CERTIFICATE_SIZE);
  cq_certificate last;
  if (layout->failed ||
      cq_certificate_read(&last, header->chain.link[header->chain.count - 1], CQ_CERTIFICATE_SIZE, NULL) != CQ_OK)
    return false;
  header->sign = last.sign;
  return true;
}

static bool take_fixed(cq_batch_header *header, cq_layout *layout) {
  cq_layout_copy(layout, header->programme.at, sizeof header->programme.at);
  header->number = cq_layout_u64(layout);
  cq_layout_copy(layout, header->previous.at, sizeof header->previous.at);
  header->created_utc_ms = cq_layout_i64(layout);
  int32_t day = (int32_t)cq_layout_u32(layout);
  header->offset_ms = cq_layout_i64(layout);
  header->offset_known = header->offset_ms != INT64_MIN;
  if (!header->offset_known) header->offset_ms = 0;
  uint8_t request = cq_layout_u8(layout);
  header->has_request = request == 1;
  header->chain.count = cq_layout_u8(layout);
  header->recipient_count = cq_layout_u8(layout);
  uint8_t zero = cq_layout_u8(layout);
  if (layout->failed || day < CQ_DAY_LEAST || day > CQ_DAY_MOST) return false;
  header->working_date = cq_date_from_day(day);
  return cq_mode_name(header->mode) && header->number > 0 && request <= 1 && zero == 0 &&
         header->chain.count <= CQ_CHAIN_LINKS && header->has_request == (header->chain.count == 0) &&
         header->recipient_count >= 1 && header->recipient_count <= CQ_BATCH_MAX_RECIPIENTS &&
         cq_hash_is_zero(&header->previous) == (header->number == 1);
}

cq_status cq_batch_read_header(cq_batch_header *header, const void *bytes, size_t size, cq_error *error) {
  *header = (cq_batch_header){0};
  cq_layout layout = cq_layout_of(bytes, size);
  const uint8_t *start = cq_layout_take(&layout, sizeof magic);
  if (!start) return cq_error_set(error, CQ_DAMAGED, "batch.truncated", NULL);
  if (memcmp(start, magic, sizeof magic) != 0) return cq_error_set(error, CQ_INVALID, "batch.magic", NULL);
  uint8_t version = cq_layout_u8(&layout);
  if (layout.failed) return cq_error_set(error, CQ_DAMAGED, "batch.truncated", NULL);
  if (version > CQ_BATCH_VERSION) return cq_error_set(error, CQ_FUTURE, "batch.future", NULL);
  header->mode = (cq_mode)cq_layout_u8(&layout);
  header->header_size = cq_layout_u16(&layout);
  header->file_size = cq_layout_u32(&layout);
  if (layout.failed) return cq_error_set(error, CQ_DAMAGED, "batch.truncated", NULL);
  if (version == 0 || header->header_size < FIXED || header->header_size > CQ_BATCH_MAX_HEADER ||
      header->file_size > CQ_BATCH_MAX_SIZE ||
      header->file_size < header->header_size + CQ_CHUNK_TAG + CQ_BATCH_SIGNATURE)
    return damaged(&layout, error);
  if (size < header->header_size) return cq_error_set(error, CQ_DAMAGED, "batch.truncated", NULL);
  layout.end = layout.start + header->header_size;
  if (!take_fixed(header, &layout) || !take_signer(header, &layout)) return damaged(&layout, error);
  header->device = cq_device_id_of(&header->sign);
  cq_layout_take(&layout, 32); /* the ephemeral key */
  for (size_t i = 0; i < header->recipient_count; i++) {
    cq_layout_copy(&layout, header->recipient[i], CQ_HEADER_KEY_ID);
    cq_layout_take(&layout, CQ_HEADER_SLOT - CQ_HEADER_KEY_ID);
  }
  return layout.failed || cq_layout_left(&layout) > 0 ? damaged(&layout, error) : CQ_OK;
}

cq_status cq_header_key(cq_secret **content_key, const cq_batch_header *header, const void *bytes,
                        const cq_secret *secret, cq_error *error) {
  *content_key = NULL;
  cq_seal_key own, ephemeral;
  cq_status status = cq_seal_public(&own, secret, error);
  if (status != CQ_OK) return status;
  uint8_t id[CQ_HEADER_KEY_ID];
  key_id(id, &own);
  const uint8_t *slots =
      (const uint8_t *)bytes + header->header_size - header->recipient_count * (size_t)CQ_HEADER_SLOT;
  memcpy(ephemeral.at, slots - 32, sizeof ephemeral.at);
  cq_secret *key = cq_secret_new(32);
  if (!key) return cq_error_nomem(error);
  for (size_t i = 0; i < header->recipient_count; i++) {
    const uint8_t *slot = slots + i * CQ_HEADER_SLOT;
    if (memcmp(slot, id, sizeof id) != 0) continue;
    if (!cq_unseal_with(cq_secret_bytes(key), key_purpose, slot + CQ_HEADER_KEY_ID, 32 + 16, &ephemeral, secret))
      continue;
    *content_key = key;
    return CQ_OK;
  }
  cq_secret_free(key);
  return cq_error_set(error, CQ_REFUSED, "batch.recipient", NULL);
}

/* --- padding and chunks --- */

size_t cq_padded_size(size_t size) {
  if (size < 256) return 256;
  unsigned exponent = 0, bits = 0;
  for (size_t left = size; left > 1; left >>= 1) exponent++;
  for (unsigned left = exponent; left > 0; left >>= 1) bits++;
  size_t step = (size_t)1 << (exponent - bits);
  if (step < 64) step = 64;
  return (size + step - 1) / step * step;
}

size_t cq_sealed_size(size_t content_size) {
  size_t chunks = (content_size + CQ_CHUNK - 1) / CQ_CHUNK;
  return content_size + chunks * CQ_CHUNK_TAG;
}

static void chunk_nonce(uint8_t nonce[12], uint64_t index, bool last) {
  for (int i = 0; i < 8; i++) nonce[i] = (uint8_t)(index >> (8 * i));
  nonce[8] = last ? 1 : 0;
  nonce[9] = nonce[10] = nonce[11] = 0;
}

void cq_chunks_seal(uint8_t *out, const uint8_t *content, size_t size, const cq_hash *header, const cq_secret *key) {
  uint8_t nonce[12];
  for (uint64_t index = 0; size > 0; index++) {
    size_t chunk = size < CQ_CHUNK ? size : CQ_CHUNK;
    chunk_nonce(nonce, index, chunk == size);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, content, chunk, header->at, sizeof header->at, NULL, nonce,
                                              cq_secret_view(key));
    out += chunk + CQ_CHUNK_TAG;
    content += chunk;
    size -= chunk;
  }
}

bool cq_chunks_open(uint8_t *out, const uint8_t *sealed, size_t size, const cq_hash *header, const cq_secret *key) {
  uint8_t nonce[12];
  for (uint64_t index = 0; size > 0; index++) {
    size_t chunk = size < CQ_CHUNK + CQ_CHUNK_TAG ? size : CQ_CHUNK + CQ_CHUNK_TAG;
    if (chunk <= CQ_CHUNK_TAG) return false;
    chunk_nonce(nonce, index, chunk == size);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, chunk, header->at, sizeof header->at, nonce,
                                                  cq_secret_view(key)) != 0)
      return false;
    out += chunk - CQ_CHUNK_TAG;
    sealed += chunk;
    size -= chunk;
  }
  return true;
}
