/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches from outside. The first byte chooses: even, the rest is a file as it
 * came; odd, the rest is content that a device with a right certificate has
 * sealed and signed, so that what stands behind the seal is reached too.
 */
#include "batch/header.h"
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
} world;

static void world_begin(void) {
  if (world.f) return;
  world.f = fixture_new(1, CQ_MODE_REAL);
  interview_form(&world.form);
  world.form_hash = cq_hash_of(world.form.at, world.form.size);
  world.forms = (cq_batch_forms){.find = interview_form_find, .context = &world.form};
  world.codec = cq_batch_codec_new(&world.forms);
}

static void open_file(const uint8_t *bytes, size_t size) {
  cq_batch_content *content = NULL;
  if (cq_batch_open(&content, world.codec, bytes, size, world.f->desk.seal_secret, NULL) != CQ_OK) return;
  size_t sum = 0;
  for (cq_batch_entry entry; cq_batch_next(content, &entry);)
    for (size_t i = 0; i < entry.bytes.size; i += 4096) sum += (uint8_t)entry.bytes.at[i];
  if (sum == SIZE_MAX) abort(); /* so that the bytes are read */
  cq_batch_content_free(content);
}

static void as_file(const uint8_t *bytes, size_t size) {
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why;
  cq_batch_read_header(&header, bytes, size, NULL);
  if (cq_batch_verify(&header, &hash, &standing, &why, bytes, size, &world.f->trust, NULL) == CQ_OK)
    open_file(bytes, size);
}

static void as_content(const uint8_t *bytes, size_t size) {
  cq_batch_sender sender = fixture_sender(world.f, &world.f->device, 1, NULL);
  cq_buf file = {0}, content = {0};
  cq_secret *key = NULL;
  cq_put_u32(&content, (uint32_t)size);
  cq_buf_add(&content, bytes, size);
  if (cq_header_write(&file, &key, &sender, &world.f->desk.seal_key, 1, content.size, &world.f->random, NULL) !=
          CQ_OK ||
      !cq_buf_reserve(&file, cq_sealed_size(content.size) + CQ_BATCH_SIGNATURE))
    abort();
  cq_hash header = cq_hash_of(file.at, file.size);
  cq_chunks_seal((uint8_t *)file.at + file.size, (const uint8_t *)content.at, content.size, &header, key);
  file.size += cq_sealed_size(content.size) + CQ_BATCH_SIGNATURE;
  open_file((const uint8_t *)file.at, file.size);
  cq_secret_free(key);
  cq_buf_fini(&content);
  cq_buf_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 1 << 20) return 0;
  world_begin();
  if (data[0] & 1)
    as_content(data + 1, size - 1);
  else
    as_file(data + 1, size - 1);
  return 0;
}
