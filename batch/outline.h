/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outline of a blank form: its primary instance as a tree of names. Against
 * it instances are written as states and columns of values, and come back byte
 * for byte (docs/formats/batch.md, section Instances).
 */
#ifndef BATCH_OUTLINE_H
#define BATCH_OUTLINE_H

#include "chasqui/arena.h"

enum { CQ_OUTLINE_DEPTH = 48, CQ_OUTLINE_NODES = 60000 };

typedef struct cq_outline cq_outline;
/* Borrows the form's bytes. NULL where the form has no outline (or memory is out: packing does without it). */
cq_outline *cq_outline_new(cq_str xform);
void cq_outline_free(cq_outline *outline);

/* Appends states and columns of `count` instances. False only where memory is out. */
bool cq_outline_write(const cq_outline *outline, const cq_str *instances, size_t count, cq_arena *scratch, cq_buf *out);

/* Reads what cq_outline_write wrote: all of `bytes`. The instances are appended to `out`, their sizes set in `sizes`
 * (count of them). False where the bytes are not right, where more than `limit` bytes would come, or memory is out. */
bool cq_outline_read(const cq_outline *outline, cq_str bytes, size_t count, size_t limit, cq_arena *scratch,
                     cq_buf *out, size_t *sizes);

#endif
