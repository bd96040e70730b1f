/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of chasqui-sync: each a file, each a row of the table in main.c. */
#ifndef SYNC_VERBS_H
#define SYNC_VERBS_H

#include "chasqui/cli.h"

extern const cq_cli_option sync_push_options[], sync_fetch_options[], sync_status_options[], sync_inspect_options[],
    sync_remote_options[], sync_remote_list_options[], sync_remote_remove_options[], sync_pull_options[],
    sync_handover_options[], sync_export_options[], sync_import_options[], sync_watch_options[];

int sync_push(cq_cli *cli);
int sync_fetch(cq_cli *cli);
int sync_status(cq_cli *cli);
int sync_inspect(cq_cli *cli);
int sync_remote_add(cq_cli *cli);
int sync_remote_list(cq_cli *cli);
int sync_remote_remove(cq_cli *cli);
int sync_pull(cq_cli *cli);
int sync_handover(cq_cli *cli);
int sync_export(cq_cli *cli);
int sync_import(cq_cli *cli);
int sync_watch(cq_cli *cli);

#endif
