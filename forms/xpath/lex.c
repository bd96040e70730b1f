/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xpath/lex.h"
#include "forms/xpath/ast.h"

#include <string.h>

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c) {
  return starts_name(c) || is_digit(c) || c == '-' || c == '.';
}

static char peek(const cq_lexer *lexer, size_t ahead) {
  return lexer->at + ahead < lexer->text.size ? lexer->text.at[lexer->at + ahead] : '\0';
}

static uint32_t column_here(cq_lexer *lexer) {
  for (; lexer->counted < lexer->at; lexer->counted++)
    if (((unsigned char)lexer->text.at[lexer->counted] & 0xC0) != 0x80) lexer->columns++;
  return lexer->columns + 1;
}

/* An operand is complete: what comes next is an operator (the disambiguation rule of the specification). */
static bool operator_is_due(cq_token_kind before) {
  switch (before) {
  case CQ_TOKEN_NUMBER:
  case CQ_TOKEN_STRING:
  case CQ_TOKEN_NAME:
  case CQ_TOKEN_ANY:
  case CQ_TOKEN_ANY_OF:
  case CQ_TOKEN_VARIABLE:
  case CQ_TOKEN_CLOSE:
  case CQ_TOKEN_CLOSE_FILTER:
  case CQ_TOKEN_DOT:
  case CQ_TOKEN_DOTS: return true;
  default: return false;
  }
}

static cq_status finish(cq_lexer *lexer, cq_token *token, cq_token_kind kind, size_t size) {
  token->kind = kind;
  token->text = (cq_str){lexer->text.at + lexer->at, size};
  lexer->at += size;
  lexer->before = kind;
  return CQ_OK;
}

static cq_status read_number(cq_lexer *lexer, cq_token *token) {
  size_t size = 0;
  while (is_digit(peek(lexer, size))) size++;
  if (peek(lexer, size) == '.') {
    size++;
    while (is_digit(peek(lexer, size))) size++;
  }
  return finish(lexer, token, CQ_TOKEN_NUMBER, size);
}

static cq_status read_string(cq_lexer *lexer, cq_token *token, cq_error *error) {
  const char *start = lexer->text.at + lexer->at, quote = *start;
  const char *end = memchr(start + 1, quote, lexer->text.size - lexer->at - 1);
  if (!end) return cq_xpath_fault(error, CQ_INVALID, "xpath.string.open", lexer->text, token->column, (cq_str){0});
  finish(lexer, token, CQ_TOKEN_STRING, (size_t)(end - start) + 1);
  token->text = (cq_str){start + 1, (size_t)(end - start) - 1};
  return CQ_OK;
}

static size_t name_size(const cq_lexer *lexer, size_t from) {
  size_t size = from;
  if (!starts_name(peek(lexer, size))) return from;
  while (continues_name(peek(lexer, size))) size++;
  return size;
}

static bool read_word_operator(cq_lexer *lexer, cq_token *token) {
  static const struct {
    const char *word;
    cq_token_kind kind;
  } words[] = {{"or", CQ_TOKEN_OR}, {"and", CQ_TOKEN_AND}, {"div", CQ_TOKEN_DIV}, {"mod", CQ_TOKEN_MOD}};
  cq_str rest = {lexer->text.at + lexer->at, lexer->text.size - lexer->at};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (cq_str_starts(rest, cq_str_from(words[i].word))) { /* 1div2 too: no name could stand here */
      finish(lexer, token, words[i].kind, strlen(words[i].word));
      return true;
    }
  return false;
}

static cq_status read_name(cq_lexer *lexer, cq_token *token) {
  size_t size = name_size(lexer, 0);
  if (peek(lexer, size) == ':' && peek(lexer, size + 1) == '*') {
    finish(lexer, token, CQ_TOKEN_ANY_OF, size + 2);
    token->text.size = size;
    return CQ_OK;
  }
  if (peek(lexer, size) == ':' && peek(lexer, size + 1) != ':') {
    size_t whole = name_size(lexer, size + 1);
    if (whole > size + 1) size = whole;
  }
  size_t after = size;
  while (is_space(peek(lexer, after))) after++;
  if (peek(lexer, after) == '(') return finish(lexer, token, CQ_TOKEN_FUNCTION, size);
  if (peek(lexer, after) == ':' && peek(lexer, after + 1) == ':') {
    finish(lexer, token, CQ_TOKEN_AXIS, size);
    lexer->at += after - size + 2;
    return CQ_OK;
  }
  return finish(lexer, token, CQ_TOKEN_NAME, size);
}

static cq_status read_sign(cq_lexer *lexer, cq_token *token, cq_error *error) {
  char next = peek(lexer, 1);
  switch (peek(lexer, 0)) {
  case '/': return next == '/' ? finish(lexer, token, CQ_TOKEN_SLASHES, 2) : finish(lexer, token, CQ_TOKEN_SLASH, 1);
  case '.': return next == '.' ? finish(lexer, token, CQ_TOKEN_DOTS, 2) : finish(lexer, token, CQ_TOKEN_DOT, 1);
  case '<': return next == '=' ? finish(lexer, token, CQ_TOKEN_LE, 2) : finish(lexer, token, CQ_TOKEN_LT, 1);
  case '>': return next == '=' ? finish(lexer, token, CQ_TOKEN_GE, 2) : finish(lexer, token, CQ_TOKEN_GT, 1);
  case '!':
    if (next == '=') return finish(lexer, token, CQ_TOKEN_NE, 2);
    break;
  case '=': return finish(lexer, token, CQ_TOKEN_EQ, 1);
  case '(': return finish(lexer, token, CQ_TOKEN_OPEN, 1);
  case ')': return finish(lexer, token, CQ_TOKEN_CLOSE, 1);
  case '[': return finish(lexer, token, CQ_TOKEN_OPEN_FILTER, 1);
  case ']': return finish(lexer, token, CQ_TOKEN_CLOSE_FILTER, 1);
  case '@': return finish(lexer, token, CQ_TOKEN_AT, 1);
  case ',': return finish(lexer, token, CQ_TOKEN_COMMA, 1);
  case '|': return finish(lexer, token, CQ_TOKEN_PIPE, 1);
  case '+': return finish(lexer, token, CQ_TOKEN_PLUS, 1);
  case '-': return finish(lexer, token, CQ_TOKEN_MINUS, 1);
  default: break;
  }
  cq_str found = {lexer->text.at + lexer->at, 1};
  return cq_xpath_fault(error, CQ_INVALID, "xpath.token", lexer->text, token->column, found);
}

cq_status cq_lexer_next(cq_lexer *lexer, cq_token *token, cq_error *error) {
  while (is_space(peek(lexer, 0))) lexer->at++;
  *token = (cq_token){.column = column_here(lexer)};
  if (lexer->at >= lexer->text.size) return finish(lexer, token, CQ_TOKEN_END, 0);
  char c = peek(lexer, 0);
  if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) return read_number(lexer, token);
  if (c == '"' || c == '\'') return read_string(lexer, token, error);
  if (c == '*') return finish(lexer, token, operator_is_due(lexer->before) ? CQ_TOKEN_TIMES : CQ_TOKEN_ANY, 1);
  if (c == '$') {
    lexer->at++;
    return finish(lexer, token, CQ_TOKEN_VARIABLE, name_size(lexer, 0));
  }
  if (!starts_name(c)) return read_sign(lexer, token, error);
  if (operator_is_due(lexer->before) && read_word_operator(lexer, token)) return CQ_OK;
  return read_name(lexer, token);
}
