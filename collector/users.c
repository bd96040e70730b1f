/* SPDX-License-Identifier: Apache-2.0 */
/* The technicians who share a laptop: each opens the same vault with a passphrase of their own. */
#include "collector/collector.h"

#include <stdio.h>
#include <string.h>

/* Who did what to whom stands in the audit trail. */
static cq_status put_on_record(cq_laptop *laptop, const char *what, const char *whom, cq_error *error) {
  cq_store_event event = {.device_utc_ms = laptop->clock->now_utc_ms(laptop->clock->context),
                          .who = cq_str_from(laptop->technician),
                          .what = cq_str_from(what),
                          .reference = cq_str_from(whom)};
  return cq_store_audit_add(laptop->store, &event, error);
}

int cq_collector_users(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status != CQ_OK) return cq_collector_end(cli, &laptop, status, &error);
  size_t count = cq_vault_slots(cq_store_vault(laptop.store), slots);
  cq_buf out = {0};
  for (size_t i = 0; i < count; i++) {
    if (slots[i].type != CQ_VAULT_TECHNICIAN) continue;
    cq_cli_say(cli, "%s%s", slots[i].label, slots[i].opened_this ? _("  (you)") : "");
    cq_buf_add_text(&out, out.size > 0 ? "," : "");
    cq_cli_add_json(&out, cq_str_from(slots[i].label));
  }
  if (cq_cli_flag(cli, "json")) printf("{\"technicians\":[%s]}\n", out.at ? out.at : "");
  cq_buf_fini(&out);
  return cq_collector_end(cli, &laptop, CQ_OK, &error);
}

int cq_collector_users_add(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_cli_secret fresh = {0};
  uint32_t slot = 0;
  const char *code = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = cq_collector_technician(code, &error);
  laptop = (cq_laptop){0};
  if (status == CQ_OK) status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "new-passphrase-file", _("Passphrase of the new technician"), true, &fresh, &error);
  if (status == CQ_OK)
    status = cq_vault_add_technician(cq_store_vault(laptop.store), (cq_str){fresh.at, fresh.size}, code, &slot, &error);
  if (status == CQ_OK) status = put_on_record(&laptop, "user-add", code, &error);
  if (status == CQ_OK) cq_cli_say(cli, _("%s can open this laptop now."), code);
  cq_cli_secret_fini(&fresh);
  return cq_collector_end(cli, &laptop, status, &error);
}

static cq_status find_slot(const cq_laptop *laptop, const char *code, uint32_t *slot, cq_error *error) {
  cq_vault_slot slots[CQ_VAULT_MAX_SLOTS];
  size_t count = cq_vault_slots(cq_store_vault(laptop->store), slots);
  for (size_t i = 0; i < count; i++) {
    if (slots[i].type != CQ_VAULT_TECHNICIAN || strcmp(slots[i].label, code) != 0) continue;
    *slot = slots[i].id;
    return CQ_OK;
  }
  return cq_error_set(error, CQ_NOTFOUND, "collector.user.none", code, NULL);
}

int cq_collector_users_remove(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  uint32_t slot = 0;
  const char *code = cq_cli_arg(cli, 0);
  cq_error_clear(&error);
  cq_status status = cq_collector_open(cli, &laptop, &error);
  if (status == CQ_OK) status = find_slot(&laptop, code, &slot, &error);
  if (status == CQ_OK) status = cq_cli_confirm(cli, _("Take this technician's access away?"), "--yes", &error);
  if (status == CQ_OK) status = cq_store_remove_slot(laptop.store, slot, &error);
  if (status == CQ_OK) status = put_on_record(&laptop, "user-remove", code, &error);
  if (status == CQ_OK)
    cq_cli_say(cli, _("%s can no longer open this laptop. Older copies of the vault still open: destroy them."), code);
  return cq_collector_end(cli, &laptop, status, &error);
}

int cq_collector_users_passphrase(cq_cli *cli) {
  cq_error error;
  cq_laptop laptop;
  cq_cli_secret old, fresh = {0};
  cq_error_clear(&error);
  cq_status status = cq_collector_open_with(cli, &laptop, &old, &error);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "new-passphrase-file", _("New passphrase"), true, &fresh, &error);
  if (status == CQ_OK)
    status = cq_vault_change_passphrase(cq_store_vault(laptop.store), laptop.slot, (cq_str){old.at, old.size},
                                        (cq_str){fresh.at, fresh.size}, &error);
  if (status == CQ_OK) status = put_on_record(&laptop, "passphrase", laptop.technician, &error);
  if (status == CQ_OK) cq_cli_say(cli, "%s", _("The passphrase has been changed."));
  cq_cli_secret_fini(&old);
  cq_cli_secret_fini(&fresh);
  return cq_collector_end(cli, &laptop, status, &error);
}
