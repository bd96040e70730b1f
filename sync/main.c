/* SPDX-License-Identifier: Apache-2.0 */
/* chasqui-sync: the courier. */
#include "sync/verbs.h"

static const cq_cli_verb verbs[] = {
    {.name = "push",
     .summary = N_("bring what waits in the outbox to the post, and what is new home"),
     .text =
         N_("Asks the post which of the sealed batches it lacks, brings those, and stores its signed receipts in the "
            "inbox. What was brought once is not sent again. Nothing is deleted. Interrupting it does no harm: the "
            "next push goes on."),
     .options = sync_push_options,
     .run = sync_push},
    {.name = "watch",
     .summary = N_("push whenever there is a way"),
     .text = N_("Pushes when a route or an address appears, when something new stands in the outbox, and otherwise now "
                "and then. Runs until it is ended with Ctrl-C or SIGTERM. `chasqui-sync status` says what it did."),
     .options = sync_watch_options,
     .run = sync_watch},
    {.name = "fetch",
     .summary = N_("bring the batches that arrived at the post to the desk"),
     .text = N_("For the desk's home alone: its pass (desk.pass) is shown to the post, and what is new there is "
                "verified and put into the inbox."),
     .options = sync_fetch_options,
     .run = sync_fetch},
    {.name = "export",
     .args = N_("FOLDER"),
     .summary = N_("copy what waits, and what came home, to a stick"),
     .text =
         N_("Several laptops may use one stick. What is on it is sealed and signed; taking it out in the middle does "
            "no harm: the next export goes on."),
     .options = sync_export_options,
     .run = sync_export},
    {.name = "import",
     .args = N_("FOLDER"),
     .summary = N_("take what is for here, or to be carried on, from a stick"),
     .text = N_("Everything is verified before it is taken. On an office computer batches of laptops wait for the next "
                "push; at the desk they go to the inbox; on a laptop receipts, certificates and bundles come home. A "
                "computer without a programme takes it from the stick, after showing its fingerprint."),
     .options = sync_import_options,
     .run = sync_import},
    {.name = "status",
     .summary = N_("what waits, what was brought, and why not"),
     .options = sync_status_options,
     .run = sync_status},
    {.name = "remote add",
     .args = N_("URL"),
     .summary = N_("carry to the post at this address, or pull forms from a server of others"),
     .text = N_("An OpenRosa server of others (ODK Central, KoboToolbox) gets no sealed batches: interviews go there "
                "readable, from a laptop, by chasqui-collector send. The address of a project at ODK Central is like "
                "https://SERVER/v1/projects/3, also as its pages show it; no token or password is kept here."),
     .options = sync_remote_options,
     .run = sync_remote_add},
    {.name = "remote list",
     .summary = N_("the posts and servers that are known"),
     .options = sync_remote_list_options,
     .run = sync_remote_list},
    {.name = "remote remove",
     .args = N_("URL"),
     .summary = N_("carry to this address no more"),
     .options = sync_remote_remove_options,
     .run = sync_remote_remove},
    {.name = "pull",
     .args = N_("[URL]"),
     .summary = N_("bring forms, media and lists of OpenRosa servers to the inbox"),
     .text =
         N_("Only what changed is fetched. Such forms are not signed by the programme: a laptop uses one only after "
            "chasqui-collector server accept. A token or password is asked for, and not kept."),
     .options = sync_pull_options,
     .run = sync_pull},
    {.name = "handover",
     .summary = N_("for chasqui-collector, which starts it by itself: interviews to an OpenRosa server"),
     .text = N_("Speaks over descriptor 3 with the collector, as docs/formats/openrosa.md says. Address, secret and "
                "interviews come that way, and nothing of them touches a disk."),
     .options = sync_handover_options,
     .run = sync_handover},
    {.name = "inspect",
     .args = N_("FILE"),
     .summary = N_("show what may be seen of a file without a key"),
     .options = sync_inspect_options,
     .run = sync_inspect},
    {0}};

static const cq_cli_program program = {
    .name = "chasqui-sync",
    .summary = N_("the courier: carries sealed batches to the post, and what is new home"),
    .text = N_("Needs no passphrase and no key: everything it carries is signed and sealed."),
    .verbs = verbs};

int main(int argc, char **argv) {
  return cq_cli_main(&program, argc, argv);
}
