/* SPDX-License-Identifier: Apache-2.0 */
/* The node tree: reading XML, changing, order, and look-ups that must agree with scanning. */
#include "forms/xpath/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static cq_names *names;

static int set_up(void **state) {
  (void)state;
  names = cq_names_new();
  return names ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  cq_names_free(names);
  return 0;
}

static cq_atom atom(const char *text) {
  return cq_names_intern(names, cq_str_from(text));
}

static cq_tree *parse(const char *xml, unsigned flags) {
  cq_tree *tree = NULL;
  cq_error error = {0};
  assert_int_equal(cq_tree_parse(&tree, names, cq_str_from(xml), flags, 0, &error), CQ_OK);
  return tree;
}

static void names_are_interned_once(void **state) {
  (void)state;
  char text[16];
  cq_atom first[1000];
  for (int i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "name%d", i);
    first[i] = atom(text);
  }
  for (int i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "name%d", i);
    assert_int_equal(atom(text), first[i]);
    assert_string_equal(cq_names_text(names, first[i]).at, text);
  }
  assert_int_equal(atom(""), CQ_ATOM_NONE);
  assert_int_equal(cq_names_find(names, CQ_STR("never")), CQ_ATOM_FAILED);
}

static void names_of_a_document_leave_the_others_alone(void **state) {
  (void)state;
  char text[16];
  cq_atom known = atom("known");
  size_t count = cq_names_count(names);
  cq_names *over = cq_names_over(names);
  assert_int_equal(cq_names_intern(over, CQ_STR("known")), known);
  assert_int_equal(cq_names_intern(over, CQ_STR("")), CQ_ATOM_NONE);
  assert_int_equal(cq_names_find(over, CQ_STR("own0")), CQ_ATOM_FAILED);
  for (unsigned i = 0; i < 1000; i++) {
    snprintf(text, sizeof text, "own%u", i);
    assert_int_equal(cq_names_intern(over, cq_str_from(text)), count + i);
  }
  assert_int_equal(cq_names_find(over, CQ_STR("own999")), count + 999);
  assert_string_equal(cq_names_text(over, (cq_atom)count + 7).at, "own7");
  assert_string_equal(cq_names_text(over, known).at, "known");
  assert_int_equal(cq_names_count(names), count);
  assert_int_equal(cq_names_find(names, CQ_STR("own7")), CQ_ATOM_FAILED);
  cq_names_free(over);
}

static void xml_is_read_with_names_and_text(void **state) {
  (void)state;
  cq_tree *tree =
      parse("<?x y?><d xmlns='u' xmlns:o='v' o:k='1' k='2'><!--c--><a><![CDATA[x<y>]]></a> t <o:b/></d>", 0);
  cq_node *top = cq_tree_top(tree);
  assert_int_equal(top->local, atom("d"));
  assert_int_equal(top->space, atom("u"));
  assert_string_equal(cq_node_attribute(top, atom("k"), atom("v"))->text, "1");
  assert_string_equal(cq_node_attribute(top, atom("k"), CQ_ATOM_NONE)->text, "2");
  assert_int_equal(top->first->kind, CQ_NODE_COMMENT);
  cq_node *a = cq_node_child(top, atom("a"));
  assert_true(cq_node_is_leaf(a));
  assert_string_equal(a->text, "x<y>");
  assert_int_equal(a->next->kind, CQ_NODE_TEXT);
  cq_node *b = cq_node_last_child(top);
  assert_int_equal(b->space, atom("v"));
  assert_int_equal(b->prefix, atom("o"));
  assert_null(cq_node_child(top, atom("b")));
  cq_arena *scratch = cq_arena_new(0);
  assert_string_equal(cq_node_value(top, scratch).at, "x<y> t ");
  cq_arena_free(scratch);
  assert_true(cq_node_compare(a, b) < 0);
  assert_true(cq_node_compare(top->attributes, a) < 0);
  assert_true(cq_node_compare(top, top->attributes) < 0);
  assert_ptr_equal(cq_tree_of(b), tree);
  cq_tree_free(tree);
}

static void data_leaves_out_what_is_not_data(void **state) {
  (void)state;
  cq_tree *tree = parse("<d>\n <!--c--> <a> x </a>\n <b> <c/> </b><e>x<![CDATA[<y>]]></e></d>", CQ_TREE_DATA);
  cq_node *top = cq_tree_top(tree);
  assert_int_equal(top->first->local, atom("a"));
  assert_string_equal(top->first->text, " x ");
  assert_string_equal(cq_node_last_child(top)->text, "x<y>");
  assert_int_equal(cq_node_prior(cq_node_last_child(top))->first->local, atom("c"));
  cq_tree_free(tree);
}

static void broken_xml_is_refused_with_its_place(void **state) {
  (void)state;
  static const struct {
    const char *xml, *code;
    int64_t line;
  } cases[] = {
      {"<a>\n<b></a>", "forms.xml.broken", 2},
      {"", "forms.xml.broken", 1},
      {"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "forms.xml.entity", 1},
      {"<a>\n<p:b/></a>", "forms.xml.prefix", 2},
      {"<a>\xff</a>", "forms.xml.broken", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_tree *tree = NULL;
    cq_error error = {0};
    assert_int_equal(cq_tree_parse(&tree, names, cq_str_from(cases[i].xml), 0, 0, &error), CQ_INVALID);
    assert_null(tree);
    assert_string_equal(error.code, cases[i].code);
    assert_int_equal(error.line, cases[i].line);
  }
  cq_buf deep = {0};
  for (int i = 0; i <= CQ_TREE_MAX_DEPTH; i++) cq_buf_add_text(&deep, "<a>");
  cq_tree *tree = NULL;
  cq_error error = {0};
  assert_int_equal(cq_tree_parse(&tree, names, cq_buf_str(&deep), 0, 0, &error), CQ_LIMIT);
  assert_string_equal(error.code, "forms.xml.deep");
  assert_int_equal(cq_tree_parse(&tree, names, CQ_STR("<a><b/><c/></a>"), 0, 200, &error), CQ_LIMIT);
  assert_string_equal(error.code, "forms.xml.large");
  cq_buf_fini(&deep);
}

static void text_is_set_and_set_again(void **state) {
  (void)state;
  cq_tree *tree = parse("<d><a>one</a></d>", 0);
  cq_node *a = cq_tree_top(tree)->first;
  char text[400];
  for (size_t round = 0; round < 3; round++)
    for (size_t size = 0; size < sizeof text; size += 13) {
      memset(text, 'x', size);
      assert_int_equal(cq_tree_set_text(tree, a, (cq_str){text, size}), CQ_OK);
      assert_int_equal(a->text_size, size);
      assert_int_equal(strlen(a->text), size);
    }
  assert_int_equal(cq_tree_set_text(tree, a, (cq_str){a->text + 1, 30}), CQ_OK); /* from itself */
  assert_int_equal(strspn(a->text, "x"), 30);
  cq_tree_free(tree);
}

/* Compares the table of children with what scanning finds. */
static void check_children(cq_node *parent, const char *name) {
  size_t count = 0, scanned = 0;
  cq_node *first = cq_tree_children(parent, atom(name), &count);
  assert_ptr_equal(first, cq_node_child(parent, atom(name)));
  for (cq_node *at = first; at; at = cq_node_next_same(at)) {
    assert_int_equal(cq_node_position(at), ++scanned);
    if (cq_node_next_same(at)) assert_true(cq_node_compare(at, cq_node_next_same(at)) < 0);
  }
  assert_int_equal(count, scanned);
}

static void look_ups_by_name_follow_changes(void **state) {
  (void)state;
  cq_tree *tree = parse("<d/>", 0);
  cq_node *top = cq_tree_top(tree);
  static const char *const local[] = {"a", "b", "c", "d", "e"};
  uint32_t seed = 7;
  for (int i = 0; i < 500; i++) {
    seed = seed * 1664525u + 1013904223u;
    const char *name = local[(seed >> 16) % 5];
    cq_node *at = cq_node_child(top, atom(name));
    if ((seed >> 8) % 3 && at) {
      for (uint32_t skip = (seed >> 20) % 3; skip && cq_node_next_same(at); skip--) at = cq_node_next_same(at);
      cq_tree_remove(tree, at);
    } else {
      for (int more = 0; more < 4; more++) {
        at = cq_tree_element(tree, top, more % 2 ? at : NULL, atom(local[(seed >> (more + 3)) % 5]), 0, 0);
        assert_non_null(at);
        assert_non_null(cq_tree_element(tree, at, NULL, atom("x"), 0, 0));
      }
    }
    check_children(top, name);
  }
  for (size_t i = 0; i < 5; i++) check_children(top, local[i]);
  cq_tree_free(tree);
}

static void copies_are_equal_and_apart(void **state) {
  (void)state;
  cq_tree *tree = parse("<d><r k='1'><a>1</a><g><b>2</b> t <c/></g></r><z/></d>", 0);
  cq_node *top = cq_tree_top(tree), *source = top->first;
  cq_node *copy = cq_tree_copy(tree, top, source->next, source);
  assert_non_null(copy);
  assert_ptr_equal(copy->next, cq_node_last_child(top));
  assert_ptr_equal(cq_node_prior(copy), source);
  assert_int_equal(cq_node_position(copy), 2);
  assert_string_equal(copy->attributes->text, "1");
  cq_node *b = copy->first->next->first;
  assert_string_equal(b->text, "2");
  assert_int_equal(cq_tree_set_text(tree, b, CQ_STR("3")), CQ_OK);
  assert_string_equal(source->first->next->first->text, "2");
  assert_true(cq_node_compare(source->first->next, copy) < 0);
  cq_tree_remove(tree, source);
  assert_ptr_equal(top->first, copy);
  assert_null(cq_node_prior(copy));
  cq_tree_detach(tree, copy);
  assert_null(cq_tree_of(copy));
  assert_true(cq_tree_attach(tree, top, NULL, copy));
  assert_ptr_equal(cq_node_last_child(top), copy);
  cq_tree_free(tree);
}

static void rows_are_found_by_a_column(void **state) {
  (void)state;
  cq_buf xml = {0};
  cq_buf_add_text(&xml, "<root>");
  for (int i = 0; i < 5000; i++) cq_buf_addf(&xml, "<item><name>n%d</name><zone>z%d</zone></item><other/>", i, i % 50);
  cq_buf_add_text(&xml, "<item><zone>z1</zone><zone>z1</zone></item></root>");
  cq_tree *tree = NULL;
  assert_int_equal(cq_tree_parse(&tree, names, cq_buf_str(&xml), CQ_TREE_DATA, 0, NULL), CQ_OK);
  cq_buf_fini(&xml);
  cq_node *top = cq_tree_top(tree), *const *rows = NULL;
  size_t count = 0;
  assert_false(cq_tree_lookup(top, atom("item"), atom("zone"), CQ_STR("z1"), &rows, &count));
  cq_tree_freeze(tree);
  assert_true(cq_tree_lookup(top, atom("item"), atom("zone"), CQ_STR("z1"), &rows, &count));
  assert_int_equal(count, 101);
  for (size_t i = 1; i < count; i++) assert_true(cq_node_compare(rows[i - 1], rows[i]) < 0);
  assert_true(cq_tree_lookup(top, atom("item"), atom("name"), CQ_STR("n4321"), &rows, &count));
  assert_int_equal(count, 1);
  assert_string_equal(cq_node_child(rows[0], atom("zone"))->text, "z21");
  assert_true(cq_tree_lookup(top, atom("item"), atom("name"), CQ_STR("none"), &rows, &count));
  assert_int_equal(count, 0);
  cq_tree_free(tree);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_of_a_document_leave_the_others_alone),
      cmocka_unit_test(names_are_interned_once),
      cmocka_unit_test(xml_is_read_with_names_and_text),
      cmocka_unit_test(data_leaves_out_what_is_not_data),
      cmocka_unit_test(broken_xml_is_refused_with_its_place),
      cmocka_unit_test(text_is_set_and_set_again),
      cmocka_unit_test(look_ups_by_name_follow_changes),
      cmocka_unit_test(copies_are_equal_and_apart),
      cmocka_unit_test(rows_are_found_by_a_column),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
