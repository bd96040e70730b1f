/* SPDX-License-Identifier: Apache-2.0 */
/* Technicians and recovery keys of an open vault. */
#include "vault/file/vault.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

size_t cq_vault_slots(const cq_vault *vault, cq_vault_slot slots[CQ_VAULT_MAX_SLOTS]) {
  for (size_t i = 0; i < vault->header.slots; i++) {
    const header_slot *from = &vault->header.slot[i];
    slots[i] = (cq_vault_slot){.id = from->id,
                               .type = from->type == CQ_VAULT_TECHNICIAN ? CQ_VAULT_TECHNICIAN : CQ_VAULT_RECOVERY,
                               .opened_this = from->id == vault->opened_slot};
    memcpy(slots[i].label, from->label, sizeof slots[i].label);
    memcpy(slots[i].public_key, from->public_key, sizeof slots[i].public_key);
  }
  return vault->header.slots;
}

static cq_status room_for(const vault_header *header, const char *label, cq_error *error) {
  if (!vault_label_good(label)) return cq_error_set(error, CQ_INVALID, "vault.label", NULL);
  if (header->slots == CQ_VAULT_MAX_SLOTS) return cq_error_set(error, CQ_LIMIT, "vault.slots.full", "16", NULL);
  for (size_t i = 0; i < header->slots; i++)
    if (strcmp(header->slot[i].label, label) == 0) return cq_error_set(error, CQ_REFUSED, "vault.label.taken", NULL);
  return CQ_OK;
}

static bool key_taken(const vault_header *header, const uint8_t *public_key) {
  for (size_t i = 0; i < header->slots; i++)
    if (memcmp(header->slot[i].public_key, public_key, CQ_VAULT_KEY_SIZE) == 0) return true;
  return false;
}

static cq_status pair_of(slot_pair **pair, const cq_vault *vault, cq_str passphrase, cq_error *error) {
  if (!vault->keys) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  *pair = sodium_malloc(sizeof **pair);
  return *pair ? header_pair(*pair, &vault->header, passphrase, error) : cq_error_nomem(error);
}

cq_status cq_vault_add_technician(cq_vault *vault, cq_str passphrase, const char *label, uint32_t *id,
                                  cq_error *error) {
  vault_header next = vault->header;
  slot_pair *pair = NULL;
  cq_status status = room_for(&next, label, error);
  if (status == CQ_OK) status = cq_vault_passphrase_check(passphrase, label, error);
  if (status == CQ_OK) status = pair_of(&pair, vault, passphrase, error);
  if (status == CQ_OK && key_taken(&next, pair->public_key))
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.taken", NULL);
  if (status == CQ_OK) {
    header_slot *slot = header_add(&next, CQ_VAULT_TECHNICIAN, label, pair->public_key);
    slot_seal(slot->sealed, slot->type, slot->public_key, next.id, vault->keys->data);
    status = vault_write_header(vault, &next, error);
    if (status == CQ_OK && id) *id = slot->id;
  }
  sodium_free(pair);
  return status;
}

cq_status cq_vault_add_recovery(cq_vault *vault, const uint8_t key[CQ_VAULT_KEY_SIZE], const char *label,
                                cq_error *error) {
  vault_header next = vault->header;
  if (!vault->keys) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  if (key_taken(&next, key)) return CQ_OK;
  cq_status status = room_for(&next, label, error);
  if (status != CQ_OK) return status;
  header_slot *slot = header_add(&next, CQ_VAULT_RECOVERY, label, key);
  if (!slot_seal(slot->sealed, slot->type, key, next.id, vault->keys->data))
    return cq_error_set(error, CQ_INVALID, "vault.recovery.key", NULL);
  return vault_write_header(vault, &next, error);
}

static header_slot *technician(vault_header *header, uint32_t id) {
  for (size_t i = 0; i < header->slots; i++)
    if (header->slot[i].id == id && header->slot[i].type == CQ_VAULT_TECHNICIAN) return &header->slot[i];
  return NULL;
}

cq_status cq_vault_change_passphrase(cq_vault *vault, uint32_t id, cq_str old, cq_str passphrase, cq_error *error) {
  vault_header next = vault->header;
  slot_pair *before = NULL, *after = NULL;
  header_slot *slot = technician(&next, id);
  if (!slot) return cq_error_set(error, CQ_NOTFOUND, "vault.slot.missing", NULL);
  cq_status status = cq_vault_passphrase_check(passphrase, slot->label, error);
  if (status == CQ_OK) status = pair_of(&before, vault, old, error);
  if (status == CQ_OK && memcmp(before->public_key, slot->public_key, CQ_VAULT_KEY_SIZE) != 0)
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.wrong", NULL);
  if (status == CQ_OK) status = pair_of(&after, vault, passphrase, error);
  if (status == CQ_OK && key_taken(&next, after->public_key))
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.taken", NULL);
  if (status == CQ_OK) {
    memcpy(slot->public_key, after->public_key, CQ_VAULT_KEY_SIZE);
    slot_seal(slot->sealed, slot->type, slot->public_key, next.id, vault->keys->data);
    status = vault_write_header(vault, &next, error);
  }
  sodium_free(before);
  sodium_free(after);
  return status;
}
