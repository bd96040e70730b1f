/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of counts or amounts with one or two levels of rows, columns, and
 * margins that are added and never typed. Pure; what is shown of it stands in
 * crosstext.c and crossbook.c. Amounts are whole céntimos.
 */
#ifndef CENTRAL_TABLES_CROSSTAB_H
#define CENTRAL_TABLES_CROSSTAB_H

#include "central/tables/survey/repair.h"
#include "chasqui/arena.h"

enum { CQ_CROSSTAB_MAX_CATEGORIES = 4000, CQ_CROSSTAB_MAX_FIGURES = 1 << 20, CQ_CROSSTAB_WIDTH = 80 };

typedef enum cq_category_kind {
  CQ_CATEGORY_VALUE,
  CQ_CATEGORY_NA,     /* the question does not apply */
  CQ_CATEGORY_MISSING /* no answer, or it is not known */
} cq_category_kind;

typedef struct cq_category {
  cq_str code, label;
  cq_category_kind kind;
} cq_category;

typedef struct cq_axis {
  cq_str name, label;
  cq_category *at;
  size_t count;
  bool sensitive; /* of a field marked so in its form */
} cq_axis;

typedef enum cq_mark {
  CQ_MARK_FIGURE,  /* the figure holds; 0 is a true nought */
  CQ_MARK_MISSING, /* an amount with a part that is not known */
  CQ_MARK_NA,      /* cannot be: a pair that the programme does not have */
  CQ_MARK_HIDDEN   /* too small to be shown outside, or the complement of one that is */
} cq_mark;
const char *cq_mark_name(cq_mark mark); /* "figure", "missing", "na", "hidden" */

typedef struct cq_tab_figure {
  int64_t count, amount;
  size_t unknown; /* of the counted, those without an amount */
  cq_mark mark;
} cq_tab_figure;

typedef struct cq_crosstab {
  cq_arena *arena;
  cq_str name, title, note, money, programme; /* programme: its title */
  bool sums;                                  /* amounts; else counts */
  bool persons;                               /* what is counted are persons */
  bool practice;
  cq_axis outer, inner, columns; /* outer and columns may have no category */
  cq_tab_figure *figures;
  /* what it stands for and rests on */
  int32_t at;
  char season[16];
  size_t records, rows, units;         /* records read that count; their rows up to the date; distinct units */
  size_t partial, undated, unreadable; /* records left out as partial; dated by their record's day; of unknown forms */
  size_t never_used;                   /* rows that stand where nothing can be */
  bool hides;                          /* small cells are hidden, those below `least` */
  int64_t least;
} cq_crosstab;

/* Room for the figures of the axes as they stand now. Errors: tables.wide, memory. */
cq_status cq_crosstab_begin(cq_crosstab *tab, cq_error *error);

/* The place after the last category is the margin. */
cq_tab_figure *cq_crosstab_at(const cq_crosstab *tab, size_t outer, size_t inner, size_t column);
/* One unit in a cell and in all its margins. `amount` NULL where a sum's amount is not known. Overflow: tables.large.
 */
cq_status cq_crosstab_add(cq_crosstab *tab, size_t outer, size_t inner, size_t column, const int64_t *amount,
                          cq_error *error);
/* Marks what is missing, does not apply, or must be hidden. */
cq_status cq_crosstab_close(cq_crosstab *tab, cq_error *error);
/* Whether an inner category can stand under an outer one: places under the places whose code theirs begins with. */
bool cq_crosstab_nests(const cq_crosstab *tab, size_t outer, size_t inner);

/* "1,234", "S/ 1,234.50"; a mark as it is printed: 0, nothing, —, ·. Emptied first. */
void cq_tab_figure_text(const cq_crosstab *tab, const cq_tab_figure *figure, cq_buf *out);
/* An amount "1234.5" as céntimos; false where it is none. Half a céntimo is rounded away from 0. */
bool cq_amount_parse(cq_str text, int64_t *amount);

cq_status cq_crosstab_text(const cq_crosstab *tab, size_t width, cq_buf *out, cq_error *error);
cq_status cq_crosstab_csv(const cq_crosstab *tab, cq_buf *out, cq_error *error);
cq_status cq_crosstab_json(const cq_crosstab *tab, cq_buf *out, cq_error *error);
cq_status cq_crosstab_xlsx(const cq_crosstab *tab, const char *path, cq_error *error);
/* "Región / Sector × Sexo". */
void cq_crosstab_axes(const cq_crosstab *tab, cq_buf *out);
/* "as at 2012-12-31, the last day of 2012-T1". */
void cq_crosstab_day(const cq_crosstab *tab, cq_buf *out);
/* The sentences under a table, one a line. */
void cq_crosstab_notes(const cq_crosstab *tab, cq_buf *out);

#endif
