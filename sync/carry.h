/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a load to a post and what is new home, over a line that breaks. Says nothing: `push` and `watch` tell. */
#ifndef SYNC_CARRY_H
#define SYNC_CARRY_H

#include "sync/load.h"
#include "sync/upload.h"

typedef struct carry_settings {
  bool again;               /* bring once more what was refused */
  int64_t bytes_per_second; /* 0: as fast as it goes */
  int64_t bytes_per_day;    /* 0: as much as there is */
  int tries;                /* in a row without anything coming through, once the post was reached */
  long silence_seconds;     /* a line without a byte for so long is broken; 0: 60 */
  void (*progress)(void *context, uint64_t moved, uint64_t all, double seconds_left); /* NULL: nobody looks */
  void *context;
} carry_settings;

typedef struct carry {
  courier *courier;
  carry_settings settings;
  load load;
  post_talk talk;
  bool talking;            /* `talk` is open */
  bool reached;            /* an answer of the post was believed in this run */
  size_t piece;            /* bytes that one request may carry, after the line's speed */
  uint64_t waiting, moved; /* bytes of the load; of it brought */
  int64_t begun_ms;        /* monotonic */
  uint64_t progress;       /* grows where something came through: bytes at the post, files of which it has spoken */
  uint64_t counted;        /* bytes of the line that stand in today's sum */
  size_t news_count, receipt_count;
  uint64_t bytes; /* on the line, both ways */
  /* this round */
  load_item *asked_items[CQ_PROTOCOL_MAX_ASKED], *carried_items[CQ_PROTOCOL_MAX_CARRIED];
  cq_hash asked[CQ_PROTOCOL_MAX_ASKED];
  cq_str carried[CQ_PROTOCOL_MAX_CARRIED];
  post_words words;
} carry;

/* On the heap: it is large. NULL: out of memory. */
carry *carry_new(courier *c, const carry_settings *settings);
void carry_free(carry *c);

/*
 * Until nothing is left that this post can be brought. Files that failed keep their state in c->load; what was
 * delivered before a failure is remembered. Errors: those of post_exchange; sync.day (the day's bytes are used up);
 * cli.cancelled.
 */
cq_status carry_to(carry *c, const remote *to, cq_error *error);

size_t carry_count(const carry *c, load_state state);

#endif
