/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/seal.h"
#include "batch/layout.h"
#include "batch/purpose.h"

#include <sodium.h>
#include <string.h>

enum {
  TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
  NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
  SEAL_MAX = 1 << 20,
  WRAP_MAX = 64 << 20,
  WRAP_SALT = 12,
  WRAP_NONCE = 28,
  WRAP_SEALED = 52,
  MAX_PASSES = 10,
  MIN_MEMORY_KIB = 8,
  MAX_MEMORY_KIB = 1 << 20
};
_Static_assert(CQ_SEAL_OVERHEAD == 32 + TAG && CQ_WRAP_OVERHEAD == WRAP_SEALED + TAG, "as the header says");

/* The one-time key of a seal: bound to its purpose, both public keys and their shared secret. */
static bool seal_key(uint8_t out[32], const char *purpose, const uint8_t scalar[32], const uint8_t other[32],
                     const cq_seal_key *ephemeral, const uint8_t recipient[32]) {
  uint8_t shared[32], label[CQ_PURPOSE_SIZE];
  if (crypto_scalarmult(shared, scalar, other) != 0) return false;
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, 32);
  cq_purpose_fill(label, "chasqui seal 1");
  crypto_generichash_update(&state, label, sizeof label);
  cq_purpose_fill(label, purpose);
  crypto_generichash_update(&state, label, sizeof label);
  crypto_generichash_update(&state, shared, sizeof shared);
  crypto_generichash_update(&state, ephemeral->at, 32);
  crypto_generichash_update(&state, recipient, 32);
  crypto_generichash_final(&state, out, 32);
  sodium_memzero(shared, sizeof shared);
  sodium_memzero(&state, sizeof state);
  return true;
}

static const uint8_t no_nonce[NONCE];

cq_status cq_seal_with(uint8_t *out, const char *purpose, const void *bytes, size_t size, const cq_seal_key *to,
                       const cq_seal_key *ephemeral, const cq_secret *ephemeral_secret, cq_error *error) {
  uint8_t key[32];
  if (!seal_key(key, purpose, cq_secret_view(ephemeral_secret), to->at, ephemeral, to->at))
    return cq_error_set(error, CQ_INVALID, "keys.seal.key", NULL);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, bytes, size, NULL, 0, NULL, no_nonce, key);
  sodium_memzero(key, sizeof key);
  return CQ_OK;
}

bool cq_unseal_with(uint8_t *out, const char *purpose, const uint8_t *sealed, size_t size, const cq_seal_key *ephemeral,
                    const cq_secret *secret) {
  uint8_t key[32];
  if (size < TAG || cq_secret_size(secret) != 64) return false;
  const uint8_t *own = cq_secret_view(secret);
  if (!seal_key(key, purpose, own, ephemeral->at, ephemeral, own + 32)) return false;
  bool right = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, NULL, 0, no_nonce, key) == 0;
  sodium_memzero(key, sizeof key);
  return right;
}

cq_status cq_seal(cq_buf *out, const char *purpose, const void *bytes, size_t size, const cq_seal_key *to,
                  const cq_random *random, cq_error *error) {
  if (size < 1 || size > SEAL_MAX) return cq_error_set(error, CQ_LIMIT, "keys.seal.size", NULL);
  cq_seal_key ephemeral;
  cq_secret *secret = NULL;
  cq_status status = cq_seal_pair(&ephemeral, &secret, random, error);
  if (status == CQ_OK && !cq_buf_reserve(out, size + CQ_SEAL_OVERHEAD)) status = cq_error_nomem(error);
  if (status == CQ_OK) {
    uint8_t *at = (uint8_t *)out->at + out->size;
    memcpy(at, ephemeral.at, sizeof ephemeral.at);
    status = cq_seal_with(at + 32, purpose, bytes, size, to, &ephemeral, secret, error);
  }
  if (status == CQ_OK) {
    out->size += size + CQ_SEAL_OVERHEAD;
    out->at[out->size] = '\0';
  }
  cq_secret_free(secret);
  return status;
}

cq_status cq_unseal(cq_secret **out, const char *purpose, const void *sealed, size_t size, const cq_secret *secret,
                    cq_error *error) {
  *out = NULL;
  if (size < CQ_SEAL_OVERHEAD + 1 || size > SEAL_MAX + CQ_SEAL_OVERHEAD)
    return cq_error_set(error, CQ_DAMAGED, "keys.sealed.wrong", NULL);
  cq_secret *plain = cq_secret_new(size - CQ_SEAL_OVERHEAD);
  if (!plain) return cq_error_nomem(error);
  cq_seal_key ephemeral;
  memcpy(ephemeral.at, sealed, sizeof ephemeral.at);
  if (!cq_unseal_with(cq_secret_bytes(plain), purpose, (const uint8_t *)sealed + 32, size - 32, &ephemeral, secret)) {
    cq_secret_free(plain);
    return cq_error_set(error, CQ_DAMAGED, "keys.sealed.wrong", NULL);
  }
  *out = plain;
  return CQ_OK;
}

/* --- under a phrase --- */

static const struct {
  uint8_t passes;
  uint32_t memory_kib;
} costs[] = {
    [CQ_COST_LEAST] = {1, MIN_MEMORY_KIB}, [CQ_COST_INTERACTIVE] = {2, 64 << 10}, [CQ_COST_MODERATE] = {3, 256 << 10}};

static cq_status phrase_key(cq_secret **key, cq_str phrase, const uint8_t *salt, uint8_t passes, uint32_t memory_kib,
                            cq_error *error) {
  phrase = cq_str_trim(phrase);
  *key = cq_secret_new(32);
  if (!*key) return cq_error_nomem(error);
  if (crypto_pwhash(cq_secret_bytes(*key), 32, phrase.size ? phrase.at : "", phrase.size, salt, passes,
                    (size_t)memory_kib << 10, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    cq_secret_free(*key);
    *key = NULL;
    return cq_error_nomem(error);
  }
  return CQ_OK;
}

static void wrap_data(uint8_t out[WRAP_SALT + CQ_PURPOSE_SIZE], const uint8_t *wrapped, const char *purpose) {
  memcpy(out, wrapped, WRAP_SALT);
  cq_purpose_fill(out + WRAP_SALT, purpose);
}

cq_status cq_wrap(cq_buf *out, const char *purpose, const void *bytes, size_t size, cq_str phrase, cq_cost cost,
                  const cq_random *random, cq_error *error) {
  if (size > WRAP_MAX) return cq_error_set(error, CQ_LIMIT, "keys.seal.size", NULL);
  if (!cq_buf_reserve(out, size + CQ_WRAP_OVERHEAD)) return cq_error_nomem(error);
  uint8_t *at = (uint8_t *)out->at + out->size;
  uint32_t memory = costs[cost].memory_kib;
  memcpy(at, "CHQW\1", 5);
  at[5] = costs[cost].passes;
  at[6] = at[7] = 0;
  for (int i = 0; i < 4; i++) at[8 + i] = (uint8_t)(memory >> (8 * i));
  random->fill(random->context, at + WRAP_SALT, WRAP_SEALED - WRAP_SALT);

  cq_secret *key = NULL;
  cq_status status = phrase_key(&key, phrase, at + WRAP_SALT, costs[cost].passes, memory, error);
  if (status != CQ_OK) return status;
  uint8_t data[WRAP_SALT + CQ_PURPOSE_SIZE];
  wrap_data(data, at, purpose);
  crypto_aead_xchacha20poly1305_ietf_encrypt(at + WRAP_SEALED, NULL, bytes, size, data, sizeof data, NULL,
                                             at + WRAP_NONCE, cq_secret_view(key));
  cq_secret_free(key);
  out->size += size + CQ_WRAP_OVERHEAD;
  out->at[out->size] = '\0';
  return CQ_OK;
}

cq_status cq_unwrap(cq_buf *out, const char *purpose, const void *wrapped, size_t size, cq_str phrase,
                    cq_error *error) {
  cq_layout layout = cq_layout_of(wrapped, size);
  const uint8_t *magic = cq_layout_take(&layout, 4);
  uint8_t version = cq_layout_u8(&layout), passes = cq_layout_u8(&layout);
  uint16_t zero = cq_layout_u16(&layout);
  uint32_t memory = cq_layout_u32(&layout);
  if (size < CQ_WRAP_OVERHEAD || size > WRAP_MAX + CQ_WRAP_OVERHEAD || memcmp(magic, "CHQW", 4) != 0 || version == 0)
    return cq_error_set(error, CQ_DAMAGED, "keys.wrapped.damaged", NULL);
  if (version > 1) return cq_error_set(error, CQ_FUTURE, "keys.wrapped.future", NULL);
  if (zero != 0 || passes < 1 || passes > MAX_PASSES || memory < MIN_MEMORY_KIB || memory > MAX_MEMORY_KIB)
    return cq_error_set(error, CQ_LIMIT, "keys.wrapped.cost", NULL);
  size_t plain = size - CQ_WRAP_OVERHEAD;
  if (!cq_buf_reserve(out, plain)) return cq_error_nomem(error);
  const uint8_t *at = wrapped;
  cq_secret *key = NULL;
  cq_status status = phrase_key(&key, phrase, at + WRAP_SALT, passes, memory, error);
  if (status != CQ_OK) return status;
  uint8_t data[WRAP_SALT + CQ_PURPOSE_SIZE];
  wrap_data(data, at, purpose);
  int opened = crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)out->at + out->size, NULL, NULL, at + WRAP_SEALED,
                                                          size - WRAP_SEALED, data, sizeof data, at + WRAP_NONCE,
                                                          cq_secret_view(key));
  cq_secret_free(key);
  if (opened != 0) return cq_error_set(error, CQ_REFUSED, "keys.phrase.wrong", NULL);
  out->size += plain;
  out->at[out->size] = '\0';
  return CQ_OK;
}
