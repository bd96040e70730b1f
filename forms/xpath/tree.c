/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/tree.h"
#include "forms/xpath/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PACK_SIZE = 1 << 15 };

/* A tree's own nodes and texts are const to those who read them only. */
static void *writable(const void *memory) {
  void *same = NULL;
  memcpy(&same, &memory, sizeof same);
  return same;
}

cq_tree *cq_tree_new(cq_names *names, size_t limit) {
  cq_tree *tree = calloc(1, sizeof *tree);
  if (!tree) return NULL;
  tree->arena = cq_arena_new(limit);
  if (!tree->arena) {
    free(tree);
    return NULL;
  }
  tree->names = names;
  tree->document.kind = CQ_NODE_DOCUMENT;
  tree->document.text = "";
  return tree;
}

bool cq_tree_full(const cq_tree *tree) {
  return cq_arena_full(tree->arena);
}

size_t cq_tree_memory(const cq_tree *tree) {
  return cq_arena_used(tree->arena);
}

void cq_tree_free(cq_tree *tree) {
  if (!tree) return;
  cq_index_free(tree);
  cq_arena_free(tree->arena);
  free(tree);
}

cq_node *cq_tree_document(cq_tree *tree) {
  return &tree->document;
}

cq_names *cq_tree_names(const cq_tree *tree) {
  return tree->names;
}

cq_tree *cq_tree_of(const cq_node *node) {
  while (node->parent) node = node->parent;
  return node->kind == CQ_NODE_DOCUMENT ? writable(node) : NULL;
}

cq_node *cq_tree_top(const cq_tree *tree) {
  cq_node *child = tree->document.first;
  while (child && child->kind != CQ_NODE_ELEMENT) child = child->next;
  return child;
}

void cq_tree_freeze(cq_tree *tree) {
  tree->frozen = true;
}

bool cq_tree_is_frozen(const cq_node *node) {
  const cq_tree *tree = cq_tree_of(node);
  return tree && tree->frozen;
}

/* --- memory --- */

cq_node *cq_store_node(cq_tree *tree, cq_node_kind kind, cq_atom local, cq_atom prefix, cq_atom space) {
  cq_node *node = tree->spare;
  if (node) {
    tree->spare = node->next;
    memset(node, 0, sizeof *node);
  } else {
    node = cq_arena_alloc(tree->arena, sizeof *node);
    if (!node) return NULL;
  }
  node->kind = (uint8_t)kind;
  node->text = "";
  node->local = local;
  node->prefix = prefix;
  node->space = space;
  return node;
}

bool cq_store_pack(cq_tree *tree, cq_node *node, cq_str text) {
  if (!text.size) return true;
  if (text.size >= UINT32_MAX) return false;
  if (text.size >= tree->pack_left) {
    size_t size = text.size + 1 > PACK_SIZE ? text.size + 1 : PACK_SIZE;
    char *pack = cq_arena_alloc(tree->arena, size);
    if (!pack) return false;
    tree->pack = pack;
    tree->pack_left = size;
  }
  memcpy(tree->pack, text.at, text.size);
  tree->pack[text.size] = '\0';
  node->text = tree->pack;
  node->text_size = (uint32_t)text.size;
  node->text_class = 0;
  tree->pack += text.size + 1;
  tree->pack_left -= text.size + 1;
  return true;
}

static void release_text(cq_tree *tree, cq_node *node) {
  if (node->text_class) {
    void *block = writable(node->text);
    memcpy(block, &tree->spare_text[node->text_class], sizeof(void *));
    tree->spare_text[node->text_class] = block;
  }
  node->text = "";
  node->text_size = 0;
  node->text_class = 0;
}

cq_status cq_tree_set_text(cq_tree *tree, cq_node *node, cq_str text) {
  assert(!tree->frozen && !node->first);
  if (!text.size) {
    release_text(tree, node);
    return CQ_OK;
  }
  uint8_t class = node->text_class;
  if (!class || text.size >= (size_t)8 << class) {
    for (class = 1; class < CQ_TEXT_CLASSES && text.size >= (size_t)8 << class;) class ++;
    if (class == CQ_TEXT_CLASSES) return CQ_NOMEM;
    char *block = tree->spare_text[class];
    if (block) {
      memcpy(&tree->spare_text[class], block, sizeof tree->spare_text[class]); /* the next spare one stands in it */
    } else {
      block = cq_arena_alloc(tree->arena, (size_t)8 << class);
      if (!block) return CQ_NOMEM;
    }
    memcpy(block, text.at, text.size); /* before the old text goes: `text` may be part of it */
    block[text.size] = '\0';
    release_text(tree, node);
    node->text = block;
    node->text_class = class;
  } else {
    char *block = writable(node->text);
    memmove(block, text.at, text.size);
    block[text.size] = '\0';
  }
  node->text_size = (uint32_t)text.size;
  return CQ_OK;
}

/* --- linking --- */

void cq_store_link(cq_node *parent, cq_node *before, cq_node *node) {
  node->parent = parent;
  node->next = before;
  if (!parent->first) {
    parent->first = node;
    node->previous = node;
  } else if (before == parent->first) {
    node->previous = before->previous;
    before->previous = node;
    parent->first = node;
  } else {
    cq_node *prior = before ? before->previous : parent->first->previous;
    prior->next = node;
    node->previous = prior;
    if (before)
      before->previous = node;
    else
      parent->first->previous = node;
  }
}

static void unlink_child(cq_node *node) {
  cq_node *parent = node->parent;
  if (node == parent->first) {
    parent->first = node->next;
    if (node->next) node->next->previous = node->previous;
  } else {
    node->previous->next = node->next;
    if (node->next)
      node->next->previous = node->previous;
    else
      parent->first->previous = node->previous;
  }
  node->parent = NULL;
  node->next = NULL;
  node->previous = NULL;
}

void cq_store_link_attribute(cq_node *element, cq_node *node) {
  node->parent = element;
  cq_node **at = &element->attributes;
  while (*at) {
    node->previous = *at;
    at = &(*at)->next;
  }
  *at = node;
}

static bool is_blank(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r') return false;
  return true;
}

/* An element that gets its first child keeps its text as a node, unless it is blank. */
static bool make_room_for_child(cq_tree *tree, cq_node *parent) {
  if (parent->kind != CQ_NODE_ELEMENT || parent->first || !parent->text_size) return true;
  if (is_blank(parent->text, parent->text_size)) {
    release_text(tree, parent);
    return true;
  }
  cq_node *text = cq_store_node(tree, CQ_NODE_TEXT, 0, 0, 0);
  if (!text) return false;
  text->text = parent->text;
  text->text_size = parent->text_size;
  text->text_class = parent->text_class;
  parent->text = "";
  parent->text_size = 0;
  parent->text_class = 0;
  cq_store_link(parent, NULL, text);
  return true;
}

static bool adopt(cq_tree *tree, cq_node *parent, cq_node *before, cq_node *node) {
  if (!make_room_for_child(tree, parent)) return false;
  tree->ordered = false;
  cq_store_link(parent, before, node);
  cq_index_added(tree, parent, node);
  return true;
}

static void recycle(cq_tree *tree, cq_node *node) {
  release_text(tree, node);
  cq_index_forget(tree, node);
  node->next = tree->spare;
  tree->spare = node;
}

cq_node *cq_tree_element(cq_tree *tree, cq_node *parent, cq_node *before, cq_atom local, cq_atom prefix,
                         cq_atom space) {
  assert(!tree->frozen);
  cq_node *node = cq_store_node(tree, CQ_NODE_ELEMENT, local, prefix, space);
  if (node && parent && !adopt(tree, parent, before, node)) {
    recycle(tree, node);
    return NULL;
  }
  return node;
}

static cq_node *add_attribute(cq_tree *tree, cq_node *element, cq_node *node, cq_str value) {
  if (!node) return NULL;
  if (cq_tree_set_text(tree, node, value) != CQ_OK) {
    recycle(tree, node);
    return NULL;
  }
  tree->ordered = false;
  cq_store_link_attribute(element, node);
  return node;
}

cq_node *cq_tree_attribute(cq_tree *tree, cq_node *element, cq_atom local, cq_atom prefix, cq_atom space,
                           cq_str value) {
  return add_attribute(tree, element, cq_store_node(tree, CQ_NODE_ATTRIBUTE, local, prefix, space), value);
}

cq_node *cq_tree_declare(cq_tree *tree, cq_node *element, cq_atom prefix, cq_atom space) {
  return add_attribute(tree, element, cq_store_node(tree, CQ_NODE_NAMESPACE, prefix, 0, 0),
                       cq_names_text(tree->names, space));
}

cq_node *cq_tree_content(cq_tree *tree, cq_node *parent, cq_node_kind kind, cq_atom target, cq_str text) {
  cq_node *node = cq_store_node(tree, kind, target, 0, 0);
  if (!node) return NULL;
  if (cq_tree_set_text(tree, node, text) != CQ_OK || (parent && !adopt(tree, parent, NULL, node))) {
    recycle(tree, node);
    return NULL;
  }
  return node;
}

/* Copies names and text of one node, and its attributes. */
static cq_node *copy_one(cq_tree *tree, const cq_node *source) {
  cq_node *node = cq_store_node(tree, source->kind, source->local, source->prefix, source->space);
  if (!node) return NULL;
  if (cq_tree_set_text(tree, node, cq_node_text(source)) != CQ_OK) {
    recycle(tree, node);
    return NULL;
  }
  for (const cq_node *a = source->attributes; a; a = a->next) {
    cq_node *attribute = copy_one(tree, a);
    if (!attribute) {
      cq_tree_remove(tree, node);
      return NULL;
    }
    cq_store_link_attribute(node, attribute);
  }
  return node;
}

cq_node *cq_tree_copy(cq_tree *tree, cq_node *parent, cq_node *before, const cq_node *source) {
  cq_node *top = copy_one(tree, source);
  if (!top) return NULL;
  cq_node *at = top;
  for (const cq_node *from = source;;) {
    if (from->first) {
      from = from->first;
    } else {
      while (from != source && !from->next) {
        from = from->parent;
        at = at->parent;
      }
      if (from == source) break;
      from = from->next;
      at = at->parent;
    }
    cq_node *made = copy_one(tree, from);
    if (!made) {
      cq_tree_remove(tree, top);
      return NULL;
    }
    cq_store_link(at, NULL, made);
    at = made;
  }
  if (parent && !adopt(tree, parent, before, top)) {
    cq_tree_remove(tree, top);
    return NULL;
  }
  return top;
}

void cq_tree_detach(cq_tree *tree, cq_node *node) {
  assert(!tree->frozen);
  if (!node->parent) return;
  cq_index_removed(tree, node->parent, node);
  unlink_child(node);
  tree->ordered = false;
}

bool cq_tree_attach(cq_tree *tree, cq_node *parent, cq_node *before, cq_node *node) {
  assert(!tree->frozen && !node->parent);
  return adopt(tree, parent, before, node);
}

void cq_tree_remove(cq_tree *tree, cq_node *node) {
  if (node->parent) cq_tree_detach(tree, node);
  for (cq_node *at = node;;) { /* leaves first */
    while (at->first) at = at->first;
    for (cq_node *a = at->attributes, *next; a; a = next) {
      next = a->next;
      recycle(tree, a);
    }
    cq_node *parent = at->parent, *next = at->next;
    bool done = at == node;
    recycle(tree, at);
    if (done) break;
    parent->first = next;
    at = next ? next : parent;
  }
}

/* --- reading --- */

cq_node *cq_node_last_child(const cq_node *node) {
  return node->first ? node->first->previous : NULL;
}

cq_node *cq_node_prior(const cq_node *node) {
  if (!node->previous || !node->previous->next) return NULL; /* the first one's is the last, which has no next */
  return node->previous;
}

bool cq_node_is_leaf(const cq_node *node) {
  return node->kind == CQ_NODE_ELEMENT && !node->first;
}

static bool is_named(const cq_node *node, cq_atom local, cq_atom prefix) {
  return node->local == local && node->prefix == prefix && node->kind == CQ_NODE_ELEMENT;
}

cq_node *cq_node_child(const cq_node *node, cq_atom local) {
  cq_node *child = node->first;
  while (child && !is_named(child, local, CQ_ATOM_NONE)) child = child->next;
  return child;
}

cq_node *cq_node_next_same(const cq_node *node) {
  cq_node *sibling = node->next;
  while (sibling && !is_named(sibling, node->local, node->prefix)) sibling = sibling->next;
  return sibling;
}

size_t cq_node_position(const cq_node *node) {
  size_t position = 1;
  for (const cq_node *at = cq_node_prior(node); at; at = cq_node_prior(at))
    if (is_named(at, node->local, node->prefix)) position++;
  return position;
}

const cq_node *cq_node_attribute(const cq_node *node, cq_atom local, cq_atom space) {
  const cq_node *a = node->attributes;
  while (a && (a->kind != CQ_NODE_ATTRIBUTE || a->local != local || a->space != space)) a = a->next;
  return a;
}

cq_str cq_node_text(const cq_node *node) {
  return (cq_str){node->text, node->text_size};
}

cq_node *cq_node_after(const cq_node *node, const cq_node *top) {
  if (node->first) return node->first;
  while (node != top && !node->next) node = node->parent;
  return node == top ? NULL : node->next;
}

static bool counts_as_text(const cq_node *node) {
  return node->kind == CQ_NODE_TEXT || node->kind == CQ_NODE_ELEMENT; /* an element's own text: leaves only */
}

cq_str cq_node_value(const cq_node *node, cq_arena *scratch) {
  if (!node->first) return cq_node_text(node);
  size_t size = 0;
  for (const cq_node *at = node->first; at; at = cq_node_after(at, node))
    if (counts_as_text(at)) size += at->text_size;
  if (!size) return (cq_str){"", 0};
  char *text = cq_arena_alloc(scratch, size + 1), *end = text;
  if (!text) return (cq_str){NULL, 0};
  for (const cq_node *at = node->first; at; at = cq_node_after(at, node))
    if (counts_as_text(at) && at->text_size) {
      memcpy(end, at->text, at->text_size);
      end += at->text_size;
    }
  return (cq_str){text, size};
}

/* --- document order --- */

static void number_anew(cq_tree *tree) {
  uint32_t order = 0;
  for (cq_node *at = &tree->document; at; at = cq_node_after(at, &tree->document)) {
    at->order = ++order;
    for (cq_node *a = at->attributes; a; a = a->next) a->order = ++order;
  }
  tree->numbered = order;
  tree->ordered = true;
}

static uint64_t order_of(const cq_node *node) {
  if (node->state != CQ_NODE_MADE_UP) return (uint64_t)node->order << 32;
  const cq_node *base = node->parent;
  if (node->kind == CQ_NODE_NAMESPACE) return ((uint64_t)base->order << 32) + 1 + node->order;
  for (const cq_node *a = node->parent->attributes; a; a = a->next) base = a;
  return ((uint64_t)base->order << 32) + UINT32_MAX;
}

int cq_node_compare(const cq_node *a, const cq_node *b) {
  if (a == b) return 0;
  cq_tree *tree = cq_tree_of(a), *other = cq_tree_of(b);
  if (tree != other || !tree) {
    uintptr_t left = tree ? (uintptr_t)tree : (uintptr_t)a, right = other ? (uintptr_t)other : (uintptr_t)b;
    return left < right ? -1 : left > right;
  }
  if (!tree->ordered) number_anew(tree);
  uint64_t left = order_of(a), right = order_of(b);
  return left < right ? -1 : left > right;
}
