/* SPDX-License-Identifier: Apache-2.0 */
/* Forms, media and entity lists of an OpenRosa server, into a folder of the inbox; only what changed is fetched. */
#ifndef SYNC_OPENROSA_PULL_H
#define SYNC_OPENROSA_PULL_H

#include "chasqui/pulled.h"
#include "sync/openrosa/server.h"

/*
 * A form that cannot be fetched stays as it was; the others go on, and the first such reason is in `*passed` (code
 * NULL: none). `folder` is made. Errors, of the whole: those of rosa_fault, http_run, rosa_xml_read and file.h.
 */
cq_status rosa_pull(rosa *o, const char *folder, cq_handover_pulled *counts, cq_error *passed, cq_error *error);

#endif
