/* SPDX-License-Identifier: Apache-2.0 */
/* What reading the survey sheet shares between its files. */
#ifndef CHASQUI_FORMS_XLSFORM_SURVEY_H
#define CHASQUI_FORMS_XLSFORM_SURVEY_H

#include "forms/xlsform/form.h"

/* Parameters of the row, checked and turned into attributes, as its type asks. `select`: how it was spelt. */
void cq_apply_parameters(cq_form_draft *form, cq_element *question);

/* The value of a parameter; false where it is not given. Keys are lower case. */
bool cq_parameter(const cq_element *question, const char *key, cq_str *value);

/* Whether a question shows a control. */
bool cq_question_visible(const cq_element *question);

/* Adds NAME_missing after a question that takes codes in place of an answer. */
void cq_add_missing(cq_form_draft *form, cq_element *question);
/* The list of codes and their labels that those questions choose from. */
void cq_add_missing_list(cq_form_draft *form);

/* Turns what stands between begin_loop and end_loop into one group a choice. */
void cq_unroll_loop(cq_form_draft *form, cq_element *loop);

bool cq_in_repeat(const cq_element *element);
/* The file's extension that a secondary instance may have: "csv", "xml", "geojson"; NULL: another. */
const char *cq_file_extension(cq_str name);
void cq_add_action(cq_form_draft *form, cq_element *question, const char *name, const char *event, cq_str value,
                   cq_str quality);

#endif
