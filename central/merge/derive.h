/* SPDX-License-Identifier: Apache-2.0 */
/* The rebuildable tables: what follows from records and decisions. */
#ifndef CENTRAL_MERGE_DERIVE_H
#define CENTRAL_MERGE_DERIVE_H

#include "central/merge/desk.h"
#include "chasqui/order.h"
#include "chasqui/record.h"

typedef struct cq_derive cq_derive;
/* Prepares its statements, which are used for many records. The caller frees before the desk is closed. */
cq_status cq_derive_new(cq_derive **derive, cq_desk *desk, cq_error *error);
void cq_derive_free(cq_derive *derive);

/* Adds what follows from one record that is not there yet. */
cq_status cq_derive_record(cq_derive *derive, int64_t id, const cq_hash *name, const cq_record *record,
                           cq_error *error);
/* Errors: desk.record.programme, desk.record.mode (the record belongs to another programme, or to practice). */
cq_status cq_derive_ours(const cq_desk *desk, const cq_record *record, cq_error *error);

/* Verifies and keeps a decision, new or not (*fresh), and does what it says. Errors: those of cq_order_read. */
cq_status cq_derive_decision(cq_derive *derive, cq_str bytes, bool *fresh, cq_error *error);
/* Signs a decision made at this desk, and does the same with it; programme, mode and time are filled in. Within a
 * transaction of the caller. `bytes` (appended to) and `name` may be NULL. Errors: those of cq_order_write. */
cq_status cq_derive_sign(cq_desk *desk, const cq_order *order, cq_buf *bytes, cq_hash *name, cq_error *error);

/* Empties and fills all rebuildable tables in one transaction. */
cq_status cq_derive_rebuild(cq_desk *desk, size_t *records, cq_error *error);

/* Notes that the tables are those of this program; adds what is new and makes the rebuildable ones anew where another
 * version made them. */
cq_status cq_derive_mark(cq_desk *desk, cq_error *error);
cq_status cq_derive_current(cq_desk *desk, cq_error *error);

#endif
