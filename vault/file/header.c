/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/file/header.h"

#include <sodium.h>
#include <string.h>

enum {
  AT_VERSION = 16,
  AT_CIPHER = 20,
  AT_GENERATION = 24,
  AT_ID = 32,
  AT_SALT = 64,
  AT_PASSES = 80,
  AT_MEMORY = 84,
  AT_SLOTS = 88,
  AT_NEXT = 92,
  AT_LABELS = 96,
  LABELS_PLAIN = CQ_VAULT_MAX_SLOTS * (CQ_VAULT_LABEL_MAX + 1),
  LABELS_SIZE = 24 + LABELS_PLAIN + 16,
  AT_SLOT = AT_LABELS + LABELS_SIZE,
  SLOT_SIZE = 152,
  AT_MAC = 4032,
  AT_SUM = 4064,
  FORMAT_VERSION = 1,
  CIPHER_ONE = 1,
};
_Static_assert(AT_SLOT == 904 && AT_SLOT + CQ_VAULT_MAX_SLOTS * SLOT_SIZE <= AT_MAC, "docs/formats/vault.md");
_Static_assert(sizeof((vault_header){0}.labels) == LABELS_SIZE, "docs/formats/vault.md");
_Static_assert(SLOT_SEALED == 64 + crypto_box_SEALBYTES, "data key and binding");

static const uint8_t magic[16] = "chasqui vault";

static void put_u32(uint8_t *out, uint32_t value) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}
static uint32_t get_u32(const uint8_t *in) {
  return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static void seal_labels(uint8_t out[LABELS_SIZE], const vault_header *header, const vault_keys *keys,
                        const cq_random *random) {
  char plain[LABELS_PLAIN] = {0};
  for (size_t i = 0; i < header->slots; i++)
    strncpy(plain + i * (CQ_VAULT_LABEL_MAX + 1), header->slot[i].label, CQ_VAULT_LABEL_MAX);
  random->fill(random->context, out, 24);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + 24, NULL, (uint8_t *)plain, sizeof plain, NULL, 0, NULL, out,
                                             keys->labels);
  sodium_memzero(plain, sizeof plain);
}

static void mac(uint8_t out[32], const uint8_t *copy, const vault_keys *keys) {
  crypto_generichash(out, 32, copy, AT_MAC, keys->header, sizeof keys->header);
}

void header_write(uint8_t out[HEADER_COPY], const vault_header *header, const vault_keys *keys,
                  const cq_random *random) {
  memset(out, 0, HEADER_COPY);
  memcpy(out, magic, sizeof magic);
  put_u32(out + AT_VERSION, FORMAT_VERSION);
  put_u32(out + AT_CIPHER, CIPHER_ONE);
  put_u32(out + AT_GENERATION, (uint32_t)header->generation);
  put_u32(out + AT_GENERATION + 4, (uint32_t)(header->generation >> 32));
  memcpy(out + AT_ID, header->id, sizeof header->id);
  memcpy(out + AT_SALT, header->salt, sizeof header->salt);
  put_u32(out + AT_PASSES, header->effort.passes);
  put_u32(out + AT_MEMORY, header->effort.memory_kib);
  put_u32(out + AT_SLOTS, header->slots);
  put_u32(out + AT_NEXT, header->next_id);
  seal_labels(out + AT_LABELS, header, keys, random);
  for (size_t i = 0; i < header->slots; i++) {
    uint8_t *at = out + AT_SLOT + i * SLOT_SIZE;
    put_u32(at, header->slot[i].type);
    put_u32(at + 4, header->slot[i].id);
    memcpy(at + 8, header->slot[i].public_key, CQ_VAULT_KEY_SIZE);
    memcpy(at + 40, header->slot[i].sealed, SLOT_SEALED);
  }
  mac(out + AT_MAC, out, keys);
  crypto_generichash(out + AT_SUM, 32, out, AT_SUM, NULL, 0);
}

header_state header_read(vault_header *header, const uint8_t copy[HEADER_COPY]) {
  uint8_t sum[32];
  if (memcmp(copy, magic, sizeof magic) != 0) return HEADER_TORN;
  if (get_u32(copy + AT_VERSION) > FORMAT_VERSION) return HEADER_FUTURE;
  crypto_generichash(sum, sizeof sum, copy, AT_SUM, NULL, 0);
  if (memcmp(sum, copy + AT_SUM, sizeof sum) != 0) return HEADER_TORN;

  memset(header, 0, sizeof *header);
  header->generation = get_u32(copy + AT_GENERATION) | (uint64_t)get_u32(copy + AT_GENERATION + 4) << 32;
  memcpy(header->id, copy + AT_ID, sizeof header->id);
  memcpy(header->salt, copy + AT_SALT, sizeof header->salt);
  header->effort = (cq_vault_effort){get_u32(copy + AT_PASSES), get_u32(copy + AT_MEMORY)};
  header->slots = get_u32(copy + AT_SLOTS);
  header->next_id = get_u32(copy + AT_NEXT);
  memcpy(header->labels, copy + AT_LABELS, sizeof header->labels);
  if (get_u32(copy + AT_VERSION) != FORMAT_VERSION || get_u32(copy + AT_CIPHER) != CIPHER_ONE ||
      header->effort.passes < 1 || header->effort.passes > CQ_VAULT_MAX_PASSES || header->effort.memory_kib < 8 ||
      header->effort.memory_kib > CQ_VAULT_MAX_MEMORY_KIB || header->slots < 1 || header->slots > CQ_VAULT_MAX_SLOTS)
    return HEADER_TORN;
  for (size_t i = 0; i < header->slots; i++) {
    const uint8_t *at = copy + AT_SLOT + i * SLOT_SIZE;
    header_slot *slot = &header->slot[i];
    slot->type = get_u32(at);
    slot->id = get_u32(at + 4);
    memcpy(slot->public_key, at + 8, CQ_VAULT_KEY_SIZE);
    memcpy(slot->sealed, at + 40, SLOT_SEALED);
  }
  return HEADER_WHOLE;
}

bool header_unlock(vault_header *header, const uint8_t copy[HEADER_COPY], const vault_keys *keys) {
  uint8_t expected[32];
  char plain[LABELS_PLAIN];
  mac(expected, copy, keys);
  if (sodium_memcmp(expected, copy + AT_MAC, sizeof expected) != 0) return false;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)plain, NULL, NULL, header->labels + 24, LABELS_PLAIN + 16,
                                                 NULL, 0, header->labels, keys->labels) != 0)
    return false;
  for (size_t i = 0; i < header->slots; i++) {
    memcpy(header->slot[i].label, plain + i * (CQ_VAULT_LABEL_MAX + 1), CQ_VAULT_LABEL_MAX);
    header->slot[i].label[CQ_VAULT_LABEL_MAX] = '\0';
  }
  sodium_memzero(plain, sizeof plain);
  return true;
}

cq_status header_choose(vault_header *header, const uint8_t prefix[HEADER_PREFIX], int *best, bool *equal,
                        cq_error *error) {
  vault_header second;
  header_state a = header_read(header, prefix), b = header_read(&second, prefix + HEADER_COPY);
  if (a != HEADER_WHOLE && b != HEADER_WHOLE) {
    if (a == HEADER_FUTURE || b == HEADER_FUTURE) return cq_error_set(error, CQ_FUTURE, "vault.version", NULL);
    if (memcmp(prefix, magic, sizeof magic) != 0 && memcmp(prefix + HEADER_COPY, magic, sizeof magic) != 0)
      return cq_error_set(error, CQ_INVALID, "vault.notvault", NULL);
    return cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", NULL);
  }
  *best = a != HEADER_WHOLE || (b == HEADER_WHOLE && second.generation > header->generation);
  if (*best) *header = second;
  *equal = memcmp(prefix, prefix + HEADER_COPY, HEADER_COPY) == 0;
  return CQ_OK;
}

cq_status header_pair(slot_pair *pair, const vault_header *header, cq_str passphrase, cq_error *error) {
  uint8_t seed[32];
  if (passphrase.size > CQ_VAULT_PASSPHRASE_MAX) return cq_error_set(error, CQ_REFUSED, "vault.passphrase.long", NULL);
  if (crypto_pwhash(seed, sizeof seed, passphrase.at ? passphrase.at : "", passphrase.size, header->salt,
                    header->effort.passes, (size_t)header->effort.memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return cq_error_nomem(error);
  crypto_box_seed_keypair(pair->public_key, pair->secret_key, seed);
  sodium_memzero(seed, sizeof seed);
  return CQ_OK;
}

header_slot *header_add(vault_header *header, uint32_t type, const char *label,
                        const uint8_t public_key[CQ_VAULT_KEY_SIZE]) {
  header_slot *slot = &header->slot[header->slots++];
  memset(slot, 0, sizeof *slot);
  slot->type = type;
  slot->id = header->next_id++;
  strncpy(slot->label, label, CQ_VAULT_LABEL_MAX);
  memcpy(slot->public_key, public_key, CQ_VAULT_KEY_SIZE);
  return slot;
}

void header_drop(vault_header *header, size_t index) {
  memmove(&header->slot[index], &header->slot[index + 1], (header->slots - index - 1) * sizeof header->slot[0]);
  memset(&header->slot[--header->slots], 0, sizeof header->slot[0]);
}

static void bind_slot(uint8_t out[32], uint32_t type, const uint8_t *public_key, const uint8_t *file_id) {
  uint8_t kind[4];
  crypto_generichash_state state;
  put_u32(kind, type);
  crypto_generichash_init(&state, NULL, 0, 32);
  crypto_generichash_update(&state, (const uint8_t *)"chasqui slot", 12);
  crypto_generichash_update(&state, file_id, CQ_VAULT_ID_SIZE);
  crypto_generichash_update(&state, kind, sizeof kind);
  crypto_generichash_update(&state, public_key, CQ_VAULT_KEY_SIZE);
  crypto_generichash_final(&state, out, 32);
}

bool slot_seal(uint8_t sealed[SLOT_SEALED], uint32_t type, const uint8_t public_key[CQ_VAULT_KEY_SIZE],
               const uint8_t file_id[CQ_VAULT_ID_SIZE], const uint8_t data_key[32]) {
  uint8_t plain[64];
  memcpy(plain, data_key, 32);
  bind_slot(plain + 32, type, public_key, file_id);
  bool good = crypto_box_seal(sealed, plain, sizeof plain, public_key) == 0;
  sodium_memzero(plain, sizeof plain);
  return good;
}

bool slot_open(uint8_t data_key[32], const uint8_t sealed[SLOT_SEALED], uint32_t type,
               const uint8_t file_id[CQ_VAULT_ID_SIZE], const slot_pair *pair) {
  uint8_t plain[64], binding[32];
  bind_slot(binding, type, pair->public_key, file_id);
  bool good = crypto_box_seal_open(plain, sealed, SLOT_SEALED, pair->public_key, pair->secret_key) == 0 &&
              sodium_memcmp(plain + 32, binding, sizeof binding) == 0;
  if (good) memcpy(data_key, plain, 32);
  sodium_memzero(plain, sizeof plain);
  return good;
}

/*
 * One pass over 64 MiB is timed; then memory up to 256 MiB and passes up to the half second. Never less than one pass
 * over 64 MiB, so that a busy machine at this moment makes no weak vault.
 */
cq_vault_effort effort_measure(void) {
  static const int64_t wanted_ms = 500;
  uint8_t seed[32], salt[HEADER_SALT] = {0};
  uint32_t memory_kib = 64 << 10;
  const cq_clock *clock = &cq_clock_system;
  int64_t before = clock->monotonic_ms(clock->context);
  if (crypto_pwhash(seed, sizeof seed, "", 0, salt, 1, (size_t)memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return (cq_vault_effort){3, 16 << 10};
  int64_t took = clock->monotonic_ms(clock->context) - before;
  if (took < 1) took = 1;
  while (memory_kib < (256 << 10) && 2 * took <= wanted_ms) {
    memory_kib *= 2;
    took *= 2;
  }
  int64_t passes = wanted_ms / took;
  return (cq_vault_effort){(uint32_t)(passes < 1                     ? 1
                                      : passes > CQ_VAULT_MAX_PASSES ? CQ_VAULT_MAX_PASSES
                                                                     : passes),
                           memory_kib};
}

cq_vault_effort effort_choose(const cq_vault_options *options) {
  if (!options || options->effort.passes == 0 || options->effort.memory_kib == 0) return effort_measure();
  cq_vault_effort effort = options->effort;
  if (effort.passes > CQ_VAULT_MAX_PASSES) effort.passes = CQ_VAULT_MAX_PASSES;
  if (effort.memory_kib < 8) effort.memory_kib = 8;
  if (effort.memory_kib > CQ_VAULT_MAX_MEMORY_KIB) effort.memory_kib = CQ_VAULT_MAX_MEMORY_KIB;
  return effort;
}
