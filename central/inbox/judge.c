/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/judge.h"
#include "chasqui/order.h"
#include "chasqui/receipt.h"

#include <stdlib.h>
#include <string.h>

void judged_fini(judged *j) {
  cq_bundle_free(j->bundle);
  free(j->devices);
  free(j->erase);
  memset(j, 0, sizeof *j);
}

static bool code_ends(const cq_error *error, const char *end) {
  size_t size = strlen(error->code), end_size = strlen(end);
  return size >= end_size && strcmp(error->code + size - end_size, end) == 0;
}

/* The outcome that tells a failure of the batch room's verifiers. */
static cq_outcome outcome_of(const cq_error *error, cq_mode ours) {
  if (error->status == CQ_FUTURE) return CQ_OUTCOME_FUTURE;
  if (code_ends(error, ".programme")) return CQ_OUTCOME_PROGRAMME;
  if (code_ends(error, ".mode")) return ours == CQ_MODE_REAL ? CQ_OUTCOME_PRACTICE : CQ_OUTCOME_REAL;
  if (strncmp(error->code, "certificate.", 12) == 0) return CQ_OUTCOME_CERTIFICATE;
  if (code_ends(error, ".signature") || code_ends(error, ".key")) return CQ_OUTCOME_SIGNATURE;
  if (code_ends(error, ".large") || code_ends(error, ".size")) return CQ_OUTCOME_LARGE;
  if (code_ends(error, ".older")) return CQ_OUTCOME_STALE;
  return CQ_OUTCOME_DAMAGED;
}

static cq_status news_for(judged *j, const cq_device_id *device, cq_error *error) {
  cq_device_id *more = realloc(j->devices, (j->device_count + 1) * sizeof *more);
  if (!more) return cq_error_nomem(error);
  j->devices = more;
  more[j->device_count++] = *device;
  return CQ_OK;
}

static cq_status news_for_all(judged *j, cq_error *error) {
  const cq_device_id all = {0};
  return news_for(j, &all, error);
}

static bool last_link(const cq_chain *chain, cq_certificate *last) {
  return chain->count > 0 &&
         cq_certificate_read(last, chain->link[chain->count - 1], CQ_CERTIFICATE_SIZE, NULL) == CQ_OK;
}

cq_status judge_recipients(judged *j, const cq_batch_header *header, const cq_bundle *believed, cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(believed);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < content->device_count && !status; i++) {
    cq_certificate device;
    if (!last_link(&content->devices[i], &device)) continue;
    cq_hash hash = cq_hash_of(device.seal.at, sizeof device.seal.at);
    cq_device_id id = cq_device_id_of(&device.sign);
    for (size_t k = 0; k < header->recipient_count; k++) {
      if (memcmp(header->recipient[k], hash.at, sizeof header->recipient[k]) != 0) continue;
      status = news_for(j, &id, error);
      break;
    }
  }
  return status;
}

cq_outcome judge_held(const cq_batch_header *header, const cq_bundle *believed) {
  const cq_trust *trust = cq_bundle_trust(believed);
  const cq_revocation *revoked = cq_trust_revocation(trust, &header->device);
  if (revoked && header->number > revoked->last_trusted) return CQ_OUTCOME_HELD_REVOKED;
  const cq_chain *chain = cq_bundle_device(believed, &header->device);
  cq_certificate device;
  if (!chain || cq_chain_check(&device, chain, CQ_ROLE_DEVICE, trust, NULL) != CQ_OK ||
      memcmp(device.sign.at, header->sign.at, sizeof header->sign.at) != 0) {
    return CQ_OUTCOME_HELD_UNKNOWN;
  }
  return CQ_OUTCOME_KEPT;
}

static cq_status judge_batch(judged *j, cq_str bytes, const cq_bundle *believed, cq_error *error) {
  const cq_trust *trust = cq_bundle_trust(believed);
  cq_batch_header header;
  cq_standing standing = CQ_STANDING_UNKNOWN;
  const char *why = NULL;
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_batch_verify(&header, &j->item.hash, &standing, &why, bytes.at, bytes.size, trust, &wrong);
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  if (status) {
    j->item.outcome = outcome_of(&wrong, trust->mode);
    return CQ_OK;
  }
  j->item.device = header.device;
  j->item.number = header.number;
  cq_certificate signer;
  if (standing == CQ_STANDING_CERTIFIED) {
    j->item.outcome = CQ_OUTCOME_KEPT;
    if (last_link(&header.chain, &signer) && signer.role == CQ_ROLE_DESK) {
      return judge_recipients(j, &header, believed, error);
    }
    return CQ_OK;
  }
  j->item.outcome = standing == CQ_STANDING_REVOKED ? CQ_OUTCOME_HELD_REVOKED : judge_held(&header, believed);
  return CQ_OK;
}

static cq_status judge_bundle(judged *j, cq_str bytes, const cq_bundle *believed, cq_error *error) {
  const cq_trust *trust = cq_bundle_trust(believed);
  cq_error wrong;
  cq_error_clear(&wrong);
  bool newer = false;
  cq_status status = cq_bundle_read(&j->bundle, bytes.at, bytes.size, &trust->programme, &wrong);
  if (!status) status = cq_bundle_succeeds(j->bundle, believed, &newer, &wrong);
  if (status == CQ_NOMEM) return cq_error_nomem(error);
  j->item.outcome = status ? outcome_of(&wrong, trust->mode) : CQ_OUTCOME_KEPT;
  if (!status) j->item.number = cq_bundle_content_of(j->bundle)->number;
  if (newer) return news_for_all(j, error);
  cq_bundle_free(j->bundle);
  j->bundle = NULL;
  /* The one that is believed already, which post_take finds by its hash; anything else is no news. */
  if (!status) j->item.outcome = CQ_OUTCOME_STALE;
  return CQ_OK;
}

static cq_status judge_receipt(judged *j, cq_str bytes, const cq_trust *trust, cq_error *error) {
  cq_receipt *receipt = malloc(sizeof *receipt);
  if (!receipt) return cq_error_nomem(error);
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_receipt_read(receipt, bytes.at, bytes.size, trust, &wrong);
  if (status == CQ_OK) {
    /* Receipts of a post reach the device with the courier that brought its batch. */
    j->item.outcome = receipt->signer == CQ_ROLE_DESK ? CQ_OUTCOME_KEPT : CQ_OUTCOME_CERTIFICATE;
    j->item.device = receipt->device;
    status = news_for(j, &receipt->device, error);
  } else if (status != CQ_NOMEM) {
    j->item.outcome = outcome_of(&wrong, trust->mode);
    status = CQ_OK;
  } else {
    cq_error_nomem(error);
  }
  free(receipt);
  return status;
}

static cq_status judge_chain(judged *j, cq_str bytes, const cq_trust *trust, cq_error *error) {
  cq_chain chain;
  cq_certificate device;
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_chain_read(&chain, bytes.at, bytes.size, &wrong);
  if (!status) status = cq_chain_check(&device, &chain, CQ_ROLE_DEVICE, trust, &wrong);
  if (status) {
    j->item.outcome = outcome_of(&wrong, trust->mode);
    return CQ_OK;
  }
  j->item.outcome = CQ_OUTCOME_KEPT;
  j->item.device = cq_device_id_of(&device.sign);
  return news_for(j, &j->item.device, error);
}

static cq_status judge_order(judged *j, cq_str bytes, const cq_trust *trust, cq_error *error) {
  cq_arena *arena = cq_arena_new(4 << 20);
  if (!arena) return cq_error_nomem(error);
  cq_order order;
  cq_hash name;
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = cq_order_read(&order, &name, bytes, arena, trust, &wrong);
  if (status == CQ_OK) {
    j->item.outcome = CQ_OUTCOME_KEPT;
    j->item.device = order.device;
    if (order.kind == CQ_ORDER_ERASE && order.batch_count) {
      j->erase = malloc(order.batch_count * sizeof *j->erase);
      if (j->erase) memcpy(j->erase, order.batches, order.batch_count * sizeof *j->erase);
      j->erase_count = j->erase ? order.batch_count : 0;
    }
    status =
        order.kind == CQ_ORDER_ERASE && order.batch_count && !j->erase ? cq_error_nomem(error) : news_for_all(j, error);
  } else if (status != CQ_NOMEM) {
    j->item.outcome = outcome_of(&wrong, trust->mode);
    status = CQ_OK;
  } else {
    cq_error_nomem(error);
  }
  cq_arena_free(arena);
  return status;
}

cq_status judge(judged *j, cq_str bytes, const cq_bundle *believed, cq_error *error) {
  memset(j, 0, sizeof *j);
  const cq_trust *trust = cq_bundle_trust(believed);
  j->item.size = bytes.size;
  j->item.kind = cq_parcel_kind_of(bytes.at, bytes.size);
  j->item.outcome = CQ_OUTCOME_DAMAGED;
  j->item.hash = cq_hash_of(bytes.at, bytes.size);
  switch (j->item.kind) {
  case CQ_PARCEL_BATCH: return judge_batch(j, bytes, believed, error);
  case CQ_PARCEL_BUNDLE: return judge_bundle(j, bytes, believed, error);
  case CQ_PARCEL_RECEIPT: return judge_receipt(j, bytes, trust, error);
  case CQ_PARCEL_CHAIN: return judge_chain(j, bytes, trust, error);
  case CQ_PARCEL_ORDER: return judge_order(j, bytes, trust, error);
  case CQ_PARCEL_KEY: /* a secret: it is not kept, not even apart */
  case CQ_PARCEL_NONE: break;
  }
  return CQ_OK;
}
