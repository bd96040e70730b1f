/* SPDX-License-Identifier: Apache-2.0 */
#include "central/link/link.h"

#include "central/tables/survey/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How two values of a field compare. */
typedef enum { DIFFERENT, SIMILAR, SOUNDS_ALIKE, SAME, LEVELS } level;

/* Probabilities of each level among the same persons. Among others: SAME by the value's own frequency, the rest below.
 * From experience with Spanish-language registers; a consultant sees the proposals, so they need only order well. */
static const double name_m[LEVELS] = {0.04, 0.06, 0.10, 0.80};
static const double name_u[LEVELS] = {0.95, 0.02, 0.01, 0.02};
static const double sex_m = 0.98, sex_u = 0.5, place_m = 0.90;
static const double birth_m[3] = {0.10, 0.20, 0.70}; /* other year, the same year, the same day */
static const double birth_u[3] = {0.978, 0.0215, 0.0005};
static const double dni_m[3] = {0.02, 0.08, 0.90}; /* different, one slip, the same */
static const double dni_u[3] = {0.9989, 0.001, 0.0001};
static const double swapped_cost = 3; /* bits: surnames swapped is a mistake that has to be made first */

enum { GIVEN, SURNAME1, SURNAME2, NAMES };

typedef struct folded {
  cq_str name[NAMES];
  uint32_t number[NAMES]; /* of the distinct value, over all three fields */
} folded;

typedef struct linking {
  const cq_link_person *persons;
  size_t count;
  cq_arena *arena;
  folded *of;
  cq_levels values;  /* distinct folded names */
  cq_str *sounds;    /* of each */
  double *frequency; /* share of names that are this one */
  uint8_t *level;    /* values × values, where that is affordable; else NULL */
  cq_levels places;
  double *place_share;
  uint32_t *place;
  double prior; /* log2 of the odds of two persons taken at random */
  double least; /* log2 of the odds to be proposed */
  cq_link_pair *pairs;
  size_t found, capacity;
} linking;

static level compare_values(const linking *l, uint32_t a, uint32_t b) {
  if (a == b) return SAME;
  if (cq_str_equal(l->sounds[a], l->sounds[b])) return SOUNDS_ALIKE;
  cq_str x = l->values.names[a], y = l->values.names[b];
  /* "MARIA" and "MARIA ELENA": one of them left a name out */
  cq_str shorter = x.size < y.size ? x : y, longer = x.size < y.size ? y : x;
  if (shorter.size >= 3 && cq_str_starts(longer, shorter) && longer.at[shorter.size] == ' ') return SIMILAR;
  return cq_link_similar(x, y) >= 0.90 ? SIMILAR : DIFFERENT;
}

static level level_of(const linking *l, uint32_t a, uint32_t b) {
  return l->level ? (level)l->level[(size_t)a * l->values.count + b] : compare_values(l, a, b);
}

/* Nothing known on either side says nothing. */
static double name_weight(const linking *l, uint32_t a, uint32_t b) {
  if (a == UINT32_MAX || b == UINT32_MAX) return 0;
  level v = level_of(l, a, b);
  double u = v == SAME ? l->frequency[a] : name_u[v];
  return log2(name_m[v] / u);
}

static double surnames_weight(const linking *l, const folded *a, const folded *b) {
  double straight = name_weight(l, a->number[SURNAME1], b->number[SURNAME1]) +
                    name_weight(l, a->number[SURNAME2], b->number[SURNAME2]);
  double swapped = name_weight(l, a->number[SURNAME1], b->number[SURNAME2]) +
                   name_weight(l, a->number[SURNAME2], b->number[SURNAME1]) - swapped_cost;
  return straight > swapped ? straight : swapped;
}

static double birth_weight(cq_str a, cq_str b) {
  if (a.size < 4 || b.size < 4) return 0;
  if (memcmp(a.at, b.at, 4) != 0) return log2(birth_m[0] / birth_u[0]);
  bool day = a.size == 10 && cq_str_equal(a, b);
  return log2(birth_m[day ? 2 : 1] / birth_u[day ? 2 : 1]);
}

static double dni_weight(cq_str a, cq_str b) {
  size_t off = 0;
  if (a.size != 8 || b.size != 8) return 0;
  for (size_t i = 0; i < 8; i++) off += a.at[i] != b.at[i];
  if (off == 2) /* two neighbours swapped is one slip */
    for (size_t i = 0; i + 1 < 8; i++)
      if (a.at[i] == b.at[i + 1] && a.at[i + 1] == b.at[i] && a.at[i] != a.at[i + 1]) off = 1;
  size_t v = off == 0 ? 2 : off == 1 ? 1 : 0;
  return log2(dni_m[v] / dni_u[v]);
}

static cq_status consider(linking *l, size_t a, size_t b, cq_error *error) {
  const cq_link_person *p = &l->persons[a], *q = &l->persons[b];
  double w = surnames_weight(l, &l->of[a], &l->of[b]);
  w += name_weight(l, l->of[a].number[GIVEN], l->of[b].number[GIVEN]);
  /* sex, day, place and document add 40 bits at most: who cannot be proposed any more is left here */
  if (w + l->prior + 40 < l->least) return CQ_OK;
  if (p->sex.size && q->sex.size) {
    bool same = cq_str_equal(p->sex, q->sex);
    w += same ? log2(sex_m / sex_u) : log2((1 - sex_m) / (1 - sex_u));
  }
  w += birth_weight(p->birth, q->birth) + dni_weight(p->dni, q->dni);
  if (p->place.size && q->place.size) {
    double share = l->place_share[l->place[a]];
    w += l->place[a] == l->place[b] ? log2(place_m / share)
                                    : log2((1 - place_m) / (1 - share < 0.01 ? 0.01 : 1 - share));
  }
  double odds = w + l->prior;
  if (odds < l->least) return CQ_OK;
  if (l->found == CQ_LINK_MAX_PAIRS) return cq_error_set(error, CQ_LIMIT, "central.link.many", NULL);
  if (l->found == l->capacity) {
    size_t capacity = l->capacity ? l->capacity * 2 : 256;
    cq_link_pair *pairs = realloc(l->pairs, capacity * sizeof *pairs);
    if (!pairs) return cq_error_nomem(error);
    l->pairs = pairs;
    l->capacity = capacity;
  }
  l->pairs[l->found++] = (cq_link_pair){a < b ? a : b, a < b ? b : a, w, 1 / (1 + exp2(-odds))};
  return CQ_OK;
}

/* --- preparing --- */

static cq_status fold_all(linking *l, cq_error *error) {
  size_t names = 0;
  l->of = calloc(l->count + 1, sizeof *l->of);
  l->place = calloc(l->count + 1, sizeof *l->place);
  if (!l->of || !l->place) return cq_error_nomem(error);
  for (size_t i = 0; i < l->count; i++) {
    const cq_str raw[NAMES] = {l->persons[i].given, l->persons[i].surname1, l->persons[i].surname2};
    for (size_t n = 0; n < NAMES; n++) {
      l->of[i].name[n] = cq_link_fold(l->arena, raw[n]);
      if (!l->of[i].name[n].at) return cq_error_nomem(error);
      l->of[i].number[n] = l->of[i].name[n].size ? cq_levels_number(&l->values, l->of[i].name[n]) : UINT32_MAX;
      names += l->of[i].name[n].size > 0;
    }
    if ((l->place[i] = cq_levels_number(&l->places, l->persons[i].place)) == UINT32_MAX) return cq_error_nomem(error);
  }
  l->frequency = calloc(l->values.count + 1, sizeof *l->frequency);
  l->sounds = calloc(l->values.count + 1, sizeof *l->sounds);
  l->place_share = calloc(l->places.count + 1, sizeof *l->place_share);
  if (!l->frequency || !l->sounds || !l->place_share) return cq_error_nomem(error);
  for (size_t i = 0; i < l->count; i++) {
    for (size_t n = 0; n < NAMES; n++)
      if (l->of[i].number[n] != UINT32_MAX) l->frequency[l->of[i].number[n]] += 1 / (double)names;
    l->place_share[l->place[i]] += 1 / (double)l->count;
  }
  for (size_t v = 0; v < l->values.count; v++) {
    if (l->frequency[v] < 1e-6) l->frequency[v] = 1e-6;
    l->sounds[v] = cq_link_sound(l->arena, l->values.names[v]);
    if (!l->sounds[v].at) return cq_error_nomem(error);
  }
  return CQ_OK;
}

/* Every distinct name against every other, once: people share few of them. */
static cq_status compare_all_values(linking *l, cq_error *error) {
  size_t n = l->values.count;
  if (n > 12000) return CQ_OK;
  if (!(l->level = malloc(n * n + 1))) return cq_error_nomem(error);
  for (uint32_t a = 0; a < n; a++)
    for (uint32_t b = a; b < n; b++) {
      uint8_t v = (uint8_t)compare_values(&(linking){.values = l->values, .sounds = l->sounds}, a, b);
      l->level[a * n + b] = l->level[b * n + a] = v;
    }
  return CQ_OK;
}

/* --- which pairs --- */

static cq_status every_pair(linking *l, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t a = 0; a < l->count && status == CQ_OK; a++)
    for (size_t b = a + 1; b < l->count && status == CQ_OK; b++) status = consider(l, a, b, error);
  return status;
}

typedef struct keyed {
  uint64_t key;
  size_t person;
} keyed;

static int by_key(const void *x, const void *y) {
  const keyed *a = x, *b = y;
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return (a->person > b->person) - (a->person < b->person);
}

static uint64_t mix(uint64_t hash, cq_str text) {
  for (size_t i = 0; i < text.size; i++) hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211u;
  return (hash ^ 0xFF) * 1099511628211u;
}

/* Keys that the same person is likely to share in spite of a mistake elsewhere; 0: this person has none. */
enum { BOTH_SURNAMES, DNI, BIRTH_AND_SURNAME, BIRTH_AND_GIVEN, KEYS };
static uint64_t key_of(const linking *l, size_t i, int which) {
  const folded *f = &l->of[i];
  const cq_link_person *p = &l->persons[i];
  cq_str s1 = f->number[SURNAME1] == UINT32_MAX ? CQ_STR("") : l->sounds[f->number[SURNAME1]];
  cq_str s2 = f->number[SURNAME2] == UINT32_MAX ? CQ_STR("") : l->sounds[f->number[SURNAME2]];
  cq_str given = f->number[GIVEN] == UINT32_MAX ? CQ_STR("") : l->sounds[f->number[GIVEN]];
  const uint64_t start = 14695981039346656037u;
  bool turned = cq_str_compare(s1, s2) > 0; /* swapped surnames share their key */
  switch (which) {
  case BOTH_SURNAMES:
    return s1.size && s2.size && given.size
               ? mix(mix(mix(start, turned ? s2 : s1), turned ? s1 : s2), (cq_str){given.at, 1})
               : 0;
  case DNI: return p->dni.size == 8 ? mix(start, p->dni) : 0;
  case BIRTH_AND_SURNAME: return p->birth.size == 10 && s1.size ? mix(mix(start, p->birth), s1) : 0;
  default: return p->birth.size == 10 && given.size ? mix(mix(start, p->birth), given) : 0;
  }
}

static cq_status blocked_pairs(linking *l, size_t *passed, cq_error *error) {
  keyed *keys = malloc((l->count + 1) * sizeof *keys);
  cq_status status = keys ? CQ_OK : cq_error_nomem(error);
  for (int which = 0; which < KEYS && status == CQ_OK; which++) {
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
      uint64_t key = key_of(l, i, which);
      if (key) keys[n++] = (keyed){key, i};
    }
    qsort(keys, n, sizeof *keys, by_key);
    for (size_t from = 0, to; from < n && status == CQ_OK; from = to) {
      for (to = from + 1; to < n && keys[to].key == keys[from].key;) to++;
      if (to - from > CQ_LINK_MAX_BLOCK) {
        *passed += to - from;
        continue;
      }
      for (size_t a = from; a < to && status == CQ_OK; a++)
        for (size_t b = a + 1; b < to && status == CQ_OK; b++)
          status = consider(l, keys[a].person, keys[b].person, error);
    }
  }
  free(keys);
  return status;
}

static int by_probability(const void *x, const void *y) {
  const cq_link_pair *a = x, *b = y;
  if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
  if (a->a != b->a) return a->a < b->a ? -1 : 1;
  return (a->b > b->b) - (a->b < b->b);
}

static void linking_fini(linking *l) {
  cq_arena_free(l->arena);
  cq_levels_fini(&l->values);
  cq_levels_fini(&l->places);
  free(l->of);
  free(l->sounds);
  free(l->frequency);
  free(l->level);
  free(l->place);
  free(l->place_share);
}

cq_status cq_link_pairs(const cq_link_person *persons, size_t count, double least, cq_link_pair **pairs, size_t *found,
                        size_t *passed, cq_error *error) {
  linking l = {.persons = persons, .count = count, .arena = cq_arena_new(0)};
  *pairs = NULL;
  *found = *passed = 0;
  double n = (double)count;
  /* one person in fifty stands twice: the expectation before anything is compared */
  l.prior = count > 1 ? log2(0.02 * n / (n * (n - 1) / 2)) : 0;
  l.least = log2(least / (1 - least));
  cq_status status = l.arena ? fold_all(&l, error) : cq_error_nomem(error);
  if (status == CQ_OK) status = compare_all_values(&l, error);
  if (status == CQ_OK) status = count <= CQ_LINK_ALL_PAIRS ? every_pair(&l, error) : blocked_pairs(&l, passed, error);
  if (status == CQ_OK && l.found) {
    size_t kept = 1;
    qsort(l.pairs, l.found, sizeof *l.pairs, by_probability);
    for (size_t i = 1; i < l.found; i++) /* two keys may bring the same pair */
      if (l.pairs[i].a != l.pairs[kept - 1].a || l.pairs[i].b != l.pairs[kept - 1].b) l.pairs[kept++] = l.pairs[i];
    l.found = kept;
  }
  if (status == CQ_OK) {
    *pairs = l.pairs;
    *found = l.found;
  } else {
    free(l.pairs);
  }
  linking_fini(&l);
  return status;
}
