/* SPDX-License-Identifier: Apache-2.0 */
/* Cells, painting, lists, texts and answers as typed: what the pages are made of. */
#include "collector/screen/screen.h"
#include "chasqui/cli.h"
#include "collector/answer.h"
#include "collector/pages/edit.h"
#include "collector/pages/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void counts_columns(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int columns;
  } cases[] = {{"", 0},     {"Ñuñoa", 5}, {"e\xCC\x81", 1} /* e and a combining acute */,
               {"漢字", 4}, {"a漢b", 4},  {"q'ara", 5},
               {"\xFF", 1}, {"a\tb", 3},  {"Ayacucho · Puno", 15}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(cq_text_columns(cq_str_from(cases[i].text)), cases[i].columns);
}

static void wraps_at_blanks(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int width;
    const char *lines; /* with | between */
  } cases[] = {{"", 10, ""},
               {"quinua", 10, "quinua"},
               {"quinua y oca", 8, "quinua y|oca"},
               {"quinua y oca", 6, "quinua|y oca"},
               {"quinuaquinua", 6, "quinua|quinua"},
               {"a\n\nb", 6, "a||b"},
               {"a\n", 6, "a"},
               {"漢字漢字", 5, "漢字|漢字"},
               {"漢", 1, "漢"},
               {"dos   espacios", 5, "dos  |espac|ios"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_buf got = {0};
    cq_str line;
    bool first = true;
    for (size_t at = 0; cq_text_wrap(cq_str_from(cases[i].text), cases[i].width, &at, &line); first = false) {
      if (!first) cq_buf_add_char(&got, '|');
      cq_buf_add_str(&got, line);
    }
    assert_string_equal(got.at ? got.at : "", cases[i].lines);
    cq_buf_fini(&got);
  }
}

static void writes_cells(void **state) {
  (void)state;
  cq_grid grid = {0};
  cq_buf text = {0};
  assert_true(cq_grid_resize(&grid, 2, 8));
  assert_int_equal(cq_grid_write(&grid, 0, 0, 8, 0, cq_str_from("a漢e\xCC\x81")), 4);
  assert_string_equal(cq_grid_at(&grid, 0, 1)->text, "漢");
  assert_string_equal(cq_grid_at(&grid, 0, 2)->text, "");
  assert_string_equal(cq_grid_at(&grid, 0, 3)->text, "e\xCC\x81");
  /* Half of a wide character written over leaves no other half. */
  cq_grid_write(&grid, 0, 2, 1, 0, CQ_STR("x"));
  assert_string_equal(cq_grid_at(&grid, 0, 1)->text, " ");
  /* What doesn't fit is cut, and says so; a wide character never hangs over the edge. */
  assert_int_equal(cq_grid_write(&grid, 1, 4, 9, 0, cq_str_from("quinua")), 4);
  cq_grid_text(&grid, &text);
  assert_string_equal(text.at, "a xe\xCC\x81\n    qui…\n");
  assert_int_equal(cq_grid_write(&grid, 1, 0, 4, 0, cq_str_from("ab漢c")), 3);
  /* A terminal's commands in an answer are shown, not obeyed. */
  cq_grid_write(&grid, 0, 0, 8, 0, cq_str_from("a\x1B[2Jb"));
  assert_string_equal(cq_grid_at(&grid, 0, 1)->text, " ");
  assert_int_equal(cq_grid_write(&grid, 5, 0, 4, 0, CQ_STR("x")), 0);
  assert_int_equal(cq_grid_write(&grid, 0, 9, 4, 0, CQ_STR("x")), 0);
  cq_buf_fini(&text);
  cq_grid_fini(&grid);
}

static void paints_what_changed(void **state) {
  (void)state;
  cq_screen *screen;
  cq_buf text = {0};
  cq_backend *recorder = cq_recorder_open(3, 20);
  assert_non_null(recorder);
  assert_int_equal(cq_screen_new(&screen, recorder, NULL), CQ_OK);
  cq_screen_paint(screen);
  assert_int_equal(cq_recorder_cells_put(recorder), 60);
  cq_screen_paint(screen);
  assert_int_equal(cq_recorder_cells_put(recorder), 0);
  cq_grid_write(cq_screen_grid(screen), 1, 2, 10, CQ_LOOK_BOLD, cq_str_from("漢b"));
  cq_screen_cursor(screen, 1, 5);
  cq_screen_paint(screen);
  assert_int_equal(cq_recorder_cells_put(recorder), 3);
  cq_grid_write(cq_screen_grid(screen), 1, 2, 10, CQ_LOOK_BOLD, cq_str_from("xy"));
  cq_screen_paint(screen);
  assert_int_equal(cq_recorder_cells_put(recorder), 2);
  cq_grid_text(cq_recorder_grid(recorder), &text);
  assert_string_equal(text.at, "\n  xyb\n\n");
  int row, column;
  cq_recorder_cursor(recorder, &row, &column);
  assert_int_equal(row, 1);
  assert_int_equal(column, 5);
  cq_recorder_resize(recorder, 2, 4);
  assert_int_equal(cq_screen_key(screen, -1), CQ_KEY_RESIZE);
  assert_true(cq_screen_fit(screen));
  assert_int_equal(cq_screen_grid(screen)->columns, 4);
  cq_screen_paint(screen);
  assert_int_equal(cq_recorder_cells_put(recorder), 8);
  cq_buf_fini(&text);
  cq_screen_free(screen);
}

static void reads_scripts_of_keys(void **state) {
  (void)state;
  static const cq_key keys[] = {'a', 0xF1,      CQ_KEY_ENTER, CQ_KEY_F1 + 1, CQ_KEY_CONTROL('G'),
                                '<', CQ_KEY_UP, CQ_KEY_GONE};
  cq_backend *recorder = cq_recorder_open(1, 1);
  cq_recorder_keys(recorder, "añ<Enter><F2><Ctrl-G><<<Up>");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) assert_int_equal(recorder->key(recorder, -1), keys[i]);
  recorder->close(recorder);
}

static void narrows_lists_without_accents(void **state) {
  (void)state;
  cq_list list = {0};
  static const char *const names[] = {"Ácora", "Puno", "Ñuñoa", "Incahuasi", "Acocro"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) cq_list_add(&list, (int64_t)i, cq_str_from(names[i]), NULL);
  cq_list_ready(&list, CQ_LIST_NONE);
  assert_null(cq_list_here(&list));
  assert_true(cq_list_type(&list, 'A'));
  assert_true(cq_list_type(&list, 'c'));
  assert_true(cq_list_type(&list, 'o'));
  assert_int_equal(list.shown_count, 2);
  assert_string_equal(cq_list_here(&list)->text, "Ácora");
  assert_true(cq_list_act(&list, CQ_DO_DOWN, 5));
  assert_string_equal(cq_list_here(&list)->text, "Acocro");
  cq_list_type(&list, CQ_KEY_BACKSPACE);
  cq_list_type(&list, CQ_KEY_BACKSPACE);
  cq_list_type(&list, CQ_KEY_BACKSPACE);
  assert_false(cq_list_type(&list, CQ_KEY_BACKSPACE));
  cq_list_type(&list, 'n');
  cq_list_type(&list, 0xFA); /* ú */
  assert_int_equal(list.shown_count, 1);
  assert_string_equal(cq_list_here(&list)->text, "Ñuñoa");
  cq_list_fini(&list);
}

static void edits_text(void **state) {
  (void)state;
  static const struct {
    const char *keys;
    const char *text;
    size_t at;
  } cases[] = {{"Ana", "Ana", 3},
               {"Ana<Left><Backspace>", "Aa", 1},
               {"ñu<Home>Ñ", "Ññu", 2},
               {"añb<Left><Left><Del>", "ab", 1},
               {"abc<Home><Right><End>d", "abcd", 4},
               {"<Backspace><Del><Left>x", "x", 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_edit edit = {0};
    cq_backend *recorder = cq_recorder_open(1, 1);
    cq_recorder_keys(recorder, cases[i].keys);
    for (cq_key key; (key = recorder->key(recorder, -1)) != CQ_KEY_GONE;) assert_true(cq_edit_type(&edit, key));
    assert_string_equal(edit.text.at, cases[i].text);
    assert_int_equal(edit.at, cases[i].at);
    recorder->close(recorder);
    cq_edit_fini(&edit);
  }
}

static void reads_answers_as_typed(void **state) {
  (void)state;
  static const struct {
    cq_type type;
    const char *typed, *stored;
  } cases[] = {{CQ_TYPE_STRING, " Ana ", " Ana "},
               {CQ_TYPE_INT, " 12 ", "12"},
               {CQ_TYPE_DECIMAL, "3,5", "3.5"},
               {CQ_TYPE_DECIMAL, "3.5", "3.5"},
               {CQ_TYPE_DECIMAL, "1.234,5", "1.234,5"},
               {CQ_TYPE_DATE, "7/3/2013", "2013-03-07"},
               {CQ_TYPE_DATE, "2013-03-07", "2013-03-07"},
               {CQ_TYPE_DATE, "07-03-2013", "2013-03-07"},
               {CQ_TYPE_DATE, "29/2/2013", "29/2/2013"},
               {CQ_TYPE_DATE, "7 marzo", "7 marzo"},
               {CQ_TYPE_TIME, "7:05", "07:05:00.000"},
               {CQ_TYPE_TIME, "25:00", "25:00"},
               {CQ_TYPE_DATE, "", ""}};
  cq_buf out = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_answer_from_typed(cases[i].type, cq_str_from(cases[i].typed), &out);
    assert_string_equal(out.at ? out.at : "", cases[i].stored);
  }
  cq_buf_reset(&out);
  cq_answer_to_typed(CQ_TYPE_DATE, CQ_STR("2013-03-07"), &out);
  assert_string_equal(out.at, "07/03/2013");
  cq_answer_toggle(CQ_STR("a b"), CQ_STR("a"), &out);
  assert_string_equal(out.at, "b");
  cq_answer_toggle(CQ_STR("a b"), CQ_STR("ab"), &out);
  assert_string_equal(out.at, "a b ab");
  cq_choice items[] = {{.value = CQ_STR("b")}, {.value = CQ_STR("a")}, {.value = CQ_STR("c")}};
  cq_choices choices = {3, items};
  cq_answer_in_order(&choices, CQ_STR("a zz b"), &out);
  assert_string_equal(out.at, "b a");
  assert_true(cq_fold_contains(cq_str_from("Quispe Ñahui"), cq_str_from("nÁhu")));
  assert_true(cq_fold_equal(cq_str_from(" SÍ "), cq_str_from("si")));
  assert_false(cq_fold_equal(cq_str_from("sierra"), cq_str_from("si")));
  cq_buf_fini(&out);
}

/* Every row of the table of actions is reached by its own keys wherever it is known. */
static void keys_mean_one_thing_in_one_place(void **state) {
  (void)state;
  static const unsigned places[] = {CQ_ON_START,
                                    CQ_ON_LIST,
                                    CQ_ON_HELP,
                                    CQ_ON_LOCK,
                                    CQ_ON_QUESTION | CQ_ON_TEXT | CQ_ON_MISSING | CQ_ON_REPEATED,
                                    CQ_ON_QUESTION | CQ_ON_CHOICES | CQ_ON_SEVERAL | CQ_ON_MISSING | CQ_ON_REPEATED,
                                    CQ_ON_QUESTION | CQ_ON_NOTE | CQ_ON_REPEATED};
  cq_buf keys = {0};
  const char *text;
  for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
    size_t rows = 0;
    while (cq_action_row(rows, places[p], &keys, &text)) {
      assert_true(keys.size > 0 && *text);
      rows++;
    }
    assert_true(rows >= 2);
    assert_int_not_equal(cq_action_of(CQ_KEY_ESCAPE, places[p]), CQ_DO_NOTHING);
  }
  /* Letters are typed wherever text is. */
  assert_int_equal(cq_action_of('?', CQ_ON_QUESTION | CQ_ON_TEXT), CQ_DO_NOTHING);
  assert_int_equal(cq_action_of(' ', CQ_ON_QUESTION | CQ_ON_TEXT), CQ_DO_NOTHING);
  assert_int_equal(cq_action_of(' ', CQ_ON_QUESTION | CQ_ON_CHOICES | CQ_ON_SEVERAL), CQ_DO_MARK);
  cq_buf_fini(&keys);
}

int main(void) {
  cq_cli_locale();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_columns),
      cmocka_unit_test(wraps_at_blanks),
      cmocka_unit_test(writes_cells),
      cmocka_unit_test(paints_what_changed),
      cmocka_unit_test(reads_scripts_of_keys),
      cmocka_unit_test(narrows_lists_without_accents),
      cmocka_unit_test(edits_text),
      cmocka_unit_test(reads_answers_as_typed),
      cmocka_unit_test(keys_mean_one_thing_in_one_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
