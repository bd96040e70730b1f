/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes and names of columns in words, for what a person reads: the terminal, workbooks, pages. Files for machines
 * (CSV, JSON, .dta, .sav) keep the codes, which are the same in every language (docs/tables.md, "In whose language").
 */
#ifndef CENTRAL_TABLES_WORDS_H
#define CENTRAL_TABLES_WORDS_H

#include "central/tables/indicators/measure.h"
#include "chasqui/panel.h"

/* The language of labels, "es" or "en": the one asked for, else that of the messages. */
const char *cq_words_language(const char *asked);

/* A record's result: "complete", … */
cq_str cq_words_result(cq_str code);
/* The head of a column that no question has (KEY, working_date, …); a name that is not among them stands for itself. */
cq_str cq_words_column(cq_str name);
const char *cq_words_state(cq_cell_state state);
/* CQ_SOURCES: registered and recalled together. */
/* The same by its name in files; what is no state stands for itself. */
cq_str cq_words_state_named(cq_str name);
const char *cq_words_source(cq_source source);
const char *cq_words_kind(cq_estimate_kind kind);
const char *cq_words_figure(cq_figure_kind kind);
const char *cq_words_band(const char *band); /* of cq_estimate_band */

#endif
