/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_cli[] = {
    {"cli.cancelled", N_("Stopped as you asked."), NULL},
    {"cli.home", N_("There is no home folder."), N_("Say where with --home DIR.")},
    {"cli.nobody", N_("Nobody can be asked here: %1$s"), N_("Say %2$s on the command line, or run it at a terminal.")},
    {"cli.secret.mode", N_("Others can read the file with this secret: %1$s (%2$s)."), N_("Run: chmod 600 %2$s")},
    {"cli.secret.empty", N_("Nothing was given: %1$s."), NULL},
    {"cli.secret.long", N_("This is too long: %1$s."), NULL},
    {"cli.secret.unlike", N_("The second time something else was typed: %1$s."), N_("Try again.")},
    {"cli.secret.terminal", N_("There is no terminal on which to ask for it: %1$s."), N_("Give it with --%2$s FILE.")},
    {0}};
