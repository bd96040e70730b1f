/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node tree that expressions walk: the answers of an interview (changed as
 * the interview goes), the lists a form brings along (20,000 rows and more,
 * never changed) and any XML document.
 *
 * Names are interned ("atoms"), so that a name test compares integers. An
 * element that holds nothing but text keeps it in its own `text`; a text node
 * exists of its own only in mixed content (evaluation makes the missing ones up
 * for text() and node()). Nodes are read through their members and changed
 * through the functions below only, except `user` and `irrelevant`.
 *
 * Not for several threads at once: reading a frozen tree may build an index.
 * Limits: CQ_TREE_MAX_DEPTH; the bytes a tree may hold are given to it.
 * Source: XPath 1.0, section 5 (data model); Namespaces in XML 1.0.
 */
#ifndef FORMS_XPATH_TREE_H
#define FORMS_XPATH_TREE_H

#include "chasqui/arena.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CQ_TREE_MAX_DEPTH = 256 /* elements within elements */
};

/* --- atoms --- */

typedef uint32_t cq_atom; /* an interned string; 0 is "" */
enum {                    /* names that every cq_names knows from the start */
       CQ_ATOM_NONE = 0,
       CQ_ATOM_ID,
       CQ_ATOM_LANG,
       CQ_ATOM_ROOT,
       CQ_ATOM_ITEM,
       CQ_ATOM_XML,
       CQ_ATOM_XMLNS,
       CQ_ATOM_XML_SPACE /* http://www.w3.org/XML/1998/namespace */
};
#define CQ_ATOM_FAILED UINT32_MAX /* memory was out */

typedef struct cq_names cq_names; /* one for a form, its lists, interviews and expressions; the form owns it */

cq_names *cq_names_new(void); /* NULL: no memory */
/*
 * Names of a document that somebody else wrote: those of `base` have their atoms, others get atoms that end with this
 * object, so that reading does not make `base` grow. Borrows `base`, which must take in no names meanwhile.
 */
cq_names *cq_names_over(const cq_names *base);
void cq_names_free(cq_names *names); /* NULL is fine */
size_t cq_names_count(const cq_names *names);
cq_atom cq_names_intern(cq_names *names, cq_str text);
cq_atom cq_names_find(const cq_names *names, cq_str text); /* CQ_ATOM_FAILED where it was never interned */
cq_str cq_names_text(const cq_names *names, cq_atom atom); /* terminated; borrowed from `names` */

/* --- nodes --- */

typedef enum {
  CQ_NODE_DOCUMENT,
  CQ_NODE_ELEMENT,
  CQ_NODE_ATTRIBUTE,
  CQ_NODE_NAMESPACE, /* a declaration: local is the prefix, text the address */
  CQ_NODE_TEXT,
  CQ_NODE_COMMENT,
  CQ_NODE_PI /* local is the target */
} cq_node_kind;

enum {
  CQ_NODE_MADE_UP = 128
}; /* state: made by an evaluation, in no list of its parent (a leaf's text, a namespace) */

typedef struct cq_tree cq_tree;

typedef struct cq_node {
  struct cq_node *parent;     /* of attributes and declarations too; NULL for the document and what is detached */
  struct cq_node *next;       /* sibling, NULL at the end */
  struct cq_node *previous;   /* sibling; the first one's is the LAST sibling (see cq_node_last_child) */
  struct cq_node *first;      /* child */
  struct cq_node *attributes; /* and namespace declarations, in the order they stand */
  const char *text;           /* content of a node without children; never NULL, terminated */
  void *user;                 /* the engine's; NULL in a new node, copied by nothing */
  uint32_t text_size;
  cq_atom local, prefix, space; /* name, prefix as written, namespace address */
  uint32_t order;               /* see cq_node_compare */
  uint8_t kind;                 /* cq_node_kind */
  uint8_t text_class;           /* of the tree's text store */
  bool irrelevant;              /* by itself or an ancestor (the engine's): left out of every node-set */
  uint8_t state;                /* the tree's */
} cq_node;

/* `limit`: bytes in all (0: none). Borrows `names`. NULL: no memory. */
cq_tree *cq_tree_new(cq_names *names, size_t limit);
void cq_tree_free(cq_tree *tree); /* NULL is fine */
cq_node *cq_tree_document(cq_tree *tree);
cq_names *cq_tree_names(const cq_tree *tree);
cq_tree *cq_tree_of(const cq_node *node); /* by its document; NULL where it is detached. O(depth) */
/* The document's one element; NULL in an empty tree. */
cq_node *cq_tree_top(const cq_tree *tree);

enum {
  CQ_TREE_DATA = 1 /* of a form: comments, instructions, and white space beside elements are left out */
};

/*
 * Reads a document. Refused: more than CQ_TREE_MAX_DEPTH levels, entity
 * declarations, bytes beyond `limit`. Errors with line and column:
 * forms.xml.broken (what expat says), forms.xml.entity, forms.xml.prefix, forms.xml.deep, forms.xml.large.
 * The caller frees with cq_tree_free.
 */
cq_status cq_tree_parse(cq_tree **tree, cq_names *names, cq_str xml, unsigned flags, size_t limit, cq_error *error);

/*
 * Making and changing. Each answers NULL (or CQ_NOMEM) where memory or the
 * limit is out. `before` NULL: at the end. `parent` NULL: detached, for
 * cq_tree_attach. An element that gets a child loses its own text to a text
 * node, unless that text is blank.
 */
cq_node *cq_tree_element(cq_tree *tree, cq_node *parent, cq_node *before, cq_atom local, cq_atom prefix, cq_atom space);
cq_node *cq_tree_attribute(cq_tree *tree, cq_node *element, cq_atom local, cq_atom prefix, cq_atom space, cq_str value);
cq_node *cq_tree_declare(cq_tree *tree, cq_node *element, cq_atom prefix, cq_atom space);
/* A text node, comment or instruction (`target` for the last only). */
cq_node *cq_tree_content(cq_tree *tree, cq_node *parent, cq_node_kind kind, cq_atom target, cq_str text);
/* A deep copy, from this tree or one with the same names. `user` and `irrelevant` are not copied. */
cq_node *cq_tree_copy(cq_tree *tree, cq_node *parent, cq_node *before, const cq_node *source);
/* Text of a leaf element, attribute, text node, comment. Element children are not removed: only for leaves. */
cq_status cq_tree_set_text(cq_tree *tree, cq_node *node, cq_str text);
void cq_tree_detach(cq_tree *tree, cq_node *node); /* with all below it; lives on until removed or attached */
bool cq_tree_attach(cq_tree *tree, cq_node *parent, cq_node *before, cq_node *node);
void cq_tree_remove(cq_tree *tree, cq_node *node); /* with all below it; their memory is used again: pointers die */
/* Promises that the tree will not change: predicates on it are answered from indexes. */
void cq_tree_freeze(cq_tree *tree);
bool cq_tree_is_frozen(const cq_node *node); /* the tree that holds it */

size_t cq_tree_memory(const cq_tree *tree); /* bytes */
bool cq_tree_full(const cq_tree *tree);     /* something was refused because of its limit */

/* --- reading --- */

cq_node *cq_node_last_child(const cq_node *node);
cq_node *cq_node_prior(const cq_node *node); /* sibling before, or NULL */
bool cq_node_is_leaf(const cq_node *node);   /* an element without child nodes */
/* The first child element with that name and no prefix, and the next sibling with the same name and prefix. */
cq_node *cq_node_child(const cq_node *node, cq_atom local);
cq_node *cq_node_next_same(const cq_node *node);
/* From 1, among siblings of the same name. O(siblings before it). */
size_t cq_node_position(const cq_node *node);
const cq_node *cq_node_attribute(const cq_node *node, cq_atom local, cq_atom space);
cq_str cq_node_text(const cq_node *node); /* its own text; "" for an element with children */
/* String-value: borrowed from the node where it is a leaf, else gathered in `scratch`; `.at` NULL: no memory. */
cq_str cq_node_value(const cq_node *node, cq_arena *scratch);
/* Next in document order below `top` (which is not answered itself), attributes left out; NULL at the end. */
cq_node *cq_node_after(const cq_node *node, const cq_node *top);
/* <0, 0, >0 by document order; attributes after their element. After a change the tree is numbered anew, once. */
int cq_node_compare(const cq_node *a, const cq_node *b);

/*
 * Children of `parent` with that name and no prefix: the first one, and in
 * *count how many there are (they need not be neighbours). Parents with many
 * children keep a table by name, so this costs the same in any of them.
 */
cq_node *cq_tree_children(cq_node *parent, cq_atom local, size_t *count);

/*
 * Of a frozen tree: the children `row` of `parent` (no prefixes) that have a
 * child `column` with exactly this text, in document order; built at first use.
 * False where memory is out, where the tree is not frozen, and for an empty
 * text where some row lacks the column (it may count as empty, or not).
 */
bool cq_tree_lookup(cq_node *parent, cq_atom row, cq_atom column, cq_str text, cq_node *const **rows, size_t *count);

#endif
