/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tus 1.0 (https://tus.io/protocols/resumable-upload): items too large for one
 * exchange, in pieces. An upload is two files, uploads/HASH.part with the bytes
 * so far and uploads/HASH.length with what they will be; its offset is the
 * size of the first. So an upload outlives the post's process. Parts stay on
 * the machine that took them, also where several posts stand before one store:
 * another machine does not know the upload, and the courier begins it there.
 */
#include "central/inbox/http.h"
#include "chasqui/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { UPLOADS_MOST = 256, EXPIRES_SECONDS = 7 * 24 * 3600, CHECKSUM_MOST = EVP_MAX_MD_SIZE };
static const uint64_t uploads_bytes_most = (uint64_t)2 << 30;

#define TUS_VERSION "1.0.0"
#define TUS_EXTENSIONS "creation,creation-with-upload,checksum,expiration,termination"

struct upload_writer {
  cq_hash hash;
  char part[300];
  int fd;
  uint64_t start, at, length;
  EVP_MD_CTX *digest; /* where the piece has a checksum */
  uint8_t checksum[CHECKSUM_MOST];
  unsigned checksum_size;
  bool failed, overrun, ended;
  struct upload_writer *next; /* of those at work: one piece at a time for each upload */
};

static pthread_mutex_t at_work_lock = PTHREAD_MUTEX_INITIALIZER;
static upload_writer *at_work;

static bool begin_work(upload_writer *writer) {
  bool free_to_work = true;
  pthread_mutex_lock(&at_work_lock);
  for (const upload_writer *w = at_work; w; w = w->next) free_to_work &= !cq_hash_equal(&w->hash, &writer->hash);
  if (free_to_work) {
    writer->next = at_work;
    at_work = writer;
  }
  pthread_mutex_unlock(&at_work_lock);
  return free_to_work;
}

static void end_work(const upload_writer *writer) {
  pthread_mutex_lock(&at_work_lock);
  for (upload_writer **w = &at_work; *w; w = &(*w)->next) {
    if (*w == writer) {
      *w = writer->next;
      break;
    }
  }
  pthread_mutex_unlock(&at_work_lock);
}

/* --- answers --- */
static enum MHD_Result answer(http_request *request, unsigned status, const char *code, const http_header *more) {
  http_header headers[8] = {{"Tus-Resumable", TUS_VERSION}, {"Cache-Control", "no-store"}};
  size_t count = 2;
  if (code) headers[count++] = (http_header){"Chasqui-Code", code};
  for (; more && more->name && count < 7; more++) headers[count++] = *more;
  return http_respond(request, status, headers, cq_str_from(status >= 400 && code ? code : ""));
}

static enum MHD_Result answer_offset(http_request *request, unsigned status, const char *code, uint64_t offset,
                                     uint64_t length) {
  char at[24], of[24], expires[40];
  time_t end =
      (time_t)(post_settings_of(request->post)->clock->now_utc_ms(post_settings_of(request->post)->clock->context) /
               1000) +
      EXPIRES_SECONDS;
  struct tm utc;
  gmtime_r(&end, &utc);
  strftime(expires, sizeof expires, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  snprintf(at, sizeof at, "%llu", (unsigned long long)offset);
  snprintf(of, sizeof of, "%llu", (unsigned long long)length);
  const http_header headers[] = {{"Upload-Offset", at}, {"Upload-Length", of}, {"Upload-Expires", expires}, {0}};
  return answer(request, status, code, headers);
}

static enum MHD_Result answer_created(http_request *request, const cq_hash *hash, uint64_t offset) {
  char hex[65], location[96], at[24];
  snprintf(location, sizeof location, "uploads/%s", cq_hash_hex(hash, hex));
  snprintf(at, sizeof at, "%llu", (unsigned long long)offset);
  const http_header headers[] = {{"Location", location}, {"Upload-Offset", at}, {0}};
  return answer(request, 201, NULL, headers);
}

enum MHD_Result uploads_options(http_request *request) {
  char most[24];
  snprintf(most, sizeof most, "%d", (int)CQ_PROTOCOL_MAX_ITEM);
  const http_header headers[] = {{"Tus-Version", TUS_VERSION},
                                 {"Tus-Extension", TUS_EXTENSIONS},
                                 {"Tus-Max-Size", most},
                                 {"Tus-Checksum-Algorithm", "sha256,sha1"},
                                 {0}};
  return answer(request, 204, NULL, headers);
}

static bool speaks_tus(http_request *request) {
  const char *version = http_header_of(request, "Tus-Resumable");
  return version && strcmp(version, TUS_VERSION) == 0;
}

static enum MHD_Result refuse_version(http_request *request) {
  static const http_header headers[] = {{"Tus-Version", TUS_VERSION}, {0}};
  return answer(request, 412, "post.request.future", headers);
}

/* --- the two files --- */
static bool file_of(post *p, const cq_hash *hash, const char *ending, char out[300]) {
  char hex[65], name[96];
  cq_buf path = {0};
  snprintf(name, sizeof name, "uploads/%s%s", cq_hash_hex(hash, hex), ending);
  bool fits = post_path(p, name, &path, NULL) == CQ_OK && path.size < 300;
  if (fits) memcpy(out, path.at, path.size + 1);
  cq_buf_fini(&path);
  return fits;
}

/* The length that an upload will have, and how far it has come; false: there is none. */
static bool upload_state(post *p, const cq_hash *hash, uint64_t *offset, uint64_t *length) {
  char file[300];
  cq_buf text = {0};
  int64_t value = -1;
  struct stat about;
  bool there = file_of(p, hash, ".length", file) && cq_file_read(file, 24, &text, NULL) == CQ_OK &&
               cq_str_int64(cq_buf_str(&text), &value) && value > 0 && file_of(p, hash, ".part", file);
  cq_buf_fini(&text);
  if (!there) return false;
  *length = (uint64_t)value;
  *offset = stat(file, &about) == 0 ? (uint64_t)about.st_size : 0;
  return *offset <= *length;
}

static void remove_upload(post *p, const cq_hash *hash) {
  char file[300];
  if (file_of(p, hash, ".part", file)) cq_file_remove(file, NULL);
  if (file_of(p, hash, ".length", file)) cq_file_remove(file, NULL);
}

/* Removes what has expired; answers how many uploads are left and what they will be in all. */
static void sweep(post *p, size_t *count, uint64_t *bytes) {
  cq_buf folder = {0};
  const cq_clock *clock = post_settings_of(p)->clock;
  int64_t now = clock->now_utc_ms(clock->context) / 1000;
  *count = 0;
  *bytes = 0;
  DIR *dir = post_path(p, "uploads", &folder, NULL) == CQ_OK ? opendir(folder.at) : NULL;
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    cq_hash hash;
    struct stat about;
    uint64_t offset, length;
    char file[300];
    cq_str name = cq_str_from(entry->d_name);
    if (name.size != 64 + 7 || !cq_hash_parse((cq_str){name.at, 64}, &hash)) continue;
    bool begun = file_of(p, &hash, ".part", file) && stat(file, &about) == 0;
    if (!begun && (!file_of(p, &hash, ".length", file) || stat(file, &about) != 0)) continue;
    if (now - (int64_t)about.st_mtime > EXPIRES_SECONDS || !upload_state(p, &hash, &offset, &length)) {
      remove_upload(p, &hash);
      continue;
    }
    ++*count;
    *bytes += length;
  }
  if (dir) closedir(dir);
  cq_buf_fini(&folder);
}

/* --- headers --- */
static bool decode64(const char *text, size_t size, uint8_t *out, size_t most, unsigned *out_size) {
  uint8_t room[3 * 64];
  while (size && text[size - 1] == ' ') size--;
  if (size == 0 || size % 4 || size > 4 * sizeof room / 3) return false;
  int n = EVP_DecodeBlock(room, (const unsigned char *)text, (int)size);
  if (n < 0) return false;
  for (size_t i = size; i > size - 2 && text[i - 1] == '='; i--) n--;
  if ((size_t)n > most) return false;
  memcpy(out, room, (size_t)n);
  *out_size = (unsigned)n;
  return true;
}

/* "key base64,key base64,…": the item's hash, whose value is its hexadecimal digits. */
static bool metadata_hash(const char *metadata, cq_hash *hash) {
  unsigned size;
  uint8_t hex[64];
  for (const char *at = metadata; at && *at;) {
    while (*at == ' ' || *at == ',') at++;
    const char *comma = strchr(at, ',');
    size_t whole = comma ? (size_t)(comma - at) : strlen(at);
    if (whole > 5 && strncmp(at, "hash ", 5) == 0) {
      return decode64(at + 5, whole - 5, hex, sizeof hex, &size) && cq_hash_parse((cq_str){(char *)hex, size}, hash);
    }
    at += whole;
  }
  return false;
}

/* false: an algorithm that is not offered, or no base64. */
static bool read_checksum(upload_writer *writer, const char *header) {
  const char *space = strchr(header, ' ');
  bool sha1 = space && strncmp(header, "sha1", (size_t)(space - header)) == 0 && space - header == 4;
  bool sha256 = space && strncmp(header, "sha256", (size_t)(space - header)) == 0 && space - header == 6;
  if (!sha1 && !sha256) return false;
  if (!decode64(space + 1, strlen(space + 1), writer->checksum, sizeof writer->checksum, &writer->checksum_size)) {
    return false;
  }
  writer->digest = EVP_MD_CTX_new();
  return writer->digest && EVP_DigestInit_ex(writer->digest, sha1 ? EVP_sha1() : EVP_sha256(), NULL) == 1;
}

/* --- a piece --- */
void upload_close(upload_writer *writer) {
  if (!writer) return;
  if (writer->fd >= 0) {
    /* A connection that broke: what came is kept, unless a checksum was to say whether it is right. */
    if (!writer->ended && writer->digest && ftruncate(writer->fd, (off_t)writer->start) != 0) writer->failed = true;
    if (fsync(writer->fd) != 0) writer->failed = true;
    close(writer->fd);
    end_work(writer);
  }
  EVP_MD_CTX_free(writer->digest);
  free(writer);
}

void upload_write(upload_writer *writer, const char *bytes, size_t size) {
  if (writer->failed || writer->overrun) return;
  if (size > writer->length - writer->at) {
    writer->overrun = true;
    return;
  }
  if (writer->digest && EVP_DigestUpdate(writer->digest, bytes, size) != 1) writer->failed = true;
  for (size_t done = 0; done < size && !writer->failed;) {
    ssize_t n = write(writer->fd, bytes + done, size - done);
    if (n > 0)
      done += (size_t)n;
    else if (errno != EINTR)
      writer->failed = true;
  }
  writer->at += size;
}

/* Opens the upload's file for a piece at its end. NULL: the request was answered. */
static upload_writer *open_writer(http_request *request, const cq_hash *hash, uint64_t offset, uint64_t length,
                                  enum MHD_Result *result) {
  upload_writer *writer = calloc(1, sizeof *writer);
  if (!writer) {
    *result = answer(request, 503, "post.busy", NULL);
    return NULL;
  }
  writer->fd = -1;
  writer->hash = *hash;
  writer->start = writer->at = offset;
  writer->length = length;
  const char *checksum = http_header_of(request, "Upload-Checksum");
  if (checksum && !read_checksum(writer, checksum)) {
    *result = answer(request, 400, "post.request.malformed", NULL);
  } else if (!begin_work(writer)) {
    *result = answer(request, 423, "post.busy", NULL);
  } else if (!file_of(request->post, hash, ".part", writer->part) ||
             (writer->fd = open(writer->part, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) {
    end_work(writer);
    *result = answer(request, 503, "post.busy", NULL);
  } else {
    /* Only now nobody else writes: is it still where the sender takes it to be? */
    struct stat about;
    if (fstat(writer->fd, &about) == 0 && (uint64_t)about.st_size == offset) return writer;
    writer->ended = true;
    *result = answer(request, 409, "post.request.offset", NULL);
  }
  upload_close(writer);
  return NULL;
}

static bool is_piece(http_request *request) {
  const char *type = http_header_of(request, "Content-Type");
  return type && strcmp(type, "application/offset+octet-stream") == 0;
}

/* An item that the post has already is an upload that stands at its end. CQ_NOTFOUND: it has not; else an error. */
static cq_status find_known(post *p, const cq_hash *hash, uint64_t *size) {
  index_item item;
  cq_status status = index_find(post_index_of(p), hash, &item, NULL);
  if (!status) *size = item.size;
  return status;
}

upload_writer *upload_begin_patch(http_request *request, enum MHD_Result *result) {
  cq_hash hash;
  uint64_t offset, length;
  const char *at_text = http_header_of(request, "Upload-Offset");
  int64_t at = -1;
  if (!speaks_tus(request))
    *result = refuse_version(request);
  else if (!cq_hash_parse(cq_str_from(request->rest), &hash) || !upload_state(request->post, &hash, &offset, &length)) {
    *result = answer(request, 404, "post.request.path", NULL);
  } else if (!is_piece(request))
    *result = answer(request, 415, "post.request.malformed", NULL);
  else if (!at_text || !cq_str_int64(cq_str_from(at_text), &at) || at < 0) {
    *result = answer(request, 400, "post.request.malformed", NULL);
  } else if ((uint64_t)at != offset)
    *result = answer(request, 409, "post.request.offset", NULL);
  else
    return open_writer(request, &hash, offset, length, result);
  return NULL;
}

/* Whether the piece is as its checksum says; a wrong one leaves the upload as it was. */
static bool checksum_right(upload_writer *writer) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!writer->digest) return true;
  bool right = EVP_DigestFinal_ex(writer->digest, digest, &size) == 1 && size == writer->checksum_size &&
               memcmp(digest, writer->checksum, size) == 0;
  if (!right && ftruncate(writer->fd, (off_t)writer->start) != 0) writer->failed = true;
  return right;
}

typedef enum { FINISH_PATCH, FINISH_CREATE, FINISH_HEAD } finish_by;

/* All bytes are there: the item is judged and kept, and the upload is gone. */
static enum MHD_Result finish(http_request *request, const upload_writer *writer, finish_by by) {
  cq_buf bytes = {0};
  index_item item;
  enum MHD_Result result;
  cq_outcome outcome = CQ_OUTCOME_LATER_FULL;
  if (cq_file_read(writer->part, CQ_PROTOCOL_MAX_ITEM, &bytes, NULL) == CQ_OK) {
    cq_hash hash = cq_hash_of(bytes.at, bytes.size);
    cq_str whole = cq_buf_str(&bytes);
    if (!cq_hash_equal(&hash, &writer->hash))
      outcome = CQ_OUTCOME_DAMAGED;
    else if (post_take(request->post, &whole, 1, &item, NULL) == CQ_OK)
      outcome = item.outcome;
  }
  cq_buf_fini(&bytes);
  const char *code = cq_outcome_code(outcome);
  if (outcome >= CQ_OUTCOME_LATER_QUOTA) {
    result = answer(request, 503, code, NULL);
  } else {
    remove_upload(request->post, &writer->hash);
    if (cq_outcome_is_refused(outcome))
      result = answer(request, 422, code, NULL);
    else if (by == FINISH_CREATE)
      result = answer_created(request, &writer->hash, writer->length);
    else
      result = answer_offset(request, by == FINISH_HEAD ? 200 : 204, code, writer->length, writer->length);
  }
  return result;
}

/* The end of a PATCH, or of a creation that brought bytes (then `created`). */
static enum MHD_Result end_piece(http_request *request, bool created) {
  upload_writer *writer = request->upload;
  writer->ended = true;
  if (writer->overrun) {
    if (ftruncate(writer->fd, (off_t)writer->start) != 0) writer->failed = true;
    return answer(request, 413, "post.request.large", NULL);
  }
  bool right = checksum_right(writer);
  if (writer->failed || fsync(writer->fd) != 0) return answer(request, 503, "post.busy", NULL);
  if (!right) return answer(request, 460, "post.request.checksum", NULL);
  if (writer->at == writer->length) return finish(request, writer, created ? FINISH_CREATE : FINISH_PATCH);
  if (!created) return answer_offset(request, 204, NULL, writer->at, writer->length);
  return answer_created(request, &writer->hash, writer->at);
}

enum MHD_Result uploads_patch(http_request *request) {
  return end_piece(request, false);
}

/* --- creation --- */
static bool write_length(post *p, const cq_hash *hash, uint64_t length) {
  char file[300], text[24];
  int size = snprintf(text, sizeof text, "%llu", (unsigned long long)length);
  return file_of(p, hash, ".length", file) && cq_file_replace(file, text, (size_t)size, 0600, false, NULL) == CQ_OK;
}

/* Without a body, or where there are bytes already, the upload is only named; the body is then passed over. */
upload_writer *upload_begin_create(http_request *request, enum MHD_Result *result) {
  cq_hash hash;
  uint64_t offset = 0, length = 0, size, all;
  size_t count;
  int64_t wanted = -1;
  cq_status known = CQ_OK;
  const char *text = http_header_of(request, "Upload-Length");
  if (!speaks_tus(request)) {
    *result = refuse_version(request);
  } else if (!text || !cq_str_int64(cq_str_from(text), &wanted) || wanted <= 0 ||
             !metadata_hash(http_header_of(request, "Upload-Metadata"), &hash)) {
    *result = answer(request, 400, "post.request.malformed", NULL);
  } else if (wanted > CQ_PROTOCOL_MAX_ITEM) {
    *result = answer(request, 413, "post.request.large", NULL);
  } else if ((known = find_known(request->post, &hash, &size)) == CQ_OK) {
    *result = answer_created(request, &hash, size);
  } else if (known != CQ_NOTFOUND) {
    *result = answer(request, 503, "post.busy", NULL);
  } else if (upload_state(request->post, &hash, &offset, &length) && length == (uint64_t)wanted && offset > 0) {
    *result = answer_created(request, &hash, offset);
  } else {
    remove_upload(request->post, &hash); /* one of another length, or without a byte */
    offset = 0;
    sweep(request->post, &count, &all);
    if (count >= UPLOADS_MOST || all + (uint64_t)wanted > uploads_bytes_most ||
        !write_length(request->post, &hash, (uint64_t)wanted)) {
      *result = answer(request, 503, "post.busy", NULL);
    } else if (is_piece(request)) {
      return open_writer(request, &hash, offset, (uint64_t)wanted, result);
    } else {
      *result = answer_created(request, &hash, offset);
    }
  }
  return NULL;
}

enum MHD_Result uploads_create(http_request *request) {
  return end_piece(request, true);
}

/* --- HEAD and DELETE --- */
/* All bytes are there, but the post ended, or could not write, before it took the item. */
static enum MHD_Result finish_left_over(http_request *request, const cq_hash *hash, uint64_t length) {
  upload_writer whole = {.hash = *hash, .length = length};
  if (!begin_work(&whole)) return answer(request, 423, "post.busy", NULL);
  enum MHD_Result result = file_of(request->post, hash, ".part", whole.part) ? finish(request, &whole, FINISH_HEAD)
                                                                             : answer(request, 503, "post.busy", NULL);
  end_work(&whole);
  return result;
}

enum MHD_Result uploads_head(http_request *request) {
  cq_hash hash;
  uint64_t offset, length;
  if (!speaks_tus(request)) return refuse_version(request);
  if (!cq_hash_parse(cq_str_from(request->rest), &hash)) return answer(request, 404, "post.request.path", NULL);
  cq_status known = find_known(request->post, &hash, &length);
  if (!known) return answer_offset(request, 200, NULL, length, length);
  if (known != CQ_NOTFOUND) return answer(request, 503, "post.busy", NULL);
  if (!upload_state(request->post, &hash, &offset, &length)) return answer(request, 404, "post.request.path", NULL);
  if (offset == length) return finish_left_over(request, &hash, length);
  return answer_offset(request, 200, NULL, offset, length);
}

enum MHD_Result uploads_delete(http_request *request) {
  cq_hash hash;
  uint64_t offset, length;
  if (!speaks_tus(request)) return refuse_version(request);
  if (!cq_hash_parse(cq_str_from(request->rest), &hash) || !upload_state(request->post, &hash, &offset, &length)) {
    return answer(request, 404, "post.request.path", NULL);
  }
  upload_writer alone = {.hash = hash};
  if (!begin_work(&alone)) return answer(request, 423, "post.busy", NULL);
  remove_upload(request->post, &hash);
  end_work(&alone);
  return answer(request, 204, NULL, NULL);
}
