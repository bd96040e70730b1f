/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentence of each error code. One table a room, in cli/messages/<room>.c,
 * so that the one who adds a code to a room adds its sentence there. Spanish
 * stands in po/. `%1$s` to `%4$s` are the error's arguments.
 */
#ifndef CHASQUI_CLI_MESSAGES_H
#define CHASQUI_CLI_MESSAGES_H

#include "chasqui/cli.h"

typedef struct cq_cli_message {
  const char *code; /* NULL ends a table */
  const char *what; /* msgid: what happened; the place is added after it */
  const char *next; /* msgid: what to do; NULL where nothing can be said */
} cq_cli_message;

extern const cq_cli_message cq_cli_messages_base[], cq_cli_messages_cli[], cq_cli_messages_forms[],
    cq_cli_messages_xpath[], cq_cli_messages_xlsform[], cq_cli_messages_batch[], cq_cli_messages_protocol[],
    cq_cli_messages_vault[], cq_cli_messages_store[], cq_cli_messages_panel[], cq_cli_messages_collector[],
    cq_cli_messages_sync[], cq_cli_messages_openrosa[], cq_cli_messages_central[];

/* The row of a code in any table; NULL where none has it. */
const cq_cli_message *cq_cli_message_of(const char *code);

#endif
