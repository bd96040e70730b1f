/* SPDX-License-Identifier: Apache-2.0 */
/* Merging the whole inbox: what the verb `merge` does, without its words. */
#ifndef CENTRAL_MERGE_MERGING_H
#define CENTRAL_MERGE_MERGING_H

#include "central/merge/take.h"

typedef struct cq_merged {
  size_t batches, already, held, refused, records, records_new, receipts;
  size_t sheets;      /* contact sheets that are for laptops, passed over */
  size_t attachments; /* that became whole */
  size_t orders;      /* signed, to erase what came once more */
} cq_merged;

/* Whom to tell, each may be NULL; and how often to commit. */
typedef struct cq_merge_watch {
  void (*apart)(void *context, const char *file, const cq_taken *taken); /* held or refused */
  bool (*more)(void *context, size_t done, size_t total); /* false: stop here, and keep what was merged */
  void *context;
  size_t at_once; /* batches in one transaction; 0: as many as pay */
} cq_merge_watch;

/*
 * Merges the batches of the inbox that were not opened before, and writes receipts. Where it is stopped or killed, what
 * was committed stays, and the rest is merged the next time. *merged counts what was done, after an error too.
 */
cq_status cq_merge_inbox(cq_merged *merged, cq_desk *desk, const cq_merge_watch *watch, cq_error *error);

#endif
