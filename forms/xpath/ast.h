/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled expression from within: what compile.c makes, depend.c reads and evaluate.c walks. */
#ifndef FORMS_XPATH_AST_H
#define FORMS_XPATH_AST_H

#include "forms/xpath/xpath.h"

typedef struct cq_expr cq_expr;
typedef struct cq_function cq_function;

typedef enum {
  CQ_OP_NUMBER,
  CQ_OP_STRING,
  CQ_OP_OR, /* from here to UNION: operands in a row, `ops` between them, evaluated from the left */
  CQ_OP_AND,
  CQ_OP_EQUALITY,
  CQ_OP_RELATION,
  CQ_OP_ADDITIVE,
  CQ_OP_MULTIPLICATIVE,
  CQ_OP_UNION,
  CQ_OP_NEGATE,
  CQ_OP_CALL,
  CQ_OP_CALL_HOST,  /* a name that no built-in function has */
  CQ_OP_CALL_WRONG, /* too few arguments or too many: fails where it is reached */
  CQ_OP_PATH,
  CQ_OP_FILTER /* (expression)[predicate]… */
} cq_op;

typedef enum {
  CQ_BETWEEN_EQ,
  CQ_BETWEEN_NE,
  CQ_BETWEEN_LT,
  CQ_BETWEEN_LE,
  CQ_BETWEEN_GT,
  CQ_BETWEEN_GE,
  CQ_BETWEEN_ADD,
  CQ_BETWEEN_SUBTRACT,
  CQ_BETWEEN_MULTIPLY,
  CQ_BETWEEN_DIVIDE,
  CQ_BETWEEN_MODULO,
  CQ_BETWEEN_NONE /* or, and, | */
} cq_between;

typedef enum {
  CQ_TEST_NAME,       /* a or p:a */
  CQ_TEST_ANY,        /* * */
  CQ_TEST_ANY_OF,     /* p:* */
  CQ_TEST_NODE,       /* node() */
  CQ_TEST_TEXT,       /* text() */
  CQ_TEST_COMMENT,    /* comment() */
  CQ_TEST_INSTRUCTION /* processing-instruction('local') */
} cq_test_kind;

typedef struct cq_predicate {
  const cq_expr *expr;
  uint32_t whole;     /* the expression is this number (from 1): only that place; 0: it is not */
  bool positional;    /* may depend on the place or the number of nodes */
  bool only_key;      /* the expression is no more than `column = key` */
  cq_atom column;     /* with `key`: a child of this name must equal it */
  const cq_expr *key; /* does not depend on the node that is filtered; NULL: no index can help */
} cq_predicate;

typedef struct cq_step {
  uint8_t axis, test;
  cq_atom local, prefix, space;
  uint32_t predicate_count;
  cq_predicate *predicates;
} cq_step;

struct cq_expr {
  uint8_t op;
  uint8_t start;   /* of a path: cq_xpath_from; CQ_XPATH_FROM_INSTANCE means: from the value of args[0] */
  bool literal_id; /* of a call: its first argument is a string literal */
  uint32_t column; /* code points from 1 */
  uint32_t count, step_count, predicate_count;
  double number;
  cq_str string; /* literal, name of a function, text of a path */
  const cq_expr **args;
  const uint8_t *ops; /* cq_between, count - 1 of them; NULL between arguments */
  const cq_function *function;
  void *prepared; /* what the function made of literal arguments at compile time, or NULL */
  cq_step *steps;
  cq_predicate *predicates; /* of CQ_OP_FILTER */
};

struct cq_xpath {
  cq_str text;
  const cq_expr *top, *wrong;
  cq_names *names;
  unsigned uses;
  const cq_xpath_path *paths;
  size_t path_count;
  const cq_atom *instances;
  size_t instance_count;
};

/* Fills in uses, paths and instances (depend.c). */
cq_status cq_depend(cq_xpath *expression, cq_arena *arena, cq_error *error);
/* The expression reads the context node, its place or number (depend.c). */
bool cq_depends_on_focus(const cq_expr *expr);
bool cq_depends_on_place(const cq_expr *expr);

/* Sets the error with the expression's text and a column; `what` may be NULL. */
cq_status cq_xpath_fault(cq_error *error, cq_status status, const char *code, cq_str text, uint32_t column,
                         cq_str what);

#endif
