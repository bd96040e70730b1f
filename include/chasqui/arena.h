/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once: one arena per form definition, and
 * scratch arenas reset after each evaluation. Secrets never go into an arena.
 */
#ifndef CHASQUI_ARENA_H
#define CHASQUI_ARENA_H

#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct cq_arena cq_arena;

/* `limit`: bytes the arena may hand out in all (0: no limit). NULL where memory is out. */
cq_arena *cq_arena_new(size_t limit);
void cq_arena_free(cq_arena *arena); /* NULL is fine */

/* Zeroed memory, aligned for any type; NULL where memory or the limit is out. Borrowed until reset or free. */
void *cq_arena_alloc(cq_arena *arena, size_t size);
/* `count` × `size`, checked for overflow. */
void *cq_arena_array(cq_arena *arena, size_t count, size_t size);
/* A terminated copy; `.at` is NULL where memory is out. */
cq_str cq_arena_copy(cq_arena *arena, cq_str text);

/* Where the arena stands now, and back to there: all that was handed out since is given back. */
typedef struct cq_arena_mark {
  void *chunk;
  size_t used;
  size_t total;
} cq_arena_mark;
cq_arena_mark cq_arena_save(const cq_arena *arena);
void cq_arena_rewind(cq_arena *arena, cq_arena_mark mark);
void cq_arena_reset(cq_arena *arena);

/* An allocation was refused because of the limit, and not because memory was out. */
bool cq_arena_full(const cq_arena *arena);
size_t cq_arena_used(const cq_arena *arena); /* bytes handed out */

#endif
