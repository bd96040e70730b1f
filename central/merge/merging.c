/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/merging.h"

#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "chasqui/outbox.h"

#include <stdlib.h>

/* One transaction holds so much: durable soon enough, and not one fsync for each batch. */
enum { BATCHES_AT_ONCE = 512, BYTES_AT_ONCE = 32 << 20 };

typedef struct merging {
  cq_merged *did;
  cq_desk *desk;
  cq_taker *taker;
  const cq_merge_watch *watch;
  cq_buf folder, path, bytes;
  size_t pending_batches, pending_bytes;
} merging;

static cq_status commit(merging *m, bool again, cq_error *error) {
  m->pending_batches = m->pending_bytes = 0;
  return cq_desk_exec(m->desk, again ? "COMMIT; BEGIN IMMEDIATE" : "COMMIT", error);
}

static cq_status merge_file(merging *m, const cq_parcel *parcel, cq_error *error) {
  cq_taken taken;
  bool opened = false;
  cq_status status = cq_taker_opened(m->taker, parcel->name, &opened, error);
  if (status == CQ_OK && opened) {
    m->did->already++;
    return CQ_OK;
  }
  if (status == CQ_OK) status = cq_file_path(&m->path, m->folder.at, parcel->name, error);
  if (status == CQ_OK) status = cq_file_read(m->path.at, CQ_BATCH_MAX_SIZE, &m->bytes, error);
  if (status == CQ_OK) status = cq_taker_take(m->taker, parcel->name, cq_buf_str(&m->bytes), &taken, error);
  if (status != CQ_OK) return status;
  m->did->records += taken.records;
  m->did->records_new += taken.records_new;
  if (taken.already)
    m->did->already++;
  else if (taken.state == CQ_RECEIPT_OPENED)
    m->did->batches++;
  else if (taken.state == CQ_RECEIPT_HELD)
    m->did->held++;
  else
    m->did->refused++;
  if (taken.state != CQ_RECEIPT_OPENED && m->watch->apart) m->watch->apart(m->watch->context, parcel->name, &taken);
  m->pending_bytes += m->bytes.size;
  bool enough = ++m->pending_batches >= BATCHES_AT_ONCE || m->pending_bytes >= BYTES_AT_ONCE;
  return enough ? commit(m, true, error) : CQ_OK;
}

cq_status cq_merge_inbox(cq_merged *merged, cq_desk *desk, const cq_merge_watch *watch, cq_error *error) {
  merging m = {.did = merged, .desk = desk, .watch = watch};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  *merged = (cq_merged){0};
  cq_status status = cq_taker_new(&m.taker, desk, error);
  if (status == CQ_OK) status = cq_home_folder(&m.folder, desk->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK) status = cq_parcel_list(&parcels, &count, m.folder.at, error);
  if (status == CQ_OK) status = cq_desk_exec(desk, "BEGIN IMMEDIATE", error);
  for (size_t i = 0; status == CQ_OK && i < count; i++) {
    if (parcels[i].kind == CQ_PARCEL_BATCH) status = merge_file(&m, &parcels[i], error);
    if (watch->more && !watch->more(watch->context, i + 1, count)) break;
  }
  if (status == CQ_OK) status = commit(&m, false, error);
  if (status == CQ_OK) status = cq_receipts_write(desk, &merged->receipts, error);
  cq_taker_free(m.taker);
  cq_buf_fini(&m.folder);
  cq_buf_fini(&m.path);
  cq_buf_fini(&m.bytes);
  free(parcels);
  return status;
}
