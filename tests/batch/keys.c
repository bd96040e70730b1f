/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HAS_CODE(error, text) assert_string_equal((error).code, text)

static void hashes(void **state) {
  (void)state;
  /* BLAKE2b-256 of nothing and of "abc", from the reference implementation */
  static const struct {
    const char *text, *hex;
  } cases[] = {{"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
               {"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char hex[65];
    cq_hash hash = cq_hash_of(cases[i].text, strlen(cases[i].text)), parsed;
    assert_string_equal(cq_hash_hex(&hash, hex), cases[i].hex);
    assert_true(cq_hash_parse(cq_str_from(hex), &parsed));
    assert_true(cq_hash_equal(&hash, &parsed));
    cq_hasher hasher;
    cq_hasher_init(&hasher);
    for (size_t k = 0; cases[i].text[k]; k++) cq_hasher_add(&hasher, cases[i].text + k, 1);
    parsed = cq_hasher_end(&hasher);
    assert_true(cq_hash_equal(&hash, &parsed));
  }
  cq_hash none = {0}, parsed;
  assert_true(cq_hash_is_zero(&none));
  assert_false(cq_hash_parse(CQ_STR("ab"), &parsed));
}

static void secrets(void **state) {
  (void)state;
  cq_secret *secret = cq_secret_new(64);
  assert_non_null(secret);
  for (size_t i = 0; i < 64; i++) assert_int_equal(cq_secret_view(secret)[i], 0);
  cq_random_system.fill(NULL, cq_secret_bytes(secret), 64);
  cq_secret *copy = cq_secret_copy(cq_secret_view(secret), 64);
  assert_true(cq_same_bytes(cq_secret_view(secret), cq_secret_view(copy), 64));
  cq_secret_free(secret);
  cq_secret_free(copy);
  cq_secret_free(NULL);
  assert_null(cq_secret_new(0));
  assert_null(cq_secret_new((1 << 20) + 1));
}

static void fingerprints(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  char text[CQ_FINGERPRINT_SIZE], loose[64];
  cq_fingerprint(&f->root.key, text);
  assert_int_equal(strlen(text), 24);
  assert_int_equal(strspn(text, "23456789AEFHJKLMPRTX-"), 24);
  assert_true(cq_fingerprint_matches(&f->root.key, cq_str_from(text)));
  snprintf(loose, sizeof loose, " %.4s %.4s%.4s - %.4s %.4s ", text, text + 5, text + 10, text + 15, text + 20);
  for (char *c = loose; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
  assert_true(cq_fingerprint_matches(&f->root.key, cq_str_from(loose)));
  assert_false(cq_fingerprint_matches(&f->root.key, (cq_str){text, 23}));
  assert_false(cq_fingerprint_matches(&f->root.key, cq_str_from("")));
  snprintf(loose, sizeof loose, "%s2", text);
  assert_false(cq_fingerprint_matches(&f->root.key, cq_str_from(loose)));
  assert_false(cq_fingerprint_matches(&f->device.key, cq_str_from(text)));
  fixture_free(f);
}

static void signatures_are_bound_to_their_purpose(void **state) {
  (void)state;
  fixture *f = fixture_new(2, CQ_MODE_REAL);
  cq_signature signature;
  assert_int_equal(cq_sign(&signature, "one", "hello", 5, f->device.secret, NULL), CQ_OK);
  assert_true(cq_signature_right(&signature, "one", "hello", 5, &f->device.key));
  assert_false(cq_signature_right(&signature, "two", "hello", 5, &f->device.key));
  assert_false(cq_signature_right(&signature, "one", "hellp", 5, &f->device.key));
  assert_false(cq_signature_right(&signature, "one", "hello", 5, &f->desk.key));
  for (size_t bit = 0; bit < 512; bit++) {
    cq_signature changed = signature;
    changed.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_false(cq_signature_right(&changed, "one", "hello", 5, &f->device.key));
  }
  cq_error error;
  cq_secret *wrong = cq_secret_new(32);
  assert_int_equal(cq_sign(&signature, "one", "", 0, wrong, &error), CQ_INVALID);
  HAS_CODE(error, "keys.secret.size");
  cq_secret_free(wrong);
  fixture_free(f);
}

static void seals(void **state) {
  (void)state;
  fixture *f = fixture_new(3, CQ_MODE_REAL);
  cq_buf sealed = {0}, again = {0};
  cq_secret *plain = NULL;
  cq_error error;
  assert_int_equal(cq_seal(&sealed, "note", "laptop 3", 8, &f->desk.seal_key, &f->random, NULL), CQ_OK);
  assert_int_equal(sealed.size, 8 + CQ_SEAL_OVERHEAD);
  assert_int_equal(cq_unseal(&plain, "note", sealed.at, sealed.size, f->desk.seal_secret, NULL), CQ_OK);
  assert_int_equal(cq_secret_size(plain), 8);
  assert_memory_equal(cq_secret_view(plain), "laptop 3", 8);
  cq_secret_free(plain);
  assert_int_equal(cq_unseal(&plain, "nota", sealed.at, sealed.size, f->desk.seal_secret, &error), CQ_DAMAGED);
  HAS_CODE(error, "keys.sealed.wrong");
  assert_null(plain);
  assert_int_equal(cq_unseal(&plain, "note", sealed.at, sealed.size, f->recovery.seal_secret, NULL), CQ_DAMAGED);
  for (size_t bit = 0; bit < sealed.size * 8; bit++) {
    /* the highest bit of an X25519 key counts for nothing, yet the key is hashed whole */
    sealed.at[bit / 8] = (char)(sealed.at[bit / 8] ^ (1 << bit % 8));
    assert_int_equal(cq_unseal(&plain, "note", sealed.at, sealed.size, f->desk.seal_secret, NULL), CQ_DAMAGED);
    sealed.at[bit / 8] = (char)(sealed.at[bit / 8] ^ (1 << bit % 8));
  }
  for (size_t size = 0; size < sealed.size; size++)
    assert_int_equal(cq_unseal(&plain, "note", sealed.at, size, f->desk.seal_secret, NULL), CQ_DAMAGED);
  assert_int_equal(cq_seal(&again, "note", "laptop 3", 8, &f->desk.seal_key, &f->random, NULL), CQ_OK);
  assert_memory_not_equal(sealed.at, again.at, sealed.size);
  cq_seal_key none = {0};
  assert_int_equal(cq_seal(&again, "note", "x", 1, &none, &f->random, &error), CQ_INVALID);
  HAS_CODE(error, "keys.seal.key");
  assert_int_equal(cq_seal(&again, "note", "", 0, &f->desk.seal_key, &f->random, &error), CQ_LIMIT);
  HAS_CODE(error, "keys.seal.size");
  cq_buf_fini(&sealed);
  cq_buf_fini(&again);
  fixture_free(f);
}

static void phrases(void **state) {
  (void)state;
  fixture *f = fixture_new(4, CQ_MODE_REAL);
  cq_buf wrapped = {0}, plain = {0};
  cq_error error;
  cq_str phrase = CQ_STR("quinua blanca 7");
  assert_int_equal(cq_wrap(&wrapped, "list", "dni", 3, phrase, CQ_COST_LEAST, &f->random, NULL), CQ_OK);
  assert_int_equal(wrapped.size, 3 + CQ_WRAP_OVERHEAD);
  assert_int_equal(cq_unwrap(&plain, "list", wrapped.at, wrapped.size, CQ_STR("  quinua blanca 7\n"), NULL), CQ_OK);
  assert_true(cq_str_is(cq_buf_str(&plain), "dni"));
  cq_buf_reset(&plain);
  assert_int_equal(cq_unwrap(&plain, "list", wrapped.at, wrapped.size, CQ_STR("quinua blanca 8"), &error), CQ_REFUSED);
  HAS_CODE(error, "keys.phrase.wrong");
  assert_int_equal(cq_unwrap(&plain, "lisp", wrapped.at, wrapped.size, phrase, NULL), CQ_REFUSED);
  assert_int_equal(plain.size, 0);
  static const struct {
    size_t at;
    char value;
    const char *code;
  } cases[] = {{0, 'X', "keys.wrapped.damaged"}, {4, 2, "keys.wrapped.future"}, {4, 0, "keys.wrapped.damaged"},
               {5, 0, "keys.wrapped.cost"},      {5, 11, "keys.wrapped.cost"},  {6, 1, "keys.wrapped.cost"},
               {8, 7, "keys.wrapped.cost"},      {11, 1, "keys.wrapped.cost"},  {12, 1, "keys.phrase.wrong"},
               {28, 1, "keys.phrase.wrong"},     {52, 1, "keys.phrase.wrong"},  {70, 1, "keys.phrase.wrong"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char kept = wrapped.at[cases[i].at];
    wrapped.at[cases[i].at] = cases[i].at < 12 ? cases[i].value : (char)(kept ^ 1);
    assert_int_not_equal(cq_unwrap(&plain, "list", wrapped.at, wrapped.size, phrase, &error), CQ_OK);
    HAS_CODE(error, cases[i].code);
    wrapped.at[cases[i].at] = kept;
  }
  for (size_t size = 0; size < wrapped.size; size++)
    assert_int_not_equal(cq_unwrap(&plain, "list", wrapped.at, size, phrase, NULL), CQ_OK);
  cq_buf_fini(&wrapped);
  cq_buf_fini(&plain);
  fixture_free(f);
}

static void key_files(void **state) {
  (void)state;
  fixture *f = fixture_new(5, CQ_MODE_PRACTICE);
  cq_key_file about = {.kind = CQ_KEY_VAULT_RECOVERY, .mode = CQ_MODE_PRACTICE}, read;
  memcpy(about.key, f->recovery.seal_key.at, 32);
  cq_buf file = {0}, typed = {0};
  cq_secret *secret = NULL;
  cq_error error;
  cq_str phrase = CQ_STR("una frase larga");
  assert_int_equal(cq_key_file_write(&file, &about, f->recovery.seal_secret, phrase, CQ_COST_LEAST, &f->random, NULL),
                   CQ_OK);
  assert_int_equal(cq_key_file_read(&read, NULL, cq_buf_str(&file), phrase, NULL), CQ_OK);
  assert_int_equal(read.kind, CQ_KEY_VAULT_RECOVERY);
  assert_int_equal(read.mode, CQ_MODE_PRACTICE);
  assert_memory_equal(read.key, about.key, 32);
  /* typed in from paper: CR LF, spaces, other line lengths */
  for (size_t i = 0, digits = 0; i < file.size; i++) {
    char c = file.at[i];
    bool wrapped = i > 130 && c != '\n' && strncmp(file.at + i, "end", 3) != 0;
    if (wrapped && ++digits % 4 == 0) cq_buf_add_char(&typed, ' ');
    if (c == '\n') cq_buf_add_char(&typed, '\r');
    cq_buf_add_char(&typed, c);
  }
  assert_int_equal(cq_key_file_read(&read, &secret, cq_buf_str(&typed), phrase, NULL), CQ_OK);
  assert_true(cq_same_bytes(cq_secret_view(secret), cq_secret_view(f->recovery.seal_secret), 64));
  cq_secret_free(secret);
  assert_int_equal(cq_key_file_read(&read, &secret, cq_buf_str(&file), CQ_STR("otra"), &error), CQ_REFUSED);
  HAS_CODE(error, "keys.phrase.wrong");
  /* a mode changed by hand is found out */
  char *mode = strstr(file.at, "practice");
  memcpy(mode, "real    ", 8);
  assert_int_equal(cq_key_file_read(&read, &secret, cq_buf_str(&file), phrase, &error), CQ_DAMAGED);
  HAS_CODE(error, "keys.file.damaged");
  memcpy(mode, "practice", 8);
  for (size_t size = 0; size + 5 < file.size; size++)
    assert_int_equal(cq_key_file_read(&read, &secret, (cq_str){file.at, size}, phrase, NULL), CQ_DAMAGED);
  file.at[12] = '2';
  assert_int_equal(cq_key_file_read(&read, &secret, cq_buf_str(&file), phrase, &error), CQ_FUTURE);
  HAS_CODE(error, "keys.file.future");
  cq_buf_fini(&file);
  cq_buf_fini(&typed);
  fixture_free(f);
}

static void system_randomness_differs(void **state) {
  (void)state;
  uint8_t a[32] = {0}, b[32] = {0};
  cq_random_system.fill(NULL, a, sizeof a);
  cq_random_system.fill(NULL, b, sizeof b);
  assert_memory_not_equal(a, b, sizeof a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes),       cmocka_unit_test(secrets),
      cmocka_unit_test(fingerprints), cmocka_unit_test(signatures_are_bound_to_their_purpose),
      cmocka_unit_test(seals),        cmocka_unit_test(phrases),
      cmocka_unit_test(key_files),    cmocka_unit_test(system_randomness_differs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
