/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/xml.h"

static void close_start(cq_xml *xml) {
  if (xml->open) cq_buf_add_char(xml->out, '>');
  xml->open = false;
}

static void indent(const cq_xml *xml) {
  if (!xml->pretty || xml->mixed) return;
  cq_buf_add_char(xml->out, '\n');
  for (int i = 0; i < xml->depth; i++) cq_buf_add_text(xml->out, "  ");
}

void cq_xml_start(cq_xml *xml, cq_str name) {
  close_start(xml);
  indent(xml);
  cq_buf_add_char(xml->out, '<');
  cq_buf_add_str(xml->out, name);
  xml->open = true;
  xml->depth++;
}

void cq_xml_start_text(cq_xml *xml, const char *name) {
  cq_xml_start(xml, cq_str_from(name));
}

void cq_xml_attr_named(cq_xml *xml, cq_str name, cq_str value) {
  cq_buf_add_char(xml->out, ' ');
  cq_buf_add_str(xml->out, name);
  cq_buf_add_text(xml->out, "=\"");
  cq_buf_add_xml(xml->out, value, true);
  cq_buf_add_char(xml->out, '"');
}

void cq_xml_attr(cq_xml *xml, const char *name, cq_str value) {
  cq_xml_attr_named(xml, cq_str_from(name), value);
}

void cq_xml_text(cq_xml *xml, cq_str text) {
  if (text.size == 0) return;
  close_start(xml);
  xml->mixed = true;
  cq_buf_add_xml(xml->out, text, false);
}

void cq_xml_end(cq_xml *xml, cq_str name) {
  xml->depth--;
  if (xml->open) {
    cq_buf_add_text(xml->out, "/>");
    xml->open = false;
  } else {
    indent(xml);
    cq_buf_add_text(xml->out, "</");
    cq_buf_add_str(xml->out, name);
    cq_buf_add_char(xml->out, '>');
  }
}

void cq_xml_end_text(cq_xml *xml, const char *name) {
  cq_xml_end(xml, cq_str_from(name));
}

void cq_xml_leaf(cq_xml *xml, cq_str name, cq_str text) {
  bool mixed = xml->mixed;
  cq_xml_start(xml, name);
  cq_xml_text(xml, text);
  cq_xml_end(xml, name);
  xml->mixed = mixed;
}
