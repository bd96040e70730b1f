/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/road.h"
#include "tests/sync/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void road_open(road *r, const char *name, uint64_t seed) {
  cq_error error;
  cq_error_clear(&error);
  world_open(&r->w, name, CQ_MODE_REAL, seed);
  assert_int_equal(post_open(&r->p, &r->w.post, &error), CQ_OK);
  server_settings settings = {.post = r->p, .listen = "127.0.0.1:0"};
  assert_int_equal(server_start(&r->s, &settings, &error), CQ_OK);
  snprintf(r->url, sizeof r->url, "http://127.0.0.1:%u", (unsigned)server_port(r->s));
}

void road_close(road *r) {
  server_stop(r->s);
  post_close(r->p);
  world_close(&r->w);
}

int sync_at(const char *home, cq_buf *out, const char *verb, const char *arg) {
  bool is_import = strcmp(verb, "import") == 0;
  return run_program("chasqui-sync", out,
                     (const char *[]){verb, "--json", "--home", home, arg, is_import ? "--yes" : NULL, NULL});
}

int remote_add(const char *home, const char *url) {
  cq_buf out = {0};
  int status = run_program("chasqui-sync", &out, (const char *[]){"remote", "add", url, "--home", home, NULL});
  cq_buf_fini(&out);
  return status;
}

void expect(const cq_buf *out, const char *text) {
  if (out->at && strstr(out->at, text)) return;
  fail_msg("expected %s in: %s", text, out->at ? out->at : "");
}

size_t inbox_count(const char *home, const char *ending) {
  char folder[300];
  snprintf(folder, sizeof folder, "%s/inbox", home);
  return world_count(folder, ending);
}
