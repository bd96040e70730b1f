/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be found by whom: names and places of people, and the laptops that are told of them. */
#ifndef CENTRAL_MERGE_CONTACTS_H
#define CENTRAL_MERGE_CONTACTS_H

#include "central/merge/desk.h"
#include "chasqui/sheet.h"

#define CQ_CONTACTS_DATASET "tdd"

/* A person as the desk knows it, from frame, office and records. */
typedef struct cq_contact {
  cq_sheet_person person;
  cq_str code;      /* that people know the person by */
  cq_str community; /* code of the place */
  bool left;        /* consent was withdrawn: on no sheet */
} cq_contact;

typedef struct cq_contacts {
  cq_arena *arena;
  cq_contact *items; /* by id */
  size_t count, room;
  size_t *slots; /* while gathering */
  size_t slot_count;
} cq_contacts;

/* `form`: the one that registers persons. The caller ends it, after an error too. */
cq_status cq_contacts_read(cq_contacts *contacts, cq_desk *desk, const char *form, cq_error *error);
void cq_contacts_fini(cq_contacts *contacts);

/* Whether an assigned code is this person's, or their community's. */
bool cq_contact_is(const cq_contact *contact, cq_str code);

#endif
