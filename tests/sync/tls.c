/* SPDX-License-Identifier: Apache-2.0 */
/* TLS: a pinned certificate, one that nobody knows, one that is out of date, and a clock that makes it seem so. */
#include "chasqui/file.h"
#include "sync/post.h"
#include "tests/sync/road.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct pem {
  char cert[4096], key[4096];
} pem;

static void read_bio(BIO *bio, char *out, size_t size) {
  int n = BIO_read(bio, out, (int)size - 1);
  out[n > 0 ? n : 0] = '\0';
  BIO_free(bio);
}

/* A certificate for 127.0.0.1 that is good from `from` to `to` seconds from now, and its key. */
static void make_pem(pem *out, long from, long to) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  assert_true(key && cert);
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), from);
  X509_gmtime_adj(X509_getm_notAfter(cert), to);
  X509_NAME *name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"estafeta", -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509_set_pubkey(cert, key);
  X509_EXTENSION *address = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(cert, address, -1);
  X509_EXTENSION_free(address);
  assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, cert);
  read_bio(bio, out->cert, sizeof out->cert);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
  read_bio(bio, out->key, sizeof out->key);
  X509_free(cert);
  EVP_PKEY_free(key);
}

static int64_t three_years_early(void *context) {
  (void)context;
  return cq_clock_system.now_utc_ms(NULL) - (int64_t)3 * 365 * 86400 * 1000;
}

/* What a hello over TLS ends with: the code of the error, or "". */
static void hello(world *w, const char *certificate, const pem *served, const cq_clock *clock, char code[64]) {
  cq_error error;
  cq_error_clear(&error);
  post *p = NULL;
  server *s = NULL;
  courier c;
  post_talk t;
  char url[64], ca[300];
  const post_words nothing = {0};
  const http_settings plain = {0};
  server_settings settings = {.listen = "127.0.0.1:0", .cert = served->cert, .key = served->key};
  assert_int_equal(post_open(&p, &w->post, &error), CQ_OK);
  settings.post = p;
  assert_int_equal(server_start(&s, &settings, &error), CQ_OK);
  snprintf(url, sizeof url, "https://127.0.0.1:%u", (unsigned)server_port(s));
  snprintf(ca, sizeof ca, "%s/ca.pem", w->root);
  assert_int_equal(cq_file_replace(ca, certificate, strlen(certificate), 0644, false, &error), CQ_OK);
  assert_int_equal(courier_open(&c, w->laptop[0].home, false, &error), CQ_OK);
  const remote to = {.url = url, .ca = ca, .kind = "post"};
  assert_int_equal(post_talk_open(&t, &c, &to, &plain, &error), CQ_OK);
  t.clock = clock;
  cq_status status = post_exchange(&t, &nothing, &error);
  snprintf(code, 64, "%s", status ? error.code : "");
  post_talk_close(&t);
  courier_close(&c);
  server_stop(s);
  post_close(p);
}

static void each_fault_is_told_apart(void **state) {
  (void)state;
  static pem good, other, old;
  world w;
  char code[64];
  const cq_clock early = {.now_utc_ms = three_years_early, .monotonic_ms = cq_clock_system.monotonic_ms};
  world_open(&w, "tls", CQ_MODE_REAL, 81);
  make_pem(&good, -3600, 3600);
  make_pem(&other, -3600, 3600);
  make_pem(&old, -7200, -3600);
  hello(&w, good.cert, &good, &cq_clock_system, code);
  assert_string_equal(code, "");
  hello(&w, other.cert, &good, &cq_clock_system, code);
  assert_string_equal(code, "sync.net.tls");
  hello(&w, old.cert, &old, &cq_clock_system, code);
  assert_string_equal(code, "sync.net.tls.date"); /* our clock agrees with the post's: the certificate is to blame */
  hello(&w, old.cert, &old, &early, code);
  assert_string_equal(code, "sync.net.tls.clock");
  world_close(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_fault_is_told_apart)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
