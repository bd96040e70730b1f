/* SPDX-License-Identifier: Apache-2.0 */
/* Sheets written as .csv: a folder of them, or one file that holds several. */
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "chasqui/xlsform.h"
#include "forms/xlsx/cells.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = CQ_XLSFORM_MAX_SHEETS };

/* Faults name the row that a spreadsheet shows; `above`: rows of the file before the sheet's first. */
static cq_status begin_row(cq_cells *cells, const cq_csv *csv, int64_t above, cq_error *error) {
  int64_t row = cq_csv_row(csv) - above;
  return cq_cells_row(cells, row < UINT32_MAX ? (uint32_t)row : UINT32_MAX, error);
}

static cq_status read_sheet(cq_cells *cells, cq_str text, cq_str name, cq_error *error) {
  cq_csv *csv = cq_csv_new(text, 0);
  if (!csv) return cq_error_nomem(error);
  const cq_str *fields = NULL;
  size_t count = 0;
  cq_status status = cq_cells_sheet(cells, name, error);
  while (status == CQ_OK && (status = cq_csv_next(csv, &fields, &count, error)) == CQ_OK && count > 0) {
    status = begin_row(cells, csv, 0, error);
    for (size_t i = 0; status == CQ_OK && i < count; i++) status = cq_cells_add(cells, (uint32_t)i, fields[i], error);
  }
  if (status == CQ_OK) status = cq_cells_end(cells, error);
  cq_csv_free(csv);
  return status;
}

/* Whether the first row says only the name of a sheet that is wanted: "survey" alone, or followed by empty fields. */
static bool names_sheets(cq_str text, cq_sheet_wanted *wanted) {
  cq_csv *csv = cq_csv_new(text, 0);
  const cq_str *fields = NULL;
  size_t count = 0;
  bool found = csv && cq_csv_next(csv, &fields, &count, NULL) == CQ_OK && count > 0 && wanted(cq_str_trim(fields[0]));
  for (size_t i = 1; found && i < count; i++) found = fields[i].size == 0;
  cq_csv_free(csv);
  return found;
}

cq_status cq_csv_file_read(cq_cells *cells, cq_str text, cq_str name, cq_sheet_wanted *wanted, cq_error *error) {
  if (!names_sheets(text, wanted)) return read_sheet(cells, text, name, error);
  cq_csv *csv = cq_csv_new(text, ',');
  if (!csv) return cq_error_nomem(error);
  const cq_str *fields = NULL;
  size_t count = 0;
  int64_t above = 0;
  bool open = false, skip = false;
  cq_status status = CQ_OK;
  while (status == CQ_OK && (status = cq_csv_next(csv, &fields, &count, error)) == CQ_OK && count > 0) {
    cq_str first = cq_str_trim(fields[0]);
    bool any = false;
    for (size_t i = 1; i < count; i++) any = any || fields[i].size > 0;
    if (first.size > 0) {
      if (open && !skip) status = cq_cells_end(cells, error);
      if (status == CQ_OK) status = cq_cells_sheet(cells, first, error);
      open = true;
      skip = !wanted(first);
      above = cq_csv_row(csv) - any;
    }
    if (!any || skip || !open || status != CQ_OK) continue;
    status = begin_row(cells, csv, above, error);
    for (size_t i = 1; status == CQ_OK && i < count; i++)
      status = cq_cells_add(cells, (uint32_t)i - 1, fields[i], error);
  }
  if (status == CQ_OK && open && !skip) status = cq_cells_end(cells, error);
  cq_csv_free(csv);
  return status;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static cq_status read_file(cq_cells *cells, const char *folder, const char *file, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_status status = cq_file_path(&path, folder, file, error);
  if (status == CQ_OK) status = cq_file_read(path.at, CQ_XLSFORM_MAX_FILE, &bytes, error);
  if (status == CQ_OK) {
    status = read_sheet(cells, cq_buf_str(&bytes), (cq_str){file, strlen(file) - 4}, error);
    if (status != CQ_OK) cq_error_at_file(error, path.at);
  }
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

cq_status cq_csv_folder_read(cq_cells *cells, const char *folder, cq_sheet_wanted *wanted, cq_error *error) {
  DIR *listing = opendir(folder);
  if (!listing) return cq_error_io(error, "io.open", folder, errno);
  char *names[MAX_FILES] = {0};
  size_t count = 0;
  cq_status status = CQ_OK;
  for (const struct dirent *entry; status == CQ_OK && (entry = readdir(listing)) != NULL;) {
    size_t size = strlen(entry->d_name);
    if (size < 5 || strcmp(entry->d_name + size - 4, ".csv") != 0) continue;
    if (!wanted((cq_str){entry->d_name, size - 4})) continue;
    if (count == MAX_FILES) {
      status = cq_error_set(error, CQ_LIMIT, "xlsform.limit.sheets", NULL);
    } else if (!(names[count] = strdup(entry->d_name))) {
      status = cq_error_nomem(error);
    } else {
      count++;
    }
  }
  closedir(listing);
  qsort(names, count, sizeof names[0], by_name); /* the same folder gives the same bytes on every disk */
  for (size_t i = 0; status == CQ_OK && i < count; i++) status = read_file(cells, folder, names[i], error);
  for (size_t i = 0; i < count; i++) free(names[i]);
  return status;
}
