/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of merged records for the programme's tables and checks: some fields of
 * a form (or of one of its repeats, with those of the record around it), each
 * with its date; and links between entities, as events with dates.
 */
#ifndef CENTRAL_TABLES_FACTS_H
#define CENTRAL_TABLES_FACTS_H

#include "central/tables/programme/definition.h"
#include "central/tables/records/rows.h"

/* What a field's value of one fact is. */
typedef enum cq_value_kind { CQ_VALUE_SAID, CQ_VALUE_BLANK, CQ_VALUE_UNKNOWN, CQ_VALUE_NA } cq_value_kind;

enum { CQ_FACTS_MAX_FIELDS = 64 };

typedef struct cq_fact {
  const cq_str *cells; /* of the fields asked for; two each: the value and its missing code */
  cq_str record;       /* start of the record's name */
  cq_str subject;      /* the entity of the data set asked for that the record is about; "" none */
  int32_t day;         /* the record's working date */
} cq_fact;

typedef struct cq_fact_field {
  cq_str name;
  cq_rows_column *column; /* NULL: the subject, "@tdd" */
  bool in_repeat;
  size_t cell, missing; /* in rows of its table; missing SIZE_MAX: none */
} cq_fact_field;

typedef struct cq_facts {
  cq_desk *desk;
  cq_arena *arena;
  cq_rows *rows;
  cq_str form, dataset; /* the data set of "@tdd" is "tdd" */
  size_t table;         /* of `rows`: 0, or the repeat's */
  cq_fact_field fields[CQ_FACTS_MAX_FIELDS];
  size_t field_count;
  cq_fact *at;
  size_t count, capacity;
  size_t records, partial, unreadable;
} cq_facts;

/* Opens a form for facts; no field is asked for yet. Errors: desk.form.none, desk.form.repeat. */
cq_status cq_facts_open(cq_facts *facts, cq_desk *desk, cq_str form, cq_str repeat, const char *language,
                        cq_error *error);
void cq_facts_close(cq_facts *facts);

/* Asks for a field, or for "@dataset": its number, the same for the same name. SIZE_MAX: there is none such. */
size_t cq_facts_field(cq_facts *facts, cq_str name);
/* Reads all records of the form in the order of their working dates: complete ones, and partial ones too where asked.
 */
cq_status cq_facts_read(cq_facts *facts, bool partial, cq_error *error);

cq_str cq_fact_value(const cq_fact *fact, size_t field);
cq_value_kind cq_fact_kind(const cq_fact *fact, size_t field);
/* The first value that is not blank. */
cq_str cq_fact_first(const cq_fact *fact, const size_t *fields, size_t count);

/* --- conditions --- */
typedef struct cq_conditions {
  cq_filter at[CQ_TABLES_MAX_FIELDS];
  size_t field[CQ_TABLES_MAX_FIELDS], count;
} cq_conditions;
/* False where a field is not there; *missing is then its name. */
bool cq_conditions_bind(cq_conditions *conditions, const cq_filters *filters, cq_facts *facts, cq_str *missing);
bool cq_conditions_hold(const cq_conditions *conditions, const cq_fact *fact);

/* --- who is one with whom --- */
typedef struct cq_same {
  cq_arena *arena;
  struct {
    cq_str id, stays;
  } * at;
  size_t count, capacity;
} cq_same;
cq_status cq_same_read(cq_same *same, cq_desk *desk, cq_str dataset, cq_error *error);
void cq_same_fini(cq_same *same);
cq_str cq_same_of(const cq_same *same, cq_str id); /* itself where it was decided to be nobody else */

/* --- links --- */
typedef struct cq_tie {
  cq_str of, to;
  int32_t day;
  size_t order;
  bool ends;
} cq_tie;

typedef struct cq_ties {
  cq_arena *arena;
  cq_str name;
  cq_tie *at; /* by of, to, day, order */
  size_t count, capacity;
} cq_ties;

/* Reads the events of a link. `same` maps the persons of `of`. Errors: those of facts; tables.list. */
cq_status cq_ties_read(cq_ties *ties, cq_desk *desk, const cq_link_def *link, const cq_same *same, cq_error *error);
void cq_ties_fini(cq_ties *ties);
/* How many things `of` is tied to on a day, through all the links one after the other. */
size_t cq_ties_count(const cq_ties *const *links, size_t count, cq_str of, int32_t day);
/* The first day on which `of` was tied through all the links; INT32_MAX: never. */
int32_t cq_ties_begin(const cq_ties *const *links, size_t count, cq_str of);

#endif
