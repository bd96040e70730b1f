/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores of earlier versions, opened by this one. vectors/store-vN.vault was made by the program of schema N, with
 * invented content: a device, two forms, three records of which one was erased, a photo, a batch with its receipt,
 * versions of four entities, and a draft in hand with four answers, one taken back (those of schemas 3 to 5 are
 * that of 2 as their programs migrated it; that of 5 has obeyed two orders more, of which one names three records).
 * Each is read whole after the migration; the schema is that of a new vault; and a power cut at any moment of the
 * migration leaves the one or the other.
 */
#include "tests/vault/disk.h"
#include "tests/vault/interview.h"
#include "tests/vault/support.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ON_DISK "/old.vault"

typedef struct old {
  int64_t version;
  const char *file;
  const char *changed; /* tables of which more has changed than a column that is new */
  const char *photo;   /* as it is named after the migration */
  int erased, orders;  /* names that were erased, and the orders that say so */
} old;
#define ORDERS "tombstone erasure"                    /* tables of version 6 */
#define SERVERS "server server_list delivery " ORDERS /* and of version 4 */
static const old olds[] = {
    {1, "tests/vault/vectors/store-v1.vault", "record_attachment draft_attachment attachment_part " SERVERS,
     "1.bin application/octet-stream 70000/0\n", 1, 1},
    {2, "tests/vault/vectors/store-v2.vault", SERVERS, "foto.jpg image/jpeg 70000/50000\n", 1, 1},
    {3, "tests/vault/vectors/store-v3.vault", SERVERS, "foto.jpg image/jpeg 70000/50000\n", 1, 1},
    {4, "tests/vault/vectors/store-v4.vault", ORDERS, "foto.jpg image/jpeg 70000/50000\n", 1, 1},
    {5, "tests/vault/vectors/store-v5.vault", ORDERS, "foto.jpg image/jpeg 70000/50000\n", 5, 3},
};
enum { OLDS = sizeof olds / sizeof olds[0], NEW_VERSION = 6 };

/* Everything in the tables, as they stand, in the order of their keys. */
static void dump_all(cq_vault *vault, const char *changed, cq_buf *out) {
  sqlite3_stmt *tables = NULL, *rows = NULL;
  cq_buf_reset(out);
  assert_int_equal(
      sqlite3_prepare_v2(cq_vault_db(vault),
                         "SELECT 'SELECT ' || (SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM "
                         "pragma_table_info(t.name) WHERE name NOT IN ('trunk_version', 'origin', 'parent') OR t.name "
                         "= 'record' AND name = 'parent') || ' FROM ' || name || "
                         "' ORDER BY 1', name FROM sqlite_schema AS t WHERE type = 'table' "
                         "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND instr(?1, name) = 0 ORDER BY name",
                         -1, &tables, NULL),
      SQLITE_OK);
  sqlite3_bind_text(tables, 1, changed, -1, SQLITE_STATIC);
  while (sqlite3_step(tables) == SQLITE_ROW) {
    cq_buf_addf(out, "[%s]\n", (const char *)sqlite3_column_text(tables, 1));
    assert_int_equal(
        sqlite3_prepare_v2(cq_vault_db(vault), (const char *)sqlite3_column_text(tables, 0), -1, &rows, NULL),
        SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) cq_buf_addf(out, "%s\n", (const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
  }
  sqlite3_finalize(tables);
  assert_false(out->failed);
}

/* Tables with their columns, and whatever else the schema has. */
static void dump_schema(cq_vault *vault, cq_buf *out) {
  sqlite3_stmt *ask = NULL;
  cq_buf_reset(out);
  assert_int_equal(sqlite3_prepare_v2(cq_vault_db(vault),
                                      "SELECT name, (SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || "
                                      "' ' || coalesce(dflt_value, '-') || ' ' || pk, ', ') FROM "
                                      "pragma_table_info(s.name)), CASE type WHEN 'table' THEN '' ELSE "
                                      "replace(replace(sql, char(10), ''), ' ', '') END "
                                      "FROM sqlite_schema AS s ORDER BY type, name",
                                      -1, &ask, NULL),
                   SQLITE_OK);
  while (sqlite3_step(ask) == SQLITE_ROW)
    for (int i = 0; i < 3; i++)
      cq_buf_addf(out, "%s%c", sqlite3_column_text(ask, i) ? (const char *)sqlite3_column_text(ask, i) : "",
                  i == 2 ? '\n' : '|');
  sqlite3_finalize(ask);
}

static const char *put_old(const old *from, const char *name) {
  const char *path = test_path(name);
  cq_buf bytes = {0};
  read_file(&bytes, from->file);
  write_file(path, bytes.at, bytes.size);
  cq_buf_fini(&bytes);
  return path;
}

static cq_store *open_store(cq_vault *vault) {
  cq_store *store = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_store_open(&store, vault, NULL, &error) != CQ_OK) fail_msg("store: %s", error.code);
  return store;
}

static cq_status add_entity(void *context, const cq_store_entity *entity) {
  cq_buf_addf(context, "%.*s %lld<%lld trunk %lld %.*s\n", (int)entity->id.size, entity->id.at,
              (long long)entity->version, (long long)entity->base_version, (long long)entity->trunk_version,
              (int)entity->bytes.size, entity->bytes.at);
  return CQ_OK;
}

static cq_status add_draft(void *context, const cq_store_draft *draft) {
  cq_buf_addf(context, "draft %lld %.*s/%.*s %.*s %lld @%.*s\n", (long long)draft->id, (int)draft->form_id.size,
              draft->form_id.at, (int)draft->form_version.size, draft->form_version.at, (int)draft->label.size,
              draft->label.at, (long long)draft->answers, (int)draft->bookmark.size, draft->bookmark.at);
  return CQ_OK;
}

static cq_status add_answer(void *context, const cq_store_answer *answer) {
  cq_buf_addf(context, " %.*s=%.*s", (int)answer->reference.size, answer->reference.at, (int)answer->after.size,
              answer->after.at);
  return CQ_OK;
}

static cq_status add_photo(void *context, const cq_store_attachment *photo) {
  cq_buf_addf(context, "%.*s %.*s %lld/%lld\n", (int)photo->name.size, photo->name.at, (int)photo->media_type.size,
              photo->media_type.at, (long long)photo->size, (long long)photo->packed);
  return CQ_OK;
}

static uint8_t second[32]; /* the name of the second record, which has the photo */

static cq_status add_record(void *context, const cq_store_record *record) {
  if (record->size == 28) memcpy(second, record->name, sizeof second);
  cq_buf_addf(context, "record %d %lld %.*s:", (int)record->state, (long long)record->size, (int)record->label.size,
              record->label.at);
  for (size_t i = 0; i < record->subject_count; i++)
    cq_buf_addf(context, " %.*s", (int)record->subjects[i].size, record->subjects[i].at);
  cq_buf_add_char(context, '\n');
  return CQ_OK;
}

static cq_status add_batch(void *context, const cq_store_batch *batch) {
  cq_buf_addf(context, "batch %lld %d %.*s\n", (long long)batch->number, (int)batch->state, (int)batch->file.size,
              batch->file.at);
  return CQ_OK;
}

static const char content[] = "device 2, number 7, batch 1\n"
                              "draft 4 visita/2 TDD C 3 @/visita/q2\n"
                              " /visita/q0=valor 0 /visita/q1=valor 1 /visita/q2=valor 2\n"
                              "record 2 12 TDD A: uuid:a uuid:b\n"
                              "record 0 28 TDD A: uuid:a uuid:b\n"
                              "record 4 0 :\n"
                              "batch 1 2 lote-1.chq\n"
                              "a 1<0 trunk 0 region\r\n21\r\n\n"
                              "a 2<1 trunk 0 region,ultima\r\n21,siembra\r\n\n"
                              "a 3<2 trunk 0 region,ultima\r\n21,cosecha\r\n\n"
                              "b 4<3 trunk 3 ultima\r\nsiembra\r\n\n"
                              "b 5<4 trunk 3 ultima\r\ncosecha\r\n\n"
                              "c 2<1 trunk 1 ultima\r\nsiembra\r\n\n"
                              "c 3<1 trunk 1 ultima\r\ncosecha\r\n\n";

static cq_status count_bytes(void *context, const void *bytes, size_t size) {
  (void)bytes;
  *(size_t *)context += size;
  return CQ_OK;
}

static cq_status read_photo(void *context, const cq_store_attachment *photo) {
  size_t size = 0;
  assert_int_equal(cq_store_attachment_get(context, photo->hash, count_bytes, &size, NULL), CQ_OK);
  assert_int_equal(size, 70000);
  return CQ_OK;
}

/* Each order is there once, whole, under its hash, and each name that was erased refers to one. */
static void check_orders(cq_store *store, const old *from) {
  cq_vault *vault = cq_store_vault(store);
  sqlite3_stmt *ask = NULL;
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM tombstone"), from->erased);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM tombstone JOIN erasure ON hash = tombstone.erasure"),
                   from->erased);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM erasure"), from->orders);
  assert_int_equal(
      sqlite3_prepare_v2(cq_vault_db(vault), "SELECT hash, bytes FROM erasure ORDER BY length(bytes)", -1, &ask, NULL),
      SQLITE_OK);
  int largest = 0;
  while (sqlite3_step(ask) == SQLITE_ROW) {
    uint8_t hash[32];
    largest = sqlite3_column_bytes(ask, 1);
    crypto_generichash(hash, sizeof hash, sqlite3_column_blob(ask, 1), (unsigned long long)largest, NULL, 0);
    assert_int_equal(sqlite3_column_bytes(ask, 0), sizeof hash);
    assert_memory_equal(hash, sqlite3_column_blob(ask, 0), sizeof hash);
  }
  sqlite3_finalize(ask);
  assert_int_equal(largest, from->orders == 1 ? 13 : 6000);
}

static void check_content(cq_store *store, const old *from, cq_buf *out) {
  static const char *const people[] = {"a", "b", "c"};
  cq_buf bytes = {0};
  int64_t entries = 0;
  cq_store_device device;
  uint8_t secret[32];
  cq_buf_reset(out);
  assert_int_equal(cq_store_device_get(store, &device, NULL), CQ_OK);
  assert_int_equal(cq_store_secret_get(store, "signing", secret, sizeof secret, NULL), CQ_OK);
  assert_memory_equal(secret, "0123456789abcdef", 16);
  cq_buf_addf(out, "device %d, number %lld, batch %lld\n", device.id[1], (long long)device.number,
              (long long)device.last_batch);
  assert_int_equal(cq_store_drafts(store, add_draft, out, NULL), CQ_OK);
  assert_int_equal(cq_store_draft_load(store, 4, &bytes, add_answer, out, NULL), CQ_OK);
  cq_buf_add_char(out, '\n');
  assert_int_equal(cq_store_records(store, -1, add_record, out, NULL), CQ_OK);
  assert_int_equal(cq_store_batches(store, 0, add_batch, out, NULL), CQ_OK);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(cq_store_entity_versions(store, CQ_STR("tdd"), cq_str_from(people[i]), add_entity, out, NULL),
                     CQ_OK);
  assert_int_equal(cq_store_entity_versions(store, CQ_STR("tdd"), CQ_STR("z"), add_entity, out, NULL), CQ_NOTFOUND);
  assert_int_equal(cq_store_list_bytes(store, "tdd.csv", &bytes, NULL), CQ_OK);
  assert_string_equal(bytes.at, "name,label,__version\nb,TDD B,3\nc,TDD C,1\n");
  assert_int_equal(cq_store_audit_verify(store, &entries, NULL), CQ_OK);
  assert_true(entries > 15);
  assert_string_equal(out->at, content);
  cq_buf_reset(out);
  assert_int_equal(cq_store_record_attachments(store, second, add_photo, out, NULL), CQ_OK);
  assert_string_equal(out->at, from->photo);
  assert_int_equal(cq_store_record_attachments(store, second, read_photo, store, NULL), CQ_OK);
  check_orders(store, from);
  cq_buf_fini(&bytes);
}

static void check_old(const old *from) {
  const char *path = put_old(from, "m1.vault"), *fresh_path = test_path("m2.vault");
  cq_buf before = {0}, after = {0};
  cq_vault_scrubbed found;
  cq_vault *vault = open_vault(path, NULL);
  assert_int_equal(ask_number(vault, "PRAGMA user_version"), from->version);
  dump_all(vault, from->changed, &before);
  assert_true(before.size > 70000); /* the photo among it */
  cq_store *store = open_store(vault);
  assert_int_equal(ask_number(vault, "PRAGMA user_version"), NEW_VERSION);
  dump_all(vault, from->changed, &after);
  assert_string_equal(after.at, before.at);
  check_content(store, from, &after);
  assert_int_equal(cq_vault_scrub(vault, &found, NULL), CQ_OK);
  dump_schema(vault, &before);
  cq_store_close(store);

  /* a second time there is nothing to do */
  store = open_store(open_vault(path, NULL));
  check_content(store, from, &after);
  cq_store_close(store);

  store = open_store(make_vault(fresh_path, NULL));
  dump_schema(cq_store_vault(store), &after);
  assert_string_equal(before.at, after.at);
  cq_store_close(store);
  cq_buf_fini(&before);
  cq_buf_fini(&after);
  remove_vault(path);
  remove_vault(fresh_path);
}

static void test_each_version(void **state) {
  (void)state;
  for (size_t i = 0; i < OLDS; i++) check_old(&olds[i]);
}

/* What is saved from a damaged vault of an older version is a store of this one. */
static void test_salvage_of_each_version(void **state) {
  (void)state;
  for (size_t i = 0; i < OLDS; i++) {
    const char *path = put_old(&olds[i], "m3.vault"), *fresh_path = test_path("m4.vault");
    cq_buf text = {0};
    cq_store_salvaged found;
    cq_vault *vault = open_vault(path, NULL);
    cq_store *store = open_store(make_vault(fresh_path, NULL));
    assert_int_equal(cq_store_salvage(store, vault, &found, NULL), CQ_OK);
    assert_int_equal(found.gaps, 0);
    check_content(store, &olds[i], &text);
    cq_store_close(store);
    cq_vault_close(vault);
    cq_buf_fini(&text);
    remove_vault(path);
    remove_vault(fresh_path);
  }
}

static void load_old(const old *from) {
  cq_buf bytes = {0};
  read_file(&bytes, from->file);
  disk_clear();
  disk_load(ON_DISK, bytes.at, bytes.size);
  cq_buf_fini(&bytes);
}

static void campaign(const old *from, disk_model model, const char *name) {
  cq_buf text = {0};
  int before = 0, migrated = 0;
  load_old(from);
  disk_record();
  cq_store_close(open_store(open_vault(ON_DISK, "disk")));
  size_t total = disk_operations();
  for (size_t cut = 0; cut < total; cut++) {
    disk_cut(cut, model, 77 + cut);
    cq_vault *vault = open_vault(ON_DISK, "disk");
    int64_t version = ask_number(vault, "PRAGMA user_version");
    bool table = ask_number(vault, "SELECT count(*) FROM sqlite_schema WHERE name = 'erasure'");
    assert_true(version == from->version || version == NEW_VERSION);
    assert_int_equal(table, version == NEW_VERSION);
    before += version != NEW_VERSION;
    migrated += version == NEW_VERSION;
    cq_store *store = open_store(vault); /* goes on where it was cut */
    check_content(store, from, &text);
    interview_check_whole(store);
    cq_store_close(store);
  }
  print_message("%s: %zu power cuts in a migration from %d: %d left it as it was, %d migrated, each whole\n", name,
                total, (int)from->version, before, migrated);
  assert_true(before > 0 && migrated > 0);
  cq_buf_fini(&text);
}

static void test_power_cuts(void **state) {
  (void)state;
  for (size_t i = 0; i < OLDS; i++) {
    campaign(&olds[i], DISK_POWER_SAFE, "power-safe");
    campaign(&olds[i], DISK_SECTORS_512, "whole sectors of 512");
    campaign(&olds[i], DISK_SECTORS_4096, "whole sectors of 4096");
  }
}

/* Every write that the disk refuses: the migration fails and says so, and the old store is there as it was. */
static void test_a_disk_that_fails(void **state) {
  (void)state;
  static const disk_fault kinds[] = {FAULT_WRITE, FAULT_SYNC, FAULT_FULL};
  cq_buf text = {0};
  int failed = 0;
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    for (size_t at = 0;; at++) {
      cq_store *store = NULL;
      load_old(&olds[0]);
      cq_vault *vault = open_vault(ON_DISK, "disk");
      disk_fail(kinds[k], at, true);
      cq_status status = cq_store_open(&store, vault, NULL, NULL);
      bool hit = disk_faults() > 0;
      disk_fail(FAULT_NONE, 0, false);
      if (status == CQ_OK)
        cq_store_close(store);
      else
        cq_vault_close(vault);
      failed += status != CQ_OK;
      store = open_store(open_vault(ON_DISK, "disk"));
      check_content(store, &olds[0], &text);
      cq_store_close(store);
      if (!hit) break;
    }
  }
  print_message("%d faults stopped a migration; each time all was there, and the next opening migrated\n", failed);
  assert_true(failed > 5);
  cq_buf_fini(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_version),
      cmocka_unit_test(test_salvage_of_each_version),
      cmocka_unit_test(test_power_cuts),
      cmocka_unit_test(test_a_disk_that_fails),
  };
  disk_register();
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  disk_clear();
  return failed;
}
