/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a program: what its command line said. Private to cli/. */
#ifndef CHASQUI_CLI_STATE_H
#define CHASQUI_CLI_STATE_H

#include "chasqui/cli.h"

enum { CQ_CLI_MAX_OPTIONS = 64 }; /* options given on one command line */

typedef struct cq_cli_given {
  const char *name;  /* of the table */
  const char *value; /* of argv; NULL: a flag */
} cq_cli_given;

struct cq_cli {
  const cq_cli_program *program;
  const cq_cli_verb *verb;
  char **args; /* what is neither option nor verb */
  int arg_count;
  cq_cli_given given[CQ_CLI_MAX_OPTIONS];
  size_t given_count;
  cq_buf home;
  cq_buf *gathered;    /* what is said goes here; NULL: to the terminal */
  int64_t progress_ms; /* when the bar was last painted; 0: it is not shown */
};

extern const cq_cli_option cq_cli_common[]; /* --help, --version, --manual */

void cq_cli_help_program(const cq_cli_program *program, cq_buf *out);
void cq_cli_help_verb(const cq_cli_program *program, const cq_cli_verb *verb, cq_buf *out);
void cq_cli_manual(const cq_cli_program *program, cq_buf *out);
void cq_cli_signals(void);

#endif
