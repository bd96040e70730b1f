/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the vault outside SQLite's sight, through the same VFS below the
 * shim: so SQLite's locks keep others away, and the crash tests see these
 * writes too.
 */
#include "vault/file/vault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

cq_status plain_open(plain_file *file, const char *path, const char *below, bool create, cq_error *error) {
  static const char *const none[1];
  int exists = 0, rc = SQLITE_OK;
  memset(file, 0, sizeof *file);
  file->vfs = sqlite3_vfs_find(below);
  if (!file->vfs) return cq_error_set(error, CQ_IO, "vault.sqlite", "vfs", NULL);
  char *full = malloc((size_t)file->vfs->mxPathname + 1);
  if (!full) return cq_error_nomem(error);
  rc = file->vfs->xFullPathname(file->vfs, path, file->vfs->mxPathname + 1, full);
  if ((rc & 0xff) == SQLITE_OK) {
    file->name = (char *)sqlite3_create_filename(full, "", "", 0, (const char **)none);
    file->file = calloc(1, (size_t)file->vfs->szOsFile);
  }
  free(full);
  if ((rc & 0xff) != SQLITE_OK) return cq_error_io(error, "io.open", path, errno);
  if (!file->name || !file->file) {
    plain_close(file);
    return cq_error_nomem(error);
  }
  if (!create && (file->vfs->xAccess(file->vfs, file->name, SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK || !exists)) {
    plain_close(file);
    cq_error_set(error, CQ_NOTFOUND, "vault.missing", path, NULL);
    cq_error_at_file(error, path);
    return CQ_NOTFOUND;
  }
  int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE : 0);
  errno = 0;
  rc = file->vfs->xOpen(file->vfs, file->name, file->file, flags, &flags);
  if (rc != SQLITE_OK || !(flags & SQLITE_OPEN_READWRITE)) {
    int why = rc == SQLITE_OK ? EACCES : errno ? errno : EIO;
    plain_close(file);
    return rc == SQLITE_NOMEM ? cq_error_nomem(error) : cq_error_io(error, "io.open", path, why);
  }
  return CQ_OK;
}

void plain_close(plain_file *file) {
  if (file->file && file->file->pMethods) file->file->pMethods->xClose(file->file);
  free(file->file);
  sqlite3_free_filename(file->name);
  memset(file, 0, sizeof *file);
}

cq_status plain_read(sqlite3_file *file, const char *path, void *out, int size, int64_t offset, cq_error *error) {
  int rc = file->pMethods->xRead(file, out, size, offset);
  if (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ) return CQ_OK; /* the rest is zeros */
  return cq_error_io(error, "io.read", path, EIO);
}

cq_status plain_write(sqlite3_file *file, const char *path, const void *bytes, int size, int64_t offset,
                      cq_error *error) {
  int rc = file->pMethods->xWrite(file, bytes, size, offset);
  if (rc == SQLITE_OK) return CQ_OK;
  if (rc == SQLITE_FULL) return cq_error_set(error, CQ_IO, "vault.full", path, NULL);
  return cq_error_io(error, "io.write", path, EIO);
}

cq_status plain_sync(sqlite3_file *file, const char *path, cq_error *error) {
  return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK ? CQ_OK
                                                                      : cq_error_io(error, "io.fsync", path, EIO);
}
