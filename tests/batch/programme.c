/* SPDX-License-Identifier: Apache-2.0 */
/* programme.json: each case of programme.cases is a document and what becomes of it. */
#include "chasqui/bundle.h"
#include "chasqui/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cq_str next_line(cq_str *text) {
  const char *end = memchr(text->at, '\n', text->size);
  size_t size = end ? (size_t)(end - text->at) : text->size;
  cq_str line = {text->at, size};
  size += end ? 1 : 0;
  *text = (cq_str){text->at + size, text->size - size};
  return line;
}

/* Three lines a case: what it shows, the document, and "ok" or the code with its first argument. */
static void cases(void **state) {
  (void)state;
  cq_buf file = {0};
  size_t count = 0;
  assert_int_equal(cq_file_read("tests/batch/programme.cases", 1 << 20, &file, NULL), CQ_OK);
  for (cq_str text = cq_buf_str(&file); text.size > 0;) {
    cq_str what = next_line(&text);
    if (what.size == 0 || what.at[0] == '#') continue;
    cq_str json = next_line(&text), answer = next_line(&text);
    cq_programme *programme = NULL;
    cq_error error;
    char found[512] = "ok";
    cq_error_clear(&error);
    if (cq_programme_parse(&programme, json, true, &error) != CQ_OK)
      snprintf(found, sizeof found, "%s%s%s", error.code, error.argc ? " " : "", error.argc ? error.arg[0] : "");
    if (!cq_str_is(answer, found)) fail_msg("%.*s: %s", (int)what.size, what.at, found);
    cq_programme_free(programme);
    count++;
  }
  assert_true(count > 30);
  cq_buf_fini(&file);
}

static void everything_is_read(void **state) {
  (void)state;
  cq_str json =
      CQ_STR("{\"code\":\"ici\",\"title\":{\"es\":\"Industrias\",\"en\":\"Industries\"},\"languages\":[\"es\",\"quz\"],"
             "\"time_zone\":\"America/Lima\",\"calendar\":\"calendario.csv\",\"posts\":[\"https://a.pe/x\"],"
             "\"forms\":[\"f.xlsx\",{\"file\":\"a/b.xml\",\"status\":\"withdrawn\"}],"
             "\"lists\":[\"l/ccpp.csv\",{\"file\":\"c.csv\",\"name\":\"d.csv\",\"sealed\":true}]}");
  cq_programme *p = NULL;
  assert_int_equal(cq_programme_parse(&p, json, true, NULL), CQ_OK);
  assert_true(cq_str_is(p->code, "ici"));
  assert_true(cq_str_is(cq_programme_title_in(p, CQ_STR("en")), "Industries"));
  assert_true(cq_str_is(cq_programme_title_in(p, CQ_STR("ayr")), "Industrias"));
  assert_true(p->language_count == 2 && cq_str_is(p->languages[1], "quz"));
  assert_true(cq_str_is(p->time_zone, "America/Lima") && cq_str_is(p->calendar, "calendario.csv"));
  assert_true(p->post_count == 1 && cq_str_is(p->posts[0], "https://a.pe/x"));
  assert_true(p->form_count == 2 && cq_str_is(p->forms[0].file, "f.xlsx") && p->forms[0].status == CQ_FORM_CURRENT);
  assert_true(cq_str_is(p->forms[1].file, "a/b.xml") && p->forms[1].status == CQ_FORM_WITHDRAWN);
  assert_true(p->file_count == 2 && cq_str_is(p->files[0].name, "ccpp.csv") && !p->files[0].sealed);
  assert_true(cq_str_is(p->files[1].name, "d.csv") && cq_str_is(p->files[1].file, "c.csv") && p->files[1].sealed);
  cq_programme_free(p);
  /* an older laptop passes over what a newer desk has added */
  assert_int_equal(cq_programme_parse(&p, CQ_STR("{\"code\":\"x\",\"title\":\"X\",\"colour\":[1,{}]}"), false, NULL),
                   CQ_OK);
  assert_true(cq_str_is(cq_programme_title_in(p, CQ_STR("es")), "X"));
  cq_programme_free(p);
}

static void the_place_of_a_fault_is_told(void **state) {
  (void)state;
  cq_programme *p = NULL;
  cq_error error;
  assert_int_equal(cq_programme_parse(&p, CQ_STR("{\n  \"code\": \"x\",\n  \"title\" \"y\"\n}\n"), true, &error),
                   CQ_INVALID);
  assert_string_equal(error.code, "programme.json");
  assert_true(error.line == 3);
}

static void depth_and_size_are_capped(void **state) {
  (void)state;
  assert_false(
      cq_bundle_json_deep(CQ_STR("[[[[[[[[[[[[[[[[\"[\\\"[[\"]]]]]]]]]]]]]]]]"))); /* 16; quoted ones are text */
  assert_true(cq_bundle_json_deep(CQ_STR("[[[[[[[[{\"a\":[[[[[[[[]]]]]]]]}]]]]]]]]")));
  assert_false(cq_bundle_json_deep(CQ_STR("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]")));
  cq_programme *p = NULL;
  cq_error error;
  cq_buf deep = {0};
  for (int i = 0; i < 100000; i++) cq_buf_add_char(&deep, '[');
  assert_int_equal(cq_programme_parse(&p, cq_buf_str(&deep), true, &error), CQ_LIMIT);
  assert_string_equal(error.code, "programme.large");
  cq_buf_reset(&deep);
  for (int i = 0; i < (1 << 20) + 1; i++) cq_buf_add_char(&deep, ' ');
  assert_int_equal(cq_programme_parse(&p, cq_buf_str(&deep), true, &error), CQ_LIMIT);
  cq_buf_fini(&deep);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cases), cmocka_unit_test(everything_is_read),
                                     cmocka_unit_test(the_place_of_a_fault_is_told),
                                     cmocka_unit_test(depth_and_size_are_capped)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
