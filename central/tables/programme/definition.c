/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/programme/definition.h"

#include "chasqui/bundle.h"
#include "chasqui/cli.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 400 };

typedef struct reader {
  cq_definitions *to;
  cq_str language;
  cq_faults *faults;
  bool nomem;
} reader;

static const char *const kind_names[CQ_CHECK_KINDS] = {"sum",   "unique", "at_most", "units",    "prefix",
                                                       "agree", "days",   "filled",  "baseline", "months"};

const char *cq_check_name(cq_check_kind kind) {
  return kind_names[kind];
}

void cq_fault_add(cq_faults *faults, const char *where, const char *what, cq_str of) {
  if (faults->count < CQ_TABLES_MAX_FAULTS) {
    cq_fault *fault = &faults->at[faults->count];
    fault->what = what;
    snprintf(fault->where, sizeof fault->where, "%s", where);
    size_t size = of.size < sizeof fault->of ? of.size : sizeof fault->of - 1;
    while (size && size < of.size && ((unsigned char)of.at[size] & 0xC0) == 0x80) size--;
    if (size) memcpy(fault->of, of.at, size);
    fault->of[size] = '\0';
  }
  faults->count++;
}

cq_status cq_faults_status(const cq_faults *faults, cq_error *error) {
  char count[24];
  if (!faults->count) return CQ_OK;
  snprintf(count, sizeof count, "%zu", faults->count);
  return cq_error_set(error, CQ_INVALID, "tables.faults", count, NULL);
}

/* --- values --- */

/* "tables[2]" and "rows" as "tables[2].rows". */
static void below(char out[96], const char *where, const char *name) {
  snprintf(out, 96, "%.60s%s%.30s", where, *where ? "." : "", name);
}

static const cJSON *member(const cJSON *object, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static cq_str keep(reader *r, const char *text) {
  cq_str kept = cq_arena_copy(r->to->arena, cq_str_from(text));
  if (!kept.at) r->nomem = true;
  return kept.at ? kept : CQ_STR("");
}

static cq_str text_at(reader *r, const cJSON *item, const char *where) {
  if (!item) return CQ_STR("");
  if (!cJSON_IsString(item) || strlen(item->valuestring) > MAX_TEXT)
    cq_fault_add(r->faults, where, N_("This must be a text of at most 400 bytes."), CQ_STR(""));
  else
    return keep(r, item->valuestring);
  return CQ_STR("");
}

static cq_str text_of(reader *r, const cJSON *object, const char *name, const char *where, bool needed) {
  char at[96];
  const cJSON *item = member(object, name);
  below(at, where, name);
  if (!item && needed) cq_fault_add(r->faults, at, N_("This is missing."), CQ_STR(""));
  return text_at(r, item, at);
}

/* A text, or an object of texts by language. */
static cq_str said_of(reader *r, const cJSON *object, const char *name, const char *where) {
  char at[96], language[16];
  const cJSON *item = member(object, name);
  below(at, where, name);
  if (!cJSON_IsObject(item)) return text_at(r, item, at);
  snprintf(language, sizeof language, "%.*s", (int)(r->language.size < 15 ? r->language.size : 15),
           r->language.size ? r->language.at : "");
  const cJSON *mine = member(item, language);
  return text_at(r, mine ? mine : item->child, at);
}

static bool flag_of(reader *r, const cJSON *object, const char *name, const char *where) {
  char at[96];
  const cJSON *item = member(object, name);
  below(at, where, name);
  if (item && !cJSON_IsBool(item)) cq_fault_add(r->faults, at, N_("This must be true or false."), CQ_STR(""));
  return cJSON_IsTrue(item);
}

static void only(reader *r, const cJSON *object, const char *const *known, const char *where) {
  for (const cJSON *item = object->child; item; item = item->next) {
    bool found = false;
    for (size_t i = 0; known[i]; i++) found = found || strcmp(known[i], item->string) == 0;
    if (!found)
      cq_fault_add(r->faults, where, N_("Nothing here is called so; check the spelling."), cq_str_from(item->string));
    for (const cJSON *after = item->next; after; after = after->next)
      if (strcmp(after->string, item->string) == 0)
        cq_fault_add(r->faults, where, N_("This stands here twice."), cq_str_from(item->string));
  }
}

/* How many items a list has, told where it is none or too long; a missing one has 0. */
static size_t list_of(reader *r, const cJSON *item, size_t most, const char *where) {
  if (!item) return 0;
  size_t count = cJSON_IsArray(item) ? (size_t)cJSON_GetArraySize(item) : 0;
  if (cJSON_IsArray(item) && count <= most) return count;
  cq_fault_add(r->faults, where, N_("This must be a list, and no longer than the documentation says."), CQ_STR(""));
  return 0;
}

/* One name, or a list of them. */
static void fields_of(reader *r, const cJSON *object, const char *name, const char *where, bool needed,
                      cq_fields *fields) {
  char at[96];
  const cJSON *item = member(object, name);
  below(at, where, name);
  if (cJSON_IsString(item)) {
    fields->at[fields->count++] = text_at(r, item, at);
    return;
  }
  size_t count = list_of(r, item, CQ_TABLES_MAX_FIELDS, at);
  for (size_t i = 0; i < count; i++) fields->at[fields->count++] = text_at(r, cJSON_GetArrayItem(item, (int)i), at);
  if (needed && !count) cq_fault_add(r->faults, at, N_("This is missing."), CQ_STR(""));
}

static void filter_of(reader *r, cq_str text, const char *where, cq_filters *to) {
  cq_filter *filter = &to->at[to->count];
  size_t at = 0;
  while (at < text.size && text.at[at] != '=' && text.at[at] != '!' && text.at[at] != '~') at++;
  *filter = (cq_filter){.field = {text.at, at}};
  filter->unlike = at < text.size && text.at[at] == '!';
  filter->among = at < text.size && text.at[at] == '~';
  if (filter->unlike) at++;
  if (!filter->field.size || at >= text.size || (text.at[at] != '=' && !filter->among)) {
    cq_fault_add(r->faults, where, N_("A condition is written field=value, field!=value or field~value."), text);
    return;
  }
  filter->value = (cq_str){text.at + at + 1, text.size - at - 1};
  to->count++;
}

static void filters_of(reader *r, const cJSON *object, const char *name, const char *where, cq_filters *filters) {
  char at[96];
  cq_fields texts = {.count = 0};
  below(at, where, name);
  if (!member(object, name)) return;
  fields_of(r, object, name, where, true, &texts);
  for (size_t i = 0; i < texts.count; i++)
    if (texts.at[i].size) filter_of(r, texts.at[i], at, filters);
}

/* --- links --- */

static void read_event(reader *r, const cJSON *item, const char *where, cq_link_event *event) {
  static const char *const known[] = {"form", "list", "of", "to", "day", "where", "ends", NULL};
  if (!cJSON_IsObject(item)) {
    cq_fault_add(r->faults, where, N_("This must be an object: {…}."), CQ_STR(""));
    return;
  }
  only(r, item, known, where);
  event->form = text_of(r, item, "form", where, false);
  event->list = text_of(r, item, "list", where, false);
  if (!event->form.size == !event->list.size)
    cq_fault_add(r->faults, where, N_("Either a form or a list must be named, and not both."), CQ_STR(""));
  fields_of(r, item, "of", where, true, &event->of);
  fields_of(r, item, "to", where, false, &event->to);
  event->day = text_of(r, item, "day", where, false);
  filters_of(r, item, "where", where, &event->where);
  filters_of(r, item, "ends", where, &event->ends);
}

static void read_link(reader *r, const cJSON *item, const char *where, cq_link_def *link) {
  static const char *const known[] = {"name", "events", NULL};
  char at[96], each[96];
  only(r, item, known, where);
  link->name = text_of(r, item, "name", where, true);
  below(at, where, "events");
  link->count = list_of(r, member(item, "events"), CQ_TABLES_MAX_EVENTS, at);
  if (!link->count) cq_fault_add(r->faults, at, N_("This is missing."), CQ_STR(""));
  for (size_t i = 0; i < link->count; i++) {
    snprintf(each, sizeof each, "%.60s[%zu]", at, i);
    read_event(r, cJSON_GetArrayItem(member(item, "events"), (int)i), each, &link->events[i]);
  }
}

/* --- tables --- */

static void read_values(reader *r, const cJSON *object, const char *where, cq_dimension *d) {
  char at[96];
  const cJSON *values = member(object, "values");
  below(at, where, "values");
  if (values && (!cJSON_IsObject(values) || cJSON_GetArraySize(values) > CQ_TABLES_MAX_VALUES))
    cq_fault_add(r->faults, at, N_("This must be an object of at most 24 codes and their texts."), CQ_STR(""));
  else
    for (const cJSON *one = values ? values->child : NULL; one; one = one->next) {
      d->values[d->value_count].code = keep(r, one->string);
      d->values[d->value_count++].label = said_of(r, values, one->string, at);
    }
}

static void read_dimension(reader *r, const cJSON *item, const char *where, cq_dimension *d) {
  static const char *const known[] = {"field", "link",   "label",     "yes",    "no", "prefix",
                                      "blank", "counts", "sensitive", "values", NULL};
  if (cJSON_IsString(item)) {
    d->field = text_at(r, item, where);
    return;
  }
  if (!cJSON_IsObject(item)) {
    cq_fault_add(r->faults, where, N_("This must be the name of a field, or an object: {…}."), CQ_STR(""));
    return;
  }
  only(r, item, known, where);
  d->field = text_of(r, item, "field", where, false);
  fields_of(r, item, "link", where, false, &d->link);
  if (!d->field.size == !d->link.count)
    cq_fault_add(r->faults, where, N_("Either a field or a link must be named, and not both."), CQ_STR(""));
  d->label = said_of(r, item, "label", where);
  d->yes = said_of(r, item, "yes", where);
  d->no = said_of(r, item, "no", where);
  d->counts = flag_of(r, item, "counts", where);
  d->sensitive = flag_of(r, item, "sensitive", where);
  read_values(r, item, where, d);
  if (d->link.count && !d->counts && (!d->yes.size || !d->no.size))
    cq_fault_add(r->faults, where, N_("A link needs the words “yes” and “no”."), CQ_STR(""));
  if (d->counts && d->link.count != 1)
    cq_fault_add(r->faults, where, N_("Only a single link can be counted."), CQ_STR(""));
  if (d->link.count && !d->label.size) cq_fault_add(r->faults, where, N_("A link needs a label."), CQ_STR(""));
  const cJSON *prefix = member(item, "prefix"), *blank = member(item, "blank");
  if (prefix && (!cJSON_IsNumber(prefix) || prefix->valueint < 1 || prefix->valueint > 64))
    cq_fault_add(r->faults, where, N_("“prefix” must be a number from 1 to 64."), CQ_STR(""));
  else if (prefix)
    d->prefix = (size_t)prefix->valueint;
  if (blank && (!cJSON_IsString(blank) || strcmp(blank->valuestring, "na") != 0))
    cq_fault_add(r->faults, where, N_("“blank” can only be \"na\": what is blank does not apply."), CQ_STR(""));
  d->blank_na = blank != NULL;
}

static size_t read_dimensions(reader *r, const cJSON *object, const char *name, const char *where, size_t most,
                              cq_dimension *dimensions) {
  char at[96], each[96];
  const cJSON *list = member(object, name);
  below(at, where, name);
  if (cJSON_IsString(list) || cJSON_IsObject(list)) {
    read_dimension(r, list, at, &dimensions[0]);
    return 1;
  }
  size_t count = list_of(r, list, most, at);
  for (size_t i = 0; i < count; i++) {
    snprintf(each, sizeof each, "%.60s[%zu]", at, i);
    read_dimension(r, cJSON_GetArrayItem(list, (int)i), each, &dimensions[i]);
  }
  return count;
}

static void read_never(reader *r, const cJSON *object, const char *where, cq_table_def *table) {
  char at[96];
  const cJSON *list = member(object, "never");
  below(at, where, "never");
  size_t count = list_of(r, list, CQ_TABLES_MAX_BY, at);
  for (size_t i = 0; i < count; i++) {
    const cJSON *pair = cJSON_GetArrayItem(list, (int)i);
    if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2) {
      cq_fault_add(r->faults, at, N_("Each must be two codes: [row, column]."), CQ_STR(""));
      continue;
    }
    cq_pair *to = &table->never[table->never_count++];
    to->row = text_at(r, cJSON_GetArrayItem(pair, 0), at);
    to->column = text_at(r, cJSON_GetArrayItem(pair, 1), at);
  }
}

static bool name_plain(cq_str name) {
  for (size_t i = 0; i < name.size; i++) {
    char c = name.at[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
  }
  return name.size > 0 && name.size <= 32;
}

static void read_table(reader *r, const cJSON *item, const char *where, cq_table_def *t) {
  static const char *const known[] = {"name", "title", "note",  "form", "repeat",  "unit", "dataset", "persons", "day",
                                      "sum",  "money", "where", "rows", "columns", "by",   "never",   "partial", NULL};
  only(r, item, known, where);
  t->name = text_of(r, item, "name", where, true);
  if (t->name.size && !name_plain(t->name))
    cq_fault_add(r->faults, where, N_("A name has at most 32 small letters, digits, - and _."), t->name);
  t->title = said_of(r, item, "title", where);
  if (!t->title.size) cq_fault_add(r->faults, where, N_("A table needs a title."), CQ_STR(""));
  t->note = said_of(r, item, "note", where);
  t->form = text_of(r, item, "form", where, true);
  t->repeat = text_of(r, item, "repeat", where, false);
  fields_of(r, item, "unit", where, false, &t->unit);
  t->dataset = text_of(r, item, "dataset", where, false);
  t->persons = flag_of(r, item, "persons", where);
  t->day = text_of(r, item, "day", where, false);
  t->sum = text_of(r, item, "sum", where, false);
  t->money = text_of(r, item, "money", where, false);
  filters_of(r, item, "where", where, &t->where);
  t->partial = flag_of(r, item, "partial", where);
  t->row_count = read_dimensions(r, item, "rows", where, 2, t->rows);
  t->column_count = read_dimensions(r, item, "columns", where, 1, t->columns);
  t->by_count = read_dimensions(r, item, "by", where, CQ_TABLES_MAX_BY, t->by);
  if (!t->row_count) cq_fault_add(r->faults, where, N_("A table needs rows."), CQ_STR(""));
  read_never(r, item, where, t);
}

/* --- checks --- */

static void read_check(reader *r, const cJSON *item, const char *where, cq_check_def *c) {
  static const char *const known[] = {"name", "title", "check", "form", "repeat", "field", "fields",
                                      "per",  "link",  "of",    "most", "where",  NULL};
  only(r, item, known, where);
  cq_str kind = text_of(r, item, "check", where, true);
  size_t k = 0;
  while (k < CQ_CHECK_KINDS && !cq_str_is(kind, kind_names[k])) k++;
  if (k == CQ_CHECK_KINDS && kind.size) cq_fault_add(r->faults, where, N_("There is no such kind of check."), kind);
  c->kind = (cq_check_kind)(k < CQ_CHECK_KINDS ? k : 0);
  c->name = text_of(r, item, "name", where, true);
  c->title = said_of(r, item, "title", where);
  if (!c->title.size) cq_fault_add(r->faults, where, N_("A check needs a title."), CQ_STR(""));
  bool form = c->kind != CQ_CHECK_AGREE && c->kind != CQ_CHECK_MONTHS;
  bool field = form && c->kind != CQ_CHECK_UNIQUE && c->kind != CQ_CHECK_BASELINE;
  bool fields =
      c->kind == CQ_CHECK_SUM || c->kind == CQ_CHECK_UNIQUE || c->kind == CQ_CHECK_PREFIX || c->kind == CQ_CHECK_AGREE;
  c->form = text_of(r, item, "form", where, form);
  c->repeat = text_of(r, item, "repeat", where, false);
  c->field = text_of(r, item, "field", where, field);
  fields_of(r, item, "fields", where, fields, &c->fields);
  c->per = text_of(r, item, "per", where, c->kind == CQ_CHECK_UNITS);
  c->of = text_of(r, item, "of", where, c->kind == CQ_CHECK_BASELINE);
  fields_of(r, item, "link", where, c->kind == CQ_CHECK_BASELINE, &c->link);
  filters_of(r, item, "where", where, &c->where);
  const cJSON *most = member(item, "most");
  if (most && !cJSON_IsNumber(most))
    cq_fault_add(r->faults, where, N_("“most” must be a number."), CQ_STR(""));
  else if (most)
    c->most = most->valuedouble;
  if (c->kind == CQ_CHECK_AT_MOST && !most == !c->of.size)
    cq_fault_add(r->faults, where, N_("Either “most” or “of” must be said, and not both."), CQ_STR(""));
  if (c->kind == CQ_CHECK_AGREE && c->fields.count != 2)
    cq_fault_add(r->faults, where, N_("Two tables must be named."), CQ_STR(""));
}

/* --- the whole --- */

typedef void read_one(reader *r, const cJSON *item, const char *where, void *to);
static void read_link_any(reader *r, const cJSON *item, const char *where, void *to) {
  read_link(r, item, where, to);
}
static void read_table_any(reader *r, const cJSON *item, const char *where, void *to) {
  read_table(r, item, where, to);
}
static void read_check_any(reader *r, const cJSON *item, const char *where, void *to) {
  read_check(r, item, where, to);
}

static void *read_list(reader *r, const cJSON *root, const char *name, size_t size, read_one *read, size_t *count) {
  char where[96];
  const cJSON *list = member(root, name);
  *count = list_of(r, list, CQ_TABLES_MAX, name);
  char *made = cq_arena_array(r->to->arena, *count + 1, size);
  if (!made) {
    r->nomem = true;
    *count = 0;
  }
  for (size_t i = 0; i < *count; i++) {
    const cJSON *item = cJSON_GetArrayItem(list, (int)i);
    snprintf(where, sizeof where, "%s[%zu]", name, i);
    if (cJSON_IsObject(item))
      read(r, item, where, made + i * size);
    else
      cq_fault_add(r->faults, where, N_("This must be an object: {…}."), CQ_STR(""));
  }
  return made;
}

static void check_links(reader *r, const cq_fields *links, const char *where) {
  for (size_t i = 0; i < links->count; i++)
    if (!cq_definitions_link(r->to, links->at[i]))
      cq_fault_add(r->faults, where, N_("There is no such link."), links->at[i]);
}

static void check_dimensions(reader *r, const cq_dimension *dimensions, size_t count, const char *where) {
  for (size_t i = 0; i < count; i++) check_links(r, &dimensions[i].link, where);
}

/* Names that stand twice, and names that stand nowhere. */
static void check_names(reader *r) {
  const cq_definitions *d = r->to;
  char where[96];
  for (size_t i = 0; i < d->table_count; i++) {
    const cq_table_def *t = &d->tables[i];
    snprintf(where, sizeof where, "tables[%zu]", i);
    for (size_t j = 0; j < i; j++)
      if (t->name.size && cq_str_equal(t->name, d->tables[j].name))
        cq_fault_add(r->faults, where, N_("Another one has this name."), t->name);
    check_dimensions(r, t->rows, t->row_count, where);
    check_dimensions(r, t->columns, t->column_count, where);
    check_dimensions(r, t->by, t->by_count, where);
  }
  for (size_t i = 0; i < d->link_count; i++)
    for (size_t j = 0; j < i; j++) {
      snprintf(where, sizeof where, "links[%zu]", i);
      if (cq_str_equal(d->links[i].name, d->links[j].name))
        cq_fault_add(r->faults, where, N_("Another one has this name."), d->links[i].name);
    }
  for (size_t i = 0; i < d->check_count; i++) {
    const cq_check_def *c = &d->checks[i];
    snprintf(where, sizeof where, "checks[%zu]", i);
    check_links(r, &c->link, where);
    for (size_t j = 0; j < i; j++)
      if (c->name.size && cq_str_equal(c->name, d->checks[j].name))
        cq_fault_add(r->faults, where, N_("Another one has this name."), c->name);
    for (size_t j = 0; c->kind == CQ_CHECK_AGREE && j < c->fields.count; j++)
      if (!cq_definitions_table(d, c->fields.at[j]))
        cq_fault_add(r->faults, where, N_("There is no such table."), c->fields.at[j]);
  }
}

static cq_status syntax(cq_str json, const char *end, cq_error *error) {
  int64_t line = 1, column = 1;
  for (const char *at = json.at; at && at < end && at < json.at + json.size; at++) {
    column = *at == '\n' ? 1 : column + 1;
    line += *at == '\n';
  }
  cq_error_set(error, CQ_INVALID, "tables.json", NULL);
  cq_error_at_line(error, line, column);
  return CQ_INVALID;
}

cq_status cq_definitions_read(cq_definitions *d, cq_str json, cq_str language, cq_faults *faults, cq_error *error) {
  static const char *const known[] = {"links", "tables", "checks", NULL};
  memset(d, 0, sizeof *d);
  memset(faults, 0, sizeof *faults);
  if (json.size > CQ_TABLES_MAX_BYTES || cq_bundle_json_deep(json))
    return cq_error_set(error, CQ_LIMIT, "tables.large", NULL);
  if (cq_str_starts(json, CQ_STR("\xEF\xBB\xBF"))) json = (cq_str){json.at + 3, json.size - 3};
  cq_str text = cq_str_trim(json);
  if (!(d->arena = cq_arena_new(0))) return cq_error_nomem(error);
  const char *end = text.at;
  cJSON *root = text.size && cq_utf8_valid(text) ? cJSON_ParseWithLengthOpts(text.at, text.size, &end, false) : NULL;
  if (!root || !cJSON_IsObject(root) || end != text.at + text.size) {
    cJSON_Delete(root);
    return syntax(json, end, error);
  }
  reader r = {.to = d, .language = language, .faults = faults};
  only(&r, root, known, "");
  d->links = read_list(&r, root, "links", sizeof *d->links, read_link_any, &d->link_count);
  d->tables = read_list(&r, root, "tables", sizeof *d->tables, read_table_any, &d->table_count);
  d->checks = read_list(&r, root, "checks", sizeof *d->checks, read_check_any, &d->check_count);
  cJSON_Delete(root);
  if (r.nomem) return cq_error_nomem(error);
  check_names(&r);
  return cq_faults_status(faults, error);
}

void cq_definitions_fini(cq_definitions *d) {
  cq_arena_free(d->arena);
  memset(d, 0, sizeof *d);
}

const cq_table_def *cq_definitions_table(const cq_definitions *d, cq_str name) {
  for (size_t i = 0; i < d->table_count; i++)
    if (cq_str_equal(d->tables[i].name, name)) return &d->tables[i];
  return NULL;
}

const cq_link_def *cq_definitions_link(const cq_definitions *d, cq_str name) {
  for (size_t i = 0; i < d->link_count; i++)
    if (cq_str_equal(d->links[i].name, name)) return &d->links[i];
  return NULL;
}

cq_str cq_dimension_name(const cq_dimension *d, char out[96]) {
  size_t used = 0;
  if (d->field.size) return d->field;
  out[0] = '\0';
  for (size_t i = 0; i < d->link.count && used < 96; i++)
    used += (size_t)snprintf(out + used, 96 - used, "%s%.*s", i ? "." : "", (int)d->link.at[i].size, d->link.at[i].at);
  return cq_str_from(out);
}

static const cq_dimension *among(const cq_dimension *dimensions, size_t count, cq_str name) {
  char text[96];
  for (size_t i = 0; i < count; i++)
    if (cq_str_equal(cq_dimension_name(&dimensions[i], text), name)) return &dimensions[i];
  return NULL;
}

const cq_dimension *cq_table_dimension(const cq_table_def *t, cq_str name) {
  const cq_dimension *found = among(t->rows, t->row_count, name);
  if (!found) found = among(t->columns, t->column_count, name);
  return found ? found : among(t->by, t->by_count, name);
}
