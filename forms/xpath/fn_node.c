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
    said = cq_node_attribute(at, CQ_ATOM_LANG, CQ_ATOM_XML_SPACE);
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
      const cq_node *id = cq_node_attribute(at, CQ_ATOM_ID, CQ_ATOM_NONE);
      status = cq_spend(run, id ? list.size / 2 + 1 : 1);
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

/* The cell of a row: a child, or an attribute where the column is written @name. */
static const cq_node *find_cell(const cq_node *row, cq_atom column, bool attribute) {
  return attribute ? cq_node_attribute(row, column, CQ_ATOM_NONE) : cq_node_child(row, column);
}

static cq_node *find_row(cq_node *root, cq_atom column, bool attribute, cq_str key) {
  cq_node *const *rows = NULL;
  size_t count = 0;
  if (!attribute && cq_tree_lookup(root, CQ_ATOM_ITEM, column, key, &rows, &count)) return count ? rows[0] : NULL;
  for (cq_node *row = cq_tree_children(root, CQ_ATOM_ITEM, &count); row; row = cq_node_next_same(row)) {
    const cq_node *cell = find_cell(row, column, attribute);
    if (cell && cq_str_equal(cq_node_text(cell), key)) return row;
  }
  return NULL;
}

static cq_atom read_column(const cq_run *run, cq_str text, bool *attribute) {
  text = cq_str_trim(text);
  *attribute = cq_str_starts(text, CQ_STR("@"));
  return cq_names_find(run->expression->names, *attribute ? (cq_str){text.at + 1, text.size - 1} : text);
}

/* pulldata(list, column, key column, key): the first row's column, or ''. */
static cq_status fn_pulldata(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text[3];
  bool wanted_attribute = false, key_attribute = false;
  cq_node *instance = NULL;
  cq_status status = find_instance(run, call, &instance);
  for (size_t i = 0; i < 3 && status == CQ_OK; i++) status = cq_eval_string(run, call->args[i + 1], &text[i]);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  cq_atom wanted = read_column(run, text[0], &wanted_attribute), key = read_column(run, text[1], &key_attribute);
  cq_node *root = cq_node_child(instance, CQ_ATOM_ROOT);
  if (!root || wanted == CQ_ATOM_FAILED || key == CQ_ATOM_FAILED || !text[2].size) return CQ_OK;
  const cq_node *row = find_row(root, key, key_attribute, text[2]);
  const cq_node *cell = row ? find_cell(row, wanted, wanted_attribute) : NULL;
  if (cell) cq_answer_string(out, cq_node_text(cell));
  return CQ_OK;
}

/* --- repeats --- */

static bool lies_within(const cq_node *node, const cq_node *top) {
  while (node && node != top) node = node->parent;
  return node != NULL;
}

/* What indexed-repeat() is told of one repeat. */
typedef struct choice {
  cq_xpath_value repeats;
  double index;
  size_t depth;
} choice;

/*
 * The instance that `index` names among the repeats: within the instance chosen
 * before it, or else within those repeats that hold the context already.
 */
static cq_node *choose_instance(const cq_run *run, const choice *asked, const cq_node *within) {
  const cq_xpath_value *repeats = &asked->repeats;
  bool beside = false;
  for (size_t i = 0; i < repeats->count && !within && !beside; i++)
    beside = lies_within(run->node, repeats->nodes[i]->parent);
  double place = 0;
  for (size_t i = 0; i < repeats->count; i++) {
    cq_node *repeat = repeats->nodes[i];
    if (within ? !lies_within(repeat, within) : beside && !lies_within(run->node, repeat->parent)) continue;
    if (++place == asked->index) return repeat;
  }
  return NULL;
}

static cq_status read_choice(cq_run *run, const cq_expr *call, size_t at, bool own_repeats, choice *out) {
  cq_status status = cq_eval_nodes(run, call->args[at], &out->repeats);
  run->own_repeats = own_repeats;
  if (status == CQ_OK) status = cq_eval_number(run, call->args[at + 1], &out->index);
  run->own_repeats = false;
  out->depth = 0;
  for (const cq_node *node = status == CQ_OK && out->repeats.count ? out->repeats.nodes[0] : NULL; node;
       node = node->parent)
    out->depth++;
  return status;
}

/* indexed-repeat(node, repeat, index, …): each index counts within the repeat around it, in whatever order they stand.
 */
static cq_status index_repeats(cq_run *run, const cq_expr *call, bool own_repeats, cq_xpath_value *out) {
  size_t count = call->count / 2;
  cq_xpath_value nodes;
  cq_nodes found = {0};
  cq_node *within = NULL;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  choice *choices = cq_arena_array(run->scratch, count, sizeof *choices);
  if (!choices) return cq_fail_memory(run);
  for (size_t i = 0; i < count && status == CQ_OK; i++) {
    choice asked;
    status = read_choice(run, call, i * 2 + 1, own_repeats, &asked);
    size_t at = i;
    for (; at && choices[at - 1].depth > asked.depth; at--) choices[at] = choices[at - 1];
    choices[at] = asked;
  }
  for (size_t i = 0; i < count && status == CQ_OK && (within || !i); i++)
    within = choose_instance(run, &choices[i], within);
  for (size_t i = 0; status == CQ_OK && within && i < nodes.count; i++)
    if (lies_within(nodes.nodes[i], within)) status = cq_nodes_add(run, &found, nodes.nodes[i]);
  if (status == CQ_OK) cq_answer_nodes(out, &found, true);
  return status;
}

static cq_status fn_indexed_repeat(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  if (call->count % 2 == 0) return cq_fail(run, call, CQ_INVALID, "xpath.function.arguments", call->string);
  bool own_repeats = run->own_repeats;
  run->own_repeats = false; /* its paths mean all instances */
  cq_status status = index_repeats(run, call, own_repeats, out);
  run->own_repeats = own_repeats;
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
