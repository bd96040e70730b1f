/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/carry.h"
#include "sync/pace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CARRY_UNASKED = 8 << 10,  /* a file that small goes without a question: the question would cost a round trip */
  CARRY_DIRECT = 64 << 10,  /* a file up to this goes within an exchange; larger ones in pieces */
  CARRY_SMALL = 4 << 10,    /* a file up to this also where a line broke under it: pieces would cost more */
  CARRY_TELLING = 16 << 10, /* bytes of a request that tell the line's speed and not its delay */
  CARRY_MOST = 2 << 20,     /* bytes of one exchange */
  UPLOADS_EACH = 3          /* times that a file is brought in pieces before it is given up for this run */
};

carry *carry_new(courier *c, const carry_settings *settings) {
  carry *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->courier = c;
  made->settings = *settings;
  made->piece = UPLOAD_PIECE_FIRST;
  return made;
}

void carry_free(carry *c) {
  if (!c) return;
  if (c->talking) post_talk_close(&c->talk);
  load_close(&c->load);
  free(c);
}

size_t carry_count(const carry *c, load_state state) {
  size_t count = 0;
  for (size_t i = 0; i < c->load.count; i++) count += c->load.items[i].state == state;
  return count;
}

static uint64_t size_of(const load_item *item) {
  return item->parcel.size;
}

static void show(const carry *c, uint64_t under_way) {
  if (!c->settings.progress) return;
  uint64_t moved = c->moved + under_way;
  double seconds = (double)(c->talk.clock->monotonic_ms(c->talk.clock->context) - c->begun_ms) / 1000;
  double left = moved && seconds > 3 ? seconds / (double)moved * (double)(c->waiting - moved) : -1;
  c->settings.progress(c->settings.context, moved, c->waiting, c->waiting < moved ? -1 : left);
}

/* --- a round: what to ask, what to carry --- */
static bool in_pieces(const load_item *item) {
  return size_of(item) > (item->broke ? CARRY_SMALL : CARRY_DIRECT);
}

static bool goes_now(const carry *c, const load_item *item, size_t bytes) {
  if (c->words.carried_count == CQ_PROTOCOL_MAX_CARRIED || in_pieces(item)) return false;
  size_t most = c->piece < CARRY_MOST ? c->piece : CARRY_MOST;
  bool fits = bytes + size_of(item) <= most;
  if (item->state == LOAD_LACKING) return c->words.carried_count == 0 || fits;
  return item->state == LOAD_UNKNOWN && !item->is_doubtful && size_of(item) <= CARRY_UNASKED && fits;
}

static void forget_round(carry *c) {
  for (size_t i = 0; i < c->words.carried_count; i++) free((void *)(uintptr_t)c->carried[i].at);
  c->words.carried_count = c->words.asked_count = 0;
}

static void mark_failed(load_item *item, const char *code) {
  item->state = LOAD_FAILED;
  item->code = code;
}

/* Takes a file into the round. One that cannot be read is marked and left; the others go on. */
static size_t pick(carry *c, load_item *item, bool now) {
  cq_buf file = {0};
  cq_error wrong;
  cq_error_clear(&wrong);
  size_t size = 0;
  if (load_read(c->courier, item, &file, &wrong) != CQ_OK) {
    mark_failed(item, wrong.code);
  } else if (now) {
    size = file.size;
    c->carried_items[c->words.carried_count] = item;
    c->carried[c->words.carried_count++] = cq_buf_str(&file);
    return size; /* its bytes live until the round is over */
  } else {
    c->asked_items[c->words.asked_count] = item;
    c->asked[c->words.asked_count++] = item->hash;
  }
  cq_buf_fini(&file);
  return size;
}

static cq_status pick_round(carry *c, cq_error *error) {
  size_t bytes = 0;
  c->words = (post_words){
      .devices = c->load.devices, .device_count = c->load.device_count, .asked = c->asked, .carried = c->carried};
  for (size_t i = 0; i < c->load.count; i++) {
    load_item *item = &c->load.items[i];
    bool now = goes_now(c, item, bytes);
    if (!now && (item->state != LOAD_UNKNOWN || c->words.asked_count == CQ_PROTOCOL_MAX_ASKED)) continue;
    cq_status status = cq_cli_cancelled(error);
    if (status) return status;
    bytes += pick(c, item, now);
  }
  return CQ_OK;
}

/* --- what the post says of it --- */
static bool is_batch(const load_item *item) {
  return item->parcel.kind == CQ_PARCEL_BATCH;
}

static void settle(carry *c, load_item *item, unsigned outcome, bool carried) {
  /* That the post lacks it is heard once; the same word again, after another break, is no step forward. */
  if (carried || outcome != CQ_OUTCOME_LACKING || item->outcome != outcome) c->progress++;
  item->is_doubtful = false;
  item->outcome = outcome;
  item->code = cq_outcome_code(outcome);
  if (cq_outcome_is_kept(outcome)) {
    /* A batch is believed to be there for its receipt, which follows; of other things the signed answer is enough. */
    if (is_batch(item))
      mark_failed(item, item->code);
    else
      item->state = outcome == CQ_OUTCOME_KEPT ? LOAD_KEPT : LOAD_ALREADY;
  } else if (cq_outcome_is_held(outcome)) {
    item->state = LOAD_HELD;
  } else if (outcome == CQ_OUTCOME_STALE) {
    item->state = LOAD_ALREADY; /* the post has a newer bundle or sheet: this needs not go any more */
  } else if (outcome == CQ_OUTCOME_ERASED) {
    item->state = LOAD_ERASED;
  } else if (cq_outcome_is_refused(outcome)) {
    item->state = LOAD_REFUSED;
  } else if (outcome == CQ_OUTCOME_LACKING && !carried) {
    item->state = LOAD_LACKING;
  } else {
    mark_failed(item, item->code);
  }
  if (carried) c->moved += size_of(item);
}

static bool remember(carry *c, const load_item *item) {
  const char *name = item->parcel.name;
  switch (item->state) {
  case LOAD_KEPT:
  case LOAD_ALREADY: return courier_remember(c->courier, name, FILE_KEPT, NULL);
  case LOAD_HELD: return courier_remember(c->courier, name, FILE_HELD, NULL);
  case LOAD_REFUSED: return courier_remember(c->courier, name, FILE_REFUSED, item->code);
  case LOAD_ERASED: return courier_remember(c->courier, name, FILE_ERASED, item->code);
  case LOAD_UNKNOWN:
  case LOAD_LACKING:
  case LOAD_FAILED: break;
  }
  return true;
}

static void match_receipt(load_item *item, const cq_receipt *receipt) {
  if (!is_batch(item)) return;
  for (size_t i = 0; i < receipt->count; i++) {
    const cq_receipt_batch *batch = &receipt->batches[i];
    if (batch->state != CQ_RECEIPT_KEPT || !cq_hash_equal(&batch->hash, &item->hash)) continue;
    item->state = item->outcome == CQ_OUTCOME_KEPT || item->uploads ? LOAD_KEPT : LOAD_ALREADY;
  }
}

static void on_receipt(void *context, const cq_receipt *receipt) {
  carry *c = context;
  for (size_t i = 0; i < c->words.carried_count; i++) match_receipt(c->carried_items[i], receipt);
  for (size_t i = 0; i < c->words.asked_count; i++) match_receipt(c->asked_items[i], receipt);
}

/* What was carried when the line broke may have arrived, or not. */
static void doubt_round(carry *c) {
  for (size_t i = 0; i < c->words.carried_count; i++) {
    c->carried_items[i]->is_doubtful = c->carried_items[i]->broke = true;
    c->carried_items[i]->state = LOAD_UNKNOWN;
  }
}

static cq_status hear_answer(carry *c, cq_error *error) {
  const cq_answer *answer = &c->talk.answer;
  for (size_t i = 0; i < c->words.carried_count; i++) settle(c, c->carried_items[i], answer->carried[i], true);
  for (size_t i = 0; i < c->words.asked_count; i++) settle(c, c->asked_items[i], answer->asked[i], false);
  c->reached = true;
  bool noted = courier_note(c->courier, c->talk.remote.url, "contact_utc_ms", (double)answer->now_utc_ms) &&
               courier_note(c->courier, c->talk.remote.url, "offset_ms", (double)c->talk.offset_ms);
  cq_status status = post_bring_home(&c->talk, on_receipt, c, error);
  for (size_t i = 0; i < c->words.carried_count; i++) noted &= remember(c, c->carried_items[i]);
  for (size_t i = 0; i < c->words.asked_count; i++) noted &= remember(c, c->asked_items[i]);
  if (!noted && !status) status = cq_error_nomem(error);
  /* Whatever else happened, what was delivered is remembered. */
  cq_status saved = courier_save_status(c->courier, status ? NULL : error);
  return status ? status : saved;
}

static cq_status one_round(carry *c, bool *more, cq_error *error) {
  cq_status status = pick_round(c, error);
  if (!status) {
    status = post_exchange(&c->talk, &c->words, error);
    const http_answer *http = &c->talk.http;
    if (status || http->sent >= CARRY_TELLING) {
      c->piece = upload_piece_after(c->piece, http->sent, http->seconds, status != CQ_OK);
    }
    if (status) doubt_round(c);
  }
  if (!status) {
    *more = c->talk.answer.more;
    status = hear_answer(c, error);
  }
  forget_round(c);
  show(c, 0);
  return status;
}

/* --- large ones, in pieces --- */
static void on_piece(void *context, uint64_t sent_of_it) {
  show(context, sent_of_it);
}

/* These answers are not signed, and a bad line may be to blame: only after some tries is one taken at its word. */
static void refuse_large(carry *c, load_item *item, const char *code) {
  mark_failed(item, "post.refused.damaged");
  for (unsigned outcome = CQ_OUTCOME_SIGNATURE; cq_outcome_is_refused(outcome); outcome++) {
    if (strcmp(cq_outcome_code(outcome), code) != 0) continue;
    item->state = outcome == CQ_OUTCOME_ERASED ? LOAD_ERASED : LOAD_REFUSED;
    item->code = cq_outcome_code(outcome);
    remember(c, item);
  }
}

static cq_status bring_large(carry *c, load_item *item, cq_error *error) {
  cq_buf bytes = {0};
  cq_error wrong;
  cq_error_clear(&wrong);
  if (load_read(c->courier, item, &bytes, &wrong) != CQ_OK) {
    mark_failed(item, wrong.code);
    cq_buf_fini(&bytes);
    return CQ_OK;
  }
  upload u = {.bytes = cq_buf_str(&bytes), .hash = item->hash, .piece = c->piece, .moved = on_piece, .context = c};
  cq_status status = upload_try(&c->talk, &u, error);
  c->piece = u.piece;
  cq_buf_fini(&bytes);
  if (u.offset > item->reached) {
    c->progress += u.offset - item->reached;
    item->reached = u.offset;
  }
  if (status == CQ_OK) {
    /* Believed only for the receipt: it is asked about in the next round. */
    item->uploads++;
    c->moved += size_of(item);
    item->state = LOAD_UNKNOWN;
  } else if (status == CQ_REFUSED && c->talk.http.status == 422) {
    cq_error_clear(error);
    status = CQ_OK;
    if (++item->uploads >= UPLOADS_EACH) refuse_large(c, item, u.code);
  }
  return status;
}

static load_item *next_large(carry *c) {
  for (size_t i = 0; i < c->load.count; i++) {
    load_item *item = &c->load.items[i];
    if (item->state != LOAD_LACKING || !in_pieces(item)) continue;
    if (item->uploads < UPLOADS_EACH) return item;
    mark_failed(item, "post.item.lacking");
  }
  return NULL;
}

static bool wants_round(const carry *c) {
  for (size_t i = 0; i < c->load.count; i++) {
    const load_item *item = &c->load.items[i];
    if (item->state == LOAD_UNKNOWN || (item->state == LOAD_LACKING && !in_pieces(item))) return true;
  }
  return false;
}

/* --- the day's bytes --- */
static cq_status count_day(carry *c, cq_error *error) {
  uint64_t now = http_total(c->talk.line);
  bool noted = pace_add_today(c->courier, c->talk.clock, now - c->counted);
  c->bytes += now - c->counted;
  c->counted = now;
  if (!noted) return cq_error_nomem(error);
  if (c->settings.bytes_per_day && pace_today(c->courier, c->talk.clock) >= (uint64_t)c->settings.bytes_per_day) {
    return cq_error_set(error, CQ_LIMIT, "sync.day", NULL);
  }
  return CQ_OK;
}

/* One step: a round of small ones, or one large one. *left false: nothing is left to do. */
static cq_status step(carry *c, bool *first, bool *more, bool *left, cq_error *error) {
  cq_status status = count_day(c, error);
  if (status) return status;
  if (*first || *more || wants_round(c)) {
    *more = false;
    status = one_round(c, more, error);
    if (!status) *first = false;
    return status;
  }
  load_item *large = next_large(c);
  *left = large != NULL;
  return large ? bring_large(c, large, error) : CQ_OK;
}

static cq_status carry_all(carry *c, cq_error *error) {
  bool first = true, more = false, left = true;
  int tries = 0;
  cq_status status = CQ_OK;
  while (left) {
    uint64_t progress = c->progress;
    status = step(c, &first, &more, &left, error);
    if (c->progress != progress) tries = 0;
    if (!status) continue;
    if (!c->reached || !pace_may_help(error) || ++tries > c->settings.tries) break;
    cq_error_clear(error);
    status = pace_wait(pace_seconds(tries, c->talk.random), error);
    if (status) break;
  }
  return status;
}

cq_status carry_to(carry *c, const remote *to, cq_error *error) {
  http_settings settings = {.stopped = cq_cli_signal,
                            .bytes_per_second = c->settings.bytes_per_second,
                            .connect_seconds = c->settings.silence_seconds,
                            .silence_seconds = c->settings.silence_seconds};
  if (c->talking) post_talk_close(&c->talk);
  load_close(&c->load);
  c->counted = 0;
  c->moved = c->waiting = 0;
  cq_status status = load_open(&c->load, c->courier, c->settings.again ? LOAD_AGAIN : LOAD_WAITING, error);
  for (size_t i = 0; i < c->load.count; i++) c->waiting += size_of(&c->load.items[i]);
  if (!status) status = post_talk_open(&c->talk, c->courier, to, &settings, error);
  c->talking = !status;
  if (status) return status;
  c->begun_ms = c->talk.clock->monotonic_ms(c->talk.clock->context);
  status = carry_all(c, error);
  c->news_count += c->talk.news_count;
  c->receipt_count += c->talk.receipt_count;
  count_day(c, NULL);
  bool noted = courier_note_text(c->courier, to->url, "fault", status ? error->code : "");
  cq_status saved = noted ? courier_save_status(c->courier, status ? NULL : error) : cq_error_nomem(NULL);
  return status ? status : saved;
}
