/* SPDX-License-Identifier: Apache-2.0 */
/* Runs tests/forms/xlsform/cases.txt: each case becomes a .csv of several sheets and is compiled. */
#include "chasqui/file.h"
#include "chasqui/xlsform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES "tests/forms/xlsform/cases.txt"

enum { MAX_WANTED = 64 };

typedef struct wanted {
  char kind;    /* '>', '<' or '!' */
  cq_str words; /* the rest of the line */
  int64_t line;
} wanted;

typedef struct test_case {
  cq_str name;
  cq_buf csv;
  wanted wanted[MAX_WANTED];
  size_t count;
} test_case;

static void add_row(cq_buf *csv, cq_str line) {
  cq_buf_add_char(csv, ',');
  bool first = true;
  for (size_t at = 1; at < line.size;) {
    const char *bar = memchr(line.at + at, '|', line.size - at);
    if (!bar) break;
    cq_str cell = cq_str_trim((cq_str){line.at + at, (size_t)(bar - line.at) - at});
    if (!first) cq_buf_add_char(csv, ',');
    first = false;
    cq_buf_add_char(csv, '"');
    for (size_t i = 0; i < cell.size; i++) {
      if (cell.at[i] == '"') cq_buf_add_char(csv, '"');
      cq_buf_add_char(csv, cell.at[i]);
    }
    cq_buf_add_char(csv, '"');
    at = (size_t)(bar - line.at) + 1;
  }
  cq_buf_add_char(csv, '\n');
}

static bool next_word(cq_str *rest, char *out, size_t room) {
  *rest = cq_str_trim(*rest);
  size_t size = 0;
  while (size < rest->size && rest->at[size] != ' ') size++;
  assert_true(size < room);
  memcpy(out, rest->at, size);
  out[size] = 0;
  *rest = (cq_str){rest->at + size, rest->size - size};
  return size > 0;
}

static bool contains(cq_str text, cq_str part) {
  for (size_t i = 0; i + part.size <= text.size; i++) {
    if (memcmp(text.at + i, part.at, part.size) == 0) return true;
  }
  return false;
}

/* The fault that a line "error CODE CELL [nearest]" asks for. */
static bool fault_there(const cq_xlsform *form, cq_str words, bool *error) {
  char severity[16], code[64], cell[64], nearest[64] = "";
  next_word(&words, severity, sizeof severity);
  next_word(&words, code, sizeof code);
  next_word(&words, cell, sizeof cell);
  next_word(&words, nearest, sizeof nearest);
  *error = strcmp(severity, "error") == 0;
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    const cq_xlsform_fault *f = cq_xlsform_fault_at(form, i);
    if ((f->severity == CQ_XLSFORM_ERROR) == *error && strcmp(f->code, code) == 0 &&
        strcmp(*f->cell ? f->cell : "-", cell) == 0 &&
        (!*nearest || strcmp(*f->nearest ? f->nearest : f->other, nearest) == 0)) {
      return true;
    }
  }
  return false;
}

static size_t complain(const test_case *c, const wanted *w, const char *what) {
  print_error("%.*s: " CASES ":%lld: %s: %.*s\n", (int)c->name.size, c->name.at, (long long)w->line, what,
              (int)w->words.size, w->words.at);
  return 1;
}

static void show_faults(const cq_xlsform *form) {
  for (size_t i = 0; i < cq_xlsform_fault_count(form); i++) {
    const cq_xlsform_fault *f = cq_xlsform_fault_at(form, i);
    print_error("    has %s %s %s found %s nearest %s\n", f->severity == CQ_XLSFORM_ERROR ? "error" : "warning",
                f->code, f->cell, f->found, f->nearest);
  }
}

static size_t run_case(test_case *c) {
  size_t failed = 0, errors = 0;
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_xlsform_compile_bytes(&form, c->csv.at, c->csv.size, NULL, &error) != CQ_OK) {
    print_error("%.*s: %s\n", (int)c->name.size, c->name.at, error.code);
    return 1;
  }
  for (size_t i = 0; i < c->count; i++) {
    const wanted *w = &c->wanted[i];
    bool is_error = false;
    if (w->kind == '>' && !contains(cq_xlsform_xml(form), w->words)) failed += complain(c, w, "is not in the XForm");
    if (w->kind == '<' && contains(cq_xlsform_xml(form), w->words)) failed += complain(c, w, "is in the XForm");
    if (w->kind == '!' && !fault_there(form, w->words, &is_error)) failed += complain(c, w, "is not complained of");
    errors += is_error;
  }
  if (cq_xlsform_error_count(form) != errors) {
    print_error("%.*s: %zu errors, not %zu\n", (int)c->name.size, c->name.at, cq_xlsform_error_count(form), errors);
    failed++;
  }
  assert_int_equal(cq_xlsform_ok(form), cq_xlsform_xml(form).size > 0);
  if (failed) {
    show_faults(form);
    print_error("%.*s\n", (int)cq_xlsform_xml(form).size, cq_xlsform_xml(form).at);
  }
  cq_xlsform_free(form);
  return failed;
}

static void take_line(test_case *c, cq_str line, int64_t number) {
  if (line.at[0] == '|') {
    add_row(&c->csv, line);
  } else if (strchr("><!", line.at[0])) {
    assert_true(c->count < MAX_WANTED);
    cq_str words = cq_str_trim((cq_str){line.at + 1, line.size - 1});
    c->wanted[c->count++] = (wanted){line.at[0], words, number};
  } else {
    cq_buf_add_str(&c->csv, line);
    cq_buf_add_char(&c->csv, '\n');
  }
}

static void cases(void **state) {
  (void)state;
  cq_buf text = {0};
  assert_int_equal(cq_file_read(CASES, 1 << 20, &text, NULL), CQ_OK);
  test_case c = {.count = 0};
  size_t failed = 0, count = 0;
  int64_t number = 0;
  for (size_t at = 0; at <= text.size;) {
    const char *end = at < text.size ? memchr(text.at + at, '\n', text.size - at) : NULL;
    size_t size = end ? (size_t)(end - text.at) - at : text.size - at;
    cq_str line = cq_str_trim((cq_str){text.at + at, size});
    at += size + 1;
    number++;
    bool begins = cq_str_starts(line, CQ_STR("== "));
    if ((begins || at > text.size) && c.name.size) {
      failed += run_case(&c);
      count++;
      cq_buf_fini(&c.csv);
      c = (test_case){.count = 0};
    }
    if (begins)
      c.name = (cq_str){line.at + 3, line.size - 3};
    else if (line.size && line.at[0] != '#')
      take_line(&c, line, number);
  }
  cq_buf_fini(&c.csv);
  cq_buf_fini(&text);
  assert_true(count >= 15);
  assert_int_equal(failed, 0);
}

/* What phones want beside a form with select_one_external. */
static void itemsets(void **state) {
  (void)state;
  const char *sheets = "survey\n,type,name,label,choice_filter\n,text,e,E,\n,select_one_external c,q,Q,e=${e}\n"
                       "external_choices\n,list_name,name,label,e\n,c,1,\"Uno, dos\",x\n,c,2,,x\n";
  cq_xlsform *form = NULL;
  cq_buf out = {0};
  assert_int_equal(cq_xlsform_compile_bytes(&form, sheets, strlen(sheets), NULL, NULL), CQ_OK);
  assert_true(cq_xlsform_ok(form));
  assert_true(contains(cq_xlsform_xml(form), CQ_STR("query=\"instance('c')/root/item[e= /data/e ]\"")));
  cq_xlsform_itemsets(form, &out);
  assert_string_equal(out.at, "list_name,name,label,e\r\nc,1,\"Uno, dos\",x\r\nc,2,,x\r\n");
  cq_buf_fini(&out);
  cq_xlsform_free(form);
}

/* The same sheets give the same bytes, and the outline tells what the author wrote. */
static void same_and_told(void **state) {
  (void)state;
  const char *sheets =
      "survey\n,type,name,label::es,label::en,relevant\n,begin_group,g,G,Gee,\n,select_one c,q,¿Q?,Q?,1 = 1\n"
      ",end_group,,,,\nchoices\n,list_name,name,label::es,label::en\n,c,a,A,Ay\n,c,b,B,Bee\n";
  cq_xlsform *one = NULL, *two = NULL;
  assert_int_equal(cq_xlsform_compile_bytes(&one, sheets, strlen(sheets), NULL, NULL), CQ_OK);
  assert_int_equal(cq_xlsform_compile_bytes(&two, sheets, strlen(sheets), NULL, NULL), CQ_OK);
  assert_true(cq_str_equal(cq_xlsform_xml(one), cq_xlsform_xml(two)));
  cq_xlsform_item item;
  assert_int_equal(cq_xlsform_item_count(one), 2);
  assert_true(cq_xlsform_item_at(one, 1, "en", &item));
  assert_true(item.depth == 1 && item.row == 3 && item.choices == 2);
  assert_true(cq_str_is(item.label, "Q?") && cq_str_is(item.type, "select_one") && cq_str_is(item.list, "c"));
  assert_true(cq_str_is(item.relevant, "1 = 1"));
  assert_int_equal(cq_xlsform_language_count(one), 2);
  cq_xlsform_free(one);
  cq_xlsform_free(two);
}

/* A language asked for must stand in every label. */
static void language(void **state) {
  (void)state;
  const char *sheets = "survey\n,type,name,label::es,label::en\n,text,a,A,Ay\n,text,b,B,\n";
  const char *const asked[] = {"es", "en", "qu"};
  const bool fine[] = {true, false, false};
  for (int i = 0; i < 3; i++) {
    cq_xlsform *form = NULL;
    cq_xlsform_options options = {.language = asked[i], .pretty = true};
    assert_int_equal(cq_xlsform_compile_bytes(&form, sheets, strlen(sheets), &options, NULL), CQ_OK);
    assert_int_equal(cq_xlsform_ok(form), fine[i]);
    cq_xlsform_free(form);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cases), cmocka_unit_test(itemsets),
                                     cmocka_unit_test(same_and_told), cmocka_unit_test(language)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
