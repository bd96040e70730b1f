/* SPDX-License-Identifier: Apache-2.0 */
/* A new desk: its vault, its keys, and the keys that are kept offline. */
#ifndef CENTRAL_MERGE_INIT_H
#define CENTRAL_MERGE_INIT_H

#include "chasqui/keys.h"
#include "chasqui/vault.h"

typedef struct cq_desk_plan {
  const char *home;
  const char *programme; /* folder with programme.json */
  cq_mode mode;
  cq_str passphrase;             /* of the vault */
  cq_str offline_passphrase;     /* of the files in <home>/offline */
  cq_cost cost;                  /* of that */
  const cq_vault_options *vault; /* NULL: as vault.h says */
} cq_desk_plan;

/* Errors: desk.exists, those of programme.json, vaults and files. After an error there is no desk. */
cq_status cq_desk_init(const cq_desk_plan *plan, char fingerprint[CQ_FINGERPRINT_SIZE], cq_error *error);

#endif
