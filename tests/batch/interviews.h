/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invented baseline interviews of 150 questions, to measure with: a blank form
 * as an XForm, and any number of filled instances with relevance gates, a
 * household roster, income by month, choices, names and identifiers.
 */
#ifndef TESTS_BATCH_INTERVIEWS_H
#define TESTS_BATCH_INTERVIEWS_H

#include "tests/batch/fixture.h"

void interview_form(cq_buf *out); /* the XForm */

typedef struct interview {
  cq_buf xml, audit;
  char instance_id[48], subject[48];
  size_t questions; /* answered */
} interview;
void interview_make(interview *made, uint64_t which, bool audited); /* the same for the same number */
void interview_fini(interview *made);

/* A record of it, of device `who`. */
cq_hash interview_record(cq_buf *out, const interview *from, const fixture *f, const signer *who, const cq_hash *form,
                         uint64_t sequence, const cq_random *random);

/* cq_batch_forms over one form, with context a cq_buf of its XML. */
cq_status interview_form_find(void *context, const cq_hash *hash, cq_str *xml);

#endif
