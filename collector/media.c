/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/media.h"

#include "chasqui/cli.h"

#include <string.h>

/* Endings that are told by the name alone have no mark. The first row of a type names it. */
static const struct row {
  const char *ending, *type, *words;
  size_t at; /* of the mark */
  const char *mark;
} rows[] = {
    {"jpg", "image/jpeg", N_("JPEG image"), 0, "\xFF\xD8\xFF"},
    {"jpeg", "image/jpeg", N_("JPEG image"), 0, NULL},
    {"png", "image/png", N_("PNG image"), 0, "\x89PNG"},
    {"gif", "image/gif", N_("GIF image"), 0, "GIF8"},
    {"webp", "image/webp", N_("WebP image"), 8, "WEBP"},
    {"tif", "image/tiff", N_("TIFF image"), 0, "II*"},
    {"tif", "image/tiff", N_("TIFF image"), 0, "MM"},
    {"heic", "image/heic", N_("HEIC image"), 4, "ftyphei"},
    {"heic", "image/heic", N_("HEIC image"), 4, "ftypmif1"},
    {"heic", "image/heic", N_("HEIC image"), 4, "ftyphevc"},
    {"avif", "image/avif", N_("AVIF image"), 4, "ftypavif"},
    {"bmp", "image/bmp", N_("BMP image"), 0, "BM"},
    {"svg", "image/svg+xml", N_("SVG image"), 0, NULL},
    {"mp3", "audio/mpeg", N_("MP3 recording"), 0, "ID3"},
    {"mp3", "audio/mpeg", N_("MP3 recording"), 0, "\xFF\xFB"},
    {"mp3", "audio/mpeg", N_("MP3 recording"), 0, "\xFF\xF3"},
    {"mp3", "audio/mpeg", N_("MP3 recording"), 0, "\xFF\xF2"},
    {"aac", "audio/aac", N_("AAC recording"), 0, "\xFF\xF1"},
    {"aac", "audio/aac", N_("AAC recording"), 0, "\xFF\xF9"},
    {"wav", "audio/wav", N_("WAV recording"), 8, "WAVE"},
    {"amr", "audio/amr", N_("AMR recording"), 0, "#!AMR"},
    {"flac", "audio/flac", N_("FLAC recording"), 0, "fLaC"},
    {"m4a", "audio/mp4", N_("MPEG-4 recording"), 4, "ftypM4A"},
    {"ogg", "audio/ogg", N_("Ogg recording"), 0, "OggS"},
    {"ogv", "video/ogg", N_("Ogg video"), 0, "OggS"},
    {"3gp", "video/3gpp", N_("3GP video"), 4, "ftyp3g"},
    {"3ga", "audio/3gpp", N_("3GP recording"), 4, "ftyp3g"},
    {"mov", "video/quicktime", N_("QuickTime video"), 4, "ftypqt"},
    {"mp4", "video/mp4", N_("MPEG-4 video"), 4, "ftyp"},
    {"m4a", "audio/mp4", N_("MPEG-4 recording"), 4, "ftyp"},
    {"webm", "video/webm", N_("WebM video"), 0, "\x1A\x45\xDF\xA3"},
    {"weba", "audio/webm", N_("WebM recording"), 0, "\x1A\x45\xDF\xA3"},
    {"avi", "video/x-msvideo", N_("AVI video"), 8, "AVI "},
    {"pdf", "application/pdf", N_("PDF document"), 0, "%PDF"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", N_("Word document"), 0, NULL},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", N_("Excel workbook"), 0, NULL},
    {"odt", "application/vnd.oasis.opendocument.text", N_("OpenDocument text"), 0, NULL},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet", N_("OpenDocument spreadsheet"), 0, NULL},
    {"zip", "application/zip", N_("ZIP archive"), 0, "PK\x03\x04"},
    {"doc", "application/msword", N_("Word document"), 0, NULL},
    {"xls", "application/vnd.ms-excel", N_("Excel workbook"), 0, NULL},
    {"rtf", "application/rtf", N_("RTF document"), 0, NULL},
    {"csv", "text/csv", N_("CSV table"), 0, NULL},
    {"txt", "text/plain", N_("text"), 0, NULL},
    {"xml", "text/xml", N_("XML document"), 0, NULL},
    {"json", "application/json", N_("JSON document"), 0, NULL},
    {"osm", "osm/xml", N_("OpenStreetMap data"), 0, NULL},
    {"gpx", "application/gpx+xml", N_("GPX track"), 0, NULL},
    {"kml", "application/vnd.google-earth.kml+xml", N_("KML map"), 0, NULL},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const cq_media unknown = {"application/octet-stream", "bin", N_("file")};

static cq_media media_of(const struct row *row) {
  return (cq_media){row->type, row->ending, row->words};
}

static bool has_mark(const struct row *row, cq_str head) {
  size_t size = row->mark ? strlen(row->mark) : 0;
  return size > 0 && head.size >= row->at + size && memcmp(head.at + row->at, row->mark, size) == 0;
}

/* "FOTO.JPG" ends in "jpg". */
static bool ends_in(cq_str name, const char *ending) {
  size_t size = strlen(ending);
  if (name.size <= size || name.at[name.size - size - 1] != '.') return false;
  for (size_t i = 0; i < size; i++) {
    char c = name.at[name.size - size + i];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != ending[i]) return false;
  }
  return true;
}

cq_media cq_media_of(cq_str head, cq_str name, cq_str wanted) {
  const struct row *found = NULL;
  bool marked = false;
  for (size_t i = 0; i < ROWS; i++) {
    if (!has_mark(&rows[i], head)) continue;
    marked = true;
    if (!found || (!cq_media_fits(wanted, found->type) && cq_media_fits(wanted, rows[i].type))) found = &rows[i];
  }
  /* Office documents are archives: the ending tells which. Other endings never speak against the content. */
  bool archive = found && strcmp(found->ending, "zip") == 0;
  for (size_t i = 0; i < ROWS && (!marked || archive); i++) {
    bool office = strstr(rows[i].type, "officedocument") || strstr(rows[i].type, "opendocument");
    if (!rows[i].mark && ends_in(name, rows[i].ending) && office == archive && strcmp(rows[i].ending, "jpeg") != 0)
      return media_of(&rows[i]);
  }
  return found ? media_of(found) : unknown;
}

cq_media cq_media_named(cq_str name) {
  for (size_t i = 0; i < ROWS; i++)
    if (ends_in(name, rows[i].ending)) return media_of(&rows[i]);
  return unknown;
}

bool cq_media_fits(cq_str wanted, const char *type) {
  bool any = false;
  for (size_t at = 0; at < wanted.size;) {
    size_t start = at;
    while (at < wanted.size && wanted.at[at] != ',' && wanted.at[at] != ' ') at++;
    cq_str one = {wanted.at + start, at - start};
    at++;
    if (one.size == 0) continue;
    any = true;
    if (cq_str_is(one, "*/*") || cq_str_is(one, "application/*") || cq_str_is(one, type)) return true;
    if (one.size > 2 && one.at[one.size - 1] == '*' && strncmp(type, one.at, one.size - 1) == 0) return true;
  }
  return !any;
}
