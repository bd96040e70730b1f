/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, Base64, signatures, and chance. */
#include "forms/xpath/functions.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* --- Base64 --- */

static int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Lenient as ODK is: white space and padding are passed over. False where there is another character. */
static bool decode_base64(cq_str text, unsigned char *out, size_t *size) {
  uint32_t bits = 0;
  unsigned held = 0;
  *size = 0;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (c == '=' || c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    int value = sextet(c);
    if (value < 0) return false;
    bits = bits << 6 | (uint32_t)value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[(*size)++] = (unsigned char)(bits >> held & 0xFF);
    }
  }
  return true;
}

static cq_status answer_bytes_as_text(cq_run *run, const unsigned char *bytes, size_t size, cq_xpath_value *out) {
  cq_str text = {(const char *)bytes, size};
  if (!cq_utf8_valid(text)) text = (cq_str){"", 0};
  return cq_answer_copy(run, out, text.at, text.size);
}

static cq_status fn_base64_decode(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  size_t size = 0;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status != CQ_OK) return status;
  unsigned char *bytes = cq_take(run, text.size + 1);
  if (!bytes) return cq_fail_memory(run);
  if (!decode_base64(text, bytes, &size)) size = 0;
  return answer_bytes_as_text(run, bytes, size, out);
}

/* extract-signed(Base64 of a 64-byte Ed25519 signature and a text, Base64 of the key): the text, or '' where it is
 * false. */
static cq_status fn_extract_signed(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  enum { SIGNATURE = 64, KEY = 32 };
  cq_str text[2];
  unsigned char *bytes[2];
  size_t size[2] = {0};
  cq_status status = CQ_OK;
  bool readable = true;
  for (size_t i = 0; i < 2 && status == CQ_OK; i++) {
    status = cq_eval_string(run, call->args[i], &text[i]);
    if (status != CQ_OK) return status;
    bytes[i] = cq_take(run, text[i].size + 1);
    if (!bytes[i]) return cq_fail_memory(run);
    readable = decode_base64(text[i], bytes[i], &size[i]) && readable;
  }
  cq_answer_string(out, CQ_STR(""));
  if (!readable || size[0] < SIGNATURE || size[1] != KEY) return CQ_OK;
  EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes[1], KEY);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(context, bytes[0], SIGNATURE, bytes[0] + SIGNATURE, size[0] - SIGNATURE) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return good ? answer_bytes_as_text(run, bytes[0] + SIGNATURE, size[0] - SIGNATURE, out) : CQ_OK;
}

/* --- digests --- */

/* Engines take the names in capital and small letters, with or without the hyphen. */
static bool is_word(cq_str text, const char *word) {
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (c == '-' || c == '_') continue;
    if (*word == '\0' || (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != *word++) return false;
  }
  return *word == '\0';
}

static const EVP_MD *find_digest(cq_str name) {
  if (is_word(name, "MD5")) return EVP_md5();
  if (is_word(name, "SHA1")) return EVP_sha1();
  if (is_word(name, "SHA256")) return EVP_sha256();
  if (is_word(name, "SHA384")) return EVP_sha384();
  if (is_word(name, "SHA512")) return EVP_sha512();
  return NULL;
}

static cq_status fn_digest(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, name, encoding = CQ_STR("base64");
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &name);
  if (status == CQ_OK && call->count > 2) status = cq_eval_string(run, call->args[2], &encoding);
  if (status != CQ_OK) return status;
  cq_answer_string(out, CQ_STR(""));
  if (!name.size || !encoding.size) return CQ_OK; /* read from questions that are not answered yet */
  status = cq_spend(run, text.size >> 3);
  if (status != CQ_OK) return status;
  const EVP_MD *kind = find_digest(name);
  bool hex = is_word(encoding, "HEX");
  if (!kind || (!hex && !is_word(encoding, "BASE64")))
    return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("digest"));
  unsigned char bytes[EVP_MAX_MD_SIZE], shown[EVP_MAX_MD_SIZE * 2 + 4];
  unsigned size = 0;
  if (EVP_Digest(text.at ? text.at : "", text.size, bytes, &size, kind, NULL) != 1)
    return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("digest"));
  size_t length = size * 2;
  if (hex)
    for (size_t i = 0; i < size; i++) sprintf((char *)shown + i * 2, "%02x", bytes[i]);
  else
    length = (size_t)EVP_EncodeBlock(shown, bytes, (int)size);
  return cq_answer_copy(run, out, (const char *)shown, length);
}

/* --- chance --- */

static cq_status fill_random(cq_run *run, const cq_expr *call, void *out, size_t size) {
  const cq_random *random = run->host->random;
  if (!random) return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("random"));
  random->fill(random->context, out, size);
  return CQ_OK;
}

static cq_status fn_random(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  uint64_t bits = 0;
  cq_status status = fill_random(run, call, &bits, sizeof bits);
  if (status == CQ_OK) cq_answer_number(out, (double)(bits >> 11) * 0x1p-53);
  return status;
}

/* uuid(): RFC 4122, version 4; uuid(n): n characters of 62. */
static cq_status fn_uuid(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  enum { LONGEST = 1024 };
  unsigned char bytes[LONGEST] = {0};
  double length = 0;
  cq_status status = call->count ? cq_eval_number(run, call->args[0], &length) : CQ_OK;
  if (status != CQ_OK) return status;
  if (call->count && !(length >= 1 && length <= LONGEST))
    return cq_fail(run, call, CQ_INVALID, "xpath.argument", CQ_STR("uuid"));
  size_t count = call->count ? (size_t)length : 16;
  status = fill_random(run, call, bytes, count);
  if (status != CQ_OK) return status;
  if (call->count) {
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)letters[bytes[i] % 62];
    return cq_answer_copy(run, out, (const char *)bytes, count);
  }
  char text[40];
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
  size_t size = 0;
  for (size_t i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[size++] = '-';
    size += (size_t)sprintf(text + size, "%02x", bytes[i]);
  }
  return cq_answer_copy(run, out, text, size);
}

/* A seed of text that is no number: the first eight bytes of its SHA-256, as JavaRosa takes it; NaN and '' are 0. */
static cq_status read_seed(cq_run *run, const cq_expr *expr, int64_t *seed) {
  cq_xpath_value value;
  cq_str text;
  double number = NAN;
  cq_status status = cq_eval(run, expr, &value);
  if (status == CQ_OK) status = cq_as_number(run, &value, &number);
  if (status != CQ_OK) return status;
  *seed = !isnan(number) && fabs(number) < 9.2e18 ? (int64_t)number : 0;
  if (!isnan(number) || value.type == CQ_XPATH_NUMBER) return CQ_OK;
  unsigned char hash[EVP_MAX_MD_SIZE];
  status = cq_as_string(run, &value, &text);
  if (status != CQ_OK || !text.size) return status;
  if (EVP_Digest(text.at ? text.at : "", text.size, hash, NULL, EVP_sha256(), NULL) != 1) return cq_fail_memory(run);
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; i++) bits = bits << 8 | hash[i];
  memcpy(seed, &bits, sizeof bits);
  return CQ_OK;
}

/* Park and Miller's generator and the shuffle "inside out" of Fisher and Yates, as in JavaRosa and Enketo. */
static cq_status fn_randomize(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  enum { MODULUS = 2147483647, FACTOR = 16807 };
  cq_xpath_value nodes;
  int64_t seed = 0;
  cq_status status = cq_eval_nodes(run, call->args[0], &nodes);
  if (status != CQ_OK) return status;
  if (call->count > 1)
    status = read_seed(run, call->args[1], &seed);
  else
    status = fill_random(run, call, &seed, sizeof seed);
  if (status != CQ_OK) return status;
  seed %= MODULUS;
  if (seed <= 0) seed += MODULUS - 1;
  cq_nodes mixed = {0};
  for (size_t i = 0; i < nodes.count && status == CQ_OK; i++) {
    seed = seed * FACTOR % MODULUS;
    size_t j = (size_t)((double)(seed - 1) / (MODULUS - 1) * (double)(i + 1));
    status = cq_nodes_add(run, &mixed, nodes.nodes[i]);
    if (status != CQ_OK || j >= i) continue;
    mixed.at[i] = mixed.at[j];
    mixed.at[j] = nodes.nodes[i];
  }
  cq_answer_nodes(out, &mixed, false);
  return status;
}

static const cq_function rows[] = {
    {"base64-decode", 1, 1, CQ_READS_VALUES, 0, fn_base64_decode, NULL},
    {"extract-signed", 2, 2, CQ_READS_VALUES, 0, fn_extract_signed, NULL},
    {"digest", 2, 3, CQ_READS_VALUES, 0, fn_digest, NULL},
    {"random", 0, 0, CQ_READS_VALUES, CQ_XPATH_RANDOM, fn_random, NULL},
    {"uuid", 0, 1, CQ_READS_VALUES, CQ_XPATH_RANDOM, fn_uuid, NULL},
    {"randomize", 1, 2, CQ_READS_FIRST, CQ_XPATH_RANDOM, fn_randomize, NULL},
};

const cq_function_table cq_code_functions = {rows, sizeof rows / sizeof *rows};
