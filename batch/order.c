/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/order.h"
#include "batch/layout.h"

#include <string.h>

enum { VERSION = 1, SALT = 32, SIGNATURE = 64, MAX_CODE = 255 };
static const char magic[4] = {'C', 'H', 'Q', 'O'};
static const char purpose[] = "chasqui order 1";

const char *cq_order_kind_name(cq_order_kind kind) {
  static const char *const names[] = {NULL,       "approve", "revoke",        "release",
                                      "erase",    "void",    "merge-persons", "split-persons",
                                      "not-same", "correct", "choose",        "freeze"};
  return kind >= CQ_ORDER_APPROVE && kind <= CQ_ORDER_FREEZE ? names[kind] : NULL;
}

static const char *wrong_field(const cq_order *order) {
  if (!cq_mode_name(order->mode)) return "mode";
  if (!cq_order_kind_name(order->kind)) return "kind";
  if (!cq_text_plain(order->by, MAX_CODE)) return "by";
  if (!cq_text_plain(order->reason, CQ_ORDER_MAX_TEXT)) return "reason";
  if (order->target_count > CQ_ORDER_MAX_TARGETS) return "targets";
  if (order->batch_count > CQ_ORDER_MAX_TARGETS) return "batches";
  if (order->text_count > CQ_ORDER_MAX_TEXTS) return "texts";
  /* a corrected answer may hold line breaks: well-formed is all that is asked */
  for (size_t i = 0; i < order->text_count; i++)
    if (order->texts[i].size > CQ_ORDER_MAX_TEXT || !cq_utf8_valid(order->texts[i])) return "texts";
  return NULL;
}

cq_status cq_order_write(cq_buf *out, cq_hash *name, const cq_order *order, const cq_chain *chain,
                         const cq_secret *sign, const cq_random *random, cq_error *error) {
  const char *wrong = wrong_field(order);
  if (wrong) return cq_error_set(error, CQ_INVALID, "order.field", wrong, NULL);
  cq_sign_key key;
  cq_status status = cq_sign_public(&key, sign, error);
  if (status != CQ_OK) return status;
  size_t start = out->size, links = chain ? chain->count : 0;
  uint8_t salt[SALT];
  random->fill(random->context, salt, sizeof salt);
  cq_buf_add(out, magic, sizeof magic);
  cq_buf_add(out, (uint8_t[]){VERSION, (uint8_t)order->mode, (uint8_t)order->kind, (uint8_t)links}, 4);
  cq_buf_add(out, order->programme.at, sizeof order->programme.at);
  cq_buf_add(out, order->device.at, sizeof order->device.at);
  cq_put_u64(out, order->number);
  cq_put_i64(out, order->made_utc_ms);
  cq_buf_add(out, salt, sizeof salt);
  for (size_t i = 0; i < links; i++) cq_buf_add(out, chain->link[i], CQ_CERTIFICATE_SIZE);
  if (links == 0) cq_buf_add(out, key.at, sizeof key.at);
  cq_put_text(out, order->by);
  cq_put_text(out, order->reason);
  cq_put_varint(out, order->target_count);
  for (size_t i = 0; i < order->target_count; i++) cq_buf_add(out, order->targets[i].at, sizeof(cq_hash));
  cq_put_varint(out, order->batch_count);
  for (size_t i = 0; i < order->batch_count; i++) cq_buf_add(out, order->batches[i].at, sizeof(cq_hash));
  cq_put_varint(out, order->text_count);
  for (size_t i = 0; i < order->text_count; i++) cq_put_text(out, order->texts[i]);
  if (out->failed) return cq_error_nomem(error);
  cq_signature signature;
  status = cq_sign(&signature, purpose, out->at + start, out->size - start, sign, error);
  if (status != CQ_OK) return status;
  cq_buf_add(out, signature.at, sizeof signature.at);
  if (out->failed) return cq_error_nomem(error);
  if (out->size - start > CQ_ORDER_LIMIT) return cq_error_set(error, CQ_LIMIT, "order.large", NULL);
  *name = cq_hash_of(out->at + start, out->size - start);
  return CQ_OK;
}

/* Whose key signed: a desk's or coordinator's by its chain, or a programme key itself. */
static cq_status signer_key(cq_sign_key *key, cq_role *role, cq_layout *layout, size_t links, const cq_trust *trust,
                            cq_error *error) {
  if (links == 0) {
    *role = CQ_ROLE_PROGRAMME;
    cq_layout_copy(layout, key->at, sizeof key->at);
    for (size_t i = 0; i < trust->key_count; i++)
      if (memcmp(trust->keys[i].at, key->at, sizeof key->at) == 0) return CQ_OK;
    return cq_error_set(error, CQ_REFUSED, "certificate.issuer", NULL);
  }
  cq_chain chain = {.count = links};
  for (size_t i = 0; i < links; i++) cq_layout_copy(layout, chain.link[i], CQ_CERTIFICATE_SIZE);
  if (layout->failed) return cq_error_set(error, CQ_DAMAGED, "order.truncated", NULL);
  cq_certificate last;
  cq_status status = cq_certificate_read(&last, chain.link[links - 1], CQ_CERTIFICATE_SIZE, error);
  if (status != CQ_OK) return status;
  *role = last.role == CQ_ROLE_COORDINATOR ? CQ_ROLE_COORDINATOR : CQ_ROLE_DESK;
  status = cq_chain_check(&last, &chain, *role, trust, error);
  *key = last.sign;
  return status;
}

static cq_status read_hashes(const cq_hash **hashes, size_t *count, cq_layout *layout, cq_arena *arena,
                             cq_error *error) {
  *hashes = NULL;
  uint64_t many = cq_layout_varint(layout);
  if (many > CQ_ORDER_MAX_TARGETS) layout->failed = true;
  *count = layout->failed ? 0 : (size_t)many;
  if (*count == 0) return CQ_OK;
  cq_hash *made = cq_arena_array(arena, *count, sizeof *made);
  if (!made) return cq_error_nomem(error);
  for (size_t i = 0; i < *count; i++) cq_layout_copy(layout, made[i].at, sizeof made[i].at);
  *hashes = made;
  return CQ_OK;
}

static cq_status read_body(cq_order *order, cq_layout *layout, cq_arena *arena, cq_error *error) {
  order->by = cq_layout_text(layout, MAX_CODE);
  order->reason = cq_layout_text(layout, CQ_ORDER_MAX_TEXT);
  cq_status status = read_hashes(&order->targets, &order->target_count, layout, arena, error);
  if (status == CQ_OK) status = read_hashes(&order->batches, &order->batch_count, layout, arena, error);
  if (status != CQ_OK) return status;
  uint64_t many = cq_layout_varint(layout);
  if (many > CQ_ORDER_MAX_TEXTS) layout->failed = true;
  order->text_count = layout->failed ? 0 : (size_t)many;
  if (order->text_count > 0) {
    cq_str *texts = cq_arena_array(arena, order->text_count, sizeof *texts);
    if (!texts) return cq_error_nomem(error);
    for (size_t i = 0; i < order->text_count; i++) texts[i] = cq_layout_text(layout, CQ_ORDER_MAX_TEXT);
    order->texts = texts;
  }
  if (layout->failed || cq_layout_left(layout) > 0 || wrong_field(order))
    return cq_error_set(error, CQ_DAMAGED, "order.damaged", NULL);
  return CQ_OK;
}

cq_status cq_order_read(cq_order *order, cq_hash *name, cq_str bytes, cq_arena *arena, const cq_trust *trust,
                        cq_error *error) {
  *order = (cq_order){0};
  if (bytes.size < sizeof magic + 1) return cq_error_set(error, CQ_DAMAGED, "order.truncated", NULL);
  if (memcmp(bytes.at, magic, sizeof magic) != 0 || bytes.at[4] == 0)
    return cq_error_set(error, CQ_INVALID, "order.magic", NULL);
  if ((uint8_t)bytes.at[4] > VERSION) return cq_error_set(error, CQ_FUTURE, "order.future", NULL);
  if (bytes.size > CQ_ORDER_LIMIT) return cq_error_set(error, CQ_LIMIT, "order.large", NULL);
  if (bytes.size < SIGNATURE + 5) return cq_error_set(error, CQ_DAMAGED, "order.truncated", NULL);
  cq_layout layout = cq_layout_of(bytes.at, bytes.size - SIGNATURE);
  cq_layout_take(&layout, sizeof magic + 1);
  order->mode = (cq_mode)cq_layout_u8(&layout);
  order->kind = (cq_order_kind)cq_layout_u8(&layout);
  size_t links = cq_layout_u8(&layout);
  cq_layout_copy(&layout, order->programme.at, sizeof order->programme.at);
  cq_layout_copy(&layout, order->device.at, sizeof order->device.at);
  order->number = cq_layout_u64(&layout);
  order->made_utc_ms = cq_layout_i64(&layout);
  cq_layout_take(&layout, SALT);
  if (layout.failed) return cq_error_set(error, CQ_DAMAGED, "order.truncated", NULL);
  if (links > CQ_CHAIN_LINKS) return cq_error_set(error, CQ_DAMAGED, "order.damaged", NULL);
  if (!cq_programme_id_equal(&order->programme, &trust->programme))
    return cq_error_set(error, CQ_REFUSED, "order.programme", NULL);
  if (order->mode != trust->mode) return cq_error_set(error, CQ_REFUSED, "order.mode", NULL);
  cq_sign_key key;
  cq_status status = signer_key(&key, &order->signer, &layout, links, trust, error);
  if (status != CQ_OK) return status;
  cq_signature signature;
  memcpy(signature.at, bytes.at + bytes.size - SIGNATURE, SIGNATURE);
  if (!cq_signature_right(&signature, purpose, bytes.at, bytes.size - SIGNATURE, &key))
    return cq_error_set(error, CQ_REFUSED, "order.signature", NULL);
  *name = cq_hash_of(bytes.at, bytes.size);
  return read_body(order, &layout, arena, error);
}

/* --- the word of a device --- */

enum { WORD_SIZE = 52 };
static const uint8_t word_head[8] = {'C', 'H', 'Q', 'E', 1};

void cq_erasure_word_write(cq_buf *out, const cq_erasure_word *word) {
  cq_buf_add(out, word_head, sizeof word_head);
  cq_buf_add(out, word->order.at, sizeof word->order.at);
  cq_put_i64(out, word->made_utc_ms);
  cq_put_u32(out, word->held);
}

bool cq_erasure_word_read(cq_erasure_word *word, cq_str bytes) {
  *word = (cq_erasure_word){0};
  if (bytes.size != WORD_SIZE || memcmp(bytes.at, word_head, sizeof word_head) != 0) return false;
  cq_layout layout = cq_layout_of(bytes.at, bytes.size);
  cq_layout_take(&layout, sizeof word_head);
  cq_layout_copy(&layout, word->order.at, sizeof word->order.at);
  word->made_utc_ms = cq_layout_i64(&layout);
  word->held = cq_layout_u32(&layout);
  return !layout.failed;
}
