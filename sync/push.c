/* SPDX-License-Identifier: Apache-2.0 */
/* `push`: what waits in the outbox goes to the post, and what is new comes home. */
#include "sync/load.h"
#include "sync/post.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CARRY_UNASKED = 8 << 10,  /* a file that small goes without a question: the question would cost a round trip */
  CARRY_DIRECT = 1 << 20,   /* a file up to this goes within an exchange */
  CARRY_AT_FIRST = 64 << 10 /* bytes of the first exchange, before the line's speed is known */
};

const cq_cli_option sync_push_options[] = {
    {"again", 0, NULL, N_("bring once more what the post has refused")}, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

typedef struct push {
  cq_cli *cli;
  courier *courier;
  load load;
  post_talk talk;
  size_t budget;           /* bytes of one exchange */
  uint64_t waiting, moved; /* bytes, for progress */
  /* this round */
  load_item *asked_items[CQ_PROTOCOL_MAX_ASKED], *carried_items[CQ_PROTOCOL_MAX_CARRIED];
  cq_hash asked[CQ_PROTOCOL_MAX_ASKED];
  cq_str carried[CQ_PROTOCOL_MAX_CARRIED];
  post_words words;
} push;

static uint64_t size_of(const load_item *item) {
  return item->parcel.size;
}

/* --- a round: what to ask, what to carry --- */
static bool goes_now(const push *p, const load_item *item, size_t bytes) {
  if (p->words.carried_count == CQ_PROTOCOL_MAX_CARRIED || size_of(item) > CARRY_DIRECT) return false;
  bool first = p->words.carried_count == 0;
  if (item->state == LOAD_LACKING) return first || bytes + size_of(item) <= p->budget;
  return item->state == LOAD_UNKNOWN && size_of(item) <= CARRY_UNASKED && bytes + size_of(item) <= p->budget;
}

static void forget_round(push *p) {
  for (size_t i = 0; i < p->words.carried_count; i++) free((void *)(uintptr_t)p->carried[i].at);
  p->words.carried_count = p->words.asked_count = 0;
}

/* A file that cannot be read, or is not what its name says, is told and left; the others go on. */
static void mark_damaged(push *p, load_item *item, const cq_error *error) {
  item->state = LOAD_FAILED;
  cq_cli_fail(p->cli, error);
}

static cq_status pick_round(push *p, cq_error *error) {
  size_t bytes = 0;
  p->words = (post_words){
      .devices = p->load.devices, .device_count = p->load.device_count, .asked = p->asked, .carried = p->carried};
  for (size_t i = 0; i < p->load.count; i++) {
    load_item *item = &p->load.items[i];
    bool now = goes_now(p, item, bytes);
    if (!now && (item->state != LOAD_UNKNOWN || p->words.asked_count == CQ_PROTOCOL_MAX_ASKED)) continue;
    cq_buf file = {0};
    cq_error wrong;
    cq_error_clear(&wrong);
    cq_status status = cq_cli_cancelled(error);
    if (status) return status;
    if (load_read(p->courier, item, &file, &wrong) != CQ_OK) {
      mark_damaged(p, item, &wrong);
    } else if (now) {
      bytes += file.size;
      p->carried_items[p->words.carried_count] = item;
      p->carried[p->words.carried_count++] = cq_buf_str(&file);
      file.at = NULL; /* lives until the round is over */
    } else {
      p->asked_items[p->words.asked_count] = item;
      p->asked[p->words.asked_count++] = item->hash;
    }
    if (file.at) cq_buf_fini(&file);
  }
  return CQ_OK;
}

/* --- what the post says of it --- */
static bool is_batch(const load_item *item) {
  return item->parcel.kind == CQ_PARCEL_BATCH;
}

static void settle(push *p, load_item *item, unsigned outcome, bool carried) {
  item->outcome = outcome;
  if (cq_outcome_is_kept(outcome)) {
    /* A batch is believed to be there for its receipt; of the desk's other things the signed answer is enough. */
    item->state = is_batch(item) ? LOAD_FAILED : outcome == CQ_OUTCOME_KEPT ? LOAD_KEPT : LOAD_ALREADY;
  } else if (cq_outcome_is_held(outcome)) {
    item->state = LOAD_HELD;
  } else if (cq_outcome_is_refused(outcome)) {
    item->state = LOAD_REFUSED;
  } else if (outcome == CQ_OUTCOME_LACKING && !carried) {
    item->state = LOAD_LACKING;
  } else {
    item->state = LOAD_FAILED;
  }
  if (carried) p->moved += size_of(item);
}

/* A bundle that the post has a newer one of needs not go any more. */
static bool is_settled_bundle(const load_item *item) {
  return item->parcel.kind == CQ_PARCEL_BUNDLE && item->outcome == CQ_OUTCOME_STALE;
}

static bool remember(push *p, load_item *item) {
  const char *name = item->parcel.name;
  switch (item->state) {
  case LOAD_KEPT:
  case LOAD_ALREADY: return courier_remember(p->courier, name, FILE_KEPT, NULL);
  case LOAD_HELD: return courier_remember(p->courier, name, FILE_HELD, NULL);
  case LOAD_REFUSED:
    if (is_settled_bundle(item)) {
      item->state = LOAD_ALREADY;
      return courier_remember(p->courier, name, FILE_KEPT, NULL);
    }
    return courier_remember(p->courier, name, FILE_REFUSED, cq_outcome_code(item->outcome));
  case LOAD_UNKNOWN:
  case LOAD_LACKING:
  case LOAD_FAILED: break;
  }
  return true;
}

static void match_receipt(const push *p, load_item *item, const cq_receipt *receipt) {
  (void)p;
  if (!is_batch(item)) return;
  for (size_t i = 0; i < receipt->count; i++) {
    const cq_receipt_batch *batch = &receipt->batches[i];
    if (batch->state != CQ_RECEIPT_KEPT || !cq_hash_equal(&batch->hash, &item->hash)) continue;
    item->state = item->outcome == CQ_OUTCOME_KEPT ? LOAD_KEPT : LOAD_ALREADY;
  }
}

static void on_receipt(void *context, const cq_receipt *receipt) {
  push *p = context;
  for (size_t i = 0; i < p->words.carried_count; i++) match_receipt(p, p->carried_items[i], receipt);
  for (size_t i = 0; i < p->words.asked_count; i++) match_receipt(p, p->asked_items[i], receipt);
}

static cq_status one_round(push *p, cq_error *error) {
  cq_status status = pick_round(p, error);
  if (!status) status = post_exchange(&p->talk, &p->words, error);
  if (!status) {
    const cq_answer *answer = &p->talk.answer;
    for (size_t i = 0; i < p->words.carried_count; i++) settle(p, p->carried_items[i], answer->carried[i], true);
    for (size_t i = 0; i < p->words.asked_count; i++) settle(p, p->asked_items[i], answer->asked[i], false);
    status = post_bring_home(&p->talk, on_receipt, p, error);
    bool remembered = true;
    for (size_t i = 0; i < p->words.carried_count; i++) remembered &= remember(p, p->carried_items[i]);
    for (size_t i = 0; i < p->words.asked_count; i++) remembered &= remember(p, p->asked_items[i]);
    if (!status && !remembered) status = cq_error_nomem(error);
    if (!status) status = courier_save_status(p->courier, error);
  }
  forget_round(p);
  return status;
}

static bool is_waiting(const push *p) {
  for (size_t i = 0; i < p->load.count; i++) {
    const load_item *item = &p->load.items[i];
    if (item->state == LOAD_UNKNOWN || (item->state == LOAD_LACKING && size_of(item) <= CARRY_DIRECT)) return true;
  }
  return false;
}

/* About ten seconds of the line for one exchange, so that little is lost where it breaks. */
static void follow_line(push *p) {
  const http_answer *http = &p->talk.http;
  if (http->sent < 16 << 10 || http->seconds <= 0) return;
  double wanted = (double)http->sent / http->seconds * 10;
  p->budget = wanted < 16 << 10 ? 16 << 10 : wanted > 2 << 20 ? 2 << 20 : (size_t)wanted;
}

static cq_status push_to(push *p, const remote *to, cq_error *error) {
  http_settings settings = {.stopped = cq_cli_signal};
  cq_status status = post_talk_open(&p->talk, p->courier, to, &settings, error);
  p->budget = CARRY_AT_FIRST;
  bool more = true;
  while (!status && (more || is_waiting(p))) {
    status = one_round(p, error);
    more = p->talk.answer.more;
    follow_line(p);
    cq_cli_progress(p->cli, _("sending"), p->moved, p->waiting);
  }
  cq_cli_progress(p->cli, NULL, 0, 0);
  bool noted = courier_note_text(p->courier, to->url, "fault", status ? error->code : "");
  if (!status) {
    noted &= courier_note(p->courier, to->url, "contact_utc_ms", (double)p->talk.answer.now_utc_ms);
    noted &= courier_note(p->courier, to->url, "offset_ms", (double)p->talk.offset_ms);
  }
  cq_status saved = noted ? courier_save_status(p->courier, status ? NULL : error) : cq_error_nomem(NULL);
  return status ? status : saved;
}

/* --- telling --- */
static size_t count_state(const push *p, load_state state) {
  size_t count = 0;
  for (size_t i = 0; i < p->load.count; i++) count += p->load.items[i].state == state;
  return count;
}

static void tell_json(const push *p, const char *url) {
  cq_buf out = {0};
  cq_buf_add_text(&out, "{\"remote\":");
  cq_cli_add_json(&out, cq_str_from(url));
  cq_buf_addf(&out, ",\"sent\":%zu,\"already\":%zu,\"held\":%zu,\"refused\":%zu,\"failed\":%zu,\"settled\":%zu",
              count_state(p, LOAD_KEPT), count_state(p, LOAD_ALREADY), count_state(p, LOAD_HELD),
              count_state(p, LOAD_REFUSED), count_state(p, LOAD_FAILED) + count_state(p, LOAD_LACKING),
              p->load.settled);
  cq_buf_addf(&out, ",\"receipts\":%zu,\"news\":%zu,\"bytes\":%llu}\n", p->talk.receipt_count, p->talk.news_count,
              (unsigned long long)http_total(p->talk.line));
  if (!out.failed) fputs(out.at, stdout);
  cq_buf_fini(&out);
}

static void tell_file(const push *p, const load_item *item) {
  cq_error what;
  cq_error_clear(&what);
  cq_buf text = {0}, next = {0};
  cq_error_set(&what, CQ_REFUSED, cq_outcome_code(item->outcome), NULL);
  cq_cli_explain(&what, &text, &next);
  cq_cli_warn(p->cli, "%s: %s %s", item->parcel.name, text.at ? text.at : what.code, next.at ? next.at : "");
  cq_buf_fini(&text);
  cq_buf_fini(&next);
}

static int tell(push *p, const char *url) {
  size_t sent = count_state(p, LOAD_KEPT), already = count_state(p, LOAD_ALREADY), held = count_state(p, LOAD_HELD);
  size_t refused = count_state(p, LOAD_REFUSED), failed = count_state(p, LOAD_FAILED) + count_state(p, LOAD_LACKING);
  for (size_t i = 0; i < p->load.count; i++) {
    const load_item *item = &p->load.items[i];
    if (item->state == LOAD_REFUSED || (item->state == LOAD_FAILED && item->outcome)) tell_file(p, item);
  }
  if (cq_cli_flag(p->cli, "json")) {
    tell_json(p, url);
  } else {
    cq_cli_say(p->cli, _("Sent: %zu. Already there: %zu. Held apart by the post: %zu. Refused: %zu. Failed: %zu."),
               sent, already + p->load.settled, held, refused, failed);
    if (held) cq_cli_say(p->cli, _("What is held apart waits there until the desk approves the laptop."));
    if (p->talk.news_count) {
      cq_cli_say(p->cli, cq_cli_plural("%zu thing came home.", "%zu things came home.", p->talk.news_count),
                 p->talk.news_count);
    }
  }
  return refused || failed ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}

/* The first post that answers is enough: posts of one programme stand before one desk. */
static int push_all(push *p, cq_error *error) {
  remote remotes[REMOTES_MOST];
  size_t count = 0;
  cq_status status = courier_remotes(p->courier, remotes, &count, error);
  if (!status) status = load_open(&p->load, p->courier, cq_cli_flag(p->cli, "again"), error);
  for (size_t i = 0; i < p->load.count; i++) p->waiting += size_of(&p->load.items[i]);
  for (size_t i = 0; !status && i < count; i++) {
    status = push_to(p, &remotes[i], error);
    int exit_status = status ? CQ_EXIT_REFUSED : tell(p, remotes[i].url);
    post_talk_close(&p->talk);
    if (!status) return exit_status;
    if (i + 1 < count && status != CQ_CANCELLED) {
      cq_cli_fail(p->cli, error);
      cq_error_clear(error);
      status = CQ_OK;
    }
  }
  return cq_cli_fail(p->cli, error);
}

int sync_push(cq_cli *cli) {
  courier c;
  cq_error error;
  cq_error_clear(&error);
  push *p = calloc(1, sizeof *p);
  if (!p) {
    cq_error_nomem(&error);
    return cq_cli_fail(cli, &error);
  }
  p->cli = cli;
  p->courier = &c;
  int result;
  if (courier_open(&c, cq_cli_home(cli), true, &error) != CQ_OK) {
    result = cq_cli_fail(cli, &error);
  } else {
    result = push_all(p, &error);
    load_close(&p->load);
  }
  courier_close(&c);
  free(p);
  return result;
}
