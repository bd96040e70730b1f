/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/central/desk.h"

#include "central/merge/init.h"
#include "chasqui/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char passphrase[] = "llama verde camina";

void test_must(cq_status status, const cq_error *error) {
  if (status != CQ_OK)
    fail_msg("%d %s %s", status, error && error->code ? error->code : "?", error ? error->arg[0] : "");
}

cq_str test_desk_passphrase(void) {
  return cq_str_from(passphrase);
}

void test_desk_new(cq_desk *desk, const fixture *f, const char *name) {
  char home[512], path[600];
  const char *folder = getenv("CHASQUI_TEST_TMP");
  cq_error error;
  cq_error_clear(&error);
  snprintf(home, sizeof home, "%s/merge-%s-%d", folder ? folder : "/tmp", name, (int)getpid());
  test_must(cq_file_make_folder(home, &error), &error);
  snprintf(path, sizeof path, "%s/programme.json", home);
  static const char json[] = "{\"code\":\"demo\",\"title\":\"Demo\",\"forms\":[]}";
  test_must(cq_file_replace(path, json, sizeof json - 1, 0600, false, &error), &error);
  cq_vault_options options = {.effort = CQ_VAULT_EFFORT_LEAST};
  cq_desk_plan plan = {.home = home,
                       .programme = home,
                       .mode = f->mode,
                       .passphrase = cq_str_from(passphrase),
                       .offline_passphrase = cq_str_from(passphrase),
                       .cost = CQ_COST_LEAST,
                       .vault = &options};
  char fingerprint[CQ_FINGERPRINT_SIZE];
  test_must(cq_desk_init(&plan, fingerprint, &error), &error);
  assert_int_equal(cq_desk_init(&plan, fingerprint, &error), CQ_REFUSED);
  assert_string_equal(error.code, "desk.exists");
  assert_int_equal(cq_desk_open(desk, home, CQ_STR("una frase ajena"), &error), CQ_REFUSED);
  assert_string_equal(error.code, "vault.passphrase.wrong");
  cq_desk_close(desk);
  test_must(cq_desk_open(desk, home, cq_str_from(passphrase), &error), &error);
  /* the fixture's keys in place of its own */
  cq_buf chain = {0};
  cq_chain_write(&chain, &f->desk.chain);
  test_must(
      cq_desk_set(desk, "programme.secret", cq_secret_view(f->root.secret), cq_secret_size(f->root.secret), &error),
      &error);
  test_must(
      cq_desk_set(desk, "desk.sign.secret", cq_secret_view(f->desk.secret), cq_secret_size(f->desk.secret), &error),
      &error);
  test_must(cq_desk_set(desk, "desk.seal.secret", cq_secret_view(f->desk.seal_secret),
                        cq_secret_size(f->desk.seal_secret), &error),
            &error);
  test_must(cq_desk_set(desk, "desk.chain", chain.at, chain.size, &error), &error);
  cq_buf_fini(&chain);
  cq_desk_close(desk);
  test_must(cq_desk_open(desk, home, cq_str_from(passphrase), &error), &error);
}

cq_hash test_desk_form(cq_desk *desk, const char *id, cq_str xml) {
  cq_hash hash = cq_hash_of(xml.at, xml.size);
  cq_error error;
  sqlite3_stmt *s = NULL;
  test_must(cq_desk_prepare(desk, &s, "INSERT INTO form VALUES (?1, ?2, '1', ?2, 1, 1, ?3)", &error), &error);
  sqlite3_bind_blob(s, 1, hash.at, 32, SQLITE_STATIC);
  sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
  sqlite3_bind_blob(s, 3, xml.at, (int)xml.size, SQLITE_STATIC);
  test_must(cq_desk_step(desk, s, NULL, &error), &error);
  sqlite3_finalize(s);
  return hash;
}
