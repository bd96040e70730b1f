/* SPDX-License-Identifier: Apache-2.0 */
/* What is readable of a damaged vault, into a new one under the same passphrase. */
#include "collector/collector.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* An empty vault with the technician who opened the damaged one, and its recovery keys. */
static cq_status make_like(cq_vault **fresh, const char *path, const cq_vault *damaged, cq_str passphrase,
                           const cq_vault_options *options, cq_error *error) {
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  uint8_t recovery[CQ_VAULT_MAX_SLOTS][CQ_VAULT_KEY_SIZE];
  const char *label = "t";
  size_t recoveries = 0, count = cq_vault_slots(damaged, slots);
  for (size_t i = 0; i < count; i++) {
    if (slots[i].opened_this) label = slots[i].label;
    if (slots[i].type == CQ_VAULT_RECOVERY) memcpy(recovery[recoveries++], slots[i].public_key, CQ_VAULT_KEY_SIZE);
  }
  return cq_vault_create(fresh, path, passphrase, label, (const uint8_t(*)[CQ_VAULT_KEY_SIZE])recovery, recoveries,
                         options, error);
}

static void remove_vault(const char *path) {
  cq_buf log = {0};
  cq_buf_addf(&log, "%s-log", path);
  unlink(path);
  if (!log.failed) unlink(log.at);
  cq_buf_fini(&log);
}

static cq_status copy_rows(const char *path, cq_vault *damaged, cq_str passphrase, const cq_vault_options *options,
                           cq_store_salvaged *found, cq_error *error) {
  cq_vault *fresh = NULL;
  cq_store *into = NULL;
  cq_status status = make_like(&fresh, path, damaged, passphrase, options, error);
  if (status != CQ_OK) return status;
  status = cq_store_open(&into, fresh, NULL, error);
  if (status != CQ_OK) {
    cq_vault_close(fresh);
    remove_vault(path);
    return status;
  }
  status = cq_store_salvage(into, damaged, found, error);
  if (status == CQ_OK) status = cq_vault_settle(fresh, error); /* it is carried away */
  cq_store_close(into);
  if (status != CQ_OK) remove_vault(path);
  return status;
}

cq_status cq_laptop_salvage(const char *damaged, const char *into, cq_str passphrase, const cq_vault_options *options,
                            cq_store_salvaged *found, cq_error *error) {
  cq_vault *vault = NULL;
  *found = (cq_store_salvaged){0};
  cq_status status = cq_vault_open(&vault, damaged, passphrase, options, error);
  if (status == CQ_OK) status = copy_rows(into, vault, passphrase, options, found, error);
  cq_vault_close(vault);
  return status;
}

int cq_collector_salvage(cq_cli *cli) {
  cq_error error;
  cq_cli_secret passphrase = {0};
  cq_buf path = {0};
  cq_store_salvaged found = {0};
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_laptop_vault(&path, cq_cli_home(cli), &error);
  if (status == CQ_OK) status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase"), false, &passphrase, &error);
  cq_str phrase = {passphrase.at, passphrase.size};
  if (status == CQ_OK) status = cq_laptop_salvage(path.at, cq_cli_arg(cli, 0), phrase, NULL, &found, &error);
  if (status == CQ_OK) {
    cq_cli_say(cli, _("%lld rows were saved into %s; %lld places could not be read."), (long long)found.rows,
               cq_cli_arg(cli, 0), (long long)found.gaps);
    cq_cli_say(cli, _("To work with it: %s %s --home FOLDER. Keep the damaged file."), "chasqui-collector restore",
               cq_cli_arg(cli, 0));
  }
  cq_cli_secret_fini(&passphrase);
  cq_buf_fini(&path);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  return found.gaps ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
