/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/interviews.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int32_t months[] = {24151, 24152, 24156};
static cq_hash parents[2];
static const cq_subject subjects[] = {{{"tdd", 3}, {"uuid:1", 6}}, {{"", 0}, {"uuid:2", 6}}};
static cq_attachment attachments[] = {{{"a.jpg", 5}, {{1}}, 70000}, {{"b ñ.jpg", 8}, {{2}}, 0}};

/* A record that uses every field. */
static cq_record full(const fixture *f) {
  memset(parents[0].at, 7, 32);
  memset(parents[1].at, 9, 32);
  return (cq_record){.envelope = {.programme = f->programme,
                                  .mode = CQ_MODE_REAL,
                                  .form_id = CQ_STR("a_linea_base_tdd"),
                                  .form_version = CQ_STR("1"),
                                  .form_hash = parents[0],
                                  .instance_id = CQ_STR("uuid:x"),
                                  .parents = parents,
                                  .parent_count = 2,
                                  .subjects = subjects,
                                  .subject_count = 2,
                                  .zone = CQ_STR("altiplano"),
                                  .season = CQ_STR("2012-T1"),
                                  .calendar_version = 300,
                                  .months = months,
                                  .month_count = 3,
                                  .result = CQ_RESULT_PARTIAL,
                                  .reason = CQ_STR("lluvia"),
                                  .technician = CQ_STR("tec01"),
                                  .device = f->device.id,
                                  .begun_utc_ms = fixture_now,
                                  .finished_utc_ms = fixture_now - 5, /* a clock that was set back */
                                  .working_date = {2012, 8, 20},
                                  .zone_minutes = -300,
                                  .sequence = 1,
                                  .offset_known = true,
                                  .offset_ms = -86400000,
                                  .consent = {.state = CQ_CONSENT_WITHDRAWN,
                                              .how = CQ_STR("firma"),
                                              .language = CQ_STR("quz"),
                                              .text_hash = {{3}},
                                              .folio = CQ_STR("A-17")}},
                     .instance_xml = CQ_STR("<data id=\"a\"><q>ñandú</q></data>"),
                     .audit = CQ_STR("event,node,start,end\n"),
                     .attachments = attachments,
                     .attachment_count = 2};
}

static void same_envelope(const cq_envelope *a, const cq_envelope *b) {
  assert_true(cq_programme_id_equal(&a->programme, &b->programme));
  assert_int_equal(a->mode, b->mode);
  assert_true(cq_str_equal(a->form_id, b->form_id));
  assert_true(cq_str_equal(a->form_version, b->form_version));
  assert_true(cq_hash_equal(&a->form_hash, &b->form_hash));
  assert_true(cq_str_equal(a->instance_id, b->instance_id));
  assert_int_equal(a->parent_count, b->parent_count);
  for (size_t i = 0; i < a->parent_count; i++) assert_true(cq_hash_equal(&a->parents[i], &b->parents[i]));
  assert_int_equal(a->subject_count, b->subject_count);
  for (size_t i = 0; i < a->subject_count; i++) {
    assert_true(cq_str_equal(a->subjects[i].dataset, b->subjects[i].dataset));
    assert_true(cq_str_equal(a->subjects[i].id, b->subjects[i].id));
  }
  assert_true(cq_str_equal(a->zone, b->zone));
  assert_true(cq_str_equal(a->season, b->season));
  assert_int_equal(a->calendar_version, b->calendar_version);
  assert_int_equal(a->month_count, b->month_count);
  for (size_t i = 0; i < a->month_count; i++) assert_int_equal(a->months[i], b->months[i]);
  assert_int_equal(a->result, b->result);
  assert_true(cq_str_equal(a->reason, b->reason));
  assert_true(cq_str_equal(a->technician, b->technician));
  assert_true(cq_device_id_equal(&a->device, &b->device));
  assert_true(a->begun_utc_ms == b->begun_utc_ms && a->finished_utc_ms == b->finished_utc_ms);
  assert_int_equal(cq_date_to_day(a->working_date), cq_date_to_day(b->working_date));
  assert_int_equal(a->zone_minutes, b->zone_minutes);
  assert_true(a->sequence == b->sequence);
  assert_int_equal(a->offset_known, b->offset_known);
  assert_true(a->offset_ms == b->offset_ms);
  assert_int_equal(a->consent.state, b->consent.state);
  assert_true(cq_str_equal(a->consent.how, b->consent.how));
  assert_true(cq_str_equal(a->consent.language, b->consent.language));
  assert_true(cq_hash_equal(&a->consent.text_hash, &b->consent.text_hash));
  assert_true(cq_str_equal(a->consent.folio, b->consent.folio));
}

static void built_and_parsed(const cq_record *record, fixture *f) {
  cq_buf bytes = {0};
  cq_hash name;
  cq_arena *arena = cq_arena_new(0);
  cq_record parsed;
  assert_int_equal(cq_record_build(&bytes, &name, record, &f->random, NULL), CQ_OK);
  assert_int_equal(cq_record_parse(&parsed, cq_buf_str(&bytes), arena, NULL), CQ_OK);
  same_envelope(&record->envelope, &parsed.envelope);
  assert_true(cq_str_equal(record->instance_xml, parsed.instance_xml));
  assert_true(cq_str_equal(record->audit, parsed.audit));
  assert_int_equal(record->attachment_count, parsed.attachment_count);
  for (size_t i = 0; i < parsed.attachment_count; i++) {
    assert_true(cq_str_equal(record->attachments[i].name, parsed.attachments[i].name));
    assert_true(record->attachments[i].size == parsed.attachments[i].size);
  }
  cq_hash again = cq_record_name(cq_buf_str(&bytes));
  assert_true(cq_hash_equal(&name, &again));
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
}

static void what_is_built_is_parsed(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_record record = full(f);
  built_and_parsed(&record, f);
  cq_record small = {.envelope = {.programme = f->programme,
                                  .mode = CQ_MODE_PRACTICE,
                                  .form_id = CQ_STR("f"),
                                  .instance_id = CQ_STR("uuid:y"),
                                  .result = CQ_RESULT_DRAFT,
                                  .begun_utc_ms = INT64_MIN,
                                  .finished_utc_ms = INT64_MAX,
                                  .working_date = {9999, 12, 31},
                                  .sequence = UINT64_MAX},
                     .instance_xml = CQ_STR("<f/>")};
  built_and_parsed(&small, f);
  fixture_free(f);
}

static void the_same_answers_have_another_name_each_time(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_record record = full(f);
  cq_buf a = {0}, b = {0};
  cq_hash one, two;
  assert_int_equal(cq_record_build(&a, &one, &record, &f->random, NULL), CQ_OK);
  assert_int_equal(cq_record_build(&b, &two, &record, &f->random, NULL), CQ_OK);
  assert_false(cq_hash_equal(&one, &two));
  assert_int_equal(a.size, b.size);
  cq_buf_fini(&a);
  cq_buf_fini(&b);
  fixture_free(f);
}

static void what_must_not_be_is_refused(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  static char long_text[257];
  memset(long_text, 'x', 256);
  static const int32_t backwards[] = {24152, 24151};
  static cq_attachment twice[] = {{{"a", 1}, {{1}}, 1}, {{"a", 1}, {{1}}, 1}};
  static cq_attachment climbing[] = {{{"..", 2}, {{1}}, 1}};
  cq_record r;
  cq_buf out = {0};
  cq_hash name;
  cq_error error;
#define REFUSED(change, code_text)                                                                                     \
  do {                                                                                                                 \
    r = full(f);                                                                                                       \
    change;                                                                                                            \
    assert_int_not_equal(cq_record_build(&out, &name, &r, &f->random, &error), CQ_OK);                                 \
    assert_string_equal(error.code, code_text);                                                                        \
    assert_int_equal(out.size, 0);                                                                                     \
  } while (0)
  REFUSED(r.envelope.season = cq_str_from(long_text), "record.field.long");
  REFUSED(r.envelope.technician = CQ_STR("a\nb"), "record.field.text");
  REFUSED(r.envelope.zone = CQ_STR("\xff"), "record.field.text");
  REFUSED(r.envelope.instance_id = CQ_STR(""), "record.field.value");
  REFUSED(r.envelope.mode = 3, "record.field.value");
  REFUSED(r.envelope.result = 6, "record.field.value");
  REFUSED(r.envelope.sequence = 0, "record.field.value");
  REFUSED(r.envelope.zone_minutes = 1081, "record.field.value");
  REFUSED(r.envelope.working_date.month = 13, "record.field.value");
  REFUSED((r.envelope.months = backwards, r.envelope.month_count = 2), "record.field.value");
  REFUSED(r.envelope.month_count = CQ_RECORD_MAX_MONTHS + 1, "record.field.many");
  REFUSED(r.envelope.parent_count = CQ_RECORD_MAX_PARENTS + 1, "record.field.many");
  REFUSED(r.envelope.consent.state = 4, "record.field.value");
  REFUSED(r.instance_xml = CQ_STR(""), "record.field.value");
  REFUSED(r.instance_xml.size = CQ_RECORD_MAX_INSTANCE + 1, "record.large");
  REFUSED((r.attachments = twice), "record.field.value");
  REFUSED((r.attachments = climbing, r.attachment_count = 1), "record.field.value");
#undef REFUSED
  cq_buf_fini(&out);
  fixture_free(f);
}

/* Whatever parses builds to the same bytes; with the salt put back, the name is theirs alone. */
static void bits_and_ends(void **state) {
  (void)state;
  fixture *f = fixture_new(1, CQ_MODE_REAL);
  cq_record record = full(f), parsed;
  cq_buf bytes = {0}, again = {0};
  cq_hash name, other;
  cq_arena *arena = cq_arena_new(0);
  size_t parsing = 0;
  assert_int_equal(cq_record_build(&bytes, &name, &record, &f->random, NULL), CQ_OK);
  for (size_t bit = 0; bit < bytes.size * 8; bit++) {
    bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << bit % 8));
    other = cq_record_name(cq_buf_str(&bytes));
    assert_false(cq_hash_equal(&name, &other));
    if (cq_record_parse(&parsed, cq_buf_str(&bytes), arena, NULL) == CQ_OK) {
      cq_buf_reset(&again);
      assert_int_equal(cq_record_build(&again, &other, &parsed, &f->random, NULL), CQ_OK);
      assert_int_equal(again.size, bytes.size);
      memcpy(again.at + 5, bytes.at + 5, 32);
      assert_memory_equal(again.at, bytes.at, bytes.size);
      parsing++;
    }
    bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << bit % 8));
    cq_arena_reset(arena);
  }
  assert_true(parsing > 256); /* at least the salt's */
  for (size_t size = 0; size < bytes.size; size++)
    if (cq_record_parse(&parsed, (cq_str){bytes.at, size}, arena, NULL) == CQ_OK)
      assert_true(parsed.attachment_count < 2); /* cut between two fields, of which the last may be missing */
  cq_error error;
  bytes.at[4] = 2;
  assert_int_equal(cq_record_parse(&parsed, cq_buf_str(&bytes), arena, &error), CQ_FUTURE);
  assert_string_equal(error.code, "record.future");
  cq_arena_free(arena);
  cq_buf_fini(&bytes);
  cq_buf_fini(&again);
  fixture_free(f);
}

static void what_is_pressed_comes_out_again(void **state) {
  (void)state;
  cq_record_press *press = cq_record_press_new();
  cq_buf text = {0}, kept = {0};
  cq_str out;
  cq_error error;
  assert_non_null(press);
  for (size_t size = 0; size < 300; size += 7) { /* short ones are kept as they are */
    cq_buf_reset(&text);
    cq_buf_reset(&kept);
    cq_buf_add_text(&text, "CHQI");
    for (size_t i = 0; i < size; i++) cq_buf_add_char(&text, (char)('a' + i % 5));
    cq_buf_add_text(&kept, "before");
    assert_int_equal(cq_record_press_in(press, &kept, cq_buf_str(&text), &error), CQ_OK);
    cq_str pressed = {kept.at + 6, kept.size - 6};
    assert_true(pressed.size <= text.size);
    assert_int_equal(cq_record_press_out(press, &out, pressed, &error), CQ_OK);
    assert_true(cq_str_equal(out, cq_buf_str(&text)));
  }
  cq_str pressed = {kept.at + 6, kept.size - 6};
  assert_true(pressed.size < text.size / 2);
  for (size_t size = 4; size < pressed.size; size++)
    assert_int_equal(cq_record_press_out(press, &out, (cq_str){pressed.at, size}, &error), CQ_DAMAGED);
  cq_str unknown = CQ_STR("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff");
  assert_int_equal(cq_record_press_out(press, &out, unknown, &error), CQ_DAMAGED); /* says it is without measure */
  assert_int_equal(cq_record_press_in(press, &kept, (cq_str){kept.at, CQ_RECORD_MAX_SIZE + 1}, &error), CQ_LIMIT);
  cq_record_press_free(press);
  cq_buf_fini(&text);
  cq_buf_fini(&kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_pressed_comes_out_again),
                                     cmocka_unit_test(what_is_built_is_parsed),
                                     cmocka_unit_test(the_same_answers_have_another_name_each_time),
                                     cmocka_unit_test(what_must_not_be_is_refused), cmocka_unit_test(bits_and_ends)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
