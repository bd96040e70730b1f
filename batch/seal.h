/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with an ephemeral key that the caller holds, so that one serves several recipients of a batch. */
#ifndef BATCH_SEAL_H
#define BATCH_SEAL_H

#include "chasqui/keys.h"

/* Writes size + 16 bytes to `out`. Error: keys.seal.key (a key that is no point of the curve's group). */
cq_status cq_seal_with(uint8_t *out, const char *purpose, const void *bytes, size_t size, const cq_seal_key *to,
                       const cq_seal_key *ephemeral, const cq_secret *ephemeral_secret, cq_error *error);
/* Writes size − 16 bytes to `out`; false where it does not authenticate. */
bool cq_unseal_with(uint8_t *out, const char *purpose, const uint8_t *sealed, size_t size, const cq_seal_key *ephemeral,
                    const cq_secret *secret);

#endif
