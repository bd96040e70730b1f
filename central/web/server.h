/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desk's page: HTTP on 127.0.0.1 for one person and one browser.
 *
 * Everything stands below a random token, which is shown once, in the address. A request is looked at only where its
 * Host is ours (so that no name of somebody else's can be made to point here), where its Origin, if it has one, is
 * ours, and where its path begins with the token. GET and HEAD change nothing; POST takes a form of at most 4 KiB.
 * Nothing of a request is logged. All runs on the caller's thread, to which the vault belongs.
 */
#ifndef CENTRAL_WEB_SERVER_H
#define CENTRAL_WEB_SERVER_H

#include "central/merge/desk.h"

typedef struct cq_web cq_web;

/* Listens; `port` 0: a free one. Errors: desk.listen.used, desk.listen.denied, desk.listen.failed, memory. */
cq_status cq_web_start(cq_web **web, cq_desk *desk, uint16_t port, cq_error *error);
/* "http://127.0.0.1:PORT/TOKEN/" */
const char *cq_web_address(const cq_web *web);
/* Answers what has come; waits for it at most so long. */
void cq_web_run(cq_web *web, int wait_ms);
void cq_web_stop(cq_web *web); /* NULL is fine */

#endif
