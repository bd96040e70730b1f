/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The post's store: what is held, for whom and since when, and the sealed
 * bytes. Nothing in it is secret. One interface over two engines:
 *
 *   SQLite       post.db in the home; the bytes are files beside it
 *   PostgreSQL   rows, the bytes among them, for any number of posts at once
 *
 * Any thread may call. A store that is away for a moment answers CQ_BUSY, and
 * works again by itself.
 */
#ifndef CENTRAL_INBOX_INDEX_H
#define CENTRAL_INBOX_INDEX_H

#include "chasqui/keys.h"
#include "chasqui/outbox.h"
#include "chasqui/protocol.h"

typedef struct post_index post_index;

typedef struct index_item {
  uint64_t sequence; /* in the order of arrival; filled in by the index */
  cq_hash hash;
  cq_parcel_kind kind;
  cq_outcome outcome; /* kept, held_unknown, held_revoked, erased, stale */
  cq_device_id device;
  uint64_t number;
  uint64_t size;
  char path[160]; /* its file within the home, also where a database has the bytes; empty: they are gone */
} index_item;

/*
 * `store` NULL: SQLite, else the address of a PostgreSQL database, "postgresql://…" (index_is_address).
 * Errors, each with the file or address and what the engine says: post.index, post.store.fault, and CQ_BUSY
 * post.store.away (no connection).
 */
cq_status index_open(post_index **index, const char *home, const char *store, cq_error *error);
void index_close(post_index *index); /* NULL is fine */
/* Errors: post.store.address (no address), post.store.password (one with a password, which is not repeated). */
cq_status index_check_address(const char *store, cq_error *error);

/* CQ_NOTFOUND without an error where the hash is not known. */
cq_status index_find(post_index *index, const cq_hash *hash, index_item *item, cq_error *error);
/* The bundle of the highest number. CQ_NOTFOUND without an error where there is none. */
cq_status index_newest_bundle(post_index *index, index_item *item, cq_error *error);

/* Bytes that are to be added: durable where they are files, but for their names. Fills in item->path. Errors: io.*,
 * post.item.name (CQ_REFUSED). */
cq_status index_put(post_index *index, index_item *item, cq_str bytes, cq_error *error);
/* Makes the name of what was put durable; `last` (empty at first) spares doing so twice for one folder. */
cq_status index_settle(post_index *index, const index_item *item, cq_buf *last, cq_error *error);
/* What was put and is not to be added after all. */
void index_discard(post_index *index, const index_item *item);
/* Bytes free where `put` writes; -1 where that is not known. */
int64_t index_free_bytes(const post_index *index);

/*
 * One transaction, and the only one of all posts before this store; durable when begin … commit has answered CQ_OK.
 * index_add and index_add_news between them, from the same thread. What it reads meanwhile nobody else changes. Commits
 * become visible in the order of their sequences: a reader never misses a row below one that it has seen.
 */
cq_status index_begin(post_index *index, cq_error *error);
cq_status index_commit(post_index *index, cq_error *error);
void index_rollback(post_index *index);
/* What index_put was given. *fresh false: that hash was there already, nothing changed. */
cq_status index_add(post_index *index, const index_item *item, cq_str bytes, int64_t now_utc_ms, bool *fresh,
                    cq_error *error);
/* News for a device (zero: for all). Of bundles the older news go. */
cq_status index_add_news(post_index *index, const index_item *item, const cq_device_id *device, cq_error *error);

/* Outside of a transaction, each durable when it answers. A held item is kept from now on, and arrives anew. */
cq_status index_release(post_index *index, const index_item *held, cq_error *error);
/* A kept item whose bytes go because a newer one took its place. */
cq_status index_replace(post_index *index, const index_item *item, cq_error *error);
/* The bytes go, the name stays; where it is not known, it is known to be erased when it comes. Repeating does no harm.
 */
cq_status index_erase(post_index *index, const cq_hash *hash, int64_t now_utc_ms, cq_error *error);

/* Appends at most `size` bytes of an item from an offset: as many as there are. CQ_NOTFOUND: they are gone. */
cq_status index_read(post_index *index, const index_item *item, uint64_t offset, size_t size, cq_buf *bytes,
                     cq_error *error);

/* What is held apart: in all, and of one device. */
typedef struct index_held {
  uint64_t batches, bytes, device_bytes;
} index_held;
cq_status index_held_sums(post_index *index, const cq_device_id *device, index_held *sums, cq_error *error);

/* Calls `each` for rows in order until it answers false; it must not use the index. */
typedef bool (*index_each)(void *context, const index_item *item);
cq_status index_batches_after(post_index *index, uint64_t sequence, size_t most, index_each each, void *context,
                              cq_error *error);
cq_status index_held_batches(post_index *index, index_each each, void *context, cq_error *error);
cq_status index_orders(post_index *index, index_each each, void *context, cq_error *error);
cq_status index_news_after(post_index *index, const cq_device_id *device, uint64_t sequence, size_t most,
                           index_each each, void *context, cq_error *error);
/* Contact sheets, which are batches of the desk to one device: the highest number for this device (0: none), and those
 * below a number that are still kept. */
cq_status index_newest_sheet(post_index *index, const cq_device_id *device, uint64_t *number, cq_error *error);
cq_status index_older_sheets(post_index *index, const cq_device_id *device, uint64_t number, index_each each,
                             void *context, cq_error *error);
/* Batches that this device (or desk) signed, and that are kept. */
cq_status index_batches_of(post_index *index, const cq_device_id *device, index_each each, void *context,
                           cq_error *error);
/* Whether this item may be given to anybody who knows its hash: it is news for somebody. */
cq_status index_is_news(post_index *index, const cq_hash *hash, bool *is, cq_error *error);

#endif
