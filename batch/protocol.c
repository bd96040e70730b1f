/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/protocol.h"
#include "chasqui/receipt.h"

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

static void put_chain(cq_buf *out, const cq_chain *chain) {
  cq_buf bytes = {0};
  cq_chain_write(&bytes, chain);
  put_int(out, bytes.size, 2);
  cq_buf_add(out, bytes.at, bytes.size);
  out->failed |= bytes.failed;
  cq_buf_fini(&bytes);
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

static void take_chain(reader *in, cq_chain *chain) {
  uint64_t size = take_int(in, 2);
  const uint8_t *at = take(in, size);
  if (!at || cq_chain_read(chain, at, (size_t)size, NULL) != CQ_OK) in->bad = true;
}

static reader reader_at(cq_str bytes) {
  return (reader){.at = (const uint8_t *)bytes.at, .left = bytes.size};
}

static cq_status malformed(cq_error *error) {
  return cq_error_set(error, CQ_INVALID, "protocol.malformed", NULL);
}

/* Magic, version and mode, the same in both messages. */
static cq_status take_start(reader *in, const char *magic, cq_mode *mode, cq_error *error) {
  const uint8_t *at = take(in, 4);
  if (!at || memcmp(at, magic, 4) != 0) return cq_error_set(error, CQ_INVALID, "protocol.magic", NULL);
  uint64_t version = take_int(in, 2);
  if (in->bad || version == 0) return malformed(error);
  if (version > CQ_PROTOCOL_VERSION) return cq_error_set(error, CQ_FUTURE, "protocol.future", NULL);
  uint64_t value = take_int(in, 1);
  if (in->bad || (value != CQ_MODE_REAL && value != CQ_MODE_PRACTICE)) return malformed(error);
  *mode = (cq_mode)value;
  return CQ_OK;
}

static cq_status too_large(cq_str bytes, cq_error *error) {
  if (bytes.size <= CQ_PROTOCOL_MAX_EXCHANGE) return CQ_OK;
  return cq_error_set(error, CQ_LIMIT, "protocol.large", NULL);
}

/* --- the ask --- */
enum { DEVICE_ROW = 16 + 8 };

void cq_ask_put_head(cq_buf *out, const cq_ask *head) {
  cq_buf_add(out, "CQAS", 4);
  put_int(out, CQ_PROTOCOL_VERSION, 2);
  put_int(out, (uint64_t)head->mode, 1);
  put_int(out, 0, 1);
  cq_buf_add(out, head->nonce, 32);
  cq_buf_add(out, head->programme.at, sizeof head->programme.at);
  put_int(out, head->inline_bytes, 4);
  put_int(out, head->device_count, 2);
  put_int(out, head->asked_count, 2);
  put_int(out, head->carried_count, 2);
  put_int(out, 0, 2);
}

void cq_ask_put_device(cq_buf *out, const cq_device_id *device, uint64_t cursor) {
  cq_buf_add(out, device->at, sizeof device->at);
  put_int(out, cursor, 8);
}

void cq_ask_put_hash(cq_buf *out, const cq_hash *hash) {
  cq_buf_add(out, hash->at, sizeof hash->at);
}

void cq_ask_put_item(cq_buf *out, cq_str item) {
  put_blob(out, item);
}

cq_status cq_ask_parse(cq_ask *ask, cq_str bytes, cq_error *error) {
  memset(ask, 0, sizeof *ask);
  cq_status status = too_large(bytes, error);
  reader in = reader_at(bytes);
  if (!status) status = take_start(&in, "CQAS", &ask->mode, error);
  if (status) return status;
  if (take_int(&in, 1) != 0) return malformed(error);
  take_copy(&in, ask->nonce, 32);
  take_copy(&in, ask->programme.at, sizeof ask->programme.at);
  ask->inline_bytes = (uint32_t)take_int(&in, 4);
  ask->device_count = (uint16_t)take_int(&in, 2);
  ask->asked_count = (uint16_t)take_int(&in, 2);
  ask->carried_count = (uint16_t)take_int(&in, 2);
  if (take_int(&in, 2) != 0 || in.bad) return malformed(error);
  if (ask->device_count > CQ_PROTOCOL_MAX_DEVICES || ask->asked_count > CQ_PROTOCOL_MAX_ASKED ||
      ask->carried_count > CQ_PROTOCOL_MAX_CARRIED) {
    return malformed(error);
  }
  ask->devices = take(&in, (uint64_t)ask->device_count * DEVICE_ROW);
  ask->asked = take(&in, (uint64_t)ask->asked_count * 32);
  ask->carried = in.at;
  for (size_t i = 0; i < ask->carried_count; i++) take_blob(&in, 1, CQ_PROTOCOL_MAX_DIRECT);
  return in.bad || in.left ? malformed(error) : CQ_OK;
}

cq_device_id cq_ask_device(const cq_ask *ask, size_t i, uint64_t *cursor) {
  reader in = {.at = ask->devices + i * DEVICE_ROW, .left = DEVICE_ROW};
  cq_device_id device = {0};
  take_copy(&in, device.at, sizeof device.at);
  *cursor = take_int(&in, 8);
  return device;
}

cq_hash cq_ask_hash(const cq_ask *ask, size_t i) {
  cq_hash hash;
  memcpy(hash.at, ask->asked + i * sizeof hash.at, sizeof hash.at);
  return hash;
}

cq_str cq_ask_item(const cq_ask *ask, size_t *offset) {
  reader in = {.at = ask->carried + *offset, .left = CQ_PROTOCOL_MAX_EXCHANGE};
  cq_str item = take_blob(&in, 1, CQ_PROTOCOL_MAX_DIRECT);
  *offset += 4 + item.size;
  return item;
}

/* --- the answer --- */
#define ANSWER_PURPOSE "chasqui answer 1"

void cq_answer_put_head(cq_buf *out, const cq_answer *head) {
  cq_buf_add(out, "CQAN", 4);
  put_int(out, CQ_PROTOCOL_VERSION, 2);
  put_int(out, (uint64_t)head->mode, 1);
  put_int(out, head->more, 1);
  cq_buf_add(out, head->nonce, 32);
  cq_buf_add(out, head->programme.at, sizeof head->programme.at);
  put_int(out, (uint64_t)head->now_utc_ms, 8);
  cq_buf_add(out, head->challenge, 32);
  put_int(out, head->asked_count, 2);
  put_int(out, head->carried_count, 2);
  put_int(out, head->receipt_count, 2);
  put_int(out, head->news_count, 2);
  put_chain(out, &head->chain);
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
  cq_buf_add(out, news->device.at, sizeof news->device.at);
  cq_buf_add(out, news->hash.at, sizeof news->hash.at);
  put_int(out, news->size, 8);
  put_int(out, news->has_inline, 1);
  if (news->has_inline) cq_buf_add_str(out, news->bytes);
}

static void take_news(reader *in, cq_news *news) {
  memset(news, 0, sizeof *news);
  news->sequence = take_int(in, 8);
  news->kind = (uint8_t)take_int(in, 1);
  take_copy(in, news->device.at, sizeof news->device.at);
  take_copy(in, news->hash.at, sizeof news->hash.at);
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
  if (!status) status = take_start(&in, "CQAN", &answer->mode, error);
  if (status) return status;
  uint64_t flags = take_int(&in, 1);
  if (flags > 1) return malformed(error);
  answer->more = flags == 1;
  take_copy(&in, answer->nonce, 32);
  take_copy(&in, answer->programme.at, sizeof answer->programme.at);
  answer->now_utc_ms = (int64_t)take_int(&in, 8);
  take_copy(&in, answer->challenge, 32);
  answer->asked_count = (uint16_t)take_int(&in, 2);
  answer->carried_count = (uint16_t)take_int(&in, 2);
  answer->receipt_count = (uint16_t)take_int(&in, 2);
  answer->news_count = (uint16_t)take_int(&in, 2);
  take_chain(&in, &answer->chain);
  if (in.bad || answer->asked_count > CQ_PROTOCOL_MAX_ASKED || answer->carried_count > CQ_PROTOCOL_MAX_CARRIED ||
      answer->news_count > CQ_PROTOCOL_MAX_NEWS) {
    return malformed(error);
  }
  answer->asked = take(&in, answer->asked_count);
  answer->carried = take(&in, answer->carried_count);
  answer->receipts = in.at;
  for (size_t i = 0; i < answer->receipt_count && !in.bad; i++) take_blob(&in, 1, CQ_RECEIPT_LIMIT);
  answer->news = in.at;
  cq_news news;
  for (size_t i = 0; i < answer->news_count && !in.bad; i++) take_news(&in, &news);
  answer->signed_bytes = (cq_str){bytes.at, bytes.size - in.left};
  answer->signature = take(&in, sizeof(cq_signature));
  return in.bad || in.left ? malformed(error) : CQ_OK;
}

/* The ask is covered too: what a line did to it must not pass for what the post thinks of the sender's items. */
static cq_hash answer_hash(cq_str answer, cq_str ask) {
  cq_hash of_ask = cq_hash_of(ask.at, ask.size);
  cq_hasher hasher;
  cq_hasher_init(&hasher);
  cq_hasher_add(&hasher, of_ask.at, sizeof of_ask.at);
  cq_hasher_add(&hasher, answer.at, answer.size);
  return cq_hasher_end(&hasher);
}

cq_status cq_answer_sign(cq_buf *out, cq_str ask_bytes, const cq_secret *post_sign, cq_error *error) {
  cq_signature signature;
  if (out->failed) return cq_error_nomem(error);
  cq_hash hash = answer_hash(cq_buf_str(out), ask_bytes);
  cq_status status = cq_sign_hash(&signature, ANSWER_PURPOSE, &hash, post_sign, error);
  if (status) return status;
  cq_buf_add(out, signature.at, sizeof signature.at);
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

cq_status cq_answer_check(const cq_answer *answer, const cq_ask *ask, cq_str ask_bytes, const cq_trust *trust,
                          cq_sign_key *post_key, cq_error *error) {
  if (!cq_same_bytes(answer->nonce, ask->nonce, sizeof ask->nonce)) {
    return cq_error_set(error, CQ_REFUSED, "protocol.nonce", NULL);
  }
  if (!cq_programme_id_equal(&answer->programme, &trust->programme)) {
    return cq_error_set(error, CQ_REFUSED, "protocol.programme", NULL);
  }
  if (answer->mode != trust->mode) return cq_error_set(error, CQ_REFUSED, "protocol.mode", NULL);
  cq_certificate post;
  cq_status status = cq_chain_check(&post, &answer->chain, CQ_ROLE_POST, trust, error);
  if (status) return status;
  cq_signature signature;
  memcpy(signature.at, answer->signature, sizeof signature.at);
  cq_hash hash = answer_hash(answer->signed_bytes, ask_bytes);
  if (!cq_signature_right_hash(&signature, ANSWER_PURPOSE, &hash, &post.sign)) {
    return cq_error_set(error, CQ_REFUSED, "protocol.signature", NULL);
  }
  if (answer->asked_count != ask->asked_count || answer->carried_count != ask->carried_count) {
    return cq_error_set(error, CQ_INVALID, "protocol.counts", NULL);
  }
  if (post_key) *post_key = post.sign;
  return CQ_OK;
}

cq_str cq_answer_receipt(const cq_answer *answer, size_t *offset) {
  reader in = {.at = answer->receipts + *offset, .left = CQ_PROTOCOL_MAX_EXCHANGE};
  cq_str receipt = take_blob(&in, 1, CQ_RECEIPT_LIMIT);
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
  cq_buf_add(out, frame->hash.at, sizeof frame->hash.at);
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
  take_copy(&in, frame->hash.at, sizeof frame->hash.at);
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

/* What the signature of a page covers. */
#define PAGE_PURPOSE "chasqui page 1"
static cq_hash page_hash(cq_str frames, const uint8_t challenge[32], uint64_t after) {
  cq_hasher hasher;
  uint8_t cursor[8];
  for (size_t i = 0; i < sizeof cursor; i++) cursor[i] = (uint8_t)(after >> (8 * i));
  cq_hasher_init(&hasher);
  cq_hasher_add(&hasher, challenge, 32);
  cq_hasher_add(&hasher, cursor, sizeof cursor);
  cq_hasher_add(&hasher, frames.at, frames.size);
  return cq_hasher_end(&hasher);
}

cq_status cq_page_sign(cq_buf *page, const uint8_t challenge[32], uint64_t after, const cq_secret *post_sign,
                       cq_error *error) {
  cq_signature signature;
  if (page->failed) return cq_error_nomem(error);
  cq_hash hash = page_hash(cq_buf_str(page), challenge, after);
  cq_status status = cq_sign_hash(&signature, PAGE_PURPOSE, &hash, post_sign, error);
  if (status) return status;
  cq_buf_add(page, signature.at, sizeof signature.at);
  return page->failed ? cq_error_nomem(error) : CQ_OK;
}

cq_status cq_page_check(cq_str *frames, cq_str page, const uint8_t challenge[32], uint64_t after,
                        const cq_sign_key *post, cq_error *error) {
  cq_signature signature;
  if (page.size < sizeof signature.at) return cq_error_set(error, CQ_INVALID, "protocol.malformed", NULL);
  *frames = (cq_str){page.at, page.size - sizeof signature.at};
  memcpy(signature.at, page.at + frames->size, sizeof signature.at);
  cq_hash hash = page_hash(*frames, challenge, after);
  if (cq_signature_right_hash(&signature, PAGE_PURPOSE, &hash, post)) return CQ_OK;
  return cq_error_set(error, CQ_REFUSED, "protocol.signature", NULL);
}

/* --- how a post begins --- */
#define REQUEST_START "chasqui-post 1 "

void cq_post_request_write(cq_buf *out, const cq_sign_key *key) {
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_buf_add_text(out, REQUEST_START);
  cq_buf_add_hex(out, key->at, sizeof key->at);
  cq_buf_addf(out, " %s\n", cq_fingerprint(key, fingerprint));
}

cq_status cq_post_request_read(cq_sign_key *key, cq_str text, cq_error *error) {
  const size_t start = sizeof REQUEST_START - 1, digits = 2 * sizeof key->at;
  text = cq_str_trim(text);
  if (!cq_str_starts(text, CQ_STR(REQUEST_START)) || text.size <= start + digits ||
      !cq_hex_decode((cq_str){text.at + start, digits}, key->at, sizeof key->at) ||
      !cq_fingerprint_matches(key, (cq_str){text.at + start + digits, text.size - start - digits})) {
    return cq_error_set(error, CQ_INVALID, "protocol.request", NULL);
  }
  return CQ_OK;
}

/* --- the desk's pass --- */
#define PASS_PURPOSE "chasqui pass 1"
#define TOKEN_PURPOSE "chasqui token 1"
enum { SECRET_SIZE = 64 };

cq_status cq_pass_write(cq_buf *file, const cq_chain *desk, cq_mode mode, const cq_programme_id *programme,
                        int64_t until_utc_ms, const cq_secret *desk_sign, const cq_random *random, cq_error *error) {
  cq_sign_key key;
  cq_secret *secret = NULL;
  cq_signature signature;
  size_t start = file->size;
  cq_status status = cq_sign_pair(&key, &secret, random, error);
  if (status) return status;
  cq_buf_add(file, "CQPS", 4);
  put_int(file, CQ_PROTOCOL_VERSION, 2);
  put_int(file, (uint64_t)mode, 1);
  put_int(file, 0, 1);
  cq_buf_add(file, programme->at, sizeof programme->at);
  cq_buf_add(file, key.at, sizeof key.at);
  put_int(file, (uint64_t)until_utc_ms, 8);
  put_chain(file, desk);
  if (!file->failed) status = cq_sign(&signature, PASS_PURPOSE, file->at + start, file->size - start, desk_sign, error);
  if (!status) {
    cq_buf_add(file, signature.at, sizeof signature.at);
    cq_buf_add(file, cq_secret_view(secret), cq_secret_size(secret));
    if (file->failed) status = cq_error_nomem(error);
  }
  cq_secret_free(secret);
  return status;
}

typedef struct pass {
  cq_mode mode;
  cq_programme_id programme;
  cq_sign_key key;
  int64_t until_utc_ms;
  cq_chain chain;
  cq_str signed_bytes;
  cq_signature signature;
} pass;

/* The part that file and token have in common; leaves `in` after it. */
static cq_status take_pass(reader *in, pass *out, cq_error *error) {
  const char *start = (const char *)in->at;
  cq_status status = take_start(in, "CQPS", &out->mode, error);
  if (status) {
    return cq_error_set(error, status, status == CQ_FUTURE ? "pass.future" : "pass.damaged", NULL);
  }
  if (take_int(in, 1) != 0) in->bad = true;
  take_copy(in, out->programme.at, sizeof out->programme.at);
  take_copy(in, out->key.at, sizeof out->key.at);
  out->until_utc_ms = (int64_t)take_int(in, 8);
  take_chain(in, &out->chain);
  out->signed_bytes = (cq_str){start, (size_t)((const char *)in->at - start)};
  take_copy(in, out->signature.at, sizeof out->signature.at);
  return in->bad ? cq_error_set(error, CQ_INVALID, "pass.damaged", NULL) : CQ_OK;
}

/* What the pass's key signs: programme and challenge. */
static void token_bytes(uint8_t out[16 + CQ_CHALLENGE_SIZE], const cq_programme_id *programme,
                        const uint8_t challenge[CQ_CHALLENGE_SIZE]) {
  memcpy(out, programme->at, sizeof programme->at);
  memcpy(out + sizeof programme->at, challenge, CQ_CHALLENGE_SIZE);
}

cq_status cq_pass_token(cq_buf *token, cq_str file, const uint8_t challenge[CQ_CHALLENGE_SIZE], cq_error *error) {
  reader in = reader_at(file);
  pass p;
  cq_status status = take_pass(&in, &p, error);
  if (status) return status;
  size_t common = file.size - in.left;
  const uint8_t *bytes = take(&in, SECRET_SIZE);
  if (!bytes || in.left) return cq_error_set(error, CQ_INVALID, "pass.damaged", NULL);
  cq_secret *secret = cq_secret_copy(bytes, SECRET_SIZE);
  if (!secret) return cq_error_nomem(error);
  uint8_t what[16 + CQ_CHALLENGE_SIZE];
  cq_signature signature;
  token_bytes(what, &p.programme, challenge);
  status = cq_sign(&signature, TOKEN_PURPOSE, what, sizeof what, secret, error);
  cq_secret_free(secret);
  if (status) return status;
  cq_buf_add(token, file.at, common);
  cq_buf_add(token, challenge, CQ_CHALLENGE_SIZE);
  cq_buf_add(token, signature.at, sizeof signature.at);
  return token->failed ? cq_error_nomem(error) : CQ_OK;
}

/* The last 16 bytes of a challenge: a hash of the others with the post's secret before them. */
static void challenge_tag(uint8_t tag[16], const uint8_t challenge[16], const cq_secret *post_sign) {
  cq_hasher hasher;
  cq_hasher_init(&hasher);
  cq_hasher_add(&hasher, "chasqui challenge 1", 19);
  cq_hasher_add(&hasher, cq_secret_view(post_sign), cq_secret_size(post_sign));
  cq_hasher_add(&hasher, challenge, 16);
  cq_hash hash = cq_hasher_end(&hasher);
  memcpy(tag, hash.at, 16);
  cq_wipe(&hasher, sizeof hasher);
}

void cq_challenge_make(uint8_t challenge[CQ_CHALLENGE_SIZE], int64_t now_utc_ms, const cq_random *random,
                       const cq_secret *post_sign) {
  for (size_t i = 0; i < 8; i++) challenge[i] = (uint8_t)((uint64_t)now_utc_ms >> (8 * i));
  random->fill(random->context, challenge + 8, 8);
  challenge_tag(challenge + 16, challenge, post_sign);
}

static bool challenge_right(const uint8_t challenge[CQ_CHALLENGE_SIZE], int64_t now_utc_ms,
                            const cq_secret *post_sign) {
  uint8_t tag[16];
  challenge_tag(tag, challenge, post_sign);
  reader in = {.at = challenge, .left = 8};
  int64_t made = (int64_t)take_int(&in, 8);
  return cq_same_bytes(tag, challenge + 16, sizeof tag) && made <= now_utc_ms &&
         now_utc_ms - made <= CQ_PROTOCOL_TOKEN_MS;
}

cq_status cq_pass_check(uint8_t challenge_out[CQ_CHALLENGE_SIZE], cq_str token, const cq_trust *trust,
                        const cq_secret *post_sign, int64_t now_utc_ms, cq_error *error) {
  reader in = reader_at(token);
  pass p;
  cq_status status = take_pass(&in, &p, error);
  if (status) return status;
  const uint8_t *challenge = take(&in, CQ_CHALLENGE_SIZE);
  cq_signature signature;
  take_copy(&in, signature.at, sizeof signature.at);
  if (in.bad || in.left) return cq_error_set(error, CQ_INVALID, "pass.damaged", NULL);
  cq_certificate desk;
  status = cq_chain_check(&desk, &p.chain, CQ_ROLE_DESK, trust, error);
  if (status) return status;
  uint8_t what[16 + CQ_CHALLENGE_SIZE];
  token_bytes(what, &p.programme, challenge);
  if (!cq_signature_right(&p.signature, PASS_PURPOSE, p.signed_bytes.at, p.signed_bytes.size, &desk.sign) ||
      !cq_signature_right(&signature, TOKEN_PURPOSE, what, sizeof what, &p.key) || p.mode != trust->mode ||
      !cq_programme_id_equal(&p.programme, &trust->programme)) {
    return cq_error_set(error, CQ_REFUSED, "pass.signature", NULL);
  }
  if (now_utc_ms > p.until_utc_ms) return cq_error_set(error, CQ_REFUSED, "pass.expired", NULL);
  if (!challenge_right(challenge, now_utc_ms, post_sign)) {
    return cq_error_set(error, CQ_REFUSED, "pass.challenge", NULL);
  }
  memcpy(challenge_out, challenge, CQ_CHALLENGE_SIZE);
  return CQ_OK;
}
