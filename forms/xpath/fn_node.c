/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of nodes, lists and repeats. */
#include "forms/xpath/functions.h"

#include <math.h>
#include <string.h>

static cq_status fn_position(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  if (!call->count) {
    cq_answer_number(out, (double)run->position);
    return CQ_OK;
  }
  cq_xpath_value nodes;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  if (status != CQ_OK) return status;
  if (!nodes.count) {
    cq_answer_number(out, NAN);
    return CQ_OK;
  }
  size_t position = run->host->position ? run->host->position(run->host->context, nodes.nodes[0]) : 0;
  if (!position) position = cq_node_position(nodes.nodes[0]);
  cq_answer_number(out, (double)position);
  return CQ_OK;
}

static cq_status fn_last(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  (void)call;
  cq_answer_number(out, (double)run->size);
  return CQ_OK;
}

static cq_status fn_count(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value nodes;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  if (status == CQ_OK) cq_answer_number(out, (double)nodes.count);
  return status;
}

static cq_status fn_count_non_empty(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value nodes;
  size_t count = 0;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  for (size_t i = 0; status == CQ_OK && i < nodes.count; i++) {
    cq_str text;
    status = cq_node_text_value(run, nodes.nodes[i], &text);
    count += status == CQ_OK && text.size != 0;
  }
  if (status == CQ_OK) cq_answer_number(out, (double)count);
  return status;
}

static cq_status answer_node(cq_run *run, cq_node *node, cq_xpath_value *out) {
  cq_nodes one = {0};
  cq_status status = node ? cq_nodes_add(run, &one, node) : CQ_OK;
  cq_answer_nodes(out, &one, true);
  return status;
}

static cq_status fn_current(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  (void)call;
  return answer_node(run, run->current, out);
}

/* --- names --- */

static cq_status node_asked(cq_run *run, const cq_expr *call, const cq_node **node) {
  *node = run->node;
  if (!call->count) return CQ_OK;
  cq_xpath_value nodes;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  *node = status == CQ_OK && nodes.count ? nodes.nodes[0] : NULL;
  return status;
}

static cq_status fn_local_name(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  const cq_node *node = NULL;
  cq_status status = node_asked(run, call, &node);
  if (status == CQ_OK) cq_answer_string(out, cq_names_text(run->expression->names, node ? node->local : CQ_ATOM_NONE));
  return status;
}

static cq_status fn_name(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  const cq_node *node = NULL;
  cq_status status = fn_local_name(run, call, out);
  if (status == CQ_OK) status = node_asked(run, call, &node);
  if (status != CQ_OK || !node || !node->prefix) return status;
  cq_str prefix = cq_names_text(run->expression->names, node->prefix), local = out->string;
  char *text = cq_take(run, prefix.size + local.size + 2);
  if (!text) return cq_fail_memory(run);
  memcpy(text, prefix.at, prefix.size);
  text[prefix.size] = ':';
  memcpy(text + prefix.size + 1, local.at, local.size);
  cq_answer_string(out, (cq_str){text, prefix.size + 1 + local.size});
  return CQ_OK;
}

static cq_status fn_namespace_uri(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  const cq_node *node = NULL;
  cq_status status = node_asked(run, call, &node);
  if (status == CQ_OK) cq_answer_string(out, cq_names_text(run->expression->names, node ? node->space : CQ_ATOM_NONE));
  return status;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static cq_status fn_lang(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str wanted;
  cq_status status = cq_eval_string(run, call->args[0], &wanted);
  if (status != CQ_OK) return status;
  const cq_node *said = NULL;
  for (const cq_node *at = run->node; at && !said; at = at->parent)
    said = cq_node_attribute(at, run->expression->lang, run->expression->xml_space);
  bool same = said && said->text_size >= wanted.size;
  for (size_t i = 0; same && i < wanted.size; i++) same = lower(said->text[i]) == lower(wanted.at[i]);
  if (same && said->text_size > wanted.size) same = said->text[wanted.size] == '-';
  cq_answer_boolean(out, same);
  return CQ_OK;
}

/* --- id() --- */

static bool is_listed(cq_str list, const cq_node *id) {
  for (size_t at = 0; at < list.size;) {
    size_t end = at;
    while (end < list.size && !strchr(" \t\r\n", list.at[end])) end++;
    if (end > at && cq_str_equal((cq_str){list.at + at, end - at}, cq_node_text(id))) return true;
    at = end + 1;
  }
  return false;
}

static cq_status fn_id(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value value;
  cq_nodes found = {0};
  cq_status status = cq_eval(run, call->args[0], &value);
  size_t lists = status == CQ_OK && value.type == CQ_XPATH_NODES ? value.count : 1;
  cq_node *top = run->node;
  while (top && top->parent) top = top->parent;
  for (size_t i = 0; i < lists && status == CQ_OK && top; i++) {
    cq_str list;
    status = value.type == CQ_XPATH_NODES ? cq_node_text_value(run, value.nodes[i], &list)
                                          : cq_as_string(run, &value, &list);
    for (cq_node *at = top; at && status == CQ_OK; at = cq_node_after(at, top)) {
      const cq_node *id = cq_node_attribute(at, run->expression->id, CQ_ATOM_NONE);
      status = cq_spend(run, id ? list.size / 8 + 1 : 1);
      if (status == CQ_OK && id && is_listed(list, id)) status = cq_nodes_add(run, &found, at);
    }
  }
  if (status == CQ_OK) status = cq_nodes_order(run, &found);
  cq_answer_nodes(out, &found, true);
  return status;
}

/* --- lists --- */

static cq_status find_instance(cq_run *run, const cq_expr *call, cq_node **out) {
  cq_str id;
  cq_status status = cq_eval_string(run, call->args[0], &id);
  if (status != CQ_OK) return status;
  *out = run->host->instance ? run->host->instance(run->host->context, id) : NULL;
  return *out ? CQ_OK
              : cq_fail(run, call, CQ_NOTFOUND, "xpath.instance.unknown",
                        call->literal_id ? id : (cq_str){0}); /* an id that was calculated may hold an answer */
}

static cq_status fn_instance(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_node *instance = NULL;
  cq_status status = find_instance(run, call, &instance);
  return status == CQ_OK ? answer_node(run, instance, out) : status;
}

static cq_node *find_row(cq_run *run, cq_node *root, cq_atom column, cq_str key) {
  cq_node *const *rows = NULL;
  size_t count = 0;
  cq_atom item = run->expression->item;
  if (cq_tree_lookup(root, item, column, key, &rows, &count)) return count ? rows[0] : NULL;
  for (cq_node *row = cq_tree_children(root, item, &count); row; row = cq_node_next_same(row)) {
    const cq_node *cell = cq_node_child(row, column);
    if (cell && cq_str_equal(cq_node_text(cell), key)) return row;
  }
  return NULL;
}

/* pulldata(list, column, key column, key): the first row's column, or ''. */
static cq_status fn_pulldata(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text[3];
  cq_node *instance = NULL;
  cq_status status = find_instance(run, call, &instance);
  for (size_t i = 0; i < 3 && status == CQ_OK; i++) status = cq_eval_string(run, call->args[i + 1], &text[i]);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  const cq_names *names = run->expression->names;
  cq_atom column = cq_names_find(names, text[0]), key = cq_names_find(names, text[1]);
  cq_node *root = cq_node_child(instance, run->expression->root);
  if (!root || column == CQ_ATOM_FAILED || key == CQ_ATOM_FAILED || !text[2].size) return CQ_OK;
  const cq_node *row = find_row(run, root, key, text[2]), *cell = row ? cq_node_child(row, column) : NULL;
  if (cell) cq_answer_string(out, cq_node_text(cell));
  return CQ_OK;
}

/* --- repeats --- */

static bool lies_within(const cq_node *node, const cq_node *top) {
  while (node && node != top) node = node->parent;
  return node != NULL;
}

/*
 * The instance that `index` names among `repeats`: within the instance chosen
 * before it, or else within those repeats that hold the context already.
 */
static cq_node *choose_instance(const cq_run *run, const cq_xpath_value *repeats, const cq_node *within, double index) {
  bool beside = false;
  for (size_t i = 0; i < repeats->count && !within && !beside; i++)
    beside = lies_within(run->node, repeats->nodes[i]->parent);
  double place = 0;
  for (size_t i = 0; i < repeats->count; i++) {
    cq_node *repeat = repeats->nodes[i];
    if (within ? !lies_within(repeat, within) : beside && !lies_within(run->node, repeat->parent)) continue;
    if (++place == index) return repeat;
  }
  return NULL;
}

/* indexed-repeat(node, repeat, index, …): up to any depth of nesting, each index within the repeat before it. */
static cq_status fn_indexed_repeat(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_xpath_value nodes, repeats;
  cq_nodes found = {0};
  cq_node *within = NULL;
  bool own_repeats = run->own_repeats;
  run->own_repeats = false;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  if (status == CQ_OK && call->count % 2 == 0)
    status = cq_fail(run, call, CQ_INVALID, "xpath.function.arguments", call->string);
  for (size_t i = 1; i + 1 < call->count && status == CQ_OK; i += 2) {
    double index = NAN;
    status = cq_eval_nodes(run, call->args[i], &repeats);
    run->own_repeats = own_repeats;
    if (status == CQ_OK) status = cq_eval_number(run, call->args[i + 1], &index);
    run->own_repeats = false;
    if (status == CQ_OK) within = choose_instance(run, &repeats, within, index);
    if (!within) break;
  }
  run->own_repeats = own_repeats;
  for (size_t i = 0; status == CQ_OK && within && i < nodes.count; i++)
    if (lies_within(nodes.nodes[i], within)) status = cq_nodes_add(run, &found, nodes.nodes[i]);
  if (status == CQ_OK) cq_answer_nodes(out, &found, true);
  return status;
}

static const cq_function rows[] = {
    {"position", 0, 1, CQ_READS_PLACE, 0, fn_position, NULL},
    {"last", 0, 0, CQ_READS_PLACE, 0, fn_last, NULL},
    {"count", 1, 1, CQ_READS_NODES, 0, fn_count, NULL},
    {"count-non-empty", 1, 1, CQ_READS_VALUES, 0, fn_count_non_empty, NULL},
    {"current", 0, 0, CQ_READS_CURRENT, 0, fn_current, NULL},
    {"name", 0, 1, CQ_READS_FOCUS, 0, fn_name, NULL},
    {"local-name", 0, 1, CQ_READS_FOCUS, 0, fn_local_name, NULL},
    {"namespace-uri", 0, 1, CQ_READS_FOCUS, 0, fn_namespace_uri, NULL},
    {"lang", 1, 1, CQ_READS_VALUES, CQ_XPATH_LANGUAGE, fn_lang, NULL},
    {"id", 1, 1, CQ_READS_VALUES, 0, fn_id, NULL},
    {"instance", 1, 1, CQ_READS_LIST, 0, fn_instance, NULL},
    {"pulldata", 4, 4, CQ_READS_LIST, 0, fn_pulldata, NULL},
    {"indexed-repeat", 3, CQ_ANY_COUNT, CQ_READS_FIRST, 0, fn_indexed_repeat, NULL},
};

const cq_function_table cq_node_functions = {rows, sizeof rows / sizeof *rows};
