/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INLINE_AT_FIRST = 16 << 10, DOWNLOAD_TRIES = 5, DOWNLOADS_DAMAGED = 3, CLOCK_RIGHT_MINUTES = 60 };

cq_status post_talk_open(post_talk *t, courier *c, const remote *r, const http_settings *settings, cq_error *error) {
  memset(t, 0, sizeof *t);
  t->courier = c;
  t->remote = *r;
  t->random = &cq_random_system;
  t->clock = &cq_clock_system;
  t->inline_bytes = INLINE_AT_FIRST;
  http_settings s = *settings;
  s.base = r->url;
  s.ca_file = r->ca;
  t->line = http_open(&s);
  return t->line ? CQ_OK : cq_error_nomem(error);
}

void post_talk_close(post_talk *t) {
  http_close(t->line);
  http_answer_fini(&t->http);
  cq_buf_fini(&t->ask_bytes);
  t->line = NULL;
}

cq_status post_refusal(const post_talk *t, cq_error *error) {
  char status[16];
  snprintf(status, sizeof status, "%d", t->http.status);
  /* 423: another courier is sending the same upload */
  if (t->http.status == 503 || t->http.status == 423)
    return cq_error_set(error, CQ_BUSY, "sync.post.busy", t->remote.url, NULL);
  if (t->http.code[0]) {
    return cq_error_set(error, CQ_REFUSED, "sync.post.refused", t->remote.url, t->http.code, NULL);
  }
  return cq_error_set(error, CQ_IO, "sync.post.strange", t->remote.url, status, NULL);
}

static cq_status write_ask(post_talk *t, const post_words *words, cq_error *error) {
  const cq_trust *trust;
  cq_status status = courier_trust(t->courier, &trust, error);
  if (status) return status;
  t->ask = (cq_ask){.mode = trust->mode,
                    .programme = trust->programme,
                    .inline_bytes = t->inline_bytes,
                    .device_count = (uint16_t)words->device_count,
                    .asked_count = (uint16_t)words->asked_count,
                    .carried_count = (uint16_t)words->carried_count};
  t->random->fill(t->random->context, t->ask.nonce, sizeof t->ask.nonce);
  cq_buf_reset(&t->ask_bytes);
  cq_ask_put_head(&t->ask_bytes, &t->ask);
  for (size_t i = 0; i < words->device_count; i++) {
    char hex[33];
    cq_device_id_hex(&words->devices[i], hex);
    cq_ask_put_device(&t->ask_bytes, &words->devices[i], courier_cursor(t->courier, t->remote.url, hex));
  }
  for (size_t i = 0; i < words->asked_count; i++) cq_ask_put_hash(&t->ask_bytes, &words->asked[i]);
  for (size_t i = 0; i < words->carried_count; i++) cq_ask_put_item(&t->ask_bytes, words->carried[i]);
  return t->ask_bytes.failed ? cq_error_nomem(error) : CQ_OK;
}

/* Something answered, but not a post: an error of form is told as that, whatever exactly was wrong with it. */
static cq_status strange(const post_talk *t, const cq_error *why, cq_error *error) {
  return cq_error_set(error, CQ_IO, "sync.post.strange", t->remote.url, why->code, NULL);
}

static cq_status exchange_once(post_talk *t, const post_words *words, bool unverified, cq_error *error) {
  static const char *const headers[] = {"Content-Type: " CQ_PROTOCOL_TYPE, "Accept:", NULL};
  const cq_trust *trust;
  cq_status status = write_ask(t, words, error);
  if (!status) status = courier_trust(t->courier, &trust, error);
  if (status) return status;
  http_request request = {.method = "POST",
                          .path = "/v1/exchange",
                          .headers = headers,
                          .has_body = true,
                          .body = cq_buf_str(&t->ask_bytes),
                          .limit = CQ_PROTOCOL_MAX_EXCHANGE,
                          .unverified = unverified};
  int64_t before = t->clock->now_utc_ms(t->clock->context);
  status = http_run(t->line, &request, &t->http, error);
  if (status) return status;
  int64_t after = t->clock->now_utc_ms(t->clock->context);
  if (t->http.status != 200) return post_refusal(t, error);
  cq_error why;
  cq_error_clear(&why);
  status = cq_answer_parse(&t->answer, cq_buf_str(&t->http.body), &why);
  if (status == CQ_FUTURE) {
    if (error) *error = why;
    return status;
  }
  if (status) return strange(t, &why, error);
  status = cq_answer_check(&t->answer, &t->ask, cq_buf_str(&t->ask_bytes), trust, &t->post_key, error);
  if (status) return status;
  t->offset_ms = before + (after - before) / 2 - t->answer.now_utc_ms;
  return CQ_OK;
}

/*
 * TLS says that the certificate is not valid now. Whose clock is wrong? The hello of the post is signed by itself, so
 * it may be asked without TLS's word, saying nothing but a nonce; only its time is used.
 */
static cq_status tell_clock(post_talk *t, cq_error *error) {
  const post_words nothing = {0};
  cq_error ignored;
  cq_error_clear(&ignored);
  if (exchange_once(t, &nothing, true, &ignored) != CQ_OK) return error->status;
  int64_t minutes = t->offset_ms / 60000;
  if (minutes > -CLOCK_RIGHT_MINUTES && minutes < CLOCK_RIGHT_MINUTES) return error->status;
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)minutes);
  courier_note(t->courier, t->remote.url, "offset_ms", (double)t->offset_ms);
  return cq_error_set(error, CQ_IO, "sync.net.tls.clock", t->remote.url, text, NULL);
}

cq_status post_exchange(post_talk *t, const post_words *words, cq_error *error) {
  cq_status status = exchange_once(t, words, false, error);
  bool date = status == CQ_IO && error && strcmp(error->code, "sync.net.tls.date") == 0;
  return date ? tell_clock(t, error) : status;
}

/* --- downloads --- */
static int into_buffer(void *context, const char *bytes, size_t size) {
  cq_buf *out = context;
  cq_buf_add(out, bytes, size);
  return out->failed || out->size > CQ_PROTOCOL_MAX_ITEM;
}

static cq_status download_once(post_talk *t, const char *path, const char *const *headers, uint64_t size, cq_buf *out,
                               cq_error *error) {
  const char *all[8] = {0};
  char range[64];
  size_t count = 0;
  cq_status status = CQ_IO;
  while (headers && headers[count] && count < 6) {
    all[count] = headers[count];
    count++;
  }
  all[count] = range;
  cq_buf_reset(out);
  for (int tries = 0; tries < DOWNLOAD_TRIES && out->size < size; tries++) {
    snprintf(range, sizeof range, out->size ? "Range: bytes=%zu-" : "Accept:", out->size);
    size_t before = out->size;
    http_request request = {
        .method = "GET", .path = path, .headers = all, .limit = 4096, .sink = into_buffer, .context = out};
    status = http_run(t->line, &request, &t->http, error);
    if (status == CQ_OK && t->http.status != (before ? 206 : 200)) return post_refusal(t, error);
    if (status == CQ_CANCELLED || status == CQ_NOMEM) return status;
    if (out->size > before) tries = 0;
  }
  if (out->size == size) return CQ_OK;
  return status ? status : cq_error_set(error, CQ_DAMAGED, "sync.item.hash", NULL);
}

cq_status post_download(post_talk *t, const char *path, const cq_hash *hash, const char *const *headers, uint64_t size,
                        cq_buf *out, cq_error *error) {
  char full[128], hex[65];
  snprintf(full, sizeof full, "%s%s", path, cq_hash_hex(hash, hex));
  for (int tries = 0; tries < DOWNLOADS_DAMAGED; tries++) {
    cq_status status = download_once(t, full, headers, size, out, error);
    if (status) return status;
    cq_hash whole = cq_hash_of(out->at, out->size);
    if (cq_hash_equal(&whole, hash)) return CQ_OK;
  }
  return cq_error_set(error, CQ_DAMAGED, "sync.item.hash", NULL);
}

/* --- what comes home --- */
static cq_status bring_receipts(post_talk *t, post_each_receipt each, void *context, cq_error *error) {
  size_t offset = 0;
  admitted stored;
  cq_status status = CQ_OK;
  cq_receipt *receipt = malloc(sizeof *receipt);
  if (!receipt) return cq_error_nomem(error);
  for (size_t i = 0; i < t->answer.receipt_count && !status; i++) {
    status = admit_receipt(t->courier, cq_answer_receipt(&t->answer, &offset), receipt, &stored, error);
    if (status) break;
    t->receipt_count++;
    if (each) each(context, receipt);
  }
  free(receipt);
  return status;
}

static cq_status bring_one(post_talk *t, const cq_news *news, cq_error *error) {
  cq_buf bytes = {0};
  admitted stored;
  cq_status status = CQ_OK;
  cq_hash ours = cq_bundle_hash(t->courier->bundle);
  if (news->kind == CQ_PARCEL_BUNDLE && cq_hash_equal(&ours, &news->hash)) return CQ_OK;
  if (news->has_inline) {
    cq_buf_add_str(&bytes, news->bytes);
    if (bytes.failed) status = cq_error_nomem(error);
  } else {
    status = post_download(t, "/v1/items/", &news->hash, NULL, news->size, &bytes, error);
  }
  if (!status) status = admit(t->courier, cq_buf_str(&bytes), &news->hash, &stored, error);
  if (!status && stored.fresh) t->news_count++;
  cq_buf_fini(&bytes);
  return status;
}

/* The bytes of the answer are needed while further requests overwrite t->http: they are taken out of it. */
static cq_status bring_news(post_talk *t, cq_error *error) {
  cq_buf kept = t->http.body;
  t->http.body = (cq_buf){0};
  cq_answer answer = t->answer;
  size_t offset = 0;
  cq_status status = CQ_OK;
  for (size_t i = 0; i < answer.news_count && !status; i++) {
    cq_news news;
    char hex[33];
    cq_answer_news(&answer, &offset, &news);
    status = bring_one(t, &news, error);
    /* What is authentic but not for us (a later version's kind, an older bundle) must not stop what follows it. */
    if (status == CQ_REFUSED || status == CQ_FUTURE || status == CQ_INVALID) status = CQ_OK;
    cq_device_id_hex(&news.device, hex);
    if (!status && !courier_set_cursor(t->courier, t->remote.url, hex, news.sequence)) status = cq_error_nomem(error);
  }
  cq_buf_fini(&kept);
  return status;
}

cq_status post_bring_home(post_talk *t, post_each_receipt each, void *context, cq_error *error) {
  cq_status status = bring_receipts(t, each, context, error);
  return status ? status : bring_news(t, error);
}
