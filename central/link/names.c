/* SPDX-License-Identifier: Apache-2.0 */
#include "central/link/link.h"

#include <string.h>

/* Latin letters of U+00C0 to U+00FF without their accents; blank: no letter. */
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTSAAAAAAACEEEEIIIIDNOOOOO OUUUUYTY";

static bool is_particle(const char *word, size_t size) {
  static const char *const particles[] = {"DE", "DEL", "LA", "LOS", "LAS", "Y"};
  for (size_t i = 0; i < sizeof particles / sizeof *particles; i++)
    if (strlen(particles[i]) == size && memcmp(word, particles[i], size) == 0) return true;
  return false;
}

cq_str cq_link_fold(cq_arena *arena, cq_str name) {
  char *out = cq_arena_alloc(arena, name.size + 2);
  size_t size = 0, word = 0, offset = 0;
  if (!out) return (cq_str){NULL, 0};
  for (bool last = false; !last;) {
    uint32_t c = ' ';
    if (offset < name.size)
      c = cq_utf8_next(name, &offset);
    else
      last = true;
    if (c >= 'a' && c <= 'z') c -= 32;
    if (c >= 0xC0 && c <= 0xFF) c = (unsigned char)latin[c - 0xC0];
    if (c >= 'A' && c <= 'Z') {
      out[size++] = (char)c;
      continue;
    }
    if (c == '\'' || c == '-' || c == 0x2019) continue; /* K'ana is Kana */
    if (size > word && is_particle(out + word, size - word))
      size = word;
    else if (size > word)
      out[size++] = ' ';
    word = size;
  }
  if (size && out[size - 1] == ' ') size--;
  return (cq_str){out, size};
}

static bool at_is(cq_str text, size_t at, const char *what) {
  size_t size = strlen(what);
  return at + size <= text.size && memcmp(text.at + at, what, size) == 0;
}

cq_str cq_link_sound(cq_arena *arena, cq_str folded) {
  static const struct {
    const char *from, *to;
  } rules[] = {/* the longest first; Quechua and Aymara names in Spanish spellings, and Spanish letters of one sound */
               {"HUA", "WA"}, {"GUA", "WA"}, {"HUI", "WI"}, {"HUE", "WE"}, {"QUI", "KI"}, {"QUE", "KE"}, {"CCA", "KA"},
               {"CCO", "KO"}, {"CCU", "KU"}, {"CH", "C"},   {"LL", "Y"},   {"CA", "KA"},  {"CO", "KO"},  {"CU", "KU"},
               {"CE", "SE"},  {"CI", "SI"},  {"Q", "K"},    {"Z", "S"},    {"V", "B"},    {"J", "H"},    {"KK", "K"},
               {"SS", "S"},   {"NN", "N"},   {"RR", "R"},   {"Y", "I"},    {"U", "O"},    {"E", "I"},    {" ", ""}};
  char *out = cq_arena_alloc(arena, folded.size + 1);
  size_t size = 0;
  if (!out) return (cq_str){NULL, 0};
  for (size_t at = 0; at < folded.size;) {
    size_t rule = 0, rules_count = sizeof rules / sizeof *rules;
    while (rule < rules_count && !at_is(folded, at, rules[rule].from)) rule++;
    const char *to = rule < rules_count ? rules[rule].to : (char[2]){folded.at[at], 0};
    for (; *to; to++) { /* vowels of a pair sound alike wherever they stand */
      char c = *to == 'E' ? 'I' : *to == 'U' ? 'O' : *to;
      if (!size || out[size - 1] != c) out[size++] = c;
    }
    at += rule < rules_count ? strlen(rules[rule].from) : 1;
  }
  return (cq_str){out, size};
}

double cq_link_similar(cq_str a, cq_str b) {
  enum { LONGEST = 64 };
  if (a.size > LONGEST) a.size = LONGEST;
  if (b.size > LONGEST) b.size = LONGEST;
  if (!a.size || !b.size) return 0;
  bool in_a[LONGEST] = {false}, in_b[LONGEST] = {false};
  size_t longer = a.size > b.size ? a.size : b.size, reach = longer / 2 ? longer / 2 - 1 : 0, same = 0, moved = 0,
         prefix = 0;
  for (size_t i = 0; i < a.size; i++) {
    size_t from = i > reach ? i - reach : 0, to = i + reach + 1 < b.size ? i + reach + 1 : b.size;
    for (size_t j = from; j < to; j++) {
      if (in_b[j] || a.at[i] != b.at[j]) continue;
      in_a[i] = in_b[j] = true;
      same++;
      break;
    }
  }
  if (!same) return 0;
  for (size_t i = 0, j = 0; i < a.size; i++) {
    if (!in_a[i]) continue;
    while (!in_b[j]) j++;
    moved += a.at[i] != b.at[j++];
  }
  double m = (double)same;
  double jaro = (m / (double)a.size + m / (double)b.size + (m - (double)moved / 2) / m) / 3;
  while (prefix < 4 && prefix < a.size && prefix < b.size && a.at[prefix] == b.at[prefix]) prefix++;
  return jaro + (double)prefix * 0.1 * (1 - jaro);
}
