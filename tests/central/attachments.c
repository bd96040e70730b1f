/* SPDX-License-Identifier: Apache-2.0 */
/* Files of records at the desk: parts in any order, twice, overlapping, wrong or erased; and as files in a folder. */
#include "central/merge/attachments.h"
#include "central/merge/derive.h"
#include "central/merge/take.h"
#include "central/tables/records/files.h"
#include "chasqui/file.h"
#include "chasqui/order.h"
#include "tests/central/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char form_xml[] =
    "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
    "xmlns:cq=\"urn:chasqui:xforms\"><h:head><h:title>t</h:title><model><instance><data id=\"f\" version=\"1\">"
    "<casa/><dni/><r><foto/></r><meta><instanceID/></meta></data></instance>"
    "<bind nodeset=\"/data/casa\" type=\"binary\"/><bind nodeset=\"/data/dni\" type=\"binary\" cq:privacy=\"direct\"/>"
    "<bind nodeset=\"/data/r/foto\" type=\"binary\"/></model></h:head><h:body>"
    "<upload ref=\"/data/casa\" mediatype=\"image/*\"><label>Casa</label></upload>"
    "<upload ref=\"/data/dni\" mediatype=\"image/*\"><label>DNI</label></upload>"
    "<group ref=\"/data/r\"><repeat nodeset=\"/data/r\"><upload ref=\"/data/r/foto\" mediatype=\"image/*\">"
    "<label>Foto</label></upload></repeat></group></h:body></h:html>";

enum { FILES = 3, SIZE = 5000 };

typedef struct world {
  fixture *f;
  cq_desk desk;
  cq_hash form;
  cq_buf bytes[FILES];
  cq_attachment files[FILES]; /* ascending by name */
  cq_hash record;
  cq_buf record_bytes;
  uint64_t next; /* batch */
  cq_hash last, of_record;
  cq_batch_forms forms;
} world;

static cq_status find_form(void *context, const cq_hash *hash, cq_str *xml) {
  (void)context;
  (void)hash;
  *xml = CQ_STR(form_xml);
  return CQ_OK;
}

static void make_record(world *w, const char *instance, cq_hash *name, cq_buf *out) {
  char xml[600];
  cq_error error;
  snprintf(xml, sizeof xml,
           "<data id=\"f\" version=\"1\"><casa>1.jpg</casa><dni>2.jpg</dni><r><foto/></r><r><foto>3.jpg</foto></r>"
           "<meta><instanceID>%s</instanceID></meta></data>",
           instance);
  cq_record record = {.envelope = {.programme = w->f->programme,
                                   .mode = w->f->mode,
                                   .form_id = CQ_STR("f"),
                                   .form_hash = w->form,
                                   .instance_id = cq_str_from(instance),
                                   .result = CQ_RESULT_COMPLETE,
                                   .device = w->f->device.id,
                                   .working_date = {2012, 8, 20},
                                   .sequence = 5},
                      .instance_xml = cq_str_from(xml),
                      .attachments = w->files,
                      .attachment_count = FILES};
  test_must(cq_record_build(out, name, &record, &w->f->random, &error), &error);
}

static world *world_new(const char *name) {
  world *w = calloc(1, sizeof *w);
  assert_non_null(w);
  w->f = fixture_new(7, CQ_MODE_REAL);
  w->forms = (cq_batch_forms){find_form, NULL};
  static const char *const names[FILES] = {"1.jpg", "2.jpg", "3.jpg"};
  for (size_t i = 0; i < FILES; i++) {
    for (size_t n = 0; n < SIZE; n++) cq_buf_add_char(&w->bytes[i], (char)(n * 31 + i * 7 + n / 200));
    w->files[i] = (cq_attachment){cq_str_from(names[i]), cq_hash_of(w->bytes[i].at, SIZE), SIZE};
  }
  test_desk_new(&w->desk, w->f, name);
  w->form = test_desk_form(&w->desk, "f", CQ_STR(form_xml));
  make_record(w, "uuid:1", &w->record, &w->record_bytes);
  return w;
}

static void world_free(world *w) {
  for (size_t i = 0; i < FILES; i++) cq_buf_fini(&w->bytes[i]);
  cq_buf_fini(&w->record_bytes);
  cq_desk_close(&w->desk);
  fixture_free(w->f);
  free(w);
}

static cq_batch_writer *writer_of(world *w, cq_batch_codec **codec) {
  *codec = cq_batch_codec_new(&w->forms);
  cq_batch_writer *writer = cq_batch_writer_new(*codec);
  assert_non_null(writer);
  return writer;
}

/* Ends the batch and merges it. */
static cq_taken send(world *w, cq_batch_writer *writer, cq_batch_codec *codec) {
  cq_buf out = {0};
  cq_taker *taker = NULL;
  cq_taken taken;
  cq_error error;
  char file[32];
  cq_batch_sender sender = fixture_sender(w->f, &w->f->device, w->next + 1, w->next > 0 ? &w->last : NULL);
  w->next++;
  w->last = fixture_end(w->f, writer, &sender, &out, NULL);
  cq_batch_writer_free(writer);
  cq_batch_codec_free(codec);
  snprintf(file, sizeof file, "%d.chq", (int)w->next);
  test_must(cq_taker_new(&taker, &w->desk, &error), &error);
  test_must(cq_desk_exec(&w->desk, "BEGIN", &error), &error);
  test_must(cq_taker_take(taker, file, cq_buf_str(&out), &taken, &error), &error);
  test_must(cq_desk_exec(&w->desk, "COMMIT", &error), &error);
  assert_int_equal(taken.state, CQ_RECEIPT_OPENED);
  cq_taker_free(taker);
  cq_buf_fini(&out);
  return taken;
}

static void send_record(world *w, const cq_buf *bytes) {
  cq_batch_codec *codec;
  cq_batch_writer *writer = writer_of(w, &codec);
  test_must(cq_batch_add(writer, CQ_ENTRY_RECORD, cq_buf_str(bytes), NULL), NULL);
  send(w, writer, codec);
}

static size_t send_part(world *w, size_t file, size_t from, size_t to) {
  cq_batch_codec *codec;
  cq_batch_writer *writer = writer_of(w, &codec);
  cq_str bytes = {w->bytes[file].at + from, to - from};
  test_must(cq_batch_add_part(writer, &w->files[file].hash, from, SIZE, bytes, NULL), NULL);
  return send(w, writer, codec).attachments;
}

static int64_t number(world *w, const char *sql) {
  int64_t value;
  cq_error error;
  test_must(cq_desk_number(&w->desk, sql, -1, &value, &error), &error);
  return value;
}

static cq_status add_bytes(void *context, const void *bytes, size_t size, cq_error *error) {
  (void)error;
  cq_buf_add(context, bytes, size);
  return CQ_OK;
}

static void is_whole(world *w, size_t file) {
  cq_buf out = {0};
  cq_error error;
  test_must(cq_attachment_read(&w->desk, &w->files[file].hash, add_bytes, &out, &error), &error);
  assert_int_equal(out.size, SIZE);
  assert_memory_equal(out.at, w->bytes[file].at, SIZE);
  cq_buf_fini(&out);
}

static void is_awaited(world *w, size_t file) {
  cq_error error;
  cq_error_clear(&error);
  assert_int_equal(cq_attachment_read(&w->desk, &w->files[file].hash, NULL, NULL, &error), CQ_NOTFOUND);
  assert_string_equal(error.code, "desk.attachment.awaited");
}

#define WHOLE "SELECT count(*) FROM attachment_whole"

static void parts_come_in_any_order(void **state) {
  (void)state;
  world *w = world_new("parts");
  assert_int_equal(send_part(w, 0, 4000, 5000), 0); /* before their record, the last first */
  is_awaited(w, 0);
  assert_int_equal(send_part(w, 0, 0, 1500), 0);
  send_record(w, &w->record_bytes);
  assert_int_equal(send_part(w, 0, 4000, 5000), 0); /* twice */
  is_awaited(w, 0);
  assert_int_equal(send_part(w, 0, 1500, 4000), 1);
  is_whole(w, 0);
  assert_int_equal(send_part(w, 0, 0, 5000), 0); /* once more, as a whole */
  /* cut by two laptops in different places */
  assert_int_equal(send_part(w, 1, 0, 3000), 0);
  assert_int_equal(send_part(w, 1, 0, 1000), 0);
  assert_int_equal(send_part(w, 1, 2000, 5000), 1);
  is_whole(w, 1);
  assert_int_equal(number(w, WHOLE), 2);
  assert_int_equal(number(w, "SELECT count(*) FROM visit_attachment"), 3);
  size_t records;
  test_must(cq_derive_rebuild(&w->desk, &records, NULL), NULL);
  assert_int_equal(number(w, WHOLE), 2);
  assert_int_equal(number(w, "SELECT count(*) FROM visit_attachment"), 3);
  world_free(w);
}

/* Bytes that are not what they say are let go of, and the right ones may still come. */
static void wrong_bytes_do_not_count(void **state) {
  (void)state;
  world *w = world_new("wrong");
  w->bytes[0].at[2500] ^= 1;
  assert_int_equal(send_part(w, 0, 0, 2000), 0);
  assert_int_equal(send_part(w, 0, 2000, 5000), 0);
  is_awaited(w, 0);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 0);
  w->bytes[0].at[2500] ^= 1;
  assert_int_equal(send_part(w, 0, 0, 5000), 1);
  is_whole(w, 0);
  world_free(w);
}

static void erase(world *w, const cq_hash *record) {
  cq_order order = {.mode = CQ_MODE_REAL,
                    .kind = CQ_ORDER_ERASE,
                    .programme = w->f->programme,
                    .made_utc_ms = fixture_now,
                    .by = CQ_STR("c1"),
                    .targets = record,
                    .target_count = 1};
  cq_buf bytes = {0};
  cq_hash name;
  cq_derive *derive = NULL;
  cq_error error;
  bool fresh;
  test_must(cq_order_write(&bytes, &name, &order, &w->f->desk.chain, w->f->desk.secret, &w->f->random, &error), &error);
  test_must(cq_derive_new(&derive, &w->desk, &error), &error);
  test_must(cq_derive_decision(derive, cq_buf_str(&bytes), &fresh, &error), &error);
  cq_derive_free(derive);
  cq_buf_fini(&bytes);
}

static void an_erased_record_takes_its_files_along(void **state) {
  (void)state;
  world *w = world_new("erased");
  cq_hash other;
  cq_buf all_bytes = {0}, other_bytes = {0};
  for (size_t i = 0; i < FILES; i++) send_part(w, i, 0, 5000);
  send_record(w, &w->record_bytes);
  /* another record has the first file too */
  w->files[0].name = CQ_STR("0.jpg");
  cq_record record;
  cq_arena *arena = cq_arena_new(0);
  make_record(w, "uuid:2", &other, &all_bytes);
  test_must(cq_record_parse(&record, cq_buf_str(&all_bytes), arena, NULL), NULL);
  record.attachment_count = 1;
  test_must(cq_record_build(&other_bytes, &other, &record, &w->f->random, NULL), NULL);
  cq_arena_free(arena);
  send_record(w, &other_bytes);
  erase(w, &w->record);
  is_whole(w, 0);
  is_awaited(w, 1);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 1);
  assert_int_equal(number(w, "SELECT count(*) FROM visit_attachment"), 1);
  /* they come once more, and are not kept */
  assert_int_equal(send_part(w, 1, 0, 5000), 0);
  send_record(w, &w->record_bytes);
  assert_int_equal(send_part(w, 2, 0, 2000), 0);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 1);
  erase(w, &other);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 0);
  size_t records;
  test_must(cq_derive_rebuild(&w->desk, &records, NULL), NULL);
  assert_int_equal(number(w, "SELECT count(*) FROM visit_attachment"), 0);
  assert_int_equal(number(w, WHOLE), 0);
  cq_buf_fini(&all_bytes);
  cq_buf_fini(&other_bytes);
  world_free(w);

  /* the order is older than what it erases: the parts were there, then comes the record */
  w = world_new("erased2");
  send_part(w, 0, 0, 5000);
  erase(w, &w->record);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 1);
  send_record(w, &w->record_bytes);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 0);
  assert_int_equal(send_part(w, 1, 0, 5000), 0);
  assert_int_equal(number(w, "SELECT count(*) FROM part"), 0);
  world_free(w);
}

/* --- export --- */

static cq_media_written export_to(world *w, const char *folder, bool identified, cq_buf *manifest) {
  cq_rows *rows = NULL;
  cq_rows_options options = {.identified = identified};
  cq_media_written done = {0};
  cq_error error;
  cq_buf_reset(manifest);
  test_must(cq_file_make_folder(folder, &error), &error);
  test_must(cq_rows_open(&rows, &w->desk, CQ_STR("f"), &options, &error), &error);
  test_must(cq_media_write(rows, &w->desk, CQ_STR("f"), folder, manifest, &done, &error), &error);
  cq_rows_free(rows);
  return done;
}

static void files_are_exported_as_privacy_allows(void **state) {
  (void)state;
  world *w = world_new("export");
  char folder[512], path[600];
  cq_buf manifest = {0}, bytes = {0};
  snprintf(folder, sizeof folder, "%s/media", w->desk.home);
  send_record(w, &w->record_bytes);
  for (size_t i = 0; i < FILES - 1; i++) send_part(w, i, 0, 5000);
  cq_media_written done = export_to(w, folder, false, &manifest);
  assert_true(done.written == 1 && done.awaited == 1 && done.left_out == 1 && done.there == 0);
  assert_non_null(strstr(manifest.at, "file,form,KEY,question,name,bytes,blake2b,state\r\n"));
  assert_non_null(strstr(manifest.at, "1.jpg,f,uuid:1,casa,1.jpg,5000,"));
  assert_non_null(strstr(manifest.at, ",f,uuid:1/r[2],foto,3.jpg,5000,"));
  assert_null(strstr(manifest.at, "2.jpg"));
  snprintf(path, sizeof path, "%s/1.jpg", folder);
  test_must(cq_file_read(path, 1 << 20, &bytes, NULL), NULL);
  assert_int_equal(bytes.size, SIZE);
  assert_memory_equal(bytes.at, w->bytes[0].at, SIZE);
  snprintf(path, sizeof path, "%s/2.jpg", folder);
  assert_int_not_equal(cq_file_read(path, 1 << 20, &bytes, NULL), CQ_OK);
  /* with the flag that names obey; what is there is not written again, what was spoilt is */
  snprintf(path, sizeof path, "%s/1.jpg", folder);
  send_part(w, 2, 0, 5000);
  done = export_to(w, folder, true, &manifest);
  assert_true(done.written == 2 && done.there == 1 && done.awaited == 0 && done.left_out == 0);
  assert_non_null(strstr(manifest.at, "2.jpg,f,uuid:1,dni,2.jpg,5000,"));
  test_must(cq_file_replace(path, "x", 1, 0644, false, NULL), NULL);
  done = export_to(w, folder, true, &manifest);
  assert_true(done.written == 1 && done.there == 2);
  /* another record that calls another file so */
  cq_hash other;
  cq_buf other_bytes = {0};
  w->files[0].hash = w->files[2].hash;
  make_record(w, "uuid:2", &other, &other_bytes);
  send_record(w, &other_bytes);
  export_to(w, folder, false, &manifest);
  assert_non_null(strstr(manifest.at, "-1.jpg,f,uuid:1,casa,1.jpg,5000,"));
  assert_non_null(strstr(manifest.at, "-1.jpg,f,uuid:2,casa,1.jpg,5000,"));
  cq_buf_fini(&other_bytes);
  cq_buf_fini(&manifest);
  cq_buf_fini(&bytes);
  world_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_come_in_any_order),
      cmocka_unit_test(wrong_bytes_do_not_count),
      cmocka_unit_test(an_erased_record_takes_its_files_along),
      cmocka_unit_test(files_are_exported_as_privacy_allows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
