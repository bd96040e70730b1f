/* SPDX-License-Identifier: Apache-2.0 */
#include "central/merge/programme.h"

#include "chasqui/file.h"

enum { PROGRAMME_MAX_BYTES = 1 << 20 };

cq_status cq_programme_read_bytes(cq_programme **programme, const char *folder, cq_buf *json, cq_error *error) {
  cq_buf path = {0};
  *programme = NULL;
  cq_status status = cq_file_path(&path, folder, CQ_PROGRAMME_FILE, error);
  if (status == CQ_OK) status = cq_file_read(path.at, PROGRAMME_MAX_BYTES, json, error);
  if (status == CQ_OK && (status = cq_programme_parse(programme, cq_buf_str(json), true, error)) != CQ_OK)
    cq_error_at_file(error, path.at);
  cq_buf_fini(&path);
  return status;
}

cq_status cq_programme_read(cq_programme **programme, const char *folder, cq_error *error) {
  cq_buf json = {0};
  cq_status status = cq_programme_read_bytes(programme, folder, &json, error);
  cq_buf_fini(&json);
  return status;
}
