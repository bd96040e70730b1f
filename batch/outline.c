/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/outline.h"
#include "batch/layout.h"

#include <stdlib.h>
#include <string.h>

enum { ABSENT = 0, EMPTY = 1, TEXT = 2, ELEMENTS = 3, KIND = 3, ATTRIBUTES = 4, MORE = 8 };

typedef struct node {
  cq_str name, attributes;
  cq_str tags;                         /* "<name attributes></name>", from which each tag of the element is cut */
  uint32_t child, last_child, sibling; /* 0: none; node 0 is no element, so that 0 can say so */
} node;

struct cq_outline {
  node *nodes; /* the root element is node 1 */
  uint32_t count, capacity;
  cq_buf tags; /* of all nodes */
};

/* What an element of the outline usually is: a question answered, a group entered. States are written as what differs
 * from it, so that an ordinary interview is a run of zeros. */
static uint8_t usual(const node *here) {
  return here->child ? ELEMENTS : TEXT;
}

/* --- scanning plain elements --- */

typedef enum { TAG_NONE, TAG_START, TAG_EMPTY, TAG_END } tag_kind;
typedef struct tag {
  tag_kind kind;
  cq_str name, attributes; /* attributes: all between the name and the end of the tag, as written */
  size_t size;             /* of the whole tag */
} tag;

static bool name_ends(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '/' || c == '>';
}

/* The tag that stands at the start of `text`; TAG_NONE where there is none, or a comment, CDATA, … */
static tag tag_at(cq_str text) {
  static const tag none = {.kind = TAG_NONE};
  if (text.size < 3 || text.at[0] != '<' || text.at[1] == '!' || text.at[1] == '?') return none;
  size_t at = text.at[1] == '/' ? 2 : 1, start = at;
  while (at < text.size && !name_ends(text.at[at])) at++;
  tag found = {.kind = start == 2 ? TAG_END : TAG_START, .name = {text.at + start, at - start}};
  size_t attributes = at;
  char quote = '\0';
  for (; at < text.size && (quote || text.at[at] != '>'); at++) {
    char c = text.at[at];
    if (quote)
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == '<')
      return none;
  }
  if (at >= text.size || found.name.size == 0) return none;
  size_t end = at;
  if (found.kind == TAG_START && end > attributes && text.at[end - 1] == '/') {
    found.kind = TAG_EMPTY;
    end--;
  }
  found.attributes = (cq_str){text.at + attributes, end - attributes};
  if (found.kind == TAG_END && found.attributes.size > 0) return none;
  found.size = at + 1;
  return found;
}

static void skip(cq_str *text, size_t size) {
  *text = (cq_str){text->at + size, text->size - size};
}

/* --- the outline of a form --- */

static uint32_t node_add(cq_outline *outline, uint32_t parent, cq_str name) {
  for (uint32_t i = parent ? outline->nodes[parent].child : 0; i != 0; i = outline->nodes[i].sibling)
    if (cq_str_equal(outline->nodes[i].name, name)) return i;
  if (outline->count == outline->capacity) {
    uint32_t capacity = outline->capacity ? outline->capacity * 2 : 256;
    node *nodes = capacity > CQ_OUTLINE_NODES * 2 ? NULL : realloc(outline->nodes, capacity * sizeof *nodes);
    if (!nodes) return 0;
    outline->nodes = nodes;
    outline->capacity = capacity;
  }
  uint32_t made = outline->count++;
  outline->nodes[made] = (node){.name = name};
  node *above = &outline->nodes[parent];
  if (parent == 0) return made;
  if (above->last_child)
    outline->nodes[above->last_child].sibling = made;
  else
    above->child = made;
  above->last_child = made;
  return made;
}

static void skip_space(cq_str *text) {
  *text = cq_str_trim(*text);
}

/* The element at the start of `text` into the outline; false where it is not plain. */
static bool add_element(cq_outline *outline, uint32_t parent, cq_str *text, int depth) {
  tag start = tag_at(*text);
  if ((start.kind != TAG_START && start.kind != TAG_EMPTY) || depth > CQ_OUTLINE_DEPTH) return false;
  uint32_t made = node_add(outline, parent, start.name);
  if (made == 0) return false;
  outline->nodes[made].attributes = start.attributes;
  skip(text, start.size);
  while (start.kind == TAG_START) {
    const char *next = text->size ? memchr(text->at, '<', text->size) : NULL;
    if (!next) return false;
    skip(text, (size_t)(next - text->at)); /* default values are not part of the outline */
    tag following = tag_at(*text);
    if (following.kind == TAG_END) {
      skip(text, following.size);
      return cq_str_equal(following.name, start.name);
    }
    if (!add_element(outline, made, text, depth + 1)) return false;
  }
  return true;
}

static const char *find(cq_str text, cq_str what) {
  while (text.size >= what.size) {
    const char *at = memchr(text.at, what.at[0], text.size - what.size + 1);
    if (!at) return NULL;
    if (memcmp(at, what.at, what.size) == 0) return at;
    skip(&text, (size_t)(at - text.at) + 1);
  }
  return NULL;
}

static bool make_tags(cq_outline *outline) {
  for (int pass = 0; pass < 2; pass++) { /* the second when the text moves no more */
    size_t at = 0;
    for (uint32_t i = 1; i < outline->count; i++) {
      node *here = &outline->nodes[i];
      size_t size = 2 * here->name.size + here->attributes.size + 5;
      if (pass == 1) here->tags = (cq_str){outline->tags.at + at, size};
      at += size;
      if (pass == 1) continue;
      cq_buf_add_char(&outline->tags, '<');
      cq_buf_add_str(&outline->tags, here->name);
      cq_buf_add_str(&outline->tags, here->attributes);
      cq_buf_add_str(&outline->tags, CQ_STR("></"));
      cq_buf_add_str(&outline->tags, here->name);
      cq_buf_add_char(&outline->tags, '>');
    }
  }
  return !outline->tags.failed;
}

cq_outline *cq_outline_new(cq_str xform) {
  static const cq_str opening = {"<instance>", 10};
  const char *at = find(xform, opening);
  cq_outline *outline = at ? calloc(1, sizeof *outline) : NULL;
  if (!outline) return NULL;
  skip(&xform, (size_t)(at - xform.at) + opening.size);
  skip_space(&xform);
  /* node 0 stands for nothing */
  outline->nodes = malloc(256 * sizeof *outline->nodes);
  if (outline->nodes) {
    outline->capacity = 256;
    outline->nodes[outline->count++] = (node){0};
    if (add_element(outline, 0, &xform, 0) && make_tags(outline)) return outline;
  }
  cq_outline_free(outline);
  return NULL;
}

void cq_outline_free(cq_outline *outline) {
  if (!outline) return;
  cq_buf_fini(&outline->tags);
  free(outline->nodes);
  free(outline);
}

/* --- writing --- */

typedef struct value {
  uint32_t node;
  cq_str text;
} value;

typedef struct walker {
  const cq_outline *outline;
  cq_buf states;
  value *values;
  size_t count, capacity;
  bool nomem;
} walker;

static void value_add(walker *w, uint32_t at, cq_str text) {
  if (w->count == w->capacity) {
    size_t capacity = w->capacity ? w->capacity * 2 : 1024;
    value *values = realloc(w->values, capacity * sizeof *values);
    if (!values) {
      w->nomem = true;
      return;
    }
    w->values = values;
    w->capacity = capacity;
  }
  w->values[w->count++] = (value){at, text};
}

static bool walk(walker *w, uint32_t at, cq_str *text);

static bool walk_children(walker *w, const node *parent, cq_str *text) {
  for (uint32_t i = parent->child; i != 0; i = w->outline->nodes[i].sibling) {
    tag next = tag_at(*text);
    if (next.kind != TAG_START && next.kind != TAG_EMPTY) next.name = (cq_str){"", 0};
    if (!cq_str_equal(next.name, w->outline->nodes[i].name)) {
      cq_buf_add_char(&w->states, (char)(ABSENT ^ usual(&w->outline->nodes[i])));
      continue;
    }
    do {
      size_t state = w->states.size;
      if (!walk(w, i, text)) return false;
      next = tag_at(*text);
      if (next.kind == TAG_END || !cq_str_equal(next.name, w->outline->nodes[i].name)) break;
      w->states.at[state] = (char)(w->states.at[state] | MORE);
    } while (true);
  }
  tag end = tag_at(*text);
  if (end.kind != TAG_END || !cq_str_equal(end.name, parent->name)) return false;
  skip(text, end.size);
  return true;
}

/* The element at the start of `text`, whose name is that of node `at`. */
static bool walk(walker *w, uint32_t at, cq_str *text) {
  const node *here = &w->outline->nodes[at];
  tag start = tag_at(*text);
  bool differ = !cq_str_equal(start.attributes, here->attributes);
  int flags = differ ? ATTRIBUTES : 0;
  if (differ) value_add(w, at, start.attributes);
  skip(text, start.size);
  size_t state = w->states.size;
  cq_buf_add_char(&w->states, (char)(flags ^ EMPTY ^ usual(here)));
  if (w->states.failed || w->nomem) return false;
  if (start.kind == TAG_EMPTY) return true;
  const char *next = text->size ? memchr(text->at, '<', text->size) : NULL;
  if (!next) return false;
  cq_str inside = {text->at, (size_t)(next - text->at)};
  skip(text, inside.size);
  tag end = tag_at(*text);
  if (end.kind == TAG_END) {
    value_add(w, at, inside);
    w->states.at[state] = (char)(flags ^ TEXT ^ usual(here));
    skip(text, end.size);
    return cq_str_equal(end.name, here->name);
  }
  w->states.at[state] = (char)(flags ^ ELEMENTS ^ usual(here));
  return inside.size == 0 && walk_children(w, here, text);
}

/* One instance: what stands before its root, the root, what stands after it; or whole, where it cannot be walked. */
static void walk_instance(walker *w, cq_str instance) {
  size_t states = w->states.size, count = w->count;
  cq_buf_add_char(&w->states, 1);
  cq_str text = instance, name = w->outline->nodes[1].name;
  bool walked = false;
  while (text.size > 0) {
    const char *next = memchr(text.at, '<', text.size);
    if (!next) break;
    skip(&text, (size_t)(next - text.at));
    tag start = tag_at(text);
    if (start.kind == TAG_NONE && text.size > 1 && text.at[1] == '?') {
      skip(&text, 1);
      continue; /* the XML declaration */
    }
    if ((start.kind == TAG_START || start.kind == TAG_EMPTY) && cq_str_equal(start.name, name)) {
      value_add(w, 0, (cq_str){instance.at, instance.size - text.size});
      walked = walk(w, 1, &text);
      value_add(w, 0, text);
    }
    break;
  }
  if (walked || w->states.failed) return;
  w->states.size = states;
  w->count = count;
  cq_buf_add_char(&w->states, 0);
  value_add(w, 0, instance);
}

/* The values in the order of their nodes, those of one node in the order found. */
static bool put_columns(const walker *w, cq_arena *scratch, cq_buf *out) {
  size_t *next = cq_arena_array(scratch, w->outline->count + 1, sizeof *next);
  const value **sorted = cq_arena_array(scratch, w->count + 1, sizeof *sorted);
  if (!next || !sorted) return false;
  for (size_t i = 0; i < w->count; i++) next[w->values[i].node + 1]++;
  for (size_t i = 1; i <= w->outline->count; i++) next[i] += next[i - 1];
  for (size_t i = 0; i < w->count; i++) sorted[next[w->values[i].node]++] = &w->values[i];
  for (size_t i = 0; i < w->count; i++) {
    cq_buf_add_str(out, sorted[i]->text);
    cq_buf_add_char(out, '\0');
  }
  return !out->failed;
}

bool cq_outline_write(const cq_outline *outline, const cq_str *instances, size_t count, cq_arena *scratch,
                      cq_buf *out) {
  walker w = {.outline = outline};
  for (size_t i = 0; i < count; i++) walk_instance(&w, instances[i]);
  bool right = !w.nomem && !w.states.failed;
  if (right) {
    cq_put_varint(out, w.states.size);
    cq_buf_add(out, w.states.at, w.states.size);
    right = put_columns(&w, scratch, out);
  }
  cq_buf_fini(&w.states);
  free(w.values);
  return right;
}

/* --- reading --- */

typedef struct rebuilder {
  const cq_outline *outline;
  cq_layout states;
  size_t *next;   /* of each node: how many values (first pass), then which value is its next */
  cq_str *values; /* NULL in the first pass */
  cq_buf *out;
  size_t limit; /* of out->size */
} rebuilder;

/* In the first pass values are counted only. */
static cq_str take(rebuilder *r, uint32_t at) {
  size_t which = r->next[at]++;
  return r->values ? r->values[which] : (cq_str){"", 0};
}

/* Where so many bytes may be written next; NULL where they are too many. */
static char *room(rebuilder *r, size_t size) {
  cq_buf *out = r->out;
  if (out->size + size > r->limit)
    r->states.failed = true;
  else if (size < out->capacity - out->size || cq_buf_reserve(out, size))
    return out->at + out->size;
  return NULL;
}

static void emit(rebuilder *r, cq_str text) {
  char *to = room(r, text.size);
  if (!to) return;
  if (text.size) memcpy(to, text.at, text.size);
  r->out->size += text.size;
}

/* An answer as it usually is, a hundred times for each record: "<name attributes>text</name>". */
static void emit_answer(rebuilder *r, const node *here, cq_str text) {
  size_t start = here->name.size + here->attributes.size + 2, end = here->tags.size - start;
  char *to = room(r, here->tags.size + text.size);
  if (!to) return;
  memcpy(to, here->tags.at, start);
  if (text.size) memcpy(to + start, text.at, text.size);
  memcpy(to + start + text.size, here->tags.at + start, end);
  r->out->size += here->tags.size + text.size;
}

/* "<name", the attributes and the end of the start tag: all at once where the attributes are the usual ones. */
static void emit_start(rebuilder *r, const node *here, uint8_t state, cq_str attributes, bool empty) {
  size_t name = here->name.size + 1;
  if (!(state & ATTRIBUTES)) {
    emit(r, (cq_str){here->tags.at, name + here->attributes.size + !empty});
  } else {
    emit(r, (cq_str){here->tags.at, name});
    emit(r, attributes);
    if (!empty) emit(r, CQ_STR(">"));
  }
  if (empty) emit(r, CQ_STR("/>"));
}

static void emit_end(rebuilder *r, const node *here) {
  size_t size = here->name.size + 3;
  emit(r, (cq_str){here->tags.at + here->tags.size - size, size});
}

static bool rebuild(rebuilder *r, uint32_t at, bool *more);

static void rebuild_children(rebuilder *r, const node *here) {
  for (uint32_t i = here->child; i != 0 && !r->states.failed; i = r->outline->nodes[i].sibling) {
    bool more = false;
    bool there = rebuild(r, i, &more);
    while (there && more && !r->states.failed)
      if (!rebuild(r, i, &more)) r->states.failed = true; /* another was to follow */
  }
}

/* Rebuilds the element whose state stands next; false where that is absent. `more` where another follows. */
static bool rebuild(rebuilder *r, uint32_t at, bool *more) {
  const node *here = &r->outline->nodes[at];
  uint8_t state = (uint8_t)(cq_layout_u8(&r->states) ^ usual(here));
  uint8_t kind = state & KIND;
  bool writing = r->values != NULL;
  *more = (state & MORE) != 0;
  if (state == ABSENT) return false;
  if (state > (KIND | ATTRIBUTES | MORE) || kind == ABSENT) r->states.failed = true;
  if (r->states.failed) return false;
  if ((state & (KIND | ATTRIBUTES)) == TEXT) {
    cq_str text = take(r, at);
    if (writing) emit_answer(r, here, text);
    return true;
  }
  cq_str attributes = state & ATTRIBUTES ? take(r, at) : here->attributes;
  if (writing) emit_start(r, here, state, attributes, kind == EMPTY);
  if (kind == EMPTY) return true;
  if (kind == TEXT) {
    cq_str text = take(r, at);
    if (writing) emit(r, text);
  } else {
    rebuild_children(r, here);
  }
  if (writing) emit_end(r, here);
  return true;
}

static void rebuild_instance(rebuilder *r) {
  uint8_t walked = cq_layout_u8(&r->states);
  cq_str before = take(r, 0);
  if (r->values) emit(r, before);
  if (walked == 0) return;
  bool more = false;
  if (walked != 1 || !rebuild(r, 1, &more) || more) r->states.failed = true;
  cq_str after = take(r, 0);
  if (r->values) emit(r, after);
}

/* From counts to where each column begins, and the values themselves. */
static bool take_columns(rebuilder *r, cq_layout *layout, cq_arena *scratch) {
  size_t total = 0;
  for (uint32_t i = 0; i < r->outline->count; i++) {
    size_t count = r->next[i];
    r->next[i] = total;
    total += count;
  }
  if (total > cq_layout_left(layout)) return false; /* each value has its zero byte */
  cq_str *values = cq_arena_array(scratch, total + 1, sizeof *values);
  if (!values) return false;
  for (size_t i = 0; i < total; i++) {
    size_t left = cq_layout_left(layout);
    const uint8_t *end = left ? memchr(layout->at, '\0', left) : NULL;
    if (!end) return false;
    values[i] = (cq_str){(const char *)layout->at, (size_t)(end - layout->at)};
    layout->at = end + 1;
  }
  r->values = values;
  return cq_layout_left(layout) == 0;
}

bool cq_outline_read(const cq_outline *outline, cq_str bytes, size_t count, size_t limit, cq_arena *scratch,
                     cq_buf *out, size_t *sizes) {
  cq_layout layout = cq_layout_of(bytes.at, bytes.size);
  uint64_t size = cq_layout_varint(&layout);
  if (layout.failed || size > cq_layout_left(&layout)) return false;
  cq_layout states = cq_layout_of(cq_layout_take(&layout, (size_t)size), (size_t)size);
  rebuilder r = {.outline = outline, .states = states, .out = out, .limit = out->size + limit};
  r.next = cq_arena_array(scratch, outline->count, sizeof *r.next);
  if (!r.next) return false;
  for (size_t i = 0; i < count && !r.states.failed; i++) rebuild_instance(&r);
  if (r.states.failed || cq_layout_left(&r.states) > 0 || !take_columns(&r, &layout, scratch)) return false;
  r.states = states;
  cq_buf_reserve(out, bytes.size * 4); /* what it usually comes to */
  for (size_t i = 0; i < count && !r.states.failed; i++) {
    size_t start = out->size;
    rebuild_instance(&r);
    sizes[i] = out->size - start;
  }
  if (out->at) out->at[out->size] = '\0';
  return !r.states.failed && !out->failed;
}
