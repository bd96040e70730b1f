/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/home.h"
#include "chasqui/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JSON_LIMIT = 64 << 20 };

/* --- JSON files --- */
/* A file that is not there is `otherwise` (taken over). */
static cq_status read_json(const courier *c, const char *name, cJSON *otherwise, cJSON **out, cq_error *error) {
  cq_buf path = {0}, text = {0};
  cq_status status = otherwise ? cq_file_path(&path, c->sync.at, name, error) : cq_error_nomem(error);
  *out = otherwise;
  if (!status && access(path.at, F_OK) == 0) {
    status = cq_file_read(path.at, JSON_LIMIT, &text, error);
    cJSON *json = status ? NULL : cJSON_ParseWithLength(text.at, text.size);
    if (!status && (!json || json->type != otherwise->type)) {
      cJSON_Delete(json);
      status = cq_error_set(error, CQ_DAMAGED, "sync.file.damaged", path.at, NULL);
    } else if (!status) {
      cJSON_Delete(otherwise);
      *out = json;
    }
  }
  cq_buf_fini(&path);
  cq_buf_fini(&text);
  return status;
}

static cq_status write_json(const courier *c, const char *name, const cJSON *json, cq_error *error) {
  cq_buf path = {0};
  char *text = cJSON_Print(json);
  cq_status status = text ? cq_file_path(&path, c->sync.at, name, error) : cq_error_nomem(error);
  if (!status) status = cq_file_replace(path.at, text, strlen(text), 0600, false, error);
  cJSON_free(text);
  cq_buf_fini(&path);
  return status;
}

cq_status courier_save_status(courier *c, cq_error *error) {
  return write_json(c, "status.json", c->status, error);
}

cq_status courier_save_remotes(courier *c, cq_error *error) {
  return write_json(c, "remotes.json", c->remotes, error);
}

/* --- opening --- */
static cq_status take_lock(courier *c, cq_error *error) {
  cq_buf path = {0};
  cq_status status = cq_file_path(&path, c->sync.at, "lock", error);
  if (!status) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    c->lock = open(path.at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock < 0)
      status = cq_error_io(error, "io.open", path.at, errno);
    else if (fcntl(c->lock, F_SETLK, &whole) != 0)
      status = cq_error_set(error, CQ_BUSY, "sync.busy", c->home, NULL);
  }
  cq_buf_fini(&path);
  return status;
}

static cq_status read_bundle(cq_bundle **bundle, const char *folder, const char *name, const cq_programme_id *pinned,
                             cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_status status = cq_file_path(&path, folder, name, error);
  if (!status && access(path.at, F_OK) == 0) {
    status = cq_file_read(path.at, CQ_BUNDLE_MAX_SIZE, &bytes, error);
    if (!status) status = cq_bundle_read(bundle, bytes.at, bytes.size, pinned, error);
    if (status) cq_error_at_file(error, path.at);
  }
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* Bundles that came home and succeed the pinned one: its posts, devices and revocations are the newest known. */
static cq_status read_newer_bundles(courier *c, cq_error *error) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_status status = cq_parcel_list(&parcels, &count, c->inbox.at, error);
  for (size_t i = 0; i < count && !status; i++) {
    const cq_bundle_content *now = cq_bundle_content_of(c->bundle);
    if (parcels[i].kind != CQ_PARCEL_BUNDLE || parcels[i].number <= now->number) continue;
    cq_bundle *next = NULL;
    bool newer = false;
    /* One that cannot be believed is passed over: the inbox is the courier's own, but disks are not eternal. */
    if (read_bundle(&next, c->inbox.at, parcels[i].name, &now->programme, NULL) == CQ_OK && next &&
        cq_bundle_succeeds(next, c->bundle, &newer, NULL) == CQ_OK && newer) {
      cq_bundle_free(c->bundle);
      c->bundle = next;
    } else {
      cq_bundle_free(next);
    }
  }
  free(parcels);
  return status;
}

/* A desk's outbox holds its newest bundle under its number. */
static cq_status read_own_bundle(courier *c, cq_error *error) {
  cq_parcel *parcels = NULL;
  size_t count = 0;
  cq_status status = cq_parcel_list(&parcels, &count, c->outbox.at, error);
  for (size_t i = 0; i < count && !status && !c->bundle; i++) {
    if (parcels[i].kind == CQ_PARCEL_BUNDLE) {
      status = read_bundle(&c->bundle, c->outbox.at, parcels[i].name, NULL, error);
    }
  }
  free(parcels);
  return status;
}

/* Who only looks makes none. */
static cq_status open_folders(courier *c, bool make, cq_error *error) {
  cq_status (*folder)(cq_buf *, const char *, cq_folder, cq_error *) = make ? cq_home_folder : cq_home_path;
  cq_buf path = {0};
  cq_status status = folder(&c->outbox, c->home, CQ_FOLDER_OUTBOX, error);
  if (!status) status = folder(&c->inbox, c->home, CQ_FOLDER_INBOX, error);
  if (!status) status = folder(&c->sync, c->home, CQ_FOLDER_SYNC, error);
  if (!status) status = cq_file_path(&c->carried, c->sync.at, "carried", error);
  if (!status) status = cq_file_path(&path, c->home, CQ_PASS_FILE, error);
  if (!status) c->is_desk = access(path.at, F_OK) == 0;
  cq_buf_fini(&path);
  return status;
}

cq_status courier_open(courier *c, const char *home, bool alone, cq_error *error) {
  memset(c, 0, sizeof *c);
  c->lock = -1;
  c->home = strdup(home);
  cq_status status = c->home ? open_folders(c, alone, error) : cq_error_nomem(error);
  if (!status && alone) status = take_lock(c, error);
  if (!status) status = read_bundle(&c->bundle, c->outbox.at, CQ_BUNDLE_FILE, NULL, error);
  if (!status && !c->bundle && c->is_desk) status = read_own_bundle(c, error);
  if (!status && !c->bundle) status = read_bundle(&c->bundle, c->sync.at, CQ_BUNDLE_FILE, NULL, error);
  if (!status && c->bundle) status = read_newer_bundles(c, error);
  if (!status) status = read_json(c, "remotes.json", cJSON_CreateArray(), &c->remotes, error);
  if (!status) status = read_json(c, "status.json", cJSON_CreateObject(), &c->status, error);
  return status;
}

void courier_close(courier *c) {
  if (c->lock >= 0) close(c->lock);
  cJSON_Delete(c->remotes);
  cJSON_Delete(c->status);
  cq_bundle_free(c->bundle);
  cq_buf_fini(&c->outbox);
  cq_buf_fini(&c->inbox);
  cq_buf_fini(&c->sync);
  cq_buf_fini(&c->carried);
  free(c->home);
  memset(c, 0, sizeof *c);
  c->lock = -1;
}

cq_status courier_trust(const courier *c, const cq_trust **trust, cq_error *error) {
  if (!c->bundle) return cq_error_set(error, CQ_NOTFOUND, "sync.programme.none", c->home, NULL);
  *trust = cq_bundle_trust(c->bundle);
  return CQ_OK;
}

/* --- remotes --- */
static const char *text_of(const cJSON *object, const char *key) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* The programme's own posts, put into remotes.json's place for this run. */
static cq_status programme_posts(courier *c, cq_error *error) {
  cq_programme *programme = NULL;
  if (!c->bundle) return CQ_OK;
  cq_status status = cq_programme_parse(&programme, cq_bundle_content_of(c->bundle)->programme_json, false, error);
  for (size_t i = 0; !status && i < programme->post_count; i++) {
    char *url = strndup(programme->posts[i].at, programme->posts[i].size);
    cJSON *one = cJSON_CreateObject();
    if (!url || !cJSON_AddStringToObject(one, "url", url) || !cJSON_AddItemToArray(c->remotes, one)) {
      cJSON_Delete(one);
      status = cq_error_nomem(error);
    }
    free(url);
  }
  cq_programme_free(programme);
  return status;
}

static size_t remotes_of(const courier *c, bool posts, remote out[REMOTES_MOST]) {
  size_t count = 0;
  const cJSON *one;
  cJSON_ArrayForEach(one, c->remotes) {
    const char *url = text_of(one, "url"), *kind = text_of(one, "kind");
    if (!kind) kind = "post";
    if (!url || count == REMOTES_MOST || (strcmp(kind, "post") == 0) != posts) continue;
    out[count++] = (remote){.url = url, .ca = text_of(one, "ca"), .kind = kind, .user = text_of(one, "user")};
  }
  return count;
}

cq_status courier_remotes(courier *c, remote out[REMOTES_MOST], size_t *count, cq_error *error) {
  *count = remotes_of(c, true, out);
  if (*count == 0) {
    cq_status status = programme_posts(c, error);
    if (status) return status;
    *count = remotes_of(c, true, out);
  }
  return *count ? CQ_OK : cq_error_set(error, CQ_NOTFOUND, "sync.remote.none", c->home, NULL);
}

size_t courier_servers(const courier *c, remote out[REMOTES_MOST]) {
  return remotes_of(c, false, out);
}

/* --- what is remembered --- */
/* The object under `key`, made where it is not there; NULL: out of memory. */
static cJSON *part(cJSON *object, const char *key) {
  cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);
  return found ? found : cJSON_AddObjectToObject(object, key);
}

static const cJSON *remembered(const courier *c, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(c->status, "files"), name);
}

file_state courier_file_state(const courier *c, const char *name) {
  const char *what = cJSON_GetStringValue(remembered(c, name));
  if (!what) return FILE_NEW;
  if (strcmp(what, "kept") == 0) return FILE_KEPT;
  if (strcmp(what, cq_outcome_code(CQ_OUTCOME_ERASED)) == 0) return FILE_ERASED;
  return strcmp(what, "held") == 0 ? FILE_HELD : FILE_REFUSED;
}

const char *courier_file_code(const courier *c, const char *name) {
  const char *what = cJSON_GetStringValue(remembered(c, name));
  return what && courier_file_state(c, name) == FILE_REFUSED ? what : NULL;
}

bool courier_remember(courier *c, const char *name, file_state state, const char *code) {
  cJSON *files = part(c->status, "files");
  if (!files) return false;
  cJSON_DeleteItemFromObjectCaseSensitive(files, name);
  const char *what = state == FILE_KEPT ? "kept" : state == FILE_HELD ? "held" : code;
  return state == FILE_NEW || cJSON_AddStringToObject(files, name, what ? what : "refused") != NULL;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const cq_parcel *)a)->name, ((const cq_parcel *)b)->name);
}

void courier_forget_gone(courier *c, const cq_parcel *parcels, size_t count) {
  cJSON *files = cJSON_GetObjectItemCaseSensitive(c->status, "files");
  cq_parcel *sorted = files && count ? malloc(count * sizeof *sorted) : NULL;
  if (!files || (count && !sorted)) return;
  if (count) {
    memcpy(sorted, parcels, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_name);
  }
  for (cJSON *one = files->child, *next; one; one = next) {
    cq_parcel wanted = {0};
    next = one->next;
    strncpy(wanted.name, one->string, sizeof wanted.name - 1);
    if (count && bsearch(&wanted, sorted, count, sizeof *sorted, by_name)) continue;
    cJSON_Delete(cJSON_DetachItemViaPointer(files, one));
  }
  free(sorted);
}

static cJSON *remote_part(courier *c, const char *url) {
  cJSON *all = part(c->status, "remotes");
  return all ? part(all, url) : NULL;
}

uint64_t courier_cursor(const courier *c, const char *url, const char *what) {
  const cJSON *one = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(c->status, "remotes"), url);
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(one, "cursors"), what);
  return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < 9e15 ? (uint64_t)value->valuedouble
                                                                                       : 0;
}

static bool set_number(cJSON *object, const char *key, double value) {
  if (!object) return false;
  cJSON_DeleteItemFromObjectCaseSensitive(object, key);
  return cJSON_AddNumberToObject(object, key, value) != NULL;
}

bool courier_set_cursor(courier *c, const char *url, const char *what, uint64_t value) {
  cJSON *one = remote_part(c, url);
  return one && set_number(part(one, "cursors"), what, (double)value);
}

bool courier_note(courier *c, const char *url, const char *key, double value) {
  return set_number(remote_part(c, url), key, value);
}

bool courier_note_text(courier *c, const char *url, const char *key, const char *value) {
  cJSON *one = remote_part(c, url);
  if (!one) return false;
  cJSON_DeleteItemFromObjectCaseSensitive(one, key);
  return cJSON_AddStringToObject(one, key, value) != NULL;
}
