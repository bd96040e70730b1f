/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include <stdio.h>

static bool show(void *cli, uint64_t done, uint64_t total) {
  enum { MB = 1000 * 1000 };
  cq_cli_progress(cli, _("packing attached files, MB"), (done + MB - 1) / MB, (total + MB - 1) / MB);
  return cq_cli_signal() == 0;
}

void cq_pack_left_words(uint64_t bytes, cq_buf *out) {
  cq_buf_addf(out, _("%.1f MB of attached files wait to be packed, when you leave or finish the next interview."),
              (double)bytes / 1e6);
}

cq_status cq_collector_pack_out(cq_cli *cli, cq_laptop *laptop, cq_pack_report *report, cq_error *error) {
  cq_pack_watch watch = {show, cli, false};
  cq_status status = cq_laptop_pack(laptop, &watch, report, error);
  cq_cli_progress(cli, NULL, 0, 0);
  if (status == CQ_OK && report->left > 0)
    cq_cli_warn(cli, _("%.1f MB of attached files wait to be packed. Nothing is lost. Next: %s"),
                (double)report->left / 1e6, "chasqui-collector pack");
  return status;
}

int cq_collector_pack(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_pack_report report = {0};
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_collector_pack_out(cli, &laptop, &report, &error);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"records\":%zu,\"drafts\":%zu,\"words\":%zu,\"attachments\":%zu,\"damaged\":%zu,\"batches\":%zu,"
           "\"bytes\":%llu,"
           "\"rewritten\":%zu}\n",
           report.records, report.drafts, report.words, report.attachments, report.damaged, report.batches,
           (unsigned long long)report.bytes, report.rewritten);
  else if (status == CQ_OK && report.batches == 0 && report.rewritten == 0 && report.damaged == 0 && report.left == 0)
    cq_cli_say(cli, "%s", _("Everything is in the outbox already."));
  else if (status == CQ_OK) {
    cq_cli_say(cli, cq_cli_plural("%zu record packed.", "%zu records packed.", report.records), report.records);
    if (report.drafts > 0)
      cq_cli_say(cli, cq_cli_plural("A copy of %zu draft goes along.", "Copies of %zu drafts go along.", report.drafts),
                 report.drafts);
    if (report.attachments > 0)
      cq_cli_say(cli, cq_cli_plural("%zu attached file packed.", "%zu attached files packed.", report.attachments),
                 report.attachments);
    if (report.words > 0)
      cq_cli_say(cli,
                 cq_cli_plural("The desk is told that %zu order to erase was obeyed here.",
                               "The desk is told that %zu orders to erase were obeyed here.", report.words),
                 report.words);
    if (report.rewritten > 0)
      cq_cli_say(cli,
                 cq_cli_plural("%zu missing file written again.", "%zu missing files written again.", report.rewritten),
                 report.rewritten);
  }
  if (status == CQ_OK && report.damaged > 0)
    cq_cli_warn(
        cli,
        cq_cli_plural("%zu attached file is damaged in the vault and was not packed: chasqui-collector scrub",
                      "%zu attached files are damaged in the vault and were not packed: chasqui-collector scrub",
                      report.damaged),
        report.damaged);
  cq_laptop_close(&laptop);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}
