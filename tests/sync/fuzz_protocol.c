/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever comes over the line: asks, answers, pages, passes, requests of posts. All of it is walked through. */
#include "chasqui/protocol.h"
#include "sync/watch.h"

#include <stdlib.h>

static void walk_ask(cq_str bytes) {
  cq_ask ask;
  uint64_t cursor;
  size_t offset = 0, sum = 0;
  if (cq_ask_parse(&ask, bytes, NULL) != CQ_OK) return;
  for (size_t i = 0; i < ask.device_count; i++) sum += cq_ask_device(&ask, i, &cursor).at[15];
  for (size_t i = 0; i < ask.asked_count; i++) sum += cq_ask_hash(&ask, i).at[31];
  for (size_t i = 0; i < ask.carried_count; i++) {
    cq_str item = cq_ask_item(&ask, &offset);
    if (item.size == 0) abort();
    sum += (unsigned char)item.at[item.size - 1];
  }
  volatile size_t keep = sum;
  (void)keep;
}

static void walk_answer(cq_str bytes) {
  cq_answer answer;
  size_t receipts = 0, news = 0, sum = 0;
  if (cq_answer_parse(&answer, bytes, NULL) != CQ_OK) return;
  for (size_t i = 0; i < answer.asked_count; i++) sum += answer.asked[i];
  for (size_t i = 0; i < answer.carried_count; i++) sum += answer.carried[i];
  for (size_t i = 0; i < answer.receipt_count; i++) {
    cq_str receipt = cq_answer_receipt(&answer, &receipts);
    if (receipt.size == 0) abort();
    sum += (unsigned char)receipt.at[receipt.size - 1];
  }
  for (size_t i = 0; i < answer.news_count; i++) {
    cq_news one;
    cq_answer_news(&answer, &news, &one);
    if (one.has_inline) sum += (unsigned char)one.bytes.at[one.bytes.size - 1];
  }
  if (answer.signed_bytes.size + 64 != bytes.size) abort();
  volatile size_t keep = sum;
  (void)keep;
}

static void walk_page(cq_str bytes) {
  cq_frame frame;
  size_t offset = 0;
  while (offset < bytes.size) {
    size_t before = offset;
    if (cq_frame_parse(&frame, bytes, &offset, NULL) != CQ_OK) return;
    if (offset <= before) abort();
  }
}

static void walk_pass(cq_str bytes) {
  const cq_trust nobody = {.mode = CQ_MODE_REAL};
  uint8_t challenge[CQ_CHALLENGE_SIZE] = {0};
  cq_sign_key key;
  cq_buf token = {0};
  cq_secret *secret = cq_secret_new(64);
  if (secret && cq_pass_check(challenge, bytes, &nobody, secret, 0, NULL) == CQ_OK) abort();
  cq_pass_token(&token, bytes, challenge, NULL);
  cq_post_request_read(&key, bytes, NULL);
  cq_secret_free(secret);
  cq_buf_fini(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cq_str bytes = {(const char *)data, size};
  walk_ask(bytes);
  walk_answer(bytes);
  walk_page(bytes);
  walk_pass(bytes);
  watch_opens_way(data, size);
  return 0;
}
