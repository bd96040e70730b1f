/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/clock.h"
#include "cli/messages.h"
#include "cli/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the sentence of an error --- */

const cq_cli_message *cq_cli_message_of(const char *code) {
  const cq_cli_message *const tables[] = {cq_cli_messages_base,     cq_cli_messages_cli,       cq_cli_messages_forms,
                                          cq_cli_messages_xpath,    cq_cli_messages_xlsform,   cq_cli_messages_batch,
                                          cq_cli_messages_protocol, cq_cli_messages_vault,     cq_cli_messages_store,
                                          cq_cli_messages_panel,    cq_cli_messages_collector, cq_cli_messages_sync,
                                          cq_cli_messages_openrosa, cq_cli_messages_central};
  for (size_t i = 0; code && i < sizeof tables / sizeof *tables; i++) {
    for (const cq_cli_message *row = tables[i]; row->code; row++) {
      if (strcmp(row->code, code) == 0) return row;
    }
  }
  return NULL;
}

/* Arguments come from files of others: what would move the cursor is shown as U+FFFD. */
static void add_clean(cq_buf *out, const char *text) {
  cq_str bytes = cq_str_from(text);
  for (size_t at = 0; at < bytes.size;) {
    uint32_t c = cq_utf8_next(bytes, &at);
    cq_buf_add_code_point(out, c < 0x20 || (c >= 0x7F && c < 0xA0) ? 0xFFFD : c);
  }
}

/* What the system says of a failure, in our own words: its catalogue may not be there, and says “fichero”. */
static const char *system_words(const char *said) {
  static const struct {
    int number;
    const char *words;
  } rows[] = {{ENOENT, N_("it does not exist")},
              {EACCES, N_("you have no permission for it")},
              {EPERM, N_("you have no permission for it")},
              {EEXIST, N_("it exists already")},
              {EISDIR, N_("it is a folder")},
              {ENOTDIR, N_("a part of the path is no folder")},
              {ENOTEMPTY, N_("the folder is not empty")},
              {ENAMETOOLONG, N_("the name is too long")},
              {ENOSPC, N_("no space is left")},
              {EDQUOT, N_("the space of this user is used up")},
              {EFBIG, N_("the disk or stick takes no file of that size")},
              {EROFS, N_("the disk or stick is protected against writing")},
              {EIO, N_("the disk or stick fails")},
              {ENODEV, N_("the disk or stick is no longer there")},
              {EMFILE, N_("too many files are open")},
              {EADDRNOTAVAIL, N_("this computer has no such address")}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(said, strerror(rows[i].number)) == 0) return _(rows[i].words);
  return said;
}

/* `%1$s` to `%4$s` are replaced; nothing else is special. */
static void add_sentence(cq_buf *out, const char *sentence, const cq_error *error) {
  for (const char *at = sentence; *at;) {
    if (at[0] == '%' && at[1] >= '1' && at[1] <= '0' + CQ_ERROR_ARGS && at[2] == '$' && at[3] == 's') {
      int n = at[1] - '1';
      if (n < error->argc) add_clean(out, system_words(error->arg[n]));
      at += 4;
    } else {
      cq_buf_add_char(out, *at++);
    }
  }
}

static void add_part(cq_buf *out, size_t start, const char *format, long long number) {
  if (out->size > start) cq_buf_add_text(out, ", ");
  char part[128];
  snprintf(part, sizeof part, format, number);
  cq_buf_add_text(out, part);
}

void cq_cli_place(const cq_error *error, cq_buf *out) {
  size_t start = out->size;
  add_clean(out, error->file);
  if (error->sheet[0]) {
    if (out->size > start) cq_buf_add_text(out, ", ");
    cq_buf_add_text(out, _("sheet "));
    add_clean(out, error->sheet);
  }
  if (error->row > 0) add_part(out, start, _("row %lld"), (long long)error->row);
  if (error->column > 0) add_part(out, start, _("column %lld"), (long long)error->column);
  if (error->line > 0) add_part(out, start, _("line %lld"), (long long)error->line);
  if (error->line_column > 0) add_part(out, start, _("column %lld"), (long long)error->line_column);
  if (error->offset >= 0) add_part(out, start, _("byte %lld"), (long long)error->offset);
}

void cq_cli_explain(const cq_error *error, cq_buf *what, cq_buf *next) {
  const cq_cli_message *row = cq_cli_message_of(error->code);
  if (row) {
    add_sentence(what, _(row->what), error);
  } else {
    cq_buf_add_text(what, error->code ? error->code : _("Something failed."));
    for (int i = 0; i < error->argc; i++) {
      cq_buf_add_char(what, ' ');
      add_clean(what, error->arg[i]);
    }
  }
  cq_buf place = {0};
  cq_cli_place(error, &place);
  /* A file that the sentence names already needs no second mention. */
  bool named = place.size > 0 && strcmp(place.at, error->file) == 0 && what->at && strstr(what->at, place.at);
  if (place.size > 0 && !named) cq_buf_addf(what, " (%s)", place.at);
  cq_buf_fini(&place);
  if (row && row->next) add_sentence(next, _(row->next), error);
}

void cq_cli_add_json(cq_buf *out, cq_str text) {
  cq_buf_add_char(out, '"');
  for (size_t at = 0; at < text.size;) {
    uint32_t c = cq_utf8_next(text, &at);
    if (c == '"' || c == '\\')
      cq_buf_addf(out, "\\%c", (char)c);
    else if (c == '\n')
      cq_buf_add_text(out, "\\n");
    else if (c < 0x20 || c == 0x7F)
      cq_buf_addf(out, "\\u%04x", (unsigned)c);
    else
      cq_buf_add_code_point(out, c);
  }
  cq_buf_add_char(out, '"');
}

static void add_member(cq_buf *out, const char *name, const char *text) {
  if (!text[0]) return;
  cq_buf_addf(out, ",\"%s\":", name);
  cq_cli_add_json(out, cq_str_from(text));
}

static void add_number(cq_buf *out, const char *name, int64_t number, int64_t least) {
  if (number >= least) cq_buf_addf(out, ",\"%s\":%lld", name, (long long)number);
}

static void print_error_json(const cq_error *error, const cq_buf *what, const cq_buf *next) {
  cq_buf out = {0};
  cq_buf_add_text(&out, "{\"error\":{\"code\":");
  cq_cli_add_json(&out, cq_str_from(error->code ? error->code : ""));
  add_member(&out, "message", what->at ? what->at : "");
  add_member(&out, "next", next->at ? next->at : "");
  add_member(&out, "file", error->file);
  add_member(&out, "sheet", error->sheet);
  add_number(&out, "row", error->row, 1);
  add_number(&out, "column", error->column, 1);
  add_number(&out, "line", error->line, 1);
  add_number(&out, "line_column", error->line_column, 1);
  add_number(&out, "offset", error->offset, 0);
  cq_buf_add_text(&out, "}}\n");
  if (!out.failed) fwrite(out.at, 1, out.size, stdout);
  cq_buf_fini(&out);
}

int cq_cli_fail(const cq_cli *cli, const cq_error *error) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(error, &what, &next);
  if (cq_cli_flag(cli, "json")) print_error_json(error, &what, &next);
  cq_cli_warn(cli, "%s", what.at ? what.at : "");
  if (next.size > 0) fprintf(stderr, "  %s\n", next.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
  /* Said on the command line, nothing would have been asked. */
  if (error->code && (strcmp(error->code, "cli.nobody") == 0 || strcmp(error->code, "cli.secret.terminal") == 0))
    return CQ_EXIT_USAGE;
  bool environment = error->status == CQ_IO || error->status == CQ_NOMEM || error->status == CQ_BUSY;
  return environment ? CQ_EXIT_ENVIRONMENT : CQ_EXIT_REFUSED;
}

/* --- lines --- */

static void wipe_progress(const cq_cli *cli) {
  if (cli->progress_ms != 0) fputs("\r\033[K", stderr);
}

void cq_cli_gather(cq_cli *cli, cq_buf *lines) {
  cli->gathered = lines;
}

static void gather(const cq_cli *cli, const char *format, va_list args) {
  char line[1024];
  vsnprintf(line, sizeof line, format, args);
  cq_buf_add_text(cli->gathered, line);
  cq_buf_add_char(cli->gathered, '\n');
}

void cq_cli_say(const cq_cli *cli, const char *format, ...) {
  if (cq_cli_flag(cli, "json")) return;
  va_list args;
  va_start(args, format);
  if (cli->gathered) {
    gather(cli, format, args);
  } else {
    wipe_progress(cli);
    vprintf(format, args);
    putchar('\n');
  }
  va_end(args);
}

static void complain(const cq_cli *cli, const char *format, va_list args) {
  wipe_progress(cli);
  fflush(stdout);
  fprintf(stderr, "%s: ", cli->program->name);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
}

void cq_cli_warn(const cq_cli *cli, const char *format, ...) {
  va_list args;
  va_start(args, format);
  if (cli->gathered)
    gather(cli, format, args);
  else
    complain(cli, format, args);
  va_end(args);
}

int cq_cli_usage(const cq_cli *cli, const char *format, ...) {
  va_list args;
  va_start(args, format);
  complain(cli, format, args);
  va_end(args);
  const char *verb = cli->verb->name;
  fprintf(stderr, _("  See: %s%s%s --help\n"), cli->program->name, *verb ? " " : "", verb);
  return CQ_EXIT_USAGE;
}

/* --- the bar --- */

void cq_cli_progress(cq_cli *cli, const char *label, uint64_t done, uint64_t total) {
  if (!label) {
    wipe_progress(cli);
    cli->progress_ms = 0;
    return;
  }
  if (cq_cli_flag(cli, "json") || !isatty(STDERR_FILENO)) return;
  int64_t now = cq_clock_system.monotonic_ms(cq_clock_system.context);
  if (cli->progress_ms != 0 && now - cli->progress_ms < 100 && done != total) return;
  cli->progress_ms = now > 0 ? now : 1;
  if (total == 0) {
    fprintf(stderr, "\r%s %llu\033[K", label, (unsigned long long)done);
  } else {
    enum { WIDTH = 24 };
    int full = (int)((double)(done < total ? done : total) / (double)total * WIDTH);
    fprintf(stderr, "\r%s [%.*s%.*s] %llu/%llu\033[K", label, full, "########################", WIDTH - full,
            "........................", (unsigned long long)done, (unsigned long long)total);
  }
  fflush(stderr);
}

bool cq_cli_color(const cq_cli *cli) {
  const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
  return !cq_cli_flag(cli, "json") && !(none && *none) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}
