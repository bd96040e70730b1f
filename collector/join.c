/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include "chasqui/file.h"

#include <stdio.h>

/* The programme's name, its mode and the fingerprint that people compare. */
static void introduce(cq_cli *cli, const cq_bundle *bundle, const cq_programme *programme) {
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  cq_str title = cq_programme_title_in(programme, cq_str_from(_("en")));
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_cli_say(cli, _("Programme:   %.*s"), (int)title.size, title.at ? title.at : "");
  cq_cli_say(cli, _("Mode:        %s"),
             content->mode == CQ_MODE_PRACTICE ? _("PRACTICE: nothing here counts") : _("real data"));
  cq_cli_say(cli, _("Bundle:      number %llu, forms: %zu"), (unsigned long long)content->number, content->form_count);
  cq_cli_say(cli, _("Fingerprint: %s"), cq_bundle_fingerprint(bundle, fingerprint));
}

static cq_status agree(cq_cli *cli, const cq_bundle *bundle, cq_error *error) {
  const char *typed = cq_cli_value(cli, "fingerprint");
  if (typed) {
    if (cq_fingerprint_matches(&cq_bundle_content_of(bundle)->first_key, cq_str_from(typed))) return CQ_OK;
    return cq_error_set(error, CQ_REFUSED, "collector.join.fingerprint", NULL);
  }
  cq_status status = cq_cli_confirm(cli, _("Is this the fingerprint that your programme gave you?"),
                                    "--fingerprint XXXX-XXXX-XXXX-XXXX-XXXX", error);
  return status == CQ_CANCELLED ? cq_error_set(error, CQ_REFUSED, "collector.join.declined", NULL) : status;
}

static bool has_sealed(const cq_bundle *bundle) {
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  for (size_t i = 0; i < content->file_count; i++)
    if (content->files[i].sealed) return true;
  return false;
}

/* Who has no phrase joins without the sealed lists. */
static cq_status read_phrase(cq_cli *cli, const cq_bundle *bundle, cq_cli_secret *phrase, cq_error *error) {
  if (!has_sealed(bundle)) return CQ_OK;
  if (!cq_cli_value(cli, "invitation-file") &&
      cq_cli_confirm(cli, _("Lists in it are sealed. Were you told an invitation phrase?"), "", NULL) != CQ_OK)
    return CQ_OK;
  return cq_cli_passphrase(cli, "invitation-file", _("Invitation phrase"), false, phrase, error);
}

static cq_status join(cq_cli *cli, const cq_bundle *bundle, cq_str bytes, cq_error *error) {
  cq_cli_secret passphrase = {0}, phrase = {0};
  const char *technician = cq_cli_value(cli, "technician");
  cq_status status = read_phrase(cli, bundle, &phrase, error);
  if (status == CQ_OK) {
    if (!cq_cli_value(cli, "passphrase-file"))
      cq_cli_say(cli, "%s",
                 _("Choose a passphrase of several words. Without it nobody can open this laptop's records."));
    status = cq_cli_passphrase(cli, "passphrase-file", _("New passphrase"), true, &passphrase, error);
  }
  if (status == CQ_OK)
    status = cq_laptop_join(bundle, bytes, cq_cli_home(cli), technician, (cq_str){passphrase.at, passphrase.size},
                            (cq_str){phrase.at, phrase.size}, NULL, error);
  cq_cli_secret_fini(&passphrase);
  cq_cli_secret_fini(&phrase);
  return status;
}

static void tell(cq_cli *cli, const cq_bundle *bundle) {
  if (cq_cli_flag(cli, "json")) {
    char fingerprint[CQ_FINGERPRINT_SIZE], id[33];
    const cq_bundle_content *content = cq_bundle_content_of(bundle);
    printf("{\"programme\":\"%s\",\"fingerprint\":\"%s\",\"mode\":\"%s\",\"bundle\":%llu}\n",
           cq_programme_id_hex(&content->programme, id), cq_bundle_fingerprint(bundle, fingerprint),
           cq_mode_name(content->mode), (unsigned long long)content->number);
    return;
  }
  cq_cli_say(cli, "%s", _("This laptop has joined. Its request for a certificate waits in the outbox."));
  cq_cli_say(cli, _("Next: %s"), "chasqui-sync push");
}

int cq_collector_join(cq_cli *cli) {
  cq_error error;
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  cq_programme *programme = NULL;
  cq_error_clear(&error);
  const char *path = cq_cli_arg(cli, 0);
  cq_status status = cq_vault_harden(&error);
  if (status == CQ_OK) status = cq_collector_technician(cq_cli_value(cli, "technician"), &error);
  if (status == CQ_OK) status = cq_file_read(path, CQ_BUNDLE_MAX_SIZE, &bytes, &error);
  if (status == CQ_OK) {
    status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, &error);
    if (status == CQ_OK)
      status = cq_programme_parse(&programme, cq_bundle_content_of(bundle)->programme_json, false, &error);
    if (status != CQ_OK) cq_error_at_file(&error, path);
  }
  if (status == CQ_OK) {
    introduce(cli, bundle, programme);
    status = agree(cli, bundle, &error);
  }
  if (status == CQ_OK) status = join(cli, bundle, cq_buf_str(&bytes), &error);
  if (status == CQ_OK) tell(cli, bundle);
  int exit_status = status == CQ_OK ? CQ_EXIT_DONE : cq_cli_fail(cli, &error);
  cq_programme_free(programme);
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  return exit_status;
}
