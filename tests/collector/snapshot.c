/* SPDX-License-Identifier: Apache-2.0 */
/* A draft travels as a snapshot each time it has changed, so that a stolen laptop takes no answers with it. */
#include "chasqui/batch.h"
#include "collector/filling.h"
#include "tests/batch/fixture.h"
#include "tests/collector/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct scene {
  office *office;
  cq_bundle_form form;
  cq_buf xml;
  cq_laptop laptop;
} scene;

static scene *scene_new(void) {
  scene *s = calloc(1, sizeof *s);
  assert_non_null(s);
  s->form = way_form("tests/collector/visita", "visita", &s->xml);
  s->office = office_new(CQ_MODE_REAL, &s->form, 1);
  office_join(s->office);
  assert_int_equal(cq_laptop_open(&s->laptop, s->office->home, CQ_STR(OFFICE_PASSPHRASE), &s->office->setup, NULL),
                   CQ_OK);
  return s;
}

static void scene_free(scene *s) {
  cq_laptop_close(&s->laptop);
  office_free(s->office);
  cq_buf_fini(&s->xml);
  free(s);
}

/* Answers one question of a draft; 0 begins a new one. */
static int64_t answer(scene *s, int64_t draft, const char *name, const char *text) {
  cq_filling filling;
  cq_set_outcome outcome;
  cq_entry node;
  cq_hash hash = cq_hash_of(s->xml.at, s->xml.size);
  if (draft == 0)
    assert_int_equal(cq_filling_begin(&filling, &s->laptop, &hash, true, NULL), CQ_OK);
  else
    assert_int_equal(cq_filling_resume(&filling, &s->laptop, draft, NULL), CQ_OK);
  const cq_field *field = cq_form_find(filling.form, cq_str_from(name));
  assert_non_null(field);
  assert_int_equal(cq_interview_entry(filling.interview, field->path, &node, NULL), CQ_OK);
  assert_int_equal(cq_filling_set(&filling, node, cq_str_from(text), false, &outcome, NULL), CQ_OK);
  assert_int_equal(outcome.result, CQ_SET_ACCEPTED);
  draft = filling.draft;
  cq_filling_end(&filling);
  return draft;
}

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  const scene *s = context;
  cq_hash own = cq_hash_of(s->xml.at, s->xml.size);
  *xml = cq_buf_str(&s->xml);
  return cq_hash_equal(hash, &own) ? CQ_OK : CQ_NOTFOUND;
}

static bool holds(cq_str text, const char *what) {
  size_t size = strlen(what);
  for (size_t i = 0; i + size <= text.size; i++)
    if (memcmp(text.at + i, what, size) == 0) return true;
  return false;
}

/* The n-th batch of the outbox holds one snapshot, with these words in it. */
static void opened_holds(scene *s, size_t n, const char *words) {
  cq_buf file = {0};
  cq_batch_forms forms = {find_form, s};
  cq_batch_codec *codec = cq_batch_codec_new(&forms);
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  assert_true(office_batch(s->office, n, &file));
  assert_int_equal(cq_batch_open(&content, codec, file.at, file.size, s->office->keys->desk.seal_secret, NULL), CQ_OK);
  assert_true(cq_batch_next(content, &entry));
  assert_int_equal(entry.kind, CQ_ENTRY_DRAFT);
  assert_int_equal(cq_record_parse(&record, entry.bytes, arena, NULL), CQ_OK);
  assert_int_equal(record.envelope.result, CQ_RESULT_DRAFT);
  assert_true(holds(record.instance_xml, words));
  assert_false(cq_batch_next(content, &entry));
  cq_batch_content_free(content);
  cq_batch_codec_free(codec);
  cq_arena_free(arena);
  cq_buf_fini(&file);
}

static void packed(scene *s, size_t drafts, size_t batches) {
  cq_pack_report report;
  assert_int_equal(cq_laptop_pack(&s->laptop, NULL, &report, NULL), CQ_OK);
  assert_int_equal(report.drafts, drafts);
  assert_int_equal(report.batches, batches);
}

static void a_draft_travels_when_it_changed(void **state) {
  (void)state;
  scene *s = scene_new();
  int64_t draft = answer(s, 0, "nombre", "Ana Inventada");
  packed(s, 1, 1);
  opened_holds(s, 1, "Ana Inventada");
  packed(s, 0, 0);
  s->office->at.utc_ms += 60000;
  answer(s, draft, "nombre", "Berta Inventada");
  packed(s, 1, 1);
  opened_holds(s, 2, "Berta Inventada");
  packed(s, 0, 0);
  scene_free(s);
}

static void who_approves_reads_whose_laptop_it_is(void **state) {
  (void)state;
  scene *s = scene_new();
  cq_buf file = {0};
  cq_batch_header header;
  cq_secret *note = NULL;
  assert_true(office_batch(s->office, 0, &file));
  assert_int_equal(cq_batch_read_header(&header, file.at, file.size, NULL), CQ_OK);
  assert_int_equal(cq_unseal(&note, CQ_REQUEST_PURPOSE, header.request.note, header.request.note_size,
                             s->office->keys->desk.seal_secret, NULL),
                   CQ_OK);
  assert_int_equal(cq_secret_size(note), 4);
  assert_memory_equal(cq_secret_view(note), "T-01", 4);
  cq_secret_free(note);
  cq_buf_fini(&file);
  scene_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_draft_travels_when_it_changed),
                                     cmocka_unit_test(who_approves_reads_whose_laptop_it_is)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
