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

static cq_batch_content *must_open(world *w, const cq_buf *file, const cq_secret *secret) {
  cq_batch_content *content = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_batch_open(&content, w->codec, file->at, file->size, secret, &error);
  if (status != CQ_OK) fail_msg("%s", error.code);
  return content;
}

static void must_verify(world *w, const cq_buf *file, cq_standing as) {
  cq_standing standing;
  assert_int_equal(fixture_verify(w->f, file, &standing, NULL), CQ_OK);
  assert_int_equal(standing, as);
}

static void refused_as(const world *w, const cq_buf *file, const char *code) {
  cq_error error;
  cq_standing standing;
  cq_error_clear(&error);
  assert_int_not_equal(fixture_verify(w->f, file, &standing, &error), CQ_OK);
  assert_string_equal(error.code, code);
}

/* --- what goes in comes out --- */

static void records_come_out_byte_for_byte(void **state) {
  (void)state;
  static const size_t counts[] = {1, 2, 7, 100};
  world *w = world_new();
  cq_buf file = {0};
  cq_hash names[100], previous = {0};
  for (size_t c = 0; c < 4; c++)
    for (int audited = 0; audited < 2; audited++) {
      for (size_t i = 0; i < counts[c]; i++) names[i] = add_interview(w, i * 31 + c, audited);
      cq_batch_sender sender = fixture_sender(w->f, &w->f->device, c + 1, c ? &previous : NULL);
      cq_batch_sizes sizes;
      previous = fixture_end(w->f, w->writer, &sender, &file, &sizes);
      assert_int_equal(sizes.file, file.size);
      assert_int_equal(sizes.entries, counts[c]);
      assert_true(audited ? sizes.audit > 0 : sizes.audit == 0);
      assert_int_equal(cq_batch_count(w->writer), 0);
      must_verify(w, &file, CQ_STANDING_CERTIFIED);
      cq_batch_content *content = must_open(w, &file, audited ? w->f->desk.seal_secret : w->f->recovery.seal_secret);
      cq_batch_entry entry;
      size_t at = 0;
      for (; cq_batch_next(content, &entry); at++) {
        assert_int_equal(entry.kind, CQ_ENTRY_RECORD);
        assert_true(cq_hash_equal(&entry.name, &names[at]));
        cq_hash name = cq_record_name(entry.bytes);
        assert_true(cq_hash_equal(&name, &names[at]));
      }
      assert_int_equal(at, counts[c]);
      assert_int_equal(cq_batch_content_sizes(content)->audit, sizes.audit);
      cq_batch_content_free(content);
    }
  cq_buf_fini(&file);
  world_free(w);
}

static cq_hash record_of(cq_buf *out, const fixture *f, const cq_hash *form, cq_str xml, cq_result result,
                         const cq_attachment *attachment) {
  cq_record record = {.envelope = {.programme = f->programme,
                                   .mode = f->mode,
                                   .form_id = CQ_STR("linea_base"),
                                   .form_hash = *form,
                                   .instance_id = CQ_STR("uuid:1"),
                                   .result = result,
                                   .device = f->stranger.id, /* of the vault before this one was restored */
                                   .working_date = {2012, 8, 20},
                                   .sequence = 5},
                      .instance_xml = xml,
                      .attachments = attachment,
                      .attachment_count = attachment ? 1 : 0};
  cq_hash name;
  fixed_random state = {.seed = xml.size};
  cq_random random = fixed_random_of(&state);
  assert_int_equal(cq_record_build(out, &name, &record, &random, NULL), CQ_OK);
  return name;
}

/* Instances that follow the outline in part, or not at all, come back as they were. */
static void odd_instances(void **state) {
  (void)state;
  static const char *const odd[] = {
      "<linea_base/>",
      "<linea_base></linea_base>",
      "<linea_base id=\"linea_base\" version=\"2012082001\"/>",
      "<linea_base id=\"otro\"><start>x</start></linea_base>",
      "<?xml version='1.0' ?>\n<linea_base><end a=\"1 > 0\">x</end></linea_base>\n",
      "<linea_base><end>y</end><start>x</start></linea_base>",
      "<linea_base><nuevo>1</nuevo></linea_base>",
      "<linea_base> <start>x</start></linea_base>",
      "<linea_base><start><!-- c --></start></linea_base>",
      "<linea_base><start><![CDATA[x]]></start></linea_base>",
      "<linea_base><hogar><miembro/><miembro><m_edad/></miembro><miembro a='2'>z</miembro></hogar></linea_base>",
      "<linea_base><hogar><miembro/></hogar><hogar/></linea_base>",
      "<linea_base><start>x</start ></linea_base>",
      "<linea_base><start >x</start></linea_base>",
      "<linea_base><start />y</linea_base>",
      "<linea_base><persona>suelto</persona></linea_base>",
      "<linea_base><start>x</linea_base>",
      "<otra_forma><start>x</start></otra_forma>",
      "no es XML",
      "<",
      "<linea_base",
      "<linea_base><start>x</start></linea_base><linea_base/>",
      "<linea_base><meta><entity dataset=\"tdd\" id=\"1\" "
      "create=\"1\"/><instanceID>uuid:1</instanceID></meta></linea_base>"};
  enum { ODD = sizeof odd / sizeof *odd };
  world *w = world_new();
  cq_buf file = {0}, record = {0};
  cq_hash names[ODD + 1], none = {0};
  for (size_t i = 0; i < ODD; i++) {
    cq_buf_reset(&record);
    names[i] = record_of(&record, w->f, &w->form_hash, cq_str_from(odd[i]), CQ_RESULT_COMPLETE, NULL);
    assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  }
  /* and one of a form that this laptop does not have */
  cq_buf_reset(&record);
  names[ODD] = record_of(&record, w->f, &none, CQ_STR("<x>\0</x>"), CQ_RESULT_COMPLETE, NULL);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_batch_content *content = must_open(w, &file, w->f->desk.seal_secret);
  size_t found = 0;
  bool seen[ODD + 1] = {false};
  for (cq_batch_entry entry; cq_batch_next(content, &entry); found++)
    for (size_t i = 0; i <= ODD; i++)
      if (cq_hash_equal(&entry.name, &names[i])) seen[i] = true;
  assert_int_equal(found, ODD + 1);
  for (size_t i = 0; i <= ODD; i++)
    if (!seen[i]) fail_msg("%s", i < ODD ? odd[i] : "another form");
  cq_batch_content_free(content);
  cq_buf_fini(&record);
  cq_buf_fini(&file);
  world_free(w);
}

static void odd_trails(void **state) {
  (void)state;
  static const char *const odd[] = {
      "event,node,start,end\nquestion,/a/b,1345471385120,1345471388000\n",
      "12345678",
      "012345678,12345678,0,-12345678, 12345678,1234567,123456789012345678,1234567890123456789",
      "99999999,10000000\r\n999999999999999999,10000000",
      "a\x01b,12345678",
      "\x01",
      "12345678.5,12345678x,\"12345678\"",
      ",,12345678,,\n\n12345678"};
  enum { ODD = sizeof odd / sizeof *odd };
  world *w = world_new();
  cq_buf file = {0}, record = {0};
  cq_hash names[ODD];
  interview made = {.instance_id = "uuid:1", .subject = "uuid:2"};
  cq_buf_add_text(&made.xml, "<linea_base/>");
  for (size_t i = 0; i < ODD; i++) {
    cq_buf_reset(&record);
    cq_buf_reset(&made.audit);
    cq_buf_add_text(&made.audit, odd[i]);
    names[i] = interview_record(&record, &made, w->f, &w->f->device, &w->form_hash, i + 1, &w->f->random);
    assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  }
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_batch_content *content = must_open(w, &file, w->f->desk.seal_secret);
  size_t found = 0;
  for (cq_batch_entry entry; cq_batch_next(content, &entry); found++)
    if (!cq_hash_equal(&entry.name, &names[found])) fail_msg("%s", odd[found]);
  assert_int_equal(found, ODD);
  cq_batch_content_free(content);
  interview_fini(&made);
  cq_buf_fini(&record);
  cq_buf_fini(&file);
  world_free(w);
}

/* Records of one form whose envelopes have little in common: each field there in some and not in others. */
static void mixed_envelopes(void **state) {
  (void)state;
  static const cq_hash parents[] = {{{1}}, {{2}}, {{3}}};
  static const cq_subject subjects[] = {{{"tdd", 3}, {"uuid:1", 6}}, {{"org", 3}, {"uuid:2", 6}}};
  static const int32_t months[] = {24151, 24152};
  static const cq_attachment photos[] = {{{"a.jpg", 5}, {{4}}, 1}, {{"b.jpg", 5}, {{5}}, 1 << 30}};
  static const cq_str words[] = {{"", 0}, {"uno", 3}, {"dos", 3}};
  enum { RECORDS = 40 };
  world *w = world_new();
  cq_buf file = {0}, record = {0};
  cq_hash names[RECORDS];
  for (size_t i = 0; i < RECORDS; i++) {
    cq_record r = {.envelope = {.programme = w->f->programme,
                                .mode = w->f->mode,
                                .form_id = CQ_STR("linea_base"),
                                .form_version = words[i % 3],
                                .form_hash = w->form_hash,
                                .instance_id = CQ_STR("uuid:1"),
                                .parents = parents,
                                .parent_count = i % 4,
                                .subjects = subjects,
                                .subject_count = i % 3,
                                .zone = words[i / 2 % 3],
                                .season = words[i / 3 % 3],
                                .calendar_version = (uint32_t)(i % 2 * (4000000000 - i)),
                                .months = months,
                                .month_count = i / 2 % 3,
                                .result = (cq_result)(1 + i % 4),
                                .reason = words[i / 4 % 3],
                                .technician = words[i / 5 % 3],
                                .device = i % 2 ? w->f->device.id : w->f->stranger.id,
                                .begun_utc_ms = i % 5 ? fixture_now - (int64_t)i * 1000 : INT64_MIN,
                                .finished_utc_ms = i % 7 ? fixture_now : INT64_MAX,
                                .working_date = {(int32_t)(1 + i * 250), 2, 28},
                                .zone_minutes = (int32_t)(i % 3) * -300,
                                .sequence = i % 6 ? i : UINT64_MAX - i,
                                .offset_known = i % 2,
                                .offset_ms = i % 4 ? (int64_t)i : INT64_MIN,
                                .consent = {.state = (cq_consent_state)(i % 4),
                                            .how = words[i % 3],
                                            .text_hash = {{(uint8_t)(i % 2)}},
                                            .folio = words[i / 7 % 3]}},
                   .instance_xml = CQ_STR("<linea_base/>"),
                   .audit = words[i % 3],
                   .attachments = photos,
                   .attachment_count = i / 3 % 3};
    if (!r.envelope.offset_known) r.envelope.offset_ms = 0;
    cq_buf_reset(&record);
    assert_int_equal(cq_record_build(&record, &names[i], &r, &w->f->random, NULL), CQ_OK);
    assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  }
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_batch_content *content = must_open(w, &file, w->f->desk.seal_secret);
  size_t found = 0;
  for (cq_batch_entry entry; cq_batch_next(content, &entry); found++)
    if (!cq_hash_equal(&entry.name, &names[found])) fail_msg("record %zu", found);
  assert_int_equal(found, RECORDS);
  cq_batch_content_free(content);
  cq_buf_fini(&record);
  cq_buf_fini(&file);
  world_free(w);
}

static void every_kind_of_entry(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0}, draft = {0};
  cq_hash photo = cq_hash_of("jpeg", 4);
  cq_attachment attachment = {.name = CQ_STR("foto.jpg"), .hash = photo, .size = 4};
  cq_hash name = record_of(&draft, w->f, &w->form_hash, CQ_STR("<linea_base/>"), CQ_RESULT_DRAFT, &attachment);
  assert_int_equal(cq_batch_add_part(w->writer, &photo, 0, 4, CQ_STR("jp"), NULL), CQ_OK);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_REQUEST, CQ_STR("request"), NULL), CQ_OK);
  assert_int_equal(cq_batch_add_list(w->writer, CQ_STR("tdd.csv"), CQ_STR("name,label\n1,Rosa\n"), NULL), CQ_OK);
  assert_int_equal(cq_batch_add_part(w->writer, &photo, 2, 4, CQ_STR("eg"), NULL), CQ_OK);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_DRAFT, cq_buf_str(&draft), NULL), CQ_OK);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->desk, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  must_verify(w, &file, CQ_STANDING_CERTIFIED); /* a desk may write to devices */
  cq_batch_content *content = must_open(w, &file, w->f->desk.seal_secret);
  cq_batch_entry entry;
  assert_true(cq_batch_next(content, &entry));
  assert_int_equal(entry.kind, CQ_ENTRY_DRAFT);
  assert_true(cq_hash_equal(&entry.name, &name));
  assert_true(cq_batch_next(content, &entry));
  assert_int_equal(entry.kind, CQ_ENTRY_PART);
  assert_true(cq_hash_equal(&entry.name, &photo));
  assert_true(entry.part_offset == 0 && entry.part_total == 4 && cq_str_is(entry.bytes, "jp"));
  assert_true(cq_batch_next(content, &entry));
  assert_true(entry.kind == CQ_ENTRY_REQUEST && cq_str_is(entry.bytes, "request"));
  assert_true(cq_batch_next(content, &entry));
  assert_true(entry.kind == CQ_ENTRY_LIST && cq_str_is(entry.list_name, "tdd.csv"));
  assert_true(cq_str_is(entry.bytes, "name,label\n1,Rosa\n"));
  assert_true(cq_batch_next(content, &entry));
  assert_true(entry.kind == CQ_ENTRY_PART && entry.part_offset == 2 && cq_str_is(entry.bytes, "eg"));
  assert_false(cq_batch_next(content, &entry));
  assert_int_equal(entry.kind, 0);
  cq_batch_content_free(content);
  cq_buf_fini(&draft);
  cq_buf_fini(&file);
  world_free(w);
}

static void what_does_not_belong_is_not_added(void **state) {
  (void)state;
  world *w = world_new();
  fixture *practice = fixture_new(1, CQ_MODE_PRACTICE);
  cq_buf record = {0}, file = {0};
  cq_error error;
  cq_hash hash;
  record_of(&record, w->f, &w->form_hash, CQ_STR("<linea_base/>"), CQ_RESULT_COMPLETE, NULL);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_DRAFT, cq_buf_str(&record), &error), CQ_INVALID);
  assert_string_equal(error.code, "batch.entry.damaged");
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, CQ_STR("CHQI"), &error), CQ_DAMAGED);
  assert_string_equal(error.code, "record.damaged");
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_PART, CQ_STR("x"), &error), CQ_INVALID);
  assert_int_equal(cq_batch_add_part(w->writer, &hash, 3, 4, CQ_STR("xy"), &error), CQ_INVALID);
  assert_int_equal(cq_batch_add_list(w->writer, CQ_STR("../x"), CQ_STR("a"), &error), CQ_INVALID);
  char *large = calloc(1, CQ_BATCH_MAX_SIZE);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_REQUEST, (cq_str){large, CQ_BATCH_MAX_SIZE}, &error), CQ_LIMIT);
  assert_string_equal(error.code, "batch.large");
  assert_int_equal(cq_batch_count(w->writer), 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(cq_batch_add_part(w->writer, &w->form_hash, (uint64_t)i << 24, 1 << 30,
                                       (cq_str){large, CQ_BATCH_PART_SIZE}, NULL),
                     CQ_OK);
  assert_int_equal(
      cq_batch_add_part(w->writer, &w->form_hash, 3 << 24, 1 << 30, (cq_str){large, CQ_BATCH_PART_SIZE}, &error),
      CQ_LIMIT);
  assert_string_equal(error.code, "batch.full");
  assert_int_equal(cq_batch_count(w->writer), 3);
  free(large);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  assert_true(file.size <= CQ_BATCH_MAX_SIZE);
  must_verify(w, &file, CQ_STANDING_CERTIFIED);
  /* a practice record into a real batch */
  cq_buf_reset(&record);
  record_of(&record, practice, &w->form_hash, CQ_STR("<linea_base/>"), CQ_RESULT_COMPLETE, NULL);
  assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
  assert_int_equal(cq_batch_end(w->writer, &sender, &w->f->desk.seal_key, 1, &w->f->random, &file, &hash, NULL, &error),
                   CQ_REFUSED);
  assert_string_equal(error.code, "batch.entry.foreign");
  assert_int_equal(cq_batch_count(w->writer), 1); /* still there */
  cq_buf_fini(&record);
  cq_buf_fini(&file);
  fixture_free(practice);
  world_free(w);
}

static void senders_and_recipients(void **state) {
  (void)state;
  world *w = world_new();
  fixture *f = w->f;
  cq_buf file = {0};
  cq_hash hash, some = {{1}};
  cq_error error;
  cq_request request = fixture_request(f, &f->stranger);
  cq_seal_key twice[] = {f->desk.seal_key, f->desk.seal_key};
  cq_batch_sender right = fixture_sender(f, &f->device, 1, NULL), s;
#define REFUSED(change, to, count, code_text)                                                                          \
  do {                                                                                                                 \
    s = right;                                                                                                         \
    change;                                                                                                            \
    assert_int_equal(cq_batch_end(w->writer, &s, to, count, &f->random, &file, &hash, NULL, &error), CQ_INVALID);      \
    assert_string_equal(error.code, code_text);                                                                        \
    assert_int_equal(file.size, 0);                                                                                    \
  } while (0)
  REFUSED(s.request = &request, twice, 1, "batch.sender");
  REFUSED(s.chain = NULL, twice, 1, "batch.sender");
  REFUSED(s.chain = &f->post.chain, twice, 1, "batch.sender"); /* not the certificate of that key */
  REFUSED((s.chain = NULL, s.request = &request), twice, 1, "batch.sender");
  REFUSED(s.number = 0, twice, 1, "batch.sender");
  REFUSED(s.number = 2, twice, 1, "batch.sender"); /* the second without a batch before it */
  REFUSED(s.previous = some, twice, 1, "batch.sender");
  REFUSED(s.working_date.day = 32, twice, 1, "batch.sender");
  REFUSED(, twice, 0, "batch.recipients");
  REFUSED(, twice, 2, "batch.recipients");
#undef REFUSED
  cq_buf_fini(&file);
  world_free(w);
}

/* --- what may be read without a key --- */

static void the_header_says_all_it_should(void **state) {
  (void)state;
  world *w = world_new();
  fixture *f = w->f;
  cq_buf file = {0};
  cq_batch_header header;
  cq_request request = fixture_request(f, &f->stranger);
  request.has_predecessor = true;
  request.predecessor = f->device.id;
  request.predecessor_number = 17;
  cq_batch_sender sender = fixture_sender(f, &f->stranger, 1, NULL);
  sender.request = &request;
  sender.offset_known = true;
  sender.offset_ms = -5400000;
  fixture_end(f, w->writer, &sender, &file, NULL); /* without entries: it carries the request */
  assert_int_equal(cq_batch_read_header(&header, file.at, file.size, NULL), CQ_OK);
  assert_int_equal(header.mode, CQ_MODE_REAL);
  assert_true(cq_device_id_equal(&header.device, &f->stranger.id));
  assert_true(cq_programme_id_equal(&header.programme, &f->programme));
  assert_true(header.number == 1 && header.created_utc_ms == fixture_now);
  assert_true(header.offset_known && header.offset_ms == -5400000);
  assert_int_equal(cq_date_to_day(header.working_date), cq_date_to_day(sender.working_date));
  assert_int_equal(header.recipient_count, 2);
  assert_true(header.has_request && header.request.has_predecessor && header.request.predecessor_number == 17);
  assert_true(cq_device_id_equal(&header.request.predecessor, &f->device.id));
  assert_memory_equal(header.request.seal.at, f->stranger.seal_key.at, 32);
  assert_memory_equal(header.request.note, request.note, request.note_size);
  cq_secret *note = NULL;
  assert_int_equal(
      cq_unseal(&note, CQ_REQUEST_PURPOSE, header.request.note, header.request.note_size, f->desk.seal_secret, NULL),
      CQ_OK);
  assert_memory_equal(cq_secret_view(note), "laptop 3, Puno", 14);
  cq_secret_free(note);
  must_verify(w, &file, CQ_STANDING_UNKNOWN);
  /* a header alone is enough, a shorter piece is not */
  assert_int_equal(cq_batch_read_header(&header, file.at, header.header_size, NULL), CQ_OK);
  for (size_t size = 0; size < header.header_size; size++) {
    cq_error error;
    cq_batch_header cut;
    assert_int_equal(cq_batch_read_header(&cut, file.at, size, &error), CQ_DAMAGED);
    assert_string_equal(error.code, "batch.truncated");
  }
  cq_batch_sender second = fixture_sender(f, &f->trainee, 2, &(cq_hash){{9}});
  fixture_end(f, w->writer, &second, &file, NULL);
  assert_int_equal(cq_batch_read_header(&header, file.at, file.size, NULL), CQ_OK);
  assert_int_equal(header.chain.count, 2);
  assert_false(header.has_request || header.offset_known);
  must_verify(w, &file, CQ_STANDING_CERTIFIED);
  cq_buf_fini(&file);
  world_free(w);
}

/* Nothing outside the seal tells how many records there are, but the padded length. */
static void padding_hides_sizes(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0};
  cq_batch_sizes sizes;
  size_t different = 0, last = 0, most = 0;
  for (uint64_t i = 0; i < 60; i++) {
    add_interview(w, i, false);
    cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
    fixture_end(w->f, w->writer, &sender, &file, &sizes);
    assert_true(sizes.padding * 8 <= sizes.file); /* at most an eighth */
    assert_true(file.size <= 1228);               /* the promise for one interview */
    most = file.size > most ? file.size : most;
    different += file.size != last;
    last = file.size;
  }
  printf("a batch of one interview: at most %zu bytes\n", most);
  assert_true(different < 40); /* sixty interviews of other lengths, few lengths of files */
  cq_buf_fini(&file);
  world_free(w);
}

/* --- what is changed, cut, forged, replayed or of another world --- */

static void every_bit_and_every_end(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0};
  add_interview(w, 1, true);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_standing standing;
  cq_error error;
  for (size_t bit = 0; bit < file.size * 8; bit++) {
    file.at[bit / 8] = (char)(file.at[bit / 8] ^ (1 << bit % 8));
    assert_int_not_equal(fixture_verify(w->f, &file, &standing, &error), CQ_OK);
    file.at[bit / 8] = (char)(file.at[bit / 8] ^ (1 << bit % 8));
  }
  size_t whole = file.size;
  for (file.size = 0; file.size < whole; file.size++) {
    assert_int_equal(fixture_verify(w->f, &file, &standing, &error), CQ_DAMAGED);
    assert_string_equal(error.code, "batch.truncated");
  }
  must_verify(w, &file, CQ_STANDING_CERTIFIED);
  cq_buf_add_char(&file, 'x');
  refused_as(w, &file, "batch.size");
  cq_buf_fini(&file);
  world_free(w);
}

static void pieces_give_the_same_answer(void **state) {
  (void)state;
  static const size_t steps[] = {1, 7, 63, 64, 65, 500, 4096, 100000};
  world *w = world_new();
  cq_buf file = {0};
  cq_batch_header header;
  cq_standing standing;
  const char *why;
  cq_hash hash, right;
  for (size_t i = 0; i < 30; i++) add_interview(w, i, false);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  right = fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_batch_verifier *verifier = cq_batch_verifier_new(&w->f->trust);
  for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
    for (size_t at = 0; at < file.size; at += steps[s]) {
      size_t part = file.size - at < steps[s] ? file.size - at : steps[s];
      assert_int_equal(cq_batch_verifier_add(verifier, file.at + at, part, NULL), CQ_OK);
    }
    assert_int_equal(cq_batch_verifier_end(verifier, &header, &hash, &standing, &why, NULL), CQ_OK);
    assert_true(cq_hash_equal(&hash, &right));
    assert_int_equal(standing, CQ_STANDING_CERTIFIED);
    assert_null(why);
  }
  cq_error error;
  assert_int_equal(cq_batch_verifier_add(verifier, file.at, file.size - 1, NULL), CQ_OK);
  assert_int_equal(cq_batch_verifier_end(verifier, &header, &hash, &standing, &why, &error), CQ_DAMAGED);
  assert_string_equal(error.code, "batch.truncated");
  cq_batch_verifier_free(verifier);
  cq_buf_fini(&file);
  world_free(w);
}

/* Signs the bytes anew, as whoever holds that key could. */
static void sign_again(cq_buf *file, const signer *who) {
  cq_signature signature;
  assert_int_equal(cq_sign(&signature, "chasqui batch 1", file->at, file->size - 64, who->secret, NULL), CQ_OK);
  memcpy(file->at + file->size - 64, signature.at, 64);
}

static void each_fraud_has_its_name(void **state) {
  (void)state;
  world *w = world_new();
  fixture *f = w->f, *practice = fixture_new(1, CQ_MODE_PRACTICE), *other = fixture_new(9, CQ_MODE_REAL);
  cq_buf file = {0}, theirs = {0};
  cq_batch_content *content = NULL;
  cq_error error;
  cq_standing standing;
  cq_batch_sender sender = fixture_sender(f, &f->device, 1, NULL);
  add_interview(w, 1, false);
  fixture_end(f, w->writer, &sender, &file, NULL);

  /* signed by somebody else's key */
  cq_buf_reset(&theirs);
  cq_buf_add(&theirs, file.at, file.size);
  sign_again(&theirs, &f->trainee);
  refused_as(w, &theirs, "batch.signature");

  /* sealed content of one, put behind the header of another and signed rightly: re-sealed, or replayed as one's own */
  cq_batch_header header, head;
  assert_int_equal(cq_batch_read_header(&header, file.at, file.size, NULL), CQ_OK);
  add_interview(w, 1, false);
  cq_batch_sender trainee = fixture_sender(f, &f->trainee, 1, NULL);
  fixture_end(f, w->writer, &trainee, &theirs, NULL);
  assert_int_equal(cq_batch_read_header(&head, theirs.at, theirs.size, NULL), CQ_OK);
  assert_int_equal(theirs.size - head.header_size, file.size - header.header_size);
  memcpy(theirs.at + head.header_size, file.at + header.header_size, file.size - header.header_size);
  /* even with the recipients' slots of the original */
  memcpy(theirs.at + head.header_size - 144, file.at + header.header_size - 144, 144);
  sign_again(&theirs, &f->trainee);
  must_verify(w, &theirs, CQ_STANDING_CERTIFIED);
  assert_int_equal(cq_batch_open(&content, w->codec, theirs.at, theirs.size, f->desk.seal_secret, &error), CQ_REFUSED);
  assert_string_equal(error.code, "batch.unbound");
  assert_null(content);

  /* its own device renumbers it, or changes whom it is sealed to */
  for (size_t at = 28; at < header.header_size; at++) {
    if (at >= 92 && at < 92 + CQ_CERTIFICATE_SIZE) continue; /* the certificate */
    cq_buf_reset(&theirs);
    cq_buf_add(&theirs, file.at, file.size);
    theirs.at[at] = (char)(theirs.at[at] ^ 1);
    sign_again(&theirs, &f->device);
    if (fixture_verify(f, &theirs, &standing, NULL) != CQ_OK) continue; /* no right header any more */
    assert_int_not_equal(cq_batch_open(&content, w->codec, theirs.at, theirs.size, f->desk.seal_secret, &error), CQ_OK);
    assert_true(strcmp(error.code, "batch.unbound") == 0 || strcmp(error.code, "batch.recipient") == 0);
  }

  /* not for this key */
  assert_int_equal(cq_batch_open(&content, w->codec, file.at, file.size, f->post.seal_secret, &error), CQ_REFUSED);
  assert_string_equal(error.code, "batch.recipient");

  /* practice and real; another programme */
  add_interview(w, 2, false);
  fixture_end(f, w->writer, &sender, &file, NULL);
  assert_int_equal(fixture_verify(practice, &file, &standing, &error), CQ_REFUSED);
  assert_string_equal(error.code, "batch.mode");
  assert_int_equal(fixture_verify(other, &file, &standing, &error), CQ_REFUSED);
  assert_string_equal(error.code, "batch.programme");

  /* from the future, and no batch at all */
  file.at[4] = 2;
  refused_as(w, &file, "batch.future");
  file.at[0] = 'X';
  refused_as(w, &file, "batch.magic");
  cq_buf_fini(&file);
  cq_buf_fini(&theirs);
  fixture_free(practice);
  fixture_free(other);
  world_free(w);
}

static void judged(world *w, const cq_buf *file, cq_standing as, const char *because) {
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why = NULL;
  assert_int_equal(cq_batch_verify(&header, &hash, &standing, &why, file->at, file->size, &w->f->trust, NULL), CQ_OK);
  assert_int_equal(standing, as);
  if (because)
    assert_string_equal(why, because);
  else
    assert_null(why);
}

static void strangers_and_the_revoked_are_kept_apart(void **state) {
  (void)state;
  world *w = world_new();
  fixture *f = w->f;
  cq_buf file = {0};
  cq_hash before = {{1}};
  cq_revocation revocations[2] = {{.key = f->trainee.id, .last_trusted = 4}};
  cq_batch_sender sender = fixture_sender(f, &f->trainee, 4, &before);
  f->trust.revocations = revocations;
  f->trust.revocation_count = 1;
  fixture_end(f, w->writer, &sender, &file, NULL);
  judged(w, &file, CQ_STANDING_CERTIFIED, NULL);
  sender.number = 5;
  fixture_end(f, w->writer, &sender, &file, NULL);
  judged(w, &file, CQ_STANDING_REVOKED, "batch.revoked");
  revocations[0].key = f->coordinator.id; /* with the coordinator all whom she certified */
  judged(w, &file, CQ_STANDING_UNKNOWN, "certificate.revoked");
  f->trust.revocation_count = 0;
  judged(w, &file, CQ_STANDING_CERTIFIED, NULL);
  /* a certificate that the device made itself */
  signer forged = f->stranger;
  cq_certificate certificate = {
      .mode = f->mode, .role = CQ_ROLE_DEVICE, .programme = f->programme, .sign = forged.key, .seal = forged.seal_key};
  uint8_t link[CQ_CERTIFICATE_SIZE];
  assert_int_equal(cq_certificate_issue(link, &certificate, forged.secret, NULL), CQ_OK);
  forged.chain = cq_chain_of(NULL, link);
  sender = fixture_sender(f, &forged, 1, NULL);
  fixture_end(f, w->writer, &sender, &file, NULL);
  judged(w, &file, CQ_STANDING_UNKNOWN, "certificate.issuer");
  /* a device that certifies another */
  assert_int_equal(cq_certificate_issue(link, &certificate, f->device.secret, NULL), CQ_OK);
  forged.chain = cq_chain_of(f->device.chain.link[0], link);
  sender = fixture_sender(f, &forged, 1, NULL);
  fixture_end(f, w->writer, &sender, &file, NULL);
  judged(w, &file, CQ_STANDING_UNKNOWN, "certificate.role");
  cq_buf_fini(&file);
  world_free(w);
}

/* --- nothing readable, nothing used twice --- */

static bool holds(const cq_buf *file, const char *text) {
  size_t size = strlen(text);
  for (size_t i = 0; i + size <= file->size; i++)
    if (memcmp(file->at + i, text, size) == 0) return true;
  return false;
}

static void nothing_is_readable_from_outside(void **state) {
  (void)state;
  static const char *const known[] = {"linea_base", "tec0", "Quispe", "Rosa",   "2012-T1", "altiplano", "uuid:",
                                      "nombres",    "oral", "foto",   "photo!", "start",   "CHQI",      "tdd"};
  world *w = world_new();
  cq_buf file = {0};
  for (uint64_t i = 0; i < 40; i++) add_interview(w, i, true);
  cq_hash photo = cq_hash_of("photo!", 6);
  assert_int_equal(cq_batch_add_part(w->writer, &photo, 0, 6, CQ_STR("photo!"), NULL), CQ_OK);
  assert_int_equal(cq_batch_add_list(w->writer, CQ_STR("foto.csv"), CQ_STR("Rosa"), NULL), CQ_OK);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (holds(&file, known[i])) fail_msg("%s", known[i]);
  cq_buf_fini(&file);
  world_free(w);
}

static void the_same_content_never_looks_the_same(void **state) {
  (void)state;
  enum { TIMES = 64 };
  world *w = world_new();
  cq_buf file = {0}, record = {0};
  cq_batch_header header;
  uint8_t ephemeral[TIMES][32], sealed[TIMES][64];
  record_of(&record, w->f, &w->form_hash, CQ_STR("<linea_base/>"), CQ_RESULT_COMPLETE, NULL);
  for (size_t i = 0; i < TIMES; i++) {
    cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
    cq_hash hash;
    cq_seal_key to[] = {w->f->desk.seal_key, w->f->recovery.seal_key};
    assert_int_equal(cq_batch_add(w->writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL), CQ_OK);
    assert_int_equal(cq_batch_end(w->writer, &sender, to, 2, &cq_random_system, &file, &hash, NULL, NULL), CQ_OK);
    assert_int_equal(cq_batch_read_header(&header, file.at, file.size, NULL), CQ_OK);
    memcpy(ephemeral[i], file.at + header.header_size - 144, 32);
    memcpy(sealed[i], file.at + header.header_size, 64);
    for (size_t k = 0; k < i; k++) {
      assert_memory_not_equal(ephemeral[i], ephemeral[k], 32);
      assert_memory_not_equal(sealed[i], sealed[k], 64);
    }
  }
  cq_buf_fini(&record);
  cq_buf_fini(&file);
  world_free(w);
}

static void a_form_that_is_not_known_is_told(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0};
  add_interview(w, 1, false);
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, NULL);
  cq_batch_codec *without = cq_batch_codec_new(NULL);
  cq_batch_content *content = NULL;
  cq_error error;
  char hex[65];
  assert_int_equal(cq_batch_open(&content, without, file.at, file.size, w->f->desk.seal_secret, &error), CQ_NOTFOUND);
  assert_string_equal(error.code, "batch.form");
  assert_string_equal(error.arg[0], cq_hash_hex(&w->form_hash, hex));
  cq_batch_codec_free(without);
  cq_buf_fini(&file);
  world_free(w);
}

/* A photograph larger than any batch goes in parts over several, and comes together in whatever order they arrive. */
static void attachments_span_batches(void **state) {
  (void)state;
  enum { WHOLE = 70 << 20, MOST = 8 };
  world *w = world_new();
  cq_buf files[MOST] = {{0}};
  cq_hash hash = {0};
  fixed_random state_of = {.seed = 3};
  cq_random random = fixed_random_of(&state_of);
  char *photo = malloc(WHOLE), *again = calloc(1, WHOLE);
  assert_true(photo && again);
  for (size_t at = 0; at < WHOLE; at += 1 << 20) { /* it does not compress */
    random.fill(random.context, photo + at, 4096);
    for (size_t k = 4096; k < 1 << 20; k += 4096) memcpy(photo + at + k, photo + at, 4096);
  }
  cq_hash whole = cq_hash_of(photo, WHOLE), found;
  size_t count = 0;
  for (size_t at = 0; at < WHOLE;) {
    size_t part = WHOLE - at < CQ_BATCH_PART_SIZE ? WHOLE - at : CQ_BATCH_PART_SIZE;
    cq_error error;
    cq_status status = cq_batch_add_part(w->writer, &whole, at, WHOLE, (cq_str){photo + at, part}, &error);
    if (status == CQ_OK)
      at += part;
    else
      assert_string_equal(error.code, "batch.full");
    if (status == CQ_OK && at < WHOLE) continue;
    cq_batch_sender sender = fixture_sender(w->f, &w->f->device, count + 1, count ? &hash : NULL);
    hash = fixture_end(w->f, w->writer, &sender, &files[count], NULL);
    assert_true(files[count].size <= CQ_BATCH_MAX_SIZE);
    assert_true(++count < MOST);
  }
  assert_int_equal(count, 2);
  while (count-- > 0) {
    must_verify(w, &files[count], CQ_STANDING_CERTIFIED);
    cq_batch_content *content = must_open(w, &files[count], w->f->desk.seal_secret);
    for (cq_batch_entry entry; cq_batch_next(content, &entry);) {
      assert_true(entry.kind == CQ_ENTRY_PART && entry.part_total == WHOLE);
      memcpy(again + entry.part_offset, entry.bytes.at, entry.bytes.size);
    }
    cq_batch_content_free(content);
    cq_buf_fini(&files[count]);
  }
  found = cq_hash_of(again, WHOLE);
  assert_true(cq_hash_equal(&whole, &found));
  free(photo);
  free(again);
  world_free(w);
}

/* The promise of size: 400 bytes a record in a batch of a hundred, without the trail. */
static void a_hundred_interviews_are_small(void **state) {
  (void)state;
  world *w = world_new();
  cq_buf file = {0};
  cq_batch_sizes sizes;
  size_t questions = 0;
  for (uint64_t i = 0; i < 100; i++) {
    interview made;
    interview_make(&made, i, false);
    questions += made.questions;
    interview_fini(&made);
    add_interview(w, i, true);
  }
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, 1, NULL);
  fixture_end(w->f, w->writer, &sender, &file, &sizes);
  assert_true(questions >= 15000);
  assert_true((sizes.file - sizes.audit) / 100 <= 400);
  printf("%zu questions: %zu bytes a record, and %zu of its audit trail\n", questions / 100,
         (sizes.file - sizes.audit) / 100, sizes.audit / 100);
  cq_buf_fini(&file);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(records_come_out_byte_for_byte),
                                     cmocka_unit_test(odd_instances),
                                     cmocka_unit_test(odd_trails),
                                     cmocka_unit_test(mixed_envelopes),
                                     cmocka_unit_test(every_kind_of_entry),
                                     cmocka_unit_test(what_does_not_belong_is_not_added),
                                     cmocka_unit_test(senders_and_recipients),
                                     cmocka_unit_test(the_header_says_all_it_should),
                                     cmocka_unit_test(padding_hides_sizes),
                                     cmocka_unit_test(every_bit_and_every_end),
                                     cmocka_unit_test(pieces_give_the_same_answer),
                                     cmocka_unit_test(each_fraud_has_its_name),
                                     cmocka_unit_test(strangers_and_the_revoked_are_kept_apart),
                                     cmocka_unit_test(nothing_is_readable_from_outside),
                                     cmocka_unit_test(the_same_content_never_looks_the_same),
                                     cmocka_unit_test(a_form_that_is_not_known_is_told),
                                     cmocka_unit_test(attachments_span_batches),
                                     cmocka_unit_test(a_hundred_interviews_are_small)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
