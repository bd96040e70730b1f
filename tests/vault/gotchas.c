/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What encrypted SQLite taught those who built it, each lesson a test. The crash, fault and damage campaigns beside
 * this file go over the same ground at random; here each is shown alone.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include "chasqui/file.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VAULT "/laptop.vault"
#define LOG "/laptop.vault-log"

static cq_vault *open_on_disk(void) {
  interview_prepare();
  return open_vault(VAULT, "disk");
}

static sqlite3_file *file_of(cq_vault *vault, int which) {
  sqlite3_file *file = NULL;
  assert_int_equal(sqlite3_file_control(cq_vault_db(vault), "main", which, &file), SQLITE_OK);
  assert_non_null(file);
  return file;
}

/* The two files as they stand, into a disk of their own: what a crash right now would leave, all writes arrived. */
static void crash_now(cq_vault *vault) {
  cq_buf file = {0}, log = {0};
  size_t size = 0;
  uint8_t *bytes = disk_bytes(VAULT, &size);
  cq_buf_add(&file, bytes, size);
  bytes = disk_bytes(LOG, &size);
  if (bytes) cq_buf_add(&log, bytes, size);
  cq_vault_close(vault);
  disk_clear();
  disk_load(VAULT, file.at, file.size);
  if (log.size) disk_load(LOG, log.at, log.size);
  cq_buf_fini(&file);
  cq_buf_fini(&log);
}

static void make_rows(cq_vault *vault, int rows) {
  char sql[256];
  snprintf(sql, sizeof sql,
           "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM "
           "n WHERE i<%d) INSERT INTO t SELECT i, 'palabra-clara-'||i||hex(zeroblob(200)) FROM n",
           rows);
  run_sql(vault, sql);
}

/* 1: SQLite reads 100 bytes before it recovers; a torn page 1 must not keep the log, which has it whole, unread. */
static void page_1_torn_and_whole_in_the_log(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  size_t size = 0;
  make_rows(vault, 50);
  crash_now(vault);
  memset(disk_bytes(VAULT, &size) + 8192 + 1000, 0xee, 2000);
  vault = open_vault(VAULT, "disk");
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 50);
  cq_vault_close(vault);
}

/* 2: some reads want part of a page. */
static void part_of_a_page(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  uint8_t page[4096], part[100];
  sqlite3_file *file = file_of(vault, SQLITE_FCNTL_FILE_POINTER);
  assert_int_equal(file->pMethods->xRead(file, page, 4096, 0), SQLITE_OK);
  assert_int_equal(file->pMethods->xRead(file, part, 16, 24), SQLITE_OK);
  assert_memory_equal(part, page + 24, 16);
  assert_int_equal(file->pMethods->xRead(file, part, 100, 4096 - 50), SQLITE_OK);
  assert_memory_equal(part, page + 4096 - 50, 50);
  cq_vault_close(vault);
}

static int header_writes, header_syncless;
static void watch_header(const char *name, const uint8_t *bytes, size_t size, int64_t offset) {
  (void)bytes;
  if (strcmp(name, VAULT) != 0 || offset >= 8192) return;
  header_writes++;
  if (size != 4096 || offset % 4096 != 0) header_syncless++;
}

/* 3: the header is made complete, and later never both copies at once: a sync stands between. */
static void header_never_rewritten_in_place(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  cq_error error;
  cq_error_clear(&error);
  header_writes = header_syncless = 0;
  for (int i = 0; i < 2; i++) {
    disk_watch(watch_header);
    disk_fail(FAULT_SYNC, (size_t)i, false);
    size_t size = 0;
    uint8_t before[8192], *now;
    memcpy(before, disk_bytes(VAULT, &size), sizeof before);
    assert_int_equal(cq_vault_add_technician(vault, OTHER_PASSPHRASE, "otra", NULL, &error), CQ_IO);
    now = disk_bytes(VAULT, &size);
    /* the first sync failed: the second copy is still what it was */
    if (i == 0) assert_memory_equal(now + 4096, before + 4096, 4096);
    cq_vault_close(vault);
    disk_fail(FAULT_NONE, 0, false);
    vault = open_on_disk();
  }
  disk_watch(NULL);
  assert_int_equal(header_writes, 3);
  assert_int_equal(header_syncless, 0);
  cq_vault_close(vault);

  /* creation in a folder that takes no file leaves nothing */
  cq_vault_options options = test_options(NULL);
  assert_int_not_equal(cq_vault_create(&vault, "/no/such/folder/a.vault", PASSPHRASE, LABEL, NULL, 0, &options, &error),
                       CQ_OK);
  assert_null(vault);
}

/* 4: the reserve is there from the first byte and survives VACUUM; VACUUM INTO would leave the shim, and is refused. */
static void reserve_before_the_first_write(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  uint8_t first[24];
  sqlite3_file *file = file_of(vault, SQLITE_FCNTL_FILE_POINTER);
  assert_int_equal(file->pMethods->xRead(file, first, 24, 0), SQLITE_OK);
  assert_int_equal(first[20], 64);
  make_rows(vault, 500);
  run_sql(vault, "DELETE FROM t WHERE a > 100; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  assert_int_equal(file->pMethods->xRead(file, first, 24, 0), SQLITE_OK);
  assert_int_equal(first[20], 64);
  int rc = sqlite3_exec(cq_vault_db(vault), "VACUUM INTO '/tmp/plain-copy-of-a-vault'", NULL, NULL, NULL);
  assert_int_equal(rc & 0xff, SQLITE_CANTOPEN);
  assert_int_not_equal(access("/tmp/plain-copy-of-a-vault", F_OK), 0);
  cq_vault_close(vault);
}

/* 5: a backup of a plain database over the vault would make it plain. */
static void plain_backup_refused(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  sqlite3 *plain = NULL;
  cq_vault_scrubbed found;
  make_rows(vault, 50);
  assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
  sqlite3_exec(plain, "CREATE TABLE x(y); INSERT INTO x VALUES('claro')", NULL, NULL, NULL);
  sqlite3_backup *backup = sqlite3_backup_init(cq_vault_db(vault), "main", plain, "main");
  if (backup) {
    assert_int_not_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_not_equal(sqlite3_backup_finish(backup), SQLITE_OK);
  }
  sqlite3_close(plain);
  cq_vault_close(vault);
  vault = open_vault(VAULT, "disk");
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 50);
  assert_int_equal(cq_vault_scrub(vault, &found, NULL), CQ_OK);
  cq_vault_close(vault);
}

/* 6: what the file's form stands on cannot be changed from SQL. */
static void pragmas_are_fixed(void **state) {
  (void)state;
  static const char *const tries[] = {
      "PRAGMA page_size=1024",      "PRAGMA journal_mode=DELETE", "PRAGMA main.journal_mode=OFF",
      "PRAGMA locking_mode=NORMAL", "PRAGMA synchronous=OFF",     "PRAGMA mmap_size=1000000",
      "PRAGMA temp_store=FILE",     "PRAGMA secure_delete=OFF",   "PRAGMA writable_schema=ON"};
  cq_vault *vault = open_on_disk();
  for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
    if (sqlite3_exec(cq_vault_db(vault), tries[i], NULL, NULL, NULL) == SQLITE_OK) fail_msg("%s", tries[i]);
  assert_int_equal(ask_number(vault, "PRAGMA page_size"), 4096);
  assert_int_equal(ask_number(vault, "PRAGMA synchronous"), 2);
  cq_vault_close(vault);
}

static bool holds(const uint8_t *bytes, size_t size, const void *needle, size_t needle_size) {
  for (size_t i = 0; needle_size && i + needle_size <= size; i++)
    if (memcmp(bytes + i, needle, needle_size) == 0) return true;
  return false;
}

/* 7: frame headers tell page numbers and checksums of plaintext: they are inside the ciphertext too. */
static void nothing_readable_in_any_file(void **state) {
  (void)state;
  static const char *const known[] = {"palabra-clara-", "CREATE TABLE",    "SQLite format 3",
                                      "encuestadora",   "quinua y lluvia", "0000000000000000"};
  cq_vault *vault = open_on_disk();
  size_t size = 0, log_size = 0;
  make_rows(vault, 2000);
  uint8_t *bytes = disk_bytes(VAULT, &size), *log = disk_bytes(LOG, &log_size);
  assert_true(size > 4096 && log_size > 4096);
  assert_int_equal(log_size % 4096, 0);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    assert_false(holds(bytes, size, known[i], strlen(known[i])));
    assert_false(holds(log, log_size, known[i], strlen(known[i])));
  }
  /* SQLite's own log header and first frame header, as they would stand in a plain log */
  assert_false(holds(log, log_size, "\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x10\x00", 12));
  run_sql(vault, "PRAGMA wal_checkpoint(TRUNCATE)");
  bytes = disk_bytes(VAULT, &size);
  assert_true(size > 100 * 4096);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    assert_false(holds(bytes, size, known[i], strlen(known[i])));
  cq_vault_close(vault);
}

/* 8: in recovery what does not open ends the log, and is said; in a read it is an error, never other content. */
static void damage_in_the_log_is_said(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  size_t size = 0;
  cq_error error;
  run_sql(vault, "PRAGMA wal_autocheckpoint=0");
  make_rows(vault, 1000);
  run_sql(vault, "PRAGMA cache_size=0");
  sqlite3_db_release_memory(cq_vault_db(vault));
  uint8_t *log = disk_bytes(LOG, &size);
  for (size_t block = 10; block < size / 4096; block++) log[block * 4096 + 50] ^= 1;
  int rc = sqlite3_exec(cq_vault_db(vault), "SELECT sum(length(b)) FROM t", NULL, NULL, NULL);
  assert_int_equal(rc, SQLITE_IOERR_DATA);
  assert_int_equal(cq_vault_error(vault, rc, &error), CQ_DAMAGED);
  assert_string_equal(error.code, "vault.damaged.page");
  crash_now(vault);
  vault = open_vault(VAULT, "disk");
  assert_int_equal(cq_vault_log_found(vault), CQ_VAULT_LOG_TORN);
  cq_vault_close(vault);
}

/* 9: a transaction larger than the cache writes frames twice, and SQLite then corrects their headers alone. */
static void frames_written_twice(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  run_sql(vault, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=6");
  make_rows(vault, 400);
  run_sql(vault, "BEGIN; UPDATE t SET b = 'nunca'; ROLLBACK");
  run_sql(vault, "BEGIN; UPDATE t SET b = b || 'x'; UPDATE t SET b = b || 'y' WHERE a % 2; "
                 "UPDATE t SET b = b || 'z' WHERE a % 3 = 0");
  int64_t length = ask_number(vault, "SELECT sum(length(b)) FROM t");
  run_sql(vault, "COMMIT");
  crash_now(vault); /* at once: the last header corrected must have been written before the sync */
  vault = open_vault(VAULT, "disk");
  assert_int_equal(cq_vault_log_found(vault), CQ_VAULT_LOG_CLEAN);
  assert_int_equal(ask_number(vault, "SELECT sum(length(b)) FROM t"), length);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t WHERE b = 'nunca'"), 0);
  cq_vault_close(vault);
}

enum { NONCES = 60000 };
static uint8_t (*nonces)[24];
static size_t nonce_count;
static void watch_nonces(const char *name, const uint8_t *bytes, size_t size, int64_t offset) {
  if (size != 4096 || (strcmp(name, VAULT) == 0 && offset < 8192)) return;
  assert_true(nonce_count < NONCES);
  memcpy(nonces[nonce_count++], bytes + 4056, 24);
}
static int by_bytes(const void *a, const void *b) {
  return memcmp(a, b, 24);
}

/* 10: the same frame is written again under the same salts; its nonce never. */
static void nonces_never_repeat(void **state) {
  (void)state;
  nonces = calloc(NONCES, sizeof *nonces);
  assert_non_null(nonces);
  nonce_count = 0;
  cq_vault *vault = open_on_disk();
  disk_watch(watch_nonces);
  run_sql(vault, "PRAGMA cache_size=6");
  make_rows(vault, 2000);
  for (int round = 0; round < 6; round++) {
    run_sql(vault, "BEGIN; UPDATE t SET b = b || 'x' WHERE a % 5 = 1; ROLLBACK");
    run_sql(vault, "UPDATE t SET b = b || 'y' WHERE a % 7 = 2");
    crash_now(vault);
    disk_watch(watch_nonces);
    vault = open_vault(VAULT, "disk");
    run_sql(vault, "PRAGMA cache_size=6");
  }
  cq_vault_close(vault);
  disk_watch(NULL);
  qsort(nonces, nonce_count, sizeof *nonces, by_bytes);
  for (size_t i = 1; i < nonce_count; i++) assert_memory_not_equal(nonces[i - 1], nonces[i], 24);
  print_message("nonces: %zu blocks sealed, no nonce twice\n", nonce_count);
  assert_true(nonce_count > 5000);
  free(nonces);
}

/* 11: a frame of the log as it was before is not one of this log, though in its own place and under the same key. */
static void frames_of_an_earlier_log(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  uint8_t old[4096];
  size_t size = 0;
  run_sql(vault, "CREATE TABLE t(a); INSERT INTO t VALUES('viejo')");
  memcpy(old, disk_bytes(LOG, &size) + 2 * 4096, 4096);
  run_sql(vault, "PRAGMA wal_checkpoint(TRUNCATE)");
  run_sql(vault, "PRAGMA wal_autocheckpoint=0; UPDATE t SET a='nuevo'; INSERT INTO t VALUES('dos')");
  assert_true(size > 2 * 4096);
  memcpy(disk_bytes(LOG, &size) + 2 * 4096, old, 4096);
  run_sql(vault, "PRAGMA cache_size=0");
  sqlite3_db_release_memory(cq_vault_db(vault));
  assert_int_not_equal(sqlite3_exec(cq_vault_db(vault), "SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
  crash_now(vault);
  vault = open_vault(VAULT, "disk");
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t WHERE a='viejo'"),
                   ask_number(vault, "SELECT count(*) FROM t WHERE a='viejo' AND (SELECT count(*) FROM t)=1"));
  cq_vault_close(vault);
}

static int unaligned;
static void watch_alignment(const char *name, const uint8_t *bytes, size_t size, int64_t offset) {
  (void)name, (void)bytes;
  unaligned += size != 4096 || offset % 4096 != 0;
}

/* 12: power-safe overwrite is claimed, and nothing else; and each write is a whole sector that no other block uses. */
static void every_write_is_one_sector(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  sqlite3_file *file = file_of(vault, SQLITE_FCNTL_FILE_POINTER), *log = file_of(vault, SQLITE_FCNTL_JOURNAL_POINTER);
  assert_int_equal(file->pMethods->xDeviceCharacteristics(file), SQLITE_IOCAP_POWERSAFE_OVERWRITE);
  assert_int_equal(log->pMethods->xDeviceCharacteristics(log), SQLITE_IOCAP_POWERSAFE_OVERWRITE);
  unaligned = 0;
  disk_watch(watch_alignment);
  run_sql(vault, "PRAGMA cache_size=6");
  make_rows(vault, 1000);
  run_sql(vault, "UPDATE t SET b=b||'x'; DELETE FROM t WHERE a%2; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  disk_watch(NULL);
  assert_int_equal(unaligned, 0);
  cq_vault_close(vault);
}

/* A frame's header that was given, and its page never: SQLite gives both anew, and nothing stands in its way. */
static void a_header_without_its_page_is_forgotten(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  run_sql(vault, "CREATE TABLE t(a); INSERT INTO t VALUES('uno')");
  sqlite3_file *log = file_of(vault, SQLITE_FCNTL_JOURNAL_POINTER);
  uint8_t header[24] = {0, 0, 0, 9};
  sqlite3_int64 size = 0;
  assert_int_equal(log->pMethods->xFileSize(log, &size), SQLITE_OK);
  assert_int_equal(log->pMethods->xWrite(log, header, sizeof header, size), SQLITE_OK);
  run_sql(vault, "INSERT INTO t VALUES('dos')");
  assert_int_equal(log->pMethods->xWrite(log, header, sizeof header, size + 100 * (24 + 4096)), SQLITE_OK);
  assert_int_equal(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_OK);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 2);
  crash_now(vault);
  vault = open_vault(VAULT, "disk");
  assert_int_equal(cq_vault_log_found(vault), CQ_VAULT_LOG_CLEAN);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 2);
  cq_vault_close(vault);
}

/* 13: no shared memory, no journal, no temporary file: the folder holds the vault and its log. */
static void no_other_file_appears(void **state) {
  (void)state;
  char folder[600];
  int files = 0;
  const char *path = test_path("only/x.vault");
  snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/x.vault")), path);
  assert_int_equal(cq_file_make_folder(folder, NULL), CQ_OK);
  cq_vault *vault = make_vault(path, NULL);
  run_sql(vault, "PRAGMA cache_size=6");
  make_rows(vault, 2000);
  run_sql(vault, "BEGIN; UPDATE t SET b=b||'x'; CREATE INDEX i ON t(b)");
  DIR *seen = opendir(folder);
  assert_non_null(seen);
  for (struct dirent *entry; (entry = readdir(seen)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    files++;
    assert_true(strcmp(entry->d_name, "x.vault") == 0 || strcmp(entry->d_name, "x.vault-log") == 0);
  }
  closedir(seen);
  assert_int_equal(files, 2);
  run_sql(vault, "COMMIT");
  cq_vault_close(vault);
  remove_vault(path);
  rmdir(folder);
}

/* 14: version 1 of the methods (no mmap, no shared memory), hints swallowed, and no holes. */
static void no_holes_and_no_maps(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  sqlite3_file *file = file_of(vault, SQLITE_FCNTL_FILE_POINTER);
  sqlite3_int64 hint = 1 << 24, before = 0, after = 0;
  uint8_t page[4096] = {0};
  size_t size = 0;
  assert_int_equal(file->pMethods->iVersion, 1);
  assert_int_equal(file->pMethods->xFileSize(file, &before), SQLITE_OK);
  assert_int_equal(file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
  assert_int_equal(file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &(int){65536}), SQLITE_OK);
  assert_int_equal(file->pMethods->xFileControl(file, SQLITE_FCNTL_MMAP_SIZE, &hint), SQLITE_OK);
  assert_int_equal(hint, 0);
  assert_int_equal(file->pMethods->xFileSize(file, &after), SQLITE_OK);
  assert_int_equal(before, after);
  assert_int_equal(file->pMethods->xWrite(file, page, 4096, before + 5 * 4096), SQLITE_OK);
  uint8_t *bytes = disk_bytes(VAULT, &size);
  assert_int_equal(size, 8192 + before + 6 * 4096);
  assert_false(sodium_is_zero(bytes + 8192 + before, 4096));
  assert_int_equal(file->pMethods->xRead(file, page, 4096, before + 2 * 4096), SQLITE_OK);
  assert_true(sodium_is_zero(page, sizeof page));
  /* neither half pages nor a used reserve are ever written */
  assert_int_not_equal(file->pMethods->xWrite(file, page, 512, 0), SQLITE_OK);
  page[4095] = 1;
  assert_int_not_equal(file->pMethods->xWrite(file, page, 4096, 4096), SQLITE_OK);
  cq_vault_close(vault);
}

/* 15: without the shim nothing opens; through the shim nothing else does, and nothing once the key is gone. */
static void topmost_or_nothing(void **state) {
  (void)state;
  const char *path = test_path("top.vault");
  cq_vault *vault = make_vault(path, NULL);
  sqlite3 *other = NULL;
  make_rows(vault, 10);
  int rc = sqlite3_exec(cq_vault_db(vault), "ATTACH '/tmp/other.db' AS o", NULL, NULL, NULL);
  assert_int_equal(rc & 0xff, SQLITE_CANTOPEN);
  sqlite3_vfs *shim = NULL;
  assert_int_equal(sqlite3_file_control(cq_vault_db(vault), "main", SQLITE_FCNTL_VFS_POINTER, &shim), SQLITE_OK);
  assert_int_equal(sqlite3_open_v2("/tmp/other.db", &other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, shim->zName),
                   SQLITE_CANTOPEN);
  sqlite3_close(other);
  char journal[700];
  snprintf(journal, sizeof journal, "%s-journal", path);
  run_sql(vault, "INSERT INTO t VALUES(11,'solo en el registro')");
  write_file(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 a journal laid beside", 30);
  cq_vault_lock(vault);
  assert_int_equal(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, shim->zName), SQLITE_CANTOPEN);
  sqlite3_close(other);
  cq_vault_close(vault);
  assert_int_equal(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_exec(other, "SELECT * FROM sqlite_schema", NULL, NULL, NULL), SQLITE_NOTADB);
  sqlite3_close(other);
  /* the plain SQLite removed no log, and the journal is not played back */
  vault = open_vault(path, NULL);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t"), 11);
  cq_vault_close(vault);
  remove_vault(path);
}

static long locked_kib(void) {
  char line[200];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file)) (void)sscanf(line, "VmLck: %ld", &kib);
  if (file) fclose(file);
  return kib;
}

/* 16: locked memory is little: one page of keys for each vault, whatever it opens. */
static void one_keyring(void **state) {
  (void)state;
  long before = locked_kib();
  cq_vault *vault = open_on_disk();
  make_rows(vault, 100);
  assert_true(locked_kib() - before <= 8);
  cq_vault_close(vault);
  assert_int_equal(locked_kib(), before);
}

/* 17: SQLite does not look at free pages; scrub does. */
static void scrub_sees_free_pages(void **state) {
  (void)state;
  cq_vault *vault = open_on_disk();
  cq_vault_scrubbed found;
  cq_error error;
  size_t size = 0;
  make_rows(vault, 1000);
  run_sql(vault, "DELETE FROM t WHERE a > 10; PRAGMA wal_checkpoint(TRUNCATE)");
  assert_true(ask_number(vault, "PRAGMA freelist_count") > 50);
  assert_int_equal(cq_vault_scrub(vault, &found, &error), CQ_OK);
  disk_bytes(VAULT, &size)[size - 1000] ^= 1;
  sqlite3_stmt *check = NULL;
  sqlite3_prepare_v2(cq_vault_db(vault), "PRAGMA integrity_check", -1, &check, NULL);
  assert_int_equal(sqlite3_step(check), SQLITE_ROW);
  assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
  sqlite3_finalize(check);
  assert_int_equal(cq_vault_scrub(vault, &found, &error), CQ_DAMAGED);
  assert_int_equal(found.pages_damaged, 1);
  assert_false(found.structure_damaged);
  cq_vault_close(vault);
}

/* 18: an old copy of the whole file opens, as it must; what it repeats is a number of the device's chain. */
static void an_old_copy_repeats_a_number(void **state) {
  (void)state;
  cq_store *store = NULL;
  int64_t first = 0, second = 0, again = 0;
  uint8_t hash[32], old_hash[32];
  cq_buf old = {0};
  size_t size = 0;
  interview_prepare();
  assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
  for (int i = 0; i < 14; i++) assert_int_equal(interview_step(store, i, NULL), CQ_OK);
  assert_int_equal(cq_store_batch_next(store, &first, old_hash, NULL), CQ_OK);
  cq_store_close(store);
  uint8_t *bytes = disk_bytes(VAULT, &size);
  cq_buf_add(&old, bytes, size);
  assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
  assert_int_equal(interview_step(store, 14, NULL), CQ_OK);
  assert_int_equal(cq_store_batch_next(store, &second, hash, NULL), CQ_OK);
  cq_store_close(store);
  disk_clear();
  disk_load(VAULT, old.at, old.size);
  assert_int_equal(interview_open(&store, NULL, NULL), CQ_OK);
  assert_int_equal(cq_store_batch_next(store, &again, hash, NULL), CQ_OK);
  assert_int_equal(second, first + 1);
  assert_int_equal(again, first);
  assert_memory_equal(hash, old_hash, 32);
  cq_store_close(store);
  cq_buf_fini(&old);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(page_1_torn_and_whole_in_the_log),
      cmocka_unit_test(part_of_a_page),
      cmocka_unit_test(header_never_rewritten_in_place),
      cmocka_unit_test(reserve_before_the_first_write),
      cmocka_unit_test(plain_backup_refused),
      cmocka_unit_test(pragmas_are_fixed),
      cmocka_unit_test(nothing_readable_in_any_file),
      cmocka_unit_test(damage_in_the_log_is_said),
      cmocka_unit_test(frames_written_twice),
      cmocka_unit_test(nonces_never_repeat),
      cmocka_unit_test(frames_of_an_earlier_log),
      cmocka_unit_test(every_write_is_one_sector),
      cmocka_unit_test(a_header_without_its_page_is_forgotten),
      cmocka_unit_test(no_other_file_appears),
      cmocka_unit_test(no_holes_and_no_maps),
      cmocka_unit_test(topmost_or_nothing),
      cmocka_unit_test(one_keyring),
      cmocka_unit_test(scrub_sees_free_pages),
      cmocka_unit_test(an_old_copy_repeats_a_number),
  };
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  return failed;
}
