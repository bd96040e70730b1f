/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/state.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

const cq_cli_option cq_cli_common[] = {{"help", 'h', NULL, N_("show this help")},
                                       {"version", 0, NULL, N_("show the version")},
                                       {"manual", 0, NULL, N_("write the manual page, as scdoc reads it")},
                                       {0}};

/* --- looking up --- */

static const cq_cli_option *option_in(const cq_cli_option *table, const char *name, size_t size, char letter) {
  for (; table && table->name; table++) {
    if (letter ? table->letter == letter : name && strlen(table->name) == size && memcmp(table->name, name, size) == 0)
      return table;
  }
  return NULL;
}

static const cq_cli_option *option_of(const cq_cli_verb *verb, const char *name, size_t size, char letter) {
  const cq_cli_option *option = option_in(cq_cli_common, name, size, letter);
  return option ? option : option_in(verb->options, name, size, letter);
}

/* Before the verb is known: whether any verb has this option with a value. */
static bool takes_value(const cq_cli_program *program, const char *arg) {
  bool is_long = arg[1] == '-';
  for (const cq_cli_verb *verb = program->verbs; verb->name; verb++) {
    const cq_cli_option *option = is_long          ? option_in(verb->options, arg + 2, strlen(arg + 2), 0)
                                  : arg[2] == '\0' ? option_in(verb->options, NULL, 0, arg[1])
                                                   : NULL;
    if (option && option->value) return true;
  }
  return false;
}

static int words_of(const char *name) {
  return *name == '\0' ? 0 : strchr(name, ' ') ? 2 : 1;
}

/* Whether the words at positions a and b of argv (NULL: none) are this verb's name. */
static bool is_verb(const cq_cli_verb *verb, const char *first, const char *second) {
  const char *space = strchr(verb->name, ' ');
  if (!space) return first && strcmp(verb->name, first) == 0;
  size_t size = (size_t)(space - verb->name);
  return first && second && strlen(first) == size && memcmp(verb->name, first, size) == 0 &&
         strcmp(space + 1, second) == 0;
}

/* The verb named by the first one or two words that are no options; two words win over one, the nameless verb over
 * none.
 */
static const cq_cli_verb *find_verb(const cq_cli_program *program, int argc, char **argv) {
  const char *word[2] = {NULL, NULL};
  int words = 0;
  for (int i = 1; i < argc && words < 2; i++) {
    if (strcmp(argv[i], "--") == 0) break;
    if (argv[i][0] == '-' && argv[i][1] != '\0') {
      if (takes_value(program, argv[i])) i++;
    } else {
      word[words++] = argv[i];
    }
  }
  const cq_cli_verb *found = NULL;
  for (const cq_cli_verb *verb = program->verbs; verb->name; verb++) {
    bool fits = verb->name[0] == '\0' ? true : is_verb(verb, word[0], word[1]);
    if (fits && (!found || words_of(verb->name) > words_of(found->name))) found = verb;
  }
  return found;
}

/* --- reading the command line --- */

static int give(cq_cli *cli, const cq_cli_option *option, const char *value) {
  if (cli->given_count == CQ_CLI_MAX_OPTIONS) return cq_cli_usage(cli, _("There are too many options."));
  cli->given[cli->given_count++] = (cq_cli_given){option->name, value};
  return CQ_EXIT_DONE;
}

static int read_option(cq_cli *cli, char **argv, int argc, int *i) {
  const char *arg = argv[*i], *value = NULL;
  const cq_cli_option *option;
  if (arg[1] == '-') {
    size_t size = strcspn(arg + 2, "=");
    option = option_of(cli->verb, arg + 2, size, 0);
    if (arg[2 + size] == '=') value = arg + 2 + size + 1;
  } else {
    option = option_of(cli->verb, NULL, 0, arg[1]);
    if (arg[2] != '\0') value = arg + 2;
  }
  if (!option) return cq_cli_usage(cli, _("There is no option %s here."), arg);
  if (!option->value && value) return cq_cli_usage(cli, _("The option --%s takes no value."), option->name);
  if (option->value && !value) {
    if (*i + 1 == argc) return cq_cli_usage(cli, _("The option --%s needs a value."), option->name);
    value = argv[++*i];
  }
  return give(cli, option, value);
}

static int read_line(cq_cli *cli, int argc, char **argv) {
  int words = words_of(cli->verb->name);
  bool ended = false;
  for (int i = 1; i < argc; i++) {
    if (!ended && strcmp(argv[i], "--") == 0) {
      ended = true;
    } else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0') {
      int status = read_option(cli, argv, argc, &i);
      if (status != CQ_EXIT_DONE) return status;
    } else if (words > 0) {
      words--;
    } else {
      cli->args[cli->arg_count++] = argv[i];
    }
  }
  return CQ_EXIT_DONE;
}

/* How many "SERVER [RECORD…]" speaks of; *most -1: as many as wanted. */
static void count_args(const char *args, int *least, int *most) {
  bool in_brackets = false;
  *least = *most = 0;
  for (const char *at = args; at && *at; at++) {
    bool begins = at == args || at[-1] == ' ';
    if (begins && !in_brackets) {
      *least += *at != '[';
      ++*most;
    }
    in_brackets = *at == '[' || (in_brackets && *at != ']');
  }
  if (args && strstr(args, "…")) *most = -1;
}

static int check_args(const cq_cli *cli) {
  int least, most;
  count_args(cli->verb->args, &least, &most);
  if (cli->arg_count < least) return cq_cli_usage(cli, _("Something is missing: %s"), _(cli->verb->args));
  if (most >= 0 && cli->arg_count > most) return cq_cli_usage(cli, _("“%s” is not understood here."), cli->args[most]);
  return CQ_EXIT_DONE;
}

static bool find_home(cq_cli *cli) {
  const char *said = cq_cli_value(cli, "home");
  if (!said || !*said) said = getenv("CHASQUI_HOME");
  const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
  if (!user || !*user) {
    const struct passwd *entry = getpwuid(getuid());
    user = entry ? entry->pw_dir : NULL;
  }
  if (said && *said)
    cq_buf_addf(&cli->home, "%s", said);
  else if (data && data[0] == '/')
    cq_buf_addf(&cli->home, "%s/chasqui", data);
  else if (user && user[0] == '/')
    cq_buf_addf(&cli->home, "%s/.local/share/chasqui", user);
  return cli->home.size > 0;
}

/* --- running --- */

/* Answers and keys pass through this memory: no core file, and no other process of this user may look into it (but a
 * leak checker, in builds for tests). */
static void close_memory(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef CQ_LEAKS_CHECKED
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int show(cq_buf *text) {
  int status = text->failed || fwrite(text->at, 1, text->size, stdout) != text->size || fflush(stdout) != 0
                   ? CQ_EXIT_ENVIRONMENT
                   : CQ_EXIT_DONE;
  cq_buf_fini(text);
  return status;
}

static int run_verb(cq_cli *cli) {
  cq_buf text = {0};
  if (cq_cli_flag(cli, "version")) {
    cq_buf_addf(&text, "%s %s\n", cli->program->name, CQ_VERSION);
    return show(&text);
  }
  if (cq_cli_flag(cli, "manual")) {
    cq_cli_manual(cli->program, &text);
    return show(&text);
  }
  if (cq_cli_flag(cli, "help")) {
    if (cli->verb->name[0] == '\0')
      cq_cli_help_program(cli->program, &text);
    else
      cq_cli_help_verb(cli->program, cli->verb, &text);
    return show(&text);
  }
  if (!cli->verb->run) {
    if (cli->arg_count > 0) return cq_cli_usage(cli, _("There is no verb “%s”."), cli->args[0]);
    cq_cli_help_program(cli->program, &text);
    show(&text);
    return CQ_EXIT_USAGE;
  }
  int status = check_args(cli);
  if (status != CQ_EXIT_DONE) return status;
  if (option_in(cli->verb->options, "home", 4, 0) && !find_home(cli)) {
    cq_error error;
    cq_error_set(&error, CQ_IO, "cli.home", NULL);
    return cq_cli_fail(cli, &error);
  }
  status = cli->verb->run(cli);
  cq_cli_progress(cli, NULL, 0, 0);
  if (fflush(stdout) != 0 && status == CQ_EXIT_DONE) status = CQ_EXIT_ENVIRONMENT;
  return status;
}

int cq_cli_main(const cq_cli_program *program, int argc, char **argv) {
  /* Stands where no verb was named and the program has no nameless one. */
  static const cq_cli_verb none = {.name = ""};
  cq_cli_locale();
  cq_cli_signals();
  close_memory();
  const cq_cli_verb *verb = find_verb(program, argc, argv);
  cq_cli cli = {.program = program, .verb = verb ? verb : &none};
  cli.args = calloc((size_t)argc + 1, sizeof *cli.args);
  if (!cli.args) return CQ_EXIT_ENVIRONMENT;
  int status = read_line(&cli, argc, argv);
  if (status == CQ_EXIT_DONE) status = run_verb(&cli);
  cq_buf_fini(&cli.home);
  free(cli.args);
  return status;
}

/* --- what was said --- */

const char *cq_cli_value_at(const cq_cli *cli, const char *option, size_t n) {
  for (size_t i = 0; i < cli->given_count; i++) {
    if (strcmp(cli->given[i].name, option) == 0 && n-- == 0) return cli->given[i].value;
  }
  return NULL;
}

const char *cq_cli_value(const cq_cli *cli, const char *option) {
  for (size_t i = cli->given_count; i > 0; i--) {
    if (strcmp(cli->given[i - 1].name, option) == 0) return cli->given[i - 1].value;
  }
  return NULL;
}

bool cq_cli_flag(const cq_cli *cli, const char *option) {
  for (size_t i = 0; i < cli->given_count; i++) {
    if (strcmp(cli->given[i].name, option) == 0) return true;
  }
  return false;
}

const char *cq_cli_arg(const cq_cli *cli, int n) {
  return n >= 0 && n < cli->arg_count ? cli->args[n] : NULL;
}

int cq_cli_args(const cq_cli *cli) {
  return cli->arg_count;
}

const char *cq_cli_home(cq_cli *cli) {
  return cli->home.at;
}
