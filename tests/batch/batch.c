/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/interviews.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct world {
  fixture *f;
  cq_buf form;
  cq_hash form_hash;
  cq_batch_forms forms;
  cq_batch_codec *codec;
  cq_batch_writer *writer;
} world;

static world *world_new(void) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->f = fixture_new(1, CQ_MODE_REAL);
  interview_form(&w->form);
  w->form_hash = cq_hash_of(w->form.at, w->form.size);
  w->forms = (cq_batch_forms){.find = interview_form_find, .context = &w->form};
  w->codec = cq_batch_codec_new(&w->forms);
  w->writer = cq_batch_writer_new(w->codec);
  assert_non_null(w->writer);
  return w;
}

static void world_free(world *w) {
  cq_batch_writer_free(w->writer);
  cq_batch_codec_free(w->codec);
  cq_buf_fini(&w->form);
  fixture_free(w->f);
  free(w);
}

static cq_hash add_interview(world *w, uint64_t which, bool audited) {
  interview made;
  cq_buf record = {0};
  interview_make(&made, which, audited);
  cq_hash name = interview_record(&record, &made, w->f, &w->f->device, &w->form_hash, which + 1, &w->f->random);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  interview_fini(&made);
  cq_buf_fini(&record);
  return name;
}

static void what_goes_in_comes_out(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0};
  cq_batch_sizes sizes;
  cq_hash names[100];
  for (size_t i = 0; i < 100; i++) names[i] = add_interview(w, i, false);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, &sizes);
  printf("100 records: file %zu, header %zu, padding %zu: %zu a record\n", sizes.file, sizes.header, sizes.padding,
         sizes.file / 100);
  cq_standing standing;
  assert_int_equal(fixture_verify(w->f, &file, &standing, NULL), CQ_OK);
  assert_int_equal(standing, CQ_STANDING_CERTIFIED);
  cq_batch_content *content = NULL;
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_batch_open(&content, w->codec, file.at, file.size, w->f->desk.seal_secret, &error), CQ_OK);
  cq_entry entry;
  size_t count = 0;
  while (cq_batch_next(content, &entry)) {
    assert_int_equal(entry.kind, CQ_ENTRY_RECORD);
    assert_true(cq_hash_equal(&entry.name, &names[count]));
    count++;
  }
  assert_int_equal(count, 100);
  cq_batch_content_free(content);
  interview one;
  interview_make(&one, 3, false);
  printf("one: %zu questions, %zu bytes of XML\n%s\n", one.questions, one.xml.size, one.xml.at);
  interview_fini(&one);
  for (uint64_t i = 0; i < 5; i++) {
    add_interview(w, i, false);
    fixture_end(w->f, w->writer, &sender, &file, &sizes);
    printf("one record: file %zu, header %zu, padding %zu\n", sizes.file, sizes.header, sizes.padding);
  }
  cq_buf_fini(&file);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_goes_in_comes_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
