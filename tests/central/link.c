/* SPDX-License-Identifier: Apache-2.0 */
#include "central/link/link.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void folding(void **state) {
  (void)state;
  static const struct {
    const char *name, *folded;
  } cases[] = {{"María  Elena", "MARIA ELENA"},
               {" de la Cruz ", "CRUZ"},
               {"Ñaupari", "NAUPARI"},
               {"K'ana", "KANA"},
               {"Quispe y Mamani", "QUISPE MAMANI"},
               {"", ""},
               {"¿?", ""}};
  cq_arena *arena = cq_arena_new(0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_str out = cq_link_fold(arena, cq_str_from(cases[i].name));
    if (!cq_str_is(out, cases[i].folded)) fail_msg("%s: %.*s", cases[i].name, (int)out.size, out.at);
  }
  cq_arena_free(arena);
}

static void sounding(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    bool alike;
  } cases[] = {{"QUISPE", "KISPE", true},  {"HUAMAN", "GUAMAN", true},    {"HUAMAN", "WAMAN", true},
               {"CCORI", "QORI", true},    {"CONDORI", "KUNTURI", false}, {"GONZALES", "GONSALES", true},
               {"VARGAS", "BARGAS", true}, {"MAMANI", "MAMANE", true},    {"QUISPE", "MAMANI", false},
               {"CHURA", "CURA", false}};
  cq_arena *arena = cq_arena_new(0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cq_str a = cq_link_sound(arena, cq_str_from(cases[i].a)), b = cq_link_sound(arena, cq_str_from(cases[i].b));
    if (cq_str_equal(a, b) != cases[i].alike)
      fail_msg("%s %.*s, %s %.*s", cases[i].a, (int)a.size, a.at, cases[i].b, (int)b.size, b.at);
  }
  cq_arena_free(arena);
}

/* Values of Winkler's own examples. */
static void similarity(void **state) {
  (void)state;
  static const struct {
    const char *a, *b;
    double similar;
  } cases[] = {{"MARTHA", "MARHTA", 0.961111},
               {"DWAYNE", "DUANE", 0.84},
               {"DIXON", "DICKSONX", 0.813333},
               {"SAME", "SAME", 1},
               {"ABC", "XYZ", 0},
               {"", "A", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (fabs(cq_link_similar(cq_str_from(cases[i].a), cq_str_from(cases[i].b)) - cases[i].similar) > 1e-5)
      fail_msg("%s %s", cases[i].a, cases[i].b);
}

/* --- an invented register: few surnames, as in the highlands, and some persons twice with mistakes --- */

static const char *const surnames[] = {"Quispe", "Mamani", "Condori",  "Huamán", "Flores", "Apaza", "Ccori",
                                       "Vilca",  "Choque", "Yupanqui", "Calsín", "Ticona", "Laura", "Pari",
                                       "Chura",  "Zapana", "Machaca",  "Coila",  "Arapa",  "Turpo"};
static const char *const givens[] = {"María",  "Rosa",   "Juan", "Pedro", "Elena", "Julia",  "Luis",    "Santos",
                                     "Nélida", "Wilber", "Yeny", "Fredy", "Edgar", "Sabina", "Eusebia", "Honorato"};

static uint64_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

typedef struct register_of {
  cq_link_person *persons;
  char (*text)[7][32];
  size_t count;
} register_of;

static cq_link_person person_at(register_of *r, size_t i) {
  char(*t)[32] = r->text[i];
  return (cq_link_person){
      cq_str_from(t[0]), cq_str_from(t[1]), cq_str_from(t[2]), cq_str_from(t[3]), i % 2 ? CQ_STR("m") : CQ_STR("h"),
      cq_str_from(t[4]), cq_str_from(t[5]), cq_str_from(t[6])};
}

/* The first `twice` persons stand again at the end, each with a mistake. */
static register_of make_register(size_t count, size_t twice) {
  register_of r = {calloc(count, sizeof *r.persons), calloc(count, sizeof *r.text), count};
  uint64_t seed = 11;
  for (size_t i = 0; i < count - twice; i++) {
    char(*t)[32] = r.text[i];
    snprintf(t[0], 32, "p%zu", i);
    snprintf(t[1], 32, "%s %s", givens[next(&seed) % 16], givens[next(&seed) % 16]);
    snprintf(t[2], 32, "%s", surnames[next(&seed) % 20]);
    snprintf(t[3], 32, "%s", surnames[next(&seed) % 20]);
    snprintf(t[4], 32, "%d-%02d-%02d", (int)(1950 + next(&seed) % 45), (int)(1 + next(&seed) % 12),
             (int)(1 + next(&seed) % 28));
    snprintf(t[5], 32, "2101%02d", (int)(next(&seed) % 12));
    snprintf(t[6], 32, "999%05d", (int)(i % 100000));
    r.persons[i] = person_at(&r, i);
  }
  for (size_t k = 0; k < twice; k++) {
    size_t from = 2 * k, to = count - twice + k; /* the same sex: the same parity */
    if ((to ^ from) & 1) from++;
    char(*t)[32] = r.text[to];
    memcpy(t, r.text[from], sizeof r.text[from]);
    snprintf(t[0], 32, "q%zu", from);
    switch (k % 5) {
    case 0: t[6][0] = '\0'; break; /* without DNI */
    case 1: memcpy(t[2], r.text[from][3], 32), memcpy(t[3], r.text[from][2], 32), t[6][0] = '\0'; break; /* swapped */
    case 2: t[1][1] = 'x', t[4][9] = t[4][9] == '1' ? '2' : '1'; break;  /* slips of the pen */
    case 3: t[3][0] = '\0', t[6][7] = t[6][7] == '0' ? '1' : '0'; break; /* one surname, one digit off */
    default: *strchr(t[1], ' ') = '\0', t[6][0] = '\0'; break;           /* one given name */
    }
    r.persons[to] = person_at(&r, to);
  }
  return r;
}

static void finds(size_t count, size_t twice, size_t least_found) {
  register_of r = make_register(count, twice);
  cq_link_pair *pairs = NULL;
  size_t found, passed, right = 0;
  assert_int_equal(cq_link_pairs(r.persons, count, 0.5, &pairs, &found, &passed, NULL), CQ_OK);
  for (size_t i = 0; i < found; i++) {
    cq_str a = r.persons[pairs[i].a].id, b = r.persons[pairs[i].b].id;
    assert_true(pairs[i].a < pairs[i].b);
    if (i) assert_true(pairs[i - 1].weight >= pairs[i].weight);
    right += b.at[0] == 'q' && a.at[0] == 'p' && strcmp(a.at + 1, b.at + 1) == 0;
  }
  if (right < least_found) fail_msg("%zu of %zu found, %zu proposed", right, twice, found);
  if (found - right > twice / 10) fail_msg("%zu of %zu proposals are wrong", found - right, found);
  free(pairs);
  free(r.persons);
  free(r.text);
}

static void every_pair(void **state) {
  (void)state;
  finds(2612, 50, 48);
}

static void blocks(void **state) {
  (void)state;
  finds(8000, 100, 92);
}

/* A name that everybody has says little, and what is not known says nothing. */
static void common_and_unknown(void **state) {
  (void)state;
  cq_link_person p[202];
  char id[202][8];
  cq_link_pair *pairs;
  size_t found, passed;
  for (size_t i = 0; i < 202; i++) {
    snprintf(id[i], sizeof id[i], "%zu", i);
    p[i] = (cq_link_person){
        .id = cq_str_from(id[i]), .given = CQ_STR("María"), .surname1 = CQ_STR("Quispe"), .surname2 = CQ_STR("Mamani")};
  }
  p[200].surname1 = p[201].surname1 = CQ_STR("Oyanguren");
  p[200].surname2 = p[201].surname2 = CQ_STR("Etcheverry");
  assert_int_equal(cq_link_pairs(p, 202, 0.5, &pairs, &found, &passed, NULL), CQ_OK);
  assert_int_equal(found, 1);
  assert_int_equal(pairs[0].a, 200);
  free(pairs);
  assert_int_equal(cq_link_pairs(p, 0, 0.5, &pairs, &found, &passed, NULL), CQ_OK);
  assert_int_equal(found, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(folding),    cmocka_unit_test(sounding),
                                     cmocka_unit_test(similarity), cmocka_unit_test(every_pair),
                                     cmocka_unit_test(blocks),     cmocka_unit_test(common_and_unknown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
