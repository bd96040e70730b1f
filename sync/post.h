/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to a post: exchanges whose answers are believed, downloads, and what is new. */
#ifndef SYNC_POST_H
#define SYNC_POST_H

#include "chasqui/protocol.h"
#include "sync/admit.h"
#include "sync/home.h"
#include "sync/http.h"

typedef struct post_talk {
  courier *courier;
  remote remote;
  http_line *line;
  const cq_random *random;
  const cq_clock *clock;
  uint32_t inline_bytes; /* of news wanted within answers */
  /* of the last answer */
  cq_ask ask;
  cq_buf ask_bytes;
  http_answer http;
  cq_answer answer;
  cq_sign_key post_key; /* of the post that was believed last */
  /* what was brought home */
  size_t news_count, receipt_count;
  int64_t offset_ms; /* our clock minus the post's */
} post_talk;

cq_status post_talk_open(post_talk *t, courier *c, const remote *r, const http_settings *settings, cq_error *error);
void post_talk_close(post_talk *t);

/* What one exchange says. */
typedef struct post_words {
  const cq_device_id *devices; /* whose news is wanted */
  size_t device_count;
  const cq_hash *asked;
  size_t asked_count;
  const cq_str *carried;
  size_t carried_count;
} post_words;

/*
 * One exchange; t->answer is believed when it answers CQ_OK. Errors: those of http_run and cq_answer_check;
 * sync.post.refused (arguments: host, the post's code), sync.post.strange (host: something that is no post answered),
 * sync.post.busy (CQ_BUSY).
 */
cq_status post_exchange(post_talk *t, const post_words *words, cq_error *error);

/*
 * Verifies and stores the receipts and news of the last answer, fetches what did not come within it, and moves the
 * cursors. `each` gets every verified receipt. Afterwards t->answer is no longer there to be read.
 */
typedef void (*post_each_receipt)(void *context, const cq_receipt *receipt);
cq_status post_bring_home(post_talk *t, post_each_receipt each, void *context, cq_error *error);

/*
 * A whole item by its hash, below `path` ("/v1/items/"), going on where a download broke off; begun anew where what
 * came is not what was announced: sync.item.hash after some tries. `headers` as in http_request.
 */
cq_status post_download(post_talk *t, const char *path, const cq_hash *hash, const char *const *headers, uint64_t size,
                        cq_buf *out, cq_error *error);

/* sync.post.* for an answer whose status is not what was hoped for. */
cq_status post_refusal(const post_talk *t, cq_error *error);

#endif
