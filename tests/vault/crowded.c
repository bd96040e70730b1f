/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vault/crowded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

int64_t crowded_room;

/* The methods of the system's file, and ours over them; a kind of file has its own. */
typedef struct pair {
  sqlite3_io_methods ours; /* first: a file's methods are the pair's */
  const sqlite3_io_methods *system;
} pair;

static struct {
  sqlite3_vfs vfs;
  sqlite3_vfs *system;
  pair pairs[4];
} crowded;

static const sqlite3_io_methods *system_of(sqlite3_file *file) {
  return ((const pair *)file->pMethods)->system;
}

static int64_t size_of(sqlite3_file *file) {
  sqlite3_int64 size = 0;
  system_of(file)->xFileSize(file, &size);
  return size;
}

static int crowded_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset) {
  int64_t more = offset + amount - size_of(file);
  if (more > crowded_room) return SQLITE_FULL;
  if (more > 0) crowded_room -= more;
  return system_of(file)->xWrite(file, bytes, amount, offset);
}

static int crowded_truncate(sqlite3_file *file, sqlite3_int64 size) {
  crowded_room += size_of(file) - size;
  return system_of(file)->xTruncate(file, size);
}

static int crowded_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
  (void)vfs;
  int rc = crowded.system->xOpen(crowded.system, name, file, flags, out_flags);
  if (rc != SQLITE_OK || !file->pMethods) return rc;
  size_t i = 0;
  while (crowded.pairs[i].system && crowded.pairs[i].system != file->pMethods) i++;
  assert_true(i + 1 < sizeof crowded.pairs / sizeof *crowded.pairs);
  crowded.pairs[i] = (pair){.ours = *file->pMethods, .system = file->pMethods};
  crowded.pairs[i].ours.xWrite = crowded_write;
  crowded.pairs[i].ours.xTruncate = crowded_truncate;
  file->pMethods = &crowded.pairs[i].ours;
  return rc;
}

static int crowded_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
  (void)vfs;
  struct stat about;
  if (stat(name, &about) == 0) crowded_room += about.st_size;
  return crowded.system->xDelete(crowded.system, name, sync_folder);
}

int crowded_register(void **state) {
  (void)state;
  crowded.system = sqlite3_vfs_find(NULL);
  crowded.vfs = *crowded.system;
  crowded.vfs.zName = "crowded";
  crowded.vfs.pNext = NULL;
  crowded.vfs.xOpen = crowded_open;
  crowded.vfs.xDelete = crowded_delete;
  return sqlite3_vfs_register(&crowded.vfs, 0);
}
