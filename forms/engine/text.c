/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in the current language, with their outputs. */
#include "forms/engine/interview.h"

#include <string.h>

enum {
  MOST_DEPTH = 16, /* a text whose output asks for a text */
  TEXT_STEPS = 64  /* what a text costs beside the expressions in it */
};

static cq_status add_text(cq_interview *interview, cq_str text, cq_buf *out, cq_error *error) {
  interview->spent += text.size / 32;
  if (out->size + text.size > CQ_FORM_MAX_VALUE) return cq_error_set(error, CQ_LIMIT, "forms.limit.text", NULL);
  cq_buf_add_str(out, text);
  return CQ_OK;
}

static cq_status add_output(cq_interview *interview, const cq_node *output, const cq_node *at, cq_buf *out,
                            cq_error *error) {
  const cq_xpath *expression = output->user;
  if (expression == NULL) return CQ_OK;
  cq_xpath_value value;
  cq_status status = cq_evaluate(interview, expression, at, &value, error);
  if (status == CQ_INVALID) return CQ_OK; /* a label must not stop an interview */
  if (status != CQ_OK) return status;
  const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
  cq_str text;
  if (cq_xpath_to_string(&value, &context, &text) != CQ_OK) return cq_error_nomem(error);
  return add_text(interview, text, out, error);
}

static cq_status add_content(cq_interview *interview, const cq_node *element, const cq_node *at, cq_buf *out,
                             cq_error *error) {
  if (cq_node_is_leaf(element)) return add_text(interview, cq_node_text(element), out, error);
  for (const cq_node *n = element->first; n != NULL; n = n->next) {
    cq_status status = CQ_OK;
    if (n->kind == CQ_NODE_TEXT)
      status = add_text(interview, cq_node_text(n), out, error);
    else if (cq_is_xforms(interview->form, n, interview->form->words.output))
      status = add_output(interview, n, at, out, error);
    else if (n->kind == CQ_NODE_ELEMENT)
      status = add_content(interview, n, at, out, error);
    if (status != CQ_OK) return status;
  }
  return CQ_OK;
}

/* The <value> of a <text> for a form; plain: the one without a form, else "long", else "short". */
static const cq_node *value_of(const cq_form *form, const cq_node *text, const char *kind) {
  static const char *const plain[] = {"", "long", "short"};
  if (text == NULL) return NULL;
  for (size_t i = 0; i < (kind[0] == '\0' ? 3 : 1); i++)
    for (const cq_node *n = text->first; n != NULL; n = n->next)
      if (cq_is_xforms(form, n, form->words.value) &&
          cq_str_is(cq_attribute(n, form->words.form, CQ_ATOM_NONE), kind[0] == '\0' ? plain[i] : kind))
        return n;
  return NULL;
}

static cq_status add_itext(cq_interview *interview, cq_atom id, const char *kind, const cq_node *at, cq_buf *out,
                           cq_error *error) {
  const cq_form *form = interview->form;
  const cq_node *text = cq_itext_find(form, id, interview->language);
  if (text == NULL) text = cq_itext_find(form, id, form->default_language);
  const cq_node *value = value_of(form, text, kind);
  return value == NULL ? CQ_OK : add_content(interview, value, at, out, error);
}

static cq_status add_expression(cq_interview *interview, const cq_text *text, const char *kind, const cq_node *at,
                                cq_buf *out, cq_error *error) {
  const cq_xpath *expression = text->itext_id != NULL ? text->itext_id : text->expression;
  cq_xpath_value value;
  cq_status status = cq_evaluate(interview, expression, at, &value, error);
  if (status != CQ_OK) return status == CQ_NOMEM || status == CQ_LIMIT ? status : CQ_OK;
  const cq_xpath_context context = {.host = &interview->host, .scratch = interview->scratch};
  cq_str answer;
  if (cq_xpath_to_string(&value, &context, &answer) != CQ_OK) return cq_error_nomem(error);
  if (text->itext_id == NULL) {
    return kind[0] == '\0' ? add_text(interview, answer, out, error) : CQ_OK;
  }
  cq_atom id = cq_names_find(interview->form->names, answer);
  return id == CQ_ATOM_FAILED ? CQ_OK : add_itext(interview, id, kind, at, out, error);
}

cq_status cq_text_resolve(cq_interview *interview, const cq_text *text, const char *kind, const cq_node *at,
                          cq_arena *arena, cq_str *out, cq_error *error) {
  *out = CQ_STR("");
  if (cq_text_is_empty(text)) return CQ_OK;
  if (text->literal.size > 0) {
    if (kind[0] == '\0') *out = text->literal;
    return CQ_OK;
  }
  if (interview->text_depth >= MOST_DEPTH) return cq_error_set(error, CQ_LIMIT, "forms.limit.text", NULL);
  interview->text_depth++;
  interview->spent += TEXT_STEPS;
  cq_buf buffer = {0};
  cq_arena_mark mark = cq_arena_save(interview->scratch);
  cq_status status = CQ_OK;
  if (text->itext != CQ_ATOM_NONE)
    status = add_itext(interview, text->itext, kind, at, &buffer, error);
  else if (text->element == NULL)
    status = add_expression(interview, text, kind, at, &buffer, error);
  else if (kind[0] == '\0')
    status = add_content(interview, text->element, at, &buffer, error);
  cq_arena_rewind(interview->scratch, mark);
  interview->text_depth--;
  if (status == CQ_OK && buffer.size > 0) {
    *out = buffer.failed ? (cq_str){NULL, 0} : cq_arena_copy(arena, cq_str_trim(cq_buf_str(&buffer)));
    if (out->at == NULL) status = cq_error_nomem(error);
  }
  cq_buf_fini(&buffer);
  return status;
}
