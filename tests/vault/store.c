/* SPDX-License-Identifier: Apache-2.0 */
/* What a laptop keeps: settings, device, bundle, drafts, records, trail, outbox, entities, attachments, erasure. */
#include "tests/vault/support.h"

#include "chasqui/store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static cq_clock_fixed at = {1345471200000, -300};
static cq_clock test_clock;
static cq_error error;

static cq_store *open_store(const char *path, bool make) {
  cq_store *store = NULL;
  test_clock = cq_clock_fix(&at);
  cq_error_clear(&error);
  cq_vault *vault = make ? make_vault(path, NULL) : open_vault(path, NULL);
  if (cq_store_open(&store, vault, &test_clock, &error) != CQ_OK) fail_msg("%s %s", error.code, error.arg[1]);
  return store;
}

#define GOOD(call)                                                                                                     \
  do {                                                                                                                 \
    cq_error_clear(&error);                                                                                            \
    cq_status good_status = (call);                                                                                    \
    if (good_status != CQ_OK) fail_msg(#call ": %d %s %s %s", good_status, error.code, error.arg[0], error.arg[1]);    \
  } while (0)
#define BAD(call, status, text)                                                                                        \
  do {                                                                                                                 \
    cq_error_clear(&error);                                                                                            \
    assert_int_equal(call, status);                                                                                    \
    assert_string_equal(error.code, text);                                                                             \
  } while (0)

static void name_of(uint8_t out[32], cq_str bytes) {
  crypto_generichash(out, 32, (const uint8_t *)bytes.at, bytes.size, NULL, 0);
}

static cq_store_device a_device(uint8_t tag) {
  cq_store_device device = {.practice = true};
  memset(device.programme, 7, sizeof device.programme);
  memset(device.id, tag, sizeof device.id);
  return device;
}

static void test_settings(void **state) {
  (void)state;
  const char *path = test_path("s1.vault");
  cq_store *store = open_store(path, true);
  cq_buf value = {0};
  int64_t number = 0, next = 0;
  BAD(cq_store_get(store, "idioma", &value, &error), CQ_NOTFOUND, "store.setting.missing");
  GOOD(cq_store_set(store, "idioma", CQ_STR("quz"), &error));
  GOOD(cq_store_set(store, "idioma", CQ_STR("es"), &error));
  GOOD(cq_store_get(store, "idioma", &value, &error));
  assert_true(cq_str_is(cq_buf_str(&value), "es"));
  GOOD(cq_store_set_int(store, "n", INT64_MIN, &error));
  GOOD(cq_store_get_int(store, "n", &number, &error));
  assert_true(number == INT64_MIN);
  BAD(cq_store_set(store, "", CQ_STR("x"), &error), CQ_INVALID, "store.setting.key");
  GOOD(cq_store_sequence(store, &number, &error));
  GOOD(cq_store_audit_add(store, &(cq_store_event){.what = CQ_STR("date")}, &error));
  GOOD(cq_store_sequence(store, &next, &error));
  assert_int_equal(next, number + 2);
  cq_store_close(store);
  store = open_store(path, false);
  GOOD(cq_store_sequence(store, &number, &error));
  assert_int_equal(number, next + 1);
  cq_store_close(store);
  cq_buf_fini(&value);
  remove_vault(path);
}

static void test_device(void **state) {
  (void)state;
  const char *path = test_path("s2.vault"), *copy = test_path("s3.vault");
  cq_store *store = open_store(path, true);
  cq_store_device device = a_device(1), seen;
  const uint8_t key[64] = {1, 2, 3};
  uint8_t read[64];
  cq_store_secret secrets[] = {{"signing", key, sizeof key}, {"sealing", key, 32}};
  BAD(cq_store_device_get(store, &seen, &error), CQ_NOTFOUND, "store.device.missing");
  GOOD(cq_store_device_begin(store, &device, secrets, 2, &error));
  BAD(cq_store_device_begin(store, &device, secrets, 2, &error), CQ_REFUSED, "store.device.exists");
  GOOD(cq_store_device_number(store, 12, &error));
  GOOD(cq_store_secret_get(store, "signing", read, sizeof read, &error));
  assert_memory_equal(read, key, sizeof key);
  BAD(cq_store_secret_get(store, "sealing", read, sizeof read, &error), CQ_NOTFOUND, "store.secret");
  GOOD(cq_vault_backup(cq_store_vault(store), copy, &error));
  cq_store_close(store);

  store = open_store(path, false);
  GOOD(cq_store_device_get(store, &seen, &error));
  assert_false(seen.copied);
  assert_int_equal(seen.number, 12);
  cq_store_close(store);

  /* a restored copy knows that it is one, and goes on as another device */
  store = open_store(copy, false);
  GOOD(cq_store_device_get(store, &seen, &error));
  assert_true(seen.copied);
  device = a_device(2);
  memcpy(device.predecessor, seen.id, sizeof seen.id);
  device.practice = false;
  BAD(cq_store_device_begin(store, &device, NULL, 0, &error), CQ_REFUSED, "store.device.mode");
  device.practice = true;
  device.programme[0] = 0;
  BAD(cq_store_device_begin(store, &device, NULL, 0, &error), CQ_REFUSED, "store.device.programme");
  device.programme[0] = 7;
  GOOD(cq_store_device_begin(store, &device, secrets, 1, &error));
  GOOD(cq_store_device_get(store, &seen, &error));
  assert_false(seen.copied);
  assert_int_equal(seen.predecessor[5], 1);
  assert_int_equal(seen.last_batch, 0);
  BAD(cq_store_secret_get(store, "sealing", read, 32, &error), CQ_NOTFOUND, "store.secret");
  cq_store_close(store);
  remove_vault(path);
  remove_vault(copy);
}

static cq_status count_forms(void *context, const cq_store_form *form) {
  int *statuses = context;
  statuses[form->status]++;
  return CQ_OK;
}

static cq_store_form a_form(const char *id, const char *version, cq_str bytes) {
  cq_store_form form = {.id = cq_str_from(id),
                        .version = cq_str_from(version),
                        .title = CQ_STR("Ficha"),
                        .status = CQ_STORE_FORM_CURRENT,
                        .bytes = bytes};
  name_of(form.hash, bytes);
  return form;
}

static void test_bundle(void **state) {
  (void)state;
  const char *path = test_path("s4.vault");
  cq_store *store = open_store(path, true);
  cq_store_form forms[] = {a_form("f1", "1", CQ_STR("<uno/>")), a_form("f2", "1", CQ_STR("<dos/>"))};
  cq_store_form next = a_form("f1", "2", CQ_STR("<uno v='2'/>"));
  cq_store_list list = {CQ_STR("comunidades"), CQ_STR("name,label\n")};
  cq_buf bytes = {0};
  int64_t number = 0;
  int statuses[4] = {0};
  BAD(cq_store_bundle_current(store, &number, NULL, &error), CQ_NOTFOUND, "store.bundle.missing");
  GOOD(cq_store_bundle_adopt(store, 3, CQ_STR("paquete 3"), forms, 2, &list, 1, &error));
  GOOD(cq_store_bundle_adopt(store, 3, CQ_STR("paquete 3"), forms, 2, &list, 1, &error));
  BAD(cq_store_bundle_adopt(store, 3, CQ_STR("otro 3"), forms, 2, &list, 1, &error), CQ_REFUSED, "store.bundle.other");
  BAD(cq_store_bundle_adopt(store, 2, CQ_STR("paquete 2"), forms, 2, &list, 1, &error), CQ_REFUSED,
      "store.bundle.older");
  GOOD(cq_store_list_bytes(store, "comunidades", &bytes, &error));
  assert_true(cq_str_is(cq_buf_str(&bytes), "name,label\n"));
  GOOD(cq_store_bundle_adopt(store, 4, CQ_STR("paquete 4"), &next, 1, NULL, 0, &error));
  BAD(cq_store_list_bytes(store, "comunidades", &bytes, &error), CQ_NOTFOUND, "store.list.missing");
  GOOD(cq_store_forms(store, count_forms, statuses, &error));
  assert_int_equal(statuses[CQ_STORE_FORM_CURRENT], 1);
  assert_int_equal(statuses[CQ_STORE_FORM_WITHDRAWN], 2);
  GOOD(cq_store_form_bytes(store, forms[0].hash, &bytes, &error));
  assert_true(cq_str_is(cq_buf_str(&bytes), "<uno/>"));
  next.hash[0] ^= 1;
  BAD(cq_store_bundle_adopt(store, 5, CQ_STR("paquete 5"), &next, 1, NULL, 0, &error), CQ_INVALID, "store.form.hash");
  GOOD(cq_store_bundle_current(store, &number, &bytes, &error));
  assert_int_equal(number, 4);
  assert_true(cq_str_is(cq_buf_str(&bytes), "paquete 4"));
  cq_store_close(store);
  cq_buf_fini(&bytes);
  remove_vault(path);
}

/* Answers as "reference=after;" one after the other. */
static cq_status join_answers(void *context, const cq_store_answer *answer) {
  cq_buf_add_str(context, answer->reference);
  cq_buf_add_char(context, '=');
  cq_buf_add_str(context, answer->after);
  cq_buf_add_char(context, ';');
  return CQ_OK;
}

static cq_status copy_draft(void *context, const cq_store_draft *draft) {
  cq_buf *out = context;
  cq_buf_addf(out, "%lld %.*s %.*s %lld @%.*s\n", (long long)draft->id, (int)draft->form_version.size,
              draft->form_version.at, (int)draft->label.size, draft->label.at, (long long)draft->answers,
              (int)draft->bookmark.size, draft->bookmark.at);
  return CQ_OK;
}

static cq_status answer(cq_store *store, int64_t draft, const char *reference, const char *after) {
  cq_store_answer row = {.reference = cq_str_from(reference),
                         .after = cq_str_from(after),
                         .bookmark = cq_str_from(reference),
                         .technician = CQ_STR("t1"),
                         .device_utc_ms = at.utc_ms += 1000};
  return cq_store_draft_answer(store, draft, &row, NULL, &error);
}

static void check_draft(cq_store *store, int64_t draft, const char *base, const char *answers) {
  cq_buf text = {0}, start = {0};
  GOOD(cq_store_draft_load(store, draft, &start, join_answers, &text, &error));
  assert_string_equal(start.at, base);
  assert_string_equal(text.at ? text.at : "", answers);
  cq_buf_fini(&text);
  cq_buf_fini(&start);
}

static void test_drafts(void **state) {
  (void)state;
  const char *path = test_path("s5.vault");
  cq_store *store = open_store(path, true);
  cq_store_form form = a_form("f1", "1", CQ_STR("<uno/>")), newer = a_form("f1", "2", CQ_STR("<dos/>"));
  int64_t one = 0, two = 0, entries = 0;
  cq_buf text = {0};
  BAD(cq_store_draft_begin(store, &one, form.hash, CQ_STR("t1"), CQ_STR(""), CQ_STR("<x/>"), &error), CQ_NOTFOUND,
      "store.form.missing");
  GOOD(cq_store_bundle_adopt(store, 1, CQ_STR("b1"), &form, 1, NULL, 0, &error));
  GOOD(cq_store_draft_begin(store, &one, form.hash, CQ_STR("t1"), CQ_STR("TDD-1"), CQ_STR("<x/>"), &error));
  GOOD(cq_store_draft_begin(store, &two, form.hash, CQ_STR("t1"), CQ_STR("TDD-2"), CQ_STR("<y/>"), &error));
  GOOD(answer(store, one, "/a", "1"));
  GOOD(answer(store, two, "/a", "9"));
  GOOD(answer(store, one, "/b", "ñandú"));
  GOOD(answer(store, one, "/c", ""));
  check_draft(store, one, "<x/>", "/a=1;/b=ñandú;/c=;");
  GOOD(cq_store_draft_undo(store, one, join_answers, &text, &error));
  assert_string_equal(text.at, "/c=;");
  GOOD(cq_store_draft_undo(store, one, NULL, NULL, &error));
  check_draft(store, one, "<x/>", "/a=1;");
  GOOD(answer(store, one, "/b", "2"));
  check_draft(store, one, "<x/>", "/a=1;/b=2;");
  GOOD(cq_store_draft_undo(store, two, NULL, NULL, &error));
  BAD(cq_store_draft_undo(store, two, NULL, NULL, &error), CQ_NOTFOUND, "store.draft.nothing");
  BAD(cq_store_draft_undo(store, 99, NULL, NULL, &error), CQ_NOTFOUND, "store.draft.missing");
  cq_error_clear(&error);
  assert_int_equal(answer(store, 99, "/a", "1"), CQ_NOTFOUND);
  assert_string_equal(error.code, "store.draft.missing");

  /* resumed in another session, under the version it was begun with although a newer one is in force */
  GOOD(cq_store_bundle_adopt(store, 2, CQ_STR("b2"), &newer, 1, NULL, 0, &error));
  GOOD(cq_store_draft_label(store, two, CQ_STR("TDD-2b"), &error));
  cq_store_close(store);
  store = open_store(path, false);
  cq_buf_reset(&text);
  GOOD(cq_store_drafts(store, copy_draft, &text, &error));
  assert_string_equal(text.at, "1 1 TDD-1 2 @/b\n2 1 TDD-2b 0 @\n");
  check_draft(store, one, "<x/>", "/a=1;/b=2;");

  GOOD(cq_store_draft_discard(store, one, &error));
  BAD(cq_store_draft_discard(store, one, &error), CQ_NOTFOUND, "store.draft.missing");
  cq_buf_reset(&text);
  GOOD(cq_store_drafts(store, copy_draft, &text, &error));
  assert_string_equal(text.at, "2 1 TDD-2b 0 @\n");
  GOOD(cq_store_audit_verify(store, &entries, &error));
  assert_int_equal(entries, 11);
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM trail WHERE draft=1 AND after IS NOT NULL "
                                                     "AND what<>'discard'"),
                   0);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

static cq_store_record a_record(cq_str bytes, const cq_str *subjects, size_t count) {
  cq_store_record record = {.form_id = CQ_STR("f1"),
                            .instance_id = CQ_STR("uuid:1"),
                            .season = CQ_STR("2012-cosecha"),
                            .label = CQ_STR("TDD-1"),
                            .technician = CQ_STR("t1"),
                            .result = 1,
                            .subjects = subjects,
                            .subject_count = count,
                            .finalised_utc_ms = at.utc_ms};
  name_of(record.name, bytes);
  return record;
}

static cq_status join_records(void *context, const cq_store_record *record) {
  cq_buf_addf(context, "%d:%lld", (int)record->state, (long long)record->size);
  for (size_t i = 0; i < record->subject_count; i++)
    cq_buf_addf(context, ",%.*s", (int)record->subjects[i].size, record->subjects[i].at);
  cq_buf_add_char(context, ' ');
  return CQ_OK;
}

static void check_records(cq_store *store, const char *expected) {
  cq_buf text = {0};
  GOOD(cq_store_records(store, -1, join_records, &text, &error));
  assert_string_equal(text.at ? text.at : "", expected);
  cq_buf_fini(&text);
}

static cq_status join_entities(void *context, const cq_store_entity *entity) {
  cq_buf_addf(context, "%.*s/%lld%.*s=%.*s ", (int)entity->id.size, entity->id.at, (long long)entity->version,
              (int)entity->branch.size, entity->branch.at, (int)entity->bytes.size, entity->bytes.at);
  return CQ_OK;
}

static void test_records(void **state) {
  (void)state;
  const char *path = test_path("s6.vault");
  cq_store *store = open_store(path, true);
  cq_store_form form = a_form("f1", "1", CQ_STR("<uno/>"));
  const cq_str subjects[] = {CQ_STR("tdd:0001"), CQ_STR("tdd:0002")};
  cq_str bytes = CQ_STR("registro uno, con treinta y dos bytes al azar");
  cq_store_record record = a_record(bytes, subjects, 2), second = a_record(CQ_STR("dos"), subjects, 1);
  cq_buf text = {0};
  int64_t draft = 0, entries = 0;
  GOOD(cq_store_bundle_adopt(store, 1, CQ_STR("b1"), &form, 1, NULL, 0, &error));
  GOOD(cq_store_draft_begin(store, &draft, form.hash, CQ_STR("t1"), CQ_STR(""), CQ_STR("<x/>"), &error));
  GOOD(answer(store, draft, "/a", "secreto"));
  BAD(cq_store_finalise(store, draft, &record, CQ_STR("otros bytes"), &error), CQ_INVALID, "store.record.name");
  BAD(cq_store_finalise(store, 77, &record, bytes, &error), CQ_NOTFOUND, "store.draft.missing");
  check_records(store, "");
  GOOD(cq_store_finalise(store, draft, &record, bytes, &error));
  GOOD(cq_store_finalise(store, draft, &record, bytes, &error));
  GOOD(cq_store_drafts(store, copy_draft, &text, &error));
  assert_int_equal(text.size, 0);
  memcpy(second.parent, record.name, 32);
  GOOD(cq_store_finalise(store, 0, &second, CQ_STR("dos"), &error));
  check_records(store, "0:45,tdd:0001,tdd:0002 0:3,tdd:0001 ");
  GOOD(cq_store_records_of(store, subjects[1], join_records, &text, &error));
  assert_string_equal(text.at, "0:45,tdd:0001,tdd:0002 ");
  GOOD(cq_store_record_bytes(store, record.name, &text, &error));
  assert_true(cq_str_equal(cq_buf_str(&text), bytes));
  BAD(cq_store_record_bytes(store, form.hash, &text, &error), CQ_NOTFOUND, "store.record.missing");

  /* erased: bytes, subjects, their entities and trail gone, the name known, the chain whole, and no way back */
  cq_store_entity people[] = {
      {.list = CQ_STR("tdd"), .id = CQ_STR("tdd:0001"), .version = 2, .bytes = CQ_STR("secreto")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("tdd:0003"), .version = 2, .bytes = CQ_STR("ajeno")}};
  GOOD(cq_store_entities_put(store, people, 2, &error));
  assert_false(cq_store_erased(store, record.name));
  GOOD(cq_store_erase(store, record.name, CQ_STR("orden firmada"), &error));
  GOOD(cq_store_erase(store, record.name, CQ_STR("orden firmada"), &error));
  assert_true(cq_store_erased(store, record.name));
  check_records(store, "4:0 0:3,tdd:0001 ");
  cq_buf_reset(&text);
  GOOD(cq_store_entities(store, CQ_STR("tdd"), join_entities, &text, &error));
  assert_string_equal(text.at, "tdd:0003/2=ajeno ");
  BAD(cq_store_record_bytes(store, record.name, &text, &error), CQ_REFUSED, "store.record.erased");
  BAD(cq_store_finalise(store, 0, &record, bytes, &error), CQ_REFUSED, "store.record.erased");
  GOOD(cq_store_audit_verify(store, &entries, &error));
  assert_int_equal(
      ask_number(cq_store_vault(store), "SELECT count(*) FROM trail WHERE after = 'secreto' OR before = 'secreto'"), 0);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

/* An order that names many is kept once, whatever it names; another one beside it. */
static void test_orders_are_kept_once(void **state) {
  (void)state;
  enum { NAMES = 40 };
  static char order[64 << 10];
  const char *path = test_path("s18.vault");
  cq_store *store = open_store(path, true);
  cq_vault *vault = cq_store_vault(store);
  uint8_t name[32] = {0};
  memset(order, 'o', sizeof order);
  int64_t before = ask_number(vault, "PRAGMA page_count");
  for (; name[0] < NAMES; name[0]++) {
    GOOD(cq_store_erase(store, name, (cq_str){order, sizeof order}, &error));
    assert_true(cq_store_erased(store, name));
  }
  GOOD(cq_store_erase(store, name, CQ_STR("otra orden"), &error));
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM tombstone"), NAMES + 1);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM erasure"), 2);
  assert_int_equal(ask_number(vault,
                              "SELECT count(*) FROM tombstone AS t JOIN erasure AS e ON e.hash = t.erasure WHERE "
                              "length(e.bytes) = 65536"),
                   NAMES);
  assert_in_range(ask_number(vault, "PRAGMA page_count") - before, 1, 2 * sizeof order / 4096);
  cq_store_close(store);
  remove_vault(path);
}

static void test_trail_is_append_only(void **state) {
  (void)state;
  static const char *const attempts[] = {
      "DELETE FROM trail", "UPDATE trail SET after = 'x'", "UPDATE trail SET sequence = sequence + 100",
      "UPDATE trail SET hash = zeroblob(32), kind = NULL, who = NULL, reference = NULL, before = NULL, after = NULL, "
      "bookmark = NULL, salt = NULL"};
  const char *path = test_path("s7.vault");
  cq_store *store = open_store(path, true);
  int64_t entries = 0;
  for (int i = 0; i < 20; i++)
    GOOD(cq_store_audit_add(
        store, &(cq_store_event){.what = CQ_STR("answer"), .reference = CQ_STR("/a"), .after = CQ_STR("1")}, &error));
  sqlite3 *db = cq_vault_db(cq_store_vault(store));
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
    assert_int_equal(sqlite3_exec(db, attempts[i], NULL, NULL, NULL), SQLITE_CONSTRAINT_TRIGGER);
  GOOD(cq_store_audit_verify(store, &entries, &error));
  assert_int_equal(entries, 20);
  run_sql(cq_store_vault(store), "DROP TRIGGER trail_fixed; UPDATE trail SET after = '2' WHERE sequence = 13");
  BAD(cq_store_audit_verify(store, &entries, &error), CQ_DAMAGED, "store.audit.broken");
  assert_string_equal(error.arg[0], "13");
  cq_store_close(store);
  remove_vault(path);
}

static cq_status join_batches(void *context, const cq_store_batch *batch) {
  cq_buf_addf(context, "%lld:%d:%lld:%lld ", (long long)batch->number, (int)batch->state, (long long)batch->entries,
              (long long)batch->size);
  return CQ_OK;
}

static cq_status note_word(void *context, int64_t number, const uint8_t entry[CQ_STORE_HASH], uint8_t word) {
  cq_buf_addf(context, "%lld:%x:%d ", (long long)number, word, entry[0] != 9 || entry[31] != 9);
  return CQ_OK;
}

static void check_words(cq_store *store, const char *expected) {
  cq_buf seen = {0};
  GOOD(cq_store_words(store, note_word, &seen, &error));
  assert_string_equal(seen.at ? seen.at : "", expected);
  cq_buf_fini(&seen);
}

static void check_batches(cq_store *store, const char *expected) {
  cq_buf text = {0};
  GOOD(cq_store_batches(store, 0, join_batches, &text, &error));
  assert_string_equal(text.at ? text.at : "", expected);
  cq_buf_fini(&text);
}

static void test_outbox(void **state) {
  (void)state;
  const char *path = test_path("s8.vault");
  cq_store *store = open_store(path, true);
  cq_store_device device = a_device(1);
  cq_store_record one = a_record(CQ_STR("uno"), NULL, 0), two = a_record(CQ_STR("dos"), NULL, 0);
  cq_store_batch batch = {.number = 1, .file = CQ_STR("1-1-abc.chq"), .made_utc_ms = at.utc_ms};
  cq_store_purged purged;
  uint8_t previous[32], names[2][32];
  int64_t number = 0;
  cq_buf bytes = {0};
  GOOD(cq_store_device_begin(store, &device, NULL, 0, &error));
  GOOD(cq_store_finalise(store, 0, &one, CQ_STR("uno"), &error));
  GOOD(cq_store_finalise(store, 0, &two, CQ_STR("dos"), &error));
  GOOD(cq_store_batch_next(store, &number, previous, &error));
  assert_int_equal(number, 1);
  assert_true(sodium_is_zero(previous, 32));
  memcpy(names[0], one.name, 32);
  memset(names[1], 9, 32); /* a snapshot, which is no record of the store */
  name_of(batch.hash, CQ_STR("lote 1"));
  BAD(cq_store_batch_commit(store, &batch, CQ_STR("lote x"), (const uint8_t(*)[32])names, 2, &error), CQ_INVALID,
      "store.batch.hash");
  batch.number = 2;
  BAD(cq_store_batch_commit(store, &batch, CQ_STR("lote 1"), (const uint8_t(*)[32])names, 2, &error), CQ_REFUSED,
      "store.batch.number");
  batch.number = 1;
  GOOD(cq_store_batch_commit(store, &batch, CQ_STR("lote 1"), (const uint8_t(*)[32])names, 2, &error));
  check_records(store, "1:3 0:3 ");
  check_batches(store, "1:1:2:6 ");
  GOOD(cq_store_batch_next(store, &number, previous, &error));
  assert_int_equal(number, 2);
  assert_memory_equal(previous, batch.hash, 32);
  GOOD(cq_store_batch_bytes(store, batch.hash, &bytes, &error));
  assert_true(cq_str_is(cq_buf_str(&bytes), "lote 1"));

  /* opened may come before kept: nothing goes back */
  BAD(cq_store_receipt(store, one.name, CQ_STORE_BATCH_KEPT, CQ_STR("r"), &error), CQ_NOTFOUND, "store.batch.missing");
  GOOD(cq_store_receipt(store, batch.hash, CQ_STORE_BATCH_KEPT, CQ_STR("r1"), &error));
  check_records(store, "2:3 0:3 ");
  GOOD(cq_store_purge(store, INT64_MAX, &purged, &error));
  assert_int_equal(purged.records + purged.batches, 0);
  /* a post's word counts until the batch is kept, the desk's until it is opened; the one said last, whatever the order
   */
  BAD(cq_store_word(store, one.name, 0x12, true, 5, CQ_STR("h"), &error), CQ_NOTFOUND, "store.batch.missing");
  GOOD(cq_store_word(store, batch.hash, 0x12, false, 5, CQ_STR("h1"), &error));
  check_words(store, "");
  GOOD(cq_store_word(store, batch.hash, 0x32, true, 7, CQ_STR("h2"), &error));
  GOOD(cq_store_word(store, batch.hash, 0x64, true, 6, CQ_STR("h3"), &error));
  check_words(store, "1:32:0 1:32:1 ");
  GOOD(cq_store_word(store, batch.hash, 0x64, true, 8, CQ_STR("h3"), &error));
  check_words(store, "1:64:0 1:64:1 ");
  GOOD(cq_store_receipt(store, batch.hash, CQ_STORE_BATCH_OPENED, CQ_STR("r2"), &error));
  GOOD(cq_store_receipt(store, batch.hash, CQ_STORE_BATCH_KEPT, CQ_STR("r3"), &error));
  check_words(store, "");
  check_records(store, "3:3 0:3 ");
  check_batches(store, "1:3:2:6 ");
  /* the newest batch stays: its file names the device to the courier */
  GOOD(cq_store_purgeable(store, INT64_MAX, &purged, &error));
  assert_true(purged.records == 1 && purged.batches == 0);
  batch.number = 2;
  name_of(batch.hash, CQ_STR("lote 2"));
  GOOD(cq_store_batch_commit(store, &batch, CQ_STR("lote 2"), NULL, 0, &error));
  name_of(batch.hash, CQ_STR("lote 1"));
  GOOD(cq_store_purgeable(store, INT64_MAX, &purged, &error));
  assert_true(purged.records == 1 && purged.batches == 1 && purged.bytes == 9);
  check_records(store, "3:3 0:3 ");
  GOOD(cq_store_purge(store, at.utc_ms, &purged, &error));
  assert_int_equal(purged.records + purged.batches, 0);
  GOOD(cq_store_purge(store, INT64_MAX, &purged, &error));
  assert_int_equal(purged.records, 1);
  assert_int_equal(purged.batches, 1);
  assert_int_equal(purged.bytes, 9);
  check_records(store, "3:0 0:3 ");
  BAD(cq_store_record_bytes(store, one.name, &bytes, &error), CQ_NOTFOUND, "store.record.purged");
  BAD(cq_store_batch_bytes(store, batch.hash, &bytes, &error), CQ_NOTFOUND, "store.batch.purged");
  cq_store_close(store);
  cq_buf_fini(&bytes);
  remove_vault(path);
}

static void test_entities(void **state) {
  (void)state;
  const char *path = test_path("s9.vault");
  cq_store *store = open_store(path, true);
  cq_store_entity rows[] = {
      {.list = CQ_STR("tdd"), .id = CQ_STR("b"), .label = CQ_STR("TDD 2"), .version = 1, .bytes = CQ_STR("b1")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("a"), .label = CQ_STR("TDD 1"), .version = 2, .bytes = CQ_STR("a2")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("a"), .label = CQ_STR("TDD 1"), .version = 1, .bytes = CQ_STR("a1")},
      {.list = CQ_STR("otra"), .id = CQ_STR("a"), .label = CQ_STR("x"), .version = 1, .bytes = CQ_STR("o1")},
      {.list = CQ_STR("tdd"),
       .id = CQ_STR("a"),
       .label = CQ_STR("TDD 1"),
       .version = 2,
       .branch = CQ_STR("d7"),
       .base_version = 1,
       .bytes = CQ_STR("a2d")}};
  cq_store_entity fork = rows[0];
  cq_buf text = {0};
  GOOD(cq_store_entities_put(store, rows, 5, &error));
  GOOD(cq_store_entities_put(store, rows, 5, &error));
  fork.bytes = CQ_STR("otro");
  BAD(cq_store_entities_put(store, &fork, 1, &error), CQ_REFUSED, "store.entity.fork");
  GOOD(cq_store_entities(store, CQ_STR("tdd"), join_entities, &text, &error));
  assert_string_equal(text.at, "a/2d7=a2d b/1=b1 ");
  cq_buf_reset(&text);
  GOOD(cq_store_entity_versions(store, CQ_STR("tdd"), CQ_STR("a"), join_entities, &text, &error));
  assert_string_equal(text.at, "a/2=a2 a/1=a1 a/2d7=a2d ");
  BAD(cq_store_entity_versions(store, CQ_STR("tdd"), CQ_STR("z"), join_entities, &text, &error), CQ_NOTFOUND,
      "store.entity.missing");
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

/* A record and what it makes of its entities are kept together, or neither is. */
static void test_a_record_and_its_entities(void **state) {
  (void)state;
  const char *path = test_path("s12.vault");
  cq_store *store = open_store(path, true);
  cq_str bytes = CQ_STR("registro con personas");
  cq_store_record record = a_record(bytes, NULL, 0);
  cq_store_entity rows[] = {
      {.list = CQ_STR("tdd"), .id = CQ_STR("a"), .version = 1, .bytes = CQ_STR("a1")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("b"), .version = 4, .trunk_version = 3, .bytes = CQ_STR("b4")}};
  cq_store_entity fork = rows[1];
  cq_buf text = {0};
  fork.bytes = CQ_STR("de otro");
  GOOD(cq_store_entities_put(store, &fork, 1, &error));
  record.entities = rows;
  record.entity_count = 2;
  BAD(cq_store_finalise(store, 0, &record, bytes, &error), CQ_REFUSED, "store.entity.fork");
  check_records(store, "");
  GOOD(cq_store_entities(store, CQ_STR("tdd"), join_entities, &text, &error));
  assert_string_equal(text.at, "b/4=de otro ");
  rows[1].version = 5;
  GOOD(cq_store_finalise(store, 0, &record, bytes, &error));
  GOOD(cq_store_finalise(store, 0, &record, bytes, &error)); /* the same again is fine */
  check_records(store, "0:21 ");
  cq_buf_reset(&text);
  GOOD(cq_store_entities(store, CQ_STR("tdd"), join_entities, &text, &error));
  assert_string_equal(text.at, "a/1=a1 b/5=b4 ");
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT trunk_version FROM entity WHERE id = 'b' AND version = 5"),
                   3);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

typedef struct source {
  const uint8_t *bytes;
  size_t size, done, step;
  bool broken;
} source;

static int64_t read_source(void *context, void *out, size_t size) {
  source *from = context;
  size_t n = from->size - from->done;
  if (from->broken && n < from->size / 2) return -1;
  if (n > size) n = size;
  if (n > from->step) n = from->step;
  memcpy(out, from->bytes + from->done, n);
  from->done += n;
  return (int64_t)n;
}

static cq_status write_back(void *context, const void *bytes, size_t size) {
  cq_buf_add(context, bytes, size);
  return CQ_OK;
}

static cq_status join_attachments(void *context, const cq_store_attachment *it) {
  cq_buf_addf(context, "%.*s %.*s %lld/%lld:%d ", (int)it->name.size, it->name.at ? it->name.at : "",
              (int)it->media_type.size, it->media_type.at, (long long)it->size, (long long)it->packed, (int)it->state);
  return CQ_OK;
}

static void test_attachments(void **state) {
  (void)state;
  enum { SIZE = 300000 };
  static uint8_t photo[SIZE];
  const char *path = test_path("s10.vault");
  cq_store *store = open_store(path, true);
  uint8_t hash[32], again[32];
  int64_t size = 0;
  cq_buf back = {0};
  uint64_t seed = 5;
  for (size_t i = 0; i < SIZE; i++) photo[i] = (uint8_t)next_number(&seed);
  memcpy(photo + (64 << 10), photo, 64 << 10); /* two chunks alike */
  source from = {photo, SIZE, 0, 777, false};
  GOOD(cq_store_attachment_put(store, read_source, &from, hash, &size, &error));
  assert_int_equal(size, SIZE);
  from = (source){photo, SIZE, 0, SIZE, false};
  GOOD(cq_store_attachment_put(store, read_source, &from, again, NULL, &error));
  assert_memory_equal(hash, again, 32);
  from = (source){photo, SIZE - 1, 0, SIZE, true};
  BAD(cq_store_attachment_put(store, read_source, &from, again, NULL, &error), CQ_IO, "store.attachment.read");
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM chunk"), 4);
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM attachment"), 1);
  GOOD(cq_store_attachment_get(store, hash, write_back, &back, &error));
  assert_int_equal(back.size, SIZE);
  assert_memory_equal(back.at, photo, SIZE);

  GOOD(cq_store_attachment_read(store, hash, 100000, 70000, &back, &error));
  assert_int_equal(back.size, 70000);
  assert_memory_equal(back.at, photo + 100000, 70000);
  GOOD(cq_store_attachment_read(store, hash, SIZE - 5, 70000, &back, &error));
  assert_int_equal(back.size, 5);
  GOOD(cq_store_attachment_read(store, hash, SIZE, 70000, &back, &error));
  assert_int_equal(back.size, 0);

  /* the same photo twice in a record takes its room once */
  cq_store_record record = a_record(CQ_STR("foto"), NULL, 0);
  cq_store_attachment named[2] = {{.name = CQ_STR("1.jpg"), .media_type = CQ_STR("image/jpeg")},
                                  {.name = CQ_STR("2.jpg"), .media_type = CQ_STR("image/jpeg")}};
  memcpy(named[0].hash, hash, 32);
  memcpy(named[1].hash, hash, 32);
  named[1].hash[0] ^= 1;
  record.attachments = named;
  record.attachment_count = 2;
  BAD(cq_store_finalise(store, 0, &record, CQ_STR("foto"), &error), CQ_NOTFOUND, "store.attachment.missing");
  named[1].hash[0] ^= 1;
  GOOD(cq_store_finalise(store, 0, &record, CQ_STR("foto"), &error));
  cq_buf text = {0};
  GOOD(cq_store_record_attachments(store, record.name, join_attachments, &text, &error));
  assert_string_equal(text.at, "1.jpg image/jpeg 300000/0:0 2.jpg image/jpeg 300000/0:0 ");
  cq_buf_reset(&text);
  GOOD(cq_store_attachments_waiting(store, join_attachments, &text, &error));
  assert_string_equal(text.at, " image/jpeg 300000/0:0 ");
  GOOD(cq_store_erase(store, record.name, CQ_STR("orden"), &error));
  BAD(cq_store_attachment_get(store, hash, write_back, &back, &error), CQ_NOTFOUND, "store.attachment.missing");
  BAD(cq_store_attachment_read(store, hash, 0, 1, &back, &error), CQ_NOTFOUND, "store.attachment.missing");
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM chunk"), 0);
  cq_store_close(store);
  cq_buf_fini(&back);
  cq_buf_fini(&text);
  remove_vault(path);
}

static void put_text(cq_store *store, const char *bytes, cq_store_attachment *out, const char *name) {
  source from = {(const uint8_t *)bytes, strlen(bytes), 0, 3, false};
  *out = (cq_store_attachment){.name = cq_str_from(name), .media_type = CQ_STR("image/png")};
  GOOD(cq_store_attachment_put(store, read_source, &from, out->hash, &out->size, &error));
}

/* A draft holds what its answers name; replacing, clearing, discarding and finishing without it let go. */
static void test_attachments_of_drafts(void **state) {
  (void)state;
  const char *path = test_path("s12.vault");
  cq_store *store = open_store(path, true);
  cq_store_form form = {
      .id = CQ_STR("f"), .version = CQ_STR("1"), .title = CQ_STR("F"), .status = 1, .bytes = CQ_STR("x")};
  cq_store_attachment one, two, three;
  cq_buf text = {0};
  int64_t draft = 0;
  name_of(form.hash, CQ_STR("x"));
  GOOD(cq_store_bundle_adopt(store, 1, CQ_STR("b"), &form, 1, NULL, 0, &error));
  GOOD(cq_store_draft_begin(store, &draft, form.hash, CQ_STR("t"), CQ_STR(""), CQ_STR(""), &error));
  put_text(store, "una foto", &one, "1.png");
  cq_store_answer answer = {.reference = CQ_STR("/f/foto"), .after = one.name, .attached = &one};
  GOOD(cq_store_draft_answer(store, draft, &answer, NULL, &error));
  cq_store_close(store);
  store = open_store(path, false);
  GOOD(cq_store_draft_attachments(store, draft, join_attachments, &text, &error));
  assert_string_equal(text.at, "1.png image/png 8/0:0 ");
  /* drafts' files wait for their record */
  cq_buf_reset(&text);
  GOOD(cq_store_attachments_waiting(store, join_attachments, &text, &error));
  assert_int_equal(text.size, 0);
  put_text(store, "otra foto", &two, "2.png");
  answer = (cq_store_answer){.reference = CQ_STR("/f/foto"), .after = two.name, .attached = &two, .detached = one.name};
  GOOD(cq_store_draft_answer(store, draft, &answer, NULL, &error));
  GOOD(cq_store_draft_attachments(store, draft, join_attachments, &text, &error));
  assert_string_equal(text.at, "2.png image/png 9/0:0 ");
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM chunk"), 1);
  /* a second one that the record will not name: that of a repeat that was removed */
  put_text(store, "la tercera", &three, "3.png");
  answer = (cq_store_answer){.reference = CQ_STR("/f/r[1]/foto"), .after = three.name, .attached = &three};
  GOOD(cq_store_draft_answer(store, draft, &answer, NULL, &error));
  three.hash[0] ^= 1;
  BAD(cq_store_draft_answer(store, draft, &answer, NULL, &error), CQ_NOTFOUND, "store.attachment.missing");
  cq_store_record record = a_record(CQ_STR("con foto"), NULL, 0);
  record.attachments = &two;
  record.attachment_count = 1;
  GOOD(cq_store_finalise(store, draft, &record, CQ_STR("con foto"), &error));
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM attachment"), 1);
  GOOD(cq_store_draft_begin(store, &draft, form.hash, CQ_STR("t"), CQ_STR(""), CQ_STR(""), &error));
  put_text(store, "la cuarta", &three, "4.png");
  answer = (cq_store_answer){.reference = CQ_STR("/f/foto"), .after = three.name, .attached = &three};
  GOOD(cq_store_draft_answer(store, draft, &answer, NULL, &error));
  GOOD(cq_store_draft_discard(store, draft, &error));
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM attachment"), 1);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

static void commit_part(cq_store *store, const char *bytes, const cq_store_part *part, const uint8_t (*names)[32],
                        size_t count) {
  cq_store_batch batch = {.file = CQ_STR("x.chq"), .parts = part, .part_count = part ? 1 : 0};
  uint8_t previous[32];
  GOOD(cq_store_batch_next(store, &batch.number, previous, &error));
  name_of(batch.hash, cq_str_from(bytes));
  GOOD(cq_store_batch_commit(store, &batch, cq_str_from(bytes), names, count, &error));
}

static void receipt(cq_store *store, const char *bytes, cq_store_batch_state state) {
  uint8_t hash[32];
  name_of(hash, cq_str_from(bytes));
  GOOD(cq_store_receipt(store, hash, state, CQ_STR("r"), &error));
}

/* A record at the desk is not purged while a part of its attachment is not there yet. */
static void test_purge_waits_for_attachments(void **state) {
  (void)state;
  const char *path = test_path("s13.vault");
  cq_store *store = open_store(path, true);
  cq_store_device device = a_device(1);
  cq_store_attachment photo;
  cq_store_purged purged;
  cq_buf text = {0};
  GOOD(cq_store_device_begin(store, &device, NULL, 0, &error));
  put_text(store, "veinte bytes de foto", &photo, "1.png");
  cq_store_record record = a_record(CQ_STR("registro"), NULL, 0);
  record.attachments = &photo;
  record.attachment_count = 1;
  GOOD(cq_store_finalise(store, 0, &record, CQ_STR("registro"), &error));
  cq_store_part part = {.size = 12};
  memcpy(part.attachment, photo.hash, 32);
  commit_part(store, "lote 1", NULL, (const uint8_t(*)[32]) & record.name, 1);
  commit_part(store, "lote 2", &part, NULL, 0);
  receipt(store, "lote 1", CQ_STORE_BATCH_OPENED);
  receipt(store, "lote 2", CQ_STORE_BATCH_OPENED);
  GOOD(cq_store_attachments_waiting(store, join_attachments, &text, &error));
  assert_string_equal(text.at, " image/png 20/12:0 ");
  GOOD(cq_store_purge(store, INT64_MAX, &purged, &error));
  assert_int_equal(purged.records, 0);
  part.offset = 12;
  part.size = 8;
  commit_part(store, "lote 3", &part, NULL, 0);
  receipt(store, "lote 3", CQ_STORE_BATCH_KEPT);
  GOOD(cq_store_purge(store, INT64_MAX, &purged, &error));
  assert_int_equal(purged.records, 0);
  cq_buf_reset(&text);
  GOOD(cq_store_record_attachments(store, record.name, join_attachments, &text, &error));
  assert_string_equal(text.at, "1.png image/png 20/20:2 ");
  receipt(store, "lote 3", CQ_STORE_BATCH_OPENED);
  GOOD(cq_store_purge(store, INT64_MAX, &purged, &error));
  assert_int_equal(purged.records, 1);
  assert_int_equal(ask_number(cq_store_vault(store), "SELECT count(*) FROM chunk"), 0);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

/* A vault of version 1, as it was, becomes one of today with all that it holds. */
static void test_version_1(void **state) {
  (void)state;
  const char *path = test_path("s14.vault");
  cq_store *store = open_store(path, true);
  cq_store_attachment photo;
  cq_buf text = {0};
  put_text(store, "una foto", &photo, "1.png");
  cq_store_record record = a_record(CQ_STR("registro"), NULL, 0);
  record.attachments = &photo;
  record.attachment_count = 1;
  GOOD(cq_store_finalise(store, 0, &record, CQ_STR("registro"), &error));
  run_sql(cq_store_vault(store),
          "DROP VIEW attachment_way; DROP TABLE attachment_part; DROP TABLE draft_attachment;"
          "CREATE TABLE old(record INTEGER NOT NULL REFERENCES record, attachment INTEGER NOT NULL REFERENCES "
          "attachment, PRIMARY KEY (record, attachment)) STRICT, WITHOUT ROWID;"
          "INSERT INTO old SELECT record, attachment FROM record_attachment; DROP TABLE record_attachment;"
          "ALTER TABLE old RENAME TO record_attachment;"
          "CREATE INDEX record_attachment_attachment ON record_attachment(attachment);"
          "DROP TABLE erasure; DROP TABLE server; DROP TABLE server_list; DROP TABLE delivery; ALTER TABLE form DROP "
          "COLUMN origin;"
          "ALTER TABLE draft DROP COLUMN parent; DROP INDEX record_parent;"
          "ALTER TABLE entity DROP COLUMN trunk_version; PRAGMA user_version=1");
  cq_store_close(store);
  store = open_store(path, false);
  GOOD(cq_store_record_attachments(store, record.name, join_attachments, &text, &error));
  assert_string_equal(text.at, "1.bin application/octet-stream 8/0:0 ");
  /* the same tables as in a new one */
  cq_store *fresh = open_store(test_path("s15.vault"), true);
  static const char shape[] = "SELECT sum(length(name) * 31 + (SELECT count(*) FROM pragma_table_info(t.name)) * 7) "
                              "FROM sqlite_schema AS t WHERE name NOT LIKE 'sqlite%'";
  assert_int_equal(ask_number(cq_store_vault(store), shape), ask_number(cq_store_vault(fresh), shape));
  cq_store_close(fresh);
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
  remove_vault(test_path("s15.vault"));
}

static cq_status see_corrected(void *context, const cq_store_record *record) {
  cq_buf_addf(context, "%.*s%s ", (int)record->label.size, record->label.at, record->corrected ? " corrected" : "");
  return CQ_OK;
}

static cq_status see_parent(void *context, const cq_store_draft *draft) {
  memcpy(context, draft->parent, sizeof draft->parent);
  return CQ_OK;
}

/* A draft of a record has its form and its files; the record is another's until the draft is finished, and an order
 * that erases the record takes the draft along. */
static void test_corrections(void **state) {
  (void)state;
  const char *path = test_path("s16.vault");
  cq_store *store = open_store(path, true);
  cq_store_form form = a_form("f1", "1", CQ_STR("<uno/>"));
  cq_store_attachment photo;
  cq_store_record first, second;
  cq_buf text = {0}, base = {0};
  int64_t draft = 0, entries = 0;
  uint8_t parent[32] = {0};
  GOOD(cq_store_bundle_adopt(store, 1, CQ_STR("b1"), &form, 1, NULL, 0, &error));
  put_text(store, "una foto", &photo, "1.png");
  first = a_record(CQ_STR("uno"), NULL, 0);
  memcpy(first.form, form.hash, 32);
  first.attachments = &photo;
  first.attachment_count = 1;
  GOOD(cq_store_finalise(store, 0, &first, CQ_STR("uno"), &error));
  BAD(cq_store_draft_correct(store, &draft, form.hash, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error),
      CQ_NOTFOUND, "store.record.missing");
  GOOD(cq_store_draft_correct(store, &draft, first.name, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error));
  GOOD(cq_store_draft_get(store, draft, see_parent, parent, &error));
  assert_memory_equal(parent, first.name, 32);
  GOOD(cq_store_draft_attachments(store, draft, join_attachments, &text, &error));
  assert_string_equal(text.at, "1.png image/png 8/0:0 ");
  GOOD(answer(store, draft, "/a", "otra"));
  /* abandoned: nothing has changed */
  GOOD(cq_store_draft_discard(store, draft, &error));
  cq_buf_reset(&text);
  GOOD(cq_store_records(store, -1, see_corrected, &text, &error));
  assert_string_equal(text.at, "TDD-1 ");
  GOOD(cq_store_draft_correct(store, &draft, first.name, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error));
  second = a_record(CQ_STR("dos"), NULL, 0);
  second.label = CQ_STR("TDD-2");
  memcpy(second.form, form.hash, 32);
  memcpy(second.parent, first.name, 32);
  second.attachments = &photo;
  second.attachment_count = 1;
  GOOD(cq_store_finalise(store, draft, &second, CQ_STR("dos"), &error));
  cq_buf_reset(&text);
  GOOD(cq_store_records(store, -1, see_corrected, &text, &error));
  assert_string_equal(text.at, "TDD-1 corrected TDD-2 ");
  /* of two drafts one is of the record that is erased */
  int64_t other = 0;
  GOOD(cq_store_draft_correct(store, &draft, first.name, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error));
  GOOD(cq_store_draft_correct(store, &other, second.name, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error));
  GOOD(cq_store_erase(store, first.name, CQ_STR("orden firmada"), &error));
  BAD(cq_store_draft_load(store, draft, &base, NULL, NULL, &error), CQ_NOTFOUND, "store.draft.missing");
  GOOD(cq_store_draft_load(store, other, &base, NULL, NULL, &error));
  BAD(cq_store_draft_correct(store, &draft, first.name, CQ_STR("t2"), CQ_STR("TDD"), CQ_STR("<x/>"), &error),
      CQ_NOTFOUND, "store.record.missing");
  GOOD(cq_store_audit_verify(store, &entries, &error));
  cq_store_close(store);
  cq_buf_fini(&text);
  cq_buf_fini(&base);
  remove_vault(path);
}

static cq_status join_deliveries(void *context, const cq_store_delivery *delivery) {
  cq_buf_addf(context, "%.*s %d %d %.*s;", (int)delivery->server.size, delivery->server.at, delivery->outcome,
              delivery->http, (int)delivery->message.size, delivery->message.at);
  return CQ_OK;
}

static cq_status join_origins(void *context, const cq_store_form *form) {
  cq_buf_addf(context, "%.*s %d %.*s;", (int)form->id.size, form->id.at, (int)form->status, (int)form->origin.size,
              form->origin.at);
  return CQ_OK;
}

static cq_status count_servers(void *context, const cq_store_server *server) {
  assert_true(cq_str_is(server->secret, "clave") && cq_str_is(server->forms, "a\nb"));
  ++*(int *)context;
  return CQ_OK;
}

static void test_servers(void **state) {
  (void)state;
  const char *path = test_path("s16.vault");
  cq_store *store = open_store(path, true);
  cq_buf text = {0};
  int servers = 0;
  cq_store_server server = {.name = CQ_STR("ayllu"),
                            .kind = 2,
                            .url = CQ_STR("https://c.example.org"),
                            .secret = CQ_STR("clave"),
                            .forms = CQ_STR("a\nb")};
  GOOD(cq_store_server_put(store, &server, &error));
  GOOD(cq_store_server_put(store, &server, &error));
  GOOD(cq_store_servers(store, count_servers, &servers, &error));
  assert_int_equal(servers, 1);

  /* its forms stand beside the bundle's, which neither takes nor withdraws them */
  cq_store_form theirs = {.id = CQ_STR("censo"), .version = CQ_STR("1"), .title = CQ_STR("c"), .bytes = CQ_STR("<1/>")};
  cq_store_form ours = {.id = CQ_STR("visita"), .status = CQ_STORE_FORM_CURRENT, .bytes = CQ_STR("<v/>")};
  cq_store_list list = {CQ_STR("ccpp.csv"), CQ_STR("name\n")};
  name_of(theirs.hash, theirs.bytes);
  name_of(ours.hash, ours.bytes);
  BAD(cq_store_server_accept(store, CQ_STR("otro"), &theirs, NULL, 0, &error), CQ_NOTFOUND, "store.server.missing");
  GOOD(cq_store_server_accept(store, CQ_STR("ayllu"), &theirs, &list, 1, &error));
  GOOD(cq_store_bundle_adopt(store, 1, CQ_STR("uno"), &ours, 1, NULL, 0, &error));
  GOOD(cq_store_server_list(store, CQ_STR("ayllu"), "ccpp.csv", &text, &error));
  BAD(cq_store_list_bytes(store, "ccpp.csv", &text, &error), CQ_NOTFOUND, "store.list.missing");
  theirs.bytes = CQ_STR("<2/>");
  name_of(theirs.hash, theirs.bytes);
  GOOD(cq_store_server_accept(store, CQ_STR("ayllu"), &theirs, NULL, 0, &error));
  GOOD(cq_store_server_accept(store, CQ_STR("ayllu"), &ours, NULL, 0, &error));
  GOOD(cq_store_form_origin(store, ours.hash, &text, &error));
  assert_int_equal(text.size, 0);
  GOOD(cq_store_forms(store, join_origins, &text, &error));
  assert_non_null(strstr(text.at, "censo 1 ayllu;"));
  assert_non_null(strstr(text.at, "censo 3 ayllu;"));
  assert_non_null(strstr(text.at, "visita 1 ;"));

  /* what it said of a record; what it accepted stays accepted, and erasing leaves that alone */
  cq_store_record record = a_record(CQ_STR("registro"), NULL, 0);
  cq_store_delivery said = {.server = CQ_STR("ayllu"), .outcome = 20, .http = 409, .message = CQ_STR("cerrado")};
  memcpy(said.record, record.name, 32);
  BAD(cq_store_delivery_put(store, &said, &error), CQ_NOTFOUND, "store.record.missing");
  GOOD(cq_store_finalise(store, 0, &record, CQ_STR("registro"), &error));
  GOOD(cq_store_delivery_put(store, &said, &error));
  said.outcome = 1;
  said.http = 201;
  said.message = CQ_STR("gracias");
  GOOD(cq_store_delivery_put(store, &said, &error));
  said.outcome = 16;
  GOOD(cq_store_delivery_put(store, &said, &error));
  cq_buf_reset(&text);
  GOOD(cq_store_deliveries(store, CQ_STR(""), join_deliveries, &text, &error));
  assert_string_equal(text.at, "ayllu 1 201 gracias;");
  GOOD(cq_store_erase(store, record.name, CQ_STR("orden"), &error));
  cq_buf_reset(&text);
  GOOD(cq_store_deliveries(store, CQ_STR("ayllu"), join_deliveries, &text, &error));
  assert_string_equal(text.at, "ayllu 1 201 ;");
  GOOD(cq_store_server_remove(store, CQ_STR("ayllu"), &error));
  BAD(cq_store_server_remove(store, CQ_STR("ayllu"), &error), CQ_NOTFOUND, "store.server.missing");
  cq_store_close(store);
  cq_buf_fini(&text);
  remove_vault(path);
}

static void test_versions(void **state) {
  (void)state;
  const char *path = test_path("s11.vault");
  cq_store *store = open_store(path, true);
  run_sql(cq_store_vault(store), "PRAGMA user_version=99");
  cq_store_close(store);
  cq_vault *vault = open_vault(path, NULL);
  BAD(cq_store_open(&store, vault, NULL, &error), CQ_FUTURE, "store.version");
  run_sql(vault, "PRAGMA user_version=-2147483648");
  BAD(cq_store_open(&store, vault, NULL, &error), CQ_REFUSED, "store.other");
  run_sql(vault, "PRAGMA user_version=1; PRAGMA application_id=5");
  BAD(cq_store_open(&store, vault, NULL, &error), CQ_REFUSED, "store.other");
  cq_vault_close(vault);
  remove_vault(path);
}

/* Rotation under an open store: it goes on with the new keys. */
static void test_remove_technician(void **state) {
  (void)state;
  const char *path = test_path("s12.vault");
  cq_store *store = open_store(path, true);
  cq_buf value = {0};
  uint32_t slot = 0;
  GOOD(cq_store_set(store, "k", CQ_STR("v"), &error));
  GOOD(cq_vault_add_technician(cq_store_vault(store), OTHER_PASSPHRASE, "otra", &slot, &error));
  GOOD(cq_store_remove_slot(store, slot, &error));
  GOOD(cq_store_get(store, "k", &value, &error));
  GOOD(cq_store_set(store, "k", CQ_STR("w"), &error));
  cq_store_close(store);
  cq_buf_fini(&value);
  remove_vault(path);
}

static cq_status count_one(void *context, const cq_store_record *record) {
  (void)record;
  ++*(int *)context;
  return CQ_OK;
}

/* Damage in each page in turn: everything else is saved, row by row, and nothing that was not there. */
static void test_salvage(void **state) {
  (void)state;
  enum { RECORDS = 60 };
  const char *path = test_path("s13.vault"), *fresh = test_path("s14.vault");
  cq_store *store = open_store(path, true), *saved = NULL;
  cq_buf whole = {0}, bytes = {0};
  cq_store_device device = a_device(1);
  cq_store_entity entity = {.list = CQ_STR("tdd"), .id = CQ_STR("a"), .label = CQ_STR("A"), .version = 1};
  cq_store_salvaged found;
  int runs = 0, most_lost = 0, gaps = 0, unopened = 0;
  GOOD(cq_store_device_begin(store, &device, NULL, 0, &error));
  GOOD(cq_store_entities_put(store, &entity, 1, &error));
  for (int i = 0; i < RECORDS; i++) {
    char text[3000];
    memset(text, 'a' + i % 26, sizeof text);
    snprintf(text, 20, "registro %d", i);
    cq_store_record record = a_record((cq_str){text, sizeof text - (size_t)(i * 40)}, NULL, 0);
    GOOD(cq_store_finalise(store, 0, &record, (cq_str){text, sizeof text - (size_t)(i * 40)}, &error));
  }
  cq_store_close(store);
  read_file(&whole, path);
  size_t pages = (whole.size - 8192) / 4096;
  for (size_t page = 2; page <= pages; page += 3) {
    int left = 0;
    cq_vault *damaged = NULL;
    cq_vault_options options = test_options(NULL);
    whole.at[8192 + (page - 1) * 4096 + 77] ^= 1;
    write_file(path, whole.at, whole.size);
    whole.at[8192 + (page - 1) * 4096 + 77] ^= 1;
    if (cq_vault_open(&damaged, path, PASSPHRASE, &options, &error) != CQ_OK) { /* the list of tables */
      assert_string_equal(error.code, "vault.damaged.page");
      unopened++;
      continue;
    }
    remove_vault(fresh);
    GOOD(cq_store_open(&saved, make_vault(fresh, NULL), &test_clock, &error));
    GOOD(cq_store_salvage(saved, damaged, &found, &error));
    runs++;
    gaps += found.gaps > 0;
    BAD(cq_store_salvage(saved, damaged, &found, &error), CQ_REFUSED, "store.salvage.notempty");
    GOOD(cq_store_records(saved, -1, count_one, &left, &error));
    int64_t kept = ask_number(cq_store_vault(saved), "SELECT count(*) FROM record_bytes");
    if (RECORDS - kept > most_lost) most_lost = (int)(RECORDS - kept);
    /* what is there is whole */
    sqlite3_stmt *each = NULL;
    sqlite3_prepare_v2(cq_vault_db(cq_store_vault(saved)),
                       "SELECT name, bytes FROM record JOIN record_bytes ON record = number", -1, &each, NULL);
    while (sqlite3_step(each) == SQLITE_ROW) {
      uint8_t hash[32];
      name_of(hash, (cq_str){sqlite3_column_blob(each, 1), (size_t)sqlite3_column_bytes(each, 1)});
      assert_memory_equal(hash, sqlite3_column_blob(each, 0), 32);
    }
    sqlite3_finalize(each);
    cq_store_close(saved);
    cq_vault_close(damaged);
  }
  print_message("salvage: %d damaged pages, gaps met in %d, at most %d of %d records lost by one; %d cannot open\n",
                runs, gaps, most_lost, RECORDS, unopened);
  assert_true(runs > 10 && gaps > 5);
  assert_true(most_lost >= 1 && unopened <= 6);
  cq_buf_fini(&whole);
  cq_buf_fini(&bytes);
  remove_vault(path);
  remove_vault(fresh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings),
      cmocka_unit_test(test_device),
      cmocka_unit_test(test_bundle),
      cmocka_unit_test(test_drafts),
      cmocka_unit_test(test_records),
      cmocka_unit_test(test_corrections),
      cmocka_unit_test(test_orders_are_kept_once),
      cmocka_unit_test(test_trail_is_append_only),
      cmocka_unit_test(test_outbox),
      cmocka_unit_test(test_entities),
      cmocka_unit_test(test_a_record_and_its_entities),
      cmocka_unit_test(test_attachments),
      cmocka_unit_test(test_attachments_of_drafts),
      cmocka_unit_test(test_purge_waits_for_attachments),
      cmocka_unit_test(test_servers),
      cmocka_unit_test(test_version_1),
      cmocka_unit_test(test_versions),
      cmocka_unit_test(test_remove_technician),
      cmocka_unit_test(test_salvage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
