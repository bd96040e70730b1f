/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The post's store, the same for both engines: SQLite in a home, and
 * PostgreSQL where tests/sync/with_postgres has started one. Each case has an
 * empty store, open twice as by two posts.
 */
#include "central/inbox/index.h"
#include "tests/sync/world.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct two {
  char home[200], store[300];
  post_index *one, *other;
} two;

static cq_error error;
static const cq_device_id everybody, laptop = {{1}}, stranger = {{2}}, desk = {{3}};

static post_index *open_index(two *t) {
  post_index *index = NULL;
  assert_int_equal(index_open(&index, t->home, t->store[0] ? t->store : NULL, &error), CQ_OK);
  return index;
}

static int begin(void **state) {
  static unsigned count;
  two *t = calloc(1, sizeof *t);
  const char *folder = getenv("CHASQUI_TEST_TMP");
  snprintf(t->home, sizeof t->home, "%s/index-%ld-%u", folder ? folder : "/tmp", (long)getpid(), ++count);
  world_remove(t->home);
  mkdir(t->home, 0700);
  world_store(t->store);
  cq_error_clear(&error);
  t->one = open_index(t);
  t->other = open_index(t);
  *state = t;
  return 0;
}

static int end(void **state) {
  two *t = *state;
  index_close(t->one);
  index_close(t->other);
  world_remove(t->home);
  free(t);
  return 0;
}

/* An item whose hash is made of `name`. */
static index_item item_of(unsigned name, cq_parcel_kind kind, cq_outcome outcome, const cq_device_id *device,
                          size_t size) {
  index_item item = {.kind = kind, .outcome = outcome, .device = *device, .number = name, .size = size};
  item.hash = cq_hash_of(&name, sizeof name);
  return item;
}

/* Bytes that differ from place to place. */
static cq_buf bytes_of(const index_item *item) {
  cq_buf bytes = {0};
  cq_buf_reserve(&bytes, item->size);
  for (size_t i = 0; i < item->size; i++) cq_buf_add_char(&bytes, (char)(i / 256 + i * 7 + item->hash.at[0]));
  return bytes;
}

/* As the post does it, in a transaction of its own; `news` NULL: no news. */
static bool add(post_index *index, index_item *item, const cq_device_id *news) {
  bool fresh = false;
  cq_buf bytes = bytes_of(item), last = {0};
  assert_int_equal(index_put(index, item, cq_buf_str(&bytes), &error), CQ_OK);
  assert_int_equal(index_settle(index, item, &last, &error), CQ_OK);
  assert_int_equal(index_begin(index, &error), CQ_OK);
  assert_int_equal(index_add(index, item, cq_buf_str(&bytes), 1, &fresh, &error), CQ_OK);
  if (news) assert_int_equal(index_add_news(index, item, news, &error), CQ_OK);
  assert_int_equal(index_commit(index, &error), CQ_OK);
  cq_buf_fini(&bytes);
  cq_buf_fini(&last);
  return fresh;
}

static index_item find(post_index *index, const cq_hash *hash) {
  index_item item;
  assert_int_equal(index_find(index, hash, &item, &error), CQ_OK);
  return item;
}

static void expect_bytes(post_index *index, const index_item *item) {
  cq_buf bytes = {0}, wanted = bytes_of(item);
  assert_int_equal(index_read(index, item, 0, item->size + 10, &bytes, &error), CQ_OK);
  assert_true(cq_str_equal(cq_buf_str(&bytes), cq_buf_str(&wanted)));
  cq_buf_fini(&bytes);
  cq_buf_fini(&wanted);
}

static void expect_no_bytes(post_index *index, const index_item *item) {
  cq_buf bytes = {0};
  assert_int_equal(index_read(index, item, 0, item->size, &bytes, &error), CQ_NOTFOUND);
  assert_int_equal(bytes.size, 0);
  cq_buf_fini(&bytes);
}

/* What a list answers: numbers of its items. */
typedef struct numbers {
  uint64_t at[64], sequence[64];
  size_t count, most;
} numbers;

static bool collect(void *context, const index_item *item) {
  numbers *n = context;
  n->at[n->count] = item->number;
  n->sequence[n->count] = item->sequence;
  return ++n->count < (n->most ? n->most : 64);
}

static numbers batches_after(post_index *index, uint64_t sequence, size_t most) {
  numbers n = {0};
  assert_int_equal(index_batches_after(index, sequence, most, collect, &n, &error), CQ_OK);
  return n;
}

static void is_empty_at_first(void **state) {
  two *t = *state;
  cq_hash hash = {{9}};
  index_item item;
  index_held sums;
  bool is = true;
  uint64_t number = 7;
  assert_int_equal(index_find(t->one, &hash, &item, &error), CQ_NOTFOUND);
  assert_int_equal(index_newest_bundle(t->one, &item, &error), CQ_NOTFOUND);
  assert_int_equal(batches_after(t->one, 0, 9).count, 0);
  assert_int_equal(index_held_sums(t->one, &laptop, &sums, &error), CQ_OK);
  assert_int_equal(sums.batches + sums.bytes + sums.device_bytes, 0);
  assert_int_equal(index_is_news(t->one, &hash, &is, &error), CQ_OK);
  assert_false(is);
  assert_int_equal(index_newest_sheet(t->one, &laptop, &number, &error), CQ_OK);
  assert_int_equal(number, 0);
}

static void keeps_what_it_was_given(void **state) {
  two *t = *state;
  static const size_t sizes[] = {1, 800, 3000, 70000, 9000000}; /* the last more than one connection keeps in memory */
  for (unsigned i = 0; i < 5; i++) {
    index_item item = item_of(i, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, sizes[i]);
    assert_true(add(t->one, &item, NULL));
    expect_bytes(t->one, &item);
  }
  index_close(t->one);
  t->one = open_index(t);
  for (unsigned i = 0; i < 5; i++) {
    index_item item = item_of(i, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, sizes[i]);
    index_item found = find(t->one, &item.hash);
    assert_int_equal(found.number, i);
    assert_int_equal(found.size, sizes[i]);
    assert_int_equal(found.outcome, CQ_OUTCOME_KEPT);
    assert_true(cq_device_id_equal(&found.device, &laptop));
    expect_bytes(t->one, &found);
    expect_bytes(t->other, &found);
  }
}

static void reads_a_part(void **state) {
  two *t = *state;
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 5000);
  cq_buf wanted = bytes_of(&item), bytes = {0};
  add(t->one, &item, NULL);
  static const size_t parts[][3] = {{0, 10, 10}, {4000, 900, 900}, {4900, 500, 100}, {5000, 10, 0}, {9000, 1, 0}};
  for (size_t i = 0; i < 5; i++) {
    cq_buf_reset(&bytes);
    assert_int_equal(index_read(t->other, &item, parts[i][0], parts[i][1], &bytes, &error), CQ_OK);
    assert_int_equal(bytes.size, parts[i][2]);
    if (bytes.size) assert_memory_equal(bytes.at, wanted.at + parts[i][0], bytes.size);
  }
  cq_buf_fini(&bytes);
  cq_buf_fini(&wanted);
}

static void keeps_once(void **state) {
  two *t = *state;
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100), again = item;
  assert_true(add(t->one, &item, NULL));
  uint64_t sequence = find(t->one, &item.hash).sequence;
  again.outcome = CQ_OUTCOME_HELD_UNKNOWN;
  assert_false(add(t->other, &again, NULL));
  assert_int_equal(find(t->one, &item.hash).outcome, CQ_OUTCOME_KEPT);
  assert_int_equal(find(t->one, &item.hash).sequence, sequence);
  assert_int_equal(batches_after(t->one, 0, 9).count, 1);
}

static void a_rollback_leaves_nothing(void **state) {
  two *t = *state;
  bool fresh;
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100), found;
  cq_buf bytes = bytes_of(&item);
  assert_int_equal(index_put(t->one, &item, cq_buf_str(&bytes), &error), CQ_OK);
  assert_int_equal(index_begin(t->one, &error), CQ_OK);
  assert_int_equal(index_add(t->one, &item, cq_buf_str(&bytes), 1, &fresh, &error), CQ_OK);
  assert_int_equal(index_find(t->one, &item.hash, &found, &error), CQ_OK);
  assert_int_equal(index_find(t->other, &item.hash, &found, &error), CQ_NOTFOUND); /* nobody else sees it yet */
  index_rollback(t->one);
  assert_int_equal(index_find(t->one, &item.hash, &found, &error), CQ_NOTFOUND);
  assert_true(add(t->other, &item, NULL));
  cq_buf_fini(&bytes);
}

static void lists_in_the_order_of_arrival(void **state) {
  two *t = *state;
  for (unsigned i = 1; i <= 6; i++) {
    index_item item = item_of(i, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 10);
    add(i % 2 ? t->one : t->other, &item, i == 4 ? &laptop : NULL); /* 4 is a sheet: not for the desk */
  }
  index_item receipt = item_of(7, CQ_PARCEL_RECEIPT, CQ_OUTCOME_KEPT, &laptop, 10);
  add(t->one, &receipt, &laptop);
  numbers all = batches_after(t->one, 0, 9);
  static const uint64_t order[] = {1, 2, 3, 5, 6};
  assert_int_equal(all.count, 5);
  assert_memory_equal(all.at, order, sizeof order);
  for (size_t i = 1; i < all.count; i++) assert_true(all.sequence[i] > all.sequence[i - 1]);
  assert_int_equal(batches_after(t->other, all.sequence[2], 9).count, 2);
  assert_int_equal(batches_after(t->other, all.sequence[4], 9).count, 0);
  assert_int_equal(batches_after(t->other, all.sequence[0], 3).count, 3);
  assert_int_equal(batches_after(t->other, UINT64_MAX, 3).count, 0);
  numbers first = {.most = 2};
  assert_int_equal(index_batches_after(t->one, 0, 9, collect, &first, &error), CQ_OK);
  assert_int_equal(first.count, 2);
}

static void what_is_released_arrives_anew(void **state) {
  two *t = *state;
  index_item held = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_HELD_UNKNOWN, &stranger, 100);
  index_item other = item_of(2, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100);
  add(t->one, &held, NULL);
  add(t->one, &other, NULL);
  held = find(t->one, &held.hash);
  numbers n = {0};
  assert_int_equal(index_held_batches(t->other, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 1);
  assert_int_equal(index_release(t->one, &held, &error), CQ_OK);
  index_item kept = find(t->other, &held.hash);
  assert_int_equal(kept.outcome, CQ_OUTCOME_KEPT);
  assert_true(kept.sequence > find(t->one, &other.hash).sequence);
  expect_bytes(t->other, &kept);
  n.count = 0;
  assert_int_equal(index_held_batches(t->other, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 0);
  /* Another post that had seen it held releases it too: it does not arrive a third time. */
  (void)index_release(t->other, &held, NULL);
  assert_int_equal(find(t->one, &held.hash).sequence, kept.sequence);
  expect_bytes(t->one, &kept);
}

static void what_is_erased_stays_erased(void **state) {
  two *t = *state;
  index_item held = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_HELD_UNKNOWN, &stranger, 100);
  index_item later = item_of(2, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100);
  add(t->one, &held, NULL);
  held = find(t->one, &held.hash);
  assert_int_equal(index_erase(t->one, &held.hash, 1, &error), CQ_OK);
  assert_int_equal(index_erase(t->one, &later.hash, 1, &error), CQ_OK); /* has not come yet */
  for (int i = 0; i < 2; i++) {
    index_item erased = find(t->other, i ? &later.hash : &held.hash);
    assert_int_equal(erased.outcome, CQ_OUTCOME_ERASED);
    assert_string_equal(erased.path, "");
    uint64_t sequence = erased.sequence;
    assert_int_equal(index_erase(t->other, &erased.hash, 1, &error), CQ_OK);
    assert_int_equal(find(t->one, &erased.hash).sequence, sequence);
  }
  expect_no_bytes(t->other, &held);
  assert_false(add(t->one, &later, NULL));
  index_discard(t->one, &later);
  expect_no_bytes(t->other, &later);
  /* One that another post had seen held is not released any more. */
  (void)index_release(t->other, &held, NULL);
  assert_int_equal(find(t->one, &held.hash).outcome, CQ_OUTCOME_ERASED);
  expect_no_bytes(t->one, &held);
  assert_int_equal(batches_after(t->one, 0, 9).count, 0);
}

static void sums_what_is_held(void **state) {
  two *t = *state;
  index_held sums;
  for (unsigned i = 0; i < 4; i++) {
    index_item item = item_of(i, CQ_PARCEL_BATCH, i == 3 ? CQ_OUTCOME_KEPT : CQ_OUTCOME_HELD_UNKNOWN + i % 2,
                              i ? &stranger : &laptop, 100 + i);
    add(t->one, &item, NULL);
  }
  assert_int_equal(index_held_sums(t->other, &stranger, &sums, &error), CQ_OK);
  assert_int_equal(sums.batches, 3);
  assert_int_equal(sums.bytes, 303);
  assert_int_equal(sums.device_bytes, 203);
}

static void only_the_newest_bundle_is_news(void **state) {
  two *t = *state;
  index_item found;
  bool is;
  for (unsigned i = 9; i <= 11; i++) {
    index_item bundle = item_of(i, CQ_PARCEL_BUNDLE, CQ_OUTCOME_KEPT, &everybody, 100);
    add(t->one, &bundle, &everybody);
    assert_int_equal(index_newest_bundle(t->other, &found, &error), CQ_OK);
    assert_int_equal(found.number, i);
    expect_bytes(t->other, &found);
  }
  numbers n = {0};
  assert_int_equal(index_news_after(t->other, &everybody, 0, 9, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 1);
  assert_int_equal(n.at[0], 11);
  assert_int_equal(index_news_after(t->other, &everybody, n.sequence[0], 9, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 1);
  assert_int_equal(index_is_news(t->other, &found.hash, &is, &error), CQ_OK);
  assert_true(is);
  index_item old = item_of(10, CQ_PARCEL_BUNDLE, CQ_OUTCOME_KEPT, &everybody, 100);
  assert_int_equal(index_is_news(t->other, &old.hash, &is, &error), CQ_OK);
  assert_false(is);
}

static void news_are_for_a_device(void **state) {
  two *t = *state;
  for (unsigned i = 1; i <= 5; i++) {
    index_item item = item_of(i, CQ_PARCEL_RECEIPT, CQ_OUTCOME_KEPT, &laptop, 10);
    add(t->one, &item, i == 3 ? &stranger : &laptop);
  }
  numbers n = {0};
  assert_int_equal(index_news_after(t->other, &laptop, 0, 3, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 3);
  assert_int_equal(n.at[2], 4);
  assert_int_equal(index_news_after(t->other, &laptop, n.sequence[2], 3, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 4);
  assert_int_equal(n.at[3], 5);
}

static void a_newer_sheet_replaces_the_older(void **state) {
  two *t = *state;
  uint64_t newest;
  numbers n = {0};
  for (unsigned i = 4; i <= 6; i++) {
    index_item sheet = item_of(i, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &desk, 100);
    add(t->one, &sheet, &laptop);
  }
  assert_int_equal(index_newest_sheet(t->other, &laptop, &newest, &error), CQ_OK);
  assert_int_equal(newest, 6);
  assert_int_equal(index_older_sheets(t->other, &laptop, 6, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 2);
  n.count = 0;
  assert_int_equal(index_batches_of(t->other, &desk, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 3);
  cq_hash first = item_of(4, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &desk, 100).hash;
  index_item old = find(t->one, &first);
  assert_int_equal(index_replace(t->other, &old, &error), CQ_OK);
  assert_int_equal(find(t->one, &first).outcome, CQ_OUTCOME_STALE);
  expect_no_bytes(t->one, &old);
  n.count = 0;
  assert_int_equal(index_older_sheets(t->one, &laptop, 6, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 1);
}

static void lists_orders(void **state) {
  two *t = *state;
  numbers n = {0};
  for (unsigned i = 1; i <= 3; i++) {
    index_item item = item_of(i, i == 2 ? CQ_PARCEL_RECEIPT : CQ_PARCEL_ORDER, CQ_OUTCOME_KEPT, &everybody, 10);
    add(t->one, &item, &everybody);
  }
  assert_int_equal(index_orders(t->other, collect, &n, &error), CQ_OK);
  assert_int_equal(n.count, 2);
  assert_int_equal(n.at[1], 3);
}

/* --- several writers, and readers with cursors --- */
enum { WRITERS = 4, WRITTEN = 60 };

typedef struct writer {
  post_index *index;
  unsigned first;
  size_t fresh;
  pthread_t thread;
} writer;

static atomic_size_t writers_left;

static void *write_many(void *context) {
  writer *w = context;
  for (unsigned i = 0; i < WRITTEN; i++) {
    /* Every second one is brought by all writers. */
    index_item item = item_of(i % 2 ? w->first + i : 100000 + i, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 700);
    w->fresh += add(w->index, &item, NULL);
  }
  atomic_fetch_sub(&writers_left, 1);
  return NULL;
}

typedef struct seen {
  uint64_t cursor;
  size_t count;
} seen;

static bool note(void *context, const index_item *item) {
  seen *s = context;
  assert_true(item->sequence > s->cursor);
  s->cursor = item->sequence;
  s->count++;
  return true;
}

static void a_reader_misses_nothing(void **state) {
  two *t = *state;
  writer all[WRITERS];
  seen s = {0};
  size_t fresh = 0, looks = 0;
  atomic_store(&writers_left, WRITERS);
  for (unsigned i = 0; i < WRITERS; i++) {
    all[i] = (writer){.index = i % 2 ? t->one : t->other, .first = 1000 * i};
    pthread_create(&all[i].thread, NULL, write_many, &all[i]);
  }
  for (bool last = false; !last; looks++) {
    last = atomic_load(&writers_left) == 0; /* once more after the last */
    assert_int_equal(index_batches_after(t->one, s.cursor, 5, note, &s, &error), CQ_OK);
    if (last) assert_int_equal(index_batches_after(t->one, s.cursor, 100000, note, &s, &error), CQ_OK);
  }
  for (unsigned i = 0; i < WRITERS; i++) {
    pthread_join(all[i].thread, NULL);
    fresh += all[i].fresh;
  }
  assert_true(looks > 2);
  assert_int_equal(fresh, WRITTEN / 2 + WRITERS * WRITTEN / 2);
  assert_int_equal(s.count, fresh);
}

/* --- SQLite only: a home from before there was more than one engine --- */
static void an_older_home_goes_on(void **state) {
  two *t = *state;
  if (t->store[0]) skip();
  char path[300];
  sqlite3 *db = NULL;
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100);
  index_close(t->one);
  index_close(t->other);
  snprintf(path, sizeof path, "%s/post.db", t->home);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_exec(db,
                   "DROP TABLE arrival; CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                   "INSERT INTO setting VALUES('bundle', 'bundles/x');"
                   "INSERT INTO item VALUES(41, x'01', 2, 1, x'00', 3, 1, 'bundles/x', 1);"
                   "INSERT INTO news VALUES(57, x'00', x'01'); DELETE FROM news;",
                   NULL, NULL, NULL),
      SQLITE_OK);
  sqlite3_close(db);
  t->one = open_index(t);
  t->other = open_index(t);
  add(t->other, &item, NULL);
  assert_int_equal(find(t->one, &item.hash).sequence, 58);
  assert_int_equal(index_newest_bundle(t->one, &item, &error), CQ_OK);
  assert_int_equal(item.number, 3);
}

/* --- PostgreSQL only --- */
#define DROP_CONNECTIONS                                                                                               \
  "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'chasqui-central'"

static void a_broken_connection_comes_back(void **state) {
  two *t = *state;
  if (!t->store[0]) skip();
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100), found;
  cq_buf bytes = bytes_of(&item);
  bool fresh;
  add(t->one, &item, NULL);
  assert_true(world_sql(t->store, DROP_CONNECTIONS) >= 2);
  assert_int_equal(index_find(t->one, &item.hash, &found, &error), CQ_OK); /* a question is simply asked again */
  assert_true(world_sql(t->store, DROP_CONNECTIONS) >= 1);
  assert_int_equal(index_begin(t->one, &error), CQ_OK); /* as is a beginning */
  index_item second = item_of(2, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100);
  assert_int_equal(index_add(t->one, &second, cq_buf_str(&bytes), 1, &fresh, &error), CQ_OK);
  assert_true(world_sql(t->store, DROP_CONNECTIONS) >= 1);
  assert_int_equal(index_commit(t->one, &error), CQ_BUSY); /* but all of a transaction is lost */
  assert_string_equal(error.code, "post.store.away");
  assert_int_equal(index_find(t->one, &second.hash, &found, &error), CQ_NOTFOUND);
  assert_true(add(t->one, &second, NULL));
  cq_buf_fini(&bytes);
}

static void a_database_set_back_gives_no_old_sequence(void **state) {
  two *t = *state;
  if (!t->store[0]) skip();
  index_item item = item_of(1, CQ_PARCEL_BATCH, CQ_OUTCOME_KEPT, &laptop, 100);
  add(t->one, &item, NULL);
  uint64_t before = find(t->one, &item.hash).sequence;
  world_sql(t->store, "TRUNCATE item, news, content; UPDATE arrival SET last = 0"); /* the backup of an empty one */
  world_sql(t->store, DROP_CONNECTIONS);
  add(t->one, &item, NULL);
  assert_true(find(t->one, &item.hash).sequence > before);
}

static void the_address_holds_no_password(void **state) {
  (void)state;
  static const struct {
    const char *address, *code;
  } cases[] = {{"postgresql://post@db.example.org/chasqui", NULL},
               {"postgres:///?service=chasqui", NULL},
               {"postgresql://post:secreto@db.example.org/chasqui", "post.store.password"},
               {"postgresql://db.example.org/chasqui?password=secreto", "post.store.password"},
               {"postgresql://db.example.org/chasqui?sslpassword=secreto", "post.store.password"},
               {"postgresql://[db:secreto", "post.store.address"},
               {"host=db.example.org", "post.store.address"},
               {"mysql://db.example.org", "post.store.address"},
               {"", "post.store.address"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_status status = index_check_address(cases[i].address, &error);
    assert_int_equal(status == CQ_OK, cases[i].code == NULL);
    if (!status) continue;
    assert_string_equal(error.code, cases[i].code);
    assert_int_equal(error.argc, 0);
  }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      CASE(is_empty_at_first),
      CASE(keeps_what_it_was_given),
      CASE(reads_a_part),
      CASE(keeps_once),
      CASE(a_rollback_leaves_nothing),
      CASE(lists_in_the_order_of_arrival),
      CASE(what_is_released_arrives_anew),
      CASE(what_is_erased_stays_erased),
      CASE(sums_what_is_held),
      CASE(only_the_newest_bundle_is_news),
      CASE(news_are_for_a_device),
      CASE(a_newer_sheet_replaces_the_older),
      CASE(lists_orders),
      CASE(a_reader_misses_nothing),
      CASE(an_older_home_goes_on),
      CASE(a_broken_connection_comes_back),
      CASE(a_database_set_back_gives_no_old_sequence),
      cmocka_unit_test(the_address_holds_no_password),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
