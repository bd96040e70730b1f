/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening batches ahead: two threads of its own read and open the next files while the caller writes the last one into
 * the vault. Files come back in the order in which they were asked for.
 */
#ifndef CENTRAL_MERGE_AHEAD_H
#define CENTRAL_MERGE_AHEAD_H

#include "central/merge/open.h"

enum { CQ_AHEAD_MOST = 4 }; /* opened files in memory at once: at most so many times CQ_BATCH_MAX_CONTENT */

typedef struct cq_ahead cq_ahead;
/* Borrows both until freed. */
cq_status cq_ahead_new(cq_ahead **ahead, const cq_beliefs *beliefs, const char *folder, cq_error *error);
/* Ends the threads, after the files that they are at. */
void cq_ahead_free(cq_ahead *ahead);

/* Whether one more file may be asked for before the next is taken. */
bool cq_ahead_room(const cq_ahead *ahead);
void cq_ahead_ask(cq_ahead *ahead, const char *file /* borrowed until taken */);
/*
 * Waits for the file that was asked for first; one must have been. *opened and *file are borrowed until the next call.
 * Errors: those of cq_file_read and cq_opener_open.
 */
cq_status cq_ahead_take(cq_ahead *ahead, const char **file, const cq_opened **opened, cq_error *error);

#endif
