/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two posts before one store, in one process: what one has learnt the other
 * knows, and what one has not done the other does. Over SQLite two of one
 * home; over PostgreSQL (tests/sync/with_postgres) a home each, and there the
 * database fails too. The clock stands still: a post looks for a newer bundle
 * by itself only where a case moves it.
 */
#include "central/inbox/exchange.h"
#include "central/inbox/server.h"
#include "chasqui/order.h"
#include "tests/sync/world.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct pair {
  world w;
  cq_clock_fixed time;
  cq_clock clock;
  char second_home[256];
  post_settings second;
  post *a, *b;
} pair;

static cq_error error;

static post *open_post(const post_settings *settings) {
  post *p = NULL;
  assert_int_equal(post_open(&p, settings, &error), CQ_OK);
  return p;
}

static int begin(void **state) {
  static unsigned count;
  pair *t = calloc(1, sizeof *t);
  char name[32];
  cq_error_clear(&error);
  snprintf(name, sizeof name, "several-%u", ++count);
  world_open(&t->w, name, CQ_MODE_REAL, 20 + count);
  world_second_post(&t->w, t->second_home, &t->second);
  t->time = (cq_clock_fixed){.utc_ms = 1345471385120};
  t->clock = cq_clock_fix(&t->time);
  t->w.post.clock = t->second.clock = &t->clock;
  t->a = open_post(&t->w.post);
  t->b = open_post(&t->second);
  *state = t;
  return 0;
}

static int end(void **state) {
  pair *t = *state;
  post_close(t->a);
  post_close(t->b);
  world_remove(t->w.root);
  world_close(&t->w);
  free(t);
  return 0;
}

static cq_outcome take(post *p, const cq_buf *bytes) {
  index_item item;
  cq_str one = cq_buf_str(bytes);
  assert_int_equal(post_take(p, &one, 1, &item, &error), CQ_OK);
  return item.outcome;
}

static void expect_bytes(post *p, const cq_hash *hash, const cq_buf *wanted) {
  index_item item;
  cq_buf bytes = {0};
  assert_int_equal(index_find(post_index_of(p), hash, &item, &error), CQ_OK);
  assert_int_equal(index_read(post_index_of(p), &item, 0, wanted->size, &bytes, &error), CQ_OK);
  assert_true(cq_str_equal(cq_buf_str(&bytes), cq_buf_str(wanted)));
  cq_buf_fini(&bytes);
}

static uint64_t believed(post *p) {
  uint64_t number = cq_bundle_content_of(post_bundle_lock(p))->number;
  post_bundle_unlock(p);
  return number;
}

static void judges_by_the_newest_bundle(void **state) {
  pair *t = *state;
  cq_buf approved = {0}, revoked = {0}, earlier = {0};
  world_batch(&t->w, 3, 100, &earlier);
  cq_hash hash = cq_hash_of(earlier.at, earlier.size);
  assert_int_equal(take(t->b, &earlier), CQ_OUTCOME_HELD_UNKNOWN);
  t->w.laptop[2].is_certified = t->w.laptop[3].is_certified = true;
  t->w.revocation = (cq_revocation){.key = t->w.laptop[1].id, .last_trusted = 0, .revoked_utc_ms = 1};
  t->w.has_revocation = true;
  world_publish(&t->w);
  assert_int_equal(take(t->a, &t->w.bundle), CQ_OUTCOME_KEPT);
  world_batch(&t->w, 2, 100, &approved);
  world_batch(&t->w, 1, 100, &revoked);
  /* The second post has not looked yet. */
  assert_int_equal(believed(t->b), 1);
  assert_int_equal(take(t->b, &revoked), CQ_OUTCOME_HELD_REVOKED);
  assert_int_equal(believed(t->b), 2);
  assert_int_equal(take(t->b, &approved), CQ_OUTCOME_KEPT);
  assert_int_equal(take(t->b, &earlier), CQ_OUTCOME_ALREADY); /* the first has released it */
  expect_bytes(t->b, &hash, &earlier);
  cq_buf_fini(&approved);
  cq_buf_fini(&revoked);
  cq_buf_fini(&earlier);
}

static void looks_for_a_newer_bundle(void **state) {
  pair *t = *state;
  world_publish(&t->w);
  assert_int_equal(take(t->a, &t->w.bundle), CQ_OUTCOME_KEPT);
  post_look(t->b);
  assert_int_equal(believed(t->b), 1);
  t->time.utc_ms += 1000;
  post_look(t->b);
  assert_int_equal(believed(t->b), 2);
}

static void bundles_never_roll_back(void **state) {
  pair *t = *state;
  cq_buf second = {0};
  index_item items[2], newest;
  world_publish(&t->w);
  cq_buf_add_str(&second, cq_buf_str(&t->w.bundle));
  world_publish(&t->w);
  cq_hash hash = cq_hash_of(t->w.bundle.at, t->w.bundle.size);
  const cq_str twice[] = {cq_buf_str(&t->w.bundle), cq_buf_str(&t->w.bundle)};
  assert_int_equal(post_take(t->a, twice, 2, items, &error), CQ_OK); /* as two couriers at once */
  assert_int_equal(items[0].outcome, CQ_OUTCOME_KEPT);
  assert_int_equal(items[1].outcome, CQ_OUTCOME_ALREADY);
  expect_bytes(t->b, &hash, &t->w.bundle);
  assert_int_equal(take(t->b, &second), CQ_OUTCOME_STALE); /* which it would have taken for the newest */
  assert_int_equal(index_newest_bundle(post_index_of(t->b), &newest, &error), CQ_OK);
  assert_int_equal(newest.number, 3);
  cq_buf_fini(&second);
}

static void the_quota_is_of_all(void **state) {
  pair *t = *state;
  cq_buf batches[3] = {0};
  index_item items[2];
  bool fresh;
  for (size_t i = 0; i < 3; i++) world_batch(&t->w, 3, 300, &batches[i]);
  index_item fat = {.kind = CQ_PARCEL_BATCH,
                    .outcome = CQ_OUTCOME_HELD_UNKNOWN,
                    .device = t->w.laptop[3].id,
                    .size = POST_HELD_DEVICE_BYTES - batches[0].size - 10,
                    .path = "held/elsewhere"};
  assert_int_equal(index_begin(post_index_of(t->a), &error), CQ_OK);
  assert_int_equal(index_add(post_index_of(t->a), &fat, CQ_STR("fat"), 1, &fresh, &error), CQ_OK);
  assert_int_equal(index_commit(post_index_of(t->a), &error), CQ_OK);
  const cq_str two[] = {cq_buf_str(&batches[0]), cq_buf_str(&batches[1])};
  assert_int_equal(post_take(t->b, two, 2, items, &error), CQ_OK); /* there is room for either, not for both */
  assert_int_equal(items[0].outcome, CQ_OUTCOME_HELD_UNKNOWN);
  assert_int_equal(items[1].outcome, CQ_OUTCOME_LATER_QUOTA);
  assert_int_equal(take(t->a, &batches[2]), CQ_OUTCOME_LATER_QUOTA);
  for (size_t i = 0; i < 3; i++) cq_buf_fini(&batches[i]);
}

static void write_order(pair *t, const cq_hash *batch, cq_buf *order) {
  cq_hash name;
  const cq_order about = {.mode = t->w.mode,
                          .kind = CQ_ORDER_ERASE,
                          .programme = t->w.id,
                          .made_utc_ms = 1,
                          .by = CQ_STR("C01"),
                          .reason = CQ_STR("solicitud"),
                          .targets = batch, /* any name of a record */
                          .target_count = 1,
                          .batches = batch,
                          .batch_count = 1};
  assert_int_equal(cq_order_write(order, &name, &about, &t->w.desk_chain, t->w.desk, &t->w.random, &error), CQ_OK);
}

static void expect_erased(post *p, const cq_hash *hash, const cq_buf *batch) {
  index_item item;
  cq_buf bytes = {0};
  assert_int_equal(take(p, batch), CQ_OUTCOME_ERASED);
  assert_int_equal(index_find(post_index_of(p), hash, &item, &error), CQ_OK);
  item.outcome = CQ_OUTCOME_KEPT;
  snprintf(item.path, sizeof item.path, "batches");
  assert_int_not_equal(index_read(post_index_of(p), &item, 0, 100, &bytes, NULL), CQ_OK);
  cq_buf_fini(&bytes);
}

static void what_one_erases_the_other_lacks(void **state) {
  pair *t = *state;
  cq_buf batch = {0}, order = {0};
  cq_hash hash = world_batch(&t->w, 0, 100, &batch);
  assert_int_equal(take(t->b, &batch), CQ_OUTCOME_KEPT);
  write_order(t, &hash, &order);
  assert_int_equal(take(t->a, &order), CQ_OUTCOME_KEPT);
  expect_erased(t->b, &hash, &batch);
  cq_buf_fini(&batch);
  cq_buf_fini(&order);
}

/* Killed between the transaction and what follows from it: an order is kept, and nothing was erased. */
static void the_next_does_what_a_killed_one_left(void **state) {
  pair *t = *state;
  cq_buf batch = {0}, order = {0};
  bool fresh;
  const cq_device_id all = {{0}};
  cq_hash hash = world_batch(&t->w, 0, 100, &batch);
  assert_int_equal(take(t->a, &batch), CQ_OUTCOME_KEPT);
  write_order(t, &hash, &order);
  index_item item = {.kind = CQ_PARCEL_ORDER,
                     .outcome = CQ_OUTCOME_KEPT,
                     .hash = cq_hash_of(order.at, order.size),
                     .size = order.size};
  post_index *index = post_index_of(t->a);
  assert_int_equal(index_put(index, &item, cq_buf_str(&order), &error), CQ_OK);
  assert_int_equal(index_begin(index, &error), CQ_OK);
  assert_int_equal(index_add(index, &item, cq_buf_str(&order), 1, &fresh, &error), CQ_OK);
  assert_int_equal(index_add_news(index, &item, &all, &error), CQ_OK);
  assert_int_equal(index_commit(index, &error), CQ_OK);
  assert_int_equal(take(t->a, &batch), CQ_OUTCOME_ALREADY);
  post_close(t->b);
  t->b = open_post(&t->second);
  expect_erased(t->a, &hash, &batch);
  cq_buf_fini(&batch);
  cq_buf_fini(&order);
}

/* A bundle that `post init` pins while a post serves: its strangers are released without a restart. */
static void a_pinned_bundle_is_seen(void **state) {
  pair *t = *state;
  cq_buf batch = {0};
  world_batch(&t->w, 2, 100, &batch);
  assert_int_equal(take(t->b, &batch), CQ_OUTCOME_HELD_UNKNOWN);
  t->w.laptop[2].is_certified = true;
  world_publish(&t->w);
  assert_int_equal(post_pin(&t->w.post, cq_buf_str(&t->w.bundle), &error), CQ_OK);
  assert_int_equal(take(t->b, &batch), CQ_OUTCOME_HELD_UNKNOWN);
  t->time.utc_ms += 1000;
  post_look(t->b);
  assert_int_equal(take(t->b, &batch), CQ_OUTCOME_ALREADY);
  cq_buf_fini(&batch);
}

/* --- PostgreSQL only --- */

/* A trigger that fails the first two times. */
static void inject(const pair *t, const char *trigger, const char *fault) {
  char sql[600];
  snprintf(sql, sizeof sql,
           "CREATE SEQUENCE faults; CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
           "IF nextval('faults') <= 2 THEN %s; END IF; RETURN NEW; END$$; %s",
           fault, trigger);
  world_sql(t->w.store, sql);
}

static void repeats_what_the_database_gave_up(void **state) {
  pair *t = *state;
  cq_buf batch = {0};
  if (!t->w.store[0]) skip();
  inject(t, "CREATE TRIGGER fault BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION fault()",
         "RAISE EXCEPTION 'injected' USING ERRCODE = 'serialization_failure'");
  cq_hash hash = world_batch(&t->w, 0, 100, &batch);
  assert_int_equal(take(t->a, &batch), CQ_OUTCOME_KEPT);
  assert_int_equal(world_sql(t->w.store, "SELECT last_value FROM faults"), 3);
  expect_bytes(t->b, &hash, &batch);
  cq_buf_fini(&batch);
}

static void repeats_what_broke_while_committing(void **state) {
  pair *t = *state;
  cq_buf batch = {0};
  if (!t->w.store[0]) skip();
  inject(t,
         "CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
         "FUNCTION fault()",
         "PERFORM pg_terminate_backend(pg_backend_pid())");
  cq_hash hash = world_batch(&t->w, 0, 100, &batch);
  assert_int_equal(take(t->a, &batch), CQ_OUTCOME_KEPT);
  assert_int_equal(world_sql(t->w.store, "SELECT last_value FROM faults"), 3);
  expect_bytes(t->b, &hash, &batch);
  cq_buf_fini(&batch);
}

/* The status that a request over HTTP is answered with. */
static int status_of(uint16_t port, const char *method, const char *path) {
  char text[600] = "";
  int status = 0;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  int size = snprintf(text, sizeof text,
                      "%s %s HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nConnection: close\r\n\r\n", method, path);
  assert_int_equal(write(fd, text, (size_t)size), size);
  for (size_t at = 0; at < sizeof text - 1;) {
    ssize_t n = read(fd, text + at, sizeof text - 1 - at);
    if (n <= 0) break;
    at += (size_t)n;
  }
  close(fd);
  assert_int_equal(sscanf(text, "HTTP/1.1 %d", &status), 1);
  return status;
}

/* A bundle, which is news, and an item that nobody has. */
static void expect_statuses(uint16_t port, const cq_hash *bundle, int there, int not_there) {
  char path[100], hex[65];
  static const cq_hash nobody = {{5}};
  snprintf(path, sizeof path, "/v1/items/%s", cq_hash_hex(bundle, hex));
  assert_int_equal(status_of(port, "GET", path), there);
  snprintf(path, sizeof path, "/v1/uploads/%s", hex);
  assert_int_equal(status_of(port, "HEAD", path), there);
  snprintf(path, sizeof path, "/v1/items/%s", cq_hash_hex(&nobody, hex));
  assert_int_equal(status_of(port, "GET", path), not_there);
  snprintf(path, sizeof path, "/v1/uploads/%s", hex);
  assert_int_equal(status_of(port, "HEAD", path), not_there);
}

static void says_later_while_the_database_is_away(void **state) {
  pair *t = *state;
  cq_buf first = {0}, second = {0}, ask_bytes = {0}, answer = {0};
  cq_ask ask = {.mode = t->w.mode, .programme = t->w.id, .asked_count = 1};
  server *s = NULL;
  if (!t->w.store[0]) skip();
  server_settings serving = {.post = t->a, .listen = "127.0.0.1:0"};
  assert_int_equal(server_start(&s, &serving, &error), CQ_OK);
  cq_hash bundle = cq_hash_of(t->w.bundle.at, t->w.bundle.size);
  expect_statuses(server_port(s), &bundle, 200, 404);
  world_batch(&t->w, 0, 100, &first);
  world_batch(&t->w, 0, 100, &second);
  assert_int_equal(take(t->a, &first), CQ_OUTCOME_KEPT);
  cq_hash hash = cq_hash_of(first.at, first.size);
  cq_ask_put_head(&ask_bytes, &ask);
  cq_ask_put_hash(&ask_bytes, &hash);
  assert_int_equal(system("tests/sync/with_postgres crash"), 0);
  assert_int_equal(take(t->a, &second), CQ_OUTCOME_LATER_FULL);
  assert_int_equal(exchange_answer(t->a, cq_buf_str(&ask_bytes), &answer, &error), CQ_BUSY);
  assert_string_equal(error.code, "post.store.away");
  expect_statuses(server_port(s), &bundle, 503, 503); /* not 404, which would be an answer */
  assert_int_equal(system("tests/sync/with_postgres start"), 0);
  cq_outcome outcome = CQ_OUTCOME_LATER_FULL;
  for (int i = 0; i < 100 && outcome == CQ_OUTCOME_LATER_FULL; i++) {
    outcome = take(t->a, &second);
    poll(NULL, 0, 50);
  }
  assert_int_equal(outcome, CQ_OUTCOME_KEPT);
  expect_statuses(server_port(s), &bundle, 200, 404);
  server_stop(s);
  assert_int_equal(take(t->b, &first), CQ_OUTCOME_ALREADY);
  cq_buf_fini(&first);
  cq_buf_fini(&second);
  cq_buf_fini(&ask_bytes);
  cq_buf_fini(&answer);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      CASE(judges_by_the_newest_bundle),
      CASE(looks_for_a_newer_bundle),
      CASE(bundles_never_roll_back),
      CASE(the_quota_is_of_all),
      CASE(what_one_erases_the_other_lacks),
      CASE(the_next_does_what_a_killed_one_left),
      CASE(a_pinned_bundle_is_seen),
      CASE(repeats_what_the_database_gave_up),
      CASE(repeats_what_broke_while_committing),
      CASE(says_later_while_the_database_is_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
