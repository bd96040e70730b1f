/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line to one server: HTTP requests over libcurl with what a bad line
 * needs. Connections are kept between requests; proxies are those of the
 * environment; TLS is verified against the system or a pinned certificate.
 * Nothing here knows what the bytes mean.
 */
#ifndef SYNC_HTTP_H
#define SYNC_HTTP_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct http_line http_line;

typedef struct http_settings {
  const char *base;          /* "https://post.example.org/chasqui", no slash at its end; borrowed */
  const char *ca_file;       /* certificates to trust instead of the system's; NULL: the system's */
  cq_str ca_pem;             /* the same as bytes, borrowed; empty: none */
  const char *user, *secret; /* for requests with `accounts`; borrowed; NULL: none */
  int64_t bytes_per_second;  /* --limit-rate; 0: as fast as it goes */
  long connect_seconds;      /* 0: 60 */
  long silence_seconds;      /* a transfer without a byte for so long is broken; 0: as http_patience says */
  int (*stopped)(void);      /* asked all the time; other than 0 ends the request; NULL: never */
} http_settings;

/* The strings of `settings` are copied. NULL: out of memory. */
http_line *http_open(const http_settings *settings);
void http_close(http_line *line);

/* ANY asks the server first and shows a Digest where it knows one. */
typedef enum { HTTP_NOBODY, HTTP_ANY, HTTP_BASIC, HTTP_DIGEST } http_accounts;

typedef struct http_request {
  const char *method;         /* "GET", … */
  const char *path;           /* after the base, "/v1/exchange", or a whole address */
  const char *const *headers; /* "Name: value", ended by NULL; may be NULL */
  bool has_body;
  cq_str body;
  size_t limit; /* bytes of an answer's body that are read; more is sync.net.large */
  /* Where the body goes instead of `body` of the answer, for status 200 and 206 alone. Not 0: stop. */
  int (*sink)(void *context, const char *bytes, size_t size);
  void (*moved)(void *context, uint64_t up, uint64_t down); /* bytes of this request so far; may be NULL */
  void *context;
  http_accounts accounts; /* how user and secret are shown */
  bool unverified;        /* TLS is not verified: for a signed hello alone, where a wrong clock made TLS fail */
} http_request;

typedef struct http_answer {
  int status;
  cq_buf body;
  char code[64];         /* Chasqui-Code; "" */
  char location[512];    /* Location; "" */
  int64_t upload_offset; /* Upload-Offset; -1: none */
  int64_t upload_length; /* Upload-Length; -1: none */
  int64_t retry_seconds; /* Retry-After; -1: none */
  int64_t date_utc_ms;   /* Date; -1: none */
  bool openrosa;         /* an X-OpenRosa-Version header came */
  int64_t accept_length; /* X-OpenRosa-Accept-Content-Length; -1: none */
  char etag[128];
  char type[64];           /* Content-Type; "" */
  http_accounts accounts;  /* what the server asked for with its 401, of which it is believed most */
  uint64_t sent, received; /* bytes with headers, without TLS */
  double seconds;
} http_answer;

void http_answer_fini(http_answer *answer);

/*
 * One request; CQ_OK with any HTTP status. `answer` is emptied first and may be filled in part after a failure.
 * Errors (CQ_IO, argument: the host): sync.net.{name,connect,time,tls,tls.date,broken,proxy}; sync.net.large
 * (CQ_LIMIT), sync.net.url (CQ_INVALID), cli.cancelled.
 */
cq_status http_run(http_line *line, const http_request *request, http_answer *answer, cq_error *error);

/*
 * Seconds without a byte after which a line is broken: 60 while nothing of it is known, then 10 and four times the
 * longest wait for an answer so far, and twice what the body takes at the line's speed (0: not known, 2G's), since what
 * is handed to the system has not yet arrived; from 15 to 300.
 */
long http_patience(double longest_answer, double bytes_per_second, size_t body);

/* What the line has carried since it was opened, both ways, with headers. */
uint64_t http_total(const http_line *line);

#endif
