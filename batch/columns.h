/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelopes of many records as columns, one for each field
 * (docs/formats/batch.md, section Envelope columns), and back.
 */
#ifndef BATCH_COLUMNS_H
#define BATCH_COLUMNS_H

#include "batch/layout.h"
#include "chasqui/arena.h"
#include "chasqui/keys.h"

/* What a field's value is where nothing else is said: the header's, and the group's form. */
typedef struct cq_columns_context {
  cq_mode mode;
  cq_programme_id programme;
  cq_device_id device;
  cq_hash form;
  bool draft; /* when reading: whether their result must, or must not, be draft */
} cq_columns_context;

/* One record's bytes taken apart. */
typedef struct cq_record_parts {
  cq_str bytes;
  cq_str instance, audit;
} cq_record_parts;
/* False where the bytes are no record: only the layout is looked at here. */
bool cq_record_parts_of(cq_record_parts *parts, cq_str record, cq_hash *form);

/* Appends the columns: texts and numbers to `out`, bytes that do not compress to `raw`. False: out of memory. */
bool cq_columns_write(const cq_record_parts *records, size_t count, const cq_columns_context *context,
                      cq_arena *scratch, cq_buf *out, cq_buf *raw);

typedef struct cq_columns cq_columns;
/* Reads them back from the front of both; borrows everything. NULL where they are not right or memory is out. */
cq_columns *cq_columns_read(cq_layout *text, cq_layout *raw, size_t count, const cq_columns_context *context,
                            cq_arena *scratch);
/* Appends the bytes of the next record; the salts stand in the order of the records. */
void cq_columns_next(cq_columns *columns, const uint8_t salt[32], cq_str instance, cq_str audit, cq_buf *out);

#endif
