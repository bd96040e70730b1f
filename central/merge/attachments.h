/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that records name: they come in parts, in any order and more than once,
 * before or after their record, and count once every byte is there and the whole
 * has the hash by which records name it. Those of erased records go with them.
 */
#ifndef CENTRAL_MERGE_ATTACHMENTS_H
#define CENTRAL_MERGE_ATTACHMENTS_H

#include "central/merge/desk.h"
#include "chasqui/batch.h"

/* Within a transaction: one part. *whole: with it the attachment has all its bytes, and had not before. Parts that
 * together have another hash than they say are let go of, so that right ones may come. */
cq_status cq_attachment_take(cq_desk *desk, const cq_batch_entry *part, const cq_hash *batch, bool *whole,
                             cq_error *error);

/* The bytes in order; the hash is checked at the end: what was written before an error is not to be used. CQ_NOTFOUND
 * "desk.attachment.awaited"; CQ_DAMAGED "desk.attachment.damaged". */
typedef cq_status cq_attachment_writer(void *context, const void *bytes, size_t size, cq_error *error);
cq_status cq_attachment_read(cq_desk *desk, const cq_hash *hash, cq_attachment_writer *write, void *context,
                             cq_error *error);

/* Within a transaction: which attachments are whole, found anew from the parts. */
cq_status cq_attachments_rebuild(cq_desk *desk, cq_error *error);

/* Within a transaction: the files of a record that is being erased, or of one that came once more after it was, are
 * forgotten for ever where no other record names them. */
cq_status cq_attachments_forget(cq_desk *desk, const cq_hash *record, cq_error *error);
cq_status cq_attachments_forget_all(cq_desk *desk, const cq_record *record, cq_error *error);

#endif
