/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/receipt.h"
#include "batch/layout.h"

#include <string.h>

enum { VERSION = 1, HEAD = 52, ENTRY = 8 + 32 + 1, SIGNATURE = 64 };
_Static_assert(HEAD + CQ_CHAIN_LINKS * CQ_CERTIFICATE_SIZE + CQ_RECEIPT_MAX_BATCHES * ENTRY + SIGNATURE <=
                   CQ_RECEIPT_LIMIT,
               "the longest receipt fits its limit");
static const char magic[4] = {'C', 'H', 'Q', 'R'};
static const char purpose[] = "chasqui receipt 1";

const char *cq_receipt_state_name(cq_receipt_state state) {
  static const char *const names[] = {NULL, "kept", "held", "opened", "refused"};
  return state >= CQ_RECEIPT_KEPT && state <= CQ_RECEIPT_REFUSED ? names[state] : NULL;
}

/* What a signer may say: a post cannot open, so it can neither say "opened" nor "refused". */
static bool may_say(cq_role signer, cq_receipt_state state) {
  if (!cq_receipt_state_name(state)) return false;
  if (signer == CQ_ROLE_DESK) return true;
  return signer == CQ_ROLE_POST && (state == CQ_RECEIPT_KEPT || state == CQ_RECEIPT_HELD);
}

const char *cq_receipt_reason_name(unsigned reason) {
  static const char *const names[] = {"", "unknown", "revoked", "hold", "ahead", "seal", "content", "form", "foreign"};
  return reason < sizeof names / sizeof *names ? names[reason] : "";
}

cq_status cq_receipt_write(cq_buf *out, const cq_receipt *receipt, const cq_chain *chain, const cq_secret *sign,
                           cq_error *error) {
  if (receipt->count < 1 || receipt->count > CQ_RECEIPT_MAX_BATCHES)
    return cq_error_set(error, CQ_LIMIT, "receipt.many", NULL);
  for (size_t i = 0; i < receipt->count; i++)
    if (!may_say(receipt->signer, receipt->batches[i].state))
      return cq_error_set(error, CQ_INVALID, "receipt.state", NULL);
  if (chain->count < 1 || chain->count > CQ_CHAIN_LINKS)
    return cq_error_set(error, CQ_INVALID, "certificate.damaged", NULL);
  size_t start = out->size;
  cq_buf_add(out, magic, sizeof magic);
  cq_buf_add(out, (uint8_t[]){VERSION, (uint8_t)receipt->mode, (uint8_t)receipt->signer, (uint8_t)chain->count}, 4);
  cq_put_u16(out, (uint16_t)receipt->count);
  cq_put_u16(out, 0);
  cq_buf_add(out, receipt->programme.at, sizeof receipt->programme.at);
  cq_buf_add(out, receipt->device.at, sizeof receipt->device.at);
  cq_put_i64(out, receipt->made_utc_ms);
  for (size_t i = 0; i < chain->count; i++) cq_buf_add(out, chain->link[i], CQ_CERTIFICATE_SIZE);
  for (size_t i = 0; i < receipt->count; i++) {
    cq_put_u64(out, receipt->batches[i].number);
    cq_buf_add(out, receipt->batches[i].hash.at, sizeof receipt->batches[i].hash.at);
    cq_buf_add_char(out, (char)(receipt->batches[i].state | (receipt->batches[i].reason & 15u) << 4));
  }
  if (out->failed) return cq_error_nomem(error);
  cq_signature signature;
  cq_status status = cq_sign(&signature, purpose, out->at + start, out->size - start, sign, error);
  if (status != CQ_OK) return status;
  cq_buf_add(out, signature.at, sizeof signature.at);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status read_entries(cq_receipt *receipt, cq_layout *layout, cq_error *error) {
  for (size_t i = 0; i < receipt->count; i++) {
    cq_receipt_batch *batch = &receipt->batches[i];
    batch->number = cq_layout_u64(layout);
    cq_layout_copy(layout, batch->hash.at, sizeof batch->hash.at);
    uint8_t state = cq_layout_u8(layout);
    batch->state = (cq_receipt_state)(state & 15);
    batch->reason = state >> 4;
    if (!cq_receipt_state_name(batch->state)) return cq_error_set(error, CQ_DAMAGED, "receipt.damaged", NULL);
    if (!may_say(receipt->signer, batch->state)) return cq_error_set(error, CQ_REFUSED, "receipt.state", NULL);
  }
  return CQ_OK;
}

cq_status cq_receipt_read(cq_receipt *receipt, const void *bytes, size_t size, const cq_trust *trust, cq_error *error) {
  receipt->count = 0;
  cq_layout layout = cq_layout_of(bytes, size);
  const uint8_t *start = cq_layout_take(&layout, sizeof magic);
  uint8_t version = cq_layout_u8(&layout);
  if (size < sizeof magic + 1) return cq_error_set(error, CQ_DAMAGED, "receipt.truncated", NULL);
  if (memcmp(start, magic, sizeof magic) != 0 || version == 0)
    return cq_error_set(error, CQ_INVALID, "receipt.magic", NULL);
  if (version > VERSION) return cq_error_set(error, CQ_FUTURE, "receipt.future", NULL);
  receipt->mode = (cq_mode)cq_layout_u8(&layout);
  receipt->signer = (cq_role)cq_layout_u8(&layout);
  cq_chain chain = {.count = cq_layout_u8(&layout)};
  size_t count = cq_layout_u16(&layout);
  uint16_t zero = cq_layout_u16(&layout);
  cq_layout_copy(&layout, receipt->programme.at, sizeof receipt->programme.at);
  cq_layout_copy(&layout, receipt->device.at, sizeof receipt->device.at);
  receipt->made_utc_ms = cq_layout_i64(&layout);
  if (layout.failed) return cq_error_set(error, CQ_DAMAGED, "receipt.truncated", NULL);
  if (chain.count < 1 || chain.count > CQ_CHAIN_LINKS || count < 1 || count > CQ_RECEIPT_MAX_BATCHES || zero != 0 ||
      !cq_mode_name(receipt->mode) || (receipt->signer != CQ_ROLE_POST && receipt->signer != CQ_ROLE_DESK))
    return cq_error_set(error, CQ_DAMAGED, "receipt.damaged", NULL);
  size_t whole = HEAD + chain.count * CQ_CERTIFICATE_SIZE + count * ENTRY + SIGNATURE;
  if (size < whole) return cq_error_set(error, CQ_DAMAGED, "receipt.truncated", NULL);
  if (size > whole) return cq_error_set(error, CQ_DAMAGED, "receipt.damaged", NULL);
  if (!cq_programme_id_equal(&receipt->programme, &trust->programme))
    return cq_error_set(error, CQ_REFUSED, "receipt.programme", NULL);
  if (receipt->mode != trust->mode) return cq_error_set(error, CQ_REFUSED, "receipt.mode", NULL);

  for (size_t i = 0; i < chain.count; i++) cq_layout_copy(&layout, chain.link[i], CQ_CERTIFICATE_SIZE);
  cq_certificate signer;
  cq_status status = cq_chain_check(&signer, &chain, receipt->signer, trust, error);
  if (status != CQ_OK) return status;
  cq_signature signature;
  memcpy(signature.at, (const uint8_t *)bytes + size - SIGNATURE, SIGNATURE);
  if (!cq_signature_right(&signature, purpose, bytes, size - SIGNATURE, &signer.sign))
    return cq_error_set(error, CQ_REFUSED, "receipt.signature", NULL);
  receipt->count = count;
  status = read_entries(receipt, &layout, error);
  if (status != CQ_OK) receipt->count = 0;
  return status;
}
