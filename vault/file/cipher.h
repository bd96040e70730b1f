/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and blocks: the only file that seals or opens what a vault holds.
 * docs/formats/vault.md, "A block" and "Keys".
 */
#ifndef VAULT_FILE_CIPHER_H
#define VAULT_FILE_CIPHER_H

#include "chasqui/clock.h"
#include "chasqui/vault.h"

#include <stdbool.h>
#include <stdint.h>

enum {
  BLOCK_SIZE = 4096,
  BLOCK_CONTENT = 4032, /* of a page that SQLite uses; the rest of a page is reserved */
  BLOCK_EXTRA = 24,     /* a frame's header */
  BLOCK_PLAIN = BLOCK_CONTENT + BLOCK_EXTRA,
  BLOCK_NONCE = 24,
  BLOCK_TAG = 16,
  BLOCK_RESERVED = BLOCK_SIZE - BLOCK_CONTENT,
};

typedef enum { BLOCK_PAGE = 1, BLOCK_FRAME = 2, BLOCK_LOG_HEADER = 3 } block_kind;

/* Allocated with keys_new: locked, guarded, wiped by keys_free. */
typedef struct vault_keys {
  uint8_t data[32];
  uint8_t page[32];
  uint8_t header[32];
  uint8_t labels[32];
} vault_keys;

vault_keys *keys_new(void);
void keys_free(vault_keys *keys); /* NULL is fine */
/* The three keys from the data key and the file's id. */
void keys_derive(vault_keys *keys, const uint8_t file_id[CQ_VAULT_ID_SIZE]);

typedef struct block_cipher block_cipher;

/* Copies of the page key are kept only as keys of single sessions (HChaCha20 of it). NULL: no memory. */
block_cipher *cipher_new(const vault_keys *keys, const cq_random *random);
void cipher_free(block_cipher *cipher); /* NULL is fine */

/* Seals content and extra (NULL: zeros) into `out`, which may be where `content` is. A fresh nonce each time. */
bool cipher_seal(block_cipher *cipher, block_kind kind, uint64_t number, const uint8_t content[BLOCK_CONTENT],
                 const uint8_t *extra, uint8_t out[BLOCK_SIZE]);
/*
 * Opens `block` in place: BLOCK_PLAIN bytes of plaintext, then zeros. False, and all zeros, where it does not
 * authenticate.
 */
bool cipher_open(block_cipher *cipher, block_kind kind, uint64_t number, uint8_t block[BLOCK_SIZE]);

/* libsodium's generator, as the default for options. */
extern const cq_random vault_random_system;

#endif
