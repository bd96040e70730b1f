/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/tree.h"

#include <stdlib.h>
#include <string.h>

struct cq_names {
  const cq_names *base; /* NULL, or whose atoms are below `from` */
  uint32_t from;        /* the first atom of its own */
  cq_arena *texts;
  cq_str *text;    /* by atom - from */
  uint32_t *hash;  /* by atom - from */
  uint32_t *slots; /* open addressing: atom - from + 1, 0 empty */
  size_t count, capacity, slot_count;
};

static uint32_t hash_of(cq_str text) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < text.size; i++) hash = (hash ^ (unsigned char)text.at[i]) * 16777619u;
  return hash ^ (hash >> 15);
}

static const char *const known_names[] = {
    [CQ_ATOM_NONE] = "",       [CQ_ATOM_ID] = "id",
    [CQ_ATOM_LANG] = "lang",   [CQ_ATOM_ROOT] = "root",
    [CQ_ATOM_ITEM] = "item",   [CQ_ATOM_XML] = "xml",
    [CQ_ATOM_XMLNS] = "xmlns", [CQ_ATOM_XML_SPACE] = "http://www.w3.org/XML/1998/namespace"};

cq_names *cq_names_new(void) {
  cq_names *names = calloc(1, sizeof *names);
  if (!names) return NULL;
  names->texts = cq_arena_new(0);
  bool known = names->texts != NULL;
  for (cq_atom atom = 0; atom < sizeof known_names / sizeof *known_names && known; atom++)
    known = cq_names_intern(names, cq_str_from(known_names[atom])) == atom;
  if (!known) {
    cq_names_free(names);
    return NULL;
  }
  return names;
}

cq_names *cq_names_over(const cq_names *base) {
  cq_names *names = calloc(1, sizeof *names);
  if (!names) return NULL;
  names->base = base;
  names->from = (uint32_t)cq_names_count(base);
  return names;
}

size_t cq_names_count(const cq_names *names) {
  return names->from + names->count;
}

void cq_names_free(cq_names *names) {
  if (!names) return;
  cq_arena_free(names->texts);
  free(names->text);
  free(names->hash);
  free(names->slots);
  free(names);
}

/* The slot that holds `text`, or the empty one where it belongs. */
static size_t slot_of(const cq_names *names, cq_str text, uint32_t hash) {
  size_t slot = hash & (names->slot_count - 1);
  while (names->slots[slot]) {
    uint32_t own = names->slots[slot] - 1;
    if (names->hash[own] == hash && cq_str_equal(names->text[own], text)) break;
    slot = (slot + 1) & (names->slot_count - 1);
  }
  return slot;
}

/* CQ_ATOM_FAILED: not there. */
static cq_atom find(const cq_names *names, cq_str text, uint32_t hash) {
  cq_atom atom = names->base ? find(names->base, text, hash) : CQ_ATOM_FAILED;
  if (atom != CQ_ATOM_FAILED || !names->slot_count) return atom;
  size_t slot = slot_of(names, text, hash);
  return names->slots[slot] ? names->from + names->slots[slot] - 1 : CQ_ATOM_FAILED;
}

static bool grow(cq_names *names) {
  size_t capacity = names->capacity ? names->capacity * 2 : 128;
  if (capacity > UINT32_MAX / 4) return false;
  cq_str *text = realloc(names->text, capacity * sizeof *text);
  if (text) names->text = text;
  uint32_t *hash = realloc(names->hash, capacity * sizeof *hash);
  if (hash) names->hash = hash;
  uint32_t *slots = calloc(capacity * 2, sizeof *slots);
  if (!text || !hash || !slots) {
    free(slots);
    return false;
  }
  free(names->slots);
  names->slots = slots;
  names->slot_count = capacity * 2;
  names->capacity = capacity;
  for (uint32_t own = 0; own < names->count; own++)
    names->slots[slot_of(names, names->text[own], names->hash[own])] = own + 1;
  return true;
}

cq_atom cq_names_intern(cq_names *names, cq_str text) {
  uint32_t hash = hash_of(text);
  cq_atom known = find(names, text, hash);
  if (known != CQ_ATOM_FAILED) return known;
  if (!names->texts) names->texts = cq_arena_new(0);
  if (!names->texts || (names->count == names->capacity && !grow(names))) return CQ_ATOM_FAILED;
  cq_str copy = cq_arena_copy(names->texts, text);
  if (!copy.at) return CQ_ATOM_FAILED;
  uint32_t own = (uint32_t)names->count++;
  names->text[own] = copy;
  names->hash[own] = hash;
  names->slots[slot_of(names, text, hash)] = own + 1;
  return names->from + own;
}

cq_atom cq_names_find(const cq_names *names, cq_str text) {
  return find(names, text, hash_of(text));
}

cq_str cq_names_text(const cq_names *names, cq_atom atom) {
  return atom < names->from ? cq_names_text(names->base, atom) : names->text[atom - names->from];
}
