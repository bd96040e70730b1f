/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of people and things as this laptop knows them: the bundle's list, and
 * what its own records created or changed since. So a person registered
 * minutes ago is there for the next form. The rules are those of the ODK
 * Entities specification 2024.1.0 for a client that is offline: each change
 * raises the version of the laptop's own row by one; a run of changes that the
 * office has not seen is a branch, which names the version it began from (the
 * trunk; none for what was created here); a newer row of the office ends it.
 */
#ifndef CHASQUI_COLLECTOR_ROSTER_H
#define CHASQUI_COLLECTOR_ROSTER_H

#include "chasqui/forms.h"
#include "chasqui/store.h"

/* Columns of every entity list, as ODK names them. */
#define CQ_ROSTER_ID "name"
#define CQ_ROSTER_LABEL "label"
#define CQ_ROSTER_VERSION "__version"
#define CQ_ROSTER_TRUNK "__trunkVersion"
#define CQ_ROSTER_BRANCH "__branchId"

/* What a record just finished makes of its entities, for the store to keep together with it (cq_store_record.entities).
 * Made in `arena`. A change of one that neither the list nor this laptop knows is passed over: it is another device's.
 */
cq_status cq_roster_changes(cq_store *store, const cq_entities *entities, cq_arena *arena, cq_store_entity **rows,
                            size_t *count, cq_error *error);

/*
 * The same where the record corrects another, which said `before`: the roster changes by what the correction changed,
 * and only where nothing newer stands, since the visit was made when the corrected one was. What it no longer says is
 * taken back to the version that the visit began from, as far as this laptop knows it; who was created stays.
 */
cq_status cq_roster_corrections(cq_store *store, const cq_entities *before, const cq_entities *after, cq_arena *arena,
                                cq_store_entity **rows, size_t *count, cq_error *error);

/*
 * A list by its file's name ("tdd.csv"), as CSV into `out` (emptied first): rows of the bundle, with the newer values
 * of this laptop in their columns, then rows that only this laptop has. A list with versions also gets the columns of
 * trunk and branch. CQ_NOTFOUND "store.list.missing" where neither the bundle nor this laptop has any.
 */
cq_status cq_roster_list(cq_store *store, const char *file, cq_buf *out, cq_error *error);

/* --- for the two files of the roster --- */

/* A whole number from 1; anything else is 0, as the specification asks. */
int64_t cq_roster_version(cq_str text);
/* The device in force; zeroes before the first. */
cq_status cq_roster_device(cq_store *store, uint8_t device[CQ_STORE_DEVICE_ID], cq_error *error);
typedef struct cq_roster_branch {
  char text[37]; /* a UUID of version 4 */
} cq_roster_branch;
/* The branch that was kept, or where that is empty the one that begins now: made from device, list, entity and trunk,
 * so that every form opened before the first change carries the same. */
cq_roster_branch cq_roster_branch_of(const uint8_t device[CQ_STORE_DEVICE_ID], cq_str list, cq_str id, int64_t trunk,
                                     cq_str kept);

#endif
