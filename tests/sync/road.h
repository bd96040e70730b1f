/* SPDX-License-Identifier: Apache-2.0 */
/* A world with its post served over HTTP in this process, and the courier's program run beside it. */
#ifndef TESTS_SYNC_ROAD_H
#define TESTS_SYNC_ROAD_H

#include "central/inbox/server.h"
#include "tests/sync/world.h"

typedef struct road {
  world w;
  post *p;
  server *s;
  char url[64];
} road;

void road_open(road *r, const char *name, uint64_t seed);
void road_close(road *r);

/* chasqui-sync VERB [ARG] --json --home HOME: its exit status, and what it writes. */
int sync_at(const char *home, cq_buf *out, const char *verb, const char *arg);
int remote_add(const char *home, const char *url);
void expect(const cq_buf *out, const char *text); /* fails the test where `text` is not in it */
size_t inbox_count(const char *home, const char *ending);

#endif
