/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles from outside. The first byte chooses: 0 a file as it came; 1 the
 * unpacked content of a bundle that the programme's key has signed; 2
 * programme.json.
 */
#include "batch/layout.h"
#include "tests/batch/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static fixture *f;

static void read_file(const void *bytes, size_t size) {
  cq_bundle *bundle = NULL;
  if (cq_bundle_read(&bundle, bytes, size, NULL, NULL) != CQ_OK) return;
  cq_bundle_device(bundle, &f->device.id);
  cq_bundle_form_current(bundle, CQ_STR("visita"));
  bool newer;
  if (cq_bundle_succeeds(bundle, bundle, &newer, NULL) != CQ_OK && cq_bundle_trust(bundle)->key_count > 0) abort();
  cq_bundle_free(bundle);
}

static void as_content(const uint8_t *bytes, size_t size) {
  cq_buf file = {0};
  size_t bound = ZSTD_compressBound(size);
  cq_buf_add_text(&file, "CHQP\1\1");
  cq_put_u16(&file, 0);
  cq_put_u32(&file, 0);
  cq_put_u32(&file, (uint32_t)size);
  cq_buf_add(&file, f->programme.at, sizeof f->programme.at);
  cq_put_u64(&file, 1);
  cq_put_i64(&file, fixture_now);
  cq_buf_add(&file, f->root.key.at, 32);
  cq_buf_add(&file, f->root.key.at, 32);
  if (!cq_buf_reserve(&file, bound + 64)) abort();
  file.size += ZSTD_compress(file.at + file.size, bound, bytes, size, 1);
  size_t whole = file.size + 64;
  for (int i = 0; i < 4; i++) file.at[8 + i] = (char)(uint8_t)(whole >> (8 * i));
  cq_signature signature;
  if (cq_sign(&signature, "chasqui bundle 1", file.at, file.size, f->root.secret, NULL) != CQ_OK) abort();
  cq_buf_add(&file, signature.at, sizeof signature.at);
  read_file(file.at, file.size);
  cq_buf_fini(&file);
}

static void as_programme(const uint8_t *bytes, size_t size) {
  for (int strict = 0; strict < 2; strict++) {
    cq_programme *programme = NULL;
    if (cq_programme_parse(&programme, (cq_str){(const char *)bytes, size}, strict, NULL) == CQ_OK &&
        programme->code.size == 0)
      abort();
    cq_programme_free(programme);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 1 << 20) return 0;
  if (!f) f = fixture_new(1, CQ_MODE_REAL);
  if (data[0] == 0)
    read_file(data + 1, size - 1);
  else if (data[0] == 1)
    as_content(data + 1, size - 1);
  else
    as_programme(data + 1, size - 1);
  return 0;
}
