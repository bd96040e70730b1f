/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/merging.h"

#include "central/merge/ahead.h"
#include "central/merge/erasure.h"
#include "chasqui/outbox.h"

#include <stdlib.h>

/* One transaction holds so much: durable soon enough, not one fsync for each batch, and less than the vault's cache,
 * which would else write pages twice. */
enum { BATCHES_AT_ONCE = 512, BYTES_AT_ONCE = 16 << 20 };

typedef struct merging {
  cq_merged *did;
  cq_desk *desk;
  cq_taker *taker;
  cq_ahead *ahead; /* NULL until the first file that was not opened before */
  const cq_merge_watch *watch;
  cq_buf folder;
  size_t pending_batches, pending_bytes;
} merging;

static cq_status commit(merging *m, bool again, cq_error *error) {
  m->pending_batches = m->pending_bytes = 0;
  return cq_desk_exec(m->desk, again ? "COMMIT; BEGIN IMMEDIATE" : "COMMIT", error);
}

/* Asks for a file to be opened, unless it was merged before. */
static cq_status ask(merging *m, const cq_parcel *parcel, bool *asked, cq_error *error) {
  const cq_beliefs *beliefs;
  bool opened = false;
  *asked = false;
  cq_status status = cq_taker_opened(m->taker, parcel->name, &opened, error);
  if (status != CQ_OK) return status;
  if (opened) {
    m->did->already++;
    return CQ_OK;
  }
  if (!m->ahead) {
    status = cq_taker_beliefs(m->taker, &beliefs, error);
    if (status == CQ_OK) status = cq_ahead_new(&m->ahead, beliefs, m->folder.at, error);
    if (status != CQ_OK) return status;
  }
  cq_ahead_ask(m->ahead, parcel->name);
  *asked = true;
  return CQ_OK;
}

static cq_status merge_next(merging *m, cq_error *error) {
  cq_taken taken;
  const cq_opened *opened;
  const char *file;
  cq_status status = cq_ahead_take(m->ahead, &file, &opened, error);
  if (status == CQ_OK) status = cq_taker_merge(m->taker, file, opened, &taken, error);
  if (status != CQ_OK) return status;
  m->did->records += taken.records;
  m->did->records_new += taken.records_new;
  m->did->attachments += taken.attachments;
  if (taken.sheet)
    m->did->sheets++;
  else if (taken.already)
    m->did->already++;
  else if (taken.state == CQ_RECEIPT_OPENED)
    m->did->batches++;
  else if (taken.state == CQ_RECEIPT_HELD)
    m->did->held++;
  else
    m->did->refused++;
  if (taken.state != CQ_RECEIPT_OPENED && m->watch->apart) m->watch->apart(m->watch->context, file, &taken);
  m->pending_bytes += opened->kept;
  size_t most = m->watch->at_once ? m->watch->at_once : BATCHES_AT_ONCE;
  bool enough = ++m->pending_batches >= most || m->pending_bytes >= BYTES_AT_ONCE;
  return enough ? commit(m, true, error) : CQ_OK;
}

static cq_status merge_all(merging *m, const cq_parcel *parcels, size_t count, cq_error *error) {
  cq_status status = CQ_OK;
  size_t next = 0, waiting = 0;
  while (status == CQ_OK && (next < count || waiting)) {
    if (next < count && (!m->ahead || cq_ahead_room(m->ahead))) {
      bool asked = false;
      if (parcels[next].kind == CQ_PARCEL_BATCH) status = ask(m, &parcels[next], &asked, error);
      waiting += asked;
      next++;
    } else {
      status = merge_next(m, error);
      waiting--;
    }
    if (m->watch->more && !m->watch->more(m->watch->context, next - waiting, count)) break;
  }
  return status;
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
  if (status == CQ_OK) status = merge_all(&m, parcels, count, error);
  cq_ahead_free(m.ahead);
  if (status == CQ_OK) status = commit(&m, false, error);
  if (status == CQ_OK) status = cq_erasure_settle(desk, &merged->orders, error);
  if (status == CQ_OK) status = cq_receipts_write(desk, &merged->receipts, error);
  cq_taker_free(m.taker);
  if (status != CQ_OK && !sqlite3_get_autocommit(desk->db)) cq_desk_exec(desk, "ROLLBACK", NULL);
  cq_buf_fini(&m.folder);
  free(parcels);
  return status;
}
