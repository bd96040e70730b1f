/* SPDX-License-Identifier: Apache-2.0 */
/* One interview to an OpenRosa server, with its files over as many requests as it takes. */
#ifndef SYNC_OPENROSA_SUBMIT_H
#define SYNC_OPENROSA_SUBMIT_H

#include "sync/openrosa/server.h"

enum { ROSA_STOPPED_FORMS = 64, ROSA_PIECE = 1 << 20, ROSA_BODY = 100 << 20, ROSA_FAULTS = 5 };

/* What is remembered between the interviews of a run. */
typedef struct rosa_run {
  rosa *o;
  int fd; /* to the collector */
  struct {
    uint64_t form; /* of form id and version */
    unsigned outcome;
  } stopped[ROSA_STOPPED_FORMS]; /* forms that this server does not take now */
  size_t stopped_count;
  int faults;  /* 5xx in a row */
  bool singly; /* 413 came: one file a request */
  cq_buf frame, body;
} rosa_run;

void rosa_run_fini(rosa_run *run);

/*
 * Sends it, and frames *taken* and one *answer* to the collector. CQ_OK: go on with the next one. Otherwise the run is
 * over: those of rosa_fault, http_run, handover.*.
 */
cq_status rosa_submit(rosa_run *run, const cq_handover_submit *record, cq_error *error);

#endif
