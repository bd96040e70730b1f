/* SPDX-License-Identifier: Apache-2.0 */
/* Telling one fault among others, where the work goes on: on standard error, and no object of its own under --json. */
#ifndef SYNC_TELL_H
#define SYNC_TELL_H

#include "chasqui/cli.h"

/* "NAME: what happened. What to do next." */
void tell_fault(const cq_cli *cli, const char *name, const cq_error *error);
void tell_code(const cq_cli *cli, const char *name, const char *code);
/* On standard output: it is no fault. */
void tell_erased(const cq_cli *cli, size_t count);

#endif
