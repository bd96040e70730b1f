/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order to erase takes along at the desk, beside the row of the record: files, snapshots of drafts,
 * corrections, names of persons, sealed files of the inbox. What was erased may come once more, from a laptop or a
 * stick that the order had not reached: then the desk orders anew that the batches which brought it go.
 */
#ifndef CENTRAL_MERGE_ERASURE_H
#define CENTRAL_MERGE_ERASURE_H

#include "central/merge/desk.h"
#include "chasqui/order.h"

/* Before the record's visit goes. A person about whom no record is left loses their name and place too. *found is set
 * where the record was here: then snapshots of its draft go with cq_erasure_drafts, once for all of an order. */
cq_status cq_erasure_record(cq_desk *desk, const cq_hash *name, bool *found, cq_error *error);
cq_status cq_erasure_drafts(cq_desk *desk, cq_error *error);
/* The batches that an order to erase the record is to name; a batch may be given more than once. */
typedef cq_status cq_erasure_batch(void *context, const cq_hash *batch, cq_error *error);
cq_status cq_erasure_batches(cq_desk *desk, const cq_hash *name, cq_erasure_batch *take, void *context,
                             cq_error *error);
/* An erased record has come in a batch, or for the first time after its order. */
cq_status cq_erasure_came(cq_desk *desk, const cq_hash *batch, const cq_hash *name, const cq_record *record,
                          cq_error *error);
/* The same of a part of one of its files. */
cq_status cq_erasure_again(cq_desk *desk, const cq_hash *batch, cq_error *error);
/* Whether a snapshot of a draft is of an erased record; then it was noted, and is not to be kept. */
cq_status cq_erasure_draft(cq_desk *desk, const cq_hash *batch, cq_str bytes, bool *erased, cq_error *error);

/* A device's word of an order; one that cannot be read is passed over. */
cq_status cq_erasure_word_take(cq_desk *desk, const cq_device_id *device, cq_str bytes, cq_error *error);

/* Posts and laptops obey it too: it goes to them through the outbox, and with the next bundle. */
cq_status cq_erasure_send(cq_desk *desk, const cq_hash *name, const cq_buf *order, cq_error *error);
/* Outside of transactions, after records were erased or merged: signs and sends an order for what came once more
 * (*orders: 0 or 1), removes the sealed files of erased batches from the inbox, and empties the vault's log, where the
 * pages still stand as they were. */
cq_status cq_erasure_settle(cq_desk *desk, size_t *orders, cq_error *error);

#endif
