/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between courier and post, for both ends. docs/formats/protocol.md
 * is the description; this header is its words in C. Nothing here does network
 * or disk. Parsed messages borrow the bytes they were parsed from.
 */
#ifndef CHASQUI_PROTOCOL_H
#define CHASQUI_PROTOCOL_H

#include "chasqui/certificate.h"
#include "chasqui/outbox.h"

enum {
  CQ_PROTOCOL_VERSION = 1,
  CQ_PROTOCOL_MAX_EXCHANGE = 4 << 20, /* bytes of an exchange, either way */
  CQ_PROTOCOL_MAX_DEVICES = 256,      /* of one ask */
  CQ_PROTOCOL_MAX_ASKED = 4096,
  CQ_PROTOCOL_MAX_CARRIED = 1024,
  CQ_PROTOCOL_MAX_DIRECT = 1 << 20,     /* bytes of one item carried in an ask */
  CQ_PROTOCOL_MAX_NEWS = 512,           /* of one answer */
  CQ_PROTOCOL_MAX_ITEM = 67174400,      /* bytes of any item: 64 MiB and 64 KiB for its frame */
  CQ_PROTOCOL_TOKEN_MS = 10 * 60 * 1000 /* how long a challenge is good */
};

#define CQ_PROTOCOL_TYPE "application/vnd.chasqui"

/* What became of an item, as docs/formats/protocol.md numbers it. */
typedef enum cq_outcome {
  CQ_OUTCOME_LACKING = 0,
  CQ_OUTCOME_KEPT = 1,
  CQ_OUTCOME_ALREADY = 2,
  CQ_OUTCOME_HELD_UNKNOWN = 3,
  CQ_OUTCOME_HELD_REVOKED = 4,
  CQ_OUTCOME_DAMAGED = 16,
  CQ_OUTCOME_SIGNATURE = 17,
  CQ_OUTCOME_CERTIFICATE = 18,
  CQ_OUTCOME_PROGRAMME = 19,
  CQ_OUTCOME_PRACTICE = 20,
  CQ_OUTCOME_REAL = 21,
  CQ_OUTCOME_FUTURE = 22,
  CQ_OUTCOME_LARGE = 23,
  CQ_OUTCOME_ERASED = 24,
  CQ_OUTCOME_STALE = 25,
  CQ_OUTCOME_LATER_QUOTA = 32,
  CQ_OUTCOME_LATER_FULL = 33
} cq_outcome;

/* "post.item.kept" and so on; "post.outcome.unknown" for a number this version does not know. */
const char *cq_outcome_code(unsigned outcome);
bool cq_outcome_is_kept(unsigned outcome);    /* 1, 2: a receipt goes with it */
bool cq_outcome_is_held(unsigned outcome);    /* 3, 4 */
bool cq_outcome_is_refused(unsigned outcome); /* 16 to 31 */

/* --- the ask --- */
typedef struct cq_ask {
  cq_mode mode;
  uint8_t nonce[32];
  cq_programme_id programme;
  uint32_t inline_bytes; /* of new items the answer may carry */
  uint16_t device_count, asked_count, carried_count;
  const uint8_t *devices; /* the rest only where parsed: borrowed; 24 bytes each */
  const uint8_t *asked;   /* asked_count × 32 bytes */
  const uint8_t *carried;
} cq_ask;

/* The writer puts the head, with its counts, and then exactly that many of each, in this order. */
void cq_ask_put_head(cq_buf *out, const cq_ask *head);
/* The device of zeros stands for what is for all. */
void cq_ask_put_device(cq_buf *out, const cq_device_id *device, uint64_t cursor);
void cq_ask_put_hash(cq_buf *out, const cq_hash *hash);
void cq_ask_put_item(cq_buf *out, cq_str item); /* 1 to CQ_PROTOCOL_MAX_DIRECT bytes */

/* Errors: protocol.magic, protocol.future, protocol.malformed, protocol.large. */
cq_status cq_ask_parse(cq_ask *ask, cq_str bytes, cq_error *error);
cq_device_id cq_ask_device(const cq_ask *ask, size_t i, uint64_t *cursor); /* i < device_count */
cq_hash cq_ask_hash(const cq_ask *ask, size_t i);                          /* i < asked_count */
/* The item at `*offset` (0 for the first), which moves on; call at most carried_count times. */
cq_str cq_ask_item(const cq_ask *ask, size_t *offset);

/* --- the answer --- */
typedef struct cq_news {
  uint64_t sequence;
  uint8_t kind; /* cq_parcel_kind, or one that a later version knows */
  cq_device_id device;
  cq_hash hash;
  uint64_t size;   /* of the item */
  bool has_inline; /* then `bytes` is the item */
  cq_str bytes;
} cq_news;

typedef struct cq_answer {
  cq_mode mode;
  bool more; /* ask again with the new cursors */
  uint8_t nonce[32];
  cq_programme_id programme;
  int64_t now_utc_ms;
  uint8_t challenge[32];
  cq_chain chain; /* of the post's receipt key */
  uint16_t asked_count, carried_count, receipt_count, news_count;
  const uint8_t *asked;   /* where parsed: outcomes, one byte each */
  const uint8_t *carried; /* outcomes */
  const uint8_t *receipts, *news;
  cq_str signed_bytes; /* where parsed: what the signature covers */
  const uint8_t *signature;
} cq_answer;

/* As for the ask: head, outcomes of the asked, of the carried, receipts, news; then the signature. */
void cq_answer_put_head(cq_buf *out, const cq_answer *head);
void cq_answer_put_outcome(cq_buf *out, cq_outcome outcome);
void cq_answer_put_receipt(cq_buf *out, cq_str receipt);
void cq_answer_put_news(cq_buf *out, const cq_news *news);

/* Appends the signature over all that stands in `out` and over the ask's bytes. Errors: those of cq_sign. */
cq_status cq_answer_sign(cq_buf *out, cq_str ask_bytes, const cq_secret *post_sign, cq_error *error);

/* Structure only: nothing of it may be believed before cq_answer_check. Errors: as cq_ask_parse. */
cq_status cq_answer_parse(cq_answer *answer, cq_str bytes, cq_error *error);
/*
 * Whether it answers this ask, as it was sent, and comes from a post of the programme. Errors: protocol.nonce (a
 * recording, or something that only looks like a post), protocol.programme, protocol.mode, protocol.signature (the
 * answer, or the ask on its way, was changed), protocol.counts, and those of cq_chain_check. `post` (NULL: not wanted)
 * gets the post's key.
 */
cq_status cq_answer_check(const cq_answer *answer, const cq_ask *ask, cq_str ask_bytes, const cq_trust *trust,
                          cq_sign_key *post, cq_error *error);
cq_str cq_answer_receipt(const cq_answer *answer, size_t *offset);          /* at most receipt_count times */
void cq_answer_news(const cq_answer *answer, size_t *offset, cq_news *out); /* at most news_count times */

/* --- frames of GET /v1/batches --- */
typedef struct cq_frame {
  uint64_t sequence;
  uint8_t outcome; /* kept or held */
  cq_hash hash;
  uint64_t size;
  bool has_bytes;
  cq_str bytes;
} cq_frame;
void cq_frame_put(cq_buf *out, const cq_frame *frame);
/*
 * The frame at `*offset` of what has come so far. CQ_OK, and *offset moves past it; CQ_NOTFOUND without an error where
 * it is not all there yet; else protocol.malformed.
 */
cq_status cq_frame_parse(cq_frame *frame, cq_str bytes, size_t *offset, cq_error *error);
/*
 * A page is frames and the post's signature over the desk's challenge, its cursor and the frames, so that neither a bad
 * line nor a stranger can move the cursor past what was not seen. Sign: appends to the frames. Check: *frames are those
 * of the page; protocol.signature.
 */
cq_status cq_page_sign(cq_buf *page, const uint8_t challenge[32], uint64_t after, const cq_secret *post_sign,
                       cq_error *error);
cq_status cq_page_check(cq_str *frames, cq_str page, const uint8_t challenge[32], uint64_t after,
                        const cq_sign_key *post, cq_error *error);

/* --- how a post begins: post.request, one line of text, to be certified by `chasqui-central publish --post` --- */
void cq_post_request_write(cq_buf *out, const cq_sign_key *key);
/* Error: protocol.request. */
cq_status cq_post_request_read(cq_sign_key *key, cq_str text, cq_error *error);

/*
 * --- the desk's pass: <desk home>/desk.pass, mode 0600 ---
 * The desk's leave for its courier to read sealed batches at the post, so that the courier never needs the vault. The
 * desk writes it anew whenever its vault is open; it is good for CQ_PASS_DAYS.
 */
#define CQ_PASS_FILE "desk.pass"
enum { CQ_PASS_DAYS = 90, CQ_CHALLENGE_SIZE = 32, CQ_PASS_MAX_SIZE = 1024 };
/* Appends the file. `desk_sign` is the key that `desk` (one or two links) certifies. */
cq_status cq_pass_write(cq_buf *file, const cq_chain *desk, cq_mode mode, const cq_programme_id *programme,
                        int64_t until_utc_ms, const cq_secret *desk_sign, const cq_random *random, cq_error *error);
/* What a request for batches shows, from the file and a challenge of the post. Errors: pass.damaged, pass.future. */
cq_status cq_pass_token(cq_buf *token, cq_str file, const uint8_t challenge[CQ_CHALLENGE_SIZE], cq_error *error);
/* At the post; `challenge` gets the one that was shown. Errors: pass.damaged, pass.future, pass.expired,
 * pass.signature, pass.challenge, those of cq_chain_check. */
cq_status cq_pass_check(uint8_t challenge[CQ_CHALLENGE_SIZE], cq_str token, const cq_trust *trust,
                        const cq_secret *post_sign, int64_t now_utc_ms, cq_error *error);
/* Made by the post for each answer; good for CQ_PROTOCOL_TOKEN_MS, and not remembered. */
void cq_challenge_make(uint8_t challenge[CQ_CHALLENGE_SIZE], int64_t now_utc_ms, const cq_random *random,
                       const cq_secret *post_sign);

#endif
