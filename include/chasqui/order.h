/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders: people's decisions as signed entries of the same set as the records
 * (docs/formats/receipt.md, section Orders), so that a rebuild keeps them. Those
 * that concern devices travel in bundles; the rest stays in the desk's vault or
 * goes to the post (erase). A header of its own because desk, post and devices
 * all obey them.
 */
#ifndef CHASQUI_ORDER_H
#define CHASQUI_ORDER_H

#include "chasqui/arena.h"
#include "chasqui/certificate.h"

typedef enum {
  CQ_ORDER_APPROVE = 1,       /* device: certify it */
  CQ_ORDER_REVOKE = 2,        /* device; number: the last trusted */
  CQ_ORDER_RELEASE = 3,       /* device; number: held batches up to it may be merged; targets: or these batches */
  CQ_ORDER_ERASE = 4,         /* targets: names of records; batches: the batches that hold them */
  CQ_ORDER_VOID = 5,          /* targets: records that count no more, and stay readable */
  CQ_ORDER_MERGE_PERSONS = 6, /* texts: dataset, entity ids; the first stays */
  CQ_ORDER_SPLIT_PERSONS = 7, /* targets: the order that merged them */
  CQ_ORDER_NOT_SAME = 8,      /* texts: dataset, two entity ids that are two persons */
  CQ_ORDER_CORRECT = 9, /* targets: a record; texts: path, value. Holds an answer: never leaves a vault unsealed */
  CQ_ORDER_CHOOSE = 10, /* targets: of records in conflict the one that counts, then the others */
  CQ_ORDER_FREEZE = 11  /* figures as they were published: docs/formats/receipt.md, section Snapshots */
} cq_order_kind;
const char *cq_order_kind_name(cq_order_kind kind);

enum { CQ_ORDER_MAX_TARGETS = 4096, CQ_ORDER_MAX_TEXTS = 64, CQ_ORDER_MAX_TEXT = 4096, CQ_ORDER_LIMIT = 512 << 10 };

typedef struct cq_order {
  cq_mode mode;
  cq_order_kind kind;
  cq_programme_id programme;
  int64_t made_utc_ms;
  cq_str by;           /* code of the person who decided, never a name */
  cq_str reason;       /* a line; no personal data */
  cq_device_id device; /* zero where the kind has none */
  uint64_t number;
  const cq_hash *targets;
  size_t target_count;
  const cq_hash *batches;
  size_t batch_count;
  const cq_str *texts;
  size_t text_count;
  cq_role signer; /* filled in by reading */
} cq_order;

/* Appends, with 32 random bytes so that the name betrays nothing. Signed by a desk or coordinator (chain), or by the
 * programme key itself (chain NULL). *name: BLAKE2b-256 of all its bytes. Errors: order.field, order.large. */
cq_status cq_order_write(cq_buf *out, cq_hash *name, const cq_order *order, const cq_chain *chain,
                         const cq_secret *sign, const cq_random *random, cq_error *error);
/* Verifies, then reads; texts borrow `bytes`, lists `arena`. Errors: order.magic, order.future, order.truncated,
 * order.damaged, order.signature, order.programme, order.mode, and those of cq_chain_check. */
cq_status cq_order_read(cq_order *order, cq_hash *name, cq_str bytes, cq_arena *arena, const cq_trust *trust,
                        cq_error *error);

/*
 * A device's word that it has done what an order to erase says: an entry CQ_ENTRY_RECEIPT of its batch, whose signature
 * covers it (docs/formats/receipt.md, section Word of an erasure).
 */
typedef struct cq_erasure_word {
  cq_hash order;
  int64_t made_utc_ms; /* the device's clock */
  uint32_t held;       /* of the order's targets */
} cq_erasure_word;
void cq_erasure_word_write(cq_buf *out, const cq_erasure_word *word); /* appends */
bool cq_erasure_word_read(cq_erasure_word *word, cq_str bytes);       /* false: no such word, or of another version */

#endif
