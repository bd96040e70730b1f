/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chasqui-forms xpath: expressions in, values out, one JSON object on each line.
 *
 * In:  {id, expr, context_xml, context_path, root_path, ns, language, tz, now_ms, want}
 * Out: {id, type, value} or {id, error}
 * A node is named by places, as in /x[1]/x[2]/@id with * for x; the expression
 * that selects it is its name.
 */
#include "forms/tool/xpath.h"
#include "forms/tool/random.h"
#include "forms/xpath/xpath.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_LIMIT = 64 << 20, MAX_SPACES = 64 };

typedef struct session {
  const cJSON *asked;
  cq_names *names;
  cq_arena *arena;
  cq_tree *tree; /* NULL: no document was given */
  cq_clock clock;
  cq_xpath_host host;
  cq_xpath_space spaces[MAX_SPACES];
  size_t space_count;
  cq_error error;
} session;

static cq_str text_of(const cJSON *asked, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(asked, key);
  return cJSON_IsString(item) ? cq_str_from(item->valuestring) : (cq_str){NULL, 0};
}

/* --- what the expression asks of its surroundings --- */

static int64_t now_asked(void *context) {
  const session *s = context;
  const cJSON *now = cJSON_GetObjectItemCaseSensitive(s->asked, "now_ms");
  return cJSON_IsNumber(now) && fabs(now->valuedouble) < 1e15 ? (int64_t)now->valuedouble
                                                              : cq_clock_system.now_utc_ms(NULL);
}

static int offset_asked(void *context, int64_t utc_ms) {
  (void)context;
  return cq_clock_system.offset_minutes(NULL, utc_ms); /* of the zone that `tz` set */
}

static cq_node *next_named(cq_node *at, cq_node *top, const session *s, const char *local) {
  cq_atom atom = cq_names_find(s->names, cq_str_from(local));
  for (at = cq_node_after(at, top); at; at = cq_node_after(at, top))
    if (at->kind == CQ_NODE_ELEMENT && at->local == atom) return at;
  return NULL;
}

static cq_str attribute_of(const session *s, const cq_node *node, const char *name) {
  const cq_node *a = cq_node_attribute(node, cq_names_find(s->names, cq_str_from(name)), CQ_ATOM_NONE);
  return a ? cq_node_text(a) : (cq_str){NULL, 0};
}

static cq_node *find_instance(void *context, cq_str id) {
  const session *s = context;
  cq_node *top = s->tree ? cq_tree_document(s->tree) : NULL, *at = top;
  while (at && (at = next_named(at, top, s, "instance")))
    if (cq_str_equal(attribute_of(s, at, "id"), id)) return at;
  return NULL;
}

/* The translation asked for, else the default one, else the first. */
static cq_node *find_translation(const session *s, cq_node *top) {
  cq_str language = s->host.language;
  cq_node *chosen = NULL;
  for (cq_node *at = top; (at = next_named(at, top, s, "translation"));) {
    if (language.size && cq_str_equal(attribute_of(s, at, "lang"), language)) return at;
    if (!chosen || attribute_of(s, at, "default").at) chosen = at;
  }
  return chosen;
}

static cq_status find_itext(void *context, cq_str id, cq_arena *scratch, cq_xpath_value *out) {
  const session *s = context;
  cq_node *top = s->tree ? cq_tree_document(s->tree) : NULL;
  cq_node *translation = top ? find_translation(s, top) : NULL;
  for (cq_node *at = translation; at && (at = next_named(at, translation, s, "text"));) {
    if (!cq_str_equal(attribute_of(s, at, "id"), id)) continue;
    cq_node *value = next_named(at, at, s, "value");
    cq_node **nodes = cq_arena_alloc(scratch, sizeof(cq_node *));
    if (!value || !nodes) return CQ_NOTFOUND;
    nodes[0] = value;
    *out = (cq_xpath_value){.type = CQ_XPATH_NODES, .nodes = nodes, .count = 1, .sorted = true};
    return CQ_OK;
  }
  return CQ_NOTFOUND;
}

/* --- naming nodes --- */

static void add_place(cq_buf *out, const cq_node *node, const char *test, bool elements) {
  size_t place = 1;
  for (const cq_node *at = node->state == CQ_NODE_MADE_UP ? NULL : cq_node_prior(node); at; at = cq_node_prior(at))
    place += elements ? at->kind == CQ_NODE_ELEMENT : at->kind == node->kind;
  cq_buf_addf(out, "/%s[%zu]", test, place);
}

static void add_path(cq_buf *out, const session *s, const cq_node *node) {
  static const char *const tests[] = {[CQ_NODE_ELEMENT] = "*",
                                      [CQ_NODE_TEXT] = "text()",
                                      [CQ_NODE_COMMENT] = "comment()",
                                      [CQ_NODE_PI] = "processing-instruction()"};
  if (node->kind == CQ_NODE_DOCUMENT) {
    cq_buf_add_char(out, '/');
    return;
  }
  if (node->parent && node->parent->kind != CQ_NODE_DOCUMENT) add_path(out, s, node->parent);
  cq_str local = cq_names_text(s->names, node->local), prefix = cq_names_text(s->names, node->prefix);
  if (node->kind == CQ_NODE_NAMESPACE)
    cq_buf_addf(out, local.size ? "/@xmlns:%s" : "/@xmlns", local.at);
  else if (node->kind == CQ_NODE_ATTRIBUTE)
    cq_buf_addf(out, prefix.size ? "/@%s:%s" : "/@%s%s", prefix.at, local.at);
  else
    add_place(out, node, tests[node->kind], node->kind == CQ_NODE_ELEMENT);
}

/* --- one expression --- */

static void add_space(session *s, cq_str prefix, cq_str uri) {
  if (s->space_count < MAX_SPACES) s->spaces[s->space_count++] = (cq_xpath_space){prefix, uri};
}

/* Prefixes given with the expression, then those the document declares. */
static void gather_spaces(session *s) {
  const cJSON *entry = NULL, *given = cJSON_GetObjectItemCaseSensitive(s->asked, "ns");
  cJSON_ArrayForEach(entry, given) if (cJSON_IsString(entry) && entry->string)
      add_space(s, cq_str_from(entry->string), cq_str_from(entry->valuestring));
  cq_node *top = s->tree ? cq_tree_document(s->tree) : NULL;
  for (cq_node *at = top; at; at = cq_node_after(at, top))
    for (const cq_node *a = at->attributes; a; a = a->next)
      if (a->kind == CQ_NODE_NAMESPACE && a->local) add_space(s, cq_names_text(s->names, a->local), cq_node_text(a));
}

static cq_status evaluate(session *s, cq_str text, cq_node *root, cq_node *node, cq_xpath_context *context,
                          cq_xpath_value *out) {
  const cq_xpath *expression = NULL;
  cq_xpath_settings settings = {s->names, s->spaces, s->space_count, s->arena};
  cq_status status = cq_xpath_compile(&expression, &settings, text, &s->error);
  *context = (cq_xpath_context){.host = &s->host, .root = root, .node = node, .scratch = s->arena};
  return status == CQ_OK ? cq_xpath_evaluate(expression, context, out, &s->error) : status;
}

static cq_status find_node(session *s, const char *key, cq_node **out) {
  cq_str path = text_of(s->asked, key);
  cq_xpath_value value;
  cq_xpath_context context;
  *out = s->tree ? cq_tree_document(s->tree) : NULL;
  if (!path.at || !*out) return CQ_OK;
  cq_status status = evaluate(s, path, *out, *out, &context, &value);
  if (status == CQ_OK && (value.type != CQ_XPATH_NODES || !value.count))
    status = cq_error_set(&s->error, CQ_NOTFOUND, "xpath.node.missing", path.at, NULL);
  if (status == CQ_OK) *out = value.nodes[0];
  return status;
}

static void answer_number(cJSON *answer, double number) {
  cJSON_AddStringToObject(answer, "type", "number");
  if (isfinite(number))
    cJSON_AddNumberToObject(answer, "value", number);
  else
    cJSON_AddStringToObject(answer, "value", isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

static cq_status answer_text(cJSON *answer, const cq_xpath_value *value, const cq_xpath_context *context) {
  cq_str text;
  cq_status status = cq_xpath_to_string(value, context, &text);
  cq_str copy = status == CQ_OK ? cq_arena_copy(context->scratch, text) : (cq_str){NULL, 0};
  if (!copy.at) return CQ_NOMEM;
  cJSON_AddStringToObject(answer, "type", "string");
  cJSON_AddStringToObject(answer, "value", copy.at);
  return CQ_OK;
}

static cq_status answer_nodes(session *s, cJSON *answer, const cq_xpath_value *value) {
  if (value->type != CQ_XPATH_NODES)
    return cq_error_set(&s->error, CQ_INVALID, "xpath.argument", text_of(s->asked, "expr").at, "nodeset", NULL);
  cJSON_AddStringToObject(answer, "type", "nodeset");
  cJSON *list = cJSON_AddArrayToObject(answer, "value");
  cq_buf path = {0};
  for (size_t i = 0; i < value->count; i++) {
    cq_buf_reset(&path);
    add_path(&path, s, value->nodes[i]);
    cJSON_AddItemToArray(list, cJSON_CreateString(path.at ? path.at : ""));
  }
  cq_buf_fini(&path);
  return CQ_OK;
}

static cq_status answer_value(session *s, cJSON *answer, const cq_xpath_value *value, const cq_xpath_context *context) {
  cq_str want = text_of(s->asked, "want");
  if (!want.at) {
    static const char *const kinds[] = {[CQ_XPATH_NUMBER] = "number",
                                        [CQ_XPATH_STRING] = "string",
                                        [CQ_XPATH_BOOLEAN] = "boolean",
                                        [CQ_XPATH_NODES] = "nodeset",
                                        [CQ_XPATH_DATE] = "string"};
    want = cq_str_from(kinds[value->type]);
  }
  if (cq_str_is(want, "number")) {
    answer_number(answer, cq_xpath_to_number(value, context));
  } else if (cq_str_is(want, "boolean")) {
    cJSON_AddStringToObject(answer, "type", "boolean");
    cJSON_AddBoolToObject(answer, "value", cq_xpath_to_boolean(value));
  } else if (cq_str_is(want, "nodeset")) {
    return answer_nodes(s, answer, value);
  } else {
    return answer_text(answer, value, context);
  }
  return CQ_OK;
}

static cq_status run_case(session *s, cJSON *answer) {
  cq_str xml = text_of(s->asked, "context_xml"), expr = text_of(s->asked, "expr");
  cq_node *node = NULL, *root = NULL;
  cq_xpath_value value;
  cq_xpath_context context;
  cq_status status = CQ_OK;
  if (xml.at) status = cq_tree_parse(&s->tree, s->names, xml, 0, 0, &s->error);
  if (status != CQ_OK) return status;
  gather_spaces(s);
  s->host.language = text_of(s->asked, "language");
  status = find_node(s, "context_path", &node);
  if (status == CQ_OK) status = find_node(s, "root_path", &root);
  if (status == CQ_OK) status = evaluate(s, expr, root, node, &context, &value);
  return status == CQ_OK ? answer_value(s, answer, &value, &context) : status;
}

/* The message, and for a place in the expression the expression with a caret. */
static void answer_error(const session *s, cJSON *answer) {
  cq_buf text = {0}, next = {0};
  cq_error plain = s->error;
  cq_error_at_line(&plain, 0, 0);
  cq_cli_explain(&plain, &text, &next);
  if (s->error.code && strncmp(s->error.code, "xpath.", 6) == 0 && s->error.line_column > 0) {
    cq_buf_add_char(&text, '\n');
    cq_xpath_caret(&text, text_of(s->asked, "expr"), s->error.line_column);
  }
  cJSON_AddStringToObject(answer, "error", text.at ? text.at : "");
  cq_buf_fini(&text);
  cq_buf_fini(&next);
}

/* The zone asked for, else the one the program began with (NULL: the system's). */
static void set_zone(const char *asked, const char *begun) {
  if (asked || begun)
    setenv("TZ", asked ? asked : begun, 1);
  else
    unsetenv("TZ");
  tzset();
}

static cJSON *answer_case(const cJSON *asked, const char *zone) {
  session s = {.asked = asked, .names = cq_names_new(), .arena = cq_arena_new(0)};
  cJSON *answer = cJSON_CreateObject();
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(asked, "id");
  if (id) cJSON_AddItemToObject(answer, "id", cJSON_Duplicate(id, true));
  cq_error_clear(&s.error);
  s.clock = (cq_clock){now_asked, now_asked, offset_asked, &s};
  s.host = (cq_xpath_host){
      .instance = find_instance, .itext = find_itext, .clock = &s.clock, .random = &cq_tool_random, .context = &s};
  set_zone(text_of(asked, "tz").at, zone);
  cq_status status = s.names && s.arena && answer ? run_case(&s, answer) : cq_error_nomem(&s.error);
  if (status != CQ_OK) answer_error(&s, answer);
  cq_tree_free(s.tree);
  cq_names_free(s.names);
  cq_arena_free(s.arena);
  return answer;
}

int cq_tool_xpath(cq_cli *cli) {
  const char *begun = getenv("TZ");
  char *line = NULL, *zone = begun ? strdup(begun) : NULL;
  size_t capacity = 0;
  int status = CQ_EXIT_DONE;
  cq_error error = {0};
  for (ssize_t size; !cq_cli_signal() && (size = getline(&line, &capacity, stdin)) > 0;) {
    cJSON *asked = size <= LINE_LIMIT ? cJSON_ParseWithLength(line, (size_t)size) : NULL;
    if (!cJSON_IsObject(asked)) {
      cJSON_Delete(asked);
      cq_error_set(&error, CQ_INVALID, "forms.json.line", NULL);
      status = cq_cli_fail(cli, &error);
      break;
    }
    cJSON *answer = answer_case(asked, zone);
    char *text = cJSON_PrintUnformatted(answer);
    if (text) puts(text);
    cJSON_free(text);
    cJSON_Delete(answer);
    cJSON_Delete(asked);
  }
  free(line);
  free(zone);
  return status;
}
