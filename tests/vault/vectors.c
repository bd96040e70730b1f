/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of docs/formats/vault.md, made here from libsodium alone and compared with the files in vectors/ and with
 * what the vault's own code reads and writes. A change of any of them is a new version of the format.
 */
#include "tests/vault/support.h"

#include "vault/file/header.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void subkey(uint8_t out[32], const uint8_t data_key[32], const char *label, const uint8_t file_id[32]) {
  uint8_t text[64];
  size_t size = strlen(label);
  memcpy(text, label, size);
  memcpy(text + size, file_id, 32);
  crypto_generichash(out, 32, text, size + 32, data_key, 32);
}

static void to_hex(char *out, const uint8_t *bytes, size_t size) {
  sodium_bin2hex(out, 2 * size + 1, bytes, size);
}

/* vectors/blocks.txt: kind, number, the hash of the block, its last 40 bytes. Data key 00 01 …, file id 80 81 …, nonce
 * c0 c1 …, content byte i is i mod 251, extra bytes e0 e1 …. */
static void test_blocks(void **state) {
  (void)state;
  char line[400], expected[400], hex[100], tail[100];
  vault_keys *keys = keys_new();
  uint8_t file_id[32], nonce[24], plain[BLOCK_PLAIN], page_key[32];
  int rows = 0;
  for (int i = 0; i < 32; i++) {
    keys->data[i] = (uint8_t)i;
    file_id[i] = (uint8_t)(0x80 + i);
  }
  for (int i = 0; i < 24; i++) nonce[i] = (uint8_t)(0xc0 + i);
  for (int i = 0; i < BLOCK_PLAIN; i++) plain[i] = (uint8_t)(i < BLOCK_CONTENT ? i % 251 : 0xe0 + i - BLOCK_CONTENT);
  keys_derive(keys, file_id);
  subkey(page_key, keys->data, "chasqui page", file_id);
  assert_memory_equal(keys->page, page_key, 32);
  block_cipher *cipher = cipher_new(keys, &vault_random_system);

  FILE *file = fopen("tests/vault/vectors/blocks.txt", "r");
  assert_non_null(file);
  while (fgets(expected, sizeof expected, file)) {
    unsigned kind = 0;
    unsigned long long number = 0;
    if (expected[0] == '#') continue;
    assert_int_equal(sscanf(expected, "%u %llu", &kind, &number), 2);
    uint8_t block[BLOCK_SIZE], hash[32], aad[16] = {0}, own[BLOCK_SIZE];
    for (int i = 0; i < 8; i++) aad[8 + i] = (uint8_t)(number >> (8 * i));
    aad[0] = (uint8_t)kind;
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(block, block + 4080, NULL, plain, BLOCK_PLAIN, aad, 16, NULL,
                                                        nonce, page_key);
    memcpy(block + 4056, nonce, 24);
    crypto_generichash(hash, 32, block, sizeof block, NULL, 0);
    to_hex(hex, hash, 32);
    to_hex(tail, block + 4056, 40);
    snprintf(line, sizeof line, "%u %llu %s %s\n", kind, number, hex, tail);
    assert_string_equal(line, expected);

    assert_true(cipher_open(cipher, (block_kind)kind, number, block));
    assert_memory_equal(block, plain, BLOCK_PLAIN);
    assert_true(sodium_is_zero(block + BLOCK_PLAIN, BLOCK_SIZE - BLOCK_PLAIN));
    /* and the other way: what the vault seals, libsodium opens */
    assert_true(cipher_seal(cipher, (block_kind)kind, number, plain, plain + BLOCK_CONTENT, own));
    assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt_detached(block, NULL, own, BLOCK_PLAIN, own + 4080, aad,
                                                                         16, own + 4056, page_key),
                     0);
    assert_memory_equal(block, plain, BLOCK_PLAIN);
    rows++;
  }
  fclose(file);
  assert_int_equal(rows, 5);
  cipher_free(cipher);
  keys_free(keys);
}

/* vectors/v1.vault: made by the first version; passphrase, label and content as below. It must open for ever. */
static void test_a_vault_of_version_1(void **state) {
  (void)state;
  const char *path = test_path("vector.vault");
  cq_buf bytes = {0};
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  read_file(&bytes, "tests/vault/vectors/v1.vault");
  write_file(path, bytes.at, bytes.size);
  cq_vault *vault = open_vault(path, NULL);
  assert_int_equal(cq_vault_slots(vault, slots), 2);
  assert_string_equal(slots[0].label, LABEL);
  assert_int_equal(slots[1].type, CQ_VAULT_RECOVERY);
  assert_int_equal(ask_number(vault, "SELECT count(*) FROM t WHERE b = 'chaskiq qillqasqan'"), 1);
  cq_vault_close(vault);

  /* its header by the page: passphrase to slot to data key to labels, with libsodium alone */
  const uint8_t *copy = (const uint8_t *)bytes.at, *slot = copy + 904;
  uint8_t seed[32], pair[2][32], sealed[64], header_key[32], label_key[32], mac[32];
  char labels[768];
  cq_str passphrase = PASSPHRASE;
  assert_int_equal(
      crypto_pwhash(seed, 32, passphrase.at, passphrase.size, copy + 64, 1, 8192, crypto_pwhash_ALG_ARGON2ID13), 0);
  crypto_box_seed_keypair(pair[0], pair[1], seed);
  assert_memory_equal(pair[0], slot + 8, 32);
  assert_int_equal(crypto_box_seal_open(sealed, slot + 40, 112, pair[0], pair[1]), 0);
  subkey(header_key, sealed, "chasqui header", copy + 32);
  subkey(label_key, sealed, "chasqui labels", copy + 32);
  crypto_generichash(mac, 32, copy, 4032, header_key, 32);
  assert_memory_equal(mac, copy + 4032, 32);
  assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)labels, NULL, NULL, copy + 120, 784, NULL, 0,
                                                              copy + 96, label_key),
                   0);
  assert_string_equal(labels, LABEL);
  assert_string_equal(labels + 48, "recovery 1");
  cq_buf_fini(&bytes);
  remove_vault(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_a_vault_of_version_1)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
