/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The older .xls, by FreeXL, in a process of its own: FreeXL 1.0.6 reads beyond
 * its buffers where a workbook lies about lengths (found by fuzzing), and what
 * a stranger's file does there must not reach us. The child writes what it
 * found to a pipe; the parent takes nothing of it on trust.
 *
 * On the pipe: 'S' name, a sheet; 'R' number, a row; 'C' column text, a cell;
 * 'E', the sheet was read; 'Z', all is said. Numbers are 4 bytes of the
 * machine's order, texts a number of bytes and the bytes.
 */
#include "forms/xlsx/cells.h"

#include "chasqui/xlsform.h"

#include <errno.h>
#include <fcntl.h>
#include <freexl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 20 };

/* --- the child --- */

static void say_number(cq_buf *out, char kind, uint32_t number) {
  cq_buf_add_char(out, kind);
  cq_buf_add(out, &number, sizeof number);
}

static void say_text(cq_buf *out, cq_str text) {
  uint32_t size = (uint32_t)text.size;
  cq_buf_add(out, &size, sizeof size);
  cq_buf_add_str(out, text);
}

static void say_cell(cq_buf *out, const void *book, uint32_t row, uint16_t column) {
  FreeXL_CellValue cell;
  if (freexl_get_cell_value(book, row, column, &cell) != FREEXL_OK) return;
  cq_buf text = {0};
  switch (cell.type) {
  case FREEXL_CELL_INT: cq_buf_add_int64(&text, cell.value.int_value); break;
  case FREEXL_CELL_DOUBLE: cq_cells_add_number(&text, cell.value.double_value); break;
  case FREEXL_CELL_TEXT:
  case FREEXL_CELL_SST_TEXT:
  case FREEXL_CELL_DATE:
  case FREEXL_CELL_DATETIME:
  case FREEXL_CELL_TIME:
    if (cell.value.text_value) cq_buf_add_text(&text, cell.value.text_value);
    break;
  default: break;
  }
  if (text.size > 0 && text.size <= CQ_XLSFORM_MAX_CELL) {
    say_number(out, 'C', column);
    say_text(out, cq_buf_str(&text));
  }
  cq_buf_fini(&text);
}

static void say_sheet(cq_buf *out, const void *book, uint16_t index) {
  uint32_t rows = 0;
  uint16_t columns = 0;
  if (freexl_select_active_worksheet(book, index) != FREEXL_OK ||
      freexl_worksheet_dimensions(book, &rows, &columns) != FREEXL_OK) {
    rows = 0; /* a sheet of charts, or an empty one */
  }
  for (uint32_t row = 0; row < rows && out->size < CQ_XLSFORM_MAX_PART; row++) {
    say_number(out, 'R', row + 1);
    for (uint16_t column = 0; column < columns; column++) say_cell(out, book, row, column);
  }
  cq_buf_add_char(out, 'E');
}

/* Answers what the child exits with: 0, or 1 where there is a password, else 2. */
static int say_book(cq_buf *out, const char *path, cq_sheet_wanted *wanted) {
  const void *book = NULL;
  uint32_t count = 0, hidden = FREEXL_UNKNOWN;
  if (freexl_open(path, &book) != FREEXL_OK || freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &count) != FREEXL_OK) {
    return 2;
  }
  if (freexl_get_info(book, FREEXL_BIFF_PASSWORD, &hidden) == FREEXL_OK && hidden == FREEXL_BIFF_OBFUSCATED) return 1;
  for (uint32_t i = 0; i < count && i <= CQ_XLSFORM_MAX_SHEETS; i++) {
    const char *name = NULL;
    if (freexl_get_worksheet_name(book, (uint16_t)i, &name) != FREEXL_OK || !name) name = "";
    cq_buf_add_char(out, 'S');
    say_text(out, cq_str_from(name));
    if (count == 1 || wanted(cq_str_from(name))) say_sheet(out, book, (uint16_t)i);
  }
  cq_buf_add_char(out, 'Z');
  freexl_close(book);
  return out->failed ? 2 : 0;
}

static void child(int to, const char *path, cq_sheet_wanted *wanted) {
  const struct rlimit seconds = {CHILD_SECONDS, CHILD_SECONDS}, none = {0, 0};
  setrlimit(RLIMIT_CPU, &seconds);
  setrlimit(RLIMIT_CORE, &none);
  int nowhere = open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  cq_buf out = {0};
  int status = say_book(&out, path, wanted);
  const char *at = out.at;
  for (size_t left = status == 0 ? out.size : 0; left > 0;) {
    ssize_t written = write(to, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    at += written;
    left -= (size_t)written;
  }
  _exit(status);
}

/* --- the parent --- */

static bool take_number(cq_str *rest, uint32_t *number) {
  if (rest->size < sizeof *number) return false;
  memcpy(number, rest->at, sizeof *number);
  *rest = (cq_str){rest->at + sizeof *number, rest->size - sizeof *number};
  return true;
}

static bool take_text(cq_str *rest, cq_str *text) {
  uint32_t size;
  if (!take_number(rest, &size) || size > rest->size) return false;
  *text = (cq_str){rest->at, size};
  *rest = (cq_str){rest->at + size, rest->size - size};
  return true;
}

cq_status cq_xls_take(cq_cells *cells, cq_str said, cq_error *error) {
  bool sheet = false, row = false;
  cq_status status = CQ_OK;
  while (status == CQ_OK && said.size > 0) {
    char kind = said.at[0];
    uint32_t number = 0;
    cq_str text;
    said = (cq_str){said.at + 1, said.size - 1};
    if (kind == 'Z' && said.size == 0) return CQ_OK;
    if (kind == 'S' && take_text(&said, &text)) {
      status = cq_cells_sheet(cells, text, error);
      sheet = true, row = false;
    } else if (kind == 'R' && sheet && take_number(&said, &number) && number > 0) {
      status = cq_cells_row(cells, number, error);
      row = true;
    } else if (kind == 'C' && row && take_number(&said, &number) && take_text(&said, &text)) {
      status = cq_cells_add(cells, number, text, error);
    } else if (kind == 'E' && sheet) {
      status = cq_cells_end(cells, error);
      sheet = row = false;
    } else {
      break;
    }
  }
  return status == CQ_OK ? cq_error_set(error, CQ_INVALID, "xls.damaged", NULL) : status;
}

static cq_status listen(int from, cq_buf *said, cq_error *error) {
  char chunk[8192];
  for (;;) {
    ssize_t got = read(from, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cq_error_io(error, "io.read", ".xls", errno);
    if (got == 0) return said->failed ? cq_error_nomem(error) : CQ_OK;
    if (said->size > CQ_XLSFORM_MAX_PART) return cq_error_set(error, CQ_LIMIT, "xlsform.limit.part", NULL);
    cq_buf_add(said, chunk, (size_t)got);
  }
}

static cq_status ended(pid_t pid, cq_error *error) {
  int how = 0;
  while (waitpid(pid, &how, 0) < 0) {
    if (errno != EINTR) return cq_error_io(error, "io.read", ".xls", errno);
  }
  if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return CQ_OK;
  bool password = WIFEXITED(how) && WEXITSTATUS(how) == 1;
  return cq_error_set(error, CQ_INVALID, password ? "xls.password" : "xls.damaged", NULL);
}

cq_status cq_xls_read(cq_cells *cells, const char *path, cq_sheet_wanted *wanted, cq_error *error) {
  int ends[2];
  if (pipe(ends) != 0) return cq_error_io(error, "io.open", path, errno);
  pid_t pid = fork();
  if (pid < 0) {
    cq_status status = cq_error_io(error, "io.open", path, errno);
    close(ends[0]);
    close(ends[1]);
    return status;
  }
  if (pid == 0) {
    close(ends[0]);
    child(ends[1], path, wanted);
  }
  close(ends[1]);
  cq_buf said = {0};
  cq_status status = listen(ends[0], &said, error);
  close(ends[0]); /* a child that still writes ends by SIGPIPE */
  cq_status child_status = ended(pid, status == CQ_OK ? error : NULL);
  if (status == CQ_OK) status = child_status;
  if (status == CQ_OK) status = cq_xls_take(cells, cq_buf_str(&said), error);
  cq_buf_fini(&said);
  return status;
}
