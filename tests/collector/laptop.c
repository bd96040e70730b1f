/* SPDX-License-Identifier: Apache-2.0 */
/* Joining, packing, and what the courier brings, with real keys, vault and batches. */
#include "chasqui/csv.h"
#include "chasqui/file.h"
#include "collector/agenda.h"
#include "collector/roster.h"
#include "tests/batch/fixture.h"
#include "tests/collector/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static cq_bundle_form blank = {.id = CQ_STR("visita"),
                               .version = CQ_STR("1"),
                               .status = CQ_FORM_CURRENT,
                               .xml = CQ_STR("<h:html xmlns:h=\"http://www.w3.org/1999/xhtml\"/>")};

static office *fresh(cq_mode mode) {
  office *it = office_new(mode, &blank, 1);
  office_join(it);
  return it;
}

static void open_laptop(office *it, cq_laptop *laptop) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_laptop_open(laptop, it->home, CQ_STR(OFFICE_PASSPHRASE), &it->setup, &error);
  if (status != CQ_OK) fail_msg("%s", error.code);
}

/* A finished record, as an interview would leave it. */
static void finish_about(cq_laptop *laptop, const char *instance, const char *subject, const char *season,
                         cq_hash *name) {
  cq_buf bytes = {0};
  const cq_bundle_content *content = cq_bundle_content_of(laptop->bundle);
  cq_record record = {.envelope = {.programme = content->programme,
                                   .mode = content->mode,
                                   .form_id = CQ_STR("visita"),
                                   .form_version = CQ_STR("1"),
                                   .form_hash = cq_hash_of(blank.xml.at, blank.xml.size),
                                   .instance_id = cq_str_from(instance),
                                   .result = CQ_RESULT_COMPLETE,
                                   .technician = CQ_STR("T-01"),
                                   .device = cq_device_id_of(&laptop->sign_key),
                                   .working_date = {2012, 8, 20},
                                   .sequence = 1},
                      .instance_xml = CQ_STR("<data><edad>40</edad></data>")};
  assert_int_equal(cq_record_build(&bytes, name, &record, laptop->random, NULL), CQ_OK);
  cq_str subjects[] = {cq_str_from(subject)};
  cq_store_record row = {.season = cq_str_from(season),
                         .subjects = subjects,
                         .subject_count = subject ? 1 : 0,
                         .finalised_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context),

                         .form_id = CQ_STR("visita"),
                         .instance_id = cq_str_from(instance),
                         .result = CQ_RESULT_COMPLETE};
  memcpy(row.name, name->at, sizeof row.name);
  memcpy(row.form, record.envelope.form_hash.at, sizeof row.form);
  assert_int_equal(cq_store_finalise(laptop->store, 0, &row, cq_buf_str(&bytes), NULL), CQ_OK);
  cq_buf_fini(&bytes);
}

static void finish_one(cq_laptop *laptop, const char *instance, cq_hash *name) {
  finish_about(laptop, instance, NULL, NULL, name);
}

static void joining_makes_a_vault_and_asks_for_a_certificate(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_REAL);
  cq_laptop laptop;
  cq_buf batch = {0};
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why;
  open_laptop(it, &laptop);
  assert_string_equal(laptop.technician, "T-01");
  assert_false(cq_laptop_practice(&laptop));
  assert_true(office_batch(it, 0, &batch));
  assert_int_equal(cq_batch_verify(&header, &hash, &standing, &why, batch.at, batch.size, &it->keys->trust, NULL),
                   CQ_OK);
  assert_int_equal(standing, CQ_STANDING_UNKNOWN);
  assert_true(header.has_request);
  assert_int_equal(header.number, 1);
  assert_memory_equal(header.request.sign.at, laptop.sign_key.at, 32);
  assert_false(office_batch(it, 1, &batch));
  cq_laptop_close(&laptop);
  cq_buf_fini(&batch);
  office_free(it);
}

static void a_home_holds_one_vault(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_REAL);
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  office_bundle(it, 2, NULL, 0, &bytes);
  assert_int_equal(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, &error), CQ_OK);
  assert_int_equal(cq_laptop_join(bundle, cq_buf_str(&bytes), it->home, "T-02", CQ_STR(OFFICE_PASSPHRASE), CQ_STR(""),
                                  &it->setup, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "collector.home.taken");
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  office_free(it);
}

static void a_refused_passphrase_leaves_nothing(void **state) {
  (void)state;
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  cq_buf bytes = {0}, path = {0};
  cq_bundle *bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  office_bundle(it, 1, NULL, 0, &bytes);
  assert_int_equal(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, &error), CQ_OK);
  assert_int_equal(
      cq_laptop_join(bundle, cq_buf_str(&bytes), it->home, "T-02", CQ_STR("1234"), CQ_STR(""), &it->setup, &error),
      CQ_REFUSED);
  assert_int_equal(cq_laptop_vault(&path, it->home, &error), CQ_NOTFOUND);
  assert_string_equal(error.code, "collector.home.empty");
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  cq_buf_fini(&path);
  office_join(it);
  cq_laptop laptop;
  assert_int_equal(cq_laptop_open(&laptop, it->home, CQ_STR("another one 99"), &it->setup, &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.passphrase.wrong");
  office_free(it);
}

static cq_status find_blank(void *context, const cq_hash *hash, cq_str *xml) {
  (void)context;
  cq_hash known = cq_hash_of(blank.xml.at, blank.xml.size);
  *xml = blank.xml;
  return cq_hash_equal(hash, &known) ? CQ_OK : CQ_NOTFOUND;
}

static void packing_seals_what_is_finished_once(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_REAL);
  cq_laptop laptop;
  cq_pack_report report;
  cq_hash names[2];
  cq_buf batch = {0};
  open_laptop(it, &laptop);
  finish_one(&laptop, "uuid:1", &names[0]);
  finish_one(&laptop, "uuid:2", &names[1]);
  assert_int_equal(cq_laptop_pack(&laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.records, 2);
  assert_int_equal(report.batches, 1);
  assert_int_equal(cq_laptop_pack(&laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.batches, 0);
  assert_int_equal(report.rewritten, 0);
  /* The desk opens it, and finds the records under their names. */
  assert_true(office_batch(it, 1, &batch));
  cq_batch_forms forms = {find_blank, NULL};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  size_t seen = 0;
  assert_int_equal(cq_batch_open(&content, codec, batch.at, batch.size, it->keys->desk.seal_secret, NULL), CQ_OK);
  while (cq_batch_next(content, &entry)) {
    assert_int_equal(entry.kind, CQ_ENTRY_RECORD);
    assert_true(cq_hash_equal(&entry.name, &names[0]) || cq_hash_equal(&entry.name, &names[1]));
    seen++;
  }
  assert_int_equal(seen, 2);
  cq_batch_content_free(content);
  cq_batch_codec_free(codec);
  cq_laptop_close(&laptop);
  cq_buf_fini(&batch);
  office_free(it);
}

static void missing_and_torn_files_are_written_again(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_REAL);
  cq_laptop laptop;
  cq_pack_report report;
  cq_buf before = {0}, after = {0}, folder = {0}, path = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  assert_true(office_batch(it, 0, &before));
  assert_int_equal(cq_home_folder(&folder, it->home, CQ_FOLDER_OUTBOX, NULL), CQ_OK);
  assert_int_equal(cq_parcel_list(&parcels, &count, folder.at, NULL), CQ_OK);
  assert_int_equal(parcels[0].kind, CQ_PARCEL_BATCH);
  assert_int_equal(cq_file_path(&path, folder.at, parcels[0].name, NULL), CQ_OK);
  open_laptop(it, &laptop);
  assert_int_equal(unlink(path.at), 0);
  assert_int_equal(cq_laptop_pack(&laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.rewritten, 1);
  assert_int_equal(truncate(path.at, 100), 0);
  assert_int_equal(cq_laptop_pack(&laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.rewritten, 1);
  assert_true(office_batch(it, 0, &after));
  assert_int_equal(after.size, before.size);
  assert_memory_equal(after.at, before.at, before.size);
  cq_laptop_close(&laptop);
  free(parcels);
  cq_buf_fini(&before);
  cq_buf_fini(&after);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  office_free(it);
}

static void certify(office *it, const cq_laptop *laptop, cq_chain *chain) {
  uint8_t link[CQ_CERTIFICATE_SIZE];
  cq_certificate certificate = {.mode = it->keys->mode,
                                .role = CQ_ROLE_DEVICE,
                                .programme = it->keys->programme,
                                .sign = laptop->sign_key,
                                .seal = laptop->seal_key,
                                .issued_utc_ms = fixture_now};
  assert_int_equal(cq_certificate_issue(link, &certificate, it->keys->root.secret, NULL), CQ_OK);
  *chain = cq_chain_of(NULL, link);
}

static void the_certificate_comes_by_file_or_by_bundle(void **state) {
  (void)state;
  for (int by_bundle = 0; by_bundle < 2; by_bundle++) {
    office *it = fresh(CQ_MODE_REAL);
    cq_laptop laptop;
    cq_chain chain;
    cq_inbox_report report;
    cq_pack_report packed;
    cq_hash name;
    cq_buf bytes = {0};
    cq_batch_header header;
    cq_hash hash;
    cq_standing standing;
    const char *why;
    open_laptop(it, &laptop);
    certify(it, &laptop, &chain);
    if (by_bundle) {
      office_bundle(it, 2, &chain, 1, &bytes);
      office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
    } else {
      cq_chain_write(&bytes, &chain);
      office_bring(it, CQ_PARCEL_CHAIN, bytes.at, bytes.size);
    }
    assert_int_equal(cq_laptop_receive(&laptop, &report, NULL), CQ_OK);
    assert_int_equal(report.certificates, 1);
    assert_int_equal(report.bundles, by_bundle);
    assert_int_equal(report.refused, 0);
    assert_int_equal(cq_laptop_receive(&laptop, &report, NULL), CQ_OK);
    assert_int_equal(report.certificates + report.bundles + report.refused, 0);
    cq_laptop_close(&laptop);
    open_laptop(it, &laptop);
    finish_one(&laptop, "uuid:1", &name);
    assert_int_equal(cq_laptop_pack(&laptop, NULL, &packed, NULL), CQ_OK);
    assert_true(office_batch(it, 1, &bytes));
    assert_int_equal(cq_batch_verify(&header, &hash, &standing, &why, bytes.at, bytes.size, &it->keys->trust, NULL),
                     CQ_OK);
    assert_int_equal(standing, CQ_STANDING_CERTIFIED);
    assert_false(header.has_request);
    cq_laptop_close(&laptop);
    cq_buf_fini(&bytes);
    office_free(it);
  }
}

static void receipts_say_what_arrived(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_REAL);
  cq_laptop laptop;
  cq_buf batch = {0}, bytes = {0};
  cq_inbox_report report;
  open_laptop(it, &laptop);
  assert_true(office_batch(it, 0, &batch));
  cq_receipt receipt = {.mode = CQ_MODE_REAL,
                        .programme = it->keys->programme,
                        .device = cq_device_id_of(&laptop.sign_key),
                        .made_utc_ms = fixture_now,
                        .signer = CQ_ROLE_POST,
                        .count = 1};
  receipt.batches[0] =
      (cq_receipt_batch){.number = 1, .hash = cq_hash_of(batch.at, batch.size), .state = CQ_RECEIPT_KEPT};
  assert_int_equal(cq_receipt_write(&bytes, &receipt, &it->keys->post.chain, it->keys->post.secret, NULL), CQ_OK);
  office_bring(it, CQ_PARCEL_RECEIPT, bytes.at, bytes.size);
  /* One bit changed, and a stranger's: told, and left aside. */
  bytes.at[bytes.size - 1] ^= 1;
  office_bring(it, CQ_PARCEL_RECEIPT, bytes.at, bytes.size);
  assert_int_equal(cq_laptop_receive(&laptop, &report, NULL), CQ_OK);
  assert_int_equal(report.receipts, 1);
  assert_int_equal(report.refused, 1);
  assert_string_equal(report.why[0].code, "receipt.signature");
  cq_laptop_close(&laptop);
  cq_buf_fini(&batch);
  cq_buf_fini(&bytes);
  office_free(it);
}

static void the_agenda_says_who_waits_for_a_visit(void **state) {
  (void)state;
  cq_bundle_file list = {.name = CQ_STR("tdd.csv"),
                         .bytes = CQ_STR("name,label,distrito,ultima_visita,ultima_temporada,estado,__version\n"
                                         "id-1,Uno,210101,2012-11-05,2012-T1,completa,1\n"
                                         "id-2,Dos,210101,2012-08-10,2011-T4,completa,1\n"
                                         "id-3,Tres,210101,2012-11-05,2012-T1,rechazo,1\n"
                                         "id-4,Cuatro,210101,,,,1\n")};
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  it->files = &list;
  it->file_count = 1;
  office_join(it);
  it->at.utc_ms = INT64_C(1353412800000); /* 2012-11-20: T1 has been over since 1 November */
  cq_laptop laptop;
  cq_agenda_visit *visits;
  size_t count;
  cq_arena *arena = cq_arena_new(0);
  open_laptop(it, &laptop);
  assert_int_equal(cq_agenda(&laptop, arena, &visits, &count, NULL), CQ_OK);
  assert_int_equal(count, 2);
  for (size_t i = 0; i < count; i++) {
    assert_string_equal(visits[i].season, "2012-T1");
    assert_false(visits[i].late);
    assert_true(cq_str_is(visits[i].label, "Dos") || cq_str_is(visits[i].label, "Cuatro"));
  }
  /* A visit made on this laptop counts at once. */
  cq_hash name;
  finish_about(&laptop, "uuid:9", "uuid:id-2", "2012-T1", &name);
  assert_int_equal(cq_agenda(&laptop, arena, &visits, &count, NULL), CQ_OK);
  assert_int_equal(count, 1);
  assert_true(cq_str_is(visits[0].label, "Cuatro"));
  /* The days of grace, and then nothing that this laptop can do by itself. */
  it->at.utc_ms += INT64_C(86400000) * 25;
  assert_int_equal(cq_agenda(&laptop, arena, &visits, &count, NULL), CQ_OK);
  assert_int_equal(count, 1);
  assert_true(visits[0].late);
  it->at.utc_ms += INT64_C(86400000) * 30;
  assert_int_equal(cq_agenda(&laptop, arena, &visits, &count, NULL), CQ_OK);
  assert_int_equal(count, 0);
  cq_laptop_close(&laptop);
  cq_arena_free(arena);
  office_free(it);
}

static void bundles_never_roll_back_nor_change_mode(void **state) {
  (void)state;
  office *it = fresh(CQ_MODE_PRACTICE), *other = office_new(CQ_MODE_REAL, &blank, 1);
  cq_laptop laptop;
  cq_buf bytes = {0};
  cq_inbox_report report;
  open_laptop(it, &laptop);
  assert_true(cq_laptop_practice(&laptop));
  office_bundle(it, 3, NULL, 0, &bytes);
  office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
  assert_int_equal(cq_laptop_receive(&laptop, &report, NULL), CQ_OK);
  assert_int_equal(report.bundles, 1);
  office_bundle(it, 2, NULL, 0, &bytes);
  office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
  office_bundle(other, 9, NULL, 0, &bytes);
  office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
  assert_int_equal(cq_laptop_receive(&laptop, &report, NULL), CQ_OK);
  assert_int_equal(report.bundles, 0);
  assert_int_equal(report.refused, 1);
  assert_int_equal(cq_bundle_content_of(laptop.bundle)->number, 3);
  cq_laptop_close(&laptop);
  cq_buf_fini(&bytes);
  office_free(other);
  office_free(it);
}

static void change(cq_store *store, cq_entity *made, size_t count, size_t expected) {
  cq_arena *arena = cq_arena_new(0);
  cq_entities entities = {count, made};
  cq_store_entity *rows;
  size_t changed = 0;
  assert_int_equal(cq_roster_changes(store, &entities, arena, &rows, &changed, NULL), CQ_OK);
  assert_int_equal(changed, expected);
  assert_int_equal(cq_store_entities_put(store, rows, changed, NULL), CQ_OK);
  cq_arena_free(arena);
}

/* A field of a list's row, into `out`. */
static const char *field_of(cq_store *store, const char *list, const char *id, const char *column, cq_buf *out) {
  cq_buf csv = {0};
  const cq_str *fields;
  size_t count = 0, at = SIZE_MAX;
  cq_buf_reset(out);
  assert_int_equal(cq_roster_list(store, list, &csv, NULL), CQ_OK);
  cq_csv *read = cq_csv_new(cq_buf_str(&csv), ',');
  assert_int_equal(cq_csv_next(read, &fields, &count, NULL), CQ_OK);
  for (size_t i = 0; i < count; i++)
    if (cq_str_is(fields[i], column)) at = i;
  while (count > 0) {
    assert_int_equal(cq_csv_next(read, &fields, &count, NULL), CQ_OK);
    if (count > at && cq_str_is(fields[0], id)) cq_buf_add_str(out, fields[at]);
  }
  cq_csv_free(read);
  cq_buf_fini(&csv);
  return out->at ? out->at : "";
}

static void lists_know_what_this_laptop_just_did(void **state) {
  (void)state;
  cq_bundle_file lists[] = {
      {.name = CQ_STR("tdd.csv"), .bytes = CQ_STR("name,label,region,__version\nid-1,Uno,21,1\nid-2,Dos,14,3\n")},
      {.name = CQ_STR("cultivo.csv"), .bytes = CQ_STR("name,label\nq,Quinua\n")}};
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  it->files = lists;
  it->file_count = 2;
  office_join(it);
  cq_laptop laptop;
  cq_buf out = {0};
  open_laptop(it, &laptop);
  /* a list of choices is given as it is */
  assert_int_equal(cq_roster_list(laptop.store, "cultivo.csv", &out, NULL), CQ_OK);
  assert_string_equal(out.at, lists[1].bytes.at);
  cq_entity_property visited[] = {{CQ_STR("ultima"), CQ_STR("2012-T1")}, {CQ_STR("region"), CQ_STR("08, \"x\"")}};
  cq_entity_property other[] = {{CQ_STR("region"), CQ_STR("05")}};
  cq_entity made[] = {
      {.list = CQ_STR("tdd"),
       .id = CQ_STR("id-2"),
       .action = CQ_ENTITY_UPDATE,
       .label = CQ_STR(""),
       .base_version = 3,
       .property_count = 2,
       .properties = visited},
      {.list = CQ_STR("tdd"),
       .id = CQ_STR("id-0"),
       .action = CQ_ENTITY_CREATE,
       .label = CQ_STR("Nueva"),
       .property_count = 1,
       .properties = other},
      {.list = CQ_STR("formador"), .id = CQ_STR("id-9"), .action = CQ_ENTITY_CREATE, .label = CQ_STR("Otra lista")},
      {.list = CQ_STR("tdd"), .id = CQ_STR("id-77"), .action = CQ_ENTITY_UPDATE, .label = CQ_STR("de otro equipo")}};
  change(laptop.store, made, 4, 3);
  /* A second visit made from the same row of the bundle is a later version; what it does not name stays. */
  visited[0].value = CQ_STR("2012-T2");
  made[0].property_count = 1;
  change(laptop.store, made, 1, 1);
  static const char *const rows[][5] = {{"id-1", "Uno", "21", "1", ""},
                                        {"id-2", "Dos", "08, \"x\"", "5", "2012-T2"},
                                        {"id-0", "Nueva", "05", "1", ""},
                                        {"id-77", "", "", "", ""}};
  static const char *const columns[5] = {"name", "label", "region", "__version", "ultima"};
  for (size_t r = 0; r < 4; r++)
    for (size_t c = 1; c < 5; c++)
      assert_string_equal(field_of(laptop.store, "tdd.csv", rows[r][0], columns[c], &out), rows[r][c]);
  assert_string_equal(field_of(laptop.store, "formador.csv", "id-9", "label", &out), "Otra lista");
  assert_int_equal(cq_roster_list(laptop.store, "nada.csv", &out, NULL), CQ_NOTFOUND);
  cq_laptop_close(&laptop);
  cq_buf_fini(&out);
  office_free(it);
}

static void check_branch(cq_store *store, const char *id, const char *version, const char *trunk, char branch[37]) {
  cq_buf out = {0};
  assert_string_equal(field_of(store, "tdd.csv", id, "__version", &out), version);
  assert_string_equal(field_of(store, "tdd.csv", id, "__trunkVersion", &out), trunk);
  field_of(store, "tdd.csv", id, "__branchId", &out);
  assert_int_equal(out.size, 36);
  assert_int_equal(out.at[14], '4'); /* a UUID of version 4 */
  assert_non_null(strchr("89ab", out.at[19]));
  memcpy(branch, out.at, 37);
  cq_buf_fini(&out);
}

static void new_list(office *it, cq_laptop *laptop, uint64_t number, cq_bundle_file *list) {
  cq_buf bytes = {0};
  cq_inbox_report report;
  it->files = list;
  office_bundle(it, number, NULL, 0, &bytes);
  office_bring(it, CQ_PARCEL_BUNDLE, bytes.at, bytes.size);
  assert_int_equal(cq_laptop_receive(laptop, &report, NULL), CQ_OK);
  assert_int_equal(report.bundles, 1);
  cq_buf_fini(&bytes);
}

/* ODK Entities 2024.1.0, "offline": a run of changes is one branch, and a newer row of the office ends it. */
static void changes_of_an_entity_are_a_branch(void **state) {
  (void)state;
  cq_bundle_file first = {.name = CQ_STR("tdd.csv"), .bytes = CQ_STR("name,label,__version\nid-1,Uno,1\nid-2,Dos,3\n")};
  cq_bundle_file same = {.name = CQ_STR("tdd.csv"), .bytes = CQ_STR("name,label,__version\nid-1,Uno,1\nid-2,Dos,5\n")};
  cq_bundle_file newer = {.name = CQ_STR("tdd.csv"),
                          .bytes = CQ_STR("name,label,estado,__version\nid-1,Uno,,1\nid-2,Dos,nuevo,9\n")};
  office *it = office_new(CQ_MODE_REAL, &blank, 1);
  it->files = &first;
  it->file_count = 1;
  office_join(it);
  cq_laptop laptop;
  cq_buf out = {0};
  char of_other[37], before[37], during[37], after[37];
  open_laptop(it, &laptop);
  cq_entity_property state_of[] = {{CQ_STR("estado"), CQ_STR("visitada")}};
  cq_entity update = {.list = CQ_STR("tdd"),
                      .id = CQ_STR("id-2"),
                      .action = CQ_ENTITY_UPDATE,
                      .property_count = 1,
                      .properties = state_of};
  cq_entity create = {.list = CQ_STR("tdd"), .id = CQ_STR("id-0"), .action = CQ_ENTITY_CREATE, .label = CQ_STR("Cero")};
  /* before the first change: the trunk is the office's version, and the branch that would begin is told already */
  check_branch(laptop.store, "id-1", "1", "1", of_other);
  check_branch(laptop.store, "id-2", "3", "3", before);
  assert_string_not_equal(of_other, before);
  change(laptop.store, &update, 1, 1);
  check_branch(laptop.store, "id-2", "4", "3", during);
  assert_string_equal(during, before);
  /* a form may say what it likes of the version it was made from: the laptop's own counts */
  update.base_version = 1;
  change(laptop.store, &update, 1, 1);
  check_branch(laptop.store, "id-2", "5", "3", during);
  assert_string_equal(during, before);
  /* the office has seen all of it: the values stay, the branch ends */
  new_list(it, &laptop, 2, &same);
  check_branch(laptop.store, "id-2", "5", "5", after);
  assert_string_not_equal(after, before);
  assert_string_equal(field_of(laptop.store, "tdd.csv", "id-2", "estado", &out), "visitada");
  change(laptop.store, &update, 1, 1);
  check_branch(laptop.store, "id-2", "6", "5", during);
  assert_string_equal(during, after);
  /* a newer row of the office takes the place of what was here */
  new_list(it, &laptop, 3, &newer);
  check_branch(laptop.store, "id-2", "9", "9", after);
  assert_string_not_equal(after, during);
  assert_string_equal(field_of(laptop.store, "tdd.csv", "id-2", "estado", &out), "nuevo");
  update.property_count = 0;
  change(laptop.store, &update, 1, 1);
  check_branch(laptop.store, "id-2", "10", "9", during);
  assert_string_equal(during, after);
  assert_string_equal(field_of(laptop.store, "tdd.csv", "id-2", "estado", &out), "nuevo");
  /* made here: no trunk, and one branch from the creation on */
  change(laptop.store, &create, 1, 1);
  check_branch(laptop.store, "id-0", "1", "", before);
  create.action = CQ_ENTITY_UPDATE;
  change(laptop.store, &create, 1, 1);
  check_branch(laptop.store, "id-0", "2", "", during);
  assert_string_equal(during, before);
  /* twice in one record: one version after the other */
  cq_entity both[] = {update, update};
  change(laptop.store, both, 2, 2);
  check_branch(laptop.store, "id-2", "12", "9", during);
  cq_laptop_close(&laptop);
  cq_buf_fini(&out);
  office_free(it);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(joining_makes_a_vault_and_asks_for_a_certificate),
      cmocka_unit_test(a_home_holds_one_vault),
      cmocka_unit_test(a_refused_passphrase_leaves_nothing),
      cmocka_unit_test(packing_seals_what_is_finished_once),
      cmocka_unit_test(missing_and_torn_files_are_written_again),
      cmocka_unit_test(the_certificate_comes_by_file_or_by_bundle),
      cmocka_unit_test(receipts_say_what_arrived),
      cmocka_unit_test(lists_know_what_this_laptop_just_did),
      cmocka_unit_test(changes_of_an_entity_are_a_branch),
      cmocka_unit_test(the_agenda_says_who_waits_for_a_visit),
      cmocka_unit_test(bundles_never_roll_back_nor_change_mode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
