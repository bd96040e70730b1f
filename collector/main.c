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
    {"reason", 0, N_("CODE"),
     N_("why it is not complete: the form's own code, else ausente, no_ubicado, migro, fallecio or interrumpida")},
    {"working-date", 0, N_("DATE"), N_("the day it is, YYYY-MM-DD, where the laptop's clock is wrong")},
    {"no-pack", 0, NULL, N_("leave the record in the vault; a later pack takes it along")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_JSON,
    {0}};

static const cq_cli_option edit_options[] = {
    {"answers", 'a', N_("FILE"), N_("a JSON object of questions and answers: those to be changed")},
    {"line", 'l', NULL, N_("question by question in plain lines, in place of a file of answers")},
    {"result", 'r', N_("RESULT"), N_("complete, partial, refused or withdrawn (else as it was)")},
    {"reason", 0, N_("CODE"), N_("why it is not complete, as with fill (else as it was)")},
    {"fork", 0, NULL, N_("also where the record has a correction already: the office decides between the two")},
    {"working-date", 0, N_("DATE"), N_("the day it is, YYYY-MM-DD, where the laptop's clock is wrong")},
    {"no-pack", 0, NULL, N_("leave the record in the vault; a later pack takes it along")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_JSON,
    {0}};

static const cq_cli_option purge_options[] = {{"days", 0, N_("NUMBER"), N_("keep what was finished in the last days")},
                                              CQ_CLI_OPTION_YES,
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

static const cq_cli_option server_add_options[] = {
    {"kind", 0, N_("KIND"), N_("central (ODK Central; else), kobo (KoboToolbox) or openrosa")},
    {"user", 0, N_("NAME"), N_("account at the server; without it the secret is a token")},
    {"secret-file", 0, N_("FILE"), N_("read the token or password from a file that only you can read")},
    {"ca", 0, N_("FILE"), N_("trust this certificate (PEM) instead of the system's")},
    {"form", 0, N_("FORM"), N_("interviews of this form of the programme go there too; may be given several times")},
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    {0}};

static const cq_cli_option accept_options[] = {CQ_CLI_OPTION_YES, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_PASSPHRASE, {0}};

static const cq_cli_option send_options[] = {
    {"again", 0, NULL, N_("also what the server refused before")},
    {"tries", 0, N_("NUMBER"), N_("how often a request over a broken line is tried in all (else 4)")},
    {"timeout", 0, N_("SECONDS"), N_("a line that is silent for so long is broken (else by the speed of the line)")},
    {"limit-rate", 0, N_("BYTES"), N_("use at most so many bytes a second")},
    CQ_CLI_OPTION_YES,
    CQ_CLI_OPTION_HOME,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_JSON,
    {0}};

static const cq_cli_verb verbs[] = {
    {.name = "",
     .summary = N_("open the screen: interviews, drafts, what is finished, and the outbox"),
     .options = start_options,
     .run = cq_collector_start},
    {.name = "join",
     .args = N_("BUNDLE"),
     .summary = N_("make this laptop part of a programme"),
     .text = N_("Shows the programme's name, mode and fingerprint, and asks whether they are right: compare the "
                "fingerprint with the one that your coordinator reads to you. Then it makes the vault, which your "
                "passphrase opens, and a request for a certificate, which goes with the first batch."),
     .options = join_options,
     .run = cq_collector_join},
    {.name = "fill",
     .args = N_("FORM"),
     .summary = N_("fill in a form from a file of answers, and finish it"),
     .text = N_("FORM is the form's identifier. An answer that the form refuses, or one that is missing in a complete "
                "interview, is told, and nothing is kept."),
     .options = fill_options,
     .run = cq_collector_fill},
    {.name = "edit",
     .args = N_("RECORD"),
     .summary = N_("correct a finished interview"),
     .text = N_("RECORD is an instance ID, or the first eight digits or more of a record's name, as status shows them. "
                "The record stays as it is. The correction is a record of its own that names it, on the day of the "
                "visit: it begins with the same answers, changes those of the file, and takes its place in every "
                "table, also at a server. Its audit trail holds the old and the new answers. What the desk has opened "
                "and purge has let go of can no longer be corrected here."),
     .options = edit_options,
     .run = cq_collector_edit},
    {.name = "pack",
     .summary = N_("pack what is finished into the outbox, and write missing batch files again"),
     .options = vault_options,
     .run = cq_collector_pack},
    {.name = "send",
     .args = N_("SERVER [RECORD…]"),
     .summary = N_("send interviews to an OpenRosa server (ODK Central, KoboToolbox), readable"),
     .text = N_("Sends what is finished, is meant for that server and is not there yet: interviews of forms taken from "
                "it, and of the programme's forms named with server add --form. RECORD is an instance ID, or the first "
                "eight digits or more of a record's name. Asks before anything leaves the laptop. What the server "
                "answers is kept with each interview; what it has accepted is never sent again, and what it refused "
                "only with --again. Interrupting it does no harm: send again. Sealed batches go their own way."),
     .options = send_options,
     .run = cq_collector_send},
    {.name = "server add",
     .args = N_("SERVER URL"),
     .summary = N_("make an OpenRosa server known under a name of your own"),
     .text =
         N_("Address, account and secret are kept in the vault alone. URL is like https://HOST/v1/projects/3 at ODK "
            "Central, also as its pages show it or as an app user's address with the token in it. The same name "
            "again puts new words in the place of the old."),
     .options = server_add_options,
     .run = cq_collector_server_add},
    {.name = "server list",
     .summary = N_("the OpenRosa servers, and how many interviews each has accepted"),
     .options = vault_options,
     .run = cq_collector_server_list},
    {.name = "server remove",
     .args = N_("SERVER"),
     .summary = N_("forget an OpenRosa server; interviews stay"),
     .options = backup_options,
     .run = cq_collector_server_remove},
    {.name = "server pull",
     .args = N_("SERVER"),
     .summary = N_("bring a server's forms and lists to the inbox; only what changed"),
     .options = vault_options,
     .run = cq_collector_server_pull},
    {.name = "server forms",
     .args = N_("SERVER"),
     .summary = N_("the forms that came from a server; nothing of them is signed"),
     .options = vault_options,
     .run = cq_collector_server_forms},
    {.name = "server accept",
     .args = N_("SERVER FORM"),
     .summary = N_("use a form that came from a server, at your own word"),
     .text = N_("Such a form is not signed by the programme. Its interviews go to that server only, and into no sealed "
                "batch. Each later pull brings its lists; a new version of the form is accepted anew."),
     .options = accept_options,
     .run = cq_collector_server_accept},
    {.name = "status",
     .summary = N_("each finished interview and how far it has come, and what to do where it is held or refused"),
     .options = vault_options,
     .run = cq_collector_status},
    {.name = "purge",
     .summary = N_("let go of interviews that the desk has opened"),
     .text =
         N_("Says first what and how much, and asks. Only what the desk has opened goes: the records with their audit "
            "trail, attachments and batch files. What the next visits are preloaded from stays, and so do names of "
            "records, codes and states. --yes answers the question."),
     .options = purge_options,
     .run = cq_collector_purge},
    {.name = "users",
     .summary = N_("list the technicians who can open this laptop"),
     .options = vault_options,
     .run = cq_collector_users},
    {.name = "users add",
     .args = N_("CODE"),
     .summary = N_("let another technician open this laptop, with a passphrase of their own"),
     .options = new_passphrase_options,
     .run = cq_collector_users_add},
    {.name = "users remove",
     .args = N_("CODE"),
     .summary = N_("take a technician's access away; the vault gets a new key"),
     .options = remove_options,
     .run = cq_collector_users_remove},
    {.name = "users passphrase",
     .summary = N_("change your own passphrase"),
     .options = new_passphrase_options,
     .run = cq_collector_users_passphrase},
    {.name = "backup",
     .args = N_("FILE"),
     .summary = N_("make a checked copy of the vault, on a stick for example"),
     .text = N_("Where FILE is a folder the copy gets a name with the day. It opens with the same passphrases."),
     .options = backup_options,
     .run = cq_collector_backup},
    {.name = "restore",
     .args = N_("COPY"),
     .summary = N_("go on from a copy of a vault, in a home that has none"),
     .text =
         N_("COPY is a file made by “backup” or “salvage”, or a folder with one such file; it stays as it is. All of "
            "it is read and checked first. It goes on as a new laptop, which the office approves anew: so do not work "
            "on with the laptop that it is a copy of."),
     .options = backup_options,
     .run = cq_collector_restore},
    {.name = "scrub",
     .summary = N_("read the whole vault and check every page and the audit trail"),
     .options = vault_options,
     .run = cq_collector_scrub},
    {.name = "space",
     .summary = N_("say how much room the vault takes, and how much is left"),
     .options = vault_options,
     .run = cq_collector_space},
    {.name = "salvage",
     .args = N_("NEW"),
     .summary = N_("save what is readable of a damaged vault into a new one"),
     .text = N_("Nothing that does not authenticate is copied. Ends with 1 where something could not be read."),
     .options = backup_options,
     .run = cq_collector_salvage},
    {.name = "recover request",
     .args = N_("FILE"),
     .summary = N_("after a forgotten passphrase: write a request for the office"),
     .options = request_options,
     .run = cq_collector_recover_request},
    {.name = "recover complete",
     .args = N_("ANSWER"),
     .summary = N_("after a forgotten passphrase: open the vault with the office's answer"),
     .options = complete_options,
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
