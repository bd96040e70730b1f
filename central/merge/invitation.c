/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/invitation.h"

#include "central/merge/contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTING_PHRASE "invitation"

/* Four groups of four signs that neither look nor sound alike in Spanish (docs/formats/keys.md): 69 bits. */
static cq_status make_phrase(cq_cli_secret *phrase, cq_error *error) {
  static const char signs[] = "23456789AEFHJKLMPRTX";
  enum { GROUPS = 4, SIGNS = 4, EVEN = 240 /* the largest multiple of 20 in a byte */ };
  const cq_random *random = &cq_random_system;
  cq_status status = cq_cli_secret_init(phrase, error);
  for (size_t i = 0; status == CQ_OK && i < GROUPS * SIGNS; i++) {
    uint8_t byte;
    do random->fill(random->context, &byte, 1);
    while (byte >= EVEN);
    if (i > 0 && i % SIGNS == 0) phrase->at[phrase->size++] = '-';
    phrase->at[phrase->size++] = signs[byte % (sizeof signs - 1)];
  }
  if (status == CQ_OK) phrase->at[phrase->size] = '\0';
  return status;
}

static cq_status kept_phrase(cq_desk *desk, cq_cli_secret *phrase, cq_error *error) {
  cq_buf kept = {0};
  cq_status status = cq_desk_get(desk, SETTING_PHRASE, false, &kept, error);
  if (status == CQ_OK && kept.size > 0 && kept.size <= CQ_CLI_SECRET_MAX) {
    status = cq_cli_secret_init(phrase, error);
    if (status == CQ_OK) {
      memcpy(phrase->at, kept.at, kept.size);
      phrase->at[kept.size] = '\0';
      phrase->size = kept.size;
    }
  }
  cq_buf_fini_secret(&kept);
  return status;
}

cq_status cq_invitation_get(cq_cli *cli, cq_desk *desk, cq_cli_secret *phrase, cq_error *error) {
  bool given = cq_cli_value(cli, "invitation-file") != NULL, fresh = cq_cli_flag(cli, "invite");
  if (!given && !fresh) return kept_phrase(desk, phrase, error);
  cq_status status = fresh ? make_phrase(phrase, error)
                           : cq_cli_passphrase(cli, "invitation-file", _("Invitation phrase"), true, phrase, error);
  return status == CQ_OK ? cq_desk_set(desk, SETTING_PHRASE, phrase->at, phrase->size, error) : status;
}

void cq_invitation_say(cq_cli *cli, cq_str phrase) {
  cq_cli_say(cli, _("Invitation phrase: %.*s"), (int)phrase.size, phrase.at);
  cq_cli_say(cli, "%s",
             _("Tell it to technicians by another way than the bundle. Later bundles are sealed under it too."));
}

static cq_status gather(cq_cli *cli, const cq_contacts *people, cq_sheet_person *named, size_t *count,
                        cq_error *error) {
  const char *code;
  for (size_t n = 0; (code = cq_cli_value_at(cli, "contacts", n)); n++) {
    bool found = false;
    for (size_t i = 0; i < people->count && !found; i++) found = cq_contact_is(&people->items[i], cq_str_from(code));
    if (!found) return cq_error_set(error, CQ_NOTFOUND, "desk.contacts.code", code, NULL);
  }
  for (size_t i = 0; i < people->count; i++) {
    bool wanted = false;
    for (size_t n = 0; !wanted && (code = cq_cli_value_at(cli, "contacts", n)); n++)
      wanted = !people->items[i].left && cq_contact_is(&people->items[i], cq_str_from(code));
    if (wanted) named[(*count)++] = people->items[i].person;
  }
  return CQ_OK;
}

cq_status cq_invitation_contacts(cq_cli *cli, cq_desk *desk, cq_composed *c, cq_str phrase, cq_error *error) {
  cq_contacts people = {0};
  cq_sheet_person *named = NULL;
  cq_buf csv = {0}, sealed = {0};
  size_t count = 0;
  if (phrase.size == 0) return cq_error_set(error, CQ_REFUSED, "desk.publish.invitation", CQ_SHEET_LIST, NULL);
  for (size_t i = 0; i < c->file_count; i++)
    if (cq_str_is(c->files[i].name, CQ_SHEET_LIST))
      return cq_error_set(error, CQ_REFUSED, "desk.publish.contacts", NULL);
  cq_status status = cq_contacts_read(&people, desk, "a_linea_base_tdd", error);
  if (status == CQ_OK && !(named = calloc(people.count + 1, sizeof *named))) status = cq_error_nomem(error);
  if (status == CQ_OK) status = gather(cli, &people, named, &count, error);
  if (status == CQ_OK) status = cq_sheet_list_write(&csv, named, count, error);
  if (status == CQ_OK)
    status = cq_bundle_file_seal(&sealed, cq_buf_str(&csv), phrase, CQ_COST_INTERACTIVE, &cq_random_system, error);
  if (status == CQ_OK) {
    cq_bundle_file *file = &c->files[c->file_count++]; /* there is room for one more */
    *file = (cq_bundle_file){.name = CQ_STR(CQ_SHEET_LIST), .sealed = true};
    file->bytes = cq_arena_copy(c->arena, cq_buf_str(&sealed));
    if (!file->bytes.at) status = cq_error_nomem(error);
  }
  free(named);
  cq_contacts_fini(&people);
  cq_buf_fini_secret(&csv);
  cq_buf_fini(&sealed);
  return status;
}
