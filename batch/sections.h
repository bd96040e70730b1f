/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of a batch's content (docs/formats/batch.md, section Content). */
#ifndef BATCH_SECTIONS_H
#define BATCH_SECTIONS_H

#include "chasqui/batch.h"

enum {
  CQ_SECTION_RECORDS = 1,
  CQ_SECTION_PART = 2,
  CQ_SECTION_OTHER = 3,
  CQ_SECTION_LIST = 4,
  CQ_SECTION_NAME = 255,          /* bytes of a list's name */
  CQ_SECTION_ATTACHMENT = 1 << 30 /* bytes of a whole attachment */
};

/* Entries that travel as CQ_SECTION_OTHER. */
static inline bool cq_section_carries(cq_batch_entry_kind kind) {
  return kind == CQ_ENTRY_REQUEST || kind == CQ_ENTRY_DECISION || kind == CQ_ENTRY_BUNDLE || kind == CQ_ENTRY_RECEIPT;
}

static inline bool cq_section_part_right(uint64_t offset, uint64_t total, uint64_t size) {
  return size <= CQ_BATCH_PART_SIZE && total <= CQ_SECTION_ATTACHMENT && offset <= total && size <= total - offset &&
         (size > 0 || total == 0);
}

#endif
