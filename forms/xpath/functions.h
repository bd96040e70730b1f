/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of functions: each is a row {name, arguments, what it reads, C
 * function}, in the table of its file; a name is looked up once, at compile
 * time. A function evaluates its own arguments, so that if() and coalesce() can
 * leave some alone.
 */
#ifndef FORMS_XPATH_FUNCTIONS_H
#define FORMS_XPATH_FUNCTIONS_H

#include "forms/xpath/ast.h"
#include "forms/xpath/evaluate.h"

enum { CQ_ANY_COUNT = 255 };

typedef enum {
  CQ_READS_VALUES,  /* its arguments, as any expression */
  CQ_READS_FOCUS,   /* without arguments: the context node (string(), position(), current() is not among them) */
  CQ_READS_PLACE,   /* position() last() */
  CQ_READS_NODES,   /* count() position(x): only which nodes there are */
  CQ_READS_LIST,    /* the first argument names an instance */
  CQ_READS_CURRENT, /* current() */
  CQ_READS_SELF,    /* once() */
  CQ_READS_FIRST    /* its value is its first argument's nodes: randomize() */
} cq_reads;

struct cq_function {
  const char *name;
  uint8_t least, most; /* arguments; most CQ_ANY_COUNT: any number */
  uint8_t reads;       /* cq_reads */
  uint8_t uses;        /* CQ_XPATH_CLOCK… */
  cq_status (*call)(cq_run *run, const cq_expr *call, cq_xpath_value *out);
  /* NULL, or makes `call->prepared` of literal arguments, once; *fault is what is wrong with them. */
  bool (*prepare)(cq_arena *arena, cq_expr *call, const char **fault);
};

/* NULL where no built-in function has that name. */
const cq_function *cq_function_find(cq_str name);

typedef struct cq_function_table {
  const cq_function *rows;
  size_t count;
} cq_function_table;

extern const cq_function_table cq_text_functions, cq_number_functions, cq_node_functions, cq_date_functions,
    cq_select_functions, cq_geo_functions, cq_code_functions;

#endif
