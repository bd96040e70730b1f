/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/file/cipher.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(BLOCK_PLAIN + BLOCK_NONCE + BLOCK_TAG == BLOCK_SIZE, "a block is one sector");

enum { PREFIX = 16, AAD = 16 };

static void fill_system(void *context, void *out, size_t size) {
  (void)context;
  randombytes_buf(out, size);
}
const cq_random vault_random_system = {fill_system, NULL};

vault_keys *keys_new(void) {
  vault_keys *keys = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *keys);
  if (keys) sodium_memzero(keys, sizeof *keys);
  return keys;
}

void keys_free(vault_keys *keys) {
  sodium_free(keys);
}

static void derive(uint8_t out[32], const vault_keys *keys, const char *label, const uint8_t *file_id) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, keys->data, sizeof keys->data, 32);
  crypto_generichash_update(&state, (const uint8_t *)label, strlen(label));
  crypto_generichash_update(&state, file_id, CQ_VAULT_ID_SIZE);
  crypto_generichash_final(&state, out, 32);
  sodium_memzero(&state, sizeof state);
}

void keys_derive(vault_keys *keys, const uint8_t file_id[CQ_VAULT_ID_SIZE]) {
  derive(keys->page, keys, "chasqui page", file_id);
  derive(keys->header, keys, "chasqui header", file_id);
  derive(keys->labels, keys, "chasqui labels", file_id);
}

/*
 * XChaCha20-Poly1305 is ChaCha20-Poly1305 under HChaCha20(key, first 16 bytes of the nonce) with the last 8. All
 * blocks of a session share those 16 bytes, so the derived key is kept, and libcrypto's ChaCha20-Poly1305, a third
 * faster than libsodium's, does the rest. The bytes are libsodium's: tests/vault/vectors.c compares them.
 */
struct block_cipher {
  const vault_keys *keys;
  EVP_CIPHER_CTX *seal, *open;
  uint8_t own[PREFIX];  /* of blocks sealed in this session */
  uint8_t seen[PREFIX]; /* of the block opened last */
  bool has_seen;
  uint64_t counter;
};

static bool rekey(EVP_CIPHER_CTX *context, const vault_keys *keys, const uint8_t prefix[PREFIX], int sealing) {
  uint8_t key[32];
  crypto_core_hchacha20(key, prefix, keys->page, NULL);
  bool good = EVP_CipherInit_ex(context, NULL, NULL, key, NULL, sealing) == 1;
  sodium_memzero(key, sizeof key);
  return good;
}

block_cipher *cipher_new(const vault_keys *keys, const cq_random *random) {
  block_cipher *cipher = calloc(1, sizeof *cipher);
  if (!cipher) return NULL;
  cipher->keys = keys;
  random->fill(random->context, cipher->own, sizeof cipher->own);
  cipher->seal = EVP_CIPHER_CTX_new();
  cipher->open = EVP_CIPHER_CTX_new();
  if (cipher->seal && cipher->open &&
      EVP_CipherInit_ex(cipher->seal, EVP_chacha20_poly1305(), NULL, NULL, NULL, 1) == 1 &&
      EVP_CipherInit_ex(cipher->open, EVP_chacha20_poly1305(), NULL, NULL, NULL, 0) == 1 &&
      rekey(cipher->seal, keys, cipher->own, 1))
    return cipher;
  cipher_free(cipher);
  return NULL;
}

void cipher_free(block_cipher *cipher) {
  if (!cipher) return;
  EVP_CIPHER_CTX_free(cipher->seal);
  EVP_CIPHER_CTX_free(cipher->open);
  free(cipher);
}

static void put_u64(uint8_t *out, uint64_t value) {
  for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static void make_aad(uint8_t aad[AAD], block_kind kind, uint64_t number) {
  put_u64(aad, (uint64_t)kind);
  put_u64(aad + 8, number);
}

bool cipher_seal(block_cipher *cipher, block_kind kind, uint64_t number, const uint8_t content[BLOCK_CONTENT],
                 const uint8_t *extra, uint8_t out[BLOCK_SIZE]) {
  static const uint8_t zeros[BLOCK_EXTRA];
  uint8_t aad[AAD], iv[12] = {0};
  uint8_t *nonce = out + BLOCK_PLAIN;
  int size = 0;

  if (cipher->counter == UINT64_MAX) return false;
  make_aad(aad, kind, number);
  put_u64(iv + 4, cipher->counter++);
  bool good = EVP_EncryptInit_ex(cipher->seal, NULL, NULL, NULL, iv) == 1 &&
              EVP_EncryptUpdate(cipher->seal, NULL, &size, aad, AAD) == 1 &&
              EVP_EncryptUpdate(cipher->seal, out, &size, content, BLOCK_CONTENT) == 1 && size == BLOCK_CONTENT &&
              EVP_EncryptUpdate(cipher->seal, out + BLOCK_CONTENT, &size, extra ? extra : zeros, BLOCK_EXTRA) == 1 &&
              size == BLOCK_EXTRA && EVP_EncryptFinal_ex(cipher->seal, out + BLOCK_PLAIN, &size) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher->seal, EVP_CTRL_AEAD_GET_TAG, BLOCK_TAG, out + BLOCK_PLAIN + BLOCK_NONCE) == 1;
  if (!good) {
    sodium_memzero(out, BLOCK_SIZE);
    return false;
  }
  memcpy(nonce, cipher->own, PREFIX);
  memcpy(nonce + PREFIX, iv + 4, 8);
  return true;
}

bool cipher_open(block_cipher *cipher, block_kind kind, uint64_t number, uint8_t block[BLOCK_SIZE]) {
  uint8_t aad[AAD], iv[12] = {0};
  const uint8_t *nonce = block + BLOCK_PLAIN;
  int size = 0;

  if (!cipher->has_seen || memcmp(cipher->seen, nonce, PREFIX) != 0) {
    cipher->has_seen = rekey(cipher->open, cipher->keys, nonce, 0);
    memcpy(cipher->seen, nonce, PREFIX);
  }
  make_aad(aad, kind, number);
  memcpy(iv + 4, nonce + PREFIX, 8);
  bool good =
      cipher->has_seen && EVP_DecryptInit_ex(cipher->open, NULL, NULL, NULL, iv) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher->open, EVP_CTRL_AEAD_SET_TAG, BLOCK_TAG, block + BLOCK_PLAIN + BLOCK_NONCE) == 1 &&
      EVP_DecryptUpdate(cipher->open, NULL, &size, aad, AAD) == 1 &&
      EVP_DecryptUpdate(cipher->open, block, &size, block, BLOCK_PLAIN) == 1 && size == BLOCK_PLAIN &&
      EVP_DecryptFinal_ex(cipher->open, block + BLOCK_PLAIN, &size) == 1;
  memset(block + (good ? BLOCK_PLAIN : 0), 0, good ? BLOCK_SIZE - BLOCK_PLAIN : BLOCK_SIZE);
  return good;
}
