/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/compose.h"

#include "central/merge/programme.h"
#include "chasqui/calendar.h"
#include "chasqui/file.h"
#include "chasqui/forms.h"
#include "chasqui/xlsform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cq_status read_part(const cq_composed *c, cq_str file, cq_buf *path, cq_buf *bytes, cq_error *error) {
  char name[512];
  if (file.size >= sizeof name) return cq_error_set(error, CQ_LIMIT, "desk.publish.name", NULL);
  memcpy(name, file.at, file.size);
  name[file.size] = '\0';
  cq_status status = cq_file_path(path, c->folder, name, error);
  return status == CQ_OK && bytes ? cq_file_read(path->at, CQ_BUNDLE_MAX_CONTENT, bytes, error) : status;
}

/* Keeps bytes for as long as the composition lives. */
static cq_str keep(cq_composed *c, cq_str bytes) {
  return bytes.size ? cq_arena_copy(c->arena, bytes) : CQ_STR("");
}

static bool ends_with(cq_str text, const char *end) {
  size_t size = strlen(end);
  return text.size >= size && memcmp(text.at + text.size - size, end, size) == 0;
}

/* The author's faults stand in `check`, cell by cell; here the first one is named. */
static cq_status fault_of(const cq_xlsform *compiled, const char *path, cq_error *error) {
  char count[24];
  const cq_xlsform_fault *fault = NULL;
  for (size_t i = 0; i < cq_xlsform_fault_count(compiled) && !(fault && fault->severity == CQ_XLSFORM_ERROR); i++)
    fault = cq_xlsform_fault_at(compiled, i);
  snprintf(count, sizeof count, "%zu", cq_xlsform_error_count(compiled));
  cq_error_set(error, CQ_INVALID, "desk.publish.form", path, count, fault ? fault->cell : "", NULL);
  return CQ_INVALID;
}

static cq_status xform_of(cq_composed *c, cq_str file, cq_str *xml, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_xlsform *compiled = NULL;
  cq_status status;
  if (ends_with(file, ".xml")) {
    status = read_part(c, file, &path, &bytes, error);
    if (status == CQ_OK) *xml = keep(c, cq_buf_str(&bytes));
  } else {
    status = read_part(c, file, &path, NULL, error);
    if (status == CQ_OK) status = cq_xlsform_compile(&compiled, path.at, NULL, error);
    if (status == CQ_OK && !cq_xlsform_ok(compiled)) status = fault_of(compiled, path.at, error);
    if (status == CQ_OK) *xml = keep(c, cq_xlsform_xml(compiled));
  }
  if (status == CQ_OK && !xml->at) status = cq_error_nomem(error);
  cq_xlsform_free(compiled);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

static cq_status open_list(void *context, cq_str uri, cq_buf *out, cq_error *error) {
  cq_composed *c = context;
  size_t from = uri.size;
  while (from && uri.at[from - 1] != '/') from--;
  cq_str name = {uri.at + from, uri.size - from};
  for (size_t i = 0; i < c->file_count; i++) {
    if (!cq_str_equal(c->files[i].name, name)) continue;
    if (c->files[i].sealed) return CQ_NOTFOUND; /* comes to each device apart */
    cq_buf_add_str(out, c->files[i].bytes);
    return out->failed ? cq_error_nomem(error) : CQ_OK;
  }
  for (size_t i = 0; i < c->lacking_count; i++)
    if (cq_str_equal(c->lacking[i], name)) return CQ_NOTFOUND;
  if (c->lacking_count < sizeof c->lacking / sizeof *c->lacking) c->lacking[c->lacking_count++] = keep(c, name);
  return CQ_NOTFOUND;
}

static cq_status add_form(cq_composed *c, const cq_programme_form *of, cq_error *error) {
  cq_composed_form *form = &c->forms[c->form_count];
  cq_form *loaded = NULL;
  cq_form_lists lists = {open_list, c};
  char file[CQ_ERROR_ARG_SIZE];
  snprintf(file, sizeof file, "%.*s", (int)(of->file.size < 150 ? of->file.size : 150), of->file.at);
  cq_status status = xform_of(c, of->file, &form->xml, error);
  if (status == CQ_OK && (status = cq_form_load(&loaded, form->xml, &lists, error)) != CQ_OK)
    cq_error_at_file(error, file);
  if (status == CQ_OK) {
    form->id = keep(c, cq_form_id(loaded));
    form->version = keep(c, cq_form_version(loaded));
    form->title = keep(c, cq_form_title(loaded));
    form->status = of->status;
    form->hash = cq_hash_of(form->xml.at, form->xml.size);
    if (!form->id.size) status = cq_error_set(error, CQ_INVALID, "desk.publish.id", file, NULL);
    for (size_t i = 0; i < c->form_count && status == CQ_OK; i++)
      if (form->status == CQ_FORM_CURRENT && c->forms[i].status == CQ_FORM_CURRENT &&
          cq_str_equal(c->forms[i].id, form->id))
        status = cq_error_set(error, CQ_INVALID, "desk.publish.twice", file, NULL);
    c->form_count++;
  }
  cq_form_free(loaded);
  return status;
}

static cq_status add_file(cq_composed *c, const cq_programme_file *of, cq_str invitation, cq_cost cost,
                          cq_error *error) {
  cq_buf path = {0}, bytes = {0}, sealed = {0};
  cq_bundle_file *file = &c->files[c->file_count];
  cq_status status = read_part(c, of->file, &path, &bytes, error);
  if (status == CQ_OK && of->sealed && !invitation.size)
    status = cq_error_set(error, CQ_REFUSED, "desk.publish.invitation", path.at, NULL);
  if (status == CQ_OK && of->sealed)
    status = cq_bundle_file_seal(&sealed, cq_buf_str(&bytes), invitation, cost, &cq_random_system, error);
  if (status == CQ_OK) {
    file->name = keep(c, of->name);
    file->sealed = of->sealed;
    file->bytes = keep(c, cq_buf_str(of->sealed ? &sealed : &bytes));
    if (!file->name.at || !file->bytes.at) status = cq_error_nomem(error);
    c->file_count++;
  }
  cq_buf_fini(&path);
  cq_buf_fini_secret(&bytes);
  cq_buf_fini(&sealed);
  return status;
}

static cq_status add_calendar(cq_composed *c, cq_str file, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_calendar *calendar = NULL;
  if (!file.size) return CQ_OK;
  cq_status status = read_part(c, file, &path, &bytes, error);
  if (status == CQ_OK && (status = cq_calendar_load(&calendar, cq_buf_str(&bytes), error)) != CQ_OK)
    cq_error_at_file(error, path.at);
  if (status == CQ_OK) c->calendar = keep(c, cq_buf_str(&bytes));
  cq_calendar_free(calendar);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* --- indicators and prices --- */

typedef struct fields {
  cq_indicator_field *items;
  size_t count, capacity;
} fields;

static cq_status put_field(fields *f, cq_str form, cq_str rows, cq_str name, cq_error *error) {
  if (f->count == f->capacity) {
    size_t capacity = f->capacity ? f->capacity * 2 : 256;
    cq_indicator_field *items = realloc(f->items, capacity * sizeof *items);
    if (!items) return cq_error_nomem(error);
    f->items = items;
    f->capacity = capacity;
  }
  f->items[f->count++] = (cq_indicator_field){form, rows, name};
  return CQ_OK;
}

/* What definitions may name: every field with a value that does not identify people, outside repeats or in one. */
static cq_status fields_of(cq_composed *c, const cq_composed_form *from, fields *f, cq_error *error) {
  cq_form_lists lists = {open_list, c};
  cq_form *form = NULL;
  cq_status status = cq_form_load(&form, from->xml, &lists, error);
  for (size_t i = 0; status == CQ_OK && i < cq_form_field_count(form); i++) {
    const cq_field *field = cq_form_field(form, i);
    if (field->children || field->is_meta || field->privacy == CQ_PRIVACY_DIRECT) continue;
    const cq_field *repeat = field->repeat == CQ_FIELD_NONE ? NULL : cq_form_field(form, field->repeat);
    if (repeat && repeat->repeat != CQ_FIELD_NONE) continue; /* a repeat within a repeat */
    cq_str name = keep(c, field->name), rows = repeat ? keep(c, repeat->name) : CQ_STR("");
    status = put_field(f, from->id, rows, name, error);
  }
  cq_form_free(form);
  return status;
}

/* In a workbook a fault's place is its sheet's. */
static void name_sheet(cq_indicators *all, const char *sheet) {
  for (size_t i = 0; *sheet && i < all->fault_count; i++)
    cq_error_at_cell(&all->faults[i], sheet, all->faults[i].row, all->faults[i].column);
}

static cq_status add_indicators(cq_composed *c, bool faulty, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  static const char *const sheets[] = {"indicators", "indicadores", NULL};
  fields f = {0};
  char count[24], sheet[CQ_ERROR_ARG_SIZE];
  if (!c->programme->indicators.size) return CQ_OK;
  cq_status status = read_part(c, c->programme->indicators, &path, &bytes, error);
  if (status == CQ_OK && (status = cq_spreadsheet_csv(&bytes, sheet, sheets, error)) != CQ_OK)
    cq_error_at_file(error, path.at);
  for (size_t i = 0; status == CQ_OK && i < c->form_count; i++)
    if (c->forms[i].status != CQ_FORM_WITHDRAWN) status = fields_of(c, &c->forms[i], &f, error);
  if (status == CQ_OK &&
      (status = cq_indicators_read(&c->indicators, cq_buf_str(&bytes), f.items ? f.items : &(cq_indicator_field){0},
                                   f.count, error)) != CQ_OK)
    cq_error_at_file(error, path.at);
  if (status == CQ_OK) name_sheet(&c->indicators, sheet);
  if (status == CQ_OK && c->indicators.fault_count && !faulty) {
    snprintf(count, sizeof count, "%zu", c->indicators.fault_count);
    status = cq_error_set(error, CQ_INVALID, "desk.publish.indicators", path.at, count, c->indicators.faults[0].arg[0],
                          NULL);
  }
  if (status == CQ_OK) {
    cq_bundle_file *file = &c->files[c->file_count++];
    *file = (cq_bundle_file){.name = CQ_STR(CQ_INDICATORS_FILE), .bytes = keep(c, cq_buf_str(&bytes))};
    if (!file->bytes.at) status = cq_error_nomem(error);
  }
  free(f.items);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

static cq_status add_prices(cq_composed *c, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  static const char *const sheets[] = {"prices", "precios", NULL};
  char sheet[CQ_ERROR_ARG_SIZE];
  if (!c->programme->prices.size) return CQ_OK;
  cq_prices *prices = calloc(1, sizeof *prices);
  cq_status status = prices ? read_part(c, c->programme->prices, &path, &bytes, error) : cq_error_nomem(error);
  if (status == CQ_OK && (status = cq_spreadsheet_csv(&bytes, sheet, sheets, error)) != CQ_OK)
    cq_error_at_file(error, path.at);
  if (status == CQ_OK && (status = cq_prices_read(prices, cq_buf_str(&bytes), error)) != CQ_OK) {
    cq_error_at_file(error, path.at);
    if (*sheet && error) {
      cq_error_at_cell(error, sheet, error->line, 0);
      cq_error_at_line(error, 0, 0);
    }
  }
  if (status == CQ_OK) {
    cq_bundle_file *file = &c->files[c->file_count++];
    *file = (cq_bundle_file){.name = CQ_STR(CQ_PRICES_FILE), .bytes = keep(c, cq_buf_str(&bytes))};
    if (!file->bytes.at) status = cq_error_nomem(error);
  }
  free(prices);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

cq_status cq_compose(cq_composed *c, const char *folder, cq_str invitation, cq_cost cost, bool faulty,
                     cq_error *error) {
  cq_buf json = {0};
  memset(c, 0, sizeof *c);
  c->folder = folder;
  cq_status status = (c->arena = cq_arena_new(0)) ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_programme_read_bytes(&c->programme, folder, &json, error);
  if (status == CQ_OK) {
    c->json = keep(c, cq_buf_str(&json));
    c->forms = cq_arena_array(c->arena, c->programme->form_count + 1, sizeof *c->forms);
    c->files =
        cq_arena_array(c->arena, c->programme->file_count + 3, sizeof *c->files); /* with the two of indicators */
    if (!c->forms || !c->files) status = cq_error_nomem(error);
  }
  for (size_t i = 0; status == CQ_OK && i < c->programme->file_count; i++)
    status = add_file(c, &c->programme->files[i], invitation, cost, error);
  if (status == CQ_OK) status = add_calendar(c, c->programme->calendar, error);
  for (size_t i = 0; status == CQ_OK && i < c->programme->form_count; i++)
    status = add_form(c, &c->programme->forms[i], error);
  if (status == CQ_OK) status = add_indicators(c, faulty, error);
  if (status == CQ_OK) status = add_prices(c, error);
  cq_buf_fini(&json);
  return status;
}

void cq_compose_fini(cq_composed *c) {
  cq_programme_free(c->programme);
  cq_indicators_fini(&c->indicators);
  cq_arena_free(c->arena);
  memset(c, 0, sizeof *c);
}
