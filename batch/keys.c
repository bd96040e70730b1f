/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/keys.h"
#include "batch/purpose.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(cq_hasher) >= sizeof(crypto_generichash_state), "a hasher holds libsodium's state");
_Static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == 64, "Ed25519 of libsodium");

struct cq_secret {
  size_t size;
  uint8_t *bytes; /* sodium_malloc: locked, guarded */
};

const char *cq_mode_name(cq_mode mode) {
  return mode == CQ_MODE_REAL ? "real" : mode == CQ_MODE_PRACTICE ? "practice" : NULL;
}

static void system_fill(void *context, void *out, size_t size) {
  (void)context;
  if (sodium_init() < 0) sodium_misuse();
  randombytes_buf(out, size);
}

const cq_random cq_random_system = {.fill = system_fill};

/* --- hashes --- */

cq_hash cq_hash_of(const void *bytes, size_t size) {
  cq_hash hash;
  crypto_generichash(hash.at, sizeof hash.at, bytes, size, NULL, 0);
  return hash;
}

bool cq_hash_equal(const cq_hash *a, const cq_hash *b) {
  return sodium_memcmp(a->at, b->at, sizeof a->at) == 0;
}

bool cq_hash_is_zero(const cq_hash *hash) {
  return sodium_is_zero(hash->at, sizeof hash->at) == 1;
}

char *cq_hash_hex(const cq_hash *hash, char out[65]) {
  return sodium_bin2hex(out, 65, hash->at, sizeof hash->at);
}

bool cq_hash_parse(cq_str hex, cq_hash *hash) {
  return cq_hex_decode(hex, hash->at, sizeof hash->at);
}

static crypto_generichash_state *state_of(cq_hasher *hasher) {
  return (crypto_generichash_state *)(void *)hasher->state;
}

void cq_hasher_init(cq_hasher *hasher) {
  crypto_generichash_init(state_of(hasher), NULL, 0, sizeof(cq_hash));
}

void cq_hasher_add(cq_hasher *hasher, const void *bytes, size_t size) {
  crypto_generichash_update(state_of(hasher), bytes, size);
}

cq_hash cq_hasher_end(cq_hasher *hasher) {
  cq_hash hash;
  crypto_generichash_final(state_of(hasher), hash.at, sizeof hash.at);
  return hash;
}

bool cq_same_bytes(const void *a, const void *b, size_t size) {
  return sodium_memcmp(a, b, size) == 0;
}

void cq_wipe(void *bytes, size_t size) {
  sodium_memzero(bytes, size);
}

/* --- secret memory --- */

cq_secret *cq_secret_new(size_t size) {
  if (size < 1 || size > 1 << 20 || sodium_init() < 0) return NULL;
  cq_secret *secret = sodium_malloc(sizeof *secret);
  if (!secret) return NULL;
  secret->bytes = sodium_malloc(size);
  if (!secret->bytes) {
    sodium_free(secret);
    return NULL;
  }
  secret->size = size;
  sodium_memzero(secret->bytes, size);
  return secret;
}

cq_secret *cq_secret_copy(const void *bytes, size_t size) {
  cq_secret *secret = cq_secret_new(size);
  if (secret) memcpy(secret->bytes, bytes, size);
  return secret;
}

void cq_secret_free(cq_secret *secret) {
  if (!secret) return;
  sodium_free(secret->bytes);
  sodium_free(secret);
}

uint8_t *cq_secret_bytes(cq_secret *secret) {
  return secret->bytes;
}

const uint8_t *cq_secret_view(const cq_secret *secret) {
  return secret->bytes;
}

size_t cq_secret_size(const cq_secret *secret) {
  return secret->size;
}

/* --- key pairs --- */

cq_status cq_sign_pair(cq_sign_key *key, cq_secret **secret, const cq_random *random, cq_error *error) {
  *secret = NULL;
  cq_secret *made = cq_secret_new(crypto_sign_SECRETKEYBYTES), *seed = cq_secret_new(crypto_sign_SEEDBYTES);
  if (made && seed) {
    random->fill(random->context, seed->bytes, seed->size);
    crypto_sign_seed_keypair(key->at, made->bytes, seed->bytes);
    *secret = made;
  } else {
    cq_secret_free(made);
  }
  cq_secret_free(seed);
  return *secret ? CQ_OK : cq_error_nomem(error);
}

cq_status cq_seal_pair(cq_seal_key *key, cq_secret **secret, const cq_random *random, cq_error *error) {
  *secret = cq_secret_new(crypto_box_SECRETKEYBYTES + crypto_box_PUBLICKEYBYTES);
  if (!*secret) return cq_error_nomem(error);
  random->fill(random->context, (*secret)->bytes, crypto_box_SECRETKEYBYTES);
  crypto_scalarmult_base(key->at, (*secret)->bytes);
  memcpy((*secret)->bytes + crypto_box_SECRETKEYBYTES, key->at, sizeof key->at);
  return CQ_OK;
}

static cq_status public_half(uint8_t out[32], const cq_secret *secret, cq_error *error) {
  if (!secret || secret->size != 64) return cq_error_set(error, CQ_INVALID, "keys.secret.size", NULL);
  memcpy(out, secret->bytes + 32, 32);
  return CQ_OK;
}

cq_status cq_sign_public(cq_sign_key *key, const cq_secret *secret, cq_error *error) {
  return public_half(key->at, secret, error);
}

cq_status cq_seal_public(cq_seal_key *key, const cq_secret *secret, cq_error *error) {
  return public_half(key->at, secret, error);
}

/* --- purposes and ids --- */

void cq_purpose_fill(uint8_t out[CQ_PURPOSE_SIZE], const char *purpose) {
  memset(out, 0, CQ_PURPOSE_SIZE);
  memcpy(out, purpose, strnlen(purpose, CQ_PURPOSE_SIZE));
}

static cq_hash hash_for(const char *purpose, const uint8_t key[32]) {
  uint8_t bytes[CQ_PURPOSE_SIZE + 32];
  cq_purpose_fill(bytes, purpose);
  memcpy(bytes + CQ_PURPOSE_SIZE, key, 32);
  return cq_hash_of(bytes, sizeof bytes);
}

cq_device_id cq_device_id_of(const cq_sign_key *key) {
  cq_hash hash = hash_for("chasqui key 1", key->at);
  cq_device_id device;
  memcpy(device.at, hash.at, sizeof device.at);
  return device;
}

cq_programme_id cq_programme_id_of(const cq_sign_key *first_key) {
  cq_hash hash = hash_for("chasqui key 1", first_key->at);
  cq_programme_id programme;
  memcpy(programme.at, hash.at, sizeof programme.at);
  return programme;
}

bool cq_device_id_equal(const cq_device_id *a, const cq_device_id *b) {
  return memcmp(a->at, b->at, sizeof a->at) == 0;
}

bool cq_programme_id_equal(const cq_programme_id *a, const cq_programme_id *b) {
  return memcmp(a->at, b->at, sizeof a->at) == 0;
}

char *cq_device_id_hex(const cq_device_id *device, char out[33]) {
  return sodium_bin2hex(out, 33, device->at, sizeof device->at);
}

bool cq_device_id_parse(cq_str hex, cq_device_id *device) {
  return cq_hex_decode(hex, device->at, sizeof device->at);
}

char *cq_programme_id_hex(const cq_programme_id *programme, char out[33]) {
  return sodium_bin2hex(out, 33, programme->at, sizeof programme->at);
}

bool cq_programme_id_parse(cq_str hex, cq_programme_id *programme) {
  return cq_hex_decode(hex, programme->at, sizeof programme->at);
}

/* --- fingerprints --- */

/* Twenty signs that neither look alike on a screen nor sound alike when spelled in Spanish. */
static const char signs[] = "23456789AEFHJKLMPRTX";
enum { BASE = sizeof signs - 1, DIGITS = 20, GROUP = 4 };

char *cq_fingerprint(const cq_sign_key *key, char out[CQ_FINGERPRINT_SIZE]) {
  cq_hash number = hash_for("chasqui fingerprint 1", key->at);
  for (size_t digit = DIGITS; digit-- > 0;) {
    unsigned remainder = 0;
    for (size_t i = 0; i < sizeof number.at; i++) {
      unsigned part = remainder << 8 | number.at[i];
      number.at[i] = (uint8_t)(part / BASE);
      remainder = part % BASE;
    }
    out[digit + digit / GROUP] = signs[remainder];
  }
  for (size_t i = GROUP; i < CQ_FINGERPRINT_SIZE - 1; i += GROUP + 1) out[i] = '-';
  out[CQ_FINGERPRINT_SIZE - 1] = '\0';
  return out;
}

bool cq_fingerprint_matches(const cq_sign_key *key, cq_str typed) {
  char right[CQ_FINGERPRINT_SIZE];
  cq_fingerprint(key, right);
  size_t at = 0;
  for (size_t i = 0; i < typed.size; i++) {
    char c = typed.at[i];
    if (c == ' ' || c == '-') continue;
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (right[at] == '-') at++;
    if (c == '\0' || right[at] != c) return false; /* a NUL is the end of `right`, and of nothing that is typed */
    at++;
  }
  return right[at] == '\0';
}

/* --- signatures --- */

static void message_of(uint8_t message[CQ_PURPOSE_SIZE + 32], const char *purpose, const cq_hash *hash) {
  cq_purpose_fill(message, purpose);
  memcpy(message + CQ_PURPOSE_SIZE, hash->at, sizeof hash->at);
}

cq_status cq_sign_hash(cq_signature *signature, const char *purpose, const cq_hash *hash, const cq_secret *secret,
                       cq_error *error) {
  if (!secret || secret->size != crypto_sign_SECRETKEYBYTES)
    return cq_error_set(error, CQ_INVALID, "keys.secret.size", NULL);
  uint8_t message[CQ_PURPOSE_SIZE + 32];
  message_of(message, purpose, hash);
  crypto_sign_detached(signature->at, NULL, message, sizeof message, secret->bytes);
  return CQ_OK;
}

bool cq_signature_right_hash(const cq_signature *signature, const char *purpose, const cq_hash *hash,
                             const cq_sign_key *key) {
  uint8_t message[CQ_PURPOSE_SIZE + 32];
  message_of(message, purpose, hash);
  return crypto_sign_verify_detached(signature->at, message, sizeof message, key->at) == 0;
}

cq_status cq_sign(cq_signature *signature, const char *purpose, const void *bytes, size_t size, const cq_secret *secret,
                  cq_error *error) {
  cq_hash hash = cq_hash_of(bytes, size);
  return cq_sign_hash(signature, purpose, &hash, secret, error);
}

bool cq_signature_right(const cq_signature *signature, const char *purpose, const void *bytes, size_t size,
                        const cq_sign_key *key) {
  cq_hash hash = cq_hash_of(bytes, size);
  return cq_signature_right_hash(signature, purpose, &hash, key);
}
