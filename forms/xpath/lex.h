/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an expression (XPath 1.0, section 3.7). */
#ifndef FORMS_XPATH_LEX_H
#define FORMS_XPATH_LEX_H

#include "chasqui/status.h"
#include "chasqui/str.h"

typedef enum {
  CQ_TOKEN_END,
  CQ_TOKEN_NUMBER,
  CQ_TOKEN_STRING,   /* text without its quotes */
  CQ_TOKEN_NAME,     /* of an element or attribute; p:a in one */
  CQ_TOKEN_ANY,      /* * as a name */
  CQ_TOKEN_ANY_OF,   /* p:*; text is the prefix */
  CQ_TOKEN_FUNCTION, /* a name before ( */
  CQ_TOKEN_AXIS,     /* a name before ::, which is passed over */
  CQ_TOKEN_VARIABLE, /* $name */
  CQ_TOKEN_OPEN,     /* ( */
  CQ_TOKEN_CLOSE,
  CQ_TOKEN_OPEN_FILTER, /* [ */
  CQ_TOKEN_CLOSE_FILTER,
  CQ_TOKEN_DOT,
  CQ_TOKEN_DOTS,
  CQ_TOKEN_AT,
  CQ_TOKEN_COMMA,
  CQ_TOKEN_SLASH,
  CQ_TOKEN_SLASHES,
  CQ_TOKEN_PIPE, /* operators from here */
  CQ_TOKEN_OR,
  CQ_TOKEN_AND,
  CQ_TOKEN_EQ,
  CQ_TOKEN_NE,
  CQ_TOKEN_LT,
  CQ_TOKEN_LE,
  CQ_TOKEN_GT,
  CQ_TOKEN_GE,
  CQ_TOKEN_PLUS,
  CQ_TOKEN_MINUS,
  CQ_TOKEN_TIMES,
  CQ_TOKEN_DIV,
  CQ_TOKEN_MOD
} cq_token_kind;

typedef struct cq_token {
  cq_token_kind kind;
  cq_str text;     /* as written, or as said above */
  uint32_t column; /* code points from 1 */
} cq_token;

typedef struct cq_lexer {
  cq_str text;
  size_t at;
  size_t counted; /* bytes whose code points `columns` counts */
  uint32_t columns;
  cq_token_kind before; /* what stood last: it decides whether * and names are operators */
} cq_lexer;

/* Errors: xpath.token, xpath.string.open. */
cq_status cq_lexer_next(cq_lexer *lexer, cq_token *token, cq_error *error);

#endif
