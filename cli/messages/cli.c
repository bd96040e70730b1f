/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_cli[] = {
    {"cli.cancelled", N_("Stopped as you asked."), NULL},
    {"cli.home", N_("There is no home folder."), N_("Say where with --home DIR.")},
    {"cli.passphrase.mode", N_("Others can read the passphrase file %1$s."), N_("Run: chmod 600 %1$s")},
    {"cli.passphrase.empty", N_("The passphrase is empty."), NULL},
    {"cli.passphrase.long", N_("The passphrase is too long."), NULL},
    {"cli.passphrase.unlike", N_("The two passphrases are not alike."), N_("Try again.")},
    {"cli.passphrase.terminal", N_("There is no terminal on which to ask for the passphrase."),
     N_("Give it with --passphrase-file FILE.")},
    {0}};
