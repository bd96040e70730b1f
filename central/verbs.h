/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of chasqui-central that stand at the desk: each a file, each a row of the table in main.c. */
#ifndef CENTRAL_VERBS_H
#define CENTRAL_VERBS_H

#include "chasqui/cli.h"

extern const cq_cli_option cq_central_calibrate_options[], cq_central_check_options[], cq_central_coverage_options[],
    cq_central_draw_options[], cq_central_size_options[], cq_central_tabulate_options[],
    cq_central_devices_change_options[], cq_central_devices_options[], cq_central_estimate_options[],
    cq_central_export_options[], cq_central_frame_import_options[], cq_central_import_options[],
    cq_central_indicators_check_options[], cq_central_indicators_options[], cq_central_init_options[],
    cq_central_merge_options[], cq_central_person_options[], cq_central_publish_options[], cq_central_rebuild_options[],
    cq_central_records_options[], cq_central_recover_options[], cq_central_review_options[],
    cq_central_review_decide_options[], cq_central_sample_report_options[], cq_central_snapshots_options[],
    cq_central_status_options[], cq_central_table_options[];

extern const cq_cli_option cq_central_backup_options[];
int cq_central_backup(cq_cli *cli);
int cq_central_restore(cq_cli *cli);
int cq_central_calibrate(cq_cli *cli);
int cq_central_check(cq_cli *cli);
int cq_central_coverage(cq_cli *cli);
extern const cq_cli_option cq_central_desk_options[];
int cq_central_desk(cq_cli *cli);
int cq_central_devices(cq_cli *cli);
int cq_central_devices_approve(cq_cli *cli);
int cq_central_devices_hold(cq_cli *cli);
int cq_central_devices_release(cq_cli *cli);
int cq_central_devices_revoke(cq_cli *cli);
int cq_central_draw(cq_cli *cli);
extern const cq_cli_option cq_central_erase_options[], cq_central_erasures_options[];
int cq_central_erase(cq_cli *cli);
int cq_central_erasures(cq_cli *cli);
int cq_central_estimate(cq_cli *cli);
int cq_central_export(cq_cli *cli);
int cq_central_frame_import(cq_cli *cli);
int cq_central_import(cq_cli *cli);
int cq_central_indicators(cq_cli *cli);
int cq_central_indicators_check(cq_cli *cli);
int cq_central_init(cq_cli *cli);
int cq_central_merge(cq_cli *cli);
int cq_central_person(cq_cli *cli);
int cq_central_publish(cq_cli *cli);
int cq_central_rebuild(cq_cli *cli);
int cq_central_review(cq_cli *cli);
int cq_central_review_different(cq_cli *cli);
int cq_central_review_same(cq_cli *cli);
int cq_central_recover(cq_cli *cli);
int cq_central_size(cq_cli *cli);
int cq_central_sample_report(cq_cli *cli);
int cq_central_snapshots(cq_cli *cli);
int cq_central_status(cq_cli *cli);
int cq_central_table(cq_cli *cli);
int cq_central_tabulate(cq_cli *cli);
int cq_central_void(cq_cli *cli);

/* --- what goes back to laptops --- */
extern const cq_cli_option cq_central_contacts_options[], cq_central_contacts_change_options[];
int cq_central_contacts(cq_cli *cli);
int cq_central_contacts_assign(cq_cli *cli);
int cq_central_contacts_import(cq_cli *cli);
int cq_central_contacts_send(cq_cli *cli);
int cq_central_contacts_withdraw(cq_cli *cli);

#endif
