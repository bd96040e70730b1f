/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk proposes of its persons, and a person's decision about two of them. */
#ifndef CENTRAL_LINK_REVIEW_H
#define CENTRAL_LINK_REVIEW_H

#include "central/link/link.h"
#include "central/merge/desk.h"

/* Borrowed during the call. */
typedef cq_status (*cq_review_each)(void *context, const cq_link_person *a, const cq_link_person *b, double probability,
                                    double weight, cq_error *error);
/* Pairs of persons of the baseline that nobody has decided, the likeliest first. Errors: desk.form.none, those of rows.
 */
cq_status cq_review_propose(cq_desk *desk, double least, cq_review_each each, void *context, size_t *persons,
                            cq_error *error);

typedef struct cq_review_decision {
  cq_str dataset;    /* "": tdd */
  cq_str a, b;       /* entity ids; the first stays */
  cq_str by, reason; /* may be "" */
} cq_review_decision;
/* Signs and keeps it. */
cq_status cq_review_decide(cq_desk *desk, bool same, const cq_review_decision *decision, cq_error *error);
const char *cq_review_said(bool same); /* translated: what was kept */

#endif
