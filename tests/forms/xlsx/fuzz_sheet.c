/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worksheet's XML, then (after a line of "--") shared strings, then styles,
 * in a workbook that is otherwise sound, so that the fuzzer need not learn zip.
 */
#include "forms/xlsx/workbook.h"
#include "tests/forms/xlsx/pack.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool all(cq_str name) {
  (void)name;
  return true;
}

/* What stands before the next line of "--"; *rest moves past it. */
static cq_str section(cq_str *rest) {
  for (size_t i = 0; i + 4 <= rest->size; i++) {
    if (memcmp(rest->at + i, "\n--\n", 4) != 0) continue;
    cq_str found = {rest->at, i};
    *rest = (cq_str){rest->at + i + 4, rest->size - i - 4};
    return found;
  }
  cq_str found = *rest;
  *rest = (cq_str){"", 0};
  return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1 << 16) return 0;
  cq_str rest = {size ? (const char *)data : "", size};
  cq_str sheet = section(&rest), strings = section(&rest), styles = section(&rest);
  const pack_part parts[] = {{"xl/workbook.xml", cq_str_from(pack_book)},
                             {"xl/_rels/workbook.xml.rels", cq_str_from(pack_book_rels)},
                             {"xl/sharedStrings.xml", strings},
                             {"xl/styles.xml", styles},
                             {"xl/worksheets/sheet1.xml", sheet}};
  cq_buf packed = {0};
  if (pack(parts, sizeof parts / sizeof *parts, &packed)) {
    cq_workbook *book = NULL;
    cq_workbook_read(&book, packed.at, packed.size, all, NULL);
    cq_workbook_free(book);
  }
  cq_buf_fini(&packed);
  return 0;
}
