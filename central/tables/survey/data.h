/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns of a CSV file that people bring: read whole, by name, trimmed.
 */
#ifndef CENTRAL_TABLES_DATA_H
#define CENTRAL_TABLES_DATA_H

#include "chasqui/arena.h"
#include "chasqui/csv.h"
#include "chasqui/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CQ_DATA_MAX_BYTES = 1 << 30, /* of a file */
  CQ_DATA_MAX_ROWS = 20000000
};

typedef struct cq_data {
  cq_arena *arena;
  cq_buf text;
  char *file;
  cq_str *cells; /* rows × columns wanted */
  int64_t *lines;
  size_t rows, columns, capacity;
} cq_data;

/*
 * Reads the columns `names` of a file, in this order. Of a name that stands in
 * the header twice the first counts. `optional[i]`: a column that is not there
 * is empty; NULL: all are needed. Errors: central.data.column (its name), those
 * of csv.h and file.h, each with the file and line.
 */
cq_status cq_data_read(cq_data *data, const char *path, const char *const names[], const bool optional[], size_t count,
                       cq_error *error);
void cq_data_fini(cq_data *data);
/* The same out of memory: an empty table, and a row at its end, whose cells are copied. CQ_NOMEM only. */
cq_status cq_data_init(cq_data *data, size_t columns, cq_error *error);
cq_status cq_data_add(cq_data *data, const cq_str *cells, cq_error *error);
cq_str cq_data_cell(const cq_data *data, size_t row, size_t column);
/* Says the place of an error: the file and the row's line. Returns error's status. */
cq_status cq_data_at(const cq_data *data, size_t row, cq_status status, cq_error *error);
/* Whether the header of a file has a column of this name. */
cq_status cq_data_has(const char *path, const char *name, bool *has, cq_error *error);

/* A decimal number with a point, nothing before or after it; no infinity, no hexadecimal. */
bool cq_data_number(cq_str text, double *value);
/* The same, written as a calculation writes a number: "12", "-0.5"; not "05", which is a code, nor more digits than a
 * number keeps. */
bool cq_data_plain_number(cq_str text, double *value);
/* What stands for no value: blank, or NA as statistics programs write it. */
bool cq_data_blank(cq_str text);

/*
 * Appends text as a column of a table on the terminal: filled with blanks up to `width` code points, and cut with "…"
 * where it is longer. A negative width stands on the left, a positive one on the right.
 */
void cq_data_column(cq_buf *out, cq_str text, int width);

/* --- distinct strings, numbered in the order they first came; they are borrowed --- */
typedef struct cq_levels {
  cq_str *names;
  size_t count, capacity;
  uint32_t *slots; /* number + 1; 0: free */
  size_t slot_count;
} cq_levels;

void cq_levels_fini(cq_levels *levels);
/* The number of `name`, a new one where it is new; UINT32_MAX where memory is out. */
uint32_t cq_levels_number(cq_levels *levels, cq_str name);
/* The number of `name`, or UINT32_MAX. */
uint32_t cq_levels_find(const cq_levels *levels, cq_str name);

#endif
