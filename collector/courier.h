/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child `chasqui-sync handover`, and the server that it speaks with. Nothing
 * of what goes through touches a disk; the child gets no other descriptor of
 * this process.
 */
#ifndef CHASQUI_COLLECTOR_COURIER_H
#define CHASQUI_COLLECTOR_COURIER_H

#include "chasqui/handover.h"
#include "collector/laptop.h"

#include <sys/types.h>

/* A server of others, as the vault knows it. Terminated texts. */
typedef struct cq_server {
  cq_server_kind kind;
  cq_buf name, url, user, secret, ca, forms;
} cq_server;
/* Error: store.server.missing. The caller ends it with _fini, whatever the status. */
cq_status cq_server_find(cq_server *server, cq_store *store, const char *name, cq_error *error);
void cq_server_fini(cq_server *server); /* wipes the secret */

/* The lists of forms that were accepted from it, as they were pulled last. */
cq_status cq_server_refresh(cq_cli *cli, cq_laptop *laptop, const cq_server *server, size_t *count, cq_error *error);

typedef struct cq_courier {
  pid_t pid;
  int fd; /* -1: not started */
  cq_buf frame;
  bool ended;     /* its last frame came */
  cq_error fault; /* what it said there; code NULL: nothing */
} cq_courier;

typedef struct cq_courier_limits {
  int64_t bytes_per_second; /* 0: none */
  int64_t tries;            /* 0: as the courier does */
  int64_t silence_seconds;  /* a line without a byte for so long is broken; 0: as the courier does */
} cq_courier_limits;

/* Starts it from this program's own folder and gives it the server. Errors: collector.courier.start, handover.*. */
cq_status cq_courier_start(cq_courier *courier, const cq_laptop *laptop, const cq_server *server,
                           const cq_courier_limits *limits, cq_error *error);
/* Sends courier->frame. */
cq_status cq_courier_tell(cq_courier *courier, cq_handover_type type, cq_error *error);
/* The next frame into courier->frame. CQ_NOTFOUND without an error where the courier has ended. */
cq_status cq_courier_hear(cq_courier *courier, cq_handover_type *type, cq_error *error);
/* Nothing more comes: waits for its end. What it said last becomes the error, where `status` is none yet. */
cq_status cq_courier_finish(cq_courier *courier, cq_status status, cq_error *error);

#endif
