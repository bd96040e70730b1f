/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/programme/tabulate.h"

#include "central/tables/survey/data.h"
#include "chasqui/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS = CQ_TABLES_MAX_FIELDS, ALL_CHOICES = 24, AXES = 3 };

typedef struct axis_source {
  cq_dimension dimension;
  size_t field;                /* of the facts; SIZE_MAX for a link */
  const cq_ties *links[LINKS]; /* of a link */
} axis_source;

typedef struct making {
  cq_crosstab *tab;
  cq_desk *desk;
  const cq_definitions *definitions;
  const cq_table_def *def;
  const cq_tabulation *how;
  cq_facts facts;
  cq_same same;
  cq_ties ties[LINKS];
  size_t tie_count;
  axis_source axes[AXES]; /* outer, inner, columns: those that are there */
  bool used[AXES], own;   /* own: the definition's rows and columns, not those of --by */
  cq_conditions where;
  size_t unit[CQ_TABLES_MAX_FIELDS], day, sum;
  /* the facts that count, the newest of each unit */
  struct chosen {
    const cq_fact *fact;
    cq_str unit;
    int32_t day;
  } * chosen;
  size_t chosen_count;
} making;

static const char *cut(cq_str text, char out[96]) {
  snprintf(out, 96, "%.*s", (int)(text.size < 95 ? text.size : 95), text.size ? text.at : "");
  return out;
}

/* --- what is asked of the form --- */

static cq_status bind(making *m, cq_str name, size_t *field, cq_error *error) {
  char text[96], form[96];
  *field = cq_facts_field(&m->facts, name);
  if (*field != SIZE_MAX) return CQ_OK;
  return cq_error_set(error, CQ_NOTFOUND, "tables.field", cut(name, text), cut(m->def->form, form), NULL);
}

static cq_status bind_link(making *m, axis_source *axis, cq_error *error) {
  for (size_t i = 0; i < axis->dimension.link.count; i++) {
    cq_str name = axis->dimension.link.at[i];
    const cq_link_def *link = cq_definitions_link(m->definitions, name);
    size_t t = 0;
    while (t < m->tie_count && !cq_str_equal(m->ties[t].name, name)) t++;
    if (!link || t == LINKS) return cq_error_set(error, CQ_LIMIT, "tables.large", NULL);
    if (t == m->tie_count) {
      m->tie_count++;
      cq_status status = cq_ties_read(&m->ties[t], m->desk, link, i == 0 ? &m->same : NULL, error);
      if (status != CQ_OK) return status;
    }
    axis->links[i] = &m->ties[t];
  }
  return CQ_OK;
}

static cq_status bind_axis(making *m, size_t which, const cq_dimension *d, cq_error *error) {
  axis_source *axis = &m->axes[which];
  axis->dimension = *d;
  axis->field = SIZE_MAX;
  m->used[which] = true;
  if (d->link.count) return bind_link(m, axis, error);
  cq_status status = bind(m, d->field, &axis->field, error);
  const cq_rows_column *column = status == CQ_OK ? m->facts.fields[axis->field].column : NULL;
  char text[96];
  if (column && column->field && column->field->privacy == CQ_PRIVACY_DIRECT)
    return cq_error_set(error, CQ_REFUSED, "tables.direct", cut(d->field, text), NULL);
  return status;
}

static cq_status no_such_axis(const making *m, cq_error *error) {
  cq_buf names = {0};
  char text[96];
  const cq_table_def *t = m->def;
  const struct {
    const cq_dimension *at;
    size_t count;
  } all[3] = {{t->rows, t->row_count}, {t->columns, t->column_count}, {t->by, t->by_count}};
  for (size_t k = 0; k < 3; k++)
    for (size_t i = 0; i < all[k].count; i++) {
      if (names.size) cq_buf_add_text(&names, ", ");
      cq_buf_add_str(&names, cq_dimension_name(&all[k].at[i], text));
    }
  cq_error_set(error, CQ_INVALID, "tables.by", names.failed || !names.at ? "" : names.at, NULL);
  cq_buf_fini(&names);
  return CQ_INVALID;
}

/* "region,sexo": the last one is the columns where two or more are named, those before it the rows. */
static cq_status bind_by(making *m, cq_error *error) {
  const cq_dimension *named[AXES] = {NULL};
  size_t count = 0;
  cq_str rest = cq_str_from(m->how->by);
  while (rest.at) {
    size_t end = 0;
    while (end < rest.size && rest.at[end] != ',') end++;
    const cq_dimension *d = cq_table_dimension(m->def, cq_str_trim((cq_str){rest.at, end}));
    if (!d || count == AXES) return no_such_axis(m, error);
    named[count++] = d;
    rest = end < rest.size ? (cq_str){rest.at + end + 1, rest.size - end - 1} : (cq_str){NULL, 0};
  }
  if (!count) return no_such_axis(m, error);
  cq_status status = bind_axis(m, 1, named[count == 3 ? 1 : 0], error);
  if (status == CQ_OK && count == 3) status = bind_axis(m, 0, named[0], error);
  if (status == CQ_OK && count > 1) status = bind_axis(m, 2, named[count - 1], error);
  return status;
}

static cq_status bind_all(making *m, cq_error *error) {
  const cq_table_def *t = m->def;
  char text[96], form[96];
  cq_str missing = CQ_STR("");
  cq_status status = CQ_OK;
  m->own = !m->how->by;
  m->day = m->sum = SIZE_MAX;
  for (size_t i = 0; status == CQ_OK && i < t->unit.count; i++) status = bind(m, t->unit.at[i], &m->unit[i], error);
  if (status == CQ_OK && t->day.size) status = bind(m, t->day, &m->day, error);
  if (status == CQ_OK && t->sum.size) status = bind(m, t->sum, &m->sum, error);
  if (status == CQ_OK && !cq_conditions_bind(&m->where, &t->where, &m->facts, &missing))
    status = cq_error_set(error, CQ_NOTFOUND, "tables.field", cut(missing, text), cut(t->form, form), NULL);
  if (status == CQ_OK && !m->own) return bind_by(m, error);
  if (status == CQ_OK && t->row_count == 2) status = bind_axis(m, 0, &t->rows[0], error);
  if (status == CQ_OK) status = bind_axis(m, 1, &t->rows[t->row_count - 1], error);
  if (status == CQ_OK && t->column_count) status = bind_axis(m, 2, &t->columns[0], error);
  return status;
}

/* --- which facts count --- */

static cq_status choose(making *m, cq_error *error) {
  cq_levels units = {0};
  cq_crosstab *tab = m->tab;
  cq_status status = CQ_OK;
  size_t *place = calloc(m->facts.count + 1, sizeof *place); /* of each unit's fact */
  m->chosen = calloc(m->facts.count + 1, sizeof *m->chosen);
  if (!m->chosen || !place) status = cq_error_nomem(error);
  for (size_t i = 0; status == CQ_OK && i < m->facts.count; i++) {
    const cq_fact *fact = &m->facts.at[i];
    cq_date date;
    if (!cq_conditions_hold(&m->where, fact)) continue;
    bool dated = m->day != SIZE_MAX && cq_date_parse(cq_fact_value(fact, m->day), &date);
    struct chosen one = {.fact = fact, .day = dated ? cq_date_to_day(date) : fact->day};
    if (one.day > m->how->at) continue;
    tab->rows++;
    tab->undated += m->day != SIZE_MAX && !dated;
    one.unit = cq_same_of(&m->same, cq_fact_first(fact, m->unit, m->def->unit.count));
    if (!one.unit.size) { /* nothing says what it is: it counts by itself */
      m->chosen[m->chosen_count++] = one;
      continue;
    }
    size_t before = units.count;
    uint32_t at = cq_levels_number(&units, one.unit);
    if (at == UINT32_MAX) {
      status = cq_error_nomem(error);
    } else if (units.count > before) {
      place[at] = m->chosen_count;
      m->chosen[m->chosen_count++] = one;
    } else if (one.day >= m->chosen[place[at]].day) { /* facts come in the order of their records */
      m->chosen[place[at]] = one;
    }
  }
  tab->units = m->chosen_count;
  cq_levels_fini(&units);
  free(place);
  return status;
}

/* --- categories --- */

static cq_str keep(making *m, cq_str text) {
  return text.size ? cq_arena_copy(m->tab->arena, text) : CQ_STR("");
}

/* The code that a fact has on an axis; *kind says where it has none. */
static cq_str code_of(const making *m, const axis_source *axis, const struct chosen *c, cq_category_kind *kind) {
  const cq_dimension *d = &axis->dimension;
  *kind = CQ_CATEGORY_VALUE;
  if (d->link.count) {
    size_t held = cq_ties_count(axis->links, d->link.count, c->unit, m->how->at);
    if (!d->counts) return held ? CQ_STR("1") : CQ_STR("0");
    return held == 0 ? CQ_STR("0") : held == 1 ? CQ_STR("1") : CQ_STR("2");
  }
  cq_value_kind said = cq_fact_kind(c->fact, axis->field);
  if (said == CQ_VALUE_SAID) {
    cq_str value = cq_fact_value(c->fact, axis->field);
    return d->prefix && value.size > d->prefix ? (cq_str){value.at, d->prefix} : value;
  }
  *kind = said == CQ_VALUE_NA || (said == CQ_VALUE_BLANK && d->blank_na) ? CQ_CATEGORY_NA : CQ_CATEGORY_MISSING;
  return CQ_STR("");
}

static cq_status add_category(making *m, cq_axis *axis, size_t *capacity, cq_str code, cq_str label,
                              cq_category_kind kind, cq_error *error) {
  if (axis->count == CQ_CROSSTAB_MAX_CATEGORIES) return cq_error_set(error, CQ_LIMIT, "tables.wide", NULL);
  if (axis->count == *capacity) {
    size_t wider = *capacity ? *capacity * 2 : 32;
    cq_category *more = cq_arena_array(m->tab->arena, wider, sizeof *more);
    if (!more) return cq_error_nomem(error);
    if (axis->count) memcpy(more, axis->at, axis->count * sizeof *more);
    axis->at = more;
    *capacity = wider;
  }
  cq_category *category = &axis->at[axis->count++];
  *category = (cq_category){keep(m, code), keep(m, label), kind};
  return category->code.at && category->label.at ? CQ_OK : cq_error_nomem(error);
}

static int by_text(const void *a, const void *b) {
  return cq_str_compare(*(const cq_str *)a, *(const cq_str *)b);
}

/* Codes that stand in the facts, sorted; and whether some are missing or do not apply. */
static cq_status codes_in_use(making *m, const axis_source *axis, cq_levels *used, bool *missing, bool *na,
                              cq_error *error) {
  for (size_t i = 0; i < m->chosen_count; i++) {
    cq_category_kind kind;
    cq_str code = code_of(m, axis, &m->chosen[i], &kind);
    *missing = *missing || kind == CQ_CATEGORY_MISSING;
    *na = *na || kind == CQ_CATEGORY_NA;
    if (kind == CQ_CATEGORY_VALUE && cq_levels_number(used, code) == UINT32_MAX) return cq_error_nomem(error);
  }
  return CQ_OK;
}

static bool has_code(const cq_axis *axis, cq_str code) {
  for (size_t i = 0; i < axis->count; i++)
    if (cq_str_equal(axis->at[i].code, code)) return true;
  return false;
}

static cq_status known_categories(making *m, axis_source *source, const cq_levels *used, cq_axis *axis,
                                  size_t *capacity, cq_error *error) {
  const cq_dimension *d = &source->dimension;
  cq_status status = CQ_OK;
  if (d->link.count && d->counts) {
    static const char *const codes[3] = {"0", "1", "2"};
    const char *const labels[3] = {"0", "1", _("2 or more")};
    for (size_t i = 0; status == CQ_OK && i < 3; i++)
      status = add_category(m, axis, capacity, cq_str_from(codes[i]), cq_str_from(labels[i]), CQ_CATEGORY_VALUE, error);
    return status;
  }
  if (d->link.count) {
    status = add_category(m, axis, capacity, CQ_STR("1"), d->yes, CQ_CATEGORY_VALUE, error);
    return status == CQ_OK ? add_category(m, axis, capacity, CQ_STR("0"), d->no, CQ_CATEGORY_VALUE, error) : status;
  }
  for (size_t i = 0; status == CQ_OK && i < d->value_count; i++)
    status = add_category(m, axis, capacity, d->values[i].code, d->values[i].label, CQ_CATEGORY_VALUE, error);
  cq_rows_column *column = m->facts.fields[source->field].column;
  bool choice = column && column->field &&
                (column->field->control == CQ_CONTROL_SELECT || column->field->control == CQ_CONTROL_SELECT1);
  if (status != CQ_OK || d->value_count || d->prefix || !choice) return status;
  const cq_choices *choices = NULL;
  status = cq_rows_choices(m->facts.rows, column, &choices, error);
  for (size_t i = 0; status == CQ_OK && i < choices->count; i++) {
    const cq_choice *one = &choices->items[i];
    if (choices->count > ALL_CHOICES && cq_levels_find(used, one->value) == UINT32_MAX) continue;
    if (has_code(axis, one->value)) continue;
    status = add_category(m, axis, capacity, one->value, one->label.size ? one->label : one->value, CQ_CATEGORY_VALUE,
                          error);
  }
  return status;
}

static cq_status name_axis(making *m, axis_source *source, cq_axis *axis, cq_error *error) {
  const cq_dimension *d = &source->dimension;
  char text[96];
  cq_buf label = {0};
  cq_status status = CQ_OK;
  axis->name = keep(m, cq_dimension_name(d, text));
  axis->sensitive = d->sensitive;
  cq_buf_add_str(&label, d->label);
  const cq_rows_column *column = source->field == SIZE_MAX ? NULL : m->facts.fields[source->field].column;
  if (column && column->field) {
    axis->sensitive = axis->sensitive || column->field->privacy == CQ_PRIVACY_SENSITIVE;
    if (!label.size) status = cq_rows_label(m->facts.rows, column, &label, error);
  }
  axis->label = keep(m, label.size ? cq_buf_str(&label) : axis->name);
  if (status == CQ_OK && (label.failed || !axis->label.at || !axis->name.at)) status = cq_error_nomem(error);
  cq_buf_fini(&label);
  return status;
}

static cq_status fill_axis(making *m, size_t which, cq_axis *axis, cq_error *error) {
  axis_source *source = &m->axes[which];
  cq_levels used = {0};
  bool missing = false, na = false;
  size_t capacity = 0;
  if (!m->used[which]) return CQ_OK;
  cq_status status = name_axis(m, source, axis, error);
  if (status == CQ_OK) status = codes_in_use(m, source, &used, &missing, &na, error);
  if (status == CQ_OK) status = known_categories(m, source, &used, axis, &capacity, error);
  if (status == CQ_OK && used.count) { /* what no list of choices has comes after, in the order of codes */
    cq_str *sorted = malloc(used.count * sizeof *sorted);
    if (!sorted) status = cq_error_nomem(error);
    if (sorted) {
      memcpy(sorted, used.names, used.count * sizeof *sorted);
      qsort(sorted, used.count, sizeof *sorted, by_text);
    }
    for (size_t i = 0; status == CQ_OK && i < used.count; i++)
      if (!has_code(axis, sorted[i]))
        status = add_category(m, axis, &capacity, sorted[i], sorted[i], CQ_CATEGORY_VALUE, error);
    free(sorted);
  }
  if (status == CQ_OK && na)
    status = add_category(m, axis, &capacity, CQ_STR(""), cq_str_from(_("does not apply")), CQ_CATEGORY_NA, error);
  if (status == CQ_OK && missing)
    status = add_category(m, axis, &capacity, CQ_STR(""), cq_str_from(_("not known")), CQ_CATEGORY_MISSING, error);
  cq_levels_fini(&used);
  return status;
}

/* --- figures --- */

static size_t place_of(const making *m, size_t which, const cq_axis *axis, const struct chosen *c) {
  cq_category_kind kind;
  if (!m->used[which]) return axis->count;
  cq_str code = code_of(m, &m->axes[which], c, &kind);
  for (size_t i = 0; i < axis->count; i++)
    if (axis->at[i].kind == kind && (kind != CQ_CATEGORY_VALUE || cq_str_equal(axis->at[i].code, code))) return i;
  return axis->count;
}

static cq_status count_all(making *m, cq_error *error) {
  cq_crosstab *tab = m->tab;
  cq_status status = cq_crosstab_begin(tab, error);
  for (size_t i = 0; status == CQ_OK && i < m->chosen_count; i++) {
    const struct chosen *c = &m->chosen[i];
    int64_t amount = 0;
    bool known = true;
    if (tab->sums) {
      cq_value_kind kind = cq_fact_kind(c->fact, m->sum);
      known =
          kind == CQ_VALUE_NA || (kind == CQ_VALUE_SAID && cq_amount_parse(cq_fact_value(c->fact, m->sum), &amount));
    }
    status = cq_crosstab_add(tab, place_of(m, 0, &tab->outer, c), place_of(m, 1, &tab->inner, c),
                             place_of(m, 2, &tab->columns, c), tab->sums && known ? &amount : NULL, error);
  }
  return status;
}

static size_t find_code(const cq_axis *axis, cq_str code) {
  for (size_t i = 0; i < axis->count; i++)
    if (axis->at[i].kind == CQ_CATEGORY_VALUE && cq_str_equal(axis->at[i].code, code)) return i;
  return SIZE_MAX;
}

/* Pairs that the programme does not have: of the two levels of rows, else of rows and columns. */
static void mark_never(making *m) {
  cq_crosstab *tab = m->tab;
  bool nested = tab->outer.count > 0;
  for (size_t i = 0; m->own && i < m->def->never_count; i++) {
    size_t a = find_code(nested ? &tab->outer : &tab->inner, m->def->never[i].row);
    size_t b = find_code(nested ? &tab->inner : &tab->columns, m->def->never[i].column);
    if (a == SIZE_MAX || b == SIZE_MAX) continue;
    cq_tab_figure *whole = nested ? cq_crosstab_at(tab, a, b, tab->columns.count) : cq_crosstab_at(tab, 0, a, b);
    tab->never_used += (size_t)whole->count;
    if (whole->count) continue;
    if (!nested) whole->mark = CQ_MARK_NA;
    for (size_t c = 0; nested && c <= tab->columns.count; c++) cq_crosstab_at(tab, a, b, c)->mark = CQ_MARK_NA;
  }
}

static cq_status begin(making *m, cq_error *error) {
  cq_crosstab *tab = m->tab;
  if (!(tab->arena = cq_arena_new(0))) return cq_error_nomem(error);
  tab->name = keep(m, m->def->name);
  tab->title = keep(m, m->def->title);
  tab->note = keep(m, m->def->note);
  tab->money = keep(m, m->def->money);
  tab->sums = m->def->sum.size > 0;
  tab->persons = m->def->persons;
  tab->practice = m->desk->mode == CQ_MODE_PRACTICE;
  tab->at = m->how->at;
  tab->least = CQ_SMALL_CELL;
  if (m->how->season) snprintf(tab->season, sizeof tab->season, "%s", m->how->season);
  return tab->name.at && tab->title.at && tab->note.at && tab->money.at ? CQ_OK : cq_error_nomem(error);
}

cq_status cq_tabulate(cq_crosstab *tab, cq_desk *desk, const cq_definitions *definitions, const cq_table_def *def,
                      const cq_tabulation *how, cq_error *error) {
  making m = {.tab = tab, .desk = desk, .definitions = definitions, .def = def, .how = how};
  memset(tab, 0, sizeof *tab);
  cq_status status = begin(&m, error);
  if (status == CQ_OK) status = cq_facts_open(&m.facts, desk, def->form, def->repeat, how->language, error);
  if (status == CQ_OK) status = cq_same_read(&m.same, desk, def->dataset, error);
  if (status == CQ_OK) status = bind_all(&m, error);
  if (status == CQ_OK) status = cq_facts_read(&m.facts, def->partial, error);
  if (status == CQ_OK) status = choose(&m, error);
  if (status == CQ_OK) status = fill_axis(&m, 0, &tab->outer, error);
  if (status == CQ_OK) status = fill_axis(&m, 1, &tab->inner, error);
  if (status == CQ_OK) status = fill_axis(&m, 2, &tab->columns, error);
  if (status == CQ_OK) status = count_all(&m, error);
  if (status == CQ_OK) {
    tab->records = m.facts.records;
    tab->partial = m.facts.partial;
    tab->unreadable = m.facts.unreadable;
    bool sensitive = tab->outer.sensitive || tab->inner.sensitive || tab->columns.sensitive;
    tab->hides =
        tab->persons && how->audience != CQ_AUDIENCE_INTERNAL && (how->audience == CQ_AUDIENCE_PUBLIC || sensitive);
    mark_never(&m);
    status = cq_crosstab_close(tab, error);
  }
  for (size_t i = 0; i < m.tie_count; i++) cq_ties_fini(&m.ties[i]);
  cq_same_fini(&m.same);
  cq_facts_close(&m.facts);
  free(m.chosen);
  return status;
}

void cq_crosstab_fini(cq_crosstab *tab) {
  cq_arena_free(tab->arena);
  memset(tab, 0, sizeof *tab);
}

/* --- the definitions of a desk --- */

cq_status cq_desk_definitions(cq_definitions *d, cq_desk *desk, const char *path, const char *language,
                              cq_faults *faults, bool *found, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_buf text = {0};
  cq_status status = CQ_OK;
  memset(d, 0, sizeof *d);
  *found = true;
  if (path) {
    status = cq_file_read(path, CQ_TABLES_MAX_BYTES, &text, error);
  } else {
    status = cq_desk_prepare(desk, &s, "SELECT bytes FROM list WHERE name = '" CQ_TABLES_FILE "'", error);
    if (status == CQ_OK) status = cq_desk_step(desk, s, found, error);
    if (status == CQ_OK && *found) cq_buf_add_str(&text, cq_desk_text(s, 0));
    sqlite3_finalize(s);
  }
  if (status == CQ_OK && text.failed) status = cq_error_nomem(error);
  if (status == CQ_OK && *found) {
    status = cq_definitions_read(d, cq_buf_str(&text), cq_str_from(language), faults, error);
    if (status != CQ_OK) cq_error_at_file(error, path ? path : CQ_TABLES_FILE);
  }
  cq_buf_fini(&text);
  return status;
}
