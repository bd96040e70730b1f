/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order to erase leaves at the desk: a name, and nothing of what was said. Looked for in the vault's pages,
 * also where no table leads any more; and what comes once more, by whatever road, does not come in.
 */
#include "central/merge/erasure.h"
#include "central/merge/derive.h"
#include "central/merge/take.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>t"
    "</h:title><model><instance><data id=\"f\" version=\"1\"><dicho/><meta><instanceID/></meta></data></instance>"
    "<bind nodeset=\"/data/dicho\" type=\"string\"/></model></h:head><h:body><input "
    "ref=\"/data/dicho\"><label>D</label>"
    "</input></h:body></h:html>";

enum { OTHERS = 40, PART = 3000 };

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash form, last;
  uint64_t next; /* batch */
  cq_batch_forms forms;
  cq_arena *arena;
} world;

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  (void)context;
  (void)hash;
  *xml = CQ_STR(form_xml);
  return CQ_OK;
}

static world *world_new(const char *name) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->f = fixture_new(7, CQ_MODE_REAL);
  w->forms = (cq_batch_forms){find_form, NULL};
  w->arena = cq_arena_new(0);
  test_desk_new(&w->desk, w->f, name);
  w->form = test_desk_form(&w->desk, "f", CQ_STR(form_xml));
  return w;
}

static void world_free(world *w) {
  cq_arena_free(w->arena);
  cq_desk_close(&w->desk);
  fixture_free(w->f);
  free(w);
}

/* Of interview `number`; what was said holds its own words. `subject` may be NULL. */
static cq_str make_record(world *w, int number, bool draft, const char *subject, const cq_attachment *file,
                          cq_hash *name) {
  char xml[600], instance[40];
  cq_buf out = {0};
  cq_subject of = {CQ_STR("tdd"), cq_str_from(subject ? subject : "")};
  snprintf(instance, sizeof instance, "uuid:%d", number);
  snprintf(xml, sizeof xml,
           "<data id=\"f\" version=\"1\"><dicho>Palabras ciertas %d de PERSONA-INVENTADA-%d</dicho><meta><instanceID>%s"
           "</instanceID></meta></data>",
           number * 7919, number, instance);
  cq_record record = {.envelope = {.programme = w->f->programme,
                                   .mode = w->f->mode,
                                   .form_id = CQ_STR("f"),
                                   .form_hash = w->form,
                                   .instance_id = cq_str_from(instance),
                                   .subjects = &of,
                                   .subject_count = subject != NULL,
                                   .result = draft ? CQ_RESULT_DRAFT : CQ_RESULT_COMPLETE,
                                   .device = w->f->device.id,
                                   .working_date = {2012, 8, 20},
                                   .sequence = (uint64_t)number},
                      .instance_xml = cq_str_from(xml),
                      .attachments = file,
                      .attachment_count = file != NULL};
  cq_error error;
  test_must(cq_record_build(&out, name, &record, &w->f->random, &error), &error);
  cq_str kept = cq_arena_copy(w->arena, cq_buf_str(&out));
  cq_buf_fini(&out);
  return kept;
}

typedef struct content {
  cq_str records[OTHERS + 2], drafts[OTHERS + 2], word, decision;
  size_t record_count, draft_count;
  const cq_attachment *file;
  cq_str part;
} content;

/* Packs and merges a batch; answers with its hash. */
static cq_hash send(world *w, const content *c) {
  cq_batch_codec *codec = cq_batch_codec_new(&w->forms);
  cq_batch_writer *writer = cq_batch_writer_new(codec);
  cq_buf out = {0};
  cq_taker *taker = NULL;
  cq_taken taken;
  cq_error error;
  char file[32];
  for (size_t i = 0; i < c->record_count; i++)
    test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, c->records[i], &error), &error);
  for (size_t i = 0; i < c->draft_count; i++)
    test_must(cq_batch_add(writer, CQ_ENTRY_DRAFT, c->drafts[i], &error), &error);
  if (c->file) test_must(cq_batch_add_part(writer, &c->file->hash, 0, c->part.size, c->part, &error), &error);
  if (c->word.size) test_must(cq_batch_add(writer, CQ_ENTRY_RECEIPT, c->word, &error), &error);
  if (c->decision.size) test_must(cq_batch_add(writer, CQ_ENTRY_DECISION, c->decision, &error), &error);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, w->next + 1, w->next > 0 ? &w->last : NULL);
  w->next++;
  w->last = fixture_end(w->f, writer, &sender, &out, NULL);
  snprintf(file, sizeof file, "%d.chq", (int)w->next);
  test_must(cq_taker_new(&taker, &w->desk, &error), &error);
  test_must(cq_desk_exec(&w->desk, "BEGIN", &error), &error);
  test_must(cq_taker_take(taker, file, cq_buf_str(&out), &taken, &error), &error);
  test_must(cq_desk_exec(&w->desk, "COMMIT", &error), &error);
  assert_int_equal(taken.state, CQ_RECEIPT_OPENED);
  cq_taker_free(taker);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  cq_buf_fini(&out);
  return w->last;
}

static cq_hash decide(world *w, cq_order_kind kind, const cq_hash *target, const cq_str *texts, size_t text_count) {
  cq_order order = {.kind = kind, .target_count = 1, .targets = target, .texts = texts, .text_count = text_count};
  cq_hash name;
  cq_error error;
  test_must(cq_derive_sign(&w->desk, &order, NULL, &name, &error), &error);
  return name;
}

static size_t settle(world *w) {
  size_t orders;
  cq_error error;
  cq_error_clear(&error);
  test_must(cq_erasure_settle(&w->desk, &orders, &error), &error);
  return orders;
}

static int64_t number(world *w, const char *sql) {
  int64_t value;
  cq_error error;
  test_must(cq_desk_number(&w->desk, sql, -1, &value, &error), &error);
  return value;
}

static cq_str blob(world *w, const char *sql) {
  sqlite3_stmt *s = NULL;
  bool row = false;
  test_must(cq_desk_prepare(&w->desk, &s, sql, NULL), NULL);
  test_must(cq_desk_step(&w->desk, s, &row, NULL), NULL);
  assert_true(row);
  cq_str kept = cq_arena_copy(w->arena, cq_desk_text(s, 0));
  sqlite3_finalize(s);
  return kept;
}

/* What the vault keeps of records and drafts, one after another, and the hash of a file. */
static cq_str all_kept(world *w, const cq_hash *file) {
  sqlite3_stmt *s = NULL;
  cq_buf all = {0};
  cq_buf_add(&all, file->at, sizeof file->at); /* stays, so that its parts do not come back */
  test_must(cq_desk_prepare(&w->desk, &s, "SELECT bytes FROM record UNION ALL SELECT bytes FROM draft", NULL), NULL);
  for (bool row = true;;) {
    test_must(cq_desk_step(&w->desk, s, &row, NULL), NULL);
    if (!row) break;
    cq_buf_add_str(&all, cq_desk_text(s, 0));
  }
  sqlite3_finalize(s);
  cq_str kept = cq_arena_copy(w->arena, cq_buf_str(&all));
  cq_buf_fini(&all);
  return kept;
}

enum { PIECE = 12 };

static bool holds(const void *bytes, size_t size, const char *piece) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i + PIECE <= size; i++)
    if (at[i] == (unsigned char)*piece && memcmp(at + i, piece, PIECE) == 0) return true;
  return false;
}

/* How many pieces of `what` stand in the vault's pages as they are in the file; those that others' words have too do
 * not count. */
static size_t pieces_left(world *w, cq_str what, cq_str others) {
  sqlite3_int64 size = 0;
  size_t found = 0;
  char home[512];
  cq_error error;
  snprintf(home, sizeof home, "%s", w->desk.home);
  cq_desk_close(&w->desk);
  test_must(cq_desk_open(&w->desk, home, test_desk_passphrase(), &error), &error);
  unsigned char *pages = sqlite3_serialize(w->desk.db, "main", &size, 0);
  assert_non_null(pages);
  for (size_t at = 0; at + PIECE <= what.size; at += PIECE)
    found += !holds(others.at, others.size, what.at + at) && holds(pages, (size_t)size, what.at + at);
  sqlite3_free(pages);
  return found;
}

static void no_page_holds_what_was_erased(void **state) {
  (void)state;
  world *w = world_new("erasure");
  static content c;
  cq_hash name, other;
  char part[PART];
  for (size_t i = 0; i < PART; i++) part[i] = (char)('a' + i * i % 23);
  cq_attachment file = {CQ_STR("1.txt"), cq_hash_of(part, PART), PART};
  c = (content){0};
  /* drafts and records of others before and after it, so that pages are split and filled anew */
  for (int i = 0; i < OTHERS / 2; i++) {
    c.records[c.record_count++] = make_record(w, i + 10, false, "uuid:otra", NULL, &other);
    c.drafts[c.draft_count++] = make_record(w, i + 10, true, NULL, NULL, &other);
  }
  send(w, &c);
  cq_str others = all_kept(w, &file.hash);
  c = (content){.file = &file, .part = {part, PART}, .record_count = 1, .draft_count = 1};
  c.records[0] = make_record(w, 1, false, "uuid:una", &file, &name);
  cq_str draft = c.drafts[0] = make_record(w, 1, true, "uuid:una", NULL, &other);
  send(w, &c);
  cq_str kept = blob(w, "SELECT bytes FROM record ORDER BY id DESC LIMIT 1");
  c = (content){0};
  for (int i = 0; i < OTHERS / 2; i++) {
    c.records[c.record_count++] = make_record(w, i + 100, false, "uuid:otra", NULL, &other);
    c.drafts[c.draft_count++] = make_record(w, i + 100, true, NULL, NULL, &other);
  }
  send(w, &c);
  test_must(
      cq_desk_exec(&w->desk,
                   "INSERT INTO contact VALUES ('tdd', 'una', '210708', 'Zenobia Inventada Una', 'Casa del "
                   "molino azul', '900000011', 'Por la acequia vieja'), ('tdd', 'otra', '210708', 'Otra', '', '', "
                   "'')",
                   NULL),
      NULL);
  cq_str texts[] = {CQ_STR("/data/dicho"), CQ_STR("Corregido: palabras secretas de Una")};
  decide(w, CQ_ORDER_CORRECT, &name, texts, 2);
  cq_str contact = CQ_STR("Zenobia Inventada UnaCasa del molino azul900000011Por la acequia vieja");
  cq_str file_bytes = {part, PART};
  assert_true(pieces_left(w, kept, others) > 2);
  assert_true(pieces_left(w, draft, others) > 2);
  assert_true(pieces_left(w, file_bytes, others) > 200);
  assert_true(pieces_left(w, contact, others) > 2);
  assert_true(pieces_left(w, texts[1], others) > 1);
  decide(w, CQ_ORDER_ERASE, &name, NULL, 0);
  settle(w);
  assert_int_equal(pieces_left(w, kept, others), 0);
  assert_int_equal(pieces_left(w, draft, others), 0);
  assert_int_equal(pieces_left(w, file_bytes, others), 0);
  assert_int_equal(pieces_left(w, contact, others), 0);
  assert_int_equal(pieces_left(w, texts[1], others), 0);
  /* what is of others is there */
  assert_int_equal(number(w, "SELECT count(*) FROM draft"), OTHERS);
  assert_int_equal(number(w, "SELECT count(*) FROM record WHERE bytes IS NOT NULL"), OTHERS);
  assert_int_equal(number(w, "SELECT count(*) FROM contact"), 1);
  size_t records;
  test_must(cq_derive_rebuild(&w->desk, &records, NULL), NULL);
  assert_int_equal(records, OTHERS);
  world_free(w);
}

static size_t orders_out(world *w) {
  cq_buf folder = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0, orders = 0;
  test_must(cq_home_folder(&folder, w->desk.home, CQ_FOLDER_OUTBOX, NULL), NULL);
  test_must(cq_parcel_list(&parcels, &count, folder.at, NULL), NULL);
  for (size_t i = 0; i < count; i++) orders += parcels[i].kind == CQ_PARCEL_ORDER;
  free(parcels);
  cq_buf_fini(&folder);
  return orders;
}

static bool is_ordered_away(world *w, const cq_hash *batch) {
  char hex[65], sql[160];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM batch_erased WHERE hash = x'%s'", cq_hash_hex(batch, hex));
  return number(w, sql) == 1;
}

/* A restored laptop, a stick in a drawer: each batch that holds it once more is ordered away by the desk itself. */
static void what_comes_once_more_goes_again(void **state) {
  (void)state;
  world *w = world_new("again");
  static content c;
  cq_hash name, other, batch;
  char part[PART];
  memset(part, 'x', PART);
  cq_attachment file = {CQ_STR("1.txt"), cq_hash_of(part, PART), PART};
  c = (content){.record_count = 1};
  c.records[0] = make_record(w, 1, false, "uuid:una", &file, &name);
  cq_hash first = send(w, &c), second = send(w, &c);
  size_t named = 0;
  assert_int_equal(number(w, "SELECT count(*) FROM record_again"), 1);
  decide(w, CQ_ORDER_ERASE, &name, NULL, 0);
  assert_int_equal(settle(w), 0);
  /* the same record */
  batch = send(w, &c);
  assert_int_equal(settle(w), 1);
  assert_true(is_ordered_away(w, &batch));
  assert_int_equal(orders_out(w), ++named);
  assert_int_equal(settle(w), 0);
  /* a part of its file, a snapshot of its draft, a correction of it */
  c = (content){.file = &file, .part = {part, PART}};
  batch = send(w, &c);
  assert_int_equal(settle(w), 1);
  assert_true(is_ordered_away(w, &batch));
  c = (content){.draft_count = 2};
  c.drafts[0] = make_record(w, 1, true, NULL, NULL, &other);
  c.drafts[1] = make_record(w, 2, true, NULL, NULL, &other);
  batch = send(w, &c);
  assert_int_equal(settle(w), 1);
  assert_true(is_ordered_away(w, &batch));
  assert_int_equal(orders_out(w), named += 2);
  assert_int_equal(number(w, "SELECT count(*) FROM draft"), 1);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 0);
  cq_str texts[] = {CQ_STR("/data/dicho"), CQ_STR("otra cosa")};
  int64_t decisions = number(w, "SELECT count(*) FROM decision");
  decide(w, CQ_ORDER_CORRECT, &name, texts, 2);
  assert_int_equal(number(w, "SELECT count(*) FROM decision"), decisions);
  /* the batches that brought it are known to whoever orders; a rebuild keeps all of it */
  assert_false(is_ordered_away(w, &first));
  assert_false(is_ordered_away(w, &second));
  size_t records;
  test_must(cq_derive_rebuild(&w->desk, &records, NULL), NULL);
  assert_int_equal(records, 0);
  assert_true(is_ordered_away(w, &batch));
  assert_int_equal(number(w, "SELECT count(*) FROM erased_again"), 0);
  world_free(w);
}

static cq_status count_batch(void *context, const cq_hash *batch, cq_error *error) {
  cq_hash *seen = context;
  (void)error;
  for (size_t i = 0; i < 8; i++) {
    if (cq_hash_equal(&seen[i], batch)) break;
    if (!cq_hash_is_zero(&seen[i])) continue;
    seen[i] = *batch;
    break;
  }
  return CQ_OK;
}

/* The batch of the record, one that brought it again, one with a part of its file, one with its draft: and no other. */
static void an_order_names_every_batch(void **state) {
  (void)state;
  world *w = world_new("named");
  static content c;
  cq_hash name, other, batches[5], seen[8] = {{{0}}};
  char part[PART];
  memset(part, 'y', PART);
  cq_attachment file = {CQ_STR("1.txt"), cq_hash_of(part, PART), PART};
  c = (content){.draft_count = 1};
  c.drafts[0] = make_record(w, 1, true, NULL, NULL, &other);
  batches[0] = send(w, &c);
  c = (content){.record_count = 1};
  c.records[0] = make_record(w, 1, false, "uuid:una", &file, &name);
  batches[1] = send(w, &c);
  batches[2] = send(w, &c);
  c = (content){.file = &file, .part = {part, PART}};
  batches[3] = send(w, &c);
  c = (content){.record_count = 1};
  c.records[0] = make_record(w, 2, false, "uuid:otra", NULL, &other);
  batches[4] = send(w, &c);
  test_must(cq_erasure_batches(&w->desk, &name, count_batch, seen, NULL), NULL);
  for (size_t b = 0; b < 5; b++) {
    bool found = false;
    for (size_t i = 0; i < 8; i++) found |= cq_hash_equal(&seen[i], &batches[b]);
    assert_int_equal(found, b < 4);
  }
  assert_true(cq_hash_is_zero(&seen[4]));
  world_free(w);
}

static void devices_say_that_they_obeyed(void **state) {
  (void)state;
  world *w = world_new("words");
  static content c;
  cq_hash name;
  cq_buf word = {0};
  c = (content){.record_count = 1};
  c.records[0] = make_record(w, 1, false, "uuid:una", NULL, &name);
  send(w, &c);
  cq_erasure_word said = {.order = decide(w, CQ_ORDER_ERASE, &name, NULL, 0), .made_utc_ms = fixture_now, .held = 1};
  cq_erasure_word_write(&word, &said);
  c = (content){.word = cq_buf_str(&word)};
  send(w, &c);
  send(w, &c);
  assert_int_equal(number(w, "SELECT count(*) FROM erasure_word WHERE held = 1"), 1);
  assert_int_equal(number(w,
                          "SELECT count(*) FROM erasure_word e JOIN decision d ON d.name = e.erasure JOIN batch b ON "
                          "b.device = e.device AND b.number = 2"),
                   1);
  /* what cannot be read is passed over, and its batch is merged */
  word.at[4] = 9;
  send(w, &c);
  assert_int_equal(number(w, "SELECT count(*) FROM erasure_word"), 1);
  size_t records;
  test_must(cq_derive_rebuild(&w->desk, &records, NULL), NULL);
  assert_int_equal(number(w, "SELECT count(*) FROM erasure_word"), 1);
  cq_buf_fini(&word);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_page_holds_what_was_erased),
      cmocka_unit_test(what_comes_once_more_goes_again),
      cmocka_unit_test(an_order_names_every_batch),
      cmocka_unit_test(devices_say_that_they_obeyed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
