/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the vault, a check of all of it, and the way back from a forgotten passphrase. */
#include "collector/collector.h"

#include "chasqui/file.h"

#include <stdio.h>

int cq_collector_backup(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  const char *path = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_vault_backup(cq_store_vault(laptop.store), path, &error);
  if (status == CQ_OK)
    cq_cli_say(cli, _("The copy is in %s, checked. To restore it, put it alone into a home folder."), path);
  return cq_collector_end(cli, &laptop, status, &error);
}

int cq_collector_scrub(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_vault_scrubbed found = {0};
  int64_t entries = 0;
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_vault_scrub(cq_store_vault(laptop.store), &found, &error);
  if (status == CQ_OK) status = cq_store_audit_verify(laptop.store, &entries, &error);
  if (laptop.store && cq_cli_flag(cli, "json"))
    printf("{\"pages\":%lld,\"pages_damaged\":%lld,\"frames\":%lld,\"frames_damaged\":%lld,\"trail\":%lld,"
           "\"whole\":%s}\n",
           (long long)found.pages, (long long)found.pages_damaged, (long long)found.frames,
           (long long)found.frames_damaged, (long long)entries, status == CQ_OK ? "true" : "false");
  if (status == CQ_OK)
    cq_cli_say(cli, _("The vault is whole: %lld pages, and %lld entries of the audit trail."), (long long)found.pages,
               (long long)entries);
  return cq_collector_end(cli, &laptop, status, &error);
}

/* --- a forgotten passphrase --- */

int cq_collector_recover_request(cq_cli *cli) {
  cq_error error;
  cq_cli_secret fresh = {0};
  cq_buf vault = {0}, request = {0};
  char fingerprint[CQ_VAULT_FINGERPRINT];
  const char *path = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_laptop_vault(&vault, cq_cli_home(cli), &error);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "new-passphrase-file", _("New passphrase"), true, &fresh, &error);
  if (status == CQ_OK)
    status = cq_vault_recovery_request(&request, vault.at, (cq_str){fresh.at, fresh.size}, NULL, &error);
  if (status == CQ_OK) status = cq_vault_recovery_fingerprint(fingerprint, cq_buf_str(&request), &error);
  if (status == CQ_OK) status = cq_file_replace(path, request.at, request.size, 0644, true, &error);
  if (status == CQ_OK) {
    cq_cli_say(cli, _("The request is in %s. Take it to the office."), path);
    cq_cli_say(cli, _("Read these numbers to the office, so that they know it is yours: %s"), fingerprint);
    cq_cli_say(cli, _("Next, with the answer: %s"), "chasqui-collector recover complete");
  }
  cq_cli_secret_fini(&fresh);
  cq_buf_fini(&vault);
  cq_buf_fini(&request);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

int cq_collector_recover_complete(cq_cli *cli) {
  cq_error error;
  cq_cli_secret fresh = {0};
  cq_buf vault = {0}, answer = {0};
  const char *code = cq_cli_value(cli, "technician");
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_collector_technician(code, &error);
  if (status == CQ_OK) status = cq_laptop_vault(&vault, cq_cli_home(cli), &error);
  if (status == CQ_OK) status = cq_file_read(cq_cli_arg(cli, 0), CQ_VAULT_REQUEST_MAX, &answer, &error);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "new-passphrase-file", _("The passphrase chosen with the request"), false, &fresh,
                               &error);
  if (status == CQ_OK)
    status =
        cq_vault_recovery_complete(vault.at, cq_buf_str(&answer), (cq_str){fresh.at, fresh.size}, code, NULL, &error);
  if (status == CQ_OK) cq_cli_say(cli, "%s", _("The new passphrase opens this laptop now."));
  cq_cli_secret_fini(&fresh);
  cq_buf_fini(&vault);
  cq_buf_fini(&answer);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}
