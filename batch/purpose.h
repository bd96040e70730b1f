/* SPDX-License-Identifier: Apache-2.0 */
/* Purposes bind each use of a key to one meaning: ASCII filled up with zeros (docs/formats/keys.md). */
#ifndef BATCH_PURPOSE_H
#define BATCH_PURPOSE_H

#include <stdint.h>

enum { CQ_PURPOSE_SIZE = 32 };
void cq_purpose_fill(uint8_t out[CQ_PURPOSE_SIZE], const char *purpose); /* in keys.c */

#endif
