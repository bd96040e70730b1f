/* SPDX-License-Identifier: Apache-2.0 */
/* A whole invented programme with fixed keys, for the tests of room batch. */
#ifndef TESTS_BATCH_FIXTURE_H
#define TESTS_BATCH_FIXTURE_H

#include "chasqui/batch.h"
#include "chasqui/bundle.h"
#include "chasqui/order.h"
#include "chasqui/receipt.h"

/* Randomness that repeats: BLAKE2b of a seed and a counter. */
typedef struct fixed_random {
  uint64_t seed, counter;
} fixed_random;
cq_random fixed_random_of(fixed_random *state);

typedef struct signer {
  cq_sign_key key;
  cq_secret *secret;
  cq_seal_key seal_key;
  cq_secret *seal_secret;
  cq_device_id id;
  cq_chain chain;
} signer;

typedef struct fixture {
  fixed_random state;
  cq_random random;
  cq_mode mode;
  cq_programme_id programme;
  signer root, coordinator, desk, post, device, trainee; /* trainee: a device certified by the coordinator */
  signer stranger;                                       /* a device without a certificate */
  signer recovery;                                       /* its sealing pair opens batches */
  cq_trust trust;
} fixture;

extern const int64_t fixture_now; /* 2012-08-20T14:03:05.120Z */

fixture *fixture_new(uint64_t seed, cq_mode mode);
void fixture_free(fixture *f);

/* A sender for batch `number`; `previous` NULL for the first. */
cq_batch_sender fixture_sender(const fixture *f, const signer *who, uint64_t number, const cq_hash *previous);
/* The request of one who has no certificate. */
cq_request fixture_request(fixture *f, const signer *who);
/* Ends the writer's batch, sealed to the desk and the recovery key. */
cq_hash fixture_end(fixture *f, cq_batch_writer *writer, const cq_batch_sender *sender, cq_buf *out,
                    cq_batch_sizes *sizes);
cq_status fixture_verify(const fixture *f, const cq_buf *file, cq_standing *standing, cq_error *error);

#endif
