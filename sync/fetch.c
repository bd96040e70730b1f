/* SPDX-License-Identifier: Apache-2.0 */
/* `fetch`: the desk's courier brings down what has arrived at the post. */
#include "chasqui/file.h"
#include "sync/post.h"
#include "sync/tell.h"
#include "sync/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_AGAIN_MS = CQ_PROTOCOL_TOKEN_MS / 2 };
#define CURSOR "batches"
#define DAMAGED "damaged"

const cq_cli_option sync_fetch_options[] = {
    {"timeout", 0, N_("SECONDS"), N_("a line that is silent for so long is broken (else by the speed of the line)")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

typedef struct fetch {
  cq_cli *cli;
  courier courier;
  post_talk talk;
  char *authorization; /* the header */
  uint8_t challenge[CQ_CHALLENGE_SIZE];
  int64_t token_at_ms; /* monotonic */
  int64_t silence_seconds;
  size_t fresh, there, damaged;
} fetch;

static char *base64url(cq_str bytes, const char *before) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  cq_buf out = {0};
  uint32_t bits = 0;
  int have = 0;
  cq_buf_add_text(&out, before);
  for (size_t i = 0; i < bytes.size; i++) {
    bits = bits << 8 | (uint8_t)bytes.at[i];
    for (have += 8; have >= 6; have -= 6) cq_buf_add_char(&out, digits[bits >> (have - 6) & 63]);
  }
  if (have) cq_buf_add_char(&out, digits[bits << (6 - have) & 63]);
  size_t size;
  return cq_buf_take(&out, &size);
}

/* An exchange says hello, brings a challenge, and what is new for the desk too. */
static cq_status authorize(fetch *f, cq_error *error) {
  const cq_device_id everybody = {0};
  post_words words = {.devices = &everybody, .device_count = 1};
  cq_buf path = {0}, pass = {0}, token = {0};
  cq_status status = cq_file_path(&path, f->courier.home, CQ_PASS_FILE, error);
  if (!status) status = cq_file_read(path.at, CQ_PASS_MAX_SIZE, &pass, error);
  if (!status) status = post_exchange(&f->talk, &words, error);
  if (!status) {
    memcpy(f->challenge, f->talk.answer.challenge, sizeof f->challenge);
    status = post_bring_home(&f->talk, NULL, NULL, error);
  }
  if (!status) status = cq_pass_token(&token, cq_buf_str(&pass), f->challenge, error);
  if (!status) {
    free(f->authorization);
    f->authorization = base64url(cq_buf_str(&token), "Authorization: Chasqui ");
    f->token_at_ms = f->talk.clock->monotonic_ms(f->talk.clock->context);
    if (!f->authorization) status = cq_error_nomem(error);
  }
  cq_buf_fini(&path);
  cq_buf_fini_secret(&pass);
  cq_buf_fini(&token);
  return status;
}

static cq_status keep_authorized(fetch *f, cq_error *error) {
  int64_t now = f->talk.clock->monotonic_ms(f->talk.clock->context);
  return f->authorization && now - f->token_at_ms < TOKEN_AGAIN_MS ? CQ_OK : authorize(f, error);
}

/* What the post holds, but damaged, is asked for again by every later fetch. */
static bool note_damaged(fetch *f, const cq_hash *hash, uint64_t size, bool damaged) {
  char hex[65];
  cJSON *all = cJSON_GetObjectItemCaseSensitive(f->courier.status, DAMAGED);
  if (!all) all = cJSON_AddObjectToObject(f->courier.status, DAMAGED);
  if (!all) return false;
  cJSON_DeleteItemFromObjectCaseSensitive(all, cq_hash_hex(hash, hex));
  return !damaged || cJSON_AddNumberToObject(all, hex, (double)size) != NULL;
}

/* What does not verify is told and passed over: the post is not believed for what it holds. */
static cq_status take_bytes(fetch *f, cq_str bytes, const cq_hash *hash, cq_error *error) {
  admitted stored;
  cq_error wrong;
  cq_error_clear(&wrong);
  cq_status status = admit(&f->courier, bytes, hash, &stored, &wrong);
  if (status == CQ_IO || status == CQ_NOMEM) {
    *error = wrong;
    return status;
  }
  if (status) {
    char hex[65];
    tell_fault(f->cli, cq_hash_hex(hash, hex), &wrong);
    f->damaged++;
  } else if (stored.fresh) {
    f->fresh++;
  } else {
    f->there++;
  }
  return note_damaged(f, hash, bytes.size, status == CQ_DAMAGED) ? CQ_OK : cq_error_nomem(error);
}

static cq_status take_by_hash(fetch *f, const cq_hash *hash, uint64_t size, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = keep_authorized(f, error);
  const char *headers[] = {f->authorization, NULL};
  if (!status) status = post_download(&f->talk, "/v1/batches/", hash, headers, size, &bytes, error);
  if (status == CQ_OK || (status == CQ_DAMAGED && bytes.size)) {
    cq_error_clear(error);
    status = take_bytes(f, cq_buf_str(&bytes), hash, error);
  }
  cq_buf_fini(&bytes);
  return status;
}

static cq_status take_frame(fetch *f, const cq_frame *frame, cq_error *error) {
  if (frame->has_bytes) return take_bytes(f, frame->bytes, &frame->hash, error);
  return take_by_hash(f, &frame->hash, frame->size, error);
}

/* Those that were damaged at an earlier fetch. One that is still not to be had must not hinder the others. */
static cq_status take_damaged(fetch *f, cq_error *error) {
  cJSON *all = cJSON_GetObjectItemCaseSensitive(f->courier.status, DAMAGED);
  int left = cJSON_GetArraySize(all); /* one that is still damaged goes to the end again */
  for (cJSON *one = all ? all->child : NULL, *next; one && left-- > 0; one = next) {
    cq_hash hash;
    double size = one->valuedouble;
    next = one->next;
    if (!cq_hash_parse(cq_str_from(one->string), &hash) || !(size > 0 && size <= CQ_PROTOCOL_MAX_ITEM)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(all, one));
      continue;
    }
    cq_status status = take_by_hash(f, &hash, (uint64_t)size, error);
    if (status == CQ_REFUSED || status == CQ_BUSY)
      cq_error_clear(error);
    else if (status)
      return status;
  }
  return CQ_OK;
}

/* The frames of one body. The cursor follows each: what is in the inbox is durable. */
static cq_status take_page(fetch *f, cq_str page, cq_error *error) {
  size_t offset = 0;
  cq_status status = CQ_OK;
  while (!status && offset < page.size) {
    cq_frame frame;
    status = cq_frame_parse(&frame, page, &offset, error);
    if (status == CQ_NOTFOUND) return cq_error_set(error, CQ_INVALID, "protocol.malformed", NULL);
    if (!status) status = take_frame(f, &frame, error);
    if (!status && !courier_set_cursor(&f->courier, f->talk.remote.url, CURSOR, frame.sequence)) {
      status = cq_error_nomem(error);
    }
    cq_cli_progress(f->cli, _("fetching"), f->fresh + f->there, 0);
  }
  cq_status saved = courier_save_status(&f->courier, status ? NULL : error);
  return status ? status : saved;
}

static cq_status fetch_page(fetch *f, bool *more, cq_error *error) {
  char path[64];
  cq_status status = keep_authorized(f, error);
  if (status) return status;
  uint64_t after = courier_cursor(&f->courier, f->talk.remote.url, CURSOR);
  snprintf(path, sizeof path, "/v1/batches?after=%llu", (unsigned long long)after);
  const char *headers[] = {f->authorization, NULL};
  http_request request = {.method = "GET", .path = path, .headers = headers, .limit = 2 * CQ_PROTOCOL_MAX_EXCHANGE};
  status = http_run(f->talk.line, &request, &f->talk.http, error);
  if (status) return status;
  if (f->talk.http.status != 200) return post_refusal(&f->talk, error);
  cq_buf page = f->talk.http.body; /* large batches are fetched while it is read */
  f->talk.http.body = (cq_buf){0};
  cq_str frames;
  status = cq_page_check(&frames, cq_buf_str(&page), f->challenge, after, &f->talk.post_key, error);
  *more = !status && frames.size > 0;
  if (!status) status = take_page(f, frames, error);
  cq_buf_fini(&page);
  return status;
}

static cq_status fetch_from(fetch *f, const remote *from, cq_error *error) {
  http_settings settings = {
      .stopped = cq_cli_signal, .silence_seconds = f->silence_seconds, .connect_seconds = f->silence_seconds};
  cq_status status = post_talk_open(&f->talk, &f->courier, from, &settings, error);
  bool more = true;
  if (!status) status = take_damaged(f, error);
  while (!status && more) status = fetch_page(f, &more, error);
  cq_cli_progress(f->cli, NULL, 0, 0);
  post_talk_close(&f->talk);
  free(f->authorization);
  f->authorization = NULL;
  return status;
}

/* All posts: a laptop may have used any of them. */
static cq_status fetch_all(fetch *f, cq_error *error) {
  remote remotes[REMOTES_MOST];
  size_t count = 0;
  cq_status status = courier_open(&f->courier, cq_cli_home(f->cli), true, error);
  if (!status && !f->courier.is_desk)
    status = cq_error_set(error, CQ_NOTFOUND, "sync.pass.none", f->courier.home, NULL);
  if (!status) status = courier_remotes(&f->courier, remotes, &count, error);
  for (size_t i = 0; i < count && !status; i++) status = fetch_from(f, &remotes[i], error);
  return status;
}

int sync_fetch(cq_cli *cli) {
  fetch f = {.cli = cli};
  cq_error error;
  cq_error_clear(&error);
  const char *timeout = cq_cli_value(cli, "timeout");
  if (timeout &&
      (!cq_str_int64(cq_str_from(timeout), &f.silence_seconds) || f.silence_seconds < 1 || f.silence_seconds > 3600)) {
    return cq_cli_usage(cli, _("--timeout goes from 1 to 3600 seconds"));
  }
  cq_status status = fetch_all(&f, &error);
  if (!status && cq_cli_flag(cli, "json")) {
    printf("{\"fetched\":%zu,\"already\":%zu,\"damaged\":%zu}\n", f.fresh, f.there, f.damaged);
  } else if (!status) {
    cq_cli_say(cli, _("Fetched: %zu. Already here: %zu. Passed over because damaged: %zu."), f.fresh, f.there,
               f.damaged);
    if (f.fresh) cq_cli_say(cli, _("Next: chasqui-central merge"));
  }
  courier_close(&f.courier);
  if (status) return cq_cli_fail(cli, &error);
  return f.damaged ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
