/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/attach.h"

#include "chasqui/cli.h"
#include "chasqui/file.h"
#include "collector/bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the path --- */

static int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "file:///home/x/foto%201.jpg", as file managers give it when a file is dropped on a terminal. */
static void add_url(cq_str url, cq_buf *out) {
  for (size_t i = 0; i < url.size; i++) {
    int high = i + 2 < url.size && url.at[i] == '%' ? hex_of(url.at[i + 1]) : -1;
    int low = high >= 0 ? hex_of(url.at[i + 2]) : -1;
    if (low >= 0 && high + low > 0) {
      cq_buf_add_char(out, (char)(high * 16 + low));
      i += 2;
    } else {
      cq_buf_add_char(out, url.at[i]);
    }
  }
}

static void add_rooted(cq_str typed, const char *folder, cq_buf *out) {
  const char *home = getenv("HOME");
  if (home && typed.size > 0 && typed.at[0] == '~' && (typed.size == 1 || typed.at[1] == '/')) {
    cq_buf_add_text(out, home);
    typed = (cq_str){typed.at + 1, typed.size - 1};
  } else if (folder && typed.size > 0 && typed.at[0] != '/') {
    cq_buf_add_text(out, folder);
    cq_buf_add_char(out, '/');
  }
  cq_buf_add_str(out, typed);
}

static bool is_there(const char *path) {
  struct stat info;
  return path && stat(path, &info) == 0;
}

/* "foto\ 1.jpg": only where there is no file of that very name. */
static void without_backslashes(cq_buf *path) {
  size_t to = 0;
  for (size_t i = 0; i < path->size; i++) {
    if (path->at[i] == '\\' && i + 1 < path->size) i++;
    path->at[to++] = path->at[i];
  }
  path->size = to;
  path->at[to] = '\0';
}

cq_status cq_attach_path(cq_buf *path, cq_str typed, const char *folder, cq_error *error) {
  cq_str url = CQ_STR("file://");
  cq_buf plain = {0};
  typed = cq_str_trim(typed);
  if (typed.size >= 2 && (typed.at[0] == '\'' || typed.at[0] == '"') && typed.at[typed.size - 1] == typed.at[0])
    typed = (cq_str){typed.at + 1, typed.size - 2};
  cq_buf_reset(path);
  if (cq_str_starts(typed, url)) {
    add_url((cq_str){typed.at + url.size, typed.size - url.size}, &plain);
    typed = cq_buf_str(&plain);
  }
  add_rooted(typed, folder, path);
  bool failed = plain.failed || path->failed || !path->at;
  cq_buf_fini(&plain);
  if (typed.size == 0) return cq_error_set(error, CQ_NOTFOUND, "collector.attach.none", NULL);
  if (failed) return cq_error_nomem(error);
  if (memchr(path->at, 0, path->size)) return cq_error_set(error, CQ_NOTFOUND, "collector.attach.none", NULL);
  if (!is_there(path->at) && memchr(path->at, '\\', path->size)) without_backslashes(path);
  return CQ_OK;
}

/* --- reading --- */

static void add_size(cq_buf *out, int64_t size) {
  if (size >= 1000 * 1000)
    cq_buf_addf(out, "%.1f MB", (double)size / 1e6);
  else if (size >= 1000)
    cq_buf_addf(out, "%.0f kB", (double)size / 1e3);
  else
    cq_buf_addf(out, "%d B", (int)size);
}

static cq_status refuse_size(int64_t size, cq_error *error) {
  cq_buf is = {0}, most = {0};
  add_size(&is, size);
  add_size(&most, CQ_ATTACH_MAX);
  cq_status status =
      cq_error_set(error, CQ_INVALID, "collector.attach.large", is.at ? is.at : "", most.at ? most.at : "", NULL);
  cq_buf_fini(&is);
  cq_buf_fini(&most);
  return status;
}

/* Opens without waiting, whatever it is: a FIFO has no end. */
static cq_status open_file(const char *path, int *fd, int64_t *size, cq_error *error) {
  struct stat info;
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (*fd < 0) {
    int why = errno;
    if (why == ENOENT || why == ENOTDIR || why == ENAMETOOLONG)
      return cq_error_set(error, CQ_NOTFOUND, "collector.attach.none", NULL);
    return cq_error_set(error, CQ_INVALID, "collector.attach.open", strerror(why), NULL);
  }
  if (fstat(*fd, &info) != 0) return cq_error_set(error, CQ_INVALID, "collector.attach.read", strerror(errno), NULL);
  if (S_ISDIR(info.st_mode)) return cq_error_set(error, CQ_INVALID, "collector.attach.folder", NULL);
  if (!S_ISREG(info.st_mode)) return cq_error_set(error, CQ_INVALID, "collector.attach.special", NULL);
  if (info.st_size == 0) return cq_error_set(error, CQ_INVALID, "collector.attach.empty", NULL);
  *size = info.st_size;
  return info.st_size > CQ_ATTACH_MAX ? refuse_size(info.st_size, error) : CQ_OK;
}

typedef struct source {
  int fd, failed;            /* errno of a failure */
  int64_t size, total, next; /* when to ask again */
  const cq_attach_watch *watch;
} source;

static bool goes_on(source *it) {
  enum { STEP = 4 << 20 };
  if (!it->watch->go_on || it->total <= CQ_ATTACH_NOTICED || it->size < it->next) return true;
  it->next = it->size + STEP;
  return it->watch->go_on(it->watch->context, (uint64_t)it->size, (uint64_t)it->total);
}

/* A file that grows while it is read must not fill the vault. */
static int64_t read_on(void *context, void *out, size_t size) {
  source *it = context;
  ssize_t got;
  if (!goes_on(it)) {
    it->failed = ECANCELED;
    return -1;
  }
  do got = read(it->fd, out, size);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    it->failed = errno;
    return -1;
  }
  it->size += got;
  if (it->size <= CQ_ATTACH_MAX) return got;
  it->failed = EFBIG;
  return -1;
}

static cq_status look_at(int fd, const char *path, cq_str wanted, cq_media *media, cq_error *error) {
  char head[CQ_MEDIA_HEAD];
  const char *slash = strrchr(path, '/');
  ssize_t got = pread(fd, head, sizeof head, 0);
  if (got < 0) return cq_error_set(error, CQ_INVALID, "collector.attach.read", strerror(errno), NULL);
  *media = cq_media_of((cq_str){head, (size_t)got}, cq_str_from(slash ? slash + 1 : path), wanted);
  return cq_media_fits(wanted, media->type)
             ? CQ_OK
             : cq_error_set(error, CQ_INVALID, "collector.attach.kind", _(media->words), NULL);
}

/* As ODK names files, thirteen digits: theirs are a time, these are drawn by lot. */
static void draw_name(cq_attached *attached, const char *ending, const cq_random *random) {
  uint64_t drawn = 0;
  random->fill(random->context, &drawn, sizeof drawn);
  snprintf(attached->name, sizeof attached->name, "%llu.%s",
           (unsigned long long)(1000000000000ULL + drawn % 9000000000000ULL), ending);
}

cq_status cq_attach_read(cq_attached *attached, cq_store *store, const char *path, cq_str wanted,
                         const cq_random *random, const cq_attach_watch *watch, cq_error *error) {
  source from = {.fd = -1, .watch = watch};
  cq_media media = {0};
  cq_bare *bare = NULL;
  *attached = (cq_attached){.size = 0};
  cq_status status = open_file(path, &from.fd, &from.total, error);
  if (status == CQ_OK) status = look_at(from.fd, path, wanted, &media, error);
  if (status == CQ_OK) {
    bare = cq_bare_new(media.type, read_on, &from);
    if (!bare) status = cq_error_nomem(error);
  }
  if (status == CQ_OK) {
    status = cq_store_attachment_put(store, cq_bare_read, bare, attached->hash, &attached->size, error);
    if (from.failed == EFBIG)
      status = refuse_size(from.size, error);
    else if (from.failed == ECANCELED)
      status = cq_error_set(error, CQ_INVALID, "collector.attach.stopped", NULL);
    else if (from.failed)
      status = cq_error_set(error, CQ_INVALID, "collector.attach.read", strerror(from.failed), NULL);
    else if (status == CQ_OK && attached->size == 0)
      status = cq_error_set(error, CQ_INVALID, "collector.attach.empty", NULL);
  }
  if (status == CQ_OK) draw_name(attached, media.ending, random);
  if (from.fd >= 0) close(from.fd);
  cq_bare_free(bare);
  return status;
}

void cq_attach_words(const cq_attached *attached, cq_buf *out) {
  cq_buf_addf(out, "%s, ", _(cq_media_named(cq_str_from(attached->name)).words));
  add_size(out, attached->size);
}

/* --- completing --- */

enum { OFFERED_BYTES = 400, OFFERED_MOST = 10000 /* names of a folder that are looked at */ };

typedef struct completion {
  char **names; /* that begin so; of a folder with a slash at its end */
  size_t count;
} completion;

static bool is_folder(const char *folder, const char *name) {
  struct stat info;
  cq_buf path = {0};
  bool is = cq_file_path(&path, folder, name, NULL) == CQ_OK && stat(path.at, &info) == 0 && S_ISDIR(info.st_mode);
  cq_buf_fini(&path);
  return is;
}

static bool add_name(completion *it, const char *name, bool folder) {
  cq_buf whole = {0};
  if ((it->count & (it->count - 1)) == 0) {
    char **more = realloc(it->names, (it->count ? it->count * 2 : 1) * sizeof *more);
    if (!more) return false;
    it->names = more;
  }
  cq_buf_addf(&whole, "%s%s", name, folder ? "/" : "");
  if (!whole.failed) it->names[it->count++] = whole.at;
  return !whole.failed;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_names(completion *it, const char *folder, cq_str begun) {
  DIR *dir = opendir(folder);
  for (struct dirent *one; dir && it->count < OFFERED_MOST && (one = readdir(dir));) {
    cq_str name = cq_str_from(one->d_name);
    /* hidden ones only where they are asked for; what is not UTF-8 cannot be typed */
    if (!cq_str_starts(name, begun) || (name.at[0] == '.' && begun.size == 0) || !cq_utf8_valid(name)) continue;
    if (cq_str_is(name, ".") || cq_str_is(name, "..")) continue;
    if (!add_name(it, one->d_name, is_folder(folder, one->d_name))) break;
  }
  if (dir) closedir(dir);
  if (it->count > 0) qsort(it->names, it->count, sizeof *it->names, by_text);
}

/* Of sorted names the first and the last have in common what all have; never a part of a sign. */
static size_t common_of(const completion *it) {
  const char *first = it->names[0], *last = it->names[it->count - 1];
  size_t same = 0;
  while (first[same] && first[same] == last[same]) same++;
  while (same > 0 && ((unsigned char)first[same] & 0xC0) == 0x80) same--;
  return same;
}

bool cq_attach_complete(cq_buf *typed, cq_buf *offered) {
  cq_buf folder = {0};
  completion found = {.count = 0};
  cq_buf_reset(offered);
  if (typed->size == 1 && typed->at[0] == '~') cq_buf_add_char(typed, '/');
  size_t cut = typed->size;
  while (cut > 0 && typed->at[cut - 1] != '/') cut--;
  cq_str begun = {typed->at ? typed->at + cut : "", typed->size - cut};
  add_rooted((cq_str){typed->at ? typed->at : "", cut}, NULL, &folder);
  if (!folder.failed) find_names(&found, folder.size > 0 ? folder.at : ".", begun);
  if (found.count > 0) {
    size_t same = common_of(&found), known = begun.size;
    if (same > known) cq_buf_add(typed, found.names[0] + known, same - known);
  }
  for (size_t i = 0; found.count > 1 && i < found.count; i++) {
    if (offered->size > OFFERED_BYTES) {
      cq_buf_add_text(offered, "  …");
      break;
    }
    cq_buf_addf(offered, "%s%s", i > 0 ? "  " : "", found.names[i]);
  }
  for (size_t i = 0; i < found.count; i++) free(found.names[i]);
  free(found.names);
  cq_buf_fini(&folder);
  return found.count > 0;
}
