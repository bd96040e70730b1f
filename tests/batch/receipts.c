/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, receipts and orders. */
#include "tests/batch/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void flip(cq_buf *bytes, size_t bit) {
  bytes->at[bit / 8] = (char)(bytes->at[bit / 8] ^ (1 << bit % 8));
}

/* --- certificates --- */

static void checked(const fixture *f, const cq_chain *chain, cq_role role, const char *code) {
  cq_certificate last;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_chain_check(&last, chain, role, &f->trust, &error);
  if (code)
    assert_string_equal(error.code, code);
  else
    assert_int_equal(status, CQ_OK);
}

static void chains(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL), *other = fixture_new(2, CQ_MODE_REAL),
          *practice = fixture_new(1, CQ_MODE_PRACTICE);
  checked(f, &f->device.chain, CQ_ROLE_DEVICE, NULL);
  checked(f, &f->trainee.chain, CQ_ROLE_DEVICE, NULL);
  checked(f, &f->post.chain, CQ_ROLE_POST, NULL);
  checked(f, &f->post.chain, CQ_ROLE_DESK, "certificate.role");
  checked(f, &f->device.chain, CQ_ROLE_COORDINATOR, "certificate.role");
  checked(f, &other->device.chain, CQ_ROLE_DEVICE, "certificate.programme");
  checked(f, &practice->device.chain, CQ_ROLE_DEVICE, "certificate.mode");
  cq_chain none = {0};
  checked(f, &none, CQ_ROLE_DEVICE, "certificate.damaged");
  /* a coordinator cannot make a post, nor a device another device */
  uint8_t link[CQ_CERTIFICATE_SIZE];
  cq_certificate made = {.mode = f->mode, .role = CQ_ROLE_POST, .programme = f->programme, .sign = f->stranger.key};
  assert_int_equal(cq_certificate_issue(link, &made, f->coordinator.secret, NULL), CQ_OK);
  cq_chain chain = cq_chain_of(f->coordinator.chain.link[0], link);
  checked(f, &chain, CQ_ROLE_POST, "certificate.role");
  chain = cq_chain_of(NULL, link);
  checked(f, &chain, CQ_ROLE_POST, "certificate.issuer");
  chain = f->device.chain;
  chain.link[0][0] = 2;
  checked(f, &chain, CQ_ROLE_DEVICE, "certificate.future");
  chain = f->trainee.chain;
  for (size_t bit = 0; bit < sizeof chain.link * 8; bit++) {
    uint8_t *at = &chain.link[0][0] + bit / 8;
    cq_certificate last;
    *at ^= (uint8_t)(1 << bit % 8);
    assert_int_not_equal(cq_chain_check(&last, &chain, CQ_ROLE_DEVICE, &f->trust, NULL), CQ_OK);
    *at ^= (uint8_t)(1 << bit % 8);
  }
  cq_revocation revocation = {.key = f->post.id};
  f->trust.revocations = &revocation;
  f->trust.revocation_count = 1;
  checked(f, &f->post.chain, CQ_ROLE_POST, "certificate.revoked");
  fixture_free(f);
  fixture_free(other);
  fixture_free(practice);
}

static void chains_as_files(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_buf bytes = {0};
  cq_chain read;
  cq_error error;
  cq_chain_write(&bytes, &f->trainee.chain);
  assert_int_equal(cq_chain_read(&read, bytes.at, bytes.size, NULL), CQ_OK);
  assert_int_equal(read.count, 2);
  checked(f, &read, CQ_ROLE_DEVICE, NULL);
  for (size_t size = 0; size < bytes.size; size++)
    assert_int_equal(cq_chain_read(&read, bytes.at, size, NULL), CQ_DAMAGED);
  bytes.at[4] = 2;
  assert_int_equal(cq_chain_read(&read, bytes.at, bytes.size, &error), CQ_FUTURE);
  assert_string_equal(error.code, "certificate.future");
  cq_buf_fini(&bytes);
  fixture_free(f);
}

/* --- receipts --- */

static cq_receipt kept(const fixture *f, cq_role by, cq_receipt_state state) {
  cq_receipt receipt = {.mode = f->mode,
                        .programme = f->programme,
                        .device = f->device.id,
                        .made_utc_ms = fixture_now,
                        .signer = by,
                        .count = 3};
  for (size_t i = 0; i < 3; i++) {
    receipt.batches[i] = (cq_receipt_batch){.number = i + 1, .state = state};
    receipt.batches[i].hash.at[0] = (uint8_t)i;
  }
  return receipt;
}

static void receipts(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL), *practice = fixture_new(1, CQ_MODE_PRACTICE),
          *other = fixture_new(2, CQ_MODE_REAL);
  cq_receipt written = kept(f, CQ_ROLE_POST, CQ_RECEIPT_KEPT);
  cq_receipt *read = calloc(1, sizeof *read);
  cq_buf bytes = {0};
  cq_error error;
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->post.chain, f->post.secret, NULL), CQ_OK);
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, NULL), CQ_OK);
  assert_int_equal(read->count, 3);
  assert_int_equal(read->signer, CQ_ROLE_POST);
  assert_true(read->made_utc_ms == fixture_now && read->batches[2].number == 3);
  assert_true(cq_device_id_equal(&read->device, &f->device.id));
  assert_int_equal(read->batches[1].hash.at[0], 1);
  for (size_t bit = 0; bit < bytes.size * 8; bit++) {
    flip(&bytes, bit);
    assert_int_not_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, NULL), CQ_OK);
    assert_int_equal(read->count, 0);
    flip(&bytes, bit);
  }
  for (size_t size = 0; size < bytes.size; size++) {
    assert_int_equal(cq_receipt_read(read, bytes.at, size, &f->trust, &error), CQ_DAMAGED);
    assert_string_equal(error.code, "receipt.truncated");
  }
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &practice->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "receipt.mode");
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &other->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "receipt.programme");
  bytes.at[4] = 2;
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, &error), CQ_FUTURE);
  assert_string_equal(error.code, "receipt.future");
  bytes.at[0] = 'X';
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, &error), CQ_INVALID);
  assert_string_equal(error.code, "receipt.magic");
  cq_buf_fini(&bytes);
  free(read);
  fixture_free(f);
  fixture_free(practice);
  fixture_free(other);
}

/* Why a batch is held or refused travels beside its state; a reason of a newer version is none. */
static void reasons_travel(void **state) {
  (void)state;
  fixture *f = fixture_new(4, CQ_MODE_REAL);
  cq_receipt *receipt = calloc(1, sizeof *receipt);
  cq_buf bytes = {0};
  *receipt = (cq_receipt){.mode = f->mode, .programme = f->programme, .device = f->device.id, .signer = CQ_ROLE_DESK};
  receipt->count = 3;
  receipt->batches[0] = (cq_receipt_batch){.number = 1, .state = CQ_RECEIPT_HELD, .reason = CQ_REASON_HOLD};
  receipt->batches[1] = (cq_receipt_batch){.number = 2, .state = CQ_RECEIPT_REFUSED, .reason = CQ_REASON_FORM};
  receipt->batches[2] = (cq_receipt_batch){.number = 3, .state = CQ_RECEIPT_OPENED};
  assert_int_equal(cq_receipt_write(&bytes, receipt, &f->desk.chain, f->desk.secret, NULL), CQ_OK);
  memset(receipt, 0, sizeof *receipt);
  assert_int_equal(cq_receipt_read(receipt, bytes.at, bytes.size, &f->trust, NULL), CQ_OK);
  assert_true(receipt->batches[0].state == CQ_RECEIPT_HELD && receipt->batches[0].reason == CQ_REASON_HOLD);
  assert_true(receipt->batches[1].state == CQ_RECEIPT_REFUSED && receipt->batches[1].reason == CQ_REASON_FORM);
  assert_true(receipt->batches[2].state == CQ_RECEIPT_OPENED && receipt->batches[2].reason == CQ_REASON_NONE);
  assert_string_equal(cq_receipt_reason_name(CQ_REASON_FORM), "form");
  assert_string_equal(cq_receipt_reason_name(15), "");
  cq_buf_fini(&bytes);
  free(receipt);
  fixture_free(f);
}

static void only_a_desk_says_opened(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_receipt *read = calloc(1, sizeof *read);
  cq_buf bytes = {0};
  cq_error error;
  cq_receipt written = kept(f, CQ_ROLE_POST, CQ_RECEIPT_OPENED);
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->post.chain, f->post.secret, &error), CQ_INVALID);
  assert_string_equal(error.code, "receipt.state");
  written = kept(f, CQ_ROLE_DESK, CQ_RECEIPT_OPENED);
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->desk.chain, f->desk.secret, NULL), CQ_OK);
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, NULL), CQ_OK);
  assert_int_equal(read->batches[0].state, CQ_RECEIPT_OPENED);
  /* a post that calls itself a desk */
  cq_buf_reset(&bytes);
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->post.chain, f->post.secret, NULL), CQ_OK);
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "certificate.role");
  /* with the desk's certificate, and its own key */
  cq_buf_reset(&bytes);
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->desk.chain, f->post.secret, NULL), CQ_OK);
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "receipt.signature");
  /* a post that changes "kept" into "opened" before it signs */
  written = kept(f, CQ_ROLE_POST, CQ_RECEIPT_KEPT);
  cq_buf_reset(&bytes);
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->post.chain, f->post.secret, NULL), CQ_OK);
  bytes.at[52 + CQ_CERTIFICATE_SIZE + 40] = CQ_RECEIPT_OPENED;
  cq_signature signature;
  assert_int_equal(cq_sign(&signature, "chasqui receipt 1", bytes.at, bytes.size - 64, f->post.secret, NULL), CQ_OK);
  memcpy(bytes.at + bytes.size - 64, signature.at, 64);
  assert_int_equal(cq_receipt_read(read, bytes.at, bytes.size, &f->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "receipt.state");
  written.count = 0;
  assert_int_equal(cq_receipt_write(&bytes, &written, &f->post.chain, f->post.secret, &error), CQ_LIMIT);
  assert_string_equal(error.code, "receipt.many");
  cq_buf_fini(&bytes);
  free(read);
  fixture_free(f);
}

/* --- orders --- */

static cq_order merge_order(const fixture *f) {
  static const cq_hash targets[] = {{{1}}, {{2}}}, batches[] = {{{3}}};
  static const cq_str texts[] = {{"tdd", 3}, {"uuid:1", 6}, {"uuid:2", 6}};
  return (cq_order){.mode = f->mode,
                    .kind = CQ_ORDER_MERGE_PERSONS,
                    .programme = f->programme,
                    .made_utc_ms = fixture_now,
                    .by = CQ_STR("me01"),
                    .reason = CQ_STR("misma ficha"),
                    .device = f->device.id,
                    .number = 7,
                    .targets = targets,
                    .target_count = 2,
                    .batches = batches,
                    .batch_count = 1,
                    .texts = texts,
                    .text_count = 3};
}

static void orders(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_arena *arena = cq_arena_new(0);
  const struct {
    const signer *by;
    const cq_chain *chain;
    cq_role role;
  } signers[] = {{&f->root, NULL, CQ_ROLE_PROGRAMME},
                 {&f->desk, &f->desk.chain, CQ_ROLE_DESK},
                 {&f->coordinator, &f->coordinator.chain, CQ_ROLE_COORDINATOR}};
  cq_buf bytes = {0};
  cq_order written = merge_order(f), read;
  cq_hash name, again, before = {0};
  cq_error error;
  for (size_t i = 0; i < 3; i++) {
    cq_buf_reset(&bytes);
    assert_int_equal(cq_order_write(&bytes, &name, &written, signers[i].chain, signers[i].by->secret, &f->random, NULL),
                     CQ_OK);
    assert_int_equal(cq_order_read(&read, &again, cq_buf_str(&bytes), arena, &f->trust, NULL), CQ_OK);
    assert_true(cq_hash_equal(&name, &again));
    assert_false(cq_hash_equal(&name, &before)); /* the same order twice has two names */
    before = name;
    assert_int_equal(read.signer, signers[i].role);
    assert_int_equal(read.kind, CQ_ORDER_MERGE_PERSONS);
    assert_true(read.number == 7 && read.target_count == 2 && read.batch_count == 1 && read.text_count == 3);
    assert_true(cq_str_is(read.texts[2], "uuid:2") && cq_str_is(read.by, "me01"));
    assert_true(cq_hash_equal(&read.targets[1], &written.targets[1]));
  }
  for (size_t bit = 0; bit < bytes.size * 8; bit++) {
    flip(&bytes, bit);
    assert_int_not_equal(cq_order_read(&read, &again, cq_buf_str(&bytes), arena, &f->trust, NULL), CQ_OK);
    flip(&bytes, bit);
    cq_arena_reset(arena);
  }
  for (size_t size = 0; size < bytes.size; size++)
    assert_int_not_equal(cq_order_read(&read, &again, (cq_str){bytes.at, size}, arena, &f->trust, NULL), CQ_OK);
  cq_buf_reset(&bytes);
  /* a post gives no orders, a device neither */
  assert_int_equal(cq_order_write(&bytes, &name, &written, &f->post.chain, f->post.secret, &f->random, NULL), CQ_OK);
  assert_int_equal(cq_order_read(&read, &again, cq_buf_str(&bytes), arena, &f->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "certificate.role");
  cq_buf_reset(&bytes);
  assert_int_equal(cq_order_write(&bytes, &name, &written, NULL, f->stranger.secret, &f->random, NULL), CQ_OK);
  assert_int_equal(cq_order_read(&read, &again, cq_buf_str(&bytes), arena, &f->trust, &error), CQ_REFUSED);
  assert_string_equal(error.code, "certificate.issuer");
  cq_buf_reset(&bytes);
  written.by = CQ_STR("a\tb");
  assert_int_equal(cq_order_write(&bytes, &name, &written, NULL, f->root.secret, &f->random, &error), CQ_INVALID);
  assert_string_equal(error.code, "order.field");
  assert_string_equal(error.arg[0], "by");
  cq_buf_fini(&bytes);
  cq_arena_free(arena);
  fixture_free(f);
}

static void words_of_erasures(void **state) {
  (void)state;
  cq_erasure_word written = {.order = cq_hash_of("an order", 8), .made_utc_ms = 1352800000000, .held = 3}, read;
  cq_buf bytes = {0};
  cq_erasure_word_write(&bytes, &written);
  assert_int_equal(bytes.size, 52);
  assert_true(cq_erasure_word_read(&read, cq_buf_str(&bytes)));
  assert_true(cq_hash_equal(&read.order, &written.order));
  assert_true(read.made_utc_ms == written.made_utc_ms && read.held == 3);
  /* of another version, longer, shorter, something else */
  bytes.at[4] = 2;
  assert_false(cq_erasure_word_read(&read, cq_buf_str(&bytes)));
  bytes.at[4] = 1;
  for (size_t size = 0; size < bytes.size; size++) assert_false(cq_erasure_word_read(&read, (cq_str){bytes.at, size}));
  cq_buf_add_char(&bytes, 0);
  assert_false(cq_erasure_word_read(&read, cq_buf_str(&bytes)));
  cq_buf_fini(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chains),           cmocka_unit_test(chains_as_files),         cmocka_unit_test(receipts),
      cmocka_unit_test(reasons_travel),   cmocka_unit_test(only_a_desk_says_opened), cmocka_unit_test(orders),
      cmocka_unit_test(words_of_erasures)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
