/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_panel[] = {
    {"calendar.columns", N_("The calendar has no column “%1$s”."),
     N_("Look at docs/formats/calendar.md for its columns.")},
    {"calendar.season", N_("A season's code is not right: letters and digits, at most 7."), NULL},
    {"calendar.start", N_("A season's first day must be a month and a day, such as 08-01."),
     N_("Check that the spreadsheet has not turned it into a date.")},
    {"calendar.order", N_("The seasons of zone “%1$s” are not in the order of the year."),
     N_("Put the season that begins the campaign first.")},
    {"calendar.number", N_("Column “%1$s” of the calendar must hold a whole number."), NULL},
    {"calendar.window",
     N_("The visit window's days are not right: closes may not be more than grace, nor grace than 365."), NULL},
    {"calendar.version", N_("A version of zone “%1$s” stands twice in the calendar, or its rows disagree."),
     N_("Give each change a new version number.")},
    {"calendar.many", N_("The calendar has too many rows."), NULL},
    {"calendar.empty", N_("The calendar has no season."), NULL},
    {"calendar.months", N_("The months of an activity are not right: 04-06, 11-02, 07|12 or blank."), NULL},
    {0}};
