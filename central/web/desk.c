/* SPDX-License-Identifier: Apache-2.0 */
/* `desk`: the desk as a page in the browser of this machine. */
#include "central/verbs.h"
#include "central/web/server.h"

#include <stdio.h>

enum { WAIT_MS = 1000, MOST_PORT = 65535 };

const cq_cli_option cq_central_desk_options[] = {
    {"port", 0, N_("PORT"), N_("where to listen on this machine (else a free one)")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_JSON,
    {0}};

int cq_central_desk(cq_cli *cli) {
  int64_t port = 0;
  const char *said = cq_cli_value(cli, "port");
  cq_desk desk;
  cq_web *web = NULL;
  cq_error error;
  cq_error_clear(&error);
  if (said && (!cq_str_int64(cq_str_from(said), &port) || port < 0 || port > MOST_PORT))
    return cq_cli_usage(cli, "%s", _("--port takes a number up to 65535"));
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  cq_status status = cq_web_start(&web, &desk, (uint16_t)port, &error);
  if (status == CQ_OK) {
    if (cq_cli_flag(cli, "json")) printf("{\"url\":\"%s\"}\n", cq_web_address(web));
    cq_cli_say(cli,
               _("Open this address in the browser of this machine; it is for you alone:\n\n  %s\n\nCtrl-C ends it."),
               cq_web_address(web));
    fflush(stdout);
    while (!cq_cli_signal()) cq_web_run(web, WAIT_MS);
  }
  cq_web_stop(web);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}
