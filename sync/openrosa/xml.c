/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/openrosa/xml.h"

#include <expat.h>
#include <string.h>

typedef struct reading {
  const rosa_xml *what;
  XML_Parser parser;
  int depth, item_depth; /* item_depth 0: outside of an item */
  int field;             /* the one whose text is read; -1: none */
  cq_buf values[ROSA_XML_FIELDS], type;
  const char *fault;
  cq_status status; /* of `seen` */
  cq_error *error;
} reading;

static const char *local(const char *name) {
  const char *colon = strchr(name, ':');
  return colon ? colon + 1 : name;
}

static void stop(reading *r, const char *fault) {
  if (!r->fault) r->fault = fault;
  XML_StopParser(r->parser, XML_FALSE);
}

static void begin_item(reading *r, const char **attributes) {
  r->item_depth = r->depth;
  for (int i = 0; i < ROSA_XML_FIELDS; i++) cq_buf_reset(&r->values[i]);
  cq_buf_reset(&r->type);
  for (; *attributes; attributes += 2)
    if (strcmp(local(attributes[0]), "type") == 0) cq_buf_add_text(&r->type, attributes[1]);
}

static void XMLCALL on_start(void *user, const char *name, const char **attributes) {
  reading *r = user;
  name = local(name);
  r->field = -1;
  if (++r->depth > ROSA_XML_DEPTH) stop(r, "depth");
  if (r->depth == 1 && strcmp(name, r->what->root) != 0) stop(r, name[0] == 'h' || name[0] == 'H' ? "HTML" : "root");
  if (r->depth == 2 && strcmp(name, r->what->item) == 0) begin_item(r, attributes);
  if (!r->item_depth || r->depth != r->item_depth + 1) return;
  for (int i = 0; i < ROSA_XML_FIELDS && r->what->fields[i]; i++)
    if (strcmp(name, r->what->fields[i]) == 0) r->field = i;
  if (r->field >= 0) cq_buf_reset(&r->values[r->field]);
}

static void end_item(reading *r) {
  cq_str values[ROSA_XML_FIELDS];
  bool failed = r->type.failed;
  for (int i = 0; i < ROSA_XML_FIELDS; i++) {
    values[i] = cq_str_trim(cq_buf_str(&r->values[i]));
    failed |= r->values[i].failed;
  }
  r->item_depth = 0;
  r->status =
      failed ? cq_error_nomem(r->error) : r->what->seen(r->what->context, values, cq_buf_str(&r->type), r->error);
  if (r->status) XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_end(void *user, const char *name) {
  reading *r = user;
  (void)name;
  if (r->status || r->fault) return;
  r->field = -1;
  if (r->item_depth && r->depth == r->item_depth) end_item(r);
  r->depth--;
}

static void XMLCALL on_text(void *user, const char *text, int size) {
  reading *r = user;
  if (r->field >= 0) cq_buf_add(&r->values[r->field], text, (size_t)size);
}

static void XMLCALL on_doctype(void *user, const char *name, const char *system, const char *public, int internal) {
  (void)name, (void)system, (void)public, (void)internal;
  stop(user, "DOCTYPE");
}

cq_status rosa_xml_read(const rosa_xml *what, cq_str xml, cq_error *error) {
  reading r = {.what = what, .field = -1, .error = error};
  cq_status status = CQ_OK;
  if (xml.size > INT32_MAX) return cq_error_set(error, CQ_LIMIT, "openrosa.list", "size", NULL);
  r.parser = XML_ParserCreate(NULL);
  if (!r.parser) return cq_error_nomem(error);
  XML_SetUserData(r.parser, &r);
  XML_SetElementHandler(r.parser, on_start, on_end);
  XML_SetCharacterDataHandler(r.parser, on_text);
  XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
  bool right = XML_Parse(r.parser, xml.size ? xml.at : "", (int)xml.size, XML_TRUE) == XML_STATUS_OK;
  if (r.status)
    status = r.status;
  else if (r.fault)
    status = cq_error_set(error, CQ_INVALID, "openrosa.list", r.fault, NULL);
  else if (!right)
    status = cq_error_set(error, CQ_INVALID, "openrosa.list", XML_ErrorString(XML_GetErrorCode(r.parser)), NULL);
  XML_ParserFree(r.parser);
  for (int i = 0; i < ROSA_XML_FIELDS; i++) cq_buf_fini(&r.values[i]);
  cq_buf_fini(&r.type);
  return status;
}
