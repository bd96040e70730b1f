/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever knows the passphrase can find in a vault's file: its pages as they are, then every value of every table,
 * records unpressed. usage: pages VAULT PASSPHRASE-FILE */
#include "chasqui/file.h"
#include "chasqui/record.h"
#include "chasqui/vault.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const cq_error *error) {
  fprintf(stderr, "pages: %s\n", error->code ? error->code : "?");
  return 1;
}

static void write_values(sqlite3 *db, const char *table, cq_record_press *press) {
  sqlite3_stmt *s = NULL;
  char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
  if (sql && sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK)
    while (sqlite3_step(s) == SQLITE_ROW)
      for (int i = 0; i < sqlite3_column_count(s); i++) {
        cq_str value = {sqlite3_column_blob(s, i), (size_t)sqlite3_column_bytes(s, i)}, plain;
        if (value.at && cq_record_press_out(press, &plain, value, NULL) == CQ_OK)
          fwrite(plain.at, 1, plain.size, stdout);
        putchar('\n');
      }
  sqlite3_finalize(s);
  sqlite3_free(sql);
}

int main(int argc, char **argv) {
  cq_error error;
  cq_buf phrase = {0};
  cq_vault *vault = NULL;
  sqlite3_int64 size = 0;
  sqlite3_stmt *s = NULL;
  cq_error_clear(&error);
  if (argc != 3) return 2;
  if (cq_file_read(argv[2], 4096, &phrase, &error) != CQ_OK ||
      cq_vault_open(&vault, argv[1], cq_str_trim(cq_buf_str(&phrase)), NULL, &error) != CQ_OK)
    return fail(&error);
  sqlite3 *db = cq_vault_db(vault);
  unsigned char *pages = sqlite3_serialize(db, "main", &size, 0);
  cq_record_press *press = cq_record_press_new();
  if (!pages || !press) return 1;
  fwrite(pages, 1, (size_t)size, stdout);
  sqlite3_free(pages);
  if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &s, NULL) == SQLITE_OK)
    while (sqlite3_step(s) == SQLITE_ROW) write_values(db, (const char *)sqlite3_column_text(s, 0), press);
  sqlite3_finalize(s);
  cq_record_press_free(press);
  cq_vault_close(vault);
  cq_buf_fini_secret(&phrase);
  return 0;
}
