/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/forms/xlsx/pack.h"

#include <string.h>
#include <zip.h>

#define MAIN "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define PACKAGE "http://schemas.openxmlformats.org/package/2006/relationships"

const char pack_rels[] = "<Relationships xmlns=\"" PACKAGE "\"><Relationship Id=\"rId1\" Type=\"" OFFICE
                         "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
const char pack_book[] = "<workbook xmlns=\"" MAIN "\" xmlns:r=\"" OFFICE
                         "\"><sheets><sheet name=\"survey\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>";
const char pack_book_rels[] =
    "<Relationships xmlns=\"" PACKAGE "\"><Relationship Id=\"rId1\" Type=\"" OFFICE
    "/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"" OFFICE
    "/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/><Relationship Id=\"rId3\" Type=\"" OFFICE
    "/styles\" Target=\"../xl/styles.xml\"/></Relationships>";
/* style 1: a date; style 2: a time of the workbook's own; style 3: red numbers */
const char pack_styles[] =
    "<styleSheet xmlns=\"" MAIN "\"><numFmts><numFmt numFmtId=\"170\" formatCode=\"hh:mm\"/>"
    "<numFmt numFmtId=\"171\" formatCode=\"[Red]0.00 &quot;days&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/>"
    "</cellStyleXfs><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/><xf numFmtId=\"171\"/>"
    "</cellXfs></styleSheet>";

static bool add(zip_t *archive, const pack_part *part) {
  zip_source_t *source = zip_source_buffer(archive, part->bytes.at, part->bytes.size, 0);
  if (!source) return false;
  if (zip_file_add(archive, part->path, source, ZIP_FL_ENC_UTF_8) >= 0) return true;
  zip_source_free(source);
  return false;
}

bool pack(const pack_part *parts, size_t count, cq_buf *out) {
  cq_buf_reset(out);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &error);
  zip_t *archive = target ? zip_open_from_source(target, ZIP_TRUNCATE, &error) : NULL;
  zip_error_fini(&error);
  if (!archive) {
    zip_source_free(target);
    return false;
  }
  zip_source_keep(target);
  bool fine = true;
  for (size_t i = 0; i < count && fine; i++) fine = add(archive, &parts[i]);
  if (!fine || zip_close(archive) != 0) {
    zip_discard(archive);
    fine = false;
  }
  zip_stat_t info;
  if (fine && zip_source_stat(target, &info) == 0 && zip_source_open(target) == 0) {
    fine = cq_buf_reserve(out, info.size) && zip_source_read(target, out->at, info.size) == (zip_int64_t)info.size;
    if (fine) out->size = info.size;
    zip_source_close(target);
  }
  zip_source_free(target);
  return fine && out->size > 0;
}
