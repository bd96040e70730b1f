/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/ahead.h"

#include "chasqui/file.h"

#include <pthread.h>
#include <stdlib.h>

/* A place belongs to the opening thread while it is asked for and not done, else to the caller. */
typedef struct place {
  const char *file;
  cq_opened opened;
  cq_status status;
  cq_error error;
} place;

struct cq_ahead {
  const char *folder;
  cq_opener *opener;
  place places[CQ_AHEAD_MOST]; /* of file n: n % CQ_AHEAD_MOST */
  cq_buf path, bytes;          /* of the opening thread */
  size_t taken;                /* of the caller */
  bool held;                   /* the caller still looks at the file it took last */
  pthread_t thread;
  bool running;
  pthread_mutex_t lock; /* over these three */
  size_t asked, done;
  bool ended;
  pthread_cond_t more, ready;
};

static void open_one(cq_ahead *a, place *p) {
  cq_error_clear(&p->error);
  p->status = cq_file_path(&a->path, a->folder, p->file, &p->error);
  if (p->status == CQ_OK) p->status = cq_file_read(a->path.at, CQ_BATCH_MAX_SIZE, &a->bytes, &p->error);
  if (p->status == CQ_OK) p->status = cq_opener_open(&p->opened, a->opener, cq_buf_str(&a->bytes), &p->error);
}

static void *open_all(void *context) {
  cq_ahead *a = context;
  pthread_mutex_lock(&a->lock);
  for (;;) {
    while (a->done == a->asked && !a->ended) pthread_cond_wait(&a->more, &a->lock);
    if (a->ended) break;
    place *p = &a->places[a->done % CQ_AHEAD_MOST];
    pthread_mutex_unlock(&a->lock);
    open_one(a, p);
    pthread_mutex_lock(&a->lock);
    a->done++;
    pthread_cond_signal(&a->ready);
  }
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

cq_status cq_ahead_new(cq_ahead **out, const cq_beliefs *beliefs, const char *folder, cq_error *error) {
  cq_ahead *a = calloc(1, sizeof *a);
  *out = NULL;
  if (!a) return cq_error_nomem(error);
  a->folder = folder;
  pthread_mutex_init(&a->lock, NULL);
  pthread_cond_init(&a->more, NULL);
  pthread_cond_init(&a->ready, NULL);
  a->opener = cq_opener_new(beliefs);
  a->running = a->opener && pthread_create(&a->thread, NULL, open_all, a) == 0;
  if (!a->running) {
    cq_ahead_free(a);
    return cq_error_nomem(error);
  }
  *out = a;
  return CQ_OK;
}

void cq_ahead_free(cq_ahead *a) {
  if (!a) return;
  pthread_mutex_lock(&a->lock);
  a->ended = true;
  pthread_cond_signal(&a->more);
  pthread_mutex_unlock(&a->lock);
  if (a->running) pthread_join(a->thread, NULL);
  for (size_t i = 0; i < CQ_AHEAD_MOST; i++) cq_opened_fini(&a->places[i].opened);
  pthread_cond_destroy(&a->more);
  pthread_cond_destroy(&a->ready);
  pthread_mutex_destroy(&a->lock);
  cq_opener_free(a->opener);
  cq_buf_fini(&a->path);
  cq_buf_fini(&a->bytes);
  free(a);
}

/* `asked` is written by the caller alone, who therefore may read it without the lock. */
bool cq_ahead_room(const cq_ahead *a) {
  return a->asked - a->taken + a->held < CQ_AHEAD_MOST;
}

void cq_ahead_ask(cq_ahead *a, const char *file) {
  a->places[a->asked % CQ_AHEAD_MOST].file = file;
  pthread_mutex_lock(&a->lock);
  a->asked++;
  pthread_cond_signal(&a->more);
  pthread_mutex_unlock(&a->lock);
}

cq_status cq_ahead_take(cq_ahead *a, const char **file, const cq_opened **opened, cq_error *error) {
  if (a->held) cq_opened_fini(&a->places[(a->taken - 1) % CQ_AHEAD_MOST].opened);
  pthread_mutex_lock(&a->lock);
  while (a->done == a->taken) pthread_cond_wait(&a->ready, &a->lock);
  pthread_mutex_unlock(&a->lock);
  place *p = &a->places[a->taken++ % CQ_AHEAD_MOST];
  a->held = true;
  *file = p->file;
  *opened = &p->opened;
  if (p->status != CQ_OK && error) *error = p->error;
  return p->status;
}
