/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsx/workbook.h"

#include "chasqui/file.h"
#include "chasqui/xlsform.h"
#include "forms/xlsx/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { KIND_XLSX, KIND_XLS, KIND_CSV, KIND_OTHER } kind;

static kind kind_of(const void *bytes, size_t size) {
  if (size >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0) return KIND_XLSX;
  if (size >= 8 && memcmp(bytes, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0) return KIND_XLS;
  return memchr(bytes, 0, size < 4096 ? size : 4096) ? KIND_OTHER : KIND_CSV;
}

static cq_status finish(cq_workbook **book, cq_cells *cells, cq_status status, const char *path, cq_error *error) {
  *book = status == CQ_OK ? cq_cells_take(cells) : NULL;
  cq_cells_fini(cells);
  if (status != CQ_OK && path && error && !error->file[0]) cq_error_at_file(error, path);
  return status;
}

/* The reader of .xls wants a file of its own to open. */
static cq_status read_xls_bytes(cq_cells *cells, const void *bytes, size_t size, cq_sheet_wanted *wanted,
                                cq_error *error) {
  const char *folder = getenv("TMPDIR");
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, folder && *folder ? folder : "/tmp", "chasqui-xls-XXXXXX", error);
  if (status != CQ_OK) return status;
  int fd = mkstemp(path.at);
  if (fd < 0) {
    status = cq_error_io(error, "io.create", path.at, errno);
  } else {
    const char *at = bytes;
    for (size_t left = size; left > 0 && status == CQ_OK;) {
      ssize_t written = write(fd, at, left);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        status = cq_error_io(error, "io.write", path.at, errno);
        break;
      }
      at += written;
      left -= (size_t)written;
    }
    close(fd);
    if (status == CQ_OK) status = cq_xls_read(cells, path.at, wanted, error);
    unlink(path.at);
  }
  cq_buf_fini(&path);
  return status;
}

/* "x/survey.csv" → "survey" */
static cq_str sheet_name(const char *path) {
  const char *base = path ? strrchr(path, '/') : NULL;
  cq_str name = cq_str_from(base ? base + 1 : path ? path : "survey");
  if (name.size > 4 && memcmp(name.at + name.size - 4, ".csv", 4) == 0) name.size -= 4;
  return name;
}

static cq_status read_bytes(cq_cells *cells, const void *bytes, size_t size, const char *path, cq_sheet_wanted *wanted,
                            cq_error *error) {
  switch (kind_of(bytes, size)) {
  case KIND_XLSX: return cq_xlsx_read(cells, bytes, size, wanted, error);
  case KIND_XLS:
    return path ? cq_xls_read(cells, path, wanted, error) : read_xls_bytes(cells, bytes, size, wanted, error);
  case KIND_CSV: return cq_csv_file_read(cells, (cq_str){bytes, size}, sheet_name(path), wanted, error);
  case KIND_OTHER: break;
  }
  return cq_error_set(error, CQ_INVALID, "xlsx.notworkbook", NULL);
}

cq_status cq_workbook_open(cq_workbook **book, const char *path, cq_sheet_wanted *wanted, cq_error *error) {
  *book = NULL;
  cq_cells cells;
  cq_status status = cq_cells_init(&cells, error);
  if (status != CQ_OK) return status;
  struct stat info;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    return finish(book, &cells, cq_csv_folder_read(&cells, path, wanted, error), path, error);
  }
  cq_buf bytes = {0};
  status = cq_file_read(path, CQ_XLSFORM_MAX_FILE, &bytes, error);
  if (status == CQ_OK) status = read_bytes(&cells, bytes.at ? bytes.at : "", bytes.size, path, wanted, error);
  cq_buf_fini(&bytes);
  return finish(book, &cells, status, path, error);
}

static cq_status read_listed(cq_cells *cells, const char *path, cq_sheet_wanted *wanted, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = cq_file_read(path, CQ_XLSFORM_MAX_FILE, &bytes, error);
  const char *at = bytes.at ? bytes.at : "";
  if (status == CQ_OK && kind_of(at, bytes.size) != KIND_CSV) {
    status = cq_error_set(error, CQ_INVALID, "xlsx.notlisted", NULL);
  }
  if (status == CQ_OK) status = cq_csv_file_read(cells, (cq_str){at, bytes.size}, sheet_name(path), wanted, error);
  if (status != CQ_OK && error && !error->file[0]) cq_error_at_file(error, path);
  cq_buf_fini(&bytes);
  return status;
}

cq_status cq_workbook_open_list(cq_workbook **book, const char *const *paths, size_t count, cq_sheet_wanted *wanted,
                                cq_error *error) {
  *book = NULL;
  cq_cells cells;
  cq_status status = cq_cells_init(&cells, error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) status = read_listed(&cells, paths[i], wanted, error);
  return finish(book, &cells, status, NULL, error);
}

cq_status cq_workbook_read(cq_workbook **book, const void *bytes, size_t size, cq_sheet_wanted *wanted,
                           cq_error *error) {
  *book = NULL;
  if (size > CQ_XLSFORM_MAX_FILE) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.file", NULL);
  cq_cells cells;
  cq_status status = cq_cells_init(&cells, error);
  if (status != CQ_OK) return status;
  return finish(book, &cells, read_bytes(&cells, bytes, size, NULL, wanted, error), NULL, error);
}

void cq_workbook_free(cq_workbook *book) {
  if (book) cq_arena_free(book->arena);
}

const cq_sheet *cq_workbook_sheet(const cq_workbook *book, const char *name) {
  for (size_t i = 0; i < book->count; i++) {
    if (cq_str_is(book->sheets[i].name, name)) return &book->sheets[i];
  }
  return NULL;
}
