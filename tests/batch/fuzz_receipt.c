/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts, orders, certificates and key files from outside. The first byte
 * chooses; odd: the rest is signed anew by the one who may, so that what stands
 * behind the signature is reached too.
 */
#include "tests/batch/fixture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fixture *f;

/* A right head and chain of the desk, the input after it, and a right signature. */
static void signed_anew(cq_buf *out, const char *magic, const char *purpose, size_t head, const uint8_t *data,
                        size_t size) {
  if (size < head) return;
  cq_buf_add(out, data, head);
  memcpy(out->at, magic, 4);
  out->at[4] = 1;
  out->at[5] = CQ_MODE_REAL;
  out->at[7] = 1;
  if (magic[3] == 'R') out->at[6] = CQ_ROLE_DESK;
  memcpy(out->at + (magic[3] == 'R' ? 12 : 8), f->programme.at, sizeof f->programme.at);
  cq_buf_add(out, f->desk.chain.link[0], CQ_CERTIFICATE_SIZE);
  cq_buf_add(out, data + head, size - head);
  cq_signature signature;
  if (cq_sign(&signature, purpose, out->at, out->size, f->desk.secret, NULL) != CQ_OK) abort();
  cq_buf_add(out, signature.at, sizeof signature.at);
}

static void as_receipt(const void *bytes, size_t size) {
  cq_receipt *receipt = malloc(sizeof *receipt);
  if (!receipt) abort();
  if (cq_receipt_read(receipt, bytes, size, &f->trust, NULL) == CQ_OK && receipt->count == 0) abort();
  free(receipt);
}

static void as_order(const void *bytes, size_t size) {
  cq_arena *arena = cq_arena_new(0);
  cq_order order;
  cq_hash name;
  if (cq_order_read(&order, &name, (cq_str){bytes, size}, arena, &f->trust, NULL) == CQ_OK &&
      !cq_order_kind_name(order.kind))
    abort();
  cq_arena_free(arena);
}

static void as_chain(const void *bytes, size_t size) {
  cq_chain chain;
  cq_certificate last;
  if (cq_chain_read(&chain, bytes, size, NULL) == CQ_OK) cq_chain_check(&last, &chain, CQ_ROLE_DEVICE, &f->trust, NULL);
}

static void as_key_file(const uint8_t *bytes, size_t size) {
  cq_key_file about;
  cq_key_file_read(&about, NULL, (cq_str){(const char *)bytes, size}, CQ_STR(""), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 1 << 18) return 0;
  if (!f) f = fixture_new(1, CQ_MODE_REAL);
  cq_buf bytes = {0};
  switch (data[0] % 6) {
  case 0: as_receipt(data + 1, size - 1); break;
  case 1:
    signed_anew(&bytes, "CHQR", "chasqui receipt 1", 52, data + 1, size - 1);
    as_receipt(bytes.at, bytes.size);
    break;
  case 2: as_order(data + 1, size - 1); break;
  case 3:
    signed_anew(&bytes, "CHQO", "chasqui order 1", 88, data + 1, size - 1);
    as_order(bytes.at, bytes.size);
    break;
  case 4: as_chain(data + 1, size - 1); break;
  default: as_key_file(data + 1, size - 1); break;
  }
  cq_buf_fini(&bytes);
  return 0;
}
