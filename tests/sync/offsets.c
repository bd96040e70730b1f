/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line that is cut after every so many bytes, in either direction, while a
 * batch travels (one within an exchange, and one in pieces): over a good line
 * the next push brings it, and the post holds it once.
 *
 * usage: offsets [STEP]    (as a test: 431; by hand 1 for every offset)
 */
#include "tests/sync/link.h"
#include "tests/sync/road.h"
#include "tests/sync/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t step = 431;

static int push(const char *home) {
  cq_buf out = {0};
  int status = run_program("chasqui-sync", &out,
                           (const char *[]){"push", "--home", home, "--tries", "0", "--timeout", "5", NULL});
  cq_buf_fini(&out);
  return status;
}

/* A batch of `payload` bytes for each offset below `most`; the cut must have happened for the smaller ones at least. */
static void cut(road *r, link_proxy *l, link_kind kind, size_t payload, uint64_t most, uint64_t by) {
  const char *home = r->w.laptop[0].home;
  for (uint64_t at = 0; at < most; at += by) {
    world_batch(&r->w, 0, payload, NULL);
    link_set(l, (link_plan){.kind = kind, .at = at});
    push(home);
    link_set(l, (link_plan){.kind = LINK_CLEAN});
    if (push(home) != 0) fail_msg("%s at %llu: a good line is not enough", link_names[kind], (unsigned long long)at);
  }
}

static void every_cut_is_mended(void **state) {
  (void)state;
  static const link_kind kinds[] = {LINK_CUT_UP, LINK_CUT_DOWN, LINK_RESET};
  road r;
  char url[64], device[33], folder[400];
  road_open(&r, "offsets", 71);
  link_proxy *l = link_open(server_port(r.s));
  assert_non_null(l);
  snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)link_port(l));
  assert_int_equal(remote_add(r.w.laptop[0].home, url), 0);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) cut(&r, l, kinds[i], 300, 1300, step);
  cut(&r, l, LINK_CUT_UP, 90000, 93000, 211 * step);
  size_t injected = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    printf("%s %zu\n", link_names[kinds[i]], link_count(l, kinds[i]));
    assert_true(link_count(l, kinds[i]) > 0);
    injected += link_count(l, kinds[i]);
  }
  assert_true(injected > 0);
  snprintf(folder, sizeof folder, "%s/batches/%s", r.w.post_home, cq_device_id_hex(&r.w.laptop[0].id, device));
  assert_int_equal(world_count(folder, ".chq"), r.w.laptop[0].number);
  link_close(l);
  world_remove(r.w.root);
  road_close(&r);
}

static void open_line(road *r, link_proxy **l, const char *name, uint64_t seed) {
  char url[64];
  road_open(r, name, seed);
  *l = link_open(server_port(r->s));
  assert_non_null(*l);
  snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)link_port(*l));
  assert_int_equal(remote_add(r->w.laptop[0].home, url), 0);
}

static void close_line(road *r, link_proxy *l) {
  link_close(l);
  world_remove(r->w.root);
  road_close(r);
}

/* Every connection ends after 6,000 bytes: what is larger comes through all the same, in pieces that go on. */
static void what_never_goes_at_once_goes_in_pieces(void **state) {
  (void)state;
  road r;
  link_proxy *l;
  cq_buf out = {0};
  open_line(&r, &l, "pieces", 72);
  const char *home = r.w.laptop[0].home;
  world_batch(&r.w, 0, 18000, NULL);
  link_set(l, (link_plan){.kind = LINK_CUT_UP, .at = 6000});
  assert_int_equal(run_program("chasqui-sync", &out, (const char *[]){"push", "--home", home, NULL}), 0);
  assert_true(link_count(l, LINK_CUT_UP) > 1);
  cq_buf_fini(&out);
  close_line(&r, l);
}

/* Only questions and short answers pass: the courier gives up after its tries, for nothing comes through. */
static void a_line_that_carries_nothing_is_given_up(void **state) {
  (void)state;
  road r;
  link_proxy *l;
  cq_buf out = {0};
  open_line(&r, &l, "nothing", 73);
  const char *home = r.w.laptop[0].home;
  world_batch(&r.w, 0, 18000, NULL);
  link_set(l, (link_plan){.kind = LINK_CUT_UP, .at = 700});
  assert_int_equal(run_program("chasqui-sync", &out, (const char *[]){"push", "--home", home, "--tries", "2", NULL}),
                   3);
  cq_buf_fini(&out);
  close_line(&r, l);
}

int main(int argc, char **argv) {
  if (argc > 1) step = strtoull(argv[1], NULL, 10);
  if (!step) return 2;
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_cut_is_mended),
                                     cmocka_unit_test(what_never_goes_at_once_goes_in_pieces),
                                     cmocka_unit_test(a_line_that_carries_nothing_is_given_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
