/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of text. Places in text count code points. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "forms/xpath/functions.h"

#include <math.h>
#include <pcre2.h>
#include <string.h>

enum { FIRST_MATCH_LIMIT = 2000, MATCH_LIMIT = 200000, HEAP_LIMIT_KIB = 16384 }; /* of one regular expression */

/* The argument at `i`, or the context node where it is left out. */
static cq_status text_or_focus(cq_run *run, const cq_expr *call, size_t i, cq_str *out) {
  if (call->count > i) return cq_eval_string(run, call->args[i], out);
  *out = CQ_STR("");
  return run->node ? cq_node_text_value(run, run->node, out) : CQ_OK;
}

static const char *find(cq_str text, cq_str part) {
  if (!part.size) return text.at ? text.at : "";
  for (size_t at = 0; at + part.size <= text.size; at++) {
    const char *next = memchr(text.at + at, part.at[0], text.size - at - part.size + 1);
    if (!next) return NULL;
    if (memcmp(next, part.at, part.size) == 0) return next;
    at = (size_t)(next - text.at);
  }
  return NULL;
}

/* Two arguments and where the second stands in the first (NULL: nowhere). Long texts cost their product in work. */
static cq_status find_argument(cq_run *run, const cq_expr *call, cq_str *text, cq_str *part, const char **at) {
  cq_status status = cq_eval_string(run, call->args[0], text);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], part);
  if (status == CQ_OK) status = cq_spend(run, text->size / 32 * (part->size / 32 + 1));
  if (status == CQ_OK) *at = find(*text, *part);
  return status;
}

static cq_status fn_string(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  cq_status status = text_or_focus(run, call, 0, &text);
  if (status == CQ_OK) cq_answer_string(out, text);
  return status;
}

/* --- joining --- */

typedef struct pieces {
  cq_str *at;
  size_t count, capacity, bytes;
} pieces;

static cq_status add_piece(cq_run *run, pieces *list, cq_str text) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 8;
    cq_str *more = cq_arena_array(run->scratch, capacity, sizeof *more);
    if (!more) return cq_fail_memory(run);
    if (list->count) memcpy(more, list->at, list->count * sizeof *more);
    list->at = more;
    list->capacity = capacity;
  }
  list->at[list->count++] = text;
  list->bytes += text.size;
  return CQ_OK;
}

/* Each node of a node-set is a piece, any other value is one. */
static cq_status gather(cq_run *run, const cq_expr *call, size_t from, pieces *list) {
  cq_status status = CQ_OK;
  for (size_t i = from; i < call->count && status == CQ_OK; i++) {
    cq_xpath_value value;
    cq_str text;
    status = cq_eval(run, call->args[i], &value);
    if (status != CQ_OK) return status;
    if (value.type != CQ_XPATH_NODES) {
      status = cq_as_string(run, &value, &text);
      if (status == CQ_OK) status = add_piece(run, list, text);
      continue;
    }
    for (size_t n = 0; n < value.count && status == CQ_OK; n++) {
      status = cq_node_text_value(run, value.nodes[n], &text);
      if (status == CQ_OK) status = add_piece(run, list, text);
    }
  }
  return status;
}

static cq_status answer_joined(cq_run *run, const cq_expr *call, const pieces *list, cq_str between,
                               cq_xpath_value *out) {
  size_t gaps = list->count ? list->count - 1 : 0;
  if (list->bytes > CQ_XPATH_MAX_RESULT || (between.size && gaps > CQ_XPATH_MAX_RESULT / between.size))
    return cq_fail(run, call, CQ_LIMIT, "xpath.limit", call->string); /* concat(a, a) of itself grows without end */
  cq_status status = cq_spend(run, list->bytes >> 5);
  if (status != CQ_OK) return status;
  char *text = cq_take(run, list->bytes + gaps * between.size + 1), *end = text;
  if (!text) return cq_fail_memory(run);
  for (size_t i = 0; i < list->count; i++) {
    if (i && between.size) end = (char *)memcpy(end, between.at, between.size) + between.size;
    if (list->at[i].size) end = (char *)memcpy(end, list->at[i].at, list->at[i].size) + list->at[i].size;
  }
  cq_answer_string(out, (cq_str){text, (size_t)(end - text)});
  return CQ_OK;
}

static cq_status fn_concat(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  pieces list = {0};
  cq_status status = gather(run, call, 0, &list);
  return status == CQ_OK ? answer_joined(run, call, &list, CQ_STR(""), out) : status;
}

static cq_status fn_join(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  pieces list = {0};
  cq_str between;
  cq_status status = cq_eval_string(run, call->args[0], &between);
  if (status == CQ_OK) status = gather(run, call, 1, &list);
  return status == CQ_OK ? answer_joined(run, call, &list, between, out) : status;
}

/* --- parts --- */

/* Bytes that the first `count` code points take. */
static size_t bytes_of(cq_str text, size_t count) {
  size_t at = 0;
  while (count-- && at < text.size) cq_utf8_next(text, &at);
  return at;
}

static void answer_part(cq_xpath_value *out, cq_str text, size_t from, size_t to) {
  size_t start = bytes_of(text, from);
  size_t end = to > from ? start + bytes_of((cq_str){text.at + start, text.size - start}, to - from) : start;
  cq_answer_string(out, (cq_str){text.at + start, end - start});
}

/* A place counted from 0, or back from the end where it is negative, cut to the text. */
static size_t clamp_place(double place, size_t length) {
  if (isnan(place)) return 0;
  if (place < 0) place += (double)length;
  if (place <= 0) return 0;
  return place >= (double)length ? length : (size_t)place;
}

static cq_status fn_substr(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  double from = 0, to = 0;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_spend(run, text.size >> 3);
  size_t length = status == CQ_OK ? cq_utf8_length(text) : 0;
  if (status == CQ_OK) status = cq_eval_number(run, call->args[1], &from);
  to = (double)length;
  if (status == CQ_OK && call->count > 2) status = cq_eval_number(run, call->args[2], &to);
  if (status == CQ_OK) answer_part(out, text, clamp_place(from, length), clamp_place(to, length));
  return status;
}

static cq_status fn_substring(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  double from = NAN, count = INFINITY;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_eval_number(run, call->args[1], &from);
  if (status == CQ_OK && call->count > 2) status = cq_eval_number(run, call->args[2], &count);
  if (status == CQ_OK) status = cq_spend(run, text.size >> 3);
  if (status != CQ_OK) return status;
  double first = floor(from + 0.5), end = call->count > 2 ? first + floor(count + 0.5) : INFINITY,
         length = (double)cq_utf8_length(text);
  if (isnan(first) || isnan(end) || end <= 1 || first > length) {
    cq_answer_string(out, CQ_STR(""));
    return CQ_OK;
  }
  if (first < 1) first = 1;
  if (end > length + 1) end = length + 1;
  answer_part(out, text, (size_t)first - 1, (size_t)end - 1);
  return CQ_OK;
}

static cq_status fn_before(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, part;
  const char *at = NULL;
  cq_status status = find_argument(run, call, &text, &part, &at);
  if (status != CQ_OK) return status;
  cq_answer_string(out, at && text.size ? (cq_str){text.at, (size_t)(at - text.at)} : CQ_STR(""));
  return CQ_OK;
}

static cq_status fn_after(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, part;
  const char *at = NULL;
  cq_status status = find_argument(run, call, &text, &part, &at);
  if (status != CQ_OK) return status;
  size_t from = at && text.size ? (size_t)(at - text.at) + part.size : text.size;
  cq_answer_string(out, (cq_str){text.size ? text.at + from : "", text.size - from});
  return CQ_OK;
}

static cq_status fn_contains(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, part;
  const char *at = NULL;
  cq_status status = find_argument(run, call, &text, &part, &at);
  if (status == CQ_OK) cq_answer_boolean(out, at != NULL);
  return status;
}

static cq_status fn_starts_with(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, part;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &part);
  if (status == CQ_OK) cq_answer_boolean(out, cq_str_starts(text, part));
  return status;
}

static cq_status fn_ends_with(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, part;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &part);
  if (status != CQ_OK) return status;
  bool ends =
      !part.size || (text.size >= part.size && memcmp(text.at + text.size - part.size, part.at, part.size) == 0);
  cq_answer_boolean(out, ends);
  return CQ_OK;
}

static cq_status fn_length(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  cq_status status = text_or_focus(run, call, 0, &text);
  if (status == CQ_OK) status = cq_spend(run, text.size >> 3);
  if (status == CQ_OK) cq_answer_number(out, (double)cq_utf8_length(text));
  return status;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static cq_status fn_normalize(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text;
  cq_status status = text_or_focus(run, call, 0, &text);
  if (status == CQ_OK) status = cq_spend(run, text.size >> 3);
  if (status != CQ_OK) return status;
  char *made = cq_take(run, text.size + 1), *end = made;
  if (!made) return cq_fail_memory(run);
  for (size_t i = 0; i < text.size; i++) {
    if (!is_space(text.at[i])) {
      if (i && is_space(text.at[i - 1]) && end > made) *end++ = ' ';
      *end++ = text.at[i];
    }
  }
  cq_answer_string(out, (cq_str){made, (size_t)(end - made)});
  return CQ_OK;
}

static cq_status fn_translate(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, from, to;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[1], &from);
  if (status == CQ_OK) status = cq_eval_string(run, call->args[2], &to);
  if (status == CQ_OK) status = cq_spend(run, text.size / 8 * (from.size / 8 + 1));
  if (status != CQ_OK) return status;
  char *made = cq_take(run, text.size * 4 + 1), *end = made;
  if (!made) return cq_fail_memory(run);
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    size_t in = 0, with = 0;
    bool found = false;
    uint32_t instead = 0;
    while (in < from.size && !found) {
      bool more = with < to.size;
      uint32_t candidate = cq_utf8_next(from, &in);
      instead = more ? cq_utf8_next(to, &with) : 0;
      found = candidate == c;
    }
    if (!found) instead = c;
    if (instead || !found) end += cq_utf8_put(instead, end);
  }
  cq_answer_string(out, (cq_str){made, (size_t)(end - made)});
  return CQ_OK;
}

/* --- regular expressions: the whole text must match, as in JavaRosa --- */

static void *arena_malloc(size_t size, void *arena) {
  return cq_arena_alloc(arena, size);
}

static void arena_free(void *memory, void *arena) {
  (void)memory, (void)arena; /* goes with the arena */
}

/* In [\w-.] other engines take the hyphen, here at `offset` or before it, as itself. */
static bool escape_hyphen(cq_arena *arena, cq_str *pattern, size_t offset) {
  if (!pattern->at || offset >= pattern->size) return false;
  if (pattern->at[offset] != '-' && offset) offset--;
  if (pattern->at[offset] != '-') return false;
  char *at = cq_arena_alloc(arena, pattern->size + 2);
  if (!at) return false;
  memcpy(at, pattern->at, offset);
  at[offset] = '\\';
  memcpy(at + offset + 1, pattern->at + offset, pattern->size - offset);
  *pattern = (cq_str){at, pattern->size + 1};
  return true;
}

static pcre2_code *compile_pattern(cq_arena *arena, cq_str pattern, int *fault) {
  pcre2_general_context *memory = pcre2_general_context_create(arena_malloc, arena_free, arena);
  pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
  size_t offset = 0;
  *fault = PCRE2_ERROR_NOMEMORY;
  if (!context) return NULL;
  pcre2_set_parens_nest_limit(context, 100);
  const uint32_t options =
      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
  PCRE2_SPTR text = (PCRE2_SPTR)(pattern.at ? pattern.at : "");
  pcre2_code *code = pcre2_compile(text, pattern.size, options, fault, &offset, context);
  for (int i = 0; !code && *fault == PCRE2_ERROR_CLASS_INVALID_RANGE && i < 64; i++) {
    if (!escape_hyphen(arena, &pattern, offset)) break;
    code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.size, options, fault, &offset, context);
  }
  return code;
}

static bool is_pattern_fault(int number) {
  return number > 0 && number != PCRE2_ERROR_HEAP_FAILED;
}

static bool prepare_regex(cq_arena *arena, cq_expr *call, const char **fault) {
  if (call->args[1]->op != CQ_OP_STRING) return true;
  int number = 0;
  call->prepared = compile_pattern(arena, call->args[1]->string, &number);
  if (!call->prepared && is_pattern_fault(number)) *fault = "xpath.regex";
  return call->prepared != NULL;
}

static cq_status fn_regex(cq_run *run, const cq_expr *call, cq_xpath_value *out) {
  cq_str text, pattern;
  int fault = 0;
  const pcre2_code *code = call->prepared;
  cq_status status = cq_eval_string(run, call->args[0], &text);
  if (status == CQ_OK && !code) {
    status = cq_eval_string(run, call->args[1], &pattern);
    if (status != CQ_OK) return status;
    code = compile_pattern(run->scratch, pattern, &fault);
    if (!code && is_pattern_fault(fault)) return cq_fail(run, call, CQ_INVALID, "xpath.regex", call->string);
    if (!code) return cq_fail_memory(run);
  }
  if (status == CQ_OK) status = cq_spend(run, 100 + text.size);
  if (status != CQ_OK) return status;
  pcre2_general_context *memory = pcre2_general_context_create(arena_malloc, arena_free, run->scratch);
  pcre2_match_context *context = memory ? pcre2_match_context_create(memory) : NULL;
  pcre2_match_data *data = context ? pcre2_match_data_create(1, memory) : NULL;
  if (!data) return cq_fail_memory(run);
  pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
  /* PCRE2 does not say how far it went: it is let go further and further, so that the work is known within a factor. */
  int found = PCRE2_ERROR_MATCHLIMIT;
  for (uint32_t limit = FIRST_MATCH_LIMIT; found == PCRE2_ERROR_MATCHLIMIT && limit <= MATCH_LIMIT; limit *= 10) {
    pcre2_set_match_limit(context, limit);
    found = pcre2_match(code, (PCRE2_SPTR)(text.at ? text.at : ""), text.size, 0, PCRE2_NO_UTF_CHECK, data, context);
    status = limit > FIRST_MATCH_LIMIT || found == PCRE2_ERROR_MATCHLIMIT ? cq_spend(run, (size_t)limit * 4) : CQ_OK;
    if (status != CQ_OK) return status;
  }
  if (found == PCRE2_ERROR_NOMEMORY) return cq_fail_memory(run);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) return cq_fail(run, call, CQ_LIMIT, "xpath.limit", call->string);
  cq_answer_boolean(out, found >= 0);
  return CQ_OK;
}

static const cq_function rows[] = {
    {"string", 0, 1, CQ_READS_FOCUS, 0, fn_string, NULL},
    {"concat", 0, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_concat, NULL},
    {"join", 1, CQ_ANY_COUNT, CQ_READS_VALUES, 0, fn_join, NULL},
    {"substr", 2, 3, CQ_READS_VALUES, 0, fn_substr, NULL},
    {"substring", 2, 3, CQ_READS_VALUES, 0, fn_substring, NULL},
    {"substring-before", 2, 2, CQ_READS_VALUES, 0, fn_before, NULL},
    {"substring-after", 2, 2, CQ_READS_VALUES, 0, fn_after, NULL},
    {"contains", 2, 2, CQ_READS_VALUES, 0, fn_contains, NULL},
    {"starts-with", 2, 2, CQ_READS_VALUES, 0, fn_starts_with, NULL},
    {"ends-with", 2, 2, CQ_READS_VALUES, 0, fn_ends_with, NULL},
    {"string-length", 0, 1, CQ_READS_FOCUS, 0, fn_length, NULL},
    {"normalize-space", 0, 1, CQ_READS_FOCUS, 0, fn_normalize, NULL},
    {"translate", 3, 3, CQ_READS_VALUES, 0, fn_translate, NULL},
    {"regex", 2, 2, CQ_READS_VALUES, 0, fn_regex, prepare_regex},
};

const cq_function_table cq_text_functions = {rows, sizeof rows / sizeof *rows};
