/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages and log of a vault by whoever holds the key: a stranger's bytes never get past the tag, so here they are sealed
 * in their places first, and SQLite, recovery and the store above meet them as content. First byte: what the rest is.
 */
#include "tests/vault/disk.h"
#include "tests/vault/support.h"

#include "chasqui/store.h"
#include "vault/file/header.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Counts up from its seed, so that every run is the same and the vault's key is known here. */
static void fill_known(void *context, void *out, size_t size) {
  uint8_t *next = context;
  for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = (*next)++;
}

static cq_buf file;
static vault_keys *keys;
static cq_random known;
static uint8_t counter;

static cq_status ignore_draft(void *context, const cq_store_draft *draft) {
  (void)context, (void)draft;
  return CQ_OK;
}
static cq_status ignore_record(void *context, const cq_store_record *record) {
  (void)context, (void)record;
  return CQ_OK;
}

static cq_vault_options options_over(const char *below) {
  return (cq_vault_options){.random = &known, .effort = CQ_VAULT_EFFORT_LEAST, .below = below};
}

/* A vault with the store's tables and a row in some of them; its keys as cq_vault_create drew them: id, salt, key. */
static bool prepare(void) {
  uint8_t drawn[CQ_VAULT_ID_SIZE + HEADER_SALT + 32], at = 0;
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  if (file.size) return true;
  known = (cq_random){fill_known, &counter};
  fill_known(&at, drawn, sizeof drawn);
  const char *path = test_path("fuzz.vault");
  cq_vault_options options = options_over(NULL);
  if (cq_vault_create(&vault, path, PASSPHRASE, LABEL, NULL, 0, &options, NULL) != CQ_OK) return false;
  if (cq_store_open(&store, vault, NULL, NULL) != CQ_OK) return false;
  cq_store_set(store, "k", CQ_STR("v"), NULL);
  cq_store_close(store);
  read_file(&file, path);
  remove_vault(path);
  keys = keys_new();
  memcpy(keys->data, drawn + CQ_VAULT_ID_SIZE + HEADER_SALT, 32);
  keys_derive(keys, drawn);
  disk_register();
  return true;
}

/* The input as a log: blocks of a header or a frame, 4056 bytes of plaintext each at most. */
static void lay_log(block_cipher *cipher, const uint8_t *data, size_t size) {
  cq_buf log = {0};
  uint8_t plain[BLOCK_PLAIN], block[BLOCK_SIZE];
  for (uint64_t number = 0; size > 0 && number < 8; number++) {
    size_t part = size < BLOCK_PLAIN ? size : BLOCK_PLAIN;
    memset(plain, 0, sizeof plain);
    memcpy(plain, data, part);
    cipher_seal(cipher, number == 0 ? BLOCK_LOG_HEADER : BLOCK_FRAME, number, plain, plain + BLOCK_CONTENT, block);
    cq_buf_add(&log, block, sizeof block);
    data += part;
    size -= part;
  }
  disk_load("/f.vault-log", log.at ? log.at : "", log.size);
  cq_buf_fini(&log);
}

/* The input over a page: its first byte is the page, the next two where in it. */
static void lay_page(block_cipher *cipher, const uint8_t *data, size_t size) {
  size_t whole = 0;
  uint8_t block[BLOCK_SIZE];
  uint8_t *bytes = disk_bytes("/f.vault", &whole);
  size_t pages = (whole - HEADER_PREFIX) / BLOCK_SIZE;
  if (size < 4) return;
  uint64_t page = data[0] % pages + 1;
  size_t from = ((size_t)data[1] << 8 | data[2]) % BLOCK_CONTENT;
  uint8_t *at = bytes + HEADER_PREFIX + (page - 1) * BLOCK_SIZE;
  memcpy(block, at, sizeof block);
  if (!cipher_open(cipher, BLOCK_PAGE, page, block)) return;
  size -= 3;
  memcpy(block + from, data + 3, size < BLOCK_CONTENT - from ? size : BLOCK_CONTENT - from);
  cipher_seal(cipher, BLOCK_PAGE, page, block, NULL, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  cq_error error;
  if (!prepare() || size < 2) return 0;
  disk_clear();
  disk_load("/f.vault", file.at, file.size);
  block_cipher *cipher = cipher_new(keys, &known);
  if (data[0] % 3 == 0)
    disk_load("/f.vault-log", data + 1, size - 1);
  else if (data[0] % 3 == 1)
    lay_log(cipher, data + 1, size - 1);
  else
    lay_page(cipher, data + 1, size - 1);
  cipher_free(cipher);
  cq_vault_options options = options_over("disk");
  if (cq_vault_open(&vault, "/f.vault", PASSPHRASE, &options, &error) != CQ_OK) return 0;
  if (cq_store_open(&store, vault, NULL, &error) != CQ_OK) {
    cq_vault_close(vault);
    return 0;
  }
  cq_vault_scrubbed found;
  cq_buf value = {0};
  int64_t entries = 0;
  (void)cq_store_get(store, "k", &value, &error);
  (void)cq_store_drafts(store, ignore_draft, NULL, &error);
  (void)cq_store_records(store, -1, ignore_record, NULL, &error);
  (void)cq_store_set(store, "k", CQ_STR("w"), &error);
  (void)cq_store_audit_verify(store, &entries, &error);
  (void)cq_vault_scrub(vault, &found, &error);
  cq_buf_fini(&value);
  cq_store_close(store);
  return 0;
}
