/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as an expression: compiled, and evaluated at some nodes of a small document with little work allowed. */
#include "forms/xpath/xpath.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cq_node *top_node;

static void fill(void *context, void *out, size_t size) {
  (void)context;
  memset(out, 7, size);
}

static cq_node *instance(void *context, cq_str id) {
  (void)context;
  return id.size == 1 ? top_node : NULL;
}

static bool call(void *context, cq_str name, const cq_xpath_value *arguments, size_t count, cq_arena *scratch,
                 cq_xpath_value *out) {
  (void)context, (void)scratch;
  if (!count || !cq_str_is(name, "same")) return false;
  *out = arguments[0];
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char xml[] =
      "<data xmlns:o='u'><a>3</a><b k='1'>x y</b><s>a b c</s><g>0 0;0 1;1 1</g><r><x>1</x><y>2</y>"
      "<z/></r><r><x>2</x>mixed<!--c--><?p q?></r><root><item><name>n</name><k>2</k></item></root>"
      "<o:m o:k='v'>2012-08-20</o:m></data>";
  cq_names *names = cq_names_new();
  cq_arena *arena = cq_arena_new(64 << 20), *scratch = cq_arena_new(64 << 20);
  cq_tree *tree = NULL;
  const cq_xpath *expression = NULL;
  cq_clock_fixed at = {1345471385120, -300};
  cq_clock clock = cq_clock_fix(&at);
  cq_random random = {fill, NULL};
  cq_error error = {0};
  cq_xpath_settings settings = {names, NULL, 0, arena};
  if (names && arena && scratch && cq_tree_parse(&tree, names, CQ_STR(xml), 0, 0, NULL) == CQ_OK &&
      cq_xpath_compile(&expression, &settings, (cq_str){(const char *)data, size}, &error) == CQ_OK) {
    cq_xpath_host host = {.instance = instance, .call = call, .clock = &clock, .random = &random};
    top_node = cq_tree_top(tree);
    for (unsigned round = 0; round < 4; round++) {
      cq_xpath_value value;
      cq_str text;
      bool in_form = round % 2;
      if (round == 2) cq_tree_freeze(tree);
      cq_xpath_context context = {.host = &host,
                                  .node = round < 2 ? top_node->first->next : cq_node_last_child(top_node),
                                  .scratch = scratch,
                                  .steps = 20000,
                                  .in_form = in_form};
      if (cq_xpath_evaluate(expression, &context, &value, &error) == CQ_OK) {
        cq_xpath_to_string(&value, &context, &text);
        cq_xpath_to_number(&value, &context);
        cq_xpath_to_boolean(&value);
      }
      cq_arena_reset(scratch);
    }
  }
  cq_tree_free(tree);
  cq_names_free(names);
  cq_arena_free(arena);
  cq_arena_free(scratch);
  return 0;
}
