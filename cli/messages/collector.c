/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_collector[] = {
    {"collector.home.empty", N_("There is no vault in %1$s yet."),
     N_("First join a programme: chasqui-collector join BUNDLE")},
    {"collector.home.many", N_("There is more than one vault in %1$s."),
     N_("Keep each one in a home folder of its own.")},
    {"collector.home.taken", N_("There is a vault in %1$s already."),
     N_("To join another programme, choose another folder with --home DIR.")},
    {"collector.join.fingerprint", N_("The programme's fingerprint is not the one you gave."),
     N_("Ask your coordinator for the right bundle.")},
    {"collector.join.declined", N_("Nothing was made, since the fingerprint was not confirmed."),
     N_("Ask your coordinator to read the fingerprint to you.")},
    {"collector.technician", N_("“%1$s” is not a technician's code."),
     N_("Give it with --technician CODE: letters, digits, point, dash; no name.")},
    {"collector.form.none", N_("The programme has no current form “%1$s”."), NULL},
    {"collector.fill.faults", N_("%1$s answers are missing or not right; nothing was kept."), NULL},
    {"collector.user.none", N_("No technician “%1$s” opens this laptop."), NULL},
    {"collector.date", N_("It cannot be earlier than %1$s: there is something newer on this laptop."),
     N_("Check the date and write it again.")},
    {"collector.date.form", N_("“%1$s” is not a date."), N_("Write it as YYYY-MM-DD.")},
    {"collector.clock", N_("The laptop's clock runs before %1$s, so it is wrong."),
     N_("Set the clock, or say the day with --working-date YYYY-MM-DD.")},
    {"collector.draft.damaged", N_("This draft cannot be read."),
     N_("Its answers stand in the audit trail: ask for help before throwing it away.")},
    {"collector.terminal", N_("This terminal (%1$s) cannot draw the screen."), N_("Use: chasqui-collector --line")},
    {0}};
