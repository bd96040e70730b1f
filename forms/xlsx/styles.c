/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsx/styles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct reading {
  cq_styles *styles;
  int64_t dates[CQ_FORMATS_MAX]; /* ids of the workbook's own formats that are dates */
  size_t date_count;
  size_t room;
  bool in_cells;
  cq_status failed;
  cq_part_reader reader;
  cq_error *error;
} reading;

bool cq_format_is_date(const char *code) {
  for (const char *at = code; *at; at++) {
    if (*at == '"') {
      at = strchr(at + 1, '"');
      if (!at) return false;
    } else if (*at == '\\' || *at == '_' || *at == '*') {
      if (!*++at) return false;
    } else if (*at == '[') {
      const char *close = strchr(at, ']');
      if (!close) return false;
      if (strchr("hms", at[1] | 0x20) && (close == at + 2 || at[1] == at[2])) return true; /* [h]:mm */
      at = close;
    } else if (strchr("ymdhsYMDHS", *at)) {
      return true;
    } else if (strncasecmp(at, "general", 7) == 0) {
      at += 6;
    }
  }
  return false;
}

static bool builtin_date(int64_t id) {
  return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

static int64_t number(const char *text) {
  int64_t value = -1;
  return text && cq_str_int64(cq_str_from(text), &value) ? value : -1;
}

static void add_style(reading *r, const char **attributes) {
  if (r->styles->count == CQ_STYLES_MAX) return; /* a workbook cannot have more; cells that name one are numbers */
  if (r->styles->count == r->room) {
    size_t room = r->room ? 2 * r->room : 64;
    bool *dates = realloc(r->styles->dates, room * sizeof *dates);
    if (!dates) {
      r->failed = cq_error_nomem(r->error);
      XML_StopParser(r->reader.parser, XML_FALSE);
      return;
    }
    r->styles->dates = dates;
    r->room = room;
  }
  int64_t id = number(cq_xml_attribute(attributes, "numFmtId"));
  bool date = builtin_date(id);
  for (size_t i = 0; i < r->date_count; i++) date = date || r->dates[i] == id;
  r->styles->dates[r->styles->count++] = date;
}

static void XMLCALL start(void *context, const char *name, const char **attributes) {
  reading *r = context;
  name = cq_xml_local(name);
  if (strcmp(name, "numFmt") == 0) {
    const char *code = cq_xml_attribute(attributes, "formatCode");
    if (code && r->date_count < CQ_FORMATS_MAX && cq_format_is_date(code)) {
      r->dates[r->date_count++] = number(cq_xml_attribute(attributes, "numFmtId"));
    }
  } else if (strcmp(name, "cellXfs") == 0) {
    r->in_cells = true;
  } else if (r->in_cells && strcmp(name, "xf") == 0) {
    add_style(r, attributes);
  }
}

static void XMLCALL end(void *context, const char *name) {
  reading *r = context;
  if (strcmp(cq_xml_local(name), "cellXfs") == 0) r->in_cells = false;
}

cq_status cq_styles_read(cq_styles *styles, cq_zip *zip, cq_str path, cq_error *error) {
  reading *r = calloc(1, sizeof *r);
  if (!r) return cq_error_nomem(error);
  r->styles = styles;
  r->error = error;
  r->reader = (cq_part_reader){.start = start, .end = end, .context = r, .failed = &r->failed};
  cq_status status = cq_zip_parse(zip, path, &r->reader, error);
  free(r);
  return status;
}

void cq_styles_fini(cq_styles *styles) {
  free(styles->dates);
  *styles = (cq_styles){0};
}

bool cq_styles_date(const cq_styles *styles, int64_t style) {
  return style >= 0 && (uint64_t)style < styles->count && styles->dates[style];
}
