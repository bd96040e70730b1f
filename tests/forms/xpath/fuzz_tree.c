/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as XML: read both ways, walked, copied, changed and taken apart again. */
#include "forms/xpath/tree.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(cq_tree *tree) {
  cq_node *top = cq_tree_top(tree), *last = NULL;
  for (cq_node *at = top; at; at = cq_node_after(at, top)) {
    size_t count = 0;
    cq_node *first = cq_tree_children(at, top->local, &count);
    if (first != cq_node_child(at, top->local)) abort();
    if (last && cq_node_compare(last, at) >= 0) abort();
    last = at;
  }
}

static void change(cq_tree *tree) {
  cq_node *top = cq_tree_top(tree), *first = top->first;
  cq_node *copy = first ? cq_tree_copy(tree, top, first, first) : NULL;
  if (copy && copy->next != first) abort();
  if (copy && cq_node_is_leaf(copy)) cq_tree_set_text(tree, copy, CQ_STR("changed"));
  if (first) cq_tree_remove(tree, first);
  if (copy && top->first != copy) abort();
  look_up(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_names *names = cq_names_new();
  cq_arena *scratch = cq_arena_new(0);
  for (unsigned flags = 0; names && scratch && flags <= CQ_TREE_DATA; flags++) {
    cq_tree *tree = NULL;
    cq_error error = {0};
    if (cq_tree_parse(&tree, names, (cq_str){(const char *)data, size}, flags, 16 << 20, &error) == CQ_OK) {
      if (!cq_node_value(cq_tree_document(tree), scratch).at) abort();
      look_up(tree);
      change(tree);
    }
    cq_tree_free(tree);
  }
  cq_arena_free(scratch);
  cq_names_free(names);
  return 0;
}
