/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of people and things as this laptop knows them: the bundle's list, and
 * what its own records created or changed since. So a person registered
 * minutes ago is there for the next form.
 */
#ifndef CHASQUI_COLLECTOR_ROSTER_H
#define CHASQUI_COLLECTOR_ROSTER_H

#include "chasqui/forms.h"
#include "chasqui/store.h"

/* The entities of a record just finished. */
cq_status cq_roster_keep(cq_store *store, const cq_entities *entities, cq_error *error);

/*
 * A list by its file's name ("tdd.csv"), as CSV into `out` (emptied first): rows of the bundle, with the newer values
 * of this laptop in their columns, then rows that only this laptop has. CQ_NOTFOUND "store.list.missing" where neither
 * the bundle nor this laptop has any.
 */
cq_status cq_roster_list(cq_store *store, const char *file, cq_buf *out, cq_error *error);

#endif
