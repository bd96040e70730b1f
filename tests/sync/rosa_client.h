/* SPDX-License-Identifier: Apache-2.0 */
/* The collector's part of a handover, for tests: it gives interviews to a real `chasqui-sync handover`. */
#ifndef TESTS_SYNC_ROSA_CLIENT_H
#define TESTS_SYNC_ROSA_CLIENT_H

#include "chasqui/handover.h"

#include <sys/types.h>

enum { ROSA_CLIENT_MOST = 128, ROSA_CLIENT_FILES = 8 };

typedef struct rosa_give {
  const char *instance, *form, *version, *before; /* before: deprecatedID, NULL: none */
  const char *names[ROSA_CLIENT_FILES];
  cq_str files[ROSA_CLIENT_FILES];
  size_t file_count;
  cq_buf xml; /* made where it is empty */
  /* what came of it */
  unsigned outcome, http; /* 0: no answer came */
  bool taken[ROSA_CLIENT_FILES];
  size_t taken_frames;
  char message[CQ_HANDOVER_MAX_MESSAGE + 1];
} rosa_give;

typedef struct rosa_client {
  const char *home, *url, *user, *secret;
  cq_server_kind kind;
  int tries;
  bool pull;
  int kill_after; /* milliseconds; 0: the courier is left alone */
  /* what came of the run */
  cq_error fault; /* code NULL: none */
  cq_handover_pulled pulled;
  bool ended; /* an end frame came */
  int status; /* of the program */
} rosa_client;

/* "<data id=… version=…>…<meta><instanceID>…": an interview with a text of `size` bytes. */
void rosa_interview(rosa_give *give, size_t size);
/* Those that are not accepted yet, one after the other. */
void rosa_client_run(rosa_client *c, rosa_give *gives, size_t count);

#endif
