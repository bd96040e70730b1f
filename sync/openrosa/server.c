/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/openrosa/server.h"

#include "sync/openrosa/xml.h"
#include "sync/pace.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- opening --- */
static void put_authorization(rosa *o, cq_server_kind kind) {
  if (!o->secret.size || o->user.size) return;
  const char *word = kind == CQ_SERVER_KOBO ? "Token " : "Bearer ";
  cq_buf_reserve(&o->authorization, o->secret.size + 32);
  cq_buf_add_text(&o->authorization, "Authorization: ");
  cq_buf_add_text(&o->authorization, word);
  cq_buf_add_str(&o->authorization, cq_buf_str(&o->secret));
}

/* What stands in a header must not begin another one. */
static bool is_header_text(const cq_buf *text) {
  for (size_t i = 0; i < text->size; i++)
    if ((unsigned char)text->at[i] < ' ' || text->at[i] == 0x7f) return false;
  return true;
}

cq_status rosa_open(rosa *o, const cq_handover_server *server, int (*stopped)(void), cq_error *error) {
  *o = (rosa){.accept_length = ROSA_ACCEPT,
              .tries = ROSA_TRIES,
              .clock = &cq_clock_system,
              .random = &cq_random_system,
              .accounts = HTTP_ANY};
  cq_status status = cq_server_address(&o->address, &o->secret, server->url, error);
  if (status) return status;
  if (server->secret.size) {
    cq_wipe(o->secret.at, o->secret.size);
    cq_buf_reset(&o->secret);
    cq_buf_reserve(&o->secret, server->secret.size);
    cq_buf_add_str(&o->secret, server->secret);
  }
  cq_buf_add_str(&o->user, server->user);
  cq_buf_add_str(&o->ca, server->ca);
  put_authorization(o, server->kind);
  if (o->secret.failed || o->user.failed || o->ca.failed || o->authorization.failed) return cq_error_nomem(error);
  if (!is_header_text(&o->secret)) return cq_error_set(error, CQ_REFUSED, "openrosa.secret", o->address.at, NULL);
  snprintf(o->submission, sizeof o->submission, "/submission");
  http_settings settings = {.base = o->address.at,
                            .ca_pem = cq_buf_str(&o->ca),
                            .user = o->user.size ? o->user.at : NULL,
                            .secret = o->secret.at,
                            .bytes_per_second = (int64_t)server->bytes_per_second,
                            .connect_seconds = (long)server->silence_seconds,
                            .silence_seconds = (long)server->silence_seconds,
                            .stopped = stopped};
  o->line = http_open(&settings);
  return o->line ? CQ_OK : cq_error_nomem(error);
}

void rosa_close(rosa *o) {
  http_close(o->line);
  http_answer_fini(&o->http);
  cq_buf_fini(&o->address);
  cq_buf_fini_secret(&o->authorization);
  cq_buf_fini(&o->user);
  cq_buf_fini_secret(&o->secret);
  cq_buf_fini(&o->ca);
  *o = (rosa){0};
}

/* --- asking --- */
static size_t origin_size(const char *url) {
  const char *host = strstr(url, "://");
  return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

/* Whether an address is the server's own: scheme, host and port. */
static bool is_own(const rosa *o, const char *url) {
  size_t size = origin_size(o->address.at);
  return strncmp(url, o->address.at, size) == 0 && origin_size(url) == size;
}

static void put_date(const rosa *o, char out[64]) {
  static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t now = (time_t)(o->clock->now_utc_ms(o->clock->context) / 1000);
  struct tm at;
  gmtime_r(&now, &at);
  snprintf(out, 64, "Date: %s, %02d %s %d %02d:%02d:%02d GMT", days[at.tm_wday], at.tm_mday, months[at.tm_mon],
           at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

cq_status rosa_ask(rosa *o, const rosa_request *request, cq_error *error) {
  char date[64], etag[160], type[160];
  const char *headers[8] = {"X-OpenRosa-Version: 1.0", date};
  size_t count = 2;
  bool whole = strncmp(request->path, "http", 4) == 0, own = !whole || is_own(o, request->path);
  if (!own && strncmp(request->path, "https://", 8) != 0)
    return cq_error_set(error, CQ_REFUSED, "openrosa.clear", NULL);
  put_date(o, date);
  if (own && o->authorization.size) headers[count++] = o->authorization.at;
  if (request->etag && *request->etag) {
    snprintf(etag, sizeof etag, "If-None-Match: %s", request->etag);
    headers[count++] = etag;
  }
  if (request->content_type) {
    snprintf(type, sizeof type, "Content-Type: %s", request->content_type);
    headers[count++] = type;
  }
  http_request http = {.method = request->method,
                       .path = request->path,
                       .headers = headers,
                       .has_body = request->content_type != NULL,
                       .body = request->body,
                       .limit = request->limit,
                       .accounts = own && o->user.size ? o->accounts : HTTP_NOBODY};
  cq_status status = http_run(o->line, &http, &o->http, error);
  if (o->accounts == HTTP_ANY && o->http.accounts) o->accounts = o->http.accounts;
  return status;
}

cq_status rosa_ask_again(rosa *o, const rosa_request *request, cq_error *error) {
  cq_error why;
  for (int tries = 1;; tries++) {
    cq_error_clear(&why);
    cq_status status = rosa_ask(o, request, &why);
    if (!status || tries >= o->tries || !pace_may_help(&why)) {
      if (status && error) *error = why;
      return status;
    }
    status = pace_wait(pace_seconds(tries, o->random), error);
    if (status) return status;
  }
}

/* --- greeting --- */
cq_status rosa_fault(const rosa *o, cq_error *error) {
  int http = o->http.status;
  char number[16];
  snprintf(number, sizeof number, "%d", http);
  if (http == 401 || http == 403) return cq_error_set(error, CQ_REFUSED, "openrosa.secret", o->address.at, NULL);
  if (http == 404) return cq_error_set(error, CQ_NOTFOUND, "openrosa.project", o->address.at, NULL);
  if (http == 402) return cq_error_set(error, CQ_BUSY, "openrosa.quota", o->address.at, NULL);
  if (http == 429 || http >= 500) return cq_error_set(error, CQ_BUSY, "openrosa.busy", o->address.at, number, NULL);
  if (http >= 300 && http < 400 && http != 304)
    return cq_error_set(error, CQ_REFUSED, "openrosa.moved", o->address.at, o->http.location, NULL);
  return cq_error_set(error, CQ_IO, "openrosa.strange", o->address.at, number, NULL);
}

cq_status rosa_greet(rosa *o, cq_error *error) {
  rosa_request head = {.method = "HEAD", .path = o->submission, .limit = 4096};
  cq_status status = rosa_ask_again(o, &head, error);
  if (status) return status;
  bool right = o->http.status == 204 || o->http.status == 200;
  /* Of other answers only those that speak OpenRosa, or refuse, can be believed: a login page says 200 to all. */
  if (!right) return rosa_fault(o, error);
  if (!o->http.openrosa) return cq_error_set(error, CQ_IO, "openrosa.strange", o->address.at, "HEAD", NULL);
  if (o->http.accept_length > 0) o->accept_length = (uint64_t)o->http.accept_length;
  if (*o->http.location && is_own(o, o->http.location))
    snprintf(o->submission, sizeof o->submission, "%s", o->http.location);
  return CQ_OK;
}

/* --- envelopes --- */
static cq_status keep_nothing(void *context, const cq_str *values, cq_str type, cq_error *error) {
  (void)context, (void)values, (void)type, (void)error;
  return CQ_OK;
}

/* The text between "<message …>" and "</", or after "message":" of JSON: what the server says is shown, never obeyed.
 */
static cq_str message_in(cq_str body) {
  static const char *const marks[] = {"<message", "\"message\":\""};
  for (size_t m = 0; m < 2; m++) {
    size_t size = strlen(marks[m]);
    for (size_t at = 0; at + size < body.size; at++) {
      if (memcmp(body.at + at, marks[m], size) != 0) continue;
      size_t from = at + size, to;
      while (m == 0 && from < body.size && body.at[from - 1] != '>') from++;
      for (to = from; to < body.size && body.at[to] != (m == 0 ? '<' : '"'); to++) continue;
      return (cq_str){body.at + from, to - from};
    }
  }
  return CQ_STR("");
}

static void add_clean(cq_buf *out, cq_str text) {
  bool blank = true;
  for (size_t at = 0; at < text.size && out->size < CQ_HANDOVER_MAX_MESSAGE - 4;) {
    uint32_t c = cq_utf8_next(text, &at);
    bool is_blank = c <= ' ' || (c >= 0x7f && c < 0xa0);
    if (!is_blank || !blank) cq_buf_add_code_point(out, is_blank ? ' ' : c);
    blank = is_blank;
  }
}

bool rosa_envelope(const rosa *o, cq_buf *message) {
  rosa_xml envelope = {.root = "OpenRosaResponse", .item = "message", .seen = keep_nothing};
  cq_buf_reset(message);
  add_clean(message, message_in(cq_buf_str(&o->http.body)));
  return rosa_xml_read(&envelope, cq_buf_str(&o->http.body), NULL) == CQ_OK;
}
