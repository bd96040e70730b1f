/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a vault in memory and as bytes: slots, labels, passphrases.
 * docs/formats/vault.md, "The header".
 */
#ifndef VAULT_FILE_HEADER_H
#define VAULT_FILE_HEADER_H

#include "vault/file/cipher.h"

enum {
  HEADER_COPY = 4096,
  HEADER_PREFIX = 2 * HEADER_COPY, /* before page 1 */
  HEADER_SALT = 16,
  SLOT_SEALED = 112,
};

typedef struct header_slot {
  uint32_t type, id;
  uint8_t public_key[CQ_VAULT_KEY_SIZE];
  uint8_t sealed[SLOT_SEALED];
  char label[CQ_VAULT_LABEL_MAX + 1]; /* "" until header_unlock */
} header_slot;

typedef struct vault_header {
  uint64_t generation;
  uint8_t id[CQ_VAULT_ID_SIZE];
  uint8_t salt[HEADER_SALT];
  cq_vault_effort effort;
  uint32_t slots, next_id;
  header_slot slot[CQ_VAULT_MAX_SLOTS];
  uint8_t labels[24 + 784]; /* nonce and sealed labels, as read */
} vault_header;

typedef struct slot_pair {
  uint8_t public_key[CQ_VAULT_KEY_SIZE];
  uint8_t secret_key[CQ_VAULT_KEY_SIZE];
} slot_pair;

/* Writes one copy; draws the nonce of the labels. */
void header_write(uint8_t out[HEADER_COPY], const vault_header *header, const vault_keys *keys,
                  const cq_random *random);

typedef enum { HEADER_WHOLE, HEADER_TORN, HEADER_FUTURE } header_state;
/* Reads what needs no key, with every number checked against its cap. Nothing else of the vault is trusted yet. */
header_state header_read(vault_header *header, const uint8_t copy[HEADER_COPY]);
/* With the keys: the copy's MAC, then the labels. False where either does not hold. */
bool header_unlock(vault_header *header, const uint8_t copy[HEADER_COPY], const vault_keys *keys);

/*
 * The better of two copies: CQ_OK, with *best the index and *equal whether both hold the same bytes. Errors:
 * vault.notvault, vault.version, vault.damaged.header.
 */
cq_status header_choose(vault_header *header, const uint8_t prefix[HEADER_PREFIX], int *best, bool *equal,
                        cq_error *error);

/* The key pair of a passphrase. `pair` must be locked memory. CQ_NOMEM where Argon2id gets no memory. */
cq_status header_pair(slot_pair *pair, const vault_header *header, cq_str passphrase, cq_error *error);

/* Appends a slot; the caller has checked that there is room. */
header_slot *header_add(vault_header *header, uint32_t type, const char *label,
                        const uint8_t public_key[CQ_VAULT_KEY_SIZE]);
void header_drop(vault_header *header, size_t index);
/* Seals the data key to the slot. False where the public key is no key. */
bool slot_seal(uint8_t sealed[SLOT_SEALED], uint32_t type, const uint8_t public_key[CQ_VAULT_KEY_SIZE],
               const uint8_t file_id[CQ_VAULT_ID_SIZE], const uint8_t data_key[32]);
bool slot_open(uint8_t data_key[32], const uint8_t sealed[SLOT_SEALED], uint32_t type,
               const uint8_t file_id[CQ_VAULT_ID_SIZE], const slot_pair *pair);

/* Costs that take about half a second here. */
cq_vault_effort effort_measure(void);
/* The effort asked for, or measured where it is zero, kept within the caps. */
cq_vault_effort effort_choose(const cq_vault_options *options);

#endif
