/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of the desk as HTML, and the two changes they offer. No script; nothing from elsewhere. Columns that
 * identify people are not in the tables of records; the review shows names, as whoever decides must see them. Addresses
 * hold codes of forms, places and seasons alone.
 */
#ifndef CENTRAL_WEB_PAGES_H
#define CENTRAL_WEB_PAGES_H

#include "central/merge/desk.h"

enum { CQ_WEB_VALUE = 256 }; /* bytes of an argument or field, with its terminator */

typedef struct cq_web_ask {
  cq_desk *desk;
  const char *base;                                         /* of all addresses: "/TOKEN" */
  cq_str said;                                              /* what the last change did; "" none */
  const char *(*argument)(void *context, const char *name); /* of the address; NULL: none */
  void *context;
} cq_web_ask;

/* The page at `path` ("/", "/coverage", "/review", "/records", "/records/FORM"); the status to answer with. */
unsigned cq_web_page(cq_buf *out, const cq_web_ask *ask, const char *path);
cq_str cq_web_style(void);

/* Spanish or English, as a browser asks for it; else the language of the program. */
void cq_web_language(const char *accept);

/* Changes; `said` gets a sentence for people, also of what went wrong. */
void cq_web_merge(cq_buf *said, cq_desk *desk);
void cq_web_decide(cq_buf *said, cq_desk *desk, const char *a, const char *b, bool same);

#endif
