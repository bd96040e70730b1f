/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function answers, and what it says when it fails.
 *
 * A function that can fail returns cq_status and takes a nullable cq_error as
 * its last argument. Libraries never print, exit or translate: they fill in a
 * stable code with its arguments and the place, and the programs (room cli)
 * make the sentence, in Spanish or English.
 *
 * Arguments must never hold an answer, a name or any other personal datum:
 * a question's name is fine, what was answered is not.
 */
#ifndef CHASQUI_STATUS_H
#define CHASQUI_STATUS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
  CQ_OK = 0,
  CQ_NOMEM = -1,     /* out of memory */
  CQ_IO = -2,        /* disk, network or permission: the environment failed */
  CQ_INVALID = -3,   /* input from outside is not what it should be */
  CQ_LIMIT = -4,     /* input is larger or deeper than the documented cap */
  CQ_NOTFOUND = -5,  /* what was asked for does not exist */
  CQ_REFUSED = -6,   /* understood, and not allowed: signature, key, mode, state */
  CQ_DAMAGED = -7,   /* a file of ours does not authenticate or is torn */
  CQ_BUSY = -8,      /* somebody else holds it; trying later may help */
  CQ_FUTURE = -9,    /* made by a newer version than this program understands */
  CQ_CANCELLED = -10 /* the person or a signal asked to stop */
} cq_status;

enum {
  CQ_ERROR_ARGS = 4,      /* arguments of a message */
  CQ_ERROR_ARG_SIZE = 160 /* bytes of an argument with its terminator; cut at a code point */
};

/* No member is owned; the struct may be copied. `code` points to a string literal. */
typedef struct cq_error {
  cq_status status;
  const char *code; /* "room.thing.fault", e.g. "batch.signature.wrong"; NULL: nothing was said */
  int argc;
  char arg[CQ_ERROR_ARGS][CQ_ERROR_ARG_SIZE];
  char file[CQ_ERROR_ARG_SIZE];  /* "" where there is none */
  char sheet[CQ_ERROR_ARG_SIZE]; /* a spreadsheet's sheet, "" where there is none */
  int64_t row, column;           /* of a sheet, from 1; 0: none */
  int64_t line, line_column;     /* of a text, from 1 (column in code points); 0: none */
  int64_t offset;                /* in bytes from the start of a file; -1: none */
} cq_error;

/* Empties an error (NULL is fine). A cq_error must be cleared before its first use. */
void cq_error_clear(cq_error *error);

/*
 * Sets status, code and arguments and leaves the place empty; returns `status`,
 * so that `return cq_error_set(error, CQ_INVALID, "csv.quote.open", NULL);` is a
 * whole failure. `error` may be NULL. The arguments are C strings, at most
 * CQ_ERROR_ARGS, ended by NULL.
 */
cq_status cq_error_set(cq_error *error, cq_status status, const char *code, ... /* NULL */);

/* CQ_NOMEM with the code "memory". */
cq_status cq_error_nomem(cq_error *error);

/* CQ_IO with the code "io.<what>", arguments the file and strerror(errno_value). `code` as in cq_error_set. */
cq_status cq_error_io(cq_error *error, const char *code, const char *file, int errno_value);

#ifdef __clang_analyzer__ /* which sees one file at a time, and here what the three above always answer */
#define cq_error_set(error, status, ...) ((void)(cq_error_set)((error), (status), __VA_ARGS__), (cq_status)(status))
#define cq_error_nomem(error) ((void)(cq_error_nomem)(error), CQ_NOMEM)
#define cq_error_io(...) ((void)(cq_error_io)(__VA_ARGS__), CQ_IO)
#endif

/* The place. Each may be called after cq_error_set, with error NULL too, and returns nothing. */
void cq_error_at_file(cq_error *error, const char *file);
void cq_error_at_cell(cq_error *error, const char *sheet, int64_t row, int64_t column);
void cq_error_at_line(cq_error *error, int64_t line, int64_t line_column);
void cq_error_at_offset(cq_error *error, int64_t offset);

#endif
