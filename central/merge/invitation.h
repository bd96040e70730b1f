/* SPDX-License-Identifier: Apache-2.0 */
/* The invitation phrase of `publish`: what it opens makes a laptop useful on its first day. */
#ifndef CENTRAL_MERGE_INVITATION_H
#define CENTRAL_MERGE_INVITATION_H

#include "central/merge/compose.h"
#include "central/merge/desk.h"

/* From --invitation-file; a new one with --invite; else the one that was last used, which the vault keeps; empty where
 * there was none. The caller ends it. */
cq_status cq_invitation_get(cq_cli *cli, cq_desk *desk, cq_cli_secret *phrase, cq_error *error);
/* Adds contactos.csv (docs/formats/sheet.md) with the people of each --contacts CODE, sealed under the phrase. Errors:
 * desk.publish.invitation, desk.contacts.code, desk.publish.contacts (the programme brings such a list itself). */
cq_status cq_invitation_contacts(cq_cli *cli, cq_desk *desk, cq_composed *composed, cq_str phrase, cq_error *error);
void cq_invitation_say(cq_cli *cli, cq_str phrase);

#endif
