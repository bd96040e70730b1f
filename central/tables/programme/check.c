/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/programme/check.h"

#include "central/tables/survey/data.h"
#include "chasqui/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_FILLED = 10, SHOWN_RECORDS = 5, SHOWN_UNITS = 6 };

cq_status cq_findings_init(cq_findings *f, cq_error *error) {
  memset(f, 0, sizeof *f);
  return (f->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
}

void cq_findings_fini(cq_findings *f) {
  cq_arena_free(f->arena);
  memset(f, 0, sizeof *f);
}

cq_status cq_finding_add(cq_findings *f, cq_str check, cq_str title, const cq_buf *what, cq_str where, const char *next,
                         cq_error *error) {
  size_t of_this = 0;
  for (size_t i = 0; i < f->count; i++) of_this += cq_str_equal(f->at[i].check, check);
  f->all++;
  if (what->failed) return cq_error_nomem(error);
  if (f->count == CQ_FINDINGS_MAX || of_this == CQ_FINDINGS_PER_CHECK) return CQ_OK;
  cq_finding *one = &f->at[f->count++];
  one->check = cq_arena_copy(f->arena, check.size ? check : CQ_STR(""));
  one->title = cq_arena_copy(f->arena, title.size ? title : CQ_STR(""));
  one->what = cq_arena_copy(f->arena, cq_buf_str(what));
  one->where = cq_arena_copy(f->arena, where.size ? where : CQ_STR(""));
  one->next = cq_arena_copy(f->arena, cq_str_from(next));
  return one->check.at && one->title.at && one->what.at && one->where.at && one->next.at ? CQ_OK
                                                                                         : cq_error_nomem(error);
}

/* --- one check --- */

typedef struct looking {
  cq_findings *findings;
  cq_desk *desk;
  const cq_definitions *definitions;
  const cq_check_how *how;
  const cq_check_def *def;
  cq_facts facts;
  cq_conditions where;
  size_t field, per, of, fields[CQ_TABLES_MAX_FIELDS];
  cq_buf what, place;
} looking;

static const char *cut(cq_str text, char out[96]) {
  snprintf(out, 96, "%.*s", (int)(text.size < 95 ? text.size : 95), text.size ? text.at : "");
  return out;
}

/* The sentence in `what` about the records in `place`. */
static cq_status tell(looking *l, const char *next, cq_error *error) {
  cq_status status = l->place.failed ? cq_error_nomem(error)
                                     : cq_finding_add(l->findings, l->def->name, l->def->title, &l->what,
                                                      cq_buf_str(&l->place), next, error);
  cq_buf_reset(&l->what);
  cq_buf_reset(&l->place);
  return status;
}

static void add_record(looking *l, const cq_fact *fact, size_t number) {
  if (number > SHOWN_RECORDS) return;
  if (number == SHOWN_RECORDS) {
    cq_buf_add_text(&l->place, " …");
    return;
  }
  cq_buf_add_text(&l->place, number ? ", " : _("record "));
  cq_buf_add(&l->place, fact->record.at, fact->record.size < 12 ? fact->record.size : 12);
}

static cq_status bind(looking *l, cq_str name, size_t *field, cq_error *error) {
  char text[96], form[96];
  *field = SIZE_MAX;
  if (!name.size) return CQ_OK;
  *field = cq_facts_field(&l->facts, name);
  if (*field != SIZE_MAX) return CQ_OK;
  return cq_error_set(error, CQ_NOTFOUND, "tables.field", cut(name, text), cut(l->def->form, form), NULL);
}

static cq_status open_facts(looking *l, cq_error *error) {
  const cq_check_def *c = l->def;
  cq_str missing = CQ_STR("");
  char text[96], form[96];
  cq_status status = cq_facts_open(&l->facts, l->desk, c->form, c->repeat, NULL, error);
  if (status == CQ_OK) status = bind(l, c->field, &l->field, error);
  if (status == CQ_OK) status = bind(l, c->per, &l->per, error);
  if (status == CQ_OK) status = bind(l, c->of, &l->of, error);
  for (size_t i = 0; status == CQ_OK && i < c->fields.count; i++)
    status = bind(l, c->fields.at[i], &l->fields[i], error);
  if (status == CQ_OK && !cq_conditions_bind(&l->where, &c->where, &l->facts, &missing))
    status = cq_error_set(error, CQ_NOTFOUND, "tables.field", cut(missing, text), cut(c->form, form), NULL);
  return status == CQ_OK ? cq_facts_read(&l->facts, true, error) : status;
}

static bool number_at(const cq_fact *fact, size_t field, int64_t *value) {
  return cq_amount_parse(cq_fact_value(fact, field), value);
}

static void add_value(cq_buf *out, int64_t hundredths) {
  cq_buf_addf(out, "%lld", (long long)(hundredths / 100));
  if (hundredths % 100) cq_buf_addf(out, ".%02lld", (long long)(hundredths < 0 ? -hundredths : hundredths) % 100);
}

/* The parts of a total: fields of the record, or of its rows. */
static cq_status check_sum(looking *l, cq_error *error) {
  const cq_facts *f = &l->facts;
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < f->count;) {
    int64_t total, sum = 0, part;
    size_t from = i;
    bool whole = true;
    /* rows of a repeat follow one another; without one each fact is a record */
    do {
      for (size_t k = 0; k < l->def->fields.count; k++)
        if (number_at(&f->at[i], l->fields[k], &part))
          sum += part;
        else
          whole = false;
      i++;
    } while (f->table && i < f->count && cq_str_equal(f->at[i].record, f->at[from].record));
    const cq_fact *fact = &f->at[from];
    if (!cq_conditions_hold(&l->where, fact) || !whole || !number_at(fact, l->field, &total) || total == sum) continue;
    cq_buf_add_text(&l->what, _("A total is not the sum of its parts: it says "));
    add_value(&l->what, total);
    cq_buf_add_text(&l->what, _(", and they add to "));
    add_value(&l->what, sum);
    cq_buf_add_char(&l->what, '.');
    add_record(l, fact, 0);
    status = tell(l, _("Find the part that is missing or doubled; never correct the total alone."), error);
  }
  return status;
}

typedef struct keyed {
  cq_str key, value;
  const cq_fact *fact;
} keyed;

static int by_key(const void *left, const void *right) {
  const keyed *a = left, *b = right;
  int order = cq_str_compare(a->key, b->key);
  return order ? order : cq_str_compare(a->value, b->value);
}

/* The facts that count, sorted by a key made of fields; blank keys are left out. */
static cq_status sort_facts(looking *l, const size_t *fields, size_t count, size_t value, keyed **out, size_t *found,
                            cq_error *error) {
  cq_buf key = {0};
  keyed *all = malloc((l->facts.count + 1) * sizeof *all);
  *out = all;
  *found = 0;
  if (!all) return cq_error_nomem(error);
  for (size_t i = 0; i < l->facts.count; i++) {
    const cq_fact *fact = &l->facts.at[i];
    bool whole = cq_conditions_hold(&l->where, fact);
    cq_buf_reset(&key);
    for (size_t k = 0; k < count; k++) {
      cq_str part = cq_str_trim(cq_fact_value(fact, fields[k]));
      if (k == 0 && !part.size) whole = false;
      cq_buf_add_str(&key, part);
      cq_buf_add_char(&key, '\x1F');
    }
    if (!whole) continue;
    keyed *one = &all[(*found)++];
    *one = (keyed){.key = cq_arena_copy(l->facts.arena, cq_buf_str(&key)), .fact = fact};
    if (value != SIZE_MAX) one->value = cq_str_trim(cq_fact_value(fact, value));
    if (!one->key.at || key.failed) {
      cq_buf_fini(&key);
      return cq_error_nomem(error);
    }
  }
  cq_buf_fini(&key);
  if (*found) qsort(all, *found, sizeof *all, by_key);
  return CQ_OK;
}

static cq_status check_unique(looking *l, cq_error *error) {
  keyed *all = NULL;
  size_t count, to;
  cq_status status = sort_facts(l, l->fields, l->def->fields.count, SIZE_MAX, &all, &count, error);
  for (size_t from = 0; status == CQ_OK && from < count; from = to) {
    for (to = from + 1; to < count && cq_str_equal(all[to].key, all[from].key);) to++;
    if (to - from < 2) continue;
    cq_buf_addf(&l->what, _("%zu rows have the same value, which should belong to one."), to - from);
    for (size_t i = from; i < to; i++) add_record(l, all[i].fact, i - from);
    status =
        tell(l, _("Look whether one thing was recorded twice (void one record), or one number given to two."), error);
  }
  free(all);
  return status;
}

static cq_status check_at_most(looking *l, cq_error *error) {
  cq_status status = CQ_OK;
  int64_t value, most = (int64_t)(l->def->most * 100);
  for (size_t i = 0; status == CQ_OK && i < l->facts.count; i++) {
    const cq_fact *fact = &l->facts.at[i];
    /* a field of the record around a repeat is looked at once */
    if (i && cq_str_equal(fact->record, fact[-1].record) && !l->facts.fields[l->field].in_repeat) continue;
    if (!cq_conditions_hold(&l->where, fact) || !number_at(fact, l->field, &value)) continue;
    if (l->of != SIZE_MAX && !number_at(fact, l->of, &most)) continue;
    if (value <= most) continue;
    cq_buf_add_text(&l->what, _("It says "));
    add_value(&l->what, value);
    cq_buf_add_text(&l->what, _(", and cannot be more than "));
    add_value(&l->what, most);
    cq_buf_add_char(&l->what, '.');
    add_record(l, fact, 0);
    status = tell(l, _("Check that both figures are about the same thing and the same months."), error);
  }
  return status;
}

/* Units in any case and spelling of blanks are one: "kg", "Kg ". */
static bool same_unit(cq_str a, cq_str b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; i++) {
    char x = a.at[i], y = b.at[i];
    if (x >= 'A' && x <= 'Z') x = (char)(x | 0x20);
    if (y >= 'A' && y <= 'Z') y = (char)(y | 0x20);
    if (x != y) return false;
  }
  return true;
}

static cq_status check_units(looking *l, cq_error *error) {
  keyed *all = NULL;
  size_t count, to;
  cq_status status = sort_facts(l, &l->per, 1, l->field, &all, &count, error);
  for (size_t from = 0; status == CQ_OK && from < count; from = to) {
    cq_buf units = {0};
    size_t different = 0, shown = 0;
    cq_str last = CQ_STR("");
    for (to = from; to < count && cq_str_equal(all[to].key, all[from].key); to++) {
      if (!all[to].value.size || same_unit(all[to].value, last)) continue;
      last = all[to].value;
      if (different < SHOWN_UNITS) cq_buf_addf(&units, "%s%.*s", different ? ", " : "", (int)last.size, last.at);
      different++;
      add_record(l, all[to].fact, shown++);
    }
    if (different > 1) {
      cq_buf_addf(&l->what, _("“%.*s” stands in %zu units, which cannot be added: %s."), (int)(all[from].key.size - 1),
                  all[from].key.at, different, units.at ? units.at : "");
      status = tell(l, _("Agree on one unit, and convert before adding or comparing."), error);
    }
    cq_buf_reset(&l->what);
    cq_buf_reset(&l->place);
    cq_buf_fini(&units);
  }
  free(all);
  return status;
}

static cq_status check_prefix(looking *l, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < l->facts.count; i++) {
    const cq_fact *fact = &l->facts.at[i];
    cq_str inner = cq_fact_value(fact, l->field);
    for (size_t k = 0; status == CQ_OK && inner.size && k < l->def->fields.count; k++) {
      cq_str outer = cq_fact_value(fact, l->fields[k]);
      if (!outer.size || cq_str_starts(inner, outer) || !cq_conditions_hold(&l->where, fact)) continue;
      cq_buf_addf(&l->what, _("The place %.*s does not lie in %.*s."), (int)inner.size, inner.at, (int)outer.size,
                  outer.at);
      add_record(l, fact, 0);
      status = tell(l, _("Correct the place by its INEI code."), error);
      break;
    }
  }
  return status;
}

static cq_status check_days(looking *l, cq_error *error) {
  cq_status status = CQ_OK;
  char first[11], last[11];
  for (size_t i = 0; status == CQ_OK && i < l->facts.count; i++) {
    const cq_fact *fact = &l->facts.at[i];
    cq_date date;
    if (!cq_conditions_hold(&l->where, fact) || !cq_date_parse(cq_fact_value(fact, l->field), &date)) continue;
    int32_t day = cq_date_to_day(date);
    bool early = l->how->starts != CQ_CHECK_NO_DAY && day < l->how->starts;
    if (!early && (l->how->ends == CQ_CHECK_NO_DAY || day <= l->how->ends)) continue;
    cq_buf_addf(
        &l->what, early ? _("%s is before the programme began, on %s.") : _("%s is after the programme ended, on %s."),
        cq_date_format(date, first), cq_date_format(cq_date_from_day(early ? l->how->starts : l->how->ends), last));
    add_record(l, fact, 0);
    status = tell(l, _("Correct the date, or leave it out of the programme's figures and say so."), error);
  }
  return status;
}

static cq_status check_filled(looking *l, cq_error *error) {
  cq_str first = CQ_STR("");
  size_t answers = 0;
  for (size_t i = 0; i < l->facts.count; i++) {
    cq_str value = cq_fact_value(&l->facts.at[i], l->field);
    if (!value.size || !cq_conditions_hold(&l->where, &l->facts.at[i])) continue;
    if (answers && !cq_str_equal(value, first)) return CQ_OK;
    first = value;
    answers++;
  }
  if (answers < LEAST_FILLED) return CQ_OK;
  cq_buf_addf(&l->what,
              _("All %zu answers are “%.*s”: a column that never varies tells nothing, and may have been filled "
                "by default."),
              answers, (int)first.size, first.at);
  cq_buf_addf(&l->place, _("form %.*s, field %.*s"), (int)l->def->form.size, l->def->form.at, (int)l->def->field.size,
              l->def->field.at);
  return tell(l, _("Ask the technicians how it was asked; do not print it until that is known."), error);
}

static cq_status check_baseline(looking *l, cq_error *error) {
  cq_ties ties[CQ_TABLES_MAX_FIELDS];
  const cq_ties *links[CQ_TABLES_MAX_FIELDS];
  cq_same same = {0};
  size_t read = 0;
  char day[11], began[11];
  cq_status status = cq_same_read(&same, l->desk, l->facts.dataset, error);
  for (; status == CQ_OK && read < l->def->link.count; read++) {
    links[read] = &ties[read];
    status = cq_ties_read(&ties[read], l->desk, cq_definitions_link(l->definitions, l->def->link.at[read]),
                          read ? NULL : &same, error);
  }
  for (size_t i = 0; status == CQ_OK && read > 0 && i < l->facts.count; i++) {
    const cq_fact *fact = &l->facts.at[i];
    cq_str who = cq_same_of(&same, cq_fact_value(fact, l->of));
    if (!who.size || !cq_conditions_hold(&l->where, fact)) continue;
    /* a membership is known from the baseline itself, so what matters is since when the last link holds */
    int32_t since = INT32_MAX;
    const cq_ties *last = links[read - 1];
    for (size_t k = 0; k < ties[0].count; k++) {
      if (!cq_str_equal(ties[0].at[k].of, who) || ties[0].at[k].ends) continue;
      int32_t begin = read > 1 ? cq_ties_begin(&last, 1, ties[0].at[k].to) : ties[0].at[k].day;
      if (begin < since) since = begin;
    }
    if (since == INT32_MAX || since == INT32_MIN || fact->day <= since) continue;
    cq_buf_addf(&l->what, _("A baseline of %s is %d days late: the person's organisation was funded on %s."),
                cq_date_format(cq_date_from_day(fact->day), day), (int)(fact->day - since),
                cq_date_format(cq_date_from_day(since), began));
    add_record(l, fact, 0);
    status = tell(l, _("Do not call it a baseline: mark it as late, and use the recall block for the months before."),
                  error);
  }
  for (size_t i = 0; i < read; i++) cq_ties_fini(&ties[i]);
  cq_same_fini(&same);
  return status;
}

/* --- checks without a form of their own --- */

static cq_status total_of(looking *l, cq_str name, int64_t *total, cq_str *title, cq_error *error) {
  cq_crosstab tab;
  cq_tabulation how = {.at = l->how->at, .audience = CQ_AUDIENCE_INTERNAL};
  const cq_table_def *def = cq_definitions_table(l->definitions, name);
  cq_status status = cq_tabulate(&tab, l->desk, l->definitions, def, &how, error);
  if (status == CQ_OK) {
    const cq_tab_figure *all = cq_crosstab_at(&tab, tab.outer.count, tab.inner.count, tab.columns.count);
    *total = tab.sums ? all->amount : all->count;
    *title = def->title;
  }
  cq_crosstab_fini(&tab);
  return status;
}

static cq_status check_agree(looking *l, cq_error *error) {
  int64_t totals[2] = {0};
  cq_str titles[2];
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < 2; i++)
    status = total_of(l, l->def->fields.at[i], &totals[i], &titles[i], error);
  if (status != CQ_OK || totals[0] == totals[1]) return status;
  cq_buf_addf(&l->what, _("Two tables should have the same total: “%.*s” has %lld, “%.*s” has %lld."),
              (int)titles[0].size, titles[0].at, (long long)totals[0], (int)titles[1].size, titles[1].at,
              (long long)totals[1]);
  cq_buf_addf(&l->place, _("tables %.*s and %.*s"), (int)l->def->fields.at[0].size, l->def->fields.at[0].at,
              (int)l->def->fields.at[1].size, l->def->fields.at[1].at);
  return tell(l, _("Find what one of them lacks; quote one of them only, with its name and date."), error);
}

typedef struct campaign_months {
  int32_t campaign;
  bool covered[24]; /* counted from the campaign year's January */
} campaign_months;

static void cover(campaign_months *c, cq_str months) {
  for (size_t i = 0; i + 7 <= months.size; i += 8) {
    int64_t year, month;
    if (!cq_str_int64((cq_str){months.at + i, 4}, &year) || !cq_str_int64((cq_str){months.at + i + 5, 2}, &month))
      continue;
    int64_t at = (year - c->campaign) * 12 + month - 1;
    if (at >= 0 && at < 24) c->covered[at] = true;
  }
}

static cq_status tell_months(looking *l, const campaign_months *c, cq_error *error) {
  cq_season seasons[CQ_CALENDAR_MAX_SEASONS];
  size_t count = cq_calendar_campaign(l->how->calendar, CQ_STR(""), c->campaign, seasons), expected = 0, covered = 0;
  cq_buf missing = {0};
  bool seen[24] = {false};
  for (size_t s = 0; s < count; s++) {
    int32_t months[24];
    size_t n = cq_season_months(&seasons[s], months, 24);
    for (size_t m = 0; m < n && seasons[s].end <= l->how->at + 1; m++) {
      int32_t at = months[m] - c->campaign * 12;
      if (at < 0 || at >= 24 || seen[at]) continue;
      seen[at] = true;
      expected++;
      covered += c->covered[at];
      if (!c->covered[at])
        cq_buf_addf(&missing, "%s%04d-%02d", missing.size ? ", " : "", (int)(months[m] / 12),
                    (int)(months[m] % 12 + 1));
    }
  }
  cq_status status = CQ_OK;
  if (covered < expected) {
    cq_buf_addf(&l->what, _("Campaign %d rests on %zu of the %zu months that are over; nothing is known of %s."),
                (int)c->campaign, covered, expected, missing.at);
    cq_buf_addf(&l->place, _("coverage of campaign %d"), (int)c->campaign);
    status =
        tell(l, _("Recover the season while it is remembered, or reconstruct it and say so; never multiply by 12/9."),
             error);
  }
  cq_buf_fini(&missing);
  return status;
}

static cq_status check_months(looking *l, cq_error *error) {
  sqlite3_stmt *s = NULL;
  campaign_months now = {.campaign = 0};
  cq_status status = cq_desk_prepare(
      l->desk, &s,
      "SELECT substr(season, 1, 4), months FROM visit WHERE season <> '' AND result = 1 AND voided = 0 AND edited = 0 "
      "AND day <= ?1 ORDER BY 1",
      error);
  if (status == CQ_OK) sqlite3_bind_int(s, 1, l->how->at);
  for (bool row = true; status == CQ_OK;) {
    int64_t campaign;
    if ((status = cq_desk_step(l->desk, s, &row, error)) != CQ_OK || !row) break;
    if (!cq_str_int64(cq_desk_text(s, 0), &campaign)) continue;
    if (campaign != now.campaign && now.campaign) status = tell_months(l, &now, error);
    if (campaign != now.campaign) now = (campaign_months){.campaign = (int32_t)campaign};
    cover(&now, cq_desk_text(s, 1));
  }
  if (status == CQ_OK && now.campaign) status = tell_months(l, &now, error);
  sqlite3_finalize(s);
  return status;
}

typedef cq_status check_one(looking *l, cq_error *error);
static const struct {
  check_one *run;
  bool facts;
} kinds[CQ_CHECK_KINDS] = {[CQ_CHECK_SUM] = {check_sum, true},           [CQ_CHECK_UNIQUE] = {check_unique, true},
                           [CQ_CHECK_AT_MOST] = {check_at_most, true},   [CQ_CHECK_UNITS] = {check_units, true},
                           [CQ_CHECK_PREFIX] = {check_prefix, true},     [CQ_CHECK_AGREE] = {check_agree, false},
                           [CQ_CHECK_DAYS] = {check_days, true},         [CQ_CHECK_FILLED] = {check_filled, true},
                           [CQ_CHECK_BASELINE] = {check_baseline, true}, [CQ_CHECK_MONTHS] = {check_months, false}};

static cq_status run_check(cq_findings *findings, cq_desk *desk, const cq_definitions *definitions,
                           const cq_check_def *def, const cq_check_how *how, cq_error *error) {
  looking l = {.findings = findings, .desk = desk, .definitions = definitions, .def = def, .how = how};
  cq_status status = kinds[def->kind].facts ? open_facts(&l, error) : CQ_OK;
  if (status == CQ_OK) status = kinds[def->kind].run(&l, error);
  if (kinds[def->kind].facts) cq_facts_close(&l.facts);
  cq_buf_fini(&l.what);
  cq_buf_fini(&l.place);
  findings->checks++;
  return status;
}

/* --- the tables themselves --- */

static cq_status tell_table(cq_findings *findings, const cq_crosstab *tab, const cq_buf *what, const char *next,
                            cq_error *error) {
  cq_buf where = {0};
  cq_buf_addf(&where, _("table %.*s"), (int)tab->name.size, tab->name.at);
  cq_status status = where.failed
                         ? cq_error_nomem(error)
                         : cq_finding_add(findings, tab->name, tab->title, what, cq_buf_str(&where), next, error);
  cq_buf_fini(&where);
  return status;
}

/* Who has no value on an axis stands in no cell that is printed, and the cells add to less than the total. */
static cq_status check_axis(cq_findings *findings, const cq_crosstab *tab, const cq_axis *axis, size_t which,
                            cq_error *error) {
  const cq_tab_figure *all = cq_crosstab_at(tab, tab->outer.count, tab->inner.count, tab->columns.count);
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < axis->count; i++) {
    const cq_tab_figure *figure = cq_crosstab_at(
        tab, which == 0 ? i : tab->outer.count, which == 1 ? i : tab->inner.count, which == 2 ? i : tab->columns.count);
    int64_t none = figure->count;
    if (axis->at[i].kind != CQ_CATEGORY_MISSING || !none) continue;
    cq_buf what = {0};
    cq_buf_addf(
        &what, _("Of %lld there are %lld without “%.*s”: without their own row or column the others add to %lld."),
        (long long)all->count, (long long)none, (int)axis->label.size, axis->label.at, (long long)(all->count - none));
    status =
        tell_table(findings, tab, &what, _("Ask for what is missing, and print “not known” with the table."), error);
    cq_buf_fini(&what);
  }
  return status;
}

static cq_status check_table(cq_findings *findings, cq_desk *desk, const cq_definitions *definitions,
                             const cq_table_def *def, const cq_check_how *how, cq_error *error) {
  cq_crosstab tab;
  cq_tabulation as = {.at = how->at, .audience = CQ_AUDIENCE_INTERNAL};
  cq_status status = cq_tabulate(&tab, desk, definitions, def, &as, error);
  if (status == CQ_OK) status = check_axis(findings, &tab, &tab.outer, 0, error);
  if (status == CQ_OK) status = check_axis(findings, &tab, &tab.inner, 1, error);
  if (status == CQ_OK) status = check_axis(findings, &tab, &tab.columns, 2, error);
  if (status == CQ_OK && tab.never_used) {
    cq_buf what = {0};
    cq_buf_addf(&what, _("%zu stand where tables.json says that the programme has nothing."), tab.never_used);
    status = tell_table(findings, &tab, &what, _("Correct the records, or the definition's “never”."), error);
    cq_buf_fini(&what);
  }
  if (status == CQ_OK) {
    const cq_tab_figure *all = cq_crosstab_at(&tab, tab.outer.count, tab.inner.count, tab.columns.count);
    if (all->unknown) {
      cq_buf what = {0};
      cq_buf_addf(&what, _("Of %lld there are %zu without an amount: the total cannot be said."), (long long)all->count,
                  all->unknown);
      status = tell_table(findings, &tab, &what, _("Ask for the amounts; a blank is not 0."), error);
      cq_buf_fini(&what);
    }
  }
  cq_crosstab_fini(&tab);
  findings->checks++;
  return status;
}

cq_status cq_check_all(cq_findings *findings, cq_desk *desk, const cq_definitions *definitions, const cq_check_how *how,
                       cq_error *error) {
  cq_status status = CQ_OK;
  bool any = !how->only;
  for (size_t i = 0; status == CQ_OK && i < definitions->check_count; i++) {
    const cq_check_def *def = &definitions->checks[i];
    if (how->only && !cq_str_is(def->name, how->only)) continue;
    any = true;
    status = run_check(findings, desk, definitions, def, how, error);
    if (status == CQ_OK) status = cq_cli_cancelled(error);
  }
  for (size_t i = 0; status == CQ_OK && i < definitions->table_count; i++) {
    const cq_table_def *def = &definitions->tables[i];
    if (how->only && !cq_str_is(def->name, how->only)) continue;
    any = true;
    status = check_table(findings, desk, definitions, def, how, error);
    if (status == CQ_OK) status = cq_cli_cancelled(error);
  }
  return status == CQ_OK && !any ? cq_error_set(error, CQ_NOTFOUND, "tables.check.none", how->only, NULL) : status;
}
