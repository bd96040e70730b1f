/* SPDX-License-Identifier: Apache-2.0 */
#include "central/inbox/post.h"
#include "central/inbox/judge.h"
#include "chasqui/file.h"
#include "chasqui/order.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An item on its way into the index: many threads bring theirs, one of them writes all in one transaction. */
typedef struct pending {
  judged *judged;
  index_item item; /* as it was judged */
  cq_str bytes;
  uint64_t believed; /* number of the bundle under which it was judged */
  bool outdated;     /* the store has a newer one: it is to be judged again */
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
  atomic_int_fast64_t looked_ms; /* when the store was asked for a newer bundle, monotonic */
  atomic_bool behind;            /* something that follows from a bundle or an order is not done yet */
};

enum { STORE_MOST = 2048, LOOK_MS = 1000, JUDGED_MOST = 4, WRITTEN_MOST = 3 };

static const char *const folders[] = {"", "uploads", "bundles", "batches", "held", "items"};
enum { FOLDERS = sizeof folders / sizeof *folders, FOLDERS_WITHOUT_FILES = 2 };

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

/* The address of the store; empty: SQLite in the home. */
static cq_status read_store(const char *home, cq_buf *address, cq_error *error) {
  cq_buf path = {0};
  cq_buf_reset(address);
  cq_status status = join_path(home, "post.store", &path, error);
  if (!status && access(path.at, F_OK) == 0) status = cq_file_read(path.at, STORE_MOST, address, error);
  if (!status && address->size) address->at[strcspn(address->at, "\n")] = '\0';
  cq_buf_fini(&path);
  return status;
}

static cq_status open_index(const char *home, post_index **index, cq_error *error) {
  cq_buf address = {0};
  cq_status status = read_store(home, &address, error);
  if (!status) status = index_open(index, home, address.size ? address.at : NULL, error);
  cq_buf_fini(&address);
  return status;
}

/* A home stays with the engine that it was begun with; a database may have another address. */
static cq_status write_store(const char *home, const char *store, cq_error *error) {
  cq_buf path = {0}, line = {0};
  post_index *index = NULL;
  cq_status status = join_path(home, "post.db", &path, error);
  if (!status && access(path.at, F_OK) == 0) status = cq_error_set(error, CQ_REFUSED, "post.store.begun", home, NULL);
  if (!status) status = index_check_address(store, error);
  if (!status) status = index_open(&index, home, store, error);
  index_close(index);
  cq_buf_addf(&line, "%s\n", store);
  if (!status) status = line.failed ? cq_error_nomem(error) : join_path(home, "post.store", &path, error);
  if (!status) status = cq_file_replace(path.at, line.at, line.size, 0600, false, error);
  cq_buf_fini(&path);
  cq_buf_fini(&line);
  return status;
}

cq_status post_make(const post_settings *settings, cq_sign_key *key, cq_error *error) {
  cq_buf path = {0}, text = {0};
  cq_secret *sign = NULL;
  cq_error missing;
  cq_error_clear(&missing);
  cq_status status = cq_file_make_folder(settings->home, error);
  if (!status && settings->store) status = write_store(settings->home, settings->store, error);
  if (!status) status = read_store(settings->home, &text, error);
  size_t count = text.size ? FOLDERS_WITHOUT_FILES : FOLDERS;
  cq_buf_reset(&text);
  for (size_t i = 0; i < count && !status; i++) {
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

static cq_status read_bundle(post_index *index, const index_item *item, cq_bundle **bundle, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = index_read(index, item, 0, CQ_BUNDLE_MAX_SIZE, &bytes, error);
  if (!status) status = cq_bundle_read(bundle, bytes.at, bytes.size, NULL, error);
  cq_buf_fini(&bytes);
  return status;
}

static cq_status load_bundle(const char *home, post_index *index, cq_bundle **bundle, cq_error *error) {
  index_item item;
  cq_status status = index_newest_bundle(index, &item, error);
  if (status == CQ_NOTFOUND) return cq_error_set(error, CQ_NOTFOUND, "post.unpinned", home, NULL);
  return status ? status : read_bundle(index, &item, bundle, error);
}

static void catch_up(post *p);

cq_status post_open(post **out, const post_settings *settings, cq_error *error) {
  post *p = calloc(1, sizeof *p);
  if (!p) return cq_error_nomem(error);
  p->settings = *settings;
  pthread_rwlock_init(&p->bundle_lock, NULL);
  pthread_mutex_init(&p->queue_lock, NULL);
  pthread_cond_init(&p->queue_moved, NULL);
  p->home = strdup(settings->home);
  cq_status status = p->home ? read_key(p->home, &p->sign, &p->key, error) : cq_error_nomem(error);
  if (!status) status = open_index(p->home, &p->index, error);
  if (!status) status = load_bundle(p->home, p->index, &p->bundle, error);
  if (!status && !post_chain_in(p, p->bundle)) {
    status = cq_error_set(error, CQ_REFUSED, "post.bundle.post", p->home, NULL);
  }
  if (status) {
    post_close(p);
    return status;
  }
  p->looked_ms = settings->clock->monotonic_ms(settings->clock->context);
  catch_up(p); /* with what a process that was killed had not done */
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
/* Within a transaction. *newer false: it is the one that is pinned. */
static cq_status pin(const post_settings *settings, post_index *index, const cq_bundle *bundle, cq_str bytes,
                     bool *newer, cq_error *error) {
  cq_bundle *pinned = NULL;
  const cq_device_id all = {0};
  cq_error unpinned;
  cq_error_clear(&unpinned);
  index_item item = {.kind = CQ_PARCEL_BUNDLE,
                     .outcome = CQ_OUTCOME_KEPT,
                     .hash = cq_bundle_hash(bundle),
                     .number = cq_bundle_content_of(bundle)->number,
                     .size = bytes.size};
  cq_buf folder = {0};
  bool fresh;
  *newer = true;
  cq_status status = load_bundle(settings->home, index, &pinned, &unpinned);
  if (status == CQ_OK)
    status = cq_bundle_succeeds(bundle, pinned, newer, error);
  else if (status == CQ_NOTFOUND)
    status = CQ_OK;
  else if (error)
    *error = unpinned;
  if (!status && *newer) {
    status = index_put(index, &item, bytes, error);
    if (!status) status = index_settle(index, &item, &folder, error);
    if (!status)
      status = index_add(index, &item, bytes, settings->clock->now_utc_ms(settings->clock->context), &fresh, error);
    if (!status) status = index_add_news(index, &item, &all, error);
  }
  cq_buf_fini(&folder);
  cq_bundle_free(pinned);
  return status;
}

cq_status post_pin(const post_settings *settings, cq_str bytes, cq_error *error) {
  cq_bundle *bundle = NULL;
  cq_secret *sign = NULL;
  cq_sign_key key;
  post_index *index = NULL;
  bool newer = false;
  cq_status status = read_key(settings->home, &sign, &key, error);
  if (!status) status = cq_bundle_read(&bundle, bytes.at, bytes.size, NULL, error);
  if (!status && !find_chain(bundle, &key)) {
    status = cq_error_set(error, CQ_REFUSED, "post.bundle.post", settings->home, NULL);
  }
  if (!status) status = open_index(settings->home, &index, error);
  if (!status) status = index_begin(index, error);
  if (status) goto out;
  status = pin(settings, index, bundle, bytes, &newer, error);
  if (status || !newer)
    index_rollback(index);
  else
    status = index_commit(index, error);
out:
  cq_bundle_free(bundle);
  cq_secret_free(sign);
  index_close(index);
  return status;
}

/* --- keeping --- */
static int64_t now(const post *p) {
  return p->settings.clock->now_utc_ms(p->settings.clock->context);
}

static void say(const post *p, const cq_error *error) {
  cq_log_error(p->settings.log, error);
}

static bool is_sheet(const judged *j) {
  return j->item.kind == CQ_PARCEL_BATCH && j->device_count > 0;
}

static cq_status is_replaced(post *p, const judged *j, bool *replaced, cq_error *error) {
  uint64_t newest = 0;
  cq_status status = is_sheet(j) ? index_newest_sheet(p->index, &j->devices[0], &newest, error) : CQ_OK;
  *replaced = j->item.number < newest && is_sheet(j);
  return status;
}

static cq_status held_fits(post *p, const index_item *item, bool *fits, cq_error *error) {
  index_held sums = {0};
  *fits = true;
  if (!cq_outcome_is_held(item->outcome)) return CQ_OK;
  cq_status status = index_held_sums(p->index, &item->device, &sums, error);
  *fits = sums.batches < POST_HELD_BATCHES && sums.bytes + item->size <= POST_HELD_BYTES &&
          sums.device_bytes + item->size <= POST_HELD_DEVICE_BYTES;
  return status;
}

static cq_outcome outcome_of_known(const index_item *known) {
  return known->outcome == CQ_OUTCOME_KEPT ? CQ_OUTCOME_ALREADY : known->outcome;
}

/*
 * Within the transaction, where nobody else writes: what take_one found may be otherwise now. `newest` is the number of
 * the newest bundle.
 */
static cq_status add_judged(post *p, pending *w, uint64_t *newest, cq_error *error) {
  judged *j = w->judged;
  bool fresh = false, fits = true, replaced = false;
  index_item known;
  cq_status status = is_replaced(p, j, &replaced, error);
  if (!status) status = held_fits(p, &j->item, &fits, error);
  if (status) return status;
  if (replaced || (j->bundle && j->item.number <= *newest)) {
    status = index_find(p->index, &j->item.hash, &known, error);
    j->item.outcome = status ? CQ_OUTCOME_STALE : outcome_of_known(&known);
    return status == CQ_NOTFOUND ? CQ_OK : status;
  }
  if (!fits) {
    j->item.outcome = CQ_OUTCOME_LATER_QUOTA;
    return CQ_OK;
  }
  status = index_add(p->index, &j->item, w->bytes, now(p), &fresh, error);
  if (!status && !fresh) {
    status = index_find(p->index, &j->item.hash, &known, error);
    if (!status) j->item.outcome = outcome_of_known(&known);
    return status;
  }
  for (size_t i = 0; i < j->device_count && !status; i++) {
    status = index_add_news(p->index, &j->item, &j->devices[i], error);
  }
  if (j->bundle) *newest = j->item.number;
  return status;
}

static cq_status write_once(post *p, pending *group, cq_error *error) {
  index_item newest;
  cq_status status = index_begin(p->index, error);
  if (status) return status;
  status = index_newest_bundle(p->index, &newest, error);
  if (status == CQ_NOTFOUND) cq_error_set(error, status, "post.unpinned", p->home, NULL);
  for (pending *w = group; w && !status; w = w->next) {
    w->judged->item = w->item;
    w->outdated = newest.number > w->believed;
    if (!w->outdated) status = add_judged(p, w, &newest.number, error);
  }
  if (!status) return index_commit(p->index, error);
  index_rollback(p->index);
  return status;
}

static bool is_gone(const index_item *item) {
  return item->outcome == CQ_OUTCOME_STALE || item->outcome == CQ_OUTCOME_ERASED;
}

/* One transaction for all that wait; outcomes of those that could not be written become LATER_FULL. */
static void write_group(post *p, pending *group) {
  cq_error error;
  cq_error_clear(&error);
  cq_buf last = {0};
  cq_status status = CQ_OK;
  for (pending *w = group; w && !status; w = w->next) status = index_settle(p->index, &w->item, &last, &error);
  cq_buf_fini(&last);
  /* Where nobody can say whether it was committed, repeating it says so. */
  for (int tries = 0; !status && tries < WRITTEN_MOST; tries++) {
    status = write_once(p, group, &error);
    if (status != CQ_BUSY) break;
    if (tries + 1 < WRITTEN_MOST) status = CQ_OK;
  }
  if (status) say(p, &error);
  for (pending *w = group; w; w = w->next) {
    if (status) w->judged->item.outcome = CQ_OUTCOME_LATER_FULL;
    if (!status && is_gone(&w->judged->item)) index_discard(p->index, &w->item);
  }
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

static cq_status read_header(post *p, const index_item *item, cq_batch_header *header, cq_error *error) {
  cq_buf bytes = {0};
  cq_status status = index_read(p->index, item, 0, CQ_BATCH_MAX_HEADER, &bytes, error);
  if (!status) status = cq_batch_read_header(header, bytes.at, bytes.size, error);
  cq_buf_fini(&bytes);
  return status;
}

/* Held batches whose devices are certified now go to the others and arrive anew. */
static cq_status release_held(post *p, cq_error *error) {
  held_list list = {0};
  cq_batch_header header;
  cq_status status = index_held_batches(p->index, collect_held, &list, error);
  const cq_bundle *bundle = post_bundle_lock(p);
  for (size_t i = 0; i < list.count && !status; i++) {
    status = read_header(p, &list.items[i], &header, error);
    if (!status && judge_held(&header, bundle) == CQ_OUTCOME_KEPT)
      status = index_release(p->index, &list.items[i], error);
    if (status == CQ_NOTFOUND) status = CQ_OK; /* another was first */
  }
  post_bundle_unlock(p);
  if (list.failed && !status) status = cq_error_nomem(error);
  free(list.items);
  return status;
}

static cq_status erase(post *p, const judged *j, cq_error *error) {
  cq_status status = CQ_OK;
  for (size_t i = 0; i < j->erase_count && !status; i++) status = index_erase(p->index, &j->erase[i], now(p), error);
  return status;
}

static cq_status obey_one(post *p, const index_item *order, cq_error *error) {
  cq_buf bytes = {0};
  judged j = {0};
  cq_status status = index_read(p->index, order, 0, (size_t)order->size, &bytes, error);
  const cq_bundle *bundle = post_bundle_lock(p);
  if (!status) status = judge(&j, cq_buf_str(&bytes), bundle, error);
  post_bundle_unlock(p);
  if (!status && j.item.outcome == CQ_OUTCOME_KEPT) status = erase(p, &j, error);
  judged_fini(&j);
  cq_buf_fini(&bytes);
  return status;
}

/* Orders to erase, once more. */
static cq_status obey(post *p, cq_error *error) {
  held_list list = {0};
  cq_status status = index_orders(p->index, collect_held, &list, error);
  for (size_t i = 0; i < list.count && !status; i++) status = obey_one(p, &list.items[i], error);
  if (list.failed && !status) status = cq_error_nomem(error);
  free(list.items);
  return status;
}

/* --- contact sheets --- */

/* A sheet replaces those before it for the same laptop: their sealed names are kept no longer than they are needed. */
static cq_status drop_older(post *p, const cq_device_id *device, uint64_t number, cq_error *error) {
  held_list list = {0};
  cq_status status = index_older_sheets(p->index, device, number, collect_held, &list, error);
  for (size_t i = 0; i < list.count && !status; i++) status = index_replace(p->index, &list.items[i], error);
  if (list.failed && !status) status = cq_error_nomem(error);
  free(list.items);
  return status;
}

static cq_status add_news(post *p, const index_item *item, const cq_device_id *device, cq_error *error) {
  cq_status status = index_begin(p->index, error);
  if (status) return status;
  status = index_add_news(p->index, item, device, error);
  if (!status) return index_commit(p->index, error);
  index_rollback(p->index);
  return status;
}

static cq_status address_one(post *p, const index_item *item, const cq_bundle *bundle, cq_error *error) {
  cq_batch_header header;
  judged j = {.item = *item};
  cq_status status = read_header(p, item, &header, error);
  if (!status) status = judge_recipients(&j, &header, bundle, error);
  for (size_t i = 0; i < j.device_count && !status; i++) {
    status = add_news(p, item, &j.devices[i], error);
    if (!status) status = drop_older(p, &j.devices[i], item->number, error);
  }
  judged_fini(&j);
  return status == CQ_NOTFOUND ? CQ_OK : status; /* a newer one took its place meanwhile */
}

/* A sheet may have come before the bundle that names its laptop. */
static cq_status address_sheets(post *p, cq_error *error) {
  held_list list = {0};
  cq_certificate desk;
  const cq_bundle *bundle = post_bundle_lock(p);
  const cq_chain *chain = &cq_bundle_content_of(bundle)->desk_chain;
  cq_status status = CQ_OK;
  if (chain->count > 0 &&
      cq_certificate_read(&desk, chain->link[chain->count - 1], CQ_CERTIFICATE_SIZE, NULL) == CQ_OK) {
    cq_device_id id = cq_device_id_of(&desk.sign);
    status = index_batches_of(p->index, &id, collect_held, &list, error);
  }
  for (size_t i = 0; i < list.count && !status; i++) status = address_one(p, &list.items[i], bundle, error);
  post_bundle_unlock(p);
  if (list.failed && !status) status = cq_error_nomem(error);
  free(list.items);
  return status;
}

/* --- what follows from what is kept --- */

/* What could not be done is done by a later look. */
static void settle(post *p, cq_status status, const cq_error *error) {
  if (!status) return;
  say(p, error);
  atomic_store(&p->behind, true);
}

static void follow_bundle(post *p) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = release_held(p, &error);
  if (!status) status = address_sheets(p, &error);
  settle(p, status, &error);
}

static void catch_up(post *p) {
  cq_error error;
  cq_error_clear(&error);
  follow_bundle(p);
  settle(p, obey(p, &error), &error);
}

/* Takes the bundle where it is newer, and leaves the one that is to be freed. */
static bool adopt(post *p, cq_bundle **bundle) {
  pthread_rwlock_wrlock(&p->bundle_lock);
  cq_bundle *old = p->bundle;
  bool newer = cq_bundle_content_of(*bundle)->number > cq_bundle_content_of(old)->number;
  if (newer) {
    p->bundle = *bundle;
    *bundle = old;
  }
  pthread_rwlock_unlock(&p->bundle_lock);
  return newer;
}

static void follow(post *p, judged *j) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = CQ_OK;
  if (j->bundle) {
    adopt(p, &j->bundle);
    follow_bundle(p);
  }
  for (size_t i = 0; is_sheet(j) && i < j->device_count && !status; i++)
    status = drop_older(p, &j->devices[i], j->item.number, &error);
  if (!status) status = erase(p, j, &error);
  settle(p, status, &error);
}

/* A newer bundle that another process took, or `post init`. */
static cq_status look(post *p, cq_error *error) {
  index_item item;
  cq_bundle *bundle = NULL;
  cq_status status = index_newest_bundle(p->index, &item, error);
  const cq_bundle *believed = post_bundle_lock(p);
  bool newer = !status && item.number > cq_bundle_content_of(believed)->number;
  post_bundle_unlock(p);
  if (newer) status = read_bundle(p->index, &item, &bundle, error);
  if (newer && !status && adopt(p, &bundle)) follow_bundle(p);
  cq_bundle_free(bundle);
  return status == CQ_NOTFOUND ? CQ_OK : status;
}

static void look_now(post *p) {
  cq_error error;
  cq_error_clear(&error);
  if (look(p, &error)) say(p, &error);
  if (atomic_exchange(&p->behind, false)) catch_up(p);
}

void post_look(post *p) {
  int64_t at = p->settings.clock->monotonic_ms(p->settings.clock->context);
  int_fast64_t looked = atomic_load(&p->looked_ms);
  if (at - looked >= LOOK_MS && atomic_compare_exchange_strong(&p->looked_ms, &looked, at)) look_now(p);
}

/* CQ_OUTCOME_LACKING where the item is not known. */
static cq_outcome known_outcome(post *p, const cq_hash *hash, index_item *item) {
  cq_error error;
  cq_error_clear(&error);
  cq_status status = index_find(p->index, hash, item, &error);
  if (status == CQ_OK) return outcome_of_known(item);
  if (status == CQ_NOTFOUND) return CQ_OUTCOME_LACKING;
  say(p, &error);
  return CQ_OUTCOME_LATER_FULL;
}

/* Writes the bytes of an item that may stay; its outcome changes where it cannot. */
static cq_status keep(post *p, judged *j, cq_str bytes, cq_error *error) {
  int64_t spare = index_free_bytes(p->index);
  bool fits, replaced = false;
  cq_status status = held_fits(p, &j->item, &fits, error);
  if (!status) status = is_replaced(p, j, &replaced, error);
  if (status) return status;
  if (replaced)
    j->item.outcome = CQ_OUTCOME_STALE;
  else if (!fits)
    j->item.outcome = CQ_OUTCOME_LATER_QUOTA;
  else if (spare >= 0 && spare < POST_SPARE_BYTES + (int64_t)bytes.size)
    j->item.outcome = CQ_OUTCOME_LATER_FULL;
  else
    status = index_put(p->index, &j->item, bytes, error);
  return status;
}

static bool is_to_stay(const judged *j) {
  return j->item.outcome == CQ_OUTCOME_KEPT || cq_outcome_is_held(j->item.outcome);
}

/* Judges one item and writes its bytes. True: `w` is to be committed. */
static bool take_one(post *p, cq_str bytes, judged *j, pending *w) {
  cq_error error;
  cq_error_clear(&error);
  cq_hash hash = cq_hash_of(bytes.at, bytes.size);
  judged_fini(j);
  cq_outcome known = known_outcome(p, &hash, &j->item);
  j->item.outcome = known;
  if (known != CQ_OUTCOME_LACKING) return false;
  const cq_bundle *bundle = post_bundle_lock(p);
  uint64_t believed = cq_bundle_content_of(bundle)->number;
  cq_status status = judge(j, bytes, bundle, &error);
  post_bundle_unlock(p);
  if (!status && is_to_stay(j)) status = keep(p, j, bytes, &error);
  if (status) {
    say(p, &error);
    j->item.outcome = status == CQ_REFUSED ? CQ_OUTCOME_DAMAGED : CQ_OUTCOME_LATER_FULL;
  }
  *w = (pending){.judged = j, .item = j->item, .bytes = bytes, .believed = believed};
  return is_to_stay(j);
}

cq_status post_take(post *p, const cq_str *bytes, size_t count, index_item *items, cq_error *error) {
  judged *all = calloc(count + 1, sizeof *all);
  pending *waiting = calloc(count + 1, sizeof *waiting);
  bool *done = calloc(count + 1, sizeof *done);
  size_t left = count;
  cq_status status = all && waiting && done ? CQ_OK : cq_error_nomem(error);
  for (int tries = 0; !status && left && tries < JUDGED_MOST; tries++) {
    size_t waiting_count = 0;
    if (tries) look_now(p);
    for (size_t i = 0; i < count; i++) {
      if (!done[i] && take_one(p, bytes[i], &all[i], &waiting[waiting_count])) waiting_count++;
      done[i] = true;
    }
    commit(p, waiting, waiting_count);
    left = 0;
    for (size_t i = 0; i < waiting_count; i++) {
      if (!waiting[i].outdated) continue;
      waiting[i].judged->item.outcome = CQ_OUTCOME_LATER_FULL; /* unless the next try knows better */
      done[waiting[i].judged - all] = false;
      left++;
    }
  }
  for (size_t i = 0; !status && i < count; i++) {
    if (all[i].item.outcome == CQ_OUTCOME_KEPT) follow(p, &all[i]);
    items[i] = all[i].item;
    judged_fini(&all[i]);
  }
  free(all);
  free(waiting);
  free(done);
  return status;
}
