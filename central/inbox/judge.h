/* SPDX-License-Identifier: Apache-2.0 */
/* What a post thinks of an item: verified, whose it is, and where it may go. Nothing is written. */
#ifndef CENTRAL_INBOX_JUDGE_H
#define CENTRAL_INBOX_JUDGE_H

#include "central/inbox/index.h"
#include "chasqui/batch.h"
#include "chasqui/bundle.h"

typedef struct judged {
  index_item item;       /* kind, hash, device, number, size, outcome; path empty */
  cq_bundle *bundle;     /* of a bundle that is newer; the caller frees or takes it */
  cq_device_id *devices; /* whose news it is: a batch of the desk, a receipt, a certificate; zeros: for all */
  size_t device_count;
  cq_hash *erase; /* of an order to erase: batches */
  size_t erase_count;
} judged;

void judged_fini(judged *j);
/* j->item.outcome is KEPT, HELD_* or a refusal. CQ_NOMEM is the only failure. */
cq_status judge(judged *j, cq_str bytes, const cq_bundle *believed, cq_error *error);

/* Whose news a batch of the desk is: the devices that it is sealed to, as far as the bundle knows them. */
cq_status judge_recipients(judged *j, const cq_batch_header *header, const cq_bundle *believed, cq_error *error);

/* What a held batch would be now: KEPT where its device has been certified since. */
cq_outcome judge_held(const cq_batch_header *header, const cq_bundle *believed);

#endif
