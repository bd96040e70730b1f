/* SPDX-License-Identifier: Apache-2.0 */
/* What the courier brought. Everything here is verified against the bundle in force before it is believed. */
#include "collector/laptop.h"

#include "chasqui/file.h"
#include "chasqui/order.h"
#include "collector/names.h"

#include <stdlib.h>
#include <string.h>

/* --- bundles --- */

static cq_status take_bundle(cq_laptop *laptop, cq_str bytes, cq_inbox_report *report, cq_error *error) {
  cq_bundle *next = NULL;
  bool newer = false;
  cq_programme_id pinned = cq_bundle_content_of(laptop->bundle)->programme;
  cq_status status = cq_bundle_read(&next, bytes.at, bytes.size, &pinned, error);
  if (status == CQ_OK) status = cq_bundle_succeeds(next, laptop->bundle, &newer, error);
  if (status == CQ_REFUSED && error && error->code && strcmp(error->code, "bundle.older") == 0) {
    /* An old stick is nothing to complain about. */
    cq_bundle_free(next);
    return CQ_OK;
  }
  cq_programme *programme = NULL;
  if (status == CQ_OK && newer)
    status = cq_programme_parse(&programme, cq_bundle_content_of(next)->programme_json, false, error);
  if (status == CQ_OK && newer) status = cq_laptop_adopt(laptop->store, laptop->home, next, bytes, CQ_STR(""), error);
  if (status == CQ_OK && newer) {
    cq_bundle_free(laptop->bundle);
    cq_programme_free(laptop->programme);
    laptop->bundle = next;
    laptop->programme = programme;
    report->bundles++;
    return laptop->names.number == 0 ? cq_names_load(laptop, error) : CQ_OK;
  }
  cq_programme_free(programme);
  cq_bundle_free(next);
  return status;
}

/* --- the certificate --- */

static cq_status keep_chain(cq_laptop *laptop, const cq_chain *chain, cq_inbox_report *report, cq_error *error) {
  cq_certificate last;
  cq_buf bytes = {0};
  cq_status status = cq_chain_check(&last, chain, CQ_ROLE_DEVICE, cq_bundle_trust(laptop->bundle), error);
  if (status != CQ_OK) return status;
  /* Others' certificates come by on shared sticks. */
  if (memcmp(last.sign.at, laptop->sign_key.at, sizeof last.sign.at) != 0) return CQ_OK;
  if (memcmp(chain, &laptop->chain, sizeof *chain) == 0) return CQ_OK;
  cq_chain_write(&bytes, chain);
  status = bytes.failed ? cq_error_nomem(error) : cq_store_set(laptop->store, "certificate", cq_buf_str(&bytes), error);
  cq_buf_fini(&bytes);
  if (status != CQ_OK) return status;
  laptop->chain = *chain;
  report->certificates++;
  return CQ_OK;
}

static cq_status take_chain(cq_laptop *laptop, cq_str bytes, cq_inbox_report *report, cq_error *error) {
  cq_chain chain = {0};
  cq_status status = cq_chain_read(&chain, bytes.at, bytes.size, error);
  return status == CQ_OK ? keep_chain(laptop, &chain, report, error) : status;
}

/* The bundle lists every certified device: a laptop that only sees bundles learns of its own there. */
static cq_status look_in_bundle(cq_laptop *laptop, cq_inbox_report *report, cq_error *error) {
  cq_device_id self = cq_device_id_of(&laptop->sign_key);
  const cq_chain *chain = cq_bundle_device(laptop->bundle, &self);
  return chain && laptop->chain.count == 0 ? keep_chain(laptop, chain, report, error) : CQ_OK;
}

/* --- receipts --- */

static cq_status take_receipt(cq_laptop *laptop, cq_str bytes, cq_inbox_report *report, cq_error *error) {
  cq_receipt *receipt = malloc(sizeof *receipt);
  if (!receipt) return cq_error_nomem(error);
  cq_status status = cq_receipt_read(receipt, bytes.at, bytes.size, cq_bundle_trust(laptop->bundle), error);
  bool ours = false;
  for (size_t i = 0; status == CQ_OK && i < receipt->count; i++) {
    cq_receipt_state state = receipt->batches[i].state;
    if (state == CQ_RECEIPT_KEPT || state == CQ_RECEIPT_OPENED)
      status = cq_store_receipt(laptop->store, receipt->batches[i].hash.at,
                                state == CQ_RECEIPT_OPENED ? CQ_STORE_BATCH_OPENED : CQ_STORE_BATCH_KEPT, bytes, error);
    else
      status = cq_store_word(laptop->store, receipt->batches[i].hash.at,
                             (uint8_t)((unsigned)state | (unsigned)receipt->batches[i].reason << 4),
                             receipt->signer == CQ_ROLE_DESK, receipt->made_utc_ms, bytes, error);
    if (status == CQ_OK) ours = true;
    if (status == CQ_NOTFOUND) status = CQ_OK; /* another laptop's */
  }
  if (status == CQ_OK && ours) report->receipts++;
  free(receipt);
  return status;
}

/* --- orders --- */

/* For the desk, which is told at the next packing. */
static cq_status note_obeyed(cq_laptop *laptop, const cq_order *order, const cq_hash *name, cq_error *error) {
  cq_buf bytes = {0};
  for (size_t i = 0; i < laptop->obeyed_count; i++)
    if (cq_hash_equal(&laptop->obeyed[i].order, name)) return CQ_OK; /* in the bundle and in the inbox */
  cq_obeyed *more = realloc(laptop->obeyed, (laptop->obeyed_count + 1) * sizeof *more);
  if (!more) return cq_error_nomem(error);
  laptop->obeyed = more;
  cq_obeyed *it = &more[laptop->obeyed_count];
  *it = (cq_obeyed){.order = *name, .batch_count = order->batch_count};
  if (it->batch_count > 0 && !(it->batches = malloc(it->batch_count * sizeof *it->batches)))
    return cq_error_nomem(error);
  if (it->batch_count > 0) memcpy(it->batches, order->batches, it->batch_count * sizeof *it->batches);
  laptop->obeyed_count++;
  /* one that was here has left its row */
  for (size_t i = 0; i < order->target_count; i++)
    it->held += cq_store_record_bytes(laptop->store, order->targets[i].at, &bytes, NULL) == CQ_REFUSED;
  cq_buf_fini(&bytes);
  return CQ_OK;
}

static cq_status take_order(cq_laptop *laptop, cq_str bytes, cq_inbox_report *report, cq_error *error) {
  cq_order order;
  cq_hash name;
  cq_arena *arena = cq_arena_new(CQ_ORDER_LIMIT * 4);
  if (!arena) return cq_error_nomem(error);
  cq_status status = cq_order_read(&order, &name, bytes, arena, cq_bundle_trust(laptop->bundle), error);
  for (size_t i = 0; status == CQ_OK && order.kind == CQ_ORDER_ERASE && i < order.target_count; i++) {
    if (cq_store_erased(laptop->store, order.targets[i].at)) continue;
    status = cq_store_erase(laptop->store, order.targets[i].at, bytes, error);
    report->erased++;
  }
  if (status == CQ_OK && order.kind == CQ_ORDER_ERASE) status = note_obeyed(laptop, &order, &name, error);
  cq_arena_free(arena);
  return status;
}

static cq_status take_orders_of_bundle(cq_laptop *laptop, cq_inbox_report *report, cq_error *error) {
  const cq_bundle_content *content = cq_bundle_content_of(laptop->bundle);
  cq_status status = CQ_OK;
  for (size_t i = 0; status == CQ_OK && i < content->order_count; i++)
    status = take_order(laptop, content->orders[i].bytes, report, error);
  return status;
}

/* --- contact sheets --- */

static cq_status take_sheet(cq_laptop *laptop, cq_str bytes, cq_inbox_report *report, cq_error *error) {
  bool fresh = false;
  cq_error why;
  cq_error_clear(&why);
  cq_status status = cq_names_take(laptop, bytes, &fresh, &why);
  report->sheets += fresh;
  if (status == CQ_NOTFOUND && why.code && strcmp(why.code, "sheet.other") == 0) {
    report->others++; /* it stays for the courier, who may bring it on */
    return CQ_OK;
  }
  if (status != CQ_OK && error) *error = why;
  return status;
}

/* --- the folder --- */

static cq_status take_file(cq_laptop *laptop, const char *folder, const cq_parcel *parcel, cq_inbox_report *report,
                           cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_status status = cq_file_path(&path, folder, parcel->name, error);
  if (status == CQ_OK) status = cq_file_read(path.at, CQ_BATCH_MAX_SIZE, &bytes, error);
  cq_str content = cq_buf_str(&bytes);
  if (status == CQ_OK) {
    switch (cq_parcel_kind_of(content.at, content.size)) {
    case CQ_PARCEL_BUNDLE: status = take_bundle(laptop, content, report, error); break;
    case CQ_PARCEL_CHAIN: status = take_chain(laptop, content, report, error); break;
    case CQ_PARCEL_RECEIPT: status = take_receipt(laptop, content, report, error); break;
    case CQ_PARCEL_ORDER: status = take_order(laptop, content, report, error); break;
    case CQ_PARCEL_BATCH: status = take_sheet(laptop, content, report, error); break;
    default: break; /* nothing for a laptop */
    }
  }
  if (status != CQ_OK) cq_error_at_file(error, path.at);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* What ends the work, apart from one bad file. */
static bool ends_work(cq_status status) {
  return status == CQ_NOMEM || status == CQ_CANCELLED;
}

cq_status cq_laptop_receive(cq_laptop *laptop, cq_inbox_report *report, cq_error *error) {
  cq_buf folder = {0};
  cq_parcel *parcels = NULL;
  size_t count = 0;
  *report = (cq_inbox_report){0};
  cq_status status = cq_home_folder(&folder, laptop->home, CQ_FOLDER_INBOX, error);
  if (status == CQ_OK) status = cq_parcel_list(&parcels, &count, folder.at, error);
  /* Bundles first: they bring the keys and certificates by which the rest is judged. */
  for (int round = 0; status == CQ_OK && round < 2; round++) {
    for (size_t i = 0; status == CQ_OK && i < count; i++) {
      if ((parcels[i].kind == CQ_PARCEL_BUNDLE) != (round == 0)) continue;
      cq_error why;
      cq_error_clear(&why);
      cq_status one = take_file(laptop, folder.at, &parcels[i], report, &why);
      if (one == CQ_OK) continue;
      if (report->refused < CQ_INBOX_TOLD) report->why[report->refused] = why;
      report->refused++;
      if (ends_work(one)) status = one;
    }
    if (status == CQ_OK && round == 0) status = look_in_bundle(laptop, report, error);
    if (status == CQ_OK && round == 0) status = take_orders_of_bundle(laptop, report, error);
  }
  if (status != CQ_OK && error && !error->code && report->refused > 0) *error = report->why[0];
  free(parcels);
  cq_buf_fini(&folder);
  return status;
}
