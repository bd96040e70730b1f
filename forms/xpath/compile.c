/* SPDX-License-Identifier: Apache-2.0 */
/* The parser: one function per level of the grammar, operands of one level in a row so that long chains stay flat. */
#include "forms/xpath/ast.h"
#include "forms/xpath/functions.h"
#include "forms/xpath/lex.h"
#include "forms/xpath/xpath.h"

#include <stdlib.h>
#include <string.h>

typedef struct parser {
  cq_lexer lexer;
  cq_token token; /* the one to be read next */
  const cq_xpath_settings *settings;
  cq_arena *arena;
  cq_str text;
  size_t depth;
  struct operand *stack;
  size_t stacked, stack_size;
  const cq_expr *wrong; /* the first call that will fail if it is reached */
  cq_error *error;
} parser;

static cq_status parse_expr(parser *p, cq_expr **out);
static cq_status parse_path(parser *p, cq_expr **out);

enum { SHOWN_SIZE = CQ_ERROR_ARG_SIZE + 8 }; /* more than an error holds, so that it is cut there, at a code point */

static const char *shown(cq_str text, char out[SHOWN_SIZE]) {
  size_t size = text.size < SHOWN_SIZE ? text.size : SHOWN_SIZE - 1;
  if (size) memcpy(out, text.at, size);
  out[size] = '\0';
  return out;
}

cq_status cq_xpath_fault(cq_error *error, cq_status status, const char *code, cq_str text, uint32_t column,
                         cq_str what) {
  char expression[SHOWN_SIZE], meant[SHOWN_SIZE];
  cq_error_set(error, status, code, shown(text, expression), shown(what, meant), NULL);
  cq_error_at_line(error, 1, column);
  return status;
}

static cq_status fault(parser *p, const char *code, uint32_t column, cq_str what) {
  return cq_xpath_fault(p->error, CQ_INVALID, code, p->text, column, what);
}

static cq_status unexpected(parser *p) {
  const char *code = p->token.kind == CQ_TOKEN_END ? "xpath.end" : "xpath.syntax";
  return fault(p, code, p->token.column, p->token.text);
}

static cq_status advance(parser *p) {
  return cq_lexer_next(&p->lexer, &p->token, p->error);
}

static cq_status expect(parser *p, cq_token_kind kind) {
  return p->token.kind == kind ? advance(p) : unexpected(p);
}

static cq_status make(parser *p, cq_op op, uint32_t column, cq_expr **out) {
  *out = cq_arena_alloc(p->arena, sizeof **out);
  if (!*out) {
    cq_error_nomem(p->error);
    return CQ_NOMEM;
  }
  (*out)->op = (uint8_t)op;
  (*out)->column = column;
  return CQ_OK;
}

static cq_status deeper(parser *p) {
  if (++p->depth > CQ_XPATH_MAX_DEPTH)
    return cq_xpath_fault(p->error, CQ_LIMIT, "xpath.deep", p->text, p->token.column, (cq_str){0});
  return CQ_OK;
}

/* --- operands are stacked while they are read, then kept in an array of their own --- */

typedef struct operand {
  cq_expr *expr;
  cq_between op; /* before it */
} operand;

static cq_status push(parser *p, cq_between op, cq_expr *expr) {
  if (p->stacked == p->stack_size) {
    size_t size = p->stack_size ? p->stack_size * 2 : 32;
    operand *more = realloc(p->stack, size * sizeof *more);
    if (!more) return cq_error_nomem(p->error);
    p->stack = more;
    p->stack_size = size;
  }
  p->stack[p->stacked++] = (operand){expr, op};
  return CQ_OK;
}

/* What was pushed since `from` becomes the operands of `expr`. */
static cq_status take_operands(parser *p, size_t from, cq_expr *expr) {
  const operand *first = p->stack + from;
  uint32_t count = (uint32_t)(p->stacked - from);
  p->stacked = from;
  if (!count) return CQ_OK;
  bool between = count > 1 && first[1].op != CQ_BETWEEN_NONE;
  expr->args = cq_arena_array(p->arena, count, sizeof(const cq_expr *));
  uint8_t *ops = between ? cq_arena_alloc(p->arena, count - 1) : NULL;
  if (!expr->args || (between && !ops)) return cq_error_nomem(p->error);
  expr->count = count;
  for (uint32_t i = 0; i < count; i++) {
    expr->args[i] = first[i].expr;
    if (between && i) ops[i - 1] = (uint8_t)first[i].op;
  }
  expr->ops = ops;
  return CQ_OK;
}

static cq_status take_one(parser *p, cq_expr *operand_of, cq_expr *expr) {
  size_t from = p->stacked;
  cq_status status = push(p, CQ_BETWEEN_NONE, operand_of);
  return status == CQ_OK ? take_operands(p, from, expr) : status;
}

/* --- operators --- */

enum { LEVEL_OR, LEVEL_AND, LEVEL_EQUALITY, LEVEL_RELATION, LEVEL_ADDITIVE, LEVEL_MULTIPLICATIVE, LEVEL_UNARY };

typedef struct infix {
  int level;
  cq_op op;
  cq_between between;
} infix;

/* The operator at a token, or NULL. */
static const infix *infix_at(cq_token_kind token) {
  static const infix operators[] = {
      [CQ_TOKEN_OR] = {LEVEL_OR, CQ_OP_OR, CQ_BETWEEN_NONE},
      [CQ_TOKEN_AND] = {LEVEL_AND, CQ_OP_AND, CQ_BETWEEN_NONE},
      [CQ_TOKEN_EQ] = {LEVEL_EQUALITY, CQ_OP_EQUALITY, CQ_BETWEEN_EQ},
      [CQ_TOKEN_NE] = {LEVEL_EQUALITY, CQ_OP_EQUALITY, CQ_BETWEEN_NE},
      [CQ_TOKEN_LT] = {LEVEL_RELATION, CQ_OP_RELATION, CQ_BETWEEN_LT},
      [CQ_TOKEN_LE] = {LEVEL_RELATION, CQ_OP_RELATION, CQ_BETWEEN_LE},
      [CQ_TOKEN_GT] = {LEVEL_RELATION, CQ_OP_RELATION, CQ_BETWEEN_GT},
      [CQ_TOKEN_GE] = {LEVEL_RELATION, CQ_OP_RELATION, CQ_BETWEEN_GE},
      [CQ_TOKEN_PLUS] = {LEVEL_ADDITIVE, CQ_OP_ADDITIVE, CQ_BETWEEN_ADD},
      [CQ_TOKEN_MINUS] = {LEVEL_ADDITIVE, CQ_OP_ADDITIVE, CQ_BETWEEN_SUBTRACT},
      [CQ_TOKEN_TIMES] = {LEVEL_MULTIPLICATIVE, CQ_OP_MULTIPLICATIVE, CQ_BETWEEN_MULTIPLY},
      [CQ_TOKEN_DIV] = {LEVEL_MULTIPLICATIVE, CQ_OP_MULTIPLICATIVE, CQ_BETWEEN_DIVIDE},
      [CQ_TOKEN_MOD] = {LEVEL_MULTIPLICATIVE, CQ_OP_MULTIPLICATIVE, CQ_BETWEEN_MODULO},
  };
  return token > CQ_TOKEN_PIPE ? &operators[token] : NULL;
}

static cq_status parse_union(parser *p, cq_expr **out) {
  uint32_t column = p->token.column;
  size_t from = p->stacked;
  cq_status status = parse_path(p, out);
  if (status != CQ_OK || p->token.kind != CQ_TOKEN_PIPE) return status;
  status = push(p, CQ_BETWEEN_NONE, *out);
  while (status == CQ_OK && p->token.kind == CQ_TOKEN_PIPE) {
    cq_expr *next = NULL;
    status = advance(p);
    if (status == CQ_OK) status = parse_path(p, &next);
    if (status == CQ_OK) status = push(p, CQ_BETWEEN_NONE, next);
  }
  if (status == CQ_OK) status = make(p, CQ_OP_UNION, column, out);
  return status == CQ_OK ? take_operands(p, from, *out) : status;
}

static cq_status parse_unary(parser *p, cq_expr **out) {
  uint32_t column = p->token.column;
  size_t signs = 0;
  cq_status status = CQ_OK;
  for (; status == CQ_OK && p->token.kind == CQ_TOKEN_MINUS; signs++) status = advance(p);
  cq_expr *inner = NULL;
  if (status == CQ_OK) status = parse_union(p, &inner);
  if (signs > 2) signs = signs % 2 ? 1 : 2; /* two make a number of it, more do not change it */
  for (; status == CQ_OK && signs; signs--) {
    cq_expr *negated = NULL;
    status = make(p, CQ_OP_NEGATE, column, &negated);
    if (status == CQ_OK) status = take_one(p, inner, negated);
    inner = negated;
  }
  *out = inner;
  return status;
}

/* Operands of operators of this level or a tighter one; those of one level in a row, however long. */
static cq_status parse_level(parser *p, int level, cq_expr **out) {
  uint32_t column = p->token.column;
  cq_status status = parse_unary(p, out);
  for (const infix *at; status == CQ_OK && (at = infix_at(p->token.kind)) && at->level >= level;) {
    const int here = at->level;
    const cq_op op = at->op;
    size_t from = p->stacked;
    status = push(p, CQ_BETWEEN_NONE, *out);
    while (status == CQ_OK && (at = infix_at(p->token.kind)) && at->level == here) {
      cq_expr *next = NULL;
      cq_between between = at->between;
      status = advance(p);
      if (status == CQ_OK) status = parse_level(p, here + 1, &next);
      if (status == CQ_OK) status = push(p, between, next);
    }
    if (status == CQ_OK) status = make(p, op, column, out);
    if (status == CQ_OK) status = take_operands(p, from, *out);
  }
  return status;
}

static cq_status parse_expr(parser *p, cq_expr **out) {
  cq_status status = deeper(p);
  if (status == CQ_OK) status = parse_level(p, LEVEL_OR, out);
  p->depth--;
  return status;
}

/* --- predicates --- */

static bool is_column(const cq_expr *expr) {
  if (expr->op != CQ_OP_PATH || expr->start != CQ_XPATH_FROM_CONTEXT || expr->step_count != 1) return false;
  const cq_step *step = expr->steps;
  return step->axis == CQ_AXIS_CHILD && step->test == CQ_TEST_NAME && !step->prefix && !step->predicate_count;
}

/* column = key, where the key does not depend on the row. */
static bool note_key(cq_predicate *predicate, const cq_expr *expr) {
  if (expr->op != CQ_OP_EQUALITY || expr->count != 2 || expr->ops[0] != CQ_BETWEEN_EQ) return false;
  for (size_t side = 0; side < 2; side++) {
    const cq_expr *column = expr->args[side], *key = expr->args[1 - side];
    if (!is_column(column) || cq_depends_on_focus(key)) continue;
    predicate->column = column->steps[0].local;
    predicate->key = key;
    return true;
  }
  return false;
}

static void plan_predicate(cq_predicate *predicate) {
  const cq_expr *expr = predicate->expr;
  if (expr->op == CQ_OP_NUMBER && expr->number >= 1 && expr->number <= UINT32_MAX &&
      expr->number == (double)(uint32_t)expr->number)
    predicate->whole = (uint32_t)expr->number;
  bool may_be_number = expr->op != CQ_OP_OR && expr->op != CQ_OP_AND && expr->op != CQ_OP_EQUALITY &&
                       expr->op != CQ_OP_RELATION && expr->op != CQ_OP_PATH && expr->op != CQ_OP_UNION &&
                       expr->op != CQ_OP_STRING;
  predicate->positional = may_be_number || cq_depends_on_place(expr);
  if (predicate->positional) return;
  predicate->only_key = note_key(predicate, expr);
  if (expr->op == CQ_OP_AND)
    for (size_t i = 0; i < expr->count && !predicate->key; i++) note_key(predicate, expr->args[i]);
}

static cq_status parse_predicates(parser *p, cq_predicate **out, uint32_t *count) {
  size_t from = p->stacked;
  cq_status status = CQ_OK;
  while (status == CQ_OK && p->token.kind == CQ_TOKEN_OPEN_FILTER) {
    cq_expr *expr = NULL;
    status = advance(p);
    if (status == CQ_OK) status = parse_expr(p, &expr);
    if (status == CQ_OK) status = expect(p, CQ_TOKEN_CLOSE_FILTER);
    if (status == CQ_OK) status = push(p, CQ_BETWEEN_NONE, expr);
  }
  if (status != CQ_OK || p->stacked == from) return status;
  *count = (uint32_t)(p->stacked - from);
  *out = cq_arena_array(p->arena, *count, sizeof **out);
  p->stacked = from;
  if (!*out) return cq_error_nomem(p->error);
  for (uint32_t i = 0; i < *count; i++) {
    (*out)[i].expr = p->stack[from + i].expr;
    plan_predicate(&(*out)[i]);
  }
  return CQ_OK;
}

/* --- steps --- */

static cq_status resolve_prefix(parser *p, cq_str prefix, uint32_t column, cq_atom *atom, cq_atom *space) {
  static const struct {
    const char *prefix, *uri;
  } known[] = {
      {"jr", "http://openrosa.org/javarosa"},          {"orx", "http://openrosa.org/xforms"},
      {"odk", "http://www.opendatakit.org/xforms"},    {"entities", "http://www.opendatakit.org/xforms/entities"},
      {"xml", "http://www.w3.org/XML/1998/namespace"}, {"h", "http://www.w3.org/1999/xhtml"}};
  cq_str uri = {0};
  for (size_t i = 0; i < p->settings->space_count && !uri.at; i++)
    if (cq_str_equal(p->settings->spaces[i].prefix, prefix)) uri = p->settings->spaces[i].uri;
  for (size_t i = 0; i < sizeof known / sizeof *known && !uri.at; i++)
    if (cq_str_is(prefix, known[i].prefix)) uri = cq_str_from(known[i].uri);
  if (!uri.at) return fault(p, "xpath.prefix.unknown", column, prefix);
  *atom = cq_names_intern(p->settings->names, prefix);
  *space = cq_names_intern(p->settings->names, uri);
  return *atom == CQ_ATOM_FAILED || *space == CQ_ATOM_FAILED ? cq_error_nomem(p->error) : CQ_OK;
}

static cq_status set_name(parser *p, cq_step *step) {
  cq_str name = p->token.text;
  const char *colon = memchr(name.at, ':', name.size);
  cq_status status = CQ_OK;
  if (colon) {
    size_t prefix = (size_t)(colon - name.at);
    status = resolve_prefix(p, (cq_str){name.at, prefix}, p->token.column, &step->prefix, &step->space);
    name = (cq_str){colon + 1, name.size - prefix - 1};
  }
  if (status != CQ_OK) return status;
  step->test = CQ_TEST_NAME;
  step->local = cq_names_intern(p->settings->names, name);
  return step->local == CQ_ATOM_FAILED ? cq_error_nomem(p->error) : advance(p);
}

static bool find_node_type(cq_str name, uint8_t *test) {
  static const char *const names[] = {"node", "text", "comment", "processing-instruction"};
  for (uint8_t i = 0; i < 4; i++)
    if (cq_str_is(name, names[i])) {
      *test = (uint8_t)(CQ_TEST_NODE + i);
      return true;
    }
  return false;
}

static cq_status parse_node_test(parser *p, cq_step *step) {
  cq_status status = CQ_OK;
  switch (p->token.kind) {
  case CQ_TOKEN_NAME: return set_name(p, step);
  case CQ_TOKEN_ANY: step->test = CQ_TEST_ANY; return advance(p);
  case CQ_TOKEN_ANY_OF:
    step->test = CQ_TEST_ANY_OF;
    status = resolve_prefix(p, p->token.text, p->token.column, &step->prefix, &step->space);
    return status == CQ_OK ? advance(p) : status;
  case CQ_TOKEN_FUNCTION:
    if (!find_node_type(p->token.text, &step->test)) return unexpected(p);
    status = advance(p);
    if (status == CQ_OK) status = expect(p, CQ_TOKEN_OPEN);
    if (status == CQ_OK && step->test == CQ_TEST_INSTRUCTION && p->token.kind == CQ_TOKEN_STRING) {
      step->local = cq_names_intern(p->settings->names, p->token.text);
      if (step->local == CQ_ATOM_FAILED) return cq_error_nomem(p->error);
      status = advance(p);
    }
    return status == CQ_OK ? expect(p, CQ_TOKEN_CLOSE) : status;
  default: return unexpected(p);
  }
}

static cq_status set_axis(parser *p, cq_step *step) {
  static const struct {
    const char *name;
    uint8_t axis;
  } axes[] = {{"child", CQ_AXIS_CHILD},
              {"self", CQ_AXIS_SELF},
              {"parent", CQ_AXIS_PARENT},
              {"attribute", CQ_AXIS_ATTRIBUTE},
              {"descendant", CQ_AXIS_DESCENDANT},
              {"descendant-or-self", CQ_AXIS_DESCENDANT_OR_SELF},
              {"ancestor", CQ_AXIS_ANCESTOR},
              {"ancestor-or-self", CQ_AXIS_ANCESTOR_OR_SELF},
              {"following-sibling", CQ_AXIS_FOLLOWING_SIBLING},
              {"preceding-sibling", CQ_AXIS_PRECEDING_SIBLING},
              {"following", CQ_AXIS_FOLLOWING},
              {"preceding", CQ_AXIS_PRECEDING},
              {"namespace", CQ_AXIS_NAMESPACE}};
  for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
    if (cq_str_is(p->token.text, axes[i].name)) {
      step->axis = axes[i].axis;
      return advance(p);
    }
  return fault(p, "xpath.axis.unknown", p->token.column, p->token.text);
}

static cq_status parse_step(parser *p, cq_step *step) {
  cq_status status = CQ_OK;
  step->axis = CQ_AXIS_CHILD;
  if (p->token.kind == CQ_TOKEN_DOT || p->token.kind == CQ_TOKEN_DOTS) {
    step->axis = p->token.kind == CQ_TOKEN_DOT ? CQ_AXIS_SELF : CQ_AXIS_PARENT;
    step->test = CQ_TEST_NODE;
    status = advance(p);
    /* ..[1] is not in the grammar of XPath 1.0, yet engines take it */
    return status == CQ_OK ? parse_predicates(p, &step->predicates, &step->predicate_count) : status;
  }
  if (p->token.kind == CQ_TOKEN_AT) {
    step->axis = CQ_AXIS_ATTRIBUTE;
    status = advance(p);
  } else if (p->token.kind == CQ_TOKEN_AXIS) {
    status = set_axis(p, step);
  }
  if (status == CQ_OK) status = parse_node_test(p, step);
  return status == CQ_OK ? parse_predicates(p, &step->predicates, &step->predicate_count) : status;
}

static bool starts_step(const parser *p) {
  uint8_t test = 0;
  switch (p->token.kind) {
  case CQ_TOKEN_NAME:
  case CQ_TOKEN_ANY:
  case CQ_TOKEN_ANY_OF:
  case CQ_TOKEN_AXIS:
  case CQ_TOKEN_AT:
  case CQ_TOKEN_DOT:
  case CQ_TOKEN_DOTS: return true;
  case CQ_TOKEN_FUNCTION: return find_node_type(p->token.text, &test);
  default: return false;
  }
}

typedef struct step_list {
  cq_step *at;
  size_t count, capacity;
} step_list;

static cq_status add_step(parser *p, step_list *list, const cq_step *step) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? list->capacity * 2 : 4;
    cq_step *more = cq_arena_array(p->arena, capacity, sizeof *more);
    if (!more) return cq_error_nomem(p->error);
    if (list->count) memcpy(more, list->at, list->count * sizeof *more);
    list->at = more;
    list->capacity = capacity;
  }
  list->at[list->count++] = *step;
  return CQ_OK;
}

/* descendant-or-self::node()/child::a is descendant::a where no predicate counts places, and `.` adds nothing. */
static cq_status add_simplified(parser *p, step_list *list, const cq_step *step) {
  if (step->axis == CQ_AXIS_SELF && step->test == CQ_TEST_NODE && !step->predicate_count) return CQ_OK;
  cq_step *last = list->count ? &list->at[list->count - 1] : NULL;
  bool positional = false;
  for (size_t i = 0; i < step->predicate_count; i++) positional |= step->predicates[i].positional;
  if (last && last->axis == CQ_AXIS_DESCENDANT_OR_SELF && last->test == CQ_TEST_NODE && !last->predicate_count &&
      step->axis == CQ_AXIS_CHILD && !positional) {
    *last = *step;
    last->axis = CQ_AXIS_DESCENDANT;
    return CQ_OK;
  }
  return add_step(p, list, step);
}

/* Steps separated by / and //; `first` is a separator already read, or CQ_TOKEN_SLASH. */
static cq_status parse_steps(parser *p, cq_token_kind first, step_list *list) {
  cq_status status = CQ_OK;
  for (cq_token_kind separator = first;;) {
    if (separator == CQ_TOKEN_SLASHES) {
      cq_step any = {.axis = CQ_AXIS_DESCENDANT_OR_SELF, .test = CQ_TEST_NODE};
      status = add_step(p, list, &any);
      if (status != CQ_OK) return status;
    }
    cq_step step = {0};
    status = parse_step(p, &step);
    if (status == CQ_OK) status = add_simplified(p, list, &step);
    if (status != CQ_OK || (p->token.kind != CQ_TOKEN_SLASH && p->token.kind != CQ_TOKEN_SLASHES)) return status;
    separator = p->token.kind;
    status = advance(p);
    if (status != CQ_OK) return status;
  }
}

/* --- primary expressions --- */

static cq_status parse_arguments(parser *p, cq_expr *call) {
  size_t from = p->stacked;
  cq_status status = expect(p, CQ_TOKEN_OPEN);
  if (status == CQ_OK && p->token.kind == CQ_TOKEN_CLOSE) return advance(p);
  while (status == CQ_OK) {
    cq_expr *argument = NULL;
    status = parse_expr(p, &argument);
    if (status == CQ_OK) status = push(p, CQ_BETWEEN_NONE, argument);
    if (status != CQ_OK) return status;
    if (p->token.kind == CQ_TOKEN_CLOSE) break;
    status = expect(p, CQ_TOKEN_COMMA);
  }
  if (status == CQ_OK) status = advance(p);
  return status == CQ_OK ? take_operands(p, from, call) : status;
}

static cq_status parse_call(parser *p, cq_expr **out) {
  cq_str name = p->token.text;
  uint32_t column = p->token.column;
  const cq_function *function = cq_function_find(name);
  cq_status status = make(p, function ? CQ_OP_CALL : CQ_OP_CALL_HOST, column, out);
  if (status == CQ_OK) status = advance(p);
  if (status == CQ_OK) status = parse_arguments(p, *out);
  if (status != CQ_OK) return status;
  (*out)->string = cq_arena_copy(p->arena, name);
  (*out)->function = function;
  (*out)->literal_id = (*out)->count && (*out)->args[0]->op == CQ_OP_STRING;
  if (!(*out)->string.at) return cq_error_nomem(p->error);
  bool counted = function && (*out)->count >= function->least &&
                 (function->most == CQ_ANY_COUNT || (*out)->count <= function->most);
  if (function && !counted) (*out)->op = CQ_OP_CALL_WRONG;
  if (!counted) {
    if (!p->wrong) p->wrong = *out;
    return CQ_OK;
  }
  const char *wrong = NULL;
  if (function->prepare && !function->prepare(p->arena, *out, &wrong))
    return wrong ? fault(p, wrong, column, name) : cq_error_nomem(p->error);
  return CQ_OK;
}

static cq_status parse_number(parser *p, cq_expr **out) {
  char text[400]; /* nobody writes a number that long */
  cq_status status = make(p, CQ_OP_NUMBER, p->token.column, out);
  if (status != CQ_OK) return status;
  if (p->token.text.size >= sizeof text) return unexpected(p);
  memcpy(text, p->token.text.at, p->token.text.size);
  text[p->token.text.size] = '\0';
  (*out)->number = strtod(text, NULL);
  return advance(p);
}

static cq_status parse_primary(parser *p, cq_expr **out) {
  cq_status status = CQ_OK;
  switch (p->token.kind) {
  case CQ_TOKEN_NUMBER: return parse_number(p, out);
  case CQ_TOKEN_STRING:
    status = make(p, CQ_OP_STRING, p->token.column, out);
    if (status != CQ_OK) return status;
    (*out)->string = cq_arena_copy(p->arena, p->token.text);
    return (*out)->string.at ? advance(p) : cq_error_nomem(p->error);
  case CQ_TOKEN_FUNCTION: return parse_call(p, out);
  case CQ_TOKEN_OPEN:
    status = advance(p);
    if (status == CQ_OK) status = parse_expr(p, out);
    return status == CQ_OK ? expect(p, CQ_TOKEN_CLOSE) : status;
  case CQ_TOKEN_VARIABLE: return fault(p, "xpath.variable", p->token.column, p->token.text);
  default: return unexpected(p);
  }
}

static cq_status parse_filter(parser *p, cq_expr **out) {
  cq_status status = parse_primary(p, out);
  if (status != CQ_OK || p->token.kind != CQ_TOKEN_OPEN_FILTER) return status;
  cq_expr *filter = NULL;
  status = make(p, CQ_OP_FILTER, (*out)->column, &filter);
  if (status == CQ_OK) status = take_one(p, *out, filter);
  if (status == CQ_OK) status = parse_predicates(p, &filter->predicates, &filter->predicate_count);
  *out = filter;
  return status;
}

static cq_status finish_path(parser *p, cq_expr *path, const step_list *list, size_t from) {
  path->steps = list->at;
  path->step_count = (uint32_t)list->count;
  size_t to = (size_t)(p->token.text.at - p->text.at);
  if (p->token.kind == CQ_TOKEN_END) to = p->text.size;
  path->string = cq_str_trim((cq_str){p->text.at + from, to > from ? to - from : 0});
  return CQ_OK;
}

static cq_status parse_path(parser *p, cq_expr **out) {
  uint32_t column = p->token.column;
  size_t from = (size_t)(p->token.text.at - p->text.at);
  cq_expr *base = NULL, *path = NULL;
  cq_token_kind separator = CQ_TOKEN_SLASH;
  step_list list = {0};
  cq_status status = CQ_OK;
  uint8_t start = CQ_XPATH_FROM_CONTEXT;
  if (p->token.kind == CQ_TOKEN_SLASH || p->token.kind == CQ_TOKEN_SLASHES) {
    start = CQ_XPATH_FROM_ROOT;
    separator = p->token.kind;
    status = advance(p);
  } else if (!starts_step(p)) {
    status = parse_filter(p, &base);
    if (status != CQ_OK || (p->token.kind != CQ_TOKEN_SLASH && p->token.kind != CQ_TOKEN_SLASHES)) {
      *out = base;
      return status;
    }
    start = CQ_XPATH_FROM_INSTANCE;
    separator = p->token.kind;
    status = advance(p);
  }
  if (status == CQ_OK) status = make(p, CQ_OP_PATH, column, &path);
  if (status != CQ_OK) return status;
  *out = path;
  path->start = start;
  if (base) status = take_one(p, base, path);
  bool only_root = start == CQ_XPATH_FROM_ROOT && separator == CQ_TOKEN_SLASH && !starts_step(p);
  if (status == CQ_OK && !only_root) status = parse_steps(p, separator, &list);
  return status == CQ_OK ? finish_path(p, path, &list, from) : status;
}

/* --- the expression --- */

cq_status cq_xpath_compile(const cq_xpath **expression, const cq_xpath_settings *settings, cq_str text,
                           cq_error *error) {
  *expression = NULL;
  if (text.size > CQ_XPATH_MAX_TEXT) return cq_xpath_fault(error, CQ_LIMIT, "xpath.long", text, 1, (cq_str){0});
  cq_xpath *made = cq_arena_alloc(settings->arena, sizeof *made);
  cq_str copy = cq_arena_copy(settings->arena, text);
  if (!made || !copy.at) return cq_error_nomem(error);
  made->text = copy;
  made->names = settings->names;
  parser p = {.lexer = {.text = copy}, .settings = settings, .arena = settings->arena, .text = copy, .error = error};
  cq_expr *top = NULL;
  cq_status status = cq_utf8_valid(copy) ? advance(&p) : fault(&p, "xpath.token", 1, (cq_str){0});
  if (status == CQ_OK) status = parse_expr(&p, &top);
  if (status == CQ_OK && p.token.kind != CQ_TOKEN_END) status = unexpected(&p);
  free(p.stack);
  if (status != CQ_OK) return status;
  made->top = top;
  made->wrong = p.wrong;
  status = cq_depend(made, settings->arena, error);
  if (status == CQ_OK) *expression = made;
  return status;
}

cq_status cq_xpath_check(const cq_xpath *expression, cq_error *error) {
  const cq_expr *wrong = expression->wrong;
  if (!wrong) return CQ_OK;
  const char *code = wrong->op == CQ_OP_CALL_WRONG ? "xpath.function.arguments" : "xpath.function.unknown";
  return cq_xpath_fault(error, CQ_INVALID, code, expression->text, wrong->column, wrong->string);
}

cq_str cq_xpath_text(const cq_xpath *expression) {
  return expression->text;
}

unsigned cq_xpath_uses(const cq_xpath *expression) {
  return expression->uses;
}

const cq_xpath_path *cq_xpath_paths(const cq_xpath *expression, size_t *count) {
  *count = expression->path_count;
  return expression->paths;
}

const cq_atom *cq_xpath_instances(const cq_xpath *expression, size_t *count) {
  *count = expression->instance_count;
  return expression->instances;
}

const cq_xpath_path *cq_xpath_is_path(const cq_xpath *expression) {
  return expression->top->op == CQ_OP_PATH && expression->path_count ? &expression->paths[0] : NULL;
}

bool cq_xpath_is_constant(const cq_xpath *expression) {
  return !expression->uses && !expression->path_count;
}

void cq_xpath_caret(cq_buf *out, cq_str text, int64_t column) {
  for (size_t i = 0; i < text.size; i++) /* one line, so that the caret stands below its character */
    cq_buf_add_char(out, (unsigned char)text.at[i] < 0x20 ? ' ' : text.at[i]);
  cq_buf_add_char(out, '\n');
  for (int64_t i = 1; i < column; i++) cq_buf_add_char(out, ' ');
  cq_buf_add_char(out, '^');
}
