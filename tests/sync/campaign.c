/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded runs over a bad line: laptops push, the desk fetches, and meanwhile
 * the line is cut, reset, left half open, slowed, lossy or changed, a portal
 * answers, no name is found, and courier and post are killed. After each run
 * what the post and the desk hold is exactly what the laptops' outboxes hold,
 * each once. With `2g` everything goes over 32 kbit/s with 600 ms there and
 * back, and most connections lose 30 % of their packets, each an end.
 *
 * usage: campaign [RUNS [FIRST_SEED [2g]]]    (as a test: 3 runs)
 */
#include "chasqui/file.h"
#include "tests/sync/link.h"
#include "tests/sync/run.h"
#include "tests/sync/world.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES_MOST = 60, LAPTOPS = 2, LONGEST_SECONDS = 600 };

typedef struct campaign {
  world w;
  link_proxy *link;
  pid_t post;
  char url[64], port_file[256];
  size_t faults[LINK_KINDS], courier_kills, post_kills, nameless, pushes;
  uint64_t chance;
  bool is_2g;
} campaign;

static uint64_t any(campaign *c, uint64_t below) {
  uint64_t z = (c->chance += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % below;
}

static void fail(const campaign *c, uint64_t seed, const char *what) {
  fprintf(stderr, "campaign: seed %llu: %s (%s)\n", (unsigned long long)seed, what, c->w.root);
  if (c->post) kill(c->post, SIGKILL);
  exit(1);
}

/* --- the post, a process that is killed and begun again --- */
static void start_post(campaign *c, uint64_t seed) {
  unlink(c->port_file);
  c->post = start_program("chasqui-central", (const char *[]){"serve", "--home", c->w.post_home, "--listen",
                                                              "127.0.0.1:0", "--port-file", c->port_file, NULL});
  for (int i = 0; i < 6000; i++) { /* on a machine with much else to do */
    FILE *file = fopen(c->port_file, "r");
    unsigned port = 0;
    if (file) {
      int read = fscanf(file, "%u", &port);
      fclose(file);
      if (read == 1) {
        link_post(c->link, (uint16_t)port);
        return;
      }
    }
    poll(NULL, 0, 10);
  }
  fail(c, seed, "the post does not begin");
}

static void kill_post(campaign *c) {
  kill(c->post, SIGKILL);
  wait_program(c->post);
  c->post = 0;
}

/* --- one try under one fault --- */
static void over_2g(link_plan *plan) {
  plan->round_trip_ms = 600;
  plan->bytes_per_second = 32000 / 8;
}

static link_plan any_plan(campaign *c) {
  link_plan plan = {.kind = (link_kind)any(c, LINK_KINDS), .delay_ms = (int)any(c, 20), .loss_percent = 30};
  /* Early in the headers as often as deep in a large batch. */
  plan.at = any(c, any(c, 2) ? 1500 : 400000);
  if (plan.kind == LINK_SLOW) plan.at = 200 + any(c, 8000);
  if (c->is_2g) {
    if (any(c, 3)) plan.kind = LINK_LOSS;
    plan.at %= 6000;
    over_2g(&plan);
  }
  return plan;
}

static int try_once(campaign *c, const char *home, const char *verb, uint64_t seed) {
  link_set(c->link, any_plan(c));
  const char *silence = c->is_2g ? "5" : "2";
  const char *push[] = {verb, "--home", home, "--tries", c->is_2g ? "2" : "0", "--timeout", silence, NULL};
  const char *fetch[] = {verb, "--home", home, "--timeout", silence, NULL};
  bool nameless = any(c, 12) == 0;
  run_without_names(nameless);
  c->nameless += nameless;
  pid_t courier = start_program("chasqui-sync", strcmp(verb, "push") == 0 ? push : fetch);
  run_without_names(false);
  bool kill_courier = any(c, 5) == 0, kill_the_post = any(c, 6) == 0;
  if (kill_courier || kill_the_post) {
    poll(NULL, 0, (int)any(c, c->is_2g ? 9000 : 150));
    if (kill_courier && kill(courier, SIGKILL) == 0) c->courier_kills++;
    if (kill_the_post) {
      kill_post(c);
      c->post_kills++;
    }
  }
  c->pushes++;
  int status = wait_program_for(courier, LONGEST_SECONDS);
  if (status < 0) fail(c, seed, "a courier does not end");
  return status;
}

static void bring_through(campaign *c, const char *home, const char *verb, uint64_t seed) {
  int status = -1;
  for (int tries = 0; tries < TRIES_MOST && status != 0; tries++) {
    if (!c->post) start_post(c, seed);
    status = try_once(c, home, verb, seed);
  }
  /* Whatever the line did, over a good one the rest goes through at once. */
  if (!c->post) start_post(c, seed);
  link_plan good = {.kind = LINK_CLEAN};
  if (c->is_2g) over_2g(&good);
  link_set(c->link, good);
  if (wait_program(start_program("chasqui-sync", (const char *[]){verb, "--home", home, NULL})) != 0) {
    fail(c, seed, "a good line is not enough");
  }
}

/* --- the sets --- */
static size_t batches_in(const char *folder, const char *like) {
  size_t count = 0;
  cq_parcel *parcels = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_parcel_list(&parcels, &count, folder, &error) != CQ_OK) return 0;
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    if (parcels[i].kind != CQ_PARCEL_BATCH || (like && strcmp(parcels[i].name, like) != 0)) continue;
    bool right = false;
    cq_buf path = {0}, bytes = {0};
    cq_hash hash;
    if (cq_file_path(&path, folder, parcels[i].name, NULL) == CQ_OK &&
        cq_file_read(path.at, CQ_BATCH_MAX_SIZE, &bytes, NULL) == CQ_OK) {
      hash = cq_hash_of(bytes.at, bytes.size);
      right = memcmp(hash.at, parcels[i].hash_start, sizeof parcels[i].hash_start) == 0;
    }
    found += right;
    cq_buf_fini(&path);
    cq_buf_fini(&bytes);
  }
  free(parcels);
  return found;
}

/* Every batch of the outbox stands whole in the other folder, and nothing else of batches. */
static void compare(campaign *c, const char *outbox, const char *other, uint64_t seed, size_t *sum) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_error error;
  cq_error_clear(&error);
  if (cq_parcel_list(&parcels, &count, outbox, &error) != CQ_OK) fail(c, seed, "no outbox");
  for (size_t i = 0; i < count; i++) {
    if (parcels[i].kind != CQ_PARCEL_BATCH) continue;
    if (batches_in(other, parcels[i].name) != 1) fail(c, seed, parcels[i].name);
    ++*sum;
  }
  free(parcels);
}

static void check_sets(campaign *c, uint64_t seed, bool desk) {
  size_t sent = 0, there = 0;
  for (size_t i = 0; i < LAPTOPS; i++) {
    const world_laptop *l = &c->w.laptop[i * 2]; /* one that is approved, and one that is not */
    char outbox[300], other[400], device[33];
    size_t own = 0;
    snprintf(outbox, sizeof outbox, "%s/outbox", l->home);
    cq_device_id_hex(&l->id, device);
    if (desk)
      snprintf(other, sizeof other, "%s/inbox", c->w.desk_home);
    else
      snprintf(other, sizeof other, "%s/%s/%s", c->w.post_home, i == 0 ? "batches" : "held", device);
    compare(c, outbox, other, seed, &own);
    if (!desk && batches_in(other, NULL) != own) fail(c, seed, "the post holds what nobody sent");
    sent += own;
    there = batches_in(other, NULL);
  }
  if (desk && there != sent) fail(c, seed, "the desk holds what nobody sent");
}

static void make_batches(campaign *c) {
  if (c->is_2g) { /* what a 2G line carries in some minutes */
    for (size_t i = 0; i < 3; i++) world_batch(&c->w, 0, any(c, 3000), NULL);
    world_batch(&c->w, 0, 8000 + any(c, 12000), NULL);
    world_batch(&c->w, 2, any(c, 3000), NULL);
    return;
  }
  for (size_t i = 0; i < 3 + any(c, 4); i++) world_batch(&c->w, 0, any(c, 6000), NULL);
  world_batch(&c->w, 0, 20000 + any(c, 40000), NULL);
  world_batch(&c->w, 0, 100000 + any(c, 300000), NULL);
  for (size_t i = 0; i < 2; i++) world_batch(&c->w, 2, any(c, 9000), NULL);
}

static void run(campaign *c, uint64_t seed) {
  cq_buf out = {0};
  c->chance = seed;
  world_open(&c->w, "campaign", CQ_MODE_REAL, seed);
  snprintf(c->port_file, sizeof c->port_file, "%s/port", c->w.root);
  c->link = link_open(9);
  if (!c->link) fail(c, seed, "no sockets");
  link_seed(c->link, seed);
  snprintf(c->url, sizeof c->url, "http://127.0.0.1:%u", (unsigned)link_port(c->link));
  world_pass(&c->w);
  make_batches(c);
  start_post(c, seed);
  const char *homes[] = {c->w.laptop[0].home, c->w.laptop[2].home, c->w.desk_home};
  for (size_t i = 0; i < 3; i++) {
    if (run_program("chasqui-sync", &out, (const char *[]){"remote", "add", c->url, "--home", homes[i], NULL}) != 0) {
      fail(c, seed, "remote add");
    }
  }
  bring_through(c, homes[0], "push", seed);
  bring_through(c, homes[1], "push", seed);
  check_sets(c, seed, false);
  bring_through(c, homes[2], "fetch", seed);
  check_sets(c, seed, true);
  for (int i = 0; i < LINK_KINDS; i++) c->faults[i] += link_count(c->link, (link_kind)i);
  kill_post(c);
  link_close(c->link);
  world_remove(c->w.root);
  world_close(&c->w);
  cq_buf_fini(&out);
}

int main(int argc, char **argv) {
  uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 10) : 3, first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  campaign *c = calloc(1, sizeof *c);
  if (!c) return 1;
  c->is_2g = argc > 3 && strcmp(argv[3], "2g") == 0;
  for (uint64_t seed = first; seed < first + runs; seed++) run(c, seed);
  size_t all = 0;
  printf("%llu runs, %zu tries of a courier, killed %zu, posts killed %zu, without names %zu\n",
         (unsigned long long)runs, c->pushes, c->courier_kills, c->post_kills, c->nameless);
  for (int i = LINK_CUT_UP; i < LINK_KINDS; i++) {
    printf("%s %zu\n", link_names[i], c->faults[i]);
    all += c->faults[i];
  }
  int status = (argc == 1 && all + c->courier_kills + c->post_kills + c->nameless == 0) ||
               (runs >= 20 && (!c->courier_kills || !c->post_kills || !c->nameless));
  for (int i = LINK_CUT_UP; runs >= 20 && i < LINK_KINDS; i++) status |= c->faults[i] == 0;
  if (status) fprintf(stderr, "campaign: some fault was never injected\n");
  free(c);
  return status;
}
