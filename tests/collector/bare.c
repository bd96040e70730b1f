/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures lose what a camera wrote into them and nothing else: tests/collector/seeds/bare. */
#include "collector/bare.h"

#include "chasqui/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct source {
  const char *at;
  size_t left;
  bool fails; /* at the end */
} source;

static int64_t read_source(void *context, void *out, size_t size) {
  source *it = context;
  if (size > 100) size = 100;
  if (size > it->left) size = it->left;
  memcpy(out, it->at, size);
  it->at += size;
  it->left -= size;
  return size == 0 && it->fails ? -1 : (int64_t)size;
}

static void strip(const char *type, cq_str in, cq_buf *out) {
  source from = {.at = in.at, .left = in.size};
  char part[64];
  int64_t got;
  cq_buf_reset(out);
  cq_bare *bare = cq_bare_new(type, read_source, &from);
  assert_non_null(bare);
  while ((got = cq_bare_read(bare, part, sizeof part)) > 0) cq_buf_add(out, part, (size_t)got);
  assert_int_equal(got, 0);
  cq_bare_free(bare);
}

static void load(const char *name, cq_buf *out) {
  char path[128];
  snprintf(path, sizeof path, "tests/collector/seeds/bare/%s", name);
  cq_buf_reset(out);
  assert_int_equal(cq_file_read(path, 1 << 20, out, NULL), CQ_OK);
}

static bool holds(const cq_buf *bytes, const char *text) {
  size_t size = strlen(text);
  for (size_t i = 0; i + size <= bytes->size; i++)
    if (memcmp(bytes->at + i, text, size) == 0) return true;
  return false;
}

/* The place stands in EXIF, XMP, IPTC, the list of further pictures, a comment, a segment of nobody's, and behind the
 * end. What is left is the picture as it was encoded, its profile, and its orientation where that is not 1. */
static void only_what_draws_the_picture_stays(void **state) {
  (void)state;
  static const struct {
    const char *dirty, *bare;
    int orientation;
  } cases[] = {{"base6.jpg", "base-bare.jpg", 6}, {"prog8.jpg", "prog-bare.jpg", 8}, {"rst1.jpg", "rst-bare.jpg", 1}};
  static const char profile[] = "\xFF\xE2\0\x16ICC_PROFILE\0\1\1perfil";
  cq_buf dirty = {0}, bare = {0}, expected = {0}, out = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char exif[] = "\xFF\xE1\0\x22"
                  "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0\0\0\0";
    exif[29] = (char)cases[i].orientation;
    load(cases[i].dirty, &dirty);
    load(cases[i].bare, &bare);
    assert_true(holds(&dirty, "LATITUD") && holds(&dirty, "CAMARA"));
    strip("image/jpeg", cq_buf_str(&dirty), &out);
    assert_false(holds(&out, "LATITUD") || holds(&out, "CAMARA"));
    cq_buf_reset(&expected);
    cq_buf_add(&expected, bare.at, 20); /* with JFIF */
    if (cases[i].orientation != 1) cq_buf_add(&expected, exif, 36);
    cq_buf_add(&expected, profile, sizeof profile - 1);
    cq_buf_add(&expected, bare.at + 20, bare.size - 20);
    assert_int_equal(out.size, expected.size);
    assert_memory_equal(out.at, expected.at, out.size);
    strip("image/jpeg", cq_buf_str(&bare), &out);
    assert_int_equal(out.size, bare.size);
    assert_memory_equal(out.at, bare.at, out.size);
  }
  load("between.jpg", &dirty);
  load("prog-bare.jpg", &bare);
  strip("image/jpeg", cq_buf_str(&dirty), &out);
  assert_int_equal(out.size, bare.size);
  assert_memory_equal(out.at, bare.at, out.size);
  load("plan.png", &dirty);
  load("plan-bare.png", &bare);
  strip("image/png", cq_buf_str(&dirty), &out);
  assert_int_equal(out.size, bare.size);
  assert_memory_equal(out.at, bare.at, out.size);
  cq_buf_fini(&dirty);
  cq_buf_fini(&bare);
  cq_buf_fini(&expected);
  cq_buf_fini(&out);
}

static void what_is_no_such_picture_goes_through(void **state) {
  (void)state;
  static const struct {
    const char *name, *type;
  } cases[] = {{"odd.jpg", "image/jpeg"},   {"plan-odd.png", "image/png"}, {"plan.png", "image/jpeg"},
               {"base6.jpg", "image/webp"}, {"base6.jpg", "image/png"},    {"plan.png", "application/octet-stream"}};
  cq_buf in = {0}, out = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    load(cases[i].name, &in);
    strip(cases[i].type, cq_buf_str(&in), &out);
    assert_int_equal(out.size, in.size);
    assert_memory_equal(out.at, in.at, in.size);
  }
  /* cut within its EXIF, it still says nothing of the place */
  load("cut.jpg", &in);
  strip("image/jpeg", cq_buf_str(&in), &out);
  assert_true(out.size >= 20 && out.size < in.size);
  assert_false(holds(&out, "CAMARA"));
  cq_buf_fini(&in);
  cq_buf_fini(&out);
}

static void a_failure_to_read_is_told(void **state) {
  (void)state;
  char part[64];
  int64_t got;
  cq_buf in = {0};
  load("base6.jpg", &in);
  source from = {.at = in.at, .left = 300, .fails = true};
  cq_bare *bare = cq_bare_new("image/jpeg", read_source, &from);
  while ((got = cq_bare_read(bare, part, sizeof part)) > 0) continue;
  assert_int_equal(got, -1);
  cq_bare_free(bare);
  cq_buf_fini(&in);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_draws_the_picture_stays),
                                     cmocka_unit_test(what_is_no_such_picture_goes_through),
                                     cmocka_unit_test(a_failure_to_read_is_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
