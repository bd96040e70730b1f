/* SPDX-License-Identifier: Apache-2.0 */
/* The two flat lists of OpenRosa, read by expat. A document type, and so any entity, is refused. */
#ifndef SYNC_OPENROSA_XML_H
#define SYNC_OPENROSA_XML_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>

enum { ROSA_XML_DEPTH = 64, ROSA_XML_FIELDS = 8 };

typedef struct rosa_xml {
  const char *root, *item;             /* local names */
  const char *fields[ROSA_XML_FIELDS]; /* of an item's children, ended by NULL */
  /* An item's fields, trimmed, in that order ("" where there is none), and its attribute "type". Borrowed. */
  cq_status (*seen)(void *context, const cq_str *values, cq_str type, cq_error *error);
  void *context;
} rosa_xml;

/* Errors: openrosa.list (argument: why), and those of `seen`. */
cq_status rosa_xml_read(const rosa_xml *what, cq_str xml, cq_error *error);

#endif
