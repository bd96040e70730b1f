/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format vectors of tests/vectors: made again from a fixed clock, fixed keys
 * and fixed randomness, compared byte for byte, and read. `test_batch_vectors
 * write` writes them, after a format was changed on purpose.
 */
#include "chasqui/file.h"
#include "chasqui/sheet.h"
#include "tests/batch/interviews.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

static const char folder[] = "tests/vectors";
static const char phrase[] = "quinua blanca 7";
static const char form[] =
    "<?xml version=\"1.0\"?>\n<h:html xmlns=\"http://www.w3.org/2002/xforms\" "
    "xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>Visita</h:title><model><instance>"
    "<visita id=\"visita\" version=\"1\"><lengua/><miembro><edad/></miembro><meta><instanceID/></meta></visita>"
    "</instance><bind nodeset=\"/visita/lengua\" type=\"string\"/></model></h:head><h:body/></h:html>\n";
static const char instance[] =
    "<visita id=\"visita\" version=\"1\"><lengua>quz</lengua><miembro><edad>38</edad></miembro><miembro><edad>12</edad>"
    "</miembro><meta><instanceID>uuid:0f0e0d0c-0b0a-4908-8706-050403020100</instanceID></meta></visita>";

static void must(cq_status status) {
  if (status != CQ_OK) abort();
}

static cq_hash form_hash(void) {
  return cq_hash_of(form, sizeof form - 1);
}

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  (void)context;
  cq_hash own = form_hash();
  *xml = CQ_STR(form);
  return cq_hash_equal(hash, &own) ? CQ_OK : CQ_NOTFOUND;
}

/* --- making; each from a fixture of its own, so that one vector does not move another --- */

static cq_hash add_record(fixture *f, cq_buf *out) {
  static const int32_t months[] = {24151, 24152, 24153};
  static const cq_subject subject = {{"tdd", 3}, {"uuid:5a5a5a5a-0000-4000-8000-000000000001", 41}};
  static const cq_attachment photo = {{"foto.jpg", 8}, {{0xaa}}, 6};
  cq_record record = {.envelope = {.programme = f->programme,
                                   .mode = f->mode,
                                   .form_id = CQ_STR("visita"),
                                   .form_version = CQ_STR("1"),
                                   .form_hash = form_hash(),
                                   .instance_id = CQ_STR("uuid:0f0e0d0c-0b0a-4908-8706-050403020100"),
                                   .subjects = &subject,
                                   .subject_count = 1,
                                   .zone = CQ_STR("altiplano"),
                                   .season = CQ_STR("2012-T1"),
                                   .calendar_version = 3,
                                   .months = months,
                                   .month_count = 3,
                                   .result = CQ_RESULT_COMPLETE,
                                   .technician = CQ_STR("tec01"),
                                   .device = f->device.id,
                                   .begun_utc_ms = fixture_now - 1800000,
                                   .finished_utc_ms = fixture_now,
                                   .working_date = {2012, 8, 20},
                                   .zone_minutes = -300,
                                   .sequence = 12,
                                   .offset_known = true,
                                   .offset_ms = -1500,
                                   .consent = {.state = CQ_CONSENT_GIVEN,
                                               .how = CQ_STR("oral"),
                                               .language = CQ_STR("quz"),
                                               .text_hash = {{0xbb}}}},
                      .instance_xml = CQ_STR(instance),
                      .audit = CQ_STR("event,node,start,end\nquestion,/visita/lengua,1345471385120,1345471388000\n"),
                      .attachments = &photo,
                      .attachment_count = 1};
  cq_hash name;
  must(cq_record_build(out, &name, &record, &f->random, NULL));
  return name;
}

static void make_record(fixture *f, cq_buf *out) {
  add_record(f, out);
}

static void end_batch(fixture *f, const cq_batch_sender *sender, int entries, cq_buf *out) {
  cq_batch_forms forms = {.find = find_form};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  cq_buf record = {0};
  for (int i = 0; i < entries; i++) {
    cq_buf_reset(&record);
    add_record(f, &record);
    must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL));
  }
  if (entries > 0) {
    cq_hash photo = {{0xaa}};
    must(cq_batch_add_part(writer, &photo, 0, 6, CQ_STR("photo!"), NULL));
    must(cq_batch_add_list(writer, CQ_STR("contactos.csv"), CQ_STR("name,label\n1,Casa azul\n"), NULL));
    must(cq_batch_add(writer, CQ_ENTRY_REQUEST, CQ_STR("a request"), NULL));
  }
  fixture_end(f, writer, sender, out, NULL);
  cq_buf_fini(&record);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
}

static void make_batch(fixture *f, cq_buf *out) {
  cq_batch_sender sender = fixture_sender(f, &f->trainee, 2, &(cq_hash){{0xcc}});
  sender.offset_known = true;
  sender.offset_ms = -1500;
  end_batch(f, &sender, 2, out);
}

static void make_first_batch(fixture *f, cq_buf *out) {
  cq_request request = fixture_request(f, &f->stranger);
  request.has_predecessor = true;
  request.predecessor = f->device.id;
  request.predecessor_number = 41;
  cq_batch_sender sender = fixture_sender(f, &f->stranger, 1, NULL);
  sender.request = &request;
  end_batch(f, &sender, 0, out);
}

static void make_sheet(fixture *f, cq_buf *out) {
  static const cq_hash before = {{0xcc}};
  static const cq_sheet_person person = {CQ_STR("tdd"),
                                         CQ_STR("5a5a5a5a-0000-4000-8000-000000000001"),
                                         CQ_STR("Rosa Inventada"),
                                         CQ_STR("Casa azul"),
                                         CQ_STR("900000001"),
                                         CQ_STR("")};
  cq_buf csv = {0};
  cq_hash hash;
  cq_batch_sender sender = fixture_sender(f, &f->desk, 7, &before);
  must(cq_sheet_list_write(&csv, &person, 1, NULL));
  must(cq_sheet_seal(out, &hash, cq_buf_str(&csv), &sender, &f->trainee.seal_key, &f->random, NULL));
  cq_buf_fini(&csv);
}

static void make_chain(fixture *f, cq_buf *out) {
  cq_chain_write(out, &f->trainee.chain);
}

static void make_receipt_of(fixture *f, const signer *by, cq_role role, cq_receipt_state state, cq_buf *out) {
  cq_receipt *receipt = calloc(1, sizeof *receipt);
  if (!receipt) abort();
  receipt->mode = f->mode;
  receipt->programme = f->programme;
  receipt->device = f->device.id;
  receipt->made_utc_ms = fixture_now;
  receipt->signer = role;
  receipt->count = 2;
  for (size_t i = 0; i < 2; i++)
    receipt->batches[i] = (cq_receipt_batch){.number = i + 1, .hash = {{(uint8_t)(0xc0 + i)}}, .state = state};
  must(cq_receipt_write(out, receipt, &by->chain, by->secret, NULL));
  free(receipt);
}

static void make_kept(fixture *f, cq_buf *out) {
  make_receipt_of(f, &f->post, CQ_ROLE_POST, CQ_RECEIPT_KEPT, out);
}

static void make_opened(fixture *f, cq_buf *out) {
  make_receipt_of(f, &f->desk, CQ_ROLE_DESK, CQ_RECEIPT_OPENED, out);
}

static void make_order(fixture *f, cq_buf *out) {
  static const cq_hash record = {{0xdd}}, batch = {{0xee}};
  cq_order order = {.mode = f->mode,
                    .kind = CQ_ORDER_ERASE,
                    .programme = f->programme,
                    .made_utc_ms = fixture_now,
                    .by = CQ_STR("me01"),
                    .reason = CQ_STR("a pedido del titular"),
                    .device = f->device.id,
                    .targets = &record,
                    .target_count = 1,
                    .batches = &batch,
                    .batch_count = 1};
  cq_hash name;
  must(cq_order_write(out, &name, &order, &f->desk.chain, f->desk.secret, &f->random, NULL));
}

static void make_bundle(fixture *f, cq_buf *out) {
  cq_buf sealed = {0};
  must(cq_bundle_file_seal(&sealed, CQ_STR("name,label\n1,Casa azul\n"), cq_str_from(phrase), CQ_COST_LEAST, &f->random,
                           NULL));
  cq_bundle_form visit = {
      .id = CQ_STR("visita"), .version = CQ_STR("1"), .status = CQ_FORM_CURRENT, .xml = CQ_STR(form)};
  cq_bundle_file files[] = {{.name = CQ_STR("ccpp.csv"), .bytes = CQ_STR("name,label\n2107080006,Pucará\n")},
                            {.name = CQ_STR("contactos.csv"), .bytes = cq_buf_str(&sealed), .sealed = true}};
  cq_revocation revocation = {.key = f->stranger.id, .last_trusted = 3, .revoked_utc_ms = fixture_now};
  cq_chain devices[] = {f->device.chain, f->trainee.chain};
  cq_buf order_bytes = {0};
  make_order(f, &order_bytes);
  cq_bundle_order order = {cq_buf_str(&order_bytes)};
  cq_bundle_content content = {.mode = f->mode,
                               .first_key = f->root.key,
                               .number = 7,
                               .issued_utc_ms = fixture_now,
                               .desk = f->desk.seal_key,
                               .batch_recovery = f->recovery.seal_key,
                               .vault_recovery = f->recovery.seal_key,
                               .desk_chain = f->desk.chain,
                               .posts = &f->post.chain,
                               .post_count = 1,
                               .programme_json = CQ_STR("{\"code\":\"ici\",\"title\":\"ICI\"}"),
                               .calendar = CQ_STR("zona,actividad,mes\n"),
                               .forms = &visit,
                               .form_count = 1,
                               .files = files,
                               .file_count = 2,
                               .devices = devices,
                               .device_count = 2,
                               .revocations = &revocation,
                               .revocation_count = 1,
                               .orders = &order,
                               .order_count = 1};
  must(cq_bundle_build(out, &content, f->root.secret, NULL));
  cq_buf_fini(&sealed);
  cq_buf_fini(&order_bytes);
}

static void make_key_file(fixture *f, cq_buf *out) {
  cq_key_file about = {.kind = CQ_KEY_BATCH_RECOVERY, .mode = f->mode};
  memcpy(about.key, f->recovery.seal_key.at, 32);
  must(cq_key_file_write(out, &about, f->recovery.seal_secret, cq_str_from(phrase), CQ_COST_LEAST, &f->random, NULL));
}

static void make_sealed(fixture *f, cq_buf *out) {
  must(cq_seal(out, "chasqui vector 1", "laptop 3", 8, &f->desk.seal_key, &f->random, NULL));
}

/* All secrets, so that a reader written by a stranger can open what he reads. */
static void make_keys(fixture *f, cq_buf *out) {
  const struct {
    const char *name;
    const signer *who;
  } all[] = {{"programme", &f->root},    {"coordinator", &f->coordinator}, {"desk", &f->desk},
             {"post", &f->post},         {"device", &f->device},           {"trainee", &f->trainee},
             {"stranger", &f->stranger}, {"recovery", &f->recovery}};
  cq_buf_add_text(out, "# name, signing seed, signing key, fingerprint, sealing scalar, sealing key, key id\n");
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    char fingerprint[CQ_FINGERPRINT_SIZE];
    cq_buf_addf(out, "%s ", all[i].name);
    cq_buf_add_hex(out, cq_secret_view(all[i].who->secret), 32);
    cq_buf_add_char(out, ' ');
    cq_buf_add_hex(out, all[i].who->key.at, 32);
    cq_buf_addf(out, " %s ", cq_fingerprint(&all[i].who->key, fingerprint));
    cq_buf_add_hex(out, cq_secret_view(all[i].who->seal_secret), 32);
    cq_buf_add_char(out, ' ');
    cq_buf_add_hex(out, all[i].who->seal_key.at, 32);
    cq_buf_add_char(out, ' ');
    cq_buf_add_hex(out, all[i].who->id.at, sizeof all[i].who->id.at);
    cq_buf_add_char(out, '\n');
  }
}

static void make_form(fixture *f, cq_buf *out) {
  (void)f;
  cq_buf_add_str(out, CQ_STR(form));
}

static const struct {
  const char *name;
  void (*make)(fixture *, cq_buf *);
  bool compressed; /* zstd may pack otherwise in another version; what it unpacks to is the same */
} vectors[] = {
    {"keys.txt", make_keys, false},    {"form.xml", make_form, false},         {"record.bin", make_record, false},
    {"batch.chq", make_batch, true},   {"first.chq", make_first_batch, true},  {"programme.chp", make_bundle, true},
    {"device.chc", make_chain, false}, {"kept.chr", make_kept, false},         {"opened.chr", make_opened, false},
    {"erase.cho", make_order, false},  {"recovery.key", make_key_file, false}, {"sealed.bin", make_sealed, false},
    {"sheet.chq", make_sheet, true}};
enum { VECTORS = sizeof vectors / sizeof *vectors, ZSTD_OF_VECTORS = 10504 };

static void make_vector(size_t which, cq_buf *out) {
  fixture *f = fixture_new(2012, CQ_MODE_REAL);
  vectors[which].make(f, out);
  if (out->failed) abort();
  fixture_free(f);
}

static void vector_path(cq_buf *path, const char *name) {
  must(cq_file_path(path, folder, name, NULL));
}

static void load(const char *name, cq_buf *out) {
  cq_buf path = {0};
  vector_path(&path, name);
  assert_int_equal(cq_file_read(path.at, CQ_BATCH_MAX_SIZE, out, NULL), CQ_OK);
  cq_buf_fini(&path);
}

/* --- comparing and reading --- */

static void made_again_they_are_the_same(void **state) {
  (void)state;
  size_t compared = 0;
  for (size_t i = 0; i < VECTORS; i++) {
    cq_buf made = {0}, kept = {0};
    make_vector(i, &made);
    load(vectors[i].name, &kept);
    if (!vectors[i].compressed || ZSTD_versionNumber() == ZSTD_OF_VECTORS) {
      if (made.size != kept.size || memcmp(made.at, kept.at, made.size) != 0) fail_msg("%s", vectors[i].name);
      compared++;
    }
    cq_buf_fini(&made);
    cq_buf_fini(&kept);
  }
  assert_true(compared >= VECTORS - 3);
}

static void the_batches_are_read(void **state) {
  (void)state;
  fixture *f = fixture_new(2012, CQ_MODE_REAL);
  cq_buf file = {0}, record = {0};
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why;
  load("batch.chq", &file);
  load("record.bin", &record);
  assert_int_equal(cq_batch_verify(&header, &hash, &standing, &why, file.at, file.size, &f->trust, NULL), CQ_OK);
  assert_int_equal(standing, CQ_STANDING_CERTIFIED);
  assert_true(header.number == 2 && header.chain.count == 2);
  cq_batch_forms forms = {.find = find_form};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  const cq_secret *readers[] = {f->desk.seal_secret, f->recovery.seal_secret};
  for (size_t i = 0; i < 2; i++) {
    cq_batch_content *content = NULL;
    cq_batch_entry entry;
    assert_int_equal(cq_batch_open(&content, codec, file.at, file.size, readers[i], NULL), CQ_OK);
    assert_true(cq_batch_next(content, &entry));
    assert_int_equal(entry.kind, CQ_ENTRY_RECORD);
    assert_int_equal(entry.bytes.size, record.size); /* the same but for its 32 random bytes */
    assert_memory_equal(entry.bytes.at + 37, record.at + 37, record.size - 37);
    assert_true(cq_batch_next(content, &entry) && entry.kind == CQ_ENTRY_RECORD);
    assert_true(cq_batch_next(content, &entry) && cq_str_is(entry.bytes, "photo!"));
    assert_true(cq_batch_next(content, &entry) && cq_str_is(entry.list_name, "contactos.csv"));
    assert_true(cq_batch_next(content, &entry) && cq_str_is(entry.bytes, "a request"));
    assert_false(cq_batch_next(content, &entry));
    cq_batch_content_free(content);
  }
  load("first.chq", &file);
  assert_int_equal(cq_batch_verify(&header, &hash, &standing, &why, file.at, file.size, &f->trust, NULL), CQ_OK);
  assert_int_equal(standing, CQ_STANDING_UNKNOWN);
  assert_true(header.has_request && header.request.predecessor_number == 41);
  cq_batch_codec_free(codec);
  cq_buf_fini(&file);
  cq_buf_fini(&record);
  fixture_free(f);
}

static void the_record_is_read(void **state) {
  (void)state;
  cq_buf bytes = {0};
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  char hex[65];
  load("record.bin", &bytes);
  assert_int_equal(cq_record_parse(&record, cq_buf_str(&bytes), arena, NULL), CQ_OK);
  assert_true(cq_str_is(record.instance_xml, instance) && cq_str_is(record.envelope.season, "2012-T1"));
  assert_true(record.envelope.sequence == 12 && record.attachment_count == 1);
  cq_hash name = cq_record_name(cq_buf_str(&bytes));
  assert_string_equal(cq_hash_hex(&name, hex), "442979ee2a2d99aafa496d35e8982d70b4e3277b53dde6cc64a207de7c14e9d7");
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
}

static void the_bundle_is_read(void **state) {
  (void)state;
  cq_buf bytes = {0}, list = {0};
  cq_bundle *bundle = NULL;
  load("programme.chp", &bytes);
  assert_int_equal(cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, NULL), CQ_OK);
  cq_hash hash = form_hash();
  assert_true(cq_str_is(cq_bundle_form_by_hash(bundle, &hash)->xml, form));
  const cq_bundle_file *file = cq_bundle_file_named(bundle, CQ_STR("contactos.csv"));
  assert_int_equal(cq_bundle_file_open(&list, file, cq_str_from(phrase), NULL), CQ_OK);
  assert_true(cq_str_is(cq_buf_str(&list), "name,label\n1,Casa azul\n"));
  /* what it carries is believed under its own trust */
  cq_arena *arena = cq_arena_new(0);
  cq_order order;
  cq_receipt *receipt = calloc(1, sizeof *receipt);
  cq_chain chain;
  cq_certificate last;
  const cq_trust *trust = cq_bundle_trust(bundle);
  assert_int_equal(cq_order_read(&order, &hash, cq_bundle_content_of(bundle)->orders[0].bytes, arena, trust, NULL),
                   CQ_OK);
  assert_int_equal(order.kind, CQ_ORDER_ERASE);
  load("erase.cho", &bytes);
  assert_int_equal(cq_order_read(&order, &hash, cq_buf_str(&bytes), arena, trust, NULL), CQ_OK);
  load("kept.chr", &bytes);
  assert_int_equal(cq_receipt_read(receipt, bytes.at, bytes.size, trust, NULL), CQ_OK);
  assert_int_equal(receipt->batches[1].state, CQ_RECEIPT_KEPT);
  load("opened.chr", &bytes);
  assert_int_equal(cq_receipt_read(receipt, bytes.at, bytes.size, trust, NULL), CQ_OK);
  assert_int_equal(receipt->batches[1].state, CQ_RECEIPT_OPENED);
  load("device.chc", &bytes);
  assert_int_equal(cq_chain_read(&chain, bytes.at, bytes.size, NULL), CQ_OK);
  assert_int_equal(cq_chain_check(&last, &chain, CQ_ROLE_DEVICE, trust, NULL), CQ_OK);
  free(receipt);
  cq_arena_free(arena);
  cq_bundle_free(bundle);
  cq_buf_fini(&list);
  cq_buf_fini(&bytes);
}

static void the_sheet_is_read(void **state) {
  (void)state;
  fixture *f = fixture_new(2012, CQ_MODE_REAL);
  cq_buf bytes = {0}, csv = {0};
  cq_batch_header header;
  cq_error error;
  cq_error_clear(&error);
  load("sheet.chq", &bytes);
  assert_int_equal(cq_sheet_verify(&header, cq_buf_str(&bytes), &f->trainee.seal_key, &f->trust, NULL), CQ_OK);
  assert_true(header.number == 7);
  assert_int_equal(cq_sheet_verify(&header, cq_buf_str(&bytes), &f->device.seal_key, &f->trust, &error), CQ_NOTFOUND);
  assert_string_equal(error.code, "sheet.other");
  assert_int_equal(cq_sheet_open(&csv, cq_buf_str(&bytes), f->trainee.seal_secret, NULL), CQ_OK);
  assert_true(cq_str_is(cq_buf_str(&csv), "list,id,name,place,phone,directions\r\ntdd,5a5a5a5a-0000-4000-8000-"
                                          "000000000001,Rosa Inventada,Casa azul,900000001,\r\n"));
  cq_buf_fini(&bytes);
  cq_buf_fini(&csv);
  fixture_free(f);
}

static void the_keys_are_read(void **state) {
  (void)state;
  fixture *f = fixture_new(2012, CQ_MODE_REAL);
  cq_buf bytes = {0};
  cq_secret *secret = NULL;
  cq_key_file about;
  load("recovery.key", &bytes);
  assert_int_equal(cq_key_file_read(&about, &secret, cq_buf_str(&bytes), cq_str_from(phrase), NULL), CQ_OK);
  assert_true(cq_same_bytes(cq_secret_view(secret), cq_secret_view(f->recovery.seal_secret), 64));
  cq_secret_free(secret);
  load("sealed.bin", &bytes);
  assert_int_equal(cq_unseal(&secret, "chasqui vector 1", bytes.at, bytes.size, f->desk.seal_secret, NULL), CQ_OK);
  assert_memory_equal(cq_secret_view(secret), "laptop 3", 8);
  cq_secret_free(secret);
  cq_buf_fini(&bytes);
  fixture_free(f);
}

static int write_all(void) {
  for (size_t i = 0; i < VECTORS; i++) {
    cq_buf made = {0}, path = {0};
    make_vector(i, &made);
    vector_path(&path, vectors[i].name);
    must(cq_file_replace(path.at, made.at, made.size, 0644, false, NULL));
    printf("%s %zu\n", path.at, made.size);
    cq_buf_fini(&made);
    cq_buf_fini(&path);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "write") == 0) return write_all();
  const struct CMUnitTest tests[] = {cmocka_unit_test(made_again_they_are_the_same),
                                     cmocka_unit_test(the_batches_are_read),
                                     cmocka_unit_test(the_record_is_read),
                                     cmocka_unit_test(the_bundle_is_read),
                                     cmocka_unit_test(the_sheet_is_read),
                                     cmocka_unit_test(the_keys_are_read)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
