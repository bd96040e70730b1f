/* SPDX-License-Identifier: Apache-2.0 */
/* Entities as the merged records leave them. */
#ifndef CENTRAL_MERGE_ENTITIES_H
#define CENTRAL_MERGE_ENTITIES_H

#include "central/merge/desk.h"

/* Brings the tables entity and entity_property up to the newest record. Records whose form is not known are passed
 * over and counted. */
cq_status cq_entities_update(cq_desk *desk, size_t *unreadable, cq_error *error);

#endif
