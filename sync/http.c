/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What OpenSSL says of a certificate that is not valid yet, or no longer: mostly it is our clock that is wrong. */
enum { TLS_NOT_YET_VALID = 9, TLS_EXPIRED = 10 };

/* Bytes that tell the line's speed and not its delay; and bytes a second to count with before it is known: 2G's. */
enum { TELLING_BYTES = 4000, SLOW_LINE = 4000 };

struct http_line {
  CURL *curl;
  char *base, *ca_file;
  http_settings settings;
  uint64_t total;
  double longest_answer, bytes_per_second; /* measured on this line; 0: nothing yet */
};

typedef struct run {
  http_line *line;
  const http_request *request;
  http_answer *answer;
  bool too_large, sink_stopped, stopped;
} run;

static bool curl_ready(void) {
  static bool ready;
  if (!ready) ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

http_line *http_open(const http_settings *settings) {
  http_line *line = calloc(1, sizeof *line);
  if (!line || !curl_ready()) goto fail;
  line->settings = *settings;
  line->base = strdup(settings->base);
  line->ca_file = settings->ca_file ? strdup(settings->ca_file) : NULL;
  line->curl = curl_easy_init();
  if (!line->base || !line->curl || (settings->ca_file && !line->ca_file)) goto fail;
  return line;
fail:
  http_close(line);
  return NULL;
}

void http_close(http_line *line) {
  if (!line) return;
  if (line->curl) curl_easy_cleanup(line->curl);
  free(line->base);
  free(line->ca_file);
  free(line);
}

void http_answer_fini(http_answer *answer) {
  if (answer) cq_buf_fini(&answer->body);
}

uint64_t http_total(const http_line *line) {
  return line->total;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
  run *r = context;
  size *= one;
  long status = 0;
  curl_easy_getinfo(r->line->curl, CURLINFO_RESPONSE_CODE, &status);
  if (r->request->sink && (status == 200 || status == 206)) {
    if (r->request->sink(r->request->context, bytes, size) == 0) return size;
    r->sink_stopped = true;
    return 0;
  }
  if (size > r->request->limit - r->answer->body.size) {
    r->too_large = true;
    return 0;
  }
  cq_buf_add(&r->answer->body, bytes, size);
  return r->answer->body.failed ? 0 : size;
}

static bool header_is(cq_str *line, const char *name) {
  size_t size = strlen(name);
  if (line->size <= size || strncasecmp(line->at, name, size) != 0 || line->at[size] != ':') return false;
  *line = cq_str_trim((cq_str){line->at + size + 1, line->size - size - 1});
  return true;
}

static void header_text(cq_str value, char *out, size_t size) {
  snprintf(out, size, "%.*s", (int)(value.size < size ? value.size : size - 1), value.at);
}

static void header_number(cq_str value, int64_t *out) {
  int64_t number;
  if (cq_str_int64(value, &number) && number >= 0) *out = number;
}

static void header_date(cq_str value, int64_t *out) {
  char text[64];
  header_text(value, text, sizeof text);
  time_t at = curl_getdate(text, NULL);
  if (at > 0) *out = (int64_t)at * 1000;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context) {
  run *r = context;
  http_answer *answer = r->answer;
  size *= one;
  cq_str line = {bytes, size};
  if (header_is(&line, "Chasqui-Code"))
    header_text(line, answer->code, sizeof answer->code);
  else if (header_is(&line, "Location"))
    header_text(line, answer->location, sizeof answer->location);
  else if (header_is(&line, "ETag"))
    header_text(line, answer->etag, sizeof answer->etag);
  else if (header_is(&line, "Upload-Offset"))
    header_number(line, &answer->upload_offset);
  else if (header_is(&line, "Upload-Length"))
    header_number(line, &answer->upload_length);
  else if (header_is(&line, "Retry-After"))
    header_number(line, &answer->retry_seconds);
  else if (header_is(&line, "Date"))
    header_date(line, &answer->date_utc_ms);
  else if (header_is(&line, "X-OpenRosa-Version"))
    answer->openrosa = true;
  else if (header_is(&line, "X-OpenRosa-Accept-Content-Length"))
    header_number(line, &answer->accept_length);
  else if (header_is(&line, "Content-Type"))
    header_text(line, answer->type, sizeof answer->type);
  return size;
}

static int on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up) {
  run *r = context;
  (void)down_all;
  (void)up_all;
  if (r->request->moved) r->request->moved(r->request->context, (uint64_t)up, (uint64_t)down);
  if (!r->line->settings.stopped || !r->line->settings.stopped()) return 0;
  r->stopped = true;
  return 1;
}

static cq_status net_error(const run *r, CURLcode code, cq_error *error) {
  const char *host = r->line->base;
  if (r->stopped) return cq_error_set(error, CQ_CANCELLED, "cli.cancelled", NULL);
  if (r->too_large) return cq_error_set(error, CQ_LIMIT, "sync.net.large", host, NULL);
  if (r->sink_stopped || code == CURLE_OUT_OF_MEMORY || r->answer->body.failed) return cq_error_nomem(error);
  const char *what = "sync.net.broken";
  switch (code) {
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_URL_MALFORMAT: return cq_error_set(error, CQ_INVALID, "sync.net.url", host, NULL);
  case CURLE_COULDNT_RESOLVE_HOST: what = "sync.net.name"; break;
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_PROXY: what = "sync.net.proxy"; break;
  case CURLE_COULDNT_CONNECT: what = "sync.net.connect"; break;
  case CURLE_OPERATION_TIMEDOUT: what = "sync.net.time"; break;
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CONNECT_ERROR: what = "sync.net.tls"; break;
  case CURLE_PEER_FAILED_VERIFICATION: {
    long verify = 0;
    curl_easy_getinfo(r->line->curl, CURLINFO_SSL_VERIFYRESULT, &verify);
    what = verify == TLS_NOT_YET_VALID || verify == TLS_EXPIRED ? "sync.net.tls.date" : "sync.net.tls";
    break;
  }
  default: break;
  }
  return cq_error_set(error, CQ_IO, what, host, curl_easy_strerror(code), NULL);
}

long http_patience(double longest_answer, double bytes_per_second, size_t body) {
  if (longest_answer <= 0) return 60;
  double seconds = 10 + 4 * longest_answer + 2 * (double)body / (bytes_per_second > 0 ? bytes_per_second : SLOW_LINE);
  return seconds < 15 ? 15 : seconds > 300 ? 300 : (long)seconds;
}

/* Connections that are kept begin no new handshake, so that the first answer is the longest; that errs the safe way. */
static void measure(http_line *line, const http_answer *answer) {
  double first = 0;
  curl_easy_getinfo(line->curl, CURLINFO_STARTTRANSFER_TIME, &first);
  if (first > line->longest_answer) line->longest_answer = first;
  double bytes = (double)(answer->sent + answer->received);
  if (answer->seconds > 0 && bytes >= TELLING_BYTES) {
    double speed = bytes / answer->seconds;
    line->bytes_per_second = line->bytes_per_second > 0 ? (line->bytes_per_second + speed) / 2 : speed;
  }
}

/* The options of one request; a handle is reset each time, its connections stay. */
static void set_options(run *r, const char *url, struct curl_slist *headers) {
  CURL *curl = r->line->curl;
  const http_request *request = r->request;
  const http_settings *settings = &r->line->settings;
  curl_easy_reset(curl);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "chasqui-sync/1");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, settings->connect_seconds ? settings->connect_seconds : 60L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   settings->silence_seconds ? settings->silence_seconds
                                             : http_patience(r->line->longest_answer, r->line->bytes_per_second,
                                                             request->has_body ? request->body.size : 0));
  if (settings->bytes_per_second) {
    curl_easy_setopt(curl, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)settings->bytes_per_second);
    curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)settings->bytes_per_second);
  }
  if (r->line->ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, r->line->ca_file);
  if (settings->ca_pem.size) {
    struct curl_blob pem = {.data = (void *)(uintptr_t)settings->ca_pem.at, .len = settings->ca_pem.size};
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &pem);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
  }
  if (request->accounts && settings->user) {
    static const unsigned long ways[] = {CURLAUTH_NONE, CURLAUTH_BASIC | CURLAUTH_DIGEST, CURLAUTH_BASIC,
                                         CURLAUTH_DIGEST};
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)ways[request->accounts]);
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->secret ? settings->secret : "");
  }
  if (request->unverified) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (request->has_body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.size ? request->body.at : "");
  }
  if (strcmp(request->method, "HEAD") == 0)
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  else
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, r);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, r);
}

static void count_bytes(run *r) {
  CURL *curl = r->line->curl;
  long request_size = 0, header_size = 0;
  curl_off_t up = 0, down = 0;
  curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_size);
  curl_easy_getinfo(curl, CURLINFO_HEADER_SIZE, &header_size);
  curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(curl, CURLINFO_SIZE_DOWNLOAD_T, &down);
  /* libcurl counts a body that went out together with the headers among the headers too. */
  r->answer->sent = (uint64_t)request_size + (up > request_size ? (uint64_t)up : 0);
  r->answer->received = (uint64_t)header_size + (uint64_t)down;
  r->line->total += r->answer->sent + r->answer->received;
  curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME, &r->answer->seconds);
  long offered = 0;
  curl_easy_getinfo(curl, CURLINFO_HTTPAUTH_AVAIL, &offered);
  if (offered & (long)CURLAUTH_DIGEST)
    r->answer->accounts = HTTP_DIGEST;
  else if (offered & (long)CURLAUTH_BASIC)
    r->answer->accounts = HTTP_BASIC;
}

cq_status http_run(http_line *line, const http_request *request, http_answer *answer, cq_error *error) {
  run r = {.line = line, .request = request, .answer = answer};
  cq_buf body = answer->body;
  *answer = (http_answer){.body = body,
                          .upload_offset = -1,
                          .upload_length = -1,
                          .retry_seconds = -1,
                          .date_utc_ms = -1,
                          .accept_length = -1};
  cq_buf_reset(&answer->body);
  cq_status status = CQ_OK;
  cq_buf url = {0};
  struct curl_slist *headers = NULL;
  if (strncmp(request->path, "http", 4) != 0) cq_buf_add_text(&url, line->base);
  cq_buf_add_text(&url, request->path);
  /* curl would ask "Expect: 100-continue" for larger bodies and wait a second for proxies that do not know it. */
  headers = curl_slist_append(NULL, "Expect:");
  for (const char *const *h = request->headers; headers && h && *h; h++) {
    struct curl_slist *longer = curl_slist_append(headers, *h);
    if (!longer) curl_slist_free_all(headers);
    headers = longer;
  }
  if (!headers || url.failed) {
    status = cq_error_nomem(error);
    goto out;
  }
  set_options(&r, url.at, headers);
  CURLcode code = curl_easy_perform(line->curl);
  long http_status = 0;
  curl_easy_getinfo(line->curl, CURLINFO_RESPONSE_CODE, &http_status);
  answer->status = (int)http_status;
  count_bytes(&r);
  if (code != CURLE_OK)
    status = net_error(&r, code, error);
  else
    measure(line, answer);
out:
  curl_slist_free_all(headers);
  cq_buf_fini(&url);
  return status;
}
