/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was deleted is in no page of the file, not even between the cells that are still there: SQLite's secure_delete
 * zeroes what it frees, but a page that it fills anew keeps old bytes in its gap.
 */
#include "tests/vault/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3000, SIZE_MOST = 1800 };

/* Each row says its number all over: "<1234><1234>…". */
static void put_row(sqlite3_stmt *put, int number, uint64_t *seed) {
  char word[16], text[SIZE_MOST + 16];
  int word_size = snprintf(word, sizeof word, "<%06d>", number);
  int size = 0, wanted = 20 + (int)(next_number(seed) % SIZE_MOST);
  while (size + word_size <= wanted) {
    memcpy(text + size, word, (size_t)word_size);
    size += word_size;
  }
  sqlite3_bind_int64(put, 1, (int64_t)(next_number(seed) >> 1));
  sqlite3_bind_int(put, 2, number);
  sqlite3_bind_text(put, 3, text, size, SQLITE_TRANSIENT);
  assert_int_equal(sqlite3_step(put), SQLITE_DONE);
  sqlite3_reset(put);
}

static void put_rows(cq_vault *vault, int from, int to, uint64_t *seed) {
  sqlite3_stmt *put = NULL;
  run_sql(vault, "BEGIN");
  for (int table = 0; table < 2; table++) {
    const char *sql = table ? "INSERT INTO b VALUES (?1, ?2, ?3)" : "INSERT INTO a VALUES (?1, ?2, ?3)";
    assert_int_equal(sqlite3_prepare_v2(cq_vault_db(vault), sql, -1, &put, NULL), SQLITE_OK);
    for (int i = from; i < to; i++) put_row(put, i, seed);
    sqlite3_finalize(put);
  }
  run_sql(vault, "COMMIT");
}

/* The pages as they stand in the file: how many words of rows that are gone, and of rows that are there. */
static void count_words(cq_vault *vault, size_t *gone, size_t *there) {
  sqlite3_int64 size = 0;
  unsigned char *pages = sqlite3_serialize(cq_vault_db(vault), "main", &size, 0);
  bool *kept = calloc(ROWS, sizeof *kept);
  sqlite3_stmt *ask = NULL;
  assert_non_null(pages);
  assert_non_null(kept);
  assert_int_equal(sqlite3_prepare_v2(cq_vault_db(vault), "SELECT n FROM a UNION SELECT n FROM b", -1, &ask, NULL),
                   SQLITE_OK);
  while (sqlite3_step(ask) == SQLITE_ROW) kept[sqlite3_column_int(ask, 0)] = true;
  sqlite3_finalize(ask);
  *gone = *there = 0;
  for (sqlite3_int64 i = 0; i + 8 <= size; i++) {
    int number = 0;
    if (pages[i] != '<' || pages[i + 7] != '>') continue;
    for (int d = 1; d <= 6 && number >= 0; d++)
      number = pages[i + d] >= '0' && pages[i + d] <= '9' ? number * 10 + pages[i + d] - '0' : -1;
    if (number < 0) continue;
    assert_in_range(number, 0, ROWS - 1);
    *(kept[number] ? there : gone) += 1;
  }
  free(kept);
  sqlite3_free(pages);
}

static void nothing_stays_of_what_was_deleted(void **state) {
  (void)state;
  const char *path = test_path("traces.vault");
  remove_vault(path);
  cq_vault *vault = make_vault(path, NULL);
  uint64_t seed = 7;
  size_t gone, there;
  run_sql(vault, "CREATE TABLE a(k INTEGER, n INTEGER, t TEXT, PRIMARY KEY (k)) WITHOUT ROWID;"
                 "CREATE TABLE b(k INTEGER PRIMARY KEY, n INTEGER, t TEXT)");
  put_rows(vault, 0, ROWS / 2, &seed);
  run_sql(vault, "DELETE FROM a WHERE n % 3 = 1; UPDATE b SET t = '' WHERE n % 3 = 1");
  put_rows(vault, ROWS / 2, ROWS, &seed);
  run_sql(vault, "DELETE FROM a WHERE n % 3 > 0; UPDATE b SET t = NULL WHERE n % 3 > 0");
  run_sql(vault, "DELETE FROM b WHERE n % 3 > 0");
  cq_vault_close(vault);
  vault = open_vault(path, NULL);
  count_words(vault, &gone, &there);
  assert_true(there > ROWS);
  assert_int_equal(gone, 0);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM a"), ROWS / 3);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
  cq_vault_close(vault);
  remove_vault(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_stays_of_what_was_deleted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
