/* SPDX-License-Identifier: Apache-2.0 */
/* The open vault, for the files of this room. */
#ifndef VAULT_FILE_VAULT_H
#define VAULT_FILE_VAULT_H

#include "vault/file/header.h"
#include "vault/file/shim.h"

struct cq_vault {
  char *path;  /* full; a name made by SQLite, freed with sqlite3_free_filename */
  char *below; /* NULL: the default */
  const cq_random *random;
  vault_keys *keys; /* NULL once locked */
  shim *vfs;
  sqlite3 *db; /* NULL once locked */
  vault_header header;
  uint32_t opened_slot; /* number of the slot that opened it */
  cq_vault_log log;
  cq_vault_watcher *watcher; /* NULL: nobody looks */
  void *watcher_context;
};

/* A file under no shim, held with SQLite's own locks, for the header and for whole copies. */
typedef struct plain_file {
  sqlite3_vfs *vfs;
  sqlite3_file *file; /* NULL: closed */
  char *name;
} plain_file;
/* `create`: it must not exist yet. Errors: vault.missing, io.open, memory. */
cq_status plain_open(plain_file *file, const char *path, const char *below, bool create, cq_error *error);
void plain_close(plain_file *file);
cq_status plain_read(sqlite3_file *file, const char *path, void *out, int size, int64_t offset, cq_error *error);
cq_status plain_write(sqlite3_file *file, const char *path, const void *bytes, int size, int64_t offset,
                      cq_error *error);
cq_status plain_sync(sqlite3_file *file, const char *path, cq_error *error);

/* Opens the database under keys already there; on failure closes what it opened. */
cq_status vault_attach(cq_vault *vault, cq_error *error);
bool vault_label_good(const char *label);
void vault_detach(cq_vault *vault);
/* Writes the header twice, a sync after each: docs/formats/vault.md. On failure vault->header is as before. */
cq_status vault_write_header(cq_vault *vault, const vault_header *changed, cq_error *error);
cq_status header_write_file(sqlite3_file *file, const char *path, vault_header *header, int first,
                            const vault_keys *keys, const cq_random *random, cq_error *error);

/*
 * A whole copy of the database under `keys` and `header` in a new file, read back and compared. The log must be
 * empty (vault_checkpoint). On failure the file is removed.
 */
cq_status vault_copy_to(cq_vault *vault, const char *path, vault_header *header, const vault_keys *keys,
                        cq_error *error);
/* Neither a file nor a log of that name: a log that is left over is of another vault, and would be taken for damage.
 * Error: io.exists. */
cq_status vault_nothing_at(const char *path, cq_error *error);
cq_status vault_checkpoint(cq_vault *vault, cq_error *error);
/* `path` with ".new" after it, freed with free(); NULL: no memory. Left over ones are removed before use. */
char *vault_new_name(const char *path);

#endif
