/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a code point, so that a message never ends in half a letter. */
static void copy_cut(char *out, const char *text) {
  size_t size = strlen(text);
  if (size >= CQ_ERROR_ARG_SIZE) {
    size = CQ_ERROR_ARG_SIZE - 1;
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
  }
  memcpy(out, text, size);
  out[size] = '\0';
}

void cq_error_clear(cq_error *error) {
  if (!error) return;
  memset(error, 0, sizeof *error);
  error->offset = -1;
}

cq_status(cq_error_set)(cq_error *error, cq_status status, const char *code, ...) {
  if (!error) return status;
  cq_error_clear(error);
  error->status = status;
  error->code = code;
  va_list args;
  va_start(args, code);
  for (const char *arg; error->argc < CQ_ERROR_ARGS && (arg = va_arg(args, const char *)) != NULL;)
    copy_cut(error->arg[error->argc++], arg);
  va_end(args);
  return status;
}

cq_status(cq_error_nomem)(cq_error *error) {
  return cq_error_set(error, CQ_NOMEM, "memory", NULL);
}

cq_status(cq_error_io)(cq_error *error, const char *code, const char *file, int errno_value) {
  /* strerror answers in the programme's language where a program set one. */
  cq_error_set(error, CQ_IO, code, file, strerror(errno_value), NULL);
  cq_error_at_file(error, file);
  return CQ_IO;
}

void cq_error_at_file(cq_error *error, const char *file) {
  if (error) copy_cut(error->file, file ? file : "");
}

void cq_error_at_cell(cq_error *error, const char *sheet, int64_t row, int64_t column) {
  if (!error) return;
  copy_cut(error->sheet, sheet ? sheet : "");
  error->row = row;
  error->column = column;
}

void cq_error_at_line(cq_error *error, int64_t line, int64_t line_column) {
  if (!error) return;
  error->line = line;
  error->line_column = line_column;
}

void cq_error_at_offset(cq_error *error, int64_t offset) {
  if (error) error->offset = offset;
}
