/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/admit.h"
#include "chasqui/batch.h"
#include "chasqui/file.h"
#include "chasqui/order.h"

#include <stdlib.h>
#include <string.h>

static cq_status store(courier *c, cq_str bytes, const cq_device_id *device, uint64_t number, const cq_hash *hash,
                       admitted *out, cq_error *error) {
  cq_parcel_file_name(out->name, out->kind, device, number, hash);
  return cq_parcel_write(c->inbox.at, out->name, bytes.at, bytes.size, &out->fresh, NULL, error);
}

/* A receipt by whatever road says that the file needs not be carried any more; its name follows from the receipt. */
static cq_status remember_delivered(courier *c, const cq_receipt *r, cq_error *error) {
  for (size_t i = 0; i < r->count; i++) {
    const cq_receipt_batch *batch = &r->batches[i];
    char name[96];
    if (batch->state != CQ_RECEIPT_KEPT && batch->state != CQ_RECEIPT_OPENED) continue;
    cq_batch_file_name(name, &r->device, batch->number, &batch->hash);
    if (!courier_remember(c, name, FILE_KEPT, NULL)) return cq_error_nomem(error);
  }
  return CQ_OK;
}

/* A batch that is held is asked about at each push: only the first word of it is worth a file. */
static bool is_news(const courier *c, const cq_receipt *r) {
  for (size_t i = 0; i < r->count; i++) {
    char name[96];
    cq_batch_file_name(name, &r->device, r->batches[i].number, &r->batches[i].hash);
    if (r->batches[i].state != CQ_RECEIPT_HELD || courier_file_state(c, name) != FILE_HELD) return true;
  }
  return false;
}

cq_status admit_receipt(courier *c, cq_str bytes, cq_receipt *r, admitted *out, cq_error *error) {
  const cq_trust *trust;
  cq_status status = courier_trust(c, &trust, error);
  if (!status) status = cq_receipt_read(r, bytes.at, bytes.size, trust, error);
  if (status) return status;
  cq_hash hash = cq_hash_of(bytes.at, bytes.size);
  *out = (admitted){.kind = CQ_PARCEL_RECEIPT};
  if (!is_news(c, r)) return CQ_OK;
  status = store(c, bytes, &r->device, 0, &hash, out, error);
  return status ? status : remember_delivered(c, r, error);
}

static cq_status admit_any_receipt(courier *c, cq_str bytes, admitted *out, cq_error *error) {
  cq_receipt *r = malloc(sizeof *r);
  cq_status status = r ? admit_receipt(c, bytes, r, out, error) : cq_error_nomem(error);
  free(r);
  return status;
}

static cq_status admit_bundle(courier *c, cq_str bytes, const cq_hash *hash, admitted *out, cq_error *error) {
  const cq_trust *trust;
  cq_bundle *next = NULL;
  bool newer = false;
  cq_status status = courier_trust(c, &trust, error);
  if (!status) status = cq_bundle_read(&next, bytes.at, bytes.size, &trust->programme, error);
  if (!status) status = cq_bundle_succeeds(next, c->bundle, &newer, error);
  if (!status && newer) {
    status = store(c, bytes, NULL, cq_bundle_content_of(next)->number, hash, out, error);
    if (!status) {
      cq_bundle *old = c->bundle;
      c->bundle = next;
      next = old;
    }
  }
  cq_bundle_free(next);
  return status;
}

static cq_status admit_chain(courier *c, cq_str bytes, const cq_hash *hash, admitted *out, cq_error *error) {
  const cq_trust *trust;
  cq_chain chain;
  cq_certificate device;
  cq_status status = courier_trust(c, &trust, error);
  if (!status) status = cq_chain_read(&chain, bytes.at, bytes.size, error);
  if (!status) status = cq_chain_check(&device, &chain, CQ_ROLE_DEVICE, trust, error);
  if (status) return status;
  cq_device_id id = cq_device_id_of(&device.sign);
  return store(c, bytes, &id, 0, hash, out, error);
}

static cq_status admit_order(courier *c, cq_str bytes, admitted *out, cq_error *error) {
  const cq_trust *trust;
  cq_arena *arena = cq_arena_new(4 << 20);
  cq_order order;
  cq_hash name;
  cq_status status = arena ? courier_trust(c, &trust, error) : cq_error_nomem(error);
  if (!status) status = cq_order_read(&order, &name, bytes, arena, trust, error);
  if (!status) status = store(c, bytes, &order.device, 0, &name, out, error);
  cq_arena_free(arena);
  return status;
}

/* --- contact sheets: of those to one laptop the newest alone is kept (docs/formats/sheet.md) --- */

static bool same_recipients(const cq_batch_header *a, const cq_batch_header *b) {
  return cq_device_id_equal(&a->device, &b->device) && a->recipient_count == b->recipient_count &&
         memcmp(a->recipient, b->recipient, a->recipient_count * sizeof *a->recipient) == 0;
}

/* Verified again: a file that somebody laid there must not keep true ones out. */
static bool is_sheet(const courier *c, const cq_parcel *parcel, cq_buf *path, cq_batch_header *header) {
  const cq_trust *trust;
  cq_buf bytes = {0};
  cq_hash hash;
  cq_standing standing = CQ_STANDING_UNKNOWN;
  const char *why;
  bool right = courier_trust(c, &trust, NULL) == CQ_OK &&
               cq_file_path(path, c->inbox.at, parcel->name, NULL) == CQ_OK &&
               cq_file_read(path->at, CQ_BATCH_MAX_SIZE, &bytes, NULL) == CQ_OK &&
               cq_batch_verify(header, &hash, &standing, &why, bytes.at, bytes.size, trust, NULL) == CQ_OK;
  cq_buf_fini(&bytes);
  return right && standing == CQ_STANDING_CERTIFIED;
}

/* *newest: none that is newer is here. With `drop` the older ones are removed. */
static cq_status compare_sheets(courier *c, const cq_batch_header *sheet, bool drop, bool *newest, cq_error *error) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_buf path = {0};
  *newest = true;
  cq_status status = cq_parcel_list(&parcels, &count, c->inbox.at, error);
  for (size_t i = 0; i < count && !status; i++) {
    cq_batch_header other;
    if (parcels[i].kind != CQ_PARCEL_BATCH || parcels[i].number == sheet->number) continue;
    if (!cq_device_id_equal(&parcels[i].device, &sheet->device)) continue;
    /* what is not right there is for the collector to name */
    if (!is_sheet(c, &parcels[i], &path, &other) || !same_recipients(&other, sheet)) continue;
    if (other.number > sheet->number)
      *newest = false;
    else if (drop)
      status = cq_file_remove(path.at, error);
  }
  free(parcels);
  cq_buf_fini(&path);
  return status;
}

static cq_status store_sheet(courier *c, cq_str bytes, const cq_batch_header *sheet, const cq_hash *hash, admitted *out,
                             cq_error *error) {
  bool newest;
  cq_status status = compare_sheets(c, sheet, false, &newest, error);
  if (status || !newest) return status;
  status = store(c, bytes, &sheet->device, sheet->number, hash, out, error);
  return status ? status : compare_sheets(c, sheet, true, &newest, error);
}

static cq_status admit_batch(courier *c, cq_str bytes, admitted *out, cq_error *error) {
  const cq_trust *trust;
  cq_batch_header header;
  cq_hash hash;
  cq_standing standing;
  const char *why;
  cq_status status = courier_trust(c, &trust, error);
  if (!status) status = cq_batch_verify(&header, &hash, &standing, &why, bytes.at, bytes.size, trust, error);
  if (status) return status;
  cq_certificate signer;
  bool by_desk =
      standing == CQ_STANDING_CERTIFIED && header.chain.count > 0 &&
      cq_certificate_read(&signer, header.chain.link[header.chain.count - 1], CQ_CERTIFICATE_SIZE, NULL) == CQ_OK &&
      signer.role == CQ_ROLE_DESK;
  if (by_desk && c->is_desk) return CQ_OK; /* its own */
  if (by_desk) return store_sheet(c, bytes, &header, &hash, out, error);
  if (!c->is_desk) return cq_error_set(error, CQ_REFUSED, "sync.item.kind", NULL);
  return store(c, bytes, &header.device, header.number, &hash, out, error);
}

cq_status admit(courier *c, cq_str bytes, const cq_hash *wanted, admitted *out, cq_error *error) {
  cq_hash hash = cq_hash_of(bytes.at, bytes.size);
  *out = (admitted){.kind = cq_parcel_kind_of(bytes.at, bytes.size)};
  if (wanted && !cq_hash_equal(&hash, wanted)) return cq_error_set(error, CQ_DAMAGED, "sync.item.hash", NULL);
  switch (out->kind) {
  case CQ_PARCEL_BUNDLE: return admit_bundle(c, bytes, &hash, out, error);
  case CQ_PARCEL_RECEIPT: return admit_any_receipt(c, bytes, out, error);
  case CQ_PARCEL_CHAIN: return admit_chain(c, bytes, &hash, out, error);
  case CQ_PARCEL_ORDER: return admit_order(c, bytes, out, error);
  case CQ_PARCEL_BATCH: return admit_batch(c, bytes, out, error);
  case CQ_PARCEL_KEY:
  case CQ_PARCEL_NONE: break;
  }
  return cq_error_set(error, CQ_REFUSED, "sync.item.kind", NULL);
}
