/* SPDX-License-Identifier: Apache-2.0 */
/* Anything that the process which reads .xls might say to us. */
#include "forms/xlsx/cells.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_cells cells;
  if (size > 1 << 16 || cq_cells_init(&cells, NULL) != CQ_OK) return 0;
  cq_xls_take(&cells, (cq_str){size ? (const char *)data : "", size}, NULL);
  cq_cells_fini(&cells);
  return 0;
}
