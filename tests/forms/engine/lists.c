/* SPDX-License-Identifier: Apache-2.0 */
/* Lists from CSV and GeoJSON, and what is found in them without a walk. */
#include "forms/xform/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static cq_str cell(cq_names *names, const cq_node *row, const char *column) {
  const cq_node *node = cq_node_child(row, cq_names_find(names, cq_str_from(column)));
  return node == NULL ? CQ_STR("(none)") : cq_node_text(node);
}

static void assert_cell(cq_names *names, const cq_node *row, const char *column, const char *want) {
  cq_str got = cell(names, row, column);
  if (!cq_str_is(got, want)) fail_msg("%s: want “%s”, got “%.*s”", column, want, (int)got.size, got.at);
}

static cq_node *first_row(cq_names *names, cq_tree *tree, size_t *count) {
  return cq_tree_children(cq_tree_top(tree), cq_names_find(names, CQ_STR("item")), count);
}

static void csv_with_each_separator(void **state) {
  (void)state;
  static const struct {
    const char *file, *label;
  } cases[] = {{"name,label\na,\"A, \"\"B\"\"\"\n", "A, \"B\""},
               {"\xEF\xBB\xBFname;label\r\na;A, B\r\n", "A, B"},
               {"name\tlabel\na\tA; B\n", "A; B"},
               {"name|label\na|A; B", "A; B"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_names *names = cq_names_new();
    cq_tree *tree = NULL;
    size_t count;
    assert_int_equal(cq_lists_from_csv(&tree, names, cq_str_from(cases[i].file), NULL), CQ_OK);
    const cq_node *row = first_row(names, tree, &count);
    assert_int_equal(count, 1);
    assert_cell(names, row, "name", "a");
    assert_cell(names, row, "label", cases[i].label);
    cq_tree_free(tree);
    cq_names_free(names);
  }
}

static void rows_are_found_by_an_empty_cell_too(void **state) {
  (void)state;
  cq_names *names = cq_names_new();
  cq_tree *tree = NULL;
  cq_node *const *rows;
  size_t count;
  assert_int_equal(cq_lists_from_csv(&tree, names, CQ_STR("name,d\na,1\nb,\nc,1\n"), NULL), CQ_OK);
  cq_tree_freeze(tree);
  cq_atom item = cq_names_find(names, CQ_STR("item")), d = cq_names_find(names, CQ_STR("d"));
  assert_true(cq_tree_lookup(cq_tree_top(tree), item, d, CQ_STR("1"), &rows, &count));
  assert_int_equal(count, 2);
  assert_true(cq_tree_lookup(cq_tree_top(tree), item, d, CQ_STR(""), &rows, &count));
  assert_int_equal(count, 1);
  assert_cell(names, rows[0], "name", "b");
  cq_tree_free(tree);
  assert_int_equal(
      cq_tree_parse(&tree, names, CQ_STR("<root><item><d>1</d></item><item/></root>"), CQ_TREE_DATA, 0, NULL), CQ_OK);
  cq_tree_freeze(tree);
  assert_false(cq_tree_lookup(cq_tree_top(tree), item, d, CQ_STR(""), &rows, &count)); /* a row lacks the column */
  cq_tree_free(tree);
  cq_names_free(names);
}

static void places_are_written_as_geopoints(void **state) {
  (void)state;
  static const char text[] =
      "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":7,\"geometry\":{\"type\":\"Point\","
      "\"coordinates\":[-70.02,-15.84,3820]},\"properties\":{\"name\":\"Puno\",\"n\":3.5,\"ok\":true,\"o\":{}}},"
      "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[0,1],[2,3],[0,1]]]},"
      "\"properties\":{\"id\":\"x\"}}]}";
  cq_names *names = cq_names_new();
  cq_tree *tree = NULL;
  size_t count;
  assert_int_equal(cq_lists_from_geojson(&tree, names, cq_str_from(text), NULL), CQ_OK);
  const cq_node *row = first_row(names, tree, &count);
  assert_int_equal(count, 2);
  assert_cell(names, row, "geometry", "-15.84 -70.02 3820 0");
  assert_cell(names, row, "id", "7");
  assert_cell(names, row, "n", "3.5");
  assert_cell(names, row, "ok", "true");
  assert_cell(names, row, "o", "(none)");
  row = cq_node_next_same(row);
  assert_cell(names, row, "geometry", "1 0 0 0; 3 2 0 0; 1 0 0 0");
  assert_cell(names, row, "id", "x");
  cq_tree_free(tree);
  cq_names_free(names);
}

static void what_is_no_list_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *code;
  } cases[] = {{"{", "forms.geojson.json"},
               {"{\"type\":\"Feature\"}", "forms.geojson.collection"},
               {"{\"type\":\"FeatureCollection\",\"features\":[1]}", "forms.geojson.feature"},
               {"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
                "\"coordinates\":[\"a\"]}}]}",
                "forms.geojson.geometry"}};
  cq_names *names = cq_names_new();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_tree *tree = NULL;
    cq_error error;
    cq_error_clear(&error);
    assert_int_equal(cq_lists_from_geojson(&tree, names, cq_str_from(cases[i].text), &error), CQ_INVALID);
    assert_string_equal(error.code, cases[i].code);
    assert_null(tree);
  }
  cq_names_free(names);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_with_each_separator),
      cmocka_unit_test(rows_are_found_by_an_empty_cell_too),
      cmocka_unit_test(places_are_written_as_geopoints),
      cmocka_unit_test(what_is_no_list_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
