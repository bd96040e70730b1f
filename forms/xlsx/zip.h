/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an .xlsx, unpacked straight into an XML parser under the caps. */
#ifndef CHASQUI_FORMS_XLSX_ZIP_H
#define CHASQUI_FORMS_XLSX_ZIP_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <expat.h>

typedef struct cq_zip cq_zip;

/* Borrows the bytes until cq_zip_free. */
cq_status cq_zip_open(cq_zip **zip, const void *bytes, size_t size, cq_error *error);
void cq_zip_free(cq_zip *zip); /* NULL is fine */

typedef struct cq_part_reader {
  XML_StartElementHandler start;
  XML_EndElementHandler end;
  XML_CharacterDataHandler text; /* may be NULL */
  void *context;                 /* user data of the parser */
  XML_Parser parser;             /* while it runs */
  const cq_status *failed;       /* set by a handler that called XML_StopParser; its error is already said */
} cq_part_reader;

/*
 * Parses one part. `path` as relationships write it: with or without a leading
 * slash, either slash, any case. CQ_NOTFOUND "xlsx.part.missing" where there is none.
 */
cq_status cq_zip_parse(cq_zip *zip, cq_str path, cq_part_reader *reader, cq_error *error);

/* The element's or attribute's name without its prefix. */
const char *cq_xml_local(const char *name);
/* The value of an attribute by local name; NULL: none. */
const char *cq_xml_attribute(const char **attributes, const char *name);

#endif
