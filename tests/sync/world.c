/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sync/world.h"
#include "chasqui/file.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A test that cannot build its world cannot say anything: it ends here. */
static void must(cq_status status, const cq_error *error, const char *what) {
  if (status == CQ_OK) return;
  fprintf(stderr, "world: %s: %s %s\n", what, error->code ? error->code : "?", error->argc ? error->arg[0] : "");
  abort();
}
#define MUST(call)                                                                                                     \
  do {                                                                                                                 \
    cq_error error;                                                                                                    \
    cq_error_clear(&error);                                                                                            \
    must((call), &error, #call);                                                                                       \
  } while (0)

static const char programme_json[] = "{\"code\":\"prueba\",\"title\":\"Prueba\",\"languages\":[\"es\"]}";

/* splitmix64: enough for tests, and the same on every machine. */
static void fill(void *context, void *out, size_t size) {
  uint64_t *state = context;
  uint8_t *bytes = out;
  for (size_t i = 0; i < size; i++) {
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    bytes[i] = (uint8_t)(z ^ (z >> 31));
  }
}

void world_remove(const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    cq_buf path = {0};
    cq_buf_addf(&path, "%s/%s", folder, entry->d_name);
    struct stat about;
    if (lstat(path.at, &about) == 0 && S_ISDIR(about.st_mode))
      world_remove(path.at);
    else
      unlink(path.at);
    cq_buf_fini(&path);
  }
  closedir(dir);
  rmdir(folder);
}

size_t world_count(const char *folder, const char *ending) {
  size_t count = 0, end = strlen(ending);
  DIR *dir = opendir(folder);
  if (!dir) return 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    size_t size = strlen(entry->d_name);
    count += size >= end && strcmp(entry->d_name + size - end, ending) == 0;
  }
  closedir(dir);
  return count;
}

static cq_chain certify(world *w, cq_role role, const cq_sign_key *sign, const cq_seal_key *seal) {
  cq_certificate about = {.mode = w->mode, .role = role, .programme = w->id, .sign = *sign, .issued_utc_ms = 1};
  if (seal) about.seal = *seal;
  uint8_t bytes[CQ_CERTIFICATE_SIZE];
  MUST(cq_certificate_issue(bytes, &about, w->programme, &error));
  return cq_chain_of(NULL, bytes);
}

static void folder_of(const char *home, cq_folder folder, cq_buf *out) {
  MUST(cq_home_folder(out, home, folder, &error));
}

static void put(const char *home, const char *name, const cq_buf *bytes) {
  cq_buf folder = {0};
  folder_of(home, CQ_FOLDER_OUTBOX, &folder);
  MUST(cq_parcel_write(folder.at, name, bytes->at, bytes->size, NULL, NULL, &error));
  cq_buf_fini(&folder);
}

void world_publish(world *w) {
  cq_chain devices[WORLD_LAPTOPS];
  size_t count = 0;
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) {
    if (w->laptop[i].is_certified) devices[count++] = w->laptop[i].chain;
  }
  cq_bundle_content content = {.mode = w->mode,
                               .first_key = w->programme_key,
                               .number = ++w->bundle_number,
                               .issued_utc_ms = (int64_t)w->bundle_number,
                               .desk = w->desk_seal_key,
                               .batch_recovery = w->recovery_key,
                               .vault_recovery = w->recovery_key,
                               .desk_chain = w->desk_chain,
                               .posts = &w->post_chain,
                               .post_count = 1,
                               .programme_json = CQ_STR(programme_json),
                               .devices = devices,
                               .device_count = count,
                               .revocations = &w->revocation,
                               .revocation_count = w->has_revocation};
  cq_buf_reset(&w->bundle);
  MUST(cq_bundle_build(&w->bundle, &content, w->programme, &error));
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) put(w->laptop[i].home, CQ_BUNDLE_FILE, &w->bundle);
  char name[96];
  cq_hash hash = cq_hash_of(w->bundle.at, w->bundle.size);
  cq_parcel_file_name(name, CQ_PARCEL_BUNDLE, NULL, w->bundle_number, &hash);
  put(w->desk_home, name, &w->bundle);
}

static void open_laptop(world *w, size_t i) {
  world_laptop *l = &w->laptop[i];
  cq_secret *seal = NULL;
  snprintf(l->home, sizeof l->home, "%s/laptop%zu", w->root, i);
  MUST(cq_sign_pair(&l->sign_key, &l->sign, &w->random, &error));
  MUST(cq_seal_pair(&l->seal_key, &seal, &w->random, &error));
  cq_secret_free(seal);
  l->id = cq_device_id_of(&l->sign_key);
  l->chain = certify(w, CQ_ROLE_DEVICE, &l->sign_key, &l->seal_key);
  l->is_certified = i < 2;
}

long world_sql(const char *store, const char *sql) {
  PGconn *pg = PQconnectdb(store);
  PGresult *result = PQexec(pg, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
    fprintf(stderr, "world: %s: %s\n", sql, PQerrorMessage(pg));
    abort();
  }
  long value = PQntuples(result) ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
  PQclear(result);
  PQfinish(pg);
  return value;
}

bool world_store(char store[300]) {
  static unsigned count;
  char create[64];
  const char *folder = getenv("CHASQUI_TEST_POSTGRES");
  store[0] = '\0';
  if (!folder) return false;
  snprintf(store, 300, "postgresql:///postgres?host=%s&user=chasqui", folder);
  snprintf(create, sizeof create, "CREATE SCHEMA w%ld_%u", (long)getpid(), ++count);
  world_sql(store, create);
  snprintf(store, 300, "postgresql:///postgres?host=%s&user=chasqui&options=-csearch_path%%3Dw%ld_%u", folder,
           (long)getpid(), count);
  return true;
}

void world_second_post(world *w, char home[256], post_settings *settings) {
  cq_buf bytes = {0}, path = {0};
  cq_sign_key key;
  *settings = w->post;
  if (!w->store[0]) return; /* SQLite: two processes of one home */
  snprintf(home, 256, "%s/post2", w->root);
  settings->home = home;
  MUST(cq_file_path(&path, w->post_home, "post.key", &error));
  MUST(cq_file_read(path.at, 64, &bytes, &error));
  MUST(cq_file_make_folder(home, &error));
  MUST(cq_file_path(&path, home, "post.key", &error));
  MUST(cq_file_replace(path.at, bytes.at, bytes.size, 0600, false, &error));
  MUST(post_make(settings, &key, &error));
  cq_buf_fini(&bytes);
  cq_buf_fini(&path);
}

void world_open(world *w, const char *name, cq_mode mode, uint64_t seed) {
  cq_secret *recovery = NULL;
  cq_sign_key post_key;
  memset(w, 0, sizeof *w);
  const char *folder = getenv("CHASQUI_TEST_TMP");
  snprintf(w->root, sizeof w->root, "%s/world-%s-%ld", folder ? folder : "/tmp", name, (long)getpid());
  world_remove(w->root);
  w->mode = mode;
  w->seed = seed;
  w->random = (cq_random){.fill = fill, .context = &w->seed};
  MUST(cq_sign_pair(&w->programme_key, &w->programme, &w->random, &error));
  w->id = cq_programme_id_of(&w->programme_key);
  MUST(cq_sign_pair(&w->desk_key, &w->desk, &w->random, &error));
  MUST(cq_seal_pair(&w->desk_seal_key, &w->desk_seal, &w->random, &error));
  MUST(cq_seal_pair(&w->recovery_key, &recovery, &w->random, &error));
  cq_secret_free(recovery);
  w->desk_chain = certify(w, CQ_ROLE_DESK, &w->desk_key, &w->desk_seal_key);
  snprintf(w->post_home, sizeof w->post_home, "%s/post", w->root);
  snprintf(w->desk_home, sizeof w->desk_home, "%s/desk", w->root);
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) open_laptop(w, i);
  w->post = (post_settings){.home = w->post_home, .clock = &cq_clock_system, .random = &cq_random_system};
  if (world_store(w->store)) w->post.store = w->store;
  MUST(post_make(&w->post, &post_key, &error));
  w->post_chain = certify(w, CQ_ROLE_POST, &post_key, NULL);
  w->codec = cq_batch_codec_new(NULL);
  if (!w->codec) abort();
  world_publish(w);
  MUST(post_pin(&w->post, cq_buf_str(&w->bundle), &error));
}

void world_close(world *w) {
  cq_secret_free(w->programme);
  cq_secret_free(w->desk);
  cq_secret_free(w->desk_seal);
  for (size_t i = 0; i < WORLD_LAPTOPS; i++) cq_secret_free(w->laptop[i].sign);
  cq_batch_codec_free(w->codec);
  cq_buf_fini(&w->bundle);
}

cq_hash world_batch(world *w, size_t laptop, size_t payload, cq_buf *out) {
  world_laptop *l = &w->laptop[laptop];
  cq_batch_writer *writer = cq_batch_writer_new(w->codec);
  cq_buf noise = {0}, bytes = {0};
  const cq_seal_key to[2] = {w->desk_seal_key, w->recovery_key};
  cq_request request = {.sign = l->sign_key, .seal = l->seal_key};
  char name[96];
  cq_hash hash;
  if (!writer || !cq_buf_reserve(&noise, payload + 1)) abort();
  w->random.fill(w->random.context, noise.at, payload);
  noise.size = payload;
  if (payload) MUST(cq_batch_add(writer, CQ_ENTRY_REQUEST, cq_buf_str(&noise), &error));
  cq_batch_sender sender = {.mode = w->mode,
                            .programme = w->id,
                            .sign = l->sign,
                            .chain = l->is_certified ? &l->chain : NULL,
                            .request = l->is_certified ? NULL : &request,
                            .number = ++l->number,
                            .previous = l->previous,
                            .created_utc_ms = 1345471385120,
                            .working_date = {2012, 8, 20}};
  MUST(cq_batch_end(writer, &sender, to, 2, &w->random, &bytes, &hash, NULL, &error));
  l->previous = hash;
  cq_batch_file_name(name, &l->id, l->number, &hash);
  put(l->home, name, &bytes);
  if (out) {
    cq_buf_reset(out);
    cq_buf_add_str(out, cq_buf_str(&bytes));
  }
  cq_batch_writer_free(writer);
  cq_buf_fini(&noise);
  cq_buf_fini(&bytes);
  return hash;
}

void world_opened(world *w, size_t laptop, uint64_t number, const cq_hash *hash, cq_buf *out) {
  cq_receipt *receipt = calloc(1, sizeof *receipt);
  cq_buf bytes = {0};
  char name[96];
  if (!receipt) abort();
  receipt->mode = w->mode;
  receipt->programme = w->id;
  receipt->device = w->laptop[laptop].id;
  receipt->made_utc_ms = 1345471385120;
  receipt->signer = CQ_ROLE_DESK;
  receipt->count = 1;
  receipt->batches[0] = (cq_receipt_batch){.number = number, .hash = *hash, .state = CQ_RECEIPT_OPENED};
  MUST(cq_receipt_write(&bytes, receipt, &w->desk_chain, w->desk, &error));
  cq_hash own = cq_hash_of(bytes.at, bytes.size);
  cq_parcel_file_name(name, CQ_PARCEL_RECEIPT, &receipt->device, 0, &own);
  put(w->desk_home, name, &bytes);
  if (out) {
    cq_buf_reset(out);
    cq_buf_add_str(out, cq_buf_str(&bytes));
  }
  free(receipt);
  cq_buf_fini(&bytes);
}

void world_pass(world *w) {
  cq_buf pass = {0}, path = {0};
  int64_t now = cq_clock_system.now_utc_ms(NULL);
  MUST(cq_pass_write(&pass, &w->desk_chain, w->mode, &w->id, now + 1000000, w->desk, &w->random, &error));
  MUST(cq_file_path(&path, w->desk_home, CQ_PASS_FILE, &error));
  MUST(cq_file_replace(path.at, pass.at, pass.size, 0600, false, &error));
  cq_buf_fini(&pass);
  cq_buf_fini(&path);
}
