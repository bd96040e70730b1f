/* SPDX-License-Identifier: Apache-2.0 */
/* The plain line mode: for screen readers, pipes, scripts and terminals that cannot draw. */
#ifndef CHASQUI_COLLECTOR_LINE_H
#define CHASQUI_COLLECTOR_LINE_H

#include "collector/collector.h"

#include <stdio.h>

typedef struct cq_line {
  cq_laptop *laptop;
  FILE *in, *out;
  cq_error *error;
  bool ended; /* the input has ended, or a signal came */
  cq_buf typed;
  cq_arena *arena; /* of what is shown; reset for each page */
} cq_line;

/* From the start menu until the person leaves. */
cq_status cq_line_run(cq_laptop *laptop, FILE *in, FILE *out, cq_error *error);

/* The correction of a record of `kept`, begun or gone on with. */
cq_status cq_line_correct(cq_laptop *laptop, const cq_kept *kept, size_t record, FILE *in, FILE *out, cq_error *error);

/* One interview, from where it stands until it is finalised or left. interview.c */
cq_status cq_line_interview(cq_line *line, cq_filling *filling);

/* Shows `prompt` and reads a line into line->typed; false where the input has ended. */
bool cq_line_read(cq_line *line, const char *prompt);
void cq_line_print(cq_line *line, cq_str text);
void cq_line_error(cq_line *line, const cq_error *error);

#endif
