/* SPDX-License-Identifier: Apache-2.0 */
/* `merge`: opens and merges what arrived in the inbox. `import`: brings it there from a stick. */
#include "central/merge/merging.h"
#include "central/verbs.h"
#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"
#include "chasqui/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_merge_options[] = {
    CQ_CLI_OPTION_PASSPHRASE, CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};
const cq_cli_option cq_central_import_options[] = {CQ_CLI_OPTION_HOME, CQ_CLI_OPTION_JSON, {0}};

typedef struct merging {
  cq_cli *cli;
  cq_buf json;
  cq_merged did;
} merging;

static void say_apart(void *context, const char *file, const cq_taken *taken) {
  merging *m = context;
  cq_buf what = {0}, next = {0};
  cq_error of;
  cq_error_set(&of, CQ_REFUSED, taken->why, NULL);
  cq_cli_explain(&of, &what, &next);
  bool held = taken->state == CQ_RECEIPT_HELD;
  cq_buf_addf(&m->json, "%s{\"file\":", m->json.size ? "," : "");
  cq_cli_add_json(&m->json, cq_str_from(file));
  cq_buf_addf(&m->json, ",\"state\":\"%s\",\"why\":\"%s\"}", held ? "held" : "refused", taken->why);
  cq_cli_say(m->cli, "  %s  %s  %s", held ? _("held") : _("refused"), file, what.at ? what.at : taken->why);
  if (next.size) cq_cli_say(m->cli, "    %s", next.at);
  cq_buf_fini(&what);
  cq_buf_fini(&next);
}

/* What was merged so far is kept: the rest is merged next time. */
static bool say_progress(void *context, size_t done, size_t total) {
  merging *m = context;
  cq_cli_progress(m->cli, _("merging"), done, total);
  return !cq_cli_signal();
}

static void say_result(const merging *m) {
  const cq_merged *did = &m->did;
  if (cq_cli_flag(m->cli, "json")) {
    printf("{\"batches\":%zu,\"already\":%zu,\"held\":%zu,\"refused\":%zu,\"records\":%zu,\"records_new\":%zu,"
           "\"attachments\":%zu,\"sheets\":%zu,"
           "\"receipts\":%zu,\"erased_again\":%s,\"apart\":[%s]}\n",
           did->batches, did->already, did->held, did->refused, did->records, did->records_new, did->attachments,
           did->sheets, did->receipts, did->orders ? "true" : "false", m->json.at ? m->json.at : "");
    return;
  }
  cq_cli_say(m->cli, _("Batches merged: %zu. Records: %zu, of them new: %zu. Batches merged before: %zu."),
             did->batches, did->records, did->records_new, did->already);
  if (did->attachments)
    cq_cli_say(m->cli,
               cq_cli_plural("%zu attached file is now whole.", "%zu attached files are now whole.", did->attachments),
               did->attachments);
  if (did->sheets)
    cq_cli_say(m->cli,
               cq_cli_plural("%zu contact sheet in the inbox is for a laptop and stays as it is.",
                             "%zu contact sheets in the inbox are for laptops and stay as they are.", did->sheets),
               did->sheets);
  if (did->held)
    cq_cli_say(m->cli, cq_cli_plural("%zu batch is held apart.", "%zu batches are held apart.", did->held), did->held);
  if (did->refused)
    cq_cli_say(m->cli, cq_cli_plural("%zu file was refused.", "%zu files were refused.", did->refused), did->refused);
  if (did->orders)
    cq_cli_say(
        m->cli, "%s",
        _("What was erased came once more. It was not taken in, and a signed order tells the posts to let it go."));
  if (did->receipts)
    cq_cli_say(m->cli,
               cq_cli_plural("%zu receipt stands in the outbox for the courier.",
                             "%zu receipts stand in the outbox for the courier.", did->receipts),
               did->receipts);
}

int cq_central_merge(cq_cli *cli) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  merging m = {.cli = cli};
  cq_merge_watch watch = {.apart = say_apart, .more = say_progress, .context = &m};
  cq_status status = cq_merge_inbox(&m.did, &desk, &watch, &error);
  cq_cli_progress(cli, NULL, 0, 0);
  if (status == CQ_OK) status = cq_cli_cancelled(&error);
  if (status == CQ_OK) say_result(&m);
  cq_buf_fini(&m.json);
  return cq_desk_end(cli, &desk, status, &error, m.did.refused ? CQ_EXIT_REFUSED : CQ_EXIT_DONE);
}

/* --- import --- */

typedef enum { FILE_BROUGHT, FILE_THERE, FILE_DAMAGED, FILE_SHEET, FILE_KINDS } file_kind;

/* A batch is copied where it is whole: its name holds the start of its hash. What it says is seen at the merge. A
 * desk's own contact sheets are for laptops. */
static cq_status import_file(const char *from, const char *to, const cq_parcel *parcel, cq_buf *path, cq_buf *bytes,
                             file_kind *kind, cq_error *error) {
  cq_batch_header header;
  bool written = false;
  cq_status status = cq_file_path(path, from, parcel->name, error);
  if (status == CQ_OK) status = cq_file_read(path->at, CQ_BATCH_MAX_SIZE, bytes, error);
  if (status != CQ_OK) return status;
  cq_hash hash = cq_hash_of(bytes->at, bytes->size);
  *kind = FILE_DAMAGED;
  if (memcmp(hash.at, parcel->hash_start, sizeof parcel->hash_start) != 0) return CQ_OK;
  *kind = FILE_SHEET;
  if (cq_batch_read_header(&header, bytes->at, bytes->size, NULL) == CQ_OK && cq_sheet_is(&header)) return CQ_OK;
  status = cq_parcel_write(to, parcel->name, bytes->at, bytes->size, &written, NULL, error);
  *kind = written ? FILE_BROUGHT : FILE_THERE;
  return status;
}

static void say_imported(const cq_cli *cli, const size_t of[FILE_KINDS]) {
  if (of[FILE_SHEET])
    cq_cli_say(cli,
               cq_cli_plural("%zu contact sheet is for a laptop and was left there.",
                             "%zu contact sheets are for laptops and were left there.", of[FILE_SHEET]),
               of[FILE_SHEET]);
  cq_cli_say(cli, _("Batches brought: %zu. Already here: %zu. Damaged: %zu. Next: %s"), of[FILE_BROUGHT],
             of[FILE_THERE], of[FILE_DAMAGED], "chasqui-central merge");
}

int cq_central_import(cq_cli *cli) {
  cq_error error;
  cq_buf to = {0}, path = {0}, bytes = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0, of[FILE_KINDS] = {0};
  const char *from = cq_cli_arg(cli, 0), *home = cq_cli_home(cli);
  cq_error_clear(&error);
  cq_status status = home ? CQ_OK : cq_error_set(&error, CQ_NOTFOUND, "cli.home", NULL);
  if (status == CQ_OK) status = cq_home_folder(&to, home, CQ_FOLDER_INBOX, &error);
  if (status == CQ_OK) status = cq_parcel_list(&parcels, &count, from, &error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    file_kind kind = FILE_THERE;
    if (parcels[i].kind != CQ_PARCEL_BATCH) continue;
    status = import_file(from, to.at, &parcels[i], &path, &bytes, &kind, &error);
    if (status == CQ_OK) of[kind]++;
    if (status == CQ_OK && kind == FILE_DAMAGED)
      cq_cli_warn(cli, _("%s is damaged and was not taken; copy it again."), parcels[i].name);
    cq_cli_progress(cli, _("importing"), i + 1, count);
    if (status == CQ_OK) status = cq_cli_cancelled(&error);
  }
  cq_cli_progress(cli, NULL, 0, 0);
  if (status == CQ_OK && cq_cli_flag(cli, "json"))
    printf("{\"brought\":%zu,\"there\":%zu,\"damaged\":%zu,\"sheets\":%zu}\n", of[FILE_BROUGHT], of[FILE_THERE],
           of[FILE_DAMAGED], of[FILE_SHEET]);
  else if (status == CQ_OK)
    say_imported(cli, of);
  free(parcels);
  cq_buf_fini(&to);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  if (status != CQ_OK) return cq_cli_fail(cli, &error);
  return of[FILE_DAMAGED] ? CQ_EXIT_REFUSED : CQ_EXIT_DONE;
}
