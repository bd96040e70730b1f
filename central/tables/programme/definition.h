/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programme's own tables and checks as data: tables.json of the programme's
 * folder (docs/formats/tables.md). Read whole, and all its faults at once.
 * Whether forms and fields are there is for facts.h to say.
 */
#ifndef CENTRAL_TABLES_DEFINITION_H
#define CENTRAL_TABLES_DEFINITION_H

#include "chasqui/arena.h"
#include "chasqui/status.h"

#include <stdbool.h>
#include <stddef.h>

#define CQ_TABLES_FILE "tables.json"

enum {
  CQ_TABLES_MAX_BYTES = 1 << 20,
  CQ_TABLES_MAX = 128,       /* tables, links, checks: of each */
  CQ_TABLES_MAX_FIELDS = 8,  /* in one list */
  CQ_TABLES_MAX_EVENTS = 8,  /* of a link */
  CQ_TABLES_MAX_BY = 32,     /* fields to tabulate by */
  CQ_TABLES_MAX_VALUES = 24, /* named in a dimension */
  CQ_TABLES_MAX_FAULTS = 200 /* told */
};

/* Strings of a definition: "" where nothing was said. */
typedef struct cq_fields {
  cq_str at[CQ_TABLES_MAX_FIELDS];
  size_t count;
} cq_fields;

/* "field=value", "field!=value", or "field~value": among the values of a multiple choice. */
typedef struct cq_filter {
  cq_str field, value;
  bool unlike, among;
} cq_filter;

typedef struct cq_filters {
  cq_filter at[CQ_TABLES_MAX_FIELDS];
  size_t count;
} cq_filters;

/* What begins or ends a link. */
typedef struct cq_link_event {
  cq_str form;      /* or */
  cq_str list;      /* a list of the programme: its rows hold from the beginning */
  cq_fields of, to; /* the first that is not blank */
  cq_str day;       /* field; "": the record's working date */
  cq_filters where; /* rows that count */
  cq_filters ends;  /* rows that end the link; none: all begin it */
} cq_link_event;

/* Who belongs to what, from when to when: memberships, funding. */
typedef struct cq_link_def {
  cq_str name;
  cq_link_event events[CQ_TABLES_MAX_EVENTS];
  size_t count;
} cq_link_def;

typedef struct cq_dimension {
  cq_str field;   /* of the form, or */
  cq_fields link; /* links one after the other: holds or not, on the table's date */
  bool counts;    /* of a single link: how many hold: 0, 1, 2 or more */
  cq_str label;   /* "": the form's own */
  cq_str yes, no; /* of a link */
  size_t prefix;  /* of a code, that many bytes count; 0: all */
  bool blank_na;  /* what is blank does not apply; else it is missing */
  bool sensitive; /* small cells are hidden, though the form does not mark the field */
  struct {
    cq_str code, label;
  } values[CQ_TABLES_MAX_VALUES]; /* of a field without choices, in this order */
  size_t value_count;
} cq_dimension;

typedef struct cq_pair {
  cq_str row, column;
} cq_pair;

typedef struct cq_table_def {
  cq_str name, title, note;
  cq_str form, repeat;
  cq_fields unit; /* what counts once: the first that is not blank; none: every row counts */
  cq_str dataset; /* whose entities the units are; decided to be the same, they count once */
  bool persons;   /* units are persons: small cells are hidden where the table goes outside */
  cq_str day, sum, money;
  cq_filters where;
  bool partial; /* records that ended midway count too */
  cq_dimension rows[2], columns[1], by[CQ_TABLES_MAX_BY];
  size_t row_count, column_count, by_count;
  cq_pair never[CQ_TABLES_MAX_BY]; /* codes of the last row dimension and the column that cannot stand together */
  size_t never_count;
} cq_table_def;

typedef enum cq_check_kind {
  CQ_CHECK_SUM,      /* a total that was stored is the sum of its parts */
  CQ_CHECK_UNIQUE,   /* the same value is not given to two things */
  CQ_CHECK_AT_MOST,  /* a value is not above another, or above a number */
  CQ_CHECK_UNITS,    /* one unit of measure for each thing */
  CQ_CHECK_PREFIX,   /* a place lies in the place that is said to hold it */
  CQ_CHECK_AGREE,    /* two tables have the same total */
  CQ_CHECK_DAYS,     /* a date lies within the programme */
  CQ_CHECK_FILLED,   /* a field is not one and the same value everywhere */
  CQ_CHECK_BASELINE, /* a baseline is not taken after what it is a baseline for */
  CQ_CHECK_MONTHS,   /* the campaign's twelve months have records */
  CQ_CHECK_KINDS
} cq_check_kind;
const char *cq_check_name(cq_check_kind kind); /* as tables.json has it */

typedef struct cq_check_def {
  cq_str name, title;
  cq_check_kind kind;
  cq_str form, repeat;
  cq_str field;     /* what is looked at: the total, the place, the date */
  cq_fields fields; /* parts, key, larger places, tables */
  cq_str per;       /* of units: the thing measured */
  cq_fields link;   /* of a baseline: after this link began */
  cq_str of;        /* of a baseline: who; of a limit: the other field */
  double most;      /* of a limit, where `of` is "" */
  cq_filters where;
} cq_check_def;

typedef struct cq_fault {
  char where[96];   /* "tables[2].rows[0]" */
  const char *what; /* msgid, untranslated */
  char of[96];      /* the name or value it is about; "" none */
} cq_fault;

typedef struct cq_faults {
  cq_fault at[CQ_TABLES_MAX_FAULTS];
  size_t count; /* all; those above CQ_TABLES_MAX_FAULTS are counted only */
} cq_faults;

typedef struct cq_definitions {
  cq_arena *arena;
  cq_link_def *links;
  cq_table_def *tables;
  cq_check_def *checks;
  size_t link_count, table_count, check_count;
} cq_definitions;

/*
 * Reads tables.json. Texts in several languages give the one of `language`, else the first. `faults` is emptied first;
 * with a fault CQ_INVALID "tables.faults" (argument: how many). Other errors: tables.json (with its line and column),
 * tables.large, memory. The caller frees with cq_definitions_fini, after an error too.
 */
cq_status cq_definitions_read(cq_definitions *definitions, cq_str json, cq_str language, cq_faults *faults,
                              cq_error *error);
void cq_definitions_fini(cq_definitions *definitions);

const cq_table_def *cq_definitions_table(const cq_definitions *definitions, cq_str name); /* NULL: none */
const cq_link_def *cq_definitions_link(const cq_definitions *definitions, cq_str name);
/* The dimension of this name among rows, columns and `by` of a table; NULL: none. */
const cq_dimension *cq_table_dimension(const cq_table_def *table, cq_str name);
/* What a dimension is called in --by: its field, or its links with points between. The text is in `out`. */
cq_str cq_dimension_name(const cq_dimension *dimension, char out[96]);

void cq_fault_add(cq_faults *faults, const char *where, const char *what, cq_str of);
cq_status cq_faults_status(const cq_faults *faults, cq_error *error);

#endif
