/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/files.h"
#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static cq_status folder_of(const char *path, cq_buf *folder, cq_error *error) {
  cq_buf_reset(folder);
  const char *slash = strrchr(path, '/');
  cq_buf_add(folder, path, slash ? (size_t)(slash - path) : 0);
  return folder->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status write_all(int fd, cq_str bytes, const char *path, cq_error *error) {
  for (size_t at = 0; at < bytes.size;) {
    ssize_t n = write(fd, bytes.at + at, bytes.size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cq_error_io(error, "io.write", path, errno);
    at += (size_t)n;
  }
  if (fsync(fd) != 0) return cq_error_io(error, "io.fsync", path, errno);
  return CQ_OK;
}

/* Whether the file at `path` is these bytes: another thread or an earlier run was first. */
static bool is_same(const char *path, cq_str bytes) {
  cq_buf there = {0};
  bool same = cq_file_read(path, bytes.size, &there, NULL) == CQ_OK && cq_str_equal(cq_buf_str(&there), bytes);
  cq_buf_fini(&there);
  return same;
}

cq_status files_put(const char *home, const char *within, cq_str bytes, cq_error *error) {
  static atomic_uint_fast64_t names; /* makes those of temporary files differ */
  cq_buf path = {0}, folder = {0}, temporary = {0};
  int fd = -1;
  cq_status status = cq_file_path(&path, home, within, error);
  if (!status) status = folder_of(path.at, &folder, error);
  if (!status && access(folder.at, F_OK) != 0) status = cq_file_make_folder(folder.at, error);
  if (status) goto out;
  cq_buf_addf(&temporary, "%s/.%lu-%llu.part", folder.at, (unsigned long)getpid(),
              (unsigned long long)atomic_fetch_add(&names, 1));
  fd = temporary.failed ? -1 : open(temporary.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    status = temporary.failed ? cq_error_nomem(error) : cq_error_io(error, "io.open", temporary.at, errno);
    goto out;
  }
  status = write_all(fd, bytes, temporary.at, error);
  if (close(fd) != 0 && !status) status = cq_error_io(error, "io.write", temporary.at, errno);
  if (!status && link(temporary.at, path.at) != 0) {
    if (errno != EEXIST)
      status = cq_error_io(error, "io.rename", path.at, errno);
    else if (!is_same(path.at, bytes))
      status = cq_error_set(error, CQ_REFUSED, "post.item.name", within, NULL);
  }
  unlink(temporary.at);
out:
  cq_buf_fini(&path);
  cq_buf_fini(&folder);
  cq_buf_fini(&temporary);
  return status;
}

cq_status files_settle(const char *home, const char *within, cq_buf *last, cq_error *error) {
  cq_buf path = {0}, folder = {0};
  cq_status status = cq_file_path(&path, home, within, error);
  if (!status) status = folder_of(path.at, &folder, error);
  if (!status && !cq_str_equal(cq_buf_str(&folder), cq_buf_str(last))) {
    status = cq_file_sync_folder(folder.at, error);
    cq_buf_reset(last);
    cq_buf_add_str(last, cq_buf_str(&folder));
  }
  cq_buf_fini(&path);
  cq_buf_fini(&folder);
  return status;
}

cq_status files_link(const char *home, const char *from, const char *to, cq_error *error) {
  cq_buf old = {0}, new = {0}, folder = {0};
  cq_status status = cq_file_path(&old, home, from, error);
  if (!status) status = cq_file_path(&new, home, to, error);
  if (!status) status = folder_of(new.at, &folder, error);
  if (!status) status = cq_file_make_folder(folder.at, error);
  if (!status && link(old.at, new.at) != 0 && errno != EEXIST) status = cq_error_io(error, "io.rename", new.at, errno);
  if (!status) status = cq_file_sync_folder(folder.at, error);
  cq_buf_fini(&old);
  cq_buf_fini(&new);
  cq_buf_fini(&folder);
  return status;
}

cq_status files_read(const char *home, const char *within, uint64_t offset, size_t size, cq_buf *bytes,
                     cq_error *error) {
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, home, within, error);
  int fd = status ? -1 : open(path.at, O_RDONLY | O_CLOEXEC);
  if (!status && fd < 0) {
    bool gone = errno == ENOENT;
    status = cq_error_io(error, "io.open", path.at, errno);
    if (gone) status = CQ_NOTFOUND;
  }
  if (!status && !cq_buf_reserve(bytes, size + 1)) status = cq_error_nomem(error);
  for (size_t at = 0; !status && at < size;) {
    ssize_t n = pread(fd, bytes->at + bytes->size, size - at, (off_t)(offset + at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) status = cq_error_io(error, "io.read", path.at, errno);
    if (n <= 0) break;
    at += (size_t)n;
    bytes->size += (size_t)n;
    bytes->at[bytes->size] = '\0';
  }
  if (fd >= 0) close(fd);
  cq_buf_fini(&path);
  return status;
}

cq_status files_remove(const char *home, const char *within, cq_error *error) {
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, home, within, error);
  if (!status) status = cq_file_remove(path.at, error);
  cq_buf_fini(&path);
  return status;
}
