/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_base[] = {
    {"memory", N_("There is not enough memory."), N_("Close other programs and try again.")},
    {"io.open", N_("%1$s cannot be opened: %2$s."), N_("Check that it exists and that you may read it.")},
    {"io.read", N_("%1$s cannot be read: %2$s."), N_("Check the disk or the stick, then try again.")},
    {"io.notfile", N_("%1$s is not an ordinary file."), NULL},
    {"io.toolarge", N_("%1$s is larger than what can be read."), NULL},
    {"io.create", N_("%1$s cannot be created: %2$s."), N_("Check that you may write in that folder.")},
    {"io.write", N_("%1$s cannot be written: %2$s."), N_("Check that the disk has space, then try again.")},
    {"io.fsync", N_("%1$s could not be saved safely: %2$s."), N_("Check the disk or the stick before going on.")},
    {"io.rename", N_("%1$s could not be put in its place: %2$s."), N_("Check that you may write in that folder.")},
    {"io.exists", N_("%1$s exists already."), NULL},
    {"io.mkdir", N_("The folder %1$s cannot be made: %2$s."), N_("Check that you may write in that place.")},
    {"io.remove", N_("%1$s cannot be removed: %2$s."), NULL},
    {"csv.quote.open", N_("A quotation mark is not closed."), N_("Mend the file in a spreadsheet and save it again.")},
    {"csv.quote.stray", N_("There is text after a closing quotation mark."),
     N_("Mend the file in a spreadsheet and save it again.")},
    {"csv.columns.many", N_("The table has too many columns."), NULL},
    {"csv.field.long", N_("A field of the table is too long."), NULL},
    {"csv.utf8", N_("The text is not in UTF-8."), N_("Save the file as “CSV UTF-8”.")},
    {0}};
