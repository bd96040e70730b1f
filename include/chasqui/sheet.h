/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A contact sheet: names and places of people, from the desk to one laptop
 * (docs/formats/sheet.md). A header of its own because desk and laptop share
 * its list and its rules.
 */
#ifndef CHASQUI_SHEET_H
#define CHASQUI_SHEET_H

#include "chasqui/arena.h"
#include "chasqui/batch.h"

#define CQ_SHEET_LIST "contactos.csv"
enum { CQ_SHEET_MAX_PERSONS = 100000, CQ_SHEET_MAX_BYTES = 16 << 20 };

typedef struct cq_sheet_person {
  cq_str list, id; /* dataset and entity */
  cq_str name, place, phone, directions;
} cq_sheet_person;

/* Appends the list. Errors: sheet.large. */
cq_status cq_sheet_list_write(cq_buf *csv, const cq_sheet_person *persons, size_t count, cq_error *error);
/* Its rows by ascending id, in `arena`; texts are copied. Errors: csv.*, sheet.large, sheet.columns (no column id). */
cq_status cq_sheet_list_read(cq_sheet_person **persons, size_t *count, cq_str csv, cq_arena *arena, cq_error *error);
/* By id; NULL: none. `persons` as cq_sheet_list_read gives them. */
const cq_sheet_person *cq_sheet_find(const cq_sheet_person *persons, size_t count, cq_str id);

/* Packs, seals and signs a sheet with this list. `sender`: the desk, with its chain. Errors: those of cq_batch_end. */
cq_status cq_sheet_seal(cq_buf *out, cq_hash *hash, cq_str csv, const cq_batch_sender *sender,
                        const cq_seal_key *laptop, const cq_random *random, cq_error *error);

/* Whether the header says that a desk made it: then it is for a laptop, and no desk opens it. Nothing is verified. */
bool cq_sheet_is(const cq_batch_header *header);

/*
 * Verifies as far as needs no key: CQ_OK where the desk signed it for whoever holds `laptop`. *header tells number and
 * time. Errors: those of cq_batch_verify; sheet.signer (signed by no desk of the programme), sheet.other (CQ_NOTFOUND:
 * sealed to another laptop).
 */
cq_status cq_sheet_verify(cq_batch_header *header, cq_str bytes, const cq_seal_key *laptop, const cq_trust *trust,
                          cq_error *error);
/* Opens what cq_sheet_verify found right; appends the list. Errors: those of cq_batch_open; sheet.list (none in it). */
cq_status cq_sheet_open(cq_buf *csv, cq_str bytes, const cq_secret *laptop, cq_error *error);

#endif
