/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted interview on a vault in the disk of disk.h, step by step, and what must be there after each step. */
#ifndef TESTS_VAULT_INTERVIEW_H
#define TESTS_VAULT_INTERVIEW_H

#include "chasqui/store.h"

enum { INTERVIEW_STEPS = 36 };
#define INTERVIEW_VAULT "/laptop.vault"

/* A fresh vault of a technician with a form in it, on the disk named "disk"; made once and loaded anew. */
void interview_prepare(void);
/* CQ_OK where the store is open; what the vault answered where not. */
cq_status interview_open(cq_store **store, cq_vault_log *log, cq_error *error);
/* Step `step` (from 0): begins, answers, takes back, finalises, batches. */
cq_status interview_step(cq_store *store, int step, cq_error *error);
/* Everything a person would miss, as text: drafts with each answer, records, batches. */
void interview_dump(cq_store *store, cq_buf *out);
/* The dump after `step` steps (0 to INTERVIEW_STEPS) without any fault; borrowed. Made once. */
const char *interview_after(int step);
/* Answers accepted in the first `step` steps. */
int interview_answers(int step);
/* Chain, integrity, and every page and frame: fails the test where anything does not hold. */
void interview_check_whole(cq_store *store);

#endif
