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

cq_status cq_desk_programme(cq_programme **programme, cq_desk *desk, cq_error *error) {
  sqlite3_stmt *s = NULL;
  cq_bundle *bundle = NULL;
  bool row = false;
  *programme = NULL;
  cq_status status = cq_desk_prepare(desk, &s, "SELECT bytes FROM bundle ORDER BY number DESC LIMIT 1", error);
  if (status == CQ_OK) status = cq_desk_step(desk, s, &row, error);
  if (status == CQ_OK && row) {
    cq_str bytes = cq_desk_text(s, 0);
    status = cq_bundle_read(&bundle, bytes.at, bytes.size, &desk->programme, error);
    if (status == CQ_OK)
      status = cq_programme_parse(programme, cq_bundle_content_of(bundle)->programme_json, false, error);
  }
  cq_bundle_free(bundle);
  sqlite3_finalize(s);
  return status;
}

cq_status cq_desk_title(cq_buf *title, cq_desk *desk, const char *language, cq_error *error) {
  cq_programme *programme = NULL;
  cq_status status = cq_desk_programme(&programme, desk, error);
  if (programme) cq_buf_add_str(title, cq_programme_title_in(programme, cq_str_from(language)));
  cq_programme_free(programme);
  return status == CQ_OK && title->failed ? cq_error_nomem(error) : status;
}
