/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/file/vault.h"

#include "chasqui/file.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- SQLite over the shim --- */

cq_status cq_vault_error(cq_vault *vault, int code, cq_error *error) {
  char number[16];
  snprintf(number, sizeof number, "%d", code);
  if (!vault->db || !vault->vfs || !vault->vfs->cipher) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  if (vault->vfs->stopped) return cq_error_set(error, CQ_IO, "vault.stopped", vault->path, NULL);
  switch (code & 0xff) {
  case SQLITE_NOMEM: return cq_error_nomem(error);
  case SQLITE_FULL: return cq_error_set(error, CQ_IO, "vault.full", vault->path, NULL);
  case SQLITE_BUSY:
  case SQLITE_LOCKED: return cq_error_set(error, CQ_BUSY, "vault.busy", vault->path, NULL);
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB: return cq_error_set(error, CQ_DAMAGED, "vault.damaged.page", vault->path, NULL);
  case SQLITE_IOERR:
    if (code == SQLITE_IOERR_NOMEM) return cq_error_nomem(error);
    if (code == SQLITE_IOERR_DATA) return cq_error_set(error, CQ_DAMAGED, "vault.damaged.page", vault->path, NULL);
    return cq_error_set(error, CQ_IO, "vault.io", vault->path, number, NULL);
  default: return cq_error_set(error, CQ_IO, "vault.sqlite", number, sqlite3_errmsg(vault->db), NULL);
  }
}

cq_status vault_checkpoint(cq_vault *vault, cq_error *error) {
  int rc = sqlite3_wal_checkpoint_v2(vault->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  return rc == SQLITE_OK ? CQ_OK : cq_vault_error(vault, rc, error);
}

/* The order matters: exclusive before the log is opened, so that its index stands on the heap. */
static const char pragmas[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
                              "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON;"
                              "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA cache_size=-8192;"
                              "SELECT count(*) FROM sqlite_schema;";

/* What synthesised first bytes cannot say: that page 1 is there and the database in WAL mode. */
static int must_be_wal(sqlite3 *db) {
  sqlite3_stmt *ask = NULL;
  int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &ask, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(ask);
  if (rc == SQLITE_ROW) {
    const char *mode = (const char *)sqlite3_column_text(ask, 0);
    rc = !mode ? SQLITE_NOMEM : sqlite3_stricmp(mode, "wal") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
  }
  sqlite3_finalize(ask);
  return rc;
}

void vault_detach(cq_vault *vault) {
  /* a statement left open would keep the connection alive without its shim */
  for (sqlite3_stmt *left; vault->db && (left = sqlite3_next_stmt(vault->db, NULL)) != NULL;) sqlite3_finalize(left);
  sqlite3_close_v2(vault->db);
  vault->db = NULL;
  shim_free(vault->vfs);
  vault->vfs = NULL;
}

/* The header may have been changed between our first look and our lock, and a crash may have left two versions. */
static cq_status settle_header(cq_vault *vault, cq_error *error) {
  uint8_t prefix[HEADER_PREFIX];
  sqlite3_file *file = shim_database_file(vault->vfs);
  int best = 0;
  bool equal = false;
  cq_status status = plain_read(file, vault->path, prefix, sizeof prefix, 0, error);
  if (status == CQ_OK) status = header_choose(&vault->header, prefix, &best, &equal, error);
  if (status != CQ_OK) return status;
  if (!header_unlock(&vault->header, prefix + best * HEADER_COPY, vault->keys))
    return cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", vault->path, NULL);
  if (equal) return CQ_OK;
  vault_header same = vault->header;
  status = header_write_file(file, vault->path, &same, !best, vault->keys, vault->random, error);
  if (status == CQ_OK) vault->header = same;
  return status;
}

cq_status vault_attach(cq_vault *vault, cq_error *error) {
  vault->vfs = shim_new(vault->path, vault->below, vault->keys, vault->random);
  if (!vault->vfs) return cq_error_nomem(error);
  int rc = sqlite3_open_v2(vault->path, &vault->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vault->vfs->name);
  cq_status status = CQ_OK;
  if (rc == SQLITE_OK) {
    sqlite3_extended_result_codes(vault->db, 1);
    rc = sqlite3_exec(vault->db, pragmas, NULL, NULL, NULL);
    if (rc == SQLITE_OK) rc = must_be_wal(vault->db);
  }
  if (rc != SQLITE_OK) {
    status = vault->db ? cq_vault_error(vault, rc, error) : cq_error_nomem(error);
    goto fail;
  }
  sqlite3_db_config(vault->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (!shim_log_judge(vault->vfs, &vault->log)) {
    status = cq_error_nomem(error);
    goto fail;
  }
  /* always: the frames of an earlier opening must not stand behind those of this one under the same salts */
  if ((status = vault_checkpoint(vault, error)) != CQ_OK || (status = settle_header(vault, error)) != CQ_OK) goto fail;
  vault->vfs->sealed_pragmas = true;
  return CQ_OK;
fail:
  vault_detach(vault);
  return status;
}

/* --- the header on the disk --- */

cq_status header_write_file(sqlite3_file *file, const char *path, vault_header *header, int first,
                            const vault_keys *keys, const cq_random *random, cq_error *error) {
  uint8_t copy[HEADER_COPY];
  header->generation++;
  header_write(copy, header, keys, random);
  cq_status status = CQ_OK;
  for (int i = 0; i < 2 && status == CQ_OK; i++) {
    int64_t at = (int64_t)(i == 0 ? first : !first) * HEADER_COPY;
    status = plain_write(file, path, copy, sizeof copy, at, error);
    if (status == CQ_OK) status = plain_sync(file, path, error);
  }
  return status;
}

cq_status vault_write_header(cq_vault *vault, const vault_header *changed, cq_error *error) {
  if (!vault->keys || !vault->vfs) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  if (vault->vfs->stopped) return cq_error_set(error, CQ_IO, "vault.stopped", vault->path, NULL);
  vault_header next = *changed;
  cq_status status =
      header_write_file(shim_database_file(vault->vfs), vault->path, &next, 0, vault->keys, vault->random, error);
  if (status == CQ_OK)
    vault->header = next;
  else if (error && error->code && strcmp(error->code, "io.fsync") == 0)
    vault->vfs->stopped = true;
  return status;
}

/* --- open, create, close --- */

static void vault_free(cq_vault *vault) {
  if (!vault) return;
  keys_free(vault->keys);
  sqlite3_free_filename(vault->path);
  free(vault->below);
  free(vault);
}

/* A handle with the full path; nothing is opened yet. */
static cq_status vault_new(cq_vault **out, const char *full, const cq_vault_options *options, cq_error *error) {
  static const char *const none[1];
  cq_vault *vault = calloc(1, sizeof *vault);
  if (!vault) return cq_error_nomem(error);
  vault->random = options && options->random ? options->random : &vault_random_system;
  vault->keys = keys_new();
  vault->path = (char *)sqlite3_create_filename(full, "", "", 0, (const char **)none);
  if (options && options->below) vault->below = strdup(options->below);
  if (!vault->keys || !vault->path || (options && options->below && !vault->below)) {
    vault_free(vault);
    return cq_error_nomem(error);
  }
  *out = vault;
  return CQ_OK;
}

static cq_status unlock_with(cq_vault *vault, const uint8_t *copy, cq_str passphrase, cq_error *error) {
  slot_pair *pair = sodium_malloc(sizeof *pair);
  if (!pair) return cq_error_nomem(error);
  cq_status status = header_pair(pair, &vault->header, passphrase, error);
  if (status != CQ_OK) goto out;
  status = cq_error_set(error, CQ_REFUSED, "vault.passphrase.wrong", NULL);
  for (size_t i = 0; i < vault->header.slots; i++) {
    const header_slot *slot = &vault->header.slot[i];
    if (slot->type != CQ_VAULT_TECHNICIAN || memcmp(slot->public_key, pair->public_key, CQ_VAULT_KEY_SIZE) != 0)
      continue;
    if (slot_open(vault->keys->data, slot->sealed, slot->type, vault->header.id, pair)) {
      keys_derive(vault->keys, vault->header.id);
      vault->opened_slot = slot->id;
      status = header_unlock(&vault->header, copy, vault->keys)
                   ? CQ_OK
                   : cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", vault->path, NULL);
    } else {
      status = cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", vault->path, NULL);
    }
    break;
  }
out:
  sodium_free(pair);
  if (status == CQ_OK) cq_error_clear(error);
  return status;
}

cq_status cq_vault_open(cq_vault **out, const char *path, cq_str passphrase, const cq_vault_options *options,
                        cq_error *error) {
  uint8_t prefix[HEADER_PREFIX];
  plain_file file = {0};
  cq_vault *vault = NULL;
  int best = 0;
  bool equal = false;
  *out = NULL;
  if (sodium_init() < 0 || sqlite3_initialize() != SQLITE_OK) return cq_error_nomem(error);
  cq_status status = plain_open(&file, path, options ? options->below : NULL, false, error);
  if (status != CQ_OK) return status;
  if ((status = vault_new(&vault, file.name, options, error)) != CQ_OK) goto out;
  if ((status = plain_read(file.file, path, prefix, sizeof prefix, 0, error)) != CQ_OK) goto out;
  plain_close(&file);
  if ((status = header_choose(&vault->header, prefix, &best, &equal, error)) != CQ_OK) goto out;
  if ((status = unlock_with(vault, prefix + best * HEADER_COPY, passphrase, error)) != CQ_OK) goto out;
  if ((status = vault_attach(vault, error)) != CQ_OK) goto out;
  *out = vault;
  vault = NULL;
out:
  plain_close(&file);
  vault_free(vault);
  if (status != CQ_OK && error && error->file[0] == '\0') cq_error_at_file(error, path);
  return status;
}

bool vault_label_good(const char *label) {
  size_t size = label ? strlen(label) : 0;
  return size >= 1 && size <= CQ_VAULT_LABEL_MAX && cq_utf8_valid(cq_str_from(label));
}

static cq_status first_slots(cq_vault *vault, cq_str passphrase, const char *label,
                             const uint8_t (*recovery)[CQ_VAULT_KEY_SIZE], size_t recoveries, cq_error *error) {
  vault_header *header = &vault->header;
  slot_pair *pair = sodium_malloc(sizeof *pair);
  if (!pair) return cq_error_nomem(error);
  header->next_id = 1;
  cq_status status = header_pair(pair, header, passphrase, error);
  if (status == CQ_OK) {
    header_slot *slot = header_add(header, CQ_VAULT_TECHNICIAN, label, pair->public_key);
    vault->opened_slot = slot->id;
    slot_seal(slot->sealed, slot->type, slot->public_key, header->id, vault->keys->data);
  }
  for (size_t i = 0; status == CQ_OK && i < recoveries; i++) {
    char name[CQ_VAULT_LABEL_MAX + 1];
    snprintf(name, sizeof name, "recovery %zu", i + 1);
    header_slot *slot = header_add(header, CQ_VAULT_RECOVERY, name, recovery[i]);
    if (!slot_seal(slot->sealed, slot->type, slot->public_key, header->id, vault->keys->data))
      status = cq_error_set(error, CQ_INVALID, "vault.recovery.key", NULL);
  }
  sodium_free(pair);
  return status;
}

/* Both headers and page 1, put under the name whole. */
static cq_status write_first(cq_vault *vault, const char *path, cq_error *error) {
  uint8_t page[BLOCK_SIZE], *whole = calloc(1, HEADER_PREFIX + BLOCK_SIZE);
  block_cipher *cipher = cipher_new(vault->keys, vault->random);
  cq_status status = CQ_OK;
  if (!whole || !cipher) {
    status = cq_error_nomem(error);
  } else {
    shim_first_page(page);
    header_write(whole, &vault->header, vault->keys, vault->random);
    memcpy(whole + HEADER_COPY, whole, HEADER_COPY);
    status = cipher_seal(cipher, BLOCK_PAGE, 1, page, NULL, whole + HEADER_PREFIX) ? CQ_OK : cq_error_nomem(error);
    if (status == CQ_OK) status = cq_file_replace(path, whole, HEADER_PREFIX + BLOCK_SIZE, 0600, true, error);
  }
  cipher_free(cipher);
  free(whole);
  return status;
}

cq_status cq_vault_create(cq_vault **out, const char *path, cq_str passphrase, const char *label,
                          const uint8_t (*recovery)[CQ_VAULT_KEY_SIZE], size_t recoveries,
                          const cq_vault_options *options, cq_error *error) {
  cq_vault *vault = NULL;
  *out = NULL;
  if (sodium_init() < 0 || sqlite3_initialize() != SQLITE_OK) return cq_error_nomem(error);
  if (!vault_label_good(label)) return cq_error_set(error, CQ_INVALID, "vault.label", NULL);
  if (recoveries > CQ_VAULT_MAX_SLOTS - 1) return cq_error_set(error, CQ_LIMIT, "vault.slots.full", NULL);
  cq_status status = cq_vault_passphrase_check(passphrase, label, error);
  if (status != CQ_OK) return status;
  status = vault_nothing_at(path, error); /* before the half second; cq_file_replace asks again */
  if (status != CQ_OK) return status;
  sqlite3_vfs *below = sqlite3_vfs_find(options ? options->below : NULL);
  char *full = below ? calloc(1, (size_t)below->mxPathname + 1) : NULL;
  if (!full || (below->xFullPathname(below, path, below->mxPathname + 1, full) & 0xff) != SQLITE_OK) {
    status = full ? cq_error_io(error, "io.open", path, errno) : cq_error_nomem(error);
    goto out;
  }
  if ((status = vault_new(&vault, full, options, error)) != CQ_OK) goto out;
  vault->header.effort = effort_choose(options);
  vault->random->fill(vault->random->context, vault->header.id, sizeof vault->header.id);
  vault->random->fill(vault->random->context, vault->header.salt, sizeof vault->header.salt);
  vault->random->fill(vault->random->context, vault->keys->data, sizeof vault->keys->data);
  keys_derive(vault->keys, vault->header.id);
  if ((status = first_slots(vault, passphrase, label, recovery, recoveries, error)) != CQ_OK ||
      (status = write_first(vault, path, error)) != CQ_OK)
    goto out;
  if ((status = vault_attach(vault, error)) != CQ_OK) {
    unlink(path);
    goto out;
  }
  *out = vault;
  vault = NULL;
out:
  free(full);
  vault_free(vault);
  return status;
}

void cq_vault_lock(cq_vault *vault) {
  if (vault->vfs) shim_lock(vault->vfs);
  keys_free(vault->keys);
  vault->keys = NULL;
}

cq_status cq_vault_settle(cq_vault *vault, cq_error *error) {
  if (!vault->keys || !vault->db) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  return vault_checkpoint(vault, error);
}

void cq_vault_close(cq_vault *vault) {
  if (!vault) return;
  vault_detach(vault);
  vault_free(vault);
}

struct sqlite3 *cq_vault_db(cq_vault *vault) {
  return vault->keys ? vault->db : NULL;
}
const char *cq_vault_path(const cq_vault *vault) {
  return vault->path;
}
const uint8_t *cq_vault_id(const cq_vault *vault) {
  return vault->header.id;
}
cq_vault_log cq_vault_log_found(const cq_vault *vault) {
  return vault->log;
}
