/* SPDX-License-Identifier: Apache-2.0 */
/* Running the programs as people do. */
#ifndef TESTS_SYNC_RUN_H
#define TESTS_SYNC_RUN_H

#include "chasqui/str.h"

#include <stdbool.h>

#include <sys/types.h>

/* The program of $CHASQUI_BIN with these arguments (NULL at the end); `out` gets its standard output. Answers its exit
 * status, or -1. Its standard error is shown only where CHASQUI_TEST_LOUD is set. */
int run_program(const char *name, cq_buf *out, const char *const *args);

/* The same without waiting; 0: it could not be started. */
pid_t start_program(const char *name, const char *const *args);
/* From now on no program finds a name: as where the resolver of a line is gone. */
void run_without_names(bool without);
/* The same for at most so long; -1: it did not end, and is killed. */
int wait_program_for(pid_t pid, int seconds);
int wait_program(pid_t pid); /* exit status, or 128 + signal */

#endif
