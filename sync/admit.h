/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying what comes home, over whatever road, before it may stand in the inbox. */
#ifndef SYNC_ADMIT_H
#define SYNC_ADMIT_H

#include "chasqui/receipt.h"
#include "sync/home.h"

typedef struct admitted {
  cq_parcel_kind kind;
  char name[96]; /* in the inbox */
  bool fresh;    /* it was not there before */
} admitted;

/*
 * `wanted`: the hash it was announced with; NULL: any. Errors: those of its kind's verifier; sync.item.hash (not what
 * was announced), sync.item.kind (nothing that a courier brings home). A bundle that is not newer is passed over with
 * fresh false. Batches: at the desk those of devices, elsewhere those of the desk.
 */
cq_status admit(courier *c, cq_str bytes, const cq_hash *wanted, admitted *out, cq_error *error);

/* Verifies a receipt (with `r` filled in) and stores it. */
cq_status admit_receipt(courier *c, cq_str bytes, cq_receipt *r, admitted *out, cq_error *error);

#endif
