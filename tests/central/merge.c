/* SPDX-License-Identifier: Apache-2.0 */
/* Merging is the union of sets: order, repetition and gaps do no harm, and nothing foreign gets in. */
#include "central/merge/ahead.h"
#include "central/merge/derive.h"
#include "central/merge/take.h"
#include "chasqui/file.h"
#include "chasqui/order.h"
#include "chasqui/outbox.h"
#include "tests/batch/interviews.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCHES = 4, RECORDS = 6 };

typedef struct world {
  fixture *f;
  cq_buf form;
  cq_hash form_hash;
  cq_batch_forms forms;
  cq_buf batch[BATCHES];
  cq_hash hash[BATCHES];
} world;

static cq_hash pack_on(world *w, const signer *who, uint64_t number, const cq_hash *previous, uint64_t first,
                       size_t records, cq_date day, cq_buf *out) {
  cq_batch_codec *codec = cq_batch_codec_new(&w->forms);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  cq_error error;
  for (uint64_t i = first; i < first + records; i++) {
    interview made;
    cq_buf record = {0};
    interview_make(&made, i, false);
    interview_record(&record, &made, w->f, who, &w->form_hash, i + 1, &w->f->random);
    test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(&record), &error), &error);
    interview_fini(&made);
    cq_buf_fini(&record);
  }
  cq_batch_sender sender = fixture_sender(w->f, who, number, previous);
  cq_request request = fixture_request(w->f, who);
  if (!who->chain.count) sender.request = &request;
  sender.working_date = day;
  cq_hash hash = fixture_end(w->f, writer, &sender, out, NULL);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  return hash;
}

static cq_hash pack(world *w, const signer *who, uint64_t number, const cq_hash *previous, uint64_t first,
                    size_t records, cq_buf *out) {
  return pack_on(w, who, number, previous, first, records, (cq_date){2012, 8, 20}, out);
}

static world *world_new(cq_mode mode) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->f = fixture_new(7, mode);
  interview_form(&w->form);
  w->form_hash = cq_hash_of(w->form.at, w->form.size);
  w->forms = (cq_batch_forms){.find = interview_form_find, .context = &w->form};
  for (uint64_t i = 0; i < BATCHES; i++)
    w->hash[i] = pack(w, &w->f->device, i + 1, i ? &w->hash[i - 1] : NULL, i * RECORDS, RECORDS, &w->batch[i]);
  return w;
}

static void world_free(world *w) {
  for (size_t i = 0; i < BATCHES; i++) cq_buf_fini(&w->batch[i]);
  cq_buf_fini(&w->form);
  fixture_free(w->f);
  free(w);
}

static void desk_new(cq_desk *desk, const world *w, const char *name) {
  test_desk_new(desk, w->f, name);
  test_desk_form(desk, "linea_base", cq_buf_str(&w->form));
}

static cq_taken take(cq_desk *desk, const cq_buf *bytes, const char *file) {
  cq_taker *taker = NULL;
  cq_taken taken;
  cq_error error;
  cq_error_clear(&error);
  test_must(cq_taker_new(&taker, desk, &error), &error);
  test_must(cq_desk_exec(desk, "BEGIN", &error), &error);
  test_must(cq_taker_take(taker, file, cq_buf_str(bytes), &taken, &error), &error);
  test_must(cq_desk_exec(desk, "COMMIT", &error), &error);
  cq_taker_free(taker);
  return taken;
}

static int64_t number(cq_desk *desk, const char *sql) {
  int64_t value;
  cq_error error;
  test_must(cq_desk_number(desk, sql, -1, &value, &error), &error);
  return value;
}

/* All that was merged, as a hash: records by name, and what is derived of them, but for row numbers. */
static cq_hash picture(cq_desk *desk) {
  static const char *const queries[] = {
      "SELECT name, bytes FROM record ORDER BY name",
      "SELECT r.name, form_id, instance, sequence, day, result, season, months, edited, voided FROM visit v JOIN "
      "record r "
      "ON r.id = v.id ORDER BY r.name",
      "SELECT dataset, entity, r.name FROM visit_subject s JOIN record r ON r.id = s.id ORDER BY 1, 2, 3"};
  cq_hasher hasher;
  cq_error error;
  cq_hasher_init(&hasher);
  for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
    sqlite3_stmt *s = NULL;
    bool row = true;
    test_must(cq_desk_prepare(desk, &s, queries[q], &error), &error);
    for (;;) {
      test_must(cq_desk_step(desk, s, &row, &error), &error);
      if (!row) break;
      for (int c = 0; c < sqlite3_column_count(s); c++) {
        cq_str text = cq_desk_text(s, c);
        cq_hasher_add(&hasher, &text.size, sizeof text.size);
        cq_hasher_add(&hasher, text.at, text.size);
      }
    }
    sqlite3_finalize(s);
  }
  return cq_hasher_end(&hasher);
}

static void order_and_repetition_do_not_matter(void **state) {
  (void)state;
  static const int orders[][8] = {{0, 1, 2, 3, -1}, {3, 1, 0, 2, -1}, {2, 2, 0, 1, 0, 3, 1, -1}, {1, 3, 2, 1, 0, -1}};
  world *w = world_new(CQ_MODE_REAL);
  cq_hash first = {{0}};
  for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
    cq_desk desk;
    char name[16], file[16];
    size_t already = 0, fresh = 0;
    snprintf(name, sizeof name, "order%zu", o);
    desk_new(&desk, w, name);
    for (size_t i = 0; orders[o][i] >= 0; i++) {
      snprintf(file, sizeof file, "%d.chq", orders[o][i]);
      cq_taken taken = take(&desk, &w->batch[orders[o][i]], file);
      assert_int_equal(taken.state, CQ_RECEIPT_OPENED);
      already += taken.already;
      fresh += taken.records_new;
    }
    assert_int_equal(fresh, BATCHES * RECORDS);
    assert_int_equal(number(&desk, "SELECT count(*) FROM visit"), BATCHES * RECORDS);
    cq_hash now = picture(&desk);
    if (o) assert_true(cq_hash_equal(&now, &first));
    first = now;
    if (o == 2) assert_int_equal(already, 3);
    size_t records;
    cq_error error;
    test_must(cq_derive_rebuild(&desk, &records, &error), &error);
    assert_int_equal(records, BATCHES * RECORDS);
    now = picture(&desk);
    assert_true(cq_hash_equal(&now, &first));
    cq_desk_close(&desk);
  }
  world_free(w);
}

/* Two threads open them, and a small batch is opened sooner than the large one before it. */
static void opened_ahead_they_come_in_order(void **state) {
  (void)state;
  enum { FILES = 24, LARGE = 40, MISSING = 13, TORN = 17 };
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  cq_beliefs *beliefs = NULL;
  cq_ahead *ahead = NULL;
  char names[FILES][16];
  cq_hash hashes[FILES];
  desk_new(&desk, w, "ahead");
  for (size_t i = 0; i < FILES; i++) {
    cq_buf bytes = {0}, path = {0};
    snprintf(names[i], sizeof names[i], "%zu", i);
    hashes[i] = pack(w, &w->f->device, i + 1, i ? &hashes[i - 1] : NULL, i * LARGE, i % 3 ? 1 : LARGE, &bytes);
    test_must(cq_file_path(&path, desk.home, names[i], &error), &error);
    if (i != MISSING)
      test_must(cq_file_replace(path.at, bytes.at, bytes.size - (i == TORN), 0600, false, &error), &error);
    cq_buf_fini(&path);
    cq_buf_fini(&bytes);
  }
  test_must(cq_beliefs_new(&beliefs, &desk, &error), &error);
  test_must(cq_ahead_new(&ahead, beliefs, desk.home, &error), &error);
  for (size_t asked = 0, i = 0; i < FILES; i++) {
    const char *file;
    const cq_opened *opened;
    while (asked < FILES && cq_ahead_room(ahead)) cq_ahead_ask(ahead, names[asked++]);
    cq_error_clear(&error);
    cq_status status = cq_ahead_take(ahead, &file, &opened, &error);
    assert_ptr_equal(file, names[i]);
    assert_int_equal(status == CQ_OK, i != MISSING);
    if (i == MISSING) continue;
    assert_int_equal(opened->taken.state, i == TORN ? CQ_RECEIPT_REFUSED : CQ_RECEIPT_OPENED);
    if (i == TORN) continue;
    assert_true(cq_hash_equal(&opened->hash, &hashes[i]));
    assert_int_equal(opened->count, i % 3 ? 1 : LARGE);
  }
  cq_ahead_free(ahead);
  /* given up on the way */
  test_must(cq_ahead_new(&ahead, beliefs, desk.home, &error), &error);
  for (size_t i = 0; cq_ahead_room(ahead); i++) cq_ahead_ask(ahead, names[i]);
  cq_ahead_free(ahead);
  cq_beliefs_free(beliefs);
  cq_desk_close(&desk);
  world_free(w);
}

static void what_is_foreign_stays_out(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL), *practice = world_new(CQ_MODE_PRACTICE), *other = calloc(1, sizeof *other);
  cq_desk desk;
  desk_new(&desk, w, "foreign");
  cq_hash before = picture(&desk);
  assert_string_equal(take(&desk, &practice->batch[0], "p").why, "batch.mode");
  other->f = fixture_new(99, CQ_MODE_REAL);
  interview_form(&other->form);
  other->form_hash = w->form_hash;
  other->forms = (cq_batch_forms){.find = interview_form_find, .context = &other->form};
  pack(other, &other->f->device, 1, NULL, 0, 1, &other->batch[0]);
  assert_string_equal(take(&desk, &other->batch[0], "o").why, "batch.programme");
  cq_buf torn = {0};
  cq_buf_add(&torn, w->batch[0].at, w->batch[0].size - 1);
  assert_string_equal(take(&desk, &torn, "t").why, "batch.truncated");
  cq_buf_reset(&torn);
  cq_buf_add_text(&torn,
                  "not a batch at all, and long enough to hold a header, or so it would seem to a careless reader");
  assert_string_equal(take(&desk, &torn, "t").why, "batch.magic");
  size_t refused = 0;
  for (size_t at = 8; at < w->batch[0].size; at += 97) { /* a flipped bit anywhere */
    cq_buf_reset(&torn);
    cq_buf_add_str(&torn, cq_buf_str(&w->batch[0]));
    torn.at[at] = (char)(torn.at[at] ^ 4);
    cq_taken taken = take(&desk, &torn, "t");
    assert_int_equal(taken.state, CQ_RECEIPT_REFUSED);
    assert_int_equal(taken.records_new, 0);
    refused++;
  }
  assert_true(refused > 10);
  cq_hash after = picture(&desk);
  assert_true(cq_hash_equal(&before, &after));
  assert_int_equal(number(&desk, "SELECT count(*) FROM batch"), 0);
  cq_buf_fini(&torn);
  cq_buf_fini(&other->batch[0]);
  cq_buf_fini(&other->form);
  fixture_free(other->f);
  free(other);
  cq_desk_close(&desk);
  world_free(w);
  world_free(practice);
}

static void unknown_held_and_revoked(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  cq_buf stranger = {0};
  pack(w, &w->f->stranger, 1, NULL, 500, 3, &stranger);
  desk_new(&desk, w, "held");
  cq_taken taken = take(&desk, &stranger, "s.chq");
  assert_int_equal(taken.state, CQ_RECEIPT_HELD);
  assert_string_equal(taken.why, "desk.held.unknown");
  assert_int_equal(number(&desk, "SELECT count(*) FROM record"), 0);
  assert_int_equal(number(&desk, "SELECT count(*) FROM device WHERE seal IS NOT NULL"), 1);
  /* approved: the same file is merged the next time */
  test_must(cq_desk_exec(&desk, "UPDATE device SET chain = x'00'", &error), &error);
  assert_int_equal(take(&desk, &stranger, "s.chq").records_new, 3);
  /* held by a person, then released */
  assert_int_equal(take(&desk, &w->batch[0], "0.chq").state, CQ_RECEIPT_OPENED);
  test_must(cq_desk_exec(&desk, "UPDATE device SET held = 1", &error), &error);
  assert_string_equal(take(&desk, &w->batch[1], "1.chq").why, "desk.held.hold");
  test_must(cq_desk_exec(&desk, "UPDATE device SET released = 2", &error), &error);
  assert_int_equal(take(&desk, &w->batch[1], "1.chq").state, CQ_RECEIPT_OPENED);
  assert_string_equal(take(&desk, &w->batch[2], "2.chq").why, "desk.held.hold");
  /* revoked after number 3: the third is merged, the fourth is not */
  test_must(
      cq_desk_exec(&desk, "UPDATE device SET held = 0, released = 0, revoked_utc_ms = 1, last_trusted = 3", &error),
      &error);
  test_must(cq_desk_read_trust(&desk, &error), &error);
  assert_int_equal(take(&desk, &w->batch[2], "2.chq").state, CQ_RECEIPT_OPENED);
  assert_string_equal(take(&desk, &w->batch[3], "3.chq").why, "desk.held.revoked");
  assert_int_equal(number(&desk, "SELECT count(*) FROM record"), 3 + 3 * RECORDS);
  cq_buf_fini(&stranger);
  cq_desk_close(&desk);
  world_free(w);
}

/* Signed again by `who`, as whoever changed the bytes could. */
static void sign_again(cq_buf *file, const signer *who) {
  const size_t size = file->size - 64;
  cq_signature signature;
  test_must(cq_sign(&signature, "chasqui batch 1", file->at, size, who->secret, NULL), NULL);
  memcpy(file->at + size, signature.at, sizeof signature.at);
}

/* What a stranger or a wrong clock can do to a batch, as the desk sees it: each has its name, and none is merged. */
static void each_fraud_is_named_and_kept_apart(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_buf bytes = {0}, theirs = {0};
  cq_batch_header header, own;
  desk_new(&desk, w, "frauds");
  /* forged: signed by a key that is not the device's */
  cq_buf_add_str(&bytes, cq_buf_str(&w->batch[1]));
  sign_again(&bytes, &w->f->trainee);
  assert_string_equal(take(&desk, &bytes, "forged.chq").why, "batch.signature");
  /* truncated */
  cq_buf_reset(&bytes);
  cq_buf_add(&bytes, w->batch[1].at, w->batch[1].size / 2);
  assert_string_equal(take(&desk, &bytes, "truncated.chq").why, "batch.truncated");
  /* re-sealed: the sealed content of one device behind another's header, rightly signed */
  pack(w, &w->f->trainee, 1, NULL, RECORDS, RECORDS, &theirs);
  test_must(cq_batch_read_header(&header, w->batch[1].at, w->batch[1].size, NULL), NULL);
  test_must(cq_batch_read_header(&own, theirs.at, theirs.size, NULL), NULL);
  theirs.size = own.header_size;
  cq_buf_add(&theirs, w->batch[1].at + header.header_size, w->batch[1].size - header.header_size);
  memcpy(theirs.at + own.header_size - 144, w->batch[1].at + header.header_size - 144, 144);
  sign_again(&theirs, &w->f->trainee);
  assert_string_equal(take(&desk, &theirs, "resealed.chq").why, "batch.unbound");
  assert_int_equal(number(&desk, "SELECT count(*) FROM record"), 0);
  /* dated ahead of this desk: apart, until somebody releases it or its day has come */
  pack_on(w, &w->f->trainee, 1, NULL, 100, RECORDS, (cq_date){2199, 1, 1}, &theirs);
  cq_taken taken = take(&desk, &theirs, "ahead.chq");
  assert_int_equal(taken.state, CQ_RECEIPT_HELD);
  assert_string_equal(taken.why, "desk.held.ahead");
  assert_int_equal(number(&desk, "SELECT count(*) FROM record"), 0);
  test_must(cq_desk_exec(&desk, "UPDATE device SET released = 1", NULL), NULL);
  assert_int_equal(take(&desk, &theirs, "ahead.chq").records_new, RECORDS);
  /* reordered and replayed do no harm: the second before the first, and each again under another name */
  assert_int_equal(take(&desk, &w->batch[1], "second.chq").records_new, RECORDS);
  assert_int_equal(take(&desk, &w->batch[0], "first.chq").records_new, RECORDS);
  assert_true(take(&desk, &w->batch[0], "replayed.chq").already);
  cq_buf_fini(&bytes);
  cq_buf_fini(&theirs);
  cq_desk_close(&desk);
  world_free(w);
}

static void receipts_say_what_is_durable(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  cq_buf folder = {0}, path = {0}, bytes = {0};
  cq_parcel *parcels = NULL;
  size_t written, count, seen = 0;
  desk_new(&desk, w, "receipts");
  take(&desk, &w->batch[0], "0.chq");
  take(&desk, &w->batch[1], "1.chq");
  test_must(cq_receipts_write(&desk, &written, &error), &error);
  assert_int_equal(written, 1);
  test_must(cq_receipts_write(&desk, &written, &error), &error);
  assert_int_equal(written, 0);
  test_must(cq_home_folder(&folder, desk.home, CQ_FOLDER_OUTBOX, &error), &error);
  test_must(cq_parcel_list(&parcels, &count, folder.at, &error), &error);
  cq_receipt *receipt = calloc(1, sizeof *receipt);
  for (size_t i = 0; i < count; i++) {
    if (parcels[i].kind != CQ_PARCEL_RECEIPT) continue;
    test_must(cq_file_path(&path, folder.at, parcels[i].name, &error), &error);
    test_must(cq_file_read(path.at, CQ_RECEIPT_LIMIT, &bytes, &error), &error);
    test_must(cq_receipt_read(receipt, bytes.at, bytes.size, &w->f->trust, &error), &error);
    assert_int_equal(receipt->signer, CQ_ROLE_DESK);
    assert_int_equal(receipt->count, 2);
    for (size_t b = 0; b < 2; b++) {
      assert_int_equal(receipt->batches[b].state, CQ_RECEIPT_OPENED);
      assert_int_equal(receipt->batches[b].number, b + 1);
      assert_true(cq_hash_equal(&receipt->batches[b].hash, &w->hash[b]));
    }
    seen++;
  }
  assert_int_equal(seen, 1);
  free(receipt);
  free(parcels);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  cq_desk_close(&desk);
  world_free(w);
}

static void erased_stays_erased(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  cq_buf bytes = {0};
  cq_hash name, target;
  cq_derive *derive = NULL;
  bool fresh = false, row;
  size_t records;
  sqlite3_stmt *s = NULL;
  desk_new(&desk, w, "erase");
  take(&desk, &w->batch[0], "0.chq");
  test_must(cq_desk_prepare(&desk, &s, "SELECT name FROM record ORDER BY id LIMIT 1", &error), &error);
  test_must(cq_desk_step(&desk, s, &row, &error), &error);
  test_must(cq_desk_column(s, 0, target.at, 32, &error), &error);
  sqlite3_finalize(s);
  cq_order order = {.mode = CQ_MODE_REAL,
                    .kind = CQ_ORDER_ERASE,
                    .programme = w->f->programme,
                    .made_utc_ms = fixture_now,
                    .by = CQ_STR("c1"),
                    .targets = &target,
                    .target_count = 1};
  test_must(cq_order_write(&bytes, &name, &order, &w->f->desk.chain, w->f->desk.secret, &w->f->random, &error), &error);
  test_must(cq_derive_new(&derive, &desk, &error), &error);
  test_must(cq_derive_decision(derive, cq_buf_str(&bytes), &fresh, &error), &error);
  assert_true(fresh);
  test_must(cq_derive_decision(derive, cq_buf_str(&bytes), &fresh, &error), &error);
  assert_false(fresh);
  cq_derive_free(derive);
  assert_int_equal(number(&desk, "SELECT count(*) FROM record WHERE bytes IS NOT NULL"), RECORDS - 1);
  assert_int_equal(number(&desk, "SELECT count(*) FROM visit"), RECORDS - 1);
  /* the batch once more, as after a restored backup of the laptop */
  test_must(cq_desk_exec(&desk, "DELETE FROM batch", &error), &error);
  cq_taken taken = take(&desk, &w->batch[0], "0.chq");
  assert_int_equal(taken.state, CQ_RECEIPT_OPENED);
  assert_int_equal(taken.records_new, 0);
  test_must(cq_derive_rebuild(&desk, &records, &error), &error);
  assert_int_equal(records, RECORDS - 1);
  assert_int_equal(number(&desk, "SELECT count(*) FROM visit"), RECORDS - 1);
  cq_buf_fini(&bytes);
  cq_desk_close(&desk);
  world_free(w);
}

static void void_record(cq_desk *desk, world *w, const cq_hash *target) {
  cq_buf bytes = {0};
  cq_hash name;
  cq_derive *derive = NULL;
  cq_error error;
  bool fresh;
  cq_order order = {.mode = w->f->mode,
                    .kind = CQ_ORDER_VOID,
                    .programme = w->f->programme,
                    .made_utc_ms = fixture_now,
                    .by = CQ_STR("c1"),
                    .targets = target,
                    .target_count = 1};
  test_must(cq_order_write(&bytes, &name, &order, &w->f->desk.chain, w->f->desk.secret, &w->f->random, &error), &error);
  test_must(cq_derive_new(&derive, desk, &error), &error);
  test_must(cq_derive_decision(derive, cq_buf_str(&bytes), &fresh, &error), &error);
  cq_derive_free(derive);
  cq_buf_fini(&bytes);
}

/* A decision that comes before its record, as a stick may bring them, counts as one that comes after. */
static void voided_whatever_comes_first(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk first, second;
  cq_error error;
  cq_hash target, pictures[3];
  sqlite3_stmt *s = NULL;
  bool row;
  size_t records;
  desk_new(&first, w, "void1");
  take(&first, &w->batch[0], "0.chq");
  test_must(cq_desk_prepare(&first, &s, "SELECT name FROM record ORDER BY id LIMIT 1", &error), &error);
  test_must(cq_desk_step(&first, s, &row, &error), &error);
  test_must(cq_desk_column(s, 0, target.at, 32, &error), &error);
  sqlite3_finalize(s);
  void_record(&first, w, &target);
  pictures[0] = picture(&first);
  desk_new(&second, w, "void2");
  void_record(&second, w, &target);
  take(&second, &w->batch[0], "0.chq");
  assert_int_equal(number(&second, "SELECT count(*) FROM visit WHERE voided = 1"), 1);
  pictures[1] = picture(&second);
  test_must(cq_derive_rebuild(&second, &records, &error), &error);
  pictures[2] = picture(&second);
  assert_true(cq_hash_equal(&pictures[0], &pictures[1]));
  assert_true(cq_hash_equal(&pictures[0], &pictures[2]));
  cq_desk_close(&first);
  cq_desk_close(&second);
  world_free(w);
}

static void decide(cq_desk *desk, world *w, cq_order_kind kind, const char *a, const char *b, int64_t at) {
  cq_str texts[] = {CQ_STR("tdd"), cq_str_from(a), cq_str_from(b)};
  cq_buf bytes = {0};
  cq_hash name;
  cq_derive *derive = NULL;
  cq_error error;
  bool fresh;
  cq_order order = {.mode = w->f->mode,
                    .kind = kind,
                    .programme = w->f->programme,
                    .made_utc_ms = at,
                    .by = CQ_STR("c1"),
                    .texts = texts,
                    .text_count = 3};
  test_must(cq_order_write(&bytes, &name, &order, &w->f->desk.chain, w->f->desk.secret, &w->f->random, &error), &error);
  test_must(cq_derive_new(&derive, desk, &error), &error);
  test_must(cq_derive_decision(derive, cq_buf_str(&bytes), &fresh, &error), &error);
  cq_derive_free(derive);
  cq_buf_fini(&bytes);
}

/* The last word counts by when it was said, not by when it came; a rebuild ends the same. */
static void one_person_or_two(void **state) {
  (void)state;
  world *w = world_new(CQ_MODE_REAL);
  cq_desk desk;
  cq_error error;
  size_t records;
  desk_new(&desk, w, "persons");
  decide(&desk, w, CQ_ORDER_NOT_SAME, "b", "a", 200); /* came first, was said last */
  decide(&desk, w, CQ_ORDER_MERGE_PERSONS, "a", "b", 100);
  decide(&desk, w, CQ_ORDER_MERGE_PERSONS, "c", "d", 100);
  for (int round = 0; round < 2; round++) {
    assert_int_equal(number(&desk, "SELECT count(*) FROM entity_same"), 1);
    assert_int_equal(number(&desk, "SELECT count(*) FROM entity_same WHERE id = 'd' AND stays = 'c'"), 1);
    test_must(cq_derive_rebuild(&desk, &records, &error), &error);
  }
  cq_desk_close(&desk);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_and_repetition_do_not_matter), cmocka_unit_test(what_is_foreign_stays_out),
      cmocka_unit_test(unknown_held_and_revoked),           cmocka_unit_test(each_fraud_is_named_and_kept_apart),
      cmocka_unit_test(receipts_say_what_is_durable),       cmocka_unit_test(erased_stays_erased),
      cmocka_unit_test(voided_whatever_comes_first),        cmocka_unit_test(one_person_or_two),
      cmocka_unit_test(opened_ahead_they_come_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
