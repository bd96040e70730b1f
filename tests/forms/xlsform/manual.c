/* SPDX-License-Identifier: Apache-2.0 */
/* Holds the tables of docs/xlsform.md against the words that the compiler knows, both ways. */
#include "chasqui/file.h"
#include "forms/xlsform/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WORDS = 256 };

/* The words between backticks in a section's tables: of the first two columns, or of the second alone. */
typedef struct words {
  cq_str at[MAX_WORDS];
  size_t count;
} words;

static cq_buf manual;

static cq_str section(const char *heading) {
  char *from = strstr(manual.at, heading);
  assert_non_null(from);
  from += strlen(heading);
  const char *to = strstr(from, "\n## ");
  return (cq_str){from, to ? (size_t)(to - from) : strlen(from)};
}

static void add_words(words *found, cq_str cell) {
  for (size_t at = 0; at < cell.size;) {
    const char *open = memchr(cell.at + at, '`', cell.size - at);
    if (!open) return;
    size_t from = (size_t)(open - cell.at) + 1;
    const char *close = memchr(cell.at + from, '`', cell.size - from);
    assert_non_null(close);
    assert_true(found->count < MAX_WORDS);
    found->at[found->count++] = (cq_str){cell.at + from, (size_t)(close - cell.at) - from};
    at = (size_t)(close - cell.at) + 1;
  }
}

static words read_table(const char *heading, int first, int last) {
  words found = {.count = 0};
  cq_str text = section(heading);
  for (size_t at = 0; at < text.size;) {
    const char *end = memchr(text.at + at, '\n', text.size - at);
    size_t size = end ? (size_t)(end - text.at) - at : text.size - at;
    cq_str line = {text.at + at, size};
    at += size + 1;
    if (line.size == 0 || line.at[0] != '|') continue;
    int column = 0;
    for (size_t i = 1; i < line.size;) {
      const char *bar = memchr(line.at + i, '|', line.size - i);
      if (!bar) break;
      size_t to = (size_t)(bar - line.at);
      if (column >= first && column <= last) add_words(&found, (cq_str){line.at + i, to - i});
      column++;
      i = to + 1;
    }
  }
  assert_true(found.count > 0);
  return found;
}

static bool has(const words *list, const char *word) {
  for (size_t i = 0; i < list->count; i++) {
    if (cq_str_is(list->at[i], word)) return true;
  }
  print_error("docs/xlsform.md does not tell of “%s”\n", word);
  return false;
}

static size_t unknown(cq_str word) {
  print_error("docs/xlsform.md tells of “%.*s”, which the compiler does not know\n", (int)word.size, word.at);
  return 1;
}

static bool select_word(cq_str word) {
  for (size_t i = 0; cq_select_word_at(i); i++) {
    if (cq_str_is(word, cq_select_word_at(i)->name)) return true;
  }
  return false;
}

static void types(void **state) {
  (void)state;
  words told = read_table("## Question types", 0, 1);
  size_t wrong = 0;
  for (size_t i = 0; cq_type_at(i); i++) {
    const cq_word_type *type = cq_type_at(i);
    bool by_select =
        type->kind == CQ_KIND_SELECT || type->kind == CQ_KIND_SELECT_EXTERNAL || type->kind == CQ_KIND_RANK;
    if (!by_select) wrong += !has(&told, type->name);
  }
  for (size_t i = 0; cq_select_word_at(i); i++) wrong += !has(&told, cq_select_word_at(i)->name);
  for (size_t i = 0; i < told.count; i++) {
    if (!cq_type_of(told.at[i]) && !select_word(told.at[i])) wrong += unknown(told.at[i]);
  }
  assert_int_equal(wrong, 0);
}

static void columns(void **state) {
  (void)state;
  words told = read_table("## Columns of survey", 0, 1);
  size_t wrong = 0;
  for (size_t i = 0; cq_survey_column_at(i); i++) {
    wrong += !has(&told, cq_survey_column_at(i)->canon);
    wrong += !has(&told, cq_survey_column_at(i)->name);
  }
  for (size_t i = 0; i < told.count; i++) {
    const char *mark = memchr(told.at[i].at, ':', told.at[i].size);
    cq_str word = told.at[i];
    if (mark && mark[1] == ':') word.size = (size_t)(mark - word.at);
    if (!cq_survey_column_of(word)) wrong += unknown(told.at[i]);
  }
  assert_int_equal(wrong, 0);
}

/* "set form id" is looked up as "set_form_id". */
static cq_str snake(cq_str word, char out[64]) {
  assert_true(word.size < 64);
  for (size_t i = 0; i < word.size; i++) {
    out[i] = word.at[i] == ' ' ? '_' : word.at[i] >= 'A' && word.at[i] <= 'Z' ? (char)(word.at[i] + 32) : word.at[i];
  }
  return (cq_str){out, word.size};
}

static void settings(void **state) {
  (void)state;
  words told = read_table("## Settings", 0, 1);
  size_t wrong = 0;
  char plain[64];
  for (size_t i = 0; cq_settings_column_at(i); i++) wrong += !has(&told, cq_settings_column_at(i));
  for (size_t i = 0; i < told.count; i++) {
    if (cq_str_is(told.at[i], "attribute::NAME")) continue;
    if (!cq_settings_column_of(snake(told.at[i], plain))) wrong += unknown(told.at[i]);
  }
  words entities = read_table("## Entities", 0, 1);
  for (size_t i = 0; cq_entities_column_at(i); i++) wrong += !has(&entities, cq_entities_column_at(i));
  for (size_t i = 0; i < entities.count; i++) {
    if (!cq_entities_column_of(entities.at[i])) wrong += unknown(entities.at[i]);
  }
  assert_int_equal(wrong, 0);
}

/* Each row's keys are exactly those of its type. */
static void parameters(void **state) {
  (void)state;
  cq_str text = section("## Parameters");
  size_t wrong = 0, rows = 0;
  for (size_t at = 0; at < text.size;) {
    const char *end = memchr(text.at + at, '\n', text.size - at);
    size_t size = end ? (size_t)(end - text.at) - at : text.size - at;
    words row = {.count = 0};
    if (size > 0 && text.at[at] == '|') add_words(&row, (cq_str){text.at + at, size});
    at += size + 1;
    if (row.count == 0) continue;
    rows++;
    bool select = cq_str_starts(row.at[0], CQ_STR("select_one"));
    cq_kind kind = select ? CQ_KIND_SELECT : cq_type_of(row.at[0])->kind;
    const char *const *keys = cq_parameters_of(kind, cq_str_is(row.at[0], "select_one_from_file"));
    size_t count = 0;
    for (; keys[count]; count++) wrong += !has(&row, keys[count]);
    if (count != row.count - 1) wrong += unknown(row.at[0]);
  }
  assert_int_equal(rows, 9);
  assert_int_equal(wrong, 0);
}

static int open_manual(void **state) {
  (void)state;
  return cq_file_read("docs/xlsform.md", 1 << 20, &manual, NULL) == CQ_OK ? 0 : -1;
}

static int close_manual(void **state) {
  (void)state;
  cq_buf_fini(&manual);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(types), cmocka_unit_test(columns), cmocka_unit_test(settings),
                                     cmocka_unit_test(parameters)};
  return cmocka_run_group_tests(tests, open_manual, close_manual);
}
