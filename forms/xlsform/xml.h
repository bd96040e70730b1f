/* SPDX-License-Identifier: Apache-2.0 */
/* Writes XML, compact or indented; text and what stands among text is never indented. */
#ifndef CHASQUI_FORMS_XLSFORM_XML_H
#define CHASQUI_FORMS_XLSFORM_XML_H

#include "chasqui/str.h"

typedef struct cq_xml {
  cq_buf *out;
  bool pretty;
  bool open;  /* the start tag is not closed yet */
  bool mixed; /* the element holds text: no indentation within */
  int depth;
} cq_xml;

void cq_xml_start(cq_xml *xml, cq_str name);
void cq_xml_start_text(cq_xml *xml, const char *name);
void cq_xml_attr(cq_xml *xml, const char *name, cq_str value);
void cq_xml_attr_named(cq_xml *xml, cq_str name, cq_str value);
void cq_xml_text(cq_xml *xml, cq_str text); /* the empty text writes nothing */
void cq_xml_end(cq_xml *xml, cq_str name);
void cq_xml_end_text(cq_xml *xml, const char *name);
/* <name>text</name> */
void cq_xml_leaf(cq_xml *xml, cq_str name, cq_str text);

#endif
