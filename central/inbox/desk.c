/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk's courier reads: the batches, in the order of arrival. */
#include "central/inbox/http.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 4 << 20, INLINE_BYTES = 1 << 20, LIST_ROWS = 4096 };

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* base64url without padding. */
static bool decode(const char *text, cq_buf *out) {
  uint32_t bits = 0;
  int have = 0;
  for (; *text; text++) {
    int digit = digit_of(*text);
    if (digit < 0 || out->size > CQ_PASS_MAX_SIZE) return false;
    bits = bits << 6 | (uint32_t)digit;
    have += 6;
    if (have >= 8) {
      have -= 8;
      cq_buf_add_char(out, (char)(bits >> have & 0xff));
    }
  }
  return !out->failed;
}

static bool is_desk(http_request *request, uint8_t challenge[CQ_CHALLENGE_SIZE]) {
  static const char scheme[] = "Chasqui ";
  const char *authorization = http_header_of(request, "Authorization");
  if (!authorization || strncmp(authorization, scheme, sizeof scheme - 1) != 0) return false;
  cq_buf token = {0};
  const cq_clock *clock = post_settings_of(request->post)->clock;
  bool right = decode(authorization + sizeof scheme - 1, &token);
  post_look(request->post);
  if (right) {
    const cq_bundle *bundle = post_bundle_lock(request->post);
    right = cq_pass_check(challenge, cq_buf_str(&token), cq_bundle_trust(bundle), post_sign_of(request->post),
                          clock->now_utc_ms(clock->context), NULL) == CQ_OK;
    post_bundle_unlock(request->post);
  }
  cq_buf_fini(&token);
  return right;
}

typedef struct rows {
  index_item *items;
  size_t count;
  uint64_t bytes;
  bool failed;
} rows;

static bool collect(void *context, const index_item *item) {
  rows *list = context;
  uint64_t bytes = item->size <= INLINE_BYTES ? item->size : 0;
  if (list->count && list->bytes + bytes > LIST_BYTES) return false;
  if (list->count % 256 == 0) {
    index_item *more = realloc(list->items, (list->count + 256) * sizeof *more);
    if (!more) {
      list->failed = true;
      return false;
    }
    list->items = more;
  }
  list->items[list->count++] = *item;
  list->bytes += bytes;
  return true;
}

/* False: the bytes cannot be read; the desk asks again from there. */
static bool put_row(post *p, const index_item *item, cq_buf *out) {
  cq_frame frame = {.sequence = item->sequence,
                    .outcome = (uint8_t)item->outcome,
                    .hash = item->hash,
                    .size = item->size,
                    .has_bytes = item->size <= INLINE_BYTES};
  cq_buf bytes = {0};
  cq_error error;
  cq_error_clear(&error);
  cq_status status = CQ_OK;
  if (frame.has_bytes) {
    status = index_read(post_index_of(p), item, 0, (size_t)item->size, &bytes, &error);
    frame.bytes = cq_buf_str(&bytes);
  }
  if (status) cq_log_error(post_settings_of(p)->log, &error);
  if (!status && (!frame.has_bytes || bytes.size == item->size))
    cq_frame_put(out, &frame);
  else
    status = CQ_DAMAGED;
  cq_buf_fini(&bytes);
  return status == CQ_OK;
}

enum MHD_Result desk_list(http_request *request) {
  uint8_t challenge[CQ_CHALLENGE_SIZE];
  if (!is_desk(request, challenge)) return http_refuse(request, 401, "post.desk.unknown");
  const char *after_text = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "after");
  int64_t after = 0;
  if (after_text && (!cq_str_int64(cq_str_from(after_text), &after) || after < 0)) {
    return http_refuse(request, 400, "post.request.malformed");
  }
  rows list = {0};
  cq_buf out = {0};
  enum MHD_Result result;
  cq_status status =
      index_batches_after(post_index_of(request->post), (uint64_t)after, LIST_ROWS, collect, &list, NULL);
  for (size_t i = 0; i < list.count && !status; i++) {
    if (!put_row(request->post, &list.items[i], &out)) break;
  }
  bool nothing_read = list.count && !out.size;
  if (!status) status = cq_page_sign(&out, challenge, (uint64_t)after, post_sign_of(request->post), NULL);
  if (status || list.failed || nothing_read) {
    result = http_refuse(request, 503, "post.busy");
  } else {
    static const http_header headers[] = {{"Content-Type", CQ_PROTOCOL_TYPE}, {0}};
    result = http_respond(request, 200, headers, cq_buf_str(&out));
  }
  free(list.items);
  cq_buf_fini(&out);
  return result;
}

enum MHD_Result desk_batch(http_request *request) {
  uint8_t challenge[CQ_CHALLENGE_SIZE];
  if (!is_desk(request, challenge)) return http_refuse(request, 401, "post.desk.unknown");
  cq_hash hash;
  index_item item;
  cq_status status = cq_hash_parse(cq_str_from(request->rest), &hash)
                         ? index_find(post_index_of(request->post), &hash, &item, NULL)
                         : CQ_NOTFOUND;
  if (status && status != CQ_NOTFOUND) return http_refuse(request, 503, "post.busy");
  if (status || item.kind != CQ_PARCEL_BATCH || !item.path[0]) return http_refuse(request, 404, "post.request.path");
  return http_send_item(request, &item);
}
