/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit trails of many records: the times taken out of the text, each as its
 * distance from the one before (docs/formats/batch.md, section Audit trails).
 */
#ifndef BATCH_TRAILS_H
#define BATCH_TRAILS_H

#include "batch/columns.h"

/* Appends the trails of `count` records. */
void cq_trails_write(const cq_record_parts *records, size_t count, cq_buf *out);

/* Appends the trails one after another to `out`, with their sizes; false where the bytes are not right, more than
 * `limit` would come, or memory is out. */
bool cq_trails_read(cq_str bytes, size_t count, size_t limit, cq_buf *out, size_t *sizes);

#endif
