/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault against plain SQLite, and against SQLCipher where that is installed: the same SQL on the same disk, the
 * engines taking turns in one run, and the median of each turn's ratio. Not a test: times belong to a machine.
 *
 * usage: bench_vault [FOLDER]   (where the files are made; the current folder else)
 */
#include "chasqui/store.h"

#include <dlfcn.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 9, ANSWERS = 200, ROWS = 120000, LOOKUPS = 4000, ENGINES = 3 };
enum { PLAIN, VAULT, CIPHER };

typedef struct engine {
  const char *name;
  sqlite3 *db;
  int (*open)(const char *, sqlite3 **);
  int (*close)(sqlite3 *);
  int (*exec)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
  int (*prepare)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
  int (*bind)(sqlite3_stmt *, int, sqlite3_int64);
  int (*step)(sqlite3_stmt *);
  int (*reset)(sqlite3_stmt *);
  int (*finalize)(sqlite3_stmt *);
  int (*release)(sqlite3 *);
  cq_vault *vault;
} engine;

/* Wall time where the disk is waited for; else processor time, which other work on the machine does not change. */
static double time_ms(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static void must(const engine *which, int rc, const char *what) {
  if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) return;
  fprintf(stderr, "%s: %s: %d\n", which->name, what, rc);
  exit(1);
}

static void run(engine *which, const char *sql) {
  must(which, which->exec(which->db, sql, NULL, NULL, NULL), sql);
}

#define FROM(handle, into, symbol) (*(void **)(&(into)) = dlsym(handle, symbol))

static bool load(engine *which, const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (!handle) return false;
  FROM(handle, which->open, "sqlite3_open");
  FROM(handle, which->close, "sqlite3_close");
  FROM(handle, which->exec, "sqlite3_exec");
  FROM(handle, which->prepare, "sqlite3_prepare_v2");
  FROM(handle, which->bind, "sqlite3_bind_int64");
  FROM(handle, which->step, "sqlite3_step");
  FROM(handle, which->reset, "sqlite3_reset");
  FROM(handle, which->finalize, "sqlite3_finalize");
  FROM(handle, which->release, "sqlite3_db_release_memory");
  return which->open && which->step;
}

static void remove_files(const char *path) {
  static const char *const endings[] = {"", "-wal", "-shm", "-log"};
  char name[1600];
  for (size_t i = 0; i < 4; i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
}

static const char tables[] = "CREATE TABLE trail(sequence INTEGER PRIMARY KEY, draft INTEGER, hash BLOB, ref TEXT, "
                             "before TEXT, after TEXT);"
                             "CREATE INDEX trail_draft ON trail(draft);"
                             "CREATE TABLE row(id INTEGER PRIMARY KEY, body TEXT);";

static void open_engine(engine *which, int kind, const char *path) {
  remove_files(path);
  if (kind == VAULT) {
    cq_vault_options options = {.effort = CQ_VAULT_EFFORT_LEAST};
    cq_error error;
    cq_error_clear(&error);
    if (cq_vault_create(&which->vault, path, CQ_STR("una frase para medir"), "medida", NULL, 0, &options, &error)) {
      fprintf(stderr, "vault: %s\n", error.code);
      exit(1);
    }
    which->db = cq_vault_db(which->vault);
  } else {
    must(which, which->open(path, &which->db), "open");
    if (kind == CIPHER)
      run(which, "PRAGMA key=\"x'2DD29CA851E7B56E4697B0E1F08507293D761A05CE4D1B628663F411A8086D99'\";"
                 "PRAGMA cipher_page_size=4096");
    run(which, "PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-8192");
  }
  run(which, tables);
}

/* One accepted answer: one durable transaction. */
static double autosave(engine *which) {
  sqlite3_stmt *insert = NULL;
  must(which,
       which->prepare(which->db,
                      "INSERT INTO trail(draft, hash, ref, before, after) VALUES (?1, randomblob(64), "
                      "'/f01/hogar/produccion/quinua_kg', '', '1250')",
                      -1, &insert, NULL),
       "insert");
  double from = time_ms(CLOCK_MONOTONIC);
  for (int i = 0; i < ANSWERS; i++) {
    run(which, "BEGIN IMMEDIATE");
    which->bind(insert, 1, 7);
    must(which, which->step(insert), "insert");
    which->reset(insert);
    run(which, "COMMIT");
  }
  double took = time_ms(CLOCK_MONOTONIC) - from;
  which->finalize(insert);
  return took / ANSWERS;
}

static void fill(engine *which) {
  char sql[300];
  snprintf(sql, sizeof sql,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO row SELECT i, "
           "hex(randomblob(100)) FROM n",
           ROWS);
  run(which, sql);
  run(which, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static double scan(engine *which) {
  which->release(which->db);
  double from = time_ms(CLOCK_PROCESS_CPUTIME_ID);
  run(which, "SELECT count(*), max(length(body)) FROM row");
  return time_ms(CLOCK_PROCESS_CPUTIME_ID) - from;
}

/* With a cache of 64 pages for a table of 7,000: each look-up reads its leaf from the file. */
static double look_up(engine *which) {
  sqlite3_stmt *ask = NULL;
  uint64_t at = 1;
  run(which, "PRAGMA cache_size=64");
  which->release(which->db);
  must(which, which->prepare(which->db, "SELECT body FROM row WHERE id=?1", -1, &ask, NULL), "look up");
  double from = time_ms(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < LOOKUPS; i++) {
    at = at * 6364136223846793005u + 1442695040888963407u;
    which->bind(ask, 1, (sqlite3_int64)(at >> 33) % ROWS + 1);
    must(which, which->step(ask), "look up");
    which->reset(ask);
  }
  double took = time_ms(CLOCK_PROCESS_CPUTIME_ID) - from;
  which->finalize(ask);
  run(which, "PRAGMA cache_size=-8192");
  return took * 1e3 / LOOKUPS;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
static double median(double *values) {
  double copy[TURNS];
  memcpy(copy, values, sizeof copy);
  qsort(copy, TURNS, sizeof *copy, by_value);
  return copy[TURNS / 2];
}

static void measure(engine *engines, int count, const char *name, const char *unit, double (*work)(engine *),
                    double reach) {
  double took[ENGINES][TURNS], ratio[TURNS];
  for (int turn = 0; turn < TURNS; turn++)
    for (int e = 0; e < count; e++) took[(e + turn) % count][turn] = work(&engines[(e + turn) % count]);
  printf("%-34s", name);
  for (int e = 0; e < count; e++) printf("  %s %.2f %s", engines[e].name, median(took[e]), unit);
  for (int e = 1; e < count; e++) {
    for (int turn = 0; turn < TURNS; turn++) ratio[turn] = took[e][turn] / took[PLAIN][turn];
    printf("  %s/plain %.2f", engines[e].name, median(ratio));
    if (e == VAULT) printf(" (reach %.1f)", reach);
  }
  printf("\n");
}

static double store_answer(const char *folder) {
  char path[500];
  uint8_t form[32];
  int64_t draft = 0;
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  cq_vault_options options = {.effort = CQ_VAULT_EFFORT_LEAST};
  cq_store_form row = {
      .id = CQ_STR("f"), .version = CQ_STR("1"), .title = CQ_STR("f"), .status = 1, .bytes = CQ_STR("x")};
  snprintf(path, sizeof path, "%s/bench-store.vault", folder);
  remove_files(path);
  crypto_generichash(form, 32, (const uint8_t *)"x", 1, NULL, 0);
  memcpy(row.hash, form, 32);
  if (cq_vault_create(&vault, path, CQ_STR("una frase para medir"), "medida", NULL, 0, &options, NULL) ||
      cq_store_open(&store, vault, NULL, NULL) ||
      cq_store_bundle_adopt(store, 1, CQ_STR("b"), &row, 1, NULL, 0, NULL) ||
      cq_store_draft_begin(store, &draft, form, CQ_STR("t"), CQ_STR(""), CQ_STR(""), NULL))
    exit(1);
  double from = time_ms(CLOCK_MONOTONIC);
  for (int i = 0; i < ANSWERS; i++) {
    cq_store_answer answer = {.reference = CQ_STR("/f01/hogar/produccion/quinua_kg"), .after = CQ_STR("1250")};
    if (cq_store_draft_answer(store, draft, &answer, NULL, NULL)) exit(1);
  }
  double took = (time_ms(CLOCK_MONOTONIC) - from) / ANSWERS;
  cq_store_close(store);
  remove_files(path);
  return took;
}

int main(int argc, char **argv) {
  engine engines[ENGINES] = {{.name = "plain"}, {.name = "vault"}, {.name = "sqlcipher"}};
  const char *folder = argc > 1 ? argv[1] : ".";
  char path[ENGINES][500];
  if (!load(&engines[PLAIN], "libsqlite3.so.0") || !load(&engines[VAULT], "libsqlite3.so.0")) return 1;
  int count = load(&engines[CIPHER], "libsqlcipher.so.0") ? 3 : 2;
  for (int e = 0; e < count; e++) {
    snprintf(path[e], sizeof path[e], "%s/bench-%s.db", folder, engines[e].name);
    open_engine(&engines[e], e, path[e]);
    fill(&engines[e]);
  }
  printf("SQLite %s; %d turns, medians%s\n", sqlite3_libversion(), TURNS,
         count == 2 ? "; SQLCipher is not installed" : "");
  measure(engines, count, "autosave of one answer, durable", "ms", autosave, 1.3);
  measure(engines, count, "full scan", "ms", scan, 2.1);
  measure(engines, count, "point look-up, cold cache", "us", look_up, 2.3);
  printf("%-34s  vault %.2f ms\n", "one answer through the store", store_answer(folder));
  for (int e = 0; e < count; e++) {
    if (e == VAULT)
      cq_vault_close(engines[e].vault);
    else
      engines[e].close(engines[e].db);
    remove_files(path[e]);
  }
  return 0;
}
