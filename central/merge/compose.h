/* SPDX-License-Identifier: Apache-2.0 */
/* What a programme's folder brings into a bundle, compiled and checked. */
#ifndef CENTRAL_MERGE_COMPOSE_H
#define CENTRAL_MERGE_COMPOSE_H

#include "central/tables/indicators/indicator.h"
#include "chasqui/arena.h"
#include "chasqui/bundle.h"

typedef struct cq_composed_form {
  cq_str id, version, title, xml;
  cq_form_status status;
  cq_hash hash;
} cq_composed_form;

typedef struct cq_composed {
  const char *folder;
  cq_arena *arena; /* holds all below */
  cq_programme *programme;
  cq_str json, calendar;
  cq_composed_form *forms;
  size_t form_count;
  cq_bundle_file *files;
  size_t file_count;
  cq_str lacking[64]; /* lists that forms ask for and the programme does not bring */
  size_t lacking_count;
  cq_indicators indicators;
} cq_composed;

/*
 * Reads, compiles and checks all. `invitation`: the phrase for files marked sealed; may be empty where there are none.
 * Errors: those of programme.json, desk.publish.form (file, number of faults, first cell), desk.publish.id,
 * desk.publish.twice, desk.publish.invitation, desk.publish.indicators (file, number of faults, first cell), of forms,
 * calendars, prices and files. The caller ends it, after an error too. `faulty`: definitions with faults are no error;
 * they stand in `indicators`.
 */
cq_status cq_compose(cq_composed *composed, const char *folder, cq_str invitation, cq_cost cost, bool faulty,
                     cq_error *error);
void cq_compose_fini(cq_composed *composed);

#endif
