/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/post.h"
#include "central/inbox/judge.h"
#include "chasqui/file.h"
#include "chasqui/order.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An item on its way into the index: many threads bring theirs, one of them writes all in one transaction. */
typedef struct pending {
  judged *judged;
  bool done;
  struct pending *next;
} pending;

struct post {
  post_settings settings;
  char *home;
  post_index *index;
  cq_secret *sign;
  cq_sign_key key;
  pthread_rwlock_t bundle_lock;
  cq_bundle *bundle;
  pthread_mutex_t queue_lock;
  pthread_cond_t queue_moved;
  pending *queue;
  bool writing;
  atomic_uint_fast64_t temporary; /* makes the names of temporary files differ */
};

static const char *const folders[] = {"", "bundles", "batches", "held", "items", "uploads"};

static cq_status join_path(const char *home, const char *path, cq_buf *out, cq_error *error) {
  return *path ? cq_file_path(out, home, path, error) : cq_file_path(out, home, ".", error);
}

cq_status post_path(const post *p, const char *path, cq_buf *out, cq_error *error) {
  return join_path(p->home, path, out, error);
}

/* --- the home --- */
static cq_status read_key(const char *home, cq_secret **sign, cq_sign_key *key, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_status status = join_path(home, "post.key", &path, error);
  if (!status && access(path.at, F_OK) != 0) {
    status = cq_error_set(error, CQ_NOTFOUND, "post.home", home, NULL);
  }
  if (!status) status = cq_file_read(path.at, 64, &bytes, error);
  if (!status) {
    *sign = cq_secret_copy(bytes.at, bytes.size);
    status = *sign ? cq_sign_public(key, *sign, error) : cq_error_nomem(error);
  }
  cq_buf_fini(&path);
  cq_buf_fini_secret(&bytes);
  return status;
}

static cq_status write_key(const char *home, const cq_random *random, cq_error *error) {
  cq_buf path = {0};
  cq_secret *sign = NULL;
  cq_sign_key key;
  cq_status status = cq_sign_pair(&key, &sign, random, error);
  if (!status) status = join_path(home, "post.key", &path, error);
  if (!status) {
    status = cq_file_replace(path.at, cq_secret_view(sign), cq_secret_size(sign), 0600, true, error);
  }
  cq_secret_free(sign);
  cq_buf_fini(&path);
  return status;
}

cq_status post_make(const post_settings *settings, cq_sign_key *key, cq_error *error) {
  cq_buf path = {0}, text = {0};
  cq_secret *sign = NULL;
  cq_error missing;
  cq_error_clear(&missing);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < sizeof folders / sizeof *folders && !status; i++) {
    status = join_path(settings->home, folders[i], &path, error);
    if (!status) status = cq_file_make_folder(path.at, error);
  }
  if (!status && read_key(settings->home, &sign, key, &missing) == CQ_NOTFOUND) {
    status = write_key(settings->home, settings->random, error);
  }
  if (!status && !sign) status = read_key(settings->home, &sign, key, error);
  if (!status) {
    cq_post_request_write(&text, key);
    status = text.failed ? cq_error_nomem(error) : join_path(settings->home, "post.request", &path, error);
  }
  if (!status) status = cq_file_replace(path.at, text.at, text.size, 0644, false, error);
  cq_secret_free(sign);
  cq_buf_fini(&path);
  cq_buf_fini(&text);
  return status;
}

static const cq_chain *find_chain(const cq_bundle *bundle, const cq_sign_key *key) {
  const cq_bundle_content *content = cq_bundle_content_of(bundle);
  for (size_t i = 0; i < content->post_count; i++) {
    cq_certificate post_certificate;
    if (cq_chain_check(&post_certificate, &content->posts[i], CQ_ROLE_POST, cq_bundle_trust(bundle), NULL) == CQ_OK &&
        memcmp(post_certificate.sign.at, key->at, sizeof key->at) == 0) {
      return &content->posts[i];
    }
  }
  return NULL;
}

const cq_chain *post_chain_in(const post *p, const cq_bundle *bundle) {
  return find_chain(bundle, &p->key);
}

static void bundle_item(const cq_bundle *bundle, uint64_t size, index_item *item) {
  memset(item, 0, sizeof *item);
  item->kind = CQ_PARCEL_BUNDLE;
  item->outcome = CQ_OUTCOME_KEPT;
  item->hash = cq_bundle_hash(bundle);
  item->number = cq_bundle_content_of(bundle)->number;
  item->size = size;
  char name[96];
  cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, item->number, &item->hash);
  snprintf(item->path, sizeof item->path, "bundles/%s", name);
}

static cq_status load_bundle(const char *home, post_index *index, cq_bundle **bundle, cq_error *error) {
  cq_buf name = {0}, path = {0}, bytes = {0};
  cq_status status = index_setting(index, "bundle", &name, error);
  if (status == CQ_NOTFOUND) cq_error_set(error, CQ_NOTFOUND, "post.unpinned", home, NULL);
  if (!status) status = join_path(home, name.at, &path, error);
  if (!status) status = cq_file_read(path.at, CQ_BUNDLE_MAX_SIZE, &bytes, error);
  if (!status) status = cq_bundle_read(bundle, bytes.at, bytes.size, NULL, error);
  cq_buf_fini(&name);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

cq_status post_open(post **out, const post_settings *settings, cq_error *error) {
  cq_buf path = {0};
  post *p = calloc(1, sizeof *p);
  if (!p) return cq_error_nomem(error);
  p->settings = *settings;
  pthread_rwlock_init(&p->bundle_lock, NULL);
  pthread_mutex_init(&p->queue_lock, NULL);
  pthread_cond_init(&p->queue_moved, NULL);
  p->home = strdup(settings->home);
  cq_status status = p->home ? read_key(p->home, &p->sign, &p->key, error) : cq_error_nomem(error);
  if (!status) status = join_path(p->home, "post.db", &path, error);
  if (!status) status = index_open(&p->index, path.at, error);
  if (!status) status = load_bundle(p->home, p->index, &p->bundle, error);
  if (!status && !post_chain_in(p, p->bundle)) {
    status = cq_error_set(error, CQ_REFUSED, "post.bundle.post", p->home, NULL);
  }
  cq_buf_fini(&path);
  if (status) {
    post_close(p);
    return status;
  }
  *out = p;
  return CQ_OK;
}

void post_close(post *p) {
  if (!p) return;
  index_close(p->index);
  cq_secret_free(p->sign);
  cq_bundle_free(p->bundle);
  pthread_rwlock_destroy(&p->bundle_lock);
  pthread_mutex_destroy(&p->queue_lock);
  pthread_cond_destroy(&p->queue_moved);
  free(p->home);
  free(p);
}

const post_settings *post_settings_of(const post *p) {
  return &p->settings;
}

post_index *post_index_of(post *p) {
  return p->index;
}

const cq_secret *post_sign_of(const post *p) {
  return p->sign;
}

const cq_bundle *post_bundle_lock(post *p) {
  pthread_rwlock_rdlock(&p->bundle_lock);
  return p->bundle;
}

void post_bundle_unlock(post *p) {
  pthread_rwlock_unlock(&p->bundle_lock);
}

/* --- pinning --- */
cq_status post_pin(const post_settings *settings, cq_str bytes, cq_error *error) {
  cq_bundle *bundle = NULL, *pinned = NULL;
  cq_secret *sign = NULL;
  cq_sign_key key;
  post_index *index = NULL;
  cq_buf path = {0};
  index_item item;
  const cq_device_id all = {0};
  bool newer = true, fresh;
  cq_error none;
  cq_error_clear(&none);
  cq_status status = read_key(settings->home, &sign, &key, error);
  if (!status) status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, error);
  if (!status && !find_chain(bundle, &key)) {
    status = cq_error_set(error, CQ_REFUSED, "post.bundle.post", settings->home, NULL);
  }
  if (!status) status = join_path(settings->home, "post.db", &path, error);
  if (!status) status = index_open(&index, path.at, error);
  if (!status) {
    cq_status known = load_bundle(settings->home, index, &pinned, &none);
    if (known == CQ_OK)
      status = cq_bundle_succeeds(bundle, pinned, &newer, error);
    else if (known != CQ_NOTFOUND) {
      if (error) *error = none;
      status = known;
    }
  }
  if (status || !newer) goto out;
  bundle_item(bundle, bytes.size, &item);
  status = join_path(settings->home, item.path, &path, error);
  if (!status) status = cq_file_replace(path.at, bytes.at, bytes.size, 0644, false, error);
  if (status) goto out;
  status = index_begin(index, error);
  if (status) goto out;
  status = index_add(index, &item, settings->clock->now_utc_ms(settings->clock->context), &fresh, error);
  if (!status) status = index_add_news(index, &item, &all, error);
  if (!status) status = index_set(index, "bundle", item.path, error);
  if (status)
    index_rollback(index);
  else
    status = index_commit(index, error);
out:
  cq_bundle_free(bundle);
  cq_bundle_free(pinned);
  cq_secret_free(sign);
  index_close(index);
  cq_buf_fini(&path);
  return status;
}

/* --- keeping --- */
static int64_t now(const post *p) {
  return p->settings.clock->now_utc_ms(p->settings.clock->context);
}

static void say(const post *p, const cq_error *error) {
  cq_log_error(p->settings.log, error);
}

/* Where an item of that outcome stands, within the home. */
static void choose_path(const post *p, index_item *item) {
  char name[96], device[33];
  (void)p;
  cq_device_id_hex(&item->device, device);
  switch (item->kind) {
  case CQ_PARCEL_BATCH:
    cq_batch_file_name(name, &item->device, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "%s/%s/%s", cq_outcome_is_held(item->outcome) ? "held" : "batches", device,
             name);
    break;
  case CQ_PARCEL_BUNDLE:
    cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "bundles/%s", name);
    break;
  default:
    cq_parcel_file_name(name, item->kind, &item->device, item->number, &item->hash);
    snprintf(item->path, sizeof item->path, "items/%s", name);
  }
}

static cq_status folder_of(const char *path, cq_buf *folder, cq_error *error) {
  cq_buf_reset(folder);
  const char *slash = strrchr(path, '/');
  cq_buf_add(folder, path, slash ? (size_t)(slash - path) : 0);
  return folder->failed ? cq_error_nomem(error) : CQ_OK;
}

static cq_status write_all(int fd, cq_str bytes, const char *path, cq_error *error) {
  for (size_t at = 0; at < bytes.size;) {
    ssize_t n = write(fd, bytes.at + at, bytes.size - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cq_error_io(error, "io.write", path, errno);
    at += (size_t)n;
  }
  if (fsync(fd) != 0) return cq_error_io(error, "io.fsync", path, errno);
  return CQ_OK;
}

/* Whether the file at `path` is these bytes: another thread or an earlier run was first. */
static bool is_same(const char *path, cq_str bytes) {
  cq_buf there = {0};
  bool same = cq_file_read(path, bytes.size, &there, NULL) == CQ_OK && cq_str_equal(cq_buf_str(&there), bytes);
  cq_buf_fini(&there);
  return same;
}

/*
 * Writes the file, its bytes durable; its name is made durable with others' by the thread that commits. A file of that
 * name that is there already is never replaced by another: CQ_REFUSED.
 */
static cq_status write_item(post *p, const index_item *item, cq_str bytes, cq_error *error) {
  cq_buf path = {0}, folder = {0}, temporary = {0};
  int fd = -1;
  cq_status status = post_path(p, item->path, &path, error);
  if (!status) status = folder_of(path.at, &folder, error);
  if (!status && access(folder.at, F_OK) != 0) status = cq_file_make_folder(folder.at, error);
  if (status) goto out;
  cq_buf_addf(&temporary, "%s/.%lu-%llu.part", folder.at, (unsigned long)getpid(),
              (unsigned long long)atomic_fetch_add(&p->temporary, 1));
  fd = temporary.failed ? -1 : open(temporary.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    status = temporary.failed ? cq_error_nomem(error) : cq_error_io(error, "io.open", temporary.at, errno);
    goto out;
  }
  status = write_all(fd, bytes, temporary.at, error);
  if (close(fd) != 0 && !status) status = cq_error_io(error, "io.write", temporary.at, errno);
  if (!status && link(temporary.at, path.at) != 0) {
    if (errno != EEXIST)
      status = cq_error_io(error, "io.rename", path.at, errno);
    else if (!is_same(path.at, bytes))
      status = cq_error_set(error, CQ_REFUSED, "post.item.name", item->path, NULL);
  }
  unlink(temporary.at);
out:
  cq_buf_fini(&path);
  cq_buf_fini(&folder);
  cq_buf_fini(&temporary);
  return status;
}

static cq_status sync_folder_of(post *p, const char *item_path, cq_buf *last, cq_error *error) {
  cq_buf path = {0}, folder = {0};
  cq_status status = post_path(p, item_path, &path, error);
  if (!status) status = folder_of(path.at, &folder, error);
  if (!status && !cq_str_equal(cq_buf_str(&folder), cq_buf_str(last))) {
    status = cq_file_sync_folder(folder.at, error);
    cq_buf_reset(last);
    cq_buf_add_str(last, cq_buf_str(&folder));
  }
  cq_buf_fini(&path);
  cq_buf_fini(&folder);
  return status;
}

static cq_status add_judged(post *p, judged *j, cq_error *error) {
  bool fresh = false;
  cq_status status = index_add(p->index, &j->item, now(p), &fresh, error);
  if (!status && !fresh && j->item.outcome == CQ_OUTCOME_KEPT) j->item.outcome = CQ_OUTCOME_ALREADY;
  for (size_t i = 0; i < j->device_count && !status; i++) {
    status = index_add_news(p->index, &j->item, &j->devices[i], error);
  }
  if (!status && j->bundle) status = index_set(p->index, "bundle", j->item.path, error);
  return status;
}

/* One transaction for all that wait; outcomes of those that could not be written become LATER_FULL. */
static void write_group(post *p, pending *group) {
  cq_error error;
  cq_error_clear(&error);
  cq_buf last = {0};
  cq_status status = CQ_OK;
  for (pending *w = group; w && !status; w = w->next) {
    status = sync_folder_of(p, w->judged->item.path, &last, &error);
  }
  cq_buf_fini(&last);
  if (!status) status = index_begin(p->index, &error);
  if (!status) {
    for (pending *w = group; w && !status; w = w->next) status = add_judged(p, w->judged, &error);
    if (status)
      index_rollback(p->index);
    else
      status = index_commit(p->index, &error);
  }
  if (!status) return;
  say(p, &error);
  for (pending *w = group; w; w = w->next) w->judged->item.outcome = CQ_OUTCOME_LATER_FULL;
}

/* Waits until all items stand in the index; the first thread that comes writes for all that came meanwhile. */
static void commit(post *p, pending *mine, size_t count) {
  if (!count) return;
  pthread_mutex_lock(&p->queue_lock);
  for (size_t i = count; i-- > 0;) {
    mine[i].next = p->queue;
    p->queue = &mine[i];
  }
  while (!mine[0].done) {
    if (p->writing) {
      pthread_cond_wait(&p->queue_moved, &p->queue_lock);
      continue;
    }
    pending *group = p->queue;
    p->queue = NULL;
    p->writing = true;
    pthread_mutex_unlock(&p->queue_lock);
    write_group(p, group);
    pthread_mutex_lock(&p->queue_lock);
    p->writing = false;
    for (pending *w = group, *next; w; w = next) {
      next = w->next; /* `w` is its thread's: not to be read once it is done */
      w->done = true;
    }
    pthread_cond_broadcast(&p->queue_moved);
  }
  pthread_mutex_unlock(&p->queue_lock);
}

/* --- what a new bundle and an order change --- */
typedef struct held_list {
  index_item *items;
  size_t count;
  bool failed;
} held_list;

static bool collect_held(void *context, const index_item *item) {
  held_list *list = context;
  index_item *more = realloc(list->items, (list->count + 1) * sizeof *more);
  if (!more) {
    list->failed = true;
    return false;
  }
  list->items = more;
  more[list->count++] = *item;
  return true;
}

/* A held batch whose device is certified now goes to the others and arrives anew. */
static cq_status release(post *p, const index_item *held, const cq_bundle *bundle, cq_error *error) {
  cq_buf from = {0}, to = {0}, folder = {0}, bytes = {0}, last = {0};
  cq_batch_header header;
  index_item kept = *held;
  kept.outcome = CQ_OUTCOME_KEPT;
  choose_path(p, &kept);
  cq_status status = post_path(p, held->path, &from, error);
  if (!status) status = cq_file_read(from.at, CQ_BATCH_MAX_SIZE, &bytes, error);
  if (!status) status = cq_batch_read_header(&header, bytes.at, bytes.size, error);
  if (!status && judge_held(&header, bundle) != CQ_OUTCOME_KEPT) goto out;
  if (!status) status = post_path(p, kept.path, &to, error);
  if (!status) status = folder_of(to.at, &folder, error);
  if (!status) status = cq_file_make_folder(folder.at, error);
  if (!status && link(from.at, to.at) != 0 && errno != EEXIST) status = cq_error_io(error, "io.rename", to.at, errno);
  if (!status) status = sync_folder_of(p, kept.path, &last, error);
  if (!status) status = index_change(p->index, &held->hash, CQ_OUTCOME_KEPT, kept.path, error);
  if (!status) status = cq_file_remove(from.at, error);
out:
  cq_buf_fini(&from);
  cq_buf_fini(&to);
  cq_buf_fini(&folder);
  cq_buf_fini(&bytes);
  cq_buf_fini(&last);
  return status;
}

static void release_held(post *p) {
  held_list list = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = index_held_batches(p->index, collect_held, &list, &error);
  const cq_bundle *bundle = post_bundle_lock(p);
  for (size_t i = 0; i < list.count && !status; i++) status = release(p, &list.items[i], bundle, &error);
  post_bundle_unlock(p);
  if (list.failed) status = cq_error_nomem(&error);
  if (status) say(p, &error);
  free(list.items);
}

static cq_status erase_one(post *p, const cq_hash *hash, cq_error *error) {
  index_item item;
  cq_buf path = {0};
  bool fresh;
  cq_status status = index_find(p->index, hash, &item, error);
  if (status == CQ_NOTFOUND) { /* where it comes later, it is known to be erased */
    item = (index_item){.kind = CQ_PARCEL_BATCH, .hash = *hash, .outcome = CQ_OUTCOME_ERASED};
    return index_add(p->index, &item, now(p), &fresh, error);
  }
  if (!status && item.path[0]) {
    status = index_change(p->index, hash, CQ_OUTCOME_ERASED, "", error);
    if (!status) status = post_path(p, item.path, &path, error);
    if (!status) status = cq_file_remove(path.at, error);
  }
  cq_buf_fini(&path);
  return status;
}

static void erase(post *p, const judged *j) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < j->erase_count && !status; i++) status = erase_one(p, &j->erase[i], &error);
  if (status) say(p, &error);
}

/* --- contact sheets --- */

/* A sheet replaces those before it for the same laptop: their sealed names are kept no longer than they are needed. */
static cq_status drop_older(post *p, const cq_device_id *device, uint64_t number, cq_error *error) {
  held_list list = {0};
  cq_buf path = {0};
  cq_status status = index_older_sheets(p->index, device, number, collect_held, &list, error);
  for (size_t i = 0; i < list.count && !status; i++) {
    status = index_change(p->index, &list.items[i].hash, CQ_OUTCOME_STALE, "", error);
    if (!status) status = post_path(p, list.items[i].path, &path, error);
    if (!status) status = cq_file_remove(path.at, error);
  }
  if (list.failed && !status) status = cq_error_nomem(error);
  cq_buf_fini(&path);
  free(list.items);
  return status;
}

static bool is_sheet(const judged *j) {
  return j->item.kind == CQ_PARCEL_BATCH && j->device_count > 0;
}

static void replace_sheets(post *p, const judged *j) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = CQ_OK;
  for (size_t i = 0; i < j->device_count && !status; i++)
    status = drop_older(p, &j->devices[i], j->item.number, &error);
  if (status) say(p, &error);
}

static bool is_replaced(post *p, const judged *j) {
  uint64_t newest = 0;
  return is_sheet(j) && index_newest_sheet(p->index, &j->devices[0], &newest, NULL) == CQ_OK && j->item.number < newest;
}

static cq_status address_one(post *p, const index_item *item, const cq_bundle *bundle, cq_error *error) {
  cq_buf path = {0}, bytes = {0};
  cq_batch_header header;
  judged j = {.item = *item};
  cq_status status = post_path(p, item->path, &path, error);
  if (!status) status = cq_file_read(path.at, CQ_BATCH_MAX_SIZE, &bytes, error);
  if (!status) status = cq_batch_read_header(&header, bytes.at, bytes.size, error);
  if (!status) status = judge_recipients(&j, &header, bundle, error);
  for (size_t i = 0; i < j.device_count && !status; i++) {
    status = index_add_news(p->index, item, &j.devices[i], error);
    if (!status) status = drop_older(p, &j.devices[i], item->number, error);
  }
  judged_fini(&j);
  cq_buf_fini(&path);
  cq_buf_fini(&bytes);
  return status;
}

/* A sheet may have come before the bundle that names its laptop. */
static void address_sheets(post *p) {
  held_list list = {0};
  cq_error error;
  cq_certificate desk;
  cq_error_clear(&error);
  const cq_bundle *bundle = post_bundle_lock(p);
  const cq_chain *chain = &cq_bundle_content_of(bundle)->desk_chain;
  cq_status status = CQ_OK;
  if (chain->count > 0 &&
      cq_certificate_read(&desk, chain->link[chain->count - 1], CQ_CERTIFICATE_SIZE, NULL) == CQ_OK) {
    cq_device_id id = cq_device_id_of(&desk.sign);
    status = index_batches_of(p->index, &id, collect_held, &list, &error);
  }
  for (size_t i = 0; i < list.count && !status; i++) status = address_one(p, &list.items[i], bundle, &error);
  post_bundle_unlock(p);
  if (list.failed && !status) status = cq_error_nomem(&error);
  if (status) say(p, &error);
  free(list.items);
}

static void follow(post *p, judged *j) {
  if (j->bundle) {
    pthread_rwlock_wrlock(&p->bundle_lock);
    cq_bundle *old = p->bundle;
    if (j->item.number > cq_bundle_content_of(old)->number) {
      p->bundle = j->bundle;
      j->bundle = old; /* freed with the rest of `j` */
    }
    pthread_rwlock_unlock(&p->bundle_lock);
    release_held(p);
    address_sheets(p);
  }
  if (is_sheet(j)) replace_sheets(p, j);
  if (j->erase_count) erase(p, j);
}

static bool held_fits(post *p, const index_item *item) {
  index_held sums = {0};
  if (index_held_sums(p->index, &item->device, &sums, NULL) != CQ_OK) return false;
  return sums.batches < POST_HELD_BATCHES && sums.bytes + item->size <= POST_HELD_BYTES &&
         sums.device_bytes + item->size <= POST_HELD_DEVICE_BYTES;
}

/* CQ_OUTCOME_LACKING where the item is not known. */
static cq_outcome known_outcome(post *p, const cq_hash *hash, index_item *item) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = index_find(p->index, hash, item, &error);
  if (status == CQ_OK) return item->outcome == CQ_OUTCOME_KEPT ? CQ_OUTCOME_ALREADY : item->outcome;
  if (status == CQ_NOTFOUND) return CQ_OUTCOME_LACKING;
  say(p, &error);
  return CQ_OUTCOME_LATER_FULL;
}

/* Writes the file of an item that may stay; its outcome changes where it cannot. */
static void keep(post *p, judged *j, cq_str bytes) {
  cq_error error;
  cq_error_clear(&error);
  int64_t spare = cq_file_free_bytes(p->home);
  if (cq_outcome_is_held(j->item.outcome) && !held_fits(p, &j->item)) {
    j->item.outcome = CQ_OUTCOME_LATER_QUOTA;
  } else if (spare >= 0 && spare < POST_SPARE_BYTES + (int64_t)bytes.size) {
    j->item.outcome = CQ_OUTCOME_LATER_FULL;
  } else {
    choose_path(p, &j->item);
    cq_status status = write_item(p, &j->item, bytes, &error);
    if (!status) return;
    say(p, &error);
    j->item.outcome = status == CQ_REFUSED ? CQ_OUTCOME_DAMAGED : CQ_OUTCOME_LATER_FULL;
  }
}

static bool is_to_stay(const judged *j) {
  return j->item.outcome == CQ_OUTCOME_KEPT || cq_outcome_is_held(j->item.outcome);
}

/* Judges one item and writes its file. True: it is to be committed. */
static bool take_one(post *p, cq_str bytes, judged *j) {
  cq_error error;
  cq_error_clear(&error);
  cq_hash hash = cq_hash_of(bytes.at, bytes.size);
  memset(j, 0, sizeof *j);
  cq_outcome known = known_outcome(p, &hash, &j->item);
  j->item.outcome = known;
  if (known != CQ_OUTCOME_LACKING) return false;
  const cq_bundle *bundle = post_bundle_lock(p);
  cq_status status = judge(j, bytes, bundle, &error);
  post_bundle_unlock(p);
  if (status) {
    say(p, &error);
    j->item.outcome = CQ_OUTCOME_LATER_FULL;
    return false;
  }
  if (is_to_stay(j) && is_replaced(p, j)) j->item.outcome = CQ_OUTCOME_STALE;
  if (is_to_stay(j)) keep(p, j, bytes);
  return is_to_stay(j);
}

cq_status post_take(post *p, const cq_str *bytes, size_t count, index_item *items, cq_error *error) {
  judged *all = calloc(count + 1, sizeof *all);
  pending *waiting = calloc(count + 1, sizeof *waiting);
  size_t waiting_count = 0;
  cq_status status = all && waiting ? CQ_OK : cq_error_nomem(error);
  for (size_t i = 0; !status && i < count; i++) {
    if (take_one(p, bytes[i], &all[i])) waiting[waiting_count++].judged = &all[i];
  }
  commit(p, waiting, waiting_count);
  for (size_t i = 0; !status && i < count; i++) {
    if (all[i].item.outcome == CQ_OUTCOME_KEPT) follow(p, &all[i]);
    items[i] = all[i].item;
    judged_fini(&all[i]);
  }
  free(all);
  free(waiting);
  return status;
}
