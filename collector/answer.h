/* SPDX-License-Identifier: Apache-2.0 */
/* Between what people type and read, and what a form stores. For line mode and screen alike. */
#ifndef CHASQUI_COLLECTOR_ANSWER_H
#define CHASQUI_COLLECTOR_ANSWER_H

#include "chasqui/forms.h"

/* Letters in small without accents ("Ñandú" → "nandu", "Ayacucho" → "ayacucho"); other signs as they are. Appends. */
void cq_fold(cq_str text, cq_buf *out);
/* Whether folded `text` contains folded `part`; an empty part is in every text. */
bool cq_fold_contains(cq_str text, cq_str part);
bool cq_fold_equal(cq_str a, cq_str b);

/*
 * What was typed, as the form stores it: "3,5" → "3.5", "7/3/2013" → "2013-03-07", "7:05" → "07:05:00.000". What is no
 * such value is passed on as typed, and the form refuses it. `out` is emptied first.
 */
void cq_answer_from_typed(cq_type type, cq_str typed, cq_buf *out);
/* The way back, for editing: dates as day/month/year. Appends. */
void cq_answer_to_typed(cq_type type, cq_str stored, cq_buf *out);

/* A missing code in words, "does not know"; NULL: a code of the programme's own. */
const char *cq_answer_missing_words(cq_str code);

/* An answer as people read it: labels of choices, dates as day/month/year, why there is none. Appends. */
cq_status cq_answer_shown(cq_interview *interview, const cq_prompt *prompt, cq_arena *arena, cq_buf *out,
                          cq_error *error);

/* Whether a space-separated value holds this name. */
bool cq_answer_holds(cq_str value, cq_str name);
/* `value` with `name` put in where it was not, or taken out where it was. `out` is emptied first. */
void cq_answer_toggle(cq_str value, cq_str name, cq_buf *out);

/* The names of `value` in the order in which they are offered; those not offered are left out. `out` is emptied first.
 */
void cq_answer_in_order(const cq_choices *choices, cq_str value, cq_buf *out);

/* Of the node that keeps a question's missing code the question, which is what people know; any other stays. */
cq_entry cq_answer_question_of(const cq_interview *interview, cq_entry node);

/* What a question is called away from its page: its label, and before it the repeated parts in which it stands, "Member
 * 2 › What is the name?". Appends. */
void cq_answer_name(cq_interview *interview, cq_entry node, cq_arena *arena, cq_buf *out);

/* Whether it is a code such as the reason of a partial interview: 1 to CQ_ANSWER_CODE letters, digits, `.`, `-`, `_`.
 */
enum { CQ_ANSWER_CODE = 40 };
bool cq_answer_is_code(cq_str text);

/* "required", "a whole number", … what stands small under a question; "" none. */
const char *cq_answer_kind_words(const cq_prompt *prompt);

#endif
