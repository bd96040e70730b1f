/* SPDX-License-Identifier: Apache-2.0 */
/* Records of one kind and one form, packed together (docs/formats/batch.md, section Records of one form). */
#ifndef BATCH_PACK_H
#define BATCH_PACK_H

#include "batch/codec.h"
#include "batch/columns.h"

/* Appends the section's bytes. `audit` is raised by the packed size of the trails. */
cq_status cq_pack_records(cq_batch_codec *codec, const cq_columns_context *context, cq_batch_entry_kind kind,
                          const cq_record_parts *records, size_t count, cq_buf *out, size_t *audit, cq_error *error);

typedef struct cq_unpacked {
  cq_batch_entry_kind kind;
  size_t count;
  size_t *sizes; /* of the records; in the codec's scratch */
} cq_unpacked;
/* Appends the records' bytes to `out`, at most `limit` of them; batch.content, batch.form. */
cq_status cq_unpack_records(cq_unpacked *unpacked, cq_batch_codec *codec, cq_columns_context *context, cq_str section,
                            size_t limit, cq_buf *out, size_t *audit, cq_error *error);

#endif
