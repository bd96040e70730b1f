/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/ahead.h"

#include "chasqui/file.h"

#include <pthread.h>
#include <stdlib.h>

/* Opening a batch takes longer than writing it into the vault, and less than twice as long. */
enum { OPENERS = 2 };

/* A place belongs to an opening thread while it is asked for and not done, else to the caller. */
typedef struct place {
  const char *file;
  cq_opened opened;
  cq_status status;
  cq_error error;
  bool done; /* under the lock */
} place;

typedef struct opening {
  cq_ahead *ahead;
  cq_opener *opener;
  cq_buf path, bytes;
  pthread_t thread;
  bool running;
} opening;

struct cq_ahead {
  const char *folder;
  place places[CQ_AHEAD_MOST]; /* of file n: n % CQ_AHEAD_MOST */
  opening openings[OPENERS];
  size_t taken;         /* of the caller */
  bool held;            /* the caller still looks at the file it took last */
  pthread_mutex_t lock; /* over these three, and what is done */
  size_t asked, begun;
  bool ended;
  pthread_cond_t more, ready;
};

static void open_one(opening *o, place *p) {
  cq_error_clear(&p->error);
  p->status = cq_file_path(&o->path, o->ahead->folder, p->file, &p->error);
  if (p->status == CQ_OK) p->status = cq_file_read(o->path.at, CQ_BATCH_MAX_SIZE, &o->bytes, &p->error);
  if (p->status == CQ_OK) p->status = cq_opener_open(&p->opened, o->opener, cq_buf_str(&o->bytes), &p->error);
}

static void *open_all(void *context) {
  opening *o = context;
  cq_ahead *a = o->ahead;
  pthread_mutex_lock(&a->lock);
  for (;;) {
    while (a->begun == a->asked && !a->ended) pthread_cond_wait(&a->more, &a->lock);
    if (a->ended) break;
    place *p = &a->places[a->begun++ % CQ_AHEAD_MOST];
    pthread_mutex_unlock(&a->lock);
    open_one(o, p);
    pthread_mutex_lock(&a->lock);
    p->done = true;
    pthread_cond_signal(&a->ready);
  }
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

static bool opening_start(opening *o, cq_ahead *a, const cq_beliefs *beliefs) {
  o->ahead = a;
  o->opener = cq_opener_new(beliefs);
  return o->running = o->opener && pthread_create(&o->thread, NULL, open_all, o) == 0;
}

static void opening_fini(opening *o) {
  if (o->running) pthread_join(o->thread, NULL);
  cq_opener_free(o->opener);
  cq_buf_fini(&o->path);
  cq_buf_fini(&o->bytes);
}

cq_status cq_ahead_new(cq_ahead **out, const cq_beliefs *beliefs, const char *folder, cq_error *error) {
  cq_ahead *a = calloc(1, sizeof *a);
  *out = NULL;
  if (!a) return cq_error_nomem(error);
  a->folder = folder;
  pthread_mutex_init(&a->lock, NULL);
  pthread_cond_init(&a->more, NULL);
  pthread_cond_init(&a->ready, NULL);
  for (size_t i = 0; i < OPENERS; i++)
    if (!opening_start(&a->openings[i], a, beliefs)) {
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
  pthread_cond_broadcast(&a->more);
  pthread_mutex_unlock(&a->lock);
  for (size_t i = 0; i < OPENERS; i++) opening_fini(&a->openings[i]);
  for (size_t i = 0; i < CQ_AHEAD_MOST; i++) cq_opened_fini(&a->places[i].opened);
  pthread_cond_destroy(&a->more);
  pthread_cond_destroy(&a->ready);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

/* `asked` is written by the caller alone, who therefore may read it without the lock. */
bool cq_ahead_room(const cq_ahead *a) {
  return a->asked - a->taken + a->held < CQ_AHEAD_MOST;
}

void cq_ahead_ask(cq_ahead *a, const char *file) {
  place *p = &a->places[a->asked % CQ_AHEAD_MOST];
  p->file = file;
  p->done = false;
  pthread_mutex_lock(&a->lock);
  a->asked++;
  pthread_cond_signal(&a->more);
  pthread_mutex_unlock(&a->lock);
}

cq_status cq_ahead_take(cq_ahead *a, const char **file, const cq_opened **opened, cq_error *error) {
  if (a->held) cq_opened_fini(&a->places[(a->taken - 1) % CQ_AHEAD_MOST].opened);
  place *p = &a->places[a->taken++ % CQ_AHEAD_MOST];
  pthread_mutex_lock(&a->lock);
  while (!p->done) pthread_cond_wait(&a->ready, &a->lock);
  pthread_mutex_unlock(&a->lock);
  a->held = true;
  *file = p->file;
  *opened = &p->opened;
  if (p->status != CQ_OK && error) *error = p->error;
  return p->status;
}
