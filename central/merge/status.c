/* SPDX-License-Identifier: Apache-2.0 */
/* `status`: what the desk holds, what waits, and what somebody should look at. */
#include "central/merge/desk.h"
#include "central/verbs.h"
#include "chasqui/outbox.h"

#include <stdio.h>
#include <stdlib.h>

const cq_cli_option cq_central_status_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

/* Each figure is one query; its text is for people, its name for JSON. */
static const struct {
  const char *name, *text, *sql;
  bool only_if_any; /* said to people only where there is something to look at */
} figures[] = {
    {"bundle", N_("newest bundle"), "SELECT max(number) FROM bundle", false},
    {"devices", N_("certified devices"),
     "SELECT count(*) FROM device WHERE chain IS NOT NULL AND revoked_utc_ms IS NULL", false},
    {"devices_unknown", N_("devices that ask to be approved"),
     "SELECT count(*) FROM device WHERE chain IS NULL AND revoked_utc_ms IS NULL", true},
    {"devices_revoked", N_("revoked devices"), "SELECT count(*) FROM device WHERE revoked_utc_ms IS NOT NULL", true},
    {"posts", N_("certified posts"), "SELECT count(*) FROM post", false},
    {"batches", N_("batches merged"), "SELECT count(*) FROM batch WHERE state = 3", false},
    {"held", N_("batches held apart"), "SELECT count(*) FROM batch WHERE state = 2", true},
    {"refused", N_("batches refused"), "SELECT count(*) FROM batch WHERE state = 4", true},
    {"missing", N_("batches that are missing between others"),
     "SELECT coalesce(sum(gap), 0) FROM (SELECT max(number) - count(DISTINCT number) AS gap FROM batch GROUP BY "
     "device)",
     true},
    {"twice", N_("numbers that came twice with other content (a copied vault?)"),
     "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) - count(DISTINCT number) AS n FROM batch GROUP BY device)",
     true},
    {"records", N_("records"), "SELECT count(*) FROM record WHERE bytes IS NOT NULL", false},
    {"erased", N_("records erased"), "SELECT count(*) FROM record WHERE bytes IS NULL", true},
    {"erasures_awaited", N_("laptops that have not obeyed an order to erase yet (erase status)"),
     "SELECT count(*) FROM device d WHERE d.chain IS NOT NULL AND d.revoked_utc_ms IS NULL AND NOT EXISTS (SELECT 1 "
     "FROM "
     "device n WHERE n.predecessor = d.id AND n.chain IS NOT NULL) AND EXISTS (SELECT 1 FROM decision o WHERE o.kind = "
     "4 "
     "AND NOT EXISTS (SELECT 1 FROM erasure_word w WHERE w.erasure = o.name AND w.device = d.id))",
     true},
    {"voided", N_("records voided"), "SELECT count(*) FROM visit WHERE voided", true},
    {"forks", N_("records edited twice, in conflict"), "SELECT count(DISTINCT fork) FROM visit WHERE fork IS NOT NULL",
     true},
    {"attachments", N_("attached files"), "SELECT count(*) FROM attachment_whole", true},
    {"attachments_awaited", N_("attached files awaited"),
     "SELECT count(*) FROM (SELECT hash FROM visit_attachment EXCEPT SELECT hash FROM attachment_whole)", true},
    {"drafts", N_("snapshots of drafts"), "SELECT count(*) FROM draft", true},
    {"requests", N_("requests for a forgotten passphrase"), "SELECT count(*) FROM request", true},
};

/* Batches in the inbox that no merge has seen. */
cq_status cq_desk_waiting(cq_desk *desk, int64_t *waiting, cq_error *error) {
  cq_buf folder = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  sqlite3_stmt *s = NULL;
  *waiting = 0;
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK) status = cq_parcel_list(&parcels, &count, folder.at, error);
  if (status == CQ_OK) status = cq_desk_prepare(desk, &s, "SELECT 1 FROM batch WHERE file = ?1", error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    bool row = false;
    if (parcels[i].kind != CQ_PARCEL_BATCH) continue;
    sqlite3_bind_text(s, 1, parcels[i].name, -1, SQLITE_STATIC);
    status = cq_desk_step(desk, s, &row, error);
    sqlite3_reset(s);
    *waiting += status == CQ_OK && !row;
  }
  sqlite3_finalize(s);
  free(parcels);
  cq_buf_fini(&folder);
  return status;
}

cq_status cq_desk_figures(cq_desk *desk, cq_desk_figure take, void *context, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < sizeof figures / sizeof *figures; i++) {
    int64_t value;
    status = cq_desk_number(desk, figures[i].sql, 0, &value, error);
    if (status == CQ_OK) take(context, figures[i].name, _(figures[i].text), value, figures[i].only_if_any && !value);
  }
  return status;
}

static void say_figure(cq_cli *cli, const char *text, int64_t value) {
  size_t columns = cq_utf8_length(cq_str_from(text));
  cq_cli_say(cli, "  %s%*s %8lld", text, columns < 60 ? (int)(60 - columns) : 0, "", (long long)value);
}

typedef struct saying {
  cq_cli *cli;
  cq_buf *json;
} saying;

static void take_figure(void *context, const char *name, const char *text, int64_t value, bool quiet) {
  saying *s = context;
  if (!quiet) say_figure(s->cli, text, value);
  cq_buf_addf(s->json, ",\"%s\":%lld", name, (long long)value);
}

static cq_status run(cq_cli *cli, cq_desk *desk, cq_error *error) {
  char fingerprint[CQ_FINGERPRINT_SIZE];
  cq_buf json = {0};
  int64_t waiting = 0;
  cq_fingerprint(&desk->programme_key, fingerprint);
  cq_cli_say(cli, _("Fingerprint of the programme: %s"), fingerprint);
  cq_buf_addf(&json, "{\"fingerprint\":\"%s\",\"mode\":\"%s\"", fingerprint, cq_mode_name(desk->mode));
  cq_status status = cq_desk_waiting(desk, &waiting, error);
  saying s = {cli, &json};
  if (status == CQ_OK) status = cq_desk_figures(desk, take_figure, &s, error);
  if (status == CQ_OK) {
    say_figure(cli, _("batches that wait in the inbox"), waiting);
    cq_buf_addf(&json, ",\"waiting\":%lld}\n", (long long)waiting);
    if (waiting) cq_cli_say(cli, _("Next: %s"), "chasqui-central merge");
    if (cq_cli_flag(cli, "json") && !json.failed) fwrite(json.at, 1, json.size, stdout);
  }
  cq_buf_fini(&json);
  return status;
}

int cq_central_status(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  return cq_desk_end(cli, &desk, run(cli, &desk, &error), &error, CQ_EXIT_DONE);
}
