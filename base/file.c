/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

cq_status cq_file_read(const char *path, size_t limit, cq_buf *out, cq_error *error) {
  cq_status status = CQ_OK;
  cq_buf_reset(out);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    int why = errno;
    cq_error_io(error, "io.open", path, why);
    if (why == ENOENT && error) error->status = CQ_NOTFOUND;
    return why == ENOENT ? CQ_NOTFOUND : CQ_IO;
  }
  struct stat info;
  if (fstat(fd, &info) != 0) {
    status = cq_error_io(error, "io.read", path, errno);
    goto out;
  }
  if (!S_ISREG(info.st_mode)) {
    status = cq_error_set(error, CQ_INVALID, "io.notfile", path, NULL);
    goto out;
  }
  if (info.st_size < 0 || (uintmax_t)info.st_size > limit) {
    status = cq_error_set(error, CQ_LIMIT, "io.toolarge", path, NULL);
    goto out;
  }
  /* one byte more than the size, so that a file that grew meanwhile is noticed */
  size_t room = (size_t)info.st_size + 1;
  for (;;) {
    if (!cq_buf_reserve(out, room)) {
      status = cq_error_nomem(error);
      goto out;
    }
    ssize_t n = read(fd, out->at + out->size, room);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      status = cq_error_io(error, "io.read", path, errno);
      goto out;
    }
    if (n == 0) break;
    out->size += (size_t)n;
    if (out->size > limit) {
      status = cq_error_set(error, CQ_LIMIT, "io.toolarge", path, NULL);
      goto out;
    }
    room = 65536;
  }
  out->at[out->size] = '\0';
out:
  close(fd);
  if (status != CQ_OK) cq_error_at_file(error, path);
  return status;
}

/* The folder part of a path, "." where there is none; NULL where memory is out. */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

cq_status cq_file_sync_folder(const char *folder, cq_error *error) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return cq_error_io(error, "io.open", folder, errno);
  cq_status status = CQ_OK;
  /* a FAT stick answers EINVAL to fsync of a folder: there is nothing more to do there */
  if (fsync(fd) != 0 && errno != EINVAL) status = cq_error_io(error, "io.fsync", folder, errno);
  close(fd);
  return status;
}

static cq_status write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CQ_IO;
    bytes += n;
    size -= (size_t)n;
  }
  return CQ_OK;
}

cq_status cq_file_replace(const char *path, const void *bytes, size_t size, unsigned mode, bool keep, cq_error *error) {
  cq_status status = CQ_OK;
  cq_buf temporary = {0};
  int fd = -1;
  char *folder = folder_of(path);
  cq_buf_addf(&temporary, "%s.%ld.tmp", path, (long)getpid());
  if (!folder || temporary.failed) {
    status = cq_error_nomem(error);
    goto out;
  }
  fd = open(temporary.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
  if (fd < 0) {
    status = cq_error_io(error, "io.create", path, errno);
    goto out;
  }
  if (write_all(fd, bytes, size) != CQ_OK || fsync(fd) != 0) {
    status = cq_error_io(error, "io.write", path, errno);
    goto undo;
  }
  if (close(fd) != 0) {
    fd = -1;
    status = cq_error_io(error, "io.write", path, errno);
    goto undo;
  }
  fd = -1;
  if (keep) {
    /* link(2) fails where the name is taken, which rename(2) does not; FAT has no links, so there we look first */
    if (link(temporary.at, path) == 0) {
      unlink(temporary.at);
    } else if (errno == EEXIST || access(path, F_OK) == 0) {
      status = cq_error_set(error, CQ_REFUSED, "io.exists", path, NULL);
      cq_error_at_file(error, path);
      goto undo;
    } else if (rename(temporary.at, path) != 0) {
      status = cq_error_io(error, "io.rename", path, errno);
      goto undo;
    }
  } else if (rename(temporary.at, path) != 0) {
    status = cq_error_io(error, "io.rename", path, errno);
    goto undo;
  }
  status = cq_file_sync_folder(folder, error);
  goto out;
undo:
  if (fd >= 0) close(fd);
  unlink(temporary.at);
out:
  cq_buf_fini(&temporary);
  free(folder);
  return status;
}

cq_status cq_file_make_folder(const char *folder, cq_error *error) {
  char *path = strdup(folder);
  if (!path) return cq_error_nomem(error);
  cq_status status = CQ_OK;
  for (char *at = path + 1; status == CQ_OK; at++) {
    if (*at != '/' && *at != '\0') continue;
    char end = *at;
    *at = '\0';
    if (mkdir(path, 0700) != 0) {
      struct stat info;
      int why = errno;
      if (why != EEXIST || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        status = cq_error_io(error, "io.mkdir", folder, why == EEXIST ? ENOTDIR : why);
    }
    *at = end;
    if (end == '\0') break;
  }
  free(path);
  return status;
}

cq_status cq_file_remove(const char *path, cq_error *error) {
  if (unlink(path) != 0) return errno == ENOENT ? CQ_OK : cq_error_io(error, "io.remove", path, errno);
  char *folder = folder_of(path);
  if (!folder) return cq_error_nomem(error);
  cq_status status = cq_file_sync_folder(folder, error);
  free(folder);
  return status;
}

cq_status cq_file_path(cq_buf *out, const char *folder, const char *name, cq_error *error) {
  cq_buf_reset(out);
  cq_buf_add_text(out, folder);
  if (out->size == 0 || out->at[out->size - 1] != '/') cq_buf_add_char(out, '/');
  cq_buf_add_text(out, name);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

int64_t cq_file_free_bytes(const char *path) {
  struct statvfs info;
  if (statvfs(path, &info) != 0) return -1;
  if (info.f_frsize != 0 && info.f_bavail > (fsblkcnt_t)INT64_MAX / info.f_frsize) return INT64_MAX;
  return (int64_t)(info.f_bavail * info.f_frsize);
}
