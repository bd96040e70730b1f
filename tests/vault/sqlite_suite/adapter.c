/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the vault's shim under SQLite's own test program: as the default VFS, with one fixed data key, so that every
 * database which a test opens is one. Part of that program only (see ./run), never of a program of ours.
 *
 * A shim serves one database. So each database opened gets a shim of its own, and the log goes to the shim whose
 * database it belongs to. What a vault's creation does, an empty page 1 in WAL mode, is done here for an empty file;
 * the place of the two header copies stays empty, since the key is given. The log keeps SQLite's name, which the tests
 * look for. All else is the shim's own code.
 *
 * SQLite's crash VFS is put below the shim and not above it: a power cut is between the shim and the disk.
 *
 * With SUITE_PLAIN in the environment everything is as said but for the shim: no encryption. What fails then too, fails
 * because of what a vault allows (one page size, the log only, one connection), and not because of the shim.
 */
#include "vault/file/shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct opened {
  struct opened *next;
  shim *vfs;
  const char *name; /* the database's, as SQLite gave it: the same pointer names its log */
} opened;

static opened *all;
static vault_keys *keys;
static sqlite3_vfs *disk;    /* what stands below: the system's, or the crash VFS */
static const char *log_name; /* of the log being opened */
static bool plain;

int suite_init(const char *ignored);
sqlite3_vfs *suite_vfs_find(const char *name);
int suite_vfs_register(sqlite3_vfs *vfs, int as_default);
int suite_vfs_unregister(sqlite3_vfs *vfs);

/* --- below the shim: the log under SQLite's name --- */

static char *with_wal(const char *name) {
  size_t size = strlen(name);
  char *other = sqlite3_mprintf("%s", name);
  if (other && size > 4 && strcmp(other + size - 4, "-log") == 0) memcpy(other + size - 4, "-wal", 4);
  return other;
}

static int below_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  return disk->xOpen(disk, flags & SQLITE_OPEN_WAL ? log_name : name, file, flags, out);
}

static int below_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  char *other = with_wal(name);
  int rc = other ? disk->xDelete(disk, other, sync) : SQLITE_NOMEM;
  sqlite3_free(other);
  return rc;
}

static int below_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
  (void)vfs;
  char *other = with_wal(name);
  int rc = other ? disk->xAccess(disk, other, flags, answer) : SQLITE_NOMEM;
  sqlite3_free(other);
  return rc;
}

static int below_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
  (void)vfs;
  return disk->xFullPathname(disk, name, size, out);
}
static int below_randomness(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  return disk->xRandomness(disk, size, out);
}
static int below_sleep(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  return disk->xSleep(disk, microseconds);
}
static int below_time(sqlite3_vfs *vfs, double *out) {
  (void)vfs;
  return disk->xCurrentTime(disk, out);
}
static int below_last_error(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  return disk->xGetLastError ? disk->xGetLastError(disk, size, out) : 0;
}

static sqlite3_vfs below = {.iVersion = 1,
                            .zName = "suite-below",
                            .xOpen = below_open,
                            .xDelete = below_delete,
                            .xAccess = below_access,
                            .xFullPathname = below_full_path,
                            .xRandomness = below_randomness,
                            .xSleep = below_sleep,
                            .xCurrentTime = below_time,
                            .xGetLastError = below_last_error};

/* --- above it: which shim --- */

static void put_away(void) {
  for (opened **at = &all; *at;) {
    opened *one = *at;
    if (one->vfs->database || one->vfs->log) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    shim_free(one->vfs);
    free(one);
  }
}

/* --- what making a vault does, before SQLite sees the file --- */

/* Into a file that is not there yet or is empty; what cannot be written, SQLite will find out. */
static int make_first(const char *name) {
  uint8_t page[BLOCK_SIZE];
  struct stat known;
  int rc = SQLITE_OK;
  if (stat(name, &known) == 0 && known.st_size > 0) return SQLITE_OK;
  shim_first_page(page);
  char *log = sqlite3_mprintf("%s-wal", name); /* of a database that is no more: a vault's creation refuses it */
  if (!log) return SQLITE_NOMEM;
  remove(log);
  sqlite3_free(log);
  if (!plain) {
    block_cipher *cipher = cipher_new(keys, &vault_random_system);
    if (!cipher || !cipher_seal(cipher, BLOCK_PAGE, 1, page, NULL, page)) rc = SQLITE_NOMEM;
    cipher_free(cipher);
  }
  FILE *file = rc == SQLITE_OK ? fopen(name, "w") : NULL;
  if (!file) return rc;
  if (!plain) fseek(file, HEADER_PREFIX, SEEK_SET);
  if (fwrite(page, 1, sizeof page, file) != sizeof page) rc = SQLITE_IOERR_WRITE;
  return fclose(file) == 0 ? rc : SQLITE_IOERR_WRITE;
}

static int open_shim(const char *name, sqlite3_file *file, int flags, int *out) {
  opened *one = calloc(1, sizeof *one);
  if (!one) return SQLITE_NOMEM;
  one->vfs = shim_new(name, below.zName, keys, &vault_random_system);
  if (!one->vfs) {
    free(one);
    return SQLITE_NOMEM;
  }
  one->name = name;
  one->next = all;
  all = one;
  return one->vfs->vfs.xOpen(&one->vfs->vfs, name, file, flags, out);
}

/* A shim is put away as soon as its file is closed: tests count what is not freed. */
static int (*close_file)(sqlite3_file *);
static int close_and_put_away(sqlite3_file *file) {
  int rc = close_file(file);
  put_away();
  return rc;
}

static int open_database(const char *name, sqlite3_file *file, int flags, int *out) {
  static sqlite3_io_methods methods;
  int rc = flags & SQLITE_OPEN_CREATE ? make_first(name) : SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  if (plain) return below_open(&below, name, file, flags, out);
  rc = open_shim(name, file, flags, out);
  if (rc != SQLITE_OK) {
    put_away();
    return rc;
  }
  close_file = file->pMethods->xClose;
  methods = *file->pMethods;
  methods.xClose = close_and_put_away;
  file->pMethods = &methods;
  return SQLITE_OK;
}

static int top_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  file->pMethods = NULL;
  if (name && (flags & SQLITE_OPEN_MAIN_DB)) return open_database(name, file, flags, out);
  if (!name || !(flags & SQLITE_OPEN_WAL)) return SQLITE_CANTOPEN; /* as the shim answers */
  log_name = name;
  if (plain) return below_open(&below, name, file, flags, out);
  const char *database = sqlite3_filename_database(name);
  for (opened *one = all; one; one = one->next) {
    if (one->name == database && one->vfs->database) return one->vfs->vfs.xOpen(&one->vfs->vfs, name, file, flags, out);
  }
  return SQLITE_CANTOPEN;
}

static shim *shim_of_log(const char *name) {
  for (opened *one = all; one; one = one->next)
    if (one->vfs->database && strcmp(one->vfs->wal_name, name) == 0) return one->vfs;
  return NULL;
}

static int top_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  shim *one = shim_of_log(name);
  return one ? one->vfs.xDelete(&one->vfs, name, sync) : below_delete(&below, name, sync);
}

static int top_access(sqlite3_vfs *vfs, const char *name, int flags, int *answer) {
  (void)vfs;
  size_t size = strlen(name);
  shim *one = shim_of_log(name);
  if (one) return one->vfs.xAccess(&one->vfs, name, flags, answer);
  *answer = 0;
  if (size > 8 && strcmp(name + size - 8, "-journal") == 0) return SQLITE_OK; /* as the shim answers */
  return below_access(&below, name, flags, answer);
}

/* Tests that load extensions or replace system calls ask the default VFS. */
static void *top_dl_open(sqlite3_vfs *vfs, const char *name) {
  (void)vfs;
  return disk->xDlOpen(disk, name);
}
static void top_dl_error(sqlite3_vfs *vfs, int size, char *out) {
  (void)vfs;
  disk->xDlError(disk, size, out);
}
static void (*top_dl_symbol(sqlite3_vfs *vfs, void *library, const char *name))(void) {
  (void)vfs;
  return disk->xDlSym(disk, library, name);
}
static void top_dl_close(sqlite3_vfs *vfs, void *library) {
  (void)vfs;
  disk->xDlClose(disk, library);
}

static sqlite3_vfs top = {.iVersion = 1,
                          .zName = "suite",
                          .xOpen = top_open,
                          .xDelete = top_delete,
                          .xAccess = top_access,
                          .xFullPathname = below_full_path,
                          .xDlOpen = top_dl_open,
                          .xDlError = top_dl_error,
                          .xDlSym = top_dl_symbol,
                          .xDlClose = top_dl_close,
                          .xRandomness = below_randomness,
                          .xSleep = below_sleep,
                          .xCurrentTime = below_time,
                          .xGetLastError = below_last_error};

/* The same under another name: the tests open the crash VFS by its own. */
static sqlite3_vfs crash;

static int stand_on(sqlite3_vfs *vfs) {
  disk = vfs;
  below.szOsFile = vfs->szOsFile;
  below.mxPathname = top.mxPathname = vfs->mxPathname;
  int rc = sqlite3_vfs_register(&below, 0);
  shim *probe = rc == SQLITE_OK ? shim_new("probe", below.zName, keys, &vault_random_system) : NULL;
  if (!probe) return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
  top.szOsFile = probe->vfs.szOsFile;
  shim_free(probe);
  return sqlite3_vfs_register(&top, 1);
}

/* What SQLite calls at the end of sqlite3_initialize (SQLITE_EXTRA_INIT). */
int suite_init(const char *ignored) {
  static const uint8_t id[CQ_VAULT_ID_SIZE] = "a file of SQLite's own tests";
  (void)ignored;
  plain = getenv("SUITE_PLAIN") != NULL;
  if (!keys) {
    if (!(keys = keys_new())) return SQLITE_NOMEM;
    memset(keys->data, 0x5a, sizeof keys->data);
    keys_derive(keys, id);
  }
  return stand_on(disk ? disk : sqlite3_vfs_find("unix"));
}

/* --- what the file of the crash VFS calls in place of sqlite3_vfs_find and so on --- */

sqlite3_vfs *suite_vfs_find(const char *name) {
  return sqlite3_vfs_find(name ? name : "unix");
}

int suite_vfs_register(sqlite3_vfs *vfs, int as_default) {
  (void)as_default;
  vfs->zName = "suite-crash";
  int rc = sqlite3_vfs_register(vfs, 0);
  if (rc == SQLITE_OK) rc = stand_on(vfs);
  crash = top;
  crash.zName = "crash";
  return rc == SQLITE_OK ? sqlite3_vfs_register(&crash, 0) : rc;
}

int suite_vfs_unregister(sqlite3_vfs *vfs) {
  int rc = sqlite3_vfs_unregister(vfs);
  sqlite3_vfs_unregister(&crash);
  return rc == SQLITE_OK ? stand_on(sqlite3_vfs_find("unix")) : rc;
}
