/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xform/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_names *names = cq_names_new();
  cq_tree *tree = NULL;
  const cq_str text = {(const char *)data, size};
  if (names != NULL && cq_utf8_valid(text) && cq_lists_from_geojson(&tree, names, text, NULL) == CQ_OK)
    cq_tree_free(tree);
  cq_names_free(names);
  return 0;
}
