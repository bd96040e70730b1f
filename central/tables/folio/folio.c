/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/folio/folio.h"

#include "chasqui/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  MAX_CELL = 32767 / 4 /* code points are what Excel counts; four bytes is the longest of them */,
  A4 = 9,
  LINE = 15 /* points */
};

static bool add_formats(cq_folio *b) {
  lxw_format **const all[] = {&b->title, &b->bold, &b->head, &b->number_head, &b->right, &b->note, &b->wrap, &b->label};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!(*all[i] = workbook_add_format(b->workbook))) return false;
  format_set_bold(b->title);
  format_set_font_size(b->title, 14);
  format_set_bold(b->bold);
  lxw_format *const heads[] = {b->head, b->number_head};
  for (size_t i = 0; i < 2; i++) {
    format_set_bold(heads[i]);
    format_set_text_wrap(heads[i]);
    format_set_align(heads[i], LXW_ALIGN_VERTICAL_BOTTOM);
    format_set_bottom(heads[i], LXW_BORDER_THIN);
  }
  format_set_align(b->number_head, LXW_ALIGN_RIGHT);
  format_set_align(b->right, LXW_ALIGN_RIGHT);
  format_set_align(b->right, LXW_ALIGN_VERTICAL_TOP);
  format_set_font_color(b->note, 0x444444);
  format_set_text_wrap(b->wrap);
  format_set_align(b->wrap, LXW_ALIGN_VERTICAL_TOP);
  format_set_text_wrap(b->label);
  format_set_align(b->label, LXW_ALIGN_VERTICAL_BOTTOM);
  format_set_font_color(b->label, 0x444444);
  return true;
}

cq_status cq_folio_begin(cq_folio *b, const char *path, bool practice, cq_error *error) {
  *b = (cq_folio){.path = path, .practice = practice};
  cq_buf_add_text(&b->part, path);
  cq_buf_add_text(&b->part, ".part");
  FILE *file = b->part.failed ? NULL : fopen(b->part.at, "wb"); /* the library would say it in words of its own */
  if (!b->part.failed && !file) return cq_error_io(error, "io.create", path, errno);
  if (file) fclose(file);
  if (b->part.failed || !(b->workbook = workbook_new(b->part.at)) || !add_formats(b)) return cq_error_nomem(error);
  return CQ_OK;
}

cq_status cq_folio_sheet(cq_folio *b, const char *name, lxw_worksheet **sheet, cq_error *error) {
  if (!(*sheet = workbook_add_worksheet(b->workbook, name)))
    return cq_error_set(error, CQ_INVALID, "desk.form.sheet", name, NULL);
  worksheet_set_landscape(*sheet);
  worksheet_set_paper(*sheet, A4);
  worksheet_fit_to_pages(*sheet, 1, 0);
  worksheet_set_footer(*sheet, "&L&A&R&P / &N");
  if (b->practice) {
    char head[LXW_HEADER_FOOTER_MAX];
    snprintf(head, sizeof head, "&C%s", _("*** PRACTICE: nothing here is real data ***"));
    worksheet_set_header(*sheet, head);
  }
  return CQ_OK;
}

cq_status cq_folio_end(cq_folio *b, cq_status status, cq_error *error) {
  lxw_error code = b->workbook ? workbook_close(b->workbook) : LXW_NO_ERROR;
  if (status == CQ_OK && code != LXW_NO_ERROR)
    status = cq_error_set(error, CQ_IO, "io.write", b->path, lxw_strerror(code), NULL);
  if (status == CQ_OK && rename(b->part.at, b->path) != 0) status = cq_error_io(error, "io.rename", b->path, errno);
  if (status != CQ_OK && b->workbook) unlink(b->part.at);
  cq_buf_fini(&b->part);
  return status;
}

bool cq_folio_put(lxw_worksheet *sheet, size_t row, size_t column, cq_str text, lxw_format *format) {
  char *cell = malloc(text.size + 1);
  size_t size = text.size;
  if (!cell) return true;
  if (size > MAX_CELL)
    for (size = MAX_CELL; size && ((unsigned char)text.at[size] & 0xC0) == 0x80;) size--;
  if (size) memcpy(cell, text.at, size);
  cell[size] = '\0';
  worksheet_write_string(sheet, (lxw_row_t)row, (lxw_col_t)column, cell, format);
  free(cell);
  return size < text.size;
}

size_t cq_folio_rows(cq_str text, double width) {
  size_t lines = 1, column = 0, most = width > 2 ? (size_t)width - 1 : 1;
  for (size_t from = 0; from < text.size;) {
    size_t to = from;
    while (to < text.size && text.at[to] != ' ') to++;
    size_t word = cq_utf8_length((cq_str){text.at + from, to - from});
    if (column && column + 1 + word > most) {
      lines++;
      column = 0;
    }
    column += word + (column > 0);
    lines += (column - (column > 0)) / most; /* a word longer than the column */
    column = column > most ? (column - 1) % most + 1 : column;
    from = to + 1;
  }
  return lines;
}

void cq_folio_height(lxw_worksheet *sheet, size_t row, size_t lines) {
  if (lines > 1) worksheet_set_row(sheet, (lxw_row_t)row, LINE * (double)lines, NULL);
}

lxw_row_t cq_folio_title(const cq_folio *b, lxw_worksheet *sheet, cq_str programme, cq_str title, cq_str about) {
  lxw_row_t row = 0;
  if (title.size) cq_folio_put(sheet, row++, 0, title, b->title);
  if (programme.size) cq_folio_put(sheet, row++, 0, programme, b->bold);
  if (about.size) cq_folio_put(sheet, row++, 0, about, NULL);
  if (b->practice)
    cq_folio_put(sheet, row++, 0, cq_str_from(_("*** PRACTICE: nothing here is real data ***")), b->bold);
  return row + 1;
}

lxw_row_t cq_folio_lines(const cq_folio *b, lxw_worksheet *sheet, lxw_row_t row, cq_str lines) {
  for (size_t from = 0; from < lines.size;) {
    size_t to = from;
    while (to < lines.size && lines.at[to] != '\n') to++;
    cq_folio_put(sheet, row++, 0, (cq_str){lines.at + from, to - from}, b->note);
    from = to + 1;
  }
  return row;
}

void cq_folio_heads(lxw_worksheet *sheet, lxw_row_t row, size_t columns) {
  worksheet_freeze_panes(sheet, row + 1, (lxw_col_t)columns);
  worksheet_repeat_rows(sheet, row, row);
}
