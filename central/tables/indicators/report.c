/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/report.h"

#include "central/tables/folio/folio.h"
#include "central/tables/survey/repair.h"
#include "central/tables/words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 13, NOTES_WIDTH = 110 };

void cq_report_fini(cq_report *report) {
  cq_arena_free(report->arena);
  free(report->rows);
  free(report->notes);
  memset(report, 0, sizeof *report);
}

cq_status cq_report_add(cq_report *report, const cq_report_row *row, cq_error *error) {
  if (report->count == report->capacity) {
    size_t capacity = report->capacity ? report->capacity * 2 : 64;
    cq_report_row *rows = realloc(report->rows, capacity * sizeof *rows);
    if (!rows) return cq_error_nomem(error);
    report->rows = rows;
    report->capacity = capacity;
  }
  report->rows[report->count++] = *row;
  return CQ_OK;
}

cq_status cq_report_note_add(cq_report *report, cq_error *error, const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (report->note_count == report->note_capacity) {
    size_t capacity = report->note_capacity ? report->note_capacity * 2 : 16;
    cq_report_note *notes = realloc(report->notes, capacity * sizeof *notes);
    if (!notes) return cq_error_nomem(error);
    report->notes = notes;
    report->note_capacity = capacity;
  }
  cq_str copy = cq_arena_copy(report->arena, cq_str_from(text));
  if (!copy.at) return cq_error_nomem(error);
  report->notes[report->note_count++] = (cq_report_note){report->blocks ? report->blocks - 1 : 0, copy};
  return CQ_OK;
}

/* --- what may be shown outside --- */

static bool same_domain(const cq_report_row *a, const cq_report_row *b) {
  return a->block == b->block && a->figure.kind == b->figure.kind;
}

cq_status cq_report_hide(cq_report *report, cq_error *error) {
  int64_t *counts = malloc((report->count + 1) * sizeof *counts);
  cq_hidden *hidden = calloc(report->count + 1, sizeof *hidden);
  cq_status status = counts && hidden ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < report->count; i++) {
    if (report->rows[i].figure.e.n < CQ_SMALL_CELL) report->rows[i].hidden = true;
    if (report->rows[i].figure.group != UINT32_MAX) continue;
    size_t groups = 0;
    for (size_t j = 0; j < report->count; j++)
      if (same_domain(&report->rows[i], &report->rows[j]) && report->rows[j].figure.group != UINT32_MAX)
        counts[groups++] = (int64_t)report->rows[j].figure.e.n;
    if (!groups) continue;
    cq_hidden all = CQ_SHOWN;
    status = cq_suppress(counts, 1, groups, CQ_SMALL_CELL, hidden, &all, NULL, NULL, error);
    if (status != CQ_OK) break;
    report->rows[i].hidden = report->rows[i].hidden || all != CQ_SHOWN;
    groups = 0;
    for (size_t j = 0; j < report->count; j++)
      if (same_domain(&report->rows[i], &report->rows[j]) && report->rows[j].figure.group != UINT32_MAX)
        report->rows[j].hidden = report->rows[j].hidden || hidden[groups++] != CQ_SHOWN;
  }
  /* what is a difference or a share of hidden figures is hidden with them */
  for (size_t i = 0; status == CQ_OK && i < report->count; i++)
    for (size_t j = 0; j < report->count; j++)
      if (report->rows[i].block == report->rows[j].block && report->rows[j].hidden &&
          (report->rows[i].figure.kind == CQ_FIGURE_CONTRAST ||
           (report->rows[i].figure.kind == CQ_FIGURE_RELATIVE &&
            report->rows[i].figure.group == report->rows[j].figure.group)))
        report->rows[i].hidden = true;
  free(counts);
  free(hidden);
  return status;
}

/* --- words --- */

static const char *source_of(cq_source source) {
  return source < CQ_SOURCES ? cq_source_name(source) : "registro+recuerdo";
}

static const char *kind_of(cq_estimate_kind kind) {
  static const char *const names[] = {"mean", "total", "proportion", "ratio"};
  return names[kind];
}

static const char *said_of(cq_figure_kind kind) {
  switch (kind) {
  case CQ_FIGURE_CHANGE: return _("change, of those who have both");
  case CQ_FIGURE_RELATIVE: return _("relative change, per cent");
  case CQ_FIGURE_CONTRAST: return _("difference between the two groups");
  case CQ_FIGURE_RECONSTRUCTED: return _("RECONSTRUCTED: the missing season by the ratio of the campaign before");
  default: return "";
  }
}

/* Shares and relative changes are read in per cent. */
static bool in_percent(const cq_report_row *r) {
  return r->figure.kind == CQ_FIGURE_RELATIVE || r->indicator->kind == CQ_ESTIMATE_PROPORTION;
}

static double cv_of(const cq_estimate *e) {
  return e->estimate != 0 ? fabs(e->se / e->estimate) : 0;
}

/* One person of a sample: what varies among persons is not to be seen, though the formulas give 0. */
static bool lonely(const cq_report_row *r) {
  return r->figure.e.n == 1 && r->figure.e.df > 0;
}

void cq_report_key(const cq_report_row *r, cq_buf *out) {
  cq_buf_addf(out, "%s|%s|%s|%s|%s|", cq_figure_name(r->figure.kind), r->season, r->before, source_of(r->figure.source),
              r->figure.kind == CQ_FIGURE_LEVEL ? "" : source_of(r->figure.before));
  cq_buf_add_str(out, r->by);
  cq_buf_add_char(out, '|');
  cq_buf_add_str(out, r->group);
}

/* --- text --- */

static void add_padded(cq_buf *out, cq_str text, size_t width) {
  size_t offset = 0, columns = 0;
  while (offset < text.size && columns < width) {
    uint32_t c = cq_utf8_next(text, &offset);
    if (columns + 1 == width && offset < text.size) c = 0x2026;
    cq_buf_add_code_point(out, c < 0x20 || c == 0x7F ? ' ' : c);
    columns++;
  }
  for (; columns < width; columns++) cq_buf_add_char(out, ' ');
}

static void add_right(cq_buf *out, const char *text, size_t width) {
  size_t columns = cq_utf8_length(cq_str_from(text));
  cq_buf_add_char(out, ' ');
  for (; columns < width; columns++) cq_buf_add_char(out, ' ');
  cq_buf_add_text(out, text);
}

static void add_number(cq_buf *out, double value, int decimals, size_t width) {
  char text[64];
  for (;; decimals--) { /* a column too narrow loses decimals, never digits */
    snprintf(text, sizeof text, "%.*f", decimals, value);
    if (strlen(text) <= width || decimals == 0) break;
  }
  add_right(out, text, width);
}

static void add_head(cq_buf *out) {
  static const struct {
    const char *text;
    size_t width;
  } heads[] = {{N_("estimate"), 11}, {N_("s.e."), 9}, {N_("from 95 %"), 10}, {N_("to"), 10}, {"n", 5}, {"N", 7},
               {"CV %", 5}};
  add_padded(out, CQ_STR(""), NAME_WIDTH);
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) add_right(out, _(heads[i].text), heads[i].width);
  cq_buf_add_char(out, '\n');
}

static void add_row(cq_buf *out, const cq_report_row *r) {
  const cq_estimate *e = &r->figure.e;
  double times = in_percent(r) ? 100 : 1;
  int decimals = r->figure.kind == CQ_FIGURE_RELATIVE ? 2 : r->indicator->decimals;
  const char *band = cq_estimate_band(e);
  char text[32];
  add_padded(out,
             r->group_label.size             ? r->group_label
             : r->group.size                 ? r->group
             : r->figure.group == UINT32_MAX ? cq_str_from(_("all"))
                                             : r->group,
             NAME_WIDTH);
  if (r->hidden || !e->n) { /* · hidden, blank missing, — not applicable; a true 0 is a figure like any other */
    const char *mark = r->hidden ? "·" : r->figure.missing + r->figure.conflicts ? "" : "—";
    static const size_t widths[] = {11, 9, 10, 10, 5, 7, 5};
    for (size_t i = 0; i < 7; i++) add_right(out, mark, widths[i]);
    while (out->size && out->at[out->size - 1] == ' ') out->at[--out->size] = '\0';
    cq_buf_add_char(out, '\n');
    return;
  }
  if (lonely(r)) { /* of one person there is no standard error to tell */
    static const size_t widths[] = {9, 10, 10};
    add_number(out, times * e->estimate, decimals, 11);
    for (size_t i = 0; i < 3; i++) add_right(out, "—", widths[i]);
    add_number(out, (double)e->n, 0, 5);
    add_number(out, e->weighted_n, 0, 7);
    add_right(out, "—", 5);
    cq_buf_add_text(out, " r\n");
    return;
  }
  bool census = e->se == 0 && e->low == e->estimate && e->high == e->estimate && e->df <= 0;
  add_number(out, times * e->estimate, decimals, 11);
  add_number(out, times * e->se, decimals, 9);
  add_number(out, times * e->low, decimals, 10);
  add_number(out, times * e->high, decimals, 10);
  add_number(out, (double)e->n, 0, 5);
  add_number(out, e->weighted_n, 0, 7);
  snprintf(text, sizeof text, "%.1f", 100 * cv_of(e));
  add_right(out, census ? "—" : text, 5);
  cq_buf_add_text(out, *band == 'g' ? "" : *band == 'c' ? " !" : " r");
  cq_buf_add_char(out, '\n');
}

/* Lines of at most 80 columns, broken between words. */
static void add_wrapped(cq_buf *out, cq_str text, size_t indent) {
  size_t column = 0;
  while (text.size) {
    size_t size = 0;
    while (size < text.size && text.at[size] != ' ') size++;
    cq_str word = {text.at, size};
    size_t wide = cq_utf8_length(word);
    if (column && column + 1 + wide > 80) {
      cq_buf_add_char(out, '\n');
      column = 0;
    }
    if (!column) {
      for (; column < indent; column++) cq_buf_add_char(out, ' ');
    } else {
      cq_buf_add_char(out, ' ');
      column++;
    }
    cq_buf_add_str(out, word);
    column += wide;
    while (size < text.size && text.at[size] == ' ') size++;
    text = (cq_str){text.at + size, text.size - size};
  }
  cq_buf_add_char(out, '\n');
}

static void add_indicator_head(cq_buf *out, const cq_report_row *r, cq_str language) {
  cq_buf line = {0};
  cq_buf_add_str(&line, r->indicator->id);
  cq_buf_addf(&line, " %d · ", (int)r->indicator->version);
  cq_buf_add_str(&line, cq_indicator_label(r->indicator, language));
  if (r->indicator->unit.size) cq_buf_addf(&line, " (%.*s)", (int)r->indicator->unit.size, r->indicator->unit.at);
  add_wrapped(out, cq_buf_str(&line), 0);
  cq_buf_fini(&line);
}

static void add_block_head(cq_buf *out, const cq_report_row *r) {
  cq_buf line = {0};
  cq_buf_addf(&line, "%s", *r->season ? r->season : _("no season"));
  if (*r->before) cq_buf_addf(&line, _(" against %s"), r->before);
  if (*said_of(r->figure.kind)) cq_buf_addf(&line, " · %s", said_of(r->figure.kind));
  cq_buf_addf(&line, " · %s", cq_words_source(r->figure.source));
  if (*r->before && r->figure.kind != CQ_FIGURE_RECONSTRUCTED)
    cq_buf_addf(&line, _(" against %s"), cq_words_source(r->figure.before));
  if (r->figure.source == CQ_SOURCES || r->figure.kind == CQ_FIGURE_RECONSTRUCTED)
    cq_buf_addf(&line, _(" (recalled: %.1f %%)"), 100 * r->figure.recalled);
  if (r->prices.size) {
    if (cq_str_is(r->prices, "nominal"))
      cq_buf_addf(&line, " · %s", _("soles of their time, no price index"));
    else
      cq_buf_addf(&line, _(" · at the prices of %.*s"), (int)r->prices.size, r->prices.at);
  }
  cq_buf_add_char(out, '\n');
  add_wrapped(out, cq_buf_str(&line), 2);
  cq_buf_reset(&line);
  if (r->months.size) {
    cq_buf_addf(&line, _("months: %.*s"), (int)r->months.size, r->months.at);
    if (r->months_before.size) cq_buf_addf(&line, _("; before: %.*s"), (int)r->months_before.size, r->months_before.at);
    add_wrapped(out, cq_buf_str(&line), 2);
  }
  if (r->by.size) cq_buf_addf(out, _("  by %.*s\n"), (int)r->by.size, r->by.at);
  cq_buf_fini(&line);
}

void cq_report_text(const cq_report *report, cq_str language, cq_buf *out) {
  bool hidden = false, none = false;
  for (size_t i = 0; i < report->count; i++) {
    const cq_report_row *r = &report->rows[i], *last = i ? r - 1 : NULL;
    if (!last || last->indicator != r->indicator) {
      if (last) cq_buf_add_char(out, '\n');
      add_indicator_head(out, r, language);
    }
    if (!last || last->block != r->block || last->figure.kind != r->figure.kind) {
      add_block_head(out, r);
      add_head(out);
    }
    add_row(out, r);
    hidden = hidden || r->hidden;
    none = none || !r->figure.e.n;
    if (i + 1 == report->count || report->rows[i + 1].block != r->block)
      for (size_t n = 0; n < report->note_count; n++)
        if (report->notes[n].block == r->block) add_wrapped(out, report->notes[n].text, 2);
  }
  if (report->count) {
    cq_buf_add_char(out, '\n');
    add_wrapped(
        out,
        cq_str_from(_("n persons, N weighted; CV: no mark good (under 15 %), ! with caution (15 to 30 %), r for "
                      "reference only (over 30 %, or n under 30).")),
        0);
  }
  if (hidden) add_wrapped(out, cq_str_from(_("· hidden: fewer than five, or needed to work one such out.")), 0);
  if (none)
    add_wrapped(out, cq_str_from(_("blank: nobody's value is known; — it applies to nobody; 0 is a true nought.")), 0);
}

/* --- CSV, JSON, workbook: the same columns --- */

typedef enum {
  INDICATOR,
  VERSION,
  LABEL,
  UNIT,
  KIND,
  FIGURE,
  SEASON,
  COMPARED,
  MONTHS,
  MONTHS_COMPARED,
  BY,
  GROUP,
  SOURCE,
  SOURCE_COMPARED,
  RECALLED,
  PRICES,
  ESTIMATE,
  SE,
  DF,
  LOW,
  HIGH,
  N,
  WEIGHTED_N,
  CV,
  BAND,
  MISSING,
  NOT_APPLICABLE,
  CONFLICTS,
  SUPPRESSED,
  GROUP_LABEL,
  COLUMNS
} field;
static const char *const columns[COLUMNS] = {"indicator",
                                             "version",
                                             "label",
                                             "unit",
                                             "kind",
                                             "figure",
                                             "season",
                                             "compared",
                                             "months",
                                             "months_compared",
                                             "by",
                                             "group",
                                             "source",
                                             "source_compared",
                                             "recalled",
                                             "prices",
                                             "estimate",
                                             "se",
                                             "df",
                                             "low",
                                             "high",
                                             "n",
                                             "weighted_n",
                                             "cv",
                                             "band",
                                             "missing",
                                             "not_applicable",
                                             "conflicts",
                                             "suppressed",
                                             "group_label"};

/* A cell: text, a number, or nothing. */
static bool cell_of(const cq_report_row *r, cq_str language, field c, cq_str *text, double *number) {
  const cq_figure *f = &r->figure;
  bool change =
      f->kind == CQ_FIGURE_CHANGE || f->kind == CQ_FIGURE_RELATIVE || (f->kind == CQ_FIGURE_CONTRAST && *r->before);
  *text = CQ_STR("");
  *number = NAN;
  switch (c) {
  case INDICATOR: *text = r->indicator->id; break;
  case VERSION: *number = r->indicator->version; break;
  case LABEL: *text = cq_indicator_label(r->indicator, language); break;
  case UNIT: *text = r->indicator->unit; break;
  case KIND: *text = cq_str_from(kind_of(r->indicator->kind)); break;
  case FIGURE: *text = cq_str_from(cq_figure_name(f->kind)); break;
  case SEASON: *text = cq_str_from(r->season); break;
  case COMPARED: *text = cq_str_from(r->before); break;
  case MONTHS: *text = r->months; break;
  case MONTHS_COMPARED: *text = r->months_before; break;
  case BY: *text = r->by; break;
  case GROUP: *text = r->group; break;
  case SOURCE: *text = cq_str_from(source_of(f->source)); break;
  case SOURCE_COMPARED: *text = change ? cq_str_from(source_of(f->before)) : CQ_STR(""); break;
  case RECALLED:
    if (f->source == CQ_SOURCES || f->kind == CQ_FIGURE_RECONSTRUCTED) *number = f->recalled;
    break;
  case PRICES: *text = r->prices; break;
  case MISSING: *number = (double)f->missing; break;
  case NOT_APPLICABLE: *number = (double)f->not_applicable; break;
  case CONFLICTS: *number = (double)f->conflicts; break;
  case SUPPRESSED: *text = r->hidden ? CQ_STR("yes") : CQ_STR(""); break;
  case GROUP_LABEL: *text = r->group_label; break;
  default: break;
  }
  if (c >= ESTIMATE && c <= BAND && !r->hidden && (f->e.n || c == N)) {
    const double numbers[] = {f->e.estimate, f->e.se,        f->e.df,         f->e.low,
                              f->e.high,     (double)f->e.n, f->e.weighted_n, cv_of(&f->e)};
    bool spread = c == SE || c == LOW || c == HIGH || c == CV;
    if (spread && lonely(r)) return false;
    if (c == BAND)
      *text = cq_str_from(cq_estimate_band(&f->e));
    else
      *number = numbers[c - ESTIMATE];
  }
  if (r->hidden && (c == MISSING || c == NOT_APPLICABLE || c == CONFLICTS)) *number = NAN;
  return text->size || isfinite(*number);
}

void cq_report_csv(const cq_report *report, cq_str language, cq_buf *out) {
  for (size_t c = 0; c < COLUMNS; c++) cq_csv_add_field(out, c == 0, cq_str_from(columns[c]), false);
  cq_csv_end_row(out);
  for (size_t i = 0; i < report->count; i++) {
    for (size_t c = 0; c < COLUMNS; c++) {
      cq_str text;
      double number;
      char digits[40];
      cell_of(&report->rows[i], language, (field)c, &text, &number);
      if (isfinite(number)) {
        snprintf(digits, sizeof digits, "%.17g", number);
        text = cq_str_from(digits);
      }
      cq_csv_add_field(out, c == 0, text, !isfinite(number));
    }
    cq_csv_end_row(out);
  }
}

void cq_report_json(const cq_report *report, cq_str language, cq_buf *out) {
  cq_buf_add_text(out, "{\"figures\":[");
  for (size_t i = 0; i < report->count; i++) {
    bool first = true;
    cq_buf_add_text(out, i ? ",\n{" : "\n{");
    for (size_t c = 0; c < COLUMNS; c++) {
      cq_str text;
      double number;
      if (!cell_of(&report->rows[i], language, (field)c, &text, &number)) continue;
      cq_buf_addf(out, "%s\"%s\":", first ? "" : ",", columns[c]);
      first = false;
      if (isfinite(number))
        cq_buf_addf(out, "%.17g", number);
      else
        cq_cli_add_json(out, text);
    }
    cq_buf_add_char(out, '}');
  }
  cq_buf_add_text(out, "],\n\"notes\":[");
  for (size_t n = 0; n < report->note_count; n++) {
    if (n) cq_buf_add_char(out, ',');
    cq_cli_add_json(out, report->notes[n].text);
  }
  cq_buf_add_text(out, "]}\n");
}

/* --- the workbook: the same columns in words, those that nobody needs left out --- */

static const struct {
  const char *head;
  double width;
} heads[COLUMNS] = {[INDICATOR] = {N_("definition"), 13},
                    [LABEL] = {N_("indicator"), 34},
                    [UNIT] = {N_("unit"), 8},
                    [KIND] = {N_("kind of estimate"), 10.5},
                    [FIGURE] = {N_("figure"), 12},
                    [SEASON] = {N_("season"), 9.5},
                    [COMPARED] = {N_("compared with"), 11},
                    [MONTHS] = {N_("months that it rests on"), 25},
                    [MONTHS_COMPARED] = {N_("months before"), 25},
                    [BY] = {N_("by"), 9},
                    [GROUP] = {N_("group"), 12},
                    [SOURCE] = {N_("source"), 11},
                    [SOURCE_COMPARED] = {N_("source before"), 11},
                    [RECALLED] = {N_("share recalled"), 9},
                    [PRICES] = {N_("prices of"), 10},
                    [ESTIMATE] = {N_("estimate"), 12},
                    [SE] = {N_("standard error"), 10},
                    [LOW] = {N_("from (95 %)"), 11},
                    [HIGH] = {N_("to (95 %)"), 11},
                    [N] = {N_("persons n"), 9.5},
                    [WEIGHTED_N] = {N_("weighted N"), 11.5},
                    [CV] = {N_("coefficient of variation"), 11},
                    [BAND] = {N_("precision"), 12},
                    [MISSING] = {N_("missing"), 8},
                    [NOT_APPLICABLE] = {N_("not applicable"), 8},
                    [CONFLICTS] = {N_("two complete visits"), 10}};

static cq_str said_of_cell(const cq_report_row *r, field c, cq_str text) {
  const cq_figure *f = &r->figure;
  switch (c) {
  case KIND: return cq_str_from(cq_words_kind(r->indicator->kind));
  case FIGURE: return cq_str_from(cq_words_figure(f->kind));
  case SOURCE: return cq_str_from(cq_words_source(f->source));
  case SOURCE_COMPARED: return text.size ? cq_str_from(cq_words_source(f->before)) : text;
  case BAND: return text.size ? cq_str_from(cq_words_band(cq_estimate_band(&f->e))) : text;
  case BY: return cq_words_column(text);
  case GROUP:
    if (r->group_label.size) return r->group_label;
    return !text.size && f->group == UINT32_MAX ? cq_str_from(_("all")) : text;
  case PRICES: return cq_str_is(text, "nominal") ? cq_str_from(_("soles of their time, no price index")) : text;
  default: return text;
  }
}

/* What stands where there is no figure: · hidden, — it applies to nobody, nothing: not known. */
static const char *mark_of(const cq_report_row *r, field c) {
  if (c < ESTIMATE || c > BAND) return "";
  if (r->hidden) return "·";
  if (r->figure.e.n) return c == SE || c == LOW || c == HIGH || c == CV ? "—" : "";
  return r->figure.missing + r->figure.conflicts ? "" : "—";
}

typedef struct workbook {
  cq_folio made;
  lxw_format *percent, *percents[2], *whole, *decimals[7];
} workbook;

static bool add_formats(workbook *b) {
  lxw_format **const all[] = {&b->percent,     &b->percents[0], &b->percents[1], &b->whole,
                              &b->decimals[0], &b->decimals[1], &b->decimals[2], &b->decimals[3],
                              &b->decimals[4], &b->decimals[5], &b->decimals[6]};
  static const char *const codes[] = {"0.0%",     "0.00%",     "0%",         "#,##0",       "#,##0",       "#,##0.0",
                                      "#,##0.00", "#,##0.000", "#,##0.0000", "#,##0.00000", "#,##0.000000"};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!(*all[i] = workbook_add_format(b->made.workbook))) return false;
    format_set_num_format(*all[i], codes[i]);
    format_set_align(*all[i], LXW_ALIGN_VERTICAL_TOP);
  }
  return true;
}

static lxw_format *format_of(const workbook *b, const cq_report_row *r, field c) {
  if (c == CV || c == RECALLED) return b->percent;
  if (c != ESTIMATE && c != SE && c != LOW && c != HIGH) return b->whole;
  if (r->figure.kind == CQ_FIGURE_RELATIVE) return b->percents[0];
  int decimals = r->indicator->decimals;
  if (in_percent(r)) return decimals == 0 ? b->percents[1] : decimals == 1 ? b->percent : b->percents[0];
  return b->decimals[decimals < 0 ? 0 : decimals > 6 ? 6 : decimals];
}

static bool any_of(const cq_report *report, cq_str language, field c) {
  cq_str text;
  double number;
  if (!heads[c].head) return false; /* the CSV has it, or another column says it */
  bool always = c == ESTIMATE || c == SE || (c >= LOW && c <= BAND) || c == MISSING || c == NOT_APPLICABLE;
  for (size_t i = 0; !always && i < report->count; i++)
    always = cell_of(&report->rows[i], language, c, &text, &number) && !(c == CONFLICTS && number == 0) &&
             !(c == FIGURE && report->rows[i].figure.kind == CQ_FIGURE_LEVEL);
  return always;
}

static void raise_to(size_t *most, size_t value) {
  if (value > *most) *most = value;
}

static void put_figures(const cq_report *report, cq_str language, const workbook *b, lxw_worksheet *sheet) {
  cq_buf legend = {0};
  lxw_row_t top = cq_folio_title(&b->made, sheet, report->programme, cq_str_from(_("Indicators")), report->made);
  size_t at = 0, lines = 1, *high = calloc(report->count + 1, sizeof *high);
  for (size_t c = 0; c < COLUMNS; c++) {
    if (!any_of(report, language, (field)c)) continue;
    bool number = c == RECALLED || c >= ESTIMATE;
    cq_folio_put(sheet, top, at, cq_str_from(_(heads[c].head)), number ? b->made.number_head : b->made.head);
    worksheet_set_column(sheet, (lxw_col_t)at, (lxw_col_t)at, heads[c].width, NULL);
    raise_to(&lines, cq_folio_rows(cq_str_from(_(heads[c].head)), heads[c].width - 1)); /* bold is wider */
    for (size_t i = 0; i < report->count; i++) {
      const cq_report_row *r = &report->rows[i];
      lxw_row_t row = (lxw_row_t)(top + 1 + i);
      cq_str text;
      double value;
      bool any = cell_of(r, language, (field)c, &text, &value);
      if (c == INDICATOR) {
        cq_buf definition = {0};
        cq_buf_addf(&definition, "%.*s %d", (int)text.size, text.at, (int)r->indicator->version);
        cq_folio_put(sheet, row, at, cq_buf_str(&definition), b->made.wrap);
        cq_buf_fini(&definition);
      } else if (any && isfinite(value))
        worksheet_write_number(sheet, row, (lxw_col_t)at, value, format_of(b, r, (field)c));
      else if ((text = said_of_cell(r, (field)c, text)).size) {
        cq_folio_put(sheet, row, at, text, number ? b->made.right : b->made.wrap);
        if (high) raise_to(&high[i], cq_folio_rows(text, heads[c].width));
      } else
        cq_folio_put(sheet, row, at, cq_str_from(mark_of(r, (field)c)), b->made.right);
    }
    at++;
  }
  cq_folio_height(sheet, top, lines);
  for (size_t i = 0; high && i < report->count; i++) cq_folio_height(sheet, top + 1 + i, high[i]);
  free(high);
  worksheet_autofilter(sheet, top, 0, (lxw_row_t)(top + report->count), (lxw_col_t)(at - 1));
  cq_buf_addf(
      &legend, "%s\n%s\n%s\n%s\n",
      _("Precision: good, coefficient of variation under 15 %; with caution, 15 to 30 %; for reference only, over "
        "30 % or fewer than 30 persons."),
      _("· hidden: fewer than five, or needed to work one such out."),
      _("blank: nobody's value is known; — it applies to nobody; 0 is a true nought."),
      _("Missing, not applicable and two complete visits: persons left out of the estimate, and kept in the "
        "design."));
  cq_folio_lines(&b->made, sheet, (lxw_row_t)(top + report->count + 2), cq_buf_str(&legend));
  cq_buf_fini(&legend);
  cq_folio_heads(sheet, top, 1);
}

cq_status cq_report_xlsx(const cq_report *report, cq_str language, const char *path, cq_error *error) {
  workbook b = {0};
  lxw_worksheet *figures = NULL, *notes = NULL;
  cq_status status = cq_folio_begin(&b.made, path, report->practice, error);
  if (status == CQ_OK) status = cq_folio_sheet(&b.made, _("Figures"), &figures, error);
  if (status == CQ_OK) status = cq_folio_sheet(&b.made, _("Notes"), &notes, error);
  if (status == CQ_OK && !add_formats(&b)) status = cq_error_nomem(error);
  if (status == CQ_OK) {
    put_figures(report, language, &b, figures);
    lxw_row_t row = cq_folio_title(&b.made, notes, report->programme, cq_str_from(_("Notes")), report->made);
    size_t block = SIZE_MAX;
    for (size_t n = 0; n < report->note_count; n++) {
      if (report->notes[n].block != block) { /* whose figures they are about */
        cq_buf about = {0};
        block = report->notes[n].block;
        const cq_report_row *of = NULL;
        for (size_t i = 0; !of && i < report->count; i++)
          if (report->rows[i].block == block) of = &report->rows[i];
        if (of) {
          cq_buf_add_str(&about, cq_indicator_label(of->indicator, language));
          if (*of->season) cq_buf_addf(&about, " · %s", of->season);
          if (*of->before) cq_buf_addf(&about, _(" against %s"), of->before);
          cq_folio_put(notes, row++, 0, cq_buf_str(&about), b.made.bold);
        }
        cq_buf_fini(&about);
      }
      cq_folio_height(notes, row, cq_folio_rows(report->notes[n].text, NOTES_WIDTH));
      cq_folio_put(notes, row++, 0, report->notes[n].text, b.made.wrap);
    }
    worksheet_set_column(notes, 0, 0, NOTES_WIDTH, NULL);
  }
  return cq_folio_end(&b.made, status, error);
}
