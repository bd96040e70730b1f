/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${name} and ${last-saved#name} in expressions and texts: found, checked, and
 * turned into paths. Inside a repeat the path is relative to the element that
 * asks (pyxform's rule, so that phones and we agree to the byte).
 */
#ifndef CHASQUI_FORMS_XLSFORM_REFERENCES_H
#define CHASQUI_FORMS_XLSFORM_REFERENCES_H

#include "forms/xlsform/form.h"

typedef struct cq_reference {
  size_t start, end; /* of "${…}" in the text */
  cq_str name;
  bool last_saved;
} cq_reference;

/* The next well-formed reference at or after `from`. */
bool cq_reference_next(cq_str text, size_t from, cq_reference *found);
bool cq_reference_any(cq_str text);
bool cq_reference_whole(cq_str text, cq_reference *found); /* the text is one reference and nothing else */

enum {
  CQ_REFERENCE_CURRENT = 1, /* relative paths begin with current() */
  CQ_REFERENCE_PARENT = 2   /* as seen from the repeat's parent: itemsets of earlier answers */
};

/* Appends the text with its references resolved as seen from `context` (NULL: absolute). Unknown names stay as they
 * are: cq_check_references has said so. */
void cq_resolve(const cq_form_draft *form, cq_str text, const cq_element *context, unsigned how, cq_buf *out);

/* Reports what is wrong with the references of a cell; true where nothing is. */
bool cq_references_check(cq_form_draft *form, cq_str text, cq_place place);

/* Whether a default is an expression to be evaluated, not a value. */
bool cq_default_is_dynamic(cq_str text, const cq_word_type *type);

/* Where an instance('…')/… expression stands in a text; false: none from `from` on. */
bool cq_instance_expression(cq_str text, size_t from, size_t *start, size_t *end);

#endif
