/* SPDX-License-Identifier: Apache-2.0 */
/* A table that somebody typed, added anew. */
#include "central/tables/programme/check.h"
#include "central/tables/programme/crosstab.h"
#include "chasqui/cli.h"
#include "chasqui/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 2000, MAX_COLUMNS = 200 };

typedef enum kind { BLANK, DASH, NUMBER, SHARE, WORDS } kind;

typedef struct typed_cell {
  cq_str text;
  int64_t value; /* hundredths */
  kind kind;
} typed_cell;

typedef struct typed {
  cq_arena *arena;
  cq_findings *findings;
  cq_str name;
  size_t rows, columns; /* the first row and column hold heads and labels */
  typed_cell *at;
  bool part[MAX_COLUMNS];
} typed;

static typed_cell *cell(const typed *t, size_t row, size_t column) {
  return &t->at[row * t->columns + column];
}

/* "S/ 1,234.50", "1 311", "98.35 %", "−3". Grouping must be by threes, so that a decimal comma is not taken for it. */
static kind read_cell(cq_str text, int64_t *value) {
  char digits[40];
  size_t size = 0, group = 0;
  bool grouped = false, point = false, share = false;
  text = cq_str_trim(text);
  if (!text.size) return BLANK;
  if (cq_str_is(text, "-") || cq_str_is(text, "–") || cq_str_is(text, "—")) return DASH;
  if (cq_str_starts(text, CQ_STR("S/"))) text = cq_str_trim((cq_str){text.at + 2, text.size - 2});
  if (cq_str_starts(text, CQ_STR("USD"))) text = cq_str_trim((cq_str){text.at + 3, text.size - 3});
  if (text.size && text.at[text.size - 1] == '%') {
    share = true;
    text = cq_str_trim((cq_str){text.at, text.size - 1});
  }
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (size + 1 >= sizeof digits) return WORDS;
    if (c >= '0' && c <= '9') {
      digits[size++] = c;
      group++;
    } else if ((c == ',' || c == ' ') && size && !point && (!grouped || group == 3)) {
      grouped = true;
      group = 0;
    } else if (c == '.' && !point && (!grouped || group == 3)) {
      digits[size++] = c;
      point = true;
    } else if (c == '-' && i == 0) {
      digits[size++] = c;
    } else {
      return WORDS;
    }
  }
  if (grouped && !point && group != 3) return WORDS;
  if (!cq_amount_parse((cq_str){digits, size}, value)) return WORDS;
  return share ? SHARE : NUMBER;
}

static bool is_total(cq_str text) {
  static const char total[] = "total";
  text = cq_str_trim(text);
  if (text.size < sizeof total - 1) return false;
  for (size_t i = 0; i < sizeof total - 1; i++)
    if ((text.at[i] | 0x20) != total[i]) return false;
  return true;
}

static bool has_percent(cq_str text) {
  return text.size && memchr(text.at, '%', text.size);
}

static cq_status read_all(typed *t, cq_str csv, cq_error *error) {
  cq_csv *rows = cq_csv_new(csv, 0);
  cq_status status = rows ? CQ_OK : cq_error_nomem(error);
  while (status == CQ_OK) {
    const cq_str *fields;
    size_t count;
    if ((status = cq_csv_next(rows, &fields, &count, error)) != CQ_OK || !count) break;
    if (!t->rows) {
      t->columns = count < MAX_COLUMNS ? count : MAX_COLUMNS;
      t->at = cq_arena_array(t->arena, MAX_ROWS * t->columns, sizeof *t->at);
      if (!t->at) status = cq_error_nomem(error);
    }
    if (status == CQ_OK && t->rows == MAX_ROWS) status = cq_error_set(error, CQ_LIMIT, "central.data.rows", NULL);
    for (size_t c = 0; status == CQ_OK && c < t->columns; c++) {
      typed_cell *to = cell(t, t->rows, c);
      to->text = c < count && fields[c].size ? cq_arena_copy(t->arena, cq_str_trim(fields[c])) : CQ_STR("");
      to->kind = read_cell(to->text, &to->value);
      if (!to->text.at) status = cq_error_nomem(error);
    }
    if (status == CQ_OK) t->rows++;
  }
  cq_csv_free(rows);
  if (status == CQ_OK && (t->rows < 2 || t->columns < 2))
    status = cq_error_set(error, CQ_INVALID, "tables.check.csv", NULL);
  return status;
}

static cq_status choose_parts(typed *t, const char *parts, cq_error *error) {
  cq_str rest = cq_str_from(parts);
  for (size_t c = 1; c < t->columns; c++)
    t->part[c] = !parts && !is_total(cell(t, 0, c)->text) && !has_percent(cell(t, 0, c)->text);
  while (parts && rest.at) {
    size_t end = 0, c = 1;
    while (end < rest.size && rest.at[end] != ',') end++;
    cq_str name = cq_str_trim((cq_str){rest.at, end});
    while (c < t->columns && !cq_str_equal(cell(t, 0, c)->text, name)) c++;
    if (c == t->columns) {
      char text[96];
      snprintf(text, sizeof text, "%.*s", (int)(name.size < 95 ? name.size : 95), name.size ? name.at : "");
      return cq_error_set(error, CQ_INVALID, "central.data.column", text, NULL);
    }
    t->part[c] = true;
    rest = end < rest.size ? (cq_str){rest.at + end + 1, rest.size - end - 1} : (cq_str){NULL, 0};
  }
  return CQ_OK;
}

static void add_value(cq_buf *out, int64_t value) {
  cq_crosstab plain = {.sums = value % 100 != 0};
  cq_tab_figure figure = {.count = value / 100, .amount = value};
  cq_buf text = {0};
  if (value < 0 && !plain.sums) cq_buf_add_char(out, '-');
  if (!plain.sums && value < 0) figure.count = -figure.count;
  cq_tab_figure_text(&plain, &figure, &text);
  cq_buf_add_str(out, cq_buf_str(&text));
  cq_buf_fini(&text);
}

static cq_status tell(typed *t, const cq_buf *what, cq_str row, cq_str column, const char *next, cq_error *error) {
  cq_buf where = {0};
  cq_buf_add_str(&where, t->name);
  if (row.size) cq_buf_addf(&where, _(", row “%.*s”"), (int)row.size, row.at);
  if (column.size) cq_buf_addf(&where, _(", column “%.*s”"), (int)column.size, column.at);
  cq_status status = where.failed || what->failed
                         ? cq_error_nomem(error)
                         : cq_finding_add(t->findings, t->name, CQ_STR(""), what, cq_buf_str(&where), next, error);
  cq_buf_fini(&where);
  return status;
}

static cq_status tell_sum(typed *t, int64_t says, int64_t adds, cq_str row, cq_str column, cq_error *error) {
  cq_buf what = {0};
  cq_buf_add_text(&what, _("A total is not the sum of its parts: it says "));
  add_value(&what, says);
  cq_buf_add_text(&what, _(", and they add to "));
  add_value(&what, adds);
  cq_buf_add_char(&what, '.');
  cq_status status =
      tell(t, &what, row, column, _("Find the part that is missing or doubled; never correct the total alone."), error);
  cq_buf_fini(&what);
  return status;
}

/* A total of the row (`across`) or column `line`; it holds where no part is missing. */
static cq_status add_line(typed *t, size_t line, bool across, cq_error *error) {
  size_t length = across ? t->columns : t->rows;
  for (size_t at = 1; at < length; at++) {
    const typed_cell *total = across ? cell(t, line, at) : cell(t, at, line);
    if (!is_total(across ? cell(t, 0, at)->text : cell(t, at, 0)->text) || total->kind != NUMBER) continue;
    if (!across && has_percent(cell(t, 0, line)->text)) return CQ_OK; /* shares are not added */
    int64_t sum = 0;
    size_t parts = 0;
    for (size_t i = 1; i < length; i++) {
      const typed_cell *one = across ? cell(t, line, i) : cell(t, i, line);
      if (across ? !t->part[i] : is_total(cell(t, i, 0)->text)) continue;
      if (one->kind != NUMBER) continue;
      sum += one->value;
      parts++;
    }
    if (parts < 2 || sum == total->value) continue;
    cq_status status = across ? tell_sum(t, total->value, sum, cell(t, line, 0)->text, cell(t, 0, at)->text, error)
                              : tell_sum(t, total->value, sum, cell(t, at, 0)->text, cell(t, 0, line)->text, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

/* A column that says in every row what the total says. */
static cq_status repeats(typed *t, size_t column, cq_error *error) {
  size_t total = 1, same = 0;
  while (total < t->columns && !is_total(cell(t, 0, total)->text)) total++;
  if (total == t->columns || column == total) return CQ_OK;
  for (size_t r = 1; r < t->rows; r++) {
    const typed_cell *a = cell(t, r, column), *b = cell(t, r, total);
    if (a->kind != NUMBER || b->kind != NUMBER || a->value != b->value) return CQ_OK;
    same++;
  }
  if (same < 2) return CQ_OK;
  cq_buf what = {0};
  cq_buf_add_text(&what,
                  _("The column says in every row what the total says: it tells nothing, and may have been filled "
                    "by default."));
  cq_status status = tell(t, &what, CQ_STR(""), cell(t, 0, column)->text,
                          _("Ask how it was collected; leave it out if it was not asked."), error);
  cq_buf_fini(&what);
  return status;
}

static cq_status shares(typed *t, cq_error *error) {
  for (size_t r = 1; r < t->rows; r++)
    for (size_t c = 1; c < t->columns; c++) {
      const typed_cell *one = cell(t, r, c);
      bool share = one->kind == SHARE || (one->kind == NUMBER && has_percent(cell(t, 0, c)->text));
      if (!share || one->value <= 10000) continue;
      cq_buf what = {0};
      cq_buf_addf(&what, _("A share is above 100 %%: %.*s."), (int)one->text.size, one->text.at);
      cq_status status = tell(t, &what, cell(t, r, 0)->text, cell(t, 0, c)->text,
                              _("Check that both figures are about the same thing and the same months."), error);
      cq_buf_fini(&what);
      if (status != CQ_OK) return status;
    }
  return CQ_OK;
}

/* 0, a dash and a blank in one table: nobody can tell which of them is a nought. */
static cq_status marks(typed *t, cq_error *error) {
  size_t noughts = 0, dashes = 0, blanks = 0;
  for (size_t r = 1; r < t->rows; r++)
    for (size_t c = 1; c < t->columns; c++) {
      const typed_cell *one = cell(t, r, c);
      noughts += one->kind == NUMBER && one->value == 0;
      dashes += one->kind == DASH;
      blanks += one->kind == BLANK;
    }
  if ((noughts > 0) + (dashes > 0) + (blanks > 0) < 2) return CQ_OK;
  cq_buf what = {0};
  cq_buf_addf(&what, _("Several marks stand for nothing: 0 (%zu), a dash (%zu), a blank (%zu)."), noughts, dashes,
              blanks);
  cq_status status = tell(t, &what, CQ_STR(""), CQ_STR(""),
                          _("Say which are true noughts, which are not known, and which do not apply."), error);
  cq_buf_fini(&what);
  return status;
}

cq_status cq_check_typed(cq_findings *findings, cq_str csv, cq_str name, const char *parts, cq_error *error) {
  typed *t = calloc(1, sizeof *t);
  if (!t) return cq_error_nomem(error);
  t->findings = findings;
  t->name = name;
  cq_status status = (t->arena = cq_arena_new(0)) ? read_all(t, csv, error) : cq_error_nomem(error);
  if (status == CQ_OK) status = choose_parts(t, parts, error);
  for (size_t r = 1; status == CQ_OK && r < t->rows; r++) status = add_line(t, r, true, error);
  for (size_t c = 1; status == CQ_OK && c < t->columns; c++) status = add_line(t, c, false, error);
  for (size_t c = 1; status == CQ_OK && c < t->columns; c++) status = repeats(t, c, error);
  if (status == CQ_OK) status = shares(t, error);
  if (status == CQ_OK) status = marks(t, error);
  findings->checks++;
  cq_arena_free(t->arena);
  free(t);
  return status;
}
