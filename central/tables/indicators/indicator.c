/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/indicator.h"

#include "central/tables/survey/data.h"
#include "chasqui/clock.h"
#include "chasqui/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  ID,
  VERSION,
  FROM,
  LABEL,
  KIND,
  DATASET,
  FORM,
  ROWS,
  SEASON,
  NUMERATOR,
  DENOMINATOR,
  FILTER,
  UNIT,
  BY,
  SOURCE,
  PRECISION,
  RECALL,
  MONEY,
  DECIMALS,
  THRESHOLD,
  BASIS,
  COLUMNS
};
static const char *const columns[COLUMNS] = {
    "id",     "version",   "from",      "label::es",   "kind",     "dataset",   "form",
    "rows",   "season",    "numerator", "denominator", "filter",   "unit",      "disaggregations",
    "source", "precision", "recall",    "money",       "decimals", "threshold", "basis"};
static const char *const kinds[] = {"mean", "total", "proportion", "ratio"}; /* as cq_estimate_kind */
static const char *const sources[CQ_SOURCES] = {"registro", "recuerdo", "reconstruido"};

const char *cq_source_name(cq_source source) {
  return source < CQ_SOURCES ? sources[source] : NULL;
}

/* --- nearest names --- */

enum { NEAREST_MAX = 64 };

/* Levenshtein's distance of bytes, where two neighbours that changed places are one slip. */
static size_t distance(cq_str a, cq_str b) {
  size_t rows[3][NEAREST_MAX + 1];
  for (size_t j = 0; j <= b.size; j++) rows[0][j] = j;
  for (size_t i = 1; i <= a.size; i++) {
    const size_t *above = rows[(i - 1) % 3], *twice_above = rows[(i + 1) % 3];
    size_t *row = rows[i % 3];
    row[0] = i;
    for (size_t j = 1; j <= b.size; j++) {
      size_t least = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);
      if (above[j] + 1 < least) least = above[j] + 1;
      if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
      if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] && twice_above[j - 2] + 1 < least)
        least = twice_above[j - 2] + 1;
      row[j] = least;
    }
  }
  return rows[a.size % 3][b.size];
}

cq_str cq_name_nearest(cq_str found, const cq_str *names, size_t count) {
  cq_str best = CQ_STR("");
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < count && found.size <= NEAREST_MAX; i++) {
    if (!names[i].size || names[i].size > NEAREST_MAX) continue;
    size_t longest = names[i].size > found.size ? names[i].size : found.size, far = distance(found, names[i]);
    if (far * 3 > longest || far >= least) continue;
    least = far;
    best = names[i];
  }
  return best;
}

/* --- reading --- */

typedef struct reader {
  cq_indicators *to;
  const cq_indicator_field *fields;
  size_t field_count, capacity;
  size_t at[COLUMNS];                       /* place in the file; SIZE_MAX: not there */
  size_t label_at[CQ_INDICATOR_MAX_LABELS]; /* of each label::xx */
  cq_str label_language[CQ_INDICATOR_MAX_LABELS];
  size_t label_count;
  const cq_str *cells;
  size_t cell_count;
  int64_t line;
  cq_error *error;
} reader;

static void cut(char out[CQ_ERROR_ARG_SIZE], cq_str text) {
  size_t size = text.size < CQ_ERROR_ARG_SIZE - 1 ? text.size : CQ_ERROR_ARG_SIZE - 1;
  while (size && size < text.size && ((unsigned char)text.at[size] & 0xC0) == 0x80) size--;
  if (size) memcpy(out, text.at, size);
  out[size] = '\0';
}

/* "C14" of column 2 (from 0) and line 14. */
static void cell_name(char out[32], size_t column, int64_t line) {
  char letters[8];
  size_t count = 0;
  for (size_t c = column + 1; c && count < sizeof letters; c = (c - 1) / 26)
    letters[count++] = (char)('A' + (c - 1) % 26);
  size_t at = 0;
  while (count) out[at++] = letters[--count];
  snprintf(out + at, 32 - at, "%lld", (long long)line);
}

static void fault_at(reader *r, size_t place, const char *code, cq_str found, cq_str nearest) {
  char cell[32], what[CQ_ERROR_ARG_SIZE], near[CQ_ERROR_ARG_SIZE];
  if (r->to->fault_count == CQ_INDICATOR_MAX_FAULTS) return;
  cq_error *e = &r->to->faults[r->to->fault_count++];
  cell_name(cell, place == SIZE_MAX ? 0 : place, r->line);
  cut(what, found);
  cut(near, nearest);
  cq_error_set(e, CQ_INVALID, code, cell, what, near, NULL);
  cq_error_at_cell(e, "", r->line, place == SIZE_MAX ? 0 : (int64_t)place + 1);
}

static cq_str cell(const reader *r, size_t column) {
  return r->at[column] < r->cell_count ? cq_str_trim(r->cells[r->at[column]]) : CQ_STR("");
}

static void fault(reader *r, size_t column, const char *code, cq_str nearest) {
  fault_at(r, r->at[column], code, cell(r, column), nearest);
}

static cq_status read_header(reader *r, const cq_str *cells, size_t count) {
  cq_str known[COLUMNS];
  for (size_t k = 0; k < COLUMNS; k++) {
    known[k] = cq_str_from(columns[k]);
    r->at[k] = SIZE_MAX;
  }
  for (size_t c = 0; c < count; c++) {
    cq_str name = cq_str_trim(cells[c]);
    size_t k = 0;
    if (!name.size) continue;
    if (cq_str_starts(name, CQ_STR("label::")) && r->label_count < CQ_INDICATOR_MAX_LABELS) {
      r->label_at[r->label_count] = c;
      r->label_language[r->label_count] = cq_arena_copy(r->to->arena, (cq_str){name.at + 7, name.size - 7});
      if (!r->label_language[r->label_count++].at) return cq_error_nomem(r->error);
      if (r->at[LABEL] == SIZE_MAX) r->at[LABEL] = c;
      continue;
    }
    while (k < COLUMNS && !cq_str_equal(known[k], name)) k++;
    if (k < COLUMNS && r->at[k] == SIZE_MAX)
      r->at[k] = c;
    else
      fault_at(r, c, k < COLUMNS ? "indicator.column.twice" : "indicator.column", name,
               cq_name_nearest(name, known, COLUMNS));
  }
  static const int needed[] = {ID, VERSION, FROM, LABEL, KIND, FORM, NUMERATOR, SOURCE};
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
    if (r->at[needed[i]] == SIZE_MAX) fault_at(r, SIZE_MAX, "indicator.column.lacking", known[needed[i]], CQ_STR(""));
  return CQ_OK;
}

static cq_str kept(reader *r, size_t column) {
  cq_str text = cell(r, column);
  return text.size ? cq_arena_copy(r->to->arena, text) : CQ_STR("");
}

/* The place of a cell's text in a list of words, or `count` with a fault. */
static size_t one_of(reader *r, size_t column, const char *const *words, size_t count, const char *code) {
  cq_str names[8], text = cell(r, column);
  for (size_t i = 0; i < count; i++) {
    if (cq_str_is(text, words[i])) return i;
    names[i] = cq_str_from(words[i]);
  }
  fault(r, column, code, cq_name_nearest(text, names, count));
  return count;
}

static bool id_right(cq_str id) {
  bool right = id.size >= 1 && id.size <= 32 && id.at[0] >= 'a' && id.at[0] <= 'z';
  for (size_t i = 0; right && i < id.size; i++)
    right = (id.at[i] >= 'a' && id.at[i] <= 'z') || (id.at[i] >= '0' && id.at[i] <= '9') || id.at[i] == '_';
  return right;
}

/* --- names of the forms --- */

static bool field_of(const cq_indicator_field *f, const cq_indicator *i) {
  return cq_str_equal(f->form, i->form) && (!f->rows.size || cq_str_equal(f->rows, i->rows));
}

/* A fault where no field of the form (or of its repeat) has this name; the nearest one is said. */
static void check_name(reader *r, const cq_indicator *i, size_t column, cq_str name) {
  size_t count = 0;
  if (!r->fields || cq_str_is(name, "threshold")) return;
  cq_str *names = calloc(r->field_count + 1, sizeof *names);
  if (!names) return;
  bool found = false;
  for (size_t f = 0; f < r->field_count && !found; f++) {
    if (!field_of(&r->fields[f], i)) continue;
    found = cq_str_equal(r->fields[f].name, name);
    names[count++] = r->fields[f].name;
  }
  if (!found && count) fault_at(r, r->at[column], "indicator.name", name, cq_name_nearest(name, names, count));
  free(names);
}

static void check_form(reader *r, const cq_indicator *i) {
  cq_str forms[256], rows[256];
  size_t form_count = 0, rows_count = 0;
  bool has_form = false, has_rows = !i->rows.size;
  for (size_t f = 0; f < r->field_count; f++) {
    has_form = has_form || cq_str_equal(r->fields[f].form, i->form);
    if (form_count < 256 && (!form_count || !cq_str_equal(forms[form_count - 1], r->fields[f].form)))
      forms[form_count++] = r->fields[f].form;
    if (!cq_str_equal(r->fields[f].form, i->form) || !r->fields[f].rows.size) continue;
    has_rows = has_rows || cq_str_equal(r->fields[f].rows, i->rows);
    if (rows_count < 256) rows[rows_count++] = r->fields[f].rows;
  }
  if (!r->fields) return;
  if (!has_form) fault(r, FORM, "indicator.form", cq_name_nearest(i->form, forms, form_count));
  if (has_form && !has_rows) fault(r, ROWS, "indicator.rows", cq_name_nearest(i->rows, rows, rows_count));
}

/* --- cells --- */

static cq_expression *expression(reader *r, const cq_indicator *i, size_t column, cq_status *status) {
  cq_expression *e = NULL;
  cq_error wrong;
  cq_error_clear(&wrong);
  if (!cell(r, column).size || *status != CQ_OK) return NULL;
  cq_status read = cq_expression_parse(&e, cell(r, column), r->to->arena, &wrong);
  if (read == CQ_NOMEM)
    *status = cq_error_nomem(r->error);
  else if (read != CQ_OK)
    fault_at(r, r->at[column], wrong.code, cq_str_from(wrong.argc ? wrong.arg[0] : ""), CQ_STR(""));
  for (size_t n = 0; e && n < cq_expression_names(e); n++) {
    check_name(r, i, column, cq_expression_name(e, n));
    if (cq_str_is(cq_expression_name(e, n), "threshold") && !i->has_threshold)
      fault(r, column, "indicator.threshold.none", CQ_STR(""));
  }
  return e;
}

static cq_str next_word(cq_str *rest) {
  *rest = cq_str_trim(*rest);
  size_t size = 0;
  while (size < rest->size && !strchr(" \t\r\n,;|", rest->at[size])) size++;
  cq_str word = {rest->at, size};
  if (size < rest->size) size++;
  *rest = (cq_str){rest->at + size, rest->size - size};
  return word;
}

static cq_str copied(reader *r, cq_str text) {
  return text.size ? cq_arena_copy(r->to->arena, text) : CQ_STR("");
}

static void read_season(reader *r, cq_indicator *i) {
  cq_str rest = cell(r, SEASON), first = next_word(&rest), second = next_word(&rest);
  i->once = cq_str_is(first, "once") && !second.size;
  if (i->once || !first.size) return;
  if (!second.size || cq_str_trim(rest).size) {
    fault(r, SEASON, "indicator.season", CQ_STR(""));
    return;
  }
  i->campaign = copied(r, first);
  i->season = copied(r, second);
  check_name(r, i, SEASON, i->campaign);
  check_name(r, i, SEASON, i->season);
}

static void read_numbers(reader *r, cq_indicator *i) {
  int64_t version = 0, decimals = i->kind == CQ_ESTIMATE_PROPORTION ? 1 : 2;
  cq_date from;
  if (!cq_str_int64(cell(r, VERSION), &version) || version < 1 || version > 1000000)
    fault(r, VERSION, "indicator.version", CQ_STR(""));
  i->version = (int32_t)version;
  if (cq_date_parse(cell(r, FROM), &from))
    i->from = cq_date_to_day(from);
  else
    fault(r, FROM, "indicator.from", CQ_STR(""));
  if (cell(r, DECIMALS).size && (!cq_str_int64(cell(r, DECIMALS), &decimals) || decimals < 0 || decimals > 6))
    fault(r, DECIMALS, "indicator.decimals", CQ_STR(""));
  i->decimals = (int)decimals;
  if (cell(r, THRESHOLD).size && !(i->has_threshold = cq_data_number(cell(r, THRESHOLD), &i->threshold)))
    fault(r, THRESHOLD, "indicator.number", CQ_STR(""));
}

static void read_words(reader *r, cq_indicator *i) {
  if (!id_right(i->id)) fault(r, ID, "indicator.id", CQ_STR(""));
  size_t kind = one_of(r, KIND, kinds, 4, "indicator.kind"),
         source = one_of(r, SOURCE, sources, CQ_SOURCES, "indicator.source");
  i->kind = kind < 4 ? (cq_estimate_kind)kind : CQ_ESTIMATE_MEAN;
  i->source = source < CQ_SOURCES ? (cq_source)source : CQ_SOURCE_REGISTERED;
  cq_str money = cell(r, MONEY);
  i->money = cq_str_is(money, "yes");
  if (money.size && !i->money && !cq_str_is(money, "no")) fault(r, MONEY, "indicator.money", CQ_STR(""));
  for (cq_str rest = cell(r, BY), name; (name = next_word(&rest)).size;) {
    if (i->by_count == CQ_INDICATOR_MAX_BY) {
      fault(r, BY, "indicator.by.many", CQ_STR(""));
      break;
    }
    i->by[i->by_count++] = copied(r, name);
  }
  for (size_t l = 0; l < r->label_count; l++) {
    cq_str label = r->label_at[l] < r->cell_count ? cq_str_trim(r->cells[r->label_at[l]]) : CQ_STR("");
    if (!label.size) continue;
    i->languages[i->label_count] = r->label_language[l];
    i->labels[i->label_count++] = copied(r, label);
  }
  if (!i->label_count) fault(r, LABEL, "indicator.label", CQ_STR(""));
}

/* The definition as text: header and cells in the order of `columns`, labels by their own heads. */
static cq_status canonical(reader *r, cq_indicator *i) {
  cq_buf text = {0};
  for (size_t k = 0; k < COLUMNS; k++)
    if (k != LABEL) cq_csv_add_field(&text, k == 0, cq_str_from(columns[k]), false);
  for (size_t l = 0; l < i->label_count; l++) {
    char head[64];
    snprintf(head, sizeof head, "label::%.*s", (int)(i->languages[l].size < 40 ? i->languages[l].size : 40),
             i->languages[l].at);
    cq_csv_add_field(&text, false, cq_str_from(head), false);
  }
  cq_csv_end_row(&text);
  for (size_t k = 0; k < COLUMNS; k++)
    if (k != LABEL) cq_csv_add_field(&text, k == 0, cell(r, k), false);
  for (size_t l = 0; l < i->label_count; l++) cq_csv_add_field(&text, false, i->labels[l], false);
  cq_csv_end_row(&text);
  i->text = text.failed ? CQ_STR("") : cq_arena_copy(r->to->arena, cq_buf_str(&text));
  cq_buf_fini(&text);
  return i->text.size ? CQ_OK : cq_error_nomem(r->error);
}

static cq_status read_row(reader *r, cq_indicator *i) {
  cq_status status = CQ_OK;
  for (size_t c = 0; c < r->cell_count; c++)
    if (r->cells[c].size > CQ_INDICATOR_MAX_CELL) {
      fault_at(r, c, "indicator.cell.long", CQ_STR(""), CQ_STR(""));
      return CQ_OK;
    }
  *i = (cq_indicator){.id = kept(r, ID),
                      .dataset = kept(r, DATASET),
                      .form = kept(r, FORM),
                      .rows = kept(r, ROWS),
                      .unit = kept(r, UNIT),
                      .precision = kept(r, PRECISION),
                      .recall = kept(r, RECALL),
                      .basis = kept(r, BASIS)};
  read_words(r, i);
  read_numbers(r, i);
  check_form(r, i);
  read_season(r, i);
  if (i->precision.size) check_name(r, i, PRECISION, i->precision);
  i->numerator = expression(r, i, NUMERATOR, &status);
  i->denominator = expression(r, i, DENOMINATOR, &status);
  i->filter = expression(r, i, FILTER, &status);
  if (!cell(r, NUMERATOR).size) fault(r, NUMERATOR, "indicator.numerator", CQ_STR(""));
  if (!cell(r, DENOMINATOR).size != (i->kind != CQ_ESTIMATE_RATIO))
    fault(r, DENOMINATOR, "indicator.denominator", CQ_STR(""));
  return status == CQ_OK ? canonical(r, i) : status;
}

/* What one row says of others: the same version twice, and the recall that it names. */
static void check_together(reader *r, const int64_t *lines, size_t first) {
  cq_indicators *all = r->to;
  cq_str names[CQ_INDICATOR_MAX_ROWS];
  for (size_t i = 0; i < all->count; i++) names[i] = all->items[i].id;
  for (size_t i = first; i < all->count; i++) {
    const cq_indicator *a = &all->items[i];
    bool found = !a->recall.size;
    r->line = lines[i];
    for (size_t j = 0; j < all->count; j++) {
      const cq_indicator *b = &all->items[j];
      if (j < i && a->version == b->version && cq_str_equal(a->id, b->id))
        fault_at(r, r->at[VERSION], "indicator.twice", a->id, CQ_STR(""));
      found = found || (i != j && cq_str_equal(a->recall, b->id) && b->source == CQ_SOURCE_RECALLED);
    }
    if (!found && r->fields)
      fault_at(r, r->at[RECALL], "indicator.recall", a->recall, cq_name_nearest(a->recall, names, all->count));
  }
}

static cq_status read_rows(reader *r, cq_csv *csv, cq_error *error) {
  int64_t *lines = calloc(CQ_INDICATOR_MAX_ROWS, sizeof *lines);
  size_t first = r->to->count;
  cq_status status = lines ? CQ_OK : cq_error_nomem(error);
  while (status == CQ_OK) {
    bool blank = true;
    if ((status = cq_csv_next(csv, &r->cells, &r->cell_count, error)) != CQ_OK || !r->cell_count) break;
    for (size_t c = 0; c < r->cell_count; c++) blank = blank && !cq_str_trim(r->cells[c]).size;
    if (blank) continue; /* spreadsheets leave rows of commas at the end */
    if (r->to->count == CQ_INDICATOR_MAX_ROWS) {
      status = cq_error_set(error, CQ_LIMIT, "indicator.many", NULL);
      break;
    }
    r->line = cq_csv_line(csv);
    lines[r->to->count] = r->line;
    status = read_row(r, &r->to->items[r->to->count++]);
  }
  if (status == CQ_OK) check_together(r, lines, first);
  free(lines);
  return status;
}

cq_status cq_indicators_read(cq_indicators *to, cq_str text, const cq_indicator_field *fields, size_t count,
                             cq_error *error) {
  reader r = {.to = to, .fields = fields, .field_count = count, .error = error, .line = 1};
  cq_csv *csv = cq_csv_new(text, 0);
  const cq_str *cells;
  size_t width = 0;
  if (!to->arena) to->arena = cq_arena_new(0);
  if (!to->items) to->items = calloc(CQ_INDICATOR_MAX_ROWS, sizeof *to->items);
  if (!to->faults) to->faults = calloc(CQ_INDICATOR_MAX_FAULTS, sizeof *to->faults);
  cq_status status = csv && to->arena && to->items && to->faults ? CQ_OK : cq_error_nomem(error);
  size_t faults = to->fault_count;
  if (status == CQ_OK) status = cq_csv_next(csv, &cells, &width, error);
  if (status == CQ_OK) status = read_header(&r, cells, width);
  /* without its columns every row would say the same again */
  if (status == CQ_OK && to->fault_count == faults) status = read_rows(&r, csv, error);
  cq_csv_free(csv);
  return status;
}

void cq_indicators_fini(cq_indicators *to) {
  cq_arena_free(to->arena);
  free(to->items);
  free(to->faults);
  memset(to, 0, sizeof *to);
}

const cq_indicator *cq_indicators_find(const cq_indicators *all, cq_str id, int32_t version, int32_t day) {
  const cq_indicator *found = NULL;
  for (size_t n = 0; n < all->count; n++) {
    const cq_indicator *i = &all->items[n];
    if (!cq_str_equal(i->id, id) || (version && i->version != version)) continue;
    bool counts = i->from <= day;
    if (!found || (counts && (found->from > day || i->version > found->version)) ||
        (!counts && found->from > day && i->version < found->version))
      found = i;
  }
  return found;
}

cq_str cq_indicator_label(const cq_indicator *i, cq_str language) {
  for (size_t l = 0; l < i->label_count; l++)
    if (cq_str_equal(i->languages[l], language)) return i->labels[l];
  return i->label_count ? i->labels[0] : i->id;
}

/* --- prices --- */

static bool month_of(cq_str text, int32_t *month) {
  char iso[11] = "";
  cq_date date;
  if (text.size == 10 && memcmp(text.at + 7, "-01", 3) == 0) text.size = 7; /* a spreadsheet makes a day of "2012-08" */
  if (text.size != 7) return false;
  memcpy(iso, text.at, 7);
  memcpy(iso + 7, "-01", 4);
  if (!cq_date_parse(cq_str_from(iso), &date)) return false;
  *month = date.year * 12 + date.month - 1;
  return true;
}

cq_status cq_prices_read(cq_prices *prices, cq_str text, cq_error *error) {
  cq_csv *csv = cq_csv_new(text, 0);
  const cq_str *f;
  size_t width, month = SIZE_MAX, index = SIZE_MAX;
  prices->count = 0;
  if (!csv) return cq_error_nomem(error);
  cq_status status = cq_csv_next(csv, &f, &width, error);
  for (size_t c = 0; status == CQ_OK && c < width; c++) {
    if (cq_str_is(cq_str_trim(f[c]), "month")) month = c;
    if (cq_str_is(cq_str_trim(f[c]), "index")) index = c;
  }
  if (status == CQ_OK && (month == SIZE_MAX || index == SIZE_MAX))
    status = cq_error_set(error, CQ_INVALID, "prices.columns", NULL);
  while (status == CQ_OK) {
    if ((status = cq_csv_next(csv, &f, &width, error)) != CQ_OK || !width) break;
    int32_t at = 0;
    double value;
    const char *code = NULL;
    if (prices->count == CQ_PRICES_MAX_ROWS)
      code = "prices.many";
    else if (month >= width || !month_of(cq_str_trim(f[month]), &at))
      code = "prices.month";
    else if (index >= width || !cq_data_number(cq_str_trim(f[index]), &value) || value <= 0)
      code = "prices.index";
    for (size_t i = 0; !code && i < prices->count; i++)
      if (prices->of[i].month == at) code = "prices.twice";
    if (code) {
      status = cq_error_set(error, CQ_INVALID, code, NULL);
      cq_error_at_line(error, cq_csv_line(csv), 0);
      break;
    }
    prices->of[prices->count].month = at;
    prices->of[prices->count++].index = value;
  }
  cq_csv_free(csv);
  return status;
}

bool cq_prices_mean(const cq_prices *prices, const int32_t *months, size_t count, double *index) {
  double sum = 0;
  for (size_t m = 0; m < count; m++) {
    size_t i = 0;
    while (i < prices->count && prices->of[i].month != months[m]) i++;
    if (i == prices->count) return false;
    sum += prices->of[i].index;
  }
  if (count) *index = sum / (double)count;
  return count > 0;
}
