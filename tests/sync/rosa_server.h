/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small OpenRosa server on loopback that answers as ODK Central was seen to
 * (or as a test tells it), keeps submissions in memory across restarts, and
 * counts. It speaks HTTP from a thread of its own.
 */
#ifndef TESTS_SYNC_ROSA_SERVER_H
#define TESTS_SYNC_ROSA_SERVER_H

#include "chasqui/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct rosa_server rosa_server;

#define ROSA_PROJECT "/v1/projects/7"
#define ROSA_TOKEN "cantuta-y-kiswar"

typedef enum { ROSA_BEARER, ROSA_KOBO, ROSA_BASIC, ROSA_DIGEST, ROSA_OPEN } rosa_guard;

rosa_server *rosa_server_start(void); /* guard Bearer; NULL: no sockets */
void rosa_server_end(rosa_server *s);
/* Stops listening, breaking what runs, and listens again on another port with all it held. */
void rosa_server_restart(rosa_server *s);
uint16_t rosa_server_port(const rosa_server *s);
void rosa_server_url(const rosa_server *s, char out[80]);
void rosa_server_guard(rosa_server *s, rosa_guard guard); /* user "ana" where it asks for one */
void rosa_server_accept_length(rosa_server *s, uint64_t bytes);

/* --- what it offers --- */
void rosa_server_form(rosa_server *s, const char *id, const char *version,
                      cq_str xml); /* a new one, or another version */
void rosa_server_media(rosa_server *s, const char *form, const char *name, cq_str bytes, bool list);
void rosa_server_close_form(rosa_server *s, const char *id, bool closed);
void rosa_server_form_hash(rosa_server *s, const char *id,
                           const char *hash);                 /* what the formList says; NULL: the truth */
void rosa_server_form_list(rosa_server *s, const char *body); /* instead of its own; NULL: its own */

/* --- what it answers: the next `times` POSTs (or HEADs) get this instead --- */
typedef enum {
  ROSA_PLAY_STATUS, /* status and body, nothing is kept */
  ROSA_PLAY_LOSE,   /* it is kept, and the line is broken before the answer */
  ROSA_PLAY_KEEP    /* it is kept, and status and body are the answer */
} rosa_play_kind;
typedef struct rosa_play {
  rosa_play_kind kind;
  unsigned status;
  const char *body, *type; /* literals; type NULL: text/html */
  const char *retry_after, *location;
  bool openrosa; /* with the version header */
  size_t times;
} rosa_play;
void rosa_server_play(rosa_server *s, const rosa_play *play);      /* POSTs */
void rosa_server_play_head(rosa_server *s, const rosa_play *play); /* HEADs */

/* --- what came --- */
typedef struct rosa_counts {
  size_t requests, gets, not_modified, heads, posts;
  size_t submissions; /* held */
  size_t identical;   /* POSTs of what it held already, byte for byte, with no new file */
  size_t lost;        /* answers it lost */
  size_t refused;     /* answered with 4xx */
  size_t attachments; /* held */
  uint64_t bytes;     /* of bodies */
} rosa_counts;
rosa_counts rosa_server_counts(rosa_server *s);
bool rosa_server_holds(rosa_server *s, const char *instance_id, cq_str xml);
bool rosa_server_holds_file(rosa_server *s, const char *instance_id, const char *name, cq_str bytes);
/* The last POST's parts, "name type size;name type size;". */
void rosa_server_last(rosa_server *s, cq_buf *out);

#endif
