/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the manual, both from the tables. */
#include "cli/state.h"

#include <string.h>

/* Columns of UTF-8 text in the languages of these tables: one a code point. */
static size_t columns_of(const char *text) {
  return cq_utf8_length(cq_str_from(text));
}

static void add_spaces(cq_buf *out, size_t count) {
  while (count-- > 0) cq_buf_add_char(out, ' ');
}

/* `text` in lines of at most 80 columns, each after `indent` spaces; the first is `at` columns in already. */
static void add_wrapped(cq_buf *out, const char *text, size_t indent, size_t at) {
  size_t column = at;
  while (*text) {
    size_t bytes = strcspn(text, " \n");
    size_t wide = cq_utf8_length((cq_str){text, bytes});
    if (column > indent && column + 1 + wide > 80) {
      cq_buf_add_char(out, '\n');
      column = 0;
    }
    if (column < indent) {
      add_spaces(out, indent - column);
      column = indent;
    } else if (column > indent) {
      cq_buf_add_char(out, ' ');
      column++;
    }
    cq_buf_add(out, text, bytes);
    column += wide;
    text += bytes;
    if (text[0] == '\n' && text[1] == '\n') {
      cq_buf_add_text(out, "\n\n");
      column = 0;
    }
    while (*text == ' ' || *text == '\n') text++;
  }
  cq_buf_add_char(out, '\n');
}

static void option_head(const cq_cli_option *option, cq_buf *out) {
  if (option->letter)
    cq_buf_addf(out, "-%c, ", option->letter);
  else
    cq_buf_add_text(out, "    ");
  cq_buf_addf(out, "--%s", option->name);
  if (option->value) cq_buf_addf(out, " %s", _(option->value));
}

static void add_options(const cq_cli_option *options, cq_buf *out) {
  for (; options && options->name; options++) {
    if (strcmp(options->name, "manual") == 0) continue; /* for packagers; it stands in the manual */
    cq_buf head = {0};
    option_head(options, &head);
    cq_buf_addf(out, "  %s", head.at ? head.at : "");
    size_t wide = 2 + columns_of(head.at ? head.at : "");
    if (wide > 28) {
      cq_buf_add_char(out, '\n');
      wide = 0;
    }
    add_spaces(out, 30 - wide);
    add_wrapped(out, _(options->help), 30, 30);
    cq_buf_fini(&head);
  }
}

static void add_call(const cq_cli_program *program, const cq_cli_verb *verb, cq_buf *out) {
  cq_buf_addf(out, "%s", program->name);
  if (*verb->name) cq_buf_addf(out, " %s", verb->name);
  if (verb->args) cq_buf_addf(out, " %s", _(verb->args));
}

void cq_cli_help_verb(const cq_cli_program *program, const cq_cli_verb *verb, cq_buf *out) {
  add_call(program, verb, out);
  cq_buf_addf(out, "%s\n\n", verb->options ? _(" [options]") : "");
  add_wrapped(out, _(verb->summary), 0, 0);
  if (verb->text) {
    cq_buf_add_char(out, '\n');
    add_wrapped(out, _(verb->text), 0, 0);
  }
  cq_buf_addf(out, "\n%s\n", _("Options:"));
  add_options(verb->options, out);
  add_options(cq_cli_common, out);
}

void cq_cli_help_program(const cq_cli_program *program, cq_buf *out) {
  const cq_cli_verb *nameless = NULL;
  cq_buf_addf(out, "%s — %s\n", program->name, _(program->summary));
  if (program->text) {
    cq_buf_add_char(out, '\n');
    add_wrapped(out, _(program->text), 0, 0);
  }
  cq_buf_addf(out, "\n%s\n", _("Verbs:"));
  for (const cq_cli_verb *verb = program->verbs; verb->name; verb++) {
    if (!*verb->name) nameless = verb;
    cq_buf head = {0};
    cq_buf_addf(&head, "%s%s%s", *verb->name ? verb->name : _("(none)"), verb->args ? " " : "",
                verb->args ? _(verb->args) : "");
    size_t wide = 2 + columns_of(head.at ? head.at : "");
    cq_buf_addf(out, "  %s", head.at ? head.at : "");
    if (wide > 28) {
      cq_buf_add_char(out, '\n');
      wide = 0;
    }
    add_spaces(out, 30 - wide);
    add_wrapped(out, _(verb->summary), 30, 30);
    cq_buf_fini(&head);
  }
  cq_buf_addf(out, "\n%s\n", _("Options:"));
  if (nameless) add_options(nameless->options, out);
  add_options(cq_cli_common, out);
  cq_buf_addf(out, "\n");
  cq_buf_addf(out, _("Each verb has its own help: %s VERB --help\n"), program->name);
}

/* --- the manual, in scdoc's language --- */

/* What scdoc would take for markup is escaped. */
static void add_scdoc(cq_buf *out, const char *text) {
  for (; *text; text++) {
    if (strchr("\\_*<>[]#|~`", *text)) cq_buf_add_char(out, '\\');
    cq_buf_add_char(out, *text);
  }
}

static void manual_options(const cq_cli_option *options, cq_buf *out) {
  for (; options && options->name; options++) {
    cq_buf_add_text(out, "*");
    if (options->letter) cq_buf_addf(out, "-%c*, *", options->letter);
    cq_buf_addf(out, "--%s*", options->name);
    if (options->value) {
      cq_buf_add_text(out, " _");
      add_scdoc(out, _(options->value));
      cq_buf_add_text(out, "_");
    }
    cq_buf_add_text(out, "\n\t");
    add_scdoc(out, _(options->help));
    cq_buf_add_text(out, "\n\n");
  }
}

/* Upper case of the ASCII letters and of those that Spanish headings have. */
static void manual_heading(const char *text, cq_buf *out) {
  cq_buf_addf(out, "# %s\n\n", text);
}

static void manual_verb(const cq_cli_program *program, const cq_cli_verb *verb, cq_buf *out) {
  cq_buf_add_text(out, "## ");
  add_call(program, verb, out);
  cq_buf_add_text(out, "\n\n");
  add_scdoc(out, _(verb->summary));
  cq_buf_add_text(out, ".\n\n");
  if (verb->text) {
    add_scdoc(out, _(verb->text));
    cq_buf_add_text(out, "\n\n");
  }
  manual_options(verb->options, out);
}

void cq_cli_manual(const cq_cli_program *program, cq_buf *out) {
  cq_buf_addf(out, "%s(1)\n\n", program->name);
  manual_heading(_("NAME"), out);
  cq_buf_addf(out, "%s - ", program->name);
  add_scdoc(out, _(program->summary));
  cq_buf_add_text(out, "\n\n");
  manual_heading(_("SYNOPSIS"), out);
  cq_buf_addf(out, "*%s* ", program->name);
  add_scdoc(out, _("[VERB] [options] [arguments]"));
  cq_buf_add_text(out, "\n\n");
  if (program->text) {
    manual_heading(_("DESCRIPTION"), out);
    add_scdoc(out, _(program->text));
    cq_buf_add_text(out, "\n\n");
  }
  manual_heading(_("VERBS"), out);
  for (const cq_cli_verb *verb = program->verbs; verb->name; verb++) manual_verb(program, verb, out);
  if (program->manual) program->manual(out);
  manual_heading(_("OPTIONS OF EVERY VERB"), out);
  manual_options(cq_cli_common, out);
  manual_heading(_("EXIT STATUS"), out);
  cq_buf_add_text(out, "*0*\n\t");
  cq_buf_add_text(out, _("done"));
  cq_buf_add_text(out, "\n\n*1*\n\t");
  cq_buf_add_text(out, _("refused, or found wrong"));
  cq_buf_add_text(out, "\n\n*2*\n\t");
  cq_buf_add_text(out, _("the command line was not understood"));
  cq_buf_add_text(out, "\n\n*3*\n\t");
  cq_buf_add_text(out, _("disk, network or permission failed"));
  cq_buf_add_text(out, "\n\n");
  manual_heading(_("ENVIRONMENT"), out);
  cq_buf_add_text(out, "*CHASQUI_HOME*\n\t");
  cq_buf_add_text(out, _("home folder, where --home does not say it"));
  cq_buf_add_text(out, "\n\n*NO_COLOR*\n\t");
  cq_buf_add_text(out, _("no colours where it is set"));
  cq_buf_add_text(out, "\n");
}
