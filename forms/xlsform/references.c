/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/references.h"

#include <string.h>

static bool starts_at(cq_str text, size_t at, const char *word) {
  size_t size = strlen(word);
  return text.size - at >= size && memcmp(text.at + at, word, size) == 0;
}

static size_t find(cq_str text, size_t from, const char *word) {
  for (size_t at = from; at < text.size; at++) {
    if (text.at[at] == *word && starts_at(text, at, word)) return at;
  }
  return text.size;
}

bool cq_reference_next(cq_str text, size_t from, cq_reference *found) {
  for (size_t at = from; (at = find(text, at, "${")) < text.size; at += 2) {
    size_t name = at + 2;
    found->last_saved = starts_at(text, name, "last-saved#");
    if (found->last_saved) name += strlen("last-saved#");
    const char *close = memchr(text.at + name, '}', text.size - name);
    if (!close) return false;
    found->name = (cq_str){text.at + name, (size_t)(close - text.at) - name};
    if (!cq_name_valid(found->name) || memchr(found->name.at, ':', found->name.size)) continue;
    found->start = at;
    found->end = (size_t)(close - text.at) + 1;
    return true;
  }
  return false;
}

bool cq_reference_any(cq_str text) {
  cq_reference found;
  return cq_reference_next(text, 0, &found);
}

bool cq_reference_whole(cq_str text, cq_reference *found) {
  return cq_reference_next(text, 0, found) && found->start == 0 && found->end == text.size;
}

/* --- paths --- */

static const cq_element *repeat_above(const cq_element *at) {
  for (at = at->parent; at && at->kind != CQ_ELEMENT_REPEAT;) at = at->parent;
  return at;
}

static bool is_above(const cq_element *upper, const cq_element *at) {
  for (at = at->parent; at && at != upper;) at = at->parent;
  return at != NULL;
}

/* The lowest element above both, a repeat or (where `groups`) a group; NULL: none. */
static const cq_element *common(const cq_element *a, const cq_element *b, bool groups) {
  for (const cq_element *at = a->parent; at; at = at->parent) {
    bool fits =
        at->kind == CQ_ELEMENT_REPEAT || (groups && (at->kind == CQ_ELEMENT_GROUP || at->kind == CQ_ELEMENT_META));
    if (fits && is_above(at, b)) return at;
  }
  return NULL;
}

/* " ../../group/name " as seen from `context`; false where the two share no repeat. */
static bool relative(const cq_element *target, const cq_element *context, bool current, bool parent, cq_buf *out) {
  const cq_element *shared = common(context, target, false);
  if (!shared) return false;
  const cq_element *top = common(context, target, true);
  if (parent && repeat_above(target) == shared && (!repeat_above(shared) || repeat_above(context) != shared)) {
    top = shared->parent;
  }
  int steps = context->depth - top->depth;
  cq_buf_add_text(out, current ? " current()/" : " ");
  for (int i = 0; i < steps; i++) cq_buf_add_text(out, i ? "/.." : "..");
  cq_str below = {target->path.at + top->path.size, target->path.size - top->path.size};
  cq_buf_add_str(out, below);
  cq_buf_add_char(out, ' ');
  return true;
}

/* Whether the place stands between brackets of an expression that asks an instance. */
static bool in_predicate(cq_str text, const cq_reference *r) {
  size_t instance = find(text, 0, "instance(");
  if (instance == text.size || text.size - instance < strlen("instance(") + 2) return false;
  for (size_t open = find(text, 0, "["); open < text.size;) {
    size_t close = find(text, open, "]");
    if (close == text.size) return false;
    if (close > open + 1 && r->start >= open && r->end <= close + 1) return true;
    open = find(text, close, "[");
  }
  return false;
}

/* The next "indexed-repeat(…)" up to its first closing bracket. */
static bool next_indexed(cq_str text, size_t from, size_t *start, size_t *end) {
  *start = find(text, from, "indexed-repeat(");
  if (*start == text.size) return false;
  *end = find(text, *start, ")");
  if (*end == text.size) return false;
  ++*end;
  return true;
}

/* The place of the reference among the arguments, the last that holds it; -1: none. */
static int argument_of(cq_str call, cq_str name) {
  size_t open = find(call, 0, "(") + 1;
  int argument = 0, found = -1;
  for (size_t at = open; at < call.size; at++) {
    if (call.at[at] == ',') argument++;
    cq_reference r;
    if (starts_at(call, at, "${") && cq_reference_next(call, at, &r) && r.start == at && !r.last_saved &&
        cq_str_equal(r.name, name)) {
      found = argument;
    }
  }
  return found;
}

/*
 * Inside indexed-repeat() the node and the repeats are absolute, the indexes
 * relative. pyxform looks at every second call only; phones have forms that
 * were made so, and absolute paths mean the same there.
 */
static bool wants_relative(cq_str text, const cq_reference *r) {
  size_t start = 0, end = 0, from = 0;
  if (find(text, 0, "indexed-repeat(") == text.size) return true;
  while (next_indexed(text, from, &start, &end)) {
    if (r->end > end) {
      if (!next_indexed(text, end, &start, &end)) return true;
      from = end;
      continue;
    }
    if (r->end < start || r->start > end) return true;
    int argument = argument_of((cq_str){text.at + start, end - start}, r->name);
    return argument >= 0 && argument != 0 && argument != 1 && argument != 3 && argument != 5;
  }
  return false;
}

static void add_path(const cq_form_draft *form, cq_str text, const cq_reference *r, const cq_element *context,
                     unsigned how, cq_buf *out) {
  const cq_element *target = cq_element_named(form, r->name);
  if (!target) {
    cq_buf_add(out, text.at + r->start, r->end - r->start);
    return;
  }
  if (!r->last_saved && context && wants_relative(text, r)) {
    bool current = (how & CQ_REFERENCE_CURRENT) || in_predicate(text, r);
    if (relative(target, context, current, how & CQ_REFERENCE_PARENT, out)) return;
  }
  cq_buf_add_char(out, ' ');
  if (r->last_saved) cq_buf_add_text(out, "instance('__last-saved')");
  cq_buf_add_str(out, target->path);
  cq_buf_add_char(out, ' ');
}

void cq_resolve(const cq_form_draft *form, cq_str text, const cq_element *context, unsigned how, cq_buf *out) {
  size_t at = 0;
  cq_reference r;
  while (cq_reference_next(text, at, &r)) {
    cq_buf_add(out, text.at + at, r.start - at);
    add_path(form, text, &r, context, how, out);
    at = r.end;
  }
  cq_buf_add(out, text.at + at, text.size - at);
}

/* --- checks --- */

enum { NEAR_FAULTS = 100 }; /* beyond so many a form is another's, or broken: no more guesses at each name */

static cq_str nearest_name(cq_form_draft *form, cq_str name) {
  if (form->faults.errors > NEAR_FAULTS) return (cq_str){"", 0};
  size_t count = 0, room = 0;
  for (const cq_element *at = form->root; at; at = cq_element_next(form->root, at)) room++;
  cq_arena_mark mark = cq_arena_save(form->arena);
  cq_str *names = cq_draft_alloc(form, room * sizeof *names);
  for (const cq_element *at = form->root; names && at; at = cq_element_next(form->root, at)) names[count++] = at->name;
  cq_str nearest = names ? cq_nearest(name, names, count) : (cq_str){"", 0};
  cq_arena_rewind(form->arena, mark); /* the names themselves stand before the mark */
  return nearest;
}

bool cq_references_check(cq_form_draft *form, cq_str text, cq_place place) {
  bool fine = true;
  for (size_t at = 0; (at = find(text, at, "${")) < text.size; at += 2) {
    const char *close = memchr(text.at + at, '}', text.size - at);
    if (!close) return fine; /* not closed: it stays text */
    cq_reference r;
    cq_str whole = {text.at + at, (size_t)(close - text.at) + 1 - at};
    if (!cq_reference_next(whole, 0, &r) || r.start != 0) {
      cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.reference.form", place, whole, "${name}", (cq_str){"", 0});
      fine = false;
      continue;
    }
    const cq_element *target = cq_element_named(form, r.name);
    if (!target) {
      cq_fault(form, CQ_XLSFORM_ERROR, "xlsform.reference.unknown", place, r.name, NULL, nearest_name(form, r.name));
      fine = false;
    } else if (target->next_of_name) {
      cq_fault_error(form, "xlsform.reference.twice", place, r.name);
      fine = false;
    }
  }
  return fine;
}

/* --- defaults: a value or an expression --- */

static bool digits(cq_str text, size_t at, size_t count) {
  if (text.size - at < count) return false;
  for (size_t i = 0; i < count; i++) {
    if (text.at[at + i] < '0' || text.at[at + i] > '9') return false;
  }
  return true;
}

/* Bytes of "01:02:55", "01:02:55Z", "01:02:55-07:00" at `at`; 0: none. */
static size_t time_size(cq_str text, size_t at) {
  if (text.size - at < 8 || !digits(text, at, 2) || text.at[at + 2] != ':' || !digits(text, at + 3, 2) ||
      text.at[at + 5] != ':' || !digits(text, at + 6, 2)) {
    return 0;
  }
  size_t end = at + 8;
  if (end < text.size && text.at[end] == 'Z') return 9;
  if (text.size - end >= 6 && (text.at[end] == '+' || text.at[end] == '-') && digits(text, end + 1, 2) &&
      text.at[end + 3] == ':' && digits(text, end + 4, 2)) {
    return 14;
  }
  return 8;
}

static size_t date_size(cq_str text, size_t at) {
  size_t sign = text.at[at] == '-';
  at += sign;
  if (text.size - at < 10 || !digits(text, at, 4) || text.at[at + 4] != '-' || !digits(text, at + 5, 2) ||
      text.at[at + 7] != '-' || !digits(text, at + 8, 2)) {
    return 0;
  }
  size_t time = text.size - at > 11 && text.at[at + 10] == 'T' ? time_size(text, at + 11) : 0;
  return sign + 10 + (time ? time + 1 : 0);
}

static size_t number_size(cq_str text, size_t at) {
  size_t end = at + (text.at[at] == '-'), whole = end;
  while (end < text.size && digits(text, end, 1)) end++;
  bool any = end > whole;
  if (end < text.size && text.at[end] == '.' && (any || digits(text, end + 1, 1))) {
    end++;
    while (end < text.size && digits(text, end, 1)) end++;
    any = true;
  }
  return any ? end - at : 0;
}

bool cq_default_is_dynamic(cq_str text, const cq_word_type *type) {
  static const char *const hyphened[] = {"date", "dateTime", "geopoint", "geotrace", "geoshape"};
  bool may_hold_hyphen = false;
  for (int i = 0; type && i < 5; i++) may_hold_hyphen = may_hold_hyphen || strcmp(type->name, hyphened[i]) == 0;
  for (size_t at = 0; at < text.size;) {
    size_t size = date_size(text, at);
    if (!size) size = time_size(text, at);
    if (!size) size = number_size(text, at);
    cq_reference r;
    if (size) {
      at += size;
    } else if (strchr("*+-|", text.at[at]) || starts_at(text, at, " mod ") || starts_at(text, at, " div ")) {
      return !(may_hold_hyphen && text.at[at] == '-');
    } else if (text.at[at] == '"' || text.at[at] == '\'') {
      const char *close = memchr(text.at + at + 1, text.at[at], text.size - at - 1);
      at = close ? (size_t)(close - text.at) + 1 : at + 1;
    } else if (starts_at(text, at, "${") && cq_reference_next(text, at, &r) && r.start == at) {
      return true;
    } else if ((size = cq_name_size(text, at)) > 0) {
      at += size;
      if (at < text.size && text.at[at] == '(') return true;
    } else {
      cq_utf8_next(text, &at);
    }
  }
  return false;
}

/* --- instance('…') in a text --- */

/* Past a bracketed part, quotes respected; text.size where it does not close. */
static size_t past(cq_str text, size_t at, char open, char close) {
  int depth = 0;
  for (; at < text.size; at++) {
    char c = text.at[at];
    if (c == '"' || c == '\'') {
      const char *end = memchr(text.at + at + 1, c, text.size - at - 1);
      if (!end) return text.size;
      at = (size_t)(end - text.at);
    } else if (c == open) {
      depth++;
    } else if (c == close && --depth == 0) {
      return at + 1;
    }
  }
  return text.size + 1;
}

bool cq_instance_expression(cq_str text, size_t from, size_t *start, size_t *end) {
  *start = find(text, from, "instance(");
  if (*start == text.size) return false;
  size_t at = past(text, *start + strlen("instance"), '(', ')');
  if (at > text.size || at == text.size || text.at[at] != '/') return false;
  while (at < text.size) {
    size_t size = 0;
    if (text.at[at] == '/' && at + 1 < text.size && (size = cq_name_size(text, at + 1)) > 0) {
      at += 1 + size;
    } else if (text.at[at] == '[' && past(text, at, '[', ']') <= text.size) {
      at = past(text, at, '[', ']');
    } else {
      break;
    }
  }
  *end = at;
  return true;
}
