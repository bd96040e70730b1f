/* SPDX-License-Identifier: Apache-2.0 */
/* A sample out of the desk: its frame, who of it answered about a season, and what the baseline says of each. */
#ifndef CENTRAL_TABLES_DESKSAMPLE_H
#define CENTRAL_TABLES_DESKSAMPLE_H

#include "central/merge/desk.h"
#include "central/tables/survey/data.h"
#include "chasqui/panel.h"

/* Columns of the data; those to compare come after them. */
enum {
  CQ_SAMPLE_STRATUM,
  CQ_SAMPLE_POPULATION,
  CQ_SAMPLE_ANSWERED, /* "1", "0" */
  CQ_SAMPLE_CLASS,
  CQ_SAMPLE_REASON, /* of a visit without an answer; else the name of the cell's state */
  CQ_SAMPLE_REPLACES,
  CQ_SAMPLE_ID,
  CQ_SAMPLE_COMPARE
};

typedef struct cq_desk_sample_plan {
  const char *dataset;
  cq_season_ref season;
  int32_t today;
  const char *class;             /* "stratum" or a property of the persons; NULL: none */
  const char *baseline;          /* a form; NULL: none, and none of what follows */
  const char *replaces, *reason; /* its questions: whom the person replaces, and why; NULL: none */
  const char *const *compare;    /* its questions that hold numbers */
  size_t compared;
} cq_desk_sample_plan;

typedef struct cq_desk_sample {
  cq_data data;   /* the frame by stratum and id, then the replacements */
  double *weight; /* of the design, of each row of the frame */
  bool *outside;  /* not enrolled for half of the season: outside of it, and not lost */
  size_t drawn, outside_count;
  size_t open;       /* of those who have not answered, those whom a visit in time can still find */
  size_t unreadable; /* records of forms that are not known here */
} cq_desk_sample;

/*
 * Who answered: a complete visit about the season, or one that ended midway, up to `today`. Two complete baselines of a
 * person are a conflict, and none of them says anything. Errors: desk.indicator.frame, tables.season, desk.form.none,
 * desk.sample.question (one that the baseline does not have, or must not show). The caller ends it, after an
 * error too.
 */
cq_status cq_desk_sample_read(cq_desk_sample *sample, cq_desk *desk, const cq_desk_sample_plan *plan, cq_error *error);
void cq_desk_sample_fini(cq_desk_sample *sample);

#endif
