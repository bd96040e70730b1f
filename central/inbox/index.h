/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The post's index: what is held, for whom, and since when. A plain SQLite
 * file beside the batches; nothing in it is secret. Any thread may call; calls
 * take turns. It holds nothing that the files do not say, but for the order of
 * arrival.
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
  cq_outcome outcome; /* kept, held_unknown, held_revoked, erased */
  cq_device_id device;
  uint64_t number;
  uint64_t size;
  char path[160]; /* within the home */
} index_item;

/* Errors: post.index (arguments: the file, what SQLite says). */
cq_status index_open(post_index **index, const char *path, cq_error *error);
void index_close(post_index *index); /* NULL is fine */

/* The settings that are not in a file: "bundle", the path of the current one. CQ_NOTFOUND without an error. */
cq_status index_setting(post_index *index, const char *key, cq_buf *value, cq_error *error);
cq_status index_set(post_index *index, const char *key, const char *value, cq_error *error);

/* CQ_NOTFOUND without an error where the hash is not known. */
cq_status index_find(post_index *index, const cq_hash *hash, index_item *item, cq_error *error);

/* One transaction, durable when begin … commit has answered CQ_OK; index_add between them from the same thread. */
cq_status index_begin(post_index *index, cq_error *error);
cq_status index_commit(post_index *index, cq_error *error);
void index_rollback(post_index *index);
/* *fresh false: that hash was there already, nothing changed. */
cq_status index_add(post_index *index, const index_item *item, int64_t now_utc_ms, bool *fresh, cq_error *error);
/* News for a device (zero: for all). Of bundles the older news go. */
cq_status index_add_news(post_index *index, const index_item *item, const cq_device_id *device, cq_error *error);
/* A held item is kept from now on, at another path, and arrives anew; or an item was erased or replaced (path ""). */
cq_status index_change(post_index *index, const cq_hash *hash, cq_outcome outcome, const char *path, cq_error *error);

/* What is held apart: in all, and of one device. */
typedef struct index_held {
  uint64_t batches, bytes, device_bytes;
} index_held;
cq_status index_held_sums(post_index *index, const cq_device_id *device, index_held *sums, cq_error *error);

/* Calls `each` for rows in order until it answers false; the index is locked meanwhile. */
typedef bool (*index_each)(void *context, const index_item *item);
cq_status index_batches_after(post_index *index, uint64_t sequence, index_each each, void *context, cq_error *error);
cq_status index_held_batches(post_index *index, index_each each, void *context, cq_error *error);
cq_status index_news_after(post_index *index, const cq_device_id *device, uint64_t sequence, index_each each,
                           void *context, cq_error *error);
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
