/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the tree share: its memory, its order numbers and its tables. Only for tree.c, parse.c, index.c. */
#ifndef FORMS_XPATH_STORE_H
#define FORMS_XPATH_STORE_H

#include "forms/xpath/tree.h"

enum {
  CQ_TEXT_CLASSES = 24,  /* text_class c > 0 holds 8 << c bytes; class 0 is packed and never used again */
  CQ_NODE_HAS_TABLE = 1, /* state: its children stand in a table by name */
  CQ_NODE_MANY_CHILDREN = 16
};

typedef struct cq_child_table cq_child_table;
typedef struct cq_row_index cq_row_index;

struct cq_tree {
  cq_node document; /* first, so that a document's address is its tree's */
  cq_names *names;
  cq_arena *arena;
  cq_node *spare; /* removed nodes, by `next` */
  void *spare_text[CQ_TEXT_CLASSES];
  char *pack; /* where packed texts go on */
  size_t pack_left;
  uint32_t numbered; /* the last order number given */
  bool ordered;      /* order numbers are right */
  bool frozen;
  cq_child_table **tables; /* by the parent's address */
  size_t table_slots, table_count;
  cq_row_index *indexes;
};

cq_node *cq_store_node(cq_tree *tree, cq_node_kind kind, cq_atom local, cq_atom prefix, cq_atom space);
bool cq_store_pack(cq_tree *tree, cq_node *node, cq_str text); /* a text that stays as it is */
void cq_store_link(cq_node *parent, cq_node *before, cq_node *node);
void cq_store_link_attribute(cq_node *element, cq_node *node);

/* The tables of a parent whose children change or that goes away. */
void cq_index_added(cq_tree *tree, cq_node *parent, cq_node *child);
void cq_index_removed(cq_tree *tree, cq_node *parent, cq_node *child); /* still linked */
void cq_index_forget(cq_tree *tree, cq_node *parent);
void cq_index_free(cq_tree *tree);

#endif
