/* SPDX-License-Identifier: Apache-2.0 */
#include "chasqui/outbox.h"
#include "batch/layout.h"
#include "chasqui/file.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEVICE_DIGITS = 32, HASH_DIGITS = 8, ORDER_DIGITS = 16, MAX_PARCELS = 1000000, MAX_FILE = 64 << 20 };

static const struct {
  const char *magic, *extension;
} kinds[] = {
    [CQ_PARCEL_NONE] = {NULL, NULL},        [CQ_PARCEL_BATCH] = {"CHQB", ".chq"}, [CQ_PARCEL_BUNDLE] = {"CHQP", ".chp"},
    [CQ_PARCEL_RECEIPT] = {"CHQR", ".chr"}, [CQ_PARCEL_CHAIN] = {"CHQC", ".chc"}, [CQ_PARCEL_ORDER] = {"CHQO", ".cho"},
    [CQ_PARCEL_KEY] = {"chas", ".key"}};
enum { KINDS = sizeof kinds / sizeof *kinds };

cq_parcel_kind cq_parcel_kind_of(const void *bytes, size_t size) {
  for (size_t i = 1; i < KINDS; i++)
    if (size >= 4 && memcmp(bytes, kinds[i].magic, 4) == 0) return (cq_parcel_kind)i;
  return CQ_PARCEL_NONE;
}

const char *cq_parcel_extension(cq_parcel_kind kind) {
  return (size_t)kind < KINDS ? kinds[kind].extension : NULL;
}

void cq_batch_file_name(char out[96], const cq_device_id *device, uint64_t number, const cq_hash *hash) {
  cq_parcel_file_name(out, CQ_PARCEL_BATCH, device, number, hash);
}

void cq_parcel_file_name(char out[96], cq_parcel_kind kind, const cq_device_id *device, uint64_t number,
                         const cq_hash *hash) {
  char id[33] = "", hex[65];
  cq_hash_hex(hash, hex);
  if (device) cq_device_id_hex(device, id);
  const char *extension = cq_parcel_extension(kind) ? cq_parcel_extension(kind) : "";
  switch (kind) {
  case CQ_PARCEL_BATCH:
    snprintf(out, 96, "%s-%08llu-%.*s%s", id, (unsigned long long)number, HASH_DIGITS, hex, extension);
    break;
  case CQ_PARCEL_BUNDLE:
    snprintf(out, 96, "programme-%08llu-%.*s%s", (unsigned long long)number, HASH_DIGITS, hex, extension);
    break;
  case CQ_PARCEL_ORDER: snprintf(out, 96, "%.*s%s", ORDER_DIGITS, hex, extension); break;
  default: snprintf(out, 96, "%s-%.*s%s", id, HASH_DIGITS, hex, extension); break;
  }
}

/* One piece up to a dash or the end. */
static cq_str piece(cq_str *left) {
  const char *dash = memchr(left->at, '-', left->size);
  cq_str found = {left->at, dash ? (size_t)(dash - left->at) : left->size};
  size_t step = found.size + (dash ? 1 : 0);
  *left = (cq_str){left->at + step, left->size - step};
  return found;
}

static bool number_of(cq_str digits, uint64_t *number) {
  if (digits.size < 8 || digits.size > 20) return false;
  *number = 0;
  for (size_t i = 0; i < digits.size; i++) {
    unsigned digit = (unsigned)(digits.at[i] - '0');
    if (digit > 9 || *number > (UINT64_MAX - digit) / 10) return false;
    *number = *number * 10 + digit;
  }
  return true;
}

static bool stem_parse(cq_parcel *parcel, cq_str stem) {
  cq_str first = piece(&stem);
  switch (parcel->kind) {
  case CQ_PARCEL_BATCH:
    return cq_device_id_parse(first, &parcel->device) && number_of(piece(&stem), &parcel->number) &&
           cq_hex_decode(stem, parcel->hash_start, sizeof parcel->hash_start);
  case CQ_PARCEL_BUNDLE:
    return cq_str_is(first, "programme") && number_of(piece(&stem), &parcel->number) &&
           cq_hex_decode(stem, parcel->hash_start, sizeof parcel->hash_start);
  case CQ_PARCEL_RECEIPT:
  case CQ_PARCEL_CHAIN:
    return cq_device_id_parse(first, &parcel->device) &&
           cq_hex_decode(stem, parcel->hash_start, sizeof parcel->hash_start);
  case CQ_PARCEL_ORDER: {
    uint8_t hash[ORDER_DIGITS / 2];
    if (stem.size != 0 || !cq_hex_decode(first, hash, sizeof hash)) return false;
    memcpy(parcel->hash_start, hash, sizeof parcel->hash_start);
    return true;
  }
  default: return false;
  }
}

bool cq_parcel_name_parse(cq_parcel *parcel, cq_str name) {
  *parcel = (cq_parcel){0};
  if (name.size < 5 || name.size >= sizeof parcel->name) return false;
  memcpy(parcel->name, name.at, name.size);
  cq_str stem = {parcel->name, name.size - 4};
  for (size_t i = 1; i < KINDS; i++)
    if (cq_str_is((cq_str){name.at + stem.size, 4}, kinds[i].extension)) parcel->kind = (cq_parcel_kind)i;
  if (cq_str_is(name, CQ_BUNDLE_FILE)) return true;
  return stem_parse(parcel, stem);
}

static int by_kind_device_number(const void *a, const void *b) {
  const cq_parcel *x = a, *y = b;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  int device = memcmp(x->device.at, y->device.at, sizeof x->device.at);
  if (device != 0) return device;
  if (x->number != y->number) return x->number < y->number ? -1 : 1;
  return strcmp(x->name, y->name);
}

typedef struct list {
  cq_parcel *at;
  size_t count, capacity;
} list;

static cq_status list_add(list *found, const cq_parcel *parcel, cq_error *error) {
  if (found->count == MAX_PARCELS) return cq_error_set(error, CQ_LIMIT, "outbox.many", NULL);
  if (found->count == found->capacity) {
    size_t capacity = found->capacity ? found->capacity * 2 : 64;
    cq_parcel *at = realloc(found->at, capacity * sizeof *at);
    if (!at) return cq_error_nomem(error);
    found->at = at;
    found->capacity = capacity;
  }
  found->at[found->count++] = *parcel;
  return CQ_OK;
}

cq_status cq_parcel_list(cq_parcel **parcels, size_t *count, const char *folder, cq_error *error) {
  *parcels = NULL;
  *count = 0;
  DIR *entries = opendir(folder);
  if (!entries && errno == ENOENT) return CQ_OK;
  if (!entries) return cq_error_io(error, "io.open", folder, errno);
  list found = {0};
  cq_buf path = {0};
  cq_status status = CQ_OK;
  for (const struct dirent *entry; status == CQ_OK && (entry = readdir(entries)) != NULL;) {
    cq_parcel parcel;
    struct stat info;
    if (!cq_parcel_name_parse(&parcel, cq_str_from(entry->d_name))) continue;
    status = cq_file_path(&path, folder, entry->d_name, error);
    if (status != CQ_OK) break;
    /* a file that went away meanwhile, or is none, is passed over */
    if (stat(path.at, &info) != 0 || !S_ISREG(info.st_mode)) continue;
    parcel.size = (uint64_t)info.st_size;
    status = list_add(&found, &parcel, error);
  }
  closedir(entries);
  cq_buf_fini(&path);
  if (status != CQ_OK) {
    free(found.at);
    return status;
  }
  if (found.count > 0) qsort(found.at, found.count, sizeof *found.at, by_kind_device_number);
  *parcels = found.at;
  *count = found.count;
  return CQ_OK;
}

static bool same_file(const char *path, const void *bytes, size_t size) {
  cq_buf there = {0};
  bool same = cq_file_read(path, MAX_FILE, &there, NULL) == CQ_OK && there.size == size &&
              (size == 0 || memcmp(there.at, bytes, size) == 0);
  cq_buf_fini(&there);
  return same;
}

cq_status cq_parcel_write(const char *folder, const char *name, const void *bytes, size_t size, bool *written,
                          cq_buf *path, cq_error *error) {
  cq_buf own = {0};
  cq_buf *at = path ? path : &own;
  cq_status status = cq_file_path(at, folder, name, error);
  bool there = status == CQ_OK && same_file(at->at, bytes, size);
  if (status == CQ_OK && !there) status = cq_file_replace(at->at, bytes, size, 0644, false, error);
  if (written) *written = status == CQ_OK && !there;
  cq_buf_fini(&own);
  return status;
}

cq_status cq_parcel_check(const char *folder, const char *name, uint64_t size, const cq_hash *hash, bool *right,
                          cq_error *error) {
  *right = false;
  cq_buf path = {0}, bytes = {0};
  struct stat info;
  cq_status status = cq_file_path(&path, folder, name, error);
  if (status == CQ_OK && stat(path.at, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == size &&
      size <= MAX_FILE) {
    if (hash) status = cq_file_read(path.at, MAX_FILE, &bytes, error);
    *right = !hash;
    if (status == CQ_OK && hash) {
      cq_hash found = cq_hash_of(bytes.at, bytes.size);
      *right = bytes.size == size && cq_hash_equal(&found, hash);
    }
  }
  cq_buf_fini(&bytes);
  cq_buf_fini(&path);
  return status;
}

cq_status cq_home_path(cq_buf *out, const char *home, cq_folder folder, cq_error *error) {
  static const char *const names[] = {"outbox", "inbox", "sync", "batches", "bundles", "offline"};
  return cq_file_path(out, home, names[folder], error);
}

cq_status cq_home_folder(cq_buf *out, const char *home, cq_folder folder, cq_error *error) {
  cq_status status = cq_home_path(out, home, folder, error);
  return status == CQ_OK ? cq_file_make_folder(out->at, error) : status;
}

/* --- what the courier noted --- */

enum { MAX_STATUS = 16 << 20 };
static const double offset_age_ms = 30.0 * 86400000, offset_most_ms = 50.0 * 365 * 86400000;

/* The newest of all remotes; times as doubles, as JSON has them, exact up to 2⁵³ ms. */
static bool newest_offset(const cJSON *remotes, double now, double *offset) {
  double newest = now - offset_age_ms;
  bool found = false;
  for (const cJSON *remote = remotes ? remotes->child : NULL; remote; remote = remote->next) {
    const cJSON *contact = cJSON_GetObjectItemCaseSensitive(remote, "contact_utc_ms");
    const cJSON *measured = cJSON_GetObjectItemCaseSensitive(remote, "offset_ms");
    if (!cJSON_IsNumber(contact) || !cJSON_IsNumber(measured)) continue;
    double by = measured->valuedouble, then = contact->valuedouble + by; /* by the device's clock */
    if (!(by > -offset_most_ms && by < offset_most_ms) || !(then >= newest && then <= now)) continue;
    newest = then;
    *offset = by;
    found = true;
  }
  return found;
}

bool cq_home_clock_offset(const char *home, int64_t now_utc_ms, int64_t *offset_ms) {
  cq_buf path = {0}, bytes = {0};
  double offset = 0;
  bool found = false;
  if (cq_file_path(&path, home, "sync/status.json", NULL) == CQ_OK &&
      cq_file_read(path.at, MAX_STATUS, &bytes, NULL) == CQ_OK && bytes.size > 0) {
    cJSON *status = cJSON_ParseWithLength(bytes.at, bytes.size);
    found = newest_offset(cJSON_GetObjectItemCaseSensitive(status, "remotes"), (double)now_utc_ms, &offset);
    cJSON_Delete(status);
  }
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  if (found) *offset_ms = (int64_t)offset;
  return found;
}
