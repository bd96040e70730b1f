/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging batches: the union of sets. What a batch brings is added under its
 * name; what is there already is left; order, repetition and gaps don't matter.
 */
#ifndef CENTRAL_MERGE_TAKE_H
#define CENTRAL_MERGE_TAKE_H

#include "central/merge/desk.h"
#include "chasqui/receipt.h"

/* What became of one batch. */
typedef struct cq_taken {
  cq_receipt_state state; /* HELD, OPENED or REFUSED */
  bool already;           /* opened before; nothing was done */
  char why[64];           /* code, for HELD and REFUSED */
  cq_device_id device;    /* zero where the file is not even a batch */
  uint64_t number;
  size_t records, records_new, drafts, decisions, others;
} cq_taken;

typedef struct cq_taker cq_taker;
cq_status cq_taker_new(cq_taker **taker, cq_desk *desk, cq_error *error);
void cq_taker_free(cq_taker *taker);

/*
 * Takes one file of the inbox, within a transaction of the caller. CQ_OK also for what is held or refused: *taken says
 * so, and nothing of its content was kept. Other statuses are of the environment (disk, memory).
 */
cq_status cq_taker_take(cq_taker *taker, const char *file, cq_str bytes, cq_taken *taken, cq_error *error);
/* Whether a file of this name was opened before: it need not be read again. */
cq_status cq_taker_opened(cq_taker *taker, const char *file, bool *opened, cq_error *error);

/* Writes receipts into the outbox for all batches whose devices were not told of their state yet. */
cq_status cq_receipts_write(cq_desk *desk, size_t *written, cq_error *error);

/* Notes a device of which we hear; its request, where it has one. */
cq_status cq_device_seen(cq_desk *desk, const cq_sign_key *sign, const cq_request *request /* NULL */, cq_error *error);

#endif
