/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/figures.h"

#include "chasqui/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cq_status cq_figures_open(cq_figures_source *s, cq_desk *desk, cq_error *error) {
  memset(s, 0, sizeof *s);
  s->desk = desk;
  cq_status status = cq_indicators_kept(&s->indicators, desk, error);
  return status == CQ_OK ? cq_collect_programme(desk, &s->calendar, &s->prices, error) : status;
}

void cq_figures_close(cq_figures_source *s) {
  cq_indicators_fini(&s->indicators);
  cq_calendar_free(s->calendar);
  free(s->prices);
}

/* --- what is asked --- */

/* A season, or (code "") a whole campaign. */
static bool parse_span(const char *text, cq_season_ref *ref) {
  int64_t year;
  memset(ref, 0, sizeof *ref);
  if (cq_season_parse(cq_str_from(text), ref)) return true;
  if (!cq_str_int64(cq_str_from(text), &year) || year < 1 || year > 9998) return false;
  ref->campaign = (int32_t)year;
  return true;
}

static void span_text(const cq_season_ref *ref, char out[CQ_SEASON_REF_SIZE]) {
  if (ref->code[0])
    cq_season_format(ref, out);
  else if (ref->campaign)
    snprintf(out, CQ_SEASON_REF_SIZE, "%d", (int)ref->campaign);
  else
    out[0] = '\0';
}

/* Seasons of a span: their places among the periods, and the codes of those that have no value. */
typedef struct span {
  cq_season_ref ref;
  size_t at[CQ_CALENDAR_MAX_SEASONS], count;
  cq_season_ref lacking[CQ_CALENDAR_MAX_SEASONS];
  size_t lacking_count;
} span;

static bool has_values(const cq_measure *m, size_t period) {
  for (size_t u = 0; u < m->drawn.units; u++)
    if (m->periods[period].of[u].state == CQ_MEASURED_VALUE) return true;
  return false;
}

static void add_season(const cq_measure *m, const cq_season_ref *ref, span *to) {
  for (size_t p = 0; p < m->period_count; p++) {
    if (!cq_season_same(&m->periods[p].ref, ref) || !has_values(m, p)) continue;
    to->at[to->count++] = p;
    return;
  }
  to->lacking[to->lacking_count++] = *ref;
}

static void resolve(const cq_figures_source *s, const cq_measure *m, const cq_season_ref *ref, span *to) {
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
  *to = (span){.ref = *ref};
  if (ref->code[0] || !ref->campaign) {
    add_season(m, ref, to);
    return;
  }
  size_t count = cq_calendar_campaign(s->calendar, CQ_STR(""), ref->campaign, seasons);
  for (size_t i = 0; i < count; i++) add_season(m, &seasons[i].ref, to);
}

/* Only seasons that both campaigns have: T1 to T3 against T1 to T3. */
static void keep_shared(const cq_measure *m, span *now, span *before) {
  span a = {.ref = now->ref}, b = {.ref = before->ref};
  for (size_t i = 0; i < now->count; i++)
    for (size_t j = 0; j < before->count; j++)
      if (strcmp(m->periods[now->at[i]].ref.code, m->periods[before->at[j]].ref.code) == 0) {
        a.at[a.count++] = now->at[i];
        b.at[b.count++] = before->at[j];
      }
  *now = a;
  *before = b;
}

static size_t months_of(const cq_measure *m, const size_t *periods, size_t count, int32_t *months) {
  size_t all = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < m->periods[periods[i]].month_count; k++) months[all++] = m->periods[periods[i]].months[k];
  return all;
}

static cq_str month_text(cq_report *report, const cq_measure *m, const size_t *periods, size_t count) {
  int32_t months[CQ_CALENDAR_MAX_SEASONS * CQ_PERIOD_MONTHS];
  size_t many = months_of(m, periods, count, months);
  cq_buf text = {0};
  for (size_t i = 0; i < many; i++) {
    bool before = false;
    for (size_t j = 0; j < i; j++) before = before || months[j] == months[i];
    if (!before)
      cq_buf_addf(&text, "%s%04d-%02d", text.size ? " " : "", (int)(months[i] / 12), (int)(months[i] % 12 + 1));
  }
  cq_str copy = text.failed ? CQ_STR("") : cq_arena_copy(report->arena, cq_buf_str(&text));
  cq_buf_fini(&text);
  return copy.at ? copy : CQ_STR("");
}

/* --- from figures to rows --- */

typedef struct context {
  cq_report *report;
  const cq_figures_source *source;
  const cq_indicator *indicator;
  const cq_collected *collected;
  const cq_figures_wish *wish;
  cq_error *error;
} context;

static cq_str kept(const context *c, cq_str text) {
  cq_str copy = cq_arena_copy(c->report->arena, text);
  return copy.at ? copy : CQ_STR("");
}

/* "sur − norte" */
static cq_str contrast_name(const context *c, const cq_figure *f) {
  const cq_levels *groups = &c->collected->measure.groups;
  cq_buf text = {0};
  cq_buf_add_str(&text, groups->names[f->of[1]]);
  cq_buf_add_text(&text, " − ");
  cq_buf_add_str(&text, groups->names[f->of[0]]);
  cq_str name = text.failed ? CQ_STR("") : kept(c, cq_buf_str(&text));
  cq_buf_fini(&text);
  return name;
}

/* A block for each source (and for each kind of figure the text makes a head of its own). */
static cq_status put_figures(const context *c, const cq_figures *figures, const span *now, const span *before,
                             cq_str prices) {
  const cq_measure *m = &c->collected->measure;
  cq_status status = CQ_OK;
  cq_str months = month_text(c->report, m, now->at, now->count);
  cq_str months_before = before ? month_text(c->report, m, before->at, before->count) : CQ_STR("");
  const cq_figure *last = NULL;
  /* levels and changes by kind, so that a table's lines stand together */
  for (int kind = 0; kind < CQ_FIGURE_KINDS; kind++)
    for (size_t i = 0; status == CQ_OK && i < figures->count; i++) {
      const cq_figure *f = &figures->items[i];
      if ((int)f->kind != kind) continue;
      if (!last || last->source != f->source || last->before != f->before || last->kind != f->kind) c->report->blocks++;
      last = f;
      cq_report_row row = {.indicator = c->indicator,
                           .figure = *f,
                           .by = c->wish->by ? kept(c, cq_str_from(c->wish->by)) : CQ_STR(""),
                           .months = months,
                           .months_before = months_before,
                           .prices = prices,
                           .block = c->report->blocks - 1};
      if (f->group != UINT32_MAX) row.group = kept(c, m->groups.names[f->group]);
      if (f->kind == CQ_FIGURE_CONTRAST) row.group = contrast_name(c, f);
      span_text(&now->ref, row.season);
      if (before) span_text(&before->ref, row.before);
      status = cq_report_add(c->report, &row, c->error);
    }
  return status;
}

/* What must be known to read the figures: said once, after the last of them. */
static cq_status say_figures(const context *c, const cq_figures *figures, cq_status status) {
  size_t missing = 0, not_applicable = 0, conflicts = 0;
  for (size_t i = 0; i < figures->count; i++) {
    if (figures->items[i].group != UINT32_MAX) continue;
    if (figures->items[i].missing > missing) missing = figures->items[i].missing;
    if (figures->items[i].not_applicable > not_applicable) not_applicable = figures->items[i].not_applicable;
    if (figures->items[i].conflicts > conflicts) conflicts = figures->items[i].conflicts;
  }
  size_t units = c->collected->measure.drawn.units;
  if (status == CQ_OK && !c->collected->measure.census && figures->answered < units)
    status = cq_report_note_add(c->report, c->error,
                                _("%zu of %zu persons of the frame answered; their weights stand for the others."),
                                figures->answered, units);
  if (status == CQ_OK && (missing || not_applicable || conflicts))
    status =
        cq_report_note_add(c->report, c->error,
                           _("Left out of the estimate and kept in the design: %zu missing, %zu not applicable, %zu "
                             "with two complete visits."),
                           missing, not_applicable, conflicts);
  if (status == CQ_OK && figures->joined)
    status = cq_report_note_add(
        c->report, c->error,
        cq_cli_plural("%zu stratum was joined with the next one: fewer than two persons answered there.",
                      "%zu strata were joined with the next one: fewer than two persons answered there.",
                      figures->joined),
        figures->joined);
  return status;
}

static cq_status level(const context *c, const span *of) {
  cq_figures figures = {0};
  cq_figure_wish wish = {.together = c->wish->together, .contrast = c->wish->contrast};
  cq_status status = cq_measure_level(&figures, &c->collected->measure, of->at, of->count, &wish, c->error);
  if (status == CQ_OK) status = put_figures(c, &figures, of, NULL, CQ_STR(""));
  status = say_figures(c, &figures, status);
  if (status == CQ_OK && of->lacking_count) {
    char all[CQ_CALENDAR_MAX_SEASONS * CQ_SEASON_REF_SIZE] = "";
    for (size_t i = 0; i < of->lacking_count; i++) {
      size_t at = strlen(all);
      snprintf(all + at, sizeof all - at, "%s%s", i ? " " : "", of->lacking[i].code);
    }
    status = cq_report_note_add(
        c->report, c->error, _("Without %s: this is no whole campaign, and multiplying would not make it one."), all);
  }
  cq_figures_fini(&figures);
  return status;
}

/* The campaign's missing seasons by the ratio of the campaign before, where that one is whole. */
static cq_status reconstruct(const context *c, const span *now) {
  const cq_measure *m = &c->collected->measure;
  cq_season_ref last = {.campaign = now->ref.campaign - 1};
  span before, shared = *now, missing = {.ref = last};
  cq_figures figures = {0};
  if (!now->lacking_count || !now->count || c->indicator->kind > CQ_ESTIMATE_TOTAL) return CQ_OK;
  resolve(c->source, m, &last, &before);
  if (before.lacking_count || !before.count)
    return cq_report_note_add(c->report, c->error,
                              _("It cannot be rebuilt: the campaign %d before it is not whole either."),
                              (int)last.campaign);
  for (size_t i = 0; i < before.count; i++)
    for (size_t l = 0; l < now->lacking_count; l++)
      if (strcmp(m->periods[before.at[i]].ref.code, now->lacking[l].code) == 0)
        missing.at[missing.count++] = before.at[i];
  keep_shared(m, &shared, &before);
  if (!shared.count || !missing.count) return CQ_OK;
  cq_status status =
      cq_measure_reconstruct(&figures, m, shared.at, before.at, shared.count, missing.at, missing.count, c->error);
  for (size_t i = 0; i < missing.count; i++) before.at[before.count++] = missing.at[i]; /* it rests on these too */
  if (status == CQ_OK) status = put_figures(c, &figures, &shared, &before, CQ_STR(""));
  if (status == CQ_OK && figures.count) status = say_figures(c, &figures, status);
  if (status == CQ_OK && !figures.count)
    status =
        cq_report_note_add(c->report, c->error, "%s", _("It cannot be rebuilt: nobody has both campaigns' values."));
  cq_figures_fini(&figures);
  return status;
}

/* Money of two years: at the prices of the later, where the index has every month. */
static double deflator(const context *c, const span *now, const span *before, cq_str *prices) {
  const cq_measure *m = &c->collected->measure;
  int32_t months[2][CQ_CALENDAR_MAX_SEASONS * CQ_PERIOD_MONTHS];
  size_t a = months_of(m, now->at, now->count, months[0]), b = months_of(m, before->at, before->count, months[1]);
  double of_now, of_before;
  char text[CQ_SEASON_REF_SIZE];
  *prices = CQ_STR("");
  if (!c->indicator->money) return 0;
  *prices = CQ_STR("nominal");
  if (c->wish->nominal || !c->source->prices || !cq_prices_mean(c->source->prices, months[0], a, &of_now) ||
      !cq_prices_mean(c->source->prices, months[1], b, &of_before))
    return 0;
  span_text(&now->ref, text);
  *prices = kept(c, cq_str_from(text));
  return of_now / of_before;
}

static cq_status change(const context *c, const span *now_asked, const cq_season_ref *ref) {
  span now = *now_asked, before;
  cq_figures figures = {0};
  cq_str prices;
  char text[CQ_SEASON_REF_SIZE];
  resolve(c->source, &c->collected->measure, ref, &before);
  keep_shared(&c->collected->measure, &now, &before);
  span_text(ref, text);
  if (!now.count) return cq_error_set(c->error, CQ_NOTFOUND, "desk.indicator.season", text, NULL);
  cq_figure_wish wish = {.together = c->wish->together, .contrast = c->wish->contrast};
  wish.deflate = deflator(c, &now, &before, &prices);
  cq_status status = cq_measure_change(&figures, &c->collected->measure, now.at, before.at, now.count, &wish, c->error);
  if (status == CQ_OK) status = put_figures(c, &figures, &now, &before, prices);
  status = say_figures(c, &figures, status);
  if (status == CQ_OK && !figures.count)
    status = cq_report_note_add(c->report, c->error, _("Nobody has both values, of %s and of the season asked about."),
                                text);
  cq_figures_fini(&figures);
  return status;
}

/* --- an indicator --- */

static cq_status not_found(const cq_figures_source *s, cq_str id, cq_error *error) {
  cq_str names[CQ_INDICATOR_MAX_ROWS];
  char asked[64], nearest[64];
  for (size_t i = 0; i < s->indicators.count; i++) names[i] = s->indicators.items[i].id;
  cq_str near = cq_name_nearest(id, names, s->indicators.count);
  snprintf(asked, sizeof asked, "%.*s", (int)(id.size < 60 ? id.size : 60), id.at);
  snprintf(nearest, sizeof nearest, "%.*s", (int)near.size, near.size ? near.at : "");
  return cq_error_set(error, CQ_NOTFOUND, near.size ? "desk.indicator.near" : "desk.indicator.none", asked, nearest,
                      NULL);
}

static cq_status check_by(const cq_indicator *i, const char *by, cq_error *error) {
  char id[40], all[CQ_ERROR_ARG_SIZE] = "";
  if (!by) return CQ_OK;
  for (size_t n = 0; n < i->by_count; n++) {
    if (cq_str_is(i->by[n], by)) return CQ_OK;
    size_t at = strlen(all);
    snprintf(all + at, sizeof all - at, "%s%.*s", n ? " " : "", (int)i->by[n].size, i->by[n].at);
  }
  snprintf(id, sizeof id, "%.*s", (int)i->id.size, i->id.at);
  return cq_error_set(error, CQ_REFUSED, "desk.indicator.by", by, id, all, NULL);
}

/* Seasons that may be asked about together: the same code in another campaign, or two campaigns. */
static cq_status check_spans(const cq_indicator *i, const cq_figures_wish *w, cq_season_ref *now, cq_season_ref *before,
                             cq_error *error) {
  char instead[CQ_SEASON_REF_SIZE + 8], season[40];
  const char *wrong = NULL;
  if (w->season && !parse_span(w->season, now)) wrong = w->season;
  if (w->compare && !parse_span(w->compare, before)) wrong = w->compare;
  if (wrong) return cq_error_set(error, CQ_INVALID, "desk.indicator.span", wrong, NULL);
  snprintf(season, sizeof season, "%.*s", (int)i->id.size, i->id.at);
  if (i->once && (w->season || w->compare)) return cq_error_set(error, CQ_REFUSED, "desk.indicator.once", season, NULL);
  if (w->season && !now->code[0] && i->kind == CQ_ESTIMATE_PROPORTION)
    return cq_error_set(error, CQ_REFUSED, "desk.indicator.sum", season, NULL);
  if (!w->compare || strcmp(now->code, before->code) == 0) return CQ_OK;
  int campaign = before->campaign == now->campaign ? now->campaign - 1 : before->campaign;
  if (now->code[0])
    snprintf(instead, sizeof instead, "%d-%s", campaign, now->code);
  else
    snprintf(instead, sizeof instead, "%d", campaign);
  return cq_error_set(error, CQ_REFUSED, "desk.indicator.compare", w->season, w->compare, instead, NULL);
}

static cq_status all_seasons(const context *c) {
  cq_status status = CQ_OK;
  for (size_t p = 0; status == CQ_OK && p < c->collected->measure.period_count; p++) {
    span of = {.ref = c->collected->measure.periods[p].ref, .at = {p}, .count = 1};
    cq_error wrong;
    cq_error_clear(&wrong);
    context one = *c;
    one.error = &wrong;
    if (!has_values(&c->collected->measure, p)) continue;
    status = level(&one, &of);
    if (status == CQ_INVALID && wrong.code && strcmp(wrong.code, "central.respond.none") == 0) {
      char season[CQ_SEASON_REF_SIZE];
      span_text(&of.ref, season);
      status = cq_report_note_add(c->report, c->error, _("%s: fewer than two persons answered, no figure."),
                                  *season ? season : _("no season"));
    } else if (status != CQ_OK && c->error) {
      *c->error = wrong;
    }
  }
  return status;
}

static cq_status one_span(const context *c, const cq_season_ref *now, const cq_season_ref *before) {
  span of;
  resolve(c->source, &c->collected->measure, now, &of);
  if (!of.count) return cq_error_set(c->error, CQ_NOTFOUND, "desk.indicator.season", c->wish->season, NULL);
  cq_status status = level(c, &of);
  if (status == CQ_OK && !now->code[0]) status = reconstruct(c, &of);
  if (status == CQ_OK && c->wish->compare) status = change(c, &of, before);
  return status;
}

static cq_status say_source(const context *c) {
  const cq_collected *d = c->collected;
  char hash[65];
  cq_hash_hex(&d->cut, hash);
  char day[11];
  cq_date_format(cq_date_from_day(c->wish->day), day);
  cq_status status =
      d->measure.census
          ? cq_report_note_add(c->report, c->error,
                               _("Every record counted, no sample behind it: %zu records on %s, cut %.12s."),
                               d->cut_count, day, hash)
          : cq_report_note_add(c->report, c->error,
                               _("Records: %zu on %s, cut %.12s; frame %.*s, persons: %zu, strata: %zu."), d->cut_count,
                               day, hash, (int)c->indicator->dataset.size, c->indicator->dataset.at,
                               d->measure.drawn.units, d->measure.drawn.strata);
  bool memory = false;
  for (size_t p = 0; p < d->measure.period_count; p++) memory = memory || d->measure.periods[p].memory;
  if (status == CQ_OK && memory)
    status = d->measure.pairs
                 ? cq_report_note_add(c->report, c->error,
                                      _("What is recalled was multiplied by k = %.4f (%zu pairs, bias of "
                                        "recall %+.1f %%; by grade of precision where ten pairs have it)."),
                                      d->measure.factor, d->measure.pairs, 100 * (1 / d->measure.factor - 1))
                 : cq_report_note_add(c->report, c->error, "%s",
                                      _("Nobody has a recalled and a registered value of one season: what is "
                                        "recalled stands as it was told."));
  if (status == CQ_OK && d->strangers)
    status = cq_report_note_add(c->report, c->error, _("%zu values are of persons who are not in the frame; left out."),
                                d->strangers);
  if (status == CQ_OK && d->unknown)
    status =
        cq_report_note_add(c->report, c->error, _("%zu values name no season of the calendar; left out."), d->unknown);
  if (status == CQ_OK && d->unreadable)
    status = cq_report_note_add(c->report, c->error,
                                cq_cli_plural("%zu record is of a form that is not known here.",
                                              "%zu records are of a form that is not known here.", d->unreadable),
                                d->unreadable);
  return status;
}

cq_status cq_figures_report(cq_report *report, const cq_figures_source *s, cq_str id, const cq_figures_wish *wish,
                            cq_hash *cut, size_t *cut_count, cq_error *error) {
  const cq_indicator *i = cq_indicators_find(&s->indicators, id, wish->version, wish->day);
  cq_season_ref now = {0}, before = {0};
  cq_collected collected = {0};
  if (!report->arena && !(report->arena = cq_arena_new(0))) return cq_error_nomem(error);
  report->practice = s->desk->mode == CQ_MODE_PRACTICE;
  if (!i) return not_found(s, id, error);
  cq_status status = check_by(i, wish->by, error);
  if (status == CQ_OK) status = check_spans(i, wish, &now, &before, error);
  if (status == CQ_OK) status = cq_collect(&collected, s->desk, i, &s->indicators, s->calendar, wish->by, error);
  context c = {report, s, i, &collected, wish, error};
  if (status == CQ_OK) status = wish->season ? one_span(&c, &now, &before) : all_seasons(&c);
  if (status == CQ_OK) status = say_source(&c);
  if (cut) *cut = collected.cut;
  if (cut_count) *cut_count = collected.cut_count;
  cq_collected_fini(&collected);
  return status;
}
