/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: what a post (kept) and a desk (opened) answer to batches
 * (docs/formats/receipt.md). Only an "opened" of the desk lets a laptop purge.
 * One receipt covers many batches of one device with one signature.
 */
#ifndef CHASQUI_RECEIPT_H
#define CHASQUI_RECEIPT_H

#include "chasqui/certificate.h"

typedef enum {
  CQ_RECEIPT_KEPT = 1,   /* by a post: verified, stored sealed, durable */
  CQ_RECEIPT_HELD = 2,   /* by a post or desk: stored apart; the device is unknown or revoked */
  CQ_RECEIPT_OPENED = 3, /* by the desk: opened, every record's name computed again, merged durably */
  CQ_RECEIPT_REFUSED = 4 /* by the desk: verified, and its content is not as it should be */
} cq_receipt_state;
const char *cq_receipt_state_name(cq_receipt_state state);

/* Why a batch is held or refused. */
typedef enum {
  CQ_REASON_NONE = 0,
  CQ_REASON_UNKNOWN = 1, /* held: the device is not approved */
  CQ_REASON_REVOKED = 2, /* held */
  CQ_REASON_HOLD = 3,    /* held: by a person's decision */
  CQ_REASON_AHEAD = 4,   /* held: dated after the desk's day */
  CQ_REASON_SEAL = 5,    /* refused: not sealed to this desk, or by another than its signer */
  CQ_REASON_CONTENT = 6, /* refused */
  CQ_REASON_FORM = 7,    /* refused: packed against a form that is not known */
  CQ_REASON_FOREIGN = 8  /* refused: of another programme or mode inside */
} cq_receipt_reason;
/* "unknown", "revoked", …; "" for none and for those of newer versions. */
const char *cq_receipt_reason_name(unsigned reason);

enum { CQ_RECEIPT_MAX_BATCHES = 1000, CQ_RECEIPT_LIMIT = 64 << 10 };

typedef struct cq_receipt_batch {
  uint64_t number;
  cq_hash hash;
  cq_receipt_state state;
  uint8_t reason; /* of held and refused; cq_receipt_reason, at most 15 */
} cq_receipt_batch;

typedef struct cq_receipt {
  cq_mode mode;
  cq_programme_id programme;
  cq_device_id device;
  int64_t made_utc_ms; /* the signer's clock */
  cq_role signer;      /* CQ_ROLE_POST or CQ_ROLE_DESK */
  size_t count;
  cq_receipt_batch batches[CQ_RECEIPT_MAX_BATCHES];
} cq_receipt;

/* Appends. `signer` must be certified by `chain` (post or desk). Errors: receipt.state (a post does not open),
 * receipt.many, those of certificates. */
cq_status cq_receipt_write(cq_buf *out, const cq_receipt *receipt, const cq_chain *chain, const cq_secret *sign,
                           cq_error *error);
/*
 * Verifies, then reads. Errors: receipt.magic, receipt.future, receipt.truncated, receipt.damaged, receipt.signature,
 * receipt.programme, receipt.mode, receipt.state, and those of cq_chain_check.
 */
cq_status cq_receipt_read(cq_receipt *receipt, const void *bytes, size_t size, const cq_trust *trust, cq_error *error);

#endif
