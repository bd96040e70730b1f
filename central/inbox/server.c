/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/server.h"
#include "central/inbox/exchange.h"
#include "central/inbox/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
  struct MHD_Daemon *daemon;
  post *post;
  uint16_t port;
  atomic_size_t buffered;
};

/* --- answering --- */
static enum MHD_Result send_response(http_request *request, unsigned status, const http_header *headers,
                                     struct MHD_Response *response) {
  if (!response) return MHD_NO;
  for (const http_header *h = headers; h && h->name; h++) MHD_add_response_header(response, h->name, h->value);
  enum MHD_Result result = MHD_queue_response(request->connection, status, response);
  MHD_destroy_response(response);
  return result;
}

enum MHD_Result http_respond(http_request *request, unsigned status, const http_header *headers, cq_str body) {
  /* MHD copies the body but takes no const pointer. */
  union {
    const char *in;
    void *out;
  } bytes = {.in = body.size ? body.at : ""};
  return send_response(request, status, headers,
                       MHD_create_response_from_buffer(body.size, bytes.out, MHD_RESPMEM_MUST_COPY));
}

enum MHD_Result http_refuse(http_request *request, unsigned status, const char *code) {
  const http_header headers[] = {
      {"Chasqui-Code", code}, {"Content-Type", "text/plain"}, {status == 503 ? "Retry-After" : NULL, "60"}, {0}};
  return http_respond(request, status, headers, cq_str_from(code));
}

const char *http_header_of(http_request *request, const char *name) {
  return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Where a Range "bytes=N-" begins; 0 where there is none or another kind: then all of it is sent. */
static uint64_t range_start(http_request *request) {
  static const char unit[] = "bytes=";
  const char *range = http_header_of(request, "Range");
  if (!range || strncmp(range, unit, sizeof unit - 1) != 0) return 0;
  cq_str text = cq_str_from(range + sizeof unit - 1);
  int64_t start;
  if (text.size < 2 || text.at[text.size - 1] != '-') return 0;
  text.size--;
  return cq_str_int64(text, &start) && start > 0 ? (uint64_t)start : 0;
}

/* An item that goes out as the line takes it. */
typedef struct sending {
  post *post;
  index_item item;
  uint64_t start;
} sending;

static ssize_t send_piece(void *context, uint64_t at, char *out, size_t most) {
  const sending *s = context;
  cq_buf bytes = {0};
  cq_status status = index_read(post_index_of(s->post), &s->item, s->start + at, most, &bytes, NULL);
  bool some = !status && bytes.size > 0 && bytes.size <= most;
  ssize_t size = some ? (ssize_t)bytes.size : MHD_CONTENT_READER_END_WITH_ERROR;
  if (some) memcpy(out, bytes.at, bytes.size);
  cq_buf_fini(&bytes);
  return size;
}

enum MHD_Result http_send_item(http_request *request, const index_item *item) {
  uint64_t start = range_start(request);
  if (start >= item->size) return http_refuse(request, 416, "post.request.range");
  sending *s = malloc(sizeof *s);
  if (!s) return http_refuse(request, 503, "post.busy");
  *s = (sending){.post = request->post, .item = *item, .start = start};
  char range[96];
  snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)start, (unsigned long long)item->size - 1,
           (unsigned long long)item->size);
  const http_header headers[] = {{"Accept-Ranges", "bytes"},
                                 {"Content-Type", "application/octet-stream"},
                                 {start ? "Content-Range" : NULL, range},
                                 {0}};
  struct MHD_Response *response =
      MHD_create_response_from_callback(item->size - start, SERVER_PIECE_BYTES, send_piece, s, free);
  if (!response) free(s);
  return send_response(request, start ? 206 : 200, headers, response);
}

/* --- routes --- */
static enum MHD_Result exchange(http_request *request) {
  static const http_header headers[] = {{"Content-Type", CQ_PROTOCOL_TYPE}, {0}};
  cq_buf answer = {0};
  cq_error error;
  cq_error_clear(&error);
  enum MHD_Result result;
  cq_status status = exchange_answer(request->post, cq_buf_str(&request->body), &answer, &error);
  switch (status) {
  case CQ_OK: result = http_respond(request, 200, headers, cq_buf_str(&answer)); break;
  case CQ_INVALID: result = http_refuse(request, 400, "post.request.malformed"); break;
  case CQ_LIMIT: result = http_refuse(request, 413, "post.request.large"); break;
  case CQ_FUTURE: result = http_refuse(request, 426, "post.request.future"); break;
  case CQ_REFUSED: result = http_refuse(request, 409, error.code); break;
  default: cq_log_error(post_settings_of(request->post)->log, &error); result = http_refuse(request, 503, "post.busy");
  }
  cq_buf_fini(&answer);
  return result;
}

static enum MHD_Result item(http_request *request) {
  cq_hash hash;
  index_item found;
  bool is_news = false;
  post_index *index = post_index_of(request->post);
  if (!cq_hash_parse(cq_str_from(request->rest), &hash)) return http_refuse(request, 404, "post.request.path");
  cq_status status = index_is_news(index, &hash, &is_news, NULL);
  if (!status && is_news) status = index_find(index, &hash, &found, NULL);
  if (status && status != CQ_NOTFOUND) return http_refuse(request, 503, "post.busy");
  if (status || !is_news || !found.path[0]) return http_refuse(request, 404, "post.request.path");
  return http_send_item(request, &found);
}

typedef struct route {
  const char *method;
  const char *path; /* ends in '/': a prefix, the rest of the path follows */
  size_t body;      /* most bytes of a body */
  enum MHD_Result (*answer)(http_request *request);
  /* A body that is written as it comes. */
  upload_writer *(*begin)(http_request *request, enum MHD_Result *result);
} route;

static const route routes[] = {
    {"POST", "/v1/exchange", CQ_PROTOCOL_MAX_EXCHANGE, exchange, NULL},
    {"GET", "/v1/items/", 0, item, NULL},
    {"GET", "/v1/batches", 0, desk_list, NULL},
    {"GET", "/v1/batches/", 0, desk_batch, NULL},
    {"OPTIONS", "/v1/uploads", 0, uploads_options, NULL},
    {"POST", "/v1/uploads", CQ_PROTOCOL_MAX_ITEM, uploads_create, upload_begin_create},
    {"HEAD", "/v1/uploads/", 0, uploads_head, NULL},
    {"PATCH", "/v1/uploads/", CQ_PROTOCOL_MAX_ITEM, uploads_patch, upload_begin_patch},
    {"DELETE", "/v1/uploads/", 0, uploads_delete, NULL},
};

static bool path_matches(const char *path, const char *url, const char **rest) {
  size_t size = strlen(path);
  bool prefix = path[size - 1] == '/';
  if (strncmp(path, url, size) != 0 || (!prefix && url[size])) return false;
  *rest = url + size;
  return true;
}

/* NULL: none; then *known says whether the path alone is one of ours. */
static const route *find_route(const char *method, const char *url, const char **rest, bool *known) {
  *known = false;
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    if (!path_matches(routes[i].path, url, rest)) continue;
    *known = true;
    if (strcmp(routes[i].method, method) == 0) return &routes[i];
  }
  return NULL;
}

/* --- requests, as they come in --- */
typedef struct incoming {
  http_request request;
  const route *route;
  server *server;
  bool too_large, busy;
} incoming;

static enum MHD_Result begin(server *s, struct MHD_Connection *connection, const char *url, const char *method,
                             void **context) {
  http_request early = {.post = s->post, .connection = connection, .method = method};
  const char *rest = "";
  bool known;
  const route *found = find_route(method, url, &rest, &known);
  if (!found) return http_refuse(&early, known ? 405 : 404, known ? "post.request.method" : "post.request.path");
  const char *length = http_header_of(&early, "Content-Length");
  int64_t bytes;
  if (length && cq_str_int64(cq_str_from(length), &bytes) && bytes > (int64_t)found->body) {
    return http_refuse(&early, 413, "post.request.large");
  }
  early.rest = rest;
  enum MHD_Result result = MHD_NO;
  if (found->begin) {
    early.upload = found->begin(&early, &result);
    if (!early.upload) return result;
  }
  incoming *in = calloc(1, sizeof *in);
  if (!in) {
    upload_close(early.upload);
    return MHD_NO;
  }
  in->request = early;
  in->route = found;
  in->server = s;
  *context = in;
  return MHD_YES;
}

static void gather(incoming *in, const char *bytes, size_t size) {
  if (in->too_large || in->busy) return;
  if (size > in->route->body - in->request.body.size) {
    in->too_large = true;
    return;
  }
  size_t before = in->request.body.capacity;
  cq_buf_add(&in->request.body, bytes, size);
  size_t all = atomic_fetch_add(&in->server->buffered, in->request.body.capacity - before);
  if (in->request.body.failed || all > SERVER_BUFFERED_BYTES) in->busy = true;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **own) {
  server *s = context;
  incoming *in = *own;
  (void)version;
  if (!in) return begin(s, connection, url, method, own);
  if (*size) {
    if (in->request.upload)
      upload_write(in->request.upload, bytes, *size);
    else
      gather(in, bytes, *size);
    *size = 0;
    return MHD_YES;
  }
  if (in->too_large) return http_refuse(&in->request, 413, "post.request.large");
  if (in->busy) return http_refuse(&in->request, 503, "post.busy");
  return in->route->answer(&in->request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own,
                         enum MHD_RequestTerminationCode code) {
  incoming *in = *own;
  (void)context;
  (void)connection;
  (void)code;
  if (!in) return;
  atomic_fetch_sub(&in->server->buffered, in->request.body.capacity);
  cq_buf_fini(&in->request.body);
  upload_close(in->request.upload);
  free(in);
  *own = NULL;
}

/* --- listening --- */
static bool split_address(const char *listen_at, char host[256], char port[16]) {
  const char *colon = strrchr(listen_at, ':');
  if (!colon || strlen(colon + 1) > 5 || colon == listen_at) return false;
  const char *from = listen_at, *to = colon;
  if (*from == '[' && to[-1] == ']') {
    from++;
    to--;
  }
  if ((size_t)(to - from) > 255) return false;
  snprintf(host, 256, "%.*s", (int)(to - from), from);
  snprintf(port, 16, "%s", colon + 1);
  return true;
}

static cq_status open_socket(const char *listen_at, int *out, uint16_t *port_out, cq_error *error) {
  char host[256], port[16];
  struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
  if (!split_address(listen_at, host, port) || getaddrinfo(host, port, &hints, &found) != 0) {
    return cq_error_set(error, CQ_INVALID, "post.listen.address", listen_at, NULL);
  }
  const int on = 1;
  struct sockaddr_storage bound;
  socklen_t size = sizeof bound;
  int fd = socket(found->ai_family, SOCK_STREAM, 0);
  bool good = fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, SERVER_CONNECTIONS) == 0 &&
              getsockname(fd, (struct sockaddr *)&bound, &size) == 0;
  int reason = errno;
  freeaddrinfo(found);
  if (!good) {
    if (fd >= 0) close(fd);
    const char *code = reason == EADDRINUSE                  ? "post.listen.used"
                       : reason == EACCES || reason == EPERM ? "post.listen.denied"
                                                             : "post.listen.address";
    return cq_error_set(error, CQ_IO, code, listen_at, strerror(reason), NULL);
  }
  *port_out = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                : ((struct sockaddr_in *)&bound)->sin_port);
  *out = fd;
  return CQ_OK;
}

cq_status server_start(server **out, const server_settings *settings, cq_error *error) {
  int fd = -1;
  server *s = calloc(1, sizeof *s);
  if (!s) return cq_error_nomem(error);
  s->post = settings->post;
  cq_status status = open_socket(settings->listen, &fd, &s->port, error);
  if (status) {
    free(s);
    return status;
  }
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;
  struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
  if (settings->cert) {
    flags |= MHD_USE_TLS;
    tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)settings->cert};
    tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)settings->key};
  }
  s->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
      NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)SERVER_SILENCE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)2 * SERVER_HEADER_BYTES,
      MHD_OPTION_THREAD_STACK_SIZE, (size_t)(1 << 20), MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
  if (!s->daemon) {
    close(fd);
    free(s);
    return cq_error_set(error, CQ_INVALID, "post.listen.tls", settings->listen, NULL);
  }
  *out = s;
  return CQ_OK;
}

uint16_t server_port(const server *s) {
  return s->port;
}

void server_stop(server *s) {
  if (!s) return;
  MHD_stop_daemon(s->daemon);
  free(s);
}
