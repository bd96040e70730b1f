/* SPDX-License-Identifier: Apache-2.0 */
#include "central/tables/indicators/expression.h"

#include "central/tables/survey/data.h"

#include <math.h>
#include <string.h>

typedef enum {
  NUMBER,
  TEXT,
  NAME,
  OR,
  AND,
  NOT,
  EQUAL,
  DIFFERENT,
  LESS,
  LESS_EQUAL,
  MORE,
  MORE_EQUAL,
  ADD,
  SUBTRACT,
  MULTIPLY,
  DIVIDE,
  NEGATE,
  SELECTED,
  MISSING
} operation;

typedef struct node {
  operation op;
  double number;
  cq_str text; /* of a text; of a name */
  const struct node *left, *right;
} node;

struct cq_expression {
  const node *root;
  cq_str *names;
  size_t name_count;
};

typedef struct parser {
  cq_str text;
  size_t at, nodes, depth;
  cq_arena *arena;
  cq_expression *into;
  cq_error *error;
  cq_status status;
} parser;

/* --- reading --- */

static void space(parser *p) {
  while (p->at < p->text.size && strchr(" \t\r\n", p->text.at[p->at])) p->at++;
}

static const node *wrong(parser *p, const char *code) {
  char found[40];
  size_t size = p->text.size - p->at;
  if (p->status != CQ_OK) return NULL;
  if (!size && strcmp(code, "indicator.expression") == 0) code = "indicator.expression.end";
  if (size >= sizeof found) size = sizeof found - 1;
  while (size && p->at + size < p->text.size && ((unsigned char)p->text.at[p->at + size] & 0xC0) == 0x80) size--;
  memcpy(found, p->text.at + p->at, size);
  found[size] = '\0';
  p->status = cq_error_set(p->error, CQ_INVALID, code, found, NULL);
  return NULL;
}

static node *make(parser *p, operation op, const node *left, const node *right) {
  if (p->status != CQ_OK) return NULL;
  if (++p->nodes > CQ_EXPRESSION_MAX_NODES) {
    p->status = cq_error_set(p->error, CQ_LIMIT, "indicator.expression.long", NULL);
    return NULL;
  }
  node *n = cq_arena_alloc(p->arena, sizeof *n);
  if (!n) {
    p->status = cq_error_nomem(p->error);
    return NULL;
  }
  *n = (node){.op = op, .left = left, .right = right};
  return n;
}

static bool name_byte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80 ||
         (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

/* A sign where it is next; passed. */
static bool sign(parser *p, const char *what) {
  space(p);
  size_t size = strlen(what);
  if (p->text.size - p->at < size || memcmp(p->text.at + p->at, what, size) != 0) return false;
  p->at += size;
  return true;
}

/* A word, alone: "or" is not the beginning of "orden". */
static bool word(parser *p, const char *what) {
  space(p);
  size_t size = strlen(what);
  if (p->text.size - p->at < size || memcmp(p->text.at + p->at, what, size) != 0) return false;
  if (p->at + size < p->text.size && name_byte(p->text.at[p->at + size], false)) return false;
  p->at += size;
  return true;
}

static const node *either(parser *p);

static const node *quoted(parser *p) {
  char quote = p->text.at[p->at];
  size_t from = ++p->at;
  while (p->at < p->text.size && p->text.at[p->at] != quote) p->at++;
  if (p->at == p->text.size) return wrong(p, "indicator.expression");
  cq_str text = {p->text.at + from, p->at++ - from};
  node *n = make(p, TEXT, NULL, NULL);
  if (n) n->text = text;
  return n;
}

static const node *number(parser *p) {
  size_t from = p->at;
  while (p->at < p->text.size && strchr("0123456789.", p->text.at[p->at])) p->at++;
  node *n = make(p, NUMBER, NULL, NULL);
  if (n && !cq_data_number((cq_str){p->text.at + from, p->at - from}, &n->number)) {
    p->at = from;
    return wrong(p, "indicator.expression");
  }
  return n;
}

/* ${name} as in the forms' sheets, or the bare name. A hyphen within a name would read as minus: bare ones have none.
 */
static const node *named(parser *p) {
  bool braces = sign(p, "${");
  size_t from = p->at;
  while (p->at < p->text.size && name_byte(p->text.at[p->at], p->at == from) && (braces || p->text.at[p->at] != '-'))
    p->at++;
  cq_str name = {p->text.at + from, p->at - from};
  if (!name.size || (braces && !sign(p, "}"))) return wrong(p, "indicator.expression");
  node *n = make(p, NAME, NULL, NULL);
  if (!n) return NULL;
  n->text = name;
  for (size_t i = 0; i < p->into->name_count; i++)
    if (cq_str_equal(p->into->names[i], name)) return n;
  p->into->names[p->into->name_count++] = name; /* room for as many as nodes */
  return n;
}

static const node *closed(parser *p, const node *inside) {
  if (p->status == CQ_OK && !sign(p, ")")) return wrong(p, "indicator.expression");
  return inside;
}

static const node *primary(parser *p) {
  space(p);
  if (p->at == p->text.size) return wrong(p, "indicator.expression");
  char c = p->text.at[p->at];
  if (c == '\'' || c == '"') return quoted(p);
  if (c >= '0' && c <= '9') return number(p);
  if (sign(p, "(")) return closed(p, either(p));
  size_t before = p->at;
  if (word(p, "not")) {
    if (!sign(p, "(")) return wrong(p, "indicator.expression");
    return closed(p, make(p, NOT, either(p), NULL));
  }
  if (word(p, "missing") && sign(p, "(")) return closed(p, make(p, MISSING, named(p), NULL));
  p->at = before;
  if (word(p, "selected") && sign(p, "(")) {
    const node *of = named(p);
    if (p->status == CQ_OK && !sign(p, ",")) return wrong(p, "indicator.expression");
    space(p);
    bool text = p->at < p->text.size && strchr("'\"", p->text.at[p->at]);
    return closed(p, text ? make(p, SELECTED, of, quoted(p)) : wrong(p, "indicator.expression"));
  }
  p->at = before;
  if (!name_byte(c, true) && c != '$') return wrong(p, "indicator.expression");
  return named(p);
}

static const node *unary(parser *p) {
  if (!sign(p, "-")) return primary(p);
  if (++p->depth > CQ_EXPRESSION_MAX_DEPTH) return wrong(p, "indicator.expression.long");
  const node *n = make(p, NEGATE, unary(p), NULL);
  p->depth--;
  return n;
}

static const node *product(parser *p) {
  const node *left = unary(p);
  while (p->status == CQ_OK) {
    if (sign(p, "*"))
      left = make(p, MULTIPLY, left, unary(p));
    else if (sign(p, "/") || word(p, "div"))
      left = make(p, DIVIDE, left, unary(p));
    else
      break;
  }
  return left;
}

static const node *sum(parser *p) {
  const node *left = product(p);
  while (p->status == CQ_OK) {
    if (sign(p, "+"))
      left = make(p, ADD, left, product(p));
    else if (sign(p, "-"))
      left = make(p, SUBTRACT, left, product(p));
    else
      break;
  }
  return left;
}

static const node *comparison(parser *p) {
  static const struct {
    const char *sign;
    operation op;
  } signs[] = {{"!=", DIFFERENT}, {"<=", LESS_EQUAL}, {">=", MORE_EQUAL}, {"=", EQUAL}, {"<", LESS}, {">", MORE}};
  const node *left = sum(p);
  for (size_t i = 0; p->status == CQ_OK && i < sizeof signs / sizeof *signs; i++)
    if (sign(p, signs[i].sign)) return make(p, signs[i].op, left, sum(p));
  return left;
}

static const node *both(parser *p) {
  const node *left = comparison(p);
  while (p->status == CQ_OK && word(p, "and")) left = make(p, AND, left, comparison(p));
  return left;
}

static const node *either(parser *p) {
  if (++p->depth > CQ_EXPRESSION_MAX_DEPTH) return wrong(p, "indicator.expression.long");
  const node *left = both(p);
  while (p->status == CQ_OK && word(p, "or")) left = make(p, OR, left, both(p));
  p->depth--;
  return left;
}

cq_status cq_expression_parse(cq_expression **out, cq_str text, cq_arena *arena, cq_error *error) {
  *out = NULL;
  if (text.size > CQ_EXPRESSION_MAX_BYTES) return cq_error_set(error, CQ_LIMIT, "indicator.expression.long", NULL);
  cq_expression *e = cq_arena_alloc(arena, sizeof *e);
  parser p = {.arena = arena, .into = e, .error = error, .text = cq_arena_copy(arena, text)};
  if (!e || !p.text.at) return cq_error_nomem(error);
  cq_str names[CQ_EXPRESSION_MAX_NODES + 1] = {{NULL, 0}};
  *e = (cq_expression){.names = names};
  e->root = either(&p);
  space(&p);
  if (p.status == CQ_OK && p.at < p.text.size) wrong(&p, "indicator.expression");
  e->names = cq_arena_array(arena, e->name_count + 1, sizeof *names);
  if (!e->names) return cq_error_nomem(error);
  memcpy(e->names, names, e->name_count * sizeof *names);
  if (p.status == CQ_OK) *out = e;
  return p.status;
}

size_t cq_expression_names(const cq_expression *e) {
  return e->name_count;
}

cq_str cq_expression_name(const cq_expression *e, size_t index) {
  return e->names[index];
}

/* --- value --- */

typedef struct evaluation {
  cq_expression_lookup lookup;
  void *context;
} evaluation;

static const cq_value nothing = {.kind = CQ_VALUE_MISSING};

static cq_value number_value(double number) {
  return isfinite(number) ? (cq_value){.kind = CQ_VALUE_NUMBER, .number = number} : nothing;
}

static cq_value truth(bool value) {
  return number_value(value ? 1 : 0);
}

/* Text that is no number is missing where a number is needed. */
static cq_value as_number(cq_value v) {
  double number;
  if (v.kind != CQ_VALUE_TEXT) return v;
  return cq_data_number(v.text, &number) ? number_value(number) : nothing;
}

static cq_value value_of(const node *n, const evaluation *e);

static cq_value compare(const node *n, const evaluation *e) {
  cq_value a = value_of(n->left, e), b = value_of(n->right, e);
  if (a.kind == CQ_VALUE_MISSING || b.kind == CQ_VALUE_MISSING) return nothing;
  /* a text in quotes is compared as text; what stands in records as a number where the other side is one */
  if (n->op <= DIFFERENT && (n->left->op == TEXT || n->right->op == TEXT)) {
    if (a.kind != CQ_VALUE_TEXT || b.kind != CQ_VALUE_TEXT) return nothing;
    return truth(cq_str_equal(a.text, b.text) == (n->op == EQUAL));
  }
  if (n->op <= DIFFERENT && a.kind == CQ_VALUE_TEXT && b.kind == CQ_VALUE_TEXT && n->left->op == NAME &&
      n->right->op == NAME && cq_str_equal(a.text, b.text))
    return truth(n->op == EQUAL);
  a = as_number(a);
  b = as_number(b);
  if (a.kind == CQ_VALUE_MISSING || b.kind == CQ_VALUE_MISSING) return nothing;
  switch (n->op) {
  case EQUAL: return truth(a.number == b.number);
  case DIFFERENT: return truth(a.number != b.number);
  case LESS: return truth(a.number < b.number);
  case LESS_EQUAL: return truth(a.number <= b.number);
  case MORE: return truth(a.number > b.number);
  default: return truth(a.number >= b.number);
  }
}

/* Kleene's: false and anything is false, true or anything is true, else what is missing stays missing. */
static cq_value connect(const node *n, const evaluation *e) {
  cq_value a = as_number(value_of(n->left, e)), b = as_number(value_of(n->right, e));
  bool decides = n->op == OR;
  if (a.kind == CQ_VALUE_NUMBER && (a.number != 0) == decides) return truth(decides);
  if (b.kind == CQ_VALUE_NUMBER && (b.number != 0) == decides) return truth(decides);
  if (a.kind == CQ_VALUE_MISSING || b.kind == CQ_VALUE_MISSING) return nothing;
  return truth(!decides);
}

static cq_value arithmetic(const node *n, const evaluation *e) {
  cq_value a = as_number(value_of(n->left, e)), b = as_number(value_of(n->right, e));
  if (a.kind == CQ_VALUE_MISSING || b.kind == CQ_VALUE_MISSING) return nothing;
  switch (n->op) {
  case ADD: return number_value(a.number + b.number);
  case SUBTRACT: return number_value(a.number - b.number);
  case MULTIPLY: return number_value(a.number * b.number);
  default: return b.number == 0 ? nothing : number_value(a.number / b.number);
  }
}

static bool chosen(cq_str codes, cq_str code) {
  for (size_t from = 0; from <= codes.size;) {
    size_t to = from;
    while (to < codes.size && codes.at[to] != ' ') to++;
    if (cq_str_equal((cq_str){codes.at + from, to - from}, code)) return true;
    from = to + 1;
  }
  return false;
}

static cq_value value_of(const node *n, const evaluation *e) {
  cq_value v = nothing;
  switch (n->op) {
  case NUMBER: return number_value(n->number);
  case TEXT: return (cq_value){.kind = CQ_VALUE_TEXT, .text = n->text};
  case NAME:
    v.text = cq_str_trim(e->lookup(e->context, n->text));
    if (v.text.size) v.kind = CQ_VALUE_TEXT;
    return v;
  case OR:
  case AND: return connect(n, e);
  case ADD:
  case SUBTRACT:
  case MULTIPLY:
  case DIVIDE: return arithmetic(n, e);
  case NOT:
  case NEGATE:
    v = as_number(value_of(n->left, e));
    if (v.kind == CQ_VALUE_MISSING) return v;
    return n->op == NOT ? truth(v.number == 0) : number_value(-v.number);
  case SELECTED:
    v = value_of(n->left, e);
    return v.kind == CQ_VALUE_MISSING ? v : truth(chosen(v.text, n->right->text));
  case MISSING: return truth(value_of(n->left, e).kind == CQ_VALUE_MISSING);
  default: return compare(n, e);
  }
}

cq_value cq_expression_value(const cq_expression *expression, cq_expression_lookup lookup, void *context) {
  evaluation e = {lookup, context};
  return as_number(value_of(expression->root, &e));
}
