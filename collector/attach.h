/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file as the answer to a question of type image, audio, video or file: found
 * by the path that was typed or pasted, looked at, and read into the vault. What
 * the laptop calls it stays on the laptop: the answer is a name that betrays nothing.
 */
#ifndef CHASQUI_COLLECTOR_ATTACH_H
#define CHASQUI_COLLECTOR_ATTACH_H

#include "chasqui/clock.h"
#include "chasqui/store.h"
#include "collector/media.h"

enum {
  CQ_ATTACH_MAX = 100 * 1000 * 1000, /* bytes of one file: what ODK Central takes in one request */
  CQ_ATTACH_NAME = 24                /* of a name, with its end */
};

typedef struct cq_attached {
  char name[CQ_ATTACH_NAME]; /* "4839201746582.jpg" */
  uint8_t hash[CQ_STORE_HASH];
  int64_t size; /* bytes */
} cq_attached;

/*
 * What was typed, as a path: quotes and backslashes of a shell taken off, file:// read, "~" the home folder; what does
 * not begin with a slash is sought in `folder` (NULL: where the program stands). `path` is emptied first.
 */
cq_status cq_attach_path(cq_buf *path, cq_str typed, const char *folder, cq_error *error);

/* Asked now and then while a file of more than CQ_ATTACH_NOTICED bytes is read; false: it is not taken. */
enum { CQ_ATTACH_NOTICED = 8 * 1000 * 1000 };
typedef struct cq_attach_watch {
  bool (*go_on)(void *context, uint64_t done, uint64_t total); /* NULL: nobody is asked */
  void *context;
} cq_attach_watch;

/*
 * Reads a file into the vault's chunks; a name for it is drawn. Refused, and nothing kept: collector.attach.none,
 * .folder, .special (no ordinary file), .open, .empty, .large (arguments its size and the most), .kind (not what
 * `wanted` asks for; argument what it is), .read, .stopped (by `watch`). Errors of the store besides.
 */
cq_status cq_attach_read(cq_attached *attached, cq_store *store, const char *path, cq_str wanted,
                         const cq_random *random, const cq_attach_watch *watch, cq_error *error);

/*
 * Completes what was typed as far as it is plain; `typed` is replaced in place, a folder ends in a slash. `offered`
 * gets the names that it may still become, with blanks between, where there are several (emptied first). False where
 * nothing begins so.
 */
bool cq_attach_complete(cq_buf *typed, cq_buf *offered);

/* "JPEG image, 1.2 MB". Appends. */
void cq_attach_words(const cq_attached *attached, cq_buf *out);

#endif
