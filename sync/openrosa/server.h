/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OpenRosa server: requests with what it asks for, account and token to its
 * own address only. Source: OpenRosa 1.0 (docs.getodk.org/openrosa), and what
 * ODK Central and KoboToolbox were seen to do.
 */
#ifndef SYNC_OPENROSA_SERVER_H
#define SYNC_OPENROSA_SERVER_H

#include "chasqui/clock.h"
#include "chasqui/handover.h"
#include "chasqui/keys.h"
#include "sync/http.h"

typedef struct rosa {
  http_line *line;
  cq_buf address;       /* no slash at its end */
  cq_buf authorization; /* a header; empty: none */
  cq_buf user, secret;  /* terminated; empty: none */
  cq_buf ca;
  http_accounts accounts; /* once the server has said which */
  char submission[1200];  /* a path, or the address that HEAD gave */
  uint64_t accept_length;
  int tries; /* of a request over a line that breaks */
  const cq_clock *clock;
  const cq_random *random;
  http_answer http; /* the last */
} rosa;

enum { ROSA_TRIES = 4, ROSA_ACCEPT = 10000000 /* bytes of a request where the server does not say */ };

/* The strings of `server` are copied; its address is made plain, and a token in it is the secret where there is none.
 * Errors: those of cq_server_address. */
cq_status rosa_open(rosa *o, const cq_handover_server *server, int (*stopped)(void), cq_error *error);
void rosa_close(rosa *o);

typedef struct rosa_request {
  const char *method;
  const char *path;         /* after the address, or a whole address */
  const char *etag;         /* If-None-Match; NULL or "": none */
  const char *content_type; /* of the body; NULL: there is none */
  cq_str body;
  size_t limit;
} rosa_request;

/* One request; any HTTP status is CQ_OK, in o->http. Errors: those of http_run. */
cq_status rosa_ask(rosa *o, const rosa_request *request, cq_error *error);
/* The same, again while the line breaks, up to o->tries. */
cq_status rosa_ask_again(rosa *o, const rosa_request *request, cq_error *error);

/* Whether account, address and server are right, and how much it takes. Errors: openrosa.{secret,project,strange,moved,
 * busy}, those of http_run. */
cq_status rosa_greet(rosa *o, cq_error *error);

/* What a status that is not what was hoped for says of the whole run. */
cq_status rosa_fault(const rosa *o, cq_error *error);

/* Whether the last answer's body is an OpenRosa envelope; its <message> is copied to `message` (emptied first), with
 * control characters as blanks, at most CQ_HANDOVER_MAX_MESSAGE bytes. What is no envelope, but text or JSON with a
 * "message", is told as far as it can be. */
bool rosa_envelope(const rosa *o, cq_buf *message);

#endif
