/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/batch/fixture.h"

#include <stdlib.h>
#include <string.h>

const int64_t fixture_now = 1345471385120;

static void fill(void *context, void *out, size_t size) {
  fixed_random *state = context;
  uint8_t *at = out;
  while (size > 0) {
    uint64_t block[2] = {state->seed, state->counter++};
    cq_hash hash = cq_hash_of(block, sizeof block);
    size_t part = size < sizeof hash.at ? size : sizeof hash.at;
    memcpy(at, hash.at, part);
    at += part;
    size -= part;
  }
}

cq_random fixed_random_of(fixed_random *state) {
  return (cq_random){.fill = fill, .context = state};
}

static void must(cq_status status) {
  if (status != CQ_OK) abort();
}

static void pairs(fixture *f, signer *who) {
  must(cq_sign_pair(&who->key, &who->secret, &f->random, NULL));
  must(cq_seal_pair(&who->seal_key, &who->seal_secret, &f->random, NULL));
  who->id = cq_device_id_of(&who->key);
}

static void certify(fixture *f, signer *who, cq_role role, const signer *by) {
  cq_certificate certificate = {
      .mode = f->mode, .role = role, .programme = f->programme, .sign = who->key, .issued_utc_ms = fixture_now};
  if (role == CQ_ROLE_DEVICE || role == CQ_ROLE_DESK) certificate.seal = who->seal_key;
  uint8_t bytes[CQ_CERTIFICATE_SIZE];
  must(cq_certificate_issue(bytes, &certificate, by->secret, NULL));
  who->chain = cq_chain_of(by->chain.count ? by->chain.link[0] : NULL, bytes);
}

fixture *fixture_new(uint64_t seed, cq_mode mode) {
  fixture *f = calloc(1, sizeof *f);
  if (!f) abort();
  f->state.seed = seed;
  f->random = fixed_random_of(&f->state);
  f->mode = mode;
  signer *all[] = {&f->root, &f->coordinator, &f->desk, &f->post, &f->device, &f->trainee, &f->stranger, &f->recovery};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) pairs(f, all[i]);
  f->programme = cq_programme_id_of(&f->root.key);
  certify(f, &f->coordinator, CQ_ROLE_COORDINATOR, &f->root);
  certify(f, &f->desk, CQ_ROLE_DESK, &f->root);
  certify(f, &f->post, CQ_ROLE_POST, &f->root);
  certify(f, &f->device, CQ_ROLE_DEVICE, &f->root);
  certify(f, &f->trainee, CQ_ROLE_DEVICE, &f->coordinator);
  f->trust = (cq_trust){.mode = mode, .programme = f->programme, .keys = &f->root.key, .key_count = 1};
  return f;
}

void fixture_free(fixture *f) {
  signer *all[] = {&f->root, &f->coordinator, &f->desk, &f->post, &f->device, &f->trainee, &f->stranger, &f->recovery};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    cq_secret_free(all[i]->secret);
    cq_secret_free(all[i]->seal_secret);
  }
  free(f);
}

cq_batch_sender fixture_sender(const fixture *f, const signer *who, uint64_t number, const cq_hash *previous) {
  cq_batch_sender sender = {.mode = f->mode,
                            .programme = f->programme,
                            .sign = who->secret,
                            .chain = who->chain.count ? &who->chain : NULL,
                            .number = number,
                            .created_utc_ms = fixture_now,
                            .working_date = {2012, 8, 20}};
  if (previous) sender.previous = *previous;
  return sender;
}

cq_request fixture_request(fixture *f, const signer *who) {
  cq_request request = {.sign = who->key, .seal = who->seal_key};
  cq_buf note = {0};
  must(cq_seal(&note, CQ_REQUEST_PURPOSE, "laptop 3, Puno", 14, &f->desk.seal_key, &f->random, NULL));
  request.note_size = (uint16_t)note.size;
  memcpy(request.note, note.at, note.size);
  cq_buf_fini(&note);
  return request;
}

cq_hash fixture_end(fixture *f, cq_batch_writer *writer, const cq_batch_sender *sender, cq_buf *out,
                    cq_batch_sizes *sizes) {
  cq_seal_key recipients[] = {f->desk.seal_key, f->recovery.seal_key};
  cq_hash hash;
  must(cq_batch_end(writer, sender, recipients, 2, &f->random, out, &hash, sizes, NULL));
  return hash;
}

cq_status fixture_verify(const fixture *f, const cq_buf *file, cq_standing *standing, cq_error *error) {
  cq_batch_header header;
  cq_hash hash;
  const char *why = NULL;
  return cq_batch_verify(&header, &hash, standing, &why, file->at, file->size, &f->trust, error);
}
