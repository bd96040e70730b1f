/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A post's home, open: its receipt key, the programme's bundle that it
 * believes, its index, and how an item comes to stay. Any thread may call.
 *
 *   post.key      the receipt key's secret, mode 0600
 *   post.request  what the desk certifies
 *   post.store    the address of the database, where the store is one; else the store is:
 *   post.db       the index
 *   bundles/      the pinned bundle and its successors
 *   batches/      DEVICE/DEVICE-NUMBER-HASH8.chq, sealed
 *   held/         the same, of devices without a certificate or revoked
 *   items/        what the desk put up for devices: receipts, certificates, orders
 *   uploads/      parts of large items that are still coming
 */
#ifndef CENTRAL_INBOX_POST_H
#define CENTRAL_INBOX_POST_H

#include "central/inbox/index.h"
#include "chasqui/bundle.h"
#include "chasqui/log.h"
#include "chasqui/protocol.h"

enum {
  POST_HELD_BATCHES = 4096,
  POST_HELD_BYTES = 512 << 20,
  POST_HELD_DEVICE_BYTES = 64 << 20,
  POST_SPARE_BYTES = 64 << 20 /* on the disk: below this the post takes nothing more */
};

typedef struct post post;

/* What a post is made of; borrowed until post_close. */
typedef struct post_settings {
  const char *home;
  const char *store; /* of post_make: where the store is to be; NULL: as it is, else in the home */
  const cq_clock *clock;
  const cq_random *random;
  cq_log *log; /* may be NULL */
} post_settings;

/* `post init` without a bundle: makes what is not there yet. *key: the receipt key. Errors: those of index_open;
 * post.store.begun (this home keeps its batches itself already). */
cq_status post_make(const post_settings *settings, cq_sign_key *key, cq_error *error);
/* `post init BUNDLE`. Errors: post.bundle.post (it does not certify this post's key), bundle.*; with a bundle pinned
 * already, those of cq_bundle_succeeds. */
cq_status post_pin(const post_settings *settings, cq_str bundle, cq_error *error);

/* Errors: post.home (not a post's home), post.unpinned (no bundle yet), post.index. */
cq_status post_open(post **out, const post_settings *settings, cq_error *error);
void post_close(post *p); /* NULL is fine */

const post_settings *post_settings_of(const post *p);
post_index *post_index_of(post *p);
const cq_secret *post_sign_of(const post *p);

/* Once a second at most: believes a newer bundle where another post before this store took one, and does what could not
 * be done before. At the beginning of every request. */
void post_look(post *p);

/* The trust of the moment, to be given back soon. */
const cq_bundle *post_bundle_lock(post *p);
void post_bundle_unlock(post *p);
/* The post's certificate in that bundle; NULL: it was revoked or taken out. */
const cq_chain *post_chain_in(const post *p, const cq_bundle *bundle);

/*
 * Judges items and keeps those that may be kept, durably, in one transaction. `items` gets what is now known of each
 * (kind, device, number, hash) and its outcome: ALREADY where it was there before; what could not be written is
 * LATER_FULL, and the log says why. CQ_NOMEM is the only failure.
 */
cq_status post_take(post *p, const cq_str *bytes, size_t count, index_item *items, cq_error *error);

/* "<home>/<path>" */
cq_status post_path(const post *p, const char *path, cq_buf *out, cq_error *error);

#endif
