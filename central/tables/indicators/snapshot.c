/* SPDX-License-Identifier: Apache-2.0 */
/* `table --freeze` and `snapshots`. */
#include "central/tables/indicators/snapshot.h"

#include "central/merge/derive.h"
#include "central/tables/indicators/indicators.h"
#include "central/verbs.h"
#include "chasqui/csv.h"
#include "chasqui/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_snapshots_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

enum { QUARTER, INDICATOR, ASKED, COUNT, FIGURES };
enum { MAX_FIGURES = 4000, MAX_SNAPSHOTS = 5000 };

/* One frozen answer, as it was signed. */
typedef struct frozen {
  cq_hash name, cut;
  cq_str quarter, indicator, asked, by, reason, figures;
  int64_t made_utc_ms, records, version;
  bool revision, replaced; /* it replaces another; another replaces it */
} frozen;

typedef struct archive {
  cq_arena *arena;
  frozen *of;
  size_t count, capacity;
} archive;

static void archive_fini(archive *a) {
  cq_arena_free(a->arena);
  free(a->of);
}

static bool quarter_right(const char *text) {
  return strlen(text) == 7 && strspn(text, "0123456789") == 4 && text[4] == '-' && text[5] == 'Q' && text[6] >= '1' &&
         text[6] <= '4';
}

/* --- reading --- */

static cq_status take(archive *a, const cq_order *order, const cq_hash *name, cq_error *error) {
  cq_buf figures = {0};
  if (order->text_count < FIGURES || order->target_count < 2 || a->count == MAX_SNAPSHOTS) return CQ_OK;
  if (a->count == a->capacity) {
    size_t capacity = a->capacity ? a->capacity * 2 : 32;
    frozen *of = realloc(a->of, capacity * sizeof *of);
    if (!of) return cq_error_nomem(error);
    a->of = of;
    a->capacity = capacity;
  }
  for (size_t i = FIGURES; i < order->text_count; i++) cq_buf_add_str(&figures, order->texts[i]);
  frozen f = {.name = *name,
              .cut = order->targets[0],
              .quarter = cq_arena_copy(a->arena, order->texts[QUARTER]),
              .indicator = cq_arena_copy(a->arena, order->texts[INDICATOR]),
              .asked = cq_arena_copy(a->arena, order->texts[ASKED]),
              .by = cq_arena_copy(a->arena, order->by),
              .reason = cq_arena_copy(a->arena, order->reason),
              .figures = figures.failed ? CQ_STR("") : cq_arena_copy(a->arena, cq_buf_str(&figures)),
              .made_utc_ms = order->made_utc_ms,
              .version = (int64_t)order->number,
              .revision = order->target_count > 2};
  cq_buf_fini(&figures);
  if (!cq_str_int64(order->texts[COUNT], &f.records)) f.records = 0;
  bool whole = f.quarter.at && f.indicator.at && f.asked.at && f.by.at && f.reason.at && f.figures.at;
  for (size_t i = 0; i < a->count; i++) /* they come in the order they were made */
    if (cq_str_equal(a->of[i].quarter, f.quarter) && cq_str_equal(a->of[i].indicator, f.indicator) &&
        cq_str_equal(a->of[i].asked, f.asked))
      a->of[i].replaced = true;
  a->of[a->count++] = f;
  return whole ? CQ_OK : cq_error_nomem(error);
}

static cq_status read_archive(archive *a, cq_desk *desk, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_arena *scratch = cq_arena_new(0);
  memset(a, 0, sizeof *a);
  a->arena = cq_arena_new(0);
  cq_status status = scratch && a->arena ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) /* 11: freeze */
    status = cq_desk_prepare(desk, &s, "SELECT bytes FROM decision WHERE kind = 11 ORDER BY made_utc_ms, name", error);
  for (bool row = true; status == CQ_OK;) {
    cq_order order;
    cq_hash name;
    cq_arena_reset(scratch);
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_order_read(&order, &name, cq_desk_text(s, 0), scratch, &desk->trust, error);
    if (status == CQ_OK) status = take(a, &order, &name, error);
  }
  sqlite3_finalize(s);
  cq_arena_free(scratch);
  return status;
}

static const frozen *last_of(const archive *a, cq_str quarter, cq_str id, cq_str asked) {
  for (size_t i = a->count; i-- > 0;)
    if (cq_str_equal(a->of[i].quarter, quarter) && cq_str_equal(a->of[i].indicator, id) &&
        cq_str_equal(a->of[i].asked, asked))
      return &a->of[i];
  return NULL;
}

/* --- figures side by side --- */

/* What tells a figure from the others of its table, and what it says; borrowed from the arena. */
typedef struct figure {
  cq_str key, estimate, se, n;
} figure;

typedef struct figure_list {
  figure *of;
  size_t count;
} figure_list;

static const char *const key_columns[] = {"figure", "season", "compared", "source", "source_compared", "by", "group"};
enum { KEYS = sizeof key_columns / sizeof *key_columns };

static cq_status read_figures(figure_list *list, cq_str csv, cq_arena *arena, cq_error *error) {
  cq_csv *reader = cq_csv_new(csv, ',');
  const cq_str *f;
  size_t width, at[KEYS], estimate = SIZE_MAX, se = SIZE_MAX, n = SIZE_MAX;
  list->count = 0;
  list->of = cq_arena_array(arena, MAX_FIGURES, sizeof *list->of);
  cq_status status = reader && list->of ? cq_csv_next(reader, &f, &width, error) : cq_error_nomem(error);
  for (size_t k = 0; k < KEYS; k++) at[k] = SIZE_MAX;
  for (size_t c = 0; status == CQ_OK && c < width; c++) {
    for (size_t k = 0; k < KEYS; k++)
      if (cq_str_is(f[c], key_columns[k])) at[k] = c;
    if (cq_str_is(f[c], "estimate")) estimate = c;
    if (cq_str_is(f[c], "se")) se = c;
    if (cq_str_is(f[c], "n")) n = c;
  }
  while (status == CQ_OK && list->count < MAX_FIGURES) {
    cq_buf key = {0};
    if ((status = cq_csv_next(reader, &f, &width, error)) != CQ_OK || !width) break;
    for (size_t k = 0; k < KEYS; k++) {
      if (at[k] >= width || !f[at[k]].size) continue;
      if (key.size) cq_buf_add_text(&key, " · ");
      cq_buf_add_str(&key, f[at[k]]);
    }
    figure *to = &list->of[list->count++];
    to->key = cq_arena_copy(arena, cq_buf_str(&key));
    to->estimate = estimate < width ? cq_arena_copy(arena, f[estimate]) : CQ_STR("");
    to->se = se < width ? cq_arena_copy(arena, f[se]) : CQ_STR("");
    to->n = n < width ? cq_arena_copy(arena, f[n]) : CQ_STR("");
    if (key.failed || !to->key.at || !to->estimate.at || !to->se.at || !to->n.at) status = cq_error_nomem(error);
    cq_buf_fini(&key);
  }
  cq_csv_free(reader);
  return status;
}

static bool same_number(cq_str a, cq_str b) {
  double x, y;
  if (!cq_data_number(a, &x) || !cq_data_number(b, &y)) return cq_str_equal(a, b);
  return fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y)) + 1e-12;
}

static bool same_figure(const figure *a, const figure *b) {
  return same_number(a->estimate, b->estimate) && same_number(a->se, b->se) && same_number(a->n, b->n);
}

static const figure *find_figure(const figure_list *list, cq_str key) {
  for (size_t i = 0; i < list->count; i++)
    if (cq_str_equal(list->of[i].key, key)) return &list->of[i];
  return NULL;
}

/* "4069.58 (193.04), n 32"; a dash where there is no such figure. */
static void figure_text(const figure *f, char out[96]) {
  double estimate, se;
  if (!f || !cq_data_number(f->estimate, &estimate) || !cq_data_number(f->se, &se))
    snprintf(out, 96, "—");
  else
    snprintf(out, 96, "%.6g (%.4g), n %.*s", estimate, se, (int)f->n.size, f->n.at);
}

static void add_json_figure(cq_buf *json, const char *name, const figure *f) {
  cq_buf_addf(json, ",\"%s\":", name);
  double estimate, se;
  if (f && cq_data_number(f->estimate, &estimate) && cq_data_number(f->se, &se))
    cq_buf_addf(json, "{\"estimate\":%.17g,\"se\":%.17g,\"n\":%.*s}", estimate, se, (int)f->n.size, f->n.at);
  else
    cq_buf_add_text(json, "null");
}

/* Each figure as it was and as it is; those that are the same only where `all`. Returns how many differ. */
static size_t side_by_side(const cq_cli *cli, const figure_list *was, const figure_list *is, bool all, cq_buf *json) {
  size_t differ = 0, said = 0;
  for (size_t i = 0; i < was->count + is->count; i++) {
    bool old = i < was->count;
    const figure *a = old ? &was->of[i] : NULL, *b = old ? find_figure(is, a->key) : &is->of[i - was->count];
    if (!old && find_figure(was, b->key)) continue;
    cq_str key = old ? a->key : b->key;
    bool same = a && b && same_figure(a, b);
    char text[2][96];
    differ += !same;
    if (same && !all) continue;
    figure_text(a, text[0]);
    figure_text(b, text[1]);
    cq_cli_say(cli, "%c %.*s", same ? ' ' : '*', (int)(key.size < 400 ? key.size : 400), key.at);
    cq_cli_say(cli, _("    frozen %s"), text[0]);
    if (!same) cq_cli_say(cli, _("    now    %s"), text[1]);
    if (!json) continue;
    cq_buf_add_text(json, said++ ? ",\n{\"figure\":" : "\n{\"figure\":");
    cq_cli_add_json(json, key);
    add_json_figure(json, "frozen", a);
    add_json_figure(json, "now", b);
    cq_buf_addf(json, ",\"same\":%s}", same ? "true" : "false");
  }
  return differ;
}

/* --- what was asked, as text and back --- */

static void asked_text(const cq_figures_wish *w, cq_buf *out) {
  cq_buf_addf(out, "season=%s;compare=%s;by=%s;contrast=%d;together=%d;nominal=%d", w->season ? w->season : "",
              w->compare ? w->compare : "", w->by ? w->by : "", w->contrast, w->together, w->nominal);
}

/* Of "by" in "season=…;by=zona;…": an empty one is NULL. */
static const char *part_of(cq_arena *arena, cq_str asked, const char *name) {
  size_t size = strlen(name);
  for (size_t from = 0; from < asked.size;) {
    size_t to = from;
    while (to < asked.size && asked.at[to] != ';') to++;
    if (to - from > size + 1 && memcmp(asked.at + from, name, size) == 0 && asked.at[from + size] == '=')
      return cq_arena_copy(arena, (cq_str){asked.at + from + size + 1, to - from - size - 1}).at;
    from = to + 1;
  }
  return NULL;
}

static cq_figures_wish wish_of(cq_arena *arena, const frozen *f) {
  const char *contrast = part_of(arena, f->asked, "contrast"), *together = part_of(arena, f->asked, "together"),
             *nominal = part_of(arena, f->asked, "nominal");
  return (cq_figures_wish){.season = part_of(arena, f->asked, "season"),
                           .compare = part_of(arena, f->asked, "compare"),
                           .by = part_of(arena, f->asked, "by"),
                           .contrast = contrast && *contrast == '1',
                           .together = together && *together == '1',
                           .nominal = nominal && *nominal == '1',
                           .version = (int32_t)f->version,
                           .day = cq_today()};
}

/* --- freezing --- */

/* Cut at code points into texts of an order. */
static size_t cut_texts(cq_str csv, cq_str *texts, size_t most) {
  size_t count = 0;
  while (csv.size && count < most) {
    size_t size = csv.size < CQ_ORDER_MAX_TEXT ? csv.size : CQ_ORDER_MAX_TEXT;
    while (size < csv.size && ((unsigned char)csv.at[size] & 0xC0) == 0x80) size--;
    texts[count++] = (cq_str){csv.at, size};
    csv = (cq_str){csv.at + size, csv.size - size};
  }
  return csv.size ? SIZE_MAX : count;
}

static cq_status sign(cq_cli *cli, cq_desk *desk, const cq_str texts[], size_t count, const cq_hash targets[],
                      size_t target_count, int32_t version, cq_error *error) {
  cq_order order = {.kind = CQ_ORDER_FREEZE,
                    .by = cq_str_from(cq_cli_value(cli, "who")),
                    .reason = cq_str_from(cq_cli_value(cli, "reason")),
                    .number = (uint64_t)version,
                    .targets = targets,
                    .target_count = target_count,
                    .texts = texts,
                    .text_count = count};
  return cq_derive_sign(desk, &order, NULL, NULL, error);
}

/* Whether it may be frozen: new, or a revision with its note. *same: it says what was said. */
static cq_status compare(cq_cli *cli, const frozen *before, cq_str csv, cq_arena *arena, bool *same, cq_error *error) {
  figure_list was, is;
  *same = false;
  if (!before) return CQ_OK;
  cq_status status = read_figures(&was, before->figures, arena, error);
  if (status == CQ_OK) status = read_figures(&is, csv, arena, error);
  if (status != CQ_OK) return status;
  char quarter[16], id[40], number[24];
  size_t differ = side_by_side(cli, &was, &is, false, NULL);
  *same = differ == 0;
  if (*same || (cq_cli_value(cli, "who") && cq_cli_value(cli, "reason"))) return CQ_OK;
  snprintf(quarter, sizeof quarter, "%.*s", (int)before->quarter.size, before->quarter.at);
  snprintf(id, sizeof id, "%.*s", (int)before->indicator.size, before->indicator.at);
  snprintf(number, sizeof number, "%zu", differ);
  return cq_error_set(error, CQ_REFUSED, "desk.snapshot.changed", id, quarter, number, NULL);
}

cq_status cq_snapshot_freeze(cq_cli *cli, const cq_figures_source *source, cq_str id, const cq_figures_wish *wish,
                             const char *quarter, cq_error *error) {
  cq_report report = {0};
  archive all = {0};
  cq_buf csv = {0}, asked = {0};
  cq_hash targets[3];
  cq_str texts[CQ_ORDER_MAX_TEXTS];
  char count_text[24];
  size_t count = 0;
  bool same = false;
  if (!quarter_right(quarter)) return cq_error_set(error, CQ_INVALID, "desk.snapshot.quarter", quarter, NULL);
  cq_status status = cq_figures_report(&report, source, id, wish, &targets[0], &count, error);
  if (status == CQ_OK && !report.count) status = cq_error_set(error, CQ_NOTFOUND, "desk.snapshot.empty", NULL);
  if (status == CQ_OK) status = read_archive(&all, source->desk, error);
  if (status == CQ_OK) {
    cq_report_csv(&report, CQ_STR("es"), &csv);
    asked_text(wish, &asked);
    if (csv.failed || asked.failed) status = cq_error_nomem(error);
  }
  const frozen *before = status == CQ_OK ? last_of(&all, cq_str_from(quarter), id, cq_buf_str(&asked)) : NULL;
  if (status == CQ_OK) status = compare(cli, before, cq_buf_str(&csv), all.arena, &same, error);
  if (status == CQ_OK && same) {
    cq_cli_say(cli, _("%.*s: frozen before for %s, and nothing has changed."), (int)id.size, id.at, quarter);
  } else if (status == CQ_OK) {
    const cq_indicator *i = report.rows[0].indicator;
    targets[1] = cq_hash_of(i->text.at, i->text.size);
    if (before) targets[2] = before->name;
    snprintf(count_text, sizeof count_text, "%zu", count);
    texts[QUARTER] = cq_str_from(quarter);
    texts[INDICATOR] = id;
    texts[ASKED] = cq_buf_str(&asked);
    texts[COUNT] = cq_str_from(count_text);
    size_t pieces = cut_texts(cq_buf_str(&csv), texts + FIGURES, CQ_ORDER_MAX_TEXTS - FIGURES);
    status = pieces == SIZE_MAX
                 ? cq_error_set(error, CQ_LIMIT, "desk.snapshot.large", NULL)
                 : sign(cli, source->desk, texts, FIGURES + pieces, targets, before ? 3 : 2, i->version, error);
    if (status == CQ_OK)
      cq_cli_say(cli,
                 before
                     ? _("%.*s: %zu figures frozen for %s as a revision; those before it stay and are shown with it.")
                     : _("%.*s: %zu figures frozen for %s, signed."),
                 (int)id.size, id.at, report.count, quarter);
  }
  cq_buf_fini(&csv);
  cq_buf_fini(&asked);
  archive_fini(&all);
  cq_report_fini(&report);
  return status;
}

/* --- showing --- */

static int by_quarter(const void *a, const void *b) {
  const frozen *x = a, *y = b;
  int order = cq_str_compare(x->quarter, y->quarter);
  if (!order) order = cq_str_compare(x->indicator, y->indicator);
  if (!order) order = cq_str_compare(x->asked, y->asked);
  return order ? order : (x->made_utc_ms > y->made_utc_ms) - (x->made_utc_ms < y->made_utc_ms);
}

static void say_frozen(const cq_cli *cli, const frozen *f, cq_buf *json, bool first) {
  char made[32], hash[65];
  cq_time_format_utc(f->made_utc_ms, made);
  cq_hash_hex(&f->cut, hash);
  cq_cli_say(cli, "%.*s  %.*s %lld  %.10s  %s", (int)f->quarter.size, f->quarter.at, (int)f->indicator.size,
             f->indicator.at, (long long)f->version, made, f->replaced ? _("revised since") : "");
  cq_cli_say(cli, _("    %.*s; %lld records, cut %.12s"), (int)f->asked.size, f->asked.at, (long long)f->records, hash);
  if (f->revision)
    cq_cli_say(cli, _("    revision by %.*s: %.*s"), (int)f->by.size, f->by.at, (int)f->reason.size, f->reason.at);
  cq_buf_add_text(json, first ? "\n{\"quarter\":" : ",\n{\"quarter\":");
  cq_cli_add_json(json, f->quarter);
  cq_buf_add_text(json, ",\"indicator\":");
  cq_cli_add_json(json, f->indicator);
  cq_buf_addf(
      json,
      ",\"version\":%lld,\"made\":\"%s\",\"cut\":\"%s\",\"records\":%lld,\"revision\":%s,\"replaced\":%s,\"asked\":",
      (long long)f->version, made, hash, (long long)f->records, f->revision ? "true" : "false",
      f->replaced ? "true" : "false");
  cq_cli_add_json(json, f->asked);
  cq_buf_add_text(json, ",\"by\":");
  cq_cli_add_json(json, f->by);
  cq_buf_add_text(json, ",\"reason\":");
  cq_cli_add_json(json, f->reason);
}

/* What was frozen beside what the same question answers now, by the same version of the definition. */
static cq_status show_now(const cq_cli *cli, const cq_figures_source *source, const frozen *f, cq_arena *arena,
                          cq_buf *json, size_t *differ, cq_error *error) {
  cq_report report = {0};
  cq_buf csv = {0};
  figure_list was, is;
  cq_figures_wish wish = wish_of(arena, f);
  cq_status status = cq_figures_report(&report, source, f->indicator, &wish, NULL, NULL, error);
  if (status == CQ_OK) {
    cq_report_csv(&report, CQ_STR("es"), &csv);
    status = csv.failed ? cq_error_nomem(error) : read_figures(&was, f->figures, arena, error);
  }
  if (status == CQ_OK) status = read_figures(&is, cq_buf_str(&csv), arena, error);
  cq_buf_add_text(json, ",\"figures\":[");
  if (status == CQ_OK) *differ += side_by_side(cli, &was, &is, true, json);
  cq_buf_add_char(json, ']');
  cq_buf_fini(&csv);
  cq_report_fini(&report);
  return status;
}

int cq_central_snapshots(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  archive all = {0};
  cq_figures_source source = {0};
  cq_buf json = {0};
  size_t said = 0, differ = 0;
  const char *quarter = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = read_archive(&all, &desk, &error);
  if (status == CQ_OK && quarter) status = cq_figures_open(&source, &desk, &error);
  if (status == CQ_OK && all.count) qsort(all.of, all.count, sizeof *all.of, by_quarter);
  for (size_t i = 0; status == CQ_OK && i < all.count; i++) {
    const frozen *f = &all.of[i];
    if (quarter && !cq_str_is(f->quarter, quarter)) continue;
    say_frozen(cli, f, &json, said++ == 0);
    if (quarter && !f->replaced) status = show_now(cli, &source, f, all.arena, &json, &differ, &error);
    cq_buf_add_char(&json, '}');
  }
  if (status == CQ_OK && cq_cli_flag(cli, "json")) printf("{\"snapshots\":[%s]}\n", json.at ? json.at : "");
  if (status == CQ_OK && !said)
    cq_cli_say(cli, "%s",
               _("Nothing was frozen. Freeze figures with: chasqui-central table INDICATOR --freeze 2013-Q1"));
  if (status == CQ_OK && differ)
    cq_cli_say(cli,
               _("%zu figures would be said otherwise now (*). To publish them, freeze again with --who and --reason."),
               differ);
  cq_buf_fini(&json);
  cq_figures_close(&source);
  archive_fini(&all);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
