/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key does. One table feeds the keys, the help line, the `?` page and
 * the manual, so that none can say what another doesn't.
 */
#ifndef CHASQUI_COLLECTOR_ACTION_H
#define CHASQUI_COLLECTOR_ACTION_H

#include "chasqui/str.h"
#include "collector/screen/grid.h"
#include "collector/screen/key.h"

typedef enum {
  CQ_DO_NOTHING,
  CQ_DO_ACCEPT, /* choose, or take the answer and go on */
  CQ_DO_BACK,   /* the page before */
  CQ_DO_UP,
  CQ_DO_DOWN,
  CQ_DO_PAGE_UP,
  CQ_DO_PAGE_DOWN,
  CQ_DO_MARK,
  CQ_DO_CLEAR,
  CQ_DO_COMPLETE, /* the path of a file */
  CQ_DO_MISSING,
  CQ_DO_JUMP,
  CQ_DO_LANGUAGE,
  CQ_DO_REVIEW,
  CQ_DO_REMOVE,
  CQ_DO_CORRECT,
  CQ_DO_LOCK,
  CQ_DO_HELP,
  CQ_DO_LEAVE
} cq_action;

/* Where an action is known; bits. A view says which of them it is now. */
enum {
  CQ_ON_LIST = 1,
  CQ_ON_QUESTION = 2, /* of any kind, with those below */
  CQ_ON_TEXT = 4,
  CQ_ON_CHOICES = 8,
  CQ_ON_SEVERAL = 16,  /* choices of which several may be marked */
  CQ_ON_MISSING = 32,  /* the question knows codes in place of an answer */
  CQ_ON_REPEATED = 64, /* inside a repeated part */
  CQ_ON_LOCK = 128,
  CQ_ON_HELP = 256,
  CQ_ON_START = 512,
  CQ_ON_NOTE = 1024,     /* read, not answered */
  CQ_ON_CODE = 4096,     /* a short text is typed, apart from the interview */
  CQ_ON_FILE = 2048,     /* the path of a file is typed; with ON_TEXT */
  CQ_ON_WORK = 8192,     /* something goes on that takes its time */
  CQ_ON_FINISHED = 16384 /* the list of finished interviews; with ON_LIST */
};

cq_action cq_action_of(cq_key key, unsigned where);
/* The help line: as many as fit, the most needed first. */
void cq_action_line(cq_grid *grid, int row, unsigned where);
/* The row of the table that is the n-th known there; false: no more. `keys` gets "F2, Ctrl-G". */
bool cq_action_row(size_t n, unsigned where, cq_buf *keys, const char **text);
/* The section KEYS of the manual, in scdoc. */
void cq_action_manual(cq_buf *out);

#endif
