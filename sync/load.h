/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be carried: the files of the outbox and of the carried ones, with what became of each. */
#ifndef SYNC_LOAD_H
#define SYNC_LOAD_H

#include "chasqui/protocol.h"
#include "sync/home.h"

typedef enum {
  LOAD_UNKNOWN, /* not asked yet */
  LOAD_LACKING, /* the post does not have it */
  LOAD_KEPT,    /* brought by us now */
  LOAD_ALREADY, /* the post had it */
  LOAD_HELD,
  LOAD_REFUSED,
  LOAD_ERASED, /* by a signed order: settled */
  LOAD_FAILED  /* damaged here, or the post could not take it now */
} load_state;

typedef struct load_item {
  cq_parcel parcel;
  bool is_carried; /* of another laptop */
  cq_hash hash;    /* zero until the file was read */
  load_state state;
  unsigned outcome; /* the post's last word on it */
  const char *code; /* why it is REFUSED or FAILED */
  bool damaged;     /* its bytes are not what its name says */
  bool is_doubtful; /* it was sent, and no answer came: asked about before it is sent again */
  bool broke;       /* the line broke while an exchange carried it: what is not small goes in pieces from then on */
  int uploads;      /* by tus, in this run */
  uint64_t reached; /* bytes that the post had of it, the most that was heard */
} load_item;

typedef struct load {
  load_item *items; /* those that wait: smallest and oldest first */
  size_t count;
  size_t settled;        /* files that need nothing more */
  cq_device_id *devices; /* of all files, and zeros for all, each once */
  size_t device_count;
} load;

typedef enum {
  LOAD_WAITING, /* what was not brought yet */
  LOAD_AGAIN,   /* and what the post refused, or had to erase */
  LOAD_ALL      /* and what was delivered */
} load_which;
/* Forgets what is remembered of files that are gone. */
cq_status load_open(load *l, courier *c, load_which which, cq_error *error);
void load_close(load *l);

/* The file's bytes; its hash is computed the first time. Errors: io.*, sync.item.name (not what its name says). */
cq_status load_read(const courier *c, load_item *item, cq_buf *bytes, cq_error *error);

#endif
