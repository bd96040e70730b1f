/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/protocol.h"

#include <string.h>

static const struct {
  unsigned outcome;
  const char *code;
} outcome_codes[] = {
    {CQ_OUTCOME_LACKING, "post.item.lacking"},        {CQ_OUTCOME_KEPT, "post.item.kept"},
    {CQ_OUTCOME_ALREADY, "post.item.already"},        {CQ_OUTCOME_HELD_UNKNOWN, "post.held.unknown"},
    {CQ_OUTCOME_HELD_REVOKED, "post.held.revoked"},   {CQ_OUTCOME_DAMAGED, "post.refused.damaged"},
    {CQ_OUTCOME_SIGNATURE, "post.refused.signature"}, {CQ_OUTCOME_CERTIFICATE, "post.refused.certificate"},
    {CQ_OUTCOME_PROGRAMME, "post.refused.programme"}, {CQ_OUTCOME_PRACTICE, "post.refused.practice"},
    {CQ_OUTCOME_REAL, "post.refused.real"},           {CQ_OUTCOME_FUTURE, "post.refused.future"},
    {CQ_OUTCOME_LARGE, "post.refused.large"},         {CQ_OUTCOME_ERASED, "post.refused.erased"},
    {CQ_OUTCOME_STALE, "post.refused.stale"},         {CQ_OUTCOME_LATER_QUOTA, "post.later.quota"},
    {CQ_OUTCOME_LATER_FULL, "post.later.full"},
};

const char *cq_outcome_code(unsigned outcome) {
  for (size_t i = 0; i < sizeof outcome_codes / sizeof *outcome_codes; i++) {
    if (outcome_codes[i].outcome == outcome) return outcome_codes[i].code;
  }
  return "post.outcome.unknown";
}

bool cq_outcome_is_kept(unsigned outcome) {
  return outcome == CQ_OUTCOME_KEPT || outcome == CQ_OUTCOME_ALREADY;
}

bool cq_outcome_is_held(unsigned outcome) {
  return outcome == CQ_OUTCOME_HELD_UNKNOWN || outcome == CQ_OUTCOME_HELD_REVOKED;
}

bool cq_outcome_is_refused(unsigned outcome) {
  return outcome >= 16 && outcome < 32;
}

/* --- writing --- */
static void put_int(cq_buf *out, uint64_t value, size_t bytes) {
  uint8_t le[8];
  for (size_t i = 0; i < bytes; i++) le[i] = (uint8_t)(value >> (8 * i));
  cq_buf_add(out, le, bytes);
}

static void put_blob(cq_buf *out, cq_str blob) {
  put_int(out, blob.size, 4);
  cq_buf_add(out, blob.at, blob.size);
}

/* --- reading: a place in bytes that are never read past --- */
typedef struct reader {
  const uint8_t *at;
  size_t left;
  bool bad; /* something was not there: every later read gives zeros */
} reader;

static const uint8_t *take(reader *in, uint64_t size) {
  if (in->bad || size > in->left) {
    in->bad = true;
    return NULL;
  }
  const uint8_t *at = in->at;
  in->at += size;
  in->left -= (size_t)size;
  return at;
}

static uint64_t take_int(reader *in, size_t bytes) {
  const uint8_t *at = take(in, bytes);
  uint64_t value = 0;
  for (size_t i = 0; at && i < bytes; i++) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

static void take_copy(reader *in, void *out, size_t size) {
  const uint8_t *at = take(in, size);
  if (at)
    memcpy(out, at, size);
  else
    memset(out, 0, size);
}

static cq_str take_blob(reader *in, uint64_t least, uint64_t most) {
  uint64_t size = take_int(in, 4);
  if (size < least || size > most) in->bad = true;
  const uint8_t *at = take(in, size);
  return at ? (cq_str){(const char *)at, (size_t)size} : (cq_str){0};
}

static reader reader_at(cq_str bytes) {
  return (reader){.at = (const uint8_t *)bytes.at, .left = bytes.size};
}

static cq_status malformed(cq_error *error) {
  return cq_error_set(error, CQ_INVALID, "protocol.malformed", NULL);
}

/* Magic, version and mode, the same in both messages. */
static cq_status take_start(reader *in, const char *magic, bool *practice, cq_error *error) {
  const uint8_t *at = take(in, 4);
  if (!at || memcmp(at, magic, 4) != 0) return cq_error_set(error, CQ_INVALID, "protocol.magic", NULL);
  uint64_t version = take_int(in, 2);
  if (in->bad || version == 0) return malformed(error);
  if (version > CQ_PROTOCOL_VERSION) return cq_error_set(error, CQ_FUTURE, "protocol.future", NULL);
  uint64_t mode = take_int(in, 1);
  if (in->bad || mode > 1) return malformed(error);
  *practice = mode == 1;
  return CQ_OK;
}

static cq_status too_large(cq_str bytes, cq_error *error) {
  if (bytes.size <= CQ_PROTOCOL_MAX_EXCHANGE) return CQ_OK;
  return cq_error_set(error, CQ_LIMIT, "protocol.large", NULL);
}

/* --- the ask --- */
void cq_ask_put_head(cq_buf *out, const cq_ask *head) {
  cq_buf_add(out, "CQAS", 4);
  put_int(out, CQ_PROTOCOL_VERSION, 2);
  put_int(out, head->practice, 1);
  put_int(out, 0, 1);
  cq_buf_add(out, head->nonce, 32);
  cq_buf_add(out, head->programme, 32);
  put_int(out, head->inline_bytes, 4);
  put_int(out, head->device_count, 2);
  put_int(out, head->asked_count, 2);
  put_int(out, head->carried_count, 2);
  put_int(out, 0, 2);
}

void cq_ask_put_device(cq_buf *out, const uint8_t device[32], uint64_t cursor) {
  cq_buf_add(out, device, 32);
  put_int(out, cursor, 8);
}

void cq_ask_put_hash(cq_buf *out, const uint8_t hash[32]) {
  cq_buf_add(out, hash, 32);
}

void cq_ask_put_item(cq_buf *out, cq_str item) {
  put_blob(out, item);
}

cq_status cq_ask_parse(cq_ask *ask, cq_str bytes, cq_error *error) {
  memset(ask, 0, sizeof *ask);
  cq_status status = too_large(bytes, error);
  reader in = reader_at(bytes);
  if (!status) status = take_start(&in, "CQAS", &ask->practice, error);
  if (status) return status;
  if (take_int(&in, 1) != 0) return malformed(error);
  take_copy(&in, ask->nonce, 32);
  take_copy(&in, ask->programme, 32);
  ask->inline_bytes = (uint32_t)take_int(&in, 4);
  ask->device_count = (uint16_t)take_int(&in, 2);
  ask->asked_count = (uint16_t)take_int(&in, 2);
  ask->carried_count = (uint16_t)take_int(&in, 2);
  if (take_int(&in, 2) != 0 || in.bad) return malformed(error);
  if (ask->device_count > CQ_PROTOCOL_MAX_DEVICES || ask->asked_count > CQ_PROTOCOL_MAX_ASKED ||
      ask->carried_count > CQ_PROTOCOL_MAX_CARRIED) {
    return malformed(error);
  }
  ask->devices = take(&in, (uint64_t)ask->device_count * 40);
  ask->asked = take(&in, (uint64_t)ask->asked_count * 32);
  ask->carried = in.at;
  for (size_t i = 0; i < ask->carried_count; i++) take_blob(&in, 1, CQ_PROTOCOL_MAX_DIRECT);
  return in.bad || in.left ? malformed(error) : CQ_OK;
}

const uint8_t *cq_ask_device(const cq_ask *ask, size_t i, uint64_t *cursor) {
  reader in = {.at = ask->devices + i * 40 + 32, .left = 8};
  *cursor = take_int(&in, 8);
  return ask->devices + i * 40;
}

cq_str cq_ask_item(const cq_ask *ask, size_t *offset) {
  reader in = {.at = ask->carried + *offset, .left = CQ_PROTOCOL_MAX_EXCHANGE};
  cq_str item = take_blob(&in, 1, CQ_PROTOCOL_MAX_DIRECT);
  *offset += 4 + item.size;
  return item;
}

/* --- the answer --- */
void cq_answer_put_head(cq_buf *out, const cq_answer *head) {
  cq_buf_add(out, "CQAN", 4);
  put_int(out, CQ_PROTOCOL_VERSION, 2);
  put_int(out, head->practice, 1);
  put_int(out, head->more, 1);
  cq_buf_add(out, head->nonce, 32);
  cq_buf_add(out, head->programme, 32);
  put_int(out, (uint64_t)head->now_utc_ms, 8);
  cq_buf_add(out, head->challenge, 32);
  put_int(out, head->asked_count, 2);
  put_int(out, head->carried_count, 2);
  put_int(out, head->receipt_count, 2);
  put_int(out, head->news_count, 2);
  put_int(out, head->certificate.size, 2);
  cq_buf_add_str(out, head->certificate);
}

void cq_answer_put_outcome(cq_buf *out, cq_outcome outcome) {
  put_int(out, (uint64_t)outcome, 1);
}

void cq_answer_put_receipt(cq_buf *out, cq_str receipt) {
  put_blob(out, receipt);
}

void cq_answer_put_news(cq_buf *out, const cq_news *news) {
  put_int(out, news->sequence, 8);
  put_int(out, news->kind, 1);
  cq_buf_add(out, news->device, 32);
  cq_buf_add(out, news->hash, 32);
  put_int(out, news->size, 8);
  put_int(out, news->has_inline, 1);
  if (news->has_inline) cq_buf_add_str(out, news->bytes);
}

static void take_news(reader *in, cq_news *news) {
  memset(news, 0, sizeof *news);
  news->sequence = take_int(in, 8);
  news->kind = (uint8_t)take_int(in, 1);
  take_copy(in, news->device, 32);
  take_copy(in, news->hash, 32);
  news->size = take_int(in, 8);
  uint64_t has_inline = take_int(in, 1);
  if (has_inline > 1 || news->size > CQ_PROTOCOL_MAX_ITEM || news->size == 0) in->bad = true;
  news->has_inline = has_inline == 1;
  if (!news->has_inline) return;
  const uint8_t *at = take(in, news->size);
  if (at) news->bytes = (cq_str){(const char *)at, (size_t)news->size};
}

cq_status cq_answer_parse(cq_answer *answer, cq_str bytes, cq_error *error) {
  memset(answer, 0, sizeof *answer);
  cq_status status = too_large(bytes, error);
  reader in = reader_at(bytes);
  if (!status) status = take_start(&in, "CQAN", &answer->practice, error);
  if (status) return status;
  uint64_t flags = take_int(&in, 1);
  if (flags > 1) return malformed(error);
  answer->more = flags == 1;
  take_copy(&in, answer->nonce, 32);
  take_copy(&in, answer->programme, 32);
  answer->now_utc_ms = (int64_t)take_int(&in, 8);
  take_copy(&in, answer->challenge, 32);
  answer->asked_count = (uint16_t)take_int(&in, 2);
  answer->carried_count = (uint16_t)take_int(&in, 2);
  answer->receipt_count = (uint16_t)take_int(&in, 2);
  answer->news_count = (uint16_t)take_int(&in, 2);
  uint64_t size = take_int(&in, 2);
  if (answer->asked_count > CQ_PROTOCOL_MAX_ASKED || answer->carried_count > CQ_PROTOCOL_MAX_CARRIED ||
      answer->news_count > CQ_PROTOCOL_MAX_NEWS || size > CQ_PROTOCOL_MAX_CERTIFICATE) {
    return malformed(error);
  }
  answer->certificate = (cq_str){(const char *)take(&in, size), (size_t)size};
  answer->asked = take(&in, answer->asked_count);
  answer->carried = take(&in, answer->carried_count);
  answer->receipts = in.at;
  for (size_t i = 0; i < answer->receipt_count && !in.bad; i++) take_blob(&in, 1, CQ_PROTOCOL_MAX_RECEIPT);
  answer->news = in.at;
  cq_news news;
  for (size_t i = 0; i < answer->news_count && !in.bad; i++) take_news(&in, &news);
  answer->signed_bytes = (cq_str){bytes.at, bytes.size - in.left};
  answer->signature = take(&in, CQ_PROTOCOL_SIGNATURE);
  return in.bad || in.left ? malformed(error) : CQ_OK;
}

cq_str cq_answer_receipt(const cq_answer *answer, size_t *offset) {
  reader in = {.at = answer->receipts + *offset, .left = CQ_PROTOCOL_MAX_EXCHANGE};
  cq_str receipt = take_blob(&in, 1, CQ_PROTOCOL_MAX_RECEIPT);
  *offset += 4 + receipt.size;
  return receipt;
}

void cq_answer_news(const cq_answer *answer, size_t *offset, cq_news *out) {
  reader in = {.at = answer->news + *offset, .left = CQ_PROTOCOL_MAX_EXCHANGE};
  take_news(&in, out);
  *offset = (size_t)(in.at - answer->news);
}

/* --- frames --- */
enum { FRAME_HEAD = 8 + 1 + 32 + 8 + 1 };

void cq_frame_put(cq_buf *out, const cq_frame *frame) {
  put_int(out, frame->sequence, 8);
  put_int(out, frame->outcome, 1);
  cq_buf_add(out, frame->hash, 32);
  put_int(out, frame->size, 8);
  put_int(out, frame->has_bytes, 1);
  if (frame->has_bytes) cq_buf_add_str(out, frame->bytes);
}

cq_status cq_frame_parse(cq_frame *frame, cq_str bytes, size_t *offset, cq_error *error) {
  memset(frame, 0, sizeof *frame);
  if (bytes.size - *offset < FRAME_HEAD) return CQ_NOTFOUND;
  reader in = reader_at((cq_str){bytes.at + *offset, bytes.size - *offset});
  frame->sequence = take_int(&in, 8);
  frame->outcome = (uint8_t)take_int(&in, 1);
  take_copy(&in, frame->hash, 32);
  frame->size = take_int(&in, 8);
  uint64_t has_bytes = take_int(&in, 1);
  if (has_bytes > 1 || frame->size == 0 || frame->size > CQ_PROTOCOL_MAX_ITEM) return malformed(error);
  frame->has_bytes = has_bytes == 1;
  if (frame->has_bytes) {
    const uint8_t *at = take(&in, frame->size);
    if (!at) return CQ_NOTFOUND;
    frame->bytes = (cq_str){(const char *)at, (size_t)frame->size};
  }
  *offset = bytes.size - in.left;
  return CQ_OK;
}
