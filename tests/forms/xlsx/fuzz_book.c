/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a workbook, .xlsx or .csv; and what is compiled must be whole. (.xls is read in a process of its own,
 * which a fuzzer's handlers would follow: see fuzz_xls.c.) */
#include "chasqui/xlsform.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (size > 1 << 16 || (size > 0 && data[0] == 0xD0)) return 0;
  if (cq_xlsform_compile_bytes(&form, data, size, NULL, &error) != CQ_OK) return 0;
  if (cq_xlsform_ok(form) != (cq_xlsform_xml(form).size > 0)) abort();
  if (!cq_utf8_valid(cq_xlsform_xml(form))) abort();
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    if (!*cq_xlsform_fault_at(form, i)->code) abort();
  }
  cq_xlsform_item item;
  for (size_t i = 0; cq_xlsform_item_at(form, i, NULL, &item); i++) {
    if (item.depth < 0) abort();
  }
  cq_xlsform_free(form);
  return 0;
}
