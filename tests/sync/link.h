/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bad line: a TCP proxy on loopback between a courier and a post that does
 * to the next connections what a plan says. It counts what it really did, so
 * that a test can fail where nothing was injected.
 */
#ifndef TESTS_SYNC_LINK_H
#define TESTS_SYNC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  LINK_CLEAN,
  LINK_CUT_UP,       /* the line ends after so many bytes towards the post */
  LINK_CUT_DOWN,     /* … towards the courier */
  LINK_RESET,        /* the same with a reset (RST) */
  LINK_HALF_OPEN,    /* after so many bytes towards the post nothing goes any more, and nobody is told */
  LINK_CORRUPT_UP,   /* the byte there is changed */
  LINK_CORRUPT_DOWN, /* the same towards the courier */
  LINK_PORTAL,       /* a captive portal answers 200 to everything */
  LINK_SLOW,         /* each piece waits `delay_ms` and is at most `at` bytes */
  LINK_LOSS,         /* in pieces of a packet's size, each of which ends the line with a chance of `loss_percent` */
  LINK_KINDS
} link_kind;

typedef struct link_plan {
  link_kind kind;
  uint64_t at;               /* bytes */
  int delay_ms;              /* of LINK_SLOW */
  int loss_percent;          /* of LINK_LOSS */
  int round_trip_ms;         /* of any kind: half of it each time the line turns round */
  uint64_t bytes_per_second; /* of any kind; 0: as fast as it goes */
} link_plan;

typedef struct link link_proxy;

link_proxy *link_open(uint16_t post_port);        /* NULL: no sockets */
uint16_t link_port(const link_proxy *l);          /* where the courier goes */
void link_post(link_proxy *l, uint16_t port);     /* the post stands elsewhere now */
void link_set(link_proxy *l, link_plan plan);     /* for all connections from now on */
void link_seed(link_proxy *l, uint64_t seed);     /* of the losses */
size_t link_count(link_proxy *l, link_kind kind); /* faults that really happened */
uint64_t link_bytes(link_proxy *l, bool up);      /* that went through, towards the post or the courier */
void link_close(link_proxy *l);                   /* ends all connections */

extern const char *const link_names[LINK_KINDS];

#endif
