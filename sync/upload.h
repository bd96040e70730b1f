/* SPDX-License-Identifier: Apache-2.0 */
/* tus 1.0 from the courier's side: one large item in pieces, going on where an earlier try stopped. */
#ifndef SYNC_UPLOAD_H
#define SYNC_UPLOAD_H

#include "sync/post.h"

enum { UPLOAD_PIECE_LEAST = 1 << 10, UPLOAD_PIECE_FIRST = 64 << 10, UPLOAD_PIECE_MOST = 4 << 20 };

/* How fast the line was: what one request may carry so that a cut costs about ten seconds. A quarter after
 * each fault, at most twice as much after what came through. */
size_t upload_piece_after(size_t piece, uint64_t bytes, double seconds, bool broke);

typedef struct upload {
  cq_str bytes;
  cq_hash hash;
  size_t piece;                                      /* kept between uploads */
  uint64_t offset;                                   /* how far it has come */
  void (*moved)(void *context, uint64_t sent_of_it); /* for progress; may be NULL */
  void *context;
  char code[64];  /* the post's code where it is complete or refused */
  char path[600]; /* where it stands at the post */
} upload;

/*
 * One try: asks where it stands, and sends until it is complete. CQ_OK: complete (a receipt comes with the next
 * exchange) or known to the post. CQ_REFUSED sync.post.refused with u->code: the post does not want it. Others: as
 * http_run; trying again goes on from where it stood.
 */
cq_status upload_try(post_talk *t, upload *u, cq_error *error);

#endif
