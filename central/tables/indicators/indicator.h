/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indicator definitions and price indices as data (docs/formats/indicators.md).
 * Pure functions on text: reading, checking, and finding a version.
 */
#ifndef CENTRAL_TABLES_INDICATOR_H
#define CENTRAL_TABLES_INDICATOR_H

#include "central/tables/indicators/expression.h"
#include "central/tables/survey/survey.h"

#include <stdint.h>

#define CQ_INDICATORS_FILE "indicators.csv" /* names in the bundle and among the desk's lists */
#define CQ_PRICES_FILE "prices.csv"

enum {
  CQ_INDICATOR_MAX_ROWS = 2000,
  CQ_INDICATOR_MAX_CELL = 2000,
  CQ_INDICATOR_MAX_BY = 16,
  CQ_INDICATOR_MAX_LABELS = 8,
  CQ_INDICATOR_MAX_FAULTS = 500, /* more are not looked for */
  CQ_PRICES_MAX_ROWS = 1200
};

typedef enum { CQ_SOURCE_REGISTERED, CQ_SOURCE_RECALLED, CQ_SOURCE_RECONSTRUCTED, CQ_SOURCES } cq_source;
const char *cq_source_name(cq_source source); /* "registro", "recuerdo", "reconstruido" */

typedef struct cq_indicator {
  cq_str id;
  int32_t version, from; /* from: day */
  cq_str languages[CQ_INDICATOR_MAX_LABELS], labels[CQ_INDICATOR_MAX_LABELS];
  size_t label_count;
  cq_estimate_kind kind;
  cq_str dataset, form, rows, unit, precision, recall, basis;
  bool once;                                       /* belongs to no season */
  cq_str campaign, season;                         /* fields that hold them; "": the visit's */
  cq_expression *numerator, *denominator, *filter; /* the last two may be NULL */
  cq_str by[CQ_INDICATOR_MAX_BY];
  size_t by_count;
  cq_source source;
  bool money, has_threshold;
  int decimals;
  double threshold;
  cq_str text; /* header and row as CSV in the order of the document: the same for the same definition */
} cq_indicator;

/* The label in a language, else the first. */
cq_str cq_indicator_label(const cq_indicator *indicator, cq_str language);

/* A field that expressions may name: of the form itself, or of a repeat (its name). */
typedef struct cq_indicator_field {
  cq_str form, rows, name;
} cq_indicator_field;

typedef struct cq_indicators {
  cq_arena *arena;
  cq_indicator *items;
  size_t count;
  cq_error *faults; /* each with its sheet's cell as first argument; sheet, row and column are set */
  size_t fault_count;
} cq_indicators;

/*
 * Reads a file and finds all its faults; adds to what `indicators` (zeroed at first) has. `fields` NULL: names are not
 * checked (a definition kept at the desk). CQ_OK with faults too; else memory, csv.*, indicator.many. The caller ends
 * it, after an error too.
 */
cq_status cq_indicators_read(cq_indicators *indicators, cq_str csv, const cq_indicator_field *fields, size_t count,
                             cq_error *error);
void cq_indicators_fini(cq_indicators *indicators);

/* The version asked for, or (0) the newest that counts on `day`, else the oldest. NULL: no such id or version. */
const cq_indicator *cq_indicators_find(const cq_indicators *indicators, cq_str id, int32_t version, int32_t day);
/* The nearest of `count` names within a third of their length; "" none. */
cq_str cq_name_nearest(cq_str found, const cq_str *names, size_t count);

/* --- prices --- */
typedef struct cq_prices {
  struct {
    int32_t month; /* year × 12 + month − 1 */
    double index;
  } of[CQ_PRICES_MAX_ROWS];
  size_t count;
} cq_prices;
/* Errors, each with its line: prices.columns, prices.month, prices.index, prices.twice, prices.many. */
cq_status cq_prices_read(cq_prices *prices, cq_str csv, cq_error *error);
/* The mean index of some months; false where one is not there. */
bool cq_prices_mean(const cq_prices *prices, const int32_t *months, size_t count, double *index);

#endif
