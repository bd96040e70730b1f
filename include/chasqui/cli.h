/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the four programs share at their edge: the table of verbs and options
 * (from which come parsing, --help and the manual), the sentence for each
 * error code, language, home folder, passphrases, progress and signals. Used
 * by programs only, never by a library.
 *
 * A program is a main.c with its table and one file for each verb:
 *
 *   static const cq_cli_verb verbs[] = {
 *       {.name = "convert", .args = "IN", .summary = N_("turn a spreadsheet into a form"),
 *        .options = convert_options, .run = cq_tool_convert},
 *       {0}};
 *   static const cq_cli_program program = {.name = "chasqui-forms", .summary = N_("…"), .verbs = verbs};
 *   int main(int argc, char **argv) { return cq_cli_main(&program, argc, argv); }
 */
#ifndef CHASQUI_CLI_H
#define CHASQUI_CLI_H

#include "chasqui/status.h"
#include "chasqui/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program exits with. */
enum {
  CQ_EXIT_DONE = 0,
  CQ_EXIT_REFUSED = 1,    /* refused, or found wrong */
  CQ_EXIT_USAGE = 2,      /* the command line is not one of ours */
  CQ_EXIT_ENVIRONMENT = 3 /* disk, network, permission, memory */
};

/* --- text: English msgids, translated where they are shown --- */
const char *cq_cli_text(const char *msgid) __attribute__((format_arg(1)));
const char *cq_cli_plural(const char *one, const char *many, uint64_t count)
    __attribute__((format_arg(1), format_arg(2)));
#define _(msgid) cq_cli_text(msgid)
#define N_(msgid) msgid /* marked here, translated later */

/* --- the tables; all strings are literals, those marked * are msgids (N_) --- */
typedef struct cq_cli cq_cli;

typedef struct cq_cli_option {
  const char *name;  /* "out": --out; NULL ends a table */
  char letter;       /* 'o': -o too; 0: none */
  const char *value; /* * what it takes, as help shows it, N_("FILE"); NULL: a flag */
  const char *help;  /* * one line */
} cq_cli_option;

/* Rows that several verbs share. --help and --version are known to every verb without a row. */
#define CQ_CLI_OPTION_JSON                                                                                             \
  { "json", 0, NULL, N_("write JSON for machines") }
#define CQ_CLI_OPTION_HOME                                                                                             \
  { "home", 0, N_("DIR"), N_("home folder (else $CHASQUI_HOME, else the data folder of the user)") }
#define CQ_CLI_OPTION_PASSPHRASE                                                                                       \
  { "passphrase-file", 0, N_("FILE"), N_("read the passphrase from a file that only you can read") }
#define CQ_CLI_OPTION_YES                                                                                              \
  { "yes", 'y', NULL, N_("answer yes to every question") }

typedef struct cq_cli_verb {
  const char *name;             /* "convert", or two words "post init"; "": the program without a verb; NULL ends */
  const char *args;             /* * "IN", "FORM [OUT]", "DEVICE CODE…"; NULL: none. So many are taken: what stands in
                                 * brackets may be left out, and … means as many as wanted */
  const char *summary;          /* * one line, no full stop */
  const char *text;             /* * what help and manual say more, paragraphs apart by a blank line; may be NULL */
  const cq_cli_option *options; /* ended by {0}; NULL: none */
  int (*run)(cq_cli *cli);      /* answers the exit status */
} cq_cli_verb;

typedef struct cq_cli_program {
  const char *name;
  const char *summary; /* * one line */
  const char *text;    /* * as of a verb; may be NULL */
  const cq_cli_verb *verbs;
  void (*manual)(cq_buf *out); /* adds sections of its own to the manual, in scdoc; may be NULL */
} cq_cli_program;

/*
 * Sets up language, signals and memory (no core dumps), reads the command line
 * and runs the verb. Options may stand before and after the verb, as
 * `--name value`, `--name=value`, `-n value`; `--` ends them. Answers the exit
 * status. `--manual` writes the manual page as scdoc reads it.
 */
int cq_cli_main(const cq_cli_program *program, int argc, char **argv);

/* --- what was said on the command line --- */
bool cq_cli_flag(const cq_cli *cli, const char *option);
const char *cq_cli_value(const cq_cli *cli, const char *option); /* the last one given; NULL: not given */
/* The n-th value of an option given several times, from 0; NULL: no more. */
const char *cq_cli_value_at(const cq_cli *cli, const char *option, size_t n);
const char *cq_cli_arg(const cq_cli *cli, int n); /* from 0; NULL: no more */
int cq_cli_args(const cq_cli *cli);
/* --home, else $CHASQUI_HOME, else $XDG_DATA_HOME/chasqui, else ~/.local/share/chasqui. The folder may not exist yet.
 */
const char *cq_cli_home(cq_cli *cli);

/* --- what is said --- */
/* A line for people on standard output, a newline added; nothing under --json. */
void cq_cli_say(const cq_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on standard error, after the program's name. */
void cq_cli_warn(const cq_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From now on what is said and warned is appended to `lines`, each with LF, for a screen that would cover it; NULL: no
 * longer. */
void cq_cli_gather(cq_cli *cli, cq_buf *lines);
/* A complaint about the command line and where help is; answers CQ_EXIT_USAGE. */
int cq_cli_usage(const cq_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The sentence, place and next step of an error, on standard error; under --json an object {"error":{…}} on standard
 * output too. Answers CQ_EXIT_ENVIRONMENT for CQ_IO, CQ_NOMEM and CQ_BUSY, CQ_EXIT_USAGE where something had to be
 * asked and nobody was there, else CQ_EXIT_REFUSED. */
int cq_cli_fail(const cq_cli *cli, const cq_error *error);

/* The same in parts, for screens and pages: what happened and where, and what to do next (may stay empty). Appended. */
void cq_cli_explain(const cq_error *error, cq_buf *what, cq_buf *next);
/* Appends the place alone, "survey.xlsx, sheet choices, row 3, column 2"; nothing where there is none. */
void cq_cli_place(const cq_error *error, cq_buf *out);
/* Appends a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void cq_cli_add_json(cq_buf *out, cq_str text);

/*
 * A bar on standard error, only where that is a terminal and not under --json.
 * Call it as often as one likes; it repaints ten times a second. `total` 0: not
 * known. NULL `label`: wipe it (also done before each line said).
 */
void cq_cli_progress(cq_cli *cli, const char *label, uint64_t done, uint64_t total);

/* Whether colour may be used on standard output: a terminal, TERM not dumb, NO_COLOR not set. */
bool cq_cli_color(const cq_cli *cli);

/* --- what is asked --- */
/* Whether what was typed is a yes in the language of the messages, in whatever letter case, with accents or without. */
bool cq_cli_is_yes(cq_str typed);
/*
 * A yes or no question on the terminal: CQ_OK is yes, and --yes answers so. Errors: cli.cancelled (CQ_CANCELLED) where
 * it was denied; cli.nobody where standard input is no terminal, which names `instead`, what the command line lacked
 * ("--yes"), and for which cq_cli_fail answers CQ_EXIT_USAGE.
 */
cq_status cq_cli_confirm(cq_cli *cli, const char *question, const char *instead, cq_error *error);

/* Memory that is locked, not dumped and wiped. Zero-initialised is empty; `at` is terminated. */
typedef struct cq_cli_secret {
  char *at;
  size_t size;     /* bytes, without the terminator */
  size_t capacity; /* of the mapping */
} cq_cli_secret;
enum { CQ_CLI_SECRET_MAX = 1024 };                                    /* bytes */
cq_status cq_cli_secret_init(cq_cli_secret *secret, cq_error *error); /* empty, room for CQ_CLI_SECRET_MAX */
void cq_cli_secret_fini(cq_cli_secret *secret);                       /* wipes; an empty one is fine */

/*
 * A passphrase from the file that `option` ("passphrase-file") names: a regular
 * file nobody else may read; its first line is the passphrase. Without the
 * option it is asked on the terminal without echo, twice where `fresh`. It is
 * never in argv or the environment. `prompt` says which secret it is, in errors
 * too. Errors: cli.secret.{mode,empty,long,unlike}, cli.secret.terminal where
 * there is none (cq_cli_fail answers CQ_EXIT_USAGE), io.*, cli.cancelled. The
 * caller ends `secret` with _fini.
 */
cq_status cq_cli_passphrase(cq_cli *cli, const char *option, const char *prompt, bool fresh, cq_cli_secret *secret,
                            cq_error *error);

/* --- signals --- */
/* The first SIGINT, SIGTERM or SIGHUP sets a flag that long work asks for; a second one ends the program at once.
 * Answers the signal's number, or 0. Reads and waits end with EINTR. */
int cq_cli_signal(void);
/* cq_cli_signal as a failure: CQ_CANCELLED "cli.cancelled" or CQ_OK. */
cq_status cq_cli_cancelled(cq_error *error);

/* Language, text domain and character set as cq_cli_main does; for tests and for programs' tests. */
void cq_cli_locale(void);
/* From now on in this language ("es", "en"; several apart by ':'), for programs that speak with several people. */
void cq_cli_language(const char *language);

#endif
