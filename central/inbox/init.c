/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/inbox.h"
#include "central/inbox/post.h"
#include "chasqui/file.h"

const cq_cli_option cq_post_init_options[] = {
    {"store", 0, N_("postgresql://…"), N_("keep everything in this database (else in the home)")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_YES,
    {0}};

static int say_next(cq_cli *cli, const char *home, const cq_sign_key *key) {
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_cli_say(cli, _("The post's home is %s. The fingerprint of its key is %s."), home,
             cq_fingerprint(key, fingerprint));
  cq_cli_say(cli, _("At the desk: chasqui-central publish --post %s/post.request"), home);
  cq_cli_say(cli, _("Then here: chasqui-central post init BUNDLE"));
  return CQ_EXIT_DONE;
}

/* The programme is pinned on a person's word: the fingerprint is what they compare. */
static cq_status agree(cq_cli *cli, const cq_bundle *bundle, cq_error *error) {
  char fingerprint[CQ_FINGERPRINT_SIZE];
  bool practice = cq_bundle_content_of(bundle)->mode == CQ_MODE_PRACTICE;
  cq_cli_say(cli,
             practice ? _("The programme's fingerprint is %s. It is for PRACTICE.")
                      : _("The programme's fingerprint is %s. It is for real data."),
             cq_bundle_fingerprint(bundle, fingerprint));
  cq_status status =
      cq_cli_confirm(cli, _("Is this the fingerprint that the programme has given you?"), "--yes", error);
  return status == CQ_CANCELLED ? cq_error_set(error, CQ_REFUSED, "post.pin.no", NULL) : status;
}

static int pin(cq_cli *cli, const post_settings *settings, const char *file) {
  cq_buf bytes = {0};
  cq_bundle *bundle = NULL;
  cq_error error;
  cq_error_clear(&error);
  cq_status status = cq_file_read(file, CQ_BUNDLE_MAX_SIZE, &bytes, &error);
  if (!status) status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, &error);
  if (!status) status = agree(cli, bundle, &error);
  if (!status) status = post_pin(settings, cq_buf_str(&bytes), &error);
  if (!status) {
    cq_cli_say(cli, _("The post serves this programme now. Next: chasqui-central serve --home %s"), settings->home);
  }
  cq_bundle_free(bundle);
  cq_buf_fini(&bytes);
  return status ? cq_cli_fail(cli, &error) : CQ_EXIT_DONE;
}

int cq_post_init(cq_cli *cli) {
  post_settings settings = {.home = cq_cli_home(cli),
                            .store = cq_cli_value(cli, "store"),
                            .clock = &cq_clock_system,
                            .random = &cq_random_system,
                            .log = NULL};
  cq_sign_key key;
  cq_error error;
  cq_error_clear(&error);
  if (post_make(&settings, &key, &error) != CQ_OK) return cq_cli_fail(cli, &error);
  if (cq_cli_args(cli) == 0) return say_next(cli, settings.home, &key);
  return pin(cli, &settings, cq_cli_arg(cli, 0));
}
