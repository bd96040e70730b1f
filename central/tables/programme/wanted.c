/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the forms have what tables.json asks of them: all faults at once. */
#include "central/tables/programme/tabulate.h"

#include <stdio.h>
#include <string.h>

typedef struct wanting {
  cq_desk *desk;
  cq_faults *faults;
  cq_facts facts; /* of the form opened last */
  cq_str repeat;
  bool open;
} wanting;

/* The form of a definition; a fault where it is not there. */
static cq_status open_form(wanting *w, cq_str form, cq_str repeat, const char *where, cq_error *error) {
  cq_error wrong;
  if (w->open && cq_str_equal(w->facts.form, form) && cq_str_equal(w->repeat, repeat)) { /* asked anew */
    w->facts.field_count = 0;
    w->facts.dataset = CQ_STR("");
    return CQ_OK;
  }
  w->repeat = repeat;
  if (w->open) cq_facts_close(&w->facts);
  w->open = false;
  if (!form.size) return CQ_OK; /* told before */
  cq_error_clear(&wrong);
  cq_status status = cq_facts_open(&w->facts, w->desk, form, repeat, NULL, &wrong);
  w->open = status == CQ_OK;
  if (status == CQ_NOTFOUND) {
    bool lacks_repeat = wrong.code && strcmp(wrong.code, "desk.form.repeat") == 0;
    cq_fault_add(w->faults, where,
                 lacks_repeat ? N_("The form has no such repeat.") : N_("No form of the programme is called so."),
                 lacks_repeat ? repeat : form);
    cq_facts_close(&w->facts);
    return CQ_OK;
  }
  if (status != CQ_OK) cq_facts_close(&w->facts);
  if (status != CQ_OK && error) *error = wrong;
  return status;
}

static void want(wanting *w, cq_str field, bool shown, const char *where) {
  if (!w->open || !field.size) return;
  size_t at = cq_facts_field(&w->facts, field);
  if (at == SIZE_MAX) {
    cq_fault_add(w->faults, where, N_("The form has no such field."), field);
    return;
  }
  const cq_rows_column *column = w->facts.fields[at].column;
  if (shown && column && column->field && column->field->privacy == CQ_PRIVACY_DIRECT)
    cq_fault_add(w->faults, where, N_("This field identifies people, and cannot be tabulated by."), field);
}

static void want_all(wanting *w, const cq_fields *fields, const char *where) {
  for (size_t i = 0; i < fields->count; i++) want(w, fields->at[i], false, where);
}

static void want_filters(wanting *w, const cq_filters *filters, const char *where) {
  for (size_t i = 0; i < filters->count; i++) want(w, filters->at[i].field, false, where);
}

static void want_dimensions(wanting *w, const cq_dimension *dimensions, size_t count, const char *where) {
  for (size_t i = 0; i < count; i++) want(w, dimensions[i].field, true, where);
}

static cq_status check_table(wanting *w, const cq_table_def *t, size_t index, cq_error *error) {
  char where[96];
  snprintf(where, sizeof where, "tables[%zu] %.*s", index, (int)(t->name.size < 40 ? t->name.size : 40),
           t->name.size ? t->name.at : "");
  cq_status status = open_form(w, t->form, t->repeat, where, error);
  want_all(w, &t->unit, where);
  want(w, t->day, false, where);
  want(w, t->sum, false, where);
  want_filters(w, &t->where, where);
  want_dimensions(w, t->rows, t->row_count, where);
  want_dimensions(w, t->columns, t->column_count, where);
  want_dimensions(w, t->by, t->by_count, where);
  return status;
}

static cq_status check_link(wanting *w, const cq_link_def *link, size_t index, cq_error *error) {
  char where[96];
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < link->count; i++) {
    const cq_link_event *e = &link->events[i];
    snprintf(where, sizeof where, "links[%zu].events[%zu]", index, i);
    if (!e->form.size) continue;
    status = open_form(w, e->form, CQ_STR(""), where, error);
    want_all(w, &e->of, where);
    want_all(w, &e->to, where);
    want(w, e->day, false, where);
    want_filters(w, &e->where, where);
    want_filters(w, &e->ends, where);
  }
  return status;
}

static cq_status check_check(wanting *w, const cq_check_def *c, size_t index, cq_error *error) {
  char where[96];
  if (c->kind == CQ_CHECK_AGREE || c->kind == CQ_CHECK_MONTHS) return CQ_OK;
  snprintf(where, sizeof where, "checks[%zu] %.*s", index, (int)(c->name.size < 40 ? c->name.size : 40),
           c->name.size ? c->name.at : "");
  /* the total of parts in a repeat stands in the record around it */
  cq_status status = open_form(w, c->form, c->repeat, where, error);
  want(w, c->field, false, where);
  want_all(w, &c->fields, where);
  want(w, c->per, false, where);
  want(w, c->of, false, where);
  want_filters(w, &c->where, where);
  return status;
}

cq_status cq_definitions_check(const cq_definitions *d, cq_desk *desk, cq_faults *faults, cq_error *error) {
  wanting w = {.desk = desk, .faults = faults};
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < d->link_count; i++) status = check_link(&w, &d->links[i], i, error);
  for (size_t i = 0; status == CQ_OK && i < d->table_count; i++) status = check_table(&w, &d->tables[i], i, error);
  for (size_t i = 0; status == CQ_OK && i < d->check_count; i++) status = check_check(&w, &d->checks[i], i, error);
  if (w.open) cq_facts_close(&w.facts);
  return status == CQ_OK ? cq_faults_status(faults, error) : status;
}
