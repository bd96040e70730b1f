/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a batch without the vault: verifying, judging, unsealing, unpacking and parsing it. All that can be wrong
 * with it is found here, so that merging it writes the whole of it or nothing. May be done ahead, on a thread of its
 * own.
 */
#ifndef CENTRAL_MERGE_OPEN_H
#define CENTRAL_MERGE_OPEN_H

#include "central/merge/desk.h"
#include "chasqui/batch.h"
#include "chasqui/receipt.h"

/* What became of one batch. */
typedef struct cq_taken {
  cq_receipt_state state; /* HELD, OPENED or REFUSED */
  bool already;           /* opened before; nothing was done */
  bool sheet;             /* a desk's own contact sheet, which is for a laptop; nothing was done */
  char why[64];           /* code, for HELD and REFUSED */
  cq_device_id device;    /* zero where the file is not even a batch */
  uint64_t number;
  size_t records, records_new, drafts, decisions, others;
  size_t attachments; /* that became whole with what it brought; filled in by merging */
} cq_taken;

/* --- what the desk believes: read once, then only read, by several threads too --- */
typedef struct cq_beliefs cq_beliefs;
/* Borrows the desk; devices and forms are those of now. The caller frees. */
cq_status cq_beliefs_new(cq_beliefs **beliefs, cq_desk *desk, cq_error *error);
void cq_beliefs_free(cq_beliefs *beliefs);

/* --- opening --- */
typedef struct cq_opener cq_opener;                  /* not for two threads at once */
cq_opener *cq_opener_new(const cq_beliefs *beliefs); /* borrows; NULL where memory is out */
void cq_opener_free(cq_opener *opener);

typedef struct cq_opened_entry {
  cq_batch_entry entry;
  const cq_record *record; /* of CQ_ENTRY_RECORD */
  cq_str kept;             /* of CQ_ENTRY_RECORD: as the vault keeps it */
} cq_opened_entry;

/* A batch, opened. `taken.state` says what may be done with it: OPENED is to be merged, and `entries` are all of it. */
typedef struct cq_opened {
  cq_taken taken;
  bool right; /* the signature is: header and hash may be believed */
  cq_batch_header header;
  cq_hash hash;
  cq_opened_entry *entries;
  size_t count;
  size_t kept; /* bytes that the vault will keep of it */
  /* what the entries borrow */
  cq_batch_content *content;
  cq_arena *arena;
  cq_buf pressed;
} cq_opened;

/*
 * Opens one file. CQ_OK also for what is held or refused. Other statuses are of the environment (memory). The caller
 * ends `opened` with cq_opened_fini, after an error too.
 */
cq_status cq_opener_open(cq_opened *opened, cq_opener *opener, cq_str bytes, cq_error *error);
void cq_opened_fini(cq_opened *opened);

/* Whether a failure lies in what was sent, and not in this machine or this vault. */
bool cq_opener_theirs(cq_status status, const cq_error *error);

#endif
