/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of the sheets, read as the engine will read them. */
#ifndef CHASQUI_FORMS_XLSFORM_EXPRESSIONS_H
#define CHASQUI_FORMS_XLSFORM_EXPRESSIONS_H

#include "forms/xlsform/form.h"

/* Whether the text, its ${references} taken for paths, is an expression; what is wrong goes to `error`. */
bool cq_expression_read(cq_form_draft *form, cq_str text, cq_error *error);
/* The same with a fault where it is not; an unknown function is a warning, since a phone may know it. */
void cq_expression_check(cq_form_draft *form, cq_str text, cq_place place);

#endif
