/* SPDX-License-Identifier: Apache-2.0 */
/* chasqui-central recover: the answer to a laptop whose technician forgot the passphrase. */
#include "central/verbs.h"

#include "chasqui/file.h"
#include "chasqui/keys.h"
#include "chasqui/vault.h"

const cq_cli_option cq_central_recover_options[] = {
    {"key", 'k', N_("FILE"), N_("the vaults' recovery key, recovery-vaults.key")},
    {"out", 'o', N_("FILE"), N_("write the answer to FILE")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_YES,
    {0}};

static cq_status open_key(cq_cli *cli, const char *path, cq_key_file *about, cq_secret **secret, cq_error *error) {
  cq_cli_secret passphrase = {0};
  cq_buf bytes = {0};
  cq_status status = cq_file_read(path, CQ_KEY_FILE_LIMIT, &bytes, error);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase of the offline keys"), false, &passphrase, error);
  if (status == CQ_OK)
    status = cq_key_file_read(about, secret, cq_buf_str(&bytes), (cq_str){passphrase.at, passphrase.size}, error);
  /* the secret half stands first in a pair's bytes */
  if (status == CQ_OK && (about->kind != CQ_KEY_VAULT_RECOVERY || cq_secret_size(*secret) < CQ_VAULT_KEY_SIZE))
    status = cq_error_set(error, CQ_REFUSED, "vault.request.key", NULL);
  cq_cli_secret_fini(&passphrase);
  cq_buf_fini(&bytes);
  return status;
}

int cq_central_recover(cq_cli *cli) {
  const char *key = cq_cli_value(cli, "key"), *out = cq_cli_value(cli, "out");
  if (!key || !out) return cq_cli_usage(cli, _("--key and --out are needed"));
  char fingerprint[CQ_VAULT_FINGERPRINT];
  cq_buf request = {0}, answer = {0};
  cq_key_file about;
  cq_secret *secret = NULL;
  cq_error error;
  int result = CQ_EXIT_DONE;
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_file_read(cq_cli_arg(cli, 0), CQ_VAULT_REQUEST_MAX, &request, &error);
  if (status == CQ_OK) status = cq_vault_recovery_fingerprint(fingerprint, cq_buf_str(&request), &error);
  if (status == CQ_OK) {
    cq_cli_say(cli, _("The request says: %s"), fingerprint);
    status = cq_cli_confirm(cli, _("Does the technician, whose voice you know, read the same digits on the telephone?"),
                            "--yes", &error);
  }
  if (status == CQ_OK) status = open_key(cli, key, &about, &secret, &error);
  if (status == CQ_OK)
    status = cq_vault_recovery_answer(&answer, cq_buf_str(&request), about.key, cq_secret_view(secret), &error);
  if (status == CQ_OK) status = cq_file_replace(out, answer.at, answer.size, 0644, false, &error);
  if (status == CQ_OK)
    cq_cli_say(cli, _("The answer is %s. It opens nothing without the new passphrase."), out);
  else
    result = cq_cli_fail(cli, &error);
  cq_secret_free(secret);
  cq_buf_fini(&request);
  cq_buf_fini(&answer);
  return result;
}
