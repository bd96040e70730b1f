/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"
#include "collector/line/line.h"
#include "collector/pages/app.h"

#include <stdio.h>

static cq_status run(cq_cli *cli, cq_laptop *laptop, const cq_buf *notices, cq_error *error) {
  cq_pack_report packed;
  cq_error why;
  cq_status status = cq_cli_flag(cli, "line")
                         ? cq_line_run(laptop, stdin, stdout, error)
                         : cq_app_run_terminal(laptop, cq_cli_color(cli), cq_buf_str(notices), error);
  /* What was finished goes to the outbox on leaving, however one leaves. */
  cq_error_clear(&why);
  if (laptop->store && cq_collector_pack_out(cli, laptop, &packed, &why) != CQ_OK) cq_cli_fail(cli, &why);
  return status;
}

int cq_collector_start(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_buf notices = {0};
  cq_error_clear(&error);
  cq_status status = cq_cli_flag(cli, "line") ? cq_collector_open(cli, &laptop, &error)
                                              : cq_collector_open_for_screen(cli, &laptop, &notices, &error);
  if (status == CQ_OK)
    status = run(cli, &laptop, &notices, &error);
  else if (notices.size > 0) /* no screen will show them */
    cq_cli_warn(cli, "%s", notices.at);
  cq_buf_fini(&notices);
  cq_laptop_close(&laptop);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}
