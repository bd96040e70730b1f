/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Correcting a finished interview: which record is meant, whether it may be corrected, and what a correction has
 * changed. The record stays; its correction is a record of its own that names it (filling.h begins it).
 */
#ifndef CHASQUI_COLLECTOR_CORRECT_H
#define CHASQUI_COLLECTOR_CORRECT_H

#include "chasqui/forms.h"

typedef struct cq_change {
  cq_str reference; /* with positions */
  cq_str before, after;
} cq_change;
typedef struct cq_changes {
  cq_change *items;
  size_t count;
} cq_changes;

/* Answers, missing codes and instances of repeats that differ between two records of a form, in the order of the form;
 * what is calculated or preloaded follows from them and is left out. Made in `arena`. */
cq_status cq_correct_changes(const cq_form *form, cq_str before, cq_str after, cq_arena *arena, cq_changes *changes,
                             cq_error *error);

#endif
