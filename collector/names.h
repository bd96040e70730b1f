/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and places of the people of this laptop's communities, from its
 * contact sheet (docs/formats/sheet.md); until the first one comes, from the
 * list that the invitation phrase opened. They are shown beside codes, and
 * stand in no record, no label and no entity.
 */
#ifndef CHASQUI_COLLECTOR_NAMES_H
#define CHASQUI_COLLECTOR_NAMES_H

#include "chasqui/forms.h"
#include "collector/laptop.h"

/* Reads them anew from the vault. A list of the bundle that is none of names gives none. */
cq_status cq_names_load(cq_laptop *laptop, cq_error *error);
void cq_names_fini(cq_laptop *laptop);

/* A file of the desk that the courier brought. Errors: those of cq_sheet_verify and cq_sheet_open; an older sheet than
 * the one at hand is CQ_OK and changes nothing. */
cq_status cq_names_take(cq_laptop *laptop, cq_str bytes, bool *fresh, cq_error *error);

/* NULL: nobody by that id ("uuid:" may stand before it). Borrowed until the next sheet. */
const cq_sheet_person *cq_names_of(const cq_laptop *laptop, cq_str id);
/* "Rosa Inventada, Chuspicuchu" appended; nothing where neither is known. */
void cq_names_words(const cq_sheet_person *person, cq_buf *out);
/* "T210708-… · Rosa Inventada, Chuspicuchu" in `arena`; `label` itself where nobody is known, or memory is out. */
cq_str cq_names_beside(const cq_laptop *laptop, cq_arena *arena, cq_str id, cq_str label);
/* The same for the labels of choices whose values are people. */
void cq_names_choices(const cq_laptop *laptop, cq_arena *arena, cq_choices *choices);

#endif
