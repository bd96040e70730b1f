/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include <string.h>

static void tell_refused(const cq_cli *cli, const cq_error *why) {
  cq_buf what = {0}, next = {0};
  cq_cli_explain(why, &what, &next);
  cq_cli_warn(cli, "  %s", what.at ? what.at : "");
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

static void tell_inbox(cq_cli *cli, const cq_laptop *laptop, const cq_inbox_report *report) {
  if (report->bundles > 0) cq_cli_say(cli, "%s", _("A newer programme bundle is now in force."));
  if (report->certificates > 0) cq_cli_say(cli, "%s", _("The certificate of this laptop has arrived."));
  if (report->sheets > 0)
    cq_cli_say(cli,
               cq_cli_plural("The contact sheet of this laptop has come: %zu person.",
                             "The contact sheet of this laptop has come: %zu persons.", laptop->names.count),
               laptop->names.count);
  if (report->others > 0)
    cq_cli_say(cli,
               cq_cli_plural("%zu contact sheet in the inbox is sealed to another laptop: it stays for the courier.",
                             "%zu contact sheets in the inbox are sealed to other laptops: they stay for the courier.",
                             report->others),
               report->others);
  if (report->erased > 0)
    cq_cli_say(cli,
               cq_cli_plural("%zu record was erased by order.", "%zu records were erased by order.", report->erased),
               report->erased);
  if (report->refused > 0) {
    cq_cli_warn(cli,
                cq_cli_plural("%zu file of the inbox was left aside:", "%zu files of the inbox were left aside:",
                              report->refused),
                report->refused);
    for (size_t i = 0; i < report->refused && i < CQ_INBOX_TOLD; i++) tell_refused(cli, &report->why[i]);
  }
}

/* How the log was found says how the last session ended. */
static void tell_log(cq_cli *cli, const cq_laptop *laptop) {
  switch (cq_vault_log_found(cq_store_vault(laptop->store))) {
  case CQ_VAULT_LOG_CLEAN: break;
  case CQ_VAULT_LOG_TORN:
    cq_cli_warn(cli, "%s", _("The laptop was cut off last time. Every accepted answer is here."));
    break;
  case CQ_VAULT_LOG_DAMAGED:
    cq_cli_warn(cli, "%s", _("Part of the vault's log cannot be read: check the last answers of your drafts."));
    break;
  }
}

static void tell_room(cq_cli *cli, const cq_laptop *laptop) {
  cq_buf words = {0};
  const char *said = cq_room_words(laptop, &words);
  if (*said) cq_cli_warn(cli, "%s", said);
  cq_buf_fini(&words);
}

/* What the last session left and what the inbox brought is said, or gathered for the screen, which itself says the mode
 * and how much room there is. */
static cq_status receive(cq_cli *cli, cq_laptop *laptop, cq_buf *notices, cq_error *error) {
  cq_inbox_report report;
  if (notices)
    cq_cli_gather(cli, notices);
  else if (cq_laptop_practice(laptop))
    cq_cli_say(cli, "*** %s ***", _("PRACTICE: nothing here counts"));
  tell_log(cli, laptop);
  if (!notices) tell_room(cli, laptop);
  cq_status status = cq_laptop_receive(laptop, &report, error);
  if (status == CQ_OK) tell_inbox(cli, laptop, &report);
  if (status == CQ_OK) status = cq_collector_keep_days(cli, laptop, error);
  cq_cli_gather(cli, NULL);
  return status;
}

static cq_status open_vault(cq_cli *cli, cq_laptop *laptop, cq_cli_secret *passphrase, cq_buf *notices,
                            cq_error *error) {
  cq_buf path = {0};
  *laptop = (cq_laptop){0};
  *passphrase = (cq_cli_secret){0};
  cq_status status = cq_vault_harden(error);
  /* A home without a vault is told before a passphrase is asked for. */
  if (status == CQ_OK) status = cq_laptop_vault(&path, cq_cli_home(cli), error);
  cq_buf_fini(&path);
  if (status == CQ_OK) status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase"), false, passphrase, error);
  if (status == CQ_OK)
    status = cq_laptop_open(laptop, cq_cli_home(cli), (cq_str){passphrase->at, passphrase->size}, NULL, error);
  if (status != CQ_OK) return status;
  status = receive(cli, laptop, notices, error);
  if (status != CQ_OK) cq_laptop_close(laptop);
  return status;
}

cq_status cq_collector_open_with(cq_cli *cli, cq_laptop *laptop, cq_cli_secret *passphrase, cq_error *error) {
  return open_vault(cli, laptop, passphrase, NULL, error);
}

cq_status cq_collector_open_for_screen(cq_cli *cli, cq_laptop *laptop, cq_buf *notices, cq_error *error) {
  cq_cli_secret passphrase;
  cq_status status = open_vault(cli, laptop, &passphrase, notices, error);
  cq_cli_secret_fini(&passphrase);
  return status;
}

cq_status cq_collector_open(cq_cli *cli, cq_laptop *laptop, cq_error *error) {
  cq_cli_secret passphrase;
  cq_status status = cq_collector_open_with(cli, laptop, &passphrase, error);
  cq_cli_secret_fini(&passphrase);
  return status;
}

int cq_collector_end(cq_cli *cli, cq_laptop *laptop, cq_status status, const cq_error *error) {
  cq_laptop_close(laptop);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, error);
}

cq_status cq_collector_technician(const char *code, cq_error *error) {
  static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t size = code ? strlen(code) : 0;
  if (size > 0 && size <= CQ_VAULT_LABEL_MAX && strspn(code, signs) == size) return CQ_OK;
  return cq_error_set(error, CQ_INVALID, "collector.technician", code ? code : "", NULL);
}
