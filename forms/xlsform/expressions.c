/* SPDX-License-Identifier: Apache-2.0 */
#include "forms/xlsform/expressions.h"
#include "forms/xlsform/references.h"
#include "forms/xlsform/write.h"
#include "forms/xpath/xpath.h"

#include <string.h>

enum { MAX_SPACES = 32 };

/* The text with "${name}" as "/name". */
static bool as_paths(cq_str text, cq_buf *out) {
  size_t at = 0;
  cq_reference r;
  while (cq_reference_next(text, at, &r)) {
    cq_buf_add(out, text.at + at, r.start - at);
    cq_buf_add_text(out, " /");
    cq_buf_add_str(out, r.name);
    cq_buf_add_char(out, ' ');
    at = r.end;
  }
  cq_buf_add(out, text.at + at, text.size - at);
  return !out->failed;
}

static cq_status read_text(cq_form_draft *form, cq_str text, cq_error *error) {
  cq_xpath_space spaces[MAX_SPACES];
  size_t count = 0;
  for (size_t at = 0; count < MAX_SPACES && cq_namespace_next(form, &at, &spaces[count].prefix, &spaces[count].uri);)
    count++;
  cq_xpath_settings settings = {.names = form->names, .spaces = spaces, .space_count = count, .arena = form->scratch};
  const cq_xpath *expression = NULL;
  cq_status status = cq_xpath_compile(&expression, &settings, text, error);
  return status == CQ_OK ? cq_xpath_check(expression, error) : status;
}

bool cq_expression_read(cq_form_draft *form, cq_str text, cq_error *error) {
  cq_buf paths = {0};
  cq_error_clear(error);
  cq_status status = as_paths(text, &paths) ? read_text(form, cq_buf_str(&paths), error) : CQ_NOMEM;
  if (status == CQ_NOMEM) form->no_memory = true;
  cq_buf_fini(&paths);
  cq_arena_reset(form->scratch);
  return status == CQ_OK;
}

void cq_expression_check(cq_form_draft *form, cq_str text, cq_place place) {
  cq_error error;
  if (text.size == 0 || cq_expression_read(form, text, &error) || !error.code) return;
  /* a phone may know another function, and other patterns */
  bool call =
      strncmp(error.code, "xpath.function.", strlen("xpath.function.")) == 0 || strcmp(error.code, "xpath.regex") == 0;
  const char *about = error.argc > 1 ? cq_draft_copy(form, cq_str_from(error.arg[1])).at : "";
  cq_fault(form, call ? CQ_XLSFORM_WARNING : CQ_XLSFORM_ERROR, error.code, place, text, about, (cq_str){"", 0});
}
