/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small programme for tests of courier and post: its keys, a desk, a post
 * and laptops, each in a folder of its own below one that is made anew.
 * Nothing here is random but what `seed` says.
 */
#ifndef TESTS_SYNC_WORLD_H
#define TESTS_SYNC_WORLD_H

#include "central/inbox/post.h"
#include "chasqui/batch.h"
#include "chasqui/bundle.h"
#include "chasqui/receipt.h"

enum { WORLD_LAPTOPS = 4 };

typedef struct world_laptop {
  char home[256];
  cq_sign_key sign_key;
  cq_secret *sign;
  cq_seal_key seal_key;
  cq_device_id id;
  cq_chain chain;
  bool is_certified; /* in its own batches and in the bundle */
  uint64_t number;   /* of the last batch */
  cq_hash previous;
} world_laptop;

typedef struct world {
  char root[200];
  cq_mode mode;
  cq_random random;
  uint64_t seed;
  cq_sign_key programme_key, desk_key;
  cq_secret *programme, *desk, *desk_seal;
  cq_seal_key desk_seal_key, recovery_key;
  cq_programme_id id;
  cq_chain desk_chain, post_chain;
  char post_home[256], desk_home[256];
  char store[300]; /* the post's, where CHASQUI_TEST_POSTGRES says so (tests/sync/with_postgres); else empty */
  post_settings post;
  world_laptop laptop[WORLD_LAPTOPS];
  uint64_t bundle_number;
  cq_buf bundle; /* bytes of the newest */
  cq_batch_codec *codec;
  cq_revocation revocation;
  bool has_revocation;
} world;

/* Laptops 0 and 1 are certified, 2 and 3 are not. The post is pinned to bundle 1. `name` names the folder. */
void world_open(world *w, const char *name, cq_mode mode, uint64_t seed);
void world_close(world *w); /* the folder stays for whoever looks why a test failed */

/* Writes bundle number + 1 into w->bundle as programme.chp into every laptop's outbox, and into the desk's. */
void world_publish(world *w);
/* The next batch of a laptop: `payload` bytes that do not compress; into its outbox, and `out` (may be NULL). */
cq_hash world_batch(world *w, size_t laptop, size_t payload, cq_buf *out);
/* The desk's signed "opened" for a batch, into the desk's outbox and `out` (may be NULL). */
void world_opened(world *w, size_t laptop, uint64_t number, const cq_hash *hash, cq_buf *out);
void world_pass(world *w); /* desk.pass */

/* Another post before the same store and with the same key, as several machines behind one address are. */
void world_second_post(world *w, char home[256], post_settings *settings);
/* The address of a database without tables; false: tests run over SQLite. */
bool world_store(char store[300]);
/* One statement at that server, by itself; answers the first column of its first row as a number. */
long world_sql(const char *store, const char *sql);

/* Removes a folder with all in it. */
void world_remove(const char *folder);
/* Files of a folder that have this ending. */
size_t world_count(const char *folder, const char *ending);

#endif
