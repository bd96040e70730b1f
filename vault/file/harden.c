/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that opens vaults says to the system first. */
#include "chasqui/vault.h"

#include <sodium.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The leak checker of a sanitized build traces its own process. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

static sqlite3_mem_methods plain; /* SQLite's own allocator, under the one that wipes */

static void wipe_free(void *at) {
  sodium_memzero(at, (size_t)plain.xSize(at));
  plain.xFree(at);
}

/* A block that grows in place or moves: what is left behind must be wiped, so it always moves. */
static void *wipe_realloc(void *at, int size) {
  int old = plain.xSize(at);
  if (size <= old) return at;
  void *next = plain.xMalloc(size);
  if (!next) return NULL;
  memcpy(next, at, (size_t)old);
  wipe_free(at);
  return next;
}

cq_status cq_vault_harden(cq_error *error) {
  static const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return cq_error_set(error, CQ_IO, "vault.harden", NULL);
#ifndef SANITIZED
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return cq_error_set(error, CQ_IO, "vault.harden", NULL);
#endif
  if (plain.xMalloc) return CQ_OK;
  sqlite3_mem_methods wiping;
  if (sodium_init() < 0 || sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK)
    return cq_error_set(error, CQ_IO, "vault.harden", NULL);
  wiping = plain;
  wiping.xFree = wipe_free;
  wiping.xRealloc = wipe_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &wiping) == SQLITE_OK) return CQ_OK;
  memset(&plain, 0, sizeof plain);
  return cq_error_set(error, CQ_IO, "vault.harden", NULL);
}
