/* SPDX-License-Identifier: Apache-2.0 */
/* A checked copy of the desk, and a desk from one. */
#include "central/merge/desk.h"
#include "central/verbs.h"
#include "chasqui/file.h"

#include <errno.h>
#include <unistd.h>

const cq_cli_option cq_central_backup_options[] = {CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, {0}};

static cq_status show(void *cli, int64_t done, int64_t pages, cq_error *error) {
  enum { MB = 1000 * 1000, PAGE = 4096 };
  cq_cli_progress(cli, _("copying and checking, MB"), (uint64_t)done * PAGE / MB, (uint64_t)pages * PAGE / MB);
  return cq_cli_cancelled(error);
}

int cq_central_backup(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_buf path = {0};
  cq_error_clear(&error);
  int ended = cq_desk_begin(cli, &desk);
  if (ended != CQ_EXIT_DONE) return ended;
  cq_date today = cq_date_at(&cq_clock_system, cq_desk_now());
  cq_status status = cq_vault_backup_path(&path, desk.vault, cq_cli_arg(cli, 0), today, &error);
  if (status == CQ_OK) {
    cq_vault_watch(desk.vault, show, cli);
    status = cq_vault_backup(desk.vault, path.at, &error);
    cq_vault_watch(desk.vault, NULL, NULL);
    cq_cli_progress(cli, NULL, 0, 0);
  }
  if (status == CQ_OK) {
    cq_cli_say(cli, _("The copy is in %s, checked."), path.at);
    cq_cli_say(cli, _("To restore it: %s %s"), "chasqui-central restore", path.at);
  }
  cq_buf_fini(&path);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

int cq_central_restore(cq_cli *cli) {
  cq_cli_secret passphrase = {0};
  cq_desk desk = {0};
  cq_buf path = {0};
  cq_error error;
  const char *copy = cq_cli_arg(cli, 0), *home = cq_cli_home(cli);
  cq_error_clear(&error);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_file_path(&path, home, CQ_DESK_VAULT, &error);
  if (status == CQ_OK && access(path.at, F_OK) == 0)
    status = cq_error_set(&error, CQ_REFUSED, "desk.restore.taken", home, NULL);
  if (status == CQ_OK && access(copy, R_OK) != 0) status = cq_error_io(&error, "io.open", copy, errno);
  if (status == CQ_OK)
    status = cq_cli_passphrase(cli, "passphrase-file", _("Passphrase of the desk"), false, &passphrase, &error);
  if (status == CQ_OK) status = cq_file_make_folder(home, &error);
  cq_str phrase = {passphrase.at, passphrase.size};
  if (status == CQ_OK) {
    status = cq_vault_restore(copy, path.at, phrase, NULL, show, cli, &error);
    cq_cli_progress(cli, NULL, 0, 0);
    if (status == CQ_OK && (status = cq_desk_open(&desk, home, phrase, &error)) != CQ_OK) {
      cq_desk_close(&desk); /* a laptop's, or of a newer program */
      unlink(path.at);
      cq_error_at_file(&error, copy);
    }
  }
  cq_desk_close(&desk);
  cq_cli_secret_fini(&passphrase);
  cq_buf_fini(&path);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  cq_cli_say(cli, _("The desk is restored in %s, and all of it was checked."), home);
  cq_cli_say(
      cli, "%s",
      _("What came after the copy was made is not in it: fetch it, merge, decide again on laptops and pairs, and "
        "publish anew."));
  cq_cli_say(cli, _("Next: %s"), "chasqui-sync fetch");
  return CQ_EXIT_DONE;
}
