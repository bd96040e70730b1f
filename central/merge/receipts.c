/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of the desk: opened, held, refused. Written after what they promise is durable. */
#include "central/merge/take.h"
#include "chasqui/outbox.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer {
  cq_desk *desk;
  cq_buf folder, bytes;
  cq_receipt *receipt;
  size_t written;
} writer;

static cq_status write_one(writer *w, cq_error *error) {
  char name[96];
  if (!w->receipt->count) return CQ_OK;
  cq_buf_reset(&w->bytes);
  cq_status status = cq_receipt_write(&w->bytes, w->receipt, &w->desk->chain, w->desk->sign_secret, error);
  if (status != CQ_OK) return status;
  cq_hash hash = cq_hash_of(w->bytes.at, w->bytes.size);
  cq_parcel_file_name(name, CQ_PARCEL_RECEIPT, &w->receipt->device, 0, &hash);
  status = cq_parcel_write(w->folder.at, name, w->bytes.at, w->bytes.size, NULL, NULL, error);
  w->written++;
  w->receipt->count = 0;
  return status;
}

/* What the laptop is told of why: the code is the desk's own. */
static uint8_t reason_of(cq_receipt_state state, cq_str why) {
  static const struct {
    const char *code;
    cq_receipt_reason reason;
  } known[] = {{"desk.held.unknown", CQ_REASON_UNKNOWN}, {"desk.held.revoked", CQ_REASON_REVOKED},
               {"desk.held.hold", CQ_REASON_HOLD},       {"desk.held.ahead", CQ_REASON_AHEAD},
               {"batch.recipient", CQ_REASON_SEAL},      {"batch.unbound", CQ_REASON_SEAL},
               {"batch.form", CQ_REASON_FORM},           {"desk.record.programme", CQ_REASON_FOREIGN},
               {"desk.record.mode", CQ_REASON_FOREIGN},  {"batch.entry.foreign", CQ_REASON_FOREIGN}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (cq_str_is(why, known[i].code)) return (uint8_t)known[i].reason;
  return state == CQ_RECEIPT_REFUSED ? CQ_REASON_CONTENT : CQ_REASON_NONE;
}

static cq_status add_row(writer *w, sqlite3_stmt *s, cq_error *error) {
  cq_device_id device;
  cq_status status = cq_desk_column(s, 0, device.at, sizeof device.at, error);
  if (status != CQ_OK) return status;
  bool same = cq_device_id_equal(&device, &w->receipt->device);
  if (!same || w->receipt->count == CQ_RECEIPT_MAX_BATCHES) status = write_one(w, error);
  if (status != CQ_OK) return status;
  w->receipt->device = device;
  cq_receipt_batch *batch = &w->receipt->batches[w->receipt->count++];
  batch->number = (uint64_t)sqlite3_column_int64(s, 1);
  batch->state = (cq_receipt_state)sqlite3_column_int(s, 3);
  batch->reason = reason_of(batch->state, cq_desk_text(s, 4));
  return cq_desk_column(s, 2, batch->hash.at, sizeof batch->hash.at, error);
}

static cq_status write_all(writer *w, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_status status = cq_desk_prepare(
      w->desk, &s,
      "SELECT device, number, hash, state, why FROM batch WHERE receipted <> state ORDER BY device, number", error);
  for (bool row = true; status == CQ_OK;) {
    if ((status = cq_desk_step(w->desk, s, &row, error)) != CQ_OK || !row) break;
    status = add_row(w, s, error);
  }
  sqlite3_finalize(s);
  return status == CQ_OK ? write_one(w, error) : status;
}

cq_status cq_receipts_write(cq_desk *desk, size_t *written, cq_error *error) {
  writer w = {.desk = desk, .receipt = calloc(1, sizeof *w.receipt)};
  *written = 0;
  if (!w.receipt) return cq_error_nomem(error);
  w.receipt->mode = desk->mode;
  w.receipt->programme = desk->programme;
  w.receipt->made_utc_ms = cq_desk_now();
  w.receipt->signer = CQ_ROLE_DESK;
  cq_status status = cq_home_folder(&w.folder, desk->home, CQ_FOLDER_OUTBOX, error);
  if (status == CQ_OK) status = write_all(&w, error);
  /* only now: where the power goes before, the same receipts are written once more */
  if (status == CQ_OK)
    status = cq_desk_exec(desk, "UPDATE batch SET receipted = state WHERE receipted <> state", error);
  *written = w.written;
  cq_buf_fini(&w.folder);
  cq_buf_fini(&w.bytes);
  free(w.receipt);
  return status;
}
