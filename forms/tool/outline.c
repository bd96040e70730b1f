/* SPDX-License-Identifier: Apache-2.0 */
/* The form as a person would describe it: questions, logic, languages. */
#include "forms/tool/xlsform.h"

#include <stdio.h>

const cq_cli_option cq_tool_outline_options[] = {{"show", 0, N_("LANGUAGE"), N_("show labels in this language")}, {0}};

static void indent(cq_buf *out, int depth) {
  for (int i = 0; i < depth; i++) cq_buf_add_text(out, "  ");
}

/* "    if …": one line of what is known of a question. */
static void add_note(cq_buf *out, int depth, const char *format, cq_str text) {
  if (text.size == 0) return;
  indent(out, depth + 2);
  cq_buf line = {0};
  cq_buf_add_str(&line, text);
  cq_buf_addf(out, format, line.at);
  cq_buf_fini(&line);
  cq_buf_add_char(out, '\n');
}

/* Labels may run over several lines; an outline shows one. */
static void add_label(cq_buf *out, cq_str label) {
  for (size_t i = 0; i < label.size; i++) cq_buf_add_char(out, label.at[i] == '\n' ? ' ' : label.at[i]);
}

static void add_item(cq_buf *out, const cq_xlsform_item *item) {
  indent(out, item->depth);
  cq_buf_add_str(out, item->name);
  cq_buf_add_text(out, " · ");
  cq_buf_add_str(out, item->type);
  if (item->list.size) {
    cq_buf_add_char(out, ' ');
    cq_buf_add_str(out, item->list);
  }
  if (item->choices) {
    unsigned long long choices = item->choices;
    cq_buf_add_text(out, " (");
    cq_buf_addf(out, cq_cli_plural("%llu choice", "%llu choices", choices), choices);
    cq_buf_add_char(out, ')');
  }
  if (cq_str_is(item->required, "yes") || cq_str_is(item->required, "true") || cq_str_is(item->required, "true()")) {
    cq_buf_addf(out, ", %s", _("required"));
  }
  if (item->readonly.size) cq_buf_addf(out, ", %s", _("read only"));
  cq_buf_add_char(out, '\n');
  if (item->label.size) {
    indent(out, item->depth + 1);
    cq_buf_add_text(out, "“");
    add_label(out, item->label);
    cq_buf_add_text(out, "”\n");
  }
  add_note(out, item->depth, _("if %s"), item->relevant);
  add_note(out, item->depth, _("must be: %s"), item->constraint);
  add_note(out, item->depth, _("calculated: %s"), item->calculation);
  add_note(out, item->depth, _("choices: %s"), item->choice_filter);
  add_note(out, item->depth, _("saved to: %s"), item->save_to);
}

static void add_head(cq_buf *out, const cq_xlsform *form) {
  cq_buf_add_str(out, cq_xlsform_title(form));
  cq_buf_add_text(out, " [");
  cq_buf_add_str(out, cq_xlsform_id(form));
  cq_buf_add_char(out, ']');
  cq_str version = cq_xlsform_version(form);
  if (version.size) {
    cq_buf text = {0};
    cq_buf_add_str(&text, version);
    cq_buf_add_text(out, ", ");
    cq_buf_addf(out, _("version %s"), text.at);
    cq_buf_fini(&text);
  }
  cq_buf_add_char(out, '\n');
  for (size_t i = 0; i < cq_xlsform_language_count(form); i++) {
    cq_buf_add_text(out, i ? ", " : _("languages: "));
    cq_buf_add_str(out, cq_xlsform_language_at(form, i));
  }
  if (cq_xlsform_language_count(form)) cq_buf_add_char(out, '\n');
  cq_buf_add_char(out, '\n');
}

int cq_tool_outline(cq_cli *cli) {
  cq_xlsform *form = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (cq_tool_compile(cli, &form, &error) != CQ_OK) return cq_cli_fail(cli, &error);
  cq_tool_say_faults(cli, form, false);
  cq_buf out = {0};
  add_head(&out, form);
  cq_xlsform_item item;
  for (size_t i = 0; cq_xlsform_item_at(form, i, cq_cli_value(cli, "show"), &item); i++) add_item(&out, &item);
  fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
  int status = cq_xlsform_ok(form) ? CQ_EXIT_DONE : CQ_EXIT_REFUSED;
  cq_xlsform_free(form);
  return status;
}
