/* SPDX-License-Identifier: Apache-2.0 */
/* Files that records name, as files in a folder with a table of what they are. */
#include "central/merge/attachments.h"
#include "central/tables/records/files.h"
#include "chasqui/csv.h"
#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct exporting {
  cq_desk *desk;
  cq_str form;
  const char *folder;
  cq_buf *manifest, path, part;
  cq_media_written *done;
} exporting;

/* The name in the answer, where no other record calls another file so (letter case aside: not every disk tells it). */
static cq_status file_name(cq_desk *desk, const cq_rows_file *file, char out[300], cq_error *error) {
  sqlite3_stmt *s = NULL;
  char hex[65];
  bool taken = false;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT 1 FROM visit_attachment WHERE name = ?1 AND hash <> ?2", error);
  if (status == CQ_OK) {
    sqlite3_bind_text(s, 1, file->name.at, (int)file->name.size, SQLITE_STATIC);
    sqlite3_bind_blob(s, 2, file->hash.at, sizeof file->hash.at, SQLITE_STATIC);
    status = cq_desk_step(desk, s, &taken, error);
  }
  sqlite3_finalize(s);
  cq_hash_hex(&file->hash, hex);
  snprintf(out, 300, "%.*s%s%.*s", taken ? 8 : 0, hex, taken ? "-" : "", (int)file->name.size, file->name.at);
  return status;
}

/* --- one file --- */

/* Whether the file stands there from an export before, byte for byte. */
static bool is_there(const char *path, const cq_rows_file *file) {
  char bytes[65536];
  struct stat info;
  cq_hasher hasher;
  ssize_t got = -1;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  cq_hasher_init(&hasher);
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == file->size) {
    while ((got = read(fd, bytes, sizeof bytes)) > 0) cq_hasher_add(&hasher, bytes, (size_t)got);
  }
  close(fd);
  cq_hash hash = cq_hasher_end(&hasher);
  return got == 0 && cq_hash_equal(&hash, &file->hash);
}

typedef struct output {
  FILE *file;
  const char *path;
} output;

static cq_status put_bytes(void *context, const void *bytes, size_t size, cq_error *error) {
  output *out = context;
  return fwrite(bytes, 1, size, out->file) == size ? CQ_OK : cq_error_io(error, "io.write", out->path, errno);
}

/* Whole or not at all. */
static cq_status write_file(exporting *e, const cq_rows_file *file, cq_error *error) {
  output out = {.path = e->part.at};
  if (!(out.file = fopen(e->part.at, "wb"))) return cq_error_io(error, "io.create", e->part.at, errno);
  cq_status status = cq_attachment_read(e->desk, &file->hash, put_bytes, &out, error);
  if (status == CQ_OK && (fflush(out.file) != 0 || fsync(fileno(out.file)) != 0))
    status = cq_error_io(error, "io.fsync", e->part.at, errno);
  if (fclose(out.file) != 0 && status == CQ_OK) status = cq_error_io(error, "io.write", e->part.at, errno);
  if (status == CQ_OK && rename(e->part.at, e->path.at) != 0)
    status = cq_error_io(error, "io.rename", e->path.at, errno);
  if (status != CQ_OK) unlink(e->part.at);
  return status;
}

static void add_row(exporting *e, const cq_rows_file *file, const char *name, bool awaited) {
  char size[24], hex[65];
  snprintf(size, sizeof size, "%llu", (unsigned long long)file->size);
  cq_hash_hex(&file->hash, hex);
  cq_csv_add_field(e->manifest, true, cq_str_from(awaited ? "" : name), true);
  cq_csv_add_field(e->manifest, false, e->form, true);
  cq_csv_add_field(e->manifest, false, file->key, true);
  cq_csv_add_field(e->manifest, false, file->field ? file->field->name : CQ_STR(""), true);
  cq_csv_add_field(e->manifest, false, file->name, true);
  cq_csv_add_field(e->manifest, false, cq_str_from(size), true);
  cq_csv_add_field(e->manifest, false, cq_str_from(hex), true);
  cq_csv_add_field(e->manifest, false, awaited ? CQ_STR("awaited") : CQ_STR("written"), true);
  cq_csv_end_row(e->manifest);
}

static cq_status put_file(void *context, const cq_rows_file *file, cq_error *error) {
  exporting *e = context;
  char name[300];
  cq_error why;
  cq_error_clear(&why);
  cq_status status = file_name(e->desk, file, name, error);
  if (status == CQ_OK) status = cq_file_path(&e->path, e->folder, name, error);
  if (status != CQ_OK) return status;
  cq_buf_reset(&e->part);
  cq_buf_addf(&e->part, "%s.part", e->path.at);
  if (e->part.failed) return cq_error_nomem(error);
  bool there = is_there(e->path.at, file);
  if (!there) status = write_file(e, file, &why);
  bool awaited = status == CQ_NOTFOUND && why.code && strcmp(why.code, "desk.attachment.awaited") == 0;
  if (status != CQ_OK && !awaited) {
    if (error) *error = why;
    return status;
  }
  e->done->there += there;
  e->done->awaited += awaited;
  e->done->written += !there && !awaited;
  add_row(e, file, name, awaited);
  return e->manifest->failed ? cq_error_nomem(error) : cq_cli_cancelled(error);
}

cq_status cq_media_write(cq_rows *rows, cq_desk *desk, cq_str form, const char *folder, cq_buf *manifest,
                         cq_media_written *done, cq_error *error) {
  static const char *const heads[] = {"file", "form", "KEY", "question", "name", "bytes", "blake2b", "state"};
  exporting e = {.desk = desk, .form = form, .folder = folder, .manifest = manifest, .done = done};
  size_t left_out = 0;
  for (size_t i = 0; !done->begun && i < sizeof heads / sizeof *heads; i++)
    cq_csv_add_field(manifest, i == 0, cq_str_from(heads[i]), true);
  if (!done->begun) cq_csv_end_row(manifest);
  done->begun = true;
  cq_status status = cq_rows_files(rows, put_file, &e, &left_out, error);
  done->left_out += left_out;
  cq_buf_fini(&e.path);
  cq_buf_fini(&e.part);
  return status;
}
