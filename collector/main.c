/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"
#include "collector/pages/action.h"

static const cq_cli_option start_options[] = {
    {"line", 'l', NULL, N_("question by question in plain lines, without a drawn screen")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    {0}};

static const cq_cli_option join_options[] = {
    {"technician", 't', N_("CODE"), N_("your code in the programme; never a name")},
    {"fingerprint", 0, N_("TEXT"), N_("the programme's fingerprint, in place of the question")},
    {"invitation-file", 0, N_("FILE"), N_("read the invitation phrase, which opens sealed lists, from a file")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_JSON,
    {0}};

static const cq_cli_option fill_options[] = {
    {"answers", 'a', N_("FILE"), N_("a JSON object of questions and answers")},
    {"result", 'r', N_("RESULT"), N_("complete (else), partial, refused or withdrawn")},
    {"reason", 0, N_("CODE"), N_("why it is not complete")},
    {"working-date", 0, N_("DATE"), N_("the day it is, YYYY-MM-DD, where the laptop's clock is wrong")},
    {"no-pack", 0, NULL, N_("leave the record in the vault; a later pack takes it along")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_JSON,
    {0}};

static const cq_cli_option vault_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_JSON, {0}};

#define NEW_PASSPHRASE                                                                                                 \
  { "new-passphrase-file", 0, N_("FILE"), N_("read the new passphrase from a file that only you can read") }

static const cq_cli_option new_passphrase_options[] = {
    NEW_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, {0}};

static const cq_cli_option remove_options[] = {CQ_CLI_OPTION_YES, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, {0}};

static const cq_cli_option backup_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, {0}};

static const cq_cli_option request_options[] = {NEW_PASSPHRASE, CQ_CLI_OPTION_HOME, {0}};

static const cq_cli_option complete_options[] = {
    {"technician", 't', N_("CODE"), N_("your code in the programme; never a name")},
    NEW_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

static const cq_cli_verb verbs[] = {
    {.name = "",
     .summary = N_("open the screen: interviews, drafts, what is finished, and the outbox"),
     .options = start_options,
     .max_args = 0,
     .run = cq_collector_start},
    {.name = "join",
     .args = N_("BUNDLE"),
     .summary = N_("make this laptop part of a programme"),
     .text = N_("Shows the programme's name, mode and fingerprint, and asks whether they are right: compare the "
                "fingerprint with the one that your coordinator reads to you. Then it makes the vault, which your "
                "passphrase opens, and a request for a certificate, which goes with the first batch."),
     .options = join_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_join},
    {.name = "fill",
     .args = N_("FORM"),
     .summary = N_("fill in a form from a file of answers, and finish it"),
     .text = N_("FORM is the form's identifier. An answer that the form refuses, or one that is missing in a complete "
                "interview, is told, and nothing is kept."),
     .options = fill_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_fill},
    {.name = "pack",
     .summary = N_("pack what is finished into the outbox, and write missing batch files again"),
     .options = vault_options,
     .max_args = 0,
     .run = cq_collector_pack},
    {.name = "users",
     .summary = N_("list the technicians who can open this laptop"),
     .options = vault_options,
     .max_args = 0,
     .run = cq_collector_users},
    {.name = "users add",
     .args = N_("CODE"),
     .summary = N_("let another technician open this laptop, with a passphrase of their own"),
     .options = new_passphrase_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_users_add},
    {.name = "users remove",
     .args = N_("CODE"),
     .summary = N_("take a technician's access away; the vault gets a new key"),
     .options = remove_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_users_remove},
    {.name = "users passphrase",
     .summary = N_("change your own passphrase"),
     .options = new_passphrase_options,
     .max_args = 0,
     .run = cq_collector_users_passphrase},
    {.name = "backup",
     .args = N_("FILE"),
     .summary = N_("make a checked copy of the vault"),
     .text = N_("The copy opens with the same passphrases. A laptop that is restored from it goes on as a new device, "
                "which the office approves anew."),
     .options = backup_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_backup},
    {.name = "scrub",
     .summary = N_("read the whole vault and check every page and the audit trail"),
     .options = vault_options,
     .max_args = 0,
     .run = cq_collector_scrub},
    {.name = "salvage",
     .args = N_("NEW"),
     .summary = N_("save what is readable of a damaged vault into a new one"),
     .text = N_("Nothing that does not authenticate is copied. Ends with 1 where something could not be read."),
     .options = backup_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_salvage},
    {.name = "recover request",
     .args = N_("FILE"),
     .summary = N_("after a forgotten passphrase: write a request for the office"),
     .options = request_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_recover_request},
    {.name = "recover complete",
     .args = N_("ANSWER"),
     .summary = N_("after a forgotten passphrase: open the vault with the office's answer"),
     .options = complete_options,
     .min_args = 1,
     .max_args = 1,
     .run = cq_collector_recover_complete},
    {0}};

static const cq_cli_program program = {
    .name = "chasqui-collector",
    .summary = N_("interviews at the keyboard, without a connection"),
    .text = N_("Every accepted answer is safe in the vault before the next question is shown."),
    .verbs = verbs,
    .manual = cq_action_manual,
};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
