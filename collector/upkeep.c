/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the vault, a check of all of it, and the way back from a forgotten passphrase. */
#include "collector/collector.h"

#include "chasqui/file.h"

#include <stdio.h>

enum { MB = 1000 * 1000, PAGE = 4096 };

static cq_status show_copying(void *cli, int64_t done, int64_t pages, cq_error *error) {
  cq_cli_progress(cli, _("copying and checking, MB"), (uint64_t)done * PAGE / MB, (uint64_t)pages * PAGE / MB);
  return cq_cli_cancelled(error);
}

static cq_status show_checking(void *cli, int64_t done, int64_t pages, cq_error *error) {
  cq_cli_progress(cli, _("checking, MB"), (uint64_t)done * PAGE / MB, (uint64_t)pages * PAGE / MB);
  return cq_cli_cancelled(error);
}

int cq_collector_backup(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_buf path = {0};
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK)
    status =
        cq_vault_backup_path(&path, cq_store_vault(laptop.store), cq_cli_arg(cli, 0), cq_laptop_today(&laptop), &error);
  if (status == CQ_OK) {
    cq_vault_watch(cq_store_vault(laptop.store), show_copying, cli);
    status = cq_vault_backup(cq_store_vault(laptop.store), path.at, &error);
    cq_vault_watch(cq_store_vault(laptop.store), NULL, NULL);
    cq_cli_progress(cli, NULL, 0, 0);
  }
  if (status == CQ_OK) {
    cq_cli_say(cli, _("The copy is in %s, checked."), path.at);
    cq_cli_say(cli, _("To restore it: %s %s"), "chasqui-collector restore", path.at);
  }
  cq_buf_fini(&path);
  return cq_collector_end(cli, &laptop, status, &error);
}

int cq_collector_restore(cq_cli *cli) {
  cq_error error;
  cq_buf path = {0};
  cq_cli_secret passphrase = {0};
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_laptop_find_copy(&path, cq_cli_arg(cli, 0), cq_cli_home(cli), &error);
  if (status == CQ_OK) status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase"), false, &passphrase, &error);
  if (status == CQ_OK) {
    status = cq_laptop_restore(cq_cli_arg(cli, 0), cq_cli_home(cli), (cq_str){passphrase.at, passphrase.size}, NULL,
                               show_copying, cli, &error);
    cq_cli_progress(cli, NULL, 0, 0);
  }
  cq_cli_secret_fini(&passphrase);
  cq_buf_fini(&path);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  cq_cli_say(cli,
             _("The vault is restored in %s, and all of it was checked. What was written after the copy was made is "
               "not in it."),
             cq_cli_home(cli));
  cq_cli_say(
      cli, "%s",
      _("It goes on as a new laptop: its request for a certificate waits in the outbox, for the office to approve."));
  cq_cli_say(cli, _("Next: %s"), "chasqui-sync push");
  return CQ_EXIT_DONE;
}

/* The vault alone, before anything in it is read: what is damaged may be what a laptop begins with. */
static cq_status open_to_check(cq_cli *cli, cq_vault **vault, cq_error *error) {
  cq_cli_secret passphrase = {0};
  cq_buf path = {0};
  cq_status status = cq_vault_harden(error);
  if (status == CQ_OK) status = cq_laptop_vault(&path, cq_cli_home(cli), error);
  if (status == CQ_OK) status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase"), false, &passphrase, error);
  if (status == CQ_OK) status = cq_vault_open(vault, path.at, (cq_str){passphrase.at, passphrase.size}, NULL, error);
  cq_cli_secret_fini(&passphrase);
  cq_buf_fini(&path);
  return status;
}

static void tell_damage(cq_cli *cli, const cq_vault_scrubbed *found) {
  if (found->pages_damaged > 0)
    cq_cli_warn(cli, _("%lld of %lld pages cannot be read; the first is number %lld."), (long long)found->pages_damaged,
                (long long)found->pages, (long long)found->first_damaged);
  if (found->headers_damaged > 0)
    cq_cli_warn(cli, _("%d of 2 copies of the header are damaged."), found->headers_damaged);
  if (found->frames_damaged > 0)
    cq_cli_warn(cli, _("%lld of %lld parts of the log cannot be read."), (long long)found->frames_damaged,
                (long long)found->frames);
}

int cq_collector_scrub(cq_cli *cli) {
  cq_error error;
  cq_vault *vault = NULL;
  cq_store *store = NULL;
  cq_vault_scrubbed found = {0};
  int64_t entries = 0;
  cq_error_clear(&error);
  cq_status status = open_to_check(cli, &vault, &error);
  if (status == CQ_OK) {
    cq_vault_watch(vault, show_checking, cli);
    status = cq_vault_scrub(vault, &found, &error);
    cq_vault_watch(vault, NULL, NULL);
    cq_cli_progress(cli, NULL, 0, 0);
    tell_damage(cli, &found);
  }
  if (status == CQ_OK) status = cq_store_open(&store, vault, NULL, &error);
  if (status == CQ_OK) status = cq_store_audit_verify(store, &entries, &error);
  if (vault && cq_cli_flag(cli, "json"))
    printf("{\"pages\":%lld,\"pages_damaged\":%lld,\"frames\":%lld,\"frames_damaged\":%lld,\"trail\":%lld,"
           "\"whole\":%s}\n",
           (long long)found.pages, (long long)found.pages_damaged, (long long)found.frames,
           (long long)found.frames_damaged, (long long)entries, status == CQ_OK ? "true" : "false");
  if (status == CQ_OK)
    cq_cli_say(cli, _("The vault is whole: %lld pages, and %lld entries of the audit trail."), (long long)found.pages,
               (long long)entries);
  if (store)
    cq_store_close(store);
  else
    cq_vault_close(vault);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}

static long long kib(int64_t bytes) {
  return (long long)((bytes + 1023) / 1024);
}

int cq_collector_space(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_vault_space space = {0};
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = cq_vault_space_used(cq_store_vault(laptop.store), &space, &error);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"file_bytes\":%lld,\"log_bytes\":%lld,\"free_bytes\":%lld,\"disk_free_bytes\":%lld,\"nearly_full\":%s}\n",
           (long long)space.file_bytes, (long long)space.log_bytes, (long long)space.free_bytes,
           (long long)space.disk_free_bytes, space.nearly_full ? "true" : "false");
  if (status == CQ_OK) {
    cq_cli_say(cli, _("The vault takes %lld KiB, of which %lld KiB wait for new records; its log %lld KiB."),
               kib(space.file_bytes), kib(space.free_bytes), kib(space.log_bytes));
    if (space.disk_free_bytes >= 0)
      cq_cli_say(cli, _("The disk has %lld MiB left."), (long long)(space.disk_free_bytes >> 20));
  }
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
