/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which persons may be one and the same: proposals for a consultant, never a
 * merge. Fellegi and Sunter (1969): each field that agrees or not adds the
 * logarithm of how much more often that happens among the same persons than
 * among others; a rare surname that agrees says more than Quispe (Winkler's
 * value-specific weights). Two surnames, which clerks also swap; spellings of
 * Quechua and Aymara names that sound alike; Jaro and Winkler's similarity for
 * slips of the pen. docs/method.md, section "One person or two".
 */
#ifndef CENTRAL_LINK_LINK_H
#define CENTRAL_LINK_LINK_H

#include "chasqui/arena.h"
#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty where not known: that says nothing for or against. */
typedef struct cq_link_person {
  cq_str id;
  cq_str given, surname1, surname2;
  cq_str sex;
  cq_str birth; /* YYYY-MM-DD or YYYY */
  cq_str place;
  cq_str dni; /* eight digits */
} cq_link_person;

enum {
  CQ_LINK_ALL_PAIRS = 6000, /* up to so many persons every pair is compared, beyond it those that share a key */
  CQ_LINK_MAX_BLOCK = 2000, /* persons of one key: larger ones are passed over and counted */
  CQ_LINK_MAX_PAIRS = 1000000
};

typedef struct cq_link_pair {
  size_t a, b;        /* indices, a < b */
  double weight;      /* sum of log2 of likelihood ratios */
  double probability; /* that they are one person */
} cq_link_pair;

/*
 * Pairs of at least `least` probability, the likeliest first (ties by index). The caller frees *pairs with free().
 * *passed: persons in keys too common to compare. Errors: memory, central.link.many.
 */
cq_status cq_link_pairs(const cq_link_person *persons, size_t count, double least, cq_link_pair **pairs, size_t *found,
                        size_t *passed, cq_error *error);

/* --- the parts, for tests --- */
/* Capital letters without accents, one blank between words, without "de", "del", "la", "los", "las", "y". */
cq_str cq_link_fold(cq_arena *arena, cq_str name);
/* The same for names that sound alike: KISPE and QUISPE, HUAMAN, GUAMAN and WAMAN. Of a folded name. */
cq_str cq_link_sound(cq_arena *arena, cq_str folded);
/* Jaro and Winkler's similarity of two folded names, 0 to 1. Names are cut at 64 bytes. */
double cq_link_similar(cq_str a, cq_str b);

#endif
