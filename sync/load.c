/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/load.h"
#include "chasqui/file.h"

#include <stdlib.h>
#include <string.h>

/* In a laptop's home batches alone are carried up; at the desk all that is signed, under its own name. */
static bool is_cargo(const courier *c, const cq_parcel *parcel) {
  if (parcel->kind == CQ_PARCEL_BATCH) return true;
  if (strcmp(parcel->name, CQ_BUNDLE_FILE) == 0) return false;
  return c->is_desk && parcel->kind != CQ_PARCEL_NONE && parcel->kind != CQ_PARCEL_KEY;
}

static cq_status add_device(load *l, const cq_device_id *device, cq_error *error) {
  for (size_t i = 0; i < l->device_count; i++) {
    if (cq_device_id_equal(&l->devices[i], device)) return CQ_OK;
  }
  if (l->device_count == CQ_PROTOCOL_MAX_DEVICES) return CQ_OK;
  cq_device_id *more = realloc(l->devices, (l->device_count + 1) * sizeof *more);
  if (!more) return cq_error_nomem(error);
  l->devices = more;
  more[l->device_count++] = *device;
  return CQ_OK;
}

static cq_status add_parcel(load *l, courier *c, const cq_parcel *parcel, bool is_carried, load_which which,
                            cq_error *error) {
  if (parcel->kind == CQ_PARCEL_BATCH && !c->is_desk) {
    cq_status status = add_device(l, &parcel->device, error);
    if (status) return status;
  }
  if (!is_cargo(c, parcel)) return CQ_OK;
  file_state state = courier_file_state(c, parcel->name);
  bool refused = state == FILE_REFUSED || state == FILE_ERASED;
  if ((state == FILE_KEPT && which != LOAD_ALL) || (refused && which == LOAD_WAITING)) {
    l->settled++;
    return CQ_OK;
  }
  l->items[l->count++] = (load_item){.parcel = *parcel, .is_carried = is_carried};
  return CQ_OK;
}

/* Smallest first, so that most are through before a line breaks; of the same size class the oldest first. */
static int by_size_and_age(const void *a, const void *b) {
  const load_item *x = a, *y = b;
  uint64_t big_x = x->parcel.size >> 16, big_y = y->parcel.size >> 16;
  if (big_x != big_y) return big_x < big_y ? -1 : 1;
  if (x->parcel.number != y->parcel.number) return x->parcel.number < y->parcel.number ? -1 : 1;
  return strcmp(x->parcel.name, y->parcel.name);
}

cq_status load_open(load *l, courier *c, load_which which, cq_error *error) {
  cq_parcel *own = NULL, *carried = NULL, *all = NULL;
  size_t own_count = 0, carried_count = 0;
  const cq_device_id everybody = {0};
  memset(l, 0, sizeof *l);
  cq_status status = cq_parcel_list(&own, &own_count, c->outbox.at, error);
  if (!status) status = cq_parcel_list(&carried, &carried_count, c->carried.at, error);
  if (!status) status = add_device(l, &everybody, error);
  if (status) goto out;
  size_t count = own_count + carried_count;
  l->items = malloc((count + 1) * sizeof *l->items);
  all = malloc((count + 1) * sizeof *all);
  if (!l->items || !all) {
    status = cq_error_nomem(error);
    goto out;
  }
  if (own_count) memcpy(all, own, own_count * sizeof *all);
  if (carried_count) memcpy(all + own_count, carried, carried_count * sizeof *all);
  for (size_t i = 0; i < count && !status; i++) status = add_parcel(l, c, &all[i], i >= own_count, which, error);
  if (status) goto out;
  qsort(l->items, l->count, sizeof *l->items, by_size_and_age);
  courier_forget_gone(c, all, count);
out:
  free(own);
  free(carried);
  free(all);
  return status;
}

void load_close(load *l) {
  free(l->items);
  free(l->devices);
  memset(l, 0, sizeof *l);
}

cq_status load_read(const courier *c, load_item *item, cq_buf *bytes, cq_error *error) {
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, item->is_carried ? c->carried.at : c->outbox.at, item->parcel.name, error);
  if (!status) status = cq_file_read(path.at, CQ_PROTOCOL_MAX_ITEM, bytes, error);
  if (!status && cq_hash_is_zero(&item->hash)) {
    item->hash = cq_hash_of(bytes->at, bytes->size);
    /* Orders are named after what they order; of all others the name holds the start of the hash. */
    bool named = item->parcel.kind == CQ_PARCEL_ORDER ||
                 memcmp(item->hash.at, item->parcel.hash_start, sizeof item->parcel.hash_start) == 0;
    item->damaged = !named;
  }
  if (!status && item->damaged) status = cq_error_set(error, CQ_DAMAGED, "sync.item.name", item->parcel.name, NULL);
  cq_buf_fini(&path);
  return status;
}
