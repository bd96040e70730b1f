/* SPDX-License-Identifier: Apache-2.0 */
/* A programme's folder: programme.json, forms, lists, calendar. */
#ifndef CENTRAL_MERGE_PROGRAMME_H
#define CENTRAL_MERGE_PROGRAMME_H

#include "central/merge/desk.h"
#include "chasqui/bundle.h"

#define CQ_PROGRAMME_FILE "programme.json"

/* Reads and checks <folder>/programme.json strictly; errors carry the file. `json`, where not NULL, gets its bytes. */
cq_status cq_programme_read_bytes(cq_programme **programme, const char *folder, cq_buf *json, cq_error *error);
cq_status cq_programme_read(cq_programme **programme, const char *folder, cq_error *error);

/* As it was published last; *programme NULL where nothing was. The caller frees with cq_programme_free. */
cq_status cq_desk_programme(cq_programme **programme, cq_desk *desk, cq_error *error);
/* Its title in a language; "" where nothing was published. */
cq_status cq_desk_title(cq_buf *title, cq_desk *desk, const char *language, cq_error *error);

#endif
