/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records. The first byte chooses: even, the rest is a record from outside, and
 * if it parses it must build to the same bytes; odd, the rest is an instance,
 * which is an audit trail too, and its record must come out of a batch byte for
 * byte.
 */
#include "tests/batch/interviews.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
  fixture *f;
  cq_buf form;
  cq_hash form_hash;
  cq_batch_forms forms;
  cq_batch_codec *codec;
  cq_batch_writer *writer;
} world;

static void world_begin(void) {
  if (world.f) return;
  world.f = fixture_new(1, CQ_MODE_REAL);
  interview_form(&world.form);
  world.form_hash = cq_hash_of(world.form.at, world.form.size);
  world.forms = (cq_batch_forms){.find = interview_form_find, .context = &world.form};
  world.codec = cq_batch_codec_new(&world.forms);
  world.writer = cq_batch_writer_new(world.codec);
}

/* Gives the salt that the record had. */
static void same_salt(void *context, void *out, size_t size) {
  memcpy(out, context, size);
}

static void as_record(const uint8_t *bytes, size_t size) {
  cq_arena *arena = cq_arena_new(0);
  cq_record record;
  cq_buf again = {0};
  cq_hash name;
  if (cq_record_parse(&record, (cq_str){(const char *)bytes, size}, arena, NULL) == CQ_OK) {
    cq_random random = {.fill = same_salt, .context = record.salt};
    if (cq_record_build(&again, &name, &record, &random, NULL) != CQ_OK || again.size != size ||
        memcmp(again.at, bytes, size) != 0)
      abort();
  }
  cq_buf_fini(&again);
  cq_arena_free(arena);
}

static void as_instance(const uint8_t *bytes, size_t size) {
  interview made = {.xml = {.at = (char *)(uintptr_t)bytes, .size = size},
                    .audit = {.at = (char *)(uintptr_t)bytes, .size = size},
                    .instance_id = "uuid:1",
                    .subject = "uuid:2"};
  cq_str xml = {(const char *)bytes, size};
  if (size == 0 || !cq_utf8_valid(xml)) return;
  cq_buf record = {0}, file = {0};
  cq_hash name = interview_record(&record, &made, world.f, &world.f->device, &world.form_hash, 1, &world.f->random);
  if (cq_batch_add(world.writer, CQ_ENTRY_RECORD, cq_buf_str(&record), NULL) != CQ_OK) abort();
  cq_batch_sender sender = fixture_sender(world.f, &world.f->device, 1, NULL);
  fixture_end(world.f, world.writer, &sender, &file, NULL);
  cq_batch_content *content = NULL;
  cq_batch_entry entry;
  if (cq_batch_open(&content, world.codec, file.at, file.size, world.f->desk.seal_secret, NULL) != CQ_OK ||
      !cq_batch_next(content, &entry) || !cq_hash_equal(&entry.name, &name))
    abort();
  cq_batch_content_free(content);
  cq_buf_fini(&record);
  cq_buf_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 1 << 18) return 0;
  world_begin();
  if (data[0] & 1)
    as_instance(data + 1, size - 1);
  else
    as_record(data + 1, size - 1);
  return 0;
}
