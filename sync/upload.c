/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/upload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define TUS "Tus-Resumable: 1.0.0"
#define PIECE_TYPE "Content-Type: application/offset+octet-stream"
enum { CONFLICTS_MOST = 5 };

size_t upload_piece_after(size_t piece, uint64_t bytes, double seconds, bool broke) {
  double wanted = broke ? (double)piece / 4 : seconds > 0.01 ? (double)bytes / seconds * 10 : UPLOAD_PIECE_MOST;
  if (!broke && wanted > 2.0 * (double)piece) wanted = 2.0 * (double)piece; /* not on the word of one quick piece */
  if (wanted < UPLOAD_PIECE_LEAST) return UPLOAD_PIECE_LEAST;
  return wanted > UPLOAD_PIECE_MOST ? UPLOAD_PIECE_MOST : (size_t)wanted;
}

/* Where a post of ours keeps an upload; another server says it when the upload is created. */
static void expect_path(upload *u) {
  char hex[65];
  snprintf(u->path, sizeof u->path, "/v1/uploads/%s", cq_hash_hex(&u->hash, hex));
}

/* A Location on the same server, in any of the forms that it may have. */
static bool follow_location(const post_talk *t, upload *u) {
  const char *location = t->http.location, *base = t->remote.url;
  const char *host = strstr(base, "//"), *root = host ? strchr(host + 2, '/') : NULL;
  size_t origin = root ? (size_t)(root - base) : strlen(base);
  if (!*location) return true;
  if (strncmp(location, "http", 4) == 0) {
    if (strncmp(location, base, origin) != 0 || location[origin] != '/') return false;
    snprintf(u->path, sizeof u->path, "%s", location);
  } else if (*location == '/') {
    if (location[1] == '/') return false;
    snprintf(u->path, sizeof u->path, "%.*s%s", (int)origin, base, location);
  } else {
    snprintf(u->path, sizeof u->path, "/v1/%s", location);
  }
  return true;
}

static cq_status refused(post_talk *t, upload *u, cq_error *error) {
  snprintf(u->code, sizeof u->code, "%s", t->http.code);
  return post_refusal(t, error);
}

/* u->offset from the post. CQ_NOTFOUND without an error: it knows nothing of it. */
static cq_status ask_offset(post_talk *t, upload *u, cq_error *error) {
  static const char *const headers[] = {TUS, NULL};
  http_request request = {.method = "HEAD", .path = u->path, .headers = headers, .limit = 4096};
  cq_status status = http_run(t->line, &request, &t->http, error);
  if (status) return status;
  if (t->http.status == 404 || t->http.status == 410) return CQ_NOTFOUND;
  if (t->http.status != 200 || t->http.upload_offset < 0 || (uint64_t)t->http.upload_offset > u->bytes.size) {
    return refused(t, u, error);
  }
  u->offset = (uint64_t)t->http.upload_offset;
  return CQ_OK;
}

static void base64(const void *bytes, size_t size, char *out) {
  EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
}

static cq_status checksum_header(cq_str piece, char out[80], cq_error *error) {
  uint8_t digest[32];
  static const char name[] = "Upload-Checksum: sha256 ";
  if (EVP_Digest(piece.at, piece.size, digest, NULL, EVP_sha256(), NULL) != 1) return cq_error_nomem(error);
  memcpy(out, name, sizeof name - 1);
  base64(digest, sizeof digest, out + sizeof name - 1);
  return CQ_OK;
}

/* Names the upload, without bytes: what stands there already is told by Upload-Offset. */
static cq_status create(post_talk *t, upload *u, cq_error *error) {
  char hex[65], length[48], metadata[160] = "Upload-Metadata: hash ";
  snprintf(length, sizeof length, "Upload-Length: %zu", u->bytes.size);
  base64(cq_hash_hex(&u->hash, hex), 64, metadata + strlen(metadata));
  const char *headers[] = {TUS, length, metadata, "Content-Type:", NULL};
  http_request request = {.method = "POST", .path = "/v1/uploads", .headers = headers, .has_body = true, .limit = 4096};
  cq_status status = http_run(t->line, &request, &t->http, error);
  if (status) return status;
  if (t->http.status != 201 || !follow_location(t, u)) return refused(t, u, error);
  u->offset = t->http.upload_offset > 0 ? (uint64_t)t->http.upload_offset : 0;
  return CQ_OK;
}

static void on_moved(void *context, uint64_t up, uint64_t down) {
  upload *u = context;
  (void)down;
  if (u->moved) u->moved(u->context, u->offset + up);
}

static cq_status send_piece(post_talk *t, upload *u, cq_error *error) {
  char at[48], checksum[80];
  cq_str piece = {u->bytes.at + u->offset, u->bytes.size - (size_t)u->offset};
  if (piece.size > u->piece) piece.size = u->piece;
  cq_status status = checksum_header(piece, checksum, error);
  if (status) return status;
  snprintf(at, sizeof at, "Upload-Offset: %llu", (unsigned long long)u->offset);
  const char *headers[] = {TUS, PIECE_TYPE, at, checksum, NULL};
  http_request request = {.method = "PATCH",
                          .path = u->path,
                          .headers = headers,
                          .has_body = true,
                          .body = piece,
                          .limit = 4096,
                          .moved = on_moved,
                          .context = u};
  status = http_run(t->line, &request, &t->http, error);
  u->piece = upload_piece_after(u->piece, t->http.sent, t->http.seconds, status != CQ_OK);
  return status;
}

cq_status upload_try(post_talk *t, upload *u, cq_error *error) {
  int conflicts = 0;
  u->code[0] = '\0';
  expect_path(u);
  cq_status status = ask_offset(t, u, error);
  if (status == CQ_NOTFOUND) status = create(t, u, error);
  while (!status && u->offset < u->bytes.size) {
    status = send_piece(t, u, error);
    if (status) break;
    int http = t->http.status;
    if (http == 204 && t->http.upload_offset > (int64_t)u->offset && (uint64_t)t->http.upload_offset <= u->bytes.size) {
      u->offset = (uint64_t)t->http.upload_offset;
    } else if ((http == 409 || http == 460 || http == 404 || http == 410) && conflicts++ < CONFLICTS_MOST) {
      /* Somebody else sent that piece or the whole, an answer was lost, or the piece was damaged on its way: where does
       * it stand? */
      status = ask_offset(t, u, error);
      if (status == CQ_NOTFOUND) status = create(t, u, error);
    } else {
      status = refused(t, u, error);
    }
  }
  return status;
}
