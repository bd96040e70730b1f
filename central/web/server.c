/* SPDX-License-Identifier: Apache-2.0 */
#include "central/web/server.h"
#include "central/web/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  TOKEN_BYTES = 16,
  TOKEN = 2 * TOKEN_BYTES,
  MOST_BODY = 4096,
  CONNECTIONS = 32,
  SILENCE_S = 30,
  MEMORY = 32 << 10
};

struct cq_web {
  struct MHD_Daemon *daemon;
  cq_desk *desk;
  char origin[40];              /* "http://127.0.0.1:8471" */
  char address[40 + TOKEN + 2]; /* and "/TOKEN/" */
  char base[TOKEN + 2];         /* "/TOKEN" */
  cq_buf said;                  /* what the last change did */
};

typedef struct asking {
  cq_buf body;
  bool large;
} asking;

/* --- answering --- */

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type, cq_str body,
                               const char *location) {
  static const char *const headers[][2] = {
      /* no script, no picture, no font, nothing from elsewhere; nobody may put the page into a frame */
      {"Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                                  "frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "same-origin"},
      {"Cache-Control", "no-store"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"}};
  /* it copies the body but takes no const pointer */
  union {
    const char *in;
    void *out;
  } bytes = {.in = body.size ? body.at : ""};
  struct MHD_Response *response = MHD_create_response_from_buffer(body.size, bytes.out, MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
    MHD_add_response_header(response, headers[i][0], headers[i][1]);
  MHD_add_response_header(response, "Content-Type", type);
  if (location) MHD_add_response_header(response, "Location", location);
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status) {
  char text[16];
  snprintf(text, sizeof text, "%u\n", status);
  return respond(connection, status, "text/plain", cq_str_from(text), NULL);
}

static const char *header(struct MHD_Connection *connection, const char *name) {
  const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value ? value : "";
}

/* 0: it may be answered; else the status to refuse it with. *rest is the path below the token. */
static unsigned check(const cq_web *web, struct MHD_Connection *connection, const char *url, const char *method,
                      const char **rest) {
  const char *host = header(connection, "Host"), *origin = header(connection, "Origin");
  const char *port = strrchr(web->origin, ':');
  size_t base = strlen(web->base);
  bool ours = strcmp(host, web->origin + strlen("http://")) == 0 ||
              (strncmp(host, "localhost", 9) == 0 && strcmp(host + 9, port) == 0);
  if (!ours) return 421;
  bool same = strncmp(origin, "http://", 7) == 0 && strcmp(origin + 7, host) == 0;
  if (*origin && !same) return 403;
  /* in a time that does not tell how much of it was right */
  cq_hash asked = cq_hash_of(url, strnlen(url, base)), token = cq_hash_of(web->base, base);
  if (!cq_hash_equal(&asked, &token) || (url[base] != '/' && url[base] != '\0')) return 404;
  *rest = url + base;
  if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "POST") != 0) return 405;
  return 0;
}

/* --- what was asked --- */

static int digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* A field of a form's body, decoded; false where it is not there or holds what no text does. */
static bool body_field(cq_str body, const char *name, char out[CQ_WEB_VALUE]) {
  size_t size = strlen(name);
  for (size_t at = 0; at < body.size;) {
    size_t end = at;
    while (end < body.size && body.at[end] != '&') end++;
    if (end - at > size && memcmp(body.at + at, name, size) == 0 && body.at[at + size] == '=') {
      size_t used = 0;
      for (size_t i = at + size + 1; i < end; i++) {
        char c = body.at[i] == '+' ? ' ' : body.at[i];
        if (c == '%') {
          if (end - i < 3 || digit(body.at[i + 1]) < 0 || digit(body.at[i + 2]) < 0) return false;
          c = (char)(digit(body.at[i + 1]) * 16 + digit(body.at[i + 2]));
          i += 2;
        }
        if (!c || used + 1 == CQ_WEB_VALUE) return false;
        out[used++] = c;
      }
      out[used] = '\0';
      return cq_utf8_valid((cq_str){out, used});
    }
    at = end + 1;
  }
  return false;
}

static const char *argument(void *context, const char *name) {
  const char *value = MHD_lookup_connection_value(context, MHD_GET_ARGUMENT_KIND, name);
  return value && strlen(value) < CQ_WEB_VALUE && cq_utf8_valid(cq_str_from(value)) ? value : NULL;
}

/* --- what is done --- */

/* A page that failed half-way may have left a transaction open. */
static void settle(const cq_web *web) {
  if (!sqlite3_get_autocommit(web->desk->db)) cq_desk_exec(web->desk, "ROLLBACK", NULL);
}

static enum MHD_Result show(cq_web *web, struct MHD_Connection *connection, const char *rest) {
  cq_buf page = {0};
  cq_web_ask ask = {.desk = web->desk,
                    .base = web->base,
                    .said = cq_buf_str(&web->said),
                    .argument = argument,
                    .context = connection};
  if (!*rest) return respond(connection, 303, "text/plain", CQ_STR(""), web->address + strlen(web->origin));
  if (strcmp(rest, "/style.css") == 0) return respond(connection, 200, "text/css", cq_web_style(), NULL);
  cq_web_language(header(connection, "Accept-Language"));
  unsigned status = cq_web_page(&page, &ask, rest);
  settle(web);
  enum MHD_Result result = page.failed
                               ? refuse(connection, 503)
                               : respond(connection, status, "text/html; charset=utf-8", cq_buf_str(&page), NULL);
  cq_buf_fini_secret(&page);
  return result;
}

static enum MHD_Result change(cq_web *web, struct MHD_Connection *connection, const char *rest, cq_str body) {
  char a[CQ_WEB_VALUE] = "", b[CQ_WEB_VALUE] = "", as[CQ_WEB_VALUE] = "", to[40 + TOKEN];
  cq_web_language(header(connection, "Accept-Language"));
  cq_buf_reset(&web->said);
  if (strcmp(rest, "/merge") == 0) {
    cq_web_merge(&web->said, web->desk);
    snprintf(to, sizeof to, "%s/?done=", web->base);
  } else if (strcmp(rest, "/review") == 0) {
    if (!body_field(body, "a", a) || !body_field(body, "b", b) || !body_field(body, "as", as))
      return refuse(connection, 400);
    if (strcmp(as, "same") != 0 && strcmp(as, "different") != 0) return refuse(connection, 400);
    cq_web_decide(&web->said, web->desk, a, b, strcmp(as, "same") == 0);
    snprintf(to, sizeof to, "%s/review?done=", web->base);
  } else {
    return refuse(connection, 404);
  }
  return respond(connection, 303, "text/plain", CQ_STR(""), to);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **own) {
  cq_web *web = context;
  const char *rest = "";
  asking *a = *own;
  (void)version;
  unsigned refused = check(web, connection, url, method, &rest);
  if (refused) return refuse(connection, refused);
  if (!a) {
    *own = calloc(1, sizeof *a);
    return *own ? MHD_YES : MHD_NO;
  }
  if (*size) {
    if (a->body.size + *size > MOST_BODY)
      a->large = true;
    else
      cq_buf_add(&a->body, bytes, *size);
    *size = 0;
    return MHD_YES;
  }
  if (a->large) return refuse(connection, 413);
  if (a->body.failed) return refuse(connection, 503);
  return strcmp(method, "POST") == 0 ? change(web, connection, rest, cq_buf_str(&a->body))
                                     : show(web, connection, rest);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own,
                         enum MHD_RequestTerminationCode code) {
  asking *a = *own;
  (void)context;
  (void)connection;
  (void)code;
  if (!a) return;
  cq_buf_fini_secret(&a->body);
  free(a);
  *own = NULL;
}

/* --- listening --- */

static cq_status listen_at(uint16_t *port, int *out, cq_error *error) {
  const int on = 1;
  char number[8];
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  bool good = fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, CONNECTIONS) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &size) == 0;
  int reason = errno;
  snprintf(number, sizeof number, "%u", (unsigned)*port);
  if (!good) {
    if (fd >= 0) close(fd);
    const char *code = reason == EADDRINUSE                  ? "desk.listen.used"
                       : reason == EACCES || reason == EPERM ? "desk.listen.denied"
                                                             : "desk.listen.failed";
    return cq_error_set(error, CQ_IO, code, number, strerror(reason), NULL);
  }
  *port = ntohs(at.sin_port);
  *out = fd;
  return CQ_OK;
}

cq_status cq_web_start(cq_web **out, cq_desk *desk, uint16_t port, cq_error *error) {
  uint8_t token[TOKEN_BYTES];
  cq_buf hex = {0};
  int fd = -1;
  *out = NULL;
  cq_status status = listen_at(&port, &fd, error);
  if (status != CQ_OK) return status;
  cq_web *web = calloc(1, sizeof *web);
  cq_random_system.fill(cq_random_system.context, token, sizeof token);
  cq_buf_add_hex(&hex, token, sizeof token);
  if (!web || hex.failed) {
    close(fd);
    free(web);
    return cq_error_nomem(error);
  }
  web->desk = desk;
  snprintf(web->origin, sizeof web->origin, "http://127.0.0.1:%u", (unsigned)port);
  snprintf(web->base, sizeof web->base, "/%s", hex.at);
  snprintf(web->address, sizeof web->address, "%s%s/", web->origin, web->base);
  cq_buf_fini_secret(&hex);
  web->daemon = MHD_start_daemon(MHD_NO_FLAG, 0, NULL, NULL, on_request, web, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_END);
  if (!web->daemon) {
    close(fd);
    cq_web_stop(web);
    return cq_error_nomem(error);
  }
  *out = web;
  return CQ_OK;
}

const char *cq_web_address(const cq_web *web) {
  return web->address;
}

void cq_web_run(cq_web *web, int wait_ms) {
  MHD_run_wait(web->daemon, wait_ms);
}

void cq_web_stop(cq_web *web) {
  if (!web) return;
  if (web->daemon) MHD_stop_daemon(web->daemon);
  cq_buf_fini(&web->said);
  cq_wipe(web, sizeof *web);
  free(web);
}
