/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging batches: the union of sets. What a batch brings is added under its
 * name; what is there already is left; order, repetition and gaps don't matter.
 */
#ifndef CENTRAL_MERGE_TAKE_H
#define CENTRAL_MERGE_TAKE_H

#include "central/merge/open.h"

typedef struct cq_taker cq_taker;
cq_status cq_taker_new(cq_taker **taker, cq_desk *desk, cq_error *error);
void cq_taker_free(cq_taker *taker);

/*
 * Takes one file of the inbox, within a transaction of the caller. CQ_OK also for what is held or refused: *taken says
 * so, and nothing of its content was kept. Other statuses are of the environment (disk, memory): then the caller's
 * transaction must not be committed, as part of the batch may be in it.
 */
cq_status cq_taker_take(cq_taker *taker, const char *file, cq_str bytes, cq_taken *taken, cq_error *error);
/* The same of one that was opened already, which it does not change. */
cq_status cq_taker_merge(cq_taker *taker, const char *file, const cq_opened *opened, cq_taken *taken, cq_error *error);
/* What a file is opened with; read when it is first asked for. */
cq_status cq_taker_beliefs(cq_taker *taker, const cq_beliefs **beliefs, cq_error *error);
/* Whether a file of this name was opened before: it need not be read again. */
cq_status cq_taker_opened(cq_taker *taker, const char *file, bool *opened, cq_error *error);

/* Writes receipts into the outbox for all batches whose devices were not told of their state yet. */
cq_status cq_receipts_write(cq_desk *desk, size_t *written, cq_error *error);

/* Notes a device of which we hear; its request, where it has one. */
cq_status cq_device_seen(cq_desk *desk, const cq_sign_key *sign, const cq_request *request /* NULL */, cq_error *error);

#endif
