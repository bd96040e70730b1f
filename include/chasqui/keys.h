/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, secrets, hashes and randomness: all that rooms without libsodium
 * (collector, central, sync) need of it.
 *
 * Signing is Ed25519, sealing X25519 with XChaCha20-Poly1305, hashing
 * BLAKE2b-256, passphrases Argon2id (docs/formats/keys.md). Secrets live in
 * locked memory that is wiped when freed; they are never copied elsewhere by
 * this library. All functions may be called from several threads at once.
 */
#ifndef CHASQUI_KEYS_H
#define CHASQUI_KEYS_H

#include "chasqui/clock.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cq_hash {
  uint8_t at[32]; /* BLAKE2b-256 */
} cq_hash;
typedef struct cq_sign_key {
  uint8_t at[32]; /* public, Ed25519 */
} cq_sign_key;
typedef struct cq_seal_key {
  uint8_t at[32]; /* public, X25519; all zero: none */
} cq_seal_key;
typedef struct cq_signature {
  uint8_t at[64];
} cq_signature;
/* The first 16 bytes of BLAKE2b-256("chasqui key 1" ‖ signing key): of a device's key, or of a programme's first. */
typedef struct cq_device_id {
  uint8_t at[16];
} cq_device_id;
typedef struct cq_programme_id {
  uint8_t at[16];
} cq_programme_id;

typedef enum { CQ_MODE_REAL = 1, CQ_MODE_PRACTICE = 2 } cq_mode;
const char *cq_mode_name(cq_mode mode); /* "real", "practice"; NULL for another value */

/* --- randomness, hashing, comparing, wiping --- */
extern const cq_random cq_random_system; /* libsodium's; context NULL */

cq_hash cq_hash_of(const void *bytes, size_t size);
bool cq_hash_equal(const cq_hash *a, const cq_hash *b); /* constant time */
bool cq_hash_is_zero(const cq_hash *hash);
char *cq_hash_hex(const cq_hash *hash, char out[65]);
bool cq_hash_parse(cq_str hex, cq_hash *hash); /* exactly 64 hexadecimal digits */

/* Hashing in pieces; the struct may be copied and needs no freeing. */
typedef struct cq_hasher {
  _Alignas(64) uint8_t state[384];
} cq_hasher;
void cq_hasher_init(cq_hasher *hasher);
void cq_hasher_add(cq_hasher *hasher, const void *bytes, size_t size);
cq_hash cq_hasher_end(cq_hasher *hasher); /* the hasher must be initialised again before more is added */

bool cq_same_bytes(const void *a, const void *b, size_t size); /* constant time */
void cq_wipe(void *bytes, size_t size);

/* --- secret memory --- */
typedef struct cq_secret cq_secret;

cq_secret *cq_secret_new(size_t size); /* zeroed, locked, guarded; NULL where memory is out. 1 to 1 MiB. */
cq_secret *cq_secret_copy(const void *bytes, size_t size);
void cq_secret_free(cq_secret *secret); /* wipes; NULL is fine */
uint8_t *cq_secret_bytes(cq_secret *secret);
const uint8_t *cq_secret_view(const cq_secret *secret);
size_t cq_secret_size(const cq_secret *secret);

/* --- key pairs; the caller frees the secret with cq_secret_free. It may be stored as its bytes (64) in a vault and
 * come back by cq_secret_copy. --- */
cq_status cq_sign_pair(cq_sign_key *key, cq_secret **secret, const cq_random *random, cq_error *error);
cq_status cq_seal_pair(cq_seal_key *key, cq_secret **secret, const cq_random *random, cq_error *error);
/* The public half of a stored secret. Error: keys.secret.size. */
cq_status cq_sign_public(cq_sign_key *key, const cq_secret *secret, cq_error *error);
cq_status cq_seal_public(cq_seal_key *key, const cq_secret *secret, cq_error *error);

cq_device_id cq_device_id_of(const cq_sign_key *key);
cq_programme_id cq_programme_id_of(const cq_sign_key *first_key);
bool cq_device_id_equal(const cq_device_id *a, const cq_device_id *b);
bool cq_programme_id_equal(const cq_programme_id *a, const cq_programme_id *b);
char *cq_device_id_hex(const cq_device_id *device, char out[33]);
bool cq_device_id_parse(cq_str hex, cq_device_id *device);
char *cq_programme_id_hex(const cq_programme_id *programme, char out[33]);
bool cq_programme_id_parse(cq_str hex, cq_programme_id *programme);

/*
 * What people read aloud to each other over a telephone: five groups of four
 * signs, "7K3A-9PML-…", of twenty signs that neither look nor sound alike in
 * Spanish (86 bits of the key's hash).
 */
enum { CQ_FINGERPRINT_SIZE = 25 }; /* with the terminator */
char *cq_fingerprint(const cq_sign_key *key, char out[CQ_FINGERPRINT_SIZE]);
/* Whether `typed` (any case; spaces and dashes anywhere) is that key's fingerprint. */
bool cq_fingerprint_matches(const cq_sign_key *key, cq_str typed);

/* --- signatures over BLAKE2b-256 of `bytes`, bound to a purpose such as "chasqui hello 1" (at most 32 bytes) --- */
cq_status cq_sign(cq_signature *signature, const char *purpose, const void *bytes, size_t size, const cq_secret *secret,
                  cq_error *error);
bool cq_signature_right(const cq_signature *signature, const char *purpose, const void *bytes, size_t size,
                        const cq_sign_key *key);
cq_status cq_sign_hash(cq_signature *signature, const char *purpose, const cq_hash *hash, const cq_secret *secret,
                       cq_error *error);
bool cq_signature_right_hash(const cq_signature *signature, const char *purpose, const cq_hash *hash,
                             const cq_sign_key *key);

/*
 * --- sealing small things to a public key (1 byte to 1 MiB; CQ_SEAL_OVERHEAD bytes more) ---
 * The purpose is bound: what was sealed for another does not open.
 * Opening fails with keys.sealed.wrong (another key, another purpose, or changed bytes).
 */
enum { CQ_SEAL_OVERHEAD = 48 };
cq_status cq_seal(cq_buf *out, const char *purpose, const void *bytes, size_t size, const cq_seal_key *to,
                  const cq_random *random, cq_error *error);
cq_status cq_unseal(cq_secret **out, const char *purpose, const void *sealed, size_t size, const cq_secret *secret,
                    cq_error *error);

/*
 * --- wrapping under a passphrase or invitation phrase (Argon2id) ---
 * Spaces at both ends of a phrase do not count. At most 64 MiB; the cost stands in the bytes and is capped when read:
 * keys.phrase.wrong, keys.wrapped.damaged, keys.wrapped.cost, keys.wrapped.future.
 */
typedef enum {
  CQ_COST_LEAST,       /* for tests alone: milliseconds */
  CQ_COST_INTERACTIVE, /* 64 MiB: invitation phrases, on small laptops */
  CQ_COST_MODERATE     /* 256 MiB: recovery and programme keys kept offline */
} cq_cost;
enum { CQ_WRAP_OVERHEAD = 68 };
cq_status cq_wrap(cq_buf *out, const char *purpose, const void *bytes, size_t size, cq_str phrase, cq_cost cost,
                  const cq_random *random, cq_error *error);
/* Appends; a caller who opens a secret ends `out` with cq_buf_fini_secret. */
cq_status cq_unwrap(cq_buf *out, const char *purpose, const void *wrapped, size_t size, cq_str phrase, cq_error *error);

/*
 * --- key files: one secret key under a passphrase, with its kind and public half readable ---
 * Used for the keys that are kept offline. Text lines, so that one can also be printed on paper and typed in again.
 */
typedef enum {
  CQ_KEY_PROGRAMME = 1,      /* signing: certifies, signs bundles */
  CQ_KEY_COORDINATOR = 2,    /* signing: certifies devices, signs orders */
  CQ_KEY_BATCH_RECOVERY = 3, /* sealing: opens batches where the desk's key is lost */
  CQ_KEY_VAULT_RECOVERY = 4, /* sealing: reseals a vault's data key to a laptop's one-time key */
  CQ_KEY_POST = 5,           /* signing: receipts of a post */
  CQ_KEY_DESK = 6            /* signing or sealing secret of a desk, moved between machines */
} cq_key_kind;
typedef struct cq_key_file {
  cq_key_kind kind;
  cq_mode mode;
  uint8_t key[32]; /* the public half */
} cq_key_file;
enum { CQ_KEY_FILE_LIMIT = 4096 };
cq_status cq_key_file_write(cq_buf *out, const cq_key_file *about, const cq_secret *secret, cq_str passphrase,
                            cq_cost cost, const cq_random *random, cq_error *error);
/* With `secret` NULL only what may be read without the passphrase. Errors: keys.file.damaged, keys.file.future and
 * those of cq_unwrap. */
cq_status cq_key_file_read(cq_key_file *about, cq_secret **secret, cq_str bytes, cq_str passphrase, cq_error *error);

#endif
