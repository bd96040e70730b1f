/* SPDX-License-Identifier: Apache-2.0 */
/* `void` and `erase`: decisions about records, kept as signed orders. */
#include "central/merge/derive.h"
#include "central/verbs.h"
#include "chasqui/file.h"
#include "chasqui/order.h"
#include "chasqui/outbox.h"

#include <stdlib.h>
#include <string.h>

const cq_cli_option cq_central_records_options[] = {
    {"reason", 0, N_("TEXT"), N_("why, in a line without personal data")},
    {"by", 0, N_("CODE"), N_("code of the person who decides")},
    CQ_CLI_OPTION_YES,
    CQ_CLI_OPTION_PASSPHRASE,
    CQ_CLI_OPTION_HOME,
    {0}};

typedef struct chosen {
  cq_hash names[CQ_ORDER_MAX_TARGETS], batches[CQ_ORDER_MAX_TARGETS];
  size_t count, batch_count;
} chosen;

static void add_batch(chosen *c, const cq_hash *batch) {
  for (size_t i = 0; i < c->batch_count; i++)
    if (cq_hash_equal(&c->batches[i], batch)) return;
  c->batches[c->batch_count++] = *batch;
}

/* Batches with parts of its files, which posts hold sealed. */
static cq_status add_part_batches(cq_desk *desk, chosen *c, const cq_hash *record, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_hash batch;
  cq_status status = cq_desk_prepare(
      desk, &s,
      "SELECT DISTINCT p.batch FROM record r JOIN visit_attachment a ON a.id = r.id JOIN part_batch p ON "
      "p.attachment = a.hash WHERE r.name = ?1 AND NOT EXISTS (SELECT 1 FROM visit_attachment o WHERE o.hash = a.hash "
      "AND o.id <> a.id)",
      error);
  if (status == CQ_OK) sqlite3_bind_blob(s, 1, record->at, sizeof record->at, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, batch.at, sizeof batch.at, error);
    if (status == CQ_OK && c->batch_count == CQ_ORDER_MAX_TARGETS)
      status = cq_error_set(error, CQ_LIMIT, "desk.record.many", NULL);
    if (status == CQ_OK) add_batch(c, &batch);
  }
  sqlite3_finalize(s);
  return status;
}

/* A record by the start of its name, eight hexadecimal digits or more. */
static cq_status choose(cq_desk *desk, const char *text, chosen *c, cq_error *error) {
  sqlite3_stmt *s = NULL;
  size_t found = 0;
  cq_hash batch = {{0}};
  cq_status status = strlen(text) < 8 ? cq_error_set(error, CQ_NOTFOUND, "desk.record.none", text, NULL) : CQ_OK;
  if (status == CQ_OK && c->count == CQ_ORDER_MAX_TARGETS)
    status = cq_error_set(error, CQ_LIMIT, "desk.record.many", NULL);
  if (status == CQ_OK)
    status = cq_desk_prepare(
        desk, &s, "SELECT name, batch FROM record WHERE substr(lower(hex(name)), 1, length(?1)) = lower(?1)", error);
  if (status == CQ_OK) sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(desk, s, &row, error)) != CQ_OK || !row) break;
    status = cq_desk_column(s, 0, c->names[c->count].at, 32, error);
    if (status == CQ_OK && sqlite3_column_bytes(s, 1) == 32) status = cq_desk_column(s, 1, batch.at, 32, error);
    if (++found > 1) break;
  }
  if (status == CQ_OK && sqlite3_stmt_busy(s)) sqlite3_reset(s);
  if (status == CQ_OK && found != 1)
    status = cq_error_set(error, CQ_NOTFOUND, found ? "desk.record.several" : "desk.record.none", text, NULL);
  sqlite3_finalize(s);
  if (status == CQ_OK && c->batch_count == CQ_ORDER_MAX_TARGETS)
    status = cq_error_set(error, CQ_LIMIT, "desk.record.many", NULL);
  if (status != CQ_OK) return status;
  if (!cq_hash_is_zero(&batch)) add_batch(c, &batch);
  return add_part_batches(desk, c, &c->names[c->count++], error);
}

/* Posts and laptops obey an erasure too: it goes to them through the outbox and with the next bundle. */
static cq_status send_order(cq_desk *desk, const cq_hash *name, const cq_buf *bytes, cq_error *error) {
  cq_buf folder = {0};
  char file[96];
  cq_parcel_file_name(file, CQ_PARCEL_ORDER, NULL, 0, name);
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = cq_parcel_write(folder.at, file, bytes->at, bytes->size, NULL, NULL, error);
  cq_buf_fini(&folder);
  return status;
}

/* The sealed files that brought them: this desk's key opens them. All else that they brought is in the vault. */
static cq_status remove_files(cq_desk *desk, const chosen *c, cq_error *error) {
  cq_buf folder = {0}, path = {0};
  sqlite3_stmt *s = NULL;
  cq_status status = cq_home_folder(&folder, desk->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK)
    status = cq_desk_prepare(desk, &s, "SELECT file FROM batch WHERE hash = ?1 AND state = 3", error);
  for (size_t i = 0; status == CQ_OK && i < c->batch_count; i++) {
    bool row = false;
    sqlite3_bind_blob(s, 1, c->batches[i].at, sizeof c->batches[i].at, SQLITE_STATIC);
    status = cq_desk_step(desk, s, &row, error);
    if (status == CQ_OK && row) status = cq_file_path(&path, folder.at, (const char *)sqlite3_column_text(s, 0), error);
    if (status == CQ_OK && row) status = cq_file_remove(path.at, error);
    sqlite3_reset(s);
  }
  sqlite3_finalize(s);
  cq_buf_fini(&folder);
  cq_buf_fini(&path);
  return status;
}

static cq_status order_records(cq_cli *cli, cq_desk *desk, cq_order_kind kind, const chosen *c, cq_error *error) {
  cq_buf bytes = {0};
  cq_hash name;
  bool erase = kind == CQ_ORDER_ERASE;
  cq_order order = {.kind = kind,
                    .by = cq_str_from(cq_cli_value(cli, "by")),
                    .reason = cq_str_from(cq_cli_value(cli, "reason")),
                    .targets = c->names,
                    .target_count = c->count,
                    .batches = c->batches,
                    .batch_count = erase ? c->batch_count : 0};
  cq_status status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  if (status == CQ_OK) status = cq_derive_sign(desk, &order, &bytes, &name, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "COMMIT", error);
  if (status == CQ_OK && erase) status = send_order(desk, &name, &bytes, error);
  if (status == CQ_OK && erase) status = remove_files(desk, c, error);
  cq_buf_fini(&bytes);
  return status;
}

static int decide(cq_cli *cli, cq_order_kind kind) {
  cq_desk desk;
  cq_error error;
  cq_error_clear(&error);
  int left = cq_desk_begin(cli, &desk);
  if (left != CQ_EXIT_DONE) return left;
  bool erase = kind == CQ_ORDER_ERASE;
  chosen *c = calloc(1, sizeof *c);
  cq_status status = c ? CQ_OK : cq_error_nomem(&error);
  for (int i = 0; status == CQ_OK && i < cq_cli_args(cli); i++) status = choose(&desk, cq_cli_arg(cli, i), c, &error);
  if (status == CQ_OK && erase)
    status = cq_desk_confirm(cli, _("Erase for ever, here, at the posts and on laptops?"), &error);
  if (status == CQ_OK) status = order_records(cli, &desk, kind, c, &error);
  if (status == CQ_OK && erase)
    cq_cli_say(cli, _("%zu records erased. The order goes out with the courier, and with: %s"), c->count,
               "chasqui-central publish");
  else if (status == CQ_OK)
    cq_cli_say(cli, _("%zu records voided: they can still be read, and count no more."), c->count);
  free(c);
  return cq_desk_end(cli, &desk, status, &error, CQ_EXIT_DONE);
}

int cq_central_void(cq_cli *cli) {
  return decide(cli, CQ_ORDER_VOID);
}

int cq_central_erase(cq_cli *cli) {
  return decide(cli, CQ_ORDER_ERASE);
}
