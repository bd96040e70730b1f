/* SPDX-License-Identifier: Apache-2.0 */
/* A request as the post's routes see it, and how they answer. */
#ifndef CENTRAL_INBOX_HTTP_H
#define CENTRAL_INBOX_HTTP_H

#include "central/inbox/post.h"

#include <microhttpd.h>

typedef struct upload_writer upload_writer;

typedef struct http_request {
  post *post;
  struct MHD_Connection *connection;
  const char *method;
  const char *rest; /* of the path, after the route's prefix */
  cq_buf body;
  upload_writer *upload; /* where a PATCH goes instead of `body` */
} http_request;

typedef struct http_header {
  const char *name, *value;
} http_header;

/* Answers; `headers` ends with {0} or is NULL. */
enum MHD_Result http_respond(http_request *request, unsigned status, const http_header *headers, cq_str body);
/* Chasqui-Code and the same as the body. */
enum MHD_Result http_refuse(http_request *request, unsigned status, const char *code);
/* The item's bytes, or the rest of them where a Range asks "bytes=N-", piece by piece. */
enum MHD_Result http_send_item(http_request *request, const index_item *item);

const char *http_header_of(http_request *request, const char *name); /* NULL: none */

/* --- routes --- */
enum MHD_Result desk_list(http_request *request);  /* GET /v1/batches?after=N */
enum MHD_Result desk_batch(http_request *request); /* GET /v1/batches/HASH */

/* --- tus: OPTIONS and POST /v1/uploads; HEAD, PATCH and DELETE /v1/uploads/HASH --- */
enum MHD_Result uploads_options(http_request *request);
enum MHD_Result uploads_head(http_request *request);
enum MHD_Result uploads_delete(http_request *request);
/* The body of a PATCH or POST is written as it comes. `_begin_*` opens the writer from the headers, or answers at once:
 * then NULL, and *result is what on_request returns. */
upload_writer *upload_begin_patch(http_request *request, enum MHD_Result *result);
upload_writer *upload_begin_create(http_request *request, enum MHD_Result *result);
void upload_write(upload_writer *writer, const char *bytes, size_t size);
enum MHD_Result uploads_patch(http_request *request);
enum MHD_Result uploads_create(http_request *request);
void upload_close(upload_writer *writer); /* at the end of every request, also of one that broke off; NULL is fine */

#endif
