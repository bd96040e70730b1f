/* SPDX-License-Identifier: Apache-2.0 */
/* The dialect by the cases of cases.jsonl; what expressions read; limits. */
#include "forms/xpath/xpath.h"

#include "chasqui/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

typedef struct bench {
  cq_names *names;
  cq_arena *arena, *scratch;
  cq_tree *tree;
} bench;

static bench b;

static int set_up(void **state) {
  (void)state;
  b = (bench){cq_names_new(), cq_arena_new(0), cq_arena_new(0), NULL};
  return b.names && b.arena && b.scratch ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  cq_tree_free(b.tree);
  cq_names_free(b.names);
  cq_arena_free(b.arena);
  cq_arena_free(b.scratch);
  return 0;
}

static void fill(void *context, void *out, size_t size) {
  uint32_t *seed = context;
  for (unsigned char *at = out; size; size--, at++)
    *at = (unsigned char)((*seed = *seed * 1664525u + 1013904223u) >> 24);
}

static cq_node *find_instance(void *context, cq_str id) {
  (void)context;
  cq_atom name = cq_names_intern(b.names, CQ_STR("id"));
  for (cq_node *at = cq_tree_top(b.tree)->first; at; at = at->next) {
    const cq_node *a = cq_node_attribute(at, name, CQ_ATOM_NONE);
    if (a && cq_str_equal(cq_node_text(a), id)) return at;
  }
  return NULL;
}

static cq_status compile(cq_str text, const cJSON *ns, const cq_xpath **out, cq_error *error) {
  cq_xpath_space spaces[4];
  cq_xpath_settings settings = {b.names, spaces, 0, b.arena};
  const cJSON *entry = NULL;
  cJSON_ArrayForEach(entry, ns) spaces[settings.space_count++] =
      (cq_xpath_space){cq_str_from(entry->string), cq_str_from(entry->valuestring)};
  return cq_xpath_compile(out, &settings, text, error);
}

static cq_str text_at(const cJSON *item, const char *key) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, key);
  return cJSON_IsString(value) ? cq_str_from(value->valuestring) : (cq_str){NULL, 0};
}

/* --- cases --- */

static const char *number_text(double number, char out[512]) {
  out[cq_xpath_number_text(number, out)] = '\0';
  return out;
}

/* Says in `why` how the value differs from what the case wants; true where it does not. */
static bool agrees(const cJSON *c, const cq_xpath_value *value, const cq_xpath_context *context, char why[600]) {
  char a[512], e[512];
  const cJSON *want = NULL;
  cq_str text;
  if ((want = cJSON_GetObjectItemCaseSensitive(c, "number"))) {
    const cJSON *within = cJSON_GetObjectItemCaseSensitive(c, "within");
    double got = cq_xpath_to_number(value, context), expected = cJSON_IsNumber(want) ? want->valuedouble : NAN;
    snprintf(why, 600, "number %.250s, not %.250s", number_text(got, a), number_text(expected, e));
    return isnan(expected) ? isnan(got) : fabs(got - expected) <= (within ? within->valuedouble : 1e-9);
  }
  if ((want = cJSON_GetObjectItemCaseSensitive(c, "boolean"))) {
    snprintf(why, 600, "the other boolean");
    return cq_xpath_to_boolean(value) == (bool)cJSON_IsTrue(want);
  }
  if ((want = cJSON_GetObjectItemCaseSensitive(c, "nodes"))) {
    snprintf(why, 600, "%zu nodes", value->count);
    return value->type == CQ_XPATH_NODES && value->count == (size_t)want->valueint;
  }
  assert_int_equal(cq_xpath_to_string(value, context, &text), CQ_OK);
  snprintf(why, 600, "text '%.*s'", (int)text.size, text.at ? text.at : "");
  return cq_str_equal(text, text_at(c, "string"));
}

static cq_node *node_at(const cJSON *c) {
  cq_node *document = b.tree ? cq_tree_document(b.tree) : NULL;
  cq_str at = text_at(c, "at");
  if (!at.at) return document;
  const cq_xpath *path = NULL;
  cq_xpath_value value;
  cq_xpath_context context = {.node = document, .scratch = b.scratch};
  assert_int_equal(compile(at, NULL, &path, NULL), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(path, &context, &value, NULL), CQ_OK);
  assert_int_equal(value.count, 1);
  return value.nodes[0];
}

static bool runs_as_wanted(const cJSON *c, const cq_xpath_host *host, char why[600]) {
  bool in_form = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(c, "in_form"));
  const cq_xpath *expression = NULL;
  cq_xpath_value value;
  cq_error error = {0};
  cq_xpath_context context = {.host = host, .node = node_at(c), .scratch = b.scratch, .in_form = in_form};
  cq_status status = compile(text_at(c, "expr"), cJSON_GetObjectItemCaseSensitive(c, "ns"), &expression, &error);
  if (status == CQ_OK) status = cq_xpath_evaluate(expression, &context, &value, &error);
  if (status == CQ_OK && cJSON_HasObjectItem(c, "string") && in_form && value.type == CQ_XPATH_NODES)
    assert_true(value.count <= 1);
  cq_str fault = text_at(c, "error");
  if (status != CQ_OK || fault.at) {
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(c, "column");
    snprintf(why, 600, "error %s, column %d", error.code ? error.code : "none", (int)error.line_column);
    return column && error.code && cq_str_is(fault, error.code) && (int)error.line_column == column->valueint;
  }
  return agrees(c, &value, &context, why);
}

static void read_document(cJSON *documents, cq_str name) {
  cq_tree_free(b.tree);
  b.tree = NULL;
  if (!name.at) return;
  const cJSON *xml = cJSON_GetObjectItemCaseSensitive(documents, name.at);
  assert_non_null(xml);
  assert_int_equal(cq_tree_parse(&b.tree, b.names, cq_str_from(xml->valuestring), 0, 0, NULL), CQ_OK);
}

static cq_buf read_lines(const char *name) {
  char path[200];
  cq_buf file = {0};
  snprintf(path, sizeof path, "tests/forms/xpath/%s", name);
  assert_int_equal(cq_file_read(path, 1 << 20, &file, NULL), CQ_OK);
  return file;
}

static void cases_hold(void **state) {
  (void)state;
  cq_clock_fixed at = {1345471385120, -300}; /* 2012-08-20T14:03:05.120Z, in Lima */
  cq_clock clock = cq_clock_fix(&at);
  uint32_t seed = 1;
  cq_random random = {fill, &seed};
  cq_buf file = read_lines("cases.jsonl");
  cJSON *documents = cJSON_CreateObject();
  size_t count = 0, failed = 0;
  for (char *line = strtok(file.at, "\n"); line; line = strtok(NULL, "\n")) {
    cJSON *c = cJSON_Parse(line);
    assert_non_null(c);
    cq_str xml = text_at(c, "xml");
    if (xml.at) {
      cJSON_AddStringToObject(documents, text_at(c, "doc").at, xml.at);
    } else {
      char why[600] = "";
      cq_xpath_host host = {
          .instance = find_instance, .clock = &clock, .random = &random, .language = text_at(c, "language")};
      read_document(documents, text_at(c, "doc"));
      for (int frozen = 0; frozen <= (b.tree != NULL); frozen++) { /* with indexes and without: the same */
        if (frozen) cq_tree_freeze(b.tree);
        cq_arena_reset(b.scratch);
        if (!runs_as_wanted(c, &host, why)) {
          failed++;
          print_error("%s: %s\n", text_at(c, "expr").at, why);
        }
      }
      count++;
    }
    cJSON_Delete(c);
  }
  cJSON_Delete(documents);
  cq_buf_fini(&file);
  assert_true(count > 100);
  assert_int_equal(failed, 0);
}

/* --- what an expression reads --- */

static void add_step(cq_buf *out, const cq_xpath_step *step) {
  static const char *const axes[] = {"",
                                     "self::",
                                     "..",
                                     "@",
                                     "//",
                                     "//self:",
                                     "anc::",
                                     "anc-self::",
                                     "following-sibling::",
                                     "preceding-sibling::",
                                     "fol::",
                                     "prec::",
                                     "namespace::"};
  cq_buf_add_char(out, '/');
  cq_buf_add_text(out, axes[step->axis]);
  if (step->any) {
    if (step->axis != CQ_AXIS_PARENT) cq_buf_add_char(out, '*');
  } else {
    if (step->prefix) cq_buf_addf(out, "%s:", cq_names_text(b.names, step->prefix).at);
    cq_buf_add_str(out, cq_names_text(b.names, step->local));
  }
  if (step->filtered) cq_buf_add_text(out, "[]");
}

static void describe(const cq_xpath *expression, cq_buf *out) {
  size_t count = 0;
  const cq_xpath_path *paths = cq_xpath_paths(expression, &count);
  for (size_t i = 0; i < count; i++) {
    static const char *const starts[] = {"", ".", "current", "instance"};
    if (i) cq_buf_add_char(out, ' ');
    cq_buf_add_text(out, starts[paths[i].from]);
    if (paths[i].instance) cq_buf_addf(out, "(%s)", cq_names_text(b.names, paths[i].instance).at);
    for (size_t s = 0; s < paths[i].step_count; s++) add_step(out, &paths[i].steps[s]);
    if (paths[i].structure) cq_buf_add_char(out, '#');
    if (paths[i].self) cq_buf_add_char(out, '!');
  }
}

static void paths_are_listed(void **state) {
  (void)state;
  static const struct {
    const char *expr, *reads;
    unsigned uses;
  } cases[] = {
      {"1 + 1", "", 0},
      {"/data/a + ../b", "/data/a ./../b", 0},
      {". > 3", ".", CQ_XPATH_SELF},
      {"string-length() < 5", ".", CQ_XPATH_SELF},
      {"count(/data/r[x = ../y])", "/data/r[]# /data/r[]/x /data/r[]/../y", 0},
      {"sum(/data/r/x)", "/data/r/x", 0},
      {"instance('z')/root/item[name = /data/a and k = current()/../b]/label",
       "instance(z)/root/item[]/label instance(z)/root/item[]/name /data/a instance(z)/root/item[]/k current/../b", 0},
      {"position(..)", "./..#", CQ_XPATH_POSITION},
      {"/data/r[position() = last()]/x", "/data/r[]/x", 0},
      {"once(today())", ".!", CQ_XPATH_ONCE | CQ_XPATH_CLOCK | CQ_XPATH_SELF},
      {"current()/a | b", "current/a ./b", 0},
      {"(/data/a | b)/c", "/data/a/c ./b/c", 0},
      {"(/data/r)[k = 1]/x", "/data/r/x /data/r/k", 0},
      {"//x", "///x", 0},
      {"randomize(/data/r/x, /data/seed)", "/data/r/x /data/seed", 0},
      {"randomize(/data/r/x)", "/data/r/x", CQ_XPATH_RANDOM},
      {"pulldata('l', 'a', 'b', /data/k)", "instance(l)/root/item /data/k", 0},
      {"indexed-repeat(/data/r/x, /data/r, ../i)", "/data/r/x /data/r ./../i", 0},
      {"jr:choice-name(/data/a, '/data/a')", "/data/a", CQ_XPATH_LANGUAGE},
      {"instance(/data/which)/root", "instance/root /data/which", CQ_XPATH_LISTS},
      {"/data/orx:meta/@id", "/data/orx:meta/@id", 0},
      {"own(/data/a)", "/data/a", CQ_XPATH_CALLS_HOST},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const cq_xpath *expression = NULL;
    cq_buf reads = {0};
    assert_int_equal(compile(cq_str_from(cases[i].expr), NULL, &expression, NULL), CQ_OK);
    describe(expression, &reads);
    assert_string_equal(reads.at ? reads.at : "", cases[i].reads);
    assert_int_equal(cq_xpath_uses(expression), cases[i].uses);
    cq_buf_fini(&reads);
  }
}

static void simple_facts_are_told(void **state) {
  (void)state;
  const cq_xpath *expression = NULL;
  size_t count = 0;
  cq_error error = {0};
  assert_int_equal(compile(CQ_STR(" ../a/b "), NULL, &expression, NULL), CQ_OK);
  assert_int_equal(cq_xpath_is_path(expression)->step_count, 3);
  assert_false(cq_xpath_is_constant(expression));
  assert_int_equal(compile(CQ_STR("if(true(), 1, 'x')"), NULL, &expression, NULL), CQ_OK);
  assert_null(cq_xpath_is_path(expression));
  assert_true(cq_xpath_is_constant(expression));
  assert_int_equal(compile(CQ_STR("today()"), NULL, &expression, NULL), CQ_OK);
  assert_false(cq_xpath_is_constant(expression));
  assert_int_equal(
      compile(CQ_STR("instance('a')/x = pulldata('b', 'c', 'd', instance('a')/y)"), NULL, &expression, NULL), CQ_OK);
  const cq_atom *ids = cq_xpath_instances(expression, &count);
  assert_int_equal(count, 2);
  assert_string_equal(cq_names_text(b.names, ids[1]).at, "b");
  assert_int_equal(cq_xpath_check(expression, &error), CQ_OK);
  assert_int_equal(compile(CQ_STR("1 or nothing(2)"), NULL, &expression, NULL), CQ_OK);
  assert_int_equal(cq_xpath_check(expression, &error), CQ_INVALID);
  assert_string_equal(error.code, "xpath.function.unknown");
  assert_int_equal(error.line_column, 6);
  cq_buf long_text = {0};
  for (int i = 0; i < 100; i++) cq_buf_add_text(&long_text, "ñu + ");
  assert_int_equal(compile(cq_buf_str(&long_text), NULL, &expression, &error), CQ_INVALID);
  assert_true(cq_utf8_valid(cq_str_from(error.arg[0])) && strlen(error.arg[0]) > 150);
  cq_buf_fini(&long_text);
  cq_buf shown = {0};
  cq_xpath_caret(&shown, CQ_STR("1 or\nnothing(2)"), 6);
  assert_string_equal(shown.at, "1 or nothing(2)\n     ^");
  cq_buf_fini(&shown);
}

/* --- limits --- */

static void add_times(cq_buf *out, const char *text, int times) {
  for (int i = 0; i < times; i++) cq_buf_add_text(out, text);
}

static void limits_are_kept(void **state) {
  (void)state;
  const cq_xpath *expression = NULL;
  cq_error error = {0};
  cq_xpath_value value;
  cq_xpath_context context = {.scratch = b.scratch};
  cq_buf text = {0};
  add_times(&text, "(", CQ_XPATH_MAX_DEPTH + 1);
  assert_int_equal(compile(cq_buf_str(&text), NULL, &expression, &error), CQ_LIMIT);
  assert_string_equal(error.code, "xpath.deep");
  cq_buf_reset(&text);
  add_times(&text, "1+", CQ_XPATH_MAX_TEXT / 2 - 1);
  cq_buf_add_text(&text, "1");
  assert_int_equal(compile(cq_buf_str(&text), NULL, &expression, &error), CQ_OK); /* a row, not a nest */
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_OK);
  assert_true(value.number == CQ_XPATH_MAX_TEXT / 2);
  cq_buf_add_text(&text, "+1+1");
  assert_int_equal(compile(cq_buf_str(&text), NULL, &expression, &error), CQ_LIMIT);
  assert_string_equal(error.code, "xpath.long");
  cq_buf_reset(&text);
  add_times(&text, "-", 1001);
  cq_buf_add_text(&text, "1");
  assert_int_equal(compile(cq_buf_str(&text), NULL, &expression, &error), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_OK);
  assert_true(value.number == -1);
  cq_buf_reset(&text);
  cq_tree *large = cq_tree_new(b.names, 0);
  cq_node *holder = cq_tree_element(large, cq_tree_document(large), NULL, CQ_ATOM_ROOT, 0, 0);
  cq_buf_reset(&text);
  add_times(&text, "0123456789abcdef", CQ_XPATH_MAX_RESULT / 32 + 1);
  assert_int_equal(cq_tree_set_text(large, holder, cq_buf_str(&text)), CQ_OK);
  context.node = holder;
  assert_int_equal(compile(CQ_STR("concat(., .)"), NULL, &expression, &error), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_LIMIT);
  assert_string_equal(error.code, "xpath.limit");
  assert_int_equal(compile(CQ_STR("join(., 'a', 'b')"), NULL, &expression, &error), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_OK);
  assert_int_equal(compile(CQ_STR("contains(., concat(substr(., 1), 'x'))"), NULL, &expression, &error), CQ_OK);
  context.steps = 10000000;
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_LIMIT);
  cq_tree_free(large);
  cq_arena_reset(b.scratch);
  cq_buf_reset(&text);
  add_times(&text, "a[b]/", 20000);
  cq_buf_add_text(&text, "a");
  assert_int_equal(compile(cq_buf_str(&text), NULL, &expression, &error), CQ_LIMIT);
  cq_buf_fini(&text);
}

static void work_is_bounded(void **state) {
  (void)state;
  const cq_xpath *expression = NULL;
  cq_error error = {0};
  cq_xpath_value value;
  cq_buf xml = {0};
  cq_buf_add_text(&xml, "<d>");
  add_times(&xml, "<a>1</a>", 500);
  cq_buf_add_text(&xml, "</d>");
  cq_tree_free(b.tree);
  assert_int_equal(cq_tree_parse(&b.tree, b.names, cq_buf_str(&xml), CQ_TREE_DATA, 0, NULL), CQ_OK);
  cq_buf_fini(&xml);
  cq_xpath_context context = {.node = cq_tree_document(b.tree), .scratch = b.scratch, .steps = 100000};
  assert_int_equal(compile(CQ_STR("count(//a[//a[//a = 2]])"), NULL, &expression, NULL), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_LIMIT);
  assert_string_equal(error.code, "xpath.limit");
  assert_int_equal(compile(CQ_STR("count(/d/a)"), NULL, &expression, NULL), CQ_OK);
  assert_int_equal(cq_xpath_evaluate(expression, &context, &value, &error), CQ_OK);
  assert_true(value.number == 500);
}

/* Whatever memory there is, the answer is right or the status says that it was not enough. */
static void too_little_memory_is_said(void **state) {
  (void)state;
  static const char *const exprs[] = {
      "concat(join('-', /d/a), translate(/d/a, 'x', 'y'), substr(string(1 div 3), 1), format-date('2012-08-20', '%Y'))",
      "count(//a[. = ../a] | //a/ancestor::* | //text()) + sum(/d/a[regex(., '[0-9]+')])",
      "normalize-space(digest(/d/a, 'MD5')) = base64-decode('RGFz') or indexed-repeat(/d/a, /d/a, 2) = area('0 0;0 1;1 "
      "1')",
      "count(randomize(/d/a, 3)) + checklist(1, 2, /d/a) + number(uuid(3)) + count(id('x') | namespace::*)"};
  cq_tree_free(b.tree);
  assert_int_equal(cq_tree_parse(&b.tree, b.names, CQ_STR("<d xmlns:o='u'><a>1</a><a>2</a></d>"), 0, 0, NULL), CQ_OK);
  uint32_t seed = 1;
  cq_random random = {fill, &seed};
  cq_xpath_host host = {.random = &random};
  size_t failed = 0, passed = 0;
  for (size_t i = 0; i < sizeof exprs / sizeof *exprs; i++)
    for (size_t limit = 16; limit < 12000; limit += 16) {
      cq_arena *arena = cq_arena_new(limit), *scratch = cq_arena_new(limit / 2 + 16);
      const cq_xpath *expression = NULL;
      cq_xpath_value value;
      cq_error error = {0};
      cq_xpath_settings settings = {b.names, NULL, 0, arena};
      cq_xpath_context context = {.host = &host, .node = cq_tree_top(b.tree), .scratch = scratch};
      cq_status status = cq_xpath_compile(&expression, &settings, cq_str_from(exprs[i]), &error);
      if (status == CQ_OK) status = cq_xpath_evaluate(expression, &context, &value, &error);
      if (status != CQ_OK && status != CQ_NOMEM) fail_msg("%s of %s", error.code, exprs[i]);
      if (status == CQ_OK)
        passed++;
      else
        failed++;
      cq_arena_free(arena);
      cq_arena_free(scratch);
    }
  assert_true(failed > 100 && passed > 100);
}

static void what_is_not_relevant_is_left_out(void **state) {
  (void)state;
  const cq_xpath *expression = NULL;
  cq_xpath_value value;
  cq_str text;
  cq_tree_free(b.tree);
  assert_int_equal(cq_tree_parse(&b.tree, b.names, CQ_STR("<d><r><x>1</x></r><r><x k='v'>2</x></r></d>"), 0, 0, NULL),
                   CQ_OK);
  cq_node *second = cq_tree_top(b.tree)->first->next;
  second->irrelevant = second->first->irrelevant = true;
  static const struct {
    const char *expr, *text;
  } cases[] = {{"sum(/d/r/x)", "1"}, {"count(/d/r)", "1"},       {"/d/r[2]/x", ""},
               {"/d/r[2]/x/@k", ""}, {"/d/r[2]/x = ''", "true"}, {"/d/r[2]/x != 'a'", "true"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_xpath_context context = {.node = cq_tree_document(b.tree), .scratch = b.scratch, .in_form = true};
    assert_int_equal(compile(cq_str_from(cases[i].expr), NULL, &expression, NULL), CQ_OK);
    assert_int_equal(cq_xpath_evaluate(expression, &context, &value, NULL), CQ_OK);
    assert_int_equal(cq_xpath_to_string(&value, &context, &text), CQ_OK);
    assert_true(cq_str_is(text, cases[i].text));
  }
}

/* Text of a number reads back as the same number. */
static void numbers_read_back(void **state) {
  (void)state;
  char text[512];
  uint32_t seed = 3;
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = 0;
    fill(&seed, &bits, sizeof bits);
    double number = 0;
    if (i % 2)
      memcpy(&number, &bits, sizeof number);
    else
      number = (double)(int64_t)(bits % 2000000) / (i % 3 ? 100 : 7);
    if (!isfinite(number)) continue;
    size_t size = cq_xpath_number_text(number, text);
    assert_true(size < 400);
    text[size] = '\0';
    assert_null(strchr(text, 'e'));
    assert_true(strtod(text, NULL) == number);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cases_hold),
      cmocka_unit_test(too_little_memory_is_said),
      cmocka_unit_test(paths_are_listed),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(work_is_bounded),
      cmocka_unit_test(numbers_read_back),
      cmocka_unit_test(what_is_not_relevant_is_left_out),
      cmocka_unit_test(simple_facts_are_told),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
