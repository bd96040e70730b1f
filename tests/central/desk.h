/* SPDX-License-Identifier: Apache-2.0 */
/* A desk for tests: its own folder, the least effort, and the keys of the batch fixture. */
#ifndef TESTS_CENTRAL_DESK_H
#define TESTS_CENTRAL_DESK_H

#include "central/merge/desk.h"
#include "tests/batch/fixture.h"

void test_must(cq_status status, const cq_error *error);
/* Opens it; the caller closes with cq_desk_close. */
void test_desk_new(cq_desk *desk, const fixture *f, const char *name);
cq_str test_desk_passphrase(void);
/* A form as if it had been published. */
cq_hash test_desk_form(cq_desk *desk, const char *id, cq_str xml);

#endif
