/* SPDX-License-Identifier: Apache-2.0 */
/* `init`: makes the desk of a programme. */
#include "central/merge/init.h"

#include "central/merge/derive.h"
#include "central/merge/desk.h"
#include "central/merge/programme.h"
#include "central/verbs.h"
#include "chasqui/bundle.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cq_cli_option cq_central_init_options[] = {
    {"practice", 0, NULL, N_("a desk for practice: its data never mix with real ones")},
    {"offline-passphrase-file", 0, N_("FILE"), N_("read the passphrase of the offline keys from a file")},
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

typedef struct new_keys {
  cq_sign_key programme, desk;
  cq_seal_key desk_seal, batches, vaults;
  cq_secret *programme_secret, *desk_secret, *desk_seal_secret, *batches_secret, *vaults_secret;
} new_keys;

static void keys_fini(new_keys *k) {
  cq_secret_free(k->programme_secret);
  cq_secret_free(k->desk_secret);
  cq_secret_free(k->desk_seal_secret);
  cq_secret_free(k->batches_secret);
  cq_secret_free(k->vaults_secret);
}

static cq_status make_keys(new_keys *k, cq_error *error) {
  const cq_random *random = &cq_random_system;
  cq_status status = cq_sign_pair(&k->programme, &k->programme_secret, random, error);
  if (status == CQ_OK) status = cq_sign_pair(&k->desk, &k->desk_secret, random, error);
  if (status == CQ_OK) status = cq_seal_pair(&k->desk_seal, &k->desk_seal_secret, random, error);
  if (status == CQ_OK) status = cq_seal_pair(&k->batches, &k->batches_secret, random, error);
  if (status == CQ_OK) status = cq_seal_pair(&k->vaults, &k->vaults_secret, random, error);
  return status;
}

static cq_status write_key(const cq_desk_plan *plan, const char *name, cq_key_kind kind, const uint8_t key[32],
                           const cq_secret *secret, cq_error *error) {
  cq_buf folder = {0}, path = {0}, bytes = {0};
  cq_key_file about = {.kind = kind, .mode = plan->mode};
  memcpy(about.key, key, sizeof about.key);
  cq_status status =
      cq_key_file_write(&bytes, &about, secret, plan->offline_passphrase, plan->cost, &cq_random_system, error);
  if (status == CQ_OK) status = cq_home_folder(&folder, plan->home, CQ_FOLDER_OFFLINE, error);
  if (status == CQ_OK) status = cq_file_path(&path, folder.at, name, error);
  if (status == CQ_OK) status = cq_file_replace(path.at, bytes.at, bytes.size, 0600, false, error);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

static cq_status write_offline(const cq_desk_plan *plan, const new_keys *k, cq_error *error) {
  cq_status status = write_key(plan, "programme.key", CQ_KEY_PROGRAMME, k->programme.at, k->programme_secret, error);
  if (status == CQ_OK)
    status = write_key(plan, "recovery-batches.key", CQ_KEY_BATCH_RECOVERY, k->batches.at, k->batches_secret, error);
  if (status == CQ_OK)
    status = write_key(plan, "recovery-vaults.key", CQ_KEY_VAULT_RECOVERY, k->vaults.at, k->vaults_secret, error);
  return status;
}

static cq_status certify(cq_buf *chain, const cq_desk_plan *plan, const new_keys *k, cq_error *error) {
  uint8_t link[CQ_CERTIFICATE_SIZE];
  cq_certificate certificate = {.mode = plan->mode,
                                .role = CQ_ROLE_DESK,
                                .programme = cq_programme_id_of(&k->programme),
                                .sign = k->desk,
                                .seal = k->desk_seal,
                                .issued_utc_ms = cq_desk_now()};
  cq_status status = cq_certificate_issue(link, &certificate, k->programme_secret, error);
  if (status != CQ_OK) return status;
  cq_chain of = cq_chain_of(NULL, link);
  cq_chain_write(chain, &of);
  return chain->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status set_secret(cq_desk *desk, const char *name, const cq_secret *secret, cq_error *error) {
  return cq_desk_set(desk, name, cq_secret_view(secret), cq_secret_size(secret), error);
}

static cq_status fill(cq_desk *desk, const cq_desk_plan *plan, const new_keys *k, cq_error *error) {
  cq_buf chain = {0};
  uint8_t mode = (uint8_t)plan->mode;
  char *folder = realpath(plan->programme, NULL);
  cq_status status = folder ? CQ_OK : cq_error_nomem(error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = cq_desk_exec(desk, cq_desk_schema, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, cq_desk_derived, error);
  if (status == CQ_OK) status = cq_derive_mark(desk, error);
  if (status == CQ_OK) status = cq_desk_set(desk, "mode", &mode, 1, error);
  if (status == CQ_OK) status = set_secret(desk, "programme.secret", k->programme_secret, error);
  if (status == CQ_OK) status = set_secret(desk, "desk.sign.secret", k->desk_secret, error);
  if (status == CQ_OK) status = set_secret(desk, "desk.seal.secret", k->desk_seal_secret, error);
  if (status == CQ_OK) status = cq_desk_set(desk, "recovery.batch.key", k->batches.at, 32, error);
  if (status == CQ_OK) status = cq_desk_set(desk, "recovery.vault.key", k->vaults.at, 32, error);
  if (status == CQ_OK) status = certify(&chain, plan, k, error);
  if (status == CQ_OK) status = cq_desk_set(desk, "desk.chain", chain.at, chain.size, error);
  if (status == CQ_OK) status = cq_desk_set(desk, "programme.folder", folder, strlen(folder), error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "PRAGMA user_version = 1; COMMIT", error);
  free(folder);
  cq_buf_fini(&chain);
  return status;
}

static void remove_vault(const char *path) {
  cq_buf log = {0};
  cq_buf_addf(&log, "%s-log", path);
  unlink(path);
  if (!log.failed) unlink(log.at);
  cq_buf_fini(&log);
}

/* The vault is made under another name, and appears when it is whole. */
static cq_status make_vault(const cq_desk_plan *plan, const new_keys *k, const char *path, cq_error *error) {
  cq_buf making = {0};
  cq_desk desk = {0};
  cq_buf_addf(&making, "%s.making", path);
  if (making.failed) return cq_error_nomem(error);
  remove_vault(making.at); /* what a power cut left of one */
  cq_status status = cq_vault_create(&desk.vault, making.at, plan->passphrase, "desk",
                                     (const uint8_t(*)[CQ_VAULT_KEY_SIZE]) & k->vaults.at, 1, plan->vault, error);
  if (status == CQ_OK) {
    desk.db = cq_vault_db(desk.vault);
    status = fill(&desk, plan, k, error);
    if (status == CQ_OK) status = cq_vault_settle(desk.vault, error);
  }
  cq_desk_close(&desk);
  if (status == CQ_OK && rename(making.at, path) != 0) status = cq_error_io(error, "io.rename", path, errno);
  if (status == CQ_OK) status = cq_file_sync_folder(plan->home, error);
  if (status != CQ_OK) remove_vault(making.at);
  cq_buf_fini(&making);
  return status;
}

cq_status cq_desk_init(const cq_desk_plan *plan, char fingerprint[CQ_FINGERPRINT_SIZE], cq_error *error) {
  new_keys k = {0};
  cq_programme *programme = NULL;
  cq_buf path = {0}, folder = {0};
  cq_status status = cq_programme_read(&programme, plan->programme, error);
  if (status == CQ_OK) status = cq_file_make_folder(plan->home, error);
  if (status == CQ_OK) status = cq_file_path(&path, plan->home, CQ_DESK_VAULT, error);
  if (status == CQ_OK && access(path.at, F_OK) == 0)
    status = cq_error_set(error, CQ_REFUSED, "desk.exists", plan->home, NULL);
  if (status == CQ_OK) status = make_keys(&k, error);
  if (status == CQ_OK) status = write_offline(plan, &k, error);
  if (status == CQ_OK) status = cq_home_folder(&folder, plan->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK) status = cq_home_folder(&folder, plan->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = make_vault(plan, &k, path.at, error);
  if (status == CQ_OK) cq_fingerprint(&k.programme, fingerprint);
  cq_programme_free(programme);
  keys_fini(&k);
  cq_buf_fini(&path);
  cq_buf_fini(&folder);
  return status;
}

static void say_what_next(cq_cli *cli, const cq_desk_plan *plan, const char *fingerprint) {
  if (plan->mode == CQ_MODE_PRACTICE) cq_cli_say(cli, "%s", _("*** PRACTICE: nothing here is real data ***"));
  cq_cli_say(cli, _("The desk is ready in %s."), plan->home);
  cq_cli_say(cli, _("Fingerprint of the programme: %s"), fingerprint);
  cq_cli_say(cli, "%s",
             _("Whoever joins compares it with the one on the screen of the laptop: read it aloud by telephone."));
  cq_cli_say(cli, "%s", "");
  cq_cli_say(cli, _("%s/offline holds three keys under the passphrase you gave:"), plan->home);
  cq_cli_say(cli, "  programme.key         %s", _("the programme itself, should this desk be lost"));
  cq_cli_say(cli, "  recovery-batches.key  %s", _("opens batches, should this desk be lost"));
  cq_cli_say(cli, "  recovery-vaults.key   %s", _("opens the vault of a technician who forgot the passphrase"));
  cq_cli_say(cli, "%s",
             _("Copy the folder to two sticks, keep them in two places under lock, and then delete it here."));
  cq_cli_say(cli, "%s", "");
  cq_cli_say(cli, _("Next: %s"), "chasqui-central publish");
}

int cq_central_init(cq_cli *cli) {
  cq_cli_secret passphrase = {0}, offline = {0};
  cq_error error;
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_error_clear(&error);
  bool from_file = cq_cli_value(cli, "passphrase-file") && !cq_cli_value(cli, "offline-passphrase-file");
  const char *home = cq_cli_home(cli);
  cq_status status = home ? cq_vault_harden(&error) : cq_error_set(&error, CQ_NOTFOUND, "cli.home", NULL);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "passphrase-file", _("New passphrase of the desk"), true, &passphrase, &error);
  /* a script that gives one passphrase gives it for both; a person is asked for a second one */
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, from_file ? "passphrase-file" : "offline-passphrase-file",
                               _("New passphrase of the offline keys"), true, &offline, &error);
  if (status == CQ_OK) {
    cq_desk_plan plan = {.home = home,
                         .programme = cq_cli_arg(cli, 0),
                         .mode = cq_cli_flag(cli, "practice") ? CQ_MODE_PRACTICE : CQ_MODE_REAL,
                         .passphrase = {passphrase.at, passphrase.size},
                         .offline_passphrase = {offline.at, offline.size},
                         .cost = CQ_COST_MODERATE};
    status = cq_desk_init(&plan, fingerprint, &error);
    if (status == CQ_OK) say_what_next(cli, &plan, fingerprint);
  }
  cq_cli_secret_fini(&passphrase);
  cq_cli_secret_fini(&offline);
  return status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
}
