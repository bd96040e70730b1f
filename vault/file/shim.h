/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VFS between SQLite and the system's files: one for each open vault,
 * named so that nothing else can open through it, and topmost, so that a
 * handle always finds its key. docs/formats/vault.md, "What SQLite may do".
 */
#ifndef VAULT_FILE_SHIM_H
#define VAULT_FILE_SHIM_H

#include "vault/file/cipher.h"
#include "vault/file/header.h"

#include <sqlite3.h>

enum {
  LOG_HEADER = 32,                /* SQLite's */
  LOG_FRAME_HEADER = BLOCK_EXTRA, /* SQLite's */
  LOG_FRAME = LOG_FRAME_HEADER + BLOCK_SIZE,
};

typedef struct shim_file shim_file;

typedef struct shim {
  sqlite3_vfs vfs;
  char name[40];
  sqlite3_vfs *below;
  const char *path; /* full, of the database; from sqlite3_create_filename */
  char *wal_name;   /* of the log, as SQLite says it */
  /* and as the disk has it: another, since a plain SQLite that somebody points at a vault takes a -wal beside it for a
   * log of its own, finds it invalid, and removes it with all that was accepted since the last checkpoint */
  char *log_path;
  block_cipher *cipher; /* NULL once locked: nothing is read or written any more */
  shim_file *database, *log;
  bool stopped;         /* a sync failed: what the disk holds is not known, so nothing is written until reopened */
  bool sealed_pragmas;  /* the pragmas that keep the file as it is can no longer be changed */
  int64_t broken_frame; /* the block at which recovery ended for want of authenticity (0: the log's header); -1: none */
  bool cut;             /* the log ended inside a block */
  uint8_t block[BLOCK_SIZE];
} shim;

/* `path` must be full and live as long as the shim. NULL: no memory. */
shim *shim_new(const char *path, const char *below, const vault_keys *keys, const cq_random *random);
void shim_free(shim *vfs); /* after sqlite3_close; NULL is fine */
void shim_lock(shim *vfs); /* forgets the keys */

/* Page 1 of a database with no table yet, as a vault begins: in WAL mode, 64 bytes of each page reserved. */
void shim_first_page(uint8_t page[BLOCK_SIZE]);

/* The physical file under SQLite's database or log, borrowed while SQLite has it open; NULL where it has not. */
sqlite3_file *shim_database_file(const shim *vfs);
sqlite3_file *shim_log_file(const shim *vfs);

/* After recovery: whether what could not be read was more than the unfinished end that a power cut leaves. False where
 * memory is out. */
bool shim_log_judge(shim *vfs, cq_vault_log *found);

#endif
