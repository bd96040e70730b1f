/* SPDX-License-Identifier: Apache-2.0 */
/* The grid of a campaign from the desk's merged records. */
#ifndef CENTRAL_TABLES_DESKGRID_H
#define CENTRAL_TABLES_DESKGRID_H

#include "central/merge/desk.h"
#include "central/tables/coverage/grid.h"

typedef struct cq_desk_grid_plan {
  int32_t campaign, today;
  const char *dataset;  /* which entities the persons are */
  const char *by;       /* "stratum" or a property; NULL: no groups */
  const char *place;    /* persons whose place begins so; NULL: all */
  const char *calendar; /* a file; NULL: the programme's */
} cq_desk_grid_plan;

typedef struct cq_desk_grid {
  cq_grid grid;
  cq_calendar *calendar;
  size_t strangers;  /* visits to persons who are not in the grid */
  size_t unreadable; /* records of forms that are not known here */
} cq_desk_grid;

/* The caller ends it with cq_desk_grid_fini, after an error too. */
cq_status cq_desk_grid_read(cq_desk_grid *g, cq_desk *desk, const cq_desk_grid_plan *plan, cq_error *error);
void cq_desk_grid_fini(cq_desk_grid *g);

#endif
