/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crowd before one store: two posts, each a process, and four couriers that
 * push at once to one address, behind which now the one and now the other
 * answers. Meanwhile a post is killed and begun again, and the database (over
 * PostgreSQL, tests/sync/with_postgres) ends as with a lost machine and comes
 * back. In the end the desk has exactly what the laptops' outboxes hold.
 */
#include "chasqui/file.h"
#include "tests/sync/link.h"
#include "tests/sync/run.h"
#include "tests/sync/world.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { POSTS = 2, SMALL = 4, LARGE = 1500000, SPEED = 800000, MIDDLE = 300000, TRIES_MOST = 40, DESK = WORLD_LAPTOPS };

typedef struct crowd {
  world w;
  char second_home[256];
  post_settings second;
  const char *homes[POSTS];
  uint16_t ports[POSTS];
  pid_t posts[POSTS];
  link_proxy *links[WORLD_LAPTOPS + 1]; /* the last is the desk's */
  size_t killed, away;                  /* while a courier was at work */
} crowd;

static bool has_ended(pid_t pid) {
  return waitpid(pid, NULL, WNOHANG) == pid;
}

/* Again where it cannot begin: its store may be away. */
static void start_post(crowd *c, size_t i) {
  char file[300];
  snprintf(file, sizeof file, "%s/port%zu", c->w.root, i);
  for (int tries = 0; tries < TRIES_MOST; tries++) {
    unlink(file);
    c->posts[i] = start_program("chasqui-central", (const char *[]){"serve", "--home", c->homes[i], "--listen",
                                                                    "127.0.0.1:0", "--port-file", file, NULL});
    bool ended = false;
    while (access(file, F_OK) != 0 && !(ended = has_ended(c->posts[i]))) poll(NULL, 0, 10);
    if (ended) continue;
    unsigned port = 0;
    FILE *in = fopen(file, "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%u", &port), 1);
    fclose(in);
    c->ports[i] = (uint16_t)port;
    return;
  }
  fail_msg("post %zu does not begin", i);
}

static void kill_post(crowd *c, size_t i) {
  kill(c->posts[i], SIGKILL);
  wait_program(c->posts[i]);
}

static const char *home_of(crowd *c, size_t courier) {
  return courier == DESK ? c->w.desk_home : c->w.laptop[courier].home;
}

/* Behind its address stands that post now. */
static pid_t start_push(crowd *c, size_t courier, size_t which, const char *tries) {
  link_set(c->links[courier], (link_plan){.kind = LINK_CLEAN, .bytes_per_second = SPEED});
  link_post(c->links[courier], c->ports[which]);
  return start_program("chasqui-sync", (const char *[]){"push", "--home", home_of(c, courier), "--tries", tries,
                                                        "--timeout", "5", NULL});
}

static void bring_through(crowd *c, size_t courier, size_t which) {
  int status = -1;
  for (int tries = 0; tries < TRIES_MOST && status != 0; tries++, which = 1 - which) {
    if (tries > 1) poll(NULL, 0, 100);
    status = wait_program_for(start_push(c, courier, which, "0"), 60);
  }
  assert_int_equal(status, 0);
}

/* All push at once; in the middle of the large batch post 0 is killed, or the database. */
static void push_all(crowd *c, bool kill_it, bool crash) {
  pid_t couriers[WORLD_LAPTOPS];
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) {
    for (size_t k = 0; k < SMALL; k++) world_batch(&c->w, i, 500 + 3000 * k, NULL);
  }
  world_batch(&c->w, 0, LARGE, NULL);
  uint64_t before = link_bytes(c->links[0], true);
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) couriers[i] = start_push(c, i, i % 2, "1");
  size_t again = 0; /* on a machine with much else to do one may give up before */
  while (link_bytes(c->links[0], true) < before + MIDDLE) {
    if (has_ended(couriers[0]) && again++ < TRIES_MOST) couriers[0] = start_push(c, 0, 0, "1");
    assert_true(again < TRIES_MOST);
    poll(NULL, 0, 5);
  }
  if (kill_it) kill_post(c, 0);
  if (crash) assert_int_equal(system("tests/sync/with_postgres crash"), 0);
  c->killed += kill_it;
  c->away += crash;
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) assert_true(wait_program_for(couriers[i], 120) >= 0);
  if (crash) { /* nothing is lost, and nobody is told that it was kept */
    world_batch(&c->w, 1, 900, NULL);
    assert_int_not_equal(wait_program_for(start_push(c, 1, 1, "0"), 60), 0);
    assert_int_equal(system("tests/sync/with_postgres start"), 0);
  }
  if (kill_it) start_post(c, 0);
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) bring_through(c, i, i % 2);
}

/* Whole batches in the desk's inbox, of that name or of any. */
static size_t at_desk(crowd *c, const char *name) {
  char folder[300];
  cq_parcel *parcels = NULL;
  size_t count = 0, found = 0;
  snprintf(folder, sizeof folder, "%s/inbox", c->w.desk_home);
  assert_int_equal(cq_parcel_list(&parcels, &count, folder, NULL), CQ_OK);
  for (size_t i = 0; i < count; i++) {
    if (parcels[i].kind != CQ_PARCEL_BATCH || (name && strcmp(parcels[i].name, name) != 0)) continue;
    cq_buf path = {0}, bytes = {0};
    assert_int_equal(cq_file_path(&path, folder, parcels[i].name, NULL), CQ_OK);
    assert_int_equal(cq_file_read(path.at, CQ_BATCH_MAX_SIZE, &bytes, NULL), CQ_OK);
    cq_hash hash = cq_hash_of(bytes.at, bytes.size);
    assert_memory_equal(hash.at, parcels[i].hash_start, sizeof parcels[i].hash_start);
    found++;
    cq_buf_fini(&path);
    cq_buf_fini(&bytes);
  }
  free(parcels);
  return found;
}

static void check_desk(crowd *c) {
  size_t sent = 0;
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) {
    char folder[300];
    cq_parcel *parcels = NULL;
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/outbox", c->w.laptop[i].home);
    assert_int_equal(cq_parcel_list(&parcels, &count, folder, NULL), CQ_OK);
    for (size_t k = 0; k < count; k++) {
      if (parcels[k].kind != CQ_PARCEL_BATCH) continue;
      assert_int_equal(at_desk(c, parcels[k].name), 1);
      sent++;
    }
    free(parcels);
  }
  assert_int_equal(sent, at_desk(c, NULL));
}

typedef struct outcomes {
  size_t kept, held;
} outcomes;

static bool count_outcome(void *context, const index_item *item) {
  outcomes *o = context;
  o->kept += item->outcome == CQ_OUTCOME_KEPT;
  o->held += cq_outcome_is_held(item->outcome);
  return true;
}

static void the_sets_are_equal(void **state) {
  (void)state;
  static crowd c;
  cq_error error;
  cq_error_clear(&error);
  cq_buf out = {0};
  world_open(&c.w, "crowd", CQ_MODE_REAL, 77);
  bool database = c.w.store[0];
  world_second_post(&c.w, c.second_home, &c.second);
  c.homes[0] = c.w.post_home;
  c.homes[1] = c.second.home;
  world_pass(&c.w);
  for (size_t i = 0; i < POSTS; i++) start_post(&c, i);
  for (size_t i = 0; i <= DESK; i++) {
    char url[64];
    c.links[i] = link_open(c.ports[i % 2]);
    assert_non_null(c.links[i]);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)link_port(c.links[i]));
    assert_int_equal(
        run_program("chasqui-sync", &out, (const char *[]){"remote", "add", url, "--home", home_of(&c, i), NULL}), 0);
  }
  push_all(&c, true, false);
  c.w.laptop[2].is_certified = true; /* what was held of it is released, by whichever post */
  world_publish(&c.w);
  bring_through(&c, DESK, 1);
  push_all(&c, false, database);
  push_all(&c, true, database);
  assert_int_equal(c.killed, 2);
  assert_int_equal(c.away, database ? 2 : 0);

  const char *fetch[] = {"fetch", "--home", c.w.desk_home, NULL};
  for (size_t i = 0; i < POSTS; i++) { /* from the one, and once more from the other with the same cursor */
    link_post(c.links[DESK], c.ports[i]);
    assert_int_equal(run_program("chasqui-sync", &out, fetch), 0);
    check_desk(&c);
  }
  outcomes o = {0};
  post_index *index = NULL;
  assert_int_equal(index_open(&index, c.w.post_home, database ? c.w.store : NULL, &error), CQ_OK);
  assert_int_equal(index_batches_after(index, 0, 1000, count_outcome, &o, &error), CQ_OK);
  assert_int_equal(o.held, 3 * SMALL); /* of laptop 3, which nobody approved */
  assert_int_equal(o.kept + o.held, at_desk(&c, NULL));
  index_close(index);
  for (size_t i = 0; i < POSTS; i++) { /* and they end as they should */
    kill(c.posts[i], SIGTERM);
    assert_int_equal(wait_program_for(c.posts[i], 30), 0);
  }
  for (size_t i = 0; i <= DESK; i++) link_close(c.links[i]);
  cq_buf_fini(&out);
  world_remove(c.w.root);
  world_close(&c.w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_sets_are_equal)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
