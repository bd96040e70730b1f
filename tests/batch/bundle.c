/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const cq_bundle_form forms[] = {
    {.id = {"f", 1}, .version = {"2", 1}, .status = CQ_FORM_CURRENT, .xml = {"<h:html>2</h:html>", 18}},
    {.id = {"f", 1}, .version = {"1", 1}, .status = CQ_FORM_CLOSING, .xml = {"<h:html>1</h:html>", 18}}};

typedef struct made {
  cq_bundle_file files[2];
  cq_chain devices[2], posts[1];
  cq_revocation revocations[2];
  cq_bundle_order orders[1];
  cq_buf sealed;
  cq_bundle_content content;
} made;

static void make(made *m, fixture *f, uint64_t number) {
  *m = (made){0};
  assert_int_equal(
      cq_bundle_file_seal(&m->sealed, CQ_STR("name\nRosa\n"), CQ_STR("quinua 7"), CQ_COST_LEAST, &f->random, NULL),
      CQ_OK);
  m->files[0] = (cq_bundle_file){.name = CQ_STR("ccpp.csv"), .bytes = CQ_STR("name,label\n1,Puno\n")};
  m->files[1] = (cq_bundle_file){.name = CQ_STR("contactos.csv"), .bytes = cq_buf_str(&m->sealed), .sealed = true};
  m->devices[0] = f->device.chain;
  m->devices[1] = f->trainee.chain;
  m->posts[0] = f->post.chain;
  m->revocations[0] = (cq_revocation){.key = f->stranger.id, .last_trusted = 12, .revoked_utc_ms = fixture_now};
  m->orders[0].bytes = CQ_STR("an order");
  m->content = (cq_bundle_content){.mode = f->mode,
                                   .first_key = f->root.key,
                                   .number = number,
                                   .issued_utc_ms = fixture_now,
                                   .desk = f->desk.seal_key,
                                   .batch_recovery = f->recovery.seal_key,
                                   .vault_recovery = f->post.seal_key,
                                   .desk_chain = f->desk.chain,
                                   .posts = m->posts,
                                   .post_count = 1,
                                   .programme_json = CQ_STR("{\"code\":\"ici\"}"),
                                   .calendar = CQ_STR("zona,actividad\n"),
                                   .forms = forms,
                                   .form_count = 2,
                                   .files = m->files,
                                   .file_count = 2,
                                   .devices = m->devices,
                                   .device_count = 2,
                                   .revocations = m->revocations,
                                   .revocation_count = 1,
                                   .orders = m->orders,
                                   .order_count = 1};
}

static void build(cq_buf *out, fixture *f, uint64_t number) {
  made m;
  make(&m, f, number);
  cq_buf_reset(out);
  assert_int_equal(cq_bundle_build(out, &m.content, f->root.secret, NULL), CQ_OK);
  cq_buf_fini(&m.sealed);
}

static cq_bundle *read_bundle(const cq_buf *bytes) {
  cq_bundle *bundle = NULL;
  assert_int_equal(cq_bundle_read(&bundle, bytes->at, bytes->size, NULL, NULL), CQ_OK);
  return bundle;
}

static void what_is_built_is_read(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_PRACTICE);
  cq_buf bytes = {0}, plain = {0};
  build(&bytes, f, 7);
  cq_bundle *bundle = read_bundle(&bytes);
  const cq_bundle_content *c = cq_bundle_content_of(bundle);
  assert_int_equal(c->mode, CQ_MODE_PRACTICE);
  assert_true(c->number == 7 && c->issued_utc_ms == fixture_now);
  assert_true(cq_programme_id_equal(&c->programme, &f->programme));
  assert_memory_equal(c->desk.at, f->desk.seal_key.at, 32);
  assert_memory_equal(c->batch_recovery.at, f->recovery.seal_key.at, 32);
  assert_memory_equal(c->vault_recovery.at, f->post.seal_key.at, 32);
  assert_true(cq_str_is(c->programme_json, "{\"code\":\"ici\"}") && cq_str_is(c->calendar, "zona,actividad\n"));
  const cq_bundle_form *current = cq_bundle_form_current(bundle, CQ_STR("f"));
  assert_true(cq_str_is(current->version, "2"));
  cq_hash old = cq_hash_of(forms[1].xml.at, forms[1].xml.size);
  assert_true(cq_str_is(cq_bundle_form_by_hash(bundle, &old)->version, "1"));
  assert_int_equal(cq_bundle_form_by_hash(bundle, &old)->status, CQ_FORM_CLOSING);
  assert_null(cq_bundle_form_current(bundle, CQ_STR("g")));
  const cq_bundle_file *list = cq_bundle_file_named(bundle, CQ_STR("contactos.csv"));
  assert_int_equal(cq_bundle_file_open(&plain, list, CQ_STR("quinua 7"), NULL), CQ_OK);
  assert_true(cq_str_is(cq_buf_str(&plain), "name\nRosa\n"));
  cq_error error;
  assert_int_equal(cq_bundle_file_open(&plain, list, CQ_STR("quinua 8"), &error), CQ_REFUSED);
  assert_string_equal(error.code, "keys.phrase.wrong");
  assert_non_null(cq_bundle_device(bundle, &f->trainee.id));
  assert_null(cq_bundle_device(bundle, &f->stranger.id));
  const cq_trust *trust = cq_bundle_trust(bundle);
  cq_certificate last;
  assert_int_equal(cq_chain_check(&last, &c->posts[0], CQ_ROLE_POST, trust, NULL), CQ_OK);
  assert_true(cq_trust_revocation(trust, &f->stranger.id)->last_trusted == 12);
  assert_true(cq_str_is(c->orders[0].bytes, "an order"));
  char fingerprint[CQ_FINGERPRINT_SIZE];
  assert_true(cq_fingerprint_matches(&f->root.key, cq_str_from(cq_bundle_fingerprint(bundle, fingerprint))));
  cq_bundle_free(bundle);
  cq_buf_fini(&plain);
  cq_buf_fini(&bytes);
  fixture_free(f);
}

static void refused(const cq_buf *bytes, const cq_programme_id *programme, const char *code) {
  cq_bundle *bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_not_equal(cq_bundle_read(&bundle, bytes->at, bytes->size, programme, &error), CQ_OK);
  assert_null(bundle);
  if (code) assert_string_equal(error.code, code);
}

static void every_bit_and_every_end(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL), *other = fixture_new(2, CQ_MODE_REAL);
  cq_buf bytes = {0};
  build(&bytes, f, 1);
  for (size_t bit = 0; bit < bytes.size * 8; bit++) {
    bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << bit % 8));
    refused(&bytes, &f->programme, NULL);
    bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << bit % 8));
  }
  size_t whole = bytes.size;
  for (bytes.size = 0; bytes.size < whole; bytes.size++) refused(&bytes, NULL, "bundle.truncated");
  refused(&bytes, &other->programme, "bundle.programme");
  cq_buf_add_char(&bytes, 'x');
  refused(&bytes, NULL, "bundle.damaged");
  bytes.at[4] = 2;
  refused(&bytes, NULL, "bundle.future");
  bytes.at[1] = 'h';
  refused(&bytes, NULL, "bundle.magic");
  cq_buf_fini(&bytes);
  fixture_free(f);
  fixture_free(other);
}

/* Signed rightly by a key that is no key of the programme. */
static void a_strangers_bundle(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_buf bytes = {0};
  made m;
  make(&m, f, 1);
  cq_error error;
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->stranger.secret, &error), CQ_INVALID);
  assert_string_equal(error.code, "bundle.key");
  assert_int_equal(bytes.size, 0);
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->root.secret, NULL), CQ_OK);
  memcpy(bytes.at + 80, f->stranger.key.at, 32);
  cq_signature signature;
  assert_int_equal(cq_sign(&signature, "chasqui bundle 1", bytes.at, bytes.size - 64, f->stranger.secret, NULL), CQ_OK);
  memcpy(bytes.at + bytes.size - 64, signature.at, 64);
  refused(&bytes, NULL, "bundle.key");
  cq_buf_fini(&m.sealed);
  cq_buf_fini(&bytes);
  fixture_free(f);
}

static void succeeds(const cq_bundle *next, const cq_bundle *current, bool newer, const char *code) {
  bool found = false;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_bundle_succeeds(next, current, &found, &error);
  assert_int_equal(found, newer);
  if (code)
    assert_string_equal(error.code, code);
  else
    assert_int_equal(status, CQ_OK);
}

static void numbers_never_go_back(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL), *practice = fixture_new(1, CQ_MODE_PRACTICE),
          *other = fixture_new(2, CQ_MODE_REAL);
  cq_buf bytes = {0};
  build(&bytes, f, 2);
  cq_bundle *two = read_bundle(&bytes), *same = read_bundle(&bytes);
  build(&bytes, f, 2); /* sealed anew: other bytes, the same number */
  cq_bundle *fork = read_bundle(&bytes);
  build(&bytes, f, 10);
  cq_bundle *ten = read_bundle(&bytes);
  build(&bytes, practice, 11);
  cq_bundle *eleven = read_bundle(&bytes);
  build(&bytes, other, 12);
  cq_bundle *twelve = read_bundle(&bytes);
  succeeds(ten, two, true, NULL);
  succeeds(same, two, false, NULL);
  succeeds(fork, two, false, "bundle.forked");
  succeeds(two, ten, false, "bundle.older");
  succeeds(eleven, ten, false, "bundle.mode");
  succeeds(twelve, ten, false, "bundle.programme");
  cq_bundle *all[] = {two, same, fork, ten, eleven, twelve};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) cq_bundle_free(all[i]);
  cq_buf_fini(&bytes);
  fixture_free(f);
  fixture_free(practice);
  fixture_free(other);
}

/* The first key announces a second, which then signs alone and revokes the first. */
static void keys_are_announced_and_revoked(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  uint8_t announced[1][CQ_CERTIFICATE_SIZE];
  cq_certificate key = {.mode = f->mode, .role = CQ_ROLE_PROGRAMME, .programme = f->programme, .sign = f->recovery.key};
  assert_int_equal(cq_certificate_issue(announced[0], &key, f->root.secret, NULL), CQ_OK);
  cq_buf bytes = {0};
  build(&bytes, f, 1);
  cq_bundle *first = read_bundle(&bytes);
  made m;
  make(&m, f, 2);
  m.content.key_certificates = (const uint8_t(*)[CQ_CERTIFICATE_SIZE])announced;
  m.content.key_certificate_count = 1;
  m.revocations[0].key = f->root.id;
  cq_buf_reset(&bytes);
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->recovery.secret, NULL), CQ_OK);
  cq_bundle *second = NULL;
  assert_int_equal(cq_bundle_read(&second, bytes.at, bytes.size, &f->programme, NULL), CQ_OK);
  succeeds(second, first, true, NULL);
  assert_int_equal(cq_bundle_trust(second)->key_count, 1);
  assert_memory_equal(cq_bundle_trust(second)->keys[0].at, f->recovery.key.at, 32);
  /* the revoked key signs no more: neither in a bundle that says so itself, nor in one that keeps silent */
  m.content.number = 3;
  cq_buf_reset(&bytes);
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->root.secret, NULL), CQ_OK);
  refused(&bytes, &f->programme, "bundle.key");
  build(&bytes, f, 3);
  cq_bundle *third = read_bundle(&bytes);
  succeeds(third, second, false, "bundle.key");
  /* nor does what it announces afterwards count */
  cq_certificate thief = key;
  thief.sign = f->device.key;
  uint8_t stolen[1][CQ_CERTIFICATE_SIZE];
  assert_int_equal(cq_certificate_issue(stolen[0], &thief, f->root.secret, NULL), CQ_OK);
  m.content.key_certificates = (const uint8_t(*)[CQ_CERTIFICATE_SIZE])stolen;
  m.content.number = 4;
  m.content.revocation_count = 0;
  cq_buf_reset(&bytes);
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->device.secret, NULL), CQ_OK);
  cq_bundle *fourth = read_bundle(&bytes);
  succeeds(fourth, second, false, "bundle.key");
  cq_bundle_free(fourth);
  m.content.key_certificates = (const uint8_t(*)[CQ_CERTIFICATE_SIZE])announced;
  /* an announcement by nobody */
  assert_int_equal(cq_certificate_issue(announced[0], &key, f->device.secret, NULL), CQ_OK);
  cq_error error;
  assert_int_equal(cq_bundle_build(&bytes, &m.content, f->root.secret, &error), CQ_REFUSED);
  assert_string_equal(error.code, "bundle.key");
  cq_bundle_free(first);
  cq_bundle_free(second);
  cq_bundle_free(third);
  cq_buf_fini(&m.sealed);
  cq_buf_fini(&bytes);
  fixture_free(f);
}

static void fields_are_checked(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_buf bytes = {0};
  made m;
  cq_error error;
  make(&m, f, 1);
  cq_bundle_content right = m.content;
  cq_bundle_file climbing = {.name = CQ_STR("../etc")};
  cq_bundle_form empty = {.id = CQ_STR("f"), .status = CQ_FORM_CURRENT};
#define REFUSED(change, what)                                                                                          \
  do {                                                                                                                 \
    m.content = right;                                                                                                 \
    change;                                                                                                            \
    assert_int_equal(cq_bundle_build(&bytes, &m.content, f->root.secret, &error), CQ_INVALID);                         \
    assert_string_equal(error.code, "bundle.field");                                                                   \
    assert_string_equal(error.arg[0], what);                                                                           \
  } while (0)
  REFUSED(m.content.number = 0, "number");
  REFUSED(m.content.mode = 0, "mode");
  REFUSED((m.content.files = &climbing, m.content.file_count = 1), "files");
  REFUSED((m.content.forms = &empty, m.content.form_count = 1), "forms");
  REFUSED(m.content.programme_json = CQ_STR("\xff"), "programme");
  REFUSED(m.content.device_count = CQ_BUNDLE_MAX_DEVICES + 1, "devices");
#undef REFUSED
  cq_buf_fini(&m.sealed);
  cq_buf_fini(&bytes);
  fixture_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_built_is_read),
                                     cmocka_unit_test(every_bit_and_every_end),
                                     cmocka_unit_test(a_strangers_bundle),
                                     cmocka_unit_test(numbers_never_go_back),
                                     cmocka_unit_test(keys_are_announced_and_revoked),
                                     cmocka_unit_test(fields_are_checked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
