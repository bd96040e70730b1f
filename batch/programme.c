/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/layout.h"
#include "chasqui/arena.h"
#include "chasqui/bundle.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON = 1 << 20, MAX_DEPTH = 16, MAX_TEXT = 1024, MAX_LANGUAGES = 32, MAX_POSTS = 16 };

typedef struct held {
  cq_programme programme; /* first, so that a cq_programme is freed by its own address */
  cq_arena *arena;
} held;

typedef struct reader {
  held *to;
  bool strict, nomem;
  cq_error *error;
  cq_status status;
} reader;

static void refuse(reader *r, const char *code, const char *what, const char *where) {
  if (r->status == CQ_OK) r->status = cq_error_set(r->error, CQ_INVALID, code, what, where, NULL);
}

bool cq_bundle_json_deep(cq_str json) {
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < json.size; i++) {
    char c = json.at[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[') && ++depth > MAX_DEPTH)
      return true;
    else if (!quoted && (c == '}' || c == ']') && depth > 0)
      depth--;
  }
  return false;
}

static cq_str keep(reader *r, const cJSON *item, const char *where) {
  if (!cJSON_IsString(item) || strlen(item->valuestring) > MAX_TEXT ||
      !cq_text_plain(cq_str_from(item->valuestring), MAX_TEXT)) {
    refuse(r, "programme.field", where, "text");
    return (cq_str){"", 0};
  }
  cq_str kept = cq_arena_copy(r->to->arena, cq_str_from(item->valuestring));
  if (!kept.at) r->nomem = true;
  return kept.at ? kept : (cq_str){"", 0};
}

static void only(reader *r, const cJSON *object, const char *const *known, const char *where) {
  for (const cJSON *item = object->child; item; item = item->next) {
    bool found = false;
    for (size_t i = 0; known[i]; i++) found |= strcmp(known[i], item->string) == 0;
    if (!found && r->strict) refuse(r, "programme.key", item->string, where);
    for (const cJSON *after = item->next; after; after = after->next)
      if (strcmp(after->string, item->string) == 0) refuse(r, "programme.key", item->string, where);
  }
}

/* A list of at most `most` things; memory for them, zeroed. */
static void *list_of(reader *r, const cJSON *item, size_t most, size_t size, const char *where, size_t *count) {
  *count = 0;
  if (!item) return NULL;
  size_t many = cJSON_IsArray(item) ? (size_t)cJSON_GetArraySize(item) : 0;
  if (!cJSON_IsArray(item) || many > most) {
    refuse(r, "programme.field", where, "list");
    return NULL;
  }
  void *made = cq_arena_array(r->to->arena, many + 1, size);
  if (!made)
    r->nomem = true;
  else
    *count = many;
  return made;
}

/* Relative, without "..", with slashes as folders. */
static bool path_plain(cq_str path) {
  if (path.size == 0 || path.at[0] == '/') return false;
  for (size_t start = 0; start <= path.size;) {
    const char *slash = start < path.size ? memchr(path.at + start, '/', path.size - start) : NULL;
    size_t end = slash ? (size_t)(slash - path.at) : path.size;
    if (!cq_file_name_plain((cq_str){path.at + start, end - start}, 255)) return false;
    start = end + 1;
  }
  return true;
}

static cq_str keep_path(reader *r, const cJSON *item, const char *where) {
  cq_str path = keep(r, item, where);
  if (r->status == CQ_OK && !r->nomem && !path_plain(path)) refuse(r, "programme.field", where, "file");
  return path;
}

static bool flag(reader *r, const cJSON *item, const char *where) {
  if (item && !cJSON_IsBool(item)) refuse(r, "programme.field", where, "true-false");
  return cJSON_IsTrue(item);
}

static cq_date date(reader *r, const cJSON *item, const char *where) {
  cq_date date = {0};
  if (item && (!cJSON_IsString(item) || !cq_date_parse(cq_str_from(item->valuestring), &date)))
    refuse(r, "programme.field", where, "date");
  return date;
}

static void read_code(reader *r, const cJSON *item) {
  cq_str code = keep(r, item, "code");
  bool right = code.size >= 1 && code.size <= 32 && code.at[0] >= 'a' && code.at[0] <= 'z';
  for (size_t i = 0; right && i < code.size; i++) {
    char c = code.at[i];
    right = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  }
  if (!right) refuse(r, "programme.field", "code", "code");
  r->to->programme.code = code;
}

/* Either one text or a text for each language. */
static void read_titles(reader *r, const cJSON *item) {
  cq_programme *p = &r->to->programme;
  size_t many = cJSON_IsObject(item) ? (size_t)cJSON_GetArraySize(item) : 1;
  if (many < 1 || many > MAX_LANGUAGES) {
    refuse(r, "programme.field", "title", "list");
    return;
  }
  cq_programme_title *titles = cq_arena_array(r->to->arena, many, sizeof *titles);
  if (!titles) {
    r->nomem = true;
    return;
  }
  titles[0] = (cq_programme_title){.language = {"", 0}};
  if (!cJSON_IsObject(item)) titles[0].text = keep(r, item, "title");
  size_t at = 0;
  for (const cJSON *one = cJSON_IsObject(item) ? item->child : NULL; one; one = one->next, at++) {
    titles[at].language = cq_arena_copy(r->to->arena, cq_str_from(one->string));
    if (!titles[at].language.at) r->nomem = true;
    titles[at].text = keep(r, one, "title");
  }
  p->titles = titles;
  p->title_count = many;
}

static void read_forms(reader *r, const cJSON *item) {
  static const char *const known[] = {"file", "status", NULL};
  cq_programme *p = &r->to->programme;
  cq_programme_form *forms = list_of(r, item, CQ_BUNDLE_MAX_FORMS, sizeof *forms, "forms", &p->form_count);
  p->forms = forms;
  for (size_t i = 0; i < p->form_count; i++) {
    const cJSON *one = cJSON_GetArrayItem(item, (int)i);
    forms[i].status = CQ_FORM_CURRENT;
    const cJSON *file = cJSON_IsObject(one) ? cJSON_GetObjectItemCaseSensitive(one, "file") : one;
    forms[i].file = keep_path(r, file, "forms");
    if (!cJSON_IsObject(one)) continue;
    only(r, one, known, "forms");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(one, "status");
    if (status &&
        (!cJSON_IsString(status) || !cq_form_status_parse(cq_str_from(status->valuestring), &forms[i].status)))
      refuse(r, "programme.field", "forms", "status");
  }
}

static cq_str last_part(cq_str path) {
  size_t at = path.size;
  while (at > 0 && path.at[at - 1] != '/') at--;
  return (cq_str){path.at + at, path.size - at};
}

static void read_files(reader *r, const cJSON *item) {
  static const char *const known[] = {"name", "file", "sealed", NULL};
  cq_programme *p = &r->to->programme;
  cq_programme_file *files = list_of(r, item, CQ_BUNDLE_MAX_FILES, sizeof *files, "lists", &p->file_count);
  p->files = files;
  for (size_t i = 0; i < p->file_count; i++) {
    const cJSON *one = cJSON_GetArrayItem(item, (int)i);
    const cJSON *file = cJSON_IsObject(one) ? cJSON_GetObjectItemCaseSensitive(one, "file") : one;
    files[i].file = keep_path(r, file, "lists");
    files[i].name = last_part(files[i].file);
    if (!cJSON_IsObject(one)) continue;
    only(r, one, known, "lists");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(one, "name");
    if (name) files[i].name = keep(r, name, "lists");
    if (!cq_file_name_plain(files[i].name, 255)) refuse(r, "programme.field", "lists", "file");
    files[i].sealed = flag(r, cJSON_GetObjectItemCaseSensitive(one, "sealed"), "lists");
  }
}

static const cq_str *read_texts(reader *r, const cJSON *item, size_t most, const char *where, size_t *count) {
  cq_str *texts = list_of(r, item, most, sizeof *texts, where, count);
  for (size_t i = 0; i < *count; i++) texts[i] = keep(r, cJSON_GetArrayItem(item, (int)i), where);
  return texts;
}

/* TLS, or this machine itself. */
static bool url_right(cq_str url) {
  static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
  if (cq_str_starts(url, CQ_STR("https://")) && url.size > 8) return true;
  for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
    size_t size = strlen(local[i]);
    if (cq_str_starts(url, cq_str_from(local[i])) && (url.size == size || url.at[size] == ':' || url.at[size] == '/'))
      return true;
  }
  return false;
}

static void read_all(reader *r, const cJSON *root) {
  static const char *const known[] = {"code",  "title", "languages", "time_zone",  "calendar", "starts",    "ends",
                                      "posts", "forms", "lists",     "indicators", "prices",   "keep_days", NULL};
  cq_programme *p = &r->to->programme;
  only(r, root, known, "");
  read_code(r, cJSON_GetObjectItemCaseSensitive(root, "code"));
  read_titles(r, cJSON_GetObjectItemCaseSensitive(root, "title"));
  p->languages = read_texts(r, cJSON_GetObjectItemCaseSensitive(root, "languages"), MAX_LANGUAGES, "languages",
                            &p->language_count);
  const cJSON *zone = cJSON_GetObjectItemCaseSensitive(root, "time_zone");
  p->time_zone = zone ? keep(r, zone, "time_zone") : CQ_STR("America/Lima");
  const cJSON *calendar = cJSON_GetObjectItemCaseSensitive(root, "calendar");
  p->calendar = calendar ? keep_path(r, calendar, "calendar") : (cq_str){"", 0};
  const cJSON *indicators = cJSON_GetObjectItemCaseSensitive(root, "indicators");
  p->indicators = indicators ? keep_path(r, indicators, "indicators") : (cq_str){"", 0};
  const cJSON *prices = cJSON_GetObjectItemCaseSensitive(root, "prices");
  p->prices = prices ? keep_path(r, prices, "prices") : (cq_str){"", 0};
  p->starts = date(r, cJSON_GetObjectItemCaseSensitive(root, "starts"), "starts");
  p->ends = date(r, cJSON_GetObjectItemCaseSensitive(root, "ends"), "ends");
  if (p->starts.year && p->ends.year && cq_date_to_day(p->ends) < cq_date_to_day(p->starts))
    refuse(r, "programme.field", "ends", "order");
  const cJSON *days = cJSON_GetObjectItemCaseSensitive(root, "keep_days");
  if (days && (!cJSON_IsNumber(days) || days->valuedouble < 1 || days->valuedouble > 36500 ||
               days->valuedouble != (double)days->valueint))
    refuse(r, "programme.field", "keep_days", "days");
  else if (days)
    p->keep_days = days->valueint;
  p->posts = read_texts(r, cJSON_GetObjectItemCaseSensitive(root, "posts"), MAX_POSTS, "posts", &p->post_count);
  for (size_t i = 0; i < p->post_count; i++)
    if (!url_right(p->posts[i])) refuse(r, "programme.field", "posts", "url");
  read_forms(r, cJSON_GetObjectItemCaseSensitive(root, "forms"));
  read_files(r, cJSON_GetObjectItemCaseSensitive(root, "lists"));
}

static cq_status syntax(cq_str json, const char *end, cq_error *error) {
  int64_t line = 1, column = 1;
  for (const char *at = json.at; at < end && at < json.at + json.size; at++) {
    column++;
    if (*at == '\n') {
      line++;
      column = 1;
    }
  }
  cq_error_set(error, CQ_INVALID, "programme.json", NULL);
  cq_error_at_line(error, line, column);
  return CQ_INVALID;
}

cq_status cq_programme_parse(cq_programme **programme, cq_str json, bool strict, cq_error *error) {
  *programme = NULL;
  if (json.size > MAX_JSON || cq_bundle_json_deep(json)) return cq_error_set(error, CQ_LIMIT, "programme.large", NULL);
  if (!cq_utf8_valid(json)) return cq_error_set(error, CQ_INVALID, "programme.json", NULL);
  if (cq_str_starts(json, CQ_STR("\xEF\xBB\xBF"))) json = (cq_str){json.at + 3, json.size - 3};
  cq_str trimmed = cq_str_trim(json);
  const char *end = trimmed.at;
  cJSON *root = trimmed.size ? cJSON_ParseWithLengthOpts(trimmed.at, trimmed.size, &end, false) : NULL;
  /* what stands after the document is as wrong as what stands in it */
  if (!root || !cJSON_IsObject(root) || end != trimmed.at + trimmed.size) {
    cJSON_Delete(root);
    return syntax(json, end, error);
  }
  held *made = calloc(1, sizeof *made);
  reader r = {.to = made, .strict = strict, .error = error};
  if (made) made->arena = cq_arena_new(0);
  if (made && made->arena)
    read_all(&r, root);
  else
    r.nomem = true;
  cJSON_Delete(root);
  if (r.nomem && r.status == CQ_OK) r.status = cq_error_nomem(error);
  if (r.status != CQ_OK) {
    cq_programme_free(made ? &made->programme : NULL);
    return r.status;
  }
  *programme = &made->programme;
  return CQ_OK;
}

void cq_programme_free(cq_programme *programme) {
  if (!programme) return;
  held *made = (held *)(void *)programme;
  cq_arena_free(made->arena);
  free(made);
}

cq_str cq_programme_title_in(const cq_programme *programme, cq_str language) {
  for (size_t i = 0; i < programme->title_count; i++)
    if (cq_str_equal(programme->titles[i].language, language)) return programme->titles[i].text;
  return programme->title_count ? programme->titles[0].text : programme->code;
}
