/* SPDX-License-Identifier: Apache-2.0 */
/* The courier's program against a post in this process: the whole road over loopback, with exit statuses and files. */
#include "sync/http.h"
#include "sync/watch.h"
#include "tests/sync/road.h"
#include "tests/sync/run.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void push_brings_once(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  road_open(&r, "push", 21);
  const char *home = r.w.laptop[0].home;
  world_batch(&r.w, 0, 300, NULL);
  world_batch(&r.w, 0, 40000, NULL);
  world_batch(&r.w, 0, 400000, NULL);
  assert_int_equal(remote_add(home, r.url), 0);
  assert_int_equal(sync_at(home, &out, "push", NULL), 0);
  expect(&out, "\"sent\":3,\"already\":0,\"held\":0,\"refused\":0,\"failed\":0");
  assert_true(inbox_count(home, ".chr") >= 1);
  assert_int_equal(sync_at(home, &out, "push", NULL), 0);
  expect(&out, "\"sent\":0,");
  expect(&out, "\"settled\":3");
  const char *bytes = strstr(out.at, "\"bytes\":");
  assert_non_null(bytes);
  assert_true(atoi(bytes + 8) > 300 && atoi(bytes + 8) <= 1024); /* the design's limit for a push with nothing new */
  /* A courier that has forgotten everything sends nothing twice either. */
  char forgotten[300];
  snprintf(forgotten, sizeof forgotten, "%s/sync/status.json", home);
  assert_int_equal(remove(forgotten), 0);
  assert_int_equal(sync_at(home, &out, "push", NULL), 0);
  expect(&out, "\"sent\":0,\"already\":3");
  cq_buf_fini(&out);
  road_close(&r);
}

static void desk_fetches_and_answers(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  road_open(&r, "fetch", 22);
  const char *home = r.w.laptop[0].home, *desk = r.w.desk_home;
  cq_hash hash = world_batch(&r.w, 0, 300, NULL);
  world_batch(&r.w, 2, 300, NULL); /* not approved: the desk sees it too */
  remote_add(home, r.url);
  remote_add(r.w.laptop[2].home, r.url);
  assert_int_equal(sync_at(home, &out, "push", NULL), 0);
  assert_int_equal(sync_at(r.w.laptop[2].home, &out, "push", NULL), 0);
  expect(&out, "\"sent\":0,\"already\":0,\"held\":1");
  size_t held = inbox_count(r.w.laptop[2].home, ".chr");
  assert_int_equal(held, 1);
  assert_int_equal(sync_at(r.w.laptop[2].home, &out, "push", NULL), 0);
  expect(&out, "\"held\":1");
  assert_int_equal(inbox_count(r.w.laptop[2].home, ".chr"), held); /* not a file for each time that it is asked */
  assert_int_equal(sync_at(desk, &out, "fetch", NULL), 1);         /* no pass */
  world_pass(&r.w);
  remote_add(desk, r.url);
  assert_int_equal(sync_at(desk, &out, "fetch", NULL), 0);
  expect(&out, "\"fetched\":2,\"already\":0,\"damaged\":0");
  assert_int_equal(inbox_count(desk, ".chq"), 2);
  assert_int_equal(sync_at(desk, &out, "fetch", NULL), 0);
  expect(&out, "\"fetched\":0");
  world_opened(&r.w, 0, 1, &hash, NULL);
  r.w.laptop[2].is_certified = true;
  world_publish(&r.w);
  assert_int_equal(sync_at(desk, &out, "push", NULL), 0);
  expect(&out, "\"sent\":2");
  size_t before = inbox_count(home, ".chr");
  assert_int_equal(sync_at(home, &out, "push", NULL), 0);
  expect(&out, "\"news\":1"); /* "opened"; the bundle is in the outbox already */
  assert_int_equal(inbox_count(home, ".chr"), before + 1);
  assert_int_equal(sync_at(r.w.laptop[2].home, &out, "push", NULL), 0);
  expect(&out, "\"already\":1,\"held\":0"); /* released meanwhile */
  cq_buf_fini(&out);
  road_close(&r);
}

static void faults_are_told(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  road_open(&r, "told", 23);
  const char *home = r.w.laptop[0].home;
  assert_int_equal(sync_at(home, &out, "push", NULL), 1); /* no post is known */
  expect(&out, "sync.remote.none");
  remote_add(home, "http://127.0.0.1:9");
  assert_int_equal(sync_at(home, &out, "push", NULL), 3);
  expect(&out, "sync.net.connect");
  assert_int_equal(
      run_program("chasqui-sync", &out, (const char *[]){"remote", "add", "ftp://x", "--home", home, NULL}), 1);
  assert_int_equal(sync_at(home, &out, "status", NULL), 0);
  expect(&out, "\"waiting\":0");
  cq_buf_fini(&out);
  road_close(&r);
}

static bool is_waiting(const char *home) {
  cq_buf out = {0};
  sync_at(home, &out, "status", NULL);
  bool waiting = !out.at || !strstr(out.at, "\"waiting\":0,");
  cq_buf_fini(&out);
  return waiting;
}

static void limits_are_kept(void **state) {
  (void)state;
  road r;
  cq_buf out = {0};
  road_open(&r, "limits", 25);
  const char *home = r.w.laptop[0].home;
  world_batch(&r.w, 0, 300, NULL);
  world_batch(&r.w, 0, 200000, NULL);
  assert_int_equal(remote_add(home, r.url), 0);
  const char *little[] = {"push", "--json", "--home", home, "--limit-day", "1k", NULL};
  assert_int_equal(run_program("chasqui-sync", &out, little), 1);
  expect(&out, "sync.day");
  assert_true(is_waiting(home));
  assert_int_equal(run_program("chasqui-sync", &out, little), 1); /* it is still the same day */
  const char *slow[] = {"push", "--json", "--home", home, "--limit-day", "1M", "--limit-rate", "500k", NULL};
  assert_int_equal(run_program("chasqui-sync", &out, slow), 0);
  expect(&out, "\"failed\":0");
  assert_false(is_waiting(home));
  assert_int_equal(
      run_program("chasqui-sync", &out, (const char *[]){"push", "--limit-rate", "much", "--home", home, NULL}), 2);
  cq_buf_fini(&out);
  road_close(&r);
}

static void watch_sees_the_outbox(void **state) {
  (void)state;
  road r;
  road_open(&r, "watch", 24);
  const char *home = r.w.laptop[0].home;
  assert_int_equal(remote_add(home, r.url), 0);
  pid_t watch = start_program("chasqui-sync", (const char *[]){"watch", "--home", home, NULL});
  world_batch(&r.w, 0, 300, NULL);
  for (int i = 0; i < 200 && is_waiting(home); i++) poll(NULL, 0, 20);
  assert_false(is_waiting(home));
  kill(watch, SIGTERM);
  assert_int_equal(wait_program(watch), 0);
  road_close(&r);
}

/* A datagram of one message of this type, and whether it opens a way. */
static void netlink_is_read_within_bounds(void **state) {
  (void)state;
  static const struct {
    uint16_t type;
    uint32_t length; /* as the message says */
    size_t size;     /* of the datagram */
    bool opens;
  } cases[] = {{RTM_NEWROUTE, 32, 32, true},  {RTM_NEWADDR, 32, 32, true},   {RTM_DELROUTE, 32, 32, false},
               {RTM_NEWROUTE, 32, 20, false}, {RTM_NEWROUTE, 4, 32, false},  {RTM_NEWROUTE, 0, 32, false},
               {RTM_DELADDR, 31, 31, false},  {RTM_NEWROUTE, 32, 15, false}, {RTM_NEWROUTE, UINT32_MAX, 32, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct nlmsghdr head = {.nlmsg_len = cases[i].length, .nlmsg_type = cases[i].type};
    char *bytes = calloc(1, cases[i].size);
    memcpy(bytes, &head, cases[i].size < sizeof head ? cases[i].size : sizeof head);
    assert_int_equal(watch_opens_way(bytes, cases[i].size), cases[i].opens);
    free(bytes);
  }
}

static void patience_follows_the_line(void **state) {
  (void)state;
  assert_int_equal(http_patience(0, 0, 1 << 20), 60); /* nothing is known */
  assert_int_equal(http_patience(0.01, 1e6, 50000), 15);
  assert_int_equal(http_patience(1.5, 4000, 0), 16); /* 2G, and a request without a body */
  assert_int_equal(http_patience(1.5, 4000, 40000), 36);
  assert_int_equal(http_patience(1.5, 0, 40000), 36);
  assert_int_equal(http_patience(20, 500, 1 << 20), 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(push_brings_once),          cmocka_unit_test(desk_fetches_and_answers),
      cmocka_unit_test(faults_are_told),           cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(watch_sees_the_outbox),     cmocka_unit_test(netlink_is_read_within_bounds),
      cmocka_unit_test(patience_follows_the_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
