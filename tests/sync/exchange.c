/* SPDX-License-Identifier: Apache-2.0 */
/* The post, without HTTP: what it keeps, holds apart and refuses, and what its signed answers say. */
#include "central/inbox/exchange.h"
#include "chasqui/order.h"
#include "tests/sync/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* An ask with these items and hashes, for the news of one laptop and of all; answer borrowed from `bytes`. */
typedef struct talk {
  cq_ask ask;
  cq_buf ask_bytes, bytes;
  cq_answer answer;
} talk;

static cq_status say(world *w, post *p, talk *t, const cq_str *items, size_t item_count, const cq_hash *hashes,
                     size_t hash_count, uint64_t cursor, cq_error *error) {
  const cq_device_id everybody = {0};
  memset(t, 0, sizeof *t);
  t->ask = (cq_ask){.mode = w->mode,
                    .programme = w->id,
                    .inline_bytes = 1 << 20,
                    .device_count = 2,
                    .asked_count = (uint16_t)hash_count,
                    .carried_count = (uint16_t)item_count};
  w->random.fill(w->random.context, t->ask.nonce, sizeof t->ask.nonce);
  cq_ask_put_head(&t->ask_bytes, &t->ask);
  cq_ask_put_device(&t->ask_bytes, &everybody, cursor);
  cq_ask_put_device(&t->ask_bytes, &w->laptop[0].id, cursor);
  for (size_t i = 0; i < hash_count; i++) cq_ask_put_hash(&t->ask_bytes, &hashes[i]);
  for (size_t i = 0; i < item_count; i++) cq_ask_put_item(&t->ask_bytes, items[i]);
  cq_status status = exchange_answer(p, cq_buf_str(&t->ask_bytes), &t->bytes, error);
  if (!status) status = cq_answer_parse(&t->answer, cq_buf_str(&t->bytes), error);
  return status;
}

static void hang_up(talk *t) {
  cq_buf_fini(&t->ask_bytes);
  cq_buf_fini(&t->bytes);
}

/* The outcome of one item carried, with its answer checked as a courier checks it. */
static cq_outcome carry(world *w, post *p, cq_str item, size_t *receipts) {
  talk t;
  cq_error error;
  cq_error_clear(&error);
  cq_bundle *bundle = NULL;
  assert_int_equal(cq_bundle_read(&bundle, w->bundle.at, w->bundle.size, &w->id, &error), CQ_OK);
  assert_int_equal(say(w, p, &t, &item, 1, NULL, 0, 0, &error), CQ_OK);
  assert_int_equal(cq_answer_check(&t.answer, &t.ask, cq_buf_str(&t.ask_bytes), cq_bundle_trust(bundle), NULL, &error),
                   CQ_OK);
  cq_outcome outcome = (cq_outcome)t.answer.carried[0];
  if (receipts) *receipts = t.answer.receipt_count;
  hang_up(&t);
  cq_bundle_free(bundle);
  return outcome;
}

static post *open_post(world *w) {
  post *p = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(post_open(&p, &w->post, &error), CQ_OK);
  return p;
}

static void keeps_once(void **state) {
  (void)state;
  world w;
  world_open(&w, "keeps", CQ_MODE_REAL, 1);
  post *p = open_post(&w);
  cq_buf batch = {0};
  size_t receipts = 0;
  world_batch(&w, 0, 500, &batch);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), &receipts), CQ_OUTCOME_KEPT);
  assert_int_equal(receipts, 1);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), &receipts), CQ_OUTCOME_ALREADY);
  assert_int_equal(receipts, 1);
  post_close(p);
  p = open_post(&w); /* what was kept is there after the post was closed */
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_ALREADY);
  post_close(p);
  cq_buf_fini(&batch);
  world_close(&w);
}

static void names_each_fault(void **state) {
  (void)state;
  world w, practice, other;
  world_open(&w, "faults", CQ_MODE_REAL, 2);
  world_open(&practice, "faults-practice", CQ_MODE_PRACTICE, 2); /* the same keys: only the mode differs */
  world_open(&other, "faults-other", CQ_MODE_REAL, 3);
  post *p = open_post(&w);
  post *practice_post = open_post(&practice);
  cq_buf batch = {0}, foreign = {0};
  world_batch(&w, 0, 2000, &batch);
  char *last = &batch.at[batch.size - 1];
  *last = (char)(*last ^ 1);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_SIGNATURE);
  *last = (char)(*last ^ 1);
  assert_int_equal(carry(&practice, practice_post, cq_buf_str(&batch), NULL), CQ_OUTCOME_REAL);
  batch.at[4]++; /* version */
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_FUTURE);
  batch.at[4]--;
  assert_int_equal(carry(&w, p, (cq_str){batch.at, 40}, NULL), CQ_OUTCOME_DAMAGED);
  assert_int_equal(carry(&w, p, CQ_STR("nothing of ours"), NULL), CQ_OUTCOME_DAMAGED);
  world_batch(&practice, 0, 100, &foreign);
  assert_int_equal(carry(&w, p, cq_buf_str(&foreign), NULL), CQ_OUTCOME_PRACTICE);
  world_batch(&other, 0, 100, &foreign);
  assert_int_equal(carry(&w, p, cq_buf_str(&foreign), NULL), CQ_OUTCOME_PROGRAMME);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_KEPT);
  post_close(p);
  post_close(practice_post);
  cq_buf_fini(&batch);
  cq_buf_fini(&foreign);
  world_close(&w);
  world_close(&practice);
  world_close(&other);
}

static void holds_strangers_until_approved(void **state) {
  (void)state;
  world w;
  world_open(&w, "strangers", CQ_MODE_REAL, 4);
  post *p = open_post(&w);
  cq_buf batch = {0};
  size_t receipts = 0;
  world_batch(&w, 2, 300, &batch);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), &receipts), CQ_OUTCOME_HELD_UNKNOWN);
  assert_int_equal(receipts, 1); /* "held" */
  w.laptop[2].is_certified = true;
  world_publish(&w);
  assert_int_equal(carry(&w, p, cq_buf_str(&w.bundle), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), &receipts), CQ_OUTCOME_ALREADY);
  post_close(p);
  p = open_post(&w);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_ALREADY);
  post_close(p);
  cq_buf_fini(&batch);
  world_close(&w);
}

static void holds_the_revoked(void **state) {
  (void)state;
  world w;
  world_open(&w, "revoked", CQ_MODE_REAL, 5);
  post *p = open_post(&w);
  cq_buf first = {0}, second = {0};
  world_batch(&w, 1, 100, &first);
  world_batch(&w, 1, 100, &second);
  w.revocation = (cq_revocation){.key = w.laptop[1].id, .last_trusted = 1, .revoked_utc_ms = 1};
  w.has_revocation = true;
  world_publish(&w);
  assert_int_equal(carry(&w, p, cq_buf_str(&w.bundle), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(carry(&w, p, cq_buf_str(&first), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(carry(&w, p, cq_buf_str(&second), NULL), CQ_OUTCOME_HELD_REVOKED);
  post_close(p);
  cq_buf_fini(&first);
  cq_buf_fini(&second);
  world_close(&w);
}

static void bundles_never_roll_back(void **state) {
  (void)state;
  world w;
  world_open(&w, "bundles", CQ_MODE_REAL, 6);
  post *p = open_post(&w);
  cq_buf first = {0};
  cq_buf_add_str(&first, cq_buf_str(&w.bundle));
  assert_int_equal(carry(&w, p, cq_buf_str(&first), NULL), CQ_OUTCOME_ALREADY);
  world_publish(&w);
  cq_buf second = {0};
  cq_buf_add_str(&second, cq_buf_str(&w.bundle));
  world_publish(&w);
  assert_int_equal(carry(&w, p, cq_buf_str(&w.bundle), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(carry(&w, p, cq_buf_str(&second), NULL), CQ_OUTCOME_STALE);
  post_close(p);
  cq_buf_fini(&first);
  cq_buf_fini(&second);
  world_close(&w);
}

static void tells_each_device_its_news_once(void **state) {
  (void)state;
  world w;
  world_open(&w, "news", CQ_MODE_REAL, 7);
  post *p = open_post(&w);
  cq_buf batch = {0}, opened = {0};
  cq_error error;
  cq_error_clear(&error);
  talk t;
  cq_hash hash = world_batch(&w, 0, 100, &batch);
  world_opened(&w, 0, 1, &hash, &opened);
  assert_int_equal(carry(&w, p, cq_buf_str(&opened), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(say(&w, p, &t, NULL, 0, &hash, 1, 0, &error), CQ_OK);
  assert_int_equal(t.answer.asked[0], CQ_OUTCOME_LACKING);
  assert_int_equal(t.answer.news_count, 2);
  uint64_t cursor = 0;
  size_t offset = 0;
  for (size_t i = 0; i < 2; i++) {
    cq_news news;
    cq_answer_news(&t.answer, &offset, &news);
    assert_true(news.has_inline);
    assert_int_equal(news.kind, i == 0 ? CQ_PARCEL_BUNDLE : CQ_PARCEL_RECEIPT);
    assert_int_equal(news.bytes.size, i == 0 ? w.bundle.size : opened.size);
    if (news.sequence > cursor) cursor = news.sequence;
  }
  hang_up(&t);
  assert_int_equal(say(&w, p, &t, NULL, 0, NULL, 0, cursor, &error), CQ_OK);
  assert_int_equal(t.answer.news_count, 0);
  assert_true(t.ask_bytes.size + t.bytes.size < 700); /* with the headers of HTTP: below 1 KB */
  hang_up(&t);
  post_close(p);
  cq_buf_fini(&batch);
  cq_buf_fini(&opened);
  world_close(&w);
}

static void an_answer_is_for_one_ask(void **state) {
  (void)state;
  world w, other;
  world_open(&w, "answers", CQ_MODE_REAL, 8);
  world_open(&other, "answers-other", CQ_MODE_REAL, 9);
  post *p = open_post(&w);
  cq_bundle *bundle = NULL, *other_bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  talk t, later;
  cq_bundle_read(&bundle, w.bundle.at, w.bundle.size, NULL, &error);
  cq_bundle_read(&other_bundle, other.bundle.at, other.bundle.size, NULL, &error);
  assert_int_equal(say(&w, p, &t, NULL, 0, NULL, 0, 0, &error), CQ_OK);
  assert_int_equal(say(&w, p, &later, NULL, 0, NULL, 0, 0, &error), CQ_OK);
  const cq_trust *trust = cq_bundle_trust(bundle);
  assert_int_equal(cq_answer_check(&t.answer, &t.ask, cq_buf_str(&t.ask_bytes), trust, NULL, &error), CQ_OK);
  assert_int_equal(cq_answer_check(&t.answer, &later.ask, cq_buf_str(&later.ask_bytes), trust, NULL, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "protocol.nonce");
  assert_int_equal(
      cq_answer_check(&t.answer, &t.ask, cq_buf_str(&t.ask_bytes), cq_bundle_trust(other_bundle), NULL, &error),
      CQ_REFUSED);
  assert_string_equal(error.code, "protocol.programme");
  assert_int_equal(cq_answer_check(&t.answer, &t.ask, cq_buf_str(&later.ask_bytes), trust, NULL, &error), CQ_REFUSED);
  assert_string_equal(error.code, "protocol.signature"); /* the post heard something else than was said */
  size_t refused = 0;
  for (size_t i = 0; i < t.bytes.size; i++) { /* no bit of it can be changed */
    t.bytes.at[i] = (char)(t.bytes.at[i] ^ 4);
    cq_answer changed;
    refused += cq_answer_parse(&changed, cq_buf_str(&t.bytes), NULL) != CQ_OK ||
               cq_answer_check(&changed, &t.ask, cq_buf_str(&t.ask_bytes), trust, NULL, NULL) != CQ_OK;
    t.bytes.at[i] = (char)(t.bytes.at[i] ^ 4);
  }
  assert_int_equal(refused, t.bytes.size);
  hang_up(&t);
  hang_up(&later);
  t = (talk){0};
  assert_int_equal(say(&other, p, &t, NULL, 0, NULL, 0, 0, &error), CQ_REFUSED);
  assert_string_equal(error.code, "post.programme.other");
  hang_up(&t);
  cq_bundle_free(bundle);
  cq_bundle_free(other_bundle);
  post_close(p);
  world_close(&w);
  world_close(&other);
}

static void strangers_have_a_quota(void **state) {
  (void)state;
  world w;
  world_open(&w, "quota", CQ_MODE_REAL, 10);
  post *p = open_post(&w);
  cq_buf batch = {0};
  cq_error error;
  cq_error_clear(&error);
  bool fresh;
  index_item fat = {.kind = CQ_PARCEL_BATCH,
                    .outcome = CQ_OUTCOME_HELD_UNKNOWN,
                    .device = w.laptop[3].id,
                    .size = POST_HELD_DEVICE_BYTES - 100,
                    .path = "held/elsewhere"};
  assert_int_equal(index_begin(post_index_of(p), &error), CQ_OK);
  assert_int_equal(index_add(post_index_of(p), &fat, CQ_STR("fat"), 1, &fresh, &error), CQ_OK);
  assert_int_equal(index_commit(post_index_of(p), &error), CQ_OK);
  world_batch(&w, 3, 300, &batch);
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_LATER_QUOTA);
  world_batch(&w, 2, 300, &batch); /* another stranger still has a place */
  assert_int_equal(carry(&w, p, cq_buf_str(&batch), NULL), CQ_OUTCOME_HELD_UNKNOWN);
  post_close(p);
  cq_buf_fini(&batch);
  world_close(&w);
}

static void what_is_erased_stays_erased(void **state) {
  (void)state;
  world w;
  world_open(&w, "erase", CQ_MODE_REAL, 11);
  post *p = open_post(&w);
  cq_buf first = {0}, second = {0}, order = {0}, bytes = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_hash name, batches[2];
  index_item item;
  batches[0] = world_batch(&w, 0, 100, &first);
  batches[1] = world_batch(&w, 0, 100, &second); /* has not come yet */
  assert_int_equal(carry(&w, p, cq_buf_str(&first), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(index_find(post_index_of(p), &batches[0], &item, &error), CQ_OK);
  assert_int_equal(index_read(post_index_of(p), &item, 0, first.size, &bytes, &error), CQ_OK);
  assert_true(cq_str_equal(cq_buf_str(&bytes), cq_buf_str(&first)));
  const cq_order about = {.mode = w.mode,
                          .kind = CQ_ORDER_ERASE,
                          .programme = w.id,
                          .made_utc_ms = 1,
                          .by = CQ_STR("C01"),
                          .reason = CQ_STR("solicitud"),
                          .targets = batches, /* any names of records */
                          .target_count = 1,
                          .batches = batches,
                          .batch_count = 2};
  assert_int_equal(cq_order_write(&order, &name, &about, &w.laptop[0].chain, w.laptop[0].sign, &w.random, &error),
                   CQ_OK);
  assert_true(cq_outcome_is_refused(carry(&w, p, cq_buf_str(&order), NULL))); /* a laptop orders nothing */
  cq_buf_reset(&bytes);
  assert_int_equal(index_read(post_index_of(p), &item, 0, first.size, &bytes, &error), CQ_OK);
  cq_buf_reset(&order);
  assert_int_equal(cq_order_write(&order, &name, &about, &w.desk_chain, w.desk, &w.random, &error), CQ_OK);
  assert_int_equal(carry(&w, p, cq_buf_str(&order), NULL), CQ_OUTCOME_KEPT);
  assert_int_equal(index_read(post_index_of(p), &item, 0, first.size, &bytes, &error), CQ_NOTFOUND);
  assert_int_equal(carry(&w, p, cq_buf_str(&first), NULL), CQ_OUTCOME_ERASED);
  assert_int_equal(carry(&w, p, cq_buf_str(&second), NULL), CQ_OUTCOME_ERASED);
  post_close(p);
  cq_buf_fini(&first);
  cq_buf_fini(&second);
  cq_buf_fini(&order);
  cq_buf_fini(&bytes);
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_once),
      cmocka_unit_test(names_each_fault),
      cmocka_unit_test(holds_strangers_until_approved),
      cmocka_unit_test(holds_the_revoked),
      cmocka_unit_test(bundles_never_roll_back),
      cmocka_unit_test(tells_each_device_its_news_once),
      cmocka_unit_test(an_answer_is_for_one_ask),
      cmocka_unit_test(strangers_have_a_quota),
      cmocka_unit_test(what_is_erased_stays_erased),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
