/* SPDX-License-Identifier: Apache-2.0 */
/* From a visit that is due to its interview: the form of seasons, begun with the person chosen. */
#ifndef CHASQUI_COLLECTOR_FOLLOW_H
#define CHASQUI_COLLECTOR_FOLLOW_H

#include "collector/filling.h"

/* The forms offered that ask for a person of the agenda's list and for a season. The caller frees *forms with free().
 */
cq_status cq_follow_forms(cq_laptop *laptop, cq_offered **forms, size_t *count, cq_error *error);

/*
 * The interview of a visit. Where a draft of that form (of any version of it) is about the same person and season it is
 * gone on with, as it was left, and *resumed says so; one that corrects a finished record is not meant. Else a new one
 * kept as a draft: questions that stand before the person's and are called as columns of the list (district, community)
 * are answered from the person's row, then the person is chosen, and the interview stands there for the technician to
 * agree. What the form does not take so stays without an answer.
 */
cq_status cq_follow_begin(cq_filling *filling, cq_laptop *laptop, const cq_offered *form, cq_str person, cq_str season,
                          bool *resumed, cq_error *error);

#endif
