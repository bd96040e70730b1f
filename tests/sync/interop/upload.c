/* SPDX-License-Identifier: Apache-2.0 */
/* The courier's upload, against any tus server: upload URL FILE */
#include "sync/upload.h"
#include "chasqui/file.h"

#include <stdio.h>

int main(int argc, char **argv) {
  cq_error error;
  cq_error_clear(&error);
  courier nobody = {0};
  post_talk t;
  cq_buf bytes = {0};
  if (argc != 3) return 2;
  const remote to = {.url = argv[1], .kind = "post"};
  const http_settings settings = {0};
  cq_status status = cq_file_read(argv[2], CQ_PROTOCOL_MAX_ITEM, &bytes, &error);
  if (!status) status = post_talk_open(&t, &nobody, &to, &settings, &error);
  upload u = {.bytes = cq_buf_str(&bytes), .hash = cq_hash_of(bytes.at, bytes.size), .piece = UPLOAD_PIECE_FIRST};
  if (!status) {
    status = upload_try(&t, &u, &error);
    post_talk_close(&t);
  }
  cq_buf_fini(&bytes);
  if (status)
    fprintf(stderr, "upload: %s %s\n", error.code, error.argc > 1 ? error.arg[1] : "");
  else
    printf("uploaded %llu bytes\n", (unsigned long long)u.offset);
  return status != CQ_OK;
}
