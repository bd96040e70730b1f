/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a vault's header, as a recovery request and as its answer. The checksum is made good, so that what
 * stands behind it is reached. */
#include "vault/file/header.h"

#include <sodium.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t prefix[HEADER_PREFIX];
  static vault_keys *keys;
  static const uint8_t id[CQ_VAULT_ID_SIZE] = {1}, key[CQ_VAULT_KEY_SIZE] = {9};
  vault_header header;
  int best = 0;
  bool equal = false;
  cq_error error;
  char fingerprint[CQ_VAULT_FINGERPRINT];
  cq_buf answer = {0};
  if (!keys) {
    keys = keys_new();
    if (!keys) return 0;
    keys_derive(keys, id);
  }
  memset(prefix, 0, sizeof prefix);
  memcpy(prefix, data, size < sizeof prefix ? size : sizeof prefix);
  (void)header_choose(&header, prefix, &best, &equal, &error);
  for (int i = 0; i < 2; i++) {
    uint8_t *copy = prefix + i * HEADER_COPY;
    memcpy(copy, "chasqui vault\0\0\0\1\0\0\0\1\0\0\0", 24);
    crypto_generichash(copy + 4032, 32, copy, 4032, keys->header, 32);
    crypto_generichash(copy + 4064, 32, copy, 4064, NULL, 0);
  }
  if (header_choose(&header, prefix, &best, &equal, &error) == CQ_OK) {
    if (header.slots < 1 || header.slots > CQ_VAULT_MAX_SLOTS || header.effort.passes > CQ_VAULT_MAX_PASSES ||
        header.effort.memory_kib > CQ_VAULT_MAX_MEMORY_KIB)
      __builtin_trap();
    (void)header_unlock(&header, prefix + best * HEADER_COPY, keys);
  }
  cq_str text = {(const char *)data, size};
  (void)cq_vault_recovery_fingerprint(fingerprint, text, &error);
  (void)cq_vault_recovery_answer(&answer, text, key, key, &error);
  cq_buf_fini(&answer);
  return 0;
}
