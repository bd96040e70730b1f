/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log for those who maintain a post or a laptop: events by stable code, and
 * never an answer, a name, a passphrase or a key. Libraries get a cq_log
 * passed in; a NULL log says nothing.
 */
#ifndef CHASQUI_LOG_H
#define CHASQUI_LOG_H

#include "chasqui/clock.h"
#include "chasqui/status.h"

typedef enum { CQ_LOG_ERROR, CQ_LOG_WARN, CQ_LOG_INFO, CQ_LOG_DEBUG } cq_log_level;

typedef struct cq_log cq_log;

/* Lines "2012-08-20T14:03:05.120Z info code arg arg" to `fd` (borrowed), each with one write. NULL: no memory. */
cq_log *cq_log_new(int fd, cq_log_level most, const cq_clock *clock);
void cq_log_free(cq_log *log); /* NULL is fine; does not close the descriptor */

/* `code` as in cq_error; arguments are C strings ended by NULL; control characters are written as \xHH. */
void cq_log_event(cq_log *log, cq_log_level level, const char *code, ... /* NULL */);
void cq_log_error(cq_log *log, const cq_error *error);

#endif
