/* SPDX-License-Identifier: Apache-2.0 */
/* A table as text for the terminal, as CSV and as JSON. */
#include "central/tables/programme/crosstab.h"
#include "chasqui/cli.h"
#include "chasqui/csv.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_WIDEST = 40, HEAD_WIDEST = 12, GAP = 2, MAX_WORDS = 12 };

static void add_grouped(cq_buf *out, uint64_t number) {
  char digits[24];
  int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
  for (int i = 0; i < size; i++) {
    if (i && (size - i) % 3 == 0) cq_buf_add_char(out, ',');
    cq_buf_add_char(out, digits[i]);
  }
}

static void add_amount(cq_buf *out, cq_str money, int64_t amount, bool grouped) {
  uint64_t size = amount < 0 ? 0 - (uint64_t)amount : (uint64_t)amount;
  if (grouped && money.size) {
    cq_buf_add_str(out, money);
    cq_buf_add_char(out, ' ');
  }
  if (amount < 0) cq_buf_add_char(out, '-');
  if (grouped)
    add_grouped(out, size / 100);
  else
    cq_buf_addf(out, "%llu", (unsigned long long)(size / 100));
  cq_buf_addf(out, ".%02u", (unsigned)(size % 100));
}

void cq_tab_figure_text(const cq_crosstab *tab, const cq_tab_figure *figure, cq_buf *out) {
  cq_buf_reset(out);
  if (figure->mark == CQ_MARK_HIDDEN)
    cq_buf_add_text(out, "·");
  else if (figure->mark == CQ_MARK_NA)
    cq_buf_add_text(out, "—");
  else if (figure->mark == CQ_MARK_FIGURE && tab->sums)
    add_amount(out, CQ_STR(""), figure->amount, true);
  else if (figure->mark == CQ_MARK_FIGURE)
    add_grouped(out, (uint64_t)figure->count);
}

/* --- text --- */

typedef struct layout {
  const cq_crosstab *tab;
  cq_buf *out, cell;
  size_t label, *widths; /* of the row labels; of each column and the margin */
} layout;

/* As much of the text as fits, and blanks up to `width`; returns nothing left over. */
static void add_left(cq_buf *out, cq_str text, size_t width) {
  size_t columns = 0, offset = 0;
  while (offset < text.size && columns < width) {
    uint32_t c = cq_utf8_next(text, &offset);
    if (columns + 1 == width && offset < text.size) c = 0x2026; /* … */
    cq_buf_add_code_point(out, c);
    columns++;
  }
  for (; columns < width; columns++) cq_buf_add_char(out, ' ');
}

static void add_right(cq_buf *out, cq_str text, size_t width) {
  for (size_t columns = cq_utf8_length(text); columns < width; columns++) cq_buf_add_char(out, ' ');
  cq_buf_add_str(out, text);
}

static void end_line(cq_buf *out) {
  while (out->size && out->at[out->size - 1] == ' ') out->at[--out->size] = '\0';
  cq_buf_add_char(out, '\n');
}

static cq_str head_of(const cq_crosstab *tab, size_t column) {
  return column < tab->columns.count ? tab->columns.at[column].label : cq_str_from(_("Total"));
}

/* The words of a head that go on line `line` where lines are `width` wide; "" after the last. */
static cq_str head_line(cq_str head, size_t width, size_t line) {
  size_t from = 0;
  for (size_t now = 0;; now++) {
    size_t to = from, end = from;
    while (end < head.size) {
      size_t word = end;
      while (word < head.size && head.at[word] != ' ') word++;
      if (to > from && cq_utf8_length((cq_str){head.at + from, word - from}) > width) break;
      to = word;
      end = word < head.size ? word + 1 : word;
    }
    if (now == line) return (cq_str){head.at + from, to - from};
    if (end >= head.size) return CQ_STR("");
    from = end;
  }
}

static size_t longest_word(cq_str text) {
  size_t longest = 0;
  for (size_t from = 0; from < text.size;) {
    size_t to = from;
    while (to < text.size && text.at[to] != ' ') to++;
    size_t length = cq_utf8_length((cq_str){text.at + from, to - from});
    if (length > longest) longest = length;
    from = to + 1;
  }
  return longest;
}

static void measure(layout *l) {
  const cq_crosstab *tab = l->tab;
  size_t indent = tab->outer.count ? 2 : 0;
  for (size_t i = 0; i < tab->inner.count; i++) {
    size_t length = cq_utf8_length(tab->inner.at[i].label) + indent;
    if (length > l->label) l->label = length;
  }
  for (size_t o = 0; o < tab->outer.count; o++) {
    size_t length = cq_utf8_length(tab->outer.at[o].label);
    if (length > l->label) l->label = length;
  }
  if (l->label > LABEL_WIDEST) l->label = LABEL_WIDEST;
  for (size_t c = 0; c <= tab->columns.count; c++) {
    cq_str head = head_of(tab, c);
    size_t length = cq_utf8_length(head), word = longest_word(head);
    l->widths[c] = length < HEAD_WIDEST ? length : word > HEAD_WIDEST ? word : HEAD_WIDEST;
    for (size_t o = 0; o <= tab->outer.count; o++)
      for (size_t i = 0; i <= tab->inner.count; i++) {
        cq_tab_figure_text(tab, cq_crosstab_at(tab, o, i, c), &l->cell);
        size_t wide = cq_utf8_length(cq_buf_str(&l->cell));
        if (wide > l->widths[c]) l->widths[c] = wide;
      }
  }
}

static void add_heads(layout *l, size_t from, size_t to) {
  for (size_t line = 0; line < MAX_WORDS; line++) {
    bool any = false;
    for (size_t c = from; c < to; c++) any = any || head_line(head_of(l->tab, c), l->widths[c], line).size;
    if (!any) break;
    add_left(l->out, CQ_STR(""), l->label);
    for (size_t c = from; c < to; c++)
      add_right(l->out, head_line(head_of(l->tab, c), l->widths[c], line), l->widths[c] + GAP);
    end_line(l->out);
  }
}

static void add_row(layout *l, cq_str label, size_t indent, size_t outer, size_t inner, size_t from, size_t to) {
  for (size_t i = 0; i < indent; i++) cq_buf_add_char(l->out, ' ');
  add_left(l->out, label, l->label - indent);
  for (size_t c = from; c < to; c++) {
    cq_tab_figure_text(l->tab, cq_crosstab_at(l->tab, outer, inner, c), &l->cell);
    add_right(l->out, cq_buf_str(&l->cell), l->widths[c] + GAP);
  }
  end_line(l->out);
}

/* Whether a row of a place stands under another place, and has nothing in it. */
static bool is_elsewhere(const cq_crosstab *tab, size_t outer, size_t inner) {
  return tab->outer.count && !cq_crosstab_nests(tab, outer, inner) &&
         !cq_crosstab_at(tab, outer, inner, tab->columns.count)->count;
}

static void add_block(layout *l, size_t from, size_t to) {
  const cq_crosstab *tab = l->tab;
  cq_str total = cq_str_from(_("Total"));
  add_heads(l, from, to);
  for (size_t o = 0; o < tab->outer.count; o++) {
    add_row(l, tab->outer.at[o].label, 0, o, tab->inner.count, from, to);
    for (size_t i = 0; i < tab->inner.count; i++)
      if (!is_elsewhere(tab, o, i)) add_row(l, tab->inner.at[i].label, 2, o, i, from, to);
  }
  for (size_t i = 0; !tab->outer.count && i < tab->inner.count; i++)
    add_row(l, tab->inner.at[i].label, 0, 0, i, from, to);
  add_row(l, total, 0, tab->outer.count, tab->inner.count, from, to);
}

/* Lines of at most `width` columns. */
static void add_wrapped(cq_buf *out, cq_str text, size_t width) {
  size_t column = 0;
  for (size_t from = 0; from < text.size;) {
    size_t to = from;
    while (to < text.size && text.at[to] != ' ' && text.at[to] != '\n') to++;
    cq_str word = {text.at + from, to - from};
    size_t length = cq_utf8_length(word);
    if (column && column + 1 + length > width) {
      cq_buf_add_char(out, '\n');
      column = 0;
    }
    if (column) cq_buf_add_char(out, ' ');
    cq_buf_add_str(out, word);
    column += length + (column ? 1 : 0);
    if (to < text.size && text.at[to] == '\n') {
      cq_buf_add_char(out, '\n');
      column = 0;
    }
    from = to + 1;
  }
  if (column) cq_buf_add_char(out, '\n');
}

static bool any_mark(const cq_crosstab *tab, cq_mark mark) {
  size_t all = (tab->outer.count + 1) * (tab->inner.count + 1) * (tab->columns.count + 1);
  for (size_t i = 0; i < all; i++)
    if (tab->figures[i].mark == mark) return true;
  return false;
}

void cq_crosstab_notes(const cq_crosstab *tab, cq_buf *out) {
  const cq_tab_figure *all = cq_crosstab_at(tab, tab->outer.count, tab->inner.count, tab->columns.count);
  if (all->mark == CQ_MARK_HIDDEN)
    cq_buf_addf(out, "%s\n", _("n is hidden too"));
  else if (tab->rows == tab->units)
    cq_buf_addf(out, _("n = %zu (records: %zu)\n"), tab->units, tab->records);
  else
    cq_buf_addf(out, _("n = %zu, each counted once (rows to that day: %zu; records: %zu)\n"), tab->units, tab->rows,
                tab->records);
  if (all->unknown) {
    cq_buf_addf(out, _("without an amount: %zu of %lld, so totals with them stay blank; what is known adds to "),
                all->unknown, (long long)all->count);
    add_amount(out, tab->money, all->amount, true);
    cq_buf_add_char(out, '\n');
  }
  if (tab->partial) cq_buf_addf(out, _("records that ended midway, not counted: %zu\n"), tab->partial);
  if (tab->undated)
    cq_buf_addf(out, _("without a date of their own, counted from the day of their record: %zu\n"), tab->undated);
  if (tab->never_used)
    cq_buf_addf(out, _("where the programme has nothing: %zu; see `chasqui-central check`\n"), tab->never_used);
  if (tab->unreadable) cq_buf_addf(out, _("records of a form that is not known here: %zu\n"), tab->unreadable);
  if (any_mark(tab, CQ_MARK_MISSING)) cq_buf_addf(out, "%s\n", _("(blank) not known: it is not 0"));
  if (any_mark(tab, CQ_MARK_NA)) cq_buf_addf(out, "%s\n", _("— does not apply: the programme has nothing there"));
  if (any_mark(tab, CQ_MARK_HIDDEN))
    cq_buf_addf(out, _("· hidden: fewer than %lld, or it would tell one that is hidden\n"), (long long)tab->least);
  if (tab->note.size) {
    cq_buf_add_str(out, tab->note);
    cq_buf_add_char(out, '\n');
  }
}

void cq_crosstab_axes(const cq_crosstab *tab, cq_buf *out) {
  if (tab->outer.count) {
    cq_buf_add_str(out, tab->outer.label);
    cq_buf_add_text(out, " / ");
  }
  cq_buf_add_str(out, tab->inner.label);
  if (!tab->columns.count) return;
  cq_buf_add_text(out, " × ");
  cq_buf_add_str(out, tab->columns.label);
}

void cq_crosstab_day(const cq_crosstab *tab, cq_buf *out) {
  char day[11];
  cq_date_format(cq_date_from_day(tab->at), day);
  if (tab->season[0])
    cq_buf_addf(out, _("as at %s, the last day of %s"), day, tab->season);
  else
    cq_buf_addf(out, _("as at %s"), day);
}

static void add_title(const cq_crosstab *tab, cq_buf *out, size_t width) {
  cq_buf title = {0};
  cq_buf_add_str(&title, tab->title);
  if (tab->sums && tab->money.size) {
    cq_buf_add_text(&title, " (");
    cq_buf_add_str(&title, tab->money);
    cq_buf_add_char(&title, ')');
  }
  cq_buf_add_char(&title, '\n');
  cq_crosstab_axes(tab, &title);
  cq_buf_add_char(&title, '\n');
  cq_crosstab_day(tab, &title);
  add_wrapped(out, cq_buf_str(&title), width);
  cq_buf_add_char(out, '\n');
  out->failed = out->failed || title.failed;
  cq_buf_fini(&title);
}

cq_status cq_crosstab_text(const cq_crosstab *tab, size_t width, cq_buf *out, cq_error *error) {
  cq_buf notes = {0};
  layout l = {.tab = tab, .out = out};
  l.widths = cq_arena_array(tab->arena, tab->columns.count + 1, sizeof *l.widths);
  if (!l.widths) return cq_error_nomem(error);
  l.label = cq_utf8_length(cq_str_from(_("Total")));
  measure(&l);
  add_title(tab, out, width);
  for (size_t from = 0, to; from <= tab->columns.count; from = to) {
    size_t used = l.label;
    for (to = from; to <= tab->columns.count; to++) {
      used += l.widths[to] + GAP;
      if (used > width && to > from) break;
    }
    add_block(&l, from, to);
    cq_buf_add_char(out, '\n');
  }
  if (tab->practice) cq_buf_addf(&notes, "%s\n", _("*** PRACTICE: nothing here is real data ***"));
  cq_crosstab_notes(tab, &notes);
  add_wrapped(out, cq_buf_str(&notes), width);
  bool failed = out->failed || notes.failed || l.cell.failed;
  cq_buf_fini(&notes);
  cq_buf_fini(&l.cell);
  return failed ? cq_error_nomem(error) : CQ_OK;
}

/* --- CSV: one figure a row, margins with the code "all" --- */

static cq_str code_of(const cq_axis *axis, size_t i) {
  if (i == axis->count) return CQ_STR("all");
  return axis->at[i].kind == CQ_CATEGORY_VALUE ? axis->at[i].code
         : axis->at[i].kind == CQ_CATEGORY_NA  ? CQ_STR("na")
                                               : CQ_STR("");
}

static cq_str label_of(const cq_axis *axis, size_t i) {
  return i == axis->count ? cq_str_from(_("Total")) : axis->at[i].label;
}

static void add_axis_head(cq_buf *out, const cq_axis *axis) {
  if (!axis->count) return;
  cq_csv_add_field(out, false, axis->name, true);
  cq_csv_add_field(out, false, axis->label, true);
}

static void add_axis(cq_buf *out, const cq_axis *axis, size_t i) {
  if (!axis->count) return;
  cq_csv_add_field(out, false, code_of(axis, i), true);
  cq_csv_add_field(out, false, label_of(axis, i), true);
}

typedef cq_status each_figure(const cq_crosstab *tab, size_t o, size_t i, size_t c, cq_buf *out);

static cq_status figures(const cq_crosstab *tab, each_figure *each, cq_buf *out, cq_error *error) {
  for (size_t o = 0; o <= tab->outer.count; o++)
    for (size_t i = 0; i <= tab->inner.count; i++) {
      /* rows across all outer categories are no part of the table */
      if (tab->outer.count && o == tab->outer.count && i < tab->inner.count) continue;
      if (o < tab->outer.count && i < tab->inner.count && is_elsewhere(tab, o, i)) continue;
      for (size_t c = 0; c <= tab->columns.count; c++) each(tab, o, i, c, out);
    }
  return out->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status add_csv(const cq_crosstab *tab, size_t o, size_t i, size_t c, cq_buf *out) {
  const cq_tab_figure *f = cq_crosstab_at(tab, o, i, c);
  char day[11];
  cq_buf value = {0};
  bool shown = f->mark == CQ_MARK_FIGURE;
  cq_csv_add_field(out, true, tab->name, true);
  cq_csv_add_field(out, false, cq_str_from(cq_date_format(cq_date_from_day(tab->at), day)), true);
  add_axis(out, &tab->outer, o);
  add_axis(out, &tab->inner, i);
  add_axis(out, &tab->columns, c);
  if (shown || f->mark == CQ_MARK_MISSING) cq_buf_addf(&value, "%lld", (long long)f->count);
  cq_csv_add_field(out, false, cq_buf_str(&value), true);
  cq_buf_reset(&value);
  if (shown && tab->sums) add_amount(&value, CQ_STR(""), f->amount, false);
  if (tab->sums) cq_csv_add_field(out, false, cq_buf_str(&value), true);
  cq_csv_add_field(out, false, cq_str_from(cq_mark_name(f->mark)), true);
  cq_csv_end_row(out);
  out->failed = out->failed || value.failed;
  cq_buf_fini(&value);
  return CQ_OK;
}

cq_status cq_crosstab_csv(const cq_crosstab *tab, cq_buf *out, cq_error *error) {
  cq_csv_add_field(out, true, CQ_STR("table"), true);
  cq_csv_add_field(out, false, CQ_STR("at"), true);
  add_axis_head(out, &tab->outer);
  add_axis_head(out, &tab->inner);
  add_axis_head(out, &tab->columns);
  cq_csv_add_field(out, false, CQ_STR("count"), true);
  if (tab->sums) cq_csv_add_field(out, false, CQ_STR("amount"), true);
  cq_csv_add_field(out, false, CQ_STR("mark"), true);
  cq_csv_end_row(out);
  return figures(tab, add_csv, out, error);
}

/* --- JSON --- */

static void add_member(cq_buf *out, const char *name, cq_str value) {
  cq_buf_addf(out, ",\"%s\":", name);
  cq_cli_add_json(out, value);
}

static void add_place(cq_buf *out, const cq_axis *axis, size_t i, bool *first) {
  if (!axis->count || i == axis->count) return;
  if (!*first) cq_buf_add_char(out, ',');
  *first = false;
  cq_cli_add_json(out, axis->name);
  cq_buf_add_char(out, ':');
  if (axis->at[i].kind == CQ_CATEGORY_MISSING)
    cq_buf_add_text(out, "null");
  else
    cq_cli_add_json(out, code_of(axis, i));
}

static cq_status add_json(const cq_crosstab *tab, size_t o, size_t i, size_t c, cq_buf *out) {
  const cq_tab_figure *f = cq_crosstab_at(tab, o, i, c);
  bool first = true, shown = f->mark == CQ_MARK_FIGURE;
  cq_buf_add_text(out, out->size && out->at[out->size - 1] == '[' ? "\n{\"of\":{" : ",\n{\"of\":{");
  add_place(out, &tab->outer, o, &first);
  add_place(out, &tab->inner, i, &first);
  add_place(out, &tab->columns, c, &first);
  cq_buf_add_char(out, '}');
  if (shown || f->mark == CQ_MARK_MISSING) cq_buf_addf(out, ",\"count\":%lld", (long long)f->count);
  if (shown && tab->sums) {
    cq_buf_add_text(out, ",\"amount\":");
    add_amount(out, CQ_STR(""), f->amount, false);
  }
  cq_buf_addf(out, ",\"mark\":\"%s\"}", cq_mark_name(f->mark));
  return CQ_OK;
}

cq_status cq_crosstab_json(const cq_crosstab *tab, cq_buf *out, cq_error *error) {
  char day[11];
  const cq_tab_figure *all = cq_crosstab_at(tab, tab->outer.count, tab->inner.count, tab->columns.count);
  cq_buf_add_text(out, "{\"table\":");
  cq_cli_add_json(out, tab->name);
  add_member(out, "title", tab->title);
  cq_buf_addf(out, ",\"at\":\"%s\"", cq_date_format(cq_date_from_day(tab->at), day));
  if (tab->season[0]) add_member(out, "season", cq_str_from(tab->season));
  if (tab->sums && tab->money.size) add_member(out, "money", tab->money);
  if (all->mark != CQ_MARK_HIDDEN)
    cq_buf_addf(out, ",\"records\":%zu,\"rows\":%zu,\"n\":%zu", tab->records, tab->rows, tab->units);
  cq_buf_addf(out, ",\"partial\":%zu,\"undated\":%zu,\"never\":%zu", tab->partial, tab->undated, tab->never_used);
  cq_buf_addf(out, ",\"practice\":%s,\"hidden_below\":%lld,\"cells\":[", tab->practice ? "true" : "false",
              tab->hides ? (long long)tab->least : 0);
  cq_status status = figures(tab, add_json, out, error);
  cq_buf_add_text(out, "]}\n");
  return status == CQ_OK && out->failed ? cq_error_nomem(error) : status;
}
