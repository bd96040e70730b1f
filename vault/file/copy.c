/* SPDX-License-Identifier: Apache-2.0 */
/* Whole copies: a backup, and the new vault that a removed slot asks for. And what checks every byte: scrub. */
#include "vault/file/vault.h"

#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *vault_new_name(const char *path) {
  size_t size = strlen(path);
  char *name = malloc(size + 5);
  if (name) snprintf(name, size + 5, "%s.new", path);
  return name;
}

static cq_status folder_sync(const char *path, cq_error *error) {
  char *folder = strdup(path);
  if (!folder) return cq_error_nomem(error);
  char *slash = strrchr(folder, '/');
  if (slash == folder) slash++;
  if (slash) *slash = '\0';
  cq_status status = cq_file_sync_folder(slash ? folder : ".", error);
  free(folder);
  return status;
}

/* What was written must come from the disk again, and not from memory, as far as the system lets us ask. */
static void drop_cache(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

static cq_status damaged_page(const char *path, int64_t page, cq_error *error) {
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)page);
  cq_error_set(error, CQ_DAMAGED, "vault.damaged.page", path, number, NULL);
  cq_error_at_offset(error, HEADER_PREFIX + (page - 1) * BLOCK_SIZE);
  return CQ_DAMAGED;
}

static cq_status read_page(sqlite3_file *file, const char *path, block_cipher *cipher, int64_t page,
                           uint8_t out[BLOCK_SIZE], cq_error *error) {
  cq_status status = plain_read(file, path, out, BLOCK_SIZE, HEADER_PREFIX + (page - 1) * BLOCK_SIZE, error);
  if (status != CQ_OK) return status;
  return cipher_open(cipher, BLOCK_PAGE, (uint64_t)page, out) ? CQ_OK : damaged_page(path, page, error);
}

static cq_status page_count(sqlite3_file *file, const char *path, int64_t *pages, cq_error *error) {
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return cq_error_io(error, "io.read", path, EIO);
  *pages = size < HEADER_PREFIX ? 0 : (size - HEADER_PREFIX) / BLOCK_SIZE;
  return CQ_OK;
}

void cq_vault_watch(cq_vault *vault, cq_vault_watcher *watcher, void *context) {
  vault->watcher = watcher;
  vault->watcher_context = context;
}

/* Once a MiB, and at the end. */
static cq_status watched(const cq_vault *vault, int64_t done, int64_t pages, cq_error *error) {
  if (!vault->watcher || (done % 256 != 0 && done != pages)) return CQ_OK;
  return vault->watcher(vault->watcher_context, done, pages, error);
}

typedef struct copy {
  cq_vault *from;
  sqlite3_file *source;
  plain_file target;
  const char *path;
  block_cipher *cipher; /* of the target */
  int64_t pages;
  uint8_t *page, *again;
} copy;

static cq_status write_all(copy *work, vault_header *header, const vault_keys *keys, cq_error *error) {
  cq_status status = CQ_OK;
  for (int64_t page = 1; status == CQ_OK && page <= work->pages; page++) {
    status = read_page(work->source, work->from->path, work->from->vfs->cipher, page, work->page, error);
    if (status != CQ_OK) break;
    if (!cipher_seal(work->cipher, BLOCK_PAGE, (uint64_t)page, work->page, NULL, work->again))
      return cq_error_nomem(error);
    status = plain_write(work->target.file, work->path, work->again, BLOCK_SIZE,
                         HEADER_PREFIX + (page - 1) * BLOCK_SIZE, error);
    if (status == CQ_OK) status = watched(work->from, page, 2 * work->pages, error);
  }
  return status == CQ_OK ? header_write_file(work->target.file, work->path, header, 0, keys, work->from->random, error)
                         : status;
}

static cq_status compare_all(copy *work, const vault_keys *keys, cq_error *error) {
  uint8_t prefix[HEADER_PREFIX];
  vault_header seen;
  int64_t pages = 0;
  int best = 0;
  bool equal = false;
  drop_cache(work->path);
  cq_status status = plain_read(work->target.file, work->path, prefix, sizeof prefix, 0, error);
  if (status == CQ_OK) status = header_choose(&seen, prefix, &best, &equal, error);
  if (status == CQ_OK && (!equal || !header_unlock(&seen, prefix, keys)))
    status = cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", work->path, NULL);
  if (status == CQ_OK) status = page_count(work->target.file, work->path, &pages, error);
  if (status == CQ_OK && pages != work->pages) status = damaged_page(work->path, pages, error);
  for (int64_t page = 1; status == CQ_OK && page <= pages; page++) {
    status = read_page(work->source, work->from->path, work->from->vfs->cipher, page, work->page, error);
    if (status == CQ_OK) status = read_page(work->target.file, work->path, work->cipher, page, work->again, error);
    if (status == CQ_OK && memcmp(work->page, work->again, BLOCK_CONTENT) != 0)
      status = damaged_page(work->path, page, error);
    if (status == CQ_OK) status = watched(work->from, pages + page, 2 * pages, error);
  }
  return status;
}

cq_status vault_copy_to(cq_vault *vault, const char *path, vault_header *header, const vault_keys *keys,
                        cq_error *error) {
  copy work = {.from = vault, .source = shim_database_file(vault->vfs), .path = path};
  cq_status status = plain_open(&work.target, path, vault->below, true, error);
  if (status != CQ_OK) return status;
  chmod(path, 0600);
  work.cipher = cipher_new(keys, vault->random);
  work.page = malloc(BLOCK_SIZE);
  work.again = malloc(BLOCK_SIZE);
  if (!work.cipher || !work.page || !work.again) status = cq_error_nomem(error);
  if (status == CQ_OK) status = page_count(work.source, vault->path, &work.pages, error);
  if (status == CQ_OK) status = write_all(&work, header, keys, error);
  if (status == CQ_OK) status = compare_all(&work, keys, error);
  if (work.page) sodium_memzero(work.page, BLOCK_SIZE);
  if (work.again) sodium_memzero(work.again, BLOCK_SIZE);
  free(work.page);
  free(work.again);
  cipher_free(work.cipher);
  plain_close(&work.target);
  if (status != CQ_OK) unlink(path);
  return status;
}

/* The same slots, sealed anew to the same people, around another data key. */
static cq_status reseal(vault_header *header, vault_keys *keys, const cq_random *random, cq_error *error) {
  random->fill(random->context, keys->data, sizeof keys->data);
  keys_derive(keys, header->id);
  for (size_t i = 0; i < header->slots; i++)
    if (!slot_seal(header->slot[i].sealed, header->slot[i].type, header->slot[i].public_key, header->id, keys->data))
      return cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", NULL);
  return CQ_OK;
}

static cq_status ready_to_copy(cq_vault *vault, cq_error *error) {
  if (!vault->keys || !vault->db) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  return vault_checkpoint(vault, error);
}

cq_status vault_nothing_at(const char *path, cq_error *error) {
  size_t size = strlen(path);
  char *log = malloc(size + 5);
  if (!log) return cq_error_nomem(error);
  snprintf(log, size + 5, "%s-log", path);
  cq_status status = CQ_OK;
  if (access(path, F_OK) == 0)
    status = cq_error_set(error, CQ_REFUSED, "io.exists", path, NULL);
  else if (access(log, F_OK) == 0)
    status = cq_error_set(error, CQ_REFUSED, "io.exists", log, NULL);
  free(log);
  return status;
}

cq_status cq_vault_backup_path(cq_buf *path, const cq_vault *vault, const char *wanted, cq_date day, cq_error *error) {
  enum { MOST_A_DAY = 99 };
  char date[11];
  struct stat found;
  cq_buf name = {0};
  cq_status status = CQ_OK;
  const char *slash = strrchr(vault->path, '/'), *own = slash ? slash + 1 : vault->path, *dot = strrchr(own, '.');
  int size = (int)(dot && dot > own ? (size_t)(dot - own) : strlen(own));
  cq_date_format(day, date);
  cq_buf_reset(path);
  if (stat(wanted, &found) != 0 || !S_ISDIR(found.st_mode)) {
    cq_buf_add_text(path, wanted);
    return path->failed ? cq_error_nomem(error) : CQ_OK;
  }
  for (int i = 1; status == CQ_OK && (i == 1 || (i <= MOST_A_DAY && stat(path->at, &found) == 0)); i++) {
    cq_buf_reset(&name);
    cq_buf_addf(&name, "%.*s-%s", size, own, date);
    if (i > 1) cq_buf_addf(&name, "-%d", i);
    cq_buf_add_text(&name, ".vault");
    status = name.failed ? cq_error_nomem(error) : cq_file_path(path, wanted, name.at, error);
  }
  cq_buf_fini(&name);
  return status;
}

cq_status cq_vault_backup(cq_vault *vault, const char *path, cq_error *error) {
  vault_keys *keys = NULL;
  char *name = NULL;
  cq_status status = ready_to_copy(vault, error);
  if (status != CQ_OK) return status;
  if ((status = vault_nothing_at(path, error)) != CQ_OK) return status;
  vault_header header = vault->header;
  keys = keys_new();
  name = vault_new_name(path);
  if (!keys || !name) {
    status = cq_error_nomem(error);
    goto out;
  }
  unlink(name);
  vault->random->fill(vault->random->context, header.id, sizeof header.id);
  if ((status = reseal(&header, keys, vault->random, error)) != CQ_OK ||
      (status = vault_copy_to(vault, name, &header, keys, error)) != CQ_OK)
    goto out;
  if (rename(name, path) != 0) {
    status = cq_error_io(error, "io.rename", path, errno);
    unlink(name);
    goto out;
  }
  status = folder_sync(path, error);
out:
  keys_free(keys);
  free(name);
  return status;
}

/* From here the old file is closed: one of the two stands under the name whatever happens. */
static cq_status change_places(cq_vault *vault, const char *name, const vault_header *header, vault_keys **keys,
                               cq_error *error) {
  vault_detach(vault);
  if (rename(name, vault->path) != 0) {
    cq_status status = cq_error_io(error, "io.rename", vault->path, errno);
    unlink(name);
    cq_status back = vault_attach(vault, NULL);
    return back == CQ_OK ? status : back;
  }
  vault_keys *old = vault->keys;
  vault->keys = *keys;
  *keys = old;
  vault->header = *header;
  cq_status status = folder_sync(vault->path, error);
  cq_status attached = vault_attach(vault, status == CQ_OK ? error : NULL);
  return status == CQ_OK ? attached : status;
}

cq_status cq_vault_remove_slot(cq_vault *vault, uint32_t slot, cq_error *error) {
  vault_keys *keys = NULL;
  char *name = NULL;
  vault_header header = vault->header;
  size_t at = header.slots, technicians = 0;
  for (size_t i = 0; i < header.slots; i++) {
    if (header.slot[i].id == slot)
      at = i;
    else if (header.slot[i].type == CQ_VAULT_TECHNICIAN)
      technicians++;
  }
  if (at == header.slots) return cq_error_set(error, CQ_NOTFOUND, "vault.slot.missing", NULL);
  if (technicians == 0) return cq_error_set(error, CQ_REFUSED, "vault.slot.last", NULL);
  if (vault->db && sqlite3_next_stmt(vault->db, NULL)) return cq_error_set(error, CQ_REFUSED, "vault.statements", NULL);
  cq_status status = ready_to_copy(vault, error);
  if (status != CQ_OK) return status;

  header_drop(&header, at);
  keys = keys_new();
  name = vault_new_name(vault->path);
  if (!keys || !name) {
    status = cq_error_nomem(error);
    goto out;
  }
  unlink(name); /* of a removal that was interrupted */
  if ((status = reseal(&header, keys, vault->random, error)) != CQ_OK ||
      (status = vault_copy_to(vault, name, &header, keys, error)) != CQ_OK)
    goto out;
  status = change_places(vault, name, &header, &keys, error);
out:
  keys_free(keys);
  free(name);
  return status;
}

/* --- scrub --- */

static cq_status scrub_log(cq_vault *vault, cq_vault_scrubbed *found, uint8_t *block, cq_error *error) {
  sqlite3_file *log = shim_log_file(vault->vfs);
  sqlite3_int64 size = 0;
  if (!log) return CQ_OK;
  if (log->pMethods->xFileSize(log, &size) != SQLITE_OK) return cq_error_io(error, "io.read", vault->path, EIO);
  for (int64_t i = 0; i < size / BLOCK_SIZE; i++) {
    cq_status status = plain_read(log, vault->path, block, BLOCK_SIZE, i * BLOCK_SIZE, error);
    if (status != CQ_OK) return status;
    if (i > 0) found->frames++;
    if (!cipher_open(vault->vfs->cipher, i == 0 ? BLOCK_LOG_HEADER : BLOCK_FRAME, (uint64_t)i, block))
      found->frames_damaged++;
  }
  return CQ_OK;
}

static void scrub_headers(cq_vault *vault, cq_vault_scrubbed *found, const uint8_t prefix[HEADER_PREFIX]) {
  vault_header seen;
  for (int i = 0; i < 2; i++) {
    const uint8_t *at = prefix + i * HEADER_COPY;
    if (header_read(&seen, at) != HEADER_WHOLE || !header_unlock(&seen, at, vault->keys)) found->headers_damaged++;
  }
}

static cq_status scrub_pages(cq_vault *vault, cq_vault_scrubbed *found, uint8_t *block, cq_error *error) {
  sqlite3_file *file = shim_database_file(vault->vfs);
  cq_status status = page_count(file, vault->path, &found->pages, error);
  for (int64_t page = 1; status == CQ_OK && page <= found->pages; page++) {
    status = read_page(file, vault->path, vault->vfs->cipher, page, block, error);
    if (status == CQ_DAMAGED) {
      status = CQ_OK;
      found->pages_damaged++;
      if (found->first_damaged == 0) found->first_damaged = page;
    }
    if (status == CQ_OK) status = watched(vault, page, found->pages, error);
  }
  return status;
}

static cq_status check_structure(cq_vault *vault, bool *damaged, cq_error *error) {
  sqlite3_stmt *ask = NULL;
  int rc = sqlite3_prepare_v2(vault->db, "PRAGMA integrity_check(1)", -1, &ask, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(ask);
  const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(ask, 0) : NULL;
  cq_status status = rc == SQLITE_NOMEM || (rc == SQLITE_ROW && !text) ? cq_error_nomem(error) : CQ_OK;
  if (status == CQ_OK && (!text || strcmp(text, "ok") != 0)) *damaged = true;
  sqlite3_finalize(ask);
  return status;
}

cq_status cq_vault_scrub(cq_vault *vault, cq_vault_scrubbed *found, cq_error *error) {
  memset(found, 0, sizeof *found);
  if (!vault->keys || !vault->db) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  uint8_t *block = malloc(HEADER_PREFIX);
  if (!block) return cq_error_nomem(error);
  cq_status status = plain_read(shim_database_file(vault->vfs), vault->path, block, HEADER_PREFIX, 0, error);
  if (status == CQ_OK) {
    scrub_headers(vault, found, block);
    status = scrub_log(vault, found, block, error);
  }
  /* the log first: the checkpoint puts whole frames over pages that may be damaged */
  if (status == CQ_OK && vault_checkpoint(vault, NULL) != CQ_OK) found->structure_damaged = true;
  if (status == CQ_OK) status = scrub_pages(vault, found, block, error);
  sodium_memzero(block, HEADER_PREFIX);
  free(block);
  if (status != CQ_OK) return status;
  sqlite3_db_release_memory(vault->db); /* so that the check reads the disk */
  if ((status = check_structure(vault, &found->structure_damaged, error)) != CQ_OK) return status;
  if (found->pages_damaged) return damaged_page(vault->path, found->first_damaged, error);
  if (found->headers_damaged) return cq_error_set(error, CQ_DAMAGED, "vault.damaged.header", vault->path, NULL);
  if (found->frames_damaged || found->structure_damaged)
    return cq_error_set(error, CQ_DAMAGED, "vault.damaged.structure", vault->path, NULL);
  return CQ_OK;
}

static int64_t pragma_number(sqlite3 *db, const char *pragma) {
  sqlite3_stmt *ask = NULL;
  int64_t value = -1;
  if (sqlite3_prepare_v2(db, pragma, -1, &ask, NULL) == SQLITE_OK && sqlite3_step(ask) == SQLITE_ROW)
    value = sqlite3_column_int64(ask, 0);
  sqlite3_finalize(ask);
  return value;
}

cq_status cq_vault_space_used(cq_vault *vault, cq_vault_space *space, cq_error *error) {
  static const int64_t small = 64 << 20;
  memset(space, 0, sizeof *space);
  if (!vault->keys || !vault->db) return cq_error_set(error, CQ_REFUSED, "vault.locked", NULL);
  sqlite3_file *file = shim_database_file(vault->vfs), *log = shim_log_file(vault->vfs);
  sqlite3_int64 size = 0, log_size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK ||
      (log && log->pMethods->xFileSize(log, &log_size) != SQLITE_OK))
    return cq_error_io(error, "io.read", vault->path, EIO);
  space->file_bytes = size;
  space->log_bytes = log_size;
  int64_t free_pages = pragma_number(vault->db, "PRAGMA freelist_count");
  space->free_bytes = free_pages < 0 ? 0 : free_pages * BLOCK_SIZE;
  space->disk_free_bytes = cq_file_free_bytes(vault->path);
  int64_t wanted = size / 10 > small ? size / 10 : small;
  space->nearly_full = space->disk_free_bytes >= 0 && space->disk_free_bytes < wanted;
  return CQ_OK;
}
