/* SPDX-License-Identifier: Apache-2.0 */
/* Location paths: axes, node tests, predicates. */
#include "forms/xpath/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- node-sets --- */

cq_status cq_nodes_add(cq_run *run, cq_nodes *nodes, cq_node *node) {
  if (nodes->count == nodes->capacity) {
    size_t capacity = nodes->capacity ? nodes->capacity * 2 : 4;
    cq_node **more = cq_arena_array(run->scratch, capacity, sizeof(cq_node *));
    if (!more) return cq_fail_memory(run);
    if (nodes->count) memcpy(more, nodes->at, nodes->count * sizeof(cq_node *));
    nodes->at = more;
    nodes->capacity = capacity;
  }
  nodes->at[nodes->count++] = node;
  return cq_spend(run, 1);
}

static int by_order(const void *a, const void *b) {
  return cq_node_compare(*(cq_node *const *)a, *(cq_node *const *)b);
}

cq_status cq_nodes_order(cq_run *run, cq_nodes *nodes) {
  bool ordered = true;
  for (size_t i = 1; i < nodes->count && ordered; i++) ordered = cq_node_compare(nodes->at[i - 1], nodes->at[i]) < 0;
  if (ordered) return CQ_OK;
  cq_status status = cq_spend(run, nodes->count * 16);
  if (status != CQ_OK) return status;
  qsort(nodes->at, nodes->count, sizeof(cq_node *), by_order);
  size_t kept = 1;
  for (size_t i = 1; i < nodes->count; i++)
    if (cq_node_compare(nodes->at[kept - 1], nodes->at[i]) != 0) nodes->at[kept++] = nodes->at[i];
  nodes->count = kept;
  return CQ_OK;
}

/* Turns round what was added from `from` on. */
static void reverse(cq_nodes *nodes, size_t from) {
  for (size_t i = from, j = nodes->count; i + 1 < j; i++) {
    cq_node *swap = nodes->at[i];
    nodes->at[i] = nodes->at[--j];
    nodes->at[j] = swap;
  }
}

/* --- node tests --- */

static bool matches(const cq_step *step, const cq_node *node, cq_node_kind principal) {
  switch (step->test) {
  case CQ_TEST_NAME:
    if (node->local != step->local || node->kind != principal) return false;
    return step->prefix ? node->space == step->space : !node->prefix;
  case CQ_TEST_ANY: return node->kind == principal;
  case CQ_TEST_ANY_OF: return node->kind == principal && node->space == step->space;
  case CQ_TEST_TEXT: return node->kind == CQ_NODE_TEXT;
  case CQ_TEST_COMMENT: return node->kind == CQ_NODE_COMMENT;
  case CQ_TEST_INSTRUCTION: return node->kind == CQ_NODE_PI && (!step->local || node->local == step->local);
  default: return true;
  }
}

static bool wants_text(const cq_step *step) {
  return step->test == CQ_TEST_TEXT || step->test == CQ_TEST_NODE;
}

static cq_status add_if(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  return matches(step, node, CQ_NODE_ELEMENT) ? cq_nodes_add(run, nodes, node) : CQ_OK;
}

/* The text node of a leaf, which the tree does not keep: made up for this evaluation. */
static cq_status add_leaf_text(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *leaf) {
  if (!wants_text(step) || leaf->kind != CQ_NODE_ELEMENT || leaf->first || !leaf->text_size) return CQ_OK;
  cq_node *text = cq_take(run, sizeof *text);
  if (!text) return cq_fail_memory(run);
  text->kind = CQ_NODE_TEXT;
  text->parent = leaf;
  text->state = CQ_NODE_MADE_UP;
  text->text = leaf->text;
  text->text_size = leaf->text_size;
  return cq_nodes_add(run, nodes, text);
}

/* --- axes; each adds in the axis's own order --- */

static cq_status add_children(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  if (node->kind != CQ_NODE_ELEMENT && node->kind != CQ_NODE_DOCUMENT) return CQ_OK;
  if (!node->first) return add_leaf_text(run, step, nodes, node);
  if (step->test == CQ_TEST_NAME && !step->prefix) {
    size_t count = 0;
    cq_node *child = cq_tree_children(node, step->local, &count);
    for (; count && status == CQ_OK; child = count ? cq_node_next_same(child) : NULL) {
      status = cq_nodes_add(run, nodes, child);
      count--;
    }
    return status;
  }
  for (cq_node *child = node->first; child && status == CQ_OK; child = child->next)
    status = add_if(run, step, nodes, child);
  return status;
}

/* `self` is looked at only where it is an element's own text. */
static cq_status add_below(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *top) {
  cq_status status = CQ_OK;
  if (top->kind != CQ_NODE_ELEMENT && top->kind != CQ_NODE_DOCUMENT) return CQ_OK;
  status = add_leaf_text(run, step, nodes, top);
  for (cq_node *at = top->first; at && status == CQ_OK; at = cq_node_after(at, top)) {
    status = add_if(run, step, nodes, at);
    if (status == CQ_OK) status = add_leaf_text(run, step, nodes, at);
    if (status == CQ_OK) status = cq_spend(run, 1);
  }
  return status;
}

static cq_status add_ancestors(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  for (; node && status == CQ_OK; node = node->parent) status = add_if(run, step, nodes, node);
  return status;
}

static bool has_siblings(const cq_node *node) {
  return node->parent && node->kind != CQ_NODE_ATTRIBUTE && node->kind != CQ_NODE_NAMESPACE &&
         node->state != CQ_NODE_MADE_UP;
}

static cq_status add_siblings(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node, bool following) {
  cq_status status = CQ_OK;
  if (!has_siblings(node)) return CQ_OK;
  cq_node *at = following ? node->next : cq_node_prior(node);
  for (; at && status == CQ_OK; at = following ? at->next : cq_node_prior(at)) {
    status = add_if(run, step, nodes, at);
    if (status == CQ_OK) status = cq_spend(run, 1);
  }
  return status;
}

static cq_status add_following(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  if (node->kind == CQ_NODE_ATTRIBUTE || node->kind == CQ_NODE_NAMESPACE) { /* its element's content follows it */
    node = node->parent;
    status = add_below(run, step, nodes, node);
  }
  for (; node && status == CQ_OK; node = node->parent)
    for (cq_node *at = has_siblings(node) ? node->next : NULL; at && status == CQ_OK; at = at->next) {
      status = add_if(run, step, nodes, at);
      if (status == CQ_OK) status = add_below(run, step, nodes, at);
    }
  return status;
}

static cq_status add_preceding(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  if (node->kind == CQ_NODE_ATTRIBUTE || node->kind == CQ_NODE_NAMESPACE) node = node->parent;
  for (; node && status == CQ_OK; node = node->parent)
    for (cq_node *at = has_siblings(node) ? cq_node_prior(node) : NULL; at && status == CQ_OK; at = cq_node_prior(at)) {
      size_t from = nodes->count;
      status = add_if(run, step, nodes, at);
      if (status == CQ_OK) status = add_below(run, step, nodes, at);
      reverse(nodes, from);
    }
  return status;
}

static cq_status add_attributes(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  if (node->kind != CQ_NODE_ELEMENT) return CQ_OK;
  for (cq_node *a = node->attributes; a && status == CQ_OK; a = a->next)
    if (a->kind == CQ_NODE_ATTRIBUTE && matches(step, a, CQ_NODE_ATTRIBUTE)) status = cq_nodes_add(run, nodes, a);
  return status;
}

static bool is_declared(const cq_node *from, const cq_node *until, cq_atom prefix) {
  for (; from != until; from = from->parent)
    for (const cq_node *a = from->attributes; a; a = a->next)
      if (a->kind == CQ_NODE_NAMESPACE && a->local == prefix) return true;
  return false;
}

/* A declaration of an ancestor, as a node of this element; a nearer one of the same prefix hides it. */
static cq_status add_inherited(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node, const cq_node *from) {
  cq_status status = CQ_OK;
  for (const cq_node *a = from->attributes; a && status == CQ_OK; a = a->next) {
    if (a->kind != CQ_NODE_NAMESPACE || is_declared(node, from, a->local)) continue;
    cq_node *made = cq_take(run, sizeof *made);
    if (!made) return cq_fail_memory(run);
    *made = *a;
    made->parent = node;
    made->next = NULL;
    made->order = (uint32_t)nodes->count;
    made->state = CQ_NODE_MADE_UP;
    if (matches(step, made, CQ_NODE_NAMESPACE)) status = cq_nodes_add(run, nodes, made);
  }
  return status;
}

/* Namespaces in scope; `xml`, which is in scope everywhere, is left out, as engines do. */
static cq_status add_namespaces(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  if (node->kind != CQ_NODE_ELEMENT) return CQ_OK;
  for (const cq_node *at = node->parent; at && status == CQ_OK; at = at->parent)
    status = add_inherited(run, step, nodes, node, at);
  for (cq_node *a = node->attributes; a && status == CQ_OK; a = a->next)
    if (a->kind == CQ_NODE_NAMESPACE && matches(step, a, CQ_NODE_NAMESPACE)) status = cq_nodes_add(run, nodes, a);
  return status;
}

static bool is_reverse(uint8_t axis) {
  return axis == CQ_AXIS_ANCESTOR || axis == CQ_AXIS_ANCESTOR_OR_SELF || axis == CQ_AXIS_PRECEDING ||
         axis == CQ_AXIS_PRECEDING_SIBLING;
}

static cq_status add_self(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  /* the principal kind is element, so a name does not match an attribute itself */
  return add_if(run, step, nodes, node);
}

static cq_status add_axis(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  cq_status status = CQ_OK;
  switch (step->axis) {
  case CQ_AXIS_CHILD: return add_children(run, step, nodes, node);
  case CQ_AXIS_SELF: return add_self(run, step, nodes, node);
  case CQ_AXIS_PARENT: return node->parent ? add_if(run, step, nodes, node->parent) : CQ_OK;
  case CQ_AXIS_ATTRIBUTE: return add_attributes(run, step, nodes, node);
  case CQ_AXIS_DESCENDANT: return add_below(run, step, nodes, node);
  case CQ_AXIS_DESCENDANT_OR_SELF:
    status = add_self(run, step, nodes, node);
    return status == CQ_OK ? add_below(run, step, nodes, node) : status;
  case CQ_AXIS_ANCESTOR: return add_ancestors(run, step, nodes, node->parent);
  case CQ_AXIS_ANCESTOR_OR_SELF: return add_ancestors(run, step, nodes, node);
  case CQ_AXIS_FOLLOWING_SIBLING: return add_siblings(run, step, nodes, node, true);
  case CQ_AXIS_PRECEDING_SIBLING: return add_siblings(run, step, nodes, node, false);
  case CQ_AXIS_FOLLOWING: return add_following(run, step, nodes, node);
  case CQ_AXIS_PRECEDING: return add_preceding(run, step, nodes, node);
  default: return add_namespaces(run, step, nodes, node);
  }
}

/* --- predicates --- */

static cq_status holds(cq_run *run, const cq_predicate *predicate, size_t position, bool *out) {
  cq_xpath_value value;
  cq_status status = cq_eval(run, predicate->expr, &value);
  if (status != CQ_OK) return status;
  if (value.type == CQ_XPATH_NUMBER)
    *out = value.number == (double)position;
  else
    *out = cq_as_boolean(&value);
  return CQ_OK;
}

/* Keeps those of `nodes` from `from` on for which the predicate holds. */
static cq_status filter(cq_run *run, const cq_predicate *predicate, cq_nodes *nodes, size_t from) {
  size_t kept = from, size = nodes->count - from;
  if (predicate->whole) {
    if (predicate->whole <= size) nodes->at[kept++] = nodes->at[from + predicate->whole - 1];
    nodes->count = kept;
    return CQ_OK;
  }
  cq_run saved = *run;
  cq_status status = CQ_OK;
  for (size_t i = 0; i < size && status == CQ_OK; i++) {
    bool keep = false;
    cq_arena_mark mark = cq_arena_save(run->scratch);
    run->node = nodes->at[from + i];
    run->position = i + 1;
    run->size = size;
    status = holds(run, predicate, i + 1, &keep);
    cq_arena_rewind(run->scratch, mark); /* what a predicate needed for one node is not needed for the next */
    if (keep) nodes->at[kept++] = run->node;
  }
  run->node = saved.node;
  run->position = saved.position;
  run->size = saved.size;
  nodes->count = kept;
  return status;
}

/*
 * Rows of a list whose column equals a key, from the tree's index: where the
 * key is text and the list does not change. *used says whether it was so.
 */
static cq_status add_by_key(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node, bool *used) {
  const cq_predicate *predicate = &step->predicates[0];
  *used = false;
  if (!predicate->key || step->axis != CQ_AXIS_CHILD || step->test != CQ_TEST_NAME || step->prefix) return CQ_OK;
  if (!cq_tree_is_frozen(node)) return CQ_OK;
  cq_xpath_value key;
  cq_str text;
  cq_status status = cq_eval(run, predicate->key, &key);
  if (status != CQ_OK) return status;
  if ((key.type != CQ_XPATH_STRING && key.type != CQ_XPATH_NODES) || (key.type == CQ_XPATH_NODES && key.count > 1))
    return CQ_OK;
  status = cq_as_string(run, &key, &text);
  cq_node *const *rows = NULL;
  size_t count = 0;
  if (status != CQ_OK) return status;
  if (!cq_tree_lookup(node, step->local, predicate->column, text, &rows, &count)) return CQ_OK;
  *used = true;
  for (size_t i = 0; i < count && status == CQ_OK; i++) status = cq_nodes_add(run, nodes, rows[i]);
  return status;
}

static cq_status add_step(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node) {
  size_t from = nodes->count, first = 0;
  bool used = false;
  cq_status status = CQ_OK;
  if (step->predicate_count) status = add_by_key(run, step, nodes, node, &used);
  if (used)
    first = step->predicates[0].only_key ? 1 : 0;
  else if (status == CQ_OK)
    status = add_axis(run, step, nodes, node);
  for (size_t i = first; i < step->predicate_count && status == CQ_OK; i++)
    status = filter(run, &step->predicates[i], nodes, from);
  if (is_reverse(step->axis)) reverse(nodes, from);
  return status;
}

/* --- paths --- */

static bool is_irrelevant(const cq_node *node) {
  if (node->kind != CQ_NODE_ELEMENT && node->parent) node = node->parent;
  return node->irrelevant;
}

static void drop_irrelevant(cq_nodes *nodes) {
  size_t kept = 0;
  for (size_t i = 0; i < nodes->count; i++)
    if (!is_irrelevant(nodes->at[i])) nodes->at[kept++] = nodes->at[i];
  nodes->count = kept;
}

static cq_status start_of(cq_run *run, const cq_expr *path, cq_nodes *out) {
  if (path->start == CQ_XPATH_FROM_INSTANCE) {
    cq_xpath_value base;
    cq_status status = cq_eval_nodes(run, path->args[0], &base);
    if (status != CQ_OK) return status;
    *out = (cq_nodes){base.nodes, base.count, 0};
    return base.sorted ? CQ_OK : cq_nodes_order(run, out);
  }
  cq_node *node = run->node;
  if (path->start == CQ_XPATH_FROM_ROOT && run->root)
    node = run->root;
  else if (path->start == CQ_XPATH_FROM_ROOT && node)
    while (node->parent) node = node->parent;
  if (!node) return cq_fail(run, path, CQ_INVALID, "xpath.argument", CQ_STR("context"));
  return cq_nodes_add(run, out, node);
}

/* From a set whose nodes lie beside one another, these axes give each node once and in order. */
static bool stays_ordered(const cq_step *step, bool apart) {
  if (step->axis == CQ_AXIS_SELF || step->axis == CQ_AXIS_ATTRIBUTE) return true;
  return apart &&
         (step->axis == CQ_AXIS_CHILD || step->axis == CQ_AXIS_DESCENDANT || step->axis == CQ_AXIS_DESCENDANT_OR_SELF);
}

/* The instance of a repeat that holds the context node, among the children of `parent`; NULL: it is in none. */
static cq_node *own_instance(const cq_run *run, const cq_step *step, const cq_node *parent) {
  if (step->axis != CQ_AXIS_CHILD || step->predicate_count) return NULL;
  for (cq_node *at = run->context->node; at; at = at->parent)
    if (at->parent == parent) return matches(step, at, CQ_NODE_ELEMENT) ? at : NULL;
  return NULL;
}

static cq_status take_step(cq_run *run, const cq_step *step, cq_nodes *nodes, cq_node *node, bool own_repeats) {
  cq_node *own = own_repeats ? own_instance(run, step, node) : NULL;
  return own ? cq_nodes_add(run, nodes, own) : add_step(run, step, nodes, node);
}

cq_status cq_eval_path(cq_run *run, const cq_expr *path, cq_xpath_value *out) {
  cq_nodes now = {0};
  cq_status status = start_of(run, path, &now);
  bool own_repeats = run->own_repeats && path->start == CQ_XPATH_FROM_ROOT;
  bool apart = now.count <= 1; /* no node lies below another */
  for (size_t i = 0; i < path->step_count && status == CQ_OK && now.count; i++) {
    const cq_step *step = &path->steps[i];
    cq_nodes next = {0};
    bool own = own_repeats && i + 1 < path->step_count;
    for (size_t n = 0; n < now.count && status == CQ_OK; n++) status = take_step(run, step, &next, now.at[n], own);
    if (status == CQ_OK && now.count > 1 && !stays_ordered(step, apart)) status = cq_nodes_order(run, &next);
    if (step->axis != CQ_AXIS_CHILD && step->axis != CQ_AXIS_SELF && step->axis != CQ_AXIS_ATTRIBUTE) apart = false;
    if (next.count <= 1) apart = true;
    now = next;
  }
  if (status != CQ_OK) return status;
  drop_irrelevant(&now);
  cq_answer_nodes(out, &now, true);
  return status;
}

cq_status cq_eval_filter(cq_run *run, const cq_expr *expr, cq_xpath_value *out) {
  cq_status status = cq_eval_nodes(run, expr->args[0], out);
  if (status != CQ_OK) return status;
  cq_nodes nodes = {0};
  for (size_t i = 0; i < out->count && status == CQ_OK; i++) status = cq_nodes_add(run, &nodes, out->nodes[i]);
  for (size_t i = 0; i < expr->predicate_count && status == CQ_OK; i++)
    status = filter(run, &expr->predicates[i], &nodes, 0);
  cq_answer_nodes(out, &nodes, out->sorted);
  return status;
}
