/* SPDX-License-Identifier: Apache-2.0 */
/* Which cell styles show a number as a date or a time. */
#ifndef CHASQUI_FORMS_XLSX_STYLES_H
#define CHASQUI_FORMS_XLSX_STYLES_H

#include "forms/xlsx/zip.h"

enum { CQ_STYLES_MAX = 65536, CQ_FORMATS_MAX = 4096 };

typedef struct cq_styles {
  bool *dates; /* by style; heap */
  size_t count;
} cq_styles;

cq_status cq_styles_read(cq_styles *styles, cq_zip *zip, cq_str path, cq_error *error);
void cq_styles_fini(cq_styles *styles);
bool cq_styles_date(const cq_styles *styles, int64_t style);

/* Whether a number format's code shows a date or a time: y m d h s outside quotes, colours and conditions. */
bool cq_format_is_date(const char *code);

#endif
