/* SPDX-License-Identifier: Apache-2.0 */
/* .xlsx (ECMA-376, SpreadsheetML): workbook, relationships, shared strings, sheets. */
#include "forms/xlsx/cells.h"
#include "forms/xlsx/styles.h"
#include "forms/xlsx/zip.h"

#include "chasqui/xlsform.h"

#include <stdlib.h>
#include <string.h>

typedef struct relation {
  cq_str id, target;
} relation;

typedef struct book {
  cq_cells *cells;
  cq_zip *zip;
  cq_arena *arena; /* names and paths while reading */
  cq_error *error;
  cq_status failed;
  cq_part_reader reader;

  cq_str folder, main, strings_path, styles_path;
  relation relations[2 * CQ_XLSFORM_MAX_SHEETS];
  size_t relation_count;
  cq_str names[CQ_XLSFORM_MAX_SHEETS], ids[CQ_XLSFORM_MAX_SHEETS];
  size_t sheet_count;
  bool from_1904;
  cq_styles styles;

  cq_buf pool; /* the shared strings, one after another */
  size_t *ends;
  size_t string_count, string_room;

  cq_buf text;    /* of the string or cell being read */
  int64_t column; /* of the cell, from 0 */
  uint32_t row;
  char type; /* first letter of the cell's t: s, i(nlineStr), b, e, d, n; 't' for str */
  int64_t style;
  bool in_value, phonetic;
} book;

static void stop(book *b, cq_status status) {
  b->failed = status;
  XML_StopParser(b->reader.parser, XML_FALSE);
}

static cq_status parse(book *b, cq_str path, XML_StartElementHandler start, XML_EndElementHandler end,
                       XML_CharacterDataHandler text) {
  b->failed = CQ_OK;
  b->reader = (cq_part_reader){.start = start, .end = end, .text = text, .context = b, .failed = &b->failed};
  return cq_zip_parse(b->zip, path, &b->reader, b->error);
}

static void XMLCALL no_end(void *context, const char *name) {
  (void)context, (void)name;
}

/* "xl/" + "../x/sheet1.xml" → "x/sheet1.xml"; a target that begins with a slash stands by itself. */
static cq_str resolve(book *b, cq_str folder, const char *target) {
  cq_buf path = {0};
  if (*target != '/' && *target != '\\') cq_buf_add_str(&path, folder);
  for (const char *at = target; *at;) {
    size_t size = strcspn(at, "/\\");
    if (size == 2 && at[0] == '.' && at[1] == '.') {
      while (path.size && path.at[path.size - 1] == '/') path.size--;
      while (path.size && path.at[path.size - 1] != '/') path.size--;
    } else if (size > 0 && !(size == 1 && at[0] == '.')) {
      cq_buf_add(&path, at, size);
      if (at[size]) cq_buf_add_char(&path, '/');
    }
    at += size + (at[size] ? 1 : 0);
  }
  cq_str kept = cq_arena_copy(b->arena, cq_buf_str(&path));
  cq_buf_fini(&path);
  return kept;
}

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), z = strlen(end);
  return a >= z && strcmp(text + a - z, end) == 0;
}

static void XMLCALL root_relation(void *context, const char *name, const char **attributes) {
  book *b = context;
  if (strcmp(cq_xml_local(name), "Relationship") != 0) return;
  const char *type = cq_xml_attribute(attributes, "Type"), *target = cq_xml_attribute(attributes, "Target");
  if (type && target && ends_with(type, "/officeDocument")) b->main = resolve(b, (cq_str){"", 0}, target);
}

static void XMLCALL book_relation(void *context, const char *name, const char **attributes) {
  book *b = context;
  if (strcmp(cq_xml_local(name), "Relationship") != 0) return;
  const char *type = cq_xml_attribute(attributes, "Type"), *target = cq_xml_attribute(attributes, "Target");
  const char *id = cq_xml_attribute(attributes, "Id");
  if (!type || !target || !id) return;
  cq_str path = resolve(b, b->folder, target);
  if (ends_with(type, "/sharedStrings")) b->strings_path = path;
  if (ends_with(type, "/styles")) b->styles_path = path;
  if (!ends_with(type, "/worksheet") || b->relation_count == 2 * CQ_XLSFORM_MAX_SHEETS) return;
  b->relations[b->relation_count++] = (relation){.id = cq_arena_copy(b->arena, cq_str_from(id)), .target = path};
}

/* The relationship's id is "r:id", whatever the prefix; "sheetId" is another thing. */
static const char *relation_id(const char **attributes) {
  for (; *attributes; attributes += 2) {
    if (strchr(attributes[0], ':') && strcmp(cq_xml_local(attributes[0]), "id") == 0) return attributes[1];
  }
  return NULL;
}

static void XMLCALL book_part(void *context, const char *name, const char **attributes) {
  book *b = context;
  name = cq_xml_local(name);
  if (strcmp(name, "workbookPr") == 0) {
    const char *from_1904 = cq_xml_attribute(attributes, "date1904");
    b->from_1904 = from_1904 && (strcmp(from_1904, "1") == 0 || strcmp(from_1904, "true") == 0);
  }
  if (strcmp(name, "sheet") != 0) return;
  const char *title = cq_xml_attribute(attributes, "name"), *id = relation_id(attributes);
  if (!title || !id) return;
  if (b->sheet_count == CQ_XLSFORM_MAX_SHEETS) {
    stop(b, cq_error_set(b->error, CQ_LIMIT, "xlsform.limit.sheets", NULL));
    return;
  }
  b->names[b->sheet_count] = cq_str_trim(cq_arena_copy(b->arena, cq_str_from(title)));
  b->ids[b->sheet_count++] = cq_arena_copy(b->arena, cq_str_from(id));
}

/* --- shared strings --- */
static void XMLCALL string_start(void *context, const char *name, const char **attributes) {
  (void)attributes;
  book *b = context;
  name = cq_xml_local(name);
  if (strcmp(name, "t") == 0) b->in_value = !b->phonetic;
  if (strcmp(name, "rPh") == 0) b->phonetic = true; /* how to pronounce it */
}

static void XMLCALL string_end(void *context, const char *name) {
  book *b = context;
  name = cq_xml_local(name);
  if (strcmp(name, "t") == 0) b->in_value = false;
  if (strcmp(name, "rPh") == 0) b->phonetic = false;
  if (strcmp(name, "si") != 0) return;
  if (b->string_count == b->string_room) {
    size_t room = b->string_room ? 2 * b->string_room : 1024;
    size_t *ends = room > CQ_XLSFORM_MAX_CELLS * 2 ? NULL : realloc(b->ends, room * sizeof *ends);
    if (!ends) {
      stop(b, cq_error_set(b->error, CQ_LIMIT, "xlsform.limit.cells", NULL));
      return;
    }
    b->ends = ends;
    b->string_room = room;
  }
  b->ends[b->string_count++] = b->pool.size;
  if (b->pool.failed) stop(b, cq_error_nomem(b->error));
}

static void XMLCALL string_text(void *context, const char *at, int size) {
  book *b = context;
  if (b->in_value) cq_buf_add(&b->pool, at, (size_t)size);
}

/* --- a sheet --- */

/* "BC12" → column 54; false where it is no reference. */
static bool reference(const char *text, int64_t *column, uint32_t *row) {
  int64_t c = 0, r = 0;
  for (; *text >= 'A' && *text <= 'Z' && c < CQ_XLSFORM_MAX_COLUMNS; text++) c = 26 * c + (*text - 'A' + 1);
  for (; *text >= '0' && *text <= '9' && r <= CQ_XLSFORM_MAX_ROWS; text++) r = 10 * r + (*text - '0');
  if (c == 0 || r == 0 || *text) return false;
  *column = c - 1;
  *row = (uint32_t)r;
  return true;
}

static void begin_cell(book *b, const char **attributes) {
  int64_t column = 0;
  uint32_t row = 0;
  const char *place = cq_xml_attribute(attributes, "r"), *type = cq_xml_attribute(attributes, "t");
  b->column = place && reference(place, &column, &row) ? column : b->column + 1;
  b->type = type ? (char)(strcmp(type, "str") == 0 ? 't' : *type) : 'n';
  const char *style = cq_xml_attribute(attributes, "s");
  if (!style || !cq_str_int64(cq_str_from(style), &b->style)) b->style = -1;
  cq_buf_reset(&b->text);
}

static void XMLCALL cell_start(void *context, const char *name, const char **attributes) {
  book *b = context;
  name = cq_xml_local(name);
  if (strcmp(name, "c") == 0) {
    begin_cell(b, attributes);
  } else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
    b->in_value = !b->phonetic;
  } else if (strcmp(name, "rPh") == 0) {
    b->phonetic = true;
  } else if (strcmp(name, "row") == 0) {
    const char *number = cq_xml_attribute(attributes, "r");
    int64_t row = 0;
    if (number && cq_str_int64(cq_str_from(number), &row) && row > 0 && row <= CQ_XLSFORM_MAX_ROWS) {
      b->row = (uint32_t)row;
    } else {
      b->row++;
    }
    b->column = -1;
    cq_status status = cq_cells_row(b->cells, b->row, b->error);
    if (status != CQ_OK) stop(b, status);
  }
}

/* "_x000D_" is how a control character is written in a cell. */
static void unescape(cq_buf *text) {
  if (!text->at || !strstr(text->at, "_x")) return;
  cq_buf out = {0};
  for (size_t i = 0; i < text->size; i++) {
    unsigned char code[2];
    const char *at = text->at + i;
    if (text->size - i >= 7 && at[0] == '_' && at[1] == 'x' && at[6] == '_' &&
        cq_hex_decode((cq_str){at + 2, 4}, code, 2)) {
      cq_buf_add_code_point(&out, (uint32_t)(code[0] << 8 | code[1]));
      i += 6;
    } else {
      cq_buf_add_char(&out, *at);
    }
  }
  cq_buf_fini(text);
  *text = out;
}

static cq_str shared(const book *b, int64_t index) {
  if (index < 0 || (uint64_t)index >= b->string_count) return (cq_str){"", 0};
  size_t from = index ? b->ends[index - 1] : 0;
  return (cq_str){b->pool.at + from, b->ends[index] - from};
}

static void number_text(book *b) {
  char *end = NULL;
  double value = strtod(b->text.at, &end);
  if (end == b->text.at || *end) return; /* no number after all: as it stands */
  cq_buf_reset(&b->text);
  if (cq_styles_date(&b->styles, b->style)) {
    cq_cells_add_date(&b->text, value, b->from_1904);
  } else {
    cq_cells_add_number(&b->text, value);
  }
}

static void end_cell(book *b) {
  if (b->text.size == 0) return;
  int64_t index = 0;
  switch (b->type) {
  case 's': {
    cq_str text = cq_str_int64(cq_str_trim(cq_buf_str(&b->text)), &index) ? shared(b, index) : (cq_str){"", 0};
    cq_buf_reset(&b->text);
    cq_buf_add_str(&b->text, text);
    unescape(&b->text);
    break;
  }
  case 'i':
  case 't': unescape(&b->text); break;
  case 'b': {
    bool yes = b->text.at[0] == '1' || b->text.at[0] == 't';
    cq_buf_reset(&b->text);
    cq_buf_add_text(&b->text, yes ? "TRUE" : "FALSE");
    break;
  }
  case 'e': return; /* #REF! and its kin say nothing to a form */
  case 'n': number_text(b); break;
  default: break; /* 'd': a date as text already */
  }
  cq_status status = b->text.failed ? cq_error_nomem(b->error)
                                    : cq_cells_add(b->cells, (uint32_t)b->column, cq_buf_str(&b->text), b->error);
  if (status != CQ_OK) stop(b, status);
}

static void XMLCALL cell_end(void *context, const char *name) {
  book *b = context;
  name = cq_xml_local(name);
  if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
    b->in_value = false;
  } else if (strcmp(name, "rPh") == 0) {
    b->phonetic = false;
  } else if (strcmp(name, "c") == 0) {
    end_cell(b);
  }
}

static void XMLCALL cell_text(void *context, const char *at, int size) {
  book *b = context;
  if (!b->in_value) return;
  if (b->text.size + (size_t)size > CQ_XLSFORM_MAX_CELL) {
    stop(b, cq_error_set(b->error, CQ_LIMIT, "xlsform.limit.cell", NULL));
    return;
  }
  cq_buf_add(&b->text, at, (size_t)size);
}

static cq_status read_sheet(book *b, size_t index) {
  for (size_t i = 0; i < b->relation_count; i++) {
    if (!cq_str_equal(b->relations[i].id, b->ids[index])) continue;
    b->row = 0;
    b->in_value = b->phonetic = false;
    cq_status status = parse(b, b->relations[i].target, cell_start, cell_end, cell_text);
    if (status != CQ_OK) return status;
    break;
  }
  return cq_cells_end(b->cells, b->error); /* a chart sheet has no cells */
}

static cq_status read_book(book *b, cq_sheet_wanted *wanted) {
  b->main = CQ_STR("xl/workbook.xml");
  cq_status status = parse(b, CQ_STR("_rels/.rels"), root_relation, no_end, NULL);
  if (status == CQ_OK || status == CQ_NOTFOUND) status = parse(b, b->main, book_part, no_end, NULL);
  if (status != CQ_OK)
    return status == CQ_NOTFOUND ? cq_error_set(b->error, CQ_INVALID, "xlsx.notworkbook", NULL) : status;
  size_t slash = b->main.size;
  while (slash > 0 && b->main.at[slash - 1] != '/') slash--;
  b->folder = (cq_str){b->main.at, slash};
  cq_buf path = {0};
  cq_buf_addf(&path, "%.*s_rels/%.*s.rels", (int)slash, b->main.at, (int)(b->main.size - slash), b->main.at + slash);
  status = parse(b, cq_buf_str(&path), book_relation, no_end, NULL);
  cq_buf_fini(&path);
  if (status == CQ_OK && b->styles_path.size) status = cq_styles_read(&b->styles, b->zip, b->styles_path, b->error);
  if (status == CQ_NOTFOUND) status = CQ_OK; /* a workbook without styles shows plain numbers */
  if (status == CQ_OK && b->strings_path.size) {
    b->in_value = b->phonetic = false;
    status = parse(b, b->strings_path, string_start, string_end, string_text);
    if (status == CQ_NOTFOUND) status = CQ_OK;
  }
  for (size_t i = 0; status == CQ_OK && i < b->sheet_count; i++) {
    status = cq_cells_sheet(b->cells, b->names[i], b->error);
    if (status == CQ_OK && (b->sheet_count == 1 || wanted(b->names[i]))) status = read_sheet(b, i);
  }
  return status == CQ_NOTFOUND ? cq_error_set(b->error, CQ_INVALID, "xlsx.damaged", NULL) : status;
}

cq_status cq_xlsx_read(cq_cells *cells, const void *bytes, size_t size, cq_sheet_wanted *wanted, cq_error *error) {
  book *b = calloc(1, sizeof *b);
  if (!b) return cq_error_nomem(error);
  b->cells = cells;
  b->error = error;
  b->arena = cells->book->arena;
  cq_status status = cq_zip_open(&b->zip, bytes, size, error);
  if (status == CQ_OK) status = read_book(b, wanted);
  if (status == CQ_OK && error) cq_error_clear(error); /* of a part that could be done without */
  cq_zip_free(b->zip);
  cq_styles_fini(&b->styles);
  cq_buf_fini(&b->pool);
  cq_buf_fini(&b->text);
  free(b->ends);
  free(b);
  return status;
}
