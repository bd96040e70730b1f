/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a small .xlsx in memory from its parts, for tests and fuzzers. */
#ifndef CHASQUI_TESTS_XLSX_PACK_H
#define CHASQUI_TESTS_XLSX_PACK_H

#include "chasqui/str.h"

typedef struct pack_part {
  const char *path;
  cq_str bytes;
} pack_part;

/* False where libzip could not; `out` is emptied first. */
bool pack(const pack_part *parts, size_t count, cq_buf *out);

/* The parts that a workbook of one sheet, "survey", needs beside it. */
extern const char pack_rels[], pack_book[], pack_book_rels[], pack_styles[];

#endif
