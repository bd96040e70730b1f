/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsx/zip.h"

#include "chasqui/xlsform.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zip.h>

enum { CHUNK = 1 << 16, MAX_PARTS = 10000, RATIO_FROM = 1 << 20 };

struct cq_zip {
  zip_t *archive;
  uint64_t total; /* bytes unpacked of all parts */
};

cq_status cq_zip_open(cq_zip **zip, const void *bytes, size_t size, cq_error *error) {
  *zip = calloc(1, sizeof **zip);
  if (!*zip) return cq_error_nomem(error);
  zip_error_t fault;
  zip_error_init(&fault);
  zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &fault);
  if (source) {
    (*zip)->archive = zip_open_from_source(source, ZIP_RDONLY, &fault);
    if (!(*zip)->archive) zip_source_free(source);
  }
  zip_error_fini(&fault);
  if ((*zip)->archive && zip_get_num_entries((*zip)->archive, 0) <= MAX_PARTS) return CQ_OK;
  cq_zip_free(*zip);
  *zip = NULL;
  return cq_error_set(error, CQ_INVALID, "xlsx.damaged", NULL);
}

void cq_zip_free(cq_zip *zip) {
  if (!zip) return;
  if (zip->archive) zip_discard(zip->archive);
  free(zip);
}

static bool same_path(const char *name, cq_str path) {
  if (*name == '/') name++;
  size_t size = strlen(name);
  if (size != path.size) return false;
  for (size_t i = 0; i < size; i++) {
    char a = name[i] == '\\' ? '/' : name[i], b = path.at[i] == '\\' ? '/' : path.at[i];
    if (strncasecmp(&a, &b, 1) != 0) return false;
  }
  return true;
}

static int64_t find(cq_zip *zip, cq_str path) {
  while (path.size && (path.at[0] == '/' || path.at[0] == '\\')) path.at++, path.size--;
  int64_t count = zip_get_num_entries(zip->archive, 0);
  for (int64_t i = 0; i < count; i++) {
    const char *name = zip_get_name(zip->archive, (zip_uint64_t)i, ZIP_FL_ENC_GUESS);
    if (name && same_path(name, path)) return i;
  }
  return -1;
}

/* XML with a document type could hold entities that grow; no spreadsheet has one. */
static void XMLCALL doctype(void *context, const char *name, const char *system, const char *public, int internal) {
  (void)name, (void)system, (void)public, (void)internal;
  cq_part_reader *reader = context;
  XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL start(void *context, const char *name, const char **attributes) {
  cq_part_reader *reader = context;
  reader->start(reader->context, name, attributes);
}

static void XMLCALL end(void *context, const char *name) {
  cq_part_reader *reader = context;
  reader->end(reader->context, name);
}

static void XMLCALL text(void *context, const char *at, int size) {
  cq_part_reader *reader = context;
  reader->text(reader->context, at, size);
}

static cq_status feed(cq_zip *zip, zip_file_t *file, uint64_t packed, cq_part_reader *reader, cq_error *error) {
  uint64_t size = 0;
  for (;;) {
    void *chunk = XML_GetBuffer(reader->parser, CHUNK);
    if (!chunk) return cq_error_nomem(error);
    zip_int64_t got = zip_fread(file, chunk, CHUNK);
    if (got < 0) return cq_error_set(error, CQ_INVALID, "xlsx.damaged", NULL);
    size += (uint64_t)got;
    zip->total += (uint64_t)got;
    if (zip->total > CQ_XLSFORM_MAX_PART || (size > RATIO_FROM && size / CQ_XLSFORM_MAX_RATIO > packed)) {
      return cq_error_set(error, CQ_LIMIT, "xlsform.limit.part", NULL);
    }
    if (XML_ParseBuffer(reader->parser, (int)got, got == 0) != XML_STATUS_OK) {
      if (reader->failed && *reader->failed != CQ_OK) return *reader->failed;
      if (XML_GetErrorCode(reader->parser) == XML_ERROR_NO_MEMORY) return cq_error_nomem(error);
      return cq_error_set(error, CQ_INVALID, "xlsx.xml", NULL);
    }
    if (got == 0) return CQ_OK;
  }
}

cq_status cq_zip_parse(cq_zip *zip, cq_str path, cq_part_reader *reader, cq_error *error) {
  int64_t index = find(zip, path);
  if (index < 0) return cq_error_set(error, CQ_NOTFOUND, "xlsx.part.missing", NULL);
  zip_stat_t info;
  if (zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &info) != 0 || !(info.valid & ZIP_STAT_COMP_SIZE)) {
    return cq_error_set(error, CQ_INVALID, "xlsx.damaged", NULL);
  }
  if (info.valid & ZIP_STAT_ENCRYPTION_METHOD && info.encryption_method != ZIP_EM_NONE) {
    return cq_error_set(error, CQ_INVALID, "xls.password", NULL);
  }
  zip_file_t *file = zip_fopen_index(zip->archive, (zip_uint64_t)index, 0);
  if (!file) return cq_error_set(error, CQ_INVALID, "xlsx.damaged", NULL);
  cq_status status = CQ_NOMEM;
  reader->parser = XML_ParserCreate(NULL);
  if (reader->parser) {
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, start, end);
    XML_SetStartDoctypeDeclHandler(reader->parser, doctype);
    if (reader->text) XML_SetCharacterDataHandler(reader->parser, text);
    status = feed(zip, file, info.comp_size, reader, error);
    XML_ParserFree(reader->parser);
    reader->parser = NULL;
  } else {
    cq_error_nomem(error);
  }
  zip_fclose(file);
  return status;
}

const char *cq_xml_local(const char *name) {
  const char *colon = strchr(name, ':');
  return colon ? colon + 1 : name;
}

const char *cq_xml_attribute(const char **attributes, const char *name) {
  for (; *attributes; attributes += 2) {
    if (strcmp(cq_xml_local(attributes[0]), name) == 0) return attributes[1];
  }
  return NULL;
}
