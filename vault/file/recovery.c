/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forgotten passphrase. The new one is chosen before anything is asked for:
 * the request carries the public key made from it, the answer is a slot sealed
 * to that key, and neither file is a secret.
 */
#include "vault/file/vault.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
  MAGIC = 12,
  AT_VERSION = MAGIC,
  AT_ID = 16,
  AT_KEY = 48,
  AT_COUNT = 80,
  AT_ENTRIES = 84,
  ENTRY = CQ_VAULT_KEY_SIZE + SLOT_SEALED,
  ANSWER_SIZE = 80 + SLOT_SEALED,
};
_Static_assert(AT_ENTRIES + CQ_VAULT_MAX_SLOTS * ENTRY <= CQ_VAULT_REQUEST_MAX, "docs/formats/vault.md");

static const char request_magic[MAGIC + 1] = "chasqui vreq", answer_magic[MAGIC + 1] = "chasqui vans";
static const uint8_t version_one[4] = {1, 0, 0, 0};

static void begin(cq_buf *out, const char *magic, const uint8_t *file_id, const uint8_t *public_key) {
  cq_buf_reset(out);
  cq_buf_add(out, magic, MAGIC);
  cq_buf_add(out, version_one, sizeof version_one);
  cq_buf_add(out, file_id, CQ_VAULT_ID_SIZE);
  cq_buf_add(out, public_key, CQ_VAULT_KEY_SIZE);
}

/* The header of a vault that is not opened. Keeps the file open, for who will write to it. */
static cq_status look(plain_file *file, uint8_t prefix[HEADER_PREFIX], vault_header *header, int *best,
                      const char *path, const cq_vault_options *options, cq_error *error) {
  bool equal = false;
  if (sodium_init() < 0 || sqlite3_initialize() != SQLITE_OK) return cq_error_nomem(error);
  cq_status status = plain_open(file, path, options ? options->below : NULL, false, error);
  if (status == CQ_OK) status = plain_read(file->file, path, prefix, HEADER_PREFIX, 0, error);
  if (status == CQ_OK) status = header_choose(header, prefix, best, &equal, error);
  if (status != CQ_OK) plain_close(file);
  return status;
}

cq_status cq_vault_recovery_request(cq_buf *request, const char *path, cq_str passphrase,
                                    const cq_vault_options *options, cq_error *error) {
  uint8_t prefix[HEADER_PREFIX], count[4] = {0};
  vault_header header;
  plain_file file;
  int best = 0;
  cq_status status = cq_vault_passphrase_check(passphrase, NULL, error);
  if (status == CQ_OK) status = look(&file, prefix, &header, &best, path, options, error);
  if (status != CQ_OK) return status;
  plain_close(&file);
  for (size_t i = 0; i < header.slots; i++)
    if (header.slot[i].type == CQ_VAULT_RECOVERY) count[0]++;
  if (count[0] == 0) return cq_error_set(error, CQ_REFUSED, "vault.recovery.none", path, NULL);

  slot_pair *pair = sodium_malloc(sizeof *pair);
  if (!pair) return cq_error_nomem(error);
  status = header_pair(pair, &header, passphrase, error);
  if (status == CQ_OK) {
    begin(request, request_magic, header.id, pair->public_key);
    cq_buf_add(request, count, sizeof count);
    for (size_t i = 0; i < header.slots; i++) {
      if (header.slot[i].type != CQ_VAULT_RECOVERY) continue;
      cq_buf_add(request, header.slot[i].public_key, CQ_VAULT_KEY_SIZE);
      cq_buf_add(request, header.slot[i].sealed, SLOT_SEALED);
    }
    if (request->failed) status = cq_error_nomem(error);
  }
  sodium_free(pair);
  return status;
}

static bool is_request(cq_str bytes) {
  if (bytes.size < AT_ENTRIES || memcmp(bytes.at, request_magic, MAGIC) != 0 ||
      memcmp(bytes.at + AT_VERSION, version_one, sizeof version_one) != 0)
    return false;
  const uint8_t *count = (const uint8_t *)bytes.at + AT_COUNT;
  return count[0] >= 1 && count[0] <= CQ_VAULT_MAX_SLOTS && !count[1] && !count[2] && !count[3] &&
         bytes.size == AT_ENTRIES + (size_t)count[0] * ENTRY;
}

static bool is_answer(cq_str bytes) {
  return bytes.size == ANSWER_SIZE && memcmp(bytes.at, answer_magic, MAGIC) == 0 &&
         memcmp(bytes.at + AT_VERSION, version_one, sizeof version_one) == 0;
}

cq_status cq_vault_recovery_fingerprint(char out[CQ_VAULT_FINGERPRINT], cq_str request, cq_error *error) {
  uint8_t hash[32];
  crypto_generichash_state state;
  if (!is_request(request) && !is_answer(request)) return cq_error_set(error, CQ_INVALID, "vault.request.format", NULL);
  crypto_generichash_init(&state, NULL, 0, sizeof hash);
  crypto_generichash_update(&state, (const uint8_t *)"chasqui vfpr", 12);
  crypto_generichash_update(&state, (const uint8_t *)request.at + AT_ID, CQ_VAULT_ID_SIZE + CQ_VAULT_KEY_SIZE);
  crypto_generichash_final(&state, hash, sizeof hash);
  for (size_t i = 0; i < 6; i++)
    snprintf(out + i * 6, 7, "%05u%s", (unsigned)hash[2 * i] | (unsigned)hash[2 * i + 1] << 8, i < 5 ? " " : "");
  return CQ_OK;
}

cq_status cq_vault_recovery_answer(cq_buf *answer, cq_str request, const uint8_t public_key[CQ_VAULT_KEY_SIZE],
                                   const uint8_t secret_key[CQ_VAULT_KEY_SIZE], cq_error *error) {
  if (sodium_init() < 0) return cq_error_nomem(error);
  if (!is_request(request)) return cq_error_set(error, CQ_INVALID, "vault.request.format", NULL);
  const uint8_t *bytes = (const uint8_t *)request.at, *entry = bytes + AT_ENTRIES;
  uint8_t sealed[SLOT_SEALED];
  bool opened = false, made = false;
  slot_pair *pair = sodium_malloc(sizeof *pair);
  uint8_t *data_key = sodium_malloc(32);
  cq_status status = CQ_OK;
  if (!pair || !data_key) {
    status = cq_error_nomem(error);
    goto out;
  }
  memcpy(pair->public_key, public_key, sizeof pair->public_key);
  memcpy(pair->secret_key, secret_key, sizeof pair->secret_key);
  for (size_t i = 0; i < bytes[AT_COUNT] && !opened; i++, entry += ENTRY)
    opened = memcmp(entry, public_key, CQ_VAULT_KEY_SIZE) == 0 &&
             slot_open(data_key, entry + CQ_VAULT_KEY_SIZE, CQ_VAULT_RECOVERY, bytes + AT_ID, pair);
  if (!opened) {
    status = cq_error_set(error, CQ_REFUSED, "vault.request.key", NULL);
    goto out;
  }
  made = slot_seal(sealed, CQ_VAULT_TECHNICIAN, bytes + AT_KEY, bytes + AT_ID, data_key);
  if (!made) {
    status = cq_error_set(error, CQ_INVALID, "vault.request.format", NULL);
    goto out;
  }
  begin(answer, answer_magic, bytes + AT_ID, bytes + AT_KEY);
  cq_buf_add(answer, sealed, sizeof sealed);
  if (answer->failed) status = cq_error_nomem(error);
out:
  sodium_free(pair);
  sodium_free(data_key);
  return status;
}

static cq_status hold(plain_file *file, const char *path, cq_error *error) {
  const sqlite3_io_methods *methods = file->file->pMethods;
  if (methods->xLock(file->file, SQLITE_LOCK_SHARED) == SQLITE_OK &&
      methods->xLock(file->file, SQLITE_LOCK_RESERVED) == SQLITE_OK &&
      methods->xLock(file->file, SQLITE_LOCK_EXCLUSIVE) == SQLITE_OK)
    return CQ_OK;
  return cq_error_set(error, CQ_BUSY, "vault.busy", path, NULL);
}

/* The slot in place of the forgotten one of that label, or beside the others. */
static cq_status hang(vault_header *header, const char *label, const uint8_t *answer, cq_error *error) {
  for (size_t i = header->slots; i-- > 0;) {
    const header_slot *slot = &header->slot[i];
    bool same = strcmp(slot->label, label) == 0 || memcmp(slot->public_key, answer + AT_KEY, CQ_VAULT_KEY_SIZE) == 0;
    if (slot->type == CQ_VAULT_TECHNICIAN && same) header_drop(header, i);
  }
  if (header->slots == CQ_VAULT_MAX_SLOTS) return cq_error_set(error, CQ_LIMIT, "vault.slots.full", "16", NULL);
  header_slot *slot = header_add(header, CQ_VAULT_TECHNICIAN, label, answer + AT_KEY);
  memcpy(slot->sealed, answer + AT_COUNT, SLOT_SEALED);
  return CQ_OK;
}

cq_status cq_vault_recovery_complete(const char *path, cq_str answer, cq_str passphrase, const char *label,
                                     const cq_vault_options *options, cq_error *error) {
  const cq_random *random = options && options->random ? options->random : &vault_random_system;
  uint8_t prefix[HEADER_PREFIX];
  vault_header header;
  plain_file file;
  int best = 0;
  if (!is_answer(answer)) return cq_error_set(error, CQ_INVALID, "vault.request.format", NULL);
  if (!vault_label_good(label)) return cq_error_set(error, CQ_INVALID, "vault.label", NULL);
  const uint8_t *bytes = (const uint8_t *)answer.at;
  cq_status status = look(&file, prefix, &header, &best, path, options, error);
  if (status != CQ_OK) return status;
  slot_pair *pair = sodium_malloc(sizeof *pair);
  vault_keys *keys = keys_new();
  if (!pair || !keys) {
    status = cq_error_nomem(error);
    goto out;
  }
  if ((status = hold(&file, path, error)) != CQ_OK) goto out;
  if (memcmp(bytes + AT_ID, header.id, CQ_VAULT_ID_SIZE) != 0) {
    status = cq_error_set(error, CQ_REFUSED, "vault.answer.vault", NULL);
    goto out;
  }
  if ((status = header_pair(pair, &header, passphrase, error)) != CQ_OK) goto out;
  if (memcmp(pair->public_key, bytes + AT_KEY, CQ_VAULT_KEY_SIZE) != 0 ||
      !slot_open(keys->data, bytes + AT_COUNT, CQ_VAULT_TECHNICIAN, header.id, pair)) {
    status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.wrong", NULL);
    goto out;
  }
  keys_derive(keys, header.id);
  /* an answer made before a slot was removed holds an older data key */
  if (!header_unlock(&header, prefix + best * HEADER_COPY, keys)) {
    status = cq_error_set(error, CQ_REFUSED, "vault.answer.vault", NULL);
    goto out;
  }
  if ((status = hang(&header, label, bytes, error)) == CQ_OK)
    status = header_write_file(file.file, path, &header, !best, keys, random, error);
out:
  sodium_free(pair);
  keys_free(keys);
  file.file->pMethods->xUnlock(file.file, SQLITE_LOCK_NONE);
  plain_close(&file);
  return status;
}
