/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/exchange.h"
#include "chasqui/receipt.h"

#include <stdlib.h>
#include <string.h>

enum {
  INLINE_MOST = 1 << 20, /* bytes of news within one answer */
};

typedef struct news_list {
  index_item *items;
  cq_device_id *devices;
  size_t count;
  bool more, failed;
  cq_device_id device;
} news_list;

/* What one answer is made of. */
typedef struct work {
  post *p;
  cq_ask ask;
  index_item *found; /* of all asked, then all carried */
  cq_outcome *outcomes;
  size_t count;
  news_list news;
  cq_buf receipts;
  uint16_t receipt_count;
} work;

static void work_fini(work *w) {
  free(w->found);
  free(w->outcomes);
  free(w->news.items);
  free(w->news.devices);
  cq_buf_fini(&w->receipts);
}

static int64_t now(const post *p) {
  const cq_clock *clock = post_settings_of(p)->clock;
  return clock->now_utc_ms(clock->context);
}

static cq_status take_items(work *w, cq_error *error) {
  size_t asked = w->ask.asked_count, offset = 0;
  w->count = asked + w->ask.carried_count;
  w->found = calloc(w->count + 1, sizeof *w->found);
  w->outcomes = calloc(w->count + 1, sizeof *w->outcomes);
  if (!w->found || !w->outcomes) return cq_error_nomem(error);
  cq_str carried[CQ_PROTOCOL_MAX_CARRIED];
  for (size_t i = 0; i < w->ask.carried_count; i++) carried[i] = cq_ask_item(&w->ask, &offset);
  cq_status status = post_take(w->p, carried, w->ask.carried_count, w->found + asked, error);
  if (status) return status;
  for (size_t i = asked; i < w->count; i++) w->outcomes[i] = w->found[i].outcome;
  for (size_t i = 0; i < asked; i++) {
    cq_hash hash = cq_ask_hash(&w->ask, i);
    status = index_find(post_index_of(w->p), &hash, &w->found[i], error);
    if (status == CQ_OK) {
      w->outcomes[i] = w->found[i].outcome == CQ_OUTCOME_KEPT ? CQ_OUTCOME_ALREADY : w->found[i].outcome;
    } else if (status != CQ_NOTFOUND) {
      return status;
    }
  }
  return CQ_OK;
}

/* --- receipts: one for each device of the ask, in pieces of what a receipt may hold --- */
static bool wants_receipt(const work *w, size_t i) {
  return w->found[i].kind == CQ_PARCEL_BATCH &&
         (cq_outcome_is_kept(w->outcomes[i]) || cq_outcome_is_held(w->outcomes[i]));
}

static cq_status write_receipt(work *w, const cq_receipt *receipt, const cq_chain *chain, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = cq_receipt_write(&bytes, receipt, chain, post_sign_of(w->p), error);
  if (!status) {
    cq_answer_put_receipt(&w->receipts, cq_buf_str(&bytes));
    w->receipt_count++;
  }
  cq_buf_fini(&bytes);
  return status;
}

static uint8_t reason_of(cq_outcome outcome) {
  if (outcome == CQ_OUTCOME_HELD_UNKNOWN) return CQ_REASON_UNKNOWN;
  return outcome == CQ_OUTCOME_HELD_REVOKED ? CQ_REASON_REVOKED : CQ_REASON_NONE;
}

static cq_status make_receipts(work *w, const cq_chain *chain, cq_error *error) {
  cq_receipt *receipt = malloc(sizeof *receipt);
  bool *done = calloc(w->count + 1, sizeof *done);
  cq_status status = receipt && done ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; i < w->count && !status; i++) {
    if (done[i] || !wants_receipt(w, i)) continue;
    *receipt = (cq_receipt){.mode = w->ask.mode,
                            .programme = w->ask.programme,
                            .device = w->found[i].device,
                            .made_utc_ms = now(w->p),
                            .signer = CQ_ROLE_POST};
    for (size_t k = i; k < w->count && receipt->count < CQ_RECEIPT_MAX_BATCHES; k++) {
      if (done[k] || !wants_receipt(w, k) || !cq_device_id_equal(&w->found[k].device, &receipt->device)) continue;
      done[k] = true;
      receipt->batches[receipt->count++] =
          (cq_receipt_batch){.number = w->found[k].number,
                             .hash = w->found[k].hash,
                             .state = cq_outcome_is_held(w->outcomes[k]) ? CQ_RECEIPT_HELD : CQ_RECEIPT_KEPT,
                             .reason = reason_of(w->outcomes[k])};
    }
    status = write_receipt(w, receipt, chain, error);
  }
  free(receipt);
  free(done);
  return status;
}

/* --- news --- */
static bool collect_news(void *context, const index_item *item) {
  news_list *list = context;
  if (list->count == CQ_PROTOCOL_MAX_NEWS) {
    list->more = true;
    return false;
  }
  index_item *items = realloc(list->items, (list->count + 1) * sizeof *items);
  if (items) list->items = items;
  cq_device_id *devices = realloc(list->devices, (list->count + 1) * sizeof *devices);
  if (devices) list->devices = devices;
  if (!items || !devices) {
    list->failed = true;
    return false;
  }
  list->devices[list->count] = list->device;
  list->items[list->count++] = *item;
  return true;
}

static cq_status collect_all_news(work *w, cq_error *error) {
  for (size_t i = 0; i < w->ask.device_count; i++) {
    uint64_t cursor;
    w->news.device = cq_ask_device(&w->ask, i, &cursor);
    if (cursor > INT64_MAX) cursor = INT64_MAX;
    cq_status status = index_news_after(post_index_of(w->p), &w->news.device, cursor, CQ_PROTOCOL_MAX_NEWS + 1,
                                        collect_news, &w->news, error);
    if (status) return status;
    if (w->news.failed) return cq_error_nomem(error);
  }
  return CQ_OK;
}

/* One row of news, its bytes with it where they fit into what the courier wants at once. */
static void put_news(work *w, const index_item *item, const cq_device_id *device, size_t *room, cq_buf *answer) {
  cq_buf bytes = {0};
  cq_news news = {.sequence = item->sequence,
                  .kind = (uint8_t)item->kind,
                  .device = *device,
                  .hash = item->hash,
                  .size = item->size};
  if (item->size <= *room && index_read(post_index_of(w->p), item, 0, (size_t)item->size, &bytes, NULL) == CQ_OK &&
      bytes.size == item->size) {
    news.has_inline = true;
    news.bytes = cq_buf_str(&bytes);
    *room -= bytes.size;
  }
  cq_answer_put_news(answer, &news);
  cq_buf_fini(&bytes);
}

static cq_status put_answer(work *w, cq_str ask, const cq_chain *chain, cq_buf *answer, cq_error *error) {
  const post_settings *settings = post_settings_of(w->p);
  cq_answer head = {.mode = w->ask.mode,
                    .more = w->news.more,
                    .programme = w->ask.programme,
                    .now_utc_ms = now(w->p),
                    .chain = *chain,
                    .asked_count = w->ask.asked_count,
                    .carried_count = w->ask.carried_count,
                    .receipt_count = w->receipt_count,
                    .news_count = (uint16_t)w->news.count};
  memcpy(head.nonce, w->ask.nonce, sizeof head.nonce);
  cq_challenge_make(head.challenge, head.now_utc_ms, settings->random, post_sign_of(w->p));
  cq_answer_put_head(answer, &head);
  for (size_t i = 0; i < w->count; i++) cq_answer_put_outcome(answer, w->outcomes[i]);
  cq_buf_add_str(answer, cq_buf_str(&w->receipts));
  size_t room = w->ask.inline_bytes < INLINE_MOST ? w->ask.inline_bytes : INLINE_MOST;
  for (size_t i = 0; i < w->news.count; i++) {
    put_news(w, &w->news.items[i], &w->news.devices[i], &room, answer);
  }
  answer->failed |= w->receipts.failed;
  return cq_answer_sign(answer, ask, post_sign_of(w->p), error);
}

cq_status exchange_answer(post *p, cq_str ask, cq_buf *answer, cq_error *error) {
  work w = {.p = p};
  cq_chain chain = {0};
  cq_status status = cq_ask_parse(&w.ask, ask, error);
  if (status) return status;
  post_look(p);
  const cq_bundle *bundle = post_bundle_lock(p);
  const cq_trust *trust = cq_bundle_trust(bundle);
  const cq_chain *ours = post_chain_in(p, bundle);
  if (ours) chain = *ours;
  bool other = trust->mode != w.ask.mode || !cq_programme_id_equal(&trust->programme, &w.ask.programme);
  post_bundle_unlock(p);
  if (other) return cq_error_set(error, CQ_REFUSED, "post.programme.other", NULL);
  if (!ours) return cq_error_set(error, CQ_REFUSED, "post.bundle.post", NULL);
  status = take_items(&w, error);
  if (!status) status = make_receipts(&w, &chain, error);
  if (!status) status = collect_all_news(&w, error);
  if (!status) status = put_answer(&w, ask, &chain, answer, error);
  work_fini(&w);
  return status;
}
