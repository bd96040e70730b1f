/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol's messages, both ways, and what is refused of them. */
#include "chasqui/protocol.h"
#include "chasqui/receipt.h"
#include "tests/sync/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static cq_error error;

static int set_up(void **state) {
  (void)state;
  cq_error_clear(&error);
  return 0;
}

/* Parsing from a block of exactly that size, so that the sanitizer sees any byte read past it. */
static cq_status parse_ask(cq_str bytes) {
  char *exact = malloc(bytes.size ? bytes.size : 1);
  cq_ask ask;
  memcpy(exact, bytes.at, bytes.size);
  cq_status status = cq_ask_parse(&ask, (cq_str){exact, bytes.size}, &error);
  free(exact);
  return status;
}

static void put_ask(cq_buf *out, cq_ask *head) {
  const cq_device_id device = {{7}};
  const cq_hash hash = {{8}};
  *head = (cq_ask){.mode = CQ_MODE_REAL,
                   .nonce = {1},
                   .programme = {{2}},
                   .inline_bytes = 77,
                   .device_count = 2,
                   .asked_count = 1,
                   .carried_count = 2};
  cq_ask_put_head(out, head);
  cq_ask_put_device(out, &device, 5);
  cq_ask_put_device(out, &device, UINT64_MAX);
  cq_ask_put_hash(out, &hash);
  cq_ask_put_item(out, CQ_STR("one"));
  cq_ask_put_item(out, CQ_STR("another"));
}

static void an_ask_comes_back(void **state) {
  (void)state;
  cq_buf bytes = {0};
  cq_ask head, ask;
  put_ask(&bytes, &head);
  assert_int_equal(cq_ask_parse(&ask, cq_buf_str(&bytes), &error), CQ_OK);
  assert_int_equal(ask.mode, CQ_MODE_REAL);
  assert_int_equal(ask.inline_bytes, 77);
  uint64_t cursor;
  size_t offset = 0;
  cq_device_id device = cq_ask_device(&ask, 1, &cursor);
  assert_int_equal(device.at[0], 7);
  assert_true(cursor == UINT64_MAX);
  assert_int_equal(cq_ask_hash(&ask, 0).at[0], 8);
  assert_true(cq_str_is(cq_ask_item(&ask, &offset), "one"));
  assert_true(cq_str_is(cq_ask_item(&ask, &offset), "another"));
  for (size_t cut = 0; cut < bytes.size; cut++) {
    assert_int_not_equal(parse_ask((cq_str){bytes.at, cut}), CQ_OK);
  }
  cq_buf_add_char(&bytes, 0);
  assert_int_equal(parse_ask(cq_buf_str(&bytes)), CQ_INVALID); /* not one byte more either */
  cq_buf_fini(&bytes);
}

static void wrong_heads_are_named(void **state) {
  (void)state;
  static const struct {
    size_t at;
    char value;
    cq_status status;
    const char *code;
  } cases[] = {
      {0, 'X', CQ_INVALID, "protocol.magic"},     {4, 2, CQ_FUTURE, "protocol.future"},
      {4, 0, CQ_INVALID, "protocol.malformed"},   {6, 0, CQ_INVALID, "protocol.malformed"},
      {6, 3, CQ_INVALID, "protocol.malformed"},   {7, 1, CQ_INVALID, "protocol.malformed"},
      {61, 2, CQ_INVALID, "protocol.malformed"},  {63, 64, CQ_INVALID, "protocol.malformed"},
      {65, 64, CQ_INVALID, "protocol.malformed"}, {66, 1, CQ_INVALID, "protocol.malformed"},
  };
  cq_buf bytes = {0};
  cq_ask head;
  put_ask(&bytes, &head);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char before = bytes.at[cases[i].at];
    bytes.at[cases[i].at] = cases[i].value;
    assert_int_equal(parse_ask(cq_buf_str(&bytes)), cases[i].status);
    assert_string_equal(error.code, cases[i].code);
    bytes.at[cases[i].at] = before;
  }
  cq_buf_fini(&bytes);
}

static void frames_come_in_any_pieces(void **state) {
  (void)state;
  cq_buf page = {0};
  const cq_frame put[2] = {
      {.sequence = 3, .outcome = 1, .hash = {{9}}, .size = 5, .has_bytes = true, .bytes = {"12345", 5}},
      {.sequence = 4, .outcome = 3, .hash = {{10}}, .size = 2000000, .has_bytes = false}};
  for (size_t i = 0; i < 2; i++) cq_frame_put(&page, &put[i]);
  for (size_t have = 0; have <= page.size; have++) {
    cq_frame frame;
    size_t offset = 0, count = 0;
    while (offset < have && cq_frame_parse(&frame, (cq_str){page.at, have}, &offset, &error) == CQ_OK) {
      assert_true(frame.sequence == put[count].sequence && frame.size == put[count].size);
      count++;
    }
    assert_int_equal(count, have < 55 ? 0 : have < 105 ? 1 : 2);
  }
  cq_buf_fini(&page);
}

static void a_page_is_of_its_moment(void **state) {
  (void)state;
  const uint8_t challenge[32] = {1}, other[32] = {2};
  cq_sign_key key, stranger;
  cq_secret *secret = NULL, *strange = NULL;
  cq_buf page = {0};
  cq_str frames;
  cq_sign_pair(&key, &secret, &cq_random_system, &error);
  cq_sign_pair(&stranger, &strange, &cq_random_system, &error);
  cq_buf_add_text(&page, "frames");
  assert_int_equal(cq_page_sign(&page, challenge, 7, secret, &error), CQ_OK);
  assert_int_equal(cq_page_check(&frames, cq_buf_str(&page), challenge, 7, &key, &error), CQ_OK);
  assert_true(cq_str_is(frames, "frames"));
  assert_int_equal(cq_page_check(&frames, cq_buf_str(&page), challenge, 8, &key, &error), CQ_REFUSED);
  assert_int_equal(cq_page_check(&frames, cq_buf_str(&page), other, 7, &key, &error), CQ_REFUSED);
  assert_int_equal(cq_page_check(&frames, cq_buf_str(&page), challenge, 7, &stranger, &error), CQ_REFUSED);
  assert_int_equal(cq_page_check(&frames, (cq_str){page.at, 10}, challenge, 7, &key, &error), CQ_INVALID);
  cq_secret_free(secret);
  cq_secret_free(strange);
  cq_buf_fini(&page);
}

static void a_request_is_typed_whole(void **state) {
  (void)state;
  cq_sign_key key, read;
  cq_secret *secret = NULL;
  cq_buf text = {0};
  cq_sign_pair(&key, &secret, &cq_random_system, &error);
  cq_post_request_write(&text, &key);
  assert_int_equal(cq_post_request_read(&read, cq_buf_str(&text), &error), CQ_OK);
  assert_memory_equal(read.at, key.at, sizeof key.at);
  for (size_t i = 0; i + 1 < text.size; i++) { /* but for spaces and dashes of the fingerprint, every sign counts */
    char before = text.at[i];
    if (before == '-') continue;
    text.at[i] = before == '7' ? '8' : '7';
    assert_int_equal(cq_post_request_read(&read, cq_buf_str(&text), &error), CQ_INVALID);
    text.at[i] = before;
  }
  text.size--; /* its end of line */
  for (size_t i = 0; i < 3; i++) {
    cq_buf_add_char(&text, '\0');
    assert_int_equal(cq_post_request_read(&read, cq_buf_str(&text), &error), CQ_INVALID);
  }
  assert_int_equal(cq_post_request_read(&read, CQ_STR(""), &error), CQ_INVALID);
  cq_secret_free(secret);
  cq_buf_fini(&text);
}

static cq_status show(world *w, cq_str file, const uint8_t challenge[32], cq_secret *post_sign, int64_t now) {
  cq_buf token = {0};
  cq_bundle *bundle = NULL;
  uint8_t shown[32];
  cq_bundle_read(&bundle, w->bundle.at, w->bundle.size, NULL, &error);
  cq_status status = cq_pass_token(&token, file, challenge, &error);
  if (!status) status = cq_pass_check(shown, cq_buf_str(&token), cq_bundle_trust(bundle), post_sign, now, &error);
  cq_buf_fini(&token);
  cq_bundle_free(bundle);
  return status;
}

static void a_pass_opens_for_its_desk(void **state) {
  (void)state;
  world w, other;
  cq_sign_key key;
  cq_secret *ours = NULL, *another = NULL;
  cq_buf pass = {0}, foreign = {0};
  uint8_t challenge[32];
  const int64_t now = 1000000000;
  world_open(&w, "pass", CQ_MODE_REAL, 41);
  world_open(&other, "pass-other", CQ_MODE_REAL, 42);
  cq_sign_pair(&key, &ours, &cq_random_system, &error);
  cq_sign_pair(&key, &another, &cq_random_system, &error);
  assert_int_equal(cq_pass_write(&pass, &w.desk_chain, w.mode, &w.id, now + 5000, w.desk, &cq_random_system, &error),
                   CQ_OK);
  assert_int_equal(cq_pass_write(&foreign, &other.desk_chain, other.mode, &other.id, now + 5000, other.desk,
                                 &cq_random_system, &error),
                   CQ_OK);
  cq_challenge_make(challenge, now, &cq_random_system, ours);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now), CQ_OK);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now + 6000), CQ_REFUSED);
  assert_string_equal(error.code, "pass.expired");
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, another, now), CQ_REFUSED);
  assert_string_equal(error.code, "pass.challenge");
  assert_int_equal(show(&w, cq_buf_str(&foreign), challenge, ours, now), CQ_REFUSED);
  /* Signed by somebody who is no desk. */
  cq_buf_reset(&pass);
  cq_pass_write(&pass, &w.laptop[0].chain, w.mode, &w.id, now + 5000, w.laptop[0].sign, &cq_random_system, &error);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now), CQ_REFUSED);
  assert_string_equal(error.code, "certificate.role");
  for (size_t cut = 0; cut < pass.size; cut++) {
    assert_int_not_equal(show(&w, (cq_str){pass.at, cut}, challenge, ours, now), CQ_OK);
  }
  /* A challenge is good for ten minutes, and none is of the future. */
  cq_buf_reset(&pass);
  cq_pass_write(&pass, &w.desk_chain, w.mode, &w.id, now * 2, w.desk, &cq_random_system, &error);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now + CQ_PROTOCOL_TOKEN_MS), CQ_OK);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now + CQ_PROTOCOL_TOKEN_MS + 1), CQ_REFUSED);
  assert_int_equal(show(&w, cq_buf_str(&pass), challenge, ours, now - 1), CQ_REFUSED);
  cq_secret_free(ours);
  cq_secret_free(another);
  cq_buf_fini(&pass);
  cq_buf_fini(&foreign);
  world_close(&w);
  world_close(&other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_ask_comes_back, set_up),
      cmocka_unit_test_setup(wrong_heads_are_named, set_up),
      cmocka_unit_test_setup(frames_come_in_any_pieces, set_up),
      cmocka_unit_test_setup(a_page_is_of_its_moment, set_up),
      cmocka_unit_test_setup(a_request_is_typed_whole, set_up),
      cmocka_unit_test_setup(a_pass_opens_for_its_desk, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
