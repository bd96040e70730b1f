/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/messages.h"

const cq_cli_message cq_cli_messages_xlsform[] = {
    /* {"xlsform.thing.fault", N_("what happened with %1$s"), N_("what to do next")}, */
    {0}};
