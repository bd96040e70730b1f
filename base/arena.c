/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct chunk {
  struct chunk *before;
  size_t size; /* bytes after this header */
  alignas(max_align_t) unsigned char bytes[];
} chunk;

struct cq_arena {
  chunk *last;
  size_t used;  /* in the last chunk */
  size_t total; /* handed out in all */
  size_t limit;
  bool full;
};

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

cq_arena *cq_arena_new(size_t limit) {
  cq_arena *arena = calloc(1, sizeof *arena);
  if (arena) arena->limit = limit;
  return arena;
}

static void free_down_to(cq_arena *arena, chunk *keep) {
  while (arena->last != keep) {
    chunk *before = arena->last->before;
    free(arena->last);
    arena->last = before;
  }
}

void cq_arena_free(cq_arena *arena) {
  if (!arena) return;
  free_down_to(arena, NULL);
  free(arena);
}

void *cq_arena_alloc(cq_arena *arena, size_t size) {
  const size_t step = alignof(max_align_t);
  if (size > SIZE_MAX - step) return NULL;
  size = (size + step - 1) / step * step;
  if (arena->limit && (size > arena->limit || arena->total > arena->limit - size)) {
    arena->full = true;
    return NULL;
  }
  if (!arena->last || size > arena->last->size - arena->used) {
    size_t next = arena->last ? arena->last->size * 2 : FIRST_CHUNK;
    if (next > LARGEST_CHUNK) next = LARGEST_CHUNK;
    if (next < size) next = size;
    if (next > SIZE_MAX - sizeof(chunk)) return NULL;
    chunk *fresh = malloc(sizeof(chunk) + next);
    if (!fresh) return NULL;
    fresh->before = arena->last;
    fresh->size = next;
    arena->last = fresh;
    arena->used = 0;
  }
  void *at = arena->last->bytes + arena->used;
  arena->used += size;
  arena->total += size;
  return memset(at, 0, size);
}

void *cq_arena_array(cq_arena *arena, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  return cq_arena_alloc(arena, count * size);
}

cq_str cq_arena_copy(cq_arena *arena, cq_str text) {
  if (text.size == SIZE_MAX) return (cq_str){NULL, 0};
  char *at = cq_arena_alloc(arena, text.size + 1);
  if (!at) return (cq_str){NULL, 0};
  if (text.size) memcpy(at, text.at, text.size);
  return (cq_str){at, text.size};
}

cq_arena_mark cq_arena_save(const cq_arena *arena) {
  return (cq_arena_mark){arena->last, arena->used, arena->total};
}

void cq_arena_rewind(cq_arena *arena, cq_arena_mark mark) {
  if (!mark.chunk && arena->last) {
    /* keep one chunk, so that a loop of save and rewind does not allocate each time */
    chunk *first = arena->last;
    while (first->before) first = first->before;
    free_down_to(arena, first);
    arena->used = 0;
    arena->total = 0;
    return;
  }
  free_down_to(arena, mark.chunk);
  arena->used = mark.used;
  arena->total = mark.total;
}

void cq_arena_reset(cq_arena *arena) {
  cq_arena_rewind(arena, (cq_arena_mark){NULL, 0, 0});
}

size_t cq_arena_used(const cq_arena *arena) {
  return arena->total;
}

bool cq_arena_full(const cq_arena *arena) {
  return arena->full;
}
