/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write the XForm share. */
#ifndef CHASQUI_FORMS_XLSFORM_WRITE_H
#define CHASQUI_FORMS_XLSFORM_WRITE_H

#include "forms/xlsform/form.h"
#include "forms/xlsform/xml.h"

typedef struct cq_writer {
  cq_form_draft *form;
  cq_xml xml;
  cq_buf value; /* of the attribute or text being made */
} cq_writer;

/* The text with its references resolved; borrowed until the next call. */
cq_str cq_writer_resolve(cq_writer *w, cq_str text, const cq_element *context, unsigned how);
/* A text for people: ${references} and instance('…') expressions become <output/>. */
void cq_write_phrase(cq_writer *w, cq_str text, const cq_element *context);

void cq_write_itext(cq_writer *w);
void cq_write_instance(cq_writer *w);
void cq_write_secondary(cq_writer *w);
void cq_write_binds(cq_writer *w);
void cq_write_body(cq_writer *w);
void cq_write_action(cq_writer *w, const cq_element *e, const cq_action *action);

/* Whether the label goes through itext. */
bool cq_label_itext(const cq_element *e);
bool cq_hint_itext(const cq_element *e);
/* Whether a message of a bind does: translated, or with references. */
bool cq_message_itext(const cq_phrases *message);
/* Whether an attribute's name has a prefix that the form declares, or none. */
bool cq_prefix_known(const cq_form_draft *form, cq_str name);
/* The next "prefix=uri" of the setting namespaces. */
bool cq_namespace_next(const cq_form_draft *form, size_t *at, cq_str *prefix, cq_str *uri);

#endif
