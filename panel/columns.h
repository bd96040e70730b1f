/* SPDX-License-Identifier: Apache-2.0 */
/* What both calendar files share: columns found by name, and lists of places. */
#ifndef PANEL_COLUMNS_H
#define PANEL_COLUMNS_H

#include "chasqui/csv.h"

/*
 * Reads the header row and finds each of `names`, in any order, in `at`. The
 * first `needed` must be there, else `code` with the column's name; the others
 * get SIZE_MAX.
 */
cq_status cq_columns_find(cq_csv *csv, const char *const names[], size_t count, size_t needed, size_t at[],
                          const char *code, cq_error *error);

/* How well "210101|2107" or "*" holds for a place: the length of the longest code that is a prefix of it, 0 for "*",
 * -1 for not at all. */
int cq_places_fit(cq_str places, cq_str place);

#endif
